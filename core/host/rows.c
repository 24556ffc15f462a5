/* What the rows of cursors are made of. */
#include <string.h>

#include "host/host.h"
#include "host/models.h"
#include "host/package.h"

enum { MAX_ROWS = 10000000 };

static struct hr_cell *add_row(struct hr_arena *arena, struct hr_table *t)
{
    struct hr_cell *cells;
    size_t cap = t->cap ? t->cap * 2 : 16;

    if (t->rows == t->cap) {
        if (cap > MAX_ROWS || !(cells = hr_arena_array(arena, cap * t->width, sizeof *cells)))
            return NULL;
        if (t->rows)
            memcpy(cells, t->cells, t->rows * t->width * sizeof *cells);
        t->cells = cells;
        t->cap = cap;
    }
    return &t->cells[t->rows++ * t->width];
}

static struct hr_cell text(const char *value)
{
    return (struct hr_cell){ .text = value };
}

static struct hr_cell number(struct hr_arena *arena, int64_t value)
{
    char digits[HR_NUM_TEXT];

    hr_num_put_int(digits, value);
    return (struct hr_cell){ hr_arena_text(arena, digits), true, value };
}

hr_status hr_maker_of(struct hr_project *p, int64_t artifact, struct hr_arena *arena, int64_t *ret)
{
    struct hr_meta_events events;
    hr_status r = hr_store_events_of_artifact(p->store, artifact, arena, &events);
    size_t i;

    *ret = 0;
    for (i = 0; r == HR_OK && i < events.count && !*ret; i++)
        if (events.items[i].type == HR_EVENT_OUTPUT)
            *ret = events.items[i].execution;
    return r;
}

hr_status hr_home_of(struct hr_project *p, enum hr_type_kind kind, int64_t id,
                     struct hr_arena *arena, struct hr_home *ret)
{
    struct hr_meta_nodes contexts = { 0 };
    int64_t pipeline = 0, run = 0, maker = id;
    hr_status r = HR_OK;
    size_t i;

    *ret = (struct hr_home){ 0 };
    if (kind == HR_KIND_ARTIFACT) /* it gathers the contexts of all that use it */
        r = hr_maker_of(p, id, arena, &maker);
    if (r == HR_OK && maker)
        r = hr_store_contexts_of(p->store, HR_KIND_EXECUTION, maker, arena, &contexts);
    for (i = 0; r == HR_OK && i < contexts.count; i++) {
        const struct hr_meta_node *c = &contexts.items[i];

        if (!strcmp(c->type, "pipeline")) {
            ret->pipeline = c->name;
            pipeline = c->id;
        } else if (!strcmp(c->type, "pipeline_run") && !run) {
            ret->run = c->name; /* the first: the one that made it */
            run = c->id;
        } else if (!strcmp(c->type, "node") && !ret->node) {
            ret->node = c->name;
        }
    }
    if (ret->node && ret->pipeline && hr_text_starts(ret->node, ret->pipeline) &&
        ret->node[strlen(ret->pipeline)] == '.')
        ret->node += strlen(ret->pipeline) + 1;
    if (r == HR_OK && run && pipeline)
        r = hr_store_rank(p->store, pipeline, run, &ret->number);
    return r;
}

hr_status hr_run_facts(struct hr_project *p, const struct hr_meta_node *run, struct hr_arena *arena,
                       const char **ret_state, int64_t *ret_executions, int64_t *ret_duration_ms)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION, .contexts = &run->id, .context_count = 1 };
    struct hr_meta_nodes found = { 0 };
    hr_status r = hr_store_look(p->store, &look, arena, &found);
    int64_t last = run->create_ms;
    bool running = false, failed = false;
    size_t i;

    for (i = 0; i < found.count; i++) {
        running = running || found.items[i].state == HR_EXECUTION_RUNNING;
        failed = failed || found.items[i].state == HR_EXECUTION_FAILED;
        last = found.items[i].update_ms > last ? found.items[i].update_ms : last;
    }
    *ret_state = running ? "RUNNING" : failed ? "FAILED" : "COMPLETE";
    *ret_executions = (int64_t)found.count;
    *ret_duration_ms = last - run->create_ms;
    return r;
}

