#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "headrace/rows.h"
#include "help_flow.h"

static struct hr_env env;

static int setup(void **state)
{
    (void)state;
    hr_env_init(&env, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hr_env_clear(&env);
    return 0;
}

static void assert_told(const char *text)
{
    if (!strstr(hr_env_error(&env), text))
        fail_msg("\"%s\" is not in \"%s\"", text, hr_env_error(&env));
    hr_errors_cut(&env, 0);
}

static const char types[] = "x:l f:+f s:%z t:+z? u:u g:g";
static const char rows_text[] =
    "[[1,[0.5,1.5],\"a\",[\"x\",\"\"],\"\\u00e4\",1e300],[null,null,null,null,null,null],"
    "[-9223372036854775808,[],\"b\",[],\"\",-0.0],[3,[\"nan\"],\"a\",[\"yy\"],\"z\",2]]";
static const char lines[] =
    "[1,[0.5,1.5],\"a\",[\"x\",\"\"],\"\303\244\",1e+300]\n[null,null,null,null,null,null]\n"
    "[-9223372036854775808,[],\"b\",[],\"\",-0.0]\n[3,[nan],\"a\",[\"yy\"],\"z\",2.0]\n";

/* -- arrow ------------------------------------------------------------------------- */

static void test_take(void **state)
{
    struct help_rows in, out = { .schema = { 0 } };
    const struct ArrowArray *from[2];
    struct hr_pick picks[] = { { 1, 3 }, { 0, 1 }, { 0, 0 }, { 1, 0 }, { 0, 2 } };
    char *text;

    (void)state;
    help_rows(types, rows_text, &in);
    from[0] = from[1] = &in.rows;
    assert_int_equal(
        hr_arrow_take(&env, &(struct hr_taking){ &in.schema, from, 2, picks, 5 }, &out.rows),
        HR_OK);
    out.schema = in.schema;
    assert_int_equal(hr_arrow_check(&env, &out.schema, &out.rows, "test"), HR_OK);
    text = help_text(&out);
    assert_string_equal(text,
                        "[3,[nan],\"a\",[\"yy\"],\"z\",2.0]\n[null,null,null,null,null,null]\n"
                        "[1,[0.5,1.5],\"a\",[\"x\",\"\"],\"\303\244\",1e+300]\n"
                        "[1,[0.5,1.5],\"a\",[\"x\",\"\"],\"\303\244\",1e+300]\n"
                        "[-9223372036854775808,[],\"b\",[],\"\",-0.0]\n");
    free(text);
    HR_RELEASE(&out.rows);
    help_clear(&in);
}

/* Slices share buffers, and outlive what they were cut from. */
static void test_share(void **state)
{
    struct hr_owner *owner;
    struct help_rows in, cut;
    struct ArrowArray child;
    char *text;

    (void)state;
    help_rows(types, rows_text, &in);
    assert_int_equal(hr_arrow_owner(&env, &in.rows, &owner), HR_OK);
    assert_int_equal(hr_arrow_share(&env, &owner->rows, owner, hr_cut(2, 2), &cut.rows), HR_OK);
    hr_owner_drop(owner);
    cut.schema = in.schema;
    assert_int_equal(hr_arrow_check(&env, &cut.schema, &cut.rows, "test"), HR_OK);
    text = help_text(&cut);
    assert_string_equal(text, strstr(lines, "[-9223"));
    free(text);
    child = *cut.rows.children[1]; /* a child that is moved away lives on */
    cut.rows.children[1]->release = NULL;
    HR_RELEASE(&cut.rows);
    assert_true(((const float *)child.children[0]->buffers[1])[0] > 0.4f);
    HR_RELEASE(&child);
    help_clear(&in);
}

/* Each fault is told with column and format. */
static void test_faults(void **state)
{
    static const struct {
        const char *type, *json, *told;
    } cases[] = {
        { "a:l", "[[1],[2]]", "column \"a\" of format \"l\" has 1 values, too few for 2" },
        { "a:l", "[[1],[2]]", "counts nulls but has no validity bitmap" },
        { "a:l", "[[1],[null]]", "counts other nulls" },
        { "a:z", "[[\"x\"],[\"yy\"]]", "row 0: it ends before it begins" },
        { "a:+f", "[[[1]],[[2]]]", "row 1: it ends beyond the values" },
        { "a:%z", "[[\"x\"],[\"x\"]]", "row 1: its code is not in the dictionary" },
        { "a:l", "[[1],[2]]", "has no buffer of values" },
        { "a:l", "[[1],[2]]", "a batch has null rows" },
        { "a:z", "[[\"x\"],[\"x\"]]", "row 0: its offset is negative" },
        { "a:l", "[[1],[2]]", "has a wrong number of buffers" },
    };
    static const uint8_t zero[1];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct help_rows in;
        struct ArrowArray *a, was;
        int32_t *offsets;
        const void *keep0, *keep1;

        help_rows(cases[i].type, cases[i].json, &in);
        a = in.rows.children[0];
        was = *a;
        keep0 = in.rows.buffers[0];
        keep1 = a->buffers[1];
        offsets = (int32_t *)(uintptr_t)a->buffers[1];
        switch (i) {
        case 0:
            a->length = 1;
            break;
        case 1:
            a->null_count = 1;
            break;
        case 2:
            a->null_count = 2;
            break;
        case 3:
            offsets[0] = 2;
            break;
        case 4:
            offsets[2] = 3;
            break;
        case 5:
            offsets[1] = 1;
            break;
        case 6:
            a->buffers[1] = NULL;
            break;
        case 7:
            in.rows.buffers[0] = zero;
            break;
        case 8:
            offsets[0] = -1;
            break;
        default:
            a->n_buffers = 3;
        }
        assert_int_equal(hr_arrow_check(&env, &in.schema, &in.rows, "test"), HR_INVALID);
        assert_told(cases[i].told);
        a->length = was.length;
        a->null_count = was.null_count;
        a->n_buffers = was.n_buffers;
        a->buffers[1] = keep1;
        in.rows.buffers[0] = keep0;
        help_clear(&in);
    }
}

