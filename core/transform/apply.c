/* A plan over rows of a schema: which steps are needed, one set of registers for each thread
 * that is at work, batches in and out.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "transform/eval.h"
#include "transform/plan.h"

/* What threads share; the lock is held for the time of taking one off the list. */
struct pool {
    atomic_flag lock;
    struct hr_eval *free;
};

struct hr_apply {
    struct hr_env *env;
    const struct hr_plan *plan;
    struct ArrowSchema schema;
    struct hr_extra *extras;
    int64_t *columns; /* of each input in the schema; -1: it lacks */
    int32_t *outputs;
    size_t noutputs;
    int32_t *needs; /* inputs that are read */
    size_t nneeds;
    int32_t *steps; /* that are needed, constants first */
    size_t nsteps, nconst;
    struct pool *pool;
};

/* -- one thread's registers ---------------------------------------- */

static void eval_free(const struct hr_apply *a, struct hr_eval *e)
{
    size_t i;

    if (!e)
        return;
    for (i = 0; e->regs && i < a->plan->ir.nsteps; i++)
        hr_reg_clear(a->env, &e->regs[i]);
    for (i = 0; e->dicts && e->dict_caps && i < a->plan->ir.ninputs; i++)
        hr_mem_put(a->env, e->dicts[i], e->dict_caps[i] * sizeof *e->dicts[i]);
    hr_pool_clear(a->env, &e->pool);
    hr_pool_clear(a->env, &e->constants);
    if (e->match)
        hr_regex_match_free(e->match);
    hr_mem_put(a->env, e->regs, (a->plan->ir.nsteps + 1) * sizeof *e->regs);
    hr_mem_put(a->env, e->cols, (a->plan->ir.ninputs + 1) * sizeof *e->cols);
    hr_mem_put(a->env, e->dicts, (a->plan->ir.ninputs + 1) * sizeof *e->dicts);
    hr_mem_put(a->env, e->dict_caps, (a->plan->ir.ninputs + 1) * sizeof *e->dict_caps);
    hr_mem_put(a->env, e->dict_done, (a->plan->ir.ninputs + 1) * sizeof *e->dict_done);
    hr_mem_put(a->env, e, sizeof *e);
}

/* Registers, with the constants computed. */
static struct hr_eval *eval_new(const struct hr_apply *a, struct hr_apply_error *error)
{
    struct hr_eval *e = hr_mem_zero(a->env, sizeof *e);
    size_t n = a->plan->ir.nsteps + 1, m = a->plan->ir.ninputs + 1, i;

    if (!e)
        return NULL;
    e->env = a->env;
    e->ir = &a->plan->ir;
    e->extras = a->extras;
    e->error = error;
    e->rows = e->batch_rows = 1;
    e->regs = hr_mem_zero(a->env, n * sizeof *e->regs);
    e->cols = hr_mem_zero(a->env, m * sizeof *e->cols);
    e->dicts = hr_mem_zero(a->env, m * sizeof *e->dicts);
    e->dict_caps = hr_mem_zero(a->env, m * sizeof *e->dict_caps);
    e->dict_done = hr_mem_zero(a->env, m * sizeof *e->dict_done);
    if (!e->regs || !e->cols || !e->dicts || !e->dict_caps || !e->dict_done)
        goto fail;
    for (i = 0; i < a->nconst; i++)
        if (hr_eval_step(e, a->steps[i]) < 0)
            goto fail;
    e->constants = e->pool;
    e->pool = (struct hr_pool){ NULL, NULL };
    return e;
fail:
    eval_free(a, e);
    return NULL;
}

static void lock(struct pool *p)
{
    while (atomic_flag_test_and_set_explicit(&p->lock, memory_order_acquire))
        ;
}

static struct hr_eval *eval_take(const struct hr_apply *a, struct hr_apply_error *error)
{
    struct hr_eval *e;

    lock(a->pool);
    if ((e = a->pool->free))
        a->pool->free = e->next;
    atomic_flag_clear_explicit(&a->pool->lock, memory_order_release);
    if (!e && !(e = eval_new(a, error)) && error->code == HR_OK) {
        error->code = HR_EXHAUSTED;
        snprintf(error->text, sizeof error->text, "there is not enough memory");
    }
    if (e)
        e->error = error;
    return e;
}

static void eval_give(const struct hr_apply *a, struct hr_eval *e)
{
    lock(a->pool);
    e->next = a->pool->free;
    a->pool->free = e;
    atomic_flag_clear_explicit(&a->pool->lock, memory_order_release);
}

