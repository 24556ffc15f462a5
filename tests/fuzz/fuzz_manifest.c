/* A manifest of a plugin, and the Struct of a property in the store. */
#include <stdint.h>

#include "base/base.h"
#include "metadata/sql.h"
#include "plugin/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_plugin_info info;
    struct hr_arena arena;
    struct hr_env env;
    struct hr_buf out;
    char *text;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 26);
    hr_buf_of(&out, 1 << 26, &env);
    text = hr_arena_bytes(&arena, data, size);
    if (text)
        hr_manifest_read(&env, "f", text, &arena, &info);
    text = hr_arena_format(&arena, "mlmd-struct::%.*s", (int)size, (const char *)data);
    if (text)
        hr_struct_decode(&env, text, &out);
    hr_buf_clear(&out);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
