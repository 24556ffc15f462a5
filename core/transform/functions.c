/* The functions that flows name: "transform.apply", a map, and the analyzers, combines that
 * share one table and are told apart by their names.
 */
#include <stdio.h>
#include <string.h>

#include "transform/analyze.h"

/* -- transform.apply ---------------------------------------- */

struct map {
    struct hr_env env;
    const hr_run_1 *rt;
    const hr_emit_1 *emit;
    const hr_log_1 *log;
    struct hr_plan *plan;
    struct hr_apply *apply;
    bool or_drop;       /* a row that cannot be computed is left out */
    int64_t told, more; /* of those since the last flush() */
};

enum { TOLD = 5 };

static void map_drop(void *self)
{
    struct map *m = self;

    if (!m)
        return;
    hr_apply_free(m->apply);
    hr_plan_close(m->plan);
    hr_env_clear(&m->env);
    free(m);
}

static hr_status map_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                          struct ArrowSchema *ret_outs, void **ret_self)
{
    struct map *m = calloc(1, sizeof *m);
    hr_status r;

    if (!m)
        return HR_EXHAUSTED;
    hr_env_init(&m->env, NULL);
    m->rt = host->get_interface(host, HR_RUN);
    m->emit = host->get_interface(host, HR_EMIT);
    m->log = host->get_interface(host, HR_LOG);
    m->or_drop = !strcmp(args->name, HR_TRANSFORM_APPLY_OR_DROP);
    if ((r = hr_plan_unpack(&m->env, args->config, args->config_size, &m->plan)) < 0 ||
        (r = hr_apply_new(&m->env, m->plan, args->in, 0, &m->apply)) < 0 ||
        (r = hr_apply_schema(m->apply, ret_outs)) < 0) {
        r = m->rt->fail(run, r, hr_env_error(&m->env));
        map_drop(m);
        return r;
    }
    *ret_self = m;
    return HR_OK;
}

/* "Split-train row 4711: x is missing", where the runner knows it. */
static void name_row(const struct map *m, hr_run *run, int64_t row, const char *what, char *to,
                     size_t n)
{
    const char *split = NULL;
    int64_t first = 0;

    if (m->rt->get_int(run, NULL, 0, "__row", &first) != HR_OK)
        snprintf(to, n, "row %lld of a batch: %s", (long long)row, what);
    else if (m->rt->get_text(run, NULL, 0, "__split", &split) != HR_OK)
        snprintf(to, n, "row %lld: %s", (long long)(first + row), what);
    else
        snprintf(to, n, "Split-%s row %lld: %s", split, (long long)(first + row), what);
}

static void tell_dropped(struct map *m, hr_run *run, int64_t row, const char *what)
{
    char text[700];

    if (m->told == TOLD) {
        m->more++;
        return;
    }
    m->told++;
    name_row(m, run, row, what, text, sizeof text);
    snprintf(text + strlen(text), sizeof text - strlen(text), "; the row is left out");
    if (m->log)
        m->log->log(run, HR_WARN, text);
}

/* Rows from on; what is before the first that cannot be computed, and then what is behind it. */
static hr_status apply_rows(struct map *m, hr_run *run, const struct ArrowArray *rows, int64_t from,
                            int64_t to)
{
    struct ArrowArray part = *rows, out;
    struct hr_apply_error error;
    char text[600];
    hr_status r;

    while (from < to || (from == to && !rows->length)) {
        part.offset = rows->offset + from;
        part.length = to - from;
        r = hr_apply_batch(m->apply, &part, &out, &error);
        if (r == HR_OK)
            return m->emit->emit(run, 0, &out);
        if (error.row < 0)
            return m->rt->fail(run, r, error.text);
        if (!m->or_drop) {
            name_row(m, run, from + error.row, error.text, text, sizeof text);
            return m->rt->fail(run, r, text);
        }
        /* Rows before it may fail too, in a step that was not reached. */
        if (error.row && (r = apply_rows(m, run, rows, from, from + error.row)) < 0)
            return r;
        tell_dropped(m, run, from + error.row, error.text);
        from += error.row + 1;
    }
    return HR_OK;
}

static hr_status map_batch(void *self, hr_run *run, struct ArrowArray *rows)
{
    hr_status r = apply_rows(self, run, rows, 0, rows->length);

    rows->release(rows);
    return r;
}

static hr_status map_flush(void *self, hr_run *run)
{
    struct map *m = self;
    char text[80];

    if (m->more && m->log) {
        snprintf(text, sizeof text, "%lld more rows are left out of this block",
                 (long long)m->more);
        m->log->log(run, HR_WARN, text);
    }
    m->told = m->more = 0;
    return HR_OK;
}

