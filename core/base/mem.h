/* mem.h - allocation through an env, and arithmetic on sizes that is checked.
 *
 * Sizes travel with the pointers: who frees says how much it was.  Structs that live long
 * are got by hr_mem_zero() and put back by hr_mem_put(); what dies with a run belongs into
 * an arena (arena.h), what grows into a buffer (buf.h) or hr_mem_reserve().
 */
#ifndef HR_MEM_H
#define HR_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hr_env;

/* n bytes, zeroed.  NULL: no memory, told in env. */
void *hr_mem_zero(struct hr_env *env, size_t n);

/* Resize from old to n bytes, n > 0; what is new is not set.  NULL: p is as before. */
void *hr_mem_resize(struct hr_env *env, void *p, size_t old, size_t n);

/* Free n bytes.  p may be NULL. */
void hr_mem_put(struct hr_env *env, void *p, size_t n);

/* A copy of a text, freed by hr_mem_text_put().  NULL: no memory, told in env. */
char *hr_mem_text(struct hr_env *env, const char *text);
void hr_mem_text_put(struct hr_env *env, char *text);

/* Room for need items of one size in the array *items of *cap; grows by doubling, up to max.
 * false: it would pass max, or no memory; told in env, and nothing has changed.
 *
 *     if (!hr_mem_reserve(env, (void **)&t->rows, &t->cap, t->n + 1, sizeof *t->rows, MAX))
 */
bool hr_mem_reserve(struct hr_env *env, void **items, size_t *cap, size_t need, size_t size,
                    size_t max);

/* *ret = a + b, or a * b.  false: it does not fit, *ret is untouched. */
static inline bool hr_size_add(size_t a, size_t b, size_t *ret)
{
    if (b > SIZE_MAX - a)
        return false;
    *ret = a + b;
    return true;
}

static inline bool hr_size_mul(size_t a, size_t b, size_t *ret)
{
    if (a && b > SIZE_MAX / a)
        return false;
    *ret = a * b;
    return true;
}

#endif
