#include "validation/quantile.h"

#include <math.h>

size_t hr_quantile_block(double epsilon)
{
    const double most = 4294967296.0;
    double eps = epsilon / 3, block = 2;
    int level = 1;

    while (ldexp(block, level) < most) {
        block = ceil((double)level / eps) + 1;
        level++;
    }
    return (size_t)block;
}

size_t hr_quantile_room(size_t n, double epsilon)
{
    size_t block = hr_quantile_block(epsilon);

    return n <= block || n < 2 * block + 4 ? n : 2 * block + 4;
}

/* Entry i of counts, `before` the weight of those before it. */
static struct hr_entry entry_of(const struct hr_counted *c, size_t i, double before)
{
    double value = hr_count_value(c->counts[i].key), weight = (double)c->counts[i].n;

    if (!(value >= c->min)) /* minus infinity without its lowest bits is no number */
        value = c->min;
    if (value > c->max || (i + 1 == c->n && isfinite(c->max)))
        value = c->max;
    return (struct hr_entry){ value, weight, before, before + weight };
}

static double weight_of(const struct hr_counted *c)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < c->n; i++)
        sum += (double)c->counts[i].n;
    return sum;
}

/* The room is enough: an entry is kept where the rank has moved by more than delta, which it can
 * do `hint` times, or where acc has reached n, of which it gets n * hint in all. */
static size_t compress(const struct hr_counted *c, size_t hint, double eps, struct hr_entry *ret)
{
    double delta = weight_of(c) * (1.0 / (double)hint > eps ? 1.0 / (double)hint : eps);
    struct hr_entry last = entry_of(c, 0, 0), from;
    size_t kept = 0, n = c->n, r = 0, k;
    int64_t acc = 0;

    ret[kept++] = last;
    while (r + 1 < n) {
        from = last;
        for (k = r + 1; k < n && acc < (int64_t)n &&
                        last.max_rank - (from.min_rank + from.weight) <= delta;
             k++) {
            acc += (int64_t)hint;
            last = entry_of(c, k, last.max_rank);
        }
        if (k == r + 1)
            last = entry_of(c, k++, last.max_rank);
        r = k - 1;
        ret[kept++] = last;
        acc -= (int64_t)n;
    }
    return kept;
}

size_t hr_quantile_summary(const struct hr_counted *c, double epsilon, struct hr_entry *ret)
{
    size_t hint = hr_quantile_block(epsilon), i;
    double before = 0;

    if (c->n > hint)
        return compress(c, hint, epsilon / 3, ret);
    for (i = 0; i < c->n; i++) {
        ret[i] = entry_of(c, i, before);
        before = ret[i].max_rank;
    }
    return c->n;
}

void hr_quantile_borders(const struct hr_entry *e, size_t count, size_t n, struct hr_border *ret)
{
    double total = e[count - 1].max_rank, d2;
    const struct hr_entry *x;
    size_t cur = 0, next, rank;

    for (rank = 0; rank <= n; rank++) {
        d2 = 2 * ((double)rank * total / (double)n);
        next = cur + 1;
        while (next < count && d2 >= e[next].min_rank + e[next].max_rank)
            next++;
        cur = next - 1;
        x = &e[cur];
        if (next < count &&
            d2 >= (e[cur].min_rank + e[cur].weight) + (e[next].max_rank - e[next].weight))
            x = &e[next];
        ret[rank] = (struct hr_border){ x->value, x->max_rank };
    }
}

/* -- histograms --------------------------------------------------------------------- */

struct bucket {
    double low, high, count;
};

static void put(struct hr_arena *arena, HR_MD(Histogram) * h, const struct bucket *b)
{
    HR_MD(Histogram__Bucket) *to = HR_PB_ADD(arena, h, buckets, &HR_MD_OF(histogram__bucket));

    if (!to)
        return;
    to->has_low_value = b->low != 0;
    to->low_value = b->low;
    to->has_high_value = b->high != 0;
    to->high_value = b->high;
    to->has_sample_count = b->count != 0;
    to->sample_count = b->count;
}

/* Buckets between borders: those of one upper border share their weight, and the weight of
 * the least value is spread over the first of them that are alike. */
static size_t between(const struct hr_border *borders, size_t n, struct bucket *ret)
{
    size_t i, k, m;
    double share;

    for (i = 0; i + 1 < n; i++)
        ret[i] = (struct bucket){ borders[i].value, borders[i + 1].value,
                                  borders[i + 1].weight - borders[i].weight };
    for (i = 0; i + 1 < n; i = k) {
        double sum = 0;

        for (k = i; k + 1 < n && ret[k].high == ret[i].high; k++)
            sum += ret[k].count;
        for (share = sum / (double)(k - i), m = i; m < k; m++)
            ret[m].count = share;
    }
    for (k = 1; k + 1 < n && ret[k].low == ret[0].low && ret[k].high == ret[0].high; k++)
        ;
    for (i = 0; i < k && n > 1; i++)
        ret[i].count += borders[0].weight / (double)k;
    return n - 1;
}

