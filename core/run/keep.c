/* What is kept of an earlier run: the nodes that a partial run leaves out, and what a run that
 * is resumed has finished.
 *
 * It is all decided before anything runs, in the order of the graph: a node is kept only if
 * all that it depends on is, its outputs are there, and - of a run that is resumed - it would
 * be the same now: the text of its cache key, but for what its driver has set, equals that of
 * then.  Instances of "for_each" are kept one by one, when their elements are known.
 */
#include <stdio.h>
#include <string.h>

#include "run/record.h"

struct plan {
    struct hr_runner *runner;
    struct hr_arena arena;
    bool *selected; /* nodes that this run is to run */
    bool *settled;  /* kept, or skipped then */
    const char *base; /* NULL: the pipeline has not run yet */
};

static const struct hr_pipeline *pipeline_of(const struct plan *p)
{
    return p->runner->config.pipeline;
}

/* -- the base run ---------------------------------------------------------- */

/* There may be none: a run that needs nothing of what it leaves out can do without. */
static hr_status newest_run(struct plan *p)
{
    struct hr_runner *runner = p->runner;
    struct hr_meta_nodes runs = { 0 };
    int64_t pipeline;
    size_t i;
    hr_status r =
        hr_store_find_context(runner->config.store, "pipeline", pipeline_of(p)->name, &pipeline);

    if (r == HR_OK)
        r = hr_store_children(runner->config.store, pipeline, &p->arena, &runs);
    for (i = runs.count; r == HR_OK && i; i--)
        if (!strcmp(runs.items[i - 1].type, "pipeline_run")) {
            runner->context_base = runs.items[i - 1].id;
            p->base = runs.items[i - 1].name;
            return HR_OK;
        }
    return r == HR_NOT_FOUND ? HR_OK : r;
}

static hr_status find_base(struct plan *p)
{
    struct hr_runner *runner = p->runner;
    hr_status r;

    if (!runner->config.base)
        return newest_run(p);
    p->base = runner->config.base;
    r = hr_store_find_context(runner->config.store, "pipeline_run", p->base, &runner->context_base);
    return r == HR_NOT_FOUND ? hr_fail(runner->env, r, "there is no run \"%s\"", p->base) : r;
}

/* The task of an execution of the base run; NULL: its node is not in the pipeline any more. */
static hr_status task_of(struct plan *p, int64_t execution, struct hr_task **ret)
{
    struct hr_meta_nodes contexts;
    size_t prefix = strlen(pipeline_of(p)->name), i, at;
    hr_status r = hr_store_contexts_of(p->runner->config.store, HR_KIND_EXECUTION, execution,
                                       &p->arena, &contexts);

    *ret = NULL;
    for (i = 0; r == HR_OK && i < contexts.count; i++) {
        const char *name = contexts.items[i].name;

        if (strcmp(contexts.items[i].type, "node") != 0 ||
            strncmp(name, pipeline_of(p)->name, prefix) != 0 || name[prefix] != '.')
            continue;
        at = hr_pipeline_find(pipeline_of(p), name + prefix + 1);
        *ret = at == SIZE_MAX ? NULL : p->runner->tasks[at];
    }
    return r;
}

/* One more; the newest of an instance counts. */
static hr_status add_kept(struct plan *p, struct hr_task *task, const struct hr_meta_node *e)
{
    struct hr_kept *all = hr_arena_array(&p->runner->arena, task->kept_count + 1, sizeof *all);
    struct hr_kept one = { .execution = e->id,
                           .state = e->state,
                           .index = hr_meta_int(e, "__index", 0) };
    const char *item = hr_meta_text(e, "__item"), *key = hr_meta_text(e, "__cache_key");
    hr_status code;
    size_t i;

    one.item = item ? hr_arena_text(&p->runner->arena, item) : NULL;
    one.key = key ? hr_arena_text(&p->runner->arena, key) : NULL;
    if (!all || (item && !one.item) || (key && !one.key))
        return HR_EXHAUSTED;
    hr_result_read(p->runner->env, e, &p->arena, &code);
    if (e->state == HR_EXECUTION_CANCELED && code)
        one.state = HR_EXECUTION_FAILED; /* cancelled, not skipped */
    for (i = 0; i < task->kept_count && task->kept[i].index != one.index; i++)
        ;
    if (task->kept_count)
        memcpy(all, task->kept, task->kept_count * sizeof *all);
    all[i] = one;
    task->kept_count += i == task->kept_count;
    task->kept = all;
    return HR_OK;
}

