/* arrow_files - what arrow_files.py drives: writes an Arrow file of each kind of column, and
 * reads one, row by row, as JSON lines.
 *
 *     arrow_files write FILE
 *     arrow_files read FILE
 *     arrow_files copy FILE TO      batch by batch
 */
#include <stdio.h>
#include <string.h>

#include "headrace/rows.h"
#include "wire/wire.h"

enum { ROWS = 20000 }; /* more than one batch of a file */

static int fail(struct hr_env *env)
{
    fprintf(stderr, "%s\n", hr_env_error(env));
    return 1;
}

/* Codes 0 to 99 of the values "d0" to "d99"; every 13th is null. */
static hr_status make_codes(struct hr_env *env, struct ArrowSchema *schema, struct ArrowArray *ret)
{
    int32_t *codes = calloc(ROWS, sizeof *codes);
    uint8_t *valid = calloc(ROWS / 8 + 1, 1);
    struct hr_builder values;
    char text[32];
    int i;

    hr_builder_init(&values, "u", 0);
    for (i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "d%d", i);
        hr_builder_bytes(&values, text, strlen(text));
    }
    for (i = 0; i < ROWS; i++) {
        codes[i] = (i * 31) % 100;
        valid[i / 8] |= (uint8_t)((i % 13 != 0) << i % 8);
    }
    hr_schema_column(schema, "s", "i", 0);
    schema->dictionary = calloc(1, sizeof *schema->dictionary);
    hr_schema_column(schema->dictionary, "", "u", 0);
    if (hr_arrow_new(env, 2, 0, true, ret) < 0)
        return HR_EXHAUSTED;
    ret->length = ROWS;
    ret->null_count = -1;
    hr_arrow_put(ret, 0, valid, true);
    hr_arrow_put(ret, 1, codes, true);
    return hr_builder_done(&values, ret->dictionary);
}

/* x: int64; f: lists of float32; z: bytes, null is empty; s: text by a dictionary. */
static hr_status make_rows(struct hr_env *env, struct ArrowSchema *schema, struct ArrowArray *rows)
{
    struct ArrowArray columns[4];
    struct hr_builder x, f, z;
    char text[32];
    int64_t i, k;

    hr_schema_new("+s", "", 4, schema);
    hr_schema_column(schema->children[0], "x", "l", 0);
    hr_schema_column(schema->children[1], "f", "f", 1);
    hr_schema_column(schema->children[2], "z", "z", 0);
    hr_schema_add_meta(schema->children[2], "hr:null", "empty");
    hr_builder_init(&x, "l", 0);
    hr_builder_init(&f, "f", 1);
    hr_builder_init(&z, "z", 0);
    for (i = 0; i < ROWS; i++) {
        if (i % 5)
            hr_builder_int(&x, i * i);
        else
            hr_builder_null(&x);
        for (k = 0; k < i % 4; k++)
            hr_builder_double(&f, (double)i / 8);
        if (i % 7)
            hr_builder_end(&f);
        else
            hr_builder_null(&f);
        snprintf(text, sizeof text, "t%d", (int)(i % 100));
        if (i % 11)
            hr_builder_bytes(&z, text, strlen(text));
        else
            hr_builder_null(&z);
    }
    if (hr_builder_done(&x, &columns[0]) < 0 || hr_builder_done(&f, &columns[1]) < 0 ||
        hr_builder_done(&z, &columns[2]) < 0 ||
        make_codes(env, schema->children[3], &columns[3]) < 0)
        return HR_EXHAUSTED;
    return hr_rows_make(columns, 4, ROWS, rows);
}

static int write_file(struct hr_env *env, const char *path)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    struct hr_ipc_out *out;

    if (make_rows(env, &schema, &rows) < 0 || hr_ipc_create(env, path, &schema, &out) < 0 ||
        hr_ipc_add(out, &rows) < 0 || hr_ipc_end(out) < 0)
        return fail(env);
    HR_RELEASE(&schema);
    return 0;
}

static hr_status put_value(struct hr_json_writer *w, const struct hr_col *c, int64_t at)
{
    const char *bytes;
    size_t n;

    if (c->kind == HR_COL_BYTES) {
        bytes = hr_col_bytes(c, at, &n);
        hr_json_put_bytes(w, bytes, n);
    } else if (c->kind == HR_COL_FLOAT) {
        hr_json_put_double(w, hr_col_double(c, at));
    } else {
        hr_json_put_int(w, hr_col_int(c, at));
    }
    return HR_OK;
}

static void put_row(struct hr_json_writer *w, const struct ArrowSchema *schema,
                    const struct ArrowArray *rows, int64_t i)
{
    int64_t k, j, n, at;
    struct hr_col c;

    hr_json_open_array(w);
    for (k = 0; k < schema->n_children; k++) {
        if (hr_col_open(schema, rows, k, &c) < 0) {
            hr_json_put_text(w, "struct");
            continue;
        }
        n = hr_col_count(&c, i, &at);
        if ((c.kind == HR_COL_NULL && !c.list) || !hr_col_valid(&c, i)) {
            hr_json_put_null(w);
            continue;
        }
        if (c.list)
            hr_json_open_array(w);
        for (j = 0; j < n; j++)
            put_value(w, &c, at + j);
        if (c.list)
            hr_json_close_array(w);
    }
    hr_json_close_array(w);
}

static int read_file(struct hr_env *env, const char *path)
{
    struct hr_json_writer w;
    struct ArrowArray rows;
    struct hr_buf text;
    struct hr_ipc *ipc;
    int64_t i;
    size_t b;

    if (hr_ipc_open(env, path, &ipc) < 0)
        return fail(env);
    hr_buf_of(&text, (size_t)1 << 30, env);
    for (b = 0; b < hr_ipc_batches(ipc); b++) {
        if (hr_ipc_batch(ipc, b, &rows) < 0)
            return fail(env);
        for (i = 0; i < rows.length; i++) {
            hr_json_begin(&w, &text, 0);
            put_row(&w, hr_ipc_schema(ipc), &rows, i);
            hr_json_end(&w);
            hr_buf_char(&text, '\n');
        }
        HR_RELEASE(&rows);
    }
    hr_ipc_close(ipc);
    fwrite(text.text, 1, text.len, stdout);
    hr_buf_clear(&text);
    return 0;
}

static int copy_file(struct hr_env *env, const char *from, const char *to)
{
    struct ArrowArray rows;
    struct hr_ipc_out *out;
    struct hr_ipc *ipc;
    size_t b;

    if (hr_ipc_open(env, from, &ipc) < 0 || hr_ipc_create(env, to, hr_ipc_schema(ipc), &out) < 0)
        return fail(env);
    for (b = 0; b < hr_ipc_batches(ipc); b++)
        if (hr_ipc_batch(ipc, b, &rows) < 0 || hr_ipc_add(out, &rows) < 0)
            return fail(env);
    if (hr_ipc_end(out) < 0)
        return fail(env);
    hr_ipc_close(ipc);
    return 0;
}

int main(int argc, char **argv)
{
    struct hr_env env;
    int r = 2;

    hr_env_init(&env, NULL);
    if (argc == 3 && !strcmp(argv[1], "write"))
        r = write_file(&env, argv[2]);
    else if (argc == 3 && !strcmp(argv[1], "read"))
        r = read_file(&env, argv[2]);
    else if (argc == 4 && !strcmp(argv[1], "copy"))
        r = copy_file(&env, argv[2], argv[3]);
    else
        fprintf(stderr, "usage: arrow_files write|read|copy FILE [TO]\n");
    hr_env_clear(&env);
    return r;
}
