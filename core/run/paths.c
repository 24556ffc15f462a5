#include "run/paths.h"

#include <string.h>

static hr_status fill(struct hr_env *env, const char *dir, struct hr_paths *p)
{
    hr_status r = hr_path_join(env, dir, "", p->project);

    if (r == HR_OK)
        r = hr_path_join(env, dir, ".headrace", p->root);
    if (r == HR_OK)
        r = hr_path_join(env, p->root, "metadata.sqlite", p->store);
    if (r == HR_OK)
        r = hr_path_join(env, p->root, "artifacts", p->artifacts);
    if (r == HR_OK)
        r = hr_path_join(env, p->artifacts, ".staging", p->staging);
    if (r == HR_OK)
        r = hr_path_join(env, p->root, "registry", p->registry);
    if (r == HR_OK)
        r = hr_path_join(env, p->root, "cache", p->cache);
    if (r == HR_OK)
        r = hr_path_join(env, p->root, "run", p->runs);
    if (r == HR_OK)
        r = hr_path_join(env, dir, "plugins", p->plugins);
    return r;
}

static hr_status absolute(struct hr_env *env, const char *dir, char *to)
{
    int e = env->os->realpath(env->os->user, dir, to);

    return e < 0 ? hr_fail_os(env, e, "open the directory", dir) : HR_OK;
}

hr_status hr_paths_find(struct hr_env *env, const char *dir, struct hr_paths *ret)
{
    char at[HR_MAX_PATH], up[HR_MAX_PATH];
    enum hr_at there = HR_AT_NOTHING;
    hr_status r = absolute(env, dir, at);

    while (r == HR_OK) {
        if ((r = fill(env, at, ret)) < 0 || (r = hr_look_at(env, ret->root, &there)) < 0 ||
            there == HR_AT_DIR)
            return r;
        hr_path_dir(at, up);
        if (!strcmp(up, at))
            return HR_NOT_FOUND;
        memcpy(at, up, sizeof at);
    }
    return r;
}

hr_status hr_paths_make(struct hr_env *env, const char *dir, struct hr_paths *ret)
{
    char at[HR_MAX_PATH];
    hr_status r = absolute(env, dir, at);

    if (r == HR_OK)
        r = fill(env, at, ret);
    if (r == HR_OK)
        r = hr_dir_make_safe(env, ret->artifacts);
    if (r == HR_OK)
        r = hr_dir_make(env, ret->staging);
    if (r == HR_OK)
        r = hr_dir_make(env, ret->cache);
    if (r == HR_OK)
        r = hr_dir_make(env, ret->runs);
    if (r == HR_OK)
        r = hr_dir_make_safe(env, ret->registry);
    return r;
}
