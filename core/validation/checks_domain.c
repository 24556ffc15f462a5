/* The domain of a feature against the values that were seen. */
#include <math.h>
#include <string.h>

#include "validation/engine.h"

static bool data_is(const struct hr_check *c, int32_t type)
{
    return (int32_t)c->view.f->type == type;
}

#define STATS(name) HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__##name)

static void no_domain(hr_feature *f)
{
    f->domain_info_case = HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET);
}

static const char *label(struct hr_check *c, struct hr_slice t)
{
    return hr_check_text(c, "%.*s", (int)(t.len < 4096 ? t.len : 4096), t.text);
}

/* -- strings --------------------------------------------------------------------------- */

/* A label as the text of an anomaly shows it: control characters are escaped. */
static hr_status put_label(struct hr_buf *to, struct hr_slice t)
{
    static const char plain[] = "\n\r\t\"'\\", marks[] = "nrt\"'\\";
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < t.len; i++) {
        unsigned char ch = (unsigned char)t.text[i];
        const char *mark = ch ? strchr(plain, ch) : NULL;

        if (mark)
            r |= hr_buf_format(to, "\\%c", marks[mark - plain]);
        else if (ch < 0x20 || ch == 0x7f)
            r |= hr_buf_format(to, "\\%03o", ch);
        else
            r |= hr_buf_char(to, (char)ch);
    }
    return r;
}

static bool in_domain(const HR_MD(StringDomain) * d, struct hr_slice t)
{
    size_t i;

    for (i = 0; i < d->n_value; i++)
        if (hr_same_bytes(d->value[i].data, d->value[i].len, t.text, t.len))
            return true;
    return false;
}

static const char *missing_text(struct hr_check *c, const struct hr_token *t, size_t n)
{
    double total = (double)c->view.common->tot_num_values;
    hr_status r = HR_OK;
    char *text = NULL;
    struct hr_buf b;
    size_t i;

    hr_buf_of(&b, HR_MAX_VALUE_BYTES, c->arena->env);
    r |= hr_buf_text(&b, "Examples contain values missing from the schema: ");
    for (i = 0; i < n; i++) {
        double percent = floor(100 * t[i].n / total);

        if (i)
            r |= hr_buf_text(&b, ", ");
        r |= put_label(&b, t[i].label);
        if (!(total > 0))
            r |= hr_buf_text(&b, " (?)");
        else if (percent < 1)
            r |= hr_buf_text(&b, " (<1%)");
        else
            r |= hr_buf_format(&b, " (~%d%%)", (int)percent);
    }
    r |= hr_buf_text(&b, ". ");
    if (r == HR_OK)
        text = hr_arena_bytes(c->arena, b.text, b.len);
    hr_buf_clear(&b);
    if (!text)
        c->r = HR_EXHAUSTED;
    return text ? text : "";
}

/* false: the domain must go, for the data is not text. */
static bool strings(struct hr_check *c, const hr_feature *f, HR_MD(StringDomain) * d)
{
    const HR_MD(DistributionConstraints) *mass = f->distribution_constraints;
    float off = mass && mass->has_min_domain_mass ? (float)(1.0 - mass->min_domain_mass) : 0;
    double total = (double)c->view.common->tot_num_values, sum = 0;
    const struct hr_token *t;
    struct hr_token *lacking;
    size_t n = 0, k = 0, i;

    if (hr_view_not_utf8(&c->view)) {
        hr_reason(c, HR_ANOMALY(ENUM_TYPE_INVALID_UTF8), "Invalid UTF8 strings",
                  "Found strings that were not valid UTF8 strings.");
        return false;
    }
    t = hr_view_tokens(c->arena, &c->view, &n);
    lacking = t ? hr_arena_array(c->arena, n + 1, sizeof *lacking) : NULL;
    if (!lacking) {
        c->r = HR_EXHAUSTED;
        return true;
    }
    for (i = 0; i < n; i++)
        if (!in_domain(d, t[i].label)) {
            lacking[k++] = t[i];
            sum += t[i].n;
        }
    if (!k || (off > 0 && !(sum / total > (double)off)))
        return true;
    hr_reason(c, HR_ANOMALY(ENUM_TYPE_UNEXPECTED_STRING_VALUES), "Unexpected string values",
              missing_text(c, lacking, k));
    hr_domain_add(c, d, lacking, k);
    return true;
}

