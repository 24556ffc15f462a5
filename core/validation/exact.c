#include "validation/exact.h"

#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* A limb holds additions of less than 2^32, so 2^30 of them fit with room for the sign. */
enum { PENDING_MAX = 1 << 28 };

/* Pass carries on: all limbs but the last are in [0, 2^32) then. */
static void carry(int64_t *limbs, int n)
{
    int64_t c = 0;
    int i;

    for (i = 0; i < n - 1; i++) {
        limbs[i] += c;
        c = limbs[i] >> 32; /* arithmetic: towards minus infinity */
        limbs[i] &= 0xffffffff;
    }
    limbs[n - 1] += c;
}

void hr_exact_settle(struct hr_exact *e)
{
    carry(e->sum, HR_EXACT_SUM);
    carry(e->squares, HR_EXACT_SQUARES);
    e->pending = 0;
}

/* limbs += sign * v * 2^shift */
static void add_wide(int64_t *limbs, wide v, uint32_t shift, int64_t sign)
{
    uint32_t at = shift / 32, by = shift % 32;
    uint64_t low = (uint64_t)v & 0xffffffff;

    /* The lowest limb apart, so that the shift never leaves the 128 bits. */
    v = (v >> 32) << by | (by ? low >> (32 - by) : 0);
    limbs[at++] += sign * (int64_t)(low << by & 0xffffffff);
    for (; v; v >>= 32)
        limbs[at++] += sign * (int64_t)(uint64_t)(v & 0xffffffff);
}

/* As add_wide() of v * n. */
static void add_times(int64_t *limbs, wide v, uint64_t n, uint32_t shift, int64_t sign)
{
    if (n == 1) {
        add_wide(limbs, v, shift, sign);
        return;
    }
    add_wide(limbs, (wide)(uint64_t)v * (n & 0xffffffff), shift, sign);
    add_wide(limbs, (wide)(uint64_t)v * (n >> 32), shift + 32, sign);
    v >>= 64;
    if (v) {
        add_wide(limbs, v * (n & 0xffffffff), shift + 64, sign);
        add_wide(limbs, v * (n >> 32), shift + 96, sign);
    }
}

void hr_exact_add(struct hr_exact *e, double v, uint64_t n)
{
    union {
        double d;
        uint64_t u;
    } x = { v };
    uint64_t mantissa = x.u & (((uint64_t)1 << 52) - 1);
    uint32_t exponent = (uint32_t)(x.u >> 52 & 0x7ff);

    e->n += n;
    if (exponent) {
        mantissa |= (uint64_t)1 << 52;
        exponent--; /* v = mantissa * 2^(exponent - 1074) */
    }
    if (!mantissa || !n)
        return;
    if (++e->pending >= PENDING_MAX)
        hr_exact_settle(e);
    add_times(e->sum, mantissa, n, exponent, x.u >> 63 ? -1 : 1);
    add_times(e->squares, (wide)mantissa * mantissa, n, 2 * exponent, 1);
}

/* Sums of numbers that have sign and exponent in common: as they are sorted, there are many. */
struct group {
    uint64_t upper; /* the 12 bits */
    uint64_t n;
    wide sum, squares;
};

/* 2^53 squared and 2^20 times that are below 2^128. */
enum { GROUP_MOST = 1 << 20 };

static void group_add(struct hr_exact *e, const struct group *g)
{
    uint32_t exponent = (uint32_t)(g->upper & 0x7ff);

    if (!g->n)
        return;
    if (++e->pending >= PENDING_MAX)
        hr_exact_settle(e);
    exponent -= exponent > 0;
    add_wide(e->sum, g->sum, exponent, g->upper >> 11 ? -1 : 1);
    add_wide(e->squares, g->squares, 2 * exponent, 1);
    e->n += g->n;
}

void hr_exact_counts(struct hr_exact *e, const struct hr_count *counts, size_t n)
{
    struct group g = { 0 };
    uint64_t bits, mantissa;
    wide square;
    size_t i;

    for (i = 0; i < n; i++) {
        const struct hr_count *c = &counts[i];

        bits = c->key >> 63 ? c->key & ~((uint64_t)1 << 63) : ~c->key;
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            continue;
        if (c->n > GROUP_MOST / 2) {
            hr_exact_add(e, hr_count_value(c->key), c->n);
            continue;
        }
        if (bits >> 52 != g.upper || g.n + c->n > GROUP_MOST) {
            group_add(e, &g);
            g = (struct group){ .upper = bits >> 52 };
        }
        mantissa = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)((bits >> 52 & 0x7ff) != 0) << 52;
        square = (wide)mantissa * mantissa;
        g.sum += (wide)mantissa * c->n;
        g.squares += square * c->n;
        g.n += c->n;
    }
    group_add(e, &g);
}

void hr_exact_merge(struct hr_exact *e, struct hr_exact *other)
{
    int i;

    hr_exact_settle(e);
    hr_exact_settle(other);
    for (i = 0; i < HR_EXACT_SUM; i++)
        e->sum[i] += other->sum[i];
    for (i = 0; i < HR_EXACT_SQUARES; i++)
        e->squares[i] += other->squares[i];
    e->n += other->n;
    hr_exact_settle(e);
}

/* -- numbers of many limbs ------------------------------------------------------------ */

enum { MORE = HR_EXACT_SQUARES + 8 };

/* Limbs of 32 bits, the lowest first. */
struct big {
    uint32_t limb[MORE];
};

