#include "analysis/verdict.h"

#include <math.h>
#include <string.h>

#include "analysis/plan.h"
#include "analysis/slices.h"

#define PAIR HR_MA(MetricsForSlice__MetricKeyAndValue)

/* A threshold of a metric, with the slices it is for. */
struct rule {
    const char *name; /* of the metric, or of its class */
    const HR_MA(MetricsSpec) * spec;
    const HR_MA(SlicingSpec) * slices; /* NULL: of all slices */
    const HR_MA(MetricThreshold) * threshold;
};

struct maker {
    struct hr_arena *arena;
    const hr_eval_config *config;
    struct rule *rules;
    size_t n;
    hr_verdict *out;
};

/* -- rules ------------------------------------------------------------------------------ */

static bool add_rule(struct maker *m, const struct rule *r)
{
    struct rule *to =
        r->threshold ? hr_pb_push(m->arena, (void **)&m->rules, &m->n, sizeof *to) : NULL;

    if (to)
        *to = *r;
    return to || !r->threshold;
}

static bool add_per_slice(struct maker *m, struct rule r,
                          HR_MA(PerSliceMetricThreshold) *const *list, size_t n)
{
    size_t i, k;

    for (i = 0; i < n; i++)
        for (k = 0; k < list[i]->n_slicing_specs; k++) {
            r.slices = list[i]->slicing_specs[k];
            r.threshold = list[i]->threshold;
            if (!add_rule(m, &r))
                return false;
        }
    return true;
}

static bool rules_of_spec(struct maker *m, const HR_MA(MetricsSpec) * s)
{
    struct rule r = { .spec = s };
    size_t i;

    for (i = 0; i < s->n_metrics; i++) {
        const HR_MA(MetricConfig) *c = s->metrics[i];

        r.name = hr_metric_name(m->arena, c);
        r.threshold = c->threshold;
        r.slices = NULL;
        if (!r.name || !add_rule(m, &r) ||
            !add_per_slice(m, r, c->per_slice_thresholds, c->n_per_slice_thresholds))
            return false;
    }
    for (i = 0; i < s->n_thresholds; i++) {
        r.name = s->thresholds[i]->key ? s->thresholds[i]->key : "";
        r.threshold = s->thresholds[i]->value;
        r.slices = NULL;
        if (!add_rule(m, &r))
            return false;
    }
    for (i = 0; i < s->n_per_slice_thresholds; i++) {
        const HR_MA(PerSliceMetricThresholds) *v = s->per_slice_thresholds[i]->value;

        r.name = s->per_slice_thresholds[i]->key ? s->per_slice_thresholds[i]->key : "";
        if (v && !add_per_slice(m, r, v->thresholds, v->n_thresholds))
            return false;
    }
    return true;
}

static hr_status rules_of(struct maker *m, const hr_eval_config *c)
{
    size_t i;

    m->rules = NULL;
    m->n = 0;
    for (i = 0; i < c->n_metrics_specs; i++)
        if (!rules_of_spec(m, c->metrics_specs[i]))
            return HR_EXHAUSTED;
    return HR_OK;
}

/* -- one check ----------------------------------------------------------------------------- */

static bool names_model(const struct maker *m, const struct rule *r, const char *model)
{
    size_t i;

    for (i = 0; i < m->config->n_model_specs; i++)
        if (m->config->model_specs[i]->is_baseline &&
            !strcmp(hr_model_name(m->config->model_specs[i]), model))
            return false;
    for (i = 0; i < r->spec->n_model_names; i++)
        if (!strcmp(r->spec->model_names[i], model))
            return true;
    return !r->spec->n_model_names;
}

static bool in_list(const HR_MA(RepeatedInt32Value) * list, const HR_MA(Int32Value) * v)
{
    size_t i;

    for (i = 0; list && v && i < list->n_values; i++)
        if (list->values[i] == v->value)
            return true;
    return false;
}

