#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* a member of hr.run/1 has this name */

#include "../../plugins/example_gen/inputs.c"

/* after it, for its parameters have names of statics here */
#include "../../plugins/example_gen/example_gen.c"

#include "flow/flow.h"

static char dir[256], art[300];
static struct hr_env env;

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s/headrace-eg-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    snprintf(art, sizeof art, "%s/art", dir);
    hr_env_init(&env, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hr_tree_remove(&env, dir);
    hr_env_clear(&env);
    return 0;
}

static void put_file(const char *name, const char *text)
{
    char path[400], folder[HR_MAX_PATH];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    hr_path_dir(path, folder);
    assert_int_equal(hr_dir_make(&env, folder), HR_OK);
    assert_int_equal(hr_file_write(&env, path, text, strlen(text)), HR_OK);
}

static struct hr_local *start(const hr_component *component, const char *base)
{
    struct hr_local *local = hr_local_new(&env, component);
    char path[400];

    snprintf(path, sizeof path, "%s/%s", dir, base);
    hr_tree_remove(&env, art);
    hr_dir_make(&env, art);
    assert_non_null(local);
    assert_int_equal(hr_local_set(local, "input_base", path), HR_OK);
    assert_int_equal(hr_local_path(local, "examples", 0, art), HR_OK);
    return local;
}

static void assert_text(struct hr_local *local, const char *key, const char *name, const char *want)
{
    const char *text = hr_local_text(local, key, 0, name);

    assert_non_null(text);
    assert_string_equal(text, want);
}

static void test_csv(void **state)
{
    struct hr_local *local;

    (void)state;
    put_file("in/b.csv", "x,y\n3,c\n");
    put_file("in/a.csv", "x,y\n1,a\n2,b\n");
    put_file("in/_SUCCESS", "");
    put_file("in/.hidden", "\"");
    local = start(&csv, "in");
    assert_int_equal(hr_local_execute(local), HR_OK);
    assert_text(local, "examples", "split_names", "[\"train\", \"eval\"]");
    assert_text(local, "examples", "span", "0");
    assert_text(local, "examples", "file_format", "arrow");
    assert_text(local, "examples", "payload_format", "FORMAT_TF_EXAMPLE");
    assert_non_null(strstr(hr_local_text(local, "examples", 0, "input_fingerprint"),
                           "split:single_split,num_files:2,total_bytes:20,xor_checksum:"));
    assert_text(local, NULL, "summary", "3 rows: train 1, eval 2");
    hr_local_free(local);
}

static void test_input_splits(void **state)
{
    struct ArrowArrayStream s;
    struct hr_local *local;

    (void)state;
    put_file("parts/one/a.csv", "x\n1\n2\n");
    put_file("parts/two/a.csv", "x\n1.5\n");
    local = start(&csv, "parts");
    hr_local_set(local, "input_splits", "{\"one\": \"one/*\", \"two\": \"two/*.csv\"}");
    hr_local_set(local, "file_format", "tfrecords_gzip");
    assert_int_equal(hr_local_execute(local), HR_OK);
    assert_text(local, "examples", "split_names", "[\"one\", \"two\"]");
    assert_text(local, NULL, "summary", "3 rows: one 2, two 1");
    hr_local_free(local);
    assert_int_equal(hr_data_open(&env, art, "two", &s), HR_OK);
    s.release(&s);
}

/* What CsvExampleGen wrote, imported and split again. */
static void test_import(void **state)
{
    struct hr_local *local;
    char was[400];

    (void)state;
    put_file("in2/a.csv", "x,y\n1,a\n2,b\n3,c\n,d\n");
    local = start(&csv, "in2");
    hr_local_set(local, "file_format", "tfrecords_gzip");
    hr_local_set(local, "splits", "{\"all\": 1}");
    assert_int_equal(hr_local_execute(local), HR_OK);
    assert_text(local, NULL, "summary", "4 rows: all 4");
    hr_local_free(local);
    snprintf(was, sizeof was, "%s/was", dir);
    assert_int_equal(env.os->rename(env.os->user, art, was), 0);
    local = start(&import, "was/Split-all");
    assert_int_equal(hr_local_execute(local), HR_OK);
    assert_non_null(strstr(hr_local_text(local, NULL, 0, "summary"), "4 rows: train "));
    hr_local_free(local);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *key, *value, *told;
    } cases[] = {
        { "input_base", "/nonexistent/x", "there is no file or directory \"/nonexistent/x\"" },
        { "splits", "{\"train\": 0}", "split \"train\" has no number of buckets" },
        { "splits", "{", "splits:1:" },
        { "input_splits", "{\"a\": \"../x\"}", "does not stay below input_base" },
        { "input_splits", "{\"a\": \"z*\"}", "matches \"z*\"" },
        { "input_splits", "{\"a\": 1}", "split \"a\" has no pattern" },
        { "file_format", "parquet", "there is no file format \"parquet\"" },
    };
    struct hr_local *local;
    size_t i;

    (void)state;
    put_file("in3/a.csv", "x,y\n1,a\n");
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        local = start(&csv, "in3");
        hr_local_set(local, cases[i].key, cases[i].value);
        assert_true(hr_local_execute(local) < 0);
        assert_non_null(strstr(hr_env_error(&env), cases[i].told));
        hr_errors_cut(&env, 0);
        hr_local_free(local);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_input_splits),
        cmocka_unit_test(test_import),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests_name("plugins/example_gen", tests, setup, teardown);
}
