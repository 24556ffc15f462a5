#include "transform/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPANSIONS_MAX = 100000 }; /* of defs: each call of one is written out */

int32_t hr_compile_fail(struct hr_program *p, const struct hr_ast *at, const char *meant,
                        const char *format, ...)
{
    char text[500];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hr_features_fail(p->features, at->line, at->column, meant, "%s", text);
    p->failed = true;
    return -1;
}

const struct hr_ty *hr_compile_type(const struct hr_program *p, int32_t step)
{
    return &p->ir.steps[step].type;
}

const char *hr_compile_called(struct hr_program *p, const struct hr_ast *a)
{
    const char *name = NULL;

    if (a && a->kind == HR_A_NAME)
        name = hr_arena_format(&p->arena, "%.*s", (int)a->text.len, a->text.text);
    else if (a && a->kind == HR_A_CALL)
        name = hr_arena_format(&p->arena, "what %.*s gives", (int)a->text.len, a->text.text);
    return name ? name : "this expression";
}

int32_t hr_compile_add(struct hr_program *p, const struct hr_ast *at, const char *name,
                       const struct hr_step *s)
{
    char text[300];
    const char *what;
    int32_t i, step;

    for (i = 0; i < s->nargs; i++)
        if (s->args[i] < 0)
            return -1;
    step = hr_ir_add(&p->ir, s, text, sizeof text);
    if (step >= 0)
        return step;
    p->failed = true;
    what = strstr(text, ": ");
    return what ? hr_compile_fail(p, at, NULL, "%s: %s", name, what + 2) : -1;
}

int32_t hr_compile_op(struct hr_program *p, const struct hr_ast *at, const char *name, int op,
                      const int32_t *args, int32_t n)
{
    struct hr_step s = { .op = (uint8_t)op, .nargs = n, .args = args };

    return hr_compile_add(p, at, name, &s);
}

int32_t hr_compile_float(struct hr_program *p, const struct hr_ast *at, int32_t step)
{
    const struct hr_step *s;

    if (step < 0 || hr_compile_type(p, step)->elem != HR_E_INT)
        return step;
    s = &p->ir.steps[step];
    if (s->op == HR_OP_CONST && !s->type.rank)
        return hr_ir_float(&p->ir, (float)s->ints[2]);
    return hr_compile_op(p, at, "to_float", HR_OP_TO_FLOAT, &step, 1);
}

static int32_t broadcast(struct hr_program *p, const struct hr_ast *at, int32_t step,
                         const struct hr_ty *to)
{
    int64_t dims[HR_FEATURE_RANK];
    struct hr_step s = { .op = HR_OP_BROADCAST, .nargs = 1, .args = &step, .ints = dims };
    int i;

    for (i = 0; i < to->rank; i++)
        dims[i] = to->dims[i];
    s.nints = to->rank;
    return hr_compile_add(p, at, "this", &s);
}

void hr_compile_unify(struct hr_program *p, const struct hr_ast *at, int32_t *steps, int n)
{
    bool any_float = false, any_other = false;
    struct hr_ty wide = { 0 };
    int i;

    for (i = 0; i < n; i++) {
        if (steps[i] < 0)
            return;
        any_float |= hr_compile_type(p, steps[i])->elem == HR_E_FLOAT;
        any_other |= hr_compile_type(p, steps[i])->elem > HR_E_FLOAT;
    }
    for (i = 0; i < n && any_float && !any_other; i++)
        if ((steps[i] = hr_compile_float(p, at, steps[i])) < 0)
            return;
    for (i = 0; i < n; i++) {
        const struct hr_ty *t = hr_compile_type(p, steps[i]);

        if (t->shape == HR_S_DENSE && hr_ty_size(t) > 1)
            wide = *t;
    }
    for (i = 0; i < n && wide.rank; i++) {
        const struct hr_ty *t = hr_compile_type(p, steps[i]);

        if (t->shape == HR_S_DENSE && hr_ty_size(t) == 1 &&
            (steps[i] = broadcast(p, at, steps[i], &wide)) < 0)
            return;
    }
}

/* -- names ---------------------------------------- */

static bool eq(struct hr_slice a, struct hr_slice b)
{
    return a.len == b.len && !memcmp(a.text, b.text, a.len);
}

