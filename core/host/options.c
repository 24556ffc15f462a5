#include <stdio.h>
#include <string.h>

#include "host/host.h"

static const char *const names[] = { "param", "jobs",      "force",   "no_cache", "keep_going",
                                     "name",  "isolation", "sandbox", "check",    "from",
                                     "to",    "only",      "base",    "changed",  "retry_failed",
                                     "unlocked" };

struct reader {
    struct hr_project *p;
    struct hr_arena *arena;
    const struct hr_json_doc *doc;
    hr_status status;
};

HR_PRINTF(3, 4)
static void bad(struct reader *rd, const struct hr_json *at, const char *format, ...)
{
    struct hr_place place = hr_json_place(rd->doc, at);
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rd->status = hr_fail_at(&rd->p->env, HR_INVALID, &place, "%s", text);
}

/* A parameter may be given as a text, as typed, or as any JSON.  They come behind those that are
 * there: of one that is given twice the last counts. */
static void read_params(struct reader *rd, const struct hr_json *v, struct hr_options *o)
{
    struct hr_given *all =
        hr_arena_array(rd->arena, o->given_count + hr_json_count(v) + 1, sizeof *all);
    struct hr_buf text;
    const struct hr_json *m;

    if (!all || hr_json_kind(v) != HR_JSON_OBJECT) {
        bad(rd, v, "\"param\" wants an object");
        return;
    }
    if (o->given_count)
        memcpy(all, o->given, o->given_count * sizeof *all);
    o->given = all;
    hr_buf_of(&text, HR_MAX_JSON_BYTES, &rd->p->env);
    for (m = hr_json_first(v); m; m = hr_json_next(m)) {
        struct hr_given *g = &o->given[o->given_count++];

        hr_buf_cut(&text, 0);
        if (hr_json_text(m))
            hr_buf_text(&text, hr_json_text(m));
        else
            hr_json_print(rd->doc, m, false, &text);
        g->name = hr_arena_text(rd->arena, hr_json_key(m));
        g->text = hr_arena_text(rd->arena, text.text);
        if (!g->name || !g->text || !hr_buf_whole(&text))
            rd->status = HR_EXHAUSTED;
    }
    hr_buf_clear(&text);
}

static void read_nodes(struct reader *rd, const struct hr_json *root, const char *key,
                       const char ***to)
{
    const struct hr_json *v = hr_json_get(root, key), *m;
    size_t n = 0;

    if (!v)
        return;
    *to = hr_arena_array(rd->arena, hr_json_count(v) + 1, sizeof **to);
    if (!*to || hr_json_kind(v) != HR_JSON_ARRAY) {
        bad(rd, v, "\"%s\" wants a list of nodes", key);
        return;
    }
    for (m = hr_json_first(v); m; m = hr_json_next(m))
        if (!hr_json_text(m))
            bad(rd, m, "\"%s\" wants a list of nodes", key);
        else if (!((*to)[n++] = hr_arena_text(rd->arena, hr_json_text(m))))
            rd->status = HR_EXHAUSTED;
}

static void read_text(struct reader *rd, const struct hr_json *root, const char *key,
                      const char **to)
{
    const struct hr_json *v = hr_json_get(root, key);

    if (v && !hr_json_text(v))
        bad(rd, v, "\"%s\" wants a text", key);
    else if (v && !(*to = hr_arena_text(rd->arena, hr_json_text(v))))
        rd->status = HR_EXHAUSTED;
}

static void read_isolation(struct reader *rd, const struct hr_json *root, struct hr_options *o)
{
    const struct hr_json *v = hr_json_get(root, "isolation");

    if (v && hr_text_eq(hr_json_text(v), "none"))
        o->isolation = HR_ISOLATE_NONE;
    else if (v && !hr_text_eq(hr_json_text(v), "worker"))
        bad(rd, v, "\"isolation\" is \"worker\" or \"none\"");
    else if (v)
        o->isolation = HR_ISOLATE;
    v = hr_json_get(root, "sandbox");
    if (v && hr_text_eq(hr_json_text(v), "required"))
        o->isolation = HR_ISOLATE_REQUIRED;
    else if (v && !hr_text_eq(hr_json_text(v), "best"))
        bad(rd, v, "\"sandbox\" is \"required\" or \"best\"");
}

static void read_truth(struct reader *rd, const struct hr_json *root, const char *key, bool *to)
{
    const struct hr_json *v = hr_json_get(root, key);

    if (v && hr_json_kind(v) != HR_JSON_BOOL)
        bad(rd, v, "\"%s\" is true or false", key);
    else if (v)
        *to = hr_json_bool(v);
}

