/* data.h - the face of core/data: files of rows as streams of batches, and back.
 *
 *     csv.h      CSV by the rules of TFX's CsvExampleGen
 *     split.h    the split of rows by the digest of their content
 *     generate.h CSV files and TFRecords to the splits of an artifact
 *
 * An Examples artifact is a directory with a folder for each split:
 *
 *     Split-train/data-00000-of-00001.arrow               Arrow, the default
 *     Split-eval/data_tfrecord-00000-of-00001.gz          TFRecords of tf.Example, TFX's name
 *
 * Readers take any number of files in byte order of their names, leave those alone that begin
 * with "." or "_", and see by the first bytes what a file is.
 */
#ifndef HR_DATA_H
#define HR_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "data/csv.h"
#include "data/generate.h"
#include "data/split.h"
#include "headrace/arrow.h"

#define HR_FORMAT_ARROW "arrow"
#define HR_FORMAT_TFRECORDS_GZIP "tfrecords_gzip"

/* The names of the splits that have a folder, in byte order; hr_names_clear() frees them. */
hr_status hr_data_splits(struct hr_env *env, const char *dir, struct hr_names *ret);

/* The rows of a split; split NULL: of all splits in turn, in byte order of their names, or of the
 * files in dir itself where it has no splits.
 * HR_NOT_FOUND: no such split; HR_INVALID: no files in it, or their columns differ;
 * HR_DATA_LOSS: a file is damaged.  The stream needs env as long as it lives. */
hr_status hr_data_open(struct hr_env *env, const char *dir, const char *split,
                       struct ArrowArrayStream *ret);

/* Files that a reader would take: a file as it is, or those in a directory, as whole paths.
 * HR_INVALID: there is none, or a directory is among them. */
hr_status hr_data_list(struct hr_env *env, const char *path, struct hr_names *ret);

/* Write all rows of a stream as a split, or with split NULL into dir itself; releases the
 * stream, also when failing.  format: one of
 * HR_FORMAT_, NULL: Arrow. */
hr_status hr_data_write(struct hr_env *env, const char *dir, const char *split, const char *format,
                        struct ArrowArrayStream *rows);

struct hr_data_place {
    const char *dir, *split, *format;
};

/* The same, batch by batch. */
struct hr_data_out;
hr_status hr_data_create(struct hr_env *env, const struct hr_data_place *place,
                         const struct ArrowSchema *schema, struct hr_data_out **ret);
hr_status hr_data_add(struct hr_data_out *out, struct ArrowArray *rows); /* takes rows */
/* n rows of a batch that has an owner (wire/arrow.h), by their numbers. */
struct hr_owner;
hr_status hr_data_add_rows(struct hr_data_out *out, struct hr_owner *owner, const uint32_t *rows,
                           size_t n);
/* A record of tf.Example as it is; only where the format is HR_FORMAT_TFRECORDS_GZIP. */
hr_status hr_data_add_record(struct hr_data_out *out, const void *bytes, size_t n);
/* Close and free, whatever happens; *ret_rows: how many were written, if not NULL. */
hr_status hr_data_end(struct hr_data_out *out, int64_t *ret_rows);
void hr_data_drop(struct hr_data_out *out); /* NULL is allowed; the file stays unfinished */

#endif
