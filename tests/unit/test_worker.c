#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "plugin/plugin.h"
#include "plugin/worker/channel.h"
#include "plugin/worker/worker.h"

#if defined(__SANITIZE_THREAD__)
enum { CAN_CLONE = 0 };
#else
enum { CAN_CLONE = 1 };
#endif

struct fixture {
    struct hr_env env;
    struct hr_catalogue *catalogue;
    struct hr_zygote *zygote; /* NULL: workers are spawned */
    struct hr_crew *crew;
    char dir[64];
};

/* What came of one hook. */
struct came {
    char result[200000];
    char logs[4096];
    char ending[256];
    int lines, walls;
    double done;
};

static int set_up(void **state)
{
    static const char *const places[] = { HR_TEST_PLUGINS, "/nowhere", NULL };
    static struct fixture f;
    struct hr_catalogue_config config = { .places = places, .worker = HR_TEST_WORKER };

    hr_env_init(&f.env, NULL);
    strcpy(f.dir, "/tmp/hr_worker_XXXXXX");
    *state = &f;
    return !mkdtemp(f.dir) || hr_catalogue_open(&f.env, &config, &f.catalogue) < 0 ||
           hr_crew_new(&f.env, &f.crew) < 0;
}

static int set_up_zygote(void **state)
{
    struct fixture *f;

    if (set_up(state))
        return 1;
    f = *state;
    return hr_zygote_new(&f->env, HR_TEST_WORKER, &f->zygote) < 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hr_zygote_free(f->zygote);
    f->zygote = NULL;
    hr_crew_free(f->crew);
    f->crew = NULL;
    hr_catalogue_close(f->catalogue);
    hr_tree_remove(&f->env, f->dir);
    hr_env_clear(&f->env);
    return 0;
}

/* A program in place of the worker: it sends a result, and ends with the request to stop unread. */
static void test_result_beside_request(void **state)
{
    static const char script[] = "#!/bin/sh\nprintf 'R{\"status\": 0}' >&3\n: >sent\n"
                                 "while [ ! -e asked ]; do sleep 0.01; done\n";
    struct fixture *f = *state;
    struct hr_process_config config = { .job = "{}", .job_size = 2, .watch = -1 };
    char path[128], cwd[4096];
    struct hr_message m = { .kind = HR_MESSAGE_NONE };
    struct hr_process *p = NULL;
    bool result = false;

    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(chdir(f->dir), 0);
    snprintf(path, sizeof path, "%s/worker", f->dir);
    assert_int_equal(hr_file_write(&f->env, path, script, strlen(script)), HR_OK);
    assert_int_equal(chmod(path, 0700), 0);
    config.worker = path;
    assert_int_equal(hr_process_start(&f->env, &config, &p), HR_OK);
    while (access("sent", F_OK) < 0)
        usleep(1000);
    hr_process_stop(p, HR_STOP_ASK);
    assert_int_equal(hr_file_write(&f->env, "asked", "", 0), HR_OK);
    usleep(300000); /* it has ended before anything is read */
    while (m.kind != HR_MESSAGE_END) {
        assert_int_equal(hr_process_read(p, &m), HR_OK);
        if (m.kind == HR_MESSAGE_RESULT) {
            result = true;
            assert_string_equal(m.text, "{\"status\": 0}");
        }
    }
    assert_true(result);
    assert_string_equal(hr_process_ending(p), "");
    hr_process_free(p);
    assert_int_equal(chdir(cwd), 0);
}

static void test_catalogue(void **state)
{
    struct fixture *f = *state;
    const struct hr_component_info *c =
        hr_catalogue_component(f->catalogue, NULL, NULL, "line-count");
    struct hr_place place = { "p.json", 1, 2 };

    assert_non_null(c);
    assert_string_equal(c->id, "org.headrace.line-count");
    assert_int_equal(c->input_count, 1);
    assert_string_equal(c->inputs[0].key, "table");
    assert_int_equal(c->outputs[0].property_count, 1);
    assert_string_equal(c->properties[0].constraint, "0..");
    assert_true(hr_component_offers(c, "hr.executor/1"));
    assert_string_equal(c->plugin->id, "org.headrace.examples");
    assert_null(hr_catalogue_component(f->catalogue, NULL, &place, "line-cuont"));
    assert_string_equal(hr_env_error(&f->env), "p.json:1:2: there is no component \"line-cuont\"; "
                                               "did you mean \"line-count\"?");
    hr_errors_cut(&f->env, 0);
    assert_null(hr_catalogue_component(f->catalogue, NULL, &place, "zebra"));
    assert_non_null(strstr(hr_env_error(&f->env), "\"/nowhere\" (not there)"));
    hr_errors_cut(&f->env, 0);
}

