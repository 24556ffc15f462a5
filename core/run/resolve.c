/* Where the inputs of a node come from. */
#include <stdlib.h>
#include <string.h>

#include "run/task.h"
#include "run/types.h"

static const struct hr_task_channel *output_of(const struct hr_task *task, const char *key)
{
    size_t i;

    for (i = 0; i < task->output_count; i++)
        if (!strcmp(task->outputs[i].key, key))
            return &task->outputs[i];
    return NULL;
}

static bool has(const struct hr_task_channel *channel, int64_t id)
{
    size_t i;

    for (i = 0; i < channel->count; i++)
        if (channel->artifacts[i].id == id)
            return true;
    return false;
}

/* What an artifact is worth to its readers: the node in the store, and its digest. */
hr_status hr_task_read_artifact(struct hr_runner *runner, struct hr_task *task, int64_t id,
                           struct hr_task_artifact *ret)
{
    hr_status r =
        hr_store_get(runner->config.store, HR_KIND_ARTIFACT, id, &task->arena, &ret->node);
    const char *digest;

    if (r == HR_NOT_FOUND)
        return hr_fail(runner->env, r, "artifact %lld is not in the store any more", (long long)id);
    if (r < 0)
        return r;
    ret->id = id;
    ret->uri = ret->node.uri;
    ret->type = ret->node.type;
    digest = hr_meta_text(&ret->node, "__digest");
    if (digest && strlen(digest) == HR_SHA256_HEX - 1)
        memcpy(ret->digest, digest, HR_SHA256_HEX);
    return HR_OK;
}

/* TFX's artifacts, and what an importer brought without one, are digested when they are read. */
static hr_status complete_digest(struct hr_runner *runner, struct hr_task_artifact *a)
{
    return a->digest[0] ? HR_OK
                        : hr_artifact_digest(runner->env, runner->config.cache, a->uri, a->digest);
}

/* The task that a task reads from: within loops that both are in, that of its own elements. */
const struct hr_task *hr_task_upstream(const struct hr_runner *runner, const struct hr_task *task,
                                       size_t node)
{
    const struct hr_task *at = runner->tasks[node], *mine;
    size_t i, k;

    for (i = 0; i < at->node->loop_count && i < task->node->loop_count; i++) {
        mine = hr_task_at(task, i);
        if (!mine || at->node->loops[i] != task->node->loops[i])
            break;
        k = mine->index - mine->head->first;
        if (k >= at->instances)
            break;
        at = runner->tasks[at->first + k];
    }
    return at;
}

/* One more artifact of an input, if it is not there yet. */
static hr_status add_artifact(struct hr_runner *runner, struct hr_task *task,
                              struct hr_task_channel *to, int64_t id)
{
    struct hr_task_artifact *all;
    hr_status r;

    if (has(to, id))
        return HR_OK;
    if (!(all = hr_arena_grow(&task->arena, to->artifacts, to->count, &to->cap, sizeof *all)))
        return HR_EXHAUSTED;
    to->artifacts = all;
    r = hr_task_read_artifact(runner, task, id, &to->artifacts[to->count]);
    if (r == HR_OK)
        r = complete_digest(runner, &to->artifacts[to->count]);
    to->count += r == HR_OK;
    return r;
}

/* Which of a list of n a channel takes: *ret_at, and how many from there on. */
static hr_status picked(struct hr_runner *runner, const struct hr_task *task, const char *key,
                        const struct hr_channel_ref *ref, size_t n, size_t *ret_at, size_t *ret_n)
{
    int64_t at = ref->pick ? *ref->pick : 0;

    *ret_at = 0;
    *ret_n = n;
    if (!ref->pick)
        return HR_OK;
    at = at < 0 ? at + (int64_t)n : at;
    if (at < 0 || at >= (int64_t)n)
        return hr_fail(runner->env, HR_PRECONDITION,
                       "node \"%s\": the input \"%s\" takes \"%s[%lld]\", and there are %zu",
                       task->name, key, ref->output, (long long)*ref->pick, n);
    *ret_at = (size_t)at;
    *ret_n = 1;
    return HR_OK;
}

