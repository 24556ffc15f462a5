/* pack.h - private to registry: what the two writers share. */
#ifndef HR_REGISTRY_PACK_H
#define HR_REGISTRY_PACK_H

#include "registry/frames.h"
#include "registry/registry.h"

/* The size of a member.  HR_INVALID: its path is of no regular file. */
hr_status hr_pack_member_size(struct hr_env *env, const struct hr_pack_member *m, uint64_t *ret);

/* Header, content and padding.  digest may be NULL; when it is told, frames.h says. */
hr_status hr_pack_member_add(struct hr_env *env, struct hr_frames_out *out,
                             const struct hr_pack_member *source, const struct hr_member *member,
                             struct hr_sha256 *digest);

#endif
