/* A feature of a schema in itself: what contradicts itself is told and mended. */
#include <string.h>

#include "validation/engine.h"

#define SPEC HR_ANOMALY(INVALID_SCHEMA_SPECIFICATION)

static void fractions(struct hr_check *c, hr_feature *f)
{
    HR_MD(FeaturePresence) * p;

    if (f->presence_constraints_case != HR_MD_E(FEATURE__PRESENCE_CONSTRAINTS_PRESENCE))
        return;
    p = f->presence;
    if (p->min_fraction < 0) {
        p->has_min_fraction = 0;
        p->min_fraction = 0;
        hr_reason(c, SPEC, "min_fraction should not be negative: clear is equal to zero", NULL);
    }
    if (p->min_fraction > 1) {
        p->min_fraction = 1;
        hr_reason(c, SPEC, "min_fraction should not greater than 1", NULL);
    }
}

/* level -1: of a feature that does not nest. */
static void count(struct hr_check *c, HR_MD(ValueCount) * v, int level)
{
    if (v->min < 0) {
        v->has_min = 0;
        v->min = 0;
        if (level < 0)
            hr_reason(c, SPEC, "ValueCount.min should not be negative", NULL);
        else
            hr_reason(
                c, SPEC, "ValueCounts.min should not be negative",
                hr_check_text(c, "ValueCounts.min at level %d should not be negative.", level));
    }
    if (v->has_max && v->max < v->min) {
        v->max = v->min;
        if (level < 0)
            hr_reason(c, SPEC, "ValueCount.max should not be less than min", NULL);
        else
            hr_reason(c, SPEC, "ValueCounts.max should not be less than min",
                      hr_check_text(c, "ValueCounts.max at level %d should not be less than min.",
                                    level));
    }
}

static void counts(struct hr_check *c, hr_feature *f)
{
    size_t i;

    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNT))
        count(c, f->value_count, -1);
    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNTS))
        for (i = 0; i < f->value_counts->n_value_count; i++)
            count(c, f->value_counts->value_count[i], (int)i);
    if (f->shape_type_case != HR_MD_E(FEATURE__SHAPE_TYPE_SHAPE))
        return;
    for (i = 0; i < f->shape->n_dim; i++)
        if (f->shape->dim[i]->size <= 0) {
            hr_reason(c, SPEC, "Shape.dim.size must be a positive integer", NULL);
            f->shape_type_case = HR_MD_E(FEATURE__SHAPE_TYPE__NOT_SET);
            return;
        }
}

/* -- the domain -------------------------------------------------------------------------- */

/* The name of the field of the domain that is set. */
static const char *domain_name(const hr_feature *f)
{
    const ProtobufCFieldDescriptor *d =
        protobuf_c_message_descriptor_get_field(&HR_MD_OF(feature), f->domain_info_case);

    return d ? d->name : "";
}

static bool fits_type(const hr_feature *f)
{
    int type = (int)f->type;
    bool bytes = type == HR_MD_E(FEATURE_TYPE__BYTES), ints = type == HR_MD_E(FEATURE_TYPE__INT);
    bool floats = type == HR_MD_E(FEATURE_TYPE__FLOAT);

    switch (f->domain_info_case) {
    case HR_DOMAIN(DOMAIN):
    case HR_DOMAIN(STRING_DOMAIN):
    case HR_DOMAIN(IMAGE_DOMAIN):
    case HR_DOMAIN(MID_DOMAIN):
    case HR_DOMAIN(URL_DOMAIN):
        return bytes;
    case HR_DOMAIN(BOOL_DOMAIN):
        return ints || bytes || floats;
    case HR_DOMAIN(INT_DOMAIN):
        return ints || bytes;
    case HR_DOMAIN(FLOAT_DOMAIN):
        return floats || bytes;
    case HR_DOMAIN(STRUCT_DOMAIN):
        return type == HR_MD_E(FEATURE_TYPE__STRUCT);
    case HR_DOMAIN(NATURAL_LANGUAGE_DOMAIN):
    case HR_DOMAIN(TIME_DOMAIN):
        return bytes || ints;
    default:
        return true;
    }
}

