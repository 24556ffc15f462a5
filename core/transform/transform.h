/* transform.h - the face of core/transform: columns become features by a file of equations.
 *
 * A features file is parsed, typed against columns, analysed over data in phases, and what
 * remains is a plan: a list of steps over columns that training and serving both evaluate.
 *
 *     hr_features_parse(env, "taxi.features", text, n, &features);
 *     hr_features_check(env, features, columns, count, &program);
 *     hr_program_analyze(env, program, &source);
 *     hr_program_plan(env, program, &plan);
 *     hr_plan_save(env, plan, dir);
 *     ...
 *     hr_plan_open(env, dir, &plan);
 *     hr_apply_new(env, plan, schema, 0, &apply);
 *     hr_apply_batch(apply, &rows, &result, &error);
 *
 * Invariants:
 *  - the bytes of a result do not depend on how rows are cut into batches;
 *  - a plan and an hr_apply do not change after they are made: any number of threads may
 *    apply one at once;
 *  - whatever a plan holds was typed when it was read: no step can read beyond its input.
 */
#ifndef HR_TRANSFORM_H
#define HR_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "headrace/arrow.h"
#include "headrace/flow.h"

enum { HR_FEATURE_INT = 1, HR_FEATURE_FLOAT = 2, HR_FEATURE_BYTES = 3 };
enum {
    HR_FEATURE_DENSE = 1,    /* a fixed number of values in every row */
    HR_FEATURE_OPTIONAL = 2, /* none or one */
    HR_FEATURE_LIST = 3      /* any number */
};
enum { HR_FEATURE_RANK = 4 };

enum {
    HR_MAX_FEATURES_BYTES = 1 << 20,    /* of a features file: a person wrote it */
    HR_MAX_FEATURES_STATEMENTS = 10000, /* after templates are expanded */
    HR_MAX_FEATURES_DEPTH = 200,        /* of nested expressions: the parser recurses */
    HR_MAX_FEATURES_ARGS = 1000,        /* of a call or list */
    HR_MAX_PLAN_STEPS = 1 << 20,        /* a file of the size above cannot make more */
    HR_MAX_FEATURE_SIZE = 1 << 20       /* values of a dense feature in a row */
};

/* A column as it comes in, or a feature as it goes out. */
struct hr_feature {
    const char *name;
    int32_t type, shape;
    int32_t rank; /* of a dense one: dimensions after the row; 0: a scalar */
    int32_t dims[HR_FEATURE_RANK];
    bool has_domain, categorical; /* of an output that is an int */
    int64_t domain_min, domain_max;
};

/* The columns of a schema of tensorflow.metadata in its text format.  All memory is the
 * arena's.  HR_INVALID: each mistake is told in the arena's env. */
hr_status hr_columns_read(struct hr_arena *arena, const char *name, const char *text, size_t n,
                          struct hr_feature **ret, size_t *ret_count);

/* -- a features file ---------------------------------------- */

struct hr_features;

/* Read a file's text; name is for errors.  HR_INVALID: each mistake is told in env, with its
 * place and the line. */
hr_status hr_features_parse(struct hr_env *env, const char *name, const char *text, size_t n,
                            struct hr_features **ret);
void hr_features_free(struct hr_features *features);

/* -- typed ---------------------------------------- */

struct hr_program;

/* Type it against the columns there are.  HR_INVALID: all mistakes are told in env.
 * features must outlive the program. */
hr_status hr_features_check(struct hr_env *env, const struct hr_features *features,
                            const struct hr_feature *columns, size_t count,
                            struct hr_program **ret);
void hr_program_free(struct hr_program *program);

/* Run the tests of the file that expect no output of an analyzer.  HR_INVALID: one fails, all
 * that do are told.  *ret_count: how many ran. */
hr_status hr_program_test(struct hr_env *env, struct hr_program *program, size_t *ret_count);

/* -- analysis ---------------------------------------- */

/* One combine of a phase: a function of hr_transform_functions over the map's output. */
struct hr_analysis {
    const char *function; /* "analyze.mean_var" */
    const char *config;   /* text */
};

/* All analyzers whose inputs are known now.  count 0: none is left. */
struct hr_phase {
    const void *config; /* of the map "transform.apply", whose rows the combines take */
    size_t size;
    const struct hr_analysis *items;
    size_t count;
};

/* The next phase; what it points to lives until the next call.  */
hr_status hr_program_phase(struct hr_env *env, struct hr_program *program, struct hr_phase *ret);

/* The one row that the i-th combine of the phase gave. */
hr_status hr_program_result(struct hr_env *env, struct hr_program *program, size_t i,
                            const struct ArrowSchema *schema, const struct ArrowArray *row);

