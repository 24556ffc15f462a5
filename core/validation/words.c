#include "validation/words.h"

#include <assert.h>
#include <string.h>

#include "validation/words_spill.h"

enum { FIRST_INDEX = 64, MOST_WORDS = 1 << 30, SINGLE = 4 };
#define MOST_BYTES ((size_t)1 << 40)

static const uint64_t seed = UINT64_C(0x48656164);

void hr_words_init(struct hr_words *t)
{
    *t = (struct hr_words){ .least = UINT64_MAX,
                            .late_most = HR_WORDS_LATE,
                            .held = HR_WORDS_HELD };
}

void hr_words_clear(struct hr_env *env, struct hr_words *t)
{
    hr_mem_put(env, t->words, t->cap * sizeof *t->words);
    hr_mem_put(env, t->index, t->index_cap * sizeof *t->index);
    hr_mem_put(env, t->bytes, t->bytes_cap);
    hr_mem_put(env, t->late, t->late_cap * sizeof *t->late);
    hr_mem_put(env, t->late_bytes, t->late_bytes_cap);
    hr_spill_free(env, t->spill);
    hr_words_init(t);
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

static void empty(struct hr_words *t)
{
    t->n = t->bytes_size = 0;
    if (t->index)
        memset(t->index, 0, t->index_cap * sizeof *t->index);
}

/* All words go from the table to the parts. */
static hr_status flush(struct hr_env *env, struct hr_words *t)
{
    uint64_t total = 0;
    hr_status r = HR_OK;
    size_t i;

    if (!t->spill && !(t->spill = hr_spill_new(env, t->dir)))
        return HR_EXHAUSTED;
    for (i = 0; i < t->n && r == HR_OK; i++) {
        const struct hr_word *w = &t->words[i];
        struct hr_spilled x = { w->hash, w->n, hr_word_text(t, w), w->size, w->is_bytes };

        r = hr_spill_add(env, t->spill, &x);
        total += w->n;
    }
    t->direct = t->direct || (t->n && t->n >= t->held / 2 && total / t->n < SINGLE);
    empty(t);
    return r;
}

static hr_status add_new(struct hr_env *env, struct hr_words *t, const struct hr_spilled *x)
{
    hr_status r;

    if (!hr_mem_reserve(env, (void **)&t->words, &t->cap, t->n + 1, sizeof *t->words, MOST_WORDS) ||
        !hr_mem_reserve(env, (void **)&t->bytes, &t->bytes_cap, t->bytes_size + x->size + 1, 1,
                        MOST_BYTES))
        return HR_EXHAUSTED;
    if ((t->n + 1) * 2 > t->index_cap) {
        r = reindex(env, t, t->index_cap ? t->index_cap * 2 : FIRST_INDEX);
        if (r < 0)
            return r;
    }
    memcpy(t->bytes + t->bytes_size, x->text, x->size);
    *find(t, x->hash, x->text, x->size) = (uint32_t)(t->n + 1);
    t->words[t->n++] = (struct hr_word){ x->hash, x->n, t->bytes_size, x->size, x->is_bytes };
    t->bytes_size += x->size;
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

/* Is there no room for one more text in memory? */
static bool is_full(const struct hr_words *t, size_t size)
{
    return !t->all && t->n && (t->n >= t->held || size > HR_WORDS_BYTES - t->bytes_size);
}

/* Count in the table or in a part, not in the totals. */
static hr_status count(struct hr_env *env, struct hr_words *t, const struct hr_spilled *x)
{
    struct hr_word *w = t->direct ? NULL : known(t, x->hash, x->text, x->size);
    hr_status r = HR_OK;

    if (w) {
        w->n += x->n;
        return HR_OK;
    }
    if (!t->direct && is_full(t, x->size))
        r = flush(env, t);
    if (r == HR_OK && t->direct)
        return hr_spill_add(env, t->spill, x);
    return r == HR_OK ? add_new(env, t, x) : r;
}

/* The list becomes part of the counts. */
static hr_status count_late(struct hr_env *env, struct hr_words *t)
{
    enum { AHEAD = 8 };
    const char *p = t->late_bytes;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < t->late_n && r == HR_OK; i++) {
        const struct hr_late_word *w = &t->late[i];
        struct hr_spilled x = { w->hash, 1, w->size ? p : "", w->size, w->is_bytes };

        if (i + AHEAD < t->late_n && t->index && !t->direct)
            __builtin_prefetch(&t->index[(size_t)t->late[i + AHEAD].hash & (t->index_cap - 1)]);
        r = count(env, t, &x);
        p += w->size;
    }
    t->late_n = t->late_size = 0;
    return r;
}

hr_status hr_words_settle(struct hr_env *env, struct hr_words *t)
{
    hr_status r = count_late(env, t);

    return r == HR_OK && t->spill && t->n ? flush(env, t) : r;
}

/* n of them, whose bytes follow each other, to the list. */
static hr_status add_late(struct hr_env *env, struct hr_words *t, const struct hr_late_word *w,
                          size_t n, const char *bytes, size_t size)
{
    hr_status r;

    if (t->late_n + n > t->late_most || t->late_size + size > HR_WORDS_BYTES) {
        r = count_late(env, t);
        if (r < 0)
            return r;
    }
    if (!hr_mem_reserve(env, (void **)&t->late, &t->late_cap, t->late_n + n, sizeof *t->late,
                        HR_WORDS_LATE) ||
        !hr_mem_reserve(env, (void **)&t->late_bytes, &t->late_bytes_cap, t->late_size + size + 1,
                        1, MOST_BYTES))
        return HR_EXHAUSTED;
    memcpy(t->late + t->late_n, w, n * sizeof *w);
    memcpy(t->late_bytes + t->late_size, bytes, size);
    t->late_n += n;
    t->late_size += size;
    return HR_OK;
}

/* A small table whose texts are mostly different goes back to the list. */
static hr_status to_list(struct hr_env *env, struct hr_words *t)
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
    empty(t);
    return r;
}

