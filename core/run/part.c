#include "run/part.h"

#include <string.h>

bool hr_part_has(const struct hr_pipeline *p, const struct hr_node *node, const char *name)
{
    size_t group = strcmp(node->name, name) ? hr_pipeline_group(p, name) : SIZE_MAX;

    return !strcmp(node->name, name) ||
           (group != SIZE_MAX && hr_pipeline_within(p, node, group));
}

static void mark(const struct hr_pipeline *p, const char *const *names, bool *to)
{
    size_t i;

    for (; names && *names; names++)
        for (i = 0; i < p->node_count; i++)
            to[i] = to[i] || hr_part_has(p, &p->nodes[i], *names);
}

/* What depends on a marked node, or what a marked node depends on, is marked too. */
static void spread(const struct hr_pipeline *p, bool *marks, bool down)
{
    size_t i, k;

    for (i = 0; i < p->node_count; i++) {
        size_t at = p->order[down ? i : p->node_count - 1 - i];
        const struct hr_node *node = &p->nodes[at];

        for (k = 0; k < node->upstream_count; k++)
            if (down && marks[node->upstream[k]])
                marks[at] = true;
            else if (!down && marks[at])
                marks[node->upstream[k]] = true;
    }
}

hr_status hr_part_nodes(const struct hr_pipeline *p, const struct hr_part *part,
                        struct hr_arena *arena, bool *selected)
{
    size_t n = p->node_count, i;
    bool *after = hr_arena_array(arena, n + 1, sizeof *after);
    bool *before = hr_arena_array(arena, n + 1, sizeof *before);

    if (!after || !before)
        return HR_EXHAUSTED;
    mark(p, part->only, selected);
    if (part->only)
        return HR_OK;
    mark(p, part->from, after);
    mark(p, part->to, before);
    spread(p, after, true);
    spread(p, before, false);
    for (i = 0; i < n; i++)
        selected[i] = (after[i] || !part->from) && (before[i] || !part->to);
    return HR_OK;
}
