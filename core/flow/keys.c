#include "flow/keys.h"

#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"

enum { ABSENT = 0, PRESENT = 1 };

/* -- planning ---------------------------------------------------------------------- */

static hr_status plan_one(struct hr_env *env, const struct ArrowSchema *schema, const char *name,
                          const char *what, struct key_column *ret)
{
    int64_t at = hr_col_find(schema, name), i;
    const struct ArrowSchema *s, *v;
    const char *names[256];
    size_t n = 0;

    if (at < 0) {
        for (i = 0; i < schema->n_children && n < 256; i++)
            names[n++] = schema->children[i]->name;
        return hr_fail_meant(env, HR_INVALID, NULL, hr_text_meant(name, names, n),
                             "%s: there is no column \"%s\"", what, name);
    }
    s = schema->children[at];
    v = s->dictionary ? s->dictionary : s;
    ret->column = at;
    ret->kind = hr_col_kind(v->format);
    ret->format = v->format[0];
    if (!strcmp(v->format, "tdD"))
        ret->format = 'i';
    else if (!strncmp(v->format, "ts", 2))
        ret->format = 'l';
    if (s->format[0] == '+')
        return hr_fail(env, HR_INVALID,
                       "%s: column \"%s\" of format \"%s\" cannot be a key: a row of it may have "
                       "several values",
                       what, name, s->format);
    if (ret->kind < 0 || ret->kind == HR_COL_FLOAT ||
        (s->dictionary && (ret->kind != HR_COL_BYTES || strcmp(s->format, "i"))))
        return hr_fail(env, HR_INVALID,
                       "%s: column \"%s\" of format \"%s\" cannot be a key; keys are integers, "
                       "booleans, text, bytes, dates or timestamps",
                       what, name, s->format);
    return HR_OK;
}

hr_status keys_plan(struct hr_arena *arena, const struct ArrowSchema *schema,
                    const struct key_names *names, const char *what, struct keys *ret)
{
    size_t i;
    hr_status r;

    ret->schema = schema;
    ret->n = names->n;
    ret->columns = hr_arena_array(arena, names->n, sizeof *ret->columns);
    if (!ret->columns)
        return HR_EXHAUSTED;
    for (i = 0; i < names->n; i++)
        if ((r = plan_one(arena->env, schema, names->names[i], what, &ret->columns[i])) < 0)
            return r;
    return HR_OK;
}

hr_status keys_schema(struct hr_env *env, const struct ArrowSchema *column, struct ArrowSchema *ret)
{
    const struct ArrowSchema *v = column->dictionary ? column->dictionary : column;
    struct ArrowSchema made;
    size_t meta = hr_schema_meta_size(column->metadata);

    if (hr_schema_new(v->format, column->name, 0, &made) < 0)
        return hr_fail_memory(env);
    if (meta && !(made.metadata = hr_schema_dup(column->metadata, meta))) {
        HR_RELEASE(&made);
        return hr_fail_memory(env);
    }
    *ret = made;
    return HR_OK;
}

/* -- encoding ---------------------------------------------------------------------- */

static hr_status put_int(struct hr_buf *to, uint64_t v)
{
    uint8_t bytes[9] = { PRESENT };
    int i;

    for (i = 0; i < 8; i++)
        bytes[1 + i] = (uint8_t)(v >> (56 - 8 * i));
    return hr_buf_add(to, bytes, sizeof bytes);
}

static hr_status put_bytes(struct hr_buf *to, const char *bytes, size_t n)
{
    static const char present = PRESENT, stuffed[2] = { 0, (char)0xff }, end[2] = { 0, 0 };
    const char *zero, *stop = n ? bytes + n : bytes;
    hr_status r = hr_buf_add(to, &present, 1);

    while (r == HR_OK && bytes < stop && (zero = memchr(bytes, 0, (size_t)(stop - bytes)))) {
        if ((r = hr_buf_add(to, bytes, (size_t)(zero - bytes))) == HR_OK)
            r = hr_buf_add(to, stuffed, sizeof stuffed);
        bytes = zero + 1;
    }
    if (r == HR_OK && bytes < stop)
        r = hr_buf_add(to, bytes, (size_t)(stop - bytes));
    return r < 0 ? r : hr_buf_add(to, end, sizeof end);
}

static hr_status put_value(const struct hr_col *c, int64_t row, struct hr_buf *to)
{
    int64_t at;
    size_t size;
    const char *bytes;
    uint64_t v;

    if (!hr_col_count(c, row, &at))
        return hr_buf_char(to, ABSENT);
    if (c->kind == HR_COL_BYTES) {
        bytes = hr_col_bytes(c, at, &size);
        return put_bytes(to, bytes, size);
    }
    v = (uint64_t)hr_col_int(c, at);
    return put_int(to, c->format == 'L' ? v : v ^ (uint64_t)1 << 63);
}

hr_status keys_encode(struct hr_env *env, const struct keys *k, const struct ArrowArray *rows,
                      struct hr_buf *bytes, uint32_t *ends)
{
    struct hr_col *cols = hr_mem_zero(env, k->n * sizeof *cols);
    hr_status r = cols ? HR_OK : HR_EXHAUSTED;
    int64_t i;
    size_t c;

    for (c = 0; r == HR_OK && c < k->n; c++)
        r = hr_col_open(k->schema, rows, k->columns[c].column, &cols[c]);
    for (i = 0; r == HR_OK && i < rows->length; i++) {
        for (c = 0; r == HR_OK && c < k->n; c++)
            r = put_value(&cols[c], i, bytes);
        ends[i] = (uint32_t)bytes->len;
    }
    if (cols && r == HR_EXHAUSTED)
        hr_fail(env, r, "the keys of a batch pass %zu bytes; use fewer rows a batch", bytes->max);
    hr_mem_put(env, cols, k->n * sizeof *cols);
    return r;
}

