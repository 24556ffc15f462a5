/* Any bytes as a CSV file: opened, read whole, each batch sound; or one sentence. */
#include <stdlib.h>

#include "data/data.h"
#include "one_file.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct one_file file;
    struct hr_env_config config = { .os = &file.os, .threads = 1, .batch_rows = 4096 };
    const char *path = "a.csv";
    struct ArrowArray rows;
    struct hr_csv *csv;
    struct hr_env env;
    size_t i;

    one_file_init(&file, data, size);
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
