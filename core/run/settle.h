/* settle.h - private to run: when what a run has written counts.
 *
 *     a step's writes      one transaction, so that nodes which begin and end together share it;
 *                          nothing is started that is not on record
 *     a published result   told once the disk has it: a sync goes on beside the work, and one
 *                          serves all that ended since the last.  Downstream nodes need not wait
 */
#ifndef HR_SETTLE_H
#define HR_SETTLE_H

#include "run/task.h"

/* Around the writes of a step.  If they are undone, all tasks that had a part in them fail. */
void hr_runner_write(struct hr_runner *runner);
void hr_runner_written(struct hr_runner *runner);

/* A result is recorded, and will be told once the disk has it: by kind, HR_EVENT_FINISHED or
 * HR_EVENT_CACHED, and text, NULL for its summary.  If the sync fails all that wait for it have
 * failed, and all that come after them: what a second one would say of the pages of the first is
 * not known. */
hr_status hr_task_say_later(struct hr_runner *runner, struct hr_task *task, int32_t kind,
                            const char *text);

/* Tell what may be told by now, or, waiting for the disk, all. */
void hr_runner_settle(struct hr_runner *runner, bool wait);
/* Before the runner is freed: the store's one sync is free for others. */
void hr_runner_let_go(struct hr_runner *runner);
/* When it is due next, on the monotonic clock; 0: by no time. */
int64_t hr_runner_settles_at(const struct hr_runner *runner);

#endif
