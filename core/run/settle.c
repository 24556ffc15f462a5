#include "run/settle.h"

#include <poll.h>
#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* -- the writes of a step -------------------------------------------------- */

static void undo_one(struct hr_runner *runner, struct hr_task *task, hr_status code,
                     const char *text)
{
    if (task->registered)
        task->execution = 0;
    task->unsaid = false;
    hr_fail(runner->env, code, "%s", text);
    hr_task_fail(runner, task, code);
}

static void undo(struct hr_runner *runner, hr_status code)
{
    struct hr_arena arena;
    const char *text;
    size_t i;

    hr_arena_init(&arena, runner->env, 0);
    text = hr_arena_text(&arena, hr_env_error(runner->env));
    hr_errors_cut(runner->env, 0);
    for (i = 0; i < runner->live_count; i++)
        if (runner->live[i]->written)
            undo_one(runner, runner->live[i], code, text ? text : "no memory");
    hr_arena_clear(&arena);
}

void hr_runner_write(struct hr_runner *runner)
{
    size_t i;

    for (i = 0; i < runner->live_count; i++)
        runner->live[i]->written = runner->live[i]->registered = false;
    hr_store_group(runner->config.store);
}

void hr_runner_written(struct hr_runner *runner)
{
    hr_status r = hr_store_group_end(runner->config.store);
    size_t i;

    if (r < 0)
        undo(runner, r);
    for (i = 0; i < runner->live_count; i++)
        if (runner->live[i]->let_go)
            hr_task_release(runner, runner->live[i]);
}

/* -- what is said of a result ---------------------------------------------- */

/* One verdict, 1 or 0; or one for each split, {"train": 1, "eval": 0}. */
static bool is_good(struct hr_runner *runner, const struct hr_meta_value *v)
{
    size_t kept = runner->env->errors.count;
    const struct hr_json *m;
    struct hr_json_doc *doc;
    bool good = true;
    int64_t one;

    if (v->kind == HR_VALUE_INT)
        return v->i == 1;
    if (!v->text ||
        hr_json_parse(runner->env, "blessed", v->text, strlen(v->text), 0, &doc) < 0) {
        hr_errors_cut(runner->env, kept);
        return false;
    }
    for (m = hr_json_first(hr_json_root(doc)); m; m = hr_json_next(m))
        good = good && hr_json_int(doc, m, &one) && one == 1;
    hr_json_free(doc);
    return good;
}

static void tell_gates(struct hr_runner *runner, struct hr_task *task)
{
    size_t i, k;

    for (i = 0; i < task->output_count; i++)
        for (k = 0; k < task->outputs[i].count; k++) {
            const struct hr_meta_node *node = &task->outputs[i].artifacts[k].node;
            const struct hr_meta_value *v = hr_meta_value(node, "blessed");
            bool good;

            if (!v)
                continue;
            good = is_good(runner, v);
            runner->gate_refused = runner->gate_refused || !good;
            hr_runner_tell(runner, task, HR_EVENT_GATE, good ? HR_OK : HR_PRECONDITION,
                           task->outputs[i].type);
        }
}

/* The outputs stay whatever comes of it: they are right, what was made of them is not. */
static const char *follow_up(struct hr_runner *runner, struct hr_task *task, bool cached)
{
    const char *more = "";
    hr_status r;

    if (!runner->config.published || !task->node->component)
        return "";
    r = runner->config.published(runner->config.published_user, task->execution,
                                 task->node->component->id, cached, &task->arena, &more);
    if (r < 0)
        hr_runner_tell_log(runner, task, HR_WARN, hr_task_take_errors(runner, task));
    return r < 0 ? "" : more;
}

/* What follows a result that is durable. */
static void say(struct hr_runner *runner, struct hr_task *task)
{
    const char *summary = hr_task_text(task, HR_SUMMARY), *more;

    task->unsaid = false;
    more = follow_up(runner, task, task->hit != NULL);
    tell_gates(runner, task);
    if (task->hit)
        hr_runner_tell(runner, task, HR_EVENT_CACHED, HR_OK, task->hit);
    else
        hr_runner_tell(runner, task, HR_EVENT_FINISHED, HR_OK,
                       hr_arena_format(&task->arena, "%s%s%s", summary ? summary : "",
                                       summary && *more ? ", " : "", more));
}

