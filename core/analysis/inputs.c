/* The map: for each row and each slice it belongs to
 *
 *     slice     z    bytes of the key
 *     labels0   +g   of the first model spec, scores0 +g, weight0 g; then of the second
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/evaluate.h"
#include "analysis/slices.h"
#include "headrace/model.h"

enum { MODELS = 2, COLUMNS = 3 };

/* Where the labels, scores and weights of one model spec come from.  Where the spec names a
 * preprocessing function, labels and weights that are no columns of the examples are looked
 * for in the features that this signature of the model gives. */
struct source {
    const HR_MA(ModelSpec) * spec;
    int64_t label, weight, score; /* columns of the rows; weight -1: none; score -1: a model */
    const hr_model_1 *iface;
    const void *model;
    struct ArrowSchema out; /* of the model */
    struct ArrowArray predicted;
    const hr_model_1 *prep_iface; /* NULL: no preprocessing */
    const void *prep_model;
    struct ArrowSchema prep; /* the features */
    struct ArrowArray prepared;
    bool label_prepared, weight_prepared;
    char **names; /* of the classes; NULL: labels are their numbers */
    size_t names_n;
    struct hr_col label_col, weight_col, score_col;
};

struct self {
    struct hr_env env;
    struct hr_arena arena;
    const hr_run_1 *run;
    const hr_emit_1 *emit;
    struct ArrowSchema in;
    struct hr_slicer *slicer;
    struct hr_slice_keys keys;
    struct source sources[MODELS];
    size_t n;
};

static hr_status fail(struct self *s, hr_run *run, hr_status r)
{
    if (r < 0 && s->run && run && s->env.errors.count)
        s->run->fail(run, r, hr_env_error(&s->env));
    return r;
}

/* -- making ------------------------------------------------------------------------------ */

static hr_status column(struct self *s, const char *key, const char *what, int64_t *ret)
{
    const char **names;
    int64_t i;

    if (!key || !*key)
        return hr_fail(&s->env, HR_INVALID, "the modelSpec has no %s", what);
    *ret = hr_col_find(&s->in, key);
    if (*ret >= 0)
        return HR_OK;
    names = hr_arena_array(&s->arena, (size_t)s->in.n_children + 1, sizeof *names);
    if (!names)
        return HR_EXHAUSTED;
    for (i = 0; i < s->in.n_children; i++)
        names[i] = s->in.children[i]->name;
    return hr_fail_meant(&s->env, HR_INVALID, NULL,
                         hr_text_meant(key, names, (size_t)s->in.n_children),
                         "%s \"%s\" is no column of the examples", what, key);
}

/* The names of the classes that a model predicts, from the metadata of its result. */
static hr_status class_names(struct self *s, struct source *x)
{
    struct hr_json_doc *doc = NULL;
    const struct hr_json *v;
    int32_t size = 0;
    const char *text = hr_schema_meta(&x->out, "hr:labels", &size);
    hr_status r;

    if (!text)
        return HR_OK;
    r = hr_json_parse(&s->env, "hr:labels", text, (size_t)size, 0, &doc);
    if (r < 0)
        return r;
    x->names = hr_arena_array(&s->arena, hr_json_count(hr_json_root(doc)) + 1, sizeof *x->names);
    for (v = hr_json_first(hr_json_root(doc)); v && x->names; v = hr_json_next(v)) {
        x->names[x->names_n] = hr_arena_text(&s->arena, hr_json_text(v) ? hr_json_text(v) : "");
        if (!x->names[x->names_n++])
            r = HR_EXHAUSTED;
    }
    hr_json_free(doc);
    return x->names ? r : HR_EXHAUSTED;
}

/* The signature that the spec's preprocessing function names, as TFMA's transform_features. */
static hr_status load_preprocessing(struct self *s, const hr_host *host, hr_run *run,
                                    struct source *x)
{
    const hr_models_1 *models = host ? host->get_interface(host, HR_MODELS) : NULL;
    const char *key = x->spec->is_baseline ? "baseline_model" : "model";
    struct ArrowSchema wants = { 0 };
    hr_status r;

    if (x->spec->n_preprocessing_function_names != 1)
        return hr_fail(&s->env, HR_UNIMPLEMENTED,
                       "a modelSpec names %zu preprocessing functions, and one is possible",
                       x->spec->n_preprocessing_function_names);
    if (!models)
        return hr_fail(&s->env, HR_UNIMPLEMENTED, "this host loads no models");
    r = models->load(run, key, 0, x->spec->preprocessing_function_names[0], &s->in,
                     &x->prep_iface, &x->prep_model);
    if (r == HR_OK)
        r = x->prep_iface->describe(x->prep_model, run, &wants, &x->prep);
    if (r == HR_OK)
        wants.release(&wants);
    return r;
}

