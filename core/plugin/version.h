/* version.h - versions as SemVer has them, and ranges of them.
 *
 *     1.2.3, =1.2      that one; what is not said is 0
 *     ^1.2.3           from it on, below the next one that may break: 2.0.0; of 0.2.3, 0.3.0
 *     ~1.2.3           from it on, below 1.3.0; ~1 is below 2.0.0
 *     >=1.2            from it on
 *
 * A pre-release, 1.3.0-rc.1, fits where it is meant: exactly, or by a range that begins with one
 * of the same three numbers.  What follows a "+" counts for nothing.
 */
#ifndef HR_VERSION_H
#define HR_VERSION_H

#include "base/base.h"

struct hr_version {
    int64_t numbers[3];
    int given;           /* of the numbers */
    const char *pre;     /* in the text it was read from */
    size_t pre_len;      /* 0: it is a release */
};

struct hr_range {
    struct hr_version from, below; /* below.given 0: no end */
    bool exact;
};

/* false: it is no version; numbers have at most nine digits. */
bool hr_version_read(const char *text, struct hr_version *ret);

/* < 0, 0 or > 0. */
int hr_version_order(const struct hr_version *a, const struct hr_version *b);

/* The same of texts; what is no version is below all that are, and by its bytes. */
int hr_version_compare(const char *a, const char *b);

/* false: it is no range.  The text has to live as long as *ret. */
bool hr_range_read(const char *text, struct hr_range *ret);
bool hr_range_fits(const struct hr_range *range, const char *version);

#endif
