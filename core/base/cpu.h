/* cpu.h - what the processor can do, asked when somebody wants to know.
 *
 * The compiler's own way, __builtin_cpu_supports(), asks all at the start of every program and of
 * every plugin that uses it; in a virtual machine each question is a trip to the hypervisor, and
 * together they cost a tenth of a millisecond.
 */
#ifndef HR_CPU_H
#define HR_CPU_H

#include <stdbool.h>

enum hr_cpu { HR_CPU_AVX2, HR_CPU_SHA, HR_CPU_SSE42 };

/* AVX2 together with POPCNT; SHA together with SSE4.1.  false on other processors than x86-64,
 * and in a build with HR_SCALAR, for tests.  [any] */
bool hr_cpu_has(enum hr_cpu what);

#endif
