#include "plugin/worker/values.h"

#include <string.h>

struct hr_property_value *hr_values_find(const struct hr_values *values, const char *name)
{
    size_t i;

    for (i = 0; i < values->count; i++)
        if (!strcmp(values->items[i].name, name))
            return &values->items[i];
    return NULL;
}

static bool more(struct hr_values *values, struct hr_arena *arena)
{
    size_t cap = values->cap ? values->cap * 2 : 8;
    struct hr_property_value *items;

    if (values->count < values->cap)
        return true;
    if (values->count >= HR_MAX_VALUES || !(items = hr_arena_array(arena, cap, sizeof *items)))
        return false;
    if (values->count)
        memcpy(items, values->items, values->count * sizeof *items);
    values->items = items;
    values->cap = cap;
    return true;
}

hr_status hr_values_set(struct hr_values *values, struct hr_arena *arena,
                        const struct hr_property_value *value)
{
    struct hr_property_value *to = hr_values_find(values, value->name), v = *value;

    if (v.text && !(v.text = hr_arena_text(arena, v.text)))
        return HR_EXHAUSTED;
    if (to) {
        v.name = to->name;
        *to = v;
        return HR_OK;
    }
    if (!(v.name = hr_arena_text(arena, v.name)) || !more(values, arena))
        return HR_EXHAUSTED;
    values->items[values->count++] = v;
    return HR_OK;
}

void hr_values_write(const struct hr_values *values, bool fresh_only, struct hr_json_writer *w)
{
    size_t i;

    hr_json_open_array(w);
    for (i = 0; i < values->count; i++) {
        const struct hr_property_value *v = &values->items[i];

        if (fresh_only && !v->fresh)
            continue;
        hr_json_open_object(w);
        hr_json_put_member_text(w, "name", v->name);
        if (v->type == HR_INT)
            hr_json_put_member_int(w, "int", v->i);
        else if (v->type == HR_FLOAT)
            hr_json_put_member_double(w, "float", v->d);
        else
            hr_json_put_member_text(w, "text", v->text);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
}

hr_status hr_values_read(struct hr_values *values, struct hr_arena *arena,
                         const struct hr_json_doc *doc, const struct hr_json *list)
{
    const struct hr_json *m;
    hr_status r = HR_OK;

    for (m = list ? hr_json_first(list) : NULL; m && r == HR_OK; m = hr_json_next(m)) {
        struct hr_property_value v = { .name = hr_json_text(hr_json_get(m, "name")) };
        const struct hr_json *x;

        if (!v.name)
            return HR_INVALID;
        if ((x = hr_json_get(m, "int"))) {
            v.type = HR_INT;
            hr_json_int(doc, x, &v.i);
        } else if ((x = hr_json_get(m, "float"))) {
            v.type = HR_FLOAT;
            if (!hr_json_double(doc, x, &v.d) && hr_json_text(x)) /* "inf" */
                hr_num_python(hr_json_text(x), strlen(hr_json_text(x)), &v.d);
        } else {
            v.type = HR_STRING;
            v.text = hr_json_text(hr_json_get(m, "text"));
            v.text = v.text ? v.text : "";
        }
        r = hr_values_set(values, arena, &v);
    }
    return r;
}
