/* A large member packed before its package: the same bytes as in one go; used or not as it fits;
 * every OS call and allocation fails once, and writes fail while others go on; nothing is left. */
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

#include "registry/frames.h"
#include "registry/registry.h"

enum { SIZE = HR_PACKAGE_LARGE + (1 << 20) + 5, HEAD = 200000 };

static char dir[HELP_DIR], weights[80], file[80];
static uint8_t digest[HR_SHA256_SIZE], noise[HEAD];

static bool two; /* another large member follows: it is in no section of its own */

static hr_status pack(struct hr_env *env, struct hr_pack_ahead *ahead, size_t manifest)
{
    const struct hr_pack_member members[] = {
        { .name = "model/weights.bin", .path = weights, .digest = digest },
        { .name = "manifest.json", .bytes = noise, .size = manifest },
        { .name = "model/a.json", .bytes = "{}", .size = 2 },
        { .name = "model/z.bin", .path = weights },
    };
    const struct hr_pack what = { .members = members, .count = two ? 4 : 3, .ahead = ahead };

    return hr_package_write(env, &what, file);
}

static hr_status pack_ahead(struct hr_env *env, struct hr_pack_ahead *ret)
{
    return hr_package_ahead(env, dir, "model/weights.bin", weights, ret);
}

static hr_status both(struct hr_env *env)
{
    struct hr_pack_ahead ahead;
    hr_status r = pack_ahead(env, &ahead);

    if (r == HR_OK)
        r = pack(env, &ahead, 100);
    if (ahead.part[0])
        env->os->unlink(env->os->user, ahead.part);
    return r;
}

static void digest_file(uint8_t ret[HR_SHA256_SIZE])
{
    struct hr_env env;

    hr_env_init(&env, NULL);
    assert_int_equal(hr_file_digest(&env, file, ret, NULL), HR_OK);
    hr_env_clear(&env);
}

/* Nothing but the weights and, perhaps, the package. */
static void check_rest(void)
{
    struct hr_names names;
    struct hr_env env;
    size_t i;

    hr_env_init(&env, NULL);
    assert_int_equal(hr_dir_list(&env, dir, &names), HR_OK);
    for (i = 0; i < names.count; i++)
        assert_true(!strcmp(names.names[i], "weights") || !strcmp(names.names[i], "p.hrp"));
    hr_names_clear(&env, &names);
    hr_env_clear(&env);
}

static hr_status scan(struct hr_env *env)
{
    const struct hr_package_visit visit = { 0 };

    return hr_package_scan(env, file, NULL, 0, &visit);
}

static void test_equal_bytes(void **state)
{
    uint8_t plain[HR_SHA256_SIZE], now[HR_SHA256_SIZE];
    int32_t threads;

    (void)state;
    two = true;
    for (threads = 1; threads <= 3; threads++) {
        struct hr_env_config config = { .threads = threads };
        struct hr_pack_ahead ahead;
        struct hr_env env;

        hr_env_init(&env, &config);
        assert_int_equal(pack(&env, NULL, 100), HR_OK);
        digest_file(threads == 1 ? plain : now);
        if (threads > 1)
            assert_memory_equal(now, plain, sizeof now);
        assert_int_equal(scan(&env), HR_OK);
        assert_int_equal(pack_ahead(&env, &ahead), HR_OK);
        assert_memory_equal(ahead.digest, digest, sizeof digest);
        assert_int_equal(pack(&env, &ahead, 100), HR_OK);
        assert_string_equal(ahead.part, "");
        digest_file(now);
        assert_memory_equal(now, plain, sizeof now);
        hr_env_clear(&env);
        check_rest();
    }
    two = false;
}

/* Of other content, and where what comes before is longer than its place: it is left alone. */
static void test_not_used(void **state)
{
    uint8_t plain[HR_SHA256_SIZE], now[HR_SHA256_SIZE];
    struct hr_pack_ahead ahead, other;
    struct hr_env env;
    struct hr_stat st, after;

    (void)state;
    hr_env_init(&env, NULL);
    assert_int_equal(pack_ahead(&env, &ahead), HR_OK);
    assert_int_equal(env.os->stat(env.os->user, ahead.part, false, &st), 0);
    other = ahead;
    other.digest[0] ^= 1;
    assert_int_equal(pack(&env, &other, 100), HR_OK);
    assert_string_equal(other.part, ahead.part);
    assert_int_equal(scan(&env), HR_OK);
    other = ahead;
    other.name[0] = 'n';
    assert_int_equal(pack(&env, &other, 100), HR_OK);
    assert_string_equal(other.part, ahead.part);
    assert_int_equal(pack(&env, NULL, HEAD), HR_OK);
    digest_file(plain);
    other = ahead;
    assert_int_equal(pack(&env, &other, HEAD), HR_OK);
    assert_string_equal(other.part, ahead.part);
    digest_file(now);
    assert_memory_equal(now, plain, sizeof now);
    assert_int_equal(scan(&env), HR_OK);
    assert_int_equal(env.os->stat(env.os->user, ahead.part, false, &after), 0);
    assert_true(after.size == st.size && after.mtime_ns == st.mtime_ns);
    assert_int_equal(env.os->unlink(env.os->user, ahead.part), 0);
    hr_env_clear(&env);
    check_rest();
}

