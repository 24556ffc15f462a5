/* A packed plan of any bytes; one that is read is applied to a row of missing values and to
 * one of zeros, and gives the same when it is packed and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "transform/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_ROW = 4096 };

static bool is_small(const struct hr_feature *f, size_t n)
{
    size_t i, k;
    int64_t size;

    for (i = 0; i < n; i++) {
        for (size = 1, k = 0; k < (size_t)f[i].rank; k++)
            size *= f[i].dims[k];
        if (size > SIZE_MAX_ROW)
            return false;
    }
    return n < 1000;
}

static void add_value(struct hr_builder *b)
{
    if (b->format == 'l')
        hr_builder_int(b, 0);
    else if (b->format == 'f')
        hr_builder_double(b, 0);
    else
        hr_builder_bytes(b, "a", 1);
}

static hr_status make_rows(const struct hr_feature *inputs, size_t n, bool missing,
                           struct ArrowArray *ret)
{
    static const char *const formats[] = { "", "l", "f", "z" };
    struct ArrowArray *columns = calloc(n + 1, sizeof *columns);
    struct hr_builder b;
    hr_status r;
    size_t i;
    int64_t size, k;

    for (i = 0; columns && i < n; i++) {
        for (size = 1, k = 0; k < inputs[i].rank; k++)
            size *= inputs[i].dims[k];
        hr_builder_init(&b, formats[inputs[i].type],
                        inputs[i].shape == HR_FEATURE_LIST || size > 1);
        if (missing) {
            hr_builder_null(&b);
        } else {
            for (k = 0; k < size; k++)
                add_value(&b);
            if (b.list)
                hr_builder_end(&b);
        }
        if (hr_builder_done(&b, &columns[i]) < 0)
            abort();
    }
    r = columns ? hr_rows_make(columns, (int64_t)n, 1, ret) : HR_EXHAUSTED;
    free(columns);
    return r;
}

static void apply(struct hr_env *env, const struct hr_plan *plan, bool missing)
{
    const struct hr_feature *inputs, *outputs;
    size_t n = hr_plan_inputs(plan, &inputs), m = hr_plan_outputs(plan, &outputs);
    struct hr_apply *a = NULL;
    struct ArrowArray rows, out;
    struct hr_apply_error error;

    if (!is_small(inputs, n) || !is_small(outputs, m) || make_rows(inputs, n, missing, &rows) < 0)
        return;
    if (hr_apply_new(env, plan, NULL, 0, &a) == HR_OK &&
        hr_apply_batch(a, &rows, &out, &error) == HR_OK)
        out.release(&out);
    hr_apply_free(a);
    rows.release(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_plan *plan = NULL, *again = NULL;
    struct hr_env env;
    struct hr_buf b;

    hr_env_init(&env, NULL);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &env);
    if (hr_plan_unpack(&env, data, size, &plan) == HR_OK) {
        if (hr_plan_pack(plan, &b) < 0 || hr_plan_unpack(&env, b.text, b.len, &again) < 0 ||
            strcmp(hr_plan_digest(plan), hr_plan_digest(again)) != 0)
            abort();
        apply(&env, plan, true);
        apply(&env, again, false);
    }
    hr_plan_close(plan);
    hr_plan_close(again);
    hr_buf_clear(&b);
    hr_env_clear(&env);
    return 0;
}
