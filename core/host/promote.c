/* The calls of headrace.h that change what an alias means, and bring models in and out. */
#include <string.h>

#include "host/models.h"
#include "host/package.h"

static bool alias_ok(const char *alias)
{
    const char *c;

    for (c = alias; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
              (c > alias && ((*c >= '0' && *c <= '9') || strchr("._-", *c)))))
            return false;
    return c > alias && c - alias < 64;
}

struct request {
    const char *what, *action, *alias, *by, *why, *expect;
};

static hr_status report(struct hr_project *p, const struct hr_change *c, const char **ret_json)
{
    struct hr_json_writer w;
    hr_status r;

    hr_buf_cut(&p->text, 0);
    hr_json_begin(&w, &p->text, 0);
    hr_json_open_object(&w);
    hr_json_put_member_text(&w, "model", c->model);
    hr_json_put_member_text(&w, "action", c->action);
    if (c->alias)
        hr_json_put_member_text(&w, "alias", c->alias);
    hr_json_put_member_text(&w, "version", c->version);
    if (c->from)
        hr_json_put_member_text(&w, "from", c->from);
    hr_json_put_member_text(&w, "by", c->by);
    hr_json_close_object(&w);
    if ((r = hr_json_end(&w)) == HR_OK && ret_json)
        *ret_json = p->text.text;
    return r;
}

/* The version that is meant, and what the alias means until now. */
static hr_status resolve(struct hr_project *p, const struct request *q, struct hr_arena *arena,
                         struct hr_change *c, struct hr_meta_node *node)
{
    bool back = !strcmp(q->action, "rollback");
    const char *before = NULL;
    struct hr_changes changes;
    hr_status r = HR_OK;

    if (back) {
        c->model = q->what;
    } else {
        r = hr_model_find(p, q->what, arena, node);
        if (r == HR_NOT_FOUND)
            return hr_fail(&p->env, r,
                           "there is no model \"%s\"; \"headrace model list\" lists them", q->what);
        c->model = r == HR_OK ? hr_meta_text(node, "model_name") : NULL;
        c->version = r == HR_OK ? hr_meta_text(node, "pushed_version") : NULL;
    }
    if (r == HR_OK)
        r = hr_changes_of(p, c->model, arena, &changes);
    if (r < 0)
        return r;
    c->from = hr_alias_of(&changes, c->model, c->alias, &before);
    if (!back)
        return HR_OK;
    if (!c->from)
        return hr_fail(&p->env, HR_NOT_FOUND, "the model \"%s\" has no alias \"%s\"", c->model,
                       c->alias);
    if (!(c->version = before))
        return hr_fail(&p->env, HR_PRECONDITION,
                       "\"%s\" of \"%s\" means version %s, and nothing was there before", c->alias,
                       c->model, c->from);
    r = hr_model_find(p, hr_arena_format(arena, "%s@%s", c->model, before), arena, node);
    return r == HR_NOT_FOUND
               ? hr_fail(&p->env, HR_PRECONDITION,
                         "\"%s\" of \"%s\" was version %s before, which is gone; promote another",
                         c->alias, c->model, before)
               : r;
}

static hr_status check(struct hr_project *p, const struct request *q, const struct hr_change *c,
                       const struct hr_meta_node *node, struct hr_arena *arena)
{
    const char *refused = NULL;
    hr_status r = hr_model_refused(p, node, arena, &refused);
    char package[HR_MAX_PATH];

    if (r < 0)
        return r;
    if (refused)
        return hr_fail(&p->env, HR_DENIED, "%s@%s cannot become \"%s\": a gate refused it: %s",
                       c->model, c->version, c->alias, refused);
    if (q->expect && !hr_text_eq(q->expect, c->from ? c->from : ""))
        return hr_fail(&p->env, HR_PRECONDITION,
                       "\"%s\" of \"%s\" means version %s by now, not %s; look again", c->alias,
                       c->model, c->from ? c->from : "none", *q->expect ? q->expect : "none");
    if (!hr_dir_exists(&p->env, node->uri) &&
        ((r = hr_model_package(p, node, package)) < 0 || !hr_file_exists(&p->env, package)))
        return r < 0 ? r
                     : hr_fail(&p->env, HR_PRECONDITION, "the files of %s@%s are gone: \"%s\"",
                               c->model, c->version, node->uri);
    return HR_OK;
}

