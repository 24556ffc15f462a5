/* Before anything runs: who takes what, in how many parts, with which schemas.  Maps are made
 * here for the first lane, and their schemas are those of what they give; further lanes are made
 * as threads ask for them.
 */
#include <string.h>

#include "flow/graph.h"
#include "headrace/rows.h"

/* -- lanes ------------------------------------------------------------------------- */

static void lock(hr_flow *f)
{
    while (__atomic_exchange_n(&f->lock, 1, __ATOMIC_ACQUIRE))
        ;
}

static void unlock(hr_flow *f)
{
    __atomic_store_n(&f->lock, 0, __ATOMIC_RELEASE);
}

static hr_status lane_new(hr_flow *f, struct lane **ret)
{
    struct lane *lane = hr_mem_zero(f->env, sizeof *lane);
    size_t k;
    uint32_t p;

    if (lane)
        lane->calls = hr_mem_zero(f->env, (f->n_slots + 1) * sizeof *lane->calls);
    if (!lane || !lane->calls) {
        hr_mem_put(f->env, lane, sizeof *lane);
        return HR_EXHAUSTED;
    }
    for (k = 0; k < f->n_steps; k++) {
        struct step *s = &f->steps[k];

        for (p = 0; s->function && p < (s->kind == STEP_MAP ? s->parts : 1); p++) {
            struct hr_flow_call *call = &lane->calls[s->slot + p];

            call->flow = f;
            call->step = s;
            call->part = p;
            call->run = f->host.call_begin(f->host.user, call);
            if (!call->run) {
                flow_lane_free(f, lane);
                return hr_fail_memory(f->env);
            }
        }
    }
    *ret = lane;
    return HR_OK;
}

void flow_lane_free(hr_flow *f, struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < f->n_slots; i++) {
        struct hr_flow_call *call = &lane->calls[i];

        if (call->self)
            ((const hr_map_1 *)call->step->function->table)->drop(call->self);
        if (call->run)
            f->host.call_end(f->host.user, call->run);
    }
    hr_mem_put(f->env, lane->calls, (f->n_slots + 1) * sizeof *lane->calls);
    hr_mem_put(f->env, lane, sizeof *lane);
}

hr_status call_end(struct hr_flow_call *call, hr_status r)
{
    char name[256];

    if (r == HR_OK)
        return call->refused;
    if (call->refused && !call->text[0])
        return r;
    step_name(call->step, name, sizeof name);
    if (call->text[0])
        return hr_fail(call->flow->env, r, "%s: %s", name, call->text);
    if (r == HR_EXHAUSTED)
        return hr_fail(call->flow->env, r, "%s: out of memory", name);
    return hr_fail(call->flow->env, r, "%s failed with %s and gave no reason (a bug of the plugin)",
                   name, hr_status_id(r));
}

/* Check what make() gave; on failure all of it is released. */
static hr_status check_outs(struct hr_flow_call *call, struct ArrowSchema *outs, uint32_t n)
{
    struct hr_env *env = call->flow->env;
    char name[256];
    hr_status r = HR_OK;
    uint32_t k;

    step_name(call->step, name, sizeof name);
    for (k = 0; r == HR_OK && k < n; k++)
        r = hr_arrow_check_schema(env, &outs[k], name);
    for (k = 0; r < 0 && k < n; k++)
        HR_RELEASE(&outs[k]);
    return r;
}

static hr_function_args args_of(const hr_flow *f, const struct step *s)
{
    return (hr_function_args){ .struct_size = sizeof(hr_function_args),
                               .config_size = s->config_size,
                               .config = s->config,
                               .name = s->function->name,
                               .in = &f->colls[s->ins[0]].schema };
}

/* The instance of a map; outs has room for its outputs. */
static hr_status make_map(struct hr_flow_call *call, struct ArrowSchema *outs)
{
    struct step *s = call->step;
    const hr_map_1 *map = s->function->table;
    hr_function_args args = args_of(call->flow, s);
    hr_status r;

    memset(outs, 0, s->n_outs * sizeof *outs);
    r = map->make(call->flow->host.host, call->run, &args, outs, &call->self);
    if (r < 0) {
        call->self = NULL;
        return call_end(call, r);
    }
    return check_outs(call, outs, s->n_outs);
}

/* One more instance, which must give what the first gave. */
static hr_status make_again(struct hr_flow_call *call)
{
    hr_flow *f = call->flow;
    struct step *s = call->step;
    size_t size = s->n_outs * sizeof(struct ArrowSchema);
    struct ArrowSchema *outs = hr_mem_zero(f->env, size);
    hr_status r = outs ? make_map(call, outs) : HR_EXHAUSTED;
    char name[256];
    uint32_t k;

    if (r == HR_OK)
        for (k = 0; k < s->n_outs; k++) {
            if (r == HR_OK && !hr_arrow_schema_equal(&outs[k], &f->colls[s->out + k].schema))
                r = hr_fail(f->env, HR_INTERNAL,
                            "%s: a second instance gives another schema than the first (a bug of "
                            "the plugin)",
                            step_name(s, name, sizeof name));
            HR_RELEASE(&outs[k]);
        }
    hr_mem_put(f->env, outs, size);
    return r;
}

