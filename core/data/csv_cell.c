/* What is short and plain is read here; anything else as Python does, by base/num.h. */
#include "data/csv_impl.h"

#include <string.h>

/* 10^k is exact as a double up to 10^22. */
static const double tens[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

/* Up to eight characters as a number, the first in its lowest byte; 0 < n. */
static inline uint64_t some(const char *p, size_t n)
{
    uint64_t x = 0;
    uint32_t a, b;

    if (n == 8) {
        memcpy(&x, p, 8);
        return x;
    }
    if (n >= 4) { /* two that overlap */
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        return a | (uint64_t)b << 8 * (n - 4);
    }
    return (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 * (n / 2) |
           (uint64_t)(unsigned char)p[n - 1] << 8 * (n - 1);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* n digits, 0 < n <= 8, eight at a time: pairs, then fours, then all. */
static inline bool eight(const char *p, size_t n, uint64_t *ret)
{
    uint64_t x = some(p, n);

    if (n < 8)
        x = x << 8 * (8 - n) | UINT64_C(0x3030303030303030) >> 8 * n;
    if (((x & UINT64_C(0xf0f0f0f0f0f0f0f0)) |
         ((x + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) >> 4) !=
        UINT64_C(0x3333333333333333))
        return false;
    x = (x & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    x = (x & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    *ret = (x & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
    return true;
}
#else
static inline bool eight(const char *p, size_t n, uint64_t *ret)
{
    uint64_t v = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned digit = (unsigned)(p[i] - '0');

        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}
#endif

/* n digits, at most 18; none are 0. */
static inline bool digits(const char *p, size_t n, uint64_t *ret)
{
    uint64_t v = 0, low;

    for (; n > 8; n -= 8, p += 8) {
        if (!eight(p, 8, &low))
            return false;
        v = v * 100000000 + low;
    }
    if (n) {
        if (!eight(p, n, &low))
            return false;
        v = v * (uint64_t)tens[n] + low;
    }
    *ret = v;
    return true;
}

/* [-]digits, at most 18 of them. */
static inline bool plain_int(const char *p, size_t n, int64_t *ret)
{
    bool minus = *p == '-';
    uint64_t v;

    p += minus;
    n -= minus;
    if (!n || n > 18 || !digits(p, n, &v))
        return false;
    *ret = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

/* [-]digits.digits, at most 15 of them: both the digits and the power of ten are exact, so one
 * division rounds once. */
static inline bool plain_double(const char *p, size_t n, double *ret)
{
    bool minus = *p == '-';
    uint64_t v, low = 0;
    size_t point, after = 0;

    p += minus;
    n -= minus;
    if (!n || n > 16)
        return false;
    for (point = 0; point < n && p[point] != '.'; point++)
        ;
    if (point < n) {
        after = n - point - 1;
        if (n == 1 || !digits(p + point + 1, after, &low))
            return false;
    }
    if (!digits(p, point, &v))
        return false;
    v = v * (uint64_t)tens[after] + low;
    if (v > 999999999999999)
        return false;
    *ret = (minus ? -(double)v : (double)v) / tens[after];
    return true;
}

int csv_kind(const char *text, size_t n, int have)
{
    static const char starts[] = "0123456789.-+ \t\n\v\f\riInN";
    int64_t i;
    double d;
    bool over = false;

    if (have == CSV_FLOAT && plain_double(text, n, &d))
        return CSV_FLOAT;
    if (plain_int(text, n, &i))
        return CSV_INT;
    /* numbers begin with a sign, a digit, a point, a blank, or inf and nan */
    if (!memchr(starts, text[0], sizeof starts - 1))
        return CSV_TEXT;
    if (plain_double(text, n, &d))
        return CSV_FLOAT;
    if (hr_num_python_int(text, n, &i, &over))
        return over ? CSV_TEXT : CSV_INT;
    return hr_num_python(text, n, &d) ? CSV_FLOAT : CSV_TEXT;
}

int64_t csv_int(const char *text, size_t n)
{
    bool over;
    int64_t v = 0;

    if (!plain_int(text, n, &v))
        hr_num_python_int(text, n, &v, &over);
    return v;
}

float csv_float(const char *text, size_t n)
{
    double v = 0;

    if (!plain_double(text, n, &v))
        hr_num_python(text, n, &v);
    return (float)v;
}
