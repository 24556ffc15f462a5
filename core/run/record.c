#include "run/record.h"

#include <stdio.h>
#include <string.h>

#include "run/types.h"

#define TFX_VERSION "1.16.0" /* whose layout of artifacts and store is followed */

static hr_status put_type(struct hr_store *store, enum hr_type_kind kind, const char *name,
                          const char *base, int64_t *ret)
{
    struct hr_meta_type type = { .kind = kind, .name = name, .base = base };

    return hr_store_put_type(store, &type, ret);
}

/* -- the run --------------------------------------------------------------- */

static hr_status put_run_text(struct hr_runner *runner, const char *name, const char *text)
{
    struct hr_meta_property p = { name, true, { .kind = HR_VALUE_STRING, .text = text } };

    return text && *text ? hr_store_set_property(runner->config.store, HR_KIND_CONTEXT,
                                                 runner->context_run, &p)
                         : HR_OK;
}

/* All of them, defaults too: what a run had is not to be asked of a file that may be another by
 * now. */
static hr_status put_parameters(struct hr_runner *runner)
{
    const struct hr_pipeline *p = runner->config.pipeline;
    struct hr_json_writer w;
    struct hr_buf text, value;
    hr_status r = HR_OK;
    size_t i;

    if (!p->param_count)
        return HR_OK;
    hr_buf_of(&text, HR_MAX_JSON_BYTES, runner->env);
    hr_buf_of(&value, HR_MAX_JSON_BYTES, runner->env);
    hr_json_begin(&w, &text, 0);
    hr_json_open_object(&w);
    for (i = 0; i < p->param_count && r == HR_OK; i++) {
        hr_buf_cut(&value, 0);
        r = hr_term_json(&runner->values.items[i], &value);
        hr_json_put_key(&w, p->params[i].name);
        hr_json_put_raw(&w, value.text, value.len);
    }
    hr_json_close_object(&w);
    if (r == HR_OK)
        r = hr_json_end(&w);
    if (r == HR_OK)
        r = put_run_text(runner, "__parameters", text.text);
    hr_buf_clear(&text);
    hr_buf_clear(&value);
    return r;
}

hr_status hr_record_run(struct hr_runner *runner)
{
    struct hr_store *store = runner->config.store;
    int64_t pipeline = 0, run = 0;
    hr_status r = put_type(store, HR_KIND_CONTEXT, "pipeline", NULL, &pipeline);

    if (r == HR_OK)
        r = put_type(store, HR_KIND_CONTEXT, "pipeline_run", NULL, &run);
    if (r == HR_OK)
        r = put_type(store, HR_KIND_CONTEXT, "node", NULL, &runner->type_context_node);
    if (r == HR_OK)
        r = put_type(store, HR_KIND_CONTEXT, "execution_cache", NULL, &runner->type_context_cache);
    runner->type_context_pipeline = pipeline;
    runner->type_context_run = run;
    if (r == HR_OK)
        r = hr_store_put_context(store, pipeline, runner->config.pipeline->name,
                                 &runner->context_pipeline);
    if (r == HR_OK)
        r = hr_store_put_context(store, run, runner->id, &runner->context_run);
    if (r == HR_OK)
        r = hr_store_put_parent(store, runner->context_run, runner->context_pipeline);
    if (r == HR_OK && runner->context_base)
        r = hr_store_put_parent(store, runner->context_run, runner->context_base);
    if (r == HR_OK)
        r = put_run_text(runner, "__pipeline_file", runner->config.pipeline->sources[0].full);
    if (r == HR_OK)
        r = put_run_text(runner, "__options", runner->config.options);
    if (r == HR_OK)
        r = put_parameters(runner);
    if (r == HR_OK)
        r = put_run_text(runner, "__name", runner->config.name);
    if (r == HR_OK)
        r = put_run_text(runner, "__host", runner->config.host->id);
    if (r == HR_OK)
        r = hr_store_rank(store, runner->context_pipeline, runner->context_run, &runner->number);
    return r;
}

