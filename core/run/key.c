/* The cache key: SHA-256 of a canonical text that says all that a result depends on.
 *
 *     {"component", "version", "plugin": digest, "models": [digest],
 *      "inputs": {key: [{"digest", "properties": {name: value}}]},
 *      "outputs": {output: {name: value}}, "properties": {name: value}, "set": {name: value}}
 *
 * Members are sorted.  Ids, uris and times are in no value; a path that is read stands for
 * its content.  The text is kept as cache/KEY.json, so that two keys can be compared.
 */
#include <stdlib.h>
#include <string.h>

#include "run/task.h"

static void put_value(struct hr_json_writer *w, const struct hr_meta_value *v)
{
    switch (v->kind) {
    case HR_VALUE_INT:
        hr_json_put_int(w, v->i);
        break;
    case HR_VALUE_BOOL:
        hr_json_put_bool(w, v->i != 0);
        break;
    case HR_VALUE_DOUBLE:
        hr_json_put_double(w, v->d);
        break;
    default:
        hr_json_put_text(w, v->text);
    }
}

/* Properties that name others by id or place, or that change with the version of TFX. */
static bool counts(const char *name)
{
    return strncmp(name, "__", 2) != 0 && strcmp(name, "current_model") != 0 &&
           strcmp(name, "baseline_model") != 0 && strcmp(name, "tfx_version") != 0 &&
           strcmp(name, "is_external") != 0 && !hr_text_ends(name, "_id");
}

static int by_name(const void *a, const void *b)
{
    const struct hr_meta_property *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    return c ? c : (int)x->custom - (int)y->custom;
}

static hr_status put_artifact(struct hr_runner *runner, struct hr_task *task,
                              const struct hr_task_artifact *a, struct hr_json_writer *w)
{
    size_t n = a->node.count, i;
    struct hr_meta_property *sorted = hr_arena_array(&task->arena, n + 1, sizeof *sorted);

    (void)runner;
    if (!sorted)
        return HR_EXHAUSTED;
    if (n)
        memcpy(sorted, a->node.properties, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_name);
    hr_json_open_object(w);
    hr_json_put_member_text(w, "digest", a->digest);
    hr_json_put_key(w, "properties");
    hr_json_open_object(w);
    for (i = 0; i < n; i++)
        if (counts(sorted[i].name) && (!i || strcmp(sorted[i].name, sorted[i - 1].name) != 0)) {
            hr_json_put_key(w, sorted[i].name);
            put_value(w, &sorted[i].value);
        }
    hr_json_close_object(w);
    hr_json_close_object(w);
    return HR_OK;
}

static hr_status put_inputs(struct hr_runner *runner, struct hr_task *task,
                            struct hr_json_writer *w)
{
    const struct hr_component_info *c = task->node->component;
    hr_status r = HR_OK;
    size_t i, k, a;

    hr_json_put_key(w, "inputs");
    hr_json_open_object(w);
    for (i = 0; i < c->input_count; i++) /* in the order of the component, not of the file */
        for (k = 0; k < task->input_count; k++) {
            if (strcmp(task->inputs[k].key, c->inputs[i].key) != 0)
                continue;
            hr_json_put_key(w, task->inputs[k].key);
            hr_json_open_array(w);
            for (a = 0; a < task->inputs[k].count && r == HR_OK; a++)
                r = put_artifact(runner, task, &task->inputs[k].artifacts[a], w);
            hr_json_close_array(w);
        }
    hr_json_close_object(w);
    return r;
}

static bool ignored(const struct hr_node *node, const char *property)
{
    const char **p;

    for (p = node->cache_ignore; p && *p; p++)
        if (!strcmp(*p, property))
            return true;
    return false;
}

static hr_status put_path(struct hr_runner *runner, const struct hr_task *task,
                          const struct hr_setting *s, struct hr_json_writer *w)
{
    char digest[HR_SHA256_HEX];
    hr_status r;

    if (!s->value.text || !s->value.text[0]) {
        hr_json_put_text(w, "");
        return HR_OK;
    }
    r = hr_artifact_digest(runner->env, runner->config.cache, s->value.text, digest);
    if (r < 0)
        return hr_fail(runner->env, r, "node \"%s\": cannot read what property \"%s\" names",
                       task->name, s->info->key);
    hr_json_put_text(w, digest);
    return HR_OK;
}

static hr_status put_settings(struct hr_runner *runner, struct hr_task *task,
                              struct hr_json_writer *w)
{
    struct hr_buf text;
    hr_status r = HR_OK;
    size_t i;

    hr_json_put_key(w, "properties");
    hr_json_open_object(w);
    hr_buf_of(&text, HR_MAX_JSON_BYTES, runner->env);
    for (i = 0; i < task->node->setting_count && r == HR_OK; i++) {
        const struct hr_setting *s =
            task->key_settings ? &task->key_settings[i] : &task->settings[i];

        if (ignored(task->node, s->info->key))
            continue;
        hr_json_put_key(w, s->info->key);
        if (s->info->type == HR_PATH_READ) {
            r = put_path(runner, task, s, w);
            continue;
        }
        hr_buf_cut(&text, 0);
        r = hr_term_json(&s->value, &text);
        hr_json_put_raw(w, text.text, text.len);
    }
    hr_buf_clear(&text);
    hr_json_close_object(w);
    return r;
}

