#include "flow/combine.h"

#include <string.h>

#include "headrace/rows.h"

enum { KEY_BYTES = 1 << 30 }; /* encoded keys of one batch */

/* -- tables ------------------------------------------------------------------------ */

hr_status table_new(hr_flow *f, struct table **ret)
{
    struct table *t = hr_mem_zero(f->env, sizeof *t);

    if (!t)
        return HR_EXHAUSTED;
    hr_arena_init(&t->arena, f->env, 0);
    hr_buf_of(&t->encoded, KEY_BYTES, f->env);
    *ret = t;
    return HR_OK;
}

void table_free(hr_flow *f, const struct step *s, struct table *t)
{
    const hr_combine_1 *c;
    size_t i;

    if (!t)
        return;
    c = s->function->table;
    for (i = 0; i < t->n; i++)
        if (t->accs[i])
            c->drop_acc(s->self, t->accs[i]);
    hr_mem_put(f->env, t->keys, t->cap * sizeof *t->keys);
    hr_mem_put(f->env, t->accs, t->cap * sizeof *t->accs);
    hr_mem_put(f->env, t->slots, t->n_slots * sizeof *t->slots);
    hr_buf_clear(&t->encoded);
    hr_arena_clear(&t->arena);
    flow_let_go(f, &t->bytes);
    hr_mem_put(f->env, t, sizeof *t);
}

