#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "headrace/rows.h"
#include "help_flow.h"

/* -- functions under test ---------------------------------------------------------- */

struct self {
    const hr_run_1 *run;
    const hr_emit_1 *emit;
    struct ArrowSchema in;
    struct ArrowArray held; /* of "late" */
    char mode[16];
    int64_t last, length; /* of "runs" */
};

static void drop_self(void *p)
{
    struct self *self = p;

    if (!self)
        return;
    HR_RELEASE(&self->in);
    HR_RELEASE(&self->held);
    free(self);
}

static hr_status make_self(const hr_host *host, const hr_function_args *args, struct self **ret)
{
    struct self *self = calloc(1, sizeof *self);

    if (!self)
        return HR_EXHAUSTED;
    self->run = host->get_interface(host, HR_RUN);
    self->emit = host->get_interface(host, HR_EMIT);
    snprintf(self->mode, sizeof self->mode, "%.*s", (int)args->config_size,
             (const char *)args->config);
    if (hr_schema_copy(args->in, &self->in) < 0) {
        free(self);
        return HR_EXHAUSTED;
    }
    *ret = self;
    return HR_OK;
}

/* "odd": rows with an odd "x" to output 1, the others to output 0. */
static hr_status odd_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                          struct ArrowSchema *ret_outs, void **ret_self)
{
    struct self *self = NULL;
    hr_status r = make_self(host, args, &self);

    if (r < 0)
        return r;
    *ret_self = self;
    if (!strcmp(self->mode, "nomake")) {
        r = (self->run->fail)(run, HR_INVALID, "not made");
        drop_self(self);
        return r;
    }
    r = hr_schema_copy(args->in, &ret_outs[0]);
    return r < 0 ? r : hr_schema_copy(args->in, &ret_outs[1]);
}

static hr_status odd_batch(void *p, hr_run *run, struct ArrowArray *rows)
{
    struct self *self = p;
    struct hr_builder b[2];
    struct ArrowArray column, out;
    struct hr_col c;
    hr_status r = HR_OK;
    int64_t i, at;
    uint32_t k;

    hr_col_open(&self->in, rows, 0, &c);
    for (k = 0; k < 2; k++)
        hr_builder_init(&b[k], "l", 0);
    for (i = 0; i < c.length; i++) {
        if (!hr_col_count(&c, i, &at))
            continue;
        if (hr_col_int(&c, at) == 13 && !strcmp(self->mode, "fail")) {
            hr_builder_drop(&b[0]);
            hr_builder_drop(&b[1]);
            rows->release(rows);
            return (self->run->fail)(run, HR_INVALID, "13 is not allowed");
        }
        hr_builder_int(&b[hr_col_int(&c, at) & 1], hr_col_int(&c, at));
    }
    rows->release(rows);
    for (k = 0; k < 2; k++) {
        int64_t n = b[k].rows;

        if (r < 0) {
            hr_builder_drop(&b[k]);
            continue;
        }
        r = hr_builder_done(&b[k], &column);
        r = r < 0 ? r : hr_rows_make(&column, 1, n, &out);
        if (r == HR_OK && !strcmp(self->mode, "broken"))
            out.children[0]->length = n - 1;
        r = r < 0 ? r : self->emit->emit(run, k, &out);
    }
    return r;
}

static hr_status no_flush(void *self, hr_run *run)
{
    (void)self, (void)run;
    return HR_OK;
}

/* "late": gives each batch when the next one comes, the last at flush(). */
static hr_status late_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                           struct ArrowSchema *ret_outs, void **ret_self)
{
    struct self *self = NULL;
    hr_status r = make_self(host, args, &self);

    (void)run;
    *ret_self = self;
    return r < 0 ? r : hr_schema_copy(args->in, ret_outs);
}

static hr_status late_flush(void *p, hr_run *run)
{
    struct self *self = p;
    struct ArrowArray held = self->held;

    self->held.release = NULL;
    return held.release ? self->emit->emit(run, 0, &held) : HR_OK;
}

static hr_status late_batch(void *p, hr_run *run, struct ArrowArray *rows)
{
    hr_status r = late_flush(p, run);

    ((struct self *)p)->held = *rows;
    rows->release = NULL;
    return r;
}

