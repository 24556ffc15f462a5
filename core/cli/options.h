/* options.h - private to cli: options of a verb, as the JSON that calls of headrace.h take. */
#ifndef HR_CLI_OPTIONS_H
#define HR_CLI_OPTIONS_H

#include "cli/cli.h"
#include "cli/verbs.h"

/* Of what was given, the options that hr_start() knows; one that the verb lacks is not given.
 * *ret is freed by the caller.  EXIT_USAGE, or EXIT_WRONG without memory: told. */
int run_options_json(const struct args *a, char **ret);

/* Whom to trust, of all verbs that read packages. */
#define TRUST_OPTION                                                                               \
    MANY("--trust", "KEY",                                                                         \
         "a public key, or the file of one, that alone is trusted (default: trust.json of the "    \
         "project)")
/* Its keys as the member "keys" of a call's options.  False: none was given. */
bool put_trust(const struct args *a, struct text *options);

/* The options of a call, one member after the other; without a value there is none.  In the end
 * the JSON, freed by the caller; NULL: no memory, told. */
void put_option(struct text *options, const char *name, const char *value);
void put_true(struct text *options, const char *name);
char *end_options(struct text *options);

#endif
