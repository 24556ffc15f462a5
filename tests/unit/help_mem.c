#include "help_mem.h"

#include <stdlib.h>

void *help_mem_alloc(void *user, void *p, size_t old_size, size_t new_size)
{
    struct help_mem *m = user;

    if (new_size && ++m->calls == m->fail_at)
        return NULL;
    m->live += new_size - old_size;
    if (new_size)
        return realloc(p, new_size);
    free(p);
    return NULL;
}
