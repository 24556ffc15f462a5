/* registry.h - the face of registry/: packages.
 *
 * A package, NAME-VERSION.hrp, is a tar (ustar) compressed with zstd:
 *
 *     FILES          a line for each member below, in order: SHA-256, size, mode, name
 *     FILES.minisig  Ed25519 signature of FILES, in minisign's format; absent: unsigned
 *     manifest.json  what it is: kind, id, version
 *     ...            the content, regular files only, sorted by name
 *
 * The first member of 32 MiB or more begins where nothing depends on what stands before it (a
 * section, frames.h), so a host can pack the weights of a model while it digests them, before it
 * is known what else the package says.
 *
 * Equal content gives equal bytes: owner 0, mode 0644, time 0, one level, frames of one size,
 * no names or times of the machine, whatever the number of threads.
 *
 * Because FILES and its signature come first, each member is checked as it streams, and
 * nothing is parsed that was not verified.  There is one reader, and it knows from FILES the
 * very bytes of each header: anything else is a refusal, so a package has one form only.
 *
 *     frames.h    the zstd frames of the file      ustar.h     headers of the tar
 *     files.h     FILES, the grammar of names      minisign.h  keys and signatures
 *     read.c      the verifying reader             pack.c      the writer
 *     ahead.c     a large member before the rest   sink.h      the file that is written
 *     pack.h      what the two writers share
 *
 * It is a shared object of its own, since libcrypto and libzstd cost every start of a program;
 * the host loads it when a package is touched, and finds the one symbol hr_registry_v1.  Both
 * are of one build.
 */
#ifndef HR_REGISTRY_H
#define HR_REGISTRY_H

#include "base/base.h"

/* Limits of what is read, checked before anything is allocated; the writer keeps them too. */
enum {
    HR_PACKAGE_MEMBERS = 100000,        /* as many files as an artifact may hold */
    HR_PACKAGE_NAME = 200,              /* bytes of a name: what a ustar header always holds */
    HR_PACKAGE_DEPTH = 16,              /* parts of a name */
    HR_PACKAGE_FILES = 1 << 25,         /* bytes of FILES: a line of 300 for each member */
    HR_PACKAGE_SIGNATURE = 4096,        /* bytes of FILES.minisig */
    HR_PACKAGE_RATIO = 256,             /* bytes that come out for one that goes in, */
    HR_PACKAGE_FREE = 1 << 28,          /* beyond the first 256 MiB: zeros shrink well */
    HR_PACKAGE_MANIFEST = 1 << 24,      /* bytes of manifest.json */
    HR_PACKAGE_LARGE = 1 << 25,         /* bytes of a member with a section of its own */
    HR_KEY_TEXT = 512                   /* bytes of a key's file that is made here */
};
#define HR_PACKAGE_MEMBER (((uint64_t)1 << 33) - 1) /* bytes of a member: 11 octal digits */
#define HR_PACKAGE_TOTAL ((uint64_t)1 << 38)        /* bytes of all */

/* -- reading --------------------------------------------------------------- */

struct hr_member {
    const char *name;
    uint64_t size;
    uint8_t digest[HR_SHA256_SIZE];
};

struct hr_trusted_key {
    const char *name; /* what people call the signer */
    const char *text; /* minisign's public key: the line in base64, or the whole file */
};

enum hr_signed {
    HR_SIGNED_NOT,     /* there is no signature */
    HR_SIGNED_UNKNOWN, /* by a key that is not in the list: nobody can check it */
    HR_SIGNED_TRUSTED  /* by a key of the list, and the signature is good */
};

/* What stands before the content. */
struct hr_package_head {
    const struct hr_member *members; /* in the order of the file; manifest.json is the first */
    size_t count;
    uint64_t size;              /* of all members */
    char digest[HR_SHA256_HEX]; /* of FILES: it identifies the content */
    enum hr_signed state;
    char key[17];        /* the signature's key id, as minisign prints it; "" if unsigned */
    const char *signer;  /* name of the trusted key; NULL: none */
    const char *comment; /* trusted comment, where state is HR_SIGNED_TRUSTED; else NULL */
};

