#include "analysis/config.h"

#include <string.h>

#include "analysis/plan.h"

const char *hr_model_name(const HR_MA(ModelSpec) * m)
{
    return m->name ? m->name : "";
}

static hr_status refuse(struct hr_env *env, const char *what)
{
    return hr_fail(env, HR_INVALID, "the evaluation does not offer %s; take it out", what);
}

static void check_metrics_offered(struct hr_env *env, const HR_MA(MetricsSpec) * s)
{
    size_t k;

    if (s->n_output_names || s->n_output_weights)
        refuse(env, "outputNames and outputWeights");
    if (s->query_key && *s->query_key)
        refuse(env, "metrics of queries (queryKey)");
    if (s->n_cross_slice_thresholds)
        refuse(env, "crossSliceThresholds");
    if (s->aggregate && s->aggregate->top_k_list)
        refuse(env, "aggregate.topKList");
    for (k = 0; k < s->n_metrics; k++)
        if (s->metrics[k]->n_cross_slice_thresholds)
            refuse(env, "crossSliceThresholds");
}

/* What TFMA has and this has not. */
static hr_status check_offered(struct hr_env *env, const hr_eval_config *c)
{
    size_t errors = env->errors.count, i;

    if (c->n_cross_slicing_specs)
        refuse(env, "crossSlicingSpecs");
    for (i = 0; i < c->n_slicing_specs; i++)
        if (c->slicing_specs[i]->slice_keys_sql)
            refuse(env, "sliceKeysSql");
    for (i = 0; i < c->n_model_specs; i++)
        if (c->model_specs[i]->n_label_keys || c->model_specs[i]->n_prediction_keys ||
            c->model_specs[i]->n_example_weight_keys)
            refuse(env, "models of several outputs (labelKeys, predictionKeys, "
                        "exampleWeightKeys)");
    if (c->options && c->options->compute_confidence_intervals &&
        c->options->compute_confidence_intervals->value)
        refuse(env, "computeConfidenceIntervals");
    for (i = 0; i < c->n_metrics_specs; i++)
        check_metrics_offered(env, c->metrics_specs[i]);
    return env->errors.count > errors ? HR_INVALID : HR_OK;
}

static hr_status check_models(struct hr_env *env, const hr_eval_config *c)
{
    size_t i, k, baselines = 0;

    for (i = 0; i < c->n_model_specs; i++) {
        baselines += c->model_specs[i]->is_baseline != 0;
        for (k = 0; k < i; k++)
            if (!strcmp(hr_model_name(c->model_specs[i]), hr_model_name(c->model_specs[k])))
                return hr_fail(env, HR_INVALID, "two modelSpecs have the name \"%s\"",
                               hr_model_name(c->model_specs[i]));
    }
    if (baselines > 1 || c->n_model_specs > 2)
        return hr_fail(env, HR_INVALID,
                       "there are %zu modelSpecs, %zu of them baselines; there may be one of "
                       "either kind",
                       c->n_model_specs, baselines);
    if (!c->n_model_specs)
        return hr_fail(env, HR_INVALID, "there are no modelSpecs; give one with a labelKey");
    return HR_OK;
}

static hr_status check_slices(struct hr_env *env, const hr_eval_config *c)
{
    size_t i, k, m;

    for (i = 0; i < c->n_metrics_specs; i++) {
        const HR_MA(MetricsSpec) *s = c->metrics_specs[i];

        for (k = 0; k < s->n_metrics; k++)
            for (m = 0; m < s->metrics[k]->n_per_slice_thresholds; m++)
                if (!s->metrics[k]->per_slice_thresholds[m]->n_slicing_specs)
                    return hr_fail(env, HR_INVALID,
                                   "a perSliceThreshold of \"%s\" has no slicingSpecs",
                                   s->metrics[k]->class_name);
    }
    return HR_OK;
}

hr_status hr_eval_config_read(struct hr_arena *arena, const char *name, const char *text, size_t n,
                              hr_eval_config **ret)
{
    struct hr_env *env = arena->env;
    struct hr_json_doc *doc = NULL;
    ProtobufCMessage *m = NULL;
    struct hr_plan *plan;
    hr_status r = hr_json_parse(env, name, text, n, HR_JSON_COMMENTS, &doc);

    if (r < 0)
        return r;
    r = hr_pb_json_read(arena, &HR_MA_OF(eval_config), doc, hr_json_root(doc), &m);
    hr_json_free(doc);
    if (r == HR_OK)
        r = check_offered(env, (hr_eval_config *)m);
    if (r == HR_OK)
        r = check_models(env, (hr_eval_config *)m);
    if (r == HR_OK)
        r = check_slices(env, (hr_eval_config *)m);
    /* Names and configurations of metrics are found wrong now, not when rows come. */
    if (r == HR_OK)
        r = hr_plan_make(arena, (hr_eval_config *)m, &plan);
    if (r < 0)
        return r;
    hr_buf_clear(&plan->warnings);
    *ret = (hr_eval_config *)m;
    return HR_OK;
}

hr_status hr_eval_config_warnings(struct hr_arena *arena, const hr_eval_config *config,
                                  struct hr_buf *to)
{
    struct hr_plan *plan;
    hr_status r = hr_plan_make(arena, config, &plan);

    if (r < 0)
        return r;
    if (hr_buf_add(to, plan->warnings.text, plan->warnings.len) < 0)
        r = hr_fail_memory(arena->env);
    hr_buf_clear(&plan->warnings);
    return r;
}

/* -- defaults --------------------------------------------------------------------------- */