/* A domain of the schema goes, and with it from all features that name it. */
static void drop_domain(struct hr_check *c, hr_feature *f)
{
    const char *name = f->domain;
    hr_schema *s = c->schema;
    size_t i, n = 0;

    no_domain(f);
    if (c->on_copies)
        return;
    for (i = 0; i < s->n_feature; i++)
        if (s->feature[i]->domain_info_case == HR_DOMAIN(DOMAIN) &&
            !strcmp(s->feature[i]->domain, name))
            no_domain(s->feature[i]);
    for (i = 0; i < s->n_string_domain; i++)
        if (!s->string_domain[i]->name || strcmp(s->string_domain[i]->name, name) != 0)
            s->string_domain[n++] = s->string_domain[i];
    s->n_string_domain = n;
}

/* -- bool ------------------------------------------------------------------------------ */

#define NOT_BOOL "Non-boolean values"

static void bool_to_int(struct hr_check *c, hr_feature *f, int32_t type, double v)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(&c->view);
    HR_MD(IntDomain) *d = hr_pb_new(c->arena, &HR_MD_OF(int_domain));

    hr_reason(c, type, NOT_BOOL,
              hr_check_text(c, "Integers (such as %s) not in {0, 1}: converting to an integer.",
                            hr_check_g6(c, v)));
    if (!d) {
        c->r = HR_EXHAUSTED;
        return;
    }
    d->has_min = d->has_max = 1;
    d->min = hr_int_of(s->min);
    d->max = hr_int_of(s->max);
    f->domain_info_case = HR_DOMAIN(INT_DOMAIN);
    f->int_domain = d;
}

static void bool_to_float(struct hr_check *c, hr_feature *f, const char *text)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(&c->view);
    HR_MD(FloatDomain) *d = hr_pb_new(c->arena, &HR_MD_OF(float_domain));

    hr_reason(c, HR_ANOMALY(BOOL_TYPE_UNEXPECTED_FLOAT), NOT_BOOL, text);
    if (!d) {
        c->r = HR_EXHAUSTED;
        return;
    }
    d->has_min = d->has_max = 1;
    d->min = (float)s->min;
    d->max = (float)s->max;
    f->domain_info_case = HR_DOMAIN(FLOAT_DOMAIN);
    f->float_domain = d;
}

/* Why the buckets of a histogram are not of a bool; NULL: they may be. */
static const char *odd_bucket(const HR_MD(Histogram) * h)
{
    bool quantiles = h->type == HR_MD_E(HISTOGRAM__HISTOGRAM_TYPE__QUANTILES);
    size_t i;

    for (i = 0; i < h->n_buckets; i++) {
        const HR_MD(Histogram__Bucket) *b = h->buckets[i];

        if (!(b->sample_count > 0))
            continue;
        if (b->high_value < 0)
            return "Float values < 0 not in {0, 1}: converting to float_domain.";
        if (b->low_value > 1)
            return "Float values > 1 not in {0, 1}: converting to float_domain.";
        if (quantiles && b->low_value > 0 && b->high_value < 1)
            return "Float values falling between 0 and 1: converting to float_domain.";
    }
    return NULL;
}

