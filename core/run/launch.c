/* One node, from ready to done.  Each function takes it one stage further; a stage that waits
 * for a process or for time returns, and hr_task_pump() goes on from there. */
#include <stdio.h>
#include <string.h>

#include "run/ahead.h"
#include "run/record.h"
#include "run/settle.h"
#include "run/stage.h"
#include "run/tell.h"

enum { LEASE_POLL_US = 50000, BACKOFF_US = 200000, ASK_US = 800000, TERM_US = 500000 };

int64_t hr_now_us(const struct hr_runner *runner)
{
    return runner->env->os->monotonic_us(runner->env->os->user);
}

void hr_task_release(struct hr_runner *runner, struct hr_task *task)
{
    if (task->leased)
        hr_cache_release(runner->config.cache, task->key, runner->config.host->id);
    task->leased = task->let_go = false;
}

void hr_task_clear(struct hr_runner *runner, struct hr_task *task)
{
    hr_task_release(runner, task);
    hr_process_free(task->process);
    task->process = NULL;
}

/* A fresh try: what the last one had is gone. */
static hr_status reset(struct hr_runner *runner, struct hr_task *task)
{
    hr_task_clear(runner, task);
    hr_arena_clear(&task->arena);
    task->execution = 0;
    task->contexts = NULL;
    task->context_count = 0;
    task->settings = task->key_settings = task->extras = task->key_extras = NULL;
    task->inputs = task->outputs = NULL;
    task->input_count = task->output_count = 0;
    task->set = NULL;
    task->set_count = task->model_count = task->line_count = 0;
    task->key[0] = '\0';
    task->walls = task->result = task->why = task->end_text = NULL;
    task->timed_out = task->has_room = task->written = task->registered = false;
    task->stop_stage = 0;
    task->ended_us = 0;
    task->done = task->total = 0;
    task->unit[0] = '\0';
    return hr_task_outputs(task);
}

/* -- endings --------------------------------------------------------------- */

const char *hr_task_take_errors(struct hr_runner *runner, struct hr_task *task)
{
    const char *text = hr_arena_text(&task->arena, hr_env_error(runner->env));

    hr_errors_cut(runner->env, 0);
    return text && *text ? text : "it failed for lack of memory";
}

static bool may_retry(hr_status code)
{
    return code == HR_UNAVAILABLE || code == HR_DEADLINE || code == HR_EXHAUSTED;
}

static void record_end(struct hr_runner *runner, struct hr_task *task, hr_status code,
                       const char *text, bool canceled)
{
    struct hr_store *store = runner->config.store;
    hr_status r = hr_store_begin(store, true);

    if (r == HR_OK && !task->execution)
        r = hr_record_registered(runner, task);
    if (r == HR_OK)
        r = canceled ? hr_record_canceled(runner->env, store, task->execution, code, text)
                     : hr_record_failed(runner->env, store, task->execution, code, text);
    if (r == HR_OK)
        r = hr_store_commit(store);
    if (r < 0) {
        hr_store_rollback(store);
        hr_runner_tell_log(runner, task, HR_ERROR, hr_task_take_errors(runner, task));
    }
}

static void leave(struct hr_runner *runner, struct hr_task *task, enum hr_task_state state)
{
    bool held = task->state == HR_TASK_DECIDING || task->state == HR_TASK_RUNNING ||
                task->state == HR_TASK_PUBLISHING;

    runner->moved = true;
    task->let_go = task->leased;
    hr_process_free(task->process);
    task->process = NULL;
    runner->running -= held;
    runner->queued -= task->state == HR_TASK_REGISTERED;
    runner->sealed -= task->state == HR_TASK_SEALED;
    task->state = state;
}

