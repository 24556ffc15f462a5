/* options.h - private to cli: options of a run, as the JSON that hr_start() takes. */
#ifndef HR_CLI_OPTIONS_H
#define HR_CLI_OPTIONS_H

#include "cli/verbs.h"

/* Of what was given, the options that hr_start() knows; one that the verb lacks is not given.
 * Freed by the caller.  NULL: told. */
char *run_options_json(const struct args *a);

#endif
