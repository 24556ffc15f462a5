/* json_scan.h - private to json: where each value of a JSON text stands. */
#ifndef HR_JSON_SCAN_H
#define HR_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/* Byte offsets into the text; key_at is SIZE_MAX where the value is no member. */
struct hr_json_spot {
    size_t from, to, key_at;
};

/* Values in document order, an object or array before what it holds. */
struct hr_json_spots {
    struct hr_json_spot *items;
    size_t count, cap;
};

/* Check n bytes of text against RFC 8259 and the limits.  With comments, those are replaced
 * by blanks in text.  HR_INVALID: told, with the place in the file name. */
hr_status hr_json_scan(struct hr_env *env, const char *name, char *text, size_t n, int flags,
                       struct hr_json_spots *ret);

/* A place in a text: line and column, from 1, of a byte offset. */
struct hr_json_mark {
    size_t at;
    int32_t line, column; /* line 0: nothing was looked for yet */
};

/* Move the mark to an offset: from where it is, if that lies before. */
void hr_json_locate(const char *text, size_t at, struct hr_json_mark *mark);

#endif
