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

#include "base/base.h"
#include "help_mem.h"

static void test_buf(void **state)
{
    struct help_mem m = { 0 };
    struct hr_buf b;
    int i;

    (void)state;
    hr_buf_init(&b, 5, help_mem_alloc, &m);
    assert_int_equal(hr_buf_add(&b, "abc", 3), HR_OK);
    assert_int_equal(hr_buf_add(&b, "def", 3), HR_EXHAUSTED);
    assert_int_equal(hr_buf_add(&b, "", SIZE_MAX), HR_EXHAUSTED);
    assert_string_equal(b.text, "abc");
    assert_int_equal(hr_buf_add(&b, "d", 1), HR_EXHAUSTED); /* no gap */
    assert_int_equal(hr_buf_add(&b, "", 0), HR_EXHAUSTED);
    assert_false(hr_buf_whole(&b));
    assert_string_equal(b.text, "abc");
    hr_buf_cut(&b, 3);
    assert_true(hr_buf_whole(&b));
    assert_int_equal(hr_buf_format(&b, "%d", 12), HR_OK);
    assert_string_equal(b.text, "abc12");
    assert_int_equal(hr_buf_format(&b, "%d", 1), HR_EXHAUSTED);
    assert_string_equal(b.text, "abc12");
    hr_buf_clear(&b);
    hr_buf_init(&b, 1000000, help_mem_alloc, &m);
    for (i = 0; i < 1000; i++)
        assert_int_equal(hr_buf_format(&b, "%0*d", i % 300, i), HR_OK);
    assert_true(hr_buf_sane(&b));
    hr_buf_clear(&b);
    assert_int_equal(m.live, 0);
}

static void test_arena(void **state)
{
    struct help_mem m = { 0 };
    struct hr_env_config config = { .alloc = help_mem_alloc, .alloc_user = &m, .threads = 1 };
    struct hr_env env;
    struct hr_arena a;
    size_t i;

    (void)state;
    hr_env_init(&env, &config);
    hr_arena_init(&a, &env, 1 << 20);
    for (i = 0; i < 1800; i++) {
        char *p = hr_arena_get(&a, i % 300);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 0x55, i % 300);
    }
    assert_string_equal(hr_arena_format(&a, "%s-%d", "x", 7), "x-7");
    assert_null(hr_arena_get(&a, 1 << 20));
    assert_null(hr_arena_array(&a, SIZE_MAX / 2, 3));
    hr_arena_clear(&a);
    hr_env_clear(&env);
    assert_int_equal(m.live, 0);
}

static void test_errors(void **state)
{
    struct hr_env env;
    struct hr_place place = { "a.json", 3, 7 };
    int i;

    (void)state;
    hr_env_init(&env, NULL);
    assert_string_equal(hr_env_error(&env), "");
    hr_fail(&env, HR_NOT_FOUND, "inner \xff");
    assert_int_equal(hr_fail(&env, HR_INVALID, "outer"), HR_INVALID);
    assert_string_equal(hr_env_error(&env), "outer\ninner ?");
    hr_errors_cut(&env, 0);
    hr_fail_at(&env, HR_INVALID, &place, "first");
    place.line = 4;
    hr_fail_meant(&env, HR_INVALID, &place, "name", "second \"nmae\"");
    assert_string_equal(hr_env_error(&env),
                        "a.json:3:7: first\na.json:4:7: second \"nmae\"; did you mean \"name\"?");
    hr_fail(&env, HR_INVALID, "cannot");
    assert_true(hr_text_starts(hr_env_error(&env), "cannot\na.json:3:7: first\na.json:4:7"));
    for (i = 0; i < 1000; i++)
        hr_fail(&env, HR_INVALID, "more");
    assert_int_equal(env.errors.count, HR_MAX_ERRORS);
    assert_true(env.errors.dropped > 0);
    hr_env_clear(&env);
}

static int stop_at_two(void *arg, const char *name)
{
    (void)name;
    return ++*(int *)arg == 2 ? -5 : 0;
}

/* A list ends by what its function says. */
static void test_list(void **state)
{
    char dir[] = "/tmp/hr_list_XXXXXX", path[64];
    struct hr_env env;
    int n = 0, i;

    (void)state;
    hr_env_init(&env, NULL);
    assert_non_null(mkdtemp(dir));
    for (i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%d", dir, i);
        assert_int_equal(hr_file_write(&env, path, "", 0), HR_OK);
    }
    assert_int_equal(env.os->list(env.os->user, dir, stop_at_two, &n), -5);
    assert_int_equal(n, 2);
    n = 2;
    assert_int_equal(env.os->list(env.os->user, dir, stop_at_two, &n), 0);
    assert_int_equal(n, 5);
    hr_tree_remove(&env, dir);
    assert_true(env.os->list(env.os->user, dir, stop_at_two, &n) < 0);
    hr_env_clear(&env);
}

