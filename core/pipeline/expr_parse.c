#include <stdio.h>
#include <string.h>

#include "pipeline/expr_tree.h"

struct parser {
    struct hr_env *env;
    const struct hr_template *t;
    struct hr_arena *arena;
    const char *text;
    size_t at;
    int depth;
    hr_status status;
};

hr_status hr_expr_fail(struct hr_env *env, const struct hr_template *t, size_t at,
                       const char *meant, const char *format, ...)
{
    struct hr_place place = t->place;
    char what[1024];
    size_t from = at > 30 ? at - 30 : 0, n = strlen(t->text + from);
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    n = n < 70 ? n : 70;
    if (meant)
        return hr_fail_at(env, HR_INVALID, &place, "%s; did you mean \"%s\"?\n    %.*s\n    %*s^",
                          what, meant, (int)n, t->text + from, (int)(at - from), "");
    return hr_fail_at(env, HR_INVALID, &place, "%s\n    %.*s\n    %*s^", what, (int)n,
                      t->text + from, (int)(at - from), "");
}

static struct hr_expr *value(struct parser *p);

static void fail(struct parser *p, const char *what)
{
    if (p->status == HR_OK)
        p->status = hr_expr_fail(p->env, p->t, p->at, NULL, "%s", what);
}

static void skip(struct parser *p)
{
    while (p->text[p->at] == ' ' || p->text[p->at] == '\t' || p->text[p->at] == '\n')
        p->at++;
}

static bool is_name(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '-'));
}

static struct hr_expr *make(struct parser *p, enum hr_expr_op op, size_t at, size_t count)
{
    struct hr_expr *e = p->status < 0 ? NULL : hr_arena_get(p->arena, sizeof *e);

    if (e && count && !(e->args = hr_arena_array(p->arena, count, sizeof *e->args)))
        e = NULL;
    if (!e) {
        p->status = p->status < 0 ? p->status : HR_EXHAUSTED;
        return NULL;
    }
    e->op = op;
    e->at = at;
    e->count = count;
    return e;
}

/* A symbol that stands next is taken. */
static bool take(struct parser *p, const char *symbol)
{
    size_t n = strlen(symbol);

    skip(p);
    if (strncmp(p->text + p->at, symbol, n) != 0)
        return false;
    if (is_name(symbol[0], true) && is_name(p->text[p->at + n], false))
        return false;
    p->at += n;
    return true;
}

static struct hr_expr *quoted(struct parser *p)
{
    char quote = p->text[p->at];
    size_t at = p->at++, n = 0;
    struct hr_expr *e = make(p, HR_OP_LITERAL, at, 0);
    char *to = e ? hr_arena_get(p->arena, strlen(p->text + at) + 1) : NULL;

    if (!to)
        return NULL;
    for (; p->text[p->at] && p->text[p->at] != quote; p->at++) {
        if (p->text[p->at] == '\\' && p->text[p->at + 1]) {
            p->at++;
            to[n++] = p->text[p->at] == 'n' ? '\n' : p->text[p->at];
        } else {
            to[n++] = p->text[p->at];
        }
    }
    if (!p->text[p->at]) {
        p->at = at;
        fail(p, "this text has no end");
        return NULL;
    }
    p->at++;
    e->literal = (struct hr_term){ .kind = HR_TERM_TEXT, .text = to };
    return e;
}

static struct hr_expr *number(struct parser *p)
{
    size_t at = p->at, n;
    struct hr_expr *e = make(p, HR_OP_LITERAL, at, 0);
    const char *from = p->text + at;

    while ((p->text[p->at] >= '0' && p->text[p->at] <= '9') || p->text[p->at] == '.' ||
           (p->text[p->at] | 32) == 'e' ||
           ((p->text[p->at] == '-' || p->text[p->at] == '+') && (p->text[p->at - 1] | 32) == 'e' &&
            p->at > at))
        p->at++;
    n = (size_t)(p->text + p->at - from);
    if (!e)
        return NULL;
    e->literal.kind = HR_TERM_INT;
    if (hr_num_int(from, n, &e->literal.i))
        return e;
    e->literal.kind = HR_TERM_FLOAT;
    if (hr_num_double(from, n, &e->literal.d))
        return e;
    p->at = at;
    fail(p, "not a number");
    return NULL;
}

/* Values between commas to the closing symbol. */
static struct hr_expr *values(struct parser *p, enum hr_expr_op op, size_t at, const char *end)
{
    struct hr_expr *items[64], *e;
    size_t n = 0;

