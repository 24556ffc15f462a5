/* What tf.Transform gives on 400 rows: each case of tests/cases/transform/tft is a features file
 * with its columns, schema and vocabulary files.  A case that begins with "# later" is of a
 * function that is not offered yet; it must fail, and is to be changed when it no longer does.
 */
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

static const char CASES[] = HR_TEST_CASES "/transform/tft";
static const char COLUMNS[] = "x:float skewed:float constant:float with_nan:float i:int k:bytes "
                              "s:bytes n:int text:bytes v:float[3] w:float label:int opt:float? "
                              "tags:bytes*";

struct world {
    struct hr_env env;
    struct help_rows rows;
};

static void read_case(struct hr_env *env, const char *name, const char *end, struct hr_buf *to)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s%s", CASES, name, end);
    hr_buf_of(to, HR_MAX_FILE_BYTES, env);
    if (hr_file_read(env, path, HR_MAX_FILE_BYTES, to) < 0)
        fail_msg("%s", hr_env_error(env));
}

static void put(struct hr_builder *b, const struct hr_feature *f, const struct hr_json_doc *doc,
                const struct hr_json *v)
{
    double d = NAN;
    int64_t i = 0;

    if (f->type == HR_FEATURE_BYTES) {
        hr_builder_bytes(b, hr_json_text(v), strlen(hr_json_text(v)));
    } else if (f->type == HR_FEATURE_INT) {
        assert_true(hr_json_int(doc, v, &i));
        hr_builder_int(b, i);
    } else {
        if (hr_json_kind(v) != HR_JSON_NULL) /* NaN has no other text in JSON */
            assert_true(hr_json_double(doc, v, &d));
        hr_builder_double(b, d);
    }
}

static void make_column(const struct hr_feature *f, const struct hr_json_doc *doc,
                        struct ArrowSchema *schema, struct ArrowArray *column)
{
    static const char *const formats[] = { "", "l", "f", "z" };
    bool list = f->rank || f->shape == HR_FEATURE_LIST || f->shape == HR_FEATURE_OPTIONAL;
    const struct hr_json *row, *v, *x;
    struct hr_builder b;

    hr_builder_init(&b, formats[f->type], list);
    for (row = hr_json_first(hr_json_root(doc)); row; row = hr_json_next(row)) {
        v = hr_json_get(row, f->name);
        if (!list) {
            put(&b, f, doc, v);
            continue;
        }
        for (x = hr_json_first(v); x; x = hr_json_next(x))
            put(&b, f, doc, x);
        hr_builder_end(&b);
    }
    assert_int_equal(hr_builder_done(&b, column), HR_OK);
    assert_int_equal(hr_schema_column(schema, f->name, formats[f->type], list), HR_OK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct ArrowArray columns[HELP_COLUMNS];
    struct help_columns c;
    struct hr_json_doc *doc;
    struct hr_buf text;
    size_t i;

    hr_env_init(&w->env, NULL);
    help_columns(COLUMNS, &c);
    read_case(&w->env, "rows", ".json", &text);
    assert_int_equal(hr_json_parse(&w->env, "rows.json", text.text, text.len, 0, &doc), HR_OK);
    assert_int_equal(hr_schema_new("+s", "", (int64_t)c.n, &w->rows.schema), HR_OK);
    for (i = 0; i < c.n; i++)
        make_column(&c.list[i], doc, w->rows.schema.children[i], &columns[i]);
    assert_int_equal(hr_rows_make(columns, (int64_t)c.n, (int64_t)hr_json_count(hr_json_root(doc)),
                                  &w->rows.rows),
                     HR_OK);
    hr_json_free(doc);
    hr_buf_clear(&text);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    help_clear(&w->rows);
    hr_env_clear(&w->env);
    free(w);
    return 0;
}

/* -- comparing ---------------------------------------------------------------------------- */

enum bound { EXACT, RELATIVE, Z };

static bool near_enough(enum bound bound, double got, double want)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    switch (bound) {
    case EXACT:
        return got == want;
    case RELATIVE:
        return fabs(got - want) <= 1e-6 * fabs(want);
    default:
        return fabs(got - want) <= 1e-6 * (1 + fabs(want));
    }
}

static void compare_value(const struct hr_col *c, int64_t at, const struct hr_json_doc *doc,
                          const struct hr_json *want, enum bound bound, int64_t row)
{
    double d = NAN;
    int64_t i = 0;

    if (c->kind == HR_COL_INT) {
        if (!hr_json_int(doc, want, &i) || hr_col_int(c, at) != i)
            fail_msg("%s row %lld: %lld, want %lld", c->name, (long long)row,
                     (long long)hr_col_int(c, at), (long long)i);
        return;
    }
    assert_int_equal(c->kind, HR_COL_FLOAT);
    if (hr_json_kind(want) != HR_JSON_NULL)
        hr_json_double(doc, want, &d);
    if (!near_enough(bound, hr_col_double(c, at), d))
        fail_msg("%s row %lld: %.17g, want %.17g", c->name, (long long)row, hr_col_double(c, at),
                 d);
}

static void compare_column(const struct help_rows *got, const char *name,
                           const struct hr_json_doc *doc, const struct hr_json *want,
                           enum bound bound)
{
    const struct hr_json *v, *x;
    struct hr_col c;
    int64_t row = 0, n, at;