/* -- contexts of an execution ---------------------------------------------- */

/* Which instance of a loop a task is, or what is recorded for it, which an earlier run made; -1:
 * of none. */
static int64_t instance_of(const struct hr_task *task, size_t loop)
{
    const struct hr_task *at = hr_task_at(task, loop);

    if (at)
        return (int64_t)(at->index - at->head->first);
    return task->recorded && task->recorded->item
               ? hr_index_in(task->recorded->index, task->node->loop_count, loop)
               : -1;
}

/* The name of a sub-pipeline's run: that around it, its own, and which instance of it. */
static void part_name(const struct hr_runner *runner, const struct hr_task *task, size_t group,
                      char *to, size_t n)
{
    const struct hr_node *face = &runner->config.pipeline->groups[group].face;
    int64_t instance = -1;
    size_t i;

    if (face->group != (size_t)HR_NO_GROUP)
        part_name(runner, task, face->group, to, n);
    else
        snprintf(to, n, "%s", runner->id);
    for (i = 0; face->each && i < task->node->loop_count; i++)
        if (task->node->loops[i] == face)
            instance = instance_of(task, i);
    snprintf(to + strlen(to), n - strlen(to), ".%s", face->local);
    if (instance >= 0)
        snprintf(to + strlen(to), n - strlen(to), "[%lld]", (long long)instance);
}

/* The two contexts of a sub-pipeline, within those of what is around it; of an instance, a run of
 * its own. */
static hr_status part_contexts(struct hr_runner *runner, const struct hr_task *task, size_t group,
                               int64_t ret[2])
{
    const struct hr_node *face = &runner->config.pipeline->groups[group].face;
    struct hr_store *store = runner->config.store;
    struct hr_meta_property of = { "__part_of", true,
                                   { .kind = HR_VALUE_STRING, .text = runner->id } };
    char name[1024];
    int64_t around[2] = { runner->context_pipeline, runner->context_run };
    hr_status r = HR_OK;

    if (face->group != (size_t)HR_NO_GROUP)
        r = part_contexts(runner, task, face->group, around);
    snprintf(name, sizeof name, "%s.%s", runner->config.pipeline->name, face->name);
    if (r == HR_OK)
        r = hr_store_put_context(store, runner->type_context_pipeline, name, &ret[0]);
    part_name(runner, task, group, name, sizeof name);
    if (r == HR_OK)
        r = hr_store_put_context(store, runner->type_context_run, name, &ret[1]);
    if (r == HR_OK)
        r = hr_store_put_parent(store, ret[1], ret[0]);
    if (r == HR_OK)
        r = hr_store_put_parent(store, ret[1], around[1]);
    return r < 0 ? r : hr_store_set_property(store, HR_KIND_CONTEXT, ret[1], &of);
}

enum { MAX_CONTEXTS = 4 + 2 * 16 };

/* The contexts of an execution and of its artifacts, but for that of its cache key; the execution
 * is put into them. */
static hr_status associate(struct hr_runner *runner, struct hr_task *task)
{
    const struct hr_pipeline *p = runner->config.pipeline;
    size_t g = task->node->group, n = 3, i;
    int64_t *ids = hr_arena_array(&task->arena, MAX_CONTEXTS, sizeof *ids);
    char name[512];
    hr_status r;

    if (!ids)
        return HR_EXHAUSTED;
    snprintf(name, sizeof name, "%s.%s", runner->config.pipeline->name, task->node->name);
    ids[0] = runner->context_pipeline;
    ids[1] = runner->context_run;
    r = hr_store_put_context(runner->config.store, runner->type_context_node, name, &ids[2]);
    for (; g != (size_t)HR_NO_GROUP && r == HR_OK && n + 2 < MAX_CONTEXTS;
         g = p->groups[g].face.group, n += 2)
        r = part_contexts(runner, task, g, ids + n);
    for (i = 0; i < n && r == HR_OK; i++)
        r = hr_store_put_association(runner->config.store, ids[i], task->execution);
    task->contexts = ids;
    task->context_count = n;
    return r;
}