static hr_status table_grow(hr_flow *f, struct table *t)
{
    size_t cap = t->cap ? t->cap * 2 : 16, n_slots = cap * 2, i;
    struct table_key *keys;
    uint32_t *slots;
    void **accs;

    if (cap > UINT32_MAX / 4)
        return hr_fail(f->env, HR_EXHAUSTED, "a combine has more than %zu keys", t->n);
    if (flow_hold(f, &t->bytes,
                  (cap - t->cap) * (sizeof *keys + sizeof *accs + 2 * sizeof *slots)) < 0)
        return HR_EXHAUSTED;
    keys = hr_mem_resize(f->env, t->keys, t->cap * sizeof *keys, cap * sizeof *keys);
    if (!keys)
        return HR_EXHAUSTED;
    t->keys = keys;
    accs = hr_mem_resize(f->env, t->accs, t->cap * sizeof *accs, cap * sizeof *accs);
    if (!accs) { /* keys is larger than cap says, which the next resize would not know */
        keys = hr_mem_resize(f->env, t->keys, cap * sizeof *keys,
                             (t->cap ? t->cap : 1) * sizeof *keys);
        t->keys = t->cap ? keys : NULL;
        if (!t->cap)
            hr_mem_put(f->env, keys, sizeof *keys);
        return HR_EXHAUSTED;
    }
    t->accs = accs;
    t->cap = cap;
    if (!(slots = hr_mem_zero(f->env, n_slots * sizeof *slots)))
        return HR_EXHAUSTED;
    hr_mem_put(f->env, t->slots, t->n_slots * sizeof *t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    for (i = 0; i < t->n; i++) {
        size_t at = t->keys[i].hash & (n_slots - 1);

        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = (uint32_t)i + 1;
    }
    return HR_OK;
}

/* The index of a key; a new one has a NULL accumulator. */
static hr_status table_find(hr_flow *f, struct table *t, const struct table_key *key, uint32_t *ret)
{
    size_t at;
    uint8_t *copy;
    hr_status r;

    if (t->n * 2 >= t->n_slots || t->n == t->cap)
        if ((r = table_grow(f, t)) < 0)
            return r;
    for (at = key->hash & (t->n_slots - 1); t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
        const struct table_key *k = &t->keys[t->slots[at] - 1];

        if (k->hash == key->hash && k->size == key->size &&
            !memcmp(k->bytes, key->bytes, key->size)) {
            *ret = t->slots[at] - 1;
            return HR_OK;
        }
    }
    if (!(copy = hr_arena_get(&t->arena, key->size ? key->size : 1)))
        return HR_EXHAUSTED;
    memcpy(copy, key->bytes, key->size);
    t->keys[t->n] = (struct table_key){ copy, key->size, key->hash };
    t->accs[t->n] = NULL;
    *ret = (uint32_t)t->n++;
    t->slots[at] = (uint32_t)t->n;
    return HR_OK;
}

static hr_status find_or_create(struct hr_flow_call *call, struct table *t, const void *key,
                                uint32_t size, uint32_t *ret)
{
    const hr_combine_1 *c = call->step->function->table;
    struct table_key k = { key, size, (uint32_t)(hr_hash64(key, size, 0) >> 32) };
    hr_status r = table_find(call->flow, t, &k, ret);

    if (r < 0 || t->accs[*ret])
        return r;
    r = c->create(call->step->self, call->run, &t->accs[*ret]);
    if (r < 0)
        t->accs[*ret] = NULL;
    return call_end(call, r);
}

static hr_status add_keyed(struct hr_flow_call *call, struct table *t,
                           const struct ArrowArray *rows, uint32_t *group, uint32_t *ends)
{
    const struct step *s = call->step;
    hr_flow *f = call->flow;
    uint32_t begin = 0;
    hr_status r;
    int64_t i;

    hr_buf_cut(&t->encoded, 0);
    r = keys_encode(f->env, &s->plan, rows, &t->encoded, ends);
    for (i = 0; r == HR_OK && i < rows->length; begin = ends[i++])
        r = find_or_create(call, t, t->encoded.text + begin, ends[i] - begin, &group[i]);
    if (r < 0)
        return r;
    return call_end(call, ((const hr_combine_1 *)s->function->table)
                              ->add_batch(s->self, call->run, t->accs, group, rows));
}

hr_status table_add(struct hr_flow_call *call, struct table *t, const struct ArrowArray *rows)
{
    const struct step *s = call->step;
    struct hr_env *env = call->flow->env;
    size_t size = ((size_t)rows->length + 1) * sizeof(uint32_t);
    uint32_t *group, *ends, one;
    hr_status r;

    if (!s->n_keys) {
        if ((r = find_or_create(call, t, "", 0, &one)) < 0 || !rows->length)
            return r;
        return call_end(call, ((const hr_combine_1 *)s->function->table)
                                  ->add_batch(s->self, call->run, t->accs, NULL, rows));
    }
    group = hr_mem_zero(env, size);
    ends = hr_mem_zero(env, size);
    r = group && ends ? add_keyed(call, t, rows, group, ends) : HR_EXHAUSTED;
    hr_mem_put(env, group, size);
    hr_mem_put(env, ends, size);
    return r;
}

/* The bytes of n accumulators, and new ones from them; the old ones are dropped. */
static hr_status through_bytes(struct hr_flow_call *call, void **accs, uint32_t n, void **back)
{
    const struct step *s = call->step;
    const hr_combine_1 *c = s->function->table;
    struct ArrowArray bytes = { 0 };
    hr_status r = call_end(call, c->serialize(s->self, call->run, accs, n, &bytes));
    uint32_t i;

    if (r < 0)
        return r;
    if (bytes.length != n || bytes.n_buffers != 3)
        r = hr_fail(call->flow->env, HR_INTERNAL,
                    "combine \"%s\": serialize() gave other values than it was asked for (a bug of "
                    "the plugin)",
                    s->function->name);
    else
        r = call_end(call, c->deserialize(s->self, call->run, &bytes, back));
    HR_RELEASE(&bytes);
    for (i = 0; r == HR_OK && i < n; i++) {
        c->drop_acc(s->self, accs[i]);
        accs[i] = back[i];
    }
    return r;
}

hr_status table_through_bytes(struct hr_flow_call *call, struct table *t)
{
    void **back = hr_mem_zero(call->flow->env, t->n * sizeof *back);
    hr_status r = back ? HR_OK : HR_EXHAUSTED;

    if (r == HR_OK && t->n)
        r = through_bytes(call, t->accs, (uint32_t)t->n, back);
    hr_mem_put(call->flow->env, back, t->n * sizeof *back);
    return r;
}

hr_status table_merge(struct hr_flow_call *call, struct table *t, struct table *from)
{
    const struct step *s = call->step;
    const hr_combine_1 *c = s->function->table;
    hr_status r = HR_OK;
    uint32_t at;
    size_t i;

    for (i = 0; r == HR_OK && i < from->n; i++) {
        const struct table_key *k = &from->keys[i];

        if ((r = table_find(call->flow, t, k, &at)) < 0)
            break;
        if (!t->accs[at]) {
            t->accs[at] = from->accs[i];
            from->accs[i] = NULL;
        } else {
            r = call_end(call, c->merge(s->self, call->run, t->accs[at], from->accs[i]));
        }
    }
    table_free(call->flow, s, from);
    return r;
}

/* -- the tree of blocks ------------------------------------------------------------ */

hr_status ranks_push(struct hr_flow_call *call, struct ranks *ranks, int rank, struct table *t)
{
    hr_status r = HR_OK;

    for (; r == HR_OK && ranks->at[rank]; rank++) {
        r = table_merge(call, ranks->at[rank], t);
        t = ranks->at[rank];
        ranks->at[rank] = NULL;
    }
    ranks->at[rank] = t; /* after a failure it is there to be freed */
    return r;
}

hr_status ranks_end(struct hr_flow_call *call, struct ranks *ranks, struct table **ret)
{
    struct table *t = NULL;
    hr_status r = HR_OK;
    int rank;

    for (rank = 0; rank < MAX_RANKS; rank++) {
        if (!ranks->at[rank])
            continue;
        if (t && r == HR_OK)
            r = table_merge(call, ranks->at[rank], t);
        else if (t)
            table_free(call->flow, call->step, t);
        t = ranks->at[rank];
        ranks->at[rank] = NULL;
    }
    *ret = t;
    return r;
}

void ranks_clear(hr_flow *f, const struct step *s, struct ranks *ranks)
{
    int rank;

    for (rank = 0; rank < MAX_RANKS; rank++)
        if (ranks->at[rank]) {
            table_free(f, s, ranks->at[rank]);
            ranks->at[rank] = NULL;
        }
}

static hr_status merge_parts(struct hr_flow_call *call, struct step *s)
{
    hr_status r = HR_OK;
    uint32_t p;

    for (p = 0; r == HR_OK && p < s->parts; p++) {
        struct table *t = NULL;

        r = ranks_end(call, &s->held[p].ranks, &t);
        if (!t)
            continue;
        if (!s->table)
            s->table = t;
        else if (r == HR_OK)
            r = table_merge(call, s->table, t);
        else
            table_free(call->flow, s, t);
    }
    return r;
}

/* Without keys there is one row, also of no rows. */
static hr_status at_least_one(struct hr_flow_call *call, struct step *s)
{
    static const struct ArrowArray none;
    hr_status r = HR_OK;

    if (!s->table)
        r = table_new(call->flow, &s->table);
    if (r < 0 || s->n_keys)
        return r;
    return table_add(call, s->table, &none);
}

hr_status combine_end(hr_flow *f, struct step *s)
{
    struct lane *lane;
    struct hr_flow_call *call;
    hr_status r = flow_lane_get(f, &lane);
    size_t i;

    if (r < 0)
        return r;
    call = &lane->calls[s->slot];
    if ((r = merge_parts(call, s)) == HR_OK)
        r = at_least_one(call, s);
    flow_lane_put(f, lane);
    if (r < 0 || !s->table->n)
        return r;
    s->order = hr_mem_zero(f->env, s->table->n * sizeof *s->order);
    if (!s->order)
        return HR_EXHAUSTED;
    s->n_order = s->table->n;
    for (i = 0; i < s->n_order; i++)
        s->order[i] =
            (struct sorted){ s->table->keys[i].bytes, s->table->keys[i].size, (uint32_t)i, 0 };
    sorted_sort(s->order, s->n_order);
    return HR_OK;
}

/* -- what comes out ---------------------------------------------------------------- */

static struct hr_slice key_at(const void *list, size_t i)
{
    const struct sorted *order = list;

    return hr_slice((const char *)order[i].key, order[i].size);
}

static hr_status extract(struct hr_flow_call *call, const struct step *s, size_t from, size_t n,
                         struct ArrowArray *ret)
{
    hr_flow *f = call->flow;
    void **accs = hr_mem_zero(f->env, n * sizeof *accs);
    struct ArrowArray made = { 0 };
    char name[256];
    hr_status r;
    size_t i;

    if (!accs)
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++)
        accs[i] = s->table->accs[s->order[from + i].chunk];
    r = call_end(call, ((const hr_combine_1 *)s->function->table)
                           ->extract(s->self, call->run, accs, (uint32_t)n, &made));
    hr_mem_put(f->env, accs, n * sizeof *accs);
    if (r < 0)
        return r;
    if (!made.release || made.length != (int64_t)n ||
        made.n_children + (int64_t)s->n_keys != f->colls[s->out].schema.n_children) {
        HR_RELEASE(&made);
        return hr_fail(f->env, HR_INTERNAL,
                       "%s: extract() gave other rows or columns than it was asked for (a bug of "
                       "the plugin)",
                       step_name(s, name, sizeof name));
    }
    *ret = made;
    return HR_OK;
}

