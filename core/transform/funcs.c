/* The functions of the language: a row of the table each, with parameters as
 *
 *     name:kind     kind n number, f number taken as float, i int, s bytes, b bool, x any,
 *                   v vocabulary; constants: I int, F number, T text, B bool, L list, M table;
 *                   V: a list of expressions
 *     name:kind?    may be left out
 *     name:2        not offered yet
 *     ...:kind      any number of arguments
 */
#include <stdio.h>
#include <string.h>

#include "transform/compile.h"

enum { PARAMS_MAX = 20 };

struct param {
    struct hr_slice name;
    char kind;
    bool optional, later;
};

struct call {
    struct hr_program *p;
    const struct hr_where *w;
    const struct hr_ast *at;
    const char *name;
    int op;
    struct param params[PARAMS_MAX];
    int nparams;
    const struct hr_ast *asts[PARAMS_MAX]; /* NULL: not given */
    int32_t steps[PARAMS_MAX];             /* -1: not given, or a constant */
};

struct function {
    const char *name, *params;
    int32_t (*build)(struct call *c);
    int op;
};

/* -- constants among the arguments ------------------------------------------------------- */

static int64_t int_of(struct call *c, int i, int64_t otherwise)
{
    return c->asts[i] ? c->asts[i]->i : otherwise;
}

static float float_of(struct call *c, int i, float otherwise)
{
    const struct hr_ast *a = c->asts[i];

    if (!a)
        return otherwise;
    return a->kind == HR_A_INT ? (float)a->i : a->f;
}

static bool bool_of(struct call *c, int i)
{
    return c->asts[i] && c->asts[i]->i;
}

static const struct hr_ty *type_of(struct call *c, int32_t step)
{
    return hr_compile_type(c->p, step);
}

static int32_t add(struct call *c, const struct hr_step *s)
{
    return hr_compile_add(c->p, c->at, c->name, s);
}

static int32_t op1(struct call *c, int op, int32_t x, const int64_t *ints, int32_t nints)
{
    struct hr_step s = { .op = (uint8_t)op, .nargs = 1, .args = &x, .nints = nints, .ints = ints };

    return add(c, &s);
}

static int32_t op2(struct call *c, int op, int32_t x, int32_t y)
{
    int32_t args[2] = { x, y };

    return hr_compile_op(c->p, c->at, c->name, op, args, 2);
}

static int32_t op3(struct call *c, int op, int32_t x, int32_t y, int32_t z)
{
    int32_t args[3] = { x, y, z };

    return hr_compile_op(c->p, c->at, c->name, op, args, 3);
}

static bool range(struct call *c, int i, int64_t from, int64_t to)
{
    if (!c->asts[i] || (c->asts[i]->i >= from && c->asts[i]->i <= to))
        return true;
    hr_compile_fail(c->p, c->asts[i], NULL, "%.*s of %s is from %lld to %lld, not %lld",
                    (int)c->params[i].name.len, c->params[i].name.text, c->name, (long long)from,
                    (long long)to, (long long)c->asts[i]->i);
    return false;
}

/* -- builders ------------------------------------------------------------------------------ */

static int32_t build_same(struct call *c)
{
    int n = 0;

    while (n < c->nparams && c->steps[n] >= 0)
        n++;
    if (n > 1)
        hr_compile_unify(c->p, c->at, c->steps, n);
    return hr_compile_op(c->p, c->at, c->name, c->op, c->steps, n);
}

/* floor and the like leave an int as it is. */
static int32_t build_round(struct call *c)
{
    if (type_of(c, c->steps[0])->elem == HR_E_INT)
        return c->steps[0];
    return build_same(c);
}

static int32_t build_clip(struct call *c)
{
    hr_compile_unify(c->p, c->at, c->steps, 3);
    return op2(c, HR_OP_MAX2, op2(c, HR_OP_MIN2, c->steps[0], c->steps[2]), c->steps[1]);
}

static int32_t build_if(struct call *c)
{
    hr_compile_unify(c->p, c->at, c->steps + 1, 2);
    return op3(c, HR_OP_IF_ELSE, c->steps[0], c->steps[1], c->steps[2]);
}

static int32_t build_fill(struct call *c)
{
    int32_t x = c->steps[0], v = c->steps[1];
    struct hr_ty t = *type_of(c, x);

    if (t.shape == HR_S_LIST)
        return hr_compile_fail(c->p, c->asts[0], NULL,
                               "fill wants one value in a row, but %s is a list; take first, "
                               "densify(x, n, v) or a reduce_ function",
                               hr_compile_called(c->p, c->asts[0]));
    if (t.elem == HR_E_FLOAT)
        v = hr_compile_float(c->p, c->at, v);
    if (v >= 0 && type_of(c, v)->elem != t.elem)
        return hr_compile_fail(c->p, c->asts[1], NULL, "%s is %s, and is filled with %s",
                               hr_compile_called(c->p, c->asts[0]), hr_elem_name(t.elem),
                               hr_elem_name(type_of(c, v)->elem));
    return t.shape == HR_S_OPTIONAL ? op2(c, HR_OP_FILL, x, v) : x;
}

