/* types.h - private to run: types of artifacts and executions in the store. */
#ifndef HR_RUN_TYPES_H
#define HR_RUN_TYPES_H

#include "run/task.h"

/* Put the type of an artifact: a standard one as TFX declares it, with what the port adds. */
hr_status hr_put_artifact_type(struct hr_store *store, const char *name,
                               const struct hr_port_info *port, int64_t *ret_id);

/* The base type of the executions of a component, by its short name; NULL: none. */
const char *hr_execution_base(const char *component);

/* The data type of a property that an output declares: by its port, or split_names of the
 * types that have it; 0: it is custom, also where the standard type has one of that name (so
 * TFX keeps span and version).  The port of an importer has those of the standard type, which
 * TFX's Importer sets as declared. */
int hr_declared_kind(const char *type, const struct hr_port_info *port, const char *property);

/* Is it one of the custom properties that TFX keeps as a Struct?  A component sets its JSON as
 * a text, and declares nothing: a declared property would not be custom. */
bool hr_custom_is_struct(const char *type, const char *property);

#endif