/* Keys before the columns of *values, which is taken. */
static hr_status join_rows(hr_flow *f, const struct step *s, size_t from, struct ArrowArray *values,
                           struct ArrowArray *ret)
{
    struct key_list list = { key_at, s->order + from, (size_t)values->length };
    int64_t n = (int64_t)s->n_keys, i, length = values->length;
    struct hr_owner *owner = NULL;
    struct ArrowArray made, *keys = hr_mem_zero(f->env, s->n_keys * sizeof *keys);
    hr_status r = hr_arrow_owner(f->env, values, &owner);

    if (r == HR_OK)
        r = keys ? keys_decode(f->env, &s->plan, &list, keys) : HR_EXHAUSTED;
    if (r == HR_OK && (r = hr_arrow_new(f->env, 1, n + owner->rows.n_children, false, &made)) < 0)
        for (i = 0; i < n; i++)
            HR_RELEASE(&keys[i]);
    if (r == HR_OK) {
        made.length = length;
        for (i = 0; i < n; i++)
            *made.children[i] = keys[i];
        for (i = 0; r == HR_OK && i < owner->rows.n_children; i++)
            r = hr_arrow_share(f->env, owner->rows.children[i], owner,
                               hr_cut(owner->rows.offset, length), made.children[n + i]);
        if (r < 0)
            HR_RELEASE(&made);
    }
    hr_owner_drop(owner);
    hr_mem_put(f->env, keys, s->n_keys * sizeof *keys);
    if (r == HR_OK)
        *ret = made;
    return r;
}

hr_status combine_rows(struct hr_flow_call *call, const struct step *s, size_t from, size_t to,
                       struct ArrowArray *ret)
{
    hr_flow *f = call->flow;
    struct ArrowArray values, made;
    char name[256];
    hr_status r = extract(call, s, from, to - from, &values);

    if (r < 0)
        return r;
    if (!s->n_keys)
        made = values;
    else if ((r = join_rows(f, s, from, &values, &made)) < 0)
        return r;
    if (f->host.check && (r = hr_arrow_check(f->env, &f->colls[s->out].schema, &made,
                                             step_name(s, name, sizeof name))) < 0) {
        HR_RELEASE(&made);
        return r;
    }
    *ret = made;
    return HR_OK;
}
