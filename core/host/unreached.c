/* Why a node has no execution in a run: it waits for another one, was not in the part that ran, or
 * the run ended before its turn.  The store has the executions of the run, the run's options and
 * where its pipeline lies; the graph is that of the pipeline as it is now. */
#include <string.h>

#include "host/host.h"
#include "host/package.h"

enum found { NONE, DONE, SKIPPED, RUNNING, CANCELLED, FAILED };

struct seeker {
    struct hr_project *p;
    struct hr_pipeline *pipeline;
    const struct hr_meta_node *run;
    struct hr_arena *arena;
    bool *seen; /* nodes that nothing was found behind */
};

/* Of two tries of one instance the newer counts: all are in that order. */
static bool is_newest(const struct hr_meta_nodes *all, size_t i)
{
    struct hr_instance is = hr_instance_of(&all->items[i]), newer;
    size_t k;

    for (k = 0; k < i; k++) {
        newer = hr_instance_of(&all->items[k]);
        if (!is.count || hr_instance_same(&is, &newer))
            return false;
    }
    return true;
}

static enum found found_of(struct seeker *s, const struct hr_meta_node *e)
{
    hr_status code = 0;

    switch (e->state) {
    case HR_EXECUTION_RUNNING:
        return RUNNING;
    case HR_EXECUTION_FAILED:
        return FAILED;
    case HR_EXECUTION_CANCELED:
        hr_result_read(&s->p->env, e, s->arena, &code);
        return code ? CANCELLED : SKIPPED;
    default:
        return DONE;
    }
}

/* How the node ended in the run, of its instances the one that ended worst; *ret_id: that one. */
static hr_status look_at(struct seeker *s, size_t node, enum found *ret, int64_t *ret_id)
{
    const char *name =
        hr_arena_format(s->arena, "%s.%s", s->pipeline->name, s->pipeline->nodes[node].name);
    int64_t contexts[2] = { 0, s->run->id };
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .contexts = contexts,
                            .context_count = 2,
                            .newest_first = true };
    struct hr_meta_nodes all = { 0 };
    hr_status r =
        name ? hr_store_find_context(s->p->store, "node", name, &contexts[0]) : HR_EXHAUSTED;
    size_t i;

    *ret = NONE;
    if (r == HR_OK)
        r = hr_store_look(s->p->store, &look, s->arena, &all);
    for (i = 0; r == HR_OK && i < all.count; i++) {
        enum found one = found_of(s, &all.items[i]);

        if (one <= *ret || (one != DONE && !is_newest(&all, i)))
            continue;
        *ret = one;
        *ret_id = all.items[i].id;
    }
    return r == HR_NOT_FOUND ? HR_OK : r;
}

/* "\"mid\", which waits for \"gen\", which failed (execution 1)"; NULL: none of those before a node
 * keeps it from its turn. */
static hr_status wait_of(struct seeker *s, size_t node, const char **ret)
{
    static const char *const how[] = { [RUNNING] = "is running",
                                       [CANCELLED] = "was cancelled",
                                       [FAILED] = "failed" };
    const struct hr_node *n = &s->pipeline->nodes[node];
    hr_status r = HR_OK;
    size_t i;

    *ret = NULL;
    s->seen[node] = true;
    for (i = 0; i < n->upstream_count && r == HR_OK && !*ret; i++) {
        const char *up = s->pipeline->nodes[n->upstream[i]].name, *behind;
        enum found found = NONE;
        int64_t id = 0;

        r = look_at(s, n->upstream[i], &found, &id);
        if (r == HR_OK && found >= RUNNING) {
            *ret = hr_arena_format(s->arena, "\"%s\", which %s (execution %lld)", up, how[found],
                                   (long long)id);
            r = *ret ? HR_OK : HR_EXHAUSTED;
        } else if (r == HR_OK && found == NONE && !s->seen[n->upstream[i]]) {
            r = wait_of(s, n->upstream[i], &behind);
            if (r == HR_OK && behind &&
                !(*ret = hr_arena_format(s->arena, "\"%s\", which waits for %s", up, behind)))
                r = HR_EXHAUSTED;
        }
    }
    return r;
}

static hr_status put_names(struct hr_buf *to, const char *option, const char *const *names)
{
    hr_status r = HR_OK;

    for (; names && *names && r == HR_OK; names++)
        r = hr_buf_format(to, "%s%s %s", to->len ? " " : "", option, *names);
    return r;
}

