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

#include "data/data.h"
#include "headrace/rows.h"
#include "help_flow.h"

static struct hr_env env;
static char dir[256];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s/headrace-data-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(dir));
    hr_env_init(&env, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hr_tree_remove(&env, dir);
    hr_env_clear(&env);
    return 0;
}

static const char *in_dir(const char *name)
{
    static char paths[4][400];
    static int at;

    at = (at + 1) % 4;
    snprintf(paths[at], sizeof paths[at], "%s/%s", dir, name);
    return paths[at];
}

static void put_file(const char *name, const char *text, size_t n)
{
    assert_int_equal(hr_file_write(&env, in_dir(name), text, n), HR_OK);
}

static void assert_told(const char *text)
{
    if (!strstr(hr_env_error(&env), text))
        fail_msg("\"%s\" is not in \"%s\"", text, hr_env_error(&env));
    hr_errors_cut(&env, 0);
}

/* -- CSV --------------------------------------------------------------------------- */

static hr_status open_csv(const char *text, size_t n, int flags, struct hr_csv **ret)
{
    const char *path = in_dir("a.csv");

    put_file("a.csv", text, n);
    return hr_csv_open(&env, &path, 1, flags, ret);
}

static char *csv_text(const char *text, size_t n, char *types)
{
    struct ArrowArrayStream s;
    struct help_rows rows;
    struct hr_csv *csv;
    int64_t i;
    char *out;

    if (open_csv(text, n, 0, &csv) < 0)
        fail_msg("%s", hr_env_error(&env));
    assert_int_equal(hr_csv_stream(csv, &s), HR_OK);
    help_drain(&env, &s, &rows);
    for (i = 0; i < rows.schema.n_children; i++)
        types += sprintf(types, "%s:%s ", rows.schema.children[i]->name,
                         rows.schema.children[i]->format);
    out = help_text(&rows);
    help_clear(&rows);
    return out;
}

static void test_csv(void **state)
{
    static const struct {
        const char *csv, *types, *rows;
    } cases[] = {
        { "b,a\n1,2\n", "a:l b:l ", "[2,1]\n" },
        { "a\n1\n\n2", "a:l ", "[1]\n[2]\n" },
        { "a,b\r\n1,x\r\n2,\r\n", "a:l b:z ", "[1,\"x\"]\n[2,null]\n" },
        { "\xef\xbb\xbf"
          "a,b\n1,2\n",
          "a:l b:l ", "[1,2]\n" },
        { "a,b\n\"x, y\",\"p\nq\"\n\"d\"\"q\",\"\"\n", "a:z b:z ",
          "[\"x, y\",\"p\\nq\"]\n[\"d\\\"q\",null]\n" },
        { "a,b\nx\"y\"z,1\n\"q\"r\"s\",2\n", "a:z b:l ",
          "[\"x\\\"y\\\"z\",1]\n[\"qr\\\"s\\\"\",2]\n" },
        { "a,b\n\"x\r\ny\",1\r\n", "a:z b:l ", "[\"x\\r\\ny\",1]\n" },
        { "a\n 3 \n1_000\n+5\n-0\n", "a:l ", "[3]\n[1000]\n[5]\n[0]\n" },
        { "a\n1\n1.0\n", "a:f ", "[1.0]\n[1.0]\n" },
        { "a\n1e5\nnan\n-inf\nInfinity\n.5\n5.\n", "a:f ",
          "[100000.0]\n[nan]\n[-inf]\n[inf]\n[0.5]\n[5.0]\n" },
        { "a\n9223372036854775807\n-9223372036854775808\n", "a:l ",
          "[9223372036854775807]\n[-9223372036854775808]\n" },
        { "a\n9223372036854775808\n1\n", "a:z ", "[\"9223372036854775808\"]\n[\"1\"]\n" },
        { "a\n0x10\n", "a:z ", "[\"0x10\"]\n" },
        { "a,b,c\n,1,\n,,\n", "a:n b:l c:n ", "[null,1,null]\n[null,null,null]\n" },
        { "a,b\n \t,x\n", "a:z b:z ", "[\" \\t\",\"x\"]\n" },
        { "a,b\n0.1,x\n16777217,y\n", "a:f b:z ", "[0.1,\"x\"]\n[16777216.0,\"y\"]\n" },
        { "a,b\nx,1\nx,2\ny,3\nx,4\n", "a:i b:l ", "[\"x\",1]\n[\"x\",2]\n[\"y\",3]\n[\"x\",4]\n" },
        { ",b\n1,2\n", ":l b:l ", "[1,2]\n" },
    };
    char types[200], *text;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        text = csv_text(cases[i].csv, strlen(cases[i].csv), types);
        assert_string_equal(types, cases[i].types);
        assert_string_equal(text, cases[i].rows);
        free(text);
    }
}

