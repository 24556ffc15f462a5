/* fail_alloc.c - loaded before a program: one allocation of memory finds none, or all do from
 * there on, in the program and in each library that it uses.
 *
 *     HEADRACE_TEST_FAIL=1200 HEADRACE_TEST_HOW=once LD_PRELOAD=.../fail_alloc.so headrace run
 *
 * HOW: "once", or "always" from then on.  point.h says how one is chosen.  What is allocated
 * before main() counts as little as what is after it.
 */
#include <errno.h>
#include <pthread.h>

#include "point.h"

/* What dlsym() may want before it has found anything. */
static struct {
    size_t used;
    char bytes[1 << 16] __attribute__((aligned(16)));
} early;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void (*free)(void *);
    int (*getattr)(pthread_t, pthread_attr_t *);
    int state; /* 0: not looked up, 1: being looked up, 2: there */
} next;

static void look_up(void *to, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(to, &found, sizeof found);
}

static int ready(void)
{
    if (next.state == 2)
        return 1;
    if (next.state == 1)
        return 0;
    next.state = 1;
    look_up(&next.malloc, "malloc");
    look_up(&next.calloc, "calloc");
    look_up(&next.realloc, "realloc");
    look_up(&next.memalign, "memalign");
    look_up(&next.free, "free");
    look_up(&next.getattr, "pthread_getattr_np");
    next.state = 2;
    return 1;
}

static int is_early(const void *p)
{
    return (const char *)p >= early.bytes && (const char *)p < early.bytes + sizeof early.bytes;
}

static void *take_early(size_t n)
{
    void *p = early.bytes + early.used;

    early.used += (n + 15) & ~(size_t)15;
    return early.used <= sizeof early.bytes ? p : NULL;
}

__attribute__((constructor)) static void begin(void)
{
    ready();
    point_begin();
}

__attribute__((destructor)) static void end(void)
{
    point_end();
}

static int fails(void)
{
    int is = point_is();

    if (!is || point.how[0] == 'n' || (is == 2 && point.how[0] != 'a'))
        return 0;
    if (is == 1)
        point_show();
    errno = ENOMEM;
    return 1;
}

OPEN void *malloc(size_t n)
{
    if (!ready())
        return take_early(n);
    return fails() ? NULL : next.malloc(n);
}

OPEN void *calloc(size_t n, size_t size)
{
    if (!ready())
        return take_early(n * size);
    return fails() ? NULL : next.calloc(n, size);
}

OPEN void *realloc(void *p, size_t n)
{
    if (!ready() || is_early(p)) {
        void *q = ready() ? next.malloc(n) : take_early(n);

        if (q && p)
            memcpy(q, p, n);
        return q;
    }
    return n && fails() ? NULL : next.realloc(p, n);
}

OPEN void *memalign(size_t align, size_t n)
{
    return !ready() || fails() ? NULL : next.memalign(align, n);
}

OPEN void *aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

OPEN int posix_memalign(void **to, size_t align, size_t n)
{
    void *p = memalign(align, n);

    if (!p)
        return ENOMEM;
    *to = p;
    return 0;
}

OPEN void free(void *p)
{
    if (p && !is_early(p) && ready())
        next.free(p);
}

/* Sanitizers ask this of each thread that starts, and end the program where it finds no memory:
 * what is theirs is given to them.
 */
OPEN int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
    int ret;

    ready();
    point_busy++;
    ret = next.getattr(thread, attr);
    point_busy--;
    return ret;
}
