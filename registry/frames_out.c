/* Bytes gather in a batch; a full one is digested and made into frames by all threads, while
 * the one before is written.  What of a file needs no digest is read by the threads that make
 * its frames, so that reading and writing go on at the same time.  A large package goes to the
 * disk past the page cache: it has to be there before anybody is told of it, and a copy in the
 * cache would cost more than all of the above. */
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "registry/frames.h"
#include "registry/registry.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum {
    BATCH = 8, /* frames: as much as keeps a thread busy longer than it takes to start */
    BLOCK = 1 << 17,
    HEAD = 14,                                              /* of a stored frame */
    STORED = HR_FRAME + HEAD + 3 * (HR_FRAME / BLOCK + 1), /* the largest */
    LEVEL = 3,
    SAMPLE = 1 << 15,
    MARKS = 4096,
    BLOCKS = 1 << 23, /* as much is written at once */
    ALIGNED = 4096
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
    char *path;
    int fd;
    uint64_t taken, given; /* content, and bytes of the file, of frames that were written */
    struct batch batches[2], *now, *before; /* before: made, not written */
    char *memory, *block; /* what is to be written next, aligned in memory */
    size_t filled;
    bool tried, direct; /* past the page cache */
};

hr_status hr_frames_create(struct hr_env *env, const char *path, struct hr_frames_out **ret)
{
    struct hr_frames_out *out = hr_mem_zero(env, sizeof *out);
    int i, e;

    if (!out)
        return HR_EXHAUSTED;
    out->env = env;
    out->fd = -1;
    out->now = &out->batches[0];
    out->before = &out->batches[1];
    out->path = hr_mem_text(env, path);
    for (i = 0; i < 2 && out->path; i++) {
        out->batches[i].bytes = hr_mem_resize(env, NULL, 0, BATCH * (size_t)HR_FRAME);
        out->batches[i].frames = hr_mem_resize(env, NULL, 0, BATCH * (size_t)STORED);
        if (!out->batches[i].bytes || !out->batches[i].frames)
            break;
    }
    out->memory = i < 2 ? NULL : hr_mem_resize(env, NULL, 0, BLOCKS + ALIGNED);
    if (!out->memory) {
        hr_frames_drop(out);
        return HR_EXHAUSTED;
    }
    out->block = out->memory + (ALIGNED - (uintptr_t)out->memory % ALIGNED);
    out->fd = OS(env, open, path, HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_TRUNCATE, 0644);
    if ((e = out->fd) < 0) {
        hr_frames_drop(out);
        return hr_fail_os(env, e, "write", path);
    }
    *ret = out;
    return HR_OK;
}

void hr_frames_drop(struct hr_frames_out *out)
{
    int i;

    if (!out)
        return;
    if (out->fd >= 0)
        OS(out->env, close, out->fd);
    for (i = 0; i < 2; i++) {
        hr_mem_put(out->env, out->batches[i].bytes, BATCH * (size_t)HR_FRAME);
        hr_mem_put(out->env, out->batches[i].frames, BATCH * (size_t)STORED);
    }
    hr_mem_put(out->env, out->memory, BLOCKS + ALIGNED);
    hr_mem_text_put(out->env, out->path);
    hr_mem_put(out->env, out, sizeof *out);
}

/* -- writing --------------------------------------------------------------- */

/* Write the first full block past the cache, and go on so if that went well: a small package is
 * not worth it, and not every file system has it.  False: nothing was written that counts. */
static bool go_direct(struct hr_frames_out *out)
{
    int fd = OS(out->env, open, out->path, HR_OPEN_WRITE | HR_OPEN_DIRECT, 0);

    out->tried = true;
    if (fd < 0)
        return false;
    if (OS(out->env, write, fd, out->block, BLOCKS) != BLOCKS) {
        OS(out->env, close, fd); /* the other writes from the start, and tells what is wrong */
        return false;
    }
    OS(out->env, close, out->fd);
    out->fd = fd;
    return out->direct = true;
}

