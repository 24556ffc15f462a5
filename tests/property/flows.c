/* flows.c - random flows, run by threads, batches and ways of several kinds, give what a naive
 * interpreter gives, row for row.
 *
 *     property_flows SEED COUNT          SEED is a number, or "random"
 *
 * Each of COUNT flows is of all steps, over tables of 0 to some 10 000 rows whose keys are of all
 * types, with nulls.  Some have a function that fails at a row, some a mistake in the description:
 * those must fail, and leave no rows.  So must, or succeed with the same rows, one that may hold
 * little in memory.
 */
#include "flows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TEXT_MAX = 1 << 28,
    BIG_ROWS = 15000, /* a collection of more is not made larger */
    RUNS = 5          /* of each flow */
};

/* -- chance --------------------------------------------------------------------------- */

static uint64_t state, seed_now;

uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void chance_seed(uint64_t seed)
{
    state = seed_now = seed;
}

uint64_t chance(uint64_t n)
{
    uint64_t v = mix(state);

    state += 0x9e3779b97f4a7c15u;
    return v % n;
}

void stop(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\nto see it again: property_flows %" PRIu64 " 1\n", seed_now);
    exit(1);
}

void need(bool ok, const char *what)
{
    if (!ok)
        stop("%s", what);
}

/* -- random graphs ---------------------------------------------------------------------- */

static uint32_t any_coll(const struct graph *g)
{
    return g->n_colls - 1 - (uint32_t)chance(g->n_colls < 4 || chance(3) ? g->n_colls
                                                                        : g->n_colls / 2);
}

/* Keys of a collection: of a group any columns that can be keys, of a combine not v and n, which
 * it gives itself. */
static void choose_keys(const struct coll *c, bool group, struct config *ret)
{
    uint8_t can[COLUMNS];
    uint32_t n = 0, k, at;

    for (k = 0; k < c->shape.n; k++)
        if (c->shape.cols[k] < MAX_KEYS ||
            (group && (c->shape.cols[k] == COL_V || c->shape.cols[k] == COL_N)))
            can[n++] = c->shape.cols[k];
    ret->n_keys = 0;
    for (k = (uint32_t)chance(MAX_KEYS + 1) + group; n && k && ret->n_keys < MAX_KEYS; k--) {
        at = (uint32_t)chance(n);
        ret->keys[ret->n_keys++] = can[at];
        can[at] = can[--n];
    }
}

static void choose_map(const struct coll *in, struct op *op)
{
    op->kind = OP_MAP;
    op->function = (uint32_t)chance(FN_RUNS);
    op->config.emitting = (uint32_t)chance(EMIT_FLUSH + 1);
    op->config.mode = (uint32_t)chance(MODE_NONE);
    if (in->n > BIG_ROWS && op->config.mode == MODE_REPEAT)
        op->config.mode = MODE_FILTER;
    if (in->n > 500 && op->config.emitting == EMIT_SINGLE)
        op->config.emitting = EMIT_SOME;
    if (chance(16) == 0)
        op->config.mode = chance(3) == 0 ? MODE_NONE : MODE_FAIL;
    if (op->function == FN_RENUMBER)
        op->config.mode = MODE_ALL;
    op->config.salt = chance(UINT64_MAX);
    if (in->grouped && chance(3)) {
        op->function = FN_RUNS;
        op->config.mode = MODE_ALL;
        op->config.n_keys = in->n_keys;
        memcpy(op->config.keys, in->keys, sizeof in->keys);
    }
}

static bool choose_flatten(const struct graph *g, struct op *op)
{
    const struct shape *shape = &g->colls[op->ins[0]].shape;
    uint32_t k, tries;
    size_t rows = g->colls[op->ins[0]].n;

    op->kind = OP_FLATTEN;
    for (tries = 0; tries < 8 && op->n_ins < 1 + chance(MAX_INS); tries++) {
        k = any_coll(g);
        if (memcmp(&g->colls[k].shape, shape, sizeof *shape) != 0 ||
            rows + g->colls[k].n > 2 * BIG_ROWS)
            continue;
        rows += g->colls[k].n;
        op->ins[op->n_ins++] = k;
    }
    return true;
}

