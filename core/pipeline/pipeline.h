/* pipeline.h - the face of core/pipeline: from a pipeline file to a checked graph.
 *
 *     hr_pipeline_read(env, catalogue, NULL, 0, "pipeline.json", &pipeline);
 *     hr_pipeline_values(pipeline, params, &values);
 *     for (i = 0; i < pipeline->node_count; i++)
 *         hr_pipeline_settings(&pipeline->nodes[pipeline->order[i]], ...);
 *
 * Reading checks every name, type and property against the catalogue and tells all errors
 * at once, each with file, line, column and what may have been meant.
 *
 * Invariants of a pipeline that was read: every channel names an output of a node; order
 * holds each node once, after all that it depends on, ties in the order of the file; every
 * property that a component requires is there; no node depends on one that is "finally".
 *
 *     expr.h  expressions            param.h  parameters and their values
 *     node.h  nodes and channels     standard.h  the types that TFX declares
 */
#ifndef HR_PIPELINE_H
#define HR_PIPELINE_H

#include "pipeline/expr.h"
#include "pipeline/node.h"
#include "pipeline/param.h"
#include "pipeline/standard.h"

/* A file that was read: the pipeline's own, then those it includes. */
struct hr_pipeline_source {
    struct hr_json_doc *doc;
    const char *file, *dir, *full; /* as it was named; absolute: its directory, itself */
    bool part;                     /* a sub-pipeline: it is not merged */
};

struct hr_pipeline {
    struct hr_env *env;
    struct hr_arena arena;
    struct hr_pipeline_source *sources;
    size_t source_count;
    const char *file; /* as it was named */
    const char *dir;  /* absolute; paths are relative to it */
    const char *name, *note;
    struct hr_param *params;
    size_t param_count;
    struct hr_wish *plugins; /* that it lists; takes: what counts in the catalogue for it */
    size_t plugin_count;
    bool listed; /* there is such a list: no others count but the standard ones */
    const bool *takes;
    const char **environment; /* names that expressions may read, ended by NULL */
    struct hr_node *nodes;
    size_t node_count, node_cap;
    struct hr_group *groups;
    size_t group_count;
    size_t *order;
    const char **warnings; /* what is right, and may not be meant: "pipeline.json:7:5: ..." */
    size_t warning_count;
};

/* HR_INVALID: all that is wrong is told.  HR_NOT_FOUND: there is no such file.  pins, of which
 * there are n: what its lock has. */
hr_status hr_pipeline_read(struct hr_env *env, struct hr_catalogue *catalogue,
                           const struct hr_pin *pins, size_t n, const char *file,
                           struct hr_pipeline **ret);
void hr_pipeline_free(struct hr_pipeline *pipeline);

/* The group of a full name, or SIZE_MAX; is a node in it, or in one within it? */
size_t hr_pipeline_group(const struct hr_pipeline *pipeline, const char *name);
bool hr_pipeline_within(const struct hr_pipeline *pipeline, const struct hr_node *node,
                        size_t group);

/* The index of a node, or SIZE_MAX. */
size_t hr_pipeline_find(const struct hr_pipeline *pipeline, const char *node);

/* Everything filled in, all names full, as JSON with an indent of two. */
hr_status hr_pipeline_normal(const struct hr_pipeline *pipeline, struct hr_buf *to);

#endif