/* Is a metric of the spec that the rule stands in: its sub keys and its aggregation? */
static bool of_spec(const HR_MA(MetricsSpec) * s, const HR_MA(MetricKey) * k)
{
    if (k->aggregation_type)
        return s->aggregate && (int)s->aggregate->type_case == (int)k->aggregation_type->type_case;
    if (k->sub_key)
        return s->binarize && (in_list(s->binarize->class_ids, k->sub_key->class_id) ||
                               in_list(s->binarize->k_list, k->sub_key->k) ||
                               in_list(s->binarize->top_k_list, k->sub_key->top_k));
    return !s->aggregate && !s->binarize;
}

static bool is_of(const struct maker *m, const struct rule *r, const HR_MA(MetricKey) * k,
                  bool is_diff)
{
    return !strcmp(k->name ? k->name : "", r->name) && (k->is_diff != 0) == is_diff &&
           names_model(m, r, k->model_name ? k->model_name : "") && of_spec(r->spec, k);
}

static bool same_number(const HR_MA(Int32Value) * a, const HR_MA(Int32Value) * b)
{
    return a && b ? a->value == b->value : !a == !b;
}

static bool same_sub(const HR_MA(SubKey) * a, const HR_MA(SubKey) * b)
{
    return a && b ? same_number(a->class_id, b->class_id) && same_number(a->k, b->k) &&
                        same_number(a->top_k, b->top_k)
                  : !a == !b;
}

static bool is_weighted(const HR_MA(MetricKey) * k)
{
    return k->example_weighted && k->example_weighted->value;
}

/* Are two keys one but for being a difference? */
static bool same_metric(const HR_MA(MetricKey) * a, const HR_MA(MetricKey) * b)
{
    const HR_MA(AggregationType) *x = a->aggregation_type, *y = b->aggregation_type;

    return hr_text_eq(a->name, b->name) && hr_text_eq(a->model_name, b->model_name) &&
           same_sub(a->sub_key, b->sub_key) && is_weighted(a) == is_weighted(b) &&
           (x && y ? x->type_case == y->type_case : !x == !y);
}

static const PAIR *value_of(const HR_MA(MetricsForSlice) * s, const HR_MA(MetricKey) * like)
{
    size_t i;

    for (i = 0; i < s->n_metric_keys_and_values; i++) {
        const HR_MA(MetricKey) *k = s->metric_keys_and_values[i]->key;

        if (!k->is_diff && same_metric(k, like))
            return s->metric_keys_and_values[i];
    }
    return NULL;
}

/* The value of the candidate that a difference belongs to. */
static double base_of(const HR_MA(MetricsForSlice) * s, const PAIR *diff)
{
    const PAIR *v = value_of(s, diff->key);

    if (!v || v->value->type_case != HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE))
        return NAN;
    return v->value->double_value->value - diff->value->double_value->value;
}

static bool value_ok(const HR_MA(GenericValueThreshold) * t, double v)
{
    double low = t->lower_bound ? t->lower_bound->value : -INFINITY;
    double high = t->upper_bound ? t->upper_bound->value : INFINITY;

    return v >= low && v <= high;
}

/* false in *ret_can: there is no direction to judge by. */
static bool change_ok(const HR_MA(GenericChangeThreshold) * t, double diff, double base,
                      bool *ret_can)
{
    bool lower = t->direction == HR_MA_E(METRIC_DIRECTION__LOWER_IS_BETTER);
    bool higher = t->direction == HR_MA_E(METRIC_DIRECTION__HIGHER_IS_BETTER);
    double ratio = fabs(base) > 1e-10 ? diff / base : NAN;
    bool ok = true;

    *ret_can = lower || higher || (!t->absolute && !t->relative);
    if (t->absolute)
        ok = lower ? diff <= t->absolute->value : diff >= t->absolute->value;
    if (t->relative)
        ok = ok && (lower ? ratio <= t->relative->value : ratio >= t->relative->value);
    return ok;
}

/* -- failures -------------------------------------------------------------------------------- */

