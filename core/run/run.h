/* run.h - the face of core/run: pipelines that run.
 *
 *     hr_runner_start(env, &config, &runner);
 *     while (hr_runner_next(runner, -1, &event) > 0)
 *         show(event);
 *     status = hr_runner_status(runner);
 *     hr_runner_free(runner);
 *
 * How one node travels (launch.c):
 *
 *     resolve inputs -> register RUNNING -> driver? -> cache key -> hit? CACHED
 *       -> lease -> stage -> executor in a worker -> seal -> publisher? -> publish COMPLETE
 *     a failure anywhere: FAILED, with the text; a try that may be repeated is a new execution
 *
 * Everything goes on inside hr_runner_next(); nothing is started and nothing published
 * between its calls.  Two runners, of one or of several processes, may work on one project.
 *
 *     paths.h     what lies where in .headrace/       alive.h   hosts that live, and dead ones
 *     artifact.h  digests, staging, sealing             explain.h why a cache key is another
 */
#ifndef HR_RUN_RUN_H
#define HR_RUN_RUN_H

#include "metadata/metadata.h"
#include "pipeline/pipeline.h"
#include "plugin/plugin.h"
#include "run/alive.h"
#include "run/artifact.h"
#include "run/explain.h"
#include "run/part.h"
#include "run/paths.h"

/* Custom property of an execution_cache context: results of executions up to this id are not
 * to be taken again. */
#define HR_FORGOTTEN "__forgotten"

struct hr_runner;

/* Called once a node's outputs are published and durable, or, cached, were found or kept: then
 * only what a host that died in between has left out is to be made up for.  What it makes is no
 * part of the run's result; its failure is a warning.  ret_text: what to add to the node's
 * line, or "". */
typedef hr_status hr_published(void *user, int64_t execution, const char *node_component,
                               bool cached, struct hr_arena *arena, const char **ret_text);

struct hr_runner;

struct hr_runner_config {
    const struct hr_paths *paths;
    struct hr_store *store;
    struct hr_cache *cache;
    struct hr_catalogue *catalogue;
    const struct hr_host_lock *host;
    const struct hr_pipeline *pipeline;
    const struct hr_given *given; /* parameters */
    size_t given_count;
    const char *const *force; /* nodes without cache, ended by NULL; may be NULL */
    const char *name;         /* what people call the run; may be NULL */
    int32_t jobs;             /* nodes at once; 0: as there are cores */
    int32_t isolation;        /* HR_ISOLATE_ */
    bool no_cache, keep_going, check;
    const char *options; /* as they were given, JSON, for who resumes; may be NULL */
    /* A partial run: what is left out is kept from one base run.  Each ended by NULL, or NULL. */
    const char *const *from, *const *to, *const *only;
    const char *base; /* the id of a run; NULL: the newest of this pipeline */
    /* Go on with base: what it finished is kept.  changed: what has other inputs, properties or
     * code by now runs again; else that is an error. */
    bool resume, changed;
    const char *worker; /* the program */
    hr_in_process *in_process;
    hr_published *published; /* may be NULL */
    void *published_user;
    hr_sealed_file *sealed_file; /* asked of each file of an output; may be NULL */
    void *sealed_user;
    /* Called while the run waits for work that is under way elsewhere: other runs of this very
     * program go on by hr_runner_pump(), for nobody else can make them.  May be NULL. */
    void (*others)(void *user, struct hr_runner *waiting);
    void *others_user;
};

/* Resolve parameters, make the run's context and directory.  HR_INVALID: told; nothing was
 * run. */
hr_status hr_runner_start(struct hr_env *env, const struct hr_runner_config *config,
                          struct hr_runner **ret);

/* As hr_next() of headrace.h: 1 with an event, 0 at the end, HR_DEADLINE. */
int32_t hr_runner_next(struct hr_runner *runner, int32_t timeout_ms, const hr_event **ret);

/* Go on without taking an event; those that come wait for hr_runner_next(). */
void hr_runner_pump(struct hr_runner *runner);

/* What a run would do, as JSON; nothing is written, no worker is started:
 *
 *     {"pipeline": "penguin", "nodes": [{"node": "trainer", "plan": "run", "why": "...",
 *       "execution": 12, "differences": [{"what", "before", "now"}]}, ...],
 *      "run": 2, "cached": 1, "kept": 0, "skipped": 0, "depends": 3, "failed": 0,
 *      "not_run": 0}
 *
 * in the order of the graph; of a node with "for_each" one for each instance, where its elements
 * are known.  "execution": what it is taken from, or, of one that runs, what it is compared with.
 * "depends": its inputs are made by a node that runs, or its driver decides; "failed": it
 * cannot begin, and why says what a run would say; "not_run": it needs one of these.  Codes as
 * hr_runner_start(). */
hr_status hr_runner_preview(struct hr_env *env, const struct hr_runner_config *config,
                            struct hr_buf *to);

int hr_runner_fd(const struct hr_runner *runner);
const char *hr_runner_id(const struct hr_runner *runner); /* "penguin-20261125T101502-4f2a" */
int64_t hr_runner_number(const struct hr_runner *runner); /* within the pipeline, from 1 */
hr_status hr_runner_status(const struct hr_runner *runner);

/* Ask it to stop; its events come as before.  Safe in a signal handler and on any thread. */
void hr_runner_cancel(struct hr_runner *runner);

/* Which instance of "for_each", [2][0]: an index for each loop from the outermost on, fewer where
 * it ended before it had elements of the inner ones.  count 0: none, or any. */
struct hr_instance {
    int64_t at[HR_MAX_LOOPS];
    size_t count;
};

/* "part.gen" of "part.gen[2][0]", in the arena, and the instance; of what names none the text.
 * NULL: no memory. */
const char *hr_instance_read(const char *text, struct hr_arena *arena, struct hr_instance *ret);
/* Of an execution, as its "__index" and "__loops" say. */
struct hr_instance hr_instance_of(const struct hr_meta_node *execution);
bool hr_instance_same(const struct hr_instance *a, const struct hr_instance *b);
/* "part.gen[2][0]", in the arena; of none the node itself.  NULL: no memory. */
const char *hr_instance_name(const char *node, const struct hr_instance *instance,
                             struct hr_arena *arena);

/* "finished", and the event as a line of JSON. */
const char *hr_event_kind_name(int32_t kind);
hr_status hr_event_json(const hr_event *event, struct hr_buf *to);

/* Ends what still runs.  NULL is allowed. */
void hr_runner_free(struct hr_runner *runner);

#endif
