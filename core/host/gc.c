/* Removing the files of artifacts that nothing needs.
 *
 * What is kept is marked first, by id: roots, then all that they came from.  What is not kept,
 * and ours, is removed in two steps, so that a run that goes on never loses what it has just
 * found in the cache: all of it is MARKED in one transaction, which no new lookup takes; after a
 * pause, in which a lookup from before has been recorded, each is looked at again in a second
 * transaction, and is LIVE again or DELETED.  Files go last.  A gc that is killed leaves rows
 * that are MARKED, or DELETED with files: the next one, or "doctor", goes on from there.
 */
#include <string.h>

#include "host/host.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { PAUSE_MS = 500, MOST_IDS = 100000000, PAGE = 1000 };

struct policy {
    int64_t keep, older_s;
    bool dry_run;
};

struct gc {
    struct hr_project *p;
    struct policy policy;
    struct hr_arena arena;
    int64_t max_id, last_execution;
    uint8_t *kept; /* by id of artifact */
    int64_t *queue;
    size_t queued, queue_cap;
    int64_t *doomed;
    size_t doomed_count, doomed_cap;
    int64_t kept_count;
};

bool hr_is_own(const struct hr_project *p, const char *uri)
{
    size_t n = strlen(p->paths.artifacts);

    return !strncmp(uri, p->paths.artifacts, n) && uri[n] == '/' && uri[n + 1] != '.' &&
           !strstr(uri + n, "/../");
}

static hr_status keep(struct gc *gc, int64_t artifact)
{
    if (artifact < 0 || artifact > gc->max_id || gc->kept[artifact])
        return HR_OK;
    if (!hr_mem_reserve(&gc->p->env, (void **)&gc->queue, &gc->queue_cap, gc->queued + 1,
                        sizeof *gc->queue, MOST_IDS))
        return HR_EXHAUSTED;
    gc->kept[artifact] = 1;
    gc->queue[gc->queued++] = artifact;
    return HR_OK;
}

/* All artifacts that an execution has read or put out. */
static hr_status keep_touched(struct gc *gc, int64_t execution)
{
    struct hr_meta_links links = { 0 };
    struct hr_arena arena;
    hr_status r;
    size_t i;

    hr_arena_init(&arena, &gc->p->env, 0);
    r = hr_store_links(gc->p->store, HR_KIND_EXECUTION, execution, &arena, &links);
    for (i = 0; i < links.count && r == HR_OK; i++)
        r = keep(gc, links.items[i].id);
    hr_arena_clear(&arena);
    return r;
}

static hr_status keep_run(struct gc *gc, int64_t context)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION, .contexts = &context, .context_count = 1 };
    struct hr_meta_nodes found = { 0 };
    struct hr_arena arena;
    hr_status r;
    size_t i;

    hr_arena_init(&arena, &gc->p->env, 0);
    r = hr_store_look(gc->p->store, &look, &arena, &found);
    for (i = 0; i < found.count && r == HR_OK; i++)
        r = keep_touched(gc, found.items[i].id);
    hr_arena_clear(&arena);
    return r;
}

/* Does the host of a run live?  Its id stands in the run's directory.  Who cannot be asked does. */
static bool goes_on(struct gc *gc, const char *run)
{
    struct hr_env *env = &gc->p->env;
    size_t kept = env->errors.count;
    char path[HR_MAX_PATH];
    struct hr_buf id;
    bool alive = false;

    hr_buf_of(&id, 64, env);
    if (hr_path_join(env, gc->p->paths.runs, run, path) == HR_OK &&
        hr_path_join(env, path, "host", path) == HR_OK && hr_file_exists(env, path))
        alive = hr_file_read(env, path, 64, &id) < 0 ||
                hr_host_alive(env, &gc->p->paths, id.text);
    hr_buf_clear(&id);
    hr_errors_cut(env, kept);
    return alive;
}

