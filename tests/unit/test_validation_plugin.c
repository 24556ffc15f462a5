#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_plugin.h"
#include "help_proto.h"
#include "help_table.h"
#include "validation/validation.h"

static const char set[] = "validation/mixed_b";

struct fix {
    struct hr_env env;
    char dir[256];
};

static void begin(struct fix *f)
{
    hr_env_init(&f->env, NULL);
    help_directory(f->dir, sizeof f->dir);
}

static void end(struct fix *f)
{
    help_remove(&f->env, f->dir);
    hr_env_clear(&f->env);
}

static struct hr_local *start(struct fix *f, const char *id)
{
    struct hr_local *l = hr_local_new(&f->env, help_component("validation", id));

    assert_non_null(l);
    return l;
}

static void execute(struct fix *f, struct hr_local *l)
{
    if (hr_local_execute(l) < 0)
        fail_msg("%s", hr_env_error(&f->env));
}

/* Is DIR/NAME byte for byte the file of the case? */
static void same_file(struct fix *f, const char *name, const char *dir, const char *want)
{
    struct hr_buf a, b;

    hr_buf_of(&a, HR_MAX_FILE_BYTES, &f->env);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    help_read(&f->env, f->dir, name, &a);
    help_case(&f->env, dir, want, &b);
    if (a.len != b.len || memcmp(a.text, b.text, a.len) != 0)
        fail_msg("%s is not %s", name, want);
    hr_buf_clear(&a);
    hr_buf_clear(&b);
}

/* Put a file of the case into an artifact. */
static void put_case(struct fix *f, const char *want, const char *folder, const char *file)
{
    char path[HR_MAX_PATH], dir[HR_MAX_PATH];
    struct hr_buf b;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    help_case(&f->env, set, want, &b);
    assert_int_equal(hr_path_join(&f->env, f->dir, folder, dir), HR_OK);
    assert_int_equal(hr_dir_make(&f->env, dir), HR_OK);
    assert_int_equal(hr_path_join(&f->env, dir, file, path), HR_OK);
    assert_int_equal(hr_file_write(&f->env, path, b.text, b.len), HR_OK);
    hr_buf_clear(&b);
}

static void put_rows(struct hr_local *l, const char *split)
{
    struct ArrowArrayStream stream;
    struct help_rows rows;
    char name[64];

    snprintf(name, sizeof name, "%s.rows.json", split);
    help_table(set, name, &rows);
    help_stream(&rows, 64, &stream);
    assert_int_equal(hr_local_input(l, "examples", 0, split, &stream), HR_OK);
    help_clear(&rows);
}

static void test_statistics_gen(void **state)
{
    struct hr_local *l;
    struct fix f;

    (void)state;
    begin(&f);
    l = start(&f, "org.headrace.validation.StatisticsGen");
    put_rows(l, "train");
    put_rows(l, "eval");
    help_artifact(&f.env, l, "statistics", f.dir, "statistics");
    help_property(l, "examples", "span", "3");
    execute(&f, l);
    same_file(&f, "statistics/Split-train/FeatureStats.pb", set, "train.FeatureStats.pb");
    same_file(&f, "statistics/Split-eval/FeatureStats.pb", set, "eval.FeatureStats.pb");
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"), "2 splits, 17 features");
    assert_string_equal(hr_local_text(l, "statistics", 0, "split_names"), "[\"train\", \"eval\"]");
    assert_string_equal(hr_local_text(l, "statistics", 0, "span"), "3");
    assert_string_equal(hr_local_text(l, "statistics", 0, "sample_rate_by_split"),
                        "{\"eval\": 1.0, \"train\": 1.0}");
    hr_local_free(l);

    /* One split is left out. */
    l = start(&f, "org.headrace.validation.StatisticsGen");
    put_rows(l, "train");
    put_rows(l, "eval");
    help_artifact(&f.env, l, "statistics", f.dir, "some");
    assert_int_equal(hr_local_set(l, "exclude_splits", "[\"train\"]"), HR_OK);
    execute(&f, l);
    assert_string_equal(hr_local_text(l, "statistics", 0, "split_names"), "[\"eval\"]");
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"), "1 split, 17 features");
    hr_local_free(l);
    end(&f);
}

