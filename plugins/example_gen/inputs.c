#include "inputs.h"

#include <string.h>

/* The files of one pattern: a directory below base, if it has a slash, and a name. */
static hr_status match(struct hr_env *env, const char *base, const char *pattern,
                       struct hr_names *ret)
{
    struct hr_names all = { 0 };
    char dir[HR_MAX_PATH], part[HR_MAX_PATH];
    size_t i, n = 0;
    hr_status r;

    if (pattern[0] == '/' || strstr(pattern, "..") || strlen(pattern) >= sizeof part)
        return hr_fail(
            env, HR_INVALID,
            "the pattern \"%s\" does not stay below input_base; give one like \"train/*\"",
            pattern);
    hr_path_dir(pattern, part);
    if ((r = hr_path_join(env, base, part, dir)) < 0 || (r = hr_data_list(env, dir, &all)) < 0)
        return r;
    for (i = 0; i < all.count; i++) {
        char *name = all.names[i];

        if (hr_glob(hr_path_name(pattern), hr_path_name(name)))
            all.names[n++] = name;
        else
            hr_mem_text_put(env, name);
    }
    all.count = n;
    if (!n) {
        hr_names_clear(env, &all);
        return hr_fail(env, HR_NOT_FOUND, "no file below \"%s\" matches \"%s\"", base, pattern);
    }
    *ret = all;
    return HR_OK;
}

static hr_status open_split(struct hr_env *env, const char *base, const struct hr_json_doc *doc,
                            const struct hr_json *m, struct inputs *in)
{
    struct hr_place place = hr_json_place(doc, m);
    const char *pattern = hr_json_text(m), *key = hr_json_key(m);
    hr_status r;

    if (!pattern || !*pattern)
        return hr_fail_at(env, HR_INVALID, &place,
                          "split \"%s\" has no pattern of files, as \"train/*\"", key);
    if (in->n == HR_MAX_SPLITS)
        return hr_fail_at(env, HR_INVALID, &place, "there are more than %d splits", HR_MAX_SPLITS);
    if (!*key || *key == '.' || strchr(key, '/'))
        return hr_fail_at(env, HR_INVALID, &place, "a split cannot be called \"%s\"", key);
    if (!(in->names[in->n] = hr_arena_text(&in->arena, key)))
        return HR_EXHAUSTED;
    r = match(env, base, pattern, &in->files[in->n]);
    in->n += r == HR_OK;
    return r;
}

static hr_status open_splits(struct hr_env *env, const char *base, const char *input_splits,
                             struct inputs *in)
{
    struct hr_json_doc *doc;
    const struct hr_json *m;
    hr_status r = hr_json_parse(env, "input_splits", input_splits, strlen(input_splits), 0, &doc);

    if (r < 0)
        return r;
    if (hr_json_kind(hr_json_root(doc)) != HR_JSON_OBJECT)
        r = hr_fail(env, HR_INVALID,
                    "input_splits is an object of names and patterns, as {\"train\": \"train/*\"}");
    for (m = hr_json_first(hr_json_root(doc)); r == HR_OK && m; m = hr_json_next(m))
        r = open_split(env, base, doc, m, in);
    hr_json_free(doc);
    return r;
}

hr_status inputs_open(struct hr_env *env, const char *base, const char *splits,
                      const char *input_splits, struct inputs *ret)
{
    hr_status r;

    memset(ret, 0, sizeof *ret);
    hr_arena_init(&ret->arena, env, 0);
    hr_arena_init(&ret->split.arena, env, 0);
    r = open_splits(env, base, input_splits, ret);
    ret->as_input = ret->n > 0;
    if (r == HR_OK && !ret->as_input) {
        if ((r = hr_split_parse(env, splits, &ret->split)) == HR_OK)
            r = hr_data_list(env, base, &ret->files[0]);
        ret->names[0] = "single_split"; /* as TFX calls it */
        ret->n = 1;
    }
    if (r < 0)
        inputs_close(env, ret);
    return r;
}

void inputs_close(struct hr_env *env, struct inputs *in)
{
    uint32_t k;

    for (k = 0; k < in->n; k++)
        hr_names_clear(env, &in->files[k]);
    hr_split_clear(&in->split);
    hr_arena_clear(&in->arena);
    in->n = 0;
}
