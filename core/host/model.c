#include <math.h>
#include <string.h>

#include "headrace/rows.h"
#include "host/models.h"
#include "plugin/worker/worker.h"

struct hr_model {
    struct hr_project *p;
    struct hr_loaded *loaded;
    struct hr_resident *resident; /* this handle's own view of it */
    struct ArrowSchema in, out;
    struct hr_env env; /* errors and texts of this handle */
    struct hr_buf text;
    hr_model *next;
};

/* -- opening --------------------------------------------------------------- */

static hr_status load(struct hr_project *p, const char *where, const char *signature,
                      struct hr_model *m)
{
    hr_status r = hr_loaded_open(p, where, signature, &m->loaded, &m->resident);

    if (r == HR_OK && (r = hr_resident_describe(m->resident, &m->in, &m->out)) < 0)
        hr_fail(&p->env, r, "%s", hr_resident_error(m->resident));
    return r;
}

hr_status hr_model_open(hr_project *p, const char *where, const char *signature, hr_model **ret)
{
    struct hr_env_config config;
    struct hr_model *m;
    hr_status r;

    hr_host_call(p);
    if (!(m = hr_mem_zero(&p->env, sizeof *m)))
        return hr_host_done(p, HR_EXHAUSTED);
    config = (struct hr_env_config){ .alloc = p->env.alloc, .alloc_user = p->env.alloc_user };
    hr_env_init(&m->env, &config);
    hr_buf_of(&m->text, (size_t)1 << 30, &m->env);
    m->p = p;
    m->next = p->models;
    p->models = m;
    r = load(p, where, signature, m);
    if (r < 0) {
        hr_model_drop(m);
        return hr_host_done(p, r);
    }
    *ret = m;
    return hr_host_done(p, HR_OK);
}

void hr_model_drop(hr_model *m)
{
    struct hr_project *p = m->p;
    hr_model **at;

    for (at = &p->models; *at != m; at = &(*at)->next)
        ;
    *at = m->next;
    if (m->in.release)
        m->in.release(&m->in);
    if (m->out.release)
        m->out.release(&m->out);
    hr_resident_close(m->resident);
    hr_loaded_close(p, m->loaded);
    hr_buf_clear(&m->text);
    hr_env_clear(&m->env);
    hr_mem_put(&p->env, m, sizeof *m);
}

void hr_model_close(hr_model *m)
{
    if (m)
        hr_model_drop(m);
}

const char *hr_model_error(const hr_model *m)
{
    return hr_env_error(&((hr_model *)(uintptr_t)m)->env);
}

hr_status hr_model_describe(hr_model *m, struct ArrowSchema *ret_in, struct ArrowSchema *ret_out)
{
    struct ArrowSchema in;

    hr_errors_cut(&m->env, 0);
    if (hr_schema_copy(&m->in, &in) < 0)
        return hr_fail_memory(&m->env);
    if (hr_schema_copy(&m->out, ret_out) < 0) {
        in.release(&in);
        return hr_fail_memory(&m->env);
    }
    *ret_in = in;
    return HR_OK;
}

hr_status hr_model_predict(hr_model *m, const struct ArrowArray *in, struct ArrowArray *ret)
{
    hr_status r;

    hr_errors_cut(&m->env, 0);
    r = hr_resident_predict(m->resident, in, ret);
    return r < 0 ? hr_fail(&m->env, r, "%s", hr_resident_error(m->resident)) : HR_OK;
}

/* -- rows as JSON ---------------------------------------------------------- */

struct rows {
    struct hr_model *m;
    struct hr_json_doc *doc;
};

static hr_status put_one(struct rows *rows, const struct hr_json *v, const char *format,
                         const char *column, struct hr_builder *b)
{
    struct hr_place place = hr_json_place(rows->doc, v);
    const char *text = hr_json_text(v);
    int64_t i = 0;
    double d = 0;

    if (format[0] == 'l' && hr_json_int(rows->doc, v, &i))
        hr_builder_int(b, i);
    else if ((format[0] == 'f' || format[0] == 'g') && hr_json_double(rows->doc, v, &d))
        hr_builder_double(b, d);
    else if (strchr("uzUZ", format[0]) && text)
        hr_builder_bytes(b, text, strlen(text));
    else
        return hr_fail_at(&rows->m->env, HR_INVALID, &place, "\"%s\" wants %s, and this is %s",
                          column,
                          format[0] == 'l'          ? "an int"
                          : strchr("fg", format[0]) ? "a number"
                                                    : "a text",
                          hr_json_kind_text(hr_json_kind(v)));
    return HR_OK;
}

static hr_status put_cell(struct rows *rows, const struct hr_json *row,
                          const struct ArrowSchema *column, struct hr_builder *b)
{
    const struct hr_json *v = hr_json_get(row, column->name), *m;
    bool list = column->format[0] == '+';
    const char *format = list ? column->children[0]->format : column->format;
    hr_status r = HR_OK;

    if (!v || hr_json_kind(v) == HR_JSON_NULL) {
        hr_builder_null(b);
        return HR_OK;
    }
    if (!list)
        return put_one(rows, v, format, column->name, b);
    if (hr_json_kind(v) != HR_JSON_ARRAY)
        r = put_one(rows, v, format, column->name, b);
    else
        for (m = hr_json_first(v); m && r == HR_OK; m = hr_json_next(m))
            r = put_one(rows, m, format, column->name, b);
    hr_builder_end(b);
    return r;
}

