/* Plugins from packages: the stores that they are unpacked into.
 *
 *     STORE/DIGEST/linux-x86_64/plugin.so, plugin.json     DIGEST: of the package's FILES
 *     STORE/DIGEST/installed.json                          who had signed it, with what key
 *
 * STORE is ~/.local/lib/headrace/plugins of the user, or .headrace/registry/plugins of a project.
 * A directory of another name is none of ours, or is being made or removed.
 */
#include <string.h>

#include "host/package.h"

enum { MAX_INSTALLED = 1000 };

/* -- stores -------------------------------------------------------------------- */

/* The store of the project or of the user.  HR_NOT_FOUND, told: there is none. */
static hr_status store_of(struct hr_project *p, bool project, char ret[HR_MAX_PATH])
{
    const char *home = p->env.os->getenv(p->env.os->user, "HOME");

    if (project)
        return p->opened ? hr_path_join(&p->env, p->paths.registry, "plugins", ret)
                         : hr_host_need(p);
    if (!home || home[0] != '/')
        return hr_fail(&p->env, HR_NOT_FOUND,
                       "there is no home directory to install plugins in; install into a project");
    return hr_path_join(&p->env, home, ".local/lib/headrace/plugins", ret);
}

static bool is_entry(const char *name)
{
    size_t i;

    for (i = 0; name[i]; i++)
        if (!strchr("0123456789abcdef", name[i]))
            return false;
    return i == 64;
}

struct entry {
    const char *dir; /* STORE/DIGEST */
    const char *id, *version;
};

static hr_status read_entry(struct hr_project *p, struct hr_arena *arena, const char *dir,
                            struct entry *ret)
{
    const char *path = hr_arena_format(arena, "%s/%s/plugin.json", dir, hr_host_platform());
    const char *text = NULL, *id, *version;
    struct hr_json_doc *doc;
    hr_status r = path ? hr_host_text(p, path, HR_PACKAGE_MANIFEST, arena, &text) : HR_EXHAUSTED;

    if (r == HR_OK)
        r = hr_json_parse(&p->env, path, text, strlen(text), 0, &doc);
    if (r < 0)
        return r;
    id = hr_json_text(hr_json_get(hr_json_root(doc), "id"));
    version = hr_json_text(hr_json_get(hr_json_root(doc), "version"));
    ret->dir = hr_arena_text(arena, dir);
    ret->id = hr_arena_text(arena, id ? id : "");
    ret->version = hr_arena_text(arena, version ? version : "");
    hr_json_free(doc);
    return ret->dir && ret->id && ret->version ? HR_OK : HR_EXHAUSTED;
}

/* All that is installed in both stores; one that cannot be read has an id of "". */
static hr_status entries_of(struct hr_project *p, struct hr_arena *arena, struct entry **ret,
                            size_t *ret_n)
{
    struct entry *entries = hr_arena_array(arena, MAX_INSTALLED, sizeof *entries);
    char store[HR_MAX_PATH], dir[HR_MAX_PATH];
    size_t kept = p->env.errors.count, n = 0, i;
    int k;

    if (!entries)
        return HR_EXHAUSTED;
    for (k = p->opened ? 1 : 0; k >= 0; k--) {
        struct hr_names names = { 0 };

        if (store_of(p, k == 1, store) < 0 || !hr_dir_exists(&p->env, store) ||
            hr_dir_list(&p->env, store, &names) < 0)
            continue;
        for (i = 0; i < names.count && n < MAX_INSTALLED; i++) {
            if (!is_entry(names.names[i]) ||
                hr_path_join(&p->env, store, names.names[i], dir) < 0)
                continue;
            if (read_entry(p, arena, dir, &entries[n]) < 0)
                entries[n] = (struct entry){ hr_arena_text(arena, dir), "", "" };
            n++;
        }
        hr_names_clear(&p->env, &names);
    }
    hr_errors_cut(&p->env, kept);
    *ret = entries;
    *ret_n = n;
    return HR_OK;
}

