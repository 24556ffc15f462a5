#include <string.h>

#include "registry/frames.h"

size_t hr_frames_gap(uint64_t place, char *to)
{
    static const char magic[4] = { 0x50, 0x2a, 0x4d, 0x18 };
    size_t n = (HR_FRAMES_ALIGN - (size_t)(place % HR_FRAMES_ALIGN)) % HR_FRAMES_ALIGN;
    int i;

    if (!n)
        return 0;
    if (n < 8)
        n += HR_FRAMES_ALIGN;
    memset(to, 0, n);
    memcpy(to, magic, sizeof magic);
    for (i = 0; i < 4; i++)
        to[4 + i] = (char)((n - 8) >> (8 * i));
    return n;
}
