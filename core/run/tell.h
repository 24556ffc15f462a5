/* tell.h - private to run: events, queued for hr_runner_next() and appended to the run's
 * events.jsonl, one JSON object a line with the members of hr_event. */
#ifndef HR_TELL_H
#define HR_TELL_H

#include "run/task.h"

/* The next event; it lives until the next call.  false: none. */
bool hr_tell_take(struct hr_runner *runner, const hr_event **ret);
/* What hr_tell_end() needs; before anything is run. */
hr_status hr_tell_prepare(struct hr_runner *runner);
void hr_tell_end(struct hr_runner *runner, const char *text);
void hr_tell_clear(struct hr_runner *runner);

/* Append to a file of the run's directory; *fd, -1 before the first time, stays open.  A run does
 * not fail for what is only told. */
void hr_runner_append(struct hr_runner *runner, int *fd, const char *name,
                      const struct hr_buf *text);

#endif
