/* JSON as google.protobuf.Struct, in the form in which the store keeps it.
 *
 *     "mlmd-struct::" base64(Struct), padded
 *
 *     Struct    1 fields: entries of { 1 key, 2 Value }, here in byte order of the keys
 *     Value     one of 1 null (0), 2 number (fixed64), 3 text, 4 bool, 5 Struct, 6 ListValue
 *     ListValue 1 values
 *
 * A value that is no object is kept as TFX keeps it: {"__value__": value}.
 */
#include <string.h>

#include "metadata/sql.h"

static const char prefix[] = "mlmd-struct::";
static const char wrapper[] = "__value__";
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static hr_status to_base64(const uint8_t *p, size_t n, struct hr_buf *to)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < n && r == HR_OK; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
                     (i + 2 < n ? p[i + 2] : 0);
        char four[4] = { digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63],
                         digits[v & 63] };

        if (i + 1 >= n)
            four[2] = '=';
        if (i + 2 >= n)
            four[3] = '=';
        r = hr_buf_add(to, four, 4);
    }
    return r;
}

static hr_status from_base64(const char *p, struct hr_buf *to)
{
    uint32_t v = 0;
    int have = 0;

    for (; *p && *p != '='; p++) {
        const char *d = strchr(digits, *p);
        char c;

        if (!d)
            return HR_DATA_LOSS;
        v = v << 6 | (uint32_t)(d - digits);
        if ((have += 6) < 8)
            continue;
        have -= 8;
        c = (char)(v >> have & 255);
        if (hr_buf_char(to, c) < 0)
            return HR_EXHAUSTED;
    }
    return HR_OK;
}

/* -- writing --------------------------------------------------------------- */

static hr_status put_varint(struct hr_buf *to, uint64_t v)
{
    hr_status r = HR_OK;

    for (; v >= 128 && r == HR_OK; v >>= 7)
        r = hr_buf_char(to, (char)(v | 128));
    return r < 0 ? r : hr_buf_char(to, (char)v);
}

static hr_status put_part(struct hr_buf *to, int field, const char *bytes, size_t n)
{
    hr_status r = hr_buf_char(to, (char)(field << 3 | 2));

    if (r == HR_OK)
        r = put_varint(to, n);
    return r < 0 ? r : hr_buf_add(to, bytes, n);
}

static hr_status put_struct(struct hr_env *env, const struct hr_json_doc *doc,
                            const struct hr_json *object, struct hr_buf *to);
static hr_status put_value(struct hr_env *env, const struct hr_json_doc *doc,
                           const struct hr_json *v, struct hr_buf *to);

static hr_status put_list(struct hr_env *env, const struct hr_json_doc *doc,
                          const struct hr_json *list, struct hr_buf *to)
{
    const struct hr_json *v;
    hr_status r = HR_OK;
    struct hr_buf one;

    hr_buf_of(&one, HR_MAX_JSON_BYTES, env);
    for (v = hr_json_first(list); v && r == HR_OK; v = hr_json_next(v)) {
        hr_buf_cut(&one, 0);
        if ((r = put_value(env, doc, v, &one)) == HR_OK)
            r = put_part(to, 1, one.text, one.len);
    }
    hr_buf_clear(&one);
    return r;
}

static hr_status put_value(struct hr_env *env, const struct hr_json_doc *doc,
                           const struct hr_json *v, struct hr_buf *to)
{
    enum hr_json_kind kind = hr_json_kind(v);
    struct hr_buf inner;
    double d = 0;
    hr_status r;

    switch (kind) {
    case HR_JSON_NULL:
        return hr_buf_add(to, "\x08\x00", 2);
    case HR_JSON_BOOL:
        return hr_buf_add(to, hr_json_bool(v) ? "\x20\x01" : "\x20\x00", 2);
    case HR_JSON_STRING:
        return put_part(to, 3, hr_json_text(v), strlen(hr_json_text(v)));
    case HR_JSON_NUMBER:
        hr_json_double(doc, v, &d);
        r = hr_buf_char(to, 0x11);
        return r < 0 ? r : hr_buf_add(to, &d, sizeof d);
    default:
        hr_buf_of(&inner, HR_MAX_JSON_BYTES, env);
        r = kind == HR_JSON_OBJECT ? put_struct(env, doc, v, &inner)
                                   : put_list(env, doc, v, &inner);
        if (r == HR_OK)
            r = put_part(to, kind == HR_JSON_OBJECT ? 5 : 6, inner.text, inner.len);
        hr_buf_clear(&inner);
        return r;
    }
}

