#include "validation/schema.h"

#include <stdlib.h>
#include <string.h>

#include "validation/engine.h"

/* The feature of a name among n.  Schemas and statistics mostly have one order, so the search
 * begins behind what was found last. */
static hr_feature *find_name(hr_feature *const *list, size_t n, struct hr_slice name, size_t *hint)
{
    size_t i, at;

    for (i = 0; i < n; i++) {
        at = (*hint + i) % n;
        if (hr_slice_eq(name, list[at]->name ? list[at]->name : "")) {
            *hint = at + 1;
            return list[at];
        }
    }
    return NULL;
}

static hr_feature *find(const hr_schema *s, const hr_feature_stats *f, size_t *hint)
{
    size_t n = hr_path_steps(f), i, inner = 0;
    hr_feature *at = n ? find_name(s->feature, s->n_feature, hr_path_step(f, 0), hint) : NULL;

    for (i = 1; i < n && at; i++) {
        if (at->domain_info_case != HR_DOMAIN(STRUCT_DOMAIN))
            return NULL;
        at = find_name(at->struct_domain->feature, at->struct_domain->n_feature, hr_path_step(f, i),
                       &inner);
    }
    return at;
}

/* Is the path that of a sparse or weighted feature?  They have no column of their own. */
static bool is_composed(const hr_schema *s, const hr_feature_stats *f)
{
    size_t i;

    if (hr_path_steps(f) != 1)
        return false;
    for (i = 0; i < s->n_sparse_feature; i++)
        if (hr_slice_eq(hr_path_step(f, 0), s->sparse_feature[i]->name))
            return true;
    for (i = 0; i < s->n_weighted_feature; i++)
        if (hr_slice_eq(hr_path_step(f, 0), s->weighted_feature[i]->name))
            return true;
    return false;
}

static hr_status begin(struct hr_check *c, const hr_dataset *set, const hr_feature_stats *f,
                       bool *ret_known)
{
    *ret_known = hr_path_steps(f) > 0 && hr_view_of(set, f, &c->view);
    c->anomaly = hr_pb_new(c->arena, &HR_MD_OF(anomaly_info));
    c->path = hr_path_text(c->arena, f);
    c->domain_copy = NULL;
    c->measured = NULL;
    return c->anomaly && c->path ? HR_OK : HR_EXHAUSTED;
}

/* Are there statistics of a feature of the schema? */
static bool has_statistics(const hr_dataset *set, const char *name, size_t *hint)
{
    size_t i, at;

    for (i = 0; i < set->n_features; i++) {
        at = (*hint + i) % set->n_features;
        if (hr_path_steps(set->features[at]) == 1 &&
            hr_slice_eq(hr_path_step(set->features[at], 0), name)) {
            *hint = at + 1;
            return true;
        }
    }
    return false;
}

/* A schema is text: what it names must be, too. */
static hr_status check_name(struct hr_check *c, const hr_feature_stats *f, size_t i)
{
    struct hr_slice name = hr_path_step(f, 0);

    if (hr_utf8_valid(name.text, name.len) == name.len && !memchr(name.text, 0, name.len))
        return HR_OK;
    return hr_fail(c->arena->env, HR_INVALID,
                   "the name of feature %zu of the statistics is not UTF-8, or has a NUL in it, so"
                   " no schema can have it; give the column another name",
                   i + 1);
}

/* What the schema requires, and nobody has seen. */
static void deprecate(struct hr_check *c, const hr_dataset *set)
{
    size_t hint = 0, i;

    for (i = 0; i < c->schema->n_feature; i++) {
        hr_feature *f = c->schema->feature[i];

        if (hr_feature_required(c->schema, f, NULL) &&
            !has_statistics(set, f->name ? f->name : "", &hint))
            hr_feature_deprecate(f);
    }
}

static hr_status update(struct hr_check *c, const hr_statistics *statistics, bool infer_shape)
{
    const hr_dataset *set = hr_view_dataset(c->arena->env, statistics);
    size_t hint = 0, i;
    hr_feature *f;
    hr_status r;
    bool known;

    if (!set)
        return HR_INVALID;
    for (i = 0; i < set->n_features; i++) {
        r = begin(c, set, set->features[i], &known);
        if (r < 0)
            return r;
        if (!known || is_composed(c->schema, set->features[i]))
            continue;
        f = find(c->schema, set->features[i], &hint);
        if (f)
            hr_check_feature(c, f);
        else if (hr_path_steps(set->features[i]) == 1 &&
                 (r = check_name(c, set->features[i], i)) < 0)
            return r;
        else if (hr_path_steps(set->features[i]) == 1)
            hr_feature_create(c, infer_shape);
        if (c->r < 0)
            return c->r;
    }
    deprecate(c, set);
    return hr_arena_whole(c->arena) ? HR_OK : HR_EXHAUSTED;
}