/* "runs": of rows grouped by "x", emits x and how many rows it had. */
static hr_status runs_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                           struct ArrowSchema *ret_outs, void **ret_self)
{
    struct self *self = NULL;
    hr_status r = make_self(host, args, &self);

    (void)run;
    *ret_self = self;
    r = r < 0 ? r : hr_schema_new("+s", "", 2, ret_outs);
    r = r < 0 ? r : hr_schema_column(ret_outs->children[0], "x", "l", 0);
    return r < 0 ? r : hr_schema_column(ret_outs->children[1], "n", "l", 0);
}

static hr_status runs_flush(void *p, hr_run *run)
{
    struct self *self = p;
    struct ArrowArray columns[2], out;
    struct hr_builder b[2];
    hr_status r;

    if (!self->length)
        return HR_OK;
    hr_builder_init(&b[0], "l", 0);
    hr_builder_init(&b[1], "l", 0);
    hr_builder_int(&b[0], self->last);
    hr_builder_int(&b[1], self->length);
    self->length = 0;
    if ((r = hr_builder_done(&b[0], &columns[0])) < 0 ||
        (r = hr_builder_done(&b[1], &columns[1])) < 0 ||
        (r = hr_rows_make(columns, 2, 1, &out)) < 0)
        return r;
    return self->emit->emit(run, 0, &out);
}

static hr_status runs_batch(void *p, hr_run *run, struct ArrowArray *rows)
{
    struct self *self = p;
    hr_status r = HR_OK;
    struct hr_col c;
    int64_t i, at;

    hr_col_open(&self->in, rows, 0, &c);
    for (i = 0; r == HR_OK && i < c.length; i++) {
        hr_col_count(&c, i, &at);
        if (self->length && self->last != hr_col_int(&c, at))
            r = runs_flush(p, run);
        self->last = hr_col_int(&c, at);
        self->length++;
    }
    rows->release(rows);
    return r;
}

/* "sum": of the float column "y", as a float64. */
static hr_status sum_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                          struct ArrowSchema *ret_out, void **ret_self)
{
    struct self *self = NULL;
    hr_status r = make_self(host, args, &self);

    (void)run;
    *ret_self = self;
    r = r < 0 ? r : hr_schema_new("+s", "", 1, ret_out);
    return r < 0 ? r : hr_schema_column(ret_out->children[0], "sum", "g", 0);
}

static hr_status sum_create(const void *self, hr_run *run, void **ret)
{
    (void)self, (void)run;
    *ret = calloc(1, sizeof(double));
    return *ret ? HR_OK : HR_EXHAUSTED;
}

static hr_status sum_add(const void *p, hr_run *run, void *const *accs, const uint32_t *group,
                         const struct ArrowArray *rows)
{
    const struct self *self = p;
    struct hr_col c;
    int64_t i, at;

    (void)run;
    hr_col_open(&self->in, rows, hr_col_find(&self->in, "y"), &c);
    for (i = 0; i < c.length; i++)
        if (hr_col_count(&c, i, &at))
            *(double *)accs[group ? group[i] : 0] += hr_col_double(&c, at);
    return HR_OK;
}

static hr_status sum_merge(const void *self, hr_run *run, void *acc, void *other)
{
    (void)self, (void)run;
    *(double *)acc += *(double *)other;
    return HR_OK;
}

static hr_status sum_extract(const void *self, hr_run *run, void *const *accs, uint32_t n,
                             struct ArrowArray *ret)
{
    struct ArrowArray column;
    struct hr_builder b;
    uint32_t i;
    hr_status r;

    (void)self, (void)run;
    hr_builder_init(&b, "g", 0);
    for (i = 0; i < n; i++)
        hr_builder_double(&b, *(double *)accs[i]);
    r = hr_builder_done(&b, &column);
    return r < 0 ? r : hr_rows_make(&column, 1, n, ret);
}

static void sum_drop(const void *self, void *acc)
{
    (void)self;
    free(acc);
}

