/* Resolvers: what of the store goes into a run.
 *
 * Each output begins with all artifacts of its type in the pipeline, the newest first; the
 * strategies of the node are applied in turn, and each makes the lists shorter or orders them.
 * One that finds less than it wants leaves none: a first run has no blessed model, and that is
 * no error.
 */
#include <stdlib.h>
#include <string.h>

#include "run/task.h"

struct finder {
    struct hr_runner *runner;
    struct hr_task *task;
    const struct hr_resolver *config;
    struct hr_meta_nodes *lists; /* of the outputs */
};

static hr_status look(struct finder *f, const char *type, int64_t limit, struct hr_meta_nodes *ret)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT,
                            .type = type,
                            .contexts = &f->runner->context_pipeline,
                            .context_count = 1,
                            .state = HR_ARTIFACT_LIVE,
                            .newest_first = true,
                            .limit = limit };

    *ret = (struct hr_meta_nodes){ 0 };
    return hr_store_look(f->runner->config.store, &look, &f->task->arena, ret);
}

/* -- strategies that look at one list -------------------------------------- */

static void latest(struct finder *f, struct hr_meta_nodes *list)
{
    list->count = list->count < (size_t)f->config->wanted ? 0 : (size_t)f->config->wanted;
}

static int by_creation(const void *a, const void *b)
{
    const struct hr_meta_node *x = a, *y = b;

    if (x->create_ms != y->create_ms)
        return x->create_ms < y->create_ms ? 1 : -1;
    return (x->id < y->id) - (x->id > y->id);
}

static void latest_created(struct finder *f, struct hr_meta_nodes *list)
{
    qsort(list->items, list->count, sizeof *list->items, by_creation);
    if (list->count > (size_t)f->config->wanted)
        list->count = (size_t)f->config->wanted;
}

static bool equals(const struct hr_meta_value *v, const struct hr_term *wanted)
{
    switch (v->kind) {
    case HR_VALUE_INT:
    case HR_VALUE_BOOL:
        return (wanted->kind == HR_TERM_INT || wanted->kind == HR_TERM_BOOL) && v->i == wanted->i;
    case HR_VALUE_DOUBLE:
        return wanted->kind == HR_TERM_FLOAT ? v->d == wanted->d
                                             : wanted->kind == HR_TERM_INT &&
                                                   v->d == (double)wanted->i;
    default:
        return wanted->kind == HR_TERM_TEXT && hr_text_eq(v->text, wanted->text);
    }
}

static void filter(struct finder *f, struct hr_meta_nodes *list, bool custom)
{
    size_t n = 0, i, k;

    for (i = 0; i < list->count; i++) {
        const struct hr_meta_node *node = &list->items[i];
        bool good = false;

        for (k = 0; k < node->count; k++)
            good = good || (node->properties[k].custom == custom &&
                            !strcmp(node->properties[k].name, f->config->key) &&
                            equals(&node->properties[k].value, &f->config->value));
        if (good)
            list->items[n++] = *node;
    }
    list->count = n;
}

static void filter_declared(struct finder *f, struct hr_meta_nodes *list)
{
    filter(f, list, false);
}

static void filter_custom(struct finder *f, struct hr_meta_nodes *list)
{
    filter(f, list, true);
}

/* As Python's: below 0 is from the end; and one that goes backwards may stop before the first. */
static int64_t place_in(int64_t n, int64_t at, bool back)
{
    int64_t least = back ? -1 : 0, most = back ? n - 1 : n;

    at = at < 0 ? at + n : at;
    return at < least ? least : at > most ? most : at;
}

/* Some of a list, and no fewer than so many of them. */
static hr_status slice(struct finder *f, size_t output)
{
    const struct hr_resolver *how = f->config;
    struct hr_meta_nodes *list = &f->lists[output];
    int64_t n = (int64_t)list->count, count = 0, at, to;
    bool back = how->step < 0;
    struct hr_meta_node *some = hr_arena_array(&f->task->arena, list->count + 1, sizeof *some);

    if (!some)
        return HR_EXHAUSTED;
    at = how->has_start ? place_in(n, how->start, back) : back ? n - 1 : 0;
    to = how->has_stop ? place_in(n, how->stop, back) : back ? -1 : n;
    while (back ? at > to : at < to) {
        some[count++] = list->items[at];
        if (__builtin_add_overflow(at, how->step, &at))
            break;
    }
    if (count < how->min_count)
        return hr_fail(f->runner->env, HR_PRECONDITION,
                       "node \"%s\": the output \"%s\" wants at least %lld of a list of %lld, and "
                       "is given %lld",
                       f->task->name, f->task->outputs[output].key, (long long)how->min_count,
                       (long long)n, (long long)count);
    *list = (struct hr_meta_nodes){ some, (size_t)count };
    return HR_OK;
}

