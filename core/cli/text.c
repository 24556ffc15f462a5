/* Texts of the command: names that were meant, JSON literals, text that grows, wrapping. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Letters that must be changed to come from a to b; two that were swapped count as one. */
static int distance(const char *a, const char *b)
{
    int d[32][32], n = (int)strlen(a), m = (int)strlen(b), i, j;

    if (n > 31 || m > 31)
        return 99;
    for (i = 0; i <= n; i++)
        d[i][0] = i;
    for (j = 0; j <= m; j++)
        d[0][j] = j;
    for (i = 1; i <= n; i++)
        for (j = 1; j <= m; j++) {
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[n][m];
}

const char *meant(const char *word, const char *const *names, size_t n)
{
    int least = strlen(word) < 4 ? 2 : 3, d;
    const char *best = NULL;
    size_t i;

    for (i = 0; i < n; i++)
        if ((d = distance(word, names[i])) < least) {
            least = d;
            best = names[i];
        }
    return best;
}

char *json_quote(const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char *to = malloc(6 * strlen(text) + 3), *p = to;

    if (!to)
        return NULL;
    *p++ = '"';
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        } else if (c < 32) {
            memcpy(p, "\\u00", 4);
            p[4] = hex[c >> 4];
            p[5] = hex[c & 15];
            p += 6;
        } else {
            *p++ = (char)c;
        }
    }
    *p++ = '"';
    *p = '\0';
    return to;
}

/* The bytes of the UTF-8 character at the beginning of n bytes; 0: there is none. */
static size_t character(const unsigned char *s, size_t n)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t size = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4, i;
    unsigned code = s[0] & (0xffu >> (size + 1));

    if (size == 1)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4 || size > n)
        return 0;
    for (i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    return code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? size : 0;
}

char *utf8_of(const char *bytes, size_t n)
{
    char *to = malloc(3 * n + 1), *p = to;
    size_t at, k;

    for (at = 0; to && at < n; at += k ? k : 1) {
        k = character((const unsigned char *)bytes + at, n - at);
        memcpy(p, k ? bytes + at : "\xef\xbf\xbd", k ? k : 3);
        p += k ? k : 3;
    }
    if (to)
        *p = '\0';
    return to;
}

/* The bytes of a control character, 0: it is none; *ret_code is what it is. */
static size_t control(const char *text, bool lines, unsigned *ret_code)
{
    unsigned char c = (unsigned char)text[0], next = c ? (unsigned char)text[1] : 0;

    *ret_code = c == 0xc2 ? next : c;
    if (c == 0xc2)
        return next >= 0x80 && next < 0xa0 ? 2 : 0;
    return (c < 32 && !(lines && (c == '\n' || c == '\t'))) || c == 127;
}

void shown(char *to, size_t n, const char *text, bool lines)
{
    size_t at = 0, k;
    unsigned code;

    while (*text && at + 5 < n)
        if ((k = control(text, lines, &code))) {
            at += (size_t)snprintf(to + at, n - at, "\\x%02x", code);
            text += k;
        } else {
            to[at++] = *text++;
        }
    to[at] = '\0';
}

void put_shown(FILE *f, const char *text)
{
    unsigned code;
    size_t k;

    while (*text)
        if ((k = control(text, true, &code))) {
            fprintf(f, "\\x%02x", code);
            text += k;
        } else {
            fputc(*text++, f);
        }
}

void text_add(struct text *t, const char *bytes)
{
    size_t n = strlen(bytes), cap = t->cap ? t->cap : 256;
    char *more;

    while (cap < t->len + n + 1)
        cap *= 2;
    if (cap != t->cap) {
        if (!(more = realloc(t->bytes, cap))) {
            t->failed = true;
            no_memory();
            return;
        }
        t->bytes = more;
        t->cap = cap;
    }
    memcpy(t->bytes + t->len, bytes, n + 1);
    t->len += n;
}

void text_quoted(struct text *t, const char *bytes)
{
    char *quoted = json_quote(bytes);

    if (quoted) {
        text_add(t, quoted);
    } else {
        t->failed = true;
        no_memory();
    }
    free(quoted);
}

/* One paragraph line: words until the width, behind the indent; the first word stands where the
 * cursor is. */
static const char *put_line(FILE *f, const char *text, int indent, int width)
{
    int used = indent;
    bool first = true;

    while (*text && *text != '\n') {
        int n = (int)strcspn(text, " \n");

        if (!first && used + 1 + n > width) {
            fprintf(f, "\n%*s", indent, "");
            used = indent;
            first = true;
        }
        fprintf(f, "%s%.*s", first ? "" : " ", n, text);
        used += n + !first;
        first = false;
        text += n;
        while (*text == ' ')
            text++;
    }
    return text;
}

void put_wrapped(FILE *f, const char *text, int indent, int width)
{
    while (*text) {
        if (*text == ' ' || *text == '\n') { /* laid out by hand, or empty */
            int n = (int)strcspn(text, "\n");

            fprintf(f, "%.*s", n, text);
            text += n;
        } else {
            text = put_line(f, text, indent, width);
        }
        if (*text == '\n')
            text++;
        if (*text)
            fprintf(f, "\n%*s", *text == '\n' ? 0 : indent, "");
    }
    fputc('\n', f);
}
