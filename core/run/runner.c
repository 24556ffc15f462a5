/* The run: which nodes are ready, what has happened, when it is over. */
#include "run/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "run/ahead.h"
#include "run/record.h"
#include "run/settle.h"
#include "run/stage.h"
#include "run/tell.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* -- starting -------------------------------------------------------------- */

/* "penguin-20261125T101502-4f2a": unique over all pipelines, and no name that a file system
 * refuses. */
static void make_id(struct hr_runner *runner)
{
    int64_t now = runner->env->os->realtime_us(runner->env->os->user) / 1000000;
    time_t seconds = (time_t)now;
    unsigned char chance[2] = { 0 };
    struct tm tm;

    gmtime_r(&seconds, &tm);
    OS(runner->env, random, chance, sizeof chance);
    snprintf(runner->id, sizeof runner->id, "%s-%04d%02d%02dT%02d%02d%02d-%02x%02x",
             runner->config.pipeline->name, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, chance[0], chance[1]);
    runner->values.run_id = runner->id;
    runner->values.run_name = runner->config.name ? runner->config.name : runner->id;
    runner->values.run_time = now;
}

static hr_status make_dir(struct hr_runner *runner)
{
    char logs[HR_MAX_PATH], events[HR_MAX_PATH], host[HR_MAX_PATH];
    hr_status r = hr_path_join(runner->env, runner->config.paths->runs, runner->id, runner->dir);

    if (r == HR_OK)
        r = hr_path_join(runner->env, runner->dir, "logs", logs);
    if (r == HR_OK)
        r = hr_dir_make(runner->env, logs);
    if (r == HR_OK) /* for those who follow it: whose life it depends on */
        r = hr_path_join(runner->env, runner->dir, "host", host);
    if (r == HR_OK)
        r = hr_file_append(runner->env, host, runner->config.host->id,
                           strlen(runner->config.host->id));
    if (r == HR_OK)
        r = hr_path_join(runner->env, runner->dir, "events.jsonl", events);
    return r < 0 ? r : hr_file_append(runner->env, events, "", 0);
}

static hr_status record(struct hr_runner *runner)
{
    struct hr_store *store = runner->config.store;
    hr_status r = hr_store_begin_relaxed(store);

    if (r == HR_OK)
        r = hr_record_run(runner);
    if (r == HR_OK)
        r = hr_store_commit(store);
    if (r < 0)
        hr_store_rollback(store);
    return r;
}

static hr_status make_tasks(struct hr_runner *runner)
{
    const struct hr_pipeline *p = runner->config.pipeline;
    size_t i;

    for (i = 0; i < p->node_count; i++)
        if (!hr_task_add(runner, &p->nodes[i]))
            return HR_EXHAUSTED;
    return HR_OK;
}

static hr_status check_names(struct hr_runner *runner)
{
    const struct hr_runner_config *c = &runner->config;
    hr_status r = hr_runner_check_names(runner, "--force", c->force);

    if (r == HR_OK)
        r = hr_runner_check_names(runner, "--from", c->from);
    if (r == HR_OK)
        r = hr_runner_check_names(runner, "--to", c->to);
    return r < 0 ? r : hr_runner_check_names(runner, "--only", c->only);
}

static hr_status open_wakers(struct hr_runner *runner)
{
    int e;

    if ((e = OS(runner->env, pipe, runner->wake)) < 0)
        return hr_fail_os(runner->env, e, "make", "a pipe");
    OS(runner->env, nonblock, runner->wake[0]);
    OS(runner->env, nonblock, runner->wake[1]);
    e = runner->watch = runner->env->os->watch_new(runner->env->os->user);
    if (e >= 0)
        e = OS(runner->env, watch, runner->watch, runner->wake[0]);
    if (e < 0)
        return hr_fail_os(runner->env, e, "watch", "the workers");
    e = runner->timer = runner->env->os->timer(runner->env->os->user);
    if (e >= 0)
        e = OS(runner->env, watch, runner->watch, runner->timer);
    return e < 0 ? hr_fail_os(runner->env, e, "watch", "the time") : HR_OK;
}

