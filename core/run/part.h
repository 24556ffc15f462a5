/* part.h - which nodes a run of a part is to run. */
#ifndef HR_PART_H
#define HR_PART_H

#include "pipeline/pipeline.h"

/* Names of nodes and sub-pipelines that are there, each list ended by NULL; NULL: not given. */
struct hr_part {
    const char *const *only, *const *from, *const *to;
};

/* selected, of as many as the pipeline has nodes: what is named by only; or all that come after one
 * of from, if it is given, and before one of to, if that is.  For want of memory it fails only. */
hr_status hr_part_nodes(const struct hr_pipeline *pipeline, const struct hr_part *part,
                        struct hr_arena *arena, bool *selected);

/* Is it the node of that name, or in the sub-pipeline of that name? */
bool hr_part_has(const struct hr_pipeline *pipeline, const struct hr_node *node, const char *name);

#endif
