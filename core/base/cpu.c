/* Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID. */
#include "base/cpu.h"

#include <stdint.h>

#if defined(__x86_64__) && !defined(HR_SCALAR)
struct leaf {
    uint32_t a, b, c, d;
};

static struct leaf ask(uint32_t a, uint32_t c)
{
    struct leaf l = { a, 0, c, 0 };

    __asm__ volatile("cpuid" : "+a"(l.a), "=b"(l.b), "+c"(l.c), "=d"(l.d));
    return l;
}

/* The registers that the system keeps, by the bits of XCR0: 1 and 2 of AVX, 5 to 7 of AVX-512. */
static bool keeps(uint32_t which)
{
    uint32_t a, d;

    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & which) == which;
}

static uint32_t find(void)
{
    struct leaf basic = ask(1, 0), more = { 0, 0, 0, 0 };
    uint32_t sse41 = basic.c >> 19 & 1, sse42 = basic.c >> 20 & 1, popcnt = basic.c >> 23 & 1;
    uint32_t xsave = basic.c >> 27 & 1, ymm, zmm, avx2, avx512;

    if (ask(0, 0).a >= 7)
        more = ask(7, 0);
    ymm = xsave && keeps(0x06);
    zmm = ymm && keeps(0xe6);
    avx2 = more.b >> 5 & more.b >> 3 & popcnt & ymm & 1;
    avx512 = more.b >> 16 & more.b >> 30 & more.b >> 31 & more.c >> 6 & avx2 & zmm & 1;
    return avx2 << HR_CPU_AVX2 | (more.b >> 29 & sse41 & 1) << HR_CPU_SHA | sse42 << HR_CPU_SSE42 |
           avx512 << HR_CPU_AVX512;
}

bool hr_cpu_has(enum hr_cpu what)
{
    static uint32_t known; /* the answer is the same for every thread */
    uint32_t all = __atomic_load_n(&known, __ATOMIC_RELAXED);

    if (!all) {
        all = find() | 1u << 31;
        __atomic_store_n(&known, all, __ATOMIC_RELAXED);
    }
    return all >> what & 1;
}
#else
bool hr_cpu_has(enum hr_cpu what)
{
    (void)what;
    return false;
}
#endif