static hr_status read_base(struct plan *p)
{
    struct hr_runner *runner = p->runner;
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .contexts = &runner->context_base,
                            .context_count = 1 };
    struct hr_meta_nodes found = { 0 };
    struct hr_task *task;
    hr_status r = p->base ? hr_store_look(runner->config.store, &look, &p->arena, &found) : HR_OK;
    size_t i;

    for (i = 0; r == HR_OK && i < found.count; i++) {
        r = task_of(p, found.items[i].id, &task);
        if (r == HR_OK && task)
            r = add_kept(p, task, &found.items[i]);
    }
    return r;
}

static bool finished(const struct hr_task *task)
{
    size_t i;

    for (i = 0; i < task->kept_count; i++)
        if (task->kept[i].state != HR_EXECUTION_COMPLETE &&
            task->kept[i].state != HR_EXECUTION_CACHED)
            return false;
    return task->kept_count > 0;
}

static bool skipped(const struct hr_task *task)
{
    return task->kept_count == 1 && task->kept[0].state == HR_EXECUTION_CANCELED;
}

static bool outputs_there(struct plan *p, struct hr_task *task)
{
    size_t i;

    for (i = 0; i < task->kept_count; i++)
        if (hr_task_take(p->runner, task, task->kept[i].execution) < 0)
            return false;
    return true;
}

/* -- partial runs ---------------------------------------------------------- */

bool hr_task_named(const struct hr_runner *runner, const struct hr_node *node, const char *name)
{
    return hr_part_has(runner->config.pipeline, node, name);
}

hr_status hr_runner_check_names(struct hr_runner *runner, const char *option,
                                const char *const *names)
{
    const struct hr_pipeline *p = runner->config.pipeline;
    struct hr_place place = { .file = option };
    const char **all;
    size_t n = 0, i;

    for (; names && *names; names++) {
        if (hr_pipeline_find(p, *names) != SIZE_MAX || hr_pipeline_group(p, *names) != SIZE_MAX)
            continue;
        all = hr_arena_array(&runner->arena, p->node_count + p->group_count + 1, sizeof *all);
        for (i = 0; all && i < p->node_count; i++)
            all[n++] = p->nodes[i].name;
        for (i = 0; all && i < p->group_count; i++)
            all[n++] = p->groups[i].face.name;
        return hr_fail_meant(runner->env, HR_INVALID, &place,
                             all ? hr_text_meant(*names, all, n) : NULL,
                             "there is no node \"%s\"", *names);
    }
    return HR_OK;
}

static hr_status select_nodes(struct plan *p)
{
    const struct hr_runner_config *c = &p->runner->config;
    struct hr_part part = { c->only, c->from, c->to };
    size_t n = pipeline_of(p)->node_count, i;
    hr_status r = hr_part_nodes(pipeline_of(p), &part, &p->arena, p->selected);

    for (i = 0; i < n && !p->selected[i]; i++)
        ;
    if (r < 0 || i < n || c->only)
        return r;
    return hr_fail(p->runner->env, HR_INVALID,
                   "no node comes after \"%s\" and before \"%s\": nothing would run", c->from[0],
                   c->to[0]);
}

static hr_status tell_lacking(const struct plan *p, const struct hr_task *task)
{
    if (!p->base)
        return hr_fail(p->runner->env, HR_PRECONDITION,
                       "node \"%s\" is left out and its outputs are needed, but pipeline \"%s\" "
                       "has not run yet; let this run include it, or run all of it first",
                       task->name, pipeline_of(p)->name);
    return hr_fail(p->runner->env, HR_PRECONDITION,
                   "node \"%s\" is left out and its outputs are needed, but run %s has "
                   "none of it; let this run include it, or name another with --base",
                   task->name, p->base);
}

/* Nodes that are left out stand for themselves; those that are needed must be there. */
static hr_status keep_rest(struct plan *p)
{
    const struct hr_pipeline *pipeline = pipeline_of(p);
    bool *needed = hr_arena_array(&p->arena, pipeline->node_count + 1, sizeof *needed);
    size_t i, k;

    if (!needed)
        return HR_EXHAUSTED;
    for (i = 0; i < pipeline->node_count; i++)
        for (k = 0; k < pipeline->nodes[i].upstream_count && p->selected[i]; k++)
            needed[pipeline->nodes[i].upstream[k]] = true;
    for (i = 0; i < pipeline->node_count; i++) {
        struct hr_task *task = p->runner->tasks[i];

        if (p->selected[i]) {
            task->kept_count = 0; /* nor does an instance of it */
            continue;
        }
        task->keep = finished(task) && outputs_there(p, task);
        if (task->keep)
            continue;
        if (needed[i] && !skipped(task))
            return tell_lacking(p, task);
        task->state = HR_TASK_SKIPPED;
    }
    return HR_OK;
}

