/* big.h - whole numbers of up to 896 bits, not negative: for sums that are exact.
 *
 * A float32 is m * 2^(e - 150) with 24 bits of m and e from 1 to 254.  Sums of values and of
 * squares are kept as one sum of m, or m * m, for each e: nothing is rounded while rows are
 * added, so their order, the batches and the way parts are merged leave no trace.  Mean and
 * variance are rounded once, from whole numbers.
 */
#ifndef HR_TRANSFORM_BIG_H
#define HR_TRANSFORM_BIG_H

#include <stdint.h>

enum { HR_BIG_WORDS = 28 };

struct hr_big {
    uint32_t w[HR_BIG_WORDS]; /* the lowest first */
};

/* b += v << shift; it must fit. */
void hr_big_add(struct hr_big *b, uint64_t v, unsigned shift);
/* -1, 0, 1 */
int hr_big_compare(const struct hr_big *a, const struct hr_big *b);
/* a -= b, which is not above a. */
void hr_big_sub(struct hr_big *a, const struct hr_big *b);
/* Products that must fit. */
struct hr_big hr_big_mul(const struct hr_big *a, const struct hr_big *b);
/* a * 2^exponent, from its 64 highest bits. */
double hr_big_double(const struct hr_big *a, int exponent);

#endif
