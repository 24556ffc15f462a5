/* What the rows of cursors are made of. */
#include <string.h>

#include "host/host.h"
#include "host/models.h"
#include "host/package.h"

enum { MAX_ROWS = 10000000, PAGE = 256 };

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

/* The last row stays if it matches.  false: there are as many as are wanted. */
static bool keep_row(struct hr_table *t)
{
    if (!hr_filter_match(&t->filter, &t->cells[(t->rows - 1) * t->width]))
        t->rows--;
    return !t->limit || t->rows < (size_t)t->limit;
}

/* Rows were made the newest first. */
static void reverse(struct hr_table *t)
{
    size_t i, k;

    for (i = 0; i < t->rows / 2; i++)
        for (k = 0; k < t->width; k++) {
            struct hr_cell *a = &t->cells[i * t->width + k],
                           *b = &t->cells[(t->rows - 1 - i) * t->width + k], c = *a;

            *a = *b;
            *b = c;
        }
}

static struct hr_cell text(const char *value)
{
    return (struct hr_cell){ .text = value };
}

struct hr_cell hr_cell_int(struct hr_arena *arena, int64_t value)
{
    char digits[HR_NUM_TEXT];

    hr_num_put_int(digits, value);
    return (struct hr_cell){ .text = hr_arena_text(arena, digits), .number = true, .i = value };
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

hr_status hr_run_number(struct hr_project *p, int64_t pipeline, int64_t run, int64_t *ret)
{
    int64_t last = p->ranked.child, between = 0, number = p->ranked.number;
    hr_status r;

    if (p->ranked.parent != pipeline) {
        r = hr_store_rank(p->store, pipeline, run, &number);
    } else if (run <= last) {
        r = hr_store_children_between(p->store, pipeline, run, last, &between);
        number -= between;
    } else {
        r = hr_store_children_between(p->store, pipeline, last, run, &between);
        number += between;
    }
    if (r < 0)
        return r;
    p->ranked.parent = pipeline;
    p->ranked.child = run;
    p->ranked.number = *ret = number;
    return HR_OK;
}

/* What the contexts of an execution say: the first of each type, as others are of sub-pipelines,
 * or of runs that have used it since. */
struct at_home {
    int64_t pipeline, run;
};

static struct at_home read_contexts(const struct hr_meta_nodes *contexts, struct hr_home *ret)
{
    struct at_home ids = { 0 };
    size_t i;

    for (i = 0; i < contexts->count; i++) {
        const struct hr_meta_node *c = &contexts->items[i];

        if (!strcmp(c->type, "pipeline") && !ret->pipeline) {
            ret->pipeline = c->name;
            ids.pipeline = c->id;
        } else if (!strcmp(c->type, "pipeline_run") && !ids.run) {
            ret->run = c->name;
            ids.run = c->id;
        } else if (!strcmp(c->type, "node") && !ret->node) {
            ret->node = c->name;
        }
    }
    return ids;
}

hr_status hr_home_of(struct hr_project *p, enum hr_type_kind kind, int64_t id,
                     struct hr_arena *arena, struct hr_home *ret)
{
    struct hr_meta_nodes contexts = { 0 };
    struct at_home ids;
    int64_t maker = id;
    hr_status r = HR_OK;

