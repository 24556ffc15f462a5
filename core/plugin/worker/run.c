/* hr.run/1: channels, properties, and why a hook fails. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plugin/worker/state.h"

/* An absence: an answer that is only told if the hook returns it. */
HR_PRINTF(2, 3)
static hr_status absent(struct hr_worker *w, const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&w->lock);
    va_start(args, format);
    vsnprintf(w->answer, sizeof w->answer, format, args);
    va_end(args);
    pthread_mutex_unlock(&w->lock);
    return HR_NOT_FOUND;
}

struct hr_job_port *hr_worker_port(struct hr_worker *w, const char *key)
{
    size_t i;

    for (i = 0; key && i < w->job.port_count; i++)
        if (!strcmp(w->job.ports[i].key, key))
            return &w->job.ports[i];
    return NULL;
}

struct hr_job_artifact *hr_worker_artifact(struct hr_worker *w, const char *key, uint32_t i)
{
    struct hr_job_port *port = hr_worker_port(w, key);

    return port && i < port->count ? &port->artifacts[i] : NULL;
}

static uint32_t count(const hr_run *run, const char *key)
{
    struct hr_job_port *port = hr_worker_port(run->worker, key);

    return port ? (uint32_t)port->count : 0;
}

/* One more artifact of an output that may hold several: a directory of its own below base. */
static hr_status grow(struct hr_worker *w, struct hr_job_port *port)
{
    size_t cap = port->cap ? port->cap * 2 : 4;
    struct hr_job_artifact *a;
    char name[24];

    if (port->count == port->cap) {
        if (!(a = hr_arena_array(&w->arena, cap, sizeof *a)))
            return HR_EXHAUSTED;
        if (port->count)
            memcpy(a, port->artifacts, port->count * sizeof *a);
        port->artifacts = a;
        port->cap = cap;
    }
    a = &port->artifacts[port->count];
    *a = (struct hr_job_artifact){ 0 };
    hr_num_put_uint(name, port->count);
    if (!(a->uri = hr_arena_format(&w->arena, "%s/%s", port->base, name)))
        return HR_EXHAUSTED;
    if (hr_dir_make(&w->env, a->uri) < 0)
        return HR_UNAVAILABLE;
    port->count++;
    return HR_OK;
}

hr_status hr_worker_path(struct hr_worker *w, const char *key, uint32_t i, const char **ret)
{
    struct hr_job_port *port = hr_worker_port(w, key);
    hr_status r;

    if (!port)
        return absent(w, "there is no channel \"%s\"", key ? key : "(null)");
    if (port->output && w->job.hook == HR_HOOK_DECIDE)
        return hr_fail(&w->env, HR_PRECONDITION, "output \"%s\" has no directory yet", key);
    if (port->output && (port->flags & HR_PORT_MANY) && i == port->count &&
        w->job.hook == HR_HOOK_RUN && (r = grow(w, port)) < 0)
        return r;
    if (i >= port->count)
        return absent(w, "channel \"%s\" holds %zu artifacts, and number %u was asked for", key,
                      port->count, (unsigned)i);
    if (!port->artifacts[i].uri)
        return hr_fail(&w->env, HR_PRECONDITION, "artifact %u of channel \"%s\" has no directory",
                       (unsigned)i, key);
    *ret = port->artifacts[i].uri;
    return HR_OK;
}

static hr_status path(hr_run *run, const char *key, uint32_t i, const char **ret)
{
    return hr_worker_path(run->worker, key, i, ret);
}

/* -- getting --------------------------------------------------------------- */

static bool builtin(const struct hr_job_artifact *a, const char *name,
                    struct hr_property_value *ret)
{
    *ret = (struct hr_property_value){ .name = name, .type = HR_STRING };
    if (!strcmp(name, "__id")) {
        ret->type = HR_INT;
        ret->i = a->id;
    } else if (!strcmp(name, "__uri")) {
        ret->text = a->uri;
    } else if (!strcmp(name, "__type")) {
        ret->text = a->type;
    } else {
        return false;
    }
    return ret->type == HR_INT || ret->text;
}

/* Of the rows that a function has now. */
static bool place_of(const hr_run *run, const char *name, struct hr_property_value *ret)
{
    struct hr_flow_place place;

    if (!run->call || strncmp(name, "__", 2) || !hr_flow_call_place(run->call, &place))
        return false;
    *ret = (struct hr_property_value){ .name = name, .type = HR_STRING };
    if (!strcmp(name, "__row")) {
        ret->type = HR_INT;
        ret->i = place.row;
        return true;
    }
    ret->text = place.split;
    return !strcmp(name, "__split") && place.split;
}

