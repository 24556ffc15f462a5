#include "plugin/process.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "plugin/thread.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* What a hook may say, by its log and by printing: one that says more is stopped, so that a
 * plugin that prints for ever fills neither disk nor memory, and nobody reads half of a log as if
 * it were all. */
enum { MAX_PLUGINS = 11, LINE = 8192, MAX_SAID = 16 << 20, MAX_SAID_LINES = 200000 };
enum { SHUT_US = 200000 }; /* from the end of its socket to its own */

/* What a plugin prints, cut into lines. */
struct lines {
    int fd; /* -1: closed */
    size_t len;
    char text[LINE];
};

struct hr_process {
    struct hr_env *env;
    int pid, pidfd; /* 0 and -1 of a thread */
    int socket;     /* -1: closed */
    size_t said, said_lines;
    struct hr_thread *thread;
    bool ended, described, told, has_result;
    bool too_much;   /* it has said more than it may */
    bool shut;       /* stopped, for it had closed its socket, and did not end */
    int64_t shut_us; /* when that was seen; 0: it is open, or has brought a result */
    int status;
    struct hr_buf result;
    char ending[256];
    struct lines prints[2];
    char packet[HR_MAX_PACKET + 1];
};

/* -- starting -------------------------------------------------------------- */

static hr_status fill_memfd(struct hr_env *env, const char *name, const void *bytes, size_t n,
                            int *ret)
{
    int fd = OS(env, memfd, name);
    const char *p = bytes;
    int e;

    if (fd < 0)
        return hr_fail_os(env, fd, "make memory for", name);
    while (n) {
        int64_t w = OS(env, write, fd, p, n);

        if (w < 0) {
            OS(env, close, fd);
            return hr_fail_os(env, (int)w, "copy", name);
        }
        p += w;
        n -= (size_t)w;
    }
    if ((e = OS(env, seal, fd)) < 0) {
        OS(env, close, fd);
        return hr_fail_os(env, e, "seal", name);
    }
    *ret = fd;
    return HR_OK;
}

/* The bytes that are digested are the bytes that will run. */
hr_status hr_plugin_copy(struct hr_env *env, const struct hr_plugin_info *plugin, int *ret)
{
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    struct hr_map map;
    hr_status r = hr_file_map(env, plugin->path, &map);

    if (r < 0)
        return r;
    hr_sha256(map.data, map.size, digest);
    hr_sha256_hex(digest, hex);
    if (strcmp(hex, plugin->digest) != 0)
        r = hr_fail(env, HR_DATA_LOSS, "\"%s\" has changed while it was being looked up; run again",
                    plugin->path);
    else
        r = fill_memfd(env, plugin->path, map.data, map.size, ret);
    hr_file_unmap(env, &map);
    return r;
}

struct ends {
    int fds[HR_WORKER_PLUGINS + MAX_PLUGINS]; /* the worker's */
    int count;
    int mine; /* those before are ours to close: the plugins may be the zygote's */
    int out, err; /* ours */
};

static void close_fd(struct hr_env *env, int *fd)
{
    if (*fd >= 0)
        OS(env, close, *fd);
    *fd = -1;
}

static hr_status open_ends(struct hr_env *env, const struct hr_process_config *config,
                           struct ends *ends)
{
    int pair[2];
    hr_status r = HR_OK;
    size_t i;
    int e;

    if (config->plugin_count > MAX_PLUGINS)
        return hr_fail(env, HR_INVALID, "more than %d plugins for one node", MAX_PLUGINS);
    if ((e = OS(env, pipe, pair)) < 0)
        return hr_fail_os(env, e, "make", "a pipe");
    ends->out = pair[0];
    ends->fds[1] = pair[1];
    if ((e = OS(env, pipe, pair)) < 0)
        return hr_fail_os(env, e, "make", "a pipe");
    ends->err = pair[0];
    ends->fds[2] = pair[1];
    OS(env, nonblock, ends->out);
    OS(env, nonblock, ends->err);
    r = fill_memfd(env, "job", config->job, config->job_size, &ends->fds[HR_WORKER_JOB]);
    for (i = 0; r == HR_OK && i < config->plugin_count; i++) {
        int *fd = &ends->fds[HR_WORKER_PLUGINS + i];

        r = config->zygote ? hr_zygote_copy(config->zygote, config->plugins[i], fd)
                           : hr_plugin_copy(env, config->plugins[i], fd);
        ends->count = HR_WORKER_PLUGINS + (int)i + 1;
    }
    return r;
}

