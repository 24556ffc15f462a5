/* Which of the plugins that are here a pipeline takes. */
#include <string.h>

#include "plugin/catalogue.h"

static bool usable(const struct hr_catalogue_entry *e, const char *id)
{
    return !e->reason && !strcmp(e->info.id, id);
}

/* Every entry of the same plugin but one is out. */
static void keep_one(struct hr_catalogue *c, const char *id, size_t which, bool *counts)
{
    size_t i;

    for (i = 0; i < hr_catalogue_count(c); i++)
        if (usable(hr_catalogue_at(c, i), id))
            counts[i] = i == which;
}

static bool any_counts(struct hr_catalogue *c, const char *id, const bool *counts)
{
    size_t i;

    for (i = 0; i < hr_catalogue_count(c); i++)
        if (counts[i] && usable(hr_catalogue_at(c, i), id))
            return true;
    return false;
}

static const struct hr_pin *pin_of(const struct hr_wishes *w, const char *id)
{
    size_t i;

    for (i = 0; i < w->pin_count; i++)
        if (!strcmp(w->pins[i].id, id))
            return &w->pins[i];
    return NULL;
}

static bool is_pinned(const struct hr_pin *pin, const struct hr_plugin_info *info)
{
    return pin && hr_text_eq(pin->version, info->version) &&
           (!pin->digest || !strcmp(pin->digest, info->digest));
}

/* Of a plugin, what the lock has; else the newest version that fits, of equal ones the first.
 * range NULL: any fits.  SIZE_MAX: none. */
static size_t choose(struct hr_catalogue *c, const struct hr_wishes *w, const char *id,
                     const struct hr_range *range)
{
    const struct hr_pin *pin = pin_of(w, id);
    size_t best = SIZE_MAX, i;

    for (i = 0; i < hr_catalogue_count(c); i++) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(c, i);

        if (!usable(e, id) || (range && !hr_range_fits(range, e->info.version)))
            continue;
        if (is_pinned(pin, &e->info))
            return i;
        if (best == SIZE_MAX ||
            hr_version_compare(e->info.version, hr_catalogue_at(c, best)->info.version) > 0)
            best = i;
    }
    return best;
}

/* The versions of a plugin that are here, in the arena; "": there is none. */
static const char *versions_of(struct hr_catalogue *c, const char *id, struct hr_arena *arena)
{
    const char *list = "";
    size_t i;

    for (i = 0; i < hr_catalogue_count(c) && list; i++) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(c, i);

        if (usable(e, id))
            list = hr_arena_format(arena, "%s%s%s", list, *list ? ", " : "", e->info.version);
    }
    return list;
}

static hr_status tell_missing(struct hr_catalogue *c, struct hr_env *env,
                              const struct hr_wish *wish, struct hr_arena *arena)
{
    const char *here = versions_of(c, wish->id, arena);
    const char **names = hr_arena_array(arena, hr_catalogue_count(c) + 1, sizeof *names);
    size_t n = 0, i;

    if (!here || !names)
        return HR_EXHAUSTED;
    if (*here)
        return hr_fail_at(env, HR_NOT_FOUND, &wish->place,
                          "no version of plugin \"%s\" that is here fits \"%s\": %s", wish->id,
                          wish->text, here);
    for (i = 0; i < hr_catalogue_count(c); i++)
        if (!hr_catalogue_at(c, i)->reason)
            names[n++] = hr_catalogue_at(c, i)->info.id;
    return hr_fail_meant(env, HR_NOT_FOUND, &wish->place, hr_text_meant(wish->id, names, n),
                         "plugin \"%s\" is not here; plugins were looked for in %s", wish->id,
                         hr_catalogue_places(c));
}

static bool is_wished(const struct hr_wishes *w, const char *id)
{
    size_t i;

    for (i = 0; i < w->count; i++)
        if (!strcmp(w->items[i].id, id))
            return true;
    return false;
}

hr_status hr_catalogue_select(struct hr_catalogue *c, struct hr_env *env,
                              const struct hr_wishes *w, struct hr_arena *arena, const bool **ret)
{
    bool *counts = hr_arena_array(arena, hr_catalogue_count(c) + 1, sizeof *counts);
    hr_status r = HR_OK, one;
    size_t i, which;

    if (!counts)
        return HR_EXHAUSTED;
    for (i = 0; i < hr_catalogue_count(c); i++) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(c, i);

        counts[i] = !e->reason && !e->shadow &&
                    (!w->only || e->standard || e->info.linked || is_wished(w, e->info.id));
    }
    for (i = 0; i < w->pin_count; i++)
        if (any_counts(c, w->pins[i].id, counts))
            keep_one(c, w->pins[i].id, choose(c, w, w->pins[i].id, NULL), counts);
    for (i = 0; i < w->count; i++) {
        which = choose(c, w, w->items[i].id, w->items[i].text ? &w->items[i].range : NULL);
        one = which == SIZE_MAX ? tell_missing(c, env, &w->items[i], arena) : HR_OK;
        if (one == HR_OK)
            keep_one(c, w->items[i].id, which, counts);
        r = one < 0 ? one : r;
    }
    *ret = counts;
    return r;
}
