/* local.h - a host for one component without a worker: for the command, which offers the
 * libraries alone, and for tests.
 *
 *     local = hr_local_new(env, &component);
 *     hr_local_set(local, "key", "company");
 *     hr_local_input(local, "examples", 0, NULL, &stream);
 *     r = hr_local_execute(local);
 *     hr_local_output(local, "means", 0, NULL, &stream);
 *     hr_local_free(local);
 *
 * It serves hr.run/1, hr.log/1 (kept as text), hr.progress/1, hr.emit/1 and hr.flow/1.
 * Properties are what was set here, else the defaults that the component declares.
 * Failures are told in the env.
 */
#ifndef HR_FLOW_LOCAL_H
#define HR_FLOW_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "headrace/arrow.h"
#include "headrace/plugin.h"

struct hr_env;
struct hr_local;

/* NULL: no memory, told in env.  component may be one of functions only. */
struct hr_local *hr_local_new(struct hr_env *env, const hr_component *component);
void hr_local_free(struct hr_local *local); /* NULL is allowed */

/* A property of the execution, as text. */
hr_status hr_local_set(struct hr_local *local, const char *key, const char *value);

/* The directory of an artifact. */
hr_status hr_local_path(struct hr_local *local, const char *key, uint32_t i, const char *path);

/* Rows of an input; takes *rows, reads them at once, and gives them at each read. */
hr_status hr_local_input(struct hr_local *local, const char *key, uint32_t i, const char *split,
                         struct ArrowArrayStream *rows);

/* Make an instance, run it, drop it. */
hr_status hr_local_execute(struct hr_local *local);

/* What it wrote.  HR_NOT_FOUND: nothing of that name. */
hr_status hr_local_output(struct hr_local *local, const char *key, uint32_t i, const char *split,
                          struct ArrowArrayStream *ret);

/* What set_text(), set_int() and set_float() left, as text; key NULL: of the execution.  NULL:
 * nothing. */
const char *hr_local_text(struct hr_local *local, const char *key, uint32_t i, const char *name);

/* For who describes a flow without an executor: the host, a run of a hook, the table. */
const hr_host *hr_local_host(struct hr_local *local);
hr_run *hr_local_run(struct hr_local *local);
void hr_local_check(struct hr_local *local, bool check); /* verify batches; at first true */
void hr_local_bytes(struct hr_local *local, bool bytes); /* as of hr_flow_host; at first false */

#endif