/* What the plugin may see of the environment: nothing that changes how it is loaded. */
enum { ENVIRONMENT = 16 };
struct environment {
    char text[ENVIRONMENT][512];
    const char *list[ENVIRONMENT + 1];
};

static void make_environment(struct hr_env *env, struct environment *ret)
{
    static const char *const names[] = { "PATH",
                                         "TZ",
                                         "HEADRACE_THREADS",
                                         "HOME",
                                         "HEADRACE_BATCH_ROWS",
                                         "TMPDIR",
                                         "ASAN_OPTIONS",
                                         "UBSAN_OPTIONS",
                                         "LSAN_OPTIONS",
                                         "TSAN_OPTIONS",
                                         "LLVM_PROFILE_FILE" };
    size_t i, n = 0;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = OS(env, getenv, names[i]);
        int len;

        if (!value)
            continue;
        len = snprintf(ret->text[n], sizeof ret->text[n], "%s=%s", names[i], value);
        if (len > 0 && (size_t)len < sizeof ret->text[n]) {
            ret->list[n] = ret->text[n];
            n++;
        }
    }
    ret->list[n] = NULL;
}

static hr_status spawn(struct hr_env *env, const struct hr_process_config *config,
                       const struct ends *ends, struct hr_process *p)
{
    const char *args[] = { "headrace-worker", NULL };
    struct environment environment;
    struct hr_spawn s = { .path = config->worker,
                          .args = args,
                          .environment = environment.list,
                          .fds = ends->fds,
                          .fds_count = ends->count,
                          .own = HR_WORKER_SOCKET,
                          .new_group = true };

    make_environment(env, &environment);
    p->pid = hr_zygote_spawn(env, config->zygote, &s, &p->pidfd, &p->socket);
    if (p->pid < 0) {
        int e = p->pid;

        p->pid = 0;
        return hr_fail_os(env, e, "start the worker", config->worker);
    }
    return HR_OK;
}

/* All that something may come from; what is not watched would never be read. */
static hr_status watch_all(struct hr_process *p, int watch)
{
    const int fds[] = { p->socket, p->prints[0].fd, p->prints[1].fd, p->pidfd };
    size_t i;
    int e = 0;

    for (i = 0; i < 4 && watch >= 0 && e >= 0; i++)
        if (fds[i] >= 0)
            e = OS(p->env, watch, watch, fds[i]);
    return e < 0 ? hr_fail_os(p->env, e, "watch", "the worker") : HR_OK;
}

static struct hr_process *new_process(struct hr_env *env)
{
    struct hr_process *p = hr_mem_resize(env, NULL, 0, sizeof *p);
    int i;

    if (!p)
        return NULL;
    memset(p, 0, offsetof(struct hr_process, prints)); /* the rest is 80 KB of room */
    p->env = env;
    p->pidfd = p->socket = -1;
    for (i = 0; i < 2; i++) {
        p->prints[i].fd = -1;
        p->prints[i].len = 0;
    }
    hr_buf_of(&p->result, HR_MAX_JSON_BYTES, env);
    return p;
}

static hr_status start_thread(struct hr_process *p, const struct hr_process_config *config)
{
    int pair[2];
    hr_status r;
    int e = OS(p->env, socketpair, pair);

    if (e < 0)
        return hr_fail_os(p->env, e, "make", "a socket");
    p->socket = pair[0];
    r = hr_thread_start(config->crew, config, pair[1], &p->thread);
    if (r < 0)
        OS(p->env, close, pair[1]);
    return r;
}

static hr_status start_process(struct hr_process *p, const struct hr_process_config *config)
{
    enum { ALL = HR_WORKER_PLUGINS + MAX_PLUGINS };
    struct ends ends = { .out = -1,
                         .err = -1,
                         .count = HR_WORKER_PLUGINS,
                         .mine = config->zygote ? HR_WORKER_PLUGINS : ALL };
    hr_status r;
    int i;

    for (i = 0; i < ALL; i++)
        ends.fds[i] = -1;
    r = open_ends(p->env, config, &ends);
    if (r == HR_OK)
        r = spawn(p->env, config, &ends, p);
    for (i = 0; i < ends.mine; i++)
        close_fd(p->env, &ends.fds[i]);
    p->prints[0].fd = ends.out;
    p->prints[1].fd = ends.err;
    return r;
}

hr_status hr_process_start(struct hr_env *env, const struct hr_process_config *config,
                           struct hr_process **ret)
{
    struct hr_process *p = new_process(env);
    hr_status r;

