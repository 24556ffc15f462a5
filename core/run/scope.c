/* What expressions mean when a node begins: its artifacts, its element, the run so far.
 *
 *     artifact  .uri .id .type .name .property.NAME .value .split("train") .file("a.json")
 *     file      .uri .text .json.PATH
 *     JSON      .NAME
 *
 * For the cache key the same expressions are computed once more with digests for uris and 0
 * for ids, so that a result is found again wherever its inputs lie.
 */
#include <math.h>
#include <string.h>

#include "run/task.h"

enum { MAX_VALUE = 1 << 20 };

#define PROPERTY "property."

struct task_scope {
    struct hr_runner *runner;
    struct hr_task *task;
    bool for_key;
    size_t space; /* the group whose names "nodes" uses */
    const struct hr_task_artifact *subject; /* of a filter */
    struct hr_scope scope;
    struct hr_param_values values;
};

static hr_status text_term(const char *text, struct hr_term *ret)
{
    *ret = (struct hr_term){ .kind = HR_TERM_TEXT, .text = text };
    return text ? HR_OK : HR_EXHAUSTED;
}

static struct hr_term artifact_term(const struct task_scope *s, const struct hr_task_artifact *a)
{
    return (struct hr_term){ .kind = HR_TERM_ARTIFACT,
                             .text = s->for_key ? a->digest : a->uri,
                             .i = s->for_key ? 0 : a->id,
                             .artifact = a };
}

static hr_status channel_term(const struct task_scope *s, const struct hr_task_channel *c,
                              struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_term *items = hr_arena_array(arena, c->count + 1, sizeof *items);
    size_t i;

    if (!items)
        return HR_EXHAUSTED;
    for (i = 0; i < c->count; i++)
        items[i] = artifact_term(s, &c->artifacts[i]);
    *ret = (struct hr_term){ .kind = HR_TERM_LIST, .items = items, .count = c->count };
    return HR_OK;
}

/* An element: what is an artifact in it, or in a list that it is, as artifact_term has it. */
static hr_status item_term(const struct task_scope *s, const struct hr_term *item,
                           struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_term *items;
    hr_status r = HR_OK;
    size_t i;

    *ret = item->artifact ? artifact_term(s, item->artifact) : *item;
    if (item->kind != HR_TERM_LIST)
        return HR_OK;
    if (!(items = hr_arena_array(arena, item->count + 1, sizeof *items)))
        return HR_EXHAUSTED;
    for (i = 0; i < item->count && r == HR_OK; i++)
        r = item_term(s, &item->items[i], arena, &items[i]);
    ret->items = items;
    return r;
}

/* -- members --------------------------------------------------------------- */

static hr_status property(const struct hr_task_artifact *a, const char *name, struct hr_term *ret)
{
    const struct hr_meta_value *v = hr_meta_value(&a->node, name);

    if (!v)
        return HR_NOT_FOUND;
    switch (v->kind) {
    case HR_VALUE_INT:
        *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = v->i };
        return HR_OK;
    case HR_VALUE_BOOL:
        *ret = (struct hr_term){ .kind = HR_TERM_BOOL, .i = v->i != 0 };
        return HR_OK;
    case HR_VALUE_DOUBLE:
        *ret = (struct hr_term){ .kind = HR_TERM_FLOAT, .d = v->d };
        return HR_OK;
    case HR_VALUE_STRUCT:
        *ret = (struct hr_term){ .kind = HR_TERM_JSON, .text = v->text };
        return HR_OK;
    default:
        return text_term(v->text ? v->text : "", ret);
    }
}

static hr_status parse(struct hr_runner *runner, const char *name, const char *text, size_t n,
                       struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(runner->env, name, text, n, 0, &doc);

    if (r == HR_OK) {
        r = hr_term_of_json(doc, hr_json_root(doc), arena, ret);
        hr_json_free(doc);
    }
    return r;
}

/* A value artifact holds its value in the file "value": an int, a float, JSON or text, by type. */
static hr_status value_of(struct hr_runner *runner, const struct hr_task_artifact *a,
                          struct hr_arena *arena, struct hr_term *ret)
{
    char path[HR_MAX_PATH];
    struct hr_buf text;
    hr_status r = hr_path_join(runner->env, a->uri, "value", path);