/* -- made ---------------------------------------- */

static hr_status find_columns(struct hr_apply *a)
{
    const struct hr_ir *ir = &a->plan->ir;
    size_t i;

    for (i = 0; i < ir->ninputs; i++) {
        const struct hr_feature *f = &ir->inputs[i];
        const struct ArrowSchema *s;
        int32_t kind;

        a->columns[i] = hr_col_find(&a->schema, f->name);
        if (a->columns[i] < 0)
            continue;
        s = a->schema.children[a->columns[i]];
        if (s->format[0] == '+' && s->n_children == 1)
            s = s->children[0];
        kind = hr_col_kind(s->dictionary ? s->dictionary->format : s->format);
        if (kind != HR_COL_NULL && kind != f->type &&
            !(kind == HR_COL_INT && f->type == HR_FEATURE_FLOAT))
            return hr_fail(a->env, HR_INVALID,
                           "the column \"%s\" has the Arrow type \"%s\", and the plan wants %s; "
                           "give it data of the schema that it was made for",
                           f->name, s->dictionary ? s->dictionary->format : s->format,
                           hr_elem_name(f->type));
    }
    return HR_OK;
}

/* The first input that a step needs and the schema lacks, or -1; for all steps. */
static void find_lacks(const struct hr_apply *a, int64_t *lacks)
{
    const struct hr_ir *ir = &a->plan->ir;
    size_t i;
    int32_t k;

    for (i = 0; i < ir->nsteps; i++) {
        const struct hr_step *s = &ir->steps[i];

        lacks[i] = s->op == HR_OP_INPUT && a->columns[s->ints[0]] < 0 ? s->ints[0] : -1;
        for (k = 0; k < s->nargs && lacks[i] < 0; k++)
            lacks[i] = lacks[s->args[k]];
    }
}

static hr_status find_outputs(struct hr_apply *a, int flags)
{
    int64_t *lacks = hr_mem_zero(a->env, (a->plan->ir.nsteps + 1) * sizeof *lacks);
    hr_status r = HR_OK;
    size_t i;

    if (!lacks)
        return HR_EXHAUSTED;
    find_lacks(a, lacks);
    for (i = 0; i < a->plan->noutputs && r == HR_OK; i++) {
        int64_t input = lacks[a->plan->steps[i]];

        if (input < 0)
            a->outputs[a->noutputs++] = (int32_t)i;
        else if (!(flags & HR_APPLY_DROP_UNUSED))
            r = hr_fail(a->env, HR_INVALID, "the rows have no column \"%s\", which \"%s\" needs",
                        a->plan->ir.inputs[input].name, a->plan->outputs[i].name);
    }
    hr_mem_put(a->env, lacks, (a->plan->ir.nsteps + 1) * sizeof *lacks);
    return r;
}

/* Inputs whose steps are needed. */
static void find_needs(struct hr_apply *a, const uint8_t *need)
{
    const struct hr_ir *ir = &a->plan->ir;
    size_t i, step;

    a->nneeds = 0;
    for (i = 0; i < ir->ninputs; i++) {
        for (step = 0; step < ir->nsteps; step++)
            if (need[step] && ir->steps[step].op == HR_OP_INPUT &&
                (size_t)ir->steps[step].ints[0] == i)
                break;
        if (step < ir->nsteps)
            a->needs[a->nneeds++] = (int32_t)i;
    }
}

static hr_status find_steps(struct hr_apply *a)
{
    const struct hr_ir *ir = &a->plan->ir;
    uint8_t *need = hr_mem_zero(a->env, ir->nsteps + 1);
    size_t i, pass;
    int32_t k;

    if (!need)
        return HR_EXHAUSTED;
    for (i = 0; i < a->noutputs; i++)
        need[a->plan->steps[a->outputs[i]]] = 1;
    for (i = ir->nsteps; i-- > 0;)
        for (k = 0; k < ir->steps[i].nargs && need[i]; k++)
            need[ir->steps[i].args[k]] = 1;
    a->nsteps = a->nconst = 0;
    find_needs(a, need);
    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < ir->nsteps; i++)
            if (need[i] && (ir->steps[i].type.shape != HR_S_CONST) == (pass == 1))
                a->steps[a->nsteps++] = (int32_t)i;
        if (!pass)
            a->nconst = a->nsteps;
    }
    hr_mem_put(a->env, need, ir->nsteps + 1);
    return HR_OK;
}

