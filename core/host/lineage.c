/* What a thing came from and what came of it: breadth first over artifacts and executions.
 *
 * Upward an artifact came from the execution that made it - the first that put it out - and
 * that from its inputs; downward likewise.  An execution that was CACHED made nothing, so none
 * is gone through; one that is asked for itself is, for its outputs are what it stands for.
 */
#include <string.h>

#include "host/host.h"

enum { MOST = 100000, SLOTS = 262144 }; /* a power of two, above twice the nodes */

struct place {
    int64_t id;
    int32_t depth;
    bool artifact;
};

struct edge {
    uint32_t from, to;
};

struct walk {
    struct hr_project *p;
    struct hr_arena arena;
    struct place *places;
    size_t count, cap;
    struct edge *edges;
    size_t edge_count, edge_cap;
    uint32_t *slots; /* of places, by hash; 0: empty, else index + 1 */
    int32_t depth;
};

/* *ret: the index of the place, *ret_new: it was not there. */
static hr_status put_place(struct walk *w, bool artifact, int64_t id, int32_t depth,
                           uint32_t *ret, bool *ret_new)
{
    uint64_t h = ((uint64_t)id * 2 + artifact) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(h >> 40) & (SLOTS - 1);

    for (; w->slots[at]; at = (at + 1) & (SLOTS - 1)) {
        const struct place *found = &w->places[w->slots[at] - 1];

        *ret_new = false;
        *ret = w->slots[at] - 1;
        if (found->id == id && found->artifact == artifact)
            return HR_OK;
    }
    if (w->count == MOST)
        return hr_fail(&w->p->env, HR_EXHAUSTED,
                       "the lineage has more than %d nodes; ask for less with --depth", MOST);
    if (!hr_mem_reserve(&w->p->env, (void **)&w->places, &w->cap, w->count + 1,
                        sizeof *w->places, MOST * 2))
        return HR_EXHAUSTED;
    w->places[w->count] = (struct place){ id, depth, artifact };
    *ret = (uint32_t)w->count++;
    w->slots[at] = *ret + 1;
    *ret_new = true;
    return HR_OK;
}

static hr_status put_edge(struct walk *w, uint32_t from, uint32_t to)
{
    size_t i;

    for (i = w->edge_count; i > 0 && w->edge_count - i < 64; i--) /* a union names one twice */
        if (w->edges[i - 1].from == from && w->edges[i - 1].to == to)
            return HR_OK;
    if (!hr_mem_reserve(&w->p->env, (void **)&w->edges, &w->edge_cap, w->edge_count + 1,
                        sizeof *w->edges, MOST * 16))
        return HR_EXHAUSTED;
    w->edges[w->edge_count++] = (struct edge){ from, to };
    return HR_OK;
}

static bool is_output(int64_t type)
{
    return type == HR_EVENT_OUTPUT || type == HR_EVENT_DECLARED_OUTPUT;
}

static bool is_input(int64_t type)
{
    return type == HR_EVENT_INPUT || type == HR_EVENT_DECLARED_INPUT;
}

/* Does a link lead on, upward or downward? */
static bool leads(const struct place *from, const struct hr_meta_link *link, bool up)
{
    if (from->artifact ? up : !up)
        return is_output(link->type) && (!from->artifact || link->state != HR_EXECUTION_CACHED);
    return is_input(link->type) && (!from->artifact || link->state != HR_EXECUTION_CACHED);
}

/* The neighbours of one place.  An artifact has one maker. */
static hr_status expand(struct walk *w, uint32_t at, bool up)
{
    const struct place from = w->places[at];
    struct hr_meta_links links = { 0 };
    struct hr_arena arena;
    bool is_new;
    uint32_t to = 0;
    hr_status r;
    size_t i;

    hr_arena_init(&arena, &w->p->env, 0);
    r = hr_store_links(w->p->store, from.artifact ? HR_KIND_ARTIFACT : HR_KIND_EXECUTION, from.id,
                       &arena, &links);
    for (i = 0; i < links.count && r == HR_OK; i++) {
        if (!leads(&from, &links.items[i], up))
            continue;
        r = put_place(w, !from.artifact, links.items[i].id, from.depth + (up ? -1 : 1), &to,
                      &is_new);
        if (r == HR_OK)
            r = up ? put_edge(w, to, at) : put_edge(w, at, to);
        if (up && from.artifact)
            break;
    }
    hr_arena_clear(&arena);
    return r;
}

static hr_status walk(struct walk *w, size_t from, size_t to, bool up)
{
    hr_status r = HR_OK;
    size_t at;

    for (at = from; at < to && r == HR_OK; at++)
        r = expand(w, (uint32_t)at, up);
    for (at = to; at < w->count && r == HR_OK; at++) {
        int32_t depth = w->places[at].depth;

        if ((up ? depth >= 0 : depth <= 0) || (w->depth && (up ? -depth : depth) >= w->depth))
            continue;
        r = expand(w, (uint32_t)at, up);
    }
    return r;
}