hr_status hr_schema_infer(struct hr_arena *arena, const hr_statistics *statistics,
                          const struct hr_schema_options *options, hr_schema **ret)
{
    struct hr_check c = { .arena = arena };
    hr_status r;

    c.domain_max = options->domain_max ? options->domain_max : HR_SCHEMA_DOMAIN_MAX;
    c.schema = hr_pb_new(arena, &HR_MD_OF(schema));
    if (!c.schema)
        return HR_EXHAUSTED;
    r = update(&c, statistics, options->infer_shape);
    if (r == HR_OK)
        *ret = c.schema;
    return r;
}

hr_status hr_schema_update(struct hr_arena *arena, hr_schema *schema,
                           const hr_statistics *statistics)
{
    struct hr_check c = { .arena = arena, .schema = schema, .domain_max = HR_SCHEMA_DOMAIN_MAX };

    return update(&c, statistics, false);
}

hr_status hr_schema_read(struct hr_arena *arena, const char *name, const char *text, size_t n,
                         hr_schema **ret)
{
    ProtobufCMessage *m = NULL;
    hr_status r = hr_pb_text_read(arena, &HR_MD_OF(schema), name, text, n, &m);

    if (r == HR_OK)
        *ret = (hr_schema *)m;
    return r;
}

hr_status hr_schema_write(struct hr_env *env, const hr_schema *schema, struct hr_buf *to)
{
    return hr_pb_text_write(env, &schema->base, to);
}

/* -- anomalies ------------------------------------------------------------------------- */

struct found {
    char *path;
    hr_anomaly *anomaly;             /* NULL: nothing is wrong */
    HR_MD(DriftSkewInfo) * measured; /* NULL: nothing was measured */
};

struct run {
    struct hr_check c;
    const struct hr_validate_args *args;
    const hr_dataset *set, *previous_version;
    hr_anomalies *out;
    struct found *found;
    size_t n, hint;
};

static int32_t severity(const struct run *v, const hr_anomaly *a)
{
    int32_t most = HR_MD_E(ANOMALY_INFO__SEVERITY__UNKNOWN), one;
    size_t i, k;

    for (i = 0; i < a->n_reason; i++) {
        one = HR_MD_E(ANOMALY_INFO__SEVERITY__ERROR);
        for (k = 0; k < v->args->severities_n; k++)
            if (v->args->severities[k].type == (int32_t)a->reason[i]->type)
                one = v->args->severities[k].severity;
        most = one > most ? one : most;
    }
    return most;
}

/* The texts of the whole from those of its reasons. */
static void sum_up(struct run *v, hr_anomaly *a)
{
    const char *brief = "", *text = "";
    bool all_new = true;
    size_t i;

    for (i = 0; i < a->n_reason; i++)
        all_new = all_new && a->reason[i]->type == HR_ANOMALY(SCHEMA_NEW_COLUMN);
    if (all_new)
        a->n_reason = 1;
    for (i = 0; i < a->n_reason; i++) {
        const HR_MD(AnomalyInfo__Reason) *r = a->reason[i];

        if (!i || !*text) {
            brief = r->short_description;
            text = r->description;
        } else if (*r->description) {
            brief = "Multiple errors";
            text = hr_check_text(&v->c, "%s %s", text, r->description);
        }
    }
    a->short_description = (char *)(uintptr_t)brief;
    a->description = (char *)(uintptr_t)text;
    a->has_severity = 1;
    a->severity = (HR_MD(AnomalyInfo__Severity))severity(v, a);
}

static bool copy_path(struct hr_arena *arena, const hr_feature_stats *f, HR_MD(Path) * *ret)
{
    HR_MD(Path) *p = hr_pb_new(arena, &HR_MD_OF(path));
    ProtobufCBinaryData *step;
    struct hr_slice s;
    size_t i;

    for (i = 0; p && i < hr_path_steps(f); i++) {
        s = hr_path_step(f, i);
        step = HR_PB_PUSH(arena, p, step);
        if (!step || !hr_pb_bytes(arena, step, s.text, s.len))
            return false;
    }
    *ret = p;
    return p;
}

/* Keep what was found of the feature at hand. */
static hr_status keep(struct run *v, const hr_feature_stats *f)
{
    struct found *to = &v->found[v->n];

    *to = (struct found){ v->c.path, NULL, v->c.measured };
    if (v->c.anomaly->n_reason) {
        sum_up(v, v->c.anomaly);
        if (!copy_path(v->c.arena, f, &v->c.anomaly->path))
            return HR_EXHAUSTED;
        to->anomaly = v->c.anomaly;
    }
    if (to->measured && !copy_path(v->c.arena, f, &to->measured->path))
        return HR_EXHAUSTED;
    v->n += to->anomaly || to->measured;
    return v->c.r;
}

