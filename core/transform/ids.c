/* Scaling by what was analysed, and values that become numbers of buckets or lines. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "transform/eval.h"

HR_CPU_INLINE void scale_body(float *restrict o, const float *restrict p, float m, float d,
                              int64_t n)
{
    int64_t i;

    for (i = 0; i < n; i++)
        o[i] = (p[i] - m) / d;
}

HR_CPU_TWINS(scale, (float *o, const float *p, float m, float d, int64_t n), (o, p, m, d, n))

/* (x - mean) / sqrt(var); x - mean where sqrt(var) is 0. */
static void z_score(struct hr_reg *r, struct hr_reg *const *a)
{
    const float *p = a[0]->v, *mean = a[1]->v, *var = a[2]->v;
    int64_t i, k, size = a[1]->size, n = r->n;
    float *o = r->own;

    if (size == 1) {
        const float m = mean[0], d = sqrtf(var[0]);

        if (d == 0)
            for (i = 0; i < n; i++)
                o[i] = p[i] - m;
        else
            scale(o, p, m, d, n);
        return;
    }
    for (i = 0; i < n; i += size)
        for (k = 0; k < size; k++) {
            float d = sqrtf(var[k]), c = p[i + k] - mean[k];

            o[i + k] = d == 0 ? c : c / d;
        }
}

/* Between the extremes, and to a range; a constant column goes through the sigmoid. */
static void min_max(const struct hr_step *s, struct hr_reg *r, struct hr_reg *const *a)
{
    const float *p = a[0]->v, *min = a[1]->v, *max = a[2]->v;
    const float from = s->floats[0], width = s->floats[1] - s->floats[0];
    int64_t i, k, size = a[1]->size;
    float *o = r->own;

    for (k = 0; k < size; k++) {
        const float low = min[k], span = max[k] - min[k];

        if (low < max[k])
            for (i = k; i < r->n; i += size)
                o[i] = (p[i] - low) / span * width + from;
        else
            for (i = k; i < r->n; i += size)
                o[i] = (float)(1 / (1 + exp(-(double)p[i]))) * width + from;
    }
}

enum { COUNT_MAX = 32 }; /* up to so many borders all are compared, else halves */

