/* fail_call.c - loaded before a program: a call of the system fails, all of them from there on do,
 * or the program is killed there as by a power switch.
 *
 *     HEADRACE_TEST_FAIL=12 HEADRACE_TEST_HOW=once LD_PRELOAD=.../fail_call.so headrace run
 *
 * HOW: "once" EIO, "full" ENOSPC where something is written, "always" EIO from then on, "kill".
 * point.h says how a call is chosen.  Without one, for all calls: "half" reads and writes move half
 * of the bytes, "signal" each call that a signal may end has been ended by one every other time,
 * "clock" the clock goes back a second each time it is asked.
 *
 * Only calls that concern files below a directory HEADRACE_TEST_UNDER are counted, and processes,
 * sockets and waiting: what the C library and the linker do at the start is nobody's to survive.
 * Workers are started with an environment of their own and see nothing of this.  Where all fails
 * nobody sleeps: SQLite would, ten seconds in all, before it believes a lock that reports errors.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "point.h"

enum how { NONE, ONCE, FULL, ALWAYS, KILL, HALF, SIGNAL, CLOCK };

static enum how how;

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

#define REAL(name, result, arguments)                                                              \
    static result(*next) arguments;                                                                \
    if (!next) {                                                                                   \
        void *found = real(name);                                                                  \
        memcpy(&next, &found, sizeof next);                                                        \
    }

__attribute__((constructor)) static void begin(void)
{
    static const char *const names[] = { "none", "once", "full",   "always",
                                         "kill", "half", "signal", "clock" };
    size_t i;

    point_begin();
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(point.how, names[i]))
            how = (enum how)i;
}

__attribute__((destructor)) static void end(void)
{
    point_end();
}

/* Does this call fail?  writes: it takes space. */
static int fails(int writes)
{
    int is = point_is();

    if (!is || how == NONE || how >= HALF)
        return 0;
    if (how == KILL)
        raise(SIGKILL);
    if ((is == 2 && how == ONCE) || (how == FULL && !writes))
        return 0;
    if (is == 1)
        point_show();
    errno = how == FULL ? ENOSPC : EIO;
    return 1;
}

/* Has a signal ended this call? */
static int ended(void)
{
    static unsigned turn;

    if (how != SIGNAL || !point.armed || !(__atomic_add_fetch(&turn, 1, __ATOMIC_RELAXED) & 1))
        return 0;
    errno = EINTR;
    return 1;
}

static size_t part(size_t n)
{
    return how == HALF && point.armed ? (n + 1) / 2 : n;
}

static int below(const char *path)
{
    return point.armed && point.under && path &&
           !strncmp(path, point.under, strlen(point.under));
}

/* Of what is open, what lies below: a worker behind its walls cannot ask the system. */
enum { FDS = 4096 };
static unsigned char mine[FDS];

static int ours(int fd)
{
    return point.armed && fd >= 0 && fd < FDS && mine[fd];
}

static int opened(int fd, const char *path)
{
    if (fd >= 0 && fd < FDS)
        mine[fd] = (unsigned char)below(path);
    return fd;
}

OPEN int open(const char *path, int flags, ...)
{
    REAL("open", int, (const char *, int, ...))
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    if (below(path) && (ended() || fails(flags & O_CREAT)))
        return -1;
    return opened(next(path, flags, mode), path);
}

#include "open64.h"

OPEN int close(int fd)
{
    REAL("close", int, (int))

    if (fd >= 0 && fd < FDS)
        mine[fd] = 0;
    return next(fd);
}

OPEN ssize_t read(int fd, void *to, size_t n)
{
    REAL("read", ssize_t, (int, void *, size_t))

    return ours(fd) && (ended() || fails(0)) ? -1 : next(fd, to, part(n));
}

OPEN ssize_t write(int fd, const void *from, size_t n)
{
    REAL("write", ssize_t, (int, const void *, size_t))

    if (!ours(fd))
        return next(fd, from, n);
    if (ended())
        return -1;
    if (!fails(1))
        return next(fd, from, part(n));
    if (n > 1 && next(fd, from, n / 2) < 0) /* half of it is there */
        return -1;
    errno = how == FULL ? ENOSPC : EIO;
    return -1;
}

OPEN ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
    REAL("pread64", ssize_t, (int, void *, size_t, off64_t))

    return ours(fd) && (ended() || fails(0)) ? -1 : next(fd, to, part(n), at);
}

OPEN ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    return pread64(fd, to, n, at);
}

OPEN ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    REAL("pwrite64", ssize_t, (int, const void *, size_t, off64_t))

    if (!ours(fd))
        return next(fd, from, n, at);
    if (ended())
        return -1;
    if (!fails(1))
        return next(fd, from, part(n), at);
    if (n > 1 && next(fd, from, n / 2, at) < 0)
        return -1;
    errno = how == FULL ? ENOSPC : EIO;
    return -1;
}

OPEN ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return pwrite64(fd, from, n, at);
}

OPEN int fsync(int fd)
{
    REAL("fsync", int, (int))

    return ours(fd) && (ended() || fails(1)) ? -1 : next(fd);
}

OPEN int fdatasync(int fd)
{
    REAL("fdatasync", int, (int))

    return ours(fd) && fails(1) ? -1 : next(fd);
}

OPEN int rename(const char *from, const char *to)
{
    REAL("rename", int, (const char *, const char *))

    return below(from) && fails(1) ? -1 : next(from, to);
}

OPEN int mkdir(const char *path, mode_t mode)
{
    REAL("mkdir", int, (const char *, mode_t))

    return below(path) && fails(1) ? -1 : next(path, mode);
}

