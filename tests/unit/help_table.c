#include "help_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <zlib.h>

#include "help_proto.h"

void help_table(const char *dir, const char *name, struct help_rows *ret)
{
    struct hr_json_doc *doc = NULL;
    struct hr_arena arena;
    struct hr_slice rows;
    struct hr_env env;
    struct hr_buf b;
    char *text;

    hr_env_init(&env, NULL);
    hr_arena_init(&arena, &env, 0);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &env);
    help_case(&env, dir, name, &b);
    if (hr_json_parse(&env, name, b.text, b.len, 0, &doc) < 0)
        fail_msg("%s", hr_env_error(&env));
    rows = hr_json_source(doc, hr_json_get(hr_json_root(doc), "rows"));
    text = hr_arena_bytes(&arena, rows.text, rows.len);
    help_rows(hr_json_text(hr_json_get(hr_json_root(doc), "types")), text, ret);
    hr_json_free(doc);
    hr_buf_clear(&b);
    hr_arena_clear(&arena);
    hr_env_clear(&env);
}

void help_unpack(struct hr_env *env, const char *name, struct hr_buf *to)
{
    char path[HR_MAX_PATH], bytes[65536];
    gzFile f;
    int n;

    assert_int_equal(hr_path_join(env, HR_TEST_CASES "/data", name, path), HR_OK);
    assert_non_null(f = gzopen(path, "rb"));
    while ((n = gzread(f, bytes, sizeof bytes)) > 0)
        assert_int_equal(hr_buf_add(to, bytes, (size_t)n), HR_OK);
    assert_int_equal(n, 0);
    gzclose(f);
}
