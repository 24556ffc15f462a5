/* work.h - one function over many items, on the threads of an env.
 *
 * Results must not depend on which thread takes which item: a reduction is made by the
 * caller, afterwards, in the order of the items.
 */
#ifndef HR_WORK_H
#define HR_WORK_H

#include <stddef.h>

#include "headrace/plugin.h"

struct hr_env;

/* do_item(user, i) for all i < n; at most env->threads at once, the calling thread among
 * them.  Returns the code of the smallest i that failed; once one has failed or the env is
 * cancelled (HR_CANCELLED), no further item is begun. */
hr_status hr_work(struct hr_env *env, size_t n, hr_status (*do_item)(void *user, size_t i),
                  void *user);

#endif
