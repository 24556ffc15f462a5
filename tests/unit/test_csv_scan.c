/* What is found 64 bytes at a time is what a plain loop finds, by any instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../core/data/csv_scan.c"

static const char letters[] = "ab,,\"\"\r\n\n \0\xc3\x7f";

static void fill(char *to, size_t n, uint64_t seed)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = letters[hr_random_at(seed, i) % (sizeof letters - 1)];
}

typedef uint32_t places_call(const char *p, size_t n, size_t from, uint16_t *to, bool *ret_odd);

/* What this processor has. */
static const struct {
    enum hr_cpu cpu;
    places_call *places;
    uint64_t (*quotes)(const char *text, size_t size);
} ways[] = { { HR_CPU_AVX2, places_avx2, quotes_avx2 },
             { HR_CPU_AVX512, places_avx512, quotes_avx512 } };

enum { WAYS = sizeof ways / sizeof *ways };

static void same_places(places_call *places, const char *text, size_t n, bool *ret_odd)
{
    uint16_t plain[CSV_STEP], simd[CSV_STEP + 64];
    bool odd = false, odd_too = false;
    uint32_t k = places_plain(text, n, 7, plain, &odd);

    assert_int_equal(k, places(text, n, 7, simd, &odd_too));
    assert_memory_equal(plain, simd, k * sizeof *plain);
    assert_int_equal(odd, odd_too);
    *ret_odd = odd;
}

static void test_masks(void **state)
{
    char text[CSV_STEP];
    uint64_t seed;
    size_t n;
    bool odd;
    int i, way;

    (void)state;
    for (way = 0; way < WAYS; way++) {
        places_call *places = ways[way].places;

        if (!hr_cpu_has(ways[way].cpu))
            continue;
        for (seed = 0; seed < 5000; seed++) {
            fill(text, 256, seed);
            same_places(places, text, seed % 5 * 64, &odd);
        }
        for (n = 0; n <= 64; n++) { /* n that matter in 64, from none to all */
            memset(text, 'x', 128);
            memset(text + 64 - n, ',', n);
            same_places(places, text, 128, &odd);
            memset(text, '\n', n);
            same_places(places, text, 128, &odd);
        }
        memset(text, ',', sizeof text); /* as many as there can be */
        same_places(places, text, sizeof text, &odd);
        for (i = 0; i < 256; i++) { /* each byte, alone */
            memset(text, 'x', 128);
            text[i % 128] = (char)i;
            same_places(places, text, 128, &odd);
            assert_int_equal(odd, i == 0 || i > 127);
        }
    }
}

static void test_quotes(void **state)
{
    char text[300] = "";
    size_t n, i;
    int way;

    (void)state;
    for (n = 0; n <= sizeof text; n++) {
        uint64_t want = 0;

        fill(text, n, n);
        for (i = 0; i < n; i++)
            want += text[i] == '"';
        assert_int_equal(csv_quotes(text, n), want);
        assert_int_equal(quotes_plain(text, n), want);
        for (way = 0; way < WAYS; way++)
            if (hr_cpu_has(ways[way].cpu))
                assert_int_equal(ways[way].quotes(text, n), want);
    }
}

/* All records of a text, as one text: cells in brackets, a letter for the fault at the end. */
static void records(const char *text, size_t n, places_call *places, struct hr_env *env,
                    struct hr_buf *to)
{
    struct csv_records r;
    struct hr_slice cells[1000];
    enum csv_fault fault;
    size_t i;

    memset(&r, 0, sizeof r);
    csv_scan_init(&r.scan, text, n, 0);
    r.scan.places = places;
    r.cells = cells;
    r.cap = 1000;
    hr_buf_of(&r.text, n + 1, env);
    while ((fault = csv_next(&r)) == CSV_OK) {
        assert_true(r.n > 0 && r.n <= r.cap && r.start > r.record);
        for (i = 0; i < r.n; i++) {
            hr_buf_char(to, '[');
            hr_buf_add(to, r.cells[i].text, r.cells[i].len);
            hr_buf_char(to, ']');
        }
        hr_buf_char(to, '\n');
    }
    hr_buf_char(to, (char)('A' + (int)fault));
    hr_buf_clear(&r.text);
}

static void test_records(void **state)
{
    static const char sample[] = "a,\"b\nc\"\n\n\r\nd,\"e\"\"f\",\"\"\ng";
    static const size_t sizes[] = { 1, 63, 64, 65, 500, 4096, 4097, 9000 };
    struct hr_buf plain, simd;
    struct hr_env env;
    uint64_t seed;
    char *text = malloc(9000);
    size_t k;
    int way;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&plain, 1 << 20, &env);
    hr_buf_of(&simd, 1 << 20, &env);
    for (k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (seed = 0; seed < 200; seed++) {
            fill(text, sizes[k], seed * 1000 + k);
            hr_buf_cut(&plain, 0);
            records(text, sizes[k], places_plain, &env, &plain);
            for (way = 0; way < WAYS; way++) {
                hr_buf_cut(&simd, 0);
                if (!hr_cpu_has(ways[way].cpu))
                    continue;
                records(text, sizes[k], ways[way].places, &env, &simd);
                assert_int_equal(plain.len, simd.len);
                assert_memory_equal(plain.text, simd.text, plain.len);
            }
        }
    hr_buf_cut(&plain, 0);
    records(sample, sizeof sample - 1, places_plain, &env, &plain);
    assert_string_equal(plain.text, "[a][b\nc]\n[d][e\"f][]\n[g]\nB");
    free(text);
    hr_buf_clear(&plain);
    hr_buf_clear(&simd);
    hr_env_clear(&env);
}

