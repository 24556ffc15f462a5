/* Writing tf.Example.  What of an entry does not change from row to row is laid out once, in the
 * order of names:
 *
 *     0a E   0a N name   12 F   [feature]         E, F: lengths
 *
 * A scalar column has whole entries: of an integer all up to the varint, one for each size of it;
 * of a float all but its four bytes; of text by a dictionary one for each of its values, made when
 * a batch is opened.  Of lists and of other text only the name is laid out.
 *
 * Entries are put into a buffer from HEAD on, and the head before them when their size is known.
 */
#include "wire/example.h"

#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "wire/arrow.h"

enum {
    HEAD = 11,   /* a tag and the longest length */
    STRIDE = 32, /* entries are copied in steps of so many bytes, and may be read and written as
                    far behind their ends */
    VARINTS = 10
};

/* An entry, or how one begins. */
struct entry {
    const uint8_t *bytes;
    size_t size;
};

enum mode { ANY, INT, FLOAT, CODED };

struct field {
    const char *name;
    int64_t column;
    uint8_t *name_part; /* 0a N name 12 */
    size_t name_size;
    struct hr_col col;
    enum mode mode;
    struct entry *entries; /* of INT by the size of the varint from 1 on, of FLOAT one, of CODED
                              by its code */
    struct entry empty;    /* of no values; not of ANY */
    size_t most;           /* of the entries, with what is put behind them */
};

struct hr_example_encoder {
    struct hr_env *env;
    struct hr_arena arena;
    struct ArrowSchema schema;
    struct field *fields;
    size_t n;
    uint8_t *bytes;
    size_t cap;
    struct hr_arena batch; /* entries of its dictionaries */
};