static hr_status one(struct run *v, const hr_feature_stats *stats)
{
    struct hr_check *c = &v->c;
    ProtobufCMessage *copy = NULL;
    hr_feature *f;
    hr_status r;
    bool known;

    r = begin(c, v->set, stats, &known);
    if (r < 0 || !known || is_composed(c->schema, stats))
        return r;
    f = find(c->schema, stats, &v->hint);
    if (!f) {
        /* The children of a new column are told with it. */
        if (hr_path_steps(stats) == 1)
            hr_reason(c, HR_ANOMALY(SCHEMA_NEW_COLUMN), "New column",
                      "New column (column in data but not in schema)");
        return keep(v, stats);
    }
    r = hr_pb_copy(c->arena, &f->base, &copy);
    if (r < 0)
        return r;
    hr_check_feature(c, (hr_feature *)copy);
    return keep(v, stats);
}

static hr_status missing(struct run *v)
{
    hr_feature_stats f = TENSORFLOW__METADATA__V0__FEATURE_NAME_STATISTICS__INIT;
    const hr_schema *s = v->args->schema;
    size_t hint = 0, i;
    hr_status r = HR_OK;
    bool known;

    for (i = 0; i < s->n_feature && r == HR_OK; i++) {
        f.field_id_case = HR_MD_E(FEATURE_NAME_STATISTICS__FIELD_ID_NAME);
        f.name = s->feature[i]->name ? s->feature[i]->name : (char *)(uintptr_t) "";
        if (!hr_feature_required(s, s->feature[i], v->c.environment) ||
            has_statistics(v->set, f.name, &hint))
            continue;
        r = begin(&v->c, v->set, &f, &known);
        if (r < 0)
            return r;
        hr_reason(&v->c, HR_ANOMALY(SCHEMA_MISSING_COLUMN), "Column dropped",
                  "Column is completely missing");
        r = keep(v, &f);
    }
    return r;
}

/* -- the dataset --------------------------------------------------------------------------- */

static void against(struct run *v, const HR_MD(NumericValueComparator) * n,
                    const hr_dataset *control, const char *what)
{
    struct hr_check *c = &v->c;
    double have = (double)v->set->num_examples, base, ratio;

    if (!n || !control)
        return;
    base = (double)control->num_examples;
    ratio = have / base;
    if (base == 0) {
        if (n->has_max_fraction_threshold && have > 0)
            hr_reason(c, HR_ANOMALY(COMPARATOR_HIGH_NUM_EXAMPLES),
                      hr_check_text(c,
                                    "High num examples in current dataset versus the %s, which "
                                    "has 0.",
                                    what),
                      hr_check_text(c,
                                    "The %s has 0 examples, so there is a high number of examples "
                                    "in the current dataset versus the %s.",
                                    what, what));
        return;
    }
    if (n->has_max_fraction_threshold && ratio > n->max_fraction_threshold)
        hr_reason(c, HR_ANOMALY(COMPARATOR_HIGH_NUM_EXAMPLES),
                  hr_check_text(c, "High num examples in current dataset versus the %s.", what),
                  hr_check_text(c,
                                "The ratio of num examples in the current dataset versus the %s is "
                                "%s (up to six significant digits), which is above the threshold "
                                "%s.",
                                what, hr_check_g6(c, ratio),
                                hr_check_g6(c, n->max_fraction_threshold)));
    if (n->has_min_fraction_threshold && ratio < n->min_fraction_threshold)
        hr_reason(c, HR_ANOMALY(COMPARATOR_LOW_NUM_EXAMPLES),
                  hr_check_text(c, "Low num examples in current dataset versus the %s.", what),
                  hr_check_text(c,
                                "The ratio of num examples in the current dataset versus the %s is "
                                "%s (up to six significant digits), which is below the threshold "
                                "%s.",
                                what, hr_check_g6(c, ratio),
                                hr_check_g6(c, n->min_fraction_threshold)));
}

static hr_status dataset(struct run *v)
{
    const HR_MD(DatasetConstraints) *d = v->args->schema->dataset_constraints;
    struct hr_check *c = &v->c;
    double n = (double)v->set->num_examples;

    if (!d)
        return HR_OK;
    c->anomaly = hr_pb_new(c->arena, &HR_MD_OF(anomaly_info));
    if (!c->anomaly)
        return HR_EXHAUSTED;
    against(v, d->num_examples_drift_comparator, c->previous, "previous span");
    against(v, d->num_examples_version_comparator, v->previous_version, "previous version");
    if (d->has_min_examples_count && n < (double)d->min_examples_count)
        hr_reason(c, HR_ANOMALY(DATASET_LOW_NUM_EXAMPLES), "Low num examples in dataset.",
                  hr_check_text(c, "The dataset has %s examples, which is fewer than expected.",
                                hr_check_g6(c, n)));
    if (d->has_max_examples_count && n > (double)d->max_examples_count)
        hr_reason(c, HR_ANOMALY(DATASET_HIGH_NUM_EXAMPLES), "High num examples in dataset.",
                  hr_check_text(c, "The dataset has %s examples, which is more than expected.",
                                hr_check_g6(c, n)));
    if (c->anomaly->n_reason) {
        sum_up(v, c->anomaly);
        v->out->dataset_anomaly_info = c->anomaly;
    }
    return c->r;
}

