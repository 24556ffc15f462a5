/* get_interface(), hr.log/1, hr.progress/1, hr.emit/1. */
#include <string.h>

#include "plugin/worker/state.h"

static void log_line(hr_run *run, hr_level level, const char *text)
{
    hr_channel_log(&run->worker->channel, level, text);
}

const hr_log_1 hr_worker_log_table = { log_line };

static void report(hr_run *run, double done, double total, const char *unit)
{
    hr_channel_progress(&run->worker->channel, done, total, unit);
}

static int32_t cancelled(const hr_run *run)
{
    return hr_cancelled(&run->worker->env);
}

const hr_progress_1 hr_worker_progress_table = { report, cancelled };

static hr_status emit(hr_run *run, uint32_t k, struct ArrowArray *batch)
{
    if (run->call)
        return hr_flow_emit(run->call, k, batch);
    batch->release(batch);
    return hr_fail(&run->worker->env, HR_PRECONDITION, "only a function over rows emits batches");
}

const hr_emit_1 hr_worker_emit_table = { emit };

static const void *find(struct hr_worker *w, const char *id)
{
    const struct {
        const char *id;
        const void *table;
    } rows[] = {
        { HR_RUN, &hr_worker_run_table },           { HR_LOG, &hr_worker_log_table },
        { HR_PROGRESS, &hr_worker_progress_table }, { HR_TABLE, &hr_worker_table_table },
        { HR_FLOW, &w->flow_table },                { HR_MODELS, &hr_worker_models_table },
        { HR_EMIT, &hr_worker_emit_table },
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i].id, id))
            return rows[i].table;
    return NULL;
}

static bool listed(const char *const *list, const char *id)
{
    for (; list && *list; list++)
        if (!strcmp(*list, id))
            return true;
    return false;
}

/* What functions and models have without asking for it. */
static bool given(enum hr_role role, const char *id)
{
    static const char *const function[] = { HR_RUN, HR_LOG, HR_PROGRESS, HR_EMIT, HR_MODELS, NULL };
    static const char *const model[] = { HR_RUN, HR_LOG, HR_PROGRESS, NULL };

    if (role == HR_ROLE_HOOK)
        return false;
    return listed(role == HR_ROLE_FUNCTION ? function : model, id);
}

static const void *get_interface(const struct hr_host *host, const char *id)
{
    const struct hr_role_host *h = (const struct hr_role_host *)(const void *)host;
    const hr_component *c = h->worker->component;

    if (!given(h->role, id) && (!c || (!listed(HR_HAS(c, needs) ? c->needs : NULL, id) &&
                                       !listed(HR_HAS(c, uses) ? c->uses : NULL, id))))
        return NULL;
    if (h->role == HR_ROLE_HOOK && !strcmp(id, HR_EMIT))
        return NULL;
    return find(h->worker, id);
}

void hr_worker_make_hosts(struct hr_worker *w)
{
    int i;

    for (i = 0; i < 3; i++)
        w->hosts[i] = (struct hr_role_host){ .host = { .struct_size = sizeof(hr_host),
                                                       .abi_major = HR_ABI_MAJOR,
                                                       .abi_minor = HR_ABI_MINOR,
                                                       .name = "headrace",
                                                       .version = HR_VERSION_TEXT,
                                                       .get_interface = get_interface },
                                             .role = (enum hr_role)i,
                                             .worker = w };
    w->run = (struct hr_run){ .worker = w, .role = HR_ROLE_HOOK };
    hr_worker_make_flow_table(w);
}

const void *hr_worker_offer(const hr_component *component, const char *id)
{
    const hr_offer *const *o = HR_HAS(component, offers) ? component->offers : NULL;

    for (; o && *o; o++)
        if (!strcmp((*o)->id, id))
            return (*o)->table;
    return NULL;
}
