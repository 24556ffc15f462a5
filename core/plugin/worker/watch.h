/* watch.h - a worker listens to its host: whether it is to stop, and whether there is a host.
 */
#ifndef HR_WORKER_WATCH_H
#define HR_WORKER_WATCH_H

#include "base/base.h"

enum hr_watched {
    HR_WATCH_ON,
    HR_WATCH_ALONE, /* the host is gone */
    HR_WATCH_SHUT   /* the socket is: the hook has closed it, and nobody will hear its result */
};

/* One packet, if there is one; *cancel is set where it asks for that, and where there will be no
 * other. */
enum hr_watched hr_watch_once(const struct hr_os *os, int socket, volatile int32_t *cancel);

/* On a thread of its own until the end of the process, which it ends once it is alone or shut out.
 * Returns what hr_cancelled() is to look at.  Once in a process. */
volatile int32_t *hr_watch_start(const struct hr_os *os, int socket);

#endif
