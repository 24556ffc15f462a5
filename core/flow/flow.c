/* The steps: each copies what it is given, checks the numbers of rows, and cannot fail; the
 * first mistake is kept for run().
 */
#include "flow/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/combine.h"
#include "flow/graph.h"

enum { TAG_SHIFT = 20, INDEX_MASK = (1 << TAG_SHIFT) - 1 };

/* What begin() gives where there is no memory for a flow. */
static const hr_flow dead_flow = { .dead = true };

/* -- helpers ----------------------------------------------------------------------- */

void step_let_go(hr_flow *f, struct step *s)
{
    uint32_t p;

    for (p = 0; s->held && p < s->parts; p++) {
        chunks_clear(f, &s->held[p].chunks);
        ranks_clear(f, s, &s->held[p].ranks);
    }
    hr_mem_put(f->env, s->order, s->n_order * sizeof *s->order);
    hr_mem_put(f->env, s->batches, s->n_batches * sizeof *s->batches);
    table_free(f, s, s->table);
    s->order = NULL;
    s->batches = NULL;
    s->table = NULL;
    s->n_order = s->n_batches = 0;
    flow_let_go(f, &s->bytes);
}

static void step_clear(hr_flow *f, struct step *s)
{
    HR_RELEASE(&s->stream);
    step_let_go(f, s);
    if (s->kind == STEP_COMBINE && s->self)
        ((const hr_combine_1 *)s->function->table)->drop(s->self);
}

void flow_mistake(hr_flow *f, hr_status code, const char *format, ...)
{
    va_list args;

    if (f->mistake)
        return;
    f->mistake = code;
    va_start(args, format);
    vsnprintf(f->mistake_text, sizeof f->mistake_text, format, args);
    va_end(args);
}

const char *step_name(const struct step *s, char *to, size_t n)
{
    static const char *const names[] = { "read",  "from",    "map",   "combine",
                                         "group", "flatten", "write", "keep" };

    if (s->function)
        snprintf(to, n, "%s \"%s\"", names[s->kind], s->function->name);
    else if (s->key)
        snprintf(to, n, "%s of \"%s\"%s%s%s", names[s->kind], s->key, s->split ? " split \"" : "",
                 s->split ? s->split : "", s->split ? "\"" : "");
    else
        snprintf(to, n, "%s", names[s->kind]);
    return to;
}

static bool usable(hr_flow *f)
{
    if (f->dead || f->mistake)
        return false;
    if (f->started)
        flow_mistake(f, HR_PRECONDITION, "a flow is described before run(), not after it");
    return !f->mistake;
}

static struct step *add_step(hr_flow *f, enum step_kind kind)
{
    struct step *s;

    if (!hr_mem_reserve(f->env, (void **)&f->steps, &f->cap_steps, f->n_steps + 1, sizeof *f->steps,
                        HR_MAX_STEPS)) {
        flow_mistake(f, HR_EXHAUSTED, "a flow has at most %d steps", HR_MAX_STEPS);
        return NULL;
    }
    s = &f->steps[f->n_steps++];
    memset(s, 0, sizeof *s);
    s->kind = kind;
    return s;
}

static hr_rows add_colls(hr_flow *f, struct step *s, uint32_t n)
{
    uint32_t k;

    if (!hr_mem_reserve(f->env, (void **)&f->colls, &f->cap_colls, f->n_colls + n, sizeof *f->colls,
                        INDEX_MASK)) {
        flow_mistake(f, HR_EXHAUSTED, "a flow has at most %d collections", INDEX_MASK);
        return 0;
    }
    s->out = (uint32_t)f->n_colls;
    s->n_outs = n;
    for (k = 0; k < n; k++) {
        memset(&f->colls[f->n_colls], 0, sizeof *f->colls);
        f->colls[f->n_colls++].step = (uint32_t)(s - f->steps);
    }
    return f->tag << TAG_SHIFT | (s->out + 1);
}

