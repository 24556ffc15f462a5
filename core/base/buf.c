#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"

static char empty[1];

static hr_status grow(struct hr_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 32;
    char *text;

    while (cap < need)
        cap = cap <= SIZE_MAX / 2 ? cap * 2 : need;
    text = b->alloc(b->user, b->cap ? b->text : NULL, b->cap, cap);
    if (!text)
        return HR_EXHAUSTED;
    b->text = text;
    b->cap = cap;
    return HR_OK;
}

void hr_buf_init(struct hr_buf *b, size_t max, hr_alloc *alloc, void *user)
{
    assert(max < SIZE_MAX);
    *b = (struct hr_buf){ .text = empty, .max = max, .alloc = alloc, .user = user };
}

void hr_buf_of(struct hr_buf *b, size_t max, const struct hr_env *env)
{
    hr_buf_init(b, max, env->alloc, env->alloc_user);
}

void hr_buf_clear(struct hr_buf *b)
{
    assert(hr_buf_sane(b));
    if (b->cap)
        b->alloc(b->user, b->text, b->cap, 0);
    hr_buf_init(b, b->max, b->alloc, b->user);
}

void hr_buf_cut(struct hr_buf *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
    b->lost = false;
    if (b->cap)
        b->text[len] = '\0';
}

bool hr_buf_whole(const struct hr_buf *b)
{
    return !b->lost;
}

hr_status hr_buf_room(struct hr_buf *b, size_t n, char **ret)
{
    assert(hr_buf_sane(b));
    if (b->lost || n > b->max - b->len || /* cannot wrap: len <= max */
        (b->len + n >= b->cap && grow(b, b->len + n + 1) < 0)) {
        b->lost = true;
        return HR_EXHAUSTED;
    }
    *ret = b->text + b->len;
    b->len += n;
    b->text[b->len] = '\0';
    return HR_OK;
}

hr_status hr_buf_add(struct hr_buf *b, const void *bytes, size_t n)
{
    hr_status r;
    char *to;

    if (!n)
        return b->lost ? HR_EXHAUSTED : HR_OK;
    if ((r = hr_buf_room(b, n, &to)) < 0)
        return r;
    memcpy(to, bytes, n);
    return HR_OK;
}

hr_status hr_buf_text(struct hr_buf *b, const char *text)
{
    return hr_buf_add(b, text, strlen(text));
}

hr_status hr_buf_char(struct hr_buf *b, char c)
{
    return hr_buf_add(b, &c, 1);
}

hr_status hr_buf_vformat(struct hr_buf *b, const char *format, va_list args)
{
    char small[256];
    size_t from = b->len;
    va_list again;
    hr_status r;
    char *to;
    int n;

    va_copy(again, args);
    n = vsnprintf(small, sizeof small, format, args);
    if (n < 0) {
        b->lost = true;
        r = HR_INTERNAL;
    } else if ((size_t)n < sizeof small)
        r = hr_buf_add(b, small, (size_t)n);
    else if ((r = hr_buf_room(b, (size_t)n, &to)) == HR_OK)
        vsnprintf(b->text + from, (size_t)n + 1, format, again);
    va_end(again);
    return r;
}

hr_status hr_buf_format(struct hr_buf *b, const char *format, ...)
{
    va_list args;
    hr_status r;

    va_start(args, format);
    r = hr_buf_vformat(b, format, args);
    va_end(args);
    return r;
}

bool hr_buf_sane(const struct hr_buf *b)
{
    if (!b->text || b->len > b->max || b->text[b->len])
        return false;
    return b->cap ? b->len < b->cap : b->text == empty && !b->len;
}
