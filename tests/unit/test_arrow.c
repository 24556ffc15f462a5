/* Arrow: every type through a file, by batches that are merged on the way; batches and schemas that
 * break the rules, each by one change; the reader of flatbuffers at its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/arrow.h"
#include "wire/ipc.h"
#include "wire/ipc_fb.h"

enum { ROWS = 5, MOST = 24 };

/* A column by its format; the buffers are for ROWS values, children as many as it takes. */
struct column {
    const char *format;
    const void *buffers[3];
    int64_t length;
    const struct column *child, *second; /* of +l +L +w; both of +s */
};

static const uint8_t bits[] = { 0x15 }, valid[] = { 0x1b }; /* 1 0 1 0 1; the third is null */
static const int8_t i8[] = { -1, 2, 3, -128, 127, 6, 7, 8, 9, 10 };
static const uint8_t u8[] = { 0, 1, 2, 254, 255 };
static const int16_t i16[] = { -1, 2, 3, -32768, 32767 };
static const uint16_t u16[] = { 0, 1, 2, 3, 65535 };
static const int32_t i32[] = { -1, 2, 3, INT32_MIN, INT32_MAX };
static const uint32_t u32[] = { 0, 1, 2, 3, UINT32_MAX };
static const int64_t i64[] = { -1, 2, 3, INT64_MIN, INT64_MAX };
static const uint64_t u64[] = { 0, 1, 2, 3, UINT64_MAX };
static const float f32[] = { 0.5f, -1, 2, 3, 4 };
static const double f64[] = { 0.1, -1, 2, 3, 1e300 };
static const int32_t ends[] = { 0, 1, 1, 3, 4, 5 };
static const int64_t long_ends[] = { 0, 2, 2, 3, 4, 5 };
static const int32_t codes[] = { 1, 0, 0, 1, 2 };

static const struct column bytes8 = { "c", { NULL, i8 }, 10, NULL, NULL };
static const struct column bools = { "b", { NULL, bits }, 5, NULL, NULL };
static const struct column texts = { "u", { NULL, ends, "abcde" }, 5, NULL, NULL };
static const struct column doubles = { "g", { valid, f64 }, 5, NULL, NULL };
static const struct column columns[] = {
    { "n", { NULL }, 5, NULL, NULL },
    { "b", { valid, bits }, 5, NULL, NULL },
    { "c", { valid, i8 }, 5, NULL, NULL },
    { "C", { NULL, u8 }, 5, NULL, NULL },
    { "s", { valid, i16 }, 5, NULL, NULL },
    { "S", { NULL, u16 }, 5, NULL, NULL },
    { "i", { valid, i32 }, 5, NULL, NULL },
    { "I", { NULL, u32 }, 5, NULL, NULL },
    { "l", { valid, i64 }, 5, NULL, NULL },
    { "L", { NULL, u64 }, 5, NULL, NULL },
    { "f", { valid, f32 }, 5, NULL, NULL },
    { "g", { NULL, f64 }, 5, NULL, NULL },
    { "tdD", { valid, i32 }, 5, NULL, NULL },
    { "tsm:UTC", { valid, i64 }, 5, NULL, NULL },
    { "tsn:", { NULL, i64 }, 5, NULL, NULL },
    { "z", { valid, ends, "abcde" }, 5, NULL, NULL },
    { "Z", { NULL, long_ends, "abcde" }, 5, NULL, NULL },
    { "U", { valid, long_ends, "abcde" }, 5, NULL, NULL },
    { "+l", { valid, ends }, 5, &bools, NULL },
    { "+L", { NULL, long_ends }, 5, &texts, NULL },
    { "+w:2", { valid }, 5, &bytes8, NULL },
    { "+s", { valid }, 5, &doubles, &texts },
};

static void keep_schema(struct ArrowSchema *s)
{
    s->release = NULL;
}

static void keep_array(struct ArrowArray *a)
{
    a->release = NULL;
}

/* All of a batch: schemas and arrays that point into each other. */
struct batch {
    struct ArrowSchema schema, fields[MOST], inner[2 * MOST];
    struct ArrowSchema *field_at[MOST], *inner_at[2 * MOST];
    struct ArrowArray rows, arrays[MOST], parts[2 * MOST];
    struct ArrowArray *array_at[MOST], *part_at[2 * MOST];
    const void *buffers[MOST][3], *more[2 * MOST][3], *none[1];
};

