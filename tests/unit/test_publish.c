/* A model that is published is read once: its weights are packed while they are sealed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_dir.h"

#include "host/package.h"

enum { SIZE = HR_PACKAGE_LARGE + 12345 };

static char dir[HELP_DIR];
static int opened; /* weights, not to be written */

static int counted_open(void *user, const char *path, int flags, uint32_t mode)
{
    size_t n = strlen(path);

    (void)user;
    opened += n > 11 && !strcmp(path + n - 11, "weights.bin") && !(flags & HR_OPEN_WRITE);
    return hr_os_default()->open(NULL, path, flags, mode);
}

static void stage(struct hr_project *p, const char *staged)
{
    char path[HR_MAX_PATH], *bytes = calloc(1, SIZE);

    assert_non_null(bytes);
    bytes[SIZE - 1] = 'x';
    assert_int_equal(hr_dir_make(&p->env, staged), HR_OK);
    assert_int_equal(hr_path_join(&p->env, staged, "weights.bin", path), HR_OK);
    assert_int_equal(hr_file_put(&p->env, path, bytes, SIZE), HR_OK);
    assert_int_equal(hr_path_join(&p->env, staged, "model.json", path), HR_OK);
    assert_int_equal(hr_file_put(&p->env, path, "{}", 2), HR_OK);
    free(bytes);
}

static void tell_store(struct hr_project *p, const struct hr_sealing *s, const char *version,
                       struct hr_meta_node *ret, struct hr_arena *arena)
{
    const struct hr_meta_type type = { .kind = HR_KIND_ARTIFACT, .name = "PushedModel" };
    struct hr_meta_property properties[] = {
        { "__digest", true, { .kind = HR_VALUE_STRING, .text = s->digest } },
        { "model_name", true, { .kind = HR_VALUE_STRING, .text = "m" } },
        { "pushed", true, { .kind = HR_VALUE_INT, .i = 1 } },
        { "pushed_version", true, { .kind = HR_VALUE_STRING, .text = version } },
    };
    struct hr_meta_node node = { .uri = s->place,
                                 .state = HR_ARTIFACT_LIVE,
                                 .properties = properties,
                                 .count = 4 };
    int64_t id = 0;

    assert_int_equal(hr_store_begin(p->store, true), HR_OK);
    assert_int_equal(hr_store_put_type(p->store, &type, &node.type_id), HR_OK);
    assert_int_equal(hr_store_add_artifact(p->store, &node, &id), HR_OK);
    assert_int_equal(hr_store_commit(p->store), HR_OK);
    assert_int_equal(hr_store_get(p->store, HR_KIND_ARTIFACT, id, arena, ret), HR_OK);
}

/* Seal and pack a version; how often its weights were opened, to be read or, once, synced. */
static int publish(struct hr_project *p, const char *version, const char *type)
{
    struct hr_sealing s = { .cache = p->cache, .type = type, .file = hr_host_sealed, .user = p };
    char staged[HR_MAX_PATH], place[HR_MAX_PATH];
    struct hr_meta_node node;
    struct hr_arena arena;
    const char *text;

    hr_arena_init(&arena, &p->env, 0);
    assert_int_equal(hr_path_join(&p->env, p->paths.staging, version, staged), HR_OK);
    assert_int_equal(hr_path_join(&p->env, p->paths.artifacts, version, place), HR_OK);
    stage(p, staged);
    s.staged = staged;
    s.place = place;
    opened = 0;
    assert_int_equal(hr_artifact_seal(&p->env, &s, 1), HR_OK);
    assert_true(!p->ahead == (strcmp(type, "PushedModel") != 0));
    tell_store(p, &s, version, &node, &arena);
    assert_int_equal(hr_model_pack(p, &node, &arena, &text), HR_OK);
    assert_null(p->ahead);
    hr_arena_clear(&arena);
    return opened;
}

