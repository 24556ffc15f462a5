/* hr.flow/1: core/flow's direct runner, seeing this worker's artifacts. */
#include <string.h>

#include "plugin/worker/state.h"

static hr_run *call_begin(void *user, struct hr_flow_call *call)
{
    struct hr_worker *w = user;
    hr_run *run = hr_mem_zero(&w->env, sizeof *run);

    if (run)
        *run = (struct hr_run){ .worker = w, .role = HR_ROLE_FUNCTION, .call = call };
    return run;
}

static void call_end(void *user, hr_run *run)
{
    struct hr_worker *w = user;

    hr_mem_put(&w->env, run, sizeof *run);
}

static hr_status read_rows(void *user, const char *key, uint32_t i, const char *split,
                           struct ArrowArrayStream *ret)
{
    struct hr_worker *w = user;

    return hr_worker_table_table.read(&w->run, key, i, split, ret);
}

static hr_status write_rows(void *user, const char *key, uint32_t i, const char *split,
                            struct ArrowArrayStream *rows)
{
    struct hr_worker *w = user;

    return hr_worker_write_rows(&w->run, key, i, split, rows);
}

/* Staging is thrown away as a whole when a hook fails, so only attach has work to do. */
static hr_status attach(void *user, const char *key, uint32_t i)
{
    struct hr_worker *w = user;
    struct hr_attached *a;

    if (!hr_worker_artifact(w, key, i))
        return hr_fail(&w->env, HR_NOT_FOUND, "channel \"%s\" has no artifact %u to attach", key,
                       (unsigned)i);
    if (!(a = hr_arena_get(&w->arena, sizeof *a)) || !(a->key = hr_arena_text(&w->arena, key)))
        return HR_EXHAUSTED;
    a->i = i;
    a->next = w->attached;
    w->attached = a;
    return HR_OK;
}

static hr_status fail(void *user, hr_status code, const char *text)
{
    struct hr_worker *w = user;

    return hr_fail(&w->env, code, "%s", text);
}

static hr_flow *begin(hr_run *run)
{
    struct hr_worker *w = run->worker;
    struct hr_flow_host host = { .user = w,
                                 .host = &w->hosts[HR_ROLE_FUNCTION].host,
                                 .functions =
                                     HR_HAS(w->component, functions) ? w->component->functions
                                                                     : NULL,
                                 .check = w->job.check,
                                 .call_begin = call_begin,
                                 .call_end = call_end,
                                 .read = read_rows,
                                 .write = write_rows,
                                 .attach = attach,
                                 .fail = fail };
    hr_flow *flow;

    if (w->flow_count == sizeof w->flows / sizeof w->flows[0]) {
        hr_fail(&w->env, HR_EXHAUSTED, "a hook describes at most %zu flows", w->flow_count);
        return hr_flow_none();
    }
    flow = hr_flow_new(&w->env, &host);
    if (flow != hr_flow_none())
        w->flows[w->flow_count++] = flow;
    return flow;
}

void hr_worker_make_flow_table(struct hr_worker *w)
{
    hr_flow_table(begin, &w->flow_table);
}
