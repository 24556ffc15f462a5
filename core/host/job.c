#include <string.h>

#include "host/package.h"
#include "plugin/worker/worker.h"

struct hr_job {
    struct hr_project *p;
    struct hr_arena arena; /* of the options */
    struct hr_pipeline *pipeline;
    struct hr_runner *runner;
    struct hr_buf line;
    const char *packages; /* what the policy says of plugins from packages; "": none */
    hr_job *next;
};

/* The project of a pipeline file, where none is open. */
static hr_status open_beside(struct hr_project *p, const char *pipeline, uint32_t flags)
{
    char full[HR_MAX_PATH], dir[HR_MAX_PATH];
    int e;

    if (p->opened)
        return HR_OK;
    if ((e = p->env.os->realpath(p->env.os->user, pipeline, full)) < 0)
        return hr_fail_os(&p->env, e, "open", pipeline);
    hr_path_dir(full, dir);
    return hr_host_open_at(p, dir, flags);
}

/* With the plugins that its lock has, where they are here. */
static hr_status read_pipeline(struct hr_project *p, const char *file, bool unlocked,
                               struct hr_pipeline **ret)
{
    const struct hr_pin *pins = NULL;
    struct hr_arena arena;
    size_t n = 0;
    hr_status r = hr_host_catalogue(p);

    hr_arena_init(&arena, &p->env, 0);
    if (r == HR_OK && !unlocked)
        r = hr_lock_pins(p, file, &arena, &pins, &n);
    if (r == HR_OK)
        r = hr_pipeline_read(&p->env, p->catalogue, pins, n, file, ret);
    hr_arena_clear(&arena);
    return r;
}

hr_status hr_host_pipeline(struct hr_project *p, const char *file, struct hr_pipeline **ret)
{
    if (open_beside(p, file, 0) < 0)
        hr_errors_cut(&p->env, 0);
    return read_pipeline(p, file, true, ret);
}

/* What the file may not mean, to whoever listens. */
static void tell_warnings(const struct hr_project *p, const struct hr_pipeline *pipeline)
{
    size_t i;

    for (i = 0; p->log && i < pipeline->warning_count; i++)
        p->log(p->log_user, HR_WARN, pipeline->warnings[i]);
}

/* Checking needs no project: without one, plugins are looked for where all projects do. */
static hr_status check(struct hr_project *p, const char *file, const char *options,
                       struct hr_pipeline **ret)
{
    struct hr_param_values values = { .run_id = "", .run_name = "" };
    struct hr_options o;
    struct hr_arena arena;
    hr_status r;

    if (open_beside(p, file, 0) < 0)
        hr_errors_cut(&p->env, 0);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_options_expand(p, &arena, &options);
    if (r == HR_OK)
        r = hr_options_read(p, options, &arena, &o);
    if (r == HR_OK)
        r = read_pipeline(p, file, o.unlocked, ret);
    if (r == HR_OK && (r = hr_pipeline_params(*ret, o.given, o.given_count, false, &(*ret)->arena,
                                              &values)) < 0) {
        hr_pipeline_free(*ret);
        *ret = NULL;
    }
    hr_arena_clear(&arena);
    return r;
}

hr_status hr_check(hr_project *p, const char *pipeline, const char *options)
{
    struct hr_pipeline *read = NULL;
    hr_status r;

    hr_host_call(p);
    r = check(p, pipeline, options, &read);
    if (r == HR_OK)
        tell_warnings(p, read);
    hr_pipeline_free(read);
    return hr_host_done(p, r);
}

hr_status hr_normalize(hr_project *p, const char *pipeline, const char *options,
                       const char **ret_json)
{
    struct hr_pipeline *read = NULL;
    hr_status r;

    hr_host_call(p);
    r = check(p, pipeline, options, &read);
    hr_buf_cut(&p->text, 0);
    if (r == HR_OK)
        r = hr_pipeline_normal(read, &p->text);
    if (r == HR_OK)
        *ret_json = p->text.text;
    hr_pipeline_free(read);
    return hr_host_done(p, r);
}

/* The id of the run that --base or resume means, or NULL for the newest of the pipeline. */
static hr_status find_base(struct hr_job *job, struct hr_options *o)
{
    struct hr_meta_node run;
    hr_status r;

    if (!o->base)
        return HR_OK;
    r = hr_host_run(job->p, o->base, &job->arena, &run);
    if (r == HR_NOT_FOUND)
        return hr_fail(&job->p->env, r, "there is no run \"%s\"", o->base);
    o->base = r == HR_OK ? run.name : o->base;
    return r;
}

/* hr_runner_config.others */
static void pump_others(void *user, struct hr_runner *waiting)
{
    struct hr_project *p = user;
    hr_job *job;

    for (job = p->jobs; job; job = job->next)
        if (job->runner && job->runner != waiting)
            hr_runner_pump(job->runner);
}

