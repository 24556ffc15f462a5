/* The functions of random flows.  What they emit depends on their rows alone, but when and in
 * how many batches depends on the config. */
#include "flows.h"

#include <stdlib.h>
#include <string.h>

enum { SOME_ROWS = 7, FORMAT_OF_BYTES = 1 };
#define FACTOR 0x5851f42d4c957f2dULL

/* -- what they compute ---------------------------------------------------------------- */

uint32_t copies_of(const struct config *c, int64_t v)
{
    uint64_t h = mix((uint64_t)v ^ c->salt);

    switch ((enum mode)c->mode) {
    case MODE_FILTER:
        return h % 3 != 0;
    case MODE_REPEAT:
        return (uint32_t)(h % 4);
    case MODE_NONE:
        return 0;
    default:
        return 1;
    }
}

bool fails_at(const struct config *c, int64_t v)
{
    return c->mode == MODE_FAIL && mix((uint64_t)v ^ c->salt) % 40 == 0;
}

uint32_t output_of(const struct config *c, int64_t v)
{
    return (uint32_t)(mix((uint64_t)v ^ c->salt) % OUTPUTS);
}

int64_t renumbered(const struct config *c, int64_t v)
{
    return (int64_t)(mix((uint64_t)v ^ c->salt) >> 40);
}

const struct sum sum_none = { 0, 1, 1 };

void sum_add(bool chain, struct sum *s, int64_t v)
{
    s->n++;
    s->power *= FACTOR;
    s->v = chain ? s->v * FACTOR + (uint64_t)v : s->v + mix((uint64_t)v);
}

/* -- instances -------------------------------------------------------------------------- */

struct self {
    const hr_run_1 *run;
    const hr_emit_1 *emit;
    struct config config;
    uint32_t function, outputs;
    struct ArrowSchema in;
    int64_t v; /* the column */
    /* held back: rows of batches, for each output */
    struct ArrowArray *held;
    size_t n_held, cap_held;
    struct picks {
        struct hr_pick *items;
        size_t n, cap;
    } picks[OUTPUTS];
    /* of runs: the keys of the run, and what it comes to */
    struct value keys[MAX_KEYS];
    struct sum sum;
};

static void let_go(struct self *self)
{
    size_t k;

    for (k = 0; k < self->n_held; k++)
        HR_RELEASE(&self->held[k]);
    self->n_held = 0;
    for (k = 0; k < OUTPUTS; k++)
        self->picks[k].n = 0;
}

static void drop(void *p)
{
    struct self *self = p;
    size_t k;

    if (!self)
        return;
    let_go(self);
    free(self->held);
    for (k = 0; k < OUTPUTS; k++)
        free(self->picks[k].items);
    HR_RELEASE(&self->in);
    free(self);
}

static struct self *new_self(const hr_host *host, const hr_function_args *args)
{
    struct self *self = calloc(1, sizeof *self);

    need(self && args->config_size == sizeof self->config, "a config of another size");
    self->run = host->get_interface(host, HR_RUN);
    self->emit = host->get_interface(host, HR_EMIT);
    memcpy(&self->config, args->config, sizeof self->config);
    while (strcmp(flow_functions[self->function]->name, args->name) != 0)
        self->function++;
    self->outputs = self->function == FN_SPLIT ? OUTPUTS : 1;
    need(hr_schema_copy(args->in, &self->in) == HR_OK, "no memory");
    self->v = hr_col_find(args->in, "v");
    self->sum = sum_none;
    return self;
}

static void numbers_schema(struct ArrowSchema *ret)
{
    need(hr_schema_new("+s", "", 2, ret) == HR_OK &&
             hr_schema_column(ret->children[0], "n", "l", 0) == HR_OK &&
             hr_schema_column(ret->children[1], "v", "l", 0) == HR_OK,
         "no memory");
}

static void numbers_begin(struct hr_builder *b)
{
    hr_builder_init(&b[0], "l", 0);
    hr_builder_init(&b[1], "l", 0);
}

static void numbers_add(struct hr_builder *b, const struct sum *s)
{
    hr_builder_int(&b[0], s->n);
    hr_builder_int(&b[1], (int64_t)s->v);
}