void hr_task_fail(struct hr_runner *runner, struct hr_task *task, hr_status code)
{
    const char *text = hr_task_take_errors(runner, task);
    bool again = may_retry(code) && task->tries <= task->node->retries && !runner->cancelling;
    char what[96];

    task->unsaid = false;
    if (task->state == HR_TASK_WAITING) /* nothing has begun: no try to repeat */
        again = false;
    hr_task_unstage(runner, task, true);
    record_end(runner, task, code, text, runner->cancelling && code == HR_CANCELLED);
    if (again) {
        snprintf(what, sizeof what, "try %d of %d failed: ", task->tries, task->node->retries + 1);
        hr_runner_tell(runner, task, HR_EVENT_RETRY, code,
                       hr_arena_format(&task->arena, "%s%s", what, text));
        leave(runner, task, HR_TASK_BACKOFF);
        task->wake_us =
            hr_now_us(runner) + ((int64_t)BACKOFF_US << (task->tries < 8 ? task->tries : 8));
        return;
    }
    if (runner->cancelling && code == HR_CANCELLED) {
        hr_runner_tell(runner, task, HR_EVENT_CANCELLED, code, text);
        leave(runner, task, HR_TASK_CANCELLED);
        return;
    }
    runner->failed = true;
    if (runner->status == HR_OK)
        runner->status = code;
    hr_runner_tell(runner, task, HR_EVENT_FAILED, code, text);
    leave(runner, task, HR_TASK_FAILED);
}

const char *hr_task_from_run(struct hr_runner *runner, struct hr_task *task, int64_t execution)
{
    struct hr_meta_nodes contexts;
    int64_t number = 0;
    size_t i;

    if (hr_store_contexts_of(runner->config.store, HR_KIND_EXECUTION, execution, &task->arena,
                             &contexts) < 0)
        return "";
    for (i = 0; i < contexts.count; i++)
        if (!strcmp(contexts.items[i].type, "pipeline_run") &&
            hr_store_rank(runner->config.store, runner->context_pipeline, contexts.items[i].id,
                          &number) == HR_OK &&
            number)
            return hr_arena_format(&task->arena, "from run %lld", (long long)number);
    return "from another pipeline";
}

/* false: a result is being removed in this very moment, and nothing has happened. */
static bool end_cached(struct hr_runner *runner, struct hr_task *task, int64_t from,
                       const char *why)
{
    struct hr_store *store = runner->config.store;
    const char *text = why && *why ? why : hr_task_from_run(runner, task, from);
    hr_status r = hr_store_begin_relaxed(store);

    if (r == HR_OK)
        r = hr_record_cached(runner, task, text);
    if (r == HR_OK)
        r = hr_task_say_later(runner, task, HR_EVENT_CACHED, text);
    if (r == HR_OK)
        r = hr_store_commit(store);
    if (r < 0) {
        hr_store_rollback(store);
        if (r == HR_NOT_FOUND)
            return false;
        hr_task_fail(runner, task, r);
        return true;
    }
    hr_task_unstage(runner, task, false);
    task->written = true;
    leave(runner, task, HR_TASK_DONE);
    return true;
}

/* On record, and never begun. */
static void withdraw(struct hr_runner *runner, struct hr_task *task)
{
    record_end(runner, task, HR_OK, "it was not begun, for another node had failed", true);
    leave(runner, task, HR_TASK_NOT_RUN);
}

static void end_skipped(struct hr_runner *runner, struct hr_task *task, const char *reason)
{
    const char *text = reason && *reason ? reason : "its driver skips it";

    record_end(runner, task, HR_OK, text, true);
    hr_task_unstage(runner, task, false);
    hr_runner_tell(runner, task, HR_EVENT_SKIPPED, HR_OK, text);
    leave(runner, task, HR_TASK_SKIPPED);
}

/* -- hooks ----------------------------------------------------------------- */

/* What the executor was given, for who replays it: a line with the execution before it.  Nothing
 * depends on it, so it may fail. */
static void keep_job(struct hr_runner *runner, const struct hr_task *task, const struct hr_buf *job)
{
    size_t kept = runner->env->errors.count;
    struct hr_buf line;

    hr_buf_of(&line, HR_MAX_JSON_BYTES + HR_NUM_TEXT + 2, runner->env);
    if (hr_buf_format(&line, "%lld\t%s\n", (long long)task->execution, job->text) == HR_OK)
        hr_runner_append(runner, &runner->jobs_fd, "jobs.jsonl", &line);
    hr_buf_clear(&line);
    hr_errors_cut(runner->env, kept);
}