/* A column of the examples, or else of the features. */
static hr_status prepared_column(struct self *s, struct source *x, const char *key,
                                 const char *what, int64_t *ret, bool *ret_prepared)
{
    int64_t i = x->prep_iface && key && *key ? hr_col_find(&x->prep, key) : -1;

    *ret_prepared = i >= 0 && hr_col_find(&s->in, key) < 0;
    if (!*ret_prepared)
        return column(s, key, what, ret);
    *ret = i;
    return HR_OK;
}

static hr_status load_model(struct self *s, const hr_host *host, hr_run *run, struct source *x)
{
    const hr_models_1 *models = host ? host->get_interface(host, HR_MODELS) : NULL;
    const char *key = x->spec->is_baseline ? "baseline_model" : "model";
    struct ArrowSchema wants = { 0 };
    hr_status r;

    if (!models)
        return hr_fail(&s->env, HR_UNIMPLEMENTED, "this host loads no models");
    r = models->load(run, key, 0, NULL, &s->in, &x->iface, &x->model);
    if (r < 0)
        return r;
    r = x->iface->describe(x->model, run, &wants, &x->out);
    if (r < 0)
        return r;
    wants.release(&wants);
    if (x->out.n_children < 1)
        return hr_fail(&s->env, HR_INVALID, "the model of \"%s\" gives no columns", key);
    return class_names(s, x);
}

/* Which column of the model's result holds the scores: the one that is named, or the first. */
static hr_status score_column(struct self *s, struct source *x)
{
    static const char *const usual[] = { "probabilities", "probability", "prediction" };
    const char *key = x->spec->prediction_key;
    size_t i;

    x->score = key && *key ? hr_col_find(&x->out, key) : -1;
    for (i = 0; i < 3 && x->score < 0; i++)
        x->score = hr_col_find(&x->out, usual[i]);
    if (x->score < 0)
        return hr_fail(&s->env, HR_INVALID,
                       "the model gives none of the columns \"probabilities\", \"probability\", "
                       "\"prediction\"; name one by predictionKey");
    return HR_OK;
}

static hr_status make_source(struct self *s, const hr_host *host, hr_run *run, uint32_t models,
                             struct source *x)
{
    bool predicts = models & (x->spec->is_baseline ? HR_EVALUATION_BASELINE : HR_EVALUATION_MODEL);
    hr_status r = HR_OK;

    x->weight = -1;
    if (predicts && x->spec->n_preprocessing_function_names)
        r = load_preprocessing(s, host, run, x);
    if (r == HR_OK)
        r = prepared_column(s, x, x->spec->label_key, "labelKey", &x->label, &x->label_prepared);
    if (r == HR_OK && x->spec->example_weight_key && *x->spec->example_weight_key)
        r = prepared_column(s, x, x->spec->example_weight_key, "exampleWeightKey", &x->weight,
                            &x->weight_prepared);
    if (r < 0)
        return r;
    if (!predicts)
        return column(s, x->spec->prediction_key, "predictionKey", &x->score);
    r = load_model(s, host, run, x);
    return r < 0 ? r : score_column(s, x);
}

static hr_status out_schema(const struct self *s, struct ArrowSchema *ret)
{
    hr_status r = hr_schema_new("+s", "", 1 + COLUMNS * (int64_t)s->n, ret);
    char name[32];
    size_t i;

    if (r < 0)
        return r;
    r = hr_schema_column(ret->children[0], "slice", "z", 0);
    for (i = 0; i < s->n && r == HR_OK; i++) {
        struct ArrowSchema **c = ret->children + 1 + COLUMNS * i;

        snprintf(name, sizeof name, "labels%zu", i);
        r = hr_schema_column(c[0], name, "g", 1);
        snprintf(name, sizeof name, "scores%zu", i);
        if (r == HR_OK)
            r = hr_schema_column(c[1], name, "g", 1);
        snprintf(name, sizeof name, "weight%zu", i);
        if (r == HR_OK)
            r = hr_schema_column(c[2], name, "g", 0);
    }
    if (r < 0)
        ret->release(ret);
    return r;
}

static void drop(void *self)
{
    struct self *s = self;
    size_t i;

    if (!s)
        return;
    for (i = 0; i < MODELS; i++) {
        if (s->sources[i].out.release)
            s->sources[i].out.release(&s->sources[i].out);
        if (s->sources[i].prep.release)
            s->sources[i].prep.release(&s->sources[i].prep);
    }
    if (s->in.release)
        s->in.release(&s->in);
    hr_slice_keys_clear(&s->env, &s->keys);
    hr_arena_clear(&s->arena);
    hr_env_clear(&s->env);
    free(s);
}