static void drain(struct fixture *f, struct hr_process *p, int watch, struct came *came)
{
    struct pollfd fd = { watch, POLLIN, 0 };
    struct hr_message m;

    memset(came, 0, sizeof *came);
    do {
        assert_int_equal(hr_process_read(p, &m), HR_OK);
        switch (m.kind) {
        case HR_MESSAGE_NONE:
            f->env.os->poll(f->env.os->user, &fd, 1, 1000);
            break;
        case HR_MESSAGE_LOG:
        case HR_MESSAGE_PRINT:
            came->lines++;
            if (strlen(came->logs) + strlen(m.text) + 2 < sizeof came->logs)
                strcat(strcat(came->logs, m.text), "\n");
            break;
        case HR_MESSAGE_PROGRESS:
            came->done = m.done;
            break;
        case HR_MESSAGE_WALLS:
            came->walls = strstr(m.text, " seccomp") && strstr(m.text, " landlock");
            break;
        case HR_MESSAGE_RESULT:
            snprintf(came->result, sizeof came->result, "%s", m.text);
            break;
        case HR_MESSAGE_END:
            snprintf(came->ending, sizeof came->ending, "%s", hr_process_ending(p));
            break;
        }
    } while (m.kind != HR_MESSAGE_END);
}

static struct hr_process *begin(struct fixture *f, const char *how, bool isolated, int *ret_watch)
{
    const struct hr_component_info *c =
        hr_catalogue_component(f->catalogue, NULL, NULL, "Misbehave");
    struct hr_process_config config = { .worker = isolated ? HR_TEST_WORKER : NULL,
                                        .zygote = isolated ? f->zygote : NULL,
                                        .in_process = hr_worker_in_process,
                                        .crew = f->crew,
                                        .plugins = &c->plugin,
                                        .plugin_count = 1 };
    struct hr_process *p = NULL;
    char job[2048];

    *ret_watch = f->env.os->watch_new(f->env.os->user);
    snprintf(job, sizeof job,
             "{\"hook\":\"run\",\"component\":\"%s\",\"inputs\":[],\"outputs\":[{\"key\":\"stats\","
             "\"base\":\"%s\",\"properties\":[{\"key\":\"lines\",\"type\":1}],"
             "\"artifacts\":[{\"uri\":\"%s\"}]}],\"properties\":"
             "[{\"key\":\"how\",\"type\":3,\"value\":\"%s\"}],\"tmp\":\"%s\",\"state\":\"%s\","
             "\"walls\":{\"required\":false}}",
             c->id, f->dir, f->dir, how, f->dir, f->dir);
    config.job = job;
    config.job_size = strlen(job);
    config.watch = *ret_watch;
    assert_int_equal(hr_process_start(&f->env, &config, &p), HR_OK);
    return p;
}

static struct came run_how(struct fixture *f, const char *how, bool isolated)
{
    static struct came came;
    int watch;
    struct hr_process *p = begin(f, how, isolated, &watch);

    drain(f, p, watch, &came);
    hr_process_free(p);
    f->env.os->close(f->env.os->user, watch);
    return came;
}

static void test_good(void **state)
{
    struct fixture *f = *state;
    int isolated;

    for (isolated = 0; isolated < 2; isolated++) {
        struct came came = run_how(f, "progress", isolated);

        assert_non_null(strstr(came.result, "\"status\":0"));
        assert_non_null(strstr(came.result, "{\"name\":\"lines\",\"int\":7}"));
        assert_true(came.done == 1);
        assert_string_equal(came.ending, "");
        assert_int_equal(came.walls, isolated);
        came = run_how(f, "long", isolated);
        assert_true(strlen(came.result) > 90000);
        came = run_how(f, "nested", isolated);
        assert_non_null(strstr(came.result, "\"status\":-5"));
        assert_non_null(strstr(came.result, "\"errors\":[\"outer\",\"inner\"]"));
        came = run_how(f, "silent", isolated);
        assert_non_null(strstr(came.result, "gave no reason"));
        came = run_how(f, "reserved", isolated);
        assert_non_null(strstr(came.result, "names that begin with __"));
        came = run_how(f, "wrong type", isolated);
        assert_non_null(strstr(came.result, "is declared as int, and is set as string"));
    }
}

