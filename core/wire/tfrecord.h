/* tfrecord.h - files of records, plain or gzip, read and written.
 *
 *     0     8   length n, least significant byte first
 *     8     4   masked CRC-32C of these 8 bytes
 *     12    n   the record
 *     12+n  4   masked CRC-32C of the record
 *
 * masked(crc) = rotate right by 15 bits, plus 0xa282ead8.  A gzip file may have several
 * members, one after the other; whether a file is gzip is told by its first two bytes.
 *
 * Written gzip is of level 1, cut into members of 1 MiB of records, with no time and no name in
 * its headers: equal records give equal bytes.
 */
#ifndef HR_WIRE_TFRECORD_H
#define HR_WIRE_TFRECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

uint32_t hr_tfrecord_mask(uint32_t crc);

struct hr_tfrecords;

/* HR_NOT_FOUND, HR_DENIED, HR_INVALID (a directory). */
hr_status hr_tfrecords_open(struct hr_env *env, const char *path, struct hr_tfrecords **ret);

/* The same over bytes at hand, which must stay; name is of the file, for errors. */
hr_status hr_tfrecords_over(struct hr_env *env, const char *name, const void *bytes, size_t n,
                            struct hr_tfrecords **ret);

/* The next record; its bytes live until the next call.  At the end *ret is NULL.  HR_DATA_LOSS:
 * a wrong checksum, gzip that is damaged, or an end in the middle, with file and record. */
hr_status hr_tfrecords_next(struct hr_tfrecords *t, const uint8_t **ret, size_t *ret_size);
void hr_tfrecords_close(struct hr_tfrecords *t); /* NULL is allowed */

struct hr_tfrecord_out;

hr_status hr_tfrecord_create(struct hr_env *env, const char *path, bool gzip,
                             struct hr_tfrecord_out **ret);
hr_status hr_tfrecord_add(struct hr_tfrecord_out *out, const void *bytes, size_t n);

/* Write the rest, close, free, whatever happens. */
hr_status hr_tfrecord_end(struct hr_tfrecord_out *out);
/* Close and free; the file is left unfinished.  NULL is allowed. */
void hr_tfrecord_drop(struct hr_tfrecord_out *out);

/* The bytes of one record, as they are in a plain file, appended. */
hr_status hr_tfrecord_frame(struct hr_buf *to, const void *bytes, size_t n);

/* Append one gzip member of level 1. */
hr_status hr_gzip_member(struct hr_env *env, const void *bytes, size_t n, struct hr_buf *to);

#endif