static int32_t build_cast(struct call *c)
{
    int elem = c->op == HR_OP_TO_INT ? HR_E_INT : c->op == HR_OP_TO_FLOAT ? HR_E_FLOAT
                                                                          : HR_E_BYTES;
    const struct hr_ty *t = type_of(c, c->steps[0]);

    if (t->elem == elem)
        return c->steps[0];
    if (t->elem == HR_E_BYTES)
        return hr_compile_fail(c->p, c->asts[0], "to_number",
                               "%s wants a number, but %s is bytes", c->name,
                               hr_compile_called(c->p, c->asts[0]));
    return build_same(c);
}

static int32_t build_number(struct call *c)
{
    return hr_compile_op(c->p, c->at, c->name, c->op, c->steps, c->steps[1] >= 0 ? 2 : 1);
}

static int32_t stat(struct call *c, int op, int32_t x, bool each)
{
    int64_t flag = each;

    return op1(c, op, x, &flag, each ? 1 : 0);
}

static int32_t build_z_score(struct call *c)
{
    int32_t x = hr_compile_float(c->p, c->at, c->steps[0]);
    bool each = bool_of(c, 1);

    return op3(c, HR_OP_Z_SCORE, x, stat(c, HR_OP_MEAN, x, each), stat(c, HR_OP_VAR, x, each));
}

static int32_t min_max(struct call *c, float from, float to, bool each)
{
    int32_t args[3] = { c->steps[0], stat(c, HR_OP_MIN, c->steps[0], each),
                        stat(c, HR_OP_MAX, c->steps[0], each) };
    float out[2] = { from, to };
    struct hr_step s = { .op = HR_OP_MIN_MAX, .nargs = 3, .args = args, .nfloats = 2,
                         .floats = out };
    int i;

    for (i = 0; i < 3; i++)
        args[i] = hr_compile_float(c->p, c->at, args[i]);
    if (!(from < to))
        return hr_compile_fail(c->p, c->at, NULL, "output_min must be below output_max");
    return add(c, &s);
}

static int32_t build_0_1(struct call *c)
{
    return min_max(c, 0, 1, bool_of(c, 1));
}

static int32_t build_min_max(struct call *c)
{
    return min_max(c, float_of(c, 1, 0), float_of(c, 2, 1), bool_of(c, 3));
}

/* A constant list of numbers that do not fall. */
static int32_t borders(struct call *c, const struct hr_ast *l)
{
    int64_t ints[3] = { HR_E_FLOAT, 1, (int64_t)l->n };
    float *f = hr_arena_array(&c->p->arena, l->n + 1, sizeof *f);
    struct hr_step s = { .op = HR_OP_CONST, .nints = 3, .ints = ints, .floats = f };
    size_t i;

    for (i = 0; f && i < l->n; i++) {
        const struct hr_ast *a = l->kids[i];

        if (a->kind != HR_A_INT && a->kind != HR_A_FLOAT)
            return hr_compile_fail(c->p, a, NULL, "borders are numbers");
        f[i] = a->kind == HR_A_INT ? (float)a->i : a->f;
        if (i && !(f[i - 1] <= f[i]))
            return hr_compile_fail(c->p, a, NULL, "borders must not fall from one to the next");
    }
    s.nfloats = (int32_t)l->n;
    return f ? add(c, &s) : -1;
}

static int32_t build_apply_buckets(struct call *c)
{
    return op2(c, HR_OP_BUCKETS, c->steps[0], borders(c, c->asts[1]));
}

static int32_t bucketize(struct call *c, int32_t x)
{
    int64_t n = int_of(c, 1, 1);
    float epsilon = float_of(c, 2, 1.0f / (float)n < 0.01f ? 1.0f / (float)n : 0.01f);
    int32_t args[2] = { x, c->steps[3] };
    struct hr_step s = { .op = HR_OP_QUANTILES, .nargs = args[1] >= 0 ? 2 : 1, .args = args,
                         .nints = 1, .ints = &n, .nfloats = 1, .floats = &epsilon };

    return op2(c, HR_OP_BUCKETS, x, add(c, &s));
}

static int32_t build_bucketize(struct call *c)
{
    int32_t x = c->steps[0], w = c->steps[3], parts[HR_MAX_FEATURES_ARGS];
    int64_t n, i;

    if (!range(c, 1, 1, 1000000))
        return -1;
    if (c->asts[2] && !(float_of(c, 2, 0) > 0 && float_of(c, 2, 0) < 1))
        return hr_compile_fail(c->p, c->asts[2], NULL, "epsilon is above 0 and below 1");
    if (w >= 0) {
        if ((w = c->steps[3] = hr_compile_float(c->p, c->at, w)) < 0)
            return -1;
        if (type_of(c, w)->shape != type_of(c, x)->shape || hr_ty_size(type_of(c, w)) != 1 ||
            type_of(c, x)->shape == HR_S_LIST || hr_ty_size(type_of(c, x)) != 1)
            return hr_compile_fail(c->p, c->asts[3], NULL, "there is one weight for one value");
    }
    if (!bool_of(c, 4))
        return bucketize(c, x);
    n = hr_ty_size(type_of(c, x));
    if (type_of(c, x)->shape != HR_S_DENSE || n > HR_MAX_FEATURES_ARGS || w >= 0)
        return hr_compile_fail(c->p, c->asts[0], NULL,
                               "elementwise wants a fixed number of values in every row, at most "
                               "1000, and no weights");
    for (i = 0; i < n; i++)
        parts[i] = bucketize(c, op1(c, HR_OP_AT, x, &i, 1));
    return hr_compile_op(c->p, c->at, c->name, HR_OP_CONCAT, parts, (int32_t)n);
}

