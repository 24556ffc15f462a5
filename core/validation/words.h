/* words.h - how often each text occurs.
 *
 * All of them are counted exactly up to HR_WORDS_MAX different ones or HR_WORDS_BYTES of
 * them.  Beyond, only those whose hash begins with some zero bits are kept, as few bits as
 * make them fit; the counts of those that are kept stay exact.  What is kept depends on the
 * set of texts only, not on their order or on how tables are merged.
 *
 * Texts that are mostly different are counted late: they wait in a list until there are
 * HR_WORDS_LATE of them, so that small parts are merged by copying.  hr_words_settle() counts
 * them; what looks at the words wants that before.
 *
 * Invariants, checked by hr_words_sane(): the index has at least twice as many slots as
 * there are words; bytes of all words are within bytes; totals are the sums over words
 * while zeros is 0.
 */
#ifndef HR_WORDS_H
#define HR_WORDS_H

#include "base/base.h"

enum { HR_WORDS_MAX = 1 << 22, HR_WORDS_FEW = 1024, HR_WORDS_LATE = 1 << 18 };
#define HR_WORDS_BYTES ((size_t)1 << 29)

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
    uint32_t zeros;                       /* bits of the hash that must be 0 */
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

hr_status hr_words_merge(struct hr_env *env, struct hr_words *t, const struct hr_words *other);

/* How many different ones there were; an estimate once some are not kept. */
uint64_t hr_words_unique(const struct hr_words *t);

static inline const char *hr_word_text(const struct hr_words *t, const struct hr_word *w)
{
    return w->size ? t->bytes + w->at : "";
}

/* The most frequent first, of equal ones the last in byte order; at most n of them, for
 * which ret has room.  Returns how many there are.  Allocates nothing. */
size_t hr_words_top(const struct hr_words *t, size_t n, const struct hr_word **ret);

bool hr_words_sane(const struct hr_words *t);

#endif
