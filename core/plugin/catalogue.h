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
#include "plugin/version.h"

struct hr_catalogue;

struct hr_catalogue_config {
    const char *const *places;      /* directories, ended by NULL */
    const hr_plugin *const *linked; /* NULL, or ended by NULL */
    const char *worker;             /* the program that makes manifests */
    struct hr_cache *cache;         /* may be NULL */
    const char *standard;           /* the place of the plugins that came with headrace */
    /* May this plugin be loaded, here and now?  Asked of those that a pipeline or a model wants;
     * told at place, which may be NULL.  NULL: any may. */
    hr_status (*judge)(void *user, const struct hr_place *place,
                       const struct hr_plugin_info *plugin);
    void *judge_user;
};

struct hr_catalogue_entry {
    const char *path;
    bool standard;
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

/* -- which plugins a pipeline takes -------------------------------------------------- */

/* One that it lists, "com.acme.scale@^1.2". */
struct hr_wish {
    const char *id;
    const char *text; /* of the range; NULL: any version */
    struct hr_range range;
    struct hr_place place;
};
/* One that its lock has. */
struct hr_pin {
    const char *id, *version;
    const char *digest; /* NULL: any */
};
struct hr_wishes {
    struct hr_wish *items;
    size_t count;
    bool only; /* what is not listed does not count, but for standard ones and those linked in */
    const struct hr_pin *pins; /* are taken where they are here and fit */
    size_t pin_count;
};

/* For each entry, whether it counts; in the arena.  HR_NOT_FOUND: no version that is here fits a
 * wish; all such are told. */
hr_status hr_catalogue_select(struct hr_catalogue *catalogue, struct hr_env *env,
                              const struct hr_wishes *wishes, struct hr_arena *arena,
                              const bool **ret);

/* -- looking for components ------------------------------------------------------------ */

/* counts: of hr_catalogue_select(); NULL: all, of each the newest version. */

/* The component of a full id, or of a short name that is unique.  NULL: told at place, with
 * what may have been meant, or which ones share the short name. */
const struct hr_component_info *hr_catalogue_component(struct hr_catalogue *catalogue,
                                                       const bool *counts,
                                                       const struct hr_place *place,
                                                       const char *name);

/* The component that loads models of a format; prefer is tried first, it may be NULL.
 * HR_NOT_FOUND and HR_INVALID (two plugins do) are told. */
hr_status hr_catalogue_model(struct hr_catalogue *catalogue, const bool *counts, const char *format,
                             const char *prefer, const struct hr_component_info **ret);

/* Properties that components declare of outputs of a type, added to those that are in to already,
 * each name once, up to max. */
void hr_catalogue_declared(const struct hr_catalogue *catalogue, const bool *counts,
                           const char *type, struct hr_property_info *to, size_t max, size_t *n);

/* Places as a text, for a message that something was not found. */
const char *hr_catalogue_places(const struct hr_catalogue *catalogue);

#endif