static void fill(const struct column *c, struct ArrowSchema *s, struct ArrowArray *a,
                 const void **buffers)
{
    int64_t width;

    *s = (struct ArrowSchema){ .format = c->format, .name = "x", .flags = ARROW_FLAG_NULLABLE,
                               .release = keep_schema };
    memcpy(buffers, c->buffers, 3 * sizeof *buffers);
    *a = (struct ArrowArray){ .length = c->length, .null_count = -1, .buffers = buffers,
                              .n_buffers = hr_arrow_buffers(hr_arrow_type(c->format, &width)),
                              .release = keep_array };
}

/* The columns list[0..n), called by their formats. */
static void make(const struct column *list, size_t n, struct batch *b)
{
    size_t i, k;

    memset(b, 0, sizeof *b);
    for (i = 0; i < n; i++) {
        const struct column *parts[] = { list[i].child, list[i].second };

        fill(&list[i], &b->fields[i], &b->arrays[i], b->buffers[i]);
        b->fields[i].name = list[i].format;
        b->fields[i].children = &b->inner_at[2 * i];
        b->arrays[i].children = &b->part_at[2 * i];
        for (k = 0; k < 2 && parts[k]; k++) {
            fill(parts[k], &b->inner[2 * i + k], &b->parts[2 * i + k], b->more[2 * i + k]);
            b->inner_at[2 * i + k] = &b->inner[2 * i + k];
            b->part_at[2 * i + k] = &b->parts[2 * i + k];
            b->fields[i].n_children = b->arrays[i].n_children = (int64_t)k + 1;
        }
        b->field_at[i] = &b->fields[i];
        b->array_at[i] = &b->arrays[i];
    }
    b->schema = (struct ArrowSchema){ .format = "+s", .name = "", .n_children = (int64_t)n,
                                      .children = b->field_at, .release = keep_schema };
    b->rows = (struct ArrowArray){ .length = ROWS, .n_buffers = 1, .buffers = b->none,
                                   .n_children = (int64_t)n, .children = b->array_at,
                                   .release = keep_array };
}

/* -- values as text ------------------------------------------------------------------------ */

static bool is_set(const void *bitmap, int64_t i)
{
    return ((const uint8_t *)bitmap)[i / 8] >> (i % 8) & 1;
}

/* The i-th offset; of a list of a fixed width where that would be. */
static int64_t offset_of(const struct ArrowArray *a, enum hr_arrow_type type, int64_t width,
                         int64_t i)
{
    if (type == HR_ARROW_ARRAY)
        return i * width;
    if (width == 4)
        return ((const int32_t *)a->buffers[1])[i];
    return ((const int64_t *)a->buffers[1])[i];
}

static void put(struct hr_buf *to, const struct ArrowSchema *s, const struct ArrowArray *a,
                int64_t i)
{
    const char *format = s->format;
    int64_t width, from, end, k;
    enum hr_arrow_type type = hr_arrow_type(format, &width);

    i += a->offset;
    if (type == HR_ARROW_NULL || (a->buffers[0] && !is_set(a->buffers[0], i))) {
        hr_buf_text(to, "-");
        return;
    }
    switch (type) {
    case HR_ARROW_BOOL:
        hr_buf_text(to, is_set(a->buffers[1], i) ? "T" : "F");
        return;
    case HR_ARROW_FIXED: /* the bytes are the value */
        for (k = 0; k < width; k++)
            hr_buf_format(to, "%02x", ((const uint8_t *)a->buffers[1])[i * width + k]);
        return;
    case HR_ARROW_STRUCT:
        hr_buf_text(to, "{");
        put(to, s->children[0], a->children[0], i);
        put(to, s->children[1], a->children[1], i);
        hr_buf_text(to, "}");
        return;
    default:
        break;
    }
    from = offset_of(a, type, width, i);
    end = offset_of(a, type, width, i + 1);
    if (type == HR_ARROW_BYTES) {
        hr_buf_format(to, "'%.*s'", (int)(end - from), (const char *)a->buffers[2] + from);
        return;
    }
    hr_buf_text(to, "[");
    for (k = from; k < end; k++)
        put(to, s->children[0], a->children[0], k);
    hr_buf_text(to, "]");
}

static void put_rows(struct hr_buf *to, const struct ArrowSchema *s, const struct ArrowArray *a)
{
    int64_t i, k;

    for (i = 0; i < a->length; i++) {
        for (k = 0; k < a->n_children; k++) {
            hr_buf_format(to, "%s ", s->children[k]->format);
            put(to, s->children[k], a->children[k], i + a->offset);
            hr_buf_text(to, "\n");
        }
    }
}

