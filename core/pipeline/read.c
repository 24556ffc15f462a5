#include "pipeline/read.h"

#include <stdio.h>
#include <string.h>

void hr_bad(struct hr_reader *rd, const struct hr_json *at, const char *format, ...)
{
    struct hr_place place = hr_json_place(rd->p->doc, at);
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hr_fail_at(rd->env, HR_INVALID, &place, "%s", text);
    rd->bad++;
}

void hr_bad_name(struct hr_reader *rd, const struct hr_json *member, const char *const *names,
                 size_t n, const char *format, ...)
{
    struct hr_place place = hr_json_key_place(rd->p->doc, member);
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hr_fail_meant(rd->env, HR_INVALID, &place, hr_text_meant(hr_json_key(member), names, n), "%s",
                  text);
    rd->bad++;
}

void hr_check_members(struct hr_reader *rd, const struct hr_json *object, const char *const *names,
                      size_t n, const char *what)
{
    const struct hr_json *m;
    size_t i;

    for (m = hr_json_first(object); m; m = hr_json_next(m)) {
        for (i = 0; i < n && strcmp(names[i], hr_json_key(m)) != 0; i++)
            ;
        if (i == n)
            hr_bad_name(rd, m, names, n, "%s has no member \"%s\"", what, hr_json_key(m));
    }
}

const struct hr_json *hr_want(struct hr_reader *rd, const struct hr_json *object, const char *key,
                              enum hr_json_kind kind)
{
    const struct hr_json *v = hr_json_get(object, key);

    if (v && hr_json_kind(v) != kind) {
        hr_bad(rd, v, "\"%s\" wants %s, and this is %s", key, hr_json_kind_text(kind),
               hr_json_kind_text(hr_json_kind(v)));
        return NULL;
    }
    return v;
}

const char *hr_want_text(struct hr_reader *rd, const struct hr_json *object, const char *key)
{
    const struct hr_json *v = hr_want(rd, object, key, HR_JSON_STRING);

    return v ? hr_json_text(v) : NULL;
}

bool hr_want_bool(struct hr_reader *rd, const struct hr_json *object, const char *key, bool without)
{
    const struct hr_json *v = hr_want(rd, object, key, HR_JSON_BOOL);

    return v ? hr_json_bool(v) : without;
}

const char **hr_want_texts(struct hr_reader *rd, const struct hr_json *object, const char *key)
{
    const struct hr_json *v = hr_json_get(object, key), *m;
    bool list = v && hr_json_kind(v) == HR_JSON_ARRAY;
    size_t n = v ? list ? hr_json_count(v) : 1 : 0, i = 0;
    const char **texts = hr_arena_array(&rd->p->arena, n + 1, sizeof *texts);

    if (!texts) {
        rd->bad++;
        return NULL;
    }
    for (m = list ? hr_json_first(v) : v; m; m = list ? hr_json_next(m) : NULL) {
        if (hr_json_text(m))
            texts[i++] = hr_json_text(m);
        else
            hr_bad(rd, m, "\"%s\" wants a string or a list of strings", key);
    }
    return texts;
}

