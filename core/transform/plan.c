/* A plan in memory: made from a typed file, packed, described.
 *
 * Packed:   "headrace plan 1\n"
 *           u64 n, n bytes of JSON        (all numbers little-endian)
 *           for each vocabulary: u64 n, n bytes, a token a line
 */
#include "transform/plan.h"

#include <string.h>

static const char MAGIC[] = "headrace plan 1\n";

/* -- made from steps of another ---------------------------------------- */

struct copy {
    struct hr_plan *plan;
    const struct hr_ir *from;
    const int32_t *known;
    int32_t *map;    /* of each step of from; -1: not needed */
    int64_t *column; /* of each input of from; -1: not needed */
    int32_t *vocab;
};

static int32_t resolve(const struct copy *c, int32_t step)
{
    return hr_op_class(c->from->steps[step].op) == HR_C_ANALYZER ? c->known[step] : step;
}

/* Mark what is needed: 0 instead of -1.  Arguments stand before their steps, but constants
 * that took an analyzer's place, which have none. */
static void mark(struct copy *c, const struct hr_wanted *wanted, size_t n)
{
    int32_t i, k;
    size_t w;

    for (w = 0; w < n; w++)
        c->map[resolve(c, wanted[w].step)] = 0;
    for (i = (int32_t)c->from->nsteps - 1; i >= 0; i--) {
        const struct hr_step *s = &c->from->steps[i];

        if (c->map[i] < 0)
            continue;
        if (s->op == HR_OP_INPUT)
            c->column[s->ints[0]] = 0;
        for (k = 0; k < s->nargs; k++)
            c->map[resolve(c, s->args[k])] = 0;
    }
}

static hr_status copy_inputs(struct copy *c)
{
    struct hr_ir *to = &c->plan->ir;
    size_t i, n = 0;

    to->inputs = hr_arena_array(&to->arena, c->from->ninputs + 1, sizeof *to->inputs);
    if (!to->inputs)
        return HR_EXHAUSTED;
    for (i = 0; i < c->from->ninputs; i++) {
        if (c->column[i] < 0)
            continue;
        to->inputs[n] = c->from->inputs[i];
        if (!(to->inputs[n].name = hr_arena_text(&to->arena, c->from->inputs[i].name)))
            return HR_EXHAUSTED;
        c->column[i] = (int64_t)n++;
    }
    to->ninputs = n;
    return HR_OK;
}

static int32_t copy_vocab(struct copy *c, int64_t i)
{
    const struct hr_vocab *v = &c->from->vocabs[i];
    struct hr_ir *to = &c->plan->ir;
    struct hr_slice *tokens;
    size_t k;

    if (c->vocab[i] >= 0)
        return c->vocab[i];
    if (!(tokens = hr_arena_array(&to->arena, v->count + 1, sizeof *tokens)))
        return -1;
    for (k = 0; k < v->count; k++) {
        tokens[k] = v->tokens[k];
        if (!(tokens[k].text = hr_arena_bytes(&to->arena, v->tokens[k].text, v->tokens[k].len)))
            return -1;
    }
    c->vocab[i] = hr_ir_vocab(to, v->name, v->ints, tokens, v->count);
    if (c->vocab[i] >= 0)
        to->vocabs[c->vocab[i]].empty = v->empty;
    return c->vocab[i];
}

static int32_t copy_step(struct copy *c, int32_t i)
{
    struct hr_ir *to = &c->plan->ir;
    struct hr_step s = c->from->steps[i];
    int32_t few[8], *args = few, k, step;
    int64_t index;
    char text[200];

    if (s.nargs > 8 && !(args = hr_arena_array(&to->arena, (size_t)s.nargs, sizeof *args)))
        return -1;
    for (k = 0; k < s.nargs; k++)
        args[k] = c->map[resolve(c, s.args[k])];
    s.args = args;
    if (s.op == HR_OP_INPUT)
        index = c->column[s.ints[0]], s.ints = &index;
    if (s.op == HR_OP_VOCABULARY) {
        index = copy_vocab(c, s.ints[0]);
        s.ints = &index;
        if (index < 0)
            return -1;
    }
    step = hr_ir_add(to, &s, text, sizeof text);
    if (step < 0 && text[0])
        hr_fail(to->env, HR_INTERNAL, "a step of the plan is wrong: %s", text);
    return step;
}

static hr_status copy_steps(struct copy *c)
{
    int32_t i, leaf;

    for (leaf = 1; leaf >= 0; leaf--) /* what stands for analyzers first */
        for (i = 0; i < (int32_t)c->from->nsteps; i++)
            if (c->map[i] >= 0 && (hr_op_class(c->from->steps[i].op) == HR_C_LEAF) == leaf &&
                (c->map[i] = copy_step(c, i)) < 0)
                return HR_EXHAUSTED;
    return HR_OK;
}

