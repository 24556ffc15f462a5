#include "validation/compare.h"

#include <math.h>
#include <stdlib.h>

#include "validation/engine.h"

/* -- labels ---------------------------------------------------------------------------- */

/* The labels of two datasets, in byte order, and how often each is in either. */
struct pair {
    struct hr_slice label;
    double a, b;
};

static struct pair *pairs(struct hr_arena *arena, const struct hr_view *a, const struct hr_view *b,
                          size_t *ret_n)
{
    size_t na = 0, nb = 0, i = 0, k = 0, n = 0;
    const struct hr_token *ta = hr_view_tokens(arena, a, &na);
    const struct hr_token *tb = hr_view_tokens(arena, b, &nb);
    struct pair *p = hr_arena_array(arena, na + nb + 1, sizeof *p);
    int order;

    if (!ta || !tb || !p)
        return NULL;
    while (i < na || k < nb) {
        if (i == na)
            order = 1;
        else if (k == nb)
            order = -1;
        else
            order = hr_bytes_compare(ta[i].label.text, ta[i].label.len, tb[k].label.text,
                                     tb[k].label.len);
        p[n].label = order <= 0 ? ta[i].label : tb[k].label;
        p[n].a = order <= 0 ? ta[i++].n : 0;
        p[n].b = order >= 0 ? tb[k++].n : 0;
        n++;
    }
    *ret_n = n;
    return p;
}

hr_status hr_distance_labels(struct hr_arena *arena, const struct hr_view *a,
                             const struct hr_view *b, bool joint, struct hr_distance *ret)
{
    size_t n = 0, i;
    const struct pair *p = pairs(arena, a, b, &n);
    double sum_a = 0, sum_b = 0, d;

    if (!p)
        return HR_EXHAUSTED;
    *ret = (struct hr_distance){ 0, { "", 0 } };
    for (i = 0; i < n; i++) {
        sum_a += p[i].a;
        sum_b += p[i].b;
    }
    if (joint)
        sum_a = sum_b = sum_a + sum_b;
    for (i = 0; i < n; i++) {
        d = fabs((sum_a > 0 ? p[i].a / sum_a : 0) - (sum_b > 0 ? p[i].b / sum_b : 0));
        if (d >= ret->value)
            *ret = (struct hr_distance){ d, p[i].label };
    }
    return HR_OK;
}

static hr_status jsd_labels(struct hr_arena *arena, const struct hr_view *a,
                            const struct hr_view *b, double *ret)
{
    size_t n = 0, i;
    const struct pair *list = pairs(arena, a, b, &n);
    double sum_a = 0, sum_b = 0, sum = 0, p, q, m;

    if (!list)
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++) {
        sum_a += list[i].a;
        sum_b += list[i].b;
    }
    if (!(sum_a > 0) || !(sum_b > 0))
        return HR_PRECONDITION;
    for (i = 0; i < n; i++) {
        p = list[i].a / sum_a;
        q = list[i].b / sum_b;
        m = (p + q) / 2;
        if (p > 0)
            sum += p * log2(p / m);
        if (q > 0)
            sum += q * log2(q / m);
    }
    *ret = sum / 2;
    return HR_OK;
}

/* -- histograms ------------------------------------------------------------------------ */

/* One histogram, taken apart. */
struct parts {
    const HR_MD(Histogram) * h;
    double infinite, nan;
};

static bool is_point(const HR_MD(Histogram__Bucket) * b)
{
    return b->low_value == b->high_value;
}

