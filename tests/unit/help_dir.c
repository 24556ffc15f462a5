#include "help_dir.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

int help_dir_make(const char *name, char ret[HELP_DIR])
{
    snprintf(ret, HELP_DIR, "/tmp/hr_%.40s_XXXXXX", name);
    return mkdtemp(ret) ? 0 : -1;
}

int help_dir_remove(const char *dir)
{
    struct hr_env env;
    hr_status r;

    hr_env_init(&env, NULL);
    r = hr_tree_remove(&env, dir);
    hr_env_clear(&env);
    return r;
}
