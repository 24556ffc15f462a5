#include "pipeline/read.h"

#include <stdio.h>
#include <string.h>

void hr_bad(struct hr_reader *rd, const struct hr_json *at, const char *format, ...)
{
    struct hr_place place = hr_json_place(rd->doc, at);
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
    struct hr_place place = hr_json_key_place(rd->doc, member);
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

bool hr_dots_ok(const char *name)
{
    size_t n = strlen(name);

    return n && name[0] != '.' && name[n - 1] != '.' && !strstr(name, "..");
}

bool hr_name_ok(const char *name)
{
    return hr_pipeline_name_ok(name) && hr_dots_ok(name);
}

bool hr_pipeline_name_ok(const char *name)
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
                                           "defaults", "env",  "nodes", "include",
                                           "inputs",   "outputs" };
    const struct hr_json *v = hr_json_get(root, "headrace");
    int64_t version = 0;

    hr_check_members(rd, root, members, sizeof members / sizeof members[0], "a pipeline");
    if (!v)
        hr_bad(rd, root, "the member \"headrace\": 1 is missing: the version of the format");
    else if (!hr_json_int(rd->doc, v, &version) || version < 1)
        hr_bad(rd, v, "\"headrace\" is the version of the format; write 1");
    else if (version > 1)
        hr_bad(rd, v, "this file is made for headrace of format %lld, and this one reads format 1",
               (long long)version);
    rd->p->name = hr_want_text(rd, root, "name");
    if (!hr_json_get(root, "name"))
        hr_bad(rd, root, "the member \"name\" is missing");
    else if (rd->p->name && !hr_pipeline_name_ok(rd->p->name))
        hr_bad(rd, hr_json_get(root, "name"),
               "\"%s\" is no name: a letter, then at most 62 letters, digits, _, - or .",
               rd->p->name);
    rd->p->note = hr_want_text(rd, root, "doc");
    rd->p->environment = hr_want_texts(rd, root, "env");
    hr_read_plugins(rd, hr_json_get(root, "plugins"));
}

static void read_defaults(struct hr_reader *rd, const struct hr_json *root)
{
    static const char *const members[] = { "cache", "retries", "timeout", "memory", "isolation" };
    const struct hr_json *v = hr_want(rd, root, "defaults", HR_JSON_OBJECT);

    rd->usual.cache = true;
    rd->usual.cache_ignore = hr_arena_array(&rd->p->arena, 1, sizeof *rd->usual.cache_ignore);
    if (!rd->usual.cache_ignore)
        rd->bad++;
    if (!v)
        return;
    hr_check_members(rd, v, members, sizeof members / sizeof members[0], "\"defaults\"");
    hr_read_usual(rd, v, &rd->usual);
}

static void at_source(struct hr_reader *rd, size_t i)
{
    rd->doc = rd->p->sources[i].doc;
    rd->dir = rd->p->sources[i].dir;
    rd->file = rd->p->sources[i].file;
}

struct hr_node *hr_add_node(struct hr_reader *rd)
{
    struct hr_pipeline *p = rd->p;
    struct hr_node *all;

    if (p->node_count == HR_MAX_NODES) {
        hr_bad(rd, hr_json_root(rd->doc), "more than %d nodes", HR_MAX_NODES);
        return NULL;
    }
    if (!(all = hr_arena_grow(&p->arena, p->nodes, p->node_count, &p->node_cap, sizeof *all))) {
        rd->bad++;
        return NULL;
    }
    p->nodes = all;
    return &p->nodes[p->node_count++];
}

static void read_lists(struct hr_reader *rd)
{
    const struct hr_json *v;
    size_t i;

    rd->p->params = hr_arena_array(&rd->p->arena, HR_MAX_PARAMS + 1, sizeof *rd->p->params);
    rd->p->groups = hr_arena_array(&rd->p->arena, HR_MAX_GROUPS, sizeof *rd->p->groups);
    if (!rd->p->params || !rd->p->groups) {
        rd->bad++;
        return;
    }
    for (i = 0; i < rd->p->source_count; i++) {
        at_source(rd, i);
        if ((v = hr_want(rd, hr_json_root(rd->doc), "parameters", HR_JSON_OBJECT)))
            hr_read_params(rd, v);
    }
    for (i = 0; i < rd->p->source_count; i++) {
        if (rd->p->sources[i].part)
            continue;
        at_source(rd, i);
        if ((v = hr_want(rd, hr_json_root(rd->doc), "nodes", HR_JSON_OBJECT)))
            hr_read_nodes(rd, v);
    }
    at_source(rd, 0);
}

