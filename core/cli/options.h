/* options.h - private to cli: options of a verb, as the JSON that calls of headrace.h take. */
#ifndef HR_CLI_OPTIONS_H
#define HR_CLI_OPTIONS_H

#include <cjson/cJSON.h>

#include "cli/verbs.h"

/* Of what was given, the options that hr_start() knows; one that the verb lacks is not given.
 * Freed by the caller.  NULL: told. */
char *run_options_json(const struct args *a);

/* Whom to trust, of all verbs that read packages. */
#define TRUST_OPTION                                                                               \
    MANY("--trust", "KEY",                                                                         \
         "a public key, or the file of one, that alone is trusted (default: trust.json of the "    \
         "project)")
/* Its keys as the member "keys" of a call's options.  False: none was given. */
bool put_trust(const struct args *a, cJSON *options);

#endif
