#include "plugin/version.h"

#include <string.h>

/* -- versions -------------------------------------------------------------------- */

static bool read_number(const char **at, int64_t *ret)
{
    const char *p = *at;
    int64_t n = 0;

    while (*p >= '0' && *p <= '9' && p - *at < 9)
        n = n * 10 + (*p++ - '0');
    if (p == *at || (*p >= '0' && *p <= '9'))
        return false;
    *at = p;
    *ret = n;
    return true;
}

static bool word_ok(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.';
}

/* "-rc.1" or "+build": at least one letter; the end of it. */
static const char *read_tail(const char *p)
{
    const char *start = ++p;

    while (word_ok(*p))
        p++;
    return p == start ? NULL : p;
}

bool hr_version_read(const char *text, struct hr_version *ret)
{
    struct hr_version v = { .pre = "" };
    const char *p = text, *end;

    while (v.given < 3) {
        if (!read_number(&p, &v.numbers[v.given]))
            return false;
        v.given++;
        if (*p != '.')
            break;
        p++;
        if (v.given == 3)
            return false;
    }
    if (*p == '-') {
        if (!(end = read_tail(p)))
            return false;
        v.pre = p + 1;
        v.pre_len = (size_t)(end - v.pre);
        p = end;
    }
    if (*p == '+' && !(p = read_tail(p)))
        return false;
    if (*p || (p > text && p[-1] == '.' && !v.pre_len))
        return false;
    *ret = v;
    return true;
}

static bool all_digits(const char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return n > 0;
}

/* One word of a pre-release: numbers by value and below words, words by bytes. */
static int order_words(const char *a, size_t na, const char *b, size_t nb)
{
    bool da = all_digits(a, na), db = all_digits(b, nb);
    int order;

    if (da != db)
        return da ? -1 : 1;
    if (da) {
        for (; na && *a == '0'; a++, na--)
            ;
        for (; nb && *b == '0'; b++, nb--)
            ;
        if (na != nb)
            return na < nb ? -1 : 1;
    }
    order = memcmp(a, b, na < nb ? na : nb);
    return order ? order : na < nb ? -1 : na > nb;
}

static size_t word_length(const char *p, size_t n)
{
    const char *dot = n ? memchr(p, '.', n) : NULL;

    return dot ? (size_t)(dot - p) : n;
}

static int order_pre(const struct hr_version *a, const struct hr_version *b)
{
    const char *p = a->pre, *q = b->pre;
    size_t np = a->pre_len, nq = b->pre_len;

    if (!np || !nq) /* a release is above its pre-releases */
        return np ? -1 : nq ? 1 : 0;
    for (;;) {
        size_t wp = word_length(p, np), wq = word_length(q, nq);
        int order = order_words(p, wp, q, wq);

        if (order)
            return order;
        if (wp == np || wq == nq)
            return wp == np ? (wq == nq ? 0 : -1) : 1;
        p += wp + 1;
        np -= wp + 1;
        q += wq + 1;
        nq -= wq + 1;
    }
}

static int order_numbers(const struct hr_version *a, const struct hr_version *b)
{
    int i;

    for (i = 0; i < 3; i++)
        if (a->numbers[i] != b->numbers[i])
            return a->numbers[i] < b->numbers[i] ? -1 : 1;
    return 0;
}

int hr_version_order(const struct hr_version *a, const struct hr_version *b)
{
    int order = order_numbers(a, b);

    return order ? order : order_pre(a, b);
}

int hr_version_compare(const char *a, const char *b)
{
    struct hr_version x, y;
    bool reads = hr_version_read(a, &x), other = hr_version_read(b, &y);

    if (reads && other)
        return hr_version_order(&x, &y);
    return reads != other ? (reads ? 1 : -1) : strcmp(a, b);
}

/* -- ranges ---------------------------------------------------------------------- */

/* The number at an index, which is the last that may not change, goes up by one. */
static void set_end(struct hr_range *range, int index)
{
    range->below = (struct hr_version){ .given = 3, .pre = "" };
    memcpy(range->below.numbers, range->from.numbers,
           (size_t)(index + 1) * sizeof range->from.numbers[0]);
    range->below.numbers[index]++;
}

/* The first number that is not 0, of those that were given. */
static int leading(const struct hr_version *v)
{
    int i;

    for (i = 0; i + 1 < v->given && !v->numbers[i]; i++)
        ;
    return i;
}

bool hr_range_read(const char *text, struct hr_range *ret)
{
    char first = *text;
    struct hr_range range = { .exact = false };

    if (first == '>' && text[1] != '=')
        return false;
    text += first == '>' ? 2 : first == '^' || first == '~' || first == '=';
    if (!hr_version_read(text, &range.from))
        return false;
    if (first == '^')
        set_end(&range, leading(&range.from));
    else if (first == '~')
        set_end(&range, range.from.given > 1 ? 1 : 0);
    else
        range.exact = first != '>';
    *ret = range;
    return true;
}

bool hr_range_fits(const struct hr_range *range, const char *version)
{
    struct hr_version v;

    if (!hr_version_read(version, &v))
        return false;
    if (range->exact)
        return hr_version_order(&v, &range->from) == 0;
    if (v.pre_len && (!range->from.pre_len || order_numbers(&v, &range->from) != 0))
        return false;
    return hr_version_order(&v, &range->from) >= 0 &&
           (!range->below.given || order_numbers(&v, &range->below) < 0);
}
