/* The one symbol of the shared object. */
#include <string.h>

#include "registry/minisign.h"
#include "registry/registry.h"

static hr_status key_make(struct hr_env *env, const char *passphrase, char ret_secret[HR_KEY_TEXT],
                          char ret_public[HR_KEY_TEXT])
{
    struct hr_buf secret, text;
    struct hr_secret_key key;
    struct hr_public_key public_key;
    char id[17];
    hr_status r;

    hr_buf_of(&secret, HR_KEY_TEXT - 1, env);
    hr_buf_of(&text, HR_KEY_TEXT - 1, env);
    r = hr_secret_make(env, passphrase, &key, &secret);
    memcpy(public_key.id, key.id, sizeof key.id);
    memcpy(public_key.key, key.key, sizeof key.key);
    hr_forget(&key, sizeof key);
    hr_key_id(public_key.id, id);
    if (r == HR_OK)
        r = hr_buf_format(&text, "untrusted comment: minisign public key %s\n", id);
    if (r == HR_OK)
        r = hr_public_put(&public_key, &text);
    if (r == HR_OK)
        r = hr_buf_char(&text, '\n');
    if (r == HR_OK) {
        memcpy(ret_secret, secret.text, secret.len + 1);
        memcpy(ret_public, text.text, text.len + 1);
    }
    if (secret.len)
        hr_forget(secret.text, secret.len);
    hr_buf_clear(&secret);
    hr_buf_clear(&text);
    return r;
}

static hr_status key_read(struct hr_env *env, const char *name, const char *text, char ret_id[17],
                          char ret_line[64])
{
    struct hr_public_key key;
    struct hr_buf line;
    hr_status r = hr_public_read(env, name, text, strlen(text), &key);

    if (r < 0)
        return r;
    hr_buf_of(&line, 63, env);
    if ((r = hr_public_put(&key, &line)) == HR_OK) {
        hr_key_id(key.id, ret_id);
        memcpy(ret_line, line.text, line.len + 1);
    }
    hr_buf_clear(&line);
    return r;
}

const struct hr_registry_1 hr_registry_v1 = { hr_package_write, hr_package_scan, key_make,
                                              key_read, hr_package_ahead };