static HR_MA(MetricThreshold) * half(struct maker *m, const HR_MA(MetricThreshold) * t, bool change)
{
    HR_MA(MetricThreshold) *h = hr_pb_new(m->arena, &HR_MA_OF(metric_threshold));

    if (!h)
        return NULL;
    if (change) {
        h->validate_relative_case = t->validate_relative_case;
        h->change_threshold = t->change_threshold;
    } else {
        h->validate_absolute_case = t->validate_absolute_case;
        h->value_threshold = t->value_threshold;
    }
    return h;
}

static bool same_failure(struct maker *m, const HR_MA(ValidationFailure) * a,
                         const HR_MA(ValidationFailure) * b)
{
    struct hr_buf x, y;
    bool same;

    hr_buf_of(&x, HR_MAX_VALUE_BYTES, m->arena->env);
    hr_buf_of(&y, HR_MAX_VALUE_BYTES, m->arena->env);
    same = hr_pb_write(m->arena->env, &a->base, &x) == HR_OK &&
           hr_pb_write(m->arena->env, &b->base, &y) == HR_OK && x.len == y.len &&
           !memcmp(x.text, y.text, x.len);
    hr_buf_clear(&x);
    hr_buf_clear(&y);
    return same;
}

struct finding {
    const HR_MA(MetricsForSlice) * slice;
    HR_MA(MetricsValidationForSlice) * to; /* NULL: nothing has failed yet */
    size_t first;                          /* failure of this slice */
};

static hr_status add_failure(struct maker *m, struct finding *f, HR_MA(MetricKey) * key,
                             HR_MA(MetricThreshold) * threshold, HR_MA(MetricValue) * value,
                             const char *message)
{
    HR_MA(ValidationFailure) *x = hr_pb_new(m->arena, &HR_MA_OF(validation_failure));
    HR_MA(ValidationFailure) * *place;
    size_t i;

    if (!x || !threshold)
        return HR_EXHAUSTED;
    x->metric_key = key;
    x->metric_threshold = threshold;
    x->metric_value = value;
    x->message = (char *)(uintptr_t)message;
    if (!f->to) {
        f->to = HR_PB_ADD(m->arena, m->out, metric_validations_per_slice,
                          &HR_MA_OF(metrics_validation_for_slice));
        if (!f->to)
            return HR_EXHAUSTED;
        f->to->slice_key_oneof_case =
            HR_MA_E(METRICS_VALIDATION_FOR_SLICE__SLICE_KEY_ONEOF_SLICE_KEY);
        f->to->slice_key = f->slice->slice_key;
    }
    for (i = 0; i < f->to->n_failures; i++)
        if (same_failure(m, f->to->failures[i], x))
            return HR_OK;
    place = HR_PB_PUSH(m->arena, f->to, failures);
    if (!place)
        return HR_EXHAUSTED;
    *place = x;
    return HR_OK;
}

static const char *not_comparable(struct maker *m, const PAIR *p, const HR_MA(MetricThreshold) * t)
{
    const char *text;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_VALUE_BYTES, m->arena->env);
    hr_buf_text(&b, "Invalid metrics or threshold for comparison: The type of the metric is: ");
    hr_buf_text(&b, p->value->type_case == HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE) ? "float"
                                                                                    : "object");
    hr_buf_text(&b, ", the metric value is: ");
    hr_pb_text_write(m->arena->env, &p->value->base, &b);
    hr_buf_text(&b, ", and the threshold is: ");
    hr_pb_text_write(m->arena->env, &t->base, &b);
    hr_buf_char(&b, '.');
    text = hr_buf_whole(&b) ? hr_arena_bytes(m->arena, b.text, b.len) : NULL;
    hr_buf_clear(&b);
    return text;
}

/* One metric of a slice against one half of a threshold. */
static hr_status judge(struct maker *m, struct finding *f, const struct rule *r, const PAIR *p,
                       bool change)
{
    bool number = p->value->type_case == HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE), can = true, ok;
    HR_MA(MetricThreshold) *t = half(m, r->threshold, change);
    const char *message = NULL;
    double v = number ? p->value->double_value->value : NAN;

    if (!t)
        return HR_EXHAUSTED;
    if (change)
        ok = change_ok(t->change_threshold, v, number ? base_of(f->slice, p) : NAN, &can);
    else
        ok = value_ok(t->value_threshold, v);
    if (!number || !can) {
        message = not_comparable(m, p, t);
        if (!message)
            return HR_EXHAUSTED;
        ok = false;
    }
    return ok ? HR_OK : add_failure(m, f, p->key, t, p->value, message);
}