    hr_buf_of(&text, MAX_VALUE, runner->env);
    if (r == HR_OK)
        r = hr_file_read(runner->env, hr_file_exists(runner->env, path) ? path : a->uri, MAX_VALUE,
                         &text);
    if (r == HR_OK && hr_text_eq(a->type, "Integer") && hr_num_int(text.text, text.len, &ret->i))
        ret->kind = HR_TERM_INT;
    else if (r == HR_OK && hr_text_eq(a->type, "Float") &&
             hr_num_double(text.text, text.len, &ret->d))
        ret->kind = HR_TERM_FLOAT;
    else if (r == HR_OK && hr_text_eq(a->type, "Boolean"))
        *ret = (struct hr_term){ .kind = HR_TERM_BOOL,
                                 .i = hr_text_eq(text.text, "1") || hr_text_eq(text.text, "true") };
    else if (r == HR_OK && hr_text_eq(a->type, "JsonValue"))
        r = parse(runner, path, text.text, text.len, arena, ret);
    else if (r == HR_OK)
        r = text_term(hr_arena_text(arena, text.text), ret);
    hr_buf_clear(&text);
    return r;
}

/* A place below an artifact; names do not climb. */
static hr_status below(struct hr_runner *runner, const struct hr_term *of, const char *name,
                       const char *prefix, struct hr_arena *arena, struct hr_term *ret)
{
    if (!*name || *name == '/' || strstr(name, ".."))
        return hr_fail(runner->env, HR_INVALID, "\"%s\" is no name of a part of an artifact", name);
    *ret = (struct hr_term){ .kind = HR_TERM_ARTIFACT,
                             .text = hr_arena_format(arena, "%s/%s%s", of->text, prefix, name) };
    return ret->text ? HR_OK : HR_EXHAUSTED;
}

static hr_status read_file(struct hr_runner *runner, const char *path, bool json,
                           struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, runner->env);
    r = hr_file_read(runner->env, path, HR_MAX_JSON_BYTES, &text);
    if (r == HR_OK && json)
        r = parse(runner, path, text.text, text.len, arena, ret);
    else if (r == HR_OK)
        r = text_term(hr_arena_text(arena, text.text), ret);
    hr_buf_clear(&text);
    return r;
}

static hr_status json_member(struct hr_runner *runner, const struct hr_term *of, const char *name,
                             struct hr_arena *arena, struct hr_term *ret)
{
    const struct hr_json *v;
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(runner->env, "JSON", of->text, strlen(of->text), 0, &doc);

    if (r < 0)
        return r;
    v = hr_json_kind(hr_json_root(doc)) == HR_JSON_OBJECT ? hr_json_get(hr_json_root(doc), name)
                                                          : NULL;
    r = v ? hr_term_of_json(doc, v, arena, ret) : HR_NOT_FOUND;
    hr_json_free(doc);
    return r;
}

/* Of a file, the real path is needed, also for a key: what it holds is what counts. */
static const char *real_path(const struct task_scope *s, const struct hr_term *file,
                             struct hr_arena *arena)
{
    size_t i, k, n;

    for (i = 0; s->for_key && i < s->task->input_count; i++)
        for (k = 0; k < s->task->inputs[i].count; k++) {
            const struct hr_task_artifact *a = &s->task->inputs[i].artifacts[k];

            n = strlen(a->digest);
            if (n && !strncmp(file->text, a->digest, n))
                return hr_arena_format(arena, "%s%s", a->uri, file->text + n);
        }
    return file->text;
}

/* What is known of an artifact that is there. */
static hr_status artifact_member(const struct task_scope *s, const struct hr_term *of,
                                 const char *name, struct hr_arena *arena, struct hr_term *ret)
{
    const struct hr_task_artifact *a = of->artifact;

    if (!strcmp(name, "type"))
        return text_term(a->type, ret);
    if (!strcmp(name, "name"))
        return text_term(a->node.name ? a->node.name : "", ret);
    if (!strcmp(name, "value"))
        return value_of(s->runner, a, arena, ret);
    if (strcmp(name, "id") != 0)
        return HR_NOT_FOUND;
    *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = of->i };
    return HR_OK;
}

