/* Nodes of each kind: component, resolver, importer. */
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
    for (i = 0; node->outputs && i < node->output_count; i++)
        node->outputs[i] = (struct hr_node_output){ node->component->outputs[i].key,
                                                    node->component->outputs[i].type,
                                                    &node->component->outputs[i] };
    if ((v = hr_json_get(node->json, "outputs")))
        hr_bad(rd, v, "node \"%s\": the outputs of %s are declared by the component", node->name,
               node->component->id);
}

/* -- resolvers ------------------------------------------------------------- */

static const char *const strategies[] = { "latest_artifacts", "latest_blessed_model" };

static void read_strategies(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *v = hr_json_get(node->json, "resolver");
    struct hr_place place = hr_json_place(rd->doc, v);
    const char **s;

    node->strategies = hr_want_texts(rd, node->json, "resolver");
    for (s = node->strategies; s && *s; s++)
        if (strcmp(*s, strategies[0]) != 0 && strcmp(*s, strategies[1]) != 0) {
            hr_fail_meant(rd->env, HR_INVALID, &place, hr_text_meant(*s, strategies, 2),
                          "node \"%s\": there is no resolver strategy \"%s\"", node->name, *s);
            rd->bad++;
        }
}

void hr_read_resolver(struct hr_reader *rd, struct hr_node *node)
{
    static const char *const names[] = { "desired_num_of_artifacts" };
    const struct hr_json *list = hr_want(rd, node->json, "outputs", HR_JSON_OBJECT), *m;
    const struct hr_json *config = hr_want(rd, node->json, "config", HR_JSON_OBJECT), *n;

    read_strategies(rd, node);
    node->wanted = 1;
    if (config) {
        hr_check_members(rd, config, names, 1, "\"config\"");
        n = hr_json_get(config, names[0]);
        if (n && (!hr_json_int(rd->doc, n, &node->wanted) || node->wanted < 1))
            hr_bad(rd, n, "\"%s\" wants an int from 1 on", names[0]);
    }
    if (!list) {
        hr_bad(rd, node->json,
               "node \"%s\": a resolver wants \"outputs\", as {\"model\": "
               "\"Model\"}",
               node->name);
        return;
    }
    node->outputs = hr_arena_array(&rd->p->arena, hr_json_count(list) + 1, sizeof *node->outputs);
    for (m = node->outputs ? hr_json_first(list) : NULL; m; m = hr_json_next(m)) {
        if (hr_json_text(m))
            node->outputs[node->output_count++] =
                (struct hr_node_output){ hr_json_key(m), hr_json_text(m), NULL };
        else
            hr_bad(rd, m, "an output wants the name of an artifact type");
    }
}

/* -- importers ------------------------------------------------------------- */

void hr_read_importer(struct hr_reader *rd, struct hr_node *node)
{
    static const char *const names[] = { "source_uri", "type", "properties", "reimport" };
    static const struct hr_property_info uri = { .type = HR_STRING, .key = "source_uri" };
    const struct hr_json *v = hr_want(rd, node->json, "importer", HR_JSON_OBJECT);

    if (!v)
        return;
    hr_check_members(rd, v, names, sizeof names / sizeof names[0], "\"importer\"");
    node->source_uri = (struct hr_setting_source){ .info = &uri, .place = node->place };
    node->source_uri.value = hr_want(rd, v, "source_uri", HR_JSON_STRING);
    node->import_type = hr_want_text(rd, v, "type");
    node->import_properties = hr_want(rd, v, "properties", HR_JSON_OBJECT);
    node->reimport = hr_want_bool(rd, v, "reimport", false);
    if (!node->source_uri.value || !node->import_type)
        hr_bad(rd, v, "node \"%s\": an importer wants \"source_uri\" and \"type\"", node->name);
    hr_read_template(rd, &node->source_uri);
    node->outputs = hr_arena_array(&rd->p->arena, 2, sizeof *node->outputs);
    if (node->outputs) {
        node->outputs[0] = (struct hr_node_output){ "result", node->import_type, NULL };
        node->output_count = 1;
    }
}