static void test_csv_mistakes(void **state)
{
    static const struct {
        const char *csv;
        size_t n;
        const char *told;
    } cases[] = {
        { "a,b\n1,2\n3\n", 0, "a.csv:3: the row \"3\" has 1 cells, the header names 2 columns" },
        { "a,b\n1,2,3\n", 0, "a.csv:2: the row \"1,2,3\" has 3 cells" },
        { "a,b\n1,\"x\n2,y\n", 0, "a.csv:2: a quote of the row \"1,\"x\" is not closed" },
        { "a,b\n1,x\"\n2\",y\n", 0, "a.csv:2: the row \"1,x\"\" has a line break in a cell" },
        { "a,b\n1,x\ry\n", 0, "a.csv:2: the row \"1,x\" has a carriage return" },
        { "a,b\n1,x\0y\n", 9, "a.csv:2: a NUL byte" },
        { "a,b\n1,x\n2,\xe4\n", 0, "a.csv:3: byte \"0xE4\" is not UTF-8" },
        { "a,\0b\n1,x\n", 9, "a.csv:1: a NUL byte" },
        { "a,b,a\n1,2,3\n", 0, "a.csv:1: the header names column \"a\" twice" },
        { "", 0, "a.csv:1: the file begins with no header" },
        { "\na,b\n", 0, "a.csv:1: the file begins with no header" },
        { "1,2.5\n3,4\n", 0, "a.csv:1: the first line \"1,2.5\" holds numbers" },
        { "a,\"b\n1,2\n", 0, "a.csv:1: the header has a quote that is not closed" },
        { "a,b\r1,2\r", 0, "a.csv:1: the header has a carriage return" },
        { "a,b\n", 0, "has no row below the header" },
        { "a,b", 0, "has no row below the header" },
        { "a,b\n\n\r\n", 0, "has no row below the header" },
        { "a,b\n1,2\n\xff,2\n3\n", 0, "a.csv:3: byte \"0xFF\"" },
        { "a,b\n1,2\n3\n\xff,2\n", 0, "a.csv:3: the row \"3\"" },
    };
    struct hr_csv *csv;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            open_csv(cases[i].csv, cases[i].n ? cases[i].n : strlen(cases[i].csv), 0, &csv),
            HR_INVALID);
        assert_told(cases[i].told);
    }
}