hr_status hr_runner_make(struct hr_env *env, const struct hr_runner_config *config,
                         struct hr_runner **ret)
{
    struct hr_runner *runner = hr_mem_zero(env, sizeof *runner);
    hr_status r;

    if (!runner)
        return HR_EXHAUSTED;
    runner->env = env;
    runner->config = *config;
    runner->watch = runner->timer = runner->sync_fd = -1;
    runner->events_fd = runner->jobs_fd = -1;
    runner->wake[0] = runner->wake[1] = -1;
    runner->started_us = hr_now_us(runner);
    hr_arena_init(&runner->arena, env, 0);
    if (runner->config.jobs < 1)
        runner->config.jobs = env->os->cores(env->os->user);
    make_id(runner);
    r = hr_tell_prepare(runner);
    if (r == HR_OK)
        r = hr_pipeline_params(config->pipeline, config->given, config->given_count, true,
                               &runner->arena, &runner->values);
    if (r == HR_OK)
        r = check_names(runner);
    if (r == HR_OK)
        r = make_tasks(runner);
    if (r == HR_OK)
        r = hr_keep_plan(runner);
    if (r < 0)
        hr_runner_free(runner);
    else
        *ret = runner;
    return r;
}

hr_status hr_runner_start(struct hr_env *env, const struct hr_runner_config *config,
                          struct hr_runner **ret)
{
    struct hr_runner *runner;
    hr_status r = hr_runner_make(env, config, &runner);

    if (r < 0)
        return r;
    r = open_wakers(runner);
    if (r == HR_OK)
        r = record(runner);
    if (r == HR_OK)
        r = make_dir(runner);
    if (r < 0) {
        hr_runner_free(runner);
        return r;
    }
    OS(env, write, runner->wake[1], "x", 1); /* something is to do at once */
    *ret = runner;
    return HR_OK;
}