static hr_status not_found(struct maker *m, struct finding *f, const struct rule *r, bool change)
{
    HR_MA(MetricKey) *key = hr_pb_new(m->arena, &HR_MA_OF(metric_key));
    size_t i;

    if (!key || !(key->example_weighted = hr_pb_new(m->arena, &HR_MA_OF(bool_value))))
        return HR_EXHAUSTED;
    key->name = (char *)(uintptr_t)r->name;
    for (i = 0; i < m->config->n_model_specs; i++)
        if (!m->config->model_specs[i]->is_baseline && *hr_model_name(m->config->model_specs[i]))
            key->model_name = m->config->model_specs[i]->name;
    key->has_is_diff = key->is_diff = change;
    return add_failure(m, f, key, half(m, r->threshold, change), NULL, "Metric not found.");
}

/* One half of a rule on a slice.  *ret_checked: some metric was judged. */
static hr_status apply(struct maker *m, struct finding *f, const struct rule *r, bool change,
                       bool *ret_checked)
{
    bool matches = !r->slices || hr_slice_matches(r->slices, f->slice->slice_key), found = false;
    hr_status s = HR_OK;
    size_t i;

    for (i = 0; i < f->slice->n_metric_keys_and_values && s == HR_OK; i++) {
        const PAIR *p = f->slice->metric_keys_and_values[i];

        if (!is_of(m, r, p->key, change))
            continue;
        found = true;
        if (matches) {
            s = judge(m, f, r, p, change);
            *ret_checked = true;
        }
    }
    if (s == HR_OK && !found)
        s = not_found(m, f, r, change);
    return s;
}

/* -- details ----------------------------------------------------------------------------------- */

static bool same_spec(struct maker *m, const HR_MA(SlicingSpec) * a, const HR_MA(SlicingSpec) * b)
{
    struct hr_buf x, y;
    bool same;

    hr_buf_of(&x, HR_MAX_VALUE_BYTES, m->arena->env);
    hr_buf_of(&y, HR_MAX_VALUE_BYTES, m->arena->env);
    same = hr_pb_text_write(m->arena->env, &a->base, &x) == HR_OK &&
           hr_pb_text_write(m->arena->env, &b->base, &y) == HR_OK && !strcmp(x.text, y.text);
    hr_buf_clear(&x);
    hr_buf_clear(&y);
    return same;
}

static const HR_MA(SlicingSpec) * spec_of(struct maker *m, const struct rule *r)
{
    return r->slices ? r->slices : hr_pb_new(m->arena, &HR_MA_OF(slicing_spec));
}

/* The details of a spec, made if they are not there. */
static HR_MA(SlicingDetails) * details(struct maker *m, const HR_MA(SlicingSpec) * spec, bool make)
{
    HR_MA(ValidationDetails) *d = m->out->validation_details;
    HR_MA(SlicingDetails) * x;
    size_t i;

    for (i = 0; d && i < d->n_slicing_details; i++)
        if (same_spec(m, d->slicing_details[i]->slicing_spec, spec))
            return d->slicing_details[i];
    if (!make)
        return NULL;
    if (!d)
        d = m->out->validation_details = hr_pb_new(m->arena, &HR_MA_OF(validation_details));
    x = d ? HR_PB_ADD(m->arena, d, slicing_details, &HR_MA_OF(slicing_details)) : NULL;
    if (x) {
        x->slicing_spec_oneof_case = HR_MA_E(SLICING_DETAILS__SLICING_SPEC_ONEOF_SLICING_SPEC);
        x->slicing_spec = (HR_MA(SlicingSpec) *)(uintptr_t)spec;
    }
    return x;
}

