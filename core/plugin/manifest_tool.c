/* headrace-manifest SO JSON - writes the manifest of a plugin that was just built. */
#include <dlfcn.h>
#include <stdio.h>

#include "plugin/manifest_of.h"

int main(int argc, char **argv)
{
    uint8_t digest[HR_SHA256_SIZE];
    char hex[HR_SHA256_HEX];
    const hr_plugin *plugin;
    struct hr_env env;
    struct hr_buf text;
    void *so;

    if (argc != 3) {
        fprintf(stderr, "usage: headrace-manifest SO JSON\n");
        return 2;
    }
    hr_env_init(&env, NULL);
    hr_buf_of(&text, HR_MAX_JSON_BYTES, &env);
    so = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    plugin = so ? dlsym(so, "hr_plugin_v1") : NULL;
    if (!plugin) {
        fprintf(stderr, "headrace-manifest: %s\n", dlerror());
        return 1;
    }
    if (hr_file_digest(&env, argv[1], digest, NULL) < 0) {
        fprintf(stderr, "headrace-manifest: %s\n", hr_env_error(&env));
        return 1;
    }
    hr_sha256_hex(digest, hex);
    if (hr_manifest_of(plugin, hex, &text) < 0) {
        fprintf(stderr, "headrace-manifest: %s: %s\n", argv[1], text.text);
        return 1;
    }
    if (hr_buf_char(&text, '\n') < 0)
        hr_fail_memory(&env);
    if (!hr_buf_whole(&text) || hr_file_write(&env, argv[2], text.text, text.len) < 0) {
        fprintf(stderr, "headrace-manifest: %s\n", hr_env_error(&env));
        return 1;
    }
    hr_buf_clear(&text);
    hr_env_clear(&env);
    return 0;
}