static void test_prints(void **state)
{
    struct fixture *f = *state;
    struct came came = run_how(f, "print", true);

    assert_non_null(strstr(came.logs, "a line on stdout\n"));
    assert_non_null(strstr(came.logs, "a line on stderr, without an end\n"));
    assert_non_null(strstr(came.result, "\"status\":0"));
    came = run_how(f, "shout", true);
    assert_non_null(strstr(came.result, "\"status\":0"));
    assert_true(came.lines > 10);
}

static void test_ends(void **state)
{
    struct fixture *f = *state;
    struct came came = run_how(f, "exit", true);

    assert_string_equal(came.ending, "exited with status 3 without a result");
    came = run_how(f, "abort", true);
    assert_string_equal(came.ending, "was ended by signal 6 (SIGABRT)");
#if !defined(HR_SANITIZED)
    came = run_how(f, "crash", true);
    assert_string_equal(came.ending, "was ended by signal 11 (SIGSEGV)");
#endif
}

/* Each thing that the walls forbid fails inside, and so the hook succeeds. */
static void test_walls(void **state)
{
    static const char *const hows[] = {
        "write",
        "read",
        "socket",
        "kill",
#if !defined(HR_SANITIZED)
        "fork"
#endif
    };
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < sizeof hows / sizeof hows[0]; i++) {
        struct came came = run_how(f, hows[i], true);

        if (!strstr(came.result, "\"status\":0"))
            fail_msg("%s: %s %s", hows[i], came.result, came.ending);
    }
}

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    static struct came came;
    struct hr_process *p;
    int watch, isolated;

    for (isolated = 0; isolated < 2; isolated++) {
        p = begin(f, "cancel", isolated, &watch);
        hr_process_stop(p, HR_STOP_ASK);
        drain(f, p, watch, &came);
        assert_non_null(strstr(came.result, "\"status\":-1"));
        hr_process_free(p);
        f->env.os->close(f->env.os->user, watch);
    }
    p = begin(f, "hang", true, &watch);
    hr_process_stop(p, HR_STOP_TERM);
    drain(f, p, watch, &came);
    assert_string_equal(came.ending, "was ended by signal 15 (SIGTERM)");
    hr_process_free(p);
    f->env.os->close(f->env.os->user, watch);
    p = begin(f, "hang", true, &watch);
    hr_process_free(p); /* does not wait for ever */
    f->env.os->close(f->env.os->user, watch);
}

static int listening; /* somebody is about to read what a thread has sent */

/* Reads when the other end is closed. */
static int64_t late_recv(void *user, int fd, void *to, size_t n, int *ret_fd)
{
    struct pollfd hangup = { .fd = fd };

    __atomic_store_n(&listening, 1, __ATOMIC_RELEASE);
    poll(&hangup, 1, 10000);
    return hr_os_default()->recv(user, fd, to, n, ret_fd);
}

static void answer_late(int socket, const char *job, size_t job_size,
                        const struct hr_plugin_info *const *plugins, size_t plugin_count,
                        volatile int32_t *cancel)
{
    (void)job, (void)job_size, (void)plugins, (void)plugin_count, (void)cancel;
    while (!__atomic_load_n(&listening, __ATOMIC_ACQUIRE))
        usleep(1000);
    hr_os_default()->send(NULL, socket, "R{}", 3, -1);
}

/* A thread that ends between the look whether it has and the reading: nothing else would wake who
 * waits for it. */
