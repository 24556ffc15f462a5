#include "transform/ir.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int least, most, cls;
} ops[] = {
#define X(op, name, least, most, class_) { name, least, most, class_ },
    HR_OPS(X)
#undef X
};

const char *hr_op_name(int op)
{
    return ops[op].name;
}

int hr_op_class(int op)
{
    return ops[op].cls;
}

int hr_op_find(const char *name)
{
    int i;

    for (i = 0; i < HR_OP_COUNT_; i++)
        if (!strcmp(ops[i].name, name))
            return i;
    return -1;
}

void hr_ir_init(struct hr_ir *ir, struct hr_env *env)
{
    *ir = (struct hr_ir){ .env = env };
    hr_arena_init(&ir->arena, env, 0);
}

void hr_ir_clear(struct hr_ir *ir)
{
    if (!ir->env)
        return;
    hr_mem_put(ir->env, ir->steps, ir->cap * sizeof *ir->steps);
    hr_mem_put(ir->env, ir->vocabs, ir->cap_vocabs * sizeof *ir->vocabs);
    hr_mem_put(ir->env, ir->slots, ir->nslots * sizeof *ir->slots);
    hr_arena_clear(&ir->arena);
    *ir = (struct hr_ir){ 0 };
}

int64_t hr_ty_size(const struct hr_ty *t)
{
    int64_t n = 1;
    int i;

    for (i = 0; i < t->rank; i++)
        n *= t->dims[i];
    return n;
}

const char *hr_elem_name(int elem)
{
    static const char *const names[] = { "?", "int", "float", "bytes", "bool", "vocabulary" };

    return elem >= 1 && elem <= HR_E_VOCAB ? names[elem] : names[0];
}

size_t hr_elem_size(int elem)
{
    static const size_t sizes[] = {
        0, sizeof(int64_t), sizeof(float), sizeof(struct hr_slice), 1, 0
    };

    return sizes[elem];
}

/* -- equal steps ---------------------------------------- */

static uint64_t step_hash(const struct hr_step *s)
{
    uint64_t h = s->op;
    int32_t i;

    h = hr_hash64(s->args, (size_t)s->nargs * sizeof *s->args, h + 1);
    h = hr_hash64(s->ints, (size_t)s->nints * sizeof *s->ints, h + 2);
    h = hr_hash64(s->floats, (size_t)s->nfloats * sizeof *s->floats, h + 3);
    for (i = 0; i < s->ntexts; i++)
        h = hr_hash64(s->texts[i].text, s->texts[i].len, h + 4);
    return h;
}

static bool same(const void *a, const void *b, size_t n)
{
    return !n || !memcmp(a, b, n);
}

static bool step_equal(const struct hr_step *a, const struct hr_step *b)
{
    int32_t i;

    if (a->op != b->op || a->nargs != b->nargs || a->nints != b->nints ||
        a->nfloats != b->nfloats || a->ntexts != b->ntexts ||
        !same(a->args, b->args, (size_t)a->nargs * sizeof *a->args) ||
        !same(a->ints, b->ints, (size_t)a->nints * sizeof *a->ints) ||
        !same(a->floats, b->floats, (size_t)a->nfloats * sizeof *a->floats))
        return false;
    for (i = 0; i < a->ntexts; i++)
        if (a->texts[i].len != b->texts[i].len ||
            !same(a->texts[i].text, b->texts[i].text, a->texts[i].len))
            return false;
    return true;
}

/* The slot of a step's equal, or the free one where it goes. */
static uint32_t *slot_of(struct hr_ir *ir, const struct hr_step *s)
{
    size_t i = step_hash(s) & (ir->nslots - 1);

    while (ir->slots[i] && !step_equal(&ir->steps[ir->slots[i] - 1], s))
        i = (i + 1) & (ir->nslots - 1);
    return &ir->slots[i];
}

