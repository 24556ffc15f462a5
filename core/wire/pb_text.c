/* Protobuf's text format, read.
 *
 *     message  = { field [ ";" | "," ] }
 *     field    = name ( ":" value | [":"] "{" message "}" | [":"] "<" message ">"
 *                     | ":" "[" value { "," value } "]" )
 *     value    = string { string } | number | name | "-" name
 *     number   = decimal, 0x hexadecimal, 0 octal; of floats also "1.5f"
 *     comment  = "#" to the end of the line
 */
#include <string.h>

#include "wire/pb.h"

struct in {
    struct hr_arena *arena;
    const char *name;
    const char *p, *end, *line_start;
    int32_t line;
    int depth;
    hr_status r;         /* HR_INVALID: some mistake was told */
    struct hr_buf bytes; /* of the string at hand */
};

/* A token and where it stood. */
struct token {
    const char *text;
    size_t n;
    struct hr_place place;
};

static struct hr_place place_of(const struct in *in, const char *p)
{
    struct hr_place at = { in->name, in->line, 1 };
    const char *q = in->line_start;

    while (q < p) {
        hr_utf8_next(&q, in->end);
        at.column++;
    }
    return at;
}

#define TELL(in, at, ...) ((in)->r = hr_fail_at((in)->arena->env, HR_INVALID, (at), __VA_ARGS__))

/* Mistakes of syntax end the reading; those of sense do not. */
static bool stop(struct in *in, const char *wanted)
{
    struct hr_place at = place_of(in, in->p);
    char c = in->p < in->end ? *in->p : '\0';

    if (in->p >= in->end)
        TELL(in, &at, "the text ends where %s is wanted", wanted);
    else if (c >= 0x20 && c < 0x7f)
        TELL(in, &at, "\"%c\" stands where %s is wanted", c, wanted);
    else
        TELL(in, &at, "byte %d stands where %s is wanted", (int)(unsigned char)c, wanted);
    return false;
}

static void blanks(struct in *in)
{
    for (; in->p < in->end; in->p++) {
        if (*in->p == '#')
            while (in->p < in->end && *in->p != '\n')
                in->p++;
        if (in->p >= in->end)
            return;
        if (*in->p == '\n') {
            in->line++;
            in->line_start = in->p + 1;
        } else if (*in->p != ' ' && *in->p != '\t' && *in->p != '\r') {
            return;
        }
    }
}

