/* One thing, as JSON: its facts, what it came from, and its content where there is one. */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

struct shower {
    struct hr_project *p;
    struct hr_arena arena;
    struct hr_json_writer w;
};

static void put_value(struct hr_json_writer *w, const struct hr_meta_value *v)
{
    switch (v->kind) {
    case HR_VALUE_INT:
        hr_json_put_int(w, v->i);
        break;
    case HR_VALUE_BOOL:
        hr_json_put_bool(w, v->i != 0);
        break;
    case HR_VALUE_DOUBLE:
        hr_json_put_double(w, v->d);
        break;
    case HR_VALUE_STRUCT:
        hr_json_put_raw(w, v->text, strlen(v->text));
        break;
    default:
        hr_json_put_text(w, v->text);
    }
}

static void put_properties(struct hr_json_writer *w, const struct hr_meta_node *node)
{
    size_t i;

    hr_json_put_key(w, "properties");
    hr_json_open_object(w);
    for (i = 0; i < node->count; i++) {
        if (i && !strcmp(node->properties[i].name, node->properties[i - 1].name))
            continue;
        hr_json_put_key(w, node->properties[i].name);
        put_value(w, &node->properties[i].value);
    }
    hr_json_close_object(w);
}

static void put_home(struct hr_json_writer *w, const struct hr_home *home)
{
    if (home->node)
        hr_json_put_member_text(w, "node", home->node);
    if (home->pipeline)
        hr_json_put_member_text(w, "pipeline", home->pipeline);
    if (home->run)
        hr_json_put_member_text(w, "run", home->run);
    if (home->number)
        hr_json_put_member_int(w, "number", home->number);
}

/* Members of an execution, without braces. */
static hr_status put_execution(struct shower *s, const struct hr_meta_node *e)
{
    struct hr_instance instance = hr_instance_of(e);
    struct hr_home home;
    hr_status r = hr_home_of(s->p, HR_KIND_EXECUTION, e->id, &s->arena, &home);
    const char *text;

    hr_json_put_member_int(&s->w, "execution", e->id);
    hr_json_put_member_text(&s->w, "component", hr_component_short(e->type));
    hr_json_put_member_text(&s->w, "state", hr_execution_state_name(e->state));
    hr_json_put_member_int(&s->w, "started_ms", e->create_ms);
    hr_json_put_member_int(&s->w, "duration_ms", e->update_ms - e->create_ms);
    put_home(&s->w, &home);
    if (home.node && instance.count) {
        if (!(text = hr_instance_name(home.node, &instance, &s->arena)))
            return HR_EXHAUSTED;
        hr_json_put_member_text(&s->w, "instance", text);
    }
    if ((text = hr_meta_text(e, "__summary")))
        hr_json_put_member_text(&s->w, "summary", text);
    if ((text = hr_meta_text(e, "__reason")))
        hr_json_put_member_text(&s->w, "reason", text);
    if ((text = hr_meta_text(e, "__execution_result__")))
        hr_json_put_member_text(&s->w, "result", text);
    return r;
}

static hr_status put_links(struct shower *s, const struct hr_meta_events *events, bool outputs)
{
    hr_status r = HR_OK;
    size_t i, k;

    hr_json_put_key(&s->w, outputs ? "outputs" : "inputs");
    hr_json_open_array(&s->w);
    for (i = 0; i < events->count && r == HR_OK; i++) {
        const struct hr_meta_event *e = &events->items[i];
        struct hr_meta_node a;

        if ((e->type == HR_EVENT_OUTPUT || e->type == HR_EVENT_INTERNAL_OUTPUT) != outputs)
            continue;
        if ((r = hr_store_get(s->p->store, HR_KIND_ARTIFACT, e->artifact, &s->arena, &a)) < 0)
            break;
        for (k = 0; k + 1 < e->count; k += 2) {
            hr_json_open_object(&s->w);
            hr_json_put_member_text(&s->w, "key", e->steps[k].key);
            hr_json_put_member_int(&s->w, "artifact", a.id);
            hr_json_put_member_text(&s->w, "type", a.type);
            hr_json_put_member_text(&s->w, "uri", a.uri);
            hr_json_close_object(&s->w);
        }
    }
    hr_json_close_array(&s->w);
    return r;
}

/* Of a CACHED one, the execution whose result it took: what properties it had is known of that. */
static hr_status put_origin(struct shower *s, const struct hr_meta_node *e)
{
    const char *key = hr_meta_text(e, "__cache_key");
    int64_t context = 0;
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .contexts = &context,
                            .context_count = 1,
                            .newest_first = true };
    struct hr_meta_nodes found = { 0 };
    hr_status r = HR_NOT_FOUND;
    size_t i;

    if (e->state == HR_EXECUTION_CACHED && key && *key)
        r = hr_store_find_context(s->p->store, "execution_cache", key, &context);
    if (r == HR_OK)
        r = hr_store_look(s->p->store, &look, &s->arena, &found);
    for (i = 0; i < found.count && r == HR_OK; i++)
        if (found.items[i].id < e->id && found.items[i].state == HR_EXECUTION_COMPLETE) {
            hr_json_put_member_int(&s->w, "result_of", found.items[i].id);
            break;
        }
    return r == HR_NOT_FOUND ? HR_OK : r;
}

