/* Mean, variance, sum, counts; least and greatest.
 *
 * mean_var, format 1:   u8 1, u64 rows, u64 values, u64 slots, and for each slot: u64 n,
 *                       u64 whole sum, u64 exponents, for each: u64 e, sum, low, high
 * min_max, format 1:    u8 1, u64 slots, for each: u64 n, then least and greatest as bits
 */
#include <math.h>
#include <string.h>

#include "transform/analyze.h"
#include "transform/big.h"

/* Sums of mantissas of one exponent: 2^38 values fit. */
#define MOMENTS_MAX ((uint64_t)1 << 38)

struct moments {
    uint64_t n;
    uint64_t whole; /* sum of integers, modulo 2^64 */
    int64_t sum[256];
    uint64_t low[256], high[256]; /* of squares */
};

struct mean_var {
    uint64_t rows, values;
    struct moments *slots;
};

static hr_status moments_room(const struct hr_analyzer *a, struct mean_var *acc)
{
    size_t n = (size_t)hr_analyzer_slots(a);

    if (acc->slots)
        return HR_OK;
    acc->slots = hr_mem_zero((struct hr_env *)&a->env, n * sizeof *acc->slots);
    return acc->slots ? HR_OK : HR_EXHAUSTED;
}

static inline void moments_add(struct moments *m, float v)
{
    uint32_t bits, e;
    int64_t mantissa;
    uint64_t square, before;

    memcpy(&bits, &v, sizeof bits);
    e = bits >> 23 & 255;
    if (e == 255) /* nan, inf */
        return;
    mantissa = (int64_t)(bits & 0x7fffff) | (int64_t)(e ? 0x800000 : 0);
    e += !e;
    square = (uint64_t)(mantissa * mantissa);
    m->n++;
    m->sum[e] += bits >> 31 ? -mantissa : mantissa;
    before = m->low[e];
    m->low[e] += square;
    m->high[e] += m->low[e] < before;
}

static hr_status mean_var_add(const struct hr_analyzer *a, void *p, const struct hr_range *rows)
{
    struct mean_var *acc = p;
    const struct hr_col *c = rows->col;
    int64_t i, k, at, n, each = hr_analyzer_slots(a);
    bool number = c->kind == HR_COL_INT || c->kind == HR_COL_FLOAT;

    if (moments_room(a, acc) < 0)
        return HR_EXHAUSTED;
    for (i = rows->first; i < rows->end; i++) {
        n = hr_col_count(c, i, &at);
        acc->rows += n > 0;
        acc->values += (uint64_t)n;
        for (k = 0; k < n && number; k++) {
            struct moments *m = &acc->slots[each == 1 ? 0 : k % each];

            if (c->kind == HR_COL_INT)
                m->whole += (uint64_t)hr_col_int(c, at + k);
            moments_add(m, c->format == 'f' ? ((const float *)c->values)[at + k]
                                            : (float)hr_col_double(c, at + k));
        }
    }
    return acc->values < MOMENTS_MAX ? HR_OK : HR_EXHAUSTED;
}

static hr_status mean_var_merge(const struct hr_analyzer *a, void *p, void *q)
{
    struct mean_var *acc = p, *other = q;
    int64_t i;
    int e;

    if (moments_room(a, acc) < 0 || acc->values + other->values >= MOMENTS_MAX)
        return HR_EXHAUSTED;
    acc->rows += other->rows;
    acc->values += other->values;
    for (i = 0; other->slots && i < hr_analyzer_slots(a); i++) {
        struct moments *m = &acc->slots[i], *o = &other->slots[i];

        m->n += o->n;
        m->whole += o->whole;
        for (e = 0; e < 256; e++) {
            m->sum[e] += o->sum[e];
            m->low[e] += o->low[e];
            m->high[e] += o->high[e] + (m->low[e] < o->low[e]);
        }
    }
    return HR_OK;
}

