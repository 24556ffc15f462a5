/* Row by row: columns to registers, missing values, lists and vectors. */
#include <string.h>

#include "base/base.h"
#include "transform/eval.h"

/* -- columns ---------------------------------------- */

static const char *const kinds[] = { "", "int", "float", "bytes" };

static hr_status bad_count(struct hr_eval *e, const struct hr_feature *f, struct hr_reg *r,
                           int64_t row, int64_t n)
{
    int64_t size = r->size;

    r->shape = HR_S_DENSE; /* so that the row is found */
    if (f->shape == HR_FEATURE_DENSE && !n)
        return hr_eval_fail(e, r, row * size, "%s is missing, and the schema wants it in every row",
                            f->name);
    return hr_eval_fail(e, r, row * size, "%s has %lld values, and the schema allows %lld", f->name,
                        (long long)n, (long long)(f->shape == HR_FEATURE_DENSE ? size : 1));
}

/* The eight bits of a byte as bytes of 0 and 1, the first in the lowest. */
static inline uint64_t spread(uint8_t bits)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), each = UINT64_C(0x8040201008040201);

    return (((bits * ones & each) + 127 * ones) >> 7) & ones;
}

/* n bits from a place on as bytes.  Returns whether all are 1. */
static bool read_bits(const uint8_t *bits, int64_t at, int64_t n, uint8_t *to)
{
    uint64_t eight, all = UINT64_MAX;
    uint8_t each = 1;
    int64_t i = 0, k;

    for (; i < n && ((at + i) & 7); i++)
        each &= to[i] = bits[(at + i) >> 3] >> ((at + i) & 7) & 1;
    for (; i + 8 <= n; i += 8) {
        all &= eight = spread(bits[(at + i) >> 3]);
        for (k = 0; k < 8; k++)
            to[i + k] = (uint8_t)(eight >> 8 * k);
    }
    for (; i < n; i++)
        each &= to[i] = bits[(at + i) >> 3] >> ((at + i) & 7) & 1;
    return each && (all == UINT64_MAX || all == UINT64_C(0x0101010101010101));
}

/* Validity of a scalar column.  Sets r->valid if a row lacks its value. */
static hr_status scalar_valid(struct hr_eval *e, const struct hr_feature *f, struct hr_reg *r,
                              const struct hr_col *c)
{
    uint8_t *valid;
    int64_t i;
    bool all;

    if (!c->valid)
        return HR_OK;
    if (!(valid = hr_reg_valid(e, r, e->rows)))
        return hr_eval_memory(e);
    if ((all = read_bits(c->valid, c->at + e->row, e->rows, valid)))
        r->valid = NULL;
    for (i = 0; i < e->rows && !all && f->shape == HR_FEATURE_DENSE; i++)
        if (!valid[i])
            return bad_count(e, f, r, i, 0);
    return HR_OK;
}

/* May a row have so many values? */
static bool fits(const struct hr_feature *f, const struct hr_reg *r, int64_t n)
{
    if (f->shape == HR_FEATURE_DENSE)
        return n == r->size;
    return f->shape != HR_FEATURE_OPTIONAL || n <= 1;
}

/* The shape of the rows: how many values each has.  r->n, valid and offsets are set. */
static hr_status count_rows(struct hr_eval *e, const struct hr_feature *f, struct hr_reg *r,
                            const struct hr_col *c)
{
    bool list = f->shape == HR_FEATURE_LIST, dense = f->shape == HR_FEATURE_DENSE;
    uint8_t *valid = dense ? NULL : hr_reg_valid(e, r, e->rows);
    int32_t *offsets = list ? hr_reg_offsets(e, r, e->rows) : NULL;
    int64_t i, k, n, total = 0;

    if ((!dense && !valid) || (list && !offsets))
        return hr_eval_memory(e);
    if (offsets)
        offsets[0] = 0;
    for (i = 0; i < e->rows; i++) {
        n = hr_col_count(c, e->row + i, &k);
        if (!fits(f, r, n))
            return bad_count(e, f, r, i, n);
        total += n;
        if (total > INT32_MAX)
            return hr_eval_memory(e);
        if (valid)
            valid[i] = list ? (uint8_t)hr_col_present(c, e->row + i) : (uint8_t)n;
        if (offsets)
            offsets[i + 1] = (int32_t)total;
    }
    r->n = f->shape == HR_FEATURE_OPTIONAL ? e->rows : total;
    return HR_OK;
}

