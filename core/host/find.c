/* What is meant by the words of a person: "run 7", "artifact 12", "penguin@7", "trainer". */
#include <string.h>

#include "host/host.h"

enum { MOST_INSTANCES = 1 << 20 };

hr_status hr_newest_of(struct hr_project *p, const int64_t *contexts, size_t n,
                       const struct hr_instance *instance, struct hr_arena *arena,
                       struct hr_meta_node *ret)
{
    struct hr_look look = { .kind = HR_KIND_EXECUTION,
                            .contexts = contexts,
                            .context_count = n,
                            .newest_first = true,
                            /* of one run there are few, and it may be an old one: no walk
                             * down from the newest of the store */
                            .limit = n > 1 ? 0 : instance->count ? 64 : 1 };
    struct hr_meta_nodes found = { 0 };
    struct hr_instance is;
    hr_status r = HR_OK;
    size_t i;

    for (;; look.limit *= 16) {
        r = hr_store_look(p->store, &look, arena, &found);
        for (i = 0; r == HR_OK && i < found.count; i++) {
            is = hr_instance_of(&found.items[i]);
            if (!instance->count || hr_instance_same(&is, instance)) {
                *ret = found.items[i];
                return HR_OK;
            }
        }
        if (r < 0 || !look.limit || found.count < (size_t)look.limit ||
            look.limit > MOST_INSTANCES)
            return r < 0 ? r : HR_NOT_FOUND;
    }
}

/* The newest execution of a node, or of one of its instances. */
static hr_status find_node(struct hr_project *p, const char *what, struct hr_arena *arena,
                           int64_t *ret)
{
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "node", .newest_first = true };
    struct hr_meta_nodes nodes = { 0 };
    struct hr_meta_node found;
    struct hr_instance instance;
    const char *node = hr_instance_read(what, arena, &instance);
    hr_status r = node ? hr_store_look(p->store, &look, arena, &nodes) : HR_EXHAUSTED;
    size_t i;

    for (i = 0; r == HR_OK && i < nodes.count; i++) {
        const char *name = nodes.items[i].name;
        size_t n = strlen(name), k = strlen(node);

        if (n <= k || strcmp(name + n - k, node) != 0 || name[n - k - 1] != '.')
            continue;
        r = hr_newest_of(p, &nodes.items[i].id, 1, &instance, arena, &found);
        if (r == HR_OK) {
            *ret = found.id;
            return HR_OK;
        }
        r = r == HR_NOT_FOUND ? HR_OK : r;
    }
    return r < 0 ? r : HR_NOT_FOUND;
}

/* The number behind a word, "artifact 12"; 0: it is not of that form. */
static int64_t number_after(const char *what, const char *word)
{
    size_t n = strlen(word);
    int64_t v = 0;

    if (strncmp(what, word, n) != 0 || (what[n] != ' ' && what[n] != ':'))
        return 0;
    return hr_num_int(what + n + 1, strlen(what + n + 1), &v) && v > 0 ? v : 0;
}

hr_status hr_thing_find(struct hr_project *p, const char *what, struct hr_arena *arena,
                        struct hr_thing *ret)
{
    hr_status r;

    *ret = (struct hr_thing){ .kind = HR_THING_ARTIFACT };
    if ((ret->id = number_after(what, "artifact")))
        return HR_OK;
    ret->kind = HR_THING_EXECUTION;
    if ((ret->id = number_after(what, "execution")))
        return HR_OK;
    r = hr_host_run(p, what, arena, &ret->node);
    ret->kind = HR_THING_RUN;
    if (r == HR_NOT_FOUND && (r = hr_model_find(p, what, arena, &ret->node)) == HR_OK)
        ret->kind = HR_THING_MODEL;
    ret->id = r == HR_OK ? ret->node.id : 0;
    if (r == HR_NOT_FOUND && (r = find_node(p, what, arena, &ret->id)) == HR_OK)
        ret->kind = HR_THING_EXECUTION;
    if (r == HR_NOT_FOUND)
        hr_fail(&p->env, r,
                "there is no run, node or model \"%s\"; write \"run 7\", \"execution 12\","
                " \"artifact 12\", \"name@version\" or the name of a node",
                what);
    return r;
}
