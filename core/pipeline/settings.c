/* The values of properties: what is written, computed for one run. */
#include <string.h>

#include "pipeline/read.h"

struct scope {
    const struct hr_pipeline *p;
    const struct hr_node *node;
    const struct hr_param_values *values;
    bool control; /* of "if" or "for_each": other nodes may be read */
    bool query;   /* of a filter: there is an artifact */
};

static hr_status find_param(const struct scope *s, const char *name, struct hr_term *ret,
                            const char **meant)
{
    const char *names[HR_MAX_PARAMS];
    size_t group = s->node->group, i;

    for (;;) { /* its own, then those of what is around it */
        for (i = 0; i < s->p->param_count; i++) {
            names[i] = s->p->params[i].local;
            if (s->p->params[i].group == group && !strcmp(names[i], name)) {
                *ret = s->values->items[i];
                return HR_OK;
            }
        }
        if (group == (size_t)HR_NO_GROUP)
            break;
        group = s->p->groups[group].face.group;
    }
    *meant = hr_text_meant(name, names, i);
    return HR_NOT_FOUND;
}

static hr_status find_env(const struct scope *s, const char *name, struct hr_arena *arena,
                          struct hr_term *ret)
{
    const char **listed = s->p->environment;
    const char *value;

    for (; listed && *listed; listed++)
        if (!strcmp(*listed, name)) {
            value = s->p->env->os->getenv(s->p->env->os->user, name);
            *ret = (struct hr_term){ .kind = value ? HR_TERM_TEXT : HR_TERM_NULL,
                                     .text = value ? hr_arena_text(arena, value) : NULL };
            return value && !ret->text ? HR_EXHAUSTED : HR_OK;
        }
    return HR_NOT_FOUND;
}

/* Until a node begins, what is known of its artifacts and its item is that there will be some. */
static hr_status find_late(const struct scope *s, const char *root, const char *rest,
                           struct hr_arena *arena, struct hr_term *ret, const char **meant)
{
    const char *names[64], *dot = strchr(rest, '.');
    size_t n = dot ? (size_t)(dot - rest) : strlen(rest), count, i, k = 0;
    char *key = hr_arena_bytes(arena, rest, n);

    if (!key)
        return HR_EXHAUSTED;
    if (s->values->late)
        *s->values->late = true;
    if (s->values->more)
        return s->values->more->find(s->values->more->user, root, rest, arena, ret, meant);
    *ret = (struct hr_term){ .kind = HR_TERM_UNKNOWN };
    if (strcmp(root, "input") != 0 && strcmp(root, "output") != 0)
        return HR_OK;
    count = *root == 'i' ? s->node->input_count : s->node->output_count;
    for (i = 0; i < count; i++) {
        const char *one = *root == 'i' ? s->node->inputs[i].key : s->node->outputs[i].key;

        if (!strcmp(one, key))
            return HR_OK;
        if (k < 64)
            names[k++] = one;
    }
    *meant = hr_text_meant(key, names, k);
    return HR_NOT_FOUND;
}

static bool is_late(const struct scope *s, const char *root, const char *rest)
{
    if (!strcmp(root, "input"))
        return !s->control && s->node->kind == HR_NODE_COMPONENT;
    if (!strcmp(root, "output"))
        return !s->control && s->node->kind == HR_NODE_COMPONENT;
    if (!strcmp(root, "artifact"))
        return s->query;
    if (!strcmp(root, "nodes"))
        return s->control;
    if (!strcmp(root, "run"))
        return !strcmp(rest, "status") && s->node->last;
    return hr_node_loop(s->node, root) != SIZE_MAX;
}

static hr_status member(void *user, const struct hr_term *of, const char *name,
                        const struct hr_term *args, size_t n, struct hr_arena *arena,
                        struct hr_term *ret)
{
    const struct hr_scope *more = ((const struct scope *)user)->values->more;

    return more && more->member ? more->member(more->user, of, name, args, n, arena, ret)
                                : HR_NOT_FOUND;
}

static hr_status find(void *user, const char *root, const char *rest, struct hr_arena *arena,
                      struct hr_term *ret, const char **meant)
{
    static const char *const roots[] = { "param", "env",   "run",  "pipeline",
                                         "node",  "input", "output", "nodes", "artifact" };
    const struct scope *s = user;
    const char *text = NULL;

    if (is_late(s, root, rest))
        return find_late(s, root, rest, arena, ret, meant);

