#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "help_os.h"

#include "base/base.h"
#include "metadata/metadata.h"

struct fixture {
    struct hr_env env;
    struct hr_arena arena;
    struct hr_store *store;
};

static int set_up(void **state)
{
    static struct fixture f;

    hr_env_init(&f.env, NULL);
    hr_arena_init(&f.arena, &f.env, 0);
    *state = &f;
    return hr_store_open(&f.env, ":memory:", HR_STORE_CREATE, &f.store);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hr_store_close(f->store);
    hr_arena_clear(&f->arena);
    hr_env_clear(&f->env);
    return 0;
}

static int64_t count(const char *path, const char *sql)
{
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;
    int64_t v = -1;

    if (!sqlite3_open(path, &db) && !sqlite3_prepare_v2(db, sql, -1, &s, NULL) &&
        sqlite3_step(s) == SQLITE_ROW)
        v = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return v;
}

static void test_schema(void **state)
{
    char path[] = "/tmp/hr_store_XXXXXX";
    struct hr_store *store;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    close(mkstemp(path));
    assert_int_equal(hr_store_open(&env, path, 0, &store), HR_PRECONDITION);
    hr_errors_cut(&env, 0);
    assert_int_equal(hr_store_open(&env, path, HR_STORE_CREATE | HR_STORE_WAL, &store), HR_OK);
    hr_store_close(store);
    assert_int_equal(count(path, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND"
                                 " name NOT LIKE 'sqlite%'"),
                     15);
    assert_int_equal(count(path, "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND"
                                 " name NOT LIKE 'idx_hr%'"),
                     40);
    assert_int_equal(count(path, "SELECT schema_version FROM MLMDEnv"), 10);
    assert_int_equal(count(path, "SELECT count(*) FROM Type"), 9);
    assert_int_equal(hr_store_open(&env, path, 0, &store), HR_OK);
    hr_store_close(store);
    count(path, "UPDATE MLMDEnv SET schema_version = 11");
    assert_int_equal(hr_store_open(&env, path, HR_STORE_CREATE, &store), HR_PRECONDITION);
    assert_non_null(strstr(hr_env_error(&env), "use a newer headrace"));
    unlink(path);
    hr_errors_cut(&env, 0);
    assert_int_equal(hr_store_open(&env, path, 0, &store), HR_NOT_FOUND);
    hr_errors_cut(&env, 0);
    assert_int_equal(hr_file_write(&env, path, "not a database, surely not one", 30), HR_OK);
    assert_int_equal(hr_store_open(&env, path, HR_STORE_CREATE, &store), HR_DATA_LOSS);
    unlink(path);
    hr_env_clear(&env);
}

static int64_t put_type(struct fixture *f, enum hr_type_kind kind, const char *name)
{
    static const struct hr_meta_type_property p[] = { { "span", HR_VALUE_INT },
                                                      { "split_names", HR_VALUE_STRING } };
    struct hr_meta_type type = { .kind = kind, .name = name };
    int64_t id = 0;

    if (kind == HR_KIND_ARTIFACT) {
        type.base = "mlmd.Dataset";
        type.properties = p;
        type.count = 2;
    }
    assert_int_equal(hr_store_put_type(f->store, &type, &id), HR_OK);
    return id;
}

static void test_types(void **state)
{
    static const struct hr_meta_type_property other = { "span", HR_VALUE_STRING };
    struct hr_meta_type type = { HR_KIND_ARTIFACT, "Examples", NULL, &other, 1 };
    struct fixture *f = *state;
    int64_t id = 0, again = 0;

    assert_int_equal(hr_store_begin(f->store, true), HR_OK);
    id = put_type(f, HR_KIND_ARTIFACT, "Examples");
    assert_int_equal(id, 10);
    again = put_type(f, HR_KIND_ARTIFACT, "Examples");
    assert_int_equal(again, id);
    assert_true(put_type(f, HR_KIND_EXECUTION, "Examples") != id);
    assert_int_equal(hr_store_put_type(f->store, &type, &again), HR_EXISTS);
    hr_store_rollback(f->store);
    assert_int_equal(hr_store_find_type(f->store, HR_KIND_ARTIFACT, "Examples", &id), HR_NOT_FOUND);
}

