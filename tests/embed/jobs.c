/* jobs.c - jobs in a program of another's: event loops, signals, several at once. */
#include "help.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static const char lines_pipeline[] =
    "{\"headrace\": 1, \"name\": \"lines\", \"parameters\": {\"least\": {\"type\": \"int\","
    " \"default\": 1}}, \"nodes\": {\n"
    "\"table\": {\"importer\": {\"source_uri\": \"table\", \"type\": \"File\"}},\n"
    "\"count\": {\"component\": \"line-count\", \"inputs\": {\"table\": \"table\"},"
    " \"properties\": {\"min_lines\": \"${param.least}\"}}}}";

extern const hr_plugin line_count_plugin;
static const hr_plugin *const linked[] = { &line_count_plugin, NULL };

static void lines_in(struct folder *f, const char *name)
{
    char path[128];

    shell("mkdir -p '%s/%s/table' && printf 'one\\ntwo\\n' >'%s/%s/table/data'", f->dir, name,
          f->dir, name);
    snprintf(path, sizeof path, "%s/pipeline.json", name);
    write_text(f, path, lines_pipeline);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A child of ours, or of one of ours, that is there still. */
static bool any_process(const char *word)
{
    char path[300], text[4096];
    DIR *dir = opendir("/proc");
    struct dirent *e;
    bool found = false;
    size_t n, i;
    FILE *f;

    while ((e = readdir(dir))) {
        snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
        if (!strchr("0123456789", e->d_name[0]) || !(f = fopen(path, "r")))
            continue;
        n = fread(text, 1, sizeof text - 1, f);
        for (i = 0; i < n; i++)
            text[i] = text[i] ? text[i] : ' ';
        text[n] = '\0';
        found = found || strstr(text, word);
        fclose(f);
    }
    closedir(dir);
    return found;
}

/* -- under poll() ------------------------------------------------------------------ */

/* The job's descriptor beside another: both are served, nothing spins, and all comes. */
static void test_poll(void **state)
{
    struct folder *f = *state;
    hr_project *p;
    hr_job *job = NULL;
    const hr_event *event;
    int other[2], events = 0, served = 0, idle = 0, last = 0;
    struct pollfd fds[2];
    bool over = false;

    shell("cp -r '%s/penguin' '%s/p'", TEST_SAMPLES, f->dir);
    p = open_in(f, "p", NULL);
    assert_int_equal(pipe(other), 0);
    assert_int_equal(write(other[1], "12345", 5), 5);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &job));
    fds[0] = (struct pollfd){ .fd = hr_job_fd(job), .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = other[0], .events = POLLIN };
    while (!over) {
        int32_t got;
        char byte;

        assert_true(poll(fds, 2, 60000) > 0);
        if (fds[1].revents)
            served += (int)read(other[0], &byte, 1);
        if (served == 5)
            fds[1].fd = -1;
        if (!fds[0].revents)
            continue;
        for (got = 0; (got = hr_next(job, 0, &event)) > 0; events++)
            last = event->kind;
        over = got == 0;
        idle += got == HR_DEADLINE && !events;
        assert_true(got == 0 || got == HR_DEADLINE);
    }
    assert_int_equal(last, HR_EVENT_DONE);
    assert_int_equal(served, 5);
    assert_true(events >= 19); /* nine begin, nine end, and the last */
    assert_true(idle < 100);
    must(p, hr_wait(job));
    hr_job_free(job);
    assert_int_equal(count_rows(p, "executions", "state = COMPLETE"), 9);
    hr_free(p);
    close(other[0]);
    close(other[1]);
}

/* -- cancelled in a signal handler ---------------------------------------------------- */

static hr_job *volatile to_cancel;
static volatile double cancelled_at;

static void on_alarm(int number)
{
    (void)number;
    cancelled_at = seconds();
    hr_cancel(to_cancel);
}

