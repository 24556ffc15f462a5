/* The registry: digests and keys against known answers; every OS call and every allocation of
 * packing and reading fails once, one after another; bytes do not depend on threads. */
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

#include "registry/files.h"
#include "registry/frames.h"
#include "registry/minisign.h"
#include "registry/ustar.h"

static char dir[HELP_DIR];
static uint8_t noise[9 << 20];

static void hex(const uint8_t *p, size_t n, char *to)
{
    for (; n; n--, to += 2)
        snprintf(to, 3, "%02x", *p++);
}

/* RFC 7693, appendix A; the others by Python's hashlib. */
static void test_blake2b(void **state)
{
    uint8_t digest[64];
    char text[129];

    (void)state;
    hr_blake2b("abc", 3, digest, 64);
    hex(digest, 64, text);
    assert_string_equal(text, "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                              "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    hr_blake2b("", 0, digest, 32);
    hex(digest, 32, text);
    assert_string_equal(text, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    memset(noise, 'a', 1000);
    hr_blake2b(noise, 128, digest, 32);
    hex(digest, 32, text);
    assert_string_equal(text, "ae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450");
    hr_blake2b(noise, 1000, digest, 64);
    hex(digest, 64, text);
    assert_string_equal(text, "d6a69459fe93fc6b9537ed4336e5099e0dcca3e97290a412500ed7a0daffb03d"
                              "80cf3650a20e0591f748e10c3c534945ee83d5f2c9722f1a68d98b8c01af23fd");
}

static void test_names(void **state)
{
    static const char *const good[] = { "a", "a/b", "a-b_c.D9", "...", "a/..b", ".hidden" };
    static const char *const bad[] = { "",    "/a",  "a/",   "a//b", ".",     "..",
                                       "a/.", "../", "a/..", "a b",  "a\\b", "a:b" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(hr_member_name_ok(good[i], strlen(good[i])));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(hr_member_name_ok(bad[i], strlen(bad[i])));
    assert_false(hr_member_name_ok("a\0b", 3));
}

static void test_ustar(void **state)
{
    char header[HR_USTAR_BLOCK], name[201], its[128];
    uint64_t size = 0;
    size_t n;

    (void)state;
    assert_true(hr_ustar_make("a", HR_PACKAGE_MEMBER, header));
    assert_true(hr_ustar_size(header, &size) && size == HR_PACKAGE_MEMBER);
    assert_string_equal(hr_ustar_why(header, "b", size, its), "stands where FILES lists another");
    assert_string_equal(its, "a");
    memset(name, 'x', sizeof name);
    for (n = 1; n <= 200; n++) { /* one slash in the middle: what fits and what does not */
        bool fits = n <= 100;

        name[n] = '\0';
        assert_true(hr_ustar_make(name, 0, header) == fits);
        name[n] = 'x';
    }
    name[200] = '\0';
    name[98] = '/';
    assert_false(hr_ustar_make(name, 0, header)); /* 101 stand behind it */
    name[98] = 'x';
    name[99] = '/';
    assert_true(hr_ustar_make(name, 0, header));
    /* what stands before the slash has a field of its own */
    assert_memory_equal(header + 345, name, 99);
    assert_memory_equal(header, name + 100, 100);
    assert_int_equal(header[345 + 99], 0);
    assert_true(hr_ustar_make("a", 0, header));
    memcpy(header, "a b\tc\x7f", 7); /* what is told of a name is no blank and no control */
    assert_string_equal(hr_ustar_why(header, "a", 0, its), "stands where FILES lists another");
    assert_string_equal(its, "a?b?c?");
}

/* Of a line of FILES: digits of a digest are 0 to 9 and a to f, of a size 0 to 9. */
static void test_lines(void **state)
{
    static const struct {
        const char *tail, *error; /* behind the first 60 digits */
    } rows[] = {
        { "00ff 6 0644 a", NULL },
        { "00fg 6 0644 a", "does not begin with a digest" },
        { "00fF 6 0644 a", "does not begin with a digest" },
        { "00f: 6 0644 a", "does not begin with a digest" },
        { "00f` 6 0644 a", "does not begin with a digest" },
        { "00ff", "does not begin with a digest" },
        { "00ff +6 0644 a", "has no size" },
        { "00ff -6 0644 a", "has no size" },
        { "00ff 06 0644 a", "has no size" },
        { "00ff 9999999999999999999 0644 a", "has no size" },
    };
    struct hr_member *members;
    struct hr_arena arena;
    struct hr_env env;
    char text[200];
    size_t i, n;

    (void)state;
    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 0);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "%064d 1 0644 manifest.json\n%060d%s\n", 0, 0, rows[i].tail);
        hr_errors_cut(&env, 0);
        if (rows[i].error) {
            assert_int_equal(hr_files_read(&env, "p", text, strlen(text), &arena, &members, &n),
                             HR_DATA_LOSS);
            if (!strstr(hr_env_error(&env), rows[i].error))
                fail_msg("%s gives %s", text, hr_env_error(&env));
        } else {
            assert_int_equal(hr_files_read(&env, "p", text, strlen(text), &arena, &members, &n),
                             HR_OK);
            assert_int_equal(n, 2);
            assert_int_equal(members[1].size, 6);
            assert_int_equal(members[1].digest[31], 255);
        }
    }
    hr_arena_clear(&arena);
    hr_env_clear(&env);
}

