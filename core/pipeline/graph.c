/* Channels between nodes, and the order that follows from them. */
#include <string.h>

#include "pipeline/read.h"

bool hr_add_upstream(struct hr_reader *rd, struct hr_node *node, size_t up)
{
    size_t *list, i;

    for (i = 0; i < node->upstream_count; i++)
        if (node->upstream[i] == up)
            return true;
    if (!(list = hr_arena_array(&rd->p->arena, node->upstream_count + 1, sizeof *list)))
        return false;
    for (i = 0; i < node->upstream_count && node->upstream[i] < up; i++)
        list[i] = node->upstream[i];
    list[i] = up;
    for (; i < node->upstream_count; i++)
        list[i + 1] = node->upstream[i];
    node->upstream = list;
    node->upstream_count++;
    return true;
}

struct adder {
    struct hr_reader *rd;
    struct hr_node *node;
    struct hr_input *input;
};

static hr_status add_ref(struct adder *a, const struct hr_channel_ref *ref)
{
    struct hr_input *input = a->input;
    struct hr_channel_ref *all =
        hr_arena_array(&a->rd->p->arena, input->channel_count + 1, sizeof *all);

    if (!all) {
        a->rd->bad++;
        return HR_EXHAUSTED;
    }
    if (input->channel_count)
        memcpy(all, input->channels, input->channel_count * sizeof *all);
    all[input->channel_count++] = *ref;
    input->channels = all;
    return HR_OK;
}

static hr_status add_channel(void *user, const struct hr_found *found)
{
    struct adder *a = user;
    struct hr_channel_ref ref = { found->node, found->output->key, NULL, found->pick };

    if (add_ref(a, &ref) < 0 || !hr_add_upstream(a->rd, a->node, found->node))
        return HR_EXHAUSTED;
    return HR_OK;
}

static void read_query(struct adder *a, const struct hr_json *at)
{
    const struct hr_channel_query *q = NULL;

    if (hr_json_kind(at) == HR_JSON_OBJECT)
        q = hr_read_query(a->rd, a->node, at);
    else
        hr_bad(a->rd, at,
               "node \"%s\": a channel is \"node\", \"node.output\" or {\"query\": {...}}",
               a->node->name);
    if (!q)
        return;
    if (q->type && strcmp(q->type, a->input->port->type) != 0)
        hr_bad(a->rd, at,
               "node \"%s\": input \"%s\" wants type %s, and the query is for %s", a->node->name,
               a->input->key, a->input->port->type, q->type);
    add_ref(a, &(struct hr_channel_ref){ (size_t)HR_CHANNEL_QUERY, NULL, q, NULL });
}

static void read_channel(struct hr_reader *rd, struct hr_node *node, const struct hr_json *at,
                         struct hr_input *input)
{
    struct adder a = { rd, node, input };
    struct hr_lookup look = { .at = at,
                              .who = node,
                              .type = input->port->type,
                              .input = input->key,
                              .found = add_channel,
                              .user = &a };
    const char *name = hr_json_text(at);
    const int64_t *pick;

    if (!name)
        read_query(&a, at);
    else if (hr_read_pick(rd, at, &name, &pick) < 0)
        return;
    else if (hr_node_loop(node, name) != SIZE_MAX)
        add_ref(&a, &(struct hr_channel_ref){ (size_t)HR_CHANNEL_ITEM, name, NULL, pick });
    else
        hr_look_up(rd, &look, node->group, hr_json_text(at));
}

static void read_input(struct hr_reader *rd, struct hr_node *node, const struct hr_json *m,
                       const struct hr_port_info *port)
{
    struct hr_input *input = &node->inputs[node->input_count++];
    bool list = hr_json_kind(m) == HR_JSON_ARRAY;
    const struct hr_json *c;

    *input = (struct hr_input){ .key = hr_json_key(m),
                                .port = port,
                                .place = hr_json_place(rd->doc, m) };
    if (list && !hr_json_count(m))
        hr_bad(rd, m, "node \"%s\": input \"%s\" is an empty list", node->name, input->key);
    for (c = list ? hr_json_first(m) : m; c; c = list ? hr_json_next(c) : NULL)
        read_channel(rd, node, c, input);
}

static void add_after(void *user, size_t up)
{
    struct adder *a = user;

    if (!hr_add_upstream(a->rd, a->node, up))
        a->rd->bad++;
}

/* "after" of a node, or of a group that it is in. */
static void read_after(struct hr_reader *rd, struct hr_node *node, const struct hr_node *whose)
{
    const char **after = hr_want_texts(rd, whose->json, "after");
    const struct hr_json *at = hr_json_get(whose->json, "after");
    struct adder a = { rd, node, NULL };

    for (; after && *after; after++)
        if (!hr_each_named(rd->p, whose->group, *after, add_after, &a))
            hr_bad_node(rd, at, whose, whose->group, *after);
}

static void read_afters(struct hr_reader *rd, struct hr_node *node)
{
    struct hr_json_doc *doc = rd->doc;
    size_t g;

    read_after(rd, node, node);
    for (g = node->group; g != (size_t)HR_NO_GROUP; g = rd->p->groups[g].face.group) {
        rd->doc = (struct hr_json_doc *)(uintptr_t)rd->p->groups[g].face.doc;
        read_after(rd, node, &rd->p->groups[g].face);
    }
    rd->doc = doc;
}

