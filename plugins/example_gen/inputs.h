/* inputs.h - the files that an ExampleGen reads, by split of the input. */
#ifndef EXAMPLE_GEN_INPUTS_H
#define EXAMPLE_GEN_INPUTS_H

#include "data/data.h"

struct inputs {
    struct hr_split split; /* of the output; of each input split where there are several */
    bool as_input;         /* each input split is an output split of the same name */
    struct hr_names files[HR_MAX_SPLITS];
    const char *names[HR_MAX_SPLITS];
    uint32_t n; /* input splits */
    struct hr_arena arena;
};

/* splits and input_splits are JSON objects, the latter may be "{}".  HR_INVALID, HR_NOT_FOUND:
 * told in env. */
hr_status inputs_open(struct hr_env *env, const char *base, const char *splits,
                      const char *input_splits, struct inputs *ret);
void inputs_close(struct hr_env *env, struct inputs *in);

#endif