/* The keys of a step as tokens of a table. */
static hr_status make_table(struct hr_apply *a, const struct hr_step *s, struct hr_extra *x,
                            struct hr_ir *tables)
{
    size_t n = (size_t)s->ints[2], i;
    struct hr_slice *keys = hr_arena_array(&tables->arena, n + 1, sizeof *keys);
    int32_t index;

    (void)a;
    if (!keys)
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++)
        keys[i] = s->ints[0] == HR_E_BYTES
                      ? s->texts[i]
                      : hr_slice((const char *)(s->ints + 3 + i), sizeof(int64_t));
    if ((index = hr_ir_vocab(tables, "", false, keys, n)) < 0)
        return HR_EXHAUSTED;
    x->table = tables->vocabs[index];
    return HR_OK;
}

/* Tables live in an ir of their own, which is this plan's for the arena alone. */
struct apply_memory {
    struct hr_apply apply;
    struct hr_ir tables;
};

static hr_status make_extras(struct apply_memory *m)
{
    struct hr_apply *a = &m->apply;
    const struct hr_ir *ir = &a->plan->ir;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < ir->nsteps && r == HR_OK; i++) {
        const struct hr_step *s = &ir->steps[i];

        if (s->op == HR_OP_LOOKUP || s->op == HR_OP_IN)
            r = make_table(a, s, &a->extras[i], &m->tables);
        else if (s->op == HR_OP_REPLACE || s->op == HR_OP_MATCH || s->op == HR_OP_EXTRACT)
            r = hr_regex_new(a->env, s->texts[0], &a->extras[i].regex);
    }
    return r;
}

/* Room for what belongs to the plan's steps, inputs and outputs. */
static bool make_room(struct hr_apply *a)
{
    const struct hr_ir *ir = &a->plan->ir;

    a->extras = hr_mem_zero(a->env, (ir->nsteps + 1) * sizeof *a->extras);
    a->columns = hr_mem_zero(a->env, (ir->ninputs + 1) * sizeof *a->columns);
    a->outputs = hr_mem_zero(a->env, (a->plan->noutputs + 1) * sizeof *a->outputs);
    a->steps = hr_mem_zero(a->env, (ir->nsteps + 1) * sizeof *a->steps);
    a->needs = hr_mem_zero(a->env, (ir->ninputs + 1) * sizeof *a->needs);
    a->pool = hr_mem_zero(a->env, sizeof *a->pool);
    return a->extras && a->columns && a->outputs && a->steps && a->needs && a->pool;
}

hr_status hr_apply_new(struct hr_env *env, const struct hr_plan *plan,
                       const struct ArrowSchema *schema, int flags, struct hr_apply **ret)
{
    struct apply_memory *m = hr_mem_zero(env, sizeof *m);
    struct hr_apply *a = m ? &m->apply : NULL;
    struct hr_apply_error error = { 0 };
    struct hr_eval *e;
    hr_status r = HR_EXHAUSTED;

    if (!m)
        return r;
    a->env = env;
    a->plan = plan;
    hr_ir_init(&m->tables, env);
    if (!make_room(a))
        goto fail;
    atomic_flag_clear(&a->pool->lock);
    if ((r = schema ? hr_schema_copy(schema, &a->schema) : hr_plan_schema(plan, &a->schema)) < 0 ||
        (r = find_columns(a)) < 0 || (r = find_outputs(a, flags)) < 0 || (r = find_steps(a)) < 0 ||
        (r = make_extras(m)) < 0)
        goto fail;
    if (!(e = eval_take(a, &error))) { /* the first thread's, so that constants are tried */
        r = hr_fail(env, error.code, "%s", error.text);
        goto fail;
    }
    eval_give(a, e);
    *ret = a;
    return HR_OK;
fail:
    hr_apply_free(a);
    return r;
}

void hr_apply_free(struct hr_apply *a)
{
    struct apply_memory *m = (struct apply_memory *)a;
    struct hr_env *env = a ? a->env : NULL;
    struct hr_eval *e;
    size_t i;

    if (!a)
        return;
    while (a->pool && (e = a->pool->free)) {
        a->pool->free = e->next;
        eval_free(a, e);
    }
    for (i = 0; a->extras && i < a->plan->ir.nsteps; i++)
        hr_regex_free(env, a->extras[i].regex);
    if (a->schema.release)
        a->schema.release(&a->schema);
    hr_ir_clear(&m->tables);
    hr_mem_put(env, a->extras, (a->plan->ir.nsteps + 1) * sizeof *a->extras);
    hr_mem_put(env, a->columns, (a->plan->ir.ninputs + 1) * sizeof *a->columns);
    hr_mem_put(env, a->outputs, (a->plan->noutputs + 1) * sizeof *a->outputs);
    hr_mem_put(env, a->steps, (a->plan->ir.nsteps + 1) * sizeof *a->steps);
    hr_mem_put(env, a->needs, (a->plan->ir.ninputs + 1) * sizeof *a->needs);
    hr_mem_put(env, a->pool, sizeof *a->pool);
    hr_mem_put(env, m, sizeof *m);
}

