/* resident.h - a model that stays loaded in this process, for a host that predicts.
 *
 * The plugin is loaded by path and stays; the model sees hr.run/1 (tmp_dir and fail),
 * hr.log/1 and hr.progress/1, as in a worker.
 */
#ifndef HR_RESIDENT_H
#define HR_RESIDENT_H

#include "headrace/model.h"
#include "plugin/info.h"

struct hr_resident;

/* Load the model in dir by a component that lists format.  Errors are told in env. */
hr_status hr_resident_open(struct hr_env *env, const struct hr_component_info *component,
                           const char *dir, const char *format, const char *signature,
                           struct hr_resident **ret);

/* Another view of the same model, for a thread of its own: calls on the two may meet.  of must
 * outlive it. */
hr_status hr_resident_borrow(struct hr_env *env, struct hr_resident *of, struct hr_resident **ret);

hr_status hr_resident_describe(struct hr_resident *m, struct ArrowSchema *ret_in,
                               struct ArrowSchema *ret_out);
/* HR_INVALID and others: the text is hr_resident_error(). */
hr_status hr_resident_predict(struct hr_resident *m, const struct ArrowArray *in,
                              struct ArrowArray *ret);
const char *hr_resident_error(struct hr_resident *m);
void hr_resident_close(struct hr_resident *m); /* NULL is allowed */

#endif
