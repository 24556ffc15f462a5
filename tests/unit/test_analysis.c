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
#include "headrace/model.h"
#include "help_evaluation.h"
#include "help_fix.h"
#include "help_flow.h"
#include "help_plugin.h"
#include "help_proto.h"
#include "help_table.h"

static const hr_function inputs = HR_EVALUATION_INPUTS;
static const hr_function sums = HR_EVALUATION_SUMS;
static const char *const by_slice[] = { "slice", NULL };

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

/* -- the reference --------------------------------------------------------------------- */

static void one_case(struct fix *f, const char *name, bool examples)
{
    struct hr_evaluation e = { NULL, 0 };
    hr_eval_config *given, *checked;
    hr_verdict *verdict = NULL;
    struct help_rows rows;
    char file[100];

    snprintf(file, sizeof file, "%s.config.json", name);
    given = config_file(f, file);
    checked = defaulted(f, given);
    snprintf(file, sizeof file, "%s%s.rows.json", help_evaluation_table(name),
             examples ? "_examples" : "");
    help_table("analysis", file, &rows);
    evaluate(f, checked, &rows, &e);
    if (!strncmp(name, "validate", 8))
        assert_int_equal(
            hr_verdict_make(&f->arena, &e, checked, examples ? checked : given, &verdict), HR_OK);
    help_same_evaluation(&f->env, examples ? "examples" : "tables", name, &e, verdict);
    help_clear(&rows);
}

static void test_tables(void **state)
{
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; help_evaluation_cases[i]; i++) {
        begin(&f);
        one_case(&f, help_evaluation_cases[i], false);
        end(&f);
    }
}

static void test_examples(void **state)
{
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; help_evaluation_cases[i]; i++) {
        begin(&f);
        one_case(&f, help_evaluation_cases[i], true);
        end(&f);
    }
}

/* -- small tables -------------------------------------------------------------------------- */

/* A metric over rows of label, prediction, weight; its JSON config may be "". */
static double metric(struct fix *f, const char *rows_text, bool weighted, const char *class_name,
                     const char *options)
{
    struct hr_evaluation e = { NULL, 0 };
    struct help_rows rows;
    hr_eval_config *c;
    struct hr_buf b;

    hr_buf_of(&b, 10000, &f->env);
    hr_buf_format(&b,
                  "{\"modelSpecs\":[{\"labelKey\":\"l\",\"predictionKey\":\"p\"%s}],"
                  "\"metricsSpecs\":[{\"metrics\":[{\"className\":\"%s\",\"config\":\"%s\"}]}]}",
                  weighted ? ",\"exampleWeightKey\":\"w\"" : "", class_name, options);
    c = config_of(f, b.text, b.len);
    if (!c)
        fail_msg("%s", hr_env_error(&f->env));
    help_rows("l:g p:g w:g", rows_text, &rows);
    evaluate(f, defaulted(f, c), &rows, &e);
    help_clear(&rows);
    hr_buf_clear(&b);
    assert_int_equal(e.n, 1);
    assert_int_equal(e.slices[0]->n_metric_keys_and_values, 1);
    return e.slices[0]->metric_keys_and_values[0]->value->double_value->value;
}

static const char table_a[] = "[[1,0.6,1],[0,0.3,1],[0,0.2,1],[0,0.6,1],[0,0.7,1],[0,0.8,1],"
                              "[1,0.1,1],[1,0.2,1],[1,0.3,1],[1,0.4,1]]";
static const char table_b[] = "[[0,1.0,0.5],[1,0.7,0.7],[0,0.5,0.9]]";