static const hr_map_1 map = { map_make, map_batch, map_flush, map_drop };

/* -- analyze.* ---------------------------------------- */

static const struct hr_analyzer_kind *const kinds[] = {
    &hr_analyze_mean_var,
    &hr_analyze_min_max,
    &hr_analyze_quantiles,
    &hr_analyze_vocabulary,
};

uint8_t hr_read_u8(struct hr_reader *r)
{
    if (r->p == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->p++;
}

uint64_t hr_read_u64(struct hr_reader *r)
{
    uint64_t v = 0;
    int i;

    if (r->end - r->p < 8) {
        r->bad = true;
        return 0;
    }
    for (i = 7; i >= 0; i--)
        v = v << 8 | r->p[i];
    r->p += 8;
    return v;
}

double hr_read_f64(struct hr_reader *r)
{
    uint64_t bits = hr_read_u64(r);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

void hr_write_u64(struct hr_buf *b, uint64_t v)
{
    uint8_t bytes[8];
    int i;

    for (i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> 8 * i);
    hr_buf_add(b, bytes, 8);
}

void hr_write_f64(struct hr_buf *b, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    hr_write_u64(b, bits);
}

static void analyzer_drop(void *self)
{
    struct hr_analyzer *a = self;

    if (!a)
        return;
    if (a->schema.release)
        a->schema.release(&a->schema);
    hr_env_clear(&a->env);
    free(a);
}

static hr_status find_column(struct hr_analyzer *a, const char *name, int64_t *ret)
{
    const struct ArrowSchema *s;

    *ret = name ? hr_col_find(&a->schema, name) : -1;
    if (*ret < 0)
        return hr_fail(&a->env, HR_INVALID, "there is no column \"%s\" to analyse",
                       name ? name : "");
    s = a->schema.children[*ret];
    if (s->format[0] == '+' && s->n_children == 1)
        s = s->children[0];
    switch (hr_col_kind(s->dictionary ? s->dictionary->format : s->format)) {
    case HR_COL_INT:
        a->elem = 'l';
        break;
    case HR_COL_FLOAT:
        a->elem = 'f';
        break;
    default:
        a->elem = 'z';
        break;
    }
    return HR_OK;
}

static hr_status read_config(struct hr_analyzer *a, const struct hr_json_doc *doc)
{
    const struct hr_json *root = hr_json_root(doc);
    const char *weight = hr_json_text(hr_json_get(root, "weight"));
    hr_status r = HR_OK;

    a->weight = a->top_k = a->threshold = -1;
    a->epsilon = 0.01;
    hr_json_int(doc, hr_json_get(root, "each"), &a->each);
    hr_json_int(doc, hr_json_get(root, "top_k"), &a->top_k);
    hr_json_int(doc, hr_json_get(root, "threshold"), &a->threshold);
    if (hr_json_get(root, "epsilon"))
        hr_json_double(doc, hr_json_get(root, "epsilon"), &a->epsilon);
    if (a->each < 0 || a->each > HR_MAX_FEATURE_SIZE || !(a->epsilon > 0 && a->epsilon < 1) ||
        (a->kind == &hr_analyze_quantiles && (a->top_k < 1 || a->top_k > INT32_MAX)))
        return hr_fail(&a->env, HR_INVALID, "the config of %s is out of range", a->kind->name);
    if (weight)
        r = find_column(a, weight, &a->weight);
    if (r == HR_OK)
        r = find_column(a, hr_json_text(hr_json_get(root, "column")), &a->column);
    return r;
}

/* "mean:g* var:g* ..." as columns. */
static int result_columns(const struct hr_analyzer *a, struct hr_builder *builders,
                          struct ArrowSchema *schema)
{
    const char *p = a->kind->columns;
    char name[32], format[2] = { 0 };
    int n = 0;

    while (*p) {
        size_t len = strcspn(p, ":");

        snprintf(name, sizeof name, "%.*s", (int)len, p);
        format[0] = p[len + 1];
        p += len + 2;
        if (builders)
            hr_builder_init(&builders[n], format, *p == '*');
        if (schema && hr_schema_column(schema->children[n], name, format, *p == '*') < 0)
            return -1;
        p += *p == '*';
        p += *p == ' ';
        n++;
    }
    return n;
}

static hr_status analyzer_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                               struct ArrowSchema *ret_out, void **ret_self)
{
    struct hr_analyzer *a = calloc(1, sizeof *a);
    struct hr_json_doc *doc = NULL;
    struct hr_builder builders[8];
    hr_status r;
    size_t i;

    if (!a)
        return HR_EXHAUSTED;
    hr_env_init(&a->env, NULL);
    a->rt = host->get_interface(host, HR_RUN);
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i]->name, args->name))
            a->kind = kinds[i];
    r = a->kind ? hr_schema_copy(args->in, &a->schema)
                : hr_fail(&a->env, HR_NOT_FOUND, "there is no analyzer \"%s\"", args->name);
    if (r == HR_OK &&
        (r = hr_json_parse(&a->env, args->name, args->config, args->config_size, 0, &doc)) == HR_OK)
        r = read_config(a, doc);
    hr_json_free(doc);
    if (r == HR_OK)
        r = hr_schema_new("+s", "", result_columns(a, builders, NULL), ret_out);
    if (r == HR_OK && result_columns(a, NULL, ret_out) < 0) {
        hr_schema_release(ret_out);
        r = HR_EXHAUSTED;
    }
    if (r < 0) {
        r = a->rt->fail(run, r, hr_env_error(&a->env));
        analyzer_drop(a);
        return r;
    }
    *ret_self = a;
    return HR_OK;
}

