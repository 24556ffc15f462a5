#include "analysis/plan.h"

#include <math.h>
#include <string.h>

#include "analysis/types.h"

enum { MAX_METRICS = 100000, MAX_THRESHOLDS = 100000, MAX_WARNINGS = 1 << 20 };

/* The configuration of a metric, read. */
struct options {
    const char *name;
    const double *thresholds;
    size_t thresholds_n;
    int32_t num_thresholds; /* 0: not given */
    bool pr_curve, logits;
    int32_t summation, k;
    double value, smoothing;
};

struct maker {
    struct hr_arena *arena;
    struct hr_plan *plan;
    hr_status r;
};

/* -- configurations ------------------------------------------------------------------- */

struct reading {
    struct maker *m;
    const struct hr_metric_type *type;
    const struct hr_json_doc *doc;
    struct options *o;
};

static bool odd(struct reading *in, const struct hr_json *v, const char *wanted)
{
    in->m->r =
        hr_fail(in->m->arena->env, HR_INVALID, "metric \"%s\": \"%s\" wants %s, not %s",
                in->type->class_name, hr_json_key(v), wanted, hr_json_kind_text(hr_json_kind(v)));
    return false;
}

static void thresholds(struct reading *in, const struct hr_json *v)
{
    bool list = hr_json_kind(v) == HR_JSON_ARRAY;
    size_t n = list ? hr_json_count(v) : 1, i = 0;
    const struct hr_json *x = list ? hr_json_first(v) : v;
    double *t = n <= MAX_THRESHOLDS ? hr_arena_array(in->m->arena, n + 1, sizeof *t) : NULL;

    if (!t) {
        in->m->r = HR_EXHAUSTED;
        return;
    }
    for (; x && i < n; x = list ? hr_json_next(x) : NULL, i++)
        if (!hr_json_double(in->doc, x, &t[i])) {
            odd(in, v, "a number or a list of numbers");
            return;
        }
    if (!n)
        odd(in, v, "at least one number");
    in->o->thresholds = t;
    in->o->thresholds_n = n;
}

static void number(struct reading *in, const struct hr_json *v, double *ret)
{
    if (!hr_json_double(in->doc, v, ret))
        odd(in, v, "a number");
}

static void integer(struct reading *in, const struct hr_json *v, int64_t least, int32_t *ret)
{
    int64_t i;

    if (hr_json_int(in->doc, v, &i) && i >= least && i <= MAX_THRESHOLDS)
        *ret = (int32_t)i;
    else
        odd(in, v, "an integer that is not too small or large");
}

static void word(struct reading *in, const struct hr_json *v, const char *const *words,
                 const char *wanted, int32_t *ret)
{
    const char *text = hr_json_text(v);
    int32_t i;

    for (i = 0; words[i]; i++)
        if (text && !strcmp(text, words[i])) {
            *ret = i;
            return;
        }
    odd(in, v, wanted);
}

struct key {
    const char *name;
    int32_t option; /* 0: of every metric */
};

static const struct key keys[] = {
    { "name", 0 },
    { "dtype", 0 },
    { "thresholds", OPTION_THRESHOLDS },
    { "num_thresholds", OPTION_NUM_THRESHOLDS },
    { "curve", OPTION_CURVE },
    { "summation_method", OPTION_CURVE },
    { "sensitivity", OPTION_SENSITIVITY },
    { "specificity", OPTION_SPECIFICITY },
    { "recall", OPTION_RECALL },
    { "precision", OPTION_PRECISION },
    { "fpr", OPTION_FPR },
    { "from_logits", OPTION_ENTROPY },
    { "label_smoothing", OPTION_ENTROPY },
    { "k", OPTION_K },
};

