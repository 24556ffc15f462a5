/* rows.h - reading and building Arrow columns: all of it is in this file, none is ABI.
 *
 * Reading.  A column of a batch is opened once and read by row.  A row holds a number of
 * values that stand in sequence: one or none in a scalar column, any number in a list.
 *
 *     struct hr_col c;
 *     int64_t i, k, at, n;
 *
 *     hr_col_open(schema, rows, hr_col_find(schema, "tips"), &c);
 *     for (i = 0; i < c.length; i++)
 *         for (n = hr_col_count(&c, i, &at), k = 0; k < n; k++)
 *             sum += hr_col_double(&c, at + k);
 *
 * Missing is a null; present without values is an empty list, or a null of a scalar column
 * whose field metadata has "hr:null" = "empty".
 *
 * Building.  A builder takes values; what goes wrong is kept and told by hr_builder_done(),
 * so that no call in between needs a check.
 *
 *     hr_builder_init(&b, "f", 0);
 *     hr_builder_double(&b, 0.5);
 *     hr_builder_null(&b);
 *     if (hr_builder_done(&b, &column) < 0 || hr_rows_make(&column, 1, 2, &rows) < 0)
 *         return HR_EXHAUSTED;
 *
 * Memory comes from malloc(); what is made carries its own release().
 */
#ifndef HR_ROWS_H
#define HR_ROWS_H

#include "arrow.h"
#include "plugin.h"

#include <stdlib.h>
#include <string.h>

/* -- schemas ----------------------------------------------------------------------- */

/* The index of the column of a name, or -1. */
static inline int64_t hr_col_find(const struct ArrowSchema *schema, const char *name)
{
    int64_t i;

    for (i = 0; i < schema->n_children; i++)
        if (schema->children[i]->name && !strcmp(schema->children[i]->name, name))
            return i;
    return -1;
}

/* The value of a key in Arrow's counted metadata, not ended by '\0'; NULL: no such key. */
static inline const char *hr_schema_meta(const struct ArrowSchema *schema, const char *key,
                                         int32_t *ret_size)
{
    const char *p = schema->metadata;
    int32_t n, size, found;

    if (!p)
        return NULL;
    memcpy(&n, p, sizeof n);
    for (p += sizeof n; n > 0; n--) {
        memcpy(&size, p, sizeof size);
        p += sizeof size;
        found = (size_t)size == strlen(key) && !memcmp(p, key, (size_t)size);
        p += size;
        memcpy(&size, p, sizeof size);
        p += sizeof size;
        if (found) {
            *ret_size = size;
            return p;
        }
        p += size;
    }
    return NULL;
}

/* Is the value of the key this text? */
static inline int hr_schema_meta_is(const struct ArrowSchema *schema, const char *key,
                                    const char *text)
{
    int32_t size = 0;
    const char *value = hr_schema_meta(schema, key, &size);

    return value && (size_t)size == strlen(text) && !memcmp(value, text, (size_t)size);
}

static inline size_t hr_schema_meta_size(const char *metadata)
{
    const char *p = metadata;
    int32_t n, size;

    if (!p)
        return 0;
    memcpy(&n, p, sizeof n);
    for (p += sizeof n, n *= 2; n > 0; n--) {
        memcpy(&size, p, sizeof size);
        p += sizeof size + (size_t)size;
    }
    return (size_t)(p - metadata);
}

static inline void hr_schema_release(struct ArrowSchema *s)
{
    int64_t i;

    for (i = 0; i < s->n_children; i++) {
        if (s->children[i]->release)
            s->children[i]->release(s->children[i]);
        free(s->children[i]);
    }
    if (s->dictionary) {
        if (s->dictionary->release)
            s->dictionary->release(s->dictionary);
        free(s->dictionary);
    }
    free(s->children);
    free((void *)(uintptr_t)s->format);
    free((void *)(uintptr_t)s->name);
    free((void *)(uintptr_t)s->metadata);
    memset(s, 0, sizeof *s);
}

static inline char *hr_schema_dup(const void *from, size_t n)
{
    char *to = (char *)malloc(n + 1);

    if (!to)
        return NULL;
    memcpy(to, from, n);
    to[n] = '\0';
    return to;
}

