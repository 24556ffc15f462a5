/* validation.h - the face of core/validation: statistics, schema, anomalies.
 *
 *     statistics.h  statistics of rows, as a function of a flow
 */
#ifndef HR_VALIDATION_H
#define HR_VALIDATION_H

#include "validation/statistics.h"

#endif
