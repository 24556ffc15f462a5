#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_fix.h"
#include "help_mem.h"
#include "help_proto.h"

static const char *const sets[] = { "mixed_a", "mixed_b", "penguins_raw", "taxi_10k" };

/* Statistics and anomalies that TFX wrote come back byte for byte. */
static void test_bytes_again(void **state)
{
    static const char *const names[] = { "train.FeatureStats.pb", "eval.FeatureStats.pb" };
    char dir[64];
    struct hr_buf a, b;
    struct fix f;
    size_t i, k;

    (void)state;
    begin(&f);
    for (i = 0; i < 4; i++)
        for (k = 0; k < 2; k++) {
            hr_buf_of(&a, HR_MAX_FILE_BYTES, &f.env);
            hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
            snprintf(dir, sizeof dir, "validation/%s", sets[i]);
            help_case(&f.env, dir, names[k], &a);
            assert_int_equal(hr_pb_write(&f.env,
                                         help_message(&f.arena, dir, names[k],
                                                      &HR_MD_OF(dataset_feature_statistics_list)),
                                         &b),
                             HR_OK);
            assert_int_equal(a.len, b.len);
            assert_memory_equal(a.text, b.text, a.len);
            hr_buf_clear(&a);
            hr_buf_clear(&b);
        }
    end(&f);
}

/* Texts that TFX wrote come back letter for letter. */
static void test_text_again(void **state)
{
    char dir[64];
    struct hr_buf a, b;
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < 4; i++) {
        hr_buf_of(&a, HR_MAX_FILE_BYTES, &f.env);
        hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
        snprintf(dir, sizeof dir, "validation/%s", sets[i]);
        help_case(&f.env, dir, "schema.pbtxt", &a);
        hr_pb_text_write(&f.env, help_message(&f.arena, dir, "schema.pbtxt", &HR_MD_OF(schema)),
                         &b);
        help_same_text(sets[i], b.text, a.text);
        hr_buf_clear(&a);
        hr_buf_clear(&b);
    }
    end(&f);
}

static HR_MD(Schema) * read(struct fix *f, const char *text)
{
    ProtobufCMessage *m = NULL;

    hr_errors_cut(&f->env, 0);
    if (hr_pb_text_read(&f->arena, &HR_MD_OF(schema), "s.pbtxt", text, strlen(text), &m) < 0)
        return NULL;
    return (HR_MD(Schema) *)m;
}

/* All that the format allows in place of what is written here. */
static void test_forms(void **state)
{
    struct fix f;
    struct hr_buf b;
    HR_MD(Schema) * s;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 10000, &f.env);
    s = read(&f, "feature: < name: 'a' \"\\142\\x63\" ; type: 2, presence { min_count: 0x10 } >\n"
                 "# a comment\n"
                 "default_environment: ['x', \"\\u00fc\"] feature { float_domain { min: -inf "
                 "max: 1.5f is_embedding: True } } feature { type: INT int_domain { min: -010 } }");
    assert_non_null(s);
    assert_int_equal(hr_pb_text_write(&f.env, &s->base, &b), HR_OK);
    help_same_text("forms", b.text,
                   "feature {\n  name: \"abc\"\n  type: INT\n  presence {\n    min_count: 16\n  "
                   "}\n}\nfeature {\n  float_domain {\n    min: -inf\n    max: 1.5\n    "
                   "is_embedding: true\n  }\n}\nfeature {\n  type: INT\n  int_domain {\n    min: "
                   "-8\n  }\n}\ndefault_environment: \"x\"\ndefault_environment: "
                   "\"\\303\\274\"\n");
    hr_buf_clear(&b);
    end(&f);
}

