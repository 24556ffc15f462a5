#include "validation/engine.h"

#include <string.h>

void hr_reason(struct hr_check *c, int32_t type, const char *short_text, const char *long_text)
{
    HR_MD(AnomalyInfo__Reason) *r =
        HR_PB_ADD(c->arena, c->anomaly, reason, &HR_MD_OF(anomaly_info__reason));

    if (!r) {
        c->r = HR_EXHAUSTED;
        return;
    }
    r->has_type = 1;
    r->type = (HR_MD(AnomalyInfo__Type))type;
    r->short_description = (char *)(uintptr_t)short_text;
    r->description = (char *)(uintptr_t)(long_text ? long_text : "");
}

const char *hr_check_text(struct hr_check *c, const char *format, ...)
{
    const char *text = NULL;
    struct hr_buf b;
    va_list args;

    hr_buf_of(&b, HR_MAX_VALUE_BYTES, c->arena->env);
    va_start(args, format);
    if (hr_buf_vformat(&b, format, args) == HR_OK)
        text = hr_arena_bytes(c->arena, b.text, b.len);
    va_end(args);
    hr_buf_clear(&b);
    if (!text)
        c->r = HR_EXHAUSTED;
    return text ? text : "";
}

const char *hr_check_g6(struct hr_check *c, double v)
{
    char text[HR_NUM_TEXT];

    hr_num_put_digits(text, v, 6);
    return hr_check_text(c, "%s", text);
}

/* -- stages and environments ----------------------------------------------------------- */

bool hr_feature_deprecated(const hr_feature *f)
{
    if (f->deprecated)
        return true;
    switch ((int)f->lifecycle_stage) {
    case HR_MD_E(LIFECYCLE_STAGE__PLANNED):
    case HR_MD_E(LIFECYCLE_STAGE__ALPHA):
    case HR_MD_E(LIFECYCLE_STAGE__DEPRECATED):
    case HR_MD_E(LIFECYCLE_STAGE__DEBUG_ONLY):
    case HR_MD_E(LIFECYCLE_STAGE__DISABLED):
        return f->has_lifecycle_stage;
    default:
        return false;
    }
}

void hr_feature_deprecate(hr_feature *f)
{
    f->has_lifecycle_stage = 1;
    f->lifecycle_stage = HR_MD_E(LIFECYCLE_STAGE__DEPRECATED);
}

static bool listed(char *const *list, size_t n, const char *name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!strcmp(list[i], name))
            return true;
    return false;
}

bool hr_feature_in_environment(const hr_schema *schema, const hr_feature *f, const char *e)
{
    if (!e || listed(f->in_environment, f->n_in_environment, e))
        return true;
    if (listed(f->not_in_environment, f->n_not_in_environment, e))
        return false;
    return listed(schema->default_environment, schema->n_default_environment, e);
}

bool hr_feature_required(const hr_schema *schema, const hr_feature *f, const char *e)
{
    if (hr_feature_deprecated(f) ||
        f->presence_constraints_case != HR_MD_E(FEATURE__PRESENCE_CONSTRAINTS_PRESENCE) ||
        (f->presence->min_count <= 0 && f->presence->min_fraction <= 0))
        return false;
    return hr_feature_in_environment(schema, f, e);
}

/* Take a feature that was seen into the environment. */
static void enter(struct hr_check *c, hr_feature *f)
{
    size_t i, n = 0;
    char **place;

    for (i = 0; i < f->n_not_in_environment; i++)
        if (strcmp(f->not_in_environment[i], c->environment) != 0)
            f->not_in_environment[n++] = f->not_in_environment[i];
    f->n_not_in_environment = n;
    if (!hr_feature_in_environment(c->schema, f, c->environment)) {
        place = HR_PB_PUSH(c->arena, f, in_environment);
        if (place)
            *place = (char *)(uintptr_t)c->environment;
        else
            c->r = HR_EXHAUSTED;
    }
    hr_reason(c, HR_ANOMALY(SCHEMA_NEW_COLUMN), "Column missing in environment",
              hr_check_text(c,
                            "New column %s found in data but not in the environment %s in the "
                            "schema.",
                            c->path, c->environment));
}

HR_MD(StringDomain) * hr_check_domain(struct hr_check *c, const char *name)
{
    ProtobufCMessage *copy = NULL;
    size_t i;

    if (c->domain_copy)
        return c->domain_copy;
    for (i = 0; i < c->schema->n_string_domain; i++) {
        HR_MD(StringDomain) *d = c->schema->string_domain[i];

        if (!d->name || strcmp(d->name, name) != 0)
            continue;
        if (!c->on_copies)
            return d;
        if (hr_pb_copy(c->arena, &d->base, &copy) < 0)
            c->r = HR_EXHAUSTED;
        c->domain_copy = (HR_MD(StringDomain) *)copy;
        return c->domain_copy;
    }
    return NULL;
}

