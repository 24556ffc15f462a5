/* gather.h - the sums of one slice.
 *
 * An accumulator is the doubles of all computations, and a table for each that counts by a key.
 * Adding is plain floating point: the result is the same by the same order of rows and merges.
 */
#ifndef HR_ANALYSIS_GATHER_H
#define HR_ANALYSIS_GATHER_H

#include "analysis/plan.h"

/* Up to three sums by a key: by bucket of a histogram, or by threshold and classes. */
struct hr_cell {
    uint64_t key; /* plus 1; 0: free */
    double sums[3];
};

struct hr_cells {
    struct hr_cell *cells; /* 2 to the log of them */
    size_t n;
    uint32_t log;
};

struct hr_gathered {
    uint64_t rows;
    double *doubles;
    struct hr_cells *tables;
};

/* What one model says of one row. */
struct hr_row {
    const double *labels, *scores;
    size_t labels_n, scores_n;
    double weight;
};

/* Room that adding needs, of one thread. */
struct hr_gather_scratch {
    double *labels, *scores, *weights;
    size_t *order;
    size_t cap;
};

hr_status hr_gathered_init(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g);
void hr_gathered_clear(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g);

/* Add a row: one hr_row a model.  HR_INVALID: labels that do not fit, told in env. */
hr_status hr_gathered_add(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g,
                          const struct hr_row *rows, struct hr_gather_scratch *scratch);
void hr_gather_scratch_clear(struct hr_env *env, struct hr_gather_scratch *s);

hr_status hr_gathered_merge(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g,
                            const struct hr_gathered *other);

/* Bytes: u64 rows; the doubles; each table: u32 n, n times (u64 key, 3 doubles), by key. */
hr_status hr_gathered_store(const struct hr_plan *p, const struct hr_gathered *g,
                            struct hr_buf *to);
/* g is as hr_gathered_init() left it.  HR_DATA_LOSS: they are none of this plan. */
hr_status hr_gathered_load(struct hr_env *env, const struct hr_plan *p, const char *bytes, size_t n,
                           struct hr_gathered *g);

/* The cells in the order of their keys, t->n of them; NULL: no memory. */
const struct hr_cell *hr_cells_sorted(struct hr_arena *arena, const struct hr_cells *t);

/* Buckets of a score: 0 below 0, 10001 from 1 on. */
enum { HR_BUCKETS = 10002 };

/* Key of HR_SUMS_CLASSES; predicted -1 is of no class. */
uint64_t hr_class_key(size_t threshold, int32_t actual, int32_t predicted);
void hr_class_of(uint64_t key, size_t *ret_threshold, int32_t *ret_actual, int32_t *ret_predicted);

#endif
