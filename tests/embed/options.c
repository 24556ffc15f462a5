/* options.c - what is wrong with the options of a call is said, with its place, and nothing is
 * done: by hr_error() and, for programs, by hr_error_json(). */
#include "help.h"

static const char pipeline[] =
    "{\"headrace\": 1, \"name\": \"p\", \"nodes\": {\n"
    "\"table\": {\"importer\": {\"source_uri\": \"table\", \"type\": \"File\"}}}}";

struct wrong {
    const char *options, *error;
};

/* Of hr_check(), hr_start(), hr_preview(), hr_resume(). */
static const struct wrong of_runs[] = {
    { "[]", "options:1:1: options are an object" },
    { "{", "options:1:2: the name of a member" },
    { "{\"forse\": []}", "there is no option \"forse\"" },
    { "{\"param\": 7}", "\"param\" wants an object" },
    { "{\"param\": {\"x\": 7}}", "has no parameter \"x\"" },
    { "{\"force\": \"table\"}", "options:1:11: \"force\" wants a list of nodes" },
    { "{\"from\": [7]}", "options:1:11: \"from\" wants a list of nodes" },
    { "{\"only\": [\"table\"], \"to\": [\"table\"]}", "\"only\" says all that runs" },
    { "{\"jobs\": 0}", "\"jobs\" wants an int from 1 to" },
    { "{\"jobs\": 2.5}", "\"jobs\" wants an int from 1 to" },
    { "{\"name\": 7}", "\"name\" wants a text" },
    { "{\"no_cache\": 1}", "\"no_cache\" is true or false" },
    { "{\"isolation\": \"some\"}", "\"isolation\" is \"worker\" or \"none\"" },
    { "{\"sandbox\": \"good\"}", "\"sandbox\" is \"required\" or \"best\"" },
};

static void test_runs(void **state)
{
    struct folder *f = *state;
    const char *json;
    hr_project *p;
    hr_job *job = NULL;
    size_t i;

    shell("mkdir -p '%s/p/table'", f->dir);
    write_text(f, "p/pipeline.json", pipeline);
    p = open_in(f, "p", NULL);
    for (i = 0; i < sizeof of_runs / sizeof *of_runs; i++) {
        must_fail(p, hr_start(p, in_folder(f, "p/pipeline.json"), of_runs[i].options, &job),
                  HR_INVALID, of_runs[i].error);
        assert_null(job);
        must_fail(p, hr_check(p, in_folder(f, "p/pipeline.json"), of_runs[i].options), HR_INVALID,
                  of_runs[i].error);
        must_fail(p, hr_preview(p, in_folder(f, "p/pipeline.json"), of_runs[i].options, &json),
                  HR_INVALID, of_runs[i].error);
    }
    assert_int_equal(count_rows(p, "executions", NULL), 0);
    must(p, hr_start(p, in_folder(f, "p/pipeline.json"),
                     "{\"sandbox\": \"best\", \"isolation\": \"worker\", \"jobs\": 1}", &job));
    must(p, hr_wait(job));
    hr_job_free(job);
    hr_free(p);
}

static void test_gc(void **state)
{
    static const struct wrong rows[] = {
        { "[7]", "options are a JSON object" },
        { "7", "options are a JSON object" },
        { "{\"keep\": -1}", "options:1:10: \"keep\" wants a number from 0 on" },
        { "{\"keep\": \"all\"}", "\"keep\" wants a number from 0 on" },
        { "{\"older_s\": 1e30}", "\"older_s\" wants a number from 0 on" },
        { "{\"keep\": 0, \"dry_run\": 1}", "options:1:24: \"dry_run\" is true or false" },
        { "{\"keep\": 0, \"dry_run\": \"true\"}", "\"dry_run\" is true or false" },
        { "{\"kept\": 1}", "gc has no option \"kept\"; it has keep, older_s and dry_run" },
    };
    struct folder *f = *state;
    const char *json;
    hr_project *p = penguin_in(f, "p");
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        must_fail(p, hr_gc(p, rows[i].options, &json), HR_INVALID, rows[i].error);
    assert_int_equal(count_rows(p, "artifacts", "state = DELETED"), 0);
    must(p, hr_gc(p, "{\"keep\": 0, \"dry_run\": true}", &json));
    assert_non_null(strstr(json, "\"kept\":"));
    hr_free(p);
}

static void test_packages(void **state)
{
    static const struct wrong rows[] = {
        { "[]", "options are a JSON object" },
        { "{\"oot\": \"x\"}", "options:1:2: there is no option \"oot\"; did you mean \"out\"?" },
        { "{\"out\": 7}", "options:1:9: the option \"out\" wants a text" },
        { "{\"key\": []}", "the option \"key\" wants a text" },
    };
    struct folder *f = *state;
    const char *json;
    hr_project *p = penguin_in(f, "p");
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        must_fail(p, hr_package_pack(p, "penguin@1", rows[i].options, &json), HR_INVALID,
                  rows[i].error);
    must_fail(p, hr_package_verify(p, "x.hrp", "{\"keys\": 7}", &json), HR_INVALID,
              "the option \"keys\" wants a list of texts");
    must_fail(p, hr_package_verify(p, "x.hrp", "{\"keys\": [7]}", &json), HR_INVALID,
              "an option's list holds what is no text");
    must_fail(p, hr_package_verify(p, "x.hrp", "{\"any_signer\": 7}", &json), HR_INVALID,
              "the option \"any_signer\" wants true or false");
    hr_free(p);
}

/* Each error of a file with its code, place and what may have been meant. */
static void test_json(void **state)
{
    struct folder *f = *state;
    static const char *const wanted[] = {
        "[{\"code\":\"HR_NOT_FOUND\",\"text\":\"there is no component \\\"Misbehav\\\"\","
        "\"file\":\"",
        "/p/pipeline.json\",\"line\":2,\"column\":20,\"suggestion\":\"Misbehave\"},"
        "{\"code\":\"HR_INVALID\",\"text\":\"node \\\"b\\\" wants an object\",\"file\":\"",
        "/p/pipeline.json\",\"line\":3,\"column\":6}]",
    };
    const char *got;
    hr_project *p;
    size_t i;

    shell("mkdir -p '%s/p'", f->dir);
    write_text(f, "p/pipeline.json",
               "{\"headrace\": 1, \"name\": \"p\", \"nodes\": {\n"
               "\"a\": {\"component\": \"Misbehav\"},\n\"b\": 7}}");
    p = open_in(f, "p", NULL);
    assert_string_equal(hr_error_json(p), "[]");
    must_fail(p, hr_check(p, in_folder(f, "p/pipeline.json"), NULL), HR_INVALID, "Misbehav");
    for (i = 0, got = hr_error_json(p); i < 3; i++) {
        if (strncmp(got, wanted[i], strlen(wanted[i])) != 0)
            fail_msg("%s is not %s", got, wanted[i]);
        got += strlen(wanted[i]);
        if (i < 2 && !strncmp(got, f->dir, strlen(f->dir)))
            got += strlen(f->dir);
    }
    assert_string_equal(got, "");
    hr_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_runs, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_gc, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_packages, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_json, make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
