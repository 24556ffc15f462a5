/* fail_call.c - loaded before a program: its n-th call of the system fails, all of them from the
 * n-th on do, or the program is killed there as by a power switch.
 *
 *     HEADRACE_TEST_FAIL=12 HEADRACE_TEST_HOW=once LD_PRELOAD=.../fail_call.so headrace run
 *
 * HOW: "once" EIO, "full" ENOSPC where something is written, "always" EIO from then on, "kill".  At
 * the end the number of calls goes to the file that HEADRACE_TEST_COUNT names.  Only calls that
 * concern files below a directory HEADRACE_TEST_UNDER are counted, and processes and sockets:
 * what the C library and the linker do at the start is nobody's to survive.  Workers are started
 * with an environment of their own and see nothing of this.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"

#define OPEN __attribute__((visibility("default")))

enum how { NONE, ONCE, FULL, ALWAYS, KILL };

static struct {
    long at, calls;
    enum how how;
    const char *under, *count;
} fault;

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
    const char *at = getenv("HEADRACE_TEST_FAIL"), *how = getenv("HEADRACE_TEST_HOW");

    fault.under = getenv("HEADRACE_TEST_UNDER");
    fault.count = getenv("HEADRACE_TEST_COUNT");
    fault.at = at ? atol(at) : 0;
    fault.how = !how                    ? NONE
                : !strcmp(how, "once")   ? ONCE
                : !strcmp(how, "full")   ? FULL
                : !strcmp(how, "always") ? ALWAYS
                                         : KILL;
}

__attribute__((destructor)) static void end(void)
{
    FILE *f = fault.count ? fopen(fault.count, "w") : NULL;

    if (f) {
        fprintf(f, "%ld\n", fault.calls);
        fclose(f);
    }
    fault.at = 0;
}

/* Does this call fail?  writes: it takes space. */
static int fails(int writes)
{
    long call = __atomic_add_fetch(&fault.calls, 1, __ATOMIC_RELAXED);

    if (!fault.at || call < fault.at)
        return 0;
    if (fault.how == KILL)
        raise(SIGKILL);
    if (call > fault.at && fault.how != ALWAYS && fault.how != FULL)
        return 0;
    if (fault.how == FULL && !writes)
        return 0;
    errno = fault.how == FULL ? ENOSPC : EIO;
    return 1;
}

static int below(const char *path)
{
    return fault.under && path && !strncmp(path, fault.under, strlen(fault.under));
}

static int ours(int fd)
{
    char path[4096];

    return below(place_of(fd, path, sizeof path));
}

OPEN int open(const char *path, int flags, ...)
{
    REAL("open", int, (const char *, int, ...))
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return below(path) && fails(flags & O_CREAT) ? -1 : next(path, flags, mode);
}

OPEN int open64(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return open(path, flags, mode);
}

OPEN ssize_t read(int fd, void *to, size_t n)
{
    REAL("read", ssize_t, (int, void *, size_t))

    return ours(fd) && fails(0) ? -1 : next(fd, to, n);
}

OPEN ssize_t write(int fd, const void *from, size_t n)
{
    REAL("write", ssize_t, (int, const void *, size_t))

    if (!ours(fd) || !fails(1))
        return next(fd, from, n);
    if (n > 1 && next(fd, from, n / 2) < 0) /* half of it is there */
        return -1;
    errno = fault.how == FULL ? ENOSPC : EIO;
    return -1;
}

OPEN ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
    REAL("pread64", ssize_t, (int, void *, size_t, off64_t))

    return ours(fd) && fails(0) ? -1 : next(fd, to, n, at);
}

OPEN ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    return pread64(fd, to, n, at);
}

OPEN ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    REAL("pwrite64", ssize_t, (int, const void *, size_t, off64_t))

    if (!ours(fd) || !fails(1))
        return next(fd, from, n, at);
    if (n > 1 && next(fd, from, n / 2, at) < 0)
        return -1;
    errno = fault.how == FULL ? ENOSPC : EIO;
    return -1;
}

OPEN ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return pwrite64(fd, from, n, at);
}

OPEN int fsync(int fd)
{
    REAL("fsync", int, (int))

    return ours(fd) && fails(1) ? -1 : next(fd);
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

OPEN int lstat(const char *path, struct stat *st)
{
    REAL("lstat", int, (const char *, struct stat *))

    return below(path) && fails(0) ? -1 : next(path, st);
}

OPEN int fstat(int fd, struct stat *st)
{
    REAL("fstat", int, (int, struct stat *))

    return ours(fd) && fails(0) ? -1 : next(fd, st);
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
