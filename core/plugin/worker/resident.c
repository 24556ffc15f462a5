#include "plugin/worker/resident.h"

#include <string.h>

#include "plugin/worker/state.h"

struct hr_resident {
    struct hr_worker w;
    struct hr_worker_source source;
    struct hr_job_port port;
    struct hr_job_artifact artifact;
    struct hr_job_model model;
    struct hr_loaded_model *loaded;
};

static void init(struct hr_resident *m, struct hr_env *env)
{
    struct hr_env_config config = { .alloc = env->alloc,
                                    .alloc_user = env->alloc_user,
                                    .os = env->os };

    hr_env_init(&m->w.env, &config);
    hr_arena_init(&m->w.arena, &m->w.env, 0);
    m->w.channel = (struct hr_channel){ &m->w.env, -1, 0 };
    pthread_mutex_init(&m->w.lock, NULL);
    hr_worker_make_hosts(&m->w);
}

/* A job of one input that holds the model, and of one plugin that loads it. */
static hr_status fill(struct hr_resident *m, const struct hr_component_info *component,
                      const char *dir, const char *format)
{
    struct hr_property_value v = { .name = "format", .type = HR_STRING, .text = format };
    struct hr_worker *w = &m->w;

    m->source = (struct hr_worker_source){ .path = hr_arena_text(&w->arena,
                                                                 component->plugin->path),
                                           .linked = component->plugin->linked };
    m->artifact = (struct hr_job_artifact){ .uri = hr_arena_text(&w->arena, dir), .type = "Model" };
    m->port = (struct hr_job_port){ .key = "model", .artifacts = &m->artifact, .count = 1 };
    m->model = (struct hr_job_model){ hr_arena_text(&w->arena, format),
                                      hr_arena_text(&w->arena, component->id), 0 };
    w->job = (struct hr_job){ .ports = &m->port, .port_count = 1, .models = &m->model,
                              .model_count = 1, .tmp = "/tmp", .state = "/tmp" };
    w->sources = &m->source;
    w->source_count = 1;
    w->plugins = hr_arena_array(&w->arena, 1, sizeof *w->plugins);
    if (!m->source.path || !m->artifact.uri || !m->model.format || !w->plugins)
        return HR_EXHAUSTED;
    return hr_values_set(&m->artifact.set, &w->arena, &v);
}

static hr_status load(struct hr_resident *m, const char *signature)
{
    return hr_worker_load_model(&m->w, "model", 0, signature, NULL, &m->loaded);
}

hr_status hr_resident_open(struct hr_env *env, const struct hr_component_info *component,
                           const char *dir, const char *format, const char *signature,
                           struct hr_resident **ret)
{
    struct hr_resident *m = hr_mem_zero(env, sizeof *m);
    hr_status r;

    if (!m)
        return HR_EXHAUSTED;
    init(m, env);
    r = fill(m, component, dir, format);
    if (r == HR_OK)
        r = load(m, signature);
    if (r < 0) {
        hr_fail(env, r, "%s", hr_env_error(&m->w.env));
        hr_resident_close(m);
        return r;
    }
    *ret = m;
    return HR_OK;
}

hr_status hr_resident_borrow(struct hr_env *env, struct hr_resident *of, struct hr_resident **ret)
{
    struct hr_resident *m = hr_mem_zero(env, sizeof *m);

    if (!m)
        return HR_EXHAUSTED;
    init(m, env);
    m->w.job = (struct hr_job){ .tmp = of->w.job.tmp, .state = of->w.job.state };
    m->loaded = of->loaded; /* and not in w.models, which are dropped with it */
    *ret = m;
    return HR_OK;
}

/* Each call has an hr_run of its own: calls on handles of one model may meet. */
static hr_run call_of(struct hr_resident *m)
{
    hr_errors_cut(&m->w.env, 0);
    return (struct hr_run){ .worker = &m->w, .role = HR_ROLE_MODEL };
}

hr_status hr_resident_describe(struct hr_resident *m, struct ArrowSchema *ret_in,
                               struct ArrowSchema *ret_out)
{
    hr_run run = call_of(m);

    return m->loaded->table->describe(m->loaded->model, &run, ret_in, ret_out);
}

hr_status hr_resident_predict(struct hr_resident *m, const struct ArrowArray *in,
                              struct ArrowArray *ret)
{
    hr_run run = call_of(m);

    return m->loaded->table->predict(m->loaded->model, &run, in, ret);
}

const char *hr_resident_error(struct hr_resident *m)
{
    return hr_env_error(&m->w.env);
}

void hr_resident_close(struct hr_resident *m)
{
    struct hr_env env;

    if (!m)
        return;
    hr_worker_drop_models(&m->w);
    pthread_mutex_destroy(&m->w.lock);
    hr_arena_clear(&m->w.arena);
    env = m->w.env;
    hr_env_clear(&env);
    m->w.env.errors = (struct hr_errors){ 0 };
    hr_mem_put(&env, m, sizeof *m);
}
