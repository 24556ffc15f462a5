/* parts.h - what the components of this plugin share. */
#ifndef HR_VALIDATION_PARTS_H
#define HR_VALIDATION_PARTS_H

#include "headrace/easy.h"
#include "headrace/flow.h"
#include "validation/validation.h"

extern const hr_component hr_statistics_gen, hr_schema_gen, hr_import_schema_gen,
    hr_example_validator;

enum { HR_PARTS_SPLITS = 64 }; /* of one artifact */

/* One call of a hook: an env and an arena for what it makes. */
struct work {
    struct hr_env env;
    struct hr_arena arena;
    const struct hr_easy *easy; /* the instance */
    hr_run *run;
    char *splits[HR_PARTS_SPLITS]; /* of the arena */
    size_t n;                      /* splits that are not excluded */
};

void work_begin(struct work *w, const struct hr_easy *easy, hr_run *run);

/* Free all; a failure of the library is told to the host.  Returns r. */
hr_status work_end(struct work *w, hr_status r);

/* The splits of an input by its property split_names, but for exclude_splits. */
hr_status work_splits(struct work *w, const char *key);

/* Is a split named by the property exclude_splits? */
hr_status work_excluded(struct work *w, const char *split, bool *ret);

/* PATH/Split-NAME/FILE of an artifact, the directory made if asked. */
hr_status work_path(struct work *w, const char *key, const char *split, const char *file, bool make,
                    char *to);

/* Set declared split_names to the splits of w, and span to that of the input. */
hr_status work_describe(struct work *w, const char *in, const char *out);

/* Set the line that a person reads. */
HR_PRINTF(2, 3) hr_status work_summary(struct work *w, const char *format, ...);

#endif