static void bool_floats(struct hr_check *c, hr_feature *f)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(&c->view);
    const char *text = NULL;
    size_t i;

    if (!s)
        return;
    if (s->min != 0 && s->min != 1)
        text = hr_check_text(c, "Floats (such as %s) not in {0, 1}: converting to float_domain.",
                             hr_check_g6(c, s->min));
    else if (s->max != 0 && s->max != 1)
        text = hr_check_text(c, "Floats (such as %s) not in {0, 1}: converting to float_domain.",
                             hr_check_g6(c, s->max));
    else if (hr_view_nan(&c->view))
        text = "Floats (such as NaN) not in {0, 1}: converting to float_domain.";
    for (i = 0; i < s->n_histograms && !text; i++)
        text = odd_bucket(s->histograms[i]);
    if (text)
        bool_to_float(c, f, text);
}

static bool bytes_are(const ProtobufCBinaryData *b, struct hr_slice t)
{
    return hr_same_bytes(b->data, b->len, t.text, t.len);
}

static const char *bool_values(struct hr_check *c, const HR_MD(BoolDomain) * d)
{
    struct hr_slice yes = { (const char *)d->true_value.data, d->true_value.len };
    struct hr_slice no = { (const char *)d->false_value.data, d->false_value.len };
    bool swap = d->has_true_value && d->has_false_value &&
                hr_bytes_compare(yes.text, yes.len, no.text, no.len) > 0;
    struct hr_slice first = d->has_true_value && !swap ? yes : no;
    struct hr_slice last = swap ? yes : no;

    if (!d->has_true_value && !d->has_false_value)
        return "{}";
    if (!d->has_true_value || !d->has_false_value)
        return hr_check_text(c, "{\"%s\"}", label(c, d->has_true_value ? yes : no));
    return hr_check_text(c, "{\"%s\", \"%s\"}", label(c, first), label(c, last));
}

static void bool_strings(struct hr_check *c, hr_feature *f)
{
    const HR_MD(BoolDomain) *d = f->bool_domain;
    size_t n = 0, i;
    const struct hr_token *t = hr_view_tokens(c->arena, &c->view, &n);

    for (i = 0; t && i < n; i++) {
        if ((d->has_true_value && bytes_are(&d->true_value, t[i].label)) ||
            (d->has_false_value && bytes_are(&d->false_value, t[i].label)))
            continue;
        hr_reason(c, HR_ANOMALY(BOOL_TYPE_UNEXPECTED_STRING), NOT_BOOL,
                  hr_check_text(c, "Saw unexpected value \"%s\" instead of %s.",
                                label(c, t[i].label), bool_values(c, d)));
        no_domain(f);
        return;
    }
    if (!t)
        c->r = HR_EXHAUSTED;
}

static void bools(struct hr_check *c, hr_feature *f)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(&c->view);

    if (data_is(c, STATS(FLOAT))) {
        bool_floats(c, f);
    } else if (data_is(c, STATS(STRING))) {
        bool_strings(c, f);
    } else if (data_is(c, STATS(INT)) && s) {
        if (s->min < 0)
            bool_to_int(c, f, HR_ANOMALY(BOOL_TYPE_SMALL_INT), s->min);
        else if (s->max > 1)
            bool_to_int(c, f, HR_ANOMALY(BOOL_TYPE_BIG_INT), s->max);
    }
}

/* -- integers ---------------------------------------------------------------------------- */

/* As a processor of today casts: what does not fit is the least integer. */
int64_t hr_int_of(double v)
{
    return v >= -9223372036854775808.0 && v < 9223372036854775808.0 ? (int64_t)v : INT64_MIN;
}

static void int_range(struct hr_check *c, HR_MD(IntDomain) * d, int64_t min, int64_t max)
{
    if (d->has_min && min < d->min) {
        hr_reason(c, HR_ANOMALY(INT_TYPE_SMALL_INT), "Out-of-range values",
                  hr_check_text(c, "Unexpectedly small value: %lld.", (long long)min));
        d->min = min;
    }
    if (d->has_max && max > d->max) {
        hr_reason(c, HR_ANOMALY(INT_TYPE_BIG_INT), "Out-of-range values",
                  hr_check_text(c, "Unexpectedly large value: %lld.", (long long)max));
        d->max = max;
    }
}

