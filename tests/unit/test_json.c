#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static struct hr_json_doc *parse(struct hr_env *env, const char *text, int flags)
{
    struct hr_json_doc *doc = NULL;

    if (hr_json_parse(env, "t.json", text, strlen(text), flags, &doc) < 0)
        return NULL;
    return doc;
}

static void test_good(void **state)
{
    const char *text =
        "{\n  \"a\": [1, -2.5e3, 12345678901234567890], // note\n"
        "  \"b\": {\"c\": \"x\\u00e4\\ud83d\\ude00\\n\", \"d\": null, \"e\": true}\n}";
    const struct hr_json *root, *a, *v;
    struct hr_json_doc *doc;
    struct hr_env env;
    struct hr_place place;
    struct hr_buf out;
    int64_t i = 0;
    double d = 0;

    (void)state;
    hr_env_init(&env, NULL);
    doc = parse(&env, text, HR_JSON_COMMENTS);
    assert_non_null(doc);
    root = hr_json_root(doc);
    a = hr_json_get(root, "a");
    assert_int_equal(hr_json_count(a), 3);
    v = hr_json_first(a);
    assert_true(hr_json_int(doc, v, &i) && i == 1);
    v = hr_json_next(v);
    assert_false(hr_json_int(doc, v, &i));
    assert_true(hr_json_double(doc, v, &d) && d == -2500);
    v = hr_json_next(v);
    assert_false(hr_json_int(doc, v, &i));
    place = hr_json_place(doc, v);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 20);
    v = hr_json_get(hr_json_get(root, "b"), "c");
    assert_string_equal(hr_json_text(v), "x\xc3\xa4\xf0\x9f\x98\x80\n");
    place = hr_json_key_place(doc, v);
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 9);
    hr_buf_of(&out, 1000, &env);
    assert_int_equal(hr_json_print(doc, root, true, &out), HR_OK);
    assert_string_equal(out.text, "{\"a\":[1,-2.5e3,12345678901234567890],\"b\":{\"c\":"
                                  "\"x\xc3\xa4\xf0\x9f\x98\x80\\n\",\"d\":null,\"e\":true}}");
    hr_buf_clear(&out);
    hr_json_free(doc);
    hr_env_clear(&env);
}

static void test_bad(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        { "", "t.json:1:1: it is empty" },
        { "{", "t.json:1:2: the name of a member" },
        { "[1,]", "t.json:1:4: a comma before ]" },
        { "{\"a\":1,}", "t.json:1:8: a comma before }" },
        { "[1 2]", "t.json:1:4: a comma or ]" },
        { "{\"a\" 1}", "t.json:1:6: a colon" },
        { "01", "t.json:1:1: a number may not begin with 0" },
        { "1.", "t.json:1:1: a digit is missing after" },
        { "'a'", "t.json:1:1: texts stand in double quotes" },
        { "\"a\tb\"", "t.json:1:3: a control character" },
        { "\"a\nb\"", "t.json:1:1: this text has no end" },
        { "\"\\x\"", "t.json:1:2: not an escape" },
        { "\"\\u0000\"", "t.json:1:2: \\u0000" },
        { "\"\\ud800\"", "t.json:1:2: the first half" },
        { "\"\\udc00x\"", "t.json:1:2: the second half" },
        { "{} x", "t.json:1:4: text after the end" },
        { "// c\n1", "t.json:1:1: JSON has no comments" },
        { "\xff", "t.json:1:1: not valid UTF-8" },
        { "{\"a\":1,\n \"a\":2}", "t.json:2:2: \"a\" is given twice" },
        { "[tru]", "t.json:1:2: not a value" },
        { "[", "t.json:1:2: a value is missing" },
        { "[1", "t.json:1:3: a ] is missing" },
    };
    struct hr_env env;
    char deep[500];
    size_t i;

    (void)state;
    hr_env_init(&env, NULL);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(parse(&env, rows[i].text, 0));
        if (!hr_text_starts(hr_env_error(&env), rows[i].error))
            fail_msg("%s gives %s", rows[i].text, hr_env_error(&env));
        hr_errors_cut(&env, 0);
    }
    memset(deep, '[', 201);
    deep[201] = '\0';
    assert_null(parse(&env, deep, 0));
    assert_true(strstr(hr_env_error(&env), "deeper than 200"));
    hr_env_clear(&env);
}

static void test_write(void **state)
{
    struct hr_json_writer w;
    struct hr_env env;
    struct hr_buf out;

    (void)state;
    hr_env_init(&env, NULL);
    hr_buf_of(&out, 1000, &env);
    hr_json_begin(&w, &out, 2);
    hr_json_open_object(&w);
    hr_json_put_member_int(&w, "a", -5);
    hr_json_put_key(&w, "b");
    hr_json_open_array(&w);
    hr_json_put_double(&w, 0.1);
    hr_json_put_text(&w, "q\"\x01");
    hr_json_close_array(&w);
    hr_json_put_key(&w, "c");
    hr_json_open_object(&w);
    hr_json_close_object(&w);
    hr_json_close_object(&w);
    assert_int_equal(hr_json_end(&w), HR_OK);
    assert_string_equal(out.text,
                        "{\n  \"a\": -5,\n  \"b\": [\n    0.1,\n    \"q\\\"\\u0001\"\n  ],"
                        "\n  \"c\": {}\n}");
    hr_buf_cut(&out, 0);
    hr_json_begin(&w, &out, 0);
    w.spaced = w.ascii = true;
    hr_json_open_array(&w);
    hr_json_put_int(&w, 1);
    hr_json_put_text(&w, "\xc3\xa4\xf0\x9f\x98\x80");
    hr_json_close_array(&w);
    assert_int_equal(hr_json_end(&w), HR_OK);
    assert_string_equal(out.text, "[1, \"\\u00e4\\ud83d\\ude00\"]");
    hr_buf_clear(&out);
    hr_env_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                        cmocka_unit_test(test_write) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
