/* publish PROJECT STAGED - what a push of a model costs the host: sealed, told to the store, packed
 * into the registry.  Prints the seconds of each; publish.py compares them. */
#include <stdio.h>
#include <string.h>

#include "host/package.h"

static hr_status tell_store(struct hr_project *p, const char *place, const char *digest,
                            struct hr_meta_node *node)
{
    const struct hr_meta_type type = { .kind = HR_KIND_ARTIFACT,
                                       .name = "PushedModel",
                                       .base = "mlmd.Model" };
    struct hr_meta_property properties[] = {
        { "__digest", true, { .kind = HR_VALUE_STRING, .text = digest } },
        { "model_name", true, { .kind = HR_VALUE_STRING, .text = "bench" } },
        { "pushed", true, { .kind = HR_VALUE_INT, .i = 1 } },
        { "pushed_version", true, { .kind = HR_VALUE_STRING, .text = "1" } },
    };
    struct hr_meta_node made = { .uri = place,
                                 .state = HR_ARTIFACT_LIVE,
                                 .properties = properties,
                                 .count = 4 };
    hr_status r = hr_store_begin(p->store, true);

    if (r == HR_OK)
        r = hr_store_put_type(p->store, &type, &made.type_id);
    if (r == HR_OK)
        r = hr_store_add_artifact(p->store, &made, &node->id);
    return r < 0 ? r : hr_store_commit(p->store);
}

static double now(struct hr_project *p)
{
    return (double)p->env.os->monotonic_us(p->env.os->user) / 1e6;
}

int main(int argc, char **argv)
{
    struct hr_sealing sealing = { 0 };
    struct hr_meta_node node = { 0 };
    struct hr_project *p = hr_new(NULL);
    struct hr_arena arena;
    char place[HR_MAX_PATH];
    const char *text;
    double start, sealed, told;
    hr_status r;

    if (argc != 3 || !p || hr_open(p, argv[1], HR_OPEN_NEW) < 0)
        return 2;
    hr_arena_init(&arena, &p->env, 0);
    r = hr_path_join(&p->env, p->paths.artifacts, "pusher/pushed_model/1", place);
    sealing.staged = argv[2];
    sealing.place = place;
    sealing.cache = p->cache;
    sealing.type = "PushedModel";
    sealing.file = hr_host_sealed;
    sealing.user = p;
    start = now(p);
    if (r == HR_OK)
        r = hr_artifact_seal(&p->env, &sealing, 1);
    sealed = now(p);
    if (r == HR_OK)
        r = tell_store(p, place, sealing.digest, &node);
    told = now(p);
    if (r == HR_OK)
        r = hr_store_get(p->store, HR_KIND_ARTIFACT, node.id, &arena, &node);
    if (r == HR_OK)
        r = hr_model_pack(p, &node, &arena, &text);
    if (r < 0) {
        fprintf(stderr, "%s\n", hr_error(p));
        return 1;
    }
    printf("%.4f %.4f %.4f\n", sealed - start, told - sealed, now(p) - told);
    hr_arena_clear(&arena);
    hr_free(p);
    return 0;
}