static void one_option(struct reading *in, const struct hr_json *v)
{
    static const char *const curves[] = { "ROC", "PR", NULL };
    static const char *const sums[] = { "interpolation", "minoring", "majoring", NULL };
    const char *key = hr_json_key(v);
    struct options *o = in->o;
    int32_t i = 0;

    if (hr_json_kind(v) == HR_JSON_NULL || !strcmp(key, "dtype"))
        return;
    if (!strcmp(key, "name")) {
        o->name = hr_json_text(v) ? hr_arena_text(in->m->arena, hr_json_text(v)) : NULL;
        if (!o->name)
            odd(in, v, "a text");
    } else if (!strcmp(key, "thresholds")) {
        thresholds(in, v);
    } else if (!strcmp(key, "num_thresholds")) {
        integer(in, v, 2, &o->num_thresholds);
    } else if (!strcmp(key, "curve")) {
        word(in, v, curves, "\"ROC\" or \"PR\"", &i);
        o->pr_curve = i == 1;
    } else if (!strcmp(key, "summation_method")) {
        word(in, v, sums, "\"interpolation\", \"minoring\" or \"majoring\"", &o->summation);
    } else if (!strcmp(key, "from_logits")) {
        o->logits = hr_json_bool(v);
    } else if (!strcmp(key, "label_smoothing")) {
        number(in, v, &o->smoothing);
    } else if (!strcmp(key, "k")) {
        integer(in, v, 1, &o->k);
    } else {
        number(in, v, &o->value);
    }
}

static void check_key(struct reading *in, const struct hr_json *v)
{
    const char *names[sizeof keys / sizeof *keys];
    size_t n = 0, i;

    for (i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].option && !(keys[i].option & in->type->options))
            continue;
        names[n++] = keys[i].name;
        if (!strcmp(keys[i].name, hr_json_key(v))) {
            one_option(in, v);
            return;
        }
    }
    in->m->r = hr_fail_meant(
        in->m->arena->env, HR_INVALID, NULL, hr_text_meant(hr_json_key(v), names, n),
        "metric \"%s\" takes no \"%s\" in its config", in->type->class_name, hr_json_key(v));
}

/* The text of a config: members of a JSON object, with or without its braces. */
static void read_options(struct maker *m, const struct hr_metric_type *type, const char *text,
                         struct options *o)
{
    struct reading in = { m, type, NULL, o };
    struct hr_json_doc *doc = NULL;
    const struct hr_json *v;
    struct hr_buf b;
    const char *p;

