#include "help_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "headrace/rows.h"

/* -- text to rows ------------------------------------------------------------------ */

struct column {
    char name[64];
    char format[2];
    int list, coded, empty;
};

static const char *next_type(const char *p, struct column *c)
{
    size_t n = strcspn(p, ":");

    memset(c, 0, sizeof *c);
    assert_true(p[n] == ':' && n < sizeof c->name);
    memcpy(c->name, p, n);
    p += n + 1;
    for (; *p && *p != ' '; p++) {
        c->list |= *p == '+';
        c->coded |= *p == '%';
        c->empty |= *p == '?';
        if (*p >= 'a' && *p <= 'z')
            c->format[0] = *p;
    }
    while (*p == ' ')
        p++;
    return p;
}

static void put_value(struct hr_builder *b, const struct hr_json_doc *doc, const struct hr_json *v)
{
    int64_t i;
    double d;

    if (b->format == 'z' || b->format == 'u') {
        assert_non_null(hr_json_text(v));
        hr_builder_bytes(b, hr_json_text(v), strlen(hr_json_text(v)));
    } else if (b->format == 'l') {
        assert_true(hr_json_int(doc, v, &i));
        hr_builder_int(b, i);
    } else {
        d = 0;
        if (hr_json_text(v)) /* "nan", "inf" */
            assert_true(hr_num_python(hr_json_text(v), strlen(hr_json_text(v)), &d));
        else
            assert_true(hr_json_double(doc, v, &d));
        hr_builder_double(b, d);
    }
}

static void fill(const struct column *c, size_t at, const struct hr_json_doc *doc,
                 struct hr_builder *b)
{
    const struct hr_json *row, *v, *x;
    size_t k;

    hr_builder_init(b, c->format, c->list);
    for (row = hr_json_first(hr_json_root(doc)); row; row = hr_json_next(row)) {
        for (v = hr_json_first(row), k = 0; k < at; k++)
            v = hr_json_next(v);
        assert_non_null(v);
        if (hr_json_kind(v) == HR_JSON_NULL) {
            hr_builder_null(b);
        } else if (c->list) {
            for (x = hr_json_first(v); x; x = hr_json_next(x))
                put_value(b, doc, x);
            hr_builder_end(b);
        } else {
            put_value(b, doc, v);
        }
    }
}

