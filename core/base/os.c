#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/os_files.h"

static int64_t clock_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t os_realtime_us(void *user)
{
    (void)user;
    return clock_us(CLOCK_REALTIME);
}

static int64_t os_monotonic_us(void *user)
{
    (void)user;
    return clock_us(CLOCK_MONOTONIC);
}

static int os_random(void *user, void *to, size_t n)
{
    char *p = to;

    (void)user;
    while (n) {
        ssize_t r = getrandom(p, n, 0);

        if (r < 0 && errno != EINTR)
            return -errno;
        if (r > 0) {
            p += r;
            n -= (size_t)r;
        }
    }
    return 0;
}

static const char *os_getenv(void *user, const char *name)
{
    (void)user;
    return secure_getenv(name);
}

static int os_account(void *user, char *to, size_t n)
{
    uid_t id = geteuid();
    struct passwd account, *found = NULL;
    char room[4096];
    int length;

    (void)user;
    if (getpwuid_r(id, &account, room, sizeof room, &found) || !found || !*account.pw_name)
        length = snprintf(to, n, "uid %lu", (unsigned long)id);
    else
        length = snprintf(to, n, "%s", account.pw_name);
    return length < 0 || (size_t)length >= n ? -ENAMETOOLONG : 0;
}

static int os_cores(void *user)
{
    cpu_set_t set;
    int n;

    (void)user;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && (n = CPU_COUNT(&set)) > 0)
        return n;
    return 1;
}

static int os_poll(void *user, struct pollfd *fds, size_t n, int timeout_ms)
{
    (void)user;
    return hr_os_result(poll(fds, (nfds_t)n, timeout_ms));
}

static int os_watch_new(void *user)
{
    (void)user;
    return hr_os_result(epoll_create1(EPOLL_CLOEXEC));
}

static int os_watch(void *user, int watch, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };

    (void)user;
    return hr_os_result(epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event));
}

static int os_timer(void *user)
{
    (void)user;
    return hr_os_result(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static int os_timer_set(void *user, int timer, int64_t us)
{
    struct itimerspec at = { .it_value = { .tv_sec = us / 1000000,
                                           .tv_nsec = us % 1000000 * 1000 + 1 } };

    (void)user; /* 0 would switch it off */
    return hr_os_result(timerfd_settime(timer, 0, &at, NULL));
}

static int os_pipe(void *user, int ret[2])
{
    (void)user;
    return hr_os_result(pipe2(ret, O_CLOEXEC));
}

static int os_socketpair(void *user, int ret[2])
{
    (void)user;
    return hr_os_result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret));
}

static int os_nonblock(void *user, int fd)
{
    int flags = fcntl(fd, F_GETFL);

    (void)user;
    return flags < 0 ? -errno : hr_os_result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

/* -- processes ------------------------------------------------------------- */

/* Copies above all targets, so that no target is overwritten before it is used. */
static int raise_fds(const struct hr_spawn *s, int *high)
{
    int i;

    for (i = 0; i < s->fds_count; i++) {
        int from = s->fds[i] >= 0 ? s->fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

        high[i] = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, HR_SPAWN_FDS);
        if (s->fds[i] < 0 && from >= 0)
            close(from);
        if (high[i] < 0)
            return -errno;
    }
    return 0;
}

static int set_up(const struct hr_spawn *s, const int *high, posix_spawn_file_actions_t *actions,
                  posix_spawnattr_t *attr)
{
    sigset_t none, all;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int i, r = 0;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &all);
    if (s->new_group) {
        flags = (short)(flags | POSIX_SPAWN_SETPGROUP);
        posix_spawnattr_setpgroup(attr, 0);
    }
    posix_spawnattr_setflags(attr, flags);
    for (i = 0; i < s->fds_count && !r; i++)
        r = posix_spawn_file_actions_adddup2(actions, high[i], i);
    if (!r)
        r = posix_spawn_file_actions_addclosefrom_np(actions, s->fds_count);
    return -r;
}

int hr_os_pidfd(int pid, int *ret_pidfd)
{
    int status, r;

    *ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (*ret_pidfd >= 0)
        return pid;
    r = -errno; /* without it its end could not be awaited */
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return r;
}

static int os_spawn(void *user, const struct hr_spawn *s, int *ret_pidfd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int high[HR_SPAWN_FDS], i, r;
    pid_t pid = -1;

    (void)user;
    if (s->fds_count > HR_SPAWN_FDS)
        return -EINVAL;
    for (i = 0; i < HR_SPAWN_FDS; i++)
        high[i] = -1;
    if (posix_spawn_file_actions_init(&actions))
        return -ENOMEM;
    if (posix_spawnattr_init(&attr)) {
        posix_spawn_file_actions_destroy(&actions);
        return -ENOMEM;
    }
    if ((r = raise_fds(s, high)) == 0 && (r = set_up(s, high, &actions, &attr)) == 0)
        r = -posix_spawn(&pid, s->path, &actions, &attr, (char *const *)(uintptr_t)s->args,
                         (char *const *)(uintptr_t)s->environment);
    for (i = 0; i < HR_SPAWN_FDS; i++)
        if (high[i] >= 0)
            close(high[i]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return r < 0 ? r : hr_os_pidfd(pid, ret_pidfd);
}

static int os_kill(void *user, int pid, int signal, bool group)
{
    (void)user;
    return hr_os_result(kill(group ? -pid : pid, signal));
}

static int os_wait(void *user, int pid, int *ret_status)
{
    pid_t r;

    (void)user;
    do
        r = waitpid(pid, ret_status, WNOHANG);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r > 0;
}

const struct hr_os *hr_os_default(void)
{
    static const struct hr_os os = {
        .open = hr_os_open,
        .close = hr_os_close,
        .read = hr_os_read,
        .pread = hr_os_pread,
        .write = hr_os_write,
        .sync = hr_os_sync,
        .truncate = hr_os_truncate,
        .stat = hr_os_stat,
        .fstat = hr_os_fstat,
        .rename = hr_os_rename,
        .mkdir = hr_os_mkdir,
        .unlink = hr_os_unlink,
        .rmdir = hr_os_rmdir,
        .chmod = hr_os_chmod,
        .list = hr_os_list,
        .readlink = hr_os_readlink,
        .realpath = hr_os_realpath,
        .cwd = hr_os_cwd,
        .map = hr_os_map,
        .unmap = hr_os_unmap,
        .pass = hr_os_pass,
        .memfd = hr_os_memfd,
        .seal = hr_os_seal,
        .lock = hr_os_lock,
        .realtime_us = os_realtime_us,
        .monotonic_us = os_monotonic_us,
        .random = os_random,
        .getenv = os_getenv,
        .account = os_account,
        .cores = os_cores,
        .poll = os_poll,
        .watch_new = os_watch_new,
        .watch = os_watch,
        .timer = os_timer,
        .timer_set = os_timer_set,
        .pipe = os_pipe,
        .socketpair = os_socketpair,
        .nonblock = os_nonblock,
        .send = hr_os_send,
        .recv = hr_os_recv,
        .spawn = os_spawn,
        .zygote_give = hr_os_zygote_give,
        .spawn_from = hr_os_spawn_from,
        .zygote_end = hr_os_zygote_end,
        .kill = os_kill,
        .wait = os_wait,
    };

    return &os;
}