/* From now on the result is found by its key: that context is one more. */
static hr_status associate_key(struct hr_runner *runner, struct hr_task *task)
{
    int64_t *id = &task->contexts[task->context_count];
    hr_status r = hr_store_put_context(runner->config.store, runner->type_context_cache, task->key,
                                       id);

    return r < 0 ? r : hr_store_put_association(runner->config.store, *id, task->execution);
}

/* Artifacts into the first n contexts. */
static hr_status attribute(struct hr_runner *runner, struct hr_task *task,
                           const struct hr_task_channel *channels, size_t count, size_t n)
{
    hr_status r = HR_OK;
    size_t i, k, a;

    for (i = 0; i < count; i++)
        for (a = 0; a < channels[i].count; a++)
            for (k = 0; k < n && r == HR_OK; k++)
                r = hr_store_put_attribution(runner->config.store, task->contexts[k],
                                             channels[i].artifacts[a].id);
    return r;
}

/* One event an artifact, with a key and an index for each place in which it stands. */
static hr_status put_events(struct hr_runner *runner, struct hr_task *task,
                            const struct hr_task_channel *channels, size_t count, int64_t type)
{
    struct hr_meta_step steps[64];
    hr_status r = HR_OK;
    size_t i, a, k, b;

    for (i = 0; i < count; i++)
        for (a = 0; a < channels[i].count && r == HR_OK; a++) {
            struct hr_meta_event event = { .artifact = channels[i].artifacts[a].id,
                                           .execution = task->execution,
                                           .type = type,
                                           .steps = steps };
            bool before = false;

            for (k = 0; k < count; k++)
                for (b = 0; b < channels[k].count; b++) {
                    if (channels[k].artifacts[b].id != event.artifact || event.count + 2 > 64)
                        continue;
                    before = before || k < i || (k == i && b < a);
                    steps[event.count++] = (struct hr_meta_step){ .key = channels[k].key };
                    steps[event.count++] = (struct hr_meta_step){ .index = (int64_t)b };
                }
            if (!before)
                r = hr_store_add_event(runner->config.store, &event);
        }
    return r;
}

/* -- properties ------------------------------------------------------------ */

static hr_status put_custom(struct hr_runner *runner, const struct hr_task *task, const char *name,
                            const struct hr_meta_value *value)
{
    struct hr_meta_property p = { name, true, *value };

    return hr_store_set_property(runner->config.store, HR_KIND_EXECUTION, task->execution, &p);
}

static hr_status put_text(struct hr_runner *runner, const struct hr_task *task, const char *name,
                          const char *text)
{
    struct hr_meta_value v = { .kind = HR_VALUE_STRING, .text = text };

    return text && *text ? put_custom(runner, task, name, &v) : HR_OK;
}

/* As TFX: int INT, float DOUBLE, bool as a bool, all else as text; null is not stored. */
static hr_status put_setting(struct hr_runner *runner, struct hr_task *task,
                             const struct hr_setting *s)
{
    struct hr_meta_value v = { .kind = HR_VALUE_STRING };
    struct hr_buf text;
    hr_status r = HR_OK;

    switch (s->value.kind) {
    case HR_TERM_NULL:
        return HR_OK;
    case HR_TERM_INT:
        v = (struct hr_meta_value){ .kind = HR_VALUE_INT, .i = s->value.i };
        return put_custom(runner, task, s->info->key, &v);
    case HR_TERM_BOOL:
        v = (struct hr_meta_value){ .kind = HR_VALUE_BOOL, .i = s->value.i };
        return put_custom(runner, task, s->info->key, &v);
    case HR_TERM_FLOAT:
        v = (struct hr_meta_value){ .kind = HR_VALUE_DOUBLE, .d = s->value.d };
        return put_custom(runner, task, s->info->key, &v);
    case HR_TERM_TEXT:
        v.text = s->value.text;
        return put_custom(runner, task, s->info->key, &v);
    default:
        hr_buf_of(&text, HR_MAX_JSON_BYTES, runner->env);
        r = hr_term_json(&s->value, &text);
        v.text = text.text;
        if (r == HR_OK)
            r = put_custom(runner, task, s->info->key, &v);
        hr_buf_clear(&text);
        return r;
    }
}

