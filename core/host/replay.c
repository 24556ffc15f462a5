/* One execution again: its executor, with the job that it had, in an empty place.  Nothing of it is
 * recorded.
 *
 * The job is what the run has kept of it, with other places: the staging directory, and what
 * properties let it write, become directories of their own.
 */
#include <poll.h>
#include <string.h>

#include "host/package.h"
#include "plugin/worker/worker.h"
#include "run/run.h"

enum { MAX_WRITES = 64, MAX_PLUGINS = 16 };

struct move {
    const char *from, *to;
};

struct replay {
    struct hr_project *p;
    struct hr_arena arena;
    struct hr_meta_node execution;
    struct hr_home home;
    struct hr_json_doc *job; /* as it was */
    char dir[HR_MAX_PATH];
    struct move moves[MAX_WRITES + 2];
    size_t move_count;
    const struct hr_plugin_info *plugins[MAX_PLUGINS];
    const char *digests[MAX_PLUGINS]; /* of then; NULL: not known any more */
    size_t plugin_count;
    const char *changed; /* a plugin is another by now; NULL: none is */
    struct hr_buf text, result;
    const char *ending; /* of one that gave no result */
};

/* -- what it was ----------------------------------------------------------- */

/* The line of an execution: its number, a tab, the job. */
static const char *line_of(const char *text, int64_t execution, size_t *ret_n)
{
    char number[HR_NUM_TEXT + 1];
    const char *at, *end;
    size_t n;

    hr_num_put_int(number, execution);
    n = strlen(number);
    number[n++] = '\t';
    for (at = text; at && *at; at = end ? end + 1 : NULL) {
        end = strchr(at, '\n');
        if (!strncmp(at, number, n)) {
            *ret_n = (end ? (size_t)(end - at) : strlen(at)) - n;
            return at + n;
        }
    }
    return NULL;
}

static hr_status take_job(struct replay *rp, const char *path, const char *jobs)
{
    size_t n = 0;
    const char *job = line_of(jobs, rp->execution.id, &n);
    hr_status r;

    if (!job)
        return hr_fail(&rp->p->env, HR_PRECONDITION,
                       "execution %lld (%s, %s) cannot be replayed: no executor was started for "
                       "it, or the files of its run are gone",
                       (long long)rp->execution.id, rp->home.node,
                       hr_execution_state_name(rp->execution.state));
    r = hr_buf_add(&rp->text, job, n);
    return r < 0 ? r
                 : hr_json_parse(&rp->p->env, path, rp->text.text, rp->text.len, 0, &rp->job);
}

static hr_status read_job(struct replay *rp)
{
    struct hr_project *p = rp->p;
    char path[HR_MAX_PATH];
    struct hr_buf jobs;
    hr_status r = hr_path_join(&p->env, p->paths.runs, rp->home.run, path);

    hr_buf_of(&jobs, HR_MAX_FILE_BYTES, &p->env);
    if (r == HR_OK)
        r = hr_path_join(&p->env, path, "jobs.jsonl", path);
    if (r == HR_OK && hr_file_exists(&p->env, path))
        r = hr_file_read(&p->env, path, HR_MAX_FILE_BYTES, &jobs);
    if (r == HR_OK)
        r = take_job(rp, path, jobs.text ? jobs.text : "");
    hr_buf_clear(&jobs);
    return r;
}

static hr_status find(struct replay *rp, int64_t id)
{
    struct hr_project *p = rp->p;
    hr_status r = hr_store_get(p->store, HR_KIND_EXECUTION, id, &rp->arena, &rp->execution);

    if (r == HR_NOT_FOUND)
        return hr_fail(&p->env, r, "there is no execution %lld", (long long)id);
    if (r == HR_OK)
        r = hr_home_of(p, HR_KIND_EXECUTION, id, &rp->arena, &rp->home);
    if (r == HR_OK && (!rp->home.run || !rp->home.node))
        r = hr_fail(&p->env, HR_PRECONDITION,
                    "execution %lld was not made by headrace, so it cannot be replayed",
                    (long long)id);
    return r < 0 ? r : read_job(rp);
}

/* The digests of its plugins then: its own is on record, those of its models are in the text of
 * its cache key, as long as that is there. */
