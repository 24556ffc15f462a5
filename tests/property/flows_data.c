#include "flows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const column_names[COLUMNS] = { "a", "b", "c", "v", "n", "w", "p" };

/* What can be a key; % is coded by a dictionary. */
static const char *const formats[] = { "c", "C", "s", "S", "i", "I",   "l",    "L",  "b",
                                       "u", "U", "z", "Z", "n", "tdD", "tsu:", "%u", "%z" };

enum { FORMATS = sizeof formats / sizeof *formats, TEXTS = 9 };

static const struct hr_slice texts[TEXTS] = {
    { "", 0 },     { "\0", 1 }, { "a", 1 },        { "a\0", 2 },    { "a\0b", 3 },
    { "a\0\0", 3 }, { "ab", 2 }, { "\xc3\xa4", 2 }, { "\0\1", 2 },
};

static const char *format_of(const struct world *w, int col)
{
    return formats[w->formats[col]] + (formats[w->formats[col]][0] == '%');
}

static bool is_coded(const struct world *w, int col)
{
    return formats[w->formats[col]][0] == '%';
}

void world_make(struct world *ret)
{
    static const uint64_t kinds[] = { 1, 2, 5, 12, 300, 1000000 }, nulls[] = { 0, 0, 2, 9 };
    int k;

    ret->seed = chance(UINT64_MAX);
    for (k = 0; k < MAX_KEYS; k++) {
        ret->formats[k] = (int)chance(FORMATS);
        ret->kinds[k] = kinds[chance(6)];
        ret->nulls[k] = nulls[chance(4)];
    }
}

/* -- values ------------------------------------------------------------------------ */

static uint64_t hash_of(const struct world *w, int col, const struct row *row)
{
    return mix(mix(w->seed + (uint64_t)col) ^ mix((uint64_t)row->id * 31 + row->table));
}

/* Bytes of an integer's format, and whether it has a sign. */
static int width_of(const char *format, bool *ret_sign)
{
    int kind = hr_col_kind(format);

    *ret_sign = strchr("csilt", format[0]) != NULL;
    need(kind == HR_COL_INT, "no integer");
    if (!strncmp(format, "ts", 2) || strchr("lL", format[0]))
        return 8;
    if (strchr("iI", format[0]) || !strcmp(format, "tdD"))
        return 4;
    return strchr("sS", format[0]) ? 2 : 1;
}

/* The u-th integer of a format: the ends of its range, those about 0, then any. */
static int64_t int_of(const char *format, uint64_t u)
{
    bool sign;
    int bits = 8 * width_of(format, &sign);
    uint64_t top = (uint64_t)1 << (bits - 1), all = top | (top - 1), v;
    const uint64_t few[] = { 0, sign ? top : all, 1, sign ? top - 1 : top, all };

    if (format[0] == 'b')
        return (int64_t)(u & 1);
    v = u < 5 ? few[u] : mix(u) & all;
    return (int64_t)(sign && v & top ? v | ~all : v);
}

static void text_of(uint64_t u, struct value *ret)
{
    if (u < TEXTS) {
        memcpy(ret->text, texts[u].text, texts[u].len);
        ret->size = texts[u].len;
    } else {
        ret->size = (size_t)snprintf(ret->text, sizeof ret->text, "t%" PRIu64, u * u % 99991);
    }
}

void world_value(const struct world *w, int col, const struct row *row, struct value *ret)
{
    uint64_t h = hash_of(w, col, row), u = (h >> 16) % w->kinds[col];
    const char *format = format_of(w, col);

    memset(ret, 0, sizeof *ret);
    ret->present = format[0] != 'n' && (!w->nulls[col] || h % w->nulls[col] != 0);
    if (!ret->present)
        return;
    if (hr_col_kind(format) == HR_COL_BYTES)
        text_of(u, ret);
    else
        ret->i = int_of(format, u);
}

int value_order(const struct world *w, int col, const struct value *a, const struct value *b)
{
    size_t n = a->size < b->size ? a->size : b->size;
    int c;

    if (!a->present || !b->present)
        return a->present - b->present;
    if (hr_col_kind(format_of(w, col)) == HR_COL_BYTES) {
        c = memcmp(a->text, b->text, n);
        return c ? c : (a->size > b->size) - (a->size < b->size);
    }
    if (format_of(w, col)[0] == 'L')
        return ((uint64_t)a->i > (uint64_t)b->i) - ((uint64_t)a->i < (uint64_t)b->i);
    return (a->i > b->i) - (a->i < b->i);
}

