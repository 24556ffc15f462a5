/* A features file of any bytes, typed against columns of each kind; what passes is planned. */
#include "transform/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hr_feature columns[] = {
        { .name = "x", .type = HR_FEATURE_FLOAT, .shape = HR_FEATURE_DENSE },
        { .name = "i", .type = HR_FEATURE_INT, .shape = HR_FEATURE_OPTIONAL },
        { .name = "s", .type = HR_FEATURE_BYTES, .shape = HR_FEATURE_DENSE },
        { .name = "l", .type = HR_FEATURE_BYTES, .shape = HR_FEATURE_LIST },
        { .name = "v",
          .type = HR_FEATURE_FLOAT,
          .shape = HR_FEATURE_DENSE,
          .rank = 1,
          .dims = { 3 } },
    };
    struct hr_features *features = NULL;
    struct hr_program *program = NULL;
    struct hr_plan *plan = NULL;
    struct hr_phase phase;
    struct hr_env env;
    size_t n;

    hr_env_init(&env, NULL);
    if (hr_features_parse(&env, "f", (const char *)data, size, &features) == HR_OK &&
        hr_features_check(&env, features, columns, 5, &program) == HR_OK) {
        hr_program_test(&env, program, &n);
        if (hr_program_phase(&env, program, &phase) == HR_OK && !phase.count)
            hr_program_plan(&env, program, &plan);
    }
    hr_plan_close(plan);
    hr_program_free(program);
    hr_features_free(features);
    hr_env_error(&env);
    hr_env_clear(&env);
    return 0;
}
