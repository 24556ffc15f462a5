#include "wire/tfrecord.h"

#include <limits.h>
#include <string.h>

#include <zlib.h>

enum {
    HEAD = 12,
    TAIL = 4,
    MEMBER = 1 << 20, /* of records in one gzip member */
    WINDOW = 1 << 18  /* got from zlib at once */
};

uint32_t hr_tfrecord_mask(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* zlib's memory comes from the env. */
static void *z_alloc(void *user, unsigned items, unsigned size)
{
    struct hr_env *env = user;
    size_t n = (size_t)items * size;
    uint64_t *p = env->alloc(env->alloc_user, NULL, 0, n + 16);

    if (!p)
        return NULL;
    p[0] = n + 16;
    return p + 2;
}

static void z_free(void *user, void *p)
{
    struct hr_env *env = user;
    uint64_t *head = (uint64_t *)p - 2;

    if (p)
        env->alloc(env->alloc_user, head, head[0], 0);
}

/* -- reading ----------------------------------------------------------------------- */

struct hr_tfrecords {
    struct hr_env *env;
    char *name;
    struct hr_map map; /* of open() */
    size_t passed;     /* of it, let go */
    const uint8_t *in; /* what is not yet read of the file */
    size_t left;
    uint64_t record; /* number of the next, from 0 */
    bool gzip, z_open, z_end;
    z_stream z;
    struct hr_buf plain; /* inflated, not yet given away from plain_at on */
    size_t plain_at;
};

static hr_status damaged(struct hr_tfrecords *t, const char *why)
{
    return hr_fail(t->env, HR_DATA_LOSS,
                   "\"%s\": record %llu %s; the file is damaged, make it again", t->name,
                   (unsigned long long)t->record, why);
}

hr_status hr_tfrecords_over(struct hr_env *env, const char *name, const void *bytes, size_t n,
                            struct hr_tfrecords **ret)
{
    struct hr_tfrecords *t = hr_mem_zero(env, sizeof *t);

    if (!t)
        return HR_EXHAUSTED;
    t->env = env;
    t->in = bytes;
    t->left = n;
    t->gzip = n >= 2 && t->in[0] == 0x1f && t->in[1] == 0x8b;
    hr_buf_of(&t->plain, HR_MAX_VALUE_BYTES + 2 * WINDOW, env);
    if (!(t->name = hr_mem_text(env, name))) {
        hr_tfrecords_close(t);
        return HR_EXHAUSTED;
    }
    *ret = t;
    return HR_OK;
}

hr_status hr_tfrecords_open(struct hr_env *env, const char *path, struct hr_tfrecords **ret)
{
    struct hr_map map;
    hr_status r = hr_file_map(env, path, &map);

    if (r < 0)
        return r;
    if ((r = hr_tfrecords_over(env, path, map.data, map.size, ret)) < 0)
        hr_file_unmap(env, &map);
    else
        (*ret)->map = map;
    return r;
}

void hr_tfrecords_close(struct hr_tfrecords *t)
{
    if (!t)
        return;
    if (t->z_open)
        inflateEnd(&t->z);
    if (t->map.size)
        hr_file_unmap(t->env, &t->map);
    hr_buf_clear(&t->plain);
    hr_mem_text_put(t->env, t->name);
    hr_mem_put(t->env, t, sizeof *t);
}

/* One step of inflating; *ret_end: there is no more. */
static hr_status inflate_some(struct hr_tfrecords *t, bool *ret_end)
{
    uInt given = t->left < INT_MAX ? (uInt)t->left : INT_MAX;
    char *room;
    int z;

    *ret_end = false;
    if (t->z_end || !t->z_open) {
        if (!t->left) {
            *ret_end = true;
            return HR_OK;
        }
        t->z.zalloc = z_alloc;
        t->z.zfree = z_free;
        t->z.opaque = t->env;
        z = t->z_open ? inflateReset2(&t->z, 15 + 16) : inflateInit2(&t->z, 15 + 16);
        if (z != Z_OK)
            return hr_fail_memory(t->env);
        t->z_open = true;
        t->z_end = false;
    }
    if (hr_buf_room(&t->plain, WINDOW, &room) < 0)
        return hr_fail_memory(t->env);
    t->z.next_in = (Bytef *)(uintptr_t)t->in;
    t->z.avail_in = given;
    t->z.next_out = (Bytef *)room;
    t->z.avail_out = WINDOW;
    z = inflate(&t->z, Z_NO_FLUSH);
    hr_buf_cut(&t->plain, t->plain.len - t->z.avail_out);
    t->in += given - t->z.avail_in;
    t->left -= given - t->z.avail_in;
    t->z_end = z == Z_STREAM_END;
    if (z == Z_MEM_ERROR)
        return hr_fail_memory(t->env);
    if (z == Z_BUF_ERROR)
        return damaged(t, "is not whole: the gzip stream ends too early");
    if (z != Z_OK && z != Z_STREAM_END)
        return damaged(t, "cannot be inflated: the gzip stream is not valid");
    return HR_OK;
}

/* n bytes at *ret, or as many as there are: *ret_n. */
static hr_status want(struct hr_tfrecords *t, size_t n, const uint8_t **ret, size_t *ret_n)
{
    bool end = false;
    hr_status r = HR_OK;

    if (!t->gzip) {
        *ret = t->in;
        *ret_n = n < t->left ? n : t->left;
        return HR_OK;
    }
    while (r == HR_OK && !end && t->plain.len - t->plain_at < n)
        r = inflate_some(t, &end);
    *ret = (const uint8_t *)t->plain.text + t->plain_at;
    *ret_n = t->plain.len - t->plain_at < n ? t->plain.len - t->plain_at : n;
    return r;
}

/* Move what is not given away to the front, once the rest is worth it. */
static void make_room(struct hr_tfrecords *t)
{
    if (t->plain_at < WINDOW && t->plain_at < t->plain.len)
        return;
    memmove(t->plain.text, t->plain.text + t->plain_at, t->plain.len - t->plain_at);
    hr_buf_cut(&t->plain, t->plain.len - t->plain_at);
    t->plain_at = 0;
}

/* What was given away is not needed any more; a good piece of it at a time. */
static void let_go(struct hr_tfrecords *t)
{
    enum { PIECE = 1 << 20 };
    size_t at = t->map.size - t->left;

    if (!t->map.size || at - t->passed < PIECE)
        return;
    hr_map_passed(t->env->os, &t->map, t->passed, at);
    t->passed = at;
}

hr_status hr_tfrecords_next(struct hr_tfrecords *t, const uint8_t **ret, size_t *ret_size)
{
    const uint8_t *p;
    size_t n, got;
    hr_status r;

    *ret = NULL;
    let_go(t);
    make_room(t);
    if ((r = want(t, HEAD, &p, &got)) < 0 || !got)
        return r;
    if (got < HEAD)
        return damaged(t, "is cut off in its head");
    if (hr_tfrecord_mask(hr_crc32c(0, p, 8)) != get32(p + 8))
        return damaged(t, "has a wrong checksum of its length (is it a TFRecord file?)");
    if (get32(p + 4) || get32(p) > HR_MAX_VALUE_BYTES)
        return damaged(t, "is longer than 1 GiB");
    n = get32(p);
    if ((r = want(t, HEAD + n + TAIL, &p, &got)) < 0)
        return r;
    if (got < HEAD + n + TAIL)
        return damaged(t, "is cut off");
    if (hr_tfrecord_mask(hr_crc32c(0, p + HEAD, n)) != get32(p + HEAD + n))
        return damaged(t, "has a wrong checksum");
    if (t->gzip) {
        t->plain_at += HEAD + n + TAIL;
    } else {
        t->in += HEAD + n + TAIL;
        t->left -= HEAD + n + TAIL;
    }
    t->record++;
    *ret = p + HEAD;
    *ret_size = n;
    return HR_OK;
}

/* -- writing ----------------------------------------------------------------------- */

struct hr_tfrecord_out {
    struct hr_env *env;
    struct hr_out *out;
    bool gzip;
    struct hr_buf records, packed; /* of one member */
};

hr_status hr_tfrecord_frame(struct hr_buf *to, const void *bytes, size_t n)
{
    uint8_t head[HEAD] = { 0 }, tail[TAIL];
    hr_status r;

    if (n > HR_MAX_VALUE_BYTES)
        return HR_EXHAUSTED;
    put32(head, (uint32_t)n);
    put32(head + 8, hr_tfrecord_mask(hr_crc32c(0, head, 8)));
    put32(tail, hr_tfrecord_mask(hr_crc32c(0, bytes, n)));
    if ((r = hr_buf_add(to, head, HEAD)) < 0 || (r = hr_buf_add(to, bytes, n)) < 0)
        return r;
    return hr_buf_add(to, tail, TAIL);
}

hr_status hr_gzip_member(struct hr_env *env, const void *bytes, size_t n, struct hr_buf *to)
{
    z_stream z = { .zalloc = z_alloc, .zfree = z_free, .opaque = env };
    gz_header head = { .os = 255 }; /* unknown: the same on every machine */
    hr_status r = HR_OK;
    size_t most;
    char *room;

    if (n > UINT_MAX / 2)
        return hr_fail(env, HR_EXHAUSTED, "a gzip member would pass 2 GiB");
    if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return hr_fail_memory(env);
    deflateSetHeader(&z, &head);
    most = deflateBound(&z, (uLong)n);
    if (most > UINT_MAX || hr_buf_room(to, most, &room) < 0) {
        r = hr_fail_memory(env);
    } else {
        z.next_in = (Bytef *)(uintptr_t)bytes;
        z.avail_in = (uInt)n;
        z.next_out = (Bytef *)room;
        z.avail_out = (uInt)most;
        if (deflate(&z, Z_FINISH) != Z_STREAM_END)
            r = hr_fail(env, HR_INTERNAL, "zlib does not keep its bound");
        hr_buf_cut(to, to->len - z.avail_out);
    }
    deflateEnd(&z);
    return r;
}

hr_status hr_tfrecord_create(struct hr_env *env, const char *path, bool gzip,
                             struct hr_tfrecord_out **ret)
{
    struct hr_tfrecord_out *out = hr_mem_zero(env, sizeof *out);
    hr_status r;

    if (!out)
        return HR_EXHAUSTED;
    out->env = env;
    out->gzip = gzip;
    hr_buf_of(&out->records, HR_MAX_VALUE_BYTES + 2 * MEMBER, env);
    hr_buf_of(&out->packed, (size_t)2 * HR_MAX_VALUE_BYTES, env);
    if ((r = hr_out_open(env, path, &out->out)) < 0) {
        hr_mem_put(env, out, sizeof *out);
        return r;
    }
    *ret = out;
    return HR_OK;
}

static hr_status write_member(struct hr_tfrecord_out *out)
{
    hr_status r = HR_OK;

    hr_buf_cut(&out->packed, 0);
    if (!out->gzip)
        r = hr_out_add(out->out, out->records.text, out->records.len);
    else if ((r = hr_gzip_member(out->env, out->records.text, out->records.len, &out->packed)) ==
             HR_OK)
        r = hr_out_add(out->out, out->packed.text, out->packed.len);
    hr_buf_cut(&out->records, 0);
    return r;
}

hr_status hr_tfrecord_add(struct hr_tfrecord_out *out, const void *bytes, size_t n)
{
    hr_status r = hr_tfrecord_frame(&out->records, bytes, n);

    if (r < 0)
        return hr_fail(out->env, r,
                       "a record of %zu bytes cannot be written: it passes 1 GiB, or "
                       "memory is short",
                       n);
    return out->records.len < MEMBER ? HR_OK : write_member(out);
}

hr_status hr_tfrecord_end(struct hr_tfrecord_out *out)
{
    /* a file of no records is one empty member: gzip tools take it */
    hr_status r =
        out->records.len || (out->gzip && !hr_out_size(out->out)) ? write_member(out) : HR_OK;
    struct hr_out *file = out->out;
    hr_status closed;

    out->out = NULL;
    closed = r < 0 ? (hr_out_drop(file), HR_OK) : hr_out_close(file, false);
    hr_tfrecord_drop(out);
    return r < 0 ? r : closed;
}

void hr_tfrecord_drop(struct hr_tfrecord_out *out)
{
    if (!out)
        return;
    hr_out_drop(out->out);
    hr_buf_clear(&out->records);
    hr_buf_clear(&out->packed);
    hr_mem_put(out->env, out, sizeof *out);
}
