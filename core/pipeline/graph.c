/* Channels between nodes, and the order that follows from them. */
#include <string.h>

#include "pipeline/read.h"

static const struct hr_node_output *output_of(const struct hr_node *node, const char *key)
{
    size_t i;

    for (i = 0; i < node->output_count; i++)
        if (!strcmp(node->outputs[i].key, key))
            return &node->outputs[i];
    return NULL;
}

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

static void bad_node(struct hr_reader *rd, const struct hr_json *at, const struct hr_node *node,
                     const char *name)
{
    struct hr_place place = hr_json_place(rd->doc, at);
    const char **names = hr_arena_array(&rd->p->arena, rd->p->node_count + 1, sizeof *names);
    size_t i;

    for (i = 0; names && i < rd->p->node_count; i++)
        names[i] = rd->p->nodes[i].name;
    hr_fail_meant(rd->env, HR_INVALID, &place,
                  names ? hr_text_meant(name, names, rd->p->node_count) : NULL,
                  "node \"%s\": there is no node \"%s\"", node->name, name);
    rd->bad++;
}

/* "node.output" or "node", which may itself hold dots: the longest name of a node counts. */
size_t hr_split_channel(const struct hr_pipeline *p, const char *text, const char **ret_output)
{
    size_t whole = hr_pipeline_find(p, text), i, best = SIZE_MAX, best_n = 0;

    *ret_output = NULL;
    if (whole != SIZE_MAX)
        return whole;
    for (i = 0; i < p->node_count; i++) {
        size_t n = strlen(p->nodes[i].name);

        if (n > best_n && !strncmp(text, p->nodes[i].name, n) && text[n] == '.') {
            best = i;
            best_n = n;
            *ret_output = text + n + 1;
        }
    }
    return best;
}

static const struct hr_node_output *only_output(struct hr_reader *rd, const struct hr_json *at,
                                                const struct hr_node *node,
                                                const struct hr_node *from, const char *type)
{
    const struct hr_node_output *found = NULL;
    size_t i, n = 0;

    for (i = 0; i < from->output_count; i++)
        if (hr_text_eq(from->outputs[i].type, type)) {
            found = &from->outputs[i];
            n++;
        }
    if (n == 1)
        return found;
    if (n)
        hr_bad(rd, at, "node \"%s\": \"%s\" has %zu outputs of type %s; write \"%s.%s\" or another",
               node->name, from->name, n, type, from->name, found->key);
    else
        hr_bad(rd, at, "node \"%s\": input wants type %s, but \"%s\" gives %s", node->name, type,
               from->name, from->output_count ? from->outputs[0].type : "nothing");
    return NULL;
}

static const struct hr_node_output *named_output(struct hr_reader *rd, const struct hr_json *at,
                                                 const struct hr_node *node,
                                                 const struct hr_node *from, const char *key,
                                                 const struct hr_port_info *port)
{
    const struct hr_node_output *found = output_of(from, key);
    struct hr_place place = hr_json_place(rd->doc, at);
    const char *names[64];
    size_t i, n = from->output_count < 64 ? from->output_count : 64;

    for (i = 0; i < n; i++)
        names[i] = from->outputs[i].key;
    if (!found) {
        hr_fail_meant(rd->env, HR_INVALID, &place, hr_text_meant(key, names, n),
                      "node \"%s\": \"%s\" has no output \"%s\"", node->name, from->name, key);
        rd->bad++;
        return NULL;
    }
    if (hr_text_eq(found->type, port->type))
        return found;
    hr_bad(rd, at, "node \"%s\": input \"%s\" wants type %s, but \"%s\" gives %s", node->name,
           port->key, port->type, hr_json_text(at), found->type);
    return NULL;
}

static void read_channel(struct hr_reader *rd, struct hr_node *node, const struct hr_json *at,
                         struct hr_input *input)
{
    const struct hr_node_output *output;
    const char *key;
    size_t from;

