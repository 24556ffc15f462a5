/* registry.h - the face of registry/: packages.
 *
 * A package, NAME-VERSION.hrp, is a tar (pax) compressed with zstd:
 *
 *     FILES          a line for each member below, in order: SHA-256, size, mode, name
 *     manifest.json  what it is: kind, id, version, digest of the content
 *     model/...      the content, regular files only, sorted by name
 *
 * Equal content gives equal bytes: owner 0, mode 0644, time 0, one thread, one level, no
 * names or times of the machine.
 *
 * It is a shared object of its own, since libarchive is slow to load; the host loads it when
 * a package is touched, and finds the one symbol hr_registry_v1.  Both are of one build.
 */
#ifndef HR_REGISTRY_H
#define HR_REGISTRY_H

#include "base/base.h"

struct hr_registry_1 {
    /* Pack a directory; file appears whole or not at all, and is replaced if it is there.
     * HR_INVALID: a name in it is not of [A-Za-z0-9._-] parts between slashes, or two names
     * differ by case only. */
    hr_status (*pack)(struct hr_env *env, const char *dir, const char *manifest, size_t size,
                      const char *file);
};

extern HR_EXPORT const struct hr_registry_1 hr_registry_v1;

#endif
