#include "registry/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

/* -- BLAKE2b --------------------------------------------------------------- */

static const uint64_t iv[8] = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 };
/* Which word of a block each half of each mix takes, by round; rounds 10 and 11 begin again. */
static const uint8_t sigma[10][16] = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
    { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
    { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
    { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
    { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
    { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 }
};

static uint64_t turn(uint64_t v, int n)
{
    return v >> n | v << (64 - n);
}

static void mix(uint64_t v[16], const uint8_t at[4], uint64_t x, uint64_t y)
{
    uint64_t *a = &v[at[0]], *b = &v[at[1]], *c = &v[at[2]], *d = &v[at[3]];

    *a += *b + x;
    *d = turn(*d ^ *a, 32);
    *c += *d;
    *b = turn(*b ^ *c, 24);
    *a += *b + y;
    *d = turn(*d ^ *a, 16);
    *c += *d;
    *b = turn(*b ^ *c, 63);
}

static void compress(uint64_t h[8], const uint8_t block[128], uint64_t bytes, bool last)
{
    static const uint8_t ways[8][4] = { { 0, 4, 8, 12 },  { 1, 5, 9, 13 },  { 2, 6, 10, 14 },
                                        { 3, 7, 11, 15 }, { 0, 5, 10, 15 }, { 1, 6, 11, 12 },
                                        { 2, 7, 8, 13 },  { 3, 4, 9, 14 } };
    uint64_t v[16], m[16];
    int i, k;

    for (i = 0; i < 16; i++)
        for (m[i] = 0, k = 7; k >= 0; k--)
            m[i] = m[i] << 8 | block[8 * i + k];
    memcpy(v, h, 64);
    memcpy(v + 8, iv, 64);
    v[12] ^= bytes;
    if (last)
        v[14] = ~v[14];
    for (i = 0; i < 12; i++)
        for (k = 0; k < 8; k++)
            mix(v, ways[k], m[sigma[i % 10][2 * k]], m[sigma[i % 10][2 * k + 1]]);
    for (i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[i + 8];
}

void hr_blake2b(const void *bytes, size_t size, uint8_t *ret, size_t n)
{
    const uint8_t *p = bytes;
    uint8_t block[128] = { 0 };
    uint64_t h[8], done = 0;
    size_t i;

    memcpy(h, iv, sizeof h);
    h[0] ^= 0x01010000 ^ n;
    while (size - done > 128) {
        compress(h, p + done, done + 128, false);
        done += 128;
    }
    if (size > done)
        memcpy(block, p + done, size - done);
    compress(h, block, size, true);
    for (i = 0; i < n; i++)
        ret[i] = (uint8_t)(h[i / 8] >> (8 * (i % 8)));
}

/* -- Ed25519 --------------------------------------------------------------- */

static hr_status failed(struct hr_env *env, const char *what)
{
    return hr_fail(env, HR_INTERNAL, "libcrypto cannot %s", what);
}

hr_status hr_ed25519_public(struct hr_env *env, const uint8_t seed[HR_ED25519_SEED],
                            uint8_t ret[HR_ED25519_KEY])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, HR_ED25519_SEED);
    size_t n = HR_ED25519_KEY;
    bool good = key && EVP_PKEY_get_raw_public_key(key, ret, &n) == 1 && n == HR_ED25519_KEY;

    EVP_PKEY_free(key);
    return good ? HR_OK : failed(env, "make an Ed25519 key");
}

hr_status hr_ed25519_sign(struct hr_env *env, const uint8_t seed[HR_ED25519_SEED],
                          const void *message, size_t n, uint8_t ret[HR_ED25519_SIGNATURE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, HR_ED25519_SEED);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t size = HR_ED25519_SIGNATURE;
    bool good = key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(ctx, ret, &size, message, n) == 1 && size == HR_ED25519_SIGNATURE;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good ? HR_OK : failed(env, "sign with Ed25519");
}

bool hr_ed25519_holds(const uint8_t key[HR_ED25519_KEY], const void *message, size_t n,
                      const uint8_t signature[HR_ED25519_SIGNATURE])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, HR_ED25519_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, signature, HR_ED25519_SIGNATURE, message, n) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

/* -- scrypt ---------------------------------------------------------------- */

hr_status hr_scrypt(struct hr_env *env, const char *passphrase, const uint8_t salt[32],
                    uint64_t cost, uint32_t r, uint32_t p, uint64_t memory, uint8_t *ret,
                    size_t n)
{
    if (EVP_PBE_scrypt(passphrase, strlen(passphrase), salt, 32, cost, r, p, memory, ret, n) != 1)
        return hr_fail(env, HR_EXHAUSTED,
                       "the passphrase cannot be stretched: it takes %llu MiB of memory",
                       (unsigned long long)(cost * r * 128 >> 20));
    return HR_OK;
}

void hr_forget(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}
