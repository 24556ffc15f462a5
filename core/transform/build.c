#include "transform/build.h"

#include <stdio.h>
#include <string.h>

/* -- constants among the arguments ---------------------------------------- */

static int64_t int_of(struct hr_call *c, int i, int64_t otherwise)
{
    return c->asts[i] ? c->asts[i]->i : otherwise;
}

static float float_of(struct hr_call *c, int i, float otherwise)
{
    const struct hr_ast *a = c->asts[i];

    if (!a)
        return otherwise;
    return a->kind == HR_A_INT ? (float)a->i : a->f;
}

static bool bool_of(struct hr_call *c, int i)
{
    return c->asts[i] && c->asts[i]->i;
}

static const struct hr_ty *type_of(struct hr_call *c, int32_t step)
{
    return hr_compile_type(c->p, step);
}

static int32_t add(struct hr_call *c, const struct hr_step *s)
{
    return hr_compile_add(c->p, c->at, c->name, s);
}

static int32_t op1(struct hr_call *c, int op, int32_t x, const int64_t *ints, int32_t nints)
{
    struct hr_step s = { .op = (uint8_t)op, .nargs = 1, .args = &x, .nints = nints, .ints = ints };

    return add(c, &s);
}

static int32_t op2(struct hr_call *c, int op, int32_t x, int32_t y)
{
    int32_t args[2] = { x, y };

    return hr_compile_op(c->p, c->at, c->name, op, args, 2);
}

static int32_t op3(struct hr_call *c, int op, int32_t x, int32_t y, int32_t z)
{
    int32_t args[3] = { x, y, z };

    return hr_compile_op(c->p, c->at, c->name, op, args, 3);
}

static bool range(struct hr_call *c, int i, int64_t from, int64_t to)
{
    if (!c->asts[i] || (c->asts[i]->i >= from && c->asts[i]->i <= to))
        return true;
    hr_compile_fail(c->p, c->asts[i], NULL, "%.*s of %s is from %lld to %lld, not %lld",
                    (int)c->params[i].name.len, c->params[i].name.text, c->name, (long long)from,
                    (long long)to, (long long)c->asts[i]->i);
    return false;
}

/* -- builders ---------------------------------------- */

int32_t hr_build_same(struct hr_call *c)
{
    int n = 0;

    while (n < c->nparams && c->steps[n] >= 0)
        n++;
    if (n > 1)
        hr_compile_unify(c->p, c->at, c->steps, n);
    return hr_compile_op(c->p, c->at, c->name, c->op, c->steps, n);
}

/* floor and the like leave an int as it is. */
int32_t hr_build_round(struct hr_call *c)
{
    if (type_of(c, c->steps[0])->elem == HR_E_INT)
        return c->steps[0];
    return hr_build_same(c);
}

int32_t hr_build_clip(struct hr_call *c)
{
    hr_compile_unify(c->p, c->at, c->steps, 3);
    return op2(c, HR_OP_MAX2, op2(c, HR_OP_MIN2, c->steps[0], c->steps[2]), c->steps[1]);
}

int32_t hr_build_if(struct hr_call *c)
{
    hr_compile_unify(c->p, c->at, c->steps + 1, 2);
    return op3(c, HR_OP_IF_ELSE, c->steps[0], c->steps[1], c->steps[2]);
}

int32_t hr_build_fill(struct hr_call *c)
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

int32_t hr_build_cast(struct hr_call *c)
{
    int elem = c->op == HR_OP_TO_INT ? HR_E_INT : c->op == HR_OP_TO_FLOAT ? HR_E_FLOAT : HR_E_BYTES;
    const struct hr_ty *t = type_of(c, c->steps[0]);

    if (t->elem == elem)
        return c->steps[0];
    if (t->elem == HR_E_BYTES)
        return hr_compile_fail(c->p, c->asts[0], "to_number", "%s wants a number, but %s is bytes",
                               c->name, hr_compile_called(c->p, c->asts[0]));
    return hr_build_same(c);
}

