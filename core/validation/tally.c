#include "validation/tally.h"

#include <string.h>

enum { NEAR_LEAST = 64, DIGIT = 11, BUCKETS = 1 << DIGIT };

/* More than the list could hold are not counted by distance: few of the array would be used. */
static uint64_t near_most(const struct hr_tally *t)
{
    return 2 * (uint64_t)t->most;
}

void hr_tally_init(struct hr_tally *t, size_t most)
{
    *t = (struct hr_tally){ .most = most };
}

static size_t width(enum hr_tally_kind kind)
{
    return kind == HR_TALLY_FLOAT ? sizeof(uint32_t) : sizeof(uint64_t);
}

static void drop_list(struct hr_env *env, struct hr_tally *t)
{
    if (t->list)
        hr_mem_put(env, t->list, t->cap * width(t->kind));
    t->list = NULL;
    t->n = t->cap = 0;
}

void hr_tally_clear(struct hr_env *env, struct hr_tally *t)
{
    drop_list(env, t);
    if (t->near)
        hr_mem_put(env, t->near, t->range * sizeof *t->near);
    hr_tally_init(t, t->most);
}

void hr_runs_clear(struct hr_env *env, struct hr_runs *runs)
{
    if (runs->items)
        hr_mem_put(env, runs->items, runs->cap * sizeof *runs->items);
    *runs = (struct hr_runs){ 0 };
}

/* -- taking ------------------------------------------------------------------------ */

hr_status hr_tally_room(struct hr_env *env, struct hr_tally *t, enum hr_tally_kind kind,
                        size_t want, size_t *ret)
{
    size_t cap;
    void *list;

    *ret = 0;
    if (t->kind != kind) {
        if (t->n)
            return HR_OK;
        drop_list(env, t);
        t->kind = kind;
    }
    want = want < t->most - t->n ? want : t->most - t->n;
    if (t->n + want > t->cap) {
        cap = t->cap ? t->cap * 4 : HR_TALLY_LEAST;
        cap = cap < t->n + want ? t->n + want : cap;
        cap = cap > t->most ? t->most : cap;
        list = hr_mem_resize(env, t->list, t->cap * width(kind), cap * width(kind));
        if (!list)
            return HR_EXHAUSTED;
        t->list = list;
        t->cap = cap;
    }
    *ret = want;
    return HR_OK;
}

/* Bits whose order is that of their numbers. */
static inline uint32_t float_key(uint32_t u)
{
    return u ^ ((0 - (u >> 31)) | (uint32_t)1 << 31);
}

size_t hr_tally_floats(struct hr_tally *t, const float *v, size_t n)
{
    uint32_t *to = (uint32_t *)t->list + t->n, u, most = 0;
    size_t i, k = 0;

    for (i = 0; i < n; i++) {
        memcpy(&u, v + i, sizeof u);
        to[i] = float_key(u);
        u &= 0x7fffffff;
        most = u > most ? u : most;
    }
    t->n += n;
    if (most <= 0x7f800000)
        return 0;
    for (t->n -= n, i = 0; i < n; i++) {
        memcpy(&u, v + i, sizeof u);
        to[k] = float_key(u);
        k += (u & 0x7fffffff) <= 0x7f800000;
    }
    t->n += k;
    return n - k;
}

size_t hr_tally_doubles(struct hr_tally *t, const double *v, size_t n)
{
    uint64_t *to = (uint64_t *)t->list + t->n;
    size_t i, k = 0;

    for (i = 0; i < n; i++) {
        to[k] = hr_count_key(v[i]);
        k += v[i] == v[i];
    }
    t->n += k;
    return n - k;
}

