/* evaluate.h - metrics of rows and predictions by slice, as functions of a flow.
 *
 *     static const hr_function inputs = HR_EVALUATION_INPUTS, sums = HR_EVALUATION_SUMS;
 *
 *     hr_evaluation_config(env, config, HR_EVALUATION_MODEL, &bytes);
 *     flow->attach(f, "model", 0);
 *     rows = hr_evaluation_describe(flow, f, flow->read(f, "examples", 0, "eval"), &bytes);
 *     r = flow->run(f);
 *     r = r < 0 ? r : hr_evaluation_fetch(&arena, flow, f, rows, &evaluation);
 *
 * The first function gives a row for each row and slice: key, labels, scores, weight.  The
 * second sums them up by key.  Where a model is to predict, the first asks hr.models/1 for the
 * models of the inputs "model" and "baseline_model", which must be attached; else scores are
 * the columns that prediction_key names.
 */
#ifndef HR_ANALYSIS_EVALUATE_H
#define HR_ANALYSIS_EVALUATE_H

#include "analysis/config.h"
#include "headrace/flow.h"

extern const hr_map_1 hr_evaluation_inputs;
extern const hr_combine_1 hr_evaluation_sums;

#define HR_EVALUATION_INPUTS_NAME "evaluation_inputs"
#define HR_EVALUATION_SUMS_NAME "evaluation_sums"
#define HR_EVALUATION_INPUTS                                                                       \
    {                                                                                              \
        .struct_size = sizeof(hr_function), .name = HR_EVALUATION_INPUTS_NAME,                     \
        .doc = "Labels, scores and weights by slice.", .kind = HR_MAP,                             \
        .table = &hr_evaluation_inputs                                                             \
    }
#define HR_EVALUATION_SUMS                                                                         \
    {                                                                                              \
        .struct_size = sizeof(hr_function), .name = HR_EVALUATION_SUMS_NAME,                       \
        .doc = "The sums of all metrics.", .kind = HR_COMBINE, .table = &hr_evaluation_sums        \
    }

/* What predicts. */
enum { HR_EVALUATION_MODEL = 1, HR_EVALUATION_BASELINE = 2 };

/* config is the defaulted one. */
hr_status hr_evaluation_config(struct hr_env *env, const hr_eval_config *config, uint32_t models,
                               struct hr_buf *to);

/* The result, kept for fetch(). */
hr_rows hr_evaluation_describe(const hr_flow_1 *flow, hr_flow *f, hr_rows rows,
                               const struct hr_buf *config);

/* The metrics of all slices, in byte order of their keys. */
struct hr_evaluation {
    HR_MA(MetricsForSlice) * *slices;
    size_t n;
};
hr_status hr_evaluation_fetch(struct hr_arena *arena, const hr_flow_1 *flow, hr_flow *f,
                              hr_rows rows, struct hr_evaluation *ret);

/* From the stream itself; releases it. */
hr_status hr_evaluation_take(struct hr_arena *arena, struct ArrowArrayStream *stream,
                             struct hr_evaluation *ret);

/* The parts of a configuration.  HR_INVALID: it is none. */
hr_status hr_evaluation_load(struct hr_arena *arena, const void *bytes, size_t n,
                             hr_eval_config **ret, uint32_t *ret_models);

#endif
