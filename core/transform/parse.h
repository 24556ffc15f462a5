/* parse.h - the text of a features file as a tree, each part with its place.
 *
 *     file      = { statement } ;
 *     statement = NAME "=" expr NEWLINE | template | def | test ;
 *     template  = "for" NAME "in" ( "[" names "]" | "columns" "(" pattern [ "," type ] ")" )
 *                 ":" NEWLINE INDENT { statement } DEDENT ;
 *     def       = "def" NAME "(" names ")" "=" expr NEWLINE ;
 *     test      = "test" STRING ":" NEWLINE
 *                 INDENT "given" row NEWLINE "expect" row { constants } NEWLINE DEDENT ;
 *     constants = "{" call ":" NUMBER { "," call ":" NUMBER } "}" ;
 *     expr      = or ; or = and { "or" and } ; and = not { "and" not } ; not = [ "not" ] cmp ;
 *     cmp       = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" ) sum ] ;
 *     sum       = product { ( "+" | "-" ) product } ;
 *     product   = unary { ( "*" | "/" | "//" | "%" ) unary } ; unary = [ "-" ] atom ;
 *     atom      = NUMBER | STRING | "true" | "false" | list | map | NAME | quoted | call
 *               | "(" expr ")" | atom "[" expr "]" ;
 *
 * A name may hold {f} in a template: it stays so in the tree.
 */
#ifndef HR_TRANSFORM_PARSE_H
#define HR_TRANSFORM_PARSE_H

#include "transform/transform.h"

enum hr_token_kind {
    HR_T_END,
    HR_T_NEWLINE,
    HR_T_INDENT,
    HR_T_DEDENT,
    HR_T_NAME,
    HR_T_QUOTED, /* a name in backquotes: always a column or output, no word of the language */
    HR_T_NUMBER,
    HR_T_STRING,
    HR_T_SIGN /* an operator or bracket; text is it */
};

struct hr_token {
    int kind;
    int32_t line, column;
    struct hr_slice text; /* of a string: without quotes, escapes resolved */
};

enum hr_ast_kind {
    HR_A_INT,
    HR_A_FLOAT,
    HR_A_TEXT,
    HR_A_BOOL,
    HR_A_NAME,
    HR_A_CALL, /* kids are arguments; keys their names, or text NULL */
    HR_A_LIST,
    HR_A_MAP,   /* kids: key, value, key, value, ... */
    HR_A_UNARY, /* text is the operator */
    HR_A_BINARY,
    HR_A_INDEX
};

struct hr_ast {
    int kind;
    int32_t line, column;
    struct hr_slice text; /* name or operator, or the text itself */
    int64_t i;
    float f;
    struct hr_ast **kids;
    struct hr_slice *keys;
    size_t n;
};

enum hr_statement_kind { HR_ST_EQUATION, HR_ST_FOR, HR_ST_DEF, HR_ST_TEST };

/* A cell of a test's row: a name, and none, one or more constants. */
struct hr_cell {
    struct hr_slice name;
    int32_t line, column;
    struct hr_ast *key; /* of constants: what an analyzer would find, as mean(fare) */
    struct hr_ast *value;
};

struct hr_row {
    struct hr_cell *cells;
    size_t n;
};

struct hr_statement {
    int kind;
    int32_t line, column;
    struct hr_slice name;   /* of an equation, a def, the variable of a template, a test */
    struct hr_ast *expr;    /* of an equation or def */
    struct hr_slice *names; /* a template's, a def's parameters */
    size_t nnames;
    struct hr_slice pattern;   /* of columns(); NULL: names are listed */
    int32_t type;              /* of columns(): HR_FEATURE_; 0: any */
    struct hr_statement *body; /* the first of a template */
    struct hr_row given, expect, found; /* found: constants */
    struct hr_statement *next;
};

struct hr_features {
    struct hr_env *env;
    struct hr_arena arena;
    char *name;
    const char *text; /* our copy */
    size_t size;
    struct hr_token *tokens;
    size_t ntokens, cap_tokens;
    struct hr_statement *first;
};

/* After a failure: HR_INVALID, or HR_EXHAUSTED where memory was short. */
hr_status hr_features_code(const struct hr_env *env);

/* Fills tokens.  HR_INVALID: told. */
hr_status hr_features_lex(struct hr_features *f);

/* Tell an error at a place, with the line and a caret; meant may be NULL. */
HR_PRINTF(5, 6)
hr_status hr_features_fail(struct hr_features const *f, int32_t line, int32_t column,
                           const char *meant, const char *format, ...);

#endif
