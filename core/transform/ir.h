/* ir.h - what a features file becomes: steps in order, each over results of earlier ones.
 *
 * A step has an op, arguments (indices of earlier steps), and parameters as three lists of
 * numbers and texts, whose meaning is the op's.  hr_ir_type() gives the type of a step from
 * those of its arguments; both the compiler and the reader of plans go through it, so no plan
 * that was read can be typed wrongly.
 *
 * Equal steps are made once.  Memory is the arena's.
 */
#ifndef HR_TRANSFORM_IR_H
#define HR_TRANSFORM_IR_H

#include "transform/transform.h"

enum hr_elem { HR_E_INT = 1, HR_E_FLOAT = 2, HR_E_BYTES = 3, HR_E_BOOL = 4, HR_E_VOCAB = 5 };
enum hr_shape { HR_S_CONST = 0, HR_S_DENSE = 1, HR_S_OPTIONAL = 2, HR_S_LIST = 3 };

struct hr_ty {
    uint8_t elem, shape;
    int32_t rank;
    int32_t dims[HR_FEATURE_RANK];
};

/* What kind of step it is, for typing and for running. */
enum hr_class {
    HR_C_LEAF,    /* no arguments */
    HR_C_MATH,    /* value by value, float to float */
    HR_C_MATH2,   /* two numbers of one type to the same */
    HR_C_COMPARE, /* two values of one type to bool */
    HR_C_LOGIC,   /* bools */
    HR_C_EACH,    /* value by value, typed on its own */
    HR_C_ROW,     /* row by row: lists and vectors */
    HR_C_ANALYZER /* over all rows; in no plan */
};

