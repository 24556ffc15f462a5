/* Quantiles by a weighted summary (Greenwald, Khanna 2001, with weights).
 *
 * An entry holds a value, its weight, and the least and greatest rank its end can have.  A
 * buffer takes values; when full it is sorted into a summary, which goes into level 0, or with
 * what is there into the next level, and so on, as in a binary counter.  As long as a summary
 * has no more entries than its block, nothing is lost: the borders are then exact whatever the
 * order of rows.  A block has at least 65 536 entries, and as many as TFT's for its epsilon.
 *
 * Format 1:   u8 1, u64 n and n (value, weight) of the buffer, u64 levels, for each: u64 n and
 *             n (value, weight, least, greatest); all numbers doubles but counts
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "transform/analyze.h"

enum { BLOCK_LEAST = 1 << 16, LEVELS = 40 };

struct pair {
    float v;
    double w;
};

struct entry {
    float v;
    double w, min, max;
};

struct summary {
    struct entry *e;
    size_t n, cap;
};

struct quantiles {
    struct pair *buffer;
    size_t n, cap;
    struct summary levels[LEVELS];
};

static struct hr_env *env_of(const struct hr_analyzer *a)
{
    return (struct hr_env *)&a->env;
}

/* The block of TFT's sketch for a third of epsilon, or ours if that is larger. */
static size_t block_of(const struct hr_analyzer *a)
{
    double eps = a->epsilon / 3, block = 2;
    int level = 1;

    while (ldexp(block, level) < 4294967296.0 && level < 60) {
        block = ceil(level / eps) + 1;
        level++;
    }
    return block > BLOCK_LEAST ? (size_t)block : (size_t)BLOCK_LEAST;
}

static void summary_clear(const struct hr_analyzer *a, struct summary *s)
{
    hr_mem_put(env_of(a), s->e, s->cap * sizeof *s->e);
    *s = (struct summary){ 0 };
}

static bool summary_room(const struct hr_analyzer *a, struct summary *s, size_t n)
{
    return hr_mem_reserve(env_of(a), (void **)&s->e, &s->cap, n ? n : 1, sizeof *s->e,
                          SIZE_MAX / 64);
}

static int by_value(const void *p, const void *q)
{
    const struct pair *a = p, *b = q;

    if (a->v != b->v)
        return a->v < b->v ? -1 : 1;
    return (a->w > b->w) - (a->w < b->w);
}

/* The most that rows of s below a value can weigh; next: its first entry above, NULL at its end. */
static double most_below(const struct summary *s, const struct entry *next)
{
    if (next)
        return next->max - next->w;
    return s->n ? s->e[s->n - 1].max : 0;
}

/* The two together. */
static hr_status summary_merge(const struct hr_analyzer *a, const struct summary *x,
                               const struct summary *y, struct summary *ret)
{
    size_t i = 0, j = 0;
    double below_x = 0, below_y = 0;
    struct summary r = { 0 };

    if (!summary_room(a, &r, x->n + y->n))
        return HR_EXHAUSTED;
    while (i < x->n || j < y->n) {
        const struct entry *p = i < x->n ? &x->e[i] : NULL, *q = j < y->n ? &y->e[j] : NULL;
        struct entry *o = &r.e[r.n++];

        if (p && q && p->v == q->v) {
            *o = (struct entry){ p->v, p->w + q->w, p->min + q->min, p->max + q->max };
        } else if (p && (!q || p->v < q->v)) {
            *o = *p;
            o->min += below_y;
            o->max += most_below(y, q);
            q = NULL;
        } else {
            *o = *q;
            o->min += below_x;
            o->max += most_below(x, p);
            p = NULL;
        }
        if (p)
            below_x = p->min + p->w, i++;
        if (q)
            below_y = q->min + q->w, j++;
    }
    *ret = r;
    return HR_OK;
}

/* Down to about hint entries, each rank off by at most the share that leaves. */
static void summary_compress(struct summary *s, size_t hint, double eps)
{
    double delta, share = 1 / (double)hint;
    size_t r = 0, n, kept = 1;
    int64_t acc = 0, len = (int64_t)s->n; /* how many entries over or under what is due */

    if (s->n <= hint)
        return;
    delta = s->e[s->n - 1].max * (share > eps ? share : eps);
    while (r + 1 < s->n) {
        n = r + 1;
        while (n < s->n && acc < len &&
               (s->e[n].max - s->e[n].w) - (s->e[r].min + s->e[r].w) <= delta) {
            acc += (int64_t)hint;
            n++;
        }
        r = r + 1 > n - 1 ? r + 1 : n - 1;
        s->e[kept++] = s->e[r];
        acc -= len;
    }
    s->n = kept;
}