static const struct {
    const char *text, *error;
} mistakes[] = {
    { "feture { name: \"a\" }",
      "s.pbtxt:1:1: Schema has no field \"feture\"; did you mean \"feature\"?" },
    { "feature {\n  name: \"a\"\n  type: INTT\n}",
      "s.pbtxt:3:9: \"INTT\" is no value of \"type\"; did you mean \"INT\"?" },
    { "feature { name \"a\" }", "s.pbtxt:1:16: \"\"\" stands where \":\" is wanted" },
    { "feature {", "s.pbtxt:1:10: the text ends where \"}\" is wanted" },
    { "feature { presence { min_count: 1.5 } }",
      "s.pbtxt:1:33: \"1.5\" does not fit \"min_count\"" },
    { "feature { presence { min_count: 9223372036854775808 } }",
      "s.pbtxt:1:33: \"9223372036854775808\" does not fit \"min_count\"" },
    { "feature { name: 'a' name: 'b' }", "s.pbtxt:1:21: \"name\" is set twice" },
    { "feature { domain: 'a' bool_domain { } }",
      "s.pbtxt:1:23: \"domain\" and \"bool_domain\" cannot both be set" },
    { "feature { name: 'a }", "s.pbtxt:1:21: the text ends where the closing quote is wanted" },
    { "feature { name: '\\377' }",
      "s.pbtxt:1:17: the text of \"name\" is not UTF-8 without NUL" },
    { "}", "s.pbtxt:1:1: \"}\" stands where the name of a field is wanted" },
    { "feature { name: '\\q' }",
      "s.pbtxt:1:19: \"q\" stands where one of the escapes \\n \\t \\\" \\' \\\\ \\ooo \\xhh "
      "is wanted" },
    { "feature { name: '\\x' }",
      "s.pbtxt:1:20: \"'\" stands where a hexadecimal digit is wanted" },
    { "feature { name: '\\400' }",
      "s.pbtxt:1:22: \"'\" stands where an octal escape up to \\377 is wanted" },
    { "feature { name: '\\u12' }",
      "s.pbtxt:1:22: \"'\" stands where a code point is wanted" },
    { "feature { name: '\\ud800' }",
      "s.pbtxt:1:24: \"'\" stands where a code point is wanted" },
    { "feature { name: '\\U00110000' }",
      "s.pbtxt:1:28: \"'\" stands where a code point is wanted" },
    { "feature { deprecated: maybe }",
      "s.pbtxt:1:23: \"maybe\" does not fit \"deprecated\"" },
    { "feature { float_domain { min: 1.5x } }",
      "s.pbtxt:1:31: \"1.5x\" does not fit \"min\"" },
    { "feature: 5",
      "s.pbtxt:1:10: \"5\" stands where \"{\" is wanted" },
    { "[foo.bar] { }",
      "s.pbtxt:1:1: \"[\" stands where the name of a field, and none of an extension, is "
      "wanted" },
    { "feature { name: }",
      "s.pbtxt:1:17: \"}\" stands where a text in quotes is wanted" },
    { "\001",
      "s.pbtxt:1:1: byte 1 stands where the name of a field is wanted" },
    { "feature { } extra",
      "s.pbtxt:1:13: Schema has no field \"extra\"\n"
      "s.pbtxt:1:18: the text ends where the end of a message is wanted" },
    { "feature { name: 5 }",
      "s.pbtxt:1:17: \"5\" stands where a text in quotes is wanted" },
    { "feature { type: 99 }",
      "s.pbtxt:1:17: \"99\" is no value of \"type\"" },
    { "feature { type: 1.5 }",
      "s.pbtxt:1:17: \"1.5\" is no value of \"type\"" },
    { "default_environment: ['x' 'y'",
      "s.pbtxt:1:30: the text ends where \",\" or \"]\" is wanted" },
    { "default_environment: ['x',]",
      "s.pbtxt:1:27: \"]\" stands where a text in quotes is wanted" },
    { "feature { int_domain { min: 0x } }",
      "s.pbtxt:1:29: \"0x\" does not fit \"min\"" },
    { "feature { int_domain { min: --5 } }",
      "s.pbtxt:1:29: \"-\" does not fit \"min\"\n"
      "s.pbtxt:1:30: IntDomain has no field \"-5\"\n"
      "s.pbtxt:1:33: \"}\" stands where a value is wanted" },
    { "feature { name: 'a\nb' }",
      "s.pbtxt:1:19: byte 10 stands where the closing quote is wanted" },
    { "feature < name: 'a' }",
      "s.pbtxt:1:21: \"}\" stands where the name of a field is wanted" },
    { "feature { name 5 }",
      "s.pbtxt:1:16: \"5\" stands where \":\" is wanted" },
    { "unknown: [1, 2",
      "s.pbtxt:1:1: Schema has no field \"unknown\"\n"
      "s.pbtxt:1:15: the text ends where the end of a message is wanted" },
    { "unknown { a: 'x }",
      "s.pbtxt:1:1: Schema has no field \"unknown\"\n"
      "s.pbtxt:1:18: the text ends where the closing quote is wanted" },
    { "unknown: -",
      "s.pbtxt:1:1: Schema has no field \"unknown\"" },
    { "feature { int_domain { min: 08 } }",
      "s.pbtxt:1:29: \"08\" does not fit \"min\"" },
};

