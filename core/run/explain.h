/* explain.h - why a node ran: what differs between the texts of two cache keys; and how an
 * execution ended. */
#ifndef HR_EXPLAIN_H
#define HR_EXPLAIN_H

#include "metadata/metadata.h"
#include "run/paths.h"

struct hr_difference {
    const char *what;         /* "property \"hidden_units\"", for people */
    const char *before, *now; /* JSON; NULL: there was, or is, none */
};

struct hr_differences {
    struct hr_difference *items;
    size_t count;
};

/* Where the text of a cache key is kept.  It is not synced: results do not depend on it, and after
 * a power cut it may lack, or be cut off. */
hr_status hr_key_path(struct hr_env *env, const struct hr_paths *paths, const char *key,
                      char to[HR_MAX_PATH]);

/* The text, which is what the key is the digest of.  HR_NOT_FOUND, an answer: it is not there, or
 * is another. */
hr_status hr_key_read(struct hr_env *env, const struct hr_paths *paths, const char *key,
                      struct hr_buf *to);

/* Compare two texts.  with_set: also what a driver has set.  Everything lives in the arena.
 * HR_INVALID: one of them is no JSON; told. */
hr_status hr_key_compare(struct hr_env *env, const char *before, const char *now, bool with_set,
                         struct hr_arena *arena, struct hr_differences *ret);

/* The same of two keys, whose texts are read.  HR_NOT_FOUND, an answer: one is gone. */
hr_status hr_key_explain(struct hr_env *env, const struct hr_paths *paths, const char *before,
                         const char *now, struct hr_arena *arena, struct hr_differences *ret);

/* The newest execution of a node, by its context, and of an element of "for_each" (index -1: none)
 * that has ended well and has a cache key, with an id below before (0: any).  HR_NOT_FOUND is an
 * answer. */
hr_status hr_result_before(struct hr_store *store, int64_t node_context, int64_t index,
                           int64_t before, struct hr_arena *arena, struct hr_meta_node *ret);

/* The member "differences" of an object: [{"what", "before", "now"}]. */
void hr_differences_put(struct hr_json_writer *w, const struct hr_differences *d);

/* The text of TFX's __execution_result__, in the arena; NULL: it has none that can be read.
 * *ret_code: why it failed or was cancelled; 0: it was skipped, or has none. */
const char *hr_result_read(struct hr_env *env, const struct hr_meta_node *execution,
                           struct hr_arena *arena, hr_status *ret_code);

#endif
