/* tool.c - what the property tests drive: reads inputs from stdin, one a line in hexadecimal,
 * and writes a line of JSON for each; "!" and the reason for what is refused.
 *
 *     property_tool json          the text printed again, members sorted
 *     property_tool expression    the kind of the value, then the value
 *     property_tool csv FILE      columns and rows; FILE is written to anew for each input
 *     property_tool features      the values of the feature "o" of a features file in each row of
 *                                 a table that is made here and in features.py
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "data/data.h"
#include "headrace/rows.h"
#include "pipeline/pipeline.h"
#include "transform/transform.h"
#include "wire/wire.h"

/* Append the result of one input; a failure is told in env. */
typedef hr_status job(struct hr_env *env, const char *path, const struct hr_buf *in,
                      struct hr_buf *out);

static hr_status do_json(struct hr_env *env, const char *path, const struct hr_buf *in,
                         struct hr_buf *out)
{
    struct hr_json_doc *doc;
    hr_status r = hr_json_parse(env, "in", in->text, in->len, 0, &doc);

    (void)path;
    if (r < 0)
        return r;
    r = hr_json_print(doc, hr_json_root(doc), true, out);
    hr_json_free(doc);
    return r;
}

/* -- expressions ------------------------------------------------------------- */

static hr_status find(void *user, const char *root, const char *rest, struct hr_arena *arena,
                      struct hr_term *ret, const char **meant)
{
    static const struct hr_term items[] = { { .kind = HR_TERM_INT, .i = 3 },
                                            { .kind = HR_TERM_TEXT, .text = "b" },
                                            { .kind = HR_TERM_FLOAT, .d = 0.5 } };

    (void)user, (void)arena, (void)meant;
    if (strcmp(root, "p") != 0)
        return HR_NOT_FOUND;
    if (!strcmp(rest, "i"))
        *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = 7 };
    else if (!strcmp(rest, "f"))
        *ret = (struct hr_term){ .kind = HR_TERM_FLOAT, .d = 2.5 };
    else if (!strcmp(rest, "s"))
        *ret = (struct hr_term){ .kind = HR_TERM_TEXT, .text = "Text \xc3\xa4" };
    else if (!strcmp(rest, "n"))
        *ret = (struct hr_term){ .kind = HR_TERM_NULL };
    else if (!strcmp(rest, "x"))
        *ret = (struct hr_term){ .kind = HR_TERM_FLOAT, .d = (double)NAN };
    else if (!strcmp(rest, "l"))
        *ret = (struct hr_term){ .kind = HR_TERM_LIST, .items = items, .count = 3 };
    else
        return HR_NOT_FOUND;
    return HR_OK;
}

static hr_status do_expression(struct hr_env *env, const char *path, const struct hr_buf *in,
                               struct hr_buf *out)
{
    struct hr_place place = { "in", 1, 1 };
    struct hr_scope scope = { find, NULL, NULL };
    struct hr_template *t = NULL;
    struct hr_arena arena;
    struct hr_term term;
    hr_status r;

    (void)path;
    hr_arena_init(&arena, env, 1 << 26);
    if ((r = hr_template_parse(env, &place, in->text, &arena, &t)) == HR_OK &&
        (r = hr_template_eval(env, t, &scope, &arena, &term)) == HR_OK &&
        (r = hr_buf_format(out, "%s: ", hr_term_kind_text(term.kind))) == HR_OK)
        r = hr_term_json(&term, out);
    hr_arena_clear(&arena);
    return r;
}

/* -- CSV --------------------------------------------------------------------- */