static void test_schema_gen(void **state)
{
    struct hr_local *l;
    struct fix f;

    (void)state;
    begin(&f);
    l = start(&f, "org.headrace.validation.SchemaGen");
    put_case(&f, "train.FeatureStats.pb", "statistics/Split-train", "FeatureStats.pb");
    put_case(&f, "eval.FeatureStats.pb", "statistics/Split-eval", "FeatureStats.pb");
    help_artifact(&f.env, l, "statistics", f.dir, "statistics");
    help_artifact(&f.env, l, "schema", f.dir, "schema");
    assert_int_equal(hr_local_execute(l), HR_INVALID); /* nobody says which splits there are */
    help_property(l, "statistics", "split_names", "[\"train\", \"eval\"]");
    execute(&f, l);
    same_file(&f, "schema/schema.pbtxt", set, "schema.pbtxt");
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"), "17 features");
    hr_local_free(l);
    end(&f);
}

static void test_import_schema_gen(void **state)
{
    char path[HR_MAX_PATH];
    struct hr_local *l;
    struct fix f;

    (void)state;
    begin(&f);
    l = start(&f, "org.headrace.validation.ImportSchemaGen");
    snprintf(path, sizeof path, "%s/%s/schema.pbtxt", HR_TEST_CASES, set);
    assert_int_equal(hr_local_set(l, "schema_file", path), HR_OK);
    help_artifact(&f.env, l, "schema", f.dir, "schema");
    execute(&f, l);
    same_file(&f, "schema/schema.pbtxt", set, "schema.pbtxt");
    snprintf(path, sizeof path, "%s/%s/train.rows.json", HR_TEST_CASES, set);
    assert_int_equal(hr_local_set(l, "schema_file", path), HR_OK);
    assert_int_equal(hr_local_execute(l), HR_INVALID);
    hr_local_free(l);
    end(&f);
}

static void test_example_validator(void **state)
{
    char path[HR_MAX_PATH];
    struct hr_buf json;
    struct hr_local *l;
    struct fix f;

    (void)state;
    begin(&f);
    l = start(&f, "org.headrace.validation.ExampleValidator");
    put_case(&f, "train.FeatureStats.pb", "statistics/Split-train", "FeatureStats.pb");
    put_case(&f, "eval.FeatureStats.pb", "statistics/Split-eval", "FeatureStats.pb");
    put_case(&f, "schema.pbtxt", "schema", "schema.pbtxt");
    help_artifact(&f.env, l, "statistics", f.dir, "statistics");
    help_artifact(&f.env, l, "schema", f.dir, "schema");
    help_artifact(&f.env, l, "anomalies", f.dir, "anomalies");
    help_property(l, "statistics", "split_names", "[\"train\", \"eval\"]");
    execute(&f, l);
    same_file(&f, "anomalies/Split-train/SchemaDiff.pb", set, "train.SchemaDiff.pb");
    same_file(&f, "anomalies/Split-eval/SchemaDiff.pb", set, "eval.SchemaDiff.pb");
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"), "no anomalies");
    assert_string_equal(hr_local_text(l, "anomalies", 0, "blessed"), "{\"train\": 1, \"eval\": 1}");

    /* A schema that wants a column which is not there. */
    snprintf(path, sizeof path, "%s/schema/schema.pbtxt", f.dir);
    assert_int_equal(hr_file_write(&f.env, path, "", 0), HR_OK);
    execute(&f, l);
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"),
                        "34 anomalies: train all_same, train category, train day, ...");
    assert_string_equal(hr_local_text(l, "anomalies", 0, "blessed"), "{\"train\": 0, \"eval\": 0}");

    /* A split without rows is told. */
    snprintf(path, sizeof path, "%s/statistics/Split-eval/FeatureStats.pb", f.dir);
    assert_int_equal(hr_file_write(&f.env, path, "\x0a\x00", 2), HR_OK);
    execute(&f, l);
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"),
                        "17 anomalies: train all_same, train category, train day, ...; no rows in "
                        "eval");
    put_case(&f, "eval.FeatureStats.pb", "statistics/Split-eval", "FeatureStats.pb");
    execute(&f, l);

    /* What they look like to who draws them. */
    hr_buf_of(&json, 1 << 20, &f.env);
    snprintf(path, sizeof path, "%s/anomalies", f.dir);
    assert_int_equal(hr_anomalies_json(&f.env, path, &json), HR_OK);
    assert_non_null(strstr(json.text, "{\"splits\":[{\"split\":\"eval\",\"data_missing\":false,"
                                      "\"anomalies\":[{\"feature\":\"all_same\",\"severity\":"
                                      "\"ERROR\",\"short\":\"New column\","));
    hr_buf_clear(&json);
    hr_local_free(l);
    end(&f);
}

