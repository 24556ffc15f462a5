/* flow.h - rows processed by named functions, here or on many machines.
 *
 * The rules of plugin.h hold here too; as it, this is frozen with release 1.0.
 *
 * An executor describes a flow through HR_FLOW and runs it.  The functions that it names are
 * listed in hr_component.functions: a worker on another machine loads the same shared object
 * and finds them there, so nothing else has to travel.
 */
#ifndef HR_FLOW_H
#define HR_FLOW_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A flow being described; the host frees it when the hook returns. */
typedef struct hr_flow hr_flow;

/* A collection in a flow: rows of one schema, in no promised order.  0: none. */
typedef uint32_t hr_rows;

/* Describe, then run.  A mistake, as an unknown name or column, or lack of memory,
 * gives 0, which every function takes and passes on; the first one is kept, and
 * run() fails with it.  Keys are column names ended by NULL; a key column holds
 * integers, booleans, text, bytes, dates or timestamps.
 *
 * The direct runner writes the same bytes each time, in input order or, after combine()
 * and group(), sorted by key; a distributed one writes the same rows, in any order. */
#define HR_FLOW "hr.flow/1"
typedef struct hr_flow_1 {
    /* [hook] An empty flow; never NULL. */
    hr_flow *(*begin)(hr_run *run);
    /* [hook] The rows of an input artifact, as hr_table_1.read() has them. */
    hr_rows (*read)(hr_flow *flow, const char *key, uint32_t i, const char *split);
    /* [hook] Rows at hand, such as names of files to parse.  Takes *rows. */
    hr_rows (*from)(hr_flow *flow, struct ArrowArrayStream *rows);
    /* [hook] Let the functions see an input artifact: count(), path(), get_, models. */
    void (*attach)(hr_flow *flow, const char *key, uint32_t i);
    /* [hook] Rows through a map.  Gives its output 0; output k is the result plus k. */
    hr_rows (*map)(hr_flow *flow, hr_rows in, const char *function, const void *config,
                   size_t size);
    /* [hook] One row for each key, its columns first; keys NULL: one row for all. */
    hr_rows (*combine)(hr_flow *flow, hr_rows in, const char *const *keys, const char *function,
                       const void *config, size_t size);
    /* [hook] The same rows; the map that takes them gets those of one key in sequence, in
     * one instance and with no flush() between. */
    hr_rows (*group)(hr_flow *flow, hr_rows in, const char *const *keys);
    /* [hook] All rows of n collections of one schema. */
    hr_rows (*flatten)(hr_flow *flow, const hr_rows *ins, uint32_t n);
    /* [hook] Write the rows to an output artifact, as hr_table_1.write() does. */
    void (*write)(hr_flow *flow, hr_rows in, const char *key, uint32_t i, const char *split);
    /* [hook] Keep the rows for fetch(). */
    void (*keep)(hr_flow *flow, hr_rows in);
    /* [hook] Run to the end, once.  On failure no output holds a row. */
    hr_status (*run)(hr_flow *flow);
    /* [hook] After run(): rows that were kept; the caller releases *ret. */
    hr_status (*fetch)(hr_flow *flow, hr_rows in, struct ArrowArrayStream *ret);
} hr_flow_1;

/* -- functions: what hr_component.functions lists ---------------------------- */

/* A function depends on its args, the declared properties, the attached inputs and
 * its rows, and on nothing else: not on how the rows are batched, nor on the machine.
 * It has no effect but what it emits, for its rows may be given to it again.
 *
 * On every runner it has HR_RUN, HR_LOG, HR_PROGRESS, HR_EMIT and HR_MODELS; of HR_RUN,
 * the prop_ functions, tmp_dir() and fail(), and of attached inputs count(), path()
 * and the get_ functions.  Of later ids it has those that the component lists.
 *
 * For what it says of its rows, and for nothing else, batch() may ask get_int(run, NULL, 0,
 * "__row", &row) for the number of its first row, from 0 in what was read, and get_text(run, NULL,
 * 0, "__split", &split) for the split.  HR_NOT_FOUND: not known, or rows are of no split. */

/* What a function is made from: equal on every machine that makes it. */
typedef struct hr_function_args {
    uint32_t struct_size;
    uint32_t config_size;
    const void *config;
    const char *name; /* so that one table can serve several functions */
    const struct ArrowSchema *in; /* of the rows to come */
} hr_function_args;

#define HR_EMIT "hr.emit/1"
typedef struct hr_emit_1 {
    /* [hook] Pass *batch to output k; takes it, also when failing. */
    hr_status (*emit)(hr_run *run, uint32_t k, struct ArrowArray *batch);
} hr_emit_1;

/* From each batch, any number of batches to each output. */
#define HR_MAP "hr.map/1"
typedef struct hr_map_1 {
    /* [many] Fill ret_outs, one schema for each output. */
    hr_status (*make)(const hr_host *host, hr_run *run, const hr_function_args *args,
                      struct ArrowSchema *ret_outs, void **ret_self);
    /* [one] Takes *rows. */
    hr_status (*batch)(void *self, hr_run *run, struct ArrowArray *rows);
    /* [one] Emit what is held back; then more rows may come, or drop(). */
    hr_status (*flush)(void *self, hr_run *run);
    void (*drop)(void *self); /* [one] NULL is allowed */
} hr_map_1;

/* Many rows to one, through accumulators that can be cut, merged, sent and stored.
 * self does not change after make(); no accumulator is in two calls at once. */
#define HR_COMBINE "hr.combine/1"
typedef struct hr_combine_1 {
    /* [many] Fill *ret_out, the schema that extract() gives. */
    hr_status (*make)(const hr_host *host, hr_run *run, const hr_function_args *args,
                      struct ArrowSchema *ret_out, void **ret_self);
    /* [many] An accumulator of no rows. */
    hr_status (*create)(const void *self, hr_run *run, void **ret_acc);
    /* [many] Row i goes to accs[group[i]]; group NULL: all go to accs[0]. */
    hr_status (*add_batch)(const void *self, hr_run *run, void *const *accs, const uint32_t *group,
                           const struct ArrowArray *rows);
    /* [many] Add to acc the rows of other, which is of no use but to drop_acc() then. */
    hr_status (*merge)(const void *self, hr_run *run, void *acc, void *other);
    /* [many] n accumulators, left as they are, to a large_binary array of length n.  The
     * bytes are stored: start with a format number, and read all that were ever released. */
    hr_status (*serialize)(const void *self, hr_run *run, void *const *accs, uint32_t n,
                           struct ArrowArray *ret);
    /* [many] And back: fill ret_accs, one for each value; on failure, none. */
    hr_status (*deserialize)(const void *self, hr_run *run, const struct ArrowArray *bytes,
                             void **ret_accs);
    /* [many] n accumulators, left as they are, to n rows in this order. */
    hr_status (*extract)(const void *self, hr_run *run, void *const *accs, uint32_t n,
                         struct ArrowArray *ret);
    void (*drop_acc)(const void *self, void *acc); /* [many] NULL is allowed */
    void (*drop)(void *self);                      /* [one] NULL is allowed */
} hr_combine_1;

#ifdef __cplusplus
}
#endif
#endif