static void put_hex(struct hr_json_writer *w, const char *bytes, size_t n)
{
    char *text = malloc(2 * n + 1);
    size_t i;

    for (i = 0; text && i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
    hr_json_put_bytes(w, text ? text : "", 2 * n);
    free(text);
}

static void put_cell(struct hr_json_writer *w, const struct hr_col *c, int64_t i)
{
    const char *bytes;
    int64_t at;
    size_t n;

    if (!hr_col_count(c, i, &at)) {
        hr_json_put_null(w);
    } else if (c->kind == HR_COL_INT) {
        hr_json_put_int(w, hr_col_int(c, at));
    } else if (c->kind == HR_COL_FLOAT) {
        hr_json_put_double(w, hr_col_double(c, at));
    } else {
        bytes = hr_col_bytes(c, at, &n);
        put_hex(w, bytes, n);
    }
}

static void put_rows(struct hr_json_writer *w, const struct ArrowSchema *schema,
                     const struct ArrowArray *rows)
{
    struct hr_col c;
    int64_t i, k;

    for (i = 0; i < rows->length; i++) {
        hr_json_open_array(w);
        for (k = 0; k < schema->n_children; k++) {
            if (hr_col_open(schema, rows, k, &c) < 0)
                abort();
            put_cell(w, &c, i);
        }
        hr_json_close_array(w);
    }
}

static hr_status put_table(struct hr_env *env, struct hr_csv *csv, struct hr_buf *out)
{
    const struct ArrowSchema *schema = hr_csv_schema(csv);
    struct hr_json_writer w;
    struct ArrowArray rows;
    hr_status r = HR_OK;
    int64_t k;
    size_t i;

    hr_json_begin(&w, out, 0);
    hr_json_open_array(&w);
    hr_json_open_array(&w);
    for (k = 0; k < schema->n_children; k++) {
        const struct ArrowSchema *c = schema->children[k];

        hr_json_open_array(&w);
        put_hex(&w, c->name, strlen(c->name));
        hr_json_put_text(&w, c->dictionary ? c->dictionary->format : c->format);
        hr_json_close_array(&w);
    }
    hr_json_close_array(&w);
    for (i = 0; r == HR_OK && i < hr_csv_chunks(csv); i++) {
        if ((r = hr_csv_chunk(csv, i, &rows)) < 0 ||
            (r = hr_arrow_check(env, schema, &rows, "csv")) < 0)
            break;
        put_rows(&w, schema, &rows);
        HR_RELEASE(&rows);
    }
    hr_json_close_array(&w);
    return r < 0 ? r : hr_json_end(&w);
}

static hr_status do_csv(struct hr_env *env, const char *path, const struct hr_buf *in,
                        struct hr_buf *out)
{
    struct hr_csv *csv;
    hr_status r = hr_file_put(env, path, in->text, in->len);

    if (r < 0 || (r = hr_csv_open(env, &path, 1, 0, &csv)) < 0)
        return r;
    r = put_table(env, csv, out);
    hr_csv_close(csv);
    return r;
}

/* -- features ---------------------------------------------------------------- */

enum { TABLE_ROWS = 24, TABLE_COLUMNS = 6 };

static const struct hr_feature table[TABLE_COLUMNS] = {
    { .name = "x", .type = HR_FEATURE_FLOAT, .shape = HR_FEATURE_DENSE },
    { .name = "y", .type = HR_FEATURE_FLOAT, .shape = HR_FEATURE_OPTIONAL },
    { .name = "i", .type = HR_FEATURE_INT, .shape = HR_FEATURE_DENSE },
    { .name = "j", .type = HR_FEATURE_INT, .shape = HR_FEATURE_OPTIONAL },
    { .name = "s", .type = HR_FEATURE_BYTES, .shape = HR_FEATURE_DENSE },
    { .name = "t", .type = HR_FEATURE_BYTES, .shape = HR_FEATURE_OPTIONAL },
};

static void put_float(struct hr_builder *b, int64_t row)
{
    static const double odd[] = { (double)NAN, (double)INFINITY, -0.0, 3e38, 1e-42 };

    hr_builder_double(b, row % 4 == 3 ? odd[row / 4 % 5] : (double)(row * 37 % 23 - 11) / 8);
}

static void put_text(struct hr_builder *b, int64_t row)
{
    static const char *const texts[] = { "", "a", "B c", "\xc3\xa4", "12", " x,y ", "-0.5" };

    hr_builder_bytes(b, texts[row % 7], strlen(texts[row % 7]));
}

static bool make_table(struct ArrowSchema *schema, struct ArrowArray *ret)
{
    static const char *const formats[] = { "", "l", "f", "z" };
    struct ArrowArray columns[TABLE_COLUMNS];
    struct hr_builder b;
    int64_t k, row;

    if (hr_schema_new("+s", "", TABLE_COLUMNS, schema) < 0)
        return false;
    for (k = 0; k < TABLE_COLUMNS; k++) {
        if (hr_schema_column(schema->children[k], table[k].name, formats[table[k].type], 0) < 0)
            return false;
        hr_builder_init(&b, formats[table[k].type], 0);
        for (row = 0; row < TABLE_ROWS; row++) {
            if (k % 2 && row % (k + 2) == 1)
                hr_builder_null(&b);
            else if (table[k].type == HR_FEATURE_FLOAT)
                put_float(&b, row + k);
            else if (table[k].type == HR_FEATURE_INT)
                hr_builder_int(&b, row == 5 ? INT64_MAX - k : (row * row + k) % 19 - 7);
            else
                put_text(&b, row + k);
        }
        if (hr_builder_done(&b, &columns[k]) < 0)
            return false;
    }
    return hr_rows_make(columns, TABLE_COLUMNS, TABLE_ROWS, ret) == HR_OK;
}

static hr_status put_feature(struct hr_env *env, const struct hr_apply *apply,
                             const struct ArrowArray *rows, struct hr_buf *out)
{
    struct ArrowSchema schema;
    struct hr_json_writer w;
    struct hr_col c;
    int64_t i;
    hr_status r = hr_apply_schema(apply, &schema);

    (void)env;
    if (r < 0)
        return r;
    hr_json_begin(&w, out, 0);
    hr_json_open_array(&w);
    if ((r = hr_col_open(&schema, rows, hr_col_find(&schema, "o"), &c)) == HR_OK)
        for (i = 0; i < rows->length; i++)
            put_cell(&w, &c, i);
    hr_json_close_array(&w);
    HR_RELEASE(&schema);
    return r < 0 ? r : hr_json_end(&w);
}

static hr_status apply_plan(struct hr_env *env, const struct hr_plan *plan, struct hr_buf *out)
{
    struct hr_apply_error error = { 0 };
    struct hr_apply *apply = NULL;
    struct ArrowSchema schema;
    struct ArrowArray rows, made;
    hr_status r;

    if (!make_table(&schema, &rows))
        abort();
    r = hr_apply_new(env, plan, &schema, 0, &apply);
    if (r == HR_OK && (r = hr_apply_batch(apply, &rows, &made, &error)) == HR_OK) {
        r = put_feature(env, apply, &made, out);
        HR_RELEASE(&made);
    } else if (error.code < 0) {
        hr_fail(env, r, "row %lld: %s", (long long)error.row, error.text);
    }
    hr_apply_free(apply);
    HR_RELEASE(&rows);
    HR_RELEASE(&schema);
    return r;
}

static hr_status do_features(struct hr_env *env, const char *path, const struct hr_buf *in,
                             struct hr_buf *out)
{
    struct hr_features *features = NULL;
    struct hr_program *program = NULL;
    struct hr_plan *plan = NULL;
    struct hr_phase phase;
    hr_status r;

    (void)path;
    if ((r = hr_features_parse(env, "in", in->text, in->len, &features)) == HR_OK &&
        (r = hr_features_check(env, features, table, TABLE_COLUMNS, &program)) == HR_OK &&
        (r = hr_program_phase(env, program, &phase)) == HR_OK &&
        (r = hr_program_plan(env, program, &plan)) == HR_OK)
        r = apply_plan(env, plan, out);
    hr_plan_close(plan);
    hr_program_free(program);
    hr_features_free(features);
    return r;
}

/* -- lines ------------------------------------------------------------------- */

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static bool from_hex(const char *line, size_t n, struct hr_buf *to)
{
    char *p;
    size_t i;

    hr_buf_cut(to, 0);
    if (n % 2 || hr_buf_room(to, n / 2, &p) < 0)
        return false;
    for (i = 0; i < n / 2; i++)
        p[i] = (char)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
    return true;
}

static void each_line(struct hr_env *env, job *f, const char *path)
{
    struct hr_buf in, out;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    hr_buf_of(&in, 1 << 28, env);
    hr_buf_of(&out, 1 << 28, env);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        if (!from_hex(line, (size_t)n - 1, &in))
            abort();
        hr_buf_cut(&out, 0);
        hr_errors_cut(env, 0);
        if (f(env, path, &in, &out) < 0) {
            hr_buf_cut(&out, 0);
            hr_buf_format(&out, "!%s", env->errors.count ? env->errors.items[0].text : "");
            for (char *p = out.text; *p; p++)
                if (*p == '\n')
                    *p = ' ';
        }
        puts(out.text);
    }
    free(line);
    hr_buf_clear(&in);
    hr_buf_clear(&out);
}

static int usage(void)
{
    fprintf(stderr, "usage: property_tool json | expression | features | csv FILE\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct hr_env_config config = { .threads = 1 };
    struct hr_env env;
    int r = 0;

    hr_env_init(&env, &config);
    if (argc == 2 && !strcmp(argv[1], "json"))
        each_line(&env, do_json, NULL);
    else if (argc == 2 && !strcmp(argv[1], "expression"))
        each_line(&env, do_expression, NULL);
    else if (argc == 2 && !strcmp(argv[1], "features"))
        each_line(&env, do_features, NULL);
    else if (argc == 3 && !strcmp(argv[1], "csv"))
        each_line(&env, do_csv, argv[2]);
    else
        r = usage();
    hr_env_clear(&env);
    return r;
}
