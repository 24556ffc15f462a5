/* call.h - what calls of row functions (headrace/flow.h) have in common: an env for what goes
 * wrong, and accumulators as columns of bytes.
 *
 * Several calls on one instance run at once, so each has an env of its own:
 *
 *     hr_call_begin(&env);
 *     r = ... what fails is told in env ...
 *     return hr_call_end(s->run, run, &env, r);
 */
#ifndef HR_WIRE_CALL_H
#define HR_WIRE_CALL_H

#include "base/base.h"
#include "headrace/arrow.h"
#include "headrace/plugin.h"

void hr_call_begin(struct hr_env *env);

/* Tell the host what went wrong, and clear env.  rt or run NULL: nobody is told.  Returns r. */
hr_status hr_call_end(const hr_run_1 *rt, hr_run *run, struct hr_env *env, hr_status r);

/* The end of a make() of one that extracts a column "z" of this name.  r, how it went: told if it
 * went wrong; env stays. */
hr_status hr_call_made(const hr_run_1 *rt, hr_run *run, struct hr_env *env, hr_status r,
                       const char *name, struct ArrowSchema *ret_out);

/* Append the bytes of one accumulator of an instance. */
typedef hr_status hr_call_put(const void *self, struct hr_env *env, void *acc, struct hr_buf *to);

struct hr_call_accs {
    const void *self;
    void *const *accs;
    uint32_t n;
    hr_call_put *put;
};

/* As serialize() gives them: a large_binary array.  The call begins and ends here. */
hr_status hr_call_serialize(const hr_run_1 *rt, hr_run *run, const struct hr_call_accs *from,
                            struct ArrowArray *ret);

/* As extract() gives them: rows of one column of format "z". */
hr_status hr_call_extract(const hr_run_1 *rt, hr_run *run, const struct hr_call_accs *from,
                          struct ArrowArray *ret);

/* And back: load() makes an accumulator of bytes, drop() ends one. */
struct hr_call_load {
    const void *self;
    hr_status (*load)(const void *self, struct hr_env *env, const char *bytes, size_t n,
                      void **ret_acc);
    void (*drop)(const void *self, void *acc);
};
hr_status hr_call_deserialize(const hr_run_1 *rt, hr_run *run, const struct hr_call_load *how,
                              const struct ArrowArray *bytes, void **ret_accs);

#endif