static void close_all(struct hr_runner *runner)
{
    int fds[] = { runner->wake[0], runner->wake[1],   runner->timer,
                  runner->watch,   runner->events_fd, runner->jobs_fd };
    size_t i;

    for (i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            OS(runner->env, close, fds[i]);
}

/* On record, and not ended. */
static bool is_open(const struct hr_task *task)
{
    return task->process || task->state == HR_TASK_REGISTERED || task->state == HR_TASK_LEASE ||
           task->state == HR_TASK_SEALED;
}

void hr_runner_free(struct hr_runner *runner)
{
    struct hr_env *env = runner ? runner->env : NULL;
    size_t i;

    if (!runner)
        return;
    for (i = 0; i < runner->count; i++) {
        struct hr_task *task = runner->tasks[i];

        if (is_open(task)) { /* freed in the middle: closed as cancelled */
            hr_task_unstage(runner, task, true);
            if (hr_store_begin(runner->config.store, true) == HR_OK &&
                (hr_record_canceled(env, runner->config.store, task->execution, HR_CANCELLED,
                                    "the host let it go") < 0 ||
                 hr_store_commit(runner->config.store) < 0))
                hr_store_rollback(runner->config.store);
        }
        hr_task_clear(runner, task);
        hr_arena_clear(&task->arena);
    }
    hr_runner_let_go(runner);
    hr_tell_clear(runner);
    hr_runner_remove_spares(runner);
    hr_zygote_free(runner->zygote);
    hr_crew_free(runner->crew);
    close_all(runner);
    hr_arena_clear(&runner->arena);
    hr_mem_put(env, runner, sizeof *runner);
}

/* -- going on -------------------------------------------------------------- */

const char *hr_runner_outcome(const struct hr_runner *runner)
{
    if (runner->cancelling)
        return "CANCELED";
    return runner->failed ? "FAILED" : "COMPLETE";
}

/* Nodes that are not "finally" have all ended. */
static bool others_ended(const struct hr_runner *runner)
{
    size_t i;

    for (i = 0; i < runner->count; i++)
        if (!runner->tasks[i]->node->last && !hr_task_ended(runner->tasks[i]))
            return false;
    return true;
}

static bool before_done(const struct hr_runner *runner, const struct hr_task *task,
                        bool *ret_blocked)
{
    const struct hr_node *node = task->node;
    bool done = true;
    size_t i;

    if (task->head)
        return true;
    if (node->last && !others_ended(runner))
        return false;
    for (i = 0; i < node->upstream_count; i++) {
        const struct hr_task *up = runner->tasks[node->upstream[i]];
        bool ok = up->state == HR_TASK_DONE || up->state == HR_TASK_SKIPPED;

        if (node->last && !up->node->last) /* whatever became of it */
            continue;
        done = done && ok;
        *ret_blocked = *ret_blocked || (!ok && hr_task_ended(up));
    }
    return done;
}

static bool at_work(const struct hr_task *task)
{
    return task->process || task->state == HR_TASK_REGISTERED || task->state == HR_TASK_LEASE ||
           task->state == HR_TASK_BACKOFF || task->state == HR_TASK_SPREAD;
}

/* May one more instance of its node begin? */
static bool within_parallel(const struct hr_runner *runner, const struct hr_task *task)
{
    const struct hr_each *each = task->head ? task->node->loops[task->depth - 1]->each : NULL;
    size_t busy = 0, i;

    if (!each || !each->parallel)
        return true;
    for (i = 0; i < task->head->instances; i++)
        busy += at_work(runner->tasks[task->head->first + i]);
    return busy < (size_t)each->parallel;
}

bool hr_runner_stops(const struct hr_runner *runner, const struct hr_task *task)
{
    return runner->cancelling || runner->sync_failed ||
           (runner->failed && !runner->config.keep_going && !task->node->last);
}

/* What is on record for good goes on while there are places: it starts, or is found in the
 * cache. */
static void go_on(struct hr_runner *runner)
{
    size_t i;

    for (i = 0; i < runner->live_count && runner->running < (size_t)runner->config.jobs; i++) {
        struct hr_task *task = runner->live[i];

        if (task->state == HR_TASK_REGISTERED && !task->registered &&
            !hr_runner_stops(runner, task))
            hr_task_registered(runner, task);
    }
}

/* Between the writes of a long step: places that have become free are taken by what is on record
 * from steps before. */
static void keep_busy(struct hr_runner *runner)
{
    size_t i;

    if (!runner->queued)
        return;
    for (i = 0; i < runner->live_count; i++)
        if (runner->live[i]->process)
            hr_task_pump(runner, runner->live[i]);
    go_on(runner);
}

static void begin_if_ready(struct hr_runner *runner, struct hr_task *task)
{
    bool room = hr_runner_has_room(runner), blocked = false;

    if (task->state == HR_TASK_BACKOFF && !runner->cancelling && room &&
        hr_now_us(runner) >= task->wake_us)
        hr_task_begin(runner, task);
    if (task->state != HR_TASK_WAITING)
        return;
    if (!before_done(runner, task, &blocked)) {
        if (blocked)
            task->state = HR_TASK_NOT_RUN;
        return;
    }
    if (hr_runner_stops(runner, task))
        task->state = HR_TASK_NOT_RUN;
    else if (room && within_parallel(runner, task)) {
        hr_task_begin(runner, task);
        keep_busy(runner);
    }
}

hr_status hr_runner_add_live(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_task **all;

    if (task->live)
        return HR_OK;
    all = hr_arena_grow(&runner->arena, runner->live, runner->live_count, &runner->live_cap,
                        sizeof(struct hr_task *));
    if (!all)
        return HR_EXHAUSTED;
    runner->live = all;
    runner->live[runner->live_count++] = task;
    task->live = true;
    return HR_OK;
}

static void drop_ended(struct hr_runner *runner)
{
    size_t i, n = 0;

    for (i = 0; i < runner->live_count; i++)
        if (hr_task_ended(runner->live[i]))
            runner->live[i]->live = false;
        else
            runner->live[n++] = runner->live[i];
    runner->live_count = n;
}

/* The first node, in the order of the graph, that has not ended. */
static size_t first_open(struct hr_runner *runner)
{
    const struct hr_pipeline *p = runner->config.pipeline;

    while (runner->ended < p->node_count &&
           hr_task_ended(runner->tasks[p->order[runner->ended]]))
        runner->ended++;
    return runner->ended;
}

/* One task, and the instances that it has spread into. */
static void begin_with_instances(struct hr_runner *runner, struct hr_task *task)
{
    size_t i;

    begin_if_ready(runner, task);
    if (task->state != HR_TASK_SPREAD)
        return;
    for (i = 0; i < task->instances; i++)
        begin_with_instances(runner, runner->tasks[task->first + i]);
    hr_task_gather(runner, task);
}

/* Begin what is ready, in the order of the graph; instances where their node stands.  Without room
 * and with nothing wrong there is nothing to find. */
static void begin_ready(struct hr_runner *runner)
{
    const struct hr_pipeline *p = runner->config.pipeline;
    size_t i;

    for (i = first_open(runner); i < p->node_count; i++) {
        if (!hr_runner_has_room(runner) && !runner->failed && !runner->cancelling)
            break;
        begin_with_instances(runner, runner->tasks[p->order[i]]);
    }
}

static void check_cancel(struct hr_runner *runner)
{
    char path[HR_MAX_PATH];

    if (runner->cancelling)
        return;
    if (__atomic_load_n(&runner->cancel, __ATOMIC_RELAXED) ||
        (hr_path_join(runner->env, runner->dir, "cancel", path) == HR_OK &&
         hr_file_exists(runner->env, path)))
        runner->cancelling = true;
}

static void publish_sealed(struct hr_runner *runner)
{
    size_t i;

    for (i = 0; runner->publishes && i < runner->live_count; i++)
        if (runner->live[i]->state == HR_TASK_SEALED) {
            hr_task_publish(runner, runner->live[i]);
            keep_busy(runner);
        }
}

/* One round; true: something is still to come. */
static bool step(struct hr_runner *runner)
{
    size_t i;

    check_cancel(runner);
    hr_runner_write(runner);
    for (i = 0; i < runner->live_count; i++)
        hr_task_pump(runner, runner->live[i]);
    hr_runner_plan(runner);
    publish_sealed(runner);
    begin_ready(runner);
    hr_runner_written(runner);
    hr_runner_write(runner);
    go_on(runner);
    hr_runner_written(runner);
    drop_ended(runner);
    return first_open(runner) < runner->config.pipeline->node_count || runner->live_count > 0;
}

static void tell_done(struct hr_runner *runner)
{
    size_t executed = 0, cached = 0, skipped = 0, failed = 0, not_run = 0, i;
    size_t kept = runner->env->errors.count;
    char text[1024];

    for (i = 0; i < runner->count; i++) {
        const struct hr_task *t = runner->tasks[i];

        if (t->instances) /* they are counted, not what they are of */
            continue;
        failed += t->state == HR_TASK_FAILED;
        skipped += t->state == HR_TASK_SKIPPED;
        not_run += t->state == HR_TASK_NOT_RUN || t->state == HR_TASK_CANCELLED;
        cached += t->state == HR_TASK_DONE && t->was_cached;
        executed += t->state == HR_TASK_DONE && !t->was_cached;
    }
    if (runner->cancelling && runner->status == HR_OK)
        runner->status = HR_CANCELLED;
    snprintf(text, sizeof text, "%zu executed, %zu cached, %zu skipped", executed, cached, skipped);
    if (failed || not_run)
        snprintf(text + strlen(text), sizeof text - strlen(text), ", %zu failed, %zu not run",
                 failed, not_run);
    if (!runner->sync_failed && hr_store_sync(runner->config.store) < 0) {
        if (runner->status == HR_OK)
            runner->status = HR_UNAVAILABLE;
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "; what was recorded last is not known to be on the disk: %s",
                 hr_env_error(runner->env));
        hr_errors_cut(runner->env, kept);
    }
    runner->told_end = true;
    hr_tell_end(runner, text);
}

