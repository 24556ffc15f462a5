/* Cells that are read sixteen characters at a time are what Python reads, wherever they lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../../core/data/csv_cell.c"

enum { PAGE = 4096, MOST = 22, CELLS = 200000 };

/* Digits, at times with a point, a sign, or something that is in no number. */
static size_t draw(char *to, uint64_t seed)
{
    static const char odd[] = "+-.eE_ ,/:x\"\n";
    size_t n = 1 + hr_random_at(seed, 0) % MOST, i;

    for (i = 0; i < n; i++)
        to[i] = (char)('0' + hr_random_at(seed, i + 1) % 10);
    if (hr_random_at(seed, 40) % 2)
        to[hr_random_at(seed, 41) % n] = '.';
    if (hr_random_at(seed, 42) % 4 == 0)
        to[0] = '-';
    if (hr_random_at(seed, 43) % 8 == 0)
        to[hr_random_at(seed, 44) % n] = odd[hr_random_at(seed, 45) % (sizeof odd - 1)];
    return n;
}

static int kind_of(const char *p, size_t n)
{
    bool over = false;
    double d;
    int64_t i;

    if (hr_num_python_int(p, n, &i, &over))
        return over ? CSV_TEXT : CSV_INT;
    return hr_num_python(p, n, &d) ? CSV_FLOAT : CSV_TEXT;
}

/* The value, by any instructions, between two empty cells of a column of three. */
static void check_values(const char *p, size_t n, int kind)
{
    static void (*const ints[])(struct csv_cells, int64_t *) = { csv_ints, ints_each };
    static void (*const floats[])(struct csv_cells, float *) = { csv_floats, floats_each };
    const struct hr_slice cells[5] = { { "", 0 }, { "9", 1 }, { p, n }, { "9", 1 }, { "", 0 } };
    struct csv_cells column = { cells, 2, 3 };
    int64_t i, v[3];
    double d = 0;
    float f[3];
    bool over;
    int k;

    for (k = 0; k < 2; k++) {
        if (kind == CSV_INT) {
            hr_num_python_int(p, n, &i, &over);
            ints[k](column, v);
            assert_true(v[0] == 0 && v[1] == i && v[2] == 0);
        }
        if (kind != CSV_TEXT && hr_num_python(p, n, &d)) {
            floats[k](column, f);
            if (f[1] != (float)d)
                fail_msg("\"%.*s\" is %.9g, not %.9g", (int)n, p, (double)f[1], d);
            assert_true(f[0] == 0 && f[2] == 0);
        }
    }
    k = csv_kinds(column, CSV_UNKNOWN);
    assert_int_equal(k, kind);
    assert_int_equal(csv_kinds(column, CSV_TEXT), CSV_TEXT);
}

static void check(const char *p, size_t n)
{
    int kind = kind_of(p, n), have;

    for (have = CSV_UNKNOWN; have <= CSV_FLOAT; have++) {
        int got = csv_kind(p, n, have);

        if (got != kind && !(got == CSV_FLOAT && have == CSV_FLOAT && kind == CSV_INT))
            fail_msg("\"%.*s\" is of kind %d, not %d", (int)n, p, kind, got);
    }
    check_values(p, n, kind);
}

/* At the end of the last page that is there, at its begin, and in between. */
static void test_cells(void **state)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char text[MOST];
    uint64_t seed;
    size_t n;

    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
    for (seed = 0; seed < CELLS; seed++) {
        size_t at[3] = { 0, 1000 + seed % 64, 0 };

        n = draw(text, seed);
        at[2] = PAGE - n;
        memset(pages, "0.9-"[seed % 4], PAGE);
        memcpy(pages + at[seed % 3], text, n);
        check(pages + at[seed % 3], n);
    }
    munmap(pages, 2 * PAGE);
}

#if defined(__x86_64__) && !defined(HR_SCALAR)
static void test_twins(void **state)
{
    char text[MOST];
    uint64_t seed;
    size_t n;

    (void)state;
    if (!hr_cpu_has(HR_CPU_SSE42))
        skip();
    for (seed = 0; seed < CELLS; seed++) {
        struct plain a = { 0 }, b = { 0 };

        n = draw(text, seed);
        if (n > 16)
            continue;
        assert_int_equal(plain_sse(text, n, &a), plain_each(text, n, &b));
        assert_true(a.digits == b.digits && a.after == b.after && a.point == b.point);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
#if defined(__x86_64__) && !defined(HR_SCALAR)
        cmocka_unit_test(test_twins),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