    *o = (struct options){ .name = type->name, .k = 5, .value = 0.5 };
    o->pr_curve = type->formula == HR_AUC_PR && type->sums == HR_SUMS_HISTOGRAM;
    if (!text || !*text)
        return;
    for (p = text; *p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'; p++)
        ;
    hr_buf_of(&b, HR_MAX_JSON_BYTES, m->arena->env);
    if (hr_buf_format(&b, *p == '{' ? "%s" : "{%s}", p) < 0) {
        m->r = hr_fail_memory(m->arena->env);
        hr_buf_clear(&b);
        return;
    }
    m->r = hr_json_parse(m->arena->env, type->class_name, b.text, b.len, 0, &doc);
    if (m->r == HR_OK) {
        in.doc = doc;
        for (v = hr_json_first(hr_json_root(doc)); v; v = hr_json_next(v))
            check_key(&in, v);
        hr_json_free(doc);
    }
    hr_buf_clear(&b);
}

static const struct hr_metric_type *find_type(struct maker *m, const char *name)
{
    const char *names[256];
    size_t n, i;
    const struct hr_metric_type *types = hr_metric_types(&n);

    for (i = 0; i < n && i < 256; i++) {
        names[i] = types[i].class_name;
        if (!strcmp(names[i], name) || !strcmp(types[i].name, name))
            return &types[i];
    }
    m->r = hr_fail_meant(m->arena->env, HR_INVALID, NULL, hr_text_meant(name, names, i),
                         "there is no metric \"%s\"", name);
    return NULL;
}

/* -- computations ----------------------------------------------------------------------- */

static bool same_view(const struct hr_pairs_view *a, const struct hr_pairs_view *b)
{
    return a->model == b->model && a->kind == b->kind && a->k == b->k &&
           a->weighted == b->weighted && a->classes_n == b->classes_n &&
           (!a->classes_n || !memcmp(a->classes, b->classes, a->classes_n * sizeof *a->classes));
}

static bool same(const struct hr_computation *a, const struct hr_computation *b)
{
    return a->kind == b->kind && same_view(&a->view, &b->view) && a->error == b->error &&
           a->smoothing == b->smoothing && a->logits == b->logits && a->k == b->k &&
           a->thresholds_n == b->thresholds_n &&
           (!a->thresholds_n ||
            !memcmp(a->thresholds, b->thresholds, a->thresholds_n * sizeof *a->thresholds));
}

static size_t doubles_of(const struct hr_computation *c)
{
    switch (c->kind) {
    case HR_SUMS_COUNT:
    case HR_SUMS_MEAN:
        return 2;
    case HR_SUMS_CONFUSION:
        return 4 * c->thresholds_n;
    case HR_SUMS_CALIBRATION:
        return 3;
    case HR_SUMS_PEARSON:
        return 6;
    case HR_SUMS_TJUR:
        return 4;
    default:
        return 0;
    }
}

/* The index of an equal computation, or of a new one. */
static size_t share(struct maker *m, struct hr_computation *c)
{
    struct hr_plan *p = m->plan;
    struct hr_computation *to;
    size_t i;

    for (i = 0; i < p->computations_n; i++)
        if (same(&p->computations[i], c))
            return i;
    to = hr_pb_push(m->arena, (void **)&p->computations, &p->computations_n, sizeof *to);
    if (!to) {
        m->r = HR_EXHAUSTED;
        return 0;
    }
    c->n = doubles_of(c);
    c->at = p->doubles;
    c->table = p->tables;
    p->doubles += c->n;
    p->tables += c->n == 0;
    *to = *c;
    return p->computations_n - 1;
}

static size_t computation(struct maker *m, const struct hr_metric_type *type,
                          const struct options *o, const struct hr_pairs_view *view)
{
    static const double half = 0.5, above_all = -INFINITY;
    struct hr_computation c = { .kind = type->sums, .view = *view };

    if (c.kind == HR_SUMS_MEAN) {
        c.error = (enum hr_error_kind)type->formula;
        c.smoothing = o->smoothing;
        c.logits = o->logits;
        c.k = c.error == HR_ERROR_SPARSE_TOP_K ? o->k : 0;
    }
    if (c.kind == HR_SUMS_CONFUSION || c.kind == HR_SUMS_CLASSES) {
        c.thresholds =
            o->thresholds_n ? o->thresholds : (view->kind == HR_VIEW_TOP_K ? &above_all : &half);
        c.thresholds_n = o->thresholds_n ? o->thresholds_n : 1;
    }
    return share(m, &c);
}

/* -- metrics ------------------------------------------------------------------------------ */

static const char *const names_of_views[] = { "", "class ", "k ", "top k ", "" };

static struct hr_metric *add(struct maker *m, const struct hr_metric *metric)
{
    struct hr_plan *p = m->plan;
    struct hr_metric *to;
    size_t i;

    for (i = 0; i < p->metrics_n && !metric->hidden; i++) {
        const struct hr_metric *x = &p->metrics[i];

        if (x->hidden || strcmp(x->name, metric->name) != 0 || x->model != metric->model ||
            x->sub_kind != metric->sub_kind || x->sub_k != metric->sub_k ||
            x->aggregation != metric->aggregation || x->weighted != metric->weighted)
            continue;
        hr_buf_format(&p->warnings,
                      "two metrics are called \"%s\"%s%s; the second is not computed: give it a "
                      "\"name\" in its config\n",
                      metric->name, metric->sub_kind ? ", for " : "",
                      names_of_views[metric->sub_kind]);
        return NULL;
    }
    if (p->metrics_n >= MAX_METRICS) {
        m->r = hr_fail(m->arena->env, HR_INVALID, "there are more than %d metrics", MAX_METRICS);
        return NULL;
    }
    to = hr_pb_push(m->arena, (void **)&p->metrics, &p->metrics_n, sizeof *to);
    if (to)
        *to = *metric;
    else
        m->r = HR_EXHAUSTED;
    return to;
}

struct spec {
    const HR_MA(MetricsSpec) * s;
    const struct hr_metric_type *type;
    struct options o;
    int32_t model;
    bool weighted;
};

static struct hr_metric metric_of(const struct spec *s)
{
    return (struct hr_metric){ .type = s->type,
                               .name = s->o.name,
                               .model = s->model,
                               .weighted = s->weighted,
                               .value = s->o.value,
                               .num_thresholds = s->o.num_thresholds ? s->o.num_thresholds : 10000,
                               .pr_curve = s->o.pr_curve,
                               .summation = s->o.summation };
}

static void plain(struct maker *m, const struct spec *s, enum hr_view_kind kind, int32_t k)
{
    struct hr_pairs_view view = {
        .model = s->model, .kind = kind, .k = k, .weighted = s->weighted
    };
    struct hr_metric x = metric_of(s);

    x.sub_kind = kind;
    x.sub_k = k;
    x.computation = computation(m, s->type, &s->o, &view);
    add(m, &x);
}

static void each_of(struct maker *m, const struct spec *s, const HR_MA(RepeatedInt32Value) * list,
                    enum hr_view_kind kind)
{
    size_t i;

