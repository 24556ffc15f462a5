/* expr_tree.h - private to expr: what an expression is read into. */
#ifndef HR_EXPR_TREE_H
#define HR_EXPR_TREE_H

#include "pipeline/expr.h"

enum {
    HR_EXPR_MAX_TEXT = 65536,
    HR_EXPR_MAX_DEPTH = 100,
    HR_EXPR_MAX_STEPS = 100000,
    HR_EXPR_MAX_ITEMS = 10000
};

enum hr_expr_op {
    HR_OP_LITERAL,
    HR_OP_NAME, /* text: "param.steps" */
    HR_OP_CALL, /* text: the function */
    HR_OP_LIST,
    HR_OP_INDEX,
    HR_OP_MEMBER, /* text: its name; args: the value, then what is in ( ) */
    HR_OP_NEGATE,
    HR_OP_NOT,
    HR_OP_AND,
    HR_OP_OR,
    HR_OP_CHOOSE,
    HR_OP_ADD,
    HR_OP_SUBTRACT,
    HR_OP_MULTIPLY,
    HR_OP_DIVIDE,
    HR_OP_REMAINDER,
    HR_OP_EQ,
    HR_OP_NE,
    HR_OP_LT,
    HR_OP_LE,
    HR_OP_GT,
    HR_OP_GE,
    HR_OP_IN
};

struct hr_expr {
    enum hr_expr_op op;
    size_t at; /* offset in the template's text */
    struct hr_term literal;
    const char *text;
    struct hr_expr **args;
    size_t count;
};

/* Text and expressions in turn: a part has the one or the other. */
struct hr_template_part {
    const char *text;
    struct hr_expr *expr;
};

struct hr_template {
    struct hr_place place; /* of the string in its file */
    const char *text;
    struct hr_template_part *parts;
    size_t count, cap;
};

/* Tell an error at an offset of the text: the place, the sentence, the text with a caret. */
HR_PRINTF(5, 6)
hr_status hr_expr_fail(struct hr_env *env, const struct hr_template *t, size_t at,
                       const char *meant, const char *format, ...);

/* Read one expression from *at on, to the } that ends it. */
hr_status hr_expr_parse(struct hr_env *env, const struct hr_template *t, struct hr_arena *arena,
                        size_t *at, struct hr_expr **ret);

/* A function on values. */
struct hr_call {
    struct hr_env *env;
    const struct hr_template *t;
    const struct hr_expr *expr;
    struct hr_arena *arena;
    struct hr_term *args;
    size_t count;
};
hr_status hr_expr_call(const struct hr_call *call, struct hr_term *ret);

/* -1, 0 or 1; 2: they differ, or one is not a number, and there is no order. */
int hr_term_compare(const struct hr_term *a, const struct hr_term *b, bool *ret_comparable);

/* What a comparing operator, HR_OP_EQ to HR_OP_GE, says of that: of 2 only the first two may be
 * asked. */
bool hr_order_holds(enum hr_expr_op op, int order);

#endif
