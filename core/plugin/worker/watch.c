#include "plugin/worker/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* For the handler of a signal, which is given nothing. */
static struct {
    const struct hr_os *os;
    int socket;
    volatile int32_t cancel;
} watched;

bool hr_watch_once(const struct hr_os *os, int socket, volatile int32_t *cancel)
{
    char packet[16];
    int64_t n = os->recv(os->user, socket, packet, sizeof packet, NULL);

    if (n < 0)
        return true;
    if (n == 0 || packet[0] == 'C')
        __atomic_store_n(cancel, 1, __ATOMIC_RELAXED);
    return n != 0;
}

static void heard(int signal)
{
    int kept = errno;

    (void)signal;
    if (!hr_watch_once(watched.os, watched.socket, &watched.cancel))
        _exit(1);
    errno = kept;
}

/* A thread that waits for the host would cost more than most of what a short job does: its stack,
 * its end, and that what is mapped and unmapped is told to two processors. */
volatile int32_t *hr_watch_start(const struct hr_os *os, int socket)
{
    struct sigaction action;
    sigset_t own;

    watched.os = os;
    watched.socket = socket;
    memset(&action, 0, sizeof action);
    action.sa_handler = heard;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGIO, &action, NULL);
    sigemptyset(&own);
    sigaddset(&own, SIGIO);
    pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    fcntl(socket, F_SETOWN, (int)getpid());
    fcntl(socket, F_SETFL, O_NONBLOCK | O_ASYNC);
    heard(SIGIO); /* what has come before */
    return &watched.cancel;
}