    *ret = (struct hr_home){ 0 };
    if (kind == HR_KIND_ARTIFACT) /* it gathers the contexts of all that use it */
        r = hr_maker_of(p, id, arena, &maker);
    if (r == HR_OK && maker)
        r = hr_store_contexts_of(p->store, HR_KIND_EXECUTION, maker, arena, &contexts);
    if (r < 0)
        return r;
    ids = read_contexts(&contexts, ret);
    if (ret->node && ret->pipeline && hr_text_starts(ret->node, ret->pipeline) &&
        ret->node[strlen(ret->pipeline)] == '.')
        ret->node += strlen(ret->pipeline) + 1;
    if (ids.run && ids.pipeline)
        r = hr_run_number(p, ids.pipeline, ids.run, &ret->number);
    return r;
}

hr_status hr_run_facts(struct hr_project *p, const struct hr_meta_node *run, const char **ret_state,
                       int64_t *ret_executions, int64_t *ret_duration_ms)
{
    struct hr_meta_sum sum = { 0 };
    hr_status r = hr_store_sum(p->store, run->id, &sum);

    *ret_state = sum.running ? "RUNNING" : sum.failed ? "FAILED" : "COMPLETE";
    *ret_executions = sum.executions;
    *ret_duration_ms = sum.last_ms > run->create_ms ? sum.last_ms - run->create_ms : 0;
    return r;
}

/* What a filter asks for by "=", as far as the store has indexes for it: the rest is compared
 * row by row.  HR_NOT_FOUND: nothing can match. */
static hr_status narrow(struct hr_project *p, const struct hr_table *t, struct hr_arena *arena,
                        struct hr_look *look, int64_t contexts[2])
{
    const struct hr_comparison *run = hr_filter_equal(&t->filter, t->columns, "run");
    const struct hr_comparison *node = hr_filter_equal(&t->filter, t->columns, "node");
    struct hr_look nodes = { .kind = HR_KIND_CONTEXT, .type = "node" };
    struct hr_meta_nodes found = { 0 };
    int64_t id = 0;
    size_t matches = 0, i;
    hr_status r = HR_OK;

    look->contexts = contexts;
    if (run && (r = hr_store_find_context(p->store, "pipeline_run", run->value, &id)) == HR_OK)
        contexts[look->context_count++] = id;
    if (r < 0 || !node)
        return r;
    r = hr_store_look(p->store, &nodes, arena, &found);
    for (i = 0; i < found.count; i++) {
        const char *name = found.items[i].name;
        size_t n = strlen(name), k = strlen(node->value);

        if (hr_text_ends(name, node->value) && (n == k || name[n - k - 1] == '.')) {
            matches++;
            id = found.items[i].id;
        }
    }
    if (r == HR_OK && matches == 1) /* of one pipeline only */
        contexts[look->context_count++] = id;
    return r == HR_OK && !matches ? HR_NOT_FOUND : r;
}

typedef hr_status row_maker(struct hr_project *p, const struct hr_meta_node *node,
                            struct hr_arena *arena, struct hr_table *t);

/* Page by page, the newest first, until there are rows enough. */
static hr_status pages(struct hr_project *p, struct hr_look *look, struct hr_arena *arena,
                       struct hr_table *t, row_maker *make)
{
    struct hr_meta_nodes found;
    hr_status r = HR_OK;
    size_t i;

    look->newest_first = true;
    look->limit = t->limit && !t->filter.count && t->limit < PAGE ? t->limit : PAGE;
    do {
        found = (struct hr_meta_nodes){ 0 };
        r = hr_store_look(p->store, look, arena, &found);
        for (i = 0; i < found.count && r == HR_OK; i++) {
            size_t rows = t->rows;

            look->before = found.items[i].id;
            r = make(p, &found.items[i], arena, t);
            if (r == HR_OK && t->rows > rows && !keep_row(t))
                return HR_OK;
        }
    } while (r == HR_OK && found.count == (size_t)look->limit);
    return r;
}

const struct hr_meta_node *hr_pipeline_among(const struct hr_meta_nodes *parents)
{
    size_t i;

    for (i = 0; i < parents->count; i++)
        if (!strcmp(parents->items[i].type, "pipeline"))
            return &parents->items[i];
    return NULL;
}

static hr_status run_row(struct hr_project *p, const struct hr_meta_node *run,
                         struct hr_arena *arena, struct hr_table *t)
{
    struct hr_meta_nodes parents = { 0 };
    int64_t rank = 0, executions = 0, duration = 0;
    const struct hr_meta_node *pipeline;
    const char *state;
    struct hr_cell *row;
    hr_status r;