static hr_status runs(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "id",          "run",        "pipeline",
                                           "number",      "state",      "started",
                                           "duration_ms", "executions", NULL };
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "pipeline_run" };
    struct hr_meta_nodes found = { 0 }, parents;
    int64_t rank = 0, executions, duration;
    const char *state;
    struct hr_cell *row;
    hr_status r = hr_store_look(p->store, &look, arena, &found);
    size_t i;

    t->columns = columns;
    t->width = 8;
    for (i = 0; i < found.count && r == HR_OK; i++) {
        const struct hr_meta_node *run = &found.items[i];

        r = hr_store_contexts_of(p->store, HR_KIND_CONTEXT, run->id, arena, &parents);
        if (r == HR_OK && parents.count)
            r = hr_store_rank(p->store, parents.items[0].id, run->id, &rank);
        if (r == HR_OK)
            r = hr_run_facts(p, run, arena, &state, &executions, &duration);
        if (r < 0 || !(row = add_row(arena, t)))
            return r < 0 ? r : HR_EXHAUSTED;
        row[0] = number(arena, run->id);
        row[1] = text(run->name);
        row[2] = text(parents.count ? parents.items[0].name : NULL);
        row[3] = number(arena, rank);
        row[4] = text(state);
        row[5] = number(arena, run->create_ms);
        row[6] = number(arena, duration);
        row[7] = number(arena, executions);
    }
    return r;
}

static hr_status executions(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "id",      "node",   "component", "run",
                                           "number",  "state",  "started",   "duration_ms",
                                           "summary", "reason", NULL };
    struct hr_look look = { .kind = HR_KIND_EXECUTION };
    struct hr_meta_nodes found = { 0 };
    struct hr_home home;
    struct hr_cell *row;
    hr_status r = hr_store_look(p->store, &look, arena, &found);
    size_t i;

    t->columns = columns;
    t->width = 10;
    for (i = 0; i < found.count && r == HR_OK; i++) {
        const struct hr_meta_node *e = &found.items[i];

        if (hr_text_starts(e->type, "__"))
            continue; /* no node of a pipeline: a change of an alias */
        r = hr_home_of(p, HR_KIND_EXECUTION, e->id, arena, &home);
        if (r < 0 || !(row = add_row(arena, t)))
            return r < 0 ? r : HR_EXHAUSTED;
        row[0] = number(arena, e->id);
        row[1] = text(home.node);
        row[2] = text(hr_component_short(e->type));
        row[3] = text(home.run);
        row[4] = number(arena, home.number);
        row[5] = text(hr_execution_state_name(e->state));
        row[6] = number(arena, e->create_ms);
        row[7] = number(arena, e->update_ms - e->create_ms);
        row[8] = text(hr_meta_text(e, "__summary"));
        row[9] = text(hr_meta_text(e, "__reason"));
    }
    return r;
}

static hr_status artifacts(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "id",    "type",    "node",   "run", "number",
                                           "state", "created", "digest", "uri", NULL };
    struct hr_look look = { .kind = HR_KIND_ARTIFACT };
    struct hr_meta_nodes found = { 0 };
    struct hr_home home;
    struct hr_cell *row;
    hr_status r = hr_store_look(p->store, &look, arena, &found);
    size_t i;

    t->columns = columns;
    t->width = 9;
    for (i = 0; i < found.count && r == HR_OK; i++) {
        const struct hr_meta_node *a = &found.items[i];

        r = hr_home_of(p, HR_KIND_ARTIFACT, a->id, arena, &home);
        if (r < 0 || !(row = add_row(arena, t)))
            return r < 0 ? r : HR_EXHAUSTED;
        row[0] = number(arena, a->id);
        row[1] = text(a->type);
        row[2] = text(home.node);
        row[3] = text(home.run);
        row[4] = number(arena, home.number);
        row[5] = text(hr_artifact_state_name(a->state));
        row[6] = number(arena, a->create_ms);
        row[7] = text(hr_meta_text(a, "__digest"));
        row[8] = text(a->uri);
    }
    return r;
}

