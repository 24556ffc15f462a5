/* crypto.h - private to registry: Ed25519 (RFC 8032) and scrypt (RFC 7914) by libcrypto;
 * BLAKE2b (RFC 7693) by hand, since libcrypto gives it in one length only.
 */
#ifndef HR_REGISTRY_CRYPTO_H
#define HR_REGISTRY_CRYPTO_H

#include "base/base.h"

enum { HR_ED25519_SEED = 32, HR_ED25519_KEY = 32, HR_ED25519_SIGNATURE = 64 };

/* n is 1 to 64, the bytes of the digest. */
void hr_blake2b(const void *bytes, size_t size, uint8_t *ret, size_t n);

hr_status hr_ed25519_public(struct hr_env *env, const uint8_t seed[HR_ED25519_SEED],
                            uint8_t ret[HR_ED25519_KEY]);
hr_status hr_ed25519_sign(struct hr_env *env, const uint8_t seed[HR_ED25519_SEED],
                          const void *message, size_t n, uint8_t ret[HR_ED25519_SIGNATURE]);
bool hr_ed25519_holds(const uint8_t key[HR_ED25519_KEY], const void *message, size_t n,
                      const uint8_t signature[HR_ED25519_SIGNATURE]);

/* n bytes from a passphrase; cost is N, a power of two.  HR_EXHAUSTED: it wants more than
 * memory bytes; told. */
hr_status hr_scrypt(struct hr_env *env, const char *passphrase, const uint8_t salt[32],
                    uint64_t cost, uint32_t r, uint32_t p, uint64_t memory, uint8_t *ret,
                    size_t n);

/* Overwrite what is secret, so that no compiler leaves it out. */
void hr_forget(void *p, size_t n);

#endif
