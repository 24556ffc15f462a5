/* A file of an artifact as it is shown; the first byte says of which kind.  What is shown is
 * JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "one_file.h"
#include "validation/validation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hr_status (*const calls[])(struct hr_env *, const char *, struct hr_buf *) = {
        hr_statistics_json, hr_schema_json, hr_anomalies_json
    };
    struct one_file file;
    struct hr_env_config config = { .os = &file.os, .threads = 1 };
    struct hr_json_doc *doc = NULL;
    struct hr_env env;
    struct hr_buf b;

    if (!size)
        return 0;
    one_file_init(&file, data + 1, size - 1);
    hr_env_init(&env, &config);
    hr_buf_of(&b, 1 << 26, &env);
    if (calls[data[0] % 3](&env, "/d", &b) == HR_OK) {
        if (hr_json_parse(&env, "shown", b.text, b.len, 0, &doc) == HR_INVALID)
            abort();
        hr_json_free(doc);
    } else if (!env.errors.count) {
        abort(); /* a refusal has a reason */
    }
    hr_buf_clear(&b);
    hr_env_clear(&env);
    return 0;
}
