/* cpu.h - what the processor can do, asked when somebody wants to know.
 *
 * The compiler's own way, __builtin_cpu_supports(), asks all at the start of every program and of
 * every plugin that uses it; in a virtual machine each question is a trip to the hypervisor, and
 * together they cost a tenth of a millisecond.
 */
#ifndef HR_CPU_H
#define HR_CPU_H

#include <stdbool.h>

enum hr_cpu { HR_CPU_AVX2, HR_CPU_SHA, HR_CPU_SSE42, HR_CPU_AVX512 };

/* AVX2 together with POPCNT and BMI1; SHA together with SSE4.1; of AVX-512 the parts F, BW, VL and
 * VBMI2, together with those of AVX2.  false on other processors than x86-64, and in a build with
 * HR_SCALAR, for tests.  [any] */
bool hr_cpu_has(enum hr_cpu what);

/* A loop twice, for AVX2 and for any processor:
 *
 *     HR_CPU_INLINE void scale_body(float *restrict to, const float *restrict from, int64_t n)
 *     { ... }
 *     HR_CPU_TWINS(scale, (float *to, const float *from, int64_t n), (to, from, n))
 *
 * gives scale(), which takes the one that the processor has.  Both do the same operations on each
 * value, and no compiler may fuse any: their results are equal to the bit as long as the body
 * does not leave an order of sums to the compiler, which C does not allow it to choose. */
#define HR_CPU_INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__) && !defined(HR_SCALAR)
#define HR_CPU_TWINS(NAME, PARAMETERS, ARGUMENTS)                                                  \
    __attribute__((target("avx2"))) static void NAME##_avx2 PARAMETERS                             \
    {                                                                                              \
        NAME##_body ARGUMENTS;                                                                     \
    }                                                                                              \
    static void NAME##_plain PARAMETERS                                                            \
    {                                                                                              \
        NAME##_body ARGUMENTS;                                                                     \
    }                                                                                              \
    static void NAME PARAMETERS                                                                    \
    {                                                                                              \
        if (hr_cpu_has(HR_CPU_AVX2))                                                               \
            NAME##_avx2 ARGUMENTS;                                                                 \
        else                                                                                       \
            NAME##_plain ARGUMENTS;                                                                \
    }
#else
#define HR_CPU_TWINS(NAME, PARAMETERS, ARGUMENTS)                                                  \
    static void NAME PARAMETERS                                                                    \
    {                                                                                              \
        NAME##_body ARGUMENTS;                                                                     \
    }
#endif

#endif