static void drop_acc(const void *self, void *acc)
{
    const struct hr_analyzer *a = self;

    if (!acc)
        return;
    a->kind->clear(a, acc);
    free(acc);
}

static hr_status create(const void *self, hr_run *run, void **ret_acc)
{
    const struct hr_analyzer *a = self;
    void *acc = calloc(1, a->kind->size);

    (void)run;
    if (!acc)
        return HR_EXHAUSTED;
    *ret_acc = acc;
    return HR_OK;
}

static hr_status say(const struct hr_analyzer *a, hr_run *run, hr_status r, const char *what)
{
    char text[160];

    if (r == HR_OK)
        return r;
    snprintf(text, sizeof text, "%s %s", a->kind->name, what);
    return a->rt->fail(run, r, text);
}

static hr_status add_batch(const void *self, hr_run *run, void *const *accs, const uint32_t *group,
                           const struct ArrowArray *rows)
{
    const struct hr_analyzer *a = self;
    struct hr_col col, weight;
    struct hr_range range = { &col, a->weight >= 0 ? &weight : NULL, 0, rows->length };
    hr_status r = hr_col_open(&a->schema, rows, a->column, &col);
    int64_t i;

    if (r == HR_OK && a->weight >= 0)
        r = hr_col_open(&a->schema, rows, a->weight, &weight);
    if (r == HR_OK && !group)
        r = a->kind->add(a, accs[0], &range);
    for (i = 0; group && i < rows->length && r == HR_OK; i++) {
        range.first = i;
        range.end = i + 1;
        r = a->kind->add(a, accs[group[i]], &range);
    }
    return say(a, run, r, "cannot take a batch: it is too large or memory is short");
}

static hr_status merge(const void *self, hr_run *run, void *acc, void *other)
{
    const struct hr_analyzer *a = self;

    return say(a, run, a->kind->merge(a, acc, other), "cannot merge: memory is short");
}

/* Texts behind each other as a large_binary array. */
static hr_status large_binary(const struct hr_buf *all, const int64_t *ends, uint32_t n,
                              struct ArrowArray *ret)
{
    int64_t *offsets = calloc((size_t)n + 1, sizeof *offsets);
    char *bytes = malloc(all->len + 1);
    struct hr_built *h;
    uint32_t i;

    if (!offsets || !bytes || hr_built_make(n, 0, 3, ret) < 0) {
        free(offsets);
        free(bytes);
        return HR_EXHAUSTED;
    }
    for (i = 0; i < n; i++)
        offsets[i + 1] = ends[i];
    memcpy(bytes, all->text, all->len + 1);
    h = ret->private_data;
    h->buffers[1] = offsets;
    h->buffers[2] = bytes;
    return HR_OK;
}

static hr_status serialize(const void *self, hr_run *run, void *const *accs, uint32_t n,
                           struct ArrowArray *ret)
{
    const struct hr_analyzer *a = self;
    int64_t *ends = calloc((size_t)n + 1, sizeof *ends);
    hr_status r = ends ? HR_OK : HR_EXHAUSTED;
    struct hr_buf b;
    uint32_t i;

    hr_buf_of(&b, (size_t)1 << 40, &a->env);
    for (i = 0; i < n && r == HR_OK; i++) {
        size_t before = b.len;

        a->kind->write(a, accs[i], &b);
        ends[i] = (int64_t)b.len;
        if (b.len == before || !hr_buf_whole(&b))
            r = HR_EXHAUSTED;
    }
    if (r == HR_OK)
        r = large_binary(&b, ends, n, ret);
    free(ends);
    hr_buf_clear(&b);
    return say(a, run, r, "cannot be stored: memory is short");
}