/* Look, check and write are one transaction: another host waits, and sees this one's change. */
static hr_status change(struct hr_project *p, const struct request *q, const char **ret_json)
{
    struct hr_change c = { .action = q->action, .alias = q->alias, .why = q->why };
    struct hr_meta_node node = { 0 };
    struct hr_arena arena;
    hr_status r = hr_host_need(p);

    if (r < 0)
        return r;
    if (!alias_ok(q->alias))
        return hr_fail(&p->env, HR_INVALID,
                       "\"%s\" cannot be an alias: a letter, then letters, digits, \".\", \"_\" "
                       "and \"-\", less than 64",
                       q->alias);
    hr_arena_init(&arena, &p->env, 0);
    if (!(c.by = hr_change_by(p, q->by, &arena)))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = hr_store_begin(p->store, true);
    if (r == HR_OK)
        r = resolve(p, q, &arena, &c, &node);
    if (r == HR_OK)
        r = check(p, q, &c, &node, &arena);
    if (r == HR_OK)
        r = hr_change_add(p, &c, node.id, false);
    if (r == HR_OK)
        r = hr_store_commit(p->store);
    if (r < 0)
        hr_store_rollback(p->store);
    else
        r = report(p, &c, ret_json);
    hr_arena_clear(&arena);
    return r;
}

static hr_status call(hr_project *p, struct request q, const char *options, const char **ret_json)
{
    const char *alias = NULL;
    const struct hr_choice choices[] = {
        { .name = "by", .text = &q.by },         { .name = "why", .text = &q.why },
        { .name = "expect", .text = &q.expect }, { .name = "alias", .text = &alias },
        { .name = NULL },
    };
    struct hr_arena arena;
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_choices_read(p, options, choices, &arena);
    if (!q.alias)
        q.alias = alias ? alias : "production";
    if (r == HR_OK)
        r = change(p, &q, ret_json);
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}

hr_status hr_model_promote(hr_project *p, const char *what, const char *options,
                           const char **ret_json)
{
    return call(p, (struct request){ .what = what, .action = "promote" }, options, ret_json);
}

hr_status hr_model_alias(hr_project *p, const char *what, const char *alias, const char *options,
                         const char **ret_json)
{
    return call(p, (struct request){ .what = what, .action = "alias", .alias = alias }, options,
                ret_json);
}

hr_status hr_model_rollback(hr_project *p, const char *model, const char *options,
                            const char **ret_json)
{
    return call(p, (struct request){ .what = model, .action = "rollback" }, options, ret_json);
}

/* -- bringing one in ------------------------------------------------------------- */

/* Did every gate that the package tells of pass?  (They agree with its lineage: it was
 * checked.) */
static bool gates_passed(const struct hr_taken *t)
{
    const struct hr_json *gate =
        hr_json_first(hr_json_get(hr_json_root(t->manifest), "gates"));

    for (; gate; gate = hr_json_next(gate))
        if (!hr_json_bool(hr_json_get(gate, "passed")))
            return false;
    return true;
}

static hr_status record_pull(struct hr_project *p, const struct hr_taken *t, const char *dir,
                             const char *digest, const struct hr_change *c)
{
    const struct hr_meta_type type = { .kind = HR_KIND_ARTIFACT,
                                       .name = "PushedModel",
                                       .base = "mlmd.Model" };
    struct hr_meta_property properties[] = {
        { "__digest", true, { .kind = HR_VALUE_STRING, .text = digest } },
        { "__gates_passed", true, { .kind = HR_VALUE_INT, .i = gates_passed(t) } },
        { "__package_digest", true, { .kind = HR_VALUE_STRING, .text = t->head.digest } },
        { "__signed", true, { .kind = HR_VALUE_STRING, .text = t->policy } },
        { "is_external", true, { .kind = HR_VALUE_INT, .i = 1 } },
        { "model_name", true, { .kind = HR_VALUE_STRING, .text = c->model } },
        { "pushed", true, { .kind = HR_VALUE_INT, .i = 1 } },
        { "pushed_version", true, { .kind = HR_VALUE_STRING, .text = c->version } },
        { "tfx_version", true, { .kind = HR_VALUE_STRING, .text = "1.16.0" } },
    };
    struct hr_meta_node node = { .uri = dir,
                                 .state = HR_ARTIFACT_LIVE,
                                 .properties = properties,
                                 .count = sizeof properties / sizeof properties[0] };
    int64_t id = 0;
    hr_status r = hr_store_begin(p->store, true);

    if (r == HR_OK)
        r = hr_store_put_type(p->store, &type, &node.type_id);
    if (r == HR_OK)
        r = hr_store_add_artifact(p->store, &node, &id);
    if (r == HR_OK)
        r = hr_change_add(p, c, id, true);
    if (r == HR_OK)
        r = hr_store_commit(p->store);
    if (r < 0)
        hr_store_rollback(p->store);
    return r;
}

