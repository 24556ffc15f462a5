/* How an instance of "for_each" is called, and which one an execution is. */
#include <string.h>

#include "run/task.h"

const char *hr_instance_read(const char *text, struct hr_arena *arena, struct hr_instance *ret)
{
    const char *open = strchr(text, '['), *at = open, *end;
    struct hr_instance found = { .count = 0 };
    int64_t index;

    ret->count = 0;
    for (; at && *at == '[' && found.count < HR_MAX_LOOPS; at = end + 1) {
        if (!(end = strchr(at, ']')) || !hr_num_int(at + 1, (size_t)(end - at - 1), &index) ||
            index < 0)
            return text;
        found.at[found.count++] = index;
    }
    if (!at || *at)
        return text;
    *ret = found;
    return hr_arena_bytes(arena, text, (size_t)(open - text));
}

struct hr_instance hr_instance_of(const struct hr_meta_node *execution)
{
    int64_t number = hr_meta_int(execution, "__index", -1);
    int64_t loops = hr_meta_int(execution, "__loops", 1), index;
    struct hr_instance found = { .count = 0 };

    loops = loops < 1 || loops > HR_MAX_LOOPS ? 1 : loops;
    while ((int64_t)found.count < loops &&
           (index = hr_index_in(number, (size_t)loops, found.count)) >= 0)
        found.at[found.count++] = index;
    return found;
}

bool hr_instance_same(const struct hr_instance *a, const struct hr_instance *b)
{
    return a->count == b->count && !memcmp(a->at, b->at, a->count * sizeof *a->at);
}

const char *hr_instance_name(const char *node, const struct hr_instance *instance,
                             struct hr_arena *arena)
{
    const char *name = node;
    size_t i;

    for (i = 0; name && i < instance->count; i++)
        name = hr_arena_format(arena, "%s[%lld]", name, (long long)instance->at[i]);
    return name;
}
