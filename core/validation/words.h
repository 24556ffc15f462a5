/* words.h - how often each text occurs, exactly, however many there are.
 *
 * A table holds up to HR_WORDS_HELD different ones, or HR_WORDS_BYTES of them.  What passes it
 * goes to parts by hash in a file (words_spill.h), each of which is counted by itself in the end:
 * memory does not grow with the texts.  Where what came from the table were mostly texts of a
 * single row, later ones go to the parts directly.
 *
 * Texts that are mostly different are counted late: they wait in a list until there are
 * late_most of them, at least twice HR_WORDS_FEW, so that small tables are merged by copying.
 * hr_words_settle() counts them; what looks at the words wants that before.
 *
 * Invariants, checked by hr_words_sane(): the index has at least twice as many slots as
 * there are words; bytes of all words are within bytes; totals are the sums over words
 * while nothing waits and none is in parts.
 */
#ifndef HR_WORDS_H
#define HR_WORDS_H

#include "base/base.h"

struct hr_spill;

enum { HR_WORDS_HELD = 1 << 16, HR_WORDS_FEW = 1024, HR_WORDS_LATE = 1 << 18 };
#define HR_WORDS_BYTES ((size_t)1 << 23)

struct hr_word {
    uint64_t hash, n;
    size_t at; /* of its bytes */
    uint32_t size;
    uint32_t is_bytes; /* it is not UTF-8 */
};

/* One that waits. */
struct hr_late_word {
    uint64_t hash;
    uint32_t size, is_bytes;
};

struct hr_words {
    struct hr_word *words;
    uint32_t *index; /* of word + 1 by hash; 0: free */
    char *bytes;
    size_t n, cap, index_cap, bytes_size, bytes_cap;
    struct hr_late_word *late;
    char *late_bytes;
    size_t late_n, late_cap, late_size, late_bytes_cap, late_most;
    const char *dir;        /* for the file; NULL: parts stay in memory */
    struct hr_spill *spill; /* NULL: none is in parts */
    size_t held;            /* words in the table at most */
    bool all;               /* it holds any number of them */
    bool direct;            /* what is not in the list goes to the parts */
    uint64_t total, total_size, not_utf8; /* of all values that were counted */
    uint64_t least, most;                 /* bytes of one value; least > most: none */
};

void hr_words_init(struct hr_words *t);
void hr_words_clear(struct hr_env *env, struct hr_words *t);

/* Count a text n times.  HR_EXHAUSTED: no memory; HR_INVALID: longer than 1 GiB. */
hr_status hr_words_add(struct hr_env *env, struct hr_words *t, const char *text, size_t size,
                       uint64_t n);

/* Count what waits. */
hr_status hr_words_settle(struct hr_env *env, struct hr_words *t);

/* Add what other has counted. */
hr_status hr_words_merge(struct hr_env *env, struct hr_words *t, const struct hr_words *other);

static inline const char *hr_word_text(const struct hr_words *t, const struct hr_word *w)
{
    return w->size ? t->bytes + w->at : "";
}

/* Tables of all words, each word in one of them with its whole count: t itself, or what is made of
 * a part for the time of the call.  What each() does not return HR_OK to ends it.  After
 * hr_words_settle(). */
hr_status hr_words_each(struct hr_env *env, const struct hr_words *t,
                        hr_status (*each)(void *user, const struct hr_words *words), void *user);

/* The most frequent first, of equal ones the last in byte order. */
struct hr_rank {
    uint64_t n;
    char *text;
    size_t size, cap;
    bool is_bytes;
};

struct hr_ranks {
    struct hr_rank *list;
    size_t n, most;
    uint64_t unique; /* how many different words there were */
};

/* The first `most` of all words.  After hr_words_settle(); hr_ranks_clear() also after a
 * failure. */
hr_status hr_words_rank(struct hr_env *env, const struct hr_words *t, size_t most,
                        struct hr_ranks *ret);
void hr_ranks_clear(struct hr_env *env, struct hr_ranks *ranks);

bool hr_words_sane(const struct hr_words *t);

#endif
