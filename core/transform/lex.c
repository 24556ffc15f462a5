#include <stdio.h>
#include <string.h>

#include "transform/parse.h"

struct lexer {
    struct hr_features *f;
    const char *p, *end, *line_start;
    const char *seen; /* a place in this line, and its column */
    int32_t column;
    int32_t line;
    int brackets; /* open ones: a line goes on inside */
    int32_t indents[64];
    int depth;
    bool failed;
};

/* Columns count characters, tabs and all as one; from the place before on, as lines may be
 * long. */
static int32_t column_at(struct lexer *x, const char *p)
{
    if (!x->seen || x->seen < x->line_start || p < x->seen) {
        x->seen = x->line_start;
        x->column = 1;
    }
    for (; x->seen < p; x->seen++)
        x->column += ((unsigned char)*x->seen & 0xC0) != 0x80;
    return x->column;
}

static void line_of(const struct hr_features *f, int32_t line, const char **from, size_t *n)
{
    const char *p = f->text, *end = p + f->size, *q;

    while (--line > 0 && (q = memchr(p, '\n', (size_t)(end - p))))
        p = q + 1;
    q = memchr(p, '\n', (size_t)(end - p));
    *from = p;
    *n = (size_t)((q ? q : end) - p);
    if (*n > 200)
        *n = 200;
    *n = hr_utf8_valid(p, *n);
}

hr_status hr_features_fail(const struct hr_features *f, int32_t line, int32_t column,
                           const char *meant, const char *format, ...)
{
    struct hr_place place = { f->name, line, column };
    char text[600];
    const char *source;
    va_list args;
    size_t n;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line_of(f, line, &source, &n);
    return hr_fail_at(f->env, HR_INVALID, &place, "%s%s%s%s\n    %.*s\n    %*s", text,
                      meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "",
                      (int)n, source, (int)(column > 200 ? 0 : column), column > 200 ? "" : "^");
}

hr_status hr_features_code(const struct hr_env *env)
{
    size_t i;

    for (i = 0; i < env->errors.count; i++)
        if (env->errors.items[i].code == HR_EXHAUSTED)
            return HR_EXHAUSTED;
    return env->errors.count ? HR_INVALID : HR_EXHAUSTED; /* even the sentence found no room */
}

static void fail(struct lexer *x, const char *at, const char *what)
{
    x->failed = true;
    hr_features_fail(x->f, x->line, column_at(x, at), NULL, "%s", what);
}

static void token(struct lexer *x, int kind, const char *at, struct hr_slice text)
{
    struct hr_features *f = x->f;

    if (!hr_mem_reserve(f->env, (void **)&f->tokens, &f->cap_tokens, f->ntokens + 1,
                        sizeof *f->tokens, HR_MAX_FEATURES_BYTES + 1000)) {
        x->failed = true;
        return;
    }
    f->tokens[f->ntokens++] = (struct hr_token){ kind, x->line, column_at(x, at), text };
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static char at(const struct lexer *x, const char *p)
{
    return p < x->end ? *p : '\0';
}

/* The end of "{name}" at p, or NULL. */
static const char *hole(const struct lexer *x, const char *p)
{
    if (at(x, p) != '{' || !letter(at(x, p + 1)))
        return NULL;
    for (p++; letter(at(x, p)) || digit(at(x, p));)
        p++;
    return at(x, p) == '}' ? p + 1 : NULL;
}

static void lex_name(struct lexer *x)
{
    const char *from = x->p, *h;

    for (;;) {
        if ((h = hole(x, x->p)))
            x->p = h;
        else if (letter(at(x, x->p)) || digit(at(x, x->p)))
            x->p++;
        else
            break;
    }
    token(x, HR_T_NAME, from, hr_slice(from, (size_t)(x->p - from)));
}

static void lex_number(struct lexer *x)
{
    const char *from = x->p;

    while (digit(at(x, x->p)))
        x->p++;
    if (at(x, x->p) == '.') {
        x->p++;
        while (digit(at(x, x->p)))
            x->p++;
    }
    if (at(x, x->p) == 'e' || at(x, x->p) == 'E') {
        x->p++;
        if (at(x, x->p) == '+' || at(x, x->p) == '-')
            x->p++;
        if (!digit(at(x, x->p)))
            fail(x, from, "the exponent of this number has no digits");
        while (digit(at(x, x->p)))
            x->p++;
    }
    if (letter(at(x, x->p)))
        fail(x, from, "a name cannot begin with a digit; write it in backquotes");
    token(x, HR_T_NUMBER, from, hr_slice(from, (size_t)(x->p - from)));
}

static char escape(struct lexer *x, char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case '\\':
    case '"':
        return c;
    default:
        fail(x, x->p, "unknown escape; there are \\n, \\t, \\r, \\\\ and \\\"");
        return c;
    }
}

