#include <stdint.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_json_doc *doc;
    struct hr_env env;
    struct hr_buf out;

    hr_env_init(&env, NULL);
    if (hr_json_parse(&env, "f", (const char *)data, size, HR_JSON_COMMENTS, &doc) == HR_OK) {
        hr_buf_of(&out, (size_t)1 << 24, &env);
        hr_json_print(doc, hr_json_root(doc), true, &out);
        hr_buf_clear(&out);
        hr_json_free(doc);
    }
    hr_env_clear(&env);
    return 0;
}
