/* Which run is meant. */
#include <string.h>

#include "host/host.h"

/* By number: of the pipeline whose run is the newest. */
static hr_status by_number(struct hr_project *p, const struct hr_meta_node *newest, int64_t number,
                           struct hr_arena *arena, struct hr_meta_node *ret)
{
    struct hr_meta_nodes parents = { 0 };
    const struct hr_meta_node *pipeline;
    int64_t id = 0;
    hr_status r = hr_store_contexts_of(p->store, HR_KIND_CONTEXT, newest->id, arena, &parents);

    if (r < 0 || number < 1 || !(pipeline = hr_pipeline_among(&parents)))
        return r < 0 ? r : HR_NOT_FOUND;
    r = hr_store_child(p->store, pipeline->id, number, &id);
    return r < 0 ? r : hr_store_get(p->store, HR_KIND_CONTEXT, id, arena, ret);
}

enum { MOST_PARTS = 16 * 16 * 16 * 16 };

/* The newest run that is not that of a sub-pipeline, which is a part of another. */
static hr_status newest_whole(struct hr_project *p, struct hr_arena *arena,
                              struct hr_meta_node *ret)
{
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "pipeline_run", .newest_first = true };
    struct hr_meta_nodes runs = { 0 };
    hr_status r;
    size_t i;

    for (look.limit = 16; look.limit <= MOST_PARTS; look.limit *= 16) {
        if ((r = hr_store_look(p->store, &look, arena, &runs)) < 0)
            return r;
        for (i = 0; i < runs.count; i++)
            if (!hr_meta_text(&runs.items[i], "__part_of")) {
                *ret = runs.items[i];
                return HR_OK;
            }
        if (runs.count < (size_t)look.limit)
            break;
    }
    return HR_NOT_FOUND;
}

hr_status hr_host_run(struct hr_project *p, const char *what, struct hr_arena *arena,
                      struct hr_meta_node *ret)
{
    struct hr_meta_node newest;
    int64_t number = 0, id = 0;
    hr_status r;

    if (what && hr_text_starts(what, "run "))
        what += 4;
    if (what && !hr_num_int(what, strlen(what), &number)) {
        r = hr_store_find_context(p->store, "pipeline_run", what, &id);
        return r < 0 ? r : hr_store_get(p->store, HR_KIND_CONTEXT, id, arena, ret);
    }
    if ((r = newest_whole(p, arena, &newest)) < 0)
        return r;
    if (what)
        return by_number(p, &newest, number, arena, ret);
    *ret = newest;
    return HR_OK;
}

bool hr_run_goes_on(struct hr_project *p, const struct hr_meta_node *run)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .contexts = &run->id,
                            .context_count = 1,
                            .state = HR_EXECUTION_RUNNING };
    struct hr_meta_nodes found = { 0 };
    struct hr_arena arena;
    bool on;

    hr_arena_init(&arena, &p->env, 0);
    on = hr_store_look(p->store, &look, &arena, &found) == HR_OK && found.count > 0;
    hr_arena_clear(&arena);
    return on;
}
