/* build.h - a call whose arguments are bound to parameters becomes steps. */
#ifndef HR_TRANSFORM_BUILD_H
#define HR_TRANSFORM_BUILD_H

#include "transform/compile.h"

enum { HR_PARAMS_MAX = 20 };

struct hr_param {
    struct hr_slice name;
    char kind;
    bool optional, later;
};

struct hr_call {
    struct hr_program *p;
    const struct hr_where *w;
    const struct hr_ast *at;
    const char *name;
    int op;
    struct hr_param params[HR_PARAMS_MAX];
    int nparams;
    const struct hr_ast *asts[HR_PARAMS_MAX]; /* NULL: not given */
    int32_t steps[HR_PARAMS_MAX];             /* -1: not given, or a constant */
};

/* Each gives the step of the call, or -1. */
int32_t hr_build_0_1(struct hr_call *c);
int32_t hr_build_annotate(struct hr_call *c);
int32_t hr_build_apply_buckets(struct hr_call *c);
int32_t hr_build_apply_vocabulary(struct hr_call *c);
int32_t hr_build_bucketize(struct hr_call *c);
int32_t hr_build_cast(struct hr_call *c);
int32_t hr_build_clip(struct hr_call *c);
int32_t hr_build_compute_and_apply(struct hr_call *c);
int32_t hr_build_concat(struct hr_call *c);
int32_t hr_build_densify(struct hr_call *c);
int32_t hr_build_depth(struct hr_call *c);
int32_t hr_build_fill(struct hr_call *c);
int32_t hr_build_hash(struct hr_call *c);
int32_t hr_build_if(struct hr_call *c);
int32_t hr_build_join(struct hr_call *c);
int32_t hr_build_later(struct hr_call *c);
int32_t hr_build_length(struct hr_call *c);
int32_t hr_build_lookup(struct hr_call *c);
int32_t hr_build_mean(struct hr_call *c);
int32_t hr_build_min_max(struct hr_call *c);
int32_t hr_build_number(struct hr_call *c);
int32_t hr_build_pick(struct hr_call *c);
int32_t hr_build_regex(struct hr_call *c);
int32_t hr_build_round(struct hr_call *c);
int32_t hr_build_same(struct hr_call *c);
int32_t hr_build_split(struct hr_call *c);
int32_t hr_build_stat(struct hr_call *c);
int32_t hr_build_substr(struct hr_call *c);
int32_t hr_build_text(struct hr_call *c);
int32_t hr_build_vocabulary(struct hr_call *c);
int32_t hr_build_z_score(struct hr_call *c);

#endif
