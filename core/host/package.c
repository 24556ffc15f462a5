/* The calls of headrace.h about packages. */
#include <string.h>

#include "host/package.h"

#if defined(__x86_64__)
#define PLATFORM "linux-x86_64"
#elif defined(__aarch64__)
#define PLATFORM "linux-aarch64"
#else
#define PLATFORM "linux-other"
#endif

const char *hr_host_platform(void)
{
    return PLATFORM;
}

struct pack_options {
    const char *kind, *id, *version, *out, *key, *passphrase, *comment, *signature, *doc;
};

static hr_status read_signing(struct hr_project *p, const struct pack_options *o,
                              struct hr_arena *arena, struct hr_signing *ret)
{
    hr_status r = HR_OK;

    *ret = (struct hr_signing){ .passphrase = o->passphrase, .comment = o->comment };
    if (o->key && o->signature)
        return hr_fail(&p->env, HR_INVALID, "a key or a signature is given, not both");
    if (o->key && (r = hr_host_text(p, o->key, 4096, arena, &ret->secret)) == HR_OK &&
        strlen(ret->secret) < 100)
        r = hr_fail(&p->env, HR_INVALID, "\"%s\" is no secret key of minisign", o->key);
    if (r == HR_OK && o->signature)
        r = hr_host_text(p, o->signature, HR_PACKAGE_SIGNATURE, arena, &ret->signature);
    return r;
}

/* Also used for what the registry publishes: the key of trust.json. */
hr_status hr_signing_of(struct hr_project *p, const struct hr_trust *trust,
                        struct hr_arena *arena, struct hr_signing *ret)
{
    const struct pack_options o = { .key = trust->sign_with };

    return read_signing(p, &o, arena, ret);
}

/* -- packing ------------------------------------------------------------------- */

static hr_status begin(struct hr_project *p, struct hr_arena *arena, const char *kind,
                       const char *id, const char *version, const struct pack_options *o,
                       struct hr_packing *k)
{
    return hr_packing_begin(p, arena, kind, o->id ? o->id : id,
                            o->version ? o->version : version, k);
}

/* The .so is packed under one name whatever it is called here, so the digest is of a directory that
 * is made for it. */
static hr_status pack_shared_object(struct hr_project *p, const char *so,
                                    const struct hr_buf *manifest, struct hr_arena *arena,
                                    struct hr_packing *k)
{
    char dir[HR_MAX_PATH], path[HR_MAX_PATH];
    hr_status r = hr_host_private_dir(p, dir);

    if (r < 0)
        return r;
    k->scratch = hr_arena_text(arena, dir);
    if ((r = hr_path_join(&p->env, dir, "plugin.json", path)) == HR_OK)
        r = hr_file_put(&p->env, path, manifest->text, manifest->len);
    if (r == HR_OK && (r = hr_path_join(&p->env, dir, "plugin.so", path)) == HR_OK)
        r = hr_host_copy(p, so, path);
    return r < 0 ? r : hr_packing_plain(k, dir, PLATFORM "/");
}

/* What the package's manifest says of it, and its files. */
static hr_status pack_content(struct hr_project *p, const char *so, const struct hr_buf *manifest,
                              const struct pack_options *o, struct hr_arena *arena,
                              struct hr_packing *k)
{
    char *json = hr_arena_bytes(arena, manifest->text, manifest->len); /* until k is written */
    hr_status r;

    if (!json)
        return HR_EXHAUSTED;
    hr_json_put_key(&k->w, "platforms");
    hr_json_open_array(&k->w);
    hr_json_put_text(&k->w, PLATFORM);
    hr_json_close_array(&k->w);
    hr_json_put_key(&k->w, "content");
    hr_json_open_array(&k->w);
    r = pack_shared_object(p, so, manifest, arena, k);
    if (r == HR_OK && o->doc)
        r = hr_packing_plain(k, o->doc, "doc/");
    hr_json_close_array(&k->w);
    hr_json_put_key(&k->w, "plugin");
    hr_json_put_raw(&k->w, json, strlen(json));
    return r;
}

static hr_status pack_plugin(struct hr_project *p, const char *so, const struct pack_options *o,
                             struct hr_arena *arena, struct hr_packing *k)
{
    const char *worker = p->worker ? p->worker : p->where.worker;
    struct hr_plugin_info info;
    struct hr_buf text;
    hr_status r;

