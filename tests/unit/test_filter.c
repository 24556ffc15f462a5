#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/host.h"

static const char *const columns[] = { "id", "node", "state", NULL };
static const struct hr_cell trainer[] = { { .text = "10", .number = true, .i = 10 },
                                          { .text = "trainer" },
                                          { .text = NULL } };

/* 1: the filter holds for the row, 0: not; a code: it cannot be read. */
static int check(const char *text)
{
    struct hr_filter filter;
    struct hr_arena arena;
    struct hr_env env;
    int r;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 0);
    r = hr_filter_read(&env, text, columns, &arena, &filter);
    assert_true(r == HR_OK || strstr(hr_env_error(&env), "the filter"));
    if (r == HR_OK)
        r = hr_filter_match(&filter, trainer);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return r;
}

static void test_compare(void **state)
{
    (void)state;
    assert_int_equal(check(NULL), 1);
    assert_int_equal(check(""), 1);
    assert_int_equal(check("id = 10"), 1);
    assert_int_equal(check("id>9 and id<11 and id>=10 and id<=10 and id!=9"), 1);
    assert_int_equal(check("id < 10"), 0);
    assert_int_equal(check("id > 9 and id > 10"), 0);
    assert_int_equal(check("node = trainer"), 1);
    assert_int_equal(check("node = 'trainer'"), 1);
    assert_int_equal(check("node < u and node > t"), 1);
    assert_int_equal(check("node != trainer"), 0);
    assert_int_equal(check("state = x"), 0); /* a null is equal to nothing */
    assert_int_equal(check("state != x"), 1);
}

static void test_wrong(void **state)
{
    static const char *const texts[] = { "id", "id =", "= 1", "nod = x", "id ~ 1", "node = 'a",
                                         "id = 1 or id = 2", "id = 1 and", "id = 1 id = 2" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(check(texts[i]), HR_INVALID);
}

static void test_limit(void **state)
{
    char text[512] = "id=10";
    int i;

    (void)state;
    for (i = 1; i < HR_FILTER_MAX; i++)
        memcpy(text + strlen(text), " and id=10", 11);
    assert_int_equal(check(text), 1);
    memcpy(text + strlen(text), " and id=10", 11);
    assert_int_equal(check(text), HR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_compare),
                                        cmocka_unit_test(test_wrong),
                                        cmocka_unit_test(test_limit) };

    return cmocka_run_group_tests_name("host/filter", tests, NULL, NULL);
}