static bool grow_slots(struct hr_ir *ir)
{
    size_t old = ir->nslots, n = old ? old * 2 : 256, i;

    if ((ir->nsteps + 1) * 2 <= old)
        return true;
    hr_mem_put(ir->env, ir->slots, old * sizeof *ir->slots);
    ir->nslots = 0;
    if (!(ir->slots = hr_mem_zero(ir->env, n * sizeof *ir->slots)))
        return false;
    ir->nslots = n;
    for (i = 0; i < ir->nsteps; i++)
        *slot_of(ir, &ir->steps[i]) = (uint32_t)i + 1;
    return true;
}

static void *dup_array(struct hr_ir *ir, const void *from, int32_t n, size_t size, bool *ok)
{
    void *to = NULL;

    if (n && !(to = hr_arena_array(&ir->arena, (size_t)n, size)))
        *ok = false;
    else if (n)
        memcpy(to, from, (size_t)n * size);
    return to;
}

static bool step_copy(struct hr_ir *ir, const struct hr_step *from, struct hr_step *to)
{
    struct hr_slice *texts;
    bool ok = true;
    int32_t i;

    *to = *from;
    to->args = dup_array(ir, from->args, from->nargs, sizeof *from->args, &ok);
    to->ints = dup_array(ir, from->ints, from->nints, sizeof *from->ints, &ok);
    to->floats = dup_array(ir, from->floats, from->nfloats, sizeof *from->floats, &ok);
    to->texts = texts = dup_array(ir, from->texts, from->ntexts, sizeof *from->texts, &ok);
    for (i = 0; ok && i < from->ntexts; i++) {
        texts[i].text = hr_arena_bytes(&ir->arena, from->texts[i].text, from->texts[i].len);
        ok = texts[i].text != NULL;
    }
    return ok;
}

int32_t hr_ir_add(struct hr_ir *ir, const struct hr_step *s, char *text, size_t size)
{
    struct hr_step copy;
    uint32_t *slot;

    text[0] = '\0';
    if (!grow_slots(ir))
        return -1;
    slot = slot_of(ir, s);
    if (*slot)
        return (int32_t)*slot - 1;
    copy = *s;
    if (!hr_ir_type(ir, s, &copy.type, text, size))
        return -1;
    if (!hr_mem_reserve(ir->env, (void **)&ir->steps, &ir->cap, ir->nsteps + 1, sizeof *ir->steps,
                        HR_MAX_PLAN_STEPS) ||
        !step_copy(ir, &copy, &ir->steps[ir->nsteps]))
        return -1;
    *slot = (uint32_t)++ir->nsteps;
    return (int32_t)ir->nsteps - 1;
}

int32_t hr_ir_int(struct hr_ir *ir, int64_t v)
{
    int64_t ints[3] = { HR_E_INT, 0, v };
    struct hr_step s = { .op = HR_OP_CONST, .nints = 3, .ints = ints };
    char text[160];

    return hr_ir_add(ir, &s, text, sizeof text);
}

int32_t hr_ir_float(struct hr_ir *ir, float v)
{
    int64_t ints[2] = { HR_E_FLOAT, 0 };
    struct hr_step s = { .op = HR_OP_CONST, .nints = 2, .ints = ints, .nfloats = 1, .floats = &v };
    char text[160];

    return hr_ir_add(ir, &s, text, sizeof text);
}

/* -- vocabularies ---------------------------------------- */

int32_t hr_ir_vocab(struct hr_ir *ir, const char *name, bool ints, struct hr_slice *tokens,
                    size_t count)
{
    struct hr_vocab *v;
    size_t n = 4, i, k;

    if (!hr_mem_reserve(ir->env, (void **)&ir->vocabs, &ir->cap_vocabs, ir->nvocabs + 1,
                        sizeof *ir->vocabs, HR_MAX_PLAN_STEPS))
        return -1;
    while (n < count * 2)
        n *= 2;
    v = &ir->vocabs[ir->nvocabs];
    *v = (struct hr_vocab){ .ints = ints, .count = count, .tokens = tokens, .mask = n - 1 };
    if (!(v->name = hr_arena_text(&ir->arena, name)) ||
        !(v->slots = hr_arena_array(&ir->arena, n, sizeof *v->slots)))
        return -1;
    for (i = 0; i < count; i++) {
        if (hr_vocab_find(v, tokens[i].text, tokens[i].len) >= 0)
            continue;
        for (k = hr_hash64(tokens[i].text, tokens[i].len, 0) & v->mask; v->slots[k];)
            k = (k + 1) & v->mask;
        v->slots[k] = (uint32_t)i + 1;
    }
    return (int32_t)ir->nvocabs++;
}

