/* The tests in a features file: a row by hand, and what must come of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "headrace/rows.h"
#include "transform/compile.h"
#include "transform/plan.h"

struct check {
    struct hr_program *p;
    const struct hr_statement *test;
    struct hr_plan *plan;
    struct hr_apply *apply;
    int32_t *known; /* the program's, and what the test says that analyzers found */
};

static hr_status fail_cell(struct check *c, const struct hr_cell *cell, const char *what)
{
    return hr_features_fail(c->p->features, cell->line, cell->column, NULL,
                            "test \"%.*s\": %.*s %s", (int)c->test->name.len, c->test->name.text,
                            (int)cell->name.len, cell->name.text, what);
}

static const struct hr_cell *cell_of(const struct hr_row *row, const char *name)
{
    size_t i;

    for (i = 0; i < row->n; i++)
        if (hr_slice_eq(row->cells[i].name, name))
            return &row->cells[i];
    return NULL;
}

/* -- constants of analyzers ---------------------------------------- */

/* The analyzer that a constant is of; -1: told. */
static int32_t analyzer_of(struct hr_program *p, const struct hr_cell *cell)
{
    struct hr_where where = { 0 };
    int32_t step = hr_compile(p, &where, cell->key);
    const struct hr_ty *t = step < 0 ? NULL : hr_compile_type(p, step);

    if (step < 0)
        return -1;
    if (hr_op_class(p->ir.steps[step].op) != HR_C_ANALYZER || t->rank ||
        (t->elem != HR_E_INT && t->elem != HR_E_FLOAT))
        return hr_compile_fail(p, cell->key, NULL,
                               "a test gives a number that an analyzer finds, as mean(fare) or "
                               "max(fare); this is none");
    if (cell->value->kind != HR_A_INT &&
        (cell->value->kind != HR_A_FLOAT || t->elem != HR_E_FLOAT))
        return hr_compile_fail(p, cell->value, NULL, "this analyzer finds %s",
                               t->elem == HR_E_INT ? "an integer" : "a number");
    return step;
}

void hr_check_constants(struct hr_program *p)
{
    const struct hr_statement *s;
    size_t i;

    for (s = p->features->first; s; s = s->next)
        for (i = 0; s->kind == HR_ST_TEST && i < s->found.n; i++)
            if (analyzer_of(p, &s->found.cells[i]) < 0)
                p->failed = true;
}

/* known[] of this test. */
static hr_status find_constants(struct check *c)
{
    const struct hr_row *found = &c->test->found;
    struct hr_program *p = c->p;
    int32_t *steps = hr_arena_array(&p->arena, found->n + 1, sizeof *steps);
    int32_t *values = hr_arena_array(&p->arena, found->n + 1, sizeof *values);
    size_t i;

    if (!steps || !values)
        return HR_EXHAUSTED;
    for (i = 0; i < found->n; i++) {
        const struct hr_ast *v = found->cells[i].value;

        if ((steps[i] = analyzer_of(p, &found->cells[i])) < 0)
            return HR_EXHAUSTED; /* what is wrong was told when it was checked */
        if (hr_compile_type(p, steps[i])->elem == HR_E_INT)
            values[i] = hr_ir_int(&p->ir, v->i);
        else
            values[i] = hr_ir_float(&p->ir, v->kind == HR_A_INT ? (float)v->i : v->f);
        if (values[i] < 0)
            return HR_EXHAUSTED;
    }
    c->known = hr_arena_array(&p->arena, p->ir.nsteps + 1, sizeof *c->known);
    if (!c->known)
        return HR_EXHAUSTED;
    for (i = 0; i < p->ir.nsteps; i++)
        c->known[i] = i < p->nknown ? p->known[i] : -1;
    for (i = 0; i < found->n; i++)
        c->known[steps[i]] = values[i];
    return HR_OK;
}

/* -- one test ---------------------------------------- */

