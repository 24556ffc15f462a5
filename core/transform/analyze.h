/* analyze.h - analyzers: accumulators of the values of one column.
 *
 * Each kind is a combine function "analyze.NAME".  Its config is JSON:
 *     column   the one it goes over
 *     weight   a column of weights (quantiles)
 *     each     values of a row that are kept apart, by place; 0: all are one
 *     epsilon, top_k, threshold
 * Accumulators are stored: their first byte is the number of their format.
 */
#ifndef HR_TRANSFORM_ANALYZE_H
#define HR_TRANSFORM_ANALYZE_H

#include "headrace/rows.h"
#include "transform/transform.h"

struct hr_analyzer {
    const struct hr_analyzer_kind *kind;
    struct hr_env env; /* of this instance; errors from any thread */
    const hr_run_1 *rt;
    struct ArrowSchema schema;
    int64_t column, weight; /* weight -1: none */
    int64_t each;
    double epsilon;
    int64_t top_k, threshold; /* -1: none */
    char elem;                /* 'l', 'f' or 'z': of the column's values */
};

/* Bytes that are read, and whether they ended too early. */
struct hr_reader {
    const uint8_t *p, *end;
    bool bad;
};

uint64_t hr_read_u64(struct hr_reader *r);
double hr_read_f64(struct hr_reader *r);
uint8_t hr_read_u8(struct hr_reader *r);
void hr_write_u64(struct hr_buf *b, uint64_t v);
void hr_write_f64(struct hr_buf *b, double v);

/* Rows first <= i < end of a batch. */
struct hr_range {
    const struct hr_col *col, *weight;
    int64_t first, end;
};

struct hr_analyzer_kind {
    const char *name;
    size_t size; /* of an accumulator, zeroed at first */
    hr_status (*add)(const struct hr_analyzer *a, void *acc, const struct hr_range *rows);
    hr_status (*merge)(const struct hr_analyzer *a, void *acc, void *other);
    void (*write)(const struct hr_analyzer *a, const void *acc, struct hr_buf *to);
    hr_status (*read)(const struct hr_analyzer *a, void *acc, struct hr_reader *from);
    /* columns of the result: "name:format" as "mean:g*", * for a list */
    const char *columns;
    hr_status (*result)(const struct hr_analyzer *a, void *acc, struct hr_builder *columns);
    void (*clear)(const struct hr_analyzer *a, void *acc);
};

extern const struct hr_analyzer_kind hr_analyze_mean_var;
extern const struct hr_analyzer_kind hr_analyze_min_max;
extern const struct hr_analyzer_kind hr_analyze_quantiles;
extern const struct hr_analyzer_kind hr_analyze_vocabulary;

/* Values kept apart. */
static inline int64_t hr_analyzer_slots(const struct hr_analyzer *a)
{
    return a->each ? a->each : 1;
}

#endif