/* Artifacts of another node's output. */
static hr_status add_output(struct hr_runner *runner, struct hr_task *task,
                            const struct hr_channel_ref *ref, struct hr_task_channel *to)
{
    const struct hr_task *up = hr_task_upstream(runner, task, ref->node);
    const struct hr_task_channel *c = output_of(up, ref->output);
    size_t at = 0, n = 0;
    hr_status r = HR_OK;

    /* of one that was skipped there is none to take: who needs it is skipped, too */
    if (c && (c->count || up->state != HR_TASK_SKIPPED))
        r = picked(runner, task, to->key, ref, c->count, &at, &n);
    for (; n && r == HR_OK; n--, at++)
        r = add_artifact(runner, task, to, c->artifacts[at].id);
    return r;
}

/* The artifacts that an element of "for_each" is: one, or a window of them. */
static const struct hr_term *element_of(const struct hr_term *item, size_t *ret_n)
{
    bool list = item && item->kind == HR_TERM_LIST;

    *ret_n = list ? item->count : 1;
    return list ? item->items : item;
}

static hr_status add_element(struct hr_runner *runner, struct hr_task *task,
                             const struct hr_channel_ref *ref, struct hr_task_channel *to)
{
    const struct hr_task *of = hr_task_at(task, hr_node_loop(task->node, ref->output));
    size_t at, n, all;
    const struct hr_term *items = element_of(of ? &of->item : NULL, &all);
    hr_status r = picked(runner, task, to->key, ref, all, &at, &n);

    for (; n && r == HR_OK; n--, at++) {
        const struct hr_task_artifact *a = items ? items[at].artifact : NULL;

        if (!a)
            return hr_fail(runner->env, HR_INVALID,
                           "node \"%s\": an input wants \"%s\", which is %s and no artifact",
                           task->name, ref->output,
                           hr_term_kind_text(of ? of->item.kind : HR_TERM_NULL));
        if (to->type && !hr_text_eq(a->type, to->type))
            return hr_fail(runner->env, HR_INVALID,
                           "node \"%s\": \"%s\" is an artifact of type %s, and %s is wanted",
                           task->name, ref->output, a->type, to->type);
        r = add_artifact(runner, task, to, a->id);
    }
    return r;
}

/* The context that a query names: a pipeline, a run, or a node. */
static hr_status context_of(struct hr_runner *runner, const char *name, int64_t *ret)
{
    static const char *const types[] = { "pipeline", "pipeline_run", "node" };
    hr_status r = HR_NOT_FOUND;
    size_t i;

    *ret = runner->context_pipeline;
    if (!name)
        return HR_OK;
    for (i = 0; i < 3 && r == HR_NOT_FOUND; i++)
        r = hr_store_find_context(runner->config.store, types[i], name, ret);
    return r;
}

/* What the store has, newest first; nothing is an answer. */
static hr_status query(struct hr_runner *runner, struct hr_task *task,
                       const struct hr_channel_query *q, struct hr_task_channel *to)
{
    int64_t context;
    struct hr_look look = { .kind = HR_KIND_ARTIFACT,
                            .type = q->type ? q->type : to->type,
                            .contexts = &context,
                            .context_count = 1,
                            .state = HR_ARTIFACT_LIVE,
                            .newest_first = true,
                            .limit = q->filter.value ? 0 : q->limit };
    struct hr_meta_nodes found = { 0 };
    struct hr_task_artifact a;
    hr_status r = context_of(runner, q->context, &context);
    int64_t n = 0;
    bool good = true;
    size_t i;

    if (r == HR_OK)
        r = hr_store_look(runner->config.store, &look, &task->arena, &found);
    for (i = 0; r == HR_OK && i < found.count && (!q->limit || n < q->limit); i++) {
        a = (struct hr_task_artifact){ .id = found.items[i].id,
                                       .uri = found.items[i].uri,
                                       .type = found.items[i].type,
                                       .node = found.items[i] };
        if (q->filter.value)
            r = hr_task_filter(runner, task, &q->filter, &a, &good);
        if (r == HR_OK && good) {
            r = add_artifact(runner, task, to, a.id);
            n++;
        }
    }
    return r == HR_NOT_FOUND ? HR_OK : r;
}

static hr_status resolve_input(struct hr_runner *runner, struct hr_task *task,
                               const struct hr_input *input, struct hr_task_channel *to)
{
    /* what comes to a program may be of any type: an element, or what a query is not told */
    const char *type = input->port && *input->port->type ? input->port->type : NULL;
    hr_status r = HR_OK;
    size_t i;

    *to = (struct hr_task_channel){
        .key = input->key, .type = type, .port = input->port, .read = input->port ? NULL : input
    };
    for (i = 0; i < input->channel_count && r == HR_OK; i++) {
        const struct hr_channel_ref *ref = &input->channels[i];

        if (ref->query)
            r = query(runner, task, ref->query, to);
        else if (ref->node == (size_t)HR_CHANNEL_ITEM)
            r = add_element(runner, task, ref, to);
        else
            r = add_output(runner, task, ref, to);
    }
    if (input->port && !type)
        to->type = to->count ? to->artifacts[0].type : "";
    return r;
}

