/* One hook, from the job to the result. */
#include "plugin/worker/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/manifest_of.h"
#include "plugin/worker/behind.h"
#include "plugin/worker/watch.h"

/* -- hooks ----------------------------------------------------------------- */

static hr_status find_component(struct hr_worker *w)
{
    const hr_component *const *c;
    const hr_plugin *plugin;
    hr_status r = hr_worker_load(w, 0, &plugin);

    if (r < 0)
        return r;
    for (c = plugin->components; c && *c; c++)
        if (!strcmp((*c)->id, w->job.component)) {
            w->component = *c;
            return HR_OK;
        }
    return hr_fail(&w->env, HR_DATA_LOSS,
                   "the plugin has no component \"%s\", though its manifest says so",
                   w->job.component);
}

static hr_status call_hook(struct hr_worker *w, const hr_executor_1 *life, int32_t *verdict)
{
    const hr_driver_1 *driver = hr_worker_offer(w->component, HR_DRIVER);
    const hr_publisher_1 *publisher = hr_worker_offer(w->component, HR_PUBLISHER);
    void *self = NULL;
    hr_status r = life->make(&w->hosts[HR_ROLE_HOOK].host, &w->run, &self);

    if (r < 0)
        return r;
    if (w->job.hook == HR_HOOK_DECIDE && driver)
        r = driver->decide(self, &w->run, verdict);
    else if (w->job.hook == HR_HOOK_PUBLISH && publisher)
        r = publisher->publish(self, &w->run, w->job.executed);
    else if (w->job.hook == HR_HOOK_RUN)
        r = life->run(self, &w->run);
    life->drop(self);
    while (w->flow_count)
        hr_flow_free(w->flows[--w->flow_count]);
    hr_worker_drop_models(w);
    return r;
}

static const char *hook_name(enum hr_hook hook)
{
    static const char *const names[] = { "run", "decide", "publish", "manifest" };

    return names[hook];
}

static hr_status run_hook(struct hr_worker *w, int32_t *verdict)
{
    const hr_executor_1 *life;
    hr_status r = find_component(w);

    if (r < 0)
        return r;
    if (!(life = hr_worker_offer(w->component, HR_EXECUTOR)))
        return hr_fail(&w->env, HR_DATA_LOSS, "\"%s\" offers no hr.executor/1", w->job.component);
    r = call_hook(w, life, verdict);
    if (r == HR_OK)
        return HR_OK;
    if (!hr_status_known(r))
        return hr_fail(&w->env, HR_INTERNAL,
                       "%s returned %d from its hook \"%s\", which is no status (a bug of the "
                       "plugin)",
                       w->job.component, (int)r, hook_name(w->job.hook));
    if (r == HR_NOT_FOUND && !w->env.errors.count && w->answer[0])
        hr_fail(&w->env, r, "%s", w->answer);
    if (!w->env.errors.count && r == HR_EXHAUSTED)
        hr_fail(&w->env, r, "%s ran out of memory", w->job.component);
    if (!w->env.errors.count && r == HR_CANCELLED)
        hr_fail(&w->env, r, "cancelled");
    if (!w->env.errors.count)
        hr_fail(&w->env, r,
                "%s failed in its hook \"%s\" with %s and gave no reason (a bug of the plugin)",
                w->job.component, hook_name(w->job.hook), hr_status_id(r));
    return r;
}

/* -- the result ------------------------------------------------------------ */

static void write_outputs(struct hr_worker *w, struct hr_json_writer *to)
{
    size_t i, k;

    hr_json_put_key(to, "outputs");
    hr_json_open_array(to);
    for (i = 0; i < w->job.port_count; i++) {
        const struct hr_job_port *port = &w->job.ports[i];

        if (!port->output)
            continue;
        hr_json_open_object(to);
        hr_json_put_member_text(to, "key", port->key);
        hr_json_put_key(to, "artifacts");
        hr_json_open_array(to);
        for (k = 0; k < port->count; k++) {
            hr_json_open_object(to);
            hr_json_put_member_text(to, "uri", port->artifacts[k].uri);
            hr_json_put_key(to, "set");
            hr_values_write(&port->artifacts[k].set, false, to);
            hr_json_close_object(to);
        }
        hr_json_close_array(to);
        hr_json_close_object(to);
    }
    hr_json_close_array(to);
}

static void send_result(struct hr_worker *w, hr_status status, int32_t verdict)
{
    struct hr_json_writer to;
    struct hr_buf text;
    char none[80];
    size_t i;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, &w->env);
    hr_json_begin(&to, &text, 0);
    hr_json_open_object(&to);
    hr_json_put_member_int(&to, "status", status);
    hr_json_put_member_int(&to, "verdict", verdict);
    hr_json_put_key(&to, "errors");
    hr_json_open_array(&to);
    for (i = status < 0 ? w->env.errors.count : 0; i; i--)
        hr_json_put_text(&to, w->env.errors.items[i - 1].text);
    hr_json_close_array(&to);
    hr_json_put_key(&to, "set");
    hr_values_write(&w->job.set, true, &to);
    write_outputs(w, &to);
    hr_json_close_object(&to);
    if (hr_json_end(&to) < 0 || !hr_channel_result(&w->channel, text.text, text.len)) {
        int n = snprintf(none, sizeof none,
                         "{\"status\":%d,\"errors\":[\"no memory is left for the result\"]}",
                         (int)HR_EXHAUSTED);

        hr_channel_result(&w->channel, none, (size_t)n);
    }
    hr_buf_clear(&text);
}

