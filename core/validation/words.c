#include "validation/words.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_INDEX = 64 };

static const uint64_t seed = UINT64_C(0x48656164);

void hr_words_init(struct hr_words *t)
{
    *t = (struct hr_words){ .least = UINT64_MAX, .late_most = HR_WORDS_LATE };
}

void hr_words_clear(struct hr_env *env, struct hr_words *t)
{
    if (t->words)
        hr_mem_put(env, t->words, t->cap * sizeof *t->words);
    if (t->index)
        hr_mem_put(env, t->index, t->index_cap * sizeof *t->index);
    if (t->bytes)
        hr_mem_put(env, t->bytes, t->bytes_cap);
    if (t->late)
        hr_mem_put(env, t->late, t->late_cap * sizeof *t->late);
    if (t->late_bytes)
        hr_mem_put(env, t->late_bytes, t->late_bytes_cap);
    hr_words_init(t);
}

static bool kept(uint64_t hash, uint32_t zeros)
{
    return !zeros || !(hash >> (64 - zeros));
}

/* The place in the index of a text, or the free one where it belongs. */
static uint32_t *find(const struct hr_words *t, uint64_t hash, const char *text, size_t size)
{
    size_t mask = t->index_cap - 1, i = (size_t)hash & mask;
    const struct hr_word *w;

    for (; t->index[i]; i = (i + 1) & mask) {
        w = &t->words[t->index[i] - 1];
        if (w->hash == hash && w->size == size && !memcmp(hr_word_text(t, w), text, size))
            break;
    }
    return &t->index[i];
}

/* An index of cap slots for the words there are. */
static hr_status reindex(struct hr_env *env, struct hr_words *t, size_t cap)
{
    uint32_t *index = hr_mem_zero(env, cap * sizeof *index);
    size_t mask = cap - 1, i, k;

    if (!index)
        return HR_EXHAUSTED;
    for (i = 0; i < t->n; i++) {
        for (k = (size_t)t->words[i].hash & mask; index[k]; k = (k + 1) & mask)
            ;
        index[k] = (uint32_t)(i + 1);
    }
    if (t->index)
        hr_mem_put(env, t->index, t->index_cap * sizeof *t->index);
    t->index = index;
    t->index_cap = cap;
    return HR_OK;
}

/* Keep fewer: one more bit of the hash must be zero. */
static hr_status thin(struct hr_env *env, struct hr_words *t)
{
    size_t i, n = 0, size = 0;

    t->zeros++;
    for (i = 0; i < t->n; i++) {
        struct hr_word w = t->words[i];

        if (!kept(w.hash, t->zeros))
            continue;
        memmove(t->bytes + size, t->bytes + w.at, w.size);
        w.at = size;
        size += w.size;
        t->words[n++] = w;
    }
    t->n = n;
    t->bytes_size = size;
    return reindex(env, t, t->index_cap);
}

/* A text with what is known of it. */
struct text {
    uint64_t hash;
    const char *text;
    size_t size;
    bool is_bytes;
};

static hr_status add_new(struct hr_env *env, struct hr_words *t, const struct text *x, uint64_t n)
{
    hr_status r;

    if (!hr_mem_reserve(env, (void **)&t->words, &t->cap, t->n + 1, sizeof *t->words,
                        (size_t)HR_WORDS_MAX * 2) ||
        !hr_mem_reserve(env, (void **)&t->bytes, &t->bytes_cap, t->bytes_size + x->size + 1, 1,
                        HR_WORDS_BYTES * 4))
        return HR_EXHAUSTED;
    if ((t->n + 1) * 2 > t->index_cap) {
        r = reindex(env, t, t->index_cap ? t->index_cap * 2 : FIRST_INDEX);
        if (r < 0)
            return r;
    }
    memcpy(t->bytes + t->bytes_size, x->text, x->size);
    *find(t, x->hash, x->text, x->size) = (uint32_t)(t->n + 1);
    t->words[t->n++] =
        (struct hr_word){ x->hash, n, t->bytes_size, (uint32_t)x->size, x->is_bytes };
    t->bytes_size += x->size;
    while (t->n > HR_WORDS_MAX || (t->bytes_size > HR_WORDS_BYTES && t->n > 1)) {
        r = thin(env, t);
        if (r < 0)
            return r;
    }
    return HR_OK;
}

