/* The cache: results that nodes may take again, listed and forgotten.
 *
 * A key is a context of type execution_cache, linked to the executions that have the key.  Rows
 * of the store are never removed; what is forgotten is marked by the property HR_FORGOTTEN.
 */
#include <string.h>

#include "host/host.h"

/* Can the result of an execution be taken: are all its outputs LIVE and there? */
static hr_status is_whole(struct hr_project *p, int64_t execution, struct hr_arena *arena,
                          bool *ret)
{
    struct hr_meta_links links = { 0 };
    struct hr_meta_node a;
    hr_status r = hr_store_links(p->store, HR_KIND_EXECUTION, execution, arena, &links);
    size_t i;

    *ret = true;
    for (i = 0; i < links.count && r == HR_OK; i++) {
        if (links.items[i].type != HR_EVENT_OUTPUT)
            continue;
        r = hr_store_get(p->store, HR_KIND_ARTIFACT, links.items[i].id, arena, &a);
        *ret = *ret && r == HR_OK && a.state == HR_ARTIFACT_LIVE && hr_file_exists(&p->env, a.uri);
    }
    return r;
}

hr_status hr_cache_row(struct hr_project *p, const struct hr_meta_node *context,
                       struct hr_arena *arena, struct hr_cell *row)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .contexts = &context->id,
                            .context_count = 1,
                            .state = HR_EXECUTION_COMPLETE,
                            .newest_first = true,
                            .limit = 1 };
    struct hr_meta_nodes found = { 0 };
    struct hr_home home = { 0 };
    bool whole = false;
    hr_status r = hr_store_look(p->store, &look, arena, &found);
    const struct hr_meta_node *e = found.count ? found.items : NULL;

    if (r == HR_OK && e)
        r = hr_home_of(p, HR_KIND_EXECUTION, e->id, arena, &home);
    if (r == HR_OK && e)
        r = is_whole(p, e->id, arena, &whole);
    row[0].text = context->name;
    row[1].text = home.node;
    row[2].text = e ? hr_component_short(e->type) : NULL;
    row[3].text = home.run;
    if (e) {
        row[4] = hr_cell_int(arena, home.number);
        row[5] = hr_cell_int(arena, e->id);
        row[6] = hr_cell_int(arena, e->create_ms);
    }
    row[7].text = e && e->id <= hr_meta_int(context, HR_FORGOTTEN, 0) ? "forgotten"
                  : whole                                             ? "usable"
                                                                      : "gone";
    return r;
}

/* -- forgetting ------------------------------------------------------------ */

static hr_status forget(struct hr_project *p, const struct hr_meta_node *context, int64_t up_to,
                        int64_t *count)
{
    struct hr_meta_property property = { HR_FORGOTTEN, true, { HR_VALUE_INT, up_to, 0, NULL } };
    hr_status r = hr_store_set_property(p->store, HR_KIND_CONTEXT, context->id, &property);

    *count += r == HR_OK;
    return r;
}

/* Is the key one that is meant: itself, its beginning, or of an execution of the node? */
static hr_status is_meant(struct hr_project *p, const struct hr_meta_node *context,
                          const char *what, struct hr_arena *arena, bool *ret)
{
    struct hr_cell row[8] = { { .text = NULL } };
    hr_status r;

    *ret = !what || (strlen(what) >= 8 && hr_text_starts(context->name, what));
    if (*ret)
        return HR_OK;
    r = hr_cache_row(p, context, arena, row);
    *ret = r == HR_OK && hr_text_eq(row[1].text, what);
    return r;
}

static hr_status forget_all(struct hr_project *p, const char *what, int64_t *count)
{
    struct hr_look keys = { .kind = HR_KIND_CONTEXT, .type = "execution_cache" };
    struct hr_look newest = { .kind = HR_KIND_EXECUTION, .newest_first = true, .limit = 1 };
    struct hr_meta_nodes found = { 0 }, last = { 0 };
    struct hr_arena arena;
    bool meant;
    hr_status r;
    size_t i;

    hr_arena_init(&arena, &p->env, 0);
    r = hr_store_look(p->store, &newest, &arena, &last);
    if (r == HR_OK)
        r = hr_store_look(p->store, &keys, &arena, &found);
    for (i = 0; i < found.count && r == HR_OK; i++) {
        r = is_meant(p, &found.items[i], what, &arena, &meant);
        if (r == HR_OK && meant && last.count)
            r = forget(p, &found.items[i], last.items[0].id, count);
    }
    hr_arena_clear(&arena);
    if (r == HR_OK && what && !*count)
        r = hr_fail(&p->env, HR_NOT_FOUND,
                    "the cache has no key and no node \"%s\"; \"headrace cache list\" lists them",
                    what);
    return r;
}

hr_status hr_cache_clear(hr_project *p, const char *what, int64_t *ret)
{
    int64_t count = 0;
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) == HR_OK)
        r = hr_store_begin(p->store, true);
    if (r < 0)
        return hr_host_done(p, r);
    r = forget_all(p, what, &count);
    if (r == HR_OK)
        r = hr_store_commit(p->store);
    if (r < 0)
        hr_store_rollback(p->store);
    else
        *ret = count;
    return hr_host_done(p, r);
}
