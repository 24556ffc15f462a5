/* A string with expressions. */
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "pipeline/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hr_status find(void *user, const char *root, const char *rest, struct hr_arena *arena,
                      struct hr_term *ret, const char **meant)
{
    (void)user, (void)rest, (void)arena;
    *meant = "p";
    if (strcmp(root, "p") != 0)
        return HR_NOT_FOUND;
    *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = INT64_MIN };
    return HR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_place place = { "f", 1, 1 };
    struct hr_scope scope = { find, NULL, NULL };
    struct hr_template *t = NULL;
    struct hr_arena arena;
    struct hr_term term;
    struct hr_env env;
    struct hr_buf out;
    char *text;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 26);
    text = hr_arena_bytes(&arena, data, size);
    if (text && hr_template_parse(&env, &place, text, &arena, &t) == HR_OK &&
        hr_template_eval(&env, t, &scope, &arena, &term) == HR_OK) {
        hr_buf_of(&out, 1 << 26, &env);
        hr_term_json(&term, &out);
        hr_buf_clear(&out);
    }
    hr_env_error(&env);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
