#include <string.h>

#include "host/package.h"

uint32_t hr_version(void)
{
    return HR_VERSION_NUMBER;
}

const char *hr_status_name(hr_status status)
{
    return hr_status_id(status);
}

/* -- the handle ------------------------------------------------------------ */

static bool take_config(struct hr_project *p, const hr_config *c)
{
    if (HR_HAS(c, isolation))
        p->isolation = c->isolation;
    if (HR_HAS(c, jobs))
        p->jobs_max = c->jobs;
    if (HR_HAS(c, log_user)) {
        p->log = c->log;
        p->log_user = c->log_user;
    }
    if (HR_HAS(c, worker) && c->worker && !(p->worker = hr_mem_text(&p->env, c->worker)))
        return false;
    if (HR_HAS(c, plugin_path) && c->plugin_path &&
        !(p->plugin_path = hr_mem_text(&p->env, c->plugin_path)))
        return false;
    if (HR_HAS(c, plugins))
        p->linked = c->plugins;
    if (HR_HAS(c, trust) && c->trust && !(p->trust = hr_mem_text(&p->env, c->trust)))
        return false;
    return true;
}

hr_project *hr_new(const hr_config *config)
{
    bool own = config && HR_HAS(config, alloc_user) && config->alloc;
    struct hr_env_config with = { .alloc = own ? config->alloc : NULL,
                                  .alloc_user = own ? config->alloc_user : NULL };
    struct hr_env env;
    struct hr_project *p;

    hr_env_init(&env, &with);
    p = hr_mem_zero(&env, sizeof *p);
    hr_env_clear(&env);
    if (!p)
        return NULL;
    hr_env_init(&p->env, &with);
    p->host.fd = -1;
    hr_buf_of(&p->text, (size_t)1 << 30, &p->env);
    hr_buf_of(&p->error, (size_t)1 << 20, &p->env);
    hr_where_find(&p->env, &p->where);
    if (config && !take_config(p, config)) {
        hr_free(p);
        return NULL;
    }
    return p;
}

static void close_all(struct hr_project *p)
{
    hr_catalogue_close(p->catalogue);
    hr_cache_close(p->cache);
    hr_store_close(p->store);
    hr_host_end(&p->env, &p->host);
    p->catalogue = NULL;
    p->cache = NULL;
    p->store = NULL;
    p->opened = false;
}

void hr_free(hr_project *p)
{
    struct hr_env env;

    if (!p)
        return;
    while (p->jobs)
        hr_job_drop(p->jobs);
    while (p->cursors)
        hr_cursor_drop(p->cursors);
    while (p->watches)
        hr_watch_drop(p->watches);
    while (p->models)
        hr_model_drop(p->models);
    hr_ahead_drop(p);
    close_all(p);
    hr_mem_text_put(&p->env, p->worker);
    hr_mem_text_put(&p->env, p->plugin_path);
    hr_mem_text_put(&p->env, p->trust);
    hr_buf_clear(&p->text);
    hr_buf_clear(&p->error);
    env = p->env;
    hr_mem_put(&env, p, sizeof *p);
    hr_env_clear(&env);
}

/* -- errors ---------------------------------------------------------------- */

void hr_host_call(struct hr_project *p)
{
    hr_errors_cut(&p->env, 0);
    p->ranked.parent = 0;
    p->judged_count = 0;
}

hr_status hr_host_done(struct hr_project *p, hr_status code)
{
    if (code >= 0)
        hr_errors_cut(&p->env, 0);
    else if (!p->env.errors.count)
        hr_fail(&p->env, code, "%s", hr_status_text(code));
    return code;
}

const char *hr_error(const hr_project *p)
{
    return hr_env_error(&((hr_project *)(uintptr_t)p)->env);
}