/* -- vocabularies ---------------------------------------------------------------------------- */

/* Letters, digits, _ and - stay, blanks become -, all else _. */
static void file_name(char *name)
{
    for (; *name; name++) {
        if (strchr(" \t\n\r\f\v", *name))
            *name = '-';
        else if (!(*name & 0x80) && !strchr("_-0123456789", *name) &&
                 !(*name >= 'a' && *name <= 'z') && !(*name >= 'A' && *name <= 'Z'))
            *name = '_';
    }
}

static char *vocab_name(struct call *c, const struct hr_ast *given, bool scope)
{
    char nth[16] = "", *name;
    int calls;

    if (given) {
        name = hr_arena_bytes(&c->p->arena, given->text.text, given->text.len);
    } else {
        calls = scope ? c->p->calls++ : c->p->vocab_calls++;
        if (calls)
            snprintf(nth, sizeof nth, "_%d", calls);
        name = scope ? hr_arena_format(&c->p->arena,
                                       "vocab_compute_and_apply_vocabulary%s_vocabulary", nth)
                     : hr_arena_format(&c->p->arena, "vocab_vocabulary%s", nth);
    }
    if (name)
        file_name(name);
    return name;
}

/* An earlier step that builds the same, under a name of its own or under this one. */
static int32_t earlier(struct call *c, const struct hr_step *s, bool named)
{
    const struct hr_ir *ir = &c->p->ir;
    size_t i;

    for (i = 0; i < ir->nsteps; i++) {
        const struct hr_step *e = &ir->steps[i];

        if (e->op != HR_OP_BUILD_VOCABULARY)
            continue;
        if (named && hr_slice_eq(s->texts[0], e->texts[0].text) &&
            (e->args[0] != s->args[0] || e->ints[0] != s->ints[0] || e->ints[1] != s->ints[1]))
            return hr_compile_fail(c->p, c->at, NULL, "two vocabularies have the name \"%s\"",
                                   e->texts[0].text) - 1;
        if (!named && e->ints[2] && e->args[0] == s->args[0] && e->ints[0] == s->ints[0] &&
            e->ints[1] == s->ints[1])
            return (int32_t)i;
    }
    return -1;
}

static int32_t vocabulary(struct call *c, int top_k, bool scope)
{
    const struct hr_ast *given = c->asts[top_k + 2];
    int64_t ints[3] = { int_of(c, top_k, -1), int_of(c, top_k + 1, -1), !given };
    struct hr_slice name;
    struct hr_step s = { .op = HR_OP_BUILD_VOCABULARY, .nargs = 1, .args = c->steps, .nints = 3,
                         .ints = ints, .ntexts = 1, .texts = &name };
    char *file;
    int32_t e;

    if (!range(c, top_k, 1, INT32_MAX - 1) || !range(c, top_k + 1, 0, INT64_MAX))
        return -1;
    if (!given && (e = earlier(c, &s, false)) >= 0) {
        *(scope ? &c->p->calls : &c->p->vocab_calls) += 1;
        return e;
    }
    if (!(file = vocab_name(c, given, scope)))
        return -1;
    name = hr_slice(file, strlen(file));
    if (!name.len)
        return hr_compile_fail(c->p, given, NULL, "the name of a vocabulary is empty");
    if (earlier(c, &s, true) < -1)
        return -1;
    return add(c, &s);
}

static int32_t build_vocabulary(struct call *c)
{
    return vocabulary(c, 1, false);
}

static int32_t apply(struct call *c, int32_t x, int32_t v, int oov, int otherwise)
{
    int32_t args[2] = { x, v };
    int64_t ints[2] = { int_of(c, oov, 0), int_of(c, otherwise, -1) };
    struct hr_step s = { .op = HR_OP_APPLY_VOCABULARY, .nargs = 2, .args = args, .nints = 2,
                         .ints = ints };

    return range(c, oov, 0, INT32_MAX) ? add(c, &s) : -1;
}

static int32_t build_compute_and_apply(struct call *c)
{
    return apply(c, c->steps[0], vocabulary(c, 2, true), 5, 1);
}

static int32_t build_apply_vocabulary(struct call *c)
{
    return apply(c, c->steps[0], c->steps[1], 3, 2);
}

/* -- categories ------------------------------------------------------------------------------ */

