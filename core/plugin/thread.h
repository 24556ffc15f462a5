/* thread.h - private to process: a hook on a thread of this process.
 *
 * What runs on it is the worker's own code (worker/), reached through the pointer of the
 * config, so that programs which never run a hook themselves need not link it.  The threads are
 * those of a crew, which are used again (plugin/crew.h).
 */
#ifndef HR_THREAD_H
#define HR_THREAD_H

#include "plugin/process.h"

struct hr_thread;

/* socket is taken on success.  The thread is the crew's until it is joined. */
hr_status hr_thread_start(struct hr_crew *crew, const struct hr_process_config *config, int socket,
                          struct hr_thread **ret);
void hr_thread_cancel(struct hr_thread *thread);
bool hr_thread_ended(const struct hr_thread *thread);
/* Waits for the end of the hook, and gives the thread back. */
void hr_thread_join(struct hr_thread *thread);

#endif