static hr_status show_execution(struct shower *s, int64_t id)
{
    struct hr_meta_events events;
    struct hr_meta_node e;
    hr_status r = hr_store_get(s->p->store, HR_KIND_EXECUTION, id, &s->arena, &e);

    if (r == HR_NOT_FOUND)
        return hr_fail(&s->p->env, r, "there is no execution %lld", (long long)id);
    if (r == HR_OK)
        r = hr_store_events_of_execution(s->p->store, id, &s->arena, &events);
    if (r < 0)
        return r;
    hr_json_open_object(&s->w);
    hr_json_put_member_text(&s->w, "kind", "execution");
    r = put_execution(s, &e);
    if (r == HR_OK)
        r = put_origin(s, &e);
    put_properties(&s->w, &e);
    if (r == HR_OK)
        r = put_links(s, &events, false);
    if (r == HR_OK)
        r = put_links(s, &events, true);
    hr_json_close_object(&s->w);
    return r;
}

enum { MOST_ANCESTORS = 1000 };

/* Executions to be shown, each once. */
struct ancestors {
    int64_t *ids;
    size_t n;
};

static hr_status add_maker(struct shower *s, int64_t artifact, struct ancestors *to)
{
    int64_t id = 0;
    hr_status r = hr_maker_of(s->p, artifact, &s->arena, &id);
    size_t k;

    for (k = 0; k < to->n && to->ids[k] != id; k++)
        ;
    if (r == HR_OK && id && k == to->n && k < MOST_ANCESTORS)
        to->ids[to->n++] = id;
    return r;
}

/* One of them, and those that its inputs came from to the end of the list. */
static hr_status put_ancestor(struct shower *s, int64_t execution, struct ancestors *list)
{
    struct hr_meta_events events;
    struct hr_meta_node e;
    hr_status r = hr_store_get(s->p->store, HR_KIND_EXECUTION, execution, &s->arena, &e);
    size_t i;

    if (r == HR_OK)
        r = hr_store_events_of_execution(s->p->store, e.id, &s->arena, &events);
    if (r < 0)
        return r;
    hr_json_open_object(&s->w);
    r = put_execution(s, &e);
    hr_json_close_object(&s->w);
    for (i = 0; i < events.count && r == HR_OK; i++)
        if (events.items[i].type == HR_EVENT_INPUT)
            r = add_maker(s, events.items[i].artifact, list);
    return r;
}

/* All executions that an artifact came from, the nearest first. */
static hr_status put_ancestors(struct shower *s, int64_t artifact)
{
    struct ancestors list = { hr_arena_array(&s->arena, MOST_ANCESTORS, sizeof *list.ids), 0 };
    hr_status r = list.ids ? add_maker(s, artifact, &list) : HR_EXHAUSTED;
    size_t at;

    hr_json_put_key(&s->w, "came_from");
    hr_json_open_array(&s->w);
    for (at = 0; at < list.n && r == HR_OK; at++)
        r = put_ancestor(s, list.ids[at], &list);
    hr_json_close_array(&s->w);
    return r;
}

static hr_status put_content(struct shower *s, const struct hr_meta_node *a)
{
    struct hr_buf content;
    hr_status r;

    hr_buf_of(&content, (size_t)1 << 28, &s->p->env);
    r = hr_content_of(s->p, a, &content);
    if (r == HR_OK && content.len) {
        hr_json_put_key(&s->w, "content");
        hr_json_put_raw(&s->w, content.text, content.len);
    }
    hr_buf_clear(&content);
    return r;
}

static hr_status show_artifact(struct shower *s, int64_t id, const char *kind)
{
    struct hr_meta_node a;
    struct hr_home home;
    hr_status r = hr_store_get(s->p->store, HR_KIND_ARTIFACT, id, &s->arena, &a);

    if (r == HR_NOT_FOUND)
        return hr_fail(&s->p->env, r, "there is no artifact %lld", (long long)id);
    if (r == HR_OK)
        r = hr_home_of(s->p, HR_KIND_ARTIFACT, id, &s->arena, &home);
    if (r < 0)
        return r;
    hr_json_open_object(&s->w);
    hr_json_put_member_text(&s->w, "kind", kind);
    hr_json_put_member_int(&s->w, "artifact", a.id);
    hr_json_put_member_text(&s->w, "type", a.type);
    hr_json_put_member_text(&s->w, "state", hr_artifact_state_name(a.state));
    hr_json_put_member_int(&s->w, "created_ms", a.create_ms);
    hr_json_put_member_text(&s->w, "uri", a.uri);
    put_home(&s->w, &home);
    put_properties(&s->w, &a);
    r = put_ancestors(s, id);
    if (r == HR_OK)
        r = put_content(s, &a);
    hr_json_close_object(&s->w);
    return r;
}

