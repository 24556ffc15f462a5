/* Protobuf's text format, written.
 *
 *     name: 1                   a number, an enumerator, true or false
 *     name: "text\303\274"      strings and bytes alike; octal below 0x20 and above 0x7e
 *     name {                    a message; two blanks a level
 *       ...
 *     }
 */
#include <stdlib.h>
#include <string.h>

#include "wire/pb.h"

static void quoted(struct hr_buf *to, const char *p, size_t n, hr_status *r)
{
    static const char plain[] = "\n\r\t\"'\\", marks[] = "nrt\"'\\";
    size_t i, k;
    char text[4];

    *r |= hr_buf_char(to, '"');
    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        for (k = 0; plain[k] && (unsigned char)plain[k] != c; k++)
            ;
        text[0] = '\\';
        text[1] = marks[k];
        if (plain[k]) {
            *r |= hr_buf_add(to, text, 2);
        } else if (c < 0x20 || c > 0x7e) {
            text[1] = (char)('0' + (c >> 6));
            text[2] = (char)('0' + (c >> 3 & 7));
            text[3] = (char)('0' + (c & 7));
            *r |= hr_buf_add(to, text, 4);
        } else {
            *r |= hr_buf_char(to, (char)c);
        }
    }
    *r |= hr_buf_char(to, '"');
}

static void enumerator(struct hr_buf *to, const ProtobufCFieldDescriptor *f, int32_t v,
                       hr_status *r)
{
    const ProtobufCEnumValue *e = protobuf_c_enum_descriptor_get_value(f->descriptor, v);
    char text[HR_NUM_TEXT];

    if (e) {
        *r |= hr_buf_text(to, e->name);
        return;
    }
    hr_num_put_int(text, v);
    *r |= hr_buf_text(to, text);
}

static void scalar(struct hr_buf *to, const ProtobufCFieldDescriptor *f, const void *p,
                   hr_status *r)
{
    const ProtobufCBinaryData *b = p;
    char text[HR_NUM_TEXT] = "";

    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        quoted(to, *(char *const *)p, strlen(*(char *const *)p), r);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        quoted(to, (const char *)b->data, b->len, r);
        return;
    case PROTOBUF_C_TYPE_ENUM:
        enumerator(to, f, *(const int32_t *)p, r);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *r |= hr_buf_text(to, *(const protobuf_c_boolean *)p ? "true" : "false");
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        hr_num_put_double(text, *(const double *)p);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        hr_num_put_float(text, *(const float *)p);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        hr_num_put_uint(text, *(const uint64_t *)p);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        hr_num_put_uint(text, *(const uint32_t *)p);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        hr_num_put_int(text, *(const int64_t *)p);
        break;
    default:
        hr_num_put_int(text, *(const int32_t *)p);
    }
    *r |= hr_buf_text(to, text);
}

static void indent(struct hr_buf *to, int depth, hr_status *r)
{
    while (depth-- > 0)
        *r |= hr_buf_add(to, "  ", 2);
}

static void message(const ProtobufCMessage *m, int depth, struct hr_buf *to, hr_status *r);

static void value(const ProtobufCFieldDescriptor *f, const void *p, int depth, struct hr_buf *to,
                  hr_status *r)
{
    indent(to, depth, r);
    *r |= hr_buf_text(to, f->name);
    if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
        *r |= hr_buf_text(to, " {\n");
        message(*(ProtobufCMessage *const *)p, depth + 1, to, r);
        indent(to, depth, r);
        *r |= hr_buf_text(to, "}\n");
        return;
    }
    *r |= hr_buf_text(to, ": ");
    scalar(to, f, p, r);
    *r |= hr_buf_char(to, '\n');
}

/* The entries of a map, sorted, in memory of the buffer's owner. */
static void map(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t n, int depth,
                struct hr_buf *to, hr_status *r)
{
    size_t bytes = n * sizeof(ProtobufCMessage *), i;
    const ProtobufCMessage **list = to->alloc(to->user, NULL, 0, bytes);

    if (!list) {
        *r = HR_EXHAUSTED;
        return;
    }
    for (i = 0; i < n; i++)
        list[i] = *(ProtobufCMessage *const *)hr_pb_at(m, f, i);
    qsort(list, n, sizeof *list, hr_pb_key_order);
    for (i = 0; i < n && *r == HR_OK; i++)
        value(f, &list[i], depth, to, r);
    to->alloc(to->user, list, bytes, 0);
}

static void message(const ProtobufCMessage *m, int depth, struct hr_buf *to, hr_status *r)
{
    const ProtobufCFieldDescriptor *f = m->descriptor->fields;
    const ProtobufCFieldDescriptor *end = f + m->descriptor->n_fields;
    size_t n, i;

    for (; f < end && *r == HR_OK; f++) {
        n = hr_pb_count(m, f);
        if (n && hr_pb_is_map(f)) {
            map(m, f, n, depth, to, r);
            continue;
        }
        for (i = 0; i < n && *r == HR_OK; i++)
            value(f, hr_pb_at(m, f, i), depth, to, r);
    }
}

hr_status hr_pb_text_write(struct hr_env *env, const ProtobufCMessage *m, struct hr_buf *to)
{
    size_t len = to->len;
    hr_status r = HR_OK;

    message(m, 0, to, &r);
    if (r == HR_OK)
        return HR_OK;
    hr_buf_cut(to, len);
    return hr_fail(env, HR_EXHAUSTED, "no memory for the text of a message %s",
                   m->descriptor->short_name);
}