static void test_small(void **state)
{
    static const struct {
        const char *name, *options;
        double a, b;
    } cases[] = {
        { "TruePositives", "", 1, .7 },
        { "TN", "", 2, .9 },
        { "FP", "", 3, .5 },
        { "FalseNegatives", "", 4, 0 },
        { "AUC", "", .26, .64286 },
        { "AUC", "\\\"curve\\\": \\\"PR\\\"", .36205, .37467 },
        { "AUCPrecisionRecall", "", .36205, .37467 },
        { "SpecificityAtSensitivity", "{\\\"sensitivity\\\": 0.5}", .2, .642857 },
        { "SensitivityAtSpecificity", "\\\"specificity\\\": 0.5", 0, 1 },
        { "PrecisionAtRecall", "\\\"recall\\\": 0.5", .5, .58333 },
        { "RecallAtPrecision", "\\\"precision\\\": 0.5", 1, 1 },
        { "ThresholdAtRecall", "\\\"recall\\\": 0.5", .29993, -1 },
        { "RecallAtFalsePositiveRate", "\\\"fpr\\\": 0.6", .4, -1 },
        { "Precision", "", .25, .7 / 1.2 },
        { "F1Score", "", 2. / 9, 1.4 / 1.9 },
    };
    struct fix f;
    double v;
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        v = metric(&f, table_a, false, cases[i].name, cases[i].options);
        if (fabs(v - cases[i].a) > 5e-6)
            fail_msg("%s of A is %.17g", cases[i].name, v);
        v = metric(&f, table_b, true, cases[i].name, cases[i].options);
        if (cases[i].b >= 0 && fabs(v - cases[i].b) > 5e-6)
            fail_msg("%s of B is %.17g", cases[i].name, v);
    }
    end(&f);
}

/* Where a denominator is zero the metric is NaN. */
static void test_zero(void **state)
{
    static const char *const of_negative[] = { "Precision",
                                               "Recall",
                                               "MissRate",
                                               "ThreatScore",
                                               "F1Score",
                                               "FalseDiscoveryRate",
                                               "MatthewsCorrelationCoefficient" };
    static const char *const of_positive[] = { "Specificity", "FallOut", "NegativePredictiveValue",
                                               "FalseOmissionRate" };
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < 7; i++)
        assert_true(isnan(metric(&f, "[[0,0,1]]", false, of_negative[i], "")));
    for (i = 0; i < 4; i++)
        assert_true(isnan(metric(&f, "[[1,1,1]]", false, of_positive[i], "")));
    assert_true(isnan(metric(&f, "[[0,0,1]]", false, "BinaryCrossEntropy", "")));
    assert_true(isnan(metric(&f, "[[0,1,1]]", false, "MeanAbsolutePercentageError", "")));
    assert_true(metric(&f, "[[0,1,1],[2,1,1]]", false, "MeanAbsolutePercentageError", "") == 50);
    end(&f);
}

/* One score is that of the second of two classes. */
static void test_two_classes(void **state)
{
    static const char rows[] = "[[1,0.9,1],[0,0.2,1],[1,0.4,2]]";
    struct fix f;

    (void)state;
    begin(&f);
    assert_true(metric(&f, rows, false, "SparseCategoricalAccuracy", "") == (double)(2.f / 3));
    assert_true(metric(&f, rows, true, "SparseCategoricalAccuracy", "") == 0.5);
    end(&f);
}

/* -- configurations ------------------------------------------------------------------------- */

static void test_config_mistakes(void **state)
{
    static const struct {
        const char *json, *error;
    } cases[] = {
        { "{\"modelSpec\": []}",
          "eval.json:1:2: EvalConfig has no member \"modelSpec\"; did you mean \"modelSpecs\"?" },
        { "{\"modelSpecs\": [{\"labelKey\": 1}]}",
          "eval.json:1:30: \"label_key\" wants a text, not a number" },
        { "{}", "there are no modelSpecs; give one with a labelKey" },
        { "{\"modelSpecs\": [{}], \"metricsSpecs\": [{\"metrics\": [{\"className\": \"Acu\"}]}]}",
          "there is no metric \"Acu\"; did you mean \"AUC\"?" },
        { "{\"modelSpecs\": [{}], \"metricsSpecs\": [{\"metrics\": [{\"className\": \"AUC\", "
          "\"config\": \"\\\"num_threshold\\\": 3\"}]}]}",
          "metric \"AUC\" takes no \"num_threshold\" in its config; did you mean "
          "\"num_thresholds\"?" },
        { "{\"modelSpecs\": [{}], \"slicingSpecs\": [{\"sliceKeysSql\": \"SELECT\"}]}",
          "the evaluation does not offer sliceKeysSql; take it out" },
        { "{\"modelSpecs\": [{}, {}]}", "two modelSpecs have the name \"\"" },
    };
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(config_of(&f, cases[i].json, strlen(cases[i].json)));
        assert_string_equal(hr_env_error(&f.env), cases[i].error);
    }
    end(&f);
}

