/* task.h - private to run: one node of one run, and the run. */
#ifndef HR_TASK_H
#define HR_TASK_H

#include "run/run.h"

enum hr_task_state {
    HR_TASK_WAITING,    /* for nodes before it */
    HR_TASK_REGISTERED, /* on record, until there is a place */
    HR_TASK_DECIDING,   /* its driver runs */
    HR_TASK_LEASE,      /* somebody else works on the same */
    HR_TASK_RUNNING,
    HR_TASK_PUBLISHING, /* its publisher runs */
    HR_TASK_SEALED,     /* its outputs are; they are published with those of others */
    HR_TASK_BACKOFF,    /* until the next try */
    HR_TASK_SPREAD,     /* its instances are at work */
    HR_TASK_DONE,
    HR_TASK_FAILED,
    HR_TASK_SKIPPED,
    HR_TASK_CANCELLED,
    HR_TASK_NOT_RUN
};

/* A property that a hook has set, or that an artifact has. */
struct hr_task_value {
    const char *name;
    struct hr_meta_value value;
    bool custom; /* though the type declares one of that name */
};

struct hr_task_artifact {
    int64_t id; /* 0: not in the store yet */
    const char *uri, *staged;
    const char *type;
    char digest[HR_SHA256_HEX];
    struct hr_meta_node node; /* of an input, or of an output once it is there */
    struct hr_task_value *set;
    size_t set_count;
};

struct hr_task_channel {
    const char *key, *type;
    const struct hr_port_info *port; /* NULL: of a resolver, or what "if" reads */
    const struct hr_input *read;     /* of what "if" or "for_each" reads */
    struct hr_task_artifact *artifacts;
    size_t count, cap; /* cap: of one that grows, else 0 */
    bool moved;        /* of an output: this try has moved it to its place */
};

/* An execution of an earlier run. */
struct hr_kept {
    int64_t execution, state;
    int64_t index; /* of an instance, else 0 */
    const char *item, *key;
};

enum { HR_TASK_LINES = 20, HR_TASK_LINE = 240, HR_SPARE_DIRS = 8 };

/* Of a node with "for_each" there is one task that waits, spreads into an instance for each
 * element, and gathers their outputs in the order of the elements.  Where one "for_each" stands in
 * another, the instances of the outer one spread in their turn. */
struct hr_task {
    const struct hr_node *node;
    const char *name;     /* the node's, or "node[2]" of an instance */
    struct hr_task *head; /* of an instance; NULL else */
    struct hr_term item;
    const char *item_json; /* of one in several loops: the list of their elements */
    size_t depth;          /* heads above it */
    size_t first, instances; /* of a head: where they begin among the tasks, and how many */
    size_t index;
    enum hr_task_state state;
    struct hr_arena arena; /* of one try */
    int64_t execution;
    int64_t *contexts; /* that it and its artifacts are in; there is room for one more */
    size_t context_count;
    int32_t tries;
    const struct hr_kept *kept; /* executions of an earlier run that stand for this one */
    size_t kept_count;
    const struct hr_kept *recorded; /* the one of them that is being recorded */
    bool keep;       /* it is not run: they do */
    bool open;       /* of a preview: what it gives is not known yet */
    const char *why; /* it ran though there is such a result; NULL else */
    struct hr_setting *settings, *key_settings; /* the latter without uris and ids; may be NULL */
    struct hr_setting *extras, *key_extras;     /* of the node's extras, likewise */
    struct hr_task_channel *inputs, *outputs;
    size_t input_count, output_count;
    struct hr_task_value *set; /* of the execution, by its hooks */
    size_t set_count;
    char key[HR_SHA256_HEX]; /* cache key; "" before it is known */
    bool leased, let_go; /* let go once what was made under it is committed: others look then */
    const struct hr_component_info *models[8]; /* that load models of its inputs */
    size_t model_count;
    struct hr_process *process;
    enum hr_task_state hook; /* which of the states the process belongs to */
    const char *result;      /* JSON of the hook that has just ended */
    const char *walls;
    bool timed_out, was_cached, has_room;
    bool live;                /* stands in the runner's list */
    bool written, registered; /* in this step: something, that it is there */
    bool unsaid;            /* published, and not yet durable: nobody was told */
    int32_t end_kind;       /* how that will be said: FINISHED, or CACHED; */
    const char *end_text;   /* NULL: by its summary */
    int64_t ended_us;       /* when it was */
    int stop_stage;
    int64_t started_us, hook_us, wake_us, stop_us, deadline_us;
    double done, total;
    char unit[32];
    char lines[HR_TASK_LINES][HR_TASK_LINE]; /* the last log lines, a ring */
    size_t line_count;
};

/* How a property names the place of an output before there is one: "${output.KEY.uri}". */
#define HR_OUTPUT_PLACE "${output."

struct hr_queued {
    hr_event event;
    struct hr_queued *next;
    struct hr_arena arena;
};

