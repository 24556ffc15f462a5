#include "analysis/slices.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FEATURES = 16, MAX_ROW_SLICES = 1 << 16, MAX_KEY = 1 << 24 };

/* One column of a spec. */
struct part {
    const char *name;
    const char *value; /* NULL: any */
    int64_t column;    /* -1: the rows have none */
    struct hr_col col;
};

struct one_spec {
    struct part *parts;
    size_t n;
};

struct hr_slicer {
    struct one_spec *specs;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct part *)a)->name, ((const struct part *)b)->name);
}

static hr_status add_spec(struct hr_arena *arena, const HR_MA(SlicingSpec) * from,
                          const struct ArrowSchema *in, struct one_spec *to)
{
    size_t n = from->n_feature_keys + from->n_feature_values, i;

    if (n > MAX_FEATURES)
        return hr_fail(arena->env, HR_INVALID, "a slicingSpec names more than %d features",
                       MAX_FEATURES);
    to->parts = hr_arena_array(arena, n + 1, sizeof *to->parts);
    if (!to->parts)
        return HR_EXHAUSTED;
    for (i = 0; i < from->n_feature_keys; i++)
        to->parts[to->n++].name = from->feature_keys[i];
    for (i = 0; i < from->n_feature_values; i++) {
        const char *value = from->feature_values[i]->value;

        to->parts[to->n].value = value ? value : "";
        to->parts[to->n++].name = from->feature_values[i]->key ? from->feature_values[i]->key : "";
    }
    qsort(to->parts, n, sizeof *to->parts, by_name);
    for (i = 0; i < n; i++) {
        to->parts[i].column = hr_col_find(in, to->parts[i].name);
        if (i && !strcmp(to->parts[i].name, to->parts[i - 1].name))
            return hr_fail(arena->env, HR_INVALID, "a slicingSpec names \"%s\" twice",
                           to->parts[i].name);
    }
    return HR_OK;
}

hr_status hr_slicer_make(struct hr_arena *arena, const hr_eval_config *config,
                         const struct ArrowSchema *in, struct hr_slicer **ret)
{
    static const HR_MA(SlicingSpec) all = TENSORFLOW_MODEL_ANALYSIS__SLICING_SPEC__INIT;
    struct hr_slicer *s = hr_arena_get(arena, sizeof *s);
    hr_status r = HR_OK;
    size_t i;

    if (!s)
        return HR_EXHAUSTED;
    s->n = config->n_slicing_specs ? config->n_slicing_specs : 1;
    s->specs = hr_arena_array(arena, s->n, sizeof *s->specs);
    if (!s->specs)
        return HR_EXHAUSTED;
    for (i = 0; i < s->n && r == HR_OK; i++)
        r = add_spec(arena, config->n_slicing_specs ? config->slicing_specs[i] : &all, in,
                     &s->specs[i]);
    if (r == HR_OK)
        *ret = s;
    return r;
}

hr_status hr_slicer_open(struct hr_env *env, struct hr_slicer *s, const struct ArrowSchema *schema,
                         const struct ArrowArray *rows)
{
    size_t i, k;

    for (i = 0; i < s->n; i++)
        for (k = 0; k < s->specs[i].n; k++) {
            struct part *p = &s->specs[i].parts[k];

            if (p->column >= 0 && hr_col_open(schema, rows, p->column, &p->col) < 0)
                return hr_fail(env, HR_INVALID, "rows cannot be sliced by column \"%s\"", p->name);
        }
    return HR_OK;
}

/* -- bytes of keys ---------------------------------------------------------------------- */

static void put_varint(struct hr_buf *to, uint64_t v)
{
    for (; v > 127; v >>= 7)
        hr_buf_char(to, (char)(v & 127) | (char)0x80);
    hr_buf_char(to, (char)v);
}

static void put_bytes(struct hr_buf *to, int field, const void *bytes, size_t n)
{
    hr_buf_char(to, (char)(field << 3 | 2));
    put_varint(to, n);
    hr_buf_add(to, bytes, n);
}