static hr_status read_digests(struct replay *rp)
{
    const char *key = hr_meta_text(&rp->execution, "__cache_key");
    const struct hr_json *m = NULL;
    struct hr_json_doc *doc = NULL;
    struct hr_buf text;
    hr_status r = HR_NOT_FOUND;
    size_t n = 1;

    rp->digests[0] = hr_meta_text(&rp->execution, "__plugin_digest");
    hr_buf_of(&text, HR_MAX_JSON_BYTES, &rp->p->env);
    if (key && *key)
        r = hr_key_read(&rp->p->env, &rp->p->paths, key, &text);
    if (r == HR_OK)
        r = hr_json_parse(&rp->p->env, "cache key", text.text, text.len, 0, &doc);
    if (r == HR_OK)
        m = hr_json_get(hr_json_root(doc), "models");
    for (m = m ? hr_json_first(m) : NULL; m && n < MAX_PLUGINS; m = hr_json_next(m))
        rp->digests[n++] = hr_arena_text(&rp->arena, hr_json_text(m));
    hr_json_free(doc);
    hr_buf_clear(&text);
    return r == HR_NOT_FOUND ? HR_OK : r;
}

/* What counts in the catalogue: of a plugin of then that very version, if it is here. */
static hr_status choose(struct replay *rp, const bool **ret)
{
    struct hr_catalogue *all = rp->p->catalogue;
    struct hr_pin pins[MAX_PLUGINS];
    struct hr_wishes wishes = { .pins = pins };
    size_t i, k;

    for (i = 0; i < MAX_PLUGINS; i++)
        for (k = 0; rp->digests[i] && k < hr_catalogue_count(all); k++) {
            const struct hr_catalogue_entry *e = hr_catalogue_at(all, k);

            if (e->reason || strcmp(e->info.digest, rp->digests[i]) != 0)
                continue;
            pins[wishes.pin_count++] =
                (struct hr_pin){ e->info.id, e->info.version, e->info.digest };
            break;
        }
    return hr_catalogue_select(all, &rp->p->env, &wishes, &rp->arena, ret);
}

static hr_status add_plugin(struct replay *rp, const bool *counts, size_t at,
                            const char *component)
{
    struct hr_place place = { .file = "--replay" };
    const struct hr_component_info *c =
        component ? hr_catalogue_component(rp->p->catalogue, counts, &place, component) : NULL;

    if (!c || at >= MAX_PLUGINS)
        return component && c ? HR_EXHAUSTED : HR_NOT_FOUND;
    rp->plugins[at] = c->plugin;
    rp->plugin_count = at + 1 > rp->plugin_count ? at + 1 : rp->plugin_count;
    return HR_OK;
}

static hr_status tell_changed(struct replay *rp, size_t i)
{
    const struct hr_plugin_info *now = rp->plugins[i];
    const char *then = rp->digests[i];

    if (rp->changed || !then || !strcmp(then, now->digest))
        return HR_OK;
    rp->changed = hr_arena_format(&rp->arena,
                                  "the plugin of then, %.12s..., is not here any more: %s %s was "
                                  "taken", then, now->id, now->version);
    return rp->changed ? HR_OK : HR_EXHAUSTED;
}

/* The component's plugin, then those that load its models, by the numbers of the job. */
static hr_status find_plugins(struct replay *rp)
{
    const struct hr_json *root = hr_json_root(rp->job), *models = hr_json_get(root, "models"), *m;
    const bool *counts = NULL;
    int64_t at = 0;
    hr_status r = hr_host_catalogue(rp->p);
    size_t i;

    if (r == HR_OK)
        r = read_digests(rp);
    if (r == HR_OK)
        r = choose(rp, &counts);
    if (r == HR_OK)
        r = add_plugin(rp, counts, 0, hr_json_text(hr_json_get(root, "component")));
    for (m = models ? hr_json_first(models) : NULL; m && r == HR_OK; m = hr_json_next(m))
        if (hr_json_int(rp->job, hr_json_get(m, "plugin"), &at) && at > 0)
            r = add_plugin(rp, counts, (size_t)at, hr_json_text(hr_json_get(m, "component")));
    for (i = 0; i < rp->plugin_count && r == HR_OK; i++)
        r = rp->plugins[i] ? tell_changed(rp, i) : HR_INTERNAL;
    return r;
}

/* -- the empty place ------------------------------------------------------- */

static hr_status add_move(struct replay *rp, const char *from, const char *name)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(&rp->p->env, rp->dir, name, path);

    if (!from || rp->move_count == sizeof rp->moves / sizeof rp->moves[0])
        return HR_EXHAUSTED;
    if (r == HR_OK)
        r = hr_dir_make(&rp->p->env, path);
    rp->moves[rp->move_count] =
        (struct move){ hr_arena_text(&rp->arena, from), hr_arena_text(&rp->arena, path) };
    return r < 0 ? r
           : rp->moves[rp->move_count].from && rp->moves[rp->move_count++].to ? HR_OK
                                                                              : HR_EXHAUSTED;
}