struct hr_runner {
    struct hr_env *env;
    struct hr_runner_config config;
    struct hr_arena arena;
    struct hr_param_values values;
    struct hr_task **tasks; /* as the pipeline's nodes, then instances */
    size_t count, cap;
    size_t running, queued, sealed; /* that hold a place; are on record only; are to be published */
    size_t room; /* how many may begin in this round */
    bool publishes;    /* in this round, what is sealed */
    int64_t sealed_us; /* since when the first of it waits */
    int64_t pace_us;   /* what executors took lately */
    size_t paced;
    char id[128], dir[HR_MAX_PATH];
    int64_t number;
    int64_t context_base; /* of the run whose results are kept; 0: none */
    int64_t type_context_pipeline, type_context_run;
    int64_t context_pipeline, context_run, type_context_node, type_context_cache;
    int watch;
    int timer;   /* wakes who polls, when something is due by time alone */
    int wake[2]; /* a byte wakes hr_runner_next() */
    volatile int32_t cancel;
    bool cancelling, failed, told_end, gate_refused;
    hr_status status;
    int64_t started_us;
    int64_t spares[HR_SPARE_DIRS]; /* executions whose staging is empty, to be used again */
    size_t spare_count;
    struct hr_zygote *zygote; /* NULL before the first worker */
    struct hr_crew *crew;     /* NULL before the first hook in this process */
    struct hr_queued *first, *last, *given;
    struct hr_queued *end; /* made at the begin: how a run ended is told without memory, too */
    struct hr_task **live; /* that have begun, and not ended before this step */
    size_t live_count, live_cap;
    size_t ended;   /* in the order of the graph, all before it have */
    size_t syncing; /* how many of the first unsaid a sync goes on for */
    int sync_fd; /* of that sync */
    int events_fd, jobs_fd; /* files of the run that are appended to; -1: not yet */
    struct hr_task **unsaid; /* in the order in which they were published */
    size_t unsaid_count, unsaid_cap;
    int64_t unsaid_us; /* since when the first waits */
    bool sync_failed;
    bool moved; /* a task has ended in this step: others may be ready */
};

/* -- pieces ---------------------------------------------------------------- */

/* A run with its parameters, its tasks and what it keeps: nothing is written, nothing begins. */
hr_status hr_runner_make(struct hr_env *env, const struct hr_runner_config *config,
                         struct hr_runner **ret);

int64_t hr_now_us(const struct hr_runner *runner); /* monotonic */

/* Inputs of a task from its upstream tasks, or what a resolver finds.  HR_NOT_FOUND,
 * HR_PRECONDITION: told. */
hr_status hr_task_resolve(struct hr_runner *runner, struct hr_task *task, const char **ret_skip);

const struct hr_task *hr_task_upstream(const struct hr_runner *runner, const struct hr_task *task,
                                       size_t node);

/* Artifacts that "if" or "for_each" read.  *ret_skip: why the node is skipped, or untouched. */
hr_status hr_task_reads(struct hr_runner *runner, struct hr_task *task, const char **ret_skip);
hr_status hr_task_condition(struct hr_runner *runner, struct hr_task *task, const char **ret_skip);

/* Properties with what expressions read of artifacts and the item. */
hr_status hr_task_settings(struct hr_runner *runner, struct hr_task *task);

/* Does an artifact pass the filter of a query? */
hr_status hr_task_filter(struct hr_runner *runner, struct hr_task *task,
                         const struct hr_setting_source *filter, const struct hr_task_artifact *a,
                         bool *ret);

/* One text of the file, computed: of the task's node, or of a sub-pipeline around it. */
hr_status hr_task_term(struct hr_runner *runner, struct hr_task *task, const struct hr_node *whose,
                       const struct hr_setting_source *source, struct hr_term *ret);

/* The list of "for_each". */
hr_status hr_task_elements(struct hr_runner *runner, struct hr_task *task, struct hr_term *ret);

/* Does it spread, for it is not an instance of the innermost loop? */
bool hr_task_spreads(const struct hr_task *task);
/* The instance that it is, or is within, of a loop of its node; NULL: it is not so deep. */
const struct hr_task *hr_task_at(const struct hr_task *task, size_t loop);
/* The number of an instance among its node's; with two loops outer * 10001 + inner, where 10000
 * stands for all of the inner one.  -1: it is none. */
int64_t hr_task_number(const struct hr_task *task);
/* Which instance of one of its loops such a number means; -1: of none, or of all. */
int64_t hr_index_in(int64_t number, size_t loops, size_t loop);

/* One more task, with an arena of its own. */
struct hr_task *hr_task_add(struct hr_runner *runner, const struct hr_node *node);

/* Channels for the outputs, which hold nothing yet. */
hr_status hr_task_outputs(struct hr_task *task);

/* Instances for the elements of a head that is ready. */
hr_status hr_task_spread(struct hr_runner *runner, struct hr_task *head, size_t *ret_n);
/* All instances have ended: the head takes their outputs and a state. */
void hr_task_gather(struct hr_runner *runner, struct hr_task *head);
bool hr_task_ended(const struct hr_task *task);
/* What an artifact of the store is worth to its readers.  HR_NOT_FOUND: told. */
hr_status hr_task_read_artifact(struct hr_runner *runner, struct hr_task *task, int64_t id,
                                struct hr_task_artifact *ret);
