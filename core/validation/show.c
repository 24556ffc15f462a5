#include "validation/show.h"

#include <string.h>

#include "validation/engine.h"

/* A text that may be cut short where it is not UTF-8. */
static void put_label(struct hr_json_writer *w, const ProtobufCBinaryData *b)
{
    const char *text = b->data ? (const char *)b->data : "";

    hr_json_put_bytes(w, text, hr_utf8_valid(text, b->len));
}

static void put_enum(struct hr_json_writer *w, const char *key, const ProtobufCEnumDescriptor *d,
                     int v)
{
    const ProtobufCEnumValue *e = protobuf_c_enum_descriptor_get_value(d, v);

    hr_json_put_member_text(w, key, e ? e->name : "UNKNOWN");
}

static void put_list(struct hr_json_writer *w, const char *key, char *const *list, size_t n)
{
    size_t i;

    if (!n)
        return;
    hr_json_put_key(w, key);
    hr_json_open_array(w);
    for (i = 0; i < n; i++)
        hr_json_put_text(w, list[i]);
    hr_json_close_array(w);
}

/* -- statistics ------------------------------------------------------------------------ */

static void put_histograms(struct hr_json_writer *w, const struct hr_view *v)
{
    const HR_MD(Histogram) *h = hr_view_histogram(v, HR_MD_E(HISTOGRAM__HISTOGRAM_TYPE__STANDARD));
    const HR_MD(Histogram) *q = hr_view_histogram(v, HR_MD_E(HISTOGRAM__HISTOGRAM_TYPE__QUANTILES));
    size_t i;

    if (h) {
        hr_json_put_key(w, "histogram");
        hr_json_open_array(w);
        for (i = 0; i < h->n_buckets; i++) {
            hr_json_open_array(w);
            hr_json_put_double(w, h->buckets[i]->low_value);
            hr_json_put_double(w, h->buckets[i]->high_value);
            hr_json_put_double(w, h->buckets[i]->sample_count);
            hr_json_close_array(w);
        }
        hr_json_close_array(w);
    }
    if (!q || !q->n_buckets)
        return;
    hr_json_put_key(w, "quantiles");
    hr_json_open_array(w);
    hr_json_put_double(w, q->buckets[0]->low_value);
    for (i = 0; i < q->n_buckets; i++)
        hr_json_put_double(w, q->buckets[i]->high_value);
    hr_json_close_array(w);
}

static void put_numbers(struct hr_json_writer *w, const struct hr_view *v)
{
    const HR_MD(NumericStatistics) *s = hr_view_numbers(v);

    if (!s || !s->n_histograms)
        return;
    hr_json_put_member_double(w, "mean", s->mean);
    hr_json_put_member_double(w, "std_dev", s->std_dev);
    hr_json_put_member_double(w, "min", s->min);
    hr_json_put_member_double(w, "median", s->median);
    hr_json_put_member_double(w, "max", s->max);
    hr_json_put_member_int(w, "zeros", (int64_t)s->num_zeros);
    hr_json_put_member_int(w, "nan", (int64_t)hr_view_nan(v));
    put_histograms(w, v);
}

static void put_texts(struct hr_json_writer *w, const struct hr_view *v)
{
    const HR_MD(StringStatistics) *s = hr_view_strings(v);
    size_t i;

    if (!s || !v->common->tot_num_values)
        return;
    hr_json_put_member_int(w, "unique", (int64_t)s->unique);
    hr_json_put_member_double(w, "avg_length", (double)s->avg_length);
    hr_json_put_member_int(w, "not_utf8", (int64_t)s->invalid_utf8_count);
    hr_json_put_key(w, "top");
    hr_json_open_array(w);
    for (i = 0; i < s->n_top_values; i++) {
        hr_json_open_array(w);
        put_label(w, &s->top_values[i]->value);
        hr_json_put_double(w, s->top_values[i]->frequency);
        hr_json_close_array(w);
    }
    hr_json_close_array(w);
}

