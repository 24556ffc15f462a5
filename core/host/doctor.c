/* The store against the files: what does not fit, in one sentence each, and mending it.
 *
 * Mending loses nothing that counts: a result whose files are gone or changed is DELETED in the
 * store, so that its node runs again, and changed files are moved to .headrace/damaged/; what
 * belongs to nobody is removed; an address that the project's move has made wrong is corrected.
 */
#include <string.h>

#include "host/package.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

enum { PAGE = 1000 };

struct doctor {
    struct hr_project *p;
    uint32_t flags;
    struct hr_json_writer w;
    struct hr_arena arena; /* of one page or listing */
    int64_t moved;
    char moved_from[HR_MAX_PATH];
};

static bool repairs(const struct doctor *d)
{
    return d->flags & HR_DOCTOR_REPAIR;
}

static void tell(struct doctor *d, const char *what, bool repaired, const char *format, ...)
    HR_PRINTF(4, 5);

static void tell(struct doctor *d, const char *what, bool repaired, const char *format, ...)
{
    struct hr_buf text;
    va_list args;

    hr_buf_of(&text, 65536, &d->p->env);
    va_start(args, format);
    hr_buf_vformat(&text, format, args);
    va_end(args);
    hr_json_open_object(&d->w);
    hr_json_put_member_text(&d->w, "what", what);
    hr_json_put_member_text(&d->w, "text", text.text);
    hr_json_put_member_bool(&d->w, "repaired", repaired);
    hr_json_close_object(&d->w);
    hr_buf_clear(&text);
}

/* One change of the store. */
static hr_status set_state(struct doctor *d, int64_t artifact, int64_t state)
{
    struct hr_store *store = d->p->store;
    hr_status r = hr_store_begin(store, true);

    if (r == HR_OK)
        r = hr_store_set_state(store, HR_KIND_ARTIFACT, artifact, state);
    if (r == HR_OK)
        return hr_store_commit(store);
    hr_store_rollback(store);
    return r;
}

static hr_status set_uri(struct doctor *d, int64_t artifact, const char *uri)
{
    struct hr_store *store = d->p->store;
    hr_status r = hr_store_begin(store, true);

    if (r == HR_OK)
        r = hr_store_set_uri(store, artifact, uri);
    if (r == HR_OK)
        return hr_store_commit(store);
    hr_store_rollback(store);
    return r;
}

/* -- artifacts ------------------------------------------------------------- */

/* Does an address lead into the .headrace of another place, where ours has the same?  *ret_from:
 * the directory of that project; to: where it lies here. */
static bool was_moved(struct doctor *d, const struct hr_meta_node *a, char *from, char *to)
{
    static const char mark[] = "/.headrace/artifacts/";
    const char *at = strstr(a->uri, mark);
    size_t n = at ? (size_t)(at - a->uri) : 0;

    if (!at || hr_is_own(d->p, a->uri) || n >= HR_MAX_PATH ||
        hr_path_join(&d->p->env, d->p->paths.artifacts, at + sizeof mark - 1, to) < 0 ||
        !hr_is_own(d->p, to) || !hr_file_exists(&d->p->env, to))
        return false;
    memcpy(from, a->uri, n);
    from[n] = '\0';
    return true;
}

static hr_status move_home(struct doctor *d, const struct hr_meta_node *a, const char *from,
                           const char *to)
{
    d->moved++;
    memcpy(d->moved_from, from, strlen(from) + 1);
    return repairs(d) ? set_uri(d, a->id, to) : HR_OK;
}

