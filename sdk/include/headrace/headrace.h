/* headrace.h - run pipelines from your program: link libheadrace, C99 and C++11.
 *
 * Nothing in it is frozen before release 1.0.
 *
 *     const hr_event *event;
 *     hr_job *job = NULL;
 *     hr_project *p = hr_new(NULL);
 *
 *     if (p && !hr_open(p, ".", 0) && !hr_start(p, "pipeline.json", NULL, &job))
 *         while (hr_next(job, -1, &event) > 0)
 *             if (event->kind == HR_EVENT_FAILED)
 *                 report(event->node, event->text);
 *     hr_free(p);
 *
 * Manners.  The library has no global state and needs no set-up: projects are
 * independent.  It never writes to stdout or stderr, never ends the process, sets
 * no signal handler, changes neither directory, umask, locale nor environment,
 * opens every file close-on-exec, and waits for its own children only.
 *
 * Threads.  A project, with its jobs and cursors, is used by one thread at a time;
 * a model is, too.  [any] marks what may be called from any thread at any time.
 * The library starts no thread, but one for each node that runs in this process.
 *
 * Errors.  Every call returns 0 or a code of plugin.h.  A call that fails leaves its
 * ret_ and *ret arguments untouched, and the text in hr_error().  What is freed or
 * closed may be NULL.  Strings are UTF-8; what a call returns as const lives until
 * the next call on the same handle.
 */
#ifndef HEADRACE_H
#define HEADRACE_H

#include "plugin.h" /* hr_status, hr_level, hr_plugin, the Arrow structs by name */

#define HR_VERSION_MAJOR 0
#define HR_VERSION_MINOR 1
#define HR_VERSION_PATCH 0
#define HR_VERSION_TEXT "0.1.0"
#define HR_VERSION_NUMBER (HR_VERSION_MAJOR * 10000 + HR_VERSION_MINOR * 100 + HR_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* HR_VERSION_NUMBER of the library that is linked.  [any] */
uint32_t hr_version(void);

/* The name of a code, "HR_NOT_FOUND"; of an unknown one, "HR_?".  [any] */
const char *hr_status_name(hr_status status);

/* -- a project ------------------------------------------------------------- */

typedef struct hr_project hr_project;

/* Resize p from old_size to new_size bytes; new_size 0 frees and cannot fail.  It serves
 * the library's own memory; the libraries below it (SQLite, zstd) have their own. */
typedef void *hr_alloc(void *user, void *p, size_t old_size, size_t new_size);
typedef void hr_logger(void *user, hr_level level, const char *text);

/* Zero means the default, as everywhere. */
typedef struct hr_config {
    uint32_t struct_size;
    int32_t isolation; /* HR_ISOLATE_ */
    int32_t jobs;      /* nodes that run at once; 0: as there are cores */
    int32_t flags;
    hr_alloc *alloc;
    void *alloc_user;
    hr_logger *log; /* what the library has to say; called on the thread of the call */
    void *log_user;
    const char *worker;              /* the program that is a worker; NULL: the installed one */
    const char *plugin_path;         /* NULL: HEADRACE_PLUGIN_PATH, then the usual places */
    const hr_plugin *const *plugins; /* linked into the program, never isolated; ends in NULL */
    const char *trust;               /* whom to trust; NULL: trust.json of the open project */
} hr_config;
enum {
    HR_ISOLATE = 0,          /* workers, with what the kernel has to offer */
    HR_ISOLATE_REQUIRED = 1, /* fail where the kernel, or a plugin linked in, lacks any of it */
    HR_ISOLATE_NONE = 2      /* plugins run in this process: for debuggers and small devices */
};

/* A handle without a project.  config may be NULL.  NULL: no memory. */
hr_project *hr_new(const hr_config *config);

/* Also cancels the jobs, waits for them, and frees what was made from p. */
void hr_free(hr_project *p);

/* Open the project in a directory.  HR_NOT_FOUND: there is none; HR_PRECONDITION: a newer
 * version made it; HR_UNAVAILABLE: its store is locked for longer than the time-out. */
hr_status hr_open(hr_project *p, const char *dir, uint32_t flags);
enum {
    HR_OPEN_NEW = 1u << 0, /* if there is none, begin one */
    /* In this very directory: one above it does not count; with HR_OPEN_NEW it is made. */
    HR_OPEN_HERE = 1u << 1,
    HR_OPEN_LOOK = 1u << 2  /* nothing in it is changed, and no job can be started */
};

