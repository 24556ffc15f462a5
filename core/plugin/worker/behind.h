/* behind.h - what a hook leaves behind in its worker: threads that it has not joined, processes
 * that it has not waited for.  They would go on in outputs that are being sealed.
 */
#ifndef HR_WORKER_BEHIND_H
#define HR_WORKER_BEHIND_H

#include <sys/types.h>

#include "base/base.h"

struct hr_behind {
    int tasks;       /* /proc/self/task; -1: not to be had */
    ino_t inode;
    nlink_t threads; /* as it counts them, before the hook */
};

/* Before the hook, with all threads of the worker's own.  From now on orphans of its children are
 * its own children. */
void hr_behind_begin(struct hr_behind *behind);

/* After it: what is ending has half a second.  HR_INTERNAL: something is left, told. */
hr_status hr_behind_check(const struct hr_behind *behind, struct hr_env *env, const char *component,
                          const char *hook);

#endif
