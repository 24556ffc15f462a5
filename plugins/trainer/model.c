/* The model's directory, written and loaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

enum { FORMAT = 1 };
static const char DEFAULT[] = "serving_default", FEATURES[] = "transform_features";

/* -- writing ---------------------------------------- */

static hr_status copy_file(struct hr_env *env, const char *from, const char *to)
{
    char parent[HR_MAX_PATH];
    struct hr_buf b;
    hr_status r;

    hr_path_dir(to, parent);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    if ((r = hr_file_read(env, from, HR_MAX_FILE_BYTES, &b)) == HR_OK &&
        (r = hr_dir_make(env, parent)) == HR_OK)
        r = hr_file_put(env, to, b.text, b.len);
    hr_buf_clear(&b);
    return r;
}

static hr_status copy_tree(struct hr_env *env, const char *from, const char *to)
{
    char source[HR_MAX_PATH], target[HR_MAX_PATH];
    struct hr_names names = { 0 };
    hr_status r = hr_tree_list(env, from, &names);
    size_t i;

    for (i = 0; i < names.count && r == HR_OK; i++)
        if ((r = hr_path_join(env, from, names.names[i], source)) == HR_OK &&
            (r = hr_path_join(env, to, names.names[i], target)) == HR_OK)
            r = copy_file(env, source, target);
    hr_names_clear(env, &names);
    return r;
}

static hr_status save_json(struct trainer *t, const char *dir)
{
    char path[HR_MAX_PATH];
    struct hr_json_writer w;
    struct hr_buf b;
    hr_status r;

    hr_buf_of(&b, 65536, &t->env);
    hr_json_begin(&w, &b, 2);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "format", FORMAT);
    hr_json_put_member_bool(&w, "transform", t->plan != NULL);
    hr_json_put_member_text(&w, "digest", t->plan ? hr_plan_digest(t->plan) : "");
    hr_json_put_member_text(&w, "label", t->label);
    hr_json_put_key(&w, "signatures");
    hr_json_open_array(&w);
    hr_json_put_text(&w, DEFAULT);
    hr_json_put_text(&w, FEATURES);
    hr_json_close_array(&w);
    hr_json_close_object(&w);
    if ((r = hr_json_end(&w)) == HR_OK &&
        (r = hr_path_join(&t->env, dir, "model.json", path)) == HR_OK)
        r = hr_file_put(&t->env, path, b.text, b.len);
    hr_buf_clear(&b);
    return r;
}

static hr_status save_inputs(struct trainer *t, const char *model)
{
    const hr_run_1 *rt = t->easy.run;
    char from[HR_MAX_PATH], to[HR_MAX_PATH];
    const char *dir;
    hr_status r = HR_OK;

    if (t->plan && ((r = rt->path(t->run, "transform_graph", 0, &dir)) < 0 ||
                    (r = hr_path_join(&t->env, model, "transform_graph", to)) < 0 ||
                    (r = copy_tree(&t->env, dir, to)) < 0))
        return r;
    if (!rt->count(t->run, "schema"))
        return HR_OK;
    if ((r = rt->path(t->run, "schema", 0, &dir)) < 0 ||
        (r = hr_path_join(&t->env, dir, "schema.pbtxt", from)) < 0 ||
        (r = hr_path_join(&t->env, model, "schema.pbtxt", to)) < 0)
        return r;
    return copy_file(&t->env, from, to);
}

hr_status trainer_save(struct trainer *t)
{
    const hr_run_1 *rt = t->easy.run;
    char model[HR_MAX_PATH];
    const char *dir;
    hr_status r = rt->path(t->run, "model", 0, &dir);

    if (r < 0)
        return r;
    snprintf(model, sizeof model, "%s", dir);
    if ((r = hr_net_save(&t->env, t->net, model)) < 0 || (r = save_inputs(t, model)) < 0 ||
        (r = save_json(t, model)) < 0)
        return r;
    return rt->set_text(t->run, "model", 0, "format", "headrace/1");
}

/* -- loading ---------------------------------------- */

struct model {
    const hr_run_1 *rt;
    struct hr_env env;
    struct hr_net *net;
    struct hr_plan *plan; /* NULL: rows are features */
    struct hr_apply *apply;
    struct ArrowSchema in;       /* wanted columns only */
    struct ArrowSchema rows;     /* those to come, where there is no plan */
    struct ArrowSchema features; /* that the plan gives */
    bool gives_features;
};

