/* What a run would do.  The nodes are gone through in the order of the graph, as a run does,
 * but for its writing: a node whose inputs are all there already is looked for in the cache;
 * what depends on a node that runs is known only when that has run, for it may give what it gave
 * before.
 */
#include <stdio.h>
#include <string.h>

#include "run/explain.h"
#include "run/task.h"

enum plan { RUN, CACHED, KEPT, SKIPPED, DEPENDS, FAILED, NOT_RUN, PLANS };

static const char *const names[PLANS] = { "run",     "cached", "kept",   "skipped",
                                          "depends", "failed", "not_run" };

struct preview {
    struct hr_runner *runner;
    struct hr_json_writer w;
    size_t counts[PLANS];
};

/* What is said of one task. */
struct verdict {
    enum plan plan;
    const char *why;
    int64_t execution; /* 0: none */
    bool known;        /* it runs, and what it will give is known */
    struct hr_differences differences;
};

/* -- telling --------------------------------------------------------------- */

static void put_verdict(struct preview *p, struct hr_task *task, const struct verdict *v)
{
    p->counts[v->plan]++;
    task->open = (v->plan == RUN && !v->known) || v->plan == DEPENDS;
    task->state = v->plan == SKIPPED  ? HR_TASK_SKIPPED
                  : v->plan >= FAILED ? HR_TASK_FAILED
                                      : HR_TASK_DONE;
    hr_json_open_object(&p->w);
    hr_json_put_member_text(&p->w, "node", task->name);
    hr_json_put_member_text(&p->w, "plan", names[v->plan]);
    hr_json_put_member_text(&p->w, "why", v->why ? v->why : "");
    if (v->execution)
        hr_json_put_member_int(&p->w, "execution", v->execution);
    if (v->differences.count)
        hr_differences_put(&p->w, &v->differences);
    hr_json_close_object(&p->w);
}

/* -- what depends on what -------------------------------------------------- */

static const struct hr_task *open_of(const struct preview *p, const struct hr_task *task,
                                     const struct hr_input *inputs, size_t n, const char **ret_key)
{
    size_t i, k;

    for (i = 0; i < n; i++)
        for (k = 0; k < inputs[i].channel_count; k++) {
            size_t node = inputs[i].channels[k].node;
            const struct hr_task *up;

            if (node >= p->runner->config.pipeline->node_count)
                continue;
            up = hr_task_upstream(p->runner, task, node);
            *ret_key = inputs[i].key;
            if (up->open || up->state == HR_TASK_FAILED)
                return up;
        }
    return NULL;
}

/* A failed node has none after it; of all others it is to be seen. */
static void wait_for(struct hr_task *task, const struct hr_task *up, const char *what,
                     struct verdict *v)
{
    v->plan = up->state == HR_TASK_FAILED ? NOT_RUN : DEPENDS;
    v->why = hr_arena_format(&task->arena, "%s \"%s\", which %s", what, up->name,
                             v->plan == NOT_RUN ? "would fail" : "is to run before");
}

/* A resolver looks when all before it have ended: what they make may be what it finds. */
static const struct hr_task *open_upstream(const struct preview *p, const struct hr_task *task)
{
    const struct hr_node *node = task->node;
    size_t i;

    for (i = 0; i < node->upstream_count; i++)
        if (hr_task_upstream(p->runner, task, node->upstream[i])->open)
            return hr_task_upstream(p->runner, task, node->upstream[i]);
    return NULL;
}

/* -- components ------------------------------------------------------------ */

/* The last result of this node and element that has a key. */
static hr_status find_before(struct preview *p, struct hr_task *task, struct hr_meta_node *ret)
{
    struct hr_store *store = p->runner->config.store;
    int64_t context = 0;
    const char *name = hr_arena_format(&task->arena, "%s.%s", p->runner->config.pipeline->name,
                                       task->node->name);
    hr_status r = name ? hr_store_find_context(store, "node", name, &context) : HR_EXHAUSTED;

    return r < 0 ? r : hr_result_before(store, context, hr_task_number(task), 0, &task->arena,
                                    ret);
}

static const char *shorten(struct hr_task *task, const char *json)
{
    if (!json)
        return "nothing";
    return strlen(json) <= 40 ? json : hr_arena_format(&task->arena, "%.12s...", json + 1);
}

static const char *differences_text(struct hr_task *task, const struct verdict *v, const char *from)
{
    const struct hr_difference *d = &v->differences.items[0];
    char more[32] = "";

    if (v->differences.count > 1)
        snprintf(more, sizeof more, " and %zu more", v->differences.count - 1);
    return hr_arena_format(&task->arena, "%s: %s -> %s%s, since that %s", d->what,
                           shorten(task, d->before), shorten(task, d->now), more, from);
}

/* Why there is no result: what differs from the last one. */
static hr_status explain(struct preview *p, struct hr_task *task, const char *text,
                         struct verdict *v)
{
    struct hr_runner *runner = p->runner;
    struct hr_meta_node before;
    struct hr_buf then;
    hr_status r = find_before(p, task, &before);