/* Where its hook works: in a worker, or on a thread of this process. */
static hr_status choose_place(struct hr_runner *runner, const struct hr_task *task,
                              struct hr_process_config *config)
{
    bool isolated = runner->config.isolation != HR_ISOLATE_NONE &&
                    task->node->isolation != HR_ISOLATE_NONE &&
                    !task->node->component->plugin->linked;
    hr_status r = HR_OK;

    if (!isolated && runner->config.isolation == HR_ISOLATE_REQUIRED)
        return hr_fail(runner->env, HR_PRECONDITION,
                       "node \"%s\" is not isolated, and the run requires it", task->name);
    if (isolated && !runner->zygote)
        r = hr_zygote_new(runner->env, runner->config.worker, &runner->zygote);
    if (!isolated && !runner->crew)
        r = hr_crew_new(runner->env, &runner->crew);
    config->worker = isolated ? runner->config.worker : NULL;
    config->zygote = isolated ? runner->zygote : NULL;
    config->in_process = runner->config.in_process;
    config->crew = runner->crew;
    config->watch = runner->watch;
    return r;
}

static hr_status start_hook(struct hr_runner *runner, struct hr_task *task, const char *hook,
                            hr_status executed)
{
    const struct hr_plugin_info *plugins[9];
    struct hr_process_config config = { .plugins = plugins };
    bool runs = !strcmp(hook, "run");
    struct hr_buf job;
    hr_status r = choose_place(runner, task, &config);
    size_t i;

    plugins[config.plugin_count++] = task->node->component->plugin;
    for (i = 0; i < task->model_count; i++)
        plugins[config.plugin_count++] = task->models[i]->plugin;
    hr_buf_of(&job, HR_MAX_JSON_BYTES, runner->env);
    if (r == HR_OK && !runs) /* for that staging has made it */
        r = hr_task_room(runner, task);
    if (r == HR_OK)
        r = hr_task_job(runner, task, hook, executed, &job);
    config.job = job.text;
    config.job_size = job.len;
    if (r == HR_OK && runs)
        keep_job(runner, task, &job);
    if (r == HR_OK)
        r = hr_process_start(runner->env, &config, &task->process);
    hr_buf_clear(&job);
    if (r == HR_OK && task->node->timeout_ms)
        task->deadline_us = hr_now_us(runner) + task->node->timeout_ms * 1000;
    return r;
}

void hr_task_publish(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_store *store = runner->config.store;
    hr_status r = hr_task_extras(task);

    if (r == HR_OK)
        r = hr_store_begin_relaxed(store);
    if (r == HR_OK)
        r = hr_record_complete(runner, task);
    if (r == HR_OK)
        r = hr_task_say_later(runner, task, HR_EVENT_FINISHED, NULL);
    if (r == HR_OK)
        r = hr_store_commit(store);
    if (r < 0) {
        hr_store_rollback(store);
        hr_task_fail(runner, task, r);
        return;
    }
    task->written = true;
    hr_task_unstage(runner, task, false);
    leave(runner, task, HR_TASK_DONE);
}

/* It holds no place while it waits for others to be published with. */
static void wait_for_others(struct hr_runner *runner, struct hr_task *task)
{
    if (!runner->sealed++)
        runner->sealed_us = hr_now_us(runner);
    runner->running--;
    runner->moved = true;
    task->state = HR_TASK_SEALED;
}

static void after_executor(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = hr_task_seal(runner, task);

    if (r == HR_OK && hr_component_offers(task->node->component, "hr.publisher/1")) {
        r = start_hook(runner, task, "publish", HR_OK);
        if (r == HR_OK) {
            task->state = HR_TASK_PUBLISHING;
            return;
        }
    }
    if (r == HR_OK) /* its outputs have left it: the next may have it */
        hr_task_unstage(runner, task, false);
    if (r < 0)
        hr_task_fail(runner, task, r);
    else if (hr_runner_gathers(runner))
        wait_for_others(runner, task);
    else
        hr_task_publish(runner, task);
}

static void execute(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = hr_task_stage(runner, task);

    if (r == HR_OK)
        r = start_hook(runner, task, "run", HR_OK);
    if (r < 0) {
        hr_task_fail(runner, task, r);
        return;
    }
    runner->running += task->state != HR_TASK_DECIDING;
    task->state = HR_TASK_RUNNING;
    task->hook_us = hr_now_us(runner);
}