static hr_status pick(struct finder *f, size_t output)
{
    int64_t n = (int64_t)f->lists[output].count, at = f->config->index;

    at = at < 0 ? at + n : at;
    if (at < 0 || at >= n)
        return hr_fail(f->runner->env, HR_PRECONDITION,
                       "node \"%s\": pick has no artifact %lld for the output \"%s\": there are "
                       "%lld",
                       f->task->name, (long long)f->config->index, f->task->outputs[output].key,
                       (long long)n);
    f->lists[output] = (struct hr_meta_nodes){ f->lists[output].items + at, 1 };
    return HR_OK;
}

static uint64_t mixed(int64_t id, int64_t seed)
{
    uint64_t x = (uint64_t)id * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)seed;

    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* An order by chance, and the same one for the same seed. */
static void shuffle(struct finder *f, struct hr_meta_nodes *list)
{
    size_t i, k;

    for (i = list->count; i > 1; i--) {
        struct hr_meta_node last = list->items[i - 1];

        k = (size_t)(mixed((int64_t)i, f->config->seed) % i);
        list->items[i - 1] = list->items[k];
        list->items[k] = last;
    }
}

/* -- models ---------------------------------------------------------------- */

/* The newest artifact of a type that an execution made of the model, and that says yes: the
 * property is 1.  (Of a model that was not pushed there is a PushedModel too.) */
static hr_status made_of(struct finder *f, int64_t model, const char *type, const char *property,
                         struct hr_meta_node *ret)
{
    struct hr_store *store = f->runner->config.store;
    struct hr_arena *arena = &f->task->arena;
    struct hr_meta_events used = { 0 }, made = { 0 };
    struct hr_meta_node node;
    bool found = false;
    hr_status r = hr_store_events_of_artifact(store, model, arena, &used);
    size_t i, k;

    for (i = 0; r == HR_OK && i < used.count; i++) {
        if (used.items[i].type != HR_EVENT_INPUT)
            continue;
        r = hr_store_events_of_execution(store, used.items[i].execution, arena, &made);
        for (k = 0; r == HR_OK && k < made.count; k++) {
            if (made.items[k].type != HR_EVENT_OUTPUT)
                continue;
            r = hr_store_get(store, HR_KIND_ARTIFACT, made.items[k].artifact, arena, &node);
            if (r < 0 || strcmp(node.type, type) != 0 || node.state != HR_ARTIFACT_LIVE ||
                hr_meta_int(&node, property, 0) != 1 || (found && node.id < ret->id))
                continue;
            *ret = node;
            found = true;
        }
    }
    return r < 0 ? r : found ? HR_OK : HR_NOT_FOUND;
}

/* Is there a blessing of this model that says yes?  The newest one counts. */
static hr_status blessing_of(struct finder *f, const struct hr_meta_nodes *blessings, int64_t model,
                             struct hr_meta_node *ret)
{
    size_t i;

    (void)f;
    for (i = 0; i < blessings->count; i++)
        if (hr_meta_int(&blessings->items[i], "current_model_id", 0) == model &&
            hr_meta_int(&blessings->items[i], "blessed", 0) == 1) {
            *ret = blessings->items[i];
            return HR_OK;
        }
    return HR_NOT_FOUND;
}

/* What says of a model that it fulfils a policy. */
static hr_status proof_of(struct finder *f, const char *policy,
                          const struct hr_meta_nodes *blessings, int64_t model,
                          struct hr_meta_node proofs[2], size_t *ret_n)
{
    bool both = !strcmp(policy, "latest_blessed");
    hr_status r = HR_OK;

    *ret_n = 0;
    if (both || !strcmp(policy, "latest_evaluator_blessed"))
        r = blessing_of(f, blessings, model, &proofs[(*ret_n)++]);
    if (r == HR_OK && (both || !strcmp(policy, "latest_infra_validator_blessed")))
        r = made_of(f, model, "InfraBlessing", "blessed", &proofs[(*ret_n)++]);
    if (r == HR_OK && !strcmp(policy, "latest_pushed"))
        r = made_of(f, model, "PushedModel", "pushed", &proofs[(*ret_n)++]);
    return r;
}