static const hr_map_1 odd_table = { odd_make, odd_batch, no_flush, drop_self };
static const hr_map_1 late_table = { late_make, late_batch, late_flush, drop_self };
static const hr_map_1 runs_table = { runs_make, runs_batch, runs_flush, drop_self };
static const hr_combine_1 sum_table = { sum_make, sum_create,  sum_add,  sum_merge, NULL,
                                        NULL,     sum_extract, sum_drop, drop_self };
static const hr_function odd = { sizeof odd, 0, 2, 0, "odd", "", HR_MAP, &odd_table };
static const hr_function late = { sizeof late, 0, 0, 3, "late", "", HR_MAP, &late_table };
static const hr_function runs = { sizeof runs, 0, 0, 0, "runs", "", HR_MAP, &runs_table };
static const hr_function sum = { sizeof sum, 0, 0, 0, "sum", "", HR_COMBINE, &sum_table };
static const hr_function exact = { sizeof exact, HR_FUNCTION_EXACT, 0,          0,
                                   "exact",      "",                HR_COMBINE, &sum_table };
static const hr_function *const functions[] = { &odd, &late, &runs, &sum, &exact, NULL };
static const hr_component component = { .struct_size = sizeof component, .functions = functions };

/* -- a bench ----------------------------------------------------------------------- */

struct bench {
    struct hr_env env;
    struct hr_local *local;
    const hr_flow_1 *flow;
    hr_flow *f;
};

static void bench_open(struct bench *b, int threads, int batch_rows)
{
    struct hr_env_config config = { .threads = threads, .batch_rows = batch_rows };

    hr_env_init(&b->env, &config);
    b->local = hr_local_new(&b->env, &component);
    assert_non_null(b->local);
    b->flow = hr_local_host(b->local)->get_interface(hr_local_host(b->local), HR_FLOW);
    b->f = b->flow->begin(hr_local_run(b->local));
}

static void bench_close(struct bench *b)
{
    hr_local_free(b->local);
    hr_env_clear(&b->env);
}

static void bench_input(struct bench *b, const char *split, const struct help_rows *rows)
{
    struct ArrowArrayStream stream;

    help_stream(rows, 1000, &stream);
    assert_int_equal(hr_local_input(b->local, "examples", 0, split, &stream), HR_OK);
}

static char *bench_fetch(struct bench *b, hr_rows rows)
{
    struct ArrowArrayStream stream;
    struct help_rows out;
    char *text;

    if (b->flow->fetch(b->f, rows, &stream) < 0)
        fail_msg("%s", hr_env_error(&b->env));
    help_drain(&b->env, &stream, &out);
    text = help_text(&out);
    help_clear(&out);
    return text;
}

static void assert_error(struct bench *b, hr_status code, const char *text)
{
    hr_status r = b->flow->run(b->f);

    assert_int_equal(r, code);
    if (!strstr(hr_env_error(&b->env), text))
        fail_msg("\"%s\" is not in \"%s\"", text, hr_env_error(&b->env));
}

/* n rows of x = i and y = something that does not add up exactly. */
static void numbers(int64_t n, struct help_rows *ret)
{
    struct ArrowArray columns[2];
    struct hr_builder x, y;
    int64_t i;

    hr_schema_new("+s", "", 2, &ret->schema);
    hr_schema_column(ret->schema.children[0], "x", "l", 0);
    hr_schema_column(ret->schema.children[1], "y", "g", 0);
    hr_builder_init(&x, "l", 0);
    hr_builder_init(&y, "g", 0);
    for (i = 0; i < n; i++) {
        hr_builder_int(&x, i);
        hr_builder_double(&y, 1.0 / (double)(i + 3));
    }
    hr_builder_done(&x, &columns[0]);
    hr_builder_done(&y, &columns[1]);
    hr_rows_make(columns, 2, n, &ret->rows);
}

/* -- tests ------------------------------------------------------------------------- */

