/* What is told of rows and outputs: bad rows by their number, outputs that never vary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "headrace/rows.h"
#include "help_transform.h"

/* Outputs that never vary, by what the analyzers have seen. */
static void test_still(void **state)
{
    static const struct {
        const char *source, *still;
    } cases[] = {
        { "a = scale_to_z_score(x)\nb = x * 2.0", "a b" },
        { "a = x - mean(x)", "" }, /* no analyzer says how it varies */
        { "a = y - mean(y)\nb = if_else(min(x) == max(x), x, y)\nc = 1", "c" },
        { "a = scale_to_z_score(y) + scale_to_z_score(x)\nb = fill(o, 5.0) / var(o)", "" },
        { "a = scale_by_min_max(i)\nb = i + 1", "a b" },
    };
    struct help_rows rows;
    struct hr_env env;
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    help_rows("x:f y:f o:f i:l", "[[5,1,5,7],[5,2,null,7],[5,3,5,7]]", &rows);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char got[200] = "";
        const char *line, *end;
        struct hr_plan *plan;
        char *warnings = NULL;

        assert_int_equal(help_warned(&env, cases[i].source, "x:float y:float o:float? i:int", &rows,
                                     &plan, &warnings),
                         HR_OK);
        for (line = warnings; *line; line = *end ? end + 1 : end) {
            end = line + strcspn(line, "\n");
            if (strstr(line, " never varies") && strstr(line, " never varies") < end)
                sprintf(got + strlen(got), "%s%.*s", *got ? " " : "", (int)strcspn(line, " "),
                        line);
        }
        if (strcmp(got, cases[i].still) != 0)
            fail_msg("%s: \"%s\" never vary, should be \"%s\"", cases[i].source, got,
                     cases[i].still);
        free(warnings);
        hr_plan_close(plan);
    }
    help_clear(&rows);
    hr_env_clear(&env);
}

/* A row that cannot be computed is named by its number among all, or left out. */
static void test_bad_row_of_many(void **state)
{
    static const int threads[] = { 1, 3 }, batches[] = { 2, 4096 };
    struct help_rows rows, out;
    struct hr_plan *plan;
    struct hr_buf config;
    struct hr_env env;
    char *text;
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    help_rows("x:l y:l", "[[1,1],[2,1],[3,1],[4,1],[5,1],[6,0],[7,1],[null,0],[8,1],[9,0]]", &rows);
    assert_int_equal(help_features(&env, "q = x // y\nz = x", "x:int y:int", &rows, NULL, &plan),
                     HR_OK);
    hr_buf_of(&config, HR_MAX_FILE_BYTES, &env);
    assert_int_equal(hr_plan_pack(plan, &config), HR_OK);
    for (i = 0; i < 2; i++) {
        struct help_run how = { .function = help_function("transform.apply"),
                                .config = config.text,
                                .config_size = config.len,
                                .threads = threads[i],
                                .batch_rows = batches[i] };

        assert_int_equal(help_map(&how, &rows, 0, &out), HR_INVALID);
        if (!strstr(how.error, i ? "row 7: x is missing" : "row 5: an integer is divided by 0"))
            fail_msg("%s", how.error);
        how.function = help_function("transform.apply_or_drop");
        how.error[0] = '\0';
        assert_int_equal(help_map(&how, &rows, 0, &out), HR_OK);
        text = help_text(&out);
        assert_string_equal(text, "[1,1]\n[2,2]\n[3,3]\n[4,4]\n[5,5]\n[7,7]\n[8,8]\n");
        free(text);
        help_clear(&out);
    }
    hr_buf_clear(&config);
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* Tests of outputs that need data: the test says what analyzers have found. */
static void test_constants(void **state)
{
    static const struct {
        const char *source, *error; /* NULL: all tests hold */
    } cases[] = {
        { "z = scale_to_z_score(x)\ntest \"t\":\n    given {x: 7.0}\n"
          "    expect {z: 2.0} {mean(x): 3.0, var(x): 4}\n",
          NULL },
        { "z = x - mean(x)\nw = i - min(i)\ntest \"t\":\n    given {x: 7.0, i: 5}\n"
          "    expect {z: 4.0, w: 3} {mean(x): 3.0} {\n        min(i): 2}\n",
          NULL },
        { "z = x - mean(x)\ntest \"t\":\n    given {x: 7.0}\n"
          "    expect {z: 2.0} {mean(x): 3.0}\n",
          "a.features:4:13: test \"t\": z is another value" },
        { "z = scale_to_z_score(x)\ntest \"t\":\n    given {x: 7.0}\n"
          "    expect {z: 2.0} {mean(x): 3.0}\n",
          "a.features:4:13: test \"t\": z needs what an analyzer finds in data" },
        { "z = x - mean(x)\ntest \"t\":\n    given {x: 7.0}\n"
          "    expect {z: 2.0} {x: 3.0}\n",
          "a.features:4:22: a test gives a number that an analyzer finds" },
        { "z = x - mean(x)\ntest \"t\":\n    given {x: 7.0}\n"
          "    expect {z: 2.0} {min(i): 3.5}\n",
          "a.features:4:30: this analyzer finds an integer" },
        { "z = x - mean(x)\ntest \"t\":\n    given {x: 7.0}\n"
          "    expect {z: 2.0} {mean(y): 3.5}\n",
          "a.features:4:27: " },
        { "z = x - mean(x)\ntest \"t\":\n    given {x: 7.0}\n"
          "    expect {z: 2.0} {mean(x) 3.5}\n",
          "a.features:4:30: " },
    };
    struct help_rows rows;
    struct hr_env env;
    size_t i, n;

    (void)state;
    hr_env_init(&env, NULL);
    help_rows("x:f i:l", "[[1,5],[2,6]]", &rows);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hr_features *f = NULL;
        struct hr_program *p = NULL;
        struct hr_phase phase;
        hr_status r = help_check(&env, cases[i].source, "x:float i:int", &f, &p);

        if (r == HR_OK)
            r = hr_program_test(&env, p, &n);
        if (cases[i].error ? !strstr(hr_env_error(&env), cases[i].error) : r < 0)
            fail_msg("%s: \"%s\" should say \"%s\"", cases[i].source, hr_env_error(&env),
                     cases[i].error ? cases[i].error : "");
        assert_int_equal(r, cases[i].error ? HR_INVALID : HR_OK);
        hr_errors_cut(&env, 0);
        if (p) { /* what a test says is not taken for found */
            assert_int_equal(hr_program_phase(&env, p, &phase), HR_OK);
            assert_true(phase.count > 0);
        }
        hr_program_free(p);
        if (p)
            hr_features_free(f);
    }
    help_clear(&rows);
    hr_env_clear(&env);
}