/* A type with room for children, each empty as yet.  HR_EXHAUSTED: *ret is empty. */
static inline hr_status hr_schema_new(const char *format, const char *name, int64_t children,
                                      struct ArrowSchema *ret)
{
    int64_t i;

    memset(ret, 0, sizeof *ret);
    ret->release = hr_schema_release;
    ret->flags = ARROW_FLAG_NULLABLE;
    ret->format = hr_schema_dup(format, strlen(format));
    ret->name = hr_schema_dup(name, strlen(name));
    if (children > 0)
        ret->children = (struct ArrowSchema **)calloc((size_t)children, sizeof *ret->children);
    if (!ret->format || !ret->name || (children > 0 && !ret->children))
        goto fail;
    for (i = 0; i < children; i++, ret->n_children++)
        if (!(ret->children[i] = (struct ArrowSchema *)calloc(1, sizeof **ret->children)))
            goto fail;
    return HR_OK;
fail:
    hr_schema_release(ret);
    return HR_EXHAUSTED;
}

/* Make an empty type a column of values of a format ("l", "f", "z", ...), or a list of them. */
static inline hr_status hr_schema_column(struct ArrowSchema *column, const char *name,
                                         const char *format, int is_list)
{
    hr_status r = hr_schema_new(is_list ? "+l" : format, name, is_list ? 1 : 0, column);

    if (r == HR_OK && is_list && (r = hr_schema_new(format, "item", 0, column->children[0])) < 0)
        hr_schema_release(column);
    return r;
}

/* Make an empty schema one of a batch of a single column.  HR_EXHAUSTED: *ret is empty. */
static inline hr_status hr_schema_one(const char *name, const char *format, struct ArrowSchema *ret)
{
    hr_status r = hr_schema_new("+s", "", 1, ret);

    if (r == HR_OK && (r = hr_schema_column(ret->children[0], name, format, 0)) < 0)
        hr_schema_release(ret);
    return r;
}

/* The format of the values of a column, be it a list of them or coded by a dictionary; column
 * -1, as of hr_col_find(): "". */
static inline const char *hr_schema_values(const struct ArrowSchema *schema, int64_t column)
{
    const struct ArrowSchema *s = column < 0 ? NULL : schema->children[column];

    if (s && s->format[0] == '+' && s->n_children == 1)
        s = s->children[0];
    if (s && s->dictionary)
        s = s->dictionary;
    return s ? s->format : "";
}

/* Add a key to the metadata of a type made here; a key of the name is not looked for.
 * HR_EXHAUSTED: as before. */
static inline hr_status hr_schema_add_meta(struct ArrowSchema *s, const char *key,
                                           const char *value)
{
    size_t old = hr_schema_meta_size(s->metadata);
    int32_t n = 0, nk = (int32_t)strlen(key), nv = (int32_t)strlen(value);
    size_t head = old ? old : sizeof n;
    char *p = (char *)malloc(head + 8 + (size_t)nk + (size_t)nv);

    if (!p)
        return HR_EXHAUSTED;
    if (old) {
        memcpy(p, s->metadata, old);
        memcpy(&n, p, sizeof n);
    }
    n++;
    memcpy(p, &n, sizeof n);
    memcpy(p + head, &nk, 4);
    memcpy(p + head + 4, key, (size_t)nk);
    memcpy(p + head + 4 + nk, &nv, 4);
    memcpy(p + head + 8 + nk, value, (size_t)nv);
    free((void *)(uintptr_t)s->metadata);
    s->metadata = p;
    return HR_OK;
}

/* A deep copy.  HR_EXHAUSTED: *ret is empty. */
static inline hr_status hr_schema_copy(const struct ArrowSchema *from, struct ArrowSchema *ret)
{
    size_t meta = hr_schema_meta_size(from->metadata);
    hr_status r = hr_schema_new(from->format, from->name ? from->name : "", from->n_children, ret);
    int64_t i;

    if (r < 0)
        return r;
    ret->flags = from->flags;
    if (meta && !(ret->metadata = hr_schema_dup(from->metadata, meta)))
        goto fail;
    for (i = 0; i < from->n_children; i++)
        if (hr_schema_copy(from->children[i], ret->children[i]) < 0)
            goto fail;
    if (from->dictionary) {
        ret->dictionary = (struct ArrowSchema *)calloc(1, sizeof *ret->dictionary);
        if (!ret->dictionary || hr_schema_copy(from->dictionary, ret->dictionary) < 0)
            goto fail;
    }
    return HR_OK;
fail:
    hr_schema_release(ret);
    return HR_EXHAUSTED;
}