/* -- a piece of work ---------------------------------------------------------- */

struct sum {
    size_t members, bytes;
};

static hr_status bytes(void *user, const void *p, size_t n)
{
    (void)p;
    ((struct sum *)user)->bytes += n;
    return HR_OK;
}

static hr_status end(void *user, const struct hr_member *m)
{
    (void)m;
    ((struct sum *)user)->members++;
    return HR_OK;
}

static uint8_t known[HR_SHA256_SIZE];
static size_t sealed_size;
static char secret[HR_KEY_TEXT], public_key[HR_KEY_TEXT];

static hr_status work(struct hr_env *env, size_t n)
{
    char file[HR_MAX_PATH], path[HR_MAX_PATH], sealed[HR_MAX_PATH];
    const struct hr_pack_member members[] = {
        { .name = "y/sealed", .path = sealed, .digest = known },
        { .name = "x/noise", .bytes = noise, .size = n },
        { .name = "manifest.json", .bytes = "{}", .size = 2 },
        { .name = "file", .path = path },
    };
    const struct hr_pack what = { .members = members, .count = 4, .secret = secret };
    const struct hr_trusted_key key = { "me", public_key };
    struct sum sum = { 0, 0 };
    const struct hr_package_visit visit = { &sum, NULL, NULL, bytes, end };
    hr_status r = hr_path_join(env, dir, "p.hrp", file);

    if (r == HR_OK)
        r = hr_path_join(env, dir, "file", path);
    if (r == HR_OK)
        r = hr_path_join(env, dir, "sealed", sealed);
    if (r == HR_OK)
        r = hr_package_write(env, &what, file);
    if (r == HR_OK)
        r = hr_package_scan(env, file, &key, 1, &visit);
    if (r == HR_OK && (sum.members != 4 || sum.bytes != n + 2 + 4 + sealed_size))
        r = HR_INTERNAL;
    return r;
}

static void check_rest(void)
{
    struct hr_names names;
    struct hr_env env;
    size_t i;

    hr_env_init(&env, NULL);
    assert_int_equal(hr_dir_list(&env, dir, &names), HR_OK);
    for (i = 0; i < names.count; i++) /* no half file is left */
        assert_true(!strcmp(names.names[i], "p.hrp") || !strcmp(names.names[i], "file") ||
                    !strcmp(names.names[i], "sealed"));
    hr_names_clear(&env, &names);
    hr_env_clear(&env);
}

