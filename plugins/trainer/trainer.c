/* Trainer - see README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

static int32_t word(const char *text, const char *const *words)
{
    int32_t i;

    for (i = 1; words[i]; i++)
        if (!strcmp(text, words[i]))
            return i;
    return 0;
}

static hr_status read_hidden(struct trainer *t)
{
    const char *text = t->easy.run->prop_text(t->run, "hidden_units");
    const struct hr_json *v;
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(&t->env, "hidden_units", text, strlen(text), 0, &doc);
    int64_t n = 0;

    if (r < 0)
        return r;
    for (v = hr_json_first(hr_json_root(doc)); v && r == HR_OK; v = hr_json_next(v)) {
        if (!hr_json_int(doc, v, &n) || n < 1 || n > HR_MAX_UNITS ||
            t->shape.nhidden == HR_MAX_LAYERS)
            r = hr_fail(&t->env, HR_INVALID,
                        "hidden_units is a list of at most 16 numbers from 1 to 65536, as [8, 8]");
        else
            t->shape.hidden[t->shape.nhidden++] = (int32_t)n;
    }
    hr_json_free(doc);
    return r;
}

static hr_status read_settings(struct trainer *t, struct hr_train *how)
{
    static const char *const models[] = { "", "linear", "dnn", NULL };
    static const char *const ways[] = { "", "wide", "deep", "embedding", NULL };
    static const char *const optimizers[] = { "", "sgd", "adam", NULL };
    const hr_run_1 *rt = t->easy.run;
    hr_run *run = t->run;

    t->shape.kind = word(rt->prop_text(run, "model"), models);
    t->shape.ids = word(rt->prop_text(run, "categorical"), ways);
    t->shape.embedding = (int32_t)rt->prop_int(run, "embedding_size");
    t->label = hr_arena_text(&t->arena, rt->prop_text(run, "label"));
    *how = (struct hr_train){
        .steps = rt->prop_int(run, "train_steps"),
        .batch = (int32_t)rt->prop_int(run, "batch_size"),
        .optimizer = word(rt->prop_text(run, "optimizer"), optimizers),
        .rate = (float)rt->prop_float(run, "learning_rate"),
        .seed = (uint64_t)rt->prop_int(run, "seed"),
        .every = rt->prop_int(run, "report_steps"),
        .patience = (int32_t)rt->prop_int(run, "early_stopping"),
    };
    if (!how->every)
        how->every = how->steps >= 10 ? how->steps / 10 : 1;
    return t->label ? read_hidden(t) : HR_EXHAUSTED;
}

static hr_status fill(const struct split_rows *rows, struct hr_samples *to)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < rows->n && r == HR_OK; i++)
        r = hr_samples_add(to, &rows->schema, &rows->list[i], true);
    return r;
}

/* -- reports ---------------------------------------- */

struct reporting {
    struct trainer *t;
    struct hr_buf lines; /* metrics.jsonl */
    struct hr_scores last;
};

static void put_scores(struct hr_json_writer *w, const char *name, const struct hr_scores *s,
                       bool classes)
{
    if (!s->rows)
        return;
    hr_json_put_key(w, name);
    hr_json_open_object(w);
    hr_json_put_member_double(w, "loss", s->loss);
    hr_json_put_member_double(w, classes ? "accuracy" : "mean_absolute_error", s->accuracy);
    hr_json_close_object(w);
}

static hr_status report(void *user, const struct hr_train_report *r)
{
    struct reporting *p = user;
    struct trainer *t = p->t;
    bool classes = t->shape.task != HR_TASK_REGRESSION;
    const char *what = classes ? "accuracy" : "mae";
    struct hr_json_writer w;
    char text[160] = "";

    if (r->eval.rows)
        snprintf(text, sizeof text, "  eval loss %.4f %s %.4f", r->eval.loss, what,
                 r->eval.accuracy);
    hr_logf(t->easy.log, t->run, HR_INFO, "step %lld epoch %.2f  loss %.4f %s %.4f%s%s",
            (long long)r->step, r->epoch, r->train.loss, what, r->train.accuracy, text,
            r->stopped ? "  stopped early" : "");
    hr_json_begin(&w, &p->lines, 0);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "step", r->step);
    put_scores(&w, "train", &r->train, classes);
    put_scores(&w, "eval", &r->eval, classes);
    hr_json_close_object(&w);
    if (hr_json_end(&w) < 0 || hr_buf_char(&p->lines, '\n') < 0)
        return hr_fail_memory(&t->env);
    if (t->easy.progress) {
        t->easy.progress->report(t->run, (double)r->step, (double)r->steps, "steps");
        if (t->easy.progress->cancelled(t->run))
            return HR_CANCELLED;
    }
    return HR_OK;
}