static void put_feature(struct hr_json_writer *w, struct hr_arena *arena, const struct hr_view *v)
{
    const HR_MD(CommonStatistics) *c = v->common;
    const HR_MD(BytesStatistics) *b =
        v->f->stats_case == HR_MD_E(FEATURE_NAME_STATISTICS__STATS_BYTES_STATS) ? v->f->bytes_stats
                                                                                : NULL;
    const char *path = hr_path_text(arena, v->f);

    hr_json_open_object(w);
    hr_json_put_member_text(w, "name", path ? path : "");
    put_enum(w, "type", &HR_MD_OF(feature_name_statistics__type), (int)v->f->type);
    hr_json_put_member_int(w, "present", (int64_t)c->num_non_missing);
    hr_json_put_member_int(w, "missing", (int64_t)c->num_missing);
    if (c->num_non_missing) {
        hr_json_put_member_int(w, "values", (int64_t)c->tot_num_values);
        hr_json_put_member_int(w, "min_values", (int64_t)c->min_num_values);
        hr_json_put_member_int(w, "max_values", (int64_t)c->max_num_values);
        hr_json_put_member_double(w, "avg_values", (double)c->avg_num_values);
    }
    put_numbers(w, v);
    put_texts(w, v);
    if (b) {
        hr_json_put_member_double(w, "avg_bytes", (double)b->avg_num_bytes);
        hr_json_put_member_double(w, "min_bytes", (double)b->min_num_bytes);
        hr_json_put_member_double(w, "max_bytes", (double)b->max_num_bytes);
    }
    hr_json_close_object(w);
}

/* -- splits ---------------------------------------------------------------------------- */

struct split {
    struct hr_env *env;
    struct hr_arena *arena;
    struct hr_json_writer *w;
    const char *name, *path;
};

static hr_status load(const struct split *s, const ProtobufCMessageDescriptor *type,
                      ProtobufCMessage **ret)
{
    struct hr_buf b;
    hr_status r;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, s->env);
    r = hr_file_read(s->env, s->path, HR_MAX_FILE_BYTES, &b);
    if (r == HR_OK)
        r = hr_pb_read(s->arena, type, s->path, b.text, b.len, ret);
    hr_buf_clear(&b);
    return r;
}

hr_status hr_statistics_load(struct hr_arena *arena, const char *path, hr_statistics **ret)
{
    struct split s = { arena->env, arena, NULL, NULL, path };
    ProtobufCMessage *m = NULL;
    hr_status r = load(&s, &HR_MD_OF(dataset_feature_statistics_list), &m);

    if (r == HR_OK)
        *ret = (hr_statistics *)m;
    return r;
}

static hr_status statistics_split(const struct split *s)
{
    const hr_dataset *set;
    hr_statistics *list = NULL;
    struct hr_view v;
    hr_status r = hr_statistics_load(s->arena, s->path, &list);
    size_t i;

    if (r < 0)
        return r;
    set = hr_view_dataset(s->env, list);
    if (!set)
        return HR_INVALID;
    hr_json_put_member_int(s->w, "examples", (int64_t)set->num_examples);
    hr_json_put_key(s->w, "features");
    hr_json_open_array(s->w);
    for (i = 0; i < set->n_features; i++)
        if (hr_view_of(set, set->features[i], &v))
            put_feature(s->w, s->arena, &v);
    hr_json_close_array(s->w);
    return HR_OK;
}