/* Is no later change of the same alias? */
static bool is_last(const struct hr_changes *changes, size_t i)
{
    const struct hr_change *c = &changes->items[i];

    for (i++; i < changes->count; i++)
        if (hr_text_eq(changes->items[i].model, c->model) &&
            hr_text_eq(changes->items[i].alias, c->alias))
            return false;
    return true;
}

/* Aliases that mean a version, "candidate, production"; NULL: none. */
static const char *aliases_of(const struct hr_changes *changes, const char *model,
                              const char *version, struct hr_arena *arena)
{
    const char *list = NULL;
    size_t i;

    for (i = 0; i < changes->count; i++) {
        const struct hr_change *c = &changes->items[i];

        if (!c->alias || !hr_text_eq(c->model, model) || !is_last(changes, i) ||
            !hr_text_eq(hr_alias_of(changes, c->model, c->alias, NULL), version))
            continue;
        list = hr_arena_format(arena, "%s%s%s", list ? list : "", list ? ", " : "", c->alias);
    }
    return list;
}

/* Pushed models: what the Pusher has given a name and a version. */
static hr_status models(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "model",   "version", "id",          "run", "number",
                                           "created", "digest",  "destination", "uri", "aliases",
                                           NULL };
    struct hr_look look = { .kind = HR_KIND_ARTIFACT,
                            .type = "PushedModel",
                            .state = HR_ARTIFACT_LIVE };
    struct hr_meta_nodes found = { 0 };
    struct hr_changes changes;
    struct hr_home home;
    struct hr_cell *row;
    hr_status r = hr_store_look(p->store, &look, arena, &found);
    size_t i;

    t->columns = columns;
    t->width = 10;
    if (r == HR_OK)
        r = hr_changes_of(p, NULL, arena, &changes);
    for (i = 0; i < found.count && r == HR_OK; i++) {
        const struct hr_meta_node *a = &found.items[i];

        if (hr_meta_int(a, "pushed", 0) != 1)
            continue;
        r = hr_home_of(p, HR_KIND_ARTIFACT, a->id, arena, &home);
        if (r < 0 || !(row = add_row(arena, t)))
            return r < 0 ? r : HR_EXHAUSTED;
        row[0] = text(hr_meta_text(a, "model_name"));
        row[1] = text(hr_meta_text(a, "pushed_version"));
        row[2] = number(arena, a->id);
        row[3] = text(home.run);
        row[4] = number(arena, home.number);
        row[5] = number(arena, a->create_ms);
        row[6] = text(hr_meta_text(a, "__digest"));
        row[7] = text(hr_meta_text(a, "pushed_destination"));
        row[8] = text(a->uri);
        row[9] = text(aliases_of(&changes, row[0].text, row[1].text, arena));
    }
    return r;
}

/* What an alias means now, once each, by its newest change. */
static hr_status aliases(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "model", "alias", "version", "before",
                                           "by",    "why",   "created", NULL };
    struct hr_changes changes;
    const char *version, *before;
    struct hr_cell *row;
    hr_status r = hr_changes_of(p, NULL, arena, &changes);
    size_t i;

    t->columns = columns;
    t->width = 7;
    for (i = 0; i < changes.count && r == HR_OK; i++) {
        const struct hr_change *c = &changes.items[i];

        if (!c->alias || !is_last(&changes, i) ||
            !(version = hr_alias_of(&changes, c->model, c->alias, &before)))
            continue;
        if (!(row = add_row(arena, t)))
            return HR_EXHAUSTED;
        row[0] = text(c->model);
        row[1] = text(c->alias);
        row[2] = text(version);
        row[3] = text(before);
        row[4] = text(c->by);
        row[5] = text(c->why);
        row[6] = number(arena, c->ms);
    }
    return r;
}

