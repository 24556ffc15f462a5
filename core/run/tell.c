#include "run/tell.h"

#include <stdio.h>
#include <string.h>

const char *hr_event_kind_name(int32_t kind)
{
    static const char *const names[] = { "?",       "started",   "log",    "progress", "cached",
                                         "skipped", "finished",  "failed", "done",     "retry",
                                         "waiting", "cancelled", "gate" };

    return kind > 0 && kind <= HR_EVENT_GATE ? names[kind] : names[0];
}

hr_status hr_event_json(const hr_event *e, struct hr_buf *to)
{
    struct hr_json_writer w;

    hr_json_begin(&w, to, 0);
    hr_json_open_object(&w);
    hr_json_put_member_text(&w, "event", hr_event_kind_name(e->kind));
    hr_json_put_member_int(&w, "time_us", e->time_us);
    hr_json_put_member_text(&w, "run", e->run);
    if (e->node)
        hr_json_put_member_text(&w, "node", e->node);
    if (e->component)
        hr_json_put_member_text(&w, "component", e->component);
    if (e->execution)
        hr_json_put_member_int(&w, "execution", e->execution);
    if (e->duration_us)
        hr_json_put_member_int(&w, "duration_us", e->duration_us);
    if (e->kind == HR_EVENT_LOG)
        hr_json_put_member_int(&w, "level", e->level);
    if (e->kind == HR_EVENT_PROGRESS) {
        hr_json_put_member_double(&w, "done", e->done);
        hr_json_put_member_double(&w, "total", e->total);
        hr_json_put_member_text(&w, "unit", e->unit);
    }
    if (e->kind == HR_EVENT_DONE || e->kind == HR_EVENT_FAILED || e->kind == HR_EVENT_GATE)
        hr_json_put_member_int(&w, "status", e->status);
    if (e->text && *e->text)
        hr_json_put_member_text(&w, "text", e->text);
    hr_json_close_object(&w);
    return hr_json_end(&w);
}

void hr_runner_append(struct hr_runner *runner, int *fd, const char *name,
                      const struct hr_buf *text)
{
    struct hr_env *env = runner->env;
    size_t kept = env->errors.count;
    char path[HR_MAX_PATH];

    if (hr_path_join(env, runner->dir, name, path) == HR_OK) {
        if (*fd < 0)
            *fd = env->os->open(env->os->user, path,
                                HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_APPEND, 0644);
        if (*fd >= 0)
            hr_fd_write(env, *fd, path, text->text, text->len);
    }
    hr_errors_cut(env, kept);
}

static void append(struct hr_runner *runner, const hr_event *e)
{
    size_t kept = runner->env->errors.count;
    struct hr_buf line;

    hr_buf_of(&line, HR_MAX_JSON_BYTES, runner->env);
    if (hr_event_json(e, &line) == HR_OK && hr_buf_char(&line, '\n') == HR_OK)
        hr_runner_append(runner, &runner->events_fd, "events.jsonl", &line);
    hr_buf_clear(&line);
    hr_errors_cut(runner->env, kept);
}

/* A text of an event, which is never NULL. */
static const char *copy(struct hr_queued *q, const char *text)
{
    const char *kept = text ? hr_arena_text(&q->arena, text) : "";

    return kept ? kept : "no memory";
}

hr_status hr_tell_prepare(struct hr_runner *runner)
{
    runner->end = hr_mem_zero(runner->env, sizeof *runner->end);
    return runner->end ? HR_OK : HR_EXHAUSTED;
}

static struct hr_queued *add(struct hr_runner *runner, struct hr_task *task, int32_t kind,
                             const char *text)
{
    struct hr_queued *q = kind == HR_EVENT_DONE ? runner->end
                                                : hr_mem_zero(runner->env, sizeof *q);

    if (!q)
        return NULL;
    if (q == runner->end)
        runner->end = NULL;
    hr_arena_init(&q->arena, runner->env, 0);
    q->event = (hr_event){ .struct_size = sizeof q->event,
                           .kind = kind,
                           .time_us = runner->env->os->realtime_us(runner->env->os->user),
                           .run = runner->id,
                           .text = copy(q, text) };
    if (task) {
        q->event.node = copy(q, task->name);
        q->event.execution = task->execution;
        q->event.component = task->node->component ? task->node->component->id : NULL;
    }
    if (runner->last)
        runner->last->next = q;
    else
        runner->first = q;
    runner->last = q;
    return q;
}