static int64_t bucket(const float *b, int64_t n, float x)
{
    int64_t low = 0, high = n;

    if (x != x)
        return n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (b[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Counts of borders that are not above each x, in pieces of PIECE that a compiler turns into
 * vectors; m is a multiple of it. */
enum { PIECE = 32 };

HR_CPU_INLINE void count_borders_body(const float *restrict b, int64_t nb, const float *restrict x,
                                      int64_t *restrict o, int64_t m)
{
    int64_t i, k, j;

    for (i = 0; i < m; i += PIECE) {
        int32_t sum[PIECE] = { 0 };

        for (k = 0; k < nb; k++) {
            const float border = b[k];

            for (j = 0; j < PIECE; j++)
                sum[j] += !(x[i + j] < border);
        }
        for (j = 0; j < PIECE; j++)
            o[i + j] = sum[j];
    }
}

HR_CPU_TWINS(count_borders,
             (const float *b, int64_t nb, const float *x, int64_t *o, int64_t m),
             (b, nb, x, o, m))

/* Buckets of m values. */
static void buckets_of(const float *b, int64_t nb, const float *x, int64_t *o, int64_t m)
{
    float rest[PIECE] = { 0 };
    int64_t i, whole = m & ~(int64_t)(PIECE - 1), to[PIECE];

    if (nb > COUNT_MAX) {
        for (i = 0; i < m; i++)
            o[i] = bucket(b, nb, x[i]);
        return;
    }
    count_borders(b, nb, x, o, whole);
    if (whole == m)
        return;
    memcpy(rest, x + whole, (size_t)(m - whole) * sizeof *x);
    count_borders(b, nb, rest, to, PIECE);
    memcpy(o + whole, to, (size_t)(m - whole) * sizeof *o);
}

/* How many borders are not above x; NaN: all. */
static void buckets(struct hr_reg *r, struct hr_reg *const *a)
{
    const float *b = a[1]->v;
    int64_t i, n = r->n, nb = a[1]->n, from, m;
    float x[HR_BLOCK];

    if (a[0]->elem == HR_E_FLOAT) {
        buckets_of(b, nb, a[0]->v, r->own, n);
        return;
    }
    for (from = 0; from < n; from += HR_BLOCK) {
        m = n - from < HR_BLOCK ? n - from : HR_BLOCK;
        for (i = 0; i < m; i++)
            x[i] = (float)((const int64_t *)a[0]->v)[from + i];
        buckets_of(b, nb, x, (int64_t *)r->own + from, m);
    }
}

static int64_t token_id(const struct hr_vocab *v, const struct hr_step *s, const char *text,
                        size_t n)
{
    int64_t id = hr_vocab_find(v, text, n); /* the dummy of an empty one is a line as others */

    if (id >= 0)
        return id;
    if (s->ints[0] > 0)
        return (int64_t)(v->count + hr_fingerprint64(text, n) % (uint64_t)s->ints[0]);
    return s->ints[1];
}

static void apply_vocabulary(struct hr_eval *e, const struct hr_step *s, struct hr_reg *r,
                             struct hr_reg *const *a)
{
    const struct hr_step *from = &e->ir->steps[s->args[1]];
    const struct hr_vocab *v = &e->ir->vocabs[from->ints[0]];
    int64_t *o = r->own;
    char text[HR_NUM_TEXT];
    int64_t i;

    for (i = 0; i < r->n; i++) {
        if (a[0]->elem == HR_E_BYTES) {
            const struct hr_slice *p = (const struct hr_slice *)a[0]->v + i;

            o[i] = token_id(v, s, p->text, p->len);
        } else {
            o[i] = token_id(v, s, text, hr_num_put_int(text, ((const int64_t *)a[0]->v)[i]));
        }
    }
}

static void hash(const struct hr_step *s, struct hr_reg *r, struct hr_reg *const *a)
{
    const struct hr_slice *p = a[0]->v;
    uint64_t n = (uint64_t)s->ints[0], k0 = (uint64_t)s->ints[2], k1 = (uint64_t)s->ints[3];
    int64_t *o = r->own;
    int64_t i;

    for (i = 0; i < r->n; i++)
        o[i] = (int64_t)((s->ints[1] ? hr_siphash(k0, k1, p[i].text, p[i].len)
                                     : hr_fingerprint64(p[i].text, p[i].len)) %
                         n);
}

/* The place of a value in a table of keys. */
static int64_t key_of(const struct hr_extra *x, const struct hr_reg *a, int64_t i)
{
    const struct hr_slice *p = a->v;

    if (a->elem == HR_E_BYTES)
        return hr_vocab_find(&x->table, p[i].text, p[i].len);
    return hr_vocab_find(&x->table, (const int64_t *)a->v + i, sizeof(int64_t));
}

static void lookup(const struct hr_step *s, const struct hr_extra *x, struct hr_reg *r,
                   struct hr_reg *const *a)
{
    int64_t n = s->ints[2], i, k, at = s->ints[0] == HR_E_BYTES ? n : 0;
    const int64_t *ints = s->ints + 3 + (s->ints[0] == HR_E_INT ? n : 0);

    for (i = 0; i < r->n; i++) {
        k = key_of(x, a[0], i);
        if (k < 0)
            k = n; /* the default comes last */
        if (r->elem == HR_E_INT)
            ((int64_t *)r->own)[i] = ints[k];
        else if (r->elem == HR_E_FLOAT)
            ((float *)r->own)[i] = s->floats[k];
        else if (r->elem == HR_E_BYTES)
            ((struct hr_slice *)r->own)[i] = s->texts[at + k];
        else
            ((uint8_t *)r->own)[i] = 0;
    }
}

hr_status hr_kernel_ids(struct hr_eval *e, const struct hr_step *s, const struct hr_extra *x,
                        struct hr_reg *r, struct hr_reg *const *a)
{
    int64_t i;

    switch (s->op) {
    case HR_OP_Z_SCORE:
        z_score(r, a);
        break;
    case HR_OP_MIN_MAX:
        min_max(s, r, a);
        break;
    case HR_OP_BUCKETS:
        buckets(r, a);
        break;
    case HR_OP_APPLY_VOCABULARY:
        apply_vocabulary(e, s, r, a);
        break;
    case HR_OP_HASH:
        hash(s, r, a);
        break;
    case HR_OP_LOOKUP:
        lookup(s, x, r, a);
        break;
    default: /* in */
        for (i = 0; i < r->n; i++)
            ((uint8_t *)r->own)[i] = key_of(x, a[0], i) >= 0;
        break;
    }
    return HR_OK;
}
