/* Every OS call and every allocation of the file functions fails once, one after another. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_dir.h"
#include "help_sweep.h"

#include "base/base.h"

static char dir[HELP_DIR];

/* A piece of work that leaves the file "f" whole, as before or as after. */
static hr_status work(struct hr_env *env)
{
    char path[HR_MAX_PATH], sub[HR_MAX_PATH];
    struct hr_names names = { 0 };
    struct hr_buf text;
    hr_status r = hr_path_join(env, dir, "f", path);

    hr_buf_of(&text, 100, env);
    if (r == HR_OK)
        r = hr_path_join(env, dir, "a/b", sub);
    if (r == HR_OK)
        r = hr_dir_make(env, sub);
    if (r == HR_OK)
        r = hr_file_write(env, path, "after", 5);
    if (r == HR_OK)
        r = hr_file_read(env, path, 100, &text);
    if (r == HR_OK)
        r = hr_tree_list(env, dir, &names);
    if (r == HR_OK)
        r = hr_tree_remove(env, sub);
    hr_names_clear(env, &names);
    hr_buf_clear(&text);
    return r;
}

static void check_whole(void)
{
    char path[HR_MAX_PATH];
    struct hr_env env;
    struct hr_names names;
    struct hr_buf text;

    hr_env_init(&env, NULL);
    hr_buf_of(&text, 100, &env);
    hr_path_join(&env, dir, "f", path);
    assert_int_equal(hr_file_read(&env, path, 100, &text), HR_OK);
    assert_true(!strcmp(text.text, "before") || !strcmp(text.text, "after"));
    assert_int_equal(hr_dir_list(&env, dir, &names), HR_OK);
    hr_names_clear(&env, &names);
    hr_buf_clear(&text);
    hr_file_write(&env, path, "before", 6);
    hr_env_clear(&env);
}

static const struct help_sweep sweep = { work, check_whole, 0, 5 };

static void test_each_call(void **state)
{
    (void)state;
    help_each_call(&sweep);
}

static void test_each_allocation(void **state)
{
    (void)state;
    help_each_allocation(&sweep);
}

static int set_up(void **state)
{
    char path[HR_MAX_PATH];
    struct hr_env env;
    hr_status r;

    (void)state;
    hr_env_init(&env, NULL);
    r = !help_dir_make("fault", dir) ? hr_path_join(&env, dir, "f", path) : HR_INTERNAL;
    if (r == HR_OK)
        r = hr_file_write(&env, path, "before", 6);
    hr_env_clear(&env);
    return r;
}

static int tear_down(void **state)
{
    (void)state;
    return help_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_call),
                                        cmocka_unit_test(test_each_allocation) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
