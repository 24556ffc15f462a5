/* Transform - see README.md. */
#include <stdlib.h>
#include <string.h>

#include "headrace/easy.h"
#include "headrace/flow.h"
#include "transform/transform.h"

enum { SPLITS_MAX = 64 };

struct splits {
    const char *names[SPLITS_MAX + 1]; /* ended by NULL */
    size_t n;
};

struct transform {
    struct hr_easy easy;
    hr_run *run;
    struct hr_env env;
    struct hr_arena arena;
    struct splits all, analyze, transform;
    uint32_t artifacts;
    const char *apply; /* the function that makes features of rows */
    struct hr_buf source, schema;
    struct hr_features *features;
    struct hr_program *program;
    struct hr_plan *plan;
};

/* -- what is wanted ---------------------------------------- */

static bool has(const struct splits *s, const char *name)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        if (!strcmp(s->names[i], name))
            return true;
    return false;
}

static hr_status add_split(struct transform *t, struct splits *s, const char *name)
{
    if (has(s, name))
        return HR_OK;
    if (s->n == SPLITS_MAX)
        return hr_fail(&t->env, HR_INVALID, "there are more than 64 splits");
    if (!(s->names[s->n] = hr_arena_text(&t->arena, name)))
        return HR_EXHAUSTED;
    s->names[++s->n] = NULL;
    return HR_OK;
}

/* The names of all splits, of every artifact. */
static hr_status list_splits(struct transform *t)
{
    const char *name;
    hr_status r = HR_OK;
    uint32_t i, k;

    t->artifacts = t->easy.run->count(t->run, "examples");
    for (i = 0; i < t->artifacts && r == HR_OK; i++)
        for (k = 0; r == HR_OK; k++) {
            r = t->easy.table->split(t->run, "examples", i, k, &name);
            if (r == HR_NOT_FOUND) {
                r = HR_OK;
                break;
            }
            if (r == HR_OK)
                r = add_split(t, &t->all, name);
        }
    if (r == HR_OK && !t->all.n)
        r = hr_fail(&t->env, HR_INVALID, "the examples have no split");
    return r;
}

static hr_status choose(struct transform *t, const struct hr_json *list, struct splits *to)
{
    const struct hr_json *v;
    hr_status r = HR_OK;

    for (v = hr_json_first(list); v && r == HR_OK; v = hr_json_next(v)) {
        const char *name = hr_json_text(v);

        if (!name || !has(&t->all, name))
            return hr_fail_meant(&t->env, HR_INVALID, NULL,
                                 name ? hr_text_meant(name, t->all.names, t->all.n) : NULL,
                                 "splits_config names the split \"%s\", which the examples have "
                                 "not",
                                 name ? name : "?");
        r = add_split(t, to, name);
    }
    return r;
}

static hr_status check_members(struct transform *t, const struct hr_json *root)
{
    const struct hr_json *m;

    for (m = hr_json_first(root); m; m = hr_json_next(m)) {
        const char *key = hr_json_key(m) ? hr_json_key(m) : "";

        if (strcmp(key, "analyze") != 0 && strcmp(key, "transform") != 0)
            return hr_fail(&t->env, HR_INVALID,
                           "splits_config has a member \"%s\"; it knows "
                           "\"analyze\" and \"transform\"",
                           key);
    }
    return HR_OK;
}

/* Without a choice: "train" is analysed, all are transformed. */
static hr_status choose_defaults(struct transform *t)
{
    hr_status r = HR_OK;

    if (!t->analyze.n && !has(&t->all, "train"))
        return hr_fail(&t->env, HR_INVALID,
                       "the examples have no split \"train\" to analyse; name others in "
                       "splits_config, as {\"analyze\": [\"%s\"]}",
                       t->all.names[0]);
    if (!t->analyze.n)
        r = add_split(t, &t->analyze, "train");
    if (r == HR_OK && !t->transform.n)
        t->transform = t->all;
    return r;
}

static hr_status read_config(struct transform *t)
{
    const char *text = t->easy.run->prop_text(t->run, "splits_config");
    struct hr_json_doc *doc = NULL;
    const struct hr_json *root;
    hr_status r = hr_json_parse(&t->env, "splits_config", text, strlen(text), 0, &doc);

    if (r < 0)
        return r;
    root = hr_json_root(doc);
    r = check_members(t, root);
    if (r == HR_OK && (r = choose(t, hr_json_get(root, "analyze"), &t->analyze)) == HR_OK)
        r = choose(t, hr_json_get(root, "transform"), &t->transform);
    hr_json_free(doc);
    return r < 0 ? r : choose_defaults(t);
}