hr_status hr_installed_places(struct hr_project *p, struct hr_arena *arena, const char ***ret,
                              size_t *ret_n)
{
    struct entry *entries;
    const char **places;
    size_t n, i;
    hr_status r = entries_of(p, arena, &entries, &n);

    if (r < 0)
        return r;
    if (!(places = hr_arena_array(arena, n + 1, sizeof *places)))
        return HR_EXHAUSTED;
    for (i = 0; i < n; i++)
        if (!(places[i] = hr_arena_format(arena, "%s/%s", entries[i].dir, hr_host_platform())))
            return HR_EXHAUSTED;
    *ret = places;
    *ret_n = n;
    return HR_OK;
}

/* What was recorded of the package that a .so came from; NULL: it came from none. */
static struct hr_json_doc *record_of(struct hr_project *p, const char *so, struct hr_arena *arena)
{
    char dir[HR_MAX_PATH], path[HR_MAX_PATH];
    size_t kept = p->env.errors.count;
    struct hr_json_doc *doc = NULL;
    const char *text = NULL;

    hr_path_dir(so, dir);
    hr_path_dir(dir, dir);
    if (is_entry(hr_path_name(dir)) &&
        hr_path_join(&p->env, dir, "installed.json", path) == HR_OK &&
        hr_host_text(p, path, 65536, arena, &text) == HR_OK &&
        hr_json_parse(&p->env, path, text, strlen(text), 0, &doc) < 0)
        doc = NULL;
    hr_errors_cut(&p->env, kept);
    return doc;
}

const char *hr_installed_signer(struct hr_project *p, const char *so, struct hr_arena *arena)
{
    struct hr_json_doc *doc = record_of(p, so, arena);
    const char *signer = doc ? hr_json_text(hr_json_get(hr_json_root(doc), "signed")) : NULL;

    signer = signer ? hr_arena_text(arena, signer) : NULL;
    hr_json_free(doc);
    return signer;
}

/* Does the policy of now take what was installed?  The key that had signed it is on record: the
 * signature held then, and the bytes of the .so are those of its digest. */
static hr_status judge(struct hr_project *p, const struct hr_place *place,
                       const struct hr_plugin_info *plugin, const struct hr_json *record,
                       struct hr_arena *arena)
{
    const char *key = hr_json_text(hr_json_get(record, "key"));
    const char *signer = hr_json_text(hr_json_get(record, "signed"));
    struct hr_trust trust;
    hr_status r = hr_trust_read(p, NULL, arena, &trust);
    size_t i;

    if (r < 0 || trust.without != HR_UNSIGNED_REFUSE)
        return r;
    for (i = 0; i < trust.count; i++)
        if (hr_text_eq(key, trust.keys[i].text))
            return HR_OK;
    return hr_fail_at(&p->env, HR_DENIED, place,
                      "plugin %s %s was installed from a package %s, and \"%s\" trusts no such "
                      "signer; trust its key, or remove the plugin and install it from a package "
                      "that is signed by a trusted one",
                      plugin->id, plugin->version, signer ? signer : "of an unknown signer",
                      trust.file ? trust.file : "");
}

hr_status hr_installed_judge(void *user, const struct hr_place *place,
                             const struct hr_plugin_info *plugin)
{
    enum { MOST = sizeof((struct hr_project *)0)->judged / sizeof plugin };
    struct hr_project *p = user;
    struct hr_json_doc *doc;
    struct hr_arena arena;
    hr_status r = HR_OK;
    size_t i;

    for (i = 0; i < p->judged_count; i++)
        if (p->judged[i] == plugin)
            return HR_OK;
    hr_arena_init(&arena, &p->env, 0);
    if ((doc = record_of(p, plugin->path, &arena)))
        r = judge(p, place, plugin, hr_json_root(doc), &arena);
    if (r == HR_OK && p->judged_count < MOST)
        p->judged[p->judged_count++] = plugin;
    hr_json_free(doc);
    hr_arena_clear(&arena);
    return r;
}