static void int_tokens(struct hr_check *c, hr_feature *f)
{
    size_t n = 0, i;
    const struct hr_token *t = hr_view_tokens(c->arena, &c->view, &n);
    int64_t v, min = INT64_MAX, max = INT64_MIN;

    if (!t)
        c->r = HR_EXHAUSTED;
    for (i = 0; t && i < n; i++) {
        if (!hr_token_int(t[i].label, &v)) {
            hr_reason(c, HR_ANOMALY(INT_TYPE_NOT_INT_STRING), "Invalid values",
                      hr_check_text(c,
                                    "String values that were not ints were found, such as "
                                    "\"%s\".",
                                    label(c, t[i].label)));
            no_domain(f);
            return;
        }
        min = v < min ? v : min;
        max = v > max ? v : max;
    }
    if (n)
        int_range(c, f->int_domain, min, max);
}

static void ints(struct hr_check *c, hr_feature *f)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(&c->view);
    HR_MD(IntDomain) *d = f->int_domain;
    double odd;

    if (data_is(c, STATS(FLOAT)))
        return;
    if (data_is(c, STATS(STRUCT)) || data_is(c, STATS(BYTES))) {
        hr_reason(
            c, HR_ANOMALY(DOMAIN_INVALID_FOR_TYPE), "Invalid values",
            hr_check_text(c, "IntDomain incompatible with feature type %d", (int)c->view.f->type));
        no_domain(f);
        return;
    }
    if (!s) {
        int_tokens(c, f);
        return;
    }
    if (!data_is(c, STATS(INT)) || (!d->has_min && !d->has_max))
        return;
    if (s->min < -9223372036854775808.0 || s->max > 9223372036854775808.0) {
        odd = s->min < -9223372036854775808.0 ? s->min : s->max;
        hr_reason(c, HR_ANOMALY(DOMAIN_INVALID_FOR_TYPE), "Invalid values",
                  hr_check_text(c, "Integer had values that were not valid Int64, such as \"%s\".",
                                hr_check_g6(c, odd)));
        no_domain(f);
        return;
    }
    int_range(c, d, hr_int_of(s->min), hr_int_of(s->max));
}

/* -- floats -------------------------------------------------------------------------------- */

/* Numbers as they were seen: nan and inf tell whether there were any. */
static void float_range(struct hr_check *c, HR_MD(FloatDomain) * d, double least, double most,
                        bool inf)
{
    float min = (float)least, max = (float)most;

    if (d->has_min && min < d->min) {
        hr_reason(c, HR_ANOMALY(FLOAT_TYPE_SMALL_FLOAT), "Out-of-range values",
                  hr_check_text(c, "Unexpectedly low values: %s<%s(upto six significant digits)",
                                hr_check_g6(c, (double)min), hr_check_g6(c, (double)d->min)));
        d->min = min;
    }
    if (d->has_max && max > d->max) {
        hr_reason(c, HR_ANOMALY(FLOAT_TYPE_BIG_FLOAT), "Out-of-range values",
                  hr_check_text(c, "Unexpectedly high value: %s>%s(upto six significant digits)",
                                hr_check_g6(c, (double)max), hr_check_g6(c, (double)d->max)));
        d->max = max;
    }
    if (d->disallow_inf && inf) {
        hr_reason(c, HR_ANOMALY(FLOAT_TYPE_HAS_INF), "Invalid values",
                  "Float feature has Inf values.");
        d->disallow_inf = 0;
    }
}

static void float_nan(struct hr_check *c, HR_MD(FloatDomain) * d)
{
    if (!d->disallow_nan)
        return;
    hr_reason(c, HR_ANOMALY(FLOAT_TYPE_HAS_NAN), "Invalid values", "Float feature has NaN values.");
    d->disallow_nan = 0;
}