static void test_mistakes(void **state)
{
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        assert_null(read(&f, mistakes[i].text));
        assert_string_equal(hr_env_error(&f.env), mistakes[i].error);
    }
    /* All of them are told, not the first only. */
    assert_null(read(&f, "a: 1 b { c: \"}\" d < > } feature { type: X }"));
    assert_int_equal(f.env.errors.count, 3);
    end(&f);
}

/* Append a field's tag of one byte or two, its size and its bytes. */
static void put_field(struct hr_buf *to, const char *tag, const struct hr_buf *b)
{
    char size[2] = { (char)(b->len & 0x7f), (char)(b->len >> 7) };

    size[0] = (char)(size[0] | 0x80);
    hr_buf_text(to, tag);
    hr_buf_add(to, size, 2);
    hr_buf_add(to, b->text, b->len);
}

/* As deep as may be, and deeper: as text and as bytes. */
static void test_depth(void **state)
{
    char text[HR_PB_DEPTH * 40] = "";
    ProtobufCMessage *m;
    struct hr_buf b, feature, deep;
    struct fix f;
    int i;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 10000, &f.env);
    hr_buf_of(&feature, 10000, &f.env);
    hr_buf_of(&deep, 10000, &f.env);
    for (i = 0; i < HR_PB_DEPTH; i++)
        strcat(text, i % 2 ? "struct_domain{" : "feature{");
    for (i = 0; i < HR_PB_DEPTH; i++)
        strcat(text, "}");
    m = (ProtobufCMessage *)read(&f, text);
    assert_non_null(m);
    assert_int_equal(hr_pb_write(&f.env, m, &b), HR_OK);
    assert_int_equal(hr_pb_read(&f.arena, &HR_MD_OF(schema), "x", b.text, b.len, &m), HR_OK);
    /* The fields of Schema and StructDomain have the same numbers here. */
    put_field(&feature, "\xea\x01", &b);
    put_field(&deep, "\x0a", &feature);
    assert_int_equal(hr_pb_read(&f.arena, &HR_MD_OF(schema), "x", deep.text, deep.len, &m),
                     HR_INVALID);
    assert_string_equal(hr_env_error(&f.env),
                        "\"x\": messages are nested more than 64 deep; this is no Schema");
    memmove(text + 22, text, strlen(text) + 1);
    memcpy(text, "feature{struct_domain{", 22);
    assert_null(read(&f, text));
    hr_buf_clear(&b);
    hr_buf_clear(&feature);
    hr_buf_clear(&deep);
    end(&f);
}

/* Unknown fields stay, through reading, copying and writing. */
static void test_unknown(void **state)
{
    static const char bytes[] = { 0x0a, 0x06, 0x0a,       0x01, 'a',  (char)0xa0,
                                  0x7d, 0x07, (char)0xa2, 0x7d, 0x01, 'z' };
    ProtobufCMessage *m, *c;
    struct hr_buf b;
    struct fix f;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 1000, &f.env);
    assert_int_equal(hr_pb_read(&f.arena, &HR_MD_OF(schema), "x", bytes, sizeof bytes, &m), HR_OK);
    assert_int_equal(hr_pb_copy(&f.arena, m, &c), HR_OK);
    assert_int_equal(hr_pb_write(&f.env, c, &b), HR_OK);
    assert_int_equal(b.len, sizeof bytes);
    assert_memory_equal(b.text, bytes, b.len);
    hr_buf_clear(&b);
    end(&f);
}

/* Items may be added to what was read, whatever the count. */
static void test_push(void **state)
{
    ProtobufCMessage *m = NULL;
    HR_MD(Schema) * s;
    struct hr_buf b;
    struct fix f;
    char **place;
    size_t n, i;

    (void)state;
    begin(&f);
    for (n = 1; n < 20; n++) {
        hr_buf_of(&b, 1000, &f.env);
        s = hr_pb_new(&f.arena, &HR_MD_OF(schema));
        for (i = 0; i < n; i++) {
            place = HR_PB_PUSH(&f.arena, s, default_environment);
            *place = hr_arena_text(&f.arena, "e");
        }
        assert_int_equal(hr_pb_write(&f.env, &s->base, &b), HR_OK);
        assert_int_equal(hr_pb_read(&f.arena, &HR_MD_OF(schema), "x", b.text, b.len, &m), HR_OK);
        s = (HR_MD(Schema) *)m;
        for (i = 0; i < 5; i++) {
            place = HR_PB_PUSH(&f.arena, s, default_environment);
            *place = hr_arena_text(&f.arena, "f");
        }
        assert_int_equal(s->n_default_environment, n + 5);
        assert_string_equal(s->default_environment[n - 1], "e");
        assert_string_equal(s->default_environment[n], "f");
        hr_buf_clear(&b);
    }
    end(&f);
}

