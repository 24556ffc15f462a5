/* A filter of a table, read and compared with rows of numbers, texts and nulls. */
#include <stdint.h>

#include "host/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const columns[] = { "id", "node", "state", NULL };
    static const struct hr_cell rows[2][3] = {
        { { .text = "7", .number = true, .i = 7 }, { .text = "trainer" }, { .text = "FAILED" } },
        { { .text = "-1", .number = true, .i = -1 }, { .text = NULL }, { .text = "" } },
    };
    struct hr_filter filter;
    struct hr_arena arena;
    struct hr_env env;
    char *text;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 24);
    text = hr_arena_bytes(&arena, data, size);
    if (text && hr_filter_read(&env, text, columns, &arena, &filter) == HR_OK) {
        hr_filter_match(&filter, rows[0]);
        hr_filter_match(&filter, rows[1]);
        hr_filter_equal(&filter, columns, "node");
    }
    hr_env_error(&env);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