static hr_status make_outputs(struct replay *rp)
{
    const struct hr_json *outputs = hr_json_get(hr_json_root(rp->job), "outputs"), *m;
    const char *key;
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(&rp->p->env, rp->dir, "out/.tmp", path);

    if (r == HR_OK)
        r = hr_dir_make(&rp->p->env, path);
    if (r == HR_OK)
        r = hr_path_join(&rp->p->env, rp->dir, "out/.state", path);
    if (r == HR_OK)
        r = hr_dir_make(&rp->p->env, path);
    for (m = outputs ? hr_json_first(outputs) : NULL; m && r == HR_OK; m = hr_json_next(m)) {
        if (!(key = hr_json_text(hr_json_get(m, "key"))))
            return HR_INVALID;
        r = hr_path_join(&rp->p->env, rp->dir, "out", path);
        if (r == HR_OK)
            r = hr_path_join(&rp->p->env, path, key, path);
        if (r == HR_OK)
            r = hr_dir_make(&rp->p->env, path);
    }
    return r;
}

static hr_status make_places(struct replay *rp)
{
    const struct hr_json *root = hr_json_root(rp->job), *m;
    const struct hr_json *writes = hr_json_get(hr_json_get(root, "walls"), "write");
    char staging[HR_MAX_PATH], number[HR_NUM_TEXT];
    const char *name;
    size_t n = 0;
    hr_status r = hr_host_private_dir(rp->p, rp->dir);

    hr_num_put_int(number, rp->execution.id);
    if (r == HR_OK)
        r = hr_path_join(&rp->p->env, rp->p->paths.staging, number, staging);
    if (r == HR_OK)
        r = add_move(rp, staging, "out");
    for (m = writes ? hr_json_first(writes) : NULL; m && r == HR_OK; m = hr_json_next(m), n++) {
        name = hr_arena_format(&rp->arena, "write-%zu", n);
        r = name ? add_move(rp, hr_json_text(m), name) : HR_EXHAUSTED;
    }
    return r < 0 ? r : make_outputs(rp);
}

/* A text as it stands in JSON, without the quotes. */
static hr_status quoted(const char *text, struct hr_buf *to)
{
    struct hr_json_writer w;
    hr_status r;

    hr_buf_cut(to, 0);
    hr_json_begin(&w, to, 0);
    hr_json_put_text(&w, text);
    r = hr_json_end(&w);
    if (r == HR_OK)
        hr_buf_cut(to, to->len - 1);
    return r;
}

/* One place for another, wherever a text of the job names it or what lies below it. */
static hr_status move_one(struct replay *rp, const struct move *move, struct hr_buf *text)
{
    struct hr_buf from, to, moved;
    const char *at, *rest = text->text;
    hr_status r;

    hr_buf_of(&from, 4 * HR_MAX_PATH, &rp->p->env);
    hr_buf_of(&to, 4 * HR_MAX_PATH, &rp->p->env);
    hr_buf_of(&moved, HR_MAX_JSON_BYTES, &rp->p->env);
    r = quoted(move->from, &from);
    if (r == HR_OK)
        r = quoted(move->to, &to);
    while (r == HR_OK && (at = strstr(rest, from.text + 1))) {
        const char *end = at + from.len - 1;
        bool whole = *end == '/' || *end == '"' || *end == '\\' || *end == ' ';

        r = hr_buf_add(&moved, rest, (size_t)(at - rest));
        if (r == HR_OK)
            r = whole ? hr_buf_text(&moved, to.text + 1)
                      : hr_buf_add(&moved, at, (size_t)(end - at));
        rest = end;
    }
    if (r == HR_OK)
        r = hr_buf_text(&moved, rest);
    hr_buf_cut(text, 0);
    if (r == HR_OK)
        r = hr_buf_add(text, moved.text, moved.len);
    hr_buf_clear(&from);
    hr_buf_clear(&to);
    hr_buf_clear(&moved);
    return r;
}

/* -- running it ------------------------------------------------------------ */

static void tell(const struct replay *rp, hr_level level, const char *text)
{
    if (rp->p->log)
        rp->p->log(rp->p->log_user, level, text);
}

