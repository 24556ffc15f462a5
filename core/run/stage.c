/* Directories of one try: where it writes, and where its outputs go.
 *
 * Making and removing directories costs more than all else that the host does for a small node, so
 * staging that nothing was left in is not removed: it is renamed into that of the next try. */
#include <string.h>

#include "run/explain.h"
#include "run/stage.h"
#include "run/task.h"

static hr_status staging_of(struct hr_runner *runner, int64_t execution, char *to)
{
    char name[HR_NUM_TEXT];

    hr_num_put_int(name, execution);
    return hr_path_join(runner->env, runner->config.paths->staging, name, to);
}

hr_status hr_task_dir(struct hr_runner *runner, const struct hr_task *task, const char *name,
                      char *to)
{
    hr_status r = staging_of(runner, task->execution, to);

    return r < 0 ? r : hr_path_join(runner->env, to, name, to);
}

/* -- room ------------------------------------------------------------------ */

static int count_name(void *arg, const char *name)
{
    int *n = arg;

    *n += strcmp(name, HR_DIR_TMP) && strcmp(name, HR_DIR_STATE) ? 100 : 1;
    return 0;
}

/* Is there a directory with n entries, all of them ours, and with the rights that it was made
 * with? */
static bool holds(struct hr_env *env, const char *path, int n)
{
    struct hr_stat st;
    int count = 0;

    return env->os->stat(env->os->user, path, false, &st) == 0 && st.is_dir &&
           (st.mode & 0777) == 0755 &&
           env->os->list(env->os->user, path, count_name, &count) == 0 && count == n;
}

/* Programs may have left a process that has a hold of the directory. */
static bool may_be_used_again(struct hr_runner *runner, const struct hr_task *task)
{
    static const char *const names[] = { "", HR_DIR_TMP, HR_DIR_STATE };
    char path[HR_MAX_PATH];
    size_t i;

    if (runner->spare_count >= HR_SPARE_DIRS || !task->node->component ||
        task->node->component->flags & HR_COMPONENT_PROCESS)
        return false;
    for (i = 0; i < 3; i++)
        if (hr_task_dir(runner, task, names[i], path) < 0 ||
            !holds(runner->env, path, i ? 0 : 2))
            return false;
    return true;
}

static bool take_spare(struct hr_runner *runner, const char *to)
{
    struct hr_env *env = runner->env;
    char from[HR_MAX_PATH];

    while (runner->spare_count)
        if (staging_of(runner, runner->spares[--runner->spare_count], from) == HR_OK &&
            env->os->rename(env->os->user, from, to) == 0)
            return true;
    return false;
}

static hr_status state_place(struct hr_runner *runner, const struct hr_task *task, char *to)
{
    hr_status r = hr_path_join(runner->env, runner->dir, "state", to);

    if (r == HR_OK)
        r = hr_dir_make(runner->env, to);
    return r < 0 ? r : hr_path_join(runner->env, to, task->name, to);
}

/* What an executor has put into its state directory goes over to its next try. */
static void keep_state(struct hr_runner *runner, const struct hr_task *task)
{
    struct hr_env *env = runner->env;
    char from[HR_MAX_PATH], to[HR_MAX_PATH];

    if (hr_task_dir(runner, task, HR_DIR_STATE, from) < 0 || !hr_dir_exists(env, from) ||
        holds(env, from, 0) || state_place(runner, task, to) < 0)
        return;
    if (hr_tree_remove(env, to) == HR_OK)
        env->os->rename(env->os->user, from, to);
}

static hr_status bring_state(struct hr_runner *runner, const struct hr_task *task)
{
    struct hr_env *env = runner->env;
    char from[HR_MAX_PATH], to[HR_MAX_PATH];
    hr_status r = state_place(runner, task, from);
    enum hr_at at;
    int e;

    if (r < 0 || (r = hr_look_at(env, from, &at)) < 0 || at != HR_AT_DIR)
        return r;
    if ((r = hr_task_dir(runner, task, HR_DIR_STATE, to)) < 0 ||
        (r = hr_tree_remove(env, to)) < 0)
        return r;
    e = env->os->rename(env->os->user, from, to);
    return e < 0 ? hr_fail_os(env, e, "move", from) : HR_OK;
}

