/* files.h - the files of an evaluation, as TFMA's tools read them, and as JSON.
 *
 *     metrics-00000-of-00001.tfrecord      a MetricsForSlice a slice
 *     plots-..., attributions-...          a key a slice: nothing is plotted
 *     validations.tfrecord                 one ValidationResult
 *     eval_config.json                     an EvalRun with the defaulted configuration
 *
 * The JSON of an evaluation, for who draws it:
 *
 *     {"ok": true, "missing_thresholds": false, "reasons": [text...],
 *      "slices": [{"slice": "country=kr", "metrics": [METRIC...]}]}
 *     METRIC  "name", "model", "class" or "k" or "top_k", "average" (micro macro weighted_macro),
 *             "weighted", "diff" (true of a difference to the baseline), and "value": a number,
 *             or an object as protobuf's JSON has it
 */
#ifndef HR_ANALYSIS_FILES_H
#define HR_ANALYSIS_FILES_H

#include "analysis/verdict.h"

/* Where a model lies, for eval_config.json; name "" of the only one. */
struct hr_model_place {
    const char *name, *path;
};

/* Write all of them into a directory that exists.  verdict NULL: none is written. */
hr_status hr_evaluation_write(struct hr_env *env, const char *dir,
                              const struct hr_evaluation *evaluation, const hr_verdict *verdict);
hr_status hr_eval_config_write(struct hr_arena *arena, const char *dir,
                               const hr_eval_config *config, const struct hr_model_place *places,
                               size_t n);

/* Read what hr_evaluation_write() wrote; *ret_verdict is NULL where there is none. */
hr_status hr_evaluation_open(struct hr_arena *arena, const char *dir, struct hr_evaluation *ret,
                             hr_verdict **ret_verdict);

/* Append the JSON of an evaluation's directory. */
hr_status hr_evaluation_json(struct hr_env *env, const char *dir, struct hr_buf *to);

#endif