static void float_tokens(struct hr_check *c, hr_feature *f)
{
    size_t n = 0, i;
    const struct hr_token *t = hr_view_tokens(c->arena, &c->view, &n);
    double v, min = INFINITY, max = -INFINITY;
    bool inf = false, nan = false;
    struct hr_slice odd = { NULL, 0 };

    if (!t)
        c->r = HR_EXHAUSTED;
    for (i = 0; t && i < n; i++) {
        if (!hr_token_float(t[i].label, &v)) {
            odd = odd.text ? odd : t[i].label;
            continue;
        }
        nan |= isnan(v);
        inf |= isinf(v);
        min = v < min ? v : min;
        max = v > max ? v : max;
    }
    if (nan)
        float_nan(c, f->float_domain);
    if (odd.text) {
        hr_reason(c, HR_ANOMALY(FLOAT_TYPE_STRING_NOT_FLOAT), "Invalid values",
                  hr_check_text(c, "String values that were not floats were found, such as \"%s\".",
                                label(c, odd)));
        no_domain(f);
        return;
    }
    if (min <= max)
        float_range(c, f->float_domain, min, max, inf);
}

static void floats(struct hr_check *c, hr_feature *f)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(&c->view);

    if (data_is(c, STATS(STRING))) {
        float_tokens(c, f);
        return;
    }
    if (!data_is(c, STATS(FLOAT)) || !s)
        return;
    if (hr_view_nan(&c->view))
        float_nan(c, f->float_domain);
    float_range(c, f->float_domain, s->min, s->max, isinf(s->min) || isinf(s->max));
}

/* -- images -------------------------------------------------------------------------------- */

/* The largest image; its formats are in a custom statistic that images have. */
static void images(struct hr_check *c, hr_feature *f)
{
    HR_MD(ImageDomain) *d = f->image_domain;
    int64_t most = c->view.f->stats_case == HR_MD_E(FEATURE_NAME_STATISTICS__STATS_BYTES_STATS)
                       ? c->view.f->bytes_stats->max_num_bytes_int
                       : 0;

    if (!d->has_max_image_byte_size || most <= d->max_image_byte_size)
        return;
    hr_reason(c, HR_ANOMALY(MAX_IMAGE_BYTE_SIZE_EXCEEDED), "Num bytes exceeds the max byte size.",
              hr_check_text(c,
                            "The largest image has bytes: %lld. The max allowed byte size is: "
                            "%lld.",
                            (long long)most, (long long)d->max_image_byte_size));
    d->max_image_byte_size = most;
}

void hr_check_values(struct hr_check *c, hr_feature *f)
{
    HR_MD(StringDomain) * d;

    switch (f->domain_info_case) {
    case HR_DOMAIN(DOMAIN):
        d = hr_check_domain(c, f->domain);
        if (d && !strings(c, f, d))
            drop_domain(c, f);
        break;
    case HR_DOMAIN(STRING_DOMAIN):
        if (!strings(c, f, f->string_domain))
            no_domain(f);
        break;
    case HR_DOMAIN(BOOL_DOMAIN):
        bools(c, f);
        break;
    case HR_DOMAIN(INT_DOMAIN):
        ints(c, f);
        break;
    case HR_DOMAIN(FLOAT_DOMAIN):
        floats(c, f);
        break;
    case HR_DOMAIN(IMAGE_DOMAIN):
        images(c, f);
        break;
    case HR_MD_E(FEATURE__DOMAIN_INFO__NOT_SET):
        if (hr_feature_semantic(c, f))
            hr_reason(c, HR_ANOMALY(SEMANTIC_DOMAIN_UPDATE), "Updated semantic domain",
                      hr_check_text(c, "Updated semantic domain for feature: %s", f->name));
        break;
    default:
        break;
    }
}