/* The dictionary as slices, once for a batch; an empty one has one empty entry, for codes of
 * what is missing. */
static const struct hr_slice *dictionary(struct hr_eval *e, int64_t input, int64_t *ret_n)
{
    const struct hr_col *c = &e->cols[input];
    int64_t i, n = c->dict_length ? c->dict_length : 1;
    struct hr_slice *d;

    *ret_n = n;
    if (e->dict_done[input])
        return e->dicts[input];
    if (!hr_mem_reserve(e->env, (void **)&e->dicts[input], &e->dict_caps[input], (size_t)n,
                        sizeof *d, SIZE_MAX / 64))
        return NULL;
    d = e->dicts[input];
    d[0] = hr_slice("", 0);
    for (i = 0; i < c->dict_length; i++)
        d[i].text = hr_col_entry(c, i, &d[i].len);
    e->dict_done[input] = true;
    return d;
}

static void put_value(const struct hr_feature *f, const struct hr_col *c, int64_t k, void *to,
                      int64_t at)
{
    struct hr_slice *s;

    if (f->type == HR_FEATURE_INT) {
        ((int64_t *)to)[at] = hr_col_int(c, k);
    } else if (f->type == HR_FEATURE_FLOAT) {
        ((float *)to)[at] =
            c->format == 'f' ? ((const float *)c->values)[k] : (float)hr_col_double(c, k);
    } else {
        s = (struct hr_slice *)to + at;
        s->text = hr_col_bytes(c, k, &s->len);
    }
}

/* Any column, value by value. */
static hr_status load_values(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                             const struct hr_feature *f)
{
    const struct hr_col *c = &e->cols[s->ints[0]];
    bool slots = f->shape == HR_FEATURE_OPTIONAL; /* missing ones have a place too */
    int64_t i, j, k, n, at = 0;
    hr_status status = count_rows(e, f, r, c);
    size_t size = c->codes ? sizeof(int32_t) : hr_elem_size(f->type);
    char *to = NULL;

    if (status < 0)
        return status;
    if (!c->codes)
        to = hr_reg_room(e, r, r->n, size);
    else if (hr_mem_reserve(e->env, (void **)&r->own_codes, &r->codes_cap, (size_t)r->n + 1, size,
                            SIZE_MAX / 64))
        to = (char *)r->own_codes;
    if (!to)
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        n = hr_col_count(c, e->row + i, &k);
        if (slots && !n) {
            memset(to + (size_t)at * size, 0, size);
            if (f->type == HR_FEATURE_BYTES && !c->codes)
                *((struct hr_slice *)(void *)to + at) = hr_slice("", 0);
            at++;
        }
        for (j = 0; j < n; j++, at++) {
            if (c->codes)
                r->own_codes[at] = hr_col_code(c, k + j);
            else
                put_value(f, c, k + j, to, at);
        }
    }
    if (!c->codes)
        return HR_OK;
    r->codes = r->own_codes;
    r->dict = dictionary(e, s->ints[0], &r->ndict);
    return r->dict ? HR_OK : hr_eval_memory(e);
}

/* All rows one entry: what is made of it is made once. */
static hr_status code_nothing(struct hr_eval *e, struct hr_reg *r)
{
    static const struct hr_slice nothing = { "", 0 };

    if (!hr_mem_reserve(e->env, (void **)&r->own_codes, &r->codes_cap, (size_t)e->rows,
                        sizeof *r->own_codes, SIZE_MAX / 64))
        return hr_eval_memory(e);
    memset(r->own_codes, 0, (size_t)e->rows * sizeof *r->own_codes);
    r->codes = r->own_codes;
    r->dict = &nothing;
    r->ndict = 1;
    r->v = NULL;
    return HR_OK;
}