static void mean_var_write(const struct hr_analyzer *a, const void *p, struct hr_buf *to)
{
    const struct mean_var *acc = p;
    int64_t i, slots = acc->slots ? hr_analyzer_slots(a) : 0;
    uint64_t n;
    int e;

    hr_buf_char(to, 1);
    hr_write_u64(to, acc->rows);
    hr_write_u64(to, acc->values);
    hr_write_u64(to, (uint64_t)slots);
    for (i = 0; i < slots; i++) {
        const struct moments *m = &acc->slots[i];

        for (e = 0, n = 0; e < 256; e++)
            n += m->low[e] || m->high[e] || m->sum[e];
        hr_write_u64(to, m->n);
        hr_write_u64(to, m->whole);
        hr_write_u64(to, n);
        for (e = 0; e < 256; e++) {
            if (!m->low[e] && !m->high[e] && !m->sum[e])
                continue;
            hr_write_u64(to, (uint64_t)e);
            hr_write_u64(to, (uint64_t)m->sum[e]);
            hr_write_u64(to, m->low[e]);
            hr_write_u64(to, m->high[e]);
        }
    }
}

/* No sum is larger than the values that were counted can make it. */
static bool read_moments(struct hr_reader *from, uint64_t values, struct moments *m)
{
    uint64_t n, k, e;

    m->n = hr_read_u64(from);
    m->whole = hr_read_u64(from);
    n = hr_read_u64(from);
    for (k = 0; k < n && !from->bad; k++) {
        e = hr_read_u64(from);
        if (e < 1 || e > 254)
            return false;
        m->sum[e] = (int64_t)hr_read_u64(from);
        m->low[e] = hr_read_u64(from);
        m->high[e] = hr_read_u64(from);
        if (m->sum[e] > (int64_t)(values << 24) || m->sum[e] < -(int64_t)(values << 24) ||
            m->high[e] >> 32)
            return false;
    }
    return m->n <= values && !from->bad;
}

static hr_status mean_var_read(const struct hr_analyzer *a, void *p, struct hr_reader *from)
{
    struct mean_var *acc = p;
    uint64_t slots, i;

    if (hr_read_u8(from) != 1)
        return HR_DATA_LOSS;
    acc->rows = hr_read_u64(from);
    acc->values = hr_read_u64(from);
    slots = hr_read_u64(from);
    if (from->bad || (slots && slots != (uint64_t)hr_analyzer_slots(a)) ||
        acc->values >= MOMENTS_MAX || slots > (uint64_t)(from->end - from->p) / 24)
        return HR_DATA_LOSS;
    if (slots && moments_room(a, acc) < 0)
        return HR_EXHAUSTED;
    for (i = 0; i < slots; i++)
        if (!read_moments(from, acc->values, &acc->slots[i]))
            return HR_DATA_LOSS;
    return HR_OK;
}

/* With T1 and T2 the sums in units of 2^-150 and 2^-300:
 *     mean = T1 / n * 2^-150,   var = (n T2 - T1 T1) / n^2 * 2^-300 */
static void finish(const struct moments *m, double *mean, double *var, double *sum)
{
    struct hr_big plus = { { 0 } }, minus = { { 0 } }, squares = { { 0 } }, n = { { 0 } }, t;
    double count = (double)m->n, sign = 1;
    int e;

    for (e = 1; e < 255; e++) {
        if (m->sum[e] > 0)
            hr_big_add(&plus, (uint64_t)m->sum[e], (unsigned)e);
        else
            hr_big_add(&minus, (uint64_t)-m->sum[e], (unsigned)e);
        hr_big_add(&squares, m->low[e], 2 * (unsigned)e);
        hr_big_add(&squares, m->high[e], 2 * (unsigned)e + 64);
    }
    if (hr_big_compare(&plus, &minus) < 0) {
        t = plus, plus = minus, minus = t;
        sign = -1;
    }
    hr_big_sub(&plus, &minus);
    hr_big_add(&n, m->n, 0);
    *sum = sign * hr_big_double(&plus, -150);
    *mean = m->n ? sign * hr_big_double(&plus, -150) / count : 0;
    squares = hr_big_mul(&squares, &n);
    t = hr_big_mul(&plus, &plus);
    if (hr_big_compare(&squares, &t) < 0) /* only where stored bytes were made up */
        squares = t;
    hr_big_sub(&squares, &t);
    *var = m->n ? hr_big_double(&squares, -300) / count / count : 0;
}

