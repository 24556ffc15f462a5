#include "help_os.h"

/* Is it this one's turn? */
static bool fails(struct help_os *os)
{
    return __atomic_add_fetch(&os->calls, 1, __ATOMIC_RELAXED) == os->fail_at;
}

#define REAL hr_os_default()

static int do_open(void *user, const char *path, int flags, uint32_t mode)
{
    struct help_os *os = user;
    int fd = fails(os) ? os->error : REAL->open(NULL, path, flags, mode);

    os->open += fd >= 0;
    return fd;
}

/* A close that fails has closed. */
static int do_close(void *user, int fd)
{
    struct help_os *os = user;
    int r = REAL->close(NULL, fd);

    os->open--;
    return fails(os) ? os->error : r;
}

static int64_t do_read(void *user, int fd, void *to, size_t n)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->read(NULL, fd, to, n);
}

/* The first half of what is written, then the failure. */
static int64_t do_write(void *user, int fd, const void *from, size_t n)
{
    struct help_os *os = user;

    if (fails(os))
        return os->error;
    return REAL->write(NULL, fd, from, n > 1 ? n / 2 : n);
}

static int do_sync(void *user, int fd)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->sync(NULL, fd);
}

static int do_stat(void *user, const char *path, bool follow, struct hr_stat *ret)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->stat(NULL, path, follow, ret);
}

static int do_fstat(void *user, int fd, struct hr_stat *ret)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->fstat(NULL, fd, ret);
}

static int do_rename(void *user, const char *from, const char *to)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->rename(NULL, from, to);
}

static int do_mkdir(void *user, const char *path, uint32_t mode)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->mkdir(NULL, path, mode);
}

static int do_unlink(void *user, const char *path)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->unlink(NULL, path);
}

static int do_rmdir(void *user, const char *path)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->rmdir(NULL, path);
}

static int do_list(void *user, const char *path, int (*each)(void *arg, const char *name),
                   void *arg)
{
    struct help_os *os = user;

    return fails(os) ? os->error : REAL->list(NULL, path, each, arg);
}

const struct hr_os *help_os_init(struct help_os *os, int fail_at, int error)
{
    os->table = *REAL;
    os->table.user = os;
    os->table.open = do_open;
    os->table.close = do_close;
    os->table.read = do_read;
    os->table.write = do_write;
    os->table.sync = do_sync;
    os->table.stat = do_stat;
    os->table.fstat = do_fstat;
    os->table.rename = do_rename;
    os->table.mkdir = do_mkdir;
    os->table.unlink = do_unlink;
    os->table.rmdir = do_rmdir;
    os->table.list = do_list;
    os->calls = os->open = 0;
    os->fail_at = fail_at;
    os->error = error;
    return &os->table;
}