void value_read(const struct hr_col *c, int64_t row, struct value *ret)
{
    const char *text;
    int64_t at;

    memset(ret, 0, sizeof *ret);
    ret->present = hr_col_count(c, row, &at) > 0;
    if (!ret->present)
        return;
    if (c->kind != HR_COL_BYTES) {
        ret->i = hr_col_int(c, at);
        return;
    }
    text = hr_col_bytes(c, at, &ret->size);
    need(ret->size <= sizeof ret->text, "a text is longer than any that was made");
    memcpy(ret->text, text, ret->size);
}

/* The payload w; false: null. */
static bool payload(const struct world *w, const struct row *row, double *ret)
{
    static const double odd[] = { (double)NAN, (double)INFINITY, -0.0, 5e-324, 0.1 };
    uint64_t h = hash_of(w, COL_W, row);

    *ret = h % 16 < 5 ? odd[h % 16] : (double)(int64_t)(h >> 32) / 8;
    return h % 16 != 6;
}

/* How many values the payload p has, -1: null. */
static int64_t payload_count(const struct world *w, const struct row *row)
{
    return (int64_t)(hash_of(w, COL_P, row) % 5) - 1;
}

static void payload_text(const struct world *w, const struct row *row, int64_t k,
                         struct value *ret)
{
    text_of(mix(hash_of(w, COL_P, row) + (uint64_t)k) % 40, ret);
}

/* -- arrays ------------------------------------------------------------------------ */

void table_shape(struct shape *ret)
{
    *ret = (struct shape){ 6, { COL_A, COL_B, COL_C, COL_V, COL_W, COL_P } };
}

void shape_schema(const struct world *w, const struct shape *shape, struct ArrowSchema *ret)
{
    hr_status r = hr_schema_new("+s", "", shape->n, ret);
    uint32_t k;

    for (k = 0; r == HR_OK && k < shape->n; k++) {
        struct ArrowSchema *s = ret->children[k];
        const char *name = column_names[shape->cols[k]];
        int col = shape->cols[k];

        if (col >= MAX_KEYS) {
            r = hr_schema_column(s, name, col == COL_P ? "z" : col == COL_W ? "g" : "l",
                                 col == COL_P);
        } else if (!is_coded(w, col)) {
            r = hr_schema_column(s, name, format_of(w, col), 0);
        } else if ((r = hr_schema_column(s, name, "i", 0)) == HR_OK) {
            s->dictionary = calloc(1, sizeof *s->dictionary);
            r = s->dictionary ? hr_schema_column(s->dictionary, "", format_of(w, col), 0)
                              : HR_EXHAUSTED;
        }
    }
    need(r == HR_OK, "no memory");
}

/* Bytes one after the other, with offsets of 32 or 64 bits. */
static void put_texts(struct ArrowArray *a, bool large, const struct value *values, int64_t n)
{
    int64_t *wide = calloc((size_t)n + 1, 8);
    int32_t *narrow = (int32_t *)wide;
    char *bytes = malloc((size_t)n * sizeof values->text + 1);
    size_t at = 0;
    int64_t i;

    need(wide && bytes, "no memory");
    for (i = 0; i < n; i++) {
        memcpy(bytes + at, values[i].text, values[i].size);
        at += values[i].size;
        if (large)
            wide[i + 1] = (int64_t)at;
        else
            narrow[i + 1] = (int32_t)at;
    }
    hr_arrow_put(a, 1, wide, true);
    hr_arrow_put(a, 2, bytes, true);
}

static void put_ints(struct ArrowArray *a, const char *format, const struct value *values,
                     int64_t n)
{
    bool sign;
    size_t width = (size_t)width_of(format, &sign);
    char *data = calloc((size_t)n + 1, 8);
    int64_t i;

    need(data, "no memory");
    for (i = 0; i < n; i++) {
        if (format[0] == 'b')
            data[i >> 3] = (char)(data[i >> 3] | (int)values[i].i << (i & 7));
        else
            memcpy(data + (size_t)i * width, &values[i].i, width); /* little-endian */
    }
    hr_arrow_put(a, 1, data, true);
}