/* Is a worker at work meanwhile? */
static bool any_process(const struct hr_runner *runner)
{
    size_t i;

    for (i = 0; i < runner->live_count; i++)
        if (runner->live[i]->process)
            return true;
    return false;
}

/* When a task is due by time alone; 0: by no time. */
static int64_t due_at(const struct hr_runner *runner, const struct hr_task *t)
{
    if (t->state == HR_TASK_LEASE || t->state == HR_TASK_BACKOFF)
        return t->wake_us;
    if (!t->process)
        return 0;
    return t->timed_out || runner->cancelling ? t->stop_us : t->deadline_us;
}

/* What is left of least if something is due then. */
static int64_t sooner(int64_t least, int64_t at, int64_t now)
{
    if (!at || at - now >= least)
        return least;
    return at > now ? at - now : 0;
}

/* How long until something is due by time alone. */
static int patience(const struct hr_runner *runner, int32_t timeout_ms)
{
    int64_t least = 500000, now = hr_now_us(runner); /* the file "cancel" is looked for */
    size_t i;

    for (i = 0; i < runner->live_count; i++)
        least = sooner(least, due_at(runner, runner->live[i]), now);
    least = sooner(least, hr_runner_settles_at(runner), now);
    least = sooner(least, hr_runner_publishes_at(runner), now);
    if (timeout_ms >= 0 && least > (int64_t)timeout_ms * 1000)
        return timeout_ms;
    return (int)((least + 999) / 1000);
}

