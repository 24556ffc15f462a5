#include "base/mem.h"

#include <string.h>

#include "base/env.h"
#include "base/error.h"

void *hr_mem_zero(struct hr_env *env, size_t n)
{
    void *p = env->alloc(env->alloc_user, NULL, 0, n ? n : 1);

    if (!p)
        hr_fail_memory(env);
    else
        memset(p, 0, n ? n : 1);
    return p;
}

void *hr_mem_resize(struct hr_env *env, void *p, size_t old, size_t n)
{
    void *q = env->alloc(env->alloc_user, p, old, n);

    if (!q)
        hr_fail_memory(env);
    return q;
}

void hr_mem_put(struct hr_env *env, void *p, size_t n)
{
    if (p)
        env->alloc(env->alloc_user, p, n ? n : 1, 0);
}

char *hr_mem_text(struct hr_env *env, const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = hr_mem_zero(env, n);

    if (p)
        memcpy(p, text, n);
    return p;
}

void hr_mem_text_put(struct hr_env *env, char *text)
{
    if (text)
        hr_mem_put(env, text, strlen(text) + 1);
}

bool hr_mem_reserve(struct hr_env *env, void **items, size_t *cap, size_t need, size_t size,
                    size_t max)
{
    size_t n = *cap ? *cap : 8;
    size_t bytes;
    void *p;

    if (need <= *cap)
        return true;
    if (need > max) {
        hr_fail(env, HR_EXHAUSTED, "more than %zu items", max);
        return false;
    }
    while (n < need)
        n = n <= max / 2 ? n * 2 : max;
    if (!hr_size_mul(n, size, &bytes)) {
        hr_fail_memory(env);
        return false;
    }
    p = hr_mem_resize(env, *items, *cap * size, bytes);
    if (!p)
        return false;
    memset((char *)p + *cap * size, 0, bytes - *cap * size);
    *items = p;
    *cap = n;
    return true;
}
