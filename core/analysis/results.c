#include "analysis/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/types.h"

/* Scalars that are zero are not set, as in messages of the third syntax. */
#define SET(m, field, v) ((m)->field = (v), (m)->has_##field = (m)->field != 0)

struct maker {
    struct hr_arena *arena;
    const struct hr_plan *p;
    const struct hr_gathered *g;
    struct hr_matrices *matrices; /* by computation; n 0: not made */
};

static double over(double a, double b)
{
    return b != 0 ? a / b : NAN;
}

static HR_MA(MetricValue) * double_value(struct hr_arena *arena, double v)
{
    HR_MA(MetricValue) *m = hr_pb_new(arena, &HR_MA_OF(metric_value));
    HR_MA(DoubleValue) *d = hr_pb_new(arena, &HR_MA_OF(double_value));

    if (!m || !d)
        return NULL;
    SET(d, value, v);
    m->type_case = HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE);
    m->double_value = d;
    return m;
}

/* -- values of one number -------------------------------------------------------------- */

static double mean_value(const struct hr_metric *m, const double *sums)
{
    double v = over(sums[0], sums[1]);

    if (m->type->options & OPTION_ROOT)
        v = sqrt(v);
    return m->type->options & (OPTION_ROOT | OPTION_KERAS) ? (double)(float)v : v;
}

static double calibration_value(int32_t formula, const double *s)
{
    switch (formula) {
    case HR_MEAN_LABEL:
        return over(s[1], s[0]);
    case HR_MEAN_PREDICTION:
        return over(s[2], s[0]);
    default:
        return over(s[2], s[1]);
    }
}

static double tjur_value(int32_t formula, const double *s)
{
    double a = over(s[0], s[1]), b = over(s[2], s[3]);

    return formula == HR_TJUR ? a - b : over(a, b);
}

static double pearson_value(const double *s)
{
    double xy = s[5] - s[1] * s[2] / s[0];
    double xx = s[3] - s[1] * s[1] / s[0], yy = s[4] - s[2] * s[2] / s[0];

    return over(xy * xy, xx * yy);
}

static hr_status histogram_value(struct maker *k, const struct hr_metric *m, double *ret)
{
    const struct hr_computation *c = &k->p->computations[m->computation];
    struct hr_matrices *x = &k->matrices[m->computation], other;
    hr_status r = HR_OK;

    /* Those of the usual number of thresholds are kept for the other metrics. */
    if (x->n != (size_t)m->num_thresholds) {
        r = hr_matrices_make(k->arena, &k->g->tables[c->table], (size_t)m->num_thresholds, &other);
        if (r < 0)
            return r;
        *x = other;
    }
    *ret = hr_histogram_value(x, m);
    return r;
}

/* false: the metric is not one number, or cannot be made. */
static hr_status number(struct maker *k, const struct hr_metric *m, double *ret)
{
    const struct hr_computation *c = &k->p->computations[m->computation];
    const double *s = k->g->doubles + c->at;

    switch (c->kind) {
    case HR_SUMS_COUNT:
        *ret = s[0];
        return HR_OK;
    case HR_SUMS_MEAN:
        *ret = mean_value(m, s);
        return HR_OK;
    case HR_SUMS_CALIBRATION:
        *ret = calibration_value(m->type->formula, s);
        return HR_OK;
    case HR_SUMS_TJUR:
        *ret = tjur_value(m->type->formula, s);
        return HR_OK;
    case HR_SUMS_PEARSON:
        *ret = pearson_value(s);
        return HR_OK;
    case HR_SUMS_HISTOGRAM:
        return histogram_value(k, m, ret);
    default: /* tp, tn, fp, fn */
        *ret = hr_confusion_value(m->type->formula, s[0], s[1], s[2], s[3]);
        return HR_OK;
    }
}

