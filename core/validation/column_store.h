/* column_store.h - columns as bytes, least significant byte first.
 *
 *     u64  rows, present, values, zeros, nan, negative, positive
 *     f64  finite_min, finite_max
 *     tab  lengths, numbers: u32 bits, u32 n, n times (u64 key, u64 count), by key
 *     u8   1: sums follow: 70 and 138 times i64, u64 n
 *     u8   1: the head is over; else u32 n, n times f64
 *     u32  zeros, u32 n; u64 total, total_size, not_utf8, least, most;
 *          n times (u64 count, u32 size, bytes), in the order they were met
 */
#ifndef HR_COLUMN_STORE_H
#define HR_COLUMN_STORE_H

#include "validation/column.h"

hr_status hr_column_store(struct hr_env *env, const struct hr_column *c, struct hr_buf *to);

/* c is as hr_column_init() left it.  HR_EXHAUSTED: no memory; what is wrong with the bytes is
 * in in->ok.  c must be cleared in any case. */
hr_status hr_column_load(struct hr_env *env, struct hr_stored *in, struct hr_column *c);

#endif