int64_t hr_vocab_find(const struct hr_vocab *v, const void *bytes, size_t n)
{
    size_t k = hr_hash64(bytes, n, 0) & v->mask;

    for (; v->slots[k]; k = (k + 1) & v->mask) {
        const struct hr_slice *t = &v->tokens[v->slots[k] - 1];

        if (t->len == n && same(t->text, bytes, n))
            return (int64_t)v->slots[k] - 1;
    }
    return -1;
}

/* -- typing ---------------------------------------- */

struct typing {
    const struct hr_ir *ir;
    const struct hr_step *s;
    const struct hr_ty *a[3]; /* the first arguments */
    struct hr_ty *ret;
    char *text;
    size_t size;
};

static bool bad(struct typing *t, const char *what)
{
    snprintf(t->text, t->size, "%s: %s", hr_op_name(t->s->op), what);
    return false;
}

static bool number(const struct hr_ty *t)
{
    return t->elem == HR_E_INT || t->elem == HR_E_FLOAT;
}

static const struct hr_ty *arg(const struct typing *t, int32_t i)
{
    return &t->ir->steps[t->s->args[i]].type;
}

static bool same_dims(const struct hr_ty *a, const struct hr_ty *b)
{
    return a->rank == b->rank && same(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]);
}

/* A constant of one value goes with every shape. */
static bool goes_with_all(const struct hr_ty *t)
{
    return t->shape == HR_S_CONST && !t->rank;
}

static void take_dims(struct hr_ty *to, const struct hr_ty *from)
{
    to->rank = from->rank;
    memcpy(to->dims, from->dims, sizeof to->dims);
}

/* The shape of value by value work: lists go with constants, dense ones with their equals,
 * optional ones with what has one value. */
static bool join(struct typing *t, int32_t n)
{
    struct hr_ty *r = t->ret;
    int32_t i;

    *r = *arg(t, 0);
    for (i = 1; i < n; i++) {
        const struct hr_ty *a = arg(t, i);

        if (goes_with_all(a))
            continue;
        if (goes_with_all(r)) {
            r->shape = a->shape;
            take_dims(r, a);
            continue;
        }
        if (r->shape == HR_S_LIST || a->shape == HR_S_LIST)
            return bad(t, "a list goes with constants only; reduce it to one value first");
        if (hr_ty_size(r) == 1 && hr_ty_size(a) == 1 && r->shape && a->shape) {
            if (a->rank > r->rank)
                take_dims(r, a);
        } else if (!same_dims(r, a) || r->shape != a->shape) {
            return bad(t, "the arguments have different numbers of values in a row");
        }
        if (a->shape == HR_S_OPTIONAL)
            *r = (struct hr_ty){ .elem = r->elem, .shape = HR_S_OPTIONAL };
    }
    if (r->shape == HR_S_OPTIONAL)
        r->rank = 0;
    return true;
}

static bool vector(struct typing *t, const int64_t *dims, int32_t rank)
{
    int64_t n = 1;
    int32_t i;

    if (rank < 0 || rank > HR_FEATURE_RANK)
        return bad(t, "a shape has at most 4 dimensions");
    for (i = 0; i < rank; i++) {
        if (dims[i] < 1 || dims[i] > HR_MAX_FEATURE_SIZE)
            return bad(t, "a dimension is from 1 to 1048576");
        n *= dims[i];
        if (n > HR_MAX_FEATURE_SIZE)
            return bad(t, "a row has at most 1048576 values");
        t->ret->dims[i] = (int32_t)dims[i];
    }
    t->ret->rank = rank;
    return true;
}

