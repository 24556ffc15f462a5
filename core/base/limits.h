/* limits.h - the largest of everything that comes from outside, each with its reason. */
#ifndef HR_LIMITS_H
#define HR_LIMITS_H

enum {
    HR_MAX_ERRORS = 200,         /* kept in an env: a person reads no more */
    HR_MAX_ERROR_TEXT = 4096,    /* of one error */
    HR_MAX_JSON_DEPTH = 200,     /* below cJSON's own limit of 1 000 */
    HR_MAX_JSON_BYTES = 1 << 26, /* 64 MiB: a pipeline, a config, a plan */
    HR_MAX_PATH = 4096,          /* PATH_MAX of Linux, the '\0' counted */
    HR_MAX_COLUMNS = 100000,     /* of a table: memory per column is a few hundred bytes */
    HR_MAX_DIR_ENTRIES = 1 << 20,
    HR_MAX_THREADS = 256
};

/* One value, record or cell; larger ones are blobs and belong into files of their own. */
#define HR_MAX_VALUE_BYTES ((size_t)1 << 30)
/* A whole file that is read into memory at once. */
#define HR_MAX_FILE_BYTES ((size_t)1 << 31)

#endif
