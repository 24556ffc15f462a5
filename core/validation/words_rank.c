/* The first of many words: a heap whose top is the last of the best so far. */
#include <string.h>

#include "validation/words.h"

struct ranking {
    struct hr_env *env;
    struct hr_ranks *ranks;
};

/* Does a word come before one of the list? */
static bool before(const struct hr_words *t, const struct hr_word *w, const struct hr_rank *b)
{
    if (w->n != b->n)
        return w->n > b->n;
    return hr_bytes_compare(hr_word_text(t, w), w->size, b->text, b->size) > 0;
}

static bool first_of(const struct hr_rank *a, const struct hr_rank *b)
{
    if (a->n != b->n)
        return a->n > b->n;
    return hr_bytes_compare(a->text, a->size, b->text, b->size) > 0;
}

static void sift(struct hr_rank *list, size_t n, size_t i)
{
    const struct hr_rank x = list[i];
    size_t k;

    for (; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && first_of(&list[k], &list[k + 1]))
            k++;
        if (!first_of(&x, &list[k]))
            break;
        list[i] = list[k];
    }
    list[i] = x;
}

static hr_status put(struct hr_env *env, struct hr_rank *to, const struct hr_words *t,
                     const struct hr_word *w)
{
    if (!hr_mem_reserve(env, (void **)&to->text, &to->cap, w->size + (size_t)1, 1, SIZE_MAX / 4))
        return HR_EXHAUSTED;
    memcpy(to->text, hr_word_text(t, w), w->size);
    to->n = w->n;
    to->size = w->size;
    to->is_bytes = w->is_bytes != 0;
    return HR_OK;
}

static hr_status rank_table(void *user, const struct hr_words *t)
{
    struct ranking *g = user;
    struct hr_ranks *best = g->ranks;
    hr_status r = HR_OK;
    size_t i, k;

    best->unique += t->n;
    for (i = 0; i < t->n && r == HR_OK && best->most; i++) {
        if (best->n < best->most) {
            r = put(g->env, &best->list[best->n], t, &t->words[i]);
            best->n += r == HR_OK;
            if (best->n == best->most)
                for (k = best->n; k-- > 0;)
                    sift(best->list, best->n, k);
        } else if (before(t, &t->words[i], &best->list[0])) {
            r = put(g->env, &best->list[0], t, &t->words[i]);
            sift(best->list, best->n, 0);
        }
    }
    return r;
}

/* The list of a heap, the best first. */
static void sort(struct hr_rank *list, size_t n)
{
    struct hr_rank x;
    size_t k;

    for (k = n; k-- > 0;)
        sift(list, n, k);
    while (n > 1) {
        x = list[0];
        list[0] = list[--n];
        list[n] = x;
        sift(list, n, 0);
    }
}

hr_status hr_words_rank(struct hr_env *env, const struct hr_words *t, size_t most,
                        struct hr_ranks *ret)
{
    struct ranking g = { env, ret };
    hr_status r;

    *ret = (struct hr_ranks){ .list = hr_mem_zero(env, (most + 1) * sizeof *ret->list),
                              .most = most };
    if (!ret->list)
        return HR_EXHAUSTED;
    r = hr_words_each(env, t, rank_table, &g);
    sort(ret->list, ret->n);
    return r;
}

void hr_ranks_clear(struct hr_env *env, struct hr_ranks *ranks)
{
    size_t i;

    if (!ranks->list)
        return;
    for (i = 0; i < ranks->n; i++)
        hr_mem_put(env, ranks->list[i].text, ranks->list[i].cap);
    hr_mem_put(env, ranks->list, (ranks->most + 1) * sizeof *ranks->list);
    ranks->list = NULL;
}
