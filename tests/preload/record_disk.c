/* record_disk.c - loaded before a program and its workers: what they do to files below a directory
 * HEADRACE_TEST_UNDER, in its order, in a file HEADRACE_TEST_LOG that is mapped and shared with all
 * copies of the process; and what they print.  tests/cli/power.py makes of it what a disk may hold
 * after a power cut.
 *
 * The file begins with the number of bytes used, 8 bytes, and has records behind it, each
 *
 *     u32 size of the record, a multiple of 8; u32 kind; u64 at, a, b;
 *     u32 length of path, of data; path, data
 *
 * of these kinds; at is where the log was when a sync began: what came after may not be safe.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN __attribute__((visibility("default")))

enum { LOG_SIZE = 1 << 28, FDS = 4096 };
/* a is the offset or size, b the mode. */
enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, PRINT };

struct record {
    uint32_t size, kind;
    uint64_t at, a, b;
    uint32_t path_n, data_n;
};

static char *log_bytes;
static const char *under;
static char *paths[FDS]; /* of what is open below */

#define REAL(name, result, arguments)                                                              \
    static result(*next) arguments;                                                                \
    if (!next) {                                                                                   \
        void *found = dlsym(RTLD_NEXT, #name);                                                     \
        memcpy(&next, &found, sizeof next);                                                        \
    }

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("HEADRACE_TEST_LOG");
    int fd = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd < 0 ? MAP_FAILED
                     : (void *)syscall(SYS_mmap, NULL, (size_t)LOG_SIZE, PROT_READ | PROT_WRITE,
                                       MAP_SHARED, fd, 0L);

    if (fd >= 0)
        syscall(SYS_close, fd);
    under = getenv("HEADRACE_TEST_UNDER");
    log_bytes = p == MAP_FAILED ? NULL : p;
}

static uint64_t now(void)
{
    return log_bytes ? __atomic_load_n((uint64_t *)(void *)log_bytes, __ATOMIC_SEQ_CST) : 0;
}

static void record(enum kind kind, uint64_t at, uint64_t a, uint64_t b, const char *path,
                   const void *data, size_t n)
{
    size_t path_n = strlen(path), size = (sizeof(struct record) + path_n + n + 7) & ~(size_t)7;
    struct record r = { (uint32_t)size, kind, at, a, b, (uint32_t)path_n, (uint32_t)n };
    uint64_t place;
    int kept = errno;

    if (!log_bytes)
        return;
    place = __atomic_fetch_add((uint64_t *)(void *)log_bytes, size, __ATOMIC_SEQ_CST) + 8;
    if (place + size > LOG_SIZE)
        abort();
    memcpy(log_bytes + place, &r, sizeof r);
    memcpy(log_bytes + place + sizeof r, path, path_n);
    if (n)
        memcpy(log_bytes + place + sizeof r + path_n, data, n);
    errno = kept;
}

static int below(const char *path)
{
    return log_bytes && under && path && !strncmp(path, under, strlen(under));
}

static const char *path_of(int fd)
{
    return fd >= 0 && fd < FDS ? paths[fd] : NULL;
}

OPEN int open(const char *path, int flags, ...)
{
    REAL(open, int, (const char *, int, ...))
    struct stat st;
    va_list list;
    mode_t mode;
    int fd, was, kept;

    va_start(list, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
    va_end(list);
    was = flags & O_CREAT ? access(path, F_OK) == 0 : 1;
    fd = next(path, flags, mode);
    kept = errno;
    if (fd >= 0 && fd < FDS && below(path)) {
        if (!was)
            record(CREATE, 0, 0, mode, path, NULL, 0);
        else if (flags & O_TRUNC && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            record(TRUNCATE, 0, 0, 0, path, NULL, 0);
        free(paths[fd]);
        paths[fd] = strdup(path);
    }
    errno = kept;
    return fd;
}

#include "open64.h"

OPEN int close(int fd)
{
    REAL(close, int, (int))

    if (fd >= 0 && fd < FDS) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    return next(fd);
}

/* A line that is printed counts from then on: what it says is done has to be. */
OPEN int puts(const char *line)
{
    REAL(puts, int, (const char *))

    record(PRINT, 0, 0, 0, "", line, strlen(line));
    return next(line);
}

OPEN ssize_t write(int fd, const void *from, size_t n)
{
    REAL(write, ssize_t, (int, const void *, size_t))
    const char *path = path_of(fd);
    off_t end = path ? lseek(fd, 0, SEEK_CUR) : 0;
    struct stat st;
    ssize_t w;

    if (path && fcntl(fd, F_GETFL) & O_APPEND && fstat(fd, &st) == 0)
        end = st.st_size;
    w = next(fd, from, n);
    if (path && w > 0)
        record(WRITE, 0, (uint64_t)end, 0, path, from, (size_t)w);
    return w;
}

OPEN ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    REAL(pwrite64, ssize_t, (int, const void *, size_t, off64_t))
    ssize_t w = next(fd, from, n, at);

    if (path_of(fd) && w > 0)
        record(WRITE, 0, (uint64_t)at, 0, path_of(fd), from, (size_t)w);
    return w;
}

OPEN ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return pwrite64(fd, from, n, at);
}

OPEN int fsync(int fd)
{
    REAL(fsync, int, (int))
    uint64_t at = now();
    int r = next(fd);

    if (path_of(fd) && r == 0)
        record(SYNC, at, 0, 0, path_of(fd), NULL, 0);
    return r;
}

OPEN int fdatasync(int fd)
{
    REAL(fdatasync, int, (int))
    uint64_t at = now();
    int r = next(fd);

    if (path_of(fd) && r == 0)
        record(SYNC, at, 0, 0, path_of(fd), NULL, 0);
    return r;
}

OPEN int ftruncate64(int fd, off64_t size)
{
    REAL(ftruncate64, int, (int, off64_t))
    int r = next(fd, size);

    if (path_of(fd) && r == 0)
        record(TRUNCATE, 0, (uint64_t)size, 0, path_of(fd), NULL, 0);
    return r;
}

OPEN int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

OPEN int rename(const char *from, const char *to)
{
    REAL(rename, int, (const char *, const char *))
    int r = next(from, to);

    if ((below(from) || below(to)) && r == 0)
        record(RENAME, 0, 0, 0, from, to, strlen(to));
    return r;
}

OPEN int unlink(const char *path)
{
    REAL(unlink, int, (const char *))
    int r = next(path);

    if (below(path) && r == 0)
        record(UNLINK, 0, 0, 0, path, NULL, 0);
    return r;
}

OPEN int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir, int, (const char *, mode_t))
    int r = next(path, mode);

    if (below(path) && r == 0)
        record(MKDIR, 0, 0, mode, path, NULL, 0);
    return r;
}

OPEN int rmdir(const char *path)
{
    REAL(rmdir, int, (const char *))
    int r = next(path);

    if (below(path) && r == 0)
        record(RMDIR, 0, 0, 0, path, NULL, 0);
    return r;
}