    hr_buf_of(&text, HR_PACKAGE_MANIFEST / 2, &p->env);
    r = hr_process_manifest(&p->env, worker, so, &text);
    if (r == HR_OK)
        r = hr_manifest_read(&p->env, so, text.text, arena, &info);
    if (r < 0)
        hr_fail(&p->env, r, "\"%s\" cannot be packed as a plugin", so);
    if (r == HR_OK)
        r = begin(p, arena, "plugin", info.id, info.version, &(struct pack_options){ 0 }, k);
    if (r == HR_OK)
        r = pack_content(p, so, &text, o, arena, k);
    hr_buf_clear(&text);
    return r;
}

static hr_status pack_dir(struct hr_project *p, const char *dir, const struct pack_options *o,
                          struct hr_arena *arena, struct hr_packing *k)
{
    char full[HR_MAX_PATH], model[HR_MAX_PATH];
    const char *kind = o->kind;
    hr_status r;
    int e = p->env.os->realpath(p->env.os->user, dir, full);

    if (e < 0)
        return hr_fail_os(&p->env, e, "open", dir);
    if ((r = hr_path_join(&p->env, full, "model.json", model)) < 0)
        return r;
    if (!kind)
        kind = hr_file_exists(&p->env, model) ? "model" : "artifacts";
    if (strcmp(kind, "model") != 0 && strcmp(kind, "artifacts") != 0)
        return hr_fail(&p->env, HR_INVALID, "a directory is packed as \"model\" or \"artifacts\"");
    r = begin(p, arena, kind, hr_path_name(full), "1", o, k);
    hr_json_put_key(&k->w, "content");
    hr_json_open_array(&k->w);
    if (r == HR_OK)
        r = hr_packing_plain(k, full, strcmp(kind, "model") ? "artifacts/1/" : HR_MODEL_PATH);
    hr_json_close_array(&k->w);
    return r;
}

static hr_status pack_stored(struct hr_project *p, const char *what, const struct pack_options *o,
                             struct hr_arena *arena, struct hr_packing *k)
{
    struct hr_meta_node node;
    int64_t id = 0;
    hr_status r = hr_host_need(p);

    if (r < 0)
        return r;
    if (hr_text_starts(what, "artifact ") && hr_num_int(what + 9, strlen(what + 9), &id)) {
        const char *version = hr_arena_text(arena, what + 9), *name;

        r = hr_store_get(p->store, HR_KIND_ARTIFACT, id, arena, &node);
        if (r == HR_NOT_FOUND)
            return hr_fail(&p->env, r, "there is no %s", what);
        name = r == HR_OK ? node.type : "";
        if (r == HR_OK)
            r = begin(p, arena, "artifacts", name, version, o, k);
        return r < 0 ? r : hr_packing_artifact(k, &node, "artifacts/1/");
    }
    if ((r = hr_model_find(p, what, arena, &node)) == HR_NOT_FOUND)
        return hr_fail(&p->env, r,
                       "\"%s\" is no file ending in .so, no directory, no \"artifact N\" and no "
                       "model of the registry",
                       what);
    if (r == HR_OK)
        r = begin(p, arena, "model", hr_meta_text(&node, "model_name"),
                  hr_meta_text(&node, "pushed_version"), o, k);
    return r < 0 ? r : hr_packing_artifact(k, &node, HR_MODEL_PATH);
}

hr_status hr_package_pack(hr_project *p, const char *what, const char *options,
                          const char **ret_file)
{
    struct pack_options o = { 0 };
    const struct hr_choice settings[] = {
        { .name = "kind", .text = &o.kind },       { .name = "id", .text = &o.id },
        { .name = "version", .text = &o.version }, { .name = "out", .text = &o.out },
        { .name = "key", .text = &o.key },         { .name = "passphrase", .text = &o.passphrase },
        { .name = "comment", .text = &o.comment }, { .name = "doc", .text = &o.doc },
        { .name = NULL },
    };
    struct hr_packing k = { .p = p };
    struct hr_signing sign = { 0 };
    struct hr_arena arena;
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_choices_read(p, options, settings, &arena);
    if (r == HR_OK)
        r = read_signing(p, &o, &arena, &sign);
    if (r < 0)
        ;
    else if (hr_text_ends(what, ".so") && !hr_dir_exists(&p->env, what))
        r = pack_plugin(p, what, &o, &arena, &k);
    else if (hr_dir_exists(&p->env, what))
        r = pack_dir(p, what, &o, &arena, &k);
    else
        r = pack_stored(p, what, &o, &arena, &k);
    if (r == HR_OK && !o.out &&
        !(o.out = hr_arena_format(&arena, "%s-%s.hrp", k.id, k.version)))
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = hr_buf_text(&p->text, o.out); /* room first: what is made is told */
    if (r == HR_OK)
        r = hr_packing_end(&k, &sign, o.out);
    if (r == HR_OK) {
        hr_buf_cut(&p->text, 0);
        if ((r = hr_buf_text(&p->text, o.out)) == HR_OK)
            *ret_file = p->text.text;
    }
    if (k.scratch)
        hr_tree_remove(&p->env, k.scratch);
    hr_packing_clear(&k);
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}

