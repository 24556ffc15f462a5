/* Components and resolvers as nodes. */
#include <string.h>

#include "pipeline/read.h"

void hr_read_template(struct hr_reader *rd, struct hr_setting_source *s)
{
    const char *text = s->value ? hr_json_text(s->value) : NULL;

    if (!s->value)
        return;
    s->place = hr_json_place(rd->doc, s->value);
    if (text && hr_template_needed(text) &&
        hr_template_parse(rd->env, &s->place, text, &rd->p->arena, &s->expr) < 0)
        rd->bad++;
}

/* -- components ------------------------------------------------------------ */

static hr_status is_output(void *user, const char *name)
{
    bool *found = user;

    *found = *found || !strncmp(name, "output.", 7);
    return HR_OK;
}

/* The walls and the cache key know paths before there is an output. */
static void check_path(struct hr_reader *rd, const struct hr_node *node,
                       const struct hr_setting_source *s)
{
    bool found = false;

    if (!s->expr || (s->info->type != HR_PATH_READ && s->info->type != HR_PATH_WRITE))
        return;
    hr_template_names(s->expr, is_output, &found);
    if (found)
        hr_bad(rd, s->value, "node \"%s\": property \"%s\" is a path, and an output cannot be one",
               node->name, s->info->key);
}

static void read_properties(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_component_info *c = node->component;
    const struct hr_json *list = hr_want(rd, node->json, "properties", HR_JSON_OBJECT), *m;
    const char **names = hr_arena_array(&rd->p->arena, c->property_count + 1, sizeof *names);
    size_t i;

    node->settings = hr_arena_array(&rd->p->arena, c->property_count + 1, sizeof *node->settings);
    if (!names || !node->settings) {
        rd->bad++;
        return;
    }
    for (i = 0; i < c->property_count; i++) {
        struct hr_setting_source *s = &node->settings[node->setting_count++];

        names[i] = c->properties[i].key;
        *s = (struct hr_setting_source){ .info = &c->properties[i], .place = node->place };
        s->value = list ? hr_json_get(list, names[i]) : NULL;
        hr_read_template(rd, s);
        check_path(rd, node, s);
        if (!s->value && !s->info->default_value)
            hr_bad(rd, node->json, "node \"%s\": property \"%s\" of %s is missing", node->name,
                   names[i], hr_component_short(c->id));
    }
    for (m = list ? hr_json_first(list) : NULL; m; m = hr_json_next(m))
        if (!hr_property_find(c->properties, c->property_count, hr_json_key(m)))
            hr_bad_name(rd, m, names, c->property_count,
                        "node \"%s\": component %s has no property \"%s\"", node->name,
                        hr_component_short(c->id), hr_json_key(m));
}

static void read_needs(struct hr_reader *rd, struct hr_node *node)
{
    static const char *const offered[] = { HR_RUN,      HR_LOG,        HR_PROGRESS, HR_TABLE,
                                           "hr.flow/1", "hr.models/1", "hr.emit/1" };
    const char **need;
    size_t i;

    for (need = node->component->needs; *need; need++) {
        for (i = 0; i < sizeof offered / sizeof offered[0] && strcmp(offered[i], *need) != 0; i++)
            ;
        if (i == sizeof offered / sizeof offered[0])
            hr_bad(rd, node->json,
                   "node \"%s\": plugin %s %s: component %s needs %s, which this host (headrace %s)"
                   " does not offer; upgrade headrace",
                   node->name, node->component->plugin->id, node->component->plugin->version,
                   node->component->id, *need, HR_VERSION_TEXT);
    }
}

void hr_read_component(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *v = hr_want(rd, node->json, "component", HR_JSON_STRING);
    struct hr_place place;
    size_t i;

    if (!v)
        return;
    place = hr_json_place(rd->doc, v);
    node->component = hr_catalogue_component(rd->catalogue, rd->p->takes, &place,
                                             hr_json_text(v));
    if (!node->component) {
        rd->bad++;
        return;
    }
    read_needs(rd, node);
    read_properties(rd, node);
    node->output_count = node->component->output_count;
    node->outputs = hr_arena_array(&rd->p->arena, node->output_count + 1, sizeof *node->outputs);
    if (!node->outputs) {
        node->output_count = 0; /* others look through them before the file is given up */
        rd->bad++;
        return;
    }
    for (i = 0; i < node->output_count; i++)
        node->outputs[i] = (struct hr_node_output){ node->component->outputs[i].key,
                                                    node->component->outputs[i].type,
                                                    &node->component->outputs[i] };
    hr_read_extras(rd, node);
}

