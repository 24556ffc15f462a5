#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/analysis.h"
#include "analysis/results.h"
#include "analysis/slices.h"
#include "help_flow.h"
#include "help_proto.h"
#include "help_table.h"

static const hr_function inputs = HR_EVALUATION_INPUTS;
static const hr_function sums = HR_EVALUATION_SUMS;
static const char *const by_slice[] = { "slice", NULL };

struct fix {
    struct hr_env env;
    struct hr_arena arena;
};

static void begin(struct fix *f)
{
    hr_env_init(&f->env, NULL);
    hr_arena_init(&f->arena, &f->env, 0);
}

static void end(struct fix *f)
{
    hr_arena_clear(&f->arena);
    hr_env_clear(&f->env);
}

static struct hr_json_doc *json_of(struct fix *f, const char *dir, const char *name)
{
    struct hr_json_doc *doc = NULL;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    help_case(&f->env, dir, name, &b);
    if (hr_json_parse(&f->env, name, b.text, b.len, 0, &doc) < 0)
        fail_msg("%s: %s", dir, hr_env_error(&f->env));
    hr_buf_clear(&b);
    return doc;
}

static hr_eval_config *config_of(struct fix *f, const char *text, size_t n)
{
    hr_eval_config *c = NULL;

    hr_errors_cut(&f->env, 0);
    if (hr_eval_config_read(&f->arena, "eval.json", text, n, &c) < 0)
        return NULL;
    return c;
}

static hr_eval_config *config_file(struct fix *f, const char *name)
{
    hr_eval_config *c;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    help_case(&f->env, "analysis/tables", name, &b);
    c = config_of(f, b.text, b.len);
    if (!c)
        fail_msg("%s", hr_env_error(&f->env));
    hr_buf_clear(&b);
    return c;
}

static bool has_baseline(const hr_eval_config *c)
{
    size_t i;

    for (i = 0; i < c->n_model_specs; i++)
        if (c->model_specs[i]->is_baseline)
            return true;
    return false;
}

static hr_eval_config *defaulted(struct fix *f, const hr_eval_config *c)
{
    hr_eval_config *d = NULL;

    if (hr_eval_config_default(&f->arena, c, has_baseline(c), &d) < 0)
        fail_msg("%s", hr_env_error(&f->env));
    return d;
}

/* Rows through both functions, by some threads and batches; the code of what failed. */
static hr_status try_evaluate(struct fix *f, const hr_eval_config *c, const struct help_rows *rows,
                              int threads, int batch, struct hr_evaluation *ret, char *error)
{
    struct help_run how = { .threads = threads, .batch_rows = batch };
    struct help_rows middle, out;
    struct ArrowArrayStream stream;
    struct hr_buf config;
    hr_status r;

    hr_buf_of(&config, 1 << 20, &f->env);
    assert_int_equal(hr_evaluation_config(&f->env, c, 0, &config), HR_OK);
    how.config = config.text;
    how.config_size = config.len;
    how.function = &inputs;
    r = help_map(&how, rows, 0, &middle);
    if (r == HR_OK) {
        how.function = &sums;
        how.keys = by_slice;
        r = help_combine(&how, &middle, &out);
        help_clear(&middle);
    }
    if (r == HR_OK) {
        help_stream(&out, 1000, &stream);
        assert_int_equal(hr_evaluation_take(&f->arena, &stream, ret), HR_OK);
        help_clear(&out);
    } else {
        strcpy(error, how.error);
    }
    hr_buf_clear(&config);
    return r;
}

static void evaluate(struct fix *f, const hr_eval_config *c, const struct help_rows *rows,
                     struct hr_evaluation *ret)
{
    char error[1024];

    if (try_evaluate(f, c, rows, 2, 100, ret, error) < 0)
        fail_msg("%s", error);
}

/* -- comparing ------------------------------------------------------------------------- */

static void same_json(const char *what, const struct hr_json_doc *da, const struct hr_json *a,
                      const struct hr_json_doc *db, const struct hr_json *b, double bound)
{
    double x = 0, y = 0;

    if (!a || !b)
        fail_msg("%s: a member lacks", what);
    if (hr_json_kind(b) == HR_JSON_NUMBER) {
        assert_true(hr_json_double(da, a, &x) && hr_json_double(db, b, &y));
        if (!(fabs(x - y) <= bound * fmax(1e-300, fabs(y))) && !(fabs(x - y) < 1e-12))
            fail_msg("%s: %.17g, should be %.17g", what, x, y);
        return;
    }
    assert_int_equal(hr_json_kind(a), hr_json_kind(b));
    if (hr_json_text(b))
        assert_string_equal(hr_json_text(a), hr_json_text(b));
    if (hr_json_count(a) != hr_json_count(b))
        fail_msg("%s: %zu members, should be %zu", what, hr_json_count(a), hr_json_count(b));
    if (hr_json_kind(b) == HR_JSON_OBJECT) {
        for (b = hr_json_first(b); b; b = hr_json_next(b))
            same_json(what, da, hr_json_get(a, hr_json_key(b)), db, b, bound);
    } else {
        for (a = hr_json_first(a), b = hr_json_first(b); b;
             a = hr_json_next(a), b = hr_json_next(b))
            same_json(what, da, a, db, b, bound);
    }
}

