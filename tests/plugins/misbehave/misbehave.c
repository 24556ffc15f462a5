/* misbehave - a component that does what its property "how" says, each a thing that a plugin
 * must not do; the tests see that the host calls it by its name, and that nothing else is harmed.
 * What has to fail, and does, is told with the error of the system as the reason of the hook.
 */
#include "misbehave.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *out(const struct hr_easy *easy, hr_run *run)
{
    const char *dir = "";

    easy->run->path(run, "stats", 0, &dir);
    return dir;
}

static int write_to(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0644);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static hr_status say(const struct hr_easy *easy, hr_run *run, const char *what, int done)
{
    return done ? hr_failf(easy->run, run, HR_INTERNAL, "%s was possible", what) : HR_OK;
}

/* What the unit tests ask for; these succeed where the walls hold. */
static hr_status small(const struct hr_easy *easy, hr_run *run, const char *how)
{
    char big[100000];

    if (!strcmp(how, "long")) {
        memset(big, 'x', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        easy->run->set_text(run, "stats", 0, "long", big);
    }
    if (!strcmp(how, "write"))
        return say(easy, run, "writing outside of the outputs", write_to("/tmp/hr_misbehaved"));
    if (!strcmp(how, "read"))
        return say(easy, run, "reading /etc/passwd", open("/etc/passwd", O_RDONLY) >= 0);
    if (!strcmp(how, "socket"))
        return say(easy, run, "opening a socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
    if (!strcmp(how, "kill"))
        return say(easy, run, "signalling the host", kill(getppid(), 0) == 0);
    if (!strcmp(how, "fork"))
        return say(easy, run, "starting a process", fork() >= 0);
    if (!strcmp(how, "nested"))
        return easy->run->fail(run, easy->run->fail(run, HR_NOT_FOUND, "inner"), "outer");
    if (!strcmp(how, "cancel")) {
        while (!easy->progress->cancelled(run))
            usleep(1000);
        return HR_CANCELLED;
    }
    if (!strcmp(how, "reserved"))
        return easy->run->set_int(run, "stats", 0, "__mine", 1);
    if (!strcmp(how, "wrong type"))
        return easy->run->set_text(run, "stats", 0, "lines", "many");
    if (!strcmp(how, "progress"))
        easy->progress->report(run, 1, 2, "steps");
    return HR_OK;
}

static void tell(const struct hr_easy *easy, hr_run *run, const char *how)
{
    int i;

    if (!strcmp(how, "print")) {
        printf("a line on stdout\n");
        fprintf(stderr, "a line on stderr, without an end");
        fflush(stdout);
    }
    if (!strcmp(how, "shout"))
        for (i = 0; i < 20000; i++)
            hr_logf(easy->log, run, HR_INFO, "line %d", i);
}

static hr_status misbehave(void *self, hr_run *run)
{
    const struct hr_easy *easy = self;
    struct ill ill = { .easy = easy, .run = run };
    hr_status r;

    ill.how = easy->run->prop_text(run, "how");
    ill.path = easy->run->prop_text(run, "path");
    ill.out = out(easy, run);
    tell(easy, run, ill.how);
    r = small(easy, run, ill.how);
    if (r == HR_OK)
        r = ill_ends(&ill);
    if (r == HR_OK)
        r = ill_system(&ill);
    if (r == HR_OK)
        r = ill_files(&ill);
    if (r == HR_OK)
        r = ill_rows(&ill);
    if (r < 0)
        return r;
    write_to(ill.out);
    return easy->run->set_int(run, "stats", 0, "lines", 7);
}

static const hr_executor_1 hooks = { hr_easy_make, misbehave, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_property lines = HR_PROPERTY(HR_INT, "lines", NULL, NULL, "Seven.");
static const hr_property *const facts[] = { &lines, NULL };
static const hr_port stats = HR_OUTPUT("stats", "Stats", "Hardly anything.", facts);
static const hr_property how = HR_PROPERTY(HR_STRING, "how", "", NULL, "What to do.");
static const hr_property path = HR_PROPERTY(HR_STRING, "path", "", NULL, "A foreign file.");

static const hr_component component = {
    .struct_size = sizeof component,
    .id = "org.headrace.test.Misbehave",
    .version = "1.0.0",
    .doc = "Does what it must not.",
    .outputs = HR_LIST(hr_port, &stats),
    .properties = HR_LIST(hr_property, &how, &path),
    .needs = HR_IDS(HR_RUN, HR_LOG, HR_PROGRESS),
    .uses = HR_IDS(HR_TABLE),
    .offers = HR_LIST(hr_offer, &executor),
};

/* The same, and it may start programs. */
static const hr_component starter = {
    .struct_size = sizeof starter,
    .flags = HR_COMPONENT_PROCESS,
    .id = "org.headrace.test.MisbehaveStarter",
    .version = "1.0.0",
    .doc = "Does what it must not, and starts programs.",
    .outputs = HR_LIST(hr_port, &stats),
    .properties = HR_LIST(hr_property, &how, &path),
    .needs = HR_IDS(HR_RUN, HR_LOG, HR_PROGRESS),
    .uses = HR_IDS(HR_TABLE),
    .offers = HR_LIST(hr_offer, &executor),
};

HR_PLUGIN("org.headrace.test", "1.0.0", &component, &starter);
