/* words_spill.h - private to words.c: counted texts beyond what is held in memory.
 *
 * They are in HR_SPILL_PARTS parts by the first bits of their hashes, so that all counts of a
 * text are in one part, and a part fits into memory when its turn comes.  A part is a sequence
 * of entries
 *      0   8   hash
 *      8   4   bytes of the text
 *     12   4   how often, at least 1, and SPILL_BYTES where it is not UTF-8
 *     16       the text
 * in this machine's order of bytes.  What passes HR_SPILL_PIECE is written to one file of all
 * parts, which has no name any more once it is open and is gone with whoever has it.
 */
#ifndef HR_WORDS_SPILL_H
#define HR_WORDS_SPILL_H

#include "base/base.h"

enum { HR_SPILL_PARTS = 128, HR_SPILL_PIECE = 1 << 14 };

struct hr_spilled {
    uint64_t hash, n;
    const char *text;
    uint32_t size;
    bool is_bytes; /* it is not UTF-8 */
};

struct hr_spill;

/* dir: where the file is made once it is needed; NULL: all stays in memory.  NULL: no memory. */
struct hr_spill *hr_spill_new(struct hr_env *env, const char *dir);
void hr_spill_free(struct hr_env *env, struct hr_spill *s); /* NULL is allowed */

hr_status hr_spill_add(struct hr_env *env, struct hr_spill *s, const struct hr_spilled *word);

/* All that other has, too. */
hr_status hr_spill_merge(struct hr_env *env, struct hr_spill *s, const struct hr_spill *other);

/* Each entry of a part; a text may come several times.  What each() does not return HR_OK to
 * ends it. */
hr_status hr_spill_read(struct hr_env *env, const struct hr_spill *s, size_t part,
                        hr_status (*each)(void *user, const struct hr_spilled *word), void *user);

#endif
