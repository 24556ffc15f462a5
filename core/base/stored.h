/* stored.h - numbers as bytes, least significant first: what sums are kept as between processes.
 *
 * A reader does not ask after each number: from the first that lacks on, all are 0 and ok is false.
 */
#ifndef HR_STORED_H
#define HR_STORED_H

#include "base/buf.h"

/* Bytes being read: p up to end. */
struct hr_stored {
    const char *p, *end;
    bool ok;
};

/* The lowest n bytes of v, 1 to 8.  HR_EXHAUSTED, HR_INVALID: as of hr_buf_add(). */
hr_status hr_store_uint(struct hr_buf *to, uint64_t v, int n);
hr_status hr_store_u32(struct hr_buf *to, uint32_t v);
hr_status hr_store_u64(struct hr_buf *to, uint64_t v);
hr_status hr_store_double(struct hr_buf *to, double v);

uint64_t hr_load_uint(struct hr_stored *in, int n);
uint32_t hr_load_u32(struct hr_stored *in);
uint64_t hr_load_u64(struct hr_stored *in);
double hr_load_double(struct hr_stored *in);

/* Is there room for n items of size bytes in what is left?  ok is false if not. */
bool hr_load_fits(struct hr_stored *in, uint64_t n, size_t size);

#endif