static void follow(struct replay *rp, struct hr_process *process, int watch)
{
    struct pollfd fd = { watch, POLLIN, 0 };
    struct hr_message m = { 0 };

    while (m.kind != HR_MESSAGE_END) {
        if (hr_process_read(process, &m) < 0)
            break;
        if (m.kind == HR_MESSAGE_LOG || m.kind == HR_MESSAGE_PRINT)
            tell(rp, m.level, m.text);
        else if (m.kind == HR_MESSAGE_RESULT)
            hr_buf_text(&rp->result, m.text);
        else if (m.kind == HR_MESSAGE_NONE)
            rp->p->env.os->poll(rp->p->env.os->user, &fd, 1, 1000);
    }
    rp->ending = hr_arena_text(&rp->arena, hr_process_ending(process));
}

static hr_status run(struct replay *rp, bool isolated)
{
    struct hr_project *p = rp->p;
    int watch = p->env.os->watch_new(p->env.os->user);
    struct hr_process_config config = { .worker = p->worker ? p->worker : p->where.worker,
                                        .in_process = hr_worker_in_process,
                                        .plugins = rp->plugins,
                                        .plugin_count = rp->plugin_count,
                                        .watch = watch };
    struct hr_process *process = NULL;
    struct hr_crew *crew = NULL;
    hr_status r = watch < 0 ? hr_fail_os(&p->env, watch, "watch", "the worker") : HR_OK;
    size_t i;

    if (!isolated || rp->plugins[0]->linked)
        config.worker = NULL;
    for (i = 0; i < rp->move_count && r == HR_OK; i++)
        r = move_one(rp, &rp->moves[i], &rp->text);
    config.job = rp->text.text;
    config.job_size = rp->text.len;
    if (r == HR_OK)
        r = hr_crew_new(&p->env, &crew);
    config.crew = crew;
    if (r == HR_OK)
        r = hr_process_start(&p->env, &config, &process);
    if (r == HR_OK)
        follow(rp, process, watch);
    hr_process_free(process);
    hr_crew_free(crew);
    if (watch >= 0)
        p->env.os->close(p->env.os->user, watch);
    return r;
}

/* -- comparing ------------------------------------------------------------- */

static bool is_many(const struct replay *rp, const char *key)
{
    const struct hr_json *outputs = hr_json_get(hr_json_root(rp->job), "outputs"), *m;
    int64_t flags = 0;

    for (m = outputs ? hr_json_first(outputs) : NULL; m; m = hr_json_next(m))
        if (hr_text_eq(hr_json_text(hr_json_get(m, "key")), key))
            hr_json_int(rp->job, hr_json_get(m, "flags"), &flags);
    return flags & HR_PORT_MANY;
}

static hr_status put_output(struct replay *rp, const char *key, int64_t index, const char *before,
                            struct hr_json_writer *w, bool *equal)
{
    struct hr_env *env = &rp->p->env;
    char path[HR_MAX_PATH], now[HR_SHA256_HEX] = "";
    size_t kept = env->errors.count;
    const char *name = is_many(rp, key) ? hr_arena_format(&rp->arena, "out/%s/%lld", key,
                                                          (long long)index)
                                        : hr_arena_format(&rp->arena, "out/%s", key);
    hr_status r = name ? hr_path_join(env, rp->dir, name, path) : HR_EXHAUSTED;

    if (r == HR_OK && hr_file_exists(env, path) && hr_artifact_digest(env, NULL, path, now) < 0)
        hr_errors_cut(env, kept); /* it left what no artifact may hold: another, then */
    hr_json_open_object(w);
    hr_json_put_member_text(w, "output", key);
    hr_json_put_member_int(w, "index", index);
    hr_json_put_member_text(w, "before", before);
    hr_json_put_member_text(w, "now", *now ? now : NULL);
    hr_json_put_member_bool(w, "equal", hr_text_eq(before, now));
    hr_json_close_object(w);
    *equal = *equal && hr_text_eq(before, now);
    return r;
}

static hr_status put_outputs(struct replay *rp, struct hr_json_writer *w, bool *equal)
{
    struct hr_store *store = rp->p->store;
    struct hr_meta_events events = { 0 };
    struct hr_meta_node node;
    hr_status r = hr_store_events_of_execution(store, rp->execution.id, &rp->arena, &events);
    size_t i, k;

    hr_json_put_key(w, "outputs");
    hr_json_open_array(w);
    for (i = 0; i < events.count && r == HR_OK; i++) {
        if (events.items[i].type != HR_EVENT_OUTPUT)
            continue;
        r = hr_store_get(store, HR_KIND_ARTIFACT, events.items[i].artifact, &rp->arena, &node);
        for (k = 0; r == HR_OK && k + 1 < events.items[i].count; k += 2)
            if (events.items[i].steps[k].key)
                r = put_output(rp, events.items[i].steps[k].key, events.items[i].steps[k + 1].index,
                               hr_meta_text(&node, "__digest"), w, equal);
    }
    hr_json_close_array(w);
    return r;
}

