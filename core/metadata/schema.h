/* schema.h - private to metadata: the tables of schema version 10.
 *
 *     Type --< TypeProperty          ParentType (type, simple type)
 *      |
 *      +--< Artifact   --< ArtifactProperty       Event (artifact, execution) --< EventPath
 *      +--< Execution  --< ExecutionProperty      Association (context, execution)
 *      +--< Context    --< ContextProperty        Attribution (context, artifact)
 *                                                 ParentContext (child, parent)
 *     MLMDEnv (schema_version = 10)
 *
 * Ids are given by SQLite (AUTOINCREMENT).  Times are Unix milliseconds.  Of the value
 * columns of a property exactly one is not NULL.
 */
#ifndef HR_SCHEMA_H
#define HR_SCHEMA_H

enum { HR_SCHEMA_VERSION = 10, HR_SCHEMA_TABLES = 15, HR_SIMPLE_TYPES = 9 };

/* One statement each; ended by NULL. */
extern const char *const hr_schema_create[];

/* Indexes of ours on links that upstream leaves without; made if they lack. */
extern const char *const hr_schema_more[];

/* A query for each table that fails unless its columns are there. */
extern const char *const hr_schema_probes[HR_SCHEMA_TABLES];

struct hr_simple_type {
    const char *name;
    int kind;
};
extern const struct hr_simple_type hr_simple_types[HR_SIMPLE_TYPES];

#endif
