/* Decimal text to binary, correctly rounded.
 *
 * A number is w * 10^e with w of at most 19 digits, exact or cut.
 *  1. w <= 2^53 and |e| <= 22: one exact floating operation (Clinger 1990).
 *  2. |e| <= 27: 5^e fits 63 bits, so w * 5^e or (w << s) / 5^-e is made in 128 bits, with
 *     what is lost known to be zero or not; rounding that is exact.  If digits were cut, w
 *     and w + 1 must give the same result.
 *  3. Else a guess is made in floating point and mended by comparing the text, as a large
 *     integer, with the midpoints between neighbours.
 */
#include "base/num.h"

#include <math.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

/* What a binary format is: bits of the significand with the hidden one, and the exponent of
 * the last bit of the smallest number. */
struct format {
    int digits, low, high; /* high: exponent of the last bit of the largest */
};
static const struct format is_double = { 53, -1074, 971 };
static const struct format is_float = { 24, -149, 104 };

/* [sign] digits [. digits] [e exponent], taken apart. */
struct decimal {
    uint64_t w;       /* the first 19 significant digits */
    int64_t e;        /* of the last digit of w */
    const char *from; /* the digits and the point, from the first that is not 0 */
    const char *to;
    int64_t exponent; /* as written, less the zeros between the point and from */
    bool after_point; /* from stands behind the point */
    bool negative, cut;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool exponent(const char *p, const char *end, int64_t *ret)
{
    bool minus = p < end && *p == '-';
    int64_t e = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    for (; p < end; p++) {
        if (!is_digit(*p))
            return false;
        if (e < 100000000)
            e = e * 10 + (*p - '0');
    }
    *ret = minus ? -e : e;
    return true;
}

/* Digits from p on: the first 19 that count are in d->w, the others only counted. */
static const char *take_digits(const char *p, const char *end, struct decimal *d, int *kept,
                               int64_t *dropped)
{
    for (; p < end && is_digit(*p); p++) {
        if (*kept == 0 && *p == '0') {
            d->from = p + 1;
        } else if (*kept < 19) {
            d->w = d->w * 10 + (uint64_t)(*p - '0');
            ++*kept;
        } else {
            ++*dropped;
            d->cut |= *p != '0';
        }
    }
    return p;
}

static bool take_apart(const char *text, size_t n, struct decimal *d)
{
    const char *p = text, *end = text + n, *whole, *point = NULL;
    int64_t dropped = 0, after = 0;
    int kept = 0;

    *d = (struct decimal){ 0 };
    if (p < end && (*p == '-' || *p == '+'))
        d->negative = *p++ == '-';
    d->from = whole = p;
    p = take_digits(p, end, d, &kept, &dropped);
    if (p < end && *p == '.') {
        point = p;
        p = take_digits(p + 1, end, d, &kept, &dropped);
        after = p - point - 1;
    }
    d->to = p;
    if (p == whole || (point == whole && !after))
        return false;
    if (p < end && ((*p | 32) != 'e' || !exponent(p + 1, end, &d->exponent)))
        return false;
    d->e = d->exponent - after + dropped;
    d->after_point = point && point < d->from;
    if (d->after_point)
        d->exponent -= d->from - point - 1;
    return true;
}

/* The number whose bits, as an integer, count the values of the format from 0 upward. */
static double of_rank(const struct format *f, uint64_t rank)
{
    uint64_t hidden = (uint64_t)1 << (f->digits - 1);
    uint64_t exp = rank / hidden;

    if (!exp)
        return ldexp((double)rank, f->low);
    if ((int64_t)exp - 1 + f->low > f->high)
        return HUGE_VAL;
    return ldexp((double)(rank % hidden + hidden), (int)exp - 1 + f->low);
}

/* Round m * 2^e, and more if sticky, to the nearest of the format, ties to even; m > 0 has
 * enough bits, and the result is not subnormal. */
static double round128(const struct format *f, u128 m, int e, bool sticky)
{
    uint64_t high = (uint64_t)(m >> 64);
    int bits = high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)m);
    int drop = bits - f->digits;
    uint64_t q;

    if (drop > 0) {
        u128 rest = m & (((u128)1 << drop) - 1), half = (u128)1 << (drop - 1);

        q = (uint64_t)(m >> drop);
        if (rest > half || (rest == half && (sticky || (q & 1))))
            q++;
        e += drop;
    } else {
        q = (uint64_t)m;
    }
    if (e + (q >> f->digits ? 1 : 0) > f->high)
        return HUGE_VAL;
    return ldexp((double)q, e);
}

