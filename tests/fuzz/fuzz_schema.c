/* A schema's text, a byte 0, and statistics: the schema is widened and compared with them, and
 * one is inferred; what is inferred or widened fits, but for what no widening mends.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "validation/validation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct hr_arena *arena, const hr_schema *schema, const hr_statistics *s,
                    const hr_statistics *previous)
{
    struct hr_severity severity = { 2, 1 };
    struct hr_validate_args args = { .statistics = s,
                                     .schema = schema,
                                     .previous = previous,
                                     .previous_version = previous,
                                     .serving = previous,
                                     .severities = &severity,
                                     .severities_n = 1 };
    hr_anomalies *anomalies = NULL;
    struct hr_buf warnings, bytes;

    hr_buf_of(&warnings, 1 << 20, arena->env);
    hr_buf_of(&bytes, 1 << 26, arena->env);
    args.warnings = &warnings;
    if (hr_validate(arena, &args, &anomalies) == HR_OK) {
        hr_anomalies_none(anomalies);
        hr_pb_write(arena->env, &anomalies->base, &bytes);
    }
    args.environment = "SERVING";
    hr_validate(arena, &args, &anomalies);
    hr_buf_clear(&warnings);
    hr_buf_clear(&bytes);
}

/* A schema that is written is read again. */
static void round_trip(struct hr_arena *arena, const hr_schema *schema)
{
    hr_schema *again = NULL;
    struct hr_buf text;

    hr_buf_of(&text, 1 << 26, arena->env);
    if (hr_schema_write(arena->env, schema, &text) == HR_OK &&
        hr_schema_read(arena, "again", text.text, text.len, &again) == HR_INVALID)
        abort();
    hr_buf_clear(&text);
}

static void use(struct hr_arena *arena, const char *text, size_t n, hr_statistics *s)
{
    struct hr_schema_options options = { .infer_shape = true };
    hr_schema *schema = NULL, *inferred = NULL;

    if (s && hr_schema_infer(arena, s, &options, &inferred) == HR_OK) {
        round_trip(arena, inferred);
        compare(arena, inferred, s, s);
    }
    if (hr_schema_read(arena, "schema", text, n, &schema) < 0)
        return;
    if (s) {
        compare(arena, schema, s, NULL);
        if (hr_schema_update(arena, schema, s) == HR_OK)
            compare(arena, schema, s, s);
    }
    round_trip(arena, schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t n = end ? (size_t)(end - data) : size;
    ProtobufCMessage *m = NULL;
    struct hr_arena arena;
    struct hr_env env;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 27);
    if (end)
        hr_pb_read(&arena, &HR_MD_OF(dataset_feature_statistics_list), "s", end + 1, size - n - 1,
                   &m);
    use(&arena, (const char *)data, n, (hr_statistics *)m);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