hr_status hr_task_say_later(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_task **all = hr_arena_grow(&runner->arena, runner->unsaid, runner->unsaid_count,
                                         &runner->unsaid_cap, sizeof(struct hr_task *));

    if (!all)
        return HR_EXHAUSTED;
    runner->unsaid = all;
    task->ended_us = hr_now_us(runner);
    task->unsaid = true;
    if (!runner->unsaid_count)
        runner->unsaid_us = task->ended_us;
    runner->unsaid[runner->unsaid_count++] = task;
    return HR_OK;
}

void hr_task_say_cached(struct hr_runner *runner, struct hr_task *task, const char *text)
{
    task->hit = text;
    if (hr_task_say_later(runner, task) < 0)
        say(runner, task);
}

/* It is on record, but may not be there after a power cut: nobody may build on it. */
static void say_lost(struct hr_runner *runner, struct hr_task *task, hr_status code,
                     const char *text)
{
    task->unsaid = false;
    task->state = HR_TASK_FAILED;
    runner->failed = true;
    if (runner->status == HR_OK)
        runner->status = code;
    hr_runner_tell(runner, task, HR_EVENT_FAILED, code, text);
}

/* The first n of those that wait are told, and wait no longer; lost NULL: all is well. */
static void say_first(struct hr_runner *runner, size_t n, hr_status code, const char *lost)
{
    size_t i;

    if (!n)
        return;
    for (i = 0; i < n; i++) {
        struct hr_task *task = runner->unsaid[i];

        if (!task->unsaid) /* its commit failed after all */
            continue;
        if (lost && !task->hit)
            say_lost(runner, task, code, lost);
        else
            say(runner, task);
    }
    runner->unsaid_count -= n;
    memmove(runner->unsaid, runner->unsaid + n, runner->unsaid_count * sizeof runner->unsaid[0]);
    if (runner->unsaid_count)
        runner->unsaid_us = runner->unsaid[0]->ended_us;
}

/* Cached results need no disk: those that wait behind nothing are told at once. */
static void say_cached(struct hr_runner *runner)
{
    size_t n = 0;

    while (n < runner->unsaid_count && (runner->unsaid[n]->hit || !runner->unsaid[n]->unsaid))
        n++;
    say_first(runner, n, HR_OK, NULL);
}

static void begin_sync(struct hr_runner *runner)
{
    hr_status r = hr_store_sync_begin(runner->config.store, &runner->sync_fd);

    /* Another run of this program is at it; this one waits here. */
    if (r == HR_UNAVAILABLE && (r = hr_store_sync(runner->config.store)) == HR_OK) {
        say_first(runner, runner->unsaid_count, r, NULL);
        return;
    }
    if (r < 0) {
        say_first(runner, runner->unsaid_count, r, "its result could not be made durable");
        hr_errors_cut(runner->env, 0);
        return;
    }
    if (!runner->sync_watched)
        OS(runner->env, watch, runner->watch, runner->sync_fd);
    runner->sync_watched = true;
    runner->syncing = runner->unsaid_count;
}

static void end_sync(struct hr_runner *runner)
{
    hr_status r = hr_store_sync_end(runner->config.store);
    size_t n = runner->syncing;
    struct hr_arena arena;

    runner->syncing = 0;
    if (r == HR_OK) {
        say_first(runner, n, r, NULL);
        return;
    }
    hr_arena_init(&arena, runner->env, 0);
    say_first(runner, n, r,
              hr_arena_format(&arena, "its result is recorded, but not durable: %s",
                              hr_env_error(runner->env)));
    hr_errors_cut(runner->env, 0);
    hr_arena_clear(&arena);
}

void hr_runner_settle(struct hr_runner *runner, bool wait)
{
    struct pollfd fd = { runner->sync_fd, POLLIN, 0 };

    if (runner->syncing && (wait || OS(runner->env, poll, &fd, 1, 0) == 1))
        end_sync(runner);
    if (runner->syncing)
        return;
    say_cached(runner);
    if (!runner->unsaid_count ||
        (!wait && hr_now_us(runner) - runner->unsaid_us < HR_SETTLE_US))
        return;
    begin_sync(runner);
    if (wait && runner->syncing)
        end_sync(runner);
}

int64_t hr_runner_settles_at(const struct hr_runner *runner)
{
    return runner->unsaid_count && !runner->syncing ? runner->unsaid_us + HR_SETTLE_US : 0;
}