static hr_status mean_var_result(const struct hr_analyzer *a, void *p, struct hr_builder *columns)
{
    struct mean_var *acc = p;
    double mean, var, sum, total = 0;
    uint64_t whole = 0;
    int64_t i;

    if (moments_room(a, acc) < 0)
        return HR_EXHAUSTED;
    for (i = 0; i < hr_analyzer_slots(a); i++) {
        finish(&acc->slots[i], &mean, &var, &sum);
        hr_builder_double(&columns[0], mean);
        hr_builder_double(&columns[1], var);
        total += sum;
        whole += acc->slots[i].whole;
    }
    hr_builder_end(&columns[0]);
    hr_builder_end(&columns[1]);
    hr_builder_double(&columns[2], total);
    hr_builder_int(&columns[3], (int64_t)whole);
    hr_builder_int(&columns[4], (int64_t)acc->values);
    hr_builder_int(&columns[5], (int64_t)acc->rows);
    return HR_OK;
}

static void mean_var_clear(const struct hr_analyzer *a, void *p)
{
    struct mean_var *acc = p;

    hr_mem_put((struct hr_env *)&a->env, acc->slots,
               (size_t)hr_analyzer_slots(a) * sizeof *acc->slots);
}

const struct hr_analyzer_kind hr_analyze_mean_var = {
    "analyze.mean_var",
    sizeof(struct mean_var),
    mean_var_add,
    mean_var_merge,
    mean_var_write,
    mean_var_read,
    "mean:g* var:g* sum:g whole:l size:l count:l",
    mean_var_result,
    mean_var_clear,
};

/* -- least and greatest ---------------------------------------- */

struct extremes {
    uint64_t n;
    int64_t imin, imax;
    float fmin, fmax;
};

struct min_max {
    struct extremes *slots;
};

static hr_status extremes_room(const struct hr_analyzer *a, struct min_max *acc)
{
    size_t n = (size_t)hr_analyzer_slots(a), i;

    if (acc->slots)
        return HR_OK;
    if (!(acc->slots = hr_mem_zero((struct hr_env *)&a->env, n * sizeof *acc->slots)))
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++) /* of nothing: the ends of the type, the wrong way round */
        acc->slots[i] =
            (struct extremes){ 0, INT64_MAX, INT64_MIN, 3.40282347e+38f, -3.40282347e+38f };
    return HR_OK;
}

static hr_status min_max_add(const struct hr_analyzer *a, void *p, const struct hr_range *rows)
{
    struct min_max *acc = p;
    const struct hr_col *c = rows->col;
    int64_t i, k, at, n, each = hr_analyzer_slots(a);

    if (extremes_room(a, acc) < 0)
        return HR_EXHAUSTED;
    if (c->kind != HR_COL_INT && c->kind != HR_COL_FLOAT)
        return HR_OK;
    for (i = rows->first; i < rows->end; i++) {
        n = hr_col_count(c, i, &at);
        for (k = 0; k < n; k++) {
            struct extremes *x = &acc->slots[each == 1 ? 0 : k % each];

            if (a->elem == 'l') {
                int64_t v = hr_col_int(c, at + k);

                x->imin = v < x->imin ? v : x->imin;
                x->imax = v > x->imax ? v : x->imax;
            } else {
                float v = (float)hr_col_double(c, at + k); /* NaN is neither */

                x->fmin = v < x->fmin ? v : x->fmin;
                x->fmax = v > x->fmax ? v : x->fmax;
            }
            x->n++;
        }
    }
    return HR_OK;
}

