/* Reading a package: what is wanted of it is kept aside until all of it is verified. */
#include <errno.h>
#include <string.h>

#include "host/package.h"

#define OS(env, call, ...) (env)->os->call((env)->os->user, __VA_ARGS__)

struct taking {
    struct hr_project *p;
    const struct hr_trust *trust;
    struct hr_taken *t;
    struct hr_buf manifest, lineage, *text; /* text: where the member goes; NULL: nowhere */
    const char *dir;                        /* where files are written; NULL: nowhere */
    struct hr_out *out;
};

static hr_status copy_head(struct hr_taken *t, const struct hr_package_head *head)
{
    struct hr_member *members = hr_arena_array(&t->arena, head->count + 1, sizeof *members);
    size_t i;

    if (!members)
        return HR_EXHAUSTED;
    for (i = 0; i < head->count; i++) {
        members[i] = head->members[i];
        if (!(members[i].name = hr_arena_text(&t->arena, head->members[i].name)))
            return HR_EXHAUSTED;
    }
    t->head = *head;
    t->head.members = members;
    t->head.signer = head->signer ? hr_arena_text(&t->arena, head->signer) : NULL;
    t->head.comment = head->comment ? hr_arena_text(&t->arena, head->comment) : NULL;
    return HR_OK;
}

static hr_status begin(void *user, const struct hr_package_head *head)
{
    struct taking *k = user;
    hr_status r = copy_head(k->t, head);

    return r < 0 ? r
                 : hr_trust_judge(k->p, k->trust, k->t->file, &k->t->head, &k->t->arena,
                                  &k->t->policy);
}

static hr_status member(void *user, const struct hr_member *m)
{
    struct taking *k = user;
    char path[HR_MAX_PATH], dir[HR_MAX_PATH];
    hr_status r;

    k->text = !strcmp(m->name, "manifest.json")  ? &k->manifest
              : !strcmp(m->name, "lineage.json") ? &k->lineage
                                                 : NULL;
    if (k->text && m->size > k->text->max)
        return hr_fail(&k->p->env, HR_DATA_LOSS, "\"%s\": %s is too large", k->t->file, m->name);
    if (!k->dir)
        return HR_OK;
    if ((r = hr_path_join(&k->p->env, k->dir, m->name, path)) < 0)
        return r;
    hr_path_dir(path, dir);
    if ((r = hr_dir_make(&k->p->env, dir)) < 0)
        return r;
    return hr_out_open(&k->p->env, path, &k->out);
}

static hr_status bytes(void *user, const void *p, size_t n)
{
    struct taking *k = user;

    if (k->text && hr_buf_add(k->text, p, n) < 0)
        return hr_fail_memory(&k->p->env);
    return k->out ? hr_out_add(k->out, p, n) : HR_OK;
}

static hr_status end(void *user, const struct hr_member *m)
{
    struct taking *k = user;
    struct hr_out *out = k->out;

    (void)m;
    k->out = NULL;
    return out ? hr_out_close(out, true) : HR_OK;
}

/* -- what it says of itself --------------------------------------------------- */

static hr_status wrong(struct hr_project *p, const char *file, const char *what)
{
    return hr_fail(&p->env, HR_DATA_LOSS, "\"%s\": manifest.json %s", file, what);
}

bool hr_plain_name(const char *text)
{
    const char *c;

    for (c = text; c && *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              strchr("._-+", *c)))
            return false;
    return text && *text && c - text < 128 && *text != '.' && *text != '-';
}

