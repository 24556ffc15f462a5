#include "plugin/zygote.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "plugin/process.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* Ends are given many at a time, when there are no more than stand by. */
enum { MAX_FAILURES = 3, ENDS = HR_ZYGOTE_ENDS, MANY = 8 };

struct copy {
    const char *digest;
    int fd;
};

struct hr_zygote {
    struct hr_env *env;
    struct hr_arena arena;
    const char *worker;
    int pid, pidfd, socket;  /* 0 and -1: none now */
    int ends[ENDS];          /* ours; a child of the zygote has the other of each, or will */
    unsigned used, given;    /* the next to use is ends[used % ENDS] */
    int failures;
    struct copy *copies;
    size_t count, cap;
};

hr_status hr_zygote_new(struct hr_env *env, const char *worker, struct hr_zygote **ret)
{
    struct hr_zygote *z = hr_mem_zero(env, sizeof *z);

    if (!z)
        return HR_EXHAUSTED;
    z->env = env;
    z->pidfd = z->socket = -1;
    hr_arena_init(&z->arena, env, 0);
    if (!(z->worker = hr_arena_text(&z->arena, worker))) {
        hr_zygote_free(z);
        return HR_EXHAUSTED;
    }
    *ret = z;
    return HR_OK;
}

static int spawn_alone(struct hr_env *env, const struct hr_spawn *spawn, int *ret_pidfd,
                       int *ret_socket)
{
    int fds[HR_SPAWN_FDS], pair[2], r;
    struct hr_spawn s = *spawn;

    if ((r = OS(env, socketpair, pair)) < 0)
        return r;
    memcpy(fds, spawn->fds, (size_t)spawn->fds_count * sizeof fds[0]);
    fds[s.own] = pair[1];
    s.fds = fds;
    r = OS(env, spawn, &s, ret_pidfd);
    OS(env, close, pair[1]);
    if (r < 0)
        OS(env, close, pair[0]);
    else
        *ret_socket = pair[0];
    return r;
}

static int start(struct hr_zygote *z, const char *const *environment)
{
    const char *args[] = { "headrace-worker", HR_WORKER_ZYGOTE, NULL };
    const int fds[HR_WORKER_SOCKET + 1] = { -1, -1, -1, -1 };
    struct hr_spawn s = { .path = z->worker,
                          .args = args,
                          .environment = environment,
                          .fds = fds,
                          .fds_count = HR_WORKER_SOCKET + 1,
                          .own = HR_WORKER_SOCKET,
                          .new_group = true };
    int r = spawn_alone(z->env, &s, &z->pidfd, &z->socket);

    z->pid = r > 0 ? r : 0;
    return r < 0 ? r : 0;
}

static int give_ends(struct hr_zygote *z)
{
    int theirs[MANY], pair[2], r = 0;
    unsigned i, n;

    for (n = 0; n < MANY && (r = OS(z->env, socketpair, pair)) >= 0; n++) {
        z->ends[(z->given + n) % ENDS] = pair[0];
        theirs[n] = pair[1];
    }
    if (n)
        r = OS(z->env, zygote_give, z->socket, theirs, n);
    for (i = 0; i < n; i++) {
        OS(z->env, close, theirs[i]);
        if (r < 0)
            OS(z->env, close, z->ends[(z->given + i) % ENDS]);
    }
    if (r >= 0)
        z->given += n;
    return r < 0 ? r : 0;
}

static void stop(struct hr_zygote *z)
{
    struct pollfd fd = { z->pidfd, POLLIN, 0 };
    int status, r;

    if (!z->pid)
        return;
    OS(z->env, kill, z->pid, SIGKILL, false);
    while ((r = OS(z->env, wait, z->pid, &status)) == 0)
        OS(z->env, poll, &fd, 1, 100);
    for (; z->used != z->given; z->used++) {
        OS(z->env, zygote_end, z->ends[z->used % ENDS]);
        OS(z->env, close, z->ends[z->used % ENDS]);
    }
    OS(z->env, close, z->pidfd);
    OS(z->env, close, z->socket);
    z->pid = 0;
    z->pidfd = z->socket = -1;
}

/* The pid; 0 where there is no zygote to be had any more; or a negative errno. */
static int spawn_copy(struct hr_zygote *z, const struct hr_spawn *spawn, int *ret_pidfd,
                      int *ret_socket)
{
    int r = 0;

    if (!z->pid && z->failures < MAX_FAILURES)
        r = start(z, spawn->environment);
    if (r < 0 || !z->pid)
        return r;
    if (z->given - z->used <= HR_ZYGOTE_READY)
        r = give_ends(z);
    if (z->given == z->used) /* else those that stand by will do */
        return r;
    r = OS(z->env, spawn_from, z->ends[z->used % ENDS], spawn, ret_pidfd);
    if (r > 0)
        *ret_socket = z->ends[z->used++ % ENDS];
    return r;
}

int hr_zygote_spawn(struct hr_env *env, struct hr_zygote *zygote, const struct hr_spawn *spawn,
                    int *ret_pidfd, int *ret_socket)
{
    if (zygote) {
        int r = spawn_copy(zygote, spawn, ret_pidfd, ret_socket);

        if (r > 0)
            return r;
        zygote->failures++;
        stop(zygote);
    }
    return spawn_alone(env, spawn, ret_pidfd, ret_socket);
}

hr_status hr_zygote_copy(struct hr_zygote *z, const struct hr_plugin_info *plugin, int *ret)
{
    struct copy *c;
    hr_status r;
    size_t i;

    for (i = 0; i < z->count; i++)
        if (!strcmp(z->copies[i].digest, plugin->digest)) {
            *ret = z->copies[i].fd;
            return HR_OK;
        }
    c = hr_arena_grow(&z->arena, z->copies, z->count, &z->cap, sizeof *c);
    if (!c)
        return HR_EXHAUSTED;
    z->copies = c;
    c += z->count;
    if (!(c->digest = hr_arena_text(&z->arena, plugin->digest)))
        return HR_EXHAUSTED;
    if ((r = hr_plugin_copy(z->env, plugin, &c->fd)) < 0)
        return r;
    z->count++;
    *ret = c->fd;
    return HR_OK;
}

void hr_zygote_free(struct hr_zygote *z)
{
    size_t i;

    if (!z)
        return;
    stop(z);
    for (i = 0; i < z->count; i++)
        OS(z->env, close, z->copies[i].fd);
    hr_arena_clear(&z->arena);
    hr_mem_put(z->env, z, sizeof *z);
}
