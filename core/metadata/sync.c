/* Making the log durable beside the work.
 *
 * In WAL mode a relaxed commit has written its frames to FILE-wal and not waited for the disk.  One
 * fdatasync of that file, by whatever descriptor, makes all frames durable that were written
 * before it; a checkpoint that moved them to the database meanwhile has synced them itself.
 * SQLite's locks are on other files, so that opening and closing this one drops none.
 * https://www.sqlite.org/walformat.html
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "metadata/sql.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

struct hr_syncing {
    struct hr_env *env;
    pthread_t thread;
    bool running;
    bool dir_synced; /* the name of the log is durable, too */
    int ends[2]; /* of the sync under way: what is closed drops out of all that watch it */
    int error;
    char path[HR_MAX_PATH], dir[HR_MAX_PATH];
};

/* On a thread: nothing of env but its table. */
static int sync_path(struct hr_env *env, const char *path, int flags)
{
    int fd = OS(env, open, path, flags, 0), r;

    if (fd < 0)
        return fd;
    r = OS(env, sync, fd);
    OS(env, close, fd);
    return r;
}

static void *work(void *arg)
{
    struct hr_syncing *s = arg;

    s->error = sync_path(s->env, s->path, HR_OPEN_READ);
    if (!s->error && !s->dir_synced)
        s->error = sync_path(s->env, s->dir, HR_OPEN_READ | HR_OPEN_DIR);
    OS(s->env, write, s->ends[1], "x", 1);
    return NULL;
}

static hr_status make(struct hr_store *store)
{
    struct hr_env *env = store->env;
    struct hr_syncing *s = hr_mem_zero(env, sizeof *s);
    struct hr_buf name;
    hr_status r;

    if (!s)
        return HR_EXHAUSTED;
    s->env = env;
    hr_buf_of(&name, HR_MAX_PATH - 1, env);
    if ((r = hr_buf_format(&name, "%s-wal", store->path)) == HR_OK)
        memcpy(s->path, name.text, name.len + 1);
    hr_buf_clear(&name);
    hr_path_dir(s->path, s->dir);
    if (r == HR_OK) {
        store->syncing = s;
    } else {
        hr_mem_put(env, s, sizeof *s);
    }
    return r;
}

hr_status hr_store_sync_begin(struct hr_store *store, int *ret_fd)
{
    hr_status r = store->syncing ? HR_OK : make(store);
    struct hr_syncing *s = store->syncing;
    int e;

    if (r < 0)
        return r;
    if (s->running) { /* it may have begun before what is committed by now */
        store->unsynced = true;
        return HR_UNAVAILABLE;
    }
    if ((e = OS(s->env, pipe, s->ends)) < 0)
        return hr_fail_os(s->env, e, "make", "a pipe");
    *ret_fd = s->ends[0];
    store->unsynced = false; /* what is committed from now on is the next one's */
    s->error = 0;
    s->running = pthread_create(&s->thread, NULL, work, s) == 0;
    if (!s->running) { /* then here */
        s->running = true;
        work(s);
        s->thread = pthread_self();
    }
    return HR_OK;
}

hr_status hr_store_sync_end(struct hr_store *store)
{
    struct hr_syncing *s = store->syncing;

    if (!s || !s->running)
        return HR_OK;
    if (!pthread_equal(s->thread, pthread_self()))
        pthread_join(s->thread, NULL);
    s->running = false;
    OS(s->env, close, s->ends[0]);
    OS(s->env, close, s->ends[1]);
    s->dir_synced = s->dir_synced || !s->error;
    if (!s->error)
        return HR_OK;
    store->unsynced = true;
    if (s->error == -ENOENT) /* a store without a log, as other clients make them */
        return hr_store_sync(store);
    return hr_fail_os(store->env, s->error, "make durable", s->path);
}

void hr_store_sync_free(struct hr_store *store)
{
    struct hr_syncing *s = store->syncing;
    size_t kept = store->env->errors.count;

    if (!s)
        return;
    hr_store_sync_end(store);
    hr_errors_cut(store->env, kept);
    hr_mem_put(s->env, s, sizeof *s);
    store->syncing = NULL;
}
