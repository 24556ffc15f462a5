/* What follows a publication: a model that was pushed is packed into the registry, with all
 * that it came from, and signed if trust.json names a key to sign with. */
#include <string.h>

#include "host/models.h"
#include "host/package.h"

hr_status hr_model_pack(struct hr_project *p, const struct hr_meta_node *pushed,
                        struct hr_arena *arena, const char **ret_text)
{
    const char *name = hr_meta_text(pushed, "model_name");
    const char *version = hr_meta_text(pushed, "pushed_version"), *file;
    struct hr_packing k = { .p = p };
    struct hr_signing sign = { 0 };
    struct hr_trust trust;
    char dir[HR_MAX_PATH];
    hr_status r;

    if (!name || !version)
        return HR_OK;
    if ((r = hr_path_join(&p->env, p->paths.registry, "models", dir)) < 0 ||
        (r = hr_path_join(&p->env, dir, name, dir)) < 0 || (r = hr_dir_make_safe(&p->env, dir)) < 0)
        return r;
    if (!(file = hr_arena_format(arena, "%s/%s-%s.hrp", dir, name, version)))
        return HR_EXHAUSTED;
    r = hr_trust_read(p, NULL, arena, &trust);
    if (r == HR_OK)
        r = hr_signing_of(p, &trust, arena, &sign);
    if (r == HR_OK)
        r = hr_packing_begin(p, arena, "model", name, version, &k);
    if (r == HR_OK)
        r = hr_packing_artifact(&k, pushed, HR_MODEL_PATH);
    if (r == HR_OK)
        r = hr_packing_end(&k, &sign, file);
    hr_ahead_drop(p);
    hr_packing_clear(&k);
    *ret_text = hr_arena_format(arena, "registry %s@%s (%s)", name, version,
                                sign.secret ? "signed" : "unsigned");
    if (!*ret_text) /* it is there, whatever can be said of it */
        *ret_text = "registry";
    return r;
}

/* Is the package of a pushed model where it belongs? */
static bool is_packed(struct hr_project *p, const struct hr_meta_node *pushed)
{
    char file[HR_MAX_PATH];

    return hr_model_package(p, pushed, file) == HR_OK && hr_file_exists(&p->env, file);
}

hr_status hr_host_published(void *user, int64_t execution, const char *component, bool cached,
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
    r = hr_store_events_of_execution(p->store, execution, arena, &events);
    for (i = 0; r == HR_OK && i < events.count; i++) {
        if (events.items[i].type != HR_EVENT_OUTPUT)
            continue;
        r = hr_store_get(p->store, HR_KIND_ARTIFACT, events.items[i].artifact, arena, &node);
        if (r == HR_OK && !strcmp(node.type, "PushedModel") &&
            hr_meta_int(&node, "pushed", 0) == 1 && !(cached && is_packed(p, &node)))
            r = hr_model_pack(p, &node, arena, ret_text);
    }
    return r;
}