/* What is done with a package while it is read.  A failure ends the reading and is returned.
 * What begin() was given lives until the reading ends. */
struct hr_package_visit {
    void *user;
    /* The signature is judged; nothing of the content was read.  May be NULL. */
    hr_status (*begin)(void *user, const struct hr_package_head *head);
    /* A member begins, comes in pieces, and has ended as FILES says.  What came before
     * end() is not verified.  All may be NULL. */
    hr_status (*member)(void *user, const struct hr_member *member);
    hr_status (*bytes)(void *user, const void *bytes, size_t n);
    hr_status (*end)(void *user, const struct hr_member *member);
};

/* -- packing --------------------------------------------------------------- */

struct hr_pack_member {
    const char *name;
    const char *path;  /* a file; NULL: the bytes */
    const void *bytes;
    size_t size;
    const uint8_t *digest; /* where it is known already and the file is sealed; NULL: read */
};

/* A large member that was written before the package. */
struct hr_pack_ahead {
    char part[HR_MAX_PATH]; /* the file that is to become the package; "": none, or used up */
    char name[HR_PACKAGE_NAME + 1];
    uint64_t size;
    uint8_t digest[HR_SHA256_SIZE];
};

struct hr_pack {
    const struct hr_pack_member *members; /* in any order */
    size_t count;
    const char *secret;     /* text of a secret key of minisign: sign with it; NULL: no */
    const char *passphrase; /* of an encrypted one; may be NULL */
    const char *comment;    /* trusted comment; NULL: a usual one */
    const char *signature;  /* text of a signature that minisign has made of FILES; or NULL */
    /* If it is the first large member by name, size and digest, which has to be known, it is not
     * read again; then the part is used up, whatever the result.  NULL: none. */
    struct hr_pack_ahead *ahead;
};

struct hr_registry_1 {
    /* Write a package; file appears whole or not at all, and is replaced if it is there.
     * HR_INVALID: a name breaks the grammar, two names differ by case only, a limit is passed,
     * or the key cannot be read; HR_DENIED: the passphrase is wrong. */
    hr_status (*pack)(struct hr_env *env, const struct hr_pack *what, const char *file);

    /* Read all of a package.  HR_DATA_LOSS: it is no package, damaged, or not what was signed;
     * HR_INVALID: a key of the list cannot be read. */
    hr_status (*read)(struct hr_env *env, const char *file, const struct hr_trusted_key *keys,
                      size_t count, const struct hr_package_visit *visit);

    /* A new key pair, as minisign's files.  passphrase NULL: the secret one is not encrypted.
     * (No struct hr_buf crosses: an empty one points into the object that made it.) */
    hr_status (*key_make)(struct hr_env *env, const char *passphrase, char ret_secret[HR_KEY_TEXT],
                          char ret_public[HR_KEY_TEXT]);

    /* The id and the base64 line of a public key's text.  HR_INVALID: told, with name. */
    hr_status (*key_read)(struct hr_env *env, const char *name, const char *text, char ret_id[17],
                          char ret_line[64]);

    /* Write the member name, of the file at path, into a new part in dir, and digest it.  The
     * caller removes the part if no package uses it up.  HR_INVALID: the file is smaller than
     * HR_PACKAGE_LARGE, or the name is not allowed; on failure nothing is left. */
    hr_status (*ahead)(struct hr_env *env, const char *dir, const char *name, const char *path,
                       struct hr_pack_ahead *ret);
};

extern HR_EXPORT const struct hr_registry_1 hr_registry_v1;

hr_status hr_package_write(struct hr_env *env, const struct hr_pack *what, const char *file);
hr_status hr_package_ahead(struct hr_env *env, const char *dir, const char *name, const char *path,
                           struct hr_pack_ahead *ret);
hr_status hr_package_scan(struct hr_env *env, const char *file, const struct hr_trusted_key *keys,
                          size_t count, const struct hr_package_visit *visit);

#endif
