/* An accumulator is stored as
 *     0   4   format, 1
 *     4   4   columns
 *     8       each of them, as column_store.h has it
 * All integers have their least significant byte first.
 */
#include "validation/statistics.h"

#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "validation/column_store.h"
#include "validation/features.h"

enum { FORMAT = 1, WAITING = 1 << 23, LEAST_WAITING = 8192 };

/* A column of the rows to come. */
struct plan {
    int64_t at; /* in the schema */
    struct hr_feature_args args;
};

struct self {
    struct hr_env env;
    struct hr_arena arena;
    const hr_run_1 *run;
    struct ArrowSchema in;
    const char *tmp; /* a directory; NULL: there is none */
    struct plan *plans; /* by name */
    size_t n;
};

struct hr_statistics_acc {
    uint64_t rows;
    struct hr_column columns[];
};

/* -- the schemas --------------------------------------------------------------------- */

static const HR_MD(Feature) * feature_of(const HR_MD(Schema) * schema, const char *name)
{
    size_t i;

    for (i = 0; schema && i < schema->n_feature; i++)
        if (schema->feature[i]->name && !strcmp(schema->feature[i]->name, name))
            return schema->feature[i];
    return NULL;
}

/* Does the schema say that the numbers of a feature name categories? */
static bool categorical(const HR_MD(Feature) * f, int32_t kind)
{
    if (!f)
        return false;
    if (kind == HR_COL_FLOAT)
        return f->domain_info_case == HR_MD_E(FEATURE__DOMAIN_INFO_FLOAT_DOMAIN) &&
               f->float_domain->is_categorical;
    return f->domain_info_case == HR_MD_E(FEATURE__DOMAIN_INFO_BOOL_DOMAIN) ||
           f->domain_info_case == HR_MD_E(FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN) ||
           (f->domain_info_case == HR_MD_E(FEATURE__DOMAIN_INFO_INT_DOMAIN) &&
            f->int_domain->is_categorical);
}

static hr_status plan_column(struct self *s, const HR_MD(Schema) * schema, int64_t i,
                             struct plan *ret)
{
    const struct ArrowSchema *c = s->in.children[i], *v = c;
    const HR_MD(Feature) *f = feature_of(schema, c->name);
    int32_t kind;

    if (v->format[0] == '+' && v->n_children == 1 && v->format[1] && strchr("lLw", v->format[1]))
        v = v->children[0];
    kind = hr_col_kind(v->dictionary ? v->dictionary->format : v->format);
    ret->at = i;
    ret->args.name = c->name;
    switch (kind) {
    case HR_COL_INT:
        ret->args.type = HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__INT);
        ret->args.use = categorical(f, kind) ? HR_COLUMN_INT_WORDS : HR_COLUMN_NUMBERS;
        return HR_OK;
    case HR_COL_FLOAT:
        ret->args.type = HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__FLOAT);
        ret->args.use = categorical(f, kind) ? HR_COLUMN_SIZES : HR_COLUMN_NUMBERS;
        return HR_OK;
    case HR_COL_BYTES:
    case HR_COL_NULL:
        ret->args.use = kind == HR_COL_NULL ? HR_COLUMN_NOTHING : HR_COLUMN_WORDS;
        ret->args.type = HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__STRING);
        if (f && f->domain_info_case == HR_MD_E(FEATURE__DOMAIN_INFO_IMAGE_DOMAIN))
            ret->args.type = HR_MD_E(FEATURE_NAME_STATISTICS__TYPE__BYTES);
        return HR_OK;
    default:
        return hr_fail(&s->env, HR_INVALID,
                       "column \"%s\" is of Arrow type \"%s\"; statistics take integers, floats, "
                       "text, bytes, and lists of these",
                       c->name, v->format);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct plan *)a)->args.name, ((const struct plan *)b)->args.name);
}

