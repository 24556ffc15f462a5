#include "base/json_scan.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

struct scan {
    struct hr_env *env;
    const char *name;
    char *text;
    size_t n, at;
    struct hr_json_spots *spots;
    bool comments;
};

void hr_json_locate(const char *text, size_t at, struct hr_json_mark *mark)
{
    if (!mark->line || at < mark->at)
        *mark = (struct hr_json_mark){ .line = 1, .column = 1 };
    for (; mark->at < at; mark->at++) {
        if (text[mark->at] == '\n') {
            mark->line++;
            mark->column = 1;
        } else if (((unsigned char)text[mark->at] & 0xC0) != 0x80) {
            mark->column++;
        }
    }
}

static hr_status wrong(struct scan *s, size_t at, const char *what)
{
    struct hr_json_mark mark = { 0 };
    struct hr_place place = { .file = s->name };

    hr_json_locate(s->text, at, &mark);
    place.line = mark.line;
    place.column = mark.column;
    return hr_fail_at(s->env, HR_INVALID, &place, "%s", what);
}

static hr_status skip(struct scan *s)
{
    for (; s->at < s->n; s->at++) {
        char c = s->text[s->at];

        if (c == '/' && s->comments && s->at + 1 < s->n && s->text[s->at + 1] == '/') {
            while (s->at < s->n && s->text[s->at] != '\n')
                s->text[s->at++] = ' ';
            s->at--;
        } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            break;
        }
    }
    if (s->at < s->n && s->text[s->at] == '/')
        return wrong(s, s->at,
                     s->comments ? "a comment begins with two slashes"
                                 : "JSON has no comments; remove this one");
    return HR_OK;
}

static int hex4(const char *p)
{
    int v = 0, i;

    for (i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            v = v * 16 + ((c | 32) - 'a' + 10);
        else
            return -1;
    }
    return v;
}

/* Behind the first half of a surrogate pair: the second. */
static hr_status second_half(struct scan *s)
{
    const char *p = s->text + s->at;
    int v = s->n - s->at >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : -1;

    if (v < 0xDC00 || v > 0xDFFF)
        return wrong(s, s->at - 6, "the first half of a surrogate pair without the second");
    s->at += 6;
    return HR_OK;
}

/* The escape at the backslash; moves behind it. */
static hr_status escape(struct scan *s)
{
    size_t at = s->at;
    const char *p = s->text + at;
    size_t left = s->n - at;
    int v;

    if (left < 2 || !strchr("\"\\/bfnrtu", p[1]) || !p[1])
        return wrong(s, at, "not an escape of JSON; write \"\\\\\" for a backslash");
    if (p[1] != 'u') {
        s->at += 2;
        return HR_OK;
    }
    if (left < 6 || (v = hex4(p + 2)) < 0)
        return wrong(s, at, "\\u wants four hexadecimal digits");
    if (!v)
        return wrong(s, at, "\\u0000 is not allowed in a text");
    s->at += 6;
    if (v < 0xD800 || v > 0xDFFF)
        return HR_OK;
    if (v >= 0xDC00)
        return wrong(s, at, "the second half of a surrogate pair without the first");
    return second_half(s);
}

static hr_status string(struct scan *s)
{
    size_t from = s->at++;
    hr_status r;

    while (s->at < s->n) {
        unsigned char c = (unsigned char)s->text[s->at];

        if (c == '"') {
            s->at++;
            return HR_OK;
        }
        if (c == '\n')
            break;
        if (c < ' ')
            return wrong(s, s->at, "a control character in a text; write it as an escape");
        if (c == '\\') {
            if ((r = escape(s)) < 0)
                return r;
        } else {
            s->at++;
        }
    }
    return wrong(s, from, "this text has no end; a \" is missing");
}

/* Over digits; false: there is none. */
static bool digits(struct scan *s)
{
    size_t from = s->at;

    while (s->at < s->n && s->text[s->at] >= '0' && s->text[s->at] <= '9')
        s->at++;
    return s->at > from;
}

static hr_status number(struct scan *s)
{
    size_t from = s->at, whole;

    s->at += s->text[s->at] == '-';
    whole = s->at;
    if (!digits(s))
        return wrong(s, from, "not a number of JSON");
    if (s->text[whole] == '0' && s->at > whole + 1)
        return wrong(s, from, "a number may not begin with 0");
    if (s->at < s->n && s->text[s->at] == '.') {
        s->at++;
        if (!digits(s))
            return wrong(s, from, "a digit is missing after the point");
    }
    if (s->at < s->n && (s->text[s->at] | 32) == 'e') {
        s->at++;
        if (s->at < s->n && (s->text[s->at] == '+' || s->text[s->at] == '-'))
            s->at++;
        if (!digits(s))
            return wrong(s, from, "a digit is missing in the exponent");
    }
    return HR_OK;
}