/* A column of no type: no row has a value. */
static hr_status load_nothing(struct hr_eval *e, struct hr_reg *r, const struct hr_feature *f,
                              const struct hr_col *c)
{
    void *v = hr_reg_room(e, r, e->rows, hr_elem_size(f->type));
    uint8_t *valid = hr_reg_valid(e, r, e->rows);
    int32_t *offsets = hr_reg_offsets(e, r, e->rows);

    if (!v || !valid || !offsets)
        return hr_eval_memory(e);
    if (f->shape == HR_FEATURE_DENSE)
        return bad_count(e, f, r, 0, 0);
    memset(v, 0, (size_t)e->rows * hr_elem_size(f->type));
    memset(valid, f->shape == HR_FEATURE_LIST && hr_col_present(c, 0), (size_t)e->rows);
    memset(offsets, 0, ((size_t)e->rows + 1) * sizeof *offsets);
    r->n = f->shape == HR_FEATURE_LIST ? 0 : e->rows;
    if (f->shape != HR_FEATURE_OPTIONAL)
        return HR_OK;
    r->offsets = NULL;
    return f->type == HR_FEATURE_BYTES ? code_nothing(e, r) : HR_OK;
}

/* What is missing may have any code. */
HR_CPU_INLINE void keep_codes_body(int32_t *restrict o, const int32_t *restrict p,
                                   const uint8_t *restrict valid, int64_t n)
{
    int64_t i;

    for (i = 0; i < n; i++)
        o[i] = valid[i] ? p[i] : 0;
}

HR_CPU_TWINS(keep_codes, (int32_t * o, const int32_t *p, const uint8_t *valid, int64_t n),
             (o, p, valid, n))

/* Codes of a column with one value at most. */
static hr_status load_codes(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                            const struct hr_feature *f)
{
    const struct hr_col *c = &e->cols[s->ints[0]];
    const int32_t *from = (const int32_t *)c->values + c->at + e->row;
    hr_status status = scalar_valid(e, f, r, c);

    if (status < 0)
        return status;
    r->dict = dictionary(e, s->ints[0], &r->ndict);
    r->codes = from;
    if (!r->dict)
        return hr_eval_memory(e);
    if (!r->valid)
        return HR_OK;
    if (!hr_mem_reserve(e->env, (void **)&r->own_codes, &r->codes_cap, (size_t)e->rows,
                        sizeof *from, SIZE_MAX / 64))
        return hr_eval_memory(e);
    keep_codes(r->own_codes, from, r->valid, e->rows);
    r->codes = r->own_codes;
    return HR_OK;
}

/* Has each row one value, which can be used where it stands if it is of the type? */
static bool stands_as_is(const struct hr_feature *f, const struct hr_reg *r,
                         const struct hr_col *c)
{
    return !c->list && r->size == 1 && f->shape != HR_FEATURE_LIST;
}

hr_status hr_kernel_input(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r)
{
    const struct hr_feature *f = &e->ir->inputs[s->ints[0]];
    const struct hr_col *c = &e->cols[s->ints[0]];

    if (c->kind == HR_COL_NULL)
        return load_nothing(e, r, f, c);
    if (c->kind != f->type && !(c->kind == HR_COL_INT && f->type == HR_FEATURE_FLOAT))
        return hr_eval_fail(e, NULL, 0, "%s is of another type than %s", f->name, kinds[f->type]);
    r->n = e->rows;
    if (!stands_as_is(f, r, c))
        return load_values(e, s, r, f);
    if (f->type == HR_FEATURE_INT && c->format == 'l') {
        r->v = (const int64_t *)c->values + c->at + e->row;
        return scalar_valid(e, f, r, c);
    }
    if (f->type == HR_FEATURE_FLOAT && c->format == 'f') {
        r->v = (const float *)c->values + c->at + e->row;
        return scalar_valid(e, f, r, c);
    }
    if (f->type == HR_FEATURE_BYTES && c->codes)
        return load_codes(e, s, r, f);
    return load_values(e, s, r, f);
}