static void drop(void *p)
{
    struct model *m = p;

    if (!m)
        return;
    hr_apply_free(m->apply);
    hr_plan_close(m->plan);
    hr_net_free(m->net);
    if (m->in.release)
        m->in.release(&m->in);
    if (m->rows.release)
        m->rows.release(&m->rows);
    if (m->features.release)
        m->features.release(&m->features);
    hr_env_clear(&m->env);
    free(m);
}

static hr_status open_files(struct model *m, const char *dir)
{
    char path[HR_MAX_PATH];
    struct hr_json_doc *doc = NULL;
    const struct hr_json *root;
    struct hr_buf b;
    hr_status r;
    int64_t format = 0;

    hr_buf_of(&b, 1 << 20, &m->env);
    if ((r = hr_path_join(&m->env, dir, "model.json", path)) == HR_OK &&
        (r = hr_file_read(&m->env, path, 1 << 20, &b)) == HR_OK)
        r = hr_json_parse(&m->env, "model.json", b.text, b.len, 0, &doc);
    hr_buf_clear(&b);
    if (r < 0)
        return r;
    root = hr_json_root(doc);
    if (!hr_json_int(doc, hr_json_get(root, "format"), &format) || format != FORMAT) {
        r = hr_fail(&m->env, format > FORMAT ? HR_UNIMPLEMENTED : HR_DATA_LOSS,
                    "model.json is of format %lld, and this program knows 1", (long long)format);
    } else if ((r = hr_net_open(&m->env, dir, &m->net)) == HR_OK &&
               hr_json_bool(hr_json_get(root, "transform")) &&
               (r = hr_path_join(&m->env, dir, "transform_graph", path)) == HR_OK &&
               (r = hr_plan_open(&m->env, path, &m->plan)) == HR_OK &&
               !hr_text_eq(hr_plan_digest(m->plan), hr_json_text(hr_json_get(root, "digest")))) {
        r = hr_fail(&m->env, HR_DATA_LOSS,
                    "the plan in \"%s\" is not the one that the model was trained with", path);
    }
    hr_json_free(doc);
    return r;
}

/* The plan's outputs that are wanted, as indices: the net's inputs; for features, all. */
static hr_status only_inputs(struct model *m, struct hr_apply *apply)
{
    const struct hr_net_shape *s = hr_net_shape(m->net);
    const struct hr_feature *outputs;
    size_t n = hr_plan_outputs(m->plan, &outputs), i, k, count = 0;
    int32_t *list = hr_mem_zero(&m->env, (n + 1) * sizeof *list);
    hr_status r;

    if (!list)
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++)
        for (k = 0; k < s->ninputs; k++)
            if (!strcmp(outputs[i].name, s->inputs[k].name)) {
                list[count++] = (int32_t)i;
                break;
            }
    r = hr_apply_only(apply, list, count);
    hr_mem_put(&m->env, list, (n + 1) * sizeof *list);
    return r;
}

/* Columns that the wanted outputs read, as a schema. */
static hr_status wanted_columns(struct model *m, struct hr_apply *apply, struct ArrowSchema *ret)
{
    struct ArrowSchema all;
    const int32_t *needs;
    size_t n = hr_apply_needs(apply, &needs), i;
    hr_status r = hr_plan_schema(m->plan, &all);

    if (r < 0)
        return r;
    r = hr_schema_new("+s", "", (int64_t)n, ret);
    for (i = 0; i < n && r == HR_OK; i++)
        if ((r = hr_schema_copy(all.children[needs[i]], ret->children[i])) < 0)
            hr_schema_release(ret);
    all.release(&all);
    return r;
}

static hr_status apply_plan(struct model *m, const struct ArrowSchema *in, struct hr_apply **ret)
{
    hr_status r = hr_apply_new(&m->env, m->plan, in, in ? HR_APPLY_DROP_UNUSED : 0, ret);
    const int32_t *outputs;

    if (r == HR_OK && !m->gives_features) {
        r = only_inputs(m, *ret);
        if (r == HR_OK && hr_apply_outputs(*ret, &outputs) < hr_net_shape(m->net)->ninputs) {
            hr_apply_free(*ret); /* for the sentence that names the column */
            *ret = NULL;
            r = hr_apply_new(&m->env, m->plan, in, 0, ret);
            if (r == HR_OK)
                r = hr_fail(&m->env, HR_DATA_LOSS, "the plan does not give all that the net takes");
        }
    }
    return r;
}

