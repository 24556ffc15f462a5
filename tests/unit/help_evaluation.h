/* help_evaluation.h - evaluations compared with those of the reference in tests/cases/analysis.
 *
 * The bound is 1e-9, relative, on every number that the reference computes in double.  Wider is
 * only what it computes in float32 (help_evaluation.c says which and why): 1e-6, relative.
 */
#ifndef HELP_EVALUATION_H
#define HELP_EVALUATION_H

#include "analysis/analysis.h"
#include "base/base.h"

/* The names of the cases, ended by NULL; those that begin with "validate" have a verdict. */
extern const char *const help_evaluation_cases[];

/* The table that a case is about: NAME.rows.json, and NAME_examples.rows.json with scores of
 * float32. */
const char *help_evaluation_table(const char *name);

/* Every slice of NAME.metrics.json has its metrics in e, and no other; and NAME.validation.json,
 * of tests/cases/analysis/DIR, is the verdict.  Slices and failures have no order there.  DIR is
 * "tables", or "examples" where scores were float32.  verdict NULL: not looked at. */
void help_same_evaluation(struct hr_env *env, const char *dir, const char *name,
                          const struct hr_evaluation *e, const hr_verdict *verdict);

#endif
