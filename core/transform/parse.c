#include "transform/parse.h"

#include <string.h>

struct parser {
    struct hr_features *f;
    const struct hr_token *t; /* the next one; the last is HR_T_END and stays */
    int depth, templates;
    bool failed; /* of this statement: what follows an error is not told */
    bool any;    /* of any statement */
};

static struct hr_ast *parse_expr(struct parser *p);

static void fail(struct parser *p, const struct hr_token *t, const char *what)
{
    if (!p->failed)
        hr_features_fail(p->f, t->line, t->column, NULL, "%s", what);
    p->failed = p->any = true;
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->t->kind == HR_T_SIGN && hr_slice_eq(p->t->text, sign);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->t->kind == HR_T_NAME && hr_slice_eq(p->t->text, word);
}

static void next(struct parser *p)
{
    if (p->t->kind != HR_T_END)
        p->t++;
}

static bool take(struct parser *p, const char *sign)
{
    bool is = is_sign(p, sign);

    if (is)
        next(p);
    return is;
}

static void want(struct parser *p, const char *sign)
{
    char text[] = "expected \"..\" here";

    if (take(p, sign))
        return;
    text[10] = sign[0];
    memcpy(text + 11, "\" here", 7);
    fail(p, p->t, text);
}

static struct hr_ast *node(struct parser *p, int kind, const struct hr_token *t, size_t kids)
{
    struct hr_ast *a = hr_arena_get(&p->f->arena, sizeof *a);

    if (a && kids)
        a->kids = hr_arena_array(&p->f->arena, kids, sizeof *a->kids);
    if (!a || (kids && !a->kids)) {
        p->failed = p->any = true;
        return NULL;
    }
    a->kind = kind;
    a->line = t->line;
    a->column = t->column;
    a->text = t->text;
    a->n = kids;
    return a;
}

/* Items in the making; kept on a list of chunks so that the arena holds no halves. */
struct items {
    struct hr_ast **kids;
    struct hr_slice *keys;
    size_t n, cap;
};

static bool push(struct parser *p, struct items *l, struct hr_ast *kid, struct hr_slice key)
{
    size_t cap = l->cap ? l->cap * 2 : 8;
    struct hr_ast **kids;
    struct hr_slice *keys;

    if (l->n == HR_MAX_FEATURES_ARGS) {
        fail(p, p->t, "more than 1000 arguments or values");
        return false;
    }
    if (l->n == l->cap) {
        kids = hr_arena_array(&p->f->arena, cap, sizeof *kids);
        keys = hr_arena_array(&p->f->arena, cap, sizeof *keys);
        if (!kids || !keys) {
            p->failed = p->any = true;
            return false;
        }
        if (l->n) {
            memcpy(kids, l->kids, l->n * sizeof *kids);
            memcpy(keys, l->keys, l->n * sizeof *keys);
        }
        l->kids = kids;
        l->keys = keys;
        l->cap = cap;
    }
    l->kids[l->n] = kid;
    l->keys[l->n++] = key;
    return true;
}

static struct hr_ast *seal(struct parser *p, int kind, const struct hr_token *t, struct items *l)
{
    struct hr_ast *a = node(p, kind, t, 0);

    if (a) {
        a->kids = l->kids;
        a->keys = l->keys;
        a->n = l->n;
    }
    return a;
}

static struct hr_ast *parse_number(struct parser *p)
{
    struct hr_ast *a = node(p, HR_A_INT, p->t, 0);
    const struct hr_token *t = p->t;

    next(p);
    if (!a || hr_num_int(t->text.text, t->text.len, &a->i))
        return a;
    a->kind = HR_A_FLOAT;
    if (!hr_num_float(t->text.text, t->text.len, &a->f))
        fail(p, t, "this number cannot be read");
    else if (!memchr(t->text.text, '.', t->text.len) && !memchr(t->text.text, 'e', t->text.len) &&
             !memchr(t->text.text, 'E', t->text.len))
        fail(p, t, "this integer is outside 64 bits; write a point after it for a float");
    return a;
}

static struct hr_ast *parse_call(struct parser *p, const struct hr_token *name)
{
    struct items l = { 0 };
    struct hr_slice key;