/* -- reading a column -------------------------------------------------------------- */

enum {
    HR_COL_NULL = 0,  /* no value ever */
    HR_COL_INT = 1,   /* integers and booleans, as int64 */
    HR_COL_FLOAT = 2, /* float32 or float64 */
    HR_COL_BYTES = 3  /* text and bytes, plain or by a dictionary of int32 */
};

struct hr_col {
    const char *name;
    int32_t kind;    /* HR_COL_ */
    char format;     /* of the values: 'l', 'f', 'z', ... */
    char list;       /* 0, or 'l', 'L', 'w' (fixed size) */
    char empty_null; /* a null is present without values */
    char codes;      /* 1: bytes through a dictionary */
    int64_t length;
    int64_t at;           /* row 0 in valid and in the list's offsets, or in values */
    const uint8_t *valid; /* NULL: none is null */
    const void *offsets;  /* of the list */
    int64_t fixed;        /* values of a row of a fixed size list */
    int64_t values_at;    /* value 0 in values; 0 for scalars, whose positions are rows */
    const void *values;   /* numbers, codes, or the offsets of bytes */
    const char *bytes;
    const void *dict_offsets; /* of the dictionary's bytes, from its first value on */
    char dict_large;
    int64_t dict_length;
};

static inline int32_t hr_col_kind(const char *format)
{
    if (format[0] && !format[1]) {
        if (strchr("cCsSiIlLb", format[0]))
            return HR_COL_INT;
        if (format[0] == 'f' || format[0] == 'g')
            return HR_COL_FLOAT;
        if (strchr("uUzZ", format[0]))
            return HR_COL_BYTES;
        if (format[0] == 'n')
            return HR_COL_NULL;
    }
    if (!strncmp(format, "td", 2) || !strncmp(format, "ts", 2))
        return HR_COL_INT;
    return -1;
}

static inline hr_status hr_col_values(const struct ArrowSchema *s, const struct ArrowArray *a,
                                      struct hr_col *c)
{
    const struct ArrowArray *d = a->dictionary;

    c->format = s->format[0];
    if (!strcmp(s->format, "tdD"))
        c->format = 'i';
    else if (!strncmp(s->format, "ts", 2))
        c->format = 'l';
    c->kind = hr_col_kind(s->dictionary ? s->dictionary->format : s->format);
    if (c->kind < 0 || (s->dictionary && (strcmp(s->format, "i") || c->kind != HR_COL_BYTES)))
        return HR_INVALID;
    c->values = a->n_buffers > 1 ? a->buffers[1] : NULL;
    if (c->kind != HR_COL_BYTES)
        return HR_OK;
    if (d) {
        c->codes = 1;
        c->bytes = (const char *)d->buffers[2];
        c->dict_large = s->dictionary->format[0] == 'U' || s->dictionary->format[0] == 'Z';
        c->dict_offsets = c->dict_large
                              ? (const void *)((const int64_t *)d->buffers[1] + d->offset)
                              : (const void *)((const int32_t *)d->buffers[1] + d->offset);
        c->dict_length = d->length;
    } else {
        c->bytes = (const char *)a->buffers[2];
        c->dict_large = c->format == 'U' || c->format == 'Z';
    }
    return HR_OK;
}

/* Open column i of a batch.  HR_INVALID: no such column, or a type that has no values of
 * one of the kinds above. */
