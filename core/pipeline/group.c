/* Sub-pipelines: a node with "pipeline" stands for the nodes of a body, which is written in its
 * place or in a file of its own. */
#include <string.h>

#include "pipeline/read.h"

const char *hr_full_name(struct hr_reader *rd, const char *local)
{
    const char *name = local;

    if (rd->group != (size_t)HR_NO_GROUP)
        name = hr_arena_format(&rd->p->arena, "%s.%s", rd->p->groups[rd->group].face.name, local);
    if (!name)
        rd->bad++;
    return name ? name : local;
}

static size_t depth_of(const struct hr_pipeline *p, size_t group)
{
    size_t n = 0;

    for (; group != (size_t)HR_NO_GROUP; group = p->groups[group].face.group)
        n++;
    return n;
}

static bool find_body(struct hr_reader *rd, const struct hr_json *m, struct hr_group *g)
{
    static const char *const members[] = { "nodes",   "inputs", "outputs",    "doc",
                                           "headrace", "name",   "parameters" };
    const struct hr_json *v = hr_json_get(m, "pipeline");
    struct hr_pipeline_source *source;

    g->body = v;
    g->body_doc = rd->doc;
    if (hr_json_text(v)) {
        if (hr_read_part(rd, hr_json_text(v), &source) < 0) {
            hr_bad(rd, v, "node \"%s\": cannot read the sub-pipeline \"%s\"", g->face.name,
                   hr_json_text(v));
            return false;
        }
        g->body = hr_json_root(source->doc);
        g->body_doc = rd->doc = source->doc;
        rd->dir = source->dir;
        rd->file = source->file;
    }
    if (hr_json_kind(g->body) != HR_JSON_OBJECT) {
        hr_bad(rd, g->body, "node \"%s\": \"pipeline\" wants an object or the name of a file",
               g->face.name);
        return false;
    }
    hr_check_members(rd, g->body, members, g->body == v ? 4 : 7, "a sub-pipeline");
    return true;
}

static void read_face(struct hr_reader *rd, const struct hr_json *m, struct hr_node *face)
{
    static const char *const members[] = { "pipeline", "inputs",  "after",   "if",     "for_each",
                                           "doc",      "cache",   "retries", "timeout", "memory",
                                           "isolation" };

    hr_begin_node(rd, m, face);
    hr_check_members(rd, m, members, sizeof members / sizeof members[0],
                     "a node with \"pipeline\"");
    hr_read_usual(rd, m, face);
    hr_read_control(rd, face);
}

static void read_body(struct hr_reader *rd, const struct hr_group *g)
{
    const struct hr_json *v = hr_want(rd, g->body, "parameters", HR_JSON_OBJECT);

    if (v)
        hr_read_params(rd, v);
    if ((v = hr_want(rd, g->body, "nodes", HR_JSON_OBJECT)) && hr_json_count(v))
        hr_read_nodes(rd, v);
    else
        hr_bad(rd, g->body, "sub-pipeline \"%s\" has no nodes", g->face.name);
}

void hr_read_group(struct hr_reader *rd, const struct hr_json *m)
{
    struct hr_reader saved = *rd;
    struct hr_group *g;

    if (rd->p->group_count == HR_MAX_GROUPS || depth_of(rd->p, rd->group) == HR_MAX_GROUP_DEPTH) {
        hr_bad(rd, m, "more than %d sub-pipelines, or deeper than %d within each other",
               HR_MAX_GROUPS, HR_MAX_GROUP_DEPTH);
        return;
    }
    g = &rd->p->groups[rd->p->group_count++];
    read_face(rd, m, &g->face);
    rd->usual = g->face; /* what it says of cache and limits holds for its nodes */
    rd->usual.note = NULL;
    rd->usual.json = NULL;
    rd->usual.condition = (struct hr_setting_source){ 0 };
    rd->usual.each = NULL;
    if (find_body(rd, m, g)) {
        rd->group = (size_t)(g - rd->p->groups);
        read_body(rd, g);
    }
    saved.bad = rd->bad;
    *rd = saved;
}

size_t hr_node_loop(const struct hr_node *node, const char *as)
{
    size_t i;

    for (i = 0; i < node->loop_count; i++)
        if (!strcmp(node->loops[i]->each->as, as))
            return i;
    return SIZE_MAX;
}