/* The folder of a split, or a file. */
static hr_status path_member(const struct task_scope *s, const struct hr_term *of, const char *name,
                             const struct hr_term *place, struct hr_arena *arena,
                             struct hr_term *ret)
{
    if (place->kind != HR_TERM_TEXT ||
        (!of->artifact && !hr_text_starts(of->text, HR_OUTPUT_PLACE)))
        return HR_NOT_FOUND;
    if (!strcmp(name, "split"))
        return below(s->runner, of, place->text, "Split-", arena, ret);
    if (!strcmp(name, "file"))
        return below(s->runner, of, place->text, "", arena, ret);
    return HR_NOT_FOUND;
}

static hr_status property_member(const struct task_scope *s, const struct hr_term *of,
                                 const char *name, struct hr_term *ret)
{
    const struct hr_task_artifact *a = of->artifact;
    hr_status r = property(a, name, ret);

    if (r == HR_NOT_FOUND)
        return hr_fail(s->runner->env, HR_PRECONDITION,
                       "node \"%s\": artifact %lld (%s) has no property \"%s\"", s->task->name,
                       (long long)a->id, a->type, name);
    return r;
}

/* JSON may have a member "property", too. */
static hr_status json_members(const struct task_scope *s, const struct hr_term *of,
                              const char *name, struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_term between;
    hr_status r;

    if (!hr_text_starts(name, PROPERTY))
        return json_member(s->runner, of, name, arena, ret);
    r = json_member(s->runner, of, "property", arena, &between);
    if (r == HR_OK && between.kind != HR_TERM_JSON)
        return HR_NOT_FOUND;
    return r < 0 ? r : json_member(s->runner, &between, name + strlen(PROPERTY), arena, ret);
}

static hr_status member(void *user, const struct hr_term *of, const char *name,
                        const struct hr_term *args, size_t n, struct hr_arena *arena,
                        struct hr_term *ret)
{
    const struct task_scope *s = user;
    const struct hr_task_artifact *a = of->artifact;

    if (of->kind == HR_TERM_JSON && !n)
        return json_members(s, of, name, arena, ret);
    if (of->kind != HR_TERM_ARTIFACT)
        return HR_NOT_FOUND;
    if (a && !n && hr_text_starts(name, PROPERTY))
        return property_member(s, of, name + strlen(PROPERTY), ret);
    if (n)
        return n == 1 ? path_member(s, of, name, &args[0], arena, ret) : HR_NOT_FOUND;
    if (!strcmp(name, "uri"))
        return text_term(of->text, ret);
    if (!a && (!strcmp(name, "text") || !strcmp(name, "json")))
        return read_file(s->runner, real_path(s, of, arena), *name == 'j', arena, ret);
    return a ? artifact_member(s, of, name, arena, ret) : HR_NOT_FOUND;
}

/* Follow ".property.blessed" and the like from a value. */
static hr_status follow(const struct task_scope *s, struct hr_term at, const char *rest,
                        struct hr_arena *arena, struct hr_term *ret)
{
    hr_status r = HR_OK;

    while (*rest && r == HR_OK) {
        size_t n = strcspn(rest, ".");
        const char *name = hr_arena_bytes(arena, rest, n);
        struct hr_term next = { 0 };

        if (!name)
            return HR_EXHAUSTED;
        if (at.kind == HR_TERM_LIST) {
            if (at.count != 1)
                return hr_fail(s->runner->env, HR_PRECONDITION,
                               "node \"%s\": \".%s\" wants one artifact, and there are %zu",
                               s->task->name, rest, at.count);
            at = at.items[0];
        }
        rest += n + (rest[n] == '.');
        if (!strcmp(name, "property") && at.artifact && *rest) {
            n = strcspn(rest, ".");
            if (!(name = hr_arena_bytes(arena, rest, n)))
                return HR_EXHAUSTED;
            r = property_member(s, &at, name, &next);
            rest += n + (rest[n] == '.');
        } else {
            r = member((void *)(uintptr_t)s, &at, name, NULL, 0, arena, &next);
        }
        at = next;
    }
    *ret = at;
    return r;
}

/* -- names ----------------------------------------------------------------- */

