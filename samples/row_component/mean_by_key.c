/* mean_by_key - a component that works on rows: the mean of one column for each value of
 * another.
 *
 * The executor only describes what is to be done.  The rows go through "mean", which the runner
 * finds by its name in the list at the end: on the threads of this process, or in a worker of
 * a distributed runner on another machine that loads this file.
 */
#include "headrace/easy.h"
#include "headrace/flow.h"
#include "headrace/rows.h"

/* -- mean: an accumulator is a sum and a count ------------------------------------- */

struct mean {
    struct ArrowSchema in;
    int64_t column;
};

struct acc {
    int64_t format; /* 1 */
    double sum;
    int64_t n;
};
HR_FLAT_ACCS(mean, struct acc, 1)

static void mean_drop(void *p)
{
    struct mean *self = p;

    if (self && self->in.release)
        self->in.release(&self->in);
    free(self);
}

static hr_status mean_make(const hr_host *host, hr_run *run, const hr_function_args *args,
                           struct ArrowSchema *ret_out, void **ret_self)
{
    const hr_run_1 *rt = host->get_interface(host, HR_RUN);
    int64_t column = hr_col_find(args->in, args->config);
    int32_t kind = hr_col_kind(hr_schema_values(args->in, column));
    struct mean *self;
    hr_status r;

    if (kind != HR_COL_INT && kind != HR_COL_FLOAT)
        return hr_failf(rt, run, HR_INVALID,
                        "\"%s\" is no column of numbers; name one in \"value\"",
                        (const char *)args->config);
    if (!(self = calloc(1, sizeof *self)))
        return HR_EXHAUSTED;
    self->column = column;
    if ((r = hr_schema_copy(args->in, &self->in)) < 0 ||
        (r = hr_schema_one("mean", "f", ret_out)) < 0)
        mean_drop(self);
    else
        *ret_self = self;
    return r;
}

static hr_status mean_add(const void *p, hr_run *run, void *const *accs, const uint32_t *group,
                          const struct ArrowArray *rows)
{
    const struct mean *self = p;
    int64_t i, k, at, n;
    struct hr_col c;

    (void)run;
    hr_col_open(&self->in, rows, self->column, &c);
    for (i = 0; i < c.length; i++) {
        struct acc *acc = accs[group ? group[i] : 0];

        for (n = hr_col_count(&c, i, &at), k = 0; k < n; k++, acc->n++)
            acc->sum += hr_col_double(&c, at + k);
    }
    return HR_OK;
}

static hr_status mean_merge(const void *self, hr_run *run, void *acc, void *other)
{
    (void)self, (void)run;
    ((struct acc *)acc)->sum += ((struct acc *)other)->sum;
    ((struct acc *)acc)->n += ((struct acc *)other)->n;
    return HR_OK;
}

static hr_status mean_extract(const void *self, hr_run *run, void *const *accs, uint32_t n,
                              struct ArrowArray *ret)
{
    struct hr_builder b;
    uint32_t i;

    (void)self, (void)run;
    hr_builder_init(&b, "f", 0);
    for (i = 0; i < n; i++) {
        const struct acc *acc = accs[i];

        if (acc->n)
            hr_builder_double(&b, acc->sum / (double)acc->n);
        else
            hr_builder_null(&b);
    }
    return hr_rows_one(&b, ret);
}

static const hr_combine_1 mean = { mean_make,    mean_create,    mean_add,
                                   mean_merge,   mean_serialize, mean_deserialize,
                                   mean_extract, mean_drop_acc,  mean_drop };

/* -- the executor: describes the flow ---------------------------------------------- */

static hr_status run_flow(void *self, hr_run *run)
{
    const struct hr_easy *easy = self;
    const char *keys[] = { easy->run->prop_text(run, "key"), NULL };
    const char *value = easy->run->prop_text(run, "value");
    hr_flow *f = easy->flow->begin(run);
    hr_rows rows = easy->flow->read(f, "examples", 0, NULL);
    hr_rows means = easy->flow->combine(f, rows, keys, "mean", value, strlen(value) + 1);

    easy->flow->write(f, means, "means", 0, "all");
    return easy->flow->run(f);
}

static const hr_executor_1 hooks = { hr_easy_make, run_flow, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_function mean_function =
    HR_FUNCTION(HR_COMBINE, "mean", &mean, "Mean of a column.");
static const hr_port examples = HR_PORT("examples", "Examples", "Rows.");
static const hr_port means = HR_PORT("means", "Examples", "A row for each key.");
static const hr_property key = HR_PROPERTY(HR_STRING, "key", NULL, NULL, "Group by this column.");
static const hr_property value =
    HR_PROPERTY(HR_STRING, "value", NULL, NULL, "Mean of this column.");
static const hr_component component = {
    .struct_size = sizeof component,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.samples.MeanByKey",
    .version = "0.1.0",
    .doc = "The mean of a column for each value of another.",
    .inputs = HR_LIST(hr_port, &examples),
    .outputs = HR_LIST(hr_port, &means),
    .properties = HR_LIST(hr_property, &key, &value),
    .needs = HR_IDS(HR_RUN, HR_FLOW),
    .offers = HR_LIST(hr_offer, &executor),
    .functions = HR_LIST(hr_function, &mean_function),
};

HR_PLUGIN("org.headrace.samples.row_component", "0.1.0", &component);
