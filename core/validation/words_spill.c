#include "validation/words_spill.h"

#include <stdio.h>
#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { HEAD = 16, PIECES = 1 << 24 };
#define SPILL_BYTES UINT32_C(0x80000000)
#define SPILL_MOST (SPILL_BYTES - 1)
#define PART_MOST ((size_t)1 << 40)

/* Where entries are in the file. */
struct piece {
    uint64_t at;
    size_t size;
};

struct part {
    char *bytes; /* not in the file yet */
    size_t n, cap;
    struct piece *pieces;
    size_t n_pieces, cap_pieces;
};

struct hr_spill {
    char *dir; /* NULL: memory alone */
    int fd;    /* -1: no file yet */
    uint64_t size;
    struct part parts[HR_SPILL_PARTS];
};

struct hr_spill *hr_spill_new(struct hr_env *env, const char *dir)
{
    struct hr_spill *s = hr_mem_zero(env, sizeof *s);

    if (!s)
        return NULL;
    s->fd = -1;
    if (dir && !(s->dir = hr_mem_text(env, dir))) {
        hr_mem_put(env, s, sizeof *s);
        return NULL;
    }
    return s;
}

void hr_spill_free(struct hr_env *env, struct hr_spill *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < HR_SPILL_PARTS; i++) {
        hr_mem_put(env, s->parts[i].bytes, s->parts[i].cap);
        hr_mem_put(env, s->parts[i].pieces,
                   s->parts[i].cap_pieces * sizeof *s->parts[i].pieces);
    }
    if (s->fd >= 0)
        OS(env, close, s->fd);
    hr_mem_text_put(env, s->dir);
    hr_mem_put(env, s, sizeof *s);
}

/* -- the file ------------------------------------------------------------------------ */

/* A name that nobody else has, and that is gone at once. */
static hr_status open_file(struct hr_env *env, struct hr_spill *s)
{
    enum { FLAGS = HR_OPEN_WRITE | HR_OPEN_CREATE | HR_OPEN_EXCLUSIVE };
    char name[40], path[HR_MAX_PATH];
    uint64_t chance = 0;
    hr_status r;
    int fd;

    fd = OS(env, random, &chance, sizeof chance);
    if (fd < 0)
        return hr_fail_os(env, fd, "take chance for a file in", s->dir);
    snprintf(name, sizeof name, "words-%016llx", (unsigned long long)chance);
    if ((r = hr_path_join(env, s->dir, name, path)) < 0)
        return r;
    fd = OS(env, open, path, FLAGS, 0600);
    if (fd < 0)
        return hr_fail_os(env, fd, "make", path);
    OS(env, unlink, path);
    s->fd = fd;
    return HR_OK;
}

/* What a part has in memory, to the end of the file. */
static hr_status write_piece(struct hr_env *env, struct hr_spill *s, struct part *p)
{
    hr_status r = s->fd < 0 ? open_file(env, s) : HR_OK;

    if (r < 0)
        return r;
    if (!hr_mem_reserve(env, (void **)&p->pieces, &p->cap_pieces, p->n_pieces + 1,
                        sizeof *p->pieces, PIECES))
        return HR_EXHAUSTED;
    if ((r = hr_fd_write(env, s->fd, s->dir, p->bytes, p->n)) < 0)
        return r;
    p->pieces[p->n_pieces++] = (struct piece){ s->size, p->n };
    s->size += p->n;
    p->n = 0;
    if (p->cap > 4 * (size_t)HR_SPILL_PIECE) { /* a long text was in it */
        hr_mem_put(env, p->bytes, p->cap);
        p->bytes = NULL;
        p->cap = 0;
    }
    return HR_OK;
}

static hr_status read_piece(struct hr_env *env, const struct hr_spill *s, struct piece piece,
                            char *to)
{
    size_t n;

    for (n = 0; n < piece.size;) {
        int64_t got = OS(env, pread, s->fd, to + n, piece.size - n, piece.at + n);

        if (got < 0)
            return hr_fail_os(env, (int)got, "read what was put aside in", s->dir);
        if (!got)
            return hr_fail(env, HR_DATA_LOSS, "what was put aside in \"%s\" is cut short", s->dir);
        n += (size_t)got;
    }
    return HR_OK;
}