const char *hr_compile_name(struct hr_program *p, const struct hr_bind *binds, struct hr_slice name)
{
    const struct hr_bind *b;
    hr_status r = HR_OK;
    struct hr_buf buf;
    const char *ret;
    size_t i = 0, k;

    for (b = binds; b; b = b->up)
        if (eq(b->name, name))
            return hr_arena_bytes(&p->arena, b->value.text, b->value.len);
    if (!memchr(name.text, '{', name.len))
        return hr_arena_bytes(&p->arena, name.text, name.len);
    hr_buf_of(&buf, HR_MAX_FEATURES_BYTES, p->env);
    while (i < name.len) {
        for (k = i; k < name.len && name.text[k] != '}';)
            k++;
        for (b = name.text[i] == '{' ? binds : NULL; b; b = b->up)
            if (eq(b->name, hr_slice(name.text + i + 1, k - i - 1)))
                break;
        r = b ? hr_buf_add(&buf, b->value.text, b->value.len) : hr_buf_char(&buf, name.text[i]);
        if (r < 0)
            break;
        i = b ? k + 1 : i + 1;
    }
    if (r < 0)
        hr_fail_memory(p->env);
    ret = r < 0 ? NULL : hr_arena_bytes(&p->arena, buf.text, buf.len);
    hr_buf_clear(&buf);
    return ret;
}

/* Where the equation of a name is, or goes. */
static uint32_t *slot_of(const struct hr_program *p, const char *name)
{
    size_t i = hr_hash64(name, strlen(name), 0) & (p->nslots - 1);

    while (p->slots[i] && strcmp(p->equations[p->slots[i] - 1].name, name) != 0)
        i = (i + 1) & (p->nslots - 1);
    return &p->slots[i];
}

static struct hr_equation *find_equation(struct hr_program *p, const char *name)
{
    uint32_t *slot = p->nslots ? slot_of(p, name) : NULL;

    return slot && *slot ? &p->equations[*slot - 1] : NULL;
}

/* Half of the slots stay free. */
static bool grow_slots(struct hr_program *p)
{
    size_t n = p->nslots ? p->nslots * 2 : 64, i;

    if ((p->nequations + 1) * 2 <= p->nslots)
        return true;
    hr_mem_put(p->env, p->slots, p->nslots * sizeof *p->slots);
    p->nslots = 0;
    if (!(p->slots = hr_mem_zero(p->env, n * sizeof *p->slots)))
        return false;
    p->nslots = n;
    for (i = 0; i < p->nequations; i++)
        *slot_of(p, p->equations[i].name) = (uint32_t)i + 1;
    return true;
}

static int64_t find_column(const struct hr_program *p, const char *name)
{
    size_t i;

    for (i = 0; i < p->ncolumns; i++)
        if (!strcmp(p->columns[i].name, name))
            return (int64_t)i;
    return -1;
}

static int32_t unknown_name(struct hr_program *p, const struct hr_ast *a, const char *name)
{
    size_t i, n = 0;
    const char **names = hr_arena_array(&p->arena, p->nequations + p->ncolumns + 1, sizeof *names);

    if (strchr(name, '{'))
        return hr_compile_fail(p, a, NULL, "\"%s\" names a variable that no template around it has",
                               name);
    for (i = 0; names && i < p->ncolumns; i++)
        names[n++] = p->columns[i].name;
    for (i = 0; names && i < p->nequations; i++)
        names[n++] = p->equations[i].name;
    return hr_compile_fail(p, a, names ? hr_text_meant(name, names, n) : NULL,
                           "there is no column or equation \"%s\"", name);
}

static int32_t compile_equation(struct hr_program *p, struct hr_equation *e)
{
    struct hr_where w = { .binds = e->binds, .self = e };

    if (e->state == 2)
        return e->step;
    e->state = 1;
    e->step = hr_compile(p, &w, e->expr);
    e->state = 2;
    return e->step;
}

static int32_t compile_named(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a)
{
    const char *name;
    struct hr_equation *e;
    int64_t column;
    size_t i;

    for (i = 0; w->scope && i < w->scope->n; i++)
        if (eq(w->scope->names[i], a->text))
            return w->scope->steps[i];
    if (!(name = hr_compile_name(p, w->binds, a->text))) {
        p->failed = true;
        return -1;
    }
    if ((column = find_column(p, name)) >= 0) {
        struct hr_step s = { .op = HR_OP_INPUT, .nints = 1, .ints = &column };

        return hr_compile_add(p, a, name, &s);
    }
    if (!(e = find_equation(p, name)))
        return unknown_name(p, a, name);
    if (e->state == 1)
        return hr_compile_fail(p, a, NULL, "\"%s\" is defined by itself", name);
    return compile_equation(p, e);
}

