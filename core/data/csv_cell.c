/* What is short and plain is read here; anything else as Python does, by base/num.h. */
#include "data/csv_impl.h"

#include <string.h>
#if defined(__x86_64__) && !defined(HR_SCALAR)
#include <immintrin.h>
#endif

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

/* -- sixteen at a time ------------------------------------------------------------------ */

/* A number without its sign: its digits without the point, and how many are behind it. */
struct plain {
    uint64_t digits;
    size_t after;
    bool point;
};

#if defined(__x86_64__) && !defined(HR_SCALAR)
/* 16 bytes from p on, of which n count.  What lies behind a cell is read along unless it is on the
 * next page, which may not be there. */
__attribute__((no_sanitize("address", "thread"))) static inline __m128i load(const char *p,
                                                                             size_t n)
{
    char copy[16] = "";

    if (((uintptr_t)p & 4095) <= 4096 - 16)
        return _mm_loadu_si128((const __m128i *)(const void *)p);
    memcpy(copy, p, n);
    return _mm_loadu_si128((const __m128i *)(const void *)copy);
}

/* digits.digits of up to 16 characters: *ret_point is where the point is, n if there is none. */
static inline bool shape(__m128i x, size_t n, size_t *ret_point)
{
    __m128i from_0 = _mm_sub_epi8(x, _mm_set1_epi8('0'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(from_0, _mm_set1_epi8(9)), from_0);
    uint32_t all = (1U << n) - 1;
    uint32_t digits = (uint32_t)_mm_movemask_epi8(is_digit) & all;
    uint32_t points = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('.'))) & all;

    *ret_point = points ? (size_t)__builtin_ctz(points) : n;
    return digits && (digits | points) == all && !(points & (points - 1));
}

/* The digits are moved to the right end and over the point, then added by pairs, fours, eights. */
__attribute__((target("sse4.2"))) static inline uint64_t value(__m128i x, size_t n, size_t point)
{
    static const char right[32] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                    -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,
                                    6,  7,  8,  9,  10, 11, 12, 13, 14, 15 };
    static const char upto[32] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
    __m128i v = _mm_sub_epi8(x, _mm_set1_epi8('0'));

    v = _mm_shuffle_epi8(v, _mm_loadu_si128((const __m128i *)(const void *)(right + n)));
    if (point < n)
        v = _mm_blendv_epi8(
            v, _mm_slli_si128(v, 1),
            _mm_loadu_si128((const __m128i *)(const void *)(upto + (n - point - 1))));
    v = _mm_maddubs_epi16(v, _mm_set1_epi16(0x010a));
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00010064));
    v = _mm_packus_epi32(v, v);
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00012710));
    return (uint64_t)(uint32_t)_mm_cvtsi128_si32(v) * 100000000 +
           (uint32_t)_mm_extract_epi32(v, 1);
}

__attribute__((target("sse4.2"))) static inline bool plain_sse(const char *p, size_t n,
                                                               struct plain *ret)
{
    __m128i x = load(p, n);
    size_t point;

    if (!shape(x, n, &point))
        return false;
    ret->point = point < n;
    ret->after = ret->point ? n - point - 1 : 0;
    ret->digits = value(x, n, point);
    return true;
}
#endif

static bool plain_each(const char *p, size_t n, struct plain *ret)
{
    uint64_t v, low = 0;
    size_t point, after = 0;

    for (point = 0; point < n && p[point] != '.'; point++)
        ;
    if (point < n) {
        after = n - point - 1;
        if (n == 1 || !digits(p + point + 1, after, &low))
            return false;
    }
    if (!digits(p, point, &v))
        return false;
    *ret = (struct plain){ v * (uint64_t)tens[after] + low, after, point < n };
    return true;
}

/* digits.digits, 1 to 16 characters: one of the two above. */
typedef bool plain_call(const char *p, size_t n, struct plain *ret);

/* [-]digits, at most 18 of them. */
HR_CPU_INLINE bool plain_int(plain_call *plain, const char *p, size_t n, int64_t *ret)
{
    bool minus = *p == '-';
    struct plain x = { 0 };

    p += minus;
    n -= minus;
    if (!n || n > 18)
        return false;
    if (n > 16 ? !digits(p, n, &x.digits) : !plain(p, n, &x) || x.point)
        return false;
    *ret = minus ? -(int64_t)x.digits : (int64_t)x.digits;
    return true;
}

/* [-]digits.digits, at most 15 of them: both the digits and the power of ten are exact, so one
 * division rounds once. */
