/* text.h - text: UTF-8, comparing, names that may have been meant. */
#ifndef HR_TEXT_H
#define HR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to someone else; text may be NULL if len is 0. */
struct hr_slice {
    const char *text;
    size_t len;
};

static inline struct hr_slice hr_slice(const char *text, size_t len)
{
    return (struct hr_slice){ text, len };
}

bool hr_text_eq(const char *a, const char *b); /* NULL equals NULL only */
bool hr_text_starts(const char *text, const char *prefix);
bool hr_text_ends(const char *text, const char *suffix);
bool hr_slice_eq(struct hr_slice a, const char *b);

/* Byte order, the shorter first where one begins the other: <0, 0, >0. */
int hr_bytes_compare(const void *a, size_t na, const void *b, size_t nb);

/* How many of the bytes are whole, valid UTF-8 (no surrogates, nothing above U+10FFFF). */
size_t hr_utf8_valid(const void *bytes, size_t n);

/* The code point at *p, which moves on; end is the end.  -1: invalid, *p moves by one. */
int32_t hr_utf8_next(const char **p, const char *end);

/* Columns of a terminal that the text takes, by our own table; control characters none. */
int hr_utf8_width(const char *text, size_t n);

/* Does name match a pattern of *, ? and plain bytes?  No recursion, linear in practice. */
bool hr_glob(const char *pattern, const char *name);

/* The name of the list that is nearest to word, near enough to have been meant: at most a
 * third of its letters differ (Damerau-Levenshtein, optimal string alignment).  NULL: none. */
const char *hr_text_meant(const char *word, const char *const *names, size_t n);

/* strcmp for qsort() over const char *. */
int hr_text_order(const void *a, const void *b);

#endif