/* What is installed or removed is seen by the next call; components in use stay as they are. */
static void look_again(struct hr_project *p)
{
    if (p->jobs || p->models)
        return;
    hr_catalogue_close(p->catalogue);
    p->catalogue = NULL;
}

/* -- installing ---------------------------------------------------------------- */

static hr_status check_plugin(struct hr_project *p, const struct hr_taken *t)
{
    const struct hr_json *root = hr_json_root(t->manifest), *v, *abi;
    struct hr_buf names;
    bool mine = false;
    int64_t major = 0;
    hr_status r;

    if (strcmp(t->kind, "plugin") != 0)
        return hr_fail(&p->env, HR_INVALID, "\"%s\" is a package of kind \"%s\", no plugin",
                       t->file, t->kind);
    hr_buf_of(&names, 1024, &p->env);
    for (v = hr_json_first(hr_json_get(root, "platforms")); v; v = hr_json_next(v)) {
        mine = mine || hr_text_eq(hr_json_text(v), hr_host_platform());
        hr_buf_format(&names, "%s%s", names.len ? ", " : "", hr_json_text(v));
    }
    r = mine ? HR_OK
             : hr_fail(&p->env, HR_PRECONDITION, "plugin %s %s is made for %s; this is %s", t->id,
                       t->version, names.text, hr_host_platform());
    hr_buf_clear(&names);
    abi = hr_json_get(hr_json_get(root, "plugin"), "abi");
    hr_json_int(t->manifest, hr_json_first(abi), &major);
    if (r == HR_OK && major != HR_ABI_MAJOR)
        r = hr_fail(&p->env, HR_PRECONDITION,
                    "plugin %s %s is made for ABI %lld, and this host (headrace %s) has ABI %d; "
                    "%s",
                    t->id, t->version, (long long)major, HR_VERSION_TEXT, HR_ABI_MAJOR,
                    major > HR_ABI_MAJOR ? "upgrade headrace" : "take a newer plugin");
    return r;
}

/* The manifest is made from the .so again, in a worker, and must be the packed one. */
static hr_status compare(struct hr_project *p, const struct hr_taken *t, const char *dir,
                         struct hr_arena *arena)
{
    const char *so = hr_arena_format(arena, "%s/%s/plugin.so", dir, hr_host_platform());
    const char *json = hr_arena_format(arena, "%s/%s/plugin.json", dir, hr_host_platform());
    const char *packed = NULL;
    struct hr_json_doc *doc = NULL;
    struct hr_buf made, a, b;
    hr_status r = so && json ? HR_OK : HR_EXHAUSTED;

    hr_buf_of(&made, HR_PACKAGE_MANIFEST, &p->env);
    hr_buf_of(&a, HR_PACKAGE_MANIFEST, &p->env);
    hr_buf_of(&b, HR_PACKAGE_MANIFEST, &p->env);
    if (r == HR_OK)
        r = hr_process_manifest(&p->env, p->worker ? p->worker : p->where.worker, so, &made);
    if (r == HR_OK)
        r = hr_host_text(p, json, HR_PACKAGE_MANIFEST, arena, &packed);
    if (r == HR_OK)
        r = hr_json_parse(&p->env, "the worker's manifest", made.text, made.len, 0, &doc);
    if (r == HR_OK)
        r = hr_json_print(doc, hr_json_root(doc), true, &a);
    if (r == HR_OK)
        r = hr_json_print(t->manifest, hr_json_get(hr_json_root(t->manifest), "plugin"), true, &b);
    if (r == HR_OK && (strcmp(a.text, b.text) != 0 || strcmp(packed, made.text) != 0))
        r = hr_fail(&p->env, HR_DATA_LOSS,
                    "plugin %s %s does not describe itself as its package does; the package's "
                    "manifest was changed by hand",
                    t->id, t->version);
    else if (r < 0)
        hr_fail(&p->env, r, "plugin %s %s cannot be loaded", t->id, t->version);
    hr_json_free(doc);
    hr_buf_clear(&made);
    hr_buf_clear(&a);
    hr_buf_clear(&b);
    return r;
}

