/* eval.h - steps run over blocks of rows.
 *
 * A batch is cut into blocks of HR_BLOCK rows; each block goes through all steps before the
 * next is begun, so that what lies between stays in cache.  A register holds the values of a
 * step for one block:
 *
 *     const      n = size values, computed once for a thread
 *     dense      n = rows * size values
 *     optional   n = rows values; valid[row] is 0 where it is missing, the value is any then
 *     list       values offsets[row] up to offsets[row + 1]; valid as above
 *
 * Bytes may be coded: value i is dict[codes[i]].  What depends on the value alone is then
 * computed once for each entry of the dictionary, and once for a batch.  A dictionary may grow
 * from block to block of a batch; what is in it stays where it is.
 */
#ifndef HR_TRANSFORM_EVAL_H
#define HR_TRANSFORM_EVAL_H

#include "headrace/rows.h"
#include "transform/ir.h"

enum { HR_BLOCK = 1024 };

struct hr_reg {
    uint8_t elem, shape;
    bool cst;
    int64_t size, n;
    const void *v;
    const uint8_t *valid; /* NULL: no row is missing */
    const int32_t *offsets;
    const int32_t *codes; /* NULL: not coded */
    const struct hr_slice *dict;
    int64_t ndict;
    void *own, *memo; /* memory that stays with the register */
    uint8_t *own_valid;
    int32_t *own_offsets, *own_codes;
    size_t own_cap, memo_cap, valid_cap, offsets_cap, codes_cap;
    int64_t memo_n; /* entries that memo has for this batch */
};

struct hr_regex;

/* What a step needs beside its parameters, made once and shared. */
struct hr_extra {
    struct hr_vocab table; /* of lookup, in */
    struct hr_regex *regex;
};

/* Bytes that live until the batch is done; the memory is kept. */
struct hr_pool_block;
struct hr_pool {
    struct hr_pool_block *first, *now;
};

/* One thread's. */
struct hr_eval {
    struct hr_env *env;
    const struct hr_ir *ir;
    const struct hr_extra *extras;
    struct hr_reg *regs;
    struct hr_pool pool;      /* of a block of rows */
    struct hr_pool constants; /* what texts of constants point to: it stays */
    void *match;         /* of PCRE2 */
    struct hr_col *cols; /* of the inputs, this batch's */
    struct hr_slice **dicts;
    size_t *dict_caps;
    bool *dict_done;
    int64_t row, rows, batch_rows; /* of the block: its first row, its rows */
    struct hr_apply_error *error;
    struct hr_eval *next;
};

/* Run a step over the block. */
hr_status hr_eval_step(struct hr_eval *e, int32_t step);

/* Bytes of the batch.  NULL: no memory. */
char *hr_pool_get(struct hr_eval *e, size_t n);
void hr_pool_reset(struct hr_pool *p);
void hr_pool_clear(struct hr_env *env, struct hr_pool *p);

/* Room in a register's own buffers. */
void *hr_reg_room(struct hr_eval *e, struct hr_reg *r, int64_t n, size_t size);
uint8_t *hr_reg_valid(struct hr_eval *e, struct hr_reg *r, int64_t rows);
int32_t *hr_reg_offsets(struct hr_eval *e, struct hr_reg *r, int64_t rows);
void hr_reg_clear(struct hr_env *env, struct hr_reg *r);

/* Its values as slices, also where it is coded.  NULL: no memory. */
const struct hr_slice *hr_reg_slices(struct hr_eval *e, struct hr_reg *r);

/* The values of a row: their number, and where the first is. */
static inline int64_t hr_reg_row(const struct hr_reg *r, int64_t row, int64_t *ret_at)
{
    if (r->valid && !r->valid[row])
        return 0;
    if (r->shape == HR_S_LIST) {
        *ret_at = r->offsets[row];
        return r->offsets[row + 1] - r->offsets[row];
    }
    *ret_at = r->cst ? 0 : row * r->size;
    return r->size;
}

/* Why value i of r cannot be.  Returns HR_INVALID. */
HR_PRINTF(4, 5)
hr_status hr_eval_fail(struct hr_eval *e, const struct hr_reg *r, int64_t i, const char *format,
                       ...);
/* No memory. */
hr_status hr_eval_memory(struct hr_eval *e);

/* The kernels; r has its shape, and room where the work is value by value. */
hr_status hr_kernel_number(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                           struct hr_reg *const *a);
hr_status hr_kernel_ids(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                        struct hr_reg *r, struct hr_reg *const *a);
hr_status hr_kernel_text(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                         struct hr_reg *r, struct hr_reg *const *a);
hr_status hr_kernel_row(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                        struct hr_reg *r, struct hr_reg *const *a);
/* Columns of the batch to registers. */
hr_status hr_kernel_input(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r);

/* Patterns.  HR_INVALID: it is none. */
hr_status hr_regex_new(struct hr_env *env, struct hr_slice pattern, struct hr_regex **ret);
void hr_regex_free(struct hr_env *env, struct hr_regex *regex);
void hr_regex_match_free(void *match);

#endif
