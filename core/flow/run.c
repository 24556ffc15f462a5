/* A source is run window by window: some blocks are cut from it, each is a task on a thread,
 * and what the tasks gave is put together in the order of the blocks.
 */
#include <string.h>

#include "flow/combine.h"
#include "flow/graph.h"

enum {
    MIN_WINDOW = 16, /* blocks; a power of two */
    MAX_WINDOW = 256,
    RUN_BLOCKS = 32, /* of a window whose tasks are runs of blocks */
    MIN_RUN = 4
};

/* What a task gave to one part of one sink. */
struct bin {
    struct chunks chunks;
    struct table *table;
};

struct task {
    hr_flow *flow;
    struct step *source;
    struct ArrowArray *pieces; /* of a stream */
    size_t n_pieces, cap_pieces;
    size_t from, to; /* of a combine or a group */
    struct lane *lane;
    struct bin *bins;
    /* where the rows of the call that is made now come from; row -1: not from the source itself */
    int64_t first, row, at;
};

struct window {
    hr_flow *flow;
    struct step *source;
    struct task *tasks;
    size_t n, size;
    size_t run;             /* blocks of a task, more than one only where all combines are exact */
    bool exact;             /* tables go on from window to window */
    struct hr_owner *batch; /* of the stream, not all of it is in blocks yet */
    int64_t batch_at, row; /* row: of the stream, the first that is in no block yet */
    size_t order_at;
    bool end;
    /* one level of a merge */
    struct step *sink;
    size_t bin, gap;
};

hr_status flow_hold(hr_flow *f, size_t *by, size_t bytes)
{
    size_t held = __atomic_add_fetch(&f->held, bytes, __ATOMIC_RELAXED);

    __atomic_add_fetch(by, bytes, __ATOMIC_RELAXED);

    if (!f->env->memory_max || held <= f->env->memory_max)
        return HR_OK;
    return hr_fail(
        f->env, HR_EXHAUSTED,
        "the flow holds more than %zu MiB of rows, its limit; raise the memory limit, or "
        "keep and group fewer rows",
        f->env->memory_max >> 20);
}

void flow_let_go(hr_flow *f, size_t *held)
{
    __atomic_sub_fetch(&f->held, *held, __ATOMIC_RELAXED);
    *held = 0;
}

/* -- chunks ------------------------------------------------------------------------ */

static void chunk_clear(hr_flow *f, struct chunk *c)
{
    HR_RELEASE(&c->rows);
    hr_mem_put(f->env, c->keys, c->keys_size);
    if (c->ends)
        hr_mem_put(f->env, c->ends, ((size_t)c->rows.length + 1) * sizeof *c->ends);
    c->keys = NULL;
    c->ends = NULL;
}

hr_status chunks_add(hr_flow *f, struct chunks *c, struct chunk *chunk)
{
    if (!hr_mem_reserve(f->env, (void **)&c->items, &c->cap, c->n + 1, sizeof *c->items,
                        (size_t)1 << 31)) {
        chunk_clear(f, chunk);
        return HR_EXHAUSTED;
    }
    c->items[c->n++] = *chunk;
    return HR_OK;
}

void chunks_clear(hr_flow *f, struct chunks *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        chunk_clear(f, &c->items[i]);
    hr_mem_put(f->env, c->items, c->cap * sizeof *c->items);
    memset(c, 0, sizeof *c);
}

/* -- rows on their way ------------------------------------------------------------- */

static hr_status deliver(struct task *t, uint32_t coll, uint32_t part, struct ArrowArray *rows);

static int64_t limit_of(const hr_flow *f, const struct step *s)
{
    int64_t limit = f->env->batch_rows;

    if (s->function && s->function->max_rows && (int64_t)s->function->max_rows < limit)
        limit = s->function->max_rows;
    return limit;
}

static hr_status call_batch(struct task *t, struct step *s, uint32_t part, struct ArrowArray *rows)
{
    struct hr_flow_call *call;
    hr_status r;

    if (s->kind == STEP_COMBINE) {
        struct bin *bin = &t->bins[s->bin + part];

        r = bin->table ? HR_OK : table_new(t->flow, &bin->table);
        if (r == HR_OK)
            r = table_add(&t->lane->calls[s->slot], bin->table, rows);
        HR_RELEASE(rows);
        return r;
    }
    call = &t->lane->calls[s->slot + part];
    call->touched = true;
    r = ((const hr_map_1 *)s->function->table)->batch(call->self, call->run, rows);
    rows->release = NULL;
    return call_end(call, r);
}

