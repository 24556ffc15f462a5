#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/plugin.h"

/* Each is below the next, as SemVer has it. */
static void test_order(void **state)
{
    static const char *const order[] = { "0",          "0.0.1",      "0.1",         "1.0.0-alpha",
                                         "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
                                         "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
                                         "1.0.1-0",    "1.0.1",      "1.2",         "1.10.0",
                                         "2.0.0",      "999999999.0.0" };
    size_t i, k, n = sizeof order / sizeof *order;

    (void)state;
    for (i = 0; i < n; i++)
        for (k = 0; k < n; k++) {
            int got = hr_version_compare(order[i], order[k]);

            assert_int_equal((got > 0) - (got < 0), (i > k) - (i < k));
        }
    assert_int_equal(hr_version_compare("1.2", "1.2.0"), 0);
    assert_int_equal(hr_version_compare("1.2.0+build", "1.2.0+other"), 0);
    assert_true(hr_version_compare("no version", "0.0.1") < 0);
    assert_true(hr_version_compare("b", "a") > 0);
}

static void test_refused(void **state)
{
    static const char *const versions[] = { "",      ".",      "1.",     "1..2",  "1.2.3.4", "v1",
                                            "-1",    "1.-2",   "1.2.3-", "1.2.3+", "1.2 ",   " 1",
                                            "1.2.x", "1.2.3-a_b", "1234567890", "1.2.3-a+b+c" };
    static const char *const ranges[] = { "",  "^",  "~",  "=",     ">=",     ">1.2",  "^^1",
                                          "*", "<2", "1x", "^1.2.", "1 || 2", ">= 1.2" };
    struct hr_version v;
    struct hr_range range;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof versions / sizeof *versions; i++)
        if (hr_version_read(versions[i], &v))
            fail_msg("\"%s\" is no version", versions[i]);
    for (i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (hr_range_read(ranges[i], &range))
            fail_msg("\"%s\" is no range", ranges[i]);
}

static void test_ranges(void **state)
{
    static const struct {
        const char *range, *in, *out; /* lists with spaces */
    } cases[] = {
        { "1.2.3", "1.2.3 1.2.3+x", "1.2.4 1.2.2 1.2.3-rc 1.2" },
        { "1.2", "1.2 1.2.0", "1.2.1 1.3.0" },
        { "=1.2.3-rc.1", "1.2.3-rc.1", "1.2.3 1.2.3-rc.2" },
        { "^1.2.3", "1.2.3 1.2.4 1.9.0", "1.2.2 2.0.0 2.0.0-rc 1.3.0-rc 0.9.9" },
        { "^1.2", "1.2.0 1.3.9", "1.1.9 2.0.0 10.2.0" },
        { "^1", "1.0.0 1.99.0", "0.9.0 2.0.0" },
        { "^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 1.0.0" },
        { "^0.2", "0.2.0 0.2.9", "0.1.9 0.3.0" },
        { "^0.0.3", "0.0.3", "0.0.2 0.0.4" },
        { "^0.0", "0.0.0 0.0.9", "0.1.0" },
        { "^0", "0.0.0 0.9.0", "1.0.0" },
        { "~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0" },
        { "~1.2", "1.2.0 1.2.9", "1.3.0 1.1.9" },
        { "~1", "1.0.0 1.9.9", "2.0.0" },
        { ">=1.2", "1.2.0 2.0.0 100.0", "1.1.9 1.3.0-rc nothing" },
        { "^1.2.3-rc.2", "1.2.3-rc.2 1.2.3-rc.10 1.2.3 1.4.0", "1.2.3-rc.1 1.3.0-rc.9 2.0.0-a" },
    };
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        for (k = 0; k < 2; k++) {
            char words[128], *word, *rest;
            struct hr_range range;

            assert_true(hr_range_read(cases[i].range, &range));
            strcpy(words, k ? cases[i].out : cases[i].in);
            for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
                if (hr_range_fits(&range, word) != (k == 0))
                    fail_msg("%s and %s", cases[i].range, word);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),
                                        cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_ranges) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