/* With a baseline a single spec becomes two; without one, changes go. */
static void test_defaults(void **state)
{
    static const char json[] =
        "{\"modelSpecs\":[{\"labelKey\":\"l\"}],\"metricsSpecs\":[{\"metrics\":[{\"className\":"
        "\"AUC\",\"threshold\":{\"changeThreshold\":{\"absolute\":0.1,\"direction\":"
        "\"HIGHER_IS_BETTER\"}}}]}]}";
    hr_eval_config *c, *d;
    struct fix f;

    (void)state;
    begin(&f);
    c = config_of(&f, json, sizeof json - 1);
    assert_non_null(c);
    assert_true(hr_eval_config_decides(c));
    assert_int_equal(hr_eval_config_default(&f.arena, c, true, &d), HR_OK);
    assert_int_equal(d->n_model_specs, 2);
    assert_string_equal(d->model_specs[0]->name, "candidate");
    assert_string_equal(d->model_specs[1]->name, "baseline");
    assert_true(d->model_specs[1]->is_baseline);
    assert_int_equal(d->metrics_specs[0]->n_model_names, 2);
    assert_true(hr_eval_config_decides(d));
    assert_int_equal(hr_eval_config_default(&f.arena, c, false, &d), HR_OK);
    assert_int_equal(d->n_model_specs, 1);
    assert_string_equal(d->metrics_specs[0]->model_names[0], "");
    assert_false(hr_eval_config_decides(d));
    assert_true(hr_eval_config_decides(c)); /* as it was */
    end(&f);
}

/* -- functions ------------------------------------------------------------------------------ */

/* Equal metrics by any number of threads and any size of batches. */
static void test_batches(void **state)
{
    static const int sizes[] = { 1, 7, 4096 };
    struct hr_evaluation first, e;
    struct help_rows rows;
    struct hr_buf a, b;
    hr_eval_config *c;
    char error[1024];
    struct fix f;
    size_t i, k;

    (void)state;
    begin(&f);
    hr_buf_of(&a, HR_MAX_FILE_BYTES, &f.env);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
    c = defaulted(&f, config_file(&f, "binary_weighted.config.json"));
    help_table("analysis", "binary.rows.json", &rows);
    assert_int_equal(try_evaluate(&f, c, &rows, 1, 3, &first, error), HR_OK);
    for (i = 0; i < 3; i++) {
        assert_int_equal(try_evaluate(&f, c, &rows, (int)i + 1, sizes[i], &e, error), HR_OK);
        assert_int_equal(e.n, first.n);
        for (k = 0; k < e.n; k++) {
            hr_buf_cut(&a, 0);
            hr_buf_cut(&b, 0);
            hr_pb_write(&f.env, &first.slices[k]->base, &a);
            hr_pb_write(&f.env, &e.slices[k]->base, &b);
            assert_int_equal(a.len, b.len);
            assert_memory_equal(a.text, b.text, a.len);
        }
    }
    help_clear(&rows);
    hr_buf_clear(&a);
    hr_buf_clear(&b);
    end(&f);
}