/* Of a list a row may be null, and hide what is within; no value of another may be. */
static void test_nulls_within(void **state)
{
    static const uint8_t valid[1] = { 0x0b }; /* the third of four items is null */
    struct help_rows in;
    struct ArrowArray *items;
    int32_t *offsets;
    const void *keep;
    int64_t n;

    (void)state;
    help_rows("a:+l", "[[[1,2]],[null],[[3,4]]]", &in);
    items = in.rows.children[0]->children[0];
    keep = items->buffers[0];
    n = items->null_count;
    items->buffers[0] = valid;
    items->null_count = 1;
    assert_int_equal(hr_arrow_check(&env, &in.schema, &in.rows, "test"), HR_INVALID);
    assert_told("row 2: a value within is null");
    offsets = (int32_t *)(uintptr_t)in.rows.children[0]->buffers[1];
    offsets[2] = 3; /* now it is the row that is null that has it */
    assert_int_equal(hr_arrow_check(&env, &in.schema, &in.rows, "test"), HR_OK);
    items->buffers[0] = keep;
    items->null_count = n;
    help_clear(&in);
}

static void test_schemas(void **state)
{
    struct help_rows a, b;
    struct hr_buf text;

    (void)state;
    help_rows("x:l y:z", "[]", &a);
    help_rows("x:l y:z?", "[]", &b);
    assert_true(hr_arrow_schema_equal(&a.schema, &a.schema));
    assert_false(hr_arrow_schema_equal(&a.schema, &b.schema));
    assert_false(hr_arrow_schema_equal(&b.schema, &a.schema));
    hr_buf_of(&text, 1000, &env);
    hr_arrow_schema_differ(&a.schema, &b.schema, &text);
    assert_string_equal(text.text, "column 2 is \"y\" of format \"z\", not \"y\" of format \"z\" "
                                   "where null is empty");
    hr_buf_clear(&text);
    free((void *)(uintptr_t)a.schema.children[0]->format);
    a.schema.children[0]->format = hr_schema_dup("vu", 2);
    assert_int_equal(hr_arrow_check_schema(&env, &a.schema, "test"), HR_INVALID);
    assert_told("test: column \"x\" of format \"vu\" has a type that is not supported");
    help_clear(&a);
    help_clear(&b);
}

/* -- tf.Example -------------------------------------------------------------------- */

static size_t unhex(const char *hex, uint8_t *to)
{
    size_t n = 0;
    unsigned v;

    for (; hex[0] && hex[1]; hex += 2)
        if (sscanf(hex, "%2x", &v) == 1)
            to[n++] = (uint8_t)v;
    return n;
}

static const char penguin[] =
    "0a85010a170a0b626f64795f6d6173735f67120812060a045555953e0a1b0a0f63756c6d656e5f64657074685f6d6d"
    "120812060a04abaa2a3f0a1c0a1063756c6d656e5f6c656e6774685f6d6d120812060a04c853823e0a1d0a11666c69"
    "707065725f6c656e6774685f6d6d120812060a0411341c3e0a100a077370656369657312051a030a0100";

