#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* Up to n bytes appended; *ret: how many, 0 at the end of the file. */
static hr_status read_some(struct hr_env *env, int fd, const char *path, size_t n,
                           struct hr_buf *to, size_t *ret)
{
    char chunk[4096], *p = chunk;
    size_t at = to->len;
    int64_t got;

    if (n && hr_buf_room(to, n, &p) < 0)
        return hr_fail_memory(env);
    got = OS(env, read, fd, p, n ? n : sizeof chunk);
    hr_buf_cut(to, at + (n && got > 0 ? (size_t)got : 0));
    if (got < 0)
        return hr_fail_os(env, (int)got, "read", path);
    if (!n && hr_buf_add(to, chunk, (size_t)got) < 0)
        return hr_fail_memory(env);
    *ret = (size_t)got;
    return HR_OK;
}

hr_status hr_file_read(struct hr_env *env, const char *path, size_t max, struct hr_buf *to)
{
    int fd = OS(env, open, path, HR_OPEN_READ, 0);
    size_t start = to->len, got = 1;
    struct hr_stat st;
    hr_status r = HR_OK;
    int e;

    if (fd < 0)
        return hr_fail_os(env, fd, "open", path);
    if ((e = OS(env, fstat, fd, &st)) < 0)
        r = hr_fail_os(env, e, "read", path);
    else if (st.is_dir)
        r = hr_fail_os(env, -EISDIR, "read", path);
    while (r == HR_OK && got > 0) {
        size_t have = to->len - start;

        if (have > max || st.size > max)
            r = hr_fail(env, HR_EXHAUSTED, "\"%s\" has more than %zu bytes", path, max);
        else
            r = read_some(env, fd, path, st.size > have ? (size_t)st.size - have : 0, to, &got);
    }
    if (r < 0)
        hr_buf_cut(to, start);
    OS(env, close, fd);
    return r;
}

hr_status hr_file_map(struct hr_env *env, const char *path, struct hr_map *ret)
{
    int fd = OS(env, open, path, HR_OPEN_READ, 0);
    const void *p = "";
    struct hr_stat st;
    hr_status r = HR_OK;
    int e;

    if (fd < 0)
        return hr_fail_os(env, fd, "open", path);
    if ((e = OS(env, fstat, fd, &st)) < 0)
        r = hr_fail_os(env, e, "read", path);
    else if (!st.is_file)
        r = hr_fail(env, HR_INVALID, "\"%s\" is no regular file", path);
    else if (st.size && (e = OS(env, map, fd, (size_t)st.size, &p)) < 0)
        r = hr_fail_os(env, e, "map", path);
    OS(env, close, fd);
    if (r < 0)
        return r;
    *ret = (struct hr_map){ p, (size_t)st.size };
    return HR_OK;
}

void hr_file_unmap(struct hr_env *env, struct hr_map *map)
{
    if (map->size)
        OS(env, unmap, map->data, map->size);
    *map = (struct hr_map){ "", 0 };
}

void hr_map_passed(const struct hr_os *os, const struct hr_map *map, size_t from, size_t to)
{
    enum { PAGES = 1 << 16 }; /* a multiple of the page of any machine */
    size_t rest = map->size - to, more = (PAGES - to % PAGES) % PAGES;

    from -= from % PAGES; /* what of a neighbour is in use is had again, which is cheap */
    to += more < rest ? more : rest;
    if (from < to)
        os->pass(os->user, (const char *)map->data + from, to - from);
}

/* -- writing --------------------------------------------------------------- */

enum { OUT_SIZE = 1 << 20 };

struct hr_out {
    struct hr_env *env;
    char *path;
    int fd;
    uint64_t size;
    size_t held;
    char *bytes;
};