/* What is said is of the weights that are kept: the best ones, if it stopped early. */
static hr_status summarize(struct trainer *t, const struct hr_samples *rows)
{
    struct hr_scores s;
    char text[96];
    hr_status r = hr_net_scores(&t->env, t->net, rows, &s);

    if (r < 0)
        return r;
    if (t->shape.task == HR_TASK_REGRESSION)
        snprintf(text, sizeof text, "loss %.3f  mae %.3f", s.loss, s.accuracy);
    else
        snprintf(text, sizeof text, "loss %.3f  accuracy %.2f", s.loss, s.accuracy);
    return t->easy.run->set_text(t->run, NULL, 0, HR_SUMMARY, text);
}

static hr_status save_lines(struct trainer *t, const struct hr_buf *lines)
{
    char path[HR_MAX_PATH];
    const char *dir;
    hr_status r = t->easy.run->path(t->run, "model_run", 0, &dir);

    if (r < 0 || (r = hr_path_join(&t->env, dir, "metrics.jsonl", path)) < 0)
        return r;
    return hr_file_put(&t->env, path, lines->text, lines->len);
}

/* -- the work ---------------------------------------- */

static hr_status train(struct trainer *t, const struct hr_train *how)
{
    struct hr_samples train = { 0 }, eval = { 0 };
    struct reporting p = { .t = t };
    hr_status r = hr_net_new(&t->env, &t->shape, how->seed, &t->net);

    if (r < 0)
        return r;
    hr_buf_of(&p.lines, HR_MAX_FILE_BYTES, &t->env);
    hr_samples_init(&train, &t->env, t->net);
    hr_samples_init(&eval, &t->env, t->net);
    if ((r = fill(&t->train, &train)) == HR_OK && (r = fill(&t->eval, &eval)) == HR_OK &&
        (r = hr_net_train(&t->env, t->net, how, &train, &eval, report, &p)) == HR_OK &&
        (r = trainer_save(t)) == HR_OK && (r = save_lines(t, &p.lines)) == HR_OK)
        r = summarize(t, eval.rows ? &eval : &train);
    hr_samples_clear(&train);
    hr_samples_clear(&eval);
    hr_buf_clear(&p.lines);
    return r;
}

static hr_status open_plan(struct trainer *t)
{
    const char *dir;
    hr_status r;

    if (!t->easy.run->count(t->run, "transform_graph"))
        return HR_OK;
    if ((r = t->easy.run->path(t->run, "transform_graph", 0, &dir)) < 0)
        return r;
    return hr_plan_open(&t->env, dir, &t->plan);
}

static hr_status work(struct trainer *t)
{
    const hr_run_1 *rt = t->easy.run;
    const char *split = rt->prop_text(t->run, "train_split");
    struct hr_train how;
    hr_status r;

    if ((r = read_settings(t, &how)) < 0 || (r = open_plan(t)) < 0 ||
        (r = trainer_read(t, split, &t->train)) < 0)
        return r;
    if (!t->train.rows)
        return hr_fail(&t->env, HR_INVALID,
                       "the examples have no row of the split \"%s\" to "
                       "train on",
                       split);
    if ((r = trainer_read(t, rt->prop_text(t->run, "eval_split"), &t->eval)) < 0 ||
        (r = trainer_inputs(t)) < 0)
        return r;
    return train(t, &how);
}

