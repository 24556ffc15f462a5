/* host.h - the face of core/host, for itself only: what the calls of headrace.h share.
 *
 *     project.c  handles, opening, errors      job.c     checking and running
 *     where.c    what was installed where      options.c the JSON options of a run
 *     query.c, filter.c  rows with columns     rows.c    what the rows are made of
 *     which.c    which run is meant            why.c     why a node ran, or did not
 *     replay.c   one execution again
 *     find.c     what words mean               show.c    one thing, as JSON
 *     lineage.c  what came from what           examples.c  rows of artifacts
 *     watch.c    runs of other processes       model.c   models to predict with
 *     gc.c       what nothing needs            doctor.c  the store against the files
 *     forget.c   the cache, listed and cleared   loaded.c  models that handles share
 *     publish.c  what follows a publication: models packed into the registry
 *     ahead.c    their weights packed before, while they are sealed
 *     package.h  packages and trust, with files of their own
 *     models.h   models of the registry and their aliases, likewise
 */
#ifndef HR_CORE_HOST_H
#define HR_CORE_HOST_H

#include "run/run.h"

struct hr_where {
    char worker[HR_MAX_PATH];
    char plugins[HR_MAX_PATH];  /* the standard ones */
    char registry[HR_MAX_PATH]; /* the shared object */
};

struct hr_project {
    struct hr_env env;
    hr_alloc *alloc;
    void *alloc_user;
    hr_logger *log;
    void *log_user;
    int32_t isolation, jobs_max;
    char *worker, *plugin_path, *trust; /* of the config; NULL: the default */
    const hr_plugin *const *linked;
    struct hr_where where;
    bool opened, look; /* look: HR_OPEN_LOOK */
    const struct hr_plugin_info *judged[16]; /* plugins that may be loaded, asked in this call */
    size_t judged_count;
    int64_t swept; /* executions of dead hosts that opening has closed */
    struct hr_paths paths;
    struct hr_store *store;
    struct hr_cache *cache;
    struct hr_catalogue *catalogue;
    struct hr_host_lock host;
    struct hr_buf text; /* what a call has returned last */
    struct hr_buf error;
    hr_job *jobs; /* made from it, and freed with it */
    hr_cursor *cursors;
    hr_watch *watches;
    struct {
        int64_t parent, child, number;
    } ranked; /* the run that was numbered last in this call */
    hr_model *models;
    struct hr_loaded *loaded; /* what they share */
    struct hr_pack_ahead *ahead; /* weights that wait for their package (ahead.c); may be NULL */
};

/* Begin a call: what the last one has told is forgotten. */
void hr_host_call(struct hr_project *p);

/* End it: the errors told become hr_error().  Returns code. */
hr_status hr_host_done(struct hr_project *p, hr_status code);

/* What is no error and no event, to the program's log.  text may be NULL. */
void hr_host_say(struct hr_project *p, hr_level level, const char *text);

/* Things that are opened when they are first needed. */
hr_status hr_host_open_at(struct hr_project *p, const char *dir, uint32_t flags);
hr_status hr_host_catalogue(struct hr_project *p);
hr_status hr_host_lock(struct hr_project *p);

/* HR_PRECONDITION: no project is open; told. */
hr_status hr_host_need(struct hr_project *p);

void hr_where_find(struct hr_env *env, struct hr_where *ret);

/* Options of a run, in the arena. */
struct hr_options {
    struct hr_given *given;
    size_t given_count;
    const char **force, **from, **to, **only; /* ended by NULL; NULL: not given */
    const char *name, *base;
    int32_t jobs, isolation;
    bool no_cache, keep_going, check, changed, resume, unlocked;
};
hr_status hr_options_read(struct hr_project *p, const char *json, struct hr_arena *arena,
                          struct hr_options *ret);
/* {"params": FILE} becomes a "param" of what stands in the file, over which "param" counts; in the
 * arena.  HR_NOT_FOUND, HR_INVALID: told, with the place in the file. */
hr_status hr_options_expand(struct hr_project *p, struct hr_arena *arena, const char **json);
/* Over what is there already. */
hr_status hr_options_add(struct hr_project *p, const char *json, struct hr_arena *arena,
                         struct hr_options *ret);

/* The newest execution that is in all of the contexts and, where one is meant, of that instance of
 * "for_each".  HR_NOT_FOUND is an answer. */
hr_status hr_newest_of(struct hr_project *p, const int64_t *contexts, size_t n,
                       const struct hr_instance *instance, struct hr_arena *arena,
                       struct hr_meta_node *ret);

/* The run of an id, or of a number within the pipeline that ran last; NULL: the newest.
 * HR_NOT_FOUND is an answer. */
hr_status hr_host_run(struct hr_project *p, const char *what, struct hr_arena *arena,
                      struct hr_meta_node *ret);

/* -- rows of cursors ------------------------------------------------------- */

struct hr_cell {
    const char *text; /* NULL: null */
    bool number;
    int64_t i;
    bool json; /* the text is a value of JSON as it stands */
};
struct hr_cell hr_cell_int(struct hr_arena *arena, int64_t value); /* no text without memory */