static void drain_wake(struct hr_runner *runner)
{
    char bytes[64];

    while (OS(runner->env, read, runner->wake[0], bytes, sizeof bytes) > 0)
        ;
    OS(runner->env, read, runner->timer, bytes, sizeof bytes);
}

/* Who polls is woken by time too. */
static int32_t set_timer(struct hr_runner *runner)
{
    OS(runner->env, timer_set, runner->timer, (int64_t)patience(runner, -1) * 1000);
    return HR_DEADLINE;
}

/* One round, and what is to be told of it. */
static void go_round(struct hr_runner *runner)
{
    bool busy;

    drain_wake(runner);
    do { /* what a task that has ended lets begin goes on before anything is waited for */
        runner->moved = false;
        busy = step(runner);
        hr_runner_settle(runner, !busy || (!runner->moved && !any_process(runner)));
    } while (busy && runner->moved && !runner->first);
    if (!busy && !runner->first)
        tell_done(runner);
}

void hr_runner_pump(struct hr_runner *runner)
{
    if (runner->told_end)
        return;
    go_round(runner);
    if (runner->first)
        OS(runner->env, write, runner->wake[1], "x", 1);
    else
        set_timer(runner);
}

/* What this run waits for may be what another of this program is at: it goes on inside this
 * call, or both would stand still. */
static void pump_others(struct hr_runner *runner)
{
    size_t i;

    for (i = 0; i < runner->live_count; i++)
        if (runner->live[i]->state == HR_TASK_LEASE) {
            runner->config.others(runner->config.others_user, runner);
            return;
        }
}

int32_t hr_runner_next(struct hr_runner *runner, int32_t timeout_ms, const hr_event **ret)
{
    int64_t until = timeout_ms < 0 ? INT64_MAX : hr_now_us(runner) + (int64_t)timeout_ms * 1000;
    struct pollfd fd = { runner->watch, POLLIN, 0 };

    for (;;) {
        int32_t left = -1;

        if (hr_tell_take(runner, ret)) {
            if (runner->first || timeout_ms >= 0) /* more at once: a poller must not wait */
                OS(runner->env, write, runner->wake[1], "x", 1);
            return 1;
        }
        if (runner->told_end)
            return 0;
        go_round(runner);
        if (!runner->first && runner->config.others)
            pump_others(runner);
        if (runner->first)
            continue;
        if (timeout_ms >= 0) {
            int64_t rest = until - hr_now_us(runner);

            if (rest <= 0)
                return set_timer(runner);
            left = (int32_t)((rest + 999) / 1000);
        }
        OS(runner->env, poll, &fd, 1, patience(runner, left));
    }
}

int hr_runner_fd(const struct hr_runner *runner)
{
    return runner->watch;
}

const char *hr_runner_id(const struct hr_runner *runner)
{
    return runner->id;
}

int64_t hr_runner_number(const struct hr_runner *runner)
{
    return runner->number;
}

hr_status hr_runner_status(const struct hr_runner *runner)
{
    return runner->status;
}

void hr_runner_cancel(struct hr_runner *runner)
{
    int kept = errno; /* of what a signal handler has interrupted */

    __atomic_store_n(&runner->cancel, 1, __ATOMIC_RELAXED);
    OS(runner->env, write, runner->wake[1], "c", 1);
    errno = kept;
}