static void json_again(struct fix *f, const char *text, const char *want)
{
    struct hr_json_doc *doc = NULL;
    struct hr_json_writer w;
    ProtobufCMessage *m = NULL;
    struct hr_buf b;

    hr_errors_cut(&f->env, 0);
    hr_buf_of(&b, 10000, &f->env);
    assert_int_equal(hr_json_parse(&f->env, "c.json", text, strlen(text), 0, &doc), HR_OK);
    if (hr_pb_json_read(&f->arena, &HR_MA_OF(eval_config), doc, hr_json_root(doc), &m) < 0) {
        assert_string_equal(hr_env_error(&f->env), want);
    } else {
        hr_json_begin(&w, &b, 0);
        hr_pb_json_write(&w, m);
        assert_int_equal(hr_json_end(&w), HR_OK);
        assert_string_equal(b.text, want);
    }
    hr_buf_clear(&b);
    hr_json_free(doc);
}

static void test_json(void **state)
{
    struct fix f;

    (void)state;
    begin(&f);
    json_again(&f,
               "{\"slicingSpecs\": [{}, {\"feature_keys\": [\"a\"], \"featureValues\": {\"z\": "
               "\"1\", \"b\": \"2\"}}], \"modelSpecs\": [{\"isBaseline\": true}]}",
               "{\"modelSpecs\":[{\"isBaseline\":true}],\"slicingSpecs\":[{},{\"featureKeys\":["
               "\"a\"],\"featureValues\":{\"b\":\"2\",\"z\":\"1\"}}]}");
    json_again(&f,
               "{\"metricsSpecs\": [{\"thresholds\": {\"auc\": {\"valueThreshold\": "
               "{\"lowerBound\": \"0.5\", \"upperBound\": null}}}, \"aggregate\": "
               "{\"classWeights\": {\"10\": 1, \"2\": 0.5}}}]}",
               "{\"metricsSpecs\":[{\"aggregate\":{\"classWeights\":{\"2\":0.5,\"10\":1.0}},"
               "\"thresholds\":{\"auc\":{\"valueThreshold\":{\"lowerBound\":0.5}}}}]}");
    json_again(&f, "{\"metricSpecs\": []}",
               "c.json:1:2: EvalConfig has no member \"metricSpecs\"; did you mean "
               "\"metricsSpecs\"?");
    json_again(&f, "{\"slicingSpecs\": {}}",
               "c.json:1:18: \"slicing_specs\" wants a list, not an object");
    end(&f);
}

/* Kinds of values that configurations have none of: whole numbers of 64 bits, bytes, infinity. */
static void test_json_values(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "{\"singleSliceKeys\":[{\"column\":\"a\",\"bytesValue\":\"YWI=\"},{\"bytesValue\":"
          "\"_-8\"},{\"int64Value\":\"-9223372036854775808\"},{\"int64Value\":7},{\"floatValue\":"
          "\"Infinity\"},{\"floatValue\":0.5}]}",
          "{\"singleSliceKeys\":[{\"column\":\"a\",\"bytesValue\":\"YWI=\"},{\"bytesValue\":"
          "\"/+8=\"},{\"int64Value\":\"-9223372036854775808\"},{\"int64Value\":\"7\"},"
          "{\"floatValue\":\"Infinity\"},{\"floatValue\":0.5}]}" },
        { "{\"singleSliceKeys\":[{\"int64Value\":3.0}]}",
          "{\"singleSliceKeys\":[{\"int64Value\":\"3\"}]}" },
        { "{\"singleSliceKeys\":[{\"bytesValue\":\"a*\"}]}",
          "s.json:1:35: \"bytes_value\" wants bytes in base64, not a string" },
        { "{\"singleSliceKeys\":[{\"bytesValue\":7}]}",
          "s.json:1:35: \"bytes_value\" wants bytes in base64, not a number" },
        { "{\"singleSliceKeys\":[{\"int64Value\":3.5}]}",
          "s.json:1:35: \"int64_value\" wants an integer, not a number" },
        { "{\"singleSliceKeys\":[{\"int64Value\":\"x\"}]}",
          "s.json:1:35: \"int64_value\" wants an integer, not a string" },
        { "{\"singleSliceKeys\":[{\"floatValue\":\"x\"}]}",
          "s.json:1:35: \"float_value\" wants a number, not a string" },
        { "{\"singleSliceKeys\":[7]}",
          "s.json:1:21: \"single_slice_keys\" wants an object, not a number" },
    };
    struct hr_json_doc *doc;
    struct hr_json_writer w;
    ProtobufCMessage *m;
    struct hr_buf b;
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        hr_errors_cut(&f.env, 0);
        hr_buf_of(&b, 10000, &f.env);
        assert_int_equal(
            hr_json_parse(&f.env, "s.json", rows[i].text, strlen(rows[i].text), 0, &doc), HR_OK);
        if (hr_pb_json_read(&f.arena, &HR_MA_OF(slice_key), doc, hr_json_root(doc), &m) < 0) {
            assert_string_equal(hr_env_error(&f.env), rows[i].want);
        } else {
            hr_json_begin(&w, &b, 0);
            hr_pb_json_write(&w, m);
            assert_int_equal(hr_json_end(&w), HR_OK);
            assert_string_equal(b.text, rows[i].want);
        }
        hr_buf_clear(&b);
        hr_json_free(doc);
    }
    end(&f);
}

