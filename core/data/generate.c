#include "data/generate.h"

#include <string.h>

#include "data/data.h"
#include "wire/wire.h"

enum { WINDOW = 16, DECODE_ROWS = 4096 };

/* -- outputs ----------------------------------------------------------------------- */

struct outs {
    struct hr_env *env;
    struct hr_generate *g;
    struct hr_data_out *out[HR_MAX_SPLITS];
};

static hr_status outs_open(struct outs *o, const struct ArrowSchema *schema)
{
    hr_status r = HR_OK;
    uint32_t k;

    for (k = 0; r == HR_OK && k < o->g->split->n; k++)
        r = hr_data_create(
            o->env, &(struct hr_data_place){ o->g->dir, o->g->split->names[k], o->g->format },
            schema, &o->out[k]);
    return r;
}

/* Close all; after a failure r nothing more is written. */
static hr_status outs_close(struct outs *o, hr_status r)
{
    uint32_t k;

    for (k = 0; k < o->g->split->n; k++) {
        if (r == HR_OK)
            r = hr_data_end(o->out[k], &o->g->rows[k]);
        else
            hr_data_drop(o->out[k]);
        o->out[k] = NULL;
    }
    return r;
}

/* -- CSV --------------------------------------------------------------------------- */

/* A chunk on its way from text to splits. */
struct piece {
    struct hr_owner *owner;
    uint32_t *rows; /* of the first split, then of the second, ... */
    size_t counts[HR_MAX_SPLITS];
};

struct csv_work {
    struct outs outs;
    struct hr_csv *csv;
    size_t from;
    struct piece pieces[WINDOW];
};

/* Put rows behind one another by the split that ids has of each. */
static void order_rows(struct piece *p, const uint8_t *ids, size_t n, uint32_t splits)
{
    size_t at[HR_MAX_SPLITS] = { 0 }, i;
    uint32_t k;

    for (k = 1; k < splits; k++)
        at[k] = at[k - 1] + p->counts[k - 1];
    for (i = 0; i < n; i++)
        p->rows[at[ids[i]]++] = (uint32_t)i;
}

static hr_status split_rows(struct csv_work *w, struct piece *p, uint8_t *ids)
{
    const struct ArrowArray *rows = &p->owner->rows;
    struct hr_sha256_text texts[HR_EXAMPLES];
    int64_t numbers[HR_EXAMPLES];
    struct hr_example_encoder *e;
    hr_status r = hr_example_encoder_new(w->outs.env, hr_csv_schema(w->csv), &e);
    size_t n = (size_t)rows->length, at, some, i;

    if (r < 0)
        return r;
    r = hr_example_encoder_open(e, rows);
    for (at = 0; r == HR_OK && at < n; at += some) {
        some = n - at < HR_EXAMPLES ? n - at : HR_EXAMPLES;
        for (i = 0; i < some; i++)
            numbers[i] = (int64_t)(at + i);
        if ((r = hr_example_encode_some(e, numbers, &some, texts)) == HR_OK)
            hr_split_many(w->outs.g->split, texts, some, ids + at);
    }
    for (i = 0; r == HR_OK && i < n; i++)
        p->counts[ids[i]]++;
    hr_example_encoder_free(e);
    return r;
}

static hr_status convert_piece(void *user, size_t i)
{
    struct csv_work *w = user;
    struct hr_env *env = w->outs.env;
    struct piece *p = &w->pieces[i];
    struct ArrowArray rows;
    uint8_t *ids;
    hr_status r = hr_csv_chunk(w->csv, w->from + i, &rows);
    size_t n;

    if (r < 0)
        return r;
    n = (size_t)rows.length;
    if ((r = hr_arrow_owner(env, &rows, &p->owner)) < 0)
        return r;
    memset(p->counts, 0, sizeof p->counts);
    p->counts[0] = w->outs.g->split->n == 1 ? n : 0;
    if (w->outs.g->split->n == 1)
        return HR_OK;
    ids = hr_mem_zero(env, n);
    p->rows = hr_mem_zero(env, n * sizeof *p->rows);
    r = ids && p->rows ? split_rows(w, p, ids) : HR_EXHAUSTED;
    if (r == HR_OK)
        order_rows(p, ids, n, w->outs.g->split->n);
    hr_mem_put(env, ids, n);
    return r;
}