/* What is recorded of the options is what a run that resumes this one starts from. */
static hr_status start_runner(struct hr_job *job, struct hr_options *o, const char *options,
                              bool preview)
{
    struct hr_project *p = job->p;
    struct hr_runner_config config = { .paths = &p->paths,
                                       .store = p->store,
                                       .cache = p->cache,
                                       .catalogue = p->catalogue,
                                       .host = &p->host,
                                       .pipeline = job->pipeline,
                                       .given = o->given,
                                       .given_count = o->given_count,
                                       .force = o->force,
                                       .from = o->from,
                                       .to = o->to,
                                       .only = o->only,
                                       .name = o->name,
                                       .options = options,
                                       .resume = o->resume,
                                       .changed = o->changed,
                                       .jobs = o->jobs,
                                       .isolation = o->isolation,
                                       .no_cache = o->no_cache,
                                       .keep_going = o->keep_going,
                                       .check = o->check,
                                       .worker = p->worker ? p->worker : p->where.worker,
                                       .in_process = hr_worker_in_process,
                                       .published = hr_host_published,
                                       .published_user = p,
                                       .sealed_file = hr_host_sealed,
                                       .sealed_user = p,
                                       .others = pump_others,
                                       .others_user = p };
    hr_status r = find_base(job, o);

    config.base = o->base;
    if (r == HR_OK && !o->unlocked)
        r = hr_lock_check(p, job->pipeline);
    if (r == HR_OK)
        r = hr_installed_policy(p, job->pipeline, &job->arena, &job->packages);
    if (r == HR_OK && preview)
        return hr_runner_preview(&p->env, &config, &p->text);
    return r < 0 ? r : hr_runner_start(&p->env, &config, &job->runner);
}

static struct hr_job *make_job(struct hr_project *p)
{
    struct hr_job *job = hr_mem_zero(&p->env, sizeof *job);

    if (!job)
        return NULL;
    job->p = p;
    job->next = p->jobs;
    p->jobs = job;
    hr_arena_init(&job->arena, &p->env, 0);
    hr_buf_of(&job->line, HR_MAX_JSON_BYTES, &p->env);
    return job;
}

static hr_status give_job(struct hr_job *job, hr_status r, hr_job **ret)
{
    struct hr_project *p = job->p;

    if (r < 0)
        hr_job_drop(job);
    else
        *ret = job;
    return hr_host_done(p, r);
}

static hr_status start(struct hr_job *job, const char *pipeline, const char *options,
                       bool preview)
{
    struct hr_options o;
    hr_status r = hr_options_expand(job->p, &job->arena, &options);

    if (r == HR_OK)
        r = hr_options_read(job->p, options, &job->arena, &o);
    if (r == HR_OK)
        r = read_pipeline(job->p, pipeline, o.unlocked, &job->pipeline);
    if (r == HR_OK)
        tell_warnings(job->p, job->pipeline);
    return r < 0 ? r : start_runner(job, &o, options, preview);
}

hr_status hr_start(hr_project *p, const char *pipeline, const char *options, hr_job **ret)
{
    struct hr_job *job;
    hr_status r;

    hr_host_call(p);
    if (!(job = make_job(p)))
        return hr_host_done(p, HR_EXHAUSTED);
    r = open_beside(p, pipeline, HR_OPEN_NEW);
    if (r == HR_OK)
        r = hr_host_lock(p);
    if (r == HR_OK)
        r = start(job, pipeline, options, false);
    return give_job(job, r, ret);
}

static hr_status give_preview(struct hr_job *job, hr_status r, const char **ret_json)
{
    struct hr_project *p = job->p;

    hr_job_drop(job);
    if (r == HR_OK)
        *ret_json = p->text.text;
    return hr_host_done(p, r);
}

/* Without a project the run would begin one, in which nothing has run yet. */
hr_status hr_preview(hr_project *p, const char *pipeline, const char *options,
                     const char **ret_json)
{
    struct hr_job *job;
    hr_status r;

    hr_host_call(p);
    hr_buf_cut(&p->text, 0);
    if (!(job = make_job(p)))
        return hr_host_done(p, HR_EXHAUSTED);
    r = open_beside(p, pipeline, HR_OPEN_LOOK);
    if (r == HR_NOT_FOUND && !p->store) {
        hr_errors_cut(&p->env, 0);
        r = hr_store_open(&p->env, ":memory:", HR_STORE_CREATE, &p->store);
    }
    if (r == HR_OK)
        r = start(job, pipeline, options, true);
    r = give_preview(job, r, ret_json);
    if (!p->opened) {
        hr_store_close(p->store);
        p->store = NULL;
    }
    return r;
}

/* -- resuming -------------------------------------------------------------- */

