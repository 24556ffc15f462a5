/* Files of minisign: keys and signatures.  Secret keys that are encrypted are left out: scrypt
 * takes a second each. */
#include <stdlib.h>
#include <string.h>

#include "registry/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct hr_public_key key, again;
    struct hr_secret_key secret;
    struct hr_signature *sig = malloc(sizeof *sig);
    char *text = malloc(n + 1);
    struct hr_buf line;
    struct hr_env env;

    if (!text || !sig)
        abort();
    memcpy(text, data, n);
    text[n] = '\0';
    hr_env_init(&env, NULL);
    if (hr_public_read(&env, "key", text, n, &key) == HR_OK) {
        hr_buf_of(&line, 100, &env);
        if (hr_public_put(&key, &line) < 0 ||
            hr_public_read(&env, "line", line.text, line.len, &again) < 0 ||
            memcmp(&key, &again, sizeof key) != 0)
            abort();
        hr_buf_clear(&line);
    }
    hr_secret_read(&env, text, n, NULL, &secret);
    if (hr_signature_read(&env, "file", text, n, sig) == HR_OK) {
        memset(&key, 1, sizeof key);
        memcpy(key.id, sig->id, sizeof key.id);
        if (strlen(sig->comment) >= HR_MINISIGN_COMMENT ||
            hr_signature_check(&env, "file", sig, &key, data, n) == HR_OK)
            abort();
    }
    hr_env_clear(&env);
    free(sig);
    free(text);
    return 0;
}
