#include "help_statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "headrace/rows.h"
#include "help_proto.h"

static const hr_function statistics = HR_STATISTICS;

void help_statistics(const struct help_rows *in, int threads, int n, struct hr_buf *to)
{
    struct help_run how = { .function = &statistics, .threads = threads, .batch_rows = n };
    struct help_rows out;
    struct hr_col c;
    const char *p;
    size_t size;

    if (help_combine(&how, in, &out) < 0)
        fail_msg("%s", how.error);
    assert_int_equal(out.rows.length, 1);
    assert_int_equal(hr_col_open(&out.schema, &out.rows, 0, &c), HR_OK);
    p = hr_col_bytes(&c, c.at, &size);
    hr_buf_cut(to, 0);
    assert_int_equal(hr_buf_add(to, p, size), HR_OK);
    help_clear(&out);
}

hr_statistics *help_statistics_read(struct hr_arena *arena, const struct hr_buf *b)
{
    ProtobufCMessage *m = NULL;

    assert_int_equal(hr_pb_read(arena, &HR_MD_OF(dataset_feature_statistics_list), "got", b->text,
                                b->len, &m),
                     HR_OK);
    return (hr_statistics *)m;
}

/* Beyond a thousand rows the mean of the reference depends on its batches: what is near
 * enough is made equal. */
static void allow(HR_MD(DatasetFeatureStatistics) * got,
                  const HR_MD(DatasetFeatureStatistics) * want)
{
    size_t i;

    if (want->num_examples <= 1000)
        return;
    for (i = 0; i < got->n_features && i < want->n_features; i++) {
        HR_MD(NumericStatistics) *a = got->features[i]->num_stats;
        const HR_MD(NumericStatistics) *b = want->features[i]->num_stats;
        double bound;

        if (got->features[i]->stats_case != HR_MD_E(FEATURE_NAME_STATISTICS__STATS_NUM_STATS) ||
            want->features[i]->stats_case != HR_MD_E(FEATURE_NAME_STATISTICS__STATS_NUM_STATS))
            continue;
        bound = 1e-12 * fmax(fabs(b->mean), b->std_dev);
        if (fabs(a->mean - b->mean) <= bound)
            a->mean = b->mean;
        if (fabs(a->std_dev - b->std_dev) <= bound)
            a->std_dev = b->std_dev;
    }
}

void help_same_statistics(struct hr_arena *arena, const char *set, const char *split,
                          hr_statistics *got)
{
    const hr_statistics *want;
    char dir[64], name[64];

    snprintf(dir, sizeof dir, "validation/%s", set);
    snprintf(name, sizeof name, "%s.FeatureStats.pb", split);
    want = help_message(arena, dir, name, &HR_MD_OF(dataset_feature_statistics_list));
    allow(got->datasets[0], want->datasets[0]);
    snprintf(name, sizeof name, "%s %s", set, split);
    help_same_message(arena->env, name, got, want);
}
