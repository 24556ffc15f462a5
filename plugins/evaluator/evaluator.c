/* Evaluator: metrics by slice, thresholds, and the blessing. */
#include <string.h>

#include "analysis/analysis.h"
#include "headrace/easy.h"
#include "headrace/flow.h"
#include "headrace/model.h"

enum { MAX_SPLITS = 64 };

/* One call of the hook. */
struct work {
    struct hr_env env;
    struct hr_arena arena;
    const hr_run_1 *rt;
    const struct hr_easy *easy;
    hr_run *run;
    hr_eval_config *config; /* with its defaults */
    bool has_model, has_baseline_model;
    struct hr_evaluation evaluation;
    hr_verdict *verdict;
    const char *why_not; /* NULL: there are thresholds */
};

/* -- the configuration ------------------------------------------------------------------- */

static bool names_baseline(const hr_eval_config *c)
{
    size_t i;

    for (i = 0; i < c->n_model_specs; i++)
        if (c->model_specs[i]->is_baseline)
            return true;
    return false;
}

/* Tell what is taken but may not be meant, a line at a time. */
static hr_status warn(struct work *w, const hr_eval_config *given)
{
    struct hr_buf b;
    hr_status r;
    char *p;
    size_t n;

    hr_buf_of(&b, 1 << 20, &w->env);
    r = hr_eval_config_warnings(&w->arena, given, &b);
    for (p = b.text; r == HR_OK && *p; p += n + (p[n] != '\0')) {
        n = strcspn(p, "\n");
        hr_logf(w->easy->log, w->run, HR_WARN, "%.*s", (int)n, p);
    }
    hr_buf_clear(&b);
    return r;
}

static hr_status configure(struct work *w)
{
    const char *path = w->rt->prop_text(w->run, "eval_config");
    hr_eval_config *given = NULL;
    struct hr_buf b;
    hr_status r;
    bool baseline;

    hr_buf_of(&b, HR_MAX_JSON_BYTES, &w->env);
    r = hr_file_read(&w->env, path, HR_MAX_JSON_BYTES, &b);
    if (r == HR_OK)
        r = hr_eval_config_read(&w->arena, path, b.text, b.len, &given);
    hr_buf_clear(&b);
    if (r == HR_OK)
        r = warn(w, given);
    if (r < 0)
        return r;
    w->has_model = w->rt->count(w->run, "model") > 0;
    w->has_baseline_model = w->has_model && w->rt->count(w->run, "baseline_model") > 0;
    baseline = w->has_model ? w->has_baseline_model : names_baseline(given);
    r = hr_eval_config_default(&w->arena, given, baseline, &w->config);
    if (r == HR_OK && !hr_eval_config_decides(w->config))
        w->why_not = hr_eval_config_decides(given)
                         ? "all thresholds compare with a baseline, and there is none"
                         : "no thresholds are configured";
    return r;
}

/* -- the flow ------------------------------------------------------------------------------ */

static hr_rows read_splits(struct work *w, hr_flow *f, hr_status *ret)
{
    const char *json = w->rt->prop_text(w->run, "example_splits");
    const hr_flow_1 *flow = w->easy->flow;
    struct hr_json_doc *doc = NULL;
    hr_rows rows[MAX_SPLITS];
    const struct hr_json *v;
    uint32_t n = 0;

    *ret = hr_json_parse(&w->env, "example_splits", json, strlen(json), 0, &doc);
    if (*ret < 0)
        return 0;
    for (v = hr_json_first(hr_json_root(doc)); v && n < MAX_SPLITS; v = hr_json_next(v))
        if (hr_json_text(v))
            rows[n++] = flow->read(f, "examples", 0, hr_json_text(v));
    if (!n || v || n != hr_json_count(hr_json_root(doc)))
        *ret = hr_fail(&w->env, HR_INVALID,
                       "example_splits is %s; it should be a list of names of splits", json);
    hr_json_free(doc);
    if (*ret < 0)
        return 0;
    return n == 1 ? rows[0] : flow->flatten(f, rows, n);
}

