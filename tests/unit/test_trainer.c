/* The plugins transform and trainer, as a host sees them: loaded, run over penguins, the model
 * asked for predictions.
 */
#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "headrace/model.h"
#include "headrace/rows.h"
#include "help_transform.h"

static const char TYPES[] = "species:l culmen_length_mm:f culmen_depth_mm:f flipper_length_mm:f "
                            "body_mass_g:f";
static const char SCHEMA[] = "feature { name: \"body_mass_g\" type: FLOAT presence { min_fraction: "
                             "1 } shape { dim { size: 1 } } }\n"
                             "feature { name: \"culmen_depth_mm\" type: FLOAT presence { "
                             "min_fraction: 1 } shape { dim { size: 1 } } }\n"
                             "feature { name: \"culmen_length_mm\" type: FLOAT presence { "
                             "min_fraction: 1 } shape { dim { size: 1 } } }\n"
                             "feature { name: \"flipper_length_mm\" type: FLOAT presence { "
                             "min_fraction: 1 } shape { dim { size: 1 } } }\n"
                             "feature { name: \"species\" type: INT presence { min_fraction: 1 } "
                             "shape { dim { size: 1 } } }\n";
static const char SOURCE[] =
    "for f in [culmen_length_mm, culmen_depth_mm, flipper_length_mm, body_mass_g]:\n"
    "    {f}_xf = scale_to_z_score(f)\n"
    "species = species\n";

/* A host with hr.table/1 over two splits, and for all else the one of core/flow. */
struct world {
    hr_host host;
    struct hr_env env;
    struct hr_local *local;
    struct help_rows train, eval; /* of the input "examples" */
    char dir[64], transform[96], model[96], run[96], schema[96];
    struct hr_local *of_transform;
    int splits, fail_at; /* questions for a split; 0: none fails */
};

static struct world *w; /* a test program of its own */

static hr_status table_read(hr_run *run, const char *key, uint32_t i, const char *split,
                            struct ArrowArrayStream *ret)
{
    (void)run;
    assert_string_equal(key, "examples");
    assert_int_equal(i, 0);
    help_stream(strcmp(split, "train") ? &w->eval : &w->train, 50, ret);
    return HR_OK;
}

static hr_status table_split(hr_run *run, const char *key, uint32_t i, uint32_t n, const char **ret)
{
    (void)run, (void)key, (void)i;
    if (++w->splits == w->fail_at)
        return HR_EXHAUSTED;
    *ret = n ? "eval" : "train";
    return n < 2 ? HR_OK : HR_NOT_FOUND;
}

static const hr_table_1 table = { .read = table_read, .split = table_split };

static const void *get_interface(const hr_host *host, const char *id)
{
    const hr_host *other = hr_local_host(w->local);

    (void)host;
    return strcmp(id, HR_TABLE) ? other->get_interface(other, id) : &table;
}

static const hr_component *load(const char *name)
{
    char path[512];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    const hr_plugin *plugin;
    void *so;

    assert_true(n > 0);
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    *strrchr(path, '/') = '\0';
    snprintf(path + strlen(path), 64, "/" HR_TEST_STANDARD "/%s.so", name);
    if (!(so = dlopen(path, RTLD_NOW | RTLD_LOCAL)))
        fail_msg("%s", dlerror());
    plugin = dlsym(so, "hr_plugin_v1");
    assert_non_null(plugin);
    return plugin->components[0];
}

static const void *offer(const hr_component *c, const char *id)
{
    size_t i;

    for (i = 0; c->offers[i]; i++)
        if (!strcmp(c->offers[i]->id, id))
            return c->offers[i]->table;
    return NULL;
}

static hr_status execute(const hr_component *c)
{
    const hr_executor_1 *e = offer(c, HR_EXECUTOR);
    void *self = NULL;
    hr_status r;

    w->host = (hr_host){ .struct_size = sizeof w->host,
                         .abi_major = HR_ABI_MAJOR,
                         .get_interface = get_interface };
    r = e->make(&w->host, hr_local_run(w->local), &self);
    if (r == HR_OK)
        r = e->run(self, hr_local_run(w->local));
    e->drop(self);
    return r;
}

static void write_file(const char *path, const char *text)
{
    if (hr_file_write(&w->env, path, text, strlen(text)) < 0)
        fail_msg("%s", hr_env_error(&w->env));
}