static void read_each_input(struct hr_reader *rd, struct hr_node *node, const struct hr_json *list)
{
    const struct hr_component_info *c = node->component;
    const struct hr_json *m;
    const char *names[64];
    size_t i, n = c->input_count < 64 ? c->input_count : 0;

    for (i = 0; i < n; i++)
        names[i] = c->inputs[i].key;
    for (m = hr_json_first(list); m; m = hr_json_next(m)) {
        const struct hr_port_info *port = hr_port_find(c->inputs, c->input_count, hr_json_key(m));

        if (port)
            read_input(rd, node, m, port);
        else
            hr_bad_name(rd, m, names, n, "node \"%s\": component %s has no input \"%s\"",
                        node->name, hr_component_short(c->id), hr_json_key(m));
    }
}

static void want_inputs(struct hr_reader *rd, const struct hr_node *node,
                        const struct hr_json *list)
{
    const struct hr_component_info *c = node->component;
    size_t i;

    for (i = 0; i < c->input_count; i++)
        if (!(c->inputs[i].flags & HR_PORT_OPTIONAL) &&
            !(list && hr_json_get(list, c->inputs[i].key)))
            hr_bad(rd, node->json, "node \"%s\": input \"%s\" of %s (%s) is missing", node->name,
                   c->inputs[i].key, hr_component_short(c->id), c->inputs[i].type);
}

void hr_read_inputs(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *list = hr_want(rd, node->json, "inputs", HR_JSON_OBJECT);

    read_afters(rd, node);
    if (node->command)
        hr_type_inputs(rd, node);
    if (!node->component) {
        if (list && node->kind != HR_NODE_COMPONENT)
            hr_bad(rd, list, "node \"%s\": a resolver or importer has no inputs; use \"after\"",
                   node->name);
        return;
    }
    node->inputs =
        hr_arena_array(&rd->p->arena, (list ? hr_json_count(list) : 0) + 1, sizeof *node->inputs);
    if (list && node->inputs)
        read_each_input(rd, node, list);
    want_inputs(rd, node, list);
}

static bool ready(const struct hr_node *node, const bool *done)
{
    size_t i;

    for (i = 0; i < node->upstream_count; i++)
        if (!done[node->upstream[i]])
            return false;
    return true;
}

/* Is a node left that is not "finally"? */
static bool others(const struct hr_pipeline *p, const bool *done)
{
    size_t i;

    for (i = 0; i < p->node_count; i++)
        if (!done[i] && !p->nodes[i].last)
            return true;
    return false;
}

/* Whoever is left when no node is ready waits for a circle, or is on one. */
static void tell_circle(struct hr_reader *rd, const bool *done)
{
    const struct hr_pipeline *p = rd->p;
    size_t at = 0, i, steps;
    struct hr_buf path;

    while (done[at])
        at++;
    for (steps = 0; steps < p->node_count; steps++) { /* walk up until surely on the circle */
        for (i = 0; done[p->nodes[at].upstream[i]]; i++)
            ;
        at = p->nodes[at].upstream[i];
    }
    hr_buf_of(&path, 4096, rd->env);
    hr_buf_text(&path, p->nodes[at].name);
    for (steps = at, i = 0; i < p->node_count; i++) {
        size_t k = 0;

        while (done[p->nodes[steps].upstream[k]])
            k++;
        steps = p->nodes[steps].upstream[k];
        hr_buf_format(&path, " <- %s", p->nodes[steps].name);
        if (steps == at)
            break;
    }
    hr_fail_at(rd->env, HR_INVALID, &p->nodes[at].place,
               "the nodes depend on each other in a"
               " circle: %s",
               path.text);
    hr_buf_clear(&path);
    rd->bad++;
}

/* What comes at the end cannot come before something. */
static bool check_last(struct hr_reader *rd)
{
    const struct hr_pipeline *p = rd->p;
    size_t i, k, bad = rd->bad;

    for (i = 0; i < p->node_count; i++)
        for (k = 0; k < p->nodes[i].upstream_count && !p->nodes[i].last; k++)
            if (p->nodes[p->nodes[i].upstream[k]].last) {
                hr_fail_at(rd->env, HR_INVALID, &p->nodes[i].place,
                           "node \"%s\" depends on \"%s\", which runs when all others have ended"
                           " (\"finally\")",
                           p->nodes[i].name, p->nodes[p->nodes[i].upstream[k]].name);
                rd->bad++;
            }
    return rd->bad == bad;
}

void hr_order_nodes(struct hr_reader *rd)
{
    struct hr_pipeline *p = rd->p;
    bool *done = hr_arena_array(&p->arena, p->node_count + 1, sizeof *done);
    size_t n = 0, i;

    if (!check_last(rd))
        return;
    p->order = hr_arena_array(&p->arena, p->node_count + 1, sizeof *p->order);
    if (!done || !p->order) {
        rd->bad++;
        return;
    }
    while (n < p->node_count) {
        for (i = 0; i < p->node_count && (done[i] || !ready(&p->nodes[i], done) ||
                                          (p->nodes[i].last && others(p, done)));
             i++)
            ;
        if (i == p->node_count) {
            tell_circle(rd, done);
            return;
        }
        done[i] = true;
        p->order[n++] = i;
    }
}