static hr_status one_of(struct finder *f, const struct hr_meta_node *node)
{
    size_t i;

    for (i = 0; i < f->task->output_count; i++) {
        if (strcmp(f->task->outputs[i].type, node->type) != 0)
            continue;
        if (!(f->lists[i].items = hr_arena_get(&f->task->arena, sizeof *node)))
            return HR_EXHAUSTED;
        f->lists[i].items[0] = *node;
        f->lists[i].count = 1;
    }
    return HR_OK;
}

/* Models among which is chosen: those of the output that holds models, else all. */
static hr_status models_of(struct finder *f, struct hr_meta_nodes *ret)
{
    size_t i;

    for (i = 0; i < f->task->output_count; i++)
        if (!strcmp(f->task->outputs[i].type, "Model")) {
            *ret = f->lists[i];
            return HR_OK;
        }
    return look(f, "Model", 0, ret);
}

static hr_status latest_model(struct finder *f, const char *policy)
{
    struct hr_meta_nodes models = { 0 }, blessings = { 0 };
    struct hr_meta_node proofs[2];
    hr_status r = models_of(f, &models);
    size_t i, k, n = 0;

    if (r == HR_OK)
        r = look(f, "ModelBlessing", 0, &blessings);
    for (i = 0; i < f->task->output_count; i++)
        f->lists[i].count = 0;
    for (i = 0; r == HR_OK && i < models.count; i++) {
        r = proof_of(f, policy, &blessings, models.items[i].id, proofs, &n);
        if (r == HR_NOT_FOUND) {
            r = HR_OK;
            continue;
        }
        if (r == HR_OK)
            r = one_of(f, &models.items[i]);
        for (k = 0; k < n && r == HR_OK; k++)
            r = one_of(f, &proofs[k]);
        return r;
    }
    return r; /* none yet: a cold start, and no error */
}

/* -- the newest run -------------------------------------------------------- */

/* The newest run of a pipeline, before this one, in which nothing failed and nothing goes on. */
static hr_status last_good_run(struct finder *f, int64_t *ret)
{
    struct hr_store *store = f->runner->config.store;
    struct hr_meta_nodes runs = { 0 };
    struct hr_meta_sum sum;
    int64_t pipeline = f->runner->context_pipeline;
    hr_status r = HR_OK;
    size_t i;

    if (f->config->pipeline)
        r = hr_store_find_context(store, "pipeline", f->config->pipeline, &pipeline);
    if (r == HR_OK)
        r = hr_store_children(store, pipeline, &f->task->arena, &runs);
    for (i = runs.count; r == HR_OK && i; i--) {
        if (strcmp(runs.items[i - 1].type, "pipeline_run") != 0 ||
            runs.items[i - 1].id == f->runner->context_run)
            continue;
        r = hr_store_sum(store, runs.items[i - 1].id, &sum);
        if (r == HR_OK && sum.executions && !sum.running && !sum.failed) {
            *ret = runs.items[i - 1].id;
            return HR_OK;
        }
    }
    return r < 0 ? r : HR_NOT_FOUND;
}

static bool has(const struct hr_meta_nodes *list, int64_t id)
{
    size_t i;

    for (i = 0; i < list->count; i++)
        if (list->items[i].id == id)
            return true;
    return false;
}

static hr_status add_output(struct finder *f, int64_t artifact)
{
    struct hr_meta_node node;
    struct hr_meta_node *all;
    hr_status r = hr_store_get(f->runner->config.store, HR_KIND_ARTIFACT, artifact,
                               &f->task->arena, &node);
    size_t i;

    for (i = 0; r == HR_OK && i < f->task->output_count; i++) {
        struct hr_meta_nodes *list = &f->lists[i];

        if (strcmp(f->task->outputs[i].type, node.type) != 0 ||
            node.state != HR_ARTIFACT_LIVE || has(list, artifact))
            continue;
        if (!(all = hr_arena_array(&f->task->arena, list->count + 1, sizeof *all)))
            return HR_EXHAUSTED;
        if (list->count)
            memcpy(all, list->items, list->count * sizeof *all);
        all[list->count] = node;
        *list = (struct hr_meta_nodes){ all, list->count + 1 };
    }
    return r;
}