/* Runs of each pipeline, the newest first: so many of them, and those that go on. */
static hr_status keep_runs(struct gc *gc)
{
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "pipeline_run", .newest_first = true };
    struct hr_meta_nodes runs = { 0 }, parents;
    struct seen {
        int64_t pipeline, count;
    } *seen;
    size_t n = 0, i, k;
    hr_status r = hr_store_look(gc->p->store, &look, &gc->arena, &runs);

    if (r < 0 || !(seen = hr_arena_array(&gc->arena, runs.count + 1, sizeof *seen)))
        return r < 0 ? r : HR_EXHAUSTED;
    for (i = 0; i < runs.count && r == HR_OK; i++) {
        bool alive = goes_on(gc, runs.items[i].name);
        int64_t pipeline = 0;

        parents = (struct hr_meta_nodes){ 0 };
        r = hr_store_contexts_of(gc->p->store, HR_KIND_CONTEXT, runs.items[i].id, &gc->arena,
                                 &parents);
        if (hr_pipeline_among(&parents))
            pipeline = hr_pipeline_among(&parents)->id;
        for (k = 0; k < n && seen[k].pipeline != pipeline; k++)
            ;
        if (k == n)
            seen[n++] = (struct seen){ pipeline, 0 };
        if (r == HR_OK && (alive || seen[k].count < gc->policy.keep))
            r = keep_run(gc, runs.items[i].id);
        seen[k].count++;
    }
    return r;
}

/* What executions that are RUNNING have, also those of other programs. */
static hr_status keep_running(struct gc *gc)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION, .state = HR_EXECUTION_RUNNING };
    struct hr_meta_nodes found = { 0 };
    hr_status r = hr_store_look(gc->p->store, &look, &gc->arena, &found);
    size_t i;

    for (i = 0; i < found.count && r == HR_OK; i++)
        r = keep_touched(gc, found.items[i].id);
    return r;
}

static hr_status keep_pushed(struct gc *gc)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT, .type = "PushedModel" };
    struct hr_meta_nodes found = { 0 };
    hr_status r = hr_store_look(gc->p->store, &look, &gc->arena, &found);
    size_t i;

    for (i = 0; i < found.count && r == HR_OK; i++)
        if (found.items[i].state == HR_ARTIFACT_LIVE &&
            hr_meta_int(&found.items[i], "pushed", 0) == 1)
            r = keep(gc, found.items[i].id);
    return r;
}

/* Nodes of pipelines that a newer blessing was found of. */
struct blessed {
    struct {
        const char *pipeline, *node;
    } * items;
    size_t n;
};

/* Keep a blessing, unless its node has a newer one. */
static hr_status keep_newest(struct gc *gc, int64_t artifact, struct blessed *before)
{
    struct hr_home home;
    hr_status r = hr_home_of(gc->p, HR_KIND_ARTIFACT, artifact, &gc->arena, &home);
    size_t k;

    for (k = 0; k < before->n; k++)
        if (hr_text_eq(before->items[k].pipeline, home.pipeline) &&
            hr_text_eq(before->items[k].node, home.node))
            return r;
    before->items[before->n].pipeline = home.pipeline;
    before->items[before->n++].node = home.node;
    return r < 0 ? r : keep(gc, artifact);
}

/* Pushed models, and the newest blessing of each node: what comes next is compared with it. */
static hr_status keep_models(struct gc *gc)
{
    struct hr_look look = {
        .kind = HR_KIND_ARTIFACT, .type = "ModelBlessing", .newest_first = true
    };
    struct hr_meta_nodes found = { 0 };
    struct blessed before = { 0 };
    hr_status r = keep_pushed(gc);
    size_t i;

    if (r == HR_OK)
        r = hr_store_look(gc->p->store, &look, &gc->arena, &found);
    if (r < 0)
        return r;
    if (!(before.items = hr_arena_array(&gc->arena, found.count + 1, sizeof *before.items)))
        return HR_EXHAUSTED;
    for (i = 0; i < found.count && r == HR_OK; i++)
        if (found.items[i].state == HR_ARTIFACT_LIVE &&
            hr_meta_int(&found.items[i], "blessed", 0) == 1)
            r = keep_newest(gc, found.items[i].id, &before);
    return r;
}

/* The inputs of what made a kept artifact, and so on. */
static hr_status keep_ancestors(struct gc *gc)
{
    hr_status r = HR_OK;

    while (gc->queued && r == HR_OK) {
        int64_t artifact = gc->queue[--gc->queued], maker = 0;
        struct hr_meta_links links = { 0 };
        struct hr_arena arena;
        size_t i;

        hr_arena_init(&arena, &gc->p->env, 0);
        r = hr_maker_of(gc->p, artifact, &arena, &maker);
        if (r == HR_OK && maker)
            r = hr_store_links(gc->p->store, HR_KIND_EXECUTION, maker, &arena, &links);
        for (i = 0; i < links.count && r == HR_OK; i++)
            if (links.items[i].type == HR_EVENT_INPUT)
                r = keep(gc, links.items[i].id);
        hr_arena_clear(&arena);
    }
    return r;
}

