/* What an artifact came from, as lineage.json has it (package.h).
 *
 * Artifacts and executions are numbered as they are met, from the packed one upward, inputs by
 * key and index: the numbers of the store depend on which node happened to be the first.
 */
#include <stdlib.h>
#include <string.h>

#include "host/package.h"

enum { MAX_NODES = 100000 };

struct one {
    struct hr_meta_node node;
    int64_t made_by;    /* number of its maker; 0: none known */
    const char *output; /* key that it was put out under */
};

struct work {
    struct hr_meta_node node;
    struct hr_home home;
    struct hr_meta_event *inputs;
    size_t input_count;
};

struct ancestry {
    struct hr_packing *k;
    struct hr_project *p;
    struct hr_arena *arena;
    struct one *artifacts;
    struct work *works;
    size_t artifact_count, artifact_cap, work_count, work_cap;
};

/* -- gathering ----------------------------------------------------------------- */

static size_t find_artifact(const struct ancestry *a, int64_t id)
{
    size_t i;

    for (i = 0; i < a->artifact_count && a->artifacts[i].node.id != id; i++)
        ;
    return i;
}

static hr_status add_artifact(struct ancestry *a, int64_t id)
{
    struct one *one;

    if (find_artifact(a, id) < a->artifact_count)
        return HR_OK;
    if (!hr_mem_reserve(&a->p->env, (void **)&a->artifacts, &a->artifact_cap,
                        a->artifact_count + 1, sizeof *a->artifacts, MAX_NODES))
        return HR_EXHAUSTED;
    one = &a->artifacts[a->artifact_count++];
    *one = (struct one){ 0 };
    return hr_store_get(a->p->store, HR_KIND_ARTIFACT, id, a->arena, &one->node);
}

static const char *key_of(const struct hr_meta_event *e)
{
    return e->count && e->steps[0].key ? e->steps[0].key : "";
}

static int by_key(const void *x, const void *y)
{
    const struct hr_meta_event *a = x, *b = y;
    int64_t i = a->count > 1 ? a->steps[1].index : 0, k = b->count > 1 ? b->steps[1].index : 0;
    int c = strcmp(key_of(a), key_of(b));

    return c ? c : (i > k) - (i < k);
}

static hr_status add_work(struct ancestry *a, int64_t id, size_t *ret)
{
    struct hr_meta_events events;
    struct work *w;
    hr_status r;
    size_t i;

    for (i = 0; i < a->work_count && a->works[i].node.id != id; i++)
        ;
    *ret = i;
    if (i < a->work_count)
        return HR_OK;
    if (!hr_mem_reserve(&a->p->env, (void **)&a->works, &a->work_cap, a->work_count + 1,
                        sizeof *a->works, MAX_NODES))
        return HR_EXHAUSTED;
    w = &a->works[a->work_count++];
    *w = (struct work){ 0 };
    if ((r = hr_store_get(a->p->store, HR_KIND_EXECUTION, id, a->arena, &w->node)) < 0 ||
        (r = hr_home_of(a->p, HR_KIND_EXECUTION, id, a->arena, &w->home)) < 0 ||
        (r = hr_store_events_of_execution(a->p->store, id, a->arena, &events)) < 0)
        return r;
    if (!(w->inputs = hr_arena_array(a->arena, events.count + 1, sizeof *w->inputs)))
        return HR_EXHAUSTED;
    for (i = 0; i < events.count; i++)
        if (events.items[i].type == HR_EVENT_INPUT)
            w->inputs[w->input_count++] = events.items[i];
    qsort(w->inputs, w->input_count, sizeof *w->inputs, by_key);
    for (i = 0; i < w->input_count && r == HR_OK; i++)
        r = add_artifact(a, w->inputs[i].artifact);
    return r;
}

/* The first that put it out has made it; later ones found it in the cache. */
static hr_status follow(struct ancestry *a, size_t i)
{
    struct hr_meta_events events;
    size_t k, number = 0;
    hr_status r = hr_store_events_of_artifact(a->p->store, a->artifacts[i].node.id, a->arena,
                                              &events);

    for (k = 0; k < events.count && r == HR_OK; k++) {
        if (events.items[k].type != HR_EVENT_OUTPUT)
            continue;
        r = add_work(a, events.items[k].execution, &number);
        a->artifacts[i].made_by = (int64_t)number + 1;
        a->artifacts[i].output = key_of(&events.items[k]);
        break;
    }
    return r;
}

/* -- writing ------------------------------------------------------------------- */

/* Texts that tell of this machine: paths below the project lose its name, and where artifacts
 * lie is left out, as are numbers of the store. */
static const char *outward(const struct ancestry *a, const struct hr_meta_property *v)
{
    const char *text = v->value.text, *root = a->p->paths.root, *project = a->p->paths.project;
    size_t n = strlen(project);

    if (hr_text_starts(text, root))
        return NULL;
    if (hr_text_starts(text, project) && text[n] == '/')
        return text + n + 1;
    return text;
}

