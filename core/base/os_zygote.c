/* Processes from a zygote: one that has been through exec, the dynamic linker and the start of its
 * libraries once, and makes children that need none of it.
 *
 * A request is one packet on a socket: the number of descriptors, for each a byte whether there
 * is one, and those there are.  The zygote answers with the pid.  Its children are made by clone()
 * with CLONE_PARENT, so they are children of the host as if it had spawned them itself: it waits
 * for them, kills them and is told of their end, and the zygote's own end harms none.
 *
 * clone() without the C library: no handlers of fork() run and no lock can be held, for a zygote
 * has one thread and no buffered output.
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

enum { FDS = HR_SPAWN_FDS, ANSWER_MS = 10000 };

struct request {
    unsigned char count, new_group, there[FDS];
};

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(FDS * sizeof(int))];
};

/* -- the host's side ------------------------------------------------------- */

static int ask(int socket, const struct hr_spawn *s)
{
    struct request request = { (unsigned char)s->fds_count, s->new_group, { 0 } };
    struct iovec io = { &request, sizeof request };
    union control control;
    struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
    int fds[FDS], i, n = 0;
    ssize_t r;

    for (i = 0; i < s->fds_count; i++)
        if (s->fds[i] >= 0) {
            request.there[i] = 1;
            fds[n++] = s->fds[i];
        }
    if (n) {
        memset(&control, 0, sizeof control);
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, (size_t)n * sizeof(int));
    }
    do
        r = sendmsg(socket, &m, MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static int answer(int socket)
{
    struct pollfd fd = { socket, POLLIN, 0 };
    int32_t pid = 0;
    ssize_t r;
    int ready;

    do
        ready = poll(&fd, 1, ANSWER_MS);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready ? -errno : -ETIMEDOUT;
    r = recv(socket, &pid, sizeof pid, 0);
    if (r < 0)
        return -errno;
    return r == sizeof pid && pid ? pid : -EPIPE;
}

int hr_os_spawn_from(void *user, int socket, const struct hr_spawn *s, int *ret_pidfd)
{
    int r, pid;

    (void)user;
    if (s->fds_count > FDS)
        return -EINVAL;
    if ((r = ask(socket, s)) < 0 || (r = answer(socket)) < 0)
        return r;
    pid = r;
    if (s->new_group)
        setpgid(pid, pid); /* it does so too: whoever comes first */
    return hr_os_pidfd(pid, ret_pidfd);
}

/* -- the zygote's side ----------------------------------------------------- */

/* The descriptors in their order, and no other. */
static int lay_out(const struct request *request, const int *fds, int given)
{
    int high[FDS], i, k = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return -1;
    for (i = 0; i < request->count; i++) {
        high[i] = fcntl(request->there[i] && k < given ? fds[k] : null, F_DUPFD_CLOEXEC, FDS);
        k += request->there[i];
        if (high[i] < 0)
            return -1;
    }
    for (i = 0; i < request->count; i++)
        if (dup2(high[i], i) < 0)
            return -1;
    return close_range(request->count, ~0U, 0);
}

static int take_fds(struct msghdr *m, int fds[FDS])
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    size_t n = 0;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    }
    return (int)n;
}

/* 1 with a request, 0 where there is none any more, or a negative errno. */
static int take_request(int socket, struct request *ret, int fds[FDS], int *ret_given)
{
    struct pollfd fd = { socket, POLLIN, 0 };
    struct iovec io = { ret, sizeof *ret };
    union control control;
    struct msghdr m = { .msg_iov = &io,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes };
    ssize_t r;

    if (poll(&fd, 1, -1) < 0 && errno != EINTR)
        return -errno;
    r = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    if (r < 0)
        return errno == EAGAIN || errno == EINTR ? -EAGAIN : -errno;
    *ret_given = take_fds(&m, fds);
    return r == sizeof *ret && ret->count <= FDS;
}

#if defined(__SANITIZE_THREAD__)
#define CAN_CLONE 0 /* its own thread would be missing in the child */
#else
#define CAN_CLONE 1
#endif

int hr_os_zygote(int socket)
{
    struct request request;
    int fds[FDS], given = 0, r, i;
    int32_t pid;

    while ((r = take_request(socket, &request, fds, &given)) == 1 || r == -EAGAIN) {
        if (r < 0)
            continue;
        pid = CAN_CLONE ? (int32_t)syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0) : -1;
        if (pid == 0) {
            if (request.new_group)
                setpgid(0, 0);
            return lay_out(&request, fds, given) < 0 ? -1 : 1;
        }
        if (pid < 0)
            pid = CAN_CLONE ? -errno : -ENOSYS;
        for (i = 0; i < given; i++)
            close(fds[i]);
        if (send(socket, &pid, sizeof pid, MSG_NOSIGNAL) < 0)
            return 0;
    }
    return 0;
}