/* Artifacts above max_id were made since and are not looked at. */
static bool is_young(const struct gc *gc, const struct hr_meta_node *a)
{
    int64_t now = gc->p->env.os->realtime_us(gc->p->env.os->user) / 1000;

    return gc->policy.older_s > 0 && a->create_ms > now - gc->policy.older_s * 1000;
}

typedef hr_status each_artifact(struct gc *gc, const struct hr_meta_node *a);

static hr_status for_artifacts(struct gc *gc, each_artifact *each)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT, .newest_first = true, .limit = PAGE };
    struct hr_meta_nodes found;
    struct hr_arena arena;
    hr_status r;
    size_t i;

    hr_arena_init(&arena, &gc->p->env, 0);
    do {
        hr_arena_clear(&arena);
        found = (struct hr_meta_nodes){ 0 };
        r = hr_store_look(gc->p->store, &look, &arena, &found);
        for (i = 0; i < found.count && r == HR_OK; i++) {
            look.before = found.items[i].id;
            r = each(gc, &found.items[i]);
        }
    } while (r == HR_OK && found.count == PAGE);
    hr_arena_clear(&arena);
    return r;
}

/* Young ones, those that are being made, and those that are not ours. */
static hr_status keep_young(struct gc *gc, const struct hr_meta_node *a)
{
    bool removable = a->state == HR_ARTIFACT_LIVE || a->state == HR_ARTIFACT_MARKED;

    return removable && is_young(gc, a) ? keep(gc, a->id) : HR_OK;
}

static hr_status doom(struct gc *gc, const struct hr_meta_node *a)
{
    if ((a->state != HR_ARTIFACT_LIVE && a->state != HR_ARTIFACT_MARKED) || a->id > gc->max_id)
        return HR_OK;
    if (gc->kept[a->id] || !hr_is_own(gc->p, a->uri)) {
        gc->kept_count++;
        return HR_OK;
    }
    if (!hr_mem_reserve(&gc->p->env, (void **)&gc->doomed, &gc->doomed_cap, gc->doomed_count + 1,
                        sizeof *gc->doomed, MOST_IDS))
        return HR_EXHAUSTED;
    gc->doomed[gc->doomed_count++] = a->id;
    return HR_OK;
}

static hr_status newest_id(struct gc *gc, enum hr_type_kind kind, int64_t *ret)
{
    struct hr_look look = { .kind = kind, .newest_first = true, .limit = 1 };
    struct hr_meta_nodes found = { 0 };
    hr_status r = hr_store_look(gc->p->store, &look, &gc->arena, &found);

    *ret = found.count ? found.items[0].id : 0;
    return r;
}

/* What goes.  It looks at files, so it is no transaction: what was recorded meanwhile is seen by
 * its id when each is settled. */
static hr_status choose(struct gc *gc)
{
    hr_status r = newest_id(gc, HR_KIND_ARTIFACT, &gc->max_id);

    if (r == HR_OK)
        r = newest_id(gc, HR_KIND_EXECUTION, &gc->last_execution);
    if (r == HR_OK && gc->max_id >= MOST_IDS)
        r = hr_fail(&gc->p->env, HR_EXHAUSTED, "the store has more artifacts than gc can look at");
    if (r == HR_OK && !(gc->kept = hr_mem_zero(&gc->p->env, (size_t)gc->max_id + 1)))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = keep_runs(gc);
    if (r == HR_OK)
        r = keep_running(gc);
    if (r == HR_OK)
        r = keep_models(gc);
    if (r == HR_OK)
        r = for_artifacts(gc, keep_young);
    if (r == HR_OK)
        r = keep_ancestors(gc);
    if (r == HR_OK)
        r = for_artifacts(gc, doom);
    return r;
}

static hr_status mark(struct gc *gc)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < gc->doomed_count && r == HR_OK; i++)
        r = hr_store_set_state(gc->p->store, HR_KIND_ARTIFACT, gc->doomed[i], HR_ARTIFACT_MARKED);
    return r;
}

/* Has an execution that was recorded since, or one that runs, taken it up? */
static hr_status is_wanted(struct gc *gc, int64_t artifact, bool *ret)
{
    struct hr_meta_links links = { 0 };
    struct hr_arena arena;
    hr_status r;
    size_t i;

    hr_arena_init(&arena, &gc->p->env, 0);
    r = hr_store_links(gc->p->store, HR_KIND_ARTIFACT, artifact, &arena, &links);
    *ret = false;
    for (i = 0; i < links.count; i++)
        *ret = *ret || links.items[i].id > gc->last_execution ||
               links.items[i].state == HR_EXECUTION_RUNNING;
    hr_arena_clear(&arena);
    return r;
}

