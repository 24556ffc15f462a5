/* Any bytes as an Arrow file: every batch that is given is sound and can be walked through. */
#include <stdlib.h>
#include <string.h>

#include "headrace/rows.h"
#include "wire/wire.h"

static void walk(const struct ArrowSchema *schema, const struct ArrowArray *rows)
{
    volatile uint8_t sum = 0;
    int64_t k, i, j, n, at;
    const char *bytes;
    struct hr_col c;
    size_t size;

    for (k = 0; k < schema->n_children; k++) {
        if (hr_col_open(schema, rows, k, &c) < 0)
            continue;
        for (i = 0; i < c.length && i < 10000; i++)
            for (n = hr_col_count(&c, i, &at), j = 0; j < n && j < 10000; j++) {
                if (c.kind == HR_COL_BYTES) {
                    bytes = hr_col_bytes(&c, at + j, &size);
                    sum = (uint8_t)(sum + (size ? bytes[0] + bytes[size - 1] : 0));
                } else if (c.kind != HR_COL_NULL) {
                    sum = (uint8_t)(sum + (hr_col_double(&c, at + j) > 0));
                }
            }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy = malloc(size + 1); /* aligned */
    struct ArrowArray rows;
    struct hr_ipc *ipc;
    struct hr_env env;
    size_t i;

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    hr_env_init(&env, NULL);
    if (hr_ipc_over(&env, "a", copy, size, &ipc) == HR_OK) {
        for (i = 0; i < hr_ipc_batches(ipc) && i < 100; i++)
            if (hr_ipc_batch(ipc, i, &rows) == HR_OK) {
                walk(hr_ipc_schema(ipc), &rows);
                HR_RELEASE(&rows);
            }
        hr_ipc_close(ipc);
    } else if (!hr_env_error(&env)[0]) {
        abort();
    }
    hr_env_clear(&env);
    free(copy);
    return 0;
}