static hr_status average(struct maker *k, const struct hr_metric *m, double *ret)
{
    double sum = 0, weights = 0, positives = 0, v, w;
    const double *s;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < m->parts_n; i++) {
        s = k->g->doubles + k->p->computations[k->p->metrics[m->parts[i]].positives].at;
        positives += s[1];
    }
    for (i = 0; i < m->parts_n && r == HR_OK; i++) {
        const struct hr_metric *part = &k->p->metrics[m->parts[i]];

        r = number(k, part, &v);
        if (r < 0)
            break;
        w = m->part_weights[i].weight;
        if (m->aggregation == HR_AGGREGATE_WEIGHTED_MACRO)
            w *= over(k->g->doubles[k->p->computations[part->positives].at + 1], positives);
        sum += w * v;
        weights += w;
    }
    *ret = over(sum, weights);
    return r;
}

/* -- values of many numbers -------------------------------------------------------------- */

static HR_MA(MetricValue) * matrices_value(struct maker *k, const struct hr_metric *m)
{
    const struct hr_computation *c = &k->p->computations[m->computation];
    HR_MA(MetricValue) *v = hr_pb_new(k->arena, &HR_MA_OF(metric_value));
    HR_MA(ConfusionMatrixAtThresholds) *list =
        hr_pb_new(k->arena, &HR_MA_OF(confusion_matrix_at_thresholds));
    HR_MA(ConfusionMatrixAtThresholds__ConfusionMatrixAtThreshold) * x;
    size_t i;

    if (!v || !list)
        return NULL;
    for (i = 0; i < c->thresholds_n; i++) {
        const double *s = k->g->doubles + c->at + 4 * i;
        double p = s[0] + s[2] > 0 ? s[0] / (s[0] + s[2]) : 1;
        double r = s[0] + s[3] > 0 ? s[0] / (s[0] + s[3]) : 0;

        x = HR_PB_ADD(k->arena, list, matrices,
                      &HR_MA_OF(confusion_matrix_at_thresholds__confusion_matrix_at_threshold));
        if (!x)
            return NULL;
        SET(x, threshold, round(c->thresholds[i] * 1e6) / 1e6);
        SET(x, true_positives, s[0]);
        SET(x, true_negatives, s[1]);
        SET(x, false_positives, s[2]);
        SET(x, false_negatives, s[3]);
        SET(x, precision, p);
        SET(x, recall, r);
        SET(x, false_positive_rate, hr_confusion_value(HR_FALL_OUT, s[0], s[1], s[2], s[3]));
        SET(x, f1, over(2 * p * r, p + r));
        SET(x, accuracy, hr_confusion_value(HR_BINARY_ACCURACY, s[0], s[1], s[2], s[3]));
        SET(x, false_omission_rate, hr_confusion_value(HR_FOR, s[0], s[1], s[2], s[3]));
    }
    v->type_case = HR_MA_E(METRIC_VALUE__TYPE_CONFUSION_MATRIX_AT_THRESHOLDS);
    v->confusion_matrix_at_thresholds = list;
    return v;
}

#define CLASSES(name) HR_MA(MultiClassConfusionMatrixAtThresholds##name)
#define CLASSES_OF(name) HR_MA_OF(multi_class_confusion_matrix_at_thresholds##name)