static hr_status put_settings(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < task->node->setting_count && r == HR_OK; i++)
        r = put_setting(runner, task, &task->settings[i]);
    return r;
}

/* What hooks have set on the execution; the two texts for people keep out of TFX's way. */
static hr_status put_set(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < task->set_count && r == HR_OK; i++) {
        const char *name = task->set[i].name;

        if (!strcmp(name, HR_REASON))
            name = "__reason";
        else if (!strcmp(name, HR_SUMMARY))
            name = "__summary";
        r = put_custom(runner, task, name, &task->set[i].value);
    }
    if (r == HR_OK)
        r = put_text(runner, task, "__cache_key", task->key);
    return r < 0 ? r : put_text(runner, task, "__walls", task->walls);
}

static const char *execution_type(const struct hr_task *task)
{
    switch (task->node->kind) {
    case HR_NODE_COMPONENT:
        return task->node->component->id;
    case HR_NODE_RESOLVER:
        return "tfx.dsl.components.common.resolver.Resolver";
    default:
        return "tfx.dsl.components.common.importer.Importer";
    }
}

static hr_status put_importer(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_meta_value reimport = { .kind = HR_VALUE_INT, .i = task->node->reimport };
    hr_status r = put_custom(runner, task, "reimport", &reimport);

    if (r == HR_OK)
        r = put_text(runner, task, "output_key", "result");
    if (r == HR_OK && task->outputs[0].count)
        r = put_text(runner, task, "artifact_uri", task->outputs[0].artifacts[0].uri);
    return r;
}

/* Which instance it is, and of what; item NULL: of none. */
static hr_status put_instance(struct hr_runner *runner, struct hr_task *task, int64_t index,
                              const char *item)
{
    struct hr_meta_value v = { .kind = HR_VALUE_INT, .i = index };
    struct hr_meta_value loops = { .kind = HR_VALUE_INT, .i = (int64_t)task->node->loop_count };
    hr_status r = item ? put_custom(runner, task, "__index", &v) : HR_OK;

    if (r == HR_OK && item && loops.i > 1)
        r = put_custom(runner, task, "__loops", &loops);
    return r < 0 ? r : put_text(runner, task, "__item", item);
}

static hr_status put_identity(struct hr_runner *runner, struct hr_task *task)
{
    const struct hr_component_info *c = task->node->component;
    hr_status r = put_text(runner, task, "__host", runner->config.host->id);

    if (r == HR_OK && c)
        r = put_text(runner, task, "__plugin", c->plugin->id);
    if (r == HR_OK && c)
        r = put_text(runner, task, "__plugin_digest", c->plugin->digest);
    if (r == HR_OK && c)
        r = put_text(runner, task, "__component_version", c->version);
    return r;
}

/* -- states ---------------------------------------------------------------- */

/* One more execution of the node, with what it is. */
static hr_status add_execution(struct hr_runner *runner, struct hr_task *task, int64_t state)
{
    struct hr_store *store = runner->config.store;
    struct hr_meta_node node = { .state = state };
    const char *type = execution_type(task);
    char uuid[40];
    hr_status r = put_type(store, HR_KIND_EXECUTION, type,
                           task->node->component ? hr_execution_base(type) : NULL, &node.type_id);

    hr_uuid(runner->env, uuid);
    node.name = uuid;
    if (r == HR_OK)
        r = hr_store_add_execution(store, &node, &task->execution);
    return r < 0 ? r : put_identity(runner, task);
}