static void choose_source(const struct graph *g, struct op *op)
{
    op->kind = chance(2) ? OP_READ : OP_FROM;
    op->table = (uint32_t)chance(g->n_tables);
    op->whole = op->kind == OP_READ && chance(3) == 0;
}

static void choose_step(const struct graph *g, struct op *op)
{
    uint64_t kind = chance(10);

    op->config.world = &g->world;
    if (!g->n_colls || kind == 0) {
        choose_source(g, op);
        return;
    }
    op->n_ins = 1;
    op->ins[0] = any_coll(g);
    if (g->colls[g->n_colls - 1].grouped && chance(2)) {
        op->ins[0] = g->n_colls - 1;
        kind = 1;
    }
    if (kind < 5) {
        choose_map(&g->colls[op->ins[0]], op);
    } else if (kind < 7) {
        op->kind = OP_COMBINE;
        op->function = FN_CHAIN + (uint32_t)chance(2);
        choose_keys(&g->colls[op->ins[0]], false, &op->config);
    } else if (kind < 9) {
        op->kind = OP_GROUP;
        choose_keys(&g->colls[op->ins[0]], true, &op->config);
    } else {
        choose_flatten(g, op);
    }
}

static struct op *add_op(struct graph *g)
{
    need(g->n_ops < MAX_OPS, "too many steps");
    return &g->ops[g->n_ops++];
}

static void add_sinks(struct graph *g)
{
    uint32_t k;

    for (k = 0; k < g->n_colls && g->n_ops < MAX_OPS - 1; k++)
        if (k + 1 == g->n_colls || chance(2))
            *add_op(g) = (struct op){ .kind = chance(3) ? OP_KEEP : OP_WRITE,
                                      .n_ins = 1,
                                      .ins = { k },
                                      .table = k };
}

static int64_t table_size(void)
{
    static const int64_t sizes[] = { 4095, 4096, 4097, 8192, 12293 };
    uint64_t kind = chance(100);

    if (kind < 15)
        return 0;
    if (kind < 60)
        return (int64_t)chance(40);
    if (kind < 82)
        return (int64_t)chance(600);
    if (kind < 99)
        return sizes[chance(5)];
    return 70000 + (int64_t)chance(9000); /* of more blocks than a window takes */
}

static void graph_make(struct graph *g)
{
    uint32_t n, k;

    memset(g, 0, sizeof *g);
    world_make(&g->world);
    g->n_tables = 1 + (uint32_t)chance(MAX_TABLES);
    for (k = 0; k < g->n_tables; k++)
        g->sizes[k] = table_size();
    for (n = 1 + (uint32_t)chance(16); n; n--) {
        struct op *op = add_op(g);

        choose_step(g, op);
        naive(g, op);
    }
    add_sinks(g);
    if (chance(10) == 0) {
        *add_op(g) = (struct op){ .kind = OP_BAD,
                                  .bad = (uint32_t)chance(7),
                                  .n_ins = 1,
                                  .ins = { any_coll(g) },
                                  .config.world = &g->world };
        g->bad = true;
    }
}

/* -- description ------------------------------------------------------------------------- */

struct describing {
    const struct graph *g;
    struct hr_env *env;
    const hr_flow_1 *flow;
    hr_flow *f;
    hr_rows rows[MAX_COLLS];
};

/* A table as a stream of batches of random sizes, some of them empty. */
static void table_stream(struct hr_env *env, const struct graph *g, uint32_t table,
                         struct ArrowArrayStream *ret)
{
    static const uint64_t sizes[] = { 3, 100, 3000, 5000 };
    uint64_t most = sizes[g->sizes[table] < 500 ? chance(4) : 2 + chance(2)];
    struct ArrowArray batches[512];
    struct ArrowSchema schema;
    struct shape shape;
    int64_t at = 0, n;
    size_t k = 0;

    while (at < g->sizes[table] || (k < 510 && chance(3) == 0)) {
        n = (int64_t)chance(most);
        n = n < g->sizes[table] - at ? n : g->sizes[table] - at;
        if (k == 510)
            n = g->sizes[table] - at;
        need(k < 512, "too many batches");
        table_batch(env, &g->world, table, hr_cut(at, n), &batches[k++]);
        at += n;
    }
    table_shape(&shape);
    shape_schema(&g->world, &shape, &schema);
    need(hr_arrow_stream_list(env, &schema, batches, k, ret) == HR_OK, "no memory");
    HR_RELEASE(&schema);
}