hr_status hr_out_open(struct hr_env *env, const char *path, struct hr_out **ret)
{
    struct hr_out *out = hr_mem_zero(env, sizeof *out);

    if (!out)
        return HR_EXHAUSTED;
    out->env = env;
    out->fd = -1;
    if (!(out->path = hr_mem_text(env, path)) ||
        !(out->bytes = hr_mem_resize(env, NULL, 0, OUT_SIZE))) {
        hr_out_drop(out);
        return HR_EXHAUSTED;
    }
    out->fd = OS(env, open, path, HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_TRUNCATE, 0644);
    if (out->fd < 0) {
        int e = out->fd;

        hr_out_drop(out);
        return hr_fail_os(env, e, "write", path);
    }
    *ret = out;
    return HR_OK;
}

hr_status hr_fd_write(struct hr_env *env, int fd, const char *path, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n) {
        int64_t w = OS(env, write, fd, p, n);

        if (w < 0)
            return hr_fail_os(env, (int)w, "write", path);
        p += w;
        n -= (size_t)w;
    }
    return HR_OK;
}

hr_status hr_fd_read_at(struct hr_env *env, int fd, const char *path, void *to, size_t n,
                        uint64_t at)
{
    char *p = to;

    while (n) {
        int64_t got = OS(env, pread, fd, p, n, at);

        if (got < 0)
            return hr_fail_os(env, (int)got, "read", path);
        if (!got)
            return hr_fail(env, HR_DATA_LOSS, "\"%s\" was cut while it was read", path);
        p += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return HR_OK;
}

hr_status hr_out_add(struct hr_out *out, const void *bytes, size_t n)
{
    hr_status r;

    out->size += n;
    if (n > OUT_SIZE - out->held) {
        if ((r = hr_fd_write(out->env, out->fd, out->path, out->bytes, out->held)) < 0)
            return r;
        out->held = 0;
        if (n >= OUT_SIZE)
            return hr_fd_write(out->env, out->fd, out->path, bytes, n);
    }
    if (n)
        memcpy(out->bytes + out->held, bytes, n);
    out->held += n;
    return HR_OK;
}

uint64_t hr_out_size(const struct hr_out *out)
{
    return out->size;
}

hr_status hr_out_close(struct hr_out *out, bool sync)
{
    struct hr_env *env = out->env;
    hr_status r = hr_fd_write(env, out->fd, out->path, out->bytes, out->held);
    int e;

    if (r == HR_OK && sync && (e = OS(env, sync, out->fd)) < 0)
        r = hr_fail_os(env, e, "sync", out->path);
    e = OS(env, close, out->fd);
    out->fd = -1;
    if (r == HR_OK && e < 0)
        r = hr_fail_os(env, e, "close", out->path);
    hr_out_drop(out);
    return r;
}

void hr_out_drop(struct hr_out *out)
{
    if (!out)
        return;
    if (out->fd >= 0)
        OS(out->env, close, out->fd);
    hr_mem_put(out->env, out->bytes, OUT_SIZE);
    hr_mem_text_put(out->env, out->path);
    hr_mem_put(out->env, out, sizeof *out);
}

hr_status hr_file_write(struct hr_env *env, const char *path, const void *bytes, size_t n)
{
    char part[HR_MAX_PATH], dir[HR_MAX_PATH];
    hr_status r = hr_path_part(env, path, part);
    int fd, e;

    if (r < 0)
        return r;
    fd = OS(env, open, part, HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_EXCLUSIVE, 0644);
    if (fd < 0)
        return hr_fail_os(env, fd, "write", part);
    r = hr_fd_write(env, fd, part, bytes, n);
    if (r == HR_OK && (e = OS(env, sync, fd)) < 0)
        r = hr_fail_os(env, e, "sync", part);
    e = OS(env, close, fd);
    if (r == HR_OK && e < 0)
        r = hr_fail_os(env, e, "close", part);
    if (r == HR_OK && (e = OS(env, rename, part, path)) < 0)
        r = hr_fail_os(env, e, "rename to", path);
    if (r < 0) {
        OS(env, unlink, part);
        return r;
    }
    hr_path_dir(path, dir);
    return hr_dir_sync(env, dir);
}

hr_status hr_file_put(struct hr_env *env, const char *path, const void *bytes, size_t n)
{
    int fd = OS(env, open, path, HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_TRUNCATE, 0644), e;
    hr_status r;

    if (fd < 0)
        return hr_fail_os(env, fd, "write", path);
    r = hr_fd_write(env, fd, path, bytes, n);
    e = OS(env, close, fd);
    return r == HR_OK && e < 0 ? hr_fail_os(env, e, "close", path) : r;
}

hr_status hr_file_append(struct hr_env *env, const char *path, const void *bytes, size_t n)
{
    int fd = OS(env, open, path, HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_APPEND, 0644);
    hr_status r;

    if (fd < 0)
        return hr_fail_os(env, fd, "write", path);
    r = hr_fd_write(env, fd, path, bytes, n);
    OS(env, close, fd);
    return r;
}

hr_status hr_file_digest(struct hr_env *env, const char *path, uint8_t ret[HR_SHA256_SIZE],
                         uint64_t *ret_size)
{
    enum { CHUNK = 1 << 18 };
    int fd = OS(env, open, path, HR_OPEN_READ, 0);
    struct hr_sha256 sha;
    hr_status r = HR_OK;
    int64_t got = 1;
    char *chunk;

    if (fd < 0)
        return hr_fail_os(env, fd, "open", path);
    if (!(chunk = hr_mem_resize(env, NULL, 0, CHUNK))) {
        OS(env, close, fd);
        return HR_EXHAUSTED;
    }
    hr_sha256_init(&sha);
    while (r == HR_OK && got > 0) {
        got = OS(env, read, fd, chunk, CHUNK);
        if (got < 0)
            r = hr_fail_os(env, (int)got, "read", path);
        else
            hr_sha256_add(&sha, chunk, (size_t)got);
    }
    OS(env, close, fd);
    hr_mem_put(env, chunk, CHUNK);
    if (r < 0)
        return r;
    if (ret_size)
        *ret_size = sha.bytes;
    hr_sha256_end(&sha, ret);
    return HR_OK;
}

/* -- paths ----------------------------------------------------------------- */

hr_status hr_path_part(struct hr_env *env, const char *path, char *ret)
{
    size_t n = strlen(path);
    uint32_t chance = 0;

    if (n + sizeof ".12345678~" > HR_MAX_PATH)
        return hr_fail(env, HR_INVALID, "the name \"%s\" is too long", path);
    OS(env, random, &chance, sizeof chance);
    memmove(ret, path, n);
    snprintf(ret + n, HR_MAX_PATH - n, ".%08x~", (unsigned)chance);
    return HR_OK;
}

bool hr_path_is_part(const char *name)
{
    size_t n = strlen(name);

    return n > 10 && name[n - 1] == '~' && name[n - 10] == '.' &&
           strspn(name + n - 9, "0123456789abcdef") == 8;
}

hr_status hr_path_join(struct hr_env *env, const char *a, const char *b, char *to)
{
    size_t na = b[0] == '/' ? 0 : strlen(a), nb = strlen(b);
    bool slash = na && a[na - 1] != '/' && nb;

    if (na + slash + nb >= HR_MAX_PATH)
        return hr_fail(env, HR_INVALID, "the path \"%s/%s\" is too long", a, b);
    memmove(to, a, na);
    if (slash)
        to[na++] = '/';
    memcpy(to + na, b, nb + 1);
    return HR_OK;
}

const char *hr_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void hr_path_dir(const char *path, char *to)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    if (!slash) {
        to[0] = '.';
        to[1] = '\0';
        return;
    }
    if (!n)
        n = 1;
    if (n >= HR_MAX_PATH)
        n = HR_MAX_PATH - 1;
    memmove(to, path, n);
    to[n] = '\0';
}
