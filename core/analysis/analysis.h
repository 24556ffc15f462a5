/* analysis.h - the face of core/analysis: metrics, slices, thresholds, verdicts.
 *
 *     config.h    what is to be evaluated
 *     evaluate.h  metrics by slice, as functions of a flow
 *     verdict.h   thresholds, and whether a model may pass
 *     files.h     the files of an evaluation; JSON
 */
#ifndef HR_ANALYSIS_H
#define HR_ANALYSIS_H

#include "analysis/config.h"
#include "analysis/evaluate.h"
#include "analysis/files.h"
#include "analysis/verdict.h"

#endif