/* NULL: it was in the part that was to run. */
static hr_status left_out(struct seeker *s, size_t node, const struct hr_options *o,
                          const char **ret)
{
    bool *selected = hr_arena_array(s->arena, s->pipeline->node_count + 1, sizeof *selected);
    struct hr_part part = { o->only, o->from, o->to };
    struct hr_buf text;
    hr_status r = selected ? hr_part_nodes(s->pipeline, &part, s->arena, selected) : HR_EXHAUSTED;

    *ret = NULL;
    if (r < 0 || selected[node] || (!o->only && !o->from && !o->to))
        return r;
    hr_buf_of(&text, HR_MAX_JSON_BYTES, &s->p->env);
    r = put_names(&text, "--only", o->only);
    if (r == HR_OK)
        r = put_names(&text, "--from", o->from);
    if (r == HR_OK)
        r = put_names(&text, "--to", o->to);
    if (r == HR_OK && !(*ret = hr_arena_format(
                            s->arena, "it is not in the part that ran (%s)", text.text)))
        r = HR_EXHAUSTED;
    hr_buf_clear(&text);
    return r;
}

/* How the run ended, where nothing that the node waits for says so. */
static hr_status how_it_ended(struct seeker *s, const struct hr_options *o, const char **ret)
{
    enum found worst = NONE, one;
    int64_t id = 0, its = 0;
    size_t i, at = 0;
    hr_status r = HR_OK;

    for (i = 0; i < s->pipeline->node_count && r == HR_OK; i++) {
        r = look_at(s, i, &one, &its);
        if (r == HR_OK && one > worst) {
            worst = one;
            id = its;
            at = i;
        }
    }
    if (r < 0)
        return r;
    if (worst == FAILED && !o->keep_going)
        *ret = hr_arena_format(s->arena,
                               "the run ended when \"%s\" failed (execution %lld); with "
                               "--keep-going it goes on with what does not need that",
                               s->pipeline->nodes[at].name, (long long)id);
    else if (worst == RUNNING)
        *ret = "its turn has not come: the run goes on, or was ended from outside";
    else if (worst == CANCELLED)
        *ret = "the run was cancelled before its turn";
    else
        *ret = "the run ended before its turn, or the pipeline was without it then";
    return *ret ? HR_OK : HR_EXHAUSTED;
}

static hr_status reason_of(struct seeker *s, size_t node, const char **ret)
{
    struct hr_options o;
    const char *wait = NULL;
    hr_status r = hr_options_read(s->p, hr_meta_text(s->run, "__options"), s->arena, &o);

    if (r == HR_OK && !(s->seen = hr_arena_array(s->arena, s->pipeline->node_count + 1,
                                                 sizeof *s->seen)))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = left_out(s, node, &o, ret);
    if (r < 0 || *ret)
        return r;
    if ((r = wait_of(s, node, &wait)) < 0)
        return r;
    if (!wait)
        return how_it_ended(s, &o, ret);
    *ret = hr_arena_format(s->arena, "it waits for %s", wait);
    return *ret ? HR_OK : HR_EXHAUSTED;
}

hr_status hr_why_not(struct hr_project *p, const struct hr_meta_node *run, const char *node,
                     struct hr_arena *arena, const char **ret_reason)
{
    struct seeker s = { .p = p, .run = run, .arena = arena };
    const char *file = hr_meta_text(run, "__pipeline_file");
    size_t told = p->env.errors.count, at;
    enum found found = NONE;
    int64_t id;
    hr_status r = file ? hr_host_pipeline(p, file, &s.pipeline) : HR_NOT_FOUND;

    *ret_reason = NULL;
    if (r == HR_OK) {
        at = hr_pipeline_find(s.pipeline, node);
        r = at == SIZE_MAX ? HR_NOT_FOUND : look_at(&s, at, &found, &id);
        if (r == HR_OK)
            r = found == NONE ? reason_of(&s, at, ret_reason) : HR_NOT_FOUND;
    }
    hr_pipeline_free(s.pipeline);
    if (r == HR_EXHAUSTED)
        return r;
    hr_errors_cut(&p->env, told); /* of a pipeline that cannot be read any more nothing is known */
    return r < 0 ? HR_NOT_FOUND : HR_OK;
}