/* -- cache and lease ------------------------------------------------------- */

/* Another task of this run with the same key that works on it now. */
static bool twin_works(const struct hr_runner *runner, const struct hr_task *task)
{
    size_t i;

    for (i = 0; i < runner->live_count; i++)
        if (runner->live[i] != task && runner->live[i]->leased &&
            !strcmp(runner->live[i]->key, task->key))
            return true;
    return false;
}

static bool take_lease(struct hr_runner *runner, struct hr_task *task)
{
    const char *holder = NULL;

    if (task->leased)
        return true;
    if (twin_works(runner, task))
        return false;
    if (hr_cache_lease(runner->config.cache, task->key, runner->config.host->id, &task->arena,
                       &holder))
        return task->leased = true;
    if (hr_host_alive(runner->env, runner->config.paths, holder))
        return false;
    hr_cache_release_all(runner->config.cache, holder);
    return task->leased = hr_cache_lease(runner->config.cache, task->key, runner->config.host->id,
                                         &task->arena, &holder);
}

/* Looked for, then leased, then looked for again: it may have come in between. */
static void wait_for_lease(struct hr_runner *runner, struct hr_task *task, int64_t us)
{
    runner->running -= task->state == HR_TASK_DECIDING;
    task->state = HR_TASK_LEASE;
    task->wake_us = hr_now_us(runner) + us;
}

static void look_then_execute(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_task_channel *before;
    int64_t from = 0;
    hr_status r = HR_NOT_FOUND;
    int round;

    if (!hr_task_uses_cache(runner, task)) {
        task->why = "the cache was not to be used";
        execute(runner, task);
        return;
    }
    before = hr_arena_array(&task->arena, task->output_count + 1, sizeof *before);
    for (round = 0; round < 2 && r == HR_NOT_FOUND; round++) {
        if (before)
            memcpy(before, task->outputs, task->output_count * sizeof *before);
        r = before ? hr_task_find_cached(runner, task, &from) : HR_EXHAUSTED;
        if (r == HR_NOT_FOUND)
            memcpy(task->outputs, before, task->output_count * sizeof *before);
        if (r == HR_NOT_FOUND && !round && !take_lease(runner, task)) {
            if (task->state != HR_TASK_LEASE)
                hr_runner_tell(runner, task, HR_EVENT_WAITING, HR_OK,
                               "for the same work, under way elsewhere");
            wait_for_lease(runner, task, LEASE_POLL_US);
            return;
        }
    }
    if (r == HR_OK && !end_cached(runner, task, from, NULL)) {
        memcpy(task->outputs, before, task->output_count * sizeof *before);
        wait_for_lease(runner, task, LEASE_POLL_US);
    }
    if (r == HR_NOT_FOUND)
        execute(runner, task);
    else if (r < 0)
        hr_task_fail(runner, task, r);
}

static void after_driver(struct hr_runner *runner, struct hr_task *task, int32_t verdict)
{
    const char *reason = hr_task_text(task, HR_REASON);
    int64_t from = 0;
    hr_status r;

    if (verdict == HR_SKIP) {
        end_skipped(runner, task, reason);
        return;
    }
    if (verdict == HR_REUSE) {
        r = hr_task_find_last(runner, task, &from);
        if (r == HR_OK && end_cached(runner, task, from, reason))
            return;
        if (r == HR_OK)
            r = HR_NOT_FOUND;
        if (r == HR_NOT_FOUND)
            r = hr_fail(runner->env, HR_PRECONDITION,
                        "the driver of node \"%s\" reuses its last success, and there is none",
                        task->name);
        hr_task_fail(runner, task, r);
        return;
    }
    if ((r = hr_task_key(runner, task)) < 0)
        hr_task_fail(runner, task, r);
    else
        look_then_execute(runner, task);
}

/* -- the beginning --------------------------------------------------------- */

/* What it is has been looked at before, so that this fails only where nothing can be written: then
 * it fails here, with all that the step has written. */