OPEN int unlink(const char *path)
{
    REAL("unlink", int, (const char *))

    return below(path) && fails(0) ? -1 : next(path);
}

OPEN int rmdir(const char *path)
{
    REAL("rmdir", int, (const char *))

    return below(path) && fails(0) ? -1 : next(path);
}

OPEN int stat(const char *path, struct stat *st)
{
    REAL("stat", int, (const char *, struct stat *))

    return below(path) && fails(0) ? -1 : next(path, st);
}

OPEN int stat64(const char *path, struct stat64 *st)
{
    return stat(path, (struct stat *)st);
}

OPEN int lstat(const char *path, struct stat *st)
{
    REAL("lstat", int, (const char *, struct stat *))

    return below(path) && fails(0) ? -1 : next(path, st);
}

OPEN int lstat64(const char *path, struct stat64 *st)
{
    return lstat(path, (struct stat *)st);
}

OPEN int fstat(int fd, struct stat *st)
{
    REAL("fstat", int, (int, struct stat *))

    return ours(fd) && fails(0) ? -1 : next(fd, st);
}

OPEN int fstat64(int fd, struct stat64 *st)
{
    return fstat(fd, (struct stat *)st);
}

OPEN int ftruncate64(int fd, off64_t size)
{
    REAL("ftruncate64", int, (int, off64_t))

    return ours(fd) && fails(1) ? -1 : next(fd, size);
}

OPEN int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

OPEN DIR *opendir(const char *path)
{
    REAL("opendir", DIR *, (const char *))

    return below(path) && fails(0) ? NULL : next(path);
}

OPEN int chmod(const char *path, mode_t mode)
{
    REAL("chmod", int, (const char *, mode_t))

    return below(path) && fails(1) ? -1 : next(path, mode);
}

OPEN int socketpair(int domain, int type, int protocol, int ret[2])
{
    REAL("socketpair", int, (int, int, int, int *))

    return fails(0) ? -1 : next(domain, type, protocol, ret);
}

OPEN int pipe2(int ret[2], int flags)
{
    REAL("pipe2", int, (int *, int))

    return fails(0) ? -1 : next(ret, flags);
}

OPEN int memfd_create(const char *name, unsigned flags)
{
    REAL("memfd_create", int, (const char *, unsigned))

    return fails(1) ? -1 : next(name, flags);
}

/* The sides of a memory that SQLite shares with others, and files that are mapped. */
OPEN void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t offset)
{
    REAL("mmap64", void *, (void *, size_t, int, int, int, off64_t))

    return fd >= 0 && ours(fd) && fails(0) ? MAP_FAILED
                                           : next(at, n, protection, flags, fd, offset);
}

OPEN void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    return mmap64(at, n, protection, flags, fd, offset);
}

/* Locks; what else there is passes. */
OPEN int fcntl64(int fd, int command, ...)
{
    REAL("fcntl64", int, (int, int, void *))
    va_list list;
    void *argument;

    va_start(list, command);
    argument = va_arg(list, void *);
    va_end(list);
    if (command != F_SETLK && command != F_GETLK && command != F_OFD_SETLK)
        return next(fd, command, argument);
    return ours(fd) && fails(0) ? -1 : next(fd, command, argument);
}

OPEN int fcntl(int fd, int command, ...)
{
    va_list list;
    void *argument;

    va_start(list, command);
    argument = va_arg(list, void *);
    va_end(list);
    return fcntl64(fd, command, argument);
}

OPEN int access(const char *path, int mode)
{
    REAL("access", int, (const char *, int))

    return below(path) && fails(0) ? -1 : next(path, mode);
}

OPEN int poll(struct pollfd *fds, nfds_t n, int ms)
{
    REAL("poll", int, (struct pollfd *, nfds_t, int))

    return ended() || fails(0) ? -1 : next(fds, n, ms);
}

OPEN int epoll_ctl(int watch, int what, int fd, struct epoll_event *event)
{
    REAL("epoll_ctl", int, (int, int, int, struct epoll_event *))

    return fails(0) ? -1 : next(watch, what, fd, event);
}

OPEN ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    REAL("sendmsg", ssize_t, (int, const struct msghdr *, int))

    return ended() || fails(0) ? -1 : next(fd, m, flags);
}

OPEN ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    REAL("recvmsg", ssize_t, (int, struct msghdr *, int))

    return ended() || fails(0) ? -1 : next(fd, m, flags);
}

OPEN int posix_spawn(pid_t *ret, const char *path, const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attributes, char *const args[], char *const env[])
{
    REAL("posix_spawn", int, (pid_t *, const char *, const posix_spawn_file_actions_t *,
                              const posix_spawnattr_t *, char *const[], char *const[]))

    return fails(0) ? EAGAIN : next(ret, path, actions, attributes, args, env);
}

/* No other time has to pass for what fails for ever. */
static int hopeless(void)
{
    return how == ALWAYS && point.armed && __atomic_load_n(&point.state->there, __ATOMIC_RELAXED);
}

OPEN int nanosleep(const struct timespec *time, struct timespec *left)
{
    REAL("nanosleep", int, (const struct timespec *, struct timespec *))

    return hopeless() ? 0 : next(time, left);
}

OPEN int usleep(useconds_t time)
{
    REAL("usleep", int, (useconds_t))

    return hopeless() ? 0 : next(time);
}

OPEN int clock_gettime(clockid_t clock, struct timespec *ret)
{
    REAL("clock_gettime", int, (clockid_t, struct timespec *))
    static long back;
    int r = next(clock, ret);

    if (how == CLOCK && clock == CLOCK_REALTIME)
        ret->tv_sec -= __atomic_add_fetch(&back, 1, __ATOMIC_RELAXED);
    return r;
}
