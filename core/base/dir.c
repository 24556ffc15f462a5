#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/work.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { TREE_DEPTH = 64, SYNC_THREADS = 16 };

/* Is this what the system says of a name that is not there? */
static bool is_missing(int e)
{
    return e == -ENOENT || e == -ENOTDIR;
}

hr_status hr_look_at(struct hr_env *env, const char *path, enum hr_at *ret)
{
    struct hr_stat st;
    int e = OS(env, stat, path, true, &st);

    if (e < 0 && !is_missing(e))
        return hr_fail_os(env, e, "look at", path);
    *ret = e < 0 ? HR_AT_NOTHING : st.is_dir ? HR_AT_DIR : HR_AT_FILE;
    return HR_OK;
}

bool hr_file_exists(struct hr_env *env, const char *path)
{
    struct hr_stat st;
    int e = OS(env, stat, path, true, &st);

    /* Where one may not look, or a name cannot be, there is nothing for this process. */
    return !is_missing(e) && e != -EACCES && e != -ELOOP && e != -ENAMETOOLONG;
}

bool hr_dir_exists(struct hr_env *env, const char *path)
{
    struct hr_stat st;

    return OS(env, stat, path, true, &st) == 0 && st.is_dir;
}

hr_status hr_dir_make(struct hr_env *env, const char *path)
{
    char part[HR_MAX_PATH];
    size_t n = strlen(path), i;
    int e = 0;

    if (n >= HR_MAX_PATH)
        return hr_fail(env, HR_INVALID, "the path \"%s\" is too long", path);
    if (OS(env, mkdir, path, 0755) == 0 || hr_dir_exists(env, path))
        return HR_OK;
    memcpy(part, path, n + 1);
    for (i = n; i > 1; i--) { /* up to what is there, most often the parent */
        if (part[i - 1] != '/')
            continue;
        part[i - 1] = '\0';
        if (hr_dir_exists(env, part)) {
            part[i - 1] = '/';
            break;
        }
        part[i - 1] = '/';
    }
    for (; i <= n; i++) {
        if (!i || (part[i] != '/' && part[i] != '\0'))
            continue;
        part[i] = '\0';
        e = OS(env, mkdir, part, 0755);
        if (e < 0 && !hr_dir_exists(env, part))
            return e == -EEXIST ? hr_fail(env, HR_INVALID, "\"%s\" is no directory", part)
                                : hr_fail_os(env, e, "make the directory", part);
        if (i < n)
            part[i] = '/';
    }
    return HR_OK;
}

hr_status hr_dir_make_safe(struct hr_env *env, const char *path)
{
    char at[HR_MAX_PATH], up[HR_MAX_PATH];
    size_t n = strlen(path), lack = 0;
    hr_status r;

    if (n >= HR_MAX_PATH)
        return hr_fail(env, HR_INVALID, "the path \"%s\" is too long", path);
    memcpy(at, path, n + 1);
    while (!hr_dir_exists(env, at)) {
        lack++;
        hr_path_dir(at, up);
        if (!strcmp(at, up))
            break;
        memcpy(at, up, sizeof at);
    }
    r = hr_dir_make(env, path);
    memcpy(at, path, n + 1);
    for (; lack && r == HR_OK; lack--) {
        hr_path_dir(at, up);
        r = hr_dir_sync(env, up);
        memcpy(at, up, sizeof at);
    }
    return r;
}

hr_status hr_dir_sync(struct hr_env *env, const char *path)
{
    int fd = OS(env, open, path, HR_OPEN_READ | HR_OPEN_DIR, 0);
    int e;

    if (fd < 0)
        return hr_fail_os(env, fd, "open the directory", path);
    e = OS(env, sync, fd);
    OS(env, close, fd);
    if (e < 0 && e != -EINVAL) /* some file systems have nothing to sync here */
        return hr_fail_os(env, e, "sync the directory", path);
    return HR_OK;
}

struct syncing {
    struct hr_env *env;
    const char *const *paths;
};

static hr_status sync_one(void *user, size_t i)
{
    struct syncing *s = user;
    int fd = OS(s->env, open, s->paths[i], HR_OPEN_READ, 0), e;

    if (fd < 0)
        return hr_fail_os(s->env, fd, "open", s->paths[i]);
    e = OS(s->env, sync, fd);
    OS(s->env, close, fd);
    if (e < 0 && e != -EINVAL) /* some file systems have nothing to sync for a directory */
        return hr_fail_os(s->env, e, "sync", s->paths[i]);
    return HR_OK;
}

hr_status hr_sync_all(struct hr_env *env, const char *const *paths, size_t n)
{
    struct syncing s = { env, paths };
    int32_t threads = env->threads;
    hr_status r;

    env->threads = SYNC_THREADS; /* they wait for the disk, not for a core */
    r = hr_work(env, n, sync_one, &s);
    env->threads = threads;
    return r;
}

hr_status hr_names_add(struct hr_env *env, struct hr_names *names, const char *name)
{
    char *copy;

    if (!hr_mem_reserve(env, (void **)&names->names, &names->cap, names->count + 1,
                        sizeof *names->names, HR_MAX_DIR_ENTRIES) ||
        !(copy = hr_mem_text(env, name)))
        return HR_EXHAUSTED;
    names->names[names->count++] = copy;
    return HR_OK;
}