    v->why = "it has no earlier result";
    if (r < 0)
        return r == HR_NOT_FOUND ? HR_OK : r;
    v->execution = before.id;
    hr_buf_of(&then, HR_MAX_JSON_BYTES, runner->env);
    r = hr_key_read(runner->env, runner->config.paths, hr_meta_text(&before, "__cache_key"), &then);
    if (r == HR_NOT_FOUND) {
        v->why = "what its last result depended on is not known any more: the cache was cleared";
        r = HR_OK;
    } else if (r == HR_OK) {
        r = hr_key_compare(runner->env, then.text, text, true, &task->arena, &v->differences);
        v->why = v->differences.count
                     ? differences_text(task, v, hr_task_from_run(runner, task, before.id))
                     : "the outputs of its last result are gone, or were forgotten";
    }
    hr_buf_clear(&then);
    return r;
}

/* One that comes before in this run, and does the same. */
static const struct hr_task *twin_of(const struct preview *p, const struct hr_task *task)
{
    size_t i;

    for (i = 0; i < p->runner->count; i++)
        if (p->runner->tasks[i] != task && p->runner->tasks[i]->open &&
            !strcmp(p->runner->tasks[i]->key, task->key))
            return p->runner->tasks[i];
    return NULL;
}

static hr_status look(struct preview *p, struct hr_task *task, const char *text, struct verdict *v)
{
    const struct hr_task *twin = twin_of(p, task);
    hr_status r;

    if (twin) {
        v->plan = DEPENDS;
        v->why = hr_arena_format(&task->arena, "it takes the result of \"%s\", which does the same",
                                 twin->name);
        return v->why ? HR_OK : HR_EXHAUSTED;
    }
    r = hr_task_find_cached(p->runner, task, &v->execution);
    if (r == HR_OK) {
        v->plan = CACHED;
        v->why = hr_task_from_run(p->runner, task, v->execution);
    }
    return r == HR_NOT_FOUND ? explain(p, task, text, v) : r;
}

static hr_status component(struct preview *p, struct hr_task *task, struct verdict *v)
{
    struct hr_runner *runner = p->runner;
    struct hr_buf text;
    hr_status r = hr_task_settings(runner, task);

    if (r == HR_OK && hr_component_offers(task->node->component, "hr.driver/1")) {
        v->plan = DEPENDS;
        v->why = "its driver decides whether there is anything to do";
        return HR_OK;
    }
    hr_buf_of(&text, HR_MAX_JSON_BYTES, runner->env);
    if (r == HR_OK)
        r = hr_task_key_text(runner, task, &text);
    if (r == HR_OK)
        hr_task_key_of(&text, task->key);
    if (r == HR_OK && !hr_task_uses_cache(runner, task))
        v->why = "the cache is not to be used for it";
    else if (r == HR_OK)
        r = look(p, task, text.text, v);
    hr_buf_clear(&text);
    return r;
}

/* -- nodes ----------------------------------------------------------------- */

static hr_status own(struct preview *p, struct hr_task *task, struct verdict *v)
{
    const struct hr_task *up = open_upstream(p, task);
    const struct hr_task_channel *c;
    hr_status r;

    if (task->node->kind == HR_NODE_IMPORTER) {
        r = hr_task_import(p->runner, task);
        if (r == HR_OK && task->outputs[0].artifacts[0].id)
            v->plan = CACHED;
        v->why = r == HR_OK ? task->outputs[0].artifacts[0].uri : NULL;
        return r;
    }
    if (up) {
        wait_for(task, up, "it looks at the store behind", v);
        return HR_OK;
    }
    r = hr_task_strategy(p->runner, task);
    v->known = true;
    c = task->output_count ? &task->outputs[0] : NULL;
    v->why = c && c->count ? hr_arena_format(&task->arena, "it finds %s %lld%s", c->key,
                                             (long long)c->artifacts[0].id,
                                             c->count > 1 ? " and more" : "")
                           : "it finds nothing yet";
    return r;
}

static hr_status judge(struct preview *p, struct hr_task *task, struct verdict *v)
{
    const struct hr_node *node = task->node;
    const char *skip = NULL, *key = "";
    const struct hr_task *up = open_of(p, task, node->reads, node->read_count, &key);
    hr_status r = HR_OK;

    if (up) {
        wait_for(task, up, "its condition or element is made by", v);
        return HR_OK;
    }
    r = hr_task_reads(p->runner, task, &skip);
    if (r == HR_OK && !skip)
        r = hr_task_condition(p->runner, task, &skip);
    if (r == HR_OK && !skip &&
        (up = open_of(p, task, node->inputs, node->input_count, &key))) {
        wait_for(task, up, hr_arena_format(&task->arena, "its input \"%s\" comes from", key), v);
        return HR_OK;
    }
    if (r == HR_OK && !skip && node->kind == HR_NODE_COMPONENT)
        r = hr_task_resolve(p->runner, task, &skip);
    if (skip) {
        v->plan = SKIPPED;
        v->why = skip;
    }
    if (r < 0 || skip)
        return r;
    return node->kind == HR_NODE_COMPONENT ? component(p, task, v) : own(p, task, v);
}

