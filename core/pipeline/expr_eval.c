#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/expr_tree.h"

struct eval {
    struct hr_env *env;
    const struct hr_template *t;
    const struct hr_scope *scope;
    struct hr_arena *arena;
    int steps;
};

const char *hr_term_kind_text(enum hr_term_kind kind)
{
    static const char *const texts[] = { "unknown", "null",   "a bool", "an int",
                                         "a float", "a text", "a list", "JSON", "an artifact" };

    return texts[kind];
}

static bool numeric(const struct hr_term *t)
{
    return t->kind == HR_TERM_INT || t->kind == HR_TERM_FLOAT;
}

static double as_double(const struct hr_term *t)
{
    return t->kind == HR_TERM_INT ? (double)t->i : t->d;
}

bool hr_order_holds(enum hr_expr_op op, int order)
{
    switch (op) {
    case HR_OP_EQ:
        return order == 0;
    case HR_OP_NE:
        return order != 0;
    case HR_OP_LT:
        return order < 0;
    case HR_OP_LE:
        return order <= 0;
    case HR_OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static int compare_numbers(double x, double y)
{
    return isunordered(x, y) ? 2 : (x > y) - (x < y);
}

static int compare_lists(const struct hr_term *a, const struct hr_term *b, bool *ret_comparable)
{
    size_t i;

    for (i = 0; i < a->count && i < b->count && *ret_comparable; i++)
        if (hr_term_compare(&a->items[i], &b->items[i], ret_comparable))
            return 2;
    return a->count == b->count ? 0 : 2;
}

int hr_term_compare(const struct hr_term *a, const struct hr_term *b, bool *ret_comparable)
{
    int c;

    *ret_comparable = true;
    if (a->kind == HR_TERM_INT && b->kind == HR_TERM_INT)
        return (a->i > b->i) - (a->i < b->i);
    if (numeric(a) && numeric(b))
        return compare_numbers(as_double(a), as_double(b));
    if (a->kind != b->kind) {
        *ret_comparable = a->kind == HR_TERM_NULL || b->kind == HR_TERM_NULL;
        return 2; /* null differs from all but itself */
    }
    if (a->kind == HR_TERM_TEXT)
        return (c = strcmp(a->text, b->text)) < 0 ? -1 : c > 0;
    if (a->kind == HR_TERM_BOOL)
        return a->i == b->i ? 0 : 2;
    if (a->kind == HR_TERM_LIST)
        return compare_lists(a, b, ret_comparable);
    return a->kind == HR_TERM_NULL ? 0 : 2;
}

static hr_status wrong(struct eval *v, const struct hr_expr *e, const char *what,
                       const struct hr_term *a, const struct hr_term *b)
{
    if (b)
        return hr_expr_fail(v->env, v->t, e->at, NULL, "%s is not for %s and %s", what,
                            hr_term_kind_text(a->kind), hr_term_kind_text(b->kind));
    return hr_expr_fail(v->env, v->t, e->at, NULL, "%s is not for %s", what,
                        hr_term_kind_text(a->kind));
}

static hr_status eval(struct eval *v, const struct hr_expr *e, struct hr_term *ret);

static hr_status boolean(struct eval *v, const struct hr_expr *e, const struct hr_expr *arg,
                         struct hr_term *ret)
{
    hr_status r = eval(v, arg, ret);

    if (r == HR_OK && ret->kind != HR_TERM_BOOL && ret->kind != HR_TERM_UNKNOWN)
        return wrong(v, e, e->op == HR_OP_CHOOSE ? "a condition" : "a logical operator", ret, NULL);
    return r;
}

static hr_status logic(struct eval *v, const struct hr_expr *e, struct hr_term *ret)
{
    hr_status r = boolean(v, e, e->args[0], ret);

    if (r < 0 || ret->kind == HR_TERM_UNKNOWN)
        return r;
    if (e->op == HR_OP_NOT) {
        ret->i = !ret->i;
        return HR_OK;
    }
    if (ret->i == (e->op == HR_OP_OR))
        return HR_OK; /* the rest does not matter */
    return boolean(v, e, e->args[1], ret);
}

static hr_status choose(struct eval *v, const struct hr_expr *e, struct hr_term *ret)
{
    hr_status r = boolean(v, e, e->args[0], ret);

    if (r < 0 || ret->kind == HR_TERM_UNKNOWN)
        return r;
    return eval(v, e->args[ret->i ? 1 : 2], ret);
}

static hr_status integers(struct eval *v, const struct hr_expr *e, int64_t a, int64_t b,
                          struct hr_term *ret)
{
    bool over = false;

    if ((e->op == HR_OP_DIVIDE || e->op == HR_OP_REMAINDER) && !b)
        return hr_expr_fail(v->env, v->t, e->at, NULL, "a division by 0");
    if ((e->op == HR_OP_DIVIDE || e->op == HR_OP_REMAINDER) && b == -1)
        over = e->op == HR_OP_DIVIDE ? __builtin_sub_overflow((int64_t)0, a, &ret->i)
                                     : (ret->i = 0, false);
    else if (e->op == HR_OP_ADD)
        over = __builtin_add_overflow(a, b, &ret->i);
    else if (e->op == HR_OP_SUBTRACT)
        over = __builtin_sub_overflow(a, b, &ret->i);
    else if (e->op == HR_OP_MULTIPLY)
        over = __builtin_mul_overflow(a, b, &ret->i);
    else if (e->op == HR_OP_DIVIDE)
        ret->i = a / b;
    else
        ret->i = a % b;
    ret->kind = HR_TERM_INT;
    return over ? hr_expr_fail(v->env, v->t, e->at, NULL, "the result passes 64 bits") : HR_OK;
}

static hr_status floats(enum hr_expr_op op, double a, double b, struct hr_term *ret)
{
    ret->kind = HR_TERM_FLOAT;
    switch (op) {
    case HR_OP_ADD:
        ret->d = a + b;
        break;
    case HR_OP_SUBTRACT:
        ret->d = a - b;
        break;
    case HR_OP_MULTIPLY:
        ret->d = a * b;
        break;
    case HR_OP_DIVIDE:
        ret->d = a / b;
        break;
    default:
        ret->d = fmod(a, b);
    }
    return HR_OK;
}

static hr_status concat(struct eval *v, const struct hr_term *a, const struct hr_term *b,
                        struct hr_term *ret)
{
    struct hr_term *items;

    if (a->kind == HR_TERM_TEXT) {
        ret->kind = HR_TERM_TEXT;
        ret->text = hr_arena_format(v->arena, "%s%s", a->text, b->text);
        return ret->text ? HR_OK : HR_EXHAUSTED;
    }
    if (a->count + b->count > HR_EXPR_MAX_ITEMS)
        return HR_EXHAUSTED;
    if (!(items = hr_arena_array(v->arena, a->count + b->count + 1, sizeof *items)))
        return HR_EXHAUSTED;
    if (a->count)
        memcpy(items, a->items, a->count * sizeof *items);
    if (b->count)
        memcpy(items + a->count, b->items, b->count * sizeof *items);
    *ret = (struct hr_term){ .kind = HR_TERM_LIST, .items = items, .count = a->count + b->count };
    return HR_OK;
}

static hr_status arithmetic(struct eval *v, const struct hr_expr *e, const struct hr_term *a,
                            const struct hr_term *b, struct hr_term *ret)
{
    static const char *const names[] = { "+", "-", "*", "/", "%" };

    *ret = (struct hr_term){ 0 };
    if (e->op == HR_OP_ADD && a->kind == b->kind &&
        (a->kind == HR_TERM_TEXT || a->kind == HR_TERM_LIST))
        return concat(v, a, b, ret);
    if (!numeric(a) || !numeric(b))
        return wrong(v, e, names[e->op - HR_OP_ADD], a, b);
    if (a->kind == HR_TERM_INT && b->kind == HR_TERM_INT)
        return integers(v, e, a->i, b->i, ret);
    return floats(e->op, as_double(a), as_double(b), ret);
}

static hr_status comparison(struct eval *v, const struct hr_expr *e, const struct hr_term *a,
                            const struct hr_term *b, struct hr_term *ret)
{
    bool comparable = true;
    int c = 0;
    size_t i;

    *ret = (struct hr_term){ .kind = HR_TERM_BOOL };
    if (e->op == HR_OP_IN) {
        if (b->kind != HR_TERM_LIST)
            return wrong(v, e, "in", a, b);
        for (i = 0; i < b->count && !ret->i; i++)
            ret->i = hr_term_compare(a, &b->items[i], &comparable) == 0 && comparable;
        return HR_OK;
    }
    c = hr_term_compare(a, b, &comparable);
    if (c == 2 && numeric(a) && numeric(b)) { /* with what is no number nothing has an order */
        ret->i = e->op == HR_OP_NE;
        return HR_OK;
    }
    if (!comparable || (c == 2 && e->op > HR_OP_NE))
        return wrong(v, e, "a comparison", a, b);
    ret->i = hr_order_holds(e->op, c);
    return HR_OK;
}

static hr_status index_of(struct eval *v, const struct hr_expr *e, const struct hr_term *a,
                          const struct hr_term *b, struct hr_term *ret)
{
    int64_t i;

    if (a->kind != HR_TERM_LIST || b->kind != HR_TERM_INT)
        return wrong(v, e, "[ ]", a, b);
    i = b->i < 0 ? b->i + (int64_t)a->count : b->i; /* as Python's */
    if (i < 0 || (uint64_t)i >= a->count)
        return hr_expr_fail(v->env, v->t, e->at, NULL, "there is no element %lld of %zu",
                            (long long)b->i, a->count);
    *ret = a->items[i];
    return HR_OK;
}

/* A list of one artifact is as good as the artifact. */
static hr_status member(struct eval *v, const struct hr_expr *e, const struct hr_term *args,
                        struct hr_term *ret)
{
    const struct hr_term *of = args;
    hr_status r = HR_NOT_FOUND;

    if (of->kind == HR_TERM_LIST && of->count == 1 && of->items[0].kind == HR_TERM_ARTIFACT)
        of = &of->items[0];
    else if (of->kind == HR_TERM_LIST)
        return hr_expr_fail(v->env, v->t, e->at, NULL,
                            "a list of %zu has no \"%s\"; choose an element with [ ]", of->count,
                            e->text);
    *ret = (struct hr_term){ 0 };
    if (v->scope->member)
        r = v->scope->member(v->scope->user, of, e->text, args + 1, e->count - 1, v->arena, ret);
    if (r == HR_NOT_FOUND)
        return hr_expr_fail(v->env, v->t, e->at, NULL, "%s has no member \"%s\"",
                            hr_term_kind_text(of->kind), e->text);
    return r;
}

static hr_status name(struct eval *v, const struct hr_expr *e, struct hr_term *ret)
{
    const char *dot = strchr(e->text, '.'), *meant = NULL;
    size_t n = dot ? (size_t)(dot - e->text) : strlen(e->text);
    char *root = hr_arena_bytes(v->arena, e->text, n);
    hr_status r;

    if (!root)
        return HR_EXHAUSTED;
    *ret = (struct hr_term){ 0 };
    r = v->scope->find(v->scope->user, root, dot ? dot + 1 : "", v->arena, ret, &meant);
    if (r == HR_NOT_FOUND)
        return hr_expr_fail(v->env, v->t, e->at, meant, "there is no \"%s\" here", e->text);
    return r;
}

static hr_status negate(struct eval *v, const struct hr_expr *e, struct hr_term *a)
{
    if (a->kind == HR_TERM_FLOAT)
        a->d = -a->d;
    else if (a->kind != HR_TERM_INT)
        return wrong(v, e, "-", a, NULL);
    else if (a->i == INT64_MIN)
        return hr_expr_fail(v->env, v->t, e->at, NULL, "the result passes 64 bits");
    else
        a->i = -a->i;
    return HR_OK;
}

/* All arguments first; one that is unknown makes all of it unknown. */
static hr_status with_args(struct eval *v, const struct hr_expr *e, struct hr_term *ret)
{
    struct hr_term *args = hr_arena_array(v->arena, e->count + 1, sizeof *args);
    hr_status r = args ? HR_OK : HR_EXHAUSTED;
    bool unknown = false;
    size_t i;

    for (i = 0; i < e->count && r == HR_OK; i++) {
        r = eval(v, e->args[i], &args[i]);
        unknown = unknown || args[i].kind == HR_TERM_UNKNOWN;
    }
    if (r < 0)
        return r;
    if (unknown) {
        *ret = (struct hr_term){ .kind = HR_TERM_UNKNOWN };
        return HR_OK;
    }
    if (e->op == HR_OP_CALL) {
        struct hr_call call = { v->env, v->t, e, v->arena, args, e->count };

        return hr_expr_call(&call, ret);
    }
    if (e->op == HR_OP_LIST) {
        *ret = (struct hr_term){ .kind = HR_TERM_LIST, .items = args, .count = e->count };
        return HR_OK;
    }
    if (e->op == HR_OP_INDEX)
        return index_of(v, e, &args[0], &args[1], ret);
    if (e->op == HR_OP_MEMBER)
        return member(v, e, args, ret);
    if (e->op == HR_OP_NEGATE) {
        *ret = args[0];
        return negate(v, e, ret);
    }
    if (e->op >= HR_OP_EQ)
        return comparison(v, e, &args[0], &args[1], ret);
    return arithmetic(v, e, &args[0], &args[1], ret);
}

static hr_status eval(struct eval *v, const struct hr_expr *e, struct hr_term *ret)
{
    if (++v->steps > HR_EXPR_MAX_STEPS)
        return hr_expr_fail(v->env, v->t, e->at, NULL, "more than %d steps", HR_EXPR_MAX_STEPS);
    switch (e->op) {
    case HR_OP_LITERAL:
        *ret = e->literal;
        return HR_OK;
    case HR_OP_NAME:
        return name(v, e, ret);
    case HR_OP_NOT:
    case HR_OP_AND:
    case HR_OP_OR:
        return logic(v, e, ret);
    case HR_OP_CHOOSE:
        return choose(v, e, ret);
    default:
        return with_args(v, e, ret);
    }
}

/* -- templates ------------------------------------------------------------- */

bool hr_template_needed(const char *text)
{
    return strstr(text, "${") != NULL;
}

static struct hr_template_part *add_part(struct hr_template *t, struct hr_arena *arena)
{
    struct hr_template_part *parts =
        hr_arena_grow(arena, t->parts, t->count, &t->cap, sizeof *parts);

    if (!parts)
        return NULL;
    t->parts = parts;
    return &t->parts[t->count++];
}

static hr_status add_text(struct hr_template *t, struct hr_arena *arena, size_t from, size_t to)
{
    struct hr_template_part *part = from < to ? add_part(t, arena) : NULL;

    if (from == to)
        return HR_OK;
    if (!part || !(part->text = hr_arena_bytes(arena, t->text + from, to - from)))
        return HR_EXHAUSTED;
    return HR_OK;
}

hr_status hr_template_parse(struct hr_env *env, const struct hr_place *place, const char *text,
                            struct hr_arena *arena, struct hr_template **ret)
{
    struct hr_template *t = hr_arena_get(arena, sizeof *t);
    struct hr_template_part *part;
    size_t at = 0, from = 0, n = strlen(text);
    hr_status r = HR_OK;

    if (!t || !(t->text = hr_arena_text(arena, text)))
        return HR_EXHAUSTED;
    t->place = *place;
    if (n > HR_EXPR_MAX_TEXT)
        return hr_fail_at(env, HR_INVALID, place, "a text of %zu bytes with expressions", n);
    while (at < n && r == HR_OK) {
        if (!strncmp(text + at, "$${", 3)) {
            r = add_text(t, arena, from, at);
            from = at + 1; /* without the first $ */
            at += 3;
        } else if (!strncmp(text + at, "${", 2)) {
            if ((r = add_text(t, arena, from, at)) < 0)
                break;
            at += 2;
            if (!(part = add_part(t, arena)))
                return HR_EXHAUSTED;
            r = hr_expr_parse(env, t, arena, &at, &part->expr);
            from = at;
        } else {
            at++;
        }
    }
    if (r == HR_OK)
        r = add_text(t, arena, from, n);
    if (r == HR_OK)
        *ret = t;
    return r;
}

static hr_status names_of(const struct hr_expr *e, hr_status (*visit)(void *, const char *),
                          void *user)
{
    hr_status r = e->op == HR_OP_NAME ? visit(user, e->text) : HR_OK;
    size_t i;

    for (i = 0; i < e->count && r == HR_OK; i++)
        r = names_of(e->args[i], visit, user);
    return r;
}

hr_status hr_template_names(const struct hr_template *t,
                            hr_status (*visit)(void *user, const char *name), void *user)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < t->count && r == HR_OK; i++)
        if (t->parts[i].expr)
            r = names_of(t->parts[i].expr, visit, user);
    return r;
}

