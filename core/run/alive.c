#include "run/alive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run/record.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

void hr_uuid(struct hr_env *env, char ret[40])
{
    unsigned char b[16] = { 0 };

    OS(env, random, b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    snprintf(ret, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

hr_status hr_host_begin(struct hr_env *env, const struct hr_paths *paths, struct hr_host_lock *ret)
{
    hr_status r;
    int e;

    hr_uuid(env, ret->id);
    ret->fd = -1;
    if ((r = hr_path_join(env, paths->runs, ret->id, ret->path)) < 0)
        return r;
    ret->fd = OS(env, open, ret->path, HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_EXCLUSIVE, 0644);
    if (ret->fd < 0)
        return hr_fail_os(env, ret->fd, "make", ret->path);
    if ((e = OS(env, lock, ret->fd, true)) == 1)
        return HR_OK;
    hr_host_end(env, ret);
    return hr_fail(env, HR_UNIMPLEMENTED,
                   "\"%s\" lies on a file system without locks; a project must lie on a local one",
                   paths->root);
}

void hr_host_end(struct hr_env *env, struct hr_host_lock *lock)
{
    if (lock->fd < 0)
        return;
    OS(env, unlink, lock->path);
    OS(env, close, lock->fd);
    lock->fd = -1;
}

bool hr_host_alive(struct hr_env *env, const struct hr_paths *paths, const char *id)
{
    char path[HR_MAX_PATH];
    bool alive;
    int fd;

    if (strchr(id, '/') || hr_path_join(env, paths->runs, id, path) < 0)
        return false;
    fd = OS(env, open, path, HR_OPEN_WRITE, 0);
    if (fd < 0)
        return fd != -ENOENT; /* without a sure answer, nobody is declared dead */
    alive = OS(env, lock, fd, true) != 1;
    if (!alive)
        OS(env, unlink, path);
    OS(env, close, fd);
    return alive;
}

static hr_status close_execution(struct hr_env *env, const struct hr_paths *paths,
                                 struct hr_store *store, int64_t id)
{
    char name[32], dir[HR_MAX_PATH];
    hr_status r = hr_store_begin(store, true);

    if (r < 0)
        return r;
    r = hr_record_failed(env, store, id, HR_UNAVAILABLE, "the host that ran it is gone");
    if (r < 0) {
        hr_store_rollback(store);
        return r;
    }
    if ((r = hr_store_commit(store)) < 0)
        return r;
    hr_num_put_int(name, id);
    r = hr_path_join(env, paths->staging, name, dir);
    return r < 0 ? r : hr_tree_remove(env, dir);
}

hr_status hr_host_sweep(struct hr_env *env, const struct hr_paths *paths, struct hr_store *store,
                        struct hr_cache *cache, int64_t *ret)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .state = HR_EXECUTION_RUNNING,
                            .property = "__host" };
    struct hr_meta_nodes running = { 0 };
    struct hr_arena arena;
    hr_status r;
    size_t i;

    *ret = 0;
    hr_arena_init(&arena, env, 0);
    r = hr_store_look(store, &look, &arena, &running);
    for (i = 0; i < running.count && r == HR_OK; i++) {
        const char *host = hr_meta_text(&running.items[i], "__host");

        if (!host || hr_host_alive(env, paths, host))
            continue;
        hr_cache_release_all(cache, host);
        r = close_execution(env, paths, store, running.items[i].id);
        (*ret)++;
    }
    hr_arena_clear(&arena);
    return r;
}
