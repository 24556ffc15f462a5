/* What is found 64 bytes at a time is what a plain loop finds, with and without AVX2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void same_places(const char *text, size_t n, bool *ret_odd)
{
    uint16_t plain[CSV_STEP], simd[CSV_STEP + AT_ONCE];
    bool odd = false, odd_too = false;
    uint32_t k = places_plain(text, n, 7, plain, &odd);

    assert_int_equal(k, places_avx2(text, n, 7, simd, &odd_too));
    assert_memory_equal(plain, simd, k * sizeof *plain);
    assert_int_equal(odd, odd_too);
    *ret_odd = odd;
}

static void test_masks(void **state)
{
    char text[256];
    uint64_t seed;
    bool odd;
    int i;

    (void)state;
    if (!have_avx2())
        skip();
    for (seed = 0; seed < 5000; seed++) {
        fill(text, sizeof text, seed);
        same_places(text, seed % 5 * 64, &odd);
    }
    memset(text, ',', sizeof text); /* as many as there can be */
    same_places(text, sizeof text, &odd);
    for (i = 0; i < 256; i++) { /* each byte, alone */
        memset(text, 'x', 128);
        text[i % 128] = (char)i;
        same_places(text, 128, &odd);
        assert_int_equal(odd, i == 0 || i > 127);
    }
}

static void test_quotes(void **state)
{
    char text[300];
    size_t n, i;

    (void)state;
    for (n = 0; n <= sizeof text; n++) {
        uint64_t want = 0;

        fill(text, n, n);
        for (i = 0; i < n; i++)
            want += text[i] == '"';
        assert_int_equal(csv_quotes(text, n), want);
    }
}

/* All records of a text, as one text: cells in brackets, a letter for the fault at the end. */
static void records(const char *text, size_t n, bool simd, struct hr_env *env, struct hr_buf *to)
{
    struct csv_records r;
    struct hr_slice cells[1000];
    enum csv_fault fault;
    size_t i;

    memset(&r, 0, sizeof r);
    csv_scan_init(&r.scan, text, n, 0);
    r.scan.simd = simd;
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

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&plain, 1 << 20, &env);
    hr_buf_of(&simd, 1 << 20, &env);
    for (k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (seed = 0; seed < 200; seed++) {
            fill(text, sizes[k], seed * 1000 + k);
            hr_buf_cut(&plain, 0);
            hr_buf_cut(&simd, 0);
            records(text, sizes[k], false, &env, &plain);
            records(text, sizes[k], have_avx2(), &env, &simd);
            assert_int_equal(plain.len, simd.len);
            assert_memory_equal(plain.text, simd.text, plain.len);
        }
    hr_buf_cut(&plain, 0);
    records(sample, sizeof sample - 1, false, &env, &plain);
    assert_string_equal(plain.text, "[a][b\nc]\n[d][e\"f][]\n[g]\nB");
    free(text);
    hr_buf_clear(&plain);
    hr_buf_clear(&simd);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_records),
    };

    return cmocka_run_group_tests_name("data/csv_scan", tests, NULL, NULL);
}
