/* What is meant by the words of a person: "run 7", "artifact 12", "penguin@7", "trainer". */
#include <string.h>

#include "host/host.h"

/* The newest execution of a node. */
static hr_status find_node(struct hr_project *p, const char *node, struct hr_arena *arena,
                           int64_t *ret)
{
    struct hr_look look = { .kind = HR_KIND_CONTEXT, .type = "node", .newest_first = true };
    struct hr_look executions = {
        .kind = HR_KIND_EXECUTION, .context_count = 1, .newest_first = true, .limit = 1
    };
    struct hr_meta_nodes nodes = { 0 }, found = { 0 };
    hr_status r = hr_store_look(p->store, &look, arena, &nodes);
    size_t i;

    for (i = 0; r == HR_OK && i < nodes.count; i++) {
        const char *name = nodes.items[i].name;
        size_t n = strlen(name), k = strlen(node);

        if (n <= k || strcmp(name + n - k, node) != 0 || name[n - k - 1] != '.')
            continue;
        executions.contexts = &nodes.items[i].id;
        r = hr_store_look(p->store, &executions, arena, &found);
        if (r == HR_OK && found.count) {
            *ret = found.items[0].id;
            return HR_OK;
        }
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