static void put_valid(struct ArrowArray *a, const struct value *values, int64_t n)
{
    uint8_t *valid = calloc((size_t)n / 8 + 1, 1);
    int64_t i;

    need(valid, "no memory");
    for (i = 0; i < n; i++) {
        valid[i >> 3] = (uint8_t)(valid[i >> 3] | values[i].present << (i & 7));
        a->null_count += !values[i].present;
    }
    if (a->null_count)
        hr_arrow_put(a, 0, valid, true);
    else
        free(valid);
}

/* Codes of a dictionary that has every text of the batch again and again. */
static void put_codes(struct hr_env *env, struct ArrowArray *a, bool large,
                      const struct value *values, int64_t n)
{
    int32_t *codes = calloc((size_t)n + 1, sizeof *codes);
    int64_t i;

    need(codes, "no memory");
    for (i = 0; i < n; i++)
        codes[i] = (int32_t)(n - 1 - i);
    hr_arrow_put(a, 1, codes, true);
    need(hr_arrow_new(env, 3, 0, false, a->dictionary) == HR_OK, "no memory");
    a->dictionary->length = n;
    {
        struct value *turned = calloc((size_t)n + 1, sizeof *turned);

        need(turned, "no memory");
        for (i = 0; i < n; i++)
            turned[i] = values[n - 1 - i];
        put_texts(a->dictionary, large, turned, n);
        free(turned);
    }
}

static void make_key(struct hr_env *env, const struct world *w, int col, uint32_t table,
                     struct hr_cut cut, struct ArrowArray *ret)
{
    const char *format = format_of(w, col);
    int kind = hr_col_kind(format);
    int64_t buffers = kind == HR_COL_NULL ? 0 : 2 + (kind == HR_COL_BYTES && !is_coded(w, col));
    struct value *values = calloc((size_t)cut.n + 1, sizeof *values);
    bool large = format[0] == 'U' || format[0] == 'Z';
    int64_t i;

    need(values && hr_arrow_new(env, buffers, 0, is_coded(w, col), ret) == HR_OK, "no memory");
    ret->length = cut.n;
    for (i = 0; i < cut.n; i++)
        world_value(w, col, &(struct row){ .table = table, .id = cut.from + i }, &values[i]);
    if (kind == HR_COL_NULL)
        ret->null_count = cut.n;
    else
        put_valid(ret, values, cut.n);
    if (is_coded(w, col))
        put_codes(env, ret, large, values, cut.n);
    else if (kind == HR_COL_BYTES)
        put_texts(ret, large, values, cut.n);
    else if (kind == HR_COL_INT)
        put_ints(ret, format, values, cut.n);
    free(values);
}

static void make_payload(const struct world *w, int col, uint32_t table, struct hr_cut cut,
                         struct ArrowArray *ret)
{
    struct hr_builder b;
    struct value text;
    int64_t i, k, n;
    double d;

    hr_builder_init(&b, col == COL_P ? "z" : col == COL_W ? "g" : "l", col == COL_P);
    for (i = 0; i < cut.n; i++) {
        struct row row = { .table = table, .id = cut.from + i };

        if (col == COL_V) {
            hr_builder_int(&b, row.id);
        } else if (col == COL_W ? !payload(w, &row, &d) : payload_count(w, &row) < 0) {
            hr_builder_null(&b);
        } else if (col == COL_W) {
            hr_builder_double(&b, d);
        } else {
            for (k = 0, n = payload_count(w, &row); k < n; k++) {
                memset(&text, 0, sizeof text);
                payload_text(w, &row, k, &text);
                hr_builder_bytes(&b, text.text, text.size);
            }
            hr_builder_end(&b);
        }
    }
    need(hr_builder_done(&b, ret) == HR_OK, "no memory");
}

void table_batch(struct hr_env *env, const struct world *w, uint32_t table, struct hr_cut cut,
                 struct ArrowArray *ret)
{
    struct ArrowArray columns[COLUMNS], rows;
    struct hr_owner *owner = NULL;
    int64_t before = (int64_t)chance(3) * (int64_t)chance(20);
    struct shape shape;
    uint32_t k;

    before = before < cut.from ? before : cut.from;
    table_shape(&shape);
    for (k = 0; k < shape.n; k++) {
        struct hr_cut more = hr_cut(cut.from - before, cut.n + before);

        if (shape.cols[k] < MAX_KEYS)
            make_key(env, w, shape.cols[k], table, more, &columns[k]);
        else
            make_payload(w, shape.cols[k], table, more, &columns[k]);
    }
    need(hr_rows_make(columns, shape.n, cut.n + before, &rows) == HR_OK &&
             hr_arrow_owner(env, &rows, &owner) == HR_OK &&
             hr_arrow_share(env, &owner->rows, owner, hr_cut(before, cut.n), ret) == HR_OK,
         "no memory");
    hr_owner_drop(owner);
}

