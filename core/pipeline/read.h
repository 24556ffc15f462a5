/* read.h - private to pipeline: reading members of the file with suggestions. */
#ifndef HR_PIPELINE_READ_H
#define HR_PIPELINE_READ_H

#include "pipeline/pipeline.h"

enum {
    HR_MAX_NODES = 10000,
    HR_MAX_PARAMS = 1000,
    HR_MAX_SOURCES = 64,
    HR_MAX_INCLUDE_DEPTH = 8,
    HR_MAX_GROUPS = 1000,
    HR_MAX_GROUP_DEPTH = 8
};

/* A pipeline being read; bad counts what was told. */
struct hr_reader {
    struct hr_env *env;
    struct hr_pipeline *p;
    struct hr_catalogue *catalogue;
    const struct hr_pin *pins; /* of its lock */
    size_t pin_count;
    struct hr_json_doc *doc; /* the file at hand */
    const char *dir, *file;
    size_t group; /* whose nodes are read */
    struct hr_node usual; /* what "defaults" says */
    size_t bad;
};

HR_PRINTF(3, 4)
void hr_bad(struct hr_reader *rd, const struct hr_json *at, const char *format, ...);
/* At the name of a member, with a name of the list that may have been meant. */
HR_PRINTF(5, 6)
void hr_bad_name(struct hr_reader *rd, const struct hr_json *member, const char *const *names,
                 size_t n, const char *format, ...);

/* Tell members of an object that are not in the list. */
void hr_check_members(struct hr_reader *rd, const struct hr_json *object, const char *const *names,
                      size_t n, const char *what);

/* A member of a kind; NULL: absent, or of another kind (told). */
const struct hr_json *hr_want(struct hr_reader *rd, const struct hr_json *object, const char *key,
                              enum hr_json_kind kind);
const char *hr_want_text(struct hr_reader *rd, const struct hr_json *object, const char *key);
bool hr_want_bool(struct hr_reader *rd, const struct hr_json *object, const char *key,
                  bool without);

/* A list of texts, or one text; ended by NULL. */
const char **hr_want_texts(struct hr_reader *rd, const struct hr_json *object, const char *key);

/* Letter, then letters, digits, _ . - ; at most 63. */
bool hr_pipeline_name_ok(const char *name);
/* Is there something before, behind and between the dots of a name?  Not of an empty one. */
bool hr_dots_ok(const char *name);
/* Both of them. */
bool hr_name_ok(const char *name);

/* Read a file and those that it includes into the pipeline's sources. */
hr_status hr_read_source(struct hr_reader *rd, const char *file);

/* A program as a component of this node alone; then the types of its inputs. */
void hr_read_command(struct hr_reader *rd, struct hr_node *node);
void hr_type_inputs(struct hr_reader *rd, struct hr_node *node);

/* "outputs" of a component's node: properties to set on what it gives. */
void hr_read_extras(struct hr_reader *rd, struct hr_node *node);
/* One of them, of which there is room for in extras; custom: whatever the port declares. */
void hr_add_extra(struct hr_reader *rd, struct hr_node *node, size_t output,
                  const struct hr_json *m, bool custom);

/* {"query": {...}} as a channel; NULL: told. */
const struct hr_channel_query *hr_read_query(struct hr_reader *rd, const struct hr_node *node,
                                             const struct hr_json *at);
/* The info of a query's filter: "artifact" has a meaning in it. */
extern const struct hr_property_info hr_query_filter;

/* Warn of nodes that write one thing and have conditions that can both hold. */
void hr_find_overlaps(struct hr_reader *rd);
/* "plugins", which may be NULL, and what of the catalogue counts by it. */
void hr_read_plugins(struct hr_reader *rd, const struct hr_json *list);

/* "if", "for_each" and "finally" of a node; then, with all nodes known, what they read. */
void hr_read_control(struct hr_reader *rd, struct hr_node *node);
void hr_read_reads(struct hr_reader *rd, struct hr_node *node);

