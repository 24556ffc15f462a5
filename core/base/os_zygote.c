/* Processes from a zygote: one that has been through exec, the dynamic linker and the start of its
 * libraries once, and makes children that need none of it.
 *
 * The host gives the zygote ends of sockets, many at a time, and each child has one of them.  Two
 * children always stand by.  The zygote has sent the pid of each over its end, where it waits for a
 * request; when it has one it lets the zygote make the next.  So a process is had by sending one
 * packet, with nothing to wait for: the number of descriptors, for each a byte what it is, and
 * those that are given.  What stands by ends by itself when the host's end is closed.
 *
 * No child's socket is sent when the child is made: a socket that lies in another's queue lets
 * Linux look for unreachable ones, on a thread of its own, as often as any socket is closed.
 *
 * Children are made by clone() with CLONE_PARENT, so they are children of the host as if it had
 * spawned them itself: it waits for them, kills them and is told of their end, and the zygote's own
 * end harms none.  If the host is gone, nobody waits for what they do, and the zygote kills those
 * that are left; descriptors of processes, not their numbers, which may be others' by then, say
 * which.  clone() without the C library: no handlers of fork() run and no lock can be held, for a
 * zygote has one thread and no buffered output.
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

enum { FDS = HR_SPAWN_FDS, ANSWER_MS = 10000, READY = HR_ZYGOTE_READY, GUARDED = 1024 };

enum what { NOTHING, GIVEN, OWN }; /* /dev/null; the next of the packet; the child's end */

struct request {
    unsigned char count, new_group, what[FDS];
};

/* -- the host's side ------------------------------------------------------- */

int hr_os_zygote_give(void *user, int socket, const int *fds, size_t n)
{
    int64_t r = hr_os_send_with(socket, "", 1, fds, n);

    (void)user;
    return r < 0 ? (int)r : 0;
}

static int ask(int end, const struct hr_spawn *s)
{
    struct request request = { (unsigned char)s->fds_count, s->new_group, { NOTHING } };
    int fds[FDS], i;
    size_t n = 0;
    int64_t r;

    for (i = 0; i < s->fds_count; i++) {
        if (s->fds[i] < 0)
            continue;
        request.what[i] = GIVEN;
        fds[n++] = s->fds[i];
    }
    request.what[s->own] = OWN;
    r = hr_os_send_with(end, &request, sizeof request, fds, n);
    return r < 0 ? (int)r : 0;
}

/* The pid of the child that has the other end, once that is told; a negative errno, told by the
 * zygote where it could make no child, -EPIPE where nobody is there to tell. */
static int child_of(int end)
{
    struct pollfd fd = { end, POLLIN, 0 };
    int32_t told = 0;
    int ready, fds[FDS];
    size_t n = 0;
    int64_t r;

    do
        ready = poll(&fd, 1, ANSWER_MS);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready ? -errno : -ETIMEDOUT;
    r = hr_os_take_with(end, &told, sizeof told, fds, &n);
    if (r < 0)
        return (int)r;
    return r == sizeof told && told ? told : -EPIPE;
}