static inline hr_status hr_col_open(const struct ArrowSchema *schema, const struct ArrowArray *rows,
                                    int64_t i, struct hr_col *c)
{
    const struct ArrowSchema *s;
    const struct ArrowArray *a;

    memset(c, 0, sizeof *c); /* also where it fails: a column of no rows */
    if (i < 0 || i >= schema->n_children || i >= rows->n_children)
        return HR_INVALID;
    s = schema->children[i];
    a = rows->children[i];
    c->name = s->name;
    c->length = rows->length;
    c->at = rows->offset + a->offset;
    c->valid = a->null_count && a->n_buffers > 0 ? (const uint8_t *)a->buffers[0] : NULL;
    if (s->format[0] != '+') {
        c->empty_null = (char)hr_schema_meta_is(s, "hr:null", "empty");
        return hr_col_values(s, a, c);
    }
    c->list = s->format[1];
    if (!strchr("lLw", c->list) || s->n_children != 1)
        return HR_INVALID;
    if (c->list == 'w')
        c->fixed = strtoll(s->format + 3, NULL, 10);
    else
        c->offsets = a->buffers[1];
    c->values_at = a->children[0]->offset;
    return hr_col_values(s->children[0], a->children[0], c);
}

static inline int hr_col_valid(const struct hr_col *c, int64_t i)
{
    int64_t k = c->at + i;

    return !c->valid || (c->valid[k >> 3] >> (k & 7) & 1);
}

/* Is row i present, be it without values? */
static inline int hr_col_present(const struct hr_col *c, int64_t i)
{
    return c->kind == HR_COL_NULL && !c->list ? c->empty_null : c->empty_null || hr_col_valid(c, i);
}

/* How many values row i has, and the position of the first; the others follow it. */
static inline int64_t hr_col_count(const struct hr_col *c, int64_t i, int64_t *ret_at)
{
    int64_t k = c->at + i;

    *ret_at = k;
    if ((c->kind == HR_COL_NULL && !c->list) || !hr_col_valid(c, i))
        return 0;
    switch (c->list) {
    case 'l':
        *ret_at = c->values_at + ((const int32_t *)c->offsets)[k];
        return ((const int32_t *)c->offsets)[k + 1] - ((const int32_t *)c->offsets)[k];
    case 'L':
        *ret_at = c->values_at + ((const int64_t *)c->offsets)[k];
        return ((const int64_t *)c->offsets)[k + 1] - ((const int64_t *)c->offsets)[k];
    case 'w':
        *ret_at = c->values_at + k * c->fixed;
        return c->fixed;
    default:
        return 1;
    }
}

/* The value at a position, of a column of kind HR_COL_INT. */
static inline int64_t hr_col_int(const struct hr_col *c, int64_t at)
{
    switch (c->format) {
    case 'l':
    case 'L':
        return ((const int64_t *)c->values)[at];
    case 'i':
        return ((const int32_t *)c->values)[at];
    case 'I':
        return ((const uint32_t *)c->values)[at];
    case 's':
        return ((const int16_t *)c->values)[at];
    case 'S':
        return ((const uint16_t *)c->values)[at];
    case 'c':
        return ((const int8_t *)c->values)[at];
    case 'C':
        return ((const uint8_t *)c->values)[at];
    default: /* b */
        return ((const uint8_t *)c->values)[at >> 3] >> (at & 7) & 1;
    }
}

/* The same of a number: HR_COL_INT or HR_COL_FLOAT. */
static inline double hr_col_double(const struct hr_col *c, int64_t at)
{
    if (c->format == 'f')
        return (double)((const float *)c->values)[at];
    if (c->format == 'g')
        return ((const double *)c->values)[at];
    return (double)hr_col_int(c, at);
}

/* The code in the dictionary of the value at a position; only where c->codes. */
static inline int32_t hr_col_code(const struct hr_col *c, int64_t at)
{
    return ((const int32_t *)c->values)[at];
}

static inline const char *hr_col_cut(const void *offsets, char large, const char *bytes, int64_t at,
                                     size_t *ret_size)
{
    int64_t from, to;

    if (large) {
        from = ((const int64_t *)offsets)[at];
        to = ((const int64_t *)offsets)[at + 1];
    } else {
        from = ((const int32_t *)offsets)[at];
        to = ((const int32_t *)offsets)[at + 1];
    }
    *ret_size = (size_t)(to - from);
    return to == from ? "" : bytes + from;
}

/* The i-th value of the dictionary. */
static inline const char *hr_col_entry(const struct hr_col *c, int64_t i, size_t *ret_size)
{
    return hr_col_cut(c->dict_offsets, c->dict_large, c->bytes, i, ret_size);
}