HR_CPU_INLINE bool plain_double(plain_call *plain, const char *p, size_t n, double *ret)
{
    bool minus = *p == '-';
    struct plain x;

    p += minus;
    n -= minus;
    if (!n || n > 16 || !plain(p, n, &x) || x.digits > 999999999999999)
        return false;
    *ret = (minus ? -(double)x.digits : (double)x.digits) / tens[x.after];
    return true;
}

/* What a cell is by its shape alone, which most are; CSV_TEXT: it is to be read. */
static inline int kind_of_shape(const char *p, size_t n)
{
#if defined(__x86_64__) && !defined(HR_SCALAR)
    bool minus = *p == '-';
    size_t point;

    p += minus;
    n -= minus;
    if (n - 1 < 16 && shape(load(p, n), n, &point))
        return point < n ? CSV_FLOAT : CSV_INT;
#else
    (void)p, (void)n;
#endif
    return CSV_TEXT;
}

static int kind_by_reading(const char *text, size_t n, int have)
{
    static const char starts[] = "0123456789.-+ \t\n\v\f\riInN";
    int64_t i;
    double d;
    bool over = false;

    if (have == CSV_FLOAT && plain_double(plain_each, text, n, &d))
        return CSV_FLOAT;
    if (plain_int(plain_each, text, n, &i))
        return CSV_INT;
    /* numbers begin with a sign, a digit, a point, a blank, or inf and nan */
    if (!memchr(starts, text[0], sizeof starts - 1))
        return CSV_TEXT;
    if (plain_double(plain_each, text, n, &d))
        return CSV_FLOAT;
    if (hr_num_python_int(text, n, &i, &over))
        return over ? CSV_TEXT : CSV_INT;
    return hr_num_python(text, n, &d) ? CSV_FLOAT : CSV_TEXT;
}

int csv_kind(const char *text, size_t n, int have)
{
    int shape = kind_of_shape(text, n);

    return shape != CSV_TEXT ? shape : kind_by_reading(text, n, have);
}

int csv_kinds(struct csv_cells c, int have)
{
    size_t k;

    for (k = 0; k < c.n && have != CSV_TEXT; k++) {
        const struct hr_slice *cell = &c.cells[k * c.step];
        int kind;

        if (!cell->len)
            continue;
        kind = kind_of_shape(cell->text, cell->len);
        if (kind == CSV_TEXT)
            kind = kind_by_reading(cell->text, cell->len, have);
        have = kind > have ? kind : have;
    }
    return have;
}

/* -- columns ---------------------------------------------------------------------------- */

HR_CPU_INLINE void ints_body(plain_call *plain, struct csv_cells c, int64_t *to)
{
    size_t k;

    for (k = 0; k < c.n; k++) {
        const struct hr_slice *cell = &c.cells[k * c.step];
        int64_t v = 0;
        bool over;

        if (cell->len && !plain_int(plain, cell->text, cell->len, &v))
            hr_num_python_int(cell->text, cell->len, &v, &over);
        to[k] = v;
    }
}

HR_CPU_INLINE void floats_body(plain_call *plain, struct csv_cells c, float *to)
{
    size_t k;

    for (k = 0; k < c.n; k++) {
        const struct hr_slice *cell = &c.cells[k * c.step];
        double v = 0;

        if (cell->len && !plain_double(plain, cell->text, cell->len, &v))
            hr_num_python(cell->text, cell->len, &v);
        to[k] = (float)v;
    }
}

static void ints_each(struct csv_cells c, int64_t *to)
{
    ints_body(plain_each, c, to);
}

static void floats_each(struct csv_cells c, float *to)
{
    floats_body(plain_each, c, to);
}

#if defined(__x86_64__) && !defined(HR_SCALAR)
__attribute__((target("sse4.2"))) static void ints_sse(struct csv_cells c, int64_t *to)
{
    ints_body(plain_sse, c, to);
}

__attribute__((target("sse4.2"))) static void floats_sse(struct csv_cells c, float *to)
{
    floats_body(plain_sse, c, to);
}
#else
#define ints_sse ints_each
#define floats_sse floats_each
#endif

void csv_ints(struct csv_cells c, int64_t *to)
{
    if (hr_cpu_has(HR_CPU_SSE42))
        ints_sse(c, to);
    else
        ints_each(c, to);
}

void csv_floats(struct csv_cells c, float *to)
{
    if (hr_cpu_has(HR_CPU_SSE42))
        floats_sse(c, to);
    else
        floats_each(c, to);
}
