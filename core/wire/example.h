/* example.h - tf.Example to columns and back.
 *
 *     Example   1 features
 *     Features  1 feature, a map: entries of 1 key, text, and 2 value, a Feature
 *     Feature   one of 1 bytes_list, 2 float_list, 3 int64_list; or none, which is missing
 *     lists     1 value, repeated; numbers packed or not
 *
 * The columns of many records are found by a survey of all of them, then decoded:
 *
 *     hr_example_survey_add(survey, bytes, n);            each record
 *     hr_example_survey_schema(survey, &schema);
 *     hr_example_decode(decoder, bytes, n);               each record
 *     hr_example_batch(decoder, &rows);                   what was decoded since the last
 *
 * Columns stand in byte order of their names.  One that has at most a value a row is scalar:
 * null is missing, or, if nothing is missing, present without values ("hr:null" = "empty").
 * Else it is a list.  A column that never has a kind has format "n".
 *
 * Encoded, features stand in byte order of their names and numbers are packed, so equal rows
 * have equal bytes.  What is missing is left out, but for columns of format "n": they are a
 * feature without a kind, as TFX writes a column of CSV that has no cell filled.
 */
#ifndef HR_WIRE_EXAMPLE_H
#define HR_WIRE_EXAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "headrace/arrow.h"

struct hr_example_survey;

hr_status hr_example_survey_new(struct hr_env *env, struct hr_example_survey **ret);
void hr_example_survey_free(struct hr_example_survey *s); /* NULL is allowed */

/* HR_DATA_LOSS: no tf.Example; HR_INVALID: a feature has another kind than before. */
hr_status hr_example_survey_add(struct hr_example_survey *s, const void *bytes, size_t n);

/* The schema of all records so far. */
hr_status hr_example_survey_schema(struct hr_example_survey *s, struct ArrowSchema *ret);

struct hr_example_decoder;

hr_status hr_example_decoder_new(struct hr_env *env, const struct ArrowSchema *schema,
                                 struct hr_example_decoder **ret);
void hr_example_decoder_free(struct hr_example_decoder *d); /* NULL is allowed */

/* Append a row.  HR_DATA_LOSS, HR_INVALID: as of the survey, or the schema is of other records;
 * the decoder may only be freed then. */
hr_status hr_example_decode(struct hr_example_decoder *d, const void *bytes, size_t n);

/* Rows since the last batch; begin anew. */
hr_status hr_example_batch(struct hr_example_decoder *d, struct ArrowArray *ret);
int64_t hr_example_rows(const struct hr_example_decoder *d);

/* A record in the form of this encoder: features in byte order of their names, numbers packed;
 * features without a kind are kept.  The bytes live until the next call; grows no names. */
hr_status hr_example_canonical(struct hr_example_survey *s, const void *bytes, size_t n,
                               const uint8_t **ret, size_t *ret_size);

struct hr_example_encoder;

/* HR_INVALID: a column is not of integers, floats or bytes or lists of them.  One thread at a
 * time uses an encoder. */
hr_status hr_example_encoder_new(struct hr_env *env, const struct ArrowSchema *schema,
                                 struct hr_example_encoder **ret);
void hr_example_encoder_free(struct hr_example_encoder *e); /* NULL is allowed */

/* The batch whose rows are encoded next; it must stay. */
hr_status hr_example_encoder_open(struct hr_example_encoder *e, const struct ArrowArray *rows);

/* A row; the bytes live until the next call. */
hr_status hr_example_encode(struct hr_example_encoder *e, int64_t row, const uint8_t **ret,
                            size_t *ret_size);

/* Rows by their numbers, which is faster: *n of them, at most HR_EXAMPLES, and fewer where they are
 * large, but at least one; *n: how many it were.  They may be given to hr_sha256_many(). */
enum { HR_EXAMPLES = 64 };
hr_status hr_example_encode_some(struct hr_example_encoder *e, const int64_t *rows, size_t *n,
                                 struct hr_sha256_text *ret);

#endif
