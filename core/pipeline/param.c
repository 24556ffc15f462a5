#include <string.h>

#include "pipeline/read.h"

static const struct {
    const char *name;
    hr_type type;
} types[] = { { "int", HR_INT },
              { "float", HR_FLOAT },
              { "string", HR_STRING },
              { "bool", HR_BOOL },
              { "json", HR_JSON } };

static hr_type type_of(struct hr_reader *rd, const struct hr_json *param)
{
    static const char *const names[] = { "int", "float", "string", "bool", "json" };
    const struct hr_json *v = hr_want(rd, param, "type", HR_JSON_STRING);
    struct hr_place place;
    size_t i;

    if (!v) {
        if (!hr_json_get(param, "type"))
            hr_bad(rd, param, "parameter \"%s\" has no \"type\"", hr_json_key(param));
        return HR_JSON;
    }
    for (i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(types[i].name, hr_json_text(v)))
            return types[i].type;
    place = hr_json_place(rd->doc, v);
    hr_fail_meant(rd->env, HR_INVALID, &place, hr_text_meant(hr_json_text(v), names, 5),
                  "there is no type \"%s\"; int, float, string, bool and json are the types",
                  hr_json_text(v));
    rd->bad++;
    return HR_JSON;
}

static void read_param(struct hr_reader *rd, const struct hr_json *m, struct hr_param *param)
{
    static const char *const members[] = { "type", "default", "constraint", "doc" };
    const struct hr_json *v = hr_json_get(m, "default");
    struct hr_place place;

    hr_check_members(rd, m, members, 4, "a parameter");
    *param = (struct hr_param){ .name = hr_full_name(rd, hr_json_key(m)),
                                .local = hr_json_key(m),
                                .group = rd->group,
                                .note = hr_want_text(rd, m, "doc"),
                                .constraint = hr_want_text(rd, m, "constraint"),
                                .type = type_of(rd, m),
                                .place = hr_json_key_place(rd->doc, m) };
    if (!v)
        return;
    place = hr_json_place(rd->doc, v);
    if (hr_term_of_json(rd->doc, v, &rd->p->arena, &param->value) < 0 ||
        hr_param_fits(rd->env, &place, param->name, param->type, param->constraint, &param->value) <
            0)
        rd->bad++;
}

/* Files that are merged, and a dot in a name, may name a parameter twice. */
static bool is_new(struct hr_reader *rd, const struct hr_json *m)
{
    const char *name = hr_full_name(rd, hr_json_key(m));
    size_t i;

    for (i = 0; i < rd->p->param_count && rd->p->source_count > 1; i++)
        if (!strcmp(rd->p->params[i].name, name)) {
            hr_bad(rd, m, "parameter \"%s\" is there already, at %s:%d:%d", name,
                   rd->p->params[i].place.file, rd->p->params[i].place.line,
                   rd->p->params[i].place.column);
            return false;
        }
    return true;
}

void hr_read_params(struct hr_reader *rd, const struct hr_json *list)
{
    const struct hr_json *m;

    for (m = hr_json_first(list); m; m = hr_json_next(m)) {
        if (hr_json_kind(m) != HR_JSON_OBJECT)
            hr_bad(rd, m, "parameter \"%s\" wants an object with \"type\"", hr_json_key(m));
        else if (!hr_name_ok(hr_json_key(m)))
            hr_bad(rd, m, "\"%s\" is no name for a parameter", hr_json_key(m));
        else if (rd->p->param_count == HR_MAX_PARAMS)
            hr_bad(rd, m, "more than %d parameters", HR_MAX_PARAMS);
        else if (is_new(rd, m))
            read_param(rd, m, &rd->p->params[rd->p->param_count++]);
    }
}

static const char *text_of(const struct hr_term *value, char number[HR_NUM_TEXT])
{
    if (value->kind == HR_TERM_INT)
        hr_num_put_int(number, value->i);
    else if (value->kind == HR_TERM_FLOAT)
        hr_num_put_double(number, value->d);
    else
        return value->text ? value->text : "";
    return number;
}

static bool kind_fits(hr_type type, enum hr_term_kind kind)
{
    switch (type) {
    case HR_INT:
        return kind == HR_TERM_INT;
    case HR_FLOAT:
        return kind == HR_TERM_FLOAT;
    case HR_BOOL:
        return kind == HR_TERM_BOOL;
    case HR_JSON:
        return true;
    default:
        return kind == HR_TERM_TEXT;
    }
}

hr_status hr_param_fits(struct hr_env *env, const struct hr_place *place, const char *what,
                        hr_type type, const char *constraint, struct hr_term *value)
{
    char number[HR_NUM_TEXT];

    if (value->kind == HR_TERM_UNKNOWN)
        return HR_OK;
    if (type == HR_FLOAT && value->kind == HR_TERM_INT)
        *value = (struct hr_term){ .kind = HR_TERM_FLOAT, .d = (double)value->i };
    if (!kind_fits(type, value->kind))
        return hr_fail_at(env, HR_INVALID, place, "\"%s\" wants %s %s, and this is %s", what,
                          type == HR_INT ? "an" : "a", hr_type_text(type),
                          hr_term_kind_text(value->kind));
    if (constraint && !hr_constraint_holds(constraint, type, text_of(value, number)))
        return hr_fail_at(env, HR_INVALID, place, "\"%s\" is \"%s\", and must be within %s", what,
                          text_of(value, number), constraint);
    return HR_OK;
}

