#include "wire/ipc_fb.h"

#include <string.h>

/* -- writing ----------------------------------------------------------------------- */

static void pad(struct fb_out *o, size_t align, size_t after)
{
    while (o->status == HR_OK && (o->to->len + after) % align)
        o->status = hr_buf_char(o->to, 0);
}

static size_t zeros(struct fb_out *o, size_t n)
{
    size_t at = o->to->len;
    char *room;

    if (o->status == HR_OK)
        o->status = hr_buf_room(o->to, n, &room);
    if (o->status == HR_OK)
        memset(room, 0, n);
    return at;
}

void fb_begin(struct fb_out *o, struct hr_buf *to)
{
    o->to = to;
    o->status = HR_OK;
    zeros(o, 4);
}

void fb_put(struct fb_out *o, size_t at, uint64_t v, size_t size)
{
    size_t i;

    for (i = 0; o->status == HR_OK && i < size; i++)
        o->to->text[at + i] = (char)(v >> 8 * i);
}

void fb_link(struct fb_out *o, size_t at, size_t to)
{
    fb_put(o, at, to - at, 4);
}

size_t fb_table(struct fb_out *o, const uint8_t *sizes, size_t n, size_t *fields)
{
    size_t size = 4, i, vtable, at;

    for (i = 0; i < n; i++) {
        fields[i] = 0;
        if (!sizes[i])
            continue;
        size = (size + sizes[i] - 1) / sizes[i] * sizes[i];
        fields[i] = size;
        size += sizes[i];
    }
    pad(o, 8, 4 + 2 * n); /* so that the table after the vtable stands at a multiple of 8 */
    vtable = zeros(o, 4 + 2 * n);
    at = zeros(o, size);
    fb_put(o, vtable, 4 + 2 * n, 2);
    fb_put(o, vtable + 2, size, 2);
    for (i = 0; i < n; i++) {
        fb_put(o, vtable + 4 + 2 * i, fields[i], 2);
        fields[i] += at;
    }
    fb_put(o, at, at - vtable, 4);
    return at;
}

size_t fb_vector(struct fb_out *o, size_t n, size_t size, size_t align)
{
    size_t at;

    pad(o, align > 4 ? align : 4, 4);
    at = zeros(o, 4 + n * size);
    fb_put(o, at, n, 4);
    return at;
}

size_t fb_string(struct fb_out *o, const char *text, size_t n)
{
    size_t at = fb_vector(o, n + 1, 1, 4);

    fb_put(o, at, n, 4);
    if (o->status == HR_OK && n)
        memcpy(o->to->text + at + 4, text, n);
    return at;
}

/* -- reading ----------------------------------------------------------------------- */

static bool fits(struct fb_in *in, size_t at, size_t n)
{
    if (at <= in->n && n <= in->n - at)
        return true;
    in->bad = true;
    return false;
}

uint64_t fb_number(struct fb_in *in, size_t at, size_t size)
{
    uint64_t v = 0;
    size_t i;

    if (!fits(in, at, size))
        return 0;
    for (i = size; i; i--)
        v = v << 8 | in->p[at + i - 1];
    return v;
}

static struct fb_table table(struct fb_in *in, size_t at)
{
    static const struct fb_table none;
    struct fb_table t = { .at = at };
    int64_t back = (int32_t)fb_number(in, at, 4);
    int64_t vtable = (int64_t)at - back;

    if (in->bad || vtable < 0 || !fits(in, (size_t)vtable, 4)) {
        in->bad = true;
        return none;
    }
    t.vtable = (size_t)vtable;
    t.vsize = (uint16_t)fb_number(in, t.vtable, 2);
    t.size = (uint16_t)fb_number(in, t.vtable + 2, 2);
    if (t.vsize < 4 || t.size < 4 || !fits(in, t.vtable, t.vsize) || !fits(in, at, t.size)) {
        in->bad = true;
        return none;
    }
    return t;
}

struct fb_table fb_table_at(struct fb_in *in, size_t link)
{
    return table(in, link + (size_t)fb_number(in, link, 4));
}

struct fb_table fb_root(struct fb_in *in)
{
    return fb_table_at(in, 0);
}

/* Where a field of size bytes is; 0: not there. */
static size_t place(struct fb_in *in, const struct fb_table *t, int field, size_t size)
{
    size_t slot = 4 + 2 * (size_t)field, at;

    if (!t->size || slot + 2 > t->vsize)
        return 0;
    at = (size_t)fb_number(in, t->vtable + slot, 2);
    if (!at)
        return 0;
    if (at < 4 || at + size > t->size) {
        in->bad = true;
        return 0;
    }
    return t->at + at;
}

uint64_t fb_get(struct fb_in *in, const struct fb_table *t, int field, size_t size,
                uint64_t without)
{
    size_t at = place(in, t, field, size);

    return at ? fb_number(in, at, size) : without;
}

struct fb_table fb_get_table(struct fb_in *in, const struct fb_table *t, int field)
{
    static const struct fb_table none;
    size_t at = place(in, t, field, 4);

    return at ? fb_table_at(in, at) : none;
}

size_t fb_get_vector(struct fb_in *in, const struct fb_table *t, int field, size_t size,
                     size_t *ret_n)
{
    size_t at = place(in, t, field, 4), n;

    *ret_n = 0;
    if (!at)
        return 0;
    at += (size_t)fb_number(in, at, 4);
    n = (size_t)fb_number(in, at, 4);
    if (in->bad || n > in->n / size || !fits(in, at + 4, n * size)) {
        in->bad = true;
        return 0;
    }
    *ret_n = n;
    return at + 4;
}

struct hr_slice fb_get_string(struct fb_in *in, const struct fb_table *t, int field)
{
    size_t n, at = fb_get_vector(in, t, field, 1, &n);

    return hr_slice(at ? (const char *)in->p + at : "", n);
}
