#include <math.h>
#include <string.h>

#include "headrace/rows.h"
#include "host/models.h"
#include "host/package.h"
#include "plugin/worker/worker.h"

struct hr_model {
    struct hr_project *p;
    struct hr_resident *resident;
    struct ArrowSchema in, out;
    struct hr_env env; /* errors and texts of this handle */
    struct hr_buf text;
    char *scratch; /* where its package was unpacked, removed with the handle; NULL: none */
    hr_model *next;
};

/* -- opening --------------------------------------------------------------- */

/* Verify a package and unpack it where nobody else looks; nothing of it is read before. */
static hr_status unpack(struct hr_project *p, struct hr_model *m, const char *file, char *ret)
{
    char dir[HR_MAX_PATH];
    struct hr_taken taken;
    struct hr_trust trust;
    struct hr_arena arena;
    hr_status r;

    hr_arena_init(&arena, &p->env, 0);
    r = hr_trust_read(p, NULL, &arena, &trust);
    if (r == HR_OK)
        r = hr_host_private_dir(p, dir);
    if (r == HR_OK && !(m->scratch = hr_mem_text(&p->env, dir))) {
        hr_tree_remove(&p->env, dir);
        r = HR_EXHAUSTED;
    }
    if (r == HR_OK)
        r = hr_path_join(&p->env, m->scratch, "package", dir);
    if (r == HR_OK && (r = hr_package_take(p, file, &trust, dir, &taken)) == HR_OK) {
        if (strcmp(taken.kind, "model") != 0)
            r = hr_fail(&p->env, HR_INVALID, "\"%s\" is a package of kind \"%s\", no model",
                        file, taken.kind);
        hr_taken_clear(&taken);
    }
    hr_arena_clear(&arena);
    return r < 0 ? r : hr_path_join(&p->env, dir, "model", ret);
}

/* A directory as it is named, or a package; else a model of the project, as it was pushed. */
static hr_status find_dir(struct hr_project *p, struct hr_model *m, const char *where, char *ret)
{
    char dir[HR_MAX_PATH];
    struct hr_meta_node node;
    struct hr_arena arena;
    hr_status r;

    if (hr_dir_exists(&p->env, where)) {
        int e = p->env.os->realpath(p->env.os->user, where, ret);

        return e < 0 ? hr_fail_os(&p->env, e, "open", where) : HR_OK;
    }
    if (hr_text_ends(where, ".hrp"))
        return unpack(p, m, where, ret);
    if (!p->opened)
        return hr_fail(&p->env, HR_NOT_FOUND,
                       "\"%s\" is no directory and no package, and no project is open whose "
                       "model it could be",
                       where);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_model_find(p, where, &arena, &node);
    if (r == HR_OK)
        r = hr_path_join(&p->env, node.uri, "", ret);
    if (r == HR_OK && !hr_dir_exists(&p->env, ret) &&
        (r = hr_model_package(p, &node, dir)) == HR_OK)
        r = hr_file_exists(&p->env, dir)
                ? unpack(p, m, dir, ret)
                : hr_fail(&p->env, HR_PRECONDITION, "the files of \"%s\" are gone: \"%s\"", where,
                          node.uri);
    hr_arena_clear(&arena);
    if (r == HR_NOT_FOUND)
        hr_fail(&p->env, r, "there is no model \"%s\"; \"headrace model list\" lists them", where);
    return r;
}

/* model.json says which format it is, by a number: "headrace/1". */
static hr_status read_format(struct hr_project *p, const char *dir, char ret[32])
{
    char path[HR_MAX_PATH];
    struct hr_json_doc *doc;
    struct hr_buf text;
    int64_t format = 0;
    hr_status r = hr_path_join(&p->env, dir, "model.json", path);

    if (r < 0)
        return r;
    hr_buf_of(&text, HR_MAX_JSON_BYTES, &p->env);
    r = hr_file_read(&p->env, path, HR_MAX_JSON_BYTES, &text);
    if (r == HR_OK)
        r = hr_json_parse(&p->env, path, text.text, text.len, 0, &doc);
    if (r == HR_OK) {
        if (!hr_json_int(doc, hr_json_get(hr_json_root(doc), "format"), &format))
            r = hr_fail(&p->env, HR_DATA_LOSS, "\"%s\" does not say its format", path);
        hr_json_free(doc);
    }
    hr_buf_clear(&text);
    memcpy(ret, "headrace/", 9);
    hr_num_put_int(ret + 9, format);
    return r;
}

static hr_status load(struct hr_project *p, const char *where, const char *signature,
                      struct hr_model *m)
{
    const struct hr_component_info *component;
    char dir[HR_MAX_PATH], format[32];
    hr_status r = find_dir(p, m, where, dir);

    if (r == HR_OK)
        r = read_format(p, dir, format);
    if (r == HR_OK)
        r = hr_host_catalogue(p);
    if (r == HR_OK)
        r = hr_catalogue_model(p->catalogue, format, NULL, &component);
    if (r == HR_OK)
        r = hr_resident_open(&p->env, component, dir, format, signature, &m->resident);
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
    if (m->scratch)
        hr_tree_remove(&p->env, m->scratch);
    hr_mem_text_put(&p->env, m->scratch);
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
