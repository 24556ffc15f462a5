/* Batches of feature columns to the rows that a net takes. */
#include <string.h>

#include "headrace/rows.h"
#include "learn/net.h"

void hr_samples_init(struct hr_samples *s, struct hr_env *env, const struct hr_net *net)
{
    *s = (struct hr_samples){ .env = env, .net = net };
}

void hr_samples_clear(struct hr_samples *s)
{
    if (!s->env)
        return;
    hr_mem_put(s->env, s->dense, s->dense_cap * sizeof *s->dense);
    hr_mem_put(s->env, s->ids, s->ids_cap * sizeof *s->ids);
    hr_mem_put(s->env, s->fields, s->fields_cap * sizeof *s->fields);
    hr_mem_put(s->env, s->ends, s->ends_cap * sizeof *s->ends);
    hr_mem_put(s->env, s->targets, s->targets_cap * sizeof *s->targets);
    hr_samples_init(s, s->env, s->net);
}

static bool room(struct hr_samples *s, void **items, size_t *cap, size_t need, size_t size)
{
    return hr_mem_reserve(s->env, items, cap, need ? need : 1, size, SIZE_MAX / 64);
}

static hr_status open_input(struct hr_samples *s, const struct ArrowSchema *schema,
                            const struct ArrowArray *rows, const char *name, struct hr_col *c)
{
    int64_t at = hr_col_find(schema, name);

    if (at < 0)
        return hr_fail(s->env, HR_INVALID, "the rows have no column \"%s\", which the model wants",
                       name);
    if (hr_col_open(schema, rows, at, c) < 0 || c->kind == HR_COL_BYTES)
        return hr_fail(s->env, HR_INVALID, "the column \"%s\" is no number, as the model wants",
                       name);
    return HR_OK;
}

static hr_status add_floats(struct hr_samples *s, const struct hr_net_input *x, int32_t place,
                            const struct hr_col *c)
{
    int64_t i, k, n, at;

    for (i = 0; i < c->length; i++) {
        float *to = s->dense + (s->rows + (size_t)i) * (size_t)s->net->floats + place;

        n = hr_col_count(c, i, &at);
        if (n > x->size || (n && n < x->size))
            return hr_fail(s->env, HR_INVALID, "row %lld of \"%s\" has %lld values, not %d",
                           (long long)i, x->name, (long long)n, (int)x->size);
        for (k = 0; k < x->size; k++)
            to[k] = k < n ? (float)hr_col_double(c, at + k) : 0;
    }
    return HR_OK;
}

/* A float counts as the integer below; one that is none as what no input has. */
static int64_t id_of(const struct hr_col *c, int64_t at)
{
    double v;

    if (c->kind != HR_COL_FLOAT)
        return hr_col_int(c, at);
    v = hr_col_double(c, at);
    return v > -9e15 && v < 9e15 ? (int64_t)v : INT64_MIN;
}

/* Ids of one row, input by input; *end is the number of all so far. */
static hr_status add_ids(struct hr_samples *s, const struct hr_col *cols, int64_t i, size_t *end)
{
    const struct hr_net *net = s->net;
    int64_t k, n, at, id;
    size_t x;

    for (x = 0; x < net->shape.ninputs; x++) {
        const struct hr_net_input *in = &net->shape.inputs[x];

        if (in->kind != HR_INPUT_ID)
            continue;
        n = hr_col_count(&cols[x], i, &at);
        if (!room(s, (void **)&s->ids, &s->ids_cap, *end + (size_t)n, sizeof *s->ids) ||
            !room(s, (void **)&s->fields, &s->fields_cap, *end + (size_t)n, sizeof *s->fields))
            return HR_EXHAUSTED;
        for (k = 0; k < n; k++) {
            id = id_of(&cols[x], at + k);
            if (id < in->first || (uint64_t)id - (uint64_t)in->first >= (uint64_t)in->depth)
                continue;
            s->ids[*end] = (int32_t)(net->table_at[x] + (id - in->first));
            s->fields[(*end)++] = net->float_at[x];
        }
    }
    return HR_OK;
}

static hr_status add_targets(struct hr_samples *s, const struct ArrowSchema *schema,
                             const struct ArrowArray *rows)
{
    const struct hr_net_shape *shape = &s->net->shape;
    int64_t i, at, most = shape->task == HR_TASK_BINARY ? 2 : shape->classes;
    struct hr_col c;
    hr_status r = open_input(s, schema, rows, shape->label, &c);
    double v;

    for (i = 0; r == HR_OK && i < c.length; i++) {
        if (hr_col_count(&c, i, &at) != 1)
            return hr_fail(s->env, HR_INVALID,
                           "row %lld has not one value of the label \"%s\"; fill it, or leave "
                           "such rows out",
                           (long long)i, shape->label);
        v = hr_col_double(&c, at);
        if (shape->task == HR_TASK_REGRESSION ? v - v != 0 : !(v >= 0 && v < (double)most))
            return hr_fail(s->env, HR_INVALID,
                           "row %lld has %g as label \"%s\", and the model knows 0 to %lld",
                           (long long)i, v, shape->label, (long long)most - 1);
        s->targets[s->rows + (size_t)i] = (float)v;
    }
    return r;
}

static hr_status add_all(struct hr_samples *s, const struct ArrowSchema *schema,
                         const struct ArrowArray *rows, struct hr_col *cols, bool label)
{
    const struct hr_net *net = s->net;
    size_t i, end = s->rows ? s->ends[s->rows - 1] : 0;
    hr_status r = HR_OK;

    for (i = 0; i < net->shape.ninputs && r == HR_OK; i++) {
        const struct hr_net_input *x = &net->shape.inputs[i];

        if ((r = open_input(s, schema, rows, x->name, &cols[i])) == HR_OK &&
            x->kind == HR_INPUT_FLOAT)
            r = add_floats(s, x, net->float_at[i], &cols[i]);
    }
    for (i = 0; i < (size_t)rows->length && r == HR_OK; i++) {
        r = add_ids(s, cols, (int64_t)i, &end);
        s->ends[s->rows + i] = end;
    }
    if (r == HR_OK && label)
        r = add_targets(s, schema, rows);
    return r;
}

hr_status hr_samples_add(struct hr_samples *s, const struct ArrowSchema *schema,
                         const struct ArrowArray *rows, bool label)
{
    size_t n = s->rows + (size_t)rows->length, cells, m = s->net->shape.ninputs;
    struct hr_col *cols = hr_mem_zero(s->env, (m + 1) * sizeof *cols);
    hr_status r = HR_EXHAUSTED;

    if (cols && hr_size_mul(n, (size_t)s->net->floats, &cells) &&
        room(s, (void **)&s->dense, &s->dense_cap, cells, sizeof *s->dense) &&
        room(s, (void **)&s->ends, &s->ends_cap, n, sizeof *s->ends) &&
        room(s, (void **)&s->targets, &s->targets_cap, n, sizeof *s->targets))
        r = add_all(s, schema, rows, cols, label);
    hr_mem_put(s->env, cols, (m + 1) * sizeof *cols);
    if (r == HR_OK)
        s->rows = n;
    return r;
}
