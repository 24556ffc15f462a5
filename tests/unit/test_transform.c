/* The language: what its errors say, what its functions give (tests/cases/transform/lang), its
 * limits; analyzers by threads and batches; plans packed, kept, applied where columns lack.
 */
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
#include "help_mem.h"
#include "help_transform.h"

/* -- cases in files ---------------------------------------- */

struct lang_case {
    char title[128], columns[512], types[512], rows[2048];
    char source[4096], want[4096];
};

static void add_line(char *to, size_t size, const char *line, size_t n)
{
    size_t len = strlen(to);

    assert_true(len + n + 2 < size);
    memcpy(to + len, line, n);
    memcpy(to + len + n, "\n", 2);
}

static void set_line(char *to, size_t size, const char *line, size_t n)
{
    assert_true(n < size);
    memcpy(to, line, n);
    to[n] = '\0';
}

/* The next case at *p, which moves on; false: there is none. */
static bool next_case(const char **p, struct lang_case *c)
{
    bool begun = false;

    memset(c, 0, sizeof *c);
    while (**p) {
        const char *line = *p;
        size_t n = strcspn(line, "\n");

        if (!strncmp(line, "--- ", 4)) {
            if (begun)
                return true;
            begun = true;
            set_line(c->title, sizeof c->title, line + 4, n - 4);
        } else if (begun && !strncmp(line, "columns: ", 9)) {
            set_line(c->columns, sizeof c->columns, line + 9, n - 9);
        } else if (begun && !strncmp(line, "types: ", 7)) {
            set_line(c->types, sizeof c->types, line + 7, n - 7);
        } else if (begun && !strncmp(line, "rows: ", 6)) {
            set_line(c->rows, sizeof c->rows, line + 6, n - 6);
        } else if (begun && !strncmp(line, "=== ", 4)) {
            add_line(c->want, sizeof c->want, line + 4, n - 4);
        } else if (begun && n) {
            add_line(c->source, sizeof c->source, line, n);
        }
        *p += n + (line[n] == '\n');
    }
    return begun;
}

static void read_cases(struct hr_env *env, const char *name, struct hr_buf *to)
{
    char path[512];

    snprintf(path, sizeof path, "%s/transform/lang/%s", HR_TEST_CASES, name);
    hr_buf_of(to, HR_MAX_FILE_BYTES, env);
    if (hr_file_read(env, path, HR_MAX_FILE_BYTES, to) < 0)
        fail_msg("%s", hr_env_error(env));
}

/* Each error's first line, without the name of the file. */
static void put_errors(const struct hr_env *env, char *to, size_t size)
{
    size_t i;

    to[0] = '\0';
    for (i = 0; i < env->errors.count; i++) {
        const struct hr_error *e = &env->errors.items[i];
        char line[1024];
        int n = 0;

        if (e->line)
            n = snprintf(line, sizeof line, "%d:%d: ", (int)e->line, (int)e->column);
        snprintf(line + n, sizeof line - (size_t)n, "%s", e->text);
        add_line(to, size, line, strcspn(line, "\n"));
    }
}

static void test_errors(void **state)
{
    struct hr_features *f;
    struct hr_program *p;
    struct lang_case c;
    struct hr_buf text;
    struct hr_env env;
    char got[4096];
    const char *at;
    int n = 0;

    (void)state;
    hr_env_init(&env, NULL);
    read_cases(&env, "errors.txt", &text);
    for (at = text.text; next_case(&at, &c); n++) {
        hr_errors_cut(&env, 0);
        if (help_check(&env, c.source, c.columns, &f, &p) != HR_INVALID)
            fail_msg("%s: is not refused", c.title);
        put_errors(&env, got, sizeof got);
        if (strcmp(got, c.want))
            fail_msg("%s: got\n%swant\n%s", c.title, got, c.want);
    }
    assert_true(n > 20);
    hr_buf_clear(&text);
    hr_env_clear(&env);
}

static void test_caret(void **state)
{
    static const char source[] = "# ü\na = \"ü\" + nothing\n";
    struct hr_features *f;
    struct hr_program *p;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    assert_int_equal(help_check(&env, source, "x:float", &f, &p), HR_INVALID);
    assert_string_equal(hr_env_error(&env),
                        "a.features:2:11: there is no column or equation \"nothing\"\n"
                        "    a = \"ü\" + nothing\n"
                        "              ^");
    hr_env_clear(&env);
}

