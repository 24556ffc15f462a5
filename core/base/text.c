#include "base/text.h"

#include <string.h>

bool hr_text_eq(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

bool hr_text_starts(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

bool hr_text_ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), k = strlen(suffix);

    return k <= n && !memcmp(text + n - k, suffix, k);
}

bool hr_slice_eq(struct hr_slice a, const char *b)
{
    return a.len == strlen(b) && (!a.len || !memcmp(a.text, b, a.len));
}

int hr_bytes_compare(const void *a, size_t na, const void *b, size_t nb)
{
    size_t n = na < nb ? na : nb;
    int c = n ? memcmp(a, b, n) : 0;

    return c ? c : (na > nb) - (na < nb);
}

/* Bytes of the character at p, 0 if it is none; RFC 3629. */
static int length(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first, low, high; /* of the second byte */
    } odd[] = { { 0xE0, 0xA0, 0xBF },   /* two bytes would do */
                { 0xED, 0x80, 0x9F },   /* half of a surrogate pair */
                { 0xF0, 0x90, 0xBF },   /* three bytes would do */
                { 0xF4, 0x80, 0x8F } }; /* beyond U+10FFFF */
    unsigned char low = 0x80, high = 0xBF;
    int k, i;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    k = 2 + (p[0] >= 0xE0) + (p[0] >= 0xF0);
    if ((size_t)k > n)
        return 0;
    for (i = 0; i < 4; i++)
        if (p[0] == odd[i].first) {
            low = odd[i].low;
            high = odd[i].high;
        }
    if (p[1] < low || p[1] > high)
        return 0;
    for (i = 2; i < k; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return k;
}

size_t hr_utf8_valid(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    size_t i = 0;
    uint64_t eight;
    int k;

    while (i < n) {
        if (n - i >= 8) {
            memcpy(&eight, p + i, 8);
            if (!(eight & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        if (!(k = length(p + i, n - i)))
            break;
        i += (size_t)k;
    }
    return i;
}

int32_t hr_utf8_next(const char **p, const char *end)
{
    const unsigned char *s = (const unsigned char *)*p;
    int k = length(s, (size_t)(end - *p));
    int32_t c;

    *p += k ? k : 1;
    switch (k) {
    case 1:
        return s[0];
    case 2:
        return (s[0] & 0x1F) << 6 | (s[1] & 0x3F);
    case 3:
        return (s[0] & 0x0F) << 12 | (s[1] & 0x3F) << 6 | (s[2] & 0x3F);
    case 4:
        c = (s[0] & 0x07) << 18 | (s[1] & 0x3F) << 12 | (s[2] & 0x3F) << 6 | (s[3] & 0x3F);
        return c;
    default:
        return -1;
    }
}

/* Ranges that take two columns (East Asian wide and fullwidth, emoji) or none (marks). */
struct range {
    int32_t from, to;
};
static const struct range wide[] = {
    { 0x1100, 0x115F },   { 0x231A, 0x231B },   { 0x2329, 0x232A },   { 0x23E9, 0x23EC },
    { 0x25FD, 0x25FE },   { 0x2614, 0x2615 },   { 0x2648, 0x2653 },   { 0x26A1, 0x26A1 },
    { 0x2705, 0x2705 },   { 0x274C, 0x274C },   { 0x2E80, 0x303E },   { 0x3041, 0x33FF },
    { 0x3400, 0x4DBF },   { 0x4E00, 0x9FFF },   { 0xA000, 0xA4CF },   { 0xA960, 0xA97F },
    { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },   { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },
    { 0xFFE0, 0xFFE6 },   { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF },
    { 0x20000, 0x3FFFD },
};
static const struct range none[] = {
    { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x0610, 0x061A },
    { 0x064B, 0x065F }, { 0x0E31, 0x0E31 }, { 0x0E34, 0x0E3A }, { 0x1AB0, 0x1AFF },
    { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F },
    { 0xFE20, 0xFE2F }, { 0xFEFF, 0xFEFF },
};

static bool within(const struct range *ranges, size_t n, int32_t c)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

int hr_utf8_width(const char *text, size_t n)
{
    const char *end = text + n;
    int width = 0;

    while (text < end) {
        int32_t c = hr_utf8_next(&text, end);

        if (c < 0)
            width++;
        else if (c < 32 || (c >= 127 && c < 160))
            continue;
        else if (c < 0x300)
            width++;
        else if (within(wide, sizeof wide / sizeof wide[0], c))
            width += 2;
        else if (!within(none, sizeof none / sizeof none[0], c))
            width++;
    }
    return width;
}

bool hr_glob(const char *pattern, const char *name)
{
    const char *star = NULL, *back = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            back = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

enum { MEANT_MAX = 64 };

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static int least(int a, int b, int c)
{
    int m = a < b ? a : b;

    return m < c ? m : c;
}

static int distance(const char *a, int n, const char *b, int m)
{
    int d[3][MEANT_MAX + 1];
    int i, j;

    for (j = 0; j <= m; j++)
        d[0][j] = j;
    for (i = 1; i <= n; i++) {
        int *now = d[i % 3], *last = d[(i + 2) % 3], *before = d[(i + 1) % 3];

        now[0] = i;
        for (j = 1; j <= m; j++) {
            int same = lower(a[i - 1]) == lower(b[j - 1]);

            now[j] = least(now[j - 1] + 1, last[j] + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return d[n % 3][m];
}

const char *hr_text_meant(const char *word, const char *const *names, size_t n)
{
    size_t len = strlen(word), i;
    const char *best = NULL;
    int least_d = 0;

    if (!len || len > MEANT_MAX)
        return NULL;
    for (i = 0; i < n; i++) {
        size_t m = strlen(names[i]);
        int d;

        if (m > MEANT_MAX)
            continue;
        d = distance(word, (int)len, names[i], (int)m);
        if (3 * (size_t)d <= (len > m ? len : m) && (!best || d < least_d)) {
            best = names[i];
            least_d = d;
        }
    }
    return best;
}

int hr_text_order(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}