/* Every kind of value, and what it is when it is read. */
static void test_values(void **state)
{
    struct hr_meta_property p[] = {
        { "a", false, { .kind = HR_VALUE_INT, .i = INT64_MIN } },
        { "b", true, { .kind = HR_VALUE_DOUBLE, .d = 0.1 } },
        { "c", true, { .kind = HR_VALUE_STRING, .text = "it's \"q\" \xc3\xa4" } },
        { "d", true, { .kind = HR_VALUE_STRUCT, .text = "{\"z\": [1, 2.5, null], \"a\": \"x\"}" } },
        { "e", true, { .kind = HR_VALUE_STRUCT, .text = "[1, true]" } },
        { "f", true, { .kind = HR_VALUE_BOOL, .i = 1 } },
    };
    struct fixture *f = *state;
    struct hr_meta_node node = {
        .uri = "u", .state = HR_ARTIFACT_LIVE, .properties = p, .count = 6
    };
    int64_t id = 0;

    assert_int_equal(hr_store_begin(f->store, true), HR_OK);
    node.type_id = put_type(f, HR_KIND_ARTIFACT, "T");
    assert_int_equal(hr_store_add_artifact(f->store, &node, &id), HR_OK);
    assert_int_equal(hr_store_commit(f->store), HR_OK);
    assert_int_equal(hr_store_get(f->store, HR_KIND_ARTIFACT, id, &f->arena, &node), HR_OK);
    assert_int_equal(node.count, 6);
    assert_int_equal(hr_meta_int(&node, "a", 0), INT64_MIN);
    assert_true(hr_meta_value(&node, "b")->d == 0.1);
    assert_string_equal(hr_meta_text(&node, "c"), "it's \"q\" \xc3\xa4");
    assert_string_equal(hr_meta_text(&node, "d"), "{\"a\":\"x\",\"z\":[1,2.5,null]}");
    assert_string_equal(hr_meta_text(&node, "e"), "[1,true]");
    assert_int_equal(hr_meta_int(&node, "f", 0), 1);
    assert_string_equal(node.uri, "u");
    assert_string_equal(node.type, "T");
    p[0].value = (struct hr_meta_value){ .kind = HR_VALUE_DOUBLE, .d = 0.0 / 0.0 };
    assert_int_equal(hr_store_begin(f->store, true), HR_OK);
    node = (struct hr_meta_node){ .type_id = node.type_id, .properties = p, .count = 1 };
    assert_int_equal(hr_store_add_artifact(f->store, &node, &id), HR_INVALID);
    hr_store_rollback(f->store);
}