/* The channel whose key, or name in the namespace at hand, begins rest; the longest one. */
static const struct hr_task_channel *channel_of(const struct task_scope *s, bool read,
                                                const char *rest, const char **ret_rest)
{
    const struct hr_task_channel *found = NULL;
    const struct hr_task *task = s->task;
    size_t i, n, best = 0;

    for (i = 0; i < task->input_count; i++) {
        const struct hr_input *by = task->inputs[i].read;
        const char *key = by ? by->alias : task->inputs[i].key;

        if ((by != NULL) != read || (by && by->space != s->space))
            continue;
        n = strlen(key);
        if (n > best && !strncmp(rest, key, n) && (!rest[n] || rest[n] == '.')) {
            found = &task->inputs[i];
            best = n;
            *ret_rest = rest + n + (rest[n] == '.');
        }
    }
    return found;
}

/* An output has no place before the executor is to start: the word stays, and the job has the place
 * in its stead. */
static hr_status output_term(const struct task_scope *s, const char *rest, struct hr_arena *arena,
                             struct hr_term *ret)
{
    size_t n = strcspn(rest, ".");
    const char *key = hr_arena_bytes(arena, rest, n);
    struct hr_term term = { .kind = HR_TERM_ARTIFACT };

    if (key)
        term.text = hr_arena_format(arena, HR_OUTPUT_PLACE "%s.uri}", key);
    return term.text ? follow(s, term, rest + n + (rest[n] == '.'), arena, ret) : HR_EXHAUSTED;
}

static hr_status find(void *user, const char *root, const char *rest, struct hr_arena *arena,
                      struct hr_term *ret, const char **meant)
{
    const struct task_scope *s = user;
    const struct hr_task_channel *c;
    const struct hr_task *of;
    struct hr_term list;
    hr_status r;

    (void)meant;
    if (!strcmp(root, "run"))
        return text_term(hr_runner_outcome(s->runner), ret);
    if (!strcmp(root, "artifact"))
        return follow(s, artifact_term(s, s->subject), rest, arena, ret);
    if (!strcmp(root, "output"))
        return output_term(s, rest, arena, ret);
    of = hr_task_at(s->task, hr_node_loop(s->task->node, root));
    if (of) {
        r = item_term(s, &of->item, arena, &list);
        return r < 0 ? r : follow(s, list, rest, arena, ret);
    }
    c = channel_of(s, !strcmp(root, "nodes"), rest, &rest);
    if (!c) { /* an input that is not connected */
        *ret = (struct hr_term){ .kind = HR_TERM_NULL };
        return strchr(rest, '.') ? HR_NOT_FOUND : HR_OK;
    }
    r = channel_term(s, c, arena, &list);
    return r < 0 ? r : follow(s, list, rest, arena, ret);
}

static void begin(struct task_scope *s, struct hr_runner *runner, struct hr_task *task,
                  bool for_key)
{
    *s = (struct task_scope){ .runner = runner, .task = task, .for_key = for_key };
    s->scope = (struct hr_scope){ find, s, member };
    s->values = runner->values;
    s->values.more = &s->scope;
}

hr_status hr_task_term(struct hr_runner *runner, struct hr_task *task, const struct hr_node *whose,
                       const struct hr_setting_source *source, struct hr_term *ret)
{
    struct task_scope s;

    begin(&s, runner, task, false);
    s.space = whose->group;
    return hr_node_text(runner->config.pipeline, whose, source, &s.values, &task->arena, ret);
}

hr_status hr_task_filter(struct hr_runner *runner, struct hr_task *task,
                         const struct hr_setting_source *filter, const struct hr_task_artifact *a,
                         bool *ret)
{
    struct task_scope s;
    struct hr_term term;
    hr_status r;

    begin(&s, runner, task, false);
    s.subject = a;
    r = hr_node_text(runner->config.pipeline, task->node, filter, &s.values, &task->arena, &term);
    if (r == HR_OK && term.kind != HR_TERM_BOOL)
        return hr_fail_at(runner->env, HR_INVALID, &filter->place,
                          "node \"%s\": \"filter\" gives %s, and wants true or false", task->name,
                          hr_term_kind_text(term.kind));
    *ret = r == HR_OK && term.i;
    return r;
}

/* The store has no NaN: told before anything of the node is written. */
static hr_status check_numbers(struct hr_runner *runner, const struct hr_task *task)
{
    const struct hr_setting *s = task->settings;
    size_t i;

    for (i = 0; i < task->node->setting_count; i++)
        if (s[i].value.kind == HR_TERM_FLOAT && isnan(s[i].value.d))
            return hr_fail(runner->env, HR_INVALID,
                           "node \"%s\": the property \"%s\" is not a number (NaN)", task->name,
                           s[i].info->key);
    return HR_OK;
}

