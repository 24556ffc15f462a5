/* verdict.h - thresholds, and whether a model may pass. */
#ifndef HR_ANALYSIS_VERDICT_H
#define HR_ANALYSIS_VERDICT_H

#include "analysis/evaluate.h"

typedef HR_MA(ValidationResult) hr_verdict;

/* checked: the defaulted configuration, whose thresholds are checked.  given: the one whose
 * thresholds must have met a slice: the same, but for a table of predictions, where it is the
 * configuration as it was written. */
hr_status hr_verdict_make(struct hr_arena *arena, const struct hr_evaluation *evaluation,
                          const hr_eval_config *checked, const hr_eval_config *given,
                          hr_verdict **ret);

/* Every reason against, a line each; nothing where it is ok. */
hr_status hr_verdict_reasons(struct hr_env *env, const hr_verdict *v, struct hr_buf *to);

/* The first threshold and how it was met over all rows, for people: "auc 0.97 >= 0.60,
 * +0.00 vs NAME"; baseline_name may be NULL.  Ask hr_buf_whole(to) then. */
hr_status hr_verdict_line(struct hr_env *env, const struct hr_evaluation *evaluation,
                          const hr_eval_config *checked, const char *baseline_name,
                          struct hr_buf *to);

#endif