static HR_MA(MetricValue) * classes_value(struct maker *k, const struct hr_metric *m)
{
    const struct hr_computation *c = &k->p->computations[m->computation];
    const struct hr_cells *t = &k->g->tables[c->table];
    const struct hr_cell *cells = hr_cells_sorted(k->arena, t);
    HR_MA(MetricValue) *v = hr_pb_new(k->arena, &HR_MA_OF(metric_value));
    CLASSES() *list = hr_pb_new(k->arena, &HR_MA_OF(multi_class_confusion_matrix_at_thresholds));
    CLASSES(__MultiClassConfusionMatrix) * x;
    CLASSES(__MultiClassConfusionMatrixEntry) * e;
    size_t i, n = 0, at;
    int32_t actual, predicted;

    if (!cells || !v || !list)
        return NULL;
    for (i = 0; i < c->thresholds_n; i++) {
        x = HR_PB_ADD(k->arena, list, matrices, &CLASSES_OF(__multi_class_confusion_matrix));
        if (!x)
            return NULL;
        SET(x, threshold, c->thresholds[i]);
        for (; n < t->n; n++) {
            hr_class_of(cells[n].key, &at, &actual, &predicted);
            if (at != i)
                break;
            e = HR_PB_ADD(k->arena, x, entries, &CLASSES_OF(__multi_class_confusion_matrix_entry));
            if (!e)
                return NULL;
            SET(e, actual_class_id, actual);
            SET(e, predicted_class_id, predicted);
            SET(e, num_weighted_examples, cells[n].sums[0]);
        }
    }
    v->type_case = HR_MA_E(METRIC_VALUE__TYPE_MULTI_CLASS_CONFUSION_MATRIX_AT_THRESHOLDS);
    v->multi_class_confusion_matrix_at_thresholds = list;
    return v;
}

/* One value a threshold. */
static HR_MA(MetricValue) * array_value(struct maker *k, const struct hr_metric *m)
{
    const struct hr_computation *c = &k->p->computations[m->computation];
    HR_MA(MetricValue) *v = hr_pb_new(k->arena, &HR_MA_OF(metric_value));
    HR_MA(ArrayValue) *a = hr_pb_new(k->arena, &HR_MA_OF(array_value));
    int32_t *shape;
    double *to;
    size_t i;

    if (!v || !a)
        return NULL;
    a->has_data_type = 1;
    a->data_type = HR_MA_E(ARRAY_VALUE__DATA_TYPE__FLOAT64);
    shape = HR_PB_PUSH(k->arena, a, shape);
    if (!shape)
        return NULL;
    *shape = (int32_t)c->thresholds_n;
    for (i = 0; i < c->thresholds_n; i++) {
        const double *s = k->g->doubles + c->at + 4 * i;

        to = HR_PB_PUSH(k->arena, a, float64_values);
        if (!to)
            return NULL;
        *to = hr_confusion_value(m->type->formula, s[0], s[1], s[2], s[3]);
    }
    v->type_case = HR_MA_E(METRIC_VALUE__TYPE_ARRAY_VALUE);
    v->array_value = a;
    return v;
}

static HR_MA(MetricValue) * value(struct maker *k, const struct hr_metric *m)
{
    const struct hr_computation *c = &k->p->computations[m->computation];
    double v = NAN;
    hr_status r;

    if (m->parts) {
        r = average(k, m, &v);
        return r < 0 ? NULL : double_value(k->arena, v);
    }
    if (c->kind == HR_SUMS_CLASSES)
        return classes_value(k, m);
    if (c->kind == HR_SUMS_CONFUSION && m->type->formula == HR_MATRICES)
        return matrices_value(k, m);
    if (c->kind == HR_SUMS_CONFUSION && c->thresholds_n > 1)
        return array_value(k, m);
    r = number(k, m, &v);
    return r < 0 ? NULL : double_value(k->arena, v);
}

/* -- keys ------------------------------------------------------------------------------- */

static HR_MA(SubKey) * sub_key(struct hr_arena *arena, const struct hr_metric *m)
{
    HR_MA(SubKey) *s = hr_pb_new(arena, &HR_MA_OF(sub_key));
    HR_MA(Int32Value) *v = hr_pb_new(arena, &HR_MA_OF(int32_value));

    if (!s || !v)
        return NULL;
    SET(v, value, m->sub_k);
    if (m->sub_kind == HR_VIEW_CLASS)
        s->class_id = v;
    else if (m->sub_kind == HR_VIEW_K)
        s->k = v;
    else
        s->top_k = v;
    return s;
}