static hr_status evaluate(struct work *w)
{
    const hr_flow_1 *flow = w->easy->flow;
    uint32_t models = (w->has_model ? HR_EVALUATION_MODEL : 0u) |
                      (w->has_baseline_model ? HR_EVALUATION_BASELINE : 0u);
    struct hr_buf config;
    hr_flow *f = flow->begin(w->run);
    hr_rows rows;
    hr_status r;

    hr_buf_of(&config, HR_MAX_JSON_BYTES, &w->env);
    r = hr_evaluation_config(&w->env, w->config, models, &config);
    if (w->has_model)
        flow->attach(f, "model", 0);
    if (w->has_baseline_model)
        flow->attach(f, "baseline_model", 0);
    if (r == HR_OK) {
        rows = read_splits(w, f, &r);
        rows = hr_evaluation_describe(flow, f, rows, &config);
    }
    if (r == HR_OK)
        r = flow->run(f);
    if (r == HR_OK)
        r = hr_evaluation_fetch(&w->arena, flow, f, rows, &w->evaluation);
    hr_buf_clear(&config);
    if (r == HR_OK)
        r = hr_verdict_make(&w->arena, &w->evaluation, w->config, w->config, &w->verdict);
    return r;
}

/* -- outputs --------------------------------------------------------------------------------- */

static hr_status write_evaluation(struct work *w)
{
    struct hr_model_place places[2];
    const char *dir, *uri;
    size_t n = 0, i;
    hr_status r = w->rt->path(w->run, "evaluation", 0, &dir);

    if (r == HR_OK)
        r = hr_evaluation_write(&w->env, dir, &w->evaluation, w->verdict);
    for (i = 0; i < w->config->n_model_specs && i < 2 && r == HR_OK && w->has_model; i++) {
        const char *key = w->config->model_specs[i]->is_baseline ? "baseline_model" : "model";

        r = w->rt->get_text(w->run, key, 0, "__uri", &uri);
        if (r == HR_OK)
            places[n++] = (struct hr_model_place){ hr_model_name(w->config->model_specs[i]), uri };
    }
    return r < 0 ? r : hr_eval_config_write(&w->arena, dir, w->config, places, n);
}

static hr_status set_model(struct work *w, const char *key, const char *name, const char *id_name)
{
    const char *uri;
    int64_t id;
    hr_status r = w->rt->get_text(w->run, key, 0, "__uri", &uri);

    if (r == HR_OK)
        r = w->rt->get_int(w->run, key, 0, "__id", &id);
    if (r == HR_OK)
        r = w->rt->set_text(w->run, "blessing", 0, name, uri);
    return r < 0 ? r : w->rt->set_int(w->run, "blessing", 0, id_name, id);
}

static hr_status bless(struct work *w, const struct hr_buf *reasons)
{
    const char *name = w->verdict->validation_ok ? "BLESSED" : "NOT_BLESSED", *dir;
    char path[HR_MAX_PATH];
    hr_status r = w->rt->path(w->run, "blessing", 0, &dir);

    if (r == HR_OK)
        r = hr_path_join(&w->env, dir, name, path);
    if (r == HR_OK)
        r = hr_file_put(&w->env, path, reasons->text, reasons->len);
    if (r < 0)
        return r;
    return w->rt->set_int(w->run, "blessing", 0, "blessed", w->verdict->validation_ok != 0);
}

static hr_status summary(struct work *w, const struct hr_buf *reasons)
{
    char name[48] = "the baseline", *text;
    int64_t id = 0;
    struct hr_buf b;
    hr_status r = HR_OK;

    hr_buf_of(&b, 1 << 20, &w->env);
    if (w->has_baseline_model && w->rt->get_int(w->run, "baseline_model", 0, "__id", &id) == HR_OK)
        snprintf(name, sizeof name, "model %lld", (long long)id);
    if (w->why_not) {
        hr_buf_format(&b, "not evaluated: %s", w->why_not);
    } else if (w->verdict->validation_ok) {
        hr_buf_text(&b, "BLESSED  ");
        r = hr_verdict_line(&w->env, &w->evaluation, w->config, name, &b);
    } else {
        text = reasons->text;
        hr_buf_format(&b, "NOT_BLESSED  %.*s%s", (int)strcspn(text, "\n"), text,
                      strcspn(text, "\n") + 1 < reasons->len ? ", ..." : "");
    }
    if (r == HR_OK && !hr_buf_whole(&b))
        r = hr_fail_memory(&w->env);
    if (r == HR_OK)
        r = w->rt->set_text(w->run, NULL, 0, HR_SUMMARY, b.text);
    hr_buf_clear(&b);
    return r;
}