/* The worked example of the format: columns in any order, features sorted. */
static void test_encode(void **state)
{
    struct hr_example_encoder *e;
    struct help_rows in;
    uint8_t want[200];
    const uint8_t *got;
    size_t n;

    (void)state;
    help_rows("species:l culmen_length_mm:f culmen_depth_mm:f flipper_length_mm:f body_mass_g:f",
              "[[0,0.2545454545454545,0.6666666666666666,0.15254237288135594,0.2916666666666667]]",
              &in);
    assert_int_equal(hr_example_encoder_new(&env, &in.schema, &e), HR_OK);
    assert_int_equal(hr_example_encoder_open(e, &in.rows), HR_OK);
    assert_int_equal(hr_example_encode(e, 0, &got, &n), HR_OK);
    assert_int_equal(n, unhex(penguin, want));
    assert_memory_equal(got, want, n);
    hr_example_encoder_free(e);
    help_clear(&in);
}

/* Rows that grow: the bytes of each, read again. */
static void test_encode_large(void **state)
{
    static const struct {
        int floats, bytes;
    } rows[] = { { 1, 10 }, { 900, 100 }, { 1100, 5000 }, { 20000, 100000 }, { 3, 3 } };
    struct hr_example_encoder *e;
    struct ArrowArray columns[2];
    struct hr_builder f, z;
    struct help_rows in;
    char *text = calloc(1, 100001);
    const uint8_t *got;
    size_t i, n;
    int k;

    (void)state;
    memset(text, 'x', 100000);
    hr_schema_new("+s", "", 2, &in.schema);
    hr_schema_column(in.schema.children[0], "f", "f", 1);
    hr_schema_column(in.schema.children[1], "z", "z", 0);
    hr_builder_init(&f, "f", 1);
    hr_builder_init(&z, "z", 0);
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (k = 0; k < rows[i].floats; k++)
            hr_builder_double(&f, k);
        hr_builder_end(&f);
        hr_builder_bytes(&z, text, (size_t)rows[i].bytes);
    }
    hr_builder_done(&f, &columns[0]);
    hr_builder_done(&z, &columns[1]);
    hr_rows_make(columns, 2, (int64_t)i, &in.rows);
    assert_int_equal(hr_example_encoder_new(&env, &in.schema, &e), HR_OK);
    assert_int_equal(hr_example_encoder_open(e, &in.rows), HR_OK);
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(hr_example_encode(e, (int64_t)i, &got, &n), HR_OK);
        assert_true(n > (size_t)(4 * rows[i].floats + rows[i].bytes));
        assert_true(n < (size_t)(4 * rows[i].floats + rows[i].bytes) + 60);
        assert_memory_equal(got + n - rows[i].bytes, text, (size_t)rows[i].bytes);
    }
    for (i = 0, k = 0; i < sizeof rows / sizeof *rows; i += n, k++) { /* as many as are small */
        static const int64_t numbers[] = { 0, 1, 2, 3, 4 };
        struct hr_sha256_text some[HR_EXAMPLES];

        n = sizeof rows / sizeof *rows - i;
        assert_int_equal(hr_example_encode_some(e, numbers + i, &n, some), HR_OK);
        assert_int_equal(n, k == 0 ? 3 : 1);
    }
    assert_int_equal(k, 3);
    hr_example_encoder_free(e);
    help_clear(&in);
    free(text);
}

static void decode_all(const uint8_t *const *records, const size_t *sizes, size_t n,
                       struct help_rows *ret)
{
    struct hr_example_survey *s;
    struct hr_example_decoder *d;
    size_t i;

    assert_int_equal(hr_example_survey_new(&env, &s), HR_OK);
    for (i = 0; i < n; i++)
        if (hr_example_survey_add(s, records[i], sizes[i]) < 0)
            fail_msg("%s", hr_env_error(&env));
    assert_int_equal(hr_example_survey_schema(s, &ret->schema), HR_OK);
    hr_example_survey_free(s);
    assert_int_equal(hr_example_decoder_new(&env, &ret->schema, &d), HR_OK);
    for (i = 0; i < n; i++)
        if (hr_example_decode(d, records[i], sizes[i]) < 0)
            fail_msg("%s", hr_env_error(&env));
    assert_int_equal(hr_example_rows(d), n);
    assert_int_equal(hr_example_batch(d, &ret->rows), HR_OK);
    hr_example_decoder_free(d);
    assert_int_equal(hr_arrow_check(&env, &ret->schema, &ret->rows, "test"), HR_OK);
}

