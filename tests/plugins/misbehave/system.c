#include "misbehave.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- processes ----------------------------------------------------------------------------- */

static hr_status kill_host(const struct ill *ill)
{
    return kill(getppid(), SIGKILL) < 0 ? ill_refused(ill, "killing the host")
                                        : ill_possible(ill, "killing the host");
}

/* By a signal that harms nobody if it comes through. */
static hr_status kill_all(const struct ill *ill)
{
    return kill(-1, 0) < 0 ? ill_refused(ill, "killing all")
                                 : ill_possible(ill, "killing all");
}

static hr_status limit_host(const struct ill *ill)
{
    struct rlimit none = { 0, 0 };

    return prlimit(getppid(), RLIMIT_NOFILE, &none, NULL) < 0
               ? ill_refused(ill, "taking the host's descriptors")
               : ill_possible(ill, "taking the host's descriptors");
}

static hr_status slow_host(const struct ill *ill)
{
    return setpriority(PRIO_PROCESS, (id_t)getppid(), 19) < 0
               ? ill_refused(ill, "slowing the host")
               : ill_possible(ill, "slowing the host");
}

/* A child of a child that leaves the group and holds on to the pipes. */
static hr_status escape(const struct ill *ill)
{
    pid_t child = fork();

    if (child < 0)
        return ill_refused(ill, "starting a process");
    if (child)
        return HR_OK;
    if (fork())
        _exit(0);
    setsid();
    setpgid(0, 0);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sleep(1000);
    _exit(0);
}

static pid_t sleeper(void)
{
    pid_t child = fork();

    if (child)
        return child;
    sleep(1000);
    _exit(0);
}

static hr_status leave_process(const struct ill *ill)
{
    return sleeper() < 0 ? ill_refused(ill, "starting a process") : HR_OK;
}

/* What it may: its own child, which it waits for. */
static hr_status end_child(const struct ill *ill)
{
    pid_t child = sleeper();
    int status = 0;

    if (child < 0)
        return ill_refused(ill, "starting a process");
    if (kill(child, SIGUSR1) < 0)
        return ill_refused(ill, "ending its child");
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
        return ill_possible(ill, "outliving a signal");
    return WTERMSIG(status) == SIGUSR1 ? HR_OK : ill_possible(ill, "another signal");
}

/* By a child: a process with a number of its own, and the walls of the worker. */
static hr_status child_kills(const struct ill *ill)
{
    pid_t host = getppid(), child = fork();
    int status = 0;

    if (child < 0)
        return ill_refused(ill, "starting a process");
    if (!child) {
        if (kill(getpid(), 0) < 0)
            _exit(1);
        if (kill(host, SIGKILL) == 0)
            _exit(2);
        _exit(errno == EPERM ? 0 : 3);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 2)
        return ill_possible(ill, "killing the host by a child");
    errno = EPERM;
    return WEXITSTATUS(status) ? ill_refused(ill, "a child's signal to itself") : HR_OK;
}

static hr_status start(const struct ill *ill)
{
    static char *const argv[] = { (char *)(uintptr_t) "true", NULL };

    execv("/bin/true", argv);
    return ill_refused(ill, "starting a program");
}

/* -- memory, descriptors, sockets ---------------------------------------------------------- */

/* In pieces, each touched, until there is no more. */
static hr_status eat(const struct ill *ill)
{
    enum { PIECE = 1 << 24 };
    char *p;
    int i;

    (void)ill;
    for (i = 0; i < 1 << 10; i++) {
        if (!(p = malloc(PIECE)))
            return HR_EXHAUSTED;
        memset(p, i, PIECE);
        ((char *volatile *)(void *)p)[0] = p;
    }
    return HR_OK;
}

static hr_status close_all(const struct ill *ill)
{
    int fd;

    (void)ill;
    for (fd = 0; fd < 1024; fd++)
        close(fd);
    return HR_OK;
}

static hr_status close_and_stay(const struct ill *ill)
{
    close_all(ill);
    while (pause())
        ;
    return HR_OK;
}

static hr_status leak(const struct ill *ill)
{
    int i;

    for (i = 0; i < 1 << 20; i++)
        if (open("/dev/null", O_RDONLY) < 0)
            return ill_refused(ill, "opening one more");
    return ill_possible(ill, "opening a million files");
}

static hr_status socket_of(const struct ill *ill, int family, int type)
{
    return socket(family, type, 0) < 0 ? ill_refused(ill, "opening a socket")
                                       : ill_possible(ill, "opening a socket");
}

static hr_status socket_inet(const struct ill *ill)
{
    return socket_of(ill, AF_INET, SOCK_STREAM);
}

static hr_status socket_unix(const struct ill *ill)
{
    return socket_of(ill, AF_UNIX, SOCK_STREAM);
}