hr_status flow_lane_get(hr_flow *f, struct lane **ret)
{
    struct lane *lane;
    hr_status r;
    uint32_t i;

    lock(f);
    lane = f->lanes;
    if (lane)
        f->lanes = lane->next;
    unlock(f);
    if (!lane && (r = lane_new(f, &lane)) < 0)
        return r;
    for (i = 0; i < f->n_slots; i++) {
        struct hr_flow_call *call = &lane->calls[i];

        call->refused = HR_OK;
        call->text[0] = '\0';
        if (call->step->kind == STEP_MAP && !call->self && (r = make_again(call)) < 0) {
            flow_lane_free(f, lane);
            return r;
        }
    }
    *ret = lane;
    return HR_OK;
}

void flow_lane_put(hr_flow *f, struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < f->n_slots; i++) {
        lane->calls[i].task = NULL;
        lane->calls[i].touched = false;
    }
    lock(f);
    lane->next = f->lanes;
    f->lanes = lane;
    unlock(f);
}

/* -- parts and edges --------------------------------------------------------------- */

static hr_status add_edge(hr_flow *f, struct coll *c, uint32_t step, uint32_t base)
{
    if (!hr_mem_reserve(f->env, (void **)&c->edges, &c->cap_edges, c->n_edges + 1, sizeof *c->edges,
                        HR_MAX_STEPS))
        return HR_EXHAUSTED;
    c->edges[c->n_edges++] = (struct edge){ step, base };
    return HR_OK;
}

static bool is_sink(const struct step *s)
{
    return s->kind == STEP_COMBINE || s->kind == STEP_GROUP || s->kind == STEP_WRITE ||
           s->kind == STEP_KEEP;
}

static hr_status plan_parts(hr_flow *f, struct step *s)
{
    uint32_t k, parts = 0;
    hr_status r;

    for (k = 0; k < s->n_ins; k++) {
        struct coll *c = &f->colls[s->ins[k]];

        if ((r = add_edge(f, c, (uint32_t)(s - f->steps), parts)) < 0)
            return r;
        parts += c->parts;
        if (parts > HR_MAX_PARTS)
            return hr_fail(f->env, HR_EXHAUSTED, "flatten has more than %d parts; flatten in steps",
                           HR_MAX_PARTS);
    }
    s->parts = parts;
    if (s->function) {
        s->slot = f->n_slots;
        f->n_slots += s->kind == STEP_MAP ? parts : 1;
    }
    if (is_sink(s)) {
        s->bin = f->n_bins;
        f->n_bins += parts;
        s->held = hr_arena_array(&f->arena, parts, sizeof *s->held);
        if (!s->held)
            return HR_EXHAUSTED;
        parts = 1; /* of what it gives */
    }
    for (k = 0; k < s->n_outs; k++)
        f->colls[s->out + k].parts = s->n_ins ? parts : 1;
    return HR_OK;
}

/* -- schemas ----------------------------------------------------------------------- */

static hr_status plan_source(hr_flow *f, struct step *s)
{
    char name[256];
    hr_status r = HR_OK;

    step_name(s, name, sizeof name);
    if (s->kind == STEP_READ) {
        if (!f->host.read)
            return hr_fail(f->env, HR_UNIMPLEMENTED, "%s: this host has no inputs to read", name);
        memset(&s->stream, 0, sizeof s->stream);
        r = f->host.read(f->host.user, s->key, s->i, s->split, &s->stream);
        if (r < 0)
            s->stream.release = NULL;
    }
    if (r == HR_OK && !s->stream.release)
        return hr_fail(f->env, HR_INVALID, "%s: the stream was released before the run", name);
    return r < 0 ? r : hr_arrow_stream_schema(f->env, &s->stream, name, &f->colls[s->out].schema);
}

static hr_status plan_map(hr_flow *f, struct lane *lane, struct step *s)
{
    size_t size = s->n_outs * sizeof(struct ArrowSchema);
    struct ArrowSchema *outs = hr_mem_zero(f->env, size);
    hr_status r = outs ? make_map(&lane->calls[s->slot], outs) : HR_EXHAUSTED;
    uint32_t k;

    for (k = 0; r == HR_OK && k < s->n_outs; k++)
        f->colls[s->out + k].schema = outs[k];
    hr_mem_put(f->env, outs, size);
    return r;
}

