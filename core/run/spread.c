/* The tasks of a run, and those that a node with "for_each" spreads into. */
#include <string.h>

#include "run/task.h"

enum { MAX_INSTANCES = 10000, MAX_TASKS = 200000 };

struct hr_task *hr_task_add(struct hr_runner *runner, const struct hr_node *node)
{
    struct hr_task *task = hr_arena_get(&runner->arena, sizeof *task);
    struct hr_task **all = hr_arena_grow(&runner->arena, runner->tasks, runner->count,
                                         &runner->cap, sizeof(struct hr_task *));

    if (!task || !all)
        return NULL;
    runner->tasks = all;
    task->node = node;
    task->name = node->name;
    task->index = runner->count;
    hr_arena_init(&task->arena, runner->env, 0);
    runner->tasks[runner->count++] = task;
    return task;
}

bool hr_task_spreads(const struct hr_task *task)
{
    return task->depth < task->node->loop_count;
}

const struct hr_task *hr_task_at(const struct hr_task *task, size_t loop)
{
    if (loop == SIZE_MAX)
        return NULL;
    while (task && task->depth > loop + 1)
        task = task->head;
    return task && task->depth == loop + 1 ? task : NULL;
}

int64_t hr_task_number(const struct hr_task *task)
{
    int64_t number = 0;
    size_t i;

    if (!task->head)
        return -1;
    for (i = 0; i < task->node->loop_count; i++) {
        const struct hr_task *at = hr_task_at(task, i);

        number = number * (MAX_INSTANCES + 1) +
                 (at ? (int64_t)(at->index - at->head->first) : MAX_INSTANCES);
    }
    return number;
}

int64_t hr_index_in(int64_t number, size_t loops, size_t loop)
{
    size_t i;

    for (i = loops; i > loop + 1; i--)
        number /= MAX_INSTANCES + 1;
    number = number < 0 ? -1 : number % (MAX_INSTANCES + 1);
    return number == MAX_INSTANCES ? -1 : number;
}

hr_status hr_task_outputs(struct hr_task *task)
{
    size_t i;

    task->outputs =
        hr_arena_array(&task->arena, task->node->output_count + 1, sizeof *task->outputs);
    if (!task->outputs)
        return HR_EXHAUSTED;
    task->output_count = task->node->output_count;
    for (i = 0; i < task->output_count; i++)
        task->outputs[i] = (struct hr_task_channel){ .key = task->node->outputs[i].key,
                                                     .type = task->node->outputs[i].type,
                                                     .port = task->node->outputs[i].port };
    return HR_OK;
}

bool hr_task_ended(const struct hr_task *task)
{
    return task->state == HR_TASK_DONE || task->state == HR_TASK_FAILED ||
           task->state == HR_TASK_SKIPPED || task->state == HR_TASK_CANCELLED ||
           task->state == HR_TASK_NOT_RUN;
}

/* The element of one loop, or the list of those of all that it is in. */
static hr_status put_items(const struct hr_task *task, struct hr_buf *to)
{
    const struct hr_task *at;
    hr_status r = HR_OK;
    size_t i;

    if (task->depth == 1)
        return hr_term_json(&task->item, to);
    for (i = 0; i < task->depth && r == HR_OK; i++) {
        at = hr_task_at(task, i);
        r = hr_buf_char(to, i ? ',' : '[');
        if (r == HR_OK)
            r = hr_term_json(&at->item, to);
    }
    return r < 0 ? r : hr_buf_char(to, ']');
}

