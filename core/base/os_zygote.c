/* Processes from a zygote: one that has been through exec, the dynamic linker and the start of its
 * libraries once, and makes children that need none of it.
 *
 * Two children always stand by.  Each has sent its pid over the zygote's socket with a socket of
 * its own, and waits there for a request; when it has one it lets the zygote make the next.  So a
 * process is had by sending one packet, with nothing to wait for: the number of descriptors, for
 * each a byte whether there is one, and those there are.  What stands by ends by itself when its
 * socket is closed, at the latest by the host's end.
 *
 * Children are made by clone() with CLONE_PARENT, so they are children of the host as if it had
 * spawned them itself: it waits for them, kills them and is told of their end, and the zygote's own
 * end harms none.  clone() without the C library: no handlers of fork() run and no lock can be
 * held, for a zygote has one thread and no buffered output.
 */
#include "base/os_files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FDS = HR_SPAWN_FDS, ANSWER_MS = 10000, READY = 2 };

struct request {
    unsigned char count, new_group, there[FDS];
};

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(FDS * sizeof(int))];
};

/* -- the host's side ------------------------------------------------------- */

static ssize_t send_with(int socket, const void *bytes, size_t size, const int *fds, size_t n)
{
    struct iovec io = { (void *)(uintptr_t)bytes, size };
    union control control;
    struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
    ssize_t r;

    if (n) {
        memset(&control, 0, sizeof control);
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
    }
    do
        r = sendmsg(socket, &m, MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r;
}

/* The size of a packet, or -1.  *ret_n: how many descriptors came with it. */
static ssize_t take_with(int socket, void *bytes, size_t size, int fds[FDS], int *ret_n)
{
    struct iovec io = { bytes, size };
    union control control;
    struct msghdr m = { .msg_iov = &io,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes };
    ssize_t r = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = r < 0 ? NULL : CMSG_FIRSTHDR(&m);
    size_t n = 0;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    }
    *ret_n = (int)n;
    return r;
}

static int ask(int socket, const struct hr_spawn *s)
{
    struct request request = { (unsigned char)s->fds_count, s->new_group, { 0 } };
    int fds[FDS], i;
    size_t n = 0;

    for (i = 0; i < s->fds_count; i++)
        if (s->fds[i] >= 0) {
            request.there[i] = 1;
            fds[n++] = s->fds[i];
        }
    return send_with(socket, &request, sizeof request, fds, n) < 0 ? -errno : 0;
}

/* One that stands by: its pid and its socket; or a negative errno, -EPIPE where there is none any
 * more. */
static int next_child(int socket, int *ret_own)
{
    struct pollfd fd = { socket, POLLIN, 0 };
    int32_t told = 0;
    int ready, fds[FDS], n = 0;
    ssize_t r;

    do
        ready = poll(&fd, 1, ANSWER_MS);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready ? -errno : -ETIMEDOUT;
    r = take_with(socket, &told, sizeof told, fds, &n);
    if (r < 0)
        return -errno;
    if (r != sizeof told || !told || (told > 0 && n != 1))
        return -EPIPE;
    *ret_own = n ? fds[0] : -1;
    return told;
}

static void take_leave(int pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int hr_os_spawn_from(void *user, int socket, const struct hr_spawn *s, int *ret_pidfd)
{
    int r, pid, own = -1;

    (void)user;
    if (s->fds_count > FDS)
        return -EINVAL;
    if ((pid = next_child(socket, &own)) < 0)
        return pid;
    r = ask(own, s);
    close(own);
    if (r < 0) {
        kill(pid, SIGKILL);
        take_leave(pid);
        return r;
    }
    if (s->new_group)
        setpgid(pid, pid); /* it does so too: whoever comes first */
    return hr_os_pidfd(pid, ret_pidfd);
}

void hr_os_zygote_end(void *user, int socket)
{
    int pid, own = -1;

    (void)user;
    shutdown(socket, SHUT_WR);
    while ((pid = next_child(socket, &own)) > 0) {
        close(own);
        take_leave(pid);
    }
}

/* -- the zygote's side ----------------------------------------------------- */

/* The descriptors in their order, those that are kept, and no other.  The first of a zygote is
 * /dev/null, as of all that was spawned without one. */
static int lay_out(const struct request *request, const int *fds, int given, int kept)
{
    int high[FDS], i, k = 0;

    for (i = 0; i < request->count; i++) {
        high[i] = fcntl(request->there[i] && k < given ? fds[k] : 0, F_DUPFD_CLOEXEC, FDS);
        k += request->there[i];
        if (high[i] < 0)
            return -1;
    }
    for (i = 0; i < request->count; i++)
        if (dup2(high[i], i) < 0)
            return -1;
    return close_range(request->count, (unsigned)kept - 1, 0);
}

/* 1 with a request, 0 where there is none any more, or a negative errno. */
static int take_request(int socket, struct request *ret, int fds[FDS], int *ret_given)
{
    struct pollfd fd = { socket, POLLIN, 0 };
    ssize_t r;

    if (poll(&fd, 1, -1) < 0 && errno != EINTR)
        return -errno;
    r = take_with(socket, ret, sizeof *ret, fds, ret_given);
    if (r < 0)
        return errno == EAGAIN || errno == EINTR ? -EAGAIN : -errno;
    return r == sizeof *ret && ret->count <= FDS;
}

#if defined(__SANITIZE_THREAD__)
#define CAN_CLONE 0 /* its own thread would be missing in the child */
#else
#define CAN_CLONE 1
#endif

static bool tell(int socket, int32_t what, const int *fd)
{
    return send_with(socket, &what, sizeof what, fd, fd != NULL) == sizeof what;
}

/* As hr_os_zygote() returns in a child. */
static int stand_by(int socket, int taken, int kept)
{
    struct request request;
    int fds[FDS], given = 0, r, pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
        !tell(socket, (int32_t)getpid(), &pair[1]))
        return 0;
    close(pair[1]);
    close(socket); /* what it hears of its host is its own socket's end */
    while ((r = take_request(pair[0], &request, fds, &given)) == -EAGAIN)
        ;
    if (r != 1)
        return 0;
    if (write(taken, "x", 1) < 0) {
        /* the zygote has gone; this one was asked for, and works */
    }
    if (request.new_group)
        setpgid(0, 0);
    return lay_out(&request, fds, given, kept) < 0 ? -1 : 1;
}

/* Until one that stands by has work; false: the host is gone. */
static bool wait_taken(int socket, int taken)
{
    struct pollfd fds[2] = { { taken, POLLIN, 0 }, { socket, 0, 0 } };
    char byte;

    while (!fds[0].revents && !fds[1].revents)
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return false;
    return fds[0].revents & POLLIN && read(taken, &byte, 1) == 1;
}

int hr_os_zygote(int socket, int kept)
{
    int taken[2], ready = 0;
    int32_t pid;

    if (pipe2(taken, O_CLOEXEC) < 0)
        return 0;
    do {
        pid = CAN_CLONE ? (int32_t)syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0) : -1;
        if (pid == 0)
            return stand_by(socket, taken[1], kept);
        if (pid < 0 && !tell(socket, CAN_CLONE ? -errno : -ENOSYS, NULL))
            return 0;
    } while (++ready < READY || wait_taken(socket, taken[0]));
    return 0;
}
