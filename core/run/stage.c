/* Directories of one try: where it writes, and where its outputs go. */
#include <string.h>

#include "run/task.h"

static hr_status staging_of(struct hr_runner *runner, const struct hr_task *task, char *to)
{
    char name[HR_NUM_TEXT];

    hr_num_put_int(name, task->execution);
    return hr_path_join(runner->env, runner->config.paths->staging, name, to);
}

/* An output that may hold several artifacts begins with none. */
static hr_status stage_output(struct hr_runner *runner, struct hr_task *task,
                              const struct hr_port_info *port, const char *staging,
                              struct hr_task_channel *c)
{
    char dir[HR_MAX_PATH];
    hr_status r = hr_path_join(runner->env, staging, port->key, dir);
    struct hr_task_artifact *a = hr_arena_get(&task->arena, sizeof *a);

    if (r < 0 || !a)
        return r < 0 ? r : HR_EXHAUSTED;
    if ((r = hr_dir_make(runner->env, dir)) < 0)
        return r;
    if (c->count)
        *a = c->artifacts[0]; /* what a driver has set stays */
    a->staged = hr_arena_text(&task->arena, dir);
    c->artifacts = a;
    c->count = port->flags & HR_PORT_MANY ? 0 : 1;
    return a->staged ? HR_OK : HR_EXHAUSTED;
}

hr_status hr_task_stage(struct hr_runner *runner, struct hr_task *task)
{
    const struct hr_component_info *c = task->node->component;
    char staging[HR_MAX_PATH], tmp[HR_MAX_PATH], state[HR_MAX_PATH];
    hr_status r = staging_of(runner, task, staging);
    size_t i;

    if (r == HR_OK)
        r = hr_tree_remove(runner->env, staging);
    if (r == HR_OK)
        r = hr_path_join(runner->env, staging, ".tmp", tmp);
    if (r == HR_OK)
        r = hr_dir_make(runner->env, tmp);
    if (r == HR_OK)
        r = hr_path_join(runner->env, runner->dir, "state", state);
    if (r == HR_OK)
        r = hr_path_join(runner->env, state, task->name, state);
    if (r == HR_OK)
        r = hr_dir_make(runner->env, state);
    /* What a property lets the worker write must be there before the walls are. */
    for (i = 0; i < task->node->setting_count && r == HR_OK; i++)
        if (task->settings[i].info->type == HR_PATH_WRITE && task->settings[i].value.text &&
            task->settings[i].value.text[0])
            r = hr_dir_make(runner->env, task->settings[i].value.text);
    for (i = 0; i < c->output_count && r == HR_OK; i++)
        r = stage_output(runner, task, &c->outputs[i], staging, &task->outputs[i]);
    return r;
}

static hr_status place_of(struct hr_runner *runner, const struct hr_task *task, const char *key,
                          char *to)
{
    char name[HR_NUM_TEXT];
    hr_status r = hr_path_join(runner->env, runner->config.paths->artifacts, task->node->name, to);

    hr_num_put_int(name, task->execution);
    if (r == HR_OK)
        r = hr_path_join(runner->env, to, key, to);
    return r < 0 ? r : hr_path_join(runner->env, to, name, to);
}

/* Several artifacts of one output lie below one directory, 0, 1, ..., and move with it. */
static hr_status name_many(struct hr_runner *runner, struct hr_task *task,
                           struct hr_task_channel *c, const struct hr_sealing *s)
{
    char path[HR_MAX_PATH], name[HR_NUM_TEXT];
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < c->count && r == HR_OK; i++) {
        hr_num_put_uint(name, i);
        r = hr_path_join(runner->env, s->staged, name, path);
        if (r == HR_OK)
            r = hr_artifact_digest(runner->env, NULL, path, c->artifacts[i].digest);
        if (r == HR_OK)
            r = hr_path_join(runner->env, s->place, name, path);
        if (r == HR_OK && !(c->artifacts[i].uri = hr_arena_text(&task->arena, path)))
            r = HR_EXHAUSTED;
    }
    return r;
}

static hr_status sealing_of(struct hr_runner *runner, struct hr_task *task,
                            struct hr_task_channel *c, struct hr_sealing *ret)
{
    char staging[HR_MAX_PATH], base[HR_MAX_PATH], place[HR_MAX_PATH];
    hr_status r = staging_of(runner, task, staging);

    if (r == HR_OK)
        r = hr_path_join(runner->env, staging, c->key, base);
    if (r == HR_OK)
        r = place_of(runner, task, c->key, place);
    if (r < 0)
        return r;
    ret->cache = runner->config.cache;
    ret->staged = hr_arena_text(&task->arena, base);
    ret->place = hr_arena_text(&task->arena, place);
    if (!ret->staged || !ret->place)
        return HR_EXHAUSTED;
    return c->port->flags & HR_PORT_MANY ? name_many(runner, task, c, ret) : HR_OK;
}

hr_status hr_task_seal(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_sealing *s = hr_arena_array(&task->arena, task->output_count + 1, sizeof *s);
    hr_status r = s ? HR_OK : HR_EXHAUSTED;
    size_t i, n = 0, k = 0;

    for (i = 0; i < task->output_count && r == HR_OK; i++)
        if (task->outputs[i].count)
            r = sealing_of(runner, task, &task->outputs[i], &s[n++]);
    if (r == HR_OK)
        r = hr_artifact_seal(runner->env, s, n);
    for (i = 0; i < task->output_count && r == HR_OK; i++) {
        struct hr_task_channel *c = &task->outputs[i];

        if (!c->count)
            continue;
        if (!(c->port->flags & HR_PORT_MANY)) {
            c->artifacts[0].uri = s[k].place;
            memcpy(c->artifacts[0].digest, s[k].digest, sizeof s[k].digest);
        }
        k++;
    }
    return r;
}

void hr_task_unstage(struct hr_runner *runner, struct hr_task *task, bool sealed_too)
{
    char path[HR_MAX_PATH];
    size_t kept = runner->env->errors.count, i;

    if (!task->execution)
        return;
    if (staging_of(runner, task, path) == HR_OK)
        hr_tree_remove(runner->env, path);
    for (i = 0; sealed_too && i < task->output_count; i++)
        if (place_of(runner, task, task->outputs[i].key, path) == HR_OK)
            hr_tree_remove(runner->env, path);
    hr_errors_cut(runner->env, kept); /* what is left is found by its execution's state */
}