static void test_csv_files(void **state)
{
    const char *paths[2];
    struct hr_csv *csv;

    (void)state;
    put_file("x.csv", "a,b\n1,2\n", 8);
    put_file("y.csv", "a,c\n1,2\n", 8);
    paths[0] = in_dir("x.csv");
    paths[1] = in_dir("y.csv");
    assert_int_equal(hr_csv_open(&env, paths, 2, 0, &csv), HR_INVALID);
    assert_told("y.csv:1: column 2 is \"c\", in");
    put_file("y.csv", "a\n1\n", 4);
    assert_int_equal(hr_csv_open(&env, paths, 2, 0, &csv), HR_INVALID);
    assert_told("y.csv:1: the header names 1 columns");
    put_file("y.csv", "a,b\n2.5,x\n", 10);
    assert_int_equal(hr_csv_open(&env, paths, 2, HR_CSV_MISSING, &csv), HR_OK);
    assert_int_equal(hr_csv_rows(csv), 2);
    assert_string_equal(hr_csv_schema(csv)->children[0]->format, "f");
    assert_false(hr_schema_meta_is(hr_csv_schema(csv)->children[0], "hr:null", "empty"));
    hr_csv_close(csv);
    paths[0] = in_dir("none.csv");
    assert_int_equal(hr_csv_open(&env, paths, 1, 0, &csv), HR_NOT_FOUND);
    assert_told("none.csv");
    paths[0] = dir;
    assert_int_equal(hr_csv_open(&env, paths, 1, 0, &csv), HR_INVALID);
    hr_errors_cut(&env, 0);
}

/* Files of many chunks, with quoted line breaks where chunks begin: the same by any cut. */
static void test_csv_chunks(void **state)
{
    struct ArrowArrayStream s;
    struct ArrowArray batch;
    struct hr_buf text;
    struct hr_csv *csv;
    struct hr_col c;
    int64_t row = 0, i, at;
    const char *bytes;
    char want[64];
    size_t n, big;

    (void)state;
    hr_buf_of(&text, 1 << 26, &env);
    hr_buf_text(&text, "n,s\n");
    for (i = 0; i < 100000; i++) {
        if (i == 50000) { /* a cell of 3 MB, over several chunks */
            hr_buf_format(&text, "%lld,\"", (long long)i);
            for (big = 0; big < 300000; big++)
                hr_buf_text(&text, "0123456,\n\"\"");
            hr_buf_text(&text, "\"\n");
        } else {
            hr_buf_format(&text, "%lld,\"line\n%lld, \"\"q\"\"\"\n", (long long)i,
                          (long long)i * 7);
        }
    }
    assert_int_equal(open_csv(text.text, text.len, 0, &csv), HR_OK);
    assert_true(hr_csv_chunks(csv) > 5);
    assert_int_equal(hr_csv_rows(csv), 100000);
    assert_int_equal(hr_csv_stream(csv, &s), HR_OK);
    for (;;) {
        struct ArrowSchema schema;

        assert_int_equal(hr_arrow_stream_next(&env, &s, "test", &batch), HR_OK);
        if (!batch.release)
            break;
        assert_int_equal(hr_arrow_stream_schema(&env, &s, "test", &schema), HR_OK);
        assert_int_equal(hr_arrow_check(&env, &schema, &batch, "test"), HR_OK);
        for (i = 0; i < batch.length; i++, row++) {
            hr_col_open(&schema, &batch, 0, &c);
            assert_int_equal(hr_col_count(&c, i, &at), 1);
            assert_int_equal(hr_col_int(&c, at), row);
            hr_col_open(&schema, &batch, 1, &c);
            assert_int_equal(hr_col_count(&c, i, &at), 1);
            bytes = hr_col_bytes(&c, at, &n);
            sprintf(want, "line\n%lld, \"q\"", (long long)row * 7);
            if (row == 50000)
                assert_int_equal(n, 3000000);
            else
                assert_memory_equal(bytes, want, n);
        }
        HR_RELEASE(&schema);
        HR_RELEASE(&batch);
    }
    assert_int_equal(row, 100000);
    HR_RELEASE(&s);
    hr_buf_clear(&text);
}

/* -- the split --------------------------------------------------------------------- */