/* -- decoding ---------------------------------------------------------------------- */

/* Where reading stands in each of the keys. */
struct decode {
    struct hr_env *env;
    const struct key_list *list;
    size_t *at;
};

static void put_number(char format, void *values, size_t i, uint64_t v)
{
    switch (format) {
    case 'c':
    case 'C':
        ((uint8_t *)values)[i] = (uint8_t)v;
        break;
    case 's':
    case 'S':
        ((uint16_t *)values)[i] = (uint16_t)v;
        break;
    case 'i':
    case 'I':
        ((uint32_t *)values)[i] = (uint32_t)v;
        break;
    case 'b':
        if (v)
            ((uint8_t *)values)[i >> 3] |= (uint8_t)(1u << (i & 7));
        break;
    default:
        ((uint64_t *)values)[i] = v;
    }
}

static void decode_ints(struct decode *d, char format, uint8_t *valid, void *values)
{
    size_t i;
    int k;

    for (i = 0; i < d->list->n; i++) {
        struct hr_slice key = d->list->at(d->list->list, i);
        const uint8_t *p = (const uint8_t *)key.text + d->at[i];
        uint64_t v = 0;

        if (*p == ABSENT) {
            d->at[i]++;
            continue;
        }
        for (k = 1; k <= 8; k++)
            v = v << 8 | p[k];
        d->at[i] += 9;
        valid[i >> 3] |= (uint8_t)(1u << (i & 7));
        put_number(format, values, i, format == 'L' ? v : v ^ (uint64_t)1 << 63);
    }
}

static hr_status decode_numbers(struct decode *d, const struct key_column *c,
                                struct ArrowArray *ret)
{
    uint8_t *valid = calloc(d->list->n / 8 + 1, 1);
    void *values = calloc(d->list->n + 1, 8);

    hr_arrow_put(ret, 0, valid, true);
    hr_arrow_put(ret, 1, values, true);
    if (!valid || !values)
        return hr_fail_memory(d->env);
    decode_ints(d, c->format, valid, values);
    return HR_OK;
}

/* The bytes at p, up to the end mark; returns how much of p that took.  to may be NULL. */
static size_t unstuff(const uint8_t *p, char *to, size_t *ret_size)
{
    const uint8_t *from = p;
    size_t n = 0;

    for (p++; p[0] || p[1]; p++) {
        if (to)
            to[n] = (char)*p;
        n++;
        p += !*p;
    }
    *ret_size = n;
    return (size_t)(p + 2 - from);
}

static hr_status decode_texts(struct decode *d, const struct key_column *c, struct ArrowArray *ret)
{
    bool large = c->format == 'U' || c->format == 'Z';
    uint8_t *valid = calloc(d->list->n / 8 + 1, 1);
    int64_t *wide = calloc(d->list->n + 1, 8);
    int32_t *narrow = (int32_t *)wide;
    size_t i, size, total = 0;
    char *bytes = NULL;

    for (i = 0; i < d->list->n; i++)
        total += d->list->at(d->list->list, i).len;
    bytes = malloc(total + 1);
    hr_arrow_put(ret, 0, valid, true);
    hr_arrow_put(ret, 1, wide, true);
    hr_arrow_put(ret, 2, bytes, true);
    if (!valid || !wide || !bytes)
        return hr_fail_memory(d->env);
    if (!large && total > INT32_MAX)
        return hr_fail(d->env, HR_EXHAUSTED, "the keys of a batch pass 2^31 bytes");
    for (i = 0, total = 0; i < d->list->n; i++) {
        const uint8_t *p = (const uint8_t *)d->list->at(d->list->list, i).text + d->at[i];

        if (*p == ABSENT) {
            d->at[i]++;
        } else {
            d->at[i] += unstuff(p, bytes + total, &size);
            total += size;
            valid[i >> 3] |= (uint8_t)(1u << (i & 7));
        }
        if (large)
            wide[i + 1] = (int64_t)total;
        else
            narrow[i + 1] = (int32_t)total;
    }
    return HR_OK;
}

static hr_status decode_column(struct decode *d, const struct key_column *c, struct ArrowArray *ret)
{
    struct ArrowArray made;
    int64_t buffers = c->kind == HR_COL_NULL ? 0 : 2 + (c->kind == HR_COL_BYTES);
    hr_status r = hr_arrow_new(d->env, buffers, 0, false, &made);
    size_t i;

    if (r < 0)
        return r;
    made.length = (int64_t)d->list->n;
    made.null_count = -1;
    if (c->kind == HR_COL_BYTES)
        r = decode_texts(d, c, &made);
    else if (c->kind == HR_COL_INT)
        r = decode_numbers(d, c, &made);
    else
        for (made.null_count = made.length, i = 0; i < d->list->n; i++)
            d->at[i]++;
    if (r < 0)
        HR_RELEASE(&made);
    else
        *ret = made;
    return r;
}

hr_status keys_decode(struct hr_env *env, const struct keys *k, const struct key_list *list,
                      struct ArrowArray *columns)
{
    struct decode d = { env, list, hr_mem_zero(env, list->n * sizeof *d.at) };
    hr_status r = d.at ? HR_OK : HR_EXHAUSTED;
    size_t c = 0;

    while (r == HR_OK && c < k->n) {
        r = decode_column(&d, &k->columns[c], &columns[c]);
        c += r == HR_OK;
    }
    if (r < 0)
        for (; c; c--)
            HR_RELEASE(&columns[c - 1]);
    hr_mem_put(env, d.at, list->n * sizeof *d.at);
    return r;
}
