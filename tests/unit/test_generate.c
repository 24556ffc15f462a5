/* Records and splits are those of TFX, by any format, threads and batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/data.h"
#include "help_flow.h"
#include "help_table.h"

static struct hr_env env;
static char dir[256];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s/headrace-gen-XXXXXX",
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

static void path_of(char *to, const char *name)
{
    snprintf(to, 400, "%s/%s", dir, name);
}

/* Unpack a case into the directory; *ret are its bytes. */
static void unpack(const char *name, const char *to, struct hr_buf *ret)
{
    char path[512];

    hr_buf_of(ret, 1 << 26, &env);
    help_unpack(&env, name, ret);
    path_of(path, to);
    assert_int_equal(hr_file_write(&env, path, ret->text, ret->len), HR_OK);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* SHA-256 of the sorted digests of the rows of a split, encoded anew. */
static void digest_of_split(const char *art, const char *split, char *ret_hex, int64_t *ret_rows)
{
    struct ArrowArrayStream s;
    struct hr_example_encoder *e;
    struct help_rows rows;
    char(*list)[HR_SHA256_HEX];
    struct hr_sha256 sum;
    uint8_t digest[HR_SHA256_SIZE];
    int64_t i;

    if (hr_data_open(&env, art, split, &s) < 0)
        fail_msg("%s", hr_env_error(&env));
    help_drain(&env, &s, &rows);
    *ret_rows = rows.rows.length;
    list = calloc((size_t)*ret_rows + 1, sizeof *list);
    assert_int_equal(hr_example_encoder_new(&env, &rows.schema, &e), HR_OK);
    assert_int_equal(hr_example_encoder_open(e, &rows.rows), HR_OK);
    for (i = 0; i < *ret_rows; i++) {
        const uint8_t *bytes;
        size_t n;

        assert_int_equal(hr_example_encode(e, i, &bytes, &n), HR_OK);
        hr_sha256(bytes, n, digest);
        hr_sha256_hex(digest, list[i]);
    }
    qsort(list, (size_t)*ret_rows, sizeof *list, by_text);
    hr_sha256_init(&sum);
    for (i = 0; i < *ret_rows; i++) {
        if (i)
            hr_sha256_add(&sum, "\n", 1);
        hr_sha256_add(&sum, list[i], 64);
    }
    hr_sha256_end(&sum, digest);
    hr_sha256_hex(digest, ret_hex);
    free(list);
    hr_example_encoder_free(e);
    help_clear(&rows);
}

/* The splits of an artifact are those of NAME.splits.json. */
static void assert_splits(const char *art, const char *name)
{
    struct hr_json_doc *doc;
    const struct hr_json *m;
    struct hr_buf text;
    char path[512], hex[HR_SHA256_HEX];
    int64_t rows, want;

    snprintf(path, sizeof path, "%s/data/%s.splits.json", HR_TEST_CASES, name);
    hr_buf_of(&text, 1 << 20, &env);
    assert_int_equal(hr_file_read(&env, path, 1 << 20, &text), HR_OK);
    assert_int_equal(hr_json_parse(&env, path, text.text, text.len, 0, &doc), HR_OK);
    assert_int_equal(hr_json_count(hr_json_root(doc)), 2);
    for (m = hr_json_first(hr_json_root(doc)); m; m = hr_json_next(m)) {
        digest_of_split(art, hr_json_key(m), hex, &rows);
        assert_true(hr_json_int(doc, hr_json_get(m, "rows"), &want));
        assert_int_equal(rows, want);
        assert_string_equal(hex, hr_json_text(hr_json_get(m, "sha256_of_sorted_record_digests")));
    }
    hr_json_free(doc);
    hr_buf_clear(&text);
}

static void generate(struct hr_env *in, const char *const *paths, size_t n, const char *format,
                     const char *art, bool records)
{
    struct hr_generate g = { .dir = art, .format = format };
    struct hr_split split;
    hr_status r;

    hr_tree_remove(&env, art);
    assert_int_equal(hr_split_parse(in, "{\"train\":2,\"eval\":1}", &split), HR_OK);
    g.split = &split;
    r = records ? hr_generate_records(in, paths, n, &g) : hr_generate_csv(in, paths, n, &g);
    if (r < 0)
        fail_msg("%s", hr_env_error(in));
    hr_split_clear(&split);
}

static void digests_of_files(const char *art, const char *format, uint8_t ret[2][HR_SHA256_SIZE])
{
    static const char *const splits[] = { "train", "eval" };
    char path[512];
    uint64_t size;
    int k;

    for (k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/Split-%s/%s", art, splits[k],
                 strcmp(format, "arrow") ? "data_tfrecord-00000-of-00001.gz"
                                         : "data-00000-of-00001.arrow");
        assert_int_equal(hr_file_digest(&env, path, ret[k], &size), HR_OK);
    }
}

