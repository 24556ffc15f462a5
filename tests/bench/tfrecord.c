/* tfrecord FILE - the cost of reading and writing records of tf.Example.
 *
 * FILE is a TFRecord file, not packed.  Prints as JSON the nanoseconds of CPU a row for the survey
 * of the columns, for decoding to batches, for encoding again, each with the frame of a record
 * and its checksums; and a checksum of the file that comes out.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wire/wire.h"

enum { BATCH = 4096 };

struct bench {
    struct hr_env env;
    struct hr_map map;
    struct ArrowSchema schema;
    int64_t rows;
    double survey, decode, encode;
    uint32_t crc; /* of what was encoded */
};

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static hr_status survey(struct bench *b)
{
    struct hr_example_survey *s = NULL;
    struct hr_tfrecords *t = NULL;
    const uint8_t *bytes;
    double start = cpu_ns();
    size_t n;
    hr_status r = hr_example_survey_new(&b->env, &s);

    if (r == HR_OK)
        r = hr_tfrecords_over(&b->env, "records", b->map.data, b->map.size, &t);
    while (r == HR_OK && (r = hr_tfrecords_next(t, &bytes, &n)) == HR_OK && bytes) {
        r = hr_example_survey_add(s, bytes, n);
        b->rows++;
    }
    if (r == HR_OK)
        r = hr_example_survey_schema(s, &b->schema);
    hr_tfrecords_close(t);
    hr_example_survey_free(s);
    b->survey = cpu_ns() - start;
    return r;
}

/* Encode a batch, and release it. */
static hr_status encode(struct bench *b, struct hr_example_encoder *e, struct ArrowArray *rows,
                        struct hr_buf *to)
{
    double start = cpu_ns();
    hr_status r = hr_example_encoder_open(e, rows);
    struct hr_sha256_text texts[HR_EXAMPLES];
    int64_t numbers[HR_EXAMPLES], at;
    size_t n, i;

    hr_buf_cut(to, 0);
    for (at = 0; r == HR_OK && at < rows->length; at += (int64_t)n) {
        n = rows->length - at < HR_EXAMPLES ? (size_t)(rows->length - at) : HR_EXAMPLES;
        for (i = 0; i < n; i++)
            numbers[i] = at + (int64_t)i;
        r = hr_example_encode_some(e, numbers, &n, texts);
        for (i = 0; r == HR_OK && i < n; i++)
            r = hr_tfrecord_frame(to, texts[i].bytes, texts[i].n);
    }
    b->encode += cpu_ns() - start;
    b->crc = hr_crc32c(b->crc, to->text, to->len);
    rows->release(rows);
    return r;
}

static hr_status decode(struct bench *b)
{
    struct hr_example_decoder *d = NULL;
    struct hr_example_encoder *e = NULL;
    struct hr_tfrecords *t = NULL;
    const uint8_t *bytes;
    struct ArrowArray rows;
    struct hr_buf to;
    double start;
    size_t n;
    hr_status r = hr_example_decoder_new(&b->env, &b->schema, &d);

    hr_buf_of(&to, HR_MAX_VALUE_BYTES, &b->env);
    if (r == HR_OK)
        r = hr_example_encoder_new(&b->env, &b->schema, &e);
    if (r == HR_OK)
        r = hr_tfrecords_over(&b->env, "records", b->map.data, b->map.size, &t);
    for (bytes = NULL, start = cpu_ns(); r == HR_OK; start = cpu_ns()) {
        while (r == HR_OK && hr_example_rows(d) < BATCH &&
               (r = hr_tfrecords_next(t, &bytes, &n)) == HR_OK && bytes)
            r = hr_example_decode(d, bytes, n);
        if (r < 0 || !hr_example_rows(d))
            break;
        r = hr_example_batch(d, &rows);
        b->decode += cpu_ns() - start;
        if (r == HR_OK)
            r = encode(b, e, &rows, &to);
    }
    hr_tfrecords_close(t);
    hr_example_decoder_free(d);
    hr_example_encoder_free(e);
    hr_buf_clear(&to);
    return r;
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    hr_status r;

    hr_env_init(&b.env, NULL);
    r = hr_file_map(&b.env, argc > 1 ? argv[1] : "", &b.map);
    if (r == HR_OK)
        r = survey(&b);
    if (r == HR_OK)
        r = decode(&b);
    if (r < 0)
        fprintf(stderr, "%s\n", hr_env_error(&b.env));
    else
        printf("{\"rows\": %lld, \"survey\": %.1f, \"decode\": %.1f, \"encode\": %.1f, "
               "\"crc\": %u, \"file_crc\": %u}\n",
               (long long)b.rows, b.survey / (double)b.rows, b.decode / (double)b.rows,
               b.encode / (double)b.rows, b.crc, hr_crc32c(0, b.map.data, b.map.size));
    if (b.schema.release)
        b.schema.release(&b.schema);
    hr_file_unmap(&b.env, &b.map);
    hr_env_clear(&b.env);
    return r < 0;
}