static hr_status get(hr_run *run, const char *key, uint32_t i, const char *name, hr_type type,
                     struct hr_property_value *ret)
{
    struct hr_worker *w = run->worker;
    const struct hr_property_value *v;
    struct hr_job_artifact *a;

    if (!key) {
        v = place_of(run, name, ret) ? ret : hr_values_find(&w->job.set, name);
    } else {
        if (!(a = hr_worker_artifact(w, key, i)))
            return absent(w, "channel \"%s\" has no artifact %u", key, (unsigned)i);
        v = builtin(a, name, ret) ? ret : hr_values_find(&a->set, name);
    }
    if (!v)
        return absent(w, "%s%s%s has no property \"%s\"", key ? "an artifact of \"" : "",
                      key ? key : "the execution", key ? "\"" : "", name);
    if (v->type != type)
        return hr_fail(&w->env, HR_INVALID, "property \"%s\" is of type %s, and %s was asked for",
                       name, hr_type_text(v->type), hr_type_text(type));
    *ret = *v;
    return HR_OK;
}

static hr_status get_int(hr_run *run, const char *key, uint32_t i, const char *name, int64_t *ret)
{
    struct hr_property_value v;
    hr_status r = get(run, key, i, name, HR_INT, &v);

    if (r == HR_OK)
        *ret = v.i;
    return r;
}

static hr_status get_float(hr_run *run, const char *key, uint32_t i, const char *name, double *ret)
{
    struct hr_property_value v;
    hr_status r = get(run, key, i, name, HR_FLOAT, &v);

    if (r == HR_OK)
        *ret = v.d;
    return r;
}

static hr_status get_text(hr_run *run, const char *key, uint32_t i, const char *name,
                          const char **ret)
{
    struct hr_property_value v;
    hr_status r = get(run, key, i, name, HR_STRING, &v);

    if (r == HR_OK)
        *ret = v.text;
    return r;
}

/* -- setting --------------------------------------------------------------- */

static struct hr_job_property *declared(struct hr_worker *w, const char *name)
{
    size_t i;

    for (i = 0; i < w->job.property_count; i++)
        if (!strcmp(w->job.properties[i].info.key, name))
            return &w->job.properties[i];
    return NULL;
}

static hr_type crossing(hr_type type)
{
    if (type == HR_INT || type == HR_BOOL)
        return HR_INT;
    return type == HR_FLOAT ? HR_FLOAT : HR_STRING;
}

static hr_status check_text(struct hr_worker *w, const struct hr_property_info *info,
                            const struct hr_property_value *v)
{
    struct hr_json_doc *doc;

    if (hr_utf8_valid(v->text, strlen(v->text)) < strlen(v->text))
        return hr_fail(&w->env, HR_INVALID, "property \"%s\": the value is not UTF-8", v->name);
    if (!info || info->type != HR_JSON)
        return HR_OK;
    if (hr_json_parse(&w->env, v->name, v->text, strlen(v->text), 0, &doc) < 0)
        return HR_INVALID;
    hr_json_free(doc);
    return HR_OK;
}

/* Against what is declared; info NULL: nothing is. */
static hr_status check(struct hr_worker *w, const struct hr_property_info *info,
                       const struct hr_property_value *v)
{
    char number[HR_NUM_TEXT];
    const char *text = number;

    if (!strncmp(v->name, "__", 2))
        return hr_fail(&w->env, HR_INVALID,
                       "property \"%s\": names that begin with __ are the host's", v->name);
    if (v->type == HR_FLOAT && isnan(v->d))
        return hr_fail(&w->env, HR_INVALID, "property \"%s\": NaN is no value", v->name);
    if (v->type == HR_STRING && check_text(w, info, v) < 0)
        return HR_INVALID;
    if (!info)
        return HR_OK;
    if (crossing(info->type) != v->type)
        return hr_fail(&w->env, HR_INVALID, "property \"%s\" is declared as %s, and is set as %s",
                       v->name, hr_type_text(info->type), hr_type_text(v->type));
    if (info->type == HR_BOOL && v->i != 0 && v->i != 1)
        return hr_fail(&w->env, HR_INVALID, "property \"%s\" is a bool, and %lld is set", v->name,
                       (long long)v->i);
    if (v->type == HR_INT)
        hr_num_put_int(number, v->i);
    else if (v->type == HR_FLOAT)
        hr_num_put_double(number, v->d);
    else
        text = v->text;
    if (!hr_constraint_holds(info->constraint, info->type, text))
        return hr_fail(&w->env, HR_INVALID, "property \"%s\": \"%s\" is not within %s", v->name,
                       text, info->constraint);
    return HR_OK;
}

