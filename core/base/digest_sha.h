/* digest_sha.h - blocks of SHA-256; private to core/base. */
#ifndef HR_DIGEST_SHA_H
#define HR_DIGEST_SHA_H

#include <stddef.h>
#include <stdint.h>

enum { SHA_LANES = 16 };

extern const uint32_t hr_sha256_k[64];

/* n blocks of 64 bytes from p on. */
void hr_sha256_blocks(uint32_t state[8], const uint8_t *p, size_t n);

/* Blocks of two messages, na and nb of them. */
void hr_sha256_blocks_two(uint32_t a[8], const uint8_t *pa, size_t na, uint32_t b[8],
                          const uint8_t *pb, size_t nb);

#if defined(__x86_64__)
/* n blocks of each of SHA_LANES messages: word i of the state of lane k is state[i][k].  Only where
 * there is HR_CPU_AVX512. */
void hr_sha256_blocks_lanes(uint32_t state[8][SHA_LANES], const uint8_t *const p[SHA_LANES],
                            size_t n);
#endif

#endif
