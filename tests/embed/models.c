/* models.c - models, packages, trust and tables in a program of another's. */
#include "help.h"

#include <pthread.h>

#include <headrace/arrow.h>

static void read_key(struct folder *f, const char *name, char line[64])
{
    FILE *file = fopen(in_folder(f, name), "r");
    char text[256];

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file)); /* a comment */
    assert_non_null(fgets(line, 64, file));
    line[strcspn(line, "\n")] = '\0';
    fclose(file);
}

static void write_trust(struct folder *f, const char *name, const char *key)
{
    char line[64], text[512];

    read_key(f, key, line);
    snprintf(text, sizeof text,
             "{\"headrace_trust\": 1, \"unsigned\": \"refuse\", \"keys\": [{\"name\": \"release\","
             " \"key\": \"%s\"}]}",
             line);
    write_text(f, name, text);
}

/* A handle without a project, that trusts what a file says. */
static hr_project *trusting(struct folder *f, const char *name)
{
    hr_config config = { .struct_size = sizeof config, .trust = in_folder(f, name) };
    hr_project *p = hr_new(&config);

    assert_non_null(p);
    return p;
}

static void damage(struct folder *f, const char *name)
{
    FILE *file = fopen(in_folder(f, name), "r+b");

    assert_non_null(file);
    assert_int_equal(fseek(file, -600, SEEK_END), 0);
    assert_true(fputs("????", file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void ask(hr_model *m, char ret[512])
{
    const char *json = NULL;

    if (hr_model_predict_json(m, TEST_ROW, &json) < 0)
        fail_msg("%s", hr_model_error(m));
    snprintf(ret, 512, "%s", json);
}

/* -- packages --------------------------------------------------------------------------- */

/* From the registry to a package, signed, and to a program that has nothing else. */
static void test_package(void **state)
{
    struct folder *f = *state;
    hr_project *p = penguin_in(f, "p");
    char options[8192], wanted[512], got[512];
    const char *file = NULL, *key = NULL, *json = NULL;
    hr_model *model = NULL, *second = NULL;

    must(p, hr_key_make(p, in_folder(f, "a.key"), NULL, &key));
    must(p, hr_key_make(p, in_folder(f, "b.key"), NULL, &key));
    write_trust(f, "a.json", "a.pub");
    write_trust(f, "b.json", "b.pub");
    snprintf(options, sizeof options, "{\"out\": \"%s/m.hrp\", \"key\": \"%s/a.key\"}", f->dir,
             f->dir);
    must(p, hr_package_pack(p, "penguin@1", options, &file));
    must(p, hr_model_open(p, "penguin@1", NULL, &model));
    ask(model, wanted);
    hr_free(p);
    p = trusting(f, "b.json");
    model = NULL;
    must_fail(p, hr_model_open(p, in_folder(f, "m.hrp"), NULL, &model), HR_DENIED, "unknown key");
    hr_free(p);
    p = trusting(f, "none.json");
    must_fail(p, hr_model_open(p, in_folder(f, "m.hrp"), NULL, &model), HR_NOT_FOUND,
              "none.json");
    hr_free(p);
    p = trusting(f, "a.json");
    must(p, hr_package_verify(p, in_folder(f, "m.hrp"), NULL, &json));
    assert_non_null(strstr(json, "signed by release"));
    must(p, hr_model_open(p, in_folder(f, "m.hrp"), NULL, &model));
    must(p, hr_model_open(p, in_folder(f, "m.hrp"), NULL, &second));
    ask(model, got);
    assert_string_equal(got, wanted);
    hr_model_close(model);
    ask(second, got);
    assert_string_equal(got, wanted);
    model = NULL;
    must_fail(p, hr_model_open(p, in_folder(f, "m.hrp"), "no such", &model), HR_NOT_FOUND,
              "no such");
    must_fail(p, hr_model_open(p, "penguin@1", NULL, &model), HR_NOT_FOUND, "no project");
    damage(f, "m.hrp");
    must_fail(p, hr_model_open(p, in_folder(f, "m.hrp"), NULL, &model), HR_DATA_LOSS, "m.hrp");
    assert_null(model);
    ask(second, got); /* which is loaded */
    hr_free(p);
}

/* -- handles ------------------------------------------------------------------------------ */

struct asking {
    hr_model *model;
    const char *wanted;
    int wrong;
};

static void *ask_often(void *user)
{
    struct asking *a = user;
    const char *json;
    int i;

    for (i = 0; i < 300; i++) {
        a->wrong += hr_model_predict_json(a->model, TEST_ROW, &json) < 0 ||
                    strcmp(json, a->wanted) != 0;
        a->wrong += hr_model_predict_json(a->model, "[{\"body_mass_g\": true}]", &json) >= 0 ||
                    !strstr(hr_model_error(a->model), "body_mass_g");
    }
    return NULL;
}

/* Handles of one version share what is loaded, on threads of their own. */
static void test_handles(void **state)
{
    struct folder *f = *state;
    hr_project *p = penguin_in(f, "p");
    struct asking asking[3] = { 0 };
    pthread_t threads[3];
    char wanted[512];
    hr_model *more = NULL;
    int i;

    for (i = 0; i < 3; i++)
        must(p, hr_model_open(p, i ? "penguin" : "penguin@1", NULL, &asking[i].model));
    ask(asking[0].model, wanted);
    for (i = 0; i < 3; i++) {
        asking[i].wanted = wanted;
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &asking[i]), 0);
    }
    for (i = 0; i < 20; i++) /* the project is used meanwhile */
        assert_int_equal(count_rows(p, "models", NULL), 1);
    for (i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(asking[i].wrong, 0);
    }
    /* What is loaded is not read again, until the last of them is closed. */
    shell("find '%s/p' -name weights.bin -path '*serving*' | grep -q . && chmod -R u+w '%s/p' && "
          "find '%s/p' -name weights.bin -delete && rm '%s'/p/.headrace/registry/models/*/*",
          f->dir, f->dir, f->dir, f->dir);
    hr_model_close(asking[0].model);
    must(p, hr_model_open(p, "penguin@1", NULL, &more));
    ask(more, wanted);
    hr_model_close(more);
    hr_model_close(asking[1].model);
    ask(asking[2].model, wanted);
    hr_model_close(asking[2].model);
    must_fail(p, hr_model_open(p, "penguin@1", NULL, &more), HR_NOT_FOUND, "weights.bin");
    hr_free(p);
}

/* Rows as Arrow: what describe() says is what predict() takes and gives. */
static void test_arrow(void **state)
{
    struct folder *f = *state;
    hr_project *p = penguin_in(f, "p");
    struct ArrowSchema in, out;
    hr_model *model = NULL;
    int64_t i;

    must(p, hr_model_open(p, "penguin", NULL, &model));
    assert_int_equal(hr_model_describe(model, &in, &out), HR_OK);
    hr_free(p); /* closes the model; the schemas are the caller's */
    assert_string_equal(in.format, "+s");
    assert_int_equal(in.n_children, 4);
    for (i = 0; i < in.n_children; i++)
        assert_true(strstr(TEST_ROW, in.children[i]->name) != NULL);
    assert_int_equal(out.n_children, 1);
    assert_string_equal(out.children[0]->name, "probabilities");
    in.release(&in);
    out.release(&out);
}

/* -- tables ------------------------------------------------------------------------------- */

static void test_query(void **state)
{
    static const char *const kinds[] = { "runs",    "executions",    "artifacts", "models",
                                         "aliases", "model_history", "cache",     "plugins",
                                         "components" };
    struct folder *f = *state;
    hr_project *p = penguin_in(f, "p");
    hr_cursor *c = NULL, *d = NULL;
    const char *json = NULL;
    size_t i, k;

    must(p, hr_model_promote(p, "penguin@1", "{\"by\": \"ann\"}", &json));
    assert_non_null(strstr(json, "\"alias\":\"production\""));
    must(p, hr_model_promote(p, "penguin@1", NULL, NULL));
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        must(p, hr_query(p, kinds[i], NULL, &c));
        assert_null(hr_cursor_text(c, hr_cursor_columns(c)[0])); /* before the first */
        assert_int_equal(hr_cursor_next(c), 1);
        for (k = 0; hr_cursor_columns(c)[k]; k++)
            ;
        assert_true(k >= 4);
        assert_non_null(hr_cursor_text(c, hr_cursor_columns(c)[0]));
        assert_null(hr_cursor_text(c, "no such column"));
        hr_cursor_free(c);
    }
    /* two cursors at once, each where it is */
    must(p, hr_query(p, "executions", "node != trainer", &c));
    must(p, hr_query_newest(p, "executions", "id > 3 and id <= 6", 2, &d));
    assert_int_equal(hr_cursor_next(c), 1);
    assert_int_equal(hr_cursor_next(d), 1);
    assert_int_equal(hr_cursor_int(d, "id"), 5);
    assert_int_equal(hr_cursor_int(c, "id"), 1);
    assert_true(hr_cursor_float(d, "id") == 5.0);
    assert_int_equal(hr_cursor_next(d), 1);
    assert_int_equal(hr_cursor_next(d), 0);
    assert_null(hr_cursor_text(d, "id"));
    hr_cursor_free(c);
    hr_cursor_free(d);
    assert_int_equal(count_rows(p, "executions", "node = trainer and state = COMPLETE"), 1);
    assert_int_equal(count_rows(p, "executions", "node = nothing"), 0);
    assert_int_equal(count_rows(p, "model_history", "by = ann"), 1);
    c = NULL;
    must_fail(p, hr_query(p, "executions", "nod = trainer", &c), HR_INVALID, "nod");
    must_fail(p, hr_query(p, "executions", "node ~ trainer", &c), HR_INVALID, "node");
    must_fail(p, hr_query(p, "execution", NULL, &c), HR_INVALID, "executions");
    assert_null(c);
    hr_free(p);
    p = hr_new(NULL);
    must_fail(p, hr_query(p, "runs", NULL, &c), HR_PRECONDITION, "no project");
    must(p, hr_query(p, "components", "component = Trainer", &c)); /* needs none */
    hr_free(p);
}

/* -- what it has to say --------------------------------------------------------------------- */

static void remember(void *user, hr_level level, const char *text)
{
    snprintf(user, 512, "%d %s", (int)level, text);
}

static void test_log(void **state)
{
    struct folder *f = *state;
    char said[512] = "";
    hr_config config = { .struct_size = sizeof config, .log = remember, .log_user = said };
    hr_project *p = hr_new(&config);
    const char *json = NULL, *file = NULL;
    char options[512];

    shell("mkdir '%s/d' && echo x >'%s/d/x'", f->dir, f->dir);
    snprintf(options, sizeof options, "{\"out\": \"%s/d.hrp\"}", f->dir);
    must(p, hr_package_pack(p, in_folder(f, "d"), options, &file));
    assert_string_equal(said, "");
    must(p, hr_package_verify(p, in_folder(f, "d.hrp"), NULL, &json));
    if (strncmp(said, "2 ", 2) != 0 || !strstr(said, "d.hrp\" is unsigned"))
        fail_msg("%s", said);
    hr_free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(test_package), TEST(test_handles), TEST(test_arrow),
                                        TEST(test_query), TEST(test_log) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