/* Is its one number a place in a list of n? */
static bool has_place(const struct hr_step *s, size_t n)
{
    return s->nints == 1 && s->ints[0] >= 0 && (uint64_t)s->ints[0] < n;
}

static bool type_input(struct typing *t)
{
    const struct hr_feature *f;

    if (!has_place(t->s, t->ir->ninputs))
        return bad(t, "there is no such column");
    f = &t->ir->inputs[t->s->ints[0]];
    t->ret->elem = (uint8_t)f->type;
    t->ret->shape = (uint8_t)f->shape;
    t->ret->rank = f->rank;
    memcpy(t->ret->dims, f->dims, sizeof t->ret->dims);
    return true;
}

static bool type_const(struct typing *t)
{
    const struct hr_step *s = t->s;
    int64_t n;

    if (s->nints < 2 || s->ints[0] < HR_E_INT || s->ints[0] > HR_E_BOOL || s->ints[1] < 0 ||
        s->ints[1] > 1 || s->nints < 2 + s->ints[1])
        return bad(t, "its type is not complete");
    t->ret->elem = (uint8_t)s->ints[0];
    if (s->ints[1] && s->ints[2] == 0) { /* no borders: an empty vector */
        t->ret->rank = 1;
        return s->nints == 3 && !s->nfloats && !s->ntexts;
    }
    if (!vector(t, s->ints + 2, (int32_t)s->ints[1]))
        return false;
    n = hr_ty_size(t->ret);
    if (t->ret->elem == HR_E_FLOAT   ? n != s->nfloats
        : t->ret->elem == HR_E_BYTES ? n != s->ntexts
                                     : n != s->nints - 2 - s->ints[1])
        return bad(t, "it has not as many values as its type says");
    return true;
}

static bool type_leaf(struct typing *t)
{
    *t->ret = (struct hr_ty){ 0 };
    if (t->s->op == HR_OP_INPUT)
        return type_input(t);
    if (t->s->op != HR_OP_VOCABULARY)
        return type_const(t);
    t->ret->elem = HR_E_VOCAB;
    return has_place(t->s, t->ir->nvocabs) || bad(t, "there is no such vocabulary");
}

static bool type_to_number(struct typing *t)
{
    const struct hr_ty *a = t->a[0];

    if (a->elem != HR_E_BYTES || a->shape == HR_S_LIST || hr_ty_size(a) != 1)
        return bad(t, "it reads one text");
    t->ret->elem = HR_E_FLOAT;
    if (t->s->nargs == 1)
        t->ret->shape = HR_S_OPTIONAL, t->ret->rank = 0;
    else if (!number(t->a[1]) || t->a[1]->shape != HR_S_CONST)
        return bad(t, "the default is a constant number");
    else
        t->ret->elem = t->a[1]->elem;
    return true;
}

static bool type_convert(struct typing *t)
{
    const struct hr_ty *a = t->a[0];
    int op = t->s->op;

    if (!join(t, t->s->nargs))
        return false;
    if (op == HR_OP_TO_NUMBER)
        return type_to_number(t);
    if (op == HR_OP_TO_BYTES ? a->elem != HR_E_INT && a->elem != HR_E_FLOAT
                             : a->elem == HR_E_BYTES || a->elem == HR_E_VOCAB)
        return bad(t, op == HR_OP_TO_BYTES ? "it wants a number" : "it wants a number or bool");
    t->ret->elem = op == HR_OP_TO_FLOAT ? HR_E_FLOAT : op == HR_OP_TO_INT ? HR_E_INT : HR_E_BYTES;
    return true;
}