static hr_status read_all(struct hr_reader *rd)
{
    const struct hr_json *root, *v;
    size_t i;

    at_source(rd, 0);
    root = hr_json_root(rd->doc);
    read_head(rd, root);
    read_defaults(rd, root);
    rd->group = (size_t)HR_NO_GROUP;
    read_lists(rd);
    if ((v = hr_json_get(root, "inputs")) && hr_json_count(v))
        hr_bad(rd, v,
               "this pipeline has inputs: it runs as a part of another (\"pipeline\": \"%s\")",
               rd->file);
    if (!hr_json_get(root, "nodes") && !rd->p->node_count)
        hr_bad(rd, root, "the member \"nodes\" is missing");
    else if (!rd->p->node_count && !rd->bad)
        hr_bad(rd, hr_json_get(root, "nodes"), "a pipeline without nodes has nothing to do");
    if ((v = hr_json_get(root, "defaults")))
        hr_check_ignored(rd, v, (size_t)HR_NO_GROUP);
    for (i = 0; i < rd->p->group_count; i++) {
        hr_check_group(rd, &rd->p->groups[i]);
        hr_inherit(rd, &rd->p->groups[i].face);
    }
    for (i = 0; i < rd->p->node_count; i++) {
        rd->doc = (struct hr_json_doc *)(uintptr_t)rd->p->nodes[i].doc;
        hr_inherit(rd, &rd->p->nodes[i]);
        hr_read_inputs(rd, &rd->p->nodes[i]);
        hr_read_reads(rd, &rd->p->nodes[i]);
    }
    if (!rd->bad)
        hr_order_nodes(rd);
    return rd->bad ? HR_INVALID : HR_OK;
}

static hr_status try_filters(struct hr_reader *rd, const struct hr_node *node,
                             const struct hr_param_values *values)
{
    struct hr_term term;
    hr_status r = HR_OK, one;
    size_t i, k;

    for (i = 0; i < node->input_count; i++)
        for (k = 0; k < node->inputs[i].channel_count; k++) {
            const struct hr_channel_query *q = node->inputs[i].channels[k].query;

            if (!q || !q->filter.expr)
                continue;
            one = hr_node_text(rd->p, node, &q->filter, values, &rd->p->arena, &term);
            r = one < 0 ? one : r;
        }
    return r;
}

static hr_status try_sources(struct hr_reader *rd, const struct hr_node *node,
                             const struct hr_param_values *values,
                             const struct hr_setting_source *const *sources, size_t n)
{
    struct hr_term term;
    hr_status r = HR_OK, one;
    size_t k;

    for (k = 0; k < n; k++) {
        if (!sources[k] || !sources[k]->expr)
            continue;
        one = hr_node_text(rd->p, node, sources[k], values, &rd->p->arena, &term);
        r = one < 0 ? one : r;
    }
    return r;
}

static hr_status try_node(struct hr_reader *rd, struct hr_node *node,
                          struct hr_param_values *values)
{
    const struct hr_setting_source *others[] = { &node->source_uri, &node->condition,
                                                 node->each ? &node->each->in : NULL };
    struct hr_setting *settings;
    hr_status r, one;

    values->late = &node->late;
    r = hr_node_settings(rd->p, node, values, &rd->p->arena, &settings);
    one = hr_node_extras(rd->p, node, values, &rd->p->arena, &settings);
    r = one < 0 ? one : r;
    values->late = NULL;
    one = try_filters(rd, node, values);
    r = one < 0 ? one : r;
    one = try_sources(rd, node, values, others, sizeof others / sizeof others[0]);
    return one < 0 ? one : r;
}

/* Every setting computed with the defaults of parameters: mistakes that can be seen now. */
static hr_status try_settings(struct hr_reader *rd)
{
    struct hr_param_values values = { .run_id = "", .run_name = "" };
    hr_status r = hr_pipeline_params(rd->p, NULL, 0, false, &rd->p->arena, &values), one;
    size_t i;

    for (i = 0; i < rd->p->node_count && r != HR_EXHAUSTED; i++) {
        one = try_node(rd, &rd->p->nodes[i], &values);
        r = one < 0 ? one : r;
    }
    for (i = 0; i < rd->p->group_count && r != HR_EXHAUSTED; i++) {
        const struct hr_node *face = &rd->p->groups[i].face;
        const struct hr_setting_source *own[] = { &face->condition,
                                                  face->each ? &face->each->in : NULL };

        one = try_sources(rd, face, &values, own, 2);
        r = one < 0 ? one : r;
    }
    return r;
}

hr_status hr_pipeline_read(struct hr_env *env, struct hr_catalogue *catalogue,
                           const struct hr_pin *pins, size_t n, const char *file,
                           struct hr_pipeline **ret)
{
    struct hr_pipeline *p = hr_mem_zero(env, sizeof *p);
    struct hr_reader rd = {
        .env = env, .p = p, .catalogue = catalogue, .pins = pins, .pin_count = n
    };
    hr_status r;

    if (!p)
        return HR_EXHAUSTED;
    p->env = env;
    hr_arena_init(&p->arena, env, 0);
    r = hr_read_source(&rd, file);
    if (p->source_count) {
        p->file = p->sources[0].file;
        p->dir = p->sources[0].dir;
    }
    if (r == HR_OK)
        r = read_all(&rd);
    if (r == HR_OK)
        r = try_settings(&rd);
    if (r == HR_OK)
        hr_find_overlaps(&rd);
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

    size_t i;

    if (!p)
        return;
    for (i = 0; i < p->source_count; i++)
        hr_json_free(p->sources[i].doc);
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