/* Let s take the rows of a number. */
static bool take(hr_flow *f, struct step *s, const hr_rows *ins, uint32_t n)
{
    char name[256];
    uint32_t k, index;

    s->ins = hr_arena_array(&f->arena, n, sizeof *s->ins);
    s->n_ins = n;
    for (k = 0; s->ins && k < n; k++) {
        index = ins[k] & INDEX_MASK;
        if (!ins[k])
            flow_mistake(f, HR_INVALID, "%s takes rows 0, which are none",
                         step_name(s, name, sizeof name));
        else if (ins[k] >> TAG_SHIFT != f->tag || !index || index > f->n_colls)
            flow_mistake(f, HR_INVALID, "%s takes rows %u, which are not of this flow",
                         step_name(s, name, sizeof name), ins[k]);
        s->ins[k] = index - 1;
    }
    if (!s->ins)
        flow_mistake(f, HR_EXHAUSTED, "out of memory");
    return !f->mistake;
}

static bool set_text(hr_flow *f, char **to, const char *text)
{
    if (text && !(*to = hr_arena_text(&f->arena, text)))
        flow_mistake(f, HR_EXHAUSTED, "out of memory");
    return !f->mistake;
}

static bool set_artifact(hr_flow *f, struct step *s, const char *key, uint32_t i, const char *split)
{
    if (!key) {
        flow_mistake(f, HR_INVALID, "a step names no artifact: its key is NULL");
        return false;
    }
    s->i = i;
    return set_text(f, &s->key, key) && set_text(f, &s->split, split);
}

static bool set_keys(hr_flow *f, struct step *s, const char *const *keys)
{
    size_t n = 0, k;

    while (keys && keys[n])
        n++;
    if (!n)
        return true;
    s->keys = hr_arena_array(&f->arena, n, sizeof *s->keys);
    s->n_keys = n;
    for (k = 0; s->keys && k < n; k++)
        s->keys[k] = hr_arena_text(&f->arena, keys[k]);
    if (!s->keys || !s->keys[n - 1])
        flow_mistake(f, HR_EXHAUSTED, "out of memory");
    return !f->mistake;
}

static bool set_function(hr_flow *f, struct step *s, const char *name, const char *kind)
{
    const hr_function *const *p = f->host.functions;
    const char *names[256], *meant;
    size_t n = 0;

    for (; p && *p; p++) {
        if (hr_text_eq((*p)->name, name) && hr_text_eq((*p)->kind, kind)) {
            s->function = *p;
            return true;
        }
        if (hr_text_eq((*p)->name, name)) {
            flow_mistake(f, HR_INVALID, "function \"%s\" is of kind \"%s\", not \"%s\"", name,
                         (*p)->kind, kind);
            return false;
        }
        if (n < 256)
            names[n++] = (*p)->name;
    }
    meant = name ? hr_text_meant(name, names, n) : NULL;
    flow_mistake(f, HR_INVALID, "the component has no function \"%s\"%s%s%s", name ? name : "",
                 meant ? "; did you mean \"" : "; list it in hr_component.functions",
                 meant ? meant : "", meant ? "\"?" : "");
    return false;
}

static bool set_config(hr_flow *f, struct step *s, const void *config, size_t size)
{
    if (size > UINT32_MAX) {
        flow_mistake(f, HR_INVALID, "the config of a function has %zu bytes, over 2^32", size);
        return false;
    }
    s->config_size = (uint32_t)size;
    s->config = hr_arena_bytes(&f->arena, size ? config : "", size);
    if (!s->config)
        flow_mistake(f, HR_EXHAUSTED, "out of memory");
    return !f->mistake;
}

/* -- steps ------------------------------------------------------------------------- */

static hr_rows flow_read(hr_flow *f, const char *key, uint32_t i, const char *split)
{
    struct step *s;

    if (!usable(f) || !(s = add_step(f, STEP_READ)) || !set_artifact(f, s, key, i, split))
        return 0;
    return add_colls(f, s, 1);
}

