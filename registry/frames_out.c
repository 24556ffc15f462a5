/* Bytes gather in a batch; a full one is read and made into frames by all threads, while the one
 * before is digested by one of them and given to the sink by another. */
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "registry/frames.h"
#include "registry/registry.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum {
    BATCH = 4, /* frames: as much as keeps a thread busy longer than it takes to start */
    BLOCK = 1 << 17,
    HEAD = 14,                         /* of a stored frame */
    ROOM = HR_FRAME + (HR_FRAME >> 7), /* for a frame that is tried */
    LEVEL = 3,
    SAMPLE = 1 << 15,
    MARKS = 4096
};

/* Bytes of a batch that a digest is told of. */
struct mark {
    struct hr_sha256 *digest;
    size_t from, to;
};

struct batch {
    char *bytes, *frames;
    size_t len, sizes[BATCH];
    size_t count; /* frames that were made */
    struct mark marks[MARKS];
    size_t mark_count;
    int fd; /* bytes from..to are still to be read of this file, from place at on */
    const char *path;
    uint64_t at;
    size_t from, to;
};

struct hr_frames_out {
    struct hr_env *env;
    struct hr_sink sink;
    uint64_t taken, given; /* of this section: content, and bytes of the file, that were written */
    struct batch batches[2], *now, *before; /* before: read and made, no more */
};

hr_status hr_frames_create(struct hr_env *env, const char *path, enum hr_sink_from from,
                           struct hr_frames_out **ret)
{
    struct hr_frames_out *out = hr_mem_zero(env, sizeof *out);
    hr_status r;
    int i;

    if (!out)
        return HR_EXHAUSTED;
    out->env = env;
    out->now = &out->batches[0];
    out->before = &out->batches[1];
    r = hr_sink_open(&out->sink, env, path, from);
    for (i = 0; i < 2 && r == HR_OK; i++) {
        out->batches[i].bytes = hr_mem_resize(env, NULL, 0, BATCH * (size_t)HR_FRAME);
        out->batches[i].frames = hr_mem_resize(env, NULL, 0, BATCH * (size_t)ROOM);
        if (!out->batches[i].bytes || !out->batches[i].frames)
            r = HR_EXHAUSTED;
    }
    if (r < 0)
        hr_frames_drop(out);
    else
        *ret = out;
    return r;
}

static hr_status put_away(struct hr_frames_out *out)
{
    hr_status r = hr_sink_close(&out->sink);
    int i;

    for (i = 0; i < 2; i++) {
        hr_mem_put(out->env, out->batches[i].bytes, BATCH * (size_t)HR_FRAME);
        hr_mem_put(out->env, out->batches[i].frames, BATCH * (size_t)ROOM);
    }
    hr_mem_put(out->env, out, sizeof *out);
    return r;
}

void hr_frames_drop(struct hr_frames_out *out)
{
    struct hr_env *env;
    size_t kept;

    if (!out)
        return;
    env = out->env;
    kept = env->errors.count;
    put_away(out);
    hr_errors_cut(env, kept); /* what made it be dropped was told */
}

/* -- frames ---------------------------------------------------------------- */

/* A frame of n bytes as they are: the length of it, and it. */
static size_t stored_size(size_t n)
{
    return HEAD + n + 3 * ((n + BLOCK - 1) / BLOCK);
}

static hr_status store(struct hr_sink *to, const char *p, size_t n)
{
    char head[HEAD] = { 0x28, (char)0xb5, 0x2f, (char)0xfd, (char)0xc0, 0x38 };
    hr_status r;
    int i;

    for (i = 0; i < 8; i++)
        head[6 + i] = (char)((uint64_t)n >> (8 * i));
    r = hr_sink_add(to, head, sizeof head);
    while (n && r == HR_OK) {
        size_t part = n < BLOCK ? n : BLOCK, three = part << 3 | (part == n);

        for (i = 0; i < 3; i++)
            head[i] = (char)(three >> (8 * i));
        r = hr_sink_add(to, head, 3);
        if (r == HR_OK)
            r = hr_sink_add(to, p, part);
        p += part;
        n -= part;
    }
    return r;
}

static bool lacks_memory(size_t size)
{
    return ZSTD_isError(size) && ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation;
}