hr_status hr_record_registered(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = add_execution(runner, task, HR_EXECUTION_RUNNING);

    if (r == HR_OK && task->settings)
        r = put_settings(runner, task);
    if (r == HR_OK && task->head)
        r = put_instance(runner, task, hr_task_number(task), task->item_json);
    if (r == HR_OK)
        r = associate(runner, task);
    if (r == HR_OK)
        r = put_events(runner, task, task->inputs, task->input_count, HR_EVENT_INPUT);
    return r < 0 ? r : attribute(runner, task, task->inputs, task->input_count,
                                 task->context_count);
}

static hr_status add_artifact(struct hr_runner *runner, struct hr_task *task,
                              const struct hr_task_channel *c, struct hr_task_artifact *a,
                              bool external)
{
    struct hr_meta_property *p = hr_arena_array(&task->arena, a->set_count + 4, sizeof *p);
    struct hr_meta_node node = { .uri = a->uri, .state = HR_ARTIFACT_LIVE, .properties = p };
    hr_status r = p ? hr_put_artifact_type(runner->config.store, c->type, c->port, &node.type_id)
                    : HR_EXHAUSTED;
    size_t i;

    for (i = 0; r == HR_OK && i < a->set_count; i++) {
        int kind = a->set[i].custom ? 0 : hr_declared_kind(c->type, c->port, a->set[i].name);

        p[node.count] = (struct hr_meta_property){ a->set[i].name, !kind, a->set[i].value };
        if (kind)
            p[node.count].value.kind = (enum hr_value_kind)kind;
        else if (!external && hr_custom_is_struct(c->type, a->set[i].name) &&
                 a->set[i].value.kind == HR_VALUE_STRING)
            p[node.count].value.kind = HR_VALUE_STRUCT;
        node.count++;
    }
    if (r < 0)
        return r;
    p[node.count++] =
        (struct hr_meta_property){ "tfx_version", true, { HR_VALUE_STRING, 0, 0, TFX_VERSION } };
    p[node.count++] =
        (struct hr_meta_property){ "is_external", true, { HR_VALUE_INT, external, 0, NULL } };
    p[node.count++] =
        (struct hr_meta_property){ "__digest", true, { HR_VALUE_STRING, 0, 0, a->digest } };
    a->type = c->type;
    r = hr_store_add_artifact(runner->config.store, &node, &a->id);
    return r < 0 ? r
                 : hr_store_get(runner->config.store, HR_KIND_ARTIFACT, a->id, &task->arena,
                                &a->node);
}

/* cache: it is a result that later runs may take. */
static hr_status finish(struct hr_runner *runner, struct hr_task *task, int64_t state,
                        int64_t event, bool cache)
{
    hr_status r = put_events(runner, task, task->outputs, task->output_count, event);
    bool key = cache && task->key[0];

    if (r == HR_OK && key)
        r = associate_key(runner, task);
    if (r == HR_OK)
        r = attribute(runner, task, task->outputs, task->output_count, task->context_count + key);
    if (r == HR_OK)
        r = put_set(runner, task);
    return r < 0 ? r
                 : hr_store_set_state(runner->config.store, HR_KIND_EXECUTION, task->execution,
                                      state);
}

hr_status hr_record_complete(struct hr_runner *runner, struct hr_task *task)
{
    hr_status r = HR_OK;
    size_t i, a;

    for (i = 0; i < task->output_count; i++)
        for (a = 0; a < task->outputs[i].count && r == HR_OK; a++)
            r = add_artifact(runner, task, &task->outputs[i], &task->outputs[i].artifacts[a],
                             false);
    if (r == HR_OK)
        r = put_text(runner, task, "__reason", task->why);
    return r < 0 ? r : finish(runner, task, HR_EXECUTION_COMPLETE, HR_EVENT_OUTPUT, true);
}

