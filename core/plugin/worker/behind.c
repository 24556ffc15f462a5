#include "plugin/worker/behind.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 100, PAUSE_NS = 5000000 };

#if defined(__SANITIZE_THREAD__)
static void *nothing(void *arg)
{
    return arg;
}

/* The sanitizer begins a thread of its own with the first of the program. */
static void begin_others(void)
{
    pthread_t id;

    if (pthread_create(&id, NULL, nothing, NULL) == 0)
        pthread_join(id, NULL);
}
#else
static void begin_others(void)
{
}
#endif

/* The directory has a link for each thread.  It is opened while that is possible: a hook may use up
 * all descriptors. */
void hr_behind_begin(struct hr_behind *behind)
{
    struct stat st;

    begin_others();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    *behind = (struct hr_behind){ .tasks = open("/proc/self/task", O_RDONLY | O_CLOEXEC) };
    if (behind->tasks < 0 || fstat(behind->tasks, &st) < 0) {
        behind->tasks = -1;
        return;
    }
    behind->inode = st.st_ino;
    behind->threads = st.st_nlink;
}

static unsigned long threads(const struct hr_behind *behind)
{
    struct stat st;

    if (behind->tasks < 0 || fstat(behind->tasks, &st) < 0 || st.st_ino != behind->inode ||
        st.st_nlink <= behind->threads)
        return 0; /* or nobody can say: the hook has closed what was not its own */
    return (unsigned long)(st.st_nlink - behind->threads);
}

/* Is a child still at work?  Those that have ended are taken leave of. */
static bool processes(void)
{
    pid_t got;

    do
        got = waitpid(-1, NULL, WNOHANG);
    while (got > 0 || (got < 0 && errno == EINTR));
    return got == 0;
}

hr_status hr_behind_check(const struct hr_behind *behind, struct hr_env *env, const char *component,
                          const char *hook)
{
    static const struct timespec pause = { 0, PAUSE_NS };
    unsigned long n = threads(behind);
    bool left = processes();
    int i;

    for (i = 0; (n || left) && i < PATIENCE; i++) {
        nanosleep(&pause, NULL);
        n = threads(behind);
        left = processes();
    }
    if (n)
        return hr_fail(env, HR_INTERNAL,
                       "%s has left %lu thread%s running when its hook \"%s\" returned; threads are"
                       " to be joined before",
                       component, n, n == 1 ? "" : "s", hook);
    if (left)
        return hr_fail(env, HR_INTERNAL,
                       "%s has left a process running when its hook \"%s\" returned; processes are"
                       " to be waited for before",
                       component, hook);
    return HR_OK;
}