/* -- text -------------------------------------------------------------------------- */

static void put_hex(struct hr_buf *to, const char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * sizeof((struct value *)0)->text];
    size_t i;

    need(n <= sizeof text / 2, "a text is longer than any that was made");
    for (i = 0; i < n; i++) {
        text[2 * i] = digits[(unsigned char)bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    hr_buf_char(to, 'x');
    hr_buf_add(to, text, 2 * n);
}

static void put_int(struct hr_buf *to, int64_t v)
{
    char text[HR_NUM_TEXT];

    hr_buf_add(to, text, hr_num_put_int(text, v));
}

/* All bits of it, so that each NaN and zero is told from the others. */
static void put_number(struct hr_buf *to, double d)
{
    char bits[sizeof d];

    memcpy(bits, &d, sizeof d);
    put_hex(to, bits, sizeof bits);
}

static void put_key(const struct world *w, int col, const struct row *row, struct hr_buf *to)
{
    struct value v;

    world_value(w, col, row, &v);
    if (!v.present)
        hr_buf_char(to, '~');
    else if (hr_col_kind(format_of(w, col)) == HR_COL_BYTES)
        put_hex(to, v.text, v.size);
    else if (format_of(w, col)[0] == 'L')
        hr_buf_format(to, "%" PRIu64, (uint64_t)v.i);
    else
        put_int(to, v.i);
}

static void put_payload(const struct world *w, int col, const struct row *row, struct hr_buf *to)
{
    int64_t k, n = payload_count(w, row);
    struct value text;
    double d;

    if (col == COL_W ? !payload(w, row, &d) : n < 0) {
        hr_buf_char(to, '~');
    } else if (col == COL_W) {
        put_number(to, d);
    } else {
        hr_buf_char(to, '[');
        for (k = 0; k < n; k++) {
            memset(&text, 0, sizeof text);
            payload_text(w, row, k, &text);
            put_hex(to, text.text, text.size);
        }
        hr_buf_char(to, ']');
    }
}

void put_row(const struct world *w, const struct shape *shape, const struct row *row,
             struct hr_buf *to)
{
    uint32_t k;

    for (k = 0; k < shape->n; k++) {
        int col = shape->cols[k];

        if (col < MAX_KEYS)
            put_key(w, col, row, to);
        else if (col == COL_V || col == COL_N)
            put_int(to, col == COL_V ? row->v : row->n);
        else
            put_payload(w, col, row, to);
        hr_buf_char(to, k + 1 < shape->n ? ' ' : '\n');
    }
}

static void put_cell(const struct hr_col *c, int64_t at, struct hr_buf *to)
{
    const char *bytes;
    size_t n;

    if (c->kind == HR_COL_BYTES) {
        bytes = hr_col_bytes(c, at, &n);
        put_hex(to, bytes, n);
    } else if (c->kind == HR_COL_FLOAT) {
        put_number(to, hr_col_double(c, at));
    } else if (c->format == 'L') {
        hr_buf_format(to, "%" PRIu64, (uint64_t)hr_col_int(c, at));
    } else {
        put_int(to, hr_col_int(c, at));
    }
}

void put_batch(const struct ArrowSchema *schema, const struct ArrowArray *rows, struct hr_buf *to)
{
    struct hr_col cols[COLUMNS];
    int64_t i, k, j, n, at;

    need(schema->n_children <= COLUMNS, "more columns than any collection has");
    for (k = 0; k < schema->n_children; k++)
        need(hr_col_open(schema, rows, k, &cols[k]) == HR_OK, "a column cannot be read");
    for (i = 0; i < rows->length; i++)
        for (k = 0; k < schema->n_children; k++) {
            n = hr_col_count(&cols[k], i, &at);
            if (!n && (!cols[k].list || !hr_col_valid(&cols[k], i)))
                hr_buf_char(to, '~');
            else if (cols[k].list)
                hr_buf_char(to, '[');
            for (j = 0; j < n; j++)
                put_cell(&cols[k], at + j, to);
            if (cols[k].list && hr_col_valid(&cols[k], i))
                hr_buf_char(to, ']');
            hr_buf_char(to, k + 1 < schema->n_children ? ' ' : '\n');
        }
}
