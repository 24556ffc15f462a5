#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/mem.h"

enum { ALIGN = 16, BLOCK = 16384 - 64 };

struct hr_arena_block {
    struct hr_arena_block *below;
    size_t size, used;
    size_t pad; /* keeps bytes aligned */
    char bytes[];
};

void hr_arena_init(struct hr_arena *a, struct hr_env *env, size_t max)
{
    *a = (struct hr_arena){ .env = env, .max = max ? max : SIZE_MAX / 2 };
}

void hr_arena_clear(struct hr_arena *a)
{
    struct hr_arena_block *below;

    if (!a)
        return;
    for (; a->top; a->top = below) {
        below = a->top->below;
        hr_mem_put(a->env, a->top, sizeof *a->top + a->top->size);
    }
    a->used = 0;
    a->lost = false;
}

bool hr_arena_whole(const struct hr_arena *a)
{
    return !a->lost;
}

static struct hr_arena_block *more(struct hr_arena *a, size_t n)
{
    size_t size = n > BLOCK / 4 ? n : BLOCK;
    struct hr_arena_block *block;

    block = a->env->alloc(a->env->alloc_user, NULL, 0, sizeof *block + size);
    if (!block) {
        a->lost = true;
        hr_fail_memory(a->env);
        return NULL;
    }
    block->size = size;
    block->used = 0;
    block->pad = 0;
    /* A block for one large item goes below, so that the rest of the top stays in use. */
    if (a->top && size == n) {
        block->below = a->top->below;
        a->top->below = block;
    } else {
        block->below = a->top;
        a->top = block;
    }
    return block;
}

void *hr_arena_get(struct hr_arena *a, size_t n)
{
    struct hr_arena_block *block = a->top;
    void *p;

    if (n > a->max - a->used || n > SIZE_MAX / 4) {
        a->lost = true;
        hr_fail(a->env, HR_EXHAUSTED, "%zu bytes pass the limit of %zu", n, a->max);
        return NULL;
    }
    n = (n + ALIGN - 1) / ALIGN * ALIGN;
    if ((!block || n > block->size - block->used) && !(block = more(a, n)))
        return NULL;
    p = block->bytes + block->used;
    block->used += n;
    a->used = n > a->max - a->used ? a->max : a->used + n;
    memset(p, 0, n);
    return p;
}

void *hr_arena_array(struct hr_arena *a, size_t n, size_t size)
{
    size_t bytes;

    if (!hr_size_mul(n, size, &bytes)) {
        a->lost = true;
        hr_fail_memory(a->env);
        return NULL;
    }
    return hr_arena_get(a, bytes);
}

void *hr_arena_grow(struct hr_arena *a, void *items, size_t count, size_t *cap, size_t size)
{
    enum { FIRST = 4 };
    size_t more;
    void *all;

    if (count < *cap)
        return items;
    if (__builtin_mul_overflow(count < FIRST / 2 ? FIRST / 2 : count, (size_t)2, &more) ||
        !(all = hr_arena_array(a, more, size)))
        return NULL;
    if (count)
        memcpy(all, items, count * size);
    *cap = more;
    return all;
}

char *hr_arena_bytes(struct hr_arena *a, const void *bytes, size_t n)
{
    size_t with_end;
    char *p;

    if (!hr_size_add(n, 1, &with_end)) {
        hr_fail_memory(a->env);
        return NULL;
    }
    p = hr_arena_get(a, with_end);
    if (p && n)
        memcpy(p, bytes, n);
    return p;
}

char *hr_arena_text(struct hr_arena *a, const char *text)
{
    return hr_arena_bytes(a, text, strlen(text));
}

char *hr_arena_format(struct hr_arena *a, const char *format, ...)
{
    va_list args;
    char *p = NULL;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !(p = hr_arena_get(a, (size_t)n + 1)))
        return NULL;
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return p;
}