bool hr_name_ok(const char *name)
{
    size_t n = strlen(name), i;

    if (!n || n > 63)
        return false;
    for (i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!letter && (!i || !((c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.')))
            return false;
    }
    return true;
}

static void read_head(struct hr_reader *rd, const struct hr_json *root)
{
    static const char *const members[] = { "headrace", "name", "doc",   "parameters", "plugins",
                                           "defaults", "env",  "nodes", "include" };
    const struct hr_json *v = hr_json_get(root, "headrace");
    int64_t version = 0;

    hr_check_members(rd, root, members, sizeof members / sizeof members[0], "a pipeline");
    if (!v)
        hr_bad(rd, root, "the member \"headrace\": 1 is missing: the version of the format");
    else if (!hr_json_int(rd->p->doc, v, &version) || version < 1)
        hr_bad(rd, v, "\"headrace\" is the version of the format; write 1");
    else if (version > 1)
        hr_bad(rd, v, "this file is made for headrace of format %lld, and this one reads format 1",
               (long long)version);
    rd->p->name = hr_want_text(rd, root, "name");
    if (!hr_json_get(root, "name"))
        hr_bad(rd, root, "the member \"name\" is missing");
    else if (rd->p->name && !hr_name_ok(rd->p->name))
        hr_bad(rd, hr_json_get(root, "name"),
               "\"%s\" is no name: a letter, then at most 62 letters, digits, _, - or .",
               rd->p->name);
    rd->p->note = hr_want_text(rd, root, "doc");
    rd->p->environment = hr_want_texts(rd, root, "env");
    hr_want_texts(rd, root, "plugins");
    rd->defaults = hr_want(rd, root, "defaults", HR_JSON_OBJECT);
    if ((v = hr_json_get(root, "include")))
        hr_bad(rd, v, "\"include\" is not offered yet; put the nodes into this file");
}

static void check_defaults(struct hr_reader *rd)
{
    static const char *const members[] = { "cache", "retries", "timeout", "memory", "isolation" };

    if (rd->defaults)
        hr_check_members(rd, rd->defaults, members, sizeof members / sizeof members[0],
                         "\"defaults\"");
}

static hr_status read_all(struct hr_reader *rd)
{
    const struct hr_json *root = hr_json_root(rd->p->doc), *v;
    size_t i;

    if (hr_json_kind(root) != HR_JSON_OBJECT) {
        hr_bad(rd, root, "a pipeline is an object");
        return HR_INVALID;
    }
    read_head(rd, root);
    check_defaults(rd);
    if ((v = hr_want(rd, root, "parameters", HR_JSON_OBJECT)))
        hr_read_params(rd, v);
    if ((v = hr_want(rd, root, "nodes", HR_JSON_OBJECT)))
        hr_read_nodes(rd, v);
    else if (!hr_json_get(root, "nodes"))
        hr_bad(rd, root, "the member \"nodes\" is missing");
    for (i = 0; i < rd->p->node_count; i++)
        hr_read_inputs(rd, &rd->p->nodes[i]);
    if (!rd->bad)
        hr_order_nodes(rd);
    return rd->bad ? HR_INVALID : HR_OK;
}

static hr_status find_dir(struct hr_pipeline *p)
{
    char full[HR_MAX_PATH], dir[HR_MAX_PATH];
    int e = p->env->os->realpath(p->env->os->user, p->file, full);

    if (e < 0)
        return hr_fail_os(p->env, e, "open", p->file);
    hr_path_dir(full, dir);
    p->dir = hr_arena_text(&p->arena, dir);
    return p->dir ? HR_OK : HR_EXHAUSTED;
}

/* Every setting computed with the defaults of parameters: mistakes that can be seen now. */
static hr_status try_settings(struct hr_reader *rd)
{
    struct hr_param_values values = { .run_id = "", .run_name = "" };
    struct hr_setting *settings;
    struct hr_term term;
    hr_status r = hr_pipeline_params(rd->p, NULL, 0, false, &rd->p->arena, &values), one;
    size_t i;

    for (i = 0; i < rd->p->node_count && r != HR_EXHAUSTED; i++) {
        struct hr_node *node = &rd->p->nodes[i];

        one = hr_node_settings(rd->p, node, &values, &rd->p->arena, &settings);
        r = one < 0 ? one : r;
        if (node->kind == HR_NODE_IMPORTER) {
            one = hr_node_text(rd->p, node, &node->source_uri, &values, &rd->p->arena, &term);
            r = one < 0 ? one : r;
        }
    }
    return r;
}

hr_status hr_pipeline_read(struct hr_env *env, struct hr_catalogue *catalogue, const char *file,
                           struct hr_pipeline **ret)
{
    struct hr_pipeline *p = hr_mem_zero(env, sizeof *p);
    struct hr_reader rd = { .env = env, .p = p, .catalogue = catalogue };
    struct hr_buf text;
    hr_status r;

    if (!p)
        return HR_EXHAUSTED;
    p->env = env;
    hr_arena_init(&p->arena, env, 0);
    hr_buf_of(&text, HR_MAX_JSON_BYTES, env);
    p->file = hr_arena_text(&p->arena, file);
    r = p->file ? hr_file_read(env, file, HR_MAX_JSON_BYTES, &text) : HR_EXHAUSTED;
    if (r == HR_OK)
        r = find_dir(p);
    if (r == HR_OK)
        r = hr_json_parse(env, file, text.text, text.len, HR_JSON_COMMENTS, &p->doc);
    if (r == HR_OK)
        r = read_all(&rd);
    if (r == HR_OK)
        r = try_settings(&rd);
    hr_buf_clear(&text);
    if (r < 0) {
        hr_pipeline_free(p);
        return r;
    }
    *ret = p;
    return HR_OK;
}

void hr_pipeline_free(struct hr_pipeline *p)
{
    struct hr_env *env = p ? p->env : NULL;

    if (!p)
        return;
    hr_json_free(p->doc);
    hr_arena_clear(&p->arena);
    hr_mem_put(env, p, sizeof *p);
}

size_t hr_pipeline_find(const struct hr_pipeline *p, const char *node)
{
    size_t i;

    for (i = 0; i < p->node_count; i++)
        if (!strcmp(p->nodes[i].name, node))
            return i;
    return SIZE_MAX;
}
