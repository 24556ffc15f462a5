#include "help_proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void help_case(struct hr_env *env, const char *dir, const char *name, struct hr_buf *to)
{
    char path[HR_MAX_PATH];

    snprintf(path, sizeof path, "%s/%s/%s", HR_TEST_CASES, dir, name);
    if (hr_file_read(env, path, HR_MAX_FILE_BYTES, to) < 0)
        fail_msg("%s", hr_env_error(env));
}

void *help_message(struct hr_arena *arena, const char *dir, const char *name,
                   const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = NULL;
    struct hr_buf b;
    hr_status r;

    hr_buf_of(&b, HR_MAX_FILE_BYTES, arena->env);
    help_case(arena->env, dir, name, &b);
    if (hr_text_ends(name, "pbtxt"))
        r = hr_pb_text_read(arena, type, name, b.text, b.len, &m);
    else
        r = hr_pb_read(arena, type, name, b.text, b.len, &m);
    hr_buf_clear(&b);
    if (r < 0)
        fail_msg("%s: %s", dir, hr_env_error(arena->env));
    return m;
}

void help_same_text(const char *what, const char *got, const char *want)
{
    size_t line = 1, n, k;

    for (;; line++) {
        n = strcspn(got, "\n");
        k = strcspn(want, "\n");
        if (n != k || memcmp(got, want, n) != 0 || got[n] != want[k])
            fail_msg("%s: line %zu is\n  %.*s\nand should be\n  %.*s", what, line, (int)n, got,
                     (int)k, want);
        if (!got[n])
            return;
        got += n + 1;
        want += k + 1;
    }
}

void help_same_message(struct hr_env *env, const char *what, const void *got, const void *want)
{
    struct hr_buf a, b;

    hr_buf_of(&a, HR_MAX_FILE_BYTES, env);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, env);
    assert_int_equal(hr_pb_text_write(env, got, &a), HR_OK);
    assert_int_equal(hr_pb_text_write(env, want, &b), HR_OK);
    help_same_text(what, a.text, b.text);
    hr_buf_clear(&a);
    hr_buf_clear(&b);
}