/* -- how many values ------------------------------------------------------------------- */

#define FEWER "Some examples have fewer values than expected"
#define MORE "Some examples have more values than expected"

/* level -1: of a feature that does not nest. */
static void count(struct hr_check *c, HR_MD(ValueCount) * v, const struct hr_level *l, int level)
{
    const char *at = level < 0 ? "" : hr_check_text(c, " at nestedness level %d", level);

    if (v->has_min && (int64_t)l->min < v->min) {
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_LOW_NUMBER_VALUES), "Missing values",
                  hr_check_text(c, FEWER "%s.", at));
        v->min = (int64_t)l->min;
        v->has_min = l->min != 0;
    }
    if (v->has_max && (int64_t)l->max > v->max) {
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_HIGH_NUMBER_VALUES), "Superfluous values",
                  hr_check_text(c, MORE "%s.", at));
        v->max = (int64_t)l->max;
    }
}

static void counts(struct hr_check *c, hr_feature *f)
{
    size_t n = hr_view_levels(&c->view), i;
    const char *text = NULL;
    struct hr_level l;

    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNT) && n > 1)
        text = "This feature has a value_count, but the nestedness level of the feature > 1. For "
               "features with nestedness levels greater than 1, value_counts, not value_count, "
               "should be specified.";
    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNTS) &&
        f->value_counts->n_value_count != n)
        text = "The values have a different nest level than expected. Value counts will not be "
               "checked.";
    if (text) {
        hr_reason(c, HR_ANOMALY(VALUE_NESTEDNESS_MISMATCH), "Mismatched value nest level", text);
        hr_feature_value_count(c, f);
        return;
    }
    for (i = 0; i < n; i++) {
        l = hr_view_level(&c->view, i);
        if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNT))
            count(c, f->value_count, &l, -1);
        else if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNTS))
            count(c, f->value_counts->value_count[i], &l, (int)i);
    }
}

static void shape(struct hr_check *c, hr_feature *f)
{
    size_t n = hr_view_levels(&c->view), i;
    uint64_t have = 1, want = 1;
    struct hr_level l;
    bool fixed = true;

    if (f->shape_type_case != HR_MD_E(FEATURE__SHAPE_TYPE_SHAPE))
        return;
    for (i = 0; i < n; i++) {
        l = hr_view_level(&c->view, i);
        fixed = fixed && !l.missing && l.min && l.min == l.max;
        have *= l.min;
    }
    for (i = 0; i < f->shape->n_dim; i++)
        want *= (uint64_t)f->shape->dim[i]->size;
    if (fixed && have == want)
        return;
    if (fixed)
        hr_reason(c, HR_ANOMALY(INVALID_FEATURE_SHAPE), "Feature shape dropped",
                  hr_check_text(c,
                                "The feature has fixed value length %llu but it's not compatible "
                                "with the specified shape.",
                                (unsigned long long)have));
    else
        hr_reason(c, HR_ANOMALY(INVALID_FEATURE_SHAPE), "Feature shape dropped",
                  "The feature has a shape, but it's not always present (if the feature is "
                  "nested, then it should always be present at each nested level) or its value "
                  "lengths vary.");
    f->shape_type_case = HR_MD_E(FEATURE__SHAPE_TYPE__NOT_SET);
}

/* -- how many rows ----------------------------------------------------------------------- */

static void few_rows(struct hr_check *c, HR_MD(FeaturePresence) * p, double fraction)
{
    char want[HR_NUM_TEXT], have[HR_NUM_TEXT];

    hr_num_put_fixed(want, (double)(float)p->min_fraction, 6);
    hr_num_put_fixed(have, fraction, 6);
    hr_reason(c, HR_ANOMALY(FEATURE_TYPE_LOW_FRACTION_PRESENT), "Column dropped",
              hr_check_text(c,
                            "The feature was present in fewer examples than expected: minimum "
                            "fraction = %s, actual = %s",
                            want, have));
    p->min_fraction = (double)(float)fraction;
}

