#include "misbehave.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- files of others ----------------------------------------------------------------------- */

static hr_status open_foreign(const struct ill *ill, int flags, const char *what)
{
    return open(ill->path, flags, 0644) < 0 ? ill_refused(ill, what) : ill_possible(ill, what);
}

static hr_status write_foreign(const struct ill *ill)
{
    return open_foreign(ill, O_WRONLY, "writing a foreign file");
}

static hr_status read_foreign(const struct ill *ill)
{
    return open_foreign(ill, O_RDONLY, "reading a foreign file");
}

static hr_status cut_by_opening(const struct ill *ill)
{
    return open_foreign(ill, O_RDONLY | O_TRUNC, "cutting a foreign file");
}

static hr_status truncate_foreign(const struct ill *ill)
{
    return truncate(ill->path, 0) < 0 ? ill_refused(ill, "truncating a foreign file")
                                      : ill_possible(ill, "truncating a foreign file");
}

static hr_status remove_foreign(const struct ill *ill)
{
    return unlink(ill->path) < 0 ? ill_refused(ill, "removing a foreign file")
                                 : ill_possible(ill, "removing a foreign file");
}

/* Into its own output, where it might then be changed. */
static hr_status take_foreign(const struct ill *ill)
{
    char mine[4096];

    snprintf(mine, sizeof mine, "%s/taken", ill->out);
    if (rename(ill->path, mine) == 0 || link(ill->path, mine) == 0)
        return ill_possible(ill, "taking a foreign file");
    return ill_refused(ill, "taking a foreign file");
}

static hr_status make_foreign(const struct ill *ill)
{
    char beside[4096];

    snprintf(beside, sizeof beside, "%s.new", ill->path);
    return open(beside, O_WRONLY | O_CREAT, 0644) < 0
               ? ill_refused(ill, "making a foreign file")
               : ill_possible(ill, "making a foreign file");
}

static hr_status change_owner(const struct ill *ill)
{
    return chown(ill->path, 1, 1) < 0 ? ill_refused(ill, "giving a foreign file away")
                                      : ill_possible(ill, "giving a foreign file away");
}

static hr_status look_at_host(const struct ill *ill)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    return open(path, O_RDWR) < 0 ? ill_refused(ill, "opening the host's memory")
                                  : ill_possible(ill, "opening the host's memory");
}

/* -- odd outputs --------------------------------------------------------------------------- */

static hr_status fill(const struct ill *ill)
{
    static char block[1 << 20];
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/much", ill->out);
    fd = open(path, O_WRONLY | O_CREAT, 0644);
    while (fd >= 0 && write(fd, block, sizeof block) > 0)
        ;
    return ill_refused(ill, "writing more");
}

static hr_status leave_fifo(const struct ill *ill)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/fifo", ill->out);
    return mkfifo(path, 0644) < 0 ? ill_refused(ill, "making a fifo") : HR_OK;
}

static hr_status leave_link(const struct ill *ill)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/link", ill->out);
    return symlink(ill->path, path) < 0 ? ill_refused(ill, "making a link") : HR_OK;
}

/* Deeper than a path can say. */
static hr_status leave_depths(const struct ill *ill)
{
    int i;

    if (chdir(ill->out) < 0)
        return ill_refused(ill, "entering the output");
    for (i = 0; i < 3000; i++)
        if (mkdir("below", 0755) < 0 || chdir("below") < 0)
            return ill_refused(ill, "going deeper");
    return HR_OK;
}

static hr_status leave_odd_name(const struct ill *ill)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/\xff\xfe", ill->out);
    fd = open(path, O_WRONLY | O_CREAT, 0644);
    close(fd);
    return HR_OK;
}

/* Without any right on it, and then a failure: it has to go all the same. */
static hr_status leave_locked(const struct ill *ill)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/locked", ill->out);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/locked/below", ill->out);
    mkdir(path, 0000);
    snprintf(path, sizeof path, "%s/locked", ill->out);
    chmod(path, 0000);
    chmod(ill->out, 0000);
    return hr_failf(ill->easy->run, ill->run, HR_INTERNAL, "locked");
}

static hr_status remove_output(const struct ill *ill)
{
    return rmdir(ill->out) < 0 ? ill_refused(ill, "removing the output") : HR_OK;
}

hr_status ill_files(const struct ill *ill)
{
    static const struct ill_way ways[] = {
        { "write foreign", write_foreign },
        { "read foreign", read_foreign },
        { "cut by opening", cut_by_opening },
        { "truncate foreign", truncate_foreign },
        { "remove foreign", remove_foreign },
        { "take foreign", take_foreign },
        { "make foreign", make_foreign },
        { "change owner", change_owner },
        { "look at host", look_at_host },
        { "fill disk", fill },
        { "leave fifo", leave_fifo },
        { "leave link", leave_link },
        { "leave depths", leave_depths },
        { "leave odd name", leave_odd_name },
        { "leave locked", leave_locked },
        { "remove output", remove_output },
        { NULL, NULL },
    };

    return ill_act(ill, ways);
}