    if (!hr_json_text(at)) {
        hr_bad(rd, at,
               hr_json_kind(at) == HR_JSON_OBJECT
                   ? "node \"%s\": queries as inputs are not offered yet"
                   : "node \"%s\": a channel is \"node\" or \"node.output\"",
               node->name);
        return;
    }
    if (node->each && !strcmp(hr_json_text(at), node->each->as)) {
        input->channels[input->channel_count++] =
            (struct hr_channel_ref){ (size_t)HR_CHANNEL_ITEM, node->each->as };
        return;
    }
    from = hr_split_channel(rd->p, hr_json_text(at), &key);
    if (from == SIZE_MAX) {
        const char *dot = strchr(hr_json_text(at), '.');
        char *name =
            hr_arena_bytes(&rd->p->arena, hr_json_text(at),
                           dot ? (size_t)(dot - hr_json_text(at)) : strlen(hr_json_text(at)));

        bad_node(rd, at, node, name ? name : "");
        return;
    }
    output = key ? named_output(rd, at, node, &rd->p->nodes[from], key, input->port)
                 : only_output(rd, at, node, &rd->p->nodes[from], input->port->type);
    if (!output)
        return;
    input->channels[input->channel_count++] = (struct hr_channel_ref){ from, output->key };
    if (!hr_add_upstream(rd, node, from))
        rd->bad++;
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
    input->channels =
        hr_arena_array(&rd->p->arena, (list ? hr_json_count(m) : 1) + 1, sizeof *input->channels);
    if (!input->channels) {
        rd->bad++;
        return;
    }
    if (list && !hr_json_count(m))
        hr_bad(rd, m, "node \"%s\": input \"%s\" is an empty list", node->name, input->key);
    for (c = list ? hr_json_first(m) : m; c; c = list ? hr_json_next(c) : NULL)
        read_channel(rd, node, c, input);
}

static void read_after(struct hr_reader *rd, struct hr_node *node)
{
    const char **after = hr_want_texts(rd, node->json, "after");
    const struct hr_json *at = hr_json_get(node->json, "after");

    for (; after && *after; after++) {
        size_t i = hr_pipeline_find(rd->p, *after);

        if (i == SIZE_MAX)
            bad_node(rd, at, node, *after);
        else if (!hr_add_upstream(rd, node, i))
            rd->bad++;
    }
}

void hr_read_inputs(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *list = hr_want(rd, node->json, "inputs", HR_JSON_OBJECT), *m;
    const struct hr_component_info *c = node->component;
    const char *names[64];
    size_t i, n = c && c->input_count < 64 ? c->input_count : 0;

    read_after(rd, node);
    if (node->command)
        hr_type_inputs(rd, node);
    if (!c) {
        if (list && node->kind != HR_NODE_COMPONENT)
            hr_bad(rd, list, "node \"%s\": a resolver or importer has no inputs; use \"after\"",
                   node->name);
        return;
    }
    node->inputs =
        hr_arena_array(&rd->p->arena, (list ? hr_json_count(list) : 0) + 1, sizeof *node->inputs);
    for (i = 0; i < n; i++)
        names[i] = c->inputs[i].key;
    for (m = list && node->inputs ? hr_json_first(list) : NULL; m; m = hr_json_next(m)) {
        const struct hr_port_info *port = hr_port_find(c->inputs, c->input_count, hr_json_key(m));

        if (port)
            read_input(rd, node, m, port);
        else
            hr_bad_name(rd, m, names, n, "node \"%s\": component %s has no input \"%s\"",
                        node->name, hr_component_short(c->id), hr_json_key(m));
    }
    for (i = 0; i < c->input_count; i++)
        if (!(c->inputs[i].flags & HR_PORT_OPTIONAL) &&
            !(list && hr_json_get(list, c->inputs[i].key)))
            hr_bad(rd, node->json, "node \"%s\": input \"%s\" of %s (%s) is missing", node->name,
                   c->inputs[i].key, hr_component_short(c->id), c->inputs[i].type);
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
