/* Results that are there already. */
#include <string.h>

#include "run/task.h"

static struct hr_task_channel *channel(struct hr_task *task, const char *key)
{
    size_t i;

    for (i = 0; i < task->output_count; i++)
        if (!strcmp(task->outputs[i].key, key))
            return &task->outputs[i];
    return NULL;
}

/* One more artifact at an index of a channel. */
static hr_status put(struct hr_task *task, struct hr_task_channel *c, int64_t index,
                     const struct hr_meta_node *node)
{
    struct hr_task_artifact *items;
    size_t n = c->count > (size_t)index ? c->count : (size_t)index + 1;

    if (!(items = hr_arena_array(&task->arena, n, sizeof *items)))
        return HR_EXHAUSTED;
    if (c->count)
        memcpy(items, c->artifacts, c->count * sizeof *items);
    items[index] = (struct hr_task_artifact){
        .id = node->id, .uri = node->uri, .type = node->type, .node = *node
    };
    c->artifacts = items;
    c->count = n;
    return HR_OK;
}

static hr_status take_event(struct hr_runner *runner, struct hr_task *task,
                            const struct hr_meta_event *event, bool *ret_usable)
{
    struct hr_meta_node node;
    struct hr_task_channel *c;
    hr_status r =
        hr_store_get(runner->config.store, HR_KIND_ARTIFACT, event->artifact, &task->arena, &node);
    size_t i;

    if (r < 0)
        return r;
    if (node.state != HR_ARTIFACT_LIVE || !hr_file_exists(runner->env, node.uri)) {
        *ret_usable = false;
        return HR_OK;
    }
    for (i = 0; i + 1 < event->count && r == HR_OK; i += 2) {
        const char *key = event->steps[i].key;
        int64_t index = event->steps[i + 1].index;

        if (!key || index < 0 || index > 100000 || !(c = channel(task, key)))
            *ret_usable = false;
        else
            r = put(task, c, index, &node);
    }
    return r;
}

/* Does an output have all its artifacts, and as many as it must have? */
static bool is_whole(const struct hr_task *task, const struct hr_task_channel *c)
{
    size_t k;

    if (!c->count && task->node->kind != HR_NODE_RESOLVER &&
        !(c->port && c->port->flags & (HR_PORT_MANY | HR_PORT_OPTIONAL)))
        return false;
    for (k = 0; k < c->count; k++)
        if (!c->artifacts[k].id)
            return false;
    return true;
}

hr_status hr_task_take(struct hr_runner *runner, struct hr_task *task, int64_t execution)
{
    int32_t type =
        task->node->kind == HR_NODE_RESOLVER ? HR_EVENT_INTERNAL_OUTPUT : HR_EVENT_OUTPUT;
    struct hr_meta_events events;
    bool usable = true;
    hr_status r =
        hr_store_events_of_execution(runner->config.store, execution, &task->arena, &events);
    size_t i;

    for (i = 0; i < task->output_count; i++)
        task->outputs[i].count = 0;
    for (i = 0; r == HR_OK && usable && i < events.count; i++)
        if (events.items[i].type == type)
            r = take_event(runner, task, &events.items[i], &usable);
    for (i = 0; r == HR_OK && usable && i < task->output_count; i++)
        usable = is_whole(task, &task->outputs[i]);
    return r == HR_OK && !usable ? HR_NOT_FOUND : r;
}

/* The newest execution of the contexts, with an id above one, that has ended well and whose
 * outputs are there. */
static hr_status newest(struct hr_runner *runner, struct hr_task *task, const int64_t *contexts,
                        size_t n, int64_t above, int64_t *ret)
{
    struct hr_look look = {
        .kind = HR_KIND_EXECUTION, .contexts = contexts, .context_count = n, .newest_first = true
    };
    struct hr_meta_nodes found = { 0 };
    hr_status r = hr_store_look(runner->config.store, &look, &task->arena, &found);
    size_t i;

    for (i = 0; r == HR_OK && i < found.count; i++) {
        const struct hr_meta_node *e = &found.items[i];

        if (e->id <= above)
            break;
        if (e->state != HR_EXECUTION_COMPLETE && e->state != HR_EXECUTION_CACHED)
            continue;
        r = hr_task_take(runner, task, e->id);
        if (r == HR_OK) {
            *ret = e->id;
            return HR_OK;
        }
        if (r == HR_NOT_FOUND)
            r = HR_OK;
    }
    return r < 0 ? r : HR_NOT_FOUND;
}

bool hr_task_uses_cache(const struct hr_runner *runner, const struct hr_task *task)
{
    const char *const *f;

    for (f = runner->config.force; f && *f; f++)
        if (hr_task_named(runner, task->node, *f))
            return false;
    return task->node->cache && !runner->config.no_cache;
}

hr_status hr_task_find_cached(struct hr_runner *runner, struct hr_task *task, int64_t *ret)
{
    struct hr_store *store = runner->config.store;
    struct hr_meta_node key;
    int64_t context;
    hr_status r = hr_store_find_context(store, "execution_cache", task->key, &context);

    if (r == HR_OK)
        r = hr_store_get(store, HR_KIND_CONTEXT, context, &task->arena, &key);
    return r < 0 ? r
                 : newest(runner, task, &context, 1, hr_meta_int(&key, HR_FORGOTTEN, 0), ret);
}

hr_status hr_task_find_last(struct hr_runner *runner, struct hr_task *task, int64_t *ret)
{
    struct hr_buf name;
    int64_t contexts[2] = { runner->context_pipeline, 0 };
    hr_status r;

    hr_buf_of(&name, 1024, runner->env);
    r = hr_buf_format(&name, "%s.%s", runner->config.pipeline->name, task->node->name);
    if (r == HR_OK)
        r = hr_store_find_context(runner->config.store, "node", name.text, &contexts[1]);
    hr_buf_clear(&name);
    return r < 0 ? r : newest(runner, task, contexts, 2, 0, ret);
}
