/* help_sweep.h - a piece of work, again and again, with a fault at its first, second, ... call of
 * the OS or allocation, until there is none left.  Each time it succeeds or tells why not, and
 * leaves no descriptor and no memory behind. */
#ifndef HELP_SWEEP_H
#define HELP_SWEEP_H

#include "base/base.h"

struct help_sweep {
    hr_status (*work)(struct hr_env *env);
    void (*check)(void); /* after each time, of what it has left */
    int32_t threads;     /* of env; 0: as it has them */
    int least;           /* so many faults, or the sweep has met nothing */
};

void help_each_call(const struct help_sweep *s);
void help_each_allocation(const struct help_sweep *s);

#endif
