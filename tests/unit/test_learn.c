#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "headrace/rows.h"
#include "help_transform.h"
#include "learn/learn.h"

static const char PENGUINS[] = HR_TEST_CASES "/learn/penguins.json";
static const char TYPES[] = "species:l a:f b:f c:f d:f";

static void read_file(struct hr_env *env, const char *path, struct hr_buf *to)
{
    hr_buf_of(to, HR_MAX_FILE_BYTES, env);
    if (hr_file_read(env, path, HR_MAX_FILE_BYTES, to) < 0)
        fail_msg("%s", hr_env_error(env));
}

/* Penguins, z-scored by the language, every third for evaluation. */
static void penguins(struct hr_env *env, struct help_rows *ret)
{
    static const char source[] = "for f in [a, b, c, d]:\n    {f} = scale_to_z_score(f)\n"
                                 "species = species\n";
    struct hr_plan *plan;
    struct help_rows raw;
    struct hr_buf text;

    read_file(env, PENGUINS, &text);
    help_rows(TYPES, text.text, &raw);
    if (help_features(env, source, "species:int a:float b:float c:float d:float", &raw, NULL,
                      &plan) < 0 ||
        help_apply(env, plan, &raw, 4096, ret) < 0)
        fail_msg("%s", hr_env_error(env));
    hr_plan_close(plan);
    help_clear(&raw);
    hr_buf_clear(&text);
}

static struct hr_net_shape shape_of(int kind, int task)
{
    static const struct hr_net_input inputs[] = {
        { "a", HR_INPUT_FLOAT, 1, 0, 0 },
        { "b", HR_INPUT_FLOAT, 1, 0, 0 },
        { "c", HR_INPUT_FLOAT, 1, 0, 0 },
        { "d", HR_INPUT_FLOAT, 1, 0, 0 },
    };
    static const char *const labels[] = { "Adelie", "Chinstrap", "Gentoo" };

    return (struct hr_net_shape){ .kind = kind,
                                  .task = task,
                                  .ids = HR_IDS_WIDE,
                                  .inputs = inputs,
                                  .ninputs = 4,
                                  .hidden = { 8, 8 },
                                  .nhidden = 2,
                                  .classes = task == HR_TASK_CLASSES ? 3 : 1,
                                  .label = "species",
                                  .labels = task == HR_TASK_CLASSES ? labels : NULL };
}

static void split(struct hr_env *env, const struct hr_net *net, const struct help_rows *all,
                  struct hr_samples *train, struct hr_samples *eval)
{
    struct ArrowArrayStream s;
    struct ArrowArray batch;
    int64_t i = 0;

    hr_samples_init(train, env, net);
    hr_samples_init(eval, env, net);
    help_stream(all, 1, &s);
    for (;; i++) {
        assert_int_equal(s.get_next(&s, &batch), 0);
        if (!batch.release)
            break;
        assert_int_equal(hr_samples_add(i % 3 == 2 ? eval : train, &all->schema, &batch, true),
                         HR_OK);
        batch.release(&batch);
    }
    s.release(&s);
}

static const struct hr_train USUAL = {
    .steps = 100, .batch = 20, .optimizer = HR_ADAM, .rate = 0.01f, .every = 10
};

static void train(struct hr_env *env, const struct help_rows *rows,
                  const struct hr_net_shape *shape, const struct hr_train *how, struct hr_net **ret,
                  struct hr_scores *scores)
{
    struct hr_samples some, rest;

    assert_int_equal(hr_net_new(env, shape, how->seed, ret), HR_OK);
    split(env, *ret, rows, &some, &rest);
    if (hr_net_train(env, *ret, how, &some, &rest, NULL, NULL) < 0)
        fail_msg("%s", hr_env_error(env));
    assert_int_equal(hr_net_scores(env, *ret, &rest, scores), HR_OK);
    hr_samples_clear(&some);
    hr_samples_clear(&rest);
}

/* Of ten seeds each learns the penguins; the same seed gives the same bits. */
static void test_penguins(void **state)
{
    struct hr_net_shape shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    const float *w, *again;
    struct hr_net *net, *other;
    struct hr_scores s;
    struct help_rows rows;
    struct hr_train how = USUAL;
    struct hr_env env;
    size_t n;

    (void)state;
    hr_env_init(&env, NULL);
    penguins(&env, &rows);
    for (how.seed = 0; how.seed < 10; how.seed++) {
        train(&env, &rows, &shape, &how, &net, &s);
        print_message("seed %d: loss %.4f accuracy %.4f\n", (int)how.seed, s.loss, s.accuracy);
        assert_true(s.accuracy >= 0.9);
        train(&env, &rows, &shape, &how, &other, &s);
        n = hr_net_weights(net, &w);
        assert_int_equal(hr_net_weights(other, &again), n);
        assert_memory_equal(w, again, n * sizeof *w);
        hr_net_free(net);
        hr_net_free(other);
    }
    help_clear(&rows);
    hr_env_clear(&env);
}

