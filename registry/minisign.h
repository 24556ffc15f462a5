/* minisign.h - private to registry: keys and signatures in the files of minisign.
 *
 * Each is lines of text; numbers are little-endian; base64 is of the standard alphabet.
 *
 *     public     untrusted comment: ...
 *                base64("Ed" id[8] key[32])
 *     secret     untrusted comment: ...
 *                base64("Ed" kdf[2] "B2" salt[32] ops[8] memory[8] (id[8] seed[32] key[32]
 *                       check[32]))
 *                kdf is "Sc", and what stands in parentheses is xored with scrypt's stream, or
 *                two zero bytes; check is BLAKE2b-256 of "Ed", id, seed and key, or
 *                zeros where nothing is encrypted
 *     signature  untrusted comment: ...
 *                base64(algorithm[2] id[8] signature[64])
 *                trusted comment: ...
 *                base64(signature of the 64 bytes above and the trusted comment)
 *                algorithm is "Ed": of the message; or "ED": of its BLAKE2b-512
 */
#ifndef HR_REGISTRY_MINISIGN_H
#define HR_REGISTRY_MINISIGN_H

#include "registry/crypto.h"

enum { HR_MINISIGN_COMMENT = 1024, HR_MINISIGN_TEXT = 4096 };

struct hr_public_key {
    uint8_t id[8], key[HR_ED25519_KEY];
};

struct hr_secret_key {
    uint8_t id[8], seed[HR_ED25519_SEED], key[HR_ED25519_KEY];
};

struct hr_signature {
    bool hashed;
    uint8_t id[8], signature[HR_ED25519_SIGNATURE], global[HR_ED25519_SIGNATURE];
    char comment[HR_MINISIGN_COMMENT]; /* the trusted one */
};

/* The id as minisign prints it, 16 digits. */
void hr_key_id(const uint8_t id[8], char ret[17]);

/* The file, or its line of base64 alone.  HR_INVALID: told; name is of the file. */
hr_status hr_public_read(struct hr_env *env, const char *name, const char *text, size_t n,
                         struct hr_public_key *ret);
hr_status hr_public_put(const struct hr_public_key *key, struct hr_buf *to); /* the line */

/* HR_INVALID; HR_DENIED: the passphrase is wrong or lacks; HR_EXHAUSTED: more memory than
 * 2 GiB is wanted.  Told. */
hr_status hr_secret_read(struct hr_env *env, const char *text, size_t n, const char *passphrase,
                         struct hr_secret_key *ret);
/* A new key, and its file; passphrase may be NULL. */
hr_status hr_secret_make(struct hr_env *env, const char *passphrase, struct hr_secret_key *ret,
                         struct hr_buf *to);

/* HR_DATA_LOSS: told. */
hr_status hr_signature_read(struct hr_env *env, const char *name, const char *text, size_t n,
                            struct hr_signature *ret);
/* HR_DATA_LOSS: the message or the comment is not what was signed; told. */
hr_status hr_signature_check(struct hr_env *env, const char *name, const struct hr_signature *s,
                             const struct hr_public_key *key, const void *message, size_t n);
/* Append a signature; its length depends on that of the comment alone. */
hr_status hr_signature_make(struct hr_env *env, const struct hr_secret_key *key,
                            const char *comment, const void *message, size_t n,
                            struct hr_buf *to);

#endif