/* To a function, cut to what it takes at once. */
static hr_status deliver_function(struct task *t, struct step *s, uint32_t part,
                                  struct ArrowArray *rows)
{
    int64_t limit = limit_of(t->flow, s), at, n;
    struct hr_owner *owner = NULL;
    hr_status r;

    if (rows->length <= limit)
        return call_batch(t, s, part, rows);
    r = hr_arrow_owner(t->flow->env, rows, &owner);
    for (at = 0; r == HR_OK && at < owner->rows.length; at += n) {
        struct ArrowArray cut;

        n = owner->rows.length - at < limit ? owner->rows.length - at : limit;
        r = hr_arrow_share(t->flow->env, &owner->rows, owner, hr_cut(at, n), &cut);
        t->at = at;
        if (r == HR_OK)
            r = call_batch(t, s, part, &cut);
    }
    t->at = 0;
    hr_owner_drop(owner);
    return r;
}

static hr_status deliver_chunk(struct task *t, struct step *s, uint32_t part,
                               struct ArrowArray *rows)
{
    hr_flow *f = t->flow;
    const struct ArrowSchema *schema = &f->colls[s->ins[0]].schema;
    struct chunk c = { .rows = *rows };
    struct hr_buf bytes;
    hr_status r = flow_hold(f, &s->bytes, hr_arrow_size(schema, rows));

    rows->release = NULL;
    if (r == HR_OK && s->kind == STEP_GROUP) {
        hr_buf_of(&bytes, UINT32_MAX - 1, f->env);
        c.ends = hr_mem_zero(f->env, ((size_t)c.rows.length + 1) * sizeof *c.ends);
        r = c.ends ? keys_encode(f->env, &s->plan, &c.rows, &bytes, c.ends) : HR_EXHAUSTED;
        if (r == HR_OK && (r = flow_hold(f, &s->bytes, bytes.len)) == HR_OK) {
            c.keys_size = bytes.len + 1;
            c.keys = hr_mem_zero(f->env, c.keys_size);
            if (c.keys)
                memcpy(c.keys, bytes.text, bytes.len);
            else
                r = HR_EXHAUSTED;
        }
        hr_buf_clear(&bytes);
    }
    if (r < 0) {
        chunk_clear(f, &c);
        return r;
    }
    return chunks_add(f, &t->bins[s->bin + part].chunks, &c);
}

static hr_status deliver_to(struct task *t, const struct edge *e, uint32_t part,
                            struct ArrowArray *rows)
{
    struct step *s = &t->flow->steps[e->step];

    switch (s->kind) {
    case STEP_FLATTEN:
        return deliver(t, s->out, e->base + part, rows);
    case STEP_MAP:
    case STEP_COMBINE:
        return deliver_function(t, s, e->base + part, rows);
    default:
        return deliver_chunk(t, s, e->base + part, rows);
    }
}

/* To all who take the collection; takes *rows. */
static hr_status deliver(struct task *t, uint32_t coll, uint32_t part, struct ArrowArray *rows)
{
    const struct coll *c = &t->flow->colls[coll];
    struct hr_owner *owner = NULL;
    hr_status r = HR_OK;
    size_t k;

    if (!rows->length || !c->n_edges) {
        HR_RELEASE(rows);
        return HR_OK;
    }
    if (c->n_edges == 1)
        return deliver_to(t, &c->edges[0], part, rows);
    r = hr_arrow_owner(t->flow->env, rows, &owner);
    for (k = 0; r == HR_OK && k < c->n_edges; k++) {
        struct ArrowArray one;

        r = hr_arrow_share(t->flow->env, &owner->rows, owner, hr_cut(0, owner->rows.length), &one);
        if (r == HR_OK)
            r = deliver_to(t, &c->edges[k], part, &one);
    }
    hr_owner_drop(owner);
    return r;
}

/* Rows that a function made have no number in the source. */
static hr_status deliver_made(struct task *t, uint32_t coll, uint32_t part, struct ArrowArray *rows)
{
    int64_t row = t->row, at = t->at;
    hr_status r;

    t->row = -1;
    r = deliver(t, coll, part, rows);
    t->row = row;
    t->at = at;
    return r;
}