static hr_status read_in(struct transform *t, const char *key, const char *name, struct hr_buf *to)
{
    char path[HR_MAX_PATH];
    const char *dir;
    hr_status r = t->easy.run->path(t->run, key, 0, &dir);

    if (r < 0 || (r = hr_path_join(&t->env, dir, name, path)) < 0)
        return r;
    return hr_file_read(&t->env, path, HR_MAX_FILE_BYTES, to);
}

static hr_status type_file(struct transform *t)
{
    const char *path = t->easy.run->prop_text(t->run, "module_file");
    struct hr_feature *columns;
    size_t n;
    hr_status r;

    if ((r = hr_file_read(&t->env, path, HR_MAX_FEATURES_BYTES + 1, &t->source)) < 0 ||
        (r = read_in(t, "schema", "schema.pbtxt", &t->schema)) < 0 ||
        (r = hr_columns_read(&t->arena, "schema.pbtxt", t->schema.text, t->schema.len, &columns,
                             &n)) < 0 ||
        (r = hr_features_parse(&t->env, hr_path_name(path), t->source.text, t->source.len,
                               &t->features)) < 0)
        return r;
    return hr_features_check(&t->env, t->features, columns, n, &t->program);
}

/* -- what is given ---------------------------------------- */

static hr_status save_plan(struct transform *t)
{
    char path[HR_MAX_PATH], parent[HR_MAX_PATH];
    const char *dir;
    hr_status r = t->easy.run->path(t->run, "transform_graph", 0, &dir);

    if (r < 0 || (r = hr_plan_save(&t->env, t->plan, dir, t->source.text, t->source.len)) < 0 ||
        (r = hr_path_join(&t->env, dir, "metadata", parent)) < 0 ||
        (r = hr_dir_make(&t->env, parent)) < 0 ||
        (r = hr_path_join(&t->env, parent, "schema.pbtxt", path)) < 0)
        return r;
    return hr_file_put(&t->env, path, t->schema.text, t->schema.len);
}

static hr_status begin_output(struct transform *t, uint32_t i)
{
    const hr_run_1 *rt = t->easy.run;
    const char *dir, *format;
    hr_status r = rt->path(t->run, "transformed_examples", i, &dir);
    char copy[64];

    if (r == HR_OK && rt->get_text(t->run, "examples", i, "file_format", &format) == HR_OK) {
        snprintf(copy, sizeof copy, "%s", format);
        r = rt->set_text(t->run, "transformed_examples", i, "file_format", copy);
    }
    return r;
}

static hr_status transform_splits(struct transform *t)
{
    hr_flow *flow = t->easy.flow->begin(t->run);
    struct hr_buf config;
    hr_rows rows;
    hr_status r;
    uint32_t i;
    size_t k;

    hr_buf_of(&config, HR_MAX_FILE_BYTES, &t->env);
    r = hr_plan_pack(t->plan, &config);
    for (i = 0; i < t->artifacts && r == HR_OK; i++) {
        r = begin_output(t, i);
        for (k = 0; k < t->transform.n && r == HR_OK; k++) {
            const char *split = t->transform.names[k];
            bool there;

            r = hr_easy_has_split(&t->easy, t->run, "examples", i, split, &there);
            if (r < 0 || !there)
                continue;
            rows = t->easy.flow->read(flow, "examples", i, split);
            rows = t->easy.flow->map(flow, rows, t->apply, config.text, config.len);
            t->easy.flow->write(flow, rows, "transformed_examples", i, split);
        }
    }
    if (r == HR_OK)
        r = t->easy.flow->run(flow);
    hr_buf_clear(&config);
    return r;
}