    want(p, "(");
    while (!p->failed && !is_sign(p, ")")) {
        key = hr_slice(NULL, 0);
        if (p->t->kind == HR_T_NAME && p->t[1].kind == HR_T_SIGN &&
            hr_slice_eq(p->t[1].text, "=")) {
            key = p->t->text;
            next(p);
            next(p);
        }
        push(p, &l, parse_expr(p), key);
        if (!take(p, ","))
            break;
    }
    want(p, ")");
    return seal(p, HR_A_CALL, name, &l);
}

static struct hr_ast *parse_list(struct parser *p)
{
    const struct hr_token *t = p->t;
    struct items l = { 0 };

    want(p, "[");
    while (!p->failed && !is_sign(p, "]")) {
        push(p, &l, parse_expr(p), hr_slice(NULL, 0));
        if (!take(p, ","))
            break;
    }
    want(p, "]");
    return seal(p, HR_A_LIST, t, &l);
}

static struct hr_ast *parse_map(struct parser *p)
{
    const struct hr_token *t = p->t;
    struct items l = { 0 };

    want(p, "{");
    while (!p->failed && !is_sign(p, "}")) {
        push(p, &l, parse_expr(p), hr_slice(NULL, 0));
        want(p, ":");
        push(p, &l, parse_expr(p), hr_slice(NULL, 0));
        if (!take(p, ","))
            break;
    }
    want(p, "}");
    return seal(p, HR_A_MAP, t, &l);
}

static bool reserved(struct hr_slice name)
{
    static const char *const words[] = { "for", "in", "def", "use",  "test",
                                         "and", "or", "not", "true", "false" };
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++)
        if (hr_slice_eq(name, words[i]))
            return true;
    return false;
}

static struct hr_ast *parse_word(struct parser *p)
{
    const struct hr_token *t = p->t;
    struct hr_ast *a;

    if (is_word(p, "true") || is_word(p, "false")) {
        if ((a = node(p, HR_A_BOOL, t, 0)))
            a->i = is_word(p, "true");
        next(p);
        return a;
    }
    if (reserved(t->text)) {
        fail(p, t, "expected a value here");
        return NULL;
    }
    next(p);
    if (is_sign(p, "("))
        return parse_call(p, t);
    return node(p, HR_A_NAME, t, 0);
}

static struct hr_ast *parse_base(struct parser *p)
{
    struct hr_ast *a;

    switch (p->t->kind) {
    case HR_T_NUMBER:
        return parse_number(p);
    case HR_T_STRING:
    case HR_T_QUOTED:
        a = node(p, p->t->kind == HR_T_STRING ? HR_A_TEXT : HR_A_NAME, p->t, 0);
        next(p);
        return a;
    case HR_T_NAME:
        return parse_word(p);
    default:
        break;
    }
    if (is_sign(p, "["))
        return parse_list(p);
    if (is_sign(p, "{"))
        return parse_map(p);
    if (take(p, "(")) {
        a = parse_expr(p);
        want(p, ")");
        return a;
    }
    fail(p, p->t,
         p->t->kind == HR_T_END || p->t->kind == HR_T_NEWLINE ? "the line ends too early"
                                                              : "expected a value here");
    return NULL;
}

static struct hr_ast *parse_atom(struct parser *p)
{
    struct hr_ast *a = parse_base(p), *index;
    int chain = 0;

    while (!p->failed && is_sign(p, "[")) {
        if (++chain > HR_MAX_FEATURES_DEPTH) {
            fail(p, p->t, "more than 200 indices in a row");
            break;
        }
        index = node(p, HR_A_INDEX, p->t, 2);
        next(p);
        if (index) {
            index->kids[0] = a;
            index->kids[1] = parse_expr(p);
        }
        want(p, "]");
        a = index;
    }
    return a;
}

static struct hr_ast *parse_unary(struct parser *p, const char *sign)
{
    const struct hr_token *t = p->t;
    struct hr_ast *a, *kid;

    if (!take(p, sign))
        return parse_atom(p);
    kid = parse_atom(p);
    if (p->failed)
        return NULL;
    if (kid->kind == HR_A_INT && kid->i != INT64_MIN) {
        kid->i = -kid->i;
        return kid;
    }
    if (kid->kind == HR_A_FLOAT) {
        kid->f = -kid->f;
        return kid;
    }
    if ((a = node(p, HR_A_UNARY, t, 1)))
        a->kids[0] = kid;
    return a;
}

