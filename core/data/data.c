#include "data/data.h"

#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

enum { DECODE_ROWS = 4096, READ_HEAD = 8 };

/* -- which files ------------------------------------------------------------------- */

static hr_status add_name(struct hr_env *env, struct hr_names *names, const char *name)
{
    char *copy;

    if (!hr_mem_reserve(env, (void **)&names->names, &names->cap, names->count + 1,
                        sizeof *names->names, HR_MAX_DIR_ENTRIES))
        return HR_EXHAUSTED;
    if (!(copy = hr_mem_text(env, name)))
        return HR_EXHAUSTED;
    names->names[names->count++] = copy;
    return HR_OK;
}

static bool is_hidden(const char *name)
{
    return name[0] == '.' || name[0] == '_';
}

hr_status hr_data_list(struct hr_env *env, const char *path, struct hr_names *ret)
{
    struct hr_names all = { 0 }, made = { 0 };
    char file[HR_MAX_PATH];
    enum hr_at at;
    hr_status r = hr_look_at(env, path, &at);
    size_t i;

    if (r < 0)
        return r;
    if (at == HR_AT_NOTHING)
        return hr_fail(env, HR_NOT_FOUND, "there is no file or directory \"%s\"", path);
    if (at == HR_AT_FILE) {
        if ((r = add_name(env, &made, path)) < 0)
            hr_names_clear(env, &made);
        *ret = made;
        return r;
    }
    r = hr_dir_list(env, path, &all);
    for (i = 0; r == HR_OK && i < all.count; i++) {
        if (is_hidden(all.names[i]) || (r = hr_path_join(env, path, all.names[i], file)) < 0 ||
            (r = hr_look_at(env, file, &at)) < 0)
            continue;
        if (at == HR_AT_DIR)
            r = hr_fail(env, HR_INVALID,
                        "\"%s\" is a directory among the files to read; move it away, or begin its "
                        "name with _",
                        file);
        else
            r = add_name(env, &made, file);
    }
    if (r == HR_OK && !made.count)
        r = hr_fail(env, HR_INVALID, "\"%s\" has no file to read", path);
    hr_names_clear(env, &all);
    if (r < 0)
        hr_names_clear(env, &made);
    else
        *ret = made;
    return r;
}

hr_status hr_data_splits(struct hr_env *env, const char *dir, struct hr_names *ret)
{
    static const char prefix[] = "Split-";
    struct hr_names all = { 0 }, made = { 0 };
    char path[HR_MAX_PATH];
    hr_status r = hr_dir_list(env, dir, &all);
    enum hr_at at = HR_AT_NOTHING;
    size_t i;

    for (i = 0; r == HR_OK && i < all.count; i++) {
        if (!hr_text_starts(all.names[i], prefix))
            continue;
        if ((r = hr_path_join(env, dir, all.names[i], path)) == HR_OK &&
            (r = hr_look_at(env, path, &at)) == HR_OK && at == HR_AT_DIR)
            r = add_name(env, &made, all.names[i] + sizeof prefix - 1);
    }
    hr_names_clear(env, &all);
    if (r < 0)
        hr_names_clear(env, &made);
    else
        *ret = made;
    return r;
}

/* The folder of a split: Split-NAME, or NAME in artifacts of old releases of TFX. */
static hr_status split_dir(struct hr_env *env, const char *dir, const char *split, char *to)
{
    struct hr_names names = { 0 };
    const char *list[64], *meant;
    enum hr_at at = HR_AT_NOTHING;
    char name[HR_MAX_PATH];
    size_t n = 0, i;
    hr_status r;

    if (strlen(split) > 255 || strchr(split, '/'))
        return hr_fail(env, HR_INVALID, "\"%s\" is no name of a split", split);
    memcpy(name, "Split-", 6);
    memcpy(name + 6, split, strlen(split) + 1);
    if ((r = hr_path_join(env, dir, name, to)) < 0 || (r = hr_look_at(env, to, &at)) < 0 ||
        at == HR_AT_DIR)
        return r;
    if (*split && *split != '.' && (r = hr_path_join(env, dir, split, to)) == HR_OK &&
        (r = hr_look_at(env, to, &at)) == HR_OK && at == HR_AT_DIR)
        return HR_OK;
    if (r < 0 || (r = hr_data_splits(env, dir, &names)) < 0)
        return r;
    for (i = 0; i < names.count && n < 64; i++)
        list[n++] = names.names[i];
    meant = hr_text_meant(split, list, n);
    r = hr_fail_meant(env, HR_NOT_FOUND, NULL, meant, "\"%s\" has no split \"%s\"", dir, split);
    hr_names_clear(env, &names);
    return r;
}

/* -- reading ----------------------------------------------------------------------- */

