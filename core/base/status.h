/* status.h - the codes of plugin.h, by name and by errno. */
#ifndef HR_STATUS_H
#define HR_STATUS_H

#include <stdbool.h>

#include "headrace/plugin.h"

/* X(code, text) for each code. */
#define HR_STATUS_LIST(X)                                                                          \
    X(HR_OK, "done")                                                                               \
    X(HR_CANCELLED, "cancelled")                                                                   \
    X(HR_INVALID, "invalid input")                                                                 \
    X(HR_DEADLINE, "the time is over")                                                             \
    X(HR_NOT_FOUND, "not found")                                                                   \
    X(HR_EXISTS, "exists already")                                                                 \
    X(HR_DENIED, "not permitted")                                                                  \
    X(HR_EXHAUSTED, "out of memory, disk or quota")                                                \
    X(HR_PRECONDITION, "not in this state")                                                        \
    X(HR_UNIMPLEMENTED, "not offered here")                                                        \
    X(HR_INTERNAL, "internal error")                                                               \
    X(HR_UNAVAILABLE, "not available now, try again")                                              \
    X(HR_DATA_LOSS, "data is damaged")

/* "no memory" in a few words, for a person.  Never NULL. */
const char *hr_status_text(hr_status status);

/* "HR_NOT_FOUND"; of an unknown code "HR_?".  hr_status_name() of headrace.h is this. */
const char *hr_status_id(hr_status status);

/* Is it one of the codes? */
bool hr_status_known(hr_status status);

/* The code nearest to an errno value, given positive. */
hr_status hr_status_of_errno(int error);

/* What an errno value means, in words that do not depend on the locale. */
const char *hr_errno_text(int error);

#endif
