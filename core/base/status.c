#include "base/status.h"

#include <errno.h>
#include <stddef.h>

const char *hr_status_text(hr_status status)
{
#define CASE(code, text)                                                                           \
    case code:                                                                                     \
        return text;
    switch (status) {
        HR_STATUS_LIST(CASE)
    default:
        return "unknown error";
    }
#undef CASE
}

bool hr_status_known(hr_status status)
{
#define CASE(code, text) || status == code
    return false HR_STATUS_LIST(CASE);
#undef CASE
}

const char *hr_status_id(hr_status status)
{
#define CASE(code, text)                                                                           \
    case code:                                                                                     \
        return #code;
    switch (status) {
        HR_STATUS_LIST(CASE)
    default:
        return "HR_?";
    }
#undef CASE
}

struct errno_row {
    int error;
    hr_status status;
    const char *text;
};

static const struct errno_row rows[] = {
    { ENOENT, HR_NOT_FOUND, "no such file or directory" },
    { ENOTDIR, HR_NOT_FOUND, "a part of the path is not a directory" },
    { ENODEV, HR_NOT_FOUND, "no such device" },
    { ESRCH, HR_NOT_FOUND, "no such process" },
    { EACCES, HR_DENIED, "permission denied" },
    { EPERM, HR_DENIED, "operation not permitted" },
    { EROFS, HR_DENIED, "the file system is read-only" },
    { EEXIST, HR_EXISTS, "it exists already" },
    { ENOTEMPTY, HR_EXISTS, "the directory is not empty" },
    { EISDIR, HR_INVALID, "it is a directory" },
    { EINVAL, HR_INVALID, "invalid argument" },
    { ELOOP, HR_INVALID, "too many links" },
    { ENAMETOOLONG, HR_INVALID, "the name is too long" },
    { EXDEV, HR_PRECONDITION, "it lies on another file system" },
    { ENOMEM, HR_EXHAUSTED, "no memory" },
    { ENOSPC, HR_EXHAUSTED, "no space left on the disk" },
    { EDQUOT, HR_EXHAUSTED, "the disk quota is used up" },
    { EFBIG, HR_EXHAUSTED, "the file is too large" },
    { EMFILE, HR_EXHAUSTED, "too many open files" },
    { ENFILE, HR_EXHAUSTED, "too many open files in the system" },
    { EAGAIN, HR_UNAVAILABLE, "not available now" },
    { EBUSY, HR_UNAVAILABLE, "it is in use" },
    { EINTR, HR_UNAVAILABLE, "interrupted" },
    { ETXTBSY, HR_UNAVAILABLE, "the program is being written" },
    { EPIPE, HR_UNAVAILABLE, "the other end is closed" },
    { ECONNRESET, HR_UNAVAILABLE, "the other end is gone" },
    { EIO, HR_DATA_LOSS, "the device reports an error" },
    { ENOSYS, HR_UNIMPLEMENTED, "the system does not offer it" },
    { ENOEXEC, HR_INVALID, "not a program for this machine" },
};

static const struct errno_row *find(int error)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].error == error)
            return &rows[i];
    return NULL;
}

hr_status hr_status_of_errno(int error)
{
    const struct errno_row *row = find(error);

    return row ? row->status : HR_INTERNAL;
}

const char *hr_errno_text(int error)
{
    const struct errno_row *row = find(error);

    return row ? row->text : "the system reports an error";
}