static void check_values(struct hr_env *env, const struct lang_case *c)
{
    static const int64_t sizes[] = { 4096, 1 };
    struct help_rows rows, out;
    struct hr_plan *plan;
    char *got;
    int i;

    help_rows(c->types, c->rows, &rows);
    if (help_features(env, c->source, c->columns, &rows, NULL, &plan) < 0)
        fail_msg("%s: %s", c->title, hr_env_error(env));
    for (i = 0; i < 2; i++) {
        if (help_apply(env, plan, &rows, sizes[i], &out) < 0)
            fail_msg("%s: %s", c->title, hr_env_error(env));
        got = help_text(&out);
        if (strcmp(got, c->want))
            fail_msg("%s: got\n%swant\n%s", c->title, got, c->want);
        free(got);
        help_clear(&out);
    }
    hr_plan_close(plan);
    help_clear(&rows);
}

static void test_values(void **state)
{
    struct lang_case c;
    struct hr_buf text;
    struct hr_env env;
    const char *at;
    int n = 0;

    (void)state;
    hr_env_init(&env, NULL);
    read_cases(&env, "values.txt", &text);
    for (at = text.text; next_case(&at, &c); n++)
        check_values(&env, &c);
    assert_true(n > 20);
    hr_buf_clear(&text);
    hr_env_clear(&env);
}

/* -- rows that cannot be ---------------------------------------- */

static void test_bad_rows(void **state)
{
    static const struct {
        const char *columns, *source, *types, *rows, *want;
    } cases[] = {
        { "x:float", "a = x", "x:f", "[[1],[null]]",
          "row 1: x is missing, and the schema wants it in every row" },
        { "x:float?", "a = x", "x:+f", "[[[1]],[[]],[[1,2]]]",
          "row 2: x has 2 values, and the schema allows 1" },
        { "x:float[3]", "a = x", "x:+f", "[[[1,2]]]",
          "row 0: x has 2 values, and the schema allows 3" },
        { "x:int y:int", "a = x // y", "x:l y:l", "[[1,1],[1,0]]",
          "row 1: an integer is divided by 0; use / or if_else" },
        { "x:float", "a = to_int(x)", "x:f", "[[1],[2],[1e30]]",
          "row 2: to_int: 1e+30 is no integer of 64 bits; use if_else or clip" },
    };
    struct help_rows rows, out;
    struct hr_plan *plan;
    struct hr_env env;
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        hr_errors_cut(&env, 0);
        help_rows(cases[i].types, cases[i].rows, &rows);
        assert_int_equal(help_features(&env, cases[i].source, cases[i].columns, &rows, NULL, &plan),
                         HR_OK);
        assert_int_equal(help_apply(&env, plan, &rows, 1, &out), HR_INVALID);
        assert_string_equal(hr_env_error(&env), cases[i].want);
        hr_plan_close(plan);
        help_clear(&rows);
    }
    hr_env_clear(&env);
}

static void release_nothing(struct ArrowArray *a)
{
    a->release = NULL;
}

/* Columns that have no type, as a file gives them where no row has a value. */
static void test_no_type(void **state)
{
    static const char *const names[] = { "x", "s", "l" };
    struct ArrowArray columns[3] = { { 0 } };
    struct help_rows rows, out;
    struct hr_plan *plan;
    struct hr_env env;
    char *text;
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    assert_int_equal(hr_schema_new("+s", "", 3, &rows.schema), HR_OK);
    for (i = 0; i < 3; i++) {
        assert_int_equal(hr_schema_column(rows.schema.children[i], names[i], "n", 0), HR_OK);
        columns[i] =
            (struct ArrowArray){ .length = 2, .null_count = 2, .release = release_nothing };
    }
    assert_int_equal(hr_rows_make(columns, 3, 2, &rows.rows), HR_OK);
    if (help_features(&env,
                      "a = fill(x, 1.0)\nb = fill(s, \"z\")\nc = len(l)\nd = is_missing(s)\n"
                      "e = fill(x, mean(x))\nf = l",
                      "x:float? s:bytes? l:int*", &rows, NULL, &plan) < 0 ||
        help_apply(&env, plan, &rows, 1, &out) < 0)
        fail_msg("%s", hr_env_error(&env));
    text = help_text(&out);
    assert_string_equal(text, "[1.0,\"z\",0,1,0.0,null]\n[1.0,\"z\",0,1,0.0,null]\n");
    free(text);
    help_clear(&out);
    hr_plan_close(plan);
    assert_int_equal(help_features(&env, "a = x", "x:float", &rows, NULL, &plan), HR_OK);
    assert_int_equal(help_apply(&env, plan, &rows, 1, &out), HR_INVALID);
    assert_string_equal(hr_env_error(&env),
                        "row 0: x is missing, and the schema wants it in every row");
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* A pattern that would try for ever is cut off. */
static void test_regex_bound(void **state)
{
    struct help_rows rows, out;
    struct hr_plan *plan;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    help_rows("s:z", "[[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"]]",
              &rows);
    assert_int_equal(
        help_features(&env, "a = regex_match(s, \"(a+)+$\")", "s:bytes", &rows, NULL, &plan),
        HR_OK);
    assert_int_equal(help_apply(&env, plan, &rows, 1, &out), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&env), "takes too many steps"));
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* -- limits ---------------------------------------- */