/* Why the last call on p, or on what was made from p, has failed: the outermost cause
 * first, one a line; "" if it has not. */
const char *hr_error(const hr_project *p);

/* The same as JSON, with the place in the file and a suggestion where there are any. */
const char *hr_error_json(const hr_project *p);

/* -- running a pipeline ------------------------------------------------------ */

typedef struct hr_job hr_job;

/* One thing that has happened. */
typedef struct hr_event {
    uint32_t struct_size;
    int32_t kind; /* HR_EVENT_ */
    int64_t time_us;
    int64_t duration_us; /* of what has ended, else 0 */
    int64_t execution;   /* its id in the store, or 0 */
    const char *run;     /* the run's id */
    const char *node;
    const char *component;
    const char *text; /* a log line, a reason, the error */
    const char *unit; /* of done and total */
    double done, total;
    hr_status status;
    hr_level level;
} hr_event;
enum {
    HR_EVENT_STARTED = 1,
    HR_EVENT_LOG = 2,
    HR_EVENT_PROGRESS = 3,
    HR_EVENT_CACHED = 4,
    HR_EVENT_SKIPPED = 5,
    HR_EVENT_FINISHED = 6,
    HR_EVENT_FAILED = 7,
    HR_EVENT_DONE = 8, /* the last: the job as a whole, with its status */
    HR_EVENT_RETRY = 9,
    HR_EVENT_WAITING = 10,  /* for the same work, under way in another run */
    HR_EVENT_CANCELLED = 11,
    HR_EVENT_GATE = 12 /* a decision, status and text: blessed or not, anomalies or none */
};

/* Check a pipeline, run nothing.  HR_INVALID: hr_error() has all that is wrong.  What is right and
 * may not be meant goes to the log of the config, as HR_WARN; so it does when a run starts. */
hr_status hr_check(hr_project *p, const char *pipeline, const char *options);

/* The pipeline with every default filled in and every name full, as JSON that lives until the
 * next call on p.  Codes as hr_check(). */
hr_status hr_normalize(hr_project *p, const char *pipeline, const char *options,
                       const char **ret_json);

/* Start a run.  pipeline is a file name.  options is JSON or NULL: the command's options of
 * the same names, as {"param": {"steps": "200"}, "jobs": 2, "force": ["trainer"],
 * "no_cache": true, "keep_going": true, "isolation": "none", "sandbox": "required",
 * "name": "nightly", "check": true, "unlocked": true}.  {"params": file} names a JSON object of
 * parameters, which count where "param" does not say.  A partial run leaves nodes out,
 * and takes their outputs from one earlier run: {"from": [nodes], "to": [nodes]} or {"only":
 * [nodes]}, and {"base": run}, where the newest of the pipeline will not do; {"retry_failed":
 * true} leaves out all that base has finished, as hr_resume() does, with the file and the
 * options of now.  A project without a directory as yet - hr_open() was not called - is opened,
 * or begun, where the file lies. */
hr_status hr_start(hr_project *p, const char *pipeline, const char *options, hr_job **ret);

/* Go on with a run that failed, was cancelled or died: a new run, with the file and the options
 * of that one, that keeps all that it finished.  run is an id or a number, NULL the newest;
 * options override those of then, and {"changed": true} lets run again what would be another by
 * now.  HR_PRECONDITION: it goes on, it has finished, or something has changed: what, is told.
 * HR_NOT_FOUND: there is no such run. */
hr_status hr_resume(hr_project *p, const char *run, const char *options, hr_job **ret);

/* What hr_start() would do, and what hr_resume() would: JSON that lives until the next call on p,
 * {"pipeline", "nodes": [{"node", "plan", "why", "execution", "differences"}], "run", "cached",
 * "kept", "skipped", "depends", "failed", "not_run"}, the last seven how many.  plan is one of
 * these: it runs; its result is found; it is kept, or left out or skipped; that depends on one
 * before it, which runs; it cannot begin; one that it needs cannot.  why is for people.
 * "execution" is whose result is taken or, of one that runs, was its last, from which its
 * inputs have the "differences" [{"what", "before", "now"}].  No worker is started, nothing is
 * written; a project need not be there.  Codes as of these two. */