/* -- entries ------------------------------------------------------------------------- */

/* Room for n more bytes at the end of a part. */
static hr_status make_room(struct hr_env *env, struct hr_spill *s, struct part *p, size_t n)
{
    hr_status r;

    if (s->dir && p->n && n > HR_SPILL_PIECE - (p->n < HR_SPILL_PIECE ? p->n : HR_SPILL_PIECE)) {
        r = write_piece(env, s, p);
        if (r < 0)
            return r;
    }
    if (p->cap - p->n < n &&
        !hr_mem_reserve(env, (void **)&p->bytes, &p->cap,
                        p->n + n < HR_SPILL_PIECE && s->dir ? HR_SPILL_PIECE : p->n + n, 1,
                        PART_MOST))
        return HR_EXHAUSTED;
    return HR_OK;
}

hr_status hr_spill_add(struct hr_env *env, struct hr_spill *s, const struct hr_spilled *word)
{
    struct part *p = &s->parts[word->hash / (UINT64_MAX / HR_SPILL_PARTS + 1)];
    uint64_t left = word->n;
    hr_status r;

    while (left) {
        uint32_t n = left < SPILL_MOST ? (uint32_t)left : SPILL_MOST;
        uint32_t head[2] = { word->size, n | (word->is_bytes ? SPILL_BYTES : 0) };

        if ((r = make_room(env, s, p, HEAD + (size_t)word->size)) < 0)
            return r;
        memcpy(p->bytes + p->n, &word->hash, 8);
        memcpy(p->bytes + p->n + 8, head, 8);
        memcpy(p->bytes + p->n + HEAD, word->text, word->size);
        p->n += HEAD + (size_t)word->size;
        left -= n;
    }
    return HR_OK;
}

static hr_status each_entry(struct hr_env *env, const char *bytes, size_t n,
                            hr_status (*each)(void *user, const struct hr_spilled *word),
                            void *user)
{
    const char *end = bytes + n;
    struct hr_spilled w;
    hr_status r = HR_OK;
    uint32_t head[2];

    for (; bytes < end && r == HR_OK; bytes += HEAD + (size_t)w.size) {
        if (end - bytes < HEAD)
            return hr_fail(env, HR_DATA_LOSS, "texts that were put aside are damaged");
        memcpy(&w.hash, bytes, 8);
        memcpy(head, bytes + 8, 8);
        w.size = head[0];
        w.n = head[1] & SPILL_MOST;
        w.is_bytes = head[1] & SPILL_BYTES;
        w.text = bytes + HEAD;
        if ((size_t)(end - bytes) - HEAD < w.size)
            return hr_fail(env, HR_DATA_LOSS, "texts that were put aside are damaged");
        r = each(user, &w);
    }
    return r;
}

hr_status hr_spill_read(struct hr_env *env, const struct hr_spill *s, size_t part,
                        hr_status (*each)(void *user, const struct hr_spilled *word), void *user)
{
    const struct part *p = &s->parts[part];
    char *room = NULL;
    hr_status r = HR_OK;
    size_t cap = 0, i;

    for (i = 0; i < p->n_pieces && r == HR_OK; i++) {
        if (!hr_mem_reserve(env, (void **)&room, &cap, p->pieces[i].size, 1, PART_MOST))
            r = HR_EXHAUSTED;
        if (r == HR_OK)
            r = read_piece(env, s, p->pieces[i], room);
        if (r == HR_OK)
            r = each_entry(env, room, p->pieces[i].size, each, user);
    }
    hr_mem_put(env, room, cap);
    return r == HR_OK ? each_entry(env, p->bytes, p->n, each, user) : r;
}

struct copying {
    struct hr_env *env;
    struct hr_spill *to;
};

static hr_status copy(void *user, const struct hr_spilled *word)
{
    struct copying *c = user;

    return hr_spill_add(c->env, c->to, word);
}

hr_status hr_spill_merge(struct hr_env *env, struct hr_spill *s, const struct hr_spill *other)
{
    struct copying c = { env, s };
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < HR_SPILL_PARTS && r == HR_OK; i++)
        r = hr_spill_read(env, other, i, copy, &c);
    return r;
}
