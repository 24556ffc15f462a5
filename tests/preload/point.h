/* point.h - private to the libraries here: at which of its calls a program is given a fault.
 *
 * A point is the n-th call (HEADRACE_TEST_FAIL), or the first that comes from one place of the
 * program, by all functions above it (HEADRACE_TEST_STACK): threads and the time of day change how
 * many calls there are, and not from where they come.  HEADRACE_TEST_STACKS names a file to which
 * each place goes at its first call, HEADRACE_TEST_COUNT one that gets the number of calls and of
 * the descriptors that are open at the end.
 *
 * A place is the hash of the return addresses, each in its module and each once: a parser that
 * calls itself is one place however deep it is.
 */
#ifndef POINT_H
#define POINT_H

#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#define OPEN __attribute__((visibility("default")))

enum { POINT_DEPTH = 64, POINT_PLACES = 1 << 17, POINT_MODULES = 64 };

static struct {
    long at, calls;
    uint64_t place, places[POINT_PLACES];
    int armed, there; /* main() is near; the place has come */
    int places_fd;
    char how[16], count[4096];
    const char *under;
    struct {
        uintptr_t from, to;
    } modules[POINT_MODULES];
    int module_count;
} point;

static __thread int point_busy __attribute__((tls_model("initial-exec")));

static inline int point_module(struct dl_phdr_info *info, size_t size, void *user)
{
    uintptr_t from = UINTPTR_MAX, to = 0;
    int i;

    (void)size;
    (void)user;
    for (i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

            from = start < from ? start : from;
            to = start + info->dlpi_phdr[i].p_memsz > to ? start + info->dlpi_phdr[i].p_memsz : to;
        }
    if (point.module_count == POINT_MODULES)
        return 1;
    point.modules[point.module_count].from = from;
    point.modules[point.module_count++].to = to;
    return 0;
}

static inline uint64_t point_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 29);
}

struct point_stack {
    void *of[POINT_DEPTH];
    int n;
};

static inline _Unwind_Reason_Code point_frame(struct _Unwind_Context *context, void *user)
{
    struct point_stack *stack = user;

    stack->of[stack->n++] = (void *)_Unwind_GetIP(context);
    return stack->n < POINT_DEPTH ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* As backtrace(), which would load a library at its first call. */
static inline int point_stack(struct point_stack *ret)
{
    point_busy++;
    ret->n = 0;
    _Unwind_Backtrace(point_frame, ret);
    point_busy--;
    return ret->n;
}

static inline uint64_t point_here(void)
{
    struct point_stack at;
    void **stack = at.of;
    uint64_t hash = 1;
    int n = point_stack(&at), i, k;

    for (i = 0; i < n; i++) {
        uintptr_t address = (uintptr_t)stack[i];

        for (k = 0; k < i && stack[k] != stack[i]; k++)
            ;
        if (k < i)
            continue;
        for (k = 0; k < point.module_count; k++)
            if (address >= point.modules[k].from && address < point.modules[k].to)
                break;
        if (k && k < point.module_count) /* in a module, and not the program's own start */
            hash = point_mix(hash, address - point.modules[k].from + (uint64_t)k);
    }
    return hash;
}

/* A place goes to the file when it is new. */
static inline void point_note(uint64_t here)
{
    size_t i = here % POINT_PLACES, tries;
    char line[64];
    int n;

    for (tries = 0; tries < POINT_PLACES; tries++, i = (i + 1) % POINT_PLACES) {
        uint64_t none = 0;

        if (point.places[i] == here)
            return;
        if (__atomic_compare_exchange_n(&point.places[i], &none, here, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            break;
        if (none == here)
            return;
    }
    n = snprintf(line, sizeof line, "%016llx\n", (unsigned long long)here);
    syscall(SYS_write, point.places_fd, line, (size_t)n);
}

static inline void point_begin(void)
{
    const char *at = getenv("HEADRACE_TEST_FAIL"), *how = getenv("HEADRACE_TEST_HOW");
    const char *place = getenv("HEADRACE_TEST_STACK"), *places = getenv("HEADRACE_TEST_STACKS");
    const char *count = getenv("HEADRACE_TEST_COUNT");

    point_busy++;
    dl_iterate_phdr(point_module, NULL);
    point.under = getenv("HEADRACE_TEST_UNDER");
    snprintf(point.count, sizeof point.count, "%s", count ? count : "");
    snprintf(point.how, sizeof point.how, "%s", how ? how : "none");
    point.places_fd = -1;
    if (places)
        point.places_fd = (int)syscall(SYS_openat, AT_FDCWD, places,
                                       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    point.place = place ? strtoull(place, NULL, 16) : 0;
    point.at = at ? atol(at) : 0;
    point.armed = 1;
    point_busy--;
}

static inline void point_end(void)
{
    FILE *f;
    DIR *dir;
    int fds = 0;

    point_busy++;
    point.armed = 0;
    if (point.places_fd >= 0)
        close(point.places_fd);
    if (point.count[0] && (f = fopen(point.count, "w"))) {
        dir = opendir("/proc/self/fd");
        while (dir && readdir(dir))
            fds++;
        fprintf(f, "%ld %d\n", point.calls, fds);
        fclose(f);
        if (dir)
            closedir(dir);
    }
    point_busy--;
}

/* Is this call the point (1), one after it (2), or neither (0)? */
static inline int point_is(void)
{
    long call;
    uint64_t here;

    if (!point.armed || point_busy)
        return 0;
    call = __atomic_add_fetch(&point.calls, 1, __ATOMIC_RELAXED);
    if (point.at)
        return call == point.at ? 1 : call > point.at ? 2 : 0;
    if (__atomic_load_n(&point.there, __ATOMIC_RELAXED))
        return 2;
    if (!point.place && point.places_fd < 0)
        return 0;
    here = point_here();
    if (point.places_fd >= 0)
        point_note(here);
    if (here != point.place || !here)
        return 0;
    return __atomic_exchange_n(&point.there, 1, __ATOMIC_RELAXED) ? 2 : 1;
}

/* For a person who looks for the reason: from where the point came. */
static inline void point_show(void)
{
    struct point_stack at;

    if (!getenv("HEADRACE_TEST_SHOW"))
        return;
    point_stack(&at);
    point_busy++;
    backtrace_symbols_fd(at.of, at.n, 2);
    point_busy--;
}

#endif