/* Many rows at once as each alone, which is the digest as one number modulo the buckets. */
static void test_split_many(void **state)
{
    static const char *const splits[] = { "{\"a\":1}", "{\"a\":2,\"b\":1}",
                                          "{\"a\":65536,\"b\":65536,\"c\":1}",
                                          "{\"a\":2147483646,\"b\":1}" };
    uint8_t bytes[100][16 + HR_SHA256_ROOM], digest[HR_SHA256_SIZE], got[100];
    struct hr_sha256_text texts[100];
    struct hr_split split;
    size_t k, i, n;

    (void)state;
    for (k = 0; k < sizeof splits / sizeof *splits; k++) {
        assert_int_equal(hr_split_parse(&env, splits[k], &split), HR_OK);
        for (i = 0; i < 100; i++)
            texts[i] = (struct hr_sha256_text){ bytes[i],
                                                (size_t)sprintf((char *)bytes[i], "row %zu", i) };
        hr_split_many(&split, texts, 100, got);
        for (i = 0; i < 100; i++) {
            uint64_t rest = 0, total = split.ends[split.n - 1];
            uint32_t want = 0;

            hr_sha256(bytes[i], texts[i].n, digest);
            for (n = 0; n < HR_SHA256_SIZE; n++)
                rest = (rest * 256 + digest[n]) % total;
            while (rest >= split.ends[want])
                want++;
            assert_int_equal(got[i], want);
            assert_int_equal(hr_split_of(&split, bytes[i], texts[i].n), want);
        }
        hr_split_clear(&split);
    }
}

static void test_split(void **state)
{
    static const struct {
        const char *json, *told;
    } bad[] = {
        { "[1]", "splits are an object" },
        { "{}", "there is no split" },
        { "{\"a\":0}", "split \"a\" has no number of buckets" },
        { "{\"a\":1.5}", "split \"a\" has no number of buckets" },
        { "{\"a/b\":1}", "cannot be called \"a/b\"" },
        { "{\"a\":2147483647,\"b\":1}", "add up to more" },
    };
    struct hr_split split;
    size_t i;

    (void)state;
    assert_int_equal(hr_split_parse(&env, "{\"train\":2,\"eval\":1}", &split), HR_OK);
    assert_int_equal(split.n, 2);
    /* sha256("") ends in 0x...855 and is 0 modulo 3, sha256("a") is 2 */
    assert_int_equal(hr_split_of(&split, "", 0), 0);
    hr_split_clear(&split);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(hr_split_parse(&env, bad[i].json, &split), HR_INVALID);
        assert_told(bad[i].told);
    }
}

/* -- artifacts --------------------------------------------------------------------- */

static char *read_split(const char *split)
{
    struct ArrowArrayStream s;
    struct help_rows out;
    char *text;

    if (hr_data_open(&env, in_dir("art"), split, &s) < 0)
        fail_msg("%s", hr_env_error(&env));
    help_drain(&env, &s, &out);
    text = help_text(&out);
    help_clear(&out);
    return text;
}