hr_status hr_preview(hr_project *p, const char *pipeline, const char *options,
                     const char **ret_json);
hr_status hr_preview_resume(hr_project *p, const char *run, const char *options,
                            const char **ret_json);

/* The run's id, "penguin-20261125T101502-4f2a", and its number within its pipeline. */
const char *hr_job_run(const hr_job *job);
int64_t hr_job_number(const hr_job *job);

/* Which of its plugins came from packages, and what the policy said of each when it was
 * installed: "com.acme.scale 1.2.0 signed by release; ..."; "" if none did. */
const char *hr_job_packages(const hr_job *job);

/* An event as a line of JSON, as --json prints it; lives until the next call on the job. */
const char *hr_job_event_json(hr_job *job, const hr_event *event);

/* The next event: 1.  0: there is none left.  HR_DEADLINE: none within timeout_ms; 0 does
 * not wait, -1 waits as long as it takes.  The job goes on inside this call only: between
 * calls the workers work, but no node starts and none is published.  (While it waits for work
 * that another job of the same project has begun, that one goes on too; its events wait.) */
int32_t hr_next(hr_job *job, int32_t timeout_ms, const hr_event **ret);

/* Readable when hr_next(job, 0, ...) has something to do - also for time that has passed - once
 * that has given HR_DEADLINE; for poll() and event loops. */
int hr_job_fd(const hr_job *job);

/* Call hr_next() to the end.  Returns the status of the run. */
hr_status hr_wait(hr_job *job);

/* Ask the job to stop; its events come as before.  [any], also in a signal handler. */
void hr_cancel(hr_job *job);

/* Cancels first, and waits. */
void hr_job_free(hr_job *job);

/* -- looking things up --------------------------------------------------------- */

typedef struct hr_cursor hr_cursor;

/* Rows of "runs", "executions", "artifacts", "models", "aliases", "model_history", "cache",
 * "plugins" or "components", the oldest first, that match filter; NULL: all.  A filter
 * compares columns, as
 * "state = FAILED and node = trainer"; the operators are = != < <= > >=.  HR_INVALID: the
 * filter, or what is looked for, cannot be read. */
hr_status hr_query(hr_project *p, const char *what, const char *filter, hr_cursor **ret);

/* As hr_query(), but only the newest limit rows of those that match; 0: all.  What is not
 * looked at costs nothing, so a limit makes a large store quick to look at. */
hr_status hr_query_newest(hr_project *p, const char *what, const char *filter, int64_t limit,
                          hr_cursor **ret);

/* 1: there is a row.  0: there was none left.  A code: rows of hr_examples() that cannot be
 * read, and hr_error() says why. */
int32_t hr_cursor_next(hr_cursor *c);

/* The names of the columns, ended by NULL. */
const char *const *hr_cursor_columns(hr_cursor *c);

/* A column of the row; NULL or 0 if it is null or unknown.  Text of a number is made. */
const char *hr_cursor_text(hr_cursor *c, const char *column);
int64_t hr_cursor_int(hr_cursor *c, const char *column);
double hr_cursor_float(hr_cursor *c, const char *column);
/* The same as a value of JSON on one line, until the next call for this cursor: a number, a truth
 * value, a text or a list.  Infinities and NaN, which JSON lacks, are texts.  NULL also without
 * memory. */
const char *hr_cursor_json(hr_cursor *c, const char *column);

void hr_cursor_free(hr_cursor *c);

/* All about one thing, as JSON that lives until the next call on p: "run 7" or a run's id,
 * an execution as "execution 12", an artifact as "artifact 12", a model as "penguin@7", or a
 * node of the newest run by its name.  Artifacts that have a picture - statistics, schema,
 * anomalies, evaluation, model - hold it as "content"; a run its "parameters" and "options"; an
 * execution that took an earlier result has "result_of", the execution that made it.
 * "instance" of an execution is its name where its node has "for_each": "gen[1]".
 * HR_NOT_FOUND: there is none. */
hr_status hr_show(hr_project *p, const char *what, const char **ret_json);

/* Why a node ran, was cached, was skipped or failed, in a run or, with NULL, in its newest; JSON
 * that lives until the next call on p: {"node", "run", "number", "execution", "state",
 * "reason"}, and of what ran, though there was a result: {"before": execution, "before_run",
 * "before_number", "differences": [{"what", "before", "now"}]}; "instance": "gen[1]" of a node with
 * "for_each", of which one instance may be asked for.  Of a node that has no execution there,
 * though the pipeline as it is now has it, "state" is "NOT_RUN", and there is no "execution".
 * HR_NOT_FOUND: there is no such node or run. */