static void numbers_end(struct hr_builder *b, struct ArrowArray *ret)
{
    int64_t n = b[0].rows;
    struct ArrowArray columns[2];

    need(hr_builder_done(&b[0], &columns[0]) == HR_OK &&
             hr_builder_done(&b[1], &columns[1]) == HR_OK &&
             hr_rows_make(columns, 2, n, ret) == HR_OK,
         "no memory");
}

/* -- maps of rows ------------------------------------------------------------------------ */

static hr_status map_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                          struct ArrowSchema *ret_outs, void **ret_self)
{
    struct self *self = new_self(host, args);
    uint32_t k;

    (void)run;
    for (k = 0; k < self->outputs; k++)
        if (self->function == FN_RUNS)
            numbers_schema(&ret_outs[k]);
        else
            need(hr_schema_copy(args->in, &ret_outs[k]) == HR_OK, "no memory");
    *ret_self = self;
    return HR_OK;
}

static void hold(struct self *self, uint32_t k, int64_t row)
{
    struct picks *p = &self->picks[k];

    need(hr_mem_reserve(self->config.env, (void **)&p->items, &p->cap, p->n + 1,
                        sizeof *p->items, SIZE_MAX / 64),
         "no memory");
    p->items[p->n++] = (struct hr_pick){ (uint32_t)self->n_held, row };
}

static hr_status emit_picks(struct self *self, hr_run *run, uint32_t k, struct hr_cut cut)
{
    const struct ArrowArray **from = calloc(self->n_held + 1, sizeof *from);
    struct ArrowArray rows;
    hr_status r;
    size_t i;

    need(from != NULL, "no memory");
    for (i = 0; i < self->n_held; i++)
        from[i] = &self->held[i];
    r = hr_arrow_take(self->config.env,
                      &(struct hr_taking){ &self->in, from, (uint32_t)self->n_held,
                                           self->picks[k].items + cut.from, cut.n },
                      &rows);
    free(from);
    return r < 0 ? r : self->emit->emit(run, k, &rows);
}

static hr_status map_flush(void *p, hr_run *run)
{
    struct self *self = p;
    hr_status r = HR_OK;
    uint32_t k;
    int64_t i;

    for (k = 0; r == HR_OK && k < self->outputs; k++) {
        int64_t n = (int64_t)self->picks[k].n;

        if (self->config.emitting != EMIT_SINGLE)
            r = self->n_held ? emit_picks(self, run, k, hr_cut(0, n)) : HR_OK;
        else
            for (i = 0; r == HR_OK && i < n; i++)
                r = emit_picks(self, run, k, hr_cut(i, 1));
    }
    let_go(self);
    return r;
}

static hr_status map_batch(void *p, hr_run *run, struct ArrowArray *rows)
{
    struct self *self = p;
    const struct config *config = &self->config;
    struct hr_col c;
    uint32_t copies;
    int64_t i;

    need(rows->length <= (self->function == FN_PICK_FEW ? FEW_ROWS : config->env->batch_rows),
         "a batch has more rows than it may");
    if (hr_col_open(&self->in, rows, self->v, &c) < 0)
        return HR_INTERNAL;
    for (i = 0; i < c.length; i++) {
        int64_t v = hr_col_int(&c, c.at + i);

        if (fails_at(config, v)) {
            rows->release(rows);
            return (self->run->fail)(run, HR_INVALID, "it was told to fail");
        }
        if (self->function == FN_SPLIT)
            hold(self, output_of(config, v), i);
        else
            for (copies = copies_of(config, v); copies; copies--)
                hold(self, 0, i);
    }
    need(hr_mem_reserve(config->env, (void **)&self->held, &self->cap_held, self->n_held + 1,
                        sizeof *self->held, SIZE_MAX / 256),
         "no memory");
    self->held[self->n_held++] = *rows;
    rows->release = NULL;
    if (config->emitting == EMIT_FLUSH ||
        (config->emitting == EMIT_SOME && self->picks[0].n < SOME_ROWS))
        return HR_OK;
    return map_flush(p, run);
}

/* -- v made anew ------------------------------------------------------------------------- */