    if (!p)
        return HR_EXHAUSTED;
    r = config->worker ? start_process(p, config) : start_thread(p, config);
    if (r == HR_OK && (r = watch_all(p, config->watch)) < 0)
        hr_process_stop(p, HR_STOP_KILL);
    if (r == HR_OK)
        *ret = p;
    else
        hr_process_free(p);
    return r;
}

/* -- reading --------------------------------------------------------------- */

/* One more line is said; false: it is too much, and stopped.  A thread can only be asked. */
static bool may_say(struct hr_process *p, size_t n)
{
    if (p->too_much || p->said_lines >= MAX_SAID_LINES || p->said + n > MAX_SAID) {
        if (!p->too_much)
            hr_process_stop(p, HR_STOP_KILL);
        p->too_much = true;
        return false;
    }
    p->said += n;
    p->said_lines++;
    return true;
}

/* One line that was printed: whole, or what there is of it when the end has come. */
static bool take_line(struct hr_process *p, int i, bool end, struct hr_message *ret)
{
    struct lines *l = &p->prints[i];
    char *nl = memchr(l->text, '\n', l->len);
    size_t n = nl ? (size_t)(nl - l->text) : l->len;

    if (!nl && l->len < LINE && !(end && l->len))
        return false;
    memcpy(p->packet, l->text, n);
    p->packet[n] = '\0';
    n += nl != NULL;
    memmove(l->text, l->text + n, l->len - n);
    l->len -= n;
    if (!may_say(p, n))
        return false;
    *ret = (struct hr_message){ .kind = HR_MESSAGE_PRINT,
                                .level = i ? HR_WARN : HR_INFO,
                                .text = p->packet };
    return true;
}

/* Read what is there and forget it: what was stopped may have filled the pipe before. */
static void drop_print(struct hr_process *p, struct lines *l)
{
    enum { ROUNDS = 64 };
    char block[65536];
    int64_t got = 1;
    int rounds;

    l->len = 0;
    for (rounds = 0; rounds < ROUNDS && got > 0 && l->fd >= 0; rounds++)
        got = OS(p->env, read, l->fd, block, sizeof block);
    if (l->fd >= 0 && (got == -EAGAIN ? p->ended : got <= 0))
        close_fd(p->env, &l->fd);
}

static bool read_print(struct hr_process *p, int i, struct hr_message *ret)
{
    struct lines *l = &p->prints[i];
    int64_t got = 0;

    if (p->too_much) {
        drop_print(p, l);
        return false;
    }
    if (take_line(p, i, l->fd < 0, ret))
        return true;
    while (l->fd >= 0 && l->len < LINE) {
        got = OS(p->env, read, l->fd, l->text + l->len, LINE - l->len);
        if (got == -EAGAIN) {
            if (p->ended) /* somebody who escaped may hold it open; nobody waits for him */
                close_fd(p->env, &l->fd);
            break;
        }
        if (got <= 0) {
            close_fd(p->env, &l->fd);
            break;
        }
        l->len += (size_t)got;
        if (take_line(p, i, false, ret))
            return true;
    }
    return take_line(p, i, l->fd < 0, ret);
}

static void take_result(struct hr_process *p, const char *text, size_t n, int fd)
{
    struct hr_stat st;
    char *to;

    hr_buf_cut(&p->result, 0);
    p->has_result = true;
    if (fd < 0) {
        if (hr_buf_add(&p->result, text, n) < 0)
            p->has_result = false;
        return;
    }
    if (OS(p->env, fstat, fd, &st) < 0 || st.size > HR_MAX_JSON_BYTES ||
        hr_buf_room(&p->result, (size_t)st.size, &to) < 0 ||
        OS(p->env, pread, fd, to, (size_t)st.size, 0) != (int64_t)st.size)
        p->has_result = false;
}

static void socket_ended(struct hr_process *p)
{
    close_fd(p->env, &p->socket);
    p->shut_us = p->has_result ? 0 : p->env->os->monotonic_us(p->env->os->user);
}