/* The value at a position, of a column of kind HR_COL_BYTES; not ended by '\0'. */
static inline const char *hr_col_bytes(const struct hr_col *c, int64_t at, size_t *ret_size)
{
    if (c->codes)
        return hr_col_entry(c, hr_col_code(c, at), ret_size);
    return hr_col_cut(c->values, c->dict_large, c->bytes, at, ret_size);
}

/* -- building columns -------------------------------------------------------------- */

struct hr_builder {
    char format; /* 'l', 'f', 'g', 'z', 'u', 'b' is not offered */
    char list;
    char failed;
    int64_t rows, values, nulls;
    uint8_t *valid;   /* NULL while nothing is null */
    int32_t *offsets; /* of rows in values, where list */
    void *data;       /* values, or offsets of bytes */
    char *bytes;
    size_t valid_cap, offsets_cap, data_cap, bytes_cap, bytes_size;
};

/* format "l", "f", "g", "z" or "u"; is_list: rows of any number of values.  Allocates
 * nothing. */
static inline void hr_builder_init(struct hr_builder *b, const char *format, int is_list)
{
    memset(b, 0, sizeof *b);
    b->format = format[0];
    b->list = (char)is_list;
}

/* Free what was built; b is as after hr_builder_init(). */
static inline void hr_builder_drop(struct hr_builder *b)
{
    char format[2] = { 0, 0 };
    int list = b->list;

    format[0] = b->format;
    free(b->valid);
    free(b->offsets);
    free(b->data);
    free(b->bytes);
    hr_builder_init(b, format, list);
}

static inline int hr_builder_grow(struct hr_builder *b, void **p, size_t *cap, size_t need)
{
    size_t n = *cap ? *cap : 64;
    void *q;

    if (need <= *cap)
        return 1;
    while (n < need)
        n *= 2;
    if (b->failed || need > (size_t)1 << 40 || !(q = realloc(*p, n))) {
        b->failed = 1;
        return 0;
    }
    memset((char *)q + *cap, 0, n - *cap);
    *p = q;
    *cap = n;
    return 1;
}

static inline int hr_builder_value(struct hr_builder *b, size_t size)
{
    void *p = b->data;
    int bytes = b->format == 'z' || b->format == 'u';
    size_t need = ((size_t)b->values + 1 + (size_t)bytes) * size;
    int ok = hr_builder_grow(b, &p, &b->data_cap, need);

    b->data = p;
    if (b->list && b->values >= INT32_MAX)
        b->failed = 1;
    return ok && !b->failed;
}

static inline void hr_builder_row(struct hr_builder *b, int valid)
{
    int64_t i = b->rows;
    void *p = b->valid;

    if (!valid && !b->nulls) { /* the first null: all before it are valid */
        if (!hr_builder_grow(b, &p, &b->valid_cap, (size_t)i / 8 + 1))
            return;
        b->valid = (uint8_t *)p;
        memset(b->valid, 0xff, (size_t)i / 8);
        if (i & 7)
            b->valid[i / 8] = (uint8_t)((1 << (i & 7)) - 1);
    }
    if (!valid || b->nulls) {
        if (!hr_builder_grow(b, &p, &b->valid_cap, (size_t)i / 8 + 1))
            return;
        b->valid = (uint8_t *)p;
        if (valid)
            b->valid[i / 8] |= (uint8_t)(1 << (i & 7));
    }
    if (b->list) {
        p = b->offsets;
        if (!hr_builder_grow(b, &p, &b->offsets_cap, ((size_t)i + 2) * sizeof(int32_t)))
            return;
        b->offsets = (int32_t *)p;
        b->offsets[i + 1] = (int32_t)b->values;
    }
    b->nulls += !valid;
    b->rows++;
}

/* One value; of a scalar column also the row.  The format must fit. */
static inline void hr_builder_int(struct hr_builder *b, int64_t v)
{
    if (!hr_builder_value(b, sizeof v))
        return;
    ((int64_t *)b->data)[b->values++] = v;
    if (!b->list)
        hr_builder_row(b, 1);
}