/* What the file sets on outputs; where that is nothing, nothing is said. */
static hr_status put_extras(const struct hr_task *task, struct hr_json_writer *w)
{
    const struct hr_setting *extras = task->key_extras ? task->key_extras : task->extras;
    const struct hr_node *node = task->node;
    struct hr_buf text;
    hr_status r = HR_OK;
    size_t i, at = SIZE_MAX;

    if (!node->extra_count)
        return HR_OK;
    hr_json_put_key(w, "outputs");
    hr_json_open_object(w);
    hr_buf_of(&text, HR_MAX_JSON_BYTES, task->arena.env);
    for (i = 0; i < node->extra_count && r == HR_OK; i++) {
        if (node->extras[i].output != at) {
            if (at != SIZE_MAX)
                hr_json_close_object(w);
            at = node->extras[i].output;
            hr_json_put_key(w, node->outputs[at].key);
            hr_json_open_object(w);
        }
        hr_json_put_key(w, extras[i].info->key);
        hr_buf_cut(&text, 0);
        r = hr_term_json(&extras[i].value, &text);
        hr_json_put_raw(w, text.text, text.len);
    }
    hr_buf_clear(&text);
    hr_json_close_object(w);
    hr_json_close_object(w);
    return r;
}

static void put_set(const struct hr_task *task, struct hr_json_writer *w)
{
    size_t i, k, a;

    hr_json_put_key(w, "set");
    hr_json_open_object(w);
    for (i = 0; i < task->set_count; i++) {
        if (!strcmp(task->set[i].name, HR_REASON) || !strcmp(task->set[i].name, HR_SUMMARY))
            continue;
        hr_json_put_key(w, task->set[i].name);
        put_value(w, &task->set[i].value);
    }
    for (i = 0; i < task->output_count; i++)
        for (a = 0; a < task->outputs[i].count; a++)
            for (k = 0; k < task->outputs[i].artifacts[a].set_count; k++) {
                const struct hr_task_value *v = &task->outputs[i].artifacts[a].set[k];

                hr_json_put_key(w, task->outputs[i].key);
                hr_json_open_array(w);
                hr_json_put_text(w, v->name);
                put_value(w, &v->value);
                hr_json_close_array(w);
            }
    hr_json_close_object(w);
}

static hr_status put_key(struct hr_runner *runner, struct hr_task *task, struct hr_json_writer *w)
{
    const struct hr_component_info *c = task->node->component;
    hr_status r;
    size_t i;

    hr_json_open_object(w);
    hr_json_put_member_text(w, "component", c->id);
    r = put_inputs(runner, task, w);
    hr_json_put_key(w, "models");
    hr_json_open_array(w);
    for (i = 0; i < task->model_count; i++)
        hr_json_put_text(w, task->models[i]->plugin->digest);
    hr_json_close_array(w);
    if (r == HR_OK)
        r = put_extras(task, w);
    hr_json_put_member_text(w, "plugin", c->plugin->digest);
    if (r == HR_OK)
        r = put_settings(runner, task, w);
    put_set(task, w);
    hr_json_put_member_text(w, "version", c->version);
    hr_json_close_object(w);
    return r < 0 ? r : hr_json_end(w);
}

hr_status hr_task_key_text(struct hr_runner *runner, struct hr_task *task, struct hr_buf *to)
{
    struct hr_json_writer w;

    hr_json_begin(&w, to, 0);
    return put_key(runner, task, &w);
}

/* Is the text there, and whole?  A power cut may have left half of it. */
static bool is_kept(struct hr_env *env, const struct hr_buf *text, const char *path)
{
    size_t kept = env->errors.count;
    struct hr_buf there;
    bool same;

    hr_buf_of(&there, HR_MAX_JSON_BYTES, env);
    same = hr_file_exists(env, path) && hr_file_read(env, path, text->len, &there) == HR_OK &&
           there.len == text->len && !memcmp(there.text, text->text, text->len);
    hr_buf_clear(&there);
    hr_errors_cut(env, kept);
    return same;
}

/* Not synced: it lasts once there is a result that it explains. */
static hr_status keep_text(struct hr_runner *runner, const struct hr_buf *text, const char *path)
{
    struct hr_out *out;
    hr_status r = hr_out_open(runner->env, path, &out);

    if (r < 0)
        return r;
    r = hr_out_add(out, text->text, text->len);
    if (r == HR_OK)
        return hr_out_close(out, false);
    hr_out_drop(out);
    return r;
}

void hr_task_key_of(const struct hr_buf *text, char ret[HR_SHA256_HEX])
{
    uint8_t digest[HR_SHA256_SIZE];

    hr_sha256(text->text, text->len, digest);
    hr_sha256_hex(digest, ret);
}

hr_status hr_task_key(struct hr_runner *runner, struct hr_task *task)
{
    char path[HR_MAX_PATH];
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, runner->env);
    r = hr_task_key_text(runner, task, &text);
    if (r == HR_OK) {
        hr_task_key_of(&text, task->key);
        r = hr_key_path(runner->env, runner->config.paths, task->key, path);
    }
    if (r == HR_OK && !is_kept(runner->env, &text, path))
        r = keep_text(runner, &text, path);
    hr_buf_clear(&text);
    return r;
}