static hr_status word(struct scan *s)
{
    static const char *const words[] = { "true", "false", "null" };
    size_t i, k = s->at;

    while (k < s->n && ((s->text[k] | 32) >= 'a' && (s->text[k] | 32) <= 'z'))
        k++;
    for (i = 0; i < 3; i++)
        if (k - s->at == strlen(words[i]) && !memcmp(s->text + s->at, words[i], k - s->at)) {
            s->at = k;
            return HR_OK;
        }
    if (s->text[s->at] == '\'')
        return wrong(s, s->at, "texts stand in double quotes");
    return wrong(s, s->at, "not a value of JSON");
}

static hr_status scalar(struct scan *s)
{
    char c = s->text[s->at];

    if (c == '"')
        return string(s);
    if (c == '-' || (c >= '0' && c <= '9'))
        return number(s);
    return word(s);
}

/* A level of nesting: which of the spots, and how it closes. */
struct level {
    size_t spot;
    char close;
    bool some;
};

static hr_status key(struct scan *s, size_t *ret_at)
{
    hr_status r;

    if (s->at >= s->n || s->text[s->at] != '"')
        return wrong(s, s->at,
                     s->at < s->n && s->text[s->at] == '}'
                         ? "a comma before }; remove it"
                         : "the name of a member in double quotes is missing");
    *ret_at = s->at;
    if ((r = string(s)) < 0 || (r = skip(s)) < 0)
        return r;
    if (s->at >= s->n || s->text[s->at] != ':')
        return wrong(s, s->at, "a colon is missing after the name");
    s->at++;
    return skip(s);
}

static hr_status begin(struct scan *s, size_t key_at)
{
    struct hr_json_spots *spots = s->spots;

    if (!hr_mem_reserve(s->env, (void **)&spots->items, &spots->cap, spots->count + 1,
                        sizeof *spots->items, HR_MAX_JSON_BYTES))
        return HR_EXHAUSTED;
    spots->items[spots->count++] = (struct hr_json_spot){ s->at, s->at, key_at };
    return HR_OK;
}

/* After a value inside a level: a comma and the next, or its end. */
static hr_status follow(struct scan *s, struct level *level, bool *ret_closed)
{
    hr_status r;

    *ret_closed = false;
    if ((r = skip(s)) < 0)
        return r;
    if (s->at < s->n && s->text[s->at] == level->close) {
        s->at++;
        s->spots->items[level->spot].to = s->at;
        *ret_closed = true;
        return HR_OK;
    }
    if (!level->some)
        return HR_OK;
    if (s->at >= s->n)
        return wrong(s, s->at, level->close == '}' ? "a } is missing" : "a ] is missing");
    if (s->text[s->at] != ',')
        return wrong(s, s->at,
                     level->close == '}' ? "a comma or } is missing" : "a comma or ] is missing");
    s->at++;
    if ((r = skip(s)) == HR_OK && s->at < s->n && s->text[s->at] == ']' && level->close == ']')
        return wrong(s, s->at, "a comma before ]; remove it");
    return r;
}

static hr_status values(struct scan *s)
{
    struct level levels[HR_MAX_JSON_DEPTH];
    int depth = 0;
    hr_status r;

    do {
        size_t key_at = SIZE_MAX;
        bool closed = false;

        if (depth && ((r = follow(s, &levels[depth - 1], &closed)) < 0))
            return r;
        if (closed) {
            depth--;
            continue;
        }
        if (depth) {
            levels[depth - 1].some = true;
            if (levels[depth - 1].close == '}' && (r = key(s, &key_at)) < 0)
                return r;
        }
        if (s->at >= s->n)
            return wrong(s, s->at, "a value is missing");
        if ((r = begin(s, key_at)) < 0)
            return r;
        if (s->text[s->at] == '{' || s->text[s->at] == '[') {
            if (depth == HR_MAX_JSON_DEPTH)
                return wrong(s, s->at, "nested deeper than 200 levels");
            levels[depth++] =
                (struct level){ s->spots->count - 1, s->text[s->at] == '{' ? '}' : ']', false };
            s->at++;
        } else {
            size_t spot = s->spots->count - 1;

            if ((r = scalar(s)) < 0)
                return r;
            s->spots->items[spot].to = s->at;
        }
    } while (depth);
    return HR_OK;
}

hr_status hr_json_scan(struct hr_env *env, const char *name, char *text, size_t n, int flags,
                       struct hr_json_spots *ret)
{
    struct scan s = { env, name, text, n, 0, ret, (flags & HR_JSON_COMMENTS) != 0 };
    size_t ok = hr_utf8_valid(text, n);
    hr_status r;

    if (ok < n)
        return wrong(&s, ok, "not valid UTF-8");
    if (memchr(text, '\0', n))
        return wrong(&s, strlen(text), "a NUL byte");
    if ((r = skip(&s)) < 0)
        return r;
    if (s.at == n)
        return wrong(&s, s.at, "it is empty; a JSON value is wanted");
    if ((r = values(&s)) < 0 || (r = skip(&s)) < 0)
        return r;
    return s.at < n ? wrong(&s, s.at, "text after the end of the value") : HR_OK;
}
