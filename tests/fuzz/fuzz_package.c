/* Packages.  An input that begins as zstd is the file, but for the gap before a large member, of
 * which it has the head alone; any other is a tar, put into frames here, so that the reader of the
 * tar is reached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void write_bytes(struct hr_env *env, int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n) {
        int64_t w = env->os->write(env->os->user, fd, p, n);

        if (w <= 0)
            abort();
        p += w;
        n -= (size_t)w;
    }
}

static void write_frames(struct hr_env *env, int fd, const uint8_t *data, size_t n)
{
    uint8_t head[17] = { 0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x38 };
    size_t i, part;

    for (; n; data += part, n -= part) {
        part = n < 1 << 17 ? n : 1 << 17;
        for (i = 0; i < 8; i++)
            head[6 + i] = (uint8_t)((uint64_t)part >> (8 * i));
        for (i = 0; i < 3; i++)
            head[14 + i] = (uint8_t)((part << 3 | 1) >> (8 * i));
        write_bytes(env, fd, head, sizeof head);
        write_bytes(env, fd, data, part);
    }
}

/* The file; behind the first head of a skippable frame as many zeros as it says, at most 256 KiB
 * of them. */
static void write_file(struct hr_env *env, int fd, const uint8_t *data, size_t n)
{
    static const uint8_t magic[4] = { 0x50, 0x2a, 0x4d, 0x18 };
    static const uint8_t zeros[1 << 18];
    const uint8_t *gap = memmem(data, n, magic, sizeof magic);
    size_t before, length;

    if (!gap || data + n - gap < 8) {
        write_bytes(env, fd, data, n);
        return;
    }
    before = (size_t)(gap + 8 - data);
    length = gap[4] | (size_t)gap[5] << 8 | (size_t)gap[6] << 16;
    write_bytes(env, fd, data, before);
    write_bytes(env, fd, zeros, length % (sizeof zeros + 1));
    write_bytes(env, fd, data + before, n - before);
}

/* What the reader says must be so: names within the grammar, sizes that come. */
struct seen {
    uint64_t size, got;
};

static hr_status member(void *user, const struct hr_member *m)
{
    struct seen *s = user;

    if (strstr(m->name, "..") == m->name && (!m->name[2] || m->name[2] == '/'))
        abort();
    if (m->name[0] == '/' || strstr(m->name, "/../"))
        abort();
    s->size = m->size;
    s->got = 0;
    return HR_OK;
}

static hr_status bytes(void *user, const void *p, size_t n)
{
    (void)p;
    ((struct seen *)user)->got += n;
    return HR_OK;
}

static hr_status end(void *user, const struct hr_member *m)
{
    struct seen *s = user;

    if (s->got != s->size || s->size != m->size)
        abort();
    return HR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
    static const struct hr_trusted_key key = {
        "fuzz", "RWQYNHMKX0V2l2TTdO8K91e08umlhtQRMSx0+N20aZp+T2W7O+rV4u0I"
    };
    struct seen seen = { 0, 0 };
    const struct hr_package_visit visit = { &seen, NULL, member, bytes, end };
    struct hr_env env;
    char path[64];
    int fd;

    hr_env_init(&env, NULL);
    fd = env.os->memfd(env.os->user, "package");
    if (fd >= 0) {
        if (n >= 4 && !memcmp(data, magic, 4))
            write_file(&env, fd, data, n);
        else
            write_frames(&env, fd, data, n);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (hr_package_scan(&env, path, &key, 1, &visit) < 0 && !env.errors.count)
            abort(); /* a refusal has a reason */
        env.os->close(env.os->user, fd);
    }
    hr_env_clear(&env);
    return 0;
}
