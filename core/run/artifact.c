#include "run/artifact.h"

#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

static hr_status add_line(struct hr_env *env, struct hr_cache *cache, const char *path,
                          const char *name, struct hr_buf *to)
{
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    uint64_t size = 0;
    hr_status r = hr_cache_digest(cache, env, path, digest, &size);

    if (r < 0)
        return r;
    hr_sha256_hex(digest, hex);
    r = hr_buf_format(to, "%s %llu 0644 %s\n", hex, (unsigned long long)size, name);
    return r < 0 ? hr_fail_memory(env) : HR_OK;
}

hr_status hr_artifact_listing(struct hr_env *env, struct hr_cache *cache, const char *path,
                              struct hr_buf *to)
{
    char file[HR_MAX_PATH];
    struct hr_names names = { 0 };
    hr_status r = HR_OK;
    size_t i;

    if (!hr_dir_exists(env, path))
        return add_line(env, cache, path, hr_path_name(path), to);
    if ((r = hr_tree_list(env, path, &names)) < 0)
        return r;
    for (i = 0; i < names.count && r == HR_OK; i++)
        if ((r = hr_path_join(env, path, names.names[i], file)) == HR_OK)
            r = add_line(env, cache, file, names.names[i], to);
    hr_names_clear(env, &names);
    return r;
}

static void digest_of(const struct hr_buf *listing, char ret[HR_SHA256_HEX])
{
    uint8_t digest[HR_SHA256_SIZE];

    hr_sha256(listing->text, listing->len, digest);
    hr_sha256_hex(digest, ret);
}

hr_status hr_artifact_digest(struct hr_env *env, struct hr_cache *cache, const char *path,
                             char ret[HR_SHA256_HEX])
{
    struct hr_buf listing;
    hr_status r;

    hr_buf_of(&listing, (size_t)1 << 30, env);
    r = hr_artifact_listing(env, cache, path, &listing);
    if (r == HR_OK)
        digest_of(&listing, ret);
    hr_buf_clear(&listing);
    return r;
}

static hr_status sync_file(struct hr_env *env, const char *path)
{
    int fd = OS(env, open, path, HR_OPEN_READ, 0), e;

    if (fd < 0)
        return hr_fail_os(env, fd, "open", path);
    e = OS(env, sync, fd);
    OS(env, close, fd);
    return e < 0 ? hr_fail_os(env, e, "sync", path) : HR_OK;
}

/* Every file and every directory below, the directory itself last. */
static hr_status sync_tree(struct hr_env *env, const char *path, const struct hr_names *names)
{
    char file[HR_MAX_PATH], dir[HR_MAX_PATH], last[HR_MAX_PATH] = "";
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < names->count && r == HR_OK; i++) {
        if ((r = hr_path_join(env, path, names->names[i], file)) < 0 ||
            (r = sync_file(env, file)) < 0)
            return r;
        hr_path_dir(file, dir);
        if (strcmp(dir, last) != 0 && strcmp(dir, path) != 0)
            r = hr_dir_sync(env, dir);
        memcpy(last, dir, sizeof last);
    }
    return r < 0 ? r : hr_dir_sync(env, path);
}

hr_status hr_artifact_seal(struct hr_env *env, const char *staged, const char *place,
                           char ret[HR_SHA256_HEX])
{
    char above[HR_MAX_PATH];
    struct hr_names names = { 0 };
    hr_status r = hr_artifact_digest(env, NULL, staged, ret);
    int e;

    if (r == HR_OK)
        r = hr_tree_list(env, staged, &names);
    if (r == HR_OK)
        r = sync_tree(env, staged, &names);
    hr_names_clear(env, &names);
    if (r < 0)
        return r;
    hr_path_dir(place, above);
    if ((r = hr_dir_make(env, above)) < 0)
        return r;
    if ((e = OS(env, rename, staged, place)) < 0)
        return hr_fail_os(env, e, "move an output to", place);
    return hr_dir_sync(env, above);
}
