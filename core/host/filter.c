/* Filters: NAME OP VALUE { and NAME OP VALUE } */
#include <string.h>

#include "host/host.h"

struct scanner {
    struct hr_env *env;
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
    return hr_fail(s->env, HR_INVALID, "the filter \"%s\" cannot be read at column %d: %s", s->text,
                   (int)(s->at - s->text) + 1, what);
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

static bool operator(struct scanner *s, enum hr_filter_op *ret)
{
    static const struct {
        const char *text;
        enum hr_filter_op op;
    } ops[] = { { "<=", HR_OP_LE }, { ">=", HR_OP_GE }, { "!=", HR_OP_NE },
                { "=", HR_OP_EQ },  { "<", HR_OP_LT },  { ">", HR_OP_GT } };
    size_t i;

    for (i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (hr_text_starts(s->at, ops[i].text)) {
            s->at += strlen(ops[i].text);
            *ret = ops[i].op;
            return true;
        }
    return false;
}

static hr_status comparison(struct scanner *s, const char *const *columns, struct hr_arena *arena,
                            struct hr_comparison *c)
{
    char name[64], value[512];
    size_t n;

    blanks(s);
    if (!word(s, name, sizeof name))
        return wrong(s, "the name of a column is missing");
    for (n = 0; columns[n]; n++)
        ;
    for (c->column = 0; c->column < n && strcmp(columns[c->column], name) != 0; c->column++)
        ;
    if (c->column == n)
        return hr_fail_meant(s->env, HR_INVALID, NULL, hr_text_meant(name, columns, n),
                             "the filter \"%s\" names \"%s\", which is no column", s->text, name);
    blanks(s);
    if (!operator(s, &c->op))
        return wrong(s, "one of = != < <= > >= is missing");
    blanks(s);
    if (!word(s, value, sizeof value) || s->bad)
        return wrong(s, "a value is missing, or its quote has no end");
    c->number = hr_num_int(value, strlen(value), &c->i);
    return (c->value = hr_arena_text(arena, value)) ? HR_OK : HR_EXHAUSTED;
}

hr_status hr_filter_read(struct hr_env *env, const char *text, const char *const *columns,
                         struct hr_arena *arena, struct hr_filter *ret)
{
    struct scanner s = { env, text, text, false };
    hr_status r;

    ret->count = 0;
    if (!text || !*text)
        return HR_OK;
    for (;;) {
        if (ret->count == HR_FILTER_MAX)
            return wrong(&s, "a filter has at most 16 comparisons");
        if ((r = comparison(&s, columns, arena, &ret->items[ret->count])) < 0)
            return r;
        ret->count++;
        blanks(&s);
        if (!*s.at)
            return HR_OK;
        if (strncmp(s.at, "and ", 4) != 0)
            return wrong(&s, "\"and\" is missing between two comparisons");
        s.at += 4;
    }
}

static bool holds(const struct hr_comparison *want, const struct hr_cell *cell)
{
    int c;

    if (!cell->text)
        return want->op == HR_OP_NE;
    if (cell->number && want->number)
        c = (cell->i > want->i) - (cell->i < want->i);
    else
        c = strcmp(cell->text, want->value);
    switch (want->op) {
    case HR_OP_EQ:
        return c == 0;
    case HR_OP_NE:
        return c != 0;
    case HR_OP_LT:
        return c < 0;
    case HR_OP_LE:
        return c <= 0;
    case HR_OP_GT:
        return c > 0;
    default:
        return c >= 0;
    }
}

bool hr_filter_match(const struct hr_filter *filter, const struct hr_cell *row)
{
    size_t i;

    for (i = 0; i < filter->count; i++)
        if (!holds(&filter->items[i], &row[filter->items[i].column]))
            return false;
    return true;
}

const struct hr_comparison *hr_filter_equal(const struct hr_filter *filter,
                                            const char *const *columns, const char *name)
{
    size_t i;

    for (i = 0; i < filter->count; i++)
        if (filter->items[i].op == HR_OP_EQ && !strcmp(columns[filter->items[i].column], name))
            return &filter->items[i];
    return NULL;
}