/* -- expressions ---------------------------------------- */

static int32_t compile_const(struct hr_program *p, const struct hr_ast *a)
{
    int64_t ints[3] = { HR_E_BYTES, 0, a->i };
    struct hr_step s = { .op = HR_OP_CONST, .nints = 2, .ints = ints };

    if (a->kind == HR_A_INT)
        return hr_ir_int(&p->ir, a->i);
    if (a->kind == HR_A_FLOAT)
        return hr_ir_float(&p->ir, a->f);
    if (a->kind == HR_A_BOOL) {
        ints[0] = HR_E_BOOL;
        s.nints = 3;
    } else {
        s.ntexts = 1;
        s.texts = &a->text;
    }
    return hr_compile_add(p, a, "constant", &s);
}

static int32_t compile_unary(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a)
{
    int32_t x = hr_compile(p, w, a->kids[0]);
    bool not = hr_slice_eq(a->text, "not");

    if (x >= 0 && not &&hr_compile_type(p, x)->elem != HR_E_BOOL)
        return hr_compile_fail(p, a->kids[0], NULL, "\"not\" wants a bool, but %s is %s",
                               hr_compile_called(p, a->kids[0]),
                               hr_elem_name(hr_compile_type(p, x)->elem));
    return hr_compile_op(p, a, not ? "not" : "-", not ? HR_OP_NOT : HR_OP_NEG, &x, 1);
}

static const struct {
    const char *sign;
    int op;
    bool swap, is_float;
} signs[] = {
    { "+", HR_OP_ADD, 0, 0 },   { "-", HR_OP_SUB, 0, 0 }, { "*", HR_OP_MUL, 0, 0 },
    { "/", HR_OP_DIV, 0, 1 },   { "%", HR_OP_MOD, 0, 0 }, { "//", HR_OP_FLOORDIV, 0, 0 },
    { "==", HR_OP_EQ, 0, 0 },   { "!=", HR_OP_NE, 0, 0 }, { "<", HR_OP_LT, 0, 0 },
    { "<=", HR_OP_LE, 0, 0 },   { ">", HR_OP_LT, 1, 0 },  { ">=", HR_OP_LE, 1, 0 },
    { "and", HR_OP_AND, 0, 0 }, { "or", HR_OP_OR, 0, 0 },
};

static int32_t compile_binary(struct hr_program *p, const struct hr_where *w,
                              const struct hr_ast *a)
{
    char sign[8];
    int32_t x[2], t;
    size_t k = 0;

    snprintf(sign, sizeof sign, "%.*s", (int)a->text.len, a->text.text);
    x[0] = hr_compile(p, w, a->kids[0]);
    if (!strcmp(sign, "in"))
        return hr_compile_in(p, a, x[0], a->kids[1]);
    x[1] = hr_compile(p, w, a->kids[1]);
    if (x[0] < 0 || x[1] < 0)
        return -1;
    while (strcmp(signs[k].sign, sign))
        k++;
    hr_compile_unify(p, a, x, 2);
    if (signs[k].is_float) {
        x[0] = hr_compile_float(p, a, x[0]);
        x[1] = hr_compile_float(p, a, x[1]);
    }
    if (x[0] < 0 || x[1] < 0)
        return -1;
    if (hr_compile_type(p, x[0])->elem != hr_compile_type(p, x[1])->elem)
        return hr_compile_fail(p, a, NULL, "\"%s\" has %s on the left and %s on the right", sign,
                               hr_elem_name(hr_compile_type(p, x[0])->elem),
                               hr_elem_name(hr_compile_type(p, x[1])->elem));
    if (signs[k].swap)
        t = x[0], x[0] = x[1], x[1] = t;
    return hr_compile_op(p, a, sign, signs[k].op, x, 2);
}

