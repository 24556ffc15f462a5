#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/text.h"

static void put(struct hr_json_writer *w, const char *text, size_t n)
{
    if (w->status == HR_OK)
        w->status = hr_buf_add(w->to, text, n);
}

static void line(struct hr_json_writer *w, int32_t depth)
{
    int32_t i;

    put(w, "\n", 1);
    for (i = 0; i < depth * w->indent; i++)
        put(w, " ", 1);
}

/* What stands before an element or the name of a member. */
static void before(struct hr_json_writer *w)
{
    if (!w->depth)
        return;
    if (w->some[w->depth - 1])
        put(w, ",", 1);
    if (w->indent)
        line(w, w->depth);
    else if (w->spaced && w->some[w->depth - 1])
        put(w, " ", 1);
    w->some[w->depth - 1] = true;
}

/* A value after a name is not separated once more: the name has left a mark. */
static void value(struct hr_json_writer *w)
{
    if (w->named)
        w->named = false;
    else
        before(w);
}

void hr_json_begin(struct hr_json_writer *w, struct hr_buf *to, int32_t indent)
{
    memset(w, 0, sizeof *w);
    w->to = to;
    w->indent = indent;
}

hr_status hr_json_end(struct hr_json_writer *w)
{
    assert(w->status < 0 || !w->depth);
    return w->status;
}

static void put_escaped(struct hr_json_writer *w, int32_t c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = { '\\', 'u' };
    int i;

    for (i = 0; i < 4; i++)
        text[2 + i] = hex[c >> (12 - 4 * i) & 15];
    put(w, text, 6);
}

