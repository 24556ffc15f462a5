#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* a member of hr.run/1 has this name */

#include "../../samples/row_component/mean_by_key.c"
#include "help_flow.h"

static struct hr_env env;

static hr_status execute(const char *types, const char *json, const char *column, char **ret)
{
    struct hr_local *local = hr_local_new(&env, &component);
    struct ArrowArrayStream s;
    struct help_rows in, out;
    hr_status r;

    help_rows(types, json, &in);
    help_stream(&in, 3, &s);
    assert_int_equal(hr_local_input(local, "examples", 0, "train", &s), HR_OK);
    help_stream(&in, 3, &s);
    assert_int_equal(hr_local_input(local, "examples", 0, "eval", &s), HR_OK);
    hr_local_set(local, "key", "k");
    hr_local_set(local, "value", column);
    r = hr_local_execute(local);
    if (r == HR_OK) {
        assert_int_equal(hr_local_output(local, "means", 0, "all", &s), HR_OK);
        help_drain(&env, &s, &out);
        *ret = help_text(&out);
        help_clear(&out);
    }
    hr_local_free(local);
    help_clear(&in);
    return r;
}

static void test_means(void **state)
{
    char *text;

    (void)state;
    hr_env_init(&env, NULL);
    assert_int_equal(
        execute("k:%z x:f", "[[\"b\",1],[\"a\",2],[\"b\",2],[null,5],[\"c\",null]]", "x", &text),
        HR_OK);
    assert_string_equal(text, "[null,5.0]\n[\"a\",2.0]\n[\"b\",1.5]\n[\"c\",null]\n");
    free(text);
    assert_int_equal(execute("k:l x:+l", "[[2,[1,2]],[1,[]],[2,[6]]]", "x", &text), HR_OK);
    assert_string_equal(text, "[1,null]\n[2,3.0]\n");
    free(text);
    assert_int_equal(execute("k:l x:z", "[[2,\"a\"]]", "x", &text), HR_INVALID);
    assert_string_equal(hr_env_error(&env),
                        "combine \"mean\": \"x\" is no column of numbers; name one in \"value\"");
    hr_env_clear(&env);
}

/* Accumulators survive as bytes; damaged bytes make none. */
static void test_stored(void **state)
{
    struct acc one = { 1, 2.5, 3 }, two = { 1, -1, 1 };
    void *accs[] = { &one, &two }, *back[2];
    struct ArrowArray bytes;

    (void)state;
    assert_int_equal(mean.serialize(NULL, NULL, accs, 2, &bytes), HR_OK);
    assert_int_equal(mean.deserialize(NULL, NULL, &bytes, back), HR_OK);
    assert_memory_equal(back[0], &one, sizeof one);
    assert_memory_equal(back[1], &two, sizeof two);
    mean.drop_acc(NULL, back[0]);
    mean.drop_acc(NULL, back[1]);
    ((char *)(uintptr_t)bytes.buffers[2])[sizeof one] = 2;
    assert_int_equal(mean.deserialize(NULL, NULL, &bytes, back), HR_DATA_LOSS);
    bytes.release(&bytes);
}

/* Many blocks, each accumulator sent through its bytes: the same means. */
static void test_bytes(void **state)
{
    static const char *const keys[] = { "k", NULL };
    struct help_run how = {
        .function = &mean_function, .config = "x", .config_size = 2, .keys = keys
    };
    struct ArrowArray columns[2];
    struct hr_builder k, x;
    struct help_rows in;
    int64_t i;
    char *text;

    (void)state;
    hr_schema_new("+s", "", 2, &in.schema);
    hr_schema_column(in.schema.children[0], "k", "l", 0);
    hr_schema_column(in.schema.children[1], "x", "f", 0);
    hr_builder_init(&k, "l", 0);
    hr_builder_init(&x, "f", 0);
    for (i = 0; i < 10000; i++) {
        hr_builder_int(&k, i % 3);
        hr_builder_double(&x, (double)(i % 3 * 10));
    }
    hr_builder_done(&k, &columns[0]);
    hr_builder_done(&x, &columns[1]);
    hr_rows_make(columns, 2, 10000, &in.rows);
    text = help_combine_bytes(&how, &in);
    assert_string_equal(text, "[0,0.0]\n[1,10.0]\n[2,20.0]\n");
    free(text);
    help_clear(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests_name("samples/row_component", tests, NULL, NULL);
}