struct reader {
    struct hr_env *env;
    struct hr_names files;
    bool arrow;
    size_t next; /* file */
    struct hr_ipc *ipc;
    size_t batch;
    struct ArrowSchema schema;
    struct hr_tfrecords *records;
    struct hr_example_decoder *decoder;
};

static void reader_drop(void *user)
{
    struct reader *r = user;

    hr_ipc_close(r->ipc);
    hr_tfrecords_close(r->records);
    hr_example_decoder_free(r->decoder);
    HR_RELEASE(&r->schema);
    hr_names_clear(r->env, &r->files);
    hr_mem_put(r->env, r, sizeof *r);
}

static hr_status next_arrow(struct reader *r, struct ArrowArray *ret)
{
    hr_status s;

    for (;;) {
        while (r->ipc && r->batch < hr_ipc_batches(r->ipc))
            return hr_ipc_batch(r->ipc, r->batch++, ret);
        hr_ipc_close(r->ipc);
        r->ipc = NULL;
        if (r->next == r->files.count)
            return HR_OK;
        r->batch = 0;
        if ((s = hr_ipc_open(r->env, r->files.names[r->next++], &r->ipc)) < 0)
            return s;
        if (!hr_arrow_schema_equal(hr_ipc_schema(r->ipc), &r->schema))
            return hr_fail(r->env, HR_DATA_LOSS, "\"%s\" was changed while it was read",
                           r->files.names[r->next - 1]);
    }
}

/* The file of a record that cannot be decoded is told beside the record. */
static hr_status in_file(struct reader *r, hr_status s)
{
    if (s < 0)
        hr_fail(r->env, s, "cannot read \"%s\"", r->files.names[r->next - 1]);
    return s;
}

static hr_status next_records(struct reader *r, struct ArrowArray *ret)
{
    const uint8_t *bytes;
    size_t n;
    hr_status s;

    while (hr_example_rows(r->decoder) < DECODE_ROWS) {
        if (!r->records) {
            if (r->next == r->files.count)
                break;
            s = hr_tfrecords_open(r->env, r->files.names[r->next++], &r->records);
            if (s < 0)
                return s;
        }
        if ((s = hr_tfrecords_next(r->records, &bytes, &n)) < 0)
            return s;
        if (!bytes) {
            hr_tfrecords_close(r->records);
            r->records = NULL;
        } else if ((s = hr_example_decode(r->decoder, bytes, n)) < 0) {
            return in_file(r, s);
        }
    }
    return hr_example_rows(r->decoder) ? hr_example_batch(r->decoder, ret) : HR_OK;
}

static hr_status reader_next(void *user, struct ArrowArray *ret)
{
    struct reader *r = user;

    return r->arrow ? next_arrow(r, ret) : next_records(r, ret);
}

static hr_status is_arrow(struct hr_env *env, const char *path, bool *ret)
{
    struct hr_map map;
    hr_status r = hr_file_map(env, path, &map);

    if (r < 0)
        return r;
    *ret = map.size >= READ_HEAD && !memcmp(map.data, "ARROW1", 6);
    if (!map.size)
        r = hr_fail(env, HR_DATA_LOSS, "\"%s\" is empty: neither Arrow nor TFRecord", path);
    hr_file_unmap(env, &map);
    return r;
}

static hr_status survey_arrow(struct reader *r)
{
    hr_status s = HR_OK;
    struct hr_buf text;
    size_t i;

    for (i = 0; s == HR_OK && i < r->files.count; i++) {
        struct hr_ipc *ipc;

        if ((s = hr_ipc_open(r->env, r->files.names[i], &ipc)) < 0)
            break;
        if (!i) {
            s = hr_arrow_schema_copy(r->env, hr_ipc_schema(ipc), &r->schema);
        } else if (!hr_arrow_schema_equal(hr_ipc_schema(ipc), &r->schema)) {
            hr_buf_of(&text, HR_MAX_ERROR_TEXT, r->env);
            hr_arrow_schema_differ(hr_ipc_schema(ipc), &r->schema, &text);
            s = hr_fail(r->env, HR_INVALID, "\"%s\" has other columns than \"%s\": %s",
                        r->files.names[i], r->files.names[0], text.text);
            hr_buf_clear(&text);
        }
        hr_ipc_close(ipc);
    }
    return s;
}

static hr_status survey_file(struct reader *r, struct hr_example_survey *survey)
{
    const uint8_t *bytes;
    struct hr_tfrecords *t;
    hr_status s = hr_tfrecords_open(r->env, r->files.names[r->next++], &t);
    size_t n;

    if (s < 0)
        return s;
    while ((s = hr_tfrecords_next(t, &bytes, &n)) == HR_OK && bytes)
        if ((s = hr_example_survey_add(survey, bytes, n)) < 0) {
            in_file(r, s);
            break;
        }
    hr_tfrecords_close(t);
    return s;
}

