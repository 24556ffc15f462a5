#include "validation/counts.h"

#include <string.h>

enum { LEAST_BITS = 16 };

static uint64_t mask_of(uint32_t bits)
{
    return bits ? ~(uint64_t)0 << (64 - bits) : 0;
}

void hr_counts_init(struct hr_counts *t)
{
    *t = (struct hr_counts){ .bits = 64 };
}

void hr_counts_clear(struct hr_env *env, struct hr_counts *t)
{
    if (t->items)
        hr_mem_put(env, t->items, t->cap * sizeof *t->items);
    hr_counts_init(t);
}

/* Mask the keys of a sorted list, and make one of those that are then equal. */
static size_t squeeze(struct hr_count *items, size_t n, uint64_t mask)
{
    uint64_t last;
    size_t i, k = 0;

    if (!n)
        return 0;
    last = items[0].key &= mask;
    for (i = 1; i < n; i++) {
        uint64_t key = items[i].key & mask, count = items[i].n;
        bool same = key == last;

        k += !same;
        items[k] = (struct hr_count){ key, same ? items[k].n + count : count };
        last = key;
    }
    return k + 1;
}

/* Exactly as much as is wanted, or half as much again: a table is large, and grows seldom. */
static hr_status reserve(struct hr_env *env, struct hr_counts *t, size_t need)
{
    size_t cap = t->cap + t->cap / 2;
    struct hr_count *items;

    if (need <= t->cap)
        return HR_OK;
    cap = cap < need ? need : cap;
    if (cap > SIZE_MAX / sizeof *items)
        return hr_fail_memory(env);
    items = hr_mem_resize(env, t->items, t->cap * sizeof *items, cap * sizeof *items);
    if (!items)
        return HR_EXHAUSTED;
    t->items = items;
    t->cap = cap;
    return HR_OK;
}

/* Where a key is, or belongs. */
static size_t place(const struct hr_counts *t, uint64_t key)
{
    size_t from = 0, n = t->n;

    if (n && t->items[n - 1].key < key)
        return n;
    while (n) {
        size_t half = n / 2;

        if (t->items[from + half].key < key) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

hr_status hr_counts_add(struct hr_env *env, struct hr_counts *t, uint64_t key, uint64_t n)
{
    hr_status r;
    size_t i;

    if (!n)
        return HR_OK;
    key &= mask_of(t->bits);
    i = place(t, key);
    if (i < t->n && t->items[i].key == key) {
        t->items[i].n += n;
        return HR_OK;
    }
    if ((r = reserve(env, t, t->n + 1)) < 0)
        return r;
    memmove(t->items + i + 1, t->items + i, (t->n - i) * sizeof *t->items);
    t->items[i] = (struct hr_count){ key, n };
    t->n++;
    hr_counts_fit(t);
    return HR_OK;
}

/* Both are walked from their ends without a branch on what is greater, for no processor can
 * guess that.  The result grows downwards from where it ends if no key is in both, and cannot
 * run over what of t is not yet read. */
hr_status hr_counts_unite(struct hr_env *env, struct hr_counts *t, struct hr_count *more, size_t m)
{
    struct hr_count *items;
    size_t i = t->n, k, j;
    hr_status r;

    if (!m)
        return HR_OK;
    if (t->bits < 64)
        m = squeeze(more, m, mask_of(t->bits));
    if ((r = reserve(env, t, t->n + m)) < 0)
        return r;
    items = t->items;
    for (k = t->n + m, j = m; i && j;) {
        struct hr_count a = items[i - 1], b = more[j - 1];
        uint64_t take_a = a.key >= b.key, take_b = b.key >= a.key;

        items[--k] = (struct hr_count){ take_a ? a.key : b.key,
                                        (a.n & (0 - take_a)) + (b.n & (0 - take_b)) };
        i -= take_a;
        j -= take_b;
    }
    if (j)
        memcpy(items + (k - j), more, j * sizeof *items);
    k -= j;
    /* what is left of t stands where it belongs, below a gap of as many as were in both */
    memmove(items + i, items + k, (t->n + m - k) * sizeof *items);
    t->n = i + (t->n + m - k);
    return HR_OK;
}

/* The most bits, fewer than now, by which the keys are few enough: of neighbours in their
 * order, the bits they have in common tell up to where they are one. */
static uint32_t fitting_bits(const struct hr_counts *t)
{
    size_t common[64] = { 0 }, i, different = 1;
    uint32_t bits = 0;

    for (i = 1; i < t->n; i++)
        common[__builtin_clzll(t->items[i].key ^ t->items[i - 1].key)]++;
    while (bits < t->bits && different + common[bits] <= HR_COUNTS_MAX)
        different += common[bits++];
    return bits < t->bits ? bits : t->bits - 1;
}

void hr_counts_fit(struct hr_counts *t)
{
    if (t->n > HR_COUNTS_MAX)
        hr_counts_keep(t, fitting_bits(t));
}

void hr_counts_keep(struct hr_counts *t, uint32_t bits)
{
    if (bits >= t->bits)
        return;
    t->bits = bits;
    t->n = squeeze(t->items, t->n, mask_of(bits));
}

bool hr_counts_sane(const struct hr_counts *t)
{
    size_t i;

    if (t->bits < LEAST_BITS || t->bits > 64 || t->n > HR_COUNTS_MAX || t->n > t->cap)
        return false;
    for (i = 0; i < t->n; i++)
        if (!t->items[i].n || t->items[i].key & ~mask_of(t->bits) ||
            (i && t->items[i].key <= t->items[i - 1].key))
            return false;
    return true;
}
