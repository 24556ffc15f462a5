/* column.h - what is gathered of one column.
 *
 * All of it is a function of the rows alone, however they were cut into batches and merged,
 * but for the first values in their order: up to HR_COLUMN_HEAD_ROWS rows mean and variance
 * are those of numpy on one batch, so those rows are merged in their order.
 *
 *     rows       present, lengths (how many rows have how many values)
 *     numbers    zeros, NaN, infinite ones, least and greatest; counts.h; once its keys
 *                lose bits also exact.h.  They wait in a tally.h until they are counted
 *     texts      words.h
 */
#ifndef HR_COLUMN_H
#define HR_COLUMN_H

#include "headrace/rows.h"
#include "validation/counts.h"
#include "validation/exact.h"
#include "validation/tally.h"
#include "validation/words.h"

enum {
    HR_COLUMN_HEAD_ROWS = 1000,
    HR_COLUMN_HEAD_VALUES = 1 << 16,
    HR_COLUMN_LATE = 1 << 18 /* texts that wait, at most; of numbers HR_TALLY_MOST */
};

/* How the values of a column are taken. */
enum hr_column_use {
    HR_COLUMN_NOTHING, /* it never has a value */
    HR_COLUMN_NUMBERS,
    HR_COLUMN_WORDS,
    HR_COLUMN_INT_WORDS, /* integers that name categories: words of their digits */
    HR_COLUMN_SIZES      /* floats that name categories: only the size of their digits */
};

struct hr_column {
    uint64_t rows, present;
    uint64_t values; /* of all rows */
    struct hr_counts lengths;

    uint64_t zeros, nan, negative, positive; /* infinite ones */
    double min, max, finite_min, finite_max; /* min > max: none */
    struct hr_counts numbers;
    struct hr_exact *sums; /* NULL: the numbers are exact, and hold them */
    struct hr_tally waiting; /* numbers that are not counted yet */
    double *head; /* the first ones, without NaN; NULL: none, or too many */
    size_t head_n, head_cap;
    bool head_over;

    struct hr_words words;
};

void hr_column_init(struct hr_column *c);

/* How many numbers and texts may wait, at most HR_COLUMN_LATE: fewer where there are many columns.
 * Results do not depend on it. */
void hr_column_wait(struct hr_column *c, size_t most);

void hr_column_clear(struct hr_env *env, struct hr_column *c);

/* Take rows from..to of an open column.  counts: room for the codes of a dictionary of up to
 * counts_n entries, all 0, and 0 again afterwards. */
struct hr_column_scratch {
    uint32_t *counts;
    size_t counts_n;
};
hr_status hr_column_add(struct hr_env *env, struct hr_column *c, const struct hr_col *col,
                        enum hr_column_use use, int64_t from, int64_t to,
                        struct hr_column_scratch *scratch);

/* Count what waits: before a column is stored or looked at. */
hr_status hr_column_settle(struct hr_env *env, struct hr_column *c);

/* Add the rows of other, which come after those of c.  other is of no use but to be cleared. */
hr_status hr_column_merge(struct hr_env *env, struct hr_column *c, struct hr_column *other);

/* min and max again, from the other members. */
void hr_column_bounds(struct hr_column *c);

bool hr_column_sane(const struct hr_column *c);

#endif