/* -- missing ---------------------------------------- */

HR_CPU_INLINE void fill_codes_body(int32_t *restrict o, const int32_t *restrict p,
                                   const uint8_t *restrict valid, int64_t n)
{
    int64_t i;

    for (i = 0; i < n; i++)
        o[i] = valid[i] ? p[i] + 1 : 0;
}

HR_CPU_TWINS(fill_codes, (int32_t * o, const int32_t *p, const uint8_t *valid, int64_t n),
             (o, p, valid, n))

/* The dictionary with one entry more, which comes first: the rest may grow. */
static hr_status fill_coded(struct hr_eval *e, struct hr_reg *r, struct hr_reg *x, struct hr_reg *v)
{
    struct hr_slice *d;
    int64_t i;

    if (r->memo_n < x->ndict + 1) {
        if (!hr_mem_reserve(e->env, &r->memo, &r->memo_cap, ((size_t)x->ndict + 1) * sizeof *d, 1,
                            SIZE_MAX / 64))
            return hr_eval_memory(e);
        d = r->memo;
        memcpy(d + 1, x->dict, (size_t)x->ndict * sizeof *d);
        d[0] = *(const struct hr_slice *)v->v;
        r->memo_n = x->ndict + 1;
    }
    if (!hr_mem_reserve(e->env, (void **)&r->own_codes, &r->codes_cap, (size_t)x->n + 1,
                        sizeof *r->own_codes, SIZE_MAX / 64))
        return hr_eval_memory(e);
    if (x->valid)
        fill_codes(r->own_codes, x->codes, x->valid, x->n);
    for (i = 0; !x->valid && i < x->n; i++)
        r->own_codes[i] = x->codes[i] + 1;
    r->codes = r->own_codes;
    r->dict = r->memo;
    r->ndict = x->ndict + 1;
    r->n = x->n;
    return HR_OK;
}

/* Of one type: from a column, or a constant. */
#define FILL(NAME, TYPE)                                                                           \
    HR_CPU_INLINE void NAME##_body(TYPE *restrict o, const TYPE *restrict p,                       \
                                   const TYPE *restrict q, bool cst,                               \
                                   const uint8_t *restrict valid, int64_t n)                       \
    {                                                                                              \
        const TYPE one = q[0];                                                                     \
        int64_t i;                                                                                 \
        if (cst)                                                                                   \
            for (i = 0; i < n; i++)                                                                \
                o[i] = valid[i] ? p[i] : one;                                                      \
        else                                                                                       \
            for (i = 0; i < n; i++)                                                                \
                o[i] = valid[i] ? p[i] : q[i];                                                     \
    }                                                                                              \
    HR_CPU_TWINS(NAME,                                                                             \
                 (TYPE * o, const TYPE *p, const TYPE *q, bool cst, const uint8_t *valid,          \
                  int64_t n),                                                                      \
                 (o, p, q, cst, valid, n))

FILL(fill_ints, int64_t)
FILL(fill_floats, float)
FILL(fill_bytes, struct hr_slice)
FILL(fill_bools, uint8_t)

static hr_status fill(struct hr_eval *e, struct hr_reg *r, struct hr_reg *x, struct hr_reg *v)
{
    if (x->codes && v->cst)
        return fill_coded(e, r, x, v);
    if (x->elem == HR_E_BYTES && (!hr_reg_slices(e, x) || !hr_reg_slices(e, v)))
        return hr_eval_memory(e);
    r->n = e->rows;
    if (!x->valid) {
        r->v = x->v;
        return HR_OK;
    }
    if (!hr_reg_room(e, r, r->n, hr_elem_size(r->elem)))
        return hr_eval_memory(e);
    if (r->elem == HR_E_INT)
        fill_ints(r->own, x->v, v->v, v->cst, x->valid, r->n);
    else if (r->elem == HR_E_FLOAT)
        fill_floats(r->own, x->v, v->v, v->cst, x->valid, r->n);
    else if (r->elem == HR_E_BYTES)
        fill_bytes(r->own, x->v, v->v, v->cst, x->valid, r->n);
    else
        fill_bools(r->own, x->v, v->v, v->cst, x->valid, r->n);
    return HR_OK;
}