int32_t hr_build_number(struct hr_call *c)
{
    return hr_compile_op(c->p, c->at, c->name, c->op, c->steps, c->steps[1] >= 0 ? 2 : 1);
}

static int32_t stat(struct hr_call *c, int op, int32_t x, bool each)
{
    int64_t flag = each;

    return op1(c, op, x, &flag, each ? 1 : 0);
}

int32_t hr_build_z_score(struct hr_call *c)
{
    int32_t x = hr_compile_float(c->p, c->at, c->steps[0]);
    bool each = bool_of(c, 1);
    int32_t var = stat(c, HR_OP_VAR, x, each); /* one after the other: steps have numbers */
    int32_t mean = stat(c, HR_OP_MEAN, x, each);

    return op3(c, HR_OP_Z_SCORE, x, mean, var);
}

static int32_t min_max(struct hr_call *c, float from, float to, bool each)
{
    int32_t min = stat(c, HR_OP_MIN, c->steps[0], each);
    int32_t max = stat(c, HR_OP_MAX, c->steps[0], each);
    int32_t args[3] = { c->steps[0], min, max };
    float out[2] = { from, to };
    struct hr_step s = {
        .op = HR_OP_MIN_MAX, .nargs = 3, .args = args, .nfloats = 2, .floats = out
    };
    int i;

    for (i = 0; i < 3; i++)
        args[i] = hr_compile_float(c->p, c->at, args[i]);
    if (!(from < to))
        return hr_compile_fail(c->p, c->at, NULL, "output_min must be below output_max");
    return add(c, &s);
}

int32_t hr_build_0_1(struct hr_call *c)
{
    return min_max(c, 0, 1, bool_of(c, 1));
}

int32_t hr_build_min_max(struct hr_call *c)
{
    return min_max(c, float_of(c, 1, 0), float_of(c, 2, 1), bool_of(c, 3));
}

/* A constant list of numbers that do not fall. */
static int32_t borders(struct hr_call *c, const struct hr_ast *l)
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

int32_t hr_build_apply_buckets(struct hr_call *c)
{
    return op2(c, HR_OP_BUCKETS, c->steps[0], borders(c, c->asts[1]));
}

static int32_t bucketize(struct hr_call *c, int32_t x)
{
    int64_t n = int_of(c, 1, 1);
    float epsilon = float_of(c, 2, 1.0f / (float)n < 0.01f ? 1.0f / (float)n : 0.01f);
    int32_t args[2] = { x, c->steps[3] };
    struct hr_step s = { .op = HR_OP_QUANTILES,
                         .nargs = args[1] >= 0 ? 2 : 1,
                         .args = args,
                         .nints = 1,
                         .ints = &n,
                         .nfloats = 1,
                         .floats = &epsilon };

    return op2(c, HR_OP_BUCKETS, x, add(c, &s));
}

/* The weights as floats, if there are any; false: they do not go with the values. */
static bool take_weights(struct hr_call *c, int32_t x)
{
    int32_t w = c->steps[3];

    if (w < 0)
        return true;
    if ((w = c->steps[3] = hr_compile_float(c->p, c->at, w)) < 0)
        return false;
    if (type_of(c, w)->shape == type_of(c, x)->shape && hr_ty_size(type_of(c, w)) == 1 &&
        type_of(c, x)->shape != HR_S_LIST && hr_ty_size(type_of(c, x)) == 1)
        return true;
    hr_compile_fail(c->p, c->asts[3], NULL, "there is one weight for one value");
    return false;
}

