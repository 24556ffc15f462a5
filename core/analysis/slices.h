/* slices.h - the slices that a row belongs to.
 *
 * A slice is a SliceKey: pairs of column and value, sorted by column; none is all rows.  Its
 * bytes, a serialized SliceKey, are the key that rows are combined by.
 */
#ifndef HR_ANALYSIS_SLICES_H
#define HR_ANALYSIS_SLICES_H

#include "analysis/config.h"
#include "headrace/rows.h"

/* Keys of one row, one after the other, each once. */
struct hr_slice_keys {
    struct hr_buf bytes;
    size_t *ends; /* of each in bytes */
    size_t n, cap;
};

struct hr_slicer;

/* HR_INVALID: a column to slice by has no values that can be keys.  A column that is not there
 * gives no slices. */
hr_status hr_slicer_make(struct hr_arena *arena, const hr_eval_config *config,
                         const struct ArrowSchema *in, struct hr_slicer **ret);

/* Open the columns of a batch. */
hr_status hr_slicer_open(struct hr_env *env, struct hr_slicer *s, const struct ArrowSchema *schema,
                         const struct ArrowArray *rows);

/* The keys of row i. */
hr_status hr_slicer_row(struct hr_env *env, const struct hr_slicer *s, int64_t i,
                        struct hr_slice_keys *ret);
void hr_slice_keys_init(struct hr_env *env, struct hr_slice_keys *k);
void hr_slice_keys_clear(struct hr_env *env, struct hr_slice_keys *k);

/* Is a slice one of those of a spec? */
bool hr_slice_matches(const HR_MA(SlicingSpec) * spec, const HR_MA(SliceKey) * key);

/* "country=kr, hour=3"; "all rows" of the empty key. */
hr_status hr_slice_text(const HR_MA(SliceKey) * key, struct hr_buf *to);

#endif