/* JSON of statistics and of a schema. */
static void test_json(void **state)
{
    char path[HR_MAX_PATH];
    struct hr_json_doc *doc = NULL;
    const struct hr_json *v;
    struct hr_buf b;
    struct fix f;
    double d;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 1 << 20, &f.env);
    put_case(&f, "train.FeatureStats.pb", "s/Split-train", "FeatureStats.pb");
    put_case(&f, "schema.pbtxt", "s", "schema.pbtxt");
    snprintf(path, sizeof path, "%s/s", f.dir);
    assert_int_equal(hr_statistics_json(&f.env, path, &b), HR_OK);
    assert_int_equal(hr_json_parse(&f.env, "json", b.text, b.len, 0, &doc), HR_OK);
    v = hr_json_first(hr_json_get(hr_json_root(doc), "splits"));
    assert_string_equal(hr_json_text(hr_json_get(v, "split")), "train");
    assert_true(hr_json_double(doc, hr_json_get(v, "examples"), &d) && d == 200);
    assert_int_equal(hr_json_count(hr_json_get(v, "features")), 17);
    for (v = hr_json_first(hr_json_get(v, "features")); v; v = hr_json_next(v))
        if (!strcmp(hr_json_text(hr_json_get(v, "name")), "small_int"))
            break;
    assert_string_equal(hr_json_text(hr_json_get(v, "type")), "INT");
    assert_int_equal(hr_json_count(hr_json_get(v, "histogram")), 10);
    assert_int_equal(hr_json_count(hr_json_get(v, "quantiles")), 11);
    hr_json_free(doc);
    hr_buf_cut(&b, 0);
    assert_int_equal(hr_schema_json(&f.env, path, &b), HR_OK);
    assert_int_equal(hr_json_parse(&f.env, "json", b.text, b.len, 0, &doc), HR_OK);
    v = hr_json_first(hr_json_get(hr_json_root(doc), "features"));
    assert_string_equal(hr_json_text(hr_json_get(v, "name")), "all_same");
    assert_true(hr_json_bool(hr_json_get(v, "required")));
    assert_string_equal(hr_json_text(hr_json_get(hr_json_get(v, "domain"), "kind")), "string");
    assert_int_equal(hr_json_count(hr_json_get(hr_json_get(v, "domain"), "values")), 1);
    hr_json_free(doc);
    hr_buf_cut(&b, 0);
    assert_int_equal(hr_anomalies_json(&f.env, path, &b), HR_NOT_FOUND);
    assert_int_equal(b.len, 0);
    hr_buf_clear(&b);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics_gen),
        cmocka_unit_test(test_schema_gen),
        cmocka_unit_test(test_import_schema_gen),
        cmocka_unit_test(test_example_validator),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests_name("plugins/validation", tests, NULL, NULL);
}