static hr_status register_task(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_store *store = runner->config.store;
    hr_status r = hr_store_begin_bare(store);

    if (r < 0) {
        hr_task_fail(runner, task, r);
        return r;
    }
    task->written = task->registered = true;
    r = hr_record_registered(runner, task);
    if (r == HR_OK)
        r = hr_store_commit(store);
    if (r == HR_OK)
        return HR_OK;
    hr_store_rollback(store);
    hr_runner_written(runner);
    hr_runner_write(runner);
    return r;
}

/* "model 12 (run 6)" of what a resolver has found. */
static const char *found_text(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_meta_events events;
    const char *from = "";
    int64_t id = 0;
    size_t i;

    for (i = 0; i < task->output_count && !id; i++)
        if (task->outputs[i].count)
            id = task->outputs[i].artifacts[0].id;
    if (!id)
        return "nothing yet";
    if (hr_store_events_of_artifact(runner->config.store, id, &task->arena, &events) == HR_OK)
        for (i = 0; i < events.count && !*from; i++)
            if (events.items[i].type == HR_EVENT_OUTPUT)
                from = hr_task_from_run(runner, task, events.items[i].execution);
    for (i = 0; i < task->output_count; i++)
        if (task->outputs[i].count && task->outputs[i].artifacts[0].id == id)
            return hr_arena_format(&task->arena, "%s %lld %s", task->outputs[i].key, (long long)id,
                                   from);
    return "";
}

/* Resolvers and importers are the host's own work: one transaction. */
static hr_status own_node(struct hr_runner *runner, struct hr_task *task)
{
    bool resolver = task->node->kind == HR_NODE_RESOLVER;
    struct hr_store *store = runner->config.store;
    hr_status r = resolver ? hr_task_strategy(runner, task) : hr_task_import(runner, task);
    bool reused = r == HR_OK && !resolver && task->outputs[0].artifacts[0].id != 0;

    if (r == HR_OK)
        r = hr_store_begin_relaxed(store);
    if (r < 0)
        return r;
    r = hr_record_registered(runner, task);
    if (r == HR_OK)
        r = resolver ? hr_record_resolved(runner, task) : hr_record_imported(runner, task);
    if (r == HR_OK)
        r = hr_task_say_later(runner, task, reused ? HR_EVENT_CACHED : HR_EVENT_FINISHED,
                              resolver ? found_text(runner, task)
                                       : task->outputs[0].artifacts[0].uri);
    if (r == HR_OK)
        r = hr_store_commit(store);
    if (r < 0) {
        hr_store_rollback(store);
        task->execution = 0;
    }
    task->written = task->registered = r == HR_OK;
    return r;
}

static void begin_own(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = own_node(runner, task);

    if (r < 0)
        hr_task_fail(runner, task, r);
    else
        leave(runner, task, HR_TASK_DONE);
}

/* All that is read before a node does anything.  *skip: why it does nothing. */
static hr_status prepare(struct hr_runner *runner, struct hr_task *task, const char **skip)
{
    bool component = task->node->kind == HR_NODE_COMPONENT;
    hr_status r = hr_task_reads(runner, task, skip);

    if (r == HR_OK && !*skip)
        r = hr_task_condition(runner, task, skip);
    if (r == HR_OK && !*skip && component)
        r = hr_task_resolve(runner, task, skip);
    if (r == HR_OK && !*skip && component)
        r = hr_task_settings(runner, task);
    return r;
}

/* On record before anything of it begins: it goes on when the step's writes are committed. */
static void begin_component(struct hr_runner *runner, struct hr_task *task)
{
    if (register_task(runner, task) < 0)
        return;
    task->state = HR_TASK_REGISTERED;
    runner->queued++;
    runner->room--;
}

void hr_task_registered(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = HR_OK;

    runner->queued--;
    task->state = HR_TASK_WAITING;
    task->started_us = hr_now_us(runner);
    hr_runner_tell(runner, task, HR_EVENT_STARTED, HR_OK, "");
    if (!hr_component_offers(task->node->component, HR_DRIVER)) {
        task->state = HR_TASK_LEASE; /* until it is known to run, it holds no place */
        after_driver(runner, task, HR_EXECUTE);
        return;
    }
    if ((r = start_hook(runner, task, "decide", HR_OK)) < 0) {
        hr_task_fail(runner, task, r);
        return;
    }
    task->state = HR_TASK_DECIDING;
    runner->running++;
}