/* By a rule's thresholds; *checked: one of them is for this slice. */
static hr_status apply_both(struct maker *m, struct finding *f, const struct rule *x,
                            bool *checked)
{
    hr_status r = HR_OK;

    *checked = false;
    if (x->threshold->validate_absolute_case !=
        HR_MA_E(METRIC_THRESHOLD__VALIDATE_ABSOLUTE__NOT_SET))
        r = apply(m, f, x, false, checked);
    if (r == HR_OK && x->threshold->validate_relative_case !=
                          HR_MA_E(METRIC_THRESHOLD__VALIDATE_RELATIVE__NOT_SET))
        r = apply(m, f, x, true, checked);
    return r;
}

/* Was one of the rules before i that were checked for the same slices? */
static bool counted_before(struct maker *m, const bool *checked, size_t i,
                           const HR_MA(SlicingSpec) * spec)
{
    size_t k;

    for (k = 0; spec && k < i; k++)
        if (checked[k] && same_spec(m, spec_of(m, &m->rules[k]), spec))
            return true;
    return false;
}

static hr_status one_slice(struct maker *m, const HR_MA(MetricsForSlice) * slice, bool *checked)
{
    struct finding f = { .slice = slice };
    HR_MA(SlicingDetails) * d;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < m->n && r == HR_OK; i++)
        r = apply_both(m, &f, &m->rules[i], &checked[i]);
    for (i = 0; i < m->n && r == HR_OK; i++) {
        const HR_MA(SlicingSpec) *spec = checked[i] ? spec_of(m, &m->rules[i]) : NULL;

        /* Once a slice, however many metrics were judged by it. */
        if (!checked[i] || counted_before(m, checked, i, spec))
            continue;
        if (!spec || !(d = details(m, spec, true)))
            return HR_EXHAUSTED;
        d->has_num_matching_slices = 1;
        d->num_matching_slices++;
    }
    return r;
}

/* Specs of thresholds that no slice has met. */
static hr_status missing(struct maker *m, const hr_eval_config *given)
{
    HR_MA(SlicingSpec) * *place;
    hr_status r = rules_of(m, given);
    size_t i, k;

    for (i = 0; i < m->n && r == HR_OK; i++) {
        const HR_MA(SlicingSpec) *spec = spec_of(m, &m->rules[i]);

        if (!spec)
            return HR_EXHAUSTED;
        if (details(m, spec, false))
            continue;
        for (k = 0; k < m->out->n_missing_slices; k++)
            if (same_spec(m, m->out->missing_slices[k], spec))
                break;
        if (k < m->out->n_missing_slices)
            continue;
        place = HR_PB_PUSH(m->arena, m->out, missing_slices);
        if (!place)
            return HR_EXHAUSTED;
        *place = (HR_MA(SlicingSpec) *)(uintptr_t)spec;
    }
    return r;
}

hr_status hr_verdict_make(struct hr_arena *arena, const struct hr_evaluation *evaluation,
                          const hr_eval_config *checked, const hr_eval_config *given,
                          hr_verdict **ret)
{
    struct maker m = { .arena = arena, .config = checked };
    hr_status r = rules_of(&m, checked);
    bool *done, ok;
    size_t i;

    m.out = hr_pb_new(arena, &HR_MA_OF(validation_result));
    done = hr_arena_array(arena, m.n + 1, sizeof *done);
    if (r < 0 || !m.out || !done)
        return HR_EXHAUSTED;
    for (i = 0; i < evaluation->n && r == HR_OK; i++)
        r = one_slice(&m, evaluation->slices[i], done);
    if (r == HR_OK && hr_eval_config_decides(given))
        r = missing(&m, given);
    else if (r == HR_OK)
        m.out->has_missing_thresholds = m.out->missing_thresholds = 1;
    if (r == HR_OK && !hr_arena_whole(arena))
        r = HR_EXHAUSTED;
    if (r < 0)
        return r;
    ok = !m.out->missing_thresholds && !m.out->n_metric_validations_per_slice &&
         !m.out->n_missing_slices && evaluation->n;
    m.out->has_validation_ok = m.out->validation_ok = ok;
    *ret = m.out;
    return HR_OK;
}

