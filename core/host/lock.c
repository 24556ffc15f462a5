/* pipeline.lock: which plugins a pipeline runs with.
 *
 *     {
 *       "headrace_lock": 1,
 *       "plugins": {
 *         "com.acme.scale": {"version": "1.2.0", "digest": "9f2c..."},
 *         "org.headrace.trainer": {"version": "0.1.0"}
 *       }
 *     }
 *
 * It lies beside the pipeline file, NAME.lock of NAME.json, sorted, for people to commit.  digest
 * is SHA-256 of the .so; the standard plugins have none, since they come with headrace and are
 * built anew with it.
 */
#include <stdlib.h>
#include <string.h>

#include "host/package.h"

enum { MAX_LOCK = 1 << 22 };

static hr_status beside(struct hr_project *p, const char *file, char ret[HR_MAX_PATH])
{
    size_t n = strlen(file) - (hr_text_ends(file, ".json") ? 5 : 0);

    if (n + 6 > HR_MAX_PATH)
        return hr_fail(&p->env, HR_INVALID, "the name \"%s\" is too long", file);
    memcpy(ret, file, n);
    memcpy(ret + n, ".lock", 6);
    return HR_OK;
}

static hr_status name_of(struct hr_project *p, const struct hr_pipeline *pipeline,
                         char ret[HR_MAX_PATH])
{
    char full[HR_MAX_PATH];
    hr_status r = hr_path_join(&p->env, pipeline->dir, hr_path_name(pipeline->file), full);

    return r < 0 ? r : beside(p, full, ret);
}

static int by_id(const void *a, const void *b)
{
    const struct hr_plugin_info *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

/* The plugins of a pipeline's nodes, each once, by id. */
static hr_status plugins_of(const struct hr_pipeline *pipeline, struct hr_arena *arena,
                            const struct hr_plugin_info ***ret, size_t *ret_n)
{
    const struct hr_plugin_info **list =
        hr_arena_array(arena, pipeline->node_count + 1, sizeof *list);
    size_t n = 0, i, k;

    if (!list)
        return HR_EXHAUSTED;
    for (i = 0; i < pipeline->node_count; i++) {
        const struct hr_component_info *c = pipeline->nodes[i].component;

        for (k = 0; c && k < n && list[k] != c->plugin; k++)
            ;
        if (c && k == n)
            list[n++] = c->plugin;
    }
    qsort(list, n, sizeof *list, by_id);
    *ret = list;
    *ret_n = n;
    return HR_OK;
}

hr_status hr_installed_policy(struct hr_project *p, const struct hr_pipeline *pipeline,
                              struct hr_arena *arena, const char **ret)
{
    const struct hr_plugin_info **plugins;
    const char *list = "", *signer;
    size_t n, i;
    hr_status r = plugins_of(pipeline, arena, &plugins, &n);

    for (i = 0; i < n && r == HR_OK; i++) {
        if (!(signer = hr_installed_signer(p, plugins[i]->path, arena)))
            continue;
        list = hr_arena_format(arena, "%s%s%s %s %s", list, *list ? "; " : "", plugins[i]->id,
                               plugins[i]->version, signer);
        r = list ? HR_OK : HR_EXHAUSTED;
    }
    *ret = list;
    return r;
}

static bool is_standard(const struct hr_project *p, const struct hr_plugin_info *plugin)
{
    char dir[HR_MAX_PATH];

    hr_path_dir(plugin->path, dir);
    return !strcmp(dir, p->where.plugins);
}

static hr_status write_lock(struct hr_project *p, const struct hr_pipeline *pipeline,
                            struct hr_arena *arena, const char *file)
{
    const struct hr_plugin_info **plugins;
    struct hr_json_writer w;
    struct hr_buf text;
    size_t n, i;
    hr_status r = plugins_of(pipeline, arena, &plugins, &n);

    if (r < 0)
        return r;
    hr_buf_of(&text, MAX_LOCK, &p->env);
    hr_json_begin(&w, &text, 2);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "headrace_lock", 1);
    hr_json_put_key(&w, "plugins");
    hr_json_open_object(&w);
    for (i = 0; i < n; i++) {
        hr_json_put_key(&w, plugins[i]->id);
        hr_json_open_object(&w);
        hr_json_put_member_text(&w, "version", plugins[i]->version);
        if (!is_standard(p, plugins[i]))
            hr_json_put_member_text(&w, "digest", plugins[i]->digest);
        hr_json_close_object(&w);
    }
    hr_json_close_object(&w);
    hr_json_close_object(&w);
    if ((r = hr_json_end(&w)) == HR_OK && (r = hr_buf_char(&text, '\n')) == HR_OK)
        r = hr_file_write(&p->env, file, text.text, text.len);
    hr_buf_clear(&text);
    return r;
}