static void same_value(struct fix *f, const char *what, const HR_MA(MetricValue) * v,
                       const struct hr_json_doc *doc, const struct hr_json *want, double bound)
{
    struct hr_json_doc *got = NULL;
    struct hr_json_writer w;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    hr_json_begin(&w, &b, 0);
    hr_pb_json_write(&w, &v->base);
    assert_int_equal(hr_json_end(&w), HR_OK);
    assert_int_equal(hr_json_parse(&f->env, "got", b.text, b.len, 0, &got), HR_OK);
    same_json(what, got, hr_json_root(got), doc, want, bound);
    hr_json_free(got);
    hr_buf_clear(&b);
}

/* The names by which slicing_metrics of the reference calls a metric. */
static void names_of(const HR_MA(MetricKey) * k, char *sub, char *name)
{
    static const char *const averages[] = { "", "micro_average", "macro_average",
                                            "weighted_macro_average" };

    *sub = '\0';
    if (k->sub_key && k->sub_key->class_id)
        sprintf(sub, "classId:%d", (int)k->sub_key->class_id->value);
    if (k->sub_key && k->sub_key->k)
        sprintf(sub, "k:%d", (int)k->sub_key->k->value);
    if (k->sub_key && k->sub_key->top_k)
        sprintf(sub, "topK:%d", (int)k->sub_key->top_k->value);
    if (k->is_diff)
        sprintf(name, "%s_diff", k->name);
    else if (k->aggregation_type)
        sprintf(name, "%s: true\n_%s", averages[k->aggregation_type->type_case], k->name);
    else
        strcpy(name, k->name);
}

static bool is_slice(const HR_MA(SliceKey) * key, const struct hr_json_doc *doc,
                     const struct hr_json *slice)
{
    const struct hr_json *p = hr_json_first(slice), *v;
    int64_t i;
    size_t n;

    if (hr_json_count(slice) != key->n_single_slice_keys)
        return false;
    for (n = 0; p; p = hr_json_next(p), n++) {
        const HR_MA(SingleSliceKey) *s = key->single_slice_keys[n];

        v = hr_json_first(p);
        if (strcmp(s->column, hr_json_text(v)) != 0)
            return false;
        v = hr_json_next(v);
        if (hr_json_text(v) ? s->bytes_value.len != strlen(hr_json_text(v)) ||
                                  memcmp(s->bytes_value.data, hr_json_text(v), s->bytes_value.len)
                            : !hr_json_int(doc, v, &i) || i != s->int64_value)
            return false;
    }
    return true;
}

/* An entry of the reference: one slice of one model. */
static size_t same_slice(struct fix *f, const char *what, const struct hr_evaluation *e,
                         const struct hr_json_doc *doc, const struct hr_json *want, double bound)
{
    const char *model = hr_json_text(hr_json_get(want, "model"));
    const struct hr_json *metrics = hr_json_get(hr_json_get(want, "metrics"), ""), *v;
    char sub[64], name[200], text[300];
    size_t i, k, n = 0;

    for (i = 0; i < e->n; i++)
        if (is_slice(e->slices[i]->slice_key, doc, hr_json_get(want, "slice")))
            break;
    if (i == e->n)
        fail_msg("%s: a slice lacks", what);
    for (k = 0; k < e->slices[i]->n_metric_keys_and_values; k++) {
        const HR_MA(MetricKey) *key = e->slices[i]->metric_keys_and_values[k]->key;

        if (strcmp(model, "<unknown>") && strcmp(key->model_name ? key->model_name : "", model))
            continue;
        names_of(key, sub, name);
        v = hr_json_get(hr_json_get(metrics, sub), name);
        snprintf(text, sizeof text, "%s, %s %s", what, sub, name);
        if (!v)
            fail_msg("%s is too much", text);
        same_value(f, text, e->slices[i]->metric_keys_and_values[k]->value, doc, v, bound);
        n++;
    }
    for (v = hr_json_first(metrics); v; v = hr_json_next(v))
        n -= hr_json_count(v);
    if (n)
        fail_msg("%s: metrics lack", what);
    return i;
}

static const struct hr_json *first_of(const struct hr_json *v)
{
    return v ? hr_json_first(v) : NULL;
}