static inline void hr_builder_double(struct hr_builder *b, double v)
{
    if (!hr_builder_value(b, b->format == 'f' ? sizeof(float) : sizeof v))
        return;
    if (b->format == 'f')
        ((float *)b->data)[b->values++] = (float)v;
    else
        ((double *)b->data)[b->values++] = v;
    if (!b->list)
        hr_builder_row(b, 1);
}

static inline void hr_builder_bytes(struct hr_builder *b, const void *bytes, size_t n)
{
    void *p = b->bytes;

    if (n > (size_t)INT32_MAX - b->bytes_size)
        b->failed = 1;
    if (!hr_builder_value(b, sizeof(int32_t)) ||
        !hr_builder_grow(b, &p, &b->bytes_cap, b->bytes_size + n + 1))
        return;
    b->bytes = (char *)p;
    if (n)
        memcpy(b->bytes + b->bytes_size, bytes, n);
    b->bytes_size += n;
    ((int32_t *)b->data)[++b->values] = (int32_t)b->bytes_size;
    if (!b->list)
        hr_builder_row(b, 1);
}

/* A missing row.  In a scalar column it takes the place of a value. */
static inline void hr_builder_null(struct hr_builder *b)
{
    size_t size = b->format == 'l' || b->format == 'g' ? 8 : 4;

    if (!b->list) {
        if (!hr_builder_value(b, size))
            return;
        if (b->format == 'z' || b->format == 'u')
            ((int32_t *)b->data)[b->values + 1] = (int32_t)b->bytes_size;
        else
            memset((char *)b->data + (size_t)b->values * size, 0, size);
        b->values++;
    }
    hr_builder_row(b, 0);
}

/* End the row of a list that the values since the last row make. */
static inline void hr_builder_end(struct hr_builder *b)
{
    hr_builder_row(b, 1);
}

struct hr_built {
    const void *buffers[3];
    struct ArrowArray *children[1];
    struct ArrowArray item; /* of a list: an array of its own, so that it may be moved away */
};

static inline void hr_built_release(struct ArrowArray *a)
{
    struct hr_built *h = (struct hr_built *)a->private_data;
    int i;

    if (h->item.release)
        h->item.release(&h->item);
    for (i = 0; i < 3; i++)
        free((void *)(uintptr_t)h->buffers[i]);
    free(h);
    a->release = NULL;
}

/* An array over buffers that are given with it; on failure nothing is taken. */
static inline hr_status hr_built_make(int64_t length, int64_t nulls, int64_t n_buffers,
                                      struct ArrowArray *ret)
{
    struct hr_built *h = (struct hr_built *)calloc(1, sizeof *h);

    if (!h)
        return HR_EXHAUSTED;
    memset(ret, 0, sizeof *ret);
    ret->length = length;
    ret->null_count = nulls;
    ret->n_buffers = n_buffers;
    ret->buffers = h->buffers;
    ret->release = hr_built_release;
    ret->private_data = h;
    return HR_OK;
}

/* The column, and b is empty again.  HR_EXHAUSTED: memory was short somewhere, or a column
 * grew beyond 2^31 values or bytes; b is empty then too. */
static inline hr_status hr_builder_done(struct hr_builder *b, struct ArrowArray *ret)
{
    int bytes = b->format == 'z' || b->format == 'u';
    struct ArrowArray a, item;
    struct hr_built *h;
    void *p = b->offsets;

    memset(&a, 0, sizeof a);
    memset(&item, 0, sizeof item);
    if (bytes && !b->data)
        hr_builder_value(b, sizeof(int32_t));
    if (b->list && hr_builder_grow(b, &p, &b->offsets_cap, sizeof(int32_t)))
        b->offsets = (int32_t *)p;
    if (b->failed || hr_built_make(b->rows, b->nulls, b->list ? 2 : 2 + bytes, &a) < 0 ||
        (b->list && hr_built_make(b->values, 0, 2 + bytes, &item) < 0)) {
        if (a.release)
            a.release(&a);
        hr_builder_drop(b);
        return HR_EXHAUSTED;
    }
    h = (struct hr_built *)a.private_data;
    h->buffers[0] = b->valid;
    if (b->list) {
        h->buffers[1] = b->offsets;
        h->item = item;
        h->children[0] = &h->item;
        a.n_children = 1;
        a.children = h->children;
        h = (struct hr_built *)item.private_data;
    }
    h->buffers[1] = b->data;
    h->buffers[2] = b->bytes;
    b->valid = NULL;
    b->offsets = NULL;
    b->data = NULL;
    b->bytes = NULL;
    hr_builder_drop(b);
    *ret = a;
    return HR_OK;
}

