#include "plugin/worker/watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

/* Not joined, so it lies nowhere where something else may come to lie. */
static struct {
    const struct hr_os *os;
    int socket;
    volatile int32_t cancel;
} watcher;

enum hr_watched hr_watch_once(const struct hr_os *os, int socket, volatile int32_t *cancel)
{
    char packet[16];
    int64_t n = os->recv(os->user, socket, packet, sizeof packet, NULL);

    if (n == -EAGAIN)
        return HR_WATCH_ON;
    if (n <= 0 || packet[0] == 'C')
        __atomic_store_n(cancel, 1, __ATOMIC_RELAXED);
    if (n > 0)
        return HR_WATCH_ON;
    return n ? HR_WATCH_SHUT : HR_WATCH_ALONE;
}

static void *watch(void *arg)
{
    struct pollfd fd = { watcher.socket, POLLIN, 0 };
    enum hr_watched how = HR_WATCH_ON;

    (void)arg;
    while (how == HR_WATCH_ON) {
        watcher.os->poll(watcher.os->user, &fd, 1, -1);
        how = fd.revents ? hr_watch_once(watcher.os, watcher.socket, &watcher.cancel) : how;
    }
    _exit(how == HR_WATCH_ALONE);
}

#if defined(HR_SANITIZED)
enum { STACK = 1 << 22 }; /* a sanitizer keeps its own there, a megabyte of it */
#else
enum { STACK = 1 << 18 };
#endif

/* The stack lies ready: to map one for each short job is a good part of what its thread costs.
 * Where it is too small for what plugins keep for each thread, one is mapped. */
volatile int32_t *hr_watch_start(const struct hr_os *os, int socket)
{
    static char stack[STACK] __attribute__((aligned(1 << 12)));
    pthread_attr_t how;
    pthread_t id;

    watcher.os = os;
    watcher.socket = socket;
    if (pthread_attr_init(&how) != 0)
        return &watcher.cancel;
    pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstack(&how, stack, sizeof stack);
    if (pthread_create(&id, &how, watch, NULL) != 0) {
        pthread_attr_destroy(&how);
        if (pthread_attr_init(&how) != 0)
            return &watcher.cancel;
        pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
        pthread_create(&id, &how, watch, NULL);
    }
    pthread_attr_destroy(&how);
    return &watcher.cancel;
}