/* X(op, name, least arguments, most arguments, class) */
#define HR_OPS(X)                                                                                  \
    X(HR_OP_INPUT, "input", 0, 0, HR_C_LEAF)           /* ints: column */                          \
    X(HR_OP_CONST, "const", 0, 0, HR_C_LEAF)           /* ints: elem, rank, dims */                \
    X(HR_OP_VOCABULARY, "vocabulary", 0, 0, HR_C_LEAF) /* ints: index */                           \
    X(HR_OP_BROADCAST, "broadcast", 1, 1, HR_C_ROW)    /* ints: dims */                            \
    X(HR_OP_TO_FLOAT, "to_float", 1, 1, HR_C_EACH)                                                 \
    X(HR_OP_TO_INT, "to_int", 1, 1, HR_C_EACH)                                                     \
    X(HR_OP_TO_BYTES, "to_bytes", 1, 1, HR_C_EACH)                                                 \
    X(HR_OP_TO_NUMBER, "to_number", 1, 2, HR_C_EACH)                                               \
    X(HR_OP_ADD, "add", 2, 2, HR_C_MATH2)                                                          \
    X(HR_OP_SUB, "sub", 2, 2, HR_C_MATH2)                                                          \
    X(HR_OP_MUL, "mul", 2, 2, HR_C_MATH2)                                                          \
    X(HR_OP_DIV, "div", 2, 2, HR_C_MATH2)                                                          \
    X(HR_OP_FLOORDIV, "floordiv", 2, 2, HR_C_MATH2)                                                \
    X(HR_OP_MOD, "mod", 2, 2, HR_C_MATH2)                                                          \
    X(HR_OP_POW, "pow", 2, 2, HR_C_MATH2)                                                          \
    X(HR_OP_MIN2, "min2", 2, 2, HR_C_MATH2)                                                        \
    X(HR_OP_MAX2, "max2", 2, 2, HR_C_MATH2)                                                        \
    X(HR_OP_NEG, "neg", 1, 1, HR_C_EACH)                                                           \
    X(HR_OP_ABS, "abs", 1, 1, HR_C_EACH)                                                           \
    X(HR_OP_SIGN, "sign", 1, 1, HR_C_EACH)                                                         \
    X(HR_OP_SQRT, "sqrt", 1, 1, HR_C_MATH)                                                         \
    X(HR_OP_EXP, "exp", 1, 1, HR_C_MATH)                                                           \
    X(HR_OP_LOG, "log", 1, 1, HR_C_MATH)                                                           \
    X(HR_OP_LOG1P, "log1p", 1, 1, HR_C_MATH)                                                       \
    X(HR_OP_ROUND, "round", 1, 1, HR_C_MATH)                                                       \
    X(HR_OP_FLOOR, "floor", 1, 1, HR_C_MATH)                                                       \
    X(HR_OP_CEIL, "ceil", 1, 1, HR_C_MATH)                                                         \
    X(HR_OP_EQ, "eq", 2, 2, HR_C_COMPARE)                                                          \
    X(HR_OP_NE, "ne", 2, 2, HR_C_COMPARE)                                                          \
    X(HR_OP_LT, "lt", 2, 2, HR_C_COMPARE)                                                          \
    X(HR_OP_LE, "le", 2, 2, HR_C_COMPARE)                                                          \
    X(HR_OP_AND, "and", 2, 2, HR_C_LOGIC)                                                          \
    X(HR_OP_OR, "or", 2, 2, HR_C_LOGIC)                                                            \
    X(HR_OP_NOT, "not", 1, 1, HR_C_LOGIC)                                                          \
    X(HR_OP_IF_ELSE, "if_else", 3, 3, HR_C_EACH)                                                   \
    X(HR_OP_IS_NAN, "is_nan", 1, 1, HR_C_EACH)                                                     \
    X(HR_OP_FILL_NAN, "fill_nan", 2, 2, HR_C_EACH)                                                 \
    X(HR_OP_IS_MISSING, "is_missing", 1, 1, HR_C_ROW)                                              \
    X(HR_OP_FILL, "fill", 2, 2, HR_C_ROW)                                                          \
    X(HR_OP_Z_SCORE, "z_score", 3, 3, HR_C_EACH)                   /* x, mean, var */              \
    X(HR_OP_MIN_MAX, "min_max", 3, 3, HR_C_EACH)                   /* x, min, max; floats: to */   \
    X(HR_OP_BUCKETS, "buckets", 2, 2, HR_C_EACH)                   /* x, borders */                \
    X(HR_OP_APPLY_VOCABULARY, "apply_vocabulary", 2, 2, HR_C_EACH) /* ints: oov, default */        \
    X(HR_OP_HASH, "hash_strings", 1, 1, HR_C_EACH)                 /* ints: n, keyed, k0, k1 */    \
    X(HR_OP_LOOKUP, "lookup", 1, 1, HR_C_EACH)                     /* keys, values, default */     \
    X(HR_OP_IN, "in", 1, 1, HR_C_EACH)                             /* keys */                      \
    X(HR_OP_LOWER, "lower", 1, 1, HR_C_EACH)                                                       \
    X(HR_OP_UPPER, "upper", 1, 1, HR_C_EACH)                                                       \
    X(HR_OP_STRIP, "strip", 1, 1, HR_C_EACH)                                                       \
    X(HR_OP_LENGTH, "length", 1, 1, HR_C_EACH) /* ints: characters */                              \
    X(HR_OP_SUBSTR, "substr", 1, 1, HR_C_EACH) /* ints: from, n, characters */                     \
    X(HR_OP_CONCAT_TEXT, "concat_text", 2, 1000, HR_C_EACH)                                        \
    X(HR_OP_REPLACE, "regex_replace", 1, 1, HR_C_EACH) /* texts: pattern, rewrite */               \
    X(HR_OP_MATCH, "regex_match", 1, 1, HR_C_EACH)     /* texts: pattern */                        \
    X(HR_OP_EXTRACT, "regex_extract", 1, 1, HR_C_ROW)  /* texts: pattern; ints: group */           \
    X(HR_OP_SPLIT, "split", 1, 1, HR_C_ROW)            /* texts: sep; ints: skip empty */          \
    X(HR_OP_JOIN, "join", 1, 1, HR_C_ROW)              /* texts: sep */                            \
    X(HR_OP_AT, "at", 1, 1, HR_C_ROW)                  /* ints: index, -1 the last */              \
    X(HR_OP_LEN, "len", 1, 1, HR_C_ROW)                                                            \
    X(HR_OP_DENSIFY, "densify", 2, 2, HR_C_ROW) /* x, v; ints: n */                                \
    X(HR_OP_CONCAT, "concat", 1, 1000, HR_C_ROW)                                                   \
    X(HR_OP_REDUCE_SUM, "reduce_sum", 1, 1, HR_C_ROW)                                              \
    X(HR_OP_REDUCE_MEAN, "reduce_mean", 1, 1, HR_C_ROW)                                            \
    X(HR_OP_REDUCE_MAX, "reduce_max", 1, 1, HR_C_ROW)                                              \
    X(HR_OP_REDUCE_MIN, "reduce_min", 1, 1, HR_C_ROW)                                              \
    X(HR_OP_ONE_HOT, "one_hot", 1, 1, HR_C_ROW)     /* ints: depth */                              \
    X(HR_OP_MULTI_HOT, "multi_hot", 1, 1, HR_C_ROW) /* ints: depth */                              \
    X(HR_OP_ANNOTATE, "annotate", 1, 1, HR_C_EACH)  /* ints: categorical, domain, min, max */      \
    X(HR_OP_MEAN, "mean", 1, 1, HR_C_ANALYZER)      /* ints: elementwise */                        \
    X(HR_OP_VAR, "var", 1, 1, HR_C_ANALYZER)        /* ints: elementwise */                        \
    X(HR_OP_SUM, "sum", 1, 1, HR_C_ANALYZER)                                                       \
    X(HR_OP_SIZE, "size", 1, 1, HR_C_ANALYZER)                                                     \
    X(HR_OP_COUNT, "count", 1, 1, HR_C_ANALYZER)                                                   \
    X(HR_OP_MIN, "min", 1, 1, HR_C_ANALYZER)             /* ints: elementwise */                   \
    X(HR_OP_MAX, "max", 1, 1, HR_C_ANALYZER)             /* ints: elementwise */                   \
    X(HR_OP_QUANTILES, "quantiles", 1, 2, HR_C_ANALYZER) /* ints: n; floats: epsilon */            \
    X(HR_OP_BUILD_VOCABULARY, "build_vocabulary", 1, 1, HR_C_ANALYZER)                             \
    /* ints: top_k, threshold; texts: name */

