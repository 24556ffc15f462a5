#include "transform/big.h"

#include <assert.h>
#include <math.h>

void hr_big_add(struct hr_big *b, uint64_t v, unsigned shift)
{
    unsigned i = shift / 32, s = shift % 32;
    uint32_t part[3];
    uint64_t carry = 0;
    int k;

    part[0] = (uint32_t)(v << s);
    part[1] = (uint32_t)(s ? v >> (32 - s) : v >> 32);
    part[2] = (uint32_t)(s ? v >> 32 >> (32 - s) : 0);
    for (k = 0; (k < 3 || carry) && i < HR_BIG_WORDS; k++, i++) {
        carry += (uint64_t)b->w[i] + (k < 3 ? part[k] : 0);
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    assert(!carry);
}

int hr_big_compare(const struct hr_big *a, const struct hr_big *b)
{
    int i;

    for (i = HR_BIG_WORDS - 1; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

void hr_big_sub(struct hr_big *a, const struct hr_big *b)
{
    int64_t borrow = 0;
    int i;

    for (i = 0; i < HR_BIG_WORDS; i++) {
        borrow += (int64_t)a->w[i] - (int64_t)b->w[i];
        a->w[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    assert(!borrow);
}

struct hr_big hr_big_mul(const struct hr_big *a, const struct hr_big *b)
{
    struct hr_big r = { { 0 } };
    int i, k;

    for (i = 0; i < HR_BIG_WORDS; i++) {
        uint64_t carry = 0;

        for (k = 0; a->w[i] && k + i < HR_BIG_WORDS; k++) {
            carry += (uint64_t)a->w[i] * b->w[k] + r.w[i + k];
            r.w[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    return r;
}

double hr_big_double(const struct hr_big *a, int exponent)
{
    int i = HR_BIG_WORDS - 1;
    uint64_t top;

    while (i > 1 && !a->w[i])
        i--;
    top = (uint64_t)a->w[i] << 32 | a->w[i - 1];
    if (i < 2)
        return ldexp((double)top, exponent);
    /* bits below make it odd, so that it is not taken for a tie */
    top = top << 1 | (a->w[i - 2] != 0);
    if (a->w[i] >> 31)
        top = (uint64_t)a->w[i] << 32 | a->w[i - 1] | 1;
    else
        return ldexp((double)top, exponent + 32 * (i - 1) - 1);
    return ldexp((double)top, exponent + 32 * (i - 1));
}
