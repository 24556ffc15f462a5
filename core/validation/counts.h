/* counts.h - how often each number occurs, in bounded memory.
 *
 * Up to HR_COUNTS_MAX different numbers are counted exactly.  Beyond, the lowest bits of all
 * of them are dropped, as few as make them fit: numbers that then look alike are counted as
 * one.  Which bits remain depends on the set of numbers only - the count of different
 * numbers never falls when some are added - so the result is the same in whatever order they
 * come, and however tables are merged.
 *
 * Numbers are kept as keys of 64 bits in their order; -0.0 is 0.0; NaN is not counted.  A table
 * is a sorted list: many numbers are counted by sorting them (tally.h) and one walk over both.
 *
 * Invariants, checked by hr_counts_sane(): n <= HR_COUNTS_MAX; keys rise; none has a bit that is
 * dropped, none a count of 0; 16 <= bits <= 64.
 */
#ifndef HR_COUNTS_H
#define HR_COUNTS_H

#include "base/base.h"

enum { HR_COUNTS_MAX = 65536 };

struct hr_count {
    uint64_t key, n;
};

struct hr_counts {
    struct hr_count *items;
    size_t n, cap;
    uint32_t bits; /* of the keys that are kept, from the highest */
};

static inline uint64_t hr_count_key(double v)
{
    union {
        double d;
        uint64_t u;
    } x = { v + 0.0 }; /* -0.0 + 0.0 is 0.0 */

    return x.u >> 63 ? ~x.u : x.u | (uint64_t)1 << 63;
}

static inline double hr_count_value(uint64_t key)
{
    union {
        uint64_t u;
        double d;
    } x = { key >> 63 ? key & ~((uint64_t)1 << 63) : ~key };

    return x.d;
}

/* Allocates nothing. */
void hr_counts_init(struct hr_counts *t);
void hr_counts_clear(struct hr_env *env, struct hr_counts *t);

/* Count a key n times: for the few.  HR_EXHAUSTED: no memory; t is as before. */
hr_status hr_counts_add(struct hr_env *env, struct hr_counts *t, uint64_t key, uint64_t n);

/* Count m items whose keys rise; they are changed.  Afterwards t may be over HR_COUNTS_MAX, and
 * wants hr_counts_fit().  HR_EXHAUSTED: no memory; t is as before. */
hr_status hr_counts_unite(struct hr_env *env, struct hr_counts *t, struct hr_count *more, size_t m);

/* Drop bits until the keys are few enough.  Allocates nothing. */
void hr_counts_fit(struct hr_counts *t);

/* Has no key lost bits? */
static inline bool hr_counts_exact(const struct hr_counts *t)
{
    return t->bits == 64;
}

/* Keep no more bits than this. */
void hr_counts_keep(struct hr_counts *t, uint32_t bits);

bool hr_counts_sane(const struct hr_counts *t);

#endif
