/* node.h - nodes of a pipeline: what was written, checked. */
#ifndef HR_NODE_H
#define HR_NODE_H

#include "pipeline/expr.h"
#include "pipeline/param.h"
#include "plugin/plugin.h"

struct hr_pipeline;

enum hr_node_kind { HR_NODE_COMPONENT, HR_NODE_RESOLVER, HR_NODE_IMPORTER };

/* A property as written: JSON with, perhaps, expressions in its strings. */
struct hr_setting_source {
    const struct hr_property_info *info;
    const struct hr_json *value; /* NULL: the component's default */
    struct hr_template *expr;    /* where the value is a string with expressions */
    struct hr_place place;
};

/* Artifacts of the store, of any run: the newest first. */
struct hr_channel_query {
    const char *type;    /* NULL: as the input wants */
    const char *context; /* a pipeline, a run, or PIPELINE.NODE; NULL: this pipeline */
    struct hr_setting_source filter; /* of each "artifact"; without value: all */
    int64_t limit;                   /* how many; 0: all */
};

/* One source of an input: an output of another node, the element of "for_each", or a query.
 * pick: of its list only this one, as "node.output[2]" says; below 0 from the end; NULL: all. */
enum { HR_CHANNEL_ITEM = -1, HR_CHANNEL_QUERY = -2 };
struct hr_channel_ref {
    size_t node; /* or one of these, as size_t */
    const char *output;
    const struct hr_channel_query *query;
    const int64_t *pick;
};

enum { HR_NO_GROUP = -1 };

struct hr_input {
    const char *key;
    size_t space;      /* of what "if" or "for_each" read: the group whose names it uses, */
    const char *alias; /* and "NODE.OUTPUT" as it is written there */
    const struct hr_port_info *port;
    struct hr_channel_ref *channels; /* their union, in this order */
    size_t channel_count;
    struct hr_place place;
};

struct hr_node_output {
    const char *key, *type;
    const struct hr_port_info *port; /* of an importer what its type declares; NULL: a resolver's */
};

/* A property that the node's file sets on an output; info is the port's, if that declares it, and
 * it is not to be custom all the same. */
struct hr_extra {
    size_t output;
    bool custom; /* of an importer: it is none of those that the type declares */
    struct hr_setting_source source;
};

/* What a resolver does: its strategies, ended by NULL, in turn; and "config", for all of them. */
struct hr_resolver {
    const char **strategies;
    int64_t wanted;       /* desired_num_of_artifacts: how many; 1 */
    const char *key;      /* of filters: the property, */
    struct hr_term value; /* and what it must be */
    int64_t start, stop, step; /* of slice; */
    bool has_start, has_stop;
    int64_t min_count;    /* and how many there must be */
    int64_t index;        /* of pick */
    int64_t seed;         /* of shuffle */
    const char *policy;   /* of latest_policy_model */
    const char *pipeline; /* of latest_pipeline_run_outputs; NULL: this one */
};

/* One instance for each element of a list. */
struct hr_each {
    struct hr_setting_source in;
    const char *as;   /* what expressions call the element; "item" unless said */
    int32_t parallel; /* instances at once; 0: as the run's jobs */
};

struct hr_node {
    const char *name, *note; /* "part.trainer" of a node in the sub-pipeline "part" */
    const char *local;       /* "trainer" */
    size_t group;            /* the sub-pipeline it stands in; (size_t)HR_NO_GROUP: none */
    enum hr_node_kind kind;
    const struct hr_json *json;
    const struct hr_json_doc *doc; /* of json */
    const char *dir;               /* of its file: paths are relative to it */
    struct hr_place place;
    const struct hr_component_info *component; /* of a HR_NODE_COMPONENT */
    struct hr_input *inputs;
    size_t input_count;
    struct hr_setting_source *settings; /* in the order of the component's properties */
    size_t setting_count;
    struct hr_node_output *outputs;
    size_t output_count;
    struct hr_extra *extras; /* of components, by output; of an importer all properties */
    size_t extra_count;
    struct hr_resolver *resolver;        /* of a HR_NODE_RESOLVER */
    struct hr_setting_source source_uri; /* of an importer */
    const char *import_type;
    bool reimport;
    struct hr_setting_source condition; /* "if"; without value: none */
    struct hr_each *each;               /* its own "for_each"; NULL: none */
    const struct hr_node **loops;       /* who has one: sub-pipelines around it, from the */
    size_t loop_count;                  /* outermost, then it itself */
    struct hr_input *reads; /* of other nodes, by the two: key "_NODE.OUTPUT", without port */
    size_t read_count;
    bool command; /* component is made from the node: a program, in a worker */
    bool last; /* "finally": when all others have ended, however */
    bool late; /* its properties read artifacts or items: they are known when it begins */
    size_t *upstream; /* nodes that must be done before, each once, ascending */
    size_t upstream_count;
    bool cache;
    const char **cache_ignore; /* properties, ended by NULL */
    int32_t retries;
    int64_t timeout_ms; /* 0: none */
    int64_t memory;     /* bytes; 0: no limit */
    int32_t isolation;  /* HR_ISOLATE or HR_ISOLATE_NONE */
};

/* A property with its value for one run. */
struct hr_setting {
    const struct hr_property_info *info;
    struct hr_term value; /* UNKNOWN where a parameter is; paths are absolute */
    const char *written;  /* JSON, expressions as they stand: for cache keys */
};

/* All properties of a node, defaults filled in.  All errors are told. */
hr_status hr_node_settings(const struct hr_pipeline *pipeline, const struct hr_node *node,
                           const struct hr_param_values *values, struct hr_arena *arena,
                           struct hr_setting **ret);

/* Likewise what the file sets on outputs, one for each extra. */
hr_status hr_node_extras(const struct hr_pipeline *pipeline, const struct hr_node *node,
                         const struct hr_param_values *values, struct hr_arena *arena,
                         struct hr_setting **ret);

/* A string of the file, its expressions computed. */
hr_status hr_node_text(const struct hr_pipeline *pipeline, const struct hr_node *node,
                       const struct hr_setting_source *source, const struct hr_param_values *values,
                       struct hr_arena *arena, struct hr_term *ret);

/* Which of a node's loops calls its element so; SIZE_MAX: none. */
size_t hr_node_loop(const struct hr_node *node, const char *as);

enum { HR_MAX_LOOPS = 4 };

/* A sub-pipeline: its nodes stand among all others, with its name before theirs.  Where it is
 * asked for, its face says so as a node does: name, condition, each, group (the one around). */
struct hr_group {
    struct hr_node face;
    const struct hr_json *body; /* "nodes", "inputs", "outputs" */
    const struct hr_json_doc *body_doc;
};

#endif
