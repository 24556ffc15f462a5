/* schema.h - schemas: inferred from statistics, widened by them, compared with them.
 *
 *     hr_schema_infer(&arena, train, &options, &schema);
 *     hr_schema_update(&arena, schema, eval);
 *     args = (struct hr_validate_args){ .statistics = eval, .schema = schema };
 *     hr_validate(&arena, &args, &anomalies);
 *
 * One engine serves the last two: it names what does not fit and mends the schema so that it
 * does.  hr_schema_update() keeps what was mended; hr_validate() mends copies, each feature
 * against the schema as it was given.
 */
#ifndef HR_SCHEMA_H
#define HR_SCHEMA_H

#include "wire/wire.h"

typedef HR_MD(DatasetFeatureStatisticsList) hr_statistics;
typedef HR_MD(Schema) hr_schema;
typedef HR_MD(Anomalies) hr_anomalies;

/* A string with more different values than this gets no domain. */
enum { HR_SCHEMA_DOMAIN_MAX = 100 };

struct hr_schema_options {
    bool infer_shape;   /* a feature of one number of values in all rows: its shape */
    int32_t domain_max; /* 0: HR_SCHEMA_DOMAIN_MAX */
};

/* HR_INVALID: the statistics are of several slices, and none is of all examples. */
hr_status hr_schema_infer(struct hr_arena *arena, const hr_statistics *statistics,
                          const struct hr_schema_options *options, hr_schema **ret);

/* Widen a schema, in place, until the statistics fit.  schema is of arena. */
hr_status hr_schema_update(struct hr_arena *arena, hr_schema *schema,
                           const hr_statistics *statistics);

/* Text format, as schema.pbtxt.  What contradicts itself is taken: the validator says so. */
hr_status hr_schema_read(struct hr_arena *arena, const char *name, const char *text, size_t n,
                         hr_schema **ret);
hr_status hr_schema_write(struct hr_env *env, const hr_schema *schema, struct hr_buf *to);

/* Severity of anomalies of one type; of several for a type the last counts. */
struct hr_severity {
    int32_t type, severity;
};

struct hr_validate_args {
    const hr_statistics *statistics;
    const hr_schema *schema;
    const hr_statistics *previous;         /* of the span before; NULL: none */
    const hr_statistics *previous_version; /* of the version before */
    const hr_statistics *serving;
    const char *environment; /* NULL: none */
    const struct hr_severity *severities;
    size_t severities_n;
    struct hr_buf *warnings; /* lines about comparators that cannot work; NULL: not wanted */
};

/* HR_INVALID: the environment is none of the schema's, or as hr_schema_infer(). */
hr_status hr_validate(struct hr_arena *arena, const struct hr_validate_args *args,
                      hr_anomalies **ret);

/* Is there nothing to say?  What decides over `blessed`. */
bool hr_anomalies_none(const hr_anomalies *a);

#endif
