/* Cursors over rows that were made. */
#include <string.h>

#include "host/host.h"

struct hr_cursor {
    struct hr_project *p;
    struct hr_arena arena;
    struct hr_table table;
    size_t next;
    hr_refill *refill; /* NULL: the table is whole */
    void (*drop)(void *user);
    void *user;
    const struct hr_cell *row; /* NULL: before the first, or after the last */
    struct hr_buf json;        /* what hr_cursor_json() has returned */
    hr_cursor *following;
};

hr_status hr_query_newest(hr_project *p, const char *what, const char *filter, int64_t limit,
                          hr_cursor **ret)
{
    struct hr_cursor *c;
    hr_status r;

    hr_host_call(p);
    if (!(c = hr_mem_zero(&p->env, sizeof *c)))
        return hr_host_done(p, HR_EXHAUSTED);
    c->p = p;
    c->following = p->cursors;
    p->cursors = c;
    hr_arena_init(&c->arena, &p->env, 0);
    hr_buf_of(&c->json, HR_MAX_JSON_BYTES, &p->env);
    r = hr_table_of(p, what, filter, limit, &c->arena, &c->table);
    if (r < 0) {
        hr_cursor_drop(c);
        return hr_host_done(p, r);
    }
    *ret = c;
    return hr_host_done(p, HR_OK);
}

hr_status hr_query(hr_project *p, const char *what, const char *filter, hr_cursor **ret)
{
    return hr_query_newest(p, what, filter, 0, ret);
}

hr_status hr_cursor_of(struct hr_project *p, hr_refill *refill, void (*drop)(void *user),
                       void *user, hr_cursor **ret)
{
    hr_cursor *c = hr_mem_zero(&p->env, sizeof *c);
    hr_status r;

    if (!c) {
        drop(user);
        return HR_EXHAUSTED;
    }
    *c = (hr_cursor){ .p = p, .refill = refill, .drop = drop, .user = user };
    c->following = p->cursors;
    p->cursors = c;
    hr_arena_init(&c->arena, &p->env, 0);
    hr_buf_of(&c->json, HR_MAX_JSON_BYTES, &p->env);
    if ((r = refill(p, user, &c->table)) < 0)
        hr_cursor_drop(c);
    else
        *ret = c;
    return r;
}

int32_t hr_cursor_next(hr_cursor *c)
{
    hr_status r;

    c->row = NULL;
    if (c->refill && c->next == c->table.rows && c->table.rows) {
        hr_host_call(c->p);
        c->next = 0;
        if ((r = c->refill(c->p, c->user, &c->table)) < 0)
            return hr_host_done(c->p, r);
    }
    if (c->next == c->table.rows)
        return 0;
    c->row = &c->table.cells[c->next++ * c->table.width];
    return 1;
}

const char *const *hr_cursor_columns(hr_cursor *c)
{
    return c->table.columns;
}

static const struct hr_cell *cell(const hr_cursor *c, const char *column)
{
    size_t i;

    for (i = 0; c->row && i < c->table.width; i++)
        if (!strcmp(c->table.columns[i], column))
            return &c->row[i];
    return NULL;
}

const char *hr_cursor_text(hr_cursor *c, const char *column)
{
    const struct hr_cell *found = cell(c, column);

    return found ? found->text : NULL;
}

int64_t hr_cursor_int(hr_cursor *c, const char *column)
{
    const struct hr_cell *found = cell(c, column);

    return found && found->number ? found->i : 0;
}

double hr_cursor_float(hr_cursor *c, const char *column)
{
    const struct hr_cell *found = cell(c, column);
    double v = 0;

    if (found && found->number)
        return (double)found->i;
    if (found && found->text)
        hr_num_double(found->text, strlen(found->text), &v);
    return v;
}

/* JSON that stands in a file, on one line. */
static hr_status put_on_line(const char *json, struct hr_buf *to)
{
    hr_status r = HR_OK;
    size_t n;

    for (; *json && r == HR_OK; json += n) {
        json += strspn(json, "\r\n");
        n = strcspn(json, "\r\n");
        r = hr_buf_add(to, json, n);
    }
    return r;
}

const char *hr_cursor_json(hr_cursor *c, const char *column)
{
    const struct hr_cell *found = cell(c, column);
    struct hr_json_writer w;
    hr_status r;

    if (!found || !found->text || found->number)
        return found ? found->text : NULL;
    hr_buf_cut(&c->json, 0);
    if (found->json) {
        r = put_on_line(found->text, &c->json);
    } else {
        hr_json_begin(&w, &c->json, 0);
        hr_json_put_text(&w, found->text);
        r = hr_json_end(&w);
    }
    return r == HR_OK ? c->json.text : NULL;
}

void hr_cursor_drop(hr_cursor *c)
{
    struct hr_project *p = c->p;
    hr_cursor **at;

    for (at = &p->cursors; *at != c; at = &(*at)->following)
        ;
    *at = c->following;
    if (c->drop)
        c->drop(c->user);
    hr_arena_clear(&c->arena);
    hr_buf_clear(&c->json);
    hr_mem_put(&p->env, c, sizeof *c);
}

void hr_cursor_free(hr_cursor *c)
{
    if (c)
        hr_cursor_drop(c);
}