static void put_error(struct hr_json_writer *w, const struct hr_error *e)
{
    hr_json_open_object(w);
    hr_json_put_member_text(w, "code", hr_status_id(e->code));
    hr_json_put_member_text(w, "text", e->text);
    if (e->file)
        hr_json_put_member_text(w, "file", e->file);
    if (e->file && e->line) {
        hr_json_put_member_int(w, "line", e->line);
        hr_json_put_member_int(w, "column", e->column);
    }
    if (e->suggestion)
        hr_json_put_member_text(w, "suggestion", e->suggestion);
    hr_json_close_object(w);
}

const char *hr_error_json(const hr_project *project)
{
    struct hr_project *p = (hr_project *)(uintptr_t)project;
    const struct hr_errors *errors = &p->env.errors;
    struct hr_json_writer w;
    size_t i;

    hr_buf_cut(&p->error, 0);
    hr_json_begin(&w, &p->error, 0);
    hr_json_open_array(&w);
    for (i = 0; i < errors->count; i++)
        put_error(&w, &errors->items[i]);
    hr_json_close_array(&w);
    return hr_json_end(&w) == HR_OK ? p->error.text : "[]";
}

void hr_host_say(struct hr_project *p, hr_level level, const char *text)
{
    if (p->log && text)
        p->log(p->log_user, level, text);
}

/* -- opening --------------------------------------------------------------- */

/* What is there, as it is; where there is no store, an empty one in memory. */
static hr_status open_to_look(struct hr_project *p)
{
    const char *store = hr_file_exists(&p->env, p->paths.store) ? p->paths.store : ":memory:";
    char path[HR_MAX_PATH];
    hr_status r = hr_store_open(&p->env, store,
                                *store == ':' ? HR_STORE_CREATE : HR_STORE_LOOK, &p->store);

    if (r == HR_OK && (r = hr_path_join(&p->env, p->paths.cache, "host.sqlite", path)) == HR_OK)
        p->cache = hr_cache_open_to_look(&p->env, path);
    return r;
}

static hr_status open_files(struct hr_project *p)
{
    char path[HR_MAX_PATH];
    int64_t closed = 0;
    hr_status r = hr_store_open(&p->env, p->paths.store, HR_STORE_CREATE | HR_STORE_WAL, &p->store);

    if (r < 0)
        return r;
    if ((r = hr_path_join(&p->env, p->paths.cache, "host.sqlite", path)) < 0)
        return r;
    p->cache = hr_cache_open(&p->env, path);
    if (hr_store_read_only(p->store)) /* who may only look, looks */
        return HR_OK;
    r = hr_host_sweep(&p->env, &p->paths, p->store, p->cache, &closed);
    p->swept += closed;
    if (closed)
        hr_host_say(p, HR_INFO, "executions of a host that died were closed as failed");
    return r;
}

/* Where it lies.  HR_NOT_FOUND: nowhere; that is told unless one may be begun. */
static hr_status find(struct hr_project *p, const char *dir, uint32_t flags)
{
    char full[HR_MAX_PATH];
    hr_status r = hr_paths_find(&p->env, dir, &p->paths);

    if (r == HR_OK && (flags & HR_OPEN_HERE) &&
        (p->env.os->realpath(p->env.os->user, dir, full) < 0 ||
         strcmp(full, p->paths.project) != 0))
        r = HR_NOT_FOUND;
    if (r == HR_NOT_FOUND && !p->env.errors.count && !(flags & HR_OPEN_NEW))
        hr_fail(&p->env, r,
                "there is no project in \"%s\" or above it; \"headrace run\" begins one", dir);
    return r;
}

hr_status hr_host_open_at(struct hr_project *p, const char *dir, uint32_t flags)
{
    const uint32_t begin = HR_OPEN_NEW | HR_OPEN_HERE;
    hr_status r = (flags & begin) == begin ? hr_dir_make_safe(&p->env, dir) : HR_OK;

    if (r == HR_OK)
        r = find(p, dir, flags);
    if (r < 0 && (r != HR_NOT_FOUND || p->env.errors.count))
        return r;
    p->look = (flags & HR_OPEN_LOOK) != 0;
    if (p->look) {
        r = open_to_look(p);
    } else { /* What lacks in it is made again: an older version had fewer directories. */
        r = hr_paths_make(&p->env, r == HR_OK ? p->paths.project : dir, &p->paths);
        if (r == HR_OK)
            r = open_files(p);
    }
    p->opened = r == HR_OK;
    if (r < 0)
        close_all(p);
    return r;
}

