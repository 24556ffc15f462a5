/* Runs of other processes: following one by its record of events, and asking it to stop.
 *
 * A line is given once it is whole, that is, ended by a line feed.  The run has ended with its
 * event "done"; or without one when its host, whose id stands in the file "host", is gone and
 * nothing more is there to read.
 */
#include <stdio.h>
#include <string.h>

#include "host/host.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { LOOK_MS = 100, CHUNK = 65536 };

struct hr_watch {
    struct hr_project *p;
    char run[160], dir[HR_MAX_PATH];
    int fd;
    bool ended;
    struct hr_buf text; /* what was read */
    size_t at;          /* of it, what was given */
    hr_watch *following;
};

/* The directory of a run.  HR_NOT_FOUND: told. */
static hr_status find(struct hr_project *p, const char *run, char name[160], char *dir)
{
    struct hr_meta_node node;
    struct hr_arena arena;
    hr_status r;

    hr_arena_init(&arena, &p->env, 0);
    r = hr_host_run(p, run, &arena, &node);
    if (r == HR_NOT_FOUND)
        r = run ? hr_fail(&p->env, r, "there is no run \"%s\"; \"headrace runs\" lists them", run)
                : hr_fail(&p->env, r, "nothing has run in this project yet");
    if (r == HR_OK) {
        snprintf(name, 160, "%s", node.name);
        r = hr_path_join(&p->env, p->paths.runs, name, dir);
    }
    hr_arena_clear(&arena);
    return r;
}

static bool host_lives(struct hr_project *p, const char *dir)
{
    size_t kept = p->env.errors.count;
    char path[HR_MAX_PATH];
    struct hr_buf id;
    bool lives = false;

    hr_buf_of(&id, 64, &p->env);
    if (hr_path_join(&p->env, dir, "host", path) == HR_OK &&
        hr_file_read(&p->env, path, 64, &id) == HR_OK && id.len)
        lives = (p->host.fd >= 0 && !strcmp(id.text, p->host.id)) ||
                hr_host_alive(&p->env, &p->paths, id.text);
    hr_buf_clear(&id);
    hr_errors_cut(&p->env, kept);
    return lives;
}

hr_status hr_watch_open(hr_project *p, const char *run, hr_watch **ret)
{
    char path[HR_MAX_PATH];
    hr_watch *w;
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    if (!(w = hr_mem_zero(&p->env, sizeof *w)))
        return hr_host_done(p, HR_EXHAUSTED);
    w->p = p;
    w->fd = -1;
    w->following = p->watches;
    p->watches = w;
    hr_buf_of(&w->text, HR_MAX_JSON_BYTES, &p->env);
    r = find(p, run, w->run, w->dir);
    if (r == HR_OK)
        r = hr_path_join(&p->env, w->dir, "events.jsonl", path);
    if (r == HR_OK && (w->fd = OS(&p->env, open, path, HR_OPEN_READ, 0)) < 0)
        r = hr_fail_os(&p->env, w->fd, "read", path);
    if (r < 0) {
        hr_watch_drop(w);
        return hr_host_done(p, r);
    }
    *ret = w;
    return hr_host_done(p, HR_OK);
}

const char *hr_watch_run(const hr_watch *w)
{
    return w->run;
}

static bool tells_end(const char *text)
{
    return strstr(text, "\"event\":\"done\"") || strstr(text, "\"event\": \"done\"");
}

/* A whole line of what was read: 1. */
static int32_t take_line(hr_watch *w, const char **ret)
{
    char *start = w->text.text + w->at, *end = memchr(start, '\n', w->text.len - w->at);

    if (!end)
        return 0;
    *end = '\0';
    w->at = (size_t)(end - w->text.text) + 1;
    w->ended = tells_end(start);
    *ret = start;
    return 1;
}

/* Bytes read, 0 at the end of what is there. */
static int64_t read_more(hr_watch *w)
{
    struct hr_env *env = &w->p->env;
    size_t left = w->text.len - w->at;
    char *room;
    int64_t n;

    if (w->at) { /* what was given is not needed again */
        memmove(w->text.text, w->text.text + w->at, left);
        hr_buf_cut(&w->text, left);
        w->at = 0;
    }
    if (hr_buf_room(&w->text, CHUNK, &room) < 0)
        return HR_EXHAUSTED;
    n = OS(env, read, w->fd, room, CHUNK);
    hr_buf_cut(&w->text, left + (n > 0 ? (size_t)n : 0));
    return n;
}

int32_t hr_watch_next(hr_watch *w, int32_t timeout_ms, const char **ret_json)
{
    struct hr_env *env = &w->p->env;
    int64_t until = env->os->monotonic_us(env->os->user) / 1000 + timeout_ms, n;

    hr_host_call(w->p);
    for (;;) {
        bool lives;

        if (w->ended)
            return 0;
        if (take_line(w, ret_json))
            return 1;
        lives = host_lives(w->p, w->dir); /* asked before reading: what it wrote last is there */
        if ((n = read_more(w)) > 0)
            continue;
        if (n < 0)
            return hr_host_done(w->p, hr_fail(env, HR_UNAVAILABLE,
                                              "the events of run \"%s\" cannot be read", w->run));
        if (!lives)
            return 0;
        if (env->os->monotonic_us(env->os->user) / 1000 >= until)
            return HR_DEADLINE;
        OS(env, poll, NULL, 0, LOOK_MS);
    }
}

void hr_watch_drop(hr_watch *w)
{
    struct hr_project *p = w->p;
    hr_watch **at;

    for (at = &p->watches; *at != w; at = &(*at)->following)
        ;
    *at = w->following;
    if (w->fd >= 0)
        OS(&p->env, close, w->fd);
    hr_buf_clear(&w->text);
    hr_mem_put(&p->env, w, sizeof *w);
}

void hr_watch_free(hr_watch *w)
{
    if (w)
        hr_watch_drop(w);
}

/* Is the last event of a run, whose program may live on, its end? */
static bool has_ended(struct hr_project *p, const char *dir)
{
    size_t kept = p->env.errors.count;
    char path[HR_MAX_PATH], *last;
    struct hr_buf text;
    bool ended = false;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, &p->env);
    if (hr_path_join(&p->env, dir, "events.jsonl", path) == HR_OK &&
        hr_file_read(&p->env, path, HR_MAX_JSON_BYTES, &text) == HR_OK && text.len) {
        text.text[--text.len] = '\0'; /* the line feed */
        last = strrchr(text.text, '\n');
        ended = tells_end(last ? last : text.text);
    }
    hr_buf_clear(&text);
    hr_errors_cut(&p->env, kept);
    return ended;
}

hr_status hr_cancel_run(hr_project *p, const char *run)
{
    char dir[HR_MAX_PATH], path[HR_MAX_PATH], name[160];
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) == HR_OK)
        r = find(p, run, name, dir);
    if (r == HR_OK && (!host_lives(p, dir) || has_ended(p, dir)))
        r = hr_fail(&p->env, HR_PRECONDITION, "run \"%s\" has ended; there is nothing to cancel",
                    name);
    if (r == HR_OK)
        r = hr_path_join(&p->env, dir, "cancel", path);
    if (r == HR_OK)
        r = hr_file_append(&p->env, path, "", 0);
    return hr_host_done(p, r);
}