/* The operator of a level at p->t, or NULL. */
static bool binary_at(const struct parser *p, int level)
{
    static const char *const signs[][8] = {
        { "or" },
        { "and" },
        { "==", "!=", "<", "<=", ">", ">=", "in" },
        { "+", "-" },
        { "*", "/", "//", "%" },
    };
    int i;

    if (p->t->kind != (level < 2 ? HR_T_NAME : HR_T_SIGN) && !is_word(p, "in"))
        return false;
    for (i = 0; i < 8 && signs[level][i]; i++)
        if (hr_slice_eq(p->t->text, signs[level][i]))
            return true;
    return false;
}

static struct hr_ast *parse_level(struct parser *p, int level)
{
    struct hr_ast *left, *a;
    int chain = 0;

    if (level == 5)
        return parse_unary(p, "-");
    if (level == 2 && is_word(p, "not")) {
        a = node(p, HR_A_UNARY, p->t, 1);
        next(p);
        if (++p->depth > HR_MAX_FEATURES_DEPTH)
            fail(p, p->t, "expressions are nested too deeply; 200 levels are the limit");
        left = p->failed ? NULL : parse_level(p, 2);
        p->depth--;
        if (a)
            a->kids[0] = left;
        return a;
    }
    left = parse_level(p, level + 1);
    while (!p->failed && binary_at(p, level)) {
        if (++chain + p->depth > HR_MAX_FEATURES_DEPTH) {
            fail(p, p->t, "expressions are nested too deeply; 200 levels are the limit");
            break;
        }
        a = node(p, HR_A_BINARY, p->t, 2);
        next(p);
        if (!a)
            break;
        a->kids[0] = left;
        a->kids[1] = parse_level(p, level + 1);
        left = a;
        if (level == 2 && binary_at(p, level))
            fail(p, p->t, "comparisons do not chain; write a < b and b < c");
    }
    return left;
}

static struct hr_ast *parse_expr(struct parser *p)
{
    struct hr_ast *a = NULL;

    if (p->depth == HR_MAX_FEATURES_DEPTH) {
        fail(p, p->t, "expressions are nested too deeply; 200 levels are the limit");
        return NULL;
    }
    p->depth++;
    a = parse_level(p, 0);
    p->depth--;
    return p->failed ? NULL : a;
}

/* -- statements ---------------------------------------- */

static struct hr_statement *statement(struct parser *p, int kind)
{
    struct hr_statement *s = hr_arena_get(&p->f->arena, sizeof *s);

    if (!s) {
        p->failed = p->any = true;
        return NULL;
    }
    s->kind = kind;
    s->line = p->t->line;
    s->column = p->t->column;
    return s;
}

static void end_line(struct parser *p)
{
    if (p->failed) /* skip() looks for the end */
        return;
    if (p->t->kind == HR_T_NEWLINE)
        next(p);
    else if (p->t->kind != HR_T_END && p->t->kind != HR_T_DEDENT)
        fail(p, p->t, "expected the end of the line");
}

/* After an error: to the start of the next line, past blocks that it opened. */
static void skip(struct parser *p)
{
    int blocks = 0;

    while (p->t->kind != HR_T_END) {
        if (p->t->kind == HR_T_INDENT)
            blocks++;
        if (p->t->kind == HR_T_DEDENT && blocks-- == 0)
            return;
        if (p->t->kind == HR_T_NEWLINE && !blocks && p->t[1].kind != HR_T_INDENT) {
            next(p);
            return;
        }
        if (p->t->kind == HR_T_DEDENT && !blocks) {
            next(p);
            return;
        }
        next(p);
    }
}

static bool is_name(const struct hr_token *t)
{
    return (t->kind == HR_T_NAME && !reserved(t->text)) || t->kind == HR_T_QUOTED;
}

static void parse_names(struct parser *p, struct hr_statement *s, const char *open,
                        const char *shut)
{
    struct items l = { 0 };

    want(p, open);
    while (!p->failed && !is_sign(p, shut)) {
        if (!is_name(p->t))
            fail(p, p->t, "expected a name here");
        push(p, &l, NULL, p->t->text);
        next(p);
        if (!take(p, ","))
            break;
    }
    want(p, shut);
    s->names = l.keys;
    s->nnames = l.n;
}