static hr_status check_text(struct hr_env *env, const struct hr_buf *b)
{
    struct hr_features *f;
    struct hr_program *p;
    hr_status r = help_check(env, b->text, "x:float", &f, &p);

    if (r == HR_OK) {
        hr_program_free(p);
        hr_features_free(f);
    }
    return r;
}

static void repeat(struct hr_buf *b, const char *text, int n)
{
    while (n--)
        assert_int_equal(hr_buf_text(b, text), HR_OK);
}

/* At each limit it is taken, one over it is refused. */
static void test_limits(void **state)
{
    struct hr_buf b;
    struct hr_env env;
    int over, i;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&b, 1 << 22, &env);
    for (over = 0; over < 2; over++) {
        hr_status want = over ? HR_INVALID : HR_OK;

        hr_buf_cut(&b, 0); /* bytes */
        repeat(&b, "a = x\n#", 1);
        repeat(&b, "0123456789abcdef", ((1 << 20) - (int)b.len) / 16);
        while (b.len < (1u << 20) + (size_t)over)
            repeat(&b, "#", 1);
        assert_int_equal(check_text(&env, &b), want);
        hr_buf_cut(&b, 0); /* statements, by templates within each other */
        repeat(&b, "for i in [", 1);
        for (i = 0; i < 100; i++)
            hr_buf_format(&b, "%sn%d", i ? ", " : "", i);
        repeat(&b, "]:\n    for j in [", 1);
        for (i = 0; i < 100; i++)
            hr_buf_format(&b, "%sm%d", i ? ", " : "", i);
        repeat(&b, "]:\n        {i}{j} = x\n", 1);
        repeat(&b, "more = x\n", over);
        assert_int_equal(check_text(&env, &b), want);
        hr_buf_cut(&b, 0); /* depth */
        repeat(&b, "a = ", 1);
        repeat(&b, "(", 199 + over);
        repeat(&b, "x", 1);
        repeat(&b, ")", 199 + over);
        assert_int_equal(check_text(&env, &b), want);
        hr_buf_cut(&b, 0); /* arguments */
        repeat(&b, "a = concat([x", 1);
        repeat(&b, ", x", 999 + over);
        repeat(&b, "])", 1);
        assert_int_equal(check_text(&env, &b), want);
    }
    hr_buf_cut(&b, 0);
    repeat(&b, "a = ", 1);
    repeat(&b, "not ", 100000);
    assert_int_equal(check_text(&env, &b), HR_INVALID);
    hr_buf_clear(&b);
    hr_env_clear(&env);
}

/* Written-out calls are bounded: each def calls the one before twice. */
static void test_expansion(void **state)
{
    struct hr_buf b;
    struct hr_env env;
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&b, 1 << 20, &env);
    repeat(&b, "def f0(v) = v + 1.0\n", 1);
    for (i = 1; i < 40; i++)
        hr_buf_format(&b, "def f%d(v) = f%d(v) + f%d(v)\n", i, i - 1, i - 1);
    repeat(&b, "a = f39(x)\n", 1);
    assert_int_equal(check_text(&env, &b), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&env), "more than 100000"));
    hr_buf_clear(&b);
    hr_env_clear(&env);
}

/* -- analysis ---------------------------------------- */