hr_status hr_task_room(struct hr_runner *runner, struct hr_task *task)
{
    char staging[HR_MAX_PATH], tmp[HR_MAX_PATH], state[HR_MAX_PATH];
    hr_status r = staging_of(runner, task->execution, staging);

    if (r == HR_OK)
        r = hr_task_dir(runner, task, HR_DIR_TMP, tmp);
    if (r == HR_OK)
        r = hr_task_dir(runner, task, HR_DIR_STATE, state);
    if (r < 0)
        return r;
    if (task->has_room && holds(runner->env, tmp, 0))
        return HR_OK;
    if ((r = hr_tree_remove(runner->env, task->has_room ? tmp : staging)) < 0)
        return r;
    if (task->has_room || !take_spare(runner, staging))
        r = hr_dir_make(runner->env, tmp);
    if (r == HR_OK && !task->has_room)
        r = hr_dir_make(runner->env, state);
    if (r == HR_OK && !task->has_room && task->tries > 1)
        r = bring_state(runner, task);
    task->has_room = r == HR_OK;
    return r;
}

void hr_runner_remove_spares(struct hr_runner *runner)
{
    char path[HR_MAX_PATH];

    while (runner->spare_count)
        if (staging_of(runner, runner->spares[--runner->spare_count], path) == HR_OK)
            hr_tree_remove(runner->env, path);
}

/* -- outputs --------------------------------------------------------------- */

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
    char staging[HR_MAX_PATH];
    hr_status r = staging_of(runner, task->execution, staging);
    size_t i;

    if (r == HR_OK)
        r = hr_task_room(runner, task);
    /* What a property lets the worker write must be there before the walls are. */
    for (i = 0; i < task->node->setting_count && r == HR_OK; i++)
        if (task->settings[i].info->type == HR_PATH_WRITE && task->settings[i].value.text &&
            task->settings[i].value.text[0])
            r = hr_dir_make_safe(runner->env, task->settings[i].value.text);
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
    hr_status r = staging_of(runner, task->execution, staging);

    if (r == HR_OK)
        r = hr_path_join(runner->env, staging, c->key, base);
    if (r == HR_OK)
        r = place_of(runner, task, c->key, place);
    if (r < 0)
        return r;
    ret->cache = runner->config.cache;
    ret->type = c->type;
    ret->file = runner->config.sealed_file;
    ret->user = runner->config.sealed_user;
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
    for (i = 0; i < task->output_count && s; i++) {
        struct hr_task_channel *c = &task->outputs[i];

        if (!c->count)
            continue;
        c->moved = s[k].moved;
        if (r == HR_OK && !(c->port->flags & HR_PORT_MANY)) {
            c->artifacts[0].uri = s[k].place;
            memcpy(c->artifacts[0].digest, s[k].digest, sizeof s[k].digest);
        }
        k++;
    }
    return r;
}

void hr_task_unstage(struct hr_runner *runner, struct hr_task *task, bool failed)
{
    char path[HR_MAX_PATH];
    size_t kept = runner->env->errors.count, i;

    if (!task->execution || (!task->has_room && !failed))
        return;
    if (failed)
        keep_state(runner, task);
    if (may_be_used_again(runner, task))
        runner->spares[runner->spare_count++] = task->execution;
    else if (staging_of(runner, task->execution, path) == HR_OK)
        hr_tree_remove(runner->env, path);
    task->has_room = false;
    for (i = 0; failed && i < task->output_count; i++)
        if (task->outputs[i].moved &&
            place_of(runner, task, task->outputs[i].key, path) == HR_OK)
            hr_tree_remove(runner->env, path);
    hr_errors_cut(runner->env, kept); /* what is left is found by its execution's state */
}