static void parse_columns(struct parser *p, struct hr_statement *s)
{
    static const char *const types[] = { "", "int", "float", "bytes" };
    int i;

    next(p);
    want(p, "(");
    if (p->t->kind != HR_T_STRING)
        fail(p, p->t, "columns wants a pattern in quotes, as columns(\"pickup_*\", float)");
    s->pattern = p->t->text;
    next(p);
    if (take(p, ",")) {
        for (i = 1; i < 4; i++)
            if (is_word(p, types[i]))
                s->type = i;
        if (!s->type)
            fail(p, p->t, "a type is int, float or bytes");
        next(p);
    }
    want(p, ")");
}

static struct hr_statement *parse_block(struct parser *p);

static struct hr_statement *parse_for(struct parser *p)
{
    struct hr_statement *s = statement(p, HR_ST_FOR);

    next(p);
    if (!s || !is_name(p->t)) {
        fail(p, p->t, "expected a name after \"for\"");
        return s;
    }
    s->name = p->t->text;
    next(p);
    if (!is_word(p, "in"))
        fail(p, p->t, "expected \"in\" here");
    next(p);
    if (is_word(p, "columns"))
        parse_columns(p, s);
    else
        parse_names(p, s, "[", "]");
    want(p, ":");
    end_line(p);
    if (p->failed)
        return s;
    if (p->t->kind != HR_T_INDENT) {
        fail(p, p->t, "expected an indented line below \"for\"");
        return s;
    }
    next(p);
    if (++p->templates > 60)
        fail(p, p->t, "templates are nested too deeply; 60 levels are the limit");
    else
        s->body = parse_block(p);
    p->templates--;
    if (p->t->kind == HR_T_DEDENT)
        next(p);
    return s;
}

static void parse_row(struct parser *p, struct hr_row *row)
{
    struct hr_cell *cells;
    struct items l = { 0 };
    struct hr_token names[64];
    size_t i;

    want(p, "{");
    while (!p->failed && !is_sign(p, "}")) {
        if (!is_name(p->t) || l.n == 64)
            fail(p, p->t, l.n == 64 ? "more than 64 cells" : "expected a name here");
        else
            names[l.n] = *p->t;
        next(p);
        want(p, ":");
        push(p, &l, parse_expr(p), hr_slice(NULL, 0));
        if (!take(p, ","))
            break;
    }
    want(p, "}");
    if (p->failed || !(cells = hr_arena_array(&p->f->arena, l.n + 1, sizeof *cells)))
        return;
    for (i = 0; i < l.n; i++)
        cells[i] = (struct hr_cell){ names[i].text, names[i].line, names[i].column, NULL,
                                     l.kids[i] };
    row->cells = cells;
    row->n = l.n;
}

/* What analyzers are to have found: expressions in the place of names. */
static void parse_constants(struct parser *p, struct hr_row *row)
{
    struct hr_token at[64];
    struct items keys = { 0 }, values = { 0 };
    struct hr_cell *cells;
    size_t i;

    while (!p->failed && take(p, "{")) {
        while (!p->failed && !is_sign(p, "}")) {
            if (keys.n == 64)
                fail(p, p->t, "more than 64 constants");
            else
                at[keys.n] = *p->t;
            push(p, &keys, parse_expr(p), hr_slice(NULL, 0));
            want(p, ":");
            push(p, &values, parse_expr(p), hr_slice(NULL, 0));
            if (!take(p, ","))
                break;
        }
        want(p, "}");
    }
    if (p->failed || !(cells = hr_arena_array(&p->f->arena, keys.n + 1, sizeof *cells)))
        return;
    for (i = 0; i < keys.n; i++)
        cells[i] = (struct hr_cell){ at[i].text, at[i].line, at[i].column, keys.kids[i],
                                     values.kids[i] };
    row->cells = cells;
    row->n = keys.n;
}

static struct hr_statement *parse_test(struct parser *p)
{
    struct hr_statement *s = statement(p, HR_ST_TEST);