static hr_status copy_outputs(struct copy *c, const struct hr_wanted *wanted, size_t n)
{
    struct hr_plan *p = c->plan;
    size_t i;

    p->outputs = hr_arena_array(&p->ir.arena, n + 1, sizeof *p->outputs);
    p->steps = hr_arena_array(&p->ir.arena, n + 1, sizeof *p->steps);
    if (!p->outputs || !p->steps)
        return HR_EXHAUSTED;
    p->noutputs = n;
    for (i = 0; i < n; i++) {
        if (!(p->outputs[i].name = hr_arena_text(&p->ir.arena, wanted[i].name)))
            return HR_EXHAUSTED;
        p->steps[i] = c->map[resolve(c, wanted[i].step)];
    }
    return hr_plan_finish(p);
}

hr_status hr_plan_new(struct hr_env *env, const struct hr_ir *from, const int32_t *known,
                      const struct hr_wanted *wanted, size_t n, struct hr_plan **ret)
{
    struct copy c = { .from = from, .known = known };
    struct hr_arena arena;
    hr_status r = HR_EXHAUSTED;

    hr_arena_init(&arena, env, 0);
    c.plan = hr_mem_zero(env, sizeof *c.plan);
    c.map = hr_arena_array(&arena, from->nsteps + 1, sizeof *c.map);
    c.column = hr_arena_array(&arena, from->ninputs + 1, sizeof *c.column);
    c.vocab = hr_arena_array(&arena, from->nvocabs + 1, sizeof *c.vocab);
    if (c.plan) {
        c.plan->env = env;
        hr_ir_init(&c.plan->ir, env);
    }
    if (c.plan && c.map && c.column && c.vocab) {
        memset(c.map, 0xff, from->nsteps * sizeof *c.map);
        memset(c.column, 0xff, from->ninputs * sizeof *c.column);
        memset(c.vocab, 0xff, from->nvocabs * sizeof *c.vocab);
        mark(&c, wanted, n);
        if ((r = copy_inputs(&c)) == HR_OK && (r = copy_steps(&c)) == HR_OK)
            r = copy_outputs(&c, wanted, n);
    }
    hr_arena_clear(&arena);
    if (r < 0)
        hr_plan_close(c.plan);
    else
        *ret = c.plan;
    return r;
}

void hr_plan_close(struct hr_plan *plan)
{
    struct hr_env *env = plan ? plan->env : NULL;

    if (!plan)
        return;
    hr_ir_clear(&plan->ir);
    hr_mem_put(env, plan, sizeof *plan);
}

/* -- outputs ---------------------------------------- */

static void own_domain(const struct hr_plan *p, const struct hr_step *s, struct hr_feature *f)
{
    const struct hr_vocab *v;
    int64_t last;

    if (s->op == HR_OP_BUCKETS) {
        f->has_domain = f->categorical = true;
        f->domain_max = hr_ty_size(&p->ir.steps[s->args[1]].type);
    } else if (s->op == HR_OP_APPLY_VOCABULARY) {
        v = &p->ir.vocabs[p->ir.steps[s->args[1]].ints[0]];
        last = (int64_t)v->count + s->ints[0] - 1;
        f->has_domain = f->categorical = true;
        f->domain_max = last;
        if (!s->ints[0]) {
            f->domain_min = s->ints[1] < 0 ? s->ints[1] : 0;
            f->domain_max = s->ints[1] > last ? s->ints[1] : last;
        }
    }
}

/* What the step itself gives, and then what annotations around it say, the outermost last
 * word. */
static void domain_of(const struct hr_plan *p, const struct hr_step *s, struct hr_feature *f)
{
    const struct hr_step *note = NULL, *range = NULL;

    for (; s->op == HR_OP_ANNOTATE; s = &p->ir.steps[s->args[0]]) {
        note = note ? note : s;
        range = range || !s->ints[1] ? range : s;
    }
    if (s->op == HR_OP_CONCAT)
        s = &p->ir.steps[s->args[0]];
    own_domain(p, s, f);
    if (note)
        f->categorical = note->ints[0] != 0;
    f->has_domain |= range != NULL || (note && f->categorical);
    if (range) {
        f->domain_min = range->ints[2];
        f->domain_max = range->ints[3];
    }
}

hr_status hr_plan_finish(struct hr_plan *p)
{
    struct hr_buf buf;
    uint8_t digest[HR_SHA256_SIZE];
    hr_status r;
    size_t i;

    for (i = 0; i < p->noutputs; i++) {
        const struct hr_ty *t = &p->ir.steps[p->steps[i]].type;
        struct hr_feature *f = &p->outputs[i];

        if (t->elem > HR_E_BYTES || (t->shape == HR_S_CONST && hr_ty_size(t) < 1))
            return hr_fail(p->env, HR_DATA_LOSS, "the output \"%s\" of the plan is no feature",
                           f->name);
        f->type = t->elem;
        f->shape = t->shape == HR_S_CONST ? HR_FEATURE_DENSE : t->shape;
        f->rank = t->rank;
        memcpy(f->dims, t->dims, sizeof f->dims);
        f->has_domain = f->categorical = false;
        f->domain_min = f->domain_max = 0;
        if (f->type == HR_FEATURE_INT)
            domain_of(p, &p->ir.steps[p->steps[i]], f);
    }
    hr_buf_of(&buf, HR_MAX_FILE_BYTES, p->env);
    if ((r = hr_plan_pack(p, &buf)) == HR_OK) {
        hr_sha256(buf.text, buf.len, digest);
        hr_sha256_hex(digest, p->digest);
    }
    hr_buf_clear(&buf);
    return r;
}

