/* ExampleValidator: Split-NAME/SchemaDiff.pb for each split of ExampleStatistics. */
#include <string.h>

#include "parts.h"

enum { NAMED = 3 }; /* anomalies that the summary names */

static hr_status read_schema(struct work *w, hr_schema **ret)
{
    char path[HR_MAX_PATH];
    const char *dir;
    struct hr_buf b;
    hr_status r = w->easy->run->path(w->run, "schema", 0, &dir);

    if (r < 0)
        return r;
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &w->env);
    r = hr_path_join(&w->env, dir, "schema.pbtxt", path);
    if (r == HR_OK)
        r = hr_file_read(&w->env, path, HR_MAX_FILE_BYTES, &b);
    if (r == HR_OK)
        r = hr_schema_read(&w->arena, path, b.text, b.len, ret);
    hr_buf_clear(&b);
    return r;
}

static hr_status write(struct work *w, const char *split, const hr_anomalies *a)
{
    char path[HR_MAX_PATH];
    struct hr_buf b;
    hr_status r;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &w->env);
    r = hr_pb_write(&w->env, &a->base, &b);
    if (r == HR_OK)
        r = work_path(w, "anomalies", split, "SchemaDiff.pb", true, path);
    if (r == HR_OK)
        r = hr_file_put(&w->env, path, b.text, b.len);
    hr_buf_clear(&b);
    return r;
}

/* The first anomalies by split and feature, for the summary. */
static void name_them(const char *split, const hr_anomalies *a, struct hr_buf *to, size_t *n)
{
    size_t i;

    for (i = 0; i < a->n_anomaly_info; i++, ++*n)
        if (*n < NAMED)
            hr_buf_format(to, "%s%s %s", *n ? ", " : ": ", split, a->anomaly_info[i]->key);
    if (a->dataset_anomaly_info) {
        if (*n < NAMED)
            hr_buf_format(to, "%s%s rows", *n ? ", " : ": ", split);
        ++*n;
    }
}

/* A split without rows has no anomalies, and that is said. */
static void name_empty(const char *split, const hr_anomalies *a, struct hr_buf *to)
{
    if (a->data_missing)
        hr_buf_format(to, "%s%s", to->len ? ", " : "; no rows in ", split);
}

static hr_status one_split(struct work *w, const char *split, const hr_schema *schema,
                           hr_anomalies **ret)
{
    struct hr_validate_args args = { .schema = schema };
    hr_statistics *statistics = NULL;
    char path[HR_MAX_PATH];
    hr_status r = work_path(w, "statistics", split, "FeatureStats.pb", false, path);

    if (r == HR_OK)
        r = hr_statistics_load(&w->arena, path, &statistics);
    args.statistics = statistics;
    if (r == HR_OK)
        r = hr_validate(&w->arena, &args, ret);
    return r < 0 ? r : write(w, split, *ret);
}

struct told {
    struct hr_buf names, blessed, empty;
    size_t n;
};

static hr_status tell(struct work *w, const struct told *t)
{
    const hr_run_1 *rt = w->easy->run;
    hr_status r = work_describe(w, "statistics", "anomalies");

    if (r == HR_OK)
        r = rt->set_text(w->run, "anomalies", 0, "blessed", t->blessed.text);
    if (r < 0)
        return r;
    if (!hr_buf_whole(&t->names) || !hr_buf_whole(&t->empty))
        return hr_fail_memory(&w->env);
    if (!t->n)
        return work_summary(w, "no anomalies%s", t->empty.text);
    return work_summary(w, "%zu anomal%s%s%s%s", t->n, t->n == 1 ? "y" : "ies", t->names.text,
                        t->n > NAMED ? ", ..." : "", t->empty.text);
}

static hr_status each_split(struct work *w, const hr_schema *schema, struct told *t)
{
    struct hr_json_writer j;
    hr_status r = HR_OK;
    hr_anomalies *a;
    size_t i;

    hr_json_begin(&j, &t->blessed, 0);
    j.spaced = true;
    hr_json_open_object(&j);
    for (i = 0; i < w->n && r == HR_OK; i++) {
        r = one_split(w, w->splits[i], schema, &a);
        if (r < 0)
            break;
        name_them(w->splits[i], a, &t->names, &t->n);
        name_empty(w->splits[i], a, &t->empty);
        hr_json_put_member_int(&j, w->splits[i], hr_anomalies_none(a));
    }
    hr_json_close_object(&j);
    if (r == HR_OK && hr_json_end(&j) < 0)
        r = hr_fail_memory(&w->env);
    return r;
}

static hr_status validate(struct work *w)
{
    hr_schema *schema = NULL;
    struct told t = { .n = 0 };
    hr_status r = work_splits(w, "statistics");

    hr_buf_of(&t.names, 1 << 20, &w->env);
    hr_buf_of(&t.blessed, 1 << 20, &w->env);
    hr_buf_of(&t.empty, 1 << 20, &w->env);
    if (r == HR_OK)
        r = read_schema(w, &schema);
    if (r == HR_OK)
        r = each_split(w, schema, &t);
    if (r == HR_OK)
        r = tell(w, &t);
    hr_buf_clear(&t.names);
    hr_buf_clear(&t.blessed);
    hr_buf_clear(&t.empty);
    return r;
}

static hr_status run(void *p, hr_run *run)
{
    struct work w;

    work_begin(&w, p, run);
    return work_end(&w, validate(&w));
}

static const hr_executor_1 hooks = { hr_easy_make, run, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_port statistics =
    HR_PORT("statistics", "ExampleStatistics", "What the rows look like.");
static const hr_port schema = HR_PORT("schema", "Schema", "What they should look like.");
static const hr_property span = HR_PROPERTY(HR_INT, "span", NULL, NULL, "That of the statistics.");
static const hr_property split_names =
    HR_PROPERTY(HR_STRING, "split_names", NULL, NULL, "JSON list of the splits.");
static const hr_property *const facts[] = { &span, &split_names, NULL };
static const hr_port anomalies =
    HR_OUTPUT("anomalies", "ExampleAnomalies", "Split-NAME/SchemaDiff.pb.", facts);
static const hr_property exclude_splits =
    HR_PROPERTY(HR_JSON, "exclude_splits", "[]", NULL, "List of splits that are not looked at.");

const hr_component hr_example_validator = {
    .struct_size = sizeof hr_example_validator,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.validation.ExampleValidator",
    .version = "0.1.0",
    .doc = "Says where statistics do not fit a schema.",
    .inputs = HR_LIST(hr_port, &statistics, &schema),
    .outputs = HR_LIST(hr_port, &anomalies),
    .properties = HR_LIST(hr_property, &exclude_splits),
    .needs = HR_IDS(HR_RUN),
    .offers = HR_LIST(hr_offer, &executor),
};
