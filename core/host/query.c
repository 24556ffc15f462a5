/* Cursors: rows that were made, those that match a filter given in turn. */
#include <string.h>

#include "host/host.h"

struct hr_cursor {
    struct hr_project *p;
    struct hr_arena arena;
    struct hr_table table;
    const char *filter;
    size_t next;
    const struct hr_cell *row; /* NULL: before the first, or after the last */
    hr_cursor *following;
};

/* -- filters: NAME OP VALUE { and NAME OP VALUE } -------------------------- */

struct scanner {
    struct hr_project *p;
    const char *text, *at;
    bool bad;
};

static void blanks(struct scanner *s)
{
    while (*s->at == ' ' || *s->at == '\t')
        s->at++;
}

static hr_status wrong(struct scanner *s, const char *what)
{
    return hr_fail(&s->p->env, HR_INVALID, "the filter \"%s\" cannot be read at column %d: %s",
                   s->text, (int)(s->at - s->text) + 1, what);
}

static size_t word(struct scanner *s, char *to, size_t n)
{
    char quote = *s->at == '\'' || *s->at == '"' ? *s->at++ : '\0';
    size_t k = 0;

    while (*s->at && k + 1 < n && (quote ? *s->at != quote : !strchr(" \t=!<>", *s->at)))
        to[k++] = *s->at++;
    to[k] = '\0';
    if (quote && *s->at == quote)
        s->at++;
    else if (quote)
        s->bad = true;
    return k;
}

static bool holds(const char *op, const struct hr_cell *cell, const char *value)
{
    int64_t v = 0;
    int c;

    if (!cell->text)
        return !strcmp(op, "!=");
    if (cell->number && hr_num_int(value, strlen(value), &v))
        c = (cell->i > v) - (cell->i < v);
    else
        c = strcmp(cell->text, value);
    if (!strcmp(op, "="))
        return c == 0;
    if (!strcmp(op, "!="))
        return c != 0;
    if (!strcmp(op, "<"))
        return c < 0;
    if (!strcmp(op, "<="))
        return c <= 0;
    return !strcmp(op, ">") ? c > 0 : c >= 0;
}

static hr_status comparison(struct scanner *s, const struct hr_table *t, size_t row, bool *ret)
{
    static const char *const ops[] = { "<=", ">=", "!=", "=", "<", ">" };
    char name[64], value[512];
    const char *op = NULL;
    size_t i, column;

    blanks(s);
    if (!word(s, name, sizeof name))
        return wrong(s, "the name of a column is missing");
    for (column = 0; column < t->width && strcmp(t->columns[column], name) != 0; column++)
        ;
    if (column == t->width)
        return hr_fail_meant(&s->p->env, HR_INVALID, NULL,
                             hr_text_meant(name, t->columns, t->width),
                             "the filter \"%s\" names \"%s\", which is no column", s->text, name);
    blanks(s);
    for (i = 0; i < sizeof ops / sizeof ops[0] && !op; i++)
        if (!strncmp(s->at, ops[i], strlen(ops[i])))
            op = ops[i];
    if (!op)
        return wrong(s, "one of = != < <= > >= is missing");
    s->at += strlen(op);
    blanks(s);
    if (!word(s, value, sizeof value) || s->bad)
        return wrong(s, "a value is missing, or its quote has no end");
    *ret = row < t->rows && holds(op, &t->cells[row * t->width + column], value);
    return HR_OK;
}

hr_status hr_filter_match(struct hr_project *p, const char *filter, const struct hr_table *t,
                          size_t row, bool *ret)
{
    struct scanner s = { p, filter, filter, false };
    bool all = true, one = false;
    hr_status r;

    while ((r = comparison(&s, t, row, &one)) == HR_OK) {
        all = all && one;
        blanks(&s);
        if (!*s.at)
            break;
        if (strncmp(s.at, "and ", 4) != 0)
            return wrong(&s, "\"and\" is missing between two comparisons");
        s.at += 4;
    }
    *ret = all;
    return r;
}

/* -- cursors --------------------------------------------------------------- */

hr_status hr_query(hr_project *p, const char *what, const char *filter, hr_cursor **ret)
{
    struct hr_cursor *c;
    bool ignored;
    hr_status r;

    hr_host_call(p);
    if (!(c = hr_mem_zero(&p->env, sizeof *c)))
        return hr_host_done(p, HR_EXHAUSTED);
    c->p = p;
    c->following = p->cursors;
    p->cursors = c;
    hr_arena_init(&c->arena, &p->env, 0);
    r = hr_table_of(p, what, &c->arena, &c->table);
    if (r == HR_OK && filter && *filter) {
        c->filter = hr_arena_text(&c->arena, filter);
        r = c->filter ? hr_filter_match(p, c->filter, &c->table, SIZE_MAX, &ignored) : HR_EXHAUSTED;
    }
    if (r < 0) {
        hr_cursor_drop(c);
        return hr_host_done(p, r);
    }
    *ret = c;
    return hr_host_done(p, HR_OK);
}

int32_t hr_cursor_next(hr_cursor *c)
{
    while (c->next < c->table.rows) {
        bool match = true;

        if (c->filter && hr_filter_match(c->p, c->filter, &c->table, c->next, &match) < 0)
            break;
        c->row = &c->table.cells[c->next++ * c->table.width];
        if (match)
            return 1;
    }
    c->row = NULL;
    return 0;
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

void hr_cursor_drop(hr_cursor *c)
{
    struct hr_project *p = c->p;
    hr_cursor **at;

    for (at = &p->cursors; *at != c; at = &(*at)->following)
        ;
    *at = c->following;
    hr_arena_clear(&c->arena);
    hr_mem_put(&p->env, c, sizeof *c);
}

void hr_cursor_free(hr_cursor *c)
{
    if (c)
        hr_cursor_drop(c);
}