/* LIVE again, or DELETED; those that stay go out of the list. */
static hr_status settle(struct gc *gc)
{
    size_t n = 0, i;
    bool wanted = false;
    hr_status r = HR_OK;

    for (i = 0; i < gc->doomed_count && r == HR_OK; i++) {
        int64_t id = gc->doomed[i];

        r = is_wanted(gc, id, &wanted);
        if (r == HR_OK)
            r = hr_store_set_state(gc->p->store, HR_KIND_ARTIFACT, id,
                                   wanted ? HR_ARTIFACT_LIVE : HR_ARTIFACT_DELETED);
        gc->kept_count += wanted;
        if (!wanted)
            gc->doomed[n++] = id;
    }
    gc->doomed_count = n;
    return r;
}

static hr_status in_transaction(struct gc *gc, hr_status (*work)(struct gc *gc))
{
    hr_status r = hr_store_begin(gc->p->store, true);

    if (r == HR_OK)
        r = work(gc);
    if (r == HR_OK)
        return hr_store_commit(gc->p->store);
    hr_store_rollback(gc->p->store);
    return r;
}

/* -- files ----------------------------------------------------------------- */

static uint64_t bytes_of(struct hr_env *env, const char *path)
{
    size_t kept = env->errors.count, i;
    struct hr_names names = { 0 };
    char file[HR_MAX_PATH];
    struct hr_stat st;
    uint64_t n = 0;

    if (hr_dir_exists(env, path) && hr_tree_list(env, path, &names) == HR_OK) {
        for (i = 0; i < names.count; i++)
            if (hr_path_join(env, path, names.names[i], file) == HR_OK &&
                OS(env, stat, file, false, &st) == 0)
                n += st.size;
        hr_names_clear(env, &names);
    } else if (OS(env, stat, path, false, &st) == 0 && st.is_file) {
        n = st.size;
    }
    hr_errors_cut(env, kept);
    return n;
}

/* The files, and the directories above that become empty, up to the node's. */
static hr_status remove_files(struct gc *gc, const char *uri)
{
    struct hr_env *env = &gc->p->env;
    char at[HR_MAX_PATH], up[HR_MAX_PATH];
    hr_status r = hr_tree_remove(env, uri);

    if (r < 0 || (r = hr_path_join(env, uri, "", at)) < 0)
        return r;
    hr_path_dir(uri, up);
    while (hr_is_own(gc->p, up) && OS(env, rmdir, up) == 0) {
        memcpy(at, up, sizeof at);
        hr_path_dir(at, up);
    }
    return HR_OK;
}