static hr_status parse(struct taking *k)
{
    struct hr_taken *t = k->t;
    const struct hr_json *root;
    int64_t format = 0;
    hr_status r = hr_json_parse(&k->p->env, "manifest.json", k->manifest.text, k->manifest.len, 0,
                                &t->manifest);

    if (r < 0)
        return wrong(k->p, t->file, "cannot be read");
    root = hr_json_root(t->manifest);
    if (!hr_json_int(t->manifest, hr_json_get(root, "headrace_package"), &format) || format < 1)
        return wrong(k->p, t->file, "does not say \"headrace_package\": 1");
    if (format > HR_PACKAGE_FORMAT)
        return hr_fail(&k->p->env, HR_PRECONDITION,
                       "\"%s\" is a package of format %lld, made for a newer headrace; this one "
                       "(%s) reads format %d",
                       t->file, (long long)format, HR_VERSION_TEXT, HR_PACKAGE_FORMAT);
    t->kind = hr_json_text(hr_json_get(root, "kind"));
    t->id = hr_json_text(hr_json_get(root, "id"));
    t->version = hr_json_text(hr_json_get(root, "version"));
    if (!hr_text_eq(t->kind, "plugin") && !hr_text_eq(t->kind, "model") &&
        !hr_text_eq(t->kind, "artifacts"))
        return wrong(k->p, t->file, "has a kind that is none of plugin, model and artifacts");
    if (!hr_plain_name(t->id) || !hr_plain_name(t->version))
        return wrong(k->p, t->file, "has no id or version of letters, digits, \".\" and \"-\"");
    if (!(t->manifest_text = hr_arena_bytes(&t->arena, k->manifest.text, k->manifest.len)))
        return HR_EXHAUSTED;
    if (k->lineage.len && hr_json_parse(&k->p->env, "lineage.json", k->lineage.text,
                                        k->lineage.len, 0, &t->lineage) < 0)
        return hr_fail(&k->p->env, HR_DATA_LOSS, "\"%s\": lineage.json cannot be read", t->file);
    return HR_OK;
}

/* -- into a directory --------------------------------------------------------- */

hr_status hr_place_make(struct hr_project *p, const char *dir, char part[HR_MAX_PATH])
{
    char above[HR_MAX_PATH];
    hr_status r;
    int e;

    if (hr_file_exists(&p->env, dir))
        return hr_fail(&p->env, HR_EXISTS, "\"%s\" is there already; name another directory", dir);
    hr_path_dir(dir, above);
    if ((r = hr_dir_make_safe(&p->env, above)) < 0)
        return r;
    if ((r = hr_path_part(&p->env, dir, part)) < 0)
        return r;
    e = OS(&p->env, mkdir, part, 0700); /* nobody else looks in before it is verified */
    return e < 0 ? hr_fail_os(&p->env, e, "make the directory", part) : HR_OK;
}

hr_status hr_place_settle(struct hr_project *p, const char *part, const char *dir)
{
    char above[HR_MAX_PATH];
    hr_status r = hr_tree_sync(&p->env, part);
    int e;

    if (r < 0)
        return r;
    if ((e = OS(&p->env, chmod, part, 0755)) == 0)
        e = OS(&p->env, rename, part, dir);
    if (e < 0)
        return hr_fail_os(&p->env, e, "rename to", dir);
    hr_path_dir(dir, above);
    return hr_dir_sync(&p->env, above);
}

hr_status hr_package_take(struct hr_project *p, const char *file, const struct hr_trust *trust,
                          const char *dir, struct hr_taken *ret)
{
    struct taking k = { .p = p, .trust = trust, .t = ret };
    const struct hr_package_visit visit = { &k, begin, member, bytes, end };
    const struct hr_registry_1 *registry;
    char part[HR_MAX_PATH] = "";
    hr_status r;

    *ret = (struct hr_taken){ .file = file };
    hr_arena_init(&ret->arena, &p->env, 0);
    hr_buf_of(&k.manifest, HR_PACKAGE_MANIFEST, &p->env);
    hr_buf_of(&k.lineage, HR_LINEAGE_BYTES, &p->env);
    r = hr_host_registry(p, &registry);
    if (r == HR_OK && dir) {
        r = hr_place_make(p, dir, part);
        k.dir = r == HR_OK ? part : NULL;
    }
    if (r == HR_OK)
        r = registry->read(&p->env, file, trust->keys, trust->count, &visit);
    hr_out_drop(k.out);
    if (r == HR_OK)
        r = parse(&k);
    if (r == HR_OK)
        r = hr_package_check(p, ret);
    if (r == HR_OK && dir)
        r = hr_place_settle(p, part, dir);
    if (r < 0 && k.dir)
        hr_tree_remove(&p->env, part);
    hr_buf_clear(&k.manifest);
    hr_buf_clear(&k.lineage);
    if (r < 0)
        hr_taken_clear(ret);
    return r;
}

void hr_taken_clear(struct hr_taken *t)
{
    hr_json_free(t->manifest);
    hr_json_free(t->lineage);
    hr_arena_clear(&t->arena);
    *t = (struct hr_taken){ 0 };
}
