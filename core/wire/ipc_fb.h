/* ipc_fb.h - flatbuffers, as far as Arrow files need them; private to core/wire.
 *
 *     buffer   0  offset of the root table
 *     table    0  distance back to its vtable (signed), then the fields
 *     vtable   0  size in bytes, size of the table, then for each field its place in the
 *                 table or 0, all of 16 bit
 *     vector   0  number of elements, then the elements
 *     string      a vector of bytes with a '\0' after it
 *
 * A field that is a table, vector or string holds the distance forward to it, 32 bit.
 */
#ifndef HR_WIRE_IPC_FB_H
#define HR_WIRE_IPC_FB_H

#include "base/base.h"

/* Numbers of Arrow's own tables. */
enum { IPC_V5 = 4, IPC_SCHEMA = 1, IPC_DICTIONARY = 2, IPC_RECORDS = 3, IPC_MAX_FIELDS = 200000 };
enum {
    TYPE_NULL = 1,
    TYPE_INT = 2,
    TYPE_FLOAT = 3,
    TYPE_BINARY = 4,
    TYPE_UTF8 = 5,
    TYPE_BOOL = 6,
    TYPE_DATE = 8,
    TYPE_TIMESTAMP = 10,
    TYPE_LIST = 12,
    TYPE_STRUCT = 13,
    TYPE_FIXED_LIST = 16,
    TYPE_LARGE_BINARY = 19,
    TYPE_LARGE_UTF8 = 20,
    TYPE_LARGE_LIST = 21
};

/* -- writing: forward, with links patched; a failure is kept in status ------------- */

struct fb_out {
    struct hr_buf *to;
    hr_status status;
};

void fb_begin(struct fb_out *o, struct hr_buf *to);
/* A table whose field i has sizes[i] bytes, 0: not there; zeroed.  Returns its place. */
size_t fb_table(struct fb_out *o, const uint8_t *sizes, size_t n, size_t *fields);
size_t fb_vector(struct fb_out *o, size_t n, size_t size, size_t align);
size_t fb_string(struct fb_out *o, const char *text, size_t n);
void fb_put(struct fb_out *o, size_t at, uint64_t v, size_t size);
void fb_link(struct fb_out *o, size_t at, size_t to);

/* -- reading: every access is checked; what is not there reads as 0 ---------------- */

struct fb_in {
    const uint8_t *p;
    size_t n;
    bool bad; /* something was out of bounds */
};

struct fb_table {
    size_t at, vtable;
    uint16_t vsize, size; /* 0: no table */
};

struct fb_table fb_root(struct fb_in *in);
uint64_t fb_get(struct fb_in *in, const struct fb_table *t, int field, size_t size,
                uint64_t without);
struct fb_table fb_get_table(struct fb_in *in, const struct fb_table *t, int field);
/* The first element of a vector of elements of size bytes, *ret_n of them. */
size_t fb_get_vector(struct fb_in *in, const struct fb_table *t, int field, size_t size,
                     size_t *ret_n);
struct hr_slice fb_get_string(struct fb_in *in, const struct fb_table *t, int field);
struct fb_table fb_table_at(struct fb_in *in, size_t link); /* the table that a link at names */
uint64_t fb_number(struct fb_in *in, size_t at, size_t size);

#endif
