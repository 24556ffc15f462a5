#include "run/artifact.h"

#include <errno.h>
#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* A listing that is being made; sealing may be NULL. */
struct listing {
    struct hr_env *env;
    struct hr_cache *cache;
    const struct hr_sealing *sealing;
    struct hr_buf *to;
};

static hr_status add_line(const struct listing *l, const char *path, const char *name)
{
    const struct hr_sealing *s = l->sealing;
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    uint64_t size = 0;
    hr_status r = HR_OK;

    if (!s || !s->file || !s->file(s->user, s->type, path, name, digest, &size))
        r = hr_cache_digest(l->cache, l->env, path, digest, &size);
    if (r < 0)
        return r;
    hr_sha256_hex(digest, hex);
    r = hr_buf_format(l->to, "%s %llu 0644 %s\n", hex, (unsigned long long)size, name);
    return r < 0 ? hr_fail_memory(l->env) : HR_OK;
}

static hr_status list(const struct listing *l, const char *path)
{
    char file[HR_MAX_PATH];
    struct hr_names names = { 0 };
    enum hr_at at;
    hr_status r = hr_look_at(l->env, path, &at);
    size_t i;

    if (r < 0)
        return r;
    if (at != HR_AT_DIR)
        return add_line(l, path, hr_path_name(path));
    if ((r = hr_tree_list(l->env, path, &names)) < 0)
        return r;
    for (i = 0; i < names.count && r == HR_OK; i++)
        if ((r = hr_path_join(l->env, path, names.names[i], file)) == HR_OK)
            r = add_line(l, file, names.names[i]);
    hr_names_clear(l->env, &names);
    return r;
}

hr_status hr_artifact_listing(struct hr_env *env, struct hr_cache *cache, const char *path,
                              struct hr_buf *to)
{
    return list(&(struct listing){ env, cache, NULL, to }, path);
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

/* Directories that have to be synced, each once. */
static hr_status add_once(struct hr_env *env, struct hr_names *to, const char *path)
{
    size_t i;

    for (i = 0; i < to->count; i++)
        if (!strcmp(to->names[i], path))
            return HR_OK;
    return hr_names_add(env, to, path);
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Whoever packs it next needs the digests of its files; reading small ones again costs less
 * than remembering them. */
static void remember(struct hr_env *env, const struct hr_sealing *s, const char *listing)
{
    uint8_t digest[HR_SHA256_SIZE];
    char path[HR_MAX_PATH], name[HR_MAX_PATH];
    size_t kept = env->errors.count;
    const char *end, *at;
    int i;

    for (; (end = strchr(listing, '\n')); listing = end + 1) {
        at = strchr(listing + 65, ' '); /* behind the size */
        if (at - listing < 65 + 7 || end - at < 7 || end - at - 6 >= HR_MAX_PATH)
            continue; /* less than a million bytes */
        memcpy(name, at + 6, (size_t)(end - at - 6));
        name[end - at - 6] = '\0';
        for (i = 0; i < HR_SHA256_SIZE; i++)
            digest[i] = (uint8_t)(digit(listing[2 * i]) << 4 | digit(listing[2 * i + 1]));
        if (hr_path_join(env, s->place, name, path) == HR_OK)
            hr_cache_keep(s->cache, env, path, digest);
    }
    hr_errors_cut(env, kept);
}

/* The digest of a staged directory, and its listing where that is wanted later. */
static hr_status digest_staged(struct hr_env *env, struct hr_sealing *s, struct hr_arena *arena,
                               const char **ret_listing)
{
    struct hr_buf listing;
    hr_status r;

    hr_buf_of(&listing, (size_t)1 << 30, env);
    r = list(&(struct listing){ env, NULL, s, &listing }, s->staged);
    if (r == HR_OK)
        digest_of(&listing, s->digest);
    if (r == HR_OK && s->cache &&
        !(*ret_listing = hr_arena_bytes(arena, listing.text, listing.len)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&listing);
    return r;
}

/* The directories above may be as new: those of the output, of the node, and of all nodes.  Whether
 * this host has made them does not matter, for another may have, just now. */
static hr_status move(struct hr_env *env, struct hr_sealing *s, struct hr_names *above)
{
    enum { LEVELS = 3 };
    char dir[HR_MAX_PATH];
    hr_status r;
    int e, i;

    hr_path_dir(s->place, dir);
    if ((r = hr_dir_make(env, dir)) < 0)
        return r;
    e = OS(env, rename, s->staged, s->place);
    if (e == -ENOTEMPTY || e == -EEXIST)
        return hr_fail(env, HR_EXISTS,
                       "\"%s\" is there already, of an execution that the store knows nothing of; "
                       "\"headrace doctor --repair\" removes it",
                       s->place);
    if (e < 0)
        return hr_fail_os(env, e, "move an output to", s->place);
    s->moved = true;
    for (i = 0; i < LEVELS && r == HR_OK; i++) {
        r = add_once(env, above, dir);
        hr_path_dir(dir, dir);
    }
    return r;
}

hr_status hr_artifact_seal(struct hr_env *env, struct hr_sealing *sealings, size_t n)
{
    struct hr_names above = { 0 }, below = { 0 };
    struct hr_arena arena;
    const char **listings;
    hr_status r = HR_OK;
    size_t i;

    hr_arena_init(&arena, env, 0);
    if (!(listings = hr_arena_array(&arena, n + 1, sizeof *listings)))
        r = HR_EXHAUSTED;
    for (i = 0; i < n && r == HR_OK; i++) {
        r = digest_staged(env, &sealings[i], &arena, &listings[i]);
        if (r == HR_OK)
            r = hr_tree_paths(env, sealings[i].staged, &below);
    }
    if (r == HR_OK)
        r = hr_sync_all(env, (const char *const *)below.names, below.count);
    for (i = 0; i < n && r == HR_OK; i++)
        r = move(env, &sealings[i], &above);
    if (r == HR_OK)
        r = hr_sync_all(env, (const char *const *)above.names, above.count);
    for (i = 0; i < n && r == HR_OK; i++)
        if (listings[i])
            remember(env, &sealings[i], listings[i]);
    hr_names_clear(env, &below);
    hr_names_clear(env, &above);
    hr_arena_clear(&arena);
    return r;
}
