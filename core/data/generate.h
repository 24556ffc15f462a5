/* generate.h - CSV files and TFRecords to the splits of an Examples artifact.
 *
 * Rows go to splits by their digest (split.h), in the order of the files; with one split all go
 * there.  Each split is written, also one that gets no rows.
 */
#ifndef HR_DATA_GENERATE_H
#define HR_DATA_GENERATE_H

#include "base/base.h"
#include "data/split.h"

struct hr_generate {
    const char *dir;    /* of the artifact */
    const char *format; /* HR_FORMAT_ of data.h */
    const struct hr_split *split;
    int64_t rows[HR_MAX_SPLITS]; /* how many each split got */
};

/* The files, which are all CSV.  On failure the artifact is left unfinished. */
hr_status hr_generate_csv(struct hr_env *env, const char *const *paths, size_t n,
                          struct hr_generate *g);

/* The files, which are all TFRecords of tf.Example.  Split by the record as it is but for the
 * order of its features; as "tfrecords_gzip" it is written so, too. */
hr_status hr_generate_records(struct hr_env *env, const char *const *paths, size_t n,
                              struct hr_generate *g);

/* Append "split:NAME,num_files:N,total_bytes:B,xor_checksum:X,sum_checksum:S", TFX's form of a
 * fingerprint, where checksums are of contents (CRC-32C), not of times. */
hr_status hr_generate_fingerprint(struct hr_env *env, const char *name, const char *const *paths,
                                  size_t n, struct hr_buf *to);

#endif