static hr_status put_entry(struct hr_env *env, const struct hr_json_doc *doc, const char *key,
                           const struct hr_json *v, struct hr_buf *to)
{
    struct hr_buf entry, value;
    hr_status r;

    hr_buf_of(&entry, HR_MAX_JSON_BYTES, env);
    hr_buf_of(&value, HR_MAX_JSON_BYTES, env);
    r = put_value(env, doc, v, &value);
    if (r == HR_OK)
        r = put_part(&entry, 1, key, strlen(key));
    if (r == HR_OK)
        r = put_part(&entry, 2, value.text, value.len);
    if (r == HR_OK)
        r = put_part(to, 1, entry.text, entry.len);
    hr_buf_clear(&entry);
    hr_buf_clear(&value);
    return r;
}

/* Members in byte order: each time the smallest above the last. */
static hr_status put_struct(struct hr_env *env, const struct hr_json_doc *doc,
                            const struct hr_json *object, struct hr_buf *to)
{
    const char *last = NULL;
    hr_status r = HR_OK;

    while (r == HR_OK) {
        const struct hr_json *m, *next = NULL;

        for (m = hr_json_first(object); m; m = hr_json_next(m))
            if ((!last || strcmp(hr_json_key(m), last) > 0) &&
                (!next || strcmp(hr_json_key(m), hr_json_key(next)) < 0))
                next = m;
        if (!next)
            break;
        last = hr_json_key(next);
        r = put_entry(env, doc, last, next, to);
    }
    return r;
}

hr_status hr_struct_encode(struct hr_env *env, const char *json, struct hr_buf *to)
{
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(env, "property", json, strlen(json), 0, &doc);
    struct hr_buf bytes;

    if (r < 0)
        return r;
    hr_buf_of(&bytes, HR_MAX_JSON_BYTES, env);
    if (hr_json_kind(hr_json_root(doc)) == HR_JSON_OBJECT)
        r = put_struct(env, doc, hr_json_root(doc), &bytes);
    else
        r = put_entry(env, doc, wrapper, hr_json_root(doc), &bytes);
    if (r == HR_OK)
        r = hr_buf_text(to, prefix);
    if (r == HR_OK)
        r = to_base64((const uint8_t *)bytes.text, bytes.len, to);
    hr_buf_clear(&bytes);
    hr_json_free(doc);
    return r;
}

/* -- reading --------------------------------------------------------------- */

struct wire {
    const uint8_t *p, *end;
};

static bool get_varint(struct wire *w, uint64_t *ret)
{
    int shift;

    *ret = 0;
    for (shift = 0; shift < 64 && w->p < w->end; shift += 7) {
        *ret |= (uint64_t)(*w->p & 127) << shift;
        if (!(*w->p++ & 128))
            return true;
    }
    return false;
}

/* The next field: its number, and its bytes or its value. */
static bool get_field(struct wire *w, int *field, int *type, struct wire *part, uint64_t *value)
{
    uint64_t tag, n;

    if (!get_varint(w, &tag))
        return false;
    *field = (int)(tag >> 3);
    *type = (int)(tag & 7);
    if (*type == 0)
        return get_varint(w, value);
    n = 8;
    if (*type == 2 && !get_varint(w, &n))
        return false;
    if ((*type != 2 && *type != 1) || n > (uint64_t)(w->end - w->p))
        return false;
    *part = (struct wire){ w->p, w->p + n };
    w->p += n;
    return true;
}

static bool read_struct(struct wire w, struct hr_json_writer *to, int depth);
static bool read_value(struct wire w, struct hr_json_writer *to, int depth);

static void put_number(struct wire part, struct hr_json_writer *to)
{
    double d;

    memcpy(&d, part.p, sizeof d);
    if (d > -9e15 && d < 9e15 && d == (double)(int64_t)d)
        hr_json_put_int(to, (int64_t)d);
    else
        hr_json_put_double(to, d);
}