/* -- tests --------------------------------------------------------------------------------- */

static void write_file(struct hr_env *env, const char *path, struct batch *b, int64_t from,
                       int64_t n)
{
    struct hr_ipc_out *out;
    struct ArrowArray rows;

    if (hr_ipc_create(env, path, &b->schema, &out) < 0)
        fail_msg("%s", hr_env_error(env));
    for (; n; n--, from++) { /* a row a batch: all are gathered */
        rows = b->rows;
        rows.offset = from;
        rows.length = 1;
        if (hr_ipc_add(out, &rows) < 0)
            fail_msg("%s", hr_env_error(env));
    }
    if (hr_ipc_end(out) < 0)
        fail_msg("%s", hr_env_error(env));
}

static void test_types(void **state)
{
    char path[] = "/tmp/hr_arrow_XXXXXX";
    struct batch b;
    struct hr_buf want, got;
    struct ArrowArray rows;
    struct hr_env env;
    struct hr_ipc *ipc;
    size_t n = sizeof columns / sizeof *columns;
    int64_t from;

    (void)state;
    hr_env_init(&env, NULL);
    assert_true(close(mkstemp(path)) == 0);
    make(columns, n, &b);
    assert_int_equal(hr_arrow_check_schema(&env, &b.schema, "t"), HR_OK);
    if (hr_arrow_check(&env, &b.schema, &b.rows, "t") < 0)
        fail_msg("%s", hr_env_error(&env));
    for (from = 0; from < 3; from++) {
        hr_buf_of(&want, 1 << 20, &env);
        hr_buf_of(&got, 1 << 20, &env);
        write_file(&env, path, &b, from, ROWS - from);
        if (hr_ipc_open(&env, path, &ipc) < 0)
            fail_msg("%s", hr_env_error(&env));
        assert_true(hr_arrow_schema_equal(hr_ipc_schema(ipc), &b.schema));
        assert_int_equal(hr_ipc_batches(ipc), 1);
        if (hr_ipc_batch(ipc, 0, &rows) < 0)
            fail_msg("%s", hr_env_error(&env));
        put_rows(&got, &b.schema, &rows);
        HR_RELEASE(&rows);
        hr_ipc_close(ipc);
        rows = b.rows;
        rows.offset = from;
        rows.length = ROWS - from;
        put_rows(&want, &b.schema, &rows);
        assert_string_equal(got.text, want.text);
        hr_buf_clear(&want);
        hr_buf_clear(&got);
    }
    unlink(path);
    hr_env_clear(&env);
}

/* Rows in runs of one batch and another, from slices and with gaps: each column is what its rows
 * are. */
static void test_take(void **state)
{
    enum { PICKS = 300, BATCHES = 3 };
    const struct ArrowArray *from[BATCHES];
    struct ArrowArray slices[BATCHES], rows;
    struct hr_pick picks[PICKS];
    struct hr_buf want, got;
    struct hr_env env;
    struct batch b;
    uint64_t seed;
    int64_t i, k, n;

    (void)state;
    hr_env_init(&env, NULL);
    make(columns, sizeof columns / sizeof *columns, &b);
    for (i = 0; i < BATCHES; i++) {
        slices[i] = b.rows;
        slices[i].offset = i;
        slices[i].length = ROWS - i;
        from[i] = &slices[i];
    }
    for (seed = 0; seed < 60; seed++) {
        uint64_t runs = 1 + hr_random_at(seed, 1000) % 40;
        bool gaps = seed % 3 == 0;

        n = (int64_t)(hr_random_at(seed, 1001) % (PICKS + 1));
        for (i = 0; i < n; i++) {
            uint64_t r = hr_random_at(seed, (uint64_t)i);

            picks[i].batch = i && r % runs ? picks[i - 1].batch : (uint32_t)(r >> 20) % BATCHES;
            picks[i].row = (int64_t)((r >> 40) % (uint64_t)slices[picks[i].batch].length);
            if (gaps && r >> 60 == 0)
                picks[i].row = -1;
        }
        if (hr_arrow_take(&env, &(struct hr_taking){ &b.schema, from, BATCHES, picks, n }, &rows) <
            0)
            fail_msg("%s", hr_env_error(&env));
        if (!gaps && hr_arrow_check(&env, &b.schema, &rows, "t") < 0)
            fail_msg("%s", hr_env_error(&env));
        hr_buf_of(&want, 1 << 24, &env);
        hr_buf_of(&got, 1 << 24, &env);
        put_rows(&got, &b.schema, &rows);
        for (i = 0; i < n; i++)
            for (k = 0; k < b.rows.n_children; k++) {
                hr_buf_format(&want, "%s ", b.schema.children[k]->format);
                if (picks[i].row < 0)
                    hr_buf_text(&want, "-");
                else
                    put(&want, b.schema.children[k], b.rows.children[k],
                        picks[i].row + slices[picks[i].batch].offset);
                hr_buf_text(&want, "\n");
            }
        assert_string_equal(got.text, want.text);
        HR_RELEASE(&rows);
        hr_buf_clear(&want);
        hr_buf_clear(&got);
    }
    hr_env_clear(&env);
}