/* The line of the key that has signed a package; NULL: no trusted one has. */
static const char *key_of(const struct hr_taken *t, const struct hr_trust *trust)
{
    size_t i;

    for (i = 0; i < trust->count && t->head.state == HR_SIGNED_TRUSTED; i++)
        if (hr_text_eq(trust->keys[i].name, t->head.signer))
            return trust->keys[i].text;
    return NULL;
}

static hr_status write_installed(struct hr_project *p, const struct hr_taken *t,
                                 const struct hr_trust *trust, const char *dir)
{
    char path[HR_MAX_PATH];
    struct hr_json_writer w;
    struct hr_buf text;
    hr_status r = hr_path_join(&p->env, dir, "installed.json", path);

    hr_buf_of(&text, 65536, &p->env);
    hr_json_begin(&w, &text, 1);
    hr_json_open_object(&w);
    hr_json_put_member_text(&w, "id", t->id);
    hr_json_put_member_text(&w, "version", t->version);
    hr_json_put_member_text(&w, "package", t->head.digest);
    hr_json_put_member_text(&w, "signed", t->policy);
    if (key_of(t, trust))
        hr_json_put_member_text(&w, "key", key_of(t, trust));
    hr_json_close_object(&w);
    if (r == HR_OK)
        r = hr_json_end(&w);
    if (r == HR_OK)
        r = hr_file_write(&p->env, path, text.text, text.len);
    hr_buf_clear(&text);
    return r;
}

/* All of it lasts, then it is there. */
static hr_status put_in_place(struct hr_project *p, const char *part, const char *place,
                              const char *store)
{
    hr_status r = hr_tree_sync(&p->env, part);
    int e;

    if (r < 0 || hr_dir_exists(&p->env, place))
        return r;
    e = p->env.os->rename(p->env.os->user, part, place);
    if (e < 0 && !hr_dir_exists(&p->env, place)) /* else another has just done the same */
        return hr_fail_os(&p->env, e, "rename to", place);
    return hr_dir_sync(&p->env, store);
}

/* Under another name until it was compared; then one rename. */
static hr_status install(struct hr_project *p, const char *file, const struct hr_trust *trust,
                         const char *store, struct hr_arena *arena, const char **ret_text)
{
    uint64_t chance = 0;
    const char *part, *place;
    struct hr_taken t;
    hr_status r = hr_dir_make_safe(&p->env, store);

    p->env.os->random(p->env.os->user, &chance, sizeof chance);
    if (!(part = hr_arena_format(arena, "%s/.installing-%016llx", store,
                                 (unsigned long long)chance)))
        return HR_EXHAUSTED;
    if (r < 0 || (r = hr_package_take(p, file, trust, part, &t)) < 0)
        return r;
    place = hr_arena_format(arena, "%s/%s", store, t.head.digest);
    r = place ? check_plugin(p, &t) : HR_EXHAUSTED;
    if (r == HR_OK)
        r = compare(p, &t, part, arena);
    if (r == HR_OK)
        r = write_installed(p, &t, trust, part);
    if (r == HR_OK)
        r = put_in_place(p, part, place, store);
    hr_tree_remove(&p->env, part);
    if (r == HR_OK)
        *ret_text = hr_arena_format(arena, "%s %s, %s: %s", t.id, t.version, t.policy, place);
    hr_taken_clear(&t);
    return r < 0 ? r : *ret_text ? HR_OK : HR_EXHAUSTED;
}