/* Let the array reach v too, if it would not get too long by that. */
static hr_status reach(struct hr_env *env, struct hr_tally *t, int64_t v, bool *ret)
{
    int64_t low = t->range && t->base < v ? t->base : v, high, base;
    uint64_t range = NEAR_LEAST, i;
    uint32_t *near;

    high = t->range ? (int64_t)((uint64_t)t->base + t->range - 1) : v;
    high = high < v ? v : high;
    *ret = false;
    if ((uint64_t)high - (uint64_t)low >= near_most(t))
        return HR_OK;
    for (;; range *= 2) { /* begin at a multiple of half of it */
        base = low & ~(int64_t)(range / 2 - 1);
        if ((uint64_t)high - (uint64_t)base < range)
            break;
    }
    if (range > near_most(t) || base > INT64_MAX - (int64_t)range)
        return HR_OK;
    near = hr_mem_zero(env, range * sizeof *near);
    if (!near)
        return HR_EXHAUSTED;
    for (i = 0; i < t->range; i++)
        near[(uint64_t)t->base + i - (uint64_t)base] = t->near[i];
    if (t->near)
        hr_mem_put(env, t->near, t->range * sizeof *near);
    t->near = near;
    t->base = base;
    t->range = range;
    *ret = true;
    return HR_OK;
}

hr_status hr_tally_ints(struct hr_env *env, struct hr_tally *t, const int64_t *v, size_t n)
{
    uint64_t *to = t->list, at, taken = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        bool reached = true;

        at = (uint64_t)v[i] - (uint64_t)t->base;
        if (at >= t->range) {
            hr_status r = reach(env, t, v[i], &reached);

            if (r < 0)
                return r;
            at = (uint64_t)v[i] - (uint64_t)t->base;
        }
        if (reached) {
            t->near[at]++;
            taken++;
        } else {
            to[t->n++] = (uint64_t)v[i] ^ (uint64_t)1 << 63;
        }
    }
    t->near_n += taken;
    return HR_OK;
}

void hr_tally_take(struct hr_tally *t, const struct hr_tally *other)
{
    size_t size = width(t->kind);

    if (other->n)
        memcpy((char *)t->list + t->n * size, other->list, other->n * size);
    t->n += other->n;
}

/* -- sorting ----------------------------------------------------------------------- */

/* By digits from the lowest on; those in which all are alike are passed over.  Returns where the
 * sorted ones are, from or to. */
#define SORT(name, type)                                                                           \
    static type *name(type *from, type *to, size_t n)                                              \
    {                                                                                              \
        uint32_t at[BUCKETS], sum, count;                                                          \
        type any = 0, all = (type) ~(type)0, vary, *other;                                         \
        unsigned shift;                                                                            \
        size_t i;                                                                                  \
                                                                                                   \
        for (i = 0; i < n; i++) {                                                                  \
            any |= from[i];                                                                        \
            all &= from[i];                                                                        \
        }                                                                                          \
        for (vary = any ^ all; vary; vary &= (type)(shift + DIGIT < 8 * sizeof(type)               \
                                                        ? (type) ~(type)0 << (shift + DIGIT)       \
                                                        : 0)) {                                    \
            shift = (unsigned)__builtin_ctzll(vary);                                               \
            memset(at, 0, sizeof at);                                                              \
            for (i = 0; i < n; i++)                                                                \
                at[from[i] >> shift & (BUCKETS - 1)]++;                                            \
            for (sum = 0, i = 0; i < BUCKETS; i++) {                                               \
                count = at[i];                                                                     \
                at[i] = sum;                                                                       \
                sum += count;                                                                      \
            }                                                                                      \
            for (i = 0; i < n; i++)                                                                \
                to[at[from[i] >> shift & (BUCKETS - 1)]++] = from[i];                              \
            other = from;                                                                          \
            from = to;                                                                             \
            to = other;                                                                            \
        }                                                                                          \
        return from;                                                                               \
    }

SORT(sort_32, uint32_t)
SORT(sort_64, uint64_t)