/* Accumulators through bytes, and merged from parts, give the same metrics. */
static void test_stored(void **state)
{
    static const double labels[] = { 0, 1, 1, 0 }, scores[] = { .1, .9, .4, .6 };
    struct hr_gathered whole, part, back;
    struct hr_gather_scratch scratch = { 0 };
    struct hr_plan *plan;
    struct hr_buf a, b;
    struct fix f;
    size_t i, n;

    (void)state;
    begin(&f);
    hr_buf_of(&a, 1 << 20, &f.env);
    hr_buf_of(&b, 1 << 20, &f.env);
    assert_int_equal(
        hr_plan_make(&f.arena, defaulted(&f, config_file(&f, "binary_all.config.json")), &plan),
        HR_OK);
    hr_gathered_init(&f.env, plan, &whole);
    hr_gathered_init(&f.env, plan, &part);
    for (i = 0; i < 4; i++) {
        struct hr_row row = { &labels[i], &scores[i], 1, 1, 1 };

        assert_int_equal(hr_gathered_add(&f.env, plan, &whole, &row, &scratch), HR_OK);
        if (i < 3)
            assert_int_equal(hr_gathered_add(&f.env, plan, &part, &row, &scratch), HR_OK);
    }
    assert_int_equal(hr_gathered_store(plan, &part, &a), HR_OK);
    for (n = 0; n <= a.len; n++) { /* cut off anywhere, it is refused */
        hr_gathered_init(&f.env, plan, &back);
        assert_int_equal(hr_gathered_load(&f.env, plan, a.text, n, &back),
                         n < a.len ? HR_DATA_LOSS : HR_OK);
        if (n < a.len)
            hr_gathered_clear(&f.env, plan, &back);
    }
    hr_gathered_clear(&f.env, plan, &part);
    hr_gathered_init(&f.env, plan, &part);
    assert_int_equal(hr_gathered_add(&f.env, plan, &part,
                                     &(struct hr_row){ &labels[3], &scores[3], 1, 1, 1 }, &scratch),
                     HR_OK);
    assert_int_equal(hr_gathered_merge(&f.env, plan, &back, &part), HR_OK);
    hr_buf_cut(&a, 0);
    hr_gathered_store(plan, &back, &a);
    hr_gathered_store(plan, &whole, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.text, b.text, a.len);
    hr_gathered_clear(&f.env, plan, &whole);
    hr_gathered_clear(&f.env, plan, &part);
    hr_gathered_clear(&f.env, plan, &back);
    hr_gather_scratch_clear(&f.env, &scratch);
    hr_buf_clear(&plan->warnings);
    hr_buf_clear(&a);
    hr_buf_clear(&b);
    end(&f);
}

/* Values of several features and types; what is asked for as text is found as a number. */
static void test_slices(void **state)
{
    static const char json[] =
        "{\"modelSpecs\":[{\"labelKey\":\"l\",\"predictionKey\":\"p\"}],\"slicingSpecs\":[{},"
        "{\"featureKeys\":[\"tags\",\"n\"]},{\"featureValues\":{\"n\":\"2\"}},{\"featureKeys\":["
        "\"gone\"]},{\"featureValues\":{\"x\":\"0.5\"}}],\"options\":{\"minSliceSize\":2},"
        "\"metricsSpecs\":[{\"metrics\":[{\"className\":\"ExampleCount\"}]}]}";
    struct hr_evaluation e = { NULL, 0 };
    struct help_rows rows;
    struct hr_buf b;
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 10000, &f.env);
    help_rows("l:g p:g tags:+z n:l x:f",
              "[[1,1,[\"a\",\"b\",\"a\"],2,0.5],[0,0,[],2,1],[1,1,[\"a\"],2,0.5],[1,1,[\"b\"],-3,"
              "null]]",
              &rows);
    evaluate(&f, defaulted(&f, config_of(&f, json, sizeof json - 1)), &rows, &e);
    for (i = 0; i < e.n; i++) {
        const HR_MA(MetricsForSlice__MetricKeyAndValue) *p = e.slices[i]->metric_keys_and_values[0];

        hr_slice_text(e.slices[i]->slice_key, &b);
        hr_buf_format(&b, ": %s %d\n", p->key->name,
                      p->value->type_case == HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE)
                          ? (int)p->value->double_value->value
                          : -1);
    }
    help_same_text("slices", b.text,
                   "all rows: example_count 4\nn=2: example_count 3\n"
                   "n=2, tags=a: example_count 2\nn=2, tags=b: __ERROR__ -1\n"
                   "x=0.5: example_count 2\nn=-3, tags=b: __ERROR__ -1\n");
    help_clear(&rows);
    hr_buf_clear(&b);
    end(&f);
}

