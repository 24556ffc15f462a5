/* stage.h - private to run: the directories of one try, .staging/EXECUTION/.
 *
 *     KEY/       what it writes for that output; moved into its place at the end
 *     .tmp/      its working directory, empty before each hook
 *     .state/    what it keeps for its next try
 */
#ifndef HR_STAGE_H
#define HR_STAGE_H

#include "run/task.h"

#define HR_DIR_TMP ".tmp"
#define HR_DIR_STATE ".state"

/* The path of one of them, or of "" all. */
hr_status hr_task_dir(struct hr_runner *runner, const struct hr_task *task, const char *name,
                      char *to);

/* .tmp and .state are there, and .tmp is empty. */
hr_status hr_task_room(struct hr_runner *runner, struct hr_task *task);
/* And directories for the outputs. */
hr_status hr_task_stage(struct hr_runner *runner, struct hr_task *task);
/* The outputs go into their places, durable and read-only. */
hr_status hr_task_seal(struct hr_runner *runner, struct hr_task *task);
/* The try is over.  failed: outputs that are in their places already go too, and what is in .state
 * waits for the next try. */
void hr_task_unstage(struct hr_runner *runner, struct hr_task *task, bool failed);

/* Staging that was kept for tries that have not come. */
void hr_runner_remove_spares(struct hr_runner *runner);

#endif
