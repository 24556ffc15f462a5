/* fail_sync.c - loaded before a program: from the n-th sync of an SQLite log on, none works.
 *
 *     HEADRACE_TEST_FAIL_SYNC=1 LD_PRELOAD=.../fail_sync.so headrace run
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

static int count;

static int is_log(int fd)
{
    char path[4096];

    return strstr(place_of(fd, path, sizeof path), "metadata.sqlite-wal") != NULL;
}

static int sync_by(const char *name, int fd)
{
    const char *from = getenv("HEADRACE_TEST_FAIL_SYNC");
    void *found = dlsym(RTLD_NEXT, name);
    int (*real)(int);

    memcpy(&real, &found, sizeof real);
    if (from && is_log(fd) && __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) >= atoi(from)) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    return sync_by("fsync", fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return sync_by("fdatasync", fd);
}
