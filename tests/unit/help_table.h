/* help_table.h - rows in files of tests/cases: { "types": ..., "rows": [...] }, and packed CSV. */
#ifndef HELP_TABLE_H
#define HELP_TABLE_H

#include "help_flow.h"

void help_table(const char *dir, const char *name, struct help_rows *ret);

/* Append the content of tests/cases/data/NAME, a gzip file. */
void help_unpack(struct hr_env *env, const char *name, struct hr_buf *to);

#endif