    for (i = 0; list && i < list->n_values; i++) {
        if (list->values[i] < (kind == HR_VIEW_CLASS ? 0 : 1)) {
            m->r =
                hr_fail(m->arena->env, HR_INVALID, "binarize has a value %d", (int)list->values[i]);
            return;
        }
        plain(m, s, kind, list->values[i]);
    }
}

static const struct hr_class_weight *class_weights(struct maker *m, const struct spec *s)
{
    const HR_MA(AggregationOptions) *a = s->s->aggregate;
    struct hr_class_weight *w = hr_arena_array(m->arena, a->n_class_weights + 1, sizeof *w), x;
    size_t i, k;

    if (!w) {
        m->r = HR_EXHAUSTED;
        return NULL;
    }
    for (i = 0; i < a->n_class_weights; i++) {
        x = (struct hr_class_weight){ a->class_weights[i]->key,
                                      (double)a->class_weights[i]->value };
        for (k = i; k > 0 && w[k - 1].id > x.id; k--)
            w[k] = w[k - 1];
        w[k] = x;
    }
    return w;
}

static void macro(struct maker *m, const struct spec *s, const struct hr_class_weight *w, size_t n,
                  enum hr_aggregation kind)
{
    static const struct hr_metric_type calibration = { "", "", HR_SUMS_CALIBRATION, 0, 0 };
    struct hr_metric x = metric_of(s), part;
    size_t *parts = hr_arena_array(m->arena, n + 1, sizeof *parts), i;