static void put_property(struct ancestry *a, struct hr_json_writer *w,
                         const struct hr_meta_property *v)
{
    const char *text;

    if (hr_text_starts(v->name, "__") || hr_text_ends(v->name, "_id") ||
        v->value.kind == HR_VALUE_PROTO)
        return;
    switch (v->value.kind) {
    case HR_VALUE_INT:
        hr_json_put_member_int(w, v->name, v->value.i);
        break;
    case HR_VALUE_BOOL:
        hr_json_put_member_bool(w, v->name, v->value.i != 0);
        break;
    case HR_VALUE_DOUBLE:
        hr_json_put_member_double(w, v->name, v->value.d);
        break;
    case HR_VALUE_STRUCT:
        hr_json_put_key(w, v->name);
        hr_json_put_raw(w, v->value.text, strlen(v->value.text));
        break;
    default:
        if ((text = outward(a, v)))
            hr_json_put_member_text(w, v->name, text);
    }
}

static void put_properties(struct ancestry *a, struct hr_json_writer *w,
                           const struct hr_meta_node *node)
{
    size_t i;

    hr_json_put_key(w, "properties");
    hr_json_open_object(w);
    for (i = 0; i < node->count; i++)
        if (!i || strcmp(node->properties[i].name, node->properties[i - 1].name) != 0)
            put_property(a, w, &node->properties[i]);
    hr_json_close_object(w);
}

static void put_text(struct hr_json_writer *w, const char *key, const char *text)
{
    if (text)
        hr_json_put_member_text(w, key, text);
}

static void put_artifact(struct ancestry *a, struct hr_json_writer *w, size_t i)
{
    const struct one *one = &a->artifacts[i];

    hr_json_open_object(w);
    hr_json_put_member_int(w, "n", (int64_t)i + 1);
    hr_json_put_member_text(w, "type", one->node.type);
    put_text(w, "digest", hr_meta_text(&one->node, "__digest"));
    if (one->made_by) {
        hr_json_put_member_int(w, "made_by", one->made_by);
        hr_json_put_member_text(w, "output", one->output);
    } else if (outward(a, &(struct hr_meta_property){ .value.text = one->node.uri })) {
        put_text(w, "uri", one->node.uri);
    }
    put_properties(a, w, &one->node);
    hr_json_close_object(w);
}