/* Of the lists that it was made from, an instance reads its own elements. */
static void keep_item(const struct hr_task *task, struct hr_task_channel *c)
{
    const struct hr_term *items;
    size_t n, i, k, kept;

    for (; task->head; task = task->head) {
        items = element_of(&task->item, &n);
        for (i = 0, kept = 0; i < c->count; i++) {
            for (k = 0; k < n && !(items[k].artifact && items[k].i == c->artifacts[i].id); k++)
                ;
            if (k < n)
                c->artifacts[kept++] = c->artifacts[i];
        }
        c->count = kept ? kept : c->count;
    }
}

/* A node that was skipped and gives nothing: who needs it is skipped with it. */
static const char *skipped_of(const struct hr_runner *runner, const struct hr_task *task,
                              const struct hr_input *input)
{
    size_t i;

    for (i = 0; i < input->channel_count; i++)
        if (input->channels[i].node < runner->config.pipeline->node_count &&
            hr_task_upstream(runner, task, input->channels[i].node)->state == HR_TASK_SKIPPED)
            return hr_task_upstream(runner, task, input->channels[i].node)->name;
    return NULL;
}

static hr_status check_count(struct hr_runner *runner, const struct hr_task *task,
                             const struct hr_task_channel *c)
{
    if (!c->count && !(c->port->flags & (HR_PORT_EMPTY | HR_PORT_OPTIONAL)))
        return hr_fail(runner->env, HR_PRECONDITION,
                       "input \"%s\" of node \"%s\" holds no artifact, and wants at least one",
                       c->key, task->name);
    if (c->count > 1 && !(c->port->flags & HR_PORT_MANY))
        return hr_fail(runner->env, HR_PRECONDITION,
                       "input \"%s\" of node \"%s\" holds %zu artifacts, and takes one", c->key,
                       task->name, c->count);
    return HR_OK;
}

/* Plugins that load the models among the inputs; their code is part of what is done. */
static hr_status find_models(struct hr_runner *runner, struct hr_task *task)
{
    const struct hr_component_info *found;
    const char *format;
    hr_status r;
    size_t i, k, m;

    for (i = 0; i < task->input_count; i++)
        for (k = 0; k < task->inputs[i].count; k++) {
            if (!task->inputs[i].port)
                continue;
            format = hr_meta_text(&task->inputs[i].artifacts[k].node, "format");
            if (!format || strcmp(task->inputs[i].type, "Model") != 0)
                continue;
            if ((r = hr_catalogue_model(runner->config.catalogue,
                                        runner->config.pipeline->takes, format, NULL, &found)) < 0)
                return r;
            for (m = 0; m < task->model_count && task->models[m] != found; m++)
                ;
            if (m == task->model_count && m < sizeof task->models / sizeof task->models[0])
                task->models[task->model_count++] = found;
        }
    return HR_OK;
}

static hr_status make_inputs(struct hr_task *task)
{
    size_t n = task->node->read_count + task->node->input_count;

    if (!task->inputs)
        task->inputs = hr_arena_array(&task->arena, n + 1, sizeof *task->inputs);
    return task->inputs ? HR_OK : HR_EXHAUSTED;
}

hr_status hr_task_reads(struct hr_runner *runner, struct hr_task *task, const char **ret_skip)
{
    const struct hr_node *node = task->node;
    const char *from;
    hr_status r = make_inputs(task);
    size_t i;

    for (i = 0; i < node->read_count && r == HR_OK && !*ret_skip; i++, task->input_count++) {
        r = resolve_input(runner, task, &node->reads[i], &task->inputs[i]);
        if (r == HR_OK)
            keep_item(task, &task->inputs[i]);
        if (r < 0 || task->inputs[i].count || !(from = skipped_of(runner, task, &node->reads[i])))
            continue;
        if (!(*ret_skip = hr_arena_format(
                  &task->arena, "it looks at \"%s\", which was skipped", from)))
            r = HR_EXHAUSTED;
    }
    return r;
}

