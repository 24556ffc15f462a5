/* arrow.h - Arrow batches: checked, compared, owned, cut and gathered.
 *
 * A batch is an array of struct type, a child a column, no null rows, any offset.  What is
 * made here is allocated by malloc() and carries its own release(), for it may outlive the
 * env and end on another thread.
 *
 * Owners.  Buffers that several arrays look into belong to an owner that counts them, so
 * that a batch can be cut into slices, and a mapped file into columns, without a copy:
 *
 *     hr_arrow_owner(env, &rows, &owner);         takes rows
 *     hr_arrow_share(env, &owner->rows, owner, hr_cut(0, 100), &head);
 *     hr_arrow_share(env, &owner->rows, owner, hr_cut(100, 100), &next);
 *     hr_owner_drop(owner);                       head and next live on
 */
#ifndef HR_WIRE_ARROW_H
#define HR_WIRE_ARROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "headrace/arrow.h"

/* -- types and checks -------------------------------------------------------------- */

enum hr_arrow_type {
    HR_ARROW_BAD = -1,
    HR_ARROW_NULL,   /* n */
    HR_ARROW_BOOL,   /* b */
    HR_ARROW_FIXED,  /* c C s S i I l L f g tdD ts.:zone: values of one width */
    HR_ARROW_BYTES,  /* u z, offsets of 32 bit; U Z, of 64 */
    HR_ARROW_LIST,   /* +l, +L */
    HR_ARROW_ARRAY,  /* +w:N */
    HR_ARROW_STRUCT, /* +s */
};

/* What a format is.  *ret_width: bytes of a value, of an offset, or the N of +w.  Cannot
 * fail: HR_ARROW_BAD is a format that is not of the types that are taken. */
enum hr_arrow_type hr_arrow_type(const char *format, int64_t *ret_width);

/* The buffers that an array of this type has. */
int64_t hr_arrow_buffers(enum hr_arrow_type type);

/* Is it a schema of a batch, of known types, with names and without cycles?  what names it in
 * the sentence, such as the function that gave it.  HR_INVALID: the first fault. */
hr_status hr_arrow_check_schema(struct hr_env *env, const struct ArrowSchema *schema,
                                const char *what);

/* Does a batch keep to its schema, which was checked: lengths, buffers, bitmaps, offsets,
 * codes of dictionaries, no nulls within lists?  HR_INVALID: the first fault, with column and
 * format.  Buffers carry no sizes, so one that is too short cannot be seen here. */
hr_status hr_arrow_check(struct hr_env *env, const struct ArrowSchema *schema,
                         const struct ArrowArray *rows, const char *what);

/* Same names, formats, children, dictionaries and metadata that matters (keys that begin with
 * "hr:")?  Flags do not count. */
bool hr_arrow_schema_equal(const struct ArrowSchema *a, const struct ArrowSchema *b);

/* How they differ, as the end of a sentence: «column 2 is "a" of format "l", not "b" of format
 * "f"».  Only where hr_arrow_schema_equal() says no. */
hr_status hr_arrow_schema_differ(const struct ArrowSchema *a, const struct ArrowSchema *b,
                                 struct hr_buf *to);

/* About how many bytes the rows take, without dictionaries, which slices share. */
size_t hr_arrow_size(const struct ArrowSchema *schema, const struct ArrowArray *rows);

/* The i-th code of an integer type, as dictionaries are looked up by. */
int64_t hr_arrow_code(const char *format, const void *codes, int64_t i);

/* -- what owns and is owned -------------------------------------------------------- */

struct hr_owner {
    int refs; /* counted atomically */
    void (*drop)(void *user);
    void *user;
    struct ArrowArray rows; /* of hr_arrow_owner() */
};

/* With one reference.  drop(user) is called with the last.  NULL: no memory, told in env. */
struct hr_owner *hr_owner_new(struct hr_env *env, void (*drop)(void *user), void *user);
struct hr_owner *hr_owner_ref(struct hr_owner *o);
void hr_owner_drop(struct hr_owner *o); /* NULL is allowed */

