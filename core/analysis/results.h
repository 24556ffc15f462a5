/* results.h - from the sums of a slice to its metrics. */
#ifndef HR_ANALYSIS_RESULTS_H
#define HR_ANALYSIS_RESULTS_H

#include "analysis/gather.h"

/* The metrics of a slice, sorted by key, without its slice_key; with a baseline the candidate's
 * twins, which hold the differences.  HR_EXHAUSTED. */
hr_status hr_results_make(struct hr_arena *arena, const struct hr_plan *p,
                          const struct hr_gathered *g, HR_MA(MetricsForSlice) * *ret);

/* A matrix at each threshold of a histogram with n of them. */
struct hr_matrices {
    double *thresholds, *tp, *tn, *fp, *fn;
    size_t n;
};
hr_status hr_matrices_make(struct hr_arena *arena, const struct hr_cells *histogram, size_t n,
                           struct hr_matrices *ret);

/* A metric of a histogram. */
double hr_histogram_value(const struct hr_matrices *m, const struct hr_metric *metric);

#endif
