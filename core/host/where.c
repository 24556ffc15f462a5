/* What was installed where: from the place of this very library, so that an installed tree
 * may be moved as a whole; else from the places that it was built for. */
#include <dlfcn.h>
#include <string.h>

#include "host/host.h"

/* From the directory of the library; or, where it is linked into a program, from the library
 * directory beside that of the program. */
static void choose(struct hr_env *env, const char *dir, const char *relative,
                   const char *absolute, char *to)
{
    static const char *const prefixes[] = { "", "../" HR_LIBDIR "/" };
    size_t kept = env->errors.count, i;
    char path[HR_MAX_PATH];
    bool found = false;

    for (i = 0; i < 2 && dir[0] && !found; i++)
        found = hr_path_join(env, dir, prefixes[i], path) == HR_OK &&
                hr_path_join(env, path, relative, to) == HR_OK && hr_file_exists(env, to);
    if (!found && hr_path_join(env, "", absolute, to) < 0)
        to[0] = '\0';
    hr_errors_cut(env, kept);
}

void hr_where_find(struct hr_env *env, struct hr_where *ret)
{
    char dir[HR_MAX_PATH] = "", full[HR_MAX_PATH];
    Dl_info info;

    if (dladdr((const void *)(uintptr_t)hr_version, &info) && info.dli_fname &&
        env->os->realpath(env->os->user, info.dli_fname, full) == 0)
        hr_path_dir(full, dir);
    choose(env, dir, HR_FROM_LIB_WORKER, HR_AT_WORKER, ret->worker);
    choose(env, dir, HR_FROM_LIB_PLUGINS, HR_AT_PLUGINS, ret->plugins);
    choose(env, dir, HR_FROM_LIB_REGISTRY, HR_AT_REGISTRY, ret->registry);
}