/* -- for people ---------------------------------------------------------------------------- */

static hr_status put_number(struct hr_buf *to, double v)
{
    char text[HR_NUM_TEXT];

    hr_num_put_digits(text, v, 6);
    return hr_buf_text(to, text);
}

static hr_status put_threshold(struct hr_buf *to, const HR_MA(MetricThreshold) * t)
{
    const HR_MA(GenericValueThreshold) *v =
        t->validate_absolute_case == HR_MA_E(METRIC_THRESHOLD__VALIDATE_ABSOLUTE_VALUE_THRESHOLD)
            ? t->value_threshold
            : NULL;
    const HR_MA(GenericChangeThreshold) *c =
        t->validate_relative_case == HR_MA_E(METRIC_THRESHOLD__VALIDATE_RELATIVE_CHANGE_THRESHOLD)
            ? t->change_threshold
            : NULL;
    hr_status r = HR_OK;

    if (v && v->lower_bound) {
        r |= hr_buf_text(to, ", wanted at least ");
        r |= put_number(to, v->lower_bound->value);
    }
    if (v && v->upper_bound) {
        r |= hr_buf_text(to, v->lower_bound ? " and at most " : ", wanted at most ");
        r |= put_number(to, v->upper_bound->value);
    }
    if (!c)
        return r;
    r |= hr_buf_format(to, ", wanted a change of at %s ",
                       c->direction == HR_MA_E(METRIC_DIRECTION__LOWER_IS_BETTER) ? "most"
                                                                                  : "least");
    if (c->absolute)
        r |= put_number(to, c->absolute->value);
    if (c->relative) {
        r |= hr_buf_text(to, c->absolute ? " and, relative, " : "(relative) ");
        r |= put_number(to, c->relative->value);
    }
    return r;
}

/* Which of the metrics of a name: of a class, a rank, an average. */
static hr_status put_which(struct hr_buf *to, const HR_MA(MetricKey) * k)
{
    static const char *const averages[] = { "", "micro", "macro", "weighted macro" };
    hr_status r = HR_OK;

    if (k->sub_key && k->sub_key->class_id)
        r |= hr_buf_format(to, " for class %d", (int)k->sub_key->class_id->value);
    if (k->sub_key && k->sub_key->k)
        r |= hr_buf_format(to, " for k %d", (int)k->sub_key->k->value);
    if (k->sub_key && k->sub_key->top_k)
        r |= hr_buf_format(to, " for top %d", (int)k->sub_key->top_k->value);
    if (k->aggregation_type && k->aggregation_type->type_case <= 3)
        r |= hr_buf_format(to, " (%s average)", averages[k->aggregation_type->type_case]);
    return r;
}

static hr_status put_failure(const HR_MA(MetricsValidationForSlice) * s,
                             const HR_MA(ValidationFailure) * f, struct hr_buf *to)
{
    bool is_diff = f->metric_key->is_diff;
    hr_status r;

    r = hr_buf_text(to, f->metric_key->name);
    r |= put_which(to, f->metric_key);
    r |= hr_buf_text(to, is_diff ? " against the baseline of " : " of ");
    if (s->slice_key)
        r |= hr_slice_text(s->slice_key, to);
    if (!f->metric_value) {
        r |= hr_buf_text(to, " was not computed");
    } else if (f->metric_value->type_case != HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE)) {
        r |= hr_buf_text(to, " cannot be compared");
    } else {
        r |= hr_buf_text(to, is_diff ? " changed by " : " is ");
        r |= put_number(to, f->metric_value->double_value->value);
    }
    if (f->metric_threshold)
        r |= put_threshold(to, f->metric_threshold);
    return r | hr_buf_char(to, '\n');
}