static hr_status add_instance(struct hr_runner *runner, struct hr_task *head,
                              const struct hr_term *item)
{
    struct hr_task *task = hr_task_add(runner, head->node);
    const struct hr_task *root = head;
    struct hr_buf json;
    hr_status r;

    if (!task)
        return HR_EXHAUSTED;
    task->head = head;
    task->depth = head->depth + 1;
    task->item = *item;
    hr_buf_of(&json, HR_MAX_JSON_BYTES, runner->env);
    r = put_items(task, &json);
    task->item_json = r == HR_OK ? hr_arena_text(&head->arena, json.text) : NULL;
    hr_buf_clear(&json);
    task->name = hr_arena_format(&runner->arena, "%s[%zu]", head->name, head->instances++);
    if (r < 0 || !task->item_json || !task->name)
        return r < 0 ? r : HR_EXHAUSTED;
    while (root->head)
        root = root->head;
    if (!hr_task_spreads(task) &&
        (task->kept = hr_keep_instance(root, hr_task_number(task), task->item_json))) {
        task->kept_count = 1;
        task->keep = true;
    }
    return HR_OK;
}

hr_status hr_task_spread(struct hr_runner *runner, struct hr_task *head, size_t *ret_n)
{
    struct hr_term list;
    hr_status r = hr_task_elements(runner, head, &list);
    size_t i;

    if (r < 0)
        return r;
    if (list.count > MAX_INSTANCES || runner->count + list.count > MAX_TASKS)
        return hr_fail_at(runner->env, HR_INVALID,
                          &head->node->loops[head->depth]->each->in.place,
                          "node \"%s\": \"for_each\" is over %zu elements, and takes %d, and %d in "
                          "a run",
                          head->name, list.count, MAX_INSTANCES, MAX_TASKS);
    head->first = runner->count;
    head->instances = 0;
    for (i = 0; i < list.count && r == HR_OK; i++)
        r = add_instance(runner, head, &list.items[i]);
    if (r < 0) { /* none of them has begun */
        while (runner->count > head->first)
            hr_arena_clear(&runner->tasks[--runner->count]->arena);
        head->instances = 0;
        return r;
    }
    *ret_n = list.count;
    return HR_OK;
}

/* One output of all instances, in the order of the elements. */
static hr_status gather_output(struct hr_runner *runner, struct hr_task *head, size_t output)
{
    struct hr_task_channel *to = &head->outputs[output];
    size_t n = 0, i;

    for (i = 0; i < head->instances; i++)
        n += runner->tasks[head->first + i]->outputs
                 ? runner->tasks[head->first + i]->outputs[output].count
                 : 0;
    if (!(to->artifacts = hr_arena_array(&head->arena, n + 1, sizeof *to->artifacts)))
        return HR_EXHAUSTED;
    for (i = 0; i < head->instances; i++) {
        const struct hr_task *task = runner->tasks[head->first + i];

        if (!task->outputs || task->state != HR_TASK_DONE || !task->outputs[output].count)
            continue;
        memcpy(to->artifacts + to->count, task->outputs[output].artifacts,
               task->outputs[output].count * sizeof *to->artifacts);
        to->count += task->outputs[output].count;
    }
    return HR_OK;
}

static enum hr_task_state state_of(const struct hr_runner *runner, const struct hr_task *head)
{
    size_t done = 0, skipped = 0, cancelled = 0, failed = 0, i;

    for (i = 0; i < head->instances; i++) {
        enum hr_task_state s = runner->tasks[head->first + i]->state;

        done += s == HR_TASK_DONE;
        skipped += s == HR_TASK_SKIPPED;
        failed += s == HR_TASK_FAILED;
        cancelled += s == HR_TASK_CANCELLED;
    }
    if (failed)
        return HR_TASK_FAILED;
    if (done + skipped == head->instances)
        return done ? HR_TASK_DONE : HR_TASK_SKIPPED;
    return cancelled ? HR_TASK_CANCELLED : HR_TASK_NOT_RUN;
}

void hr_task_gather(struct hr_runner *runner, struct hr_task *head)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < head->instances; i++)
        if (!hr_task_ended(runner->tasks[head->first + i]))
            return;
    for (i = 0; i < head->output_count && r == HR_OK; i++)
        r = gather_output(runner, head, i);
    head->state = r == HR_OK ? state_of(runner, head) : HR_TASK_FAILED;
    if (r < 0) {
        runner->failed = true;
        runner->status = runner->status == HR_OK ? r : runner->status;
    }
}