    next(p);
    if (!s || p->t->kind != HR_T_STRING) {
        fail(p, p->t, "a test has a title in quotes");
        return s;
    }
    s->name = p->t->text;
    next(p);
    want(p, ":");
    end_line(p);
    if (p->t->kind != HR_T_INDENT)
        fail(p, p->t, "expected an indented \"given\" below \"test\"");
    next(p);
    if (!is_word(p, "given"))
        fail(p, p->t, "expected \"given\" here");
    next(p);
    parse_row(p, &s->given);
    end_line(p);
    if (!p->failed && !is_word(p, "expect"))
        fail(p, p->t, "expected \"expect\" here");
    next(p);
    parse_row(p, &s->expect);
    parse_constants(p, &s->found);
    end_line(p);
    if (!p->failed && p->t->kind == HR_T_DEDENT)
        next(p);
    else
        fail(p, p->t, "a test has one \"given\" and one \"expect\"");
    return s;
}

static struct hr_statement *parse_equation(struct parser *p)
{
    struct hr_statement *s = statement(p, HR_ST_EQUATION);

    if (!s || !is_name(p->t)) {
        fail(p, p->t, "expected a name, \"for\", \"def\" or \"test\" at the start of a line");
        return s;
    }
    s->name = p->t->text;
    next(p);
    want(p, "=");
    s->expr = parse_expr(p);
    end_line(p);
    return s;
}

static struct hr_statement *parse_def(struct parser *p)
{
    struct hr_statement *s = statement(p, HR_ST_DEF);

    next(p);
    if (!s || !is_name(p->t)) {
        fail(p, p->t, "expected a name after \"def\"");
        return s;
    }
    s->name = p->t->text;
    next(p);
    parse_names(p, s, "(", ")");
    want(p, "=");
    s->expr = parse_expr(p);
    end_line(p);
    return s;
}

static struct hr_statement *parse_statement(struct parser *p)
{
    bool names = p->t[1].kind == HR_T_SIGN && hr_slice_eq(p->t[1].text, "=");

    if (p->t->kind == HR_T_INDENT) {
        fail(p, p->t, "this line is indented, but no block begins above it");
        return NULL;
    }
    if (!names && is_word(p, "for"))
        return parse_for(p);
    if (!names && is_word(p, "def"))
        return parse_def(p);
    if (!names && is_word(p, "test") && !p->templates)
        return parse_test(p);
    if (!names && is_word(p, "use")) {
        fail(p, p->t, "\"use\" is not offered yet; put all equations into one file");
        return NULL;
    }
    return parse_equation(p);
}

static struct hr_statement *parse_block(struct parser *p)
{
    struct hr_statement *first = NULL, **last = &first, *s;

    while (p->t->kind != HR_T_END && p->t->kind != HR_T_DEDENT) {
        p->failed = false;
        s = parse_statement(p);
        if (p->failed) {
            skip(p);
        } else if (s) {
            *last = s;
            last = &s->next;
        }
    }
    p->failed = false;
    return first;
}

hr_status hr_features_parse(struct hr_env *env, const char *name, const char *text, size_t n,
                            struct hr_features **ret)
{
    struct hr_features *f = NULL;
    struct parser p = { 0 };
    hr_status r;

    if (n > HR_MAX_FEATURES_BYTES)
        return hr_fail(env, HR_INVALID, "\"%s\" has %zu bytes; a features file has at most 1048576",
                       name, n);
    if (!(f = hr_mem_zero(env, sizeof *f)))
        return HR_EXHAUSTED;
    f->env = env;
    hr_arena_init(&f->arena, env, 0);
    f->size = n;
    r = HR_EXHAUSTED;
    if (!(f->name = hr_arena_text(&f->arena, name)) ||
        !(f->text = hr_arena_bytes(&f->arena, text, n)))
        goto fail;
    if ((r = hr_features_lex(f)) < 0)
        goto fail;
    p.f = f;
    p.t = f->tokens;
    f->first = parse_block(&p);
    while (p.t->kind == HR_T_DEDENT && !p.any) { /* left over by a block that was skipped */
        next(&p);
        if (p.t->kind != HR_T_END)
            fail(&p, p.t, "this line belongs to no block");
    }
    r = p.any ? hr_features_code(env) : HR_OK;
    if (r < 0)
        goto fail;
    *ret = f;
    return HR_OK;
fail:
    hr_features_free(f);
    return r;
}

void hr_features_free(struct hr_features *f)
{
    if (!f)
        return;
    hr_mem_put(f->env, f->tokens, f->cap_tokens * sizeof *f->tokens);
    hr_arena_clear(&f->arena);
    hr_mem_put(f->env, f, sizeof *f);
}
