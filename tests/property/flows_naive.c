/* What a flow gives, row by row: an array for each collection, sorts that compare values. */
#include "flows.h"

#include <stdlib.h>
#include <string.h>

static void add(struct coll *c, struct row row)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 16;
        c->rows = realloc(c->rows, c->cap * sizeof *c->rows);
        need(c->rows != NULL, "no memory");
    }
    c->rows[c->n++] = row;
}

static struct coll *new_coll(struct graph *g, const struct shape *shape)
{
    struct coll *c = &g->colls[g->n_colls++];

    need(g->n_colls <= MAX_COLLS, "too many collections");
    *c = (struct coll){ .shape = *shape };
    return c;
}

void graph_clear(struct graph *g)
{
    uint32_t k;

    for (k = 0; k < g->n_colls; k++)
        free(g->colls[k].rows);
}

/* -- sources ------------------------------------------------------------------------ */

static void do_source(struct graph *g, struct op *op)
{
    struct shape shape;
    struct coll *c;
    uint32_t t;
    int64_t i;

    table_shape(&shape);
    c = new_coll(g, &shape);
    for (t = 0; t < g->n_tables; t++)
        if (op->whole ? t / SPLITS == op->table / SPLITS : t == op->table)
            for (i = 0; i < g->sizes[t]; i++)
                add(c, (struct row){ t, i, i, 0 });
}

/* -- maps ---------------------------------------------------------------------------- */

static void do_rows(struct graph *g, struct op *op, const struct coll *in, struct coll *outs)
{
    uint32_t n;
    size_t i;

    for (i = 0; i < in->n; i++) {
        struct row row = in->rows[i];

        g->fails |= fails_at(&op->config, row.v);
        if (op->function == FN_RENUMBER) {
            row.v = renumbered(&op->config, row.v);
            add(outs, row);
        } else if (op->function == FN_SPLIT) {
            add(&outs[output_of(&op->config, row.v)], row);
        } else {
            for (n = copies_of(&op->config, row.v); n; n--)
                add(outs, row);
        }
    }
}

static int order_of(const struct graph *g, const struct op *op, const struct row *a,
                    const struct row *b)
{
    uint32_t k;
    int c = 0;

    for (k = 0; !c && k < op->config.n_keys; k++) {
        int col = op->config.keys[k];

        if (col == COL_V || col == COL_N) {
            int64_t x = col == COL_V ? a->v : a->n, y = col == COL_V ? b->v : b->n;

            c = (x > y) - (x < y);
        } else {
            struct value x, y;

            world_value(&g->world, col, a, &x);
            world_value(&g->world, col, b, &y);
            c = value_order(&g->world, col, &x, &y);
        }
    }
    return c;
}

/* Rows one after the other with the same keys make one, which has their keys. */
static void do_runs(struct graph *g, struct op *op, const struct coll *in, struct coll *out)
{
    bool chain = op->function != FN_TOTAL;
    size_t i, from = 0;
    struct sum sum = sum_none;

    for (i = 0; i < in->n; i++) {
        if (i && order_of(g, op, &in->rows[from], &in->rows[i])) {
            add(out, (struct row){ in->rows[from].table, in->rows[from].id, (int64_t)sum.v,
                                   sum.n });
            sum = sum_none;
            from = i;
        }
        sum_add(chain, &sum, in->rows[i].v);
    }
    if (in->n)
        add(out, (struct row){ in->rows[from].table, in->rows[from].id, (int64_t)sum.v, sum.n });
}

static void do_map(struct graph *g, struct op *op)
{
    static const struct shape run_shape = { 2, { COL_N, COL_V } };
    const struct coll *in = &g->colls[op->ins[0]];
    struct coll *outs = &g->colls[g->n_colls];
    uint32_t k;

    if (op->function == FN_RUNS) {
        do_runs(g, op, in, new_coll(g, &run_shape));
        return;
    }
    for (k = 0; k < (op->function == FN_SPLIT ? OUTPUTS : 1); k++)
        new_coll(g, &in->shape);
    do_rows(g, op, in, outs);
}

/* -- keys ---------------------------------------------------------------------------- */

/* Merge sort, which keeps the order of equal rows. */
static void sort(const struct graph *g, const struct op *op, struct row *rows, struct row *spare,
                 size_t n)
{
    size_t half = n / 2, i = 0, j = half, at = 0;

    if (n < 2)
        return;
    sort(g, op, rows, spare, half);
    sort(g, op, rows + half, spare, n - half);
    while (i < half || j < n)
        if (j == n || (i < half && order_of(g, op, &rows[i], &rows[j]) <= 0))
            spare[at++] = rows[i++];
        else
            spare[at++] = rows[j++];
    memcpy(rows, spare, n * sizeof *rows);
}

static void sorted(struct graph *g, struct op *op, const struct coll *in, struct coll *to)
{
    struct row *spare = calloc(in->n + 1, sizeof *spare);
    size_t i;

    need(spare != NULL, "no memory");
    for (i = 0; i < in->n; i++)
        add(to, in->rows[i]);
    sort(g, op, to->rows, spare, to->n);
    free(spare);
}

static void do_group(struct graph *g, struct op *op)
{
    const struct coll *in = &g->colls[op->ins[0]];
    struct coll *out = new_coll(g, &in->shape);

    sorted(g, op, in, out);
    out->grouped = true;
    out->n_keys = op->config.n_keys;
    memcpy(out->keys, op->config.keys, sizeof out->keys);
}

static void do_combine(struct graph *g, struct op *op)
{
    const struct coll *in = &g->colls[op->ins[0]];
    struct coll all = { 0 };
    struct shape shape = { 0 };
    struct coll *out;
    uint32_t k;

    for (k = 0; k < op->config.n_keys; k++)
        shape.cols[shape.n++] = op->config.keys[k];
    shape.cols[shape.n++] = COL_N;
    shape.cols[shape.n++] = COL_V;
    out = new_coll(g, &shape);
    sorted(g, op, in, &all);
    do_runs(g, op, &all, out);
    if (!op->config.n_keys && !all.n)
        add(out, (struct row){ .v = (int64_t)sum_none.v });
    free(all.rows);
}

static void do_flatten(struct graph *g, struct op *op)
{
    struct coll *out = new_coll(g, &g->colls[op->ins[0]].shape);
    uint32_t k;
    size_t i;

    for (k = 0; k < op->n_ins; k++)
        for (i = 0; i < g->colls[op->ins[k]].n; i++)
            add(out, g->colls[op->ins[k]].rows[i]);
}

void naive(struct graph *g, struct op *op)
{
    op->out = g->n_colls;
    switch (op->kind) {
    case OP_READ:
    case OP_FROM:
        do_source(g, op);
        break;
    case OP_MAP:
        do_map(g, op);
        break;
    case OP_COMBINE:
        do_combine(g, op);
        break;
    case OP_GROUP:
        do_group(g, op);
        break;
    case OP_FLATTEN:
        do_flatten(g, op);
        break;
    default:
        break;
    }
}