static bool type_if(struct typing *t)
{
    const struct hr_ty *c = t->a[0];

    if (c->elem != HR_E_BOOL)
        return bad(t, "the condition is a bool");
    if (c->shape == HR_S_OPTIONAL || c->shape == HR_S_LIST)
        return bad(t, "the condition may be missing; fill it first");
    if (t->a[1]->elem != t->a[2]->elem || t->a[1]->elem == HR_E_VOCAB)
        return bad(t, "both values have one type");
    if (!join(t, 3))
        return false;
    t->ret->elem = t->a[1]->elem;
    return true;
}

/* x with constants of analysis: scalars, or one for each value of a row. */
static bool type_scale(struct typing *t)
{
    const struct hr_ty *x = t->a[0];
    int32_t i;

    for (i = 1; i < 3; i++)
        if (t->a[i]->elem != HR_E_FLOAT || t->a[i]->shape != HR_S_CONST ||
            (t->a[i]->rank && (x->shape != HR_S_DENSE || hr_ty_size(t->a[i]) != hr_ty_size(x))))
            return bad(t, "its constants are floats, one or as many as x has values");
    if (t->a[1]->rank != t->a[2]->rank)
        return bad(t, "its constants are of one shape");
    if (x->elem != HR_E_FLOAT || (t->s->op == HR_OP_MIN_MAX && t->s->nfloats != 2))
        return bad(t, "it wants a float");
    *t->ret = *x;
    return true;
}

/* Keys are ints or texts; values and the default, which comes last, ints, floats or texts:
 * ints[0] keys' type, [1] values' type, [2] n. */
/* Are there as many keys and values as a table says? */
static bool table_is_whole(const struct hr_step *s)
{
    int64_t ni = 3, nf = 0, nt = 0, n;

    if (s->nints < 3 || s->ints[2] < 0 || s->ints[2] > HR_MAX_FEATURES_BYTES)
        return false;
    n = s->ints[2];
    *(s->ints[0] == HR_E_INT ? &ni : &nt) += n;
    if (s->op == HR_OP_LOOKUP)
        *(s->ints[1] == HR_E_INT ? &ni : s->ints[1] == HR_E_FLOAT ? &nf : &nt) += n + 1;
    return ni == s->nints && nf == s->nfloats && nt == s->ntexts;
}

static bool type_lookup(struct typing *t)
{
    const struct hr_step *s = t->s;

    if (!table_is_whole(s))
        return bad(t, "its table is not complete");
    if (s->ints[0] != t->a[0]->elem || (s->ints[0] != HR_E_INT && s->ints[0] != HR_E_BYTES))
        return bad(t, "keys are of the type of x, int or bytes");
    *t->ret = *t->a[0];
    t->ret->elem = s->op == HR_OP_IN ? HR_E_BOOL : (uint8_t)s->ints[1];
    return (t->ret->elem >= HR_E_INT && t->ret->elem <= HR_E_BOOL) || bad(t, "of what type?");
}

static bool type_text(struct typing *t)
{
    const struct hr_step *s = t->s;
    int32_t i, want = s->op == HR_OP_REPLACE ? 2 : s->op == HR_OP_MATCH ? 1 : 0;

    for (i = 0; i < s->nargs; i++)
        if (arg(t, i)->elem != HR_E_BYTES)
            return bad(t, "it wants bytes");
    if (s->ntexts != want || (s->op == HR_OP_LENGTH && s->nints != 1) ||
        (s->op == HR_OP_SUBSTR && (s->nints != 3 || s->ints[1] < 0)))
        return bad(t, "its parameters are not complete");
    if (!join(t, s->nargs))
        return false;
    if (s->op == HR_OP_LENGTH)
        t->ret->elem = HR_E_INT;
    if (s->op == HR_OP_MATCH)
        t->ret->elem = HR_E_BOOL;
    return true;
}

static bool is_borders(const struct hr_ty *a)
{
    return a->elem == HR_E_FLOAT && a->shape == HR_S_CONST && a->rank == 1;
}

