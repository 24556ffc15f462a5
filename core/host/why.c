/* Why a node ran, was cached, was skipped or failed. */
#include <string.h>

#include "host/host.h"

struct asker {
    struct hr_project *p;
    struct hr_arena arena;
    struct hr_meta_node run, execution;
    struct hr_instance instance; /* that is meant; of none: any */
    struct hr_home home;
    const char *unreached; /* why there is none; NULL: there is one */
};

/* The newest execution with this node context, in the run if one is meant; kept if it is newer than
 * what is there. */
static hr_status look_in(struct asker *a, int64_t node_context, const char *node)
{
    int64_t contexts[2] = { node_context, a->run.id };
    struct hr_meta_node found;
    struct hr_home home;
    hr_status r = hr_newest_of(a->p, contexts, a->run.id ? 2 : 1, &a->instance, &a->arena,
                               &found);

    if (r < 0 || found.id <= a->execution.id)
        return r == HR_NOT_FOUND ? HR_OK : r;
    r = hr_home_of(a->p, HR_KIND_EXECUTION, found.id, &a->arena, &home);
    if (r == HR_OK && hr_text_eq(home.node, node)) {
        a->execution = found;
        a->home = home;
    }
    return r;
}

/* It has not run; *ret is HR_NOT_FOUND where there is no more to say of that. */
static hr_status look_why_not(struct asker *a, const char *node)
{
    struct hr_meta_nodes parents = { 0 };
    const struct hr_meta_node *pipeline;
    hr_status r = a->run.id ? HR_OK : hr_host_run(a->p, NULL, &a->arena, &a->run);

    if (r == HR_OK)
        r = hr_why_not(a->p, &a->run, node, &a->arena, &a->unreached);
    if (r == HR_OK)
        r = hr_store_contexts_of(a->p->store, HR_KIND_CONTEXT, a->run.id, &a->arena, &parents);
    a->home = (struct hr_home){ .node = node, .run = a->run.name };
    if (r == HR_OK && (pipeline = hr_pipeline_among(&parents)))
        r = hr_run_number(a->p, pipeline->id, a->run.id, &a->home.number);
    return r;
}

/* Contexts of nodes are called "PIPELINE.NODE", and both may have dots in them; there are few, for
 * each node has one however often it runs. */
static hr_status find_execution(struct asker *a, const char *what, const char *run)
{
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "node" };
    struct hr_meta_nodes found = { 0 };
    const char *node = hr_instance_read(what, &a->arena, &a->instance);
    const char *tail = node ? hr_arena_format(&a->arena, ".%s", node) : NULL;
    hr_status r = tail ? HR_OK : HR_EXHAUSTED;
    size_t i;

    if (r == HR_OK && run) {
        r = hr_host_run(a->p, run, &a->arena, &a->run);
        if (r == HR_NOT_FOUND)
            return hr_fail(&a->p->env, r, "there is no run \"%s\"", run);
    }
    if (r == HR_OK)
        r = hr_store_look(a->p->store, &look, &a->arena, &found);
    for (i = 0; r == HR_OK && i < found.count; i++)
        if (hr_text_ends(found.items[i].name, tail))
            r = look_in(a, found.items[i].id, node);
    if (r < 0 || a->execution.id || (r = look_why_not(a, node)) != HR_NOT_FOUND)
        return r;
    return hr_fail(&a->p->env, HR_NOT_FOUND, "node \"%s\" has no execution%s%s", what,
                   run ? " in run " : "", run ? run : "");
}

/* The last one before it, of the same node and element, with a result. */
static hr_status find_before(struct asker *a, struct hr_meta_node *ret)
{
    int64_t context = 0;
    const char *name = hr_arena_format(&a->arena, "%s.%s", a->home.pipeline, a->home.node);
    hr_status r = name ? hr_store_find_context(a->p->store, "node", name, &context) : HR_EXHAUSTED;

    return r < 0 ? r
                 : hr_result_before(a->p->store, context, hr_meta_int(&a->execution, "__index", -1),
                                    a->execution.id, &a->arena, ret);
}

/* It has executed: since which earlier result does what differ? */
static hr_status put_executed(struct asker *a, struct hr_json_writer *w)
{
    const char *key = hr_meta_text(&a->execution, "__cache_key"), *text = NULL;
    struct hr_differences d = { 0 };
    struct hr_meta_node before;
    struct hr_home home;
    hr_status r = key ? find_before(a, &before) : HR_NOT_FOUND;

    if (r == HR_NOT_FOUND) {
        hr_json_put_member_text(w, "reason", key ? "it has no earlier result" : "it is not cached");
        return HR_OK;
    }
    if (r == HR_OK)
        r = hr_home_of(a->p, HR_KIND_EXECUTION, before.id, &a->arena, &home);
    if (r < 0)
        return r;
    hr_json_put_member_int(w, "before", before.id);
    hr_json_put_member_text(w, "before_run", home.run);
    hr_json_put_member_int(w, "before_number", home.number);
    r = hr_key_explain(&a->p->env, &a->p->paths, hr_meta_text(&before, "__cache_key"), key,
                       &a->arena, &d);
    if (r == HR_NOT_FOUND)
        text = "what it depended on is not known any more: the cache was cleared";
    else if (d.count)
        text = "it depends on something else than before";
    else
        text = hr_meta_text(&a->execution, "__reason");
    if (r < 0 && r != HR_NOT_FOUND)
        return r;
    hr_json_put_member_text(w, "reason",
                            text ? text : "the outputs of the earlier execution are gone");
    hr_differences_put(w, &d);
    return HR_OK;
}

static hr_status put_execution(struct asker *a, struct hr_json_writer *w)
{
    const struct hr_meta_node *e = &a->execution;
    struct hr_instance instance = hr_instance_of(e);
    const char *name = hr_instance_name(a->home.node, &instance, &a->arena);
    hr_status code;

    if (!name)
        return HR_EXHAUSTED;
    if (instance.count)
        hr_json_put_member_text(w, "instance", name);
    hr_json_put_member_int(w, "execution", e->id);
    hr_json_put_member_text(w, "state", hr_execution_state_name(e->state));
    if (e->state == HR_EXECUTION_COMPLETE)
        return put_executed(a, w);
    hr_json_put_member_text(w, "reason",
                            e->state == HR_EXECUTION_CACHED
                                ? hr_meta_text(e, "__reason")
                                : hr_result_read(&a->p->env, e, &a->arena, &code));
    return HR_OK;
}

static hr_status put_answer(struct asker *a, struct hr_json_writer *w)
{
    hr_status r = HR_OK;

    hr_json_open_object(w);
    hr_json_put_member_text(w, "node", a->home.node);
    hr_json_put_member_text(w, "run", a->home.run);
    hr_json_put_member_int(w, "number", a->home.number);
    if (a->unreached) {
        hr_json_put_member_text(w, "state", "NOT_RUN");
        hr_json_put_member_text(w, "reason", a->unreached);
    } else {
        r = put_execution(a, w);
    }
    hr_json_close_object(w);
    return r < 0 ? r : hr_json_end(w);
}

hr_status hr_why(hr_project *p, const char *node, const char *run, const char **ret_json)
{
    struct asker a = { .p = p };
    struct hr_json_writer w;
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    hr_arena_init(&a.arena, &p->env, 0);
    hr_buf_cut(&p->text, 0);
    hr_json_begin(&w, &p->text, 2);
    r = find_execution(&a, node, run);
    if (r == HR_OK)
        r = put_answer(&a, &w);
    if (r == HR_OK)
        *ret_json = p->text.text;
    hr_arena_clear(&a.arena);
    return hr_host_done(p, r);
}
