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
    *param = (struct hr_param){ .name = hr_json_key(m),
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

static bool is_new(struct hr_reader *rd, const struct hr_json *m)
{
    size_t i;

    for (i = 0; i < rd->p->param_count && rd->p->source_count > 1; i++)
        if (!strcmp(rd->p->params[i].name, hr_json_key(m))) {
            if (rd->group != (size_t)HR_NO_GROUP)
                return false; /* a sub-pipeline's own default gives way */
            hr_bad(rd, m, "parameter \"%s\" is there already, at %s:%d:%d", hr_json_key(m),
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

static hr_status give(const struct hr_pipeline *p, const struct hr_given *given,
                      struct hr_arena *arena, struct hr_param_values *values)
{
    struct hr_place place = { .file = "--param" };
    const char *names[HR_MAX_PARAMS];
    size_t i;

    for (i = 0; i < p->param_count; i++) {
        names[i] = p->params[i].name;
        if (!strcmp(given->name, names[i]))
            return hr_param_parse(p->env, &p->params[i], given->text, arena, &values->items[i]);
    }
    return hr_fail_meant(p->env, HR_INVALID, &place, hr_text_meant(given->name, names, i),
                         "pipeline \"%s\" has no parameter \"%s\"", p->name, given->name);
}

hr_status hr_pipeline_params(const struct hr_pipeline *p, const struct hr_given *given,
                             size_t count, bool complete, struct hr_arena *arena,
                             struct hr_param_values *ret)
{
    hr_status r = HR_OK, one;
    size_t i;

    ret->items = hr_arena_array(arena, p->param_count + 1, sizeof *ret->items);
    if (!ret->items)
        return HR_EXHAUSTED;
    for (i = 0; i < p->param_count; i++)
        ret->items[i] = p->params[i].value;
    for (i = 0; i < count; i++)
        if ((one = give(p, &given[i], arena, ret)) < 0)
            r = one;
    for (i = 0; complete && i < p->param_count; i++)
        if (ret->items[i].kind == HR_TERM_UNKNOWN && r == HR_OK)
            r = hr_fail_at(p->env, HR_INVALID, &p->params[i].place,
                           "parameter \"%s\" has no default; give it with --param %s=...",
                           p->params[i].name, p->params[i].name);
    return r;
}