hr_status hr_why(hr_project *p, const char *node, const char *run, const char **ret_json);

/* One execution again: its executor, with the inputs and properties that it had and by the plugin
 * of then, if that is still here, in an empty directory of its own; nothing is recorded.  options:
 * "isolation", as of hr_start().  Returns when it has ended; what it logs and prints goes to the
 * log of the config.  Gives JSON that lives until the next call on p: {"execution", "node", "run",
 * "state", "status", "text", "plugin_changed", "outputs": [{"output", "index", "before", "now",
 * "equal"}], "equal", "dir"}: how it ended now and why, and the digests of its outputs, then and
 * now.  plugin_changed: its plugin, or one that loads its models, is gone; "plugin_text" says which
 * was taken instead.  dir, where they lie, is there unless all is equal.  HR_NOT_FOUND: there is no
 * such execution; HR_PRECONDITION: no executor was started for it, or the files of its run are
 * gone. */
hr_status hr_replay(hr_project *p, int64_t execution, const char *options, const char **ret_json);

/* The log lines of an execution; lives until the next call on p. */
hr_status hr_log_of(hr_project *p, int64_t execution, const char **ret_text);

/* What a thing came from, and what came of it: JSON that lives until the next call on p, as
 *
 *     {"of": "artifact 12", "nodes": [{"id": "artifact 12", "depth": 0, ...},
 *      {"id": "execution 7", "depth": -1, ...}], "edges": [["execution 7", "artifact 12"]]}
 *
 * what names it as in hr_show(); of a run, all of its executions.  Nodes come by depth - steps
 * between artifact and execution, upward below 0 - and then by id.  flags: 0 is both ways.
 * depth: the most steps; 0: all.  HR_NOT_FOUND: there is none; HR_EXHAUSTED: more than
 * 100 000 nodes, ask for less depth. */
hr_status hr_lineage(hr_project *p, const char *what, uint32_t flags, int32_t depth,
                     const char **ret_json);
enum {
    HR_LINEAGE_UP = 1u << 0,  /* what it came from */
    HR_LINEAGE_DOWN = 1u << 1 /* what came of it */
};

/* The rows of an artifact that holds examples, in their order; a column for each feature, as
 * text: a number, a text, or a JSON list where a row has not one value; NULL: missing.  split
 * may be NULL: the first by name.  HR_NOT_FOUND: no artifact, or no such split (told which
 * there are); HR_INVALID: it holds no examples. */
hr_status hr_examples(hr_project *p, int64_t artifact, const char *split, hr_cursor **ret);

/* -- keeping ------------------------------------------------------------------- */

/* Remove the files of artifacts that nothing needs; their rows stay, as DELETED.  options is
 * JSON or NULL: {"keep": 10, "older_s": 2592000, "dry_run": true}.  Kept are the artifacts of the
 * newest "keep" runs of each pipeline, those younger than "older_s", pushed models, the newest
 * blessed model of each pipeline, all that a kept one came from, what runs that go on have
 * touched, and what lies outside of the project.  Without both 10 runs and 30 days are kept;
 * with "keep" alone age does not count, with "older_s" alone one run is.  Gives
 * {"removed": [{"artifact", "type", "uri", "bytes"}], "kept": N, "bytes": N, "dry_run"} that lives
 * until the next call on p.  HR_UNAVAILABLE: another gc is under way. */
hr_status hr_gc(hr_project *p, const char *options, const char **ret_json);

/* Compare the store with the files: digests, leases, staging, hosts that died, a project that
 * was moved or copied.  Gives a list of {"what", "text", "repaired"} that lives until the next
 * call on p; text is one sentence that says what is wrong and what to do. */
hr_status hr_doctor(hr_project *p, uint32_t flags, const char **ret_json);
enum {
    HR_DOCTOR_REPAIR = 1u << 0, /* mend what can be mended without loss */
    HR_DOCTOR_CACHE = 1u << 1   /* look at the results of the cache only */
};

/* Forget results, so that nodes run again: all (what NULL), those of a node, or those of a cache
 * key or of its first letters (8 at least).  Files and history stay.  *ret: how many. */