/* What a resolver finds; nothing is an answer. */
hr_status hr_task_strategy(struct hr_runner *runner, struct hr_task *task);
hr_status hr_task_import(struct hr_runner *runner, struct hr_task *task);

/* The canonical text of the cache key; and the key, with its text kept. */
hr_status hr_task_key_text(struct hr_runner *runner, struct hr_task *task, struct hr_buf *to);
hr_status hr_task_key(struct hr_runner *runner, struct hr_task *task);
void hr_task_key_of(const struct hr_buf *text, char ret[HR_SHA256_HEX]);

/* The outputs of an execution into those of the task.  HR_NOT_FOUND, an answer: not all of them
 * are there. */
hr_status hr_task_take(struct hr_runner *runner, struct hr_task *task, int64_t execution);

/* Does a name mean this node, or a sub-pipeline that it is in? */
bool hr_task_named(const struct hr_runner *runner, const struct hr_node *node, const char *name);
/* Names of an option, ended by NULL, that mean no node.  HR_INVALID: told. */
hr_status hr_runner_check_names(struct hr_runner *runner, const char *option,
                                const char *const *names);

/* What is kept of an earlier run: decided before anything runs.  HR_PRECONDITION: told. */
hr_status hr_keep_plan(struct hr_runner *runner);
/* The execution that is kept for an instance; NULL: none. */
const struct hr_kept *hr_keep_instance(const struct hr_task *head, int64_t index,
                                       const char *item);
/* Publish what is kept: CACHED executions, without inputs. */
hr_status hr_keep_record(struct hr_runner *runner, struct hr_task *task);
/* Only the outputs of what is kept. */
hr_status hr_keep_outputs(struct hr_runner *runner, struct hr_task *task);

/* "from run 6", of an execution. */
const char *hr_task_from_run(struct hr_runner *runner, struct hr_task *task, int64_t execution);

/* May its result be taken from the cache, by what the run and the file say? */
bool hr_task_uses_cache(const struct hr_runner *runner, const struct hr_task *task);
/* An execution of the same key whose outputs are all there: fills outputs.  HR_NOT_FOUND is
 * an answer. */
hr_status hr_task_find_cached(struct hr_runner *runner, struct hr_task *task, int64_t *ret);
/* The last success of this node. */
hr_status hr_task_find_last(struct hr_runner *runner, struct hr_task *task, int64_t *ret);

/* The job of a hook, as JSON. */
hr_status hr_task_job(struct hr_runner *runner, struct hr_task *task, const char *hook,
                      hr_status executed, struct hr_buf *to);

/* What a hook's result says: its status, errors told, values set. */
hr_status hr_task_result(struct hr_runner *runner, struct hr_task *task, const char *text,
                         int32_t *ret_verdict);

/* What the file sets on outputs, and the hooks have not.  HR_INVALID: told. */
hr_status hr_task_extras(struct hr_task *task);

/* "COMPLETE", "FAILED" or "CANCELED": of the run so far, for run.status. */
const char *hr_runner_outcome(const struct hr_runner *runner);

/* Must a task that has not begun to work not begin now? */
bool hr_runner_stops(const struct hr_runner *runner, const struct hr_task *task);

/* Begin a task that is ready; go on with one that is on record and has a place, or that is sealed,
 * or whose hook has ended, or whose time has come. */
void hr_task_begin(struct hr_runner *runner, struct hr_task *task);
void hr_task_registered(struct hr_runner *runner, struct hr_task *task);
void hr_task_publish(struct hr_runner *runner, struct hr_task *task);
void hr_task_pump(struct hr_runner *runner, struct hr_task *task);

/* The try has failed with code; the reasons are in env. */
void hr_task_fail(struct hr_runner *runner, struct hr_task *task, hr_status code);
/* The errors since the try began, as one text, and forgotten. */
const char *hr_task_take_errors(struct hr_runner *runner, struct hr_task *task);

void hr_task_release(struct hr_runner *runner, struct hr_task *task);

/* It is looked at in each step from now on. */
hr_status hr_runner_add_live(struct hr_runner *runner, struct hr_task *task);

/* Memory of one try, and its lease. */
void hr_task_clear(struct hr_runner *runner, struct hr_task *task);

const struct hr_task_value *hr_task_value(const struct hr_task *task, const char *name);
const char *hr_task_text(const struct hr_task *task, const char *name); /* NULL: none */

/* An event of a task; text is copied. */
void hr_runner_tell(struct hr_runner *runner, struct hr_task *task, int32_t kind, hr_status status,
                    const char *text);
void hr_runner_tell_log(struct hr_runner *runner, struct hr_task *task, hr_level level,
                        const char *text);
void hr_runner_tell_progress(struct hr_runner *runner, struct hr_task *task);

#endif
