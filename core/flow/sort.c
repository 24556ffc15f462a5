#include <stdlib.h>
#include <string.h>

#include "flow/graph.h"

static int by_key(const void *pa, const void *pb)
{
    const struct sorted *a = pa, *b = pb;
    size_t n = a->size < b->size ? a->size : b->size;
    int c = memcmp(a->key, b->key, n);

    if (c)
        return c;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    if (a->chunk != b->chunk)
        return a->chunk < b->chunk ? -1 : 1;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return 0;
}

void sorted_sort(struct sorted *order, size_t n)
{
    qsort(order, n, sizeof *order, by_key);
}

static void fill(struct step *s)
{
    size_t k, at = 0, chunk = 0;
    uint32_t p, begin;
    int64_t i;

    for (p = 0; p < s->parts; p++)
        for (k = 0; k < s->held[p].chunks.n; k++) {
            const struct chunk *c = &s->held[p].chunks.items[k];

            s->batches[chunk] = &c->rows;
            for (i = 0, begin = 0; i < c->rows.length; begin = c->ends[i++])
                s->order[at++] =
                    (struct sorted){ c->keys + begin, c->ends[i] - begin, (uint32_t)chunk, i };
            chunk++;
        }
}

hr_status group_sort(hr_flow *f, struct step *s)
{
    size_t rows = 0, chunks = 0, k;
    uint32_t p;

    for (p = 0; p < s->parts; p++)
        for (k = 0; k < s->held[p].chunks.n; k++, chunks++)
            rows += (size_t)s->held[p].chunks.items[k].rows.length;
    if (!rows)
        return HR_OK;
    if (flow_hold(f, &s->bytes, rows * sizeof *s->order) < 0)
        return HR_EXHAUSTED;
    s->order = hr_mem_zero(f->env, rows * sizeof *s->order);
    s->n_order = s->order ? rows : 0;
    s->batches = hr_mem_zero(f->env, chunks * sizeof *s->batches);
    s->n_batches = s->batches ? chunks : 0;
    if (!s->order || !s->batches)
        return HR_EXHAUSTED;
    fill(s);
    sorted_sort(s->order, rows);
    return HR_OK;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Rows that come from few of many chunks: name those alone, for gathering looks at each. */
static hr_status take_few(hr_flow *f, const struct step *s, struct hr_pick *picks, size_t n,
                          struct ArrowArray *ret)
{
    const struct ArrowArray **from = hr_mem_zero(f->env, n * sizeof *from);
    uint32_t *used = hr_mem_zero(f->env, n * sizeof *used), *at;
    hr_status r = from && used ? HR_OK : HR_EXHAUSTED;
    size_t i, m = 0;

    for (i = 0; r == HR_OK && i < n; i++)
        used[i] = picks[i].batch;
    if (r == HR_OK)
        qsort(used, n, sizeof *used, by_number);
    for (i = 0; r == HR_OK && i < n; i++)
        if (!m || used[m - 1] != used[i])
            used[m++] = used[i];
    for (i = 0; r == HR_OK && i < m; i++)
        from[i] = s->batches[used[i]];
    for (i = 0; r == HR_OK && i < n; i++) {
        at = bsearch(&picks[i].batch, used, m, sizeof *used, by_number);
        picks[i].batch = (uint32_t)(at - used);
    }
    if (r == HR_OK)
        r = hr_arrow_take(
            f->env,
            &(struct hr_taking){ &f->colls[s->out].schema, from, (uint32_t)m, picks, (int64_t)n },
            ret);
    hr_mem_put(f->env, from, n * sizeof *from);
    hr_mem_put(f->env, used, n * sizeof *used);
    return r;
}

hr_status group_rows(hr_flow *f, const struct step *s, size_t from, size_t to,
                     struct ArrowArray *ret)
{
    size_t n = to - from, i;
    struct hr_pick *picks = hr_mem_zero(f->env, n * sizeof *picks);
    hr_status r;

    if (!picks)
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++)
        picks[i] = (struct hr_pick){ s->order[from + i].chunk, s->order[from + i].row };
    if (n < s->n_batches)
        r = take_few(f, s, picks, n, ret);
    else
        r = hr_arrow_take(f->env,
                          &(struct hr_taking){ &f->colls[s->out].schema, s->batches,
                                               (uint32_t)s->n_batches, picks, (int64_t)n },
                          ret);
    hr_mem_put(f->env, picks, n * sizeof *picks);
    return r;
}