/* A true value that is the false one, a value that stands twice: mended without a word. */
static void repeats(hr_feature *f)
{
    HR_MD(StringDomain) *s = f->string_domain;
    HR_MD(BoolDomain) *b = f->bool_domain;
    size_t i, k, n = 0;

    if (f->domain_info_case == HR_DOMAIN(BOOL_DOMAIN) && b->has_true_value && b->has_false_value &&
        hr_same_bytes(b->true_value.data, b->true_value.len, b->false_value.data,
                      b->false_value.len))
        b->has_false_value = 0;
    if (f->domain_info_case != HR_DOMAIN(STRING_DOMAIN))
        return;
    for (i = 0; i < s->n_value; i++) {
        for (k = 0; k < n; k++)
            if (hr_same_bytes(s->value[k].data, s->value[k].len, s->value[i].data,
                              s->value[i].len))
                break;
        if (k == n)
            s->value[n++] = s->value[i];
    }
    s->n_value = n;
}

/* What distribution constraints cannot stand beside; NULL: they can. */
static const char *no_distribution(const hr_feature *f)
{
    switch (f->domain_info_case) {
    case HR_DOMAIN(DOMAIN):
    case HR_DOMAIN(STRING_DOMAIN):
        return NULL;
    case HR_DOMAIN(BOOL_DOMAIN):
        return "distribution constraints not supported for bool domains.";
    case HR_DOMAIN(INT_DOMAIN):
        return "distribution constraints not supported for int domains.";
    case HR_DOMAIN(FLOAT_DOMAIN):
        return "distribution constraints not supported for float domains.";
    case HR_DOMAIN(STRUCT_DOMAIN):
        return "distribution constraints not supported for struct domains.";
    case HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET):
        return "distribution constraints require domain or string domain.";
    default:
        return "distribution constraints not supported for semantic domains.";
    }
}

static void domain(struct hr_check *c, hr_feature *f)
{
    const char *text;

    if (!fits_type(f)) {
        const ProtobufCEnumValue *type =
            protobuf_c_enum_descriptor_get_value(&HR_MD_OF(feature_type), (int)f->type);

        hr_reason(c, HR_ANOMALY(DOMAIN_INVALID_FOR_TYPE), "The domain does not match the type",
                  hr_check_text(c, "The domain \"%s\" does not match the type: %s", domain_name(f),
                                type ? type->name : "unknown"));
        f->domain_info_case = HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET);
    }
    if (f->domain_info_case == HR_DOMAIN(DOMAIN)) {
        if (!hr_check_domain(c, f->domain)) {
            f->domain_info_case = HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET);
            hr_reason(c, HR_ANOMALY(INVALID_DOMAIN_SPECIFICATION), "missing domain: ", NULL);
        }
        return;
    }
    text = f->distribution_constraints ? no_distribution(f) : NULL;
    if (text) {
        f->distribution_constraints = NULL;
        hr_reason(c, SPEC, text, NULL);
    }
    repeats(f);
}

void hr_check_self(struct hr_check *c, hr_feature *f)
{
    if (hr_feature_deprecated(f))
        return;
    if (!f->name) {
        hr_reason(c, HR_ANOMALY(FEATURE_MISSING_NAME),
                  "unspecified name (maybe meant to be the empty string): find name rather than "
                  "deprecating.",
                  NULL);
        hr_feature_deprecate(f);
        return;
    }
    if (!f->has_type) {
        if (f->domain_info_case != HR_DOMAIN(DOMAIN) &&
            f->domain_info_case != HR_DOMAIN(STRING_DOMAIN)) {
            hr_reason(c, HR_ANOMALY(FEATURE_MISSING_TYPE),
                      "unspecified type: determine the type and set it, rather than deprecating.",
                      NULL);
            hr_feature_deprecate(f);
            return;
        }
        hr_reason(c, HR_ANOMALY(FEATURE_MISSING_TYPE),
                  "unspecified type: inferring the type to be BYTES, given the domain specified.",
                  NULL);
        f->has_type = 1;
        f->type = HR_MD_E(FEATURE_TYPE__BYTES);
    }
    fractions(c, f);
    counts(c, f);
    domain(c, f);
}
