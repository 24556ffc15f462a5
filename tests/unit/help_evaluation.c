#include "help_evaluation.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "help_proto.h"
#include "wire/wire.h"


const char *const help_evaluation_cases[] = { "binary_all",
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
                                              "validate_value_upper",
                                              NULL };

const char *help_evaluation_table(const char *name)
{
    if (!strncmp(name, "multi", 5))
        return "multiclass";
    return strncmp(name, "regression", 10) ? "binary" : "regression";
}

/* Equal but for the order of sums of doubles. */
static const double exact = 1e-12;

/* Metrics that the reference computes in float32, and how near is near enough. */
static const struct {
    const char *name;
    bool examples; /* only there: its errors are float32 because the scores are */
    double bound;
} floats[] = {
    /* Keras sums by batches of its own, in float32, and gives a float32. */
    { "root_mean_squared_error", false, 1e-6 },
    { "sparse_categorical_crossentropy", false, 1e-6 },
    /* One float32 operation for each row, then sums of doubles: a unit in its last place. */
    { "binary_crossentropy", true, FLT_EPSILON },
    { "mean_absolute_error", true, FLT_EPSILON },
    { "mean_absolute_percentage_error", true, FLT_EPSILON },
    { "mean_squared_error", true, FLT_EPSILON },
    { "mean_squared_logarithmic_error", true, FLT_EPSILON },
};

static double bound_of(const char *name, bool examples)
{
    size_t i;

    for (i = 0; i < sizeof floats / sizeof *floats; i++)
        if (!strcmp(name, floats[i].name))
            return floats[i].examples && !examples ? exact : floats[i].bound;
    return exact;
}

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

static void same_value(struct hr_env *env, const char *what, const HR_MA(MetricValue) * v,
                       const struct hr_json_doc *doc, const struct hr_json *want, double bound)
{
    struct hr_json_doc *got = NULL;
    struct hr_json_writer w;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    hr_json_begin(&w, &b, 0);
    hr_pb_json_write(&w, &v->base);
    assert_int_equal(hr_json_end(&w), HR_OK);
    assert_int_equal(hr_json_parse(env, "got", b.text, b.len, 0, &got), HR_OK);
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

static void same_slice(struct hr_env *env, const char *what, const struct hr_evaluation *e,
                     const struct hr_json_doc *doc, const struct hr_json *want, bool examples)
{
    const char *model = hr_json_text(hr_json_get(want, "model"));
    const struct hr_json *metrics = hr_json_get(hr_json_get(want, "metrics"), ""), *v;
    char sub[64], name[200], text[400];
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
        same_value(env, text, e->slices[i]->metric_keys_and_values[k]->value, doc, v,
                   bound_of(key->name, examples));
        n++;
    }
    for (v = hr_json_first(metrics); v; v = hr_json_next(v))
        n -= hr_json_count(v);
    if (n)
        fail_msg("%s: metrics lack", what);
}

/* What failed in a slice, each number within the bound of its metric. */
static void same_failures(const char *what, const struct hr_json_doc *da, const struct hr_json *a,
                          const struct hr_json_doc *db, const struct hr_json *b, bool examples)
{
    const struct hr_json *x = hr_json_get(a, "failures"), *y = hr_json_get(b, "failures");
    const char *name;

    assert_int_equal(hr_json_count(a), hr_json_count(b));
    if (hr_json_count(x) != hr_json_count(y))
        fail_msg("%s: %zu failures, should be %zu", what, hr_json_count(x), hr_json_count(y));
    for (x = hr_json_first(x), y = hr_json_first(y); x; x = hr_json_next(x), y = hr_json_next(y)) {
        name = hr_json_text(hr_json_get(hr_json_get(y, "metricKey"), "name"));
        assert_non_null(name);
        same_json(what, da, x, db, y, bound_of(name, examples));
    }
}

static const struct hr_json *first_of(const struct hr_json *v)
{
    return v ? hr_json_first(v) : NULL;
}

static void same_verdict(struct hr_env *env, const char *what, const hr_verdict *v,
                       const struct hr_json_doc *doc, bool examples)
{
    const struct hr_json *want = hr_json_root(doc), *w, *g;
    struct hr_json_doc *got = NULL;
    struct hr_json_writer writer;
    struct hr_buf b;
    const struct hr_json *list, *mine;
    HR_MA(ValidationResult) copy = *v;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    copy.has_validation_ok = v->validation_ok;
    hr_json_begin(&writer, &b, 0);
    hr_pb_json_write(&writer, &copy.base);
    assert_int_equal(hr_json_end(&writer), HR_OK);
    assert_int_equal(hr_json_parse(env, "got", b.text, b.len, 0, &got), HR_OK);
    mine = hr_json_root(got);
    if (hr_json_count(mine) != hr_json_count(want))
        fail_msg("%s: the verdict is %s", what, b.text);
    for (w = hr_json_first(want); w; w = hr_json_next(w)) {
        if (strcmp(hr_json_key(w), "metricValidationsPerSlice") != 0) {
            same_json(what, got, hr_json_get(mine, hr_json_key(w)), doc, w, exact);
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
            same_failures(what, got, g, doc, w, examples);
        }
        w = hr_json_get(want, "metricValidationsPerSlice");
    }
    hr_json_free(got);
    hr_buf_clear(&b);
}

static struct hr_json_doc *read_json(struct hr_env *env, const char *dir, const char *name)
{
    struct hr_json_doc *doc = NULL;
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    help_case(env, dir, name, &b);
    if (hr_json_parse(env, name, b.text, b.len, 0, &doc) < 0)
        fail_msg("%s: %s", dir, hr_env_error(env));
    hr_buf_clear(&b);
    return doc;
}

void help_same_evaluation(struct hr_env *env, const char *dir, const char *name,
                          const struct hr_evaluation *e, const hr_verdict *verdict)
{
    const struct hr_json *w;
    struct hr_json_doc *doc;
    char where[64], file[100];

    snprintf(where, sizeof where, "analysis/%s", dir);
    snprintf(file, sizeof file, "%s.metrics.json", name);
    doc = read_json(env, where, file);
    for (w = hr_json_first(hr_json_root(doc)); w; w = hr_json_next(w))
        same_slice(env, file, e, doc, w, !strcmp(dir, "examples"));
    hr_json_free(doc);
    if (!verdict)
        return;
    snprintf(file, sizeof file, "%s.validation.json", name);
    doc = read_json(env, where, file);
    same_verdict(env, file, verdict, doc, !strcmp(dir, "examples"));
    hr_json_free(doc);
}