size_t hr_apply_needs(const struct hr_apply *a, const int32_t **ret)
{
    *ret = a->needs;
    return a->nneeds;
}

size_t hr_apply_outputs(const struct hr_apply *a, const int32_t **ret)
{
    *ret = a->outputs;
    return a->noutputs;
}

hr_status hr_apply_only(struct hr_apply *a, const int32_t *outputs, size_t n)
{
    size_t i, k, to = 0;
    struct hr_eval *e;

    for (i = 0; i < a->noutputs; i++)
        for (k = 0; k < n; k++)
            if (outputs[k] == a->outputs[i]) {
                a->outputs[to++] = a->outputs[i];
                break;
            }
    a->noutputs = to;
    while ((e = a->pool->free)) { /* their constants are of other steps */
        a->pool->free = e->next;
        eval_free(a, e);
    }
    return find_steps(a);
}

/* -- schemas ---------------------------------------- */

static hr_status feature_schema(const struct hr_feature *f, struct ArrowSchema *ret)
{
    static const char *const formats[] = { "", "l", "f", "z" };
    int64_t n = 1;
    int i;

    for (i = 0; i < f->rank; i++)
        n *= f->dims[i];
    return hr_schema_column(ret, f->name, formats[f->type], f->shape == HR_FEATURE_LIST || n > 1);
}

static hr_status features_schema(const struct hr_feature *list, const int32_t *pick, size_t n,
                                 struct ArrowSchema *ret)
{
    hr_status r = hr_schema_new("+s", "", (int64_t)n, ret);
    size_t i;

    for (i = 0; i < n && r == HR_OK; i++)
        if ((r = feature_schema(&list[pick ? (size_t)pick[i] : i], ret->children[i])) < 0)
            hr_schema_release(ret);
    return r;
}

hr_status hr_plan_schema(const struct hr_plan *plan, struct ArrowSchema *ret)
{
    return features_schema(plan->ir.inputs, NULL, plan->ir.ninputs, ret);
}

hr_status hr_apply_schema(const struct hr_apply *a, struct ArrowSchema *ret)
{
    return features_schema(a->plan->outputs, a->outputs, a->noutputs, ret);
}

/* -- results ---------------------------------------- */

/* Rows of a fixed number of numbers: straight into the builder's memory. */
static void put_flat(struct hr_builder *b, const struct hr_reg *r, int64_t rows, int64_t total)
{
    size_t size = hr_elem_size(r->elem), row = size * (size_t)r->size;
    void *p = b->data;
    int64_t i;

    if (!p && (p = malloc((size_t)total * row + 1))) /* all of it at once, and not zeroed */
        b->data_cap = (size_t)total * row;
    if (!p || !hr_builder_grow(b, &p, &b->data_cap, (size_t)total * row)) {
        b->failed = 1;
        b->data = p;
        return;
    }
    b->data = p;
    p = (char *)b->data + (size_t)b->values * size;
    if (!r->cst)
        memcpy(p, r->v, (size_t)rows * row);
    for (i = 0; i < rows && r->cst; i++)
        memcpy((char *)p + (size_t)i * row, r->v, row);
    b->values += rows * r->size;
    if (!b->list) {
        b->rows += rows;
        return;
    }
    if (b->values > INT32_MAX)
        b->failed = 1;
    for (i = 0; i < rows && !b->failed; i++) {
        b->values -= (rows - i - 1) * r->size;
        hr_builder_end(b);
        b->values += (rows - i - 1) * r->size;
    }
}

static void put_values(struct hr_builder *b, struct hr_reg *r, int64_t rows)
{
    int64_t i, j, n, k = 0;

    for (i = 0; i < rows; i++) {
        if (r->valid && !r->valid[i]) {
            hr_builder_null(b);
            continue;
        }
        n = hr_reg_row(r, i, &k);
        for (j = k; j < k + n; j++) {
            if (r->elem == HR_E_INT) {
                hr_builder_int(b, ((const int64_t *)r->v)[j]);
            } else if (r->elem == HR_E_FLOAT) {
                hr_builder_double(b, (double)((const float *)r->v)[j]);
            } else {
                const struct hr_slice *s =
                    r->codes ? &r->dict[r->codes[j]] : (const struct hr_slice *)r->v + j;

                hr_builder_bytes(b, s->text, s->len);
            }
        }
        if (b->list)
            hr_builder_end(b);
    }
}