static hr_rows flow_from(hr_flow *f, struct ArrowArrayStream *rows)
{
    struct step *s = usable(f) ? add_step(f, STEP_FROM) : NULL;

    if (!s) {
        HR_RELEASE(rows);
        return 0;
    }
    s->stream = *rows;
    rows->release = NULL;
    return add_colls(f, s, 1);
}

static void flow_attach(hr_flow *f, const char *key, uint32_t i)
{
    size_t before;
    hr_status r;

    if (!usable(f) || !f->host.attach)
        return;
    before = f->env->errors.count;
    r = f->host.attach(f->host.user, key, i);
    if (r < 0) {
        flow_mistake(f, r, "cannot attach \"%s\": %s", key,
                     f->env->errors.count > before
                         ? f->env->errors.items[f->env->errors.count - 1].text
                         : hr_status_text(r));
        hr_errors_cut(f->env, before);
    }
}

static hr_rows flow_map(hr_flow *f, hr_rows in, const char *function, const void *config,
                        size_t size)
{
    struct step *s;

    if (!usable(f) || !(s = add_step(f, STEP_MAP)) || !set_function(f, s, function, HR_MAP) ||
        !take(f, s, &in, 1) || !set_config(f, s, config, size))
        return 0;
    return add_colls(f, s, s->function->outputs ? s->function->outputs : 1);
}

static hr_rows flow_combine(hr_flow *f, hr_rows in, const char *const *keys, const char *function,
                            const void *config, size_t size)
{
    struct step *s;

    if (!usable(f) || !(s = add_step(f, STEP_COMBINE)) ||
        !set_function(f, s, function, HR_COMBINE) || !take(f, s, &in, 1) || !set_keys(f, s, keys) ||
        !set_config(f, s, config, size))
        return 0;
    return add_colls(f, s, 1);
}

static hr_rows flow_group(hr_flow *f, hr_rows in, const char *const *keys)
{
    struct step *s;

    if (!usable(f) || !(s = add_step(f, STEP_GROUP)) || !take(f, s, &in, 1) ||
        !set_keys(f, s, keys))
        return 0;
    if (!s->n_keys) {
        flow_mistake(f, HR_INVALID, "group names no keys");
        return 0;
    }
    return add_colls(f, s, 1);
}

static hr_rows flow_flatten(hr_flow *f, const hr_rows *ins, uint32_t n)
{
    struct step *s;

    if (!usable(f) || !(s = add_step(f, STEP_FLATTEN)) || !take(f, s, ins, n))
        return 0;
    if (!n) {
        flow_mistake(f, HR_INVALID, "flatten takes no rows");
        return 0;
    }
    return add_colls(f, s, 1);
}

static void flow_write(hr_flow *f, hr_rows in, const char *key, uint32_t i, const char *split)
{
    struct step *s;
    size_t k;

    if (!usable(f) || !(s = add_step(f, STEP_WRITE)) || !set_artifact(f, s, key, i, split) ||
        !take(f, s, &in, 1))
        return;
    for (k = 0; k + 1 < f->n_steps; k++) {
        const struct step *o = &f->steps[k];

        if (o->kind == STEP_WRITE && o->i == i && !strcmp(o->key, key) &&
            hr_text_eq(o->split, split))
            flow_mistake(f, HR_INVALID,
                         "two steps write split \"%s\" of \"%s\"; flatten the rows and write them "
                         "once",
                         split ? split : "", key);
    }
}

static void flow_keep(hr_flow *f, hr_rows in)
{
    struct step *s;

    if (usable(f) && (s = add_step(f, STEP_KEEP)))
        take(f, s, &in, 1);
}

/* -- running ----------------------------------------------------------------------- */

/* Pass on to the host what was told in env since before, inner reasons first.  The host may
 * tell it in the same env again, so it is taken out of there first. */