static hr_status set_aside(struct doctor *d, const struct hr_meta_node *a)
{
    char dir[HR_MAX_PATH], to[HR_MAX_PATH], name[HR_NUM_TEXT];
    hr_status r = hr_path_join(&d->p->env, d->p->paths.root, "damaged", dir);
    int e;

    hr_num_put_int(name, a->id);
    if (r == HR_OK)
        r = hr_dir_make(&d->p->env, dir);
    if (r == HR_OK)
        r = hr_path_join(&d->p->env, dir, name, to);
    if (r == HR_OK)
        r = hr_tree_remove(&d->p->env, to);
    if (r == HR_OK && (e = OS(&d->p->env, rename, a->uri, to)) < 0)
        r = hr_fail_os(&d->p->env, e, "move damaged files to", to);
    return r;
}

/* What cannot be read may be whole: nothing is mended by it. */
static hr_status unread(struct doctor *d, const struct hr_meta_node *a, const char *name,
                        hr_status r)
{
    if (r == HR_EXHAUSTED || r == HR_CANCELLED)
        return r;
    tell(d, name, false, "%s (%s) cannot be checked: %s; see to the disk, and look again", name,
         a->type, hr_env_error(&d->p->env));
    hr_errors_cut(&d->p->env, 0);
    return HR_OK;
}

static hr_status check_digest(struct doctor *d, const struct hr_meta_node *a, const char *name)
{
    const char *digest = hr_meta_text(a, "__digest");
    size_t kept = d->p->env.errors.count;
    char found[HR_SHA256_HEX] = "none";
    hr_status r;

    if (!digest || !hr_is_own(d->p, a->uri))
        return HR_OK;
    r = hr_artifact_digest(&d->p->env, NULL, a->uri, found);
    if (r == HR_OK && !strcmp(found, digest))
        return HR_OK;
    if (r < 0 && r != HR_NOT_FOUND && r != HR_INVALID)
        return unread(d, a, name, r);
    tell(d, name, repairs(d),
         "%s (%s) is not what was made: %s; its files \"%s\" %s", name, a->type,
         r < 0 ? hr_env_error(&d->p->env) : "its digest differs", a->uri,
         repairs(d) ? "now lie in .headrace/damaged/, and its node runs again"
                    : "were changed; put them back, or let \"headrace doctor --repair\" set them "
                      "aside, so that its node runs again");
    hr_errors_cut(&d->p->env, kept);
    if (!repairs(d))
        return HR_OK;
    r = set_state(d, a->id, HR_ARTIFACT_DELETED);
    return r < 0 ? r : set_aside(d, a);
}

static hr_status check_artifact(struct doctor *d, const struct hr_meta_node *a)
{
    char name[HR_NUM_TEXT + 16] = "artifact ", from[HR_MAX_PATH], to[HR_MAX_PATH];
    enum hr_at at;
    hr_status r;
    bool there;

    hr_num_put_int(name + strlen(name), a->id);
    if ((a->state != HR_ARTIFACT_LIVE && a->state != HR_ARTIFACT_MARKED) || !a->uri[0])
        return HR_OK;
    if ((r = hr_look_at(&d->p->env, a->uri, &at)) < 0)
        return unread(d, a, name, r);
    there = at != HR_AT_NOTHING;
    if (a->state == HR_ARTIFACT_MARKED && there) {
        tell(d, name, repairs(d), "%s (%s) is MARKED: a gc was cut short; %s", name, a->type,
             repairs(d) ? "it is LIVE again"
                        : "run \"headrace gc\", or \"headrace doctor --repair\" to keep it");
        return repairs(d) ? set_state(d, a->id, HR_ARTIFACT_LIVE) : HR_OK;
    }
    if (was_moved(d, a, from, to))
        return move_home(d, a, from, to);
    if (there)
        return check_digest(d, a, name);
    tell(d, name, repairs(d), "%s (%s) is in the store, and its files \"%s\" are gone; %s", name,
         a->type, a->uri,
         repairs(d) ? "it is DELETED now, and its node runs again"
                    : "put them back, or let \"headrace doctor --repair\" mark it DELETED, so that "
                      "its node runs again");
    return repairs(d) ? set_state(d, a->id, HR_ARTIFACT_DELETED) : HR_OK;
}