/* A pair of column and value at a position, as a field of SliceKey. */
static hr_status put_pair(struct hr_env *env, struct hr_buf *to, const struct part *p, int64_t at)
{
    struct hr_buf one;
    const char *text;
    bool whole;
    float f;
    size_t n;

    hr_buf_of(&one, MAX_KEY, env);
    put_bytes(&one, 1, p->name, strlen(p->name));
    if (p->col.kind == HR_COL_BYTES) {
        text = hr_col_bytes(&p->col, at, &n);
        put_bytes(&one, 2, text, n);
    } else if (p->col.kind == HR_COL_FLOAT) {
        uint32_t u;

        f = (float)hr_col_double(&p->col, at);
        memcpy(&u, &f, sizeof u);
        hr_buf_char(&one, 3 << 3 | 5);
        hr_store_u32(&one, u);
    } else {
        hr_buf_char(&one, 4 << 3);
        put_varint(&one, (uint64_t)hr_col_int(&p->col, at));
    }
    put_bytes(to, 1, one.text, one.len);
    whole = hr_buf_whole(&one) && hr_buf_whole(to);
    hr_buf_clear(&one);
    return whole ? HR_OK : HR_EXHAUSTED;
}

/* Is the value at a position the text of a spec: as text, as an integer or as a float? */
static bool is_value(const struct part *p, int64_t at)
{
    const char *text;
    int64_t i;
    double d;
    size_t n;

    if (!p->value)
        return true;
    if (p->col.kind == HR_COL_BYTES) {
        text = hr_col_bytes(&p->col, at, &n);
        return n == strlen(p->value) && !memcmp(text, p->value, n);
    }
    if (p->col.kind == HR_COL_INT && hr_num_int(p->value, strlen(p->value), &i))
        return i == hr_col_int(&p->col, at);
    return hr_num_double(p->value, strlen(p->value), &d) &&
           (float)d == (float)hr_col_double(&p->col, at);
}

/* -- keys of a row ---------------------------------------------------------------------- */

void hr_slice_keys_init(struct hr_env *env, struct hr_slice_keys *k)
{
    *k = (struct hr_slice_keys){ .n = 0 };
    hr_buf_of(&k->bytes, SIZE_MAX / 2, env);
}

void hr_slice_keys_clear(struct hr_env *env, struct hr_slice_keys *k)
{
    hr_buf_clear(&k->bytes);
    if (k->ends)
        hr_mem_put(env, k->ends, k->cap * sizeof *k->ends);
    k->ends = NULL;
    k->n = k->cap = 0;
}

/* Take the bytes from `from` on as a key, unless it is there. */
static hr_status take(struct hr_env *env, struct hr_slice_keys *k, size_t from)
{
    size_t n = k->bytes.len - from, i, start = 0;

    for (i = 0; i < k->n; start = k->ends[i++])
        if (k->ends[i] - start == n && !memcmp(k->bytes.text + start, k->bytes.text + from, n)) {
            hr_buf_cut(&k->bytes, from);
            return HR_OK;
        }
    if (!hr_mem_reserve(env, (void **)&k->ends, &k->cap, k->n + 1, sizeof *k->ends, MAX_ROW_SLICES))
        return HR_EXHAUSTED;
    k->ends[k->n++] = k->bytes.len;
    return HR_OK;
}

/* All combinations of values of the parts, the last part running fastest. */
static hr_status spec_keys(struct hr_env *env, const struct one_spec *s, int64_t row,
                           struct hr_slice_keys *ret)
{
    int64_t at[MAX_FEATURES], count[MAX_FEATURES], pick[MAX_FEATURES] = { 0 };
    hr_status r = HR_OK;
    size_t i, from;
    bool fits;

