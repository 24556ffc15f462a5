/* Stored sums of a slice: what is taken is stored again, merged, and gives metrics. */
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/results.h"
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] =
    "{\"modelSpecs\":[{\"labelKey\":\"l\",\"predictionKey\":\"p\"}],\"metricsSpecs\":[{\"metrics\":"
    "[{\"className\":\"AUC\"},{\"className\":\"Precision\"},{\"className\":\"MeanLabel\"},"
    "{\"className\":\"MultiClassConfusionMatrixAtThresholds\"},{\"className\":"
    "\"MeanSquaredError\"}]}]}";

static void use(struct hr_arena *arena, const struct hr_plan *plan, struct hr_gathered *g)
{
    HR_MA(MetricsForSlice) *m = NULL;
    struct hr_gathered sum;
    struct hr_buf b;

    hr_buf_of(&b, 1 << 26, arena->env);
    hr_gathered_store(plan, g, &b);
    hr_results_make(arena, plan, g, &m);
    if (hr_gathered_init(arena->env, plan, &sum) == HR_OK) {
        hr_gathered_load(arena->env, plan, b.text, b.len, &sum);
        hr_gathered_merge(arena->env, plan, &sum, g);
        hr_gathered_clear(arena->env, plan, &sum);
    }
    hr_buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hr_eval_config *c = NULL;
    struct hr_plan *plan = NULL;
    struct hr_gathered g;
    struct hr_arena arena;
    struct hr_env env;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 1 << 28);
    if (hr_eval_config_read(&arena, "x", config, sizeof config - 1, &c) == HR_OK &&
        hr_plan_make(&arena, c, &plan) == HR_OK && hr_gathered_init(&env, plan, &g) == HR_OK) {
        if (hr_gathered_load(&env, plan, (const char *)data, size, &g) == HR_OK)
            use(&arena, plan, &g);
        hr_gathered_clear(&env, plan, &g);
    }
    if (plan)
        hr_buf_clear(&plan->warnings);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
    return 0;
}
