/* record.h - private to run: executions and artifacts as TFX writes them into the store.
 *
 * Every function here runs inside a write transaction of the caller.  What is ours has names
 * that begin with "__":
 *
 *     execution  __host, __cache_key, __plugin, __plugin_digest, __component_version, __walls,
 *                __reason, __summary; of an instance __index, __item and, where
 *                loops stand in each other, their number, __loops
 *     context    of a run: __pipeline_file, __options, __parameters, __name, __host; of the run
 *                of a sub-pipeline __part_of
 *     artifact   __digest
 */
#ifndef HR_RECORD_H
#define HR_RECORD_H

#include "run/task.h"

/* RUNNING with properties and INPUT events; fills task->execution. */
hr_status hr_record_registered(struct hr_runner *runner, struct hr_task *task);

/* COMPLETE with new artifacts; fills the ids of task->outputs. */
hr_status hr_record_complete(struct hr_runner *runner, struct hr_task *task);

/* CACHED with the artifacts of task->outputs.  HR_NOT_FOUND, an answer: one of them is not LIVE. */
hr_status hr_record_cached(struct hr_runner *runner, struct hr_task *task, const char *reason);

/* CACHED at once, as TFX's partial run has it: no properties, no INPUT events; outputs are those of
 * task->outputs, which exist.  Its key and its element are those of what it stands for, so that
 * it can be kept and compared in its turn. */
hr_status hr_record_kept(struct hr_runner *runner, struct hr_task *task,
                         const struct hr_kept *kept, const char *reason);

/* A resolver's end: INTERNAL_OUTPUT events.  An importer's: OUTPUT, new or old artifacts. */
hr_status hr_record_resolved(struct hr_runner *runner, struct hr_task *task);
hr_status hr_record_imported(struct hr_runner *runner, struct hr_task *task);

/* FAILED or CANCELED with the text, as TFX's __execution_result__. */
hr_status hr_record_failed(struct hr_env *env, struct hr_store *store, int64_t execution,
                           hr_status code, const char *text);
hr_status hr_record_canceled(struct hr_env *env, struct hr_store *store, int64_t execution,
                             hr_status code, const char *text);

/* The contexts of the run, made at its begin. */
hr_status hr_record_run(struct hr_runner *runner);

#endif