/* Every third penguin is for evaluation. */
static void split_rows(void)
{
    struct hr_pick *picks[2];
    struct help_rows all, *to[2] = { &w->train, &w->eval };
    const struct ArrowArray *from;
    struct hr_taking taking;
    int64_t n[2] = { 0, 0 }, i;
    struct hr_buf text;
    int k;

    hr_buf_of(&text, HR_MAX_FILE_BYTES, &w->env);
    assert_int_equal(
        hr_file_read(&w->env, HR_TEST_CASES "/learn/penguins.json", HR_MAX_FILE_BYTES, &text),
        HR_OK);
    help_rows(TYPES, text.text, &all);
    from = &all.rows;
    for (k = 0; k < 2; k++)
        picks[k] = calloc((size_t)all.rows.length, sizeof *picks[k]);
    for (i = 0; i < all.rows.length; i++) {
        k = i % 3 == 2;
        picks[k][n[k]++] = (struct hr_pick){ 0, i };
    }
    for (k = 0; k < 2; k++) {
        assert_int_equal(hr_schema_copy(&all.schema, &to[k]->schema), HR_OK);
        taking = (struct hr_taking){ &all.schema, &from, 1, picks[k], n[k] };
        assert_int_equal(hr_arrow_take(&w->env, &taking, &to[k]->rows), HR_OK);
        free(picks[k]);
    }
    help_clear(&all);
    hr_buf_clear(&text);
}

static void make_dir(char *to, size_t size, const char *name)
{
    snprintf(to, size, "%s/%s", w->dir, name);
    assert_int_equal(hr_dir_make(&w->env, to), HR_OK);
}

