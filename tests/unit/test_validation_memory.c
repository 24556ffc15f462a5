/* Every allocation of core/validation, core/analysis and the messages of core/wire is made to
 * fail, one after the other: nothing is lost, nothing but HR_EXHAUSTED comes back. */
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
#include "help_mem.h"
#include "help_proto.h"
#include "help_table.h"
#include "validation/column_store.h"
#include "validation/features.h"
#include "validation/validation.h"

/* Run work() with the first allocation failing, then the second, ... until all goes well. */
static void each_allocation(hr_status (*work)(struct hr_env *env, void *user), void *user)
{
    struct hr_env_config config = { .alloc = help_mem_alloc, .threads = 1, .batch_rows = 1 };
    hr_status r = HR_EXHAUSTED;
    int n, calls = 20000;

    for (n = 1; n <= calls + 1; n++) { /* until the n-th is none */
        struct help_mem m = { .fail_at = n };
        struct hr_env env;

        config.alloc_user = &m;
        hr_env_init(&env, &config);
        r = work(&env, user);
        if (r != HR_OK && r != HR_EXHAUSTED)
            fail_msg("allocation %d gives %d: %s", n, (int)r, hr_env_error(&env));
        hr_env_clear(&env);
        if (m.live)
            fail_msg("allocation %d: %zu bytes are lost", n, m.live);
        if (r == HR_OK && m.calls >= n)
            fail_msg("allocation %d: all is well without it", n);
        calls = m.calls < n ? m.calls : calls;
    }
    assert_int_equal(r, HR_OK);
    assert_true(n > 3);
}

struct texts {
    struct hr_buf train, eval, schema, config;
};

static hr_status schema_work(struct hr_env *env, void *user)
{
    struct hr_schema_options options = { .infer_shape = true };
    struct hr_validate_args args = { 0 };
    struct texts *t = user;
    ProtobufCMessage *train = NULL, *eval = NULL;
    hr_schema *schema = NULL, *given = NULL;
    hr_anomalies *anomalies = NULL;
    struct hr_arena arena;
    struct hr_buf b;
    hr_status r;

    hr_arena_init(&arena, env, 0);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    r = hr_pb_read(&arena, &HR_MD_OF(dataset_feature_statistics_list), "train", t->train.text,
                   t->train.len, &train);
    if (r == HR_OK)
        r = hr_pb_read(&arena, &HR_MD_OF(dataset_feature_statistics_list), "eval", t->eval.text,
                       t->eval.len, &eval);
    if (r == HR_OK)
        r = hr_schema_infer(&arena, (hr_statistics *)train, &options, &schema);
    if (r == HR_OK)
        r = hr_schema_update(&arena, schema, (hr_statistics *)eval);
    if (r == HR_OK)
        r = hr_schema_write(env, schema, &b);
    if (r == HR_OK)
        r = hr_schema_read(&arena, "schema", t->schema.text, t->schema.len, &given);
    args.statistics = (hr_statistics *)train;
    args.previous = (hr_statistics *)eval;
    args.schema = given;
    if (r == HR_OK)
        r = hr_validate(&arena, &args, &anomalies);
    if (r == HR_OK)
        r = hr_pb_write(env, &anomalies->base, &b);
    hr_buf_clear(&b);
    hr_arena_clear(&arena);
    return r;
}

static void test_schema(void **state)
{
    struct hr_env env;
    struct texts t;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&t.train, HR_MAX_FILE_BYTES, &env);
    hr_buf_of(&t.eval, HR_MAX_FILE_BYTES, &env);
    hr_buf_of(&t.schema, HR_MAX_FILE_BYTES, &env);
    help_case(&env, "validation/mixed_a", "train.FeatureStats.pb", &t.train);
    help_case(&env, "validation/mixed_a", "eval.FeatureStats.pb", &t.eval);
    help_case(&env, "validation/anomalies", "drift.schema.pbtxt", &t.schema);
    each_allocation(schema_work, &t);
    hr_buf_cut(&t.schema, 0);
    help_case(&env, "validation/anomalies", "many.schema.pbtxt", &t.schema);
    each_allocation(schema_work, &t);
    hr_buf_clear(&t.train);
    hr_buf_clear(&t.eval);
    hr_buf_clear(&t.schema);
    hr_env_clear(&env);
}