static hr_status check_artifacts(struct doctor *d)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT, .newest_first = true, .limit = PAGE };
    struct hr_meta_nodes found;
    hr_status r;
    size_t i;

    do {
        hr_arena_clear(&d->arena);
        found = (struct hr_meta_nodes){ 0 };
        r = hr_store_look(d->p->store, &look, &d->arena, &found);
        for (i = 0; i < found.count && r == HR_OK; i++) {
            look.before = found.items[i].id;
            r = check_artifact(d, &found.items[i]);
        }
    } while (r == HR_OK && found.count == PAGE);
    if (r == HR_OK && d->moved)
        tell(d, "project", repairs(d),
             "the project was moved or copied from \"%s\": %lld artifacts have their address there;"
             " %s",
             d->moved_from, (long long)d->moved,
             repairs(d) ? "they have it here now"
                        : "\"headrace doctor --repair\" gives them the address here");
    return r;
}

/* -- files of nobody ------------------------------------------------------- */

/* The execution that a directory is named after; ret->id is 0 where it is of none. */
static hr_status execution_of(struct doctor *d, const char *name, struct hr_meta_node *ret)
{
    int64_t id = 0;
    hr_status r;

    *ret = (struct hr_meta_node){ 0 };
    if (!hr_num_int(name, strlen(name), &id))
        return HR_OK;
    r = hr_store_get(d->p->store, HR_KIND_EXECUTION, id, &d->arena, ret);
    return r == HR_NOT_FOUND ? HR_OK : r;
}

/* Is a directory of staging somebody's: of an execution that runs, or of a host that lives and may
 * use it again? */
static hr_status in_use(struct doctor *d, const char *name, bool *ret)
{
    struct hr_meta_node e;
    const char *host;
    hr_status r = execution_of(d, name, &e);

    if (r < 0)
        return r;
    host = e.id ? hr_meta_text(&e, "__host") : NULL;
    *ret = e.state == HR_EXECUTION_RUNNING ||
           (host && hr_host_alive(&d->p->env, &d->p->paths, host));
    return HR_OK;
}

static hr_status check_staging(struct doctor *d)
{
    struct hr_names names = { 0 };
    char path[HR_MAX_PATH];
    hr_status r = hr_dir_list_there(&d->p->env, d->p->paths.staging, &names);
    bool used = true;
    size_t i;

    for (i = 0; i < names.count && r == HR_OK; i++) {
        if ((r = in_use(d, names.names[i], &used)) < 0 || used)
            continue;
        if ((r = hr_path_join(&d->p->env, d->p->paths.staging, names.names[i], path)) < 0)
            break;
        tell(d, "staging", repairs(d), "\"%s\" was left by an execution that has ended; %s", path,
             repairs(d) ? "it is removed" : "\"headrace doctor --repair\" removes it");
        if (repairs(d))
            r = hr_tree_remove(&d->p->env, path);
    }
    hr_names_clear(&d->p->env, &names);
    return r;
}

/* Has an execution put out a LIVE artifact that lies in or below a directory? */
static hr_status is_output(struct doctor *d, int64_t execution, const char *dir, bool *ret)
{
    struct hr_meta_links links = { 0 };
    struct hr_meta_node a;
    size_t n = strlen(dir), i;
    hr_status r = hr_store_links(d->p->store, HR_KIND_EXECUTION, execution, &d->arena, &links);

    *ret = false;
    for (i = 0; i < links.count && r == HR_OK && !*ret; i++) {
        r = hr_store_get(d->p->store, HR_KIND_ARTIFACT, links.items[i].id, &d->arena, &a);
        *ret = r == HR_OK && a.state != HR_ARTIFACT_DELETED && !strncmp(a.uri, dir, n) &&
               (!a.uri[n] || a.uri[n] == '/');
    }
    return r;
}

