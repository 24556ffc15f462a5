/* Models that are loaded: found, verified, unpacked, and shared by all handles on one version. */
#include <string.h>

#include "host/models.h"
#include "host/package.h"
#include "plugin/worker/worker.h"

struct hr_loaded {
    struct hr_resident *resident;
    char key[80];    /* what it is: an artifact, or the digest of a package; "": a directory */
    char *signature; /* NULL: the default */
    char *scratch;   /* where its package was unpacked, removed with it; NULL: none */
    size_t users;
    struct hr_loaded *next;
};

/* Verify a package and unpack it where nobody else looks; nothing of it is read before. */
static hr_status unpack(struct hr_project *p, struct hr_loaded *m, const char *file, char *ret)
{
    char dir[HR_MAX_PATH];
    struct hr_taken taken;
    struct hr_trust trust;
    struct hr_arena arena;
    hr_status r;

    hr_arena_init(&arena, &p->env, 0);
    r = hr_trust_read(p, NULL, &arena, &trust);
    if (r == HR_OK)
        r = hr_host_private_dir(p, dir);
    if (r == HR_OK && !(m->scratch = hr_mem_text(&p->env, dir))) {
        hr_tree_remove(&p->env, dir);
        r = HR_EXHAUSTED;
    }
    if (r == HR_OK)
        r = hr_path_join(&p->env, m->scratch, "package", dir);
    if (r == HR_OK && (r = hr_package_take(p, file, &trust, dir, &taken)) == HR_OK) {
        if (strcmp(taken.kind, "model") != 0)
            r = hr_fail(&p->env, HR_INVALID, "\"%s\" is a package of kind \"%s\", no model",
                        file, taken.kind);
        memcpy(m->key, taken.head.digest, sizeof taken.head.digest);
        hr_taken_clear(&taken);
    }
    hr_arena_clear(&arena);
    return r < 0 ? r : hr_path_join(&p->env, dir, "model", ret);
}

/* A directory as it is named, or a package; else a model of the project, as it was pushed. */
static hr_status find_dir(struct hr_project *p, struct hr_loaded *m, const char *where, char *ret)
{
    char dir[HR_MAX_PATH];
    struct hr_meta_node node;
    struct hr_arena arena;
    hr_status r;

    if (hr_dir_exists(&p->env, where)) {
        int e = p->env.os->realpath(p->env.os->user, where, ret);

        return e < 0 ? hr_fail_os(&p->env, e, "open", where) : HR_OK;
    }
    if (hr_text_ends(where, ".hrp"))
        return unpack(p, m, where, ret);
    if (!p->opened)
        return hr_fail(&p->env, HR_NOT_FOUND,
                       "\"%s\" is no directory and no package, and no project is open whose "
                       "model it could be",
                       where);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_model_find(p, where, &arena, &node);
    if (r == HR_OK) {
        memcpy(m->key, "artifact ", 9);
        hr_num_put_int(m->key + 9, node.id);
        r = hr_path_join(&p->env, node.uri, "", ret);
    }
    if (r == HR_OK && !hr_dir_exists(&p->env, ret) &&
        (r = hr_model_package(p, &node, dir)) == HR_OK)
        r = hr_file_exists(&p->env, dir)
                ? unpack(p, m, dir, ret)
                : hr_fail(&p->env, HR_PRECONDITION, "the files of \"%s\" are gone: \"%s\"", where,
                          node.uri);
    hr_arena_clear(&arena);
    if (r == HR_NOT_FOUND)
        hr_fail(&p->env, r, "there is no model \"%s\"; \"headrace model list\" lists them", where);
    return r;
}

/* model.json says which format it is, by a number: "headrace/1". */
static hr_status read_format(struct hr_project *p, const char *dir, char ret[32])
{
    char path[HR_MAX_PATH];
    struct hr_json_doc *doc;
    struct hr_buf text;
    int64_t format = 0;
    hr_status r = hr_path_join(&p->env, dir, "model.json", path);

    if (r < 0)
        return r;
    hr_buf_of(&text, HR_MAX_JSON_BYTES, &p->env);
    r = hr_file_read(&p->env, path, HR_MAX_JSON_BYTES, &text);
    if (r == HR_OK)
        r = hr_json_parse(&p->env, path, text.text, text.len, 0, &doc);
    if (r == HR_OK) {
        if (!hr_json_int(doc, hr_json_get(hr_json_root(doc), "format"), &format))
            r = hr_fail(&p->env, HR_DATA_LOSS, "\"%s\" does not say its format", path);
        hr_json_free(doc);
    }
    hr_buf_clear(&text);
    memcpy(ret, "headrace/", 9);
    hr_num_put_int(ret + 9, format);
    return r;
}

static hr_status load(struct hr_project *p, const char *dir, struct hr_loaded *m)
{
    const struct hr_component_info *component;
    char format[32];
    hr_status r = read_format(p, dir, format);

    if (r == HR_OK)
        r = hr_host_catalogue(p);
    if (r == HR_OK)
        r = hr_catalogue_model(p->catalogue, NULL, format, NULL, &component);
    if (r == HR_OK)
        r = hr_resident_open(&p->env, component, dir, format, m->signature, &m->resident);
    return r;
}

static void drop(struct hr_project *p, struct hr_loaded *m)
{
    hr_resident_close(m->resident);
    if (m->scratch)
        hr_tree_remove(&p->env, m->scratch);
    hr_mem_text_put(&p->env, m->scratch);
    hr_mem_text_put(&p->env, m->signature);
    hr_mem_put(&p->env, m, sizeof *m);
}

/* The same, loaded already.  What lies in a directory that was named may change, so that is
 * loaded each time. */
static struct hr_loaded *loaded_already(struct hr_project *p, const struct hr_loaded *m)
{
    struct hr_loaded *other;

    for (other = m->key[0] ? p->loaded : NULL; other; other = other->next)
        if (!strcmp(other->key, m->key) && hr_text_eq(other->signature, m->signature))
            return other;
    return NULL;
}

hr_status hr_loaded_open(struct hr_project *p, const char *where, const char *signature,
                         struct hr_loaded **ret, struct hr_resident **ret_resident)
{
    struct hr_loaded *m = hr_mem_zero(&p->env, sizeof *m), *other;
    char dir[HR_MAX_PATH];
    hr_status r = m ? HR_OK : HR_EXHAUSTED;

    if (r == HR_OK && signature && !(m->signature = hr_mem_text(&p->env, signature)))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = find_dir(p, m, where, dir);
    if (r == HR_OK && (other = loaded_already(p, m))) {
        drop(p, m);
        m = other;
    } else if (r == HR_OK && (r = load(p, dir, m)) == HR_OK) {
        m->next = p->loaded;
        p->loaded = m;
    }
    if (r == HR_OK) {
        m->users++;
        if ((r = hr_resident_borrow(&p->env, m->resident, ret_resident)) < 0)
            hr_loaded_close(p, m);
        else
            *ret = m;
    } else if (m) {
        drop(p, m);
    }
    return r;
}

void hr_loaded_close(struct hr_project *p, struct hr_loaded *m)
{
    struct hr_loaded **at;

    if (!m || --m->users)
        return;
    for (at = &p->loaded; *at != m; at = &(*at)->next)
        ;
    *at = m->next;
    drop(p, m);
}
