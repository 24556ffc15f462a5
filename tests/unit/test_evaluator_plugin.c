#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/analysis.h"
#include "help_evaluation.h"
#include "help_fix.h"
#include "help_plugin.h"
#include "help_table.h"

/* The component over the examples of a case, its outputs in dir. */
static struct hr_local *start(struct fix *f, const char *dir, const char *name)
{
    struct hr_local *l =
        hr_local_new(&f->env, help_component("evaluator", "org.headrace.evaluator.Evaluator"));
    struct ArrowArrayStream stream;
    struct help_rows rows;
    char path[HR_MAX_PATH], file[100];

    assert_non_null(l);
    snprintf(file, sizeof file, "%s_examples.rows.json", help_evaluation_table(name));
    help_table("analysis", file, &rows);
    help_stream(&rows, 50, &stream);
    assert_int_equal(hr_local_input(l, "examples", 0, "eval", &stream), HR_OK);
    help_clear(&rows);
    snprintf(path, sizeof path, "%s/analysis/tables/%s.config.json", HR_TEST_CASES, name);
    assert_int_equal(hr_local_set(l, "eval_config", path), HR_OK);
    help_artifact(&f->env, l, "evaluation", dir, "evaluation");
    help_artifact(&f->env, l, "blessing", dir, "blessing");
    if (hr_local_execute(l) < 0)
        fail_msg("%s", hr_env_error(&f->env));
    return l;
}

static void test_component(void **state)
{
    struct hr_local *l;
    struct hr_buf b;
    char dir[256];
    struct fix f;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 10000, &f.env);
    help_directory(dir, sizeof dir);
    l = start(&f, dir, "validate_both");
    assert_string_equal(hr_local_text(l, "blessing", 0, "blessed"), "0");
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"),
                        "NOT_BLESSED  binary_accuracy of country=de is 0.424242, wanted at least "
                        "0.5");
    help_read(&f.env, dir, "blessing/NOT_BLESSED", &b);
    assert_string_equal(b.text, "binary_accuracy of country=de is 0.424242, wanted at least 0.5\n");
    hr_buf_cut(&b, 0);
    help_read(&f.env, dir, "evaluation/validations.tfrecord", &b);
    hr_local_free(l);
    help_remove(&f.env, dir);

    help_directory(dir, sizeof dir);
    l = start(&f, dir, "validate_change_better");
    assert_string_equal(hr_local_text(l, "blessing", 0, "blessed"), "1");
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"),
                        "BLESSED  auc 0.68, +0.09 vs the baseline");
    hr_buf_cut(&b, 0);
    help_read(&f.env, dir, "blessing/BLESSED", &b);
    assert_string_equal(b.text, "");
    hr_local_free(l);
    help_remove(&f.env, dir);

    help_directory(dir, sizeof dir);
    l = start(&f, dir, "validate_baseline_absent");
    assert_null(hr_local_text(l, "blessing", 0, "blessed"));
    assert_string_equal(hr_local_text(l, "blessing", 0, "not_evaluated"),
                        "all thresholds compare with a baseline, and there is none");
    assert_string_equal(hr_local_text(l, NULL, 0, "summary"),
                        "not evaluated: all thresholds compare with a baseline, and there is none");
    hr_local_free(l);
    help_remove(&f.env, dir);
    hr_buf_clear(&b);
    end(&f);
}

/* Every case of the reference, from the files that the component writes. */
static void test_reference(void **state)
{
    struct hr_evaluation e;
    hr_verdict *verdict;
    struct hr_local *l;
    char dir[256], path[HR_MAX_PATH];
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; help_evaluation_cases[i]; i++) {
        const char *name = help_evaluation_cases[i];

        begin(&f);
        help_directory(dir, sizeof dir);
        l = start(&f, dir, name);
        assert_int_equal(hr_path_join(&f.env, dir, "evaluation", path), HR_OK);
        if (hr_evaluation_open(&f.arena, path, &e, &verdict) < 0)
            fail_msg("%s: %s", name, hr_env_error(&f.env));
        help_same_evaluation(&f.env, "examples", name, &e,
                             strncmp(name, "validate", 8) ? NULL : verdict);
        hr_local_free(l);
        help_remove(&f.env, dir);
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_component),
                                        cmocka_unit_test(test_reference) };

    return cmocka_run_group_tests_name("plugins/evaluator", tests, NULL, NULL);
}