/* 9 000 rows, awkward ones: large and small, missing, with NaN. */
static void many_rows(struct help_rows *ret)
{
    static const char *const words[] = { "a", "b", "c", "d", "e", "f", "g" };
    struct ArrowArray columns[3];
    struct hr_builder x, l, s;
    uint64_t i, k;

    hr_builder_init(&x, "f", 0);
    hr_builder_init(&l, "l", 1);
    hr_builder_init(&s, "z", 0);
    for (i = 0; i < 9000; i++) {
        uint64_t v = hr_random_at(7, i);

        if (v % 17 == 0)
            hr_builder_null(&x);
        else if (v % 101 == 0)
            hr_builder_double(&x, strtod("nan", NULL));
        else
            hr_builder_double(&x, (double)(int64_t)(v >> 20) * (v % 3 ? 1e-6 : 1e-14));
        for (k = 0; k < v % 4; k++)
            hr_builder_int(&l, (int64_t)(v >> (k + 50)) - 5000);
        hr_builder_end(&l);
        hr_builder_bytes(&s, words[v % 7], 1);
    }
    assert_int_equal(hr_builder_done(&x, &columns[0]), HR_OK);
    assert_int_equal(hr_builder_done(&l, &columns[1]), HR_OK);
    assert_int_equal(hr_builder_done(&s, &columns[2]), HR_OK);
    assert_int_equal(hr_schema_new("+s", "", 3, &ret->schema), HR_OK);
    assert_int_equal(hr_schema_column(ret->schema.children[0], "x", "f", 0), HR_OK);
    assert_int_equal(hr_schema_column(ret->schema.children[1], "l", "l", 1), HR_OK);
    assert_int_equal(hr_schema_column(ret->schema.children[2], "s", "z", 0), HR_OK);
    assert_int_equal(hr_rows_make(columns, 3, 9000, &ret->rows), HR_OK);
}

static const char MANY[] = "a = scale_to_z_score(x)\nb = scale_to_0_1(l)\n"
                           "c = bucketize(x, 100)\nd = compute_and_apply_vocabulary(s)\n"
                           "e = fill(x, 0) - mean(l)\n";

/* The same plan for any number of threads and any batches, and the same rows by the flow, in
 * batches of 1, 7 and 4096. */