    if (hr_meta_text(run, "__part_of"))
        return HR_OK; /* of a sub-pipeline: it shows with the run that it is a part of */
    r = hr_store_contexts_of(p->store, HR_KIND_CONTEXT, run->id, arena, &parents);
    pipeline = hr_pipeline_among(&parents);
    if (r == HR_OK && pipeline)
        r = hr_run_number(p, pipeline->id, run->id, &rank);
    if (r == HR_OK)
        r = hr_run_facts(p, run, &state, &executions, &duration);
    if (r < 0 || !(row = add_row(arena, t)))
        return r < 0 ? r : HR_EXHAUSTED;
    row[0] = hr_cell_int(arena, run->id);
    row[1] = text(run->name);
    row[2] = text(pipeline ? pipeline->name : NULL);
    row[3] = hr_cell_int(arena, rank);
    row[4] = text(state);
    row[5] = hr_cell_int(arena, run->create_ms);
    row[6] = hr_cell_int(arena, duration);
    row[7] = hr_cell_int(arena, executions);
    return HR_OK;
}

static hr_status runs(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "pipeline_run" };

    return pages(p, &look, arena, t, run_row);
}

static hr_status execution_row(struct hr_project *p, const struct hr_meta_node *e,
                               struct hr_arena *arena, struct hr_table *t)
{
    struct hr_instance instance = hr_instance_of(e);
    struct hr_home home;
    struct hr_cell *row;
    hr_status r;

    if (hr_text_starts(e->type, "__"))
        return HR_OK; /* no node of a pipeline: a change of an alias */
    r = hr_home_of(p, HR_KIND_EXECUTION, e->id, arena, &home);
    if (r < 0 || !(row = add_row(arena, t)))
        return r < 0 ? r : HR_EXHAUSTED;
    row[0] = hr_cell_int(arena, e->id);
    row[1] = text(home.node);
    row[2] = text(hr_component_short(e->type));
    row[3] = text(home.run);
    row[4] = hr_cell_int(arena, home.number);
    row[5] = text(hr_execution_state_name(e->state));
    row[6] = hr_cell_int(arena, e->create_ms);
    row[7] = hr_cell_int(arena, e->update_ms - e->create_ms);
    row[8] = text(hr_meta_text(e, "__summary"));
    row[9] = text(hr_meta_text(e, "__reason"));
    row[10] = text(home.node ? hr_instance_name(home.node, &instance, arena) : NULL);
    if (home.node && !row[10].text)
        return HR_EXHAUSTED;
    return HR_OK;
}

static hr_status executions(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    const struct hr_comparison *state = hr_filter_equal(&t->filter, t->columns, "state");
    struct hr_look look = { .kind = HR_KIND_EXECUTION };
    int64_t contexts[2], i;
    hr_status r = narrow(p, t, arena, &look, contexts);

    for (i = HR_EXECUTION_NEW; state && i <= HR_EXECUTION_CANCELED; i++)
        if (!strcmp(state->value, hr_execution_state_name(i)))
            look.state = i;
    return r < 0 ? r : pages(p, &look, arena, t, execution_row);
}

static hr_status artifact_row(struct hr_project *p, const struct hr_meta_node *a,
                              struct hr_arena *arena, struct hr_table *t)
{
    struct hr_home home;
    struct hr_cell *row;
    hr_status r = hr_home_of(p, HR_KIND_ARTIFACT, a->id, arena, &home);

    if (r < 0 || !(row = add_row(arena, t)))
        return r < 0 ? r : HR_EXHAUSTED;
    row[0] = hr_cell_int(arena, a->id);
    row[1] = text(a->type);
    row[2] = text(home.node);
    row[3] = text(home.run);
    row[4] = hr_cell_int(arena, home.number);
    row[5] = text(hr_artifact_state_name(a->state));
    row[6] = hr_cell_int(arena, a->create_ms);
    row[7] = text(hr_meta_text(a, "__digest"));
    row[8] = text(a->uri);
    return HR_OK;
}