/* -- memory ------------------------------------------------------------------------------ */

/* Each allocation of reading and writing fails once; what is read is whole, or is not. */
static void test_memory(void **state)
{
    static const char text[] =
        "feature { name: \"a\" type: BYTES string_domain { value: \"u\" value: \"v\" value: \"w\" "
        "value: \"x\" value: \"y\" } not_in_environment: \"E\" annotation { tag: \"t\" } } "
        "feature { name: \"b\" type: INT int_domain { min: -7 max: 9 } } "
        "default_environment: \"E\"";
    struct help_mem m = { 0 };
    struct hr_env_config config = { .alloc = help_mem_alloc, .alloc_user = &m, .threads = 1 };
    struct hr_arena arena;
    struct hr_buf bytes, whole, again;
    struct hr_env env;
    ProtobufCMessage *read;
    hr_status r = HR_EXHAUSTED;
    int n, calls = 10000, failed = 0;
    struct fix f;

    (void)state;
    begin(&f);
    hr_buf_of(&bytes, 10000, &f.env);
    hr_buf_of(&whole, 10000, &f.env);
    r = hr_pb_text_read(&f.arena, &HR_MD_OF(schema), "s", text, sizeof text - 1, &read);
    assert_int_equal(r, HR_OK);
    assert_int_equal(hr_pb_write(&f.env, read, &bytes), HR_OK);
    assert_int_equal(hr_pb_text_write(&f.env, read, &whole), HR_OK);
    for (n = 1; n < calls + 1; n++) {
        m = (struct help_mem){ 0 };
        hr_env_init(&env, &config);
        hr_arena_init(&arena, &env, 0);
        hr_buf_of(&again, 10000, &env);
        m.fail_at = m.calls + n;
        read = NULL;
        r = hr_pb_read(&arena, &HR_MD_OF(schema), "s", bytes.text, bytes.len, &read);
        if (r == HR_OK)
            r = hr_pb_text_write(&env, read, &again);
        if (r == HR_OK)
            r = hr_pb_text_read(&arena, &HR_MD_OF(schema), "s", again.text, again.len, &read);
        hr_buf_cut(&again, 0);
        if (r == HR_OK)
            r = hr_pb_text_write(&env, read, &again);
        calls = m.calls < m.fail_at ? n - 1 : calls;
        assert_true(r != HR_OK || m.calls < m.fail_at);
        m.fail_at = 0;
        if (r == HR_OK)
            assert_string_equal(again.text, whole.text);
        else
            assert_int_equal(r, HR_EXHAUSTED);
        failed += r != HR_OK;
        hr_buf_clear(&again);
        hr_arena_clear(&arena);
        hr_env_clear(&env);
        assert_int_equal(m.live, 0);
    }
    assert_true(failed > 1);
    hr_buf_clear(&bytes);
    hr_buf_clear(&whole);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_again), cmocka_unit_test(test_text_again),
        cmocka_unit_test(test_forms),       cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_depth),       cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_push),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_json_values),
    };

    return cmocka_run_group_tests_name("wire/pb", tests, NULL, NULL);
}
