/* hr.table/1: rows of artifacts, by core/data. */
#include <string.h>

#include "data/data.h"
#include "plugin/worker/state.h"
#include "wire/wire.h"

/* The n-th text of a JSON list, in the arena.  HR_NOT_FOUND: the list is shorter; else told. */
static hr_status nth_text(struct hr_worker *w, const char *json, uint32_t n, const char **ret)
{
    const struct hr_json *m;
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(&w->env, "split_names", json, strlen(json), 0, &doc);

    if (r < 0)
        return r;
    for (m = hr_json_first(hr_json_root(doc)); m && n; m = hr_json_next(m))
        n--;
    r = m && hr_json_text(m) ? HR_OK : HR_NOT_FOUND;
    if (r == HR_OK && !(*ret = hr_arena_text(&w->arena, hr_json_text(m))))
        r = HR_EXHAUSTED;
    hr_json_free(doc);
    return r;
}

static hr_status input_dir(hr_run *run, const char *key, uint32_t i, const char **ret)
{
    struct hr_worker *w = run->worker;
    hr_status r = hr_worker_path(w, key, i, ret);

    if (r == HR_NOT_FOUND)
        return hr_fail(&w->env, r, "%s", w->answer);
    return r;
}

static hr_status read_rows(hr_run *run, const char *key, uint32_t i, const char *split,
                           struct ArrowArrayStream *ret)
{
    const char *dir;
    hr_status r = input_dir(run, key, i, &dir);

    return r < 0 ? r : hr_data_open(&run->worker->env, dir, split, ret);
}

hr_status hr_worker_write_rows(hr_run *run, const char *key, uint32_t i, const char *split,
                               struct ArrowArrayStream *rows)
{
    struct hr_worker *w = run->worker;
    const struct hr_property_value *format;
    struct hr_job_artifact *a;
    const char *dir;
    hr_status r = input_dir(run, key, i, &dir);

    if (r == HR_OK && !hr_worker_port(w, key)->output)
        r = hr_fail(&w->env, HR_INVALID, "\"%s\" is an input; nothing is written to it", key);
    if (r < 0) {
        rows->release(rows);
        return r;
    }
    a = hr_worker_artifact(w, key, i);
    format = hr_values_find(&a->set, "file_format");
    r = hr_data_write(&w->env, dir, split, format ? format->text : NULL, rows);
    return r < 0 || !split ? r : hr_worker_add_split(w, a, split);
}

/* -- what a plugin writes is checked before anything looks into it ------------------------ */

struct checked {
    struct hr_env *env;
    struct ArrowArrayStream in;
    struct ArrowSchema schema;
    const char *what;
};

static hr_status checked_next(void *user, struct ArrowArray *ret)
{
    struct checked *c = user;
    hr_status r = hr_arrow_stream_next(c->env, &c->in, c->what, ret);

    if (r == HR_OK && ret->release && (r = hr_arrow_check(c->env, &c->schema, ret, c->what)) < 0)
        HR_RELEASE(ret);
    return r;
}

static void checked_drop(void *user)
{
    struct checked *c = user;

    HR_RELEASE(&c->schema);
    HR_RELEASE(&c->in);
    hr_mem_put(c->env, c, sizeof *c);
}

/* The same stream, each batch checked.  Takes *rows, also when failing. */
static hr_status check_rows(struct hr_env *env, const char *what, struct ArrowArrayStream *rows,
                            struct ArrowArrayStream *ret)
{
    static const struct hr_stream_calls calls = { checked_next, checked_drop };
    struct checked *c = hr_mem_zero(env, sizeof *c);
    hr_status r;

    if (!c) {
        HR_RELEASE(rows);
        return HR_EXHAUSTED;
    }
    c->env = env;
    c->in = *rows;
    c->what = what;
    if ((r = hr_arrow_stream_schema(env, &c->in, what, &c->schema)) < 0) {
        checked_drop(c);
        return r;
    }
    return hr_arrow_stream(env, &c->schema, &calls, c, ret);
}

static hr_status write_rows(hr_run *run, const char *key, uint32_t i, const char *split,
                            struct ArrowArrayStream *rows)
{
    struct ArrowArrayStream checked;
    hr_status r = check_rows(&run->worker->env, split ? split : "rows", rows, &checked);

    return r < 0 ? r : hr_worker_write_rows(run, key, i, split, &checked);
}

static hr_status split(hr_run *run, const char *key, uint32_t i, uint32_t n, const char **ret)
{
    struct hr_worker *w = run->worker;
    struct hr_job_artifact *a = hr_worker_artifact(w, key, i);
    const struct hr_property_value *names = a ? hr_values_find(&a->set, "split_names") : NULL;

    return names && names->text ? nth_text(w, names->text, n, ret) : HR_NOT_FOUND;
}

const hr_table_1 hr_worker_table_table = { read_rows, write_rows, split };