static bool type_ids(struct typing *t)
{
    const struct hr_ty *x = t->a[0];
    const struct hr_step *s = t->s;

    *t->ret = *x;
    t->ret->elem = HR_E_INT;
    if (s->op == HR_OP_HASH)
        return (x->elem == HR_E_BYTES && s->nints == 4 && s->ints[0] > 0) ||
               bad(t, "it wants bytes and a number of buckets above 0");
    if (s->op == HR_OP_BUCKETS)
        return (number(x) && is_borders(t->a[1])) ||
               bad(t, "it wants a number and a list of borders");
    if (t->a[1]->elem != HR_E_VOCAB || s->nints != 2 || s->ints[0] < 0 || s->ints[0] > INT32_MAX ||
        (x->elem != HR_E_BYTES && x->elem != HR_E_INT))
        return bad(t, "it wants bytes or an int, and a vocabulary");
    return true;
}

static bool type_each(struct typing *t)
{
    const struct hr_ty *a = t->a[0];

    switch (t->s->op) {
    case HR_OP_TO_FLOAT:
    case HR_OP_TO_INT:
    case HR_OP_TO_BYTES:
    case HR_OP_TO_NUMBER:
        return type_convert(t);
    case HR_OP_IF_ELSE:
        return type_if(t);
    case HR_OP_Z_SCORE:
    case HR_OP_MIN_MAX:
        return type_scale(t);
    case HR_OP_LOOKUP:
    case HR_OP_IN:
        return type_lookup(t);
    case HR_OP_BUCKETS:
    case HR_OP_APPLY_VOCABULARY:
    case HR_OP_HASH:
        return type_ids(t);
    case HR_OP_NEG:
    case HR_OP_ABS:
    case HR_OP_SIGN:
        *t->ret = *a;
        return number(a) || bad(t, "it wants a number");
    case HR_OP_ANNOTATE:
        *t->ret = *a;
        return (a->elem != HR_E_VOCAB && t->s->nints == 4) || bad(t, "it wants a value");
    case HR_OP_IS_NAN:
        *t->ret = *a;
        t->ret->elem = HR_E_BOOL;
        return a->elem == HR_E_FLOAT || bad(t, "it wants a float");
    case HR_OP_FILL_NAN:
        if (a->elem != HR_E_FLOAT || t->a[1]->elem != HR_E_FLOAT)
            return bad(t, "it wants floats");
        return join(t, 2);
    default:
        return type_text(t);
    }
}

static bool type_pick(struct typing *t)
{
    const struct hr_ty *a = t->a[0];
    const struct hr_step *s = t->s;

    *t->ret = (struct hr_ty){ .elem = a->elem, .shape = HR_S_OPTIONAL };
    if (s->op != HR_OP_AT)
        return number(a) || bad(t, "it wants numbers");
    if (s->nints != 1 || s->ints[0] < -1)
        return bad(t, "an index is 0 or more, or -1 for the last");
    if (a->shape == HR_S_DENSE || a->shape == HR_S_CONST) {
        t->ret->shape = HR_S_DENSE;
        return s->ints[0] < hr_ty_size(a) || bad(t, "there is no value of that index in a row");
    }
    return true;
}

static bool type_concat(struct typing *t)
{
    int64_t n = 0;
    int32_t i;

    *t->ret = *t->a[0];
    for (i = 0; i < t->s->nargs; i++) {
        const struct hr_ty *a = arg(t, i);

        if (a->elem != t->a[0]->elem || a->elem == HR_E_VOCAB)
            return bad(t, "all values have one type");
        if (a->shape == HR_S_OPTIONAL)
            return bad(t, "a value may be missing; fill it first");
        if (a->shape == HR_S_LIST)
            t->ret->shape = HR_S_LIST;
        n += hr_ty_size(a);
    }
    t->ret->rank = 0;
    if (t->ret->shape == HR_S_LIST)
        return true;
    t->ret->shape = HR_S_DENSE;
    return vector(t, &n, 1);
}