static void put_work(struct ancestry *a, struct hr_json_writer *w, size_t i)
{
    const struct work *work = &a->works[i];
    size_t k;

    hr_json_open_object(w);
    hr_json_put_member_int(w, "n", (int64_t)i + 1);
    hr_json_put_member_text(w, "component", work->node.type);
    put_text(w, "version", hr_meta_text(&work->node, "__component_version"));
    put_text(w, "plugin", hr_meta_text(&work->node, "__plugin"));
    put_text(w, "plugin_digest", hr_meta_text(&work->node, "__plugin_digest"));
    put_text(w, "pipeline", work->home.pipeline);
    put_text(w, "node", work->home.node);
    put_text(w, "summary", hr_meta_text(&work->node, "__summary"));
    put_properties(a, w, &work->node);
    hr_json_put_key(w, "inputs");
    hr_json_open_array(w);
    for (k = 0; k < work->input_count; k++) {
        hr_json_open_object(w);
        hr_json_put_member_text(w, "key", key_of(&work->inputs[k]));
        hr_json_put_member_int(w, "artifact",
                               (int64_t)find_artifact(a, work->inputs[k].artifact) + 1);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
    hr_json_close_object(w);
}

static hr_status write_lineage(struct ancestry *a)
{
    struct hr_json_writer w;
    size_t i;

    hr_json_begin(&w, &a->k->lineage, 1);
    hr_json_open_object(&w);
    hr_json_put_key(&w, "artifacts");
    hr_json_open_array(&w);
    for (i = 0; i < a->artifact_count; i++)
        put_artifact(a, &w, i);
    hr_json_close_array(&w);
    hr_json_put_key(&w, "executions");
    hr_json_open_array(&w);
    for (i = 0; i < a->work_count; i++)
        put_work(a, &w, i);
    hr_json_close_array(&w);
    hr_json_close_object(&w);
    return hr_json_end(&w);
}

/* -- content and gates ---------------------------------------------------------- */

static hr_status put_content(struct ancestry *a, size_t i, const char *path)
{
    const struct hr_meta_node *node = &a->artifacts[i].node;
    struct hr_json_writer *w = &a->k->w;
    const char *digest = hr_meta_text(node, "__digest");
    char made[HR_SHA256_HEX];
    hr_status r = hr_packing_tree(a->k, node->uri, path);

    if (r == HR_OK && !digest) {
        r = hr_artifact_digest(&a->p->env, a->p->cache, node->uri, made);
        digest = made;
    }
    if (r < 0)
        return r;
    hr_json_open_object(w);
    hr_json_put_member_text(w, "path", path);
    hr_json_put_member_text(w, "digest", digest);
    hr_json_put_member_text(w, "type", node->type);
    if (hr_meta_text(node, "__digest"))
        hr_json_put_member_int(w, "artifact", (int64_t)i + 1);
    hr_json_close_object(w);
    return HR_OK;
}

/* Schema and statistics among the ancestors: "training/schema/", the next "training/schema-2/". */
static hr_status put_training(struct ancestry *a)
{
    static const char *const types[] = { "Schema", "ExampleStatistics" };
    static const char *const names[] = { "schema", "statistics" };
    const char *path;
    enum hr_at at = HR_AT_NOTHING;
    hr_status r = HR_OK;
    size_t i, k, n;

    for (k = 0; k < 2; k++)
        for (i = 1, n = 0; i < a->artifact_count && r == HR_OK; i++) {
            if (strcmp(a->artifacts[i].node.type, types[k]) != 0)
                continue;
            if ((r = hr_look_at(&a->p->env, a->artifacts[i].node.uri, &at)) < 0)
                break;
            if (at != HR_AT_DIR)
                continue;
            path = ++n == 1 ? hr_arena_format(a->arena, "training/%s/", names[k])
                            : hr_arena_format(a->arena, "training/%s-%zu/", names[k], n);
            r = path ? put_content(a, i, path) : HR_EXHAUSTED;
        }
    return r;
}

/* The evaluation beside a blessing, with its numbers. */
static hr_status put_evaluation(struct ancestry *a, int64_t execution)
{
    struct hr_meta_events events;
    struct hr_meta_node node;
    struct hr_buf content;
    hr_status r = hr_store_events_of_execution(a->p->store, execution, a->arena, &events);
    size_t i;

    hr_buf_of(&content, HR_PACKAGE_MANIFEST / 2, &a->p->env);
    for (i = 0; i < events.count && r == HR_OK; i++) {
        if (events.items[i].type != HR_EVENT_OUTPUT)
            continue;
        r = hr_store_get(a->p->store, HR_KIND_ARTIFACT, events.items[i].artifact, a->arena, &node);
        if (r < 0 || strcmp(node.type, "ModelEvaluation") != 0)
            continue;
        r = hr_content_of(a->p, &node, &content);
        if (r == HR_OK && content.len) {
            hr_json_put_key(&a->k->w, "evaluation");
            hr_json_put_raw(&a->k->w, content.text, content.len);
        }
        break;
    }
    hr_buf_clear(&content);
    return r;
}

static hr_status put_gates(struct ancestry *a)
{
    struct hr_json_writer *w = &a->k->w;
    hr_status r = HR_OK;
    size_t i;

    hr_json_put_key(w, "gates");
    hr_json_open_array(w);
    for (i = 1; i < a->artifact_count && r == HR_OK; i++) {
        const struct one *one = &a->artifacts[i];
        const struct work *by = one->made_by ? &a->works[one->made_by - 1] : NULL;

        if (!by || (strcmp(one->node.type, "ModelBlessing") != 0 &&
                    strcmp(one->node.type, "InfraBlessing") != 0))
            continue;
        hr_json_open_object(w);
        put_text(w, "node", by->home.node);
        hr_json_put_member_text(w, "type", one->node.type);
        hr_json_put_member_bool(w, "passed", hr_meta_int(&one->node, "blessed", 0) == 1);
        hr_json_put_member_int(w, "artifact", (int64_t)i + 1);
        put_text(w, "summary", hr_meta_text(&by->node, "__summary"));
        r = put_evaluation(a, by->node.id);
        hr_json_close_object(w);
    }
    hr_json_close_array(w);
    return r;
}

hr_status hr_packing_artifact(struct hr_packing *k, const struct hr_meta_node *artifact,
                              const char *path)
{
    struct ancestry a = { .k = k, .p = k->p, .arena = k->arena };
    struct hr_pack_member lineage = { .name = "lineage.json" };
    hr_status r = add_artifact(&a, artifact->id);
    size_t i;

    k->sealed = true;
    for (i = 0; i < a.artifact_count && r == HR_OK; i++)
        r = follow(&a, i);
    if (r == HR_OK)
        r = write_lineage(&a);
    if (r == HR_OK) {
        hr_json_put_key(&k->w, "content");
        hr_json_open_array(&k->w);
        r = put_content(&a, 0, path);
        if (r == HR_OK && !strcmp(k->kind, "model"))
            r = put_training(&a);
        hr_json_close_array(&k->w);
    }
    if (r == HR_OK)
        r = put_gates(&a);
    hr_mem_put(&k->p->env, a.artifacts, a.artifact_cap * sizeof *a.artifacts);
    hr_mem_put(&k->p->env, a.works, a.work_cap * sizeof *a.works);
    lineage.bytes = k->lineage.text;
    lineage.size = k->lineage.len;
    if (r == HR_OK && !hr_mem_reserve(&k->p->env, (void **)&k->members, &k->cap, k->count + 1,
                                      sizeof *k->members, HR_PACKAGE_MEMBERS))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        k->members[k->count++] = lineage;
    return r;
}