static void test_outputs_keep_order(void **state)
{
    struct help_run how = { .function = &odd };
    struct help_rows in;
    char *text;

    (void)state;
    help_rows("x:l", "[[5],[2],[null],[3],[8],[1],[4],[7]]", &in);
    text = help_map_text(&how, &in, 0);
    assert_string_equal(text, "[2]\n[8]\n[4]\n");
    free(text);
    text = help_map_text(&how, &in, 1);
    assert_string_equal(text, "[5]\n[3]\n[1]\n[7]\n");
    free(text);
    help_clear(&in);
}

/* A map that holds rows back gives all of them, in order, over many blocks. */
static void test_flush(void **state)
{
    struct help_run how = { .function = &late };
    struct help_rows in;
    char *text, *want;

    (void)state;
    numbers(10000, &in);
    want = help_text(&in);
    text = help_map_text(&how, &in, 0);
    assert_string_equal(text, want);
    free(text);
    free(want);
    help_clear(&in);
}

static void test_combine_by_keys(void **state)
{
    static const char *const keys[] = { "s", "k", NULL };
    struct help_run how = { .function = &sum, .keys = keys };
    struct help_rows in;
    char *text;

    (void)state;
    help_rows("y:f s:%z k:l",
              "[[1,\"b\",2],[2,\"a\",1],[4,null,1],[8,\"b\",-2],[16,\"a\",1],[32,\"\",1],"
              "[64,\"ab\",null],[128,\"ab\",0]]",
              &in);
    text = help_combine_text(&how, &in);
    assert_string_equal(text,
                        "[null,1,4.0]\n[\"\",1,32.0]\n[\"a\",1,18.0]\n"
                        "[\"ab\",null,64.0]\n[\"ab\",0,128.0]\n[\"b\",-2,8.0]\n[\"b\",2,1.0]\n");
    free(text);
    help_clear(&in);
}

/* Keys that begin one another or hold NUL bytes are told apart and sorted by their bytes. */
static void test_keys_of_bytes(void **state)
{
    static const char *const keys[] = { "s", NULL };
    static const char bytes[] = "b\0a\0a";
    static const int cuts[][2] = { { 2, 3 }, { 1, 1 }, { 1, 2 }, { 2, 1 },
                                   { 0, 1 }, { 1, 0 }, { 1, 3 }, { 2, 2 } };
    struct help_run how = { .function = &sum, .keys = keys };
    struct ArrowArray columns[2];
    struct help_rows in, out;
    struct hr_builder s, y;
    const char *text;
    struct hr_col c;
    size_t i, n;

    (void)state;
    hr_schema_new("+s", "", 2, &in.schema);
    hr_schema_column(in.schema.children[0], "s", "z", 0);
    hr_schema_column(in.schema.children[1], "y", "g", 0);
    hr_builder_init(&s, "z", 0);
    hr_builder_init(&y, "g", 0);
    for (i = 0; i < 8; i++) {
        hr_builder_bytes(&s, bytes + cuts[i][0], (size_t)cuts[i][1]);
        hr_builder_double(&y, 1);
    }
    hr_builder_done(&s, &columns[0]);
    hr_builder_done(&y, &columns[1]);
    hr_rows_make(columns, 2, 8, &in.rows);
    assert_int_equal(help_combine(&how, &in, &out), HR_OK);
    assert_int_equal(out.rows.length, 8);
    hr_col_open(&out.schema, &out.rows, 0, &c);
    {
        static const char *const want[] = { "", "\0", "\0a", "\0a\0", "a", "a\0", "a\0a", "b" };
        static const size_t sizes[] = { 0, 1, 2, 3, 1, 2, 3, 1 };

        for (i = 0; i < 8; i++) {
            text = hr_col_bytes(&c, c.at + (int64_t)i, &n);
            assert_int_equal(n, sizes[i]);
            assert_memory_equal(text, want[i], n);
        }
    }
    help_clear(&in);
    help_clear(&out);
}

/* The sum of numbers that round is the same to the bit by any threads and batches. */
static void test_combine_is_exact(void **state)
{
    struct help_run how = { .function = &sum };
    struct help_rows in;
    int64_t sizes[] = { 1, 4095, 4096, 4097, 70000 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        numbers(sizes[i], &in);
        free(help_combine_text(&how, &in));
        help_clear(&in);
    }
}