/* -- resolvers ------------------------------------------------------------- */

enum { MEMBERS = 4 }; /* of one strategy, at most */

/* Which member of "config" a strategy reads; NULL: none.  "!": it must be there. */
static const struct {
    const char *name, *members[MEMBERS];
} strategies[] = {
    { "latest_artifacts", { "desired_num_of_artifacts" } },
    { "latest_created", { "desired_num_of_artifacts" } },
    { "latest_blessed_model", { NULL } },
    { "latest_policy_model", { "!policy" } },
    { "latest_pipeline_run_outputs", { "pipeline" } },
    { "filter_property_equal", { "!key", "!value" } },
    { "filter_custom_property_equal", { "!key", "!value" } },
    { "slice", { "start", "stop", "step", "min_count" } },
    { "pick", { "!index" } },
    { "shuffle", { "seed" } },
};
enum { STRATEGIES = sizeof strategies / sizeof strategies[0] };

static bool reads(const char **used, const char *member)
{
    size_t i, k;

    for (; *used; used++)
        for (i = 0; i < STRATEGIES; i++)
            for (k = 0; !strcmp(strategies[i].name, *used) && k < MEMBERS &&
                        strategies[i].members[k];
                 k++)
                if (!strcmp(strategies[i].members[k] + (*strategies[i].members[k] == '!'), member))
                    return true;
    return false;
}

static void check_strategy(struct hr_reader *rd, const struct hr_node *node, const char *name,
                           const struct hr_json *config)
{
    struct hr_place place = hr_json_place(rd->doc, hr_json_get(node->json, "resolver"));
    const char *names[STRATEGIES];
    size_t i, k;

    for (i = 0; i < STRATEGIES; i++) {
        names[i] = strategies[i].name;
        if (strcmp(names[i], name) != 0)
            continue;
        for (k = 0; k < MEMBERS && strategies[i].members[k]; k++)
            if (*strategies[i].members[k] == '!' &&
                !hr_json_get(config, strategies[i].members[k] + 1))
                hr_bad(rd, config ? config : node->json,
                       "node \"%s\": %s wants \"%s\" in \"config\"", node->name, name,
                       strategies[i].members[k] + 1);
        return;
    }
    rd->bad++;
    if (!strcmp(name, "sliding_window")) {
        hr_fail_at(rd->env, HR_INVALID, &place,
                   "node \"%s\": sliding_window makes lists of a list, so it stands in a "
                   "\"for_each\": {\"in\": \"${ sliding_window(nodes.%s.OUTPUT, 2) }\"}",
                   node->name, node->local);
        return;
    }
    hr_fail_meant(rd->env, HR_INVALID, &place, hr_text_meant(name, names, STRATEGIES),
                  "node \"%s\": there is no resolver strategy \"%s\"", node->name, name);
}

static void read_int(struct hr_reader *rd, const struct hr_json *config, const char *key,
                     int64_t least, int64_t *to)
{
    const struct hr_json *v = hr_json_get(config, key);

    if (!v || (hr_json_int(rd->doc, v, to) && *to >= least))
        return;
    if (least == INT64_MIN)
        hr_bad(rd, v, "\"%s\" wants an int", key);
    else
        hr_bad(rd, v, "\"%s\" wants an int from %lld on", key, (long long)least);
}

static void read_slice(struct hr_reader *rd, const struct hr_json *config, struct hr_resolver *to)
{
    read_int(rd, config, "start", INT64_MIN, &to->start);
    read_int(rd, config, "stop", INT64_MIN, &to->stop);
    read_int(rd, config, "step", INT64_MIN, &to->step);
    read_int(rd, config, "min_count", 0, &to->min_count);
    to->has_start = hr_json_get(config, "start") != NULL;
    to->has_stop = hr_json_get(config, "stop") != NULL;
    if (!to->step)
        hr_bad(rd, hr_json_get(config, "step"), "\"step\" wants an int that is not 0");
}