static hr_status socket_netlink(const struct ill *ill)
{
    return socket_of(ill, AF_NETLINK, SOCK_RAW);
}

static hr_status share_memory(const struct ill *ill)
{
    return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) < 0
               ? ill_refused(ill, "sharing memory")
               : ill_possible(ill, "sharing memory");
}

/* -- threads and printing ------------------------------------------------------------------ */

static void *never_end(void *arg)
{
    const struct ill *ill = arg;
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/late", ill->out);
    for (;;) {
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (fd >= 0 && write(fd, "late\n", 5) == 5)
            usleep(100);
        close(fd);
    }
    return NULL;
}

static hr_status leave_threads(const struct ill *ill)
{
    static char out[4096];
    static struct ill kept;
    pthread_t id;
    int i;

    kept = *ill;
    kept.out = strcpy(out, ill->out);
    for (i = 0; i < 4; i++)
        if (pthread_create(&id, NULL, never_end, &kept))
            return ill_refused(ill, "starting a thread");
    usleep(20000);
    return HR_OK;
}

static void *end_soon(void *arg)
{
    usleep(50000);
    return arg;
}

/* Nobody joins it, and it has ended before anybody could mind. */
static hr_status detach(const struct ill *ill)
{
    pthread_t id;

    if (pthread_create(&id, NULL, end_soon, NULL) || pthread_detach(id))
        return ill_refused(ill, "starting a thread");
    return HR_OK;
}

static hr_status print_much(const struct ill *ill)
{
    static char block[1 << 20];
    size_t i;

    memset(block, 'x', sizeof block);
    for (i = 4095; i < sizeof block; i += 4096)
        block[i] = '\n';
    for (i = 0; i < 1 << 10; i++)
        if (write(1, block, sizeof block) < 0)
            return ill_refused(ill, "printing");
    return HR_OK;
}

static hr_status tell_path(const struct ill *ill)
{
    return hr_failf(ill->easy->run, ill->run, HR_INTERNAL, "path: %s", ill->path);
}

/* Not faster than a host can read: what a socket has no room for is dropped, not said. */
static hr_status log_much(const struct ill *ill)
{
    static char line[4096];
    int i;

    memset(line, 'x', sizeof line - 1);
    for (i = 0; i < 1 << 20; i++) {
        ill->easy->log->log(ill->run, HR_INFO, line);
        if (i % 16 == 0)
            usleep(1000);
    }
    return HR_OK;
}

/* The host has copied what it was given. */
static hr_status keep_strings(const struct ill *ill)
{
    const hr_run_1 *rt = ill->easy->run;
    char name[8] = "mine", value[8] = "kept", reason[8] = "why";
    hr_status r = rt->set_text(ill->run, "stats", 0, name, value);

    memset(name, 'z', 4);
    memset(value, 'z', 4);
    if (r < 0)
        return r;
    r = rt->fail(ill->run, HR_INTERNAL, reason);
    memset(reason, 'z', 3);
    return r;
}

/* A result of its own making, on the socket that is the host's. */
static hr_status forge(const struct ill *ill)
{
    char packet[512];
    int n = snprintf(packet, sizeof packet,
                     "R{\"status\":0,\"verdict\":0,\"errors\":[],\"set\":[{\"name\":"
                     "\"__cache_key\",\"text\":\"forged\"}],\"outputs\":[{\"key\":\"stats\","
                     "\"artifacts\":[{\"uri\":\"%s\",\"set\":[{\"name\":\"__digest\",\"text\":"
                     "\"forged\"}]}]}]}",
                     ill->path);

    if (send(3, packet, (size_t)n, 0) < 0)
        return ill_refused(ill, "forging");
    _exit(0);
}

static hr_status garble(const struct ill *ill)
{
    if (send(3, "R{\"status\":", 11, 0) < 0)
        return ill_refused(ill, "garbling");
    _exit(0);
}

hr_status ill_system(const struct ill *ill)
{
    static const struct ill_way ways[] = {
        { "kill host", kill_host },       { "kill all", kill_all },
        { "limit host", limit_host },     { "slow host", slow_host },
        { "escape", escape },             { "start", start },
        { "leave process", leave_process }, { "end child", end_child },
        { "child kills", child_kills },   { "detach", detach },
        { "log much", log_much },         { "tell path", tell_path },
        { "eat memory", eat },            { "close descriptors", close_all },
        { "close and stay", close_and_stay },
        { "leak descriptors", leak },     { "inet", socket_inet },
        { "unix", socket_unix },          { "netlink", socket_netlink },
        { "share memory", share_memory }, { "leave threads", leave_threads },
        { "print much", print_much },     { "keep strings", keep_strings },
        { "forge", forge },               { "garble", garble },
        { NULL, NULL },
    };

    return ill_act(ill, ways);
}