static HR_MA(AggregationType) * aggregation(struct hr_arena *arena, const struct hr_metric *m)
{
    HR_MA(AggregationType) *a = hr_pb_new(arena, &HR_MA_OF(aggregation_type));

    if (!a)
        return NULL;
    a->micro_average = 1; /* one place for all of the union */
    if (m->aggregation == HR_AGGREGATE_MICRO)
        a->type_case = HR_MA_E(AGGREGATION_TYPE__TYPE_MICRO_AVERAGE);
    else if (m->aggregation == HR_AGGREGATE_MACRO)
        a->type_case = HR_MA_E(AGGREGATION_TYPE__TYPE_MACRO_AVERAGE);
    else
        a->type_case = HR_MA_E(AGGREGATION_TYPE__TYPE_WEIGHTED_MACRO_AVERAGE);
    return a;
}

static HR_MA(MetricKey) * key_of(struct maker *k, const struct hr_metric *m)
{
    const char *model = hr_model_name(k->p->config->model_specs[m->model]);
    HR_MA(MetricKey) *key = hr_pb_new(k->arena, &HR_MA_OF(metric_key));

    if (!key)
        return NULL;
    key->name = (char *)(uintptr_t)m->name;
    key->model_name = *model ? (char *)(uintptr_t)model : NULL;
    key->example_weighted = hr_pb_new(k->arena, &HR_MA_OF(bool_value));
    if (key->example_weighted)
        SET(key->example_weighted, value, m->weighted);
    if (m->sub_kind != HR_VIEW_ALL)
        key->sub_key = sub_key(k->arena, m);
    if (m->aggregation != HR_AGGREGATE_NONE)
        key->aggregation_type = aggregation(k->arena, m);
    if (!key->example_weighted || (m->sub_kind != HR_VIEW_ALL && !key->sub_key) ||
        (m->aggregation != HR_AGGREGATE_NONE && !key->aggregation_type))
        return NULL;
    return key;
}

static int32_t sub_number(const HR_MA(SubKey) * s)
{
    if (!s)
        return -1;
    if (s->class_id)
        return s->class_id->value;
    return s->k ? 1000000 + s->k->value : 2000000 + s->top_k->value;
}

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

#define PAIR HR_MA(MetricsForSlice__MetricKeyAndValue)

static int by_key(const void *a, const void *b)
{
    const HR_MA(MetricKey) *x = (*(PAIR *const *)a)->key, *y = (*(PAIR *const *)b)->key;
    int c = compare_text(x->name, y->name);
    int32_t i, j;

    if (!c)
        c = compare_text(x->model_name, y->model_name);
    if (c)
        return c;
    i = sub_number(x->sub_key);
    j = sub_number(y->sub_key);
    if (i != j)
        return i < j ? -1 : 1;
    i = x->aggregation_type ? (int32_t)x->aggregation_type->type_case : 0;
    j = y->aggregation_type ? (int32_t)y->aggregation_type->type_case : 0;
    if (i != j)
        return i < j ? -1 : 1;
    if (x->example_weighted->value != y->example_weighted->value)
        return x->example_weighted->value ? 1 : -1;
    return (x->is_diff != 0) - (y->is_diff != 0);
}

/* -- a slice ------------------------------------------------------------------------------- */

static hr_status put(struct maker *k, HR_MA(MetricsForSlice) * to, HR_MA(MetricKey) * key,
                     HR_MA(MetricValue) * v)
{
    PAIR *pair;

    if (!key || !v)
        return HR_EXHAUSTED;
    pair = HR_PB_ADD(k->arena, to, metric_keys_and_values,
                     &HR_MA_OF(metrics_for_slice__metric_key_and_value));
    if (!pair)
        return HR_EXHAUSTED;
    pair->key = key;
    pair->value = v;
    return HR_OK;
}