bool hr_flow_call_place(const struct hr_flow_call *call, struct hr_flow_place *ret)
{
    const struct task *t = call->task;

    if (!t || t->row < 0 || (t->source->kind != STEP_READ && t->source->kind != STEP_FROM))
        return false;
    *ret = (struct hr_flow_place){ t->source->key, t->source->split, t->source->i,
                                   t->row + t->at };
    return true;
}

static hr_status refuse(struct hr_flow_call *call, struct ArrowArray *batch, hr_status r)
{
    HR_RELEASE(batch);
    if (!call->refused)
        call->refused = r;
    return r;
}

hr_status hr_flow_emit(struct hr_flow_call *call, uint32_t k, struct ArrowArray *batch)
{
    struct step *s = call->step;
    struct hr_env *env = call->flow->env;
    const struct ArrowSchema *schema;
    char name[256];
    hr_status r = HR_OK;

    step_name(s, name, sizeof name);
    if (s->kind != STEP_MAP || !call->task)
        return refuse(call, batch,
                      hr_fail(env, HR_INTERNAL,
                              "%s emits rows outside of batch() and flush() (a bug of "
                              "the plugin)",
                              name));
    if (k >= s->n_outs)
        return refuse(call, batch,
                      hr_fail(env, HR_INTERNAL,
                              "%s emits to output %u, but has %u (a bug of the plugin)", name, k,
                              s->n_outs));
    schema = &call->flow->colls[s->out + k].schema;
    if (call->flow->host.check)
        r = hr_arrow_check(env, schema, batch, name);
    else if (!batch->release || batch->n_children != schema->n_children)
        r = hr_fail(env, HR_INVALID, "%s emits a batch that is empty or of other columns", name);
    if (r == HR_OK)
        r = deliver_made(call->task, s->out + k, call->part, batch);
    return r < 0 ? refuse(call, batch, r) : HR_OK;
}

hr_status hr_flow_call_fail(struct hr_flow_call *call, hr_status code, const char *text)
{
    size_t n = strlen(text), old = strlen(call->text), most = sizeof call->text - 1;

    /* the outer reason stands first */
    if (old && n + 1 < most) {
        old = old < most - n - 1 ? old : most - n - 1;
        memmove(call->text + n + 1, call->text, old);
        call->text[n] = '\n';
        call->text[n + 1 + old] = '\0';
        memcpy(call->text, text, n);
    } else if (!old) {
        n = n < most ? n : hr_utf8_valid(text, most);
        memcpy(call->text, text, n);
        call->text[n] = '\0';
    }
    return code;
}

/* -- tasks ------------------------------------------------------------------------- */

static hr_status flush_all(struct task *t)
{
    hr_flow *f = t->flow;
    uint32_t i;

    for (i = 0; i < f->n_slots; i++) { /* slots are in the order of steps: upstream first */
        struct hr_flow_call *call = &t->lane->calls[i];
        hr_status r;

        if (call->step->kind != STEP_MAP || !call->touched)
            continue;
        r = ((const hr_map_1 *)call->step->function->table)->flush(call->self, call->run);
        if ((r = call_end(call, r)) < 0)
            return r;
        call->touched = false;
    }
    return HR_OK;
}

/* Pieces of a stream; only the last block of them can be short. */
static hr_status task_stream(struct task *t)
{
    int64_t in_block = 0;
    hr_status r = HR_OK;
    size_t p;

    for (p = 0; r == HR_OK && p < t->n_pieces; p++) {
        int64_t n = t->pieces[p].length;

        r = deliver(t, t->source->out, 0, &t->pieces[p]);
        t->row += n;
        in_block += n;
        if (r == HR_OK && in_block == HR_FLOW_BLOCK && p + 1 < t->n_pieces) {
            r = flush_all(t);
            in_block = 0;
        }
    }
    return r;
}

static hr_status task_sorted(struct task *t)
{
    struct step *s = t->source;
    size_t at, to, limit = (size_t)t->flow->env->batch_rows;
    hr_status r = HR_OK;

    for (at = t->from; r == HR_OK && at < t->to; at = to) {
        struct ArrowArray rows;

        to = t->to - at < limit ? t->to : at + limit;
        if (s->kind == STEP_GROUP)
            r = group_rows(t->flow, s, at, to, &rows);
        else
            r = combine_rows(&t->lane->calls[s->slot], s, at, to, &rows);
        if (r == HR_OK)
            r = deliver(t, s->out, 0, &rows);
    }
    return r;
}