static bool type_hot(struct typing *t)
{
    const struct hr_ty *a = t->a[0];

    *t->ret = (struct hr_ty){ .elem = HR_E_FLOAT, .shape = HR_S_DENSE };
    if (a->elem != HR_E_INT || t->s->nints != 1)
        return bad(t, "it wants ints and a depth");
    if (t->s->op == HR_OP_ONE_HOT && (a->shape != HR_S_DENSE || hr_ty_size(a) != 1))
        return bad(t, "it wants one int in every row; fill it, or take multi_hot");
    return vector(t, t->s->ints, 1);
}

static bool type_strings(struct typing *t)
{
    const struct hr_ty *a = t->a[0];
    int op = t->s->op;

    *t->ret = (struct hr_ty){ .elem = HR_E_BYTES, .shape = HR_S_OPTIONAL };
    if (a->elem != HR_E_BYTES || t->s->ntexts != 1)
        return bad(t, "it wants bytes");
    if (op == HR_OP_JOIN)
        t->ret->shape = a->shape == HR_S_DENSE ? HR_S_DENSE : HR_S_OPTIONAL;
    else if (a->shape == HR_S_LIST || hr_ty_size(a) != 1 || t->s->nints != 1)
        return bad(t, "it wants one text in a row");
    if (op == HR_OP_SPLIT && !t->s->texts[0].len)
        return bad(t, "its separator is empty"); /* and no piece would ever be the last */
    if (op == HR_OP_SPLIT)
        t->ret->shape = HR_S_LIST;
    return true;
}

static bool type_broadcast(struct typing *t)
{
    const struct hr_ty *a = t->a[0];

    *t->ret = (struct hr_ty){ .elem = a->elem, .shape = HR_S_DENSE };
    if (a->shape != HR_S_DENSE || hr_ty_size(a) != 1)
        return bad(t, "it wants one value in every row");
    return vector(t, t->s->ints, t->s->nints);
}

static bool type_fill(struct typing *t)
{
    const struct hr_ty *a = t->a[0];

    *t->ret = (struct hr_ty){ .elem = a->elem, .shape = HR_S_DENSE };
    if (a->shape != HR_S_OPTIONAL || t->a[1]->elem != a->elem || hr_ty_size(t->a[1]) != 1 ||
        t->a[1]->shape > HR_S_DENSE)
        return bad(t, "it wants an optional value and one of its type");
    return true;
}

static bool type_densify(struct typing *t)
{
    const struct hr_ty *a = t->a[0];

    *t->ret = (struct hr_ty){ .elem = a->elem, .shape = HR_S_DENSE };
    if (t->a[1]->elem != a->elem || t->a[1]->shape != HR_S_CONST || t->a[1]->rank ||
        t->s->nints != 1 || a->elem == HR_E_VOCAB)
        return bad(t, "it wants a length and a constant of the type of x");
    return vector(t, t->s->ints, 1);
}

static bool type_row(struct typing *t)
{
    const struct hr_ty *a = t->a[0];

    switch (t->s->op) {
    case HR_OP_BROADCAST:
        return type_broadcast(t);
    case HR_OP_IS_MISSING:
        *t->ret = (struct hr_ty){ .elem = HR_E_BOOL, .shape = HR_S_DENSE };
        return true;
    case HR_OP_FILL:
        return type_fill(t);
    case HR_OP_LEN:
        *t->ret = (struct hr_ty){ .elem = HR_E_INT, .shape = HR_S_DENSE };
        return true;
    case HR_OP_DENSIFY:
        return type_densify(t);
    case HR_OP_CONCAT:
        return type_concat(t);
    case HR_OP_ONE_HOT:
    case HR_OP_MULTI_HOT:
        return type_hot(t);
    case HR_OP_SPLIT:
    case HR_OP_JOIN:
    case HR_OP_EXTRACT:
        return type_strings(t);
    case HR_OP_REDUCE_MEAN:
        if (!type_pick(t))
            return false;
        t->ret->elem = HR_E_FLOAT;
        break;
    default:
        if (!type_pick(t))
            return false;
    }
    if (t->s->op != HR_OP_AT && (a->shape == HR_S_DENSE || a->shape == HR_S_CONST))
        t->ret->shape = HR_S_DENSE;
    return true;
}