hr_status hr_lock(hr_project *p, const char *pipeline, const char **ret_file)
{
    struct hr_pipeline *read = NULL;
    struct hr_arena arena;
    char file[HR_MAX_PATH];
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_host_pipeline(p, pipeline, &read);
    if (r == HR_OK)
        r = name_of(p, read, file);
    if (r == HR_OK)
        r = write_lock(p, read, &arena, file);
    hr_pipeline_free(read);
    hr_arena_clear(&arena);
    if (r == HR_OK) {
        hr_buf_cut(&p->text, 0);
        if ((r = hr_buf_text(&p->text, file)) == HR_OK && ret_file)
            *ret_file = p->text.text;
    }
    return hr_host_done(p, r);
}

/* -- what it pins ------------------------------------------------------------- */

static hr_status put_pins(const struct hr_json *pins, struct hr_arena *arena,
                          const struct hr_pin **ret, size_t *ret_n)
{
    struct hr_pin *list = hr_arena_array(arena, hr_json_count(pins) + 1, sizeof *list);
    const struct hr_json *m;
    size_t n = 0;

    for (m = list ? hr_json_first(pins) : NULL; m; m = hr_json_next(m)) {
        const char *version = hr_json_text(hr_json_get(m, "version"));
        const char *digest = hr_json_text(hr_json_get(m, "digest"));

        if (!version)
            continue;
        list[n].id = hr_arena_text(arena, hr_json_key(m));
        list[n].version = hr_arena_text(arena, version);
        list[n].digest = digest ? hr_arena_text(arena, digest) : NULL;
        if (!list[n].id || !list[n].version || (digest && !list[n].digest))
            return HR_EXHAUSTED;
        n++;
    }
    *ret = list;
    *ret_n = n;
    return list ? HR_OK : HR_EXHAUSTED;
}

hr_status hr_lock_pins(struct hr_project *p, const char *file, struct hr_arena *arena,
                       const struct hr_pin **ret, size_t *ret_n)
{
    size_t kept = p->env.errors.count;
    const struct hr_json *pins;
    const char *text = NULL;
    struct hr_json_doc *doc;
    char lock[HR_MAX_PATH];
    hr_status r = HR_OK;

    *ret = NULL;
    *ret_n = 0;
    if (beside(p, file, lock) == HR_OK && hr_file_exists(&p->env, lock) &&
        (r = hr_host_text(p, lock, MAX_LOCK, arena, &text)) == HR_OK &&
        (r = hr_json_parse(&p->env, lock, text, strlen(text), 0, &doc)) == HR_OK) {
        pins = hr_json_get(hr_json_root(doc), "plugins");
        if (hr_json_kind(pins) == HR_JSON_OBJECT)
            r = put_pins(pins, arena, ret, ret_n);
        hr_json_free(doc);
    }
    if (r == HR_EXHAUSTED) /* it may pin, and nobody knows what */
        return r;
    hr_errors_cut(&p->env, kept); /* the check says what is wrong with it */
    return HR_OK;
}

/* -- checking ------------------------------------------------------------------ */

struct checking {
    struct hr_project *p;
    const struct hr_json_doc *doc;
    const struct hr_json *pins;
    hr_status status;
};