static int32_t build_hash(struct call *c)
{
    const struct hr_ast *key = c->asts[2];
    int64_t ints[4] = { int_of(c, 1, 0), key != NULL, 0, 0 };

    if (!range(c, 1, 1, INT64_MAX))
        return -1;
    if (key && (key->n != 2 || key->kids[0]->kind != HR_A_INT || key->kids[1]->kind != HR_A_INT))
        return hr_compile_fail(c->p, key, NULL, "a key is two integers, as [17, 42]");
    if (key) {
        ints[2] = key->kids[0]->i;
        ints[3] = key->kids[1]->i;
    }
    return op1(c, HR_OP_HASH, c->steps[0], ints, 4);
}

static int32_t build_depth(struct call *c)
{
    int64_t n = int_of(c, 1, 1);

    return range(c, 1, 1, HR_MAX_FEATURE_SIZE) ? op1(c, c->op, c->steps[0], &n, 1) : -1;
}

/* What a table and its default hold: floats if one is, else what all are; 0: a mixture. */
static int table_elem(const struct hr_ast *m, const struct hr_ast *otherwise)
{
    static const int elems[] = { HR_E_INT, HR_E_FLOAT, HR_E_BYTES, HR_E_BOOL };
    int elem = otherwise->kind <= HR_A_BOOL ? elems[otherwise->kind] : 0;
    size_t i;

    for (i = 1; i < m->n && elem; i += 2) {
        int e = m->kids[i]->kind <= HR_A_BOOL ? elems[m->kids[i]->kind] : 0;

        if (e && e != elem && e <= HR_E_FLOAT && elem <= HR_E_FLOAT)
            elem = HR_E_FLOAT;
        else if (e != elem)
            elem = 0;
    }
    return elem;
}

struct table {
    int64_t *ints;
    float *floats;
    struct hr_slice *texts;
    int32_t nints, nfloats, ntexts;
};

static void table_put(struct table *t, int elem, const struct hr_ast *a)
{
    if (elem == HR_E_FLOAT)
        t->floats[t->nfloats++] = a->kind == HR_A_INT ? (float)a->i : a->f;
    else if (elem == HR_E_BYTES)
        t->texts[t->ntexts++] = a->text;
    else
        t->ints[t->nints++] = a->i;
}

static int32_t build_lookup(struct call *c)
{
    const struct hr_ast *m = c->asts[1];
    int key = type_of(c, c->steps[0])->elem, elem = table_elem(m, c->asts[2]);
    struct table t = { hr_arena_array(&c->p->arena, m->n + 4, sizeof *t.ints),
                       hr_arena_array(&c->p->arena, m->n + 4, sizeof *t.floats),
                       hr_arena_array(&c->p->arena, m->n + 4, sizeof *t.texts), 3, 0, 0 };
    struct hr_step s = { .op = HR_OP_LOOKUP, .nargs = 1, .args = c->steps };
    size_t i;

    if (!t.ints || !t.floats || !t.texts)
        return -1;
    if (elem < HR_E_INT || (elem == HR_E_BOOL))
        return hr_compile_fail(c->p, c->at, NULL, "the values of a table and its default are all "
                                                  "numbers or all texts");
    for (i = 0; i < m->n; i += 2) {
        if (m->kids[i]->kind != (key == HR_E_INT ? HR_A_INT : HR_A_TEXT))
            return hr_compile_fail(c->p, m->kids[i], NULL, "a key of the table is not %s",
                                   hr_elem_name(key));
        table_put(&t, key, m->kids[i]);
    }
    for (i = 1; i < m->n; i += 2)
        table_put(&t, elem, m->kids[i]);
    table_put(&t, elem, c->asts[2]);
    t.ints[0] = key;
    t.ints[1] = elem;
    t.ints[2] = (int64_t)(m->n / 2);
    s.ints = t.ints, s.nints = t.nints;
    s.floats = t.floats, s.nfloats = t.nfloats;
    s.texts = t.texts, s.ntexts = t.ntexts;
    return add(c, &s);
}

/* -- text and lists ---------------------------------------------------------------------------- */

/* "byte", the default, or "char". */
static int64_t unit_of(struct call *c, int i)
{
    const struct hr_ast *a = c->asts[i];

    if (!a || hr_slice_eq(a->text, "byte"))
        return 0;
    if (!hr_slice_eq(a->text, "char"))
        hr_compile_fail(c->p, a, NULL, "a unit is \"byte\" or \"char\"");
    return 1;
}

static int32_t build_length(struct call *c)
{
    int64_t chars = unit_of(c, 1);

    return op1(c, HR_OP_LENGTH, c->steps[0], &chars, 1);
}

static int32_t build_substr(struct call *c)
{
    int64_t ints[3] = { int_of(c, 1, 0), int_of(c, 2, 0), unit_of(c, 3) };

    return range(c, 2, 0, INT32_MAX) ? op1(c, HR_OP_SUBSTR, c->steps[0], ints, 3) : -1;
}

