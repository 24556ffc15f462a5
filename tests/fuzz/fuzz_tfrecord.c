/* Any bytes as a TFRecord file: every record, or one sentence. */
#include <stdlib.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_tfrecords *t;
    const uint8_t *bytes;
    volatile uint8_t sum = 0;
    struct hr_env env;
    hr_status r;
    size_t n, i;

    hr_env_init(&env, NULL);
    if (hr_tfrecords_over(&env, "a", data, size, &t) == HR_OK) {
        while ((r = hr_tfrecords_next(t, &bytes, &n)) == HR_OK && bytes)
            for (i = 0; i < n; i++)
                sum = (uint8_t)(sum + bytes[i]);
        if (r < 0 && !hr_env_error(&env)[0])
            abort();
        hr_tfrecords_close(t);
    }
    hr_env_clear(&env);
    return 0;
}
