#include "base/digest.h"

#include <string.h>

#include "base/cpu.h"
#include "base/digest_sha.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* -- SHA-256 --------------------------------------------------------------- */

const uint32_t hr_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void blocks_plain(uint32_t state[8], const uint8_t *p, size_t n)
{
    uint32_t w[64], v[8], a, b;
    int i;

    for (; n; n--, p += 64) {
        for (i = 0; i < 16; i++)
            w[i] = get32(p + 4 * i);
        for (; i < 64; i++) {
            a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
            b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
            w[i] = w[i - 16] + a + w[i - 7] + b;
        }
        memcpy(v, state, sizeof v);
        for (i = 0; i < 64; i++) {
            a = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
                ((v[4] & v[5]) ^ (~v[4] & v[6])) + hr_sha256_k[i] + w[i];
            b = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
                ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof v[0]);
            v[4] += a;
            v[0] = a + b;
        }
        for (i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

#if defined(__x86_64__)
/* Rounds 4i to 4i + 3, and the words of the schedule that come sixteen rounds later. */
#define FOUR_ROUNDS_OF(abef, cdgh, m, i)                                                           \
    do {                                                                                           \
        __m128i x = _mm_add_epi32(                                                                 \
            m[(i) & 3],                                                                            \
            _mm_loadu_si128((const __m128i *)(const void *)(hr_sha256_k + 4 * (i))));              \
                                                                                                   \
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, x);                                               \
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(x, 0x0E));                      \
        if ((i) < 12) {                                                                            \
            x = _mm_add_epi32(_mm_sha256msg1_epu32(m[(i) & 3], m[((i) + 1) & 3]),                  \
                              _mm_alignr_epi8(m[((i) + 3) & 3], m[((i) + 2) & 3], 4));             \
            m[(i) & 3] = _mm_sha256msg2_epu32(x, m[((i) + 3) & 3]);                                \
        }                                                                                          \
    } while (0)
#define FOUR_ROUNDS(i) FOUR_ROUNDS_OF(abef, cdgh, m, i)

enum { AHEAD = 2048 };

/* The state is kept as ABEF and CDGH, as the instructions want it; four rounds a step. */
__attribute__((target("sha,sse4.1,ssse3"))) static void blocks_sha(uint32_t state[8],
                                                                   const uint8_t *p, size_t n)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    __m128i cdgh =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(t, cdgh, 8);
    __m128i m[4], abef0, cdgh0;
    int i;

    cdgh = _mm_blend_epi16(cdgh, t, 0xF0);
    for (; n; n--, p += 64) {
        /* The processor looks ahead within a page only: what comes from memory takes 1.5 times as
         * long without this.  It may be past the end, as an address that is not read. */
        __builtin_prefetch((const void *)((uintptr_t)p + AHEAD));
        abef0 = abef;
        cdgh0 = cdgh;
        for (i = 0; i < 4; i++)
            m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)),
                                    order);
        /* Written out, so that the schedule stays in registers: a third faster than a loop. */
        FOUR_ROUNDS(0);
        FOUR_ROUNDS(1);
        FOUR_ROUNDS(2);
        FOUR_ROUNDS(3);
        FOUR_ROUNDS(4);
        FOUR_ROUNDS(5);
        FOUR_ROUNDS(6);
        FOUR_ROUNDS(7);
        FOUR_ROUNDS(8);
        FOUR_ROUNDS(9);
        FOUR_ROUNDS(10);
        FOUR_ROUNDS(11);
        FOUR_ROUNDS(12);
        FOUR_ROUNDS(13);
        FOUR_ROUNDS(14);
        FOUR_ROUNDS(15);
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }
    t = _mm_shuffle_epi32(abef, 0x1B);
    cdgh = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(t, cdgh, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(cdgh, t, 8));
}

/* One state as the instructions want it. */
struct lane {
    __m128i abef, cdgh;
};

__attribute__((target("sha,sse4.1,ssse3"))) static inline struct lane
lane_load(const uint32_t state[8])
{
    __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    __m128i c =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);

    return (struct lane){ _mm_alignr_epi8(t, c, 8), _mm_blend_epi16(c, t, 0xF0) };
}

__attribute__((target("sha,sse4.1,ssse3"))) static inline void lane_store(struct lane l,
                                                                          uint32_t state[8])
{
    __m128i t = _mm_shuffle_epi32(l.abef, 0x1B), c = _mm_shuffle_epi32(l.cdgh, 0xB1);

    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(t, c, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(c, t, 8));
}

#define ROUNDS_OF_TWO(i)                                                                           \
    do {                                                                                           \
        FOUR_ROUNDS_OF(a.abef, a.cdgh, ma, i);                                                     \
        FOUR_ROUNDS_OF(b.abef, b.cdgh, mb, i);                                                     \
    } while (0)