    for (i = 0; i < s->n; i++) {
        count[i] = s->parts[i].column < 0 ? 0 : hr_col_count(&s->parts[i].col, row, &at[i]);
        if (!count[i])
            return HR_OK;
    }
    do {
        from = ret->bytes.len;
        for (fits = true, i = 0; i < s->n && fits && r == HR_OK; i++) {
            fits = is_value(&s->parts[i], at[i] + pick[i]);
            if (fits)
                r = put_pair(env, &ret->bytes, &s->parts[i], at[i] + pick[i]);
        }
        if (fits && r == HR_OK)
            r = take(env, ret, from);
        else
            hr_buf_cut(&ret->bytes, from);
        for (i = s->n; i-- > 0;) {
            if (++pick[i] < count[i])
                break;
            pick[i] = 0;
        }
    } while (i != SIZE_MAX && r == HR_OK);
    return r;
}

hr_status hr_slicer_row(struct hr_env *env, const struct hr_slicer *s, int64_t row,
                        struct hr_slice_keys *ret)
{
    hr_status r = HR_OK;
    size_t i;

    hr_buf_cut(&ret->bytes, 0);
    ret->n = 0;
    for (i = 0; i < s->n && r == HR_OK; i++)
        r = spec_keys(env, &s->specs[i], row, ret);
    return r;
}

/* -- slices and specs --------------------------------------------------------------------- */

static bool pair_is(const HR_MA(SingleSliceKey) * k, const char *value)
{
    int64_t i;
    double d;

    switch (k->kind_case) {
    case HR_MA_E(SINGLE_SLICE_KEY__KIND_BYTES_VALUE):
        return k->bytes_value.len == strlen(value) &&
               !memcmp(k->bytes_value.data, value, k->bytes_value.len);
    case HR_MA_E(SINGLE_SLICE_KEY__KIND_INT64_VALUE):
        return hr_num_int(value, strlen(value), &i) && i == k->int64_value;
    case HR_MA_E(SINGLE_SLICE_KEY__KIND_FLOAT_VALUE):
        return hr_num_double(value, strlen(value), &d) && (float)d == k->float_value;
    default:
        return false;
    }
}

bool hr_slice_matches(const HR_MA(SlicingSpec) * spec, const HR_MA(SliceKey) * key)
{
    size_t i, k, found = 0;

    if (spec->n_feature_keys + spec->n_feature_values != key->n_single_slice_keys)
        return false;
    for (i = 0; i < key->n_single_slice_keys; i++) {
        const HR_MA(SingleSliceKey) *s = key->single_slice_keys[i];

        for (k = 0; k < spec->n_feature_keys; k++)
            found += hr_text_eq(spec->feature_keys[k], s->column);
        for (k = 0; k < spec->n_feature_values; k++)
            found +=
                hr_text_eq(spec->feature_values[k]->key, s->column) &&
                pair_is(s, spec->feature_values[k]->value ? spec->feature_values[k]->value : "");
    }
    return found == key->n_single_slice_keys;
}

hr_status hr_slice_text(const HR_MA(SliceKey) * key, struct hr_buf *to)
{
    char text[HR_NUM_TEXT];
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < key->n_single_slice_keys; i++) {
        const HR_MA(SingleSliceKey) *s = key->single_slice_keys[i];

        r |= hr_buf_format(to, "%s%s=", i ? ", " : "", s->column ? s->column : "");
        if (s->kind_case == HR_MA_E(SINGLE_SLICE_KEY__KIND_BYTES_VALUE)) {
            r |= hr_buf_add(to, s->bytes_value.data,
                            hr_utf8_valid(s->bytes_value.data, s->bytes_value.len));
            continue;
        }
        if (s->kind_case == HR_MA_E(SINGLE_SLICE_KEY__KIND_INT64_VALUE))
            hr_num_put_int(text, s->int64_value);
        else
            hr_num_put_float(text, s->float_value);
        r |= hr_buf_text(to, text);
    }
    if (!i)
        r |= hr_buf_text(to, "all rows");
    return r == HR_OK ? HR_OK : HR_EXHAUSTED;
}
