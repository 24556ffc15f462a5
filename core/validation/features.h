/* features.h - from what was gathered of a column to the statistics of a feature. */
#ifndef HR_FEATURES_H
#define HR_FEATURES_H

#include "validation/column.h"
#include "wire/wire.h"

/* The options of TFX's statistics, at their defaults. */
enum {
    HR_TOP_VALUES = 20,
    HR_RANK_BUCKETS = 1000,
    HR_HISTOGRAM_BUCKETS = 10,
    HR_QUANTILES_OF_A_BUCKET = 100
};
#define HR_STATISTICS_EPSILON 0.01

struct hr_feature_args {
    const char *name;
    enum hr_column_use use;
    int32_t type; /* of FeatureNameStatistics */
};

/* Append the feature to a dataset.  HR_EXHAUSTED: told in the arena's env. */
hr_status hr_feature_make(struct hr_arena *arena, const struct hr_column *c,
                          const struct hr_feature_args *args, HR_MD(DatasetFeatureStatistics) * to);

#endif