/* Numbers that become texts: few, ever more, all different, few and then all different. */
static void name_rows(struct help_rows *ret)
{
    static const char *const names[] = { "a", "b", "d" };
    struct ArrowArray columns[4];
    struct hr_builder b[3], c;
    int64_t i;
    int k;

    for (k = 0; k < 3; k++)
        hr_builder_init(&b[k], "l", 0);
    hr_builder_init(&c, "f", 0);
    for (i = 0; i < 5000; i++) {
        uint64_t v = hr_random_at(5, (uint64_t)i);

        hr_builder_int(&b[0], i / 300 - 8);
        hr_builder_int(&b[1], i * 7919);
        hr_builder_int(&b[2], i < 2000 ? i % 10 : i);
        if (v % 20 == 0)
            hr_builder_null(&c);
        else
            hr_builder_double(&c, v % 31 ? (double)(v % 50) / 8 - 0.0 : strtod("-0", NULL));
    }
    assert_int_equal(hr_schema_new("+s", "", 4, &ret->schema), HR_OK);
    for (k = 0; k < 3; k++) {
        assert_int_equal(hr_builder_done(&b[k], &columns[k]), HR_OK);
        assert_int_equal(hr_schema_column(ret->schema.children[k], names[k], "l", 0), HR_OK);
    }
    assert_int_equal(hr_builder_done(&c, &columns[3]), HR_OK);
    assert_int_equal(hr_schema_column(ret->schema.children[3], "c", "f", 0), HR_OK);
    assert_int_equal(hr_rows_make(columns, 4, 5000, &ret->rows), HR_OK);
}

/* They are made once for each number of a batch where few are met; the same comes of it. */
static void test_names_of_numbers(void **state)
{
    static const char source[] =
        "e = hash_strings(to_bytes(a), 100)\nf = hash_strings(to_bytes(b), 100)\n"
        "g = hash_strings(to_bytes(d), 100)\nh = lower(fill(to_bytes(c), \"NONE\"))\n"
        "i = length(to_bytes(b))\nj = concat_text(to_bytes(a), \"x\", to_bytes(d))\n"
        "k = to_bytes(c)\nl = fill(to_bytes(c), to_bytes(a))\nm = upper(to_bytes(d))\n"
        "n = hash_strings(lower(fill(to_bytes(c), \"\")), 7)\n";
    static const int64_t sizes[] = { 5000, 4096, 1024, 100, 64 };
    struct help_rows rows, out;
    struct hr_plan *plan;
    char *want, *got, first[400];
    struct hr_env env;
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    name_rows(&rows);
    assert_int_equal(
        help_features(&env, source, "a:int b:int d:int c:float?", &rows, NULL, &plan), HR_OK);
    assert_int_equal(help_apply(&env, plan, &rows, 1, &out), HR_OK);
    want = help_text(&out);
    help_clear(&out);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(want, "\n"), want);
    assert_string_equal(first, "[91,35,35,\"2.25\",1,\"-8x0\",\"2.25\",\"2.25\",\"0\",5]");
    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(help_apply(&env, plan, &rows, sizes[i], &out), HR_OK);
        got = help_text(&out);
        assert_string_equal(got, want);
        free(got);
        help_clear(&out);
    }
    free(want);
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_still),
                                        cmocka_unit_test(test_constants),
                                        cmocka_unit_test(test_bad_row_of_many),
                                        cmocka_unit_test(test_names_of_numbers) };

    return cmocka_run_group_tests_name("transform/rows", tests, NULL, NULL);
}
