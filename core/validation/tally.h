/* tally.h - numbers that wait to be counted.
 *
 * A table of counts is larger than a processor's nearest caches, so numbers are not looked up one
 * by one.  Integers that lie close to one another are counted in an array by their distance
 * from the least; all others wait in a list, and are sorted by their digits when it is full:
 * hr_tally_runs() gives each number once, with how often it came.
 *
 *     at the end, and whenever hr_tally_room() is 0:
 *     hr_tally_runs(env, &t, &runs, &n);
 *     hr_counts_unite(env, &counts, runs, n);
 *
 * What comes out at last depends on the numbers alone.  NaN is left out.
 */
#ifndef HR_TALLY_H
#define HR_TALLY_H

#include "validation/counts.h"

enum {
    HR_TALLY_MOST = 1 << 16, /* numbers that wait, at most */
    HR_TALLY_LEAST = 1 << 6
};

/* What is in the list. */
enum hr_tally_kind { HR_TALLY_FLOAT, HR_TALLY_INT, HR_TALLY_DOUBLE };

struct hr_tally {
    enum hr_tally_kind kind;
    void *list; /* keys in the order of their numbers: 32 bits of HR_TALLY_FLOAT, else 64 */
    size_t n, cap, most;
    uint32_t *near; /* counts of base, base + 1, ...; range of them, a power of two, or 0 */
    int64_t base;
    uint64_t range;
    uint64_t near_n; /* how many were counted there */
};

/* Allocates nothing.  most: how many may wait. */
void hr_tally_init(struct hr_tally *t, size_t most);
void hr_tally_clear(struct hr_env *env, struct hr_tally *t);

/* How many more numbers of a kind it takes before it must be emptied, at most want; 0 also
 * where numbers of another kind wait. */
hr_status hr_tally_room(struct hr_env *env, struct hr_tally *t, enum hr_tally_kind kind,
                        size_t want, size_t *ret);

/* Take n numbers, for which there is room.  Returns how many are NaN. */
size_t hr_tally_floats(struct hr_tally *t, const float *v, size_t n);
size_t hr_tally_doubles(struct hr_tally *t, const double *v, size_t n);
hr_status hr_tally_ints(struct hr_env *env, struct hr_tally *t, const int64_t *v, size_t n);

/* Take all of other, for which there is room by kind and number. */
void hr_tally_take(struct hr_tally *t, const struct hr_tally *other);

/* The keys of counts.h of all in the list in their order, each once: *ret, of size
 * *ret_cap, is the caller's to give back to env.  The list is empty afterwards. */
struct hr_runs {
    struct hr_count *items;
    size_t n, cap;
};
hr_status hr_tally_runs(struct hr_env *env, struct hr_tally *t, struct hr_runs *ret);

/* The same of those that were counted by distance, wherever the next ones lie. */
hr_status hr_tally_near(struct hr_env *env, struct hr_tally *t, struct hr_runs *ret);
void hr_runs_clear(struct hr_env *env, struct hr_runs *runs);

#endif
