#include "transform/eval.h"

#include <stdio.h>
#include <string.h>

/* -- memory ---------------------------------------- */

struct hr_pool_block {
    struct hr_pool_block *next;
    size_t used, size, unused; /* four words: bytes are aligned */
    char bytes[];
};

enum { POOL_BLOCK = 64 * 1024 };

char *hr_pool_get(struct hr_eval *e, size_t n)
{
    struct hr_pool *p = &e->pool;
    struct hr_pool_block *b = p->now, *more;
    size_t size;

    n = (n + 15) & ~(size_t)15;
    size = n > POOL_BLOCK ? n : POOL_BLOCK;
    while (b && b->size - b->used < n && b->next)
        b = b->next;
    if (!b || b->size - b->used < n) {
        if (!(more = hr_mem_zero(e->env, sizeof *more + size)))
            return NULL;
        more->size = size;
        if (b)
            b->next = more;
        else
            p->first = more;
        b = more;
    }
    p->now = b;
    b->used += n;
    return b->bytes + b->used - n;
}

void hr_pool_reset(struct hr_pool *p)
{
    struct hr_pool_block *b;

    for (b = p->first; b; b = b->next)
        b->used = 0;
    p->now = p->first;
}

void hr_pool_clear(struct hr_env *env, struct hr_pool *p)
{
    struct hr_pool_block *b, *next;

    for (b = p->first; b; b = next) {
        next = b->next;
        hr_mem_put(env, b, sizeof *b + b->size);
    }
    p->first = p->now = NULL;
}

static bool room(struct hr_eval *e, void **p, size_t *cap, size_t need, size_t size)
{
    return hr_mem_reserve(e->env, p, cap, need ? need : 1, size, SIZE_MAX / 64);
}

void *hr_reg_room(struct hr_eval *e, struct hr_reg *r, int64_t n, size_t size)
{
    if (!room(e, &r->own, &r->own_cap, (size_t)n * size, 1))
        return NULL;
    r->v = r->own;
    return r->own;
}

uint8_t *hr_reg_valid(struct hr_eval *e, struct hr_reg *r, int64_t rows)
{
    if (!room(e, (void **)&r->own_valid, &r->valid_cap, (size_t)rows, 1))
        return NULL;
    r->valid = r->own_valid;
    return r->own_valid;
}

int32_t *hr_reg_offsets(struct hr_eval *e, struct hr_reg *r, int64_t rows)
{
    if (!room(e, (void **)&r->own_offsets, &r->offsets_cap, (size_t)rows + 1, sizeof(int32_t)))
        return NULL;
    r->offsets = r->own_offsets;
    return r->own_offsets;
}

void hr_reg_clear(struct hr_env *env, struct hr_reg *r)
{
    hr_mem_put(env, r->own, r->own_cap);
    hr_mem_put(env, r->memo, r->memo_cap);
    hr_mem_put(env, r->own_valid, r->valid_cap);
    hr_mem_put(env, r->own_offsets, r->offsets_cap * sizeof(int32_t));
    hr_mem_put(env, r->own_codes, r->codes_cap * sizeof(int32_t));
    *r = (struct hr_reg){ 0 };
}

const struct hr_slice *hr_reg_slices(struct hr_eval *e, struct hr_reg *r)
{
    struct hr_slice *v;
    int64_t i;

    if (r->v || !r->codes)
        return r->v;
    if (!(v = hr_reg_room(e, r, r->n, sizeof *v)))
        return NULL;
    for (i = 0; i < r->n; i++)
        v[i] = r->dict[r->codes[i]];
    return v;
}

hr_status hr_eval_memory(struct hr_eval *e)
{
    e->error->code = HR_EXHAUSTED;
    e->error->row = -1;
    snprintf(e->error->text, sizeof e->error->text, "there is not enough memory");
    return HR_EXHAUSTED;
}

static int64_t row_of(const struct hr_eval *e, const struct hr_reg *r, int64_t i)
{
    int64_t row = 0;

    if (!r || r->cst)
        return -1;
    if (r->shape != HR_S_LIST)
        return e->row + i / (r->size ? r->size : 1);
    while (row < e->rows && r->offsets[row + 1] <= i)
        row++;
    return e->row + row;
}

