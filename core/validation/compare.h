/* compare.h - distances between the distributions of a feature in two datasets. */
#ifndef HR_COMPARE_H
#define HR_COMPARE_H

#include "validation/view.h"

struct hr_distance {
    double value;
    struct hr_slice label; /* the value of the feature with the largest difference */
};

/* L-infinity over the labels of two rank histograms: each divided by its own sum, or with
 * joint both by the sum of the two.  Without labels 0.  HR_EXHAUSTED. */
hr_status hr_distance_labels(struct hr_arena *arena, const struct hr_view *a,
                             const struct hr_view *b, bool joint, struct hr_distance *ret);

/* Jensen-Shannon divergence, 0 to 1: over labels where both have them, else over histograms.
 * HR_PRECONDITION, told nowhere: there is nothing to compare; HR_EXHAUSTED. */
hr_status hr_distance_jsd(struct hr_arena *arena, const struct hr_view *a, const struct hr_view *b,
                          bool quantiles, double *ret);

#endif
