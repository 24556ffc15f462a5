/* point.h - private to the libraries here: at which of its calls a program is given a fault.
 *
 * A point is the n-th call (HEADRACE_TEST_FAIL), or the first that comes from one place of the
 * program, by all functions above it (HEADRACE_TEST_STACK): threads and the time of day change how
 * many calls there are, and not from where they come.
 *
 * A place is the hash of the return addresses, each in its module and each once: a parser that
 * calls itself is one place however deep it is.
 *
 * HEADRACE_TEST_STATE names a file that is mapped and shared with all copies of the process, so
 * that one of them meets the point, and what was counted is there whatever their end:
 * struct point_state.
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
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#define OPEN __attribute__((visibility("default")))

enum { POINT_DEPTH = 64, POINT_PLACES = 1 << 17, POINT_MODULES = 64 };

struct point_state {
    uint64_t calls, there; /* the point has come */
    uint64_t fds;          /* open at the end of the program */
    uint64_t noting;       /* whoever made the file wants the places */
    uint64_t places[POINT_PLACES];
};

static struct {
    uint64_t at, place;
    int armed; /* main() is near */
    char how[16];
    const char *under;
    struct point_state none, *state;
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
    for (i = 0; i < point.module_count; i++)
        if (point.modules[i].from == from)
            return 0;
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

static inline int point_module_of(uintptr_t address)
{
    int k;

    for (k = 0; k < point.module_count; k++)
        if (address >= point.modules[k].from && address < point.modules[k].to)
            break;
    return k;
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
        k = point_module_of(address);
        if (k == point.module_count && address) { /* loaded since */
            point_busy++;
            dl_iterate_phdr(point_module, NULL);
            point_busy--;
            k = point_module_of(address);
        }
        if (k && k < point.module_count) /* in a module, and not the program's own start */
            hash = point_mix(hash, address - point.modules[k].from + (uint64_t)k);
    }
    return hash;
}

static inline void point_note(uint64_t here)
{
    uint64_t *places = point.state->places;
    size_t i = here % POINT_PLACES, tries;

    for (tries = 0; tries < POINT_PLACES; tries++, i = (i + 1) % POINT_PLACES) {
        uint64_t none = 0;

        if (places[i] == here ||
            __atomic_compare_exchange_n(&places[i], &none, here, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED) ||
            none == here)
            return;
    }
}

/* The file has its length by whoever made it. */
static inline void point_map(const char *file)
{
    int fd = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd < 0 ? (void *)-1
                     : (void *)syscall(SYS_mmap, NULL, sizeof(struct point_state),
                                       PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);

    point.state = p == (void *)-1 ? &point.none : p;
    if (fd >= 0)
        syscall(SYS_close, fd);
}

static inline void point_begin(void)
{
    const char *at = getenv("HEADRACE_TEST_FAIL"), *how = getenv("HEADRACE_TEST_HOW");
    const char *place = getenv("HEADRACE_TEST_STACK");

    point_busy++;
    dl_iterate_phdr(point_module, NULL);
    point.under = getenv("HEADRACE_TEST_UNDER");
    snprintf(point.how, sizeof point.how, "%s", how ? how : "none");
    point_map(getenv("HEADRACE_TEST_STATE"));
    point.place = place ? strtoull(place, NULL, 16) : 0;
    point.at = at ? strtoull(at, NULL, 10) : 0;
    point.armed = 1;
    point_busy--;
}

static inline void point_end(void)
{
    DIR *dir;

    point_busy++;
    point.armed = 0;
    dir = opendir("/proc/self/fd");
    for (point.state->fds = 0; dir && readdir(dir); point.state->fds++)
        ;
    if (dir)
        closedir(dir);
    point_busy--;
}

/* Is this call the point (1), one after it (2), or neither (0)? */
static inline int point_is(void)
{
    uint64_t call, here;

    if (!point.armed || point_busy)
        return 0;
    call = __atomic_add_fetch(&point.state->calls, 1, __ATOMIC_RELAXED);
    if (point.at)
        return call == point.at ? 1 : call > point.at ? 2 : 0;
    if (__atomic_load_n(&point.state->there, __ATOMIC_RELAXED))
        return 2;
    if (!point.place && !point.state->noting)
        return 0;
    here = point_here();
    if (point.state->noting)
        point_note(here);
    if (here != point.place || !here)
        return 0;
    return __atomic_exchange_n(&point.state->there, 1, __ATOMIC_RELAXED) ? 2 : 1;
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