/* A property that holds JSON, as that; what is none, or not there, is left out. */
static void put_json(struct shower *s, const char *key, const struct hr_meta_node *node,
                     const char *property)
{
    const char *text = hr_meta_text(node, property);
    size_t kept = s->p->env.errors.count;
    struct hr_json_doc *doc;

    if (!text)
        return;
    if (hr_json_parse(&s->p->env, property, text, strlen(text), 0, &doc) < 0) {
        hr_errors_cut(&s->p->env, kept);
        return;
    }
    hr_json_put_key(&s->w, key);
    hr_json_put_value(&s->w, doc, hr_json_root(doc), false);
    hr_json_free(doc);
}

static hr_status show_run(struct shower *s, const struct hr_meta_node *run)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION, .contexts = &run->id, .context_count = 1 };
    struct hr_meta_nodes found = { 0 }, parents = { 0 };
    const struct hr_meta_node *pipeline;
    int64_t number = 0, count, duration;
    const char *state;
    hr_status r = hr_store_look(s->p->store, &look, &s->arena, &found);
    size_t i;

    if (r == HR_OK)
        r = hr_store_contexts_of(s->p->store, HR_KIND_CONTEXT, run->id, &s->arena, &parents);
    pipeline = hr_pipeline_among(&parents);
    if (r == HR_OK && pipeline)
        r = hr_run_number(s->p, pipeline->id, run->id, &number);
    if (r == HR_OK)
        r = hr_run_facts(s->p, run, &state, &count, &duration);
    if (r < 0)
        return r;
    hr_json_open_object(&s->w);
    hr_json_put_member_text(&s->w, "kind", "run");
    hr_json_put_member_text(&s->w, "run", run->name);
    hr_json_put_member_int(&s->w, "number", number);
    hr_json_put_member_text(&s->w, "pipeline", pipeline ? pipeline->name : "");
    hr_json_put_member_text(&s->w, "state", state);
    hr_json_put_member_int(&s->w, "started_ms", run->create_ms);
    hr_json_put_member_int(&s->w, "duration_ms", duration);
    put_json(s, "parameters", run, "__parameters");
    put_json(s, "options", run, "__options");
    hr_json_put_key(&s->w, "executions");
    hr_json_open_array(&s->w);
    for (i = 0; i < found.count && r == HR_OK; i++) {
        hr_json_open_object(&s->w);
        r = put_execution(s, &found.items[i]);
        hr_json_close_object(&s->w);
    }
    hr_json_close_array(&s->w);
    hr_json_close_object(&s->w);
    return r;
}

static hr_status show(struct shower *s, const char *what)
{
    struct hr_thing thing;
    hr_status r = hr_thing_find(s->p, what, &s->arena, &thing);

    if (r < 0)
        return r;
    switch (thing.kind) {
    case HR_THING_ARTIFACT:
        return show_artifact(s, thing.id, "artifact");
    case HR_THING_MODEL:
        return show_artifact(s, thing.id, "model");
    case HR_THING_EXECUTION:
        return show_execution(s, thing.id);
    default:
        return show_run(s, &thing.node);
    }
}

hr_status hr_show(hr_project *p, const char *what, const char **ret_json)
{
    struct shower s = { .p = p };
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    hr_arena_init(&s.arena, &p->env, 0);
    hr_buf_cut(&p->text, 0);
    hr_json_begin(&s.w, &p->text, 0);
    r = show(&s, what);
    if (r == HR_OK)
        r = hr_json_end(&s.w);
    hr_arena_clear(&s.arena);
    if (r == HR_OK)
        *ret_json = p->text.text;
    return hr_host_done(p, r);
}

hr_status hr_log_of(hr_project *p, int64_t execution, const char **ret_text)
{
    char path[HR_MAX_PATH], name[HR_NUM_TEXT + 8];
    struct hr_arena arena;
    struct hr_home home = { 0 };
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    hr_arena_init(&arena, &p->env, 0);
    hr_buf_cut(&p->text, 0);
    r = hr_home_of(p, HR_KIND_EXECUTION, execution, &arena, &home);
    if (r == HR_OK && !home.run)
        r = hr_fail(&p->env, HR_NOT_FOUND, "there is no execution %lld", (long long)execution);
    hr_num_put_int(name, execution);
    memcpy(name + strlen(name), ".log", 5);
    if (r == HR_OK)
        r = hr_path_join(&p->env, p->paths.runs, home.run, path);
    if (r == HR_OK)
        r = hr_path_join(&p->env, path, "logs", path);
    if (r == HR_OK)
        r = hr_path_join(&p->env, path, name, path);
    if (r == HR_OK && hr_file_exists(&p->env, path))
        r = hr_file_read(&p->env, path, HR_MAX_FILE_BYTES, &p->text);
    hr_arena_clear(&arena);
    if (r == HR_OK)
        *ret_text = p->text.text;
    return hr_host_done(p, r);
}