/* Slices and failures are compared as sets: they have no order in the reference. */
static void same_verdict(struct fix *f, const char *what, const hr_verdict *v,
                         const struct hr_json_doc *doc, double bound)
{
    const struct hr_json *want = hr_json_root(doc), *w, *g;
    struct hr_json_doc *got = NULL;
    struct hr_json_writer writer;
    struct hr_buf b;
    const struct hr_json *list, *mine;
    HR_MA(ValidationResult) copy = *v;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    copy.has_validation_ok = v->validation_ok;
    hr_json_begin(&writer, &b, 0);
    hr_pb_json_write(&writer, &copy.base);
    assert_int_equal(hr_json_end(&writer), HR_OK);
    assert_int_equal(hr_json_parse(&f->env, "got", b.text, b.len, 0, &got), HR_OK);
    mine = hr_json_root(got);
    if (hr_json_count(mine) != hr_json_count(want))
        fail_msg("%s: the verdict is %s", what, b.text);
    for (w = hr_json_first(want); w; w = hr_json_next(w)) {
        if (strcmp(hr_json_key(w), "metricValidationsPerSlice") != 0) {
            same_json(what, got, hr_json_get(mine, hr_json_key(w)), doc, w, bound);
            continue;
        }
        list = hr_json_get(mine, hr_json_key(w));
        assert_int_equal(hr_json_count(list), hr_json_count(w));
        for (w = hr_json_first(w); w; w = hr_json_next(w)) {
            struct hr_slice key = hr_json_source(doc, hr_json_get(w, "sliceKey"));
            const struct hr_json *single =
                first_of(hr_json_get(hr_json_get(w, "sliceKey"), "singleSliceKeys"));

            for (g = hr_json_first(list); g; g = hr_json_next(g)) {
                const struct hr_json *other =
                    first_of(hr_json_get(hr_json_get(g, "sliceKey"), "singleSliceKeys"));

                if (!single == !other &&
                    (!single || !strcmp(hr_json_text(hr_json_get(single, "bytesValue")),
                                        hr_json_text(hr_json_get(other, "bytesValue")))))
                    break;
            }
            if (!g)
                fail_msg("%s: nothing is said of slice %.*s", what, (int)key.len, key.text);
            same_json(what, got, g, doc, w, bound);
        }
        w = hr_json_get(want, "metricValidationsPerSlice");
    }
    hr_json_free(got);
    hr_buf_clear(&b);
}

/* -- the reference --------------------------------------------------------------------- */

static const char *const cases[] = { "binary_all",
                                     "binary_weighted",
                                     "multiclass_all",
                                     "multiclass_binarized",
                                     "regression_all",
                                     "validate_baseline_absent",
                                     "validate_both",
                                     "validate_change_better",
                                     "validate_change_relative",
                                     "validate_change_worse",
                                     "validate_missing_slice",
                                     "validate_per_slice",
                                     "validate_value_fail",
                                     "validate_value_pass",
                                     "validate_value_upper" };

static const char *table_of(const char *name)
{
    if (!strncmp(name, "multi", 5))
        return "multiclass";
    return strncmp(name, "regression", 10) ? "binary" : "regression";
}

/* The reference sums in floats by batches of its own where a metric is of Keras, and takes
 * errors of scores that are floats in floats. */
static double bound_of(const char *name, bool examples)
{
    return examples || !strcmp(name, "multiclass_all") || !strcmp(name, "regression_all") ? 1e-6
                                                                                          : 1e-9;
}

static void one_case(struct fix *f, const char *name, bool examples)
{
    const char *dir = examples ? "analysis/examples" : "analysis/tables";
    struct hr_evaluation e = { NULL, 0 };
    hr_eval_config *given, *checked;
    struct hr_json_doc *doc;
    const struct hr_json *w;
    struct help_rows rows;
    hr_verdict *verdict;
    char file[100];

    snprintf(file, sizeof file, "%s.config.json", name);
    given = config_file(f, file);
    checked = defaulted(f, given);
    snprintf(file, sizeof file, "%s%s.rows.json", table_of(name), examples ? "_examples" : "");
    help_table("analysis", file, &rows);
    evaluate(f, checked, &rows, &e);
    snprintf(file, sizeof file, "%s.metrics.json", name);
    doc = json_of(f, dir, file);
    for (w = hr_json_first(hr_json_root(doc)); w; w = hr_json_next(w))
        same_slice(f, file, &e, doc, w, bound_of(name, examples));
    hr_json_free(doc);
    if (!strncmp(name, "validate", 8)) {
        assert_int_equal(
            hr_verdict_make(&f->arena, &e, checked, examples ? checked : given, &verdict), HR_OK);
        snprintf(file, sizeof file, "%s.validation.json", name);
        doc = json_of(f, dir, file);
        same_verdict(f, file, verdict, doc, bound_of(name, examples));
        hr_json_free(doc);
    }
    help_clear(&rows);
}

static void test_tables(void **state)
{
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&f);
        one_case(&f, cases[i], false);
        end(&f);
    }
}

static void test_examples(void **state)
{
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&f);
        one_case(&f, cases[i], true);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests_name("analysis", tests, NULL, NULL);
}