enum hr_op {
#define X(op, name, least, most, class_) op,
    HR_OPS(X)
#undef X
        HR_OP_COUNT_
};

struct hr_step {
    uint8_t op;
    struct hr_ty type;
    int32_t nargs, nints, nfloats, ntexts;
    const int32_t *args;
    const int64_t *ints;
    const float *floats;
    const struct hr_slice *texts;
};

/* Tokens with their places, and a table that finds them. */
struct hr_vocab {
    const char *name; /* of the asset's file */
    bool ints;        /* tokens are integers as text */
    bool empty;       /* there was none: the file has one dummy line */
    size_t count;
    struct hr_slice *tokens;
    uint32_t *slots; /* place + 1; 0: free */
    size_t mask;
};

struct hr_ir {
    struct hr_env *env;
    struct hr_arena arena;
    struct hr_feature *inputs;
    size_t ninputs;
    struct hr_step *steps;
    size_t nsteps, cap;
    struct hr_vocab *vocabs;
    size_t nvocabs, cap_vocabs;
    uint32_t *slots; /* of equal steps; step + 1 */
    size_t nslots;
};

void hr_ir_init(struct hr_ir *ir, struct hr_env *env);
void hr_ir_clear(struct hr_ir *ir);

const char *hr_op_name(int op);
int hr_op_class(int op);
/* -1: no such op. */
int hr_op_find(const char *name);

/* Values of a row. */
int64_t hr_ty_size(const struct hr_ty *t);
/* "bytes", "float" */
const char *hr_elem_name(int elem);
size_t hr_elem_size(int elem);

/* The type of a step whose arguments are steps of ir.  false: what is wrong is in text. */
bool hr_ir_type(const struct hr_ir *ir, const struct hr_step *s, struct hr_ty *ret, char *text,
                size_t size);

/* Add a copy of *s, typed; or find its equal.  The index, or -1: told in text, or no memory
 * (text is "" then and env has it). */
int32_t hr_ir_add(struct hr_ir *ir, const struct hr_step *s, char *text, size_t size);

/* A constant number or text. */
int32_t hr_ir_int(struct hr_ir *ir, int64_t v);
int32_t hr_ir_float(struct hr_ir *ir, float v);

/* Take a vocabulary: builds its table.  The index, or -1: no memory. */
int32_t hr_ir_vocab(struct hr_ir *ir, const char *name, bool ints, struct hr_slice *tokens,
                    size_t count);
/* The place of a token; -1: none. */
int64_t hr_vocab_find(const struct hr_vocab *v, const void *bytes, size_t n);

#endif
