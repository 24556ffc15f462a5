#include "analysis/gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LOG = 4, MAX_LOG = 24, CLASS_BITS = 24 };

/* -- tables ---------------------------------------------------------------------------- */

static struct hr_cell *find(const struct hr_cells *t, uint64_t key)
{
    size_t mask = ((size_t)1 << t->log) - 1;
    size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - t->log));

    while (t->cells[i].key && t->cells[i].key != key)
        i = (i + 1) & mask;
    return &t->cells[i];
}

static hr_status grow(struct hr_env *env, struct hr_cells *t)
{
    struct hr_cells to = { .n = t->n, .log = t->cells ? t->log + 1 : FIRST_LOG };
    size_t i;

    if (to.log > MAX_LOG)
        return hr_fail(env, HR_EXHAUSTED, "a confusion matrix has more than %zu entries", t->n);
    to.cells = hr_mem_zero(env, sizeof *to.cells << to.log);
    if (!to.cells)
        return HR_EXHAUSTED;
    for (i = 0; t->cells && i < (size_t)1 << t->log; i++)
        if (t->cells[i].key)
            *find(&to, t->cells[i].key) = t->cells[i];
    if (t->cells)
        hr_mem_put(env, t->cells, sizeof *t->cells << t->log);
    *t = to;
    return HR_OK;
}

static hr_status cells_add(struct hr_env *env, struct hr_cells *t, uint64_t key, double a, double b,
                           double c)
{
    struct hr_cell *cell;
    hr_status r;

    key++;
    if (!t->cells || t->n * 2 >= (size_t)1 << t->log) {
        r = grow(env, t);
        if (r < 0)
            return r;
    }
    cell = find(t, key);
    t->n += !cell->key;
    cell->key = key;
    cell->sums[0] += a;
    cell->sums[1] += b;
    cell->sums[2] += c;
    return HR_OK;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct hr_cell *)a)->key, y = ((const struct hr_cell *)b)->key;

    return (x > y) - (x < y);
}

static void sorted(const struct hr_cells *t, struct hr_cell *ret)
{
    size_t i, n = 0;

    for (i = 0; t->cells && i < (size_t)1 << t->log; i++)
        if (t->cells[i].key) {
            ret[n] = t->cells[i];
            ret[n++].key--;
        }
    if (n)
        qsort(ret, n, sizeof *ret, by_key);
}

const struct hr_cell *hr_cells_sorted(struct hr_arena *arena, const struct hr_cells *t)
{
    struct hr_cell *c = hr_arena_array(arena, t->n + 1, sizeof *c);

    if (c)
        sorted(t, c);
    return c;
}

uint64_t hr_class_key(size_t threshold, int32_t actual, int32_t predicted)
{
    return (uint64_t)threshold << (2 * CLASS_BITS) | (uint64_t)(uint32_t)actual << CLASS_BITS |
           (uint64_t)(uint32_t)(predicted + 1);
}

void hr_class_of(uint64_t key, size_t *ret_threshold, int32_t *ret_actual, int32_t *ret_predicted)
{
    uint32_t mask = (1u << CLASS_BITS) - 1;

    *ret_threshold = (size_t)(key >> (2 * CLASS_BITS));
    *ret_actual = (int32_t)(key >> CLASS_BITS & mask);
    *ret_predicted = (int32_t)(key & mask) - 1;
}

/* -- accumulators -------------------------------------------------------------------- */

hr_status hr_gathered_init(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g)
{
    *g = (struct hr_gathered){ 0 };
    g->doubles = hr_mem_zero(env, (p->doubles + 1) * sizeof *g->doubles);
    g->tables = hr_mem_zero(env, (p->tables + 1) * sizeof *g->tables);
    if (g->doubles && g->tables)
        return HR_OK;
    hr_gathered_clear(env, p, g);
    return HR_EXHAUSTED;
}

void hr_gathered_clear(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g)
{
    size_t i;

    for (i = 0; g->tables && i < p->tables; i++)
        if (g->tables[i].cells)
            hr_mem_put(env, g->tables[i].cells, sizeof *g->tables[i].cells << g->tables[i].log);
    if (g->tables)
        hr_mem_put(env, g->tables, (p->tables + 1) * sizeof *g->tables);
    if (g->doubles)
        hr_mem_put(env, g->doubles, (p->doubles + 1) * sizeof *g->doubles);
    *g = (struct hr_gathered){ 0 };
}