static int32_t build_regex(struct call *c)
{
    struct hr_slice texts[2] = { c->asts[1]->text, { NULL, 0 } };
    int64_t group = -1;
    struct hr_step s = { .op = (uint8_t)c->op, .nargs = 1, .args = c->steps, .ntexts = 1,
                         .texts = texts };
    char text[200];

    if (!hr_regex_check(texts[0], text, sizeof text))
        return hr_compile_fail(c->p, c->asts[1], NULL, "the pattern is not one: %s", text);
    if (c->op == HR_OP_REPLACE) {
        texts[1] = c->asts[2]->text;
        s.ntexts = 2;
    } else if (c->op == HR_OP_EXTRACT) {
        group = int_of(c, 2, -1);
        s.ints = &group;
        s.nints = 1;
        if (!range(c, 2, 0, 9))
            return -1;
    }
    return add(c, &s);
}

static int32_t build_split(struct call *c)
{
    struct hr_slice sep = c->asts[1] ? c->asts[1]->text : hr_slice(" ", 1);
    int64_t skip = c->asts[2] ? c->asts[2]->i : 1;
    struct hr_step s = { .op = HR_OP_SPLIT, .nargs = 1, .args = c->steps, .ntexts = 1,
                         .texts = &sep, .nints = 1, .ints = &skip };

    if (!sep.len)
        return hr_compile_fail(c->p, c->asts[1], NULL, "the separator is empty");
    return add(c, &s);
}

static int32_t build_join(struct call *c)
{
    struct hr_step s = { .op = HR_OP_JOIN, .nargs = 1, .args = c->steps, .ntexts = 1,
                         .texts = &c->asts[1]->text };

    return add(c, &s);
}

static int32_t build_pick(struct call *c)
{
    int64_t i = int_of(c, 1, 0);

    if (c->name[0] == 'l') /* last */
        i = -1;
    else if (!range(c, 1, 0, HR_MAX_FEATURE_SIZE))
        return -1;
    return op1(c, HR_OP_AT, c->steps[0], &i, 1);
}

static int32_t build_densify(struct call *c)
{
    int64_t n = int_of(c, 1, 1);
    int32_t args[2] = { c->steps[0], c->steps[2] };
    struct hr_step s = { .op = HR_OP_DENSIFY, .nargs = 2, .args = args, .nints = 1, .ints = &n };

    if (type_of(c, args[0])->elem == HR_E_FLOAT)
        args[1] = hr_compile_float(c->p, c->at, args[1]);
    return range(c, 1, 1, HR_MAX_FEATURE_SIZE) ? add(c, &s) : -1;
}

static int32_t build_concat(struct call *c)
{
    int32_t steps[HR_MAX_FEATURES_ARGS];
    const struct hr_ast *l = c->asts[0];
    bool floats = false, ok = l->n > 0;
    size_t i;

    for (i = 0; i < l->n; i++) {
        steps[i] = hr_compile(c->p, c->w, l->kids[i]);
        ok &= steps[i] >= 0;
        floats |= steps[i] >= 0 && type_of(c, steps[i])->elem == HR_E_FLOAT;
    }
    for (i = 0; i < l->n && floats; i++)
        steps[i] = hr_compile_float(c->p, c->at, steps[i]);
    if (!l->n)
        return hr_compile_fail(c->p, c->at, NULL, "concat wants a list with something in it");
    return ok ? hr_compile_op(c->p, c->at, c->name, HR_OP_CONCAT, steps, (int32_t)l->n) : -1;
}

static int32_t build_text(struct call *c)
{
    int32_t steps[HR_MAX_FEATURES_ARGS];
    size_t i;
    bool ok = true;

    if (c->at->n < 2)
        return hr_compile_fail(c->p, c->at, NULL, "concat_text wants two texts or more");
    for (i = 0; i < c->at->n; i++) {
        steps[i] = hr_compile(c->p, c->w, c->at->kids[i]);
        ok &= steps[i] >= 0;
        if (c->at->keys[i].text)
            return hr_compile_fail(c->p, c->at->kids[i], NULL,
                                   "arguments of concat_text go by position");
    }
    return ok ? hr_compile_op(c->p, c->at, c->name, HR_OP_CONCAT_TEXT, steps, (int32_t)i) : -1;
}

static int32_t build_stat(struct call *c)
{
    return stat(c, c->op, c->steps[0], c->nparams > 1 && bool_of(c, 1));
}

static int32_t build_mean(struct call *c)
{
    int32_t x = hr_compile_float(c->p, c->at, c->steps[0]);

    if (c->name[0] == 's') /* stddev */
        return op1(c, HR_OP_SQRT, stat(c, HR_OP_VAR, x, false), NULL, 0);
    return stat(c, c->op, x, false);
}

static int32_t build_annotate(struct call *c)
{
    int64_t ints[4] = { bool_of(c, 1), c->asts[2] || c->asts[3], int_of(c, 2, 0),
                        int_of(c, 3, 0) };

    if (!c->asts[2] != !c->asts[3] || ints[2] > ints[3])
        return hr_compile_fail(c->p, c->at, NULL, "a domain has a min and a max, min not above");
    return op1(c, HR_OP_ANNOTATE, c->steps[0], ints, 4);
}