/* Plain bytes as codes of a dictionary. */
static void encode(struct ArrowArray *a)
{
    struct ArrowArray made;
    struct hr_builder b;
    struct hr_env env;
    int32_t *codes = calloc((size_t)a->length + 1, sizeof *codes);
    int64_t i, k, n = 0;
    const int32_t *offsets = a->buffers[1];
    const char *bytes = a->buffers[2];

    hr_env_init(&env, NULL);
    assert_int_equal(hr_arrow_new(&env, 2, 0, true, &made), HR_OK);
    hr_builder_init(&b, "z", 0);
    for (i = 0; i < a->length; i++) {
        for (k = 0; k < i; k++)
            if (offsets[k + 1] - offsets[k] == offsets[i + 1] - offsets[i] &&
                !memcmp(bytes + offsets[k], bytes + offsets[i],
                        (size_t)(offsets[i + 1] - offsets[i])))
                break;
        codes[i] = k < i ? codes[k] : (int32_t)n++;
        if (k == i)
            hr_builder_bytes(&b, bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
    }
    assert_int_equal(hr_builder_done(&b, made.dictionary), HR_OK);
    hr_arrow_put(&made, 1, codes, true);
    if (a->buffers[0]) {
        uint8_t *valid = malloc((size_t)a->length / 8 + 1);

        memcpy(valid, a->buffers[0], ((size_t)a->length + 7) / 8);
        hr_arrow_put(&made, 0, valid, true);
    }
    made.length = a->length;
    made.null_count = a->null_count;
    HR_RELEASE(a);
    *a = made;
    hr_env_clear(&env);
}

static void make_column(const struct column *c, size_t at, const struct hr_json_doc *doc,
                        struct ArrowSchema *s, struct ArrowArray *a)
{
    struct hr_builder b;

    fill(c, at, doc, &b);
    assert_int_equal(hr_builder_done(&b, a), HR_OK);
    assert_int_equal(hr_schema_column(s, c->name, c->format, c->list), HR_OK);
    if (c->empty)
        assert_int_equal(hr_schema_add_meta(s, "hr:null", "empty"), HR_OK);
    if (!c->coded)
        return;
    encode(a);
    s->dictionary = calloc(1, sizeof *s->dictionary);
    assert_int_equal(hr_schema_column(s->dictionary, "", c->format, 0), HR_OK);
    free((void *)(uintptr_t)s->format);
    s->format = hr_schema_dup("i", 1);
}

void help_rows(const char *types, const char *json, struct help_rows *ret)
{
    struct ArrowArray columns[64];
    struct hr_json_doc *doc;
    struct column all[64];
    struct hr_env env;
    size_t n = 0, k;
    const char *p;

    hr_env_init(&env, NULL);
    for (p = types; *p; n++) {
        assert_true(n < 64);
        p = next_type(p, &all[n]);
    }
    if (hr_json_parse(&env, "rows", json, strlen(json), 0, &doc) < 0)
        fail_msg("%s", hr_env_error(&env));
    assert_int_equal(hr_schema_new("+s", "", (int64_t)n, &ret->schema), HR_OK);
    for (k = 0; k < n; k++)
        make_column(&all[k], k, doc, ret->schema.children[k], &columns[k]);
    assert_int_equal(
        hr_rows_make(columns, (int64_t)n, (int64_t)hr_json_count(hr_json_root(doc)), &ret->rows),
        HR_OK);
    hr_json_free(doc);
    if (hr_arrow_check_schema(&env, &ret->schema, "test") < 0 ||
        hr_arrow_check(&env, &ret->schema, &ret->rows, "test") < 0)
        fail_msg("%s", hr_env_error(&env));
    hr_env_clear(&env);
}

void help_clear(struct help_rows *rows)
{
    HR_RELEASE(&rows->rows);
    HR_RELEASE(&rows->schema);
}

/* -- rows to text ------------------------------------------------------------------ */

static void put_text(struct hr_json_writer *w, const struct hr_col *c, int64_t at)
{
    char text[HR_NUM_TEXT];
    const char *bytes;
    size_t n;

    if (c->kind == HR_COL_BYTES) {
        bytes = hr_col_bytes(c, at, &n);
        hr_json_put_bytes(w, bytes, n);
    } else if (c->format == 'f') {
        n = hr_num_put_float(text, (float)hr_col_double(c, at));
        hr_json_put_raw(w, text, n);
    } else if (c->kind == HR_COL_FLOAT) {
        n = hr_num_put_double(text, hr_col_double(c, at));
        hr_json_put_raw(w, text, n);
    } else {
        hr_json_put_int(w, hr_col_int(c, at));
    }
}

char *help_text(const struct help_rows *rows)
{
    struct hr_json_writer w;
    struct hr_buf text;
    struct hr_env env;
    struct hr_col c;
    int64_t i, k, j, n, at;
    char *copy;

    hr_env_init(&env, NULL);
    hr_buf_of(&text, 1 << 30, &env);
    for (i = 0; i < rows->rows.length; i++) {
        hr_json_begin(&w, &text, 0);
        hr_json_open_array(&w);
        for (k = 0; k < rows->schema.n_children; k++) {
            assert_int_equal(hr_col_open(&rows->schema, &rows->rows, k, &c), HR_OK);
            n = hr_col_count(&c, i, &at);
            if ((c.list || !n) && !hr_col_valid(&c, i)) {
                hr_json_put_null(&w);
                continue;
            }
            if (c.list)
                hr_json_open_array(&w);
            for (j = 0; j < n; j++)
                put_text(&w, &c, at + j);
            if (c.list)
                hr_json_close_array(&w);
            else if (!n)
                hr_json_put_null(&w);
        }
        hr_json_close_array(&w);
        assert_int_equal(hr_json_end(&w), HR_OK);
        assert_int_equal(hr_buf_char(&text, '\n'), HR_OK);
    }
    copy = strdup(text.text);
    hr_buf_clear(&text);
    hr_env_clear(&env);
    return copy;
}

/* -- streams ----------------------------------------------------------------------- */

static struct hr_env stream_env; /* of streams that outlive a call; nothing fails in it */

void help_stream(const struct help_rows *rows, int64_t n, struct ArrowArrayStream *ret)
{
    int64_t count = (rows->rows.length + n - 1) / n, i, k;
    struct ArrowArray *list = calloc((size_t)count + 1, sizeof *list);
    const struct ArrowArray *from = &rows->rows;
    struct hr_pick *picks = calloc((size_t)n + 1, sizeof *picks);

    if (!stream_env.alloc)
        hr_env_init(&stream_env, NULL);
    for (i = 0; i < count; i++) {
        int64_t m = rows->rows.length - i * n < n ? rows->rows.length - i * n : n;

        for (k = 0; k < m; k++)
            picks[k] = (struct hr_pick){ 0, i * n + k };
        assert_int_equal(hr_arrow_take(&stream_env,
                                       &(struct hr_taking){ &rows->schema, &from, 1, picks, m },
                                       &list[i]),
                         HR_OK);
    }
    assert_int_equal(hr_arrow_stream_list(&stream_env, &rows->schema, list, (size_t)count, ret),
                     HR_OK);
    free(picks);
    free(list);
}

void help_drain(struct hr_env *env, struct ArrowArrayStream *stream, struct help_rows *ret)
{
    struct ArrowArray *list = NULL;
    const struct ArrowArray **from;
    struct hr_pick *picks = NULL;
    size_t n = 0, cap = 0, rows = 0, at = 0, k;
    int64_t i;

    if (hr_arrow_stream_schema(env, stream, "drain", &ret->schema) < 0)
        fail_msg("%s", hr_env_error(env));
    for (;; n++) {
        assert_true(hr_mem_reserve(env, (void **)&list, &cap, n + 1, sizeof *list, SIZE_MAX / 256));
        if (hr_arrow_stream_next(env, stream, "drain", &list[n]) < 0)
            fail_msg("%s", hr_env_error(env));
        if (!list[n].release)
            break;
        if (hr_arrow_check(env, &ret->schema, &list[n], "drain") < 0)
            fail_msg("%s", hr_env_error(env));
        rows += (size_t)list[n].length;
    }
    HR_RELEASE(stream);
    from = calloc(n + 1, sizeof *from);
    picks = calloc(rows + 1, sizeof *picks);
    for (k = 0; k < n; k++) {
        from[k] = &list[k];
        for (i = 0; i < list[k].length; i++)
            picks[at++] = (struct hr_pick){ (uint32_t)k, i };
    }
    if (hr_arrow_take(env,
                      &(struct hr_taking){ &ret->schema, from, (uint32_t)n, picks, (int64_t)rows },
                      &ret->rows) < 0)
        fail_msg("%s", hr_env_error(env));
    for (k = 0; k < n; k++)
        HR_RELEASE(&list[k]);
    hr_mem_put(env, list, cap * sizeof *list);
    free(from);
    free(picks);
}

/* -- functions --------------------------------------------------------------------- */

static hr_status describe(struct help_run *how, struct hr_local *local, const struct help_rows *in,
                          uint32_t k, struct ArrowArrayStream *ret)
{
    const hr_flow_1 *flow = hr_local_host(local)->get_interface(hr_local_host(local), HR_FLOW);
    struct ArrowArrayStream stream;
    hr_flow *f = flow->begin(hr_local_run(local));
    hr_rows rows;
    hr_status r;

    help_stream(in, how->batch_rows ? how->batch_rows : 4096, &stream);
    rows = flow->from(f, &stream);
    if (!strcmp(how->function->kind, HR_COMBINE)) {
        rows =
            flow->combine(f, rows, how->keys, how->function->name, how->config, how->config_size);
    } else {
        if (how->keys)
            rows = flow->group(f, rows, how->keys);
        rows = flow->map(f, rows, how->function->name, how->config, how->config_size);
        rows = rows ? rows + k : 0;
    }
    flow->keep(f, rows);
    r = flow->run(f);
    return r < 0 ? r : flow->fetch(f, rows, ret);
}

static hr_status run(struct help_run *how, const struct help_rows *in, uint32_t k,
                     struct help_rows *ret)
{
    const hr_function *functions[] = { how->function, NULL };
    const hr_component component = { .struct_size = sizeof component, .functions = functions };
    struct hr_env_config config = { .threads = how->threads ? how->threads : 1,
                                    .batch_rows = how->batch_rows };
    struct ArrowArrayStream stream;
    struct hr_local *local;
    struct hr_env env;
    hr_status r;

    memset(ret, 0, sizeof *ret);
    hr_env_init(&env, &config);
    local = hr_local_new(&env, &component);
    assert_non_null(local);
    hr_local_bytes(local, how->bytes);
    r = describe(how, local, in, k, &stream);
    if (r == HR_OK)
        help_drain(&env, &stream, ret);
    snprintf(how->error, sizeof how->error, "%s", r < 0 ? hr_env_error(&env) : "");
    hr_local_free(local);
    hr_env_clear(&env);
    return r;
}

hr_status help_map(struct help_run *how, const struct help_rows *in, uint32_t k,
                   struct help_rows *ret)
{
    return run(how, in, k, ret);
}

hr_status help_combine(struct help_run *how, const struct help_rows *in, struct help_rows *ret)
{
    return run(how, in, 0, ret);
}

char *help_map_text(struct help_run *how, const struct help_rows *in, uint32_t k)
{
    static const int sizes[] = { 4096, 1, 7, 100 };
    struct help_rows out;
    char *text = NULL, *more;
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        how->batch_rows = sizes[i];
        how->threads = 1 + (int)i % 3;
        if (run(how, in, k, &out) < 0)
            fail_msg("%s", how->error);
        more = help_text(&out);
        help_clear(&out);
        if (!text) {
            text = more;
            continue;
        }
        assert_string_equal(text, more);
        free(more);
    }
    return text;
}

char *help_combine_text(struct help_run *how, const struct help_rows *in)
{
    return help_map_text(how, in, 0);
}

char *help_combine_bytes(struct help_run *how, const struct help_rows *in)
{
    char *text = help_map_text(how, in, 0), *more;

    how->bytes = true;
    more = help_map_text(how, in, 0);
    how->bytes = false;
    assert_string_equal(text, more);
    free(more);
    return text;
}