hr_status hr_cache_clear(hr_project *p, const char *what, int64_t *ret);

/* Ask a run of any process to stop, as hr_cancel().  HR_NOT_FOUND: there is no such run;
 * HR_PRECONDITION: it has ended. */
hr_status hr_cancel_run(hr_project *p, const char *run);

/* Follow a run of any process.  run: as in hr_show(), NULL: the newest. */
typedef struct hr_watch hr_watch;
hr_status hr_watch_open(hr_project *p, const char *run, hr_watch **ret);
const char *hr_watch_run(const hr_watch *w); /* its id */
/* The next event as a line of JSON: 1.  0: the run has ended, or its host is gone.
 * HR_DEADLINE: none within timeout_ms, which is not negative. */
int32_t hr_watch_next(hr_watch *w, int32_t timeout_ms, const char **ret_json);
void hr_watch_free(hr_watch *w);

/* -- packages ------------------------------------------------------------------ */

/* A package is one file, NAME-VERSION.hrp: a plugin, a model or artifacts, with the digest of
 * each of its files, a manifest, what it came from, and a signature in minisign's format.  All
 * of these calls need no open project, but for what they take out of one.  options is JSON or
 * NULL.  Strings that are given back live until the next call on p.
 *
 * Whom to trust stands in trust.json beside the pipeline file, if there is one:
 * {"headrace_trust": 1, "unsigned": "refuse", "keys": [{"name": "release", "key": "RWQ..."}],
 *  "sign_with": "headrace.key"}; "unsigned" is "refuse", "warn" or "allow", and holds for
 * packages that no key of the list has signed.  sign_with, a secret key that is not encrypted,
 * signs the models that runs publish.  What it says counts at each load: a plugin whose signer it
 * allowed when it was installed, and does not any more, is refused with HR_DENIED. */

/* Pack what is named: a plugin, "scale.so"; a model of the registry, "penguin@7"; an artifact
 * of the store, "artifact 12"; or a directory.  options: "out" (default ID-VERSION.hrp here),
 * "id", "version", "kind" ("model" or "artifacts", of a directory), "doc" (a directory, of a
 * plugin), and of a signature "key" (file of a secret key), "passphrase", "comment".  Equal
 * content gives equal bytes.  *ret_file is the file.  HR_NOT_FOUND: there is no such thing;
 * HR_INVALID: a name in it cannot be packed; HR_DENIED: the passphrase is wrong. */
hr_status hr_package_pack(hr_project *p, const char *what, const char *options,
                          const char **ret_file);

/* Sign a package, replacing the signature that it has.  options: "key", "passphrase",
 * "comment"; or "signature", the file that minisign has made of its FILES.  The package is
 * verified first.  HR_DATA_LOSS: it is damaged; the file is as it was after a failure. */
hr_status hr_package_sign(hr_project *p, const char *file, const char *options);

/* Read all of a package and check it: digests, signature, manifest, lineage, gates.  options:
 * "keys", public keys or files of them that alone are trusted, and "any_signer" (true: whoever
 * signed it, or nobody).  *ret_json tells all that the package says of itself.  HR_DENIED: the
 * policy does not trust its signer; HR_DATA_LOSS: it is not what was packed or signed;
 * HR_PRECONDITION: a newer version made it. */
hr_status hr_package_verify(hr_project *p, const char *file, const char *options,
                            const char **ret_json);

/* The same, and unpack it into a directory that must not be there.  It appears when all is
 * verified, or not at all.  Codes as hr_package_verify(); HR_EXISTS: there is such a thing. */
hr_status hr_package_unpack(hr_project *p, const char *file, const char *dir, const char *options,
                            const char **ret_json);

/* Make a key pair: path, which ends in .key, is the secret one, encrypted with the passphrase
 * if it is not NULL; the public one lies beside it as .pub.  *ret_key is its line, for
 * trust.json.  HR_EXISTS: one of the files is there. */
hr_status hr_key_make(hr_project *p, const char *path, const char *passphrase,
                      const char **ret_key);

/* -- plugins from packages --------------------------------------------------------- */

/* Verify a package of a plugin and install it for the user, or with option "project": true for
 * the project that is open.  Its manifest is made again in a worker and compared; what is
 * refused was not loaded into this process, and leaves nothing.  options also "keys", as of
 * hr_package_verify().  *ret_text, which may be NULL, says what was installed where.
 * HR_PRECONDITION: it is made for another platform, ABI or a newer headrace; HR_DATA_LOSS: it
 * is not what its manifest says; HR_DENIED: the policy does not trust its signer.  Components
 * that are in use stay as they are while a job or model of p lives. */
