#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static double from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static uint64_t to_bits(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* The C library in the C locale is the oracle, for doubles and floats. */
static void check_read(const char *text)
{
    double v = -1, want = strtod(text, NULL);
    float f = -1, want_f = strtof(text, NULL);

    if (!hr_num_double(text, strlen(text), &v) || to_bits(v) != to_bits(want))
        fail_msg("double %s: %a, not %a", text, v, want);
    if (!hr_num_float(text, strlen(text), &f) || memcmp(&f, &want_f, sizeof f) != 0)
        fail_msg("float %s: %a, not %a", text, (double)f, (double)want_f);
}

static void test_read_known(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "-1.5",
        "0.1",
        "1e22",
        "1e23",
        "123456789012345678",
        ".5",
        "5.",
        "9007199254740993",
        "9007199254740992.9999999999999999999999999",
        "9007199254740993.0000000000000000000000000000000000000000000000001",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e309",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-400",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "1.17549435e-38",
        "1e-45",
        "7e-46",
        "3.4028235e38",
        "3.4028236e38",
        "3.40282356779733661637539395458142568447e38",
        "16777217",
        "0.000000000000000000000000000000000000000000000000000000000000000000000123456789",
        "123456789012345678901234567890123456789012345678901234567890",
        "1e+5",
        "00012.50",
        "0.500000000000000166533453693773481063544750213623046875",
        "6.631236846766476e-316",
        "3.2378839133029012895883524125015321748630094e-319",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_read(texts[i]);
}

/* Random bits and random digits; each also printed and read back. */
static void test_read_random(void **state)
{
    char text[400];
    uint64_t i;

    (void)state;
    for (i = 0; i < 40000; i++) {
        uint64_t bits = hr_random_at(1, i), more = hr_random_at(2, i);
        double v = from_bits(bits), back;
        size_t n;

        if (v != v || v - v != 0)
            continue;
        snprintf(text, sizeof text, "%.*e", (int)(more % 25), v);
        check_read(text);
        snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)bits,
                 (unsigned long long)more, (int)(more % 700) - 350);
        check_read(text);
        snprintf(text, sizeof text, "%lld.%03d", (long long)(bits % 2000000) - 1000000,
                 (int)(more % 1000));
        check_read(text);
        n = hr_num_put_double(text, v);
        assert_int_equal(n, strlen(text));
        assert_true(hr_num_double(text, n, &back) && to_bits(back) == bits);
    }
}

/* Exactly halfway between two doubles, and a little beside. */
static void test_read_halfway(void **state)
{
    char text[1200], *end;
    uint64_t i;

    (void)state;
    for (i = 0; i < 300; i++) {
        uint64_t bits = hr_random_at(3, i) & 0x7fffffffffffffff;
        double v = from_bits(bits), next = from_bits(bits + 1);
        long double half = ((long double)v + (long double)next) / 2;

        if (next != next || next - next != 0)
            continue;
        snprintf(text, sizeof text, "%.1100Le", half);
        check_read(text);
        end = strchr(text, 'e'); /* one more digit: just above */
        memmove(end + 1, end, strlen(end) + 1);
        *end = '1';
        check_read(text);
    }
}

static void test_refused(void **state)
{
    static const char *const texts[] = { "",     ".",   "-",   "e5",  "1e",   "1e+",
                                         "0x10", "1 ",  " 1",  "1,5", "1.2.", "--1",
                                         "inf",  "nan", "1_0", "+-1", "1e5x" };
    size_t i;
    double v;
    float f;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(hr_num_double(texts[i], strlen(texts[i]), &v));
        assert_false(hr_num_float(texts[i], strlen(texts[i]), &f));
    }
}

static void test_put(void **state)
{
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        { 0.1, "0.1" },
        { 1e99, "1e+99" },
        { 1e100, "1e+100" },
        { 1, "1.0" },
        { -2.5, "-2.5" },
        { 1e22, "1e+22" },
        { 1e16, "1e+16" },
        { 1e15, "1000000000000000.0" },
        { 123456789012345678.0, "1.2345678901234568e+17" },
        { 1e-4, "0.0001" },
        { 1e-5, "1e-05" },
        { 5e-324, "5e-324" },
        { 0, "0.0" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { 1.0 / 3, "0.3333333333333333" },
        { 5.684341886080802e-14, "5.684341886080802e-14" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { 1.5e300, "1.5e+300" },
        { -0.0, "-0.0" },
        { 9007199254740993.0, "9007199254740992.0" },
    };
    char text[HR_NUM_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hr_num_put_double(text, rows[i].v);
        assert_string_equal(text, rows[i].text);
    }
    hr_num_put_float(text, 0.1f);
    assert_string_equal(text, "0.1");
    hr_num_put_float(text, 16777216.0f);
    assert_string_equal(text, "16777216.0");
    hr_num_put_fixed(text, 2.5, 2);
    assert_string_equal(text, "2.50");
    hr_num_put_digits(text, 1234567.0, 6);
    assert_string_equal(text, "1.23457e+06");
    hr_num_put_digits(text, 0.5, 6);
    assert_string_equal(text, "0.5");
    hr_num_put_int(text, INT64_MIN);
    assert_string_equal(text, "-9223372036854775808");
}

static void test_int(void **state)
{
    int64_t v = 0;
    bool over;

    (void)state;
    assert_true(hr_num_int("-9223372036854775808", 20, &v) && v == INT64_MIN);
    assert_true(hr_num_int("9223372036854775807", 19, &v) && v == INT64_MAX);
    assert_false(hr_num_int("9223372036854775808", 19, &v));
    assert_false(hr_num_int("-9223372036854775809", 20, &v));
    assert_false(hr_num_int("", 0, &v));
    assert_false(hr_num_int("+", 1, &v));
    assert_true(hr_num_int("+7", 2, &v) && v == 7);
    assert_true(hr_num_python_int(" 1_000 ", 7, &v, &over) && v == 1000 && !over);
    assert_true(hr_num_python_int("99999999999999999999", 20, &v, &over) && over);
    assert_false(hr_num_python_int("1__0", 4, &v, &over));
    assert_false(hr_num_python_int("_1", 2, &v, &over));
}

static void test_python(void **state)
{
    double v = 0;

    (void)state;
    assert_true(hr_num_python(" 1_0.5 ", 7, &v) && v == 10.5);
    assert_true(hr_num_python("-Infinity", 9, &v) && v < -1e308);
    assert_true(hr_num_python("nan", 3, &v) && v != v);
    assert_true(hr_num_python("1e5", 3, &v) && v == 1e5);
    assert_false(hr_num_python("1_.5", 4, &v));
    assert_false(hr_num_python("", 0, &v));
    assert_false(hr_num_python("0x1p3", 5, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_known),   cmocka_unit_test(test_read_random),
        cmocka_unit_test(test_read_halfway), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_put),          cmocka_unit_test(test_int),
        cmocka_unit_test(test_python),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
