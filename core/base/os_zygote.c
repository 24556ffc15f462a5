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

/* -- the host's side ------------------------------------------------------- */

static int ask(int socket, const struct hr_spawn *s)
{
    struct request request = { (unsigned char)s->fds_count, s->new_group, { 0 } };
    int fds[FDS], i;
    size_t n = 0;
    int64_t r;

    for (i = 0; i < s->fds_count; i++)
        if (s->fds[i] >= 0) {
            request.there[i] = 1;
            fds[n++] = s->fds[i];
        }
    r = hr_os_send_with(socket, &request, sizeof request, fds, n);
    return r < 0 ? (int)r : 0;
}

/* What the zygote, or a child of its, has told: a pid, with the socket of that child, or -1 where
 * there was no room for it; or why there is no child, a negative errno.  Itself a negative errno,
 * -EPIPE where nothing is told any more. */
static int next_told(int socket, int32_t *ret_told, int *ret_own)
{
    struct pollfd fd = { socket, POLLIN, 0 };
    int ready, fds[FDS];
    size_t n = 0;
    int64_t r;

    do
        ready = poll(&fd, 1, ANSWER_MS);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready ? -errno : -ETIMEDOUT;
    r = hr_os_take_with(socket, ret_told, sizeof *ret_told, fds, &n);
    if (r < 0)
        return (int)r;
    *ret_own = n ? fds[0] : -1;
    return r == sizeof *ret_told && *ret_told ? 0 : -EPIPE;
}

static void take_leave(int pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* One that stands by: its pid and its socket; or a negative errno. */
static int next_child(int socket, int *ret_own)
{
    int32_t told = 0;
    int r = next_told(socket, &told, ret_own);

    if (r < 0 || told < 0)
        return r < 0 ? r : told;
    if (*ret_own >= 0)
        return told;
    take_leave(told); /* it has heard that its socket is gone, and ends */
    return -EMFILE;
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
    int32_t told = 0;
    int own = -1;

    (void)user;
    shutdown(socket, SHUT_WR);
    while (next_told(socket, &told, &own) == 0) {
        if (own >= 0)
            close(own);
        if (told > 0) /* else a child that could not be made; others were */
            take_leave(told);
    }
}

/* -- the zygote's side ----------------------------------------------------- */

/* The descriptors in their order, those that are kept, and no other.  The first of a zygote is
 * /dev/null, as of all that was spawned without one. */
static int lay_out(const struct request *request, const int *fds, size_t given, int kept)
{
    int high[FDS], i;
    size_t k = 0;

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
static int take_request(int socket, struct request *ret, int fds[FDS], size_t *ret_given)
{
    struct pollfd fd = { socket, POLLIN, 0 };
    int64_t r;

    if (poll(&fd, 1, -1) < 0 && errno != EINTR)
        return -errno;
    r = hr_os_take_with(socket, ret, sizeof *ret, fds, ret_given);
    if (r < 0)
        return (int)r;
    return r == sizeof *ret && ret->count <= FDS;
}

#if defined(__SANITIZE_THREAD__)
#define CAN_CLONE 0 /* its own thread would be missing in the child */
#else
#define CAN_CLONE 1
#endif

static bool tell(int socket, int32_t what, const int *fd)
{
    return hr_os_send_with(socket, &what, sizeof what, fd, fd != NULL) == sizeof what;
}

/* As hr_os_zygote() returns in a child. */
static int stand_by(int socket, int taken, int kept)
{
    struct request request;
    int fds[FDS], r, pair[2];
    size_t given = 0;

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