hr_status hr_task_resolve(struct hr_runner *runner, struct hr_task *task, const char **ret_skip)
{
    const struct hr_node *node = task->node;
    struct hr_task_channel *c;
    const char *from;
    hr_status r = make_inputs(task);
    size_t i;

    for (i = 0; i < node->input_count && r == HR_OK; i++, task->input_count++) {
        c = &task->inputs[task->input_count];
        r = resolve_input(runner, task, &node->inputs[i], c);
        if (r < 0)
            break;
        from = NULL;
        if (!c->count && !(c->port->flags & HR_PORT_OPTIONAL))
            from = skipped_of(runner, task, &node->inputs[i]);
        if (!from) {
            r = check_count(runner, task, c);
        } else if (!*ret_skip) {
            *ret_skip = hr_arena_format(&task->arena,
                                        "its input \"%s\" comes from \"%s\", which was skipped",
                                        c->key, from);
            r = *ret_skip ? HR_OK : HR_EXHAUSTED;
        }
    }
    return r < 0 || *ret_skip ? r : find_models(runner, task);
}

/* -- importers ------------------------------------------------------------- */

static bool same_value(const struct hr_meta_value *a, const struct hr_meta_value *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == HR_VALUE_STRING || a->kind == HR_VALUE_STRUCT)
        return hr_text_eq(a->text, b->text);
    return a->kind == HR_VALUE_DOUBLE ? a->d == b->d : a->i == b->i;
}

/* Has an artifact of the store the properties that are given?  Declared and custom ones of one name
 * are two. */
static bool has_properties(const struct hr_task *task, const struct hr_meta_node *node,
                           const struct hr_task_artifact *a)
{
    const struct hr_task_channel *c = &task->outputs[0];
    size_t i, k;

    for (i = 0; i < a->set_count; i++) {
        bool custom = a->set[i].custom || !hr_declared_kind(c->type, c->port, a->set[i].name);

        for (k = 0; k < node->count; k++)
            if (!strcmp(node->properties[k].name, a->set[i].name) &&
                node->properties[k].custom == custom &&
                same_value(&node->properties[k].value, &a->set[i].value))
                break;
        if (k == node->count)
            return false;
    }
    return true;
}

/* An artifact of that uri, type, content and properties that is there already. */
static hr_status find_imported(struct hr_runner *runner, struct hr_task *task,
                               struct hr_task_artifact *a)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT,
                            .type = a->type,
                            .state = HR_ARTIFACT_LIVE,
                            .property = "__digest",
                            .value = a->digest,
                            .newest_first = true };
    struct hr_meta_nodes found;
    hr_status r = hr_store_look(runner->config.store, &look, &task->arena, &found);
    size_t i;

    for (i = 0; r == HR_OK && i < found.count; i++)
        if (!strcmp(found.items[i].uri, a->uri)) {
            struct hr_task_artifact old = *a;

            r = hr_task_read_artifact(runner, task, found.items[i].id, &old);
            if (r == HR_OK && has_properties(task, &old.node, a)) {
                *a = old;
                break;
            }
        }
    return r;
}

hr_status hr_task_import(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_task_artifact *a = hr_arena_get(&task->arena, sizeof *a);
    char path[HR_MAX_PATH];
    struct hr_term uri;
    hr_status r;

    if (!a)
        return HR_EXHAUSTED;
    r = hr_task_term(runner, task, task->node, &task->node->source_uri, &uri);
    if (r == HR_OK && uri.kind != HR_TERM_TEXT)
        r = hr_fail(runner->env, HR_INVALID, "node \"%s\": source_uri is %s, and a text is wanted",
                    task->name, hr_term_kind_text(uri.kind));
    if (r == HR_OK)
        r = hr_path_join(runner->env, task->node->dir, uri.text, path);
    if (r < 0)
        return r;
    a->uri = hr_arena_text(&task->arena, path);
    a->type = task->node->import_type;
    if (!a->uri)
        return HR_EXHAUSTED;
    r = hr_artifact_digest(runner->env, runner->config.cache, a->uri, a->digest);
    if (r == HR_OK)
        r = hr_task_settings(runner, task);
    task->outputs[0].artifacts = a;
    task->outputs[0].count = 1;
    if (r == HR_OK)
        r = hr_task_extras(task);
    if (r == HR_OK && !task->node->reimport)
        r = find_imported(runner, task, a);
    task->outputs[0].count = r == HR_OK;
    return r;
}