static hr_status renumber_batch(void *p, hr_run *run, struct ArrowArray *rows)
{
    struct self *self = p;
    struct ArrowArray columns[COLUMNS], out;
    struct hr_owner *owner = NULL;
    struct hr_builder b;
    struct hr_col c;
    int64_t i, n = rows->length;

    if (hr_col_open(&self->in, rows, self->v, &c) < 0)
        return HR_INTERNAL;
    hr_builder_init(&b, "l", 0);
    for (i = 0; i < n; i++)
        hr_builder_int(&b, renumbered(&self->config, hr_col_int(&c, c.at + i)));
    need(hr_arrow_owner(self->config.env, rows, &owner) == HR_OK, "no memory");
    for (i = 0; i < self->in.n_children; i++)
        need((i == self->v ? hr_builder_done(&b, &columns[i])
                           : hr_arrow_share(self->config.env, owner->rows.children[i], owner,
                                            hr_cut(owner->rows.offset, n), &columns[i])) == HR_OK,
             "no memory");
    hr_owner_drop(owner);
    need(hr_rows_make(columns, self->in.n_children, n, &out) == HR_OK, "no memory");
    return self->emit->emit(run, 0, &out);
}

static hr_status no_flush(void *self, hr_run *run)
{
    (void)self, (void)run;
    return HR_OK;
}

/* -- runs of a key ------------------------------------------------------------------------ */

static hr_status runs_flush(void *p, hr_run *run)
{
    struct self *self = p;
    struct ArrowArray out;
    struct hr_builder b[2];

    if (!self->sum.n)
        return HR_OK;
    numbers_begin(b);
    numbers_add(b, &self->sum);
    numbers_end(b, &out);
    self->sum = sum_none;
    return self->emit->emit(run, 0, &out);
}

static hr_status runs_batch(void *p, hr_run *run, struct ArrowArray *rows)
{
    struct self *self = p;
    struct hr_col keys[MAX_KEYS], c;
    uint32_t k, n = self->config.n_keys;
    struct value now[MAX_KEYS];
    hr_status r = hr_col_open(&self->in, rows, self->v, &c);
    int64_t i;

    memset(now, 0, sizeof now);
    for (k = 0; k < n; k++)
        need(hr_col_open(&self->in, rows,
                         hr_col_find(&self->in, column_names[self->config.keys[k]]),
                         &keys[k]) == HR_OK,
             "no such key");
    for (i = 0; r == HR_OK && i < c.length; i++) {
        for (k = 0; k < n; k++)
            value_read(&keys[k], i, &now[k]);
        if (self->sum.n && memcmp(now, self->keys, sizeof now) != 0)
            r = runs_flush(p, run);
        memcpy(self->keys, now, sizeof now);
        sum_add(true, &self->sum, hr_col_int(&c, c.at + i));
    }
    rows->release(rows);
    return r;
}

/* -- combines ----------------------------------------------------------------------------- */

static hr_status sum_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                          struct ArrowSchema *ret_out, void **ret_self)
{
    (void)run;
    *ret_self = new_self(host, args);
    numbers_schema(ret_out);
    return HR_OK;
}

static hr_status sum_create(const void *self, hr_run *run, void **ret)
{
    struct sum *s = malloc(sizeof *s);

    (void)self, (void)run;
    if (!s)
        return HR_EXHAUSTED;
    *s = sum_none;
    *ret = s;
    return HR_OK;
}

static hr_status sum_batch(const void *p, hr_run *run, void *const *accs, const uint32_t *group,
                           const struct ArrowArray *rows)
{
    const struct self *self = p;
    struct hr_col c;
    int64_t i;

    (void)run;
    if (hr_col_open(&self->in, rows, self->v, &c) < 0)
        return HR_INTERNAL;
    for (i = 0; i < c.length; i++)
        sum_add(self->function == FN_CHAIN, accs[group ? group[i] : 0],
                hr_col_int(&c, c.at + i));
    return HR_OK;
}

static hr_status sum_merge(const void *p, hr_run *run, void *acc, void *other)
{
    const struct self *self = p;
    struct sum *a = acc, *b = other;

    (void)run;
    a->n += b->n;
    /* both begin with 1, which counts once */
    a->v = self->function == FN_CHAIN ? a->v * b->power + (b->v - b->power) : a->v + b->v - 1;
    a->power *= b->power;
    b->v = ~b->v; /* it is of no use any more */
    return HR_OK;
}