/* What would move a terminal's cursor is shown; no character is cut. */
static void test_clean(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        { "a\x1b[1mb", "a\\x1b[1mb" },
        { "\x7f\x1f ", "\\x7f\\x1f " },
        { "a\nb", "a\nb" },
        { "\xc2\x80\xc2\x9f\xc2\xa0", "\\x80\\x9f\xc2\xa0" },
        { "\xc3\x80\xc3\xa4", "\xc3\x80\xc3\xa4" },
        { "a\xff\xc3", "a??" },
        { "\x80", "?" },
    };
    struct hr_env env;
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        hr_fail(&env, HR_INVALID, "%s", rows[i].text);
        assert_string_equal(hr_env_error(&env), rows[i].shown);
        hr_errors_cut(&env, 0);
    }
    hr_env_clear(&env);
}

static void test_utf8(void **state)
{
    static const char *const bad[] = { "\x80",     "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xe2\x82", "\xff" };
    const char *text = "a\xc3\xa4\xe4\xb8\x80\xf0\x9f\x98\x80";
    size_t i;

    (void)state;
    assert_int_equal(hr_utf8_valid(text, strlen(text)), strlen(text));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(hr_utf8_valid(bad[i], strlen(bad[i])), 0);
    assert_int_equal(hr_utf8_width(text, strlen(text)), 6);
    assert_int_equal(hr_utf8_width("e\xcc\x81", 3), 1);
}

static void test_text(void **state)
{
    static const char *const names[] = { "eval_config", "example_splits", "schema" };

    (void)state;
    assert_string_equal(hr_text_meant("eval_confg", names, 3), "eval_config");
    assert_string_equal(hr_text_meant("shcema", names, 3), "schema");
    assert_null(hr_text_meant("zebra", names, 3));
    assert_null(hr_text_meant("", names, 3));
    assert_true(hr_glob("pickup_*", "pickup_latitude"));
    assert_true(hr_glob("*a?b*", "xxaybzz"));
    assert_false(hr_glob("*a?b", "xxaybzz"));
    assert_true(hr_bytes_compare("ab", 2, "abc", 3) < 0);
}

