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

/* A parameter may be given as a text, as typed, or as any JSON. */
static void read_params(struct reader *rd, const struct hr_json *v, struct hr_options *o)
{
    struct hr_buf text;
    const struct hr_json *m;

    o->given = hr_arena_array(rd->arena, hr_json_count(v) + 1, sizeof *o->given);
    if (!o->given || hr_json_kind(v) != HR_JSON_OBJECT) {
        bad(rd, v, "\"param\" wants an object");
        return;
    }
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
        if (!g->name || !g->text)
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
