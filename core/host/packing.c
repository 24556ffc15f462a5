#include <string.h>

#include "host/package.h"

hr_status hr_packing_begin(struct hr_project *p, struct hr_arena *arena, const char *kind,
                           const char *id, const char *version, struct hr_packing *ret)
{
    *ret = (struct hr_packing){
        .p = p, .arena = arena, .kind = kind, .id = id, .version = version
    };
    hr_buf_of(&ret->manifest, HR_PACKAGE_MANIFEST, &p->env);
    hr_buf_of(&ret->lineage, HR_LINEAGE_BYTES, &p->env);
    hr_json_begin(&ret->w, &ret->manifest, 2);
    hr_json_open_object(&ret->w);
    hr_json_put_member_int(&ret->w, "headrace_package", HR_PACKAGE_FORMAT);
    hr_json_put_member_text(&ret->w, "kind", kind);
    hr_json_put_member_text(&ret->w, "id", id);
    hr_json_put_member_text(&ret->w, "version", version);
    return HR_OK;
}

void hr_packing_clear(struct hr_packing *k)
{
    if (!k->manifest.text) /* not begun */
        return;
    hr_mem_put(&k->p->env, k->members, k->cap * sizeof *k->members);
    hr_buf_clear(&k->manifest);
    hr_buf_clear(&k->lineage);
}

static hr_status add(struct hr_packing *k, struct hr_pack_member member)
{
    if (!hr_mem_reserve(&k->p->env, (void **)&k->members, &k->cap, k->count + 1,
                        sizeof *k->members, HR_PACKAGE_MEMBERS))
        return HR_EXHAUSTED;
    k->members[k->count++] = member;
    return HR_OK;
}

hr_status hr_packing_file(struct hr_packing *k, const char *from, const char *name)
{
    struct hr_pack_member member = { .name = hr_arena_text(k->arena, name),
                                     .path = hr_arena_text(k->arena, from) };
    uint8_t digest[HR_SHA256_SIZE];

    if (!member.name || !member.path)
        return HR_EXHAUSTED;
    if (k->sealed && hr_cache_known(k->p->cache, &k->p->env, from, digest) &&
        !(member.digest = (const uint8_t *)hr_arena_bytes(k->arena, digest, sizeof digest)))
        return HR_EXHAUSTED;
    return add(k, member);
}

hr_status hr_packing_tree(struct hr_packing *k, const char *from, const char *path)
{
    struct hr_names names = { 0 };
    const char *name, *file;
    enum hr_at at;
    hr_status r = hr_look_at(&k->p->env, from, &at);
    size_t i;

    if (r < 0)
        return r;
    if (at != HR_AT_DIR) {
        name = hr_arena_format(k->arena, "%s%s", path, hr_path_name(from));
        return name ? hr_packing_file(k, from, name) : HR_EXHAUSTED;
    }
    r = hr_tree_list(&k->p->env, from, &names);
    for (i = 0; i < names.count && r == HR_OK; i++) {
        name = hr_arena_format(k->arena, "%s%s", path, names.names[i]);
        file = hr_arena_format(k->arena, "%s/%s", from, names.names[i]);
        r = name && file ? hr_packing_file(k, file, name) : HR_EXHAUSTED;
    }
    hr_names_clear(&k->p->env, &names);
    return r;
}

hr_status hr_packing_plain(struct hr_packing *k, const char *from, const char *path)
{
    char digest[HR_SHA256_HEX];
    hr_status r = hr_packing_tree(k, from, path);

    if (r == HR_OK)
        r = hr_artifact_digest(&k->p->env, NULL, from, digest);
    if (r < 0)
        return r;
    hr_json_open_object(&k->w);
    hr_json_put_member_text(&k->w, "path", path);
    hr_json_put_member_text(&k->w, "digest", digest);
    hr_json_close_object(&k->w);
    return HR_OK;
}

hr_status hr_packing_end(struct hr_packing *k, const struct hr_signing *sign, const char *file)
{
    const struct hr_registry_1 *registry;
    struct hr_pack what = { .secret = sign->secret,
                            .passphrase = sign->passphrase,
                            .signature = sign->signature,
                            .ahead = k->p->ahead };
    hr_status r;

    hr_json_close_object(&k->w);
    r = hr_json_end(&k->w);
    if (r < 0)
        return hr_fail(&k->p->env, r, "the manifest of \"%s\" is too large", file);
    what.comment = sign->comment ? sign->comment
                                 : hr_arena_format(k->arena, "headrace %s %s %s", k->kind, k->id,
                                                   k->version);
    if (!what.comment)
        return HR_EXHAUSTED;
    r = add(k, (struct hr_pack_member){ .name = "manifest.json",
                                        .bytes = k->manifest.text,
                                        .size = k->manifest.len });
    what.members = k->members;
    what.count = k->count;
    if (r == HR_OK)
        r = hr_host_registry(k->p, &registry);
    return r < 0 ? r : registry->pack(&k->p->env, &what, file);
}