static double exact128(const struct format *f, uint64_t w, int e)
{
    uint64_t five = 1;
    int i, shift;
    u128 m;

    for (i = 0; i < (e < 0 ? -e : e); i++)
        five *= 5;
    if (e >= 0)
        return round128(f, (u128)w * five, e, false);
    shift = 63 + __builtin_clzll(w);
    m = (u128)w << shift;
    return round128(f, m / five, e - shift, m % five != 0);
}

/* -- large integers, for what is left -------------------------------------- */

enum { LIMBS = 320, MAX_DIGITS = 800 };

struct big {
    uint32_t limb[LIMBS];
    int n;
};

static void big_mul_add(struct big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    int i;

    for (i = 0; i < b->n; i++) {
        carry += (uint64_t)b->limb[i] * factor;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry && b->n < LIMBS)
        b->limb[b->n++] = (uint32_t)carry;
}

static void big_five(struct big *b, int64_t n)
{
    for (; n >= 13; n -= 13)
        big_mul_add(b, 1220703125u, 0);
    for (; n > 0; n--)
        big_mul_add(b, 5, 0);
}

static void big_shift(struct big *b, int64_t n)
{
    int limbs = (int)(n / 32), bits = (int)(n % 32), i;

    if (bits)
        big_mul_add(b, (uint32_t)1 << bits, 0);
    if (!limbs || !b->n || b->n + limbs > LIMBS)
        return;
    for (i = b->n - 1; i >= 0; i--)
        b->limb[i + limbs] = b->limb[i];
    memset(b->limb, 0, (size_t)limbs * sizeof b->limb[0]);
    b->n += limbs;
}