static HR_MD(Histogram) * histogram(struct hr_arena *arena, const struct hr_histogram_args *args)
{
    HR_MD(Histogram) *h = hr_pb_new(arena, &HR_MD_OF(histogram));

    if (h) {
        h->has_num_nan = args->nan != 0;
        h->num_nan = args->nan;
    }
    return h;
}

HR_MD(Histogram) *
    hr_histogram_quantiles(struct hr_arena *arena, const struct hr_histogram_args *args)
{
    HR_MD(Histogram) *h = histogram(arena, args);
    struct hr_border *some = hr_arena_array(arena, args->buckets + 1, sizeof *some);
    struct bucket *b = hr_arena_array(arena, args->buckets + 1, sizeof *b);
    size_t step = args->n ? (args->n - 1) / args->buckets : 0, i, n = 0;

    if (!h || !some || !b)
        return NULL;
    h->has_type = 1;
    h->type = HR_MD_E(HISTOGRAM__HISTOGRAM_TYPE__QUANTILES);
    if (args->n) {
        for (i = 0; i <= args->buckets; i++)
            some[i] = args->borders[i * step];
        n = between(some, args->buckets + 1, b);
    }
    for (i = 0; i < n; i++)
        put(arena, h, &b[i]);
    return h;
}

/* Take the infinite borders out. */
static size_t strip(struct hr_histogram_args *args)
{
    struct hr_border *b = args->borders;
    size_t n = args->n, from = 0, i;
    double below = 0, total = n ? b[n - 1].weight : 0;

    while (from < n && isinf(b[from].value) && b[from].value < 0)
        below = b[from++].weight;
    for (i = from; i < n; i++) {
        b[i - from].value = b[i].value;
        b[i - from].weight = b[i].weight - below;
    }
    n -= from;
    if (args->positive > 0) {
        for (i = 0; i < n && !(isinf(b[i].value) && b[i].value > 0); i++)
            ;
        if (i < n) {
            b[i].value = args->finite_max;
            b[i].weight = total - below - args->positive;
            n = i + 1;
        }
    }
    return n;
}

/* What the buckets of quantiles give to the interval from lo to hi. */
static double share_of(const struct bucket *q, size_t n, double lo, double hi, bool is_first)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        const struct bucket *b = &q[i];

        if (b->low == b->high) {
            if ((b->low > lo && b->low <= hi) || (is_first && b->low == lo))
                sum += b->count;
        } else if (b->low >= lo && b->high <= hi) {
            sum += b->count;
        } else if (b->high > lo && b->low < hi) {
            double from = b->low > lo ? b->low : lo, to = b->high < hi ? b->high : hi;

            sum += (to - from) / (b->high - b->low) * b->count;
        }
    }
    return sum;
}

static void equal_widths(struct hr_arena *arena, HR_MD(Histogram) * h,
                         const struct hr_histogram_args *args, const struct bucket *q, size_t n)
{
    double lo = args->finite_min, hi = args->finite_max;
    double step = (hi - lo) / (double)args->buckets, sum;
    struct bucket b = { lo, lo, 0 };
    size_t i;

    if (lo == hi) {
        for (sum = 0, i = 0; i < n; i++)
            sum += q[i].count;
        b = (struct bucket){ lo, hi, sum };
        put(arena, h, &b);
        return;
    }
    if (!isfinite(hi - lo))
        return;
    for (i = 0; i < args->buckets; i++) {
        b.low = b.high;
        b.high = i + 1 == args->buckets ? hi : lo + (double)(i + 1) * step;
        b.count = share_of(q, n, b.low, b.high, i == 0);
        put(arena, h, &b);
    }
}

HR_MD(Histogram) * hr_histogram_standard(struct hr_arena *arena, struct hr_histogram_args *args)
{
    HR_MD(Histogram) *h = histogram(arena, args);
    struct bucket *q = hr_arena_array(arena, args->n + 1, sizeof *q), b;
    size_t n;

    if (!h || !q)
        return NULL;
    if (!args->n)
        return h;
    if (args->finite_min > args->finite_max) {
        b = (struct bucket){ args->finite_min, args->finite_max,
                             args->borders[args->n - 1].weight };
        put(arena, h, &b);
        return h;
    }
    n = strip(args);
    n = n ? between(args->borders, n, q) : 0;
    if (args->negative > 0) {
        b = (struct bucket){ -INFINITY, -INFINITY, args->negative };
        put(arena, h, &b);
    }
    equal_widths(arena, h, args, q, n);
    if (args->positive > 0) {
        b = (struct bucket){ INFINITY, INFINITY, args->positive };
        put(arena, h, &b);
    }
    return h;
}
