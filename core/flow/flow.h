/* flow.h - the face of core/flow: the direct runner behind hr.flow/1.
 *
 * A flow is described by the steps of headrace/flow.h, then run in this process on the
 * threads of its env.  What it needs from outside - artifacts, functions, the hr_run that
 * functions are called with - comes through a struct hr_flow_host, so the worker and the tests
 * use the same runner:
 *
 *     flow = hr_flow_new(env, &host);
 *     rows = hr_flow_steps.read(flow, "examples", 0, NULL);
 *     hr_flow_steps.keep(flow, rows);
 *     r = hr_flow_steps.run(flow);
 *     hr_flow_free(flow);
 *
 * How it runs, and why its bytes do not depend on threads or batches:
 *  - The rows of a source (a read, what a combine or a group gives) are cut into blocks of
 *    HR_FLOW_BLOCK rows; after group(), at the first end of a key from there on.  A block is
 *    one task: it goes through all maps below, batch by batch in order, and each map is
 *    flushed at the block's end.  What reaches a sink (combine, group, write, keep) is put
 *    together in the order of blocks.
 *  - combine() has an accumulator a key and block.  Those of one key are merged in a binary
 *    tree over the blocks in order; its shape depends on the number of blocks alone.  Where all
 *    functions that combine are HR_FUNCTION_EXACT, a thread has one accumulator a key for a run
 *    of blocks, and runs are merged in their order.
 *  - After combine() and group() rows are sorted by key: null first, numbers by value, text by
 *    its bytes.
 *  - batch_rows and the number of threads change only how a block is cut into calls, and who
 *    makes them.
 *
 * Outputs are written when all else has succeeded.  Rows that sinks hold are counted
 * against env->memory_max.
 */
#ifndef HR_CORE_FLOW_H
#define HR_CORE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/local.h"
#include "headrace/arrow.h"
#include "headrace/flow.h"

struct hr_env;

enum { HR_FLOW_BLOCK = 4096 };

/* What the hr_run of a function's call stands for; the runner makes one for each instance. */
struct hr_flow_call;

/* What a flow needs from outside.  A failure of read, write and attach is told in the env. */
struct hr_flow_host {
    void *user;
    const hr_host *host;                 /* given to make() of functions */
    const hr_function *const *functions; /* that steps name, ended by NULL; NULL: none */
    bool check;                          /* verify every batch that comes from a function */
    bool bytes; /* send each block's accumulators through serialize() and deserialize() */
    /* An hr_run for one instance of a function.  Calls with it come from one thread at a time.
     * Its hr.emit/1 passes on to hr_flow_emit(), its fail() to hr_flow_call_fail().  NULL: no
     * memory. */
    hr_run *(*call_begin)(void *user, struct hr_flow_call *call);
    void (*call_end)(void *user, hr_run *run);
    hr_status (*read)(void *user, const char *key, uint32_t i, const char *split,
                      struct ArrowArrayStream *ret);
    /* Drains *rows and releases it, also when failing. */
    hr_status (*write)(void *user, const char *key, uint32_t i, const char *split,
                       struct ArrowArrayStream *rows);
    /* Remove what write() has written: a later one failed.  NULL: nothing to do. */
    void (*undo)(void *user, const char *key, uint32_t i, const char *split);
    hr_status (*attach)(void *user, const char *key, uint32_t i); /* NULL: nothing to do */
    /* Why run() or fetch() fails, inner reasons first; returns code.  NULL: the text stays in
     * the env. */
    hr_status (*fail)(void *user, hr_status code, const char *text);
};

/* An empty flow; never NULL.  Lacking memory, it is hr_flow_none().  *host is
 * copied; env and what host points to outlive the flow. */
hr_flow *hr_flow_new(struct hr_env *env, const struct hr_flow_host *host);

/* A flow whose steps all give 0 and whose run() gives HR_EXHAUSTED: for a begin() that lacks
 * memory itself.  Need not be freed. */
hr_flow *hr_flow_none(void);

/* NULL is allowed. */
void hr_flow_free(hr_flow *flow);

/* The steps, but begin, which is NULL. */
extern const hr_flow_1 hr_flow_steps;

/* The table to hand out: the steps, and a begin() that calls hr_flow_new(). */
void hr_flow_table(hr_flow *(*begin)(hr_run *run), hr_flow_1 *ret);

/* What emit() and fail() of a function's hr_run do. */
hr_status hr_flow_emit(struct hr_flow_call *call, uint32_t k, struct ArrowArray *batch);
hr_status hr_flow_call_fail(struct hr_flow_call *call, hr_status code, const char *text);

/* Where the rows of a batch that a function has now were read from, for what it says of them. */
struct hr_flow_place {
    const char *key, *split; /* of an artifact, NULL: of a stream; split NULL: of all in turn */
    uint32_t i;
    int64_t row; /* the first of the batch, counted from 0 in the split */
};

/* false: a function made the rows, or they are grouped. */
bool hr_flow_call_place(const struct hr_flow_call *call, struct hr_flow_place *ret);

#endif
