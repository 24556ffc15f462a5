/* Properties that the file sets on outputs:
 *
 *     "outputs": {"model": {"properties": {"team": "vision", "steps": "${param.steps}"}}}
 *
 * of a command also with "type", where the output is not just the name of one.  What the component
 * sets itself under the same name stands.
 */
#include <string.h>

#include "pipeline/read.h"

/* A declared property has its type; any other may be a number, a truth, a text or JSON. */
static const struct hr_property_info *info_of(struct hr_reader *rd, const struct hr_port_info *port,
                                              const char *name)
{
    const struct hr_property_info *declared =
        port ? hr_property_find(port->properties, port->property_count, name) : NULL;
    struct hr_property_info *custom;

    if (declared)
        return declared;
    if ((custom = hr_arena_get(&rd->p->arena, sizeof *custom)))
        *custom = (struct hr_property_info){ .type = HR_JSON, .key = name };
    else
        rd->bad++;
    return custom;
}

/* What the host itself puts on every artifact. */
static bool is_host_s(const char *name)
{
    return !strncmp(name, "__", 2) || !strcmp(name, "tfx_version") || !strcmp(name, "is_external");
}

void hr_add_extra(struct hr_reader *rd, struct hr_node *node, size_t output,
                  const struct hr_json *m, bool custom)
{
    const char *name = hr_json_key(m);
    struct hr_extra *e = &node->extras[node->extra_count];

    if (!*name || is_host_s(name) || strlen(name) > 255) {
        hr_bad(rd, m, "node \"%s\": an output cannot have the property \"%s\"; names that begin "
                      "with __, tfx_version and is_external are the host's",
               node->name, name);
        return;
    }
    e->output = output;
    e->custom = custom;
    e->source = (struct hr_setting_source){ .info = info_of(rd, custom ? NULL
                                                                : node->outputs[output].port, name),
                                            .value = m,
                                            .place = node->place };
    if (!e->source.info)
        return;
    hr_read_template(rd, &e->source);
    node->extra_count++;
}

static const struct hr_json *properties_of(struct hr_reader *rd, const struct hr_node *node,
                                           const struct hr_json *m)
{
    static const char *const members[] = { "properties", "type" };

    if (hr_json_kind(m) == HR_JSON_OBJECT) {
        hr_check_members(rd, m, members, node->command ? 2 : 1, "an output");
        return hr_want(rd, m, "properties", HR_JSON_OBJECT);
    }
    if (!node->command)
        hr_bad(rd, m,
               "node \"%s\": the outputs of %s are declared by the component; an object with "
               "\"properties\" sets more on one",
               node->name, node->component->id);
    return NULL;
}

static size_t count_all(const struct hr_json *list)
{
    const struct hr_json *m, *p;
    size_t n = 0;

    for (m = hr_json_first(list); m; m = hr_json_next(m)) {
        p = hr_json_get(m, "properties");
        n += p ? hr_json_count(p) : 0;
    }
    return n;
}

void hr_read_extras(struct hr_reader *rd, struct hr_node *node)
{
    const struct hr_json *list = hr_want(rd, node->json, "outputs", HR_JSON_OBJECT), *m, *p;
    const char *names[64];
    size_t n = node->output_count < 64 ? node->output_count : 64, i;

    if (!list)
        return;
    node->extras = hr_arena_array(&rd->p->arena, count_all(list) + 1, sizeof *node->extras);
    if (!node->extras) {
        rd->bad++;
        return;
    }
    for (i = 0; i < n; i++)
        names[i] = node->outputs[i].key;
    for (m = hr_json_first(list); m; m = hr_json_next(m)) {
        for (i = 0; i < node->output_count && strcmp(node->outputs[i].key, hr_json_key(m)); i++)
            ;
        if (i == node->output_count) {
            hr_bad_name(rd, m, names, n, "node \"%s\": there is no output \"%s\"", node->name,
                        hr_json_key(m));
            continue;
        }
        p = properties_of(rd, node, m);
        for (p = p ? hr_json_first(p) : NULL; p; p = hr_json_next(p))
            hr_add_extra(rd, node, i, p, false);
    }
}
