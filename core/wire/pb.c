#include "wire/pb.h"

#include <stdlib.h>
#include <string.h>

/* Wire types. */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

void *hr_pb_new(struct hr_arena *arena, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = hr_arena_get(arena, type->sizeof_message);

    if (m)
        protobuf_c_message_init(type, m);
    return m;
}

void *hr_pb_push(struct hr_arena *arena, void **items, size_t *count, size_t size)
{
    size_t n = *count, cap;
    void *more;

    /* It is full at 0, 4, 8, 16, ... items. */
    if (!n || (n >= 4 && !(n & (n - 1)))) {
        cap = n ? n * 2 : 4;
        more = hr_arena_array(arena, cap, size);
        if (!more)
            return NULL;
        if (n)
            memcpy(more, *items, n * size);
        *items = more;
    }
    *count = n + 1;
    return (char *)*items + n * size;
}

void *hr_pb_add(struct hr_arena *arena, void **items, size_t *count,
                const ProtobufCMessageDescriptor *type)
{
    void *m = hr_pb_new(arena, type);
    void **place = m ? hr_pb_push(arena, items, count, sizeof m) : NULL;

    if (!place)
        return NULL;
    *place = m;
    return m;
}

bool hr_pb_bytes(struct hr_arena *arena, ProtobufCBinaryData *to, const void *bytes, size_t n)
{
    char *copy = hr_arena_bytes(arena, n ? bytes : "", n);

    if (!copy)
        return false;
    to->len = n;
    to->data = (uint8_t *)copy;
    return true;
}

/* -- reading ----------------------------------------------------------------------- */

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
    uint64_t v = 0;
    int shift;

    for (shift = 0; shift < 70 && *p < end; shift += 7) {
        uint8_t byte = *(*p)++;

        if (shift < 64)
            v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

/* The library that reads messages calls itself for each level, so depth is bounded here,
 * before.  What is not well formed is left for it to tell. */
static bool shallow(const ProtobufCMessageDescriptor *type, const uint8_t *p, size_t n, int depth)
{
    const uint8_t *end = p + n;
    const ProtobufCFieldDescriptor *f;
    uint64_t tag, size;

    if (depth > HR_PB_DEPTH)
        return false;
    while (p < end && varint(&p, end, &tag)) {
        switch (tag & 7) {
        case VARINT:
            if (!varint(&p, end, &size))
                return true;
            break;
        case FIXED64:
        case FIXED32:
            size = (tag & 7) == FIXED64 ? 8 : 4;
            if (size > (uint64_t)(end - p))
                return true;
            p += size;
            break;
        case BYTES:
            if (!varint(&p, end, &size) || size > (uint64_t)(end - p))
                return true;
            f = tag >> 3 <= UINT32_MAX
                    ? protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3))
                    : NULL;
            if (f && f->type == PROTOBUF_C_TYPE_MESSAGE &&
                !shallow(f->descriptor, p, (size_t)size, depth + 1))
                return false;
            p += size;
            break;
        default:
            return true;
        }
    }
    return true;
}

static void *arena_alloc(void *arena, size_t n)
{
    return hr_arena_get(arena, n);
}

static void arena_free(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

/* What the library has allocated to fit is given the room that hr_pb_push() counts on. */
static bool make_room(struct hr_arena *arena, ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *f = m->descriptor->fields;
    const ProtobufCFieldDescriptor *end = f + m->descriptor->n_fields;
    size_t n, size, cap, i;
    void *more;

    for (; f < end; f++) {
        n = f->label == PROTOBUF_C_LABEL_REPEATED || f->type == PROTOBUF_C_TYPE_MESSAGE
                ? hr_pb_count(m, f)
                : 0;
        if (n && f->label == PROTOBUF_C_LABEL_REPEATED && (n < 4 || (n & (n - 1)))) {
            size = hr_pb_size(f->type);
            for (cap = 4; cap < n; cap *= 2)
                ;
            more = hr_arena_array(arena, cap, size);
            if (!more)
                return false;
            memcpy(more, hr_pb_at(m, f, 0), n * size);
            memcpy((char *)m + f->offset, &more, sizeof more);
        }
        for (i = 0; f->type == PROTOBUF_C_TYPE_MESSAGE && i < n; i++)
            if (!make_room(arena, *(ProtobufCMessage *const *)hr_pb_at(m, f, i)))
                return false;
    }
    return true;
}

hr_status hr_pb_read(struct hr_arena *arena, const ProtobufCMessageDescriptor *type,
                     const char *name, const void *bytes, size_t n, ProtobufCMessage **ret)
{
    ProtobufCAllocator alloc = { arena_alloc, arena_free, arena };
    size_t errors = arena->env->errors.count;
    ProtobufCMessage *m;

    if (!shallow(type, bytes, n, 0))
        return hr_fail(arena->env, HR_INVALID,
                       "\"%s\": messages are nested more than %d deep; this is no %s", name,
                       (int)HR_PB_DEPTH, type->short_name);
    m = protobuf_c_message_unpack(type, &alloc, n, n ? bytes : (const void *)"");
    if (!m && arena->env->errors.count > errors)
        return HR_EXHAUSTED;
    if (!m)
        return hr_fail(arena->env, HR_INVALID,
                       "\"%s\" holds no message of type %s; it is damaged or of another kind", name,
                       type->short_name);
    if (!make_room(arena, m))
        return HR_EXHAUSTED;
    *ret = m;
    return HR_OK;
}

hr_status hr_pb_write(struct hr_env *env, const ProtobufCMessage *m, struct hr_buf *to)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    char *place;

    if (!n)
        return HR_OK;
    if (hr_buf_room(to, n, &place) < 0)
        return hr_fail(env, HR_EXHAUSTED, "no memory for a message %s of %zu bytes",
                       m->descriptor->short_name, n);
    protobuf_c_message_pack(m, (uint8_t *)place);
    return HR_OK;
}

