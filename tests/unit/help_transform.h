/* help_transform.h - features files run over rows in memory, by the real runner.
 *
 *     help_features(&env, "y = scale_to_z_score(x)", "x:float", &rows, &plan);
 *     help_apply(&env, plan, &rows, 7, &out);
 *
 * Columns: "name:type" with type int, float or bytes, and after it nothing for a dense scalar,
 * ? for optional, * for a list, [n] for n values in every row.
 *
 * Every failure that a test does not ask for ends it.
 */
#ifndef HELP_TRANSFORM_H
#define HELP_TRANSFORM_H

#include "help_flow.h"
#include "transform/transform.h"

enum { HELP_COLUMNS = 64 };

struct help_columns {
    struct hr_feature list[HELP_COLUMNS];
    size_t n;
    char names[HELP_COLUMNS][64];
};

void help_columns(const char *text, struct help_columns *ret);

/* The function of a name in hr_transform_functions. */
const hr_function *help_function(const char *name);

/* Parse and type; on failure the errors are in env. */
hr_status help_check(struct hr_env *env, const char *source, const char *columns,
                     struct hr_features **ret_features, struct hr_program **ret_program);

/* Parse, type, analyse the rows (threads and batches as given in how; NULL: the usual). */
hr_status help_features(struct hr_env *env, const char *source, const char *columns,
                        const struct help_rows *rows, const struct help_run *how,
                        struct hr_plan **ret);

/* The same; *ret_warnings is what is told of the results, freed by free(). */
hr_status help_warned(struct hr_env *env, const char *source, const char *columns,
                      const struct help_rows *rows, struct hr_plan **ret, char **ret_warnings);

/* Apply in batches of n rows, joined again. */
hr_status help_apply(struct hr_env *env, const struct hr_plan *plan, const struct help_rows *rows,
                     int64_t n, struct help_rows *ret);

#endif
