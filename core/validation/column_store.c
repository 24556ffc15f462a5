#include "validation/column_store.h"

#include <math.h>
#include <string.h>

static bool load_flag(struct hr_stored *in)
{
    uint64_t v = hr_load_uint(in, 1);

    in->ok = in->ok && v <= 1;
    return v == 1;
}

/* -- tables ---------------------------------------------------------------------------- */

static hr_status store_counts(const struct hr_counts *t, struct hr_buf *to)
{
    hr_status r = hr_store_u32(to, t->bits);
    size_t i;

    r |= hr_store_u32(to, (uint32_t)t->n);
    for (i = 0; i < t->n && r == HR_OK; i++) {
        r |= hr_store_u64(to, t->items[i].key);
        r |= hr_store_u64(to, t->items[i].n);
    }
    return r;
}

/* Is there a number among those that look like this key? */
static bool is_number(uint64_t key, uint32_t bits)
{
    return !isnan(hr_count_value(key)) ||
           (bits < 64 && !isnan(hr_count_value(key | ~(uint64_t)0 >> bits)));
}

static hr_status load_counts(struct hr_env *env, struct hr_stored *in, struct hr_counts *t)
{
    uint32_t bits = hr_load_u32(in), n = hr_load_u32(in), i;
    uint64_t key, count, last = 0, sum = 0;
    hr_status r = HR_OK;

    in->ok = in->ok && bits >= 16 && bits <= 64 && n <= HR_COUNTS_MAX;
    if (!hr_load_fits(in, n, 16))
        return HR_OK;
    t->bits = bits;
    for (i = 0; i < n && in->ok && r == HR_OK; i++) {
        key = hr_load_u64(in);
        count = hr_load_u64(in);
        sum += count;
        in->ok = count && sum >= count && (!i || key > last) && !(bits < 64 && key << bits) &&
                 is_number(key, bits);
        last = key;
        if (in->ok)
            r = hr_counts_add(env, t, key, count);
    }
    return r;
}

struct storing {
    struct hr_buf *to;
    uint64_t n;
};

static hr_status store_table(void *user, const struct hr_words *t)
{
    struct storing *s = user;
    hr_status r = HR_OK;
    size_t i;

    s->n += t->n;
    for (i = 0; i < t->n && r == HR_OK; i++) {
        r |= hr_store_u64(s->to, t->words[i].n);
        r |= hr_store_u32(s->to, t->words[i].size);
        r |= hr_buf_add(s->to, hr_word_text(t, &t->words[i]), t->words[i].size);
    }
    return r;
}

/* How many there are is known when all are stored. */
static hr_status store_words(struct hr_env *env, const struct hr_words *t, struct hr_buf *to)
{
    struct storing s = { to, 0 };
    size_t at = to->len;
    hr_status r = hr_store_u64(to, 0);
    int i;

    r |= hr_store_u64(to, t->total);
    r |= hr_store_u64(to, t->total_size);
    r |= hr_store_u64(to, t->not_utf8);
    r |= hr_store_u64(to, t->least);
    r |= hr_store_u64(to, t->most);
    if (r == HR_OK)
        r = hr_words_each(env, t, store_table, &s);
    for (i = 0; i < 8 && r == HR_OK; i++)
        to->text[at + (size_t)i] = (char)(s.n >> (8 * i));
    return r;
}

static hr_status count_table(void *user, const struct hr_words *t)
{
    *(uint64_t *)user += t->n;
    return HR_OK;
}

static hr_status load_words(struct hr_env *env, struct hr_stored *in, struct hr_words *t)
{
    uint64_t n = hr_load_u64(in), found = 0, i, count;
    struct hr_words totals = { .total = hr_load_u64(in) };
    hr_status r = HR_OK;
    uint32_t size;

    totals.total_size = hr_load_u64(in);
    totals.not_utf8 = hr_load_u64(in);
    totals.least = hr_load_u64(in);
    totals.most = hr_load_u64(in);
    if (!hr_load_fits(in, n, 12))
        return HR_OK;
    for (i = 0; i < n && in->ok && r == HR_OK; i++) {
        count = hr_load_u64(in);
        size = hr_load_u32(in);
        in->ok = in->ok && count && count < UINT64_MAX >> 34;
        if (!hr_load_fits(in, size, 1))
            return HR_OK;
        r = hr_words_add(env, t, in->p, size, count);
        in->p += size;
    }
    if (r == HR_OK)
        r = hr_words_settle(env, t);
    if (r == HR_OK)
        r = hr_words_each(env, t, count_table, &found);
    t->total = totals.total;
    t->total_size = totals.total_size;
    t->not_utf8 = totals.not_utf8;
    t->least = totals.least;
    t->most = totals.most;
    in->ok = in->ok && found == n;
    return r;
}

/* -- columns ----------------------------------------------------------------------------- */

static hr_status store_sums(const struct hr_exact *sums, struct hr_buf *to)
{
    hr_status r = hr_buf_char(to, sums ? 1 : 0);
    struct hr_exact e;
    int i;

    if (!sums)
        return r;
    e = *sums;
    hr_exact_settle(&e);
    for (i = 0; i < HR_EXACT_SUM; i++)
        r |= hr_store_u64(to, (uint64_t)e.sum[i]);
    for (i = 0; i < HR_EXACT_SQUARES; i++)
        r |= hr_store_u64(to, (uint64_t)e.squares[i]);
    return r | hr_store_u64(to, e.n);
}