static hr_status write_piece(struct csv_work *w, const struct piece *p)
{
    size_t at = 0;
    hr_status r = HR_OK;
    uint32_t k;

    for (k = 0; r == HR_OK && k < w->outs.g->split->n; at += p->counts[k++])
        r = hr_data_add_rows(w->outs.out[k], p->owner, p->rows ? p->rows + at : NULL, p->counts[k]);
    return r;
}

static void piece_clear(struct hr_env *env, struct piece *p)
{
    if (p->rows)
        hr_mem_put(env, p->rows, (size_t)p->owner->rows.length * sizeof *p->rows);
    hr_owner_drop(p->owner);
    p->rows = NULL;
    p->owner = NULL;
}

static hr_status run_csv(struct csv_work *w)
{
    struct hr_env *env = w->outs.env;
    size_t n = hr_csv_chunks(w->csv), count, i;
    hr_status r = HR_OK;

    for (w->from = 0; r == HR_OK && w->from < n; w->from += count) {
        count = n - w->from < WINDOW ? n - w->from : WINDOW;
        r = hr_cancelled(env) ? hr_fail(env, HR_CANCELLED, "reading CSV was cancelled")
                              : hr_work(env, count, convert_piece, w);
        for (i = 0; i < count; i++) {
            if (r == HR_OK)
                r = write_piece(w, &w->pieces[i]);
            piece_clear(env, &w->pieces[i]);
        }
    }
    return r;
}

hr_status hr_generate_csv(struct hr_env *env, const char *const *paths, size_t n,
                          struct hr_generate *g)
{
    struct csv_work *w = hr_mem_zero(env, sizeof *w);
    hr_status r;

    if (!w)
        return HR_EXHAUSTED;
    w->outs.env = env;
    w->outs.g = g;
    if ((r = hr_csv_open(env, paths, n, 0, &w->csv)) == HR_OK) {
        r = outs_open(&w->outs, hr_csv_schema(w->csv));
        if (r == HR_OK)
            r = run_csv(w);
        r = outs_close(&w->outs, r);
    }
    hr_csv_close(w->csv);
    hr_mem_put(env, w, sizeof *w);
    return r;
}

/* -- TFRecords --------------------------------------------------------------------- */

struct record_work {
    struct outs outs;
    const char *const *paths;
    size_t n;
    struct hr_example_survey *survey;
    bool records; /* written as they are */
    struct hr_example_decoder *decoders[HR_MAX_SPLITS];
};

/* Give each record of all files to one(). */
static hr_status each_record(struct record_work *w,
                             hr_status (*one)(struct record_work *w, const uint8_t *bytes,
                                              size_t n))
{
    struct hr_env *env = w->outs.env;
    const uint8_t *bytes;
    hr_status r = HR_OK;
    size_t f, n;

    for (f = 0; r == HR_OK && f < w->n; f++) {
        struct hr_tfrecords *t;

        if ((r = hr_tfrecords_open(env, w->paths[f], &t)) < 0)
            return r;
        while ((r = hr_tfrecords_next(t, &bytes, &n)) == HR_OK && bytes) {
            if ((r = one(w, bytes, n)) == HR_OK)
                continue;
            hr_fail(env, r, "cannot take \"%s\"", w->paths[f]);
            break;
        }
        hr_tfrecords_close(t);
        if (r == HR_OK && hr_cancelled(env))
            r = hr_fail(env, HR_CANCELLED, "reading records was cancelled");
    }
    return r;
}

static hr_status survey_one(struct record_work *w, const uint8_t *bytes, size_t n)
{
    return hr_example_survey_add(w->survey, bytes, n);
}

