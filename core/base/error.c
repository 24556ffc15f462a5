#include "base/error.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"

static void lock(struct hr_errors *errors)
{
    while (__atomic_exchange_n(&errors->lock, 1, __ATOMIC_ACQUIRE))
        ;
}

static void unlock(struct hr_errors *errors)
{
    __atomic_store_n(&errors->lock, 0, __ATOMIC_RELEASE);
}

/* Like hr_mem_text(), but silent: it is called while an error is being told. */
static char *copy(struct hr_env *env, const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = env->alloc(env->alloc_user, NULL, 0, n);

    if (p)
        memcpy(p, text, n);
    return p;
}

static void drop(struct hr_env *env, struct hr_error *e)
{
    hr_mem_text_put(env, e->file);
    hr_mem_text_put(env, e->text);
    hr_mem_text_put(env, e->suggestion);
}

static bool room(struct hr_env *env)
{
    struct hr_errors *errors = &env->errors;
    size_t cap = errors->cap ? errors->cap * 2 : 8;
    struct hr_error *items;

    if (errors->count < errors->cap)
        return true;
    if (errors->count >= HR_MAX_ERRORS)
        return false;
    cap = cap < HR_MAX_ERRORS ? cap : HR_MAX_ERRORS;
    items = env->alloc(env->alloc_user, errors->items, errors->cap * sizeof *items,
                       cap * sizeof *items);
    if (!items)
        return false;
    errors->items = items;
    errors->cap = cap;
    return true;
}

/* No text ends inside a character, whatever the bytes are that it quotes; and what would move a
 * terminal's cursor or change its colours is shown, as \x1b. */
static void clean(char *text, char to[HR_MAX_ERROR_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    size_t n = strlen(text), ok, at = 0;

    while ((ok = hr_utf8_valid(text, n)) < n)
        text[ok] = '?';
    for (; *text && at < HR_MAX_ERROR_TEXT - 5; text++) {
        unsigned char c = (unsigned char)*text, next = (unsigned char)text[1];
        bool second = c == 0xc2 && next >= 0x80 && next < 0xa0; /* of C1, two bytes */

        if (second)
            c = next;
        if (second || (c < ' ' && c != '\n') || c == 127) {
            memcpy(to + at, "\\x", 2);
            to[at + 2] = hex[c >> 4];
            to[at + 3] = hex[c & 15];
            at += 4;
            text += second;
        } else {
            to[at++] = (char)c;
        }
    }
    to[at] = '\0';
    if ((ok = hr_utf8_valid(to, at)) < at) /* it was cut */
        to[ok] = '\0';
}

static hr_status add(struct hr_env *env, hr_status code, const struct hr_place *place,
                     const char *meant, char *text)
{
    struct hr_errors *errors = &env->errors;
    struct hr_error e = { .code = code };
    char shown[HR_MAX_ERROR_TEXT];

    clean(text, shown);
    lock(errors);
    if (!room(env) || !(e.text = copy(env, shown))) {
        errors->dropped++;
        unlock(errors);
        return code;
    }
    if (place) {
        e.file = place->file ? copy(env, place->file) : NULL;
        e.line = place->line;
        e.column = place->column;
    }
    if (meant)
        e.suggestion = copy(env, meant);
    errors->items[errors->count++] = e;
    unlock(errors);
    return code;
}

hr_status hr_fail(struct hr_env *env, hr_status code, const char *format, ...)
{
    char text[HR_MAX_ERROR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return add(env, code, NULL, NULL, text);
}

hr_status hr_fail_at(struct hr_env *env, hr_status code, const struct hr_place *place,
                     const char *format, ...)
{
    char text[HR_MAX_ERROR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return add(env, code, place, NULL, text);
}

hr_status hr_fail_meant(struct hr_env *env, hr_status code, const struct hr_place *place,
                        const char *meant, const char *format, ...)
{
    char text[HR_MAX_ERROR_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return add(env, code, place, meant, text);
}

hr_status hr_fail_memory(struct hr_env *env)
{
    return hr_fail(env, HR_EXHAUSTED, "no memory");
}

hr_status hr_fail_os(struct hr_env *env, int error, const char *what, const char *path)
{
    return hr_fail(env, hr_status_of_errno(-error), "cannot %s \"%s\": %s (errno %d)", what, path,
                   hr_errno_text(-error), -error);
}

void hr_errors_cut(struct hr_env *env, size_t count)
{
    struct hr_errors *errors = &env->errors;

    lock(errors);
    while (errors->count > count)
        drop(env, &errors->items[--errors->count]);
    if (!count)
        errors->dropped = 0;
    unlock(errors);
}

hr_status hr_error_format(const struct hr_error *e, struct hr_buf *to)
{
    hr_status r = HR_OK;

    if (e->file)
        r = hr_buf_format(to, "%s:", e->file);
    if (e->file && e->line && !r)
        r = hr_buf_format(to, "%d:", e->line);
    if (e->file && e->line && e->column && !r)
        r = hr_buf_format(to, "%d:", e->column);
    if (e->file && !r)
        r = hr_buf_char(to, ' ');
    if (!r)
        r = hr_buf_text(to, e->text);
    if (e->suggestion && !r)
        r = hr_buf_format(to, "; did you mean \"%s\"?", e->suggestion);
    return r;
}
