/* arrow.h - the three structs of the Arrow C data and C stream interfaces.
 *
 * The structs are frozen by their specification.
 *
 * The guards are the specification's own: when another library has declared the
 * structs already, this file adds nothing.  plugin.h needs only their names, so
 * a plugin that passes no rows need not include this.
 *
 * Each struct carries its own release().  A struct whose release is NULL is
 * empty: released, moved away, or never filled.  To move one, copy its bytes and
 * set release to NULL in the place it left.
 */
#ifndef HR_ARROW_H
#define HR_ARROW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

/* Bits of ArrowSchema.flags. */
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

/* The type of a column, or with format "+s" of a whole batch. */
struct ArrowSchema {
    const char *format;   /* "l" int64, "g" float64, "u" utf8, "+s" struct, ... */
    const char *name;     /* of the column; may be NULL */
    const char *metadata; /* counted key-value pairs, or NULL */
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary; /* the type of the values, or NULL */
    void (*release)(struct ArrowSchema *schema);
    void *private_data; /* the producer's */
};

/* The values of a column or a batch, from offset on. */
struct ArrowArray {
    int64_t length;
    int64_t null_count; /* -1: not counted */
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers; /* the first is the validity bitmap, NULL if no nulls */
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *array);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

/* Batches of one schema, pulled one after another.  Codes are those of errno. */
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *stream, struct ArrowSchema *ret);
    int (*get_next)(struct ArrowArrayStream *stream, struct ArrowArray *ret); /* empty: the end */
    const char *(*get_last_error)(struct ArrowArrayStream *stream);
    void (*release)(struct ArrowArrayStream *stream);
    void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

#ifdef __cplusplus
}
#endif
#endif