/* What is encoded is decoded as it was: scalars, lists, missing, empty, no kind at all. */
static void test_example_round_trip(void **state)
{
    struct hr_example_encoder *e;
    struct help_rows in, out;
    uint8_t bytes[10][200];
    const uint8_t *records[10];
    size_t sizes[10], i;
    char *text;

    (void)state;
    help_rows("z:l b:f? a:z c:+l d:+z e:%z",
              "[[-1,0.5,\"x\",[1,2],[\"p\",\"\"],\"k\"],[300,null,null,[],[],null],"
              "[null,-2,\"\",null,null,\"k\"]]",
              &in);
    assert_int_equal(hr_example_encoder_new(&env, &in.schema, &e), HR_OK);
    assert_int_equal(hr_example_encoder_open(e, &in.rows), HR_OK);
    for (i = 0; i < 3; i++) {
        const uint8_t *got;

        assert_int_equal(hr_example_encode(e, (int64_t)i, &got, &sizes[i]), HR_OK);
        assert_true(sizes[i] < sizeof bytes[i]);
        memcpy(bytes[i], got, sizes[i]);
        records[i] = bytes[i];
    }
    hr_example_encoder_free(e);
    decode_all(records, sizes, 3, &out);
    text = help_text(&out);
    assert_string_equal(text, "[\"x\",0.5,[1,2],[\"p\",\"\"],\"k\",-1]\n"
                              "[null,null,[],[],null,300]\n[\"\",-2.0,null,null,\"k\",null]\n");
    free(text);
    assert_string_equal(out.schema.children[1]->name, "b");
    assert_true(hr_schema_meta_is(out.schema.children[1], "hr:null", "empty"));
    assert_false(hr_schema_meta_is(out.schema.children[0], "hr:null", "empty"));
    help_clear(&in);
    help_clear(&out);
}

/* A value of each kind of column for a row, by chance; integers of all sizes. */
static void put_chance_row(struct hr_buf *to, uint64_t row)
{
    static const char *const texts[] = { "\"\"", "\"a\"", "\"some text of a length\"", "null" };
    uint64_t r = hr_random_at(5, row);
    int64_t v = (int64_t)(hr_random_at(6, row) >> r % 64);
    int k;

    hr_buf_text(to, "[");
    for (k = 0; k < 2; k++)
        hr_buf_format(to, r >> (8 + k) & 1 ? "%lld," : "null,", (long long)v);
    for (k = 0; k < 2; k++)
        hr_buf_format(to, r >> (10 + k) & 1 ? "%d.5," : "null,", (int)(r >> 40));
    for (k = 0; k < 3; k++)
        hr_buf_format(to, "%s,", texts[r >> (12 + 2 * k) & 3]);
    hr_buf_format(to, r >> 18 & 1 ? "[%lld,1,-1]," : "[],", (long long)v);
    hr_buf_format(to, r >> 19 & 1 ? "[%d,0.25]]" : "null]", (int)(r & 1023));
}

