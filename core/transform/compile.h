/* compile.h - a features file, typed: from trees to steps.
 *
 * An expression becomes the index of a step; -1 where an error was told, which what is built
 * on it takes and passes on without another word.
 */
#ifndef HR_TRANSFORM_COMPILE_H
#define HR_TRANSFORM_COMPILE_H

#include "transform/ir.h"
#include "transform/parse.h"

/* The variable of a template and what it stands for. */
struct hr_bind {
    struct hr_slice name, value;
    const struct hr_bind *up;
};

/* The parameters of a def and their steps. */
struct hr_scope {
    const struct hr_slice *names;
    const int32_t *steps;
    size_t n;
};

struct hr_equation {
    const char *name;
    const struct hr_statement *at;
    const struct hr_ast *expr;
    const struct hr_bind *binds;
    int state; /* 0 new, 1 being compiled, 2 done */
    int32_t step;
};

/* Where an expression stands. */
struct hr_where {
    const struct hr_bind *binds;
    const struct hr_scope *scope; /* NULL: not in a def */
    const struct hr_equation *self;
};

struct hr_output {
    const char *name;
    int32_t step;
};

/* An analyzer of the phase at hand: one combine, the steps it gives. */
struct hr_pending {
    const char *function;
    int32_t x, w;   /* steps; w -1: none */
    int32_t params; /* the first step of it, whose parameters it takes */
    const char *config;
    bool done;
};

struct hr_program {
    struct hr_env *env;
    const struct hr_features *features;
    const struct hr_feature *columns;
    size_t ncolumns;
    struct hr_arena arena;
    struct hr_ir ir;
    struct hr_equation *equations;
    size_t nequations, cap_equations;
    uint32_t *slots; /* of equations by name: place + 1 */
    size_t nslots;
    const struct hr_statement **defs;
    size_t ndefs, cap_defs;
    struct hr_output *outputs;
    size_t noutputs, cap_outputs;
    int32_t *known; /* of each step: what took an analyzer's place; -1: not known yet */
    size_t nknown;
    struct hr_pending *pending;
    struct hr_analysis *analyses;
    size_t npending;
    struct hr_buf config, warnings;
    int calls;       /* of compute_and_apply_vocabulary, which name their files */
    int vocab_calls; /* of vocabulary */
    int depth;
    size_t steps_of_defs; /* expansions so far */
    bool failed;
    bool too_deep; /* told once */
};

/* The step of an expression. */
int32_t hr_compile(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a);

/* A call of a function of the language. */
int32_t hr_compile_call(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a);

/* Tell an error at a part of the tree.  Returns -1. */
HR_PRINTF(4, 5)
int32_t hr_compile_fail(struct hr_program *p, const struct hr_ast *at, const char *meant,
                        const char *format, ...);

/* Add a step; what is wrong is told at a part of the tree under that name. */
int32_t hr_compile_add(struct hr_program *p, const struct hr_ast *at, const char *name,
                       const struct hr_step *s);
int32_t hr_compile_op(struct hr_program *p, const struct hr_ast *at, const char *name, int op,
                      const int32_t *args, int32_t n);

/* An int step as float; others as they are. */
int32_t hr_compile_float(struct hr_program *p, const struct hr_ast *at, int32_t step);
/* Make two, or n, steps one type, int giving way to float, and one number of values. */
void hr_compile_unify(struct hr_program *p, const struct hr_ast *at, int32_t *steps, int n);

/* x with a bool of whether it is in a list. */
int32_t hr_compile_in(struct hr_program *p, const struct hr_ast *at, int32_t x,
                      const struct hr_ast *list);

const struct hr_ty *hr_compile_type(const struct hr_program *p, int32_t step);

/* "fare", or "this expression": how an argument is called in a sentence. */
const char *hr_compile_called(struct hr_program *p, const struct hr_ast *a);

/* The name in a tree, its template variables replaced; NULL: no memory. */
const char *hr_compile_name(struct hr_program *p, const struct hr_bind *binds,
                            struct hr_slice name);

/* Are the constants of the tests such that analyzers find?  Mistakes are told. */
void hr_check_constants(struct hr_program *p);

/* Names of all functions, for suggestions. */
size_t hr_function_names(const char *const **ret);

/* Is a pattern one that the regular expressions take?  false: why, in text. */
bool hr_regex_check(struct hr_slice pattern, char *text, size_t size);

#endif
