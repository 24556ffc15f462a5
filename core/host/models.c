#include "host/models.h"

#include <string.h>

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

/* -- history ------------------------------------------------------------------- */

hr_status hr_changes_of(struct hr_project *p, const char *model, struct hr_arena *arena,
                        struct hr_changes *ret)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION, .type = "__model_change" };
    struct hr_meta_nodes found = { 0 };
    int64_t context = 0;
    hr_status r = HR_OK;
    size_t i;

    *ret = (struct hr_changes){ 0 };
    if (model) {
        r = hr_store_find_context(p->store, "__model", model, &context);
        if (r == HR_NOT_FOUND)
            return HR_OK;
        look.contexts = &context;
        look.context_count = 1;
    }
    if (r == HR_OK)
        r = hr_store_look(p->store, &look, arena, &found);
    if (r < 0 || !found.count)
        return r;
    if (!(ret->items = hr_arena_array(arena, found.count, sizeof *ret->items)))
        return HR_EXHAUSTED;
    for (i = 0; i < found.count; i++) {
        const struct hr_meta_node *e = &found.items[i];

        ret->items[i] = (struct hr_change){ .execution = e->id,
                                            .ms = e->create_ms,
                                            .model = hr_meta_text(e, "__model"),
                                            .action = hr_meta_text(e, "__action"),
                                            .alias = hr_meta_text(e, "__alias"),
                                            .version = hr_meta_text(e, "__version"),
                                            .from = hr_meta_text(e, "__from"),
                                            .by = hr_meta_text(e, "__by"),
                                            .why = hr_meta_text(e, "__why") };
    }
    ret->count = found.count;
    return HR_OK;
}

/* The top of a stack, looked for from the newest change down: each rollback hides the promotion
 * below it that is not hidden yet. */
const char *hr_alias_of(const struct hr_changes *changes, const char *model, const char *alias,
                        const char **ret_before)
{
    const char *top = NULL, *before = NULL;
    size_t i, hidden = 0;

    for (i = changes->count; i > 0 && !before; i--) {
        const struct hr_change *c = &changes->items[i - 1];

        if (!hr_text_eq(c->model, model) || !hr_text_eq(c->alias, alias) ||
            hr_text_eq(c->from, c->version)) /* promoted once more: nothing to go back to */
            continue;
        if (hr_text_eq(c->action, "remove"))
            break;
        if (hr_text_eq(c->action, "rollback"))
            hidden++;
        else if (hidden)
            hidden--;
        else if (!top)
            top = c->version;
        else
            before = c->version;
    }
    if (ret_before)
        *ret_before = before;
    return top;
}

static hr_status put_types(struct hr_project *p, int64_t *ret_execution, int64_t *ret_context)
{
    const struct hr_meta_type execution = { .kind = HR_KIND_EXECUTION, .name = "__model_change" };
    const struct hr_meta_type context = { .kind = HR_KIND_CONTEXT, .name = "__model" };
    hr_status r = hr_store_put_type(p->store, &execution, ret_execution);

    return r < 0 ? r : hr_store_put_type(p->store, &context, ret_context);
}

static void add_text(struct hr_meta_property *list, size_t *n, const char *name, const char *text)
{
    if (text)
        list[(*n)++] = (struct hr_meta_property){
            .name = name, .custom = true, .value = { .kind = HR_VALUE_STRING, .text = text }
        };
}

hr_status hr_change_add(struct hr_project *p, const struct hr_change *c, int64_t artifact,
                        bool made)
{
    struct hr_meta_property properties[8];
    struct hr_meta_node node = { .state = HR_EXECUTION_COMPLETE, .properties = properties };
    struct hr_meta_step steps[2] = { { .key = "model" }, { .index = 0 } };
    struct hr_meta_event event = { .artifact = artifact,
                                   .type = made ? HR_EVENT_OUTPUT : HR_EVENT_INPUT,
                                   .steps = steps,
                                   .count = 2 };
    int64_t context_type = 0, context = 0;
    hr_status r = put_types(p, &node.type_id, &context_type);

    add_text(properties, &node.count, "__action", c->action);
    add_text(properties, &node.count, "__alias", c->alias);
    add_text(properties, &node.count, "__by", c->by);
    add_text(properties, &node.count, "__from", c->from);
    add_text(properties, &node.count, "__model", c->model);
    add_text(properties, &node.count, "__version", c->version);
    add_text(properties, &node.count, "__why", c->why);
    if (r == HR_OK)
        r = hr_store_put_context(p->store, context_type, c->model, &context);
    if (r == HR_OK)
        r = hr_store_add_execution(p->store, &node, &event.execution);
    if (r == HR_OK)
        r = hr_store_put_association(p->store, context, event.execution);
    if (r == HR_OK && artifact)
        r = hr_store_add_event(p->store, &event);
    if (r == HR_OK && artifact)
        r = hr_store_put_attribution(p->store, context, artifact);
    return r;
}

const char *hr_change_by(struct hr_project *p, const char *given, struct hr_arena *arena)
{
    const char *user = given ? given : OS(&p->env, getenv, "USER");
    char account[256];

    if (!user || !*user)
        user = OS(&p->env, getenv, "LOGNAME");
    if (user && *user)
        return user;
    return OS(&p->env, account, account, sizeof account) < 0 ? "unknown"
                                                             : hr_arena_text(arena, account);
}

hr_status hr_model_package(struct hr_project *p, const struct hr_meta_node *pushed,
                           char ret[HR_MAX_PATH])
{
    const char *name = hr_meta_text(pushed, "model_name");
    const char *version = hr_meta_text(pushed, "pushed_version");
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, HR_MAX_PATH - 1, &p->env);
    r = hr_buf_format(&text, "%s/models/%s/%s-%s.hrp", p->paths.registry, name, name, version);
    if (r == HR_OK)
        memcpy(ret, text.text, text.len + 1);
    hr_buf_clear(&text);
    return r < 0 ? hr_fail(&p->env, HR_INVALID, "the name of a model is too long") : HR_OK;
}