/* Each Split-NAME of dir that holds file, in byte order. */
static hr_status each_split(struct hr_env *env, const char *dir, const char *file,
                            hr_status (*one)(const struct split *s), struct hr_buf *to)
{
    static const char prefix[] = "Split-";
    char split[HR_MAX_PATH], path[HR_MAX_PATH];
    struct hr_names names = { 0 };
    size_t len = to->len, i, n = 0;
    struct hr_json_writer w;
    hr_status r = hr_dir_list(env, dir, &names);

    hr_json_begin(&w, to, 0);
    hr_json_open_object(&w);
    hr_json_put_key(&w, "splits");
    hr_json_open_array(&w);
    for (i = 0; i < names.count && r == HR_OK; i++) {
        struct hr_arena arena;
        struct split s = { env, &arena, &w, names.names[i] + sizeof prefix - 1, path };

        if (!hr_text_starts(names.names[i], prefix))
            continue;
        r = hr_path_join(env, dir, names.names[i], split);
        if (r == HR_OK)
            r = hr_path_join(env, split, file, path);
        if (r < 0 || !hr_file_exists(env, path))
            continue;
        hr_arena_init(&arena, env, 0);
        hr_json_open_object(&w);
        hr_json_put_member_text(&w, "split", s.name);
        r = one(&s);
        hr_json_close_object(&w);
        hr_arena_clear(&arena);
        n++;
    }
    hr_json_close_array(&w);
    hr_json_close_object(&w);
    hr_names_clear(env, &names);
    if (r == HR_OK && !n)
        r = hr_fail(env, HR_NOT_FOUND, "\"%s\" has no Split-NAME/%s", dir, file);
    if (r == HR_OK && hr_json_end(&w) < 0)
        r = hr_fail_memory(env);
    if (r < 0)
        hr_buf_cut(to, len);
    return r;
}

hr_status hr_statistics_json(struct hr_env *env, const char *dir, struct hr_buf *to)
{
    return each_split(env, dir, "FeatureStats.pb", statistics_split, to);
}

/* -- anomalies --------------------------------------------------------------------------- */