static const char *split_name(uint32_t k)
{
    static const char *const names[] = { "train", "eval" };

    return names[k % SPLITS];
}

static void key_list(const struct config *c, const char *ret[MAX_KEYS + 1])
{
    uint32_t k;

    for (k = 0; k < c->n_keys; k++)
        ret[k] = column_names[c->keys[k]];
    ret[k] = NULL;
}

/* A step that cannot be: run() must say so. */
static void describe_bad(struct describing *d, const struct op *op, hr_rows in,
                         const struct config *config)
{
    static const char *const none[] = { "zz", NULL }, *const v[] = { "v", NULL };
    const hr_flow_1 *flow = d->flow;
    hr_rows both[2] = { in, in };

    switch (op->bad) {
    case 0:
        in = flow->group(d->f, in, none);
        break;
    case 1:
        in = flow->combine(d->f, in, v, "chain", config, sizeof *config);
        break;
    case 2:
        in = flow->map(d->f, in, "chain", config, sizeof *config);
        break;
    case 3:
        in = flow->map(d->f, 0, "pick", config, sizeof *config);
        break;
    case 4:
        in = flow->group(d->f, in, NULL);
        break;
    case 5:
        both[0] = flow->read(d->f, "in", 0, split_name(0));
        both[1] = flow->map(d->f, flow->group(d->f, in, v), "runs", config, sizeof *config);
        in = flow->flatten(d->f, both, 2);
        break;
    default:
        flow->write(d->f, in, "twice", 0, NULL);
        flow->write(d->f, in, "twice", 0, NULL);
    }
    flow->keep(d->f, in);
}

static hr_rows describe_source(struct describing *d, const struct op *op)
{
    struct ArrowArrayStream stream;

    if (op->kind == OP_READ)
        return d->flow->read(d->f, "in", op->table / SPLITS,
                             op->whole ? NULL : split_name(op->table));
    table_stream(d->env, d->g, op->table, &stream);
    return d->flow->from(d->f, &stream);
}

static void describe_op(struct describing *d, const struct op *op)
{
    const hr_flow_1 *flow = d->flow;
    struct config config = op->config;
    hr_rows ins[MAX_INS] = { 0 }, *out = &d->rows[op->out];
    const char *keys[MAX_KEYS + 1], *function = flow_functions[op->function]->name;
    uint32_t k;

    config.env = d->env;
    for (k = 0; k < op->n_ins; k++)
        ins[k] = d->rows[op->ins[k]];
    key_list(&config, keys);
    switch (op->kind) {
    case OP_READ:
    case OP_FROM:
        *out = describe_source(d, op);
        break;
    case OP_MAP:
        *out = flow->map(d->f, ins[0], function, &config, sizeof config);
        for (k = 1; op->function == FN_SPLIT && k < OUTPUTS; k++)
            out[k] = *out ? *out + k : 0;
        break;
    case OP_COMBINE:
        *out = flow->combine(d->f, ins[0], keys, function, &config, sizeof config);
        break;
    case OP_GROUP:
        *out = flow->group(d->f, ins[0], keys);
        break;
    case OP_FLATTEN:
        *out = flow->flatten(d->f, ins, op->n_ins);
        break;
    case OP_WRITE:
        flow->write(d->f, ins[0], "out", op->table, op->table % 2 ? "x" : NULL);
        break;
    case OP_KEEP:
        flow->keep(d->f, ins[0]);
        break;
    default:
        describe_bad(d, op, ins[0], &config);
    }
}

/* The steps, for who looks at what has failed. */
static void tell(const struct graph *g)
{
    static const char *const kinds[] = { "read",  "from",    "map",   "combine", "group",
                                         "flatten", "write", "keep", "mistake" };
    uint32_t i, k;

    for (k = 0; k < g->n_tables; k++)
        printf("table %u: %" PRId64 " rows\n", k, g->sizes[k]);
    for (i = 0; i < g->n_ops; i++) {
        const struct op *op = &g->ops[i];

        printf("%s", kinds[op->kind]);
        if (op->kind == OP_MAP || op->kind == OP_COMBINE)
            printf(" \"%s\", mode %u, emitting %u,", flow_functions[op->function]->name,
                   op->config.mode, op->config.emitting);
        if (op->kind == OP_READ || op->kind == OP_FROM)
            printf(" table %u%s", op->table, op->whole ? ", all splits" : "");
        for (k = 0; k < op->config.n_keys; k++)
            printf(" by %s", column_names[op->config.keys[k]]);
        for (k = 0; k < op->n_ins; k++)
            printf(" %u", op->ins[k]);
        if (op->kind <= OP_FLATTEN)
            printf(" -> %u (%zu rows)", op->out, g->colls[op->out].n);
        printf("\n");
    }
}