int32_t hr_compile_in(struct hr_program *p, const struct hr_ast *at, int32_t x,
                      const struct hr_ast *list)
{
    struct hr_step s = { .op = HR_OP_IN, .nargs = 1, .args = &x };
    struct hr_slice *texts;
    int64_t *ints;
    int elem;
    size_t i;

    if (x < 0)
        return -1;
    elem = hr_compile_type(p, x)->elem;
    if (list->kind != HR_A_LIST || (elem != HR_E_INT && elem != HR_E_BYTES))
        return hr_compile_fail(p, at, NULL,
                               "\"in\" wants bytes or an int on the left, and a list "
                               "of constants on the right");
    ints = hr_arena_array(&p->arena, list->n + 3, sizeof *ints);
    texts = hr_arena_array(&p->arena, list->n + 1, sizeof *texts);
    if (!ints || !texts)
        return -1;
    ints[0] = elem;
    ints[2] = (int64_t)list->n;
    for (i = 0; i < list->n; i++) {
        if (list->kids[i]->kind != (elem == HR_E_INT ? HR_A_INT : HR_A_TEXT))
            return hr_compile_fail(p, list->kids[i], NULL, "expected a constant of type %s here",
                                   hr_elem_name(elem));
        ints[3 + i] = list->kids[i]->i;
        texts[i] = list->kids[i]->text;
    }
    s.ints = ints;
    s.nints = elem == HR_E_INT ? (int32_t)list->n + 3 : 3;
    s.texts = texts;
    s.ntexts = elem == HR_E_INT ? 0 : (int32_t)list->n;
    return hr_compile_add(p, at, "in", &s);
}

static int32_t compile_index(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a)
{
    int32_t x = hr_compile(p, w, a->kids[0]);
    struct hr_step s = { .op = HR_OP_AT, .nargs = 1, .args = &x, .nints = 1 };

    if (a->kids[1]->kind != HR_A_INT)
        return hr_compile_fail(p, a->kids[1], NULL, "an index is an integer: x[0] is the first");
    s.ints = &a->kids[1]->i;
    return hr_compile_add(p, a, "[]", &s);
}

static const struct hr_statement *find_def(const struct hr_program *p, struct hr_slice name)
{
    size_t i;

    for (i = 0; i < p->ndefs; i++)
        if (eq(p->defs[i]->name, name))
            return p->defs[i];
    return NULL;
}

static int32_t compile_def(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a,
                           const struct hr_statement *d)
{
    int32_t *steps = hr_arena_array(&p->arena, a->n + 1, sizeof *steps);
    struct hr_scope scope = { d->names, steps, d->nnames };
    struct hr_where inner = { .binds = w->binds, .scope = &scope, .self = w->self };
    size_t i;
    bool ok = true;

    if (a->n != d->nnames)
        return hr_compile_fail(p, a, NULL, "%.*s wants %zu arguments and has %zu", (int)d->name.len,
                               d->name.text, d->nnames, a->n);
    if (++p->steps_of_defs > EXPANSIONS_MAX)
        return hr_compile_fail(p, a, NULL,
                               "calls of defs come to more than 100000 when written "
                               "out");
    for (i = 0; steps && i < a->n; i++) {
        steps[i] = hr_compile(p, w, a->kids[i]);
        ok &= steps[i] >= 0;
        if (a->keys[i].text)
            return hr_compile_fail(p, a->kids[i], NULL, "arguments of a def go by position");
    }
    return steps && ok ? hr_compile(p, &inner, d->expr) : -1;
}

int32_t hr_compile(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a)
{
    const struct hr_statement *d;
    int32_t step = -1;

    if (p->depth >= HR_MAX_FEATURES_DEPTH * 4 && p->too_deep)
        return -1;
    p->too_deep |= p->depth >= HR_MAX_FEATURES_DEPTH * 4;
    if (p->depth >= HR_MAX_FEATURES_DEPTH * 4)
        return hr_compile_fail(p, a, NULL,
                               "equations and defs are nested too deeply, or a def "
                               "calls itself");
    p->depth++;
    switch (a->kind) {
    case HR_A_NAME:
        step = compile_named(p, w, a);
        break;
    case HR_A_CALL:
        d = find_def(p, a->text);
        step = d ? compile_def(p, w, a, d) : hr_compile_call(p, w, a);
        break;
    case HR_A_UNARY:
        step = compile_unary(p, w, a);
        break;
    case HR_A_BINARY:
        step = compile_binary(p, w, a);
        break;
    case HR_A_INDEX:
        step = compile_index(p, w, a);
        break;
    case HR_A_LIST:
    case HR_A_MAP:
        hr_compile_fail(p, a, NULL, "a list or table stands only where a function wants one");
        break;
    default:
        step = compile_const(p, a);
        break;
    }
    p->depth--;
    return step;
}

/* -- the file ---------------------------------------- */