static void put_anomaly(struct hr_json_writer *w, const char *feature, const hr_anomaly *a)
{
    size_t i;

    hr_json_open_object(w);
    if (feature)
        hr_json_put_member_text(w, "feature", feature);
    put_enum(w, "severity", &HR_MD_OF(anomaly_info__severity), (int)a->severity);
    hr_json_put_member_text(w, "short", a->short_description);
    hr_json_put_member_text(w, "long", a->description);
    hr_json_put_key(w, "reasons");
    hr_json_open_array(w);
    for (i = 0; i < a->n_reason; i++) {
        hr_json_open_object(w);
        put_enum(w, "type", &HR_MD_OF(anomaly_info__type), (int)a->reason[i]->type);
        hr_json_put_member_text(w, "short", a->reason[i]->short_description);
        hr_json_put_member_text(w, "long", a->reason[i]->description);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
    hr_json_close_object(w);
}

static void put_measure(struct hr_json_writer *w, struct hr_slice feature, const char *kind,
                        const HR_MD(DriftSkewInfo__Measurement) * m)
{
    hr_json_open_object(w);
    hr_json_put_key(w, "feature");
    hr_json_put_bytes(w, feature.text, hr_utf8_valid(feature.text, feature.len));
    hr_json_put_member_text(w, "kind", kind);
    put_enum(w, "measure", &HR_MD_OF(drift_skew_info__measurement__type), (int)m->type);
    hr_json_put_member_double(w, "value", m->value);
    hr_json_put_member_double(w, "threshold", m->threshold);
    hr_json_close_object(w);
}

static void put_drift(struct hr_json_writer *w, const hr_anomalies *a)
{
    size_t i, k;

    if (!a->n_drift_skew_info)
        return;
    hr_json_put_key(w, "drift");
    hr_json_open_array(w);
    for (i = 0; i < a->n_drift_skew_info; i++) {
        const HR_MD(DriftSkewInfo) *d = a->drift_skew_info[i];
        struct hr_slice name = { "", 0 };

        if (d->path && d->path->n_step)
            name = hr_slice((const char *)d->path->step[d->path->n_step - 1].data,
                            d->path->step[d->path->n_step - 1].len);
        for (k = 0; k < d->n_drift_measurements; k++)
            put_measure(w, name, "drift", d->drift_measurements[k]);
        for (k = 0; k < d->n_skew_measurements; k++)
            put_measure(w, name, "skew", d->skew_measurements[k]);
    }
    hr_json_close_array(w);
}

static hr_status anomalies_split(const struct split *s)
{
    ProtobufCMessage *m = NULL;
    hr_status r = load(s, &HR_MD_OF(anomalies), &m);
    const hr_anomalies *a = (const hr_anomalies *)m;
    size_t i;

    if (r < 0)
        return r;
    hr_json_put_member_bool(s->w, "data_missing", a->data_missing != 0);
    hr_json_put_key(s->w, "anomalies");
    hr_json_open_array(s->w);
    for (i = 0; i < a->n_anomaly_info; i++)
        if (a->anomaly_info[i]->value)
            put_anomaly(s->w, a->anomaly_info[i]->key, a->anomaly_info[i]->value);
    hr_json_close_array(s->w);
    if (a->dataset_anomaly_info) {
        hr_json_put_key(s->w, "dataset");
        put_anomaly(s->w, NULL, a->dataset_anomaly_info);
    }
    put_drift(s->w, a);
    return HR_OK;
}

hr_status hr_anomalies_json(struct hr_env *env, const char *dir, struct hr_buf *to)
{
    return each_split(env, dir, "SchemaDiff.pb", anomalies_split, to);
}

/* -- schemas ------------------------------------------------------------------------------- */

static void put_values(struct hr_json_writer *w, const HR_MD(StringDomain) * d)
{
    size_t i;

    hr_json_put_key(w, "values");
    hr_json_open_array(w);
    for (i = 0; i < d->n_value; i++)
        put_label(w, &d->value[i]);
    hr_json_close_array(w);
}

static void put_bool_domain(struct hr_json_writer *w, const HR_MD(BoolDomain) * d)
{
    if (d->has_true_value) {
        hr_json_put_key(w, "true");
        put_label(w, &d->true_value);
    }
    if (d->has_false_value) {
        hr_json_put_key(w, "false");
        put_label(w, &d->false_value);
    }
}

static const HR_MD(StringDomain) * domain_of(const hr_schema *s, const char *name)
{
    size_t i;

    for (i = 0; i < s->n_string_domain; i++)
        if (hr_text_eq(s->string_domain[i]->name, name))
            return s->string_domain[i];
    return NULL;
}

/* What a domain of a kind says beside its kind. */
static void put_domain_of(struct hr_json_writer *w, const hr_schema *s, const hr_feature *f)
{
    const HR_MD(StringDomain) *d = NULL;

    switch (f->domain_info_case) {
    case HR_DOMAIN(DOMAIN):
        hr_json_put_member_text(w, "name", f->domain);
        d = domain_of(s, f->domain);
        break;
    case HR_DOMAIN(STRING_DOMAIN):
        d = f->string_domain;
        break;
    case HR_DOMAIN(BOOL_DOMAIN):
        put_bool_domain(w, f->bool_domain);
        break;
    case HR_DOMAIN(INT_DOMAIN):
        if (f->int_domain->has_min)
            hr_json_put_member_int(w, "min", f->int_domain->min);
        if (f->int_domain->has_max)
            hr_json_put_member_int(w, "max", f->int_domain->max);
        hr_json_put_member_bool(w, "categorical", f->int_domain->is_categorical != 0);
        break;
    case HR_DOMAIN(FLOAT_DOMAIN):
        if (f->float_domain->has_min)
            hr_json_put_member_double(w, "min", (double)f->float_domain->min);
        if (f->float_domain->has_max)
            hr_json_put_member_double(w, "max", (double)f->float_domain->max);
        hr_json_put_member_bool(w, "categorical", f->float_domain->is_categorical != 0);
        break;
    default:
        break;
    }
    if (d)
        put_values(w, d);
}

static void put_domain(struct hr_json_writer *w, const hr_schema *s, const hr_feature *f)
{
    const ProtobufCFieldDescriptor *d =
        protobuf_c_message_descriptor_get_field(&HR_MD_OF(feature), f->domain_info_case);
    char kind[64];
    size_t n;

    if (!d)
        return;
    n = strlen(d->name);
    if (f->domain_info_case == HR_DOMAIN(DOMAIN))
        n = 0;
    else if (hr_text_ends(d->name, "_domain"))
        n -= strlen("_domain");
    memcpy(kind, n ? d->name : "string", n ? n : 6);
    kind[n ? n : 6] = '\0';
    hr_json_put_key(w, "domain");
    hr_json_open_object(w);
    hr_json_put_member_text(w, "kind", kind);
    put_domain_of(w, s, f);
    hr_json_close_object(w);
}

static void put_shape(struct hr_json_writer *w, const hr_feature *f)
{
    size_t i;

    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_SHAPE)) {
        hr_json_put_key(w, "shape");
        hr_json_open_array(w);
        for (i = 0; i < f->shape->n_dim; i++)
            hr_json_put_int(w, f->shape->dim[i]->size);
        hr_json_close_array(w);
    }
    if (f->shape_type_case == HR_MD_E(FEATURE__SHAPE_TYPE_VALUE_COUNT)) {
        if (f->value_count->has_min)
            hr_json_put_member_int(w, "min_values", f->value_count->min);
        if (f->value_count->has_max)
            hr_json_put_member_int(w, "max_values", f->value_count->max);
    }
}