static bool type_analyzer(struct typing *t)
{
    const struct hr_ty *x = t->a[0];
    const struct hr_step *s = t->s;

    *t->ret = (struct hr_ty){ .elem = HR_E_FLOAT, .shape = HR_S_CONST };
    if (x->shape == HR_S_CONST)
        return bad(t, "it goes over rows, and this is a constant");
    if (s->op == HR_OP_BUILD_VOCABULARY) {
        t->ret->elem = HR_E_VOCAB;
        return (x->elem == HR_E_BYTES || x->elem == HR_E_INT) || bad(t, "it wants bytes or ints");
    }
    if (s->op == HR_OP_SIZE || s->op == HR_OP_COUNT) {
        t->ret->elem = HR_E_INT;
        return true;
    }
    if (!number(x))
        return bad(t, "it wants a number");
    if (s->op == HR_OP_QUANTILES) {
        t->ret->rank = 1;
        t->ret->dims[0] = (int32_t)s->ints[0] - 1;
        return true;
    }
    if (s->op == HR_OP_MIN || s->op == HR_OP_MAX || s->op == HR_OP_SUM)
        t->ret->elem = x->elem;
    if (s->nints && s->ints[0]) {
        if (x->shape != HR_S_DENSE)
            return bad(t, "elementwise wants a fixed number of values in every row");
        t->ret->rank = x->rank;
        memcpy(t->ret->dims, x->dims, sizeof x->dims);
    }
    return true;
}

static bool type_pair(struct typing *t)
{
    int op = t->s->op, cls = hr_op_class(op);
    const struct hr_ty *a = t->a[0];
    int32_t i;

    for (i = 1; i < t->s->nargs; i++)
        if (arg(t, i)->elem != a->elem)
            return bad(t, "both sides are of one type");
    if (cls == HR_C_LOGIC && a->elem != HR_E_BOOL)
        return bad(t, "it wants bools");
    if (cls == HR_C_MATH2 && !number(a))
        return bad(t, "it wants numbers");
    if ((cls == HR_C_MATH || op == HR_OP_DIV || op == HR_OP_POW) && a->elem != HR_E_FLOAT)
        return bad(t, "it wants floats");
    if (cls == HR_C_COMPARE && a->elem == HR_E_VOCAB)
        return bad(t, "it wants values");
    if (!join(t, t->s->nargs))
        return false;
    if (cls == HR_C_COMPARE)
        t->ret->elem = HR_E_BOOL;
    return true;
}

bool hr_ir_type(const struct hr_ir *ir, const struct hr_step *s, struct hr_ty *ret, char *text,
                size_t size)
{
    struct typing t = { .ir = ir, .s = s, .ret = ret, .text = text, .size = size };
    int32_t i;

    assert(s->op < HR_OP_COUNT_);
    if (s->nargs < ops[s->op].least || s->nargs > ops[s->op].most)
        return bad(&t, "it has too few or too many arguments");
    for (i = 0; i < s->nargs; i++) {
        if (s->args[i] < 0 || (size_t)s->args[i] >= ir->nsteps)
            return bad(&t, "an argument is no earlier step");
        if (i < 3)
            t.a[i] = arg(&t, i);
        if (arg(&t, i)->elem == HR_E_VOCAB && !(s->op == HR_OP_APPLY_VOCABULARY && i == 1))
            return bad(&t, "it wants values, not a vocabulary");
    }
    switch (ops[s->op].cls) {
    case HR_C_LEAF:
        return type_leaf(&t);
    case HR_C_EACH:
        return type_each(&t);
    case HR_C_ROW:
        return type_row(&t);
    case HR_C_ANALYZER:
        return type_analyzer(&t);
    default:
        return type_pair(&t);
    }
}