/* Cut the lines after the header into five files. */
static size_t cut(const char *text, char paths[5][400], const char **list)
{
    const char *body = strchr(text, '\n') + 1, *from = body, *to;
    size_t n = strlen(body), i;

    for (i = 0; i < 5; i++, from = to) {
        struct hr_buf part;
        char name[40];

        to = i == 4 ? body + n : strchr(body + n * (i + 1) / 5, '\n') + 1;
        sprintf(name, "part%zu.csv", i);
        path_of(paths[i], name);
        list[i] = paths[i];
        hr_buf_of(&part, 1 << 26, &env);
        hr_buf_add(&part, text, (size_t)(body - text));
        hr_buf_add(&part, from, (size_t)(to - from));
        assert_int_equal(hr_file_write(&env, paths[i], part.text, part.len), HR_OK);
        hr_buf_clear(&part);
    }
    return 5;
}

static void check_case(const char *name, bool lines)
{
    static const char *const formats[] = { "arrow", "tfrecords_gzip" };
    static const struct hr_env_config ways[] = { { .threads = 1, .batch_rows = 4096 },
                                                 { .threads = 8, .batch_rows = 7 } };
    uint8_t first[2][HR_SHA256_SIZE], next[2][HR_SHA256_SIZE];
    char csv[400], art[400], packed[100], paths[5][400];
    const char *list[5] = { csv };
    struct hr_buf text;
    size_t f, w, n;

    sprintf(packed, "%s.csv.gz", name);
    path_of(csv, "data.csv");
    path_of(art, "art");
    unpack(packed, "data.csv", &text);
    for (f = 0; f < 2; f++)
        for (w = 0; w < (lines ? 3u : 2u); w++) {
            struct hr_env in;

            hr_env_init(&in, &ways[w & 1]);
            list[0] = csv;
            n = w == 2 ? cut(text.text, paths, list) : 1;
            generate(&in, list, n, formats[f], art, false);
            hr_env_clear(&in);
            digests_of_files(art, formats[f], w ? next : first);
            if (w)
                assert_memory_equal(first, next, sizeof first);
            else
                assert_splits(art, name);
        }
    hr_buf_clear(&text);
}

static void test_mixed_a(void **state)
{
    (void)state;
    check_case("mixed_a", false);
}

static void test_mixed_b(void **state)
{
    (void)state;
    check_case("mixed_b", false);
}

static void test_penguins(void **state)
{
    (void)state;
    check_case("penguins_raw", true);
}

static void test_taxi(void **state)
{
    (void)state;
    check_case("taxi_10k", true);
}

/* Records that TFX wrote, in its arbitrary order of features, fall into the splits they came
 * from, and are the same records. */
static void test_import(void **state)
{
    static const char *const formats[] = { "arrow", "tfrecords_gzip" };
    char train[512], eval[512], art[400];
    const char *paths[] = { train, eval };
    int f;

    (void)state;
    snprintf(train, sizeof train, "%s/data/mixed_b.train.tfrecord.gz", HR_TEST_CASES);
    snprintf(eval, sizeof eval, "%s/data/mixed_b.eval.tfrecord.gz", HR_TEST_CASES);
    path_of(art, "art");
    for (f = 0; f < 2; f++) {
        generate(&env, paths, 2, formats[f], art, true);
        assert_splits(art, "mixed_b");
    }
}

/* Nothing is left behind that could be taken for an artifact: a mistake is told before. */
static void test_mistake(void **state)
{
    struct hr_generate g = { .format = "arrow" };
    char csv[400], art[400];
    const char *paths[] = { csv };
    struct hr_split split;

    (void)state;
    path_of(csv, "bad.csv");
    path_of(art, "art");
    hr_tree_remove(&env, art);
    assert_int_equal(hr_file_write(&env, csv, "a,b\n1\n", 6), HR_OK);
    assert_int_equal(hr_split_parse(&env, "{\"a\":1}", &split), HR_OK);
    g.dir = art;
    g.split = &split;
    assert_int_equal(hr_generate_csv(&env, paths, 1, &g), HR_INVALID);
    assert_false(hr_dir_exists(&env, art));
    assert_int_equal(hr_generate_records(&env, paths, 1, &g), HR_DATA_LOSS);
    assert_false(hr_dir_exists(&env, art));
    hr_errors_cut(&env, 0);
    hr_split_clear(&split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixed_a),  cmocka_unit_test(test_mixed_b),
        cmocka_unit_test(test_penguins), cmocka_unit_test(test_taxi),
        cmocka_unit_test(test_import),   cmocka_unit_test(test_mistake),
    };

    return cmocka_run_group_tests_name("data/generate", tests, setup, teardown);
}