hr_status hr_task_settings(struct hr_runner *runner, struct hr_task *task)
{
    struct task_scope s;
    hr_status r;

    begin(&s, runner, task, false);
    r = hr_node_settings(runner->config.pipeline, task->node, &s.values, &task->arena,
                         &task->settings);
    if (r == HR_OK)
        r = check_numbers(runner, task);
    if (r == HR_OK)
        r = hr_node_extras(runner->config.pipeline, task->node, &s.values, &task->arena,
                           &task->extras);
    if (r < 0 || !task->node->late)
        return r;
    begin(&s, runner, task, true);
    r = hr_node_settings(runner->config.pipeline, task->node, &s.values, &task->arena,
                         &task->key_settings);
    return r < 0 ? r
                 : hr_node_extras(runner->config.pipeline, task->node, &s.values, &task->arena,
                                  &task->key_extras);
}

static hr_status condition(struct hr_runner *runner, struct hr_task *task,
                           const struct hr_node *whose, const char **ret_skip)
{
    const struct hr_setting_source *source = &whose->condition;
    struct hr_term term;
    hr_status r;

    if (!source->value)
        return HR_OK;
    if ((r = hr_task_term(runner, task, whose, source, &term)) < 0)
        return r;
    if (term.kind != HR_TERM_BOOL)
        return hr_fail_at(runner->env, HR_INVALID, &source->place,
                          "node \"%s\": \"if\" gives %s, and wants true or false", task->name,
                          hr_term_kind_text(term.kind));
    if (!term.i && !(*ret_skip = hr_arena_format(&task->arena, "its condition is false: %s",
                                                 hr_json_text(source->value))))
        return HR_EXHAUSTED;
    return HR_OK;
}

/* The conditions of the sub-pipelines around it, from the outermost, then its own. */
hr_status hr_task_condition(struct hr_runner *runner, struct hr_task *task, const char **ret_skip)
{
    const struct hr_pipeline *p = runner->config.pipeline;
    const struct hr_node *faces[64];
    size_t n = 0, g = task->node->group;
    hr_status r = HR_OK;

    faces[n++] = task->node;
    for (; g != (size_t)HR_NO_GROUP && n < 64; g = p->groups[g].face.group)
        faces[n++] = &p->groups[g].face;
    while (n && r == HR_OK && !*ret_skip)
        r = condition(runner, task, faces[--n], ret_skip);
    return r;
}

/* A list as JSON, of values that are not all scalars. */
static hr_status list_of_json(struct hr_runner *runner, struct hr_task *task, const char *text,
                              struct hr_term *ret)
{
    const struct hr_json *m;
    struct hr_json_doc *doc;
    struct hr_term *items;
    hr_status r = hr_json_parse(runner->env, "for_each", text, strlen(text), 0, &doc);
    size_t n = 0;

    if (r < 0)
        return r;
    *ret = (struct hr_term){ .kind = HR_TERM_JSON };
    if (hr_json_kind(hr_json_root(doc)) == HR_JSON_ARRAY) {
        items = hr_arena_array(&task->arena, hr_json_count(hr_json_root(doc)) + 1, sizeof *items);
        r = items ? HR_OK : HR_EXHAUSTED;
        for (m = hr_json_first(hr_json_root(doc)); m && r == HR_OK; m = hr_json_next(m))
            r = hr_term_of_json(doc, m, &task->arena, &items[n++]);
        *ret = (struct hr_term){ .kind = HR_TERM_LIST, .items = items, .count = n };
    }
    hr_json_free(doc);
    return r;
}

hr_status hr_task_elements(struct hr_runner *runner, struct hr_task *task, struct hr_term *ret)
{
    const struct hr_node *of = task->node->loops[task->depth];
    const struct hr_setting_source *in = &of->each->in;
    hr_status r = hr_task_term(runner, task, of, in, ret);

    if (r == HR_OK && ret->kind == HR_TERM_JSON)
        r = list_of_json(runner, task, ret->text, ret);
    if (r == HR_OK && ret->kind != HR_TERM_LIST)
        r = hr_fail_at(runner->env, HR_INVALID, &in->place,
                       "node \"%s\": \"for_each\" is over %s, and wants a list", task->name,
                       hr_term_kind_text(ret->kind));
    return r;
}