int32_t hr_build_bucketize(struct hr_call *c)
{
    int32_t x = c->steps[0], parts[HR_MAX_FEATURES_ARGS];
    int64_t n, i;

    if (!range(c, 1, 1, 1000000))
        return -1;
    if (c->asts[2] && !(float_of(c, 2, 0) > 0 && float_of(c, 2, 0) < 1))
        return hr_compile_fail(c->p, c->asts[2], NULL, "epsilon is above 0 and below 1");
    if (!take_weights(c, x))
        return -1;
    if (!bool_of(c, 4))
        return bucketize(c, x);
    n = hr_ty_size(type_of(c, x));
    if (type_of(c, x)->shape != HR_S_DENSE || n > HR_MAX_FEATURES_ARGS || c->steps[3] >= 0)
        return hr_compile_fail(c->p, c->asts[0], NULL,
                               "elementwise wants a fixed number of values in every row, at most "
                               "1000, and no weights");
    for (i = 0; i < n; i++)
        parts[i] = bucketize(c, op1(c, HR_OP_AT, x, &i, 1));
    return hr_compile_op(c->p, c->at, c->name, HR_OP_CONCAT, parts, (int32_t)n);
}

/* -- vocabularies ---------------------------------------- */

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

static char *vocab_name(struct hr_call *c, const struct hr_ast *given, bool scope)
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
static int32_t earlier(struct hr_call *c, const struct hr_step *s, bool named)
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
                                   e->texts[0].text) -
                   1;
        if (!named && e->ints[2] && e->args[0] == s->args[0] && e->ints[0] == s->ints[0] &&
            e->ints[1] == s->ints[1])
            return (int32_t)i;
    }
    return -1;
}