static void test_one_result(void **state)
{
    static const int threads[] = { 3, 2, 8 }, batches[] = { 7, 1000, 4096 };
    static const int64_t sizes[] = { 4096, 7, 1 };
    struct help_rows rows, out;
    struct hr_plan *plan, *other;
    struct hr_env env;
    struct hr_buf config;
    char *want, *got;
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    many_rows(&rows);
    assert_int_equal(help_features(&env, MANY, "x:float? l:int* s:bytes", &rows, NULL, &plan),
                     HR_OK);
    for (i = 0; i < 3; i++) {
        struct help_run how = { .threads = threads[i], .batch_rows = batches[i] };

        assert_int_equal(help_features(&env, MANY, "x:float? l:int* s:bytes", &rows, &how, &other),
                         HR_OK);
        assert_string_equal(hr_plan_digest(other), hr_plan_digest(plan));
        hr_plan_close(other);
    }
    hr_buf_of(&config, HR_MAX_FILE_BYTES, &env);
    assert_int_equal(hr_plan_pack(plan, &config), HR_OK);
    {
        struct help_run how = { .function = help_function("transform.apply"),
                                .config = config.text,
                                .config_size = config.len };

        want = help_map_text(&how, &rows, 0);
    }
    for (i = 0; i < 3; i++) {
        assert_int_equal(help_apply(&env, plan, &rows, sizes[i], &out), HR_OK);
        got = help_text(&out);
        assert_string_equal(got, want);
        free(got);
        help_clear(&out);
    }
    free(want);
    hr_buf_clear(&config);
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* -- one plan, many threads ---------------------------------------- */

struct shared {
    const struct hr_apply *apply;
    const struct help_rows *rows;
    struct ArrowArray out[32];
    struct hr_apply_error errors[32];
};

static hr_status apply_one(void *user, size_t i)
{
    struct shared *s = user;

    return hr_apply_batch(s->apply, &s->rows->rows, &s->out[i], &s->errors[i]);
}

/* All threads apply one hr_apply at once; each gets what one alone gets. */
static void test_threads(void **state)
{
    struct hr_env_config config = { .threads = 4 };
    struct shared s = { 0 };
    struct hr_apply *apply;
    struct help_rows rows, out;
    struct hr_plan *plan;
    struct hr_env env;
    char *want, *got;
    int i;

    (void)state;
    hr_env_init(&env, &config);
    many_rows(&rows);
    assert_int_equal(help_features(&env, MANY, "x:float? l:int* s:bytes", &rows, NULL, &plan),
                     HR_OK);
    assert_int_equal(help_apply(&env, plan, &rows, 4096, &out), HR_OK);
    want = help_text(&out);
    assert_int_equal(hr_apply_new(&env, plan, &rows.schema, 0, &apply), HR_OK);
    s.apply = apply;
    s.rows = &rows;
    assert_int_equal(hr_work(&env, 32, apply_one, &s), HR_OK);
    for (i = 0; i < 32; i++) {
        struct help_rows one = { out.schema, s.out[i] };

        if (i % 8 == 0) {
            got = help_text(&one);
            assert_string_equal(got, want);
            free(got);
        }
        s.out[i].release(&s.out[i]);
    }
    free(want);
    hr_apply_free(apply);
    help_clear(&out);
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* Beyond what the sketch keeps exactly, borders are within epsilon by rank. */
static void test_many_quantiles(void **state)
{
    enum { N = 400000, BUCKETS = 10 };
    int64_t counts[BUCKETS] = { 0 }, i, at;
    struct help_rows rows, out;
    struct ArrowArray column;
    struct hr_builder b;
    struct hr_plan *plan;
    struct hr_env env;
    struct hr_col c;

    (void)state;
    hr_env_init(&env, NULL);
    hr_builder_init(&b, "f", 0);
    for (i = 0; i < N; i++)
        hr_builder_double(&b, (double)(hr_random_at(3, (uint64_t)i) >> 40));
    assert_int_equal(hr_builder_done(&b, &column), HR_OK);
    assert_int_equal(hr_schema_new("+s", "", 1, &rows.schema), HR_OK);
    assert_int_equal(hr_schema_column(rows.schema.children[0], "x", "f", 0), HR_OK);
    assert_int_equal(hr_rows_make(&column, 1, N, &rows.rows), HR_OK);
    assert_int_equal(help_features(&env, "a = bucketize(x, 10)", "x:float", &rows, NULL, &plan),
                     HR_OK);
    assert_int_equal(help_apply(&env, plan, &rows, 4096, &out), HR_OK);
    assert_int_equal(hr_col_open(&out.schema, &out.rows, 0, &c), HR_OK);
    for (i = 0; i < N; i++) {
        hr_col_count(&c, i, &at);
        assert_in_range(hr_col_int(&c, at), 0, BUCKETS - 1);
        counts[hr_col_int(&c, at)]++;
    }
    for (i = 0; i < BUCKETS; i++)
        assert_in_range(counts[i], N / BUCKETS - N / 50, N / BUCKETS + N / 50);
    help_clear(&out);
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* A vocabulary without a token has TFT's dummy line; a constant is told. */
static void test_warnings(void **state)
{
    struct hr_features *f;
    struct hr_program *p;
    struct hr_phase phase;
    struct help_rows rows, in, out;
    struct hr_env env;
    struct hr_plan *plan;
    const struct hr_slice *tokens;
    size_t i, n = 9;

    (void)state;
    hr_env_init(&env, NULL);
    help_rows("s:z x:f", "[[\"\",5],[\"a\\nb\",5]]", &rows);
    assert_int_equal(help_check(&env, "a = compute_and_apply_vocabulary(s)\nb = scale_to_0_1(x)",
                                "s:bytes x:float", &f, &p),
                     HR_OK);
    assert_int_equal(hr_program_plan(&env, p, &plan), HR_PRECONDITION);
    assert_int_equal(hr_program_phase(&env, p, &phase), HR_OK);
    assert_int_equal(phase.count, 2);
    {
        struct help_run how = { .function = help_function("transform.apply"),
                                .config = phase.config,
                                .config_size = phase.size };

        assert_int_equal(help_map(&how, &rows, 0, &in), HR_OK);
        for (i = 0; i < 2; i++) {
            how.function = help_function(phase.items[i].function);
            how.config = phase.items[i].config;
            how.config_size = strlen(phase.items[i].config);
            assert_int_equal(help_combine(&how, &in, &out), HR_OK);
            assert_int_equal(hr_program_result(&env, p, i, &out.schema, &out.rows), HR_OK);
            help_clear(&out);
        }
    }
    assert_int_equal(hr_program_plan(&env, p, &plan), HR_OK);
    assert_string_equal(hr_program_warnings(p),
                        "the vocabulary vocab_compute_and_apply_vocabulary_vocabulary is empty\n"
                        "x has one value only, or none: scaled by the sigmoid, as TFT does\n"
                        "b never varies: it is the same in every row that was analysed");
    assert_true(hr_plan_vocabulary(plan, "a", &tokens, &n));
    assert_int_equal(n, 0);
    assert_string_equal(tokens[0].text, "49d0cd50-04bb-48c0-bc6f-5b575dce351a");
    assert_false(hr_plan_vocabulary(plan, "b", &tokens, &n));
    hr_plan_close(plan);
    hr_program_free(p);
    hr_features_free(f);
    help_clear(&in);
    help_clear(&rows);
    hr_env_clear(&env);
}

/* -- tests in the file ---------------------------------------- */

static void test_tests(void **state)
{
    static const char source[] = "y = x * 2.0\nz = fill(s, \"none\")\nw = scale_to_0_1(x)\n"
                                 "test \"doubled\":\n    given {x: 2.5}\n"
                                 "    expect {y: 5.0, z: \"none\"}\n"
                                 "test \"wrong\":\n    given {x: 1.0}\n    expect {y: 3.0}\n"
                                 "test \"of data\":\n    given {x: 1.0}\n    expect {w: 0.0}\n"
                                 "test \"of nothing\":\n    given {x: 1.0}\n    expect {v: 0}\n";
    struct hr_features *f;
    struct hr_program *p;
    struct hr_env env;
    char got[2048];
    size_t n = 0;

    (void)state;
    hr_env_init(&env, NULL);
    assert_int_equal(help_check(&env, source, "x:float s:bytes?", &f, &p), HR_OK);
    assert_int_equal(hr_program_test(&env, p, &n), HR_INVALID);
    put_errors(&env, got, sizeof got);
    assert_string_equal(got, "9:13: test \"wrong\": y is another value\n"
                             "12:13: test \"of data\": w needs what an analyzer finds in data; "
                             "give that to the test, as in expect {y: 1.0} {mean(x): 2.0}\n"
                             "15:13: test \"of nothing\": v is no output\n");
    hr_program_free(p);
    hr_features_free(f);
    hr_errors_cut(&env, 0);
    assert_int_equal(help_check(&env,
                                "y = x * 2.0\ntest \"doubled\":\n    given {x: 2.5}\n"
                                "    expect {y: 5}\n",
                                "x:float", &f, &p),
                     HR_OK);
    assert_int_equal(hr_program_test(&env, p, &n), HR_OK);
    assert_int_equal(n, 1);
    hr_program_free(p);
    hr_features_free(f);
    hr_env_clear(&env);
}

/* -- memory ---------------------------------------- */

/* All of the way that needs no data; what was made is freed whatever fails. */
static hr_status whole_way(struct hr_env *env, const struct help_rows *rows)
{
    static const char source[] =
        "for c in [x, y]:\n    {c}_a = fill(c, 0.0) * 2.0\ndef f(v) = v + 1.0\n"
        "b = f(fill(x, 1.0))\nc = lookup(s, {\"a\": 1}, 0)\nd = regex_replace(s, \"a\", \"b\")\n"
        "e = split(concat_text(s, \" \", lower(s)))\ng = concat([x_a, y_a])\n"
        "h = to_bytes(x_a)\ni = densify(split(s), 2, \"\")\n";
    struct hr_features *f = NULL;
    struct hr_program *p = NULL;
    struct hr_plan *plan = NULL, *again = NULL;
    struct hr_apply *apply = NULL;
    struct hr_apply_error error;
    struct ArrowArray out;
    struct hr_buf b;
    hr_status r = help_check(env, source, "x:float? y:float? s:bytes", &f, &p);

    if (r < 0)
        return r;
    hr_buf_of(&b, 1 << 20, env);
    if ((r = hr_program_plan(env, p, &plan)) == HR_OK && (r = hr_plan_pack(plan, &b)) == HR_OK &&
        (r = hr_plan_unpack(env, b.text, b.len, &again)) == HR_OK &&
        (r = hr_apply_new(env, again, &rows->schema, 0, &apply)) == HR_OK &&
        (r = hr_apply_batch(apply, &rows->rows, &out, &error)) == HR_OK)
        out.release(&out);
    hr_apply_free(apply);
    hr_buf_clear(&b);
    hr_plan_close(plan);
    hr_plan_close(again);
    hr_program_free(p);
    hr_features_free(f);
    return r;
}

static void test_each_allocation(void **state)
{
    struct help_rows rows;
    hr_status r = HR_EXHAUSTED;
    bool all = false;
    int n;

    (void)state;
    help_rows("x:f y:f s:%z", "[[1,null,\"a\"],[null,2,\"ba b\"],[3,4,\"\"]]", &rows);
    for (n = 1; !all && n < 5000; n++) {
        struct help_mem m = { .fail_at = n };
        struct hr_env_config config = {
            .alloc = help_mem_alloc, .alloc_user = &m, .threads = 1, .batch_rows = 10
        };
        struct hr_env env;

        hr_env_init(&env, &config);
        r = whole_way(&env, &rows);
        if (r != HR_OK && r != HR_EXHAUSTED)
            fail_msg("allocation %d: code %d: %s", n, (int)r, hr_env_error(&env));
        all = m.calls < n;
        if (r == HR_OK && !all)
            fail_msg("allocation %d: its failure is not seen", n);
        hr_env_clear(&env);
        assert_int_equal(m.live, 0);
    }
    assert_int_equal(r, HR_OK);
    assert_true(n > 40);
    help_clear(&rows);
}

/* -- plans ---------------------------------------- */

/* Where the label's column lacks, what needs it is left out, if that is wanted. */
static void test_drop_unused(void **state)
{
    struct help_rows rows, some;
    struct hr_apply *apply;
    struct hr_plan *plan;
    struct ArrowSchema schema;
    const int32_t *list;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    help_rows("x:f y:f", "[[1,2]]", &rows);
    help_rows("y:f other:z", "[[1,\"a\"]]", &some);
    assert_int_equal(
        help_features(&env, "a = x\nb = y + 1.0", "x:float y:float", &rows, NULL, &plan), HR_OK);
    assert_int_equal(hr_apply_new(&env, plan, &some.schema, 0, &apply), HR_INVALID);
    assert_string_equal(hr_env_error(&env), "the rows have no column \"x\", which \"a\" needs");
    assert_int_equal(hr_apply_new(&env, plan, &some.schema, HR_APPLY_DROP_UNUSED, &apply), HR_OK);
    assert_int_equal(hr_apply_outputs(apply, &list), 1);
    assert_int_equal(list[0], 1);
    assert_int_equal(hr_apply_needs(apply, &list), 1);
    assert_int_equal(list[0], 1);
    assert_int_equal(hr_apply_schema(apply, &schema), HR_OK);
    assert_string_equal(schema.children[0]->name, "b");
    schema.release(&schema);
    hr_apply_free(apply);
    help_clear(&some);
    hr_errors_cut(&env, 0);
    help_rows("x:z y:f", "[[\"a\",2]]", &some);
    assert_int_equal(hr_apply_new(&env, plan, &some.schema, 0, &apply), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&env), "\"x\" has the Arrow type \"z\""));
    help_clear(&some);
    hr_plan_close(plan);
    help_clear(&rows);
    hr_env_clear(&env);
}

static void flip(struct hr_env *env, const char *dir, const char *name, size_t at)
{
    char path[512];
    struct hr_buf b;

    snprintf(path, sizeof path, "%s/transform_fn/%s", dir, name);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    assert_int_equal(hr_file_read(env, path, HR_MAX_FILE_BYTES, &b), HR_OK);
    assert_true(at < b.len);
    b.text[at] ^= 1;
    assert_int_equal(hr_file_write(env, path, b.text, b.len), HR_OK);
    hr_buf_clear(&b);
}

/* What was written is read as it was; what was changed is refused, as is a newer format. */
static void test_directory(void **state)
{
    char dir[] = "/tmp/hr-plan-XXXXXX", path[512];
    struct hr_plan *plan, *again = NULL;
    struct help_rows rows;
    struct hr_env env;
    struct hr_buf b;

    (void)state;
    hr_env_init(&env, NULL);
    assert_non_null(mkdtemp(dir));
    help_rows("s:z x:f", "[[\"b\",1],[\"a\",2.5]]", &rows);
    assert_int_equal(help_features(&env,
                                   "a = compute_and_apply_vocabulary(s, vocab_filename = \"my v\")"
                                   "\nb = lookup(s, {\"a\": \"\\\"ü\"}, \"\")\nc = x / 0.0",
                                   "s:bytes x:float", &rows, NULL, &plan),
                     HR_OK);
    assert_int_equal(hr_plan_save(&env, plan, dir, "source", 6), HR_OK);
    assert_int_equal(hr_plan_open(&env, dir, &again), HR_OK);
    assert_string_equal(hr_plan_digest(again), hr_plan_digest(plan));
    hr_plan_close(again);
    snprintf(path, sizeof path, "%s/transformed_metadata/asset_map", dir);
    hr_buf_of(&b, 1000, &env);
    assert_int_equal(hr_file_read(&env, path, 1000, &b), HR_OK);
    assert_string_equal(b.text, "{\"my-v\": \"my-v\"}");
    hr_buf_clear(&b);
    flip(&env, dir, "assets/my-v", 0);
    assert_int_equal(hr_plan_open(&env, dir, &again), HR_DATA_LOSS);
    flip(&env, dir, "assets/my-v", 0);
    flip(&env, dir, "plan.sha256", 5);
    assert_int_equal(hr_plan_open(&env, dir, &again), HR_DATA_LOSS);
    flip(&env, dir, "plan.sha256", 5);
    assert_int_equal(hr_plan_open(&env, dir, &again), HR_OK);
    hr_plan_close(again);
    hr_errors_cut(&env, 0);
    assert_int_equal(
        hr_plan_unpack(&env, "headrace plan 1\n\14\0\0\0\0\0\0\0{\"format\":2}", 36, &again),
        HR_UNIMPLEMENTED);
    assert_non_null(strstr(hr_env_error(&env), "take a newer one"));
    hr_plan_close(plan);
    help_clear(&rows);
    assert_int_equal(hr_tree_remove(&env, dir), HR_OK);
    hr_env_clear(&env);
}

static void test_schema(void **state)
{
    static const char text[] =
        "feature { name: \"a\" type: FLOAT presence { min_fraction: 1 } shape { dim { size: 1 } } }"
        "feature { name: \"b\" type: INT presence { min_fraction: 1 } shape { dim { size: 2 } "
        "dim { size: 3 } } int_domain { min: 1 max: 5 is_categorical: true } }"
        "feature { name: \"c\" type: BYTES presence { min_count: 1 } }"
        "feature { name: \"d\" type: BYTES value_count { min: 0 max: 1 } }"
        "feature { name: \"e\" type: BYTES value_count { min: 1 } }"
        "feature { name: \"f\" type: INT shape { } }"
        "feature { name: \"g\" type: STRUCT }";
    struct hr_feature *list;
    struct hr_arena arena;
    struct hr_env env;
    size_t n;

    (void)state;
    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 0);
    assert_int_equal(hr_columns_read(&arena, "a.pbtxt", text, sizeof text - 1, &list, &n), HR_OK);
    assert_int_equal(n, 6);
    assert_int_equal(list[0].shape, HR_FEATURE_DENSE);
    assert_int_equal(list[0].type, HR_FEATURE_FLOAT);
    assert_int_equal(list[0].rank, 1);
    assert_int_equal(list[1].rank, 2);
    assert_int_equal(list[1].dims[1], 3);
    assert_true(list[1].has_domain && list[1].categorical && list[1].domain_max == 5);
    assert_int_equal(list[2].shape, HR_FEATURE_OPTIONAL);
    assert_int_equal(list[3].shape, HR_FEATURE_OPTIONAL);
    assert_int_equal(list[4].shape, HR_FEATURE_LIST);
    assert_int_equal(list[5].shape, HR_FEATURE_OPTIONAL);
    assert_int_equal(hr_columns_read(&arena, "a.pbtxt", "feature {", 9, &list, &n), HR_INVALID);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
}

