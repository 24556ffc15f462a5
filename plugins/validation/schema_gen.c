/* SchemaGen: schema.pbtxt, inferred from the first split and widened by the others.
 * ImportSchemaGen: schema.pbtxt, taken from a file. */
#include <string.h>

#include "parts.h"

static hr_status write(struct work *w, const hr_schema *schema)
{
    char path[HR_MAX_PATH];
    struct hr_buf b;
    const char *dir;
    hr_status r = w->easy->run->path(w->run, "schema", 0, &dir);

    if (r < 0)
        return r;
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &w->env);
    r = hr_path_join(&w->env, dir, "schema.pbtxt", path);
    if (r == HR_OK)
        r = hr_schema_write(&w->env, schema, &b);
    if (r == HR_OK)
        r = hr_file_put(&w->env, path, b.text, b.len);
    hr_buf_clear(&b);
    if (r == HR_OK)
        r = work_summary(w, "%zu feature%s", schema->n_feature, schema->n_feature == 1 ? "" : "s");
    return r;
}

static hr_status generate(struct work *w)
{
    struct hr_schema_options options = { .infer_shape = w->easy->run->prop_int(
                                                            w->run, "infer_feature_shape") != 0 };
    hr_statistics *statistics;
    hr_schema *schema = NULL;
    char path[HR_MAX_PATH];
    hr_status r = work_splits(w, "statistics");
    size_t i;

    if (r == HR_OK && !w->n)
        r = hr_fail(&w->env, HR_INVALID, "no split is left to infer a schema from");
    for (i = 0; i < w->n && r == HR_OK; i++) {
        r = work_path(w, "statistics", w->splits[i], "FeatureStats.pb", false, path);
        if (r == HR_OK)
            r = hr_statistics_load(&w->arena, path, &statistics);
        if (r == HR_OK)
            r = i ? hr_schema_update(&w->arena, schema, statistics)
                  : hr_schema_infer(&w->arena, statistics, &options, &schema);
    }
    return r < 0 ? r : write(w, schema);
}

static hr_status run(void *p, hr_run *run)
{
    struct work w;

    work_begin(&w, p, run);
    return work_end(&w, generate(&w));
}

static hr_status import(struct work *w)
{
    const char *path = w->easy->run->prop_text(w->run, "schema_file");
    hr_schema *schema;
    struct hr_buf b;
    hr_status r;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, &w->env);
    r = hr_file_read(&w->env, path, HR_MAX_FILE_BYTES, &b);
    if (r == HR_OK)
        r = hr_schema_read(&w->arena, path, b.text, b.len, &schema);
    hr_buf_clear(&b);
    return r < 0 ? r : write(w, schema);
}

static hr_status run_import(void *p, hr_run *run)
{
    struct work w;

    work_begin(&w, p, run);
    return work_end(&w, import(&w));
}

static const hr_executor_1 hooks = { hr_easy_make, run, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_executor_1 import_hooks = { hr_easy_make, run_import, free };
static const hr_offer import_executor = HR_OFFER(HR_EXECUTOR, &import_hooks);
static const hr_port statistics =
    HR_PORT("statistics", "ExampleStatistics", "What the rows look like.");
static const hr_port schema = HR_PORT("schema", "Schema", "schema.pbtxt.");
static const hr_property infer_feature_shape =
    HR_PROPERTY(HR_BOOL, "infer_feature_shape", "true", NULL,
                "Give a shape to features that have one number of values in all rows.");
static const hr_property exclude_splits =
    HR_PROPERTY(HR_JSON, "exclude_splits", "[]", NULL, "List of splits that are not looked at.");
static const hr_property schema_file =
    HR_PROPERTY(HR_PATH_READ, "schema_file", NULL, NULL, "A schema in protobuf's text format.");

const hr_component hr_schema_gen = {
    .struct_size = sizeof hr_schema_gen,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.validation.SchemaGen",
    .version = "0.1.0",
    .doc = "Infers a schema from statistics.",
    .inputs = HR_LIST(hr_port, &statistics),
    .outputs = HR_LIST(hr_port, &schema),
    .properties = HR_LIST(hr_property, &infer_feature_shape, &exclude_splits),
    .needs = HR_IDS(HR_RUN),
    .offers = HR_LIST(hr_offer, &executor),
};

const hr_component hr_import_schema_gen = {
    .struct_size = sizeof hr_import_schema_gen,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.validation.ImportSchemaGen",
    .version = "0.1.0",
    .doc = "Takes a schema that was made or mended by hand.",
    .inputs = HR_LIST(hr_port, NULL),
    .outputs = HR_LIST(hr_port, &schema),
    .properties = HR_LIST(hr_property, &schema_file),
    .needs = HR_IDS(HR_RUN),
    .offers = HR_LIST(hr_offer, &import_executor),
};
