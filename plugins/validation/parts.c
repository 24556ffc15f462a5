#include "parts.h"

#include <string.h>

void work_begin(struct work *w, const struct hr_easy *easy, hr_run *run)
{
    memset(w, 0, sizeof *w);
    hr_env_init(&w->env, NULL);
    hr_arena_init(&w->arena, &w->env, 0);
    w->easy = easy;
    w->run = run;
}

hr_status work_end(struct work *w, hr_status r)
{
    if (r < 0 && w->env.errors.count)
        w->easy->run->fail(w->run, r, hr_env_error(&w->env));
    hr_arena_clear(&w->arena);
    hr_env_clear(&w->env);
    return r;
}

/* A JSON list of names, each given to one(). */
static hr_status each_name(struct work *w, const char *what, const char *json,
                           hr_status (*one)(struct work *w, const char *name, void *user),
                           void *user)
{
    struct hr_json_doc *doc = NULL;
    const struct hr_json *v;
    hr_status r = hr_json_parse(&w->env, what, json, strlen(json), 0, &doc);

    if (r < 0)
        return r;
    if (hr_json_kind(hr_json_root(doc)) != HR_JSON_ARRAY)
        r = hr_fail(&w->env, HR_INVALID, "%s is %s; it should be a list of names", what, json);
    for (v = hr_json_first(hr_json_root(doc)); v && r == HR_OK; v = hr_json_next(v)) {
        if (hr_json_text(v))
            r = one(w, hr_json_text(v), user);
        else
            r = hr_fail(&w->env, HR_INVALID, "%s is %s; it should be a list of names", what, json);
    }
    hr_json_free(doc);
    return r;
}

struct match {
    const char *name;
    bool found;
};

static hr_status match(struct work *w, const char *name, void *user)
{
    struct match *m = user;

    (void)w;
    m->found |= !strcmp(name, m->name);
    return HR_OK;
}

hr_status work_excluded(struct work *w, const char *split, bool *ret)
{
    const char *json = w->easy->run->prop_text(w->run, "exclude_splits");
    struct match m = { split, false };
    hr_status r = each_name(w, "exclude_splits", json, match, &m);

    if (r == HR_OK)
        *ret = m.found;
    return r;
}

static hr_status take(struct work *w, const char *name, void *user)
{
    bool excluded = false;
    hr_status r = work_excluded(w, name, &excluded);

    (void)user;
    if (r < 0 || excluded)
        return r;
    if (w->n == HR_PARTS_SPLITS)
        return hr_fail(&w->env, HR_INVALID, "there are more than %d splits", HR_PARTS_SPLITS);
    w->splits[w->n] = hr_arena_text(&w->arena, name);
    return w->splits[w->n++] ? HR_OK : HR_EXHAUSTED;
}

hr_status work_splits(struct work *w, const char *key)
{
    const hr_run_1 *rt = w->easy->run;
    const char *names;
    hr_status r;

    if (!rt->count(w->run, key))
        return hr_fail(&w->env, HR_INVALID, "input \"%s\" holds no artifact", key);
    r = rt->get_text(w->run, key, 0, "split_names", &names);
    if (r == HR_NOT_FOUND)
        return hr_fail(&w->env, HR_INVALID, "the artifact of input \"%s\" has no split_names", key);
    return r < 0 ? r : each_name(w, "split_names", names, take, NULL);
}

hr_status work_path(struct work *w, const char *key, const char *split, const char *file, bool make,
                    char *to)
{
    char dir[HR_MAX_PATH], name[HR_MAX_PATH];
    const char *path;
    hr_status r = w->easy->run->path(w->run, key, 0, &path);

    if (r < 0)
        return r;
    if (strlen(split) + sizeof "Split-" > sizeof name)
        return hr_fail(&w->env, HR_INVALID, "the name of a split is too long");
    snprintf(name, sizeof name, "Split-%s", split);
    r = hr_path_join(&w->env, path, name, dir);
    if (r == HR_OK && make)
        r = hr_dir_make(&w->env, dir);
    return r < 0 ? r : hr_path_join(&w->env, dir, file, to);
}

hr_status work_describe(struct work *w, const char *in, const char *out)
{
    const hr_run_1 *rt = w->easy->run;
    struct hr_json_writer j;
    int64_t span = 0;
    struct hr_buf b;
    hr_status r;
    size_t i;

    hr_buf_of(&b, 1 << 20, &w->env);
    hr_json_begin(&j, &b, 0);
    j.spaced = true;
    hr_json_open_array(&j);
    for (i = 0; i < w->n; i++)
        hr_json_put_text(&j, w->splits[i]);
    hr_json_close_array(&j);
    r = hr_json_end(&j) < 0 ? hr_fail_memory(&w->env) : HR_OK;
    if (r == HR_OK)
        r = rt->set_text(w->run, out, 0, "split_names", b.text);
    hr_buf_clear(&b);
    if (r < 0)
        return r;
    r = rt->get_int(w->run, in, 0, "span", &span);
    if (r < 0 && r != HR_NOT_FOUND)
        return r;
    return rt->set_int(w->run, out, 0, "span", span);
}

hr_status work_summary(struct work *w, const char *format, ...)
{
    char text[HR_EASY_TEXT];
    va_list args;

    va_start(args, format);
    hr_easy_text(text, format, args);
    va_end(args);
    return w->easy->run->set_text(w->run, NULL, 0, HR_SUMMARY, text);
}
