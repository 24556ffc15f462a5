/* Configurations of evaluations: what is taken has defaults, is printed and taken again. */
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hr_eval_config *c = NULL, *d = NULL, *again = NULL;
    struct hr_json_writer w;
    struct hr_arena arena;
    struct hr_env env;
    struct hr_buf b;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 28);
    hr_buf_of(&b, 1 << 26, &env);
    if (hr_eval_config_read(&arena, "x", (const char *)data, size, &c) == HR_OK) {
        hr_eval_config_default(&arena, c, true, &d);
        hr_eval_config_default(&arena, c, false, &d);
        hr_json_begin(&w, &b, 0);
        hr_pb_json_write(&w, &c->base);
        if (hr_json_end(&w) == HR_OK &&
            hr_eval_config_read(&arena, "y", b.text, b.len, &again) == HR_INVALID)
            abort();
    }
    hr_buf_clear(&b);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