static hr_status prepare(struct self *s, const hr_function_args *args)
{
    ProtobufCMessage *schema = NULL;
    hr_status r = HR_OK;
    int64_t i;

    if (hr_schema_copy(args->in, &s->in) < 0)
        return hr_fail_memory(&s->env);
    if (s->in.n_children > HR_MAX_COLUMNS)
        return hr_fail(&s->env, HR_INVALID, "the rows have more than %d columns", HR_MAX_COLUMNS);
    if (args->config_size)
        r = hr_pb_read(&s->arena, &HR_MD_OF(schema), "the schema of the statistics", args->config,
                       args->config_size, &schema);
    if (r < 0)
        return r;
    s->n = (size_t)s->in.n_children;
    s->plans = hr_arena_array(&s->arena, s->n + 1, sizeof *s->plans);
    if (!s->plans)
        return HR_EXHAUSTED;
    for (i = 0; i < s->in.n_children; i++) {
        r = plan_column(s, (HR_MD(Schema) *)schema, i, &s->plans[i]);
        if (r < 0)
            return r;
    }
    qsort(s->plans, s->n, sizeof *s->plans, by_name);
    return HR_OK;
}

static void drop(void *self)
{
    struct self *s = self;

    if (!s)
        return;
    if (s->in.release)
        s->in.release(&s->in);
    hr_arena_clear(&s->arena);
    hr_env_clear(&s->env);
    free(s);
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
    r = prepare(s, args);
    if (r == HR_OK && s->run && run && !(s->tmp = hr_arena_text(&s->arena, s->run->tmp_dir(run))))
        r = HR_EXHAUSTED;
    r = hr_call_made(s->run, run, &s->env, r, HR_STATISTICS_NAME, ret_out);
    if (r < 0) {
        drop(s);
        return r;
    }
    *ret_self = s;
    return HR_OK;
}

/* -- accumulators ---------------------------------------------------------------------- */

static size_t acc_size(const struct self *s)
{
    return sizeof(struct hr_statistics_acc) + s->n * sizeof(struct hr_column);
}

static struct hr_statistics_acc *acc_new(const struct self *s, struct hr_env *env)
{
    struct hr_statistics_acc *a = hr_mem_zero(env, acc_size(s));
    size_t most, i;

    /* Of many columns fewer values wait, so that wide tables stay within memory. */
    most = s->n ? WAITING / s->n : HR_COLUMN_LATE;
    most = most < LEAST_WAITING ? LEAST_WAITING : most;
    most = most > HR_COLUMN_LATE ? HR_COLUMN_LATE : most;
    for (i = 0; a && i < s->n; i++) {
        hr_column_init(&a->columns[i]);
        hr_column_wait(&a->columns[i], most);
        a->columns[i].words.dir = s->tmp;
    }
    return a;
}

static hr_status create(const void *self, hr_run *run, void **ret_acc)
{
    const struct self *s = self;
    struct hr_statistics_acc *a;
    struct hr_env env;

    hr_call_begin(&env);
    a = acc_new(s, &env);
    if (a)
        *ret_acc = a;
    return hr_call_end(s->run, run, &env, a ? HR_OK : HR_EXHAUSTED);
}

static void drop_acc(const void *self, void *acc)
{
    const struct self *s = self;
    struct hr_statistics_acc *a = acc;
    struct hr_env env;
    size_t i;

    if (!a)
        return;
    hr_call_begin(&env);
    for (i = 0; i < s->n; i++)
        hr_column_clear(&env, &a->columns[i]);
    hr_mem_put(&env, a, acc_size(s));
    hr_env_clear(&env);
}

/* One column of a batch, a run of rows of one accumulator at a time. */
static hr_status add_column(const struct self *s, struct hr_env *env, size_t i, void *const *accs,
                            const uint32_t *group, const struct ArrowArray *rows,
                            struct hr_column_scratch *scratch)
{
    const struct plan *p = &s->plans[i];
    struct hr_statistics_acc *a;
    hr_status r = HR_OK;
    int64_t from, to;
    struct hr_col col;

