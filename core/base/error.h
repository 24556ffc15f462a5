/* error.h - why things failed: a list of sentences with their places.
 *
 * Two kinds of entry are kept in one list.  Errors of a file (hr_fail_at) stand side by
 * side, so that all mistakes are told at once.  Reasons (hr_fail) are added by each caller
 * on the way out, inner first.
 *
 *     return hr_fail(env, HR_NOT_FOUND, "\"%s\" has no file \"data\"; make one", dir);
 */
#ifndef HR_ERROR_H
#define HR_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "headrace/plugin.h"

struct hr_env;

/* A place in a text file; line and column count from 1, in characters; 0: not known. */
struct hr_place {
    const char *file; /* NULL: no file */
    int32_t line, column;
};

struct hr_error {
    char *file; /* NULL: none */
    int32_t line, column;
    hr_status code;
    char *text;       /* one sentence, without place */
    char *suggestion; /* "did you mean ...", the name alone; NULL: none */
};

struct hr_errors {
    struct hr_error *items;
    size_t count, cap;
    size_t dropped;     /* beyond HR_MAX_ERRORS, or for lack of memory */
    struct hr_buf text; /* what hr_env_error() last gave */
    int lock;           /* spins: held for the copy of one sentence */
};

/* Add a reason.  Returns code, always.  [any] */
HR_PRINTF(3, 4)
hr_status hr_fail(struct hr_env *env, hr_status code, const char *format, ...);

/* Add an error of a file.  place may be NULL.  Returns code.  [any] */
HR_PRINTF(4, 5)
hr_status hr_fail_at(struct hr_env *env, hr_status code, const struct hr_place *place,
                     const char *format, ...);

/* As hr_fail_at(), with a name that may have been meant; NULL: none.  It is appended to the
 * sentence as «; did you mean "NAME"?». */
HR_PRINTF(5, 6)
hr_status hr_fail_meant(struct hr_env *env, hr_status code, const struct hr_place *place,
                        const char *meant, const char *format, ...);

/* HR_EXHAUSTED, with the sentence that memory is short. */
hr_status hr_fail_memory(struct hr_env *env);

/* A failed OS call: the code of -error, "cannot WHAT \"path\": why".  error is negative. */
hr_status hr_fail_os(struct hr_env *env, int error, const char *what, const char *path);

/* Forget them from the count-th on; 0: all. */
void hr_errors_cut(struct hr_env *env, size_t count);

/* The place, text and suggestion of one error, as a person reads it: "a.json:3:7: ...". */
hr_status hr_error_format(const struct hr_error *error, struct hr_buf *to);

#endif
