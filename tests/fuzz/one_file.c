#include "one_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int twin_open(void *user, const char *path, int flags, uint32_t mode)
{
    (void)path, (void)flags, (void)mode;
    ((struct one_file *)user)->at = 0;
    return 3;
}

static int twin_close(void *user, int fd)
{
    (void)user, (void)fd;
    return 0;
}

static int64_t twin_read(void *user, int fd, void *to, size_t n)
{
    struct one_file *f = user;

    (void)fd;
    if (n > f->size - f->at)
        n = f->size - f->at;
    if (n)
        memcpy(to, f->data + f->at, n);
    f->at += n;
    return (int64_t)n;
}

static int twin_fstat(void *user, int fd, struct hr_stat *ret)
{
    (void)fd;
    memset(ret, 0, sizeof *ret);
    ret->size = ((struct one_file *)user)->size;
    ret->is_file = true;
    return 0;
}

static int twin_stat(void *user, const char *path, bool follow, struct hr_stat *ret)
{
    (void)path, (void)follow;
    return twin_fstat(user, 3, ret);
}

static int twin_list(void *user, const char *path, int (*each)(void *arg, const char *name),
                     void *arg)
{
    (void)user, (void)path;
    return each(arg, "Split-x");
}

static int twin_map(void *user, int fd, size_t n, const void **ret)
{
    void *copy = malloc(n); /* of the exact size, so that a read past the end is seen */

    (void)fd;
    if (!copy)
        return -ENOMEM;
    memcpy(copy, ((struct one_file *)user)->data, n);
    *ret = copy;
    return 0;
}

static void twin_unmap(void *user, const void *p, size_t n)
{
    (void)user, (void)n;
    free((void *)(uintptr_t)p);
}

/* The copy is memory of malloc(), whose pages are not to be dropped. */
static void twin_pass(void *user, const void *p, size_t n)
{
    (void)user, (void)p, (void)n;
}

void one_file_init(struct one_file *f, const uint8_t *data, size_t size)
{
    *f = (struct one_file){ .os = *hr_os_default(), .data = data, .size = size };
    f->os.user = f;
    f->os.open = twin_open;
    f->os.close = twin_close;
    f->os.read = twin_read;
    f->os.stat = twin_stat;
    f->os.fstat = twin_fstat;
    f->os.list = twin_list;
    f->os.map = twin_map;
    f->os.unmap = twin_unmap;
    f->os.pass = twin_pass;
}