    if (hr_col_open(&s->in, rows, p->at, &col) < 0)
        return hr_fail(env, HR_INVALID, "column \"%s\" of a batch is not of its type",
                       p->args.name);
    for (from = 0; from < rows->length && r == HR_OK; from = to) {
        to = group ? from + 1 : rows->length;
        while (to < rows->length && group[to] == group[from])
            to++;
        a = accs[group ? group[from] : 0];
        r = hr_column_add(env, &a->columns[i], &col, p->args.use, from, to, scratch);
    }
    return r;
}

static hr_status add_batch(const void *self, hr_run *run, void *const *accs, const uint32_t *group,
                           const struct ArrowArray *rows)
{
    const struct self *s = self;
    struct hr_env env;
    struct hr_column_scratch scratch = { NULL, (size_t)rows->length * 4 };
    size_t size = scratch.counts_n * sizeof *scratch.counts, i;
    struct hr_statistics_acc *a;
    hr_status r = HR_OK;
    int64_t k;

    if (!rows->length)
        return HR_OK;
    hr_call_begin(&env);
    scratch.counts = hr_mem_zero(&env, size);
    if (!scratch.counts)
        return hr_call_end(s->run, run, &env, HR_EXHAUSTED);
    for (k = 0; k < (group ? rows->length : 1); k++) {
        a = accs[group ? group[k] : 0];
        a->rows += group ? 1 : (uint64_t)rows->length;
    }
    for (i = 0; i < s->n && r == HR_OK; i++)
        r = add_column(s, &env, i, accs, group, rows, &scratch);
    hr_mem_put(&env, scratch.counts, size);
    return hr_call_end(s->run, run, &env, r);
}

static hr_status merge(const void *self, hr_run *run, void *acc, void *other)
{
    const struct self *s = self;
    struct hr_env env;
    struct hr_statistics_acc *a = acc, *b = other;
    hr_status r = HR_OK;
    size_t i;

    hr_call_begin(&env);
    a->rows += b->rows;
    for (i = 0; i < s->n && r == HR_OK; i++)
        r = hr_column_merge(&env, &a->columns[i], &b->columns[i]);
    return hr_call_end(s->run, run, &env, r);
}

/* -- bytes ------------------------------------------------------------------------------- */

/* What waits to be counted is no part of what an accumulator says. */
static hr_status settle(const struct self *s, struct hr_env *env, struct hr_statistics_acc *a)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < s->n && r == HR_OK; i++)
        r = hr_column_settle(env, &a->columns[i]);
    return r;
}

static hr_status store(const void *self, struct hr_env *env, void *acc, struct hr_buf *to)
{
    const struct self *s = self;
    struct hr_statistics_acc *a = acc;
    hr_status r = settle(s, env, a);
    size_t i;

    if (r < 0)
        return r;
    r = hr_store_u32(to, FORMAT);

    r |= hr_store_u32(to, (uint32_t)s->n);
    r |= hr_store_u64(to, a->rows);
    for (i = 0; i < s->n && r == HR_OK; i++)
        r = hr_column_store(env, &a->columns[i], to);
    return r < 0 ? hr_fail_memory(env) : HR_OK;
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
    struct hr_stored in = { bytes, bytes + n, true };
    uint32_t format = hr_load_u32(&in), columns = hr_load_u32(&in);
    struct hr_statistics_acc *a;
    hr_status r = HR_OK;
    size_t i;

    if (!in.ok || format != FORMAT || columns != s->n)
        return hr_fail(env, HR_DATA_LOSS,
                       "stored statistics are of format %u with %u columns, not of format %d with "
                       "%zu; compute them again",
                       format, columns, (int)FORMAT, s->n);
    a = acc_new(s, env);
    if (!a)
        return HR_EXHAUSTED;
    a->rows = hr_load_u64(&in);
    for (i = 0; i < s->n && r == HR_OK; i++) {
        r = hr_column_load(env, &in, &a->columns[i]);
        in.ok &= a->columns[i].rows == a->rows;
    }
    if (r == HR_OK && (!in.ok || in.p != in.end))
        r = hr_fail(env, HR_DATA_LOSS, "stored statistics are damaged; compute them again");
    if (r < 0) {
        drop_acc(s, a);
        return r;
    }
    *ret_acc = a;
    return HR_OK;
}