static hr_status min_max_merge(const struct hr_analyzer *a, void *p, void *q)
{
    struct min_max *acc = p, *other = q;
    int64_t i;

    if (extremes_room(a, acc) < 0)
        return HR_EXHAUSTED;
    for (i = 0; other->slots && i < hr_analyzer_slots(a); i++) {
        struct extremes *x = &acc->slots[i], *o = &other->slots[i];

        x->n += o->n;
        x->imin = o->imin < x->imin ? o->imin : x->imin;
        x->imax = o->imax > x->imax ? o->imax : x->imax;
        x->fmin = o->fmin < x->fmin ? o->fmin : x->fmin;
        x->fmax = o->fmax > x->fmax ? o->fmax : x->fmax;
    }
    return HR_OK;
}

static void min_max_write(const struct hr_analyzer *a, const void *p, struct hr_buf *to)
{
    const struct min_max *acc = p;
    int64_t i, slots = acc->slots ? hr_analyzer_slots(a) : 0;

    hr_buf_char(to, 1);
    hr_write_u64(to, (uint64_t)slots);
    for (i = 0; i < slots; i++) {
        const struct extremes *x = &acc->slots[i];

        hr_write_u64(to, x->n);
        hr_write_u64(to, (uint64_t)x->imin);
        hr_write_u64(to, (uint64_t)x->imax);
        hr_write_f64(to, (double)x->fmin);
        hr_write_f64(to, (double)x->fmax);
    }
}

static hr_status min_max_read(const struct hr_analyzer *a, void *p, struct hr_reader *from)
{
    struct min_max *acc = p;
    uint64_t slots, i;

    if (hr_read_u8(from) != 1)
        return HR_DATA_LOSS;
    slots = hr_read_u64(from);
    if (from->bad || (slots && slots != (uint64_t)hr_analyzer_slots(a)) ||
        slots > (uint64_t)(from->end - from->p) / 40)
        return HR_DATA_LOSS;
    if (slots && extremes_room(a, acc) < 0)
        return HR_EXHAUSTED;
    for (i = 0; i < slots; i++) {
        struct extremes *x = &acc->slots[i];

        x->n = hr_read_u64(from);
        x->imin = (int64_t)hr_read_u64(from);
        x->imax = (int64_t)hr_read_u64(from);
        x->fmin = (float)hr_read_f64(from);
        x->fmax = (float)hr_read_f64(from);
    }
    return from->bad ? HR_DATA_LOSS : HR_OK;
}

static hr_status min_max_result(const struct hr_analyzer *a, void *p, struct hr_builder *columns)
{
    struct min_max *acc = p;
    int64_t i;

    if (extremes_room(a, acc) < 0)
        return HR_EXHAUSTED;
    for (i = 0; i < hr_analyzer_slots(a); i++) {
        hr_builder_double(&columns[0], (double)acc->slots[i].fmin);
        hr_builder_double(&columns[1], (double)acc->slots[i].fmax);
        hr_builder_int(&columns[2], acc->slots[i].imin);
        hr_builder_int(&columns[3], acc->slots[i].imax);
    }
    for (i = 0; i < 4; i++)
        hr_builder_end(&columns[i]);
    return HR_OK;
}

static void min_max_clear(const struct hr_analyzer *a, void *p)
{
    struct min_max *acc = p;

    hr_mem_put((struct hr_env *)&a->env, acc->slots,
               (size_t)hr_analyzer_slots(a) * sizeof *acc->slots);
}

const struct hr_analyzer_kind hr_analyze_min_max = {
    "analyze.min_max",
    sizeof(struct min_max),
    min_max_add,
    min_max_merge,
    min_max_write,
    min_max_read,
    "fmin:g* fmax:g* imin:l* imax:l*",
    min_max_result,
    min_max_clear,
};
