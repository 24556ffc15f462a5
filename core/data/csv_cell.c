/* What is short and plain is read here; anything else as Python does, by base/num.h. */
#include "data/csv_impl.h"

#include <string.h>

/* 10^k is exact as a double up to 10^22. */
static const double tens[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

/* [-]digits, at most 18 of them. */
static inline bool plain_int(const char *p, size_t n, int64_t *ret)
{
    const char *end = p + n;
    bool minus = *p == '-';
    int64_t v = 0;

    p += minus;
    if (p == end || end - p > 18)
        return false;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (digit > 9)
            return false;
        v = v * 10 + (int64_t)digit;
    }
    *ret = minus ? -v : v;
    return true;
}

/* [-]digits.digits, at most 15 of them: both the digits and the power of ten are exact, so one
 * division rounds once. */
static inline bool plain_double(const char *p, size_t n, double *ret)
{
    const char *end = p + n, *point = NULL;
    bool minus = *p == '-';
    int64_t v = 0;

    p += minus;
    if (p == end || end - p > 16)
        return false;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (digit > 9) {
            if (*p != '.' || point)
                return false;
            point = p + 1;
            continue;
        }
        v = v * 10 + (int64_t)digit;
    }
    if (point && n - minus == 1)
        return false;
    if (v > 999999999999999)
        return false;
    *ret = (minus ? -(double)v : (double)v) / tens[point ? end - point : 0];
    return true;
}

int csv_kind(const char *text, size_t n)
{
    static const char starts[] = "0123456789.-+ \t\n\v\f\riInN";
    int64_t i;
    double d;
    bool over = false;

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
