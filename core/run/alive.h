/* alive.h - which hosts live.
 *
 * A host holds an open-file-description lock on .headrace/run/UUID as long as it lives; the
 * kernel drops it with the process, however that ends.  Executions carry the UUID as the
 * custom property "__host".  One that is RUNNING is closed as FAILED only when its host's
 * lock can be taken; those without "__host" are another program's, and are left alone.
 */
#ifndef HR_ALIVE_H
#define HR_ALIVE_H

#include "metadata/metadata.h"
#include "plugin/plugin.h"
#include "run/paths.h"

struct hr_host_lock {
    char id[40]; /* a random UUID */
    int fd;
    char path[HR_MAX_PATH];
};

hr_status hr_host_begin(struct hr_env *env, const struct hr_paths *paths, struct hr_host_lock *ret);
void hr_host_end(struct hr_env *env, struct hr_host_lock *lock);

bool hr_host_alive(struct hr_env *env, const struct hr_paths *paths, const char *id);

/* Does a host live besides the one of this id, which may be ""? */
hr_status hr_host_others(struct hr_env *env, const struct hr_paths *paths, const char *id,
                         bool *ret);

/* Close what dead hosts left: executions, staging, leases.  *ret: how many executions. */
hr_status hr_host_sweep(struct hr_env *env, const struct hr_paths *paths, struct hr_store *store,
                        struct hr_cache *cache, int64_t *ret);

/* A random UUID, version 4. */
void hr_uuid(struct hr_env *env, char ret[40]);

#endif
