/* What is computed by instructions that not every processor has, is what plain code computes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../core/base/digest.c"
#include "../../core/base/digest_many.c"

static void fill(uint8_t *to, size_t n, uint64_t seed)
{
    size_t i;

    for (i = 0; i < n; i++)
        to[i] = (uint8_t)hr_random_at(seed, i);
}

/* SHA-256 of a text by the plain code alone. */
static void plain_digest(const char *text, char hex[HR_SHA256_HEX])
{
    uint8_t bytes[64 + HR_SHA256_ROOM], digest[HR_SHA256_SIZE];
    struct hr_sha256_text t = { bytes, strlen(text) };
    struct hr_sha256 s;

    memset(bytes, 0xff, sizeof bytes);
    memcpy(bytes, text, t.n);
    hr_sha256_init(&s);
    blocks_plain(s.state, bytes, end_text(&t));
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

#if defined(__x86_64__)
/* Lanes are the blocks of each alone. */
static void test_lanes(void **state)
{
    uint8_t bytes[SHA_LANES][64 * 3];
    uint32_t lanes_of[8][SHA_LANES], alone[8];
    const uint8_t *p[SHA_LANES];
    size_t n, i, k;

    (void)state;
    if (!hr_cpu_has(HR_CPU_AVX512))
        skip();
    for (n = 0; n <= 3; n++) {
        uint32_t before[8][SHA_LANES];

        fill((uint8_t *)bytes, sizeof bytes, n);
        fill((uint8_t *)before, sizeof before, n + 100);
        memcpy(lanes_of, before, sizeof before);
        for (i = 0; i < SHA_LANES; i++)
            p[i] = bytes[i];
        hr_sha256_blocks_lanes(lanes_of, p, n);
        for (i = 0; i < SHA_LANES; i++) {
            for (k = 0; k < 8; k++)
                alone[k] = before[k][i];
            blocks_plain(alone, bytes[i], n);
            for (k = 0; k < 8; k++)
                assert_int_equal(lanes_of[k][i], alone[k]);
        }
    }
}
#endif

/* Any number of texts of any lengths, by twos and in lanes: each as it is alone, and nothing is
 * written behind the room that they have. */
static void test_many(void **state)
{
    enum { MOST = 150, SIZE = 5000 };
    static uint8_t bytes[MOST][SIZE + HR_SHA256_ROOM + 1], got[MOST][HR_SHA256_SIZE];
    static const size_t longest[] = { 1, 64, 130, 600, SIZE };
    struct message all[GROUP], *order[GROUP] = { NULL };
    struct hr_sha256_text texts[MOST] = { { NULL, 0 } };
    uint8_t want[HR_SHA256_SIZE], twos[GROUP][HR_SHA256_SIZE];
    size_t n, i, most;

    (void)state;
    for (n = 1; n <= MOST; n += n < 40 ? 1 : 11) {
        most = longest[n % (sizeof longest / sizeof *longest)];
        for (i = 0; i < n; i++) {
            texts[i] = (struct hr_sha256_text){ bytes[i], hr_random_at(n, i) % (most + 1) };
            fill(bytes[i], texts[i].n, n * 1000 + i);
            bytes[i][texts[i].n + HR_SHA256_ROOM] = 0x5a;
        }
        hr_sha256_many(texts, n, got);
        for (i = 0; i < n; i++) {
            hr_sha256(bytes[i], texts[i].n, want);
            assert_memory_equal(got[i], want, sizeof want);
            assert_int_equal(bytes[i][texts[i].n + HR_SHA256_ROOM], 0x5a);
        }
        for (i = 0; i < n && i < GROUP; i++) {
            struct hr_sha256 s;

            hr_sha256_init(&s);
            all[i] = (struct message){ .p = bytes[i], .n = end_text(&texts[i]),
                                       .digest = twos[i] };
            memcpy(all[i].state, s.state, sizeof s.state);
            order[i] = &all[i];
        }
        by_twos(order, i);
        while (i--)
            assert_memory_equal(twos[i], got[i], HR_SHA256_SIZE);
    }
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
#if defined(__x86_64__)
                                        cmocka_unit_test(test_lanes),
#endif
                                        cmocka_unit_test(test_many), cmocka_unit_test(test_crc) };

    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