/* -- batches ----------------------------------------------------------------------- */

struct hr_batch {
    const void *buffers[1];
    struct ArrowArray **children;
    int64_t n;
};

static inline void hr_batch_release(struct ArrowArray *a)
{
    struct hr_batch *h = (struct hr_batch *)a->private_data;
    int64_t i;

    for (i = 0; i < h->n; i++) {
        if (h->children[i]->release)
            h->children[i]->release(h->children[i]);
        free(h->children[i]);
    }
    free(h->children);
    free(h);
    a->release = NULL;
}

/* A batch of n columns of length rows; takes the columns, also when failing. */
static inline hr_status hr_rows_make(struct ArrowArray *columns, int64_t n, int64_t length,
                                     struct ArrowArray *ret)
{
    struct hr_batch *h = (struct hr_batch *)calloc(1, sizeof *h);
    int64_t i;

    if (h && (h->children = (struct ArrowArray **)calloc((size_t)n + 1, sizeof *h->children)))
        for (; h->n < n; h->n++)
            if (!(h->children[h->n] = (struct ArrowArray *)calloc(1, sizeof **h->children)))
                break;
    if (!h || h->n < n) {
        for (i = 0; i < n; i++)
            if (columns[i].release)
                columns[i].release(&columns[i]);
        if (h) {
            for (i = 0; i < h->n; i++)
                free(h->children[i]);
            free(h->children);
        }
        free(h);
        return HR_EXHAUSTED;
    }
    for (i = 0; i < n; i++) {
        *h->children[i] = columns[i];
        columns[i].release = NULL;
    }
    memset(ret, 0, sizeof *ret);
    ret->length = length;
    ret->n_buffers = 1;
    ret->n_children = n;
    ret->buffers = h->buffers;
    ret->children = h->children;
    ret->release = hr_batch_release;
    ret->private_data = h;
    return HR_OK;
}

/* A batch of the one column that was built; b is empty again, also when failing. */
static inline hr_status hr_rows_one(struct hr_builder *b, struct ArrowArray *ret)
{
    struct ArrowArray column;
    hr_status r = hr_builder_done(b, &column);

    return r < 0 ? r : hr_rows_make(&column, 1, column.length, ret);
}

/* -- streams ----------------------------------------------------------------------- */

struct hr_one {
    struct ArrowSchema schema;
    struct ArrowArray rows;
};

static inline int hr_one_schema(struct ArrowArrayStream *s, struct ArrowSchema *ret)
{
    return hr_schema_copy(&((struct hr_one *)s->private_data)->schema, ret) < 0 ? 12 : 0;
}

static inline int hr_one_next(struct ArrowArrayStream *s, struct ArrowArray *ret)
{
    struct hr_one *h = (struct hr_one *)s->private_data;

    *ret = h->rows;
    h->rows.release = NULL;
    return 0;
}

static inline const char *hr_one_error(struct ArrowArrayStream *s)
{
    (void)s;
    return "no memory";
}

static inline void hr_one_release(struct ArrowArrayStream *s)
{
    struct hr_one *h = (struct hr_one *)s->private_data;

    if (h->rows.release)
        h->rows.release(&h->rows);
    if (h->schema.release)
        h->schema.release(&h->schema);
    free(h);
    s->release = NULL;
}

/* A stream of one batch.  Takes both, also when failing. */
static inline hr_status hr_stream_one(struct ArrowSchema *schema, struct ArrowArray *rows,
                                      struct ArrowArrayStream *ret)
{
    struct hr_one *h = (struct hr_one *)calloc(1, sizeof *h);

