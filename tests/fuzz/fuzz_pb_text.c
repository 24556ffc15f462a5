/* Texts of a schema: what is read is written, read again, and is the same. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ProtobufCMessage *m = NULL, *again = NULL;
    struct hr_env env;
    struct hr_arena arena;
    struct hr_buf a, b;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 26);
    hr_buf_of(&a, 1 << 26, &env);
    hr_buf_of(&b, 1 << 26, &env);
    if (hr_pb_text_read(&arena, &HR_MD_OF(schema), "x", (const char *)data, size, &m) == HR_OK) {
        if (hr_pb_text_write(&env, m, &a) < 0 ||
            hr_pb_text_read(&arena, &HR_MD_OF(schema), "y", a.text, a.len, &again) < 0 ||
            hr_pb_text_write(&env, again, &b) < 0 || a.len != b.len ||
            memcmp(a.text, b.text, a.len) != 0)
            abort();
    }
    hr_buf_clear(&a);
    hr_buf_clear(&b);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
