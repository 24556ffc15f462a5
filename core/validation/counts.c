#include "validation/counts.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_LOG = 5, MOST_LOG = 17, LEAST_BITS = 16 };

static uint64_t mask_of(uint32_t bits)
{
    return ~(uint64_t)0 << (64 - bits);
}

static size_t slot_of(const struct hr_counts *t, uint64_t key)
{
    key ^= key >> 32;
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - t->log_slots));
}

void hr_counts_init(struct hr_counts *t)
{
    *t = (struct hr_counts){ .bits = 64 };
}

void hr_counts_clear(struct hr_env *env, struct hr_counts *t)
{
    if (t->slots)
        hr_mem_put(env, t->slots, sizeof *t->slots << t->log_slots);
    hr_counts_init(t);
}

/* The slot of a key that is there, or the free one where it belongs. */
static struct hr_count *find(const struct hr_counts *t, uint64_t key)
{
    size_t mask = ((size_t)1 << t->log_slots) - 1, i = slot_of(t, key);

    while (t->slots[i].n && t->slots[i].key != key)
        i = (i + 1) & mask;
    return &t->slots[i];
}

/* Put all into a table of the given size and bits. */
static hr_status rebuild(struct hr_env *env, struct hr_counts *t, uint32_t log_slots, uint32_t bits)
{
    struct hr_counts to = { .log_slots = log_slots, .bits = bits };
    size_t slots = t->slots ? (size_t)1 << t->log_slots : 0, i;
    uint64_t mask = mask_of(bits);
    struct hr_count *c;

    to.slots = hr_mem_zero(env, sizeof *to.slots << log_slots);
    if (!to.slots)
        return HR_EXHAUSTED;
    for (i = 0; i < slots; i++) {
        if (!t->slots[i].n)
            continue;
        c = find(&to, t->slots[i].key & mask);
        to.n += !c->n;
        c->key = t->slots[i].key & mask;
        c->n += t->slots[i].n;
    }
    hr_counts_clear(env, t);
    *t = to;
    return HR_OK;
}

/* Make room for one more key. */
static hr_status grow(struct hr_env *env, struct hr_counts *t)
{
    hr_status r = HR_OK;

    if (!t->slots)
        return rebuild(env, t, FIRST_LOG, t->bits);
    if (t->n < (size_t)1 << (t->log_slots - 1))
        return HR_OK;
    if (t->log_slots < MOST_LOG)
        return rebuild(env, t, t->log_slots + 1, t->bits);
    return r;
}

static int key_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The most bits, fewer than now, by which the keys are few enough: of neighbours in their
 * order, the bits they have in common tell up to where they are one. */
static hr_status fitting_bits(struct hr_env *env, const struct hr_counts *t, uint32_t *ret)
{
    size_t slots = (size_t)1 << t->log_slots, common[64] = { 0 }, n = 0, i, different = 1;
    uint64_t *keys = hr_mem_zero(env, t->n * sizeof *keys);
    uint32_t bits = 0;

    if (!keys)
        return HR_EXHAUSTED;
    for (i = 0; i < slots; i++)
        if (t->slots[i].n)
            keys[n++] = t->slots[i].key;
    qsort(keys, n, sizeof *keys, key_order);
    for (i = 1; i < n; i++)
        common[__builtin_clzll(keys[i] ^ keys[i - 1])]++;
    while (bits < t->bits && different + common[bits] <= HR_COUNTS_MAX)
        different += common[bits++];
    hr_mem_put(env, keys, t->n * sizeof *keys);
    *ret = bits < t->bits ? bits : t->bits - 1;
    return HR_OK;
}

/* Drop bits until the keys are few enough: mostly one, of the first time many. */
static hr_status fit(struct hr_env *env, struct hr_counts *t)
{
    hr_status r = rebuild(env, t, t->log_slots, t->bits - 1);
    uint32_t bits;

    if (r < 0 || t->n <= HR_COUNTS_MAX)
        return r;
    r = fitting_bits(env, t, &bits);
    return r < 0 ? r : rebuild(env, t, t->log_slots, bits);
}

hr_status hr_counts_add(struct hr_env *env, struct hr_counts *t, uint64_t key, uint64_t n)
{
    struct hr_count *c;
    hr_status r;

    if (!n)
        return HR_OK;
    key &= mask_of(t->bits);
    if (t->slots) {
        c = find(t, key);
        if (c->n) {
            c->n += n;
            return HR_OK;
        }
    }
    r = grow(env, t);
    if (r < 0)
        return r;
    c = find(t, key);
    c->key = key;
    c->n = n;
    t->n++;
    /* The table has room for one more than fits. */
    return t->n > HR_COUNTS_MAX ? fit(env, t) : HR_OK;
}

hr_status hr_counts_merge(struct hr_env *env, struct hr_counts *t, const struct hr_counts *other)
{
    size_t slots = other->slots ? (size_t)1 << other->log_slots : 0, i;
    hr_status r = HR_OK;

    if (other->bits < t->bits) {
        if (t->slots)
            r = rebuild(env, t, t->log_slots, other->bits);
        else
            t->bits = other->bits;
    }
    for (i = 0; i < slots && r == HR_OK; i++)
        if (other->slots[i].n)
            r = hr_counts_add(env, t, other->slots[i].key, other->slots[i].n);
    return r;
}

static int order(const void *a, const void *b)
{
    uint64_t x = ((const struct hr_count *)a)->key, y = ((const struct hr_count *)b)->key;

    return (x > y) - (x < y);
}

void hr_counts_sorted(const struct hr_counts *t, struct hr_count *ret)
{
    size_t slots = t->slots ? (size_t)1 << t->log_slots : 0, i, n = 0;

    for (i = 0; i < slots; i++)
        if (t->slots[i].n)
            ret[n++] = t->slots[i];
    if (n)
        qsort(ret, n, sizeof *ret, order);
}

bool hr_counts_sane(const struct hr_counts *t)
{
    size_t slots = t->slots ? (size_t)1 << t->log_slots : 0, i, n = 0;

    if (t->bits < LEAST_BITS || t->bits > 64 || t->n > HR_COUNTS_MAX || t->n * 2 > slots)
        return false;
    for (i = 0; i < slots; i++) {
        n += t->slots[i].n != 0;
        if (t->slots[i].n && t->slots[i].key & ~mask_of(t->bits))
            return false;
    }
    return n == t->n;
}
