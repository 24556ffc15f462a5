/* A configuration as bytes: u32 which models predict, then an EvalConfig.
 * An accumulator as bytes: u32 format, 1; then gather.h's.
 */
#include "analysis/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/results.h"
#include "headrace/rows.h"

enum { FORMAT = 1, MODELS = 2 };

struct self {
    struct hr_env env;
    struct hr_arena arena;
    const hr_run_1 *run;
    struct ArrowSchema in;
    struct hr_plan *plan;
    size_t models;
};

/* -- configurations ---------------------------------------------------------------------- */

hr_status hr_evaluation_config(struct hr_env *env, const hr_eval_config *config, uint32_t models,
                               struct hr_buf *to)
{
    char b[4] = { (char)models, 0, 0, 0 };

    if (hr_buf_add(to, b, sizeof b) < 0)
        return hr_fail_memory(env);
    return hr_pb_write(env, &config->base, to);
}

hr_status hr_evaluation_load(struct hr_arena *arena, const void *bytes, size_t n,
                             hr_eval_config **ret, uint32_t *ret_models)
{
    ProtobufCMessage *m = NULL;
    hr_status r;

    if (n < 4)
        return hr_fail(arena->env, HR_INVALID, "the configuration of an evaluation is cut off");
    r = hr_pb_read(arena, &HR_MA_OF(eval_config), "the configuration of an evaluation",
                   (const char *)bytes + 4, n - 4, &m);
    if (r < 0)
        return r;
    *ret = (hr_eval_config *)m;
    *ret_models = *(const unsigned char *)bytes;
    return HR_OK;
}

/* -- the function ------------------------------------------------------------------------ */

static void drop(void *self)
{
    struct self *s = self;

    if (!s)
        return;
    if (s->in.release)
        s->in.release(&s->in);
    if (s->plan)
        hr_buf_clear(&s->plan->warnings);
    hr_arena_clear(&s->arena);
    hr_env_clear(&s->env);
    free(s);
}

static hr_status prepare(struct self *s, const hr_function_args *args)
{
    hr_eval_config *config = NULL;
    uint32_t models;
    hr_status r;

    if (hr_schema_copy(args->in, &s->in) < 0)
        return hr_fail_memory(&s->env);
    r = hr_evaluation_load(&s->arena, args->config, args->config_size, &config, &models);
    if (r == HR_OK)
        r = hr_plan_make(&s->arena, config, &s->plan);
    if (r < 0)
        return r;
    s->models = config->n_model_specs;
    if (s->models > MODELS || s->in.n_children != 1 + 3 * (int64_t)s->models)
        return hr_fail(&s->env, HR_INVALID, "rows of %lld columns are none of an evaluation",
                       (long long)s->in.n_children);
    return HR_OK;
}

static hr_status make(const hr_host *host, hr_run *run, const hr_function_args *args,
                      struct ArrowSchema *ret_out, void **ret_self)
{
    struct self *s = calloc(1, sizeof *s);
    hr_status r;

    if (!s)
        return HR_EXHAUSTED;
    hr_env_init(&s->env, NULL);
    hr_arena_init(&s->arena, &s->env, 0);
    s->run = host ? host->get_interface(host, HR_RUN) : NULL;
    r = hr_call_made(s->run, run, &s->env, prepare(s, args), "metrics", ret_out);
    if (r < 0) {
        drop(s);
        return r;
    }
    *ret_self = s;
    return HR_OK;
}

static struct hr_gathered *acc_new(const struct self *s, struct hr_env *env)
{
    struct hr_gathered *g = hr_mem_zero(env, sizeof *g);

    if (g && hr_gathered_init(env, s->plan, g) < 0) {
        hr_mem_put(env, g, sizeof *g);
        return NULL;
    }
    return g;
}

static hr_status create(const void *self, hr_run *run, void **ret_acc)
{
    const struct self *s = self;
    struct hr_gathered *g;
    struct hr_env env;

    hr_call_begin(&env);
    g = acc_new(s, &env);
    if (g)
        *ret_acc = g;
    return hr_call_end(s->run, run, &env, g ? HR_OK : HR_EXHAUSTED);
}

static void drop_acc(const void *self, void *acc)
{
    const struct self *s = self;
    struct hr_env env;

    if (!acc)
        return;
    hr_call_begin(&env);
    hr_gathered_clear(&env, s->plan, acc);
    hr_mem_put(&env, acc, sizeof(struct hr_gathered));
    hr_env_clear(&env);
}

