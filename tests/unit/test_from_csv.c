/* From the CSV file to the anomalies: every step is TFX's, on what the step before gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/data.h"
#include "help_plugin.h"
#include "help_proto.h"
#include "help_statistics.h"
#include "help_table.h"

static const char *const splits[] = { "train", "eval" };

struct fix {
    struct hr_env env;
    struct hr_arena arena;
    char dir[256], art[HR_MAX_PATH];
    hr_statistics *statistics[2]; /* of the splits */
};

/* The CSV of a case as Examples, as ExampleGen makes them. */
static void generate(struct fix *f, const char *set, const char *format)
{
    struct hr_generate g = { .dir = f->art, .format = format };
    char name[64], csv[HR_MAX_PATH];
    const char *paths[] = { csv };
    struct hr_split split;
    struct hr_buf text;

    snprintf(name, sizeof name, "%s.csv.gz", set);
    hr_buf_of(&text, 1 << 26, &f->env);
    help_unpack(&f->env, name, &text);
    assert_int_equal(hr_path_join(&f->env, f->dir, "data.csv", csv), HR_OK);
    assert_int_equal(hr_path_join(&f->env, f->dir, "examples", f->art), HR_OK);
    assert_int_equal(hr_file_write(&f->env, csv, text.text, text.len), HR_OK);
    assert_int_equal(hr_split_parse(&f->env, "{\"train\":2,\"eval\":1}", &split), HR_OK);
    g.split = &split;
    if (hr_generate_csv(&f->env, paths, 1, &g) < 0)
        fail_msg("%s: %s", set, hr_env_error(&f->env));
    hr_split_clear(&split);
    hr_buf_clear(&text);
}

static void compute(struct fix *f, const char *set)
{
    struct ArrowArrayStream stream;
    struct help_rows rows;
    struct hr_buf b;
    size_t i;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    for (i = 0; i < 2; i++) {
        assert_int_equal(hr_data_open(&f->env, f->art, splits[i], &stream), HR_OK);
        help_drain(&f->env, &stream, &rows);
        help_statistics(&rows, 2, 1000, &b);
        f->statistics[i] = help_statistics_read(&f->arena, &b);
        help_same_statistics(&f->arena, set, splits[i], f->statistics[i]);
        help_clear(&rows);
    }
    hr_buf_clear(&b);
}

static hr_schema *infer(struct fix *f, const char *dir)
{
    struct hr_schema_options options = { .infer_shape = true };
    hr_schema *schema = NULL;
    struct hr_buf got, want;

    assert_int_equal(hr_schema_infer(&f->arena, f->statistics[0], &options, &schema), HR_OK);
    assert_int_equal(hr_schema_update(&f->arena, schema, f->statistics[1]), HR_OK);
    hr_buf_of(&got, HR_MAX_FILE_BYTES, &f->env);
    hr_buf_of(&want, HR_MAX_FILE_BYTES, &f->env);
    assert_int_equal(hr_schema_write(&f->env, schema, &got), HR_OK);
    help_case(&f->env, dir, "schema.pbtxt", &want);
    help_same_text(dir, got.text, want.text);
    hr_buf_clear(&got);
    hr_buf_clear(&want);
    return schema;
}

static void validate(struct fix *f, const char *dir, hr_schema *schema)
{
    struct hr_validate_args args = { .schema = schema };
    hr_anomalies *got = NULL;
    char name[64];
    size_t i;

    for (i = 0; i < 2; i++) {
        args.statistics = f->statistics[i];
        assert_int_equal(hr_validate(&f->arena, &args, &got), HR_OK);
        snprintf(name, sizeof name, "%s.SchemaDiff.pb", splits[i]);
        help_same_message(&f->env, name, got,
                          help_message(&f->arena, dir, name, &HR_MD_OF(anomalies)));
    }
}

static void test_reference(void **state)
{
    static const char *const sets[] = { "mixed_a", "mixed_b", "penguins_raw", "taxi_10k" };
    static const char *const formats[] = { HR_FORMAT_ARROW, HR_FORMAT_TFRECORDS_GZIP };
    struct fix f;
    char dir[64];
    size_t i, k;

    (void)state;
    for (i = 0; i < 4; i++)
        for (k = 0; k < 2; k++) {
            hr_env_init(&f.env, NULL);
            hr_arena_init(&f.arena, &f.env, HR_MAX_FILE_BYTES);
            help_directory(f.dir, sizeof f.dir);
            generate(&f, sets[i], formats[k]);
            compute(&f, sets[i]);
            snprintf(dir, sizeof dir, "validation/%s", sets[i]);
            validate(&f, dir, infer(&f, dir));
            help_remove(&f.env, f.dir);
            hr_arena_clear(&f.arena);
            hr_env_clear(&f.env);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reference) };

    return cmocka_run_group_tests_name("validation/from_csv", tests, NULL, NULL);
}