/* artifacts/NODE/KEY/EXECUTION */
static hr_status check_place(struct doctor *d, const char *dir, const char *name)
{
    char path[HR_MAX_PATH];
    struct hr_meta_node e;
    bool used = false;
    hr_status r = hr_path_join(&d->p->env, dir, name, path);

    if (r == HR_OK)
        r = execution_of(d, name, &e);
    if (r == HR_OK && e.id && e.state != HR_EXECUTION_RUNNING)
        r = is_output(d, e.id, path, &used);
    if (r < 0 || used || e.state == HR_EXECUTION_RUNNING)
        return r;
    tell(d, "files", repairs(d), "\"%s\" belongs to no artifact; %s", path,
         repairs(d) ? "it is removed" : "\"headrace doctor --repair\" removes it");
    return repairs(d) ? hr_tree_remove(&d->p->env, path) : HR_OK;
}

typedef hr_status each_name(struct doctor *d, const char *dir, const char *name);

static hr_status for_names(struct doctor *d, const char *dir, each_name *each)
{
    struct hr_names names = { 0 };
    hr_status r = hr_dir_list_there(&d->p->env, dir, &names);
    size_t i;

    for (i = 0; i < names.count && r == HR_OK; i++)
        if (names.names[i][0] != '.')
            r = each(d, dir, names.names[i]);
    hr_names_clear(&d->p->env, &names);
    return r;
}

static hr_status check_key(struct doctor *d, const char *dir, const char *name)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(&d->p->env, dir, name, path);

    return r < 0 ? r : for_names(d, path, check_place);
}

static hr_status check_node(struct doctor *d, const char *dir, const char *name)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(&d->p->env, dir, name, path);

    return r < 0 ? r : for_names(d, path, check_key);
}

/* -- leases, executions, registry ------------------------------------------ */

static hr_status check_leases(struct doctor *d)
{
    const char **hosts = NULL;
    size_t n = 0, i;
    hr_status r = hr_cache_holders(d->p->cache, &d->arena, &hosts, &n);

    for (i = 0; i < n && r == HR_OK; i++) {
        if (hr_host_alive(&d->p->env, &d->p->paths, hosts[i]))
            continue;
        tell(d, "lease", repairs(d), "host %s is gone and holds leases of cache keys; %s", hosts[i],
             repairs(d) ? "they are free now" : "\"headrace doctor --repair\" frees them");
        if (repairs(d))
            hr_cache_release_all(d->p->cache, hosts[i]);
    }
    return r;
}

static hr_status check_model(struct doctor *d, const struct hr_meta_node *a)
{
    const char *name = hr_meta_text(a, "model_name"), *version = hr_meta_text(a, "pushed_version");
    char path[HR_MAX_PATH];
    const char *file, *text = "";
    enum hr_at at;
    size_t kept = d->p->env.errors.count;
    hr_status r;

    if (hr_meta_int(a, "pushed", 0) != 1 || !name || !version)
        return HR_OK;
    if (!(file = hr_arena_format(&d->arena, "models/%s/%s-%s.hrp", name, name, version)))
        return HR_EXHAUSTED;
    r = hr_path_join(&d->p->env, d->p->paths.registry, file, path);
    if (r == HR_OK)
        r = hr_look_at(&d->p->env, path, &at);
    if (r < 0 || at != HR_AT_NOTHING)
        return r;
    if (repairs(d) && hr_model_pack(d->p, a, &d->arena, &text) == HR_OK) {
        tell(d, "registry", true, "model %s@%s was pushed, and its package \"%s\" was not there; "
                                  "it is packed again",
             name, version, path);
        return HR_OK;
    }
    hr_errors_cut(&d->p->env, kept);
    tell(d, "registry", false,
         "model %s@%s was pushed, and its package \"%s\" is not there; \"headrace doctor "
         "--repair\" packs it again from the artifact",
         name, version, path);
    return HR_OK;
}