/* As many blocks of two messages: while one waits for its round, the other has its own. */
__attribute__((target("sha,sse4.1,ssse3"))) static void
two_sha(uint32_t state_a[8], const uint8_t *pa, uint32_t state_b[8], const uint8_t *pb, size_t n)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    struct lane a = lane_load(state_a), b = lane_load(state_b), a0, b0;
    __m128i ma[4], mb[4];
    int i;

    for (; n; n--, pa += 64, pb += 64) {
        a0 = a;
        b0 = b;
        for (i = 0; i < 4; i++) {
            ma[i] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(pa + 16 * i)), order);
            mb[i] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(pb + 16 * i)), order);
        }
        ROUNDS_OF_TWO(0);
        ROUNDS_OF_TWO(1);
        ROUNDS_OF_TWO(2);
        ROUNDS_OF_TWO(3);
        ROUNDS_OF_TWO(4);
        ROUNDS_OF_TWO(5);
        ROUNDS_OF_TWO(6);
        ROUNDS_OF_TWO(7);
        ROUNDS_OF_TWO(8);
        ROUNDS_OF_TWO(9);
        ROUNDS_OF_TWO(10);
        ROUNDS_OF_TWO(11);
        ROUNDS_OF_TWO(12);
        ROUNDS_OF_TWO(13);
        ROUNDS_OF_TWO(14);
        ROUNDS_OF_TWO(15);
        a.abef = _mm_add_epi32(a.abef, a0.abef);
        a.cdgh = _mm_add_epi32(a.cdgh, a0.cdgh);
        b.abef = _mm_add_epi32(b.abef, b0.abef);
        b.cdgh = _mm_add_epi32(b.cdgh, b0.cdgh);
    }
    lane_store(a, state_a);
    lane_store(b, state_b);
}
#endif

void hr_sha256_blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
#if defined(__x86_64__)
    if (hr_cpu_has(HR_CPU_SHA)) {
        blocks_sha(state, p, n);
        return;
    }
#endif
    blocks_plain(state, p, n);
}

void hr_sha256_blocks_two(uint32_t a[8], const uint8_t *pa, size_t na, uint32_t b[8],
                          const uint8_t *pb, size_t nb)
{
    size_t n = na < nb ? na : nb;

#if defined(__x86_64__)
    if (hr_cpu_has(HR_CPU_SHA)) {
        two_sha(a, pa, b, pb, n);
        blocks_sha(a, pa + n * 64, na - n);
        blocks_sha(b, pb + n * 64, nb - n);
        return;
    }
#endif
    (void)n;
    blocks_plain(a, pa, na);
    blocks_plain(b, pb, nb);
}

static void put_state(const uint32_t state[8], uint8_t ret[HR_SHA256_SIZE])
{
    int i;

    for (i = 0; i < HR_SHA256_SIZE; i++)
        ret[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

void hr_sha256_init(struct hr_sha256 *s)
{
    *s = (struct hr_sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                        0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void hr_sha256_add(struct hr_sha256 *s, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t have = s->bytes % 64, room = 64 - have;

    if (!n)
        return;
    s->bytes += n;
    if (have) {
        memcpy(s->block + have, p, n < room ? n : room);
        if (n < room)
            return;
        hr_sha256_blocks(s->state, s->block, 1);
        p += room;
        n -= room;
    }
    hr_sha256_blocks(s->state, p, n / 64);
    memcpy(s->block, p + n / 64 * 64, n % 64);
}

void hr_sha256_end(struct hr_sha256 *s, uint8_t ret[HR_SHA256_SIZE])
{
    uint64_t bits = s->bytes * 8;
    size_t have = s->bytes % 64;
    int i;

    s->block[have++] = 0x80;
    if (have > 56) {
        memset(s->block + have, 0, 64 - have);
        hr_sha256_blocks(s->state, s->block, 1);
        have = 0;
    }
    memset(s->block + have, 0, 56 - have);
    for (i = 0; i < 8; i++)
        s->block[56 + i] = (uint8_t)(bits >> (56 - 8 * i));
    hr_sha256_blocks(s->state, s->block, 1);
    put_state(s->state, ret);
}

void hr_sha256(const void *bytes, size_t n, uint8_t ret[HR_SHA256_SIZE])
{
    struct hr_sha256 s;

    hr_sha256_init(&s);
    hr_sha256_add(&s, bytes, n);
    hr_sha256_end(&s, ret);
}

void hr_sha256_hex(const uint8_t digest[HR_SHA256_SIZE], char ret[HR_SHA256_HEX])
{
    static const char hex[] = "0123456789abcdef";
    int i;

    for (i = 0; i < HR_SHA256_SIZE; i++) {
        ret[2 * i] = hex[digest[i] >> 4];
        ret[2 * i + 1] = hex[digest[i] & 15];
    }
    ret[64] = '\0';
}

/* -- CRC-32C --------------------------------------------------------------- */

static uint32_t crc_plain(uint32_t crc, const uint8_t *p, size_t n)
{
    int k;

    while (n--) {
        crc ^= *p++;
        for (k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0x82f63b78 & (0 - (crc & 1)));
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t c = crc, eight;

    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&eight, p, 8);
        c = _mm_crc32_u64(c, eight);
    }
    while (n--)
        c = _mm_crc32_u8((uint32_t)c, *p++);
    return (uint32_t)c;
}
#endif

uint32_t hr_crc32c(uint32_t crc, const void *bytes, size_t n)
{
#if defined(__x86_64__)
    if (hr_cpu_has(HR_CPU_SSE42))
        return ~crc_sse(~crc, bytes, n);
#endif
    return ~crc_plain(~crc, bytes, n);
}

/* -- tables ---------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 m = (unsigned __int128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t hr_hash64(const void *bytes, size_t n, uint64_t seed)
{
    const uint8_t *p = bytes;
    uint64_t h = seed ^ 0x9e3779b97f4a7c15u, a, b;
    size_t left = n;

    for (; left > 16; left -= 16, p += 16) {
        memcpy(&a, p, 8);
        memcpy(&b, p + 8, 8);
        h = mix(a ^ 0xa0761d6478bd642fu, b ^ h);
    }
    a = b = 0;
    if (left >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + left - 8, 8);
    } else if (left) {
        memcpy(&a, p, left);
    }
    return mix(h ^ 0xe7037ed1a0b428dbu ^ n, mix(a ^ 0x8ebc6af09c88c6e3u, b ^ h));
}

uint64_t hr_random_at(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