/* One pair of a schema's metadata, as the C data interface has it: n bytes of key and value. */
static char *put_pair(char *to, int32_t key_n, int32_t value_n)
{
    memcpy(to, &key_n, 4);
    memset(to + 4, 'k', (size_t)key_n);
    memcpy(to + 4 + key_n, &value_n, 4);
    memset(to + 8 + key_n, 'v', (size_t)value_n);
    return to + 8 + key_n + value_n;
}

/* What other programs keep with a column and is large is read over, whatever else there is. */
static void test_metadata(void **state)
{
    static const int32_t sizes[][2] = { { 3, 4 },       { 100000, 4 }, { 3, 200000 },
                                        { 100000, 200000 }, { 0, 0 },   { 2, 5 } };
    char path[] = "/tmp/hr_arrow_XXXXXX", *meta = malloc(1000000), *at = meta + 4;
    int32_t n = sizeof sizes / sizeof *sizes, i;
    const struct ArrowSchema *got;
    struct hr_ipc *ipc;
    struct hr_env env;
    struct batch b;

    (void)state;
    hr_env_init(&env, NULL);
    assert_true(close(mkstemp(path)) == 0);
    memcpy(meta, &n, 4);
    for (i = 0; i < n; i++)
        at = put_pair(at, sizes[i][0], sizes[i][1]);
    make(&bytes8, 1, &b);
    b.fields[0].metadata = meta;
    write_file(&env, path, &b, 0, 1);
    if (hr_ipc_open(&env, path, &ipc) < 0)
        fail_msg("%s", hr_env_error(&env));
    got = hr_ipc_schema(ipc)->children[0];
    memcpy(&n, got->metadata, 4);
    assert_int_equal(n, 3);
    assert_memory_equal(got->metadata + 4, "\3\0\0\0kkk\4\0\0\0vvvv\0\0\0\0\0\0\0\0"
                                           "\2\0\0\0kk\5\0\0\0vvvvv", 38);
    hr_ipc_close(ipc);
    unlink(path);
    free(meta);
    hr_env_clear(&env);
}