static void check_pin(struct checking *c, const struct hr_plugin_info *plugin)
{
    const struct hr_json *pin = hr_json_get(c->pins, plugin->id);
    const char *version = hr_json_text(hr_json_get(pin, "version"));
    const char *digest = hr_json_text(hr_json_get(pin, "digest"));
    struct hr_place place = { .file = hr_json_name(c->doc) };

    if (pin)
        place = hr_json_key_place(c->doc, pin);
    if (!pin)
        c->status = hr_fail_at(&c->p->env, HR_PRECONDITION, &place,
                               "plugin %s %s is used and is not in the lock; run \"headrace lock\"",
                               plugin->id, plugin->version);
    else if (!hr_text_eq(version, plugin->version))
        c->status = hr_fail_at(&c->p->env, HR_PRECONDITION, &place,
                               "plugin %s is locked to version %s, and %s is here: \"%s\"",
                               plugin->id, version ? version : "?", plugin->version, plugin->path);
    else if (digest && strcmp(digest, plugin->digest) != 0)
        c->status = hr_fail_at(&c->p->env, HR_PRECONDITION, &place,
                               "plugin %s %s is locked to the digest %.12s, and another is here, "
                               "%.12s: \"%s\"",
                               plugin->id, version, digest, plugin->digest, plugin->path);
}

/* A pin of what is not here at all, used or not: the lock was made elsewhere. */
static void check_known(struct checking *c, const struct hr_json *pin)
{
    size_t i, n = hr_catalogue_count(c->p->catalogue);
    struct hr_place place = hr_json_key_place(c->doc, pin);
    const char *version = hr_json_text(hr_json_get(pin, "version"));

    for (i = 0; i < n; i++) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(c->p->catalogue, i);

        if (!e->reason && !strcmp(e->info.id, hr_json_key(pin)))
            return;
    }
    c->status = hr_fail_at(&c->p->env, HR_PRECONDITION, &place,
                           "plugin %s %s is locked and is not installed; plugins were looked for "
                           "in %s",
                           hr_json_key(pin), version ? version : "", hr_catalogue_places(
                                                                         c->p->catalogue));
}

static hr_status check_all(struct checking *c, const struct hr_pipeline *pipeline,
                           struct hr_arena *arena)
{
    const struct hr_plugin_info **plugins;
    const struct hr_json *root = hr_json_root(c->doc), *pin;
    struct hr_place place = { .file = hr_json_name(c->doc) };
    int64_t format = 0;
    size_t n, i;
    hr_status r = plugins_of(pipeline, arena, &plugins, &n);

    if (r < 0)
        return r;
    c->pins = hr_json_get(root, "plugins");
    if (!hr_json_int(c->doc, hr_json_get(root, "headrace_lock"), &format) || format != 1 ||
        hr_json_kind(c->pins) != HR_JSON_OBJECT)
        return hr_fail_at(&c->p->env, HR_PRECONDITION, &place,
                          "it is no lock of format 1; \"headrace lock\" writes it anew");
    for (pin = hr_json_first(c->pins); pin; pin = hr_json_next(pin))
        check_known(c, pin);
    for (i = 0; i < n; i++)
        check_pin(c, plugins[i]);
    return c->status < 0
               ? hr_fail(&c->p->env, c->status,
                         "these are other plugins than the pipeline is locked to; nothing was run. "
                         "Install those, run \"headrace lock\", or run with --unlocked")
               : HR_OK;
}

hr_status hr_lock_check(struct hr_project *p, const struct hr_pipeline *pipeline)
{
    struct checking c = { .p = p };
    struct hr_json_doc *doc = NULL;
    char file[HR_MAX_PATH];
    struct hr_arena arena;
    const char *text = NULL;
    hr_status r = name_of(p, pipeline, file);

    if (r < 0 || !hr_file_exists(&p->env, file))
        return r;
    hr_arena_init(&arena, &p->env, 0);
    r = hr_host_text(p, file, MAX_LOCK, &arena, &text);
    if (r == HR_OK)
        r = hr_json_parse(&p->env, hr_path_name(file), text, strlen(text), 0, &doc);
    c.doc = doc;
    if (r == HR_OK)
        r = check_all(&c, pipeline, &arena);
    hr_json_free(doc);
    hr_arena_clear(&arena);
    return r;
}
