/* os.h - the table of OS calls: the only way from core to the operating system.
 *
 * Calls return what is said, or a negative errno.  hr_os_default() is the machine's; the
 * tests have twins that fail at the n-th call.  All descriptors are close-on-exec.  Every
 * function is [any]: the table holds no state but user.
 */
#ifndef HR_OS_H
#define HR_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pollfd;

struct hr_stat {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
    uint32_t mode; /* permission bits */
    bool is_dir, is_file, is_link;
};

enum { HR_SPAWN_FDS = 16, HR_ZYGOTE_ENDS = 16, HR_ZYGOTE_READY = 2 };

/* How a process is started; lists end in NULL. */
struct hr_spawn {
    const char *path;
    const char *const *args;
    const char *const *environment;
    const int *fds;    /* fds[i] becomes descriptor i; -1: /dev/null */
    int32_t fds_count; /* at most HR_SPAWN_FDS; all others are closed */
    int32_t own;       /* spawn_from(): the number, of fds[] -1, that gets the child's end */
    bool new_group;
};

enum {
    HR_OPEN_READ = 0,
    HR_OPEN_WRITE = 1,
    HR_OPEN_CREATE = 2,
    HR_OPEN_EXCLUSIVE = 4,
    HR_OPEN_TRUNCATE = 8,
    HR_OPEN_APPEND = 16,
    HR_OPEN_DIR = 32,
    HR_OPEN_NOFOLLOW = 64,
    HR_OPEN_DIRECT = 128 /* past the page cache: what is written is aligned, in memory and length */
};

struct hr_os {
    void *user;
    /* A descriptor.  Without HR_OPEN_WRITE it reads only; with it, reads and writes. */
    int (*open)(void *user, const char *path, int flags, uint32_t mode);
    int (*close)(void *user, int fd);
    int64_t (*read)(void *user, int fd, void *to, size_t n);
    int64_t (*pread)(void *user, int fd, void *to, size_t n, uint64_t at);
    int64_t (*write)(void *user, int fd, const void *from, size_t n);
    int (*sync)(void *user, int fd);
    int (*truncate)(void *user, int fd, uint64_t size);
    int (*stat)(void *user, const char *path, bool follow, struct hr_stat *ret);
    int (*fstat)(void *user, int fd, struct hr_stat *ret);
    int (*rename)(void *user, const char *from, const char *to);
    int (*mkdir)(void *user, const char *path, uint32_t mode);
    int (*unlink)(void *user, const char *path);
    int (*rmdir)(void *user, const char *path);
    int (*chmod)(void *user, const char *path, uint32_t mode);
    /* Names in a directory, in no order, given to each(); not 0 from it ends the walk and
     * is returned. */
    int (*list)(void *user, const char *path, int (*each)(void *arg, const char *name), void *arg);
    /* Length of the target in to, '\0' added; -ENAMETOOLONG where it does not fit. */
    int (*readlink)(void *user, const char *path, char *to, size_t n);
    int (*realpath)(void *user, const char *path, char *to); /* to: HR_MAX_PATH bytes */
    int (*cwd)(void *user, char *to, size_t n);
    /* n bytes of a file from its start, read only; n > 0. */
    int (*map)(void *user, int fd, size_t n, const void **ret);
    void (*unmap)(void *user, const void *p, size_t n);
    /* Pages of a map that are not needed soon: they count no longer, and are read again if they
     * are needed nevertheless.  p is at the begin of a page. */
    void (*pass)(void *user, const void *p, size_t n);
    int (*memfd)(void *user, const char *name);
    int (*seal)(void *user, int fd); /* a memfd: no write, no resize from now on */
    /* An open-file-description lock on all of it: 1 got, 0 somebody else has it. */
    int (*lock)(void *user, int fd, bool exclusive);
    int64_t (*realtime_us)(void *user);
    int64_t (*monotonic_us)(void *user);
    int (*random)(void *user, void *to, size_t n);
    const char *(*getenv)(void *user, const char *name); /* NULL: not set, or set-id program */
    /* The name of the account that this process works for, or "uid 1000" where it has none. */
    int (*account)(void *user, char *to, size_t n);
    int (*cores)(void *user);
    int (*poll)(void *user, struct pollfd *fds, size_t n, int timeout_ms);
    /* A descriptor that is readable when one of those it watches is; what is closed drops
     * out by itself. */
    int (*watch_new)(void *user);
    int (*watch)(void *user, int watch, int fd);
    /* A descriptor, not blocking, that is readable us after it was set; reading it ends that. */
    int (*timer)(void *user);
    int (*timer_set)(void *user, int timer, int64_t us);
    int (*pipe)(void *user, int ret[2]);
    int (*socketpair)(void *user, int ret[2]); /* SOCK_SEQPACKET, not blocking */
    int (*nonblock)(void *user, int fd);
    int64_t (*send)(void *user, int fd, const void *from, size_t n, int pass_fd);
    int64_t (*recv)(void *user, int fd, void *to, size_t n, int *ret_fd);
    /* The pid; *ret_pidfd is a descriptor that poll() tells readable at its end. */
    int (*spawn)(void *user, const struct hr_spawn *spawn, int *ret_pidfd);
    /* For children of the process that sits in hr_os_zygote() at the other end of socket: ends of
     * as many sockets, each for one child, in this order.  They stay the caller's to close.  No
     * more than HR_ZYGOTE_ENDS are there at a time, and HR_SPAWN_FDS come at once. */
    int (*zygote_give)(void *user, int socket, const int *fds, size_t n);
    /* As spawn() by that child whose end is the other one of end: path, args and environment are
     * the zygote's own. */
    int (*spawn_from)(void *user, int end, const struct hr_spawn *spawn, int *ret_pidfd);
    /* After the end of the zygote, in the order of the ends: the child of one that was not asked
     * for ends, if it was made, and is reaped. */
    void (*zygote_end)(void *user, int end);
    int (*kill)(void *user, int pid, int signal, bool group);
    /* Reap: 1 ended, *ret_status as waitpid() has it; 0 still runs. */
    int (*wait)(void *user, int pid, int *ret_status);
};

const struct hr_os *hr_os_default(void);

/* For a program that was spawned to be copied: has HR_ZYGOTE_READY children of the caller's ready
 * for the next spawn_from().  Returns 1 in a child that was asked for, with its descriptors in
 * place, -1 in one that cannot lay them out, and 0 in the zygote itself and in a child that nobody
 * has asked for, once the host is gone.  A child has its own descriptors and those from `kept` on,
 * no others; it is given fewer than that.  Call it with one thread, nothing buffered, and /dev/null
 * as descriptor 0. */
int hr_os_zygote(int socket, int kept);

#endif