/* Each of the sorted keys once, with the index behind its last. */
#define EACH_ONCE(name, type)                                                                      \
    static size_t name(const type *keys, size_t n, struct hr_count *to)                            \
    {                                                                                              \
        type last = keys[0];                                                                       \
        size_t i, k = 0;                                                                           \
                                                                                                   \
        for (i = 0; i < n; i++) {                                                                  \
            k += keys[i] != last;                                                                  \
            last = keys[i];                                                                        \
            to[k] = (struct hr_count){ last, i + 1 };                                              \
        }                                                                                          \
        return k + 1;                                                                              \
    }

EACH_ONCE(once_32, uint32_t)
EACH_ONCE(once_64, uint64_t)

static uint64_t key_of(enum hr_tally_kind kind, uint64_t key)
{
    uint32_t u = (uint32_t)key;
    float v;

    if (kind == HR_TALLY_DOUBLE)
        return key;
    if (kind == HR_TALLY_INT)
        return hr_count_key((double)(int64_t)(key ^ (uint64_t)1 << 63));
    u ^= ((u >> 31) - 1) | (uint32_t)1 << 31;
    memcpy(&v, &u, sizeof v);
    return hr_count_key((double)v);
}

/* Keys of counts.h, and counts instead of ends.  Numbers that are different may have one key:
 * -0.0 and 0.0, integers of more than 53 bits. */
static size_t finish(enum hr_tally_kind kind, struct hr_count *runs, size_t n)
{
    uint64_t end = 0, count;
    size_t i, k = 0;

    for (i = 0; i < n; i++) {
        uint64_t key = key_of(kind, runs[i].key);

        count = runs[i].n - end;
        end = runs[i].n;
        if (k && runs[k - 1].key == key)
            runs[k - 1].n += count;
        else
            runs[k++] = (struct hr_count){ key, count };
    }
    return k;
}

hr_status hr_tally_runs(struct hr_env *env, struct hr_tally *t, struct hr_runs *ret)
{
    size_t size = t->n * width(t->kind), n = t->n;
    struct hr_runs runs = { .cap = n };
    void *spare;

    *ret = (struct hr_runs){ 0 };
    if (!n)
        return HR_OK;
    runs.items = hr_mem_resize(env, NULL, 0, n * sizeof *runs.items);
    spare = hr_mem_resize(env, NULL, 0, size);
    if (!runs.items || !spare) {
        hr_runs_clear(env, &runs);
        hr_mem_put(env, spare, size);
        return HR_EXHAUSTED;
    }
    if (t->kind == HR_TALLY_FLOAT)
        runs.n = once_32(sort_32(t->list, spare, n), n, runs.items);
    else
        runs.n = once_64(sort_64(t->list, spare, n), n, runs.items);
    runs.n = finish(t->kind, runs.items, runs.n);
    hr_mem_put(env, spare, size);
    t->n = 0;
    *ret = runs;
    return HR_OK;
}

hr_status hr_tally_near(struct hr_env *env, struct hr_tally *t, struct hr_runs *ret)
{
    struct hr_runs runs = { 0 };
    uint64_t i, end = 0;

    *ret = runs;
    if (!t->near_n)
        return HR_OK;
    for (i = 0; i < t->range; i++)
        runs.cap += t->near[i] != 0;
    runs.items = hr_mem_resize(env, NULL, 0, runs.cap * sizeof *runs.items);
    if (!runs.items)
        return HR_EXHAUSTED;
    for (i = 0; i < t->range; i++) {
        if (!t->near[i])
            continue;
        end += t->near[i];
        runs.items[runs.n++] =
            (struct hr_count){ ((uint64_t)t->base + i) ^ (uint64_t)1 << 63, end };
    }
    runs.n = finish(HR_TALLY_INT, runs.items, runs.n);
    hr_mem_put(env, t->near, t->range * sizeof *t->near);
    t->near = NULL;
    t->base = 0;
    t->range = t->near_n = 0;
    *ret = runs;
    return HR_OK;
}
