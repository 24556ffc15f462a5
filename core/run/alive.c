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

hr_status hr_host_others(struct hr_env *env, const struct hr_paths *paths, const char *id,
                         bool *ret)
{
    struct hr_names names = { 0 };
    char path[HR_MAX_PATH];
    hr_status r = hr_dir_list_there(env, paths->runs, &names);
    size_t i;

    *ret = false;
    for (i = 0; i < names.count && r == HR_OK && !*ret; i++) {
        if ((r = hr_path_join(env, paths->runs, names.names[i], path)) < 0)
            break;
        *ret = !hr_dir_exists(env, path) && /* a lock, not a run */
               strcmp(names.names[i], id) != 0 && hr_host_alive(env, paths, names.names[i]);
    }
    hr_names_clear(env, &names);
    return r;
}

/* Outputs that were in their place, artifacts/NODE/KEY/ID, and not published. */
static hr_status remove_sealed(struct hr_env *env, const struct hr_paths *paths, int64_t id)
{
    char node[HR_MAX_PATH], key[HR_MAX_PATH], place[HR_MAX_PATH], name[HR_NUM_TEXT];
    struct hr_names nodes = { 0 }, keys;
    hr_status r = hr_dir_list_there(env, paths->artifacts, &nodes);
    size_t i, k;

    hr_num_put_int(name, id);
    for (i = 0; i < nodes.count && r == HR_OK; i++) {
        if (nodes.names[i][0] == '.' ||
            hr_path_join(env, paths->artifacts, nodes.names[i], node) < 0 ||
            !hr_dir_exists(env, node))
            continue;
        keys = (struct hr_names){ 0 };
        r = hr_dir_list(env, node, &keys);
        for (k = 0; k < keys.count && r == HR_OK; k++) {
            r = hr_path_join(env, node, keys.names[k], key);
            if (r == HR_OK)
                r = hr_path_join(env, key, name, place);
            if (r == HR_OK && hr_file_exists(env, place))
                r = hr_tree_remove(env, place);
        }
        hr_names_clear(env, &keys);
    }
    hr_names_clear(env, &nodes);
    return r;
}

static hr_status close_execution(struct hr_env *env, const struct hr_paths *paths,
                                 struct hr_store *store, int64_t id)
{
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
    return remove_sealed(env, paths, id);
}

/* Staging of executions that have ended, or were never recorded, and whose host is gone: it died
 * between the two. */
static hr_status sweep_staging(struct hr_env *env, const struct hr_paths *paths,
                               struct hr_store *store, struct hr_arena *arena)
{
    struct hr_names names = { 0 };
    struct hr_meta_node e;
    char dir[HR_MAX_PATH];
    const char *host;
    int64_t id = 0;
    size_t i;
    hr_status r = hr_dir_list_there(env, paths->staging, &names);

    for (i = 0; i < names.count && r == HR_OK; i++) {
        if (!hr_num_int(names.names[i], strlen(names.names[i]), &id))
            continue;
        r = hr_store_get(store, HR_KIND_EXECUTION, id, arena, &e);
        host = r == HR_OK ? hr_meta_text(&e, "__host") : NULL;
        if (r == HR_NOT_FOUND)
            r = HR_OK;
        if (r < 0 || (host && hr_host_alive(env, paths, host)))
            continue;
        r = hr_path_join(env, paths->staging, names.names[i], dir);
        if (r == HR_OK)
            r = hr_tree_remove(env, dir);
    }
    hr_names_clear(env, &names);
    return r;
}

/* A host may die with no execution that runs, and still hold some. */
static hr_status free_leases(struct hr_env *env, const struct hr_paths *paths,
                             struct hr_cache *cache, struct hr_arena *arena)
{
    const char **hosts = NULL;
    size_t n = 0, i;
    hr_status r = hr_cache_holders(cache, arena, &hosts, &n);

    for (i = 0; i < n && r == HR_OK; i++)
        if (!hr_host_alive(env, paths, hosts[i]))
            hr_cache_release_all(cache, hosts[i]);
    return r;
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
        r = close_execution(env, paths, store, running.items[i].id);
        (*ret)++;
    }
    if (r == HR_OK)
        r = sweep_staging(env, paths, store, &arena);
    if (r == HR_OK)
        r = free_leases(env, paths, cache, &arena);
    hr_arena_clear(&arena);
    return r;
}
