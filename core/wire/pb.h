/* pb.h - protobuf messages in arenas: made, read, written.
 *
 * The messages are those of proto/, as protoc-c declares them.  All memory of a message is
 * of an arena and dies with it; the generated _free_unpacked() functions are never called.
 *
 *     HR_MD(Schema) *schema;
 *
 *     hr_arena_init(&arena, env, HR_MAX_FILE_BYTES);
 *     r = hr_pb_read(&arena, &HR_MD_OF(schema), "a.pb", bytes, n, &message);
 *     schema = (HR_MD(Schema) *)message;
 *     hr_arena_clear(&arena);
 *
 * Bytes are deterministic: fields in the order of their numbers, then what was not known
 * when the message was read, in the order it was found.
 */
#ifndef HR_PB_H
#define HR_PB_H

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"

#include "anomalies.pb-c.h"
#include "evaluation.pb-c.h"
#include "schema.pb-c.h"
#include "statistics.pb-c.h"

/* The types, descriptors and enumerators of the two packages. */
#define HR_MD(name) Tensorflow__Metadata__V0__##name
#define HR_MD_OF(name) tensorflow__metadata__v0__##name##__descriptor
#define HR_MD_E(name) TENSORFLOW__METADATA__V0__##name
#define HR_MA(name) TensorflowModelAnalysis__##name
#define HR_MA_OF(name) tensorflow_model_analysis__##name##__descriptor
#define HR_MA_E(name) TENSORFLOW_MODEL_ANALYSIS__##name

/* Messages within messages; deeper ones are refused. */
enum { HR_PB_DEPTH = 64 };

/* An empty message.  NULL: no memory, told in the arena's env. */
void *hr_pb_new(struct hr_arena *arena, const ProtobufCMessageDescriptor *type);

/* Make room for one more item of size bytes in the repeated field *items of *count: of a
 * message that was read here, or whose items this function has added.  Its place, zeroed,
 * which is counted; NULL: no memory. */
void *hr_pb_push(struct hr_arena *arena, void **items, size_t *count, size_t size);

/* An empty message appended to a repeated field. */
void *hr_pb_add(struct hr_arena *arena, void **items, size_t *count,
                const ProtobufCMessageDescriptor *type);

/* The two with their casts. */
#define HR_PB_PUSH(arena, m, field)                                                                \
    hr_pb_push((arena), (void **)&(m)->field, &(m)->n_##field, sizeof *(m)->field)
#define HR_PB_ADD(arena, m, field, type)                                                           \
    hr_pb_add((arena), (void **)&(m)->field, &(m)->n_##field, (type))

/* Bytes of a message, copied.  false: no memory. */
bool hr_pb_bytes(struct hr_arena *arena, ProtobufCBinaryData *to, const void *bytes, size_t n);

/* Read a message; name is what errors call it.  HR_INVALID: it is none of this type, or too
 * deep; HR_EXHAUSTED: memory, or the arena's bound. */
hr_status hr_pb_read(struct hr_arena *arena, const ProtobufCMessageDescriptor *type,
                     const char *name, const void *bytes, size_t n, ProtobufCMessage **ret);

/* Append the bytes of a message.  HR_EXHAUSTED: told in env, to is as before. */
hr_status hr_pb_write(struct hr_env *env, const ProtobufCMessage *m, struct hr_buf *to);

/* A deep copy, through bytes: what is not known is kept. */
hr_status hr_pb_copy(struct hr_arena *arena, const ProtobufCMessage *m, ProtobufCMessage **ret);

/* -- reflection -------------------------------------------------------------------- */

/* How many values a field holds: 0 or 1 where it is not repeated. */
size_t hr_pb_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);

/* The place of the i-th value: an int32_t, float, char * ... by f->type. */
const void *hr_pb_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i);

/* The bytes of one value in memory. */
size_t hr_pb_size(ProtobufCType type);

/* A place for one more value: of a repeated field behind the others, else the one there is,
 * which counts as set from now on, in its oneof too.  NULL: no memory. */
void *hr_pb_set(struct hr_arena *arena, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);

/* Is f a map, that is, a list of entries of key and value? */
bool hr_pb_is_map(const ProtobufCFieldDescriptor *f);

/* Is it one of the wrappers (DoubleValue, ...), which hold one value? */
bool hr_pb_is_wrapper(const ProtobufCMessageDescriptor *type);

/* Order of two map entries by key, for qsort(): ProtobufCMessage ** are compared. */
int hr_pb_key_order(const void *a, const void *b);

/* The field whose name is nearest to one that is not there; NULL: none is near.  The name
 * lives as long as the type. */
const char *hr_pb_meant(struct hr_env *env, const ProtobufCMessageDescriptor *type,
                        const char *name, bool camel);

/* "lowerBound" of "lower_bound": JSON's form of a field's name. */
void hr_pb_camel(const char *name, char *to, size_t n);

/* -- text format ------------------------------------------------------------------- */

/* Read protobuf's text format.  Mistakes are told with file, line and column, all of them
 * as far as the text can be followed; then HR_INVALID. */
hr_status hr_pb_text_read(struct hr_arena *arena, const ProtobufCMessageDescriptor *type,
                          const char *name, const char *text, size_t n, ProtobufCMessage **ret);

/* Append the text, byte for byte as TFX writes it: two blanks a level, fields in the order
 * of their numbers, maps sorted by key, the shortest digits, what is not ASCII in octal. */
hr_status hr_pb_text_write(struct hr_env *env, const ProtobufCMessage *m, struct hr_buf *to);

/* -- JSON -------------------------------------------------------------------------- */

/* Read protobuf's JSON form: names as in JSON or as in the .proto, 64-bit integers also as
 * text, wrappers as bare values, maps as objects.  All mistakes are told, then HR_INVALID. */
hr_status hr_pb_json_read(struct hr_arena *arena, const ProtobufCMessageDescriptor *type,
                          const struct hr_json_doc *doc, const struct hr_json *v,
                          ProtobufCMessage **ret);

/* Write it as protobuf does: fields in the order of their numbers, bytes in base64.  Scalars
 * of the third syntax that are zero are the caller's to leave unset. */
void hr_pb_json_write(struct hr_json_writer *w, const ProtobufCMessage *m);

#endif