static hr_status deserialize(const void *self, hr_run *run, const struct ArrowArray *bytes,
                             void **ret_accs)
{
    const struct hr_analyzer *a = self;
    const int64_t *ends = (const int64_t *)bytes->buffers[1] + bytes->offset;
    hr_status r = HR_OK;
    int64_t i;

    for (i = 0; i < bytes->length; i++) {
        struct hr_reader reader = { (const uint8_t *)bytes->buffers[2] + ends[i],
                                    (const uint8_t *)bytes->buffers[2] + ends[i + 1], false };

        ret_accs[i] = NULL;
        if ((r = create(a, run, &ret_accs[i])) < 0 ||
            (r = a->kind->read(a, ret_accs[i], &reader)) < 0)
            break;
        if (reader.p != reader.end) {
            r = HR_DATA_LOSS;
            break;
        }
    }
    for (; r < 0 && i >= 0; i--)
        drop_acc(a, ret_accs[i]);
    return say(a, run, r, "cannot be restored: these bytes are not what it has stored");
}

static hr_status extract_one(const struct hr_analyzer *a, hr_run *run, void *acc,
                             struct hr_builder *builders)
{
    void *copy = NULL, *other = NULL;
    hr_status r = create(a, run, &copy); /* what is left as it is must not be finished */
    struct hr_buf b;
    struct hr_reader reader;

    (void)other;
    hr_buf_of(&b, (size_t)1 << 40, &a->env);
    if (r == HR_OK) {
        a->kind->write(a, acc, &b);
        reader =
            (struct hr_reader){ (const uint8_t *)b.text, (const uint8_t *)b.text + b.len, false };
        r = hr_buf_whole(&b) ? a->kind->read(a, copy, &reader) : HR_EXHAUSTED;
        if (r == HR_OK)
            r = a->kind->result(a, copy, builders);
    }
    hr_buf_clear(&b);
    drop_acc(a, copy);
    return r;
}

static hr_status extract(const void *self, hr_run *run, void *const *accs, uint32_t n,
                         struct ArrowArray *ret)
{
    const struct hr_analyzer *a = self;
    struct hr_builder builders[8];
    struct ArrowArray columns[8];
    int count = result_columns(a, builders, NULL), i, done = 0;
    hr_status r = HR_OK;
    uint32_t k;

    for (k = 0; k < n && r == HR_OK; k++)
        r = extract_one(a, run, accs[k], builders);
    for (i = 0; i < count; i++) {
        if (r == HR_OK && (r = hr_builder_done(&builders[i], &columns[i])) == HR_OK)
            done++;
        hr_builder_drop(&builders[i]);
    }
    if (r == HR_OK)
        r = hr_rows_make(columns, count, n, ret);
    else
        for (i = 0; i < done; i++)
            columns[i].release(&columns[i]);
    return say(a, run, r, "gives no result: memory is short, or it is too large");
}

static const hr_combine_1 combine = {
    analyzer_make, create,  add_batch, merge,         serialize,
    deserialize,   extract, drop_acc,  analyzer_drop,
};

/* -- listed ---------------------------------------- */

static const hr_function apply_function = {
    .struct_size = sizeof apply_function,
    .name = HR_TRANSFORM_APPLY,
    .doc = "Raw columns to features, by the plan that is the config.",
    .kind = HR_MAP,
    .table = &map,
};

static const hr_function or_drop_function = {
    .struct_size = sizeof or_drop_function,
    .name = HR_TRANSFORM_APPLY_OR_DROP,
    .doc = "The same; a row that cannot be computed is left out, and told.",
    .kind = HR_MAP,
    .table = &map,
};

#define ANALYZER(id, flags_, doc_)                                                                 \
    static const hr_function id##_function = {                                                     \
        .struct_size = sizeof(hr_function),                                                        \
        .flags = flags_,                                                                           \
        .name = "analyze." #id,                                                                    \
        .doc = doc_,                                                                               \
        .kind = HR_COMBINE,                                                                        \
        .table = &combine,                                                                         \
    }

ANALYZER(mean_var, HR_FUNCTION_EXACT, "Mean, population variance, sum and counts of a column.");
ANALYZER(min_max, HR_FUNCTION_EXACT, "The least and the greatest value of a column.");
ANALYZER(quantiles, 0, "Borders that part a column's values into equal shares.");
ANALYZER(vocabulary, HR_FUNCTION_EXACT, "The distinct values of a column, by how often.");

const hr_function *const hr_transform_functions[] = {
    &apply_function,    &or_drop_function,   &mean_var_function,
    &min_max_function,  &quantiles_function, &vocabulary_function,
    NULL,
};