static void collect(const struct hr_apply *a, struct hr_eval *e, struct hr_builder *builders)
{
    size_t i;

    for (i = 0; i < a->noutputs; i++) {
        struct hr_reg *r = &e->regs[a->plan->steps[a->outputs[i]]];

        if (r->elem != HR_E_BYTES &&
            (r->shape == HR_S_DENSE || r->shape == HR_S_CONST ||
             (r->shape == HR_S_OPTIONAL && !r->valid && !builders[i].nulls)))
            put_flat(&builders[i], r, e->rows, e->batch_rows);
        else
            put_values(&builders[i], r, e->rows);
    }
}

static void begin_batch(const struct hr_apply *a, struct hr_eval *e, const struct ArrowArray *rows)
{
    const struct hr_ir *ir = e->ir;
    size_t i;

    hr_pool_reset(&e->pool);
    e->batch_rows = rows->length;
    for (i = 0; i < a->nsteps; i++)
        e->regs[a->steps[i]].memo_n = 0;
    for (i = 0; i < ir->ninputs; i++) {
        e->dict_done[i] = false;
        if (a->columns[i] >= 0)
            hr_col_open(&a->schema, rows, a->columns[i], &e->cols[i]);
    }
}

static hr_status run_blocks(const struct hr_apply *a, struct hr_eval *e,
                            struct hr_builder *builders)
{
    hr_status r;
    size_t i;

    for (e->row = 0; e->row < e->batch_rows; e->row += HR_BLOCK) {
        e->rows = e->batch_rows - e->row < HR_BLOCK ? e->batch_rows - e->row : HR_BLOCK;
        for (i = a->nconst; i < a->nsteps; i++)
            if ((r = hr_eval_step(e, a->steps[i])) < 0)
                return r;
        collect(a, e, builders);
    }
    return HR_OK;
}

static hr_status make_batch(const struct hr_apply *a, struct hr_builder *builders, int64_t rows,
                            struct ArrowArray *ret)
{
    struct ArrowArray *columns = hr_mem_zero(a->env, (a->noutputs + 1) * sizeof *columns);
    hr_status r = columns ? HR_OK : HR_EXHAUSTED;
    size_t i, n = 0;

    for (i = 0; i < a->noutputs && r == HR_OK; i++)
        if ((r = hr_builder_done(&builders[i], &columns[i])) == HR_OK)
            n++;
    if (r == HR_OK)
        r = hr_rows_make(columns, (int64_t)n, rows, ret);
    else
        for (i = 0; i < n; i++)
            columns[i].release(&columns[i]);
    hr_mem_put(a->env, columns, (a->noutputs + 1) * sizeof *columns);
    return r;
}

hr_status hr_apply_batch(const struct hr_apply *a, const struct ArrowArray *rows,
                         struct ArrowArray *ret, struct hr_apply_error *error)
{
    static const char *const formats[] = { "", "l", "f", "z" };
    struct hr_builder *builders;
    struct hr_eval *e;
    hr_status r;
    size_t i;

    *error = (struct hr_apply_error){ .row = -1 };
    if (!(e = eval_take(a, error)))
        return error->code;
    begin_batch(a, e, rows);
    builders = hr_mem_zero(a->env, (a->noutputs + 1) * sizeof *builders);
    if (!builders) {
        r = hr_eval_memory(e);
        eval_give(a, e);
        return r;
    }
    for (i = 0; i < a->noutputs; i++) {
        const struct hr_feature *f = &a->plan->outputs[a->outputs[i]];
        const struct hr_ty *t = &a->plan->ir.steps[a->plan->steps[a->outputs[i]]].type;

        hr_builder_init(&builders[i], formats[f->type],
                        f->shape == HR_FEATURE_LIST || hr_ty_size(t) > 1);
    }
    r = run_blocks(a, e, builders);
    if (r == HR_OK && (r = make_batch(a, builders, rows->length, ret)) < 0)
        r = hr_eval_memory(e);
    for (i = 0; i < a->noutputs; i++)
        hr_builder_drop(&builders[i]);
    hr_mem_put(a->env, builders, (a->noutputs + 1) * sizeof *builders);
    eval_give(a, e);
    return r;
}