static void test_thread_ends_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct hr_os os = *hr_os_default();
    struct hr_env_config with = { .os = &os };
    struct hr_process_config config = { .in_process = answer_late,
                                        .crew = f->crew,
                                        .job = "{}",
                                        .job_size = 2,
                                        .watch = -1 };
    struct hr_process *p = NULL;
    struct hr_message m;
    struct hr_env env;

    os.recv = late_recv;
    listening = 0;
    hr_env_init(&env, &with);
    assert_int_equal(hr_process_start(&env, &config, &p), HR_OK);
    assert_int_equal(hr_process_read(p, &m), HR_OK);
    assert_int_equal(m.kind, HR_MESSAGE_RESULT);
    assert_string_equal(m.text, "{}");
    assert_int_equal(hr_process_read(p, &m), HR_OK);
    assert_int_equal(m.kind, HR_MESSAGE_END);
    hr_process_free(p);
    hr_env_clear(&env);
}

static int64_t short_send(void *user, int fd, const void *from, size_t n, int pass_fd)
{
    static const int errors[] = { -ENOBUFS, -EAGAIN, -ENOMEM };
    int *calls = user;

    return *calls < 3 ? errors[(*calls)++] : hr_os_default()->send(NULL, fd, from, n, pass_fd);
}

static int no_memfd(void *user, const char *name)
{
    (void)user, (void)name;
    return -ENOMEM;
}

/* A result comes, though the system is short of memory for a moment. */
static void test_result_of_a_short_system(void **state)
{
    static char large[HR_MAX_PACKET];
    struct hr_os os = *hr_os_default();
    struct hr_env_config with = { .os = &os };
    struct hr_channel channel;
    char got[16] = "";
    int pair[2], calls = 0;
    struct hr_env env;

    (void)state;
    os.send = short_send;
    os.user = &calls;
    hr_env_init(&env, &with);
    assert_int_equal(hr_os_default()->socketpair(NULL, pair), 0);
    channel = (struct hr_channel){ &env, pair[0], 0 };
    assert_true(hr_channel_result(&channel, "{}", 2));
    assert_int_equal(hr_os_default()->recv(NULL, pair[1], got, sizeof got, NULL), 3);
    assert_string_equal(got, "R{}");
    os.memfd = no_memfd;
    assert_false(hr_channel_result(&channel, large, sizeof large));
    close(pair[0]);
    close(pair[1]);
    hr_env_clear(&env);
}

/* Ends the children of ours that are alive: what workers are copied from, and those that
 * stand by.  Returns how many there were. */
static int kill_children(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    char path[300], line[512], state;
    int parent, found = 0;
    siginfo_t ended;
    FILE *f;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !(f = fopen(path, "r")))
            continue;
        parent = 0;
        state = 'Z';
        if (fgets(line, sizeof line, f) && strrchr(line, ')'))
            sscanf(strrchr(line, ')') + 1, " %c %d", &state, &parent);
        fclose(f);
        if (parent != (int)getpid() || state == 'Z')
            continue;
        found++;
        kill(atoi(entry->d_name), SIGKILL);
        assert_int_equal(waitid(P_PID, (id_t)atoi(entry->d_name), &ended, WEXITED | WNOWAIT), 0);
    }
    closedir(dir);
    return found;
}

/* Whatever becomes of it, workers come: spawned, or from the next one, which is not tried for
 * ever. */
static void test_zygote_killed(void **state)
{
    struct fixture *f = *state;
    int i, last = -1;

    for (i = 0; i < 16; i++) {
        struct came came = run_how(f, "progress", true);

        assert_non_null(strstr(came.result, "\"status\":0"));
        if (kill_children())
            last = i;
    }
    assert_true(CAN_CLONE ? last > 0 && last < 10 : last < 10);
}

static int spawned_count;

static int count_spawns(void *user, const struct hr_spawn *spawn, int *ret_pidfd)
{
    spawned_count++;
    return hr_os_default()->spawn(user, spawn, ret_pidfd);
}

/* One process is started for as many workers as there are: the zygote. */
static void test_zygote_serves(void **state)
{
    enum { MANY = 3 * HR_ZYGOTE_ENDS };
    struct fixture *f = *state;
    const struct hr_os *kept = f->env.os;
    struct hr_os os = *kept;
    struct came came;
    int i;

    hr_zygote_free(f->zygote);
    assert_int_equal(hr_zygote_new(&f->env, HR_TEST_WORKER, &f->zygote), HR_OK);
    os.spawn = count_spawns;
    spawned_count = 0;
    f->env.os = &os;
    for (i = 0; i < MANY; i++) {
        came = run_how(f, "progress", true);
        assert_non_null(strstr(came.result, "\"status\":0"));
    }
    f->env.os = kept;
    if (CAN_CLONE)
        assert_int_equal(spawned_count, 1);
}