/* A sentence that is given back. */
static hr_status give(struct hr_project *p, const char *text, const char **ret)
{
    hr_status r;

    hr_buf_cut(&p->text, 0);
    if ((r = hr_buf_text(&p->text, text)) == HR_OK && ret)
        *ret = p->text.text;
    return r;
}

hr_status hr_plugin_install(hr_project *p, const char *file, const char *options,
                            const char **ret_text)
{
    const char **keys = NULL, *text = NULL;
    bool project = false;
    const struct hr_choice choices[] = { { .name = "keys", .list = &keys },
                                         { .name = "project", .flag = &project },
                                         { .name = NULL } };
    char store[HR_MAX_PATH];
    struct hr_arena arena;
    struct hr_trust trust;
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_choices_read(p, options, choices, &arena);
    if (r == HR_OK)
        r = hr_trust_read(p, keys, &arena, &trust);
    if (r == HR_OK)
        r = store_of(p, project, store);
    if (r == HR_OK)
        r = install(p, file, &trust, store, &arena, &text);
    if (r == HR_OK)
        r = give(p, text, ret_text);
    look_again(p);
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}

/* -- removing ------------------------------------------------------------------ */

static hr_status find(struct hr_project *p, const char *what, struct hr_arena *arena,
                      struct entry *ret)
{
    const char *at = strchr(what, '@');
    size_t n = at ? (size_t)(at - what) : strlen(what), count, i, found = 0;
    struct entry *entries;
    const char *list = "";
    hr_status r = entries_of(p, arena, &entries, &count);

    for (i = 0; i < count && r == HR_OK; i++) {
        bool named = is_entry(what) && !strcmp(hr_path_name(entries[i].dir), what);

        if (!named && (strlen(entries[i].id) != n || strncmp(entries[i].id, what, n) != 0 ||
                       (at && strcmp(entries[i].version, at + 1) != 0)))
            continue;
        *ret = entries[i];
        list = hr_arena_format(arena, "%s%s%s in %s", list, found ? ", " : "", entries[i].version,
                               entries[i].dir);
        if (!list)
            return HR_EXHAUSTED;
        found++;
    }
    if (r < 0 || found == 1)
        return r;
    return found ? hr_fail(&p->env, HR_INVALID,
                           "\"%s\" is installed more than once: %s; name a version, as "
                           "\"id@version\", or the directory's name",
                           what, list)
                 : hr_fail(&p->env, HR_NOT_FOUND,
                           "no package of a plugin \"%s\" is installed; \"headrace plugin list\" "
                           "tells what is there",
                           what);
}

hr_status hr_plugin_remove(hr_project *p, const char *what, const char **ret_text)
{
    char store[HR_MAX_PATH];
    const char *away = NULL, *text;
    struct hr_arena arena;
    struct entry entry = { 0 };
    hr_status r;
    int e;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = find(p, what, &arena, &entry);
    if (r == HR_OK) {
        hr_path_dir(entry.dir, store);
        away = hr_arena_format(&arena, "%s/.removing-%s", store, hr_path_name(entry.dir));
        r = away ? hr_tree_remove(&p->env, away) : HR_EXHAUSTED;
    }
    /* It is gone with the rename; what is left of it afterwards counts for nothing. */
    if (r == HR_OK && (e = p->env.os->rename(p->env.os->user, entry.dir, away)) < 0)
        r = hr_fail_os(&p->env, e, "remove", entry.dir);
    if (r == HR_OK)
        r = hr_tree_remove(&p->env, away);
    if (r == HR_OK) {
        text = hr_arena_format(&arena, "%s %s", entry.id, entry.version);
        r = text ? give(p, text, ret_text) : HR_EXHAUSTED;
    }
    look_again(p);
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}

hr_status hr_plugin_rescan(hr_project *p)
{
    hr_status r;

    hr_host_call(p);
    hr_cache_forget_manifests(p->cache);
    look_again(p);
    r = hr_host_catalogue(p);
    return hr_host_done(p, r);
}