/* n rows of y = 1. */
static void ones(int64_t n, struct help_rows *ret)
{
    struct ArrowArray column;
    struct hr_builder y;

    hr_schema_new("+s", "", 1, &ret->schema);
    hr_schema_column(ret->schema.children[0], "y", "g", 0);
    hr_builder_init(&y, "g", 0);
    while (y.rows < n)
        hr_builder_double(&y, 1);
    hr_builder_done(&y, &column);
    hr_rows_make(&column, 1, n, &ret->rows);
}

/* What a thread has so far is there still when a source ends with nothing more to give: its rows
 * fill the blocks that are run at once to the last, or another source between has none. */
static void test_exact_then_nothing(void **state)
{
    struct help_run how = { .function = &exact };
    struct ArrowArrayStream stream;
    struct help_rows in, empty, out;
    struct bench b;
    hr_rows first, sum_of;
    char *text;

    (void)state;
    ones(32 * HR_FLOW_BLOCK, &in);
    for (how.threads = 1; how.threads <= 2; how.threads++) {
        assert_int_equal(help_combine(&how, &in, &out), HR_OK);
        text = help_text(&out);
        assert_string_equal(text, "[131072.0]\n");
        free(text);
        help_clear(&out);
    }
    help_clear(&in);
    ones(3, &in);
    ones(0, &empty);
    bench_open(&b, 2, 0);
    help_stream(&in, 2, &stream);
    first = b.flow->from(b.f, &stream);
    help_stream(&empty, 2, &stream);
    b.flow->keep(b.f, b.flow->map(b.f, b.flow->from(b.f, &stream), "late", NULL, 0));
    sum_of = b.flow->combine(b.f, first, NULL, "exact", NULL, 0);
    b.flow->keep(b.f, sum_of);
    assert_int_equal(b.flow->run(b.f), HR_OK);
    text = bench_fetch(&b, sum_of);
    assert_string_equal(text, "[3.0]\n");
    free(text);
    bench_close(&b);
    help_clear(&in);
    help_clear(&empty);
}

static void test_combine_no_rows(void **state)
{
    static const char *const keys[] = { "k", NULL };
    struct help_run how = { .function = &sum };
    struct help_rows in;
    char *text;

    (void)state;
    help_rows("y:f k:l", "[]", &in);
    text = help_combine_text(&how, &in);
    assert_string_equal(text, "[0.0]\n");
    free(text);
    how.keys = keys;
    text = help_combine_text(&how, &in);
    assert_string_equal(text, "");
    free(text);
    help_clear(&in);
}

/* Each key comes in one piece, also where it has more rows than a block. */
static void test_group(void **state)
{
    static const char *const keys[] = { "x", NULL };
    struct help_run how = { .function = &runs, .keys = keys };
    struct help_rows in;
    struct ArrowArray column;
    struct hr_builder x;
    char *text;
    int64_t i;

    (void)state;
    hr_schema_new("+s", "", 1, &in.schema);
    hr_schema_column(in.schema.children[0], "x", "l", 0);
    hr_builder_init(&x, "l", 0);
    for (i = 0; i < 20000; i++)
        hr_builder_int(&x, i % 2 ? 7 : i % 5 - 3);
    hr_builder_done(&x, &column);
    hr_rows_make(&column, 1, 20000, &in.rows);
    text = help_map_text(&how, &in, 0);
    assert_string_equal(text, "[-3,2000]\n[-2,2000]\n[-1,2000]\n[0,2000]\n[1,2000]\n[7,10000]\n");
    free(text);
    help_clear(&in);
}

