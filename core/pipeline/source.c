/* The files of a pipeline: its own, and those that it includes. */
#include <string.h>

#include "pipeline/read.h"

/* The real path of a file decides whether it is the same; its directory is where paths lead. */
static hr_status find_dir(struct hr_reader *rd, const char *file, const char **ret_dir,
                          const char **ret_full)
{
    char full[HR_MAX_PATH], dir[HR_MAX_PATH];
    int e = rd->env->os->realpath(rd->env->os->user, file, full);

    if (e < 0)
        return hr_fail_os(rd->env, e, "open", file);
    hr_path_dir(full, dir);
    *ret_dir = hr_arena_text(&rd->p->arena, dir);
    *ret_full = hr_arena_text(&rd->p->arena, full);
    return *ret_dir && *ret_full ? HR_OK : HR_EXHAUSTED;
}

static hr_status add_source(struct hr_reader *rd, const char *file, const char *dir,
                            const char *full)
{
    struct hr_pipeline *p = rd->p;
    struct hr_pipeline_source *s;
    struct hr_buf text;
    hr_status r;

    if (!p->sources)
        p->sources = hr_arena_array(&p->arena, HR_MAX_SOURCES, sizeof *p->sources);
    if (!p->sources)
        return HR_EXHAUSTED;
    if (p->source_count == HR_MAX_SOURCES)
        return hr_fail(rd->env, HR_INVALID, "%s: more than %d files are included", file,
                       HR_MAX_SOURCES - 1);
    hr_buf_of(&text, HR_MAX_JSON_BYTES, rd->env);
    s = &p->sources[p->source_count];
    s->dir = dir;
    s->full = full;
    s->file = hr_arena_text(&p->arena, file);
    r = s->file ? hr_file_read(rd->env, file, HR_MAX_JSON_BYTES, &text) : HR_EXHAUSTED;
    if (r == HR_OK)
        r = hr_json_parse(rd->env, file, text.text, text.len, HR_JSON_COMMENTS, &s->doc);
    p->source_count += r == HR_OK;
    hr_buf_clear(&text);
    return r;
}

/* How a person would name a file that lies beside another: "parts/data.json". */
static hr_status beside(struct hr_reader *rd, const char *file, const char *name, char *to)
{
    char dir[HR_MAX_PATH];

    if (name[0] == '/' || !strchr(file, '/'))
        return hr_path_join(rd->env, "", name, to);
    hr_path_dir(file, dir);
    return hr_path_join(rd->env, dir, name, to);
}

static hr_status read_one(struct hr_reader *rd, const char *file, const char **open, size_t depth);

static hr_status read_includes(struct hr_reader *rd, const char *file, const char **open,
                               size_t depth)
{
    struct hr_json_doc *doc = rd->doc;
    const struct hr_json *root = hr_json_root(doc);
    const char **names = hr_want_texts(rd, root, "include");
    char path[HR_MAX_PATH];
    hr_status r = HR_OK;

    for (; names && *names && r == HR_OK; names++) {
        size_t bad = rd->bad;

        rd->doc = doc;
        if (!**names) {
            hr_bad(rd, hr_json_get(root, "include"), "\"include\" wants names of files");
            continue;
        }
        r = beside(rd, file, *names, path);
        if (r == HR_OK)
            r = read_one(rd, path, open, depth);
        if (r < 0 && r != HR_EXHAUSTED) { /* the place that asked for it, and go on */
            rd->doc = doc;
            if (rd->bad == bad)
                hr_bad(rd, hr_json_get(root, "include"), "cannot include \"%s\"", *names);
            r = HR_OK;
        }
    }
    return r;
}

/* An included file says nodes and parameters; the rest is the pipeline's own. */
static void check_included(struct hr_reader *rd)
{
    static const char *const members[] = { "headrace", "doc", "parameters", "nodes", "include" };
    const struct hr_json *root = hr_json_root(rd->doc), *m;

    for (m = hr_json_first(root); m; m = hr_json_next(m)) {
        size_t i;

        for (i = 0; i < 5 && strcmp(members[i], hr_json_key(m)) != 0; i++)
            ;
        if (i == 5)
            hr_bad_name(rd, m, members, 5,
                        "an included file has no member \"%s\"; it has nodes and parameters",
                        hr_json_key(m));
    }
}

static hr_status read_one(struct hr_reader *rd, const char *file, const char **open, size_t depth)
{
    const char *dir, *full;
    hr_status r = find_dir(rd, file, &dir, &full);
    size_t i;

    if (r < 0)
        return r;
    for (i = 0; i < depth; i++)
        if (!strcmp(open[i], full))
            return hr_fail(rd->env, HR_INVALID, "%s includes itself", file);
    if (depth == HR_MAX_INCLUDE_DEPTH)
        return hr_fail(rd->env, HR_INVALID, "%s: files include files deeper than %d levels", file,
                       HR_MAX_INCLUDE_DEPTH);
    if ((r = add_source(rd, file, dir, full)) < 0)
        return r;
    open[depth] = full;
    rd->doc = rd->p->sources[rd->p->source_count - 1].doc;
    if (hr_json_kind(hr_json_root(rd->doc)) != HR_JSON_OBJECT) {
        hr_bad(rd, hr_json_root(rd->doc), "a pipeline is an object");
        return HR_INVALID;
    }
    if (depth)
        check_included(rd);
    return read_includes(rd, file, open, depth + 1);
}

hr_status hr_read_part(struct hr_reader *rd, const char *name, struct hr_pipeline_source **ret)
{
    char path[HR_MAX_PATH];
    const char *dir, *full;
    hr_status r = beside(rd, rd->file, name, path);

    if (r == HR_OK)
        r = find_dir(rd, path, &dir, &full);
    if (r == HR_OK)
        r = add_source(rd, path, dir, full);
    if (r < 0)
        return r;
    *ret = &rd->p->sources[rd->p->source_count - 1];
    (*ret)->part = true;
    return HR_OK;
}

hr_status hr_read_source(struct hr_reader *rd, const char *file)
{
    const char *open[HR_MAX_INCLUDE_DEPTH];

    return read_one(rd, file, open, 0);
}