static void drop_change(HR_MA(MetricThreshold) * *t)
{
    if (!*t)
        return;
    (*t)->validate_relative_case = HR_MA_E(METRIC_THRESHOLD__VALIDATE_RELATIVE__NOT_SET);
    if ((*t)->validate_absolute_case == HR_MA_E(METRIC_THRESHOLD__VALIDATE_ABSOLUTE__NOT_SET))
        *t = NULL;
}

static size_t drop_per_slice(HR_MA(PerSliceMetricThreshold) * *list, size_t n)
{
    size_t i, k = 0;

    for (i = 0; i < n; i++) {
        drop_change(&list[i]->threshold);
        if (list[i]->threshold)
            list[k++] = list[i];
    }
    return k;
}

/* Without a baseline a change cannot be judged. */
static void drop_changes(HR_MA(MetricsSpec) * s)
{
    size_t i, k = 0;

    for (i = 0; i < s->n_metrics; i++) {
        HR_MA(MetricConfig) *m = s->metrics[i];

        drop_change(&m->threshold);
        m->n_per_slice_thresholds =
            drop_per_slice(m->per_slice_thresholds, m->n_per_slice_thresholds);
    }
    for (i = 0; i < s->n_thresholds; i++) {
        drop_change(&s->thresholds[i]->value);
        if (s->thresholds[i]->value)
            s->thresholds[k++] = s->thresholds[i];
    }
    s->n_thresholds = k;
    for (i = 0, k = 0; i < s->n_per_slice_thresholds; i++) {
        HR_MA(PerSliceMetricThresholds) *v = s->per_slice_thresholds[i]->value;

        v->n_thresholds = v ? drop_per_slice(v->thresholds, v->n_thresholds) : 0;
        if (v->n_thresholds)
            s->per_slice_thresholds[k++] = s->per_slice_thresholds[i];
    }
    s->n_per_slice_thresholds = k;
}

static hr_status with_baseline(struct hr_arena *arena, hr_eval_config *c)
{
    ProtobufCMessage *copy = NULL;
    HR_MA(ModelSpec) * *place;
    size_t i;

    for (i = 0; i < c->n_model_specs; i++)
        if (c->model_specs[i]->is_baseline)
            return HR_OK;
    if (c->n_model_specs != 1)
        return hr_fail(arena->env, HR_INVALID,
                       "there is a baseline model, but none of the %zu modelSpecs has "
                       "isBaseline",
                       c->n_model_specs);
    if (hr_pb_copy(arena, &c->model_specs[0]->base, &copy) < 0)
        return HR_EXHAUSTED;
    place = HR_PB_PUSH(arena, c, model_specs);
    if (!place)
        return HR_EXHAUSTED;
    *place = (HR_MA(ModelSpec) *)copy;
    (*place)->has_is_baseline = (*place)->is_baseline = 1;
    (*place)->name = hr_arena_text(arena, "baseline");
    c->model_specs[0]->name = hr_arena_text(arena, "candidate");
    return (*place)->name && c->model_specs[0]->name ? HR_OK : HR_EXHAUSTED;
}

static void without_baseline(hr_eval_config *c)
{
    size_t i, k = 0;

    for (i = 0; i < c->n_model_specs; i++)
        if (!c->model_specs[i]->is_baseline)
            c->model_specs[k++] = c->model_specs[i];
    c->n_model_specs = k;
    for (i = 0; i < c->n_metrics_specs; i++)
        drop_changes(c->metrics_specs[i]);
}

static hr_status name_models(struct hr_arena *arena, hr_eval_config *c, HR_MA(MetricsSpec) * s)
{
    char **place;
    size_t i;

    if (s->n_model_names)
        return HR_OK;
    for (i = 0; i < c->n_model_specs; i++) {
        place = HR_PB_PUSH(arena, s, model_names);
        if (!place)
            return HR_EXHAUSTED;
        *place = (char *)(uintptr_t)hr_model_name(c->model_specs[i]);
    }
    return HR_OK;
}

hr_status hr_eval_config_default(struct hr_arena *arena, const hr_eval_config *config,
                                 bool has_baseline, hr_eval_config **ret)
{
    ProtobufCMessage *copy = NULL;
    hr_eval_config *c;
    hr_status r = hr_pb_copy(arena, &config->base, &copy);
    size_t i;

    if (r < 0)
        return r;
    c = (hr_eval_config *)copy;
    if (has_baseline)
        r = with_baseline(arena, c);
    else
        without_baseline(c);
    if (r == HR_OK && !c->n_model_specs)
        r = hr_fail(arena->env, HR_INVALID, "all modelSpecs are baselines; one must not be");
    if (r == HR_OK && c->n_model_specs == 1)
        c->model_specs[0]->name = NULL;
    for (i = 0; i < c->n_metrics_specs && r == HR_OK; i++) {
        if (c->n_model_specs == 1)
            c->metrics_specs[i]->n_model_names = 0;
        r = name_models(arena, c, c->metrics_specs[i]);
    }
    if (r == HR_OK)
        *ret = c;
    return r;
}

bool hr_eval_config_decides(const hr_eval_config *c)
{
    size_t i, k;

    for (i = 0; i < c->n_metrics_specs; i++) {
        const HR_MA(MetricsSpec) *s = c->metrics_specs[i];

        if (s->n_thresholds || s->n_per_slice_thresholds)
            return true;
        for (k = 0; k < s->n_metrics; k++)
            if (s->metrics[k]->threshold || s->metrics[k]->n_per_slice_thresholds)
                return true;
    }
    return false;
}