/* -- all of it ------------------------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct found *)a)->path, ((const struct found *)b)->path);
}

static hr_status collect(struct run *v)
{
    HR_MD(Anomalies__AnomalyInfoEntry) * e;
    HR_MD(DriftSkewInfo) * *d;
    size_t i;

    qsort(v->found, v->n, sizeof *v->found, by_path);
    for (i = 0; i < v->n; i++) {
        if (v->found[i].anomaly) {
            e = HR_PB_ADD(v->c.arena, v->out, anomaly_info,
                          &HR_MD_OF(anomalies__anomaly_info_entry));
            if (!e)
                return HR_EXHAUSTED;
            e->key = v->found[i].path;
            e->value = v->found[i].anomaly;
        }
        if (v->found[i].measured) {
            d = HR_PB_PUSH(v->c.arena, v->out, drift_skew_info);
            if (!d)
                return HR_EXHAUSTED;
            *d = v->found[i].measured;
        }
    }
    return HR_OK;
}

static hr_status check_environment(struct run *v)
{
    const hr_schema *s = v->args->schema;
    const char *e = v->args->environment;
    size_t i;

    for (i = 0; e && i < s->n_default_environment; i++)
        if (!strcmp(s->default_environment[i], e))
            return HR_OK;
    if (!e)
        return HR_OK;
    return hr_fail_meant(
        v->c.arena->env, HR_INVALID, NULL,
        hr_text_meant(e, (const char *const *)s->default_environment, s->n_default_environment),
        "the schema has no environment \"%s\" among its default_environment", e);
}

static hr_status prepare(struct run *v)
{
    const struct hr_validate_args *a = v->args;
    struct hr_env *env = v->c.arena->env;
    size_t n;

    v->set = hr_view_dataset(env, a->statistics);
    v->c.previous = a->previous ? hr_view_dataset(env, a->previous) : NULL;
    v->c.serving = a->serving ? hr_view_dataset(env, a->serving) : NULL;
    v->previous_version = a->previous_version ? hr_view_dataset(env, a->previous_version) : NULL;
    if (!v->set || (a->previous && !v->c.previous) || (a->serving && !v->c.serving) ||
        (a->previous_version && !v->previous_version))
        return HR_INVALID;
    v->c.schema = (hr_schema *)(uintptr_t)a->schema;
    v->c.on_copies = true;
    v->c.environment = a->environment;
    v->c.domain_max = 400;
    v->c.warnings = a->warnings;
    n = v->set->n_features + a->schema->n_feature + 1;
    v->found = hr_arena_array(v->c.arena, n, sizeof *v->found);
    v->out = hr_pb_new(v->c.arena, &HR_MD_OF(anomalies));
    return v->found && v->out ? check_environment(v) : HR_EXHAUSTED;
}

hr_status hr_validate(struct hr_arena *arena, const struct hr_validate_args *args,
                      hr_anomalies **ret)
{
    struct run v = { .c = { .arena = arena }, .args = args };
    hr_status r = prepare(&v);
    size_t i;

    if (r < 0)
        return r;
    v.out->baseline_schema_case = HR_MD_E(ANOMALIES__BASELINE_SCHEMA_BASELINE);
    v.out->baseline = v.c.schema;
    if (!v.set->num_examples) {
        v.out->has_data_missing = v.out->data_missing = 1;
        *ret = v.out;
        return HR_OK;
    }
    v.out->has_anomaly_name_format = 1;
    v.out->anomaly_name_format = HR_MD_E(ANOMALIES__ANOMALY_NAME_FORMAT__SERIALIZED_PATH);
    for (i = 0; i < v.set->n_features && r == HR_OK; i++)
        r = one(&v, v.set->features[i]);
    if (r == HR_OK)
        r = missing(&v);
    if (r == HR_OK)
        r = dataset(&v);
    if (r == HR_OK)
        r = collect(&v);
    if (r == HR_OK && !hr_arena_whole(arena))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        *ret = v.out;
    return r;
}

bool hr_anomalies_none(const hr_anomalies *a)
{
    return !a->n_anomaly_info && !a->dataset_anomaly_info;
}
