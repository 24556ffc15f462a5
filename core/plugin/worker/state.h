/* state.h - private to worker: one worker, which the host interfaces share. */
#ifndef HR_WORKER_STATE_H
#define HR_WORKER_STATE_H

#include <pthread.h>

#include "flow/flow.h"
#include "headrace/flow.h"
#include "headrace/model.h"
#include "plugin/worker/channel.h"
#include "plugin/worker/job.h"
#include "plugin/worker/worker.h"

struct hr_worker;

/* What a role may ask get_interface() for. */
enum hr_role { HR_ROLE_HOOK, HR_ROLE_FUNCTION, HR_ROLE_MODEL };

struct hr_role_host {
    hr_host host; /* first: its address is that of the whole */
    enum hr_role role;
    struct hr_worker *worker;
};

/* One call of a hook; or, with call, an instance of a function; or a model's. */
struct hr_run {
    struct hr_worker *worker;
    enum hr_role role;
    struct hr_flow_call *call; /* of a function */
};

struct hr_loaded_model {
    const hr_model_1 *table;
    void *model;
    struct hr_loaded_model *next;
};

struct hr_attached {
    const char *key;
    uint32_t i;
    struct hr_attached *next;
};

struct hr_worker {
    struct hr_env env;
    struct hr_arena arena; /* of the hook's thread; texts that it was given live here */
    struct hr_channel channel;
    struct hr_job job;
    const struct hr_worker_source *sources;
    const hr_plugin **plugins; /* as they are loaded */
    size_t source_count;
    const hr_component *component;
    struct hr_role_host hosts[3]; /* by role */
    struct hr_run run;
    hr_flow *flows[64]; /* freed after the hook */
    size_t flow_count;
    hr_flow_1 flow_table;
    struct hr_attached *attached;
    struct hr_loaded_model *models;
    pthread_mutex_t lock;     /* of answer and models */
    char answer[1024];        /* the text of the last HR_NOT_FOUND that may be no failure */
};

extern const hr_run_1 hr_worker_run_table;
extern const hr_log_1 hr_worker_log_table;
extern const hr_progress_1 hr_worker_progress_table;
extern const hr_table_1 hr_worker_table_table;
extern const hr_models_1 hr_worker_models_table;
extern const hr_emit_1 hr_worker_emit_table;

/* Fill in hosts, run and the flow table. */
void hr_worker_make_hosts(struct hr_worker *w);
void hr_worker_make_flow_table(struct hr_worker *w);

/* NULL: told in env, or no artifact of that index. */
struct hr_job_port *hr_worker_port(struct hr_worker *w, const char *key);
struct hr_job_artifact *hr_worker_artifact(struct hr_worker *w, const char *key, uint32_t i);

/* The directory of an artifact; an output may grow by one. */
hr_status hr_worker_path(struct hr_worker *w, const char *key, uint32_t i, const char **ret);

/* Add a split to the declared split_names of an output. */
hr_status hr_worker_add_split(struct hr_worker *w, struct hr_job_artifact *a, const char *split);

/* hr.table/1's write, of batches that were checked already. */
hr_status hr_worker_write_rows(hr_run *run, const char *key, uint32_t i, const char *split,
                               struct ArrowArrayStream *rows);

/* The plugin of a source, loaded at first. */
hr_status hr_worker_load(struct hr_worker *w, size_t source, const hr_plugin **ret);

/* Load the model in an artifact; a directory of an attached or plain input. */
hr_status hr_worker_load_model(struct hr_worker *w, const char *key, uint32_t i,
                               const char *signature, const struct ArrowSchema *in,
                               struct hr_loaded_model **ret);
void hr_worker_drop_models(struct hr_worker *w);

/* The table of an interface that the component offers; NULL: it does not. */
const void *hr_worker_offer(const hr_component *component, const char *id);

/* Put up the walls of a job, behind those of all; text gets what stands.  HR_PRECONDITION: less
 * than is required, told. */
hr_status hr_worker_walls(struct hr_env *env, const struct hr_job *job, const struct hr_walls *all,
                          char *text, size_t n);

#endif
