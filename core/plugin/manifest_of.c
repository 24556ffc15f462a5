/* The description is data of a plugin, so it is believed in nothing: no pointer is followed
 * that a rule of the ABI does not promise, lists have a limit, and members that an older
 * plugin lacks are not read. */
#include "plugin/manifest_of.h"

#include <string.h>

enum { MAX_LIST = 4096 };

struct maker {
    struct hr_json_writer w;
    const char *wrong; /* the first broken rule */
};

static void wrong(struct maker *m, const char *text)
{
    if (!m->wrong)
        m->wrong = text;
}

static void text(struct maker *m, const char *key, const char *value)
{
    if (!value)
        return;
    if (hr_utf8_valid(value, strlen(value)) < strlen(value))
        wrong(m, "a text of the description is not UTF-8");
    hr_json_put_member_text(&m->w, key, value);
}

static void needed(struct maker *m, const char *key, const char *value)
{
    if (!value || !*value)
        wrong(m, "an id, key, type or version of the description is missing");
    text(m, key, value);
}

static void put_property(struct maker *m, const hr_property *p)
{
    hr_json_open_object(&m->w);
    needed(m, "key", p->key);
    if (p->type < HR_INT || p->type > HR_PATH_WRITE)
        wrong(m, "a property has an unknown type");
    hr_json_put_member_int(&m->w, "type", p->type);
    text(m, "default", p->default_value);
    text(m, "constraint", p->constraint);
    if (HR_HAS(p, doc))
        text(m, "doc", p->doc);
    hr_json_close_object(&m->w);
}

static void put_properties(struct maker *m, const hr_property *const *list)
{
    size_t i;

    hr_json_put_key(&m->w, "properties");
    hr_json_open_array(&m->w);
    for (i = 0; list && list[i] && i < MAX_LIST; i++)
        put_property(m, list[i]);
    hr_json_close_array(&m->w);
}

static void put_ports(struct maker *m, const char *key, const hr_port *const *list)
{
    size_t i;

    hr_json_put_key(&m->w, key);
    hr_json_open_array(&m->w);
    for (i = 0; list && list[i] && i < MAX_LIST; i++) {
        hr_json_open_object(&m->w);
        needed(m, "key", list[i]->key);
        needed(m, "type", list[i]->artifact_type);
        text(m, "doc", list[i]->doc);
        hr_json_put_member_int(&m->w, "flags", list[i]->flags);
        put_properties(m, HR_HAS(list[i], properties) ? list[i]->properties : NULL);
        hr_json_close_object(&m->w);
    }
    hr_json_close_array(&m->w);
}

static void put_texts(struct maker *m, const char *key, const char *const *list)
{
    size_t i;

    hr_json_put_key(&m->w, key);
    hr_json_open_array(&m->w);
    for (i = 0; list && list[i] && i < MAX_LIST; i++)
        hr_json_put_text(&m->w, list[i]);
    hr_json_close_array(&m->w);
}

static void put_offers(struct maker *m, const hr_component *c)
{
    const hr_offer *const *list = HR_HAS(c, offers) ? c->offers : NULL;
    bool executor = false;
    size_t i;

    hr_json_put_key(&m->w, "offers");
    hr_json_open_array(&m->w);
    for (i = 0; list && list[i] && i < MAX_LIST; i++) {
        if (!list[i]->id || !list[i]->table)
            wrong(m, "an offer lacks its id or table");
        hr_json_put_text(&m->w, list[i]->id);
        executor = executor || (list[i]->id && !strcmp(list[i]->id, HR_EXECUTOR));
    }
    hr_json_close_array(&m->w);
    if (!executor)
        wrong(m, "a component does not offer hr.executor/1");
}

static void put_functions(struct maker *m, const hr_component *c)
{
    const hr_function *const *list = HR_HAS(c, functions) ? c->functions : NULL;
    size_t i;

    hr_json_put_key(&m->w, "functions");
    hr_json_open_array(&m->w);
    for (i = 0; list && list[i] && i < MAX_LIST; i++) {
        hr_json_open_object(&m->w);
        needed(m, "name", list[i]->name);
        needed(m, "kind", list[i]->kind);
        text(m, "doc", list[i]->doc);
        hr_json_put_member_int(&m->w, "flags", list[i]->flags);
        hr_json_put_member_int(&m->w, "outputs", list[i]->outputs);
        hr_json_put_member_int(&m->w, "max_rows", list[i]->max_rows);
        hr_json_close_object(&m->w);
    }
    hr_json_close_array(&m->w);
}

static void put_component(struct maker *m, const hr_component *c)
{
    hr_json_open_object(&m->w);
    needed(m, "id", c->id);
    needed(m, "version", c->version);
    text(m, "doc", c->doc);
    hr_json_put_member_int(&m->w, "flags", c->flags);
    put_ports(m, "inputs", c->inputs);
    put_ports(m, "outputs", c->outputs);
    put_properties(m, c->properties);
    put_texts(m, "needs", HR_HAS(c, needs) ? c->needs : NULL);
    put_texts(m, "uses", HR_HAS(c, uses) ? c->uses : NULL);
    put_offers(m, c);
    put_functions(m, c);
    put_texts(m, "formats", HR_HAS(c, formats) ? c->formats : NULL);
    hr_json_close_object(&m->w);
}

hr_status hr_manifest_of(const hr_plugin *plugin, const char *sha256, struct hr_buf *to)
{
    struct maker m = { .wrong = NULL };
    hr_status r;
    size_t i;

    hr_json_begin(&m.w, to, 0);
    hr_json_open_object(&m.w);
    hr_json_put_member_int(&m.w, "headrace_manifest", 1);
    text(&m, "sha256", *sha256 ? sha256 : NULL);
    hr_json_put_key(&m.w, "abi");
    hr_json_open_array(&m.w);
    hr_json_put_int(&m.w, plugin->abi_major);
    hr_json_put_int(&m.w, plugin->abi_minor);
    hr_json_close_array(&m.w);
    needed(&m, "id", plugin->id);
    needed(&m, "version", plugin->version);
    hr_json_put_key(&m.w, "components");
    hr_json_open_array(&m.w);
    for (i = 0; plugin->components && plugin->components[i] && i < MAX_LIST; i++)
        put_component(&m, plugin->components[i]);
    hr_json_close_array(&m.w);
    hr_json_close_object(&m.w);
    r = hr_json_end(&m.w);
    if (r == HR_OK && m.wrong) {
        hr_buf_cut(to, 0);
        hr_buf_text(to, m.wrong);
        return HR_INVALID;
    }
    return r;
}