static hr_status begin(struct walk *w, const struct hr_thing *thing)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION, .contexts = &thing->id, .context_count = 1 };
    bool artifact = thing->kind == HR_THING_ARTIFACT || thing->kind == HR_THING_MODEL, is_new;
    struct hr_meta_nodes found = { 0 };
    struct hr_meta_node node;
    uint32_t at;
    hr_status r;
    size_t i;

    if (thing->kind != HR_THING_RUN) {
        r = hr_store_get(w->p->store, artifact ? HR_KIND_ARTIFACT : HR_KIND_EXECUTION, thing->id,
                         &w->arena, &node);
        if (r == HR_NOT_FOUND)
            hr_fail(&w->p->env, r, "there is no %s %lld", artifact ? "artifact" : "execution",
                    (long long)thing->id);
        return r < 0 ? r : put_place(w, artifact, thing->id, 0, &at, &is_new);
    }
    r = hr_store_look(w->p->store, &look, &w->arena, &found);
    for (i = 0; i < found.count && r == HR_OK; i++)
        r = put_place(w, false, found.items[i].id, 0, &at, &is_new);
    return r;
}

/* -- as JSON --------------------------------------------------------------- */

static const char *name_of(const struct place *place, char to[48])
{
    char digits[HR_NUM_TEXT];
    const char *kind = place->artifact ? "artifact " : "execution ";
    size_t n = strlen(kind);

    hr_num_put_int(digits, place->id);
    memcpy(to, kind, n);
    memcpy(to + n, digits, strlen(digits) + 1);
    return to;
}

static hr_status put_node(struct walk *w, const struct place *place, struct hr_json_writer *to)
{
    enum hr_type_kind kind = place->artifact ? HR_KIND_ARTIFACT : HR_KIND_EXECUTION;
    struct hr_arena arena;
    struct hr_meta_node node;
    struct hr_home home;
    char name[48];
    hr_status r;

    hr_arena_init(&arena, &w->p->env, 0);
    r = hr_store_get(w->p->store, kind, place->id, &arena, &node);
    if (r == HR_OK)
        r = hr_home_of(w->p, kind, place->id, &arena, &home);
    if (r == HR_OK) {
        const char *summary = hr_meta_text(&node, "__summary");

        hr_json_open_object(to);
        hr_json_put_member_text(to, "id", name_of(place, name));
        hr_json_put_member_int(to, "depth", place->depth);
        hr_json_put_member_text(to, "type",
                                place->artifact ? node.type : hr_component_short(node.type));
        hr_json_put_member_text(to, "state", place->artifact ? hr_artifact_state_name(node.state)
                                                             : hr_execution_state_name(node.state));
        if (home.node)
            hr_json_put_member_text(to, "node", home.node);
        if (home.run)
            hr_json_put_member_text(to, "run", home.run);
        if (home.number)
            hr_json_put_member_int(to, "number", home.number);
        if (place->artifact)
            hr_json_put_member_text(to, "uri", node.uri);
        else if (summary)
            hr_json_put_member_text(to, "summary", summary);
        hr_json_close_object(to);
    }
    hr_arena_clear(&arena);
    return r;
}

/* Places by depth and id; those that point into them move along. */
static hr_status put_all(struct walk *w, const char *what, struct hr_json_writer *to)
{
    int32_t depth, least = 0, most = 0;
    hr_status r = HR_OK;
    char a[48], b[48];
    size_t i;

    for (i = 0; i < w->count; i++) {
        least = w->places[i].depth < least ? w->places[i].depth : least;
        most = w->places[i].depth > most ? w->places[i].depth : most;
    }
    hr_json_open_object(to);
    hr_json_put_member_text(to, "of", what);
    hr_json_put_key(to, "nodes");
    hr_json_open_array(to);
    for (depth = least; depth <= most && r == HR_OK; depth++)
        for (i = 0; i < w->count && r == HR_OK; i++)
            if (w->places[i].depth == depth)
                r = put_node(w, &w->places[i], to);
    hr_json_close_array(to);
    hr_json_put_key(to, "edges");
    hr_json_open_array(to);
    for (i = 0; i < w->edge_count; i++) {
        hr_json_open_array(to);
        hr_json_put_text(to, name_of(&w->places[w->edges[i].from], a));
        hr_json_put_text(to, name_of(&w->places[w->edges[i].to], b));
        hr_json_close_array(to);
    }
    hr_json_close_array(to);
    hr_json_close_object(to);
    return r < 0 ? r : hr_json_end(to);
}

static hr_status lineage(struct walk *w, const char *what, uint32_t flags,
                         struct hr_json_writer *to)
{
    struct hr_thing thing;
    hr_status r = hr_thing_find(w->p, what, &w->arena, &thing);
    size_t own;

    if (r == HR_OK && !(w->slots = hr_mem_zero(&w->p->env, SLOTS * sizeof *w->slots)))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = begin(w, &thing);
    own = w->count;
    if (r == HR_OK && (!flags || flags & HR_LINEAGE_UP))
        r = walk(w, 0, own, true);
    if (r == HR_OK && (!flags || flags & HR_LINEAGE_DOWN))
        r = walk(w, 0, own, false);
    return r < 0 ? r : put_all(w, what, to);
}

hr_status hr_lineage(hr_project *p, const char *what, uint32_t flags, int32_t depth,
                     const char **ret_json)
{
    struct walk w = { .p = p, .depth = depth };
    struct hr_json_writer to;
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    hr_arena_init(&w.arena, &p->env, 0);
    hr_buf_cut(&p->text, 0);
    hr_json_begin(&to, &p->text, 0);
    r = lineage(&w, what, flags, &to);
    hr_mem_put(&p->env, w.slots, w.slots ? SLOTS * sizeof *w.slots : 0);
    hr_mem_put(&p->env, w.places, w.cap * sizeof *w.places);
    hr_mem_put(&p->env, w.edges, w.edge_cap * sizeof *w.edges);
    hr_arena_clear(&w.arena);
    if (r == HR_OK)
        *ret_json = p->text.text;
    return hr_host_done(p, r);
}
