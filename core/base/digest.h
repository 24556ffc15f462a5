/* digest.h - digests and hashes.
 *
 * SHA-256 (FIPS 180-4) identifies content; it uses the SHA instructions of x86 where there
 * are any, with equal results.  CRC-32C (Castagnoli, as in RFC 3720) guards TFRecords.
 * hr_hash64() is for tables in memory only: its values are stored nowhere.
 */
#ifndef HR_DIGEST_H
#define HR_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { HR_SHA256_SIZE = 32, HR_SHA256_HEX = 65 };

struct hr_sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};

void hr_sha256_init(struct hr_sha256 *s);
void hr_sha256_add(struct hr_sha256 *s, const void *bytes, size_t n);
void hr_sha256_end(struct hr_sha256 *s, uint8_t ret[HR_SHA256_SIZE]);

/* All at once. */
void hr_sha256(const void *bytes, size_t n, uint8_t ret[HR_SHA256_SIZE]);

/* Of many texts at once, in half of the time or less.  HR_SHA256_ROOM bytes behind each text are
 * overwritten. */
enum { HR_SHA256_ROOM = 72 };
struct hr_sha256_text {
    uint8_t *bytes;
    size_t n;
};
void hr_sha256_many(const struct hr_sha256_text *texts, size_t n, uint8_t (*ret)[HR_SHA256_SIZE]);

/* 64 small hexadecimal digits and '\0'. */
void hr_sha256_hex(const uint8_t digest[HR_SHA256_SIZE], char ret[HR_SHA256_HEX]);

/* crc is 0 at first; then what the call before gave. */
uint32_t hr_crc32c(uint32_t crc, const void *bytes, size_t n);

uint64_t hr_hash64(const void *bytes, size_t n, uint64_t seed);

/* A counter-based generator: the i-th number of a seed (SplitMix64, Steele et al. 2014). */
uint64_t hr_random_at(uint64_t seed, uint64_t i);

#endif