    if (hr_col_open(&got->schema, &got->rows, hr_col_find(&got->schema, name), &c) < 0)
        fail_msg("no column %s", name);
    assert_int_equal(c.length, hr_json_count(want));
    for (v = hr_json_first(want); v; v = hr_json_next(v), row++) {
        n = hr_col_count(&c, row, &at);
        if (hr_json_kind(v) != HR_JSON_ARRAY) {
            assert_int_equal(n, 1);
            compare_value(&c, at, doc, v, bound, row);
            continue;
        }
        assert_int_equal(n, hr_json_count(v));
        for (x = hr_json_first(v); x; x = hr_json_next(x))
            compare_value(&c, at++, doc, x, bound, row);
    }
}

static void compare_file(struct hr_env *env, const char *made, const char *name, const char *end)
{
    struct hr_buf got, want;

    hr_buf_of(&got, HR_MAX_FILE_BYTES, env);
    if (hr_file_read(env, made, HR_MAX_FILE_BYTES, &got) < 0)
        fail_msg("%s", hr_env_error(env));
    read_case(env, name, end, &want);
    assert_string_equal(got.text, want.text);
    hr_buf_clear(&got);
    hr_buf_clear(&want);
}

/* The schema and the vocabulary files of the directory. */
static void compare_files(struct world *w, const struct hr_plan *plan, const char *name)
{
    char dir[] = "/tmp/hr-tft-XXXXXX", path[512], end[200];
    struct hr_names assets = { 0 };
    struct hr_plan *again = NULL;
    size_t i;

    assert_non_null(mkdtemp(dir));
    if (hr_plan_save(&w->env, plan, dir, NULL, 0) < 0)
        fail_msg("%s", hr_env_error(&w->env));
    snprintf(path, sizeof path, "%s/transformed_metadata/schema.pbtxt", dir);
    compare_file(&w->env, path, name, ".schema.pbtxt");
    snprintf(path, sizeof path, "%s/%s.assets", CASES, name);
    if (hr_dir_exists(&w->env, path)) {
        assert_int_equal(hr_dir_list(&w->env, path, &assets), HR_OK);
        for (i = 0; i < assets.count; i++) {
            snprintf(path, sizeof path, "%s/transform_fn/assets/%s", dir, assets.names[i]);
            snprintf(end, sizeof end, ".assets/%s", assets.names[i]);
            compare_file(&w->env, path, name, end);
        }
        assert_true(assets.count > 0);
        hr_names_clear(&w->env, &assets);
    }
    if (hr_plan_open(&w->env, dir, &again) < 0)
        fail_msg("%s", hr_env_error(&w->env));
    assert_string_equal(hr_plan_digest(again), hr_plan_digest(plan));
    hr_plan_close(again);
    assert_int_equal(hr_tree_remove(&w->env, dir), HR_OK);
}

/* The result in batches of 1, 7 and 4096 rows is one. */
static void apply_all(struct world *w, const struct hr_plan *plan, struct help_rows *ret)
{
    static const int64_t sizes[] = { 4096, 7, 1 };
    struct help_rows other;
    char *first, *text;
    int i;

    if (help_apply(&w->env, plan, &w->rows, sizes[0], ret) < 0)
        fail_msg("%s", hr_env_error(&w->env));
    first = help_text(ret);
    for (i = 1; i < 3; i++) {
        assert_int_equal(help_apply(&w->env, plan, &w->rows, sizes[i], &other), HR_OK);
        text = help_text(&other);
        assert_string_equal(text, first);
        free(text);
        help_clear(&other);
    }
    free(first);
}

static void run_case(struct world *w, const char *name)
{
    struct hr_buf source, columns;
    struct hr_plan *plan = NULL;
    struct hr_json_doc *doc;
    const struct hr_json *column;
    struct help_rows got;
    enum bound bound;
    hr_status r;

    read_case(&w->env, name, ".features", &source);
    r = help_features(&w->env, source.text, COLUMNS, &w->rows, NULL, &plan);
    if (hr_text_starts(source.text, "# later")) {
        if (r == HR_OK || !strstr(hr_env_error(&w->env), "not offered yet"))
            fail_msg("%s is offered now: it begins to pass", name);
        hr_errors_cut(&w->env, 0);
        hr_buf_clear(&source);
        return;
    }
    if (r < 0)
        fail_msg("%s", hr_env_error(&w->env));
    bound = hr_text_starts(source.text, "# bound: exact") ? EXACT
            : hr_text_starts(source.text, "# bound: z")   ? Z
                                                          : RELATIVE;
    apply_all(w, plan, &got);
    read_case(&w->env, name, ".json", &columns);
    assert_int_equal(hr_json_parse(&w->env, name, columns.text, columns.len, 0, &doc), HR_OK);
    for (column = hr_json_first(hr_json_root(doc)); column; column = hr_json_next(column))
        compare_column(&got, hr_json_key(column), doc, column, bound);
    hr_json_free(doc);
    compare_files(w, plan, name);
    help_clear(&got);
    hr_plan_close(plan);
    hr_buf_clear(&columns);
    hr_buf_clear(&source);
}

static void test_cases(void **state)
{
    struct world *w = *state;
    struct hr_names names = { 0 };
    char name[128];
    size_t i, n = 0;

    assert_int_equal(hr_dir_list(&w->env, CASES, &names), HR_OK);
    for (i = 0; i < names.count; i++) {
        if (!hr_text_ends(names.names[i], ".features"))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(strlen(names.names[i]) - 9), names.names[i]);
        print_message("%s\n", name);
        run_case(w, name);
        n++;
    }
    assert_int_equal(n, 24);
    hr_names_clear(&w->env, &names);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

    return cmocka_run_group_tests_name("transform/tft", tests, setup, teardown);
}