static void row_of(const struct hr_col *c, int64_t i, struct hr_row *ret)
{
    int64_t at, n = hr_col_count(&c[0], i, &at);

    ret->labels = (const double *)c[0].values + at;
    ret->labels_n = (size_t)n;
    n = hr_col_count(&c[1], i, &at);
    ret->scores = (const double *)c[1].values + at;
    ret->scores_n = (size_t)n;
    hr_col_count(&c[2], i, &at);
    ret->weight = ((const double *)c[2].values)[at];
}

static hr_status open_columns(const struct self *s, struct hr_env *env,
                              const struct ArrowArray *rows, struct hr_col *ret)
{
    size_t i;

    for (i = 0; i < 3 * s->models; i++)
        if (hr_col_open(&s->in, rows, 1 + (int64_t)i, &ret[i]) < 0 || ret[i].format != 'g')
            return hr_fail(env, HR_INVALID, "rows are none of an evaluation");
    return HR_OK;
}

static hr_status add_batch(const void *self, hr_run *run, void *const *accs, const uint32_t *group,
                           const struct ArrowArray *rows)
{
    const struct self *s = self;
    struct hr_env env;
    struct hr_gather_scratch scratch = { 0 };
    struct hr_col columns[3 * MODELS];
    struct hr_row models[MODELS];
    hr_status r;
    int64_t i;
    size_t m;

    hr_call_begin(&env);
    r = open_columns(s, &env, rows, columns);
    for (i = 0; i < rows->length && r == HR_OK; i++) {
        for (m = 0; m < s->models; m++)
            row_of(columns + 3 * m, i, &models[m]);
        r = hr_gathered_add(&env, s->plan, accs[group ? group[i] : 0], models, &scratch);
    }
    hr_gather_scratch_clear(&env, &scratch);
    return hr_call_end(s->run, run, &env, r);
}

static hr_status merge(const void *self, hr_run *run, void *acc, void *other)
{
    const struct self *s = self;

    struct hr_env env;

    hr_call_begin(&env);
    return hr_call_end(s->run, run, &env, hr_gathered_merge(&env, s->plan, acc, other));
}

static hr_status store(const void *self, struct hr_env *env, void *acc, struct hr_buf *to)
{
    static const char head[4] = { FORMAT, 0, 0, 0 };
    const struct self *s = self;

    if (hr_buf_add(to, head, sizeof head) < 0 || hr_gathered_store(s->plan, acc, to) < 0)
        return hr_fail_memory(env);
    return HR_OK;
}

static hr_status serialize(const void *self, hr_run *run, void *const *accs, uint32_t n,
                           struct ArrowArray *ret)
{
    const struct hr_call_accs from = { self, accs, n, store };

    return hr_call_serialize(((const struct self *)self)->run, run, &from, ret);
}

static hr_status load(const void *self, struct hr_env *env, const char *bytes, size_t n,
                      void **ret_acc)
{
    const struct self *s = self;
    struct hr_gathered *acc;
    hr_status r;

    if (n < 4 || bytes[0] != FORMAT || bytes[1] || bytes[2] || bytes[3])
        return hr_fail(env, HR_DATA_LOSS,
                       "stored sums of an evaluation are not of format %d; evaluate again",
                       (int)FORMAT);
    acc = acc_new(s, env);
    if (!acc)
        return HR_EXHAUSTED;
    r = hr_gathered_load(env, s->plan, bytes + 4, n - 4, acc);
    if (r < 0)
        drop_acc(s, acc);
    else
        *ret_acc = acc;
    return r;
}

static hr_status deserialize(const void *self, hr_run *run, const struct ArrowArray *bytes,
                             void **ret_accs)
{
    const struct hr_call_load how = { self, load, drop_acc };

    return hr_call_deserialize(((const struct self *)self)->run, run, &how, bytes, ret_accs);
}

static hr_status result(const void *self, struct hr_env *env, void *acc, struct hr_buf *to)
{
    const struct self *s = self;
    HR_MA(MetricsForSlice) *m = NULL;
    struct hr_arena arena;
    hr_status r;

    hr_arena_init(&arena, env, 0);
    r = hr_results_make(&arena, s->plan, acc, &m);
    if (r == HR_OK && !hr_arena_whole(&arena))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = hr_pb_write(env, &m->base, to);
    hr_arena_clear(&arena);
    return r;
}

