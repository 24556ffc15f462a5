/* hr.models/1: models of inputs, by the plugin that knows their format. */
#include <string.h>

#include "plugin/worker/state.h"

static const hr_component *component_of(const hr_plugin *plugin, const char *id)
{
    const hr_component *const *c;

    for (c = plugin->components; c && *c; c++)
        if (!strcmp((*c)->id, id))
            return *c;
    return NULL;
}

static hr_status table_of(struct hr_worker *w, const char *format, const hr_model_1 **ret)
{
    const hr_component *c;
    const hr_plugin *plugin;
    hr_status r;
    size_t i;

    for (i = 0; i < w->job.model_count; i++) {
        if (!hr_text_eq(w->job.models[i].format, format))
            continue;
        if ((r = hr_worker_load(w, w->job.models[i].plugin, &plugin)) < 0)
            return r;
        c = component_of(plugin, w->job.models[i].component);
        *ret = c ? hr_worker_offer(c, HR_MODEL) : NULL;
        return *ret ? HR_OK
                    : hr_fail(&w->env, HR_INTERNAL, "\"%s\" offers no hr.model/1",
                              w->job.models[i].component);
    }
    return hr_fail(&w->env, HR_NOT_FOUND, "no plugin that loads models of format \"%s\" was given",
                   format);
}

hr_status hr_worker_load_model(struct hr_worker *w, const char *key, uint32_t i,
                               const char *signature, const struct ArrowSchema *in,
                               struct hr_loaded_model **ret)
{
    struct hr_job_artifact *a = hr_worker_artifact(w, key, i);
    struct hr_property_value *format = a ? hr_values_find(&a->set, "format") : NULL;
    struct hr_loaded_model *m;
    hr_model_args args;
    hr_run *run;
    hr_status r;

    if (!a)
        return hr_fail(&w->env, HR_NOT_FOUND, "channel \"%s\" holds no model %u", key, (unsigned)i);
    if (!format || !format->text)
        return hr_fail(&w->env, HR_INVALID,
                       "the model \"%s\" has no property \"format\", so nobody knows who loads it",
                       a->uri);
    m = hr_mem_zero(&w->env, sizeof *m + sizeof *run);
    if (!m)
        return HR_EXHAUSTED;
    run = (hr_run *)(void *)(m + 1);
    *run = (struct hr_run){ .worker = w, .role = HR_ROLE_MODEL };
    args = (hr_model_args){ .struct_size = sizeof args,
                            .threads = 1,
                            .dir = a->uri,
                            .format = format->text,
                            .signature = signature,
                            .in = in };
    r = table_of(w, format->text, &m->table);
    if (r == HR_OK)
        r = m->table->load(&w->hosts[HR_ROLE_MODEL].host, run, &args, &m->model);
    if (r < 0) {
        hr_mem_put(&w->env, m, sizeof *m + sizeof *run);
        return hr_fail(&w->env, r, "cannot load the model in \"%s\"", a->uri);
    }
    pthread_mutex_lock(&w->lock);
    m->next = w->models;
    w->models = m;
    pthread_mutex_unlock(&w->lock);
    *ret = m;
    return HR_OK;
}

void hr_worker_drop_models(struct hr_worker *w)
{
    while (w->models) {
        struct hr_loaded_model *m = w->models;

        w->models = m->next;
        m->table->drop(m->model);
        hr_mem_put(&w->env, m, sizeof *m + sizeof(hr_run));
    }
}

static hr_status load(hr_run *run, const char *key, uint32_t i, const char *signature,
                      const struct ArrowSchema *in, const hr_model_1 **ret, const void **ret_model)
{
    struct hr_loaded_model *m = NULL;
    hr_status r = hr_worker_load_model(run->worker, key, i, signature, in, &m);

    if (r < 0)
        return run->call ? hr_flow_call_fail(run->call, r, "cannot load a model") : r;
    *ret = m->table;
    *ret_model = m->model;
    return HR_OK;
}

const hr_models_1 hr_worker_models_table = { load };