static hr_status task_run(void *user, size_t i)
{
    struct window *w = user;
    struct task *t = &w->tasks[i];
    hr_flow *f = w->flow;
    hr_status r = flow_lane_get(f, &t->lane);
    uint32_t k;

    if (r < 0)
        return r;
    for (k = 0; k < f->n_slots; k++)
        t->lane->calls[k].task = t;
    t->row = t->first;
    if (t->source->kind == STEP_READ || t->source->kind == STEP_FROM)
        r = task_stream(t);
    else
        r = task_sorted(t);
    t->row = -1;
    if (r == HR_OK)
        r = flush_all(t);
    flow_lane_put(f, t->lane);
    return r;
}

static void task_clear(struct task *t)
{
    hr_flow *f = t->flow;
    size_t p, k;

    for (p = 0; p < t->n_pieces; p++)
        HR_RELEASE(&t->pieces[p]);
    hr_mem_put(f->env, t->pieces, t->cap_pieces * sizeof *t->pieces);
    for (k = 0; t->bins && k < f->n_steps; k++) {
        const struct step *s = &f->steps[k];

        for (p = 0; s->held && p < s->parts; p++) {
            chunks_clear(f, &t->bins[s->bin + p].chunks);
            table_free(f, s, t->bins[s->bin + p].table);
        }
    }
    hr_mem_put(f->env, t->bins, (f->n_bins + 1) * sizeof *t->bins);
    memset(t, 0, sizeof *t);
}

/* -- cutting a source into blocks -------------------------------------------------- */

/* The next batch of the stream that has rows, or the end. */
static hr_status next_batch(struct window *w)
{
    struct hr_env *env = w->flow->env;
    struct step *s = w->source;
    struct ArrowArray rows;
    char name[256];
    hr_status r;

    step_name(s, name, sizeof name);
    do {
        r = hr_arrow_stream_next(env, &s->stream, name, &rows);
        if (r < 0)
            return r;
        if (!rows.release) {
            w->end = true;
            return HR_OK;
        }
        if (w->flow->host.check || s->kind == STEP_FROM)
            r = hr_arrow_check(env, &w->flow->colls[s->out].schema, &rows, name);
        if (r < 0 || !rows.length)
            HR_RELEASE(&rows);
    } while (r == HR_OK && !rows.release);
    w->batch_at = 0;
    return r < 0 ? r : hr_arrow_owner(env, &rows, &w->batch);
}

/* Up to a block of rows more from the stream; none at its end. */
static hr_status cut_block(struct window *w, struct task *t)
{
    struct hr_env *env = w->flow->env;
    int64_t want = HR_FLOW_BLOCK, n;
    hr_status r = HR_OK;

    while (want && !w->end) {
        if (!w->batch) {
            if ((r = next_batch(w)) < 0)
                return r;
            continue;
        }
        n = w->batch->rows.length - w->batch_at;
        n = n < want ? n : want;
        if (!hr_mem_reserve(env, (void **)&t->pieces, &t->cap_pieces, t->n_pieces + 1,
                            sizeof *t->pieces, (HR_FLOW_BLOCK + 1) * w->run))
            return HR_EXHAUSTED;
        r = hr_arrow_share(env, &w->batch->rows, w->batch, hr_cut(w->batch_at, n),
                           &t->pieces[t->n_pieces]);
        if (r < 0)
            return r;
        t->n_pieces++;
        want -= n;
        w->row += n;
        w->batch_at += n;
        if (w->batch_at == w->batch->rows.length) {
            hr_owner_drop(w->batch);
            w->batch = NULL;
        }
    }
    return HR_OK;
}

static hr_status cut_stream(struct window *w, struct task *t)
{
    hr_status r = HR_OK;
    size_t i;

    t->first = w->row;
    for (i = 0; r == HR_OK && i < w->run && !w->end; i++)
        r = cut_block(w, t);
    return r;
}

static bool same_key(const struct sorted *a, const struct sorted *b)
{
    return a->size == b->size && !memcmp(a->key, b->key, a->size);
}

