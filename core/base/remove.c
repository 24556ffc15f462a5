/* A tree is removed whatever it holds: any number of entries, without rights, and deeper than a
 * path can say - a tree is what a program left behind that may have done all of it.
 *
 * Entries are listed some at a time, so that memory is bounded.  What lies deeper than FLAT is
 * moved up to the top under a new name, and removed from there.
 */
#include <errno.h>
#include <string.h>

#include "base/env.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { FLAT = 8, AT_ONCE = 1024 };

struct removal {
    struct hr_env *env;
    const char *top;
    uint64_t lifted;
};

struct some {
    struct hr_env *env;
    char *names[AT_ONCE];
    size_t count;
    hr_status status;
};

static int add_some(void *arg, const char *name)
{
    struct some *s = arg;

    if (s->count == AT_ONCE)
        return 1;
    s->names[s->count] = hr_mem_text(s->env, name);
    if (!s->names[s->count])
        s->status = HR_EXHAUSTED;
    else
        s->count++;
    return s->status < 0;
}

static hr_status list_some(struct hr_env *env, const char *path, struct some **ret)
{
    struct some *s = hr_mem_zero(env, sizeof *s);
    int e;

    if (!s)
        return HR_EXHAUSTED;
    s->env = env;
    e = OS(env, list, path, add_some, s);
    if (e < 0)
        s->status = hr_fail_os(env, e, "list", path);
    *ret = s;
    return s->status;
}

static void drop_some(struct some *s)
{
    while (s->count)
        hr_mem_text_put(s->env, s->names[--s->count]);
    hr_mem_put(s->env, s, sizeof *s);
}

/* A directory that is too deep becomes one of the top, under a name that is free. */
static hr_status lift(struct removal *rm, const char *path)
{
    char to[HR_MAX_PATH], name[HR_NUM_TEXT + 8] = ".lifted";
    hr_status r;
    int e;

    OS(rm->env, chmod, path, 0700); /* or its ".." may not be changed */
    do {
        hr_num_put_uint(name + strlen(".lifted"), rm->lifted++);
        if ((r = hr_path_join(rm->env, rm->top, name, to)) < 0)
            return r;
        e = OS(rm->env, rename, path, to);
    } while (e == -EEXIST || e == -ENOTEMPTY || e == -ENOTDIR);
    return e < 0 ? hr_fail_os(rm->env, e, "move", path) : HR_OK;
}

static hr_status remove_below(struct removal *rm, const char *path, int depth);

static hr_status empty(struct removal *rm, const char *path, int depth)
{
    char sub[HR_MAX_PATH];
    struct some *s = NULL;
    hr_status r = HR_OK;
    size_t n, i;

    do {
        r = list_some(rm->env, path, &s);
        n = s ? s->count : 0;
        for (i = 0; i < n && r == HR_OK; i++)
            if ((r = hr_path_join(rm->env, path, s->names[i], sub)) == HR_OK)
                r = remove_below(rm, sub, depth);
        if (s)
            drop_some(s);
        s = NULL;
    } while (r == HR_OK && n);
    return r;
}

static hr_status remove_below(struct removal *rm, const char *path, int depth)
{
    struct hr_stat st;
    hr_status r;
    int e = OS(rm->env, stat, path, false, &st);

    if (e < 0)
        return e == -ENOENT ? HR_OK : hr_fail_os(rm->env, e, "remove", path);
    if (!st.is_dir) {
        e = OS(rm->env, unlink, path);
        return e < 0 && e != -ENOENT ? hr_fail_os(rm->env, e, "remove", path) : HR_OK;
    }
    if (depth > FLAT)
        return lift(rm, path);
    if ((st.mode & 0700) != 0700)
        OS(rm->env, chmod, path, st.mode | 0700);
    r = empty(rm, path, depth + 1);
    if (r == HR_OK && (e = OS(rm->env, rmdir, path)) < 0 && e != -ENOENT)
        r = hr_fail_os(rm->env, e, "remove", path);
    return r;
}

hr_status hr_tree_remove(struct hr_env *env, const char *path)
{
    struct removal rm = { env, path, 0 };

    return remove_below(&rm, path, 0);
}