static hr_status put_term(const struct hr_term *term, struct hr_buf *to)
{
    bool text = term->kind == HR_TERM_TEXT || term->kind == HR_TERM_ARTIFACT;

    return text ? hr_buf_text(to, term->text) : hr_term_json(term, to);
}

hr_status hr_template_eval(struct hr_env *env, const struct hr_template *t,
                           const struct hr_scope *scope, struct hr_arena *arena,
                           struct hr_term *ret)
{
    struct eval v = { env, t, scope, arena, 0 };
    bool unknown = false;
    struct hr_term term;
    struct hr_buf text;
    hr_status r = HR_OK;
    size_t i;

    if (t->count == 1 && t->parts[0].expr)
        return eval(&v, t->parts[0].expr, ret);
    hr_buf_of(&text, 1 << 24, env);
    for (i = 0; i < t->count && r == HR_OK; i++) {
        if (!t->parts[i].expr) {
            r = hr_buf_text(&text, t->parts[i].text);
            continue;
        }
        if ((r = eval(&v, t->parts[i].expr, &term)) < 0)
            break;
        unknown = unknown || term.kind == HR_TERM_UNKNOWN;
        r = put_term(&term, &text);
    }
    *ret = (struct hr_term){ .kind = unknown ? HR_TERM_UNKNOWN : HR_TERM_TEXT };
    if (r == HR_OK && !(ret->text = hr_arena_text(arena, text.text)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&text);
    return r;
}
