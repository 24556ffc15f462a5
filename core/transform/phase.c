/* From analyzers to constants: all whose inputs are known make a phase, which is one flow - a
 * plan that computes their inputs as columns "a0", "a1", ..., and a combine for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "transform/compile.h"
#include "transform/plan.h"

enum { COLUMN_NAME = 16 };

/* -- what is needed ---------------------------------------- */

/* known[] as long as steps, which results add to. */
static hr_status grow_known(struct hr_program *p)
{
    size_t n = p->nknown;
    int32_t *known;

    if (n >= p->ir.nsteps)
        return HR_OK;
    known = hr_mem_resize(p->env, p->known, n * sizeof *known, p->ir.nsteps * sizeof *known);
    if (!known)
        return HR_EXHAUSTED;
    p->known = known;
    p->nknown = p->ir.nsteps;
    memset(known + n, 0xff, (p->nknown - n) * sizeof *known);
    return HR_OK;
}

static bool is_open(const struct hr_program *p, int32_t i)
{
    return hr_op_class(p->ir.steps[i].op) == HR_C_ANALYZER && p->known[i] < 0;
}

/* need[i]: some output goes through the step; blocked[i]: it waits for an analyzer. */
static void survey(const struct hr_program *p, uint8_t *need, uint8_t *blocked)
{
    size_t i;
    int32_t k;

    for (i = 0; i < p->noutputs; i++)
        need[p->outputs[i].step] = 1;
    for (i = p->ir.nsteps; i-- > 0;)
        for (k = 0; k < p->ir.steps[i].nargs && need[i]; k++)
            need[p->ir.steps[i].args[k]] = 1;
    for (i = 0; i < p->ir.nsteps; i++)
        for (k = 0; k < p->ir.steps[i].nargs; k++) {
            int32_t a = p->ir.steps[i].args[k];

            blocked[i] |=
                is_open(p, a) || (blocked[a] && hr_op_class(p->ir.steps[a].op) != HR_C_ANALYZER);
        }
}

static const char *function_of(int op)
{
    switch (op) {
    case HR_OP_MIN:
    case HR_OP_MAX:
        return "analyze.min_max";
    case HR_OP_QUANTILES:
        return "analyze.quantiles";
    case HR_OP_BUILD_VOCABULARY:
        return "analyze.vocabulary";
    default:
        return "analyze.mean_var";
    }
}

static bool same_params(const struct hr_step *a, const struct hr_step *b)
{
    bool each_a = a->nints && a->ints[0], each_b = b->nints && b->ints[0];

    if (a->op != HR_OP_QUANTILES && a->op != HR_OP_BUILD_VOCABULARY)
        return each_a == each_b;
    return a->op == b->op && a->nints == b->nints && a->nfloats == b->nfloats &&
           !memcmp(a->ints, b->ints, (size_t)a->nints * sizeof *a->ints) &&
           (!a->nfloats || a->floats[0] == b->floats[0]);
}

static hr_status add_pending(struct hr_program *p, int32_t i)
{
    const struct hr_step *s = &p->ir.steps[i];
    struct hr_pending new = {
        function_of(s->op), s->args[0], s->nargs > 1 ? s->args[1] : -1, i, NULL, false
    };
    size_t k;

    for (k = 0; k < p->npending; k++) {
        const struct hr_pending *q = &p->pending[k];

        if (q->function == new.function && q->x == new.x &&
            q->w == new.w &&same_params(&p->ir.steps[q->params], s))
            return HR_OK;
    }
    p->pending[p->npending++] = new;
    return HR_OK;
}

/* -- columns and configs ---------------------------------------- */

struct columns {
    struct hr_wanted *list;
    size_t n;
};

static const char *column_of(struct hr_program *p, struct columns *c, int32_t step)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        if (c->list[i].step == step)
            return c->list[i].name;
    c->list[i].step = step;
    c->list[i].name = hr_arena_format(&p->arena, "a%07zu", i); /* in order of the names */
    c->n++;
    return c->list[i].name;
}

