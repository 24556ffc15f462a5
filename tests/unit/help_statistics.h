/* help_statistics.h - statistics of rows, and those that TFX wrote of the same rows. */
#ifndef HELP_STATISTICS_H
#define HELP_STATISTICS_H

#include "help_flow.h"
#include "validation/validation.h"

/* The statistics of rows as bytes, in batches of n on some threads; to is emptied first. */
void help_statistics(const struct help_rows *in, int threads, int n, struct hr_buf *to);

/* The bytes as a message. */
hr_statistics *help_statistics_read(struct hr_arena *arena, const struct hr_buf *b);

/* Statistics equal tests/cases/validation/SET/SPLIT.FeatureStats.pb, field for field.  Beyond a
 * thousand rows the mean of the reference depends on its batches; there 1e-12 of the larger of
 * mean and deviation is allowed for these two. */
void help_same_statistics(struct hr_arena *arena, const char *set, const char *split,
                          hr_statistics *got);

#endif