static hr_status set_of_execution(struct hr_worker *w, struct hr_property_value *v)
{
    struct hr_job_property *p = declared(w, v->name);
    hr_status r = check(w, p ? &p->info : NULL, v);

    if (r == HR_OK)
        r = hr_values_set(&w->job.set, &w->arena, v);
    if (r == HR_OK && p) {
        p->i = v->i;
        p->d = v->type == HR_FLOAT ? v->d : (double)v->i;
        if (v->type == HR_STRING)
            p->text = hr_values_find(&w->job.set, v->name)->text;
    }
    return r;
}

static hr_status set(hr_run *run, const char *key, uint32_t i, struct hr_property_value v)
{
    struct hr_worker *w = run->worker;
    struct hr_job_port *port;
    hr_status r;

    v.fresh = true;
    if (run->role != HR_ROLE_HOOK)
        return hr_fail(&w->env, HR_PRECONDITION, "a function over rows sets no property");
    if (!key)
        return set_of_execution(w, &v);
    port = hr_worker_port(w, key);
    if (port && !port->output)
        return hr_fail(&w->env, HR_INVALID, "\"%s\" is an input; its properties stay", key);
    if (!port || i >= port->count)
        return absent(w, "there is no artifact %u of an output \"%s\"", (unsigned)i, key);
    r = check(w, hr_property_find(port->properties, port->property_count, v.name), &v);
    return r < 0 ? r : hr_values_set(&port->artifacts[i].set, &w->arena, &v);
}

static hr_status set_int(hr_run *run, const char *key, uint32_t i, const char *name, int64_t value)
{
    struct hr_property_value v = { .name = name, .type = HR_INT, .i = value };

    return set(run, key, i, v);
}

static hr_status set_float(hr_run *run, const char *key, uint32_t i, const char *name,
                           double value)
{
    struct hr_property_value v = { .name = name, .type = HR_FLOAT, .d = value };

    return set(run, key, i, v);
}

static hr_status set_text(hr_run *run, const char *key, uint32_t i, const char *name,
                          const char *value)
{
    struct hr_property_value v = { .name = name, .type = HR_STRING, .text = value };

    return set(run, key, i, v);
}

/* split_names is a JSON list of texts; what stands there is kept. */
hr_status hr_worker_add_split(struct hr_worker *w, struct hr_job_artifact *a, const char *split)
{
    struct hr_property_value *old = hr_values_find(&a->set, "split_names");
    struct hr_property_value v = { .name = "split_names", .type = HR_STRING, .fresh = true };
    const char *text = old && old->text ? old->text : "[]";
    struct hr_json_writer writer;
    const struct hr_json *m;
    struct hr_json_doc *doc;
    struct hr_buf to;
    bool there = false;
    hr_status r = hr_json_parse(&w->env, "split_names", text, strlen(text), 0, &doc);

    if (r < 0)
        return r;
    hr_buf_of(&to, HR_MAX_JSON_BYTES, &w->env);
    hr_json_begin(&writer, &to, 0);
    writer.spaced = true;
    hr_json_open_array(&writer);
    for (m = hr_json_first(hr_json_root(doc)); m; m = hr_json_next(m)) {
        there = there || hr_text_eq(hr_json_text(m), split);
        hr_json_put_text(&writer, hr_json_text(m));
    }
    if (!there)
        hr_json_put_text(&writer, split);
    hr_json_close_array(&writer);
    r = hr_json_end(&writer);
    v.text = to.text;
    if (r == HR_OK)
        r = hr_values_set(&a->set, &w->arena, &v);
    hr_buf_clear(&to);
    hr_json_free(doc);
    return r;
}

/* -- declared properties, directories, failing ----------------------------- */

static int64_t prop_int(const hr_run *run, const char *key)
{
    struct hr_job_property *p = declared(run->worker, key);

    return p ? p->i : 0;
}

static double prop_float(const hr_run *run, const char *key)
{
    struct hr_job_property *p = declared(run->worker, key);

    return p ? p->d : 0;
}

static const char *prop_text(const hr_run *run, const char *key)
{
    struct hr_job_property *p = declared(run->worker, key);

    return p && p->text ? p->text : "";
}

static const char *tmp_dir(const hr_run *run)
{
    return run->worker->job.tmp;
}

static const char *state_dir(const hr_run *run)
{
    return run->worker->job.state;
}

static hr_status fail(hr_run *run, hr_status code, const char *text)
{
    if (run->call)
        return hr_flow_call_fail(run->call, code, text);
    return hr_fail(&run->worker->env, code, "%s", text);
}

const hr_run_1 hr_worker_run_table = {
    count,    path,       get_int,   get_float, get_text,  set_int, set_float, set_text,
    prop_int, prop_float, prop_text, tmp_dir,   state_dir, fail,
};
