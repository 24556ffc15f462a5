/* catalogue.h - the plugins that can be found.
 *
 * Places are searched in order; of two plugins with one id the newer version counts, of
 * equal ones that of the earlier place.  A .so is never opened here: its manifest is read
 * from NAME.json beside it, if that names the digest of this very file, from the cache, or
 * made by a worker.  What is broken stays in the list, with the reason.
 */
#ifndef HR_CATALOGUE_H
#define HR_CATALOGUE_H

#include "plugin/cache.h"
#include "plugin/info.h"

struct hr_catalogue;

struct hr_catalogue_config {
    const char *const *places;      /* directories, ended by NULL */
    const hr_plugin *const *linked; /* NULL, or ended by NULL */
    const char *worker;             /* the program that makes manifests */
    struct hr_cache *cache;         /* may be NULL */
};

struct hr_catalogue_entry {
    const char *path;
    const char *reason;         /* why it cannot be used; NULL: it can */
    const char *shadow;         /* path of the one that counts instead; NULL: this one */
    struct hr_plugin_info info; /* where reason is NULL */
};

/* Fails for lack of memory only. */
hr_status hr_catalogue_open(struct hr_env *env, const struct hr_catalogue_config *config,
                            struct hr_catalogue **ret);
void hr_catalogue_close(struct hr_catalogue *catalogue);

size_t hr_catalogue_count(const struct hr_catalogue *catalogue);
const struct hr_catalogue_entry *hr_catalogue_at(const struct hr_catalogue *catalogue, size_t i);

/* The component of a full id, or of a short name that is unique.  NULL: told at place, with
 * what may have been meant, or which ones share the short name. */
const struct hr_component_info *hr_catalogue_component(struct hr_catalogue *catalogue,
                                                       const struct hr_place *place,
                                                       const char *name);

/* The component that loads models of a format; prefer is tried first, it may be NULL.
 * HR_NOT_FOUND and HR_INVALID (two plugins do) are told. */
hr_status hr_catalogue_model(struct hr_catalogue *catalogue, const char *format, const char *prefer,
                             const struct hr_component_info **ret);

/* Places as a text, for a message that something was not found. */
const char *hr_catalogue_places(const struct hr_catalogue *catalogue);

#endif