/* -- durable ------------------------------------------------------------------ */

static char order[10000]; /* w: written, s: synced, r: renamed */
static size_t order_count;

static void note(char c)
{
    if (order_count + 1 < sizeof order)
        order[order_count++] = c;
}

static int64_t noted_write(void *user, int fd, const void *from, size_t n)
{
    (void)user;
    note('w');
    return hr_os_default()->write(NULL, fd, from, n);
}

static int noted_sync(void *user, int fd)
{
    (void)user;
    note('s');
    return hr_os_default()->sync(NULL, fd);
}

static int noted_rename(void *user, const char *from, const char *to)
{
    (void)user;
    note('r');
    return hr_os_default()->rename(NULL, from, to);
}

/* The file is on the disk before it has its name, and the name before the call returns. */
static void test_durable(void **state)
{
    struct hr_os table = *hr_os_default();
    struct hr_env_config config = { .os = &table, .threads = 1 };
    struct hr_env env;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)hr_random_at(7, i);
    table.write = noted_write;
    table.sync = noted_sync;
    table.rename = noted_rename;
    hr_env_init(&env, &config);
    assert_int_equal(work(&env, sizeof noise), HR_OK);
    hr_env_clear(&env);
    assert_true(order_count >= 6); /* two blocks and the head, at least */
    order[order_count] = '\0';
    assert_string_equal(order + order_count - 4, "wsrs");
    assert_ptr_equal(strchr(order, 's'), order + order_count - 3);
}

static hr_status small_work(struct hr_env *env)
{
    return work(env, 1000);
}

static const struct help_sweep sweep = { small_work, check_rest, 1, 20 };

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

static void test_threads(void **state)
{
    uint8_t first[HR_SHA256_SIZE], again[HR_SHA256_SIZE];
    char file[HR_MAX_PATH];
    int32_t threads;

    (void)state;
    for (threads = 1; threads <= 5; threads++) {
        struct hr_env_config config = { .threads = threads };
        struct hr_env env;

        hr_env_init(&env, &config);
        assert_int_equal(work(&env, sizeof noise), HR_OK);
        assert_int_equal(hr_path_join(&env, dir, "p.hrp", file), HR_OK);
        assert_int_equal(hr_file_digest(&env, file, threads == 1 ? first : again, NULL), HR_OK);
        if (threads > 1)
            assert_memory_equal(first, again, sizeof first);
        hr_env_clear(&env);
    }
}

static void test_signatures(void **state)
{
    struct hr_signature *sig = malloc(sizeof *sig);
    struct hr_public_key key;
    struct hr_secret_key mine;
    struct hr_buf text;
    struct hr_env env;
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&text, 4096, &env);
    assert_int_equal(hr_secret_read(&env, secret, strlen(secret), NULL, &mine), HR_OK);
    assert_int_equal(hr_public_read(&env, "k", public_key, strlen(public_key), &key), HR_OK);
    assert_int_equal(hr_signature_make(&env, &mine, "tell", "message", 7, &text), HR_OK);
    assert_int_equal(hr_signature_read(&env, "s", text.text, text.len, sig), HR_OK);
    assert_int_equal(hr_signature_check(&env, "s", sig, &key, "message", 7), HR_OK);
    assert_int_equal(hr_signature_check(&env, "s", sig, &key, "massage", 7), HR_DATA_LOSS);
    assert_int_equal(hr_signature_check(&env, "s", sig, &key, "message", 6), HR_DATA_LOSS);
    for (i = 0; i < HR_ED25519_SIGNATURE; i++) {
        sig->signature[i] ^= 1;
        assert_int_equal(hr_signature_check(&env, "s", sig, &key, "message", 7), HR_DATA_LOSS);
        sig->signature[i] ^= 1;
        sig->global[i] ^= 1;
        assert_int_equal(hr_signature_check(&env, "s", sig, &key, "message", 7), HR_DATA_LOSS);
        sig->global[i] ^= 1;
    }
    sig->comment[0] = 'b';
    assert_int_equal(hr_signature_check(&env, "s", sig, &key, "message", 7), HR_DATA_LOSS);
    hr_buf_clear(&text);
    hr_env_clear(&env);
    free(sig);
}