/* Count it in the totals that do not depend on what is kept. */
static void total(struct hr_words *t, size_t size, uint64_t n, bool is_bytes)
{
    t->total += n;
    t->total_size += n * size;
    if (size < t->least)
        t->least = size;
    if (size > t->most)
        t->most = size;
    if (is_bytes)
        t->not_utf8 += n;
}

static struct hr_word *known(const struct hr_words *t, uint64_t hash, const char *text, size_t size)
{
    uint32_t i = t->index ? *find(t, hash, text, size) : 0;

    return i ? &t->words[i - 1] : NULL;
}

/* Count in the table, not in the totals. */
static hr_status count(struct hr_env *env, struct hr_words *t, const struct text *x, uint64_t n)
{
    struct hr_word *w;

    if (!kept(x->hash, t->zeros))
        return HR_OK;
    w = known(t, x->hash, x->text, x->size);
    if (!w)
        return add_new(env, t, x, n);
    w->n += n;
    return HR_OK;
}

hr_status hr_words_settle(struct hr_env *env, struct hr_words *t)
{
    enum { AHEAD = 8 };
    const char *p = t->late_bytes;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < t->late_n && r == HR_OK; i++) {
        const struct hr_late_word *w = &t->late[i];
        struct text x = { w->hash, w->size ? p : "", w->size, w->is_bytes };

        if (i + AHEAD < t->late_n && t->index)
            __builtin_prefetch(&t->index[(size_t)t->late[i + AHEAD].hash & (t->index_cap - 1)]);
        r = count(env, t, &x, 1);
        p += w->size;
    }
    t->late_n = t->late_size = 0;
    return r;
}

/* n of them, whose bytes follow each other, to the list. */
static hr_status add_late(struct hr_env *env, struct hr_words *t, const struct hr_late_word *w,
                          size_t n, const char *bytes, size_t size)
{
    hr_status r;

    if (t->late_n + n > t->late_most || t->late_size + size > HR_WORDS_BYTES / 4) {
        r = hr_words_settle(env, t);
        if (r < 0)
            return r;
    }
    if (!hr_mem_reserve(env, (void **)&t->late, &t->late_cap, t->late_n + n, sizeof *t->late,
                        HR_WORDS_LATE) ||
        !hr_mem_reserve(env, (void **)&t->late_bytes, &t->late_bytes_cap, t->late_size + size + 1,
                        1, HR_WORDS_BYTES * 4))
        return HR_EXHAUSTED;
    memcpy(t->late + t->late_n, w, n * sizeof *w);
    memcpy(t->late_bytes + t->late_size, bytes, size);
    t->late_n += n;
    t->late_size += size;
    return HR_OK;
}

/* A small table whose texts are mostly different goes back to the list. */
static hr_status spill(struct hr_env *env, struct hr_words *t)
{
    size_t total = 0, i, k;
    hr_status r = HR_OK;

    for (i = 0; i < t->n; i++)
        total += t->words[i].n;
    if (total > 2 * HR_WORDS_FEW)
        return HR_OK;
    for (i = 0; i < t->n && r == HR_OK; i++) {
        const struct hr_word *w = &t->words[i];
        struct hr_late_word late = { w->hash, w->size, w->is_bytes };

        for (k = 0; k < w->n && r == HR_OK; k++)
            r = add_late(env, t, &late, 1, hr_word_text(t, w), w->size);
    }
    t->n = t->bytes_size = 0;
    memset(t->index, 0, t->index_cap * sizeof *t->index);
    return r;
}

hr_status hr_words_add(struct hr_env *env, struct hr_words *t, const char *text, size_t size,
                       uint64_t n)
{
    struct text x = { hr_hash64(text, size, seed), text, size, false };
    struct hr_late_word late;
    struct hr_word *w;
    hr_status r;

    if (!n)
        return HR_OK;
    if (size > HR_MAX_VALUE_BYTES)
        return hr_fail(env, HR_INVALID, "a value has %zu bytes, more than the %zu that are taken",
                       size, HR_MAX_VALUE_BYTES);
    w = t->late_n || t->n >= HR_WORDS_FEW ? NULL : known(t, x.hash, text, size);
    if (w) {
        w->n += n;
        total(t, size, n, w->is_bytes);
        return HR_OK;
    }
    x.is_bytes = hr_utf8_valid(text, size) < size;
    late = (struct hr_late_word){ x.hash, (uint32_t)size, x.is_bytes };
    if (n == 1 && (t->late_n || t->n >= HR_WORDS_FEW))
        r = add_late(env, t, &late, 1, text, size);
    else
        r = count(env, t, &x, n);
    if (r == HR_OK && !t->late_n && t->n == HR_WORDS_FEW)
        r = spill(env, t);
    if (r == HR_OK)
        total(t, size, n, x.is_bytes);
    return r;
}