static hr_status sum_serialize(const void *self, hr_run *run, void *const *accs, uint32_t n,
                               struct ArrowArray *ret)
{
    size_t size = 1 + sizeof(struct sum);
    int64_t *offsets = calloc((size_t)n + 1, sizeof *offsets);
    char *bytes = malloc(n * size + 1);
    struct ArrowArray a;
    uint32_t i;

    (void)run;
    need(offsets && bytes &&
             hr_arrow_new(((const struct self *)self)->config.env, 3, 0, false, &a) == HR_OK,
         "no memory");
    for (i = 0; i < n; i++) {
        bytes[i * size] = FORMAT_OF_BYTES;
        memcpy(bytes + i * size + 1, accs[i], sizeof(struct sum));
        offsets[i + 1] = (int64_t)((i + 1) * size);
    }
    hr_arrow_put(&a, 1, offsets, true);
    hr_arrow_put(&a, 2, bytes, true);
    a.length = n;
    *ret = a;
    return HR_OK;
}

static hr_status sum_deserialize(const void *self, hr_run *run, const struct ArrowArray *bytes,
                                 void **ret_accs)
{
    const int64_t *offsets = bytes->buffers[1];
    const char *data = bytes->buffers[2];
    int64_t i;

    (void)self, (void)run;
    for (i = 0; i < bytes->length; i++) {
        struct sum *s = malloc(sizeof *s);

        need(s && data[offsets[i]] == FORMAT_OF_BYTES &&
                 offsets[i + 1] - offsets[i] == 1 + (int64_t)sizeof *s,
             "other bytes than serialize() gave");
        memcpy(s, data + offsets[i] + 1, sizeof *s);
        ret_accs[i] = s;
    }
    return HR_OK;
}

static hr_status sum_extract(const void *self, hr_run *run, void *const *accs, uint32_t n,
                             struct ArrowArray *ret)
{
    struct hr_builder b[2];
    uint32_t i;

    (void)self, (void)run;
    numbers_begin(b);
    numbers_add(b, &sum_none); /* a row before those that count */
    for (i = 0; i < n; i++)
        numbers_add(b, accs[i]);
    numbers_end(b, ret);
    ret->offset = 1;
    ret->length = n;
    return HR_OK;
}

static void sum_drop(const void *self, void *acc)
{
    (void)self;
    free(acc);
}

/* -- the list ------------------------------------------------------------------------------ */

static const hr_map_1 pick_table = { map_make, map_batch, map_flush, drop };
static const hr_map_1 renumber_table = { map_make, renumber_batch, no_flush, drop };
static const hr_map_1 runs_table = { map_make, runs_batch, runs_flush, drop };
static const hr_combine_1 sum_table = { sum_make,      sum_create,      sum_batch,
                                        sum_merge,     sum_serialize,   sum_deserialize,
                                        sum_extract,   sum_drop,        drop };
static const hr_function pick = { sizeof pick, 0, 0, 0, "pick", "", HR_MAP, &pick_table };
static const hr_function few = { sizeof few, 0, 0, FEW_ROWS, "few", "", HR_MAP, &pick_table };
static const hr_function split = { sizeof split, 0, OUTPUTS, 0, "split", "", HR_MAP, &pick_table };
static const hr_function renumber = { sizeof renumber, 0,      0,
                                      0,               "renumber", "",
                                      HR_MAP,          &renumber_table };
static const hr_function runs = { sizeof runs, 0, 0, 0, "runs", "", HR_MAP, &runs_table };
static const hr_function chain = { sizeof chain, 0, 0, 0, "chain", "", HR_COMBINE, &sum_table };
static const hr_function total = { sizeof total, HR_FUNCTION_EXACT, 0,          0,
                                   "total",      "",                HR_COMBINE, &sum_table };
const hr_function *const flow_functions[FUNCTIONS + 1] = { &pick, &few,   &split, &renumber,
                                                           &runs, &chain, &total, NULL };
