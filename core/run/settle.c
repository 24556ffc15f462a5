#include "run/settle.h"

#include <poll.h>
#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { SETTLE_US = 15000 }; /* results that end within it share a sync */

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
    const char *summary = task->end_text ? task->end_text : hr_task_text(task, HR_SUMMARY), *more;
    bool cached = task->end_kind == HR_EVENT_CACHED;

    more = follow_up(runner, task, cached);
    tell_gates(runner, task);
    if (cached || !*more)
        hr_runner_tell(runner, task, task->end_kind, HR_OK, summary ? summary : "");
    else
        hr_runner_tell(runner, task, task->end_kind, HR_OK,
                       hr_arena_format(&task->arena, "%s%s%s", summary ? summary : "",
                                       summary ? ", " : "", more));
}

/* What stands in the store may be lost by a power cut; its outputs are sealed, so a later run that
 * finds it there may take it. */
static void say_unsynced(struct hr_runner *runner, struct hr_task *task, const char *why)
{
    task->state = HR_TASK_FAILED;
    hr_runner_tell(runner, task, HR_EVENT_FAILED, HR_UNAVAILABLE,
                   hr_arena_format(&task->arena,
                                   "its result is recorded, but not known to be on the disk: %s",
                                   why));
}

hr_status hr_task_say_later(struct hr_runner *runner, struct hr_task *task, int32_t kind,
                            const char *text)
{
    struct hr_task **all = hr_arena_grow(&runner->arena, runner->unsaid, runner->unsaid_count,
                                         &runner->unsaid_cap, sizeof(struct hr_task *));

    if (!all)
        return HR_EXHAUSTED;
    runner->unsaid = all;
    task->ended_us = hr_now_us(runner);
    task->unsaid = true;
    task->end_kind = kind;
    task->end_text = text;
    if (!runner->unsaid_count)
        runner->unsaid_us = task->ended_us;
    runner->unsaid[runner->unsaid_count++] = task;
    return HR_OK;
}

/* -- the disk -------------------------------------------------------------- */

/* The first n of those that wait are told, and wait no longer; why NULL: the disk has them. */
static void say_first(struct hr_runner *runner, size_t n, const char *why)
{
    size_t i;

    if (!n)
        return;
    for (i = 0; i < n; i++) {
        struct hr_task *task = runner->unsaid[i];

        if (!task->unsaid) /* its commit has failed after all */
            continue;
        task->unsaid = false;
        if (why)
            say_unsynced(runner, task, why);
        else
            say(runner, task);
    }
    runner->unsaid_count -= n;
    memmove(runner->unsaid, runner->unsaid + n, runner->unsaid_count * sizeof runner->unsaid[0]);
    if (runner->unsaid_count)
        runner->unsaid_us = runner->unsaid[0]->ended_us;
}

/* The text of what went wrong, which stays; NULL: nothing did. */
static const char *failure(struct hr_runner *runner, hr_status r, size_t kept)
{
    const char *why;

    if (r == HR_OK)
        return NULL;
    why = hr_arena_text(&runner->arena, hr_env_error(runner->env));
    hr_errors_cut(runner->env, kept);
    runner->sync_failed = runner->failed = true;
    if (runner->status == HR_OK)
        runner->status = HR_UNAVAILABLE;
    return why ? why : "";
}

static void end_sync(struct hr_runner *runner)
{
    size_t kept = runner->env->errors.count, n = runner->syncing;
    const char *why = failure(runner, hr_store_sync_end(runner->config.store), kept);

    runner->syncing = 0;
    say_first(runner, n, why);
}

static void begin_sync(struct hr_runner *runner)
{
    size_t kept = runner->env->errors.count;
    const char *why = "an earlier sync of the store failed";
    hr_status r;

    if (!runner->sync_failed) {
        r = hr_store_sync_begin(runner->config.store, &runner->sync_fd);
        /* Another run of this program is at it; this one waits here. */
        if (r == HR_UNAVAILABLE && (r = hr_store_sync(runner->config.store)) == HR_OK) {
            say_first(runner, runner->unsaid_count, NULL);
            return;
        }
        why = failure(runner, r, kept);
    }
    if (why) {
        say_first(runner, runner->unsaid_count, why);
        return;
    }
    runner->syncing = runner->unsaid_count;
    if (OS(runner->env, watch, runner->watch, runner->sync_fd) < 0)
        end_sync(runner); /* nobody would be woken by its end: it is waited for here */
}

void hr_runner_settle(struct hr_runner *runner, bool wait)
{
    struct pollfd fd = { runner->sync_fd, POLLIN, 0 };

    if (runner->syncing && (wait || OS(runner->env, poll, &fd, 1, 0) == 1))
        end_sync(runner);
    if (runner->syncing || !runner->unsaid_count ||
        (!wait && hr_now_us(runner) - runner->unsaid_us < SETTLE_US))
        return;
    begin_sync(runner);
    if (wait && runner->syncing)
        end_sync(runner);
}

int64_t hr_runner_settles_at(const struct hr_runner *runner)
{
    return runner->unsaid_count && !runner->syncing ? runner->unsaid_us + SETTLE_US : 0;
}

void hr_runner_let_go(struct hr_runner *runner)
{
    size_t kept = runner->env->errors.count;

    if (runner->syncing)
        hr_store_sync_end(runner->config.store);
    runner->syncing = 0;
    hr_errors_cut(runner->env, kept); /* nobody is left to be told */
}
