/* cache.h - what a host remembers between runs, in .headrace/cache/host.sqlite.
 *
 * Nothing here is needed: what is lost is made again.  So no failure is told; a call that
 * cannot read gives "not remembered", one that cannot write does nothing.  cache may be
 * NULL everywhere.
 *
 *     digest    device, inode, size, mtime, ctime of a file -> SHA-256 of its content
 *     manifest  SHA-256 of a .so -> its manifest, or why it has none
 *     lease     a cache key that a host is working on -> the host
 */
#ifndef HR_CACHE_H
#define HR_CACHE_H

#include "base/base.h"

struct hr_cache;

/* NULL: it cannot be opened. */
struct hr_cache *hr_cache_open(struct hr_env *env, const char *path);
/* The same of one that is there, and that stays as it is. */
struct hr_cache *hr_cache_open_to_look(struct hr_env *env, const char *path);
void hr_cache_close(struct hr_cache *cache);

/* SHA-256 of a file; from memory where its stat is known.  A file that changed less than 2 s
 * ago is not remembered.  Fails, told, only where the file cannot be read. */
hr_status hr_cache_digest(struct hr_cache *cache, struct hr_env *env, const char *path,
                          uint8_t ret[HR_SHA256_SIZE], uint64_t *ret_size);

/* For a file that nobody writes any more, as what was sealed: remember its digest though it is
 * fresh, and ask for one without reading the file (false: not remembered). */
void hr_cache_keep(struct hr_cache *cache, struct hr_env *env, const char *path,
                   const uint8_t digest[HR_SHA256_SIZE]);
bool hr_cache_known(struct hr_cache *cache, struct hr_env *env, const char *path,
                    uint8_t ret[HR_SHA256_SIZE]);

/* The manifest, or "" and *ret_reason where the .so has none; NULL: not remembered. */
const char *hr_cache_manifest(struct hr_cache *cache, const char *digest, struct hr_arena *arena,
                              const char **ret_reason);
void hr_cache_put_manifest(struct hr_cache *cache, const char *digest, const char *manifest,
                           const char *reason);

/* Forget all manifests, so that they are made again. */
void hr_cache_forget_manifests(struct hr_cache *cache);

/* Take the lease of a key for a host: true, also where nobody can say.  false: *ret_holder,
 * in the arena, has it; that may be this very host, for another of its runs. */
bool hr_cache_lease(struct hr_cache *cache, const char *key, const char *host,
                    struct hr_arena *arena, const char **ret_holder);
void hr_cache_release(struct hr_cache *cache, const char *key, const char *host);
/* Hosts that hold leases, each once, in the arena; *ret_count of them. */
hr_status hr_cache_holders(struct hr_cache *cache, struct hr_arena *arena, const char ***ret,
                           size_t *ret_count);
/* A host that is gone holds nothing. */
void hr_cache_release_all(struct hr_cache *cache, const char *host);

#endif
