/* param.h - parameters of a pipeline, and the values of one run. */
#ifndef HR_PARAM_H
#define HR_PARAM_H

#include "pipeline/expr.h"
#include "plugin/plugin.h"

struct hr_pipeline;

struct hr_param {
    const char *name, *note, *constraint; /* "part.deep" of the sub-pipeline "part" */
    const char *local;                    /* "deep" */
    size_t group;                         /* whose it is; (size_t)HR_NO_GROUP: the whole's */
    hr_type type;         /* HR_INT, HR_FLOAT, HR_STRING, HR_BOOL or HR_JSON */
    struct hr_term value; /* the default; UNKNOWN: it must be given at the run */
    struct hr_place place;
};

/* What one run has been given. */
struct hr_given {
    const char *name;
    const char *text; /* as typed: a string needs no quotes */
};

struct hr_param_values {
    struct hr_term *items; /* one for each parameter */
    const char *run_id, *run_name;
    int64_t run_time; /* Unix seconds */
    const struct hr_scope *more; /* artifacts and items of a node that begins; NULL: unknown yet */
    bool *late;                  /* set when such were read; may be NULL */
};

/* Values from the defaults and what is given; all errors are told.  complete: a parameter
 * without a value is one.  One of a sub-pipeline has what was given for its own name; else the
 * value of the nearest one around it that is called so there, or what was given for its local
 * name, where the whole has none of that name; else its default. */
hr_status hr_pipeline_params(const struct hr_pipeline *pipeline, const struct hr_given *given,
                             size_t count, bool complete, struct hr_arena *arena,
                             struct hr_param_values *ret);

/* A text as the value of a type.  HR_INVALID: told at place. */
hr_status hr_param_parse(struct hr_env *env, const struct hr_param *param, const char *text,
                         struct hr_arena *arena, struct hr_term *ret);

/* Does a value fit a type and a constraint?  Told at place, with what, if it does not; an
 * int becomes a float where one is wanted. */
hr_status hr_param_fits(struct hr_env *env, const struct hr_place *place, const char *what,
                        hr_type type, const char *constraint, struct hr_term *value);

#endif
