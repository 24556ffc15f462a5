#include "base/os_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

int hr_os_result(int64_t result)
{
    return result == -1 ? -errno : (int)result;
}

int hr_os_open(void *user, const char *path, int flags, uint32_t mode)
{
    int f = O_CLOEXEC | (flags & HR_OPEN_WRITE ? O_RDWR : O_RDONLY);
    int fd;

    (void)user;
    f |= flags & HR_OPEN_CREATE ? O_CREAT : 0;
    f |= flags & HR_OPEN_EXCLUSIVE ? O_EXCL : 0;
    f |= flags & HR_OPEN_TRUNCATE ? O_TRUNC : 0;
    f |= flags & HR_OPEN_APPEND ? O_APPEND : 0;
    f |= flags & HR_OPEN_DIR ? O_DIRECTORY : 0;
    f |= flags & HR_OPEN_NOFOLLOW ? O_NOFOLLOW : 0;
    f |= flags & HR_OPEN_DIRECT ? O_DIRECT : 0;
    do
        fd = open(path, f, (mode_t)mode);
    while (fd < 0 && errno == EINTR);
    return hr_os_result(fd);
}

int hr_os_close(void *user, int fd)
{
    (void)user;
    return hr_os_result(close(fd));
}

int64_t hr_os_read(void *user, int fd, void *to, size_t n)
{
    int64_t r;

    (void)user;
    do
        r = read(fd, to, n);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

int64_t hr_os_pread(void *user, int fd, void *to, size_t n, uint64_t at)
{
    int64_t r;

    (void)user;
    do
        r = pread(fd, to, n, (off_t)at);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

int64_t hr_os_write(void *user, int fd, const void *from, size_t n)
{
    int64_t r;

    (void)user;
    do
        r = write(fd, from, n);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

int hr_os_sync(void *user, int fd)
{
    int r;

    (void)user;
    do
        r = fsync(fd);
    while (r < 0 && errno == EINTR);
    return hr_os_result(r);
}

int hr_os_truncate(void *user, int fd, uint64_t size)
{
    int r;

    (void)user;
    do
        r = ftruncate(fd, (off_t)size);
    while (r < 0 && errno == EINTR);
    return hr_os_result(r);
}

static void fill(const struct stat *st, struct hr_stat *ret)
{
    *ret = (struct hr_stat){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_ns = st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        .ctime_ns = st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
        .mode = st->st_mode & 07777,
        .is_dir = S_ISDIR(st->st_mode),
        .is_file = S_ISREG(st->st_mode),
        .is_link = S_ISLNK(st->st_mode),
    };
}

int hr_os_stat(void *user, const char *path, bool follow, struct hr_stat *ret)
{
    struct stat st;

    (void)user;
    if ((follow ? stat(path, &st) : lstat(path, &st)) < 0)
        return -errno;
    fill(&st, ret);
    return 0;
}

int hr_os_fstat(void *user, int fd, struct hr_stat *ret)
{
    struct stat st;

    (void)user;
    if (fstat(fd, &st) < 0)
        return -errno;
    fill(&st, ret);
    return 0;
}

int hr_os_rename(void *user, const char *from, const char *to)
{
    (void)user;
    return hr_os_result(rename(from, to));
}

int hr_os_mkdir(void *user, const char *path, uint32_t mode)
{
    (void)user;
    return hr_os_result(mkdir(path, (mode_t)mode));
}

int hr_os_unlink(void *user, const char *path)
{
    (void)user;
    return hr_os_result(unlink(path));
}

int hr_os_rmdir(void *user, const char *path)
{
    (void)user;
    return hr_os_result(rmdir(path));
}

int hr_os_chmod(void *user, const char *path, uint32_t mode)
{
    (void)user;
    return hr_os_result(chmod(path, (mode_t)mode));
}

int hr_os_list(void *user, const char *path, int (*each)(void *arg, const char *name), void *arg)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int r = 0;

    (void)user;
    if (!dir)
        return -errno;
    for (errno = 0; !r && (entry = readdir(dir)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = each(arg, entry->d_name);
    if (!r && errno)
        r = -errno;
    closedir(dir);
    return r;
}

int hr_os_readlink(void *user, const char *path, char *to, size_t n)
{
    int64_t r = readlink(path, to, n);

    (void)user;
    if (r < 0)
        return -errno;
    if ((size_t)r >= n)
        return -ENAMETOOLONG;
    to[r] = '\0';
    return (int)r;
}

int hr_os_realpath(void *user, const char *path, char *to)
{
    char *full = realpath(path, NULL);
    size_t n = full ? strlen(full) : 0;

    (void)user;
    if (!full)
        return -errno;
    if (n < HR_MAX_PATH)
        memcpy(to, full, n + 1);
    free(full);
    return n < HR_MAX_PATH ? 0 : -ENAMETOOLONG;
}

int hr_os_cwd(void *user, char *to, size_t n)
{
    (void)user;
    return getcwd(to, n) ? 0 : -errno;
}

int hr_os_map(void *user, int fd, size_t n, const void **ret)
{
    void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);

    (void)user;
    if (p == MAP_FAILED)
        return -errno;
    *ret = p;
    return 0;
}

void hr_os_unmap(void *user, const void *p, size_t n)
{
    (void)user;
    munmap((void *)(uintptr_t)p, n);
}

void hr_os_pass(void *user, const void *p, size_t n)
{
    (void)user;
    madvise((void *)(uintptr_t)p, n, MADV_DONTNEED);
}

int hr_os_memfd(void *user, const char *name)
{
    (void)user;
    return hr_os_result(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

/* Somebody may look at a page in this very moment - the kernel's own accounting does -, and then it
 * cannot be sealed yet. */
int hr_os_seal(void *user, int fd)
{
    enum { TRIES = 50, PAUSE_NS = 5000000 };
    static const struct timespec pause = { 0, PAUSE_NS };
    int r = -1, i;

    (void)user;
    for (i = 0; i < TRIES; i++) {
        r = fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
        if (r >= 0 || errno != EBUSY)
            break;
        nanosleep(&pause, NULL);
    }
    return hr_os_result(r);
}

int hr_os_lock(void *user, int fd, bool exclusive)
{
    struct flock lock = { .l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };

    (void)user;
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 1;
    return errno == EAGAIN || errno == EACCES ? 0 : -errno;
}
