/* model.h - models: offered by who can load one, used by who wants predictions.
 *
 * The rules of plugin.h hold here too; as it, this is frozen with release 1.0.
 */
#ifndef HR_MODEL_H
#define HR_MODEL_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hr_model_args {
    uint32_t struct_size;
    uint32_t threads;             /* that one predict() may use; 0: as many as it likes */
    const char *dir;              /* the model's directory, read only */
    const char *format;           /* the artifact's, one of hr_component.formats */
    const char *signature;        /* NULL: the model's first */
    const struct ArrowSchema *in; /* of the rows to come; NULL: those of describe() */
} hr_model_args;

/* Loads a model that a component of the same plugin, or another, has written.  It has
 * HR_RUN, of it tmp_dir() and fail(), HR_LOG and HR_PROGRESS, always. */
#define HR_MODEL "hr.model/1"
typedef struct hr_model_1 {
    /* [many] Finds the columns it wants in args->in by name and ignores the others.
     * HR_INVALID: one is missing or of a wrong type; HR_NOT_FOUND: no such signature. */
    hr_status (*load)(const hr_host *host, hr_run *run, const hr_model_args *args,
                      void **ret_model);
    /* [many] The rows that predict() reads, wanted columns only, and those it gives. */
    hr_status (*describe)(const void *model, hr_run *run, struct ArrowSchema *ret_in,
                          struct ArrowSchema *ret_out);
    /* [many] Row i of *ret is the prediction for row i of *in, and depends on it only. */
    hr_status (*predict)(const void *model, hr_run *run, const struct ArrowArray *in,
                         struct ArrowArray *ret);
    void (*drop)(void *model); /* [one] NULL is allowed */
} hr_model_1;

/* The host finds the component that loads the model's format and hands over its own
 * interface, or a stand-in for one in another process. */
#define HR_MODELS "hr.models/1"
typedef struct hr_models_1 {
    /* [hook] Load the model in the i-th artifact of an input.  Call only describe() and
     * predict() of **ret; it and *ret_model live until drop() of the instance that asked. */
    hr_status (*load)(hr_run *run, const char *key, uint32_t i, const char *signature,
                      const struct ArrowSchema *in, const hr_model_1 **ret, const void **ret_model);
} hr_models_1;

#ifdef __cplusplus
}
#endif
#endif
