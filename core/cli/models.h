/* models.h - private to cli: the registry's half of the verb model. */
#ifndef HR_CLI_MODELS_H
#define HR_CLI_MODELS_H

#include "cli/verbs.h"

extern const struct verb model_promote, model_alias, model_rollback, model_aliases, model_history,
    model_pull, model_export;

#endif