hr_status hr_param_parse(struct hr_env *env, const struct hr_param *param, const char *text,
                         struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_place place = { .file = "--param" };
    struct hr_term v = { .kind = HR_TERM_TEXT, .text = hr_arena_text(arena, text) };
    struct hr_json_doc *doc;
    size_t n = strlen(text);
    hr_status r;

    if (!v.text)
        return HR_EXHAUSTED;
    if (param->type == HR_INT && hr_num_int(text, n, &v.i))
        v.kind = HR_TERM_INT;
    else if (param->type == HR_FLOAT && hr_num_double(text, n, &v.d))
        v.kind = HR_TERM_FLOAT;
    else if (param->type == HR_BOOL && (!strcmp(text, "true") || !strcmp(text, "false")))
        v = (struct hr_term){ .kind = HR_TERM_BOOL, .i = text[0] == 't' };
    else if (param->type == HR_JSON) {
        if ((r = hr_json_parse(env, param->name, text, n, 0, &doc)) < 0)
            return r;
        r = hr_term_of_json(doc, hr_json_root(doc), arena, &v);
        hr_json_free(doc);
        if (r < 0)
            return r;
    }
    r = hr_param_fits(env, &place, param->name, param->type, param->constraint, &v);
    if (r == HR_OK)
        *ret = v;
    return r;
}

/* The parameter that gives its value to one of a sub-pipeline, where that was not given for its own
 * name; SIZE_MAX: none.  Those of what is around it stand before it. */
static size_t around(const struct hr_pipeline *p, size_t param)
{
    size_t group = p->params[param].group, i;

    while (group != (size_t)HR_NO_GROUP) {
        group = p->groups[group].face.group;
        for (i = 0; i < param; i++)
            if (p->params[i].group == group && !strcmp(p->params[i].local, p->params[param].local))
                return i;
    }
    return SIZE_MAX;
}

struct giver {
    const struct hr_pipeline *p;
    struct hr_arena *arena;
    struct hr_param_values *values;
    bool *given;
};

/* For the very name; else, where "local" is true, for all sub-pipelines that call one so. */
static hr_status give(struct giver *g, const struct hr_given *given, bool local, bool *ret_found)
{
    const struct hr_pipeline *p = g->p;
    hr_status r = HR_OK;
    size_t i;

    *ret_found = false;
    for (i = 0; i < p->param_count && r == HR_OK; i++) {
        if (strcmp(given->name, local ? p->params[i].local : p->params[i].name) != 0)
            continue;
        *ret_found = true;
        if (g->given[i] || (local && around(p, i) != SIZE_MAX))
            continue;
        r = hr_param_parse(p->env, &p->params[i], given->text, g->arena, &g->values->items[i]);
        g->given[i] = true;
    }
    return r;
}

static bool is_name(const struct hr_pipeline *p, const char *name)
{
    size_t i;

    for (i = 0; i < p->param_count; i++)
        if (!strcmp(p->params[i].name, name))
            return true;
    return false;
}

static hr_status give_all(struct giver *g, const struct hr_given *given, size_t count)
{
    struct hr_place place = { .file = "--param" };
    const char *names[HR_MAX_PARAMS];
    hr_status r = HR_OK, one;
    size_t i, k;
    bool found;

    for (k = 0; k < g->p->param_count; k++)
        names[k] = g->p->params[k].name;
    for (i = count; i; i--) { /* of one that is given twice the last counts */
        one = give(g, &given[i - 1], false, &found);
        r = one < 0 ? one : r;
    }
    for (i = count; i; i--) {
        one = give(g, &given[i - 1], true, &found);
        if (!found && !is_name(g->p, given[i - 1].name))
            one = hr_fail_meant(g->p->env, HR_INVALID, &place,
                                hr_text_meant(given[i - 1].name, names, k),
                                "pipeline \"%s\" has no parameter \"%s\"", g->p->name,
                                given[i - 1].name);
        r = one < 0 ? one : r;
    }
    return r;
}

/* The value of one that was not given: from around it, if that fits. */
static hr_status inherit(struct giver *g, size_t param)
{
    const struct hr_param *of = &g->p->params[param];
    size_t from = around(g->p, param);
    struct hr_term value;
    hr_status r;

    if (g->given[param] || from == SIZE_MAX)
        return HR_OK;
    value = g->values->items[from];
    r = hr_param_fits(g->p->env, &of->place, of->name, of->type, of->constraint, &value);
    if (r == HR_OK)
        g->values->items[param] = value;
    return r;
}

hr_status hr_pipeline_params(const struct hr_pipeline *p, const struct hr_given *given,
                             size_t count, bool complete, struct hr_arena *arena,
                             struct hr_param_values *ret)
{
    struct giver g = { p, arena, ret, hr_arena_array(arena, p->param_count + 1, sizeof(bool)) };
    hr_status r, one;
    size_t i;

    ret->items = hr_arena_array(arena, p->param_count + 1, sizeof *ret->items);
    if (!ret->items || !g.given)
        return HR_EXHAUSTED;
    for (i = 0; i < p->param_count; i++)
        ret->items[i] = p->params[i].value;
    r = give_all(&g, given, count);
    for (i = 0; i < p->param_count; i++) {
        one = inherit(&g, i);
        r = one < 0 ? one : r;
    }
    for (i = 0; complete && i < p->param_count; i++)
        if (ret->items[i].kind == HR_TERM_UNKNOWN && r == HR_OK)
            r = hr_fail_at(p->env, HR_INVALID, &p->params[i].place,
                           "parameter \"%s\" has no default; give it with --param %s=...",
                           p->params[i].name, p->params[i].name);
    return r;
}
