/* Any bytes as a CSV file: opened, read whole, each batch sound; or one sentence. */
#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "wire/wire.h"

/* A twin of the OS table with one file, the input. */
struct twin {
    struct hr_os os;
    const uint8_t *data;
    size_t size;
};

static int twin_open(void *user, const char *path, int flags, uint32_t mode)
{
    (void)user, (void)path, (void)flags, (void)mode;
    return 3;
}

static int twin_close(void *user, int fd)
{
    (void)user, (void)fd;
    return 0;
}

static int twin_fstat(void *user, int fd, struct hr_stat *ret)
{
    (void)fd;
    memset(ret, 0, sizeof *ret);
    ret->size = ((struct twin *)user)->size;
    ret->is_file = true;
    return 0;
}

static int twin_map(void *user, int fd, size_t n, const void **ret)
{
    void *copy = malloc(n); /* of the exact size, so that a read past the end is seen */

    (void)fd;
    if (!copy)
        return -12;
    memcpy(copy, ((struct twin *)user)->data, n);
    *ret = copy;
    return 0;
}

static void twin_unmap(void *user, const void *p, size_t n)
{
    (void)user, (void)n;
    free((void *)(uintptr_t)p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct twin twin = { .os = *hr_os_default(), .data = data, .size = size };
    struct hr_env_config config = { .os = &twin.os, .threads = 1, .batch_rows = 4096 };
    const char *path = "a.csv";
    struct ArrowArray rows;
    struct hr_csv *csv;
    struct hr_env env;
    size_t i;

    twin.os.user = &twin;
    twin.os.open = twin_open;
    twin.os.close = twin_close;
    twin.os.fstat = twin_fstat;
    twin.os.map = twin_map;
    twin.os.unmap = twin_unmap;
    hr_env_init(&env, &config);
    if (hr_csv_open(&env, &path, 1, 0, &csv) < 0) {
        if (!hr_env_error(&env)[0])
            abort();
    } else {
        for (i = 0; i < hr_csv_chunks(csv); i++) {
            if (hr_csv_chunk(csv, i, &rows) < 0 ||
                hr_arrow_check(&env, hr_csv_schema(csv), &rows, "csv") < 0)
                abort();
            HR_RELEASE(&rows);
        }
        hr_csv_close(csv);
    }
    hr_env_clear(&env);
    return 0;
}
