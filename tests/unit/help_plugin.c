#include "help_plugin.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const hr_component *help_component(const char *family, const char *id)
{
    char exe[HR_MAX_PATH], path[HR_MAX_PATH + 64];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    const hr_component *const *c;
    const hr_plugin *plugin;
    void *so;

    assert_true(n > 0);
    exe[n] = '\0';
    *strrchr(exe, '/') = '\0';
    snprintf(path, sizeof path, "%s/../" HR_TEST_STANDARD "/%s.so", exe, family);
    so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!so)
        fail_msg("%s", dlerror());
    plugin = dlsym(so, "hr_plugin_v1");
    assert_non_null(plugin);
    for (c = plugin->components; *c; c++)
        if (!strcmp((*c)->id, id))
            return *c;
    fail_msg("%s has no %s", path, id);
    return NULL;
}

void help_directory(char *ret, size_t n)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(ret, n, "%s/headrace-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(ret));
}

void help_remove(struct hr_env *env, const char *dir)
{
    assert_int_equal(hr_tree_remove(env, dir), HR_OK);
}

void help_artifact(struct hr_env *env, struct hr_local *local, const char *key, const char *dir,
                   const char *name)
{
    char path[HR_MAX_PATH];

    assert_int_equal(hr_path_join(env, dir, name, path), HR_OK);
    assert_int_equal(hr_dir_make(env, path), HR_OK);
    assert_int_equal(hr_local_path(local, key, 0, path), HR_OK);
}

void help_property(struct hr_local *local, const char *key, const char *name, const char *value)
{
    const hr_host *host = hr_local_host(local);
    const hr_run_1 *rt = host->get_interface(host, HR_RUN);

    assert_int_equal(rt->set_text(hr_local_run(local), key, 0, name, value), HR_OK);
}

void help_read(struct hr_env *env, const char *dir, const char *name, struct hr_buf *to)
{
    char path[HR_MAX_PATH];

    assert_int_equal(hr_path_join(env, dir, name, path), HR_OK);
    if (hr_file_read(env, path, HR_MAX_FILE_BYTES, to) < 0)
        fail_msg("%s", hr_env_error(env));
}
