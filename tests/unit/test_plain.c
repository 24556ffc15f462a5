/* What is computed by instructions that not every processor has, is what plain code computes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../core/base/digest.c"

static void fill(uint8_t *to, size_t n, uint64_t seed)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = (uint8_t)hr_random_at(seed, i);
}

/* SHA-256 of a text by the plain code alone. */
static void plain_digest(const char *text, char hex[HR_SHA256_HEX])
{
    struct hr_sha256 s;
    uint8_t last[128], digest[HR_SHA256_SIZE];
    size_t n = strlen(text), left;

    hr_sha256_init(&s);
    blocks_plain(s.state, (const uint8_t *)text, n / 64);
    left = last_blocks((const uint8_t *)text, n, last);
    blocks_plain(s.state, last, left);
    put_state(s.state, digest);
    hr_sha256_hex(digest, hex);
}

/* The examples of FIPS 180-4. */
static void test_known(void **state)
{
    char hex[HR_SHA256_HEX];

    (void)state;
    plain_digest("", hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    plain_digest("abc", hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    plain_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_int_equal(~crc_plain(~0u, (const uint8_t *)"123456789", 9), 0xe3069283);
}

static void test_blocks(void **state)
{
    uint8_t bytes[64 * 9];
    uint32_t a[8], b[8];
    size_t n;

    (void)state;
#if defined(__x86_64__)
    if (!hr_cpu_has(HR_CPU_SHA))
        skip();
    for (n = 0; n <= 9; n++) {
        fill(bytes, sizeof bytes, n);
        fill((uint8_t *)a, sizeof a, n + 100);
        memcpy(b, a, sizeof b);
        blocks_plain(a, bytes, n);
        blocks_sha(b, bytes, n);
        assert_memory_equal(a, b, sizeof a);
    }
#endif
}

static void test_crc(void **state)
{
    uint8_t bytes[100] = { 0 };
    size_t n;

    (void)state;
#if defined(__x86_64__)
    if (!hr_cpu_has(HR_CPU_SSE42))
        skip();
    for (n = 0; n <= sizeof bytes; n++) {
        fill(bytes, n, n);
        assert_int_equal(crc_plain(7, bytes, n), crc_sse(7, bytes, n));
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_known), cmocka_unit_test(test_blocks),
                                        cmocka_unit_test(test_crc) };

    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