hr_status hr_pb_copy(struct hr_arena *arena, const ProtobufCMessage *m, ProtobufCMessage **ret)
{
    struct hr_buf b;
    hr_status r;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, arena->env);
    r = hr_pb_write(arena->env, m, &b);
    if (r == HR_OK)
        r = hr_pb_read(arena, m->descriptor, m->descriptor->short_name, b.text, b.len, ret);
    hr_buf_clear(&b);
    return r;
}

/* -- reflection -------------------------------------------------------------------- */

static void *member(const ProtobufCMessage *m, unsigned offset)
{
    return (char *)(uintptr_t)m + offset;
}

static bool of_oneof(const ProtobufCFieldDescriptor *f)
{
    return f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

size_t hr_pb_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const void *p = member(m, f->offset);

    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)member(m, f->quantifier_offset);
    if (of_oneof(f))
        return *(const uint32_t *)member(m, f->quantifier_offset) == f->id;
    if (f->type == PROTOBUF_C_TYPE_STRING)
        return *(char *const *)p && *(char *const *)p != f->default_value;
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(ProtobufCMessage *const *)p != NULL;
    return *(const protobuf_c_boolean *)member(m, f->quantifier_offset) != 0;
}

size_t hr_pb_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    default:
        return 4;
    }
}

const void *hr_pb_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i)
{
    const void *p = member(m, f->offset);

    if (f->label != PROTOBUF_C_LABEL_REPEATED)
        return p;
    return *(const char *const *)p + i * hr_pb_size(f->type);
}

void *hr_pb_set(struct hr_arena *arena, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    void *p = member(m, f->offset);

    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return hr_pb_push(arena, p, member(m, f->quantifier_offset), hr_pb_size(f->type));
    if (of_oneof(f))
        *(uint32_t *)member(m, f->quantifier_offset) = f->id;
    else if (f->type != PROTOBUF_C_TYPE_STRING && f->type != PROTOBUF_C_TYPE_MESSAGE)
        *(protobuf_c_boolean *)member(m, f->quantifier_offset) = 1;
    return p;
}

bool hr_pb_is_map(const ProtobufCFieldDescriptor *f)
{
    const ProtobufCMessageDescriptor *d = f->descriptor;

    return f->label == PROTOBUF_C_LABEL_REPEATED && f->type == PROTOBUF_C_TYPE_MESSAGE &&
           hr_text_ends(d->short_name, "Entry") && d->n_fields == 2 && d->fields[0].id == 1 &&
           d->fields[1].id == 2 && hr_text_eq(d->fields[0].name, "key") &&
           hr_text_eq(d->fields[1].name, "value");
}

bool hr_pb_is_wrapper(const ProtobufCMessageDescriptor *type)
{
    static const char *const names[] = { "DoubleValue", "Int64Value", "Int32Value", "BoolValue" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (hr_text_eq(type->short_name, names[i]))
            return true;
    return false;
}

int hr_pb_key_order(const void *a, const void *b)
{
    const ProtobufCMessage *x = *(const ProtobufCMessage *const *)a;
    const ProtobufCMessage *y = *(const ProtobufCMessage *const *)b;
    const ProtobufCFieldDescriptor *f = x->descriptor->fields;
    const void *p = member(x, f->offset), *q = member(y, f->offset);
    int32_t i, k;

    if (f->type == PROTOBUF_C_TYPE_STRING) {
        const char *s = *(char *const *)p, *t = *(char *const *)q;

        return strcmp(s ? s : "", t ? t : "");
    }
    memcpy(&i, p, sizeof i);
    memcpy(&k, q, sizeof k);
    return (i > k) - (i < k);
}

void hr_pb_camel(const char *name, char *to, size_t n)
{
    size_t k = 0;
    bool up = false;

    for (; *name && k + 1 < n; name++) {
        if (*name == '_') {
            up = true;
            continue;
        }
        to[k++] = (char)(up && *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
        up = false;
    }
    to[k] = '\0';
}

enum { NAME = 80 };

const char *hr_pb_meant(struct hr_env *env, const ProtobufCMessageDescriptor *type,
                        const char *name, bool camel)
{
    size_t n = type->n_fields, bytes = n * (sizeof(char *) + NAME), i;
    const char **names = n ? hr_mem_zero(env, bytes) : NULL;
    const char *meant, *ret = NULL;
    char *text;

    if (!names)
        return NULL;
    text = (char *)(names + n);
    for (i = 0; i < n; i++, text += NAME) {
        names[i] = type->fields[i].name;
        if (camel) {
            hr_pb_camel(type->fields[i].name, text, NAME);
            names[i] = text;
        }
    }
    meant = hr_text_meant(name, names, n);
    for (i = 0; meant && i < n; i++)
        if (names[i] == meant)
            ret = type->fields[i].name;
    hr_mem_put(env, names, bytes);
    return ret;
}