/* -- one run ------------------------------------------------------------------------------- */

struct setting {
    int32_t threads, batch_rows;
    bool bytes, check;
    size_t memory; /* 0: no bound */
};

static const char *line_at(const char *text, size_t at, int *ret_n)
{
    const char *from = text + at;

    while (from > text && from[-1] != '\n')
        from--;
    *ret_n = (int)strcspn(from, "\n");
    return from;
}

static void differ(const struct describing *d, const struct op *op, const struct setting *how,
                   const struct hr_buf *want, const struct hr_buf *got)
{
    size_t at = 0, k, line = 1;
    int n, m;
    const char *a, *b;

    while (at < want->len && at < got->len && want->text[at] == got->text[at])
        at++;
    for (k = 0; k < at; k++)
        line += want->text[k] == '\n';
    a = line_at(want->text, at, &n);
    b = line_at(got->text, at, &m);
    tell(d->g);
    stop("%d threads, batches of %d, %s%s: collection %u of %u steps, row %zu:\n  %.*s\nshould "
         "be\n  %.*s",
         how->threads, how->batch_rows, how->bytes ? "through bytes, " : "",
         how->check ? "checked" : "not checked", op->ins[0], d->g->n_ops, line, m, b, n, a);
}

/* Rows that came out, against those that should. */
static void compare(struct describing *d, const struct op *op, const struct setting *how,
                    struct ArrowArrayStream *rows)
{
    const struct coll *c = &d->g->colls[op->ins[0]];
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct hr_buf want, got;
    size_t i;

    hr_buf_of(&want, TEXT_MAX, d->env);
    hr_buf_of(&got, TEXT_MAX, d->env);
    for (i = 0; i < c->n; i++)
        put_row(&d->g->world, &c->shape, &c->rows[i], &want);
    need(hr_arrow_stream_schema(d->env, rows, "rows", &schema) == HR_OK, "no schema");
    need(schema.n_children == c->shape.n, "another number of columns");
    for (i = 0; i < c->shape.n; i++)
        need(!strcmp(schema.children[i]->name, column_names[c->shape.cols[i]]), "other columns");
    for (;;) {
        if (hr_arrow_stream_next(d->env, rows, "rows", &batch) < 0)
            stop("%s", hr_env_error(d->env));
        if (!batch.release)
            break;
        if (hr_arrow_check(d->env, &schema, &batch, "rows") < 0)
            stop("%s", hr_env_error(d->env));
        put_batch(&schema, &batch, &got);
        HR_RELEASE(&batch);
    }
    if (want.len != got.len || memcmp(want.text, got.text, want.len) != 0)
        differ(d, op, how, &want, &got);
    HR_RELEASE(&schema);
    HR_RELEASE(rows);
    hr_buf_clear(&want);
    hr_buf_clear(&got);
}

static void look_at_outputs(struct describing *d, struct hr_local *local, hr_status r,
                            const struct setting *how)
{
    struct ArrowArrayStream rows;
    uint32_t k;

    for (k = 0; k < d->g->n_ops; k++) {
        const struct op *op = &d->g->ops[k];
        hr_status got;

        if (op->kind == OP_WRITE)
            got = hr_local_output(local, "out", op->table, op->table % 2 ? "x" : NULL, &rows);
        else if (op->kind == OP_KEEP)
            got = d->flow->fetch(d->f, d->rows[op->ins[0]], &rows);
        else
            continue;
        if (r < 0 && got == HR_OK)
            stop("a flow that failed left rows");
        if (r == HR_OK && got < 0)
            stop("a step's rows are missing: %s", hr_env_error(d->env));
        if (r == HR_OK)
            compare(d, op, how, &rows);
    }
}