void hr_gather_scratch_clear(struct hr_env *env, struct hr_gather_scratch *s)
{
    if (s->cap) {
        hr_mem_put(env, s->labels, s->cap * sizeof *s->labels);
        hr_mem_put(env, s->scores, s->cap * sizeof *s->scores);
        hr_mem_put(env, s->weights, s->cap * sizeof *s->weights);
        hr_mem_put(env, s->order, s->cap * sizeof *s->order);
    }
    *s = (struct hr_gather_scratch){ 0 };
}

static hr_status make_room(struct hr_env *env, struct hr_gather_scratch *s, size_t n)
{
    if (n <= s->cap)
        return HR_OK;
    hr_gather_scratch_clear(env, s);
    s->labels = hr_mem_zero(env, n * sizeof *s->labels);
    s->scores = hr_mem_zero(env, n * sizeof *s->scores);
    s->weights = hr_mem_zero(env, n * sizeof *s->weights);
    s->order = hr_mem_zero(env, n * sizeof *s->order);
    s->cap = n;
    if (s->labels && s->scores && s->weights && s->order)
        return HR_OK;
    return HR_EXHAUSTED; /* clear() puts back what there is */
}

/* -- views --------------------------------------------------------------------------- */

/* The class that a row's single label names, among n. */
static hr_status class_of(struct hr_env *env, double label, size_t n, size_t *ret)
{
    if (!(label >= 0 && label < (double)n) || label != floor(label)) {
        char text[HR_NUM_TEXT];

        hr_num_put_double(text, label);
        return hr_fail(env, HR_INVALID, "label %s is none of the %zu classes of a prediction", text,
                       n);
    }
    *ret = (size_t)label;
    return HR_OK;
}

/* A label for each score. */
static hr_status spread(struct hr_env *env, const struct hr_row *row, double *labels)
{
    size_t n = row->scores_n, i;
    hr_status r;

    if (row->labels_n == n) {
        memcpy(labels, row->labels, n * sizeof *labels);
        return HR_OK;
    }
    if (row->labels_n != 1)
        return hr_fail(env, HR_INVALID, "a row has %zu labels and %zu scores", row->labels_n, n);
    memset(labels, 0, n * sizeof *labels);
    r = class_of(env, row->labels[0], n, &i);
    if (r == HR_OK)
        labels[i] = 1;
    return r;
}

