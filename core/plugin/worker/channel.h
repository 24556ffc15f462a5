/* channel.h - messages from the worker to its host.
 *
 * A plugin is never blocked by them: a line or progress that the socket does not take is
 * dropped, and the number of dropped lines is told with the next that passes.  The result
 * waits until it is taken.
 */
#ifndef HR_CHANNEL_H
#define HR_CHANNEL_H

#include "base/base.h"

struct hr_channel {
    struct hr_env *env;
    int socket;
    int lost; /* lines; atomic */
};

void hr_channel_log(struct hr_channel *c, hr_level level, const char *text);          /* [any] */
void hr_channel_progress(struct hr_channel *c, double done, double total, const char *unit);
void hr_channel_walls(struct hr_channel *c, const char *text);
/* false: there is no memory to pass it on. */
bool hr_channel_result(struct hr_channel *c, const char *text, size_t n);

#endif
