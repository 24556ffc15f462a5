/* Protobuf's JSON form.
 *
 *     field            JSON                       also read
 *     message          object                     null: not set
 *     map              object                     -
 *     repeated         array                      null: empty
 *     wrapper          the bare value             -
 *     bool, text       true, "a"                  -
 *     int32            1                          "1", 1.0
 *     int64, uint64    "1"                        1, 1.0
 *     float, double    0.5, "NaN", "Infinity"     "0.5"
 *     bytes            base64                     base64 of URLs, without padding
 *     enum             "NAME"                     its number
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/pb.h"

struct in {
    struct hr_arena *arena;
    const struct hr_json_doc *doc;
    hr_status r;
};

static bool wrong(struct in *in, const struct hr_json *v, const char *name, const char *wanted)
{
    struct hr_place at = hr_json_place(in->doc, v);

    in->r = hr_fail_at(in->arena->env, HR_INVALID, &at, "\"%s\" wants %s, not %s", name, wanted,
                       hr_json_kind_text(hr_json_kind(v)));
    return false;
}

/* The number of a value, or of the text in it. */
static bool number(struct in *in, const struct hr_json *v, double *ret)
{
    const char *text = hr_json_text(v);

    if (!text)
        return hr_json_double(in->doc, v, ret);
    return !strchr(text, ' ') && !strchr(text, '_') && hr_num_python(text, strlen(text), ret);
}

static bool integer(struct in *in, const struct hr_json *v, int64_t *ret)
{
    const char *text = hr_json_text(v);
    double d;

    if (text ? hr_num_int(text, strlen(text), ret) : hr_json_int(in->doc, v, ret))
        return true;
    if (!number(in, v, &d) || !(fabs(d) < 9e15) || d != floor(d))
        return false;
    *ret = (int64_t)d;
    return true;
}

static bool set_integer(struct in *in, const ProtobufCFieldDescriptor *f, const struct hr_json *v,
                        void *to)
{
    bool wide = hr_pb_size(f->type) == 8;
    bool positive = f->type == PROTOBUF_C_TYPE_UINT32 || f->type == PROTOBUF_C_TYPE_UINT64;
    int64_t i;
    int32_t s;

    if (!integer(in, v, &i) || (positive && i < 0) ||
        (!wide && (positive ? i > UINT32_MAX : i < INT32_MIN || i > INT32_MAX)))
        return wrong(in, v, f->name, wide ? "an integer" : "an integer of 32 bits");
    s = (int32_t)(uint32_t)i;
    memcpy(to, wide ? (const void *)&i : (const void *)&s, wide ? sizeof i : sizeof s);
    return true;
}