static void look_at_status(const struct describing *d, hr_status r, const struct setting *how)
{
    const struct graph *g = d->g;
    const char *text = hr_env_error(d->env);

    if (r < 0 && !text[0])
        stop("it fails without a sentence");
    if (r == HR_EXHAUSTED && how->memory && strstr(text, "its limit"))
        return;
    if (g->bad && r == HR_OK)
        stop("a mistake is taken");
    if (g->bad)
        return;
    if (g->fails && (r != HR_INVALID || !strstr(text, "told to fail")))
        stop("a function that fails gives: %s", text);
    if (!g->fails && r < 0)
        stop("%s", text);
}

/* Returns true if the bound on memory made it fail. */
static bool run_once(const struct graph *g, const struct setting *how)
{
    struct hr_component component = { .struct_size = sizeof component,
                                      .functions = flow_functions };
    struct hr_env_config config = { .threads = how->threads, .batch_rows = how->batch_rows };
    struct describing d = { .g = g };
    struct ArrowArrayStream stream;
    struct hr_local *local;
    struct hr_env env;
    hr_status r;
    uint32_t k;

    hr_env_init(&env, &config);
    env.memory_max = how->memory;
    local = hr_local_new(&env, &component);
    need(local != NULL, "no memory");
    hr_local_bytes(local, how->bytes);
    hr_local_check(local, how->check);
    d.env = &env;
    d.flow = hr_local_host(local)->get_interface(hr_local_host(local), HR_FLOW);
    for (k = 0; k < g->n_tables; k++) {
        table_stream(&env, g, k, &stream);
        need(hr_local_input(local, "in", k / SPLITS, split_name(k), &stream) == HR_OK,
             "an input is not taken");
    }
    d.f = d.flow->begin(hr_local_run(local));
    for (k = 0; k < g->n_ops; k++)
        describe_op(&d, &g->ops[k]);
    r = d.flow->run(d.f);
    look_at_status(&d, r, how);
    look_at_outputs(&d, local, r, how);
    hr_local_free(local);
    hr_env_clear(&env);
    return r == HR_EXHAUSTED;
}

static size_t rows_of(const struct graph *g)
{
    size_t n = 0;
    uint32_t k;

    for (k = 0; k < g->n_colls; k++)
        n += g->colls[k].n;
    return n;
}

struct counts {
    long failed, bad, exhausted, big;
};

static void one_flow(struct counts *counts)
{
    static const int32_t threads[] = { 1, 2, 8 }, batches[] = { 1, 7, 100, 1000, 4096, 100000 };
    struct graph g;
    int i;

    graph_make(&g);
    for (i = 0; i < RUNS; i++) {
        size_t rows = rows_of(&g);
        bool big = rows > BIG_ROWS;
        struct setting how = { .threads = threads[((uint64_t)i + chance(2)) % 3],
                               .batch_rows = batches[big ? 2 + chance(4) : chance(6)],
                               .bytes = chance(4) == 0,
                               .check = chance(4) != 0,
                               .memory = i < 3 ? 0 : 1 + chance(1 + chance(300 * rows + 99)) };

        counts->exhausted += run_once(&g, &how);
        counts->big += big;
    }
    counts->failed += g.fails;
    counts->bad += g.bad;
    graph_clear(&g);
}

int main(int argc, char **argv)
{
    struct counts counts = { 0 };
    uint64_t seed;
    long count, i;

    if (argc != 3) {
        fprintf(stderr, "usage: property_flows SEED COUNT\n");
        return 2;
    }
    seed = strcmp(argv[1], "random") ? strtoull(argv[1], NULL, 10) : (unsigned)time(NULL);
    count = strtol(argv[2], NULL, 10);
    printf("seed %" PRIu64 "\n", seed);
    for (i = 0; i < count; i++) {
        chance_seed(seed + (uint64_t)i); /* so that each can be seen again by itself */
        one_flow(&counts);
    }
    printf("%ld flows: %ld of a function that fails, %ld of a mistake; of %ld runs %ld were short "
           "of memory, %ld of more than %d rows\n",
           count, counts.failed, counts.bad, count * RUNS, counts.exhausted, counts.big,
           BIG_ROWS);
    return 0;
}
