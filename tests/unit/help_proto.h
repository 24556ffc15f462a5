/* help_proto.h - messages in files of tests/cases, read and compared. */
#ifndef HELP_PROTO_H
#define HELP_PROTO_H

#include "base/base.h"
#include "wire/wire.h"

/* The bytes of tests/cases/DIR/NAME; the test fails without. */
void help_case(struct hr_env *env, const char *dir, const char *name, struct hr_buf *to);

/* The message of such a file: text where the name ends in "pbtxt". */
void *help_message(struct hr_arena *arena, const char *dir, const char *name,
                   const ProtobufCMessageDescriptor *type);

/* Fail with the first line that differs. */
void help_same_text(const char *what, const char *got, const char *want);

/* Are two messages equal as text?  Fail with the first line that differs. */
void help_same_message(struct hr_env *env, const char *what, const void *got, const void *want);

#endif