static hr_status prepare(struct self *s, const hr_host *host, hr_run *run,
                         const hr_function_args *args)
{
    hr_eval_config *config = NULL;
    uint32_t models = 0;
    hr_status r;
    size_t i;

    if (hr_schema_copy(args->in, &s->in) < 0)
        return hr_fail_memory(&s->env);
    r = hr_evaluation_load(&s->arena, args->config, args->config_size, &config, &models);
    if (r == HR_OK)
        r = hr_slicer_make(&s->arena, config, &s->in, &s->slicer);
    if (r < 0)
        return r;
    s->n = config->n_model_specs < MODELS ? config->n_model_specs : MODELS;
    for (i = 0; i < s->n && r == HR_OK; i++) {
        s->sources[i].spec = config->model_specs[i];
        r = make_source(s, host, run, models, &s->sources[i]);
    }
    return r;
}

static hr_status make(const hr_host *host, hr_run *run, const hr_function_args *args,
                      struct ArrowSchema *ret_outs, void **ret_self)
{
    struct self *s = calloc(1, sizeof *s);
    hr_status r;

    if (!s)
        return HR_EXHAUSTED;
    hr_env_init(&s->env, NULL);
    hr_arena_init(&s->arena, &s->env, 0);
    hr_slice_keys_init(&s->env, &s->keys);
    s->run = host ? host->get_interface(host, HR_RUN) : NULL;
    s->emit = host ? host->get_interface(host, HR_EMIT) : NULL;
    r = s->emit ? prepare(s, host, run, args) : HR_INTERNAL;
    if (r == HR_OK)
        r = out_schema(s, ret_outs);
    if (r < 0) {
        fail(s, run, r);
        drop(s);
        return r;
    }
    *ret_self = s;
    return HR_OK;
}

/* -- rows ------------------------------------------------------------------------------- */

/* The number of a class: its name among those of the model, or the number itself. */
static hr_status label_number(struct self *s, const struct source *x, int64_t at, double *ret)
{
    const struct hr_col *c = &x->label_col;
    char digits[HR_NUM_TEXT];
    const char *text = digits;
    size_t n, i;

    if (c->kind == HR_COL_BYTES)
        text = hr_col_bytes(c, at, &n);
    else if (c->kind == HR_COL_INT)
        n = hr_num_put_int(digits, hr_col_int(c, at));
    else
        n = hr_num_put_float(digits, (float)hr_col_double(c, at));
    for (i = 0; i < x->names_n; i++)
        if (strlen(x->names[i]) == n && !memcmp(x->names[i], text, n)) {
            *ret = (double)i;
            return HR_OK;
        }
    if (c->kind != HR_COL_BYTES) {
        *ret = hr_col_double(c, at);
        return HR_OK;
    }
    if (hr_num_double(text, n, ret))
        return HR_OK;
    return hr_fail(&s->env, HR_INVALID,
                   "label \"%.*s\" is neither a number nor one of the model's classes",
                   (int)(n < 100 ? n : 100), text);
}

static hr_status put_labels(struct self *s, const struct source *x, int64_t row,
                            struct hr_builder *to)
{
    int64_t at, n = hr_col_count(&x->label_col, row, &at), k;
    hr_status r = HR_OK;
    double v;

    if (!n)
        return hr_fail(&s->env, HR_INVALID,
                       "a row has no label in \"%s\"; take such rows out before",
                       x->label_col.name);
    for (k = 0; k < n && r == HR_OK; k++) {
        r = label_number(s, x, at + k, &v);
        if (r == HR_OK)
            hr_builder_double(to, v);
    }
    hr_builder_end(to);
    return r;
}

static hr_status put_source(struct self *s, const struct source *x, int64_t row,
                            struct hr_builder *to)
{
    hr_status r = put_labels(s, x, row, &to[0]);
    int64_t at, n, k;
    double weight = 1;

    if (r < 0)
        return r;
    n = hr_col_count(&x->score_col, row, &at);
    if (!n)
        return hr_fail(&s->env, HR_INVALID, "a row has no prediction in \"%s\"", x->score_col.name);
    for (k = 0; k < n; k++)
        hr_builder_double(&to[1], hr_col_double(&x->score_col, at + k));
    hr_builder_end(&to[1]);
    if (x->weight >= 0) {
        if (hr_col_count(&x->weight_col, row, &at) != 1)
            return hr_fail(&s->env, HR_INVALID, "a row has not one weight in \"%s\"",
                           x->weight_col.name);
        weight = hr_col_double(&x->weight_col, at);
    }
    hr_builder_double(&to[2], weight);
    return HR_OK;
}

static bool is_number(const struct hr_col *c)
{
    return c->kind == HR_COL_INT || c->kind == HR_COL_FLOAT;
}