static hr_status extract(const void *self, hr_run *run, void *const *accs, uint32_t n,
                         struct ArrowArray *ret)
{
    const struct hr_call_accs from = { self, accs, n, result };

    return hr_call_extract(((const struct self *)self)->run, run, &from, ret);
}

const hr_combine_1 hr_evaluation_sums = { make,        create,  add_batch, merge, serialize,
                                          deserialize, extract, drop_acc,  drop };

/* -- describing ----------------------------------------------------------------------------- */

hr_rows hr_evaluation_describe(const hr_flow_1 *flow, hr_flow *f, hr_rows rows,
                               const struct hr_buf *config)
{
    static const char *const keys[] = { "slice", NULL };
    hr_rows out = flow->map(f, rows, HR_EVALUATION_INPUTS_NAME, config->text, config->len);

    out = flow->combine(f, out, keys, HR_EVALUATION_SUMS_NAME, config->text, config->len);
    flow->keep(f, out);
    return out;
}

/* One row: the key of a slice and its metrics. */
static hr_status take_row(struct hr_arena *arena, const struct hr_col *key,
                          const struct hr_col *metrics, int64_t i, struct hr_evaluation *ret)
{
    ProtobufCMessage *k = NULL, *m = NULL;
    HR_MA(MetricsForSlice) * *place;
    const char *bytes;
    int64_t at;
    hr_status r;
    size_t n;

    hr_col_count(key, i, &at);
    bytes = hr_col_bytes(key, at, &n);
    r = hr_pb_read(arena, &HR_MA_OF(slice_key), "the key of a slice", bytes, n, &k);
    if (r < 0)
        return r;
    hr_col_count(metrics, i, &at);
    bytes = hr_col_bytes(metrics, at, &n);
    r = hr_pb_read(arena, &HR_MA_OF(metrics_for_slice), "the metrics of a slice", bytes, n, &m);
    if (r < 0)
        return r;
    place = hr_pb_push(arena, (void **)&ret->slices, &ret->n, sizeof *place);
    if (!place)
        return HR_EXHAUSTED;
    *place = (HR_MA(MetricsForSlice) *)m;
    (*place)->slicing_spec_oneof_case = HR_MA_E(METRICS_FOR_SLICE__SLICING_SPEC_ONEOF_SLICE_KEY);
    (*place)->slice_key = (HR_MA(SliceKey) *)k;
    return HR_OK;
}

static hr_status take_batch(struct hr_arena *arena, const struct ArrowSchema *schema,
                            const struct ArrowArray *rows, struct hr_evaluation *ret)
{
    struct hr_col key, metrics;
    hr_status r = HR_OK;
    int64_t i;

    if (hr_col_open(schema, rows, 0, &key) < 0 || hr_col_open(schema, rows, 1, &metrics) < 0 ||
        key.kind != HR_COL_BYTES || metrics.kind != HR_COL_BYTES)
        return hr_fail(arena->env, HR_INTERNAL, "the result is no evaluation");
    for (i = 0; i < rows->length && r == HR_OK; i++)
        r = take_row(arena, &key, &metrics, i, ret);
    return r;
}

hr_status hr_evaluation_take(struct hr_arena *arena, struct ArrowArrayStream *stream,
                             struct hr_evaluation *ret)
{
    struct ArrowSchema schema = { 0 };
    struct hr_evaluation e = { NULL, 0 };
    struct ArrowArray rows;
    hr_status r = HR_OK;

    if (stream->get_schema(stream, &schema))
        r = hr_fail(arena->env, HR_INTERNAL, "the result of the evaluation cannot be read");
    while (r == HR_OK) {
        memset(&rows, 0, sizeof rows);
        if (stream->get_next(stream, &rows))
            r = hr_fail(arena->env, HR_INTERNAL, "the result of the evaluation cannot be read");
        if (r < 0 || !rows.release)
            break;
        r = take_batch(arena, &schema, &rows, &e);
        rows.release(&rows);
    }
    if (schema.release)
        schema.release(&schema);
    stream->release(stream);
    if (r == HR_OK)
        *ret = e;
    return r;
}

hr_status hr_evaluation_fetch(struct hr_arena *arena, const hr_flow_1 *flow, hr_flow *f,
                              hr_rows rows, struct hr_evaluation *ret)
{
    struct ArrowArrayStream stream = { 0 };
    hr_status r = flow->fetch(f, rows, &stream);

    return r < 0 ? r : hr_evaluation_take(arena, &stream, ret);
}