static hr_status is_missing(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a)
{
    uint8_t *o = hr_reg_room(e, r, e->rows, 1);
    int64_t i;

    if (!o)
        return hr_eval_memory(e);
    r->n = e->rows;
    for (i = 0; i < e->rows; i++)
        o[i] = (a->valid && !a->valid[i]) ||
               (a->shape == HR_S_LIST && a->offsets[i] == a->offsets[i + 1]);
    return HR_OK;
}

/* -- lists and vectors ---------------------------------------- */

static void copy_value(struct hr_reg *to, int64_t at, const struct hr_reg *from, int64_t k)
{
    size_t size = hr_elem_size(to->elem);

    memcpy((char *)to->own + (size_t)at * size, (const char *)from->v + (size_t)k * size, size);
}

static void zero_value(struct hr_reg *to, int64_t at)
{
    if (to->elem == HR_E_BYTES)
        ((struct hr_slice *)to->own)[at] = hr_slice("", 0);
    else
        memset((char *)to->own + (size_t)at * hr_elem_size(to->elem), 0, hr_elem_size(to->elem));
}

/* Room for a value in each row, missing or not. */
static bool one_each(struct hr_eval *e, struct hr_reg *r)
{
    r->n = e->rows * r->size;
    if (r->shape == HR_S_OPTIONAL && !hr_reg_valid(e, r, e->rows))
        return false;
    return hr_reg_room(e, r, r->n, hr_elem_size(r->elem)) != NULL;
}

static hr_status at(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                    const struct hr_reg *a)
{
    int64_t i, n, k = 0, index = s->ints[0];

    if (!one_each(e, r))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        n = hr_reg_row(a, i, &k);
        if (r->shape == HR_S_OPTIONAL)
            r->own_valid[i] = index < n && n;
        if (index < n && n)
            copy_value(r, i, a, k + (index < 0 ? n - 1 : index));
        else
            zero_value(r, i);
    }
    return HR_OK;
}

static hr_status len(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a)
{
    int64_t i, k;

    if (!one_each(e, r))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++)
        ((int64_t *)r->own)[i] = hr_reg_row(a, i, &k);
    return HR_OK;
}

static hr_status densify(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a,
                         const struct hr_reg *v)
{
    int64_t i, j, n, k = 0;

    if (!one_each(e, r))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        n = hr_reg_row(a, i, &k);
        for (j = 0; j < r->size; j++)
            if (j < n)
                copy_value(r, i * r->size + j, a, k + j);
            else
                copy_value(r, i * r->size + j, v, 0);
    }
    return HR_OK;
}

static hr_status concat(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                        struct hr_reg *const *a)
{
    int32_t *offsets = r->shape == HR_S_LIST ? hr_reg_offsets(e, r, e->rows) : NULL;
    int64_t i, j, n, k = 0, total = 0, to = 0;
    int32_t m;

    for (m = 0; m < s->nargs; m++)
        total += a[m]->cst ? a[m]->n * e->rows : a[m]->n;
    if ((r->shape == HR_S_LIST && !offsets) || total > INT32_MAX ||
        !hr_reg_room(e, r, total, hr_elem_size(r->elem)))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        if (offsets)
            offsets[i] = (int32_t)to;
        for (m = 0; m < s->nargs; m++)
            for (n = hr_reg_row(a[m], i, &k), j = 0; j < n; j++)
                copy_value(r, to++, a[m], k + j);
    }
    if (offsets)
        offsets[e->rows] = (int32_t)to;
    r->n = to;
    return HR_OK;
}

