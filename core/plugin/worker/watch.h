/* watch.h - a worker listens to its host: whether it is to stop, and whether there is a host.
 */
#ifndef HR_WORKER_WATCH_H
#define HR_WORKER_WATCH_H

#include "base/base.h"

/* One packet, if there is one; *cancel is set where it asks for that, and where there will be no
 * other.  false: the host is gone.  It calls nothing that the handler of a signal must not. */
bool hr_watch_once(const struct hr_os *os, int socket, volatile int32_t *cancel);

/* In the handler of SIGIO until the end of the process, which it ends once it is alone.  Returns
 * what hr_cancelled() is to look at.  Calls of the system that wait are interrupted when the host
 * asks to stop, and at no other time.  Once in a process. */
volatile int32_t *hr_watch_start(const struct hr_os *os, int socket);

#endif
