#include "analysis/files.h"

#include <string.h>

#include "analysis/slices.h"

/* The release of TFMA whose layout this is. */
static const char layout[] = "0.47.1";

static const char metrics_file[] = "metrics-00000-of-00001.tfrecord";

static hr_status open_out(struct hr_env *env, const char *dir, const char *name,
                          struct hr_tfrecord_out **ret)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(env, dir, name, path);

    return r < 0 ? r : hr_tfrecord_create(env, path, false, ret);
}

/* One record for each slice: its metrics, or its key alone. */
static hr_status write_slices(struct hr_env *env, const char *dir, const char *name,
                              const struct hr_evaluation *e, bool whole)
{
    struct hr_tfrecord_out *out;
    struct hr_buf b;
    size_t i;
    hr_status r = open_out(env, dir, name, &out);

    if (r < 0)
        return r;
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    for (i = 0; i < e->n && r == HR_OK; i++) {
        HR_MA(MetricsForSlice) m = *e->slices[i];

        if (!whole)
            m.n_metric_keys_and_values = 0;
        hr_buf_cut(&b, 0);
        r = hr_pb_write(env, &m.base, &b);
        if (r == HR_OK)
            r = hr_tfrecord_add(out, b.text, b.len);
    }
    hr_buf_clear(&b);
    if (r < 0) {
        hr_tfrecord_drop(out);
        return r;
    }
    return hr_tfrecord_end(out);
}

static hr_status write_verdict(struct hr_env *env, const char *dir, const hr_verdict *v)
{
    struct hr_tfrecord_out *out;
    struct hr_buf b;
    hr_status r = open_out(env, dir, "validations.tfrecord", &out);

    if (r < 0)
        return r;
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    r = hr_pb_write(env, &v->base, &b);
    if (r == HR_OK)
        r = hr_tfrecord_add(out, b.text, b.len);
    hr_buf_clear(&b);
    if (r < 0) {
        hr_tfrecord_drop(out);
        return r;
    }
    return hr_tfrecord_end(out);
}

hr_status hr_evaluation_write(struct hr_env *env, const char *dir, const struct hr_evaluation *e,
                              const hr_verdict *verdict)
{
    hr_status r = write_slices(env, dir, metrics_file, e, true);

    if (r == HR_OK)
        r = write_slices(env, dir, "plots-00000-of-00001.tfrecord", e, false);
    if (r == HR_OK)
        r = write_slices(env, dir, "attributions-00000-of-00001.tfrecord", e, false);
    return r < 0 || !verdict ? r : write_verdict(env, dir, verdict);
}

hr_status hr_eval_config_write(struct hr_arena *arena, const char *dir,
                               const hr_eval_config *config, const struct hr_model_place *places,
                               size_t n)
{
    HR_MA(EvalRun) *run = hr_pb_new(arena, &HR_MA_OF(eval_run));
    HR_MA(EvalRun__ModelLocationsEntry) * e;
    char path[HR_MAX_PATH];
    struct hr_json_writer w;
    struct hr_buf b;
    hr_status r;
    size_t i;

    if (!run)
        return HR_EXHAUSTED;
    run->eval_config = (hr_eval_config *)(uintptr_t)config;
    run->version = (char *)(uintptr_t)layout;
    run->data_location = (char *)(uintptr_t) "<user provided PCollection>";
    run->file_format = (char *)(uintptr_t) "<unknown>";
    for (i = 0; i < n; i++) {
        e = HR_PB_ADD(arena, run, model_locations, &HR_MA_OF(eval_run__model_locations_entry));
        if (!e)
            return HR_EXHAUSTED;
        e->key = (char *)(uintptr_t)places[i].name;
        e->value = (char *)(uintptr_t)places[i].path;
    }
    hr_buf_of(&b, HR_MAX_JSON_BYTES, arena->env);
    hr_json_begin(&w, &b, 2);
    hr_pb_json_write(&w, &run->base);
    r = hr_json_end(&w) < 0 || hr_buf_char(&b, '\n') < 0 ? hr_fail_memory(arena->env) : HR_OK;
    if (r == HR_OK)
        r = hr_path_join(arena->env, dir, "eval_config.json", path);
    if (r == HR_OK)
        r = hr_file_put(arena->env, path, b.text, b.len);
    hr_buf_clear(&b);
    return r;
}

/* -- reading ------------------------------------------------------------------------------ */

static hr_status read_slices(struct hr_arena *arena, const char *path, struct hr_evaluation *ret)
{
    HR_MA(MetricsForSlice) * *place;
    struct hr_tfrecords *in;
    ProtobufCMessage *m;
    const uint8_t *bytes;
    size_t n;
    hr_status r = hr_tfrecords_open(arena->env, path, &in);

    if (r < 0)
        return r;
    while ((r = hr_tfrecords_next(in, &bytes, &n)) == HR_OK && bytes) {
        r = hr_pb_read(arena, &HR_MA_OF(metrics_for_slice), path, bytes, n, &m);
        if (r < 0)
            break;
        place = hr_pb_push(arena, (void **)&ret->slices, &ret->n, sizeof *place);
        if (!place) {
            r = HR_EXHAUSTED;
            break;
        }
        *place = (HR_MA(MetricsForSlice) *)m;
    }
    hr_tfrecords_close(in);
    return r;
}