/* Some rows at once are each alone, and what is decoded is what was given. */
static void test_encode_some(void **state)
{
    enum { ROWS = 200 };
    static uint8_t bytes[ROWS][600];
    const uint8_t *records[ROWS], *one;
    struct hr_sha256_text texts[HR_EXAMPLES];
    uint8_t digests[HR_EXAMPLES][HR_SHA256_SIZE], want[HR_SHA256_SIZE];
    struct hr_example_encoder *e, *alone;
    size_t sizes[ROWS], at, some, n, i, k, step;
    int64_t order[ROWS];
    struct help_rows in, out;
    struct hr_buf json;
    char *text, *again;

    (void)state;
    hr_buf_of(&json, 1 << 20, &env);
    for (i = 0; i < ROWS; i++) {
        hr_buf_text(&json, i ? "," : "[");
        put_chance_row(&json, i);
        order[i] = (int64_t)(i * 7 % ROWS);
    }
    hr_buf_text(&json, "]");
    help_rows("a:l b_a_name_of_nearly_sixty_bytes_so_that_entries_are_long_ones:l? c:f d:f? "
              "e:%z f:%z? g:z h:+l i:+f",
              json.text, &in);
    assert_int_equal(hr_example_encoder_new(&env, &in.schema, &e), HR_OK);
    assert_int_equal(hr_example_encoder_open(e, &in.rows), HR_OK);
    assert_int_equal(hr_example_encoder_new(&env, &in.schema, &alone), HR_OK);
    assert_int_equal(hr_example_encoder_open(alone, &in.rows), HR_OK);
    for (step = 1; step <= 90; step += step < 4 ? 1 : 29) {
        for (at = 0; at < ROWS; at += some) {
            some = ROWS - at < step ? ROWS - at : step;
            n = some < HR_EXAMPLES ? some : HR_EXAMPLES;
            assert_int_equal(hr_example_encode_some(e, order + at, &some, texts), HR_OK);
            assert_int_equal(some, n);
            for (i = 0; i < some; i++) {
                assert_int_equal(hr_example_encode(alone, order[at + i], &one, &n), HR_OK);
                assert_int_equal(texts[i].n, n);
                assert_memory_equal(texts[i].bytes, one, n);
                k = (size_t)order[at + i];
                assert_true(n <= sizeof bytes[k]);
                memcpy(bytes[k], one, n);
                records[k] = bytes[k];
                sizes[k] = n;
            }
            hr_sha256_many(texts, some, digests); /* writes behind each */
            for (i = 0; i < some; i++) {
                k = (size_t)order[at + i];
                hr_sha256(bytes[k], sizes[k], want);
                assert_memory_equal(digests[i], want, sizeof want);
            }
        }
    }
    hr_example_encoder_free(e);
    hr_example_encoder_free(alone);
    decode_all(records, sizes, ROWS, &out);
    text = help_text(&in);
    again = help_text(&out);
    assert_string_equal(again, text);
    free(text);
    free(again);
    help_clear(&in);
    help_clear(&out);
    hr_buf_clear(&json);
}

/* Many features, in rows that have some of them each. */
static void test_example_many(void **state)
{
    enum { COLUMNS = 60, RECORDS = 40 };
    static uint8_t bytes[RECORDS][4000];
    struct hr_example_encoder *e;
    const uint8_t *records[RECORDS], *got;
    size_t sizes[RECORDS], i;
    struct help_rows in, out;
    struct hr_buf types_of, rows, want;
    char *text;
    int k;

    (void)state;
    hr_buf_of(&types_of, 10000, &env);
    hr_buf_of(&rows, 100000, &env);
    hr_buf_of(&want, 100000, &env);
    for (k = 0; k < COLUMNS; k++)
        hr_buf_format(&types_of, "%sc%02d:l", k ? " " : "", k);
    for (i = 0; i < RECORDS; i++) {
        hr_buf_text(&rows, i ? ",[" : "[[");
        hr_buf_text(&want, "[");
        for (k = 0; k < COLUMNS; k++) {
            bool there = (i * 7 + (size_t)k) % 5 < 2;
            char value[20];

            snprintf(value, sizeof value, there ? "%d" : "null", (int)i * 100 + k);
            hr_buf_format(&rows, "%s%s", k ? "," : "", value);
            hr_buf_format(&want, "%s%s", k ? "," : "", value);
        }
        hr_buf_text(&rows, "]");
        hr_buf_text(&want, "]\n");
    }
    hr_buf_text(&rows, "]");
    help_rows(types_of.text, rows.text, &in);
    assert_int_equal(hr_example_encoder_new(&env, &in.schema, &e), HR_OK);
    assert_int_equal(hr_example_encoder_open(e, &in.rows), HR_OK);
    for (i = 0; i < RECORDS; i++) {
        assert_int_equal(hr_example_encode(e, (int64_t)i, &got, &sizes[i]), HR_OK);
        assert_true(sizes[i] < sizeof bytes[i]);
        memcpy(bytes[i], got, sizes[i]);
        records[i] = bytes[i];
    }
    hr_example_encoder_free(e);
    decode_all(records, sizes, RECORDS, &out);
    text = help_text(&out);
    assert_string_equal(text, want.text);
    free(text);
    help_clear(&in);
    help_clear(&out);
    hr_buf_clear(&types_of);
    hr_buf_clear(&rows);
    hr_buf_clear(&want);
}