/* One way through all steps, by several threads and batches. */
static void test_all_steps(void **state)
{
    static const char *const keys[] = { "x", NULL };
    int threads, batch;
    char *first = NULL;

    (void)state;
    for (threads = 1; threads <= 8; threads *= 2)
        for (batch = 7; batch <= 4096; batch *= 24) {
            struct ArrowArrayStream stream;
            struct help_rows train, eval, out;
            hr_rows a, b, ins[3], all, sums;
            char *text, *kept;
            struct bench t;

            bench_open(&t, threads, batch);
            numbers(9000, &train);
            numbers(50, &eval);
            bench_input(&t, "train", &train);
            bench_input(&t, "eval", &eval);
            a = t.flow->read(t.f, "examples", 0, "train");
            b = t.flow->read(t.f, "examples", 0, "eval");
            ins[0] = b;
            ins[1] = a;
            ins[2] = t.flow->map(t.f, b, "late", NULL, 0);
            all = t.flow->flatten(t.f, ins, 3);
            all = t.flow->map(t.f, all, "late", NULL, 0);
            sums = t.flow->combine(t.f, all, keys, "sum", NULL, 0);
            t.flow->keep(t.f, all);
            t.flow->write(t.f, sums, "sums", 0, "train");
            if (t.flow->run(t.f) < 0)
                fail_msg("%s", hr_env_error(&t.env));
            kept = bench_fetch(&t, all);
            free(kept);
            kept = bench_fetch(&t, all); /* twice is fine */
            assert_int_equal(hr_local_output(t.local, "sums", 0, "train", &stream), HR_OK);
            help_drain(&t.env, &stream, &out);
            text = help_text(&out);
            text = realloc(text, strlen(text) + strlen(kept) + 1);
            strcat(text, kept);
            assert_true(out.rows.length == 9000);
            if (first) {
                assert_string_equal(text, first);
                free(text);
            } else {
                first = text;
            }
            free(kept);
            help_clear(&out);
            help_clear(&train);
            help_clear(&eval);
            bench_close(&t);
        }
    free(first);
}

static void test_mistakes(void **state)
{
    static const char *const keys[] = { "yy", NULL }, *const floats[] = { "y", NULL };
    struct help_rows in;
    struct bench t;
    hr_rows rows;

    (void)state;
    numbers(10, &in);

    bench_open(&t, 1, 0);
    rows = t.flow->read(t.f, "examples", 0, NULL);
    assert_int_equal(t.flow->map(t.f, rows, "lat", NULL, 0), 0);
    assert_int_equal(t.flow->map(t.f, 0, "late", NULL, 0), 0);
    t.flow->keep(t.f, 0);
    assert_error(&t, HR_INVALID, "no function \"lat\"; did you mean \"late\"?");
    bench_close(&t);

    bench_open(&t, 1, 0);
    assert_int_equal(t.flow->map(t.f, 99, "late", NULL, 0), 0);
    assert_error(&t, HR_INVALID, "rows 99");
    bench_close(&t);

    bench_open(&t, 1, 0);
    t.flow->keep(t.f, 0);
    assert_error(&t, HR_INVALID, "rows 0");
    bench_close(&t);

    bench_open(&t, 1, 0);
    bench_input(&t, NULL, &in);
    rows = t.flow->read(t.f, "examples", 0, NULL);
    t.flow->combine(t.f, rows, keys, "sum", NULL, 0);
    assert_error(&t, HR_INVALID, "there is no column \"yy\"");
    bench_close(&t);

    bench_open(&t, 1, 0);
    bench_input(&t, NULL, &in);
    rows = t.flow->read(t.f, "examples", 0, NULL);
    t.flow->group(t.f, rows, floats);
    assert_error(&t, HR_INVALID, "column \"y\" of format \"g\" cannot be a key");
    bench_close(&t);

    bench_open(&t, 1, 0);
    rows = t.flow->read(t.f, "nothing", 0, NULL);
    t.flow->keep(t.f, rows);
    assert_error(&t, HR_NOT_FOUND, "\"nothing\"");
    bench_close(&t);

    bench_open(&t, 1, 0);
    rows = t.flow->read(t.f, "examples", 0, NULL);
    assert_int_equal(t.flow->combine(t.f, rows, NULL, "late", NULL, 0), 0);
    assert_error(&t, HR_INVALID, "is of kind \"hr.map/1\"");
    bench_close(&t);

    bench_open(&t, 1, 0);
    bench_input(&t, NULL, &in);
    rows = t.flow->read(t.f, "examples", 0, NULL);
    t.flow->write(t.f, rows, "out", 0, "a");
    t.flow->write(t.f, rows, "out", 0, "a");
    assert_error(&t, HR_INVALID, "two steps write");
    bench_close(&t);
    help_clear(&in);
}