static hr_status write_block(struct hr_frames_out *out)
{
    hr_status r = HR_OK;

    if (out->tried || !go_direct(out))
        r = hr_fd_write(out->env, out->fd, out->path, out->block, BLOCKS);
    out->filled = 0;
    return r;
}

static hr_status put(struct hr_frames_out *out, const char *bytes, size_t n)
{
    hr_status r = HR_OK;

    while (n && r == HR_OK) {
        size_t part = BLOCKS - out->filled < n ? BLOCKS - out->filled : n;

        memcpy(out->block + out->filled, bytes, part);
        out->filled += part;
        bytes += part;
        n -= part;
        if (out->filled == BLOCKS)
            r = write_block(out);
    }
    return r;
}

/* The last block: a whole number of the disk's, and what is too much cut off again. */
static hr_status put_rest(struct hr_frames_out *out)
{
    size_t n = out->filled, more = out->direct ? (ALIGNED - n % ALIGNED) % ALIGNED : 0;
    hr_status r;
    int e;

    memset(out->block + n, 0, more);
    r = hr_fd_write(out->env, out->fd, out->path, out->block, n + more);
    out->filled = 0;
    if (r == HR_OK && more && (e = OS(out->env, truncate, out->fd, out->given)) < 0)
        r = hr_fail_os(out->env, e, "write", out->path);
    return r;
}

/* -- frames ---------------------------------------------------------------- */