/* What an earlier run has finished. */
static void begin_kept(struct hr_runner *runner, struct hr_task *task)
{
    const char *text =
        hr_arena_format(&task->arena, "kept %s",
                        hr_task_from_run(runner, task, task->kept[0].execution));
    hr_status r = hr_task_say_later(runner, task, HR_EVENT_CACHED, text);

    if (r == HR_OK)
        r = hr_keep_record(runner, task);
    task->written = task->registered = r == HR_OK;
    if (r < 0)
        hr_task_fail(runner, task, r);
    else
        leave(runner, task, HR_TASK_DONE);
}

/* A node with "for_each" does nothing itself. */
static void begin_head(struct hr_runner *runner, struct hr_task *task)
{
    const char *skip = NULL;
    size_t n = 0;
    hr_status r = reset(runner, task);

    task->started_us = hr_now_us(runner);
    if (r == HR_OK)
        r = hr_task_reads(runner, task, &skip);
    if (r == HR_OK && !skip)
        r = hr_task_spread(runner, task, &n);
    if (r < 0)
        hr_task_fail(runner, task, r);
    else if (skip || !n)
        end_skipped(runner, task, skip ? skip : "\"for_each\" is over an empty list");
    else
        task->state = HR_TASK_SPREAD;
}

void hr_task_begin(struct hr_runner *runner, struct hr_task *task)
{
    const char *skip = NULL;
    hr_status r;

    if (hr_runner_add_live(runner, task) < 0)
        return; /* no memory: it stays as it is */
    if (hr_task_spreads(task) && !task->keep) {
        begin_head(runner, task);
        return;
    }
    r = reset(runner, task);
    task->tries++;
    task->started_us = hr_now_us(runner);
    if (r == HR_OK && !task->keep)
        r = prepare(runner, task, &skip);
    if (r == HR_OK && !skip && !task->keep && task->node->kind == HR_NODE_COMPONENT) {
        begin_component(runner, task);
        return;
    }
    hr_runner_tell(runner, task, HR_EVENT_STARTED, HR_OK, "");
    if (r == HR_OK && task->keep)
        begin_kept(runner, task);
    else if (r < 0)
        hr_task_fail(runner, task, r);
    else if (skip)
        end_skipped(runner, task, skip);
    else
        begin_own(runner, task);
}

/* -- going on -------------------------------------------------------------- */

static void keep_line(struct hr_task *task, const char *text)
{
    char *line = task->lines[task->line_count++ % HR_TASK_LINES];
    size_t n = strlen(text);

    n = n < HR_TASK_LINE ? n : hr_utf8_valid(text, HR_TASK_LINE - 1);
    memcpy(line, text, n);
    line[n] = '\0';
}

static void put_lines(struct hr_runner *runner, const struct hr_task *task)
{
    size_t n = task->line_count < HR_TASK_LINES ? task->line_count : HR_TASK_LINES, i;
    struct hr_buf text;

    if (!n)
        return;
    hr_buf_of(&text, HR_MAX_ERROR_TEXT - 100, runner->env);
    for (i = task->line_count - n; i < task->line_count; i++)
        hr_buf_format(&text, "\n    %s", task->lines[i % HR_TASK_LINES]);
    hr_fail(runner->env, HR_INTERNAL, "the last log lines:%s", text.text);
    hr_buf_clear(&text);
}

static const char *hook_text(enum hr_task_state state)
{
    if (state == HR_TASK_DECIDING)
        return "driver";
    return state == HR_TASK_PUBLISHING ? "publisher" : "executor";
}

