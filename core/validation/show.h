/* show.h - statistics, schemas and anomalies as compact JSON, for who draws them.
 *
 * Each function reads an artifact's directory and appends one JSON value.  Numbers that are
 * not finite are texts; a member that does not apply is left out.
 *
 *     statistics  {"splits": [{"split": "train", "examples": 223, "features": [FEATURE...]}]}
 *     FEATURE     "name", "type" (INT FLOAT STRING BYTES STRUCT), "present", "missing",
 *                 "values", "min_values", "max_values", "avg_values"
 *        numbers: "mean", "std_dev", "min", "median", "max", "zeros", "nan",
 *                 "histogram" [[low, high, count]...], "quantiles" [border...]
 *        texts:   "unique", "avg_length", "not_utf8", "top" [[text, count]...]
 *        bytes:   "avg_bytes", "min_bytes", "max_bytes"
 *     schema      {"features": [{"name", "type", "required", "min_fraction", "min_count",
 *                 "shape" [size...], "min_values", "max_values", "domain" DOMAIN, "stage",
 *                 "in_environment" [name...], "not_in_environment" [name...]}],
 *                 "environments" [name...]}
 *     DOMAIN      "kind" (int float bool string ...), "name", "min", "max", "true", "false",
 *                 "values" [text...], "categorical"
 *     anomalies   {"splits": [{"split", "data_missing", "anomalies": [ANOMALY...],
 *                 "dataset": ANOMALY, "drift": [{"feature", "kind" (drift skew), "measure",
 *                 "value", "threshold"}...]}]}
 *     ANOMALY     "feature", "severity", "short", "long",
 *                 "reasons" [{"type", "short", "long"}...]
 */
#ifndef HR_SHOW_H
#define HR_SHOW_H

#include "validation/schema.h"

/* dir holds Split-NAME/FeatureStats.pb.  HR_NOT_FOUND: it holds none. */
hr_status hr_statistics_json(struct hr_env *env, const char *dir, struct hr_buf *to);

/* dir holds schema.pbtxt. */
hr_status hr_schema_json(struct hr_env *env, const char *dir, struct hr_buf *to);

/* dir holds Split-NAME/SchemaDiff.pb. */
hr_status hr_anomalies_json(struct hr_env *env, const char *dir, struct hr_buf *to);

/* Statistics of one file, in memory of arena; bare bytes, as StatisticsGen writes them. */
hr_status hr_statistics_load(struct hr_arena *arena, const char *path, hr_statistics **ret);

#endif
