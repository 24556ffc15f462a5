/* options.h - private to cli: options of a run, as the JSON that hr_start() takes. */
#ifndef HR_CLI_OPTIONS_H
#define HR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { MAX_GIVEN = 256 };

struct run_options {
    const char *params[MAX_GIVEN], *force[MAX_GIVEN];
    size_t param_count, force_count;
    const char *jobs, *isolation, *sandbox, *name;
    bool no_cache, keep_going, check;
};

/* For option_spec.add; not 0: there are too many, or "K=V" has no "=". */
int add_param(void *run_options, const char *text);
int add_force(void *run_options, const char *text);

/* Freed by the caller.  NULL: told. */
char *run_options_json(const struct run_options *o);

#endif