static hr_status check_registry(struct doctor *d)
{
    struct hr_look look = { .kind = HR_KIND_ARTIFACT,
                            .type = "PushedModel",
                            .state = HR_ARTIFACT_LIVE };
    struct hr_meta_nodes found = { 0 };
    hr_status r;
    size_t i;

    hr_arena_clear(&d->arena);
    r = hr_store_look(d->p->store, &look, &d->arena, &found);
    for (i = 0; i < found.count && r == HR_OK; i++)
        r = check_model(d, &found.items[i]);
    return r;
}

/* -- packages that were not finished ---------------------------------------- */

static hr_status check_part(struct doctor *d, const char *dir, const char *name)
{
    char path[HR_MAX_PATH];
    hr_status r = hr_path_join(&d->p->env, dir, name, path);
    int e;

    if (r < 0)
        return r;
    if (hr_dir_exists(&d->p->env, path))
        return for_names(d, path, check_part);
    if (!hr_path_is_part(name))
        return HR_OK;
    tell(d, "registry", repairs(d), "\"%s\" is a package that was not finished; %s", path,
         repairs(d) ? "it is removed" : "\"headrace doctor --repair\" removes it");
    e = repairs(d) ? d->p->env.os->unlink(d->p->env.os->user, path) : 0;
    return e < 0 ? hr_fail_os(&d->p->env, e, "remove", path) : HR_OK;
}

/* Which host a part is of, nobody knows; one that lives may be writing it. */
static hr_status check_parts(struct doctor *d)
{
    char dir[HR_MAX_PATH];
    bool others = false;
    hr_status r = hr_host_others(&d->p->env, &d->p->paths, d->p->host.id, &others);

    if (r < 0 || others)
        return r;
    r = hr_path_join(&d->p->env, d->p->paths.registry, "models", dir);
    return r < 0 ? r : for_names(d, dir, check_part);
}

/* Opening closes what hosts that died have left; what was left is told here. */
static void check_swept(struct doctor *d)
{
    if (d->p->swept)
        tell(d, "executions", true,
             "%lld executions were RUNNING on hosts that are gone; they are FAILED now",
             (long long)d->p->swept);
    d->p->swept = 0;
}

static hr_status check_all(struct doctor *d)
{
    hr_status r = HR_OK;

    hr_json_open_array(&d->w);
    if (!(d->flags & HR_DOCTOR_CACHE)) {
        size_t kept = d->p->env.errors.count;

        check_swept(d);
        r = hr_store_check(d->p->store);
        if (r < 0 && r != HR_DATA_LOSS)
            return r;
        if (r < 0)
            tell(d, "store", false, "%s; restore it from a copy", hr_env_error(&d->p->env));
        hr_errors_cut(&d->p->env, kept);
    }
    r = check_artifacts(d);
    if (r == HR_OK && !(d->flags & HR_DOCTOR_CACHE)) {
        r = check_staging(d);
        if (r == HR_OK && (!d->moved || repairs(d))) /* else all of it seems to be nobody's */
            r = for_names(d, d->p->paths.artifacts, check_node);
        if (r == HR_OK)
            r = check_leases(d);
        if (r == HR_OK)
            r = check_registry(d);
        if (r == HR_OK)
            r = check_parts(d);
    }
    hr_json_close_array(&d->w);
    return r < 0 ? r : hr_json_end(&d->w);
}

hr_status hr_doctor(hr_project *p, uint32_t flags, const char **ret_json)
{
    struct doctor d = { .p = p, .flags = flags };
    hr_status r;

    hr_host_call(p);
    if ((r = hr_host_need(p)) < 0)
        return hr_host_done(p, r);
    hr_arena_init(&d.arena, &p->env, 0);
    hr_buf_cut(&p->text, 0);
    hr_json_begin(&d.w, &p->text, 0);
    r = check_all(&d);
    hr_arena_clear(&d.arena);
    if (r == HR_OK)
        *ret_json = p->text.text;
    return hr_host_done(p, r);
}