/* Forms that other writers give: unpacked numbers, lists in pieces, a key twice, no kind. */
static void test_example_other_forms(void **state)
{
    /* features { a: int64 5 unpacked; b: float [1] + [2], then key a again with [7, 8] } */
    static const uint8_t first[] = { 0x0a, 0x09, 0x0a, 0x07, 0x0a, 0x01, 'a',  0x12, 0x02,
                                     0x1a, 0x00, 0x0a, 0x1b, 0x0a, 0x12, 0x0a, 0x01, 'b',
                                     0x12, 0x0d, 0x12, 0x05, 0x0d, 0,    0,    0x80, 0x3f,
                                     0x12, 0x04, 0x0a, 0x02, 0,    0 };
    static const uint8_t second[] = { 0x0a, 0x0b, 0x0a, 0x09, 0x0a, 0x01, 'a',
                                      0x12, 0x04, 0x1a, 0x02, 0x08, 0x05 };
    static const uint8_t third[] = { 0x0a, 0x17, 0x0a, 0x09, 0x0a, 0x01, 'a',  0x12, 0x04,
                                     0x1a, 0x02, 0x08, 0x05, 0x0a, 0x0a, 0x0a, 0x01, 'a',
                                     0x12, 0x05, 0x1a, 0x03, 0x0a, 0x01, 0x07 };
    const uint8_t *records[] = { second, third };
    const size_t sizes[] = { sizeof second, sizeof third };
    struct hr_example_survey *s;
    struct help_rows out;
    char *text;

    (void)state;
    decode_all(records, sizes, 2, &out);
    text = help_text(&out);
    assert_string_equal(text, "[5]\n[7]\n");
    free(text);
    help_clear(&out);
    assert_int_equal(hr_example_survey_new(&env, &s), HR_OK);
    assert_int_equal(hr_example_survey_add(s, first, sizeof first), HR_DATA_LOSS);
    assert_told("record 0 is no tf.Example");
    hr_example_survey_free(s);
}

static void test_example_kinds(void **state)
{
    static const uint8_t ints[] = { 0x0a, 0x0b, 0x0a, 0x09, 0x0a, 0x01, 'a',
                                    0x12, 0x04, 0x1a, 0x02, 0x08, 0x05 };
    static const uint8_t bytes[] = { 0x0a, 0x0c, 0x0a, 0x0a, 0x0a, 0x01, 'a',
                                     0x12, 0x05, 0x0a, 0x03, 0x0a, 0x01, 'x' };
    struct hr_example_survey *s;

    (void)state;
    assert_int_equal(hr_example_survey_new(&env, &s), HR_OK);
    assert_int_equal(hr_example_survey_add(s, ints, sizeof ints), HR_OK);
    assert_int_equal(hr_example_survey_add(s, bytes, sizeof bytes), HR_INVALID);
    assert_told("record 1: the feature \"a\" has bytes, but int64s in records before");
    hr_example_survey_free(s);
}

/* -- TFRecord ---------------------------------------------------------------------- */

static void path_of(char *to, const char *name)
{
    sprintf(to, "%s/headrace-wire-%d-%s", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
            (int)getpid(), name);
}

static void write_records(const char *path, bool gzip, int n)
{
    struct hr_tfrecord_out *out;
    char text[64];
    int i;

    assert_int_equal(hr_tfrecord_create(&env, path, gzip, &out), HR_OK);
    for (i = 0; i < n; i++) {
        sprintf(text, "record %d of some length", i * 7);
        assert_int_equal(hr_tfrecord_add(out, text, strlen(text)), HR_OK);
    }
    assert_int_equal(hr_tfrecord_end(out), HR_OK);
}

static int read_records(struct hr_tfrecords *t, hr_status *ret)
{
    const uint8_t *p;
    char text[64];
    size_t n;
    int i;

    for (i = 0; (*ret = hr_tfrecords_next(t, &p, &n)) == HR_OK && p; i++) {
        sprintf(text, "record %d of some length", i * 7);
        assert_int_equal(n, strlen(text));
        assert_memory_equal(p, text, n);
    }
    hr_tfrecords_close(t);
    return i;
}

static void test_tfrecords(void **state)
{
    static const int counts[] = { 0, 1, 70000 }; /* the last is several members of gzip */
    struct hr_tfrecords *t;
    char path[512];
    struct stat st;
    hr_status r;
    int i;

    (void)state;
    for (i = 0; i < 6; i++) {
        path_of(path, "records");
        write_records(path, i & 1, counts[i / 2]);
        if (i < 2) { /* without records: nothing, and a member of gzip that holds nothing */
            assert_int_equal(stat(path, &st), 0);
            assert_int_equal(st.st_size, i ? 20 : 0);
        }
        assert_int_equal(hr_tfrecords_open(&env, path, &t), HR_OK);
        assert_int_equal(read_records(t, &r), counts[i / 2]);
        assert_int_equal(r, HR_OK);
        unlink(path);
    }
}

