/* Writing tf.Example.  What of an entry does not change from row to row is laid out once, in the
 * order of names:
 *
 *     0a E   0a N name   12 F   [feature]         E, F: lengths
 *
 * A scalar column has whole entries: of an integer all up to the varint, one for each size of it;
 * of a float all but its four bytes; of text by a dictionary one for each of its values, made when
 * a batch is opened; of nulls one.  Of lists and of other text only the name is laid out.
 *
 * Some rows are written at once, column by column: each row has its place in the buffer, with room
 * for all that it can take.  Entries are put from HEAD on, and the head before them when their
 * size is known.
 */
#include "wire/example.h"

#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "wire/arrow.h"

enum {
    HEAD = 11,       /* a tag and the longest length */
    STRIDE = 32,     /* entries are copied in steps of so many bytes, and are read and written
                        behind their ends */
    SHORT = 64,      /* those up to this size at once */
    VARINTS = 10,    /* bytes of the longest varint */
    LARGE = 1 << 16, /* more bytes are not taken by more than one row at once */
    TOGETHER = 32,   /* rows that go column by column: they are to stay in the nearest cache */
    SLACK = HR_SHA256_ROOM /* behind a row; no less than SHORT */
};

/* An entry, or how one begins. */
struct entry {
    const uint8_t *bytes;
    size_t size;
};

enum mode { ANY, INT, FLOAT, CODED, NONE };