static hr_status too_many(struct hr_program *p, const struct hr_statement *s)
{
    p->failed = true;
    return hr_features_fail(p->features, s->line, s->column, NULL,
                            "more than 10000 statements, templates expanded");
}

static hr_status add_equation(struct hr_program *p, const struct hr_statement *s,
                              const struct hr_bind *binds)
{
    const char *name = hr_compile_name(p, binds, s->name);
    struct hr_equation *e;

    if (p->nequations == HR_MAX_FEATURES_STATEMENTS)
        return too_many(p, s);
    if (!name ||
        !hr_mem_reserve(p->env, (void **)&p->equations, &p->cap_equations, p->nequations + 1,
                        sizeof *p->equations, HR_MAX_FEATURES_STATEMENTS))
        return HR_EXHAUSTED;
    if (!name[0] || strchr(name, '{')) {
        p->failed = true;
        return hr_features_fail(p->features, s->line, s->column, NULL,
                                "\"%s\" names a variable that no template around it has", name);
    }
    if ((e = find_equation(p, name))) {
        p->failed = true;
        return hr_features_fail(p->features, s->line, s->column, NULL,
                                "\"%s\" is given twice, the first time in line %d", name,
                                (int)e->at->line);
    }
    if (!grow_slots(p))
        return HR_EXHAUSTED;
    *slot_of(p, name) = (uint32_t)p->nequations + 1;
    p->equations[p->nequations++] =
        (struct hr_equation){ .name = name, .at = s, .expr = s->expr, .binds = binds };
    return HR_OK;
}

static hr_status expand(struct hr_program *p, const struct hr_statement *s,
                        const struct hr_bind *binds);

static hr_status expand_one(struct hr_program *p, const struct hr_statement *s,
                            const struct hr_bind *binds, struct hr_slice value)
{
    struct hr_bind *b = hr_arena_get(&p->arena, sizeof *b);

    if (!b)
        return HR_EXHAUSTED;
    *b = (struct hr_bind){ s->name, value, binds };
    return expand(p, s->body, b);
}

static hr_status expand_for(struct hr_program *p, const struct hr_statement *s,
                            const struct hr_bind *binds)
{
    hr_status r = HR_OK;
    size_t i, n = 0;
    char *pattern;

    for (i = 0; i < s->nnames && r != HR_EXHAUSTED; i++)
        if ((r = expand_one(p, s, binds, s->names[i])) < 0 &&
            p->nequations == HR_MAX_FEATURES_STATEMENTS)
            return r;
    if (!s->pattern.text)
        return r;
    if (!(pattern = hr_arena_bytes(&p->arena, s->pattern.text, s->pattern.len)))
        return HR_EXHAUSTED;
    for (i = 0; i < p->ncolumns && r != HR_EXHAUSTED; i++) {
        const struct hr_feature *c = &p->columns[i];

        if ((s->type && c->type != s->type) || !hr_glob(pattern, c->name))
            continue;
        r = expand_one(p, s, binds, hr_slice(c->name, strlen(c->name)));
        n++;
        if (p->nequations == HR_MAX_FEATURES_STATEMENTS)
            return r;
    }
    if (!n) {
        p->failed = true;
        hr_features_fail(p->features, s->line, s->column, NULL,
                         "no column of the schema matches \"%s\"", pattern);
    }
    return r;
}

static hr_status add_def(struct hr_program *p, const struct hr_statement *s)
{
    const char *const *names;
    size_t i, n = hr_function_names(&names);

    for (i = 0; i < n; i++)
        if (hr_slice_eq(s->name, names[i]))
            break;
    if (i < n || find_def(p, s->name)) {
        p->failed = true;
        return hr_features_fail(p->features, s->line, s->column, NULL,
                                "there is a function \"%.*s\" already", (int)s->name.len,
                                s->name.text);
    }
    if (!hr_mem_reserve(p->env, (void **)&p->defs, &p->cap_defs, p->ndefs + 1, sizeof *p->defs,
                        HR_MAX_FEATURES_STATEMENTS))
        return HR_EXHAUSTED;
    p->defs[p->ndefs++] = s;
    return HR_OK;
}

static hr_status expand(struct hr_program *p, const struct hr_statement *s,
                        const struct hr_bind *binds)
{
    hr_status r = HR_OK;

    for (; s && r != HR_EXHAUSTED; s = s->next) {
        if (s->kind == HR_ST_EQUATION)
            r = add_equation(p, s, binds);
        else if (s->kind == HR_ST_FOR)
            r = expand_for(p, s, binds);
        else if (s->kind == HR_ST_DEF)
            r = add_def(p, s);
        if (p->nequations == HR_MAX_FEATURES_STATEMENTS && r < 0)
            return r;
    }
    return r == HR_EXHAUSTED ? r : HR_OK;
}

