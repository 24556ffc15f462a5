/* SHA-256 of sixteen messages at a time, a message a lane of the registers of AVX-512.  A block
 * takes two thirds of the time that the SHA instructions need, two messages at a time.
 *
 * The words of sixteen blocks come as rows and are wanted as columns: words are interleaved, then
 * pairs, then quarters of registers twice.
 */
#include "base/digest_sha.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES_TARGET __attribute__((target("avx512f,avx512bw")))

#define XOR3(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0x96)
#define CHOOSE(e, f, g) _mm512_ternarylogic_epi32(e, f, g, 0xca)
#define MAJORITY(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0xe8)
#define ROTATED(x, i, j, k)                                                                        \
    XOR3(_mm512_ror_epi32(x, i), _mm512_ror_epi32(x, j), _mm512_ror_epi32(x, k))
#define SHIFTED(x, i, j, k)                                                                        \
    XOR3(_mm512_ror_epi32(x, i), _mm512_ror_epi32(x, j), _mm512_srli_epi32(x, k))

/* A round by word i of the sixteen at hand, and constant k[i]; the names of the state go round. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
    do {                                                                                           \
        __m512i t = _mm512_add_epi32(                                                              \
            _mm512_add_epi32(h, _mm512_add_epi32(w[i], _mm512_set1_epi32((int)k[i]))),             \
            _mm512_add_epi32(ROTATED(e, 6, 11, 25), CHOOSE(e, f, g)));                             \
                                                                                                   \
        d = _mm512_add_epi32(d, t);                                                                \
        h = _mm512_add_epi32(t, _mm512_add_epi32(ROTATED(a, 2, 13, 22), MAJORITY(a, b, c)));       \
    } while (0)
#define EIGHT_ROUNDS(i)                                                                            \
    do {                                                                                           \
        ROUND(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], (i));                                \
        ROUND(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], (i) + 1);                            \
        ROUND(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], (i) + 2);                            \
        ROUND(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], (i) + 3);                            \
        ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], (i) + 4);                            \
        ROUND(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], (i) + 5);                            \
        ROUND(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], (i) + 6);                            \
        ROUND(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], (i) + 7);                            \
    } while (0)

/* Word i of the next sixteen. */
#define NEXT(i)                                                                                    \
    w[i] = _mm512_add_epi32(                                                                       \
        _mm512_add_epi32(w[i], SHIFTED(w[((i) + 1) & 15], 7, 18, 3)),                              \
        _mm512_add_epi32(w[((i) + 9) & 15], SHIFTED(w[((i) + 14) & 15], 17, 19, 10)))
#define NEXT_FOUR(i)                                                                               \
    do {                                                                                           \
        NEXT(i);                                                                                   \
        NEXT((i) + 1);                                                                             \
        NEXT((i) + 2);                                                                             \
        NEXT((i) + 3);                                                                             \
    } while (0)

/* Lanes i to i + 3: their words 4j to 4j + 3 in quarter j of the rows become in quarter j of row
 * i + m word 4j + m of the four. */
#define TURN_FOUR(i)                                                                               \
    do {                                                                                           \
        __m512i x0 = _mm512_unpacklo_epi32(ROW(i), ROW((i) + 1));                                  \
        __m512i x1 = _mm512_unpackhi_epi32(ROW(i), ROW((i) + 1));                                  \
        __m512i x2 = _mm512_unpacklo_epi32(ROW((i) + 2), ROW((i) + 3));                            \
        __m512i x3 = _mm512_unpackhi_epi32(ROW((i) + 2), ROW((i) + 3));                            \
                                                                                                   \
        w[i] = _mm512_unpacklo_epi64(x0, x2);                                                      \
        w[(i) + 1] = _mm512_unpackhi_epi64(x0, x2);                                                \
        w[(i) + 2] = _mm512_unpacklo_epi64(x1, x3);                                                \
        w[(i) + 3] = _mm512_unpackhi_epi64(x1, x3);                                                \
    } while (0)
#define ROW(i)                                                                                     \
    _mm512_shuffle_epi8(_mm512_loadu_si512((const void *)(p[i] + at)), order)

/* Rows m, m + 4, m + 8, m + 12 as turned: quarter j of each becomes a row, word 4j + m. */
#define TURN_QUARTERS(m)                                                                           \
    do {                                                                                           \
        __m512i x0 = _mm512_shuffle_i32x4(w[m], w[(m) + 4], 0x44);                                 \
        __m512i x1 = _mm512_shuffle_i32x4(w[m], w[(m) + 4], 0xee);                                 \
        __m512i x2 = _mm512_shuffle_i32x4(w[(m) + 8], w[(m) + 12], 0x44);                          \
        __m512i x3 = _mm512_shuffle_i32x4(w[(m) + 8], w[(m) + 12], 0xee);                          \
                                                                                                   \
        w[m] = _mm512_shuffle_i32x4(x0, x2, 0x88);                                                 \
        w[(m) + 4] = _mm512_shuffle_i32x4(x0, x2, 0xdd);                                           \
        w[(m) + 8] = _mm512_shuffle_i32x4(x1, x3, 0x88);                                           \
        w[(m) + 12] = _mm512_shuffle_i32x4(x1, x3, 0xdd);                                          \
    } while (0)

LANES_TARGET static inline void load_words(const uint8_t *const p[SHA_LANES], size_t at,
                                           __m512i w[16])
{
    const __m512i order = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b,
                                                                0x0405060700010203));

    TURN_FOUR(0);
    TURN_FOUR(4);
    TURN_FOUR(8);
    TURN_FOUR(12);
    TURN_QUARTERS(0);
    TURN_QUARTERS(1);
    TURN_QUARTERS(2);
    TURN_QUARTERS(3);
}

LANES_TARGET void hr_sha256_blocks_lanes(uint32_t state[8][SHA_LANES],
                                         const uint8_t *const p[SHA_LANES], size_t n)
{
    __m512i w[16], s[8];
    const uint32_t *k;
    size_t b;
    int i;

    for (i = 0; i < 8; i++)
        s[i] = _mm512_loadu_si512((const void *)state[i]);
    for (b = 0; b < n; b++) {
        load_words(p, b * 64, w);
        for (k = hr_sha256_k; k < hr_sha256_k + 48; k += 16) {
            EIGHT_ROUNDS(0);
            EIGHT_ROUNDS(8);
            NEXT_FOUR(0);
            NEXT_FOUR(4);
            NEXT_FOUR(8);
            NEXT_FOUR(12);
        }
        EIGHT_ROUNDS(0);
        EIGHT_ROUNDS(8);
        for (i = 0; i < 8; i++) {
            s[i] = _mm512_add_epi32(s[i], _mm512_loadu_si512((const void *)state[i]));
            _mm512_storeu_si512((void *)state[i], s[i]);
        }
    }
}
#endif
