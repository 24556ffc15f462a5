/* What decides whether, how often and when a node runs: "if", "for_each", "finally". */
#include <string.h>

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
    struct hr_node *node;       /* that reads */
    const struct hr_node *face; /* whose expression it is: its own, or of a group around it */
    const struct hr_setting_source *source;
    const char *text; /* "evaluator.blessing.property.blessed" */
};

static hr_status add_read(void *user, const struct hr_found *found)
{
    struct reads *s = user;
    struct hr_node *node = s->node;
    struct hr_arena *arena = &s->rd->p->arena;
    const char *key = hr_arena_format(arena, "_%s.%s", s->rd->p->nodes[found->node].name,
                                      found->output->key);
    const char *alias = hr_arena_bytes(arena, s->text, found->used);
    struct hr_input *all = hr_arena_array(arena, node->read_count + 1, sizeof *all);
    size_t i;

    if (!key || !alias || !all)
        return HR_EXHAUSTED;
    for (i = 0; i < node->read_count; i++)
        if (!strcmp(node->reads[i].key, key) && node->reads[i].space == s->face->group &&
            !strcmp(node->reads[i].alias, alias))
            return HR_OK;
    if (node->read_count)
        memcpy(all, node->reads, node->read_count * sizeof *all);
    all[node->read_count] = (struct hr_input){
        .key = key, .space = s->face->group, .alias = alias, .place = s->source->place
    };
    if (!(all[node->read_count].channels = hr_arena_get(arena, sizeof *all->channels)))
        return HR_EXHAUSTED;
    all[node->read_count].channels[0] =
        (struct hr_channel_ref){ found->node, found->output->key, NULL, found->pick };
    all[node->read_count++].channel_count = 1;
    node->reads = all;
    return hr_add_upstream(s->rd, node, found->node) ? HR_OK : HR_EXHAUSTED;
}

static hr_status visit(void *user, const char *name)
{
    struct reads *s = user;
    struct hr_lookup look = { .at = s->source->value,
                              .who = s->face,
                              .members = true,
                              .found = add_read,
                              .user = s };
    const char *dot = strncmp(name, "nodes.", 6) ? NULL : strchr(name + 6, '.');

    if (strncmp(name, "nodes.", 6) != 0)
        return HR_OK;
    s->text = name + 6;
    if (!dot)
        hr_bad(s->rd, s->source->value, "node \"%s\": %s: name an output too, as nodes.NODE.OUTPUT",
               s->face->name, name);
    else
        hr_look_up(s->rd, &look, s->face->group, s->text);
    return HR_OK;
}

static void read_of(struct reads *s, const struct hr_setting_source *source)
{
    s->source = source;
    if (source->expr && hr_template_names(source->expr, visit, s) < 0)
        s->rd->bad++;
}

void hr_read_reads(struct hr_reader *rd, struct hr_node *node)
{
    struct reads s = { .rd = rd, .node = node, .face = node };
    struct hr_json_doc *doc = rd->doc;
    size_t g = node->group;

    for (;;) {
        rd->doc = (struct hr_json_doc *)(uintptr_t)s.face->doc;
        read_of(&s, &s.face->condition);
        if (s.face->each)
            read_of(&s, &s.face->each->in);
        if (g == (size_t)HR_NO_GROUP)
            break;
        s.face = &rd->p->groups[g].face;
        g = s.face->group;
    }
    rd->doc = doc;
}