hr_status hr_record_kept(struct hr_runner *runner, struct hr_task *task,
                         const struct hr_kept *kept, const char *reason)
{
    hr_status r = add_execution(runner, task, HR_EXECUTION_CACHED);

    task->recorded = kept;
    if (r == HR_OK)
        r = put_instance(runner, task, kept->index, kept->item);
    if (r == HR_OK)
        r = put_text(runner, task, "__cache_key", kept->key);
    if (r == HR_OK)
        r = put_text(runner, task, "__reason", reason);
    if (r == HR_OK)
        r = associate(runner, task);
    return r < 0 ? r
                 : finish(runner, task, HR_EXECUTION_CACHED,
                          task->node->kind == HR_NODE_RESOLVER ? HR_EVENT_INTERNAL_OUTPUT
                                                               : HR_EVENT_OUTPUT,
                          false);
}

/* Looked at within the transaction: who removes results marks them first. */
static hr_status check_live(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_meta_node node;
    hr_status r = HR_OK;
    size_t i, k;

    for (i = 0; i < task->output_count; i++)
        for (k = 0; k < task->outputs[i].count && r == HR_OK; k++) {
            r = hr_store_get(runner->config.store, HR_KIND_ARTIFACT,
                             task->outputs[i].artifacts[k].id, &task->arena, &node);
            if (r == HR_OK && node.state != HR_ARTIFACT_LIVE)
                r = HR_NOT_FOUND;
        }
    return r;
}

hr_status hr_record_cached(struct hr_runner *runner, struct hr_task *task, const char *reason)
{
    hr_status r = check_live(runner, task);

    if (r == HR_OK)
        r = put_text(runner, task, "__reason", reason);

    return r < 0 ? r : finish(runner, task, HR_EXECUTION_CACHED, HR_EVENT_OUTPUT, true);
}

hr_status hr_record_resolved(struct hr_runner *runner, struct hr_task *task)
{
    return finish(runner, task, HR_EXECUTION_COMPLETE, HR_EVENT_INTERNAL_OUTPUT, false);
}

hr_status hr_record_imported(struct hr_runner *runner, struct hr_task *task)
{
    struct hr_task_artifact *a = &task->outputs[0].artifacts[0];
    bool old = a->id != 0;
    hr_status r = put_importer(runner, task);

    if (r == HR_OK && !old)
        r = add_artifact(runner, task, &task->outputs[0], a, true);
    return r < 0 ? r
                 : finish(runner, task, old ? HR_EXECUTION_CACHED : HR_EXECUTION_COMPLETE,
                          HR_EVENT_OUTPUT, false);
}

/* -- endings without outputs ----------------------------------------------- */

static hr_status put_result(struct hr_env *env, struct hr_store *store, int64_t execution,
                            hr_status code, const char *text)
{
    struct hr_meta_property p = { "__execution_result__", true, { .kind = HR_VALUE_STRING } };
    struct hr_json_writer w;
    struct hr_buf json;
    hr_status r;

    hr_buf_of(&json, HR_MAX_JSON_BYTES, env);
    hr_json_begin(&w, &json, 2);
    hr_json_open_object(&w);
    hr_json_put_member_text(&w, "resultMessage", text);
    if (code < 0)
        hr_json_put_member_int(&w, "code", -code);
    hr_json_close_object(&w);
    r = hr_json_end(&w);
    p.value.text = json.text;
    if (r == HR_OK)
        r = hr_store_set_property(store, HR_KIND_EXECUTION, execution, &p);
    hr_buf_clear(&json);
    return r;
}

hr_status hr_record_failed(struct hr_env *env, struct hr_store *store, int64_t execution,
                           hr_status code, const char *text)
{
    hr_status r = put_result(env, store, execution, code, text);

    return r < 0 ? r : hr_store_set_state(store, HR_KIND_EXECUTION, execution, HR_EXECUTION_FAILED);
}

hr_status hr_record_canceled(struct hr_env *env, struct hr_store *store, int64_t execution,
                             hr_status code, const char *text)
{
    hr_status r = put_result(env, store, execution, code, text);

    return r < 0 ? r
                 : hr_store_set_state(store, HR_KIND_EXECUTION, execution, HR_EXECUTION_CANCELED);
}