/* The process has ended: with a result, without one, or stopped. */
static hr_status judge(struct hr_runner *runner, struct hr_task *task, int32_t *verdict)
{
    const char *ending = hr_process_ending(task->process);
    hr_status r = HR_OK;

    if (task->timed_out)
        return hr_fail(runner->env, HR_DEADLINE,
                       "node \"%s\" took longer than its timeout of %lld ms and was stopped",
                       task->name, (long long)task->node->timeout_ms);
    if (runner->cancelling && (!task->result || *ending))
        return hr_fail(runner->env, HR_CANCELLED, "cancelled");
    if (*ending || !task->result) {
        put_lines(runner, task);
        if (task->total > 0)
            hr_fail(runner->env, HR_INTERNAL, "its last progress was %.0f of %.0f %s", task->done,
                    task->total, task->unit);
        return hr_fail(runner->env, HR_INTERNAL, "the %s of node \"%s\" (%s) %s",
                       hook_text(task->state), task->name, task->node->component->id,
                       *ending ? ending : "ended without a result");
    }
    r = hr_task_result(runner, task, task->result, verdict);
    return r;
}

static void hook_ended(struct hr_runner *runner, struct hr_task *task)
{
    int32_t verdict = HR_EXECUTE;
    hr_status r = judge(runner, task, &verdict);

    if (task->state == HR_TASK_RUNNING)
        hr_runner_took(runner, hr_now_us(runner) - task->hook_us);
    hr_process_free(task->process);
    task->process = NULL;
    task->result = NULL;
    task->deadline_us = 0;
    if (r < 0)
        hr_task_fail(runner, task, r);
    else if (task->state == HR_TASK_DECIDING)
        after_driver(runner, task, verdict);
    else if (task->state == HR_TASK_RUNNING)
        after_executor(runner, task);
    else
        hr_task_publish(runner, task);
}

static void take_message(struct hr_runner *runner, struct hr_task *task, const struct hr_message *m)
{
    switch (m->kind) {
    case HR_MESSAGE_LOG:
    case HR_MESSAGE_PRINT:
        keep_line(task, m->text);
        hr_runner_tell_log(runner, task, m->level, m->text);
        break;
    case HR_MESSAGE_PROGRESS:
        task->done = m->done;
        task->total = m->total;
        snprintf(task->unit, sizeof task->unit, "%s", m->text);
        hr_runner_tell_progress(runner, task);
        break;
    case HR_MESSAGE_WALLS:
        task->walls = hr_arena_text(&task->arena, m->text);
        break;
    case HR_MESSAGE_RESULT:
        task->result = hr_arena_text(&task->arena, m->text);
        break;
    default:
        break;
    }
}

/* Stopping climbs: asked, then SIGTERM, then SIGKILL to the group. */
static void stop_by_stages(struct hr_runner *runner, struct hr_task *task, bool wanted)
{
    int64_t now = hr_now_us(runner);

    if (!wanted || now < task->stop_us || task->stop_stage > HR_STOP_KILL)
        return;
    hr_process_stop(task->process, task->stop_stage);
    task->stop_us = now + (task->stop_stage == HR_STOP_ASK ? ASK_US : TERM_US);
    task->stop_stage++;
}

static void pump_process(struct hr_runner *runner, struct hr_task *task)
{
    enum { AT_ONCE = 256 };
    struct hr_message m;
    int i;

    if (task->deadline_us && hr_now_us(runner) >= task->deadline_us)
        task->timed_out = true;
    stop_by_stages(runner, task, task->timed_out || runner->cancelling);
    for (i = 0; i < AT_ONCE; i++) {
        if (hr_process_read(task->process, &m) < 0)
            return;
        if (m.kind == HR_MESSAGE_NONE)
            return;
        if (m.kind == HR_MESSAGE_END) {
            hook_ended(runner, task);
            return;
        }
        take_message(runner, task, &m);
    }
}

void hr_task_pump(struct hr_runner *runner, struct hr_task *task)
{
    bool idle = task->state == HR_TASK_LEASE || task->state == HR_TASK_REGISTERED;

    if (task->process) {
        pump_process(runner, task);
    } else if (idle && runner->cancelling) {
        hr_fail(runner->env, HR_CANCELLED, "cancelled");
        hr_task_fail(runner, task, HR_CANCELLED);
    } else if (task->state == HR_TASK_REGISTERED && hr_runner_stops(runner, task)) {
        withdraw(runner, task);
    } else if (task->state == HR_TASK_LEASE && hr_now_us(runner) >= task->wake_us) {
        look_then_execute(runner, task);
    } else if (task->state == HR_TASK_BACKOFF && runner->cancelling) {
        task->state = HR_TASK_CANCELLED;
    }
}