static hr_status run_to_resume(struct hr_job *job, const char *run, struct hr_meta_node *ret)
{
    struct hr_project *p = job->p;
    const char *host;
    hr_status r = hr_host_run(p, run, &job->arena, ret);

    if (r == HR_NOT_FOUND && run)
        return hr_fail(&p->env, r, "there is no run \"%s\"", run);
    if (r == HR_NOT_FOUND)
        return hr_fail(&p->env, r, "nothing has run here yet, so there is nothing to resume");
    if (r < 0)
        return r;
    host = hr_meta_text(ret, "__host");
    if (host && strcmp(host, p->host.id) != 0 && hr_host_alive(&p->env, &p->paths, host) &&
        hr_run_goes_on(p, ret))
        return hr_fail(&p->env, HR_PRECONDITION,
                       "run %s still goes on; cancel it first, or wait for its end", ret->name);
    if (!hr_meta_text(ret, "__pipeline_file"))
        return hr_fail(&p->env, HR_PRECONDITION,
                       "run %s was not made by headrace, so it cannot be resumed", ret->name);
    return HR_OK;
}

static hr_status resume(struct hr_job *job, const char *run, const char *options, bool preview)
{
    struct hr_project *p = job->p;
    struct hr_meta_node base;
    struct hr_options o;
    hr_status r = run_to_resume(job, run, &base);

    if (r == HR_OK)
        r = hr_options_read(p, hr_meta_text(&base, "__options"), &job->arena, &o);
    if (r == HR_OK) {
        o.from = o.to = o.only = NULL; /* of a partial run, the rest is kept as it kept it */
        r = hr_options_add(p, options, &job->arena, &o);
    }
    if (r == HR_OK)
        r = read_pipeline(p, hr_meta_text(&base, "__pipeline_file"), o.unlocked, &job->pipeline);
    if (r < 0)
        return r;
    o.resume = true;
    o.base = base.name;
    return start_runner(job, &o, hr_meta_text(&base, "__options"), preview);
}

/* A job of a project that is there. */
static hr_status begin_resume(hr_project *p, struct hr_job **ret)
{
    hr_status r;

    hr_host_call(p);
    r = hr_host_need(p);
    if (r == HR_OK && !(*ret = make_job(p)))
        r = HR_EXHAUSTED;
    return r < 0 ? hr_host_done(p, r) : HR_OK;
}

hr_status hr_resume(hr_project *p, const char *run, const char *options, hr_job **ret)
{
    struct hr_job *job;
    hr_status r = begin_resume(p, &job);

    if (r < 0)
        return r;
    r = hr_host_lock(p);
    if (r == HR_OK)
        r = resume(job, run, options, false);
    return give_job(job, r, ret);
}

hr_status hr_preview_resume(hr_project *p, const char *run, const char *options,
                            const char **ret_json)
{
    struct hr_job *job;
    hr_status r = begin_resume(p, &job);

    if (r < 0)
        return r;
    hr_buf_cut(&p->text, 0);
    return give_preview(job, resume(job, run, options, true), ret_json);
}

int32_t hr_next(hr_job *job, int32_t timeout_ms, const hr_event **ret)
{
    return hr_runner_next(job->runner, timeout_ms, ret);
}

int hr_job_fd(const hr_job *job)
{
    return hr_runner_fd(job->runner);
}

const char *hr_job_run(const hr_job *job)
{
    return hr_runner_id(job->runner);
}

const char *hr_job_packages(const hr_job *job)
{
    return job->packages ? job->packages : "";
}

int64_t hr_job_number(const hr_job *job)
{
    return hr_runner_number(job->runner);
}

const char *hr_job_event_json(hr_job *job, const hr_event *event)
{
    hr_buf_cut(&job->line, 0);
    return hr_event_json(event, &job->line) == HR_OK ? job->line.text : "{}";
}

hr_status hr_wait(hr_job *job)
{
    const hr_event *event;

    while (hr_runner_next(job->runner, -1, &event) > 0)
        ;
    return hr_runner_status(job->runner);
}

void hr_cancel(hr_job *job)
{
    hr_runner_cancel(job->runner);
}

void hr_job_drop(hr_job *job)
{
    struct hr_project *p = job->p;
    hr_job **at;

    for (at = &p->jobs; *at != job; at = &(*at)->next)
        ;
    *at = job->next;
    hr_runner_free(job->runner);
    hr_ahead_drop(p);
    hr_pipeline_free(job->pipeline);
    hr_buf_clear(&job->line);
    hr_arena_clear(&job->arena);
    hr_mem_put(&p->env, job, sizeof *job);
}

void hr_job_free(hr_job *job)
{
    const hr_event *event;

    if (!job)
        return;
    hr_runner_cancel(job->runner);
    while (hr_runner_next(job->runner, -1, &event) > 0)
        ;
    hr_job_drop(job);
}