static hr_status survey_records(struct reader *r)
{
    struct hr_example_survey *survey;
    hr_status s = hr_example_survey_new(r->env, &survey);

    if (s < 0)
        return s;
    while (s == HR_OK && r->next < r->files.count)
        s = survey_file(r, survey);
    r->next = 0;
    if (s == HR_OK)
        s = hr_example_survey_schema(survey, &r->schema);
    if (s == HR_OK)
        s = hr_example_decoder_new(r->env, &r->schema, &r->decoder);
    hr_example_survey_free(survey);
    return s;
}

/* Takes the names, also when failing. */
static hr_status open_names(struct hr_env *env, struct hr_names *files,
                            struct ArrowArrayStream *ret)
{
    static const struct hr_stream_calls calls = { reader_next, reader_drop };
    struct reader *r = hr_mem_zero(env, sizeof *r);
    hr_status s = HR_OK;
    bool arrow = false;
    size_t i;

    if (!r) {
        hr_names_clear(env, files);
        return HR_EXHAUSTED;
    }
    r->env = env;
    r->files = *files;
    for (i = 0; s == HR_OK && i < r->files.count; i++) {
        s = is_arrow(env, r->files.names[i], &arrow);
        if (s == HR_OK && i && arrow != r->arrow)
            s = hr_fail(env, HR_INVALID, "\"%s\" is Arrow, \"%s\" is not; read them apart",
                        r->files.names[arrow ? i : 0], r->files.names[arrow ? 0 : i]);
        r->arrow = arrow;
    }
    if (s == HR_OK)
        s = r->arrow ? survey_arrow(r) : survey_records(r);
    if (s < 0) {
        reader_drop(r);
        return s;
    }
    return hr_arrow_stream(env, &r->schema, &calls, r, ret);
}

static hr_status add_split(struct hr_env *env, const char *dir, const char *split,
                           struct hr_names *files)
{
    struct hr_names more = { 0 };
    char path[HR_MAX_PATH];
    hr_status r;
    size_t i;

    if ((r = split_dir(env, dir, split, path)) < 0 || (r = hr_data_list(env, path, &more)) < 0)
        return r;
    for (i = 0; r == HR_OK && i < more.count; i++)
        r = add_name(env, files, more.names[i]);
    hr_names_clear(env, &more);
    return r;
}

hr_status hr_data_open(struct hr_env *env, const char *dir, const char *split,
                       struct ArrowArrayStream *ret)
{
    struct hr_names files = { 0 }, splits = { 0 };
    hr_status r = HR_OK;
    size_t i;

    if (split) {
        r = add_split(env, dir, split, &files);
    } else if ((r = hr_data_splits(env, dir, &splits)) == HR_OK) {
        for (i = 0; r == HR_OK && i < splits.count; i++)
            r = add_split(env, dir, splits.names[i], &files);
        if (r == HR_OK && !splits.count)
            r = hr_data_list(env, dir, &files);
        hr_names_clear(env, &splits);
    }
    if (r < 0) {
        hr_names_clear(env, &files);
        return r;
    }
    return open_names(env, &files, ret);
}

/* -- writing ----------------------------------------------------------------------- */

struct hr_data_out {
    struct hr_env *env;
    struct hr_ipc_out *ipc;
    struct hr_tfrecord_out *records;
    struct hr_example_encoder *encoder;
    int64_t rows;
};

static hr_status out_path(struct hr_env *env, const char *dir, const char *split, bool arrow,
                          char *to)
{
    char name[300], folder[HR_MAX_PATH];
    hr_status r;

    if (split && (!*split || strlen(split) > 200 || strchr(split, '/')))
        return hr_fail(env, HR_INVALID, "\"%s\" is no name of a split", split);
    memcpy(name, "Split-", 7);
    if (split)
        memcpy(name + 6, split, strlen(split) + 1);
    r = hr_path_join(env, dir, split ? name : ".", folder);
    if (r < 0 || (r = hr_dir_make(env, split ? folder : dir)) < 0)
        return r;
    return hr_path_join(env, split ? folder : dir,
                        arrow ? "data-00000-of-00001.arrow" : "data_tfrecord-00000-of-00001.gz",
                        to);
}

