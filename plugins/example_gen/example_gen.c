/* example_gen - CsvExampleGen and ImportExampleGen: files to the splits of Examples.
 *
 * The artifact gets, as TFX writes them, split_names, span, file_format, payload_format and
 * input_fingerprint; its checksums are of contents here, so that a touched file changes nothing.
 */
#include <string.h>

#include "data/data.h"
#include "headrace/easy.h"
#include "inputs.h"

typedef hr_status generate_fn(struct hr_env *env, const char *const *paths, size_t n,
                              struct hr_generate *g);

struct job {
    struct hr_env env;
    const hr_run_1 *rt;
    hr_run *run;
    generate_fn *generate;
    struct inputs in;
    const char *dir, *format;
    int64_t rows[HR_MAX_SPLITS]; /* of the output splits */
    struct hr_buf names, fingerprint, summary;
};

static uint32_t count_outs(const struct job *j)
{
    return j->in.as_input ? j->in.n : j->in.split.n;
}

static const char *out_name(const struct job *j, uint32_t k)
{
    return j->in.as_input ? j->in.names[k] : j->in.split.names[k];
}

/* Each split of the input is one of the output. */
static hr_status generate_as_input(struct job *j)
{
    hr_status r = HR_OK;
    uint32_t k;

    for (k = 0; r == HR_OK && k < j->in.n; k++) {
        struct hr_split one = { .names = { j->in.names[k] }, .ends = { 1 }, .n = 1 };
        struct hr_generate g = { .dir = j->dir, .format = j->format, .split = &one };
        const struct hr_names *files = &j->in.files[k];

        r = j->generate(&j->env, (const char *const *)files->names, files->count, &g);
        j->rows[k] = g.rows[0];
    }
    return r;
}

static hr_status generate(struct job *j)
{
    struct hr_generate g = { .dir = j->dir, .format = j->format, .split = &j->in.split };
    const struct hr_names *files = &j->in.files[0];
    hr_status r;

    if (j->in.as_input)
        return generate_as_input(j);
    r = j->generate(&j->env, (const char *const *)files->names, files->count, &g);
    memcpy(j->rows, g.rows, sizeof j->rows);
    return r;
}

/* ["train", "eval"], and "334 rows: train 234, eval 100". */
static hr_status describe(struct job *j)
{
    struct hr_json_writer w;
    uint32_t k, n = count_outs(j);
    long long total = 0;
    hr_status r;

    hr_json_begin(&w, &j->names, 0);
    w.spaced = true;
    hr_json_open_array(&w);
    for (k = 0; k < n; k++) {
        hr_json_put_text(&w, out_name(j, k));
        total += j->rows[k];
    }
    hr_json_close_array(&w);
    r = hr_json_end(&w);
    if (r == HR_OK)
        r = hr_buf_format(&j->summary, "%lld rows", total);
    for (k = 0; r == HR_OK && k < n; k++)
        r = hr_buf_format(&j->summary, "%s%s %lld", k ? ", " : ": ", out_name(j, k),
                          (long long)j->rows[k]);
    for (k = 0; r == HR_OK && k < j->in.n; k++) {
        if (k && (r = hr_buf_char(&j->fingerprint, '\n')) < 0)
            break;
        r = hr_generate_fingerprint(&j->env, j->in.names[k],
                                    (const char *const *)j->in.files[k].names, j->in.files[k].count,
                                    &j->fingerprint);
    }
    return r;
}

static hr_status set_all(struct job *j)
{
    const hr_run_1 *rt = j->rt;
    hr_run *run = j->run;
    hr_status r;

    if ((r = rt->set_text(run, "examples", 0, "split_names", j->names.text)) < 0 ||
        (r = rt->set_int(run, "examples", 0, "span", 0)) < 0 ||
        (r = rt->set_text(run, "examples", 0, "file_format", j->format)) < 0 ||
        (r = rt->set_text(run, "examples", 0, "payload_format", "FORMAT_TF_EXAMPLE")) < 0 ||
        (r = rt->set_text(run, "examples", 0, "input_fingerprint", j->fingerprint.text)) < 0 ||
        (r = rt->set_int(run, NULL, 0, "span", 0)) < 0 ||
        (r = rt->set_text(run, NULL, 0, "input_fingerprint", j->fingerprint.text)) < 0)
        return r;
    return rt->set_text(run, NULL, 0, HR_SUMMARY, j->summary.text);
}

