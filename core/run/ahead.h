/* ahead.h - private to run: nodes that take less time than putting them on record.
 *
 * A transaction costs about what twenty rows in it cost, so that short nodes are put on record, and
 * published, several at a time: while some of them work, others stand on record and begin as soon
 * as a place is free, without a transaction of their own.
 *
 *     ahead      so many as the places get through in 20 ms by the nodes before; none at first,
 *                and none of nodes that take longer
 *     sealed     results wait for the next transaction while there are nodes on record to fill all
 *                places, 15 ms at most: nothing that is at work waits for them
 */
#ifndef HR_AHEAD_H
#define HR_AHEAD_H

#include "run/task.h"

/* An executor has taken so long, from its start to its result. */
void hr_runner_took(struct hr_runner *runner, int64_t us);

/* A round begins: how many nodes it may put on record, and whether sealed results are published in
 * it. */
void hr_runner_plan(struct hr_runner *runner);
/* May one more begin in this round? */
bool hr_runner_has_room(const struct hr_runner *runner);

/* A result may wait for others. */
bool hr_runner_gathers(const struct hr_runner *runner);
/* When one that waits is due, on the monotonic clock; 0: none does. */
int64_t hr_runner_publishes_at(const struct hr_runner *runner);

#endif