static size_t varint_size(uint64_t v)
{
    return (size_t)(64 - __builtin_clzll(v | 1) + 6) / 7;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static hr_status lay_out(struct hr_example_encoder *e, struct field *f)
{
    size_t n = strlen(f->name);
    uint8_t *p = hr_arena_get(&e->arena, n + 12);

    if (!p)
        return HR_EXHAUSTED;
    f->name_part = p;
    *p++ = 0x0a;
    p = put_varint(p, n);
    memcpy(p, f->name, n);
    p += n;
    *p++ = 0x12;
    f->name_size = (size_t)(p - f->name_part);
    return HR_OK;
}

static hr_status check_type(struct hr_example_encoder *e, const struct ArrowSchema *s)
{
    const struct ArrowSchema *v = s->format[0] == '+' && s->n_children == 1 ? s->children[0] : s;
    int32_t kind = hr_col_kind(v->dictionary ? v->dictionary->format : v->format);

    if (kind < 0 || (s->format[0] == '+' && s->format[1] == 's'))
        return hr_fail(e->env, HR_INVALID,
                       "column \"%s\" of format \"%s\" cannot be a feature; features are integers, "
                       "floats or bytes, or lists of them",
                       s->name, s->format);
    return HR_OK;
}

hr_status hr_example_encoder_new(struct hr_env *env, const struct ArrowSchema *schema,
                                 struct hr_example_encoder **ret)
{
    struct hr_example_encoder *e = hr_mem_zero(env, sizeof *e);
    hr_status r;
    size_t i;

    if (!e)
        return HR_EXHAUSTED;
    e->env = env;
    hr_arena_init(&e->arena, env, 0);
    hr_arena_init(&e->batch, env, 0);
    e->n = (size_t)schema->n_children;
    r = hr_arrow_schema_copy(env, schema, &e->schema);
    if (r == HR_OK && !(e->fields = hr_arena_array(&e->arena, e->n, sizeof *e->fields)))
        r = HR_EXHAUSTED;
    for (i = 0; r == HR_OK && i < e->n; i++) {
        e->fields[i].name = e->schema.children[i]->name;
        e->fields[i].column = (int64_t)i;
        if ((r = check_type(e, e->schema.children[i])) == HR_OK)
            r = lay_out(e, &e->fields[i]);
    }
    if (r < 0) {
        hr_example_encoder_free(e);
        return r;
    }
    if (e->n)
        qsort(e->fields, e->n, sizeof *e->fields, by_name);
    *ret = e;
    return HR_OK;
}

void hr_example_encoder_free(struct hr_example_encoder *e)
{
    if (!e)
        return;
    hr_mem_put(e->env, e->bytes, e->cap);
    HR_RELEASE(&e->schema);
    hr_arena_clear(&e->arena);
    hr_arena_clear(&e->batch);
    hr_mem_put(e->env, e, sizeof *e);
}

/* Room for n more bytes at p, which may move. */
static uint8_t *room(struct hr_example_encoder *e, uint8_t *p, size_t n)
{
    size_t used = p ? (size_t)(p - e->bytes) : 0, cap = e->cap ? e->cap : 4096;
    uint8_t *bytes;

    if (e->bytes && n <= e->cap - used)
        return e->bytes + used;
    if (n > HR_MAX_VALUE_BYTES - used) {
        hr_fail(e->env, HR_EXHAUSTED, "a row passes 1 GiB as a tf.Example");
        return NULL;
    }
    while (cap < used + n)
        cap *= 2;
    if (!(bytes = hr_mem_resize(e->env, e->bytes, e->cap, cap)))
        return NULL;
    e->bytes = bytes;
    e->cap = cap;
    return bytes + used;
}

/* The entry of a field up to its feature of size bytes. */
static uint8_t *put_head(const struct field *f, uint8_t *p, size_t size)
{
    *p++ = 0x0a;
    p = put_varint(p, f->name_size + varint_size(size) + size);
    memcpy(p, f->name_part, f->name_size);
    p += f->name_size;
    return put_varint(p, size);
}

/* 0a LIST, with the list's content of size bytes to come. */
static size_t nested(size_t size)
{
    return 1 + varint_size(size) + size;
}

static uint8_t *put_ints(struct hr_example_encoder *e, const struct field *f, uint8_t *p,
                         int64_t at, int64_t n)
{
    size_t size = 0, list;
    int64_t k;

    for (k = 0; k < n; k++)
        size += varint_size((uint64_t)hr_col_int(&f->col, at + k));
    list = n ? nested(size) : 0;
    if (!(p = room(e, p, f->name_size + size + 64)))
        return NULL;
    p = put_head(f, p, nested(list));
    *p++ = 0x1a;
    p = put_varint(p, list);
    if (n) {
        *p++ = 0x0a;
        p = put_varint(p, size);
    }
    for (k = 0; k < n; k++)
        p = put_varint(p, (uint64_t)hr_col_int(&f->col, at + k));
    return p;
}

static uint8_t *put_floats(struct hr_example_encoder *e, const struct field *f, uint8_t *p,
                           int64_t at, int64_t n)
{
    size_t size = (size_t)n * 4, list = n ? nested(size) : 0;
    uint32_t bits;
    int64_t k;

    if (!(p = room(e, p, f->name_size + size + 64)))
        return NULL;
    p = put_head(f, p, nested(list));
    *p++ = 0x12;
    p = put_varint(p, list);
    if (n) {
        *p++ = 0x0a;
        p = put_varint(p, size);
    }
    for (k = 0; k < n; k++) {
        float v = (float)hr_col_double(&f->col, at + k);

        memcpy(&bits, &v, sizeof bits);
        *p++ = (uint8_t)bits;
        *p++ = (uint8_t)(bits >> 8);
        *p++ = (uint8_t)(bits >> 16);
        *p++ = (uint8_t)(bits >> 24);
    }
    return p;
}

static uint8_t *put_texts(struct hr_example_encoder *e, const struct field *f, uint8_t *p,
                          int64_t at, int64_t n)
{
    size_t list = 0, size;
    const char *bytes;
    int64_t k;

    for (k = 0; k < n; k++) {
        hr_col_bytes(&f->col, at + k, &size);
        list += nested(size);
    }
    if (!(p = room(e, p, f->name_size + list + 64)))
        return NULL;
    p = put_head(f, p, nested(list));
    *p++ = 0x0a;
    p = put_varint(p, list);
    for (k = 0; k < n; k++) {
        bytes = hr_col_bytes(&f->col, at + k, &size);
        *p++ = 0x0a;
        p = put_varint(p, size);
        memcpy(p, bytes, size);
        p += size;
    }
    return p;
}

/* -- whole entries ----------------------------------------------------------------- */

/* What stands from HEAD on up to p, but for its last `less` bytes. */
static hr_status keep_entry(struct hr_example_encoder *e, struct hr_arena *arena, const uint8_t *p,
                            size_t less, struct entry *ret)
{
    uint8_t *bytes;

    if (!p)
        return HR_EXHAUSTED;
    ret->size = (size_t)(p - e->bytes) - HEAD - less;
    if (!(bytes = hr_arena_get(arena, ret->size + STRIDE)))
        return HR_EXHAUSTED;
    memcpy(bytes, e->bytes + HEAD, ret->size);
    ret->bytes = bytes;
    return HR_OK;
}

/* The entry of a field with n values from `at` on, from HEAD on.  NULL: no memory. */
static uint8_t *put_alone(struct hr_example_encoder *e, const struct field *f, int64_t at,
                          int64_t n)
{
    uint8_t *p = room(e, NULL, HEAD);

    if (!p)
        return NULL;
    p += HEAD;
    if (f->col.kind == HR_COL_INT)
        return put_ints(e, f, p, at, n);
    return f->col.kind == HR_COL_FLOAT ? put_floats(e, f, p, at, n) : put_texts(e, f, p, at, n);
}

static hr_status int_entries(struct hr_example_encoder *e, struct field *f)
{
    struct field like = *f;
    hr_status r = HR_OK;
    int64_t v = 1;
    size_t k;

    like.col = (struct hr_col){ .kind = HR_COL_INT, .format = 'l', .values = &v };
    if (!(f->entries = hr_arena_array(&e->arena, VARINTS + 1, sizeof *f->entries)))
        return HR_EXHAUSTED;
    for (k = 1; k <= VARINTS && r == HR_OK; k++) {
        v = k < VARINTS ? (int64_t)1 << 7 * (k - 1) : -1;
        r = keep_entry(e, &e->arena, put_alone(e, &like, 0, 1), k, &f->entries[k]);
    }
    f->most = f->entries[VARINTS].size + VARINTS;
    return r < 0 ? r : keep_entry(e, &e->arena, put_alone(e, &like, 0, 0), 0, &f->empty);
}

static hr_status float_entries(struct hr_example_encoder *e, struct field *f)
{
    struct field like = *f;
    float v = 0;
    hr_status r;

    like.col = (struct hr_col){ .kind = HR_COL_FLOAT, .format = 'f', .values = &v };
    if (!(f->entries = hr_arena_array(&e->arena, 1, sizeof *f->entries)))
        return HR_EXHAUSTED;
    r = keep_entry(e, &e->arena, put_alone(e, &like, 0, 1), sizeof v, f->entries);
    f->most = f->entries->size + sizeof v;
    return r < 0 ? r : keep_entry(e, &e->arena, put_alone(e, &like, 0, 0), 0, &f->empty);
}

/* Of a dictionary; of one with more values than there are rows it would be no gain. */
static hr_status code_entries(struct hr_example_encoder *e, struct field *f)
{
    struct field like = *f;
    hr_status r = HR_OK;
    int64_t i;

    f->mode = f->col.dict_length <= f->col.length ? CODED : ANY;
    if (f->mode == ANY)
        return HR_OK;
    f->entries = hr_arena_array(&e->batch, (size_t)f->col.dict_length + 1, sizeof *f->entries);
    if (!f->entries)
        return HR_EXHAUSTED;
    like.col.codes = 0; /* the dictionary as a column */
    like.col.values = f->col.dict_offsets;
    like.col.list = 0;
    f->most = 0;
    for (i = 0; i < f->col.dict_length && r == HR_OK; i++) {
        r = keep_entry(e, &e->batch, put_alone(e, &like, i, 1), 0, &f->entries[i]);
        if (r == HR_OK && f->entries[i].size > f->most)
            f->most = f->entries[i].size;
    }
    return r < 0 ? r : keep_entry(e, &e->batch, put_alone(e, &like, 0, 0), 0, &f->empty);
}

static hr_status open_field(struct hr_example_encoder *e, struct field *f,
                            const struct ArrowArray *rows)
{
    hr_status r = HR_OK;

    if (hr_col_open(&e->schema, rows, f->column, &f->col) < 0)
        return hr_fail(e->env, HR_INVALID, "column \"%s\" cannot be read", f->name);
    if (f->mode == INT || f->mode == FLOAT || f->col.list)
        return HR_OK;
    if (f->col.format == 'l' && !f->col.codes && f->col.kind == HR_COL_INT) {
        r = int_entries(e, f);
        f->mode = INT;
    } else if (f->col.format == 'f') {
        r = float_entries(e, f);
        f->mode = FLOAT;
    } else if (f->col.codes) {
        r = code_entries(e, f);
    }
    return r;
}

hr_status hr_example_encoder_open(struct hr_example_encoder *e, const struct ArrowArray *rows)
{
    hr_status r = HR_OK;
    size_t i;

    hr_arena_clear(&e->batch);
    hr_arena_init(&e->batch, e->env, 0);
    for (i = 0; r == HR_OK && i < e->n; i++)
        r = open_field(e, &e->fields[i], rows);
    return r;
}

/* -- rows -------------------------------------------------------------------------- */

/* There is room for STRIDE more. */
static inline uint8_t *put_entry(uint8_t *p, const struct entry *entry)
{
    size_t i = 0;

    do
        memcpy(p + i, entry->bytes + i, STRIDE);
    while ((i += STRIDE) < entry->size);
    return p + entry->size;
}

/* A row of a scalar column of whole entries, for which there is room. */
static inline uint8_t *put_scalar(const struct field *f, uint8_t *p, int64_t row)
{
    int64_t at = f->col.at + row;
    uint64_t v;

    if (f->col.valid && !(f->col.valid[at >> 3] >> (at & 7) & 1))
        return f->col.empty_null ? put_entry(p, &f->empty) : p;
    switch (f->mode) {
    case INT:
        v = ((const uint64_t *)f->col.values)[at];
        return put_varint(put_entry(p, &f->entries[varint_size(v)]), v);
    case FLOAT:
        p = put_entry(p, f->entries);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        memcpy(p, (const float *)f->col.values + at, sizeof(float));
#else
#error "floats are stored by their bytes in the order of the wire"
#endif
        return p + sizeof(float);
    default:
        return put_entry(p, &f->entries[((const int32_t *)f->col.values)[at]]);
    }
}

static uint8_t *put_field(struct hr_example_encoder *e, const struct field *f, uint8_t *p,
                          int64_t row)
{
    int64_t at, n = hr_col_count(&f->col, row, &at);

    if (f->col.kind == HR_COL_NULL && !f->col.list)
        return (p = room(e, p, f->name_size + 64)) ? put_head(f, p, 0) : NULL;
    if (!n && !hr_col_present(&f->col, row))
        return p;
    switch (f->col.kind) {
    case HR_COL_INT:
        return put_ints(e, f, p, at, n);
    case HR_COL_FLOAT:
        return put_floats(e, f, p, at, n);
    case HR_COL_BYTES:
        return put_texts(e, f, p, at, n);
    default:
        return p;
    }
}

hr_status hr_example_encode(struct hr_example_encoder *e, int64_t row, const uint8_t **ret,
                            size_t *ret_size)
{
    uint8_t *p = room(e, NULL, HEAD), *head;
    size_t i, size;

    if (!p)
        return HR_EXHAUSTED;
    p += HEAD;
    for (i = 0; i < e->n; i++) {
        const struct field *f = &e->fields[i];

        if (f->mode == ANY)
            p = put_field(e, f, p, row);
        else if ((size_t)(p - e->bytes) + f->most + 2 * STRIDE <= e->cap ||
                 (p = room(e, p, f->most + 2 * STRIDE)))
            p = put_scalar(f, p, row);
        if (!p)
            return HR_EXHAUSTED;
    }
    size = (size_t)(p - e->bytes) - HEAD;
    head = e->bytes + HEAD - 1 - varint_size(size);
    *head = 0x0a;
    put_varint(head + 1, size);
    *ret = head;
    *ret_size = (size_t)(p - head);
    return HR_OK;
}