static bool skip(struct in *in, char c)
{
    blanks(in);
    if (in->p >= in->end || *in->p != c)
        return false;
    in->p++;
    return true;
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A name or a number, as it stands. */
static bool word(struct in *in, const char *wanted, struct token *ret)
{
    const char *p;

    blanks(in);
    ret->place = place_of(in, in->p);
    p = ret->text = in->p;
    if (p < in->end && (*p == '-' || *p == '+'))
        p++;
    while (p < in->end && (word_char(*p) || *p == '.' ||
                           ((*p == '-' || *p == '+') && p > ret->text &&
                            (p[-1] == 'e' || p[-1] == 'E') && ret->text[0] != '_')))
        p++;
    ret->n = (size_t)(p - ret->text);
    if (!ret->n)
        return stop(in, wanted);
    in->p = p;
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void put_utf8(struct hr_buf *to, uint32_t c)
{
    char t[4];
    size_t n = 0;

    if (c < 0x80) {
        t[n++] = (char)c;
    } else if (c < 0x800) {
        t[n++] = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        t[n++] = (char)(0xe0 | c >> 12);
        t[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        t[n++] = (char)(0xf0 | c >> 18);
        t[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        t[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        t[n++] = (char)(0x80 | (c & 0x3f));
    hr_buf_add(to, t, n);
}

/* Digits of a base after a backslash: least to max of them. */
static bool escape_digits(struct in *in, int base, int least, int max, uint32_t *ret)
{
    uint32_t v = 0;
    int n = 0, d;

    for (; n < max && in->p < in->end; n++, in->p++) {
        d = hex(*in->p);
        if (d < 0 || d >= base)
            break;
        v = v * (uint32_t)base + (uint32_t)d;
    }
    *ret = v;
    return n >= least;
}

/* Behind \\x, \\u or \\U. */
static bool escape_hex(struct in *in, char c)
{
    int n = c == 'u' ? 4 : 8;
    uint32_t v;

    if (c == 'x' || c == 'X') {
        if (!escape_digits(in, 16, 1, 2, &v))
            return stop(in, "a hexadecimal digit");
        hr_buf_char(&in->bytes, (char)v);
        return true;
    }
    if (!escape_digits(in, 16, n, n, &v) || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return stop(in, "a code point");
    put_utf8(&in->bytes, v);
    return true;
}

static bool escape(struct in *in)
{
    static const char marks[] = "abfnrtv\\'\"?", chars[] = "\a\b\f\n\r\t\v\\'\"?";
    const char *mark;
    uint32_t v;
    char c;

    if (in->p >= in->end)
        return stop(in, "an escape");
    c = *in->p;
    if (c >= '0' && c <= '7') {
        if (!escape_digits(in, 8, 1, 3, &v) || v > 255)
            return stop(in, "an octal escape up to \\377");
        hr_buf_char(&in->bytes, (char)v);
        return true;
    }
    in->p++;
    mark = c ? strchr(marks, c) : NULL;
    if (mark) {
        hr_buf_char(&in->bytes, chars[mark - marks]);
        return true;
    }
    if (c && strchr("xXuU", c))
        return escape_hex(in, c);
    in->p--;
    return stop(in, "one of the escapes \\n \\t \\\" \\' \\\\ \\ooo \\xhh");
}

/* One or more quoted parts, joined in in->bytes. */
static bool string(struct in *in)
{
    char quote;

    hr_buf_cut(&in->bytes, 0);
    blanks(in);
    if (in->p >= in->end || (*in->p != '"' && *in->p != '\''))
        return stop(in, "a text in quotes");
    do {
        quote = *in->p++;
        for (;;) {
            if (in->p >= in->end || *in->p == '\n')
                return stop(in, "the closing quote");
            if (*in->p == quote)
                break;
            if (*in->p != '\\') {
                hr_buf_char(&in->bytes, *in->p++);
                continue;
            }
            in->p++;
            if (!escape(in))
                return false;
        }
        in->p++;
        blanks(in);
    } while (in->p < in->end && (*in->p == '"' || *in->p == '\''));
    if (!hr_buf_whole(&in->bytes))
        in->r = HR_EXHAUSTED;
    return in->r != HR_EXHAUSTED;
}

/* -- values ------------------------------------------------------------------------ */

/* sign and magnitude of a decimal, hexadecimal or octal integer. */
static bool integer(const struct token *t, bool *ret_minus, uint64_t *ret)
{
    const char *p = t->text, *end = p + t->n;
    uint64_t v = 0, base = 10;
    int d;

    *ret_minus = *p == '-';
    p += *p == '-' || *p == '+';
    if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    } else if (end - p > 1 && *p == '0') {
        base = 8;
        p++;
    }
    if (p == end)
        return false;
    for (; p < end; p++) {
        d = hex(*p);
        if (d < 0 || (uint64_t)d >= base || v > (UINT64_MAX - (uint64_t)d) / base)
            return false;
        v = v * base + (uint64_t)d;
    }
    *ret = v;
    return true;
}

static bool set_integer(const ProtobufCFieldDescriptor *f, const struct token *t, void *to)
{
    uint64_t v = 0, limit;
    bool minus = false, is_signed = true, wide = hr_pb_size(f->type) == 8;
    int64_t s;
    int32_t s32;
    uint32_t u32;

    if (f->type == PROTOBUF_C_TYPE_UINT32 || f->type == PROTOBUF_C_TYPE_UINT64 ||
        f->type == PROTOBUF_C_TYPE_FIXED32 || f->type == PROTOBUF_C_TYPE_FIXED64)
        is_signed = false;
    if (!integer(t, &minus, &v) || (minus && !is_signed && v))
        return false;
    limit = wide ? UINT64_MAX : UINT32_MAX;
    if (is_signed)
        limit = limit / 2 + minus;
    if (v > limit)
        return false;
    s = minus ? (int64_t)(0 - v) : (int64_t)v;
    if (wide) {
        memcpy(to, &s, sizeof s);
    } else if (is_signed) {
        s32 = (int32_t)s;
        memcpy(to, &s32, sizeof s32);
    } else {
        u32 = (uint32_t)v;
        memcpy(to, &u32, sizeof u32);
    }
    return true;
}

static bool set_float(const ProtobufCFieldDescriptor *f, const struct token *t, void *to)
{
    size_t n = t->n;
    const char *p = t->text;
    bool is_float = f->type == PROTOBUF_C_TYPE_FLOAT, has_digit = false, ok;
    size_t i;
    double d;
    float s = 0;

    for (i = 0; i < n; i++)
        has_digit |= p[i] >= '0' && p[i] <= '9';
    if (n > 1 && has_digit && (p[n - 1] == 'f' || p[n - 1] == 'F'))
        n--;
    if (memchr(p, '_', n))
        return false;
    if (!has_digit) {
        ok = hr_num_python(p, n, &d);
        s = (float)d;
    } else if (is_float) {
        ok = hr_num_float(p, n, &s);
    } else {
        ok = hr_num_double(p, n, &d);
    }
    if (!ok)
        return false;
    if (is_float)
        memcpy(to, &s, sizeof s);
    else
        memcpy(to, &d, sizeof d);
    return true;
}

static bool token_is(const struct token *t, const char *text)
{
    return hr_slice_eq(hr_slice(t->text, t->n), text);
}

static bool set_bool(const struct token *t, protobuf_c_boolean *to)
{
    if (token_is(t, "true") || token_is(t, "True") || token_is(t, "t") || token_is(t, "1"))
        *to = 1;
    else if (token_is(t, "false") || token_is(t, "False") || token_is(t, "f") || token_is(t, "0"))
        *to = 0;
    else
        return false;
    return true;
}

static void tell_enum(struct in *in, const ProtobufCFieldDescriptor *f, const struct token *t)
{
    const ProtobufCEnumDescriptor *d = f->descriptor;
    const char *names[128], *meant;
    char name[80];
    unsigned i;

    for (i = 0; i < d->n_value_names && i < 128; i++)
        names[i] = d->values_by_name[i].name;
    memcpy(name, t->text, t->n < sizeof name - 1 ? t->n : sizeof name - 1);
    name[t->n < sizeof name - 1 ? t->n : sizeof name - 1] = '\0';
    meant = hr_text_meant(name, names, i);
    in->r = hr_fail_meant(in->arena->env, HR_INVALID, &t->place, meant,
                          "\"%s\" is no value of \"%s\"", name, f->name);
}

static bool set_enum(struct in *in, const ProtobufCFieldDescriptor *f, const struct token *t,
                     int32_t *to)
{
    char name[80];
    const ProtobufCEnumValue *e = NULL;
    bool minus;
    uint64_t v;

    if (t->n < sizeof name) {
        memcpy(name, t->text, t->n);
        name[t->n] = '\0';
        e = protobuf_c_enum_descriptor_get_value_by_name(f->descriptor, name);
    }
    if (!e && integer(t, &minus, &v) && !minus && v <= INT32_MAX)
        e = protobuf_c_enum_descriptor_get_value(f->descriptor, (int)v);
    if (!e) {
        tell_enum(in, f, t);
        return false;
    }
    *to = e->value;
    return true;
}

static bool set_text(struct in *in, const ProtobufCFieldDescriptor *f, void *to)
{
    struct hr_place at;
    char *copy;

    blanks(in);
    at = place_of(in, in->p);
    if (!string(in))
        return false;
    copy = hr_arena_bytes(in->arena, in->bytes.text, in->bytes.len);
    if (!copy) {
        in->r = HR_EXHAUSTED;
        return false;
    }
    if (f->type == PROTOBUF_C_TYPE_BYTES) {
        *(ProtobufCBinaryData *)to = (ProtobufCBinaryData){ in->bytes.len, (uint8_t *)copy };
        return true;
    }
    if (hr_utf8_valid(copy, in->bytes.len) < in->bytes.len || memchr(copy, 0, in->bytes.len))
        TELL(in, &at, "the text of \"%s\" is not UTF-8 without NUL", f->name);
    *(char **)to = copy;
    return true;
}

/* A scalar to its place; false: the reading cannot go on. */
static bool scalar(struct in *in, const ProtobufCFieldDescriptor *f, void *to)
{
    struct token t;
    bool ok;

    if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_BYTES)
        return set_text(in, f, to);
    if (!word(in, "a value", &t))
        return false;
    if (f->type == PROTOBUF_C_TYPE_ENUM) {
        set_enum(in, f, &t, to);
        return true;
    }
    if (f->type == PROTOBUF_C_TYPE_BOOL)
        ok = set_bool(&t, to);
    else if (f->type == PROTOBUF_C_TYPE_DOUBLE || f->type == PROTOBUF_C_TYPE_FLOAT)
        ok = set_float(f, &t, to);
    else
        ok = set_integer(f, &t, to);
    if (!ok)
        TELL(in, &t.place, "\"%.*s\" does not fit \"%s\"", (int)(t.n < 60 ? t.n : 60), t.text,
             f->name);
    return true;
}

/* -- fields ------------------------------------------------------------------------ */

/* How much deeper it is behind a character. */
static int nesting(char c)
{
    switch (c) {
    case '{':
    case '<':
    case '[':
        return 1;
    case '}':
    case '>':
    case ']':
        return -1;
    default:
        return 0;
    }
}

/* Over a value that nobody wants: of a field that is not known. */
static bool skip_value(struct in *in)
{
    struct token t;
    int depth = 0;

    blanks(in);
    if (in->p < in->end && nesting(*in->p) <= 0)
        return *in->p == '"' || *in->p == '\'' ? string(in) : word(in, "a value", &t);
    do {
        blanks(in);
        if (in->p >= in->end)
            return stop(in, "the end of a message");
        if (*in->p == '"' || *in->p == '\'') {
            if (!string(in))
                return false;
            continue;
        }
        depth += nesting(*in->p++);
    } while (depth > 0);
    return true;
}

static bool fields(struct in *in, ProtobufCMessage *m, char close);

static bool submessage(struct in *in, const ProtobufCFieldDescriptor *f, void *to)
{
    ProtobufCMessage *m;
    char close = '}';

    if (skip(in, '<'))
        close = '>';
    else if (!skip(in, '{'))
        return stop(in, "\"{\"");
    if (in->depth >= HR_PB_DEPTH)
        return stop(in, "no message: they are nested too deep");
    m = hr_pb_new(in->arena, f->descriptor);
    if (!m) {
        in->r = HR_EXHAUSTED;
        return false;
    }
    *(ProtobufCMessage **)to = m;
    in->depth++;
    if (!fields(in, m, close))
        return false;
    in->depth--;
    return true;
}

static bool one_value(struct in *in, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    void *to = hr_pb_set(in->arena, m, f);

    if (!to) {
        in->r = HR_EXHAUSTED;
        return false;
    }
    return f->type == PROTOBUF_C_TYPE_MESSAGE ? submessage(in, f, to) : scalar(in, f, to);
}

/* The member of f's oneof that is set; NULL: none. */
static const ProtobufCFieldDescriptor *rival(const ProtobufCMessage *m,
                                             const ProtobufCFieldDescriptor *f)
{
    uint32_t id;

    if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        return hr_pb_count(m, f) ? f : NULL;
    memcpy(&id, (const char *)m + f->quantifier_offset, sizeof id);
    return id ? protobuf_c_message_descriptor_get_field(m->descriptor, id) : NULL;
}

static bool values(struct in *in, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                   const struct token *name)
{
    const ProtobufCFieldDescriptor *other;

    if (f->label != PROTOBUF_C_LABEL_REPEATED) {
        other = rival(m, f);
        if (other == f)
            TELL(in, &name->place, "\"%s\" is set twice", f->name);
        else if (other)
            TELL(in, &name->place, "\"%s\" and \"%s\" cannot both be set", other->name, f->name);
        return one_value(in, m, f);
    }
    if (!skip(in, '['))
        return one_value(in, m, f);
    if (skip(in, ']'))
        return true;
    do {
        if (!one_value(in, m, f))
            return false;
    } while (skip(in, ','));
    return skip(in, ']') || stop(in, "\",\" or \"]\"");
}

static bool field(struct in *in, ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *f;
    struct token t;
    char name[80];
    bool colon;

    blanks(in);
    if (in->p < in->end && *in->p == '[')
        return stop(in, "the name of a field, and none of an extension,");
    if (!word(in, "the name of a field", &t))
        return false;
    memcpy(name, t.text, t.n < sizeof name ? t.n : sizeof name - 1);
    name[t.n < sizeof name ? t.n : sizeof name - 1] = '\0';
    f = protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
    colon = skip(in, ':');
    if (!f) {
        in->r = hr_fail_meant(in->arena->env, HR_INVALID, &t.place,
                              hr_pb_meant(in->arena->env, m->descriptor, name, false),
                              "%s has no field \"%s\"", m->descriptor->short_name, name);
        return skip_value(in);
    }
    if (!colon && f->type != PROTOBUF_C_TYPE_MESSAGE)
        return stop(in, "\":\"");
    return values(in, m, f, &t);
}

/* Fields up to a closing bracket, or with '\0' to the end. */
static bool fields(struct in *in, ProtobufCMessage *m, char close)
{
    for (;;) {
        blanks(in);
        if (in->p >= in->end)
            return !close || stop(in, close == '}' ? "\"}\"" : "\">\"");
        if (close && *in->p == close) {
            in->p++;
            return true;
        }
        if (!field(in, m))
            return false;
        if (!skip(in, ','))
            skip(in, ';');
    }
}

hr_status hr_pb_text_read(struct hr_arena *arena, const ProtobufCMessageDescriptor *type,
                          const char *name, const char *text, size_t n, ProtobufCMessage **ret)
{
    struct in in = {
        .arena = arena, .name = name, .p = text, .end = text + n, .line_start = text, .line = 1
    };
    ProtobufCMessage *m = hr_pb_new(arena, type);

    if (!m)
        return HR_EXHAUSTED;
    hr_buf_of(&in.bytes, n, arena->env);
    fields(&in, m, '\0');
    hr_buf_clear(&in.bytes);
    if (in.r == HR_OK)
        *ret = m;
    return in.r;
}