/* Without a plan: the net's inputs are the columns. */
static hr_status input_columns(const struct hr_net_shape *s, struct ArrowSchema *ret)
{
    hr_status r = hr_schema_new("+s", "", (int64_t)s->ninputs, ret);
    size_t i;

    for (i = 0; i < s->ninputs && r == HR_OK; i++)
        if ((r = hr_schema_column(ret->children[i], s->inputs[i].name,
                                  s->inputs[i].kind == HR_INPUT_FLOAT ? "f" : "l",
                                  s->inputs[i].kind == HR_INPUT_FLOAT && s->inputs[i].size > 1)) <
            0)
            hr_schema_release(ret);
    return r;
}

static hr_status bind_columns(struct model *m, const struct ArrowSchema *in)
{
    const struct hr_net_shape *s = hr_net_shape(m->net);
    hr_status r;
    size_t i;

    if (!m->plan) {
        if ((r = input_columns(s, &m->in)) < 0)
            return r;
        for (i = 0; in && i < s->ninputs; i++)
            if (hr_col_find(in, s->inputs[i].name) < 0)
                return hr_fail(&m->env, HR_INVALID,
                               "the rows have no column \"%s\", which the model wants",
                               s->inputs[i].name);
        return hr_schema_copy(in ? in : &m->in, &m->rows);
    }
    if ((r = apply_plan(m, in, &m->apply)) < 0 || (r = wanted_columns(m, m->apply, &m->in)) < 0)
        return r;
    if (!in) { /* rows to come have the wanted columns only */
        hr_apply_free(m->apply);
        m->apply = NULL;
        if ((r = apply_plan(m, &m->in, &m->apply)) < 0)
            return r;
    }
    return hr_apply_schema(m->apply, &m->features);
}

static hr_status load(const hr_host *host, hr_run *run, const hr_model_args *args, void **ret_model)
{
    struct model *m = calloc(1, sizeof *m);
    hr_status r = HR_OK;

    if (!m)
        return HR_EXHAUSTED;
    hr_env_init(&m->env, NULL);
    m->rt = host->get_interface(host, HR_RUN);
    m->gives_features = args->signature && !strcmp(args->signature, FEATURES);
    if (args->signature && strcmp(args->signature, DEFAULT) && !m->gives_features)
        r = hr_fail(&m->env, HR_NOT_FOUND,
                    "the model has no signature \"%s\"; it has \"%s\" and \"%s\"", args->signature,
                    DEFAULT, FEATURES);
    if (r == HR_OK && (r = open_files(m, args->dir)) == HR_OK && m->gives_features && !m->plan)
        r = hr_fail(&m->env, HR_NOT_FOUND,
                    "the model has no signature \"%s\": it was trained on raw rows", FEATURES);
    if (r == HR_OK)
        r = bind_columns(m, args->in);
    if (r < 0) {
        r = m->rt->fail(run, r, hr_env_error(&m->env));
        drop(m);
        return r;
    }
    *ret_model = m;
    return HR_OK;
}

/* -- asked ---------------------------------------- */

static hr_status add_labels(const struct hr_net_shape *s, struct ArrowSchema *ret)
{
    int32_t i, n = s->task == HR_TASK_BINARY ? 2 : s->classes;
    struct hr_json_writer w;
    struct hr_env env;
    struct hr_buf b;
    hr_status r;

    hr_env_init(&env, &(struct hr_env_config){ .threads = 1, .batch_rows = 1 });
    hr_buf_of(&b, HR_MAX_JSON_BYTES, &env);
    hr_json_begin(&w, &b, 0);
    hr_json_open_array(&w);
    for (i = 0; i < n; i++)
        hr_json_put_text(&w, s->labels ? s->labels[i] : "");
    hr_json_close_array(&w);
    if ((r = hr_json_end(&w)) == HR_OK)
        r = hr_schema_add_meta(ret, "hr:labels", b.text);
    hr_buf_clear(&b);
    hr_env_clear(&env);
    return r;
}