    if (!parts) {
        m->r = HR_EXHAUSTED;
        return;
    }
    for (i = 0; i < n; i++) {
        struct hr_pairs_view view = {
            .model = s->model, .kind = HR_VIEW_CLASS, .k = w[i].id, .weighted = s->weighted
        };

        part = metric_of(s);
        part.hidden = true;
        part.computation = computation(m, s->type, &s->o, &view);
        part.positives = computation(m, &calibration, &s->o, &view);
        add(m, &part);
        parts[i] = m->plan->metrics_n - 1;
    }
    x.aggregation = kind;
    x.parts = parts;
    x.part_weights = w;
    x.parts_n = n;
    add(m, &x);
}

static void aggregate(struct maker *m, const struct spec *s)
{
    const HR_MA(AggregationOptions) *a = s->s->aggregate;
    struct hr_pairs_view view = { .model = s->model,
                                  .kind = HR_VIEW_MICRO,
                                  .weighted = s->weighted };
    struct hr_metric x = metric_of(s);
    const struct hr_class_weight *w = class_weights(m, s);
    bool micro = a->type_case == HR_MA_E(AGGREGATION_OPTIONS__TYPE_MICRO_AVERAGE);

    if (!w)
        return;
    if (micro) {
        view.classes = a->n_class_weights ? w : NULL;
        view.classes_n = a->n_class_weights;
        x.aggregation = HR_AGGREGATE_MICRO;
        x.computation = computation(m, s->type, &s->o, &view);
        add(m, &x);
        return;
    }
    if (!a->n_class_weights || a->type_case == HR_MA_E(AGGREGATION_OPTIONS__TYPE__NOT_SET)) {
        m->r = hr_fail(m->arena->env, HR_INVALID,
                       "aggregate of metric \"%s\" needs microAverage, or macroAverage and "
                       "classWeights",
                       s->type->class_name);
        return;
    }
    macro(m, s, w, a->n_class_weights,
          a->type_case == HR_MA_E(AGGREGATION_OPTIONS__TYPE_MACRO_AVERAGE)
              ? HR_AGGREGATE_MACRO
              : HR_AGGREGATE_WEIGHTED_MACRO);
}

static void one_weighting(struct maker *m, const struct spec *s)
{
    const HR_MA(BinarizationOptions) *b = s->s->binarize;

    if (s->s->aggregate)
        aggregate(m, s);
    if (b) {
        each_of(m, s, b->class_ids, HR_VIEW_CLASS);
        each_of(m, s, b->k_list, HR_VIEW_K);
        each_of(m, s, b->top_k_list, HR_VIEW_TOP_K);
    }
    if (!s->s->aggregate && !b)
        plain(m, s, HR_VIEW_ALL, 0);
}

static bool is_named(const HR_MA(MetricsSpec) * s, const char *model)
{
    size_t i;

    for (i = 0; i < s->n_model_names; i++)
        if (!strcmp(s->model_names[i], model))
            return true;
    return !s->n_model_names;
}

static void one_model(struct maker *m, struct spec *s)
{
    const HR_MA(ModelSpec) *model = m->plan->config->model_specs[s->model];
    const HR_MA(ExampleWeightOptions) *w = s->s->example_weights;
    bool has = model->example_weight_key && *model->example_weight_key;
    bool weighted = w ? w->weighted != 0 : has;
    bool unweighted = w ? w->unweighted != 0 : !has;

    if (!is_named(s->s, hr_model_name(model)))
        return;
    if (weighted && !has) {
        m->r = hr_fail(m->arena->env, HR_INVALID,
                       "exampleWeights asks for weights, but model \"%s\" has no "
                       "exampleWeightKey",
                       hr_model_name(model));
        return;
    }
    if (weighted) {
        s->weighted = true;
        one_weighting(m, s);
    }
    if (unweighted || !weighted) {
        s->weighted = false;
        one_weighting(m, s);
    }
}

static void one_metric(struct maker *m, const HR_MA(MetricsSpec) * spec,
                       const HR_MA(MetricConfig) * config)
{
    const char *class_name = config->class_name ? config->class_name : "";
    struct spec s = { .s = spec, .type = find_type(m, class_name) };
    size_t i;

    if (!s.type)
        return;
    read_options(m, s.type, config->config, &s.o);
    if (m->r < 0)
        return;
    if (s.type->formula == HR_AUC_PR && s.type->sums == HR_SUMS_HISTOGRAM)
        s.o.pr_curve = true;
    for (i = 0; i < m->plan->config->n_model_specs && m->r == HR_OK; i++) {
        s.model = (int32_t)i;
        one_model(m, &s);
    }
}

hr_status hr_plan_make(struct hr_arena *arena, const hr_eval_config *config, struct hr_plan **ret)
{
    struct maker m = { arena, hr_arena_get(arena, sizeof(struct hr_plan)), HR_OK };
    hr_status r = HR_OK;
    size_t i, k;

    if (!m.plan)
        return HR_EXHAUSTED;
    m.plan->config = config;
    m.plan->min_slice_size = config->options && config->options->min_slice_size
                                 ? config->options->min_slice_size->value
                                 : 1;
    hr_buf_of(&m.plan->warnings, MAX_WARNINGS, arena->env);
    for (i = 0; i < config->n_metrics_specs; i++)
        for (k = 0; k < config->metrics_specs[i]->n_metrics; k++) {
            one_metric(&m, config->metrics_specs[i], config->metrics_specs[i]->metrics[k]);
            r = m.r < 0 ? m.r : r;
            m.r = HR_OK;
        }
    /* Warnings that pass their limit are more than anybody reads. */
    if (r == HR_OK && (!hr_arena_whole(arena) || (!hr_buf_whole(&m.plan->warnings) &&
                                                  m.plan->warnings.len < MAX_WARNINGS / 2)))
        r = HR_EXHAUSTED;
    if (r < 0)
        hr_buf_clear(&m.plan->warnings);
    else
        *ret = m.plan;
    return r;
}

const char *hr_metric_name(struct hr_arena *arena, const HR_MA(MetricConfig) * config)
{
    struct maker m = { arena, NULL, HR_OK };
    const struct hr_metric_type *type = find_type(&m, config->class_name ? config->class_name : "");
    struct options o;

    if (!type)
        return NULL;
    read_options(&m, type, config->config, &o);
    return m.r < 0 ? NULL : o.name;
}