/* Which metric of the other model has the same key but for the model? */
static size_t twin(const struct hr_plan *p, const struct hr_metric *m, int32_t model)
{
    size_t i;

    for (i = 0; i < p->metrics_n; i++) {
        const struct hr_metric *x = &p->metrics[i];

        if (!x->hidden && x->model == model && !strcmp(x->name, m->name) &&
            x->sub_kind == m->sub_kind && x->sub_k == m->sub_k &&
            x->aggregation == m->aggregation && x->weighted == m->weighted)
            return i;
    }
    return SIZE_MAX;
}

static hr_status differences(struct maker *k, HR_MA(MetricsForSlice) * to,
                             HR_MA(MetricValue) *const *values)
{
    const hr_eval_config *c = k->p->config;
    int32_t base = -1, model = -1;
    HR_MA(MetricKey) * key;
    hr_status r = HR_OK;
    size_t i, other;

    for (i = 0; i < c->n_model_specs; i++)
        *(c->model_specs[i]->is_baseline ? &base : &model) = (int32_t)i;
    for (i = 0; base >= 0 && i < k->p->metrics_n && r == HR_OK; i++) {
        const struct hr_metric *m = &k->p->metrics[i];

        if (m->hidden || m->model != model)
            continue;
        other = twin(k->p, m, base);
        if (other == SIZE_MAX || values[i]->type_case != HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE))
            continue;
        key = key_of(k, m);
        if (!key)
            return HR_EXHAUSTED;
        key->has_is_diff = key->is_diff = 1;
        r = put(k, to, key,
                double_value(k->arena,
                             values[i]->double_value->value - values[other]->double_value->value));
    }
    return r;
}

static hr_status too_small(struct maker *k, HR_MA(MetricsForSlice) * to)
{
    HR_MA(MetricKey) *key = hr_pb_new(k->arena, &HR_MA_OF(metric_key));
    HR_MA(MetricValue) *v = hr_pb_new(k->arena, &HR_MA_OF(metric_value));

    if (!key || !v)
        return HR_EXHAUSTED;
    key->name = hr_arena_text(k->arena, "__ERROR__");
    key->example_weighted = hr_pb_new(k->arena, &HR_MA_OF(bool_value));
    v->type_case = HR_MA_E(METRIC_VALUE__TYPE_DEBUG_MESSAGE);
    v->debug_message = hr_arena_format(
        k->arena,
        "Example count for this slice key is lower than the minimum required value: %lld. No data "
        "is aggregated for this slice.",
        (long long)k->p->min_slice_size);
    if (!key->name || !v->debug_message || !key->example_weighted)
        return HR_EXHAUSTED;
    return put(k, to, key, v);
}

hr_status hr_results_make(struct hr_arena *arena, const struct hr_plan *p,
                          const struct hr_gathered *g, HR_MA(MetricsForSlice) * *ret)
{
    struct maker k = { arena, p, g, NULL };
    HR_MA(MetricsForSlice) *to = hr_pb_new(arena, &HR_MA_OF(metrics_for_slice));
    HR_MA(MetricValue) **values = hr_arena_array(arena, p->metrics_n + 1, sizeof *values);
    hr_status r = HR_OK;
    size_t i;

    k.matrices = hr_arena_array(arena, p->computations_n + 1, sizeof *k.matrices);
    if (!to || !values || !k.matrices)
        return HR_EXHAUSTED;
    if ((int64_t)g->rows < p->min_slice_size) {
        r = too_small(&k, to);
        if (r == HR_OK)
            *ret = to;
        return r;
    }
    for (i = 0; i < p->metrics_n && r == HR_OK; i++) {
        if (p->metrics[i].hidden)
            continue;
        values[i] = value(&k, &p->metrics[i]);
        r = put(&k, to, key_of(&k, &p->metrics[i]), values[i]);
    }
    if (r == HR_OK)
        r = differences(&k, to, values);
    if (r < 0)
        return r;
    qsort(to->metric_keys_and_values, to->n_metric_keys_and_values,
          sizeof *to->metric_keys_and_values, by_key);
    *ret = to;
    return HR_OK;
}
