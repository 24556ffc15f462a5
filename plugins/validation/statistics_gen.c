/* StatisticsGen: Split-NAME/FeatureStats.pb for each split of Examples. */
#include <string.h>

#include "parts.h"

static hr_status splits_of_table(struct work *w)
{
    const hr_table_1 *table = w->easy->table;
    const char *name;
    bool excluded;
    uint32_t i;
    hr_status r;

    for (i = 0; (r = table->split(w->run, "examples", 0, i, &name)) == HR_OK; i++) {
        r = work_excluded(w, name, &excluded);
        if (r < 0)
            return r;
        if (excluded)
            continue;
        if (w->n == HR_PARTS_SPLITS)
            return hr_fail(&w->env, HR_INVALID, "there are more than %d splits", HR_PARTS_SPLITS);
        w->splits[w->n] = hr_arena_text(&w->arena, name);
        if (!w->splits[w->n++])
            return HR_EXHAUSTED;
    }
    if (r != HR_NOT_FOUND)
        return r;
    return w->n ? HR_OK : hr_fail(&w->env, HR_INVALID, "no split is left to be looked at");
}

/* The schema of the optional input, as the configuration of the statistics. */
static hr_status config(struct work *w, struct hr_buf *to)
{
    const hr_run_1 *rt = w->easy->run;
    char path[HR_MAX_PATH];
    hr_schema *schema;
    const char *dir;
    struct hr_buf b;
    hr_status r;

    if (!rt->count(w->run, "schema"))
        return HR_OK;
    r = rt->path(w->run, "schema", 0, &dir);
    if (r < 0)
        return r;
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &w->env);
    r = hr_path_join(&w->env, dir, "schema.pbtxt", path);
    if (r == HR_OK)
        r = hr_file_read(&w->env, path, HR_MAX_FILE_BYTES, &b);
    if (r == HR_OK)
        r = hr_schema_read(&w->arena, path, b.text, b.len, &schema);
    if (r == HR_OK)
        r = hr_statistics_config(&w->env, schema, to);
    hr_buf_clear(&b);
    return r;
}

static hr_status write(struct work *w, hr_flow *f, const hr_rows *rows, size_t *ret_features)
{
    ProtobufCMessage *m = NULL;
    char path[HR_MAX_PATH];
    hr_status r = HR_OK;
    struct hr_buf b;
    size_t i;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &w->env);
    for (i = 0; i < w->n && r == HR_OK; i++) {
        hr_buf_cut(&b, 0);
        r = hr_statistics_fetch(&w->env, w->easy->flow, f, rows[i], &b);
        if (r == HR_OK)
            r = work_path(w, "statistics", w->splits[i], "FeatureStats.pb", true, path);
        if (r == HR_OK)
            r = hr_file_put(&w->env, path, b.text, b.len);
    }
    if (r == HR_OK)
        r = hr_pb_read(&w->arena, &HR_MD_OF(dataset_feature_statistics_list), "statistics", b.text,
                       b.len, &m);
    if (r == HR_OK)
        *ret_features = ((hr_statistics *)m)->datasets[0]->n_features;
    hr_buf_clear(&b);
    return r;
}

static hr_status properties(struct work *w)
{
    const hr_run_1 *rt = w->easy->run;
    hr_status r = work_describe(w, "examples", "statistics");
    struct hr_json_writer j;
    struct hr_buf b;
    size_t i;

    if (r == HR_OK)
        r = rt->set_text(w->run, "statistics", 0, "stats_dashboard_link", "");
    if (r < 0)
        return r;
    hr_buf_of(&b, 1 << 20, &w->env);
    qsort(w->splits, w->n, sizeof *w->splits, hr_text_order);
    hr_json_begin(&j, &b, 0);
    j.spaced = true;
    hr_json_open_object(&j);
    for (i = 0; i < w->n; i++)
        hr_json_put_member_double(&j, w->splits[i], 1.0);
    hr_json_close_object(&j);
    r = hr_json_end(&j) < 0 ? hr_fail_memory(&w->env) : HR_OK;
    if (r == HR_OK)
        r = rt->set_text(w->run, "statistics", 0, "sample_rate_by_split", b.text);
    hr_buf_clear(&b);
    return r;
}

static hr_status generate(struct work *w)
{
    const hr_flow_1 *flow = w->easy->flow;
    hr_rows rows[HR_PARTS_SPLITS];
    size_t features = 0, i;
    struct hr_buf b;
    hr_flow *f;
    hr_status r;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &w->env);
    r = splits_of_table(w);
    if (r == HR_OK)
        r = config(w, &b);
    if (r == HR_OK) {
        f = flow->begin(w->run);
        for (i = 0; i < w->n; i++)
            rows[i] = hr_statistics_describe(flow, f, flow->read(f, "examples", 0, w->splits[i]),
                                             b.len ? b.text : NULL, b.len);
        r = flow->run(f);
        if (r == HR_OK)
            r = write(w, f, rows, &features);
    }
    hr_buf_clear(&b);
    if (r == HR_OK)
        r = properties(w);
    if (r == HR_OK)
        r = work_summary(w, "%zu split%s, %zu feature%s", w->n, w->n == 1 ? "" : "s", features,
                         features == 1 ? "" : "s");
    return r;
}

static hr_status run(void *p, hr_run *run)
{
    struct work w;

    work_begin(&w, p, run);
    return work_end(&w, generate(&w));
}

static const hr_executor_1 hooks = { hr_easy_make, run, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_port examples = HR_PORT("examples", "Examples", "Rows, in splits.");
static const hr_port schema = HR_PORT_FLAGS(
    "schema", "Schema", HR_PORT_OPTIONAL, "Which numbers name categories, which texts are bytes.");
static const hr_property span = HR_PROPERTY(HR_INT, "span", NULL, NULL, "That of the examples.");
static const hr_property split_names =
    HR_PROPERTY(HR_STRING, "split_names", NULL, NULL, "JSON list of the splits.");
static const hr_property *const facts[] = { &span, &split_names, NULL };
static const hr_port statistics =
    HR_OUTPUT("statistics", "ExampleStatistics", "Split-NAME/FeatureStats.pb.", facts);
static const hr_property exclude_splits = HR_PROPERTY(
    HR_JSON, "exclude_splits", "[]", NULL, "List of splits of which no statistics are made.");
static const hr_function function = HR_STATISTICS;

const hr_component hr_statistics_gen = {
    .struct_size = sizeof hr_statistics_gen,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.validation.StatisticsGen",
    .version = "0.1.0",
    .doc = "Statistics of each split of examples, as TFX's StatisticsGen writes them.",
    .inputs = HR_LIST(hr_port, &examples, &schema),
    .outputs = HR_LIST(hr_port, &statistics),
    .properties = HR_LIST(hr_property, &exclude_splits),
    .needs = HR_IDS(HR_RUN, HR_FLOW, HR_TABLE),
    .uses = HR_IDS(HR_LOG, HR_PROGRESS),
    .offers = HR_LIST(hr_offer, &executor),
    .functions = HR_LIST(hr_function, &function),
};