static void test_hashes(void **state)
{
    char text[200];
    int i;

    (void)state;
    for (i = 0; i < 200; i++)
        text[i] = (char)('a' + i % 26);
    assert_int_equal(hr_fingerprint64("", 0), UINT64_C(0x9ae16a3b2f90404f));
    assert_int_equal(hr_fingerprint64("a", 1), UINT64_C(0xb3454265b6df75e3));
    assert_int_equal(hr_fingerprint64("Cash", 4), UINT64_C(0x54da5eff9e3e1124));
    assert_int_equal(hr_fingerprint64("0123456789", 10), UINT64_C(0xad052244b781c4eb));
    assert_int_equal(hr_fingerprint64(text, 64), UINT64_C(0x9c4a595c23bb9bfa));
    assert_int_equal(hr_fingerprint64(text, 65), UINT64_C(0x2434d8917886fe2a));
    assert_int_equal(hr_fingerprint64(text, 200), UINT64_C(0x25d40299e8419af6));
    assert_int_equal(hr_siphash(321, 555, "$$$", 3) % 173, 16);
    assert_int_equal(hr_siphash(321, 555, "%^#", 3) % 173, 156);
    assert_int_equal(hr_siphash(321, 555, "&$!#@", 5) % 173, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_caret),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_bad_rows),    cmocka_unit_test(test_regex_bound),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_one_result),  cmocka_unit_test(test_many_quantiles),
        cmocka_unit_test(test_warnings),    cmocka_unit_test(test_tests),
        cmocka_unit_test(test_drop_unused), cmocka_unit_test(test_directory),
        cmocka_unit_test(test_schema),      cmocka_unit_test(test_no_type),
        cmocka_unit_test(test_threads),     cmocka_unit_test(test_each_allocation),
    };

    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}
