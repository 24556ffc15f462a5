#include "cli/verbs.h"

#include <string.h>

#define ADDRESS(name) &verb_##name,
const struct verb *const verbs[] = { VERB_LIST(ADDRESS) NULL };
#undef ADDRESS

const struct verb *find_verb(const char *name)
{
    size_t i;

    for (i = 0; verbs[i]; i++)
        if (!strcmp(verbs[i]->name, name))
            return verbs[i];
    return NULL;
}

const struct verb *find_noun(const struct verb *v, const char *name)
{
    size_t i;

    for (i = 0; v->nouns && v->nouns[i]; i++)
        if (!strcmp(v->nouns[i]->name, name))
            return v->nouns[i];
    return NULL;
}

const char *group_title(enum group group)
{
    static const char *const titles[GROUPS] = { "make and run", "look", "keep" };

    return titles[group];
}