static hr_status keep_package(struct hr_project *p, const char *file, const char *name,
                              const char *version)
{
    struct hr_meta_property properties[] = {
        { "model_name", true, { .kind = HR_VALUE_STRING, .text = name } },
        { "pushed_version", true, { .kind = HR_VALUE_STRING, .text = version } },
    };
    const struct hr_meta_node node = { .properties = properties, .count = 2 };
    char to[HR_MAX_PATH], part[HR_MAX_PATH + 8], dir[HR_MAX_PATH];
    hr_status r = hr_model_package(p, &node, to);
    int e;

    if (r < 0)
        return r;
    hr_path_dir(to, dir);
    if ((r = hr_dir_make_safe(&p->env, dir)) < 0)
        return r;
    memcpy(part, to, strlen(to));
    memcpy(part + strlen(to), ".part", 6);
    r = hr_host_copy(p, file, part);
    if (r == HR_OK && (e = p->env.os->rename(p->env.os->user, part, to)) < 0)
        r = hr_fail_os(&p->env, e, "rename to", to);
    return r < 0 ? r : hr_dir_sync(&p->env, dir);
}

/* What is to be pulled, and that it is not here yet. */
static hr_status look_at_taken(struct hr_project *p, const char *file, const struct hr_taken *t,
                               struct hr_change *c, struct hr_arena *arena, char *ret_digest)
{
    struct hr_meta_node node;
    hr_status r;

    if (strcmp(t->kind, "model") != 0)
        return hr_fail(&p->env, HR_INVALID, "\"%s\" is a package of kind \"%s\", no model", file,
                       t->kind);
    c->model = c->model ? c->model : t->id;
    c->version = c->version ? c->version : t->version;
    if ((r = hr_taken_digest(p, t, HR_MODEL_PATH, ret_digest)) < 0)
        return r;
    r = hr_model_find(p, hr_arena_format(arena, "%s@%s", c->model, c->version), arena, &node);
    if (r == HR_NOT_FOUND)
        return HR_OK;
    if (r < 0)
        return r;
    return hr_fail(&p->env, HR_EXISTS, "%s@%s is there already%s", c->model, c->version,
                   hr_text_eq(hr_meta_text(&node, "__digest"), ret_digest)
                       ? ", the very same"
                       : " and is another; give --version to take it as");
}

/* Where it stays, and the model in it. */
static hr_status place_taken(struct hr_project *p, const struct hr_taken *t,
                             const struct hr_change *c, struct hr_arena *arena, char *ret_place,
                             const char **ret_model)
{
    const char *dir = hr_arena_format(arena, "%s/pulled/%s/%s-%.16s", p->paths.artifacts, c->model,
                                      c->version, t->head.digest);

    *ret_model = dir ? hr_arena_format(arena, "%s/model", dir) : NULL;
    return *ret_model ? hr_path_join(&p->env, "", dir, ret_place) : HR_EXHAUSTED;
}

/* Unpack what was looked at. */
static hr_status unpack(struct hr_project *p, const char *file, const struct hr_trust *trust,
                        const struct hr_taken *t, const char *place)
{
    struct hr_taken again;
    hr_status r = hr_tree_remove(&p->env, place); /* of a pull that did not come to its end */

    if (r < 0 || (r = hr_package_take(p, file, trust, place, &again)) < 0)
        return r;
    if (strcmp(again.head.digest, t->head.digest) != 0)
        r = hr_fail(&p->env, HR_DATA_LOSS, "\"%s\" has changed meanwhile", file);
    hr_taken_clear(&again);
    return r;
}

