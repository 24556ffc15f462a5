/* plan.h - what a plan is made of. */
#ifndef HR_TRANSFORM_PLAN_H
#define HR_TRANSFORM_PLAN_H

#include "transform/ir.h"

struct hr_plan {
    struct hr_env *env;
    struct hr_ir ir;
    struct hr_feature *outputs; /* by name */
    int32_t *steps;             /* of the outputs */
    size_t noutputs;
    char digest[HR_SHA256_HEX];
};

/* An output to be, over steps of another ir. */
struct hr_wanted {
    const char *name;
    int32_t step;
};

/* A plan of the steps that outputs need; known[step] takes an analyzer's place.  wanted is
 * sorted by name. */
hr_status hr_plan_new(struct hr_env *env, const struct hr_ir *from, const int32_t *known,
                      const struct hr_wanted *wanted, size_t n, struct hr_plan **ret);

/* The plan's steps as JSON. */
hr_status hr_plan_json(const struct hr_plan *plan, struct hr_buf *to);
/* The lines of a vocabulary. */
hr_status hr_vocab_write(const struct hr_vocab *v, struct hr_buf *to);
/* Read both: files[i] is the i-th vocabulary. */
hr_status hr_plan_read(struct hr_env *env, const char *name, struct hr_slice json,
                       const struct hr_slice *files, size_t nfiles, struct hr_plan **ret);

/* The types of the outputs, and the domains that their steps give. */
hr_status hr_plan_finish(struct hr_plan *plan);

#endif
