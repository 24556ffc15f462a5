#include <math.h>

#include "analysis/plan.h"
#include "analysis/types.h"

#define CONFUSION(class, name, formula)                                                            \
    {                                                                                              \
        class, name, HR_SUMS_CONFUSION, formula, OPTION_THRESHOLDS                                 \
    }
#define AT(class, name, formula, option)                                                           \
    {                                                                                              \
        class, name, HR_SUMS_HISTOGRAM, formula, option | OPTION_NUM_THRESHOLDS                    \
    }
#define ERROR(class, name, formula, options)                                                       \
    {                                                                                              \
        class, name, HR_SUMS_MEAN, formula, options                                                \
    }
#define CALIBRATION(class, name, formula)                                                          \
    {                                                                                              \
        class, name, HR_SUMS_CALIBRATION, formula, 0                                               \
    }

static const struct hr_metric_type types[] = {
    { "ExampleCount", "example_count", HR_SUMS_COUNT, HR_ROWS, 0 },
    { "WeightedExampleCount", "weighted_example_count", HR_SUMS_COUNT, HR_ROWS, 0 },
    CONFUSION("TruePositives", "true_positives", HR_TP),
    CONFUSION("TP", "tp", HR_TP),
    CONFUSION("TrueNegatives", "true_negatives", HR_TN),
    CONFUSION("TN", "tn", HR_TN),
    CONFUSION("FalsePositives", "false_positives", HR_FP),
    CONFUSION("FP", "fp", HR_FP),
    CONFUSION("FalseNegatives", "false_negatives", HR_FN),
    CONFUSION("FN", "fn", HR_FN),
    CONFUSION("BinaryAccuracy", "binary_accuracy", HR_BINARY_ACCURACY),
    CONFUSION("Precision", "precision", HR_PRECISION),
    CONFUSION("PPV", "ppv", HR_PRECISION),
    CONFUSION("Recall", "recall", HR_RECALL),
    CONFUSION("TPR", "tpr", HR_RECALL),
    CONFUSION("Specificity", "specificity", HR_SPECIFICITY),
    CONFUSION("TNR", "tnr", HR_SPECIFICITY),
    CONFUSION("FallOut", "fall_out", HR_FALL_OUT),
    CONFUSION("FPR", "fpr", HR_FALL_OUT),
    CONFUSION("MissRate", "miss_rate", HR_MISS_RATE),
    CONFUSION("FNR", "fnr", HR_MISS_RATE),
    CONFUSION("NegativePredictiveValue", "negative_predictive_value", HR_NPV),
    CONFUSION("NPV", "npv", HR_NPV),
    CONFUSION("FalseDiscoveryRate", "false_discovery_rate", HR_FDR),
    CONFUSION("FalseOmissionRate", "false_omission_rate", HR_FOR),
    CONFUSION("Prevalence", "prevalence", HR_PREVALENCE),
    CONFUSION("PredictedPositiveRate", "predicted_positive_rate", HR_PREDICTED_POSITIVE),
    CONFUSION("PrevalenceThreshold", "prevalence_threshold", HR_PREVALENCE_THRESHOLD),
    CONFUSION("ThreatScore", "threat_score", HR_THREAT_SCORE),
    CONFUSION("F1Score", "f1_score", HR_F1),
    CONFUSION("BalancedAccuracy", "balanced_accuracy", HR_BALANCED_ACCURACY),
    CONFUSION("Informedness", "informedness", HR_INFORMEDNESS),
    CONFUSION("Markedness", "markedness", HR_MARKEDNESS),
    CONFUSION("MatthewsCorrelationCoefficient", "matthews_correlation_coefficient", HR_MCC),
    CONFUSION("FowlkesMallowsIndex", "fowlkes_mallows_index", HR_FOWLKES_MALLOWS),
    CONFUSION("PositiveLikelihoodRatio", "positive_likelihood_ratio", HR_PLR),
    CONFUSION("NegativeLikelihoodRatio", "negative_likelihood_ratio", HR_NLR),
    CONFUSION("DiagnosticOddsRatio", "diagnostic_odds_ratio", HR_ODDS_RATIO),
    CONFUSION("ConfusionMatrixAtThresholds", "confusion_matrix_at_thresholds", HR_MATRICES),
    AT("AUC", "auc", HR_AUC, OPTION_CURVE),
    AT("AUCPrecisionRecall", "auc_precision_recall", HR_AUC_PR, OPTION_CURVE),
    AT("SpecificityAtSensitivity", "specificity_at_sensitivity", HR_SPECIFICITY_AT_SENSITIVITY,
       OPTION_SENSITIVITY),
    AT("SensitivityAtSpecificity", "sensitivity_at_specificity", HR_SENSITIVITY_AT_SPECIFICITY,
       OPTION_SPECIFICITY),
    AT("PrecisionAtRecall", "precision_at_recall", HR_PRECISION_AT_RECALL, OPTION_RECALL),
    AT("RecallAtPrecision", "recall_at_precision", HR_RECALL_AT_PRECISION, OPTION_PRECISION),
    AT("RecallAtFalsePositiveRate", "recall_at_false_positive_rate", HR_RECALL_AT_FPR, OPTION_FPR),
    AT("ThresholdAtRecall", "threshold_at_recall", HR_THRESHOLD_AT_RECALL, OPTION_RECALL),
    CALIBRATION("MeanLabel", "mean_label", HR_MEAN_LABEL),
    CALIBRATION("MeanPrediction", "mean_prediction", HR_MEAN_PREDICTION),
    CALIBRATION("Calibration", "calibration", HR_CALIBRATION),
    { "CoefficientOfDiscrimination", "coefficient_of_discrimination", HR_SUMS_TJUR, HR_TJUR, 0 },
    { "RelativeCoefficientOfDiscrimination", "relative_coefficient_of_discrimination", HR_SUMS_TJUR,
      HR_TJUR_RELATIVE, 0 },
    { "SquaredPearsonCorrelation", "squared_pearson_correlation", HR_SUMS_PEARSON, 0, 0 },
    ERROR("BinaryCrossEntropy", "binary_crossentropy", HR_ERROR_BINARY_CROSSENTROPY,
          OPTION_ENTROPY),
    ERROR("CategoricalCrossEntropy", "categorical_crossentropy", HR_ERROR_CATEGORICAL_CROSSENTROPY,
          OPTION_ENTROPY),
    ERROR("MeanSquaredError", "mean_squared_error", HR_ERROR_SQUARED, 0),
    ERROR("MeanAbsoluteError", "mean_absolute_error", HR_ERROR_ABSOLUTE, 0),
    ERROR("RootMeanSquaredError", "root_mean_squared_error", HR_ERROR_SQUARED, OPTION_ROOT),
    ERROR("MeanAbsolutePercentageError", "mean_absolute_percentage_error", HR_ERROR_PERCENTAGE, 0),
    ERROR("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", HR_ERROR_LOGARITHMIC, 0),
    ERROR("SparseCategoricalAccuracy", "sparse_categorical_accuracy", HR_ERROR_SPARSE_ACCURACY,
          OPTION_KERAS),
    ERROR("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy",
          HR_ERROR_SPARSE_CROSSENTROPY, OPTION_KERAS),
    ERROR("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy",
          HR_ERROR_SPARSE_TOP_K, OPTION_KERAS | OPTION_K),
    ERROR("CategoricalAccuracy", "categorical_accuracy", HR_ERROR_CATEGORICAL_ACCURACY,
          OPTION_KERAS),
    { "MultiClassConfusionMatrixAtThresholds", "multi_class_confusion_matrix_at_thresholds",
      HR_SUMS_CLASSES, 0, OPTION_THRESHOLDS },
};