static hr_status artifacts(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    const struct hr_comparison *type = hr_filter_equal(&t->filter, t->columns, "type");
    struct hr_look look = { .kind = HR_KIND_ARTIFACT, .type = type ? type->value : NULL };
    int64_t contexts[2];
    hr_status r = narrow(p, t, arena, &look, contexts);

    return r < 0 ? r : pages(p, &look, arena, t, artifact_row);
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
static hr_status model_row(struct hr_project *p, const struct hr_meta_node *a,
                           struct hr_arena *arena, struct hr_table *t)
{
    struct hr_changes changes = { 0 };
    struct hr_home home;
    struct hr_cell *row;
    hr_status r;

    if (hr_meta_int(a, "pushed", 0) != 1)
        return HR_OK;
    r = hr_home_of(p, HR_KIND_ARTIFACT, a->id, arena, &home);
    if (r < 0 || !(row = add_row(arena, t)))
        return r < 0 ? r : HR_EXHAUSTED;
    row[0] = text(hr_meta_text(a, "model_name"));
    row[1] = text(hr_meta_text(a, "pushed_version"));
    row[2] = hr_cell_int(arena, a->id);
    row[3] = text(home.run);
    row[4] = hr_cell_int(arena, home.number);
    row[5] = hr_cell_int(arena, a->create_ms);
    row[6] = text(hr_meta_text(a, "__digest"));
    row[7] = text(hr_meta_text(a, "pushed_destination"));
    row[8] = text(a->uri);
    if ((r = hr_changes_of(p, row[0].text, arena, &changes)) == HR_OK)
        row[9] = text(aliases_of(&changes, row[0].text, row[1].text, arena));
    return r;
}

static hr_status models(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT,
                            .type = "PushedModel",
                            .state = HR_ARTIFACT_LIVE };

    return pages(p, &look, arena, t, model_row);
}

/* What an alias means now, once each, by its newest change. */
static hr_status aliases(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    struct hr_changes changes;
    const char *version, *before;
    struct hr_cell *row;
    hr_status r = hr_changes_of(p, NULL, arena, &changes);
    size_t i;

    for (i = r == HR_OK ? changes.count : 0; i-- > 0;) {
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
        row[6] = hr_cell_int(arena, c->ms);
        if (!keep_row(t))
            break;
    }
    return r;
}

static hr_status model_history(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    struct hr_changes changes;
    struct hr_cell *row;
    hr_status r = hr_changes_of(p, NULL, arena, &changes);
    size_t i;

    for (i = r == HR_OK ? changes.count : 0; i-- > 0;) {
        const struct hr_change *c = &changes.items[i];

        if (!(row = add_row(arena, t)))
            return HR_EXHAUSTED;
        row[0] = hr_cell_int(arena, c->execution);
        row[1] = text(c->model);
        row[2] = text(c->action);
        row[3] = text(c->alias);
        row[4] = text(c->version);
        row[5] = text(c->from);
        row[6] = text(c->by);
        row[7] = text(c->why);
        row[8] = hr_cell_int(arena, c->ms);
        if (!keep_row(t))
            break;
    }
    return r;
}

static hr_status cache_row(struct hr_project *p, const struct hr_meta_node *context,
                           struct hr_arena *arena, struct hr_table *t)
{
    struct hr_cell *row = add_row(arena, t);

    return row ? hr_cache_row(p, context, arena, row) : HR_EXHAUSTED;
}

static hr_status cache(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "execution_cache" };

    return pages(p, &look, arena, t, cache_row);
}