static bool is_infinite(const HR_MD(Histogram__Bucket) * b)
{
    return isinf(b->low_value) || isinf(b->high_value);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sort, and keep each once. */
static size_t sorted(double *v, size_t n)
{
    size_t i, k = 0;

    if (n)
        qsort(v, n, sizeof *v, order);
    for (i = 0; i < n; i++)
        if (!k || v[i] != v[k - 1])
            v[k++] = v[i];
    return k;
}

/* Borders of what has a width, or with points of what has none. */
static size_t borders(const struct parts *a, const struct parts *b, bool points, double *ret)
{
    const struct parts *both[] = { a, b };
    size_t i, k, n = 0;

    for (i = 0; i < 2; i++)
        for (k = 0; k < both[i]->h->n_buckets; k++) {
            const HR_MD(Histogram__Bucket) *x = both[i]->h->buckets[k];

            if (is_infinite(x) || is_point(x) != points)
                continue;
            ret[n++] = x->low_value;
            if (!points)
                ret[n++] = x->high_value;
        }
    return sorted(ret, n);
}

/* The counts of a histogram over other borders: each bucket's evenly over its width. */
static void spread(const struct parts *from, const double *border, size_t n, double *ret)
{
    size_t i, k;

    for (k = 0; k < from->h->n_buckets; k++) {
        const HR_MD(Histogram__Bucket) *b = from->h->buckets[k];

        if (is_infinite(b) || is_point(b))
            continue;
        for (i = 0; i + 1 < n; i++)
            if (border[i] >= b->low_value && border[i + 1] <= b->high_value)
                ret[i] +=
                    (border[i + 1] - border[i]) / (b->high_value - b->low_value) * b->sample_count;
    }
}

static void point_mass(const struct parts *from, const double *point, size_t n, double *ret)
{
    size_t i, k;

    for (k = 0; k < from->h->n_buckets; k++)
        for (i = 0; i < n; i++)
            if (is_point(from->h->buckets[k]) && from->h->buckets[k]->low_value == point[i])
                ret[i] += from->h->buckets[k]->sample_count;
}

static void normalise(double *v, size_t n)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        sum += v[i];
    for (i = 0; i < n && sum > 0; i++)
        v[i] /= sum;
}

static double divergence(const double *p, const double *m, size_t n)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++)
        if (p[i] > 0 && m[i] > 0)
            sum += p[i] * log2(p[i] / m[i]);
    return sum;
}

static struct parts parts_of(const HR_MD(Histogram) * h)
{
    struct parts p = { h, 0, (double)h->num_nan };
    size_t i;

    for (i = 0; i < h->n_buckets; i++)
        if (is_infinite(h->buckets[i]))
            p.infinite += h->buckets[i]->sample_count;
    return p;
}

static hr_status jsd_histograms(struct hr_arena *arena, const HR_MD(Histogram) * h,
                                const HR_MD(Histogram) * g, double *ret)
{
    struct parts a = parts_of(h), b = parts_of(g);
    size_t most = 2 * (h->n_buckets + g->n_buckets) + 8, n, points, bins, i;
    double *border = hr_arena_array(arena, most, sizeof *border);
    double *point = hr_arena_array(arena, most, sizeof *point);
    double *p = hr_arena_array(arena, 2 * most, sizeof *p);
    double *q = hr_arena_array(arena, 2 * most, sizeof *q);
    double *m = hr_arena_array(arena, 2 * most, sizeof *m);

    if (!border || !point || !p || !q || !m)
        return HR_EXHAUSTED;
    n = borders(&a, &b, false, border);
    points = borders(&a, &b, true, point);
    bins = n ? n - 1 : 0;
    spread(&a, border, n, p);
    spread(&b, border, n, q);
    point_mass(&a, point, points, p + bins);
    point_mass(&b, point, points, q + bins);
    bins += points;
    /* What is infinite, and NaN, is never alike: a bin for each side. */
    p[bins++] = a.infinite;
    q[bins++] = b.infinite;
    p[bins++] = a.nan;
    q[bins++] = b.nan;
    normalise(p, bins);
    normalise(q, bins);
    for (i = 0; i < bins; i++)
        m[i] = (p[i] + q[i]) / 2;
    *ret = (divergence(p, m, bins) + divergence(q, m, bins)) / 2;
    return HR_OK;
}

hr_status hr_distance_jsd(struct hr_arena *arena, const struct hr_view *a, const struct hr_view *b,
                          bool quantiles, double *ret)
{
    int32_t type = quantiles ? HR_MD_E(HISTOGRAM__HISTOGRAM_TYPE__QUANTILES)
                             : HR_MD_E(HISTOGRAM__HISTOGRAM_TYPE__STANDARD);
    const HR_MD(StringStatistics) *s = hr_view_strings(a), *t = hr_view_strings(b);
    const HR_MD(Histogram) *h = hr_view_histogram(a, type), *g = hr_view_histogram(b, type);
    double value;
    hr_status r;

    if (s && t && s->rank_histogram && t->rank_histogram)
        r = jsd_labels(arena, a, b, &value);
    else if (h && g)
        r = jsd_histograms(arena, h, g, &value);
    else
        r = HR_PRECONDITION;
    if (r == HR_OK)
        *ret = value < 1 ? value : 1;
    return r;
}