static int setup(void **state)
{
    char path[256];

    (void)state;
    w = calloc(1, sizeof *w);
    hr_env_init(&w->env, NULL);
    strcpy(w->dir, "/tmp/hr-trainer-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    make_dir(w->transform, sizeof w->transform, "transform");
    make_dir(w->model, sizeof w->model, "model");
    make_dir(w->run, sizeof w->run, "run");
    make_dir(w->schema, sizeof w->schema, "schema");
    snprintf(path, sizeof path, "%s/schema.pbtxt", w->schema);
    write_file(path, SCHEMA);
    snprintf(path, sizeof path, "%s/penguin.features", w->dir);
    write_file(path, SOURCE);
    split_rows();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(hr_tree_remove(&w->env, w->dir), HR_OK);
    help_clear(&w->train);
    help_clear(&w->eval);
    hr_local_free(w->of_transform);
    hr_env_clear(&w->env);
    free(w);
    return 0;
}

static void give(const char *split, struct help_rows *rows)
{
    struct ArrowArrayStream s;

    help_stream(rows, 100, &s);
    assert_int_equal(hr_local_input(w->local, "examples", 0, split, &s), HR_OK);
}

static void take(const char *split, struct help_rows *ret)
{
    struct ArrowArrayStream s;

    assert_int_equal(hr_local_output(w->local, "transformed_examples", 0, split, &s), HR_OK);
    help_drain(&w->env, &s, ret);
}

/* The raw splits become features. */
static void test_transform(void **state)
{
    const hr_component *c = load("transform");
    char path[256], out[96];
    struct help_rows train, eval;
    struct hr_plan *plan;
    const struct hr_feature *f;

    (void)state;
    w->local = w->of_transform = hr_local_new(&w->env, c);
    make_dir(out, sizeof out, "examples");
    snprintf(path, sizeof path, "%s/penguin.features", w->dir);
    hr_local_set(w->local, "module_file", path);
    give("train", &w->train);
    give("eval", &w->eval);
    hr_local_path(w->local, "schema", 0, w->schema);
    hr_local_path(w->local, "transform_graph", 0, w->transform);
    hr_local_path(w->local, "transformed_examples", 0, out);
    if (execute(c) < 0)
        fail_msg("%s", hr_env_error(&w->env));
    assert_string_equal(hr_local_text(w->local, NULL, 0, HR_SUMMARY), "5 features");
    take("train", &train);
    take("eval", &eval);
    assert_int_equal(train.rows.length, w->train.rows.length);
    assert_int_equal(eval.rows.length, w->eval.rows.length);
    assert_int_equal(hr_plan_open(&w->env, w->transform, &plan), HR_OK);
    assert_int_equal(hr_plan_outputs(plan, &f), 5);
    assert_string_equal(f[4].name, "species");
    hr_plan_close(plan);
    snprintf(path, sizeof path, "%s/metadata/schema.pbtxt", w->transform);
    assert_true(hr_file_exists(&w->env, path));
    help_clear(&w->train);
    help_clear(&w->eval);
    w->train = train;
    w->eval = eval;
}

static void run_trainer(const hr_component *c, hr_status want)
{
    w->local = hr_local_new(&w->env, c);
    give("train", &w->train);
    give("eval", &w->eval);
    hr_local_set(w->local, "label", "species");
    hr_local_set(w->local, "hidden_units", "[8, 8]");
    hr_local_set(w->local, "train_steps", "100");
    hr_local_set(w->local, "batch_size", "20");
    hr_local_path(w->local, "transform_graph", 0, w->transform);
    hr_local_path(w->local, "schema", 0, w->schema);
    hr_local_path(w->local, "model", 0, w->model);
    hr_local_path(w->local, "model_run", 0, w->run);
    if (want == HR_OK && execute(c) < 0)
        fail_msg("%s", hr_env_error(&w->env));
}

/* A host that does not know which splits there are is not one of examples without them. */
static void test_splits_unknown(void **state)
{
    const hr_component *c = load("trainer");
    hr_status r;

    (void)state;
    for (w->fail_at = 1; w->fail_at < 100; w->fail_at++) {
        run_trainer(c, HR_EXHAUSTED);
        w->splits = 0;
        r = execute(c);
        assert_int_equal(r, w->splits < w->fail_at ? HR_OK : HR_EXHAUSTED);
        hr_local_free(w->local);
        if (w->splits < w->fail_at)
            break;
    }
    assert_true(w->fail_at > 3 && w->fail_at < 100);
    w->fail_at = 0;
}

static void *open_model(const hr_component *c, const char *signature, const struct help_rows *in,
                        hr_status want)
{
    const hr_model_1 *m = offer(c, HR_MODEL);
    hr_model_args args = { .struct_size = sizeof args,
                           .dir = w->model,
                           .format = "headrace/1",
                           .signature = signature,
                           .in = in ? &in->schema : NULL };
    void *model = NULL;

    assert_int_equal(m->load(&w->host, hr_local_run(w->local), &args, &model), want);
    return model;
}

/* Shares of a batch and of single rows are equal to the bit; most are right. */
static void ask(const hr_component *c, const struct help_rows *raw)
{
    const hr_model_1 *m = offer(c, HR_MODEL);
    void *model = open_model(c, NULL, raw, HR_OK);
    struct ArrowSchema in, out;
    struct ArrowArrayStream s;
    struct ArrowArray all, row, one;
    const float *p, *q;
    int64_t i, k, best, right = 0, at;
    struct hr_col label;

    assert_int_equal(m->describe(model, NULL, &in, &out), HR_OK);
    assert_int_equal(in.n_children, 4);
    assert_true(hr_col_find(&in, "species") < 0);
    assert_string_equal(out.children[0]->name, "probabilities");
    assert_string_equal(out.children[0]->format, "+w:3");
    assert_true(hr_schema_meta_is(&out, "hr:task", "multiclass"));
    assert_true(hr_schema_meta_is(&out, "hr:labels", "[\"0\",\"1\",\"2\"]"));
    assert_int_equal(m->predict(model, hr_local_run(w->local), &raw->rows, &all), HR_OK);
    if (hr_arrow_check(&w->env, &out, &all, "prediction") < 0)
        fail_msg("%s", hr_env_error(&w->env));
    p = all.children[0]->children[0]->buffers[1];
    assert_int_equal(hr_col_open(&raw->schema, &raw->rows, 0, &label), HR_OK);
    help_stream(raw, 1, &s);
    for (i = 0; i < raw->rows.length; i++) {
        assert_int_equal(s.get_next(&s, &row), 0);
        assert_int_equal(m->predict(model, hr_local_run(w->local), &row, &one), HR_OK);
        q = one.children[0]->children[0]->buffers[1];
        assert_memory_equal(q, p + i * 3, 3 * sizeof *q);
        for (best = 0, k = 1; k < 3; k++)
            best = q[k] > q[best] ? k : best;
        assert_true(fabsf(q[0] + q[1] + q[2] - 1) < 1e-5f);
        hr_col_count(&label, i, &at);
        right += hr_col_int(&label, at) == best;
        one.release(&one);
        row.release(&row);
    }
    s.release(&s);
    assert_true(right >= raw->rows.length * 9 / 10);
    all.release(&all);
    in.release(&in);
    out.release(&out);
    m->drop(model);
}

/* The second signature gives what the Transform has given, with the label. */
static void ask_features(const hr_component *c, const struct help_rows *raw)
{
    const hr_model_1 *m = offer(c, HR_MODEL);
    void *model = open_model(c, "transform_features", raw, HR_OK);
    struct help_rows got;
    struct ArrowSchema in;
    char *a, *b;

    assert_int_equal(m->describe(model, NULL, &in, &got.schema), HR_OK);
    assert_int_equal(m->predict(model, hr_local_run(w->local), &raw->rows, &got.rows), HR_OK);
    a = help_text(&got);
    b = help_text(&w->eval);
    assert_string_equal(a, b);
    free(a);
    free(b);
    help_clear(&got);
    in.release(&in);
    m->drop(model);
}

static void damage(const char *name)
{
    char path[256];
    struct hr_buf b;

    snprintf(path, sizeof path, "%s/%s", w->model, name);
    hr_buf_of(&b, 1 << 20, &w->env);
    assert_int_equal(hr_file_read(&w->env, path, 1 << 20, &b), HR_OK);
    b.text[b.len / 2] ^= 1;
    assert_int_equal(hr_file_write(&w->env, path, b.text, b.len), HR_OK);
    hr_buf_clear(&b);
}

static void test_trainer(void **state)
{
    const hr_component *c = load("trainer");
    struct help_rows raw, unlabelled;
    struct hr_buf text, lines;
    char path[256];

    (void)state;
    run_trainer(c, HR_OK);
    assert_string_equal(hr_local_text(w->local, "model", 0, "format"), "headrace/1");
    assert_non_null(strstr(hr_local_text(w->local, NULL, 0, HR_SUMMARY), "accuracy "));
    snprintf(path, sizeof path, "%s/metrics.jsonl", w->run);
    hr_buf_of(&lines, 1 << 20, &w->env);
    assert_int_equal(hr_file_read(&w->env, path, 1 << 20, &lines), HR_OK);
    assert_non_null(strstr(lines.text, "{\"step\":100,\"train\":{\"loss\":"));
    hr_buf_clear(&lines);
    hr_buf_of(&text, HR_MAX_FILE_BYTES, &w->env);
    assert_int_equal(
        hr_file_read(&w->env, HR_TEST_CASES "/learn/penguins.json", HR_MAX_FILE_BYTES, &text),
        HR_OK);
    help_rows(TYPES, text.text, &raw);
    ask(c, &raw);
    help_clear(&raw);
    hr_buf_clear(&text);
    help_rows("body_mass_g:f culmen_depth_mm:f culmen_length_mm:f", "[[1,1,1]]", &unlabelled);
    open_model(c, NULL, &unlabelled, HR_INVALID);
    assert_non_null(strstr(hr_env_error(&w->env), "no column \"flipper_length_mm\""));
    open_model(c, "other", NULL, HR_NOT_FOUND);
    help_clear(&unlabelled);
    hr_errors_cut(&w->env, 0);
    hr_local_free(w->local);
}

/* Raw rows of the eval split, as they were before the Transform. */
static void test_features(void **state)
{
    const hr_component *c = load("trainer");
    struct help_rows raw, keep[2] = { w->train, w->eval };

    (void)state;
    w->local = hr_local_new(&w->env, c);
    memset(&w->train, 0, sizeof w->train);
    memset(&w->eval, 0, sizeof w->eval);
    split_rows();
    raw = w->eval;
    help_clear(&w->train);
    w->train = keep[0];
    w->eval = keep[1];
    ask_features(c, &raw);
    damage("weights.bin");
    open_model(c, NULL, &raw, HR_DATA_LOSS);
    damage("weights.bin");
    damage("transform_graph/transform_fn/plan.sha256");
    open_model(c, NULL, &raw, HR_DATA_LOSS);
    damage("transform_graph/transform_fn/plan.sha256");
    ((const hr_model_1 *)offer(c, HR_MODEL))->drop(open_model(c, NULL, NULL, HR_OK));
    help_clear(&raw);
    hr_errors_cut(&w->env, 0);
    hr_local_free(w->local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transform),
        cmocka_unit_test(test_trainer),
        cmocka_unit_test(test_splits_unknown),
        cmocka_unit_test(test_features),
    };

    return cmocka_run_group_tests_name("trainer", tests, setup, teardown);
}
