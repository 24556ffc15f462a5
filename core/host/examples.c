/* The rows of an artifact of examples as cells of text, batch by batch. */
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "host/host.h"
#include "wire/wire.h"

struct examples {
    struct hr_env *env;
    struct hr_arena names, batch;
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    const char **columns;
};

static bool is_null(const struct ArrowArray *a, int64_t i)
{
    const uint8_t *bits = a->n_buffers ? a->buffers[0] : NULL;

    return bits && !(bits[i / 8] >> (i % 8) & 1);
}

/* Bytes as text; what is not UTF-8 in hexadecimal. */
static hr_status put_bytes(const char *bytes, size_t n, bool quoted, struct hr_buf *to)
{
    struct hr_json_writer w;
    hr_status r = HR_OK;
    size_t i;

    if (hr_utf8_valid(bytes, n) != n) {
        r = hr_buf_text(to, quoted ? "\"0x" : "0x");
        for (i = 0; i < n && r == HR_OK; i++)
            r = hr_buf_format(to, "%02x", (unsigned)(unsigned char)bytes[i]);
        return r == HR_OK && quoted ? hr_buf_char(to, '"') : r;
    }
    if (!quoted)
        return hr_buf_add(to, bytes, n);
    hr_json_begin(&w, to, 0);
    hr_json_put_bytes(&w, bytes, n);
    return hr_json_end(&w);
}

/* A text of offsets of 32 or 64 bit. */
static hr_status put_text(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t i,
                          bool quoted, struct hr_buf *to)
{
    const char *bytes = a->buffers[2];
    int64_t from, end;

    if (s->format[0] == 'u' || s->format[0] == 'z') {
        const int32_t *offsets = a->buffers[1];

        from = offsets[i];
        end = offsets[i + 1];
    } else {
        const int64_t *offsets = a->buffers[1];

        from = offsets[i];
        end = offsets[i + 1];
    }
    return put_bytes(bytes ? bytes + from : "", (size_t)(end - from), quoted, to);
}

/* JSON has no infinities and no NaN. */
static hr_status put_number(double v, const char *digits, bool quoted, struct hr_buf *to)
{
    return hr_buf_format(to, quoted && !isfinite(v) ? "\"%s\"" : "%s", digits);
}

static hr_status put_value(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t i,
                           bool quoted, struct hr_buf *to)
{
    char digits[HR_NUM_TEXT];
    int64_t width = 0;
    double v = 0;

    i += a->offset;
    if (is_null(a, i))
        return hr_buf_text(to, "null");
    if (s->dictionary)
        return put_value(s->dictionary, a->dictionary,
                         hr_arrow_code(s->format, a->buffers[1], i), quoted, to);
    if (hr_arrow_type(s->format, &width) == HR_ARROW_BYTES)
        return put_text(s, a, i, quoted, to);
    if (!strcmp(s->format, "b")) {
        const uint8_t *bits = a->buffers[1];

        return hr_buf_text(to, bits[i / 8] >> (i % 8) & 1 ? "true" : "false");
    }
    if (!strcmp(s->format, "f"))
        hr_num_put_float(digits, (float)(v = ((const float *)a->buffers[1])[i]));
    else if (!strcmp(s->format, "g"))
        hr_num_put_double(digits, v = ((const double *)a->buffers[1])[i]);
    else if (strlen(s->format) == 1 && strchr("cCsSiIlL", s->format[0]))
        hr_num_put_int(digits, hr_arrow_code(s->format, a->buffers[1], i));
    else
        return hr_buf_text(to, quoted ? "\"?\"" : "?");
    return put_number(v, digits, quoted, to);
}

/* Is a value, as put_value() puts it unquoted, one of JSON? */
static bool is_json(const struct ArrowSchema *s, const char *text)
{
    const struct ArrowSchema *of = s->dictionary ? s->dictionary : s;
    int64_t width = 0;
    double v;

    if (!strcmp(text, "null"))
        return true;
    if (hr_arrow_type(of->format, &width) == HR_ARROW_BYTES)
        return false;
    return !strcmp(of->format, "b") || hr_num_double(text, strlen(text), &v);
}

/* The span of a list; false: it is no list of offsets. */
static bool list_span(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t i,
                      int64_t *ret_from, int64_t *ret_end)
{
    if (!strcmp(s->format, "+l")) {
        *ret_from = ((const int32_t *)a->buffers[1])[i + a->offset];
        *ret_end = ((const int32_t *)a->buffers[1])[i + a->offset + 1];
        return true;
    }
    if (!strcmp(s->format, "+L")) {
        *ret_from = ((const int64_t *)a->buffers[1])[i + a->offset];
        *ret_end = ((const int64_t *)a->buffers[1])[i + a->offset + 1];
        return true;
    }
    return false;
}

/* A list of one value as that value, any other as JSON. */
static hr_status put_cell(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t i,
                          struct hr_buf *to, bool *ret_json)
{
    int64_t from = i, end = i + 1, k;
    bool list = list_span(s, a, i, &from, &end);
    hr_status r;

    *ret_json = true;
    if (list) {
        s = s->children[0];
        a = a->children[0];
    }
    if (end - from == 1) {
        r = put_value(s, a, from, false, to);
        *ret_json = r == HR_OK && is_json(s, to->text);
        return r;
    }
    r = hr_buf_char(to, '[');
    for (k = from; k < end && r == HR_OK; k++) {
        if (k > from)
            r = hr_buf_text(to, ", ");
        if (r == HR_OK)
            r = put_value(s, a, k, true, to);
    }
    return r < 0 ? r : hr_buf_char(to, ']');
}