/* Takes *s. */
static hr_status propagate(const struct hr_analyzer *a, struct quantiles *q, struct summary *s)
{
    size_t block = block_of(a);
    struct summary both;
    int i;

    for (i = 0; i < LEVELS; i++) {
        if (!q->levels[i].n) {
            summary_clear(a, &q->levels[i]);
            q->levels[i] = *s;
            *s = (struct summary){ 0 };
            return HR_OK;
        }
        if (summary_merge(a, s, &q->levels[i], &both) < 0)
            break;
        summary_clear(a, s);
        summary_clear(a, &q->levels[i]);
        if (both.n <= block + 1) {
            q->levels[i] = both;
            return HR_OK;
        }
        summary_compress(&both, block, a->epsilon / 3);
        *s = both;
    }
    summary_clear(a, s);
    return HR_EXHAUSTED;
}

static hr_status flush(const struct hr_analyzer *a, struct quantiles *q)
{
    struct summary s = { 0 };
    double rank = 0;
    size_t i;

    if (!q->n)
        return HR_OK;
    if (!summary_room(a, &s, q->n))
        return HR_EXHAUSTED;
    qsort(q->buffer, q->n, sizeof *q->buffer, by_value);
    for (i = 0; i < q->n; i++) {
        if (s.n && s.e[s.n - 1].v == q->buffer[i].v) {
            s.e[s.n - 1].w += q->buffer[i].w;
        } else {
            s.e[s.n] = (struct entry){ q->buffer[i].v, q->buffer[i].w, 0, 0 };
            s.n++;
        }
    }
    for (i = 0; i < s.n; i++) {
        s.e[i].min = rank;
        rank += s.e[i].w;
        s.e[i].max = rank;
    }
    q->n = 0;
    summary_compress(&s, block_of(a), a->epsilon / 3);
    return propagate(a, q, &s);
}

static hr_status push(const struct hr_analyzer *a, struct quantiles *q, float v, double w)
{
    if (v != v || !(w > 0) || w - w != 0)
        return HR_OK;
    if (!hr_mem_reserve(env_of(a), (void **)&q->buffer, &q->cap, q->n + 1, sizeof *q->buffer,
                        SIZE_MAX / 64))
        return HR_EXHAUSTED;
    q->buffer[q->n++] = (struct pair){ v == 0 ? 0 : v, w }; /* one zero */
    return q->n >= 2 * block_of(a) ? flush(a, q) : HR_OK;
}

static hr_status quantiles_add(const struct hr_analyzer *a, void *p, const struct hr_range *rows)
{
    const struct hr_col *c = rows->col, *w = rows->weight;
    hr_status r = HR_OK;
    int64_t i, k, at, n, wat;

    if (c->kind != HR_COL_INT && c->kind != HR_COL_FLOAT)
        return HR_OK;
    for (i = rows->first; i < rows->end; i++) {
        double weight = 1;

        if (w)
            weight = hr_col_count(w, i, &wat) ? hr_col_double(w, wat) : 0;
        n = hr_col_count(c, i, &at);
        for (k = 0; k < n && r == HR_OK; k++)
            r = push(a, p, (float)hr_col_double(c, at + k), weight);
    }
    return r;
}

static hr_status quantiles_merge(const struct hr_analyzer *a, void *p, void *other)
{
    struct quantiles *q = other;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < q->n && r == HR_OK; i++)
        r = push(a, p, q->buffer[i].v, q->buffer[i].w);
    for (i = 0; i < LEVELS && r == HR_OK; i++)
        if (q->levels[i].n) {
            summary_compress(&q->levels[i], block_of(a), a->epsilon / 3);
            r = propagate(a, p, &q->levels[i]);
        }
    return r;
}

static void quantiles_write(const struct hr_analyzer *a, const void *p, struct hr_buf *to)
{
    const struct quantiles *q = p;
    size_t i, k;

    (void)a;
    hr_buf_char(to, 1);
    hr_write_u64(to, q->n);
    for (i = 0; i < q->n; i++) {
        hr_write_f64(to, (double)q->buffer[i].v);
        hr_write_f64(to, q->buffer[i].w);
    }
    hr_write_u64(to, LEVELS);
    for (i = 0; i < LEVELS; i++) {
        hr_write_u64(to, q->levels[i].n);
        for (k = 0; k < q->levels[i].n; k++) {
            const struct entry *e = &q->levels[i].e[k];

            hr_write_f64(to, (double)e->v);
            hr_write_f64(to, e->w);
            hr_write_f64(to, e->min);
            hr_write_f64(to, e->max);
        }
    }
}

