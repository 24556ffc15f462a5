#include <string.h>
#include <zstd.h>

#include "registry/frames.h"
#include "registry/registry.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* A frame of 1 MiB that did not shrink at all, with the heads of its blocks, and to spare. */
enum { HELD = HR_FRAME + (HR_FRAME >> 7) + 4096, LEAST = 18 };

struct hr_frames_in {
    struct hr_env *env;
    char *path;
    int fd;
    bool ended;               /* the file has no more */
    uint64_t taken, given;    /* bytes of frames, and what came out of them */
    uint64_t skipped;         /* bytes of the file that are no frame's */
    size_t at, held;          /* in held bytes, from at on, are not taken */
    const char *piece, *stop; /* what of the frame was not given yet */
    ZSTD_DCtx *zstd;
    char *in, *out;
};

hr_status hr_frames_open(struct hr_env *env, const char *path, struct hr_frames_in **ret)
{
    struct hr_frames_in *in = hr_mem_zero(env, sizeof *in);
    struct hr_stat st;
    int e = 0;

    if (!in)
        return HR_EXHAUSTED;
    in->env = env;
    in->fd = -1;
    if (!(in->path = hr_mem_text(env, path)) ||
        !(in->in = hr_mem_resize(env, NULL, 0, HELD)) ||
        !(in->out = hr_mem_resize(env, NULL, 0, HR_FRAME)) || !(in->zstd = ZSTD_createDCtx())) {
        hr_frames_free(in);
        return hr_fail_memory(env);
    }
    in->piece = in->stop = in->out;
    in->fd = OS(env, open, path, HR_OPEN_READ, 0);
    if (in->fd >= 0)
        e = OS(env, fstat, in->fd, &st);
    if (in->fd < 0 || e < 0 || !st.is_file) {
        e = in->fd < 0 ? in->fd : e;
        hr_frames_free(in);
        return e < 0 ? hr_fail_os(env, e, "open", path)
                     : hr_fail(env, HR_INVALID, "\"%s\" is no regular file", path);
    }
    *ret = in;
    return HR_OK;
}

void hr_frames_free(struct hr_frames_in *in)
{
    if (!in)
        return;
    if (in->fd >= 0)
        OS(in->env, close, in->fd);
    ZSTD_freeDCtx(in->zstd);
    hr_mem_put(in->env, in->in, HELD);
    hr_mem_put(in->env, in->out, HR_FRAME);
    hr_mem_text_put(in->env, in->path);
    hr_mem_put(in->env, in, sizeof *in);
}

/* Fill the buffer as far as the file goes. */
static hr_status fill(struct hr_frames_in *in)
{
    memmove(in->in, in->in + in->at, in->held - in->at);
    in->held -= in->at;
    in->at = 0;
    while (!in->ended && in->held < HELD) {
        int64_t got = OS(in->env, read, in->fd, in->in + in->held, HELD - in->held);

        if (got < 0)
            return hr_fail_os(in->env, (int)got, "read", in->path);
        in->ended = got == 0;
        in->held += (size_t)got;
    }
    return HR_OK;
}

static hr_status lost(struct hr_frames_in *in, const char *why)
{
    return hr_fail(in->env, HR_DATA_LOSS, "\"%s\" %s", in->path, why);
}

/* Is the frame at p, of n bytes at most, whole?  Its size in the file and its content's. */
static hr_status measure(struct hr_frames_in *in, const char *p, size_t n, size_t *ret_size,
                         size_t *ret_content)
{
    static const char magic[4] = { 0x28, (char)0xb5, 0x2f, (char)0xfd };
    unsigned long long content;
    size_t size;

    if (memcmp(p, magic, n < 4 ? n : 4) != 0)
        return lost(in, "has bytes that belong to no frame of zstd; it is no package, or damaged");
    content = n < LEAST ? ZSTD_CONTENTSIZE_ERROR : ZSTD_getFrameContentSize(p, n);
    size = ZSTD_findFrameCompressedSize(p, n);
    if (content == ZSTD_CONTENTSIZE_UNKNOWN)
        return lost(in, "has a frame that does not tell its size");
    if (content != ZSTD_CONTENTSIZE_ERROR && (content > HR_FRAME || !content))
        return lost(in, "has a frame that holds nothing, or more than 1 MiB");
    if (content == ZSTD_CONTENTSIZE_ERROR || ZSTD_isError(size) || size > n)
        return lost(in, n < HELD ? "is cut off or damaged: a frame is not whole"
                                 : "has a frame that is larger than what it holds");
    in->taken += size;
    in->given += content;
    if (in->given > HR_PACKAGE_FREE + in->taken * HR_PACKAGE_RATIO)
        return lost(in, "swells more than anything sensible does");
    *ret_size = size;
    *ret_content = (size_t)content;
    return HR_OK;
}

static hr_status next_frame(struct hr_frames_in *in)
{
    size_t n = in->held - in->at, size = 0, content = 0, got;
    hr_status r = HR_OK;

    /* A frame that lies whole in the buffer is taken from there. */
    if (n < LEAST || (size = ZSTD_findFrameCompressedSize(in->in + in->at, n), ZSTD_isError(size)))
        r = fill(in);
    n = in->held - in->at;
    if (r < 0 || !n)
        return r;
    if ((r = measure(in, in->in + in->at, n, &size, &content)) < 0)
        return r;
    got = ZSTD_decompressDCtx(in->zstd, in->out, HR_FRAME, in->in + in->at, size);
    if (ZSTD_isError(got) || got != content)
        return lost(in, "is damaged: a frame cannot be decompressed");
    in->at += size;
    in->piece = in->out;
    in->stop = in->out + content;
    return HR_OK;
}

hr_status hr_frames_next(struct hr_frames_in *in, size_t max, const char **ret, size_t *ret_n)
{
    hr_status r;

    if (hr_cancelled(in->env))
        return HR_CANCELLED;
    if (in->piece == in->stop && (r = next_frame(in)) < 0)
        return r;
    *ret = in->piece;
    *ret_n = (size_t)(in->stop - in->piece);
    if (*ret_n > max)
        *ret_n = max;
    in->piece += *ret_n;
    return HR_OK;
}

hr_status hr_frames_take(struct hr_frames_in *in, void *to, size_t n)
{
    char *at = to;
    const char *p;
    size_t got;
    hr_status r;

    while (n) {
        if ((r = hr_frames_next(in, n, &p, &got)) < 0)
            return r;
        if (!got)
            return lost(in, "is cut off: the tar ends in the middle");
        memcpy(at, p, got);
        at += got;
        n -= got;
    }
    return HR_OK;
}

hr_status hr_frames_aligned(struct hr_frames_in *in)
{
    char gap[HR_FRAMES_GAP];
    size_t n = hr_frames_gap(in->taken + in->skipped, gap);
    hr_status r = in->held - in->at < n ? fill(in) : HR_OK;

    if (r < 0)
        return r;
    if (in->piece != in->stop || in->held - in->at < n || memcmp(in->in + in->at, gap, n) != 0)
        return lost(in, "has a large member that does not begin where it has to");
    in->at += n;
    in->skipped += n;
    return HR_OK;
}
