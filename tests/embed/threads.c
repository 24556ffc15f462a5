/* threads.c - what may happen at the same time: jobs on threads of their own whose flows have
 * eight threads each, cancelling at any time, and models that predict on eight threads.  Nodes
 * run in this process, so that a thread sanitizer sees all of them.
 */
#include "help.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

enum { JOBS = 2, THREADS = 8, ROUNDS = 12, MODELS = 8 };

static const char in_process[] =
    "{\"isolation\": \"none\", \"no_cache\": true, \"jobs\": 4, \"param\": {\"steps\": \"60\"}}";

static uint64_t random_state = 7;

/* Below n, the same each time. */
static uint64_t chance(uint64_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % n;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void penguin_files(struct folder *f, const char *name)
{
    shell("cp -r '%s/penguin' '%s/%s'", TEST_SAMPLES, f->dir, name);
}

/* The digests of what a project's nodes gave, by node; an evaluation tells of where the project
 * lies. */
static void digests(struct folder *f, hr_project *p, const char *name)
{
    hr_cursor *c = NULL;
    FILE *file = fopen(in_folder(f, name), "w");

    assert_non_null(file);
    must(p, hr_query(p, "artifacts", "node != evaluator", &c));
    while (hr_cursor_next(c) > 0)
        fprintf(file, "%s %s\n", hr_cursor_text(c, "node"), hr_cursor_text(c, "digest"));
    hr_cursor_free(c);
    assert_int_equal(fclose(file), 0);
    shell("sort -o '%s/%s' '%s/%s'", f->dir, name, f->dir, name);
}

/* -- two jobs at once ------------------------------------------------------------------ */

struct running {
    struct folder folder; /* one of its own: in_folder() writes to it */
    char name[16];
    hr_status status;
    int64_t complete;
};

/* Asserts nothing: only the thread of the test may. */
static void *run_penguin(void *user)
{
    struct running *r = user;
    hr_config config = { .struct_size = sizeof config };
    hr_project *p = hr_new(&config);
    char dir[128], file[160];
    hr_job *job = NULL;

    snprintf(dir, sizeof dir, "%s/%s", r->folder.dir, r->name);
    snprintf(file, sizeof file, "%s/pipeline.json", dir);
    r->status = hr_open(p, dir, HR_OPEN_NEW | HR_OPEN_HERE);
    if (r->status == HR_OK)
        r->status = hr_start(p, file, in_process, &job);
    if (r->status == HR_OK)
        r->status = hr_wait(job);
    if (r->status < 0)
        fprintf(stderr, "%s\n", hr_error(p));
    hr_free(p);
    return NULL;
}

static void test_two_jobs(void **state)
{
    struct folder *f = *state;
    struct running running[JOBS];
    pthread_t threads[JOBS];
    int i;

    for (i = 0; i < JOBS; i++) {
        running[i] = (struct running){ .folder = *f };
        snprintf(running[i].name, sizeof running[i].name, "p%d", i);
        penguin_files(f, running[i].name);
        assert_int_equal(pthread_create(&threads[i], NULL, run_penguin, &running[i]), 0);
    }
    for (i = 0; i < JOBS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (i = 0; i < JOBS; i++) {
        char name[32];
        hr_project *p;

        assert_int_equal(running[i].status, HR_OK);
        p = open_in(f, running[i].name, NULL);
        assert_int_equal(count_rows(p, "executions", "state = COMPLETE"), 9);
        snprintf(name, sizeof name, "digests%d", i);
        digests(f, p, name);
        hr_free(p);
    }
    shell("test -s '%s/digests0' && cmp '%s/digests0' '%s/digests1'", f->dir, f->dir, f->dir);
}

/* -- cancelled at any time --------------------------------------------------------------- */

struct canceller {
    hr_job *job;
    int64_t after_us;
};

static void *cancel_later(void *user)
{
    struct canceller *c = user;
    struct timespec t = { .tv_sec = c->after_us / 1000000,
                          .tv_nsec = c->after_us % 1000000 * 1000 };

    nanosleep(&t, NULL);
    hr_cancel(c->job);
    return NULL;
}

static hr_job *volatile to_cancel;

static void on_alarm(int number)
{
    int before = errno;

    (void)number;
    hr_cancel(to_cancel);
    if (errno != before)
        abort(); /* it would be seen where the signal came */
}

static void alarm_in(int64_t us)
{
    const struct itimerval soon = { .it_value = { .tv_sec = us / 1000000,
                                                  .tv_usec = us % 1000000 } };

    setitimer(ITIMER_REAL, &soon, NULL);
}

/* One run that is cancelled after some time, if it is not over by then.  Returns how it ended. */
static hr_status cancelled_run(struct folder *f, hr_project *p, bool by_signal, int64_t after_us)
{
    struct canceller c = { .after_us = after_us };
    hr_job *job = NULL;
    pthread_t thread;
    hr_status r;

    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), in_process, &job));
    c.job = to_cancel = job;
    if (by_signal)
        alarm_in(after_us + 1);
    else
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, &c), 0);
    r = hr_wait(job);
    if (by_signal)
        alarm_in(0);
    else
        assert_int_equal(pthread_join(thread, NULL), 0);
    hr_job_free(job);
    return r;
}

