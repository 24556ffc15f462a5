/* models.h - private to host: models of the registry, their versions and aliases.
 *
 * A version is an artifact of type PushedModel, with model_name and pushed_version.  A change
 * of an alias is an execution of type __model_change, COMPLETE, with the version as its input,
 * linked to the context of type __model that has the model's name:
 *
 *     __action promote, alias, rollback, remove or pull    __by, __why  who, and what for
 *     __alias, __version, __from (before; absent: none)
 *
 * What an alias means now follows from its changes alone: a promotion puts its version on top,
 * a rollback takes the top away.  So there is one truth, a change is one transaction, and of
 * two hosts that promote at once each sees what the other did, or is done before it.
 */
#ifndef HR_HOST_MODELS_H
#define HR_HOST_MODELS_H

#include "host/host.h"

struct hr_change {
    int64_t execution, ms;
    const char *model, *action, *alias, *version, *from, *by, *why; /* NULL: none */
};

struct hr_changes {
    struct hr_change *items;
    size_t count;
};

/* All changes of a model, or of all (NULL), the oldest first. */
hr_status hr_changes_of(struct hr_project *p, const char *model, struct hr_arena *arena,
                        struct hr_changes *ret);

/* The version that an alias means after these changes; NULL: there is no such alias.
 * *ret_before, if not NULL, is what a rollback would go to. */
const char *hr_alias_of(const struct hr_changes *changes, const char *model, const char *alias,
                        const char **ret_before);

/* Why the gates refuse a pushed model, in words; NULL: they do not. */
hr_status hr_model_refused(struct hr_project *p, const struct hr_meta_node *pushed,
                           struct hr_arena *arena, const char **ret);

/* The package of a version in the registry. */
hr_status hr_model_package(struct hr_project *p, const struct hr_meta_node *pushed,
                           char ret[HR_MAX_PATH]);

/* Record a change, inside a write transaction; made: the artifact was put out by it. */
hr_status hr_change_add(struct hr_project *p, const struct hr_change *change, int64_t artifact,
                        bool made);

/* -- models that are loaded ------------------------------------------------------ */

/* What handles share: the model of one version of the registry or of one package, loaded once,
 * and dropped with its last user.  *ret_resident is the caller's own, used by one thread at a
 * time, and closed before. */
struct hr_loaded;
struct hr_resident;
hr_status hr_loaded_open(struct hr_project *p, const char *where, const char *signature,
                         struct hr_loaded **ret, struct hr_resident **ret_resident);
void hr_loaded_close(struct hr_project *p, struct hr_loaded *m); /* NULL is allowed */

/* Who does it: as given, else the user of the environment, else the account.  NULL: no memory. */
const char *hr_change_by(struct hr_project *p, const char *given, struct hr_arena *arena);

#endif
