#include "base/stored.h"

#include <string.h>

hr_status hr_store_uint(struct hr_buf *to, uint64_t v, int n)
{
    char b[8];
    int i;

    for (i = 0; i < n; i++)
        b[i] = (char)(v >> (8 * i));
    return hr_buf_add(to, b, (size_t)n);
}

hr_status hr_store_u32(struct hr_buf *to, uint32_t v)
{
    return hr_store_uint(to, v, 4);
}

hr_status hr_store_u64(struct hr_buf *to, uint64_t v)
{
    return hr_store_uint(to, v, 8);
}

hr_status hr_store_double(struct hr_buf *to, double v)
{
    uint64_t u;

    memcpy(&u, &v, sizeof u);
    return hr_store_u64(to, u);
}

uint64_t hr_load_uint(struct hr_stored *in, int n)
{
    uint64_t v = 0;
    int i;

    if (!in->ok || in->end - in->p < n) {
        in->ok = false;
        return 0;
    }
    for (i = 0; i < n; i++)
        v |= (uint64_t)(unsigned char)in->p[i] << (8 * i);
    in->p += n;
    return v;
}

uint32_t hr_load_u32(struct hr_stored *in)
{
    return (uint32_t)hr_load_uint(in, 4);
}

uint64_t hr_load_u64(struct hr_stored *in)
{
    return hr_load_uint(in, 8);
}

double hr_load_double(struct hr_stored *in)
{
    uint64_t u = hr_load_u64(in);
    double v;

    memcpy(&v, &u, sizeof v);
    return v;
}

bool hr_load_fits(struct hr_stored *in, uint64_t n, size_t size)
{
    in->ok = in->ok && n <= (uint64_t)(in->end - in->p) / size;
    return in->ok;
}
