/* What a hook has sent back. */
#include <math.h>
#include <string.h>

#include "run/task.h"
#include "run/types.h"

const struct hr_task_value *hr_task_value(const struct hr_task *task, const char *name)
{
    size_t i;

    for (i = 0; i < task->set_count; i++)
        if (!strcmp(task->set[i].name, name))
            return &task->set[i];
    return NULL;
}

const char *hr_task_text(const struct hr_task *task, const char *name)
{
    const struct hr_task_value *v = hr_task_value(task, name);

    return v && v->value.kind == HR_VALUE_STRING ? v->value.text : NULL;
}

static hr_status read_value(struct hr_task *task, const struct hr_json_doc *doc,
                            const struct hr_json *m, struct hr_task_value *ret)
{
    const char *name = hr_json_text(hr_json_get(m, "name"));
    const struct hr_json *v;

    if (name && !strncmp(name, "__", 2))
        return hr_fail(task->arena.env, HR_INTERNAL,
                       "the result of the hook sets \"%s\"; names that begin with __ are the "
                       "host's",
                       name);
    if (!name)
        return hr_fail(task->arena.env, HR_INTERNAL,
                       "the result of the hook sets a property without a name");
    if (!(ret->name = hr_arena_text(&task->arena, name)))
        return HR_EXHAUSTED;
    ret->value = (struct hr_meta_value){ .kind = HR_VALUE_INT };
    ret->custom = false;
    if (hr_json_int(doc, hr_json_get(m, "int"), &ret->value.i))
        return HR_OK;
    if ((v = hr_json_get(m, "float"))) {
        ret->value.kind = HR_VALUE_DOUBLE;
        if (!hr_json_double(doc, v, &ret->value.d) && hr_json_text(v))
            hr_num_python(hr_json_text(v), strlen(hr_json_text(v)), &ret->value.d);
        return HR_OK;
    }
    v = hr_json_get(m, "text");
    ret->value.kind = HR_VALUE_STRING;
    ret->value.text = hr_arena_text(&task->arena, v && hr_json_text(v) ? hr_json_text(v) : "");
    return ret->value.text ? HR_OK : HR_EXHAUSTED;
}

/* Values of a list over those that are there already. */
static hr_status merge(struct hr_task *task, const struct hr_json_doc *doc,
                       const struct hr_json *list, struct hr_task_value **set, size_t *count)
{
    size_t n = list ? hr_json_count(list) : 0, i;
    struct hr_task_value *all = hr_arena_array(&task->arena, *count + n + 1, sizeof *all), one;
    const struct hr_json *m;
    hr_status r = all ? HR_OK : HR_EXHAUSTED;

    if (r < 0 || !n)
        return r;
    if (*count)
        memcpy(all, *set, *count * sizeof *all);
    for (m = hr_json_first(list); m && r == HR_OK; m = hr_json_next(m)) {
        if ((r = read_value(task, doc, m, &one)) < 0)
            break;
        for (i = 0; i < *count && strcmp(all[i].name, one.name) != 0; i++)
            ;
        all[i] = one;
        *count += i == *count;
    }
    *set = all;
    return r;
}

static hr_status read_artifacts(struct hr_task *task, const struct hr_json_doc *doc,
                                const struct hr_json *list, struct hr_task_channel *c)
{
    size_t n = list ? hr_json_count(list) : 0, i = 0;
    struct hr_task_artifact *items;
    const struct hr_json *m;
    hr_status r = HR_OK;

    if (!n)
        return HR_OK;
    if (!(items = hr_arena_array(&task->arena, n, sizeof *items)))
        return HR_EXHAUSTED;
    for (m = hr_json_first(list); m && r == HR_OK; m = hr_json_next(m), i++) {
        if (i < c->count)
            items[i] = c->artifacts[i];
        items[i].set = NULL; /* the list is whole */
        items[i].set_count = 0;
        r = merge(task, doc, hr_json_get(m, "set"), &items[i].set, &items[i].set_count);
    }
    c->artifacts = items;
    c->count = n;
    return r;
}

static hr_status read_outputs(struct hr_task *task, const struct hr_json_doc *doc,
                              const struct hr_json *list)
{
    const struct hr_json *m;
    hr_status r = HR_OK;
    size_t i;

    for (m = list ? hr_json_first(list) : NULL; m && r == HR_OK; m = hr_json_next(m)) {
        const char *key = hr_json_text(hr_json_get(m, "key"));

        for (i = 0; i < task->output_count && r == HR_OK; i++)
            if (hr_text_eq(key, task->outputs[i].key))
                r = read_artifacts(task, doc, hr_json_get(m, "artifacts"), &task->outputs[i]);
    }
    return r;
}

/* Errors come outermost first, and are told inner first. */
static hr_status tell_errors(struct hr_runner *runner, const struct hr_task *task,
                             hr_status status, const struct hr_json *list)
{
    size_t n = list ? hr_json_count(list) : 0, i, k, told = 0;
    const struct hr_json *m;

    for (i = n; i; i--) {
        m = hr_json_first(list);
        for (k = 1; k < i && m; k++)
            m = hr_json_next(m);
        if (!m || !hr_json_text(m))
            continue;
        hr_fail(runner->env, status, "%s", hr_json_text(m));
        told++;
    }
    return told ? status
                : hr_fail(runner->env, status, "node \"%s\" failed with %s and gave no reason",
                          task->node->name, hr_status_id(status));
}

