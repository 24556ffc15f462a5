/* quantile.h - quantiles and histograms as TFX computes them.
 *
 * A summary is a sorted list of different values with their weights and the least and
 * greatest rank each can have; of exact counts both are known.  The sketch of boosted trees
 * in TensorFlow compresses a summary to a block of entries; so does this, once, where there
 * are more than a block: for data that fits the sketch's buffer the borders are the same.
 */
#ifndef HR_QUANTILE_H
#define HR_QUANTILE_H

#include "validation/counts.h"
#include "wire/wire.h"

struct hr_entry {
    double value, weight, min_rank, max_rank;
};

struct hr_border {
    double value, weight; /* cumulative */
};

/* The block of a sketch of a given error, which is a third of what is asked for. */
size_t hr_quantile_block(double epsilon);

/* Sorted counts; the first value is at least min, the last is max if that is finite: what keys
 * without their lowest bits have lost. */
struct hr_counted {
    const struct hr_count *counts;
    size_t n;
    double min, max;
};

/* How many entries the summary of n counts can have. */
size_t hr_quantile_room(size_t n, double epsilon);

/* Fill ret, which has that room, with the summary, compressed as the sketch of epsilon does with
 * its buffer.  Returns how many there are.  Allocates nothing. */
size_t hr_quantile_summary(const struct hr_counted *c, double epsilon, struct hr_entry *ret);

/* The n + 1 borders of n quantiles; there is at least one entry. */
void hr_quantile_borders(const struct hr_entry *e, size_t count, size_t n, struct hr_border *ret);

/* What the histograms of a feature need beside the borders. */
struct hr_histogram_args {
    struct hr_border *borders; /* of 100 times as many quantiles as buckets; changed */
    size_t n;                  /* borders */
    size_t buckets;
    double finite_min, finite_max; /* infinite and the wrong way round: there is none */
    double negative, positive;     /* weight of infinite values */
    uint64_t nan;
};

/* Of equal weights: each buckets-th of the borders. */
HR_MD(Histogram) *
    hr_histogram_quantiles(struct hr_arena *arena, const struct hr_histogram_args *args);

/* Of equal widths.  It strips infinite borders from args->borders: call it last. */
HR_MD(Histogram) * hr_histogram_standard(struct hr_arena *arena, struct hr_histogram_args *args);

#endif