static hr_status result_schema(const struct hr_net_shape *s, struct ArrowSchema *ret)
{
    static const char *const tasks[] = { "", "regression", "binary", "multiclass" };
    static const char *const names[] = { "", "prediction", "probability", "probabilities" };
    struct ArrowSchema *column;
    char format[24];
    hr_status r = hr_schema_new("+s", "", 1, ret);

    if (r < 0)
        return r;
    column = ret->children[0];
    if (s->task != HR_TASK_CLASSES) {
        r = hr_schema_column(column, names[s->task], "f", 0);
    } else {
        snprintf(format, sizeof format, "+w:%d", (int)s->classes);
        if ((r = hr_schema_new(format, names[s->task], 1, column)) == HR_OK)
            r = hr_schema_new("f", "item", 0, column->children[0]);
    }
    if (r == HR_OK)
        r = hr_schema_add_meta(ret, "hr:task", tasks[s->task]);
    if (r == HR_OK && s->task != HR_TASK_REGRESSION)
        r = add_labels(s, ret);
    if (r < 0)
        hr_schema_release(ret);
    return r;
}

static hr_status describe(const void *p, hr_run *run, struct ArrowSchema *ret_in,
                          struct ArrowSchema *ret_out)
{
    const struct model *m = p;
    hr_status r = hr_schema_copy(&m->in, ret_in);

    (void)run;
    if (r < 0)
        return r;
    r = m->gives_features ? hr_schema_copy(&m->features, ret_out)
                          : result_schema(hr_net_shape(m->net), ret_out);
    if (r < 0)
        ret_in->release(ret_in);
    return r;
}

/* Numbers to the one column of a result; takes them. */
static hr_status make_result(const struct hr_net_shape *s, float *values, int64_t rows,
                             struct ArrowArray *ret)
{
    struct ArrowArray flat = { 0 }, list = { 0 };
    struct hr_built *h;

    if (hr_built_make(rows * s->classes, 0, 2, &flat) < 0) {
        free(values);
        return HR_EXHAUSTED;
    }
    ((struct hr_built *)flat.private_data)->buffers[1] = values;
    if (s->task != HR_TASK_CLASSES)
        return hr_rows_make(&flat, 1, rows, ret);
    if (hr_built_make(rows, 0, 1, &list) < 0) {
        flat.release(&flat);
        return HR_EXHAUSTED;
    }
    h = list.private_data;
    h->item = flat;
    h->children[0] = &h->item;
    list.n_children = 1;
    list.children = h->children;
    return hr_rows_make(&list, 1, rows, ret);
}

static hr_status ask(const struct model *m, struct hr_env *env, const struct ArrowSchema *schema,
                     const struct ArrowArray *features, struct ArrowArray *ret)
{
    const struct hr_net_shape *s = hr_net_shape(m->net);
    size_t n = (size_t)features->length * (size_t)s->classes;
    float *values = malloc((n + 1) * sizeof *values);
    struct hr_samples samples;
    hr_status r;

    if (!values)
        return HR_EXHAUSTED;
    hr_samples_init(&samples, env, m->net);
    if ((r = hr_samples_add(&samples, schema, features, false)) == HR_OK)
        r = hr_net_predict(env, m->net, &samples, values);
    hr_samples_clear(&samples);
    if (r < 0) {
        free(values);
        return r;
    }
    return make_result(s, values, features->length, ret);
}

static hr_status predict(const void *p, hr_run *run, const struct ArrowArray *in,
                         struct ArrowArray *ret)
{
    const struct model *m = p;
    struct hr_apply_error error = { 0 };
    struct ArrowArray features;
    struct hr_env env;
    char text[560];
    hr_status r;

    if (m->plan) {
        r = hr_apply_batch(m->apply, in, m->gives_features ? ret : &features, &error);
        if (r < 0) {
            snprintf(text, sizeof text, "row %lld: %s", (long long)error.row, error.text);
            return m->rt->fail(run, r, text);
        }
        if (m->gives_features)
            return HR_OK;
    }
    hr_env_init(&env, &(struct hr_env_config){ .threads = 1, .batch_rows = 1 });
    r = ask(m, &env, m->plan ? &m->features : &m->rows, m->plan ? &features : in, ret);
    if (m->plan)
        features.release(&features);
    if (r < 0)
        r = m->rt->fail(run, r, hr_env_error(&env));
    hr_env_clear(&env);
    return r;
}

const hr_model_1 trainer_model = { load, describe, predict, drop };