    if (!h) {
        schema->release(schema);
        rows->release(rows);
        return HR_EXHAUSTED;
    }
    h->schema = *schema;
    h->rows = *rows;
    schema->release = NULL;
    rows->release = NULL;
    memset(ret, 0, sizeof *ret);
    ret->get_schema = hr_one_schema;
    ret->get_next = hr_one_next;
    ret->get_last_error = hr_one_error;
    ret->release = hr_one_release;
    ret->private_data = h;
    return HR_OK;
}

/* -- accumulators that are flat structs -------------------------------------------- */

static inline void *hr_acc_new(size_t size, int64_t format)
{
    void *acc = calloc(1, size);

    if (acc)
        memcpy(acc, &format, sizeof format);
    return acc;
}

/* n accumulators of size bytes as they are in memory, to a large_binary array. */
static inline hr_status hr_accs_store(void *const *accs, uint32_t n, size_t size,
                                      struct ArrowArray *ret)
{
    char *bytes = (char *)malloc(size * n + 1);
    int64_t *ends = (int64_t *)calloc((size_t)n + 1, sizeof *ends);
    struct hr_built *h;
    uint32_t i;

    if (!bytes || !ends || hr_built_make(n, 0, 3, ret) < 0) {
        free(bytes);
        free(ends);
        return HR_EXHAUSTED;
    }
    for (i = 0; i < n; i++) {
        memcpy(bytes + size * i, accs[i], size);
        ends[i + 1] = (int64_t)(size * (i + 1));
    }
    h = (struct hr_built *)ret->private_data;
    h->buffers[1] = ends;
    h->buffers[2] = bytes;
    return HR_OK;
}

/* And back.  HR_DATA_LOSS: a value of another size, or of another format; none is made. */
static inline hr_status hr_accs_restore(const struct ArrowArray *bytes, size_t size, int64_t format,
                                        void **ret_accs)
{
    const int64_t *ends = (const int64_t *)bytes->buffers[1] + bytes->offset;
    hr_status r = HR_OK;
    int64_t i, found;

    for (i = 0; i < bytes->length; i++) {
        const char *from = (const char *)bytes->buffers[2] + ends[i];

        if ((size_t)(ends[i + 1] - ends[i]) != size) {
            r = HR_DATA_LOSS;
            break;
        }
        memcpy(&found, from, sizeof found);
        r = found == format ? HR_OK : HR_DATA_LOSS;
        if (r < 0 || !(ret_accs[i] = malloc(size))) {
            r = r < 0 ? r : HR_EXHAUSTED;
            break;
        }
        memcpy(ret_accs[i], from, size);
    }
    while (r < 0 && i > 0)
        free(ret_accs[--i]);
    return r;
}

/* The functions NAME_create, NAME_serialize, NAME_deserialize and NAME_drop_acc of an
 * hr_combine_1 whose accumulator is a struct without pointers; its first member is an int64_t
 * that holds format, the number that a stored one begins with.  A new one is zero otherwise. */
#define HR_FLAT_ACCS(NAME, TYPE, FORMAT)                                                           \
    static hr_status NAME##_create(const void *self, hr_run *run, void **ret_acc)                  \
    {                                                                                              \
        (void)self, (void)run;                                                                     \
        *ret_acc = hr_acc_new(sizeof(TYPE), FORMAT);                                               \
        return *ret_acc ? HR_OK : HR_EXHAUSTED;                                                    \
    }                                                                                              \
    static hr_status NAME##_serialize(const void *self, hr_run *run, void *const *accs,            \
                                      uint32_t n, struct ArrowArray *ret)                          \
    {                                                                                              \
        (void)self, (void)run;                                                                     \
        return hr_accs_store(accs, n, sizeof(TYPE), ret);                                          \
    }                                                                                              \
    static hr_status NAME##_deserialize(const void *self, hr_run *run,                             \
                                        const struct ArrowArray *bytes, void **ret_accs)           \
    {                                                                                              \
        (void)self, (void)run;                                                                     \
        return hr_accs_restore(bytes, sizeof(TYPE), FORMAT, ret_accs);                             \
    }                                                                                              \
    static void NAME##_drop_acc(const void *self, void *acc)                                       \
    {                                                                                              \
        (void)self;                                                                                \
        free(acc);                                                                                 \
    }

#endif