static void test_artifact(void **state)
{
    static const char *const formats[] = { "arrow", "tfrecords_gzip" };
    static const char *const files[] = { "art/Split-train/data-00000-of-00001.arrow",
                                         "art/Split-train/data_tfrecord-00000-of-00001.gz" };
    struct ArrowArrayStream s;
    struct hr_names names;
    struct help_rows in;
    char *text;
    int i;

    (void)state;
    help_rows("a:l b:f? c:%z", "[[1,0.5,\"x\"],[2,null,\"y\"],[3,1,\"x\"]]", &in);
    for (i = 0; i < 2; i++) {
        help_stream(&in, 2, &s);
        assert_int_equal(hr_data_write(&env, in_dir("art"), "train", formats[i], &s), HR_OK);
        help_stream(&in, 1, &s);
        assert_int_equal(hr_data_write(&env, in_dir("art"), "eval", formats[i], &s), HR_OK);
        assert_true(hr_file_exists(&env, in_dir(files[i])));
        put_file("art/Split-train/_SUCCESS", "", 0);
        put_file("art/Split-train/.hidden", "x", 1);
        text = read_split("train");
        assert_string_equal(text, "[1,0.5,\"x\"]\n[2,null,\"y\"]\n[3,1.0,\"x\"]\n");
        free(text);
        text = read_split(NULL);
        assert_string_equal(text, "[1,0.5,\"x\"]\n[2,null,\"y\"]\n[3,1.0,\"x\"]\n"
                                  "[1,0.5,\"x\"]\n[2,null,\"y\"]\n[3,1.0,\"x\"]\n");
        free(text);
        assert_int_equal(hr_data_splits(&env, in_dir("art"), &names), HR_OK);
        assert_int_equal(names.count, 2);
        assert_string_equal(names.names[0], "eval");
        hr_names_clear(&env, &names);
        assert_int_equal(hr_data_open(&env, in_dir("art"), "trian", &s), HR_NOT_FOUND);
        assert_told("has no split \"trian\"; did you mean \"train\"?");
        hr_tree_remove(&env, in_dir("art"));
    }
    help_stream(&in, 2, &s);
    assert_int_equal(hr_data_write(&env, in_dir("art"), NULL, NULL, &s), HR_OK);
    assert_true(hr_file_exists(&env, in_dir("art/data-00000-of-00001.arrow")));
    text = read_split(NULL);
    assert_string_equal(text, "[1,0.5,\"x\"]\n[2,null,\"y\"]\n[3,1.0,\"x\"]\n");
    free(text);
    hr_tree_remove(&env, in_dir("art"));
    help_stream(&in, 2, &s);
    assert_int_equal(hr_data_write(&env, in_dir("art"), "train", "arow", &s), HR_INVALID);
    assert_told("no file format \"arow\"");
    help_clear(&in);
}

static void test_artifact_mistakes(void **state)
{
    struct ArrowArrayStream s;
    struct help_rows in;

    (void)state;
    assert_int_equal(hr_dir_make(&env, in_dir("art/Split-a")), HR_OK);
    assert_int_equal(hr_data_open(&env, in_dir("art"), "a", &s), HR_INVALID);
    assert_told("has no file to read");
    put_file("art/Split-a/x", "", 0);
    assert_int_equal(hr_data_open(&env, in_dir("art"), "a", &s), HR_DATA_LOSS);
    assert_told("is empty");
    put_file("art/Split-a/x", "hello, this is no record", 24);
    assert_int_equal(hr_data_open(&env, in_dir("art"), "a", &s), HR_DATA_LOSS);
    assert_told("is it a TFRecord file?");
    put_file("art/Split-a/x", "ARROW1\0\0hello, this is no arrow", 30);
    assert_int_equal(hr_data_open(&env, in_dir("art"), "a", &s), HR_DATA_LOSS);
    assert_told("no sound Arrow file");
    hr_tree_remove(&env, in_dir("art"));
    help_rows("a:l", "[[1]]", &in);
    help_stream(&in, 2, &s);
    assert_int_equal(hr_data_write(&env, in_dir("art"), "a", NULL, &s), HR_OK);
    put_file("art/Split-a/x", "hello, this is no record", 24);
    assert_int_equal(hr_data_open(&env, in_dir("art"), "a", &s), HR_INVALID);
    assert_told("read them apart");
    assert_int_equal(hr_dir_make(&env, in_dir("art/Split-a/sub")), HR_OK);
    assert_int_equal(hr_data_open(&env, in_dir("art"), "a", &s), HR_INVALID);
    assert_told("is a directory among the files");
    hr_tree_remove(&env, in_dir("art"));
    help_clear(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_mistakes),
        cmocka_unit_test(test_csv_files),
        cmocka_unit_test(test_csv_chunks),
        cmocka_unit_test(test_split), cmocka_unit_test(test_split_many),
        cmocka_unit_test(test_artifact),
        cmocka_unit_test(test_artifact_mistakes),
    };

    return cmocka_run_group_tests_name("data", tests, setup, teardown);
}