/* A column of the rows, or of what was made of them. */
static hr_status open_column(const struct self *s, const struct source *x, bool prepared,
                             const struct ArrowArray *rows, int64_t i, struct hr_col *ret)
{
    return hr_col_open(prepared ? &x->prep : &s->in, prepared ? &x->prepared : rows, i, ret);
}

static hr_status open_columns(struct self *s, const struct ArrowArray *rows, struct source *x)
{
    const struct ArrowSchema *schema = x->iface ? &x->out : &s->in;

    if (open_column(s, x, x->label_prepared, rows, x->label, &x->label_col) < 0 ||
        hr_col_open(schema, x->iface ? &x->predicted : rows, x->score, &x->score_col) < 0 ||
        (x->weight >= 0 &&
         open_column(s, x, x->weight_prepared, rows, x->weight, &x->weight_col) < 0))
        return hr_fail(&s->env, HR_INVALID, "the columns of a batch are not of their types");
    if (!is_number(&x->score_col) || (x->weight >= 0 && !is_number(&x->weight_col)))
        return hr_fail(&s->env, HR_INVALID, "column \"%s\" holds no numbers",
                       is_number(&x->score_col) ? x->weight_col.name : x->score_col.name);
    if (x->label_col.kind == HR_COL_NULL)
        return hr_fail(&s->env, HR_INVALID, "label column \"%s\" is empty", x->label_col.name);
    return HR_OK;
}

/* Open the columns of a batch, and let the model predict. */
static hr_status open_source(struct self *s, hr_run *run, const struct ArrowArray *rows,
                             struct source *x)
{
    hr_status r = HR_OK;

    if (x->iface)
        r = x->iface->predict(x->model, run, rows, &x->predicted);
    if (r == HR_OK && (x->label_prepared || x->weight_prepared))
        r = x->prep_iface->predict(x->prep_model, run, rows, &x->prepared);
    return r < 0 ? r : open_columns(s, rows, x);
}

static hr_status put_rows(struct self *s, int64_t length, struct hr_builder *b)
{
    hr_status r = HR_OK;
    int64_t i;
    size_t k, m, from;

    for (i = 0; i < length && r == HR_OK; i++) {
        r = hr_slicer_row(&s->env, s->slicer, i, &s->keys);
        for (k = 0, from = 0; k < s->keys.n && r == HR_OK; from = s->keys.ends[k++]) {
            hr_builder_bytes(&b[0], s->keys.bytes.text + from, s->keys.ends[k] - from);
            for (m = 0; m < s->n && r == HR_OK; m++)
                r = put_source(s, &s->sources[m], i, b + 1 + COLUMNS * m);
        }
    }
    return r;
}

static hr_status finish(struct self *s, struct hr_builder *b, size_t n, struct ArrowArray *ret)
{
    struct ArrowArray columns[1 + COLUMNS * MODELS];
    int64_t length = b[0].rows;
    hr_status r = HR_OK;
    size_t i, k;

    memset(columns, 0, sizeof columns);
    for (i = 0; i < n && r == HR_OK; i++)
        r = hr_builder_done(&b[i], &columns[i]);
    if (r == HR_OK)
        r = hr_rows_make(columns, (int64_t)n, length, ret);
    else
        for (k = 0; k < n; k++)
            if (columns[k].release)
                columns[k].release(&columns[k]);
    return r < 0 ? hr_fail_memory(&s->env) : HR_OK;
}

static hr_status batch(void *self, hr_run *run, struct ArrowArray *rows)
{
    struct self *s = self;
    struct hr_builder b[1 + COLUMNS * MODELS];
    size_t n = 1 + COLUMNS * s->n, i;
    struct ArrowArray out;
    hr_status r = HR_OK;

    for (i = 0; i < n; i++)
        hr_builder_init(&b[i], i ? "g" : "z", i && (i - 1) % COLUMNS != 2);
    for (i = 0; i < s->n && r == HR_OK; i++)
        r = open_source(s, run, rows, &s->sources[i]);
    if (r == HR_OK)
        r = hr_slicer_open(&s->env, s->slicer, &s->in, rows);
    if (r == HR_OK)
        r = put_rows(s, rows->length, b);
    if (r == HR_OK)
        r = finish(s, b, n, &out);
    for (i = 0; i < n; i++)
        hr_builder_drop(&b[i]);
    for (i = 0; i < s->n; i++) {
        if (s->sources[i].predicted.release)
            s->sources[i].predicted.release(&s->sources[i].predicted);
        if (s->sources[i].prepared.release)
            s->sources[i].prepared.release(&s->sources[i].prepared);
    }
    rows->release(rows);
    if (r < 0)
        return fail(s, run, r);
    return s->emit->emit(run, 0, &out);
}

static hr_status flush(void *self, hr_run *run)
{
    (void)self;
    (void)run;
    return HR_OK;
}

const hr_map_1 hr_evaluation_inputs = { make, batch, flush, drop };