/* One packet; false: none now. */
static bool read_packet(struct hr_process *p, struct hr_message *ret)
{
    int fd = -1;
    int64_t n;

    if (p->socket < 0)
        return false;
    n = OS(p->env, recv, p->socket, p->packet, HR_MAX_PACKET, &fd);
    if (n == -ECONNRESET) /* told once, before what it has sent, where it left a request unread */
        n = OS(p->env, recv, p->socket, p->packet, HR_MAX_PACKET, &fd);
    if (n == -EAGAIN)
        return false;
    if (n <= 0) {
        socket_ended(p);
        return false;
    }
    p->packet[n] = '\0';
    *ret = (struct hr_message){ .kind = HR_MESSAGE_NONE, .text = p->packet + 1 };
    if (p->packet[0] == 'L' && n >= 2) {
        if (!may_say(p, (size_t)n))
            return true;
        ret->kind = HR_MESSAGE_LOG;
        ret->level = p->packet[1] - '0';
        if (ret->level < HR_DEBUG || ret->level > HR_ERROR)
            ret->level = HR_INFO;
        ret->text = p->packet + 2;
    } else if (p->packet[0] == 'P' && n >= 17) {
        ret->kind = HR_MESSAGE_PROGRESS;
        memcpy(&ret->done, p->packet + 1, 8);
        memcpy(&ret->total, p->packet + 9, 8);
        ret->text = p->packet + 17;
    } else if (p->packet[0] == 'W') {
        ret->kind = HR_MESSAGE_WALLS;
    } else if (p->packet[0] == 'R') {
        take_result(p, p->packet + 1, (size_t)n - 1, fd);
    }
    if (fd >= 0)
        OS(p->env, close, fd);
    return true;
}