    while (p->status == HR_OK && !take(p, end)) {
        if (n && !take(p, ",")) {
            fail(p, end[0] == ')' ? "a comma or ) is missing" : "a comma or ] is missing");
            break;
        }
        if (n == sizeof items / sizeof items[0]) {
            fail(p, "more than 64 values");
            break;
        }
        items[n++] = value(p);
    }
    if ((e = make(p, op, at, n)) && n)
        memcpy(e->args, items, n * sizeof *items);
    return e;
}

/* A member, once its name is read; perhaps with arguments. */
static struct hr_expr *member(struct parser *p, struct hr_expr *of, const char *text, size_t at)
{
    struct hr_expr *args = NULL, *e;
    size_t n;

    if (p->status == HR_OK && take(p, "("))
        args = values(p, HR_OP_LIST, at, ")");
    n = args ? args->count : 0;
    if (!(e = make(p, HR_OP_MEMBER, at, n + 1)))
        return NULL;
    e->text = text;
    e->args[0] = of;
    if (n)
        memcpy(e->args + 1, args->args, n * sizeof *e->args);
    return e;
}

/* "input.examples.split" before a ( is the value input.examples and its member split. */
static struct hr_expr *call(struct parser *p, const char *text, size_t at)
{
    const char *dot = strrchr(text, '.');
    struct hr_expr *e;

    if (!dot) {
        take(p, "(");
        if ((e = values(p, HR_OP_CALL, at, ")")))
            e->text = text;
        return e;
    }
    if (!(e = make(p, HR_OP_NAME, at, 0)))
        return NULL;
    if (!(e->text = hr_arena_bytes(p->arena, text, (size_t)(dot - text))))
        p->status = HR_EXHAUSTED;
    return member(p, e, dot + 1, at);
}

static struct hr_expr *name(struct parser *p)
{
    size_t at = p->at;
    struct hr_expr *e;
    const char *text;

    while (is_name(p->text[p->at], false) ||
           (p->text[p->at] == '.' && is_name(p->text[p->at + 1], true)))
        p->at++;
    if (!(text = hr_arena_bytes(p->arena, p->text + at, p->at - at))) {
        p->status = HR_EXHAUSTED;
        return NULL;
    }
    skip(p);
    if (p->text[p->at] == '(')
        return call(p, text, at);
    if (!(e = make(p, HR_OP_NAME, at, 0)))
        return NULL;
    e->text = text;
    if (!strcmp(text, "true") || !strcmp(text, "false")) {
        e->op = HR_OP_LITERAL;
        e->literal = (struct hr_term){ .kind = HR_TERM_BOOL, .i = text[0] == 't' };
    } else if (!strcmp(text, "null")) {
        e->op = HR_OP_LITERAL;
        e->literal.kind = HR_TERM_NULL;
    }
    return e;
}

static struct hr_expr *atom(struct parser *p)
{
    struct hr_expr *e;
    size_t at;
    char c;

    skip(p);
    at = p->at;
    c = p->text[at];
    if (c == '"' || c == '\'')
        return quoted(p);
    if ((c >= '0' && c <= '9') || c == '.')
        return number(p);
    if (is_name(c, true))
        return name(p);
    if (take(p, "["))
        return values(p, HR_OP_LIST, at, "]");
    if (!take(p, "(")) {
        fail(p, c ? "a value is missing here" : "the expression has no end; a } is missing");
        return NULL;
    }
    e = value(p);
    if (p->status == HR_OK && !take(p, ")"))
        fail(p, "a ) is missing");
    return e;
}

static struct hr_expr *join(struct parser *p, enum hr_expr_op op, size_t at, struct hr_expr *a,
                            struct hr_expr *b)
{
    struct hr_expr *e = make(p, op, at, b ? 2 : 1);

    if (e) {
        e->args[0] = a;
        if (b)
            e->args[1] = b;
    }
    return e;
}

static bool enter(struct parser *p)
{
    if (++p->depth <= HR_EXPR_MAX_DEPTH)
        return true;
    fail(p, "the expression is nested deeper than 100 levels");
    return false;
}

/* An operator before its operand, which may begin with the same again. */
static struct hr_expr *deeper(struct parser *p, enum hr_expr_op op, size_t at,
                              struct hr_expr *(*operand)(struct parser *p))
{
    struct hr_expr *e = enter(p) ? join(p, op, at, operand(p), NULL) : NULL;

    p->depth--;
    return e;
}

/* The name after a dot; ".property.NAME" of an artifact is one member. */
static struct hr_expr *dotted(struct parser *p, struct hr_expr *of)
{
    size_t at = p->at, n = 0;
    const char *text;