/* -- signing ------------------------------------------------------------------- */

/* All files of an unpacked package, packed again: equal bytes but for the signature. */
static hr_status pack_again(struct hr_project *p, const struct hr_taken *t, const char *dir,
                            const struct hr_signing *sign, const char *file)
{
    const struct hr_registry_1 *registry;
    struct hr_packing k = { .p = p };
    struct hr_pack what = { .secret = sign->secret,
                            .passphrase = sign->passphrase,
                            .signature = sign->signature };
    struct hr_arena arena;
    hr_status r;

    hr_arena_init(&arena, &p->env, 0);
    k.arena = &arena;
    r = hr_host_registry(p, &registry);
    if (r == HR_OK)
        r = hr_packing_tree(&k, dir, "");
    what.comment = sign->comment ? sign->comment
                                 : hr_arena_format(&arena, "headrace %s %s %s", t->kind, t->id,
                                                   t->version);
    what.members = k.members;
    what.count = k.count;
    if (r == HR_OK)
        r = registry->pack(&p->env, &what, file);
    hr_mem_put(&p->env, k.members, k.cap * sizeof *k.members);
    hr_arena_clear(&arena);
    return r;
}

hr_status hr_package_sign(hr_project *p, const char *file, const char *options)
{
    struct pack_options o = { 0 };
    const struct hr_choice settings[] = {
        { .name = "key", .text = &o.key },
        { .name = "passphrase", .text = &o.passphrase },
        { .name = "comment", .text = &o.comment },
        { .name = "signature", .text = &o.signature },
        { .name = NULL },
    };
    const struct hr_trust all = { .without = HR_UNSIGNED_ALLOW };
    struct hr_signing sign = { 0 };
    struct hr_taken taken;
    struct hr_arena arena;
    const char *dir;
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = hr_choices_read(p, options, settings, &arena);
    if (r == HR_OK && !o.key && !o.signature)
        r = hr_fail(&p->env, HR_INVALID,
                    "a key to sign with is missing: name one with --key, or a signature");
    if (r == HR_OK)
        r = read_signing(p, &o, &arena, &sign);
    dir = hr_arena_format(&arena, "%s.signing~", file);
    if (r == HR_OK && !dir)
        r = HR_EXHAUSTED;
    if (r == HR_OK)
        r = hr_tree_remove(&p->env, dir);
    if (r == HR_OK && (r = hr_package_take(p, file, &all, dir, &taken)) == HR_OK) {
        r = pack_again(p, &taken, dir, &sign, file);
        hr_taken_clear(&taken);
        hr_tree_remove(&p->env, dir);
    }
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}

/* -- looking ------------------------------------------------------------------- */

static void put_member(struct hr_json_writer *w, const struct hr_member *m)
{
    char hex[HR_SHA256_HEX];

    hr_sha256_hex(m->digest, hex);
    hr_json_open_object(w);
    hr_json_put_member_text(w, "name", m->name);
    hr_json_put_member_int(w, "size", (int64_t)m->size);
    hr_json_put_member_text(w, "digest", hex);
    hr_json_close_object(w);
}

