#include "plugin/worker/job.h"

#include <string.h>

#include "plugin/take.h"

static struct hr_property_info property(struct hr_taker *rd, const struct hr_json *m)
{
    struct hr_property_info info = { .type = (hr_type)hr_take_int(rd, m, "type"),
                                     .key = hr_take_text(rd, m, "key"),
                                     .constraint = hr_take_text(rd, m, "constraint") };

    if (!info.key)
        rd->status = HR_INVALID;
    return info;
}

static void read_port(struct hr_taker *rd, const struct hr_json *m, bool output,
                      struct hr_job_port *port)
{
    const struct hr_json *list = hr_json_get(m, "artifacts"), *a;
    size_t i = 0;

    *port = (struct hr_job_port){ .key = hr_take_text(rd, m, "key"),
                                  .output = output,
                                  .flags = (uint32_t)hr_take_int(rd, m, "flags"),
                                  .base = hr_take_text(rd, m, "base") };
    port->artifacts = hr_take_array(rd, list, sizeof *port->artifacts, &port->count);
    port->cap = port->count;
    for (a = port->count ? hr_json_first(list) : NULL; a; a = hr_json_next(a), i++) {
        port->artifacts[i] = (struct hr_job_artifact){ .uri = hr_take_text(rd, a, "uri"),
                                                       .type = hr_take_text(rd, a, "type"),
                                                       .id = hr_take_int(rd, a, "id") };
        if (hr_values_read(&port->artifacts[i].set, rd->arena, rd->doc, hr_json_get(a, "set")) < 0)
            rd->status = HR_INVALID;
    }
    list = hr_json_get(m, "properties");
    port->properties = hr_take_array(rd, list, sizeof *port->properties, &port->property_count);
    for (i = 0, a = port->property_count ? hr_json_first(list) : NULL; a; a = hr_json_next(a))
        port->properties[i++] = property(rd, a);
    if (!port->key)
        rd->status = HR_INVALID;
}

static void read_ports(struct hr_taker *rd, const struct hr_json *root, struct hr_job *job)
{
    const struct hr_json *ins = hr_json_get(root, "inputs"), *outs = hr_json_get(root, "outputs");
    size_t n = (ins ? hr_json_count(ins) : 0) + (outs ? hr_json_count(outs) : 0);
    const struct hr_json *m;

    job->ports = hr_arena_array(rd->arena, n + 1, sizeof *job->ports);
    if (!job->ports) {
        rd->status = HR_EXHAUSTED;
        return;
    }
    for (m = ins ? hr_json_first(ins) : NULL; m; m = hr_json_next(m))
        read_port(rd, m, false, &job->ports[job->port_count++]);
    for (m = outs ? hr_json_first(outs) : NULL; m; m = hr_json_next(m))
        read_port(rd, m, true, &job->ports[job->port_count++]);
}

static void read_properties(struct hr_taker *rd, const struct hr_json *list, struct hr_job *job)
{
    const struct hr_json *m, *v;
    size_t i = 0;

    job->properties = hr_take_array(rd, list, sizeof *job->properties, &job->property_count);
    for (m = job->property_count ? hr_json_first(list) : NULL; m; m = hr_json_next(m), i++) {
        struct hr_job_property *p = &job->properties[i];

        *p = (struct hr_job_property){ .info = property(rd, m), .text = "" };
        v = hr_json_get(m, "value");
        hr_json_int(rd->doc, v, &p->i);
        hr_json_double(rd->doc, v, &p->d);
        if (v && hr_json_kind(v) == HR_JSON_BOOL)
            p->i = hr_json_bool(v);
        if (v && hr_json_text(v))
            p->text = hr_arena_text(rd->arena, hr_json_text(v));
    }
}

static void read_models(struct hr_taker *rd, const struct hr_json *list, struct hr_job *job)
{
    const struct hr_json *m;
    size_t i = 0;

    job->models = hr_take_array(rd, list, sizeof *job->models, &job->model_count);
    for (m = job->model_count ? hr_json_first(list) : NULL; m; m = hr_json_next(m))
        job->models[i++] = (struct hr_job_model){ .format = hr_take_text(rd, m, "format"),
                                                  .component = hr_take_text(rd, m, "component"),
                                                  .plugin = (size_t)hr_take_int(rd, m, "plugin") };
}

static enum hr_hook hook_of(const char *name)
{
    if (hr_text_eq(name, "decide"))
        return HR_HOOK_DECIDE;
    if (hr_text_eq(name, "publish"))
        return HR_HOOK_PUBLISH;
    return hr_text_eq(name, "manifest") ? HR_HOOK_MANIFEST : HR_HOOK_RUN;
}

hr_status hr_job_read(struct hr_env *env, struct hr_arena *arena, const char *source, size_t n,
                      struct hr_job *ret)
{
    struct hr_taker rd = { env, arena, NULL, HR_OK };
    struct hr_job job = { 0 };
    const struct hr_json *root, *walls;
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(env, "job", source, n, 0, &doc);

    if (r < 0)
        return r;
    rd.doc = doc;
    root = hr_json_root(doc);
    job.hook = hook_of(hr_json_text(hr_json_get(root, "hook")));
    job.component = hr_take_text(&rd, root, "component");
    job.executed = (hr_status)hr_take_int(&rd, root, "executed");
    job.tmp = hr_take_text(&rd, root, "tmp");
    job.state = hr_take_text(&rd, root, "state");
    job.check = hr_json_bool(hr_json_get(root, "check"));
    read_ports(&rd, root, &job);
    read_properties(&rd, hr_json_get(root, "properties"), &job);
    read_models(&rd, hr_json_get(root, "models"), &job);
    if (hr_values_read(&job.set, arena, doc, hr_json_get(root, "set")) < 0)
        rd.status = HR_INVALID;
    walls = hr_json_get(root, "walls");
    job.walls.required = hr_json_bool(hr_json_get(walls, "required"));
    job.walls.network = hr_json_bool(hr_json_get(walls, "network"));
    job.walls.process = hr_json_bool(hr_json_get(walls, "process"));
    job.walls.memory = hr_take_int(&rd, walls, "memory");
    job.walls.read = hr_take_texts(&rd, hr_json_get(walls, "read"));
    job.walls.write = hr_take_texts(&rd, hr_json_get(walls, "write"));
    hr_json_free(doc);
    if (rd.status == HR_OK && job.hook != HR_HOOK_MANIFEST &&
        (!job.component || !job.tmp || !job.state))
        rd.status = HR_INVALID;
    if (rd.status < 0)
        return hr_fail(env, rd.status, "the job that the host has sent cannot be read");
    *ret = job;
    return HR_OK;
}