/* Does a text that is not known wait in the list? */
static bool waits(const struct hr_words *t)
{
    return t->late_n || t->n >= HR_WORDS_FEW || t->direct;
}

hr_status hr_words_add(struct hr_env *env, struct hr_words *t, const char *text, size_t size,
                       uint64_t n)
{
    struct hr_spilled x = { hr_hash64(text, size, seed), n, text, (uint32_t)size, false };
    struct hr_late_word late;
    struct hr_word *w;
    hr_status r;

    if (!n)
        return HR_OK;
    if (size > HR_MAX_VALUE_BYTES)
        return hr_fail(env, HR_INVALID, "a value has %zu bytes, more than the %zu that are taken",
                       size, HR_MAX_VALUE_BYTES);
    w = waits(t) ? NULL : known(t, x.hash, text, size);
    if (w) {
        w->n += n;
        total(t, size, n, w->is_bytes);
        return HR_OK;
    }
    x.is_bytes = hr_utf8_valid(text, size) < size;
    late = (struct hr_late_word){ x.hash, x.size, x.is_bytes };
    r = n == 1 && waits(t) ? add_late(env, t, &late, 1, text, size) : count(env, t, &x);
    if (r == HR_OK && !t->late_n && t->n == HR_WORDS_FEW)
        r = to_list(env, t);
    if (r == HR_OK)
        total(t, size, n, x.is_bytes);
    return r;
}

hr_status hr_words_merge(struct hr_env *env, struct hr_words *t, const struct hr_words *other)
{
    hr_status r = HR_OK;
    size_t i;

    if (other->spill) {
        if (!t->spill && !(t->spill = hr_spill_new(env, t->dir)))
            return HR_EXHAUSTED;
        r = hr_spill_merge(env, t->spill, other->spill);
        t->direct = t->direct || other->direct;
    }
    for (i = 0; i < other->n && r == HR_OK; i++) {
        const struct hr_word *w = &other->words[i];
        struct hr_spilled x = { w->hash, w->n, hr_word_text(other, w), w->size, w->is_bytes };

        r = count(env, t, &x);
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

struct gathering {
    struct hr_env *env;
    struct hr_words *part;
};

static hr_status gather(void *user, const struct hr_spilled *word)
{
    struct gathering *g = user;

    return count(g->env, g->part, word);
}

hr_status hr_words_each(struct hr_env *env, const struct hr_words *t,
                        hr_status (*each)(void *user, const struct hr_words *words), void *user)
{
    struct hr_words part;
    struct gathering g = { env, &part };
    hr_status r = HR_OK;
    size_t i;

    assert(!t->late_n && !(t->spill && t->n));
    if (!t->spill)
        return each(user, t);
    hr_words_init(&part);
    part.all = true;
    for (i = 0; i < HR_SPILL_PARTS && r == HR_OK; i++) {
        r = hr_spill_read(env, t->spill, i, gather, &g);
        if (r == HR_OK)
            r = each(user, &part);
        empty(&part);
    }
    hr_words_clear(env, &part);
    return r;
}

bool hr_words_sane(const struct hr_words *t)
{
    uint64_t n = 0, size = 0, not_utf8 = 0;
    size_t i;

    if ((!t->all && t->n > t->held) || t->n * 2 > t->index_cap || (t->direct && !t->spill))
        return false;
    for (i = 0; i < t->n; i++) {
        const struct hr_word *w = &t->words[i];

        if (w->at > t->bytes_size || w->size > t->bytes_size - w->at ||
            !*find(t, w->hash, hr_word_text(t, w), w->size))
            return false;
        n += w->n;
        size += w->n * w->size;
        not_utf8 += w->is_bytes ? w->n : 0;
    }
    return t->spill || t->late_n
               ? n <= t->total
               : n == t->total && size == t->total_size && not_utf8 == t->not_utf8;
}