/* The batch that the model reads, from a list of objects or one object. */
static hr_status make_batch(struct rows *rows, struct ArrowArray *ret, int64_t *ret_n)
{
    const struct hr_json *root = hr_json_root(rows->doc), *row;
    const struct ArrowSchema *in = &rows->m->in;
    bool one = hr_json_kind(root) == HR_JSON_OBJECT;
    struct ArrowArray *columns =
        hr_mem_zero(&rows->m->env, ((size_t)in->n_children + 1) * sizeof *columns);
    int64_t n = 0, i, made = 0;
    hr_status r = columns ? HR_OK : HR_EXHAUSTED;

    for (i = 0; i < in->n_children && r == HR_OK; i++) {
        const struct ArrowSchema *c = in->children[i];
        bool list = c->format[0] == '+';
        struct hr_builder b;

        hr_builder_init(&b, list ? c->children[0]->format : c->format, list);
        for (n = 0, row = one ? root : hr_json_first(root); row && r == HR_OK;
             row = one ? NULL : hr_json_next(row), n++)
            r = put_cell(rows, row, c, &b);
        if (r == HR_OK && (r = hr_builder_done(&b, &columns[i])) == HR_OK)
            made++;
        else
            hr_builder_drop(&b);
    }
    if (r == HR_OK)
        r = hr_rows_make(columns, in->n_children, n, ret);
    else
        for (i = 0; i < made; i++)
            columns[i].release(&columns[i]);
    *ret_n = n;
    hr_mem_put(&rows->m->env, columns, ((size_t)in->n_children + 1) * sizeof *columns);
    return r;
}

static void put_result(struct hr_json_writer *w, const struct hr_col *c, int64_t i)
{
    int64_t at, n = hr_col_count(c, i, &at), k;
    size_t size;
    const char *bytes;

    if (c->list)
        hr_json_open_array(w);
    for (k = 0; k < n; k++) {
        if (c->kind == HR_COL_INT) {
            hr_json_put_int(w, hr_col_int(c, at + k));
        } else if (c->kind == HR_COL_FLOAT) {
            char text[HR_NUM_TEXT];
            double d = hr_col_double(c, at + k);

            hr_num_put_float(text, (float)d);
            if (c->format == 'f' && isfinite(d))
                hr_json_put_raw(w, text, strlen(text));
            else
                hr_json_put_double(w, d);
        } else {
            bytes = hr_col_bytes(c, at + k, &size);
            hr_json_put_bytes(w, bytes, size);
        }
    }
    if (c->list)
        hr_json_close_array(w);
    else if (!n)
        hr_json_put_null(w);
}

static hr_status write_rows(struct hr_model *m, const struct ArrowArray *out)
{
    struct hr_json_writer w;
    struct hr_col c;
    int64_t i, k;

    hr_buf_cut(&m->text, 0);
    hr_json_begin(&w, &m->text, 0);
    w.spaced = true;
    hr_json_open_array(&w);
    for (i = 0; i < out->length; i++) {
        hr_json_open_object(&w);
        for (k = 0; k < m->out.n_children; k++) {
            if (hr_col_open(&m->out, out, k, &c) < 0)
                continue;
            hr_json_put_key(&w, c.name);
            put_result(&w, &c, i);
        }
        hr_json_close_object(&w);
    }
    hr_json_close_array(&w);
    return hr_json_end(&w);
}

static hr_status check_rows(struct hr_model *m, const struct hr_json_doc *doc)
{
    const struct hr_json *root = hr_json_root(doc), *row;

    if (hr_json_kind(root) == HR_JSON_OBJECT)
        return HR_OK;
    for (row = hr_json_kind(root) == HR_JSON_ARRAY ? hr_json_first(root) : root; row;
         row = row == root ? NULL : hr_json_next(row)) {
        struct hr_place place = hr_json_place(doc, row);

        if (hr_json_kind(row) != HR_JSON_OBJECT)
            return hr_fail_at(&m->env, HR_INVALID, &place,
                              "a row is an object, {\"column\": value}, and this is %s",
                              hr_json_kind_text(hr_json_kind(row)));
    }
    return HR_OK;
}

hr_status hr_model_predict_json(hr_model *m, const char *text, const char **ret_json)
{
    struct rows rows = { m, NULL };
    struct ArrowArray in = { 0 }, out = { 0 };
    int64_t n = 0;
    hr_status r;

    hr_errors_cut(&m->env, 0);
    if ((r = hr_json_parse(&m->env, "rows", text, strlen(text), 0, &rows.doc)) < 0)
        return r;
    r = check_rows(m, rows.doc);
    if (r == HR_OK)
        r = make_batch(&rows, &in, &n);
    if (r == HR_OK)
        r = hr_model_predict(m, &in, &out);
    if (r == HR_OK)
        r = write_rows(m, &out);
    if (in.release)
        in.release(&in);
    if (out.release)
        out.release(&out);
    hr_json_free(rows.doc);
    if (r == HR_OK)
        *ret_json = m->text.text;
    return r;
}