/* Each by one change of a batch that is right. */
static void test_faults(void **state)
{
    static const int32_t falls[] = { 0, 3, 1, 3, 4, 5 }, negative[] = { -1, 0, 1, 2, 3, 4 };
    static const int32_t wide[] = { 0, 1, 1, 3, 4, 11 };
    static const struct column two[] = { { "u", { NULL, ends, "abcde" }, 5, NULL, NULL },
                                         { "+l", { NULL, ends }, 5, &bytes8, NULL },
                                         { "g", { valid, f64 }, 5, NULL, NULL } };
    struct hr_env env;
    struct batch b;
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    for (i = 0;; i++) {
        const char *want = NULL;

        make(two, 3, &b);
        switch (i) {
        case 0: b.rows.release = NULL; want = "is empty"; break;
        case 1: b.rows.length = -1; want = "impossible length"; break;
        case 2: b.rows.offset = -1; want = "impossible length"; break;
        case 3: b.rows.offset = INT64_MAX / 8; want = "impossible length"; break;
        case 4: b.rows.n_children = 2; want = "a batch has 2 columns, its schema 3"; break;
        case 5: b.rows.n_buffers = 0; want = "a wrong number of buffers"; break;
        case 6: b.rows.buffers = NULL; want = "a wrong number of buffers"; break;
        case 7: b.rows.children = NULL; want = "a wrong number of buffers"; break;
        case 8: b.rows.dictionary = &b.rows; want = "has a dictionary"; break;
        case 9: b.none[0] = valid; want = "has null rows"; break;
        case 10: b.arrays[0].release = NULL; want = "is empty"; break;
        case 11: b.array_at[0] = NULL; want = "is empty"; break;
        case 12: b.arrays[0].length = -5; want = "impossible length"; break;
        case 13: b.arrays[0].length = 4; want = "has 4 values, too few for 5"; break;
        case 14: b.arrays[0].n_buffers = 2; want = "a wrong number of buffers"; break;
        case 15: b.arrays[0].buffers = NULL; want = "a wrong number of buffers"; break;
        case 16: b.arrays[1].n_children = 0; want = "a wrong number of children"; break;
        case 17: b.arrays[1].children = NULL; want = "a wrong number of children"; break;
        case 18: b.part_at[2] = NULL; want = "no pointer to a child"; break;
        case 19: b.arrays[2].dictionary = &b.arrays[0]; want = "disagree about a dictionary"; break;
        case 20: b.arrays[2].null_count = -2; want = "impossible number of nulls"; break;
        case 21: b.arrays[2].null_count = 6; want = "impossible number of nulls"; break;
        case 22: b.arrays[2].null_count = 2; want = "counts other nulls"; break;
        case 23: b.arrays[0].null_count = 1; want = "no validity bitmap"; break;
        case 24: b.buffers[2][1] = NULL; want = "no buffer of values"; break;
        case 25: b.buffers[0][1] = NULL; want = "no buffer of offsets"; break;
        case 26: b.buffers[0][2] = NULL; want = "no buffer of bytes"; break;
        case 27: b.buffers[0][1] = falls; want = "offset"; break;
        case 28: b.buffers[0][1] = negative; want = "offset is negative"; break;
        case 29: b.buffers[1][1] = wide; want = "ends beyond the values"; break;
        case 30: b.parts[2].null_count = 1; want = "no validity bitmap"; break;
        case 31: b.more[2][0] = valid; b.parts[2].length = 5; want = "null"; break;
        default: break;
        }
        if (!want)
            break;
        hr_errors_cut(&env, 0);
        if (hr_arrow_check(&env, &b.schema, &b.rows, "t") != HR_INVALID ||
            !strstr(hr_env_error(&env), want))
            fail_msg("change %d: \"%s\", not \"%s\"", i, hr_env_error(&env), want);
    }
    hr_env_clear(&env);
}

static void test_schema_faults(void **state)
{
    static const struct column two[] = { { "l", { NULL, i64 }, 5, NULL, NULL },
                                         { "+l", { NULL, ends }, 5, &bytes8, NULL } };
    struct hr_env env;
    struct batch b;
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    for (i = 0;; i++) {
        const char *want = NULL;

        make(two, 2, &b);
        switch (i) {
        case 0: b.schema.release = NULL; want = "is empty"; break;
        case 1: b.schema.format = NULL; want = "is empty"; break;
        case 2: b.schema.format = "l"; want = "has format \"l\"; a batch has \"+s\""; break;
        case 3: b.schema.dictionary = &b.fields[0]; want = "a batch has \"+s\""; break;
        case 4: b.schema.n_children = -1; want = "too many columns"; break;
        case 5: b.schema.n_children = HR_MAX_COLUMNS + 1; want = "too many columns"; break;
        case 6: b.schema.children = NULL; want = "a column without a name"; break;
        case 7: b.field_at[1] = NULL; want = "a column without a name"; break;
        case 8: b.fields[0].name = NULL; want = "a column without a name"; break;
        case 9: b.fields[0].name = "\xff"; want = "a name that is not UTF-8"; break;
        case 10: b.fields[0].format = NULL; want = "is empty"; break;
        case 11: b.fields[0].release = NULL; want = "is empty"; break;
        case 12: b.fields[0].format = "e"; want = "a type that is not supported"; break;
        case 13: b.fields[0].format = "+w:x"; want = "a type that is not supported"; break;
        case 14: b.fields[1].dictionary = &b.fields[0]; want = "no codes of an integer type"; break;
        case 15: b.fields[0].n_children = 1; want = "a wrong number of children"; break;
        case 16: b.fields[1].n_children = 0; want = "a wrong number of children"; break;
        case 17: b.fields[1].children = NULL; want = "no pointer to a child"; break;
        case 18: b.inner_at[2] = NULL; want = "no pointer to a child"; break;
        case 19: b.inner_at[2] = &b.fields[1]; want = "nested too deeply"; break;
        case 20: b.fields[0].dictionary = &b.inner[7]; want = "is empty"; break;
        default: break;
        }
        if (!want)
            break;
        hr_errors_cut(&env, 0);
        if (hr_arrow_check_schema(&env, &b.schema, "t") != HR_INVALID ||
            !strstr(hr_env_error(&env), want))
            fail_msg("change %d: \"%s\", not \"%s\"", i, hr_env_error(&env), want);
    }
    hr_env_clear(&env);
}