static void put_char(struct hr_json_writer *w, const char *from, const char *to, int32_t c)
{
    static const char special[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *p = c > 0 && c < 128 ? strchr(special, (int)c) : NULL;

    if (p) {
        char two[2] = { '\\', letter[p - special] };

        put(w, two, 2);
    } else if (c < 0) {
        put_escaped(w, 0xFFFD);
    } else if (c < 32 || (w->ascii && c > 126 && c < 0x10000)) {
        put_escaped(w, c);
    } else if (w->ascii && c > 126) {
        put_escaped(w, 0xD800 + ((c - 0x10000) >> 10));
        put_escaped(w, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
        put(w, from, (size_t)(to - from));
    }
}

static void put_string(struct hr_json_writer *w, const char *text, size_t n)
{
    const char *end = text + n, *run = text, *from;
    int32_t code;

    put(w, "\"", 1);
    while (text < end) {
        unsigned char c = (unsigned char)*text;

        if (c >= 32 && c < 127 && c != '"' && c != '\\') {
            text++;
            continue;
        }
        put(w, run, (size_t)(text - run));
        from = text;
        code = hr_utf8_next(&text, end);
        put_char(w, from, text, code);
        run = text;
    }
    put(w, run, (size_t)(text - run));
    put(w, "\"", 1);
}

void hr_json_put_key(struct hr_json_writer *w, const char *key)
{
    before(w);
    put_string(w, key, strlen(key));
    put(w, ": ", w->indent || w->spaced ? 2 : 1);
    w->named = true;
}

static void open(struct hr_json_writer *w, const char *bracket)
{
    value(w);
    put(w, bracket, 1);
    if (w->depth == HR_JSON_WRITE_DEPTH) {
        w->status = HR_INVALID;
        return;
    }
    w->some[w->depth++] = false;
}

static void close(struct hr_json_writer *w, const char *bracket)
{
    if (!w->depth)
        return;
    w->depth--;
    if (w->indent && w->some[w->depth])
        line(w, w->depth);
    put(w, bracket, 1);
}

void hr_json_open_object(struct hr_json_writer *w)
{
    open(w, "{");
}

void hr_json_close_object(struct hr_json_writer *w)
{
    close(w, "}");
}

void hr_json_open_array(struct hr_json_writer *w)
{
    open(w, "[");
}

void hr_json_close_array(struct hr_json_writer *w)
{
    close(w, "]");
}

void hr_json_put_bytes(struct hr_json_writer *w, const char *text, size_t n)
{
    value(w);
    put_string(w, text, n);
}

void hr_json_put_text(struct hr_json_writer *w, const char *text)
{
    if (text)
        hr_json_put_bytes(w, text, strlen(text));
    else
        hr_json_put_null(w);
}

void hr_json_put_buf(struct hr_json_writer *w, const struct hr_buf *text)
{
    if (!hr_buf_whole(text) && w->status == HR_OK)
        w->status = HR_EXHAUSTED;
    hr_json_put_bytes(w, text->text, text->len);
}

void hr_json_put_raw(struct hr_json_writer *w, const char *text, size_t n)
{
    value(w);
    put(w, text, n);
}

void hr_json_put_int(struct hr_json_writer *w, int64_t v)
{
    char text[HR_NUM_TEXT];

    hr_json_put_raw(w, text, hr_num_put_int(text, v));
}

void hr_json_put_double(struct hr_json_writer *w, double v)
{
    char text[HR_NUM_TEXT];
    size_t n = hr_num_put_double(text, v);

    if (isfinite(v))
        hr_json_put_raw(w, text, n);
    else
        hr_json_put_bytes(w, text, n);
}

void hr_json_put_bool(struct hr_json_writer *w, bool v)
{
    hr_json_put_raw(w, v ? "true" : "false", v ? 4 : 5);
}

void hr_json_put_null(struct hr_json_writer *w)
{
    hr_json_put_raw(w, "null", 4);
}

static int by_key(const void *a, const void *b)
{
    const struct hr_json *const *x = a, *const *y = b;

    return strcmp(hr_json_key(*x), hr_json_key(*y));
}

static void put_sorted(struct hr_json_writer *w, const struct hr_json_doc *doc,
                       const struct hr_json *v)
{
    size_t n = hr_json_count(v), i = 0;
    const struct hr_json **members, *m;

    if (!n)
        return;
    members = w->to->alloc(w->to->user, NULL, 0, n * sizeof *members);
    if (!members) {
        w->status = HR_EXHAUSTED;
        return;
    }
    for (m = hr_json_first(v); m; m = hr_json_next(m))
        members[i++] = m;
    qsort(members, n, sizeof *members, by_key);
    for (i = 0; i < n; i++) {
        hr_json_put_key(w, hr_json_key(members[i]));
        hr_json_put_value(w, doc, members[i], true);
    }
    w->to->alloc(w->to->user, members, n * sizeof *members, 0);
}

void hr_json_put_value(struct hr_json_writer *w, const struct hr_json_doc *doc,
                       const struct hr_json *v, bool sorted)
{
    enum hr_json_kind kind = hr_json_kind(v);
    const struct hr_json *m;
    struct hr_slice source;

    if (kind == HR_JSON_STRING) {
        hr_json_put_text(w, hr_json_text(v));
    } else if (kind == HR_JSON_OBJECT) {
        hr_json_open_object(w);
        if (sorted)
            put_sorted(w, doc, v);
        for (m = sorted ? NULL : hr_json_first(v); m; m = hr_json_next(m)) {
            hr_json_put_key(w, hr_json_key(m));
            hr_json_put_value(w, doc, m, false);
        }
        hr_json_close_object(w);
    } else if (kind == HR_JSON_ARRAY) {
        hr_json_open_array(w);
        for (m = hr_json_first(v); m; m = hr_json_next(m))
            hr_json_put_value(w, doc, m, sorted);
        hr_json_close_array(w);
    } else {
        source = hr_json_source(doc, v);
        hr_json_put_raw(w, source.text, source.len);
    }
}

void hr_json_put_member_text(struct hr_json_writer *w, const char *key, const char *text)
{
    hr_json_put_key(w, key);
    hr_json_put_text(w, text);
}

void hr_json_put_member_int(struct hr_json_writer *w, const char *key, int64_t v)
{
    hr_json_put_key(w, key);
    hr_json_put_int(w, v);
}

void hr_json_put_member_double(struct hr_json_writer *w, const char *key, double v)
{
    hr_json_put_key(w, key);
    hr_json_put_double(w, v);
}

void hr_json_put_member_bool(struct hr_json_writer *w, const char *key, bool v)
{
    hr_json_put_key(w, key);
    hr_json_put_bool(w, v);
}