static int setup(void **state)
{
    char file[96], sealed[96];
    struct hr_env env;
    uint32_t i;

    (void)state;
    if (help_dir_make("registry", dir))
        return -1;
    snprintf(file, sizeof file, "%s/file", dir);
    for (i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i < 2 << 20 ? hr_random_at(1, i / 8) >> (8 * (i % 8)) : 0);
    hr_env_init(&env, NULL);
    hr_sha256(noise, sizeof noise, known);
    sealed_size = sizeof noise;
    snprintf(sealed, sizeof sealed, "%s/sealed", dir);
    if (hr_file_put(&env, sealed, noise, sizeof noise) < 0)
        return -1;
    if (hr_file_put(&env, file, "text", 4) < 0 ||
        hr_registry_v1.key_make(&env, NULL, secret, public_key) < 0)
        return -1;
    hr_env_clear(&env);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return help_dir_remove(dir);
}

/* -- base64, for keys and signatures of our own making ------------------------ */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode(const uint8_t *p, size_t n, char *to)
{
    uint32_t bits;
    size_t i, k;

    for (i = 0; i < n; i += 3) {
        bits = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
               (i + 2 < n ? p[i + 2] : 0);
        for (k = 0; k < 4; k++)
            *to++ = i + k > n ? '=' : letters[bits >> (18 - 6 * k) & 63];
    }
    *to = '\0';
}

/* The first letters of the bytes become other ones: of 3 bytes the letters are 4. */
static void put_letters(char *line, const uint8_t *p, size_t n)
{
    char begin[32];

    encode(p, n, begin);
    memcpy(line, begin, strlen(begin));
}

/* A comment as long as it may be, and one letter more; algorithms that are none. */
static void test_bounds(void **state)
{
    struct hr_signature *sig = malloc(sizeof *sig);
    struct hr_secret_key mine, read;
    char comment[HR_MINISIGN_COMMENT + 1], text[2 * HR_MINISIGN_TEXT], line[HR_KEY_TEXT], *at;
    struct hr_buf made;
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&made, HR_MINISIGN_TEXT, &env);
    assert_int_equal(hr_secret_read(&env, secret, strlen(secret), NULL, &mine), HR_OK);
    memset(comment, 'c', sizeof comment);
    comment[HR_MINISIGN_COMMENT - 1] = '\0';
    assert_int_equal(hr_signature_make(&env, &mine, comment, "m", 1, &made), HR_OK);
    assert_int_equal(hr_signature_read(&env, "s", made.text, made.len, sig), HR_OK);
    assert_string_equal(sig->comment, comment);
    at = strstr(made.text, "ccc");
    snprintf(text, sizeof text, "%.*sc%s", (int)(at - made.text), made.text, at);
    assert_int_equal(hr_signature_read(&env, "s", text, strlen(text), sig), HR_DATA_LOSS);
    assert_non_null(strstr(hr_env_error(&env), "or one that is too long"));
    hr_errors_cut(&env, 0);
    /* "Ed" and the first byte of the id */
    snprintf(text, sizeof text, "%s", made.text);
    at = strchr(text, '\n') + 1;
    put_letters(at, (const uint8_t[]){ 'E', 'x', mine.id[0] }, 3);
    assert_int_equal(hr_signature_read(&env, "s", text, strlen(text), sig), HR_DATA_LOSS);
    assert_non_null(strstr(hr_env_error(&env), "has no signature of Ed25519"));
    hr_errors_cut(&env, 0);
    /* "Ed", a way to stretch that is none, "B2" */
    snprintf(line, sizeof line, "%s", secret);
    at = strchr(line, '\n') + 1;
    put_letters(at, (const uint8_t[]){ 'E', 'd', 'X', 'y', 'B', '2' }, 6);
    assert_int_equal(hr_secret_read(&env, line, strlen(line), "x", &read), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&env), "it is no secret key of minisign"));
    hr_buf_clear(&made);
    hr_env_clear(&env);
    free(sig);
}

