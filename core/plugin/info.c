#include "plugin/info.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/take.h"

/* A text that has to be there. */
static const char *need(struct hr_taker *rd, const struct hr_json *object, const char *key)
{
    const char *t = hr_take_text(rd, object, key);
    struct hr_place place = hr_json_place(rd->doc, object);

    if (!t && rd->status == HR_OK)
        rd->status = hr_fail_at(rd->env, HR_INVALID, &place, "the manifest lacks \"%s\"", key);
    return t ? t : "";
}

static struct hr_property_info *properties(struct hr_taker *rd, const struct hr_json *list,
                                           size_t *ret_n)
{
    struct hr_property_info *p = hr_take_array(rd, list, sizeof *p, ret_n);
    const struct hr_json *m;
    size_t i = 0;

    for (m = *ret_n ? hr_json_first(list) : NULL; m; m = hr_json_next(m), i++)
        p[i] = (struct hr_property_info){ .type = (hr_type)hr_take_int(rd, m, "type"),
                                          .key = need(rd, m, "key"),
                                          .default_value = hr_take_text(rd, m, "default"),
                                          .constraint = hr_take_text(rd, m, "constraint"),
                                          .doc = hr_take_text(rd, m, "doc") };
    return p;
}

static struct hr_port_info *ports(struct hr_taker *rd, const struct hr_json *list, size_t *ret_n)
{
    struct hr_port_info *p = hr_take_array(rd, list, sizeof *p, ret_n);
    const struct hr_json *m;
    size_t i = 0;

    for (m = *ret_n ? hr_json_first(list) : NULL; m; m = hr_json_next(m), i++) {
        p[i] = (struct hr_port_info){ .flags = (uint32_t)hr_take_int(rd, m, "flags"),
                                      .key = need(rd, m, "key"),
                                      .type = need(rd, m, "type"),
                                      .doc = hr_take_text(rd, m, "doc") };
        p[i].properties = properties(rd, hr_json_get(m, "properties"), &p[i].property_count);
    }
    return p;
}

static void component(struct hr_taker *rd, const struct hr_json *m, struct hr_component_info *c)
{
    c->flags = (uint32_t)hr_take_int(rd, m, "flags");
    c->id = need(rd, m, "id");
    c->version = need(rd, m, "version");
    c->doc = hr_take_text(rd, m, "doc");
    c->inputs = ports(rd, hr_json_get(m, "inputs"), &c->input_count);
    c->outputs = ports(rd, hr_json_get(m, "outputs"), &c->output_count);
    c->properties = properties(rd, hr_json_get(m, "properties"), &c->property_count);
    c->needs = hr_take_texts(rd, hr_json_get(m, "needs"));
    c->uses = hr_take_texts(rd, hr_json_get(m, "uses"));
    c->offers = hr_take_texts(rd, hr_json_get(m, "offers"));
    c->formats = hr_take_texts(rd, hr_json_get(m, "formats"));
}

hr_status hr_manifest_read(struct hr_env *env, const char *name, const char *source,
                           struct hr_arena *arena, struct hr_plugin_info *ret)
{
    struct hr_plugin_info info = { 0 };
    struct hr_taker rd = { env, arena, NULL, HR_OK };
    struct hr_json_doc *doc;
    const struct hr_json *root, *list, *m;
    size_t i = 0;
    hr_status r = hr_json_parse(env, name, source, strlen(source), 0, &doc);

    if (r < 0)
        return r;
    rd.doc = doc;
    root = hr_json_root(doc);
    if (hr_take_int(&rd, root, "headrace_manifest") != 1)
        rd.status = hr_fail(env, HR_INVALID, "\"%s\" is no manifest of a plugin", name);
    info.id = need(&rd, root, "id");
    info.version = need(&rd, root, "version");
    list = hr_json_get(root, "abi");
    if (list && hr_json_first(list)) {
        hr_json_int(doc, hr_json_first(list), &info.abi_major);
        if (hr_json_next(hr_json_first(list)))
            hr_json_int(doc, hr_json_next(hr_json_first(list)), &info.abi_minor);
    }
    list = hr_json_get(root, "components");
    info.components = hr_take_array(&rd, list, sizeof *info.components, &info.component_count);
    for (m = info.component_count ? hr_json_first(list) : NULL; m && rd.status == HR_OK;
         m = hr_json_next(m), i++)
        component(&rd, m, &info.components[i]);
    info.manifest = hr_arena_text(arena, source);
    hr_json_free(doc);
    if (rd.status == HR_OK && !info.manifest)
        return HR_EXHAUSTED;
    if (rd.status == HR_OK)
        *ret = info;
    return rd.status;
}

const struct hr_port_info *hr_port_find(const struct hr_port_info *list, size_t n, const char *key)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!strcmp(list[i].key, key))
            return &list[i];
    return NULL;
}

const struct hr_property_info *hr_property_find(const struct hr_property_info *list, size_t n,
                                                const char *key)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!strcmp(list[i].key, key))
            return &list[i];
    return NULL;
}

bool hr_component_offers(const struct hr_component_info *c, const char *id)
{
    const char **p;

    for (p = c->offers; *p; p++)
        if (!strcmp(*p, id))
            return true;
    return false;
}

const char *hr_component_short(const char *id)
{
    const char *dot = strrchr(id, '.');

    return dot ? dot + 1 : id;
}

const char *hr_type_text(hr_type type)
{
    switch (type) {
    case HR_INT:
        return "int";
    case HR_FLOAT:
        return "float";
    case HR_STRING:
        return "string";
    case HR_BOOL:
        return "bool";
    case HR_JSON:
        return "json";
    case HR_PATH_READ:
    case HR_PATH_WRITE:
        return "path";
    default:
        return "?";
    }
}

static bool in_range(const char *constraint, const char *dots, const char *value)
{
    double v, bound;

    if (!hr_num_double(value, strlen(value), &v))
        return false;
    if (dots > constraint &&
        (!hr_num_double(constraint, (size_t)(dots - constraint), &bound) || v < bound))
        return false;
    dots += 2;
    return !*dots || (hr_num_double(dots, strlen(dots), &bound) && v <= bound);
}

bool hr_constraint_holds(const char *constraint, hr_type type, const char *value)
{
    const char *dots = constraint ? strstr(constraint, "..") : NULL;
    const char *p, *bar;
    size_t n = strlen(value);

    if (!constraint || !*constraint)
        return true;
    if (dots && (type == HR_INT || type == HR_FLOAT))
        return in_range(constraint, dots, value);
    for (p = constraint; p; p = bar ? bar + 1 : NULL) {
        size_t len;

        bar = strchr(p, '|');
        len = bar ? (size_t)(bar - p) : strlen(p);
        if (len == n && !memcmp(p, value, n))
            return true;
    }
    return false;
}