/* The steps of the outputs that are expected; HR_INVALID: one needs data. */
static hr_status make_plan(struct check *c)
{
    const struct hr_row *row = &c->test->expect;
    struct hr_program *p = c->p;
    struct hr_wanted *wanted = hr_arena_array(&p->arena, p->noutputs + 1, sizeof *wanted);
    uint8_t *data = hr_arena_array(&p->arena, p->ir.nsteps + 1, 1);
    size_t i, n = 0;
    int32_t k;

    if (!wanted || !data)
        return HR_EXHAUSTED;
    for (i = 0; i < p->ir.nsteps; i++) {
        bool known = c->known[i] >= 0;

        data[i] = !known && hr_op_class(p->ir.steps[i].op) == HR_C_ANALYZER;
        for (k = 0; k < p->ir.steps[i].nargs && !known; k++)
            data[i] |= data[p->ir.steps[i].args[k]];
    }
    for (i = 0; i < p->noutputs; i++) {
        const struct hr_cell *cell = cell_of(row, p->outputs[i].name);

        if (cell && data[p->outputs[i].step])
            return fail_cell(c, cell,
                             "needs what an analyzer finds in data; give that to the test, as "
                             "in expect {y: 1.0} {mean(x): 2.0}");
        if (cell)
            wanted[n++] = (struct hr_wanted){ p->outputs[i].name, p->outputs[i].step };
    }
    for (i = 0; i < row->n; i++) {
        for (k = 0; k < (int32_t)p->noutputs; k++)
            if (hr_slice_eq(row->cells[i].name, p->outputs[k].name))
                break;
        if (k == (int32_t)p->noutputs)
            return fail_cell(c, &row->cells[i], "is no output");
    }
    return hr_plan_new(p->env, &p->ir, c->known, wanted, n, &c->plan);
}

static bool put_one(struct hr_builder *b, const struct hr_feature *f, const struct hr_ast *v)
{
    if (f->type == HR_FEATURE_INT && v->kind == HR_A_INT)
        hr_builder_int(b, v->i);
    else if (f->type == HR_FEATURE_FLOAT && (v->kind == HR_A_INT || v->kind == HR_A_FLOAT))
        hr_builder_double(b, v->kind == HR_A_INT ? (double)v->i : (double)v->f);
    else if (f->type == HR_FEATURE_BYTES && v->kind == HR_A_TEXT)
        hr_builder_bytes(b, v->text.text, v->text.len);
    else
        return false;
    return true;
}

static hr_status put_cell(struct check *c, const struct hr_cell *cell, const struct hr_feature *f,
                          bool list, struct hr_builder *b)
{
    const struct hr_ast *v = cell ? cell->value : NULL;
    bool ok = true;
    size_t i;

    if (!cell) {
        hr_builder_null(b);
        return HR_OK;
    }
    if (!list)
        ok = put_one(b, f, v);
    for (i = 0; list && v->kind == HR_A_LIST && i < v->n; i++)
        ok = put_one(b, f, v->kids[i]) && ok;
    if (list && v->kind != HR_A_LIST)
        ok = put_one(b, f, v);
    if (list)
        hr_builder_end(b);
    return ok ? HR_OK : fail_cell(c, cell, "is not of the type of the column");
}

/* The row that is given, as a batch of the plan's inputs. */
static hr_status make_row(struct check *c, struct ArrowArray *ret)
{
    const struct hr_feature *inputs;
    size_t n = hr_plan_inputs(c->plan, &inputs), i, made = 0;
    struct ArrowArray *columns = hr_arena_array(&c->p->arena, n + 1, sizeof *columns);
    struct ArrowSchema schema;
    struct hr_builder b;
    hr_status r;

    if (!columns || hr_plan_schema(c->plan, &schema) < 0)
        return HR_EXHAUSTED;
    for (i = 0, r = HR_OK; i < n && r == HR_OK; i++) {
        const char *format = schema.children[i]->format;
        bool list = format[0] == '+';

        hr_builder_init(&b, list ? schema.children[i]->children[0]->format : format, list);
        r = put_cell(c, cell_of(&c->test->given, inputs[i].name), &inputs[i], list, &b);
        if (r == HR_OK && (r = hr_builder_done(&b, &columns[i])) == HR_OK)
            made++;
        hr_builder_drop(&b);
    }
    schema.release(&schema);
    if (r == HR_OK)
        return hr_rows_make(columns, (int64_t)n, 1, ret);
    for (i = 0; i < made; i++)
        columns[i].release(&columns[i]);
    return r;
}