static int big_compare(const struct big *a, const struct big *b)
{
    int i;

    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (i = a->n - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* The digits as an integer with its exponent of ten; digits beyond MAX_DIGITS only break
 * ties, so one more digit stands for them. */
static void digits(const struct decimal *d, struct big *b, int64_t *ret_e)
{
    int64_t e = d->exponent;
    bool point = d->after_point, more = false;
    const char *p;
    int kept = 0;

    b->n = 0;
    for (p = d->from; p < d->to; p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (kept < MAX_DIGITS) {
            big_mul_add(b, 10, (uint32_t)(*p - '0'));
            kept += b->n > 0;
            e -= point;
        } else {
            more |= *p != '0';
            e += !point;
        }
    }
    if (more) {
        big_mul_add(b, 10, 1);
        e--;
    }
    *ret_e = e;
}

/* Is the text below (-1), at (0) or above (1) the midpoint of the values rank, rank + 1? */
static int against_midpoint(const struct format *f, const struct big *text, int64_t e,
                            uint64_t rank)
{
    uint64_t hidden = (uint64_t)1 << (f->digits - 1), exp = rank / hidden;
    uint64_t m = 2 * (exp ? rank % hidden + hidden : rank) + 1;
    int64_t two = (exp ? (int64_t)exp - 1 : 0) + f->low - 1;
    struct big a = *text, b = { { (uint32_t)m, (uint32_t)(m >> 32) }, m >> 32 ? 2 : 1 };

    if (e >= 0)
        big_five(&a, e);
    else
        big_five(&b, -e);
    two -= e; /* 10^e = 5^e 2^e, all powers of two on the side of the midpoint */
    if (two >= 0)
        big_shift(&b, two);
    else
        big_shift(&a, -two);
    return big_compare(&a, &b);
}

static uint64_t rank_of(const struct format *f, double v)
{
    uint64_t hidden = (uint64_t)1 << (f->digits - 1);
    int exp;
    double m;

    if (!(v > 0))
        return 0;
    if (v >= HUGE_VAL)
        return ((uint64_t)(f->high - f->low) + 2) * hidden - 1;
    m = frexp(v, &exp); /* v = m 2^exp, m in [0.5, 1) */
    exp -= f->digits;
    if (exp > f->high)
        return ((uint64_t)(f->high - f->low) + 2) * hidden - 1;
    if (exp < f->low)
        return (uint64_t)ldexp(v, -f->low);
    return ((uint64_t)(exp - f->low) + 1) * hidden + ((uint64_t)ldexp(m, f->digits) - hidden);
}

/* w * 10^e, about: each step rounds. */
static double about(uint64_t w, int64_t e)
{
    double v = (double)w;

    for (; e > 0 && v < HUGE_VAL; e -= e > 22 ? 22 : e)
        v *= pow(10, (double)(e > 22 ? 22 : e));
    for (; e < 0 && v > 0; e += e < -22 ? 22 : -e)
        v /= pow(10, (double)(e < -22 ? 22 : -e));
    return v;
}

static double by_comparing(const struct format *f, const struct decimal *d, int64_t e_of_digits,
                           const struct big *text)
{
    uint64_t top = ((uint64_t)(f->high - f->low) + 2) << (f->digits - 1);
    uint64_t rank = rank_of(f, about(d->w, d->e));
    int c;

    while (rank < top && (c = against_midpoint(f, text, e_of_digits, rank)) >= 0) {
        if (c == 0 && !(rank & 1))
            break;
        rank++;
    }
    while (rank > 0 && (c = against_midpoint(f, text, e_of_digits, rank - 1)) <= 0) {
        if (c == 0 && !(rank & 1))
            break;
        rank--;
    }
    return of_rank(f, rank);
}

static double convert(const struct format *f, const struct decimal *d)
{
    static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    struct big text;
    double low;
    int64_t e;

    if (!d->w)
        return 0;
    if (!d->cut && d->w <= (uint64_t)1 << 53 && d->e >= -22 && d->e <= 22 && f == &is_double)
        return d->e < 0 ? (double)d->w / tens[-d->e] : (double)d->w * tens[d->e];
    if (d->e >= -27 && d->e <= 27) {
        low = exact128(f, d->w, (int)d->e);
        if (!d->cut || exact128(f, d->w + 1, (int)d->e) == low)
            return low;
    }
    if (d->e > 400)
        return HUGE_VAL;
    if (d->e < -1200)
        return 0;
    digits(d, &text, &e);
    return by_comparing(f, d, e, &text);
}

bool hr_num_double(const char *text, size_t n, double *ret)
{
    struct decimal d;
    double v;

    if (!take_apart(text, n, &d))
        return false;
    v = convert(&is_double, &d);
    *ret = d.negative ? -v : v;
    return true;
}

bool hr_num_float(const char *text, size_t n, float *ret)
{
    struct decimal d;
    float v;

    if (!take_apart(text, n, &d))
        return false;
    v = (float)convert(&is_float, &d);
    *ret = d.negative ? -v : v;
    return true;
}

bool hr_num_int(const char *text, size_t n, int64_t *ret)
{
    bool minus = n && text[0] == '-';
    uint64_t v = 0, most = (uint64_t)INT64_MAX + minus;
    size_t i = n && (text[0] == '-' || text[0] == '+');

    if (i == n)
        return false;
    for (; i < n; i++) {
        if (!is_digit(text[i]))
            return false;
        if (v > (most - (uint64_t)(text[i] - '0')) / 10)
            return false;
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    *ret = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* -- Python's rules -------------------------------------------------------- */

static void trim(const char **text, size_t *n)
{
    static const char blanks[] = " \t\n\v\f\r";

    while (*n && memchr(blanks, **text, 6)) {
        (*text)++;
        (*n)--;
    }
    while (*n && memchr(blanks, (*text)[*n - 1], 6))
        (*n)--;
}

/* Copy without underscores, each of which stands between digits.  false: one does not. */
static bool plain(const char *text, size_t n, char *to, size_t *ret_n)
{
    size_t i, k = 0;

    for (i = 0; i < n; i++) {
        if (text[i] != '_')
            to[k++] = text[i];
        else if (!i || i + 1 == n || !is_digit(text[i - 1]) || !is_digit(text[i + 1]))
            return false;
    }
    *ret_n = k;
    return true;
}

static bool is_word(const char *text, size_t n, const char *word)
{
    size_t i;

    if (strlen(word) != n)
        return false;
    for (i = 0; i < n; i++)
        if ((text[i] | 32) != word[i])
            return false;
    return true;
}

enum { PLAIN_MAX = 1024 };

bool hr_num_python(const char *text, size_t n, double *ret)
{
    bool sign, minus;
    char copy[PLAIN_MAX];

    trim(&text, &n);
    if (memchr(text, '_', n)) {
        if (n > PLAIN_MAX || !plain(text, n, copy, &n))
            return false;
        text = copy;
    }
    if (hr_num_double(text, n, ret))
        return true;
    sign = n && (*text == '-' || *text == '+');
    minus = n && *text == '-';
    text += sign;
    n -= sign;
    if (is_word(text, n, "inf") || is_word(text, n, "infinity"))
        *ret = minus ? -HUGE_VAL : HUGE_VAL;
    else if (is_word(text, n, "nan"))
        *ret = minus ? -(double)NAN : (double)NAN;
    else
        return false;
    return true;
}

bool hr_num_python_int(const char *text, size_t n, int64_t *ret, bool *ret_over)
{
    char copy[PLAIN_MAX];
    size_t i;

    *ret_over = false;
    trim(&text, &n);
    if (memchr(text, '_', n)) {
        if (n > PLAIN_MAX || !plain(text, n, copy, &n))
            return false;
        text = copy;
    }
    if (hr_num_int(text, n, ret))
        return true;
    i = n && (*text == '-' || *text == '+');
    if (i == n)
        return false;
    for (; i < n; i++)
        if (!is_digit(text[i]))
            return false;
    *ret_over = true;
    return true;
}