hr_status hr_data_create(struct hr_env *env, const struct hr_data_place *place,
                         const struct ArrowSchema *schema, struct hr_data_out **ret)
{
    const char *format = place->format;
    static const char *const formats[] = { HR_FORMAT_ARROW, HR_FORMAT_TFRECORDS_GZIP };
    bool arrow = !format || !*format || !strcmp(format, HR_FORMAT_ARROW);
    char path[HR_MAX_PATH];
    struct hr_data_out *out;
    hr_status r;

    if (!arrow && strcmp(format, HR_FORMAT_TFRECORDS_GZIP))
        return hr_fail_meant(env, HR_INVALID, NULL, hr_text_meant(format, formats, 2),
                             "there is no file format \"%s\"; it is \"arrow\" or "
                             "\"tfrecords_gzip\"",
                             format);
    if ((r = out_path(env, place->dir, place->split, arrow, path)) < 0)
        return r;
    if (!(out = hr_mem_zero(env, sizeof *out)))
        return HR_EXHAUSTED;
    out->env = env;
    if (arrow)
        r = hr_ipc_create(env, path, schema, &out->ipc);
    else if ((r = hr_example_encoder_new(env, schema, &out->encoder)) == HR_OK)
        r = hr_tfrecord_create(env, path, true, &out->records);
    if (r < 0)
        hr_data_drop(out);
    else
        *ret = out;
    return r;
}

static hr_status add_examples(struct hr_data_out *out, const struct ArrowArray *batch,
                              const uint32_t *rows, size_t count)
{
    hr_status r = hr_example_encoder_open(out->encoder, batch);
    struct hr_sha256_text texts[HR_EXAMPLES];
    int64_t numbers[HR_EXAMPLES];
    size_t at, some, i;

    for (at = 0; r == HR_OK && at < count; at += some) {
        some = count - at < HR_EXAMPLES ? count - at : HR_EXAMPLES;
        for (i = 0; i < some; i++)
            numbers[i] = rows ? rows[at + i] : (int64_t)(at + i);
        r = hr_example_encode_some(out->encoder, numbers, &some, texts);
        for (i = 0; r == HR_OK && i < some; i++)
            r = hr_tfrecord_add(out->records, texts[i].bytes, texts[i].n);
    }
    return r;
}

hr_status hr_data_add_rows(struct hr_data_out *out, struct hr_owner *owner, const uint32_t *rows,
                           size_t n)
{
    hr_status r = out->ipc ? hr_ipc_add_rows(out->ipc, owner, rows, n)
                           : add_examples(out, &owner->rows, rows, n);

    if (r == HR_OK)
        out->rows += (int64_t)n;
    return r;
}

hr_status hr_data_add(struct hr_data_out *out, struct ArrowArray *rows)
{
    struct hr_owner *owner = NULL;
    size_t n = (size_t)rows->length;
    hr_status r = hr_arrow_owner(out->env, rows, &owner);

    if (r < 0)
        return r;
    r = hr_data_add_rows(out, owner, NULL, n);
    hr_owner_drop(owner);
    return r;
}

hr_status hr_data_add_record(struct hr_data_out *out, const void *bytes, size_t n)
{
    hr_status r = hr_tfrecord_add(out->records, bytes, n);

    out->rows += r == HR_OK;
    return r;
}

hr_status hr_data_end(struct hr_data_out *out, int64_t *ret_rows)
{
    hr_status r;

    if (ret_rows)
        *ret_rows = out->rows;
    r = out->ipc ? hr_ipc_end(out->ipc) : hr_tfrecord_end(out->records);
    out->ipc = NULL;
    out->records = NULL;
    hr_data_drop(out);
    return r;
}

void hr_data_drop(struct hr_data_out *out)
{
    if (!out)
        return;
    hr_ipc_drop(out->ipc);
    hr_tfrecord_drop(out->records);
    hr_example_encoder_free(out->encoder);
    hr_mem_put(out->env, out, sizeof *out);
}

static hr_status write_all(struct hr_data_out *out, struct ArrowArrayStream *rows, const char *what)
{
    struct ArrowArray batch;
    hr_status r;

    for (;;) {
        if ((r = hr_arrow_stream_next(out->env, rows, what, &batch)) < 0 || !batch.release)
            return r;
        if (hr_cancelled(out->env)) {
            HR_RELEASE(&batch);
            return hr_fail(out->env, HR_CANCELLED, "writing \"%s\" was cancelled", what);
        }
        if ((r = hr_data_add(out, &batch)) < 0)
            return r;
    }
}

hr_status hr_data_write(struct hr_env *env, const char *dir, const char *split, const char *format,
                        struct ArrowArrayStream *rows)
{
    struct ArrowSchema schema = { 0 };
    struct hr_data_out *out = NULL;
    const char *what = split ? split : "rows";
    hr_status r = hr_arrow_stream_schema(env, rows, what, &schema);

    if (r == HR_OK)
        r = hr_data_create(env, &(struct hr_data_place){ dir, split, format }, &schema, &out);
    if (r == HR_OK)
        r = write_all(out, rows, what);
    if (r == HR_OK)
        r = hr_data_end(out, NULL);
    else
        hr_data_drop(out);
    HR_RELEASE(&schema);
    HR_RELEASE(rows);
    return r;
}
