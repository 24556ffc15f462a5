#include "plugin/zygote.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "plugin/process.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { MAX_FAILURES = 3 };

struct copy {
    const char *digest;
    int fd;
};

struct hr_zygote {
    struct hr_env *env;
    struct hr_arena arena;
    const char *worker;
    int pid, pidfd, socket; /* 0 and -1: none now */
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

static int start(struct hr_zygote *z, const char *const *environment)
{
    const char *args[] = { "headrace-worker", HR_WORKER_ZYGOTE, NULL };
    int fds[HR_WORKER_SOCKET + 1] = { -1, -1, -1, -1 }, pair[2];
    struct hr_spawn s = { .path = z->worker,
                          .args = args,
                          .environment = environment,
                          .fds = fds,
                          .fds_count = HR_WORKER_SOCKET + 1,
                          .new_group = true };
    int r = OS(z->env, socketpair, pair);

    if (r < 0)
        return r;
    fds[HR_WORKER_SOCKET] = pair[1];
    r = OS(z->env, spawn, &s, &z->pidfd);
    OS(z->env, close, pair[1]);
    if (r < 0) {
        OS(z->env, close, pair[0]);
        return r;
    }
    z->pid = r;
    z->socket = pair[0];
    return 0;
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
    OS(z->env, zygote_end, z->socket);
    OS(z->env, close, z->pidfd);
    OS(z->env, close, z->socket);
    z->pid = 0;
    z->pidfd = z->socket = -1;
}

int hr_zygote_spawn(struct hr_zygote *z, const struct hr_spawn *spawn, int *ret_pidfd)
{
    int r = 0;

    if (!z->pid && z->failures < MAX_FAILURES)
        r = start(z, spawn->environment);
    if (r == 0 && z->pid)
        r = OS(z->env, spawn_from, z->socket, spawn, ret_pidfd);
    if (r > 0)
        return r;
    z->failures++;
    stop(z);
    return OS(z->env, spawn, spawn, ret_pidfd);
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