/* A block of sorted rows; the rows of one key of a group stay together. */
static void cut_sorted(struct window *w, struct task *t)
{
    const struct step *s = w->source;
    size_t to = w->order_at;

    to = s->n_order - to > HR_FLOW_BLOCK ? to + HR_FLOW_BLOCK : s->n_order;
    while (s->kind == STEP_GROUP && to > 0 && to < s->n_order &&
           same_key(&s->order[to - 1], &s->order[to]))
        to++;
    t->from = w->order_at;
    t->to = to;
    w->order_at = to;
    w->end = to == s->n_order;
}

static hr_status fill_window(struct window *w)
{
    hr_flow *f = w->flow;
    hr_status r = HR_OK;

    for (w->n = 0; r == HR_OK && w->n < w->size && !w->end;) {
        struct task *t = &w->tasks[w->n];

        t->flow = f;
        t->source = w->source;
        if (w->source->kind == STEP_READ || w->source->kind == STEP_FROM)
            r = cut_stream(w, t);
        else
            cut_sorted(w, t);
        if (!t->n_pieces && t->from == t->to)
            break;
        w->n++;
        if (r == HR_OK && !(t->bins = hr_mem_zero(f->env, (f->n_bins + 1) * sizeof *t->bins)))
            r = HR_EXHAUSTED;
    }
    return r;
}

/* -- putting together -------------------------------------------------------------- */

static hr_status merge_pair(void *user, size_t i)
{
    struct window *w = user;
    size_t at = i * 2 * w->gap;
    struct table *from = w->tasks[at + w->gap].bins[w->bin].table;
    struct lane *lane;
    hr_status r = flow_lane_get(w->flow, &lane);

    if (r < 0)
        return r;
    w->tasks[at + w->gap].bins[w->bin].table = NULL;
    r = table_merge(&lane->calls[w->sink->slot], w->tasks[at].bins[w->bin].table, from);
    flow_lane_put(w->flow, lane);
    return r;
}

/* Can the window's tables be merged among themselves first, as the counter would do it? */
static bool aligned(const struct window *w, const struct ranks *ranks)
{
    size_t i;
    int rank;

    if (w->n != w->size)
        return false;
    for (i = 0; i < w->n; i++)
        if (!w->tasks[i].bins[w->bin].table)
            return false;
    for (rank = 0; (size_t)1 << rank < w->size; rank++)
        if (ranks->at[rank])
            return false;
    return true;
}

/* Of an exact function rows need their order only, no tree: one table goes on from window to
 * window in the first task, and has those of the others added. */
static void adopt_tables(struct window *w)
{
    hr_flow *f = w->flow;
    uint32_t p;
    size_t k;

    for (k = 0; k < f->n_steps; k++) {
        struct step *s = &f->steps[k];

        for (p = 0; s->kind == STEP_COMBINE && s->held && p < s->parts; p++) {
            w->tasks[0].bins[s->bin + p].table = s->held[p].ranks.at[0];
            s->held[p].ranks.at[0] = NULL;
        }
    }
}

static hr_status gather_exact(struct window *w, struct step *s, uint32_t part)
{
    struct table *all = NULL, *t;
    struct lane *lane;
    hr_status r = flow_lane_get(w->flow, &lane);
    size_t i;

    if (r < 0)
        return r;
    for (i = 0; r == HR_OK && i < w->n; i++) {
        t = w->tasks[i].bins[s->bin + part].table;
        w->tasks[i].bins[s->bin + part].table = NULL;
        if (all && t)
            r = table_merge(&lane->calls[s->slot], all, t);
        else if (t)
            all = t;
    }
    s->held[part].ranks.at[0] = all;
    flow_lane_put(w->flow, lane);
    return r;
}