static void cancel_soon(void)
{
    const struct itimerval soon = { .it_value = { .tv_usec = 400000 } };
    struct sigaction action = { .sa_handler = on_alarm };

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void test_cancel(void **state)
{
    static const char pipeline[] =
        "{\"headrace\": 1, \"name\": \"long\", \"nodes\": {\n"
        "\"sleep\": {\"command\": [\"sleep\", \"61.25\"]},\n"
        "\"shell\": {\"command\": [\"sh\", \"-c\", \"trap '' TERM; sleep 61.25; sleep 61.25\"]},\n"
        "\"loop\": {\"component\": \"Misbehave\", \"properties\": {\"how\": \"loop\"}},\n"
        "\"deaf\": {\"component\": \"Misbehave\", \"properties\": {\"how\": \"deaf\"}},\n"
        "\"late\": {\"command\": [\"true\"], \"after\": [\"loop\"]}}}";
    struct folder *f = *state;
    hr_project *p = open_in(f, "p", NULL);
    const hr_event *event;
    hr_job *job = NULL;
    int started = 0;
    double took;

    write_text(f, "p/pipeline.json", pipeline);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), "{\"jobs\": 5}", &job));
    while (started < 4 && hr_next(job, 60000, &event) > 0)
        started += event->kind == HR_EVENT_STARTED;
    assert_int_equal(started, 4);
    to_cancel = job;
    cancel_soon();
    assert_int_equal(hr_wait(job), HR_CANCELLED);
    took = seconds() - cancelled_at;
    hr_job_free(job);
    if (took > 2)
        fail_msg("it took %.2f s to cancel", took);
    assert_false(any_process("sleep 61.25"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(count_rows(p, "executions", "state = RUNNING"), 0);
    assert_int_equal(count_rows(p, "executions", "state = CANCELED"), 4);
    must_fail(p, hr_cancel_run(p, "1"), HR_PRECONDITION, "ended");
    /* the project goes on as if nothing had been */
    lines_in(f, "p");
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &job));
    must(p, hr_wait(job));
    hr_free(p);
}

/* hr_free() of a project that runs: cancels, waits, leaves nothing behind. */
static void test_freed(void **state)
{
    struct folder *f = *state;
    hr_project *p = open_in(f, "p", NULL);
    const hr_event *event;
    hr_job *job = NULL;

    write_text(f, "p/pipeline.json", "{\"headrace\": 1, \"name\": \"long\", \"nodes\": {"
                                     "\"s\": {\"command\": [\"sleep\", \"62.25\"]}}}");
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &job));
    while (hr_next(job, 60000, &event) > 0 && event->kind != HR_EVENT_STARTED)
        ;
    hr_free(p);
    assert_false(any_process("sleep 62.25"));
    p = open_in(f, "p", NULL);
    assert_int_equal(count_rows(p, "executions", "state = RUNNING"), 0);
    hr_free(p);
}

/* -- several at once -------------------------------------------------------------------- */

enum { PROJECTS = 2, JOBS = 3, ALL = PROJECTS * JOBS };

static void *beside(void *user)
{
    struct folder *f = user;
    hr_project *p = penguin_in(f, "beside");
    void *result = count_rows(p, "executions", "state = COMPLETE") == 9 ? user : NULL;

    hr_free(p);
    return result;
}

/* Two projects with three jobs each in one loop, and a third one on another thread. */
static void test_several(void **state)
{
    struct folder *f = *state, copy = *f;
    const char *options[JOBS] = { NULL, "{\"param\": {\"steps\": \"70\"}}",
                                  "{\"param\": {\"steps\": \"80\"}, \"jobs\": 2}" };
    hr_project *p[PROJECTS];
    hr_job *jobs[ALL];
    struct pollfd fds[ALL];
    const hr_event *event;
    pthread_t thread;
    void *fine = NULL;
    int i, left = ALL;

    assert_int_equal(pthread_create(&thread, NULL, beside, &copy), 0);
    for (i = 0; i < PROJECTS; i++) {
        char name[16];

        snprintf(name, sizeof name, "p%d", i);
        shell("cp -r '%s/penguin' '%s/%s'", TEST_SAMPLES, f->dir, name);
        p[i] = open_in(f, name, NULL);
    }
    for (i = 0; i < ALL; i++) {
        char name[64];

        snprintf(name, sizeof name, "p%d/pipeline.json", i / JOBS);
        must(p[i / JOBS], hr_start(p[i / JOBS], in_folder(f, name), options[i % JOBS], &jobs[i]));
        fds[i] = (struct pollfd){ .fd = hr_job_fd(jobs[i]), .events = POLLIN };
    }
    while (left) {
        assert_true(poll(fds, ALL, 120000) > 0);
        for (i = 0; i < ALL; i++) {
            int32_t got = HR_DEADLINE;

            if (!fds[i].revents)
                continue;
            while ((got = hr_next(jobs[i], 0, &event)) > 0)
                ;
            if (got == 0) {
                left--;
                fds[i].fd = -1;
            }
        }
    }
    for (i = 0; i < ALL; i++) {
        must(p[i / JOBS], hr_wait(jobs[i]));
        assert_true(hr_job_number(jobs[i]) == i % JOBS + 1);
        hr_job_free(jobs[i]);
    }
    for (i = 0; i < PROJECTS; i++) {
        assert_int_equal(count_rows(p[i], "runs", "state = COMPLETE"), JOBS);
        assert_int_equal(count_rows(p[i], "executions", "node = trainer and state = COMPLETE"),
                         JOBS);
        /* what they share was done once */
        assert_int_equal(count_rows(p[i], "executions", "node = examples and state = COMPLETE"),
                         1);
        hr_free(p[i]);
    }
    assert_int_equal(pthread_join(thread, &fine), 0);
    assert_non_null(fine);
}