static void test_other_ways(void **state)
{
    struct hr_net_shape linear = shape_of(HR_NET_LINEAR, HR_TASK_CLASSES);
    struct hr_net_shape number = shape_of(HR_NET_DNN, HR_TASK_REGRESSION);
    struct hr_train how = USUAL;
    struct hr_net *net;
    struct hr_scores s;
    struct help_rows rows;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    penguins(&env, &rows);
    how.rate = 0.05f;
    train(&env, &rows, &linear, &how, &net, &s);
    assert_true(s.accuracy >= 0.9);
    hr_net_free(net);
    how.optimizer = HR_SGD;
    how.rate = 0.5f;
    train(&env, &rows, &linear, &how, &net, &s);
    assert_true(s.accuracy >= 0.9);
    hr_net_free(net);
    how = USUAL;
    how.steps = 500;
    train(&env, &rows, &number, &how, &net, &s);
    assert_true(s.accuracy < 0.3); /* mean absolute error of 0, 1, 2 */
    hr_net_free(net);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* Ids of categories in each of the ways that they can go. */
static void test_ids(void **state)
{
    static const struct hr_net_input inputs[] = {
        { "x", HR_INPUT_FLOAT, 1, 0, 0 },
        { "c", HR_INPUT_ID, 0, 10, 4 },
        { "tags", HR_INPUT_ID, 0, 0, 3 },
    };
    struct hr_net_shape shape = { .kind = HR_NET_DNN,
                                  .task = HR_TASK_BINARY,
                                  .inputs = inputs,
                                  .ninputs = 3,
                                  .hidden = { 8 },
                                  .nhidden = 1,
                                  .embedding = 4,
                                  .classes = 1,
                                  .label = "y" };
    struct hr_train how = { .steps = 400, .batch = 8, .optimizer = HR_ADAM, .rate = 0.02f };
    struct help_rows rows;
    struct hr_samples s;
    struct hr_scores scores;
    struct hr_env env;
    struct hr_net *net;

    (void)state;
    hr_env_init(&env, NULL);
    help_rows("x:f c:l tags:+l y:l",
              "[[0,10,[],0],[0,11,[],1],[1,12,[0],1],[0.5,13,[1],0],[0,10,[2],1],[0,11,[2],0],"
              "[1,12,[0,1],1],[0.5,99,[1,7],0]]",
              &rows);
    for (shape.ids = HR_IDS_WIDE; shape.ids <= HR_IDS_EMBEDDING; shape.ids++) {
        assert_int_equal(hr_net_new(&env, &shape, 1, &net), HR_OK);
        hr_samples_init(&s, &env, net);
        assert_int_equal(hr_samples_add(&s, &rows.schema, &rows.rows, true), HR_OK);
        assert_int_equal(s.ends[7], 7 + 7); /* one id of c and one tag leave no trace */
        assert_int_equal(hr_net_train(&env, net, &how, &s, NULL, NULL, NULL), HR_OK);
        assert_int_equal(hr_net_scores(&env, net, &s, &scores), HR_OK);
        /* c 11 with tag 2 against c 11 alone is what a wide net cannot tell */
        assert_true(scores.accuracy >= (shape.ids == HR_IDS_WIDE ? 0.75 : 1));
        hr_samples_clear(&s);
        hr_net_free(net);
    }
    help_clear(&rows);
    hr_env_clear(&env);
}

struct seen {
    int reports;
    bool stopped;
    int64_t step;
};

static hr_status count_reports(void *user, const struct hr_train_report *r)
{
    struct seen *s = user;

    s->reports++;
    s->stopped = r->stopped;
    s->step = r->step;
    assert_true(r->train.rows > 0 && r->eval.rows > 0);
    return s->step >= 250 ? HR_CANCELLED : HR_OK;
}

static void test_stopping(void **state)
{
    struct hr_net_shape shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    struct hr_train how = { .steps = 100000,
                            .batch = 20,
                            .optimizer = HR_SGD,
                            .rate = 1e-12f,
                            .every = 10,
                            .patience = 3 };
    struct hr_samples some, rest;
    struct seen seen = { 0 };
    struct help_rows rows;
    struct hr_net *net;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    penguins(&env, &rows);
    assert_int_equal(hr_net_new(&env, &shape, 0, &net), HR_OK);
    split(&env, net, &rows, &some, &rest);
    assert_int_equal(hr_net_train(&env, net, &how, &some, &rest, count_reports, &seen), HR_OK);
    assert_true(seen.stopped && seen.step < 250);
    how.patience = 0;
    assert_int_equal(hr_net_train(&env, net, &how, &some, &rest, count_reports, &seen),
                     HR_CANCELLED);
    assert_int_equal(seen.step, 250);
    how.rate = 1e30f;
    how.steps = 100;
    assert_int_equal(hr_net_train(&env, net, &how, &some, &rest, NULL, NULL), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&env), "learning_rate"));
    hr_samples_clear(&some);
    hr_samples_clear(&rest);
    hr_net_free(net);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* Written, read, equal to the bit; and each byte that is damaged is seen. */