static void reduce_ints(const struct hr_step *s, struct hr_reg *r, int64_t row, const int64_t *p,
                        int64_t n)
{
    int64_t i, v = 0;
    double sum = 0;

    for (i = 0; i < n; i++) {
        sum += (double)p[i];
        if (s->op == HR_OP_REDUCE_SUM)
            v = (int64_t)((uint64_t)v + (uint64_t)p[i]);
        else if (!i || (s->op == HR_OP_REDUCE_MAX ? p[i] > v : p[i] < v))
            v = p[i];
    }
    if (s->op == HR_OP_REDUCE_MEAN)
        ((float *)r->own)[row] = n ? (float)(sum / (double)n) : 0;
    else
        ((int64_t *)r->own)[row] = v;
}

static void reduce_floats(const struct hr_step *s, struct hr_reg *r, int64_t row, const float *p,
                          int64_t n)
{
    double sum = 0;
    float v = 0;
    int64_t i;

    for (i = 0; i < n; i++) {
        sum += (double)p[i];
        if (!i || p[i] != p[i] || (s->op == HR_OP_REDUCE_MAX ? p[i] > v : p[i] < v))
            v = p[i];
    }
    if (s->op == HR_OP_REDUCE_SUM)
        v = (float)sum;
    else if (s->op == HR_OP_REDUCE_MEAN)
        v = n ? (float)(sum / (double)n) : 0;
    ((float *)r->own)[row] = v;
}

static hr_status reduce(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                        const struct hr_reg *a)
{
    int64_t i, n, k = 0;

    if (!one_each(e, r))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++) {
        n = hr_reg_row(a, i, &k);
        if (r->shape == HR_S_OPTIONAL)
            r->own_valid[i] = s->op == HR_OP_REDUCE_SUM ? !a->valid || a->valid[i] : n > 0;
        if (a->elem == HR_E_INT)
            reduce_ints(s, r, i, (const int64_t *)a->v + k, n);
        else
            reduce_floats(s, r, i, (const float *)a->v + k, n);
        k = 0;
    }
    return HR_OK;
}

/* 1 at each id that a row has; ids outside 0 to depth - 1 leave no trace. */
static hr_status hot(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a)
{
    const int64_t *p = a->v;
    int64_t i, j, n, k = 0;
    float *o;

    if (!one_each(e, r))
        return hr_eval_memory(e);
    o = r->own;
    memset(o, 0, (size_t)r->n * sizeof *o);
    for (i = 0; i < e->rows; i++)
        for (n = hr_reg_row(a, i, &k), j = 0; j < n; j++)
            if (p[k + j] >= 0 && p[k + j] < r->size)
                o[i * r->size + p[k + j]] = 1;
    return HR_OK;
}

static hr_status broadcast(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a)
{
    int64_t i, j;

    if (!one_each(e, r))
        return hr_eval_memory(e);
    for (i = 0; i < e->rows; i++)
        for (j = 0; j < r->size; j++)
            copy_value(r, i * r->size + j, a, i);
    return HR_OK;
}

hr_status hr_kernel_row(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                        struct hr_reg *r, struct hr_reg *const *a)
{
    (void)x;
    switch (s->op) {
    case HR_OP_BROADCAST:
        return broadcast(e, r, a[0]);
    case HR_OP_IS_MISSING:
        return is_missing(e, r, a[0]);
    case HR_OP_FILL:
        return fill(e, r, a[0], a[1]);
    case HR_OP_LEN:
        return len(e, r, a[0]);
    case HR_OP_DENSIFY:
        return densify(e, r, a[0], a[1]);
    case HR_OP_CONCAT:
        return concat(e, s, r, a);
    case HR_OP_ONE_HOT:
    case HR_OP_MULTI_HOT:
        return hot(e, r, a[0]);
    case HR_OP_AT:
        return at(e, s, r, a[0]);
    default:
        return reduce(e, s, r, a[0]);
    }
}