static hr_status report(hr_flow *f, hr_status r, size_t before)
{
    struct hr_errors *errors = &f->env->errors;
    size_t n, i;
    struct told {
        hr_status code;
        char *text;
    } * told;
    struct hr_buf text;

    if (errors->count <= before)
        hr_fail(f->env, r, "the flow failed: %s", hr_status_text(r));
    if (!f->host.fail || errors->count <= before)
        return r;
    n = errors->count - before;
    if (!(told = hr_arena_array(&f->arena, n, sizeof *told)))
        return r;
    hr_buf_of(&text, HR_MAX_ERROR_TEXT, f->env);
    for (i = 0; i < n; i++) {
        hr_buf_cut(&text, 0);
        hr_error_format(&errors->items[before + i], &text);
        told[i].code = errors->items[before + i].code;
        told[i].text = hr_arena_text(&f->arena, text.text);
    }
    hr_buf_clear(&text);
    hr_errors_cut(f->env, before);
    for (i = 0; i < n; i++)
        r = f->host.fail(f->host.user, told[i].code, told[i].text ? told[i].text : "out of memory");
    return r;
}

static hr_status drain(struct hr_env *env, hr_flow *f, struct step *s, bool share,
                       struct ArrowArrayStream *ret)
{
    size_t n = 0, at = 0, k;
    struct ArrowArray *batches;
    hr_status r = HR_OK;
    uint32_t p;

    for (p = 0; p < s->parts; p++)
        n += s->held[p].chunks.n;
    batches = hr_mem_zero(env, (n + 1) * sizeof *batches);
    if (!batches)
        return HR_EXHAUSTED;
    for (p = 0; r == HR_OK && p < s->parts; p++)
        for (k = 0; r == HR_OK && k < s->held[p].chunks.n; k++) {
            struct ArrowArray *rows = &s->held[p].chunks.items[k].rows;
            struct hr_owner *owner = NULL;

            if (!share) {
                batches[at++] = *rows;
                rows->release = NULL;
            } else if ((r = hr_arrow_owner(env, rows, &owner)) == HR_OK) {
                /* one share goes, the other stays for the next fetch() */
                r = hr_arrow_share(env, &owner->rows, owner, hr_cut(0, owner->rows.length), rows);
                if (r == HR_OK)
                    r = hr_arrow_share(env, &owner->rows, owner, hr_cut(0, owner->rows.length),
                                       &batches[at++]);
                hr_owner_drop(owner);
            }
        }
    if (r == HR_OK)
        r = hr_arrow_stream_list(env, &f->colls[s->ins[0]].schema, batches, n, ret);
    else
        for (k = 0; k < at; k++)
            HR_RELEASE(&batches[k]);
    hr_mem_put(env, batches, (n + 1) * sizeof *batches);
    return r;
}

static hr_status write_all(hr_flow *f)
{
    struct ArrowArrayStream rows;
    hr_status r = HR_OK;
    size_t k;

    for (k = 0; r == HR_OK && k < f->n_steps; k++) {
        struct step *s = &f->steps[k];

        if (s->kind != STEP_WRITE)
            continue;
        if (!f->host.write)
            return hr_fail(f->env, HR_UNIMPLEMENTED, "this host has no outputs to write to");
        if ((r = drain(f->env, f, s, false, &rows)) == HR_OK) {
            s->done = true;
            r = f->host.write(f->host.user, s->key, s->i, s->split, &rows);
        }
    }
    for (k = 0; r < 0 && f->host.undo && k < f->n_steps; k++)
        if (f->steps[k].done)
            f->host.undo(f->host.user, f->steps[k].key, f->steps[k].i, f->steps[k].split);
    return r;
}

static hr_status run_all(hr_flow *f)
{
    hr_status r = flow_plan(f);
    size_t k;

    for (k = 0; r == HR_OK && k < f->n_steps; k++) {
        struct step *s = &f->steps[k];

        if (s->kind == STEP_COMBINE)
            r = combine_end(f, s);
        else if (s->kind == STEP_GROUP)
            r = group_sort(f, s);
        if (r == HR_OK && s->n_outs == 1 && f->colls[s->out].n_edges &&
            (s->kind == STEP_READ || s->kind == STEP_FROM || s->kind == STEP_COMBINE ||
             s->kind == STEP_GROUP))
            r = flow_run_source(f, s);
    }
    return r < 0 ? r : write_all(f);
}