/* Nothing is left of it: neither a process nor what is to be reaped. */
static void test_zygote_freed(void **state)
{
    struct fixture *f = *state;
    struct came came;

    hr_zygote_free(f->zygote);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ; /* children that were killed before anybody was told of them */
    assert_int_equal(hr_zygote_new(&f->env, HR_TEST_WORKER, &f->zygote), HR_OK);
    came = run_how(f, "progress", true);
    assert_non_null(strstr(came.result, "\"status\":0"));
    hr_zygote_free(f->zygote);
    f->zygote = NULL;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* At an end there may be a child, that none could be made, or nobody: children are reaped. */
static void test_zygote_end(void **state)
{
    struct fixture *f = *state;
    const struct hr_os *os = f->env.os;
    int32_t told[3] = { 0, -EAGAIN, 0 };
    int pair[2], i;

    if ((told[0] = (int32_t)fork()) == 0)
        _exit(0);
    for (i = 0; i < 3; i++) {
        assert_int_equal(os->socketpair(os->user, pair), 0);
        if (told[i])
            assert_int_equal(os->send(os->user, pair[1], &told[i], sizeof told[i], -1),
                             sizeof told[i]);
        close(pair[1]);
        os->zygote_end(os->user, pair[0]);
        close(pair[0]);
    }
    assert_int_equal(waitpid(told[0], NULL, WNOHANG), -1);
}

static int watch_calls;

static int watch_fails(void *user, int watch, int fd)
{
    return --watch_calls ? hr_os_default()->watch(user, watch, fd) : -ENOSPC;
}

/* A worker that cannot be watched is none: its messages would never be read. */
static void test_unwatched(void **state)
{
    struct fixture *f = *state;
    struct hr_os os = *f->env.os;
    const struct hr_os *kept = f->env.os;
    const struct hr_component_info *c =
        hr_catalogue_component(f->catalogue, NULL, NULL, "Misbehave");
    struct hr_process_config config = { .plugins = &c->plugin,
                                        .plugin_count = 1,
                                        .in_process = hr_worker_in_process,
                                        .crew = f->crew,
                                        .job = "{}",
                                        .job_size = 2 };
    struct hr_process *p = NULL;
    int isolated, i;

    os.watch = watch_fails;
    config.watch = os.watch_new(os.user);
    for (isolated = 0; isolated < 2; isolated++)
        for (i = 1; i <= (isolated ? 4 : 1); i++) {
            watch_calls = i;
            config.worker = isolated ? HR_TEST_WORKER : NULL;
            f->env.os = &os;
            assert_true(hr_process_start(&f->env, &config, &p) < 0);
            f->env.os = kept;
            assert_null(p);
            assert_non_null(strstr(hr_env_error(&f->env), "cannot watch"));
            hr_env_clear(&f->env);
            assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        }
    os.close(os.user, config.watch);
}

int main(void)
{
    const struct CMUnitTest spawned[] = {
        cmocka_unit_test(test_result_beside_request),
        cmocka_unit_test(test_catalogue), cmocka_unit_test(test_good),
        cmocka_unit_test(test_prints),    cmocka_unit_test(test_ends),
        cmocka_unit_test(test_walls),     cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_thread_ends_meanwhile),
        cmocka_unit_test(test_result_of_a_short_system),
        cmocka_unit_test(test_zygote_end), cmocka_unit_test(test_unwatched),
    };
    const struct CMUnitTest copied[] = {
        cmocka_unit_test(test_good),  cmocka_unit_test(test_prints),
        cmocka_unit_test(test_ends),  cmocka_unit_test(test_walls),
        cmocka_unit_test(test_cancel), cmocka_unit_test(test_zygote_serves),
        cmocka_unit_test(test_zygote_killed),
        cmocka_unit_test(test_zygote_freed),
    };

    return cmocka_run_group_tests(spawned, set_up, tear_down) +
           cmocka_run_group_tests(copied, set_up_zygote, tear_down);
}
