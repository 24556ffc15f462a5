/* Stored accumulators of one column: what is taken is stored again as it was, and merged. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "validation/column_store.h"
#include "validation/features.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct hr_env *env, struct hr_column *c, const uint8_t *data, size_t n)
{
    struct hr_feature_args args = { "x", HR_COLUMN_NUMBERS, 0 };
    HR_MD(DatasetFeatureStatistics) * set;
    struct hr_arena arena;
    struct hr_column empty;
    struct hr_buf b;

    hr_buf_of(&b, 1 << 26, env);
    hr_arena_init(&arena, env, 1 << 28);
    set = hr_pb_new(&arena, &HR_MD_OF(dataset_feature_statistics));
    if (hr_column_store(env, c, &b) == HR_OK && (b.len != n || memcmp(b.text, data, n) != 0))
        abort();
    if (set) {
        hr_feature_make(&arena, c, &args, set);
        args.use = HR_COLUMN_WORDS;
        hr_feature_make(&arena, c, &args, set);
    }
    hr_column_init(&empty);
    hr_column_merge(env, &empty, c);
    hr_column_clear(env, &empty);
    hr_arena_clear(&arena);
    hr_buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_stored in = { (const char *)data, (const char *)data + size, true };
    struct hr_column c;
    struct hr_env env;

    hr_env_init(&env, NULL);
    hr_column_init(&c);
    if (hr_column_load(&env, &in, &c) == HR_OK && in.ok)
        use(&env, &c, data, (size_t)(in.p - (const char *)data));
    hr_column_clear(&env, &c);
    hr_env_clear(&env);
    return 0;
}
