/* zygote.h - what the workers of one run are copied from.
 *
 * Most of what a worker costs is exec, the dynamic linker, and asking the processor what it can do;
 * a zygote is a worker that has done all this and waits.  It stands behind those walls that no job
 * changes, which its copies have from it; it has loaded no plugin, so they differ in nothing from
 * workers that were spawned.  Two copies are made ahead.  It also keeps the sealed copies of the
 * plugins: what was digested once is not copied again.
 *
 * Nothing depends on it: where it cannot be had, or is killed, workers are spawned.  When the host
 * dies it kills the copies that are left; each ends by itself, too, but where a plugin lets no
 * signal through.
 * Used by one thread.
 */
#ifndef HR_ZYGOTE_H
#define HR_ZYGOTE_H

#include "plugin/info.h"

struct hr_zygote;

/* Starts nothing yet. */
hr_status hr_zygote_new(struct hr_env *env, const char *worker, struct hr_zygote **ret);

/* As spawn() of the OS table, and *ret_socket is the other end of a socket, not blocking, that is
 * descriptor spawn->own there: by a copy, or without a zygote, or where none can be had, by that
 * worker itself.  The pid, or a negative errno. */
int hr_zygote_spawn(struct hr_env *env, struct hr_zygote *zygote, const struct hr_spawn *spawn,
                    int *ret_pidfd, int *ret_socket);

/* A sealed copy of the plugin, which stays the zygote's.  HR_DATA_LOSS: the file is not what its
 * manifest was made of. */
hr_status hr_zygote_copy(struct hr_zygote *zygote, const struct hr_plugin_info *plugin, int *ret);

/* Workers live on.  NULL is allowed. */
void hr_zygote_free(struct hr_zygote *zygote);

#endif