static hr_status conclude(struct work *w)
{
    struct hr_buf reasons;
    hr_status r = HR_OK;

    hr_buf_of(&reasons, HR_MAX_FILE_BYTES, &w->env);
    if (!w->why_not)
        r = hr_verdict_reasons(&w->env, w->verdict, &reasons);
    if (r == HR_OK)
        r = w->why_not ? w->rt->set_text(w->run, "blessing", 0, "not_evaluated", w->why_not)
                       : bless(w, &reasons);
    if (r == HR_OK && w->has_model)
        r = set_model(w, "model", "current_model", "current_model_id");
    if (r == HR_OK && w->has_baseline_model)
        r = set_model(w, "baseline_model", "baseline_model", "baseline_model_id");
    if (r == HR_OK)
        r = summary(w, &reasons);
    hr_buf_clear(&reasons);
    return r;
}

static hr_status run(void *p, hr_run *run)
{
    const struct hr_easy *easy = p;
    struct work w = { .rt = easy->run, .easy = easy, .run = run };
    hr_status r;

    hr_env_init(&w.env, NULL);
    hr_arena_init(&w.arena, &w.env, 0);
    r = configure(&w);
    if (r == HR_OK)
        r = evaluate(&w);
    if (r == HR_OK)
        r = write_evaluation(&w);
    if (r == HR_OK)
        r = conclude(&w);
    if (r < 0 && w.env.errors.count)
        w.rt->fail(run, r, hr_env_error(&w.env));
    hr_arena_clear(&w.arena);
    hr_env_clear(&w.env);
    return r;
}

static const hr_executor_1 hooks = { hr_easy_make, run, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_port examples = HR_PORT("examples", "Examples", "Rows with labels.");
static const hr_port model =
    HR_PORT_FLAGS("model", "Model", HR_PORT_OPTIONAL,
                  "What is evaluated; without, predictions are columns of the examples.");
static const hr_port baseline_model = HR_PORT_FLAGS(
    "baseline_model", "Model", HR_PORT_OPTIONAL | HR_PORT_EMPTY, "What it is compared with.");
static const hr_port schema =
    HR_PORT_FLAGS("schema", "Schema", HR_PORT_OPTIONAL, "Taken for the sake of TFX's pipelines.");
static const hr_port evaluation =
    HR_PORT("evaluation", "ModelEvaluation", "Metrics by slice, in TFMA's files.");
static const hr_port blessing = HR_PORT("blessing", "ModelBlessing", "BLESSED or NOT_BLESSED.");
static const hr_property eval_config =
    HR_PROPERTY(HR_PATH_READ, "eval_config", NULL, NULL, "TFMA's EvalConfig as JSON.");
static const hr_property example_splits =
    HR_PROPERTY(HR_JSON, "example_splits", "[\"eval\"]", NULL, "Splits that are evaluated.");
static const hr_function inputs = HR_EVALUATION_INPUTS;
static const hr_function sums = HR_EVALUATION_SUMS;

static const hr_component evaluator = {
    .struct_size = sizeof evaluator,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.evaluator.Evaluator",
    .version = "0.1.0",
    .doc = "Metrics of a model by slice, and whether it may be pushed.",
    .inputs = HR_LIST(hr_port, &examples, &model, &baseline_model, &schema),
    .outputs = HR_LIST(hr_port, &evaluation, &blessing),
    .properties = HR_LIST(hr_property, &eval_config, &example_splits),
    .needs = HR_IDS(HR_RUN, HR_FLOW),
    .uses = HR_IDS(HR_LOG, HR_PROGRESS, HR_MODELS),
    .offers = HR_LIST(hr_offer, &executor),
    .functions = HR_LIST(hr_function, &inputs, &sums),
};

HR_PLUGIN("org.headrace.evaluator", "0.1.0", &evaluator);
