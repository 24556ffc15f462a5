/* exact.h - sums of doubles and of their squares without any rounding.
 *
 * Sums of floating point depend on the order of their terms; these do not, so that mean and
 * variance are the same however rows were cut into batches and merged.  A sum is an integer
 * of a few thousand bits, in units of the smallest double (Kulisch's accumulator), kept as
 * limbs of 32 bits whose carries are put off.
 */
#ifndef HR_EXACT_H
#define HR_EXACT_H

#include "base/base.h"
#include "validation/counts.h"

enum { HR_EXACT_SUM = 70, HR_EXACT_SQUARES = 138 };

struct hr_exact {
    int64_t sum[HR_EXACT_SUM];         /* times 2^-1074 */
    int64_t squares[HR_EXACT_SQUARES]; /* times 2^-2148 */
    uint64_t n;                        /* terms */
    uint32_t pending;                  /* additions since carries were last passed on */
};

/* e zeroed is the sum of nothing. */

/* Add a finite v n times. */
void hr_exact_add(struct hr_exact *e, double v, uint64_t n);

/* Add all finite numbers of counts; fastest where their keys rise. */
void hr_exact_counts(struct hr_exact *e, const struct hr_count *counts, size_t n);

void hr_exact_merge(struct hr_exact *e, struct hr_exact *other);

/* Pass on all carries: equal sums are equal bytes then. */
void hr_exact_settle(struct hr_exact *e);

/* Mean and population variance, rounded at the end only; n > 0. */
void hr_exact_moments(struct hr_exact *e, double *ret_mean, double *ret_variance);

/* Mean and population variance as numpy 1.x and 2.x give them: sums by pairs. */
void hr_pairwise_moments(const double *v, size_t n, double *scratch, double *ret_mean,
                         double *ret_variance);

#endif
