/* Fingerprint64 of FarmHash, and SipHash-2-4 (Aumasson, Bernstein 2012).
 *
 * All arithmetic is modulo 2^64, bytes are read little-endian.  By length n:
 *
 *     0        k2
 *     1-3      of the first, middle and last byte
 *     4-7      of the first and last 4 bytes
 *     8-16     of the first and last 8 bytes
 *     17-32    of the first and last 16 bytes
 *     33-64    of the first and last 32 bytes
 *     65-      blocks of 64 bytes over a state of 56, then the last 64 bytes
 */
#include "transform/transform.h"

#include <string.h>

#define K0 UINT64_C(0xc3a5c85c97cb3127)
#define K1 UINT64_C(0xb492b66fbe98f273)
#define K2 UINT64_C(0x9ae16a3b2f90404f)

static uint64_t load64(const uint8_t *p)
{
    uint64_t v = 0;
    int i;

    for (i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static uint64_t load32(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

static uint64_t right(uint64_t v, int s)
{
    return v >> s | v << (64 - s);
}

static uint64_t shift(uint64_t v)
{
    return v ^ v >> 47;
}

static uint64_t mix(uint64_t u, uint64_t v, uint64_t m)
{
    return shift((v ^ shift((u ^ v) * m)) * m) * m;
}

static uint64_t print_small(const uint8_t *s, size_t n)
{
    uint64_t m = K2 + 2 * (uint64_t)n, a, b;

    if (n >= 8) {
        a = load64(s) + K2;
        b = load64(s + n - 8);
        return mix(right(b, 37) * m + a, (right(a, 25) + b) * m, m);
    }
    if (n >= 4)
        return mix(n + 8 * load32(s), load32(s + n - 4), m);
    if (!n)
        return K2;
    a = s[0] + 256 * (uint64_t)s[n / 2];
    b = n + 4 * (uint64_t)s[n - 1];
    return shift(a * K2 ^ b * K0) * K2;
}

static uint64_t print_middle(const uint8_t *s, size_t n)
{
    uint64_t m = K2 + 2 * (uint64_t)n, a, b, c, d, y, z, e, g, p, q;

    a = load64(s) * (n <= 32 ? K1 : K2);
    b = load64(s + 8);
    c = load64(s + n - 8) * m;
    d = load64(s + n - 16) * K2;
    y = right(a + b, 43) + right(c, 30) + d;
    if (n <= 32)
        return mix(y, a + right(b + K2, 18) + c, m);
    z = mix(y, a + right(b + K2, 18) + c, m);
    e = load64(s + 16) * m;
    g = load64(s + 24);
    p = (y + load64(s + n - 32)) * m;
    q = (z + load64(s + n - 24)) * m;
    return mix(right(e + g, 43) + right(p, 30) + q, e + right(g + a, 18) + p, m);
}

struct print {
    uint64_t x, y, z, v0, v1, w0, w1;
};

static void weak(const uint8_t *s, uint64_t a, uint64_t b, uint64_t *r0, uint64_t *r1)
{
    uint64_t c;

    a += load64(s);
    b = right(b + a + load64(s + 24), 21);
    c = a;
    a += load64(s + 8) + load64(s + 16);
    b += right(a, 44);
    *r0 = a + load64(s + 24);
    *r1 = b + c;
}

static void block(struct print *h, const uint8_t *s, uint64_t m, uint64_t q)
{
    uint64_t t, z;

    h->x = right(h->x + h->y + h->v0 + load64(s + 8), 37) * m;
    h->y = right(h->y + h->v1 + load64(s + 48), 42) * m;
    h->x ^= q * h->w1;
    h->y += q * h->v0 + load64(s + 40);
    z = right(h->z + h->w0, 33) * m;
    t = h->v1 * m;
    weak(s, t, h->x + h->w0, &h->v0, &h->v1);
    t = z + h->w1;
    weak(s + 32, t, h->y + load64(s + 16), &h->w0, &h->w1);
    h->z = h->x;
    h->x = z;
}

static uint64_t print_long(const uint8_t *s, size_t n)
{
    size_t i, end = 64 * ((n - 1) / 64);
    struct print h = { 81 * K2 + load64(s), 81 * K1 + 113, 0, 0, 0, 0, 0 };
    uint64_t m;

    h.z = shift(h.y * K2 + 113) * K2;
    for (i = 0; i < end; i += 64)
        block(&h, s + i, K1, 1);
    m = K1 + 2 * (h.z & 255);
    h.w0 += (n - 1) & 63;
    h.v0 += h.w0;
    h.w0 += h.v0;
    block(&h, s + n - 64, m, 9);
    return mix(mix(h.v0, h.w0, m) + shift(h.y) * K0 + h.z, mix(h.v1, h.w1, m) + h.x, m);
}

uint64_t hr_fingerprint64(const void *bytes, size_t n)
{
    if (n <= 16)
        return print_small(bytes, n);
    return n <= 64 ? print_middle(bytes, n) : print_long(bytes, n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[2] += v[3];
    v[1] = right(v[1], 51) ^ v[0];
    v[3] = right(v[3], 48) ^ v[2];
    v[0] = right(v[0], 32);
    v[2] += v[1], v[0] += v[3];
    v[1] = right(v[1], 47) ^ v[2];
    v[3] = right(v[3], 43) ^ v[0];
    v[2] = right(v[2], 32);
}

uint64_t hr_siphash(uint64_t k0, uint64_t k1, const void *bytes, size_t n)
{
    uint64_t v[4] = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                      k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
    uint64_t m, last = (uint64_t)n << 56;
    const uint8_t *s = bytes;
    size_t i;

    for (i = 0; i + 8 <= n; i += 8) {
        m = load64(s + i);
        v[3] ^= m;
        sip_round(v), sip_round(v);
        v[0] ^= m;
    }
    for (; i < n; i++)
        last |= (uint64_t)s[i] << 8 * (i & 7);
    v[3] ^= last;
    sip_round(v), sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v), sip_round(v), sip_round(v), sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