/* Where the rows of an analysis come from. */
struct hr_transform_source {
    const hr_flow_1 *flow;
    hr_run *run;
    const char *key;           /* the input */
    uint32_t artifacts;        /* how many it has */
    const char *const *splits; /* ended by NULL; NULL: all */
    const char *apply;         /* HR_TRANSFORM_APPLY, or what leaves bad rows out */
};

/* All phases, each one flow.  HR_INVALID and others: of the flow, told there. */
hr_status hr_program_analyze(struct hr_env *env, struct hr_program *program,
                             const struct hr_transform_source *source);

/* Sentences about what looks odd in the results, one a line; "" if nothing does. */
const char *hr_program_warnings(const struct hr_program *program);

/* -- plans ---------------------------------------- */

struct hr_plan;

/* HR_PRECONDITION: an analyzer has no result yet. */
hr_status hr_program_plan(struct hr_env *env, struct hr_program *program, struct hr_plan **ret);

/* Write the directory: transform_fn/, transformed_metadata/.  source is the features file;
 * NULL: none is kept. */
hr_status hr_plan_save(struct hr_env *env, const struct hr_plan *plan, const char *dir,
                       const char *source, size_t n);

/* Read the directory.  HR_DATA_LOSS: its digest does not fit its files; HR_UNIMPLEMENTED: the
 * plan is of a newer format. */
hr_status hr_plan_open(struct hr_env *env, const char *dir, struct hr_plan **ret);
void hr_plan_close(struct hr_plan *plan);

/* The plan with its vocabularies as bytes, which travel as the config of "transform.apply". */
hr_status hr_plan_pack(const struct hr_plan *plan, struct hr_buf *to);
hr_status hr_plan_unpack(struct hr_env *env, const void *bytes, size_t n, struct hr_plan **ret);

/* 64 hexadecimal digits: of what hr_plan_pack() gives. */
const char *hr_plan_digest(const struct hr_plan *plan);

/* Columns that are read; features that are made, sorted by name. */
size_t hr_plan_inputs(const struct hr_plan *plan, const struct hr_feature **ret);
size_t hr_plan_outputs(const struct hr_plan *plan, const struct hr_feature **ret);

/* The tokens of the vocabulary an output's values are lines of; false: it has none.
 * *ret_tokens is an array of *ret_count. */
bool hr_plan_vocabulary(const struct hr_plan *plan, const char *output,
                        const struct hr_slice **ret_tokens, size_t *ret_count);

/* -- applying ---------------------------------------- */

struct hr_apply;

/* Outputs that need a column which is not there are left out, not refused. */
enum { HR_APPLY_DROP_UNUSED = 1 };

/* Why a row was refused. */
struct hr_apply_error {
    hr_status code;
    int64_t row; /* of the batch; -1: not known */
    char text[480];
};

/* The plan over rows of a schema; columns are found by name.  The plan must outlive it.
 * HR_INVALID: a column lacks or is of a wrong type.  NULL as schema: rows with the plan's
 * inputs, in their order. */
hr_status hr_apply_new(struct hr_env *env, const struct hr_plan *plan,
                       const struct ArrowSchema *schema, int flags, struct hr_apply **ret);
void hr_apply_free(struct hr_apply *apply);

/* Outputs that are made: indices of hr_plan_outputs(), ascending. */
size_t hr_apply_outputs(const struct hr_apply *apply, const int32_t **ret);

/* Inputs that they read: indices of hr_plan_inputs(), ascending. */
size_t hr_apply_needs(const struct hr_apply *apply, const int32_t **ret);

/* Do it only for outputs that are listed, ascending indices of hr_plan_outputs(). */
hr_status hr_apply_only(struct hr_apply *apply, const int32_t *outputs, size_t n);

/* The schema of the result. */
hr_status hr_apply_schema(const struct hr_apply *apply, struct ArrowSchema *ret);

/* rows is left alone; *ret does not point into it.  [many] */
hr_status hr_apply_batch(const struct hr_apply *apply, const struct ArrowArray *rows,
                         struct ArrowArray *ret, struct hr_apply_error *error);

/* A row type for the plan's inputs. */
hr_status hr_plan_schema(const struct hr_plan *plan, struct ArrowSchema *ret);

/* -- functions for flows ---------------------------------------- */

/* A plan over rows; and the same that leaves a row out that cannot be computed, with a warning
 * in the log, where the first fails. */
#define HR_TRANSFORM_APPLY "transform.apply"
#define HR_TRANSFORM_APPLY_OR_DROP "transform.apply_or_drop"

/* These and each "analyze.NAME", ended by NULL: for hr_component.functions. */
extern const hr_function *const hr_transform_functions[];

/* -- the hash of TFT's hash_strings ---------------------------------------- */

uint64_t hr_fingerprint64(const void *bytes, size_t n);
uint64_t hr_siphash(uint64_t k0, uint64_t k1, const void *bytes, size_t n);

#endif