static void test_wrong_rows(void **state)
{
    static const char json[] =
        "{\"modelSpecs\":[{\"labelKey\":\"l\",\"predictionKey\":\"p\"}],\"metricsSpecs\":[{"
        "\"metrics\":[{\"className\":\"Precision\"}]}]}";
    static const struct {
        const char *types, *rows, *error;
    } cases[] = {
        { "l:g q:g", "[[1,1]]", "predictionKey \"p\" is no column of the examples" },
        { "l:g p:g", "[[null,1]]", "a row has no label in \"l\"" },
        { "l:g p:g", "[[1,null]]", "a row has no prediction in \"p\"" },
        { "l:g p:g", "[[2,1]]", "label 2.0 is not between 0 and 1" },
        { "l:g p:+g", "[[3,[0.1,0.2,0.7]]]", "label 3.0 is none of the 3 classes" },
        { "l:z p:g", "[[\"cat\",1]]", "label \"cat\" is neither a number" },
        { "l:g p:z", "[[1,\"x\"]]", "column \"p\" holds no numbers" },
    };
    struct hr_evaluation e;
    struct help_rows rows;
    hr_eval_config *c;
    char error[1024];
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    c = defaulted(&f, config_of(&f, json, sizeof json - 1));
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        help_rows(cases[i].types, cases[i].rows, &rows);
        assert_int_equal(try_evaluate(&f, c, &rows, 1, 10, &e, error), HR_INVALID);
        if (!strstr(error, cases[i].error))
            fail_msg("\"%s\" should say \"%s\"", error, cases[i].error);
        help_clear(&rows);
    }
    end(&f);
}

/* The files of a real evaluation are read, and written again byte for byte. */
static void test_files(void **state)
{
    static const char *const names[] = { "metrics-00000-of-00001.tfrecord",
                                         "plots-00000-of-00001.tfrecord", "validations.tfrecord",
                                         "eval_config.json" };
    static const char dir[] = HR_TEST_CASES "/analysis/penguin";
    struct hr_model_place place = { "", "/tmp/penguin/pipelines/Trainer/model/6/Format-Serving" };
    HR_MA(EvalRun) * run;
    struct hr_evaluation e;
    struct hr_json_doc *doc;
    ProtobufCMessage *m;
    hr_verdict *verdict;
    struct hr_buf a, b;
    char to[256];
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    help_directory(to, sizeof to);
    assert_int_equal(hr_evaluation_open(&f.arena, dir, &e, &verdict), HR_OK);
    assert_int_equal(e.n, 1);
    assert_true(verdict->validation_ok);
    doc = json_of(&f, "analysis/penguin", "eval_config.json");
    assert_int_equal(hr_pb_json_read(&f.arena, &HR_MA_OF(eval_run), doc, hr_json_root(doc), &m),
                     HR_OK);
    run = (HR_MA(EvalRun) *)m;
    hr_json_free(doc);
    assert_int_equal(hr_evaluation_write(&f.env, to, &e, verdict), HR_OK);
    assert_int_equal(hr_eval_config_write(&f.arena, to, run->eval_config, &place, 1), HR_OK);
    for (i = 0; i < 4; i++) {
        hr_buf_of(&a, HR_MAX_FILE_BYTES, &f.env);
        hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
        help_read(&f.env, to, names[i], &a);
        help_case(&f.env, "analysis/penguin", names[i], &b);
        if (i == 3)
            help_same_text(names[i], a.text, b.text);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.text, b.text, a.len);
        hr_buf_clear(&a);
        hr_buf_clear(&b);
    }
    hr_buf_of(&a, HR_MAX_FILE_BYTES, &f.env);
    assert_int_equal(hr_evaluation_json(&f.env, dir, &a), HR_OK);
    assert_non_null(strstr(a.text, "{\"ok\":true,\"missing_thresholds\":false,\"reasons\":[],"
                                   "\"slices\":[{\"slice\":\"all rows\",\"metrics\":[{\"name\":"
                                   "\"sparse_categorical_accuracy\",\"value\":0.9"));
    hr_buf_clear(&a);
    help_remove(&f.env, to);
    end(&f);
}

/* -- models ------------------------------------------------------------------------------------ */

/* A model of two classes "no" and "yes" that gives x as the score of "yes". */
static hr_status describe(const void *model, hr_run *run, struct ArrowSchema *ret_in,
                          struct ArrowSchema *ret_out)
{
    (void)model;
    (void)run;
    assert_int_equal(hr_schema_new("+s", "", 0, ret_in), HR_OK);
    assert_int_equal(hr_schema_new("+s", "", 1, ret_out), HR_OK);
    assert_int_equal(hr_schema_column(ret_out->children[0], "probability", "f", 0), HR_OK);
    return hr_schema_add_meta(ret_out, "hr:labels", "[\"no\",\"yes\"]");
}

