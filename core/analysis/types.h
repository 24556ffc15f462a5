/* types.h - what the configuration of a metric may have. */
#ifndef HR_ANALYSIS_TYPES_H
#define HR_ANALYSIS_TYPES_H

enum {
    OPTION_THRESHOLDS = 1,     /* "thresholds": a number or a list */
    OPTION_NUM_THRESHOLDS = 2, /* "num_thresholds" */
    OPTION_CURVE = 4,          /* "curve", "summation_method" */
    OPTION_SENSITIVITY = 8,
    OPTION_SPECIFICITY = 16,
    OPTION_RECALL = 32,
    OPTION_PRECISION = 64,
    OPTION_FPR = 128,
    OPTION_ENTROPY = 256, /* "from_logits", "label_smoothing" */
    OPTION_K = 512,
    OPTION_KERAS = 1024, /* the result is a float */
    OPTION_ROOT = 2048   /* and its root */
};

#endif