hr_status hr_open(hr_project *p, const char *dir, uint32_t flags)
{
    hr_host_call(p);
    if (p->opened)
        close_all(p);
    return hr_host_done(p, hr_host_open_at(p, dir, flags));
}

hr_status hr_host_need(struct hr_project *p)
{
    return p->opened ? HR_OK
                     : hr_fail(&p->env, HR_PRECONDITION,
                               "no project is open, and this wants one; \"headrace run\" begins "
                               "one");
}

hr_status hr_host_lock(struct hr_project *p)
{
    if (p->look)
        return hr_fail(&p->env, HR_PRECONDITION, "the project was opened to look only");
    return p->host.fd >= 0 ? HR_OK : hr_host_begin(&p->env, &p->paths, &p->host);
}

/* The parts between colons that are not empty; text is cut up. */
static size_t cut_places(char *text, const char **places)
{
    size_t n = 0;

    while (*text) {
        char *colon = strchr(text, ':');

        if (colon)
            *colon = '\0';
        if (*text)
            places[n++] = text;
        text = colon ? colon + 1 : text + strlen(text);
    }
    return n;
}

/* A person's own, if it is there; NULL: it is not. */
static const char *home_place(struct hr_project *p, struct hr_arena *arena)
{
    const char *home = p->env.os->getenv(p->env.os->user, "HOME"), *place;

    if (!home || home[0] != '/')
        return NULL;
    place = hr_arena_format(arena, "%s/.local/lib/headrace/plugins", home);
    return place && hr_dir_exists(&p->env, place) ? place : NULL;
}

/* Directories of a path with colons, then the project's, the user's, what was installed, the
 * standard ones. */
static hr_status places_of(struct hr_project *p, struct hr_arena *arena, const char ***ret)
{
    const char *path = p->plugin_path, *home, **places, **installed;
    size_t n = 0, most = 8, count = 0, i;
    char *copy;
    hr_status r = hr_installed_places(p, arena, &installed, &count);

    if (!path)
        path = p->env.os->getenv(p->env.os->user, "HEADRACE_PLUGIN_PATH");
    for (i = 0; path && path[i]; i++)
        most += path[i] == ':';
    copy = hr_arena_text(arena, path ? path : "");
    places = hr_arena_array(arena, most + count, sizeof *places);
    if (r < 0 || !copy || !places)
        return r < 0 ? r : HR_EXHAUSTED;
    n = cut_places(copy, places);
    if (p->opened && hr_dir_exists(&p->env, p->paths.plugins))
        places[n++] = p->paths.plugins;
    if ((home = home_place(p, arena)))
        places[n++] = home;
    for (i = 0; i < count; i++)
        places[n++] = installed[i];
    places[n++] = p->where.plugins;
    places[n] = NULL;
    *ret = places;
    return HR_OK;
}

hr_status hr_host_catalogue(struct hr_project *p)
{
    struct hr_catalogue_config config = { .linked = p->linked,
                                          .cache = p->cache,
                                          .standard = p->where.plugins,
                                          .judge = hr_installed_judge,
                                          .judge_user = p };
    struct hr_arena arena;
    const char **places;
    hr_status r;

    if (p->catalogue)
        return HR_OK;
    hr_arena_init(&arena, &p->env, 0);
    config.worker = p->worker ? p->worker : p->where.worker;
    r = places_of(p, &arena, &places);
    config.places = r == HR_OK ? places : NULL;
    if (r == HR_OK)
        r = hr_catalogue_open(&p->env, &config, &p->catalogue);
    hr_arena_clear(&arena);
    return r;
}
