#include "misbehave.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

hr_status ill_refused(const struct ill *ill, const char *what)
{
    return hr_failf(ill->easy->run, ill->run, HR_INTERNAL, "%s: %s", what, strerror(errno));
}

hr_status ill_possible(const struct ill *ill, const char *what)
{
    return hr_failf(ill->easy->run, ill->run, HR_INTERNAL, "%s was possible", what);
}

hr_status ill_act(const struct ill *ill, const struct ill_way *ways)
{
    for (; ways->how; ways++)
        if (!strcmp(ways->how, ill->how))
            return ways->act(ill);
    return HR_OK;
}

/* Not by raise(): the signal comes as it would from outside, with its default action. */
static hr_status by_signal(const struct ill *ill)
{
    int number = atoi(ill->how + strlen("signal "));

    signal(number, SIG_DFL);
    kill(getpid(), number);
    sleep(5);
    return ill_possible(ill, "outliving a signal");
}

static hr_status crash(const struct ill *ill)
{
    volatile int *volatile nowhere = (volatile int *)(uintptr_t)64;

    signal(SIGSEGV, SIG_DFL);
    *nowhere = 1;
    return ill_possible(ill, "writing nowhere");
}

static hr_status deep(const struct ill *ill)
{
    volatile char room[65536];

    signal(SIGSEGV, SIG_DFL);
    room[0] = 1;
    return ill->easy ? deep(ill) + room[0] : HR_OK;
}

static hr_status loop(const struct ill *ill)
{
    volatile int forever = 1;

    (void)ill;
    while (forever)
        ;
    return HR_OK;
}

/* Neither asked nor told to end. */
static hr_status deaf(const struct ill *ill)
{
    sigset_t all;

    (void)ill;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    while (pause())
        ;
    return HR_OK;
}

static hr_status hang(const struct ill *ill)
{
    (void)ill;
    while (pause())
        ;
    return HR_OK;
}

static hr_status end_thread(const struct ill *ill)
{
    (void)ill;
    pthread_exit(NULL);
}

static hr_status call_abort(const struct ill *ill)
{
    (void)ill;
    signal(SIGABRT, SIG_DFL);
    abort();
}

static hr_status exit_3(const struct ill *ill)
{
    (void)ill;
    _exit(3);
}

static hr_status exit_0(const struct ill *ill)
{
    (void)ill;
    _exit(0);
}

static hr_status exit_by_library(const struct ill *ill)
{
    (void)ill;
    exit(4);
}

static hr_status silent(const struct ill *ill)
{
    (void)ill;
    return HR_INTERNAL;
}

static hr_status odd_code(const struct ill *ill)
{
    (void)ill;
    return -9999;
}

hr_status ill_ends(const struct ill *ill)
{
    static const struct ill_way ways[] = {
        { "crash", crash },         { "deep", deep },
        { "loop", loop },           { "deaf", deaf },
        { "hang", hang },           { "end thread", end_thread },
        { "abort", call_abort },    { "exit", exit_3 },
        { "exit 0", exit_0 },       { "exit by library", exit_by_library },
        { "silent", silent },       { "odd code", odd_code },
        { NULL, NULL },
    };

    if (!strncmp(ill->how, "signal ", strlen("signal ")))
        return by_signal(ill);
    return ill_act(ill, ways);
}