static void presence(struct hr_check *c, hr_feature *f)
{
    uint64_t present = c->view.common->num_non_missing, missing = c->view.common->num_missing;
    double fraction = missing ? (double)present / (double)c->view.set->num_examples : 1;
    HR_MD(FeaturePresence) * p;

    if (f->presence_constraints_case != HR_MD_E(FEATURE__PRESENCE_CONSTRAINTS_PRESENCE))
        return;
    p = f->presence;
    if (p->has_min_count && (double)present < (double)p->min_count) {
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_LOW_NUMBER_PRESENT), "Column dropped",
                  hr_check_text(c,
                                "The feature was present in fewer examples than expected: minimum "
                                "count = %lld, actual = %llu",
                                (long long)p->min_count, (unsigned long long)present));
        p->min_count = (int64_t)present;
    }
    if (!p->has_min_fraction)
        return;
    if (fraction < p->min_fraction)
        few_rows(c, p, fraction);
    if (p->min_fraction == 1 && missing) {
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_LOW_FRACTION_PRESENT), "Column dropped",
                  hr_check_text(c,
                                "The feature was expected everywhere, but was missing in %s "
                                "examples.",
                                hr_check_g6(c, (double)missing)));
        p->min_fraction = 0.9999;
    }
}

/* -- types -------------------------------------------------------------------------------- */

static const char *enum_name(const ProtobufCEnumDescriptor *d, int v)
{
    const ProtobufCEnumValue *e = protobuf_c_enum_descriptor_get_value(d, v);

    return e ? e->name : "unknown";
}

static void type(struct hr_check *c, hr_feature *f)
{
    if (hr_view_type(&c->view) == (int32_t)f->type)
        return;
    hr_reason(
        c, HR_ANOMALY(UNEXPECTED_DATA_TYPE), "Unexpected data type",
        hr_check_text(c, "Expected data of type: %s but got %s",
                      enum_name(&HR_MD_OF(feature_type), (int)f->type),
                      enum_name(&HR_MD_OF(feature_name_statistics__type), (int)c->view.f->type)));
    hr_feature_deprecate(f);
}

/* Data that is bytes by declaration, and a domain that is not of bytes. */
static void bytes(struct hr_check *c, hr_feature *f)
{
    struct hr_buf b;

    if (c->view.f->type != HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__BYTES))
        return;
    switch (f->domain_info_case) {
    case HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET):
    case HR_DOMAIN(NATURAL_LANGUAGE_DOMAIN):
    case HR_DOMAIN(IMAGE_DOMAIN):
    case HR_DOMAIN(URL_DOMAIN):
        return;
    default:
        break;
    }
    f->domain_info_case = HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET);
    hr_buf_of(&b, HR_MAX_VALUE_BYTES, c->arena->env);
    if (hr_pb_text_write(c->arena->env, &f->base, &b) < 0)
        c->r = HR_EXHAUSTED;
    hr_reason(
        c, HR_ANOMALY(DOMAIN_INVALID_FOR_TYPE), "Invalid domain type",
        hr_check_text(c, "Data is marked as BYTES with incompatible domain_info: %s", b.text));
    hr_buf_clear(&b);
}

static void unique(struct hr_check *c, hr_feature *f)
{
    const HR_MD(StringStatistics) *s = hr_view_strings(&c->view);
    HR_MD(UniqueConstraints) *u = f->unique_constraints;
    int64_t n = s ? (int64_t)s->unique : 0;

    if (!u)
        return;
    if (!s) {
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_NO_UNIQUE), "No unique values",
                  "UniqueConstraints specified for the feature, but unique values were not counted "
                  "(i.e., feature is not string or categorical).");
        f->unique_constraints = NULL;
        return;
    }
    if (n < u->min) {
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_LOW_UNIQUE), "Low number of unique values",
                  hr_check_text(c, "Expected at least %lld unique values but found only %lld.",
                                (long long)u->min, (long long)n));
        u->min = n;
    }
    if (u->has_max && n > u->max) {
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_HIGH_UNIQUE), "High number of unique values",
                  hr_check_text(c, "Expected no more than %lld unique values but found %lld.",
                                (long long)u->max, (long long)n));
        u->max = n;
    }
}

void hr_check_feature(struct hr_check *c, hr_feature *f)
{
    if (hr_feature_deprecated(f))
        return;
    hr_check_self(c, f);
    if (hr_feature_deprecated(f))
        return;
    if (!c->view.common->num_non_missing) {
        if (!hr_feature_required(c->schema, f, c->environment))
            return;
        hr_reason(c, HR_ANOMALY(FEATURE_TYPE_NOT_PRESENT), "Column dropped",
                  "The feature was not present in any examples.");
        hr_feature_deprecate(f);
        return;
    }
    if (!hr_feature_in_environment(c->schema, f, c->environment))
        enter(c, f);
    counts(c, f);
    shape(c, f);
    presence(c, f);
    type(c, f);
    bytes(c, f);
    hr_check_values(c, f);
    unique(c, f);
    hr_check_comparators(c, f);
}