static int32_t build_later(struct call *c)
{
    return hr_compile_fail(c->p, c->at, NULL, "%s is not offered yet", c->name);
}

/* -- the table -------------------------------------------------------------------------------- */

static const struct function functions[] = {
    { "abs", "x:n", build_same, HR_OP_ABS },
    { "sign", "x:n", build_same, HR_OP_SIGN },
    { "sqrt", "x:f", build_same, HR_OP_SQRT },
    { "exp", "x:f", build_same, HR_OP_EXP },
    { "log", "x:f", build_same, HR_OP_LOG },
    { "log1p", "x:f", build_same, HR_OP_LOG1P },
    { "pow", "x:f y:f", build_same, HR_OP_POW },
    { "min2", "x:n y:n", build_same, HR_OP_MIN2 },
    { "max2", "x:n y:n", build_same, HR_OP_MAX2 },
    { "clip", "x:n min:n max:n", build_clip, 0 },
    { "round", "x:n", build_round, HR_OP_ROUND },
    { "floor", "x:n", build_round, HR_OP_FLOOR },
    { "ceil", "x:n", build_round, HR_OP_CEIL },
    { "if_else", "c:b a:x b:x", build_if, 0 },
    { "is_nan", "x:f", build_same, HR_OP_IS_NAN },
    { "fill_nan", "x:f v:f", build_same, HR_OP_FILL_NAN },
    { "is_missing", "x:x", build_same, HR_OP_IS_MISSING },
    { "fill", "x:x v:x", build_fill, 0 },
    { "to_int", "x:x", build_cast, HR_OP_TO_INT },
    { "to_float", "x:x", build_cast, HR_OP_TO_FLOAT },
    { "to_bytes", "x:x", build_cast, HR_OP_TO_BYTES },
    { "to_number", "s:s default:n?", build_number, HR_OP_TO_NUMBER },
    { "scale_to_z_score", "x:n elementwise:B? output_dtype:2", build_z_score, 0 },
    { "scale_to_0_1", "x:n elementwise:B?", build_0_1, 0 },
    { "scale_by_min_max", "x:n output_min:F? output_max:F? elementwise:B?", build_min_max, 0 },
    { "bucketize", "x:n num_buckets:I epsilon:F? weights:n? elementwise:B?", build_bucketize, 0 },
    { "apply_buckets", "x:n bucket_boundaries:L", build_apply_buckets, 0 },
    { "compute_and_apply_vocabulary",
      "x:x default_value:I? top_k:I? frequency_threshold:I? vocab_filename:T? num_oov_buckets:I? "
      "weights:2 labels:2 use_adjusted_mutual_info:2 min_diff_from_avg:2 coverage_top_k:2 "
      "coverage_frequency_threshold:2 key_fn:2 fingerprint_shuffle:2 file_format:2 "
      "store_frequency:2 reserved_tokens:2",
      build_compute_and_apply, 0 },
    { "vocabulary",
      "x:x top_k:I? frequency_threshold:I? vocab_filename:T? weights:2 labels:2 "
      "use_adjusted_mutual_info:2 min_diff_from_avg:2 coverage_top_k:2 "
      "coverage_frequency_threshold:2 key_fn:2 fingerprint_shuffle:2 file_format:2 "
      "store_frequency:2 reserved_tokens:2",
      build_vocabulary, 0 },
    { "apply_vocabulary", "x:x vocabulary:v default_value:I? num_oov_buckets:I?",
      build_apply_vocabulary, 0 },
    { "hash_strings", "strings:s hash_buckets:I key:L?", build_hash, 0 },
    { "one_hot", "x:i depth:I", build_depth, HR_OP_ONE_HOT },
    { "multi_hot", "x:i depth:I", build_depth, HR_OP_MULTI_HOT },
    { "lookup", "x:x table:M default:C", build_lookup, 0 },
    { "mean", "x:n", build_mean, HR_OP_MEAN },
    { "var", "x:n", build_mean, HR_OP_VAR },
    { "stddev", "x:n", build_mean, HR_OP_VAR },
    { "min", "x:n elementwise:B?", build_stat, HR_OP_MIN },
    { "max", "x:n elementwise:B?", build_stat, HR_OP_MAX },
    { "sum", "x:n", build_stat, HR_OP_SUM },
    { "size", "x:x", build_stat, HR_OP_SIZE },
    { "count", "x:x", build_stat, HR_OP_COUNT },
    { "lower", "x:s", build_same, HR_OP_LOWER },
    { "upper", "x:s", build_same, HR_OP_UPPER },
    { "strip", "x:s", build_same, HR_OP_STRIP },
    { "length", "x:s unit:T?", build_length, 0 },
    { "substr", "x:s pos:I len:I unit:T?", build_substr, 0 },
    { "concat_text", "...:s", build_text, 0 },
    { "split", "x:s sep:T? skip_empty:B?", build_split, 0 },
    { "join", "list:s sep:T", build_join, 0 },
    { "regex_replace", "x:s pattern:T rewrite:T", build_regex, HR_OP_REPLACE },
    { "regex_match", "x:s pattern:T", build_regex, HR_OP_MATCH },
    { "regex_extract", "x:s pattern:T group:I?", build_regex, HR_OP_EXTRACT },
    { "first", "x:x", build_pick, 0 },
    { "last", "x:x", build_pick, 0 },
    { "at", "x:x i:I", build_pick, 0 },
    { "len", "x:x", build_same, HR_OP_LEN },
    { "densify", "x:x n:I v:x", build_densify, 0 },
    { "concat", "values:V", build_concat, 0 },
    { "reduce_sum", "x:n", build_same, HR_OP_REDUCE_SUM },
    { "reduce_mean", "x:n", build_same, HR_OP_REDUCE_MEAN },
    { "reduce_max", "x:n", build_same, HR_OP_REDUCE_MAX },
    { "reduce_min", "x:n", build_same, HR_OP_REDUCE_MIN },
    { "annotate", "x:x categorical:B? min:I? max:I?", build_annotate, 0 },
};

