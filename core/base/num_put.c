/* Binary to decimal text.  Digits come from the C library, which is exact in every locale;
 * only their layout, and the point, are ours. */
#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct digits {
    char d[32];
    int n;   /* significant ones */
    int exp; /* of the first: d[0].d[1]... * 10^exp */
};

/* |v| rounded to n significant digits; v is finite. */
static void get_digits(double v, int n, struct digits *ret)
{
    char text[64];
    const char *p = text;

    snprintf(text, sizeof text, "%.*e", n - 1, fabs(v));
    ret->n = 0;
    ret->exp = 0;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && ret->n < n)
            ret->d[ret->n++] = *p;
    if (*p == 'e') {
        int minus = p[1] == '-';

        for (p += 2; *p >= '0' && *p <= '9'; p++)
            ret->exp = ret->exp * 10 + (*p - '0');
        if (minus)
            ret->exp = -ret->exp;
    }
}

static void strip(struct digits *d)
{
    while (d->n > 1 && d->d[d->n - 1] == '0')
        d->n--;
}

/* One more in the last place. */
static void increment(struct digits *d)
{
    int i = d->n - 1;

    while (i >= 0 && d->d[i] == '9')
        d->d[i--] = '0';
    if (i >= 0) {
        d->d[i]++;
    } else {
        d->d[0] = '1';
        d->exp++;
    }
}

static size_t put_exponent(char *to, int exp)
{
    char *p = to;
    int e = exp < 0 ? -exp : exp;

    *p++ = 'e';
    *p++ = exp < 0 ? '-' : '+';
    if (e >= 100)
        *p++ = (char)('0' + e / 100);
    *p++ = (char)('0' + e / 10 % 10);
    *p++ = (char)('0' + e % 10);
    return (size_t)(p - to);
}

/* Digits with a point, or with an exponent where it is below -4 or at least most. */
static size_t lay_out(char *to, const struct digits *d, bool minus, int most, bool point_zero)
{
    char *p = to;
    int i;

    if (minus)
        *p++ = '-';
    if (d->exp < -4 || d->exp >= most) {
        *p++ = d->d[0];
        if (d->n > 1)
            *p++ = '.';
        for (i = 1; i < d->n; i++)
            *p++ = d->d[i];
        p += put_exponent(p, d->exp);
    } else if (d->exp < 0) {
        *p++ = '0';
        *p++ = '.';
        for (i = -1; i > d->exp; i--)
            *p++ = '0';
        for (i = 0; i < d->n; i++)
            *p++ = d->d[i];
    } else {
        for (i = 0; i <= d->exp; i++)
            *p++ = i < d->n ? d->d[i] : '0';
        if (d->n > d->exp + 1) {
            *p++ = '.';
            for (; i < d->n; i++)
                *p++ = d->d[i];
        } else if (point_zero) {
            *p++ = '.';
            *p++ = '0';
        }
    }
    *p = '\0';
    return (size_t)(p - to);
}

static size_t put_special(char *to, double v)
{
    const char *text = v != v ? "nan" : v < 0 ? "-inf" : "inf";
    size_t n = strlen(text);

    memcpy(to, text, n + 1);
    return n;
}

static bool reads_back(const struct digits *d, double v, bool single)
{
    char text[HR_NUM_TEXT];
    size_t n = lay_out(text, d, v < 0, 0, false);
    double back;
    float small;

    if (single)
        return hr_num_float(text, n, &small) && small == (float)v;
    return hr_num_double(text, n, &back) && back == v;
}

/* n digits that read back.  Below a power of two the neighbour is nearer, so there the
 * nearest digits may fail where the next ones do. */
static bool try_digits(double v, int n, bool single, struct digits *d)
{
    int exp;

    get_digits(v, n, d);
    if (reads_back(d, v, single))
        return true;
    if (fabs(frexp(v, &exp)) != 0.5)
        return false;
    increment(d);
    return reads_back(d, v, single);
}

static size_t put_shortest(char *to, double v, bool single)
{
    int full = single ? 9 : 17, n = single ? 6 : 15;
    struct digits d;

    if (!isfinite(v))
        return put_special(to, v);
    if (v == 0) {
        memcpy(to, "-0.0", 5);
        if (!signbit(v))
            memmove(to, to + 1, 4);
        return strlen(to);
    }
    if (fabs(v) < (single ? 1.17549435e-38 : 2.2250738585072014e-308))
        n = 1; /* subnormals need fewer */
    while (n < full && !try_digits(v, n, single, &d))
        n++;
    if (n == full)
        get_digits(v, full, &d);
    strip(&d);
    return lay_out(to, &d, v < 0, 16, true);
}

size_t hr_num_put_double(char *to, double v)
{
    size_t n;

    if (v != 0 && fabs(v) < 1e15 && v == floor(v)) {
        n = hr_num_put_int(to, (int64_t)v);
        memcpy(to + n, ".0", 3);
        return n + 2;
    }
    return put_shortest(to, v, false);
}

size_t hr_num_put_float(char *to, float v)
{
    return put_shortest(to, (double)v, true);
}

size_t hr_num_put_digits(char *to, double v, int digits)
{
    struct digits d;

    if (!isfinite(v))
        return put_special(to, v);
    get_digits(v, digits, &d);
    strip(&d);
    if (v == 0)
        d.exp = 0;
    return lay_out(to, &d, signbit(v), digits, false);
}

size_t hr_num_put_fixed(char *to, double v, int places)
{
    char text[64];
    size_t i, k = 0;

    if (!isfinite(v) || fabs(v) >= 1e15)
        return hr_num_put_digits(to, v, 17);
    snprintf(text, sizeof text, "%.*f", places, v);
    for (i = 0; text[i] && k + 1 < HR_NUM_TEXT; i++) {
        if ((text[i] >= '0' && text[i] <= '9') || text[i] == '-')
            to[k++] = text[i];
        else if (k && to[k - 1] != '.')
            to[k++] = '.';
    }
    to[k] = '\0';
    return k;
}

size_t hr_num_put_uint(char *to, uint64_t v)
{
    char back[24];
    size_t n = 0, i;

    do {
        back[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (i = 0; i < n; i++)
        to[i] = back[n - 1 - i];
    to[n] = '\0';
    return n;
}

size_t hr_num_put_int(char *to, int64_t v)
{
    if (v >= 0)
        return hr_num_put_uint(to, (uint64_t)v);
    to[0] = '-';
    return 1 + hr_num_put_uint(to + 1, 0 - (uint64_t)v);
}