static void test_digests(void **state)
{
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX], text[300];
    struct hr_sha256 s;
    size_t i, n;

    (void)state;
    hr_sha256("abc", 3, digest);
    hr_sha256_hex(digest, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hr_sha256("", 0, digest);
    hr_sha256_hex(digest, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    memset(text, 'a', sizeof text);
    for (n = 0; n < sizeof text; n += 7) { /* in pieces as in one */
        uint8_t other[HR_SHA256_SIZE];

        hr_sha256(text, n, digest);
        hr_sha256_init(&s);
        for (i = 0; i < n; i += 13)
            hr_sha256_add(&s, text + i, n - i < 13 ? n - i : 13);
        hr_sha256_end(&s, other);
        assert_memory_equal(digest, other, sizeof digest);
    }
    assert_int_equal(hr_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hr_crc32c(hr_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
    assert_true(hr_hash64("a", 1, 0) != hr_hash64("b", 1, 0));
}

static void test_files(void **state)
{
    char dir[] = "/tmp/hr_base_XXXXXX", path[HR_MAX_PATH];
    struct hr_names names = { 0 };
    struct hr_env env;
    struct hr_buf b;
    struct hr_map map;

    (void)state;
    hr_env_init(&env, NULL);
    assert_non_null(mkdtemp(dir));
    hr_path_join(&env, dir, "a/b/c", path);
    assert_int_equal(hr_dir_make(&env, path), HR_OK);
    hr_path_join(&env, dir, "a/b/c/file", path);
    assert_int_equal(hr_file_write(&env, path, "hello", 5), HR_OK);
    hr_buf_of(&b, 100, &env);
    assert_int_equal(hr_file_read(&env, path, 100, &b), HR_OK);
    assert_string_equal(b.text, "hello");
    assert_int_equal(hr_file_read(&env, path, 4, &b), HR_EXHAUSTED);
    assert_string_equal(b.text, "hello");
    assert_int_equal(hr_file_read(&env, dir, 4, &b), HR_INVALID);
    hr_errors_cut(&env, 0);
    assert_int_equal(hr_file_map(&env, path, &map), HR_OK);
    assert_memory_equal(map.data, "hello", 5);
    hr_file_unmap(&env, &map);
    assert_int_equal(hr_tree_list(&env, dir, &names), HR_OK);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.names[0], "a/b/c/file");
    hr_names_clear(&env, &names);
    hr_path_join(&env, dir, "link", path);
    assert_int_equal(symlink("/etc", path), 0);
    assert_int_equal(hr_tree_list(&env, dir, &names), HR_INVALID);
    assert_int_equal(hr_tree_remove(&env, dir), HR_OK);
    assert_false(hr_file_exists(&env, dir));
    assert_true(hr_file_exists(&env, "/etc"));
    hr_errors_cut(&env, 0);
    assert_int_equal(hr_file_read(&env, dir, 4, &b), HR_NOT_FOUND);
    assert_true(strstr(hr_env_error(&env), "no such file or directory"));
    hr_buf_clear(&b);
    hr_env_clear(&env);
}

/* Whatever a program left behind: many entries, names that are in the way, no rights, and
 * deeper than a path can say. */
static void test_remove(void **state)
{
    char dir[] = "/tmp/hr_base_XXXXXX", path[HR_MAX_PATH], name[40], cwd[HR_MAX_PATH];
    struct hr_env env;
    int i, k;

    (void)state;
    hr_env_init(&env, NULL);
    assert_non_null(mkdtemp(dir));
    assert_non_null(getcwd(cwd, sizeof cwd));
    for (i = 0; i < 1800; i++) {
        snprintf(name, sizeof name, i % 3 ? "many/%d" : ".lifted%d/sub", i % 3 ? i : i / 3);
        hr_path_join(&env, dir, name, path);
        assert_int_equal(hr_dir_make(&env, path), HR_OK);
    }
    for (k = 0; k < 2; k++) {
        assert_int_equal(chdir(dir), 0);
        for (i = 0; i < 150; i++) {
            snprintf(name, sizeof name, "%d_a_rather_long_name_of_a_directory", i ? 0 : k);
            assert_int_equal(mkdir(name, 0755), 0);
            assert_int_equal(chdir(name), 0);
        }
        assert_int_equal(mkdir("locked", 0000), 0);
    }
    assert_int_equal(chdir(cwd), 0);
    hr_path_join(&env, dir, "many", path);
    assert_int_equal(chmod(path, 0000), 0);
    if (hr_tree_remove(&env, dir) < 0)
        fail_msg("%s", hr_env_error(&env));
    assert_false(hr_file_exists(&env, dir));
    hr_env_clear(&env);
}

static hr_status square(void *user, size_t i)
{
    size_t *items = user;

    items[i] = i * i;
    return i == 1000 ? HR_INVALID : HR_OK;
}

static void test_work(void **state)
{
    struct hr_env_config config = { .threads = 4 };
    size_t items[2000], i;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, &config);
    assert_int_equal(hr_work(&env, 1000, square, items), HR_OK);
    for (i = 0; i < 1000; i++)
        assert_true(items[i] == i * i);
    assert_int_equal(hr_work(&env, 2000, square, items), HR_INVALID);
    hr_env_clear(&env);
}

/* The bytes are what is promised, on any machine; what lacks is told once, at the end. */
static void test_stored(void **state)
{
    static const char bytes[] = "\x07\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01"
                                "\0\0\0\0\0\0\xf8\x3f";
    struct hr_stored in;
    struct hr_buf to;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&to, 100, &env);
    assert_int_equal(hr_store_uint(&to, 0xFF07, 1), HR_OK);
    assert_int_equal(hr_store_u32(&to, 0x01020304), HR_OK);
    assert_int_equal(hr_store_u64(&to, UINT64_C(0x0102030405060708)), HR_OK);
    assert_int_equal(hr_store_double(&to, 1.5), HR_OK);
    assert_int_equal(to.len, sizeof bytes - 1);
    assert_memory_equal(to.text, bytes, to.len);
    in = (struct hr_stored){ to.text, to.text + to.len, true };
    assert_int_equal(hr_load_uint(&in, 1), 7);
    assert_int_equal(hr_load_u32(&in), 0x01020304);
    assert_true(hr_load_fits(&in, 2, 8));
    assert_true(hr_load_u64(&in) == UINT64_C(0x0102030405060708));
    assert_true(hr_load_double(&in) == 1.5 && in.ok && in.p == in.end);
    assert_true(hr_load_fits(&in, 0, 8) && !hr_load_fits(&in, 1, 1) && !in.ok);
    in = (struct hr_stored){ to.text, to.text + 3, true };
    assert_int_equal(hr_load_u32(&in), 0);
    assert_int_equal(hr_load_uint(&in, 1), 0); /* though there is one */
    assert_false(in.ok);
    hr_buf_clear(&to);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_buf),   cmocka_unit_test(test_arena), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_list), cmocka_unit_test(test_clean),
        cmocka_unit_test(test_utf8),  cmocka_unit_test(test_text),  cmocka_unit_test(test_digests),
        cmocka_unit_test(test_files), cmocka_unit_test(test_remove),
        cmocka_unit_test(test_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
