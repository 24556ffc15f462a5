/* A large member written before its package: the rest comes before and behind it (pack.c). */
#include <string.h>

#include "registry/files.h"
#include "registry/frames.h"
#include "registry/pack.h"
#include "registry/ustar.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

static hr_status write_part(struct hr_env *env, const struct hr_pack_member *source,
                            const struct hr_member *member, struct hr_pack_ahead *to)
{
    struct hr_frames_out *out = NULL;
    struct hr_sha256 digest;
    hr_status r = hr_frames_create(env, to->part, HR_SINK_NEW, &out);

    hr_sha256_init(&digest);
    if (r == HR_OK)
        r = hr_frames_leave(out);
    if (r == HR_OK)
        r = hr_pack_member_add(env, out, source, member, &digest);
    if (r == HR_OK)
        r = hr_frames_close(out);
    else
        hr_frames_drop(out);
    hr_sha256_end(&digest, to->digest);
    return r;
}

hr_status hr_package_ahead(struct hr_env *env, const char *dir, const char *name, const char *path,
                           struct hr_pack_ahead *ret)
{
    const struct hr_pack_member source = { .name = name, .path = path };
    struct hr_member member = { .name = name };
    char header[HR_USTAR_BLOCK];
    hr_status r = hr_pack_member_size(env, &source, &member.size);

    *ret = (struct hr_pack_ahead){ 0 };
    if (r < 0)
        return r;
    if (member.size < HR_PACKAGE_LARGE || !hr_member_name_ok(name, strlen(name)) ||
        !hr_ustar_make(name, member.size, header))
        return hr_fail(env, HR_INVALID, "\"%s\" cannot be packed ahead as \"%s\"", path, name);
    ret->size = member.size;
    memcpy(ret->name, name, strlen(name) + 1);
    r = hr_path_join(env, dir, "ahead", ret->part);
    if (r == HR_OK)
        r = hr_path_part(env, ret->part, ret->part);
    if (r == HR_OK && (r = write_part(env, &source, &member, ret)) < 0)
        OS(env, unlink, ret->part);
    if (r < 0)
        ret->part[0] = '\0';
    return r;
}