static void test_files(void **state)
{
    struct hr_net_shape shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    char dir[] = "/tmp/hr-learn-XXXXXX", path[512];
    struct hr_buf json, weights;
    const float *w, *again;
    struct hr_net *net, *other;
    struct hr_env env;
    size_t i, n;

    (void)state;
    hr_env_init(&env, NULL);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(hr_net_new(&env, &shape, 5, &net), HR_OK);
    assert_int_equal(hr_net_save(&env, net, dir), HR_OK);
    assert_int_equal(hr_net_open(&env, dir, &other), HR_OK);
    n = hr_net_weights(net, &w);
    assert_int_equal(n, 4 * 8 + 8 + 8 * 8 + 8 + 8 * 3 + 3);
    assert_int_equal(hr_net_weights(other, &again), n);
    assert_memory_equal(w, again, n * sizeof *w);
    assert_string_equal(hr_net_shape(other)->labels[2], "Gentoo");
    assert_string_equal(hr_net_shape(other)->inputs[3].name, "d");
    hr_net_free(other);
    snprintf(path, sizeof path, "%s/net.json", dir);
    read_file(&env, path, &json);
    snprintf(path, sizeof path, "%s/weights.bin", dir);
    read_file(&env, path, &weights);
    for (i = 0; i < weights.len; i++) {
        weights.text[i] ^= 1;
        assert_int_equal(hr_net_read(&env, hr_slice(json.text, json.len),
                                     hr_slice(weights.text, weights.len), &other),
                         HR_DATA_LOSS);
        weights.text[i] ^= 1;
    }
    for (i = 0; i < weights.len; i++)
        assert_int_equal(
            hr_net_read(&env, hr_slice(json.text, json.len), hr_slice(weights.text, i), &other),
            HR_DATA_LOSS);
    hr_buf_clear(&json);
    hr_buf_clear(&weights);
    hr_net_free(net);
    assert_int_equal(hr_tree_remove(&env, dir), HR_OK);
    hr_env_clear(&env);
}

static void test_bad_shapes(void **state)
{
    struct hr_net_shape shape;
    struct hr_net *net;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    shape.nhidden = HR_MAX_LAYERS + 1;
    assert_int_equal(hr_net_new(&env, &shape, 0, &net), HR_INVALID);
    shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    shape.hidden[1] = HR_MAX_UNITS + 1;
    assert_int_equal(hr_net_new(&env, &shape, 0, &net), HR_INVALID);
    shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    shape.hidden[0] = shape.hidden[1] = HR_MAX_UNITS;
    assert_int_equal(hr_net_new(&env, &shape, 0, &net), HR_EXHAUSTED);
    shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    shape.ninputs = 0;
    assert_int_equal(hr_net_new(&env, &shape, 0, &net), HR_INVALID);
    shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    shape.classes = 1;
    assert_int_equal(hr_net_new(&env, &shape, 0, &net), HR_INVALID);
    hr_env_clear(&env);
}

static void test_bad_rows(void **state)
{
    struct hr_net_shape shape = shape_of(HR_NET_DNN, HR_TASK_CLASSES);
    struct hr_samples s;
    struct help_rows rows;
    struct hr_net *net;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    assert_int_equal(hr_net_new(&env, &shape, 0, &net), HR_OK);
    hr_samples_init(&s, &env, net);
    help_rows(TYPES, "[[3,1,1,1,1]]", &rows);
    assert_int_equal(hr_samples_add(&s, &rows.schema, &rows.rows, true), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&env), "knows 0 to 2"));
    assert_int_equal(hr_samples_add(&s, &rows.schema, &rows.rows, false), HR_OK);
    help_clear(&rows);
    help_rows(TYPES, "[[null,1,1,1,1]]", &rows);
    assert_int_equal(hr_samples_add(&s, &rows.schema, &rows.rows, true), HR_INVALID);
    help_clear(&rows);
    help_rows("species:l a:f b:f c:f", "[[0,1,1,1]]", &rows);
    assert_int_equal(hr_samples_add(&s, &rows.schema, &rows.rows, true), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&env), "no column \"d\""));
    assert_int_equal(s.rows, 1);
    help_clear(&rows);
    hr_samples_clear(&s);
    hr_net_free(net);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_penguins), cmocka_unit_test(test_other_ways),
        cmocka_unit_test(test_ids),      cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_files),    cmocka_unit_test(test_bad_shapes),
        cmocka_unit_test(test_bad_rows),
    };

    return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