static void test_read_once(void **state)
{
    struct hr_os table = *hr_os_default();
    struct hr_project *p = hr_new(NULL);
    struct hr_names names;
    char path[HR_MAX_PATH];

    (void)state;
    assert_non_null(p);
    assert_int_equal(hr_open(p, dir, HR_OPEN_NEW), HR_OK);
    table.open = counted_open;
    p->env.os = &table;
    assert_int_equal(publish(p, "1", "PushedModel"), 2);
    assert_int_equal(publish(p, "2", "Model"), 3);
    assert_int_equal(hr_path_join(&p->env, p->paths.registry, "models", path), HR_OK);
    assert_int_equal(hr_tree_list(&p->env, path, &names), HR_OK);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.names[0], "m/m-1.hrp");
    assert_string_equal(names.names[1], "m/m-2.hrp");
    hr_names_clear(&p->env, &names);
    hr_free(p);
}

/* What nothing comes of is gone with the project. */
static void test_dropped(void **state)
{
    struct hr_project *p = hr_new(NULL);
    uint8_t digest[HR_SHA256_SIZE];
    char staged[HR_MAX_PATH], path[HR_MAX_PATH];
    struct hr_names names;
    struct hr_env env;
    uint64_t size = 0;

    (void)state;
    assert_int_equal(hr_open(p, dir, HR_OPEN_NEW), HR_OK);
    assert_int_equal(hr_path_join(&p->env, p->paths.staging, "3", staged), HR_OK);
    stage(p, staged);
    assert_int_equal(hr_path_join(&p->env, staged, "model.json", path), HR_OK);
    assert_false(hr_host_sealed(p, "PushedModel", path, "model.json", digest, &size));
    assert_int_equal(hr_path_join(&p->env, staged, "weights.bin", path), HR_OK);
    assert_false(hr_host_sealed(p, "PushedModel", path, "a name", digest, &size));
    assert_int_equal(p->env.errors.count, 0);
    assert_true(hr_host_sealed(p, "PushedModel", path, "weights.bin", digest, &size));
    assert_int_equal(size, SIZE);
    assert_false(hr_host_sealed(p, "PushedModel", path, "weights.bin", digest, &size));
    assert_int_equal(hr_path_join(&p->env, p->paths.registry, "models", path), HR_OK);
    hr_free(p);
    hr_env_init(&env, NULL);
    assert_int_equal(hr_dir_list(&env, path, &names), HR_OK);
    assert_int_equal(names.count, 1); /* the directory "m" */
    hr_names_clear(&env, &names);
    hr_env_clear(&env);
}

static int setup(void **state)
{
    (void)state;
    return help_dir_make("publish", dir);
}

static int teardown(void **state)
{
    (void)state;
    return help_dir_remove(dir);
}

static int unsaid_stat(void *user, const char *path, bool follow, struct hr_stat *ret)
{
    (void)user, (void)path, (void)follow, (void)ret;
    return -EIO;
}

/* Where the system does not say what is there, that is told: taken for a file, a directory would be
 * damaged, and moved away by doctor; taken for nothing, it would lack in a package, or nobody else
 * would be at work. */
static void test_unsaid(void **state)
{
    struct hr_os os = *hr_os_default();
    struct hr_meta_node schema = { .type = "Schema", .uri = dir };
    struct hr_project *p = hr_new(NULL);
    char digest[HR_SHA256_HEX];
    struct hr_buf content;
    bool others;

    (void)state;
    assert_non_null(p);
    os.stat = unsaid_stat;
    p->env.os = &os;
    hr_buf_of(&content, 1000, &p->env);
    assert_int_equal(hr_artifact_digest(&p->env, NULL, dir, digest), HR_DATA_LOSS);
    assert_int_equal(hr_content_of(p, &schema, &content), HR_DATA_LOSS);
    assert_int_equal(hr_host_others(&p->env, &p->paths, "", &others), HR_DATA_LOSS);
    p->env.os = hr_os_default();
    hr_buf_clear(&content);
    hr_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_once),
        cmocka_unit_test(test_unsaid),
        cmocka_unit_test(test_dropped),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