/* Lists in lists, as deep as may be and deeper. */
static void test_depth(void **state)
{
    enum { DEEP = 40 };
    struct ArrowSchema all[DEEP], *next[DEEP];
    struct hr_env env;
    struct batch b;
    int n, i;

    (void)state;
    hr_env_init(&env, NULL);
    for (n = 1; n < DEEP; n++) {
        make(&bytes8, 1, &b);
        for (i = 0; i < n; i++) {
            next[i] = &all[i + 1];
            all[i] = (struct ArrowSchema){ .format = i + 1 < n ? "+l" : "l", .name = "x",
                                           .n_children = i + 1 < n, .children = &next[i],
                                           .release = keep_schema };
        }
        b.field_at[0] = &all[0];
        hr_errors_cut(&env, 0);
        assert_int_equal(hr_arrow_check_schema(&env, &b.schema, "t"), n <= 32 ? HR_OK : HR_INVALID);
        if (n > 32)
            assert_non_null(strstr(hr_env_error(&env), "nested too deeply"));
    }
    hr_env_clear(&env);
}

/* Codes of a dictionary within it, of each integer type. */
static void test_codes(void **state)
{
    static const char *const formats = "cCsSiIlL";
    uint64_t space[ROWS];
    struct hr_env env;
    struct batch b;
    size_t k, i;
    int odd;

    (void)state;
    hr_env_init(&env, NULL);
    for (k = 0; k < 8; k++)
        for (odd = 0; odd < 3; odd++) {
            char format[] = { formats[k], '\0' };
            struct column c = { format, { NULL, space }, 5, NULL, NULL };

            memset(space, 0, sizeof space);
            for (i = 0; i < ROWS; i++) {
                static const int off[] = { 0, 4, -2 };
                int64_t v = codes[i] + (i == 3 ? off[odd] : 0);

                memcpy((char *)space + (i << k / 2), &v, (size_t)1 << k / 2);
            }
            make(&c, 1, &b);
            fill(&texts, &b.inner[0], &b.parts[0], b.more[0]);
            b.fields[0].dictionary = &b.inner[0];
            b.arrays[0].dictionary = &b.parts[0];
            b.fields[0].n_children = b.arrays[0].n_children = 0;
            assert_int_equal(hr_arrow_check_schema(&env, &b.schema, "t"), HR_OK);
            if (hr_arrow_check(&env, &b.schema, &b.rows, "t") != (odd ? HR_INVALID : HR_OK))
                fail_msg("%s %d: %s", format, odd, hr_env_error(&env));
            hr_errors_cut(&env, 0);
        }
    hr_env_clear(&env);
}

/* A table of a vtable and 8 bytes: one field of 4, at what the vtable says. */
static void test_flatbuffer(void **state)
{
    static const struct {
        uint8_t at, size;
        bool bad;
        uint64_t value; /* 5: what stands for none */
    } rows[] = { { 4, 8, false, 7 }, { 0, 8, false, 5 }, { 3, 8, true, 5 },   { 5, 8, true, 5 },
                 { 4, 7, true, 5 },  { 8, 8, true, 5 },  { 4, 12, false, 7 }, { 8, 12, false, 9 } };
    struct fb_table t;
    struct fb_in in;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* root at 12; vtable at 4: 6 bytes, the table's size, the field's place; table at 12 */
        uint8_t bytes[24] = { 12, 0, 0, 0, 6, 0, rows[i].size, 0, rows[i].at, 0, 0, 0, 8, 0, 0, 0,
                              7,  0, 0, 0, 9 };

        in = (struct fb_in){ bytes, sizeof bytes, false };
        t = fb_root(&in);
        assert_int_equal(fb_get(&in, &t, 0, 4, 5), rows[i].value);
        assert_int_equal(in.bad, rows[i].bad);
        assert_int_equal(fb_get(&in, &t, 1, 4, 5), 5); /* the vtable has no such field */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types), cmocka_unit_test(test_take), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_schema_faults), cmocka_unit_test(test_codes),
        cmocka_unit_test(test_flatbuffer), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_metadata),
    };

    return cmocka_run_group_tests_name("arrow", tests, NULL, NULL);
}