static void describe_ending(struct hr_process *p)
{
    static const struct {
        int number;
        const char *name;
    } names[] = { { SIGSEGV, "SIGSEGV" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" },
                  { SIGFPE, "SIGFPE" },   { SIGILL, "SIGILL" },   { SIGKILL, "SIGKILL" },
                  { SIGTERM, "SIGTERM" }, { SIGXCPU, "SIGXCPU" }, { SIGSYS, "SIGSYS" },
                  { SIGTRAP, "SIGTRAP" }, { SIGPIPE, "SIGPIPE" }, { SIGHUP, "SIGHUP" },
                  { SIGINT, "SIGINT" },   { SIGQUIT, "SIGQUIT" }, { SIGALRM, "SIGALRM" },
                  { SIGUSR1, "SIGUSR1" }, { SIGUSR2, "SIGUSR2" }, { SIGXFSZ, "SIGXFSZ" } };
    const char *name = "a signal";
    size_t i;

    if (p->too_much) {
        p->has_result = false;
        snprintf(p->ending, sizeof p->ending,
                 "has printed and logged more than %d MiB, or %d lines, and was stopped; what is "
                 "long belongs into an output",
                 MAX_SAID >> 20, MAX_SAID_LINES);
    } else if (p->thread) {
        return;
    } else if (p->shut && WIFSIGNALED(p->status) && WTERMSIG(p->status) == SIGKILL) {
        snprintf(p->ending, sizeof p->ending,
                 "closed descriptors that are not its own, and was stopped");
    } else if (WIFSIGNALED(p->status)) {
        for (i = 0; i < sizeof names / sizeof names[0]; i++)
            if (names[i].number == WTERMSIG(p->status))
                name = names[i].name;
        snprintf(p->ending, sizeof p->ending, "was ended by signal %d (%s)", WTERMSIG(p->status),
                 name);
    } else if (!p->has_result) {
        snprintf(p->ending, sizeof p->ending, "exited with status %d without a result%s",
                 WEXITSTATUS(p->status),
                 WEXITSTATUS(p->status)
                     ? ""
                     : "; it called exit(), or closed descriptors that are not its own");
    }
}

/* What has closed its socket and does not end is of no use to anybody. */
static void stop_shut(struct hr_process *p)
{
    if (!p->shut_us || p->shut ||
        p->env->os->monotonic_us(p->env->os->user) < p->shut_us + SHUT_US)
        return;
    p->shut = true;
    OS(p->env, kill, p->pid, SIGKILL, false);
}

/* Has it ended?  What it has sent before is still to be read. */
static void check_end(struct hr_process *p)
{
    if (p->ended)
        return;
    if (p->thread) {
        p->ended = hr_thread_ended(p->thread);
    } else if (OS(p->env, wait, p->pid, &p->status) == 1) {
        p->ended = true;
        OS(p->env, kill, p->pid, SIGKILL, true); /* what it has left behind in its group */
        close_fd(p->env, &p->pidfd);
    } else {
        stop_shut(p);
    }
}

hr_status hr_process_read(struct hr_process *p, struct hr_message *ret)
{
    *ret = (struct hr_message){ .kind = HR_MESSAGE_NONE, .text = "" };
    check_end(p); /* before the pipes are read to their end */
    while (read_packet(p, ret))
        if (ret->kind != HR_MESSAGE_NONE)
            return HR_OK;
    if (p->thread && p->socket < 0) /* closed since: it is the last that wakes who waits */
        check_end(p);
    if (read_print(p, 0, ret) || read_print(p, 1, ret))
        return HR_OK;
    *ret = (struct hr_message){ .kind = HR_MESSAGE_NONE, .text = "" };
    if (!p->ended || p->told)
        return HR_OK;
    if (!p->described)
        describe_ending(p);
    p->described = true;
    if (p->has_result) {
        p->has_result = false;
        ret->kind = HR_MESSAGE_RESULT;
        ret->text = p->result.text;
        return HR_OK;
    }
    p->told = true;
    ret->kind = HR_MESSAGE_END;
    return HR_OK;
}

void hr_process_stop(struct hr_process *p, int stage)
{
    if (p->ended)
        return;
    if (p->thread)
        hr_thread_cancel(p->thread);
    else if (p->socket >= 0)
        OS(p->env, send, p->socket, "C", 1, -1);
    if (p->pid && stage > HR_STOP_ASK)
        OS(p->env, kill, p->pid, stage == HR_STOP_TERM ? SIGTERM : SIGKILL, true);
}

const char *hr_process_ending(const struct hr_process *p)
{
    return p->ending;
}

int hr_process_signal(const struct hr_process *p)
{
    return p->ended && p->pid && WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
}

void hr_process_free(struct hr_process *p)
{
    struct pollfd fd;

    if (!p)
        return;
    if (p->pid && !p->ended) {
        OS(p->env, kill, p->pid, SIGKILL, true);
        OS(p->env, kill, p->pid, SIGKILL, false);
        fd = (struct pollfd){ p->pidfd, POLLIN, 0 };
        while (OS(p->env, wait, p->pid, &p->status) == 0)
            OS(p->env, poll, &fd, 1, 100);
    }
    if (p->thread)
        hr_thread_join(p->thread);
    close_fd(p->env, &p->pidfd);
    close_fd(p->env, &p->socket);
    close_fd(p->env, &p->prints[0].fd);
    close_fd(p->env, &p->prints[1].fd);
    hr_buf_clear(&p->result);
    hr_mem_put(p->env, p, sizeof *p);
}

/* -- manifests ------------------------------------------------------------- */

static hr_status run_to_end(struct hr_process *p, struct hr_buf *ret)
{
    struct hr_env *env = p->env;
    struct pollfd fds[4];
    struct hr_message m;
    struct hr_buf said;
    hr_status r = HR_OK;

    hr_buf_of(&said, 8192, env);
    do {
        hr_process_read(p, &m);
        if (m.kind == HR_MESSAGE_RESULT)
            r = hr_buf_text(ret, m.text);
        else if (m.kind == HR_MESSAGE_PRINT && said.len < 4000)
            hr_buf_format(&said, "%s; ", m.text);
        else if (m.kind == HR_MESSAGE_NONE) {
            fds[0] = (struct pollfd){ p->socket, POLLIN, 0 };
            fds[1] = (struct pollfd){ p->prints[0].fd, POLLIN, 0 };
            fds[2] = (struct pollfd){ p->prints[1].fd, POLLIN, 0 };
            fds[3] = (struct pollfd){ p->pidfd, POLLIN, 0 };
            OS(env, poll, fds, 4, 1000);
        }
    } while (m.kind != HR_MESSAGE_END && r == HR_OK);
    if (r == HR_OK && !ret->len)
        r = hr_fail(env, HR_INVALID, "%sthe worker %s", said.text, hr_process_ending(p));
    hr_buf_clear(&said);
    return r;
}

hr_status hr_process_manifest(struct hr_env *env, const char *worker, const char *path,
                              struct hr_buf *ret)
{
    static const char job[] = "{\"hook\":\"manifest\"}";
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    struct hr_plugin_info plugin = { .path = path, .digest = hex };
    const struct hr_plugin_info *plugins[] = { &plugin };
    struct hr_process_config config = { .worker = worker,
                                        .plugins = plugins,
                                        .plugin_count = 1,
                                        .job = job,
                                        .job_size = sizeof job - 1,
                                        .watch = -1 };
    struct hr_process *p;
    hr_status r = hr_file_digest(env, path, digest, NULL);

    if (r < 0)
        return r;
    hr_sha256_hex(digest, hex);
    if ((r = hr_process_start(env, &config, &p)) < 0)
        return r;
    r = run_to_end(p, ret);
    hr_process_free(p);
    return r;
}