/* Columns of numbers and of texts, through all that is done with them. */
static hr_status columns_work(struct hr_env *env, void *user)
{
    static const enum hr_column_use uses[] = { HR_COLUMN_WORDS, HR_COLUMN_NUMBERS };
    struct hr_column_scratch scratch = { NULL, 0 };
    const struct help_rows *rows = user;
    HR_MD(DatasetFeatureStatistics) * set;
    struct hr_arena arena;
    struct hr_buf b;
    hr_status r = HR_OK;
    size_t i;

    hr_arena_init(&arena, env, 0);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    set = hr_pb_new(&arena, &HR_MD_OF(dataset_feature_statistics));
    for (i = 0; i < 2 && r == HR_OK; i++) {
        struct hr_feature_args args = { "x", uses[i], 0 };
        struct hr_column c, d, e;
        struct hr_stored in;
        struct hr_col col;

        assert_int_equal(hr_col_open(&rows->schema, &rows->rows, (int64_t)i, &col), HR_OK);
        hr_column_init(&c);
        hr_column_init(&d);
        hr_column_init(&e);
        r = hr_column_add(env, &c, &col, uses[i], 0, rows->rows.length / 2, &scratch);
        if (r == HR_OK)
            r = hr_column_add(env, &d, &col, uses[i], rows->rows.length / 2, rows->rows.length,
                              &scratch);
        if (r == HR_OK)
            r = hr_column_merge(env, &c, &d);
        if (r == HR_OK)
            r = hr_column_settle(env, &c);
        hr_buf_cut(&b, 0);
        if (r == HR_OK)
            r = hr_column_store(env, &c, &b);
        in = (struct hr_stored){ b.text, b.text + b.len, true };
        if (r == HR_OK)
            r = hr_column_load(env, &in, &e);
        if (r == HR_OK)
            r = set ? hr_feature_make(&arena, &e, &args, set) : HR_EXHAUSTED;
        hr_column_clear(env, &c);
        hr_column_clear(env, &d);
        hr_column_clear(env, &e);
    }
    hr_buf_clear(&b);
    hr_arena_clear(&arena);
    return r;
}

static void test_columns(void **state)
{
    struct help_rows rows;
    struct hr_env env;
    struct hr_buf b;
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&b, 1 << 20, &env);
    for (i = 0; i < 3000; i++)
        hr_buf_format(&b, "%c[\"word %d\",%d]", i ? ',' : '[', i % 2500, i * 7 % 2900);
    hr_buf_char(&b, ']');
    help_rows("w:z n:g", b.text, &rows);
    each_allocation(columns_work, &rows);
    help_clear(&rows);
    hr_buf_clear(&b);
    hr_env_clear(&env);
}

static hr_status analysis_work(struct hr_env *env, void *user)
{
    static const double labels[] = { 0, 1, 1, 0 }, scores[] = { .1, .9, .4, .6 };
    HR_MA(MetricsForSlice) *m = NULL;
    struct hr_gather_scratch scratch = { 0 };
    struct hr_gathered g = { 0 }, h = { 0 };
    struct hr_plan *plan = NULL;
    struct texts *t = user;
    hr_eval_config *c, *d;
    struct hr_arena arena;
    struct hr_buf b;
    hr_status r;
    size_t i;

    hr_arena_init(&arena, env, 0);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    r = hr_eval_config_read(&arena, "eval.json", t->config.text, t->config.len, &c);
    if (r == HR_OK)
        r = hr_eval_config_default(&arena, c, false, &d);
    if (r == HR_OK)
        r = hr_plan_make(&arena, d, &plan);
    if (r == HR_OK)
        r = hr_gathered_init(env, plan, &g);
    for (i = 0; i < 4 && r == HR_OK; i++) {
        struct hr_row row = { &labels[i], &scores[i], 1, 1, 1 };

        r = hr_gathered_add(env, plan, &g, &row, &scratch);
    }
    if (r == HR_OK)
        r = hr_gathered_store(plan, &g, &b);
    if (r == HR_OK)
        r = hr_gathered_init(env, plan, &h);
    if (r == HR_OK)
        r = hr_gathered_load(env, plan, b.text, b.len, &h);
    if (r == HR_OK)
        r = hr_gathered_merge(env, plan, &h, &g);
    if (r == HR_OK)
        r = hr_results_make(&arena, plan, &h, &m);
    if (r == HR_OK)
        r = hr_pb_write(env, &m->base, &b);
    if (plan) {
        hr_gathered_clear(env, plan, &g);
        hr_gathered_clear(env, plan, &h);
        hr_buf_clear(&plan->warnings);
    }
    hr_gather_scratch_clear(env, &scratch);
    hr_buf_clear(&b);
    hr_arena_clear(&arena);
    return r;
}

static void test_analysis(void **state)
{
    struct hr_env env;
    struct texts t;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&t.config, HR_MAX_FILE_BYTES, &env);
    help_case(&env, "analysis/tables", "binary_all.config.json", &t.config);
    each_allocation(analysis_work, &t);
    hr_buf_clear(&t.config);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_analysis),
    };

    return cmocka_run_group_tests_name("validation/memory", tests, NULL, NULL);
}
