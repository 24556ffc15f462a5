/* The job of a hook, as plugin/worker/job.h has it. */
#include <string.h>

#include "run/stage.h"
#include "run/task.h"

static void put_value(struct hr_json_writer *w, const char *name, const struct hr_meta_value *v)
{
    hr_json_open_object(w);
    hr_json_put_member_text(w, "name", name);
    if (v->kind == HR_VALUE_INT || v->kind == HR_VALUE_BOOL)
        hr_json_put_member_int(w, "int", v->i);
    else if (v->kind == HR_VALUE_DOUBLE)
        hr_json_put_member_double(w, "float", v->d);
    else
        hr_json_put_member_text(w, "text", v->text ? v->text : "");
    hr_json_close_object(w);
}

static void put_set(struct hr_json_writer *w, const struct hr_task_value *set, size_t n)
{
    size_t i;

    hr_json_put_key(w, "set");
    hr_json_open_array(w);
    for (i = 0; i < n; i++)
        put_value(w, set[i].name, &set[i].value);
    hr_json_close_array(w);
}

static void put_input(struct hr_json_writer *w, const struct hr_task_channel *c)
{
    size_t i, k;

    hr_json_open_object(w);
    hr_json_put_member_text(w, "key", c->key);
    hr_json_put_key(w, "artifacts");
    hr_json_open_array(w);
    for (i = 0; i < c->count; i++) {
        const struct hr_task_artifact *a = &c->artifacts[i];

        hr_json_open_object(w);
        hr_json_put_member_text(w, "uri", a->uri);
        hr_json_put_member_text(w, "type", a->type);
        hr_json_put_member_int(w, "id", a->id);
        hr_json_put_key(w, "set");
        hr_json_open_array(w);
        for (k = 0; k < a->node.count; k++)
            put_value(w, a->node.properties[k].name, &a->node.properties[k].value);
        hr_json_close_array(w);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
    hr_json_close_object(w);
}

static void put_declared(struct hr_json_writer *w, const struct hr_port_info *port)
{
    size_t i;

    hr_json_put_key(w, "properties");
    hr_json_open_array(w);
    for (i = 0; i < port->property_count; i++) {
        hr_json_open_object(w);
        hr_json_put_member_text(w, "key", port->properties[i].key);
        hr_json_put_member_int(w, "type", port->properties[i].type);
        if (port->properties[i].constraint)
            hr_json_put_member_text(w, "constraint", port->properties[i].constraint);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
}

/* Outputs have no directory when a driver decides, are staged for the executor, and are in
 * their place for the publisher. */
static void put_output(struct hr_json_writer *w, const struct hr_task_channel *c, const char *base)
{
    size_t i, n = c->count || c->port->flags & HR_PORT_MANY ? c->count : 1;

    hr_json_open_object(w);
    hr_json_put_member_text(w, "key", c->key);
    hr_json_put_member_int(w, "flags", c->port->flags);
    if (base)
        hr_json_put_member_text(w, "base", base);
    put_declared(w, c->port);
    hr_json_put_key(w, "artifacts");
    hr_json_open_array(w);
    for (i = 0; i < n; i++) {
        const struct hr_task_artifact *a = i < c->count ? &c->artifacts[i] : NULL;
        const char *uri = a && a->uri ? a->uri : a ? a->staged : NULL;

        hr_json_open_object(w);
        if (uri)
            hr_json_put_member_text(w, "uri", uri);
        hr_json_put_member_text(w, "type", c->type);
        put_set(w, a ? a->set : NULL, a ? a->set_count : 0);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
    hr_json_close_object(w);
}

/* The text of JSON without its quotes: a path may hold anything. */
static hr_status add_quoted(struct hr_runner *runner, const char *text, struct hr_buf *to)
{
    struct hr_json_writer w;
    struct hr_buf quoted;
    hr_status r;

    hr_buf_of(&quoted, HR_MAX_JSON_BYTES, runner->env);
    hr_json_begin(&w, &quoted, 0);
    hr_json_put_text(&w, text);
    r = hr_json_end(&w);
    if (r == HR_OK)
        r = hr_buf_add(to, quoted.text + 1, quoted.len - 2);
    hr_buf_clear(&quoted);
    return r;
}

static const struct hr_task_channel *output_named(const struct hr_task *task, const char *key,
                                                  size_t n)
{
    size_t i;

    for (i = 0; i < task->output_count; i++)
        if (strlen(task->outputs[i].key) == n && !memcmp(task->outputs[i].key, key, n))
            return &task->outputs[i];
    return NULL;
}

/* JSON with the place of an output for each "${output.KEY.uri}" in it: when the properties were
 * computed there was none. */
static hr_status put_places(struct hr_runner *runner, const struct hr_task *task, const char *json,
                            struct hr_buf *to)
{
    const char *at, *end, *key;
    hr_status r = HR_OK;

    hr_buf_cut(to, 0);
    while (r == HR_OK && (at = strstr(json, HR_OUTPUT_PLACE)) && (end = strstr(at, ".uri}"))) {
        const struct hr_task_channel *c;
        const char *place = NULL;

        key = at + strlen(HR_OUTPUT_PLACE);
        c = output_named(task, key, (size_t)(end - key));
        if (c && c->artifacts)
            place = c->artifacts[0].uri ? c->artifacts[0].uri : c->artifacts[0].staged;
        r = hr_buf_add(to, json, (size_t)(at - json));
        if (r == HR_OK && place)
            r = add_quoted(runner, place, to);
        else if (r == HR_OK) /* a driver comes before the outputs */
            r = hr_buf_add(to, at, (size_t)(end - at) + strlen(".uri}"));
        json = end + strlen(".uri}");
    }
    return r < 0 ? r : hr_buf_text(to, json);
}

static void put_settings(struct hr_runner *runner, const struct hr_task *task,
                         struct hr_json_writer *w)
{
    struct hr_buf text, placed;
    size_t i;

    hr_json_put_key(w, "properties");
    hr_json_open_array(w);
    hr_buf_of(&text, HR_MAX_JSON_BYTES, runner->env);
    hr_buf_of(&placed, HR_MAX_JSON_BYTES, runner->env);
    for (i = 0; i < task->node->setting_count; i++) {
        const struct hr_setting *s = &task->settings[i];
        const struct hr_task_value *set = hr_task_value(task, s->info->key);

        hr_json_open_object(w);
        hr_json_put_member_text(w, "key", s->info->key);
        hr_json_put_member_int(w, "type", s->info->type);
        if (s->info->constraint)
            hr_json_put_member_text(w, "constraint", s->info->constraint);
        hr_buf_cut(&text, 0);
        hr_term_json(&s->value, &text);
        if (w->status == HR_OK)
            w->status = put_places(runner, task, text.text, &placed);
        hr_json_put_key(w, "value");
        if (set && set->value.kind == HR_VALUE_INT)
            hr_json_put_int(w, set->value.i);
        else if (set && set->value.kind == HR_VALUE_DOUBLE)
            hr_json_put_double(w, set->value.d);
        else if (set)
            hr_json_put_text(w, set->value.text);
        else if (s->info->type == HR_JSON) /* JSON crosses as text; null as "" */
            hr_json_put_text(w, s->value.kind == HR_TERM_NULL ? "" : placed.text);
        else
            hr_json_put_raw(w, placed.text, placed.len);
        hr_json_close_object(w);
    }
    hr_buf_clear(&text);
    hr_buf_clear(&placed);
    hr_json_close_array(w);
}

static void put_paths(const struct hr_task *task, hr_type type, struct hr_json_writer *w)
{
    size_t i;

    hr_json_open_array(w);
    for (i = 0; i < task->node->setting_count; i++)
        if (task->settings[i].info->type == type && task->settings[i].value.text &&
            task->settings[i].value.text[0])
            hr_json_put_text(w, task->settings[i].value.text);
    hr_json_close_array(w);
}

static void put_walls(struct hr_runner *runner, const struct hr_task *task,
                      struct hr_json_writer *w)
{
    const struct hr_component_info *c = task->node->component;

    hr_json_put_key(w, "walls");
    hr_json_open_object(w);
    hr_json_put_member_bool(w, "required", runner->config.isolation == HR_ISOLATE_REQUIRED);
    hr_json_put_member_bool(w, "network", c->flags & HR_COMPONENT_NETWORK);
    hr_json_put_member_bool(w, "process", c->flags & HR_COMPONENT_PROCESS);
    hr_json_put_member_int(w, "memory", task->node->memory);
    hr_json_put_key(w, "read");
    put_paths(task, HR_PATH_READ, w);
    hr_json_put_key(w, "write");
    put_paths(task, HR_PATH_WRITE, w);
    hr_json_close_object(w);
}

static hr_status put_dirs(struct hr_runner *runner, const struct hr_task *task,
                          struct hr_json_writer *w)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_task_dir(runner, task, HR_DIR_TMP, path);

    if (r < 0)
        return r;
    hr_json_put_member_text(w, "tmp", path);
    r = hr_task_dir(runner, task, HR_DIR_STATE, path);
    hr_json_put_member_text(w, "state", path);
    return r;
}

static void put_models(const struct hr_task *task, struct hr_json_writer *w)
{
    size_t i, f;

    hr_json_put_key(w, "models");
    hr_json_open_array(w);
    for (i = 0; i < task->model_count; i++)
        for (f = 0; task->models[i]->formats[f]; f++) {
            hr_json_open_object(w);
            hr_json_put_member_text(w, "format", task->models[i]->formats[f]);
            hr_json_put_member_text(w, "component", task->models[i]->id);
            hr_json_put_member_int(w, "plugin", (int64_t)i + 1);
            hr_json_close_object(w);
        }
    hr_json_close_array(w);
}

hr_status hr_task_job(struct hr_runner *runner, struct hr_task *task, const char *hook,
                      hr_status executed, struct hr_buf *to)
{
    bool run = !strcmp(hook, "run");
    char base[HR_MAX_PATH];
    struct hr_json_writer w;
    hr_status r;
    size_t i;

    hr_json_begin(&w, to, 0);
    hr_json_open_object(&w);
    hr_json_put_member_text(&w, "hook", hook);
    hr_json_put_member_text(&w, "component", task->node->component->id);
    hr_json_put_member_int(&w, "executed", executed);
    hr_json_put_member_bool(&w, "check", runner->config.check);
    r = put_dirs(runner, task, &w);
    hr_json_put_key(&w, "inputs");
    hr_json_open_array(&w);
    for (i = 0; i < task->input_count; i++)
        if (task->inputs[i].port)
            put_input(&w, &task->inputs[i]);
    hr_json_close_array(&w);
    hr_json_put_key(&w, "outputs");
    hr_json_open_array(&w);
    for (i = 0; i < task->output_count && r == HR_OK; i++) {
        r = hr_task_dir(runner, task, task->outputs[i].key, base);
        put_output(&w, &task->outputs[i], run ? base : NULL);
    }
    hr_json_close_array(&w);
    put_settings(runner, task, &w);
    put_set(&w, task->set, task->set_count);
    put_models(task, &w);
    put_walls(runner, task, &w);
    hr_json_close_object(&w);
    return r < 0 ? r : hr_json_end(&w);
}