static hr_status put_missing(const HR_MA(SlicingSpec) * s, struct hr_buf *to)
{
    hr_status r = hr_buf_text(to, "a threshold is for a slice that is not in the data:");
    size_t k;

    for (k = 0; k < s->n_feature_keys; k++)
        r |= hr_buf_format(to, " %s", s->feature_keys[k]);
    for (k = 0; k < s->n_feature_values; k++)
        r |= hr_buf_format(to, " %s=%s", s->feature_values[k]->key, s->feature_values[k]->value);
    return r | hr_buf_text(to, s->n_feature_keys + s->n_feature_values ? "\n" : " all rows\n");
}

hr_status hr_verdict_reasons(struct hr_env *env, const hr_verdict *v, struct hr_buf *to)
{
    size_t i, k, len = to->len;
    hr_status r = HR_OK;

    if (v->missing_thresholds)
        r |= hr_buf_text(to, "no thresholds are configured\n");
    for (i = 0; i < v->n_metric_validations_per_slice; i++) {
        const HR_MA(MetricsValidationForSlice) *s = v->metric_validations_per_slice[i];

        for (k = 0; k < s->n_failures; k++)
            r |= put_failure(s, s->failures[k], to);
    }
    for (i = 0; i < v->n_missing_slices; i++)
        r |= put_missing(v->missing_slices[i], to);
    if (!v->validation_ok && to->len == len)
        r |= hr_buf_text(to, "there are no rows to evaluate\n");
    if (r == HR_OK)
        return HR_OK;
    hr_buf_cut(to, len);
    return hr_fail_memory(env);
}

static const HR_MA(MetricsForSlice) * overall(const struct hr_evaluation *e)
{
    size_t i;

    for (i = 0; i < e->n; i++)
        if (!e->slices[i]->slice_key->n_single_slice_keys)
            return e->slices[i];
    return NULL;
}

static void put_pair(struct hr_buf *to, const PAIR *p, const HR_MA(GenericValueThreshold) * t)
{
    char text[HR_NUM_TEXT];

    hr_num_put_fixed(text, p->value->double_value->value, 2);
    hr_buf_format(to, "%s %s", p->key->name, text);
    if (t && t->lower_bound) {
        hr_num_put_fixed(text, t->lower_bound->value, 2);
        hr_buf_format(to, " %s %s",
                      p->value->double_value->value >= t->lower_bound->value ? ">=" : "<", text);
    } else if (t && t->upper_bound) {
        hr_num_put_fixed(text, t->upper_bound->value, 2);
        hr_buf_format(to, " %s %s",
                      p->value->double_value->value <= t->upper_bound->value ? "<=" : ">", text);
    }
}

hr_status hr_verdict_line(struct hr_env *env, const struct hr_evaluation *evaluation,
                          const hr_eval_config *checked, const char *baseline_name,
                          struct hr_buf *to)
{
    const HR_MA(MetricsForSlice) *s = overall(evaluation);
    struct maker m = { .config = checked };
    struct hr_arena arena;
    char text[HR_NUM_TEXT];
    const HR_MA(MetricKey) *named = NULL;
    const PAIR *p;
    hr_status r;
    size_t i, k;

    hr_arena_init(&arena, env, 0);
    m.arena = &arena;
    r = rules_of(&m, checked);
    for (i = 0; r == HR_OK && s && i < m.n && !named; i++)
        for (k = 0; k < s->n_metric_keys_and_values; k++) {
            const HR_MA(GenericValueThreshold) *t = m.rules[i].threshold->validate_absolute_case
                                                        ? m.rules[i].threshold->value_threshold
                                                        : NULL;

            p = s->metric_keys_and_values[k];
            if (p->value->type_case != HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE))
                continue;
            if (!named && is_of(&m, &m.rules[i], p->key, false)) {
                put_pair(to, p, t);
                named = p->key;
            } else if (named && p->key->is_diff && same_metric(named, p->key)) {
                hr_num_put_fixed(text, p->value->double_value->value, 2);
                hr_buf_format(to, ", %s%s vs %s", *text == '-' ? "" : "+", text,
                              baseline_name ? baseline_name : "the baseline");
            }
        }
    hr_arena_clear(&arena);
    return r;
}