/* Does a piece of n bytes seem to shrink, by the size that its beginning has now?  One that keeps
 * 7/8 speaks for the rest, as it does in weights and in what is compressed already. */
static bool shrinks(size_t size, size_t n)
{
    size_t part = n < SAMPLE ? n : SAMPLE;

    return part < SAMPLE || (!ZSTD_isError(size) && size < part - part / 8);
}

/* *ret 0: it is to be stored.  Without memory that is told, not stored: equal content gives equal
 * bytes. */
static hr_status make_frame(struct hr_env *env, const char *p, size_t n, char *to, size_t *ret)
{
    size_t size = ZSTD_compress(to, ROOM, p, n < SAMPLE ? n : SAMPLE, 1);

    if (!lacks_memory(size) && shrinks(size, n))
        size = ZSTD_compress(to, ROOM, p, n, LEVEL);
    else if (!lacks_memory(size))
        size = n;
    if (lacks_memory(size))
        return hr_fail_memory(env);
    *ret = ZSTD_isError(size) || size >= n ? 0 : size;
    return HR_OK;
}

static void tell_digests(struct batch *b)
{
    size_t k;

    for (k = 0; k < b->mark_count; k++)
        hr_sha256_add(b->marks[k].digest, b->bytes + b->marks[k].from,
                      b->marks[k].to - b->marks[k].from);
    b->mark_count = 0;
}

/* A frame that would make its section swell more than its part of what a reader takes is stored
 * instead: what stands in one section never changes how another one looks. */
static hr_status write_frame(struct hr_frames_out *out, struct batch *b, size_t i)
{
    size_t at = i * HR_FRAME, n = b->len - at < HR_FRAME ? b->len - at : HR_FRAME;
    size_t size = b->sizes[i] ? b->sizes[i] : stored_size(n);
    bool swells = out->taken + n >
                  HR_PACKAGE_FREE / HR_FRAMES_SECTIONS + (out->given + size) * HR_PACKAGE_RATIO;

    out->taken += n;
    out->given += swells ? stored_size(n) : size;
    return b->sizes[i] && !swells ? hr_sink_add(&out->sink, b->frames + i * ROOM, size)
                                  : store(&out->sink, b->bytes + at, n);
}

static hr_status write_frames(struct hr_frames_out *out, struct batch *b)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < b->count && r == HR_OK; i++)
        r = write_frame(out, b, i);
    return r;
}

/* Read what of bytes from..to is still to be read. */
static hr_status fetch(struct hr_frames_out *out, struct batch *b, size_t from, size_t to)
{
    from = from > b->from ? from : b->from;
    to = to < b->to ? to : b->to;
    return from < to ? hr_fd_read_at(out->env, b->fd, b->path, b->bytes + from, to - from,
                                     b->at + (from - b->from))
                     : HR_OK;
}

/* Item 0 tells the digests of the batch before, item 1 writes it, the others make frames. */
static hr_status do_item(void *user, size_t i)
{
    struct hr_frames_out *out = user;
    struct batch *b = out->now;
    hr_status r;
    size_t at, n;

    if (i == 1)
        return write_frames(out, out->before);
    if (i == 0) {
        tell_digests(out->before);
        return HR_OK;
    }
    i -= 2;
    at = i * HR_FRAME;
    n = b->len - at < HR_FRAME ? b->len - at : HR_FRAME;
    if ((r = fetch(out, b, at, at + n)) == HR_OK)
        r = make_frame(out->env, b->bytes + at, n, b->frames + i * ROOM, &b->sizes[i]);
    return r;
}

static hr_status turn(struct hr_frames_out *out)
{
    struct batch *b = out->now;
    hr_status r;

    b->count = (b->len + HR_FRAME - 1) / HR_FRAME;
    r = hr_work(out->env, 2 + b->count, do_item, out);
    out->now = out->before;
    out->before = b;
    b->from = b->to = 0;
    out->now->len = out->now->count = out->now->mark_count = 0;
    return r;
}

/* -- adding ---------------------------------------------------------------- */

static void mark(struct batch *b, struct hr_sha256 *digest, size_t n)
{
    if (digest)
        b->marks[b->mark_count++] = (struct mark){ digest, b->len, b->len + n };
    b->len += n;
}