static hr_status plugins(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    hr_status r = hr_host_catalogue(p);
    struct hr_cell *row;
    size_t i, n = r == HR_OK ? hr_catalogue_count(p->catalogue) : 0;

    for (i = n; i-- > 0;) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(p->catalogue, i);

        if (!(row = add_row(arena, t)))
            return HR_EXHAUSTED;
        row[0] = text(e->reason ? hr_path_name(e->path) : e->info.id);
        row[1] = text(e->info.version);
        row[2] = text(e->reason ? "broken" : e->shadow ? "shadowed" : "ok");
        row[3] = hr_cell_int(arena, (int64_t)e->info.component_count);
        row[4] = text(e->path);
        row[5] = text(e->info.digest);
        row[6] = text(e->reason ? e->reason : e->shadow);
        row[7] = (struct hr_cell){ .text = e->info.manifest, .json = true };
        row[8] = text(hr_installed_signer(p, e->path, arena));
        if (!keep_row(t))
            break;
    }
    return r;
}

static hr_status components(struct hr_project *p, struct hr_arena *arena, struct hr_table *t)
{
    hr_status r = hr_host_catalogue(p);
    struct hr_cell *row;
    size_t i, k, n = r == HR_OK ? hr_catalogue_count(p->catalogue) : 0;

    for (i = n; i-- > 0;) {
        const struct hr_catalogue_entry *e = hr_catalogue_at(p->catalogue, i);

        for (k = e->reason || e->shadow ? 0 : e->info.component_count; k-- > 0;) {
            const struct hr_component_info *c = &e->info.components[k];

            if (!(row = add_row(arena, t)))
                return HR_EXHAUSTED;
            row[0] = text(hr_component_short(c->id));
            row[1] = text(c->id);
            row[2] = text(c->version);
            row[3] = text(e->info.id);
            row[4] = text(c->doc);
            if (!keep_row(t))
                return HR_OK;
        }
    }
    return r;
}

static const struct kind {
    const char *name;
    hr_status (*make)(struct hr_project *p, struct hr_arena *arena, struct hr_table *t);
    bool project;
    const char *columns[12];
} kinds[] = {
    { "runs", runs, true, { "id", "run", "pipeline", "number", "state", "started", "duration_ms",
                            "executions" } },
    { "executions", executions, true, { "id", "node", "component", "run", "number", "state",
                                        "started", "duration_ms", "summary", "reason",
                                        "instance" } },
    { "artifacts", artifacts, true, { "id", "type", "node", "run", "number", "state", "created",
                                      "digest", "uri" } },
    { "models", models, true, { "model", "version", "id", "run", "number", "created", "digest",
                                "destination", "uri", "aliases" } },
    { "aliases", aliases, true, { "model", "alias", "version", "before", "by", "why", "created" } },
    { "model_history", model_history, true, { "execution", "model", "action", "alias", "version",
                                              "from", "by", "why", "created" } },
    { "cache", cache, true, { "key", "node", "component", "run", "number", "execution", "created",
                              "state" } },
    { "plugins", plugins, false, { "plugin", "version", "state", "components", "path", "digest",
                                   "reason", "manifest", "signed" } },
    { "components", components, false, { "component", "id", "version", "plugin", "doc" } },
};

static hr_status make(struct hr_project *p, const struct kind *kind, const char *filter,
                      struct hr_arena *arena, struct hr_table *t)
{
    hr_status r = kind->project ? hr_host_need(p) : HR_OK;

    t->columns = kind->columns;
    while (t->columns[t->width])
        t->width++;
    if (r == HR_OK)
        r = hr_filter_read(&p->env, filter, t->columns, arena, &t->filter);
    if (r == HR_OK)
        r = kind->make(p, arena, t);
    reverse(t);
    return r == HR_NOT_FOUND ? HR_OK : r;
}

hr_status hr_table_of(struct hr_project *p, const char *what, const char *filter, int64_t limit,
                      struct hr_arena *arena, struct hr_table *ret)
{
    const char *names[sizeof kinds / sizeof kinds[0]];
    size_t i;

    *ret = (struct hr_table){ .limit = limit };
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        names[i] = kinds[i].name;
        if (!strcmp(kinds[i].name, what))
            return make(p, &kinds[i], filter, arena, ret);
    }
    return hr_fail_meant(&p->env, HR_INVALID, NULL, hr_text_meant(what, names, i),
                         "there are no rows of \"%s\"", what);
}
