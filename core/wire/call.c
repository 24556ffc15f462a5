#include "wire/call.h"

#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"

void hr_call_begin(struct hr_env *env)
{
    hr_env_init(env, &(struct hr_env_config){ .threads = 1, .batch_rows = 1 });
}

static void tell(const hr_run_1 *rt, hr_run *run, struct hr_env *env, hr_status r)
{
    if (r < 0 && rt && run && env->errors.count)
        rt->fail(run, r, hr_env_error(env));
}

hr_status hr_call_end(const hr_run_1 *rt, hr_run *run, struct hr_env *env, hr_status r)
{
    tell(rt, run, env, r);
    hr_env_clear(env);
    return r;
}

hr_status hr_call_made(const hr_run_1 *rt, hr_run *run, struct hr_env *env, hr_status r,
                       const char *name, struct ArrowSchema *ret_out)
{
    if (r == HR_OK && (r = hr_schema_new("+s", "", 1, ret_out)) == HR_OK &&
        (r = hr_schema_column(ret_out->children[0], name, "z", 0)) < 0)
        ret_out->release(ret_out);
    tell(rt, run, env, r);
    return r;
}

/* n values that stand one after another in bytes, to an array of "Z"; takes offsets. */
static hr_status values_array(struct hr_env *env, const struct hr_buf *bytes, int64_t *offsets,
                              int64_t n, struct ArrowArray *ret)
{
    char *copy = malloc(bytes->len + 1);
    struct hr_built *h;
    struct ArrowArray a;

    if (!copy || hr_built_make(n, 0, 3, &a) < 0) {
        free(copy);
        free(offsets);
        return hr_fail_memory(env);
    }
    memcpy(copy, bytes->text, bytes->len);
    h = a.private_data;
    h->buffers[1] = offsets;
    h->buffers[2] = copy;
    *ret = a;
    return HR_OK;
}

hr_status hr_call_serialize(const hr_run_1 *rt, hr_run *run, const struct hr_call_accs *from,
                            struct ArrowArray *ret)
{
    int64_t *offsets = calloc((size_t)from->n + 1, sizeof *offsets);
    hr_status r = offsets ? HR_OK : HR_EXHAUSTED;
    struct hr_env env;
    struct hr_buf b;
    uint32_t i;

    hr_call_begin(&env);
    hr_buf_of(&b, SIZE_MAX / 2, &env);
    for (i = 0; i < from->n && r == HR_OK; i++) {
        r = from->put(from->self, &env, from->accs[i], &b);
        offsets[i + 1] = (int64_t)b.len;
    }
    if (r == HR_OK)
        r = values_array(&env, &b, offsets, from->n, ret);
    else
        free(offsets);
    hr_buf_clear(&b);
    return hr_call_end(rt, run, &env, r);
}

hr_status hr_call_extract(const hr_run_1 *rt, hr_run *run, const struct hr_call_accs *from,
                          struct ArrowArray *ret)
{
    struct ArrowArray column;
    struct hr_builder b;
    hr_status r = HR_OK;
    struct hr_buf bytes;
    struct hr_env env;
    uint32_t i;

    hr_call_begin(&env);
    hr_builder_init(&b, "z", 0);
    hr_buf_of(&bytes, HR_MAX_FILE_BYTES, &env);
    for (i = 0; i < from->n && r == HR_OK; i++) {
        hr_buf_cut(&bytes, 0);
        r = from->put(from->self, &env, from->accs[i], &bytes);
        if (r == HR_OK)
            hr_builder_bytes(&b, bytes.text, bytes.len);
    }
    hr_buf_clear(&bytes);
    if (r < 0)
        hr_builder_drop(&b);
    else if (hr_builder_done(&b, &column) < 0 || hr_rows_make(&column, 1, from->n, ret) < 0)
        r = hr_fail_memory(&env);
    return hr_call_end(rt, run, &env, r);
}

hr_status hr_call_deserialize(const hr_run_1 *rt, hr_run *run, const struct hr_call_load *how,
                              const struct ArrowArray *bytes, void **ret_accs)
{
    const int64_t *offsets = (const int64_t *)bytes->buffers[1] + bytes->offset;
    hr_status r = HR_OK;
    struct hr_env env;
    int64_t i;

    hr_call_begin(&env);
    for (i = 0; i < bytes->length && r == HR_OK; i++)
        r = how->load(how->self, &env, (const char *)bytes->buffers[2] + offsets[i],
                      (size_t)(offsets[i + 1] - offsets[i]), &ret_accs[i]);
    if (r < 0)
        for (i -= 1; i-- > 0;)
            how->drop(how->self, ret_accs[i]);
    return hr_call_end(rt, run, &env, r);
}