/* One task; what would fail in a run is an answer, but for lack of memory. */
static hr_status preview_task(struct preview *p, struct hr_task *task)
{
    struct verdict v = { .plan = RUN };
    size_t kept = p->runner->env->errors.count;
    hr_status r = hr_task_outputs(task);

    if (r == HR_OK && task->keep) {
        v.plan = KEPT;
        v.execution = task->kept[0].execution;
        v.why = hr_task_from_run(p->runner, task, v.execution);
        r = hr_keep_outputs(p->runner, task);
    } else if (r == HR_OK && task->state == HR_TASK_SKIPPED) {
        v.plan = SKIPPED;
        v.why = "it is left out";
    } else if (r == HR_OK) {
        r = judge(p, task, &v);
    }
    if (r == HR_EXHAUSTED)
        return r;
    if (r < 0) {
        v = (struct verdict){ .plan = FAILED };
        v.why = hr_arena_text(&task->arena, hr_env_error(p->runner->env));
        hr_errors_cut(p->runner->env, kept);
    }
    put_verdict(p, task, &v);
    return HR_OK;
}

/* The elements of "for_each", where they are known; false: the node is one line. */
static bool spreads(struct preview *p, struct hr_task *head, size_t *ret_n, struct verdict *v)
{
    const char *skip = NULL, *key = "";
    const struct hr_task *up =
        open_of(p, head, head->node->reads, head->node->read_count, &key);
    size_t kept = p->runner->env->errors.count;
    hr_status r;

    *ret_n = 0;
    if (up) {
        wait_for(head, up, "its elements are made by", v);
        return false;
    }
    r = hr_task_outputs(head);
    if (r == HR_OK)
        r = hr_task_reads(p->runner, head, &skip);
    if (r == HR_OK && !skip)
        r = hr_task_spread(p->runner, head, ret_n);
    if (r < 0) {
        v->plan = FAILED;
        v->why = hr_arena_text(&head->arena, hr_env_error(p->runner->env));
        hr_errors_cut(p->runner->env, kept);
    } else if (!*ret_n) {
        v->plan = SKIPPED;
        v->why = skip ? skip : "\"for_each\" is over an empty list";
    }
    return *ret_n > 0;
}

static hr_status preview_any(struct preview *p, struct hr_task *task);

static hr_status preview_head(struct preview *p, struct hr_task *head)
{
    struct verdict v = { .plan = RUN };
    hr_status r = HR_OK;
    size_t n, i;

    if (!spreads(p, head, &n, &v)) {
        put_verdict(p, head, &v);
        return HR_OK;
    }
    for (i = 0; i < n && r == HR_OK; i++) {
        r = preview_any(p, p->runner->tasks[head->first + i]);
        head->open = head->open || p->runner->tasks[head->first + i]->open;
    }
    if (r == HR_OK)
        hr_task_gather(p->runner, head);
    return r;
}

static hr_status preview_any(struct preview *p, struct hr_task *task)
{
    bool whole = !hr_task_spreads(task) || task->keep || task->state == HR_TASK_SKIPPED;

    return whole ? preview_task(p, task) : preview_head(p, task);
}

static hr_status preview_all(struct preview *p)
{
    const struct hr_pipeline *pipeline = p->runner->config.pipeline;
    hr_status r = hr_store_find_context(p->runner->config.store, "pipeline", pipeline->name,
                                        &p->runner->context_pipeline);
    size_t i;

    r = r == HR_NOT_FOUND ? HR_OK : r;
    for (i = 0; i < pipeline->node_count && r == HR_OK; i++) {
        struct hr_task *task = p->runner->tasks[pipeline->order[i]];

        r = preview_any(p, task);
    }
    return r;
}

hr_status hr_runner_preview(struct hr_env *env, const struct hr_runner_config *config,
                            struct hr_buf *to)
{
    struct preview p = { 0 };
    hr_status r = hr_runner_make(env, config, &p.runner);
    size_t i;

    if (r < 0)
        return r;
    hr_json_begin(&p.w, to, 0);
    hr_json_open_object(&p.w);
    hr_json_put_member_text(&p.w, "pipeline", config->pipeline->name);
    hr_json_put_key(&p.w, "nodes");
    hr_json_open_array(&p.w);
    r = preview_all(&p);
    hr_json_close_array(&p.w);
    for (i = 0; i < PLANS; i++)
        hr_json_put_member_int(&p.w, names[i], (int64_t)p.counts[i]);
    hr_json_close_object(&p.w);
    hr_runner_free(p.runner);
    return r < 0 ? r : hr_json_end(&p.w);
}