/* Where frames are cut depends on the bytes alone, so a batch turns when it is full only. */
static hr_status room(struct hr_frames_out *out, size_t *ret)
{
    hr_status r = HR_OK;

    if (out->now->len == BATCH * (size_t)HR_FRAME)
        r = turn(out);
    if (out->now->mark_count == MARKS) { /* all of which has been read, of files that have ended */
        tell_digests(out->before);
        tell_digests(out->now);
    }
    *ret = BATCH * (size_t)HR_FRAME - out->now->len;
    return r == HR_OK && hr_cancelled(out->env) ? HR_CANCELLED : r;
}

hr_status hr_frames_add(struct hr_frames_out *out, const void *bytes, size_t n,
                        struct hr_sha256 *digest)
{
    const char *p = bytes;
    hr_status r;
    size_t part;

    while (n) {
        if ((r = room(out, &part)) < 0)
            return r;
        part = n < part ? n : part;
        memcpy(out->now->bytes + out->now->len, p, part);
        mark(out->now, digest, part);
        p += part;
        n -= part;
    }
    return HR_OK;
}

/* Batches that are full read it themselves, the last one here, while the file is open. */
hr_status hr_frames_copy(struct hr_frames_out *out, int fd, const char *path, uint64_t size,
                         struct hr_sha256 *digest)
{
    struct batch *b;
    uint64_t at = 0;
    hr_status r;
    size_t part;

    while (at < size) {
        if ((r = room(out, &part)) < 0)
            return r;
        b = out->now;
        part = size - at < part ? (size_t)(size - at) : part;
        b->fd = fd;
        b->path = path;
        b->at = at;
        b->from = b->len;
        b->to = b->len + part;
        mark(b, digest, part);
        at += part;
    }
    b = out->now;
    r = fetch(out, b, b->from, b->to);
    b->from = b->to = 0;
    return r;
}

static hr_status flush(struct hr_frames_out *out)
{
    hr_status r = turn(out);

    return r < 0 ? r : turn(out); /* the second digests and writes what the first has made */
}

hr_status hr_frames_leave(struct hr_frames_out *out)
{
    memset(out->now->frames, 0, HR_FRAMES_ALIGN);
    return hr_sink_add(&out->sink, out->now->frames, HR_FRAMES_ALIGN);
}

hr_status hr_frames_section(struct hr_frames_out *out)
{
    hr_status r = flush(out);

    out->taken = out->given = 0;
    return r;
}

hr_status hr_frames_align(struct hr_frames_out *out)
{
    hr_status r = hr_frames_section(out);
    char *gap = out->now->frames; /* of a batch that has none */
    size_t n = hr_frames_gap(out->sink.size, gap);

    return r < 0 ? r : hr_sink_add(&out->sink, gap, n);
}

uint64_t hr_frames_size(const struct hr_frames_out *out)
{
    return out->sink.size;
}

hr_status hr_frames_store(struct hr_frames_out *out, const void *bytes, size_t n)
{
    const char *p = bytes;
    hr_status r = HR_OK;

    while (n && r == HR_OK) {
        size_t part = n < HR_FRAME ? n : HR_FRAME;

        r = store(&out->sink, p, part);
        out->taken += part;
        out->given += stored_size(part);
        p += part;
        n -= part;
    }
    return r;
}

hr_status hr_frames_patch(struct hr_env *env, const char *path, const void *bytes, size_t n)
{
    struct hr_sink sink;
    const char *p = bytes;
    hr_status r = hr_sink_open(&sink, env, path, HR_SINK_START), closed;
    int e;

    if (r < 0)
        return r;
    while (n && r == HR_OK) {
        size_t part = n < HR_FRAME ? n : HR_FRAME;

        r = store(&sink, p, part);
        p += part;
        n -= part;
    }
    if (r == HR_OK)
        r = hr_sink_flush(&sink);
    if (r == HR_OK && (e = OS(env, sync, sink.fd)) < 0)
        r = hr_fail_os(env, e, "sync", path);
    closed = hr_sink_close(&sink);
    return r < 0 ? r : closed;
}

hr_status hr_frames_close(struct hr_frames_out *out)
{
    hr_status r = flush(out), closed;

    if (r == HR_OK)
        r = hr_sink_flush(&out->sink);
    closed = put_away(out);
    return r < 0 ? r : closed;
}