/* How it ended: the status that its result says, and why. */
static hr_status ended(struct replay *rp, const char **ret_text)
{
    size_t kept = rp->p->env.errors.count;
    const struct hr_json *list, *m;
    int64_t status = HR_INTERNAL;
    struct hr_json_doc *doc;
    struct hr_buf text;

    *ret_text = rp->ending && *rp->ending ? hr_arena_format(&rp->arena, "it %s", rp->ending)
                                          : "it ended without a result";
    if ((rp->ending && *rp->ending) || !rp->result.len)
        return HR_INTERNAL;
    if (hr_json_parse(&rp->p->env, "result", rp->result.text, rp->result.len, 0, &doc) < 0) {
        hr_errors_cut(&rp->p->env, kept);
        *ret_text = "its result cannot be read";
        return HR_INTERNAL;
    }
    hr_json_int(doc, hr_json_get(hr_json_root(doc), "status"), &status);
    list = hr_json_get(hr_json_root(doc), "errors");
    hr_buf_of(&text, HR_MAX_ERROR_TEXT, &rp->p->env);
    for (m = list ? hr_json_first(list) : NULL; m; m = hr_json_next(m))
        hr_buf_format(&text, "%s%s", text.len ? "\n" : "",
                      hr_json_text(m) ? hr_json_text(m) : "");
    *ret_text = hr_arena_text(&rp->arena, text.text ? text.text : "");
    hr_buf_clear(&text);
    hr_json_free(doc);
    return status < 0 && status > -100 ? (hr_status)status : status ? HR_INTERNAL : HR_OK;
}

static hr_status answer(struct replay *rp)
{
    struct hr_json_writer w;
    const char *text = NULL;
    hr_status status = ended(rp, &text), r;
    bool equal = true;

    hr_json_begin(&w, &rp->p->text, 0);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "execution", rp->execution.id);
    hr_json_put_member_text(&w, "node", rp->home.node);
    hr_json_put_member_text(&w, "run", rp->home.run);
    hr_json_put_member_text(&w, "state", hr_execution_state_name(rp->execution.state));
    hr_json_put_member_int(&w, "status", status);
    hr_json_put_member_text(&w, "text", text);
    hr_json_put_member_bool(&w, "plugin_changed", rp->changed != NULL);
    if (rp->changed)
        hr_json_put_member_text(&w, "plugin_text", rp->changed);
    r = put_outputs(rp, &w, &equal);
    hr_json_put_member_bool(&w, "equal", equal && status == HR_OK);
    hr_json_put_member_text(&w, "dir", equal && status == HR_OK ? NULL : rp->dir);
    hr_json_close_object(&w);
    if (r == HR_OK && equal && status == HR_OK) /* there is nothing to look at */
        r = hr_tree_remove(&rp->p->env, rp->dir);
    return r < 0 ? r : hr_json_end(&w);
}

hr_status hr_replay(hr_project *p, int64_t execution, const char *options, const char **ret_json)
{
    struct replay rp = { .p = p };
    struct hr_options o;
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    hr_arena_init(&rp.arena, &p->env, 0);
    hr_buf_of(&rp.text, HR_MAX_JSON_BYTES, &p->env);
    hr_buf_of(&rp.result, HR_MAX_JSON_BYTES, &p->env);
    hr_buf_cut(&p->text, 0);
    r = hr_options_read(p, options, &rp.arena, &o);
    if (r == HR_OK)
        r = find(&rp, execution);
    if (r == HR_OK)
        r = find_plugins(&rp);
    if (r == HR_OK)
        r = make_places(&rp);
    if (r == HR_OK)
        r = run(&rp, o.isolation != HR_ISOLATE_NONE);
    if (r == HR_OK)
        r = answer(&rp);
    if (r == HR_OK)
        *ret_json = p->text.text;
    hr_json_free(rp.job);
    hr_buf_clear(&rp.text);
    hr_buf_clear(&rp.result);
    hr_arena_clear(&rp.arena);
    return hr_host_done(p, r);
}