/* Unpack first, where it stays; then tell the store, in one transaction. */
static hr_status pull(struct hr_project *p, const char *file, struct hr_change *c,
                      const char *const *keys, struct hr_arena *arena, const char **ret_json)
{
    char digest[HR_SHA256_HEX], place[HR_MAX_PATH] = "";
    const char *model = NULL;
    struct hr_taken t;
    struct hr_trust trust;
    hr_status r = hr_trust_read(p, keys, arena, &trust);

    if (r < 0 || (r = hr_package_take(p, file, &trust, NULL, &t)) < 0)
        return r;
    r = look_at_taken(p, file, &t, c, arena, digest);
    if (r == HR_OK)
        r = place_taken(p, &t, c, arena, place, &model);
    if (r == HR_OK)
        r = unpack(p, file, &trust, &t, place);
    if (r == HR_OK)
        r = keep_package(p, file, c->model, c->version);
    if (r == HR_OK)
        r = record_pull(p, &t, model, digest, c);
    if (r < 0 && place[0] && r != HR_EXISTS)
        hr_tree_remove(&p->env, place);
    if (r == HR_OK)
        r = report(p, c, ret_json);
    hr_taken_clear(&t);
    return r;
}

hr_status hr_model_pull(hr_project *p, const char *file, const char *options,
                        const char **ret_json)
{
    struct hr_change c = { .action = "pull" };
    const char *by = NULL, **keys = NULL;
    const struct hr_choice choices[] = {
        { .name = "by", .text = &by },         { .name = "why", .text = &c.why },
        { .name = "name", .text = &c.model },  { .name = "version", .text = &c.version },
        { .name = "keys", .list = &keys },     { .name = NULL },
    };
    struct hr_arena arena;
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_host_need(p);
    if (r == HR_OK)
        r = hr_choices_read(p, options, choices, &arena);
    if (r == HR_OK && ((c.model && !hr_plain_name(c.model)) ||
                       (c.version && !hr_plain_name(c.version))))
        r = hr_fail(&p->env, HR_INVALID,
                    "a name and a version have letters, digits, \".\", \"_\", \"+\" and \"-\"");
    if (r == HR_OK && !(c.by = hr_change_by(p, by, &arena)))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = pull(p, file, &c, keys, &arena, ret_json);
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}

/* -- and out -------------------------------------------------------------------- */

static hr_status copy_tree(struct hr_project *p, const char *from, const char *to)
{
    char a[HR_MAX_PATH], b[HR_MAX_PATH], dir[HR_MAX_PATH];
    struct hr_names names = { 0 };
    hr_status r = hr_tree_list(&p->env, from, &names);
    size_t i;

    for (i = 0; i < names.count && r == HR_OK; i++) {
        if ((r = hr_path_join(&p->env, from, names.names[i], a)) < 0 ||
            (r = hr_path_join(&p->env, to, names.names[i], b)) < 0)
            break;
        hr_path_dir(b, dir);
        if ((r = hr_dir_make(&p->env, dir)) == HR_OK)
            r = hr_host_copy(p, a, b);
    }
    hr_names_clear(&p->env, &names);
    return r;
}

hr_status hr_model_export(hr_project *p, const char *what, const char *dir)
{
    char part[HR_MAX_PATH], digest[HR_SHA256_HEX];
    struct hr_meta_node node;
    struct hr_arena arena;
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_host_need(p);
    if (r == HR_OK && (r = hr_model_find(p, what, &arena, &node)) == HR_NOT_FOUND)
        hr_fail(&p->env, r, "there is no model \"%s\"; \"headrace model list\" lists them", what);
    if (r == HR_OK)
        r = hr_place_make(p, dir, part);
    if (r < 0) {
        hr_arena_clear(&arena);
        return hr_host_done(p, r);
    }
    r = copy_tree(p, node.uri, part);
    if (r == HR_OK)
        r = hr_artifact_digest(&p->env, NULL, part, digest);
    if (r == HR_OK && !hr_text_eq(digest, hr_meta_text(&node, "__digest")))
        r = hr_fail(&p->env, HR_DATA_LOSS,
                    "the files of \"%s\" in \"%s\" are not what was published; its package in "
                    "the registry may still be good",
                    what, node.uri);
    if (r == HR_OK)
        r = hr_place_settle(p, part, dir);
    if (r < 0)
        hr_tree_remove(&p->env, part);
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}