static void test_links(void **state)
{
    struct hr_meta_step steps[] = { { "model", 0 }, { NULL, 0 }, { "baseline", 0 }, { NULL, 2 } };
    struct fixture *f = *state;
    struct hr_meta_node node = { 0 };
    struct hr_meta_event event = { .type = HR_EVENT_OUTPUT, .steps = steps, .count = 4 };
    struct hr_meta_events events;
    int64_t run, pipeline, execution = 0, artifact = 0, type;
    struct hr_look look = { .kind = HR_KIND_ARTIFACT, .type = "T", .output_key = "baseline" };
    struct hr_meta_nodes nodes;

    assert_int_equal(hr_store_begin(f->store, true), HR_OK);
    type = put_type(f, HR_KIND_CONTEXT, "pipeline");
    assert_int_equal(hr_store_put_context(f->store, type, "p", &pipeline), HR_OK);
    assert_int_equal(hr_store_put_context(f->store, type, "r", &run), HR_OK);
    assert_int_equal(hr_store_put_parent(f->store, run, pipeline), HR_OK);
    node.type_id = put_type(f, HR_KIND_EXECUTION, "E");
    assert_int_equal(hr_store_add_execution(f->store, &node, &execution), HR_OK);
    node.type_id = put_type(f, HR_KIND_ARTIFACT, "T");
    node.state = HR_ARTIFACT_LIVE;
    assert_int_equal(hr_store_add_artifact(f->store, &node, &artifact), HR_OK);
    event.artifact = artifact;
    event.execution = execution;
    assert_int_equal(hr_store_add_event(f->store, &event), HR_OK);
    assert_int_equal(hr_store_put_association(f->store, run, execution), HR_OK);
    assert_int_equal(hr_store_put_association(f->store, run, execution), HR_OK);
    assert_int_equal(hr_store_put_attribution(f->store, run, artifact), HR_OK);
    assert_int_equal(hr_store_commit(f->store), HR_OK);
    assert_int_equal(hr_store_events_of_execution(f->store, execution, &f->arena, &events), 0);
    assert_int_equal(events.count, 1);
    assert_int_equal(events.items[0].count, 4);
    assert_string_equal(events.items[0].steps[2].key, "baseline");
    assert_int_equal(events.items[0].steps[3].index, 2);
    look.contexts = &run;
    look.context_count = 1;
    assert_int_equal(hr_store_look(f->store, &look, &f->arena, &nodes), HR_OK);
    assert_int_equal(nodes.count, 1);
    look.output_key = "nothing";
    assert_int_equal(hr_store_look(f->store, &look, &f->arena, &nodes), HR_OK);
    assert_int_equal(nodes.count, 0);
    look.output_key = NULL;
    look.contexts = &pipeline;
    assert_int_equal(hr_store_look(f->store, &look, &f->arena, &nodes), HR_OK);
    assert_int_equal(nodes.count, 0);
    assert_int_equal(hr_store_children(f->store, pipeline, &f->arena, &nodes), HR_OK);
    assert_int_equal(nodes.count, 1);
    assert_string_equal(nodes.items[0].name, "r");
    hr_store_begin(f->store, true);
    assert_int_equal(hr_store_add_event(f->store, &event), HR_EXISTS);
    hr_store_rollback(f->store);
}

static void test_names(void **state)
{
    static const char *const artifacts[] = { "UNKNOWN", "UNKNOWN", "PENDING",   "LIVE",
                                             "MARKED_FOR_DELETION", "DELETED", "ABANDONED",
                                             "REFERENCE", "UNKNOWN" };
    static const char *const executions[] = { "UNKNOWN", "UNKNOWN", "NEW",      "RUNNING",
                                              "COMPLETE", "FAILED", "CACHED", "CANCELED",
                                              "UNKNOWN" };
    int i;

    (void)state;
    for (i = 0; i < 9; i++) {
        assert_string_equal(hr_execution_state_name(i - 1), executions[i]);
        assert_string_equal(hr_artifact_state_name(i - 1), artifacts[i]);
    }
}