static hr_status execute(void *self, hr_run *run)
{
    struct hr_easy *easy = self;
    struct trainer t = { .easy = *easy, .run = run };
    const char *text;
    hr_status r;

    hr_env_init(&t.env, NULL);
    hr_arena_init(&t.arena, &t.env, 0);
    r = work(&t);
    text = hr_env_error(&t.env);
    if (r < 0 && text[0])
        r = easy->run->fail(run, r, text);
    hr_net_free(t.net);
    trainer_rows_clear(&t, &t.train);
    trainer_rows_clear(&t, &t.eval);
    hr_plan_close(t.plan);
    hr_arena_clear(&t.arena);
    hr_env_clear(&t.env);
    return r;
}

/* -- the component ---------------------------------------- */

static const hr_executor_1 hooks = { hr_easy_make, execute, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);
static const hr_offer models = HR_OFFER(HR_MODEL, &trainer_model);

static const hr_port examples =
    HR_PORT_FLAGS("examples", "Examples", HR_PORT_MANY, "Rows, transformed or raw.");
static const hr_port graph = HR_PORT_FLAGS("transform_graph", "TransformGraph", HR_PORT_OPTIONAL,
                                           "The plan that makes features of raw rows.");
static const hr_port schema =
    HR_PORT_FLAGS("schema", "Schema", HR_PORT_OPTIONAL, "What the raw columns are.");
static const hr_port model = HR_PORT("model", "Model", "The model; it takes raw rows.");
static const hr_port model_run = HR_PORT("model_run", "ModelRun", "How training went.");

#define P(id, type, name, value, constraint, doc)                                                  \
    static const hr_property id = HR_PROPERTY(type, name, value, constraint, doc)

P(p_model, HR_STRING, "model", "dnn", "linear|dnn", "The kind of model.");
P(p_label, HR_STRING, "label", NULL, NULL, "The feature that is learnt.");
P(p_task, HR_STRING, "task", "auto", "auto|regression|binary|classes",
  "What the label is; auto: a float is a regression, ints are classes.");
P(p_features, HR_JSON, "features", "[]", NULL, "Names of the inputs; []: all but the label.");
P(p_hidden, HR_JSON, "hidden_units", "[64, 32]", NULL, "Units of the hidden layers of a dnn.");
P(p_ids, HR_STRING, "categorical", "wide", "wide|deep|embedding",
  "Where ids of categories go: to the output, to the first layer, or there as learnt vectors.");
P(p_embedding, HR_INT, "embedding_size", "8", "1..1024", "Numbers of a learnt vector.");
P(p_steps, HR_INT, "train_steps", "1000", "1..1000000000", "Batches to train on.");
P(p_batch, HR_INT, "batch_size", "40", "1..1048576", "Rows of a batch.");
P(p_rate, HR_FLOAT, "learning_rate", "0.01", NULL, "Size of a step, above 0.");
P(p_optimizer, HR_STRING, "optimizer", "adam", "adam|sgd", "How steps are made.");
P(p_seed, HR_INT, "seed", "0", NULL, "Of first weights and the order of rows.");
P(p_report, HR_INT, "report_steps", "0", "0..1000000000",
  "Steps between two reports; 0: a tenth of all.");
P(p_stop, HR_INT, "early_stopping", "0", "0..1000000",
  "Reports without a lower loss of evaluation before it ends; 0: never.");
P(p_train, HR_STRING, "train_split", "train", NULL, "The split to learn from.");
P(p_eval, HR_STRING, "eval_split", "eval", NULL, "The split to measure on.");

static const hr_component trainer = {
    .struct_size = sizeof trainer,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.trainer.Trainer",
    .version = "0.1.0",
    .doc = "Trains a model of features, which then takes raw rows.",
    .inputs = HR_LIST(hr_port, &examples, &graph, &schema),
    .outputs = HR_LIST(hr_port, &model, &model_run),
    .properties = HR_LIST(hr_property, &p_model, &p_label, &p_task, &p_features, &p_hidden, &p_ids,
                          &p_embedding, &p_steps, &p_batch, &p_rate, &p_optimizer, &p_seed,
                          &p_report, &p_stop, &p_train, &p_eval),
    .needs = HR_IDS(HR_RUN, HR_TABLE),
    .uses = HR_IDS(HR_LOG, HR_PROGRESS),
    .offers = HR_LIST(hr_offer, &executor, &models),
    .formats = HR_IDS("headrace/1"),
};

HR_PLUGIN("org.headrace.trainer", "0.1.0", &trainer);