static hr_status make_config(struct hr_program *p, struct hr_pending *q, const char *column,
                             const char *weight)
{
    const struct hr_step *s = &p->ir.steps[q->params];
    struct hr_json_writer w;
    struct hr_buf b;
    hr_status r;

    hr_buf_of(&b, 4096, p->env);
    hr_json_begin(&w, &b, 0);
    hr_json_open_object(&w);
    hr_json_put_member_text(&w, "column", column);
    if (weight)
        hr_json_put_member_text(&w, "weight", weight);
    if (s->op == HR_OP_QUANTILES) {
        hr_json_put_member_int(&w, "top_k", s->ints[0]);
        hr_json_put_member_double(&w, "epsilon", (double)s->floats[0]);
    } else if (s->op == HR_OP_BUILD_VOCABULARY) {
        hr_json_put_member_int(&w, "top_k", s->ints[0]);
        hr_json_put_member_int(&w, "threshold", s->ints[1]);
    } else if (s->nints && s->ints[0]) {
        hr_json_put_member_int(&w, "each", hr_ty_size(&p->ir.steps[q->x].type));
    }
    hr_json_close_object(&w);
    r = hr_json_end(&w);
    if (r == HR_OK && !(q->config = hr_arena_text(&p->arena, b.text)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&b);
    return r;
}

static hr_status make_phase(struct hr_program *p)
{
    struct columns c = { hr_arena_array(&p->arena, p->npending * 2 + 1, sizeof *c.list), 0 };
    struct hr_plan *plan = NULL;
    const char *x, *w;
    hr_status r = c.list ? HR_OK : HR_EXHAUSTED;
    size_t i;

    p->analyses = hr_arena_array(&p->arena, p->npending, sizeof *p->analyses);
    if (!p->analyses)
        return HR_EXHAUSTED;
    for (i = 0; i < p->npending && r == HR_OK; i++) {
        x = column_of(p, &c, p->pending[i].x);
        w = p->pending[i].w >= 0 ? column_of(p, &c, p->pending[i].w) : NULL;
        if (!x || (p->pending[i].w >= 0 && !w))
            return HR_EXHAUSTED;
        r = make_config(p, &p->pending[i], x, w);
        p->analyses[i] = (struct hr_analysis){ p->pending[i].function, p->pending[i].config };
    }
    if (r == HR_OK)
        r = hr_plan_new(p->env, &p->ir, p->known, c.list, c.n, &plan);
    hr_buf_cut(&p->config, 0);
    if (r == HR_OK)
        r = hr_plan_pack(plan, &p->config);
    hr_plan_close(plan);
    return r;
}

hr_status hr_program_phase(struct hr_env *env, struct hr_program *p, struct hr_phase *ret)
{
    uint8_t *need, *blocked;
    hr_status r = grow_known(p);
    size_t i;

    (void)env;
    need = hr_arena_array(&p->arena, p->ir.nsteps + 1, 1);
    blocked = hr_arena_array(&p->arena, p->ir.nsteps + 1, 1);
    p->pending = hr_arena_array(&p->arena, p->ir.nsteps + 1, sizeof *p->pending);
    p->npending = 0;
    if (r < 0 || !need || !blocked || !p->pending)
        return HR_EXHAUSTED;
    survey(p, need, blocked);
    for (i = 0; i < p->ir.nsteps && r == HR_OK; i++)
        if (need[i] && is_open(p, (int32_t)i) && !blocked[i])
            r = add_pending(p, (int32_t)i);
    if (r == HR_OK && p->npending)
        r = make_phase(p);
    if (r == HR_OK)
        *ret = (struct hr_phase){ p->config.text, p->config.len, p->analyses, p->npending };
    return r;
}

/* -- results ---------------------------------------- */

struct result {
    struct hr_program *p;
    const struct ArrowSchema *schema;
    const struct ArrowArray *row;
};

static bool open_result(const struct result *r, const char *name, struct hr_col *c, int64_t *at,
                        int64_t *n)
{
    if (hr_col_open(r->schema, r->row, hr_col_find(r->schema, name), c) < 0)
        return false;
    *n = hr_col_count(c, 0, at);
    return true;
}

/* A constant of the type of the analyzer step i. */
static int32_t constant(struct result *r, int32_t i, const char *name, const char *whole)
{
    const struct hr_ty t = r->p->ir.steps[i].type;
    int64_t n = 0, at = 0, k, size = hr_ty_size(&t), *ints;
    struct hr_step s = { .op = HR_OP_CONST };
    struct hr_col c;
    float *floats;
    char text[200];

    if (!open_result(r, t.elem == HR_E_INT ? whole : name, &c, &at, &n) || n != size)
        return -1;
    ints = hr_arena_array(&r->p->arena, (size_t)n + 8, sizeof *ints);
    floats = hr_arena_array(&r->p->arena, (size_t)n + 1, sizeof *floats);
    if (!ints || !floats)
        return -1;
    /* a vector whatever its rank: what is by place is one after another */
    ints[0] = t.elem;
    ints[1] = t.rank > 0;
    if (t.rank)
        ints[2] = size;
    s.nints = t.rank ? 3 : 2;
    for (k = 0; k < n; k++) {
        if (t.elem == HR_E_INT)
            ints[s.nints++] = hr_col_int(&c, at + k);
        else
            floats[s.nfloats++] = (float)hr_col_double(&c, at + k);
    }
    s.ints = ints;
    s.floats = floats;
    return hr_ir_add(&r->p->ir, &s, text, sizeof text);
}

static void warn(struct hr_program *p, const char *format, const char *name)
{
    if (p->warnings.len)
        hr_buf_char(&p->warnings, '\n');
    hr_buf_format(&p->warnings, format, name);
}

static int32_t vocabulary(struct result *r, int32_t i)
{
    static const char *const dummies[] = { "49d0cd50-04bb-48c0-bc6f-5b575dce351a", "-1" };
    struct hr_program *p = r->p;
    const struct hr_step *s = &p->ir.steps[i];
    bool ints = p->ir.steps[s->args[0]].type.elem == HR_E_INT;
    const char *name = s->texts[0].text;
    struct hr_slice *tokens;
    int64_t n = 0, at = 0, k;
    int64_t index;
    struct hr_step leaf = { .op = HR_OP_VOCABULARY, .nints = 1, .ints = &index };
    struct hr_col c;
    char text[200];

    if (!open_result(r, "tokens", &c, &at, &n) ||
        !(tokens = hr_arena_array(&p->ir.arena, (size_t)n + 1, sizeof *tokens)))
        return -1;
    for (k = 0; k < n; k++) {
        const char *bytes = hr_col_bytes(&c, at + k, &tokens[k].len);

        if (!(tokens[k].text = hr_arena_bytes(&p->ir.arena, bytes, tokens[k].len)))
            return -1;
    }
    if (!n) {
        tokens[0] = hr_slice(dummies[ints], strlen(dummies[ints]));
        warn(p, "the vocabulary %s is empty", name);
    }
    index = hr_ir_vocab(&p->ir, name, ints, tokens, n ? (size_t)n : 1);
    if (index < 0)
        return -1;
    p->ir.vocabs[index].empty = !n;
    return hr_ir_add(&p->ir, &leaf, text, sizeof text);
}

static int32_t result_of(struct result *r, int32_t i)
{
    switch (r->p->ir.steps[i].op) {
    case HR_OP_MEAN:
        return constant(r, i, "mean", "");
    case HR_OP_VAR:
        return constant(r, i, "var", "");
    case HR_OP_SUM:
        return constant(r, i, "sum", "whole");
    case HR_OP_SIZE:
        return constant(r, i, "", "size");
    case HR_OP_COUNT:
        return constant(r, i, "", "count");
    case HR_OP_MIN:
        return constant(r, i, "fmin", "imin");
    case HR_OP_MAX:
        return constant(r, i, "fmax", "imax");
    case HR_OP_QUANTILES:
        return constant(r, i, "borders", "");
    default:
        return vocabulary(r, i);
    }
}

hr_status hr_program_result(struct hr_env *env, struct hr_program *p, size_t i,
                            const struct ArrowSchema *schema, const struct ArrowArray *row)
{
    struct result r = { p, schema, row };
    const struct hr_pending *q;
    size_t k, n = p->ir.nsteps;
    int32_t step;

    if (i >= p->npending || row->length != 1)
        return hr_fail(env, HR_INVALID, "an analyzer gave %lld rows, not 1",
                       (long long)row->length);
    q = &p->pending[i];
    for (k = 0; k < n; k++) {
        const struct hr_step *s = &p->ir.steps[k];

        if (!is_open(p, (int32_t)k) || strcmp(function_of(s->op), q->function) ||
            s->args[0] != q->x || (s->nargs > 1 ? s->args[1] : -1) != q->w ||
            !same_params(&p->ir.steps[q->params], s))
            continue;
        if ((step = result_of(&r, (int32_t)k)) < 0)
            return hr_fail(env, HR_INTERNAL, "%s gave a result that does not fit", q->function);
        p->known[k] = step;
        if (grow_known(p) < 0)
            return HR_EXHAUSTED;
    }
    return HR_OK;
}

/* -- plan ---------------------------------------- */

/* The column that a step begins with, for a sentence. */
static const char *column_below(const struct hr_program *p, int32_t i)
{
    while (p->ir.steps[i].nargs)
        i = p->ir.steps[i].args[0];
    return p->ir.steps[i].op == HR_OP_INPUT ? p->ir.inputs[p->ir.steps[i].ints[0]].name
                                            : "a constant";
}

static const struct hr_step *known_step(const struct hr_program *p, int32_t i)
{
    if (hr_op_class(p->ir.steps[i].op) == HR_C_ANALYZER)
        i = p->known[i];
    if (i >= 0 && p->ir.steps[i].op == HR_OP_TO_FLOAT)
        return known_step(p, p->ir.steps[i].args[0]);
    return i < 0 || p->ir.steps[i].op != HR_OP_CONST ? NULL : &p->ir.steps[i];
}

static void look(struct hr_program *p)
{
    size_t i;

    for (i = 0; i < p->ir.nsteps; i++) {
        const struct hr_step *s = &p->ir.steps[i], *a, *b;

        if (s->op != HR_OP_MIN_MAX || !(a = known_step(p, s->args[1])) ||
            !(b = known_step(p, s->args[2])) || a->type.rank)
            continue;
        if (a->type.elem == HR_E_INT ? a->ints[2] >= b->ints[2] : a->floats[0] >= b->floats[0])
            warn(p, "%s has one value only, or none: scaled by the sigmoid, as TFT does",
                 column_below(p, s->args[0]));
    }
}

static bool same_const(const struct hr_step *a, const struct hr_step *b)
{
    return a->type.elem == HR_E_INT ? a->ints[2] == b->ints[2] : a->floats[0] == b->floats[0];
}

/* Is there a max of what a min is of, and is it the same?  a is what the min was found to be. */
static bool is_max_too(const struct hr_program *p, const struct hr_step *min,
                       const struct hr_step *a)
{
    const struct hr_step *s, *b;
    size_t i;

    for (i = 0; i < p->ir.nsteps; i++) {
        s = &p->ir.steps[i];
        if (s->op == HR_OP_MAX && s->nargs == 1 && s->args[0] == min->args[0] &&
            (b = known_step(p, (int32_t)i)) && !b->type.rank && same_const(a, b))
            return true;
    }
    return false;
}

/* Did the analyzers see one value of a step alone?  Only of what every row has: where values
 * may be missing, that varies. */
static void seen_still(const struct hr_program *p, uint8_t *still)
{
    const struct hr_step *s, *a;
    size_t i;

    for (i = 0; i < p->ir.nsteps; i++) {
        s = &p->ir.steps[i];
        if ((s->op != HR_OP_VAR && s->op != HR_OP_MIN) || s->nargs != 1 ||
            !(a = known_step(p, (int32_t)i)) || a->type.rank ||
            p->ir.steps[s->args[0]].type.shape != HR_S_DENSE)
            continue;
        if (s->op == HR_OP_VAR && a->type.elem != HR_E_INT && a->floats[0] == 0)
            still[s->args[0]] = 1;
        if (s->op == HR_OP_MIN && is_max_too(p, s, a))
            still[s->args[0]] = 1;
    }
}

/* Outputs that are the same in every row that was analysed. */
static hr_status look_at_outputs(struct hr_program *p)
{
    uint8_t *still = hr_arena_array(&p->arena, p->ir.nsteps + 1, 1);
    size_t i;
    int32_t k;

    if (!still)
        return HR_EXHAUSTED;
    seen_still(p, still);
    for (i = 0; i < p->ir.nsteps; i++) { /* what a step takes stands before it */
        const struct hr_step *s = &p->ir.steps[i];
        bool all = s->nargs > 0;

        for (k = 0; k < s->nargs; k++)
            all = all && still[s->args[k]];
        if (all || s->type.shape == HR_S_CONST || hr_op_class(s->op) == HR_C_ANALYZER)
            still[i] = 1;
    }
    for (i = 0; i < p->noutputs; i++)
        if (still[p->outputs[i].step])
            warn(p, "%s never varies: it is the same in every row that was analysed",
                 p->outputs[i].name);
    return HR_OK;
}

hr_status hr_program_plan(struct hr_env *env, struct hr_program *p, struct hr_plan **ret)
{
    struct hr_wanted *wanted = hr_arena_array(&p->arena, p->noutputs + 1, sizeof *wanted);
    struct hr_phase phase;
    hr_status r;
    size_t i;

    if (!wanted || (r = hr_program_phase(env, p, &phase)) < 0)
        return HR_EXHAUSTED;
    if (phase.count)
        return hr_fail(env, HR_PRECONDITION, "%s has no result yet; analyse the data first",
                       phase.items[0].function);
    look(p);
    if (look_at_outputs(p) < 0)
        return HR_EXHAUSTED;
    for (i = 0; i < p->noutputs; i++)
        wanted[i] = (struct hr_wanted){ p->outputs[i].name, p->outputs[i].step };
    return hr_plan_new(env, &p->ir, p->known, wanted, p->noutputs, ret);
}

/* -- over a flow ---------------------------------------- */

static hr_rows read_rows(const struct hr_transform_source *s, hr_flow *flow)
{
    hr_rows parts[256];
    uint32_t i, n = 0;
    size_t k;

    for (i = 0; i < s->artifacts; i++)
        for (k = 0; !k || (s->splits && s->splits[k]); k++)
            if (n < 256)
                parts[n++] = s->flow->read(flow, s->key, i, s->splits ? s->splits[k] : NULL);
    return n == 1 ? parts[0] : s->flow->flatten(flow, parts, n);
}

static hr_status take_result(struct hr_env *env, struct hr_program *p, size_t i,
                             struct ArrowArrayStream *rows)
{
    struct ArrowSchema schema = { 0 };
    struct ArrowArray row = { 0 };
    hr_status r = HR_INTERNAL;

    if (!rows->get_schema(rows, &schema)) {
        while (!rows->get_next(rows, &row) && row.release && !row.length)
            row.release(&row);
        if (row.release)
            r = hr_program_result(env, p, i, &schema, &row);
        else
            r = hr_fail(env, HR_INTERNAL, "an analyzer gave no row");
    }
    if (row.release)
        row.release(&row);
    if (schema.release)
        schema.release(&schema);
    rows->release(rows);
    return r;
}

static hr_status run_phase(struct hr_env *env, struct hr_program *p, const struct hr_phase *phase,
                           const struct hr_transform_source *s)
{
    hr_rows *kept = hr_mem_zero(env, phase->count * sizeof *kept), in;
    struct ArrowArrayStream rows;
    hr_status r;
    hr_flow *flow;
    size_t i;

    if (!kept)
        return HR_EXHAUSTED;
    flow = s->flow->begin(s->run);
    in = s->flow->map(flow, read_rows(s, flow), s->apply, phase->config, phase->size);
    for (i = 0; i < phase->count; i++) {
        kept[i] = s->flow->combine(flow, in, NULL, phase->items[i].function, phase->items[i].config,
                                   strlen(phase->items[i].config));
        s->flow->keep(flow, kept[i]);
    }
    r = s->flow->run(flow);
    for (i = 0; i < phase->count && r == HR_OK; i++)
        if ((r = s->flow->fetch(flow, kept[i], &rows)) == HR_OK)
            r = take_result(env, p, i, &rows);
    hr_mem_put(env, kept, phase->count * sizeof *kept);
    return r;
}

hr_status hr_program_analyze(struct hr_env *env, struct hr_program *p,
                             const struct hr_transform_source *source)
{
    struct hr_phase phase;
    hr_status r;

    while ((r = hr_program_phase(env, p, &phase)) == HR_OK && phase.count)
        if ((r = run_phase(env, p, &phase, source)) < 0)
            break;
    return r;
}