/* -- gates --------------------------------------------------------------------- */

struct verdict {
    bool refused;
    const char *text;
};

/* What an execution that read the model under the key "model" has put out on it. */
static hr_status judge(struct hr_project *p, int64_t execution, struct hr_arena *arena,
                       struct verdict verdicts[2])
{
    static const char *const types[] = { "ModelBlessing", "InfraBlessing" };
    struct hr_meta_events events = { 0 };
    struct hr_meta_node node, by;
    hr_status r = hr_store_events_of_execution(p->store, execution, arena, &events);
    size_t i, k;

    for (i = 0; i < events.count && r == HR_OK; i++) {
        if (events.items[i].type != HR_EVENT_OUTPUT)
            continue;
        r = hr_store_get(p->store, HR_KIND_ARTIFACT, events.items[i].artifact, arena, &node);
        for (k = 0; k < 2 && r == HR_OK; k++) {
            if (strcmp(node.type, types[k]) != 0)
                continue;
            r = hr_store_get(p->store, HR_KIND_EXECUTION, execution, arena, &by);
            verdicts[k].refused = hr_meta_int(&node, "blessed", 0) != 1;
            verdicts[k].text = r == HR_OK ? hr_meta_text(&by, "__summary") : NULL;
        }
    }
    return r;
}

/* The model that a push has read. */
static hr_status source_of(struct hr_project *p, const struct hr_meta_node *pushed,
                           struct hr_arena *arena, int64_t *ret)
{
    struct hr_meta_events events = { 0 };
    struct hr_meta_node node;
    int64_t maker = 0;
    hr_status r = hr_maker_of(p, pushed->id, arena, &maker);
    size_t i;

    *ret = 0;
    if (r == HR_OK && maker)
        r = hr_store_events_of_execution(p->store, maker, arena, &events);
    for (i = 0; i < events.count && r == HR_OK && !*ret; i++) {
        if (events.items[i].type != HR_EVENT_INPUT)
            continue;
        r = hr_store_get(p->store, HR_KIND_ARTIFACT, events.items[i].artifact, arena, &node);
        if (r == HR_OK && !strcmp(node.type, "Model"))
            *ret = node.id;
    }
    return r;
}

hr_status hr_model_refused(struct hr_project *p, const struct hr_meta_node *pushed,
                           struct hr_arena *arena, const char **ret)
{
    struct verdict verdicts[2] = { { false, NULL }, { false, NULL } };
    struct hr_meta_events events = { 0 };
    int64_t model = 0;
    hr_status r = source_of(p, pushed, arena, &model);
    size_t i;

    *ret = NULL;
    if (r == HR_OK && hr_meta_int(pushed, "__gates_passed", 1) == 0)
        *ret = "the gates that its package tells of";
    if (r == HR_OK && model)
        r = hr_store_events_of_artifact(p->store, model, arena, &events);
    for (i = 0; i < events.count && r == HR_OK; i++) { /* the newest verdict of a gate counts */
        const struct hr_meta_event *e = &events.items[i];

        if (e->type == HR_EVENT_INPUT && e->count && hr_text_eq(e->steps[0].key, "model"))
            r = judge(p, e->execution, arena, verdicts);
    }
    for (i = 0; i < 2 && r == HR_OK && !*ret; i++)
        if (verdicts[i].refused)
            *ret = verdicts[i].text ? verdicts[i].text : "NOT_BLESSED";
    return r;
}

/* -- finding ------------------------------------------------------------------- */

static hr_status newest_of(struct hr_project *p, const char *name, const char *version,
                           struct hr_arena *arena, struct hr_meta_node *ret)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT,
                            .type = "PushedModel",
                            .state = HR_ARTIFACT_LIVE,
                            .property = "model_name",
                            .value = name,
                            .newest_first = true };
    struct hr_meta_nodes found = { 0 };
    hr_status r = hr_store_look(p->store, &look, arena, &found);
    size_t i;

    for (i = 0; r == HR_OK && i < found.count; i++) {
        if (hr_meta_int(&found.items[i], "pushed", 0) != 1 ||
            (version && !hr_text_eq(hr_meta_text(&found.items[i], "pushed_version"), version)))
            continue;
        *ret = found.items[i];
        return HR_OK;
    }
    return r < 0 ? r : HR_NOT_FOUND;
}

hr_status hr_model_find(struct hr_project *p, const char *what, struct hr_arena *arena,
                        struct hr_meta_node *ret)
{
    const char *at = strchr(what, '@'), *version;
    const char *name = at ? hr_arena_bytes(arena, what, (size_t)(at - what))
                          : hr_arena_text(arena, what);
    struct hr_changes changes;
    hr_status r;

    if (!name)
        return HR_EXHAUSTED;
    r = newest_of(p, name, at ? at + 1 : NULL, arena, ret);
    if (r != HR_NOT_FOUND || !at)
        return r;
    if ((r = hr_changes_of(p, name, arena, &changes)) < 0)
        return r;
    if (!(version = hr_alias_of(&changes, name, at + 1, NULL)))
        return HR_NOT_FOUND;
    r = newest_of(p, name, version, arena, ret);
    if (r == HR_NOT_FOUND)
        return hr_fail(&p->env, HR_PRECONDITION,
                       "the alias \"%s\" of the model \"%s\" means version %s, which is gone; "
                       "promote another version, or roll back",
                       at + 1, name, version);
    return r;
}