static bool ends_record(const struct hr_buf *bytes, size_t n)
{
    size_t at = 0;

    while (at < n)
        at += 16 + (size_t)(uint8_t)bytes->text[at];
    return at == n;
}

/* A file cut off anywhere but between records, or with any byte changed, is refused. */
static void test_tfrecords_damaged(void **state)
{
    struct hr_tfrecords *t;
    struct hr_buf bytes;
    char path[512];
    const uint8_t *p;
    hr_status r;
    size_t n, size;
    int gzip, got;

    (void)state;
    for (gzip = 0; gzip < 2; gzip++) {
        path_of(path, "damaged");
        write_records(path, gzip, 3);
        hr_buf_of(&bytes, 1 << 20, &env);
        assert_int_equal(hr_file_read(&env, path, 1 << 20, &bytes), HR_OK);
        unlink(path);
        for (n = 1; n < bytes.len; n++) {
            assert_int_equal(hr_tfrecords_over(&env, "cut", bytes.text, n, &t), HR_OK);
            got = read_records(t, &r);
            assert_int_equal(r, !gzip && ends_record(&bytes, n) ? HR_OK : HR_DATA_LOSS);
            assert_true(gzip || got < 3);
            hr_errors_cut(&env, 0);
        }
        for (n = 0; !gzip && n < bytes.len; n++) {
            bytes.text[n] = (char)(bytes.text[n] ^ 4);
            assert_int_equal(hr_tfrecords_over(&env, "bad", bytes.text, bytes.len, &t), HR_OK);
            do
                r = hr_tfrecords_next(t, &p, &size);
            while (r == HR_OK && p);
            assert_int_equal(r, HR_DATA_LOSS);
            hr_tfrecords_close(t);
            bytes.text[n] = (char)(bytes.text[n] ^ 4);
            hr_errors_cut(&env, 0);
        }
        hr_buf_clear(&bytes);
    }
}

/* -- Arrow files ------------------------------------------------------------------- */

static void write_ipc(const char *path, const struct help_rows *rows, int64_t n)
{
    struct ArrowArrayStream s;
    struct hr_ipc_out *out;
    struct ArrowArray batch;

    help_stream(rows, n, &s);
    if (hr_ipc_create(&env, path, &rows->schema, &out) < 0)
        fail_msg("%s", hr_env_error(&env));
    for (;;) {
        assert_int_equal(hr_arrow_stream_next(&env, &s, "test", &batch), HR_OK);
        if (!batch.release)
            break;
        assert_int_equal(hr_ipc_add(out, &batch), HR_OK);
    }
    HR_RELEASE(&s);
    if (hr_ipc_end(out) < 0)
        fail_msg("%s", hr_env_error(&env));
}

static void read_ipc(struct hr_ipc *ipc, struct help_rows *ret)
{
    struct ArrowArrayStream s;
    struct ArrowArray *list = calloc(hr_ipc_batches(ipc) + 1, sizeof *list);
    size_t i;

    for (i = 0; i < hr_ipc_batches(ipc); i++)
        if (hr_ipc_batch(ipc, i, &list[i]) < 0)
            fail_msg("%s", hr_env_error(&env));
    assert_int_equal(hr_arrow_stream_list(&env, hr_ipc_schema(ipc), list, i, &s), HR_OK);
    free(list);
    hr_ipc_close(ipc);
    help_drain(&env, &s, ret);
}

/* The bytes do not depend on the batches; what is read is what was written. */
static void test_ipc(void **state)
{
    static const int64_t sizes[] = { 100000, 1, 7, 4096 };
    struct help_rows in, out;
    struct hr_buf first, next;
    struct hr_ipc *ipc;
    char path[512], *text;
    size_t i;

    (void)state;
    help_rows(types, rows_text, &in);
    path_of(path, "ipc");
    hr_buf_of(&first, 1 << 20, &env);
    hr_buf_of(&next, 1 << 20, &env);
    for (i = 0; i < 4; i++) {
        hr_buf_cut(&next, 0);
        write_ipc(path, &in, sizes[i]);
        assert_int_equal(hr_file_read(&env, path, 1 << 20, i ? &next : &first), HR_OK);
        if (i) {
            assert_int_equal(first.len, next.len);
            assert_memory_equal(first.text, next.text, first.len);
        }
        if (hr_ipc_open(&env, path, &ipc) < 0)
            fail_msg("%s", hr_env_error(&env));
        assert_true(hr_arrow_schema_equal(hr_ipc_schema(ipc), &in.schema));
        read_ipc(ipc, &out);
        text = help_text(&out);
        assert_string_equal(text, lines);
        free(text);
        help_clear(&out);
    }
    unlink(path);
    hr_buf_clear(&first);
    hr_buf_clear(&next);
    help_clear(&in);
}