static void big_of(struct big *b, const int64_t *limbs, int n, bool *ret_minus)
{
    int64_t copy[HR_EXACT_SQUARES];
    int i;

    memset(b, 0, sizeof *b);
    memcpy(copy, limbs, (size_t)n * sizeof *copy);
    carry(copy, n);
    *ret_minus = copy[n - 1] < 0;
    if (*ret_minus) {
        for (i = 0; i < n; i++)
            copy[i] = -copy[i];
        carry(copy, n);
    }
    for (i = 0; i < n; i++)
        b->limb[i] = (uint32_t)copy[i];
    b->limb[n] = (uint32_t)(copy[n - 1] >> 32);
}

static void big_times(struct big *b, uint64_t by)
{
    uint64_t low = by & 0xffffffff, high = by >> 32, above = 0, v;
    wide c = 0;
    int i;

    for (i = 0; i < MORE; i++) {
        v = b->limb[i];
        c += (wide)v * low + (wide)above * high;
        above = v;
        b->limb[i] = (uint32_t)c;
        c >>= 32;
    }
}

static void big_square(const struct big *a, struct big *ret)
{
    int n = HR_EXACT_SUM, i, k;
    uint64_t c;

    memset(ret, 0, sizeof *ret);
    while (n > 0 && !a->limb[n - 1])
        n--;
    for (i = 0; i < n; i++) {
        for (c = 0, k = 0; k < n && i + k < MORE; k++) {
            c += (uint64_t)a->limb[i] * a->limb[k] + ret->limb[i + k];
            ret->limb[i + k] = (uint32_t)c;
            c >>= 32;
        }
        if (i + k < MORE)
            ret->limb[i + k] = (uint32_t)c;
    }
}

/* a -= b; a is not smaller. */
static void big_minus(struct big *a, const struct big *b)
{
    int64_t c = 0;
    int i;

    for (i = 0; i < MORE; i++) {
        c += (int64_t)a->limb[i] - b->limb[i];
        a->limb[i] = (uint32_t)c;
        c >>= 32;
    }
}

/* b / by as top * 2^exponent, top of 64 bits rounded down, its lowest bit set where
 * something was cut off: rounding it again to 53 bits is exact. */
static uint64_t big_over(const struct big *b, uint64_t by, int *ret_exponent)
{
    struct big q;
    wide rest = 0;
    uint64_t top = 0;
    bool more = false;
    int n = MORE - 1, i, k = 0;

    memset(&q, 0, sizeof q);
    /* Four limbs more below, for digits of quotients that are small. */
    for (i = MORE - 1; i >= -4; i--) {
        rest = rest << 32 | (i >= 0 ? b->limb[i] : 0);
        if (i + 4 < MORE)
            q.limb[i + 4] = (uint32_t)(rest / by);
        rest %= by;
    }
    while (n > 0 && !q.limb[n])
        n--;
    for (k = 0; k < 64 + 32; k++) {
        int bit = n * 32 + 31 - k;

        if (bit < 0 || top >> 63)
            break;
        top = top << 1 | (q.limb[bit / 32] >> (bit % 32) & 1);
    }
    *ret_exponent = n * 32 + 32 - k - 4 * 32;
    for (i = 0; i < n * 32 + 32 - k && !more; i++)
        more = q.limb[i / 32] >> (i % 32) & 1;
    return top | (more || rest ? 1 : 0);
}

/* top * 2^exponent: one rounding, or two where the result is not normal. */
static double scaled(uint64_t top, int exponent)
{
    return ldexp((double)top, exponent);
}

void hr_exact_moments(struct hr_exact *e, double *ret_mean, double *ret_variance)
{
    struct big sum, square, squares;
    int exponent;
    uint64_t top;
    bool minus;

    hr_exact_settle(e);
    big_of(&sum, e->sum, HR_EXACT_SUM, &minus);
    top = big_over(&sum, e->n, &exponent);
    *ret_mean = scaled(top, exponent - 1074);
    if (minus)
        *ret_mean = -*ret_mean;
    /* (n * squares - sum^2) / n^2 */
    big_square(&sum, &square);
    big_of(&squares, e->squares, HR_EXACT_SQUARES, &minus);
    big_times(&squares, e->n);
    big_minus(&squares, &square);
    top = big_over(&squares, e->n, &exponent);
    *ret_variance = scaled(top, exponent - 2148) / (double)e->n;
}

/* -- by pairs ------------------------------------------------------------------------- */

static double pairwise(const double *v, size_t n)
{
    double r[8], sum;
    size_t i, k;

    if (n < 8) {
        for (sum = 0, i = 0; i < n; i++)
            sum += v[i];
        return sum;
    }
    if (n > 128) {
        k = n / 2;
        k -= k % 8;
        return pairwise(v, k) + pairwise(v + k, n - k);
    }
    memcpy(r, v, sizeof r);
    for (i = 8; i + 8 <= n; i += 8)
        for (k = 0; k < 8; k++)
            r[k] += v[i + k];
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        sum += v[i];
    return sum;
}

void hr_pairwise_moments(const double *v, size_t n, double *scratch, double *ret_mean,
                         double *ret_variance)
{
    double mean = pairwise(v, n) / (double)n;
    size_t i;

    for (i = 0; i < n; i++) {
        scratch[i] = v[i] - mean;
        scratch[i] *= scratch[i];
    }
    *ret_mean = mean;
    *ret_variance = pairwise(scratch, n) / (double)n;
}