static hr_status load_sums(struct hr_env *env, struct hr_stored *in, struct hr_column *c)
{
    struct hr_exact *e;
    int i;

    if (!load_flag(in))
        return HR_OK;
    e = c->sums = hr_mem_zero(env, sizeof *e);
    if (!e)
        return HR_EXHAUSTED;
    for (i = 0; i < HR_EXACT_SUM; i++)
        e->sum[i] = (int64_t)hr_load_u64(in);
    for (i = 0; i < HR_EXACT_SQUARES; i++)
        e->squares[i] = (int64_t)hr_load_u64(in);
    e->n = hr_load_u64(in);
    /* Settled: each limb but the last is of 32 bits, and the last is far from its bounds. */
    for (i = 0; i < HR_EXACT_SUM; i++)
        in->ok &= (i + 1 < HR_EXACT_SUM ? e->sum[i] >> 32 == 0
                                        : e->sum[i] >= INT32_MIN && e->sum[i] <= INT32_MAX);
    for (i = 0; i < HR_EXACT_SQUARES; i++)
        in->ok &= e->squares[i] >> 32 == 0;
    in->ok &= e->n > 0;
    return HR_OK;
}

static hr_status store_head(const struct hr_column *c, struct hr_buf *to)
{
    hr_status r = hr_buf_char(to, c->head_over ? 1 : 0);
    size_t i;

    if (c->head_over)
        return r;
    r |= hr_store_u32(to, (uint32_t)c->head_n);
    for (i = 0; i < c->head_n && r == HR_OK; i++)
        r |= hr_store_double(to, c->head[i]);
    return r;
}

static hr_status load_head(struct hr_env *env, struct hr_stored *in, struct hr_column *c)
{
    uint32_t n, i;

    c->head_over = load_flag(in);
    if (c->head_over)
        return HR_OK;
    n = hr_load_u32(in);
    in->ok = in->ok && n <= HR_COLUMN_HEAD_VALUES;
    if (!hr_load_fits(in, n, 8) || !n)
        return HR_OK;
    if (!hr_mem_reserve(env, (void **)&c->head, &c->head_cap, n, sizeof *c->head,
                        HR_COLUMN_HEAD_VALUES))
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++) {
        c->head[i] = hr_load_double(in);
        in->ok &= !isnan(c->head[i]);
    }
    c->head_n = n;
    return HR_OK;
}

hr_status hr_column_store(struct hr_env *env, const struct hr_column *c, struct hr_buf *to)
{
    hr_status r = hr_store_u64(to, c->rows);

    r |= hr_store_u64(to, c->present);
    r |= hr_store_u64(to, c->values);
    r |= hr_store_u64(to, c->zeros);
    r |= hr_store_u64(to, c->nan);
    r |= hr_store_u64(to, c->negative);
    r |= hr_store_u64(to, c->positive);
    r |= hr_store_double(to, c->finite_min);
    r |= hr_store_double(to, c->finite_max);
    r |= store_counts(&c->lengths, to);
    r |= store_counts(&c->numbers, to);
    r |= store_sums(c->sums, to);
    r |= store_head(c, to);
    r |= store_words(env, &c->words, to);
    return r == HR_OK ? HR_OK : HR_EXHAUSTED;
}

/* How many of the counted numbers are such a value, which only exact keys tell. */
static uint64_t count_of(const struct hr_counts *t, double value)
{
    size_t i;

    for (i = 0; i < t->n; i++)
        if (t->items[i].key == hr_count_key(value))
            return t->items[i].n;
    return 0;
}

/* Do sums, infinities and bounds belong to the numbers that were counted? */
static bool numbers_fit(const struct hr_column *c, uint64_t numbers)
{
    uint64_t infinite = c->negative + c->positive;
    bool bounds = c->finite_min <= c->finite_max;

    if (infinite < c->negative || infinite > numbers || isnan(c->finite_min) ||
        isnan(c->finite_max) || (c->numbers.n && bounds != (numbers > infinite)))
        return false;
    if (c->sums)
        return c->sums->n == numbers - infinite;
    return count_of(&c->numbers, INFINITY) == c->positive &&
           count_of(&c->numbers, -INFINITY) == c->negative;
}

/* What the parts must say of each other, so that no reader of them is led astray. */
static bool consistent(const struct hr_column *c)
{
    uint64_t rows = 0, numbers = 0;
    size_t i;

    for (i = 0; i < c->lengths.n; i++) {
        double v = hr_count_value(c->lengths.items[i].key);

        if (!(v >= 0 && v < 9e18))
            return false;
        rows += c->lengths.items[i].n;
    }
    for (i = 0; i < c->numbers.n; i++)
        numbers += c->numbers.items[i].n;
    return rows == c->present && hr_column_sane(c) && numbers_fit(c, numbers) &&
           (c->head_over || c->head_n == numbers) &&
           (!c->words.total || c->words.least <= c->words.most);
}

hr_status hr_column_load(struct hr_env *env, struct hr_stored *in, struct hr_column *c)
{
    hr_status r;

    c->rows = hr_load_u64(in);
    c->present = hr_load_u64(in);
    c->values = hr_load_u64(in);
    c->zeros = hr_load_u64(in);
    c->nan = hr_load_u64(in);
    c->negative = hr_load_u64(in);
    c->positive = hr_load_u64(in);
    c->finite_min = hr_load_double(in);
    c->finite_max = hr_load_double(in);
    r = load_counts(env, in, &c->lengths);
    if (r == HR_OK)
        r = load_counts(env, in, &c->numbers);
    if (r == HR_OK)
        r = load_sums(env, in, c);
    if (r == HR_OK)
        r = load_head(env, in, c);
    if (r == HR_OK)
        r = load_words(env, in, &c->words);
    if (r == HR_OK) {
        hr_column_bounds(c);
        in->ok = in->ok && consistent(c);
    }
    return r;
}
