/* statistics.h - the statistics of rows, as a function of a flow.
 *
 *     static const hr_function statistics = HR_STATISTICS;   in the component's functions
 *
 *     f = flow->begin(run);
 *     rows = hr_statistics_describe(flow, f, flow->read(f, "examples", 0, "train"), NULL, 0);
 *     r = flow->run(f);
 *     r = r < 0 ? r : hr_statistics_fetch(env, flow, f, rows, &bytes);
 *
 * The bytes are a DatasetFeatureStatisticsList of one dataset, features in byte order of
 * their names: the file FeatureStats.pb.  They do not depend on how the rows are batched and
 * merged, as long as rows are merged in their order where there are at most 1000.
 */
#ifndef HR_STATISTICS_H
#define HR_STATISTICS_H

#include "headrace/flow.h"
#include "wire/wire.h"

#define HR_STATISTICS_NAME "statistics"

extern const hr_combine_1 hr_statistics_combine;

/* Initializer of the hr_function that a component lists. */
#define HR_STATISTICS                                                                              \
    {                                                                                              \
        .struct_size = sizeof(hr_function), .flags = HR_FUNCTION_EXACT,                            \
        .name = HR_STATISTICS_NAME, .doc = "Statistics of all columns.", .kind = HR_COMBINE,       \
        .table = &hr_statistics_combine                                                            \
    }

/* The result: one row, and in it one value of bytes.  It is kept for fetch().  config is what
 * hr_statistics_config() gave, or NULL and 0. */
hr_rows hr_statistics_describe(const hr_flow_1 *flow, hr_flow *f, hr_rows rows, const void *config,
                               size_t size);

/* Append a configuration: the schema says which numbers name categories and which texts are
 * bytes. */
hr_status hr_statistics_config(struct hr_env *env, const HR_MD(Schema) * schema, struct hr_buf *to);

/* After the flow has run: append the bytes. */
hr_status hr_statistics_fetch(struct hr_env *env, const hr_flow_1 *flow, hr_flow *f, hr_rows rows,
                              struct hr_buf *to);

/* An accumulator, which hr_statistics_combine hands around as void *. */
struct hr_statistics_acc;

#endif