static hr_status run_outputs(struct finder *f)
{
    struct hr_look in_run = { .kind = HR_KIND_EXECUTION, .context_count = 1 };
    struct hr_meta_nodes executions = { 0 };
    struct hr_meta_events made = { 0 };
    int64_t run = 0;
    hr_status r = last_good_run(f, &run);
    size_t i, k;

    for (i = 0; i < f->task->output_count; i++)
        f->lists[i] = (struct hr_meta_nodes){ 0 };
    in_run.contexts = &run;
    if (r == HR_OK)
        r = hr_store_look(f->runner->config.store, &in_run, &f->task->arena, &executions);
    for (i = 0; r == HR_OK && i < executions.count; i++) {
        r = hr_store_events_of_execution(f->runner->config.store, executions.items[i].id,
                                         &f->task->arena, &made);
        for (k = 0; r == HR_OK && k < made.count; k++)
            if (made.items[k].type == HR_EVENT_OUTPUT)
                r = add_output(f, made.items[k].artifact);
    }
    return r == HR_NOT_FOUND ? HR_OK : r;
}

/* -- all of them ----------------------------------------------------------- */

static hr_status apply(struct finder *f, const char *name)
{
    static const struct {
        const char *name;
        void (*one)(struct finder *f, struct hr_meta_nodes *list);
    } rows[] = { { "latest_artifacts", latest },
                 { "latest_created", latest_created },
                 { "filter_property_equal", filter_declared },
                 { "filter_custom_property_equal", filter_custom },
                 { "shuffle", shuffle } };
    hr_status r = HR_OK;
    size_t i, k;

    if (!strcmp(name, "latest_blessed_model"))
        return latest_model(f, "latest_evaluator_blessed");
    if (!strcmp(name, "latest_policy_model"))
        return latest_model(f, f->config->policy);
    if (!strcmp(name, "latest_pipeline_run_outputs"))
        return run_outputs(f);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (k = 0; !strcmp(rows[i].name, name) && k < f->task->output_count; k++)
            rows[i].one(f, &f->lists[k]);
    for (k = 0; !strcmp(name, "slice") && k < f->task->output_count && r == HR_OK; k++)
        r = slice(f, k);
    for (k = 0; !strcmp(name, "pick") && k < f->task->output_count && r == HR_OK; k++)
        r = pick(f, k);
    return r;
}

/* Whoever reads it would say so in words of its own. */
static hr_status check_there(struct finder *f, const struct hr_meta_node *a)
{
    if (!a->uri || strstr(a->uri, "://") || hr_file_exists(f->runner->env, a->uri))
        return HR_OK;
    return hr_fail(f->runner->env, HR_PRECONDITION,
                   "node \"%s\" finds artifact %lld (%s), and its files \"%s\" are gone; put them "
                   "back, or let \"headrace doctor --repair\" mark it DELETED",
                   f->task->name, (long long)a->id, a->type, a->uri);
}

static hr_status give(struct finder *f, struct hr_task_channel *to,
                      const struct hr_meta_nodes *list)
{
    hr_status r = HR_OK;
    size_t i;

    to->artifacts = hr_arena_array(&f->task->arena, list->count + 1, sizeof *to->artifacts);
    if (!to->artifacts)
        return HR_EXHAUSTED;
    for (i = 0; i < list->count && r == HR_OK; i++) {
        r = check_there(f, &list->items[i]);
        if (r == HR_OK)
            r = hr_task_read_artifact(f->runner, f->task, list->items[i].id, &to->artifacts[i]);
        to->count += r == HR_OK;
    }
    return r;
}

hr_status hr_task_strategy(struct hr_runner *runner, struct hr_task *task)
{
    struct finder f = { runner, task, task->node->resolver,
                        hr_arena_array(&task->arena, task->output_count + 1,
                                       sizeof *f.lists) };
    const char **s = f.config->strategies;
    bool newest = !strcmp(s[0], "latest_artifacts"); /* no more of them need be read */
    hr_status r = f.lists ? HR_OK : HR_EXHAUSTED;
    size_t i;

    for (i = 0; i < task->output_count && r == HR_OK; i++)
        r = look(&f, task->outputs[i].type, newest ? f.config->wanted : 0, &f.lists[i]);
    for (; *s && r == HR_OK; s++)
        r = apply(&f, *s);
    for (i = 0; i < task->output_count && r == HR_OK; i++)
        r = give(&f, &task->outputs[i], &f.lists[i]);
    return r;
}