static bool read_entry(struct hr_reader *from, struct summary *s)
{
    struct entry e;

    e.v = (float)hr_read_f64(from);
    e.w = hr_read_f64(from);
    e.min = hr_read_f64(from);
    e.max = hr_read_f64(from);
    if (from->bad || e.v != e.v || !(e.w > 0) || !(e.min >= 0) || !(e.max >= e.w) ||
        e.max - e.max != 0 || (s->n && !(s->e[s->n - 1].v < e.v)))
        return false;
    s->e[s->n++] = e;
    return true;
}

/* The values that are in no level as yet. */
static hr_status read_pairs(const struct hr_analyzer *a, struct quantiles *q,
                            struct hr_reader *from)
{
    uint64_t n = hr_read_u64(from), i;
    hr_status r = HR_OK;

    for (i = 0; i < n && !from->bad && r == HR_OK; i++) {
        float v = (float)hr_read_f64(from);
        double w = hr_read_f64(from);

        if (!from->bad)
            r = push(a, q, v, w);
    }
    return from->bad ? HR_DATA_LOSS : r;
}

static hr_status read_level(const struct hr_analyzer *a, struct summary *s, struct hr_reader *from)
{
    uint64_t n = hr_read_u64(from), k;

    if (from->bad || n > (uint64_t)(from->end - from->p) / 32)
        return HR_DATA_LOSS;
    summary_clear(a, s);
    if (n && !summary_room(a, s, (size_t)n))
        return HR_EXHAUSTED;
    for (k = 0; k < n; k++)
        if (!read_entry(from, s))
            return HR_DATA_LOSS;
    return HR_OK;
}

static hr_status quantiles_read(const struct hr_analyzer *a, void *p, struct hr_reader *from)
{
    struct quantiles *q = p;
    uint64_t levels, i;
    hr_status r;

    if (hr_read_u8(from) != 1)
        return HR_DATA_LOSS;
    if ((r = read_pairs(a, q, from)) < 0)
        return r;
    levels = hr_read_u64(from);
    if (from->bad || levels > LEVELS)
        return HR_DATA_LOSS;
    for (i = 0; i < levels && r == HR_OK; i++)
        r = read_level(a, &q->levels[i], from);
    return r;
}

/* All levels in one summary, which stays in q. */
static hr_status finish(const struct hr_analyzer *a, struct quantiles *q, struct summary **ret)
{
    struct summary both;
    hr_status r = flush(a, q);
    int i;

    for (i = 1; i < LEVELS && r == HR_OK; i++) {
        if (!q->levels[i].n)
            continue;
        if ((r = summary_merge(a, &q->levels[0], &q->levels[i], &both)) < 0)
            break;
        summary_clear(a, &q->levels[0]);
        summary_clear(a, &q->levels[i]);
        q->levels[0] = both;
    }
    *ret = &q->levels[0];
    return r;
}

/* The border of each rank but the first and the last. */
static hr_status quantiles_result(const struct hr_analyzer *a, void *p, struct hr_builder *columns)
{
    struct summary *s;
    hr_status r = finish(a, p, &s);
    size_t cur = 0, next, rank, n = (size_t)a->top_k;
    double total = s->n ? s->e[s->n - 1].max : 0, twice;

    if (r < 0)
        return r;
    for (rank = 0; rank <= n; rank++) {
        const struct entry *x = s->e;

        if (s->n) {
            twice = 2 * ((double)rank * total / (double)n);
            for (next = cur + 1; next < s->n && twice >= s->e[next].min + s->e[next].max; next++)
                ;
            cur = next - 1;
            x = &s->e[cur];
            if (next < s->n &&
                !(twice < (s->e[cur].min + s->e[cur].w) + (s->e[next].max - s->e[next].w)))
                x = &s->e[next];
        }
        if (rank && rank < n)
            hr_builder_double(&columns[0], s->n ? (double)x->v : 0);
    }
    hr_builder_end(&columns[0]);
    return HR_OK;
}

static void quantiles_clear(const struct hr_analyzer *a, void *p)
{
    struct quantiles *q = p;
    int i;

    hr_mem_put(env_of(a), q->buffer, q->cap * sizeof *q->buffer);
    for (i = 0; i < LEVELS; i++)
        summary_clear(a, &q->levels[i]);
}

const struct hr_analyzer_kind hr_analyze_quantiles = {
    "analyze.quantiles", sizeof(struct quantiles), quantiles_add,
    quantiles_merge,     quantiles_write,          quantiles_read,
    "borders:g*",        quantiles_result,         quantiles_clear,
};