static void check_policy(struct hr_reader *rd, const struct hr_json *config, const char *policy)
{
    static const char *const names[] = { "latest_exported", "latest_evaluator_blessed",
                                         "latest_infra_validator_blessed", "latest_blessed",
                                         "latest_pushed" };
    struct hr_place place;
    size_t i;

    for (i = 0; policy && i < 5; i++)
        if (!strcmp(names[i], policy))
            return;
    if (!policy)
        return;
    place = hr_json_place(rd->doc, hr_json_get(config, "policy"));
    hr_fail_meant(rd->env, HR_INVALID, &place, hr_text_meant(policy, names, 5),
                  "there is no policy \"%s\"; they are latest_exported, latest_evaluator_blessed, "
                  "latest_infra_validator_blessed, latest_blessed and latest_pushed",
                  policy);
    rd->bad++;
}

static void read_config(struct hr_reader *rd, struct hr_node *node, const struct hr_json *config)
{
    struct hr_resolver *to = node->resolver;
    const struct hr_json *m, *v = hr_json_get(config, "value");

    for (m = hr_json_first(config); m; m = hr_json_next(m))
        if (!reads(to->strategies, hr_json_key(m)))
            hr_bad(rd, m, "node \"%s\": none of its strategies has \"%s\" in \"config\"",
                   node->name, hr_json_key(m));
    read_int(rd, config, "desired_num_of_artifacts", 1, &to->wanted);
    read_slice(rd, config, to);
    read_int(rd, config, "index", INT64_MIN, &to->index);
    read_int(rd, config, "seed", INT64_MIN, &to->seed);
    to->key = hr_want_text(rd, config, "key");
    to->pipeline = hr_want_text(rd, config, "pipeline");
    to->policy = hr_want_text(rd, config, "policy");
    check_policy(rd, config, to->policy);
    if (v && (hr_term_of_json(rd->doc, v, &rd->p->arena, &to->value) < 0 ||
              to->value.kind == HR_TERM_LIST || to->value.kind == HR_TERM_JSON ||
              to->value.kind == HR_TERM_NULL))
        hr_bad(rd, v, "\"value\" wants a number, a truth or a text");
}

static void read_strategies(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *config = hr_want(rd, node->json, "config", HR_JSON_OBJECT);
    const char **s;

    if (!(node->resolver = hr_arena_get(&rd->p->arena, sizeof *node->resolver)) ||
        !(node->resolver->strategies = hr_want_texts(rd, node->json, "resolver"))) {
        rd->bad++;
        return;
    }
    node->resolver->wanted = node->resolver->step = 1;
    if (!node->resolver->strategies[0])
        hr_bad(rd, hr_json_get(node->json, "resolver"),
               "node \"%s\": \"resolver\" wants a strategy", node->name);
    for (s = node->resolver->strategies; *s; s++)
        check_strategy(rd, node, *s, config);
    if (config)
        read_config(rd, node, config);
}

void hr_read_resolver(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *list = hr_want(rd, node->json, "outputs", HR_JSON_OBJECT), *m;

    read_strategies(rd, node);
    if (!list || !hr_json_count(list)) {
        hr_bad(rd, list ? list : node->json,
               "node \"%s\": a resolver wants \"outputs\", as {\"model\": "
               "\"Model\"}",
               node->name);
        return;
    }
    node->outputs = hr_arena_array(&rd->p->arena, hr_json_count(list) + 1, sizeof *node->outputs);
    for (m = node->outputs ? hr_json_first(list) : NULL; m; m = hr_json_next(m)) {
        if (!hr_dots_ok(hr_json_key(m)))
            hr_bad_name(rd, m, NULL, 0, "node \"%s\": \"%s\" is no name for an output", node->name,
                        hr_json_key(m));
        if (hr_json_text(m) && *hr_json_text(m))
            node->outputs[node->output_count++] =
                (struct hr_node_output){ hr_json_key(m), hr_json_text(m), NULL };
        else
            hr_bad(rd, m, "an output wants the name of an artifact type");
    }
}