/* A record over several steps of the scan, of more cells than there is room for: all are counted,
 * those that have room are right. */
static void test_long_record(void **state)
{
    enum { CELLS = 5000, ROOM = 4500 };
    static char text[CELLS * 5 + 1];
    static struct hr_slice cells[ROOM + 1];
    struct csv_records r;
    struct hr_env env;
    char want[8];
    size_t n = 0, i;

    (void)state;
    hr_env_init(&env, NULL);
    for (i = 0; i < CELLS; i++)
        n += (size_t)sprintf(text + n, "%zu%c", i, i + 1 < CELLS ? ',' : '\n');
    memset(&r, 0, sizeof r);
    csv_scan_init(&r.scan, text, n, 0);
    r.cells = cells;
    r.cap = ROOM;
    hr_buf_of(&r.text, n, &env);
    assert_int_equal(csv_next(&r), CSV_OK);
    assert_int_equal(r.n, CELLS);
    for (i = 0; i < ROOM; i++) {
        assert_int_equal(cells[i].len, sprintf(want, "%zu", i));
        assert_memory_equal(cells[i].text, want, cells[i].len);
    }
    assert_null(cells[ROOM].text);
    assert_int_equal(csv_next(&r), CSV_END);
    hr_buf_clear(&r.text);
    hr_env_clear(&env);
}

/* Text whose records mostly have two cells, at times in quotes that are doubled or hold breaks, and
 * lines that are empty, end by CRLF or have more cells. */
static size_t two_columns(char *to, uint64_t seed, size_t records_n)
{
    static const char *const cells[] = { "", "1", "a \"b", "\"x\"\"y\"", "\"p,\nq\"", "\"\"",
                                         "long text without anything" };
    size_t n = 0, i;

    for (i = 0; i < records_n; i++) {
        uint64_t r = hr_random_at(seed, i);

        n += (size_t)sprintf(to + n, "%s%s%s%s%s", cells[r % 7], r >> 8 & 511 ? "," : ",,",
                             cells[(r >> 20) % 7], r >> 30 & 3 ? "\n" : "\r\n",
                             r >> 40 & 15 ? "" : "\n");
    }
    return n - (seed & 1);
}

/* Rows that are taken some at a time are the records that there are, up to the first that is
 * wrong or starts too late. */
static void test_rows(void **state)
{
    enum { CELLS = 2, MOST = 5, RECORDS = 60 };
    static char text[RECORDS * 80];
    struct hr_slice cells[CELLS * MOST], one[CELLS];
    struct csv_records r, alone;
    struct csv_stop stop;
    enum csv_fault fault;
    struct hr_env env;
    uint64_t seed;
    size_t n, i, k, end, to;

    (void)state;
    hr_env_init(&env, NULL);
    for (seed = 0; seed < 3000; seed++) {
        size_t size = two_columns(text, seed, 1 + seed % RECORDS);

        end = seed % 3 ? size : size / 2;
        memset(&r, 0, sizeof r);
        csv_scan_init(&r.scan, text, size, 0);
        r.all = cells;
        r.cap = CELLS;
        r.most = 1 + seed % MOST;
        alone = r;
        alone.cells = one;
        hr_buf_of(&r.text, size + 1, &env);
        hr_buf_of(&alone.text, size + 1, &env);
        for (to = 0, stop.stop = false; !stop.stop; ) {
            n = csv_rows(&r, end, 1 + seed % 4, &stop);
            assert_true(n <= r.most && n <= 1 + seed % 4);
            for (i = 0; i < n; i++) {
                assert_int_equal(csv_next(&alone), CSV_OK);
                assert_int_equal(alone.n, CELLS);
                assert_true(alone.record < end);
                to = alone.start;
                for (k = 0; k < CELLS; k++) {
                    assert_int_equal(one[k].len, cells[i * CELLS + k].len);
                    assert_memory_equal(one[k].text, cells[i * CELLS + k].text, one[k].len);
                }
            }
            assert_true(stop.stop || stop.to == to);
        }
        fault = alone.start < end ? csv_next(&alone) : CSV_END; /* why it stopped */
        if (stop.ragged)
            assert_true(fault == CSV_OK && alone.n != CELLS && r.n == alone.n &&
                        r.record == alone.record && stop.to == alone.start);
        else
            assert_true(alone.start >= end || alone.record >= end || fault == stop.fault);
        hr_buf_clear(&r.text);
        hr_buf_clear(&alone.text);
    }
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_long_record),
        cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests_name("data/csv_scan", tests, NULL, NULL);
}