static hr_status run_job(struct job *j)
{
    hr_status r = j->rt->path(j->run, "examples", 0, &j->dir);

    if (r < 0)
        return r; /* told by the host */
    j->format = j->rt->prop_text(j->run, "file_format");
    r = inputs_open(&j->env, j->rt->prop_text(j->run, "input_base"),
                    j->rt->prop_text(j->run, "splits"), j->rt->prop_text(j->run, "input_splits"),
                    &j->in);
    if (r < 0)
        return j->rt->fail(j->run, r, hr_env_error(&j->env));
    if ((r = generate(j)) == HR_OK)
        r = describe(j);
    if (r < 0)
        r = j->rt->fail(j->run, r, hr_env_error(&j->env));
    else
        r = set_all(j);
    inputs_close(&j->env, &j->in);
    return r;
}

static hr_status run_by(void *self, hr_run *run, generate_fn *fn)
{
    struct job *j = (struct job *)calloc(1, sizeof *j);
    hr_status r;

    if (!j)
        return HR_EXHAUSTED;
    hr_env_init(&j->env, NULL);
    j->rt = ((const struct hr_easy *)self)->run;
    j->run = run;
    j->generate = fn;
    hr_buf_of(&j->names, 1 << 20, &j->env);
    hr_buf_of(&j->fingerprint, 1 << 20, &j->env);
    hr_buf_of(&j->summary, 1 << 20, &j->env);
    r = run_job(j);
    hr_buf_clear(&j->names);
    hr_buf_clear(&j->fingerprint);
    hr_buf_clear(&j->summary);
    hr_env_clear(&j->env);
    free(j);
    return r;
}

static hr_status run_csv(void *self, hr_run *run)
{
    return run_by(self, run, hr_generate_csv);
}

static hr_status run_import(void *self, hr_run *run)
{
    return run_by(self, run, hr_generate_records);
}

/* -- descriptions ------------------------------------------------------------------------ */

static const hr_executor_1 csv_table = { hr_easy_make, run_csv, free };
static const hr_executor_1 import_table = { hr_easy_make, run_import, free };
static const hr_offer csv_executor = HR_OFFER(HR_EXECUTOR, &csv_table);
static const hr_offer import_executor = HR_OFFER(HR_EXECUTOR, &import_table);

static const hr_property split_names =
    HR_PROPERTY(HR_STRING, "split_names", NULL, NULL, "The splits, as a JSON list.");
static const hr_port examples =
    HR_OUTPUT("examples", "Examples", "The rows, a folder for each split.",
              HR_LIST(hr_property, &split_names));

static const hr_property csv_base =
    HR_PROPERTY(HR_PATH_READ, "input_base", NULL, NULL,
                "A CSV file, or a directory of them; names that begin with . or _ are left alone.");
static const hr_property import_base =
    HR_PROPERTY(HR_PATH_READ, "input_base", NULL, NULL,
                "A TFRecord file of tf.Example, or a directory of them.");
static const hr_property splits =
    HR_PROPERTY(HR_JSON, "splits", "{\"train\": 2, \"eval\": 1}", NULL,
                "Splits and their buckets; rows go by the digest of their content.");
static const hr_property input_splits =
    HR_PROPERTY(HR_JSON, "input_splits", "{}", NULL,
                "Instead of splits: a pattern of files below input_base for each split.");
static const hr_property file_format =
    HR_PROPERTY(HR_STRING, "file_format", "arrow", "arrow|tfrecords_gzip",
                "Arrow files, or gzip TFRecords of tf.Example.");

static const hr_component csv = {
    .struct_size = sizeof csv,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.example_gen.CsvExampleGen",
    .version = "0.1.0",
    .doc = "Reads CSV files, finds the types of their columns, and splits the rows.",
    .outputs = HR_LIST(hr_port, &examples),
    .properties = HR_LIST(hr_property, &csv_base, &splits, &input_splits, &file_format),
    .needs = HR_IDS(HR_RUN),
    .uses = HR_IDS(HR_LOG, HR_PROGRESS, HR_TABLE),
    .offers = HR_LIST(hr_offer, &csv_executor),
};

static const hr_component import = {
    .struct_size = sizeof import,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.example_gen.ImportExampleGen",
    .version = "0.1.0",
    .doc = "Reads TFRecords of tf.Example, and splits them.",
    .outputs = HR_LIST(hr_port, &examples),
    .properties = HR_LIST(hr_property, &import_base, &splits, &input_splits, &file_format),
    .needs = HR_IDS(HR_RUN),
    .uses = HR_IDS(HR_LOG, HR_PROGRESS, HR_TABLE),
    .offers = HR_LIST(hr_offer, &import_executor),
};

HR_PLUGIN("org.headrace.example_gen", "0.1.0", &csv, &import);
