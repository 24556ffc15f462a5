/* config.h - what is to be evaluated: TFMA's EvalConfig in its JSON form.
 *
 * Reading finds names that are not known, with their places.  What is known to TFMA but not
 * offered here is refused with a sentence, never left out in silence.
 */
#ifndef HR_ANALYSIS_CONFIG_H
#define HR_ANALYSIS_CONFIG_H

#include "wire/wire.h"

typedef HR_MA(EvalConfig) hr_eval_config;

/* name is of the file.  HR_INVALID: all that is wrong has been told. */
hr_status hr_eval_config_read(struct hr_arena *arena, const char *name, const char *text, size_t n,
                              hr_eval_config **ret);

/* The defaults filled in, in a copy: with a baseline a single unnamed spec becomes `candidate`
 * and `baseline`; without, the baseline's spec and all change thresholds go; each metrics_spec
 * names its models.  HR_INVALID: more than two models, or a baseline that is not named. */
hr_status hr_eval_config_default(struct hr_arena *arena, const hr_eval_config *config,
                                 bool has_baseline, hr_eval_config **ret);

/* Lines about what is taken but may not be meant, as two metrics of one name. */
hr_status hr_eval_config_warnings(struct hr_arena *arena, const hr_eval_config *config,
                                  struct hr_buf *to);

/* Is there any threshold? */
bool hr_eval_config_decides(const hr_eval_config *config);

/* The name of a spec, never NULL. */
const char *hr_model_name(const HR_MA(ModelSpec) * m);

#endif
