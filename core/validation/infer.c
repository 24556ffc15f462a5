#include <string.h>

#include "validation/engine.h"

bool hr_feature_semantic(struct hr_check *c, hr_feature *f)
{
    size_t errors = c->arena->env->errors.count, i;
    ProtobufCMessage *m = NULL;
    hr_feature *like;
    hr_status r;

    for (i = 0; i < c->view.f->n_custom_stats; i++) {
        const HR_MD(CustomStatistic) *s = c->view.f->custom_stats[i];

        if (!s->name || strcmp(s->name, "domain_info") != 0 ||
            s->val_case != HR_MD_E(CUSTOM_STATISTIC__VAL_STR))
            continue;
        r = hr_pb_text_read(c->arena, &HR_MD_OF(feature), "domain_info", (const char *)s->str.data,
                            s->str.len, &m);
        hr_errors_cut(c->arena->env, errors);
        like = (hr_feature *)m;
        if (r < 0 || like->domain_info_case == HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET))
            return false;
        f->domain_info_case = like->domain_info_case;
        f->struct_domain = like->struct_domain; /* one place for all of the union */
        return true;
    }
    return false;
}

static void count_of(const struct hr_level *l, HR_MD(ValueCount) * to)
{
    if (!l->min)
        return;
    to->has_min = 1;
    to->has_max = l->min == l->max;
    to->min = to->has_max ? (int64_t)l->min : 1;
    to->max = to->has_max ? (int64_t)l->max : 0;
}

void hr_feature_value_count(struct hr_check *c, hr_feature *f)
{
    size_t n = hr_view_levels(&c->view), i;
    struct hr_level l = hr_view_level(&c->view, 0);
    HR_MD(ValueCountList) * list;
    HR_MD(ValueCount) * v;

    f->shape_type_case = HR_MD_E(FEATURE__SHAPE_TYPE__NOT_SET);
    if (n == 1 && !l.min)
        return;
    if (n == 1) {
        v = hr_pb_new(c->arena, &HR_MD_OF(value_count));
        if (!v) {
            c->r = HR_EXHAUSTED;
            return;
        }
        count_of(&l, v);
        f->shape_type_case = HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNT);
        f->value_count = v;
        return;
    }
    list = hr_pb_new(c->arena, &HR_MD_OF(value_count_list));
    for (i = 0; i < n; i++) {
        l = hr_view_level(&c->view, i);
        v = list ? HR_PB_ADD(c->arena, list, value_count, &HR_MD_OF(value_count)) : NULL;
        if (!v) {
            c->r = HR_EXHAUSTED;
            return;
        }
        count_of(&l, v);
    }
    f->shape_type_case = HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNTS);
    f->value_counts = list;
}

/* A shape, where all rows have one number of values at every level; false: they have not. */
static bool shape(struct hr_check *c, hr_feature *f)
{
    size_t n = hr_view_levels(&c->view), i;
    HR_MD(FixedShape) * s;
    HR_MD(FixedShape__Dim) * d;
    struct hr_level l;

    for (i = 0; i < n; i++) {
        l = hr_view_level(&c->view, i);
        if (l.missing || !l.min || l.min != l.max)
            return false;
    }
    s = hr_pb_new(c->arena, &HR_MD_OF(fixed_shape));
    for (i = 0; i < n; i++) {
        l = hr_view_level(&c->view, i);
        d = s ? HR_PB_ADD(c->arena, s, dim, &HR_MD_OF(fixed_shape__dim)) : NULL;
        if (!d) {
            c->r = HR_EXHAUSTED;
            return true;
        }
        d->has_size = 1;
        d->size = (int64_t)l.min;
    }
    f->shape_type_case = HR_MD_E(FEATURE__SHAPE_TYPE_SHAPE);
    f->shape = s;
    return true;
}

static void presence(struct hr_check *c, hr_feature *f, bool infer_shape)
{
    HR_MD(FeaturePresence) *p = hr_pb_new(c->arena, &HR_MD_OF(feature_presence));
    uint64_t present = c->view.common->num_non_missing;

    if (!p) {
        c->r = HR_EXHAUSTED;
        return;
    }
    f->presence_constraints_case = HR_MD_E(FEATURE__PRESENCE_CONSTRAINTS_PRESENCE);
    f->presence = p;
    p->has_min_count = 1;
    p->min_count = present >= 1;
    if (!present)
        return;
    if (!c->view.common->num_missing) {
        p->has_min_fraction = 1;
        p->min_fraction = 1;
    }
    if (!infer_shape || f->type == HR_MD_E(FEATURE_TYPE__STRUCT) || !shape(c, f))
        hr_feature_value_count(c, f);
}

/* -- domains --------------------------------------------------------------------------- */

static bool one_of(struct hr_slice t, const char *const *list)
{
    for (; *list; list++)
        if (hr_slice_eq(t, *list))
            return true;
    return false;
}

static void bool_value(struct hr_check *c, struct hr_slice t, ProtobufCBinaryData *to,
                       protobuf_c_boolean *ret_has)
{
    *ret_has = 1;
    if (!hr_pb_bytes(c->arena, to, t.text, t.len))
        c->r = HR_EXHAUSTED;
}