hr_status hr_plugin_install(hr_project *p, const char *file, const char *options,
                            const char **ret_text);

/* Remove what was installed: "id", or "id@version" where there are several.  HR_NOT_FOUND:
 * there is none; HR_INVALID: there are several. */
hr_status hr_plugin_remove(hr_project *p, const char *what, const char **ret_text);

/* Forget what is remembered of plugins and look at all of them again. */
hr_status hr_plugin_rescan(hr_project *p);

/* Write the lock of a pipeline, NAME.lock beside NAME.json: the version of each plugin that it
 * uses - the newest that fits what "plugins" says - and the digest of those that did not come
 * with headrace.  From then on that one is taken; hr_start() fails with HR_PRECONDITION where it
 * is not here, unless its option "unlocked" is true. */
hr_status hr_lock(hr_project *p, const char *pipeline, const char **ret_file);

/* -- models -------------------------------------------------------------------- */

/* Handles of one version in the registry, or of one package, share what is loaded: open one for
 * each thread.  Opening and closing are calls on the project, describing and predicting are not:
 * a handle may predict on one thread while another uses the project. */
typedef struct hr_model hr_model;

/* Open the model in a package file, a directory, or the registry ("name", "name@alias").
 * A package is verified first.  HR_DENIED: the policy does not trust its signer;
 * HR_DATA_LOSS: it is not what was signed. */
hr_status hr_model_open(hr_project *p, const char *where, const char *signature, hr_model **ret);

/* The rows that it reads and gives. */
hr_status hr_model_describe(hr_model *m, struct ArrowSchema *ret_in, struct ArrowSchema *ret_out);

/* Row i of *ret is for row i of *in; the caller releases it. */
hr_status hr_model_predict(hr_model *m, const struct ArrowArray *in, struct ArrowArray *ret);

/* The same of rows as JSON: a list of objects, or one object; a member that is absent or null
 * is missing.  Gives a list of objects that lives until the next call on m. */
hr_status hr_model_predict_json(hr_model *m, const char *rows, const char **ret_json);

/* As hr_error(), for the last call on m. */
const char *hr_model_error(const hr_model *m);

void hr_model_close(hr_model *m);

/* -- the registry of models ------------------------------------------------------ */

/* Versions of a model have aliases, as "production".  A change of one is a transaction of the
 * store, recorded with who and why; a model that is opened as "name@alias" is one version or
 * another, never half of both.  Rows: hr_query() of "models", "aliases", "model_history".
 * options is JSON or NULL: "by" (default: the user), "why", and "expect", the version that the
 * alias has to mean until now ("" for none).  *ret_json, if ret_json is not NULL, tells model,
 * alias, version and from, the version before; it lives until the next call on p.
 *
 * HR_NOT_FOUND: there is no such model; HR_DENIED: a gate refused that version; HR_PRECONDITION:
 * the alias means another than expected, or the files of the version are gone. */

/* Let an alias, "production" or option "alias", mean a version: "penguin@7". */
hr_status hr_model_promote(hr_project *p, const char *what, const char *options,
                           const char **ret_json);

/* The same with an alias of any name: a letter, then letters, digits, ".", "_" and "-". */
hr_status hr_model_alias(hr_project *p, const char *what, const char *alias, const char *options,
                         const char **ret_json);

/* Undo the last promotion that was not undone: the alias, "production" or option "alias", means
 * the version before again.  HR_PRECONDITION: also where nothing was before. */
hr_status hr_model_rollback(hr_project *p, const char *model, const char *options,
                            const char **ret_json);

/* Verify a package of a model and take it into the registry, as the name and version that it
 * has, or options "name" and "version"; also "keys" as of hr_package_verify().  HR_EXISTS: that
 * version is there; codes of hr_package_verify(). */
hr_status hr_model_pull(hr_project *p, const char *file, const char *options,
                        const char **ret_json);

/* Copy the directory of a model to dir, which must not be there; it appears whole, with the
 * digest that was published, or not at all.  (As a package: hr_package_pack().) */
hr_status hr_model_export(hr_project *p, const char *what, const char *dir);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