static void test_run_once(void **state)
{
    struct ArrowArrayStream stream;
    struct bench t;

    (void)state;
    bench_open(&t, 1, 0);
    assert_int_equal(t.flow->fetch(t.f, 1, &stream), HR_PRECONDITION);
    assert_int_equal(t.flow->run(t.f), HR_OK);
    assert_int_equal(t.flow->fetch(t.f, 1, &stream), HR_NOT_FOUND);
    assert_error(&t, HR_PRECONDITION, "run once");
    bench_close(&t);
}

/* The function's own words, by whichever thread; nothing is written then. */
static void test_failing_function(void **state)
{
    static const char *const modes[] = { "fail", "broken", "nomake" };
    static const char *const texts[] = { "map \"odd\": 13 is not allowed",
                                         "map \"odd\": column \"x\" of format \"l\" has",
                                         "map \"odd\": not made" };
    struct ArrowArrayStream stream;
    struct help_rows in;
    size_t i;

    (void)state;
    numbers(9000, &in);
    in.schema.n_children = in.rows.n_children = 1; /* x alone */
    for (i = 0; i < 3; i++) {
        struct bench t;
        hr_rows rows;

        bench_open(&t, 4, 100);
        bench_input(&t, NULL, &in);
        rows = t.flow->read(t.f, "examples", 0, NULL);
        t.flow->write(t.f, rows, "out", 0, "same");
        rows = t.flow->map(t.f, rows, "odd", modes[i], strlen(modes[i]));
        t.flow->write(t.f, rows, "out", 0, "even");
        assert_error(&t, HR_INVALID, texts[i]);
        assert_int_equal(hr_local_output(t.local, "out", 0, "same", &stream), HR_NOT_FOUND);
        bench_close(&t);
    }
    in.schema.n_children = in.rows.n_children = 2;
    help_clear(&in);
}

static void test_limits(void **state)
{
    static const char *const keys[] = { "x", NULL };
    volatile int32_t cancel = 1;
    int i;
    struct help_rows in;
    struct bench t;
    hr_rows rows;

    (void)state;
    numbers(90000, &in);
    bench_open(&t, 2, 0);
    bench_input(&t, NULL, &in);
    t.env.memory_max = 1 << 20;
    rows = t.flow->read(t.f, "examples", 0, NULL);
    t.flow->keep(t.f, rows);
    assert_error(&t, HR_EXHAUSTED, "more than 1 MiB of rows");
    bench_close(&t);

    /* what a group held is free again when its rows were given on: one at a time fits */
    bench_open(&t, 2, 0);
    bench_input(&t, NULL, &in);
    t.env.memory_max = 12 << 20;
    rows = t.flow->read(t.f, "examples", 0, NULL);
    for (i = 0; i < 4; i++)
        rows = t.flow->map(t.f, t.flow->group(t.f, rows, keys), "late", NULL, 0);
    t.flow->combine(t.f, rows, NULL, "sum", NULL, 0);
    if (t.flow->run(t.f) < 0)
        fail_msg("%s", hr_env_error(&t.env));
    bench_close(&t);

    bench_open(&t, 2, 0);
    bench_input(&t, NULL, &in);
    t.env.cancel = &cancel;
    rows = t.flow->read(t.f, "examples", 0, NULL);
    t.flow->keep(t.f, rows);
    assert_error(&t, HR_CANCELLED, "cancelled");
    bench_close(&t);
    help_clear(&in);
}

/* A failure while writing takes back what was written before it. */
static int written, undone;

static hr_status bad_write(void *user, const char *key, uint32_t i, const char *split,
                           struct ArrowArrayStream *rows)
{
    (void)key, (void)i;
    HR_RELEASE(rows);
    if (!strcmp(split, "b"))
        return hr_fail(user, HR_EXHAUSTED, "disk full");
    written++;
    return HR_OK;
}

static void bad_undo(void *user, const char *key, uint32_t i, const char *split)
{
    (void)user, (void)key, (void)i, (void)split;
    undone++;
}

