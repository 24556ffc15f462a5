/* arena.h - memory that is freed all at once.
 *
 * Invariants: every pointer that was given is aligned for any type and stays where it is
 * until hr_arena_clear(); used <= max.  An arena that could not give something once says so
 * until then: whoever leaves out what there was no memory for asks hr_arena_whole() at the end.
 */
#ifndef HR_ARENA_H
#define HR_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct hr_env;
struct hr_arena_block;

struct hr_arena {
    struct hr_env *env;
    struct hr_arena_block *top;
    size_t used, max;
    bool lost;
};

/* Cannot fail and allocates nothing.  max: bytes in all; 0: no bound but memory. */
void hr_arena_init(struct hr_arena *a, struct hr_env *env, size_t max);

/* Free all.  a is as after hr_arena_init().  NULL is allowed. */
void hr_arena_clear(struct hr_arena *a);

/* Was there memory for all that was asked for?  If not, that has been told in env. */
bool hr_arena_whole(const struct hr_arena *a);

/* n bytes, zeroed; n may be 0.  NULL: over max or no memory, told in env. */
void *hr_arena_get(struct hr_arena *a, size_t n);

/* n items of one size, zeroed; the product is checked. */
void *hr_arena_array(struct hr_arena *a, size_t n, size_t size);

/* Room for one more item behind count: items itself while count < *cap, else a copy with room for
 * twice as many, which *cap then says.  items may be NULL, with *cap 0.  NULL: as hr_arena_get();
 * items and *cap are as they were. */
void *hr_arena_grow(struct hr_arena *a, void *items, size_t count, size_t *cap, size_t size);

/* Copies, ended by '\0'.  NULL: as hr_arena_get(). */
char *hr_arena_text(struct hr_arena *a, const char *text);
char *hr_arena_bytes(struct hr_arena *a, const void *bytes, size_t n);
HR_PRINTF(2, 3) char *hr_arena_format(struct hr_arena *a, const char *format, ...);

#endif