/* A key of another's, with less to compute than memory, as libsodium stretches it: N 1024, r 8,
 * p 1 of 32768 operations and 16 MiB. */
static void test_cheap_key(void **state)
{
    uint8_t bytes[158] = "EdScB2", stream[104], sealed[106] = "Ed";
    char text[400] = "untrusted comment: cheap\n";
    struct hr_secret_key mine, read;
    struct hr_env env;
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    assert_int_equal(hr_secret_read(&env, secret, strlen(secret), NULL, &mine), HR_OK);
    for (i = 0; i < 32; i++)
        bytes[6 + i] = (uint8_t)(i + 1);
    bytes[38 + 1] = 0x80; /* 32768 */
    bytes[46 + 3] = 0x01; /* 1 << 24 */
    memcpy(sealed + 2, mine.id, 8);
    memcpy(sealed + 10, mine.seed, 32);
    memcpy(sealed + 42, mine.key, 32);
    hr_blake2b(sealed, 74, sealed + 74, 32);
    assert_int_equal(hr_scrypt(&env, "pass", bytes + 6, 1024, 8, 1, 1 << 26, stream, 104), HR_OK);
    for (i = 0; i < 104; i++)
        bytes[54 + i] = sealed[2 + i] ^ stream[i];
    encode(bytes, sizeof bytes, text + strlen(text));
    assert_int_equal(hr_secret_read(&env, text, strlen(text), "pass", &read), HR_OK);
    assert_memory_equal(&read, &mine, sizeof read);
    assert_int_equal(hr_secret_read(&env, text, strlen(text), "past", &read), HR_DENIED);
    hr_env_clear(&env);
}

/* Both texts are ended, whatever stood in their place. */
static void test_key_texts(void **state)
{
    char one[HR_KEY_TEXT], two[HR_KEY_TEXT];
    struct hr_env env;

    (void)state;
    hr_env_init(&env, NULL);
    memset(one, 'x', sizeof one);
    memset(two, 'x', sizeof two);
    assert_int_equal(hr_registry_v1.key_make(&env, NULL, one, two), HR_OK);
    assert_non_null(memchr(one, '\0', sizeof one));
    assert_non_null(memchr(two, '\0', sizeof two));
    assert_int_equal(one[strlen(one) - 1], '\n');
    assert_int_equal(two[strlen(two) - 1], '\n');
    hr_env_clear(&env);
}

/* Costs of a passphrase beyond what is taken are refused before anything is computed. */
static void test_dear_keys(void **state)
{
    static const char *const keys[] = {
        "RWRTY0IyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAEAAIAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "RWRTY0IyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAEAAAAAAAEAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    struct hr_secret_key key;
    struct hr_env env;
    char text[400];
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    for (i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "untrusted comment: dear\n%s\n", keys[i]);
        assert_int_equal(hr_secret_read(&env, text, strlen(text), "x", &key), HR_EXHAUSTED);
        assert_string_equal(hr_env_error(&env), "the secret key wants more than 2 GiB of memory, "
                                                "or hours, to be opened");
        hr_errors_cut(&env, 0);
    }
    assert_int_equal(hr_secret_read(&env, text, strlen(text), NULL, &key), HR_DENIED);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),      cmocka_unit_test(test_ustar),
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_durable),    cmocka_unit_test(test_each_call),
        cmocka_unit_test(test_blake2b),    cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_dear_keys),  cmocka_unit_test(test_lines),
        cmocka_unit_test(test_bounds),     cmocka_unit_test(test_cheap_key),
        cmocka_unit_test(test_key_texts),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