static hr_status gather_tables(struct window *w, struct step *s, uint32_t part)
{
    struct ranks *ranks = &s->held[part].ranks;
    struct lane *lane;
    hr_status r = HR_OK;
    int rank = 0;
    size_t i;

    if (w->exact)
        return gather_exact(w, s, part);
    w->sink = s;
    w->bin = s->bin + part;
    if (!w->flow->host.bytes && aligned(w, ranks))
        for (w->gap = 1; r == HR_OK && w->gap < w->n; w->gap *= 2, rank++)
            r = hr_work(w->flow->env, w->n / 2 / w->gap, merge_pair, w);
    if (r < 0 || (r = flow_lane_get(w->flow, &lane)) < 0)
        return r;
    for (i = 0; r == HR_OK && i < w->n; i++) {
        struct table *t = w->tasks[i].bins[w->bin].table;

        if (t && rank == 0 && w->flow->host.bytes)
            r = table_through_bytes(&lane->calls[s->slot], t);
        if (r < 0)
            break;
        w->tasks[i].bins[w->bin].table = NULL;
        if (t)
            r = ranks_push(&lane->calls[s->slot], ranks, rank, t);
    }
    flow_lane_put(w->flow, lane);
    return r;
}

static hr_status gather_chunks(struct window *w, struct step *s, uint32_t part)
{
    hr_status r = HR_OK;
    size_t i, k;

    for (i = 0; i < w->n; i++) {
        struct chunks *c = &w->tasks[i].bins[s->bin + part].chunks;

        for (k = 0; r == HR_OK && k < c->n; k++) {
            r = chunks_add(w->flow, &s->held[part].chunks, &c->items[k]);
            memset(&c->items[k], 0, sizeof c->items[k]);
        }
    }
    return r;
}

static hr_status gather(struct window *w)
{
    hr_flow *f = w->flow;
    hr_status r = HR_OK;
    uint32_t p;
    size_t k;

    for (k = 0; r == HR_OK && k < f->n_steps; k++) {
        struct step *s = &f->steps[k];

        for (p = 0; r == HR_OK && s->held && p < s->parts; p++)
            r = s->kind == STEP_COMBINE ? gather_tables(w, s, p) : gather_chunks(w, s, p);
    }
    return r;
}

/* Are there combines, and are the results of all the same however rows are put together? */
static bool all_exact(const hr_flow *f)
{
    bool some = false;
    size_t k;

    for (k = 0; k < f->n_steps; k++) {
        const struct step *s = &f->steps[k];

        if (s->kind != STEP_COMBINE)
            continue;
        if (!(s->function->flags & HR_FUNCTION_EXACT))
            return false;
        some = true;
    }
    return some && !f->host.bytes;
}

/* Of exact functions a thread takes a run of blocks at a time, so that there is little to merge. */
static void size_window(struct window *w)
{
    hr_flow *f = w->flow;
    size_t threads = (size_t)f->env->threads;

    w->run = 1;
    w->exact = all_exact(f);
    if (w->exact && (w->source->kind == STEP_READ || w->source->kind == STEP_FROM)) {
        w->size = threads;
        w->run = threads < RUN_BLOCKS / MIN_RUN ? RUN_BLOCKS / threads : MIN_RUN;
        return;
    }
    for (w->size = MIN_WINDOW; w->size < threads * 4 && w->size < MAX_WINDOW;)
        w->size *= 2;
}

static hr_status run_window(struct window *w)
{
    hr_flow *f = w->flow;
    hr_status r = fill_window(w);

    if (r == HR_OK && hr_cancelled(f->env))
        r = hr_fail(f->env, HR_CANCELLED, "the flow was cancelled");
    if (r < 0 || !w->n) /* none: what is gathered so far stays as it is */
        return r;
    if (w->exact)
        adopt_tables(w);
    r = hr_work(f->env, w->n, task_run, w);
    return r < 0 ? r : gather(w);
}

hr_status flow_run_source(hr_flow *f, struct step *s)
{
    struct window w = { .flow = f, .source = s };
    hr_status r = HR_OK;
    size_t i;

    size_window(&w);
    w.tasks = hr_mem_zero(f->env, w.size * sizeof *w.tasks);
    if (!w.tasks)
        return HR_EXHAUSTED;
    w.end = s->kind != STEP_READ && s->kind != STEP_FROM && !s->n_order;
    while (r == HR_OK && !w.end) {
        r = run_window(&w);
        for (i = 0; i < w.size; i++)
            if (w.tasks[i].flow)
                task_clear(&w.tasks[i]);
    }
    if (s->kind == STEP_COMBINE || s->kind == STEP_GROUP)
        step_let_go(f, s);
    hr_owner_drop(w.batch);
    hr_mem_put(f->env, w.tasks, w.size * sizeof *w.tasks);
    HR_RELEASE(&s->stream);
    return r;
}