    if (!strcmp(root, "param"))
        return find_param(s, rest, ret, meant);
    if (!strcmp(root, "env"))
        return find_env(s, rest, arena, ret);
    if (!strcmp(root, "run") && !strcmp(rest, "id"))
        text = s->values->run_id;
    else if (!strcmp(root, "run") && !strcmp(rest, "name"))
        text = s->values->run_name;
    else if (!strcmp(root, "pipeline") && !strcmp(rest, "name"))
        text = s->p->name;
    else if (!strcmp(root, "node") && !strcmp(rest, "name"))
        text = s->node->name;
    if (!strcmp(root, "run") && !strcmp(rest, "time")) {
        *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = s->values->run_time };
        return HR_OK;
    }
    if (!text) {
        *meant = hr_text_meant(root, roots, sizeof roots / sizeof roots[0]);
        return HR_NOT_FOUND;
    }
    *ret = (struct hr_term){ .kind = HR_TERM_TEXT, .text = text };
    return HR_OK;
}

hr_status hr_node_text(const struct hr_pipeline *p, const struct hr_node *node,
                       const struct hr_setting_source *source, const struct hr_param_values *values,
                       struct hr_arena *arena, struct hr_term *ret)
{
    struct scope s = { p, node, values,
                       source == &node->condition || (node->each && source == &node->each->in),
                       source->info == &hr_query_filter };
    struct hr_scope scope = { find, &s, member };

    if (source->expr)
        return hr_template_eval(p->env, source->expr, &scope, arena, ret);
    if (!source->value) {
        *ret = (struct hr_term){ .kind = HR_TERM_NULL };
        return HR_OK;
    }
    return hr_term_of_json(node->doc, source->value, arena, ret);
}

/* The component's own default, which is a text of the type. */
static hr_status default_of(const struct hr_pipeline *p, const struct hr_property_info *info,
                            struct hr_arena *arena, struct hr_term *ret)
{
    struct hr_param as = { .name = info->key, .type = info->type, .constraint = info->constraint };

    if (info->type == HR_PATH_READ || info->type == HR_PATH_WRITE)
        as.type = HR_STRING;
    if (info->type == HR_JSON && !info->default_value[0]) {
        *ret = (struct hr_term){ .kind = HR_TERM_NULL };
        return HR_OK;
    }
    return hr_param_parse(p->env, &as, info->default_value, arena, ret);
}

static hr_status absolute(const struct hr_pipeline *p, const char *dir, struct hr_arena *arena,
                          struct hr_term *value)
{
    char path[HR_MAX_PATH];
    size_t n;

    if (value->kind != HR_TERM_TEXT || !value->text[0])
        return HR_OK;
    if (hr_path_join(p->env, dir, value->text, path) < 0)
        return HR_INVALID;
    for (n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
    value->text = hr_arena_text(arena, path);
    return value->text ? HR_OK : HR_EXHAUSTED;
}

/* Strings inside a JSON value may hold expressions too. */
struct filler {
    const struct hr_pipeline *p;
    const struct hr_json_doc *doc;
    const struct hr_scope *scope;
    struct hr_arena *arena;
    struct hr_json_writer w;
    bool unknown;
};

static hr_status fill_text(struct filler *f, const struct hr_json *v)
{
    struct hr_place place = hr_json_place(f->doc, v);
    struct hr_template *t = NULL;
    struct hr_term term;
    struct hr_buf text;
    hr_status r;

    if (!hr_template_needed(hr_json_text(v))) {
        hr_json_put_text(&f->w, hr_json_text(v));
        return HR_OK;
    }
    if ((r = hr_template_parse(f->p->env, &place, hr_json_text(v), f->arena, &t)) < 0 ||
        (r = hr_template_eval(f->p->env, t, f->scope, f->arena, &term)) < 0)
        return r;
    f->unknown = f->unknown || term.kind == HR_TERM_UNKNOWN;
    hr_buf_of(&text, HR_MAX_JSON_BYTES, f->p->env);
    r = hr_term_json(&term, &text);
    hr_json_put_raw(&f->w, text.text, text.len);
    hr_buf_clear(&text);
    return r;
}

static hr_status fill(struct filler *f, const struct hr_json *v)
{
    enum hr_json_kind kind = hr_json_kind(v);
    const struct hr_json *m;
    hr_status r = HR_OK;

    if (kind == HR_JSON_STRING)
        return fill_text(f, v);
    if (kind != HR_JSON_OBJECT && kind != HR_JSON_ARRAY) {
        hr_json_put_value(&f->w, f->doc, v, false);
        return HR_OK;
    }
    if (kind == HR_JSON_OBJECT)
        hr_json_open_object(&f->w);
    else
        hr_json_open_array(&f->w);
    for (m = hr_json_first(v); m && r == HR_OK; m = hr_json_next(m)) {
        if (kind == HR_JSON_OBJECT)
            hr_json_put_key(&f->w, hr_json_key(m));
        r = fill(f, m);
    }
    if (kind == HR_JSON_OBJECT)
        hr_json_close_object(&f->w);
    else
        hr_json_close_array(&f->w);
    return r;
}

static hr_status json_of(const struct hr_pipeline *p, const struct hr_scope *scope,
                         const struct hr_setting_source *source, struct hr_arena *arena,
                         struct hr_term *ret)
{
    const struct scope *s = scope->user;
    struct filler f = { .p = p, .doc = s->node->doc, .scope = scope, .arena = arena };
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, p->env);
    hr_json_begin(&f.w, &text, 0);
    r = fill(&f, source->value);
    if (r == HR_OK)
        r = hr_json_end(&f.w);
    *ret = (struct hr_term){ .kind = f.unknown ? HR_TERM_UNKNOWN : HR_TERM_JSON };
    if (r == HR_OK && !(ret->text = hr_arena_text(arena, text.text)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&text);
    return r;
}

static hr_status compute(const struct hr_pipeline *p, const struct hr_node *node,
                         const struct hr_setting_source *source,
                         const struct hr_param_values *values, struct hr_arena *arena,
                         struct hr_term *ret)
{
    const struct hr_property_info *info = source->info;
    struct scope s = { p, node, values, false, false };
    struct hr_scope scope = { find, &s, member };
    hr_status r;