struct walk {
    struct hr_env *env;
    struct hr_names *names;
    hr_status status;
};

static int add_name(void *arg, const char *name)
{
    struct walk *w = arg;

    w->status = hr_names_add(w->env, w->names, name);
    return w->status < 0;
}

static void sort(struct hr_names *names)
{
    if (names->count)
        qsort(names->names, names->count, sizeof *names->names, hr_text_order);
}

hr_status hr_dir_list(struct hr_env *env, const char *path, struct hr_names *ret)
{
    struct hr_names names = { 0 };
    struct walk w = { env, &names, HR_OK };
    int e = OS(env, list, path, add_name, &w);

    if (e < 0)
        w.status = hr_fail_os(env, e, "list", path);
    if (w.status < 0) {
        hr_names_clear(env, &names);
        return w.status;
    }
    sort(&names);
    *ret = names;
    return HR_OK;
}

hr_status hr_dir_list_there(struct hr_env *env, const char *path, struct hr_names *ret)
{
    enum hr_at at = HR_AT_NOTHING;
    hr_status r = hr_look_at(env, path, &at);

    *ret = (struct hr_names){ 0 };
    return r < 0 || at != HR_AT_DIR ? r : hr_dir_list(env, path, ret);
}

void hr_names_clear(struct hr_env *env, struct hr_names *names)
{
    while (names->count)
        hr_mem_text_put(env, names->names[--names->count]);
    hr_mem_put(env, names->names, names->cap * sizeof *names->names);
    *names = (struct hr_names){ 0 };
}

static hr_status tree(struct hr_env *env, const char *root, const char *below, int depth,
                      struct hr_names *ret)
{
    char path[HR_MAX_PATH], sub[HR_MAX_PATH];
    struct hr_names names = { 0 };
    struct hr_stat st;
    hr_status r;
    size_t i;
    int e;

    if (depth > TREE_DEPTH)
        return hr_fail(env, HR_INVALID, "\"%s\" is nested deeper than %d", root, TREE_DEPTH);
    if ((r = hr_path_join(env, root, below, path)) < 0 || (r = hr_dir_list(env, path, &names)) < 0)
        return r;
    for (i = 0; i < names.count && r == HR_OK; i++) {
        const char *name = names.names[i];

        if (hr_utf8_valid(name, strlen(name)) < strlen(name))
            r = hr_fail(env, HR_INVALID, "the name \"%s\" in \"%s\" is not UTF-8", name, path);
        else if ((r = hr_path_join(env, below, name, sub)) == HR_OK)
            r = hr_path_join(env, root, sub, path);
        if (r < 0)
            break;
        if ((e = OS(env, stat, path, false, &st)) < 0)
            r = hr_fail_os(env, e, "look at", path);
        else if (st.is_dir)
            r = tree(env, root, sub, depth + 1, ret);
        else if (st.is_link)
            r = hr_fail(env, HR_INVALID, "\"%s\" is a link, which is not followed; put a copy of "
                                         "what it leads to in its place",
                        path);
        else if (!st.is_file)
            r = hr_fail(env, HR_INVALID, "\"%s\" is neither a file nor a directory", path);
        else
            r = hr_names_add(env, ret, sub);
    }
    hr_names_clear(env, &names);
    return r;
}

hr_status hr_tree_list(struct hr_env *env, const char *path, struct hr_names *ret)
{
    struct hr_names names = { 0 };
    hr_status r = tree(env, path, "", 0, &names);

    if (r < 0) {
        hr_names_clear(env, &names);
        return r;
    }
    sort(&names);
    *ret = names;
    return HR_OK;
}

/* Is a directory that of a file, or above it? */
static bool is_above(const char *dir, const char *file)
{
    size_t n = strlen(dir);

    return !strncmp(file, dir, n) && file[n] == '/';
}

hr_status hr_tree_paths(struct hr_env *env, const char *path, struct hr_names *ret)
{
    char file[HR_MAX_PATH], dir[HR_MAX_PATH], last[HR_MAX_PATH] = "";
    struct hr_names names = { 0 };
    hr_status r = hr_tree_list(env, path, &names);
    size_t i;

    for (i = 0; i < names.count && r == HR_OK; i++) {
        if ((r = hr_path_join(env, path, names.names[i], file)) < 0)
            break;
        r = hr_names_add(env, ret, file);
        hr_path_dir(file, dir);
        while (r == HR_OK && strlen(dir) > strlen(path) && !is_above(dir, last)) {
            r = hr_names_add(env, ret, dir); /* sorted: once each */
            hr_path_dir(dir, dir);
        }
        memcpy(last, file, sizeof last);
    }
    hr_names_clear(env, &names);
    return r < 0 ? r : hr_names_add(env, ret, path);
}

hr_status hr_tree_sync(struct hr_env *env, const char *path)
{
    struct hr_names names = { 0 };
    hr_status r = hr_tree_paths(env, path, &names);

    if (r == HR_OK)
        r = hr_sync_all(env, (const char *const *)names.names, names.count);
    hr_names_clear(env, &names);
    return r;
}