/* Runs of a pipeline by rank, their executions counted, the other ends of events. */
static void test_counts(void **state)
{
    static const int states[] = { HR_EXECUTION_RUNNING, HR_EXECUTION_CANCELED,
                                  HR_EXECUTION_FAILED };
    struct fixture *f = *state;
    struct hr_meta_event event = { .type = HR_EVENT_OUTPUT };
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "run", .newest_first = true };
    struct hr_meta_node node = { 0 }, read;
    struct hr_meta_links links;
    struct hr_meta_nodes nodes;
    struct hr_meta_sum sum = { 0 };
    int64_t runs[3], pipeline, type, executions[3], artifact, v = 0;
    int i;

    assert_int_equal(hr_store_begin(f->store, true), HR_OK);
    type = put_type(f, HR_KIND_CONTEXT, "run");
    assert_int_equal(hr_store_put_context(f->store, type, "p", &pipeline), HR_OK);
    node.type_id = put_type(f, HR_KIND_ARTIFACT, "T");
    node.state = HR_ARTIFACT_LIVE;
    assert_int_equal(hr_store_add_artifact(f->store, &node, &artifact), HR_OK);
    node.type_id = put_type(f, HR_KIND_EXECUTION, "E");
    for (i = 0; i < 3; i++) {
        char name[] = { (char)('a' + i), '\0' };

        assert_int_equal(hr_store_put_context(f->store, type, name, &runs[i]), HR_OK);
        assert_int_equal(hr_store_put_parent(f->store, runs[i], pipeline), HR_OK);
        node.state = states[i];
        assert_int_equal(hr_store_add_execution(f->store, &node, &executions[i]), HR_OK);
        event.artifact = artifact;
        event.execution = executions[i];
        assert_int_equal(hr_store_add_event(f->store, &event), HR_OK);
    }
    for (i = 0; i < 3; i++)
        assert_int_equal(hr_store_put_association(f->store, runs[1], executions[i]), HR_OK);
    assert_int_equal(hr_store_set_uri(f->store, artifact, "/there"), HR_OK);
    assert_int_equal(hr_store_commit(f->store), HR_OK);
    assert_int_equal(hr_store_sum(f->store, runs[1], &sum), HR_OK);
    assert_int_equal(sum.executions, 3);
    assert_int_equal(sum.running, 1);
    assert_int_equal(sum.failed, 1);
    assert_int_equal(sum.canceled, 1);
    assert_true(sum.last_ms > 0);
    assert_int_equal(hr_store_sum(f->store, runs[0], &sum), HR_OK);
    assert_true(sum.executions == 0 && sum.last_ms == 0);
    assert_int_equal(hr_store_child(f->store, pipeline, 2, &v), HR_OK);
    assert_int_equal(v, runs[1]);
    assert_int_equal(hr_store_child(f->store, pipeline, 4, &v), HR_NOT_FOUND);
    assert_int_equal(hr_store_children_between(f->store, pipeline, runs[0], runs[2], &v), HR_OK);
    assert_int_equal(v, 2);
    assert_int_equal(hr_store_links(f->store, HR_KIND_ARTIFACT, artifact, &f->arena, &links), 0);
    assert_int_equal(links.count, 3);
    assert_true(links.items[2].id == executions[2] && links.items[2].state == HR_EXECUTION_FAILED);
    assert_int_equal(hr_store_links(f->store, HR_KIND_EXECUTION, executions[0], &f->arena, &links),
                     HR_OK);
    assert_true(links.count == 1 && links.items[0].id == artifact &&
                links.items[0].state == HR_ARTIFACT_LIVE);
    assert_int_equal(hr_store_get(f->store, HR_KIND_ARTIFACT, artifact, &f->arena, &read), HR_OK);
    assert_string_equal(read.uri, "/there");
    look.limit = 2;
    look.before = runs[2];
    assert_int_equal(hr_store_look(f->store, &look, &f->arena, &nodes), HR_OK);
    assert_true(nodes.count == 2 && nodes.items[0].id == runs[1] && nodes.items[1].id == runs[0]);
    assert_int_equal(hr_store_check(f->store), HR_OK);
    assert_false(hr_store_read_only(f->store));
}

enum { WRITERS = 4, WRITES = 50 };

static int write_many(const char *path)
{
    struct hr_meta_type type = { .kind = HR_KIND_EXECUTION, .name = "E" };
    struct hr_store *store;
    struct hr_meta_node node = { 0 };
    struct hr_env env;
    int64_t id;
    int i;

    hr_env_init(&env, NULL);
    if (hr_store_open(&env, path, HR_STORE_CREATE | HR_STORE_WAL, &store) < 0)
        return 1;
    for (i = 0; i < WRITES; i++)
        if (hr_store_begin(store, true) < 0 || hr_store_put_type(store, &type, &node.type_id) < 0 ||
            hr_store_add_execution(store, &node, &id) < 0 || hr_store_commit(store) < 0)
            return 1;
    hr_store_close(store);
    hr_env_clear(&env);
    return 0;
}

