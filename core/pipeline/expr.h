/* expr.h - the expressions of a pipeline file: "${ param.steps * 2 }" in a string.
 *
 * A string that is one expression and nothing else keeps the value's type; otherwise values
 * are put into the text.  "$${" is a literal "${".  Types are strict: nothing is converted
 * but int to float.
 *
 *     value  = or [ "?" value ":" value ]        or  = and { "or" and }
 *     and    = not { "and" not }                 not = [ "not" ] cmp
 *     cmp    = sum [ ("==" "!=" "<" "<=" ">" ">=" "in") sum ]
 *     sum    = product { ("+" "-") product }     product = unary { ("*" "/" "%") unary }
 *     unary  = [ "-" ] atom { "[" value "]" | "." NAME [ "(" values ")" ] }
 *     atom   = number | 'text' | "text" | true | false | null | "[" values "]" | "(" value ")"
 *            | NAME { "." NAME } | NAME "(" values ")"
 *
 * Reading and computing have limits on size, depth and steps, and read nothing but what the
 * scope gives.  Everything lives in the arena.
 */
#ifndef HR_EXPR_H
#define HR_EXPR_H

#include "base/base.h"

enum hr_term_kind {
    HR_TERM_UNKNOWN, /* not known yet: a parameter that is given at the run */
    HR_TERM_NULL,
    HR_TERM_BOOL,
    HR_TERM_INT,
    HR_TERM_FLOAT,
    HR_TERM_TEXT,
    HR_TERM_LIST,
    HR_TERM_JSON,    /* any other JSON, as its text */
    HR_TERM_ARTIFACT /* or a file of one: text is its uri, i its id, artifact the scope's */
};

struct hr_term {
    enum hr_term_kind kind;
    int64_t i; /* INT; BOOL as 0 or 1 */
    double d;
    const char *text;
    const struct hr_term *items;
    size_t count;
    const void *artifact; /* what the scope knows of it */
};

/* What names mean.  HR_NOT_FOUND: nobody of that name; *meant may be set to a name that was
 * likely meant.  root is the part before the first dot, rest what follows it or "". */
struct hr_scope {
    hr_status (*find)(void *user, const char *root, const char *rest, struct hr_arena *arena,
                      struct hr_term *ret, const char **meant);
    void *user;
    /* A member of a value that find() gave, as .split("train"): HR_NOT_FOUND if it has none of
     * that name; other failures are told.  NULL: nothing has members. */
    hr_status (*member)(void *user, const struct hr_term *of, const char *name,
                        const struct hr_term *args, size_t n, struct hr_arena *arena,
                        struct hr_term *ret);
};

/* A string that was read. */
struct hr_template;

/* Is there an expression, or an escaped one, in the text? */
bool hr_template_needed(const char *text);

/* HR_INVALID: told at place, with a caret. */
hr_status hr_template_parse(struct hr_env *env, const struct hr_place *place, const char *text,
                            struct hr_arena *arena, struct hr_template **ret);

/* HR_INVALID: told as above.  A value with an unknown part is unknown. */
hr_status hr_template_eval(struct hr_env *env, const struct hr_template *t,
                           const struct hr_scope *scope, struct hr_arena *arena,
                           struct hr_term *ret);

/* Each name that the expressions read, as "nodes.evaluator.blessing", until visit fails. */
hr_status hr_template_names(const struct hr_template *t,
                            hr_status (*visit)(void *user, const char *name), void *user);

/* "a text", "an int" */
const char *hr_term_kind_text(enum hr_term_kind kind);

/* The value as JSON. */
hr_status hr_term_json(const struct hr_term *term, struct hr_buf *to);

/* A JSON value as a term; lists of scalars become lists, all else JSON. */
hr_status hr_term_of_json(const struct hr_json_doc *doc, const struct hr_json *v,
                          struct hr_arena *arena, struct hr_term *ret);

#endif