/* A filter that was read: all comparisons must hold. */
enum { HR_FILTER_MAX = 16 };
enum hr_filter_op { HR_OP_EQ, HR_OP_NE, HR_OP_LT, HR_OP_LE, HR_OP_GT, HR_OP_GE };
struct hr_comparison {
    size_t column;
    enum hr_filter_op op;
    const char *value; /* in the arena */
    bool number;
    int64_t i;
};
struct hr_filter {
    struct hr_comparison items[HR_FILTER_MAX];
    size_t count;
};

struct hr_table {
    const char *const *columns; /* ended by NULL */
    size_t width;
    struct hr_cell *cells; /* row after row */
    size_t rows, cap;
    struct hr_filter filter;
    int64_t limit; /* 0: none */
};

/* NULL or "": no comparison.  HR_INVALID: it cannot be read; told. */
hr_status hr_filter_read(struct hr_env *env, const char *text, const char *const *columns,
                         struct hr_arena *arena, struct hr_filter *ret);
bool hr_filter_match(const struct hr_filter *filter, const struct hr_cell *row);
/* The value that a column must be equal to; NULL: none is asked for. */
const struct hr_comparison *hr_filter_equal(const struct hr_filter *filter,
                                            const char *const *columns, const char *name);

/* Rows that match, the oldest first; limit not 0: the newest of these. */
hr_status hr_table_of(struct hr_project *p, const char *what, const char *filter, int64_t limit,
                      struct hr_arena *arena, struct hr_table *ret);

/* The contexts of an execution or artifact that tell its run and its node. */
struct hr_home {
    const char *run, *node, *pipeline;
    int64_t number;
};
/* The execution that made an artifact, 0 where none is known. */
hr_status hr_maker_of(struct hr_project *p, int64_t artifact, struct hr_arena *arena, int64_t *ret);
hr_status hr_home_of(struct hr_project *p, enum hr_type_kind kind, int64_t id,
                     struct hr_arena *arena, struct hr_home *ret);
/* The pipeline of a run, among the parents of its context: a base run may be another.  NULL. */
const struct hr_meta_node *hr_pipeline_among(const struct hr_meta_nodes *parents);
/* The number of a run within its pipeline; from that of a run nearby where there is one, for
 * counting from 1 each time would make a list of runs quadratic. */
hr_status hr_run_number(struct hr_project *p, int64_t pipeline, int64_t run, int64_t *ret);
/* The state of a run, from those of its executions. */
hr_status hr_run_facts(struct hr_project *p, const struct hr_meta_node *run, const char **ret_state,
                       int64_t *ret_executions, int64_t *ret_duration_ms);

/* What a person has named.  HR_NOT_FOUND: told. */
enum hr_thing_kind { HR_THING_RUN, HR_THING_EXECUTION, HR_THING_ARTIFACT, HR_THING_MODEL };
struct hr_thing {
    enum hr_thing_kind kind;
    int64_t id; /* of an artifact or execution, which may not be there; or of a run's context */
    struct hr_meta_node node; /* of a run or model */
};
hr_status hr_thing_find(struct hr_project *p, const char *what, struct hr_arena *arena,
                        struct hr_thing *ret);

/* Has it executions that are RUNNING? */
bool hr_run_goes_on(struct hr_project *p, const struct hr_meta_node *run);

/* The newest pushed model of "name", or that of "name@version".  HR_NOT_FOUND is an answer. */
hr_status hr_model_find(struct hr_project *p, const char *what, struct hr_arena *arena,
                        struct hr_meta_node *ret);

/* The content of an artifact as JSON, where there is a picture of it; "" else. */
hr_status hr_content_of(struct hr_project *p, const struct hr_meta_node *artifact,
                        struct hr_buf *to);

/* An artifact's files lie below the project's own directory of artifacts: only these are ours to
 * remove. */
bool hr_is_own(const struct hr_project *p, const char *uri);
/* Rows of "cache", for hr_table_of(). */
hr_status hr_cache_row(struct hr_project *p, const struct hr_meta_node *context,
                       struct hr_arena *arena, struct hr_cell *row);

/* hr_sealed_file of artifact.h; and the end of what it has begun. */
bool hr_host_sealed(void *user, const char *type, const char *path, const char *name,
                    uint8_t ret[HR_SHA256_SIZE], uint64_t *ret_size);
void hr_ahead_drop(struct hr_project *p);

/* Why a node has no execution in a run, in the arena.  HR_NOT_FOUND, not told: its pipeline cannot
 * be read, is without such a node, or it has one. */
hr_status hr_why_not(struct hr_project *p, const struct hr_meta_node *run, const char *node,
                     struct hr_arena *arena, const char **ret_reason);

/* hr_published of run.h. */
hr_status hr_host_published(void *user, int64_t execution, const char *component, bool cached,
                            struct hr_arena *arena, const char **ret_text);

/* More rows of a cursor that does not hold all of them: table.rows is 0 at the end. */
typedef hr_status hr_refill(struct hr_project *p, void *user, struct hr_table *table);
hr_status hr_cursor_of(struct hr_project *p, hr_refill *refill, void (*drop)(void *user),
                       void *user, hr_cursor **ret); /* takes user, also when failing */

void hr_job_drop(hr_job *job);
void hr_cursor_drop(hr_cursor *c);
void hr_watch_drop(hr_watch *w);
void hr_model_drop(hr_model *m);

#endif