/* Several processes open one new file at once and write to it; no row is lost. */
static void test_processes(void **state)
{
    char dir[] = "/tmp/hr_store_XXXXXX", path[64];
    int i, status;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/m.sqlite", dir);
    for (i = 0; i < WRITERS; i++)
        if (fork() == 0)
            _exit(write_many(path));
    for (i = 0; i < WRITERS; i++) {
        wait(&status);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count(path, "SELECT count(*) FROM Execution"), WRITERS * WRITES);
    assert_int_equal(count(path, "SELECT count(*) FROM Type WHERE name = 'E'"), 1);
    assert_int_equal(count(path, "SELECT count(*) FROM Type"), 10);
    unlink(path);
    rmdir(dir);
}

/* Several processes make one new store at once: all of them may use it. */
static void test_made_at_once(void **state)
{
    enum { PROCESSES = 8, ROUNDS = 10 };
    char dir[] = "/tmp/hr_store_XXXXXX", path[sizeof dir + 20];
    int round, i, status, failed = 0, start[2];
    struct hr_env env;
    char byte;

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (round = 0; round < ROUNDS; round++) {
        snprintf(path, sizeof path, "%s/%d.sqlite", dir, round);
        assert_int_equal(pipe(start), 0);
        for (i = 0; i < PROCESSES; i++)
            if (fork() == 0) {
                struct hr_store *store = NULL;
                hr_status r;

                close(start[1]);
                if (read(start[0], &byte, 1) != 0) /* all begin when the other end is closed */
                    _exit(2);
                hr_env_init(&env, NULL);
                r = hr_store_open(&env, path, HR_STORE_CREATE | HR_STORE_WAL, &store);
                if (r < 0)
                    fprintf(stderr, "%s\n", hr_env_error(&env));
                hr_store_close(store);
                hr_env_clear(&env);
                _exit(r < 0);
            }
        close(start[0]);
        close(start[1]);
        for (i = 0; i < PROCESSES; i++)
            failed += wait(&status) < 0 || status != 0;
        assert_int_equal(failed, 0);
        assert_int_equal(count(path, "SELECT count(*) FROM MLMDEnv"), 1);
    }
    hr_env_init(&env, NULL);
    assert_int_equal(hr_tree_remove(&env, dir), HR_OK);
    hr_env_clear(&env);
}

static hr_status put(struct hr_store *store, const char *name)
{
    struct hr_meta_type type = { .kind = HR_KIND_EXECUTION, .name = name };
    hr_status r = hr_store_begin_relaxed(store);
    int64_t id;

    return r < 0 ? r : hr_store_put_type(store, &type, &id);
}

/* Parts of a group are seen together; one that is undone takes no other with it. */
static void test_group(void **state)
{
    static const char all[] = "SELECT count(*) FROM Type WHERE name IN ('a', 'b', 'c')";
    char path[] = "/tmp/hr_store_XXXXXX";
    struct hr_store *store;
    struct hr_env env;
    int64_t id;

    (void)state;
    hr_env_init(&env, NULL);
    close(mkstemp(path));
    assert_int_equal(hr_store_open(&env, path, HR_STORE_CREATE | HR_STORE_WAL, &store), HR_OK);
    hr_store_group(store);
    assert_int_equal(put(store, "a"), HR_OK);
    assert_int_equal(hr_store_commit(store), HR_OK);
    assert_int_equal(put(store, "b"), HR_OK);
    hr_store_rollback(store);
    assert_int_equal(put(store, "c"), HR_OK);
    assert_int_equal(hr_store_commit(store), HR_OK);
    assert_int_equal(count(path, all), 0);
    assert_int_equal(hr_store_find_type(store, HR_KIND_EXECUTION, "b", &id), HR_NOT_FOUND);
    assert_int_equal(hr_store_group_end(store), HR_OK);
    assert_int_equal(count(path, all), 2);
    hr_store_group(store); /* without writes it takes no lock */
    assert_int_equal(count(path, "DELETE FROM Type WHERE name = 'a' RETURNING id") > 0, 1);
    assert_int_equal(hr_store_group_end(store), HR_OK);
    hr_store_close(store);
    unlink(path);
    hr_env_clear(&env);
}

