/* help_mem.h - an allocator that counts live bytes, and whose n-th growth fails.
 *
 *     struct help_mem m = { .fail_at = 3 };
 *     struct hr_env_config config = { .alloc = help_mem_alloc, .alloc_user = &m };
 */
#ifndef HELP_MEM_H
#define HELP_MEM_H

#include <stddef.h>

struct help_mem {
    size_t live;        /* bytes */
    int calls, fail_at; /* growths so far; 0: none fails */
};

/* An hr_alloc; user is a struct help_mem. */
void *help_mem_alloc(void *user, void *p, size_t old_size, size_t new_size);

#endif