static hr_status flow_run(hr_flow *f)
{
    size_t before;
    hr_status r;

    if (f->dead)
        return HR_EXHAUSTED;
    before = f->env->errors.count;
    if (f->started && !f->mistake)
        return report(f, hr_fail(f->env, HR_PRECONDITION, "a flow is run once"), before);
    f->started = true;
    if (f->mistake) {
        hr_errors_cut(f->env, before);
        return report(f, hr_fail(f->env, f->mistake, "%s", f->mistake_text), before);
    }
    if ((r = run_all(f)) < 0)
        return report(f, r, before);
    f->ran = true;
    return HR_OK;
}

static hr_status flow_fetch(hr_flow *f, hr_rows in, struct ArrowArrayStream *ret)
{
    size_t before, k;
    uint32_t index = (in & INDEX_MASK) - 1;
    hr_status r;

    if (f->dead)
        return HR_EXHAUSTED;
    before = f->env->errors.count;
    if (!f->ran)
        return report(
            f, hr_fail(f->env, HR_PRECONDITION, "fetch() comes after a run() that succeeded"),
            before);
    for (k = 0; k < f->n_steps; k++)
        if (f->steps[k].kind == STEP_KEEP && in >> TAG_SHIFT == f->tag &&
            f->steps[k].ins[0] == index)
            break;
    if (k == f->n_steps)
        return report(
            f, hr_fail(f->env, HR_NOT_FOUND, "rows %u were not kept; call keep() before run()", in),
            before);
    r = drain(f->env, f, &f->steps[k], true, ret);
    return r < 0 ? report(f, r, before) : HR_OK;
}

const hr_flow_1 hr_flow_steps = {
    NULL,       flow_read,    flow_from,  flow_attach, flow_map, flow_combine,
    flow_group, flow_flatten, flow_write, flow_keep,   flow_run, flow_fetch,
};

void hr_flow_table(hr_flow *(*begin)(hr_run *run), hr_flow_1 *ret)
{
    *ret = hr_flow_steps;
    ret->begin = begin;
}

/* -- begin and end ----------------------------------------------------------------- */

hr_flow *hr_flow_none(void)
{
    return (hr_flow *)(uintptr_t)&dead_flow; /* never written to: dead is looked at first */
}

hr_flow *hr_flow_new(struct hr_env *env, const struct hr_flow_host *host)
{
    hr_flow *f = hr_mem_zero(env, sizeof *f);
    uint64_t at = (uint64_t)(uintptr_t)f;

    if (!f)
        return hr_flow_none();
    f->env = env;
    f->host = *host;
    f->tag = (uint32_t)(hr_hash64(&at, sizeof at, 0) & 0xfff);
    hr_arena_init(&f->arena, env, 0);
    return f;
}

void hr_flow_free(hr_flow *f)
{
    struct lane *lane;
    size_t k;

    if (!f || f->dead)
        return;
    for (k = 0; k < f->n_steps; k++)
        step_clear(f, &f->steps[k]);
    while ((lane = f->lanes)) {
        f->lanes = lane->next;
        flow_lane_free(f, lane);
    }
    for (k = 0; k < f->n_colls; k++) {
        HR_RELEASE(&f->colls[k].schema);
        hr_mem_put(f->env, f->colls[k].edges, f->colls[k].cap_edges * sizeof(struct edge));
    }
    hr_mem_put(f->env, f->steps, f->cap_steps * sizeof *f->steps);
    hr_mem_put(f->env, f->colls, f->cap_colls * sizeof *f->colls);
    hr_arena_clear(&f->arena);
    hr_mem_put(f->env, f, sizeof *f);
}