static const char *const later[] = {
    "scale_to_gaussian", "scale_to_z_score_per_key", "scale_to_0_1_per_key",
    "scale_by_min_max_per_key", "bucketize_per_key", "apply_buckets_with_interpolation",
    "estimated_probability_density", "approximate_vocabulary", "cross", "quantiles", "histogram",
    "covariance", "pca", "count_per_key", "tukey_location", "tukey_scale", "tukey_h_params",
    "ngrams", "bag_of_words", "word_count", "tfidf", "document_frequency", "idf", "deduplicate",
    "normalize_utf8", "tokenize", "segment_indices", "slice", "unique", "sort", "parse_time",
    "year", "month", "day", "weekday", "hour", "minute", "vector", "dot", "normalize",
};

enum {
    FUNCTIONS = sizeof functions / sizeof *functions,
    LATER = sizeof later / sizeof *later
};

size_t hr_function_names(const char *const **ret)
{
    /* all names in one list: the first half of each row of the table, then those of later */
    static const char *const names[] = {
        "abs", "sign", "sqrt", "exp", "log", "log1p", "pow", "min2", "max2", "clip", "round",
        "floor", "ceil", "if_else", "is_nan", "fill_nan", "is_missing", "fill", "to_int",
        "to_float", "to_bytes", "to_number", "scale_to_z_score", "scale_to_0_1",
        "scale_by_min_max", "bucketize", "apply_buckets", "compute_and_apply_vocabulary",
        "vocabulary", "apply_vocabulary", "hash_strings", "one_hot", "multi_hot", "lookup",
        "mean", "var", "stddev", "min", "max", "sum", "size", "count", "lower", "upper", "strip",
        "length", "substr", "concat_text", "split", "join", "regex_replace", "regex_match",
        "regex_extract", "first", "last", "at", "len", "densify", "concat", "reduce_sum",
        "reduce_mean", "reduce_max", "reduce_min", "annotate",
    };

    _Static_assert(sizeof names / sizeof *names == FUNCTIONS, "a name for each function");
    *ret = names;
    return FUNCTIONS;
}

/* -- arguments to parameters -------------------------------------------------------------------- */

static void read_params(struct call *c, const char *p)
{
    while (*p) {
        struct param *q = &c->params[c->nparams++];
        const char *colon = strchr(p, ':');

        q->name = hr_slice(p, (size_t)(colon - p));
        q->kind = colon[1];
        q->later = q->kind == '2';
        q->optional = q->later || colon[2] == '?';
        p = colon + (colon[2] == '?' ? 3 : 2);
        p += *p == ' ';
    }
}

static int param_named(struct call *c, struct hr_slice name)
{
    int i;

    for (i = 0; i < c->nparams; i++)
        if (c->params[i].name.len == name.len &&
            !memcmp(c->params[i].name.text, name.text, name.len))
            return i;
    return -1;
}

static bool no_param(struct call *c, const struct hr_ast *at, struct hr_slice name)
{
    const char *names[PARAMS_MAX], *wrong = hr_arena_bytes(&c->p->arena, name.text, name.len);
    int i, n = 0;

    for (i = 0; i < c->nparams; i++)
        if ((names[n] = hr_arena_bytes(&c->p->arena, c->params[i].name.text,
                                       c->params[i].name.len)))
            n++;
    hr_compile_fail(c->p, at, wrong ? hr_text_meant(wrong, names, (size_t)n) : NULL,
                    "%s has no argument \"%.*s\"", c->name, (int)name.len, name.text);
    return false;
}

static bool place(struct call *c, size_t k)
{
    const struct hr_ast *a = c->at->kids[k];
    struct hr_slice key = c->at->keys[k];
    int i = key.text ? param_named(c, key) : (int)k;

    if (i < 0)
        return no_param(c, a, key);
    if (i >= c->nparams) {
        hr_compile_fail(c->p, a, NULL, "%s has at most %d arguments", c->name, c->nparams);
        return false;
    }
    if (c->params[i].later) {
        hr_compile_fail(c->p, a, NULL, "the argument %.*s of %s is not offered yet",
                        (int)c->params[i].name.len, c->params[i].name.text, c->name);
        return false;
    }
    if (c->asts[i]) {
        hr_compile_fail(c->p, a, NULL, "%s gets its argument %.*s twice", c->name,
                        (int)c->params[i].name.len, c->params[i].name.text);
        return false;
    }
    c->asts[i] = a;
    return true;
}