/* One or two tokens, at most one that means true and one that means false. */
static bool bool_tokens(struct hr_check *c, const struct hr_token *t, size_t n,
                        HR_MD(BoolDomain) * d)
{
    static const char *const yes[] = { "TRUE", "true", "SET", "set", "1", "", NULL };
    static const char *const no[] = { "FALSE", "false", "CLEAR", "clear", "0", NULL };
    size_t i;

    if (n < 1 || n > 2)
        return false;
    for (i = 0; i < n; i++) {
        if (one_of(t[i].label, yes) && !d->has_true_value)
            bool_value(c, t[i].label, &d->true_value, &d->has_true_value);
        else if (one_of(t[i].label, no) && !d->has_false_value)
            bool_value(c, t[i].label, &d->false_value, &d->has_false_value);
        else
            return false;
    }
    return true;
}

static bool is_bool(struct hr_check *c, const struct hr_token *t, size_t n, hr_feature *f)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(&c->view);
    HR_MD(BoolDomain) *d = hr_pb_new(c->arena, &HR_MD_OF(bool_domain));
    bool ok = false;

    if (!d) {
        c->r = HR_EXHAUSTED;
        return true;
    }
    if (c->view.f->type == HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__INT))
        ok = s && s->min >= 0 && s->max == 1;
    else if (c->view.f->type == HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__STRING))
        ok = bool_tokens(c, t, n, d);
    if (ok) {
        f->domain_info_case = HR_DOMAIN(BOOL_DOMAIN);
        f->bool_domain = d;
    }
    return ok;
}

static bool is_int(struct hr_check *c, const struct hr_token *t, size_t n, hr_feature *f)
{
    int64_t v;
    size_t i;

    if (!n || c->view.f->type != HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__STRING))
        return false;
    for (i = 0; i < n; i++)
        if (!hr_token_int(t[i].label, &v))
            return false;
    f->int_domain = hr_pb_new(c->arena, &HR_MD_OF(int_domain));
    if (f->int_domain)
        f->domain_info_case = HR_DOMAIN(INT_DOMAIN);
    else
        c->r = HR_EXHAUSTED;
    return true;
}

static bool has_domain(const hr_schema *s, const char *name)
{
    size_t i;

    for (i = 0; i < s->n_string_domain; i++)
        if (s->string_domain[i]->name && !strcmp(s->string_domain[i]->name, name))
            return true;
    return false;
}

void hr_domain_add(struct hr_check *c, HR_MD(StringDomain) * d, const struct hr_token *tokens,
                   size_t n)
{
    ProtobufCBinaryData *place;
    size_t i;

    for (i = 0; i < n; i++) {
        place = HR_PB_PUSH(c->arena, d, value);
        if (!place || !hr_pb_bytes(c->arena, place, tokens[i].label.text, tokens[i].label.len))
            c->r = HR_EXHAUSTED;
    }
}

/* A new domain of the schema, of the feature's name or with a number behind it. */
static void string_domain(struct hr_check *c, const struct hr_token *t, size_t n, hr_feature *f)
{
    HR_MD(StringDomain) *d =
        HR_PB_ADD(c->arena, c->schema, string_domain, &HR_MD_OF(string_domain));
    const char *name = c->path;
    int i;

    for (i = 2; d && has_domain(c->schema, name); i++)
        name = hr_check_text(c, "%s%d", c->path, i);
    if (!d) {
        c->r = HR_EXHAUSTED;
        return;
    }
    d->name = (char *)(uintptr_t)name;
    hr_domain_add(c, d, t, n);
    f->domain_info_case = HR_DOMAIN(DOMAIN);
    f->domain = d->name;
}

static void domain(struct hr_check *c, hr_feature *f)
{
    const struct hr_token *t;
    size_t n = 0;

    if (hr_feature_semantic(c, f) || hr_view_not_utf8(&c->view) ||
        c->view.f->type == HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__BYTES))
        return;
    t = hr_view_tokens(c->arena, &c->view, &n);
    if (!t) {
        c->r = HR_EXHAUSTED;
        return;
    }
    if (is_bool(c, t, n, f) || is_int(c, t, n, f))
        return;
    if (c->view.f->type == HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__STRING) && n >= 1 &&
        n <= (size_t)c->domain_max)
        string_domain(c, t, n, f);
}

hr_feature *hr_feature_create(struct hr_check *c, bool infer_shape)
{
    hr_feature *f = HR_PB_ADD(c->arena, c->schema, feature, &HR_MD_OF(feature));
    struct hr_slice s = hr_path_step(c->view.f, 0);

    if (!f || !(f->name = hr_arena_bytes(c->arena, s.text, s.len))) {
        c->r = HR_EXHAUSTED;
        return NULL;
    }
    f->has_type = 1;
    f->type = (HR_MD(FeatureType))hr_view_type(&c->view);
    presence(c, f, infer_shape);
    domain(c, f);
    return f;
}
