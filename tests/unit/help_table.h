/* help_table.h - rows in files of tests/cases: { "types": ..., "rows": [...] }. */
#ifndef HELP_TABLE_H
#define HELP_TABLE_H

#include "help_flow.h"

void help_table(const char *dir, const char *name, struct help_rows *ret);

#endif
