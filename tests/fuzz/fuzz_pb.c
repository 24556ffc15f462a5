/* Bytes of the messages that come from outside; the first byte chooses which. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &HR_MD_OF(dataset_feature_statistics_list), &HR_MD_OF(schema), &HR_MD_OF(anomalies),
        &HR_MA_OF(validation_result), &HR_MA_OF(metrics_for_slice)
    };
    ProtobufCMessage *m = NULL, *copy = NULL;
    struct hr_env env;
    struct hr_arena arena;
    struct hr_buf text;

    if (!size)
        return 0;
    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 26);
    hr_buf_of(&text, 1 << 26, &env);
    if (hr_pb_read(&arena, types[data[0] % 5], "x", data + 1, size - 1, &m) == HR_OK)
        if (hr_pb_copy(&arena, m, &copy) == HR_OK)
            hr_pb_text_write(&env, copy, &text);
    hr_buf_clear(&text);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
