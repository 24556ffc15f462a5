/* env.h - the one context of all calls in core.
 *
 *     struct hr_env env;
 *
 *     hr_env_init(&env, NULL);
 *     if (hr_file_read(&env, "a.json", HR_MAX_JSON_BYTES, &buf) < 0)
 *         show(hr_env_error(&env));
 *     hr_env_clear(&env);
 *
 * It is made first, and is the first argument of every new and open in core; nothing is
 * global.  An env is used by one thread at a time, but for hr_fail() and hr_cancelled(),
 * which any thread may call.
 *
 * Invariants:
 *  - alloc and os are never NULL after hr_env_init();
 *  - errors hold the outermost reason last.
 */
#ifndef HR_ENV_H
#define HR_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "headrace/headrace.h"

struct hr_os;

struct hr_env {
    hr_alloc *alloc;
    void *alloc_user;
    const struct hr_os *os;
    volatile int32_t *cancel; /* not 0: stop soon; NULL: nobody asks */
    int32_t threads;          /* that a part of core may use, at least 1 */
    int32_t batch_rows;       /* rows of a batch; results must not depend on it */
    size_t memory_max;        /* what a part may keep in memory; 0: no bound */
    struct hr_errors errors;
};

/* What may be given to hr_env_init(); zero means the default. */
struct hr_env_config {
    hr_alloc *alloc;
    void *alloc_user;
    const struct hr_os *os;
    volatile int32_t *cancel;
    int32_t threads;    /* 0: HEADRACE_THREADS, else as many as there are cores */
    int32_t batch_rows; /* 0: HEADRACE_BATCH_ROWS, else 4096 */
};

/* Cannot fail.  config may be NULL. */
void hr_env_init(struct hr_env *env, const struct hr_env_config *config);

/* Free what env holds.  NULL is allowed. */
void hr_env_clear(struct hr_env *env);

/* Has somebody asked to stop?  [any] */
bool hr_cancelled(const struct hr_env *env);

/* All errors as text, the outermost first, one a line without a last line end; "" if there
 * is none.  Lives until the next call on env that fails or clears. */
const char *hr_env_error(struct hr_env *env);

#endif