/* Keys first, then what extract() gives, which is moved out of *out. */
static hr_status join_schema(hr_flow *f, const struct step *s, struct ArrowSchema *out,
                             struct ArrowSchema *ret)
{
    const struct ArrowSchema *in = &f->colls[s->ins[0]].schema;
    struct ArrowSchema made;
    hr_status r = HR_OK;
    char name[256];
    size_t k;
    int64_t i;

    if (hr_schema_new("+s", "", (int64_t)s->n_keys + out->n_children, &made) < 0)
        return hr_fail_memory(f->env);
    for (k = 0; r == HR_OK && k < s->n_keys; k++) {
        if (hr_col_find(out, s->keys[k]) >= 0)
            r = hr_fail(f->env, HR_INVALID,
                        "%s: \"%s\" is both a key and a column that the function gives",
                        step_name(s, name, sizeof name), s->keys[k]);
        else
            r = keys_schema(f->env, in->children[s->plan.columns[k].column], made.children[k]);
    }
    if (r < 0) {
        HR_RELEASE(&made);
        return r;
    }
    for (i = 0; i < out->n_children; i++) {
        *made.children[(int64_t)s->n_keys + i] = *out->children[i];
        out->children[i]->release = NULL;
    }
    *ret = made;
    return HR_OK;
}

static hr_status plan_combine(hr_flow *f, struct lane *lane, struct step *s)
{
    struct hr_flow_call *call = &lane->calls[s->slot];
    const hr_combine_1 *combine = s->function->table;
    hr_function_args args = args_of(f, s);
    struct ArrowSchema out = { 0 };
    char name[256];
    hr_status r;

    step_name(s, name, sizeof name);
    r = keys_plan(&f->arena, args.in, &(struct key_names){ s->keys, s->n_keys }, name, &s->plan);
    if (r < 0)
        return r;
    r = combine->make(f->host.host, call->run, &args, &out, &s->self);
    if (r < 0) {
        s->self = NULL;
        return call_end(call, r);
    }
    if ((r = check_outs(call, &out, 1)) < 0)
        return r;
    if (!s->n_keys) {
        f->colls[s->out].schema = out;
        return HR_OK;
    }
    r = join_schema(f, s, &out, &f->colls[s->out].schema);
    HR_RELEASE(&out);
    return r;
}

static hr_status plan_group(hr_flow *f, struct step *s)
{
    const struct ArrowSchema *in = &f->colls[s->ins[0]].schema;
    char name[256];
    hr_status r;

    step_name(s, name, sizeof name);
    r = keys_plan(&f->arena, in, &(struct key_names){ s->keys, s->n_keys }, name, &s->plan);
    return r < 0 ? r : hr_arrow_schema_copy(f->env, in, &f->colls[s->out].schema);
}

static hr_status plan_flatten(hr_flow *f, struct step *s)
{
    const struct ArrowSchema *first = &f->colls[s->ins[0]].schema;
    struct hr_buf text;
    hr_status r = HR_OK;
    uint32_t k;

    for (k = 1; r == HR_OK && k < s->n_ins; k++) {
        const struct ArrowSchema *other = &f->colls[s->ins[k]].schema;

        if (hr_arrow_schema_equal(first, other))
            continue;
        hr_buf_of(&text, HR_MAX_ERROR_TEXT, f->env);
        hr_arrow_schema_differ(other, first, &text);
        r = hr_fail(f->env, HR_INVALID, "flatten: input %u has another schema than the first: %s",
                    k + 1, text.text);
        hr_buf_clear(&text);
    }
    return r < 0 ? r : hr_arrow_schema_copy(f->env, first, &f->colls[s->out].schema);
}

static hr_status plan_step(hr_flow *f, struct lane *lane, struct step *s)
{
    switch (s->kind) {
    case STEP_READ:
    case STEP_FROM:
        return plan_source(f, s);
    case STEP_MAP:
        return plan_map(f, lane, s);
    case STEP_COMBINE:
        return plan_combine(f, lane, s);
    case STEP_GROUP:
        return plan_group(f, s);
    case STEP_FLATTEN:
        return plan_flatten(f, s);
    default:
        return HR_OK;
    }
}

hr_status flow_plan(hr_flow *f)
{
    struct lane *lane = NULL;
    hr_status r = HR_OK;
    size_t k;

    for (k = 0; r == HR_OK && k < f->n_steps; k++)
        r = plan_parts(f, &f->steps[k]);
    if (r < 0 || (r = lane_new(f, &lane)) < 0)
        return r;
    for (k = 0; r == HR_OK && k < f->n_steps; k++)
        r = plan_step(f, lane, &f->steps[k]);
    flow_lane_put(f, lane);
    return r;
}
