#include "run/types.h"

#include <string.h>

#include "pipeline/pipeline.h"

static const struct {
    const char *name, *base;
} bases[] = {
    { "Trainer", "mlmd.Train" },         { "Transform", "mlmd.Transform" },
    { "Evaluator", "mlmd.Evaluate" },    { "Pusher", "mlmd.Deploy" },
    { "StatisticsGen", "mlmd.Process" }, { "SchemaGen", "mlmd.Process" },
};

enum { MAX_DECLARED = 256 };

static enum hr_value_kind kind_of(hr_type type)
{
    switch (type) {
    case HR_INT:
        return HR_VALUE_INT;
    case HR_BOOL:
        return HR_VALUE_BOOL;
    case HR_FLOAT:
        return HR_VALUE_DOUBLE;
    case HR_JSON:
        return HR_VALUE_STRUCT;
    default:
        return HR_VALUE_STRING;
    }
}

static size_t add(const struct hr_property_info *list, size_t count,
                  struct hr_meta_type_property *to, size_t n)
{
    size_t i, k;

    for (i = 0; i < count && n < MAX_DECLARED; i++) {
        for (k = 0; k < n && strcmp(to[k].name, list[i].key) != 0; k++)
            ;
        if (k == n)
            to[n++] = (struct hr_meta_type_property){ list[i].key, kind_of(list[i].type) };
    }
    return n;
}

hr_status hr_put_artifact_type(struct hr_store *store, const char *name,
                               const struct hr_port_info *port, int64_t *ret_id)
{
    struct hr_meta_type_property properties[MAX_DECLARED];
    const struct hr_standard *s = hr_standard_find(name);
    size_t n = s ? add(s->properties, s->count, properties, 0) : 0;
    struct hr_meta_type type = { .kind = HR_KIND_ARTIFACT,
                                 .name = name,
                                 .base = s ? s->base : NULL,
                                 .properties = properties,
                                 .count = port ? add(port->properties, port->property_count,
                                                     properties, n)
                                               : n };

    return hr_store_put_type(store, &type, ret_id);
}

const char *hr_execution_base(const char *component)
{
    const char *name = hr_component_short(component);
    size_t i;

    for (i = 0; i < sizeof bases / sizeof bases[0]; i++)
        if (!strcmp(bases[i].name, name))
            return bases[i].base;
    return NULL;
}

int hr_declared_kind(const char *type, const struct hr_port_info *port, const char *property)
{
    const struct hr_standard *s = hr_standard_find(type);
    size_t i;

    for (i = 0; port && i < port->property_count; i++)
        if (!strcmp(port->properties[i].key, property))
            return (int)kind_of(port->properties[i].type);
    return s && s->count && !strcmp(property, "split_names") ? HR_VALUE_STRING : 0;
}

bool hr_custom_is_struct(const char *type, const char *property)
{
    static const struct {
        const char *type, *property;
    } rows[] = { { "ExampleAnomalies", "blessed" },
                 { "ExampleStatistics", "sample_rate_by_split" } };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i].type, type) && !strcmp(rows[i].property, property))
            return true;
    return false;
}