static void put_schema_feature(struct hr_json_writer *w, const hr_schema *s, const hr_feature *f)
{
    hr_json_open_object(w);
    hr_json_put_member_text(w, "name", f->name ? f->name : "");
    put_enum(w, "type", &HR_MD_OF(feature_type), (int)f->type);
    hr_json_put_member_bool(w, "required", hr_feature_required(s, f, NULL));
    if (f->presence_constraints_case == HR_MD_E(FEATURE__PRESENCE_CONSTRAINTS_PRESENCE)) {
        if (f->presence->has_min_fraction)
            hr_json_put_member_double(w, "min_fraction", f->presence->min_fraction);
        if (f->presence->has_min_count)
            hr_json_put_member_int(w, "min_count", f->presence->min_count);
    }
    put_shape(w, f);
    put_domain(w, s, f);
    if (f->has_lifecycle_stage)
        put_enum(w, "stage", &HR_MD_OF(lifecycle_stage), (int)f->lifecycle_stage);
    put_list(w, "in_environment", f->in_environment, f->n_in_environment);
    put_list(w, "not_in_environment", f->not_in_environment, f->n_not_in_environment);
    hr_json_close_object(w);
}

static hr_status put_schema(struct hr_env *env, const hr_schema *s, struct hr_buf *to)
{
    struct hr_json_writer w;
    size_t i, len = to->len;

    hr_json_begin(&w, to, 0);
    hr_json_open_object(&w);
    hr_json_put_key(&w, "features");
    hr_json_open_array(&w);
    for (i = 0; i < s->n_feature; i++)
        put_schema_feature(&w, s, s->feature[i]);
    hr_json_close_array(&w);
    put_list(&w, "environments", s->default_environment, s->n_default_environment);
    hr_json_close_object(&w);
    if (hr_json_end(&w) == HR_OK)
        return HR_OK;
    hr_buf_cut(to, len);
    return hr_fail_memory(env);
}

hr_status hr_schema_json(struct hr_env *env, const char *dir, struct hr_buf *to)
{
    char path[HR_MAX_PATH];
    struct hr_arena arena;
    struct hr_buf b;
    hr_schema *s = NULL;
    hr_status r;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    hr_arena_init(&arena, env, 0);
    r = hr_path_join(env, dir, "schema.pbtxt", path);
    if (r == HR_OK)
        r = hr_file_read(env, path, HR_MAX_FILE_BYTES, &b);
    if (r == HR_OK)
        r = hr_schema_read(&arena, path, b.text, b.len, &s);
    if (r == HR_OK)
        r = put_schema(env, s, to);
    hr_arena_clear(&arena);
    hr_buf_clear(&b);
    return r;
}