static hr_status flush(struct record_work *w, uint32_t k)
{
    struct ArrowArray rows;
    hr_status r = hr_example_batch(w->decoders[k], &rows);

    return r < 0 ? r : hr_data_add(w->outs.out[k], &rows);
}

static hr_status split_one(struct record_work *w, const uint8_t *bytes, size_t n)
{
    const struct hr_split *split = w->outs.g->split;
    const uint8_t *same;
    size_t size;
    uint32_t k;
    hr_status r = hr_example_canonical(w->survey, bytes, n, &same, &size);

    if (r < 0)
        return r;
    k = split->n == 1 ? 0 : hr_split_of(split, same, size);
    w->outs.g->rows[k]++;
    if (w->records)
        return hr_data_add_record(w->outs.out[k], same, size);
    if ((r = hr_example_decode(w->decoders[k], bytes, n)) < 0)
        return r;
    return hr_example_rows(w->decoders[k]) < DECODE_ROWS ? HR_OK : flush(w, k);
}

static hr_status run_records(struct record_work *w)
{
    struct ArrowSchema schema;
    hr_status r = each_record(w, survey_one);
    uint32_t k, n = w->outs.g->split->n;

    if (r < 0 || (r = hr_example_survey_schema(w->survey, &schema)) < 0)
        return r;
    r = outs_open(&w->outs, &schema);
    for (k = 0; r == HR_OK && k < n; k++)
        r = hr_example_decoder_new(w->outs.env, &schema, &w->decoders[k]);
    HR_RELEASE(&schema);
    if (r == HR_OK)
        r = each_record(w, split_one);
    for (k = 0; r == HR_OK && !w->records && k < n; k++)
        r = flush(w, k);
    for (k = 0; k < n; k++)
        hr_example_decoder_free(w->decoders[k]);
    return outs_close(&w->outs, r);
}

hr_status hr_generate_records(struct hr_env *env, const char *const *paths, size_t n,
                              struct hr_generate *g)
{
    struct record_work *w = hr_mem_zero(env, sizeof *w);
    hr_status r;

    if (!w)
        return HR_EXHAUSTED;
    w->outs.env = env;
    w->outs.g = g;
    w->paths = paths;
    w->n = n;
    w->records = g->format && !strcmp(g->format, HR_FORMAT_TFRECORDS_GZIP);
    memset(g->rows, 0, sizeof g->rows);
    if ((r = hr_example_survey_new(env, &w->survey)) == HR_OK)
        r = run_records(w);
    hr_example_survey_free(w->survey);
    hr_mem_put(env, w, sizeof *w);
    return r;
}

/* -- the fingerprint --------------------------------------------------------------- */

/* Whole files, whose memory is let go behind the reader. */
static uint32_t crc_of(struct hr_env *env, const struct hr_map *map)
{
    enum { PIECE = 1 << 20 };
    uint32_t crc = 0;
    size_t at, n;

    for (at = 0; at < map->size; at += n) {
        n = map->size - at < PIECE ? map->size - at : PIECE;
        crc = hr_crc32c(crc, (const char *)map->data + at, n);
        hr_map_passed(env->os, map, at, at + n);
    }
    return crc;
}

hr_status hr_generate_fingerprint(struct hr_env *env, const char *name, const char *const *paths,
                                  size_t n, struct hr_buf *to)
{
    uint64_t bytes = 0, xor_sum = 0, sum = 0;
    struct hr_map map;
    hr_status r;
    size_t i;

    for (i = 0; i < n; i++) {
        uint32_t crc;

        if ((r = hr_file_map(env, paths[i], &map)) < 0)
            return r;
        crc = crc_of(env, &map);
        bytes += map.size;
        xor_sum ^= crc;
        sum += crc;
        hr_file_unmap(env, &map);
    }
    return hr_buf_format(to,
                         "split:%s,num_files:%zu,total_bytes:%llu,xor_checksum:%llu,"
                         "sum_checksum:%llu",
                         name, n, (unsigned long long)bytes, (unsigned long long)xor_sum,
                         (unsigned long long)sum);
}