static hr_status deserialize(const void *self, hr_run *run, const struct ArrowArray *bytes,
                             void **ret_accs)
{
    const struct hr_call_load how = { self, load, drop_acc };

    return hr_call_deserialize(((const struct self *)self)->run, run, &how, bytes, ret_accs);
}

/* -- the result -------------------------------------------------------------------------- */

static hr_status message(const void *self, struct hr_env *env, void *acc, struct hr_buf *to)
{
    const struct self *s = self;
    struct hr_statistics_acc *a = acc;
    HR_MD(DatasetFeatureStatisticsList) * list;
    HR_MD(DatasetFeatureStatistics) *set = NULL;
    struct hr_arena arena;
    hr_status r = settle(s, env, a);
    size_t i;

    if (r < 0)
        return r;
    r = HR_EXHAUSTED;
    hr_arena_init(&arena, env, 0);
    list = hr_pb_new(&arena, &HR_MD_OF(dataset_feature_statistics_list));
    if (list)
        set = HR_PB_ADD(&arena, list, datasets, &HR_MD_OF(dataset_feature_statistics));
    if (set) {
        set->num_examples = a->rows;
        set->has_num_examples = a->rows != 0;
        for (r = HR_OK, i = 0; i < s->n && r == HR_OK; i++)
            r = hr_feature_make(&arena, &a->columns[i], &s->plans[i].args, set);
        if (r == HR_OK && !hr_arena_whole(&arena))
            r = HR_EXHAUSTED;
        if (r == HR_OK)
            r = hr_pb_write(env, &list->base, to);
    }
    hr_arena_clear(&arena);
    return r;
}

static hr_status extract(const void *self, hr_run *run, void *const *accs, uint32_t n,
                         struct ArrowArray *ret)
{
    const struct hr_call_accs from = { self, accs, n, message };

    return hr_call_extract(((const struct self *)self)->run, run, &from, ret);
}

const hr_combine_1 hr_statistics_combine = { make,        create,  add_batch, merge, serialize,
                                             deserialize, extract, drop_acc,  drop };

/* -- describing ---------------------------------------------------------------------------- */

hr_rows hr_statistics_describe(const hr_flow_1 *flow, hr_flow *f, hr_rows rows, const void *config,
                               size_t size)
{
    hr_rows out = flow->combine(f, rows, NULL, HR_STATISTICS_NAME, config, size);

    flow->keep(f, out);
    return out;
}

hr_status hr_statistics_config(struct hr_env *env, const HR_MD(Schema) * schema, struct hr_buf *to)
{
    return hr_pb_write(env, &schema->base, to);
}

hr_status hr_statistics_fetch(struct hr_env *env, const hr_flow_1 *flow, hr_flow *f, hr_rows rows,
                              struct hr_buf *to)
{
    struct ArrowArrayStream stream = { 0 };
    struct ArrowSchema schema = { 0 };
    struct ArrowArray batch = { 0 };
    struct hr_col col;
    const char *bytes;
    hr_status r = flow->fetch(f, rows, &stream);
    size_t n;

    if (r < 0)
        return r;
    if (stream.get_schema(&stream, &schema) || stream.get_next(&stream, &batch) || !batch.release ||
        batch.length != 1 || hr_col_open(&schema, &batch, 0, &col) < 0 ||
        col.kind != HR_COL_BYTES) {
        r = hr_fail(env, HR_INTERNAL, "the statistics are not one row of bytes");
    } else {
        bytes = hr_col_bytes(&col, col.at, &n);
        if (hr_buf_add(to, bytes, n) < 0)
            r = hr_fail_memory(env);
    }
    if (batch.release)
        batch.release(&batch);
    if (schema.release)
        schema.release(&schema);
    stream.release(&stream);
    return r;
}