static hr_status predict(const void *model, hr_run *run, const struct ArrowArray *in,
                         struct ArrowArray *ret)
{
    const double *x = in->children[1]->buffers[1];
    struct ArrowArray column;
    struct hr_builder b;
    int64_t i;

    (void)model;
    (void)run;
    hr_builder_init(&b, "f", 0);
    for (i = 0; i < in->length; i++)
        hr_builder_double(&b, x[in->offset + in->children[1]->offset + i]);
    assert_int_equal(hr_builder_done(&b, &column), HR_OK);
    return hr_rows_make(&column, 1, in->length, ret);
}

static const hr_model_1 model_table = { NULL, describe, predict, NULL };

static hr_status load_model(hr_run *run, const char *key, uint32_t i, const char *signature,
                            const struct ArrowSchema *in, const hr_model_1 **ret,
                            const void **ret_model)
{
    (void)run;
    (void)in;
    assert_string_equal(key, "model");
    assert_int_equal(i, 0);
    assert_null(signature);
    *ret = &model_table;
    *ret_model = "";
    return HR_OK;
}

static struct ArrowArray emitted;

static hr_status emit(hr_run *run, uint32_t k, struct ArrowArray *batch)
{
    (void)run;
    (void)k;
    emitted = *batch;
    return HR_OK;
}

static const void *interface_of(const hr_host *host, const char *id)
{
    static const hr_models_1 models = { load_model };
    static const hr_emit_1 emits = { emit };

    (void)host;
    if (!strcmp(id, HR_MODELS))
        return &models;
    return strcmp(id, HR_EMIT) ? NULL : &emits;
}

/* Labels are found among the classes that the model names. */
static void test_model(void **state)
{
    static const char json[] = "{\"modelSpecs\":[{\"labelKey\":\"l\"}]}";
    static const hr_host host = { .struct_size = sizeof host, .get_interface = interface_of };
    hr_function_args args = { .struct_size = sizeof args };
    struct ArrowSchema out;
    struct help_rows rows;
    struct hr_buf config;
    hr_eval_config *c;
    struct hr_col col;
    struct fix f;
    int64_t at;
    void *self;

    (void)state;
    begin(&f);
    hr_buf_of(&config, 1000, &f.env);
    c = defaulted(&f, config_of(&f, json, sizeof json - 1));
    hr_evaluation_config(&f.env, c, HR_EVALUATION_MODEL, &config);
    help_rows("l:z x:g", "[[\"yes\",0.25],[\"no\",0.75],[\"1\",0.5]]", &rows);
    args.config = config.text;
    args.config_size = (uint32_t)config.len;
    args.in = &rows.schema;
    assert_int_equal(hr_evaluation_inputs.make(&host, NULL, &args, &out, &self), HR_OK);
    assert_int_equal(hr_evaluation_inputs.batch(self, NULL, &rows.rows), HR_OK);
    assert_int_equal(emitted.length, 3);
    assert_int_equal(hr_col_open(&out, &emitted, 1, &col), HR_OK);
    assert_int_equal(hr_col_count(&col, 0, &at), 1);
    assert_true(hr_col_double(&col, at) == 1 && hr_col_double(&col, at + 1) == 0 &&
                hr_col_double(&col, at + 2) == 1);
    assert_int_equal(hr_col_open(&out, &emitted, 2, &col), HR_OK);
    hr_col_count(&col, 1, &at);
    assert_true(hr_col_double(&col, at) == 0.75);
    hr_evaluation_inputs.drop(self);
    emitted.release(&emitted);
    out.release(&out);
    rows.schema.release(&rows.schema);
    hr_buf_clear(&config);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),      cmocka_unit_test(test_examples),
        cmocka_unit_test(test_small),       cmocka_unit_test(test_zero),
        cmocka_unit_test(test_two_classes), cmocka_unit_test(test_config_mistakes),
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_batches),
        cmocka_unit_test(test_stored),      cmocka_unit_test(test_slices),
        cmocka_unit_test(test_wrong_rows),  cmocka_unit_test(test_files),
        cmocka_unit_test(test_model),
    };

    return cmocka_run_group_tests_name("analysis", tests, NULL, NULL);
}
