/* Importers: outside artifacts, and the properties that they are to have.
 *
 *     "importer": {"source_uri": "data", "type": "Examples", "reimport": false,
 *                  "properties": {"span": 7, "owner": "${param.owner}"},
 *                  "custom_properties": {"team": "vision"}}
 *
 * As for TFX's Importer.  What the type declares - TFX's standard types, and what components say of
 * their outputs of that type - is declared, of that data type; any other is custom, and so is all
 * of "custom_properties".
 */
#include <string.h>

#include "pipeline/read.h"

enum { MAX_DECLARED = 256 };

/* What is known of the type, as the port of the node's one output. */
static const struct hr_port_info *port_of(struct hr_reader *rd, const char *type)
{
    const struct hr_standard *s = hr_standard_find(type);
    struct hr_port_info *port = hr_arena_get(&rd->p->arena, sizeof *port);
    struct hr_property_info *all = hr_arena_array(&rd->p->arena, MAX_DECLARED, sizeof *all);

    if (!port || !all) {
        rd->bad++;
        return NULL;
    }
    *port = (struct hr_port_info){ .key = "result", .type = type, .properties = all };
    for (; s && port->property_count < s->count; port->property_count++)
        all[port->property_count] = s->properties[port->property_count];
    hr_catalogue_declared(rd->catalogue, rd->p->takes, type, all, MAX_DECLARED,
                          &port->property_count);
    return port;
}

/* One of the type's has the data type that it declares, which is seen when it is computed. */
static void check_value(struct hr_reader *rd, const struct hr_node *node, const struct hr_json *m,
                        bool declared)
{
    enum hr_json_kind kind = hr_json_kind(m);

    if (!declared && kind != HR_JSON_STRING && kind != HR_JSON_NUMBER && kind != HR_JSON_BOOL)
        hr_bad(rd, m,
               "node \"%s\": property \"%s\" wants a string, a number, true or false, and this is "
               "%s",
               node->name, hr_json_key(m), hr_json_kind_text(kind));
}

static void add(struct hr_reader *rd, struct hr_node *node, const struct hr_json *list, bool custom)
{
    const struct hr_port_info *port = node->outputs[0].port;
    const struct hr_json *m;
    size_t i, before = node->extra_count;

    for (m = list ? hr_json_first(list) : NULL; m; m = hr_json_next(m)) {
        bool declared = !custom && hr_property_find(port->properties, port->property_count,
                                                    hr_json_key(m));

        for (i = 0; i < before; i++)
            if (!strcmp(node->extras[i].source.info->key, hr_json_key(m)) && node->extras[i].custom)
                break;
        if (i < before)
            hr_bad(rd, m, "node \"%s\": \"%s\" stands in \"properties\" too, and %s declares none "
                   "of that name; take one of them away",
                   node->name, hr_json_key(m), node->import_type);
        else
            hr_add_extra(rd, node, 0, m, !declared);
        check_value(rd, node, m, declared);
    }
}

static void read_properties(struct hr_reader *rd, struct hr_node *node, const struct hr_json *v)
{
    const struct hr_json *own = hr_want(rd, v, "properties", HR_JSON_OBJECT);
    const struct hr_json *custom = hr_want(rd, v, "custom_properties", HR_JSON_OBJECT);
    size_t n = (own ? hr_json_count(own) : 0) + (custom ? hr_json_count(custom) : 0);

    node->extras = hr_arena_array(&rd->p->arena, n + 1, sizeof *node->extras);
    if (!node->extras) {
        rd->bad++;
        return;
    }
    add(rd, node, own, false);
    add(rd, node, custom, true);
}

void hr_read_importer(struct hr_reader *rd, struct hr_node *node)
{
    static const char *const names[] = { "source_uri", "type", "properties", "custom_properties",
                                         "reimport" };
    static const struct hr_property_info uri = { .type = HR_STRING, .key = "source_uri" };
    const struct hr_json *v = hr_want(rd, node->json, "importer", HR_JSON_OBJECT);
    const struct hr_port_info *port;

    if (!v)
        return;
    hr_check_members(rd, v, names, sizeof names / sizeof names[0], "\"importer\"");
    node->source_uri = (struct hr_setting_source){ .info = &uri, .place = node->place };
    node->source_uri.value = hr_want(rd, v, "source_uri", HR_JSON_STRING);
    node->import_type = hr_want_text(rd, v, "type");
    node->reimport = hr_want_bool(rd, v, "reimport", false);
    if (!node->source_uri.value || !node->import_type || !*node->import_type)
        hr_bad(rd, v, "node \"%s\": an importer wants \"source_uri\" and \"type\"", node->name);
    hr_read_template(rd, &node->source_uri);
    node->outputs = hr_arena_array(&rd->p->arena, 2, sizeof *node->outputs);
    port = port_of(rd, node->import_type ? node->import_type : "");
    if (!node->outputs || !port)
        return;
    node->outputs[0] = (struct hr_node_output){ "result", node->import_type, port };
    node->output_count = 1;
    read_properties(rd, node, v);
}