/* -- resuming -------------------------------------------------------------- */

/* Would the node be the same now?  Its inputs are kept, so all but its driver's part is known.
 * HR_NOT_FOUND, an answer: what it was is not known. */
static hr_status compare(struct plan *p, struct hr_task *task, struct hr_differences *ret)
{
    struct hr_runner *runner = p->runner;
    const char *skip = NULL;
    struct hr_buf then, now;
    hr_status r;

    *ret = (struct hr_differences){ 0 };
    hr_buf_of(&then, HR_MAX_JSON_BYTES, runner->env);
    hr_buf_of(&now, HR_MAX_JSON_BYTES, runner->env);
    r = hr_key_read(runner->env, runner->config.paths, task->kept[0].key, &then);
    task->inputs = NULL;
    task->input_count = 0;
    if (r == HR_OK)
        r = hr_task_reads(runner, task, &skip);
    if (r == HR_OK && !skip)
        r = hr_task_resolve(runner, task, &skip);
    if (r == HR_OK)
        r = hr_task_settings(runner, task);
    if (r == HR_OK)
        r = hr_task_key_text(runner, task, &now);
    if (r == HR_OK)
        r = hr_key_compare(runner->env, then.text, now.text, false, &p->arena, ret);
    hr_buf_clear(&then);
    hr_buf_clear(&now);
    return r;
}

static hr_status tell_changed(struct plan *p, const struct hr_task *task,
                              const struct hr_difference *d)
{
    return hr_fail(p->runner->env, HR_PRECONDITION,
                   "node \"%s\" has finished in run %s, and would be another now: %s was %s and is "
                   "%s; resume with --changed to run it again, or run the pipeline anew",
                   task->name, p->base, d->what, d->before ? d->before : "not there",
                   d->now ? d->now : "not there");
}

static hr_status keep_if_same(struct plan *p, struct hr_task *task)
{
    struct hr_env *env = p->runner->env;
    size_t kept = env->errors.count;
    struct hr_differences d;
    hr_status r;

    task->keep = true;
    if (task->node->kind != HR_NODE_COMPONENT || !task->kept[0].key)
        return HR_OK;
    r = compare(p, task, &d);
    if (r == HR_EXHAUSTED)
        return r;
    if (r == HR_OK && !d.count)
        return HR_OK;
    task->keep = false; /* what it reads is gone, or another */
    if (r == HR_NOT_FOUND && env->errors.count == kept)
        return HR_OK; /* it begins, and finds its result in the cache if it is the same */
    if (p->runner->config.changed) {
        hr_errors_cut(env, kept);
        return HR_OK;
    }
    return r < 0 ? hr_fail(env, r, "node \"%s\", which finished in run %s, cannot be compared; "
                                   "resume with --changed to run it again",
                           task->name, p->base)
                 : tell_changed(p, task, &d.items[0]);
}

static hr_status keep_finished(struct plan *p)
{
    const struct hr_pipeline *pipeline = pipeline_of(p);
    size_t left = 0, i, k;
    hr_status r = HR_OK;

    for (i = 0; i < pipeline->node_count && r == HR_OK; i++) {
        size_t at = pipeline->order[i];
        struct hr_task *task = p->runner->tasks[at];
        bool ready = !task->node->last;

        for (k = 0; k < task->node->upstream_count; k++)
            ready = ready && p->settled[task->node->upstream[k]];
        p->settled[at] = ready && skipped(task);
        if (task->node->loop_count || !ready || p->settled[at]) {
            left += !task->node->last && !p->settled[at] && !finished(task);
            continue;
        }
        if (finished(task) && outputs_there(p, task))
            r = keep_if_same(p, task);
        p->settled[at] = task->keep;
        left += !task->keep;
    }
    if (r == HR_OK && !left)
        r = hr_fail(p->runner->env, HR_PRECONDITION,
                    "run %s has finished all its nodes: there is nothing to resume", p->base);
    return r;
}