hr_status hr_words_merge(struct hr_env *env, struct hr_words *t, const struct hr_words *other)
{
    hr_status r = HR_OK;
    size_t i;

    while (r == HR_OK && t->zeros < other->zeros) {
        if (t->index)
            r = thin(env, t);
        else
            t->zeros = other->zeros;
    }
    for (i = 0; i < other->n && r == HR_OK; i++) {
        const struct hr_word *w = &other->words[i];
        struct text x = { w->hash, hr_word_text(other, w), w->size, w->is_bytes };

        r = count(env, t, &x, w->n);
    }
    if (other->late_n && r == HR_OK)
        r = add_late(env, t, other->late, other->late_n, other->late_bytes, other->late_size);
    t->total += other->total;
    t->total_size += other->total_size;
    t->not_utf8 += other->not_utf8;
    t->least = other->least < t->least ? other->least : t->least;
    t->most = other->most > t->most ? other->most : t->most;
    return r;
}

uint64_t hr_words_unique(const struct hr_words *t)
{
    return t->zeros < 40 ? (uint64_t)t->n << t->zeros : UINT64_MAX;
}

struct best {
    const struct hr_words *t;
    const struct hr_word **list;
    size_t n;
};

/* Does a come before b? */
static bool before(const struct hr_words *t, const struct hr_word *a, const struct hr_word *b)
{
    if (a->n != b->n)
        return a->n > b->n;
    return hr_bytes_compare(hr_word_text(t, a), a->size, hr_word_text(t, b), b->size) > 0;
}

/* A heap whose first is the last of the best so far. */
static void sift(struct best *h, size_t i)
{
    const struct hr_word *w = h->list[i];
    size_t k;

    for (; (k = 2 * i + 1) < h->n; i = k) {
        if (k + 1 < h->n && before(h->t, h->list[k], h->list[k + 1]))
            k++;
        if (!before(h->t, w, h->list[k]))
            break;
        h->list[i] = h->list[k];
    }
    h->list[i] = w;
}

size_t hr_words_top(const struct hr_words *t, size_t n, const struct hr_word **ret)
{
    struct best h = { t, ret, 0 };
    const struct hr_word *w;
    size_t i, k, count;

    for (i = 0; i < t->n && n; i++) {
        if (h.n < n) {
            h.list[h.n++] = &t->words[i];
            if (h.n == n || i + 1 == t->n)
                for (k = h.n; k-- > 0;)
                    sift(&h, k);
        } else if (before(t, &t->words[i], h.list[0])) {
            h.list[0] = &t->words[i];
            sift(&h, 0);
        }
    }
    count = h.n;
    while (h.n > 1) {
        w = h.list[0];
        h.list[0] = h.list[--h.n];
        h.list[h.n] = w;
        sift(&h, 0);
    }
    return count;
}

bool hr_words_sane(const struct hr_words *t)
{
    uint64_t n = 0, size = 0, not_utf8 = 0;
    size_t i;

    if (t->n > HR_WORDS_MAX || t->n * 2 > t->index_cap || t->zeros > 63)
        return false;
    for (i = 0; i < t->n; i++) {
        const struct hr_word *w = &t->words[i];

        if (w->at > t->bytes_size || w->size > t->bytes_size - w->at || !kept(w->hash, t->zeros) ||
            !*find(t, w->hash, hr_word_text(t, w), w->size))
            return false;
        n += w->n;
        size += w->n * w->size;
        not_utf8 += w->is_bytes ? w->n : 0;
    }
    return t->zeros || t->late_n
               ? n <= t->total
               : n == t->total && size == t->total_size && not_utf8 == t->not_utf8;
}