struct field {
    const char *name;
    int64_t column;
    uint8_t *name_part; /* 0a N name 12 */
    size_t name_size;
    struct hr_col col;
    enum mode mode;
    struct entry *entries; /* the first is of a null, or the only one; then of INT by the size of
                              the varint, of FLOAT one, of CODED by its code */
    size_t longest;        /* of the entries */
    size_t most;           /* of an entry with what is put behind it; of ANY 0 */
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
    size_t most;           /* what whole entries of a row take */
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

/* Let the buffer have n bytes. */
static hr_status reserve(struct hr_example_encoder *e, size_t n)
{
    size_t cap = e->cap ? e->cap : 4096;
    uint8_t *bytes;

    if (n <= e->cap)
        return HR_OK;
    if (n > HR_MAX_VALUE_BYTES)
        return hr_fail(e->env, HR_EXHAUSTED, "a row passes 1 GiB as a tf.Example");
    while (cap < n)
        cap *= 2;
    if (!(bytes = hr_mem_resize(e->env, e->bytes, e->cap, cap)))
        return HR_EXHAUSTED;
    e->bytes = bytes;
    e->cap = cap;
    return HR_OK;
}

/* 0a LIST, with the list's content of size bytes to come. */
static size_t nested(size_t size)
{
    return 1 + varint_size(size) + size;
}

/* What an entry of n values from `at` on takes, at most. */
static size_t values_room(const struct field *f, int64_t at, int64_t n)
{
    size_t size = 0, one;
    int64_t k;

    switch (f->col.kind) {
    case HR_COL_INT:
        if (n <= LARGE)
            size = (size_t)n * VARINTS;
        for (k = 0; n > LARGE && k < n; k++)
            size += varint_size((uint64_t)hr_col_int(&f->col, at + k));
        break;
    case HR_COL_FLOAT:
        size = (size_t)n * 4;
        break;
    case HR_COL_BYTES:
        for (k = 0; k < n; k++) {
            hr_col_bytes(&f->col, at + k, &one);
            size += nested(one);
        }
        break;
    default:
        break;
    }
    return f->name_size + size + 64;
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

static uint8_t *put_ints(const struct field *f, uint8_t *p, int64_t at, int64_t n)
{
    size_t size = 0, list;
    int64_t k;

    for (k = 0; k < n; k++)
        size += varint_size((uint64_t)hr_col_int(&f->col, at + k));
    list = n ? nested(size) : 0;
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

static uint8_t *put_floats(const struct field *f, uint8_t *p, int64_t at, int64_t n)
{
    size_t size = (size_t)n * 4, list = n ? nested(size) : 0;
    uint32_t bits;
    int64_t k;

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

static uint8_t *put_texts(const struct field *f, uint8_t *p, int64_t at, int64_t n)
{
    size_t list = 0, size;
    const char *bytes;
    int64_t k;

    for (k = 0; k < n; k++) {
        hr_col_bytes(&f->col, at + k, &size);
        list += nested(size);
    }
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

static uint8_t *put_values(const struct field *f, uint8_t *p, int64_t at, int64_t n)
{
    switch (f->col.kind) {
    case HR_COL_INT:
        return put_ints(f, p, at, n);
    case HR_COL_FLOAT:
        return put_floats(f, p, at, n);
    case HR_COL_BYTES:
        return put_texts(f, p, at, n);
    default:
        return put_head(f, p, 0);
    }
}

/* -- whole entries ----------------------------------------------------------------- */

/* Of n values from `at` on, but for the last `less` bytes. */
struct part {
    int64_t at, n;
    size_t less;
};

/* An entry of what a field like this one has, which may be read as SHORT bytes, or by STRIDE. */
static hr_status keep_entry(struct hr_example_encoder *e, struct field *like, struct part part,
                            struct entry *ret)
{
    struct hr_arena *arena = like->mode == CODED ? &e->batch : &e->arena;
    hr_status r = reserve(e, values_room(like, part.at, part.n));
    uint8_t *bytes;

    if (r < 0)
        return r;
    ret->size = (size_t)(put_values(like, e->bytes, part.at, part.n) - e->bytes) - part.less;
    if (!(bytes = hr_arena_get(arena, (ret->size < SHORT ? SHORT : ret->size) + STRIDE)))
        return HR_EXHAUSTED;
    memcpy(bytes, e->bytes, ret->size);
    ret->bytes = bytes;
    if (ret->size > like->longest)
        like->longest = ret->size;
    return HR_OK;
}

/* Entries for a field like this one, the first of which is made: of a null. */
static hr_status begin_entries(struct hr_example_encoder *e, struct field *like, size_t n)
{
    struct hr_arena *arena = like->mode == CODED ? &e->batch : &e->arena;

    like->longest = 0;
    if (!(like->entries = hr_arena_array(arena, n + 1, sizeof *like->entries)))
        return HR_EXHAUSTED;
    if (like->col.empty_null)
        return keep_entry(e, like, (struct part){ 0, 0, 0 }, &like->entries[0]);
    like->entries[0].bytes = hr_arena_get(arena, SHORT + STRIDE);
    return like->entries[0].bytes ? HR_OK : HR_EXHAUSTED;
}

static hr_status int_entries(struct hr_example_encoder *e, struct field *like)
{
    hr_status r;
    int64_t v = 0;
    size_t k;

    like->col.format = 'l';
    like->col.values = &v;
    r = begin_entries(e, like, VARINTS);
    for (k = 1; k <= VARINTS && r == HR_OK; k++) {
        v = k < VARINTS ? (int64_t)1 << 7 * (k - 1) : -1;
        r = keep_entry(e, like, (struct part){ 0, 1, k }, &like->entries[k]);
    }
    like->most = like->longest + VARINTS;
    return r;
}

static hr_status float_entry(struct hr_example_encoder *e, struct field *like)
{
    hr_status r;
    float v = 0;

    like->col.values = &v;
    r = begin_entries(e, like, 1);
    if (r == HR_OK)
        r = keep_entry(e, like, (struct part){ 0, 1, sizeof v }, &like->entries[1]);
    like->most = like->longest + sizeof v;
    return r;
}

/* Of a dictionary as a column. */
static hr_status code_entries(struct hr_example_encoder *e, struct field *like)
{
    int64_t n = like->col.dict_length, i;
    hr_status r;

    like->col.codes = 0;
    like->col.values = like->col.dict_offsets;
    r = begin_entries(e, like, (size_t)n);
    for (i = 0; i < n && r == HR_OK; i++)
        r = keep_entry(e, like, (struct part){ i, 1, 0 }, &like->entries[i + 1]);
    like->most = like->longest;
    return r;
}

static hr_status null_entry(struct hr_example_encoder *e, struct field *like)
{
    hr_status r;

    like->longest = 0;
    if (!(like->entries = hr_arena_array(&e->arena, 1, sizeof *like->entries)))
        return HR_EXHAUSTED;
    r = keep_entry(e, like, (struct part){ 0, 0, 0 }, like->entries);
    like->most = like->longest;
    return r;
}

/* Entries of a dictionary with more values than there are rows would be no gain. */
static enum mode mode_of(const struct hr_col *c)
{
    if (c->list)
        return ANY;
    if (c->codes)
        return c->dict_length <= c->length ? CODED : ANY;
    if (c->kind == HR_COL_NULL)
        return NONE;
    if (c->kind == HR_COL_INT && c->format == 'l')
        return INT;
    return c->format == 'f' ? FLOAT : ANY;
}

static hr_status open_field(struct hr_example_encoder *e, struct field *f,
                            const struct ArrowArray *rows)
{
    bool kept = f->mode == INT || f->mode == FLOAT || f->mode == NONE;
    struct field like;
    hr_status r = HR_OK;

    if (hr_col_open(&e->schema, rows, f->column, &f->col) < 0)
        return hr_fail(e->env, HR_INVALID, "column \"%s\" cannot be read", f->name);
    if (kept)
        return HR_OK;
    f->mode = mode_of(&f->col);
    f->most = 0;
    like = *f;
    if (f->mode == INT)
        r = int_entries(e, &like);
    else if (f->mode == FLOAT)
        r = float_entry(e, &like);
    else if (f->mode == CODED)
        r = code_entries(e, &like);
    else if (f->mode == NONE)
        r = null_entry(e, &like);
    f->entries = like.entries;
    f->longest = like.longest;
    f->most = like.most;
    return r;
}

hr_status hr_example_encoder_open(struct hr_example_encoder *e, const struct ArrowArray *rows)
{
    hr_status r = HR_OK;
    size_t i;

    hr_arena_clear(&e->batch);
    hr_arena_init(&e->batch, e->env, 0);
    e->most = 0;
    for (i = 0; r == HR_OK && i < e->n; i++) {
        r = open_field(e, &e->fields[i], rows);
        e->most += e->fields[i].most;
    }
    return r;
}

/* -- rows -------------------------------------------------------------------------- */

/* Rows by their numbers, and where the next entry of each is put. */
struct rows {
    const int64_t *row;
    size_t n;
    uint8_t **p;
};

/* What the loops over rows need of a field, apart from the bytes that they write. */
struct loop {
    const struct entry *entries;
    const uint8_t *valid;
    const void *values;
    int64_t at; /* of row 0 */
    bool small; /* all entries are SHORT at most */
};

static inline struct loop loop_of(const struct field *f)
{
    return (struct loop){ f->entries, f->col.valid, f->col.values, f->col.at,
                          f->longest <= SHORT };
}

/* 1: a value is there; 0: null. */
static inline size_t is_valid(const struct loop *l, int64_t at)
{
    return l->valid ? (size_t)l->valid[at >> 3] >> (at & 7) & 1 : 1;
}

/* There is room for SHORT more, or for STRIDE more than the entry. */
static inline uint8_t *put_entry(const struct loop *l, uint8_t *p, const struct entry *entry)
{
    size_t size = entry->size, i;

    if (l->small)
        memcpy(p, entry->bytes, SHORT);
    else
        for (i = 0; i < size; i += STRIDE)
            memcpy(p + i, entry->bytes + i, STRIDE);
    return p + size;
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "values are stored by their bytes in the order of the wire"
#endif

/* The varint of a value below 2^56, n bytes of the eight that are put; n may be 0.  Its groups of
 * seven bits are moved apart by halves. */
static inline void put_eight(uint8_t *p, uint64_t v, size_t n)
{
    static const uint64_t more[9] = { 0,
                                      0,
                                      0x80,
                                      0x8080,
                                      0x808080,
                                      0x80808080,
                                      0x8080808080,
                                      0x808080808080,
                                      0x80808080808080 };

    v = (v & 0x000000000fffffff) | (v & 0x00fffffff0000000) << 4;
    v = (v & 0x00003fff00003fff) | (v & 0x0fffc0000fffc000) << 2;
    v = (v & 0x007f007f007f007f) | (v & 0x3f803f803f803f80) << 1;
    v |= more[n];
    memcpy(p, &v, sizeof v);
}

static void int_rows(const struct loop l, struct rows *rows)
{
    const uint64_t *values = l.values;
    size_t n = rows->n, k;

    for (k = 0; k < n; k++) {
        int64_t at = l.at + rows->row[k];
        uint64_t v = values[at];
        size_t size = varint_size(v) & (0 - is_valid(&l, at));
        uint8_t *p = put_entry(&l, rows->p[k], &l.entries[size]);

        if (size <= 8)
            put_eight(p, v, size);
        else
            put_varint(p, v);
        rows->p[k] = p + size;
    }
}

static void float_rows(const struct loop l, struct rows *rows)
{
    const float *values = l.values;
    size_t n = rows->n, k;

    for (k = 0; k < n; k++) {
        int64_t at = l.at + rows->row[k];
        size_t valid = is_valid(&l, at);
        float v = values[at];
        uint8_t *p = put_entry(&l, rows->p[k], &l.entries[valid]);

        memcpy(p, &v, sizeof v);
        rows->p[k] = p + valid * sizeof v;
    }
}

static void code_rows(const struct loop l, struct rows *rows)
{
    const uint32_t *codes = l.values;
    size_t n = rows->n, k;

    for (k = 0; k < n; k++) {
        int64_t at = l.at + rows->row[k];
        size_t code = ((size_t)codes[at] + 1) & (0 - is_valid(&l, at));

        rows->p[k] = put_entry(&l, rows->p[k], &l.entries[code]);
    }
}

static void same_rows(const struct loop l, struct rows *rows)
{
    size_t n = rows->n, k;

    for (k = 0; k < n; k++)
        rows->p[k] = put_entry(&l, rows->p[k], l.entries);
}

static void other_rows(const struct field *f, struct rows *rows)
{
    int64_t at, n;
    size_t k;

    for (k = 0; k < rows->n; k++) {
        int64_t row = rows->row[k];

        n = hr_col_count(&f->col, row, &at);
        if (f->col.kind != HR_COL_NULL && (n || hr_col_present(&f->col, row)))
            rows->p[k] = put_values(f, rows->p[k], at, n);
    }
}

static void field_rows(const struct field *f, struct rows *rows)
{
    switch (f->mode) {
    case INT:
        int_rows(loop_of(f), rows);
        break;
    case FLOAT:
        float_rows(loop_of(f), rows);
        break;
    case CODED:
        code_rows(loop_of(f), rows);
        break;
    case NONE:
        same_rows(loop_of(f), rows);
        break;
    default:
        other_rows(f, rows);
    }
}

/* What a row takes at most, but for HEAD and SLACK. */
static size_t row_room(const struct hr_example_encoder *e, int64_t row)
{
    size_t size = e->most, i;

    for (i = 0; i < e->n; i++)
        if (e->fields[i].mode == ANY) {
            int64_t at, n = hr_col_count(&e->fields[i].col, row, &at);

            size += values_room(&e->fields[i], at, n);
        }
    return size;
}

/* Give n rows their places, fewer where they are LARGE; returns how many, 0: no memory. */
static size_t place_rows(struct hr_example_encoder *e, const int64_t *rows, size_t n,
                         uint8_t **ret)
{
    size_t starts[HR_EXAMPLES], total = 0, k, i;

    for (k = 0; k < n && total <= LARGE; k++) {
        size_t size = HEAD + row_room(e, rows[k]) + SLACK;

        if (k && size > LARGE - total)
            break;
        starts[k] = total + HEAD;
        total += size;
    }
    if (reserve(e, total) < 0)
        return 0;
    for (i = 0; i < k; i++)
        ret[i] = e->bytes + starts[i];
    return k;
}

hr_status hr_example_encode_some(struct hr_example_encoder *e, const int64_t *rows, size_t *n,
                                 struct hr_sha256_text *ret)
{
    uint8_t *starts[HR_EXAMPLES], *ends[HR_EXAMPLES];
    size_t all = place_rows(e, rows, *n < HR_EXAMPLES ? *n : HR_EXAMPLES, starts), from, i, k;

    if (!all)
        return HR_EXHAUSTED;
    memcpy(ends, starts, all * sizeof *ends);
    for (from = 0; from < all; from += TOGETHER) {
        struct rows some = { rows + from, all - from < TOGETHER ? all - from : TOGETHER,
                             ends + from };

        for (i = 0; i < e->n; i++)
            field_rows(&e->fields[i], &some);
    }
    for (k = 0; k < all; k++) {
        size_t size = (size_t)(ends[k] - starts[k]);
        uint8_t *head = starts[k] - 1 - varint_size(size);

        *head = 0x0a;
        put_varint(head + 1, size);
        ret[k] = (struct hr_sha256_text){ head, (size_t)(ends[k] - head) };
    }
    *n = all;
    return HR_OK;
}

hr_status hr_example_encode(struct hr_example_encoder *e, int64_t row, const uint8_t **ret,
                            size_t *ret_size)
{
    struct hr_sha256_text text;
    size_t n = 1;
    hr_status r = hr_example_encode_some(e, &row, &n, &text);

    if (r < 0)
        return r;
    *ret = text.bytes;
    *ret_size = text.n;
    return HR_OK;
}