/* cache, retries, timeout, memory and isolation of an object; what it does not say stays. */
void hr_read_usual(struct hr_reader *rd, const struct hr_json *object, struct hr_node *node);
/* With all nodes known: what "cache" of "defaults", or of the face of a group, ignores is a
 * property of one of those that it holds for, at least.  group: HR_NO_GROUP for all. */
void hr_check_ignored(struct hr_reader *rd, const struct hr_json *object, size_t group);

/* What a name leads to. */
struct hr_found {
    size_t node;
    const struct hr_node_output *output;
    const int64_t *pick; /* of the output's artifacts, as a hr_channel_ref has it */
    size_t used;         /* bytes of the text that named it, of the first */
};

/* What a name in a namespace leads to: the output of a node, found through sub-pipelines and
 * their inputs.  Several, where a sub-pipeline's input is a union; in turn, by each. */
struct hr_lookup {
    const struct hr_json *at;   /* where it is written, for errors, in the reader's doc */
    const struct hr_node *who;  /* who asks */
    const char *type;           /* what is wanted; NULL: any */
    const char *input;          /* by which input, for errors; may be NULL */
    bool members;               /* the text may go on: "evaluator.blessing.property.blessed" */
    bool any;                   /* it is only to be seen that there are outputs */
    hr_status (*found)(void *user, const struct hr_found *found);
    void *user;
};
/* "examples" of "examples[2]", and the 2; without brackets the text itself, and NULL.
 * HR_INVALID: told and counted. */
hr_status hr_read_pick(struct hr_reader *rd, const struct hr_json *at, const char **text,
                       const int64_t **ret);
/* Told and counted, if there is no such thing.  space: a group, or HR_NO_GROUP. */
void hr_look_up(struct hr_reader *rd, const struct hr_lookup *look, size_t space, const char *text);

/* A node, or all nodes of a sub-pipeline, by each in turn; false: there is none of that name. */
bool hr_each_named(const struct hr_pipeline *p, size_t space, const char *local,
                   void (*found)(void *user, size_t node), void *user);

/* Tell that nothing has this name in a namespace, with what may have been meant. */
void hr_bad_node(struct hr_reader *rd, const struct hr_json *at, const struct hr_node *who,
                 size_t space, const char *name);

/* "part.trainer" of a name in the group at hand. */
const char *hr_full_name(struct hr_reader *rd, const char *local);
/* A node, or the face of a sub-pipeline: the usual, its names, and where it stands. */
void hr_begin_node(struct hr_reader *rd, const struct hr_json *m, struct hr_node *ret);

/* One more node.  NULL: too many, or no memory; told. */
struct hr_node *hr_add_node(struct hr_reader *rd);

/* A sub-pipeline: its face, and the nodes of its body. */
void hr_read_group(struct hr_reader *rd, const struct hr_json *m);
/* With all nodes known: what a node, or a face, has of the groups around it. */
void hr_inherit(struct hr_reader *rd, struct hr_node *node);
void hr_check_group(struct hr_reader *rd, struct hr_group *group);
/* Read the file of a sub-pipeline, which lies beside the file at hand. */
hr_status hr_read_part(struct hr_reader *rd, const char *name, struct hr_pipeline_source **ret);
bool hr_add_upstream(struct hr_reader *rd, struct hr_node *node, size_t up);

void hr_read_params(struct hr_reader *rd, const struct hr_json *list);
void hr_read_nodes(struct hr_reader *rd, const struct hr_json *list);
void hr_read_component(struct hr_reader *rd, struct hr_node *node);
void hr_read_resolver(struct hr_reader *rd, struct hr_node *node);
void hr_read_importer(struct hr_reader *rd, struct hr_node *node);
void hr_read_template(struct hr_reader *rd, struct hr_setting_source *s);

/* After all nodes are known: channels, after, cycles, order. */
void hr_read_inputs(struct hr_reader *rd, struct hr_node *node);
void hr_order_nodes(struct hr_reader *rd);

#endif
