/* read.h - private to pipeline: reading members of the file with suggestions. */
#ifndef HR_PIPELINE_READ_H
#define HR_PIPELINE_READ_H

#include "pipeline/pipeline.h"

enum { HR_MAX_NODES = 10000, HR_MAX_PARAMS = 1000, HR_MAX_SOURCES = 64, HR_MAX_INCLUDE_DEPTH = 8 };

/* A pipeline being read; bad counts what was told. */
struct hr_reader {
    struct hr_env *env;
    struct hr_pipeline *p;
    struct hr_catalogue *catalogue;
    struct hr_json_doc *doc; /* the file at hand */
    const char *dir;
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

/* name: letter or _, then letters, digits, _ . - ; at most 63. */
bool hr_name_ok(const char *name);

/* Read a file and those that it includes into the pipeline's sources. */
hr_status hr_read_source(struct hr_reader *rd, const char *file);

/* A program as a component of this node alone; then the types of its inputs. */
void hr_read_command(struct hr_reader *rd, struct hr_node *node);
void hr_type_inputs(struct hr_reader *rd, struct hr_node *node);

/* "if", "for_each" and "finally" of a node; then, with all nodes known, what they read. */
void hr_read_control(struct hr_reader *rd, struct hr_node *node);
void hr_read_reads(struct hr_reader *rd, struct hr_node *node);

/* cache, retries, timeout, memory and isolation of an object; what it does not say stays. */
void hr_read_usual(struct hr_reader *rd, const struct hr_json *object, struct hr_node *node);

/* Find "node" or "node.output" in a text: SIZE_MAX if there is no such node. */
size_t hr_split_channel(const struct hr_pipeline *p, const char *text, const char **ret_output);
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
