/* counts.h - how often each number occurs, in bounded memory.
 *
 * Up to HR_COUNTS_MAX different numbers are counted exactly.  Beyond, the lowest bits of all
 * of them are dropped, as few as make them fit: numbers that then look alike are counted as
 * one.  Which bits remain depends on the set of numbers only - the count of different
 * numbers never falls when some are added - so the result is the same in whatever order they
 * come, and however tables are merged.
 *
 * Numbers are kept as keys of 64 bits in their order; -0.0 is 0.0; NaN is not counted.
 *
 * Invariants, checked by hr_counts_sane(): n <= HR_COUNTS_MAX; n is at most half of the
 * slots; no key has a bit that is dropped; 16 <= bits <= 64.
 */
#ifndef HR_COUNTS_H
#define HR_COUNTS_H

#include "base/base.h"

enum { HR_COUNTS_MAX = 65536 };

struct hr_count {
    uint64_t key, n; /* n 0: a slot that is free */
};

struct hr_counts {
    struct hr_count *slots;
    uint32_t log_slots; /* 2 to this many; 0: none as yet */
    uint32_t bits;      /* of the keys that are kept, from the highest */
    size_t n;
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

/* Count a key n times.  HR_EXHAUSTED: no memory; t is as before. */
hr_status hr_counts_add(struct hr_env *env, struct hr_counts *t, uint64_t key, uint64_t n);

/* Must the next new key drop bits?  Then its exact value is lost with it. */
static inline bool hr_counts_exact(const struct hr_counts *t)
{
    return t->bits == 64;
}

/* Add all of other. */
hr_status hr_counts_merge(struct hr_env *env, struct hr_counts *t, const struct hr_counts *other);

/* All of them in the order of their keys, t->n items that the caller has room for. */
void hr_counts_sorted(const struct hr_counts *t, struct hr_count *ret);

bool hr_counts_sane(const struct hr_counts *t);

#endif