static bool is_end(int32_t kind)
{
    return kind == HR_EVENT_CACHED || kind == HR_EVENT_SKIPPED || kind == HR_EVENT_FINISHED ||
           kind == HR_EVENT_FAILED || kind == HR_EVENT_CANCELLED || kind == HR_EVENT_RETRY;
}

void hr_runner_tell(struct hr_runner *runner, struct hr_task *task, int32_t kind, hr_status status,
                    const char *text)
{
    struct hr_queued *q = add(runner, task, kind, text);

    if (!q)
        return;
    q->event.status = status;
    if (is_end(kind)) {
        bool good = kind == HR_EVENT_FINISHED || kind == HR_EVENT_CACHED;
        int64_t end = good && task->ended_us ? task->ended_us : hr_now_us(runner);

        q->event.duration_us = task->started_us ? end - task->started_us : 0;
        task->was_cached = kind == HR_EVENT_CACHED;
    }
    append(runner, &q->event);
}

/* The log of an execution: a line each, with its level where it is not info. */
static void to_log(struct hr_runner *runner, const struct hr_task *task, hr_level level,
                   const char *text)
{
    static const char *const names[] = { "debug: ", "", "warning: ", "error: " };
    size_t kept = runner->env->errors.count;
    char path[HR_MAX_PATH], name[HR_NUM_TEXT + 4];
    struct hr_buf line;

    hr_num_put_int(name, task->execution);
    memcpy(name + strlen(name), ".log", 5);
    hr_buf_of(&line, 1 << 20, runner->env);
    if (hr_path_join(runner->env, runner->dir, "logs", path) == HR_OK &&
        hr_path_join(runner->env, path, name, path) == HR_OK &&
        hr_buf_format(&line, "%s%s\n", names[level >= 0 && level <= 3 ? level : 1], text) == HR_OK)
        hr_file_append(runner->env, path, line.text, line.len);
    hr_buf_clear(&line);
    hr_errors_cut(runner->env, kept);
}

void hr_runner_tell_log(struct hr_runner *runner, struct hr_task *task, hr_level level,
                        const char *text)
{
    struct hr_queued *q = add(runner, task, HR_EVENT_LOG, text);

    if (q)
        q->event.level = level;
    to_log(runner, task, level, text);
}

void hr_runner_tell_progress(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_queued *q = add(runner, task, HR_EVENT_PROGRESS, NULL);

    if (!q)
        return;
    q->event.done = task->done;
    q->event.total = task->total;
    q->event.unit = copy(q, task->unit);
}

void hr_tell_end(struct hr_runner *runner, const char *text)
{
    struct hr_queued *q = add(runner, NULL, HR_EVENT_DONE, text);

    if (!q)
        return;
    q->event.status = runner->status;
    q->event.duration_us = hr_now_us(runner) - runner->started_us;
    append(runner, &q->event);
}

static void drop(struct hr_runner *runner, struct hr_queued *q)
{
    hr_arena_clear(&q->arena);
    hr_mem_put(runner->env, q, sizeof *q);
}

bool hr_tell_take(struct hr_runner *runner, const hr_event **ret)
{
    struct hr_queued *q = runner->first;

    if (runner->given)
        drop(runner, runner->given);
    runner->given = q;
    if (!q)
        return false;
    runner->first = q->next;
    if (!runner->first)
        runner->last = NULL;
    *ret = &q->event;
    return true;
}

void hr_tell_clear(struct hr_runner *runner)
{
    const hr_event *e;

    while (hr_tell_take(runner, &e))
        ;
    hr_mem_put(runner->env, runner->end, sizeof *runner->end);
    runner->end = NULL;
}