const struct hr_kept *hr_keep_instance(const struct hr_task *head, int64_t index,
                                       const char *item)
{
    size_t i;

    for (i = 0; i < head->kept_count; i++)
        if (head->kept[i].index == index && hr_text_eq(head->kept[i].item, item) &&
            (head->kept[i].state == HR_EXECUTION_COMPLETE ||
             head->kept[i].state == HR_EXECUTION_CACHED))
            return &head->kept[i];
    return NULL;
}

/* -- the plan and its record ----------------------------------------------- */

static hr_status make_plan(struct plan *p)
{
    size_t n = pipeline_of(p)->node_count, i;
    hr_status r = find_base(p);

    p->selected = hr_arena_array(&p->arena, n + 1, sizeof *p->selected);
    p->settled = hr_arena_array(&p->arena, n + 1, sizeof *p->settled);
    if (!p->selected || !p->settled)
        return HR_EXHAUSTED;
    for (i = 0; i < n && r == HR_OK; i++)
        r = hr_task_outputs(p->runner->tasks[i]);
    if (r == HR_OK)
        r = read_base(p);
    if (r < 0)
        return r;
    if (p->runner->config.resume)
        return keep_finished(p);
    r = select_nodes(p);
    return r < 0 ? r : keep_rest(p);
}

hr_status hr_keep_plan(struct hr_runner *runner)
{
    const struct hr_runner_config *c = &runner->config;
    struct plan p = { .runner = runner };
    hr_status r;

    if (!c->resume && !c->from && !c->to && !c->only)
        return HR_OK;
    hr_arena_init(&p.arena, runner->env, 0);
    r = make_plan(&p);
    hr_arena_clear(&p.arena);
    return r;
}

/* Outputs of one more execution behind those that are there. */
static hr_status append(struct hr_task *task, struct hr_task_channel *all)
{
    struct hr_task_artifact *items;
    size_t i;

    for (i = 0; i < task->output_count; i++) {
        const struct hr_task_channel *c = &task->outputs[i];

        if (!(items = hr_arena_array(&task->arena, all[i].count + c->count + 1, sizeof *items)))
            return HR_EXHAUSTED;
        if (all[i].count)
            memcpy(items, all[i].artifacts, all[i].count * sizeof *items);
        if (c->count)
            memcpy(items + all[i].count, c->artifacts, c->count * sizeof *items);
        all[i].artifacts = items;
        all[i].count += c->count;
    }
    return HR_OK;
}

static hr_status take_one(struct hr_runner *runner, struct hr_task *task,
                          const struct hr_kept *kept)
{
    hr_status r = hr_task_take(runner, task, kept->execution);

    return r != HR_NOT_FOUND ? r
                             : hr_fail(runner->env, HR_PRECONDITION,
                                       "the outputs of execution %lld of node \"%s\" are gone",
                                       (long long)kept->execution, task->name);
}

static hr_status record_one(struct hr_runner *runner, struct hr_task *task,
                            const struct hr_kept *kept)
{
    struct hr_store *store = runner->config.store;
    hr_status r = take_one(runner, task, kept);
    const char *from;

    if (r < 0)
        return r;
    from = hr_task_from_run(runner, task, kept->execution);
    r = hr_store_begin_relaxed(store);
    if (r == HR_OK)
        r = hr_record_kept(runner, task, kept, from);
    if (r == HR_OK)
        r = hr_store_commit(store);
    if (r < 0)
        hr_store_rollback(store);
    return r;
}

static hr_status keep_each(struct hr_runner *runner, struct hr_task *task,
                           hr_status (*each)(struct hr_runner *, struct hr_task *,
                                             const struct hr_kept *))
{
    struct hr_task_channel *all = hr_arena_array(&task->arena, task->output_count + 1, sizeof *all);
    hr_status r = all ? HR_OK : HR_EXHAUSTED;
    size_t i;

    if (r == HR_OK && task->output_count)
        memcpy(all, task->outputs, task->output_count * sizeof *all);
    for (i = 0; i < task->kept_count && r == HR_OK; i++) {
        r = each(runner, task, &task->kept[i]);
        if (r == HR_OK)
            r = append(task, all);
    }
    if (r == HR_OK)
        task->outputs = all;
    return r;
}

hr_status hr_keep_record(struct hr_runner *runner, struct hr_task *task)
{
    return keep_each(runner, task, record_one);
}

hr_status hr_keep_outputs(struct hr_runner *runner, struct hr_task *task)
{
    return keep_each(runner, task, take_one);
}
