/* keys.h - keys of rows as bytes whose order is that of the keys; private to core/flow.
 *
 * A key is its columns one after the other:
 *
 *     null       00
 *     integer    01, then 8 bytes, the most significant first, the sign turned (unsigned: not)
 *     bytes      01, then each byte, 00 as 00 FF, then 00 00
 *
 * So memcmp() of two keys orders them by column, null first, numbers by value, text by its
 * bytes and what is shorter first; equal keys have equal bytes.
 */
#ifndef HR_FLOW_KEYS_H
#define HR_FLOW_KEYS_H

#include "wire/wire.h"

struct key_column {
    int64_t column;
    char format;  /* of the values: c C ... L b u U z Z n, "tdD" as i, "ts" as l */
    int32_t kind; /* HR_COL_ of rows.h */
};

struct keys {
    const struct ArrowSchema *schema; /* of the rows; it stays */
    struct key_column *columns;
    size_t n;
};

/* Find the columns in a schema; what names the step.  HR_INVALID: there is none of a name, or its
 * type cannot be a key. */
struct key_names {
    char *const *names;
    size_t n;
};
hr_status keys_plan(struct hr_arena *arena, const struct ArrowSchema *schema,
                    const struct key_names *names, const char *what, struct keys *ret);

/* The type of a key's column as it comes out: not coded by a dictionary. */
hr_status keys_schema(struct hr_env *env, const struct ArrowSchema *column,
                      struct ArrowSchema *ret);

/* Append the keys of all rows to bytes, and where each ends there to ends. */
hr_status keys_encode(struct hr_env *env, const struct keys *k, const struct ArrowArray *rows,
                      struct hr_buf *bytes, uint32_t *ends);

/* Columns from n keys that were encoded here; key_at gives the i-th. */
struct key_list {
    struct hr_slice (*at)(const void *list, size_t i);
    const void *list;
    size_t n;
};
hr_status keys_decode(struct hr_env *env, const struct keys *k, const struct key_list *list,
                      struct ArrowArray *columns);

#endif
