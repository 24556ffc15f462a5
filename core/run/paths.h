/* paths.h - a project's directory, .headrace/:
 *
 *     metadata.sqlite                       the store
 *     artifacts/NODE/KEY/EXECUTION/         what executions made
 *     artifacts/.staging/EXECUTION/         what one is making
 *     registry/                             packages
 *     plugins/                              beside .headrace/: the project's own plugins
 *     cache/host.sqlite, cache/KEY.json     what a host remembers; the text of a cache key
 *     run/UUID                              the lock of a living host
 *     run/RUN/events.jsonl, jobs.jsonl, logs/, state/, host, cancel
 *
 * All paths are absolute.
 */
#ifndef HR_PATHS_H
#define HR_PATHS_H

#include "base/base.h"

struct hr_paths {
    char project[HR_MAX_PATH]; /* the directory that holds .headrace/ */
    char root[HR_MAX_PATH];    /* .headrace/ */
    char store[HR_MAX_PATH], artifacts[HR_MAX_PATH], staging[HR_MAX_PATH];
    char registry[HR_MAX_PATH], cache[HR_MAX_PATH], runs[HR_MAX_PATH], plugins[HR_MAX_PATH];
};

/* The project of a directory: the nearest .headrace/ from it upward.  HR_NOT_FOUND is an
 * answer: no error is told. */
hr_status hr_paths_find(struct hr_env *env, const char *dir, struct hr_paths *ret);

/* The project in this very directory, made if it is not there. */
hr_status hr_paths_make(struct hr_env *env, const char *dir, struct hr_paths *ret);

#endif
