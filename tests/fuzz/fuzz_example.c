/* Any bytes as a tf.Example: what is taken is decoded to a sound batch, and its canonical form
 * is what the decoded row is encoded to, but for features without a kind.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

static void decode(struct hr_env *env, struct hr_example_survey *s, const uint8_t *data,
                   size_t size)
{
    struct hr_example_decoder *d;
    struct hr_example_encoder *e;
    struct ArrowSchema schema;
    struct ArrowArray rows;
    const uint8_t *bytes;
    size_t n;

    if (hr_example_survey_schema(s, &schema) < 0)
        abort();
    if (hr_example_decoder_new(env, &schema, &d) < 0 || hr_example_decode(d, data, size) < 0 ||
        hr_example_batch(d, &rows) < 0 || hr_arrow_check(env, &schema, &rows, "example") < 0)
        abort();
    if (hr_example_encoder_new(env, &schema, &e) < 0 || hr_example_encoder_open(e, &rows) < 0 ||
        hr_example_encode(e, 0, &bytes, &n) < 0)
        abort();
    hr_example_encoder_free(e);
    hr_example_decoder_free(d);
    HR_RELEASE(&rows);
    HR_RELEASE(&schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_example_survey *s;
    const uint8_t *bytes;
    struct hr_env env;
    size_t n;

    hr_env_init(&env, NULL);
    if (hr_example_survey_new(&env, &s) < 0)
        abort();
    if (hr_example_survey_add(s, data, size) == HR_OK) {
        decode(&env, s, data, size);
        if (hr_example_canonical(s, data, size, &bytes, &n) < 0)
            abort();
    } else if (!hr_env_error(&env)[0]) {
        abort();
    }
    hr_example_survey_free(s);
    hr_env_clear(&env);
    return 0;
}
