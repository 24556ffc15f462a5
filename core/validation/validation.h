/* validation.h - the face of core/validation: statistics, schema, anomalies.
 *
 *     statistics.h  statistics of rows, as a function of a flow
 *     schema.h      schemas: inferred, widened, compared with statistics
 *     show.h        all of it as JSON
 */
#ifndef HR_VALIDATION_H
#define HR_VALIDATION_H

#include "validation/schema.h"
#include "validation/show.h"
#include "validation/statistics.h"

#endif
