/* csv.h - CSV files as batches, by the rules of TFX's CsvExampleGen.
 *
 *     hr_csv_open(env, paths, n, 0, &csv);
 *     for (i = 0; i < hr_csv_chunks(csv); i++)
 *         hr_csv_chunk(csv, i, &rows);            any thread, any order
 *     hr_csv_close(csv);
 *
 * Form: RFC 4180 with commas.  The first line names the columns, the same in all files.  A
 * record ends at a line break before which the number of quotes is even; empty lines are
 * skipped; a quote within a cell that does not begin with one stands for itself.  A BOM and
 * CRLF are taken.
 *
 * Types: the highest of int64 < float32 < bytes over all cells of all files, by what Python's
 * int() and float() take; an integer outside of int64 makes bytes.  An empty cell is null;
 * "hr:null" = "empty" says that it is present without values, unless HR_CSV_MISSING is given.
 * A column without any filled cell has format "n".  Columns stand in byte order of their names.
 * Text is coded by a dictionary where the first rows show values again and again.
 *
 * The first mistake in the order of the files is told with file, line and what to do.
 */
#ifndef HR_DATA_CSV_H
#define HR_DATA_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "headrace/arrow.h"

enum { HR_CSV_MISSING = 1 }; /* empty cells are missing, as TFDV reads CSV */

struct hr_csv;

/* Map the files, check all of them and find the types.  HR_INVALID: a mistake in a file. */
hr_status hr_csv_open(struct hr_env *env, const char *const *paths, size_t n, int flags,
                      struct hr_csv **ret);
void hr_csv_close(struct hr_csv *csv); /* NULL is allowed */

const struct ArrowSchema *hr_csv_schema(const struct hr_csv *csv);
int64_t hr_csv_rows(const struct hr_csv *csv);

/* The rows of the i-th piece of the files, in order; it may have none.  [any] */
size_t hr_csv_chunks(const struct hr_csv *csv);
hr_status hr_csv_chunk(const struct hr_csv *csv, size_t i, struct ArrowArray *ret);

/* All rows as a stream, which closes csv at its end, also when failing. */
hr_status hr_csv_stream(struct hr_csv *csv, struct ArrowArrayStream *ret);

#endif
