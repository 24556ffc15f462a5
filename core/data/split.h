/* split.h - which split a row belongs to, by the digest of its content, as TFX has it.
 *
 * The row is encoded as a tf.Example with features in byte order of their names; its SHA-256
 * is one number of 256 bits, most significant byte first; that number modulo the sum of all
 * buckets, looked up in the running sums, is the split.  So equal rows fall into one split,
 * and neither order nor files matter.
 */
#ifndef HR_DATA_SPLIT_H
#define HR_DATA_SPLIT_H

#include "base/base.h"
#include "headrace/arrow.h"

enum { HR_MAX_SPLITS = 100 }; /* more belong into a column of the rows */

struct hr_split {
    struct hr_arena arena;
    const char *names[HR_MAX_SPLITS];
    uint32_t ends[HR_MAX_SPLITS]; /* running sums of buckets */
    uint32_t n;
    uint32_t powers[8]; /* of 2^32, 7 down to 0, modulo the sum of all buckets */
};

/* From JSON text such as {"train":2,"eval":1}, in its order.  HR_INVALID: told with place. */
hr_status hr_split_parse(struct hr_env *env, const char *json, struct hr_split *ret);
void hr_split_clear(struct hr_split *s);

/* The index of the split of an encoded row. */
uint32_t hr_split_of(const struct hr_split *s, const void *bytes, size_t n);

/* Those of n encoded rows, which is faster; the bytes behind them are overwritten, as
 * hr_sha256_many() does. */
void hr_split_many(const struct hr_split *s, const struct hr_sha256_text *rows, size_t n,
                   uint8_t *ret);

#endif