static hr_status add_output(struct hr_program *p, const struct hr_equation *e)
{
    int32_t step = e->step;

    if (step >= 0 && hr_compile_type(p, step)->elem == HR_E_VOCAB) {
        hr_compile_fail(p, e->expr, NULL,
                        "a vocabulary is no feature; give it to apply_vocabulary, "
                        "or begin its name with _");
        return HR_OK;
    }
    if (step >= 0 && hr_compile_type(p, step)->elem == HR_E_BOOL)
        step = hr_compile_op(p, e->expr, "to_int", HR_OP_TO_INT, &step, 1);
    if (step < 0)
        return HR_OK;
    if (!hr_mem_reserve(p->env, (void **)&p->outputs, &p->cap_outputs, p->noutputs + 1,
                        sizeof *p->outputs, HR_MAX_FEATURES_STATEMENTS))
        return HR_EXHAUSTED;
    p->outputs[p->noutputs++] = (struct hr_output){ e->name, step };
    return HR_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hr_output *)a)->name, ((const struct hr_output *)b)->name);
}

static hr_status compile_all(struct hr_program *p)
{
    hr_status r = expand(p, p->features->first, NULL);
    size_t i;

    for (i = 0; i < p->nequations && r == HR_OK; i++) {
        if (compile_equation(p, &p->equations[i]) < 0)
            p->failed = true; /* told, or memory is short */
        if (p->equations[i].name[0] != '_')
            r = add_output(p, &p->equations[i]);
    }
    if (r == HR_OK)
        hr_check_constants(p);
    if (r < 0 || p->failed)
        return r < 0 && r != HR_INVALID ? r : hr_features_code(p->env);
    if (!p->noutputs)
        return hr_fail(p->env, HR_INVALID,
                       "\"%s\" makes no feature; write an equation whose name does not begin with "
                       "_",
                       p->features->name);
    qsort(p->outputs, p->noutputs, sizeof *p->outputs, by_name);
    return HR_OK;
}

hr_status hr_features_check(struct hr_env *env, const struct hr_features *features,
                            const struct hr_feature *columns, size_t count, struct hr_program **ret)
{
    struct hr_program *p = hr_mem_zero(env, sizeof *p);
    hr_status r = HR_EXHAUSTED;
    size_t i;

    if (!p)
        return r;
    p->env = env;
    p->features = features;
    hr_arena_init(&p->arena, env, 0);
    hr_ir_init(&p->ir, env);
    hr_buf_of(&p->config, HR_MAX_FILE_BYTES, env);
    hr_buf_of(&p->warnings, 1 << 20, env);
    p->ir.inputs = hr_arena_array(&p->arena, count + 1, sizeof *p->ir.inputs);
    if (p->ir.inputs) {
        for (i = 0; i < count; i++) {
            p->ir.inputs[i] = columns[i];
            if (!(p->ir.inputs[i].name = hr_arena_text(&p->arena, columns[i].name)))
                goto fail;
        }
        p->columns = p->ir.inputs;
        p->ncolumns = p->ir.ninputs = count;
        r = compile_all(p);
    }
    if (r == HR_OK) {
        *ret = p;
        return HR_OK;
    }
fail:
    hr_program_free(p);
    return r;
}

void hr_program_free(struct hr_program *p)
{
    if (!p)
        return;
    hr_mem_put(p->env, p->equations, p->cap_equations * sizeof *p->equations);
    hr_mem_put(p->env, p->slots, p->nslots * sizeof *p->slots);
    hr_mem_put(p->env, p->defs, p->cap_defs * sizeof *p->defs);
    hr_mem_put(p->env, p->outputs, p->cap_outputs * sizeof *p->outputs);
    hr_mem_put(p->env, p->known, p->nknown * sizeof *p->known);
    hr_buf_clear(&p->config);
    hr_buf_clear(&p->warnings);
    hr_ir_clear(&p->ir);
    hr_arena_clear(&p->arena);
    hr_mem_put(p->env, p, sizeof *p);
}

const char *hr_program_warnings(const struct hr_program *p)
{
    return p->warnings.text;
}
