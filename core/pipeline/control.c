/* What decides whether, how often and when a node runs: "if", "for_each", "finally". */
#include <string.h>

#include "pipeline/expr_tree.h"
#include "pipeline/read.h"

static void read_if(struct hr_reader *rd, struct hr_node *node)
{
    static const struct hr_property_info info = { .type = HR_BOOL, .key = "if" };
    const struct hr_json *v = hr_want(rd, node->json, "if", HR_JSON_STRING);

    node->condition = (struct hr_setting_source){ .info = &info, .value = v, .place = node->place };
    if (!v)
        return;
    hr_read_template(rd, &node->condition);
    if (!hr_template_needed(hr_json_text(v)))
        hr_bad(rd, v, "node \"%s\": \"if\" wants an expression, as \"${ param.push == true }\"",
               node->name);
}

/* Roots that an item must not hide. */
static bool name_taken(const char *as)
{
    static const char *const roots[] = { "param", "env",    "run",   "pipeline", "node",
                                         "input", "output", "nodes", "true",     "false",
                                         "null",  "and",    "or",    "not",      "in" };
    size_t i;

    for (i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (!strcmp(roots[i], as))
            return true;
    return false;
}

static void read_as(struct hr_reader *rd, struct hr_node *node, const struct hr_json *v)
{
    const char *as = hr_want_text(rd, v, "as");

    node->each->as = as ? as : "item";
    if (as && (!hr_name_ok(as) || strpbrk(as, ".-") || name_taken(as)))
        hr_bad(rd, hr_json_get(v, "as"), "node \"%s\": \"%s\" is no name for an element",
               node->name, as);
}

static void read_each(struct hr_reader *rd, struct hr_node *node)
{
    static const char *const members[] = { "in", "as", "parallel" };
    static const struct hr_property_info info = { .type = HR_JSON, .key = "in" };
    const struct hr_json *v = hr_want(rd, node->json, "for_each", HR_JSON_OBJECT), *in;
    int64_t parallel = 0;

    if (!v)
        return;
    if (!(node->each = hr_arena_get(&rd->p->arena, sizeof *node->each))) {
        rd->bad++;
        return;
    }
    hr_check_members(rd, v, members, 3, "\"for_each\"");
    read_as(rd, node, v);
    in = hr_json_get(v, "in");
    node->each->in = (struct hr_setting_source){ .info = &info, .value = in, .place = node->place };
    if (!in || (hr_json_kind(in) != HR_JSON_ARRAY && hr_json_kind(in) != HR_JSON_STRING))
        hr_bad(rd, v,
               "node \"%s\": \"for_each\" wants \"in\": a list or an expression that gives one",
               node->name);
    else
        hr_read_template(rd, &node->each->in);
    if ((in = hr_json_get(v, "parallel")) &&
        (!hr_json_int(rd->doc, in, &parallel) || parallel < 1 || parallel > HR_MAX_THREADS))
        hr_bad(rd, in, "\"parallel\" wants an int from 1 to %d", HR_MAX_THREADS);
    node->each->parallel = (int32_t)parallel;
}

void hr_read_control(struct hr_reader *rd, struct hr_node *node)
{
    read_if(rd, node);
    read_each(rd, node);
    node->last = hr_want_bool(rd, node->json, "finally", false);
}

/* -- what the two read ----------------------------------------------------- */

struct reads {
    struct hr_reader *rd;
    struct hr_node *node;
    const struct hr_template *t;
    size_t cap;
};

/* "NODE.OUTPUT.member" with the longest name of a node; the output is up to the next dot. */
static const struct hr_node_output *find_output(struct hr_pipeline *p, const char *text,
                                                size_t *ret_node, const char **ret_key)
{
    const char *rest = NULL;
    size_t i, n;

    *ret_key = NULL;
    *ret_node = hr_split_channel(p, text, &rest);
    if (*ret_node == SIZE_MAX || !rest)
        return NULL;
    n = strcspn(rest, ".");
    *ret_key = hr_arena_bytes(&p->arena, rest, n);
    for (i = 0; *ret_key && i < p->nodes[*ret_node].output_count; i++)
        if (!strcmp(p->nodes[*ret_node].outputs[i].key, *ret_key))
            return &p->nodes[*ret_node].outputs[i];
    return NULL;
}

static hr_status tell_bad(struct reads *s, const char *text, size_t node, const char *key)
{
    const struct hr_pipeline *p = s->rd->p;
    const char *what;

    s->rd->bad++;
    if (node == SIZE_MAX)
        what = "there is no such node";
    else if (!key)
        what = "name an output too, as nodes.NODE.OUTPUT";
    else
        what = hr_arena_format(&s->rd->p->arena, "\"%s\" has no output \"%s\"", p->nodes[node].name,
                               key);
    return hr_expr_fail(s->rd->env, s->t, 0, NULL, "node \"%s\": nodes.%s: %s", s->node->name, text,
                        what ? what : "");
}

static hr_status add_read(struct reads *s, size_t from, const struct hr_node_output *output)
{
    struct hr_node *node = s->node;
    struct hr_arena *arena = &s->rd->p->arena;
    const char *key = hr_arena_format(arena, "_%s.%s", s->rd->p->nodes[from].name, output->key);
    struct hr_input *all;
    size_t i;

    if (!key)
        return HR_EXHAUSTED;
    for (i = 0; i < node->read_count; i++)
        if (!strcmp(node->reads[i].key, key))
            return HR_OK;
    if (node->read_count == s->cap) {
        if (!(all = hr_arena_array(arena, s->cap * 2 + 4, sizeof *all)))
            return HR_EXHAUSTED;
        if (s->cap)
            memcpy(all, node->reads, s->cap * sizeof *all);
        node->reads = all;
        s->cap = s->cap * 2 + 4;
    }
    all = &node->reads[node->read_count];
    *all = (struct hr_input){ .key = key, .place = s->t->place };
    if (!(all->channels = hr_arena_get(arena, sizeof *all->channels)))
        return HR_EXHAUSTED;
    all->channels[0] = (struct hr_channel_ref){ from, output->key };
    all->channel_count = 1;
    node->read_count++;
    return hr_add_upstream(s->rd, node, from) ? HR_OK : HR_EXHAUSTED;
}

static hr_status visit(void *user, const char *name)
{
    struct reads *s = user;
    const struct hr_node_output *output;
    const char *key;
    size_t from;

    if (strncmp(name, "nodes.", 6) != 0)
        return HR_OK;
    output = find_output(s->rd->p, name + 6, &from, &key);
    if (!output) {
        tell_bad(s, name + 6, from, key);
        return HR_OK;
    }
    return add_read(s, from, output);
}

void hr_read_reads(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_template *all[] = { node->condition.expr,
                                        node->each ? node->each->in.expr : NULL };
    struct reads s = { .rd = rd, .node = node };
    size_t i;

    for (i = 0; i < 2; i++) {
        s.t = all[i];
        if (all[i] && hr_template_names(all[i], visit, &s) < 0)
            rd->bad++;
    }
}