static void take_leave(int pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int hr_os_spawn_from(void *user, int end, const struct hr_spawn *s, int *ret_pidfd)
{
    int r, pid;

    (void)user;
    if (s->fds_count > FDS || s->own < 0 || s->own >= s->fds_count || s->fds[s->own] >= 0)
        return -EINVAL;
    if ((pid = child_of(end)) < 0)
        return pid;
    if ((r = ask(end, s)) < 0) {
        kill(pid, SIGKILL);
        take_leave(pid);
        return r;
    }
    if (s->new_group)
        setpgid(pid, pid); /* it does so too: whoever comes first */
    return hr_os_pidfd(pid, ret_pidfd);
}

void hr_os_zygote_end(void *user, int end)
{
    int pid;

    (void)user;
    shutdown(end, SHUT_WR);
    if ((pid = child_of(end)) > 0)
        take_leave(pid);
}

/* -- the zygote's side ----------------------------------------------------- */

/* The descriptors in their order, those that are kept, and no other.  The first of a zygote is
 * /dev/null, as of all that was spawned without one. */
static int lay_out(const struct request *request, int end, const int *fds, size_t given, int kept)
{
    int high[FDS], i, from;
    size_t k = 0;

    for (i = 0; i < request->count; i++) {
        from = request->what[i] == OWN ? end : 0;
        if (request->what[i] == GIVEN && k < given)
            from = fds[k++];
        if ((high[i] = fcntl(from, F_DUPFD_CLOEXEC, FDS)) < 0)
            return -1;
    }
    for (i = 0; i < request->count; i++)
        if (dup2(high[i], i) < 0)
            return -1;
    return close_range(request->count, (unsigned)kept - 1, 0);
}

/* 1 with a request, 0 where there is none any more, or a negative errno. */
static int take_request(int end, struct request *ret, int fds[FDS], size_t *ret_given)
{
    struct pollfd fd = { end, POLLIN, 0 };
    int64_t r;

    if (poll(&fd, 1, -1) < 0 && errno != EINTR)
        return -errno;
    r = hr_os_take_with(end, ret, sizeof *ret, fds, ret_given);
    if (r < 0)
        return (int)r;
    return r == sizeof *ret && ret->count <= FDS;
}

#if defined(__SANITIZE_THREAD__)
#define CAN_CLONE 0 /* its own thread would be missing in the child */
#else
#define CAN_CLONE 1
#endif

static bool tell(int end, int32_t what)
{
    return hr_os_send_with(end, &what, sizeof what, NULL, 0) == sizeof what;
}

/* Children that have not ended; more than there is room for are not guarded. */
static struct {
    struct pollfd fds[GUARDED];
    nfds_t n;
} guard;

static void forget_ended(void)
{
    nfds_t i, n = 0;

    if (poll(guard.fds, guard.n, 0) <= 0)
        return;
    for (i = 0; i < guard.n; i++)
        if (guard.fds[i].revents)
            close(guard.fds[i].fd);
        else
            guard.fds[n++] = guard.fds[i];
    guard.n = n;
}

static void add_guarded(int pidfd)
{
    forget_ended();
    if (guard.n < GUARDED)
        guard.fds[guard.n++] = (struct pollfd){ pidfd, POLLIN, 0 };
    else
        close(pidfd);
}

static void kill_guarded(void)
{
    nfds_t i;

    for (i = 0; i < guard.n; i++)
        syscall(SYS_pidfd_send_signal, guard.fds[i].fd, SIGKILL, NULL, 0);
}

/* As hr_os_zygote() returns in a child. */
static int stand_by(int socket, int end, int taken, int kept)
{
    struct request request;
    int fds[FDS], r;
    size_t given = 0;
    nfds_t i;

    for (i = 0; i < guard.n; i++) /* nothing is written: the page stays the zygote's */
        close(guard.fds[i].fd);
    close(socket); /* what it hears of its host is the end of its own */
    while ((r = take_request(end, &request, fds, &given)) == -EAGAIN)
        ;
    if (r != 1)
        return 0;
    if (write(taken, "x", 1) < 0) {
        /* the zygote has gone; this one was asked for, and works */
    }
    if (request.new_group)
        setpgid(0, 0);
    return lay_out(&request, end, fds, given, kept) < 0 ? -1 : 1;
}

struct ends {
    int fds[HR_ZYGOTE_ENDS];
    size_t n;
};

/* What was given, behind those that are there; false: the host is gone. */
static bool take_ends(int socket, struct ends *ends)
{
    char byte;
    int fds[FDS];
    size_t i, n = 0;
    int64_t r = hr_os_take_with(socket, &byte, sizeof byte, fds, &n);

    for (i = 0; i < n; i++) {
        if (ends->n < HR_ZYGOTE_ENDS)
            ends->fds[ends->n++] = fds[i];
        else
            close(fds[i]);
    }
    return r == sizeof byte || r == -EAGAIN || r == -EINTR;
}

/* Until there is an end, and somebody has work of those that stand by; false: the host is gone. */
static bool wait_next(int socket, int taken, int *ready, struct ends *ends)
{
    struct pollfd fds[2] = { { socket, POLLIN, 0 }, { taken, POLLIN, 0 } };
    char bytes[READY];
    ssize_t n;

    while (!ends->n || *ready >= READY) {
        if (poll(fds, 2, -1) < 0) {
            if (errno != EINTR)
                return false;
            continue;
        }
        if (fds[0].revents && !take_ends(socket, ends))
            return false;
        if (fds[1].revents && (n = read(taken, bytes, sizeof bytes)) > 0)
            *ready -= (int)n;
    }
    return true;
}

/* The pid, or a negative errno; 0 in the child. */
static int32_t make_child(int *ret_pidfd)
{
    int32_t pid = -1;

    *ret_pidfd = -1;
    if (!CAN_CLONE)
        return -ENOSYS;
    pid = (int32_t)syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD, 0, ret_pidfd, 0, 0);
    return pid < 0 ? -errno : pid;
}

int hr_os_zygote(int socket, int kept)
{
    struct ends ends = { .n = 0 };
    int taken[2], ready = 0, end, pidfd;
    int32_t pid;

    if (pipe2(taken, O_CLOEXEC) < 0)
        return 0;
    while (wait_next(socket, taken[0], &ready, &ends)) {
        end = ends.fds[0];
        memmove(ends.fds, ends.fds + 1, --ends.n * sizeof ends.fds[0]);
        pid = make_child(&pidfd);
        if (pid == 0)
            return stand_by(socket, end, taken[1], kept);
        if (!tell(end, pid))
            break;
        if (pid > 0)
            add_guarded(pidfd);
        close(end);
        ready++;
    }
    kill_guarded();
    return 0;
}