/* A sync beside the work: its failure is told, and nothing counts as durable then. */
static void test_sync(void **state)
{
    char path[] = "/tmp/hr_store_XXXXXX";
    struct help_os os;
    struct hr_env_config config = { .os = help_os_init(&os, 0, -EIO) };
    struct hr_store *store;
    struct pollfd fd = { -1, POLLIN, 0 }, watch = fd;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, &config);
    close(mkstemp(path));
    assert_int_equal(hr_store_open(&env, path, HR_STORE_CREATE | HR_STORE_WAL, &store), HR_OK);
    watch.fd = env.os->watch_new(env.os->user);
    assert_int_equal(hr_store_sync_end(store), HR_OK); /* none was begun */
    assert_int_equal(put(store, "a"), HR_OK);
    assert_int_equal(hr_store_commit(store), HR_OK);
    assert_int_equal(hr_store_sync_begin(store, &fd.fd), HR_OK);
    assert_int_equal(env.os->watch(env.os->user, watch.fd, fd.fd), 0);
    assert_int_equal(poll(&watch, 1, 10000), 1);
    assert_int_equal(hr_store_sync_end(store), HR_OK);
    assert_int_equal(poll(&watch, 1, 0), 0); /* nobody who watches it is woken again */
    os.fail_at = os.calls + 2; /* after the open */
    assert_int_equal(hr_store_sync_begin(store, &fd.fd), HR_OK);
    assert_int_equal(hr_store_sync_end(store), HR_DATA_LOSS);
    assert_non_null(strstr(hr_env_error(&env), "-wal"));
    assert_int_equal(hr_store_sync(store), HR_OK);
    hr_store_close(store);
    close(watch.fd);
    unlink(path);
    hr_env_clear(&env);
}

/* SQLite's own files, of which a log cannot be opened. */
static sqlite3_vfs without_log, *with_log;

static int open_no_log(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    return flags & SQLITE_OPEN_WAL ? SQLITE_CANTOPEN
                                   : with_log->xOpen(with_log, name, file, flags, out);
}

/* A store is looked at where its log cannot be made; nothing of the first attempt is left. */
static void test_no_log(void **state)
{
    char dir[] = "/tmp/hr_store_XXXXXX", path[sizeof dir + 20];
    struct hr_store *store = NULL;
    sqlite3_int64 before;
    struct hr_env env;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/m.sqlite", dir);
    hr_env_init(&env, NULL);
    assert_int_equal(hr_store_open(&env, path, HR_STORE_CREATE | HR_STORE_WAL, &store), HR_OK);
    assert_false(hr_store_read_only(store));
    hr_store_close(store);
    with_log = sqlite3_vfs_find(NULL);
    without_log = *with_log;
    without_log.zName = "without_log";
    without_log.xOpen = open_no_log;
    assert_int_equal(sqlite3_vfs_register(&without_log, 1), SQLITE_OK);
    before = sqlite3_memory_used();
    assert_int_equal(hr_store_open(&env, path, HR_STORE_WAL, &store), HR_OK);
    assert_true(hr_store_read_only(store));
    hr_store_close(store);
    assert_int_equal(sqlite3_memory_used(), before);
    snprintf(path, sizeof path, "%s/new.sqlite", dir);
    assert_true(hr_store_open(&env, path, HR_STORE_CREATE | HR_STORE_WAL, &store) < 0);
    assert_int_equal(sqlite3_memory_used(), before);
    assert_int_equal(sqlite3_vfs_unregister(&without_log), SQLITE_OK);
    assert_int_equal(sqlite3_vfs_register(with_log, 1), SQLITE_OK);
    assert_int_equal(hr_tree_remove(&env, dir), HR_OK);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_sync),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_made_at_once),
        cmocka_unit_test(test_no_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
