/* The two files of a net: the first line is JSON, what follows the weights. */
#include <string.h>

#include "learn/learn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t n = end ? (size_t)(end - data) : size;
    struct hr_net *net = NULL;
    struct hr_env env;

    hr_env_init(&env, NULL);
    hr_net_read(&env, hr_slice((const char *)data, n),
                hr_slice((const char *)(end ? end + 1 : data + n), end ? size - n - 1 : 0), &net);
    hr_net_free(net);
    hr_env_clear(&env);
    return 0;
}