static hr_status report(struct hr_project *p, const struct hr_taken *t)
{
    static const char *const states[] = { "none", "unknown", "trusted" };
    const struct hr_package_head *head = &t->head;
    struct hr_json_writer w;
    size_t i;

    hr_buf_cut(&p->text, 0);
    hr_json_begin(&w, &p->text, 0);
    hr_json_open_object(&w);
    hr_json_put_member_text(&w, "file", t->file);
    hr_json_put_member_text(&w, "kind", t->kind);
    hr_json_put_member_text(&w, "id", t->id);
    hr_json_put_member_text(&w, "version", t->version);
    hr_json_put_member_text(&w, "digest", head->digest);
    hr_json_put_member_int(&w, "members", (int64_t)head->count);
    hr_json_put_member_int(&w, "bytes", (int64_t)head->size);
    hr_json_put_member_text(&w, "signature", states[head->state]);
    if (head->key[0])
        hr_json_put_member_text(&w, "key", head->key);
    if (head->signer)
        hr_json_put_member_text(&w, "signer", head->signer);
    if (head->comment)
        hr_json_put_member_text(&w, "comment", head->comment);
    hr_json_put_member_text(&w, "policy", t->policy);
    hr_json_put_key(&w, "manifest");
    hr_json_put_value(&w, t->manifest, hr_json_root(t->manifest), false);
    hr_json_put_key(&w, "lineage");
    if (t->lineage)
        hr_json_put_value(&w, t->lineage, hr_json_root(t->lineage), false);
    else
        hr_json_put_null(&w);
    hr_json_put_key(&w, "files");
    hr_json_open_array(&w);
    for (i = 0; i < head->count; i++)
        put_member(&w, &head->members[i]);
    hr_json_close_array(&w);
    hr_json_close_object(&w);
    return hr_json_end(&w);
}

static hr_status read_trust(struct hr_project *p, const char *options, struct hr_arena *arena,
                            struct hr_trust *ret)
{
    const char **keys = NULL;
    bool any = false;
    const struct hr_choice settings[] = { { .name = "keys", .list = &keys },
                                           { .name = "any_signer", .flag = &any },
                                           { .name = NULL } };
    hr_status r = hr_choices_read(p, options, settings, arena);

    if (r == HR_OK)
        r = hr_trust_read(p, keys, arena, ret);
    if (any)
        ret->without = HR_UNSIGNED_ALLOW;
    return r;
}

static hr_status look(hr_project *p, const char *file, const char *dir, const char *options,
                      const char **ret_json)
{
    struct hr_arena arena;
    struct hr_taken taken;
    struct hr_trust trust;
    hr_status r;

    hr_host_call(p);
    hr_arena_init(&arena, &p->env, 0);
    r = read_trust(p, options, &arena, &trust);
    if (r == HR_OK && (r = hr_package_take(p, file, &trust, dir, &taken)) == HR_OK) {
        r = report(p, &taken);
        hr_taken_clear(&taken);
    }
    if (r == HR_OK)
        *ret_json = p->text.text;
    hr_arena_clear(&arena);
    return hr_host_done(p, r);
}

hr_status hr_package_verify(hr_project *p, const char *file, const char *options,
                            const char **ret_json)
{
    return look(p, file, NULL, options, ret_json);
}

hr_status hr_package_unpack(hr_project *p, const char *file, const char *dir, const char *options,
                            const char **ret_json)
{
    return look(p, file, dir, options, ret_json);
}

/* -- keys ---------------------------------------------------------------------- */

hr_status hr_key_make(hr_project *p, const char *path, const char *passphrase,
                      const char **ret_key)
{
    const struct hr_registry_1 *registry;
    char secret[HR_KEY_TEXT] = "", text[HR_KEY_TEXT], public_path[HR_MAX_PATH], id[17], line[64];
    size_t n = strlen(path);
    hr_status r;

    hr_host_call(p);
    r = hr_host_registry(p, &registry);
    if (r == HR_OK && (!hr_text_ends(path, ".key") || n + 1 > sizeof public_path))
        r = hr_fail(&p->env, HR_INVALID,
                    "\"%s\" has to end in .key; the public key is written beside it as .pub", path);
    if (r == HR_OK) {
        memcpy(public_path, path, n - 3);
        memcpy(public_path + n - 3, "pub", 4);
        if (hr_file_exists(&p->env, path) || hr_file_exists(&p->env, public_path))
            r = hr_fail(&p->env, HR_EXISTS, "\"%s\" or its .pub is there already", path);
    }
    if (r == HR_OK)
        r = registry->key_make(&p->env, passphrase, secret, text);
    if (r == HR_OK)
        r = hr_host_secret(p, path, secret, strlen(secret));
    if (r == HR_OK)
        r = hr_file_write(&p->env, public_path, text, strlen(text));
    if (r == HR_OK)
        r = registry->key_read(&p->env, public_path, text, id, line);
    if (r == HR_OK) {
        hr_buf_cut(&p->text, 0);
        r = hr_buf_text(&p->text, line);
    }
    if (r == HR_OK)
        *ret_key = p->text.text;
    explicit_bzero(secret, sizeof secret);
    return hr_host_done(p, r);
}
