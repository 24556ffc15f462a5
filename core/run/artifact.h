/* artifact.h - artifacts as directories: digests, staging, sealing.
 *
 * The digest of an artifact is the SHA-256 of its listing, a line for each file in byte order
 * of the names:
 *
 *     SHA-256 of the content, in hexadecimal, " ", size, " 0644 ", name, "\n"
 *
 * Staging and the final place lie on one file system, so that sealing ends with a rename: an
 * artifact is there whole or not at all.
 */
#ifndef HR_ARTIFACT_H
#define HR_ARTIFACT_H

#include "base/base.h"
#include "plugin/plugin.h"

/* The listing of a directory; of a file, a listing of one line with its name. */
hr_status hr_artifact_listing(struct hr_env *env, struct hr_cache *cache, const char *path,
                              struct hr_buf *to);

/* Its SHA-256, in hexadecimal. */
hr_status hr_artifact_digest(struct hr_env *env, struct hr_cache *cache, const char *path,
                             char ret[HR_SHA256_HEX]);

/* Digest a file of a staged output while something else is done with its bytes.  type is the
 * artifact's, name the file's below the directory.  False: it is to be read as others are. */
typedef bool hr_sealed_file(void *user, const char *type, const char *path, const char *name,
                            uint8_t ret[HR_SHA256_SIZE], uint64_t *ret_size);

/* A staged directory and its place. */
struct hr_sealing {
    const char *staged, *place;
    char digest[HR_SHA256_HEX]; /* filled in */
    struct hr_cache *cache;     /* remembers the digests of its larger files; may be NULL */
    const char *type;           /* of the artifact, for file() */
    hr_sealed_file *file;       /* may be NULL */
    void *user;                 /* of file() */
    bool moved;                 /* it stands at its place; also where others failed */
};

/* Digest staged directories, make them durable, all together, and move each to its place. */
hr_status hr_artifact_seal(struct hr_env *env, struct hr_sealing *sealings, size_t n);

#endif