    while (is_name(p->text[at + n], n == 0))
        n++;
    if (!n) {
        fail(p, "a name is missing after the dot");
        return NULL;
    }
    if (n == 8 && !strncmp(p->text + at, "property", n) && p->text[at + n] == '.' &&
        is_name(p->text[at + n + 1], true))
        for (n++; is_name(p->text[at + n], false); n++)
            ;
    p->at += n;
    if (!(text = hr_arena_bytes(p->arena, p->text + at, n))) {
        p->status = HR_EXHAUSTED;
        return NULL;
    }
    return member(p, of, text, at);
}

static struct hr_expr *unary(struct parser *p)
{
    struct hr_expr *e;
    size_t at;
    bool again = true;

    skip(p);
    at = p->at;
    if (take(p, "-"))
        return deeper(p, HR_OP_NEGATE, at, unary);
    e = atom(p);
    while (p->status == HR_OK && again) {
        skip(p);
        at = p->at;
        again = true;
        if (take(p, "[")) {
            e = join(p, HR_OP_INDEX, at, e, value(p));
            if (p->status == HR_OK && !take(p, "]"))
                fail(p, "a ] is missing");
        } else if (take(p, ".")) {
            e = dotted(p, e);
        } else {
            again = false;
        }
    }
    return e;
}

struct symbol {
    const char *text;
    enum hr_expr_op op;
};

/* Longer symbols before those that begin them. */
static struct hr_expr *binary(struct parser *p, int level)
{
    static const struct symbol levels[3][8] = {
        { { "==", HR_OP_EQ },
          { "!=", HR_OP_NE },
          { "<=", HR_OP_LE },
          { ">=", HR_OP_GE },
          { "<", HR_OP_LT },
          { ">", HR_OP_GT },
          { "in", HR_OP_IN } },
        { { "+", HR_OP_ADD }, { "-", HR_OP_SUBTRACT } },
        { { "*", HR_OP_MULTIPLY }, { "/", HR_OP_DIVIDE }, { "%", HR_OP_REMAINDER } },
    };
    struct hr_expr *e = level == 2 ? unary(p) : binary(p, level + 1);
    bool again = true;

    while (p->status == HR_OK && again) {
        const struct symbol *s;

        again = false;
        for (s = levels[level]; s->text; s++) {
            skip(p);
            size_t at = p->at;

            if (!take(p, s->text))
                continue;
            e = join(p, s->op, at, e, level == 2 ? unary(p) : binary(p, level + 1));
            again = level != 0; /* comparisons do not chain */
            break;
        }
    }
    return e;
}

static struct hr_expr *negation(struct parser *p)
{
    size_t at;

    skip(p);
    at = p->at;
    if (take(p, "not"))
        return deeper(p, HR_OP_NOT, at, negation);
    return binary(p, 0);
}

static struct hr_expr *logic(struct parser *p, bool is_or)
{
    struct hr_expr *e = is_or ? logic(p, false) : negation(p);
    size_t at;

    for (skip(p), at = p->at; p->status == HR_OK && take(p, is_or ? "or" : "and");
         skip(p), at = p->at)
        e = join(p, is_or ? HR_OP_OR : HR_OP_AND, at, e, is_or ? logic(p, false) : negation(p));
    return e;
}

static struct hr_expr *value(struct parser *p)
{
    struct hr_expr *e = NULL, *yes, *choice;
    size_t at;

    if (!enter(p))
        return NULL;
    e = logic(p, true);
    skip(p);
    at = p->at;
    if (p->status == HR_OK && take(p, "?")) {
        yes = value(p);
        if (p->status == HR_OK && !take(p, ":"))
            fail(p, "a : is missing after the first choice");
        if ((choice = make(p, HR_OP_CHOOSE, at, 3))) {
            choice->args[0] = e;
            choice->args[1] = yes;
            choice->args[2] = value(p);
        }
        e = choice;
    }
    p->depth--;
    return e;
}

hr_status hr_expr_parse(struct hr_env *env, const struct hr_template *t, struct hr_arena *arena,
                        size_t *at, struct hr_expr **ret)
{
    struct parser p = { env, t, arena, t->text, *at, 0, HR_OK };

    *ret = value(&p);
    if (p.status == HR_OK && !take(&p, "}"))
        fail(&p, p.text[p.at] ? "an operator or } is missing here"
                              : "the expression has no end; a } is missing");
    *at = p.at;
    return p.status;
}