static hr_status remove_doomed(struct gc *gc, struct hr_json_writer *w)
{
    uint64_t total = 0, bytes;
    hr_status r = HR_OK;
    size_t i;

    hr_json_open_object(w);
    hr_json_put_key(w, "removed");
    hr_json_open_array(w);
    for (i = 0; i < gc->doomed_count && r == HR_OK; i++) {
        struct hr_meta_node a;

        if ((r = hr_store_get(gc->p->store, HR_KIND_ARTIFACT, gc->doomed[i], &gc->arena, &a)) < 0)
            break;
        bytes = bytes_of(&gc->p->env, a.uri);
        total += bytes;
        if (!gc->policy.dry_run)
            r = remove_files(gc, a.uri);
        hr_json_open_object(w);
        hr_json_put_member_int(w, "artifact", a.id);
        hr_json_put_member_text(w, "type", a.type);
        hr_json_put_member_text(w, "uri", a.uri);
        hr_json_put_member_int(w, "bytes", (int64_t)bytes);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
    hr_json_put_member_int(w, "kept", gc->kept_count);
    hr_json_put_member_int(w, "bytes", (int64_t)total);
    hr_json_put_member_bool(w, "dry_run", gc->policy.dry_run);
    hr_json_close_object(w);
    return r < 0 ? r : hr_json_end(w);
}

/* -- the whole ------------------------------------------------------------- */

static hr_status read_count(struct hr_project *p, const struct hr_json_doc *doc,
                            const struct hr_json *m, int64_t *ret)
{
    struct hr_place place = hr_json_place(doc, m);

    if (hr_json_int(doc, m, ret) && *ret >= 0 && *ret < INT64_C(1) << 40)
        return HR_OK;
    return hr_fail_at(&p->env, HR_INVALID, &place, "\"%s\" wants a number from 0 on",
                      hr_json_key(m));
}

/* Never taken for false where it is something else: files would go. */
static hr_status read_truth(struct hr_project *p, const struct hr_json_doc *doc,
                            const struct hr_json *m, bool *ret)
{
    struct hr_place place = hr_json_place(doc, m);

    *ret = hr_json_bool(m);
    if (hr_json_kind(m) == HR_JSON_BOOL)
        return HR_OK;
    return hr_fail_at(&p->env, HR_INVALID, &place, "\"%s\" is true or false", hr_json_key(m));
}

static hr_status read_policy(struct hr_project *p, const char *options, struct policy *ret)
{
    int64_t keep_runs = -1, older = -1;
    struct hr_json_doc *doc = NULL;
    const struct hr_json *m;
    hr_status r = HR_OK;

    if (options && *options)
        r = hr_json_parse(&p->env, "options", options, strlen(options), 0, &doc);
    if (doc && hr_json_kind(hr_json_root(doc)) != HR_JSON_OBJECT)
        r = hr_fail(&p->env, HR_INVALID, "options are a JSON object");
    for (m = doc ? hr_json_first(hr_json_root(doc)) : NULL; m && r == HR_OK; m = hr_json_next(m)) {
        struct hr_place place = hr_json_place(doc, m);

        if (hr_text_eq(hr_json_key(m), "keep"))
            r = read_count(p, doc, m, &keep_runs);
        else if (hr_text_eq(hr_json_key(m), "older_s"))
            r = read_count(p, doc, m, &older);
        else if (hr_text_eq(hr_json_key(m), "dry_run"))
            r = read_truth(p, doc, m, &ret->dry_run);
        else
            r = hr_fail_at(&p->env, HR_INVALID, &place,
                           "gc has no option \"%s\"; it has keep, older_s and dry_run",
                           hr_json_key(m));
    }
    hr_json_free(doc);
    ret->keep = keep_runs >= 0 ? keep_runs : older >= 0 ? 1 : 10;
    ret->older_s = older >= 0 ? older : keep_runs >= 0 ? 0 : 30 * 86400;
    return r;
}

/* One gc at a time; *ret: the lock, closed by the caller. */
static hr_status take_lock(struct hr_project *p, int *ret)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(&p->env, p->paths.cache, "gc.lock", path);
    int fd;

    if (r < 0)
        return r;
    fd = OS(&p->env, open, path, HR_OPEN_WRITE | HR_OPEN_CREATE, 0644);
    if (fd < 0)
        return hr_fail_os(&p->env, fd, "make", path);
    if (OS(&p->env, lock, fd, true) != 1) {
        OS(&p->env, close, fd);
        return hr_fail(&p->env, HR_UNAVAILABLE,
                       "another gc is under way in this project; try again when it has ended");
    }
    *ret = fd;
    return HR_OK;
}

static hr_status collect(struct gc *gc, struct hr_json_writer *w)
{
    hr_status r = choose(gc);

    if (r == HR_OK && !gc->policy.dry_run && gc->doomed_count) {
        r = in_transaction(gc, mark);
        OS(&gc->p->env, poll, NULL, 0, PAUSE_MS);
        if (r == HR_OK)
            r = in_transaction(gc, settle);
    }
    return r < 0 ? r : remove_doomed(gc, w);
}

hr_status hr_gc(hr_project *p, const char *options, const char **ret_json)
{
    struct gc gc = { .p = p };
    struct hr_json_writer w;
    int lock = -1;
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    hr_arena_init(&gc.arena, &p->env, 0);
    hr_buf_cut(&p->text, 0);
    hr_json_begin(&w, &p->text, 0);
    r = read_policy(p, options, &gc.policy);
    if (r == HR_OK)
        r = take_lock(p, &lock);
    if (r == HR_OK)
        r = collect(&gc, &w);
    if (lock >= 0)
        OS(&p->env, close, lock);
    hr_mem_put(&p->env, gc.kept, gc.kept ? (size_t)gc.max_id + 1 : 0);
    hr_mem_put(&p->env, gc.queue, gc.queue_cap * sizeof *gc.queue);
    hr_mem_put(&p->env, gc.doomed, gc.doomed_cap * sizeof *gc.doomed);
    hr_arena_clear(&gc.arena);
    if (r == HR_OK)
        *ret_json = p->text.text;
    return hr_host_done(p, r);
}
