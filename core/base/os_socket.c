/* Packets with descriptors. */
#include "base/os_files.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(HR_SPAWN_FDS * sizeof(int))];
};

int64_t hr_os_send_with(int socket, const void *bytes, size_t size, const int *fds, size_t n)
{
    struct iovec io = { (void *)(uintptr_t)bytes, size };
    union control control;
    struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

    if (n) {
        memset(&control, 0, sizeof control);
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
    }
    for (;;) {
        ssize_t r = sendmsg(socket, &m, MSG_NOSIGNAL);

        if (r >= 0 || errno != EINTR)
            return r < 0 ? -errno : r;
    }
}

int64_t hr_os_take_with(int socket, void *bytes, size_t size, int fds[HR_SPAWN_FDS],
                        size_t *ret_n)
{
    struct iovec io = { bytes, size };
    union control control;
    struct msghdr m = { .msg_iov = &io,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes };
    struct cmsghdr *c;
    size_t n = 0;
    ssize_t r;

    do
        r = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    }
    *ret_n = n;
    return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : r;
}

int64_t hr_os_send(void *user, int fd, const void *from, size_t n, int pass_fd)
{
    (void)user;
    return hr_os_send_with(fd, from, n, &pass_fd, pass_fd >= 0);
}

int64_t hr_os_recv(void *user, int fd, void *to, size_t n, int *ret_fd)
{
    int fds[HR_SPAWN_FDS];
    size_t count = 0, i;
    int64_t r = hr_os_take_with(fd, to, n, fds, &count);

    (void)user;
    for (i = ret_fd ? 1 : 0; i < count; i++)
        close(fds[i]);
    if (ret_fd)
        *ret_fd = count ? fds[0] : -1;
    return r;
}