static size_t store(const char *p, size_t n, char *to)
{
    static const char magic[6] = { 0x28, (char)0xb5, 0x2f, (char)0xfd, (char)0xc0, 0x38 };
    char *at = to + HEAD;
    int i;

    memcpy(to, magic, sizeof magic);
    for (i = 0; i < 8; i++)
        to[6 + i] = (char)((uint64_t)n >> (8 * i));
    while (n) {
        size_t part = n < BLOCK ? n : BLOCK, head = part << 3 | (part == n);

        for (i = 0; i < 3; i++)
            *at++ = (char)(head >> (8 * i));
        memcpy(at, p, part);
        at += part;
        p += part;
        n -= part;
    }
    return (size_t)(at - to);
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

/* Without memory it is told, not stored as it is: equal content gives equal bytes. */
static hr_status make_frame(struct hr_env *env, const char *p, size_t n, char *to, size_t *ret)
{
    size_t size = ZSTD_compress(to, STORED, p, n < SAMPLE ? n : SAMPLE, 1);

    if (!lacks_memory(size) && shrinks(size, n))
        size = ZSTD_compress(to, STORED, p, n, LEVEL);
    else if (!lacks_memory(size))
        size = n;
    if (lacks_memory(size))
        return hr_fail_memory(env);
    *ret = ZSTD_isError(size) || size >= n ? store(p, n, to) : size;
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

/* A frame that would make the whole swell more than a reader takes is stored instead. */
static hr_status write_frame(struct hr_frames_out *out, struct batch *b, size_t i)
{
    size_t at = i * HR_FRAME, n = b->len - at < HR_FRAME ? b->len - at : HR_FRAME;
    char *frame = b->frames + i * STORED;

    if (out->taken + n > HR_PACKAGE_FREE + (out->given + b->sizes[i]) * HR_PACKAGE_RATIO)
        b->sizes[i] = store(b->bytes + at, n, frame);
    out->taken += n;
    out->given += b->sizes[i];
    return put(out, frame, b->sizes[i]);
}

/* Read what of bytes from..to is still to be read. */
static hr_status fetch(struct hr_frames_out *out, struct batch *b, size_t from, size_t to)
{
    from = from > b->from ? from : b->from;
    to = to < b->to ? to : b->to;
    while (from < to) {
        int64_t got = OS(out->env, pread, b->fd, b->bytes + from, to - from,
                         b->at + (from - b->from));

        if (got < 0)
            return hr_fail_os(out->env, (int)got, "read", b->path);
        if (!got)
            return hr_fail(out->env, HR_DATA_LOSS, "\"%s\" was cut while it was packed", b->path);
        from += (size_t)got;
    }
    return HR_OK;
}

/* Item 0 tells the digests, item 1 writes the batch before, the others make frames. */
static hr_status do_item(void *user, size_t i)
{
    struct hr_frames_out *out = user;
    struct batch *b = out->now, *before = out->before;
    hr_status r = HR_OK;
    size_t k, at, n;

    if (i >= 2) {
        i -= 2;
        at = i * HR_FRAME;
        n = b->len - at < HR_FRAME ? b->len - at : HR_FRAME;
        if ((r = fetch(out, b, at, at + n)) == HR_OK)
            r = make_frame(out->env, b->bytes + at, n, b->frames + i * STORED, &b->sizes[i]);
        return r;
    }
    if (i == 0)
        tell_digests(b);
    else
        for (k = 0; k < before->count && r == HR_OK; k++)
            r = write_frame(out, before, k);
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

    if (out->now->mark_count == MARKS)
        tell_digests(out->now);
    if (out->now->len == BATCH * (size_t)HR_FRAME)
        r = turn(out);
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

/* Without a digest: batches that are full read it themselves, the last one here, while the file
 * is open. */
static hr_status copy_later(struct hr_frames_out *out, int fd, const char *path, uint64_t size)
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
        b->to = b->len += part;
        at += part;
    }
    b = out->now;
    r = fetch(out, b, b->from, b->to);
    b->from = b->to = 0;
    return r;
}

hr_status hr_frames_copy(struct hr_frames_out *out, int fd, const char *path, uint64_t size,
                         struct hr_sha256 *digest)
{
    hr_status r;
    size_t part;

    if (!digest)
        return copy_later(out, fd, path, size);
    while (size) {
        int64_t got;

        if ((r = room(out, &part)) < 0)
            return r;
        part = size < part ? (size_t)size : part;
        got = OS(out->env, read, fd, out->now->bytes + out->now->len, part);
        if (got < 0)
            return hr_fail_os(out->env, (int)got, "read", path);
        if (!got)
            return hr_fail(out->env, HR_DATA_LOSS, "\"%s\" was cut while it was packed", path);
        mark(out->now, digest, (size_t)got);
        size -= (size_t)got;
    }
    return HR_OK;
}

hr_status hr_frames_flush(struct hr_frames_out *out)
{
    hr_status r = turn(out);

    return r < 0 ? r : turn(out); /* the second writes what the first has made */
}

hr_status hr_frames_store(struct hr_frames_out *out, const void *bytes, size_t n)
{
    const char *p = bytes;
    hr_status r = HR_OK;

    while (n && r == HR_OK) {
        size_t part = n < HR_FRAME ? n : HR_FRAME, size = store(p, part, out->now->frames);

        r = put(out, out->now->frames, size);
        out->taken += part;
        out->given += size;
        p += part;
        n -= part;
    }
    return r;
}

hr_status hr_frames_patch(struct hr_env *env, const char *path, const void *bytes, size_t n)
{
    char *frame = hr_mem_resize(env, NULL, 0, STORED);
    const char *p = bytes;
    hr_status r = HR_OK;
    int fd, e;

    if (!frame)
        return HR_EXHAUSTED;
    if ((fd = OS(env, open, path, HR_OPEN_WRITE, 0)) < 0)
        r = hr_fail_os(env, fd, "write", path);
    while (n && r == HR_OK) {
        size_t part = n < HR_FRAME ? n : HR_FRAME;

        r = hr_fd_write(env, fd, path, frame, store(p, part, frame));
        p += part;
        n -= part;
    }
    if (r == HR_OK && (e = OS(env, sync, fd)) < 0)
        r = hr_fail_os(env, e, "sync", path);
    if (fd >= 0)
        OS(env, close, fd);
    hr_mem_put(env, frame, STORED);
    return r;
}

hr_status hr_frames_close(struct hr_frames_out *out)
{
    struct hr_env *env = out->env;
    hr_status r = hr_frames_flush(out);
    int e;

    if (r == HR_OK)
        r = put_rest(out);
    e = OS(env, close, out->fd);
    out->fd = -1;
    if (r == HR_OK && e < 0)
        r = hr_fail_os(env, e, "close", out->path);
    hr_frames_drop(out);
    return r;
}