/* Errors of files have places, which the list keeps apart; a result has only texts. */
static void flatten_places(struct hr_worker *w)
{
    struct hr_errors *errors = &w->env.errors;
    struct hr_buf text;
    size_t i;

    hr_buf_of(&text, HR_MAX_ERROR_TEXT, &w->env);
    for (i = 0; i < errors->count; i++) {
        struct hr_error *e = &errors->items[i];
        char *flat;

        if (!e->file && !e->suggestion)
            continue;
        hr_buf_cut(&text, 0);
        hr_error_format(e, &text);
        if ((flat = hr_mem_text(&w->env, text.text))) {
            hr_mem_text_put(&w->env, e->text);
            e->text = flat;
        }
    }
    hr_buf_clear(&text);
}

static hr_status manifest(struct hr_worker *w)
{
    const hr_plugin *plugin;
    struct hr_buf text;
    hr_status r = hr_worker_load(w, 0, &plugin);

    hr_buf_of(&text, HR_MAX_JSON_BYTES, &w->env);
    if (r == HR_OK && (r = hr_manifest_of(plugin, w->sources[0].digest ? w->sources[0].digest : "",
                                          &text)) < 0)
        hr_fail(&w->env, r, "%s", text.text);
    if (r == HR_OK)
        hr_channel_result(&w->channel, text.text, text.len);
    hr_buf_clear(&text);
    return r;
}

static void init(struct hr_worker *w, const struct hr_worker_start *start)
{
    struct hr_env_config config = { .cancel = start->cancel };

    memset(w, 0, sizeof *w);
    hr_env_init(&w->env, &config);
    hr_arena_init(&w->arena, &w->env, 0);
    w->channel = (struct hr_channel){ &w->env, start->socket, 0 };
    pthread_mutex_init(&w->lock, NULL);
    w->sources = start->sources;
    w->source_count = start->source_count;
    w->plugins = hr_arena_array(&w->arena, start->source_count + 1, sizeof *w->plugins);
    hr_worker_make_hosts(w);
}

static void clear(struct hr_worker *w)
{
    pthread_mutex_destroy(&w->lock);
    hr_arena_clear(&w->arena);
    hr_env_clear(&w->env);
}

/* Walls first: nothing of the plugin, not even a constructor, runs before. */
static hr_status prepare(struct hr_worker *w, const struct hr_worker_start *start)
{
    hr_status r = w->plugins ? hr_job_read(&w->env, &w->arena, start->job, start->job_size, &w->job)
                             : HR_EXHAUSTED;
    char text[256];

    if (r < 0 || !start->walls)
        return r;
    if (w->job.tmp && chdir(w->job.tmp) < 0)
        return hr_fail(&w->env, HR_UNAVAILABLE, "cannot work in \"%s\"", w->job.tmp);
    if ((r = hr_worker_walls(&w->env, &w->job, start->walls, text, sizeof text)) == HR_OK)
        hr_channel_walls(&w->channel, text);
    return r;
}

/* A hook that ends its thread never returns; it has failed, and the process with it. */
static void thread_ended(void *arg)
{
    struct hr_worker *w = arg;

    hr_fail(&w->env, HR_INTERNAL,
            "%s ended the thread of its hook \"%s\" instead of returning (a bug of the plugin)",
            w->job.component, hook_name(w->job.hook));
    send_result(w, HR_INTERNAL, HR_EXECUTE);
    _exit(0);
}

static hr_status run_guarded(struct hr_worker *w, int32_t *verdict)
{
    struct hr_behind behind;
    hr_status r;

    pthread_cleanup_push(thread_ended, w);
    hr_behind_begin(&behind);
    r = run_hook(w, verdict);
    if (r == HR_OK)
        r = hr_behind_check(&behind, &w->env, w->job.component, hook_name(w->job.hook));
    pthread_cleanup_pop(0);
    return r;
}

void hr_worker_serve(const struct hr_worker_start *start)
{
    bool isolated = start->walls != NULL;
    int32_t verdict = HR_EXECUTE;
    struct hr_worker w;
    hr_status r;

    init(&w, start);
    r = prepare(&w, start);
    if (isolated)
        w.env.cancel = hr_watch_start(w.env.os, start->socket);
    if (r == HR_OK && w.job.hook == HR_HOOK_MANIFEST)
        r = manifest(&w);
    else if (r == HR_OK)
        r = isolated ? run_guarded(&w, &verdict) : run_hook(&w, &verdict);
    flatten_places(&w);
    if (w.job.hook != HR_HOOK_MANIFEST)
        send_result(&w, r, verdict);
    else if (r < 0)
        hr_channel_log(&w.channel, HR_ERROR, hr_env_error(&w.env));
    clear(&w);
}

void hr_worker_in_process(int socket, const char *job, size_t job_size,
                          const struct hr_plugin_info *const *plugins, size_t plugin_count,
                          volatile int32_t *cancel)
{
    struct hr_worker_source sources[16];
    size_t i, n = plugin_count < 16 ? plugin_count : 16;
    struct hr_worker_start start = { .socket = socket,
                                     .job = job,
                                     .job_size = job_size,
                                     .sources = sources,
                                     .source_count = n,
                                     .cancel = cancel };

    for (i = 0; i < n; i++)
        sources[i] = (struct hr_worker_source){ .path = plugins[i]->path,
                                                .linked = plugins[i]->linked,
                                                .digest = plugins[i]->digest };
    hr_worker_serve(&start);
}