const struct hr_metric_type *hr_metric_types(size_t *ret_n)
{
    *ret_n = sizeof types / sizeof *types;
    return types;
}

static double over(double a, double b)
{
    return b != 0 ? a / b : NAN;
}

static double two_rates(int32_t formula, double tpr, double tnr, double ppv, double npv)
{
    switch (formula) {
    case HR_PREVALENCE_THRESHOLD:
        return over(sqrt(tpr * (1 - tnr)) + tnr - 1, tpr + tnr - 1);
    case HR_BALANCED_ACCURACY:
        return (tpr + tnr) / 2;
    case HR_INFORMEDNESS:
        return tpr + tnr - 1;
    case HR_MARKEDNESS:
        return ppv + npv - 1;
    case HR_FOWLKES_MALLOWS:
        return sqrt(ppv * tpr);
    default:
        return NAN;
    }
}

static double ratio(int32_t formula, double tp, double tn, double fp, double fn)
{
    switch (formula) {
    case HR_THREAT_SCORE:
        return over(tp, tp + fn + fp);
    case HR_F1:
        return over(2 * tp, 2 * tp + fp + fn);
    case HR_MCC:
        return over(tp * tn - fp * fn, sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)));
    case HR_PLR:
        return over(over(tp, tp + fn), over(fp, fp + tn));
    case HR_NLR:
        return over(over(fn, fn + tp), over(tn, tn + fp));
    case HR_ODDS_RATIO:
        return over(over(tp, fp), over(fn, tn));
    default:
        return two_rates(formula, over(tp, tp + fn), over(tn, tn + fp), over(tp, tp + fp),
                         over(tn, tn + fn));
    }
}

double hr_confusion_value(int32_t formula, double tp, double tn, double fp, double fn)
{
    double all = tp + tn + fp + fn;

    switch (formula) {
    case HR_TP:
        return tp;
    case HR_TN:
        return tn;
    case HR_FP:
        return fp;
    case HR_FN:
        return fn;
    case HR_BINARY_ACCURACY:
        return over(tp + tn, all);
    case HR_PRECISION:
        return over(tp, tp + fp);
    case HR_RECALL:
        return over(tp, tp + fn);
    case HR_SPECIFICITY:
        return over(tn, tn + fp);
    case HR_FALL_OUT:
        return over(fp, fp + tn);
    case HR_MISS_RATE:
        return over(fn, fn + tp);
    case HR_NPV:
        return over(tn, tn + fn);
    case HR_FDR:
        return over(fp, fp + tp);
    case HR_FOR:
        return over(fn, fn + tn);
    case HR_PREVALENCE:
        return over(tp + fn, all);
    case HR_PREDICTED_POSITIVE:
        return over(tp + fp, all);
    default:
        return ratio(formula, tp, tn, fp, fn);
    }
}