    if (!source->value)
        return default_of(p, info, arena, ret);
    if (info->type == HR_JSON && !source->expr)
        return json_of(p, &scope, source, arena, ret);
    if ((r = hr_node_text(p, node, source, values, arena, ret)) < 0)
        return r;
    return hr_param_fits(p->env, &source->place, info->key, info->type, info->constraint, ret);
}

static hr_status written(const struct hr_pipeline *p, const struct hr_node *node,
                         const struct hr_setting_source *source, struct hr_arena *arena,
                         const char **ret)
{
    struct hr_buf text;
    hr_status r = HR_OK;

    if (!source->value) {
        *ret = "default";
        return HR_OK;
    }
    hr_buf_of(&text, HR_MAX_JSON_BYTES, p->env);
    r = hr_json_print(node->doc, source->value, true, &text);
    if (r == HR_OK && !(*ret = hr_arena_text(arena, text.text)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&text);
    return r;
}

hr_status hr_node_settings(const struct hr_pipeline *p, const struct hr_node *node,
                           const struct hr_param_values *values, struct hr_arena *arena,
                           struct hr_setting **ret)
{
    struct hr_setting *settings = hr_arena_array(arena, node->setting_count + 1, sizeof *settings);
    hr_status r = settings ? HR_OK : HR_EXHAUSTED, one;
    size_t i;

    for (i = 0; i < node->setting_count && settings; i++) {
        const struct hr_setting_source *source = &node->settings[i];

        settings[i].info = source->info;
        one = compute(p, node, source, values, arena, &settings[i].value);
        if (one == HR_OK &&
            (source->info->type == HR_PATH_READ || source->info->type == HR_PATH_WRITE))
            one = absolute(p, node->dir, arena, &settings[i].value);
        if (one == HR_OK)
            one = written(p, node, source, arena, &settings[i].written);
        r = one < 0 ? one : r;
    }
    if (r == HR_OK)
        *ret = settings;
    return r;
}

/* What is written as plain JSON, as the value that it is. */
static hr_status plain(const struct hr_pipeline *p, struct hr_arena *arena, struct hr_term *value)
{
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(p->env, "outputs", value->text, strlen(value->text), 0, &doc);

    if (r == HR_OK) {
        r = hr_term_of_json(doc, hr_json_root(doc), arena, value);
        hr_json_free(doc);
    }
    return r;
}

hr_status hr_node_extras(const struct hr_pipeline *p, const struct hr_node *node,
                         const struct hr_param_values *values, struct hr_arena *arena,
                         struct hr_setting **ret)
{
    struct hr_setting *extras = hr_arena_array(arena, node->extra_count + 1, sizeof *extras);
    hr_status r = extras ? HR_OK : HR_EXHAUSTED, one;
    size_t i;

    for (i = 0; i < node->extra_count && extras; i++) {
        extras[i].info = node->extras[i].source.info;
        one = compute(p, node, &node->extras[i].source, values, arena, &extras[i].value);
        if (one == HR_OK && extras[i].value.kind == HR_TERM_JSON)
            one = plain(p, arena, &extras[i].value);
        r = one < 0 ? one : r;
    }
    if (r == HR_OK)
        *ret = extras;
    return r;
}