/* What ends a hook comes from a process that the host does not trust. */
static hr_status read_ending(struct hr_runner *runner, const struct hr_task *task,
                             const struct hr_json_doc *doc, hr_status *ret_status,
                             int32_t *ret_verdict)
{
    const struct hr_json *root = hr_json_root(doc);
    int64_t status = INT64_MIN, verdict = HR_EXECUTE;

    hr_json_int(doc, hr_json_get(root, "status"), &status);
    hr_json_int(doc, hr_json_get(root, "verdict"), &verdict);
    *ret_status = (hr_status)status;
    *ret_verdict = (int32_t)verdict;
    if (*ret_status != status || !hr_status_known(*ret_status))
        return hr_fail(runner->env, HR_INTERNAL,
                       "the result of node \"%s\" has no status that there is",
                       task->node->name);
    if (verdict != HR_EXECUTE && verdict != HR_REUSE && verdict != HR_SKIP)
        return hr_fail(runner->env, HR_INTERNAL,
                       "the driver of node \"%s\" gave the verdict %lld, which is none (a bug of "
                       "the plugin)",
                       task->node->name, (long long)verdict);
    return HR_OK;
}

hr_status hr_task_result(struct hr_runner *runner, struct hr_task *task, const char *text,
                         int32_t *ret_verdict)
{
    struct hr_json_doc *doc;
    const struct hr_json *root;
    hr_status status, r = hr_json_parse(runner->env, "result", text, strlen(text), 0, &doc);

    if (r < 0)
        return hr_fail(runner->env, HR_INTERNAL, "the result of node \"%s\" cannot be read",
                       task->node->name);
    root = hr_json_root(doc);
    r = read_ending(runner, task, doc, &status, ret_verdict);
    if (r == HR_OK)
        r = merge(task, doc, hr_json_get(root, "set"), &task->set, &task->set_count);
    if (r == HR_OK)
        r = read_outputs(task, doc, hr_json_get(root, "outputs"));
    if (r == HR_OK && status < 0)
        r = tell_errors(runner, task, status, hr_json_get(root, "errors"));
    hr_json_free(doc);
    return r;
}

/* -- what the file sets ---------------------------------------------------- */

/* json: any value, as JSON. */
static hr_status value_of_term(struct hr_task *task, const struct hr_term *term, bool json,
                               struct hr_meta_value *ret)
{
    struct hr_buf text;
    hr_status r;

    *ret = (struct hr_meta_value){ .kind = json ? HR_VALUE_STRUCT : HR_VALUE_STRING };
    switch (json ? HR_TERM_JSON : term->kind) {
    case HR_TERM_INT:
        *ret = (struct hr_meta_value){ .kind = HR_VALUE_INT, .i = term->i };
        return HR_OK;
    case HR_TERM_BOOL:
        *ret = (struct hr_meta_value){ .kind = HR_VALUE_BOOL, .i = term->i };
        return HR_OK;
    case HR_TERM_FLOAT:
        *ret = (struct hr_meta_value){ .kind = HR_VALUE_DOUBLE, .d = term->d };
        return HR_OK;
    case HR_TERM_TEXT:
        ret->text = term->text;
        return HR_OK;
    default:
        hr_buf_of(&text, HR_MAX_JSON_BYTES, task->arena.env);
        r = hr_term_json(term, &text);
        if (r == HR_OK && !(ret->text = hr_arena_text(&task->arena, text.text)))
            r = HR_EXHAUSTED;
        hr_buf_clear(&text);
        return r;
    }
}

/* One property of one artifact, unless a hook has set it. */
static hr_status set_extra(struct hr_task *task, const struct hr_task_channel *c,
                           struct hr_task_artifact *a, const struct hr_setting *extra, bool custom)
{
    int kind = custom ? 0 : hr_declared_kind(c->type, c->port, extra->info->key);
    struct hr_task_value *all;
    hr_status r;
    size_t i;

    for (i = 0; i < a->set_count; i++)
        if (!strcmp(a->set[i].name, extra->info->key) && a->set[i].custom == custom)
            return HR_OK;
    if (!(all = hr_arena_array(&task->arena, a->set_count + 1, sizeof *all)))
        return HR_EXHAUSTED;
    if (a->set_count)
        memcpy(all, a->set, a->set_count * sizeof *all);
    all[a->set_count].name = extra->info->key;
    all[a->set_count].custom = custom;
    if ((r = value_of_term(task, &extra->value, kind == HR_VALUE_STRUCT,
                           &all[a->set_count].value)) < 0)
        return r;
    if (extra->value.kind == HR_TERM_FLOAT && isnan(extra->value.d))
        return hr_fail(task->arena.env, HR_INVALID,
                       "node \"%s\": property \"%s\" of output \"%s\" is not a number (NaN)",
                       task->name, extra->info->key, c->key);
    if (kind && kind != (int)all[a->set_count].value.kind)
        return hr_fail(task->arena.env, HR_INVALID,
                       "node \"%s\": property \"%s\" of output \"%s\" is declared by %s, and is "
                       "%s here",
                       task->name, extra->info->key, c->key, c->type,
                       hr_term_kind_text(extra->value.kind));
    a->set = all;
    a->set_count++;
    return HR_OK;
}

hr_status hr_task_extras(struct hr_task *task)
{
    hr_status r = HR_OK;
    size_t i, k;

    for (i = 0; i < task->node->extra_count && r == HR_OK; i++) {
        struct hr_task_channel *c = &task->outputs[task->node->extras[i].output];

        if (task->extras[i].value.kind == HR_TERM_NULL)
            continue;
        for (k = 0; k < c->count && r == HR_OK; k++)
            r = set_extra(task, c, &c->artifacts[k], &task->extras[i],
                          task->node->extras[i].custom);
    }
    return r;
}