static bool equal(const struct hr_col *c, int64_t at, const struct hr_ast *v)
{
    const char *bytes;
    size_t n;
    double d;

    if (c->kind == HR_COL_INT)
        return (v->kind == HR_A_INT || v->kind == HR_A_BOOL) && hr_col_int(c, at) == v->i;
    if (c->kind == HR_COL_BYTES) {
        bytes = hr_col_bytes(c, at, &n);
        return v->kind == HR_A_TEXT && n == v->text.len && !memcmp(bytes, v->text.text, n);
    }
    if (v->kind != HR_A_INT && v->kind != HR_A_FLOAT)
        return false;
    d = v->kind == HR_A_INT ? (double)v->i : (double)v->f;
    return fabs(hr_col_double(c, at) - d) <= 1e-6 * (1 + fabs(d));
}

static hr_status compare(struct check *c, const struct ArrowSchema *schema,
                         const struct ArrowArray *row)
{
    hr_status r = HR_OK;
    struct hr_col col;
    int64_t i, n, k, at = 0;

    for (i = 0; i < schema->n_children; i++) {
        const struct hr_cell *cell = cell_of(&c->test->expect, schema->children[i]->name);
        const struct hr_ast *v = cell->value;
        bool ok;

        if (hr_col_open(schema, row, i, &col) < 0)
            return HR_INTERNAL;
        n = hr_col_count(&col, 0, &at);
        if (v->kind != HR_A_LIST) {
            ok = n == 1 && equal(&col, at, v);
        } else {
            ok = n == (int64_t)v->n;
            for (k = 0; ok && k < n; k++)
                ok = equal(&col, at + k, v->kids[k]);
        }
        if (!ok)
            r = fail_cell(c, cell, "is another value");
    }
    return r;
}

static hr_status run(struct check *c)
{
    struct ArrowArray in = { 0 }, out = { 0 };
    struct ArrowSchema schema = { 0 };
    struct hr_apply_error error;
    hr_status r;

    if ((r = find_constants(c)) < 0 || (r = make_plan(c)) < 0 || (r = make_row(c, &in)) < 0)
        return r;
    if ((r = hr_apply_new(c->p->env, c->plan, NULL, 0, &c->apply)) == HR_OK &&
        (r = hr_apply_schema(c->apply, &schema)) == HR_OK) {
        if ((r = hr_apply_batch(c->apply, &in, &out, &error)) == HR_OK)
            r = compare(c, &schema, &out);
        else
            r = hr_features_fail(c->p->features, c->test->line, c->test->column, NULL,
                                 "test \"%.*s\": %s", (int)c->test->name.len, c->test->name.text,
                                 error.text);
    }
    if (schema.release)
        schema.release(&schema);
    if (out.release)
        out.release(&out);
    in.release(&in);
    return r;
}

hr_status hr_program_test(struct hr_env *env, struct hr_program *p, size_t *ret_count)
{
    const struct hr_statement *s;
    struct hr_phase phase;
    hr_status r = hr_program_phase(env, p, &phase), one;
    size_t n = 0;

    for (s = p->features->first; s && r != HR_EXHAUSTED; s = s->next) {
        struct check c = { .p = p, .test = s };

        if (s->kind != HR_ST_TEST)
            continue;
        n++;
        if ((one = run(&c)) < 0)
            r = one;
        hr_apply_free(c.apply);
        hr_plan_close(c.plan);
    }
    if (r == HR_OK)
        *ret_count = n;
    return r;
}