/* Waiting for one job while another holds what it needs: both come to their end. */
static void test_wait_in_turn(void **state)
{
    struct folder *f = *state;
    hr_job *a = NULL, *b = NULL;
    const hr_event *event;
    hr_project *p;

    shell("cp -r '%s/penguin' '%s/p'", TEST_SAMPLES, f->dir);
    p = open_in(f, "p", NULL);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &a));
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &b));
    while (hr_next(b, 60000, &event) > 0 && (event->kind != HR_EVENT_STARTED ||
                                             strcmp(event->node, "examples") != 0))
        ;
    assert_int_equal(event->kind, HR_EVENT_STARTED);
    must(p, hr_wait(a));
    must(p, hr_wait(b));
    assert_int_equal(count_rows(p, "executions", "node = examples and state = COMPLETE"), 1);
    assert_int_equal(count_rows(p, "executions", "node = trainer and state = COMPLETE"), 1);
    hr_free(p);
}

/* -- linked in -------------------------------------------------------------------------- */

static void test_linked(void **state)
{
    struct folder *f = *state;
    hr_config config = { .struct_size = sizeof config,
                         .isolation = HR_ISOLATE_REQUIRED,
                         .plugin_path = "/nowhere",
                         .plugins = linked };
    hr_project *p;
    hr_job *job = NULL;
    const char *json = NULL;

    lines_in(f, "p");
    p = hr_new(NULL); /* without the plugin it is not known */
    must_fail(p, hr_check(p, in_folder(f, "p/pipeline.json"), NULL), HR_INVALID, "line-count");
    hr_free(p);
    p = hr_new(&config);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &job));
    assert_int_equal(hr_wait(job), HR_PRECONDITION);
    must(p, hr_why(p, "count", NULL, &json));
    assert_non_null(strstr(json, "is not isolated"));
    hr_free(p);
    config.isolation = HR_ISOLATE;
    p = hr_new(&config);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &job));
    must(p, hr_wait(job));
    must(p, hr_show(p, "artifact 2", &json));
    if (!strstr(json, "\"lines\":2"))
        fail_msg("%s", json);
    assert_int_equal(count_rows(p, "plugins", "path = \"(linked in)\""), 1);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &job));
    must(p, hr_wait(job));
    assert_int_equal(count_rows(p, "executions", "node = count and state = CACHED"), 1);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), "{\"param\": {\"least\": \"3\"}}", &job));
    assert_true(hr_wait(job) < 0);
    must(p, hr_why(p, "count", NULL, &json));
    assert_non_null(strstr(json, "has 2 lines, and min_lines is 3"));
    hr_free(p);
}

/* -- memory ------------------------------------------------------------------------------- */

struct meter {
    size_t used, most;
    bool mixed;
};

static void *measured(void *user, void *p, size_t old_size, size_t new_size)
{
    struct meter *m = user;

    m->mixed = m->mixed || old_size > m->used || (!p && old_size);
    m->used += new_size - old_size;
    m->most = m->used > m->most ? m->used : m->most;
    if (new_size)
        return realloc(p, new_size);
    free(p);
    return NULL;
}

/* All of the library's memory comes from the program's function, and comes back. */
static void test_memory(void **state)
{
    struct folder *f = *state;
    struct meter m = { 0 };
    hr_config config = { .struct_size = sizeof config, .alloc = measured, .alloc_user = &m };
    hr_project *p = hr_new(&config);
    const hr_event *event;
    hr_cursor *c = NULL;
    hr_job *job = NULL;
    const char *json;

    shell("cp -r '%s/penguin' '%s/p'", TEST_SAMPLES, f->dir);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), NULL, &job));
    while (hr_next(job, -1, &event) > 0)
        assert_non_null(hr_job_event_json(job, event));
    must(p, hr_query(p, "executions", NULL, &c)); /* left open: freed with p */
    must(p, hr_show(p, "evaluator", &json));
    must_fail(p, hr_show(p, "nothing at all", &json), HR_NOT_FOUND, "nothing at all");
    hr_free(p);
    assert_false(m.mixed);
    assert_true(m.most > 10000);
    assert_int_equal(m.used, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(test_poll),    TEST(test_cancel), TEST(test_freed),
                                        TEST(test_several), TEST(test_wait_in_turn),
                                        TEST(test_linked),  TEST(test_memory) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