/* The host keeps its reasons in the env that the flow has. */
static hr_status take_text(void *user, hr_status code, const char *text)
{
    assert_string_equal(text, "disk full");
    return hr_fail(user, code, "host: %s", text);
}

static void test_undo(void **state)
{
    struct hr_flow_host host = { .write = bad_write, .undo = bad_undo, .fail = take_text };
    struct ArrowArrayStream stream;
    struct help_rows in;
    struct hr_env env;
    hr_flow *f;
    hr_rows rows;

    (void)state;
    hr_env_init(&env, NULL);
    numbers(10, &in);
    help_stream(&in, 3, &stream);
    host.user = &env;
    f = hr_flow_new(&env, &host);
    rows = hr_flow_steps.from(f, &stream);
    hr_flow_steps.write(f, rows, "out", 0, "a");
    hr_flow_steps.write(f, rows, "out", 0, "b");
    hr_flow_steps.write(f, rows, "out", 0, "c");
    assert_int_equal(hr_flow_steps.run(f), HR_EXHAUSTED);
    assert_string_equal(hr_env_error(&env), "host: disk full");
    assert_int_equal(written, 1);
    assert_int_equal(undone, 2);
    hr_flow_free(f);
    help_clear(&in);
    hr_env_clear(&env);
}

/* Every allocation of the flow's own fails in turn. */
struct count {
    long live;
    int calls, fail_at;
};

static void *counting(void *user, void *p, size_t old_size, size_t new_size)
{
    struct count *c = user;

    if (new_size && ++c->calls == c->fail_at)
        return NULL;
    c->live += (long)new_size - (long)old_size;
    if (new_size)
        return realloc(p, new_size);
    free(p);
    return NULL;
}

static hr_status small_flow(struct hr_env *env, const struct help_rows *in)
{
    static const char *const keys[] = { "x", NULL };
    struct hr_local *local = hr_local_new(env, &component);
    struct ArrowArrayStream stream;
    const hr_flow_1 *flow;
    hr_rows rows, sums;
    hr_status r;
    hr_flow *f;

    if (!local)
        return HR_EXHAUSTED;
    flow = hr_local_host(local)->get_interface(hr_local_host(local), HR_FLOW);
    f = flow->begin(hr_local_run(local));
    help_stream(in, 7, &stream);
    rows = flow->from(f, &stream);
    rows = flow->map(f, rows, "late", NULL, 0);
    sums = flow->combine(f, flow->group(f, rows, keys), keys, "sum", NULL, 0);
    flow->keep(f, sums);
    flow->write(f, rows, "out", 0, NULL);
    r = flow->run(f);
    if (r == HR_OK && (r = flow->fetch(f, sums, &stream)) == HR_OK)
        HR_RELEASE(&stream);
    hr_local_free(local);
    return r;
}

static void test_each_allocation(void **state)
{
    struct help_rows in;
    hr_status r = HR_EXHAUSTED;
    int n, calls = 2000;

    (void)state;
    numbers(20, &in);
    for (n = 1; n < calls + 1; n++) {
        struct count c = { .fail_at = n };
        struct hr_env_config config = { .alloc = counting, .alloc_user = &c, .threads = 1 };
        struct hr_env env;

        hr_env_init(&env, &config);
        r = small_flow(&env, &in);
        assert_true(r == HR_OK || r == HR_EXHAUSTED);
        hr_env_clear(&env);
        assert_int_equal(c.live, 0);
        if (c.calls < n)
            calls = c.calls;
        else if (r == HR_OK)
            fail_msg("allocation %d: its failure is not seen", n);
    }
    assert_int_equal(r, HR_OK);
    assert_true(n > 30);
    help_clear(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs_keep_order),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_combine_by_keys),
        cmocka_unit_test(test_combine_is_exact),
        cmocka_unit_test(test_combine_no_rows),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_all_steps),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_run_once),
        cmocka_unit_test(test_failing_function),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_undo),
        cmocka_unit_test(test_keys_of_bytes),
        cmocka_unit_test(test_exact_then_nothing),
        cmocka_unit_test(test_each_allocation),
    };

    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