hr_status hr_eval_fail(struct hr_eval *e, const struct hr_reg *r, int64_t i, const char *format,
                       ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->error->text, sizeof e->error->text, format, args);
    va_end(args);
    e->error->code = HR_INVALID;
    e->error->row = row_of(e, r, i);
    return HR_INVALID;
}

/* -- value by value ---------------------------------------- */

/* Missing where one of the arguments is. */
static hr_status join_valid(struct hr_eval *e, struct hr_reg *r, const struct hr_step *s,
                            struct hr_reg *const *a)
{
    const uint8_t *one = NULL;
    uint8_t *valid;
    int32_t i;
    int64_t k;

    r->valid = NULL;
    for (i = 0; i < s->nargs; i++) {
        if (!a[i]->valid || a[i]->valid == one)
            continue;
        if (!one) {
            r->valid = one = a[i]->valid;
            continue;
        }
        if (r->valid != r->own_valid || !r->own_valid) {
            const uint8_t *before = r->valid;

            if (!(valid = hr_reg_valid(e, r, e->rows)))
                return hr_eval_memory(e);
            memcpy(valid, before, (size_t)e->rows);
        }
        for (valid = r->own_valid, k = 0; k < e->rows; k++)
            valid[k] &= a[i]->valid[k];
    }
    return HR_OK;
}

/* The shape of the result, and room for its values. */
static hr_status frame(struct hr_eval *e, struct hr_reg *r, const struct hr_step *s,
                       struct hr_reg *const *a)
{
    int32_t i;

    r->n = r->size;
    for (i = 0; i < s->nargs && !r->cst; i++)
        if (!a[i]->cst) {
            r->n = a[i]->n;
            r->offsets = a[i]->offsets;
        }
    if (join_valid(e, r, s, a) < 0 || !hr_reg_room(e, r, r->n, hr_elem_size(r->elem)))
        return hr_eval_memory(e);
    return HR_OK;
}

static hr_status kernel(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                        struct hr_reg *r, struct hr_reg *const *a)
{
    if (s->op >= HR_OP_Z_SCORE && s->op <= HR_OP_IN)
        return hr_kernel_ids(e, s, x, r, a);
    if (s->op >= HR_OP_LOWER && s->op <= HR_OP_JOIN)
        return hr_kernel_text(e, s, x, r, a);
    if (hr_op_class(s->op) == HR_C_ROW)
        return hr_kernel_row(e, s, x, r, a);
    return hr_kernel_number(e, s, r, a);
}

/* -- once for each entry of a dictionary ---------------------------------------- */

static bool by_entry(const struct hr_step *s)
{
    switch (s->op) {
    case HR_OP_APPLY_VOCABULARY:
    case HR_OP_HASH:
    case HR_OP_LOOKUP:
    case HR_OP_IN:
    case HR_OP_LOWER:
    case HR_OP_UPPER:
    case HR_OP_STRIP:
    case HR_OP_LENGTH:
    case HR_OP_SUBSTR:
    case HR_OP_REPLACE:
    case HR_OP_MATCH:
        return true;
    default:
        return false;
    }
}

/* Of the entries that are new since the last block. */
static hr_status make_memo(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                           struct hr_reg *r, struct hr_reg *const *a)
{
    struct hr_reg entries = { .elem = HR_E_BYTES, .shape = HR_S_DENSE, .size = 1 };
    struct hr_reg out = { .elem = r->elem, .shape = HR_S_DENSE, .size = 1 };
    struct hr_reg *args[2] = { &entries, s->nargs > 1 ? a[1] : NULL };
    size_t size = hr_elem_size(r->elem), done = (size_t)r->memo_n * size;
    hr_status status;

    if (!room(e, &r->memo, &r->memo_cap, (size_t)a[0]->ndict * size, 1))
        return hr_eval_memory(e);
    entries.v = a[0]->dict + r->memo_n;
    entries.n = out.n = a[0]->ndict - r->memo_n;
    out.own = (char *)r->memo + done;
    out.own_cap = r->memo_cap - done;
    out.v = out.own;
    status = kernel(e, s, x, &out, args);
    if (status < 0)
        e->error->row = -1;
    else
        r->memo_n = a[0]->ndict;
    return status;
}