/* The innermost comes first here. */
void hr_inherit(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_pipeline *p = rd->p;
    const struct hr_node *found[HR_MAX_GROUP_DEPTH + 1], *of = node;
    size_t n = 0, g = node->group, i;

    for (;; of = &p->groups[g].face, g = of->group) {
        if (of->each)
            found[n++] = of;
        if (g == (size_t)HR_NO_GROUP)
            break;
    }
    node->loops = hr_arena_array(&rd->p->arena, n + 1, sizeof *node->loops);
    if (!node->loops) {
        rd->bad++;
        return;
    }
    for (i = n; i; i--) {
        if (hr_node_loop(node, found[i - 1]->each->as) != SIZE_MAX || n > HR_MAX_LOOPS) {
            hr_fail_at(rd->env, HR_INVALID, &node->place,
                       n > HR_MAX_LOOPS
                           ? "node \"%s\": \"for_each\" stands deeper than four in each other (%s)"
                           : "node \"%s\": two \"for_each\" around it call their element \"%s\"; "
                             "name one of them otherwise, with \"as\"",
                       node->name, found[i - 1]->each->as);
            rd->bad++;
            return;
        }
        node->loops[node->loop_count++] = found[i - 1];
    }
}

static hr_status ignore(void *user, const struct hr_found *found)
{
    (void)user;
    (void)found;
    return HR_OK;
}

/* What the body gives is there, whether somebody takes it or not. */
static void check_outputs(struct hr_reader *rd, const struct hr_group *g)
{
    const struct hr_json *outputs = hr_json_get(g->body, "outputs"), *m, *c;
    struct hr_lookup look = { .who = &g->face, .any = true, .found = ignore };
    bool list;

    rd->doc = (struct hr_json_doc *)(uintptr_t)g->body_doc;
    if (outputs && hr_json_kind(outputs) != HR_JSON_OBJECT) {
        hr_bad(rd, outputs, "sub-pipeline \"%s\": \"outputs\" wants an object, as {\"model\": "
               "\"trainer.model\"}", g->face.name);
        return;
    }
    for (m = outputs ? hr_json_first(outputs) : NULL; m; m = hr_json_next(m)) {
        list = hr_json_kind(m) == HR_JSON_ARRAY;
        for (c = list ? hr_json_first(m) : m; c; c = list ? hr_json_next(c) : NULL) {
            look.at = c;
            if (hr_json_text(c))
                hr_look_up(rd, &look, (size_t)(g - rd->p->groups), hr_json_text(c));
            else
                hr_bad(rd, c, "sub-pipeline \"%s\": the output \"%s\" wants \"node.output\"",
                       g->face.name, hr_json_key(m));
        }
    }
}

/* Keys by which channels are asked for. */
static void check_keys(struct hr_reader *rd, const struct hr_group *g, const char *list)
{
    const struct hr_json *m = hr_json_first(hr_json_get(g->body, list));

    rd->doc = (struct hr_json_doc *)(uintptr_t)g->body_doc;
    for (; m; m = hr_json_next(m))
        if (hr_json_key(m) && !hr_dots_ok(hr_json_key(m)))
            hr_bad_name(rd, m, NULL, 0, "sub-pipeline \"%s\": \"%s\" is no name for one of its %s",
                        g->face.name, hr_json_key(m), list);
}

/* What the body wants is given, and nothing else. */
void hr_check_group(struct hr_reader *rd, struct hr_group *g)
{
    const struct hr_json *wanted = hr_json_get(g->body, "inputs"), *m;
    const struct hr_json *given = hr_json_get(g->face.json, "inputs");

    check_keys(rd, g, "inputs");
    check_keys(rd, g, "outputs");
    rd->doc = (struct hr_json_doc *)(uintptr_t)g->face.doc;
    for (m = wanted && hr_json_kind(wanted) == HR_JSON_OBJECT ? hr_json_first(wanted) : NULL; m;
         m = hr_json_next(m))
        if (!given || !hr_json_get(given, hr_json_key(m)))
            hr_bad(rd, g->face.json, "sub-pipeline \"%s\" wants the input \"%s\"", g->face.name,
                   hr_json_key(m));
    for (m = given && hr_json_kind(given) == HR_JSON_OBJECT ? hr_json_first(given) : NULL; m;
         m = hr_json_next(m))
        if (!wanted || !hr_json_get(wanted, hr_json_key(m)))
            hr_bad(rd, m, "sub-pipeline \"%s\" has no input \"%s\"", g->face.name, hr_json_key(m));
    hr_check_ignored(rd, g->face.json, (size_t)(g - rd->p->groups));
    check_outputs(rd, g);
}