static void test_refused(void **state)
{
    struct hr_pack_ahead ahead;
    struct hr_env env;
    char small[96];

    (void)state;
    hr_env_init(&env, NULL);
    snprintf(small, sizeof small, "%s/p.hrp", dir);
    assert_int_equal(hr_file_put(&env, small, "x", 1), HR_OK);
    assert_int_equal(hr_package_ahead(&env, dir, "model/x", small, &ahead), HR_INVALID);
    assert_string_equal(ahead.part, "");
    assert_int_equal(hr_package_ahead(&env, dir, "model/../x", weights, &ahead), HR_INVALID);
    assert_string_equal(ahead.part, "");
    hr_env_clear(&env);
    check_rest();
}

static const struct help_sweep sweep = { both, check_rest, 1, 20 };

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

/* -- writes that fail while others go on --------------------------------------- */

static int written, fail_from;

static int64_t some_write(void *user, int fd, const void *from, size_t n)
{
    (void)user;
    if (__atomic_add_fetch(&written, 1, __ATOMIC_RELAXED) >= fail_from)
        return -ENOSPC;
    return hr_os_default()->write(NULL, fd, from, n);
}

static void test_full_disk(void **state)
{
    struct hr_os table = *hr_os_default();
    struct hr_env_config config = { .os = &table, .threads = 3 };
    hr_status r = HR_EXHAUSTED;

    (void)state;
    table.write = some_write;
    for (fail_from = 1; r != HR_OK && fail_from < 200; fail_from++) {
        struct hr_env env;

        written = 0;
        hr_env_init(&env, &config);
        r = both(&env);
        assert_true(r == HR_OK || strstr(hr_env_error(&env), "no space left"));
        hr_env_clear(&env);
        check_rest();
    }
    assert_true(fail_from > 5 && r == HR_OK);
}

/* -- the gap ------------------------------------------------------------------- */

static void test_gap(void **state)
{
    static const struct {
        uint64_t place;
        size_t gap;
    } cases[] = {
        { 0, 0 },
        { HR_FRAMES_ALIGN, 0 },
        { 1, HR_FRAMES_ALIGN - 1 },
        { HR_FRAMES_ALIGN - 8, 8 },
        { HR_FRAMES_ALIGN - 7, HR_FRAMES_ALIGN + 7 },
        { 3 * (uint64_t)HR_FRAMES_ALIGN - 1, HR_FRAMES_ALIGN + 1 },
    };
    char gap[HR_FRAMES_GAP];
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = cases[i].gap, said = 0;

        memset(gap, 'x', sizeof gap);
        assert_int_equal(hr_frames_gap(cases[i].place, gap), n);
        assert_true(n < sizeof gap && gap[n] == 'x');
        if (!n)
            continue;
        assert_memory_equal(gap, "\x50\x2a\x4d\x18", 4);
        for (k = 0; k < 4; k++)
            said |= (size_t)(uint8_t)gap[4 + k] << (8 * k);
        assert_int_equal(said, n - 8);
        for (k = 8; k < n; k++)
            assert_int_equal(gap[k], 0);
    }
}

static int setup(void **state)
{
    uint8_t *bytes = calloc(1, SIZE);
    struct hr_env env;
    size_t i;

    (void)state;
    if (!bytes || help_dir_make("ahead", dir))
        return -1;
    snprintf(weights, sizeof weights, "%s/weights", dir);
    snprintf(file, sizeof file, "%s/p.hrp", dir);
    for (i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)hr_random_at(3, i);
    for (i = 0; i < SIZE; i++) { /* noise, then much the same, then noise */
        uint64_t x = i < 5 << 19 || i > SIZE - 100 ? hr_random_at(1, i / 8) >> i % 8 * 8 : i >> 20;

        bytes[i] = (uint8_t)x;
    }
    hr_sha256(bytes, SIZE, digest);
    hr_env_init(&env, NULL);
    if (hr_file_put(&env, weights, bytes, SIZE) < 0)
        return -1;
    hr_env_clear(&env);
    free(bytes);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return help_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gap),       cmocka_unit_test(test_equal_bytes),
        cmocka_unit_test(test_not_used),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_each_call), cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
