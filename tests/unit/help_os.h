/* help_os.h - the OS table with a fault: its n-th call that can fail does.
 *
 *     struct hr_env_config config = { .os = help_os_init(&os, 3, -EIO) };
 */
#ifndef HELP_OS_H
#define HELP_OS_H

#include "base/base.h"

struct help_os {
    struct hr_os table;
    int calls, fail_at, error;
    int open; /* descriptors that are open */
};

/* fail_at 0: none fails. */
const struct hr_os *help_os_init(struct help_os *os, int fail_at, int error);

#endif