/* The order of scores, the highest first, of equal ones the first. */
static void rank(const double *scores, size_t n, size_t *order)
{
    size_t i, k;

    for (i = 0; i < n; i++) {
        for (k = i; k > 0 && scores[order[k - 1]] < scores[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

static double class_weight(const struct hr_pairs_view *v, size_t id)
{
    size_t i;

    for (i = 0; i < v->classes_n; i++)
        if ((size_t)v->classes[i].id == id)
            return v->classes[i].weight;
    return v->classes ? 0 : 1;
}

/* Cut the pairs in s, n of them, down to what the view shows.  Returns how many are left. */
static size_t cut(const struct hr_pairs_view *v, struct hr_gather_scratch *s, size_t n)
{
    size_t k = (size_t)v->k, i;

    switch (v->kind) {
    case HR_VIEW_CLASS:
        if (n == 1)
            return 1; /* a score of one class is of the positive one */
        s->labels[0] = k < n ? s->labels[k] : 0;
        s->scores[0] = k < n ? s->scores[k] : 0;
        return k < n;
    case HR_VIEW_K:
        rank(s->scores, n, s->order);
        if (k > n)
            return 0;
        i = s->order[k - 1];
        s->labels[0] = s->labels[i];
        s->scores[0] = s->scores[i];
        return 1;
    case HR_VIEW_TOP_K:
        rank(s->scores, n, s->order);
        for (i = k; i < n; i++)
            s->scores[s->order[i]] = -INFINITY;
        return n;
    case HR_VIEW_MICRO:
        for (i = 0; i < n; i++)
            s->weights[i] *= class_weight(v, i);
        return n;
    default:
        return n;
    }
}

/* The pairs of a row that a view shows. */
static hr_status pairs(struct hr_env *env, const struct hr_pairs_view *v, const struct hr_row *row,
                       struct hr_gather_scratch *s, size_t *ret_n)
{
    size_t n = row->scores_n, i;
    hr_status r = make_room(env, s, n + 1);

    if (r < 0)
        return r;
    if (n == 1 && row->labels_n == 1)
        s->labels[0] = row->labels[0];
    else
        r = spread(env, row, s->labels);
    if (r < 0)
        return r;
    memcpy(s->scores, row->scores, n * sizeof *s->scores);
    for (i = 0; i < n; i++)
        s->weights[i] = v->weighted ? row->weight : 1;
    *ret_n = cut(v, s, n);
    return HR_OK;
}

/* -- sums over pairs ------------------------------------------------------------------- */

static hr_status confusion(struct hr_env *env, const struct hr_computation *c, double *to,
                           const struct hr_gather_scratch *s, size_t n)
{
    size_t i, t;

    for (i = 0; i < n; i++) {
        double l = s->labels[i], w = s->weights[i];

        if (!(l >= 0 && l <= 1)) {
            char text[HR_NUM_TEXT];

            hr_num_put_double(text, l);
            return hr_fail(env, HR_INVALID,
                           "label %s is not between 0 and 1; metrics of a confusion matrix need "
                           "that",
                           text);
        }
        for (t = 0; t < c->thresholds_n; t++) {
            bool yes = s->scores[i] > c->thresholds[t];

            to[4 * t + (yes ? 0 : 3)] += w * l;
            to[4 * t + (yes ? 2 : 1)] += w * (1 - l);
        }
    }
    return HR_OK;
}

static uint64_t bucket(double p)
{
    double b = p * 10000 + 1;

    if (!(b >= 0))
        return 0;
    return b >= 10001 ? 10001 : (uint64_t)b;
}

static hr_status histogram(struct hr_env *env, struct hr_cells *t,
                           const struct hr_gather_scratch *s, size_t n)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < n && r == HR_OK; i++) {
        double w = s->weights[i], p = s->scores[i];

        r = cells_add(env, t, bucket(p), w, w * s->labels[i], isinf(p) ? 0 : w * p);
    }
    return r;
}

static double pair_error(const struct hr_computation *c, double y, double p)
{
    switch (c->error) {
    case HR_ERROR_BINARY_CROSSENTROPY:
        y = y * (1 - c->smoothing) + 0.5 * c->smoothing;
        if (c->logits)
            p = 1 / (1 + exp(-p));
        return -(y * log(p) + (1 - y) * log(1 - p)); /* a p of 0 or 1 makes it NaN */
    case HR_ERROR_SQUARED:
        return (y - p) * (y - p);
    case HR_ERROR_ABSOLUTE:
        return fabs(y - p);
    case HR_ERROR_PERCENTAGE:
        return y != 0 ? 100 * fabs((y - p) / y) : NAN;
    default:
        y = log(y + 1) - log(p + 1);
        return y * y;
    }
}

static void moments(const struct hr_computation *c, double *to, const struct hr_gather_scratch *s,
                    size_t n)
{
    double w, y, p, e;
    size_t i;

    for (i = 0; i < n; i++) {
        w = s->weights[i];
        y = s->labels[i];
        p = s->scores[i];
        switch (c->kind) {
        case HR_SUMS_CALIBRATION:
            to[0] += w;
            to[1] += w * y;
            to[2] += w * p;
            break;
        case HR_SUMS_PEARSON:
            to[0] += w;
            to[1] += w * y;
            to[2] += w * p;
            to[3] += w * y * y;
            to[4] += w * p * p;
            to[5] += w * y * p;
            break;
        case HR_SUMS_TJUR:
            to[0] += w * y * p;
            to[1] += w * y;
            to[2] += w * (1 - y) * p;
            to[3] += w * (1 - y);
            break;
        default:
            e = pair_error(c, y, p);
            if (isnan(e) && c->error != HR_ERROR_BINARY_CROSSENTROPY)
                break;
            to[0] += w * e;
            to[1] += w;
        }
    }
}

/* -- sums over rows ---------------------------------------------------------------------- */

static size_t first_max(const double *v, size_t n)
{
    size_t best = 0, i;

    for (i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return best;
}

/* The class of a row: its label, or the first largest of them. */
static hr_status actual(struct hr_env *env, const struct hr_row *row, size_t *ret)
{
    if (row->labels_n == row->scores_n && row->scores_n > 1) {
        *ret = first_max(row->labels, row->labels_n);
        return HR_OK;
    }
    if (row->labels_n != 1)
        return hr_fail(env, HR_INVALID, "a row has %zu labels and %zu scores", row->labels_n,
                       row->scores_n);
    return class_of(env, row->labels[0], row->scores_n, ret);
}

static double categorical(const struct hr_computation *c, const struct hr_row *row, size_t is)
{
    double sum = 0, e = 0, n = (double)row->scores_n, y;
    bool dense = row->labels_n == row->scores_n;
    size_t i;

    for (i = 0; i < row->scores_n; i++)
        sum += c->logits ? exp(row->scores[i]) : row->scores[i];
    for (i = 0; i < row->scores_n; i++) {
        y = dense ? row->labels[i] : i == is;
        y = y * (1 - c->smoothing) + c->smoothing / n;
        e -= y * log((c->logits ? exp(row->scores[i]) : row->scores[i]) / sum);
    }
    return e;
}

static double clip(double p)
{
    static const double least = 1e-7;

    if (p < least)
        return least;
    return p > 1 - least ? 1 - least : p;
}

static double row_error(const struct hr_computation *c, const struct hr_row *row, size_t is)
{
    double sum = 0;
    size_t i, above = 0;

    switch (c->error) {
    case HR_ERROR_SPARSE_ACCURACY:
    case HR_ERROR_CATEGORICAL_ACCURACY:
        return first_max(row->scores, row->scores_n) == is;
    case HR_ERROR_SPARSE_TOP_K:
        for (i = 0; i < row->scores_n; i++)
            above += row->scores[i] > row->scores[is];
        return above < (size_t)c->k;
    case HR_ERROR_SPARSE_CROSSENTROPY:
        for (i = 0; i < row->scores_n; i++)
            sum += clip(row->scores[i]);
        return -log(clip(row->scores[is]) / sum);
    default:
        return categorical(c, row, is);
    }
}

static hr_status classes(struct hr_env *env, const struct hr_computation *c, struct hr_cells *table,
                         const struct hr_row *row, double w)
{
    size_t is, t, best = first_max(row->scores, row->scores_n);
    hr_status r = actual(env, row, &is);

    if (row->scores_n >= (size_t)1 << CLASS_BITS)
        return hr_fail(env, HR_INVALID, "a prediction has more than %d scores",
                       (1 << CLASS_BITS) - 1);
    for (t = 0; t < c->thresholds_n && r == HR_OK; t++)
        r = cells_add(
            env, table,
            hr_class_key(t, (int32_t)is, row->scores[best] > c->thresholds[t] ? (int32_t)best : -1),
            w, 0, 0);
    return r;
}

/* Does a computation look at a row as one of several classes? */
static bool by_class(const struct hr_computation *c)
{
    return c->kind == HR_SUMS_CLASSES ||
           (c->kind == HR_SUMS_MEAN && c->error >= HR_ERROR_CATEGORICAL_CROSSENTROPY);
}

static hr_status one(struct hr_env *env, const struct hr_computation *c, struct hr_gathered *g,
                     const struct hr_row *row, struct hr_gather_scratch *s)
{
    double *to = g->doubles + c->at, w = c->view.weighted ? row->weight : 1, two[2];
    struct hr_row both = *row;
    size_t n = 0, is = 0;
    hr_status r;

    /* One score is that of the second of two classes. */
    if (row->scores_n == 1 && by_class(c)) {
        two[0] = 1 - row->scores[0];
        two[1] = row->scores[0];
        both.scores = two;
        both.scores_n = 2;
        row = &both;
    }
    if (c->kind == HR_SUMS_COUNT) {
        to[0] += w;
        to[1] += 1;
        return HR_OK;
    }
    if (c->kind == HR_SUMS_CLASSES)
        return classes(env, c, &g->tables[c->table], row, w);
    if (c->kind == HR_SUMS_MEAN && c->error >= HR_ERROR_CATEGORICAL_CROSSENTROPY) {
        r = actual(env, row, &is);
        if (r < 0)
            return r;
        to[0] += w * row_error(c, row, is);
        to[1] += w;
        return HR_OK;
    }
    r = pairs(env, &c->view, row, s, &n);
    if (r < 0)
        return r;
    if (c->kind == HR_SUMS_CONFUSION)
        return confusion(env, c, to, s, n);
    if (c->kind == HR_SUMS_HISTOGRAM)
        return histogram(env, &g->tables[c->table], s, n);
    moments(c, to, s, n);
    return HR_OK;
}

hr_status hr_gathered_add(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g,
                          const struct hr_row *rows, struct hr_gather_scratch *scratch)
{
    hr_status r = HR_OK;
    size_t i;

    g->rows++;
    for (i = 0; i < p->computations_n && r == HR_OK; i++)
        r = one(env, &p->computations[i], g, &rows[p->computations[i].view.model], scratch);
    return r;
}

hr_status hr_gathered_merge(struct hr_env *env, const struct hr_plan *p, struct hr_gathered *g,
                            const struct hr_gathered *other)
{
    hr_status r = HR_OK;
    size_t i, k;

    g->rows += other->rows;
    for (i = 0; i < p->doubles; i++)
        g->doubles[i] += other->doubles[i];
    for (i = 0; i < p->tables; i++) {
        const struct hr_cells *t = &other->tables[i];

        for (k = 0; t->cells && k < (size_t)1 << t->log && r == HR_OK; k++)
            if (t->cells[k].key)
                r = cells_add(env, &g->tables[i], t->cells[k].key - 1, t->cells[k].sums[0],
                              t->cells[k].sums[1], t->cells[k].sums[2]);
    }
    return r;
}

/* -- bytes ---------------------------------------------------------------------------- */

hr_status hr_gathered_store(const struct hr_plan *p, const struct hr_gathered *g, struct hr_buf *to)
{
    hr_status r = hr_store_u64(to, g->rows);
    struct hr_cell *list;
    size_t i, k, size;

    for (i = 0; i < p->doubles; i++)
        r |= hr_store_double(to, g->doubles[i]);
    for (i = 0; i < p->tables && r == HR_OK; i++) {
        size = (g->tables[i].n + 1) * sizeof *list;
        list = to->alloc(to->user, NULL, 0, size);
        if (!list)
            return HR_EXHAUSTED;
        sorted(&g->tables[i], list);
        r |= hr_store_uint(to, g->tables[i].n, 4);
        for (k = 0; k < g->tables[i].n; k++) {
            r |= hr_store_u64(to, list[k].key);
            r |= hr_store_double(to, list[k].sums[0]);
            r |= hr_store_double(to, list[k].sums[1]);
            r |= hr_store_double(to, list[k].sums[2]);
        }
        to->alloc(to->user, list, size, 0);
    }
    return r == HR_OK ? HR_OK : HR_EXHAUSTED;
}

/* May a key be in a table of this computation? */
static bool key_fits(const struct hr_computation *c, uint64_t key)
{
    size_t threshold;
    int32_t a, b;

    if (c->kind == HR_SUMS_HISTOGRAM)
        return key < HR_BUCKETS;
    hr_class_of(key, &threshold, &a, &b);
    return threshold < c->thresholds_n;
}

static hr_status load_table(struct hr_env *env, const struct hr_computation *c,
                            struct hr_stored *in, struct hr_cells *t)
{
    uint64_t n = hr_load_uint(in, 4), i, key, last = 0;
    hr_status r = HR_OK;
    double a, b, d;

    hr_load_fits(in, n, 32);
    for (i = 0; i < n && in->ok && r == HR_OK; i++) {
        key = hr_load_u64(in);
        a = hr_load_double(in);
        b = hr_load_double(in);
        d = hr_load_double(in);
        in->ok = in->ok && key_fits(c, key) && (!i || key > last);
        last = key;
        if (in->ok)
            r = cells_add(env, t, key, a, b, d);
    }
    return r;
}

hr_status hr_gathered_load(struct hr_env *env, const struct hr_plan *p, const char *bytes, size_t n,
                           struct hr_gathered *g)
{
    struct hr_stored in = { bytes, bytes + n, true };
    hr_status r = HR_OK;
    size_t i;

    g->rows = hr_load_u64(&in);
    for (i = 0; i < p->doubles; i++)
        g->doubles[i] = hr_load_double(&in);
    for (i = 0; i < p->computations_n && r == HR_OK; i++)
        if (!p->computations[i].n)
            r = load_table(env, &p->computations[i], &in, &g->tables[p->computations[i].table]);
    if (r == HR_OK && (!in.ok || in.p != in.end))
        r = hr_fail(env, HR_DATA_LOSS, "stored sums of an evaluation are damaged; evaluate again");
    return r;
}