static hr_status gather(struct hr_eval *e, struct hr_reg *r, const struct hr_reg *a)
{
    int64_t i, n = r->n = a->n;

    r->valid = a->valid;
    r->offsets = a->offsets;
    if (r->elem == HR_E_BYTES) {
        r->codes = a->codes;
        r->dict = r->memo;
        r->ndict = a->ndict;
        r->v = NULL;
        return HR_OK;
    }
    if (!hr_reg_room(e, r, n, hr_elem_size(r->elem)))
        return hr_eval_memory(e);
    switch (r->elem) {
    case HR_E_INT:
        for (i = 0; i < n; i++)
            ((int64_t *)r->own)[i] = ((const int64_t *)r->memo)[a->codes[i]];
        break;
    case HR_E_FLOAT:
        for (i = 0; i < n; i++)
            ((float *)r->own)[i] = ((const float *)r->memo)[a->codes[i]];
        break;
    default:
        for (i = 0; i < n; i++)
            ((uint8_t *)r->own)[i] = ((const uint8_t *)r->memo)[a->codes[i]];
        break;
    }
    return HR_OK;
}

/* -- steps ---------------------------------------- */

static hr_status leaf(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r)
{
    int64_t i;

    r->n = r->size;
    if (s->op == HR_OP_INPUT)
        return hr_kernel_input(e, s, r);
    if (s->op == HR_OP_VOCABULARY)
        return HR_OK;
    if (r->elem == HR_E_BYTES) {
        r->v = s->texts;
    } else if (r->elem == HR_E_FLOAT) {
        r->v = s->floats;
    } else if (r->elem == HR_E_INT) {
        r->v = s->ints + 2 + s->ints[1];
    } else {
        uint8_t *v = hr_reg_room(e, r, r->n, 1);

        if (!v)
            return hr_eval_memory(e);
        for (i = 0; i < r->n; i++)
            v[i] = s->ints[2 + s->ints[1] + i] != 0;
    }
    return HR_OK;
}

static void alias(struct hr_reg *r, const struct hr_reg *a)
{
    r->n = a->n;
    r->v = a->v;
    r->valid = a->valid;
    r->offsets = a->offsets;
    r->codes = a->codes;
    r->dict = a->dict;
    r->ndict = a->ndict;
}

static hr_status run(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                     struct hr_reg *r, struct hr_reg *const *a)
{
    hr_status status;

    if (s->op == HR_OP_ANNOTATE) {
        alias(r, a[0]);
        return HR_OK;
    }
    if (by_entry(s) && a[0]->codes && a[0]->ndict <= e->batch_rows + 1) {
        if (r->memo_n < a[0]->ndict && (status = make_memo(e, s, x, r, a)) < 0)
            return status;
        return gather(e, r, a[0]);
    }
    if (hr_op_class(s->op) != HR_C_ROW && (status = frame(e, r, s, a)) < 0)
        return status;
    return kernel(e, s, x, r, a);
}

hr_status hr_eval_step(struct hr_eval *e, int32_t step)
{
    const struct hr_step *s = &e->ir->steps[step];
    struct hr_reg *few[8], **a = few, *r = &e->regs[step];
    int32_t i;

    r->elem = s->type.elem;
    r->shape = s->type.shape;
    r->cst = s->type.shape == HR_S_CONST;
    r->size = hr_ty_size(&s->type);
    r->v = NULL;
    r->valid = NULL;
    r->offsets = NULL;
    r->codes = NULL;
    if (s->nargs > 8 &&
        !(a = (struct hr_reg **)(void *)hr_pool_get(e, (size_t)s->nargs * sizeof *a)))
        return hr_eval_memory(e);
    if (hr_op_class(s->op) == HR_C_LEAF)
        return leaf(e, s, r);
    for (i = 0; i < s->nargs; i++) {
        a[i] = &e->regs[s->args[i]];
        if (a[i]->elem == HR_E_BYTES && s->op != HR_OP_ANNOTATE && s->op != HR_OP_FILL &&
            !(i == 0 && by_entry(s) && a[i]->ndict <= e->batch_rows + 1) &&
            !hr_reg_slices(e, a[i]) && a[i]->n)
            return hr_eval_memory(e);
    }
    return run(e, s, &e->extras[step], r, a);
}