static hr_status fill(struct examples *x, const struct ArrowArray *rows, struct hr_table *t)
{
    struct hr_cell *cells = hr_arena_array(&x->batch, (size_t)rows->length * t->width + 1,
                                           sizeof *cells);
    struct hr_buf text;
    hr_status r = cells ? HR_OK : HR_EXHAUSTED;
    int64_t i;
    size_t k;

    hr_buf_of(&text, HR_MAX_JSON_BYTES, x->env);
    for (i = 0; i < rows->length && r == HR_OK; i++)
        for (k = 0; k < t->width && r == HR_OK; k++) {
            const struct ArrowArray *column = rows->children[k];
            struct hr_cell *cell = &cells[(size_t)i * t->width + k];

            if (is_null(column, i + rows->offset + column->offset))
                continue;
            hr_buf_cut(&text, 0);
            r = put_cell(x->schema.children[k], column, i + rows->offset, &text, &cell->json);
            cell->text = hr_arena_text(&x->batch, text.text);
            if (r == HR_OK && !cell->text)
                r = HR_EXHAUSTED;
        }
    hr_buf_clear(&text);
    t->cells = cells;
    t->rows = r == HR_OK ? (size_t)rows->length : 0;
    return r;
}

static hr_status refill(struct hr_project *p, void *user, struct hr_table *t)
{
    struct examples *x = user;
    struct ArrowArray rows = { 0 };
    hr_status r = HR_OK;

    hr_arena_clear(&x->batch);
    t->columns = x->columns;
    t->width = (size_t)x->schema.n_children;
    t->rows = 0;
    do {
        HR_RELEASE(&rows);
        if (x->rows.get_next(&x->rows, &rows))
            r = p->env.errors.count ? HR_DATA_LOSS
                                    : hr_fail(&p->env, HR_DATA_LOSS, "the rows cannot be read");
    } while (r == HR_OK && rows.release && !rows.length); /* an empty batch is not the end */
    if (r == HR_OK && rows.release)
        r = fill(x, &rows, t);
    HR_RELEASE(&rows);
    return r;
}

static void drop(void *user)
{
    struct examples *x = user;

    HR_RELEASE(&x->rows);
    HR_RELEASE(&x->schema);
    hr_arena_clear(&x->names);
    hr_arena_clear(&x->batch);
    hr_mem_put(x->env, x, sizeof *x);
}

/* The split that is meant.  HR_NOT_FOUND: told, with those that there are. */
static hr_status choose(struct hr_project *p, const struct hr_meta_node *a, const char *split,
                        struct hr_arena *arena, const char **ret)
{
    struct hr_names names = { 0 };
    struct hr_buf list;
    hr_status r = hr_data_splits(&p->env, a->uri, &names);
    size_t i;

    hr_buf_of(&list, 4096, &p->env);
    *ret = NULL;
    for (i = 0; i < names.count && r == HR_OK; i++) {
        if (!*ret && (!split || !strcmp(split, names.names[i])))
            *ret = hr_arena_text(arena, names.names[i]);
        r = hr_buf_format(&list, "%s%s", i ? ", " : "", names.names[i]);
    }
    if (r == HR_OK && (split || names.count) && !*ret)
        r = hr_fail(&p->env, HR_NOT_FOUND, "artifact %lld has no split \"%s\"; it has: %s",
                    (long long)a->id, split ? split : "", list.len ? list.text : "none");
    hr_buf_clear(&list);
    hr_names_clear(&p->env, &names);
    return r;
}

static hr_status open_rows(struct hr_project *p, int64_t artifact, const char *split,
                           struct examples *x)
{
    struct hr_meta_node a;
    const char *chosen;
    hr_status r = hr_store_get(p->store, HR_KIND_ARTIFACT, artifact, &x->names, &a);
    int64_t i;

    if (r == HR_NOT_FOUND)
        return hr_fail(&p->env, r, "there is no artifact %lld", (long long)artifact);
    if (r == HR_OK && strcmp(a.type, "Examples") != 0)
        r = hr_fail(&p->env, HR_INVALID, "artifact %lld is %s, and holds no rows of examples",
                    (long long)artifact, a.type);
    if (r == HR_OK && !hr_dir_exists(&p->env, a.uri))
        r = hr_fail(&p->env, HR_NOT_FOUND,
                    "the files of artifact %lld are not in \"%s\"; \"headrace doctor\" says more",
                    (long long)artifact, a.uri);
    if (r == HR_OK)
        r = choose(p, &a, split, &x->names, &chosen);
    if (r == HR_OK)
        r = hr_data_open(&p->env, a.uri, chosen, &x->rows);
    if (r == HR_OK)
        r = hr_arrow_stream_schema(&p->env, &x->rows, a.uri, &x->schema);
    if (r == HR_OK && !(x->columns = hr_arena_array(&x->names, (size_t)x->schema.n_children + 1,
                                                    sizeof *x->columns)))
        r = HR_EXHAUSTED;
    for (i = 0; r == HR_OK && i < x->schema.n_children; i++)
        x->columns[i] = x->schema.children[i]->name;
    return r;
}

hr_status hr_examples(hr_project *p, int64_t artifact, const char *split, hr_cursor **ret)
{
    struct examples *x;
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    if (!(x = hr_mem_zero(&p->env, sizeof *x)))
        return hr_host_done(p, HR_EXHAUSTED);
    x->env = &p->env;
    hr_arena_init(&x->names, &p->env, 0);
    hr_arena_init(&x->batch, &p->env, 0);
    r = open_rows(p, artifact, split, x);
    if (r < 0)
        drop(x);
    else
        r = hr_cursor_of(p, refill, drop, x, ret);
    return hr_host_done(p, r);
}
