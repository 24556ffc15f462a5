/* take.h - members of JSON objects, copied into an arena.
 *
 * What goes wrong is noted in the status, the first one stays; the values are then of no use.
 * Used by the readers of manifests and of jobs.
 */
#ifndef HR_TAKE_H
#define HR_TAKE_H

#include "base/base.h"

struct hr_taker {
    struct hr_env *env;
    struct hr_arena *arena;
    const struct hr_json_doc *doc;
    hr_status status;
};

/* The text of a member; NULL: it is absent or no text. */
const char *hr_take_text(struct hr_taker *t, const struct hr_json *object, const char *key);

/* The whole number of a member; 0: it is absent or none. */
int64_t hr_take_int(struct hr_taker *t, const struct hr_json *object, const char *key);

/* Zeroed room for the elements of a list and one more; *ret_n of them.  list may be NULL. */
void *hr_take_array(struct hr_taker *t, const struct hr_json *list, size_t size, size_t *ret_n);

/* A list of texts, ended by NULL.  HR_INVALID: one of them is no text. */
const char **hr_take_texts(struct hr_taker *t, const struct hr_json *list);

#endif