static int32_t vocabulary(struct hr_call *c, int top_k, bool scope)
{
    const struct hr_ast *given = c->asts[top_k + 2];
    int64_t ints[3] = { int_of(c, top_k, -1), int_of(c, top_k + 1, -1), !given };
    struct hr_slice name;
    struct hr_step s = { .op = HR_OP_BUILD_VOCABULARY,
                         .nargs = 1,
                         .args = c->steps,
                         .nints = 3,
                         .ints = ints,
                         .ntexts = 1,
                         .texts = &name };
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

int32_t hr_build_vocabulary(struct hr_call *c)
{
    return vocabulary(c, 1, false);
}

static int32_t apply(struct hr_call *c, int32_t x, int32_t v, int oov, int otherwise)
{
    int32_t args[2] = { x, v };
    int64_t ints[2] = { int_of(c, oov, 0), int_of(c, otherwise, -1) };
    struct hr_step s = {
        .op = HR_OP_APPLY_VOCABULARY, .nargs = 2, .args = args, .nints = 2, .ints = ints
    };

    return range(c, oov, 0, INT32_MAX) ? add(c, &s) : -1;
}

int32_t hr_build_compute_and_apply(struct hr_call *c)
{
    return apply(c, c->steps[0], vocabulary(c, 2, true), 5, 1);
}

int32_t hr_build_apply_vocabulary(struct hr_call *c)
{
    return apply(c, c->steps[0], c->steps[1], 3, 2);
}

/* -- categories ---------------------------------------- */

int32_t hr_build_hash(struct hr_call *c)
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

int32_t hr_build_depth(struct hr_call *c)
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

int32_t hr_build_lookup(struct hr_call *c)
{
    const struct hr_ast *m = c->asts[1];
    int key = type_of(c, c->steps[0])->elem, elem = table_elem(m, c->asts[2]);
    struct table t = { hr_arena_array(&c->p->arena, m->n + 4, sizeof *t.ints),
                       hr_arena_array(&c->p->arena, m->n + 4, sizeof *t.floats),
                       hr_arena_array(&c->p->arena, m->n + 4, sizeof *t.texts),
                       3,
                       0,
                       0 };
    struct hr_step s = { .op = HR_OP_LOOKUP, .nargs = 1, .args = c->steps };
    size_t i;

    if (!t.ints || !t.floats || !t.texts)
        return -1;
    if (elem < HR_E_INT || (elem == HR_E_BOOL))
        return hr_compile_fail(c->p, c->at, NULL,
                               "the values of a table and its default are all "
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

/* -- text and lists ---------------------------------------- */

/* "byte", the default, or "char". */
static int64_t unit_of(struct hr_call *c, int i)
{
    const struct hr_ast *a = c->asts[i];

    if (!a || hr_slice_eq(a->text, "byte"))
        return 0;
    if (!hr_slice_eq(a->text, "char"))
        hr_compile_fail(c->p, a, NULL, "a unit is \"byte\" or \"char\"");
    return 1;
}

int32_t hr_build_length(struct hr_call *c)
{
    int64_t chars = unit_of(c, 1);

    return op1(c, HR_OP_LENGTH, c->steps[0], &chars, 1);
}

int32_t hr_build_substr(struct hr_call *c)
{
    int64_t ints[3] = { int_of(c, 1, 0), int_of(c, 2, 0), unit_of(c, 3) };

    return range(c, 2, 0, INT32_MAX) ? op1(c, HR_OP_SUBSTR, c->steps[0], ints, 3) : -1;
}

int32_t hr_build_regex(struct hr_call *c)
{
    struct hr_slice texts[2] = { c->asts[1]->text, { NULL, 0 } };
    int64_t group = -1;
    struct hr_step s = {
        .op = (uint8_t)c->op, .nargs = 1, .args = c->steps, .ntexts = 1, .texts = texts
    };
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

int32_t hr_build_split(struct hr_call *c)
{
    struct hr_slice sep = c->asts[1] ? c->asts[1]->text : hr_slice(" ", 1);
    int64_t skip = c->asts[2] ? c->asts[2]->i : 1;
    struct hr_step s = { .op = HR_OP_SPLIT,
                         .nargs = 1,
                         .args = c->steps,
                         .ntexts = 1,
                         .texts = &sep,
                         .nints = 1,
                         .ints = &skip };

    if (!sep.len)
        return hr_compile_fail(c->p, c->asts[1], NULL, "the separator is empty");
    return add(c, &s);
}

int32_t hr_build_join(struct hr_call *c)
{
    struct hr_step s = {
        .op = HR_OP_JOIN, .nargs = 1, .args = c->steps, .ntexts = 1, .texts = &c->asts[1]->text
    };

    return add(c, &s);
}

int32_t hr_build_pick(struct hr_call *c)
{
    int64_t i = int_of(c, 1, 0);

    if (c->name[0] == 'l') /* last */
        i = -1;
    else if (!range(c, 1, 0, HR_MAX_FEATURE_SIZE))
        return -1;
    return op1(c, HR_OP_AT, c->steps[0], &i, 1);
}

int32_t hr_build_densify(struct hr_call *c)
{
    int64_t n = int_of(c, 1, 1);
    int32_t args[2] = { c->steps[0], c->steps[2] };
    struct hr_step s = { .op = HR_OP_DENSIFY, .nargs = 2, .args = args, .nints = 1, .ints = &n };

    if (type_of(c, args[0])->elem == HR_E_FLOAT)
        args[1] = hr_compile_float(c->p, c->at, args[1]);
    return range(c, 1, 1, HR_MAX_FEATURE_SIZE) ? add(c, &s) : -1;
}

int32_t hr_build_concat(struct hr_call *c)
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

int32_t hr_build_text(struct hr_call *c)
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

int32_t hr_build_stat(struct hr_call *c)
{
    return stat(c, c->op, c->steps[0], c->nparams > 1 && bool_of(c, 1));
}

int32_t hr_build_mean(struct hr_call *c)
{
    int32_t x = hr_compile_float(c->p, c->at, c->steps[0]);

    if (c->name[0] == 's') /* stddev */
        return op1(c, HR_OP_SQRT, stat(c, HR_OP_VAR, x, false), NULL, 0);
    return stat(c, c->op, x, false);
}

int32_t hr_build_annotate(struct hr_call *c)
{
    int64_t ints[4] = { bool_of(c, 1), c->asts[2] || c->asts[3], int_of(c, 2, 0), int_of(c, 3, 0) };

    if (!c->asts[2] != !c->asts[3] || ints[2] > ints[3])
        return hr_compile_fail(c->p, c->at, NULL, "a domain has a min and a max, min not above");
    return op1(c, HR_OP_ANNOTATE, c->steps[0], ints, 4);
}

int32_t hr_build_later(struct hr_call *c)
{
    return hr_compile_fail(c->p, c->at, NULL, "%s is not offered yet", c->name);
}