const char *hr_plan_digest(const struct hr_plan *plan)
{
    return plan->digest;
}

size_t hr_plan_inputs(const struct hr_plan *plan, const struct hr_feature **ret)
{
    *ret = plan->ir.inputs;
    return plan->ir.ninputs;
}

size_t hr_plan_outputs(const struct hr_plan *plan, const struct hr_feature **ret)
{
    *ret = plan->outputs;
    return plan->noutputs;
}

bool hr_plan_vocabulary(const struct hr_plan *plan, const char *output,
                        const struct hr_slice **ret_tokens, size_t *ret_count)
{
    const struct hr_step *s;
    const struct hr_vocab *v;
    size_t i;

    for (i = 0; i < plan->noutputs && strcmp(plan->outputs[i].name, output);)
        i++;
    if (i == plan->noutputs)
        return false;
    s = &plan->ir.steps[plan->steps[i]];
    while (s->op == HR_OP_ANNOTATE)
        s = &plan->ir.steps[s->args[0]];
    if (s->op != HR_OP_APPLY_VOCABULARY)
        return false;
    v = &plan->ir.vocabs[plan->ir.steps[s->args[1]].ints[0]];
    *ret_tokens = v->tokens;
    *ret_count = v->empty ? 0 : v->count;
    return true;
}

/* -- packed ---------------------------------------- */

hr_status hr_vocab_write(const struct hr_vocab *v, struct hr_buf *to)
{
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < v->count && r == HR_OK; i++)
        if ((r = hr_buf_add(to, v->tokens[i].text, v->tokens[i].len)) == HR_OK)
            r = hr_buf_char(to, '\n');
    return r;
}

static hr_status put_part(struct hr_buf *to, const struct hr_buf *part)
{
    uint8_t size[8];
    int i;

    for (i = 0; i < 8; i++)
        size[i] = (uint8_t)((uint64_t)part->len >> 8 * i);
    if (hr_buf_add(to, size, 8) < 0)
        return HR_EXHAUSTED;
    return hr_buf_add(to, part->text, part->len);
}

hr_status hr_plan_pack(const struct hr_plan *plan, struct hr_buf *to)
{
    struct hr_buf part;
    hr_status r = hr_buf_text(to, MAGIC);
    size_t i;

    hr_buf_of(&part, HR_MAX_FILE_BYTES, plan->env);
    if (r == HR_OK && (r = hr_plan_json(plan, &part)) == HR_OK)
        r = put_part(to, &part);
    for (i = 0; i < plan->ir.nvocabs && r == HR_OK; i++) {
        hr_buf_cut(&part, 0);
        if ((r = hr_vocab_write(&plan->ir.vocabs[i], &part)) == HR_OK)
            r = put_part(to, &part);
    }
    hr_buf_clear(&part);
    return r == HR_OK ? r : hr_fail(plan->env, HR_EXHAUSTED, "the plan is too large to pack");
}

static bool get_part(const uint8_t **p, size_t *left, struct hr_slice *ret)
{
    uint64_t n = 0;
    int i;

    if (*left < 8)
        return false;
    for (i = 7; i >= 0; i--)
        n = n << 8 | (*p)[i];
    if (n > *left - 8)
        return false;
    *ret = hr_slice((const char *)*p + 8, (size_t)n);
    *p += 8 + n;
    *left -= 8 + (size_t)n;
    return true;
}

hr_status hr_plan_unpack(struct hr_env *env, const void *bytes, size_t n, struct hr_plan **ret)
{
    const uint8_t *p = bytes;
    size_t magic = sizeof MAGIC - 1, left, parts = 0, cap = 0;
    struct hr_slice *list = NULL, part;
    hr_status r = HR_OK;

    if (n < magic || memcmp(bytes, MAGIC, magic))
        return hr_fail(env, HR_DATA_LOSS, "these bytes are no packed plan");
    left = n - magic;
    p += magic;
    while (left && r == HR_OK) {
        if (!get_part(&p, &left, &part))
            r = hr_fail(env, HR_DATA_LOSS, "a packed plan is cut off");
        else if (!hr_mem_reserve(env, (void **)&list, &cap, parts + 1, sizeof *list,
                                 HR_MAX_PLAN_STEPS))
            r = HR_EXHAUSTED;
        else
            list[parts++] = part;
    }
    if (r == HR_OK)
        r = parts ? hr_plan_read(env, "plan.json", list[0], list + 1, parts - 1, ret)
                  : hr_fail(env, HR_DATA_LOSS, "a packed plan is empty");
    hr_mem_put(env, list, cap * sizeof *list);
    return r;
}
