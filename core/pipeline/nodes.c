/* The members that every node has, and which kind of node it is. */
#include <string.h>

#include "pipeline/read.h"

static const char *const kinds[] = { "component", "resolver", "importer", "command" };
enum { KIND_COMMAND = 3 };
static const char *const members[] = { "component", "resolver", "importer",   "pipeline", "command",
                                       "inputs",    "outputs",  "properties", "after",    "if",
                                       "for_each",  "cache",    "retries",    "timeout",  "memory",
                                       "isolation", "finally",  "doc",        "config" };

enum { MAX_RETRIES = 100 };

/* A number and a unit: "90s", "2GiB".  -1: told. */
static int64_t measure(struct hr_reader *rd, const struct hr_json *v, const char *what,
                       const char *const *units, const int64_t *factors, size_t n)
{
    const char *text = v ? hr_json_text(v) : NULL;
    size_t digits = 0, i;
    int64_t number, all;

    if (!v)
        return 0;
    while (text && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    for (i = 0; text && i < n; i++)
        if (!strcmp(text + digits, units[i]) && hr_num_int(text, digits, &number) && number > 0 &&
            !__builtin_mul_overflow(number, factors[i], &all))
            return all;
    hr_bad(rd, v, "\"%s\" wants a number with a unit, as \"%s\"", what,
           factors[0] == 1 ? "90s" : "2GiB");
    return -1;
}

static void read_limits(struct hr_reader *rd, const struct hr_json *object, struct hr_node *node)
{
    static const char *const times[] = { "ms", "s", "min", "h" };
    static const int64_t ms[] = { 1, 1000, 60000, 3600000 };
    static const char *const sizes[] = { "KiB", "MiB", "GiB", "TiB" };
    static const int64_t bytes[] = { 1 << 10, 1 << 20, 1 << 30, (int64_t)1 << 40 };
    const struct hr_json *v;
    int64_t n = 0;

    if ((v = hr_json_get(object, "retries"))) {
        if (!hr_json_int(rd->doc, v, &n) || n < 0 || n > MAX_RETRIES)
            hr_bad(rd, v, "\"retries\" wants an int from 0 to %d", MAX_RETRIES);
        node->retries = (int32_t)n;
    }
    if ((v = hr_json_get(object, "timeout")))
        node->timeout_ms = measure(rd, v, "timeout", times, ms, 4);
    if ((v = hr_json_get(object, "memory")))
        node->memory = measure(rd, v, "memory", sizes, bytes, 4);
    if ((v = hr_json_get(object, "isolation"))) {
        if (!hr_text_eq(hr_json_text(v), "none") && !hr_text_eq(hr_json_text(v), "worker"))
            hr_bad(rd, v, "\"isolation\" is \"worker\" or \"none\"");
        node->isolation = hr_text_eq(hr_json_text(v), "none") ? HR_ISOLATE_NONE : HR_ISOLATE;
    }
}

void hr_read_usual(struct hr_reader *rd, const struct hr_json *object, struct hr_node *node)
{
    static const char *const names[] = { "ignore" };
    const struct hr_json *v = hr_json_get(object, "cache");

    read_limits(rd, object, node);
    if (!v)
        return;
    node->cache = true;
    node->cache_ignore = hr_arena_array(&rd->p->arena, 1, sizeof *node->cache_ignore);
    rd->bad += !node->cache_ignore;
    if (hr_json_kind(v) == HR_JSON_BOOL) {
        node->cache = hr_json_bool(v);
    } else if (hr_json_kind(v) == HR_JSON_OBJECT) {
        hr_check_members(rd, v, names, 1, "\"cache\"");
        node->cache_ignore = hr_want_texts(rd, v, "ignore");
    } else {
        hr_bad(rd, v, "\"cache\" is true, false or {\"ignore\": [properties]}");
    }
}

/* -- what the cache key leaves out ----------------------------------------- */

static const struct hr_property_info *property_of(const struct hr_node *node, const char *key)
{
    const struct hr_component_info *c = node->component;

    return c ? hr_property_find(c->properties, c->property_count, key) : NULL;
}

/* Each name of "ignore"; NULL: it has none, or not the form, which is told elsewhere. */
static const struct hr_json *ignored(const struct hr_json *object, bool *ret_list)
{
    const struct hr_json *v = hr_json_get(hr_json_get(object, "cache"), "ignore");

    *ret_list = v && hr_json_kind(v) == HR_JSON_ARRAY;
    return *ret_list ? hr_json_first(v) : v;
}

/* What a node says itself. */
static void check_ignored(struct hr_reader *rd, const struct hr_node *node)
{
    const struct hr_component_info *c = node->component;
    const char *names[64];
    struct hr_place place;
    const struct hr_json *m;
    size_t n = 0;
    bool list;

    for (; c && n < c->property_count && n < sizeof names / sizeof names[0]; n++)
        names[n] = c->properties[n].key;
    for (m = ignored(node->json, &list); m; m = list ? hr_json_next(m) : NULL) {
        if (!hr_json_text(m) || property_of(node, hr_json_text(m)))
            continue;
        place = hr_json_place(rd->doc, m);
        hr_fail_meant(rd->env, HR_INVALID, &place, hr_text_meant(hr_json_text(m), names, n),
                      "node \"%s\": \"cache\" ignores \"%s\", and it has no property of that"
                      " name",
                      node->name, hr_json_text(m));
        rd->bad++;
    }
}

void hr_check_ignored(struct hr_reader *rd, const struct hr_json *object, size_t group)
{
    const struct hr_pipeline *p = rd->p;
    const struct hr_json *m;
    size_t i;
    bool list;

    for (i = 0; i < p->node_count; i++)
        if (p->nodes[i].kind == HR_NODE_COMPONENT && !p->nodes[i].component)
            return; /* which is told; it may be the one */
    for (m = ignored(object, &list); m; m = list ? hr_json_next(m) : NULL) {
        for (i = 0; hr_json_text(m) && i < p->node_count; i++)
            if (hr_pipeline_within(p, &p->nodes[i], group) &&
                property_of(&p->nodes[i], hr_json_text(m)))
                break;
        if (hr_json_text(m) && i == p->node_count)
            hr_bad(rd, m, "\"cache\" ignores \"%s\", and no node here has a property of that name",
                   hr_json_text(m));
    }
}

/* -------------------------------------------------------------------------- */

static size_t count_kinds(const struct hr_json *m, size_t *ret)
{
    size_t found = 0, i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (hr_json_get(m, kinds[i])) {
            *ret = i;
            found++;
        }
    return found;
}

void hr_begin_node(struct hr_reader *rd, const struct hr_json *m, struct hr_node *ret)
{
    *ret = rd->usual;
    ret->local = hr_json_key(m);
    ret->name = hr_full_name(rd, ret->local);
    ret->group = rd->group;
    ret->json = m;
    ret->doc = rd->doc;
    ret->dir = rd->dir;
    ret->place = hr_json_key_place(rd->doc, m);
}

static void read_node(struct hr_reader *rd, const struct hr_json *m, struct hr_node *node)
{
    size_t found, kind = 0;

    hr_begin_node(rd, m, node);
    hr_check_members(rd, m, members, sizeof members / sizeof members[0], "a node");
    node->note = hr_want_text(rd, m, "doc");
    hr_read_usual(rd, m, node);
    hr_read_control(rd, node);
    found = count_kinds(m, &kind);
    if (found != 1) {
        hr_bad(rd, m,
               "node \"%s\" wants exactly one of component, resolver, importer, command, pipeline",
               node->name);
        return;
    }
    node->kind = kind == KIND_COMMAND ? HR_NODE_COMPONENT : (enum hr_node_kind)kind;
    node->command = kind == KIND_COMMAND;
    if (node->command)
        hr_read_command(rd, node);
    else if (node->kind == HR_NODE_COMPONENT)
        hr_read_component(rd, node);
    else if (node->kind == HR_NODE_RESOLVER)
        hr_read_resolver(rd, node);
    else
        hr_read_importer(rd, node);
    if (node->component || node->kind != HR_NODE_COMPONENT)
        check_ignored(rd, node);
}

/* Files that are merged may name a node twice; one file cannot. */
static bool is_new(struct hr_reader *rd, const struct hr_json *m)
{
    size_t i = rd->p->source_count > 1 ? hr_pipeline_find(rd->p, hr_full_name(rd, hr_json_key(m)))
                                       : SIZE_MAX;

    if (i == SIZE_MAX)
        return true;
    hr_bad(rd, m, "node \"%s\" is there already, at %s:%d:%d", hr_json_key(m),
           rd->p->nodes[i].place.file, rd->p->nodes[i].place.line, rd->p->nodes[i].place.column);
    return false;
}

void hr_read_nodes(struct hr_reader *rd, const struct hr_json *list)
{
    const struct hr_json *m;
    struct hr_node *node;

    for (m = hr_json_first(list); m; m = hr_json_next(m)) {
        if (!hr_name_ok(hr_json_key(m)))
            hr_bad(rd, m,
                   "\"%s\" is no name for a node: a letter, then at most 62 letters, digits"
                   ", _, - or ., which stands between two others",
                   hr_json_key(m));
        else if (hr_json_kind(m) != HR_JSON_OBJECT)
            hr_bad(rd, m, "node \"%s\" wants an object", hr_json_key(m));
        else if (rd->group != (size_t)HR_NO_GROUP && !strcmp(hr_json_key(m), "inputs"))
            hr_bad(rd, m, "\"inputs\" is what a sub-pipeline is given; name the node otherwise");
        else if (hr_json_get(m, "pipeline"))
            hr_read_group(rd, m);
        else if (is_new(rd, m) && (node = hr_add_node(rd)))
            read_node(rd, m, node);
    }
}
