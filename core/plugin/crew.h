/* crew.h - the threads on which hooks of one run work in the host's own process.
 *
 * A thread that has ended its hook waits for the next one; there are as many as there were hooks at
 * once.  Used by one thread.
 */
#ifndef HR_CREW_H
#define HR_CREW_H

#include "base/base.h"

struct hr_crew;

/* Starts nothing yet. */
hr_status hr_crew_new(struct hr_env *env, struct hr_crew **ret);

/* When no hook of it is at work.  NULL is allowed. */
void hr_crew_free(struct hr_crew *crew);

#endif