static bool read_list(struct wire list, struct hr_json_writer *to, int depth)
{
    struct wire item;
    uint64_t value = 0;
    int field, type;

    hr_json_open_array(to);
    while (list.p < list.end)
        if (!get_field(&list, &field, &type, &item, &value) || field != 1 || type != 2 ||
            !read_value(item, to, depth))
            return false;
    hr_json_close_array(to);
    return true;
}

static bool read_value(struct wire w, struct hr_json_writer *to, int depth)
{
    struct wire part;
    uint64_t value = 0;
    int field, type;

    if (w.p == w.end) {
        hr_json_put_null(to);
        return true;
    }
    if (depth > HR_MAX_JSON_DEPTH || !get_field(&w, &field, &type, &part, &value))
        return false;
    switch ((int64_t)field * 8 + type) {
    case 1 * 8 + 0:
        hr_json_put_null(to);
        return true;
    case 2 * 8 + 1:
        put_number(part, to);
        return true;
    case 3 * 8 + 2:
        hr_json_put_bytes(to, (const char *)part.p, (size_t)(part.end - part.p));
        return true;
    case 4 * 8 + 0:
        hr_json_put_bool(to, value != 0);
        return true;
    case 5 * 8 + 2:
        return read_struct(part, to, depth + 1);
    case 6 * 8 + 2:
        return read_list(part, to, depth + 1);
    default:
        return false;
    }
}

static bool read_entry(struct wire entry, struct wire *key, struct wire *value)
{
    struct wire part;
    uint64_t ignored;
    int field, type;

    *key = *value = (struct wire){ entry.p, entry.p };
    while (entry.p < entry.end) {
        if (!get_field(&entry, &field, &type, &part, &ignored) || type != 2)
            return false;
        if (field == 1)
            *key = part;
        else if (field == 2)
            *value = part;
    }
    return key->end - key->p < 65536;
}

static bool read_struct(struct wire w, struct hr_json_writer *to, int depth)
{
    struct wire part, key, value;
    char name[1024];
    uint64_t ignored;
    int field, type;

    if (depth > HR_MAX_JSON_DEPTH)
        return false;
    hr_json_open_object(to);
    while (w.p < w.end) {
        if (!get_field(&w, &field, &type, &part, &ignored) || field != 1 || type != 2 ||
            !read_entry(part, &key, &value) || (size_t)(key.end - key.p) >= sizeof name)
            return false;
        memcpy(name, key.p, (size_t)(key.end - key.p));
        name[key.end - key.p] = '\0';
        hr_json_put_key(to, name);
        if (!read_value(value, to, depth + 1))
            return false;
    }
    hr_json_close_object(to);
    return true;
}

/* Is it {"__value__": v} and nothing else? */
static bool unwrap(struct wire w, struct wire *ret)
{
    struct wire part, key;
    uint64_t ignored;
    int field, type;

    if (!get_field(&w, &field, &type, &part, &ignored) || w.p != w.end || field != 1 || type != 2)
        return false;
    return read_entry(part, &key, ret) &&
           hr_slice_eq(hr_slice((const char *)key.p, (size_t)(key.end - key.p)), wrapper);
}

hr_status hr_struct_decode(struct hr_env *env, const char *stored, struct hr_buf *to)
{
    struct hr_json_writer writer;
    struct wire w, value;
    struct hr_buf bytes;
    hr_status r;

    hr_buf_of(&bytes, HR_MAX_JSON_BYTES, env);
    hr_json_begin(&writer, to, 0);
    r = from_base64(stored + strlen(prefix), &bytes);
    w = (struct wire){ (const uint8_t *)bytes.text, (const uint8_t *)bytes.text + bytes.len };
    if (r == HR_OK &&
        !(unwrap(w, &value) ? read_value(value, &writer, 0) : read_struct(w, &writer, 0)))
        r = HR_DATA_LOSS;
    if (r == HR_OK)
        r = hr_json_end(&writer);
    hr_buf_clear(&bytes);
    return r < 0 ? hr_fail(env, r, "a property holds a damaged Struct") : HR_OK;
}