static bool constant(struct call *c, int i)
{
    static const struct {
        char kind;
        unsigned mask;
        const char *what;
    } kinds[] = {
        { 'I', 1u << HR_A_INT, "an integer" },
        { 'F', 1u << HR_A_INT | 1u << HR_A_FLOAT, "a number" },
        { 'T', 1u << HR_A_TEXT, "a text in quotes" },
        { 'B', 1u << HR_A_BOOL, "true or false" },
        { 'L', 1u << HR_A_LIST, "a list of constants" },
        { 'M', 1u << HR_A_MAP, "a table, as {\"a\": 1, \"b\": 2}" },
        { 'C', 1u << HR_A_INT | 1u << HR_A_FLOAT | 1u << HR_A_TEXT, "a constant" },
        { 'V', 1u << HR_A_LIST, "a list, as [a, b]" },
    };
    size_t k = 0;

    while (kinds[k].kind != c->params[i].kind)
        k++;
    if (kinds[k].mask >> c->asts[i]->kind & 1)
        return true;
    hr_compile_fail(c->p, c->asts[i], NULL, "%.*s of %s is %s", (int)c->params[i].name.len,
                    c->params[i].name.text, c->name, kinds[k].what);
    return false;
}

static bool wanted(struct call *c, int i)
{
    static const struct {
        char kind;
        unsigned mask;
        const char *what;
    } kinds[] = {
        { 'n', 1u << HR_E_INT | 1u << HR_E_FLOAT, "a number" },
        { 'f', 1u << HR_E_INT | 1u << HR_E_FLOAT, "a number" },
        { 'i', 1u << HR_E_INT, "an int" },
        { 's', 1u << HR_E_BYTES, "bytes" },
        { 'b', 1u << HR_E_BOOL, "a bool" },
        { 'v', 1u << HR_E_VOCAB, "a vocabulary" },
        { 'x', 15u << HR_E_INT, "a value" },
    };
    int elem = type_of(c, c->steps[i])->elem;
    const char *meant = NULL;
    size_t k = 0;

    while (kinds[k].kind != c->params[i].kind)
        k++;
    if (kinds[k].mask >> elem & 1) {
        if (c->params[i].kind == 'f')
            c->steps[i] = hr_compile_float(c->p, c->asts[i], c->steps[i]);
        return c->steps[i] >= 0;
    }
    if (elem == HR_E_BYTES && (strstr(c->name, "bucket") || strstr(c->name, "scale")))
        meant = "compute_and_apply_vocabulary";
    hr_compile_fail(c->p, c->asts[i], meant, "%s wants %s, but %s is %s", c->name, kinds[k].what,
                    hr_compile_called(c->p, c->asts[i]), hr_elem_name(elem));
    return false;
}

static bool bind(struct call *c)
{
    bool ok = true;
    size_t k;
    int i;

    for (k = 0; k < c->at->n; k++)
        ok &= place(c, k);
    for (i = 0; i < c->nparams; i++) {
        c->steps[i] = -1;
        if (!c->asts[i]) {
            if (!c->params[i].optional && ok) {
                hr_compile_fail(c->p, c->at, NULL, "%s wants an argument %.*s", c->name,
                                (int)c->params[i].name.len, c->params[i].name.text);
                ok = false;
            }
        } else if (strchr("IFTBLMCV", c->params[i].kind)) {
            ok &= constant(c, i);
        } else {
            c->steps[i] = hr_compile(c->p, c->w, c->asts[i]);
            ok &= c->steps[i] >= 0 && wanted(c, i);
        }
    }
    return ok;
}

static int32_t no_function(struct hr_program *p, const struct hr_ast *a)
{
    const char *const *names;
    size_t n = hr_function_names(&names);
    const char *wrong = hr_arena_bytes(&p->arena, a->text.text, a->text.len);

    return hr_compile_fail(p, a, wrong ? hr_text_meant(wrong, names, n) : NULL,
                           "there is no function \"%.*s\"", (int)a->text.len, a->text.text);
}

int32_t hr_compile_call(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a)
{
    struct call c = { .p = p, .w = w, .at = a };
    size_t i;

    for (i = 0; i < LATER; i++)
        if (hr_slice_eq(a->text, later[i])) {
            c.name = later[i];
            return build_later(&c);
        }
    for (i = 0; i < FUNCTIONS; i++)
        if (hr_slice_eq(a->text, functions[i].name))
            break;
    if (i == FUNCTIONS)
        return no_function(p, a);
    c.name = functions[i].name;
    c.op = functions[i].op;
    if (functions[i].params[0] == '.')
        return functions[i].build(&c);
    read_params(&c, functions[i].params);
    return bind(&c) ? functions[i].build(&c) : -1;
}