static void log_lines(struct transform *t, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        hr_logf(t->easy.log, t->run, HR_WARN, "%.*s", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static hr_status work(struct transform *t)
{
    struct hr_transform_source source = { t->easy.flow, t->run, "examples", 0, NULL, t->apply };
    const struct hr_feature *outputs;
    char summary[64];
    hr_status r;
    size_t n;

    if ((r = list_splits(t)) < 0 || (r = read_config(t)) < 0 || (r = type_file(t)) < 0)
        return r;
    source.artifacts = t->artifacts;
    source.splits = t->analyze.names;
    if ((r = hr_program_test(&t->env, t->program, &n)) < 0 ||
        (r = hr_program_analyze(&t->env, t->program, &source)) < 0 ||
        (r = hr_program_plan(&t->env, t->program, &t->plan)) < 0)
        return r;
    log_lines(t, hr_program_warnings(t->program));
    if ((r = save_plan(t)) < 0 || (r = transform_splits(t)) < 0)
        return r;
    n = hr_plan_outputs(t->plan, &outputs);
    snprintf(summary, sizeof summary, "%zu feature%s", n, n == 1 ? "" : "s");
    return t->easy.run->set_text(t->run, NULL, 0, HR_SUMMARY, summary);
}

/* -- the component ---------------------------------------- */

static hr_status make(const hr_host *host, hr_run *run, void **ret_self)
{
    struct transform *t = calloc(1, sizeof *t);
    hr_status r = t ? hr_easy_init(&t->easy, host) : HR_EXHAUSTED;

    (void)run;
    if (r < 0) {
        free(t);
        return r;
    }
    *ret_self = t;
    return HR_OK;
}

static hr_status execute(void *self, hr_run *run)
{
    struct transform *t = self;
    const char *text;
    hr_status r;

    t->run = run;
    t->apply = strcmp(t->easy.run->prop_text(run, "on_bad_row"), "drop")
                   ? HR_TRANSFORM_APPLY
                   : HR_TRANSFORM_APPLY_OR_DROP;
    hr_env_init(&t->env, NULL);
    hr_arena_init(&t->arena, &t->env, 0);
    hr_buf_of(&t->source, HR_MAX_FEATURES_BYTES + 1, &t->env);
    hr_buf_of(&t->schema, HR_MAX_FILE_BYTES, &t->env);
    r = work(t);
    text = hr_env_error(&t->env);
    if (r < 0 && text[0])
        r = t->easy.run->fail(run, r, text);
    hr_plan_close(t->plan);
    hr_program_free(t->program);
    hr_features_free(t->features);
    hr_buf_clear(&t->source);
    hr_buf_clear(&t->schema);
    hr_arena_clear(&t->arena);
    hr_env_clear(&t->env);
    return r;
}

static const hr_executor_1 hooks = { make, execute, free };
static const hr_offer executor = HR_OFFER(HR_EXECUTOR, &hooks);

static const hr_port examples =
    HR_PORT_FLAGS("examples", "Examples", HR_PORT_MANY, "Rows with raw columns.");
static const hr_port schema = HR_PORT("schema", "Schema", "What the columns are.");
static const hr_port graph =
    HR_PORT("transform_graph", "TransformGraph", "The plan, its constants and vocabularies.");
static const hr_port transformed =
    HR_PORT_FLAGS("transformed_examples", "Examples", HR_PORT_MANY, "The splits as features.");
static const hr_property module_file =
    HR_PROPERTY(HR_PATH_READ, "module_file", NULL, NULL, "The features file.");
static const hr_property splits_config =
    HR_PROPERTY(HR_JSON, "splits_config", "{}", NULL,
                "Splits to \"analyze\" (default: train) and to \"transform\" (default: all).");

static const hr_property on_bad_row = HR_PROPERTY(
    HR_STRING, "on_bad_row", "fail", "fail|drop",
    "What becomes of a row that cannot be computed: the node fails, or the row is left out.");

static const hr_component transform = {
    .struct_size = sizeof transform,
    .flags = HR_COMPONENT_DETERMINISTIC,
    .id = "org.headrace.transform.Transform",
    .version = "0.1.0",
    .doc = "Makes features of columns, by a features file.",
    .inputs = HR_LIST(hr_port, &examples, &schema),
    .outputs = HR_LIST(hr_port, &graph, &transformed),
    .properties = HR_LIST(hr_property, &module_file, &splits_config, &on_bad_row),
    .needs = HR_IDS(HR_RUN, HR_TABLE, HR_FLOW),
    .uses = HR_IDS(HR_LOG, HR_PROGRESS),
    .offers = HR_LIST(hr_offer, &executor),
    .functions = hr_transform_functions,
};

HR_PLUGIN("org.headrace.transform", "0.1.0", &transform);