/* More rows than a batch of the file has, and no rows at all. */
static void test_ipc_sizes(void **state)
{
    static const int64_t counts[] = { 0, HR_IPC_ROWS, 2 * HR_IPC_ROWS + 1 };
    struct ArrowArray columns[2];
    struct help_rows in, out;
    struct hr_builder x, s;
    struct hr_ipc *ipc;
    char path[512], *a, *b;
    size_t k;
    int64_t i;

    (void)state;
    path_of(path, "sizes");
    for (k = 0; k < 3; k++) {
        hr_schema_new("+s", "", 2, &in.schema);
        hr_schema_column(in.schema.children[0], "x", "l", 0);
        hr_schema_column(in.schema.children[1], "s", "z", 0);
        hr_builder_init(&x, "l", 0);
        hr_builder_init(&s, "z", 0);
        for (i = 0; i < counts[k]; i++) {
            hr_builder_int(&x, i);
            if (i % 3)
                hr_builder_bytes(&s, "abcdefg", (size_t)(i % 7));
            else
                hr_builder_null(&s);
        }
        hr_builder_done(&x, &columns[0]);
        hr_builder_done(&s, &columns[1]);
        hr_rows_make(columns, 2, counts[k], &in.rows);
        write_ipc(path, &in, 1000);
        assert_int_equal(hr_ipc_open(&env, path, &ipc), HR_OK);
        assert_int_equal(hr_ipc_batches(ipc), k + k / 2);
        read_ipc(ipc, &out);
        a = help_text(&in);
        b = help_text(&out);
        assert_string_equal(a, b);
        free(a);
        free(b);
        help_clear(&in);
        help_clear(&out);
        unlink(path);
    }
}

/* Cut off anywhere, or with any byte changed, it is refused or read soundly; never more. */
static void test_ipc_damaged(void **state)
{
    struct help_rows in;
    struct hr_buf bytes;
    struct hr_ipc *ipc;
    char path[512], *copy;
    size_t n, i, refused = 0;

    (void)state;
    help_rows(types, rows_text, &in);
    path_of(path, "broken");
    write_ipc(path, &in, 3);
    hr_buf_of(&bytes, 1 << 20, &env);
    assert_int_equal(hr_file_read(&env, path, 1 << 20, &bytes), HR_OK);
    unlink(path);
    for (n = 0; n < bytes.len; n++) {
        copy = malloc(n + 1);
        memcpy(copy, bytes.text, n);
        assert_int_equal(hr_ipc_over(&env, "cut", copy, n, &ipc), HR_DATA_LOSS);
        hr_errors_cut(&env, 0);
        free(copy);
    }
    copy = malloc(bytes.len);
    for (n = 0; n < bytes.len; n++) {
        memcpy(copy, bytes.text, bytes.len);
        copy[n] = (char)(copy[n] ^ (n % 2 ? 0x80 : 0x01));
        if (hr_ipc_over(&env, "bad", copy, bytes.len, &ipc) < 0) {
            refused++;
        } else {
            for (i = 0; i < hr_ipc_batches(ipc); i++) {
                struct ArrowArray rows;

                if (hr_ipc_batch(ipc, i, &rows) == HR_OK)
                    HR_RELEASE(&rows);
                else
                    refused++;
            }
            hr_ipc_close(ipc);
        }
        hr_errors_cut(&env, 0);
    }
    assert_true(refused > 100);
    free(copy);
    hr_buf_clear(&bytes);
    help_clear(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_nulls_within),
        cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_encode_large),
        cmocka_unit_test(test_encode_some),
        cmocka_unit_test(test_example_round_trip),
        cmocka_unit_test(test_example_many),
        cmocka_unit_test(test_example_other_forms),
        cmocka_unit_test(test_example_kinds),
        cmocka_unit_test(test_tfrecords),
        cmocka_unit_test(test_tfrecords_damaged),
        cmocka_unit_test(test_ipc),
        cmocka_unit_test(test_ipc_sizes),
        cmocka_unit_test(test_ipc_damaged),
    };

    return cmocka_run_group_tests_name("wire", tests, setup, teardown);
}