static void lex_string(struct lexer *x)
{
    const char *from = x->p++;
    char *to =
        hr_arena_get(&x->f->arena, (size_t)(x->end - from) < 4096 ? (size_t)(x->end - from)
                                                                  : strcspn(from + 1, "\n") + 2);
    size_t n = 0;

    if (!to) {
        x->failed = true;
        return;
    }
    while (at(x, x->p) && *x->p != '"' && *x->p != '\n') {
        char c = *x->p++;

        if (c == '\\' && x->p < x->end && *x->p != '\n')
            c = escape(x, *x->p), x->p++;
        to[n++] = c;
    }
    if (at(x, x->p) == '"')
        x->p++;
    else
        fail(x, from, "this text has no closing quote");
    token(x, HR_T_STRING, from, hr_slice(to, n));
}

static void lex_quoted(struct lexer *x)
{
    const char *from = x->p++;

    while (at(x, x->p) && *x->p != '`' && *x->p != '\n')
        x->p++;
    token(x, HR_T_QUOTED, from, hr_slice(from + 1, (size_t)(x->p - from - 1)));
    if (at(x, x->p) == '`')
        x->p++;
    else
        fail(x, from, "this name has no closing backquote");
}

static void lex_sign(struct lexer *x)
{
    static const char *const two[] = { "==", "!=", "<=", ">=", "//" };
    const char *from = x->p;
    size_t i, n = 1;

    for (i = 0; i < sizeof two / sizeof *two; i++)
        if (x->end - from >= 2 && !memcmp(from, two[i], 2))
            n = 2;
    if (n == 1 && !strchr("+-*/%()[]{},:=<>", *from)) {
        int32_t c = hr_utf8_next(&x->p, x->end);

        fail(x, from, c == '\'' ? "texts are written in double quotes" : "unexpected character");
        return;
    }
    if (strchr("([{", *from))
        x->brackets++;
    else if (strchr(")]}", *from) && x->brackets)
        x->brackets--;
    x->p += n;
    token(x, HR_T_SIGN, from, hr_slice(from, n));
}

/* At the start of a line that is not empty: its indentation. */
static void lex_indent(struct lexer *x)
{
    const char *from = x->p;
    int32_t n;

    while (at(x, x->p) == ' ')
        x->p++;
    if (at(x, x->p) == '\t')
        fail(x, x->p, "tabs are not taken for indentation; use 4 blanks");
    while (at(x, x->p) == '\t' || at(x, x->p) == ' ')
        x->p++;
    n = (int32_t)(x->p - from);
    if (!at(x, x->p) || *x->p == '\n' || *x->p == '#' || *x->p == '\r')
        return;
    if (n > x->indents[x->depth]) {
        if (x->depth + 1 == 64) {
            fail(x, x->p, "blocks are nested too deeply; 63 levels are the limit");
            return;
        }
        x->indents[++x->depth] = n;
        token(x, HR_T_INDENT, x->p, hr_slice(x->p, 0));
    }
    while (n < x->indents[x->depth]) {
        x->depth--;
        if (n > x->indents[x->depth])
            fail(x, x->p, "this line is not indented as any block around it");
        token(x, HR_T_DEDENT, x->p, hr_slice(x->p, 0));
    }
}

static void lex_line_end(struct lexer *x)
{
    const struct hr_features *f = x->f;

    if (!x->brackets && f->ntokens && f->tokens[f->ntokens - 1].kind != HR_T_NEWLINE &&
        f->tokens[f->ntokens - 1].kind != HR_T_DEDENT)
        token(x, HR_T_NEWLINE, x->p, hr_slice(x->p, 0));
    if (x->p < x->end) {
        x->p++;
        x->line++;
        x->line_start = x->p;
        if (!x->brackets)
            lex_indent(x);
    }
}

static void lex_one(struct lexer *x)
{
    char c = *x->p;

    if (c == '\n') {
        lex_line_end(x);
    } else if (c == ' ' || c == '\t' || c == '\r') {
        x->p++;
    } else if (c == '#') {
        while (x->p < x->end && *x->p != '\n')
            x->p++;
    } else if (letter(c) || hole(x, x->p)) {
        lex_name(x);
    } else if (digit(c) || (c == '.' && digit(at(x, x->p + 1)))) {
        lex_number(x);
    } else if (c == '"') {
        lex_string(x);
    } else if (c == '`') {
        lex_quoted(x);
    } else {
        lex_sign(x);
    }
}

hr_status hr_features_lex(struct hr_features *f)
{
    struct lexer x = { .f = f, .p = f->text, .end = f->text + f->size, .line_start = f->text };
    size_t valid = hr_utf8_valid(f->text, f->size);

    x.line = 1;
    if (valid < f->size || memchr(f->text, '\0', f->size))
        return hr_fail(f->env, HR_INVALID, "\"%s\" is not text in UTF-8; write it anew", f->name);
    lex_indent(&x);
    while (x.p < x.end)
        lex_one(&x);
    x.brackets = 0;
    lex_line_end(&x);
    while (x.depth--)
        token(&x, HR_T_DEDENT, x.p, hr_slice(x.p, 0));
    token(&x, HR_T_END, x.p, hr_slice(x.p, 0));
    return x.failed ? hr_features_code(f->env) : HR_OK;
}