static void test_cancel_any_time(void **state)
{
    struct sigaction action = { .sa_handler = on_alarm };
    struct folder *f = *state;
    hr_project *p;
    int64_t began, took;
    hr_job *job = NULL;
    int i, cancelled = 0;

    sigaction(SIGALRM, &action, NULL);
    penguin_files(f, "p");
    p = open_in(f, "p", NULL);
    began = now_us();
    assert_int_equal(cancelled_run(f, p, true, 1000000000), HR_OK);
    took = now_us() - began;
    for (i = 0; i < ROUNDS; i++) {
        hr_status r = cancelled_run(f, p, i % 2, (int64_t)chance((uint64_t)took / 2));

        if (r != HR_OK && r != HR_CANCELLED)
            fail_msg("round %d: %s: %s", i, hr_status_name(r), hr_error(p));
        cancelled += r == HR_CANCELLED;
        assert_int_equal(count_rows(p, "executions", "state = RUNNING"), 0);
        assert_int_equal(count_rows(p, "executions", "state = FAILED"), 0);
        assert_int_equal(count_rows(p, "runs", "state = RUNNING"), 0);
    }
    assert_true(cancelled > 0);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"), in_process, &job));
    hr_cancel(job);
    assert_int_equal(hr_wait(job), HR_CANCELLED);
    hr_job_free(job);
    assert_int_equal(cancelled_run(f, p, true, 1000000000), HR_OK);
    hr_free(p);
}

/* -- models ------------------------------------------------------------------------------- */

struct predicting {
    const char *dir, *wanted;
    hr_model *shared; /* a handle on what all of them have loaded */
    int wrong;
};

static void ask(struct predicting *a, hr_model *m)
{
    const char *json = NULL;
    int i;

    for (i = 0; m && i < 50; i++)
        a->wrong += hr_model_predict_json(m, TEST_ROW, &json) < 0 || strcmp(json, a->wanted) != 0;
}

/* By what is shared, and by a model that is opened again and again, in a project of its own. */
static void *predict(void *user)
{
    struct predicting *a = user;
    int round;

    for (round = 0; round < 4; round++) {
        hr_project *p = hr_new(NULL);
        hr_model *m = NULL;

        if (hr_open(p, a->dir, HR_OPEN_HERE | HR_OPEN_LOOK) < 0 ||
            hr_model_open(p, "penguin@1", NULL, &m) < 0) {
            fprintf(stderr, "%s\n", hr_error(p));
            a->wrong++;
        }
        ask(a, m);
        ask(a, a->shared);
        hr_model_close(m);
        hr_free(p);
    }
    return NULL;
}

static void test_models(void **state)
{
    struct folder *f = *state;
    hr_project *p = penguin_in(f, "p");
    struct predicting predicting[MODELS] = { 0 };
    pthread_t threads[MODELS];
    const char *json = NULL;
    char wanted[512], dir[128];
    int i;

    snprintf(dir, sizeof dir, "%s/p", f->dir);
    for (i = 0; i < MODELS; i++)
        must(p, hr_model_open(p, "penguin@1", NULL, &predicting[i].shared));
    assert_int_equal(hr_model_predict_json(predicting[0].shared, TEST_ROW, &json), HR_OK);
    snprintf(wanted, sizeof wanted, "%s", json);
    for (i = 0; i < MODELS; i++) {
        predicting[i].dir = dir;
        predicting[i].wanted = wanted;
        assert_int_equal(pthread_create(&threads[i], NULL, predict, &predicting[i]), 0);
    }
    for (i = 0; i < 20; i++) /* the project is used meanwhile */
        assert_int_equal(count_rows(p, "models", NULL), 1);
    for (i = 0; i < MODELS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(predicting[i].wrong, 0);
    }
    hr_free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(test_two_jobs), TEST(test_cancel_any_time),
                                        TEST(test_models) };
    char threads[16];

    snprintf(threads, sizeof threads, "%d", THREADS);
    setenv("HEADRACE_THREADS", threads, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