static hr_status model_history(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "execution", "model", "action", "alias", "version",
                                           "from",      "by",    "why",    "created", NULL };
    struct hr_changes changes;
    struct hr_cell *row;
    hr_status r = hr_changes_of(p, NULL, arena, &changes);
    size_t i;

    t->columns = columns;
    t->width = 9;
    for (i = 0; i < changes.count && r == HR_OK; i++) {
        const struct hr_change *c = &changes.items[i];

        if (!(row = add_row(arena, t)))
            return HR_EXHAUSTED;
        row[0] = number(arena, c->execution);
        row[1] = text(c->model);
        row[2] = text(c->action);
        row[3] = text(c->alias);
        row[4] = text(c->version);
        row[5] = text(c->from);
        row[6] = text(c->by);
        row[7] = text(c->why);
        row[8] = number(arena, c->ms);
    }
    return r;
}

static hr_status plugins(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "plugin", "version", "state",    "components", "path",
                                           "digest", "reason",  "manifest", "signed",     NULL };
    hr_status r = hr_host_catalogue(p);
    struct hr_cell *row;
    size_t i, n = r == HR_OK ? hr_catalogue_count(p->catalogue) : 0;

    t->columns = columns;
    t->width = 9;
    for (i = 0; i < n; i++) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(p->catalogue, i);

        if (!(row = add_row(arena, t)))
            return HR_EXHAUSTED;
        row[0] = text(e->reason ? hr_path_name(e->path) : e->info.id);
        row[1] = text(e->info.version);
        row[2] = text(e->reason ? "broken" : e->shadow ? "shadowed" : "ok");
        row[3] = number(arena, (int64_t)e->info.component_count);
        row[4] = text(e->path);
        row[5] = text(e->info.digest);
        row[6] = text(e->reason ? e->reason : e->shadow);
        row[7] = text(e->info.manifest);
        row[8] = text(hr_installed_signer(p, e->path, arena));
    }
    return r;
}

static hr_status components(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    static const char *const columns[] = { "component", "id", "version", "plugin", "doc", NULL };
    hr_status r = hr_host_catalogue(p);
    struct hr_cell *row;
    size_t i, k, n = r == HR_OK ? hr_catalogue_count(p->catalogue) : 0;

    t->columns = columns;
    t->width = 5;
    for (i = 0; i < n; i++) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(p->catalogue, i);

        for (k = 0; !e->reason && !e->shadow && k < e->info.component_count; k++) {
            const struct hr_component_info *c = &e->info.components[k];

            if (!(row = add_row(arena, t)))
                return HR_EXHAUSTED;
            row[0] = text(hr_component_short(c->id));
            row[1] = text(c->id);
            row[2] = text(c->version);
            row[3] = text(e->info.id);
            row[4] = text(c->doc);
        }
    }
    return r;
}

static const struct {
    const char *name;
    hr_status (*make)(struct hr_project *p, struct hr_arena *arena, struct hr_table *t);
    bool project;
} kinds[] = { { "runs", runs, true },           { "executions", executions, true },
              { "artifacts", artifacts, true }, { "models", models, true },
              { "aliases", aliases, true },     { "model_history", model_history, true },
              { "plugins", plugins, false },    { "components", components, false } };

hr_status hr_table_of(struct hr_project *p, const char *what, struct hr_arena *arena,
                      struct hr_table *ret)
{
    const char *names[sizeof kinds / sizeof kinds[0]];
    hr_status r = HR_OK;
    size_t i;

    *ret = (struct hr_table){ 0 };
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        names[i] = kinds[i].name;
        if (strcmp(kinds[i].name, what) != 0)
            continue;
        if (kinds[i].project)
            r = hr_host_need(p);
        return r < 0 ? r : kinds[i].make(p, arena, ret);
    }
    return hr_fail_meant(&p->env, HR_INVALID, NULL, hr_text_meant(what, names, i),
                         "there are no rows of \"%s\"", what);
}