static void read_all(struct reader *rd, struct hr_options *o)
{
    const struct hr_json *root = hr_json_root(rd->doc), *m;
    size_t n = sizeof names / sizeof names[0], i;
    int64_t jobs = 0;

    if (hr_json_kind(root) != HR_JSON_OBJECT) {
        bad(rd, root, "options are an object");
        return;
    }
    for (m = hr_json_first(root); m; m = hr_json_next(m)) {
        for (i = 0; i < n && strcmp(names[i], hr_json_key(m)) != 0; i++)
            ;
        if (i == n)
            bad(rd, m, "there is no option \"%s\"", hr_json_key(m));
    }
    if ((m = hr_json_get(root, "param")))
        read_params(rd, m, o);
    read_nodes(rd, root, "force", &o->force);
    read_nodes(rd, root, "from", &o->from);
    read_nodes(rd, root, "to", &o->to);
    read_nodes(rd, root, "only", &o->only);
    if ((m = hr_json_get(root, "jobs")) &&
        (!hr_json_int(rd->doc, m, &jobs) || jobs < 1 || jobs > HR_MAX_THREADS))
        bad(rd, m, "\"jobs\" wants an int from 1 to %d", HR_MAX_THREADS);
    if (jobs)
        o->jobs = (int32_t)jobs;
    read_text(rd, root, "name", &o->name);
    read_text(rd, root, "base", &o->base);
    read_truth(rd, root, "no_cache", &o->no_cache);
    read_truth(rd, root, "keep_going", &o->keep_going);
    read_truth(rd, root, "check", &o->check);
    read_truth(rd, root, "changed", &o->changed);
    read_truth(rd, root, "retry_failed", &o->resume);
    read_truth(rd, root, "unlocked", &o->unlocked);
    if (o->only && (o->from || o->to))
        bad(rd, root, "\"only\" says all that runs: it goes with neither \"from\" nor \"to\"");
    read_isolation(rd, root, o);
}

/* -- parameters in a file -------------------------------------------------- */

static const struct hr_json *params_of(const struct hr_json *root)
{
    const struct hr_json *v = hr_json_get(root, "params");

    return hr_json_kind(root) == HR_JSON_OBJECT && v && hr_json_text(v) ? v : NULL;
}

/* Members of an object, but those that another has. */
static void put_others(struct hr_json_writer *w, const struct hr_json_doc *doc,
                       const struct hr_json *object, const struct hr_json *but)
{
    const struct hr_json *m;

    for (m = object ? hr_json_first(object) : NULL; m; m = hr_json_next(m)) {
        if (but && hr_json_get(but, hr_json_key(m)))
            continue;
        hr_json_put_key(w, hr_json_key(m));
        hr_json_put_value(w, doc, m, false);
    }
}

/* The options with "param" in the place of "params", which is what a run has on record. */
static hr_status put_options(const struct hr_json_doc *options, const struct hr_json_doc *file,
                             struct hr_buf *to)
{
    const struct hr_json *root = hr_json_root(options), *m;
    const struct hr_json *param = hr_json_get(root, "param");
    struct hr_json_writer w;

    hr_json_begin(&w, to, 0);
    hr_json_open_object(&w);
    hr_json_put_key(&w, "param");
    hr_json_open_object(&w);
    put_others(&w, file, hr_json_root(file), param);
    put_others(&w, options, param, NULL);
    hr_json_close_object(&w);
    for (m = hr_json_first(root); m; m = hr_json_next(m)) {
        if (!strcmp(hr_json_key(m), "param") || !strcmp(hr_json_key(m), "params"))
            continue;
        hr_json_put_key(&w, hr_json_key(m));
        hr_json_put_value(&w, options, m, false);
    }
    hr_json_close_object(&w);
    return hr_json_end(&w);
}

static hr_status expand(struct hr_project *p, const struct hr_json_doc *doc, const char *name,
                        struct hr_arena *arena, const char **json)
{
    struct hr_json_doc *file = NULL;
    struct hr_buf text, made;
    hr_status r;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, &p->env);
    hr_buf_of(&made, HR_MAX_JSON_BYTES, &p->env);
    r = hr_file_read(&p->env, name, HR_MAX_JSON_BYTES, &text);
    if (r == HR_OK)
        r = hr_json_parse(&p->env, name, text.text, text.len, HR_JSON_COMMENTS, &file);
    if (r == HR_OK && hr_json_kind(hr_json_root(file)) != HR_JSON_OBJECT) {
        struct hr_place place = hr_json_place(file, hr_json_root(file));

        r = hr_fail_at(&p->env, HR_INVALID, &place,
                       "a file of parameters is an object, as {\"steps\": 200}");
    }
    if (r == HR_OK)
        r = put_options(doc, file, &made);
    if (r == HR_OK && !(*json = hr_arena_text(arena, made.text)))
        r = HR_EXHAUSTED;
    hr_json_free(file);
    hr_buf_clear(&text);
    hr_buf_clear(&made);
    return r;
}

hr_status hr_options_expand(struct hr_project *p, struct hr_arena *arena, const char **json)
{
    struct hr_json_doc *doc;
    hr_status r = HR_OK;

    if (!*json || !strstr(*json, "\"params\""))
        return HR_OK;
    if ((r = hr_json_parse(&p->env, "options", *json, strlen(*json), 0, &doc)) < 0)
        return r;
    if (params_of(hr_json_root(doc)))
        r = expand(p, doc, hr_json_text(params_of(hr_json_root(doc))), arena, json);
    hr_json_free(doc);
    return r;
}

/* -- all of them ----------------------------------------------------------- */

hr_status hr_options_read(struct hr_project *p, const char *json, struct hr_arena *arena,
                          struct hr_options *ret)
{
    *ret = (struct hr_options){ .jobs = p->jobs_max, .isolation = p->isolation };
    return hr_options_add(p, json, arena, ret);
}

hr_status hr_options_add(struct hr_project *p, const char *json, struct hr_arena *arena,
                         struct hr_options *ret)
{
    struct reader rd = { p, arena, NULL, HR_OK };
    struct hr_json_doc *doc;
    hr_status r;

    if (!json || !*json)
        return HR_OK;
    if ((r = hr_json_parse(&p->env, "options", json, strlen(json), 0, &doc)) < 0)
        return r;
    rd.doc = doc;
    read_all(&rd, ret);
    hr_json_free(doc);
    return rd.status;
}