static bool set_enum(struct in *in, const ProtobufCFieldDescriptor *f, const struct hr_json *v,
                     int32_t *to)
{
    const ProtobufCEnumDescriptor *d = f->descriptor;
    const ProtobufCEnumValue *e = NULL;
    const char *text = hr_json_text(v), *names[128];
    struct hr_place at = hr_json_place(in->doc, v);
    int64_t i;
    unsigned n;

    if (text)
        e = protobuf_c_enum_descriptor_get_value_by_name(d, text);
    else if (hr_json_int(in->doc, v, &i) && i >= INT32_MIN && i <= INT32_MAX)
        e = protobuf_c_enum_descriptor_get_value(d, (int)i);
    if (e) {
        *to = e->value;
        return true;
    }
    if (!text)
        return wrong(in, v, f->name, "the name of a value");
    for (n = 0; n < d->n_value_names && n < 128; n++)
        names[n] = d->values_by_name[n].name;
    in->r = hr_fail_meant(in->arena->env, HR_INVALID, &at, hr_text_meant(text, names, n),
                          "\"%s\" is no value of \"%s\"", text, f->name);
    return false;
}

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static bool set_bytes(struct in *in, const ProtobufCFieldDescriptor *f, const struct hr_json *v,
                      ProtobufCBinaryData *to)
{
    const char *text = hr_json_text(v);
    size_t n = text ? strlen(text) : 0, i, k = 0;
    uint8_t *bytes = hr_arena_get(in->arena, n + 1);
    uint32_t bits = 0, have = 0;

    if (!bytes) {
        in->r = HR_EXHAUSTED;
        return false;
    }
    while (n && text[n - 1] == '=')
        n--;
    for (i = 0; i < n && digit64(text[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)digit64(text[i]);
        have += 6;
        if (have >= 8) {
            have -= 8;
            bytes[k++] = (uint8_t)(bits >> have);
        }
    }
    if (!text || i < n)
        return wrong(in, v, f->name, "bytes in base64");
    *to = (ProtobufCBinaryData){ k, bytes };
    return true;
}

static bool message(struct in *in, const ProtobufCMessageDescriptor *type, const char *name,
                    const struct hr_json *v, ProtobufCMessage **ret);

static bool set_text(struct in *in, const ProtobufCFieldDescriptor *f, const struct hr_json *v,
                     char **to)
{
    const char *text = hr_json_text(v);

    if (!text)
        return wrong(in, v, f->name, "a text");
    *to = hr_arena_text(in->arena, text);
    if (!*to)
        in->r = HR_EXHAUSTED;
    return *to != NULL;
}

static bool value(struct in *in, const ProtobufCFieldDescriptor *f, const struct hr_json *v,
                  void *to)
{
    double d;
    float s;

    switch (f->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return message(in, f->descriptor, f->name, v, to);
    case PROTOBUF_C_TYPE_STRING:
        return set_text(in, f, v, to);
    case PROTOBUF_C_TYPE_BYTES:
        return set_bytes(in, f, v, to);
    case PROTOBUF_C_TYPE_ENUM:
        return set_enum(in, f, v, to);
    case PROTOBUF_C_TYPE_BOOL:
        if (hr_json_kind(v) != HR_JSON_BOOL)
            return wrong(in, v, f->name, "true or false");
        *(protobuf_c_boolean *)to = hr_json_bool(v);
        return true;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        if (!number(in, v, &d))
            return wrong(in, v, f->name, "a number");
        s = (float)d;
        memcpy(to, f->type == PROTOBUF_C_TYPE_FLOAT ? (const void *)&s : (const void *)&d,
               hr_pb_size(f->type));
        return true;
    default:
        return set_integer(in, f, v, to);
    }
}

static bool add(struct in *in, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                const struct hr_json *v)
{
    void *to = hr_pb_set(in->arena, m, f);

    if (!to)
        in->r = HR_EXHAUSTED;
    return to && value(in, f, v, to);
}

/* A member of a map: the key is text, also where it is a number. */
static bool entry(struct in *in, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                  const struct hr_json *v)
{
    const ProtobufCMessageDescriptor *d = f->descriptor;
    ProtobufCMessage *e = hr_pb_new(in->arena, d);
    void *to = e ? hr_pb_set(in->arena, m, f) : NULL;
    struct hr_place at = hr_json_key_place(in->doc, v);
    char *key = to ? hr_arena_text(in->arena, hr_json_key(v)) : NULL;
    int64_t i;
    int32_t s;

    if (!key) {
        in->r = HR_EXHAUSTED;
        return false;
    }
    *(ProtobufCMessage **)to = e;
    to = hr_pb_set(in->arena, e, &d->fields[0]);
    if (d->fields[0].type == PROTOBUF_C_TYPE_STRING) {
        memcpy(to, &key, sizeof key);
    } else {
        if (!hr_num_int(key, strlen(key), &i) || i < INT32_MIN || i > INT32_MAX) {
            in->r = hr_fail_at(in->arena->env, HR_INVALID, &at,
                               "the keys of \"%s\" are integers, not \"%s\"", f->name, key);
            return false;
        }
        s = (int32_t)i;
        memcpy(to, &s, sizeof s);
    }
    return add(in, e, &d->fields[1], v);
}

static void field(struct in *in, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                  const struct hr_json *v)
{
    const struct hr_json *i;

    if (hr_json_kind(v) == HR_JSON_NULL)
        return;
    if (f->label != PROTOBUF_C_LABEL_REPEATED)
        add(in, m, f, v);
    else if (hr_json_kind(v) != (hr_pb_is_map(f) ? HR_JSON_OBJECT : HR_JSON_ARRAY))
        wrong(in, v, f->name, hr_pb_is_map(f) ? "an object" : "a list");
    else
        for (i = hr_json_first(v); i && in->r != HR_EXHAUSTED; i = hr_json_next(i)) {
            if (hr_pb_is_map(f))
                entry(in, m, f, i);
            else
                add(in, m, f, i);
        }
}

static const ProtobufCFieldDescriptor *find(const ProtobufCMessageDescriptor *type, const char *key)
{
    char name[80];
    unsigned i;

    for (i = 0; i < type->n_fields; i++) {
        hr_pb_camel(type->fields[i].name, name, sizeof name);
        if (hr_text_eq(key, name) || hr_text_eq(key, type->fields[i].name))
            return &type->fields[i];
    }
    return NULL;
}

static void tell_unknown(struct in *in, const ProtobufCMessageDescriptor *type,
                         const struct hr_json *v)
{
    struct hr_place at = hr_json_key_place(in->doc, v);
    const char *meant = hr_pb_meant(in->arena->env, type, hr_json_key(v), true);
    char name[80];

    if (meant)
        hr_pb_camel(meant, name, sizeof name);
    in->r = hr_fail_meant(in->arena->env, HR_INVALID, &at, meant ? name : NULL,
                          "%s has no member \"%s\"", type->short_name, hr_json_key(v));
}

static bool message(struct in *in, const ProtobufCMessageDescriptor *type, const char *name,
                    const struct hr_json *v, ProtobufCMessage **ret)
{
    ProtobufCMessage *m = hr_pb_new(in->arena, type);
    const ProtobufCFieldDescriptor *f;
    const struct hr_json *i;

    if (!m) {
        in->r = HR_EXHAUSTED;
        return false;
    }
    *ret = m;
    if (hr_pb_is_wrapper(type))
        return add(in, m, &type->fields[0], v);
    if (hr_json_kind(v) != HR_JSON_OBJECT)
        return wrong(in, v, name, "an object");
    for (i = hr_json_first(v); i && in->r != HR_EXHAUSTED; i = hr_json_next(i)) {
        f = find(type, hr_json_key(i));
        if (!f)
            tell_unknown(in, type, i);
        else
            field(in, m, f, i);
    }
    return in->r == HR_OK;
}

hr_status hr_pb_json_read(struct hr_arena *arena, const ProtobufCMessageDescriptor *type,
                          const struct hr_json_doc *doc, const struct hr_json *v,
                          ProtobufCMessage **ret)
{
    struct in in = { arena, doc, HR_OK };
    ProtobufCMessage *m = NULL;

    message(&in, type, type->short_name, v, &m);
    if (in.r == HR_OK)
        *ret = m;
    return in.r;
}

/* -- writing ----------------------------------------------------------------------- */

static void put_base64(struct hr_json_writer *w, const uint8_t *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct hr_buf b;
    size_t i;
    uint32_t v;
    char t[4];

    hr_buf_init(&b, SIZE_MAX / 2, w->to->alloc, w->to->user);
    hr_buf_char(&b, '"');
    for (i = 0; i < n; i += 3) {
        v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
            (i + 2 < n ? p[i + 2] : 0u);
        t[0] = digits[v >> 18];
        t[1] = digits[v >> 12 & 63];
        t[2] = i + 1 < n ? digits[v >> 6 & 63] : '=';
        t[3] = i + 2 < n ? digits[v & 63] : '=';
        hr_buf_add(&b, t, 4);
    }
    if (hr_buf_char(&b, '"') < 0) /* or any of it */
        w->status = HR_EXHAUSTED;
    hr_json_put_raw(w, b.text, b.len);
    hr_buf_clear(&b);
}

static void put_number(struct hr_json_writer *w, const ProtobufCFieldDescriptor *f, const void *p)
{
    bool is_float = f->type == PROTOBUF_C_TYPE_FLOAT;
    double d = is_float ? (double)*(const float *)p : *(const double *)p;
    char text[HR_NUM_TEXT];

    if (isnan(d)) {
        hr_json_put_text(w, "NaN");
    } else if (isinf(d)) {
        hr_json_put_text(w, d < 0 ? "-Infinity" : "Infinity");
    } else {
        size_t n =
            is_float ? hr_num_put_float(text, *(const float *)p) : hr_num_put_double(text, d);

        hr_json_put_raw(w, text, n);
    }
}

static void put_enum(struct hr_json_writer *w, const ProtobufCFieldDescriptor *f, int32_t v)
{
    const ProtobufCEnumValue *e = protobuf_c_enum_descriptor_get_value(f->descriptor, v);

    if (e)
        hr_json_put_text(w, e->name);
    else
        hr_json_put_int(w, v);
}

static void put_message(struct hr_json_writer *w, const ProtobufCMessage *m);

static void put_value(struct hr_json_writer *w, const ProtobufCFieldDescriptor *f, const void *p)
{
    const ProtobufCBinaryData *b = p;
    char text[HR_NUM_TEXT];

    switch (f->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        put_message(w, *(ProtobufCMessage *const *)p);
        return;
    case PROTOBUF_C_TYPE_STRING:
        hr_json_put_text(w, *(char *const *)p ? *(char *const *)p : "");
        return;
    case PROTOBUF_C_TYPE_BYTES:
        put_base64(w, b->data, b->len);
        return;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(w, f, *(const int32_t *)p);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        hr_json_put_bool(w, *(const protobuf_c_boolean *)p != 0);
        return;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        put_number(w, f, p);
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        hr_num_put_uint(text, *(const uint64_t *)p);
        hr_json_put_text(w, text);
        return;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        hr_num_put_int(text, *(const int64_t *)p);
        hr_json_put_text(w, text);
        return;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        hr_json_put_int(w, *(const uint32_t *)p);
        return;
    default:
        hr_json_put_int(w, *(const int32_t *)p);
    }
}

static void put_map(struct hr_json_writer *w, const ProtobufCMessage *m,
                    const ProtobufCFieldDescriptor *f, size_t n)
{
    size_t bytes = n * sizeof(ProtobufCMessage *), i;
    const ProtobufCMessage **list = w->to->alloc(w->to->user, NULL, 0, bytes);
    const ProtobufCMessageDescriptor *d = f->descriptor;
    char text[HR_NUM_TEXT];
    const void *key;

    if (!list) {
        w->status = HR_EXHAUSTED;
        return;
    }
    for (i = 0; i < n; i++)
        list[i] = *(ProtobufCMessage *const *)hr_pb_at(m, f, i);
    qsort(list, n, sizeof *list, hr_pb_key_order);
    hr_json_open_object(w);
    for (i = 0; i < n; i++) {
        key = hr_pb_at(list[i], &d->fields[0], 0);
        if (d->fields[0].type == PROTOBUF_C_TYPE_STRING) {
            hr_json_put_key(w, *(char *const *)key ? *(char *const *)key : "");
        } else {
            hr_num_put_int(text, *(const int32_t *)key);
            hr_json_put_key(w, text);
        }
        put_value(w, &d->fields[1], hr_pb_at(list[i], &d->fields[1], 0));
    }
    hr_json_close_object(w);
    w->to->alloc(w->to->user, list, bytes, 0);
}

static void put_message(struct hr_json_writer *w, const ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *f, *end;
    size_t n, i;
    char name[80];

    if (!m) {
        hr_json_put_null(w);
        return;
    }
    f = m->descriptor->fields;
    end = f + m->descriptor->n_fields;
    if (hr_pb_is_wrapper(m->descriptor)) {
        put_value(w, f, hr_pb_at(m, f, 0));
        return;
    }
    hr_json_open_object(w);
    for (; f < end; f++) {
        n = hr_pb_count(m, f);
        if (!n)
            continue;
        hr_pb_camel(f->name, name, sizeof name);
        hr_json_put_key(w, name);
        if (hr_pb_is_map(f)) {
            put_map(w, m, f, n);
        } else if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            hr_json_open_array(w);
            for (i = 0; i < n; i++)
                put_value(w, f, hr_pb_at(m, f, i));
            hr_json_close_array(w);
        } else {
            put_value(w, f, hr_pb_at(m, f, 0));
        }
    }
    hr_json_close_object(w);
}

void hr_pb_json_write(struct hr_json_writer *w, const ProtobufCMessage *m)
{
    put_message(w, m);
}