/* An owner of a batch.  Takes *rows, also when failing. */
hr_status hr_arrow_owner(struct hr_env *env, struct ArrowArray *rows, struct hr_owner **ret);

/* An empty array with room for its parts: children and dictionary are to be filled before it
 * is passed on (their release may stay NULL).  Its buffers are NULL. */
hr_status hr_arrow_new(struct hr_env *env, int64_t n_buffers, int64_t n_children, bool dictionary,
                       struct ArrowArray *ret);

/* Set buffer k of an array of hr_arrow_new().  own: from malloc(), freed with the array. */
void hr_arrow_put(struct ArrowArray *a, int k, const void *buffer, bool own);

/* Let an array of hr_arrow_new() hold a reference. */
void hr_arrow_hold(struct ArrowArray *a, struct hr_owner *owner);

/* Rows of an array. */
struct hr_cut {
    int64_t from, n;
};

static inline struct hr_cut hr_cut(int64_t from, int64_t n)
{
    return (struct hr_cut){ from, n };
}

/* Rows of an array, which share its buffers; owner keeps them. */
hr_status hr_arrow_share(struct hr_env *env, const struct ArrowArray *a, struct hr_owner *owner,
                         struct hr_cut cut, struct ArrowArray *ret);

/* Release it, if it is there; for struct ArrowArray, ArrowSchema and ArrowArrayStream. */
#define HR_RELEASE(p)                                                                              \
    do {                                                                                           \
        if ((p)->release)                                                                          \
            (p)->release(p);                                                                       \
        (p)->release = NULL;                                                                       \
    } while (0)

/* -- gathering --------------------------------------------------------------------- */

/* A row of one of several batches. */
struct hr_pick {
    uint32_t batch;
    int64_t row; /* -1: a null */
};

struct hr_taking {
    const struct ArrowSchema *schema;
    const struct ArrowArray *const *batches;
    uint32_t n_batches;
    const struct hr_pick *picks;
    int64_t n;
};

/* New rows, copied one by one from batches of one schema.  Dictionaries hold what is used, in
 * the order of first use.  HR_EXHAUSTED: memory, or more than 2^31 bytes or values in a
 * column with offsets of 32 bit. */
hr_status hr_arrow_take(struct hr_env *env, const struct hr_taking *taking, struct ArrowArray *ret);

/* A batch of the columns cols[0..n) of another; takes *rows, also when failing. */
hr_status hr_arrow_select(struct hr_env *env, struct ArrowArray *rows, const int64_t *cols,
                          int64_t n, struct ArrowArray *ret);

/* -- streams ----------------------------------------------------------------------- */

/* The schema of a stream, checked.  Failures of the stream are told in env. */
hr_status hr_arrow_stream_schema(struct hr_env *env, struct ArrowArrayStream *s, const char *what,
                                 struct ArrowSchema *ret);

/* The next batch; at the end ret->release is NULL. */
hr_status hr_arrow_stream_next(struct hr_env *env, struct ArrowArrayStream *s, const char *what,
                               struct ArrowArray *ret);

/* A stream over next(), which fills *ret or leaves it empty at the end.  A failure of it is told
 * in env, and its text is what get_last_error() gives.  drop() ends user; schema is copied. */
struct hr_stream_calls {
    hr_status (*next)(void *user, struct ArrowArray *ret);
    void (*drop)(void *user);
};
hr_status hr_arrow_stream(struct hr_env *env, const struct ArrowSchema *schema,
                          const struct hr_stream_calls *calls, void *user,
                          struct ArrowArrayStream *ret);

/* A stream of n batches that are at hand.  Takes the batches, also when failing. */
hr_status hr_arrow_stream_list(struct hr_env *env, const struct ArrowSchema *schema,
                               struct ArrowArray *batches, size_t n, struct ArrowArrayStream *ret);

/* A copy of a schema.  HR_EXHAUSTED: told in env. */
hr_status hr_arrow_schema_copy(struct hr_env *env, const struct ArrowSchema *from,
                               struct ArrowSchema *ret);

#endif
