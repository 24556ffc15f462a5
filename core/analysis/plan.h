/* plan.h - from a configuration to what is computed.
 *
 * A metric is a formula over a computation: sums over the rows of a slice.  Equal computations
 * are made once, however many metrics use them: 30 metrics of a confusion matrix share one.
 * A computation sees the labels and scores of one model through a view:
 *
 *     HR_VIEW_ALL    the pair of label and score; of several classes all pairs
 *     HR_VIEW_CLASS  one class against the rest
 *     HR_VIEW_K      the k-th highest score
 *     HR_VIEW_TOP_K  all pairs, scores outside the top k being minus infinity
 *     HR_VIEW_MICRO  all pairs, weighted by class
 */
#ifndef HR_ANALYSIS_PLAN_H
#define HR_ANALYSIS_PLAN_H

#include "analysis/config.h"

enum hr_view_kind { HR_VIEW_ALL, HR_VIEW_CLASS, HR_VIEW_K, HR_VIEW_TOP_K, HR_VIEW_MICRO };

struct hr_class_weight {
    int32_t id;
    double weight;
};

struct hr_pairs_view {
    int32_t model; /* of the model_specs */
    enum hr_view_kind kind;
    int32_t k; /* class, or how many */
    bool weighted;
    const struct hr_class_weight *classes; /* of HR_VIEW_MICRO; NULL: all weigh 1 */
    size_t classes_n;
};

/* Sums over rows; which, is said by the kind. */
enum hr_sums {
    HR_SUMS_COUNT,       /* weight, rows */
    HR_SUMS_CONFUSION,   /* tp, tn, fp, fn of each threshold */
    HR_SUMS_HISTOGRAM,   /* by score: weight, weighted label, weighted score */
    HR_SUMS_CALIBRATION, /* weight, weighted label, weighted score */
    HR_SUMS_MEAN,        /* a weighted error, weight: which error, is in `error` */
    HR_SUMS_PEARSON,     /* w, wx, wy, wxx, wyy, wxy */
    HR_SUMS_TJUR,        /* w l p, w l, w (1-l) p, w (1-l) */
    HR_SUMS_CLASSES      /* by threshold, actual, predicted: weight */
};

enum hr_error_kind {
    HR_ERROR_BINARY_CROSSENTROPY,
    HR_ERROR_SQUARED,
    HR_ERROR_ABSOLUTE,
    HR_ERROR_PERCENTAGE,
    HR_ERROR_LOGARITHMIC,
    /* from here on of a whole row, not of a pair */
    HR_ERROR_CATEGORICAL_CROSSENTROPY,
    HR_ERROR_SPARSE_CROSSENTROPY,
    HR_ERROR_SPARSE_ACCURACY,
    HR_ERROR_SPARSE_TOP_K,
    HR_ERROR_CATEGORICAL_ACCURACY
};

struct hr_computation {
    enum hr_sums kind;
    struct hr_pairs_view view;
    enum hr_error_kind error;
    double smoothing;
    bool logits;
    int32_t k;
    const double *thresholds;
    size_t thresholds_n;
    size_t at, n; /* its doubles in an accumulator; n 0: a table */
    size_t table; /* which, of those of an accumulator */
};

/* What a metric is, by name. */
struct hr_metric_type {
    const char *class_name, *name;
    enum hr_sums sums;
    int32_t formula; /* of the kind; an hr_error_kind of HR_SUMS_MEAN */
    int32_t options; /* what its configuration may have */
};

enum hr_aggregation {
    HR_AGGREGATE_NONE,
    HR_AGGREGATE_MICRO,
    HR_AGGREGATE_MACRO,
    HR_AGGREGATE_WEIGHTED_MACRO
};

struct hr_metric {
    const struct hr_metric_type *type;
    const char *name;
    int32_t model;
    enum hr_view_kind sub_kind; /* HR_VIEW_ALL: no sub key */
    int32_t sub_k;
    enum hr_aggregation aggregation;
    bool weighted;
    size_t computation;
    /* of a macro average: one metric a class, which are not told themselves */
    const size_t *parts;
    const struct hr_class_weight *part_weights;
    size_t parts_n;
    bool hidden;
    size_t positives; /* of a part: its calibration, for the share of positive labels */
    double value;     /* the recall, the sensitivity, ... that is asked for */
    int32_t num_thresholds;
    bool pr_curve;
    int32_t summation; /* 0 interpolation, 1 minoring, 2 majoring */
};

struct hr_plan {
    const hr_eval_config *config;
    struct hr_metric *metrics;
    size_t metrics_n, metrics_cap;
    struct hr_computation *computations;
    size_t computations_n, computations_cap;
    size_t doubles, tables; /* of an accumulator */
    int64_t min_slice_size;
    struct hr_buf warnings; /* of the arena's env; never mind where nobody reads them */
};

/* Formulas of HR_SUMS_CONFUSION, HR_SUMS_HISTOGRAM and HR_SUMS_CALIBRATION. */
enum hr_formula {
    HR_TP,
    HR_TN,
    HR_FP,
    HR_FN,
    HR_BINARY_ACCURACY,
    HR_PRECISION,
    HR_RECALL,
    HR_SPECIFICITY,
    HR_FALL_OUT,
    HR_MISS_RATE,
    HR_NPV,
    HR_FDR,
    HR_FOR,
    HR_PREVALENCE,
    HR_PREDICTED_POSITIVE,
    HR_PREVALENCE_THRESHOLD,
    HR_THREAT_SCORE,
    HR_F1,
    HR_BALANCED_ACCURACY,
    HR_INFORMEDNESS,
    HR_MARKEDNESS,
    HR_MCC,
    HR_FOWLKES_MALLOWS,
    HR_PLR,
    HR_NLR,
    HR_ODDS_RATIO,
    HR_MATRICES,
    HR_AUC,
    HR_AUC_PR,
    HR_SPECIFICITY_AT_SENSITIVITY,
    HR_SENSITIVITY_AT_SPECIFICITY,
    HR_PRECISION_AT_RECALL,
    HR_RECALL_AT_PRECISION,
    HR_RECALL_AT_FPR,
    HR_THRESHOLD_AT_RECALL,
    HR_MEAN_LABEL,
    HR_MEAN_PREDICTION,
    HR_CALIBRATION,
    HR_TJUR,
    HR_TJUR_RELATIVE,
    HR_ROOT_MEAN,
    HR_ROWS
};

/* HR_INVALID: a metric that is not known, or a configuration it does not take; all are told. */
hr_status hr_plan_make(struct hr_arena *arena, const hr_eval_config *config, struct hr_plan **ret);

/* The name that a configured metric has in results: of its config, or of its class.  NULL: no
 * memory, or no such class; the configuration has been read, so that is told there. */
const char *hr_metric_name(struct hr_arena *arena, const HR_MA(MetricConfig) * config);

/* The types of all metrics. */
const struct hr_metric_type *hr_metric_types(size_t *ret_n);

/* The formula on one matrix; NaN where a denominator is zero.  false: it needs more. */
double hr_confusion_value(int32_t formula, double tp, double tn, double fp, double fn);

#endif
