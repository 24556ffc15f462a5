/* What follows a publication: a model that was pushed is packed into the registry.
 *
 * Packing needs libarchive, which is slow to load; so it lies in a shared object of its own,
 * loaded here when the first model is packed.
 */
#include <dlfcn.h>
#include <string.h>

#include "host/host.h"
#include "registry/registry.h"

static hr_status load_registry(struct hr_project *p, const struct hr_registry_1 **ret)
{
    void *so = dlopen(p->where.registry, RTLD_NOW | RTLD_LOCAL);

    if (!so)
        return hr_fail(&p->env, HR_NOT_FOUND, "the registry cannot be loaded: %s", dlerror());
    *ret = dlsym(so, "hr_registry_v1");
    return *ret ? HR_OK
                : hr_fail(&p->env, HR_INVALID, "\"%s\" is not the registry", p->where.registry);
}

/* What the package says of itself: who made it, from what, and which gate it passed. */
static hr_status write_manifest(struct hr_project *p, const struct hr_meta_node *pushed,
                                const struct hr_meta_node *execution, struct hr_buf *to)
{
    struct hr_json_writer w;
    struct hr_arena arena;
    struct hr_home home;
    hr_status r;

    hr_arena_init(&arena, &p->env, 0);
    r = hr_home_of(p, HR_KIND_EXECUTION, execution->id, &arena, &home);
    hr_json_begin(&w, to, 2);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "headrace_package", 1);
    hr_json_put_member_text(&w, "kind", "model");
    hr_json_put_member_text(&w, "id", hr_meta_text(pushed, "model_name"));
    hr_json_put_member_text(&w, "version", hr_meta_text(pushed, "pushed_version"));
    hr_json_put_member_text(&w, "digest", hr_meta_text(pushed, "__digest"));
    if (home.pipeline)
        hr_json_put_member_text(&w, "pipeline", home.pipeline);
    hr_json_close_object(&w);
    hr_arena_clear(&arena);
    return r < 0 ? r : hr_json_end(&w);
}

static hr_status pack(struct hr_project *p, const struct hr_meta_node *pushed,
                      const struct hr_meta_node *execution, struct hr_arena *arena,
                      const char **ret_text)
{
    const char *name = hr_meta_text(pushed, "model_name");
    const char *version = hr_meta_text(pushed, "pushed_version");
    const struct hr_registry_1 *registry = NULL;
    char dir[HR_MAX_PATH];
    const char *file;
    struct hr_buf manifest;
    hr_status r = load_registry(p, &registry);

    if (r < 0 || !name || !version)
        return r;
    if ((r = hr_path_join(&p->env, p->paths.registry, "models", dir)) < 0 ||
        (r = hr_path_join(&p->env, dir, name, dir)) < 0 || (r = hr_dir_make(&p->env, dir)) < 0)
        return r;
    if (!(file = hr_arena_format(arena, "%s/%s-%s.hrp", dir, name, version)))
        return HR_EXHAUSTED;
    hr_buf_of(&manifest, HR_MAX_JSON_BYTES, &p->env);
    r = write_manifest(p, pushed, execution, &manifest);
    if (r == HR_OK)
        r = registry->pack(&p->env, pushed->uri, manifest.text, manifest.len, file);
    hr_buf_clear(&manifest);
    *ret_text = hr_arena_format(arena, "registry %s@%s", name, version);
    return r;
}

hr_status hr_host_published(void *user, const struct hr_meta_node *execution, const char *component,
                            struct hr_arena *arena, const char **ret_text)
{
    struct hr_project *p = user;
    struct hr_meta_events events;
    struct hr_meta_node node;
    hr_status r;
    size_t i;

    *ret_text = "";
    if (strcmp(hr_component_short(component), "Pusher") != 0)
        return HR_OK;
    r = hr_store_events_of_execution(p->store, execution->id, arena, &events);
    for (i = 0; r == HR_OK && i < events.count; i++) {
        if (events.items[i].type != HR_EVENT_OUTPUT)
            continue;
        r = hr_store_get(p->store, HR_KIND_ARTIFACT, events.items[i].artifact, arena, &node);
        if (r == HR_OK && !strcmp(node.type, "PushedModel") && hr_meta_int(&node, "pushed", 0) == 1)
            r = pack(p, &node, execution, arena, ret_text);
    }
    return r;
}