static hr_status read_verdict(struct hr_arena *arena, const char *path, hr_verdict **ret)
{
    struct hr_tfrecords *in;
    ProtobufCMessage *m = NULL;
    const uint8_t *bytes;
    size_t n;
    hr_status r = hr_tfrecords_open(arena->env, path, &in);

    if (r < 0)
        return r;
    r = hr_tfrecords_next(in, &bytes, &n);
    if (r == HR_OK && bytes)
        r = hr_pb_read(arena, &HR_MA_OF(validation_result), path, bytes, n, &m);
    hr_tfrecords_close(in);
    if (r == HR_OK)
        *ret = (hr_verdict *)m;
    return r;
}

hr_status hr_evaluation_open(struct hr_arena *arena, const char *dir, struct hr_evaluation *ret,
                             hr_verdict **ret_verdict)
{
    char path[HR_MAX_PATH];
    struct hr_evaluation e = { NULL, 0 };
    hr_verdict *v = NULL;
    hr_status r = hr_path_join(arena->env, dir, metrics_file, path);

    if (r == HR_OK)
        r = read_slices(arena, path, &e);
    if (r == HR_OK)
        r = hr_path_join(arena->env, dir, "validations.tfrecord", path);
    if (r == HR_OK && hr_file_exists(arena->env, path))
        r = read_verdict(arena, path, &v);
    if (r < 0)
        return r;
    *ret = e;
    *ret_verdict = v;
    return HR_OK;
}

/* -- JSON ----------------------------------------------------------------------------------- */

static void put_key(struct hr_json_writer *w, const HR_MA(MetricKey) * k)
{
    static const char *const averages[] = { "", "micro", "macro", "weighted_macro" };

    hr_json_put_member_text(w, "name", k->name ? k->name : "");
    if (k->model_name && *k->model_name)
        hr_json_put_member_text(w, "model", k->model_name);
    if (k->sub_key && k->sub_key->class_id)
        hr_json_put_member_int(w, "class", k->sub_key->class_id->value);
    if (k->sub_key && k->sub_key->k)
        hr_json_put_member_int(w, "k", k->sub_key->k->value);
    if (k->sub_key && k->sub_key->top_k)
        hr_json_put_member_int(w, "top_k", k->sub_key->top_k->value);
    if (k->aggregation_type && k->aggregation_type->type_case <= 3)
        hr_json_put_member_text(w, "average", averages[k->aggregation_type->type_case]);
    if (k->example_weighted && k->example_weighted->value)
        hr_json_put_member_bool(w, "weighted", true);
    if (k->is_diff)
        hr_json_put_member_bool(w, "diff", true);
}

static hr_status put_slice(struct hr_json_writer *w, struct hr_env *env,
                           const HR_MA(MetricsForSlice) * s)
{
    hr_status r = HR_OK;
    struct hr_buf b;
    size_t i;

    hr_buf_of(&b, HR_MAX_VALUE_BYTES, env);
    hr_json_open_object(w);
    if (s->slicing_spec_oneof_case == HR_MA_E(METRICS_FOR_SLICE__SLICING_SPEC_ONEOF_SLICE_KEY))
        r = hr_slice_text(s->slice_key, &b);
    hr_json_put_member_text(w, "slice", b.text);
    hr_json_put_key(w, "metrics");
    hr_json_open_array(w);
    for (i = 0; i < s->n_metric_keys_and_values; i++) {
        const HR_MA(MetricsForSlice__MetricKeyAndValue) *p = s->metric_keys_and_values[i];

        if (!p->key || !p->value)
            continue;
        hr_json_open_object(w);
        put_key(w, p->key);
        hr_json_put_key(w, "value");
        if (p->value->type_case == HR_MA_E(METRIC_VALUE__TYPE_DOUBLE_VALUE))
            hr_json_put_double(w, p->value->double_value->value);
        else
            hr_pb_json_write(w, &p->value->base);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
    hr_json_close_object(w);
    hr_buf_clear(&b);
    return r < 0 ? hr_fail_memory(env) : HR_OK;
}

static hr_status put_reasons(struct hr_json_writer *w, struct hr_env *env, const hr_verdict *v)
{
    struct hr_buf b;
    const char *p;
    hr_status r;
    size_t n;

    hr_json_put_member_bool(w, "ok", v->validation_ok != 0);
    hr_json_put_member_bool(w, "missing_thresholds", v->missing_thresholds != 0);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    r = hr_verdict_reasons(env, v, &b);
    hr_json_put_key(w, "reasons");
    hr_json_open_array(w);
    for (p = b.text; *p; p += n + 1) {
        n = strcspn(p, "\n");
        hr_json_put_bytes(w, p, n);
        if (!p[n])
            break;
    }
    hr_json_close_array(w);
    hr_buf_clear(&b);
    return r;
}

hr_status hr_evaluation_json(struct hr_env *env, const char *dir, struct hr_buf *to)
{
    struct hr_evaluation e = { NULL, 0 };
    hr_verdict *v = NULL;
    struct hr_json_writer w;
    struct hr_arena arena;
    size_t len = to->len, i;
    hr_status r;

    hr_arena_init(&arena, env, 0);
    r = hr_evaluation_open(&arena, dir, &e, &v);
    if (r == HR_OK) {
        hr_json_begin(&w, to, 0);
        hr_json_open_object(&w);
        if (v)
            r = put_reasons(&w, env, v);
        hr_json_put_key(&w, "slices");
        hr_json_open_array(&w);
        for (i = 0; i < e.n && r == HR_OK; i++)
            r = put_slice(&w, env, e.slices[i]);
        hr_json_close_array(&w);
        hr_json_close_object(&w);
        if (hr_json_end(&w) < 0 && r == HR_OK)
            r = hr_fail_memory(env);
    }
    hr_arena_clear(&arena);
    if (r < 0)
        hr_buf_cut(to, len);
    return r;
}
