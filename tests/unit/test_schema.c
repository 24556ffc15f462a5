#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "help_fix.h"
#include "help_proto.h"
#include "validation/validation.h"

static hr_statistics *statistics(struct fix *f, const char *set, const char *split)
{
    char dir[64], name[64];

    snprintf(dir, sizeof dir, "validation/%s", set);
    snprintf(name, sizeof name, "%s.FeatureStats.pb", split);
    return help_message(&f->arena, dir, name, &HR_MD_OF(dataset_feature_statistics_list));
}

static void same_schema(struct fix *f, const char *what, const hr_schema *got, const char *dir,
                        const char *name)
{
    struct hr_buf a, b;

    hr_buf_of(&a, HR_MAX_FILE_BYTES, &f->env);
    hr_buf_of(&b, HR_MAX_FILE_BYTES, &f->env);
    assert_int_equal(hr_schema_write(&f->env, got, &a), HR_OK);
    help_case(&f->env, dir, name, &b);
    help_same_text(what, a.text, b.text);
    hr_buf_clear(&a);
    hr_buf_clear(&b);
}

/* The schema that TFX infers from train and widens by eval, letter for letter. */
static void test_infer(void **state)
{
    static const char *const sets[] = { "mixed_a", "mixed_b", "penguins_raw", "taxi_10k" };
    struct hr_schema_options options = { .infer_shape = true };
    hr_schema *schema;
    char dir[64];
    struct fix f;
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < 4; i++) {
        snprintf(dir, sizeof dir, "validation/%s", sets[i]);
        assert_int_equal(
            hr_schema_infer(&f.arena, statistics(&f, sets[i], "train"), &options, &schema), HR_OK);
        assert_int_equal(hr_schema_update(&f.arena, schema, statistics(&f, sets[i], "eval")),
                         HR_OK);
        same_schema(&f, sets[i], schema, dir, "schema.pbtxt");
    }
    end(&f);
}

/* The anomalies of the same splits against that schema, as TFX writes them. */
static void test_splits(void **state)
{
    static const char *const sets[] = { "mixed_a", "mixed_b", "penguins_raw", "taxi_10k" };
    static const char *const splits[] = { "train", "eval" };
    struct hr_validate_args args = { 0 };
    hr_anomalies *got;
    char dir[64], name[64];
    struct hr_buf a, b;
    struct fix f;
    size_t i, k;

    (void)state;
    begin(&f);
    for (i = 0; i < 4; i++)
        for (k = 0; k < 2; k++) {
            snprintf(dir, sizeof dir, "validation/%s", sets[i]);
            args.statistics = statistics(&f, sets[i], splits[k]);
            args.schema = help_message(&f.arena, dir, "schema.pbtxt", &HR_MD_OF(schema));
            assert_int_equal(hr_validate(&f.arena, &args, &got), HR_OK);
            snprintf(name, sizeof name, "%s.SchemaDiff.pb", splits[k]);
            help_same_message(&f.env, name, got,
                              help_message(&f.arena, dir, name, &HR_MD_OF(anomalies)));
            hr_buf_of(&a, HR_MAX_FILE_BYTES, &f.env);
            hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
            hr_pb_write(&f.env, &got->base, &a);
            help_case(&f.env, dir, name, &b);
            assert_int_equal(a.len, b.len);
            hr_buf_clear(&a);
            hr_buf_clear(&b);
        }
    end(&f);
}

static const char *json_text(const char *json, const char *key)
{
    return strstr(json, key);
}

/* A schema with faults made on purpose: what is found, and what it becomes. */
static void one_case(struct fix *f, const char *name)
{
    struct hr_validate_args args = { .statistics = statistics(f, "mixed_a", "train") };
    char file[96];
    hr_anomalies *got;
    hr_schema *schema;
    struct hr_buf json;

    hr_buf_of(&json, 10000, &f->env);
    snprintf(file, sizeof file, "%s.json", name);
    help_case(&f->env, "validation/anomalies", file, &json);
    snprintf(file, sizeof file, "%s.schema.pbtxt", name);
    schema = help_message(&f->arena, "validation/anomalies", file, &HR_MD_OF(schema));
    args.schema = schema;
    if (json_text(json.text, "previous"))
        args.previous = statistics(f, "mixed_a", "eval");
    if (json_text(json.text, "\"serving"))
        args.serving = statistics(f, "mixed_a", "eval");
    if (json_text(json.text, "environment"))
        args.environment = "SERVING";
    assert_int_equal(hr_validate(&f->arena, &args, &got), HR_OK);
    assert_ptr_equal(got->baseline, schema);
    got->baseline_schema_case = HR_MD_E(ANOMALIES__BASELINE_SCHEMA__NOT_SET);
    snprintf(file, sizeof file, "%s.anomalies.pbtxt", name);
    help_same_message(&f->env, file, got,
                      help_message(&f->arena, "validation/anomalies", file, &HR_MD_OF(anomalies)));
    same_schema(f, name, schema, "validation/anomalies",
                hr_arena_format(&f->arena, "%s.schema.pbtxt", name));
    assert_int_equal(hr_schema_update(&f->arena, schema, args.statistics), HR_OK);
    snprintf(file, sizeof file, "%s.updated.pbtxt", name);
    same_schema(f, file, schema, "validation/anomalies", file);
    hr_buf_clear(&json);
}

static void test_cases(void **state)
{
    static const char *const names[] = { "dataset_size",
                                         "domains",
                                         "drift",
                                         "enum",
                                         "environment",
                                         "fixed_shape",
                                         "lifecycle",
                                         "many",
                                         "min_domain_mass",
                                         "missing_column",
                                         "nan_inf",
                                         "new_column",
                                         "none",
                                         "num_examples_drift",
                                         "presence",
                                         "skew",
                                         "unique",
                                         "value_count",
                                         "wrong_types" };
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        begin(&f);
        one_case(&f, names[i]);
        end(&f);
    }
}

/* -- what the reference files do not show ------------------------------------------------- */

/* Schema, statistics, and the reasons that are told: "TYPE: long text" a line. */
static const struct {
    const char *schema, *statistics, *reasons;
} small[] = {
    { "feature { name: 'x' type: INT bool_domain { } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } min: -1 max: 5 }",
      "BOOL_TYPE_SMALL_INT: Integers (such as -1) not in {0, 1}: converting to an integer.\n" },
    { "feature { name: 'x' type: FLOAT bool_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 1 histograms { num_nan: 1 "
      "} }",
      "BOOL_TYPE_UNEXPECTED_FLOAT: Floats (such as NaN) not in {0, 1}: converting to "
      "float_domain.\n" },
    { "feature { name: 'x' type: FLOAT bool_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 1 histograms { buckets { "
      "high_value: 0.1 sample_count: 2 } buckets { low_value: 0.4 high_value: 0.5 sample_count: 1 "
      "} } histograms { type: QUANTILES buckets { low_value: 0.4 high_value: 0.5 sample_count: 1 } "
      "} }",
      "BOOL_TYPE_UNEXPECTED_FLOAT: Float values falling between 0 and 1: converting to "
      "float_domain.\n" },
    { "feature { name: 'x' type: FLOAT bool_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 1 histograms { buckets { "
      "high_value: 0.1 sample_count: 2 } buckets { low_value: 0.4 high_value: 0.5 sample_count: 1 "
      "} } }",
      "" },
    { "feature { name: 'x' type: BYTES string_domain { value: 'a' } }",
      "type: STRING string_stats { common_stats { num_non_missing: 100 tot_num_values: 100 } "
      "rank_histogram { buckets { label: 'b' sample_count: 29 } } }",
      "ENUM_TYPE_UNEXPECTED_STRING_VALUES: Examples contain values missing from the schema: b "
      "(~29%). \n" },
    { "feature { name: 'x' type: BYTES bool_domain { true_value: 'yes' false_value: 'no' } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets { "
      "label: 'z' } buckets { label: 'maybe' } buckets { label: 'no' } } }",
      "BOOL_TYPE_UNEXPECTED_STRING: Saw unexpected value \"maybe\" instead of {\"no\", "
      "\"yes\"}.\n" },
    { "feature { name: 'x' type: BYTES int_domain { min: 3 } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets { "
      "label: ' 2 ' } buckets { label: '10' } } }",
      "INT_TYPE_SMALL_INT: Unexpectedly small value: 2.\n" },
    { "feature { name: 'x' type: BYTES int_domain { } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets { "
      "label: '2' } buckets { label: '1.5' } } }",
      "INT_TYPE_NOT_INT_STRING: String values that were not ints were found, such as \"1.5\".\n" },
    { "feature { name: 'x' type: BYTES float_domain { max: 2 disallow_nan: true } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets { "
      "label: '2.5' } buckets { label: 'nan' } } }",
      "FLOAT_TYPE_HAS_NAN: Float feature has NaN values.\n"
      "FLOAT_TYPE_BIG_FLOAT: Unexpectedly high value: 2.5>2(upto six significant digits)\n" },
    { "feature { name: 'x' type: INT float_domain { } distribution_constraints { min_domain_mass: "
      "1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 1 } }",
      "DOMAIN_INVALID_FOR_TYPE: The domain \"float_domain\" does not match the type: INT\n"
      "INVALID_SCHEMA_SPECIFICATION: \n" },
    { "feature { name: 'x' type: BYTES domain: 'gone' }",
      "type: STRING string_stats { common_stats { num_non_missing: 1 } }",
      "INVALID_DOMAIN_SPECIFICATION: \n" },
    { "feature { name: 'x' }", "type: STRING string_stats { common_stats { num_non_missing: 1 } }",
      "FEATURE_MISSING_TYPE: \n" },
    { "feature { name: 'x' type: INT shape { dim { size: 0 } } presence { min_fraction: 1.5 } }",
      "type: INT num_stats { common_stats { num_non_missing: 10 } }",
      "INVALID_SCHEMA_SPECIFICATION: \nINVALID_SCHEMA_SPECIFICATION: \n" },
    { "feature { name: 'x' type: INT presence { min_fraction: 0.95 } }",
      "type: INT num_stats { common_stats { num_non_missing: 9 num_missing: 1 } }",
      "FEATURE_TYPE_LOW_FRACTION_PRESENT: The feature was present in fewer examples than expected: "
      "minimum fraction = 0.950000, actual = 0.900000\n" },
    { "feature { name: 'x' type: INT presence { min_fraction: 1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 9999999999 num_missing: 1 } }",
      "FEATURE_TYPE_LOW_FRACTION_PRESENT: The feature was present in fewer examples than expected: "
      "minimum fraction = 1.000000, actual = 1.000000\n"
      "FEATURE_TYPE_LOW_FRACTION_PRESENT: The feature was expected everywhere, but was missing in "
      "1 examples.\n" },
    { "feature { name: 'x' type: BYTES string_domain { value: 'a' } }",
      "type: STRING string_stats { invalid_utf8_count: 1 common_stats { num_non_missing: 1 } }",
      "ENUM_TYPE_INVALID_UTF8: Found strings that were not valid UTF8 strings.\n" },
    { "feature { name: 'x' type: BYTES string_domain { value: 'a' } }",
      "type: STRING string_stats { common_stats { num_non_missing: 1000 tot_num_values: 1000 } "
      "rank_histogram { buckets { label: 'b\\n\\001\\303\\274' sample_count: 5 } buckets { label: "
      "'a' sample_count: 995 } } }",
      "ENUM_TYPE_UNEXPECTED_STRING_VALUES: Examples contain values missing from the schema: "
      "b\\n\\001\xc3\xbc (<1%). \n" },
    { "feature { name: 'x' type: INT unique_constraints { min: 1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 1 } }",
      "FEATURE_TYPE_NO_UNIQUE: UniqueConstraints specified for the feature, but unique values were "
      "not counted (i.e., feature is not string or categorical).\n" },
    { "feature { name: 'x' type: BYTES unique_constraints { min: 1 } }",
      "type: STRING string_stats { unique: 7 common_stats { num_non_missing: 7 } }", "" },
    { "feature { name: 'x' type: INT value_count { min: 1 max: 1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 max_num_values: 4 "
      "presence_and_valency_stats { num_non_missing: 3 min_num_values: 1 max_num_values: 1 } "
      "presence_and_valency_stats { num_non_missing: 3 max_num_values: 4 } } }",
      "VALUE_NESTEDNESS_MISMATCH: This feature has a value_count, but the nestedness level of the "
      "feature > 1. For features with nestedness levels greater than 1, value_counts, not "
      "value_count, should be specified.\n" },
    { "feature { name: 'x' type: BYTES }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } } custom_stats { name: "
      "'domain_info' str: 'time_domain { string_format: \"%Y\" }' }",
      "SEMANTIC_DOMAIN_UPDATE: Updated semantic domain for feature: x\n" },
    { "feature { name: 'x' type: BYTES image_domain { max_image_byte_size: 10 } }",
      "type: BYTES bytes_stats { common_stats { num_non_missing: 3 } max_num_bytes_int: 11 }",
      "MAX_IMAGE_BYTE_SIZE_EXCEEDED: The largest image has bytes: 11. The max allowed byte size "
      "is: "
      "10.\n" },
    { "feature { name: 'x' type: INT presence { min_fraction: -0.5 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } }",
      "INVALID_SCHEMA_SPECIFICATION: \n" },
    { "feature { name: 'x' type: INT value_count { min: -1 max: -2 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 min_num_values: 1 "
      "max_num_values: 1 } }",
      "INVALID_SCHEMA_SPECIFICATION: \n"
      "INVALID_SCHEMA_SPECIFICATION: \n"
      "FEATURE_TYPE_HIGH_NUMBER_VALUES: Some examples have more values than expected.\n" },
    { "feature { name: 'x' type: INT value_counts { value_count { min: 2 max: 1 } value_count { "
      "min: -1 } } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 presence_and_valency_stats { "
      "num_non_missing: 3 min_num_values: 2 max_num_values: 2 } presence_and_valency_stats { "
      "num_non_missing: 3 min_num_values: 1 max_num_values: 1 } } }",
      "INVALID_SCHEMA_SPECIFICATION: ValueCounts.max at level 0 should not be less than min.\n"
      "INVALID_SCHEMA_SPECIFICATION: ValueCounts.min at level 1 should not be negative.\n" },
    { "feature { name: 'x' type: INT value_counts { value_count { min: 1 max: 1 } value_count { "
      "min: 2 max: 2 } } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 presence_and_valency_stats { "
      "num_non_missing: 3 min_num_values: 1 max_num_values: 2 } presence_and_valency_stats { "
      "num_non_missing: 3 min_num_values: 1 max_num_values: 1 } } }",
      "FEATURE_TYPE_HIGH_NUMBER_VALUES: Some examples have more values than expected at "
      "nestedness level 0.\n"
      "FEATURE_TYPE_LOW_NUMBER_VALUES: Some examples have fewer values than expected at "
      "nestedness level 1.\n" },
    { "feature { name: 'x' type: INT value_counts { value_count { min: 1 max: 1 } } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 presence_and_valency_stats { "
      "num_non_missing: 3 min_num_values: 1 max_num_values: 1 } presence_and_valency_stats { "
      "num_non_missing: 3 min_num_values: 1 max_num_values: 1 } } }",
      "VALUE_NESTEDNESS_MISMATCH: The values have a different nest level than expected. Value "
      "counts will not be checked.\n" },
    { "feature { name: 'x' type: FLOAT struct_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } }",
      "DOMAIN_INVALID_FOR_TYPE: The domain \"struct_domain\" does not match the type: FLOAT\n" },
    { "feature { name: 'x' type: INT string_domain { value: 'a' } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } }",
      "DOMAIN_INVALID_FOR_TYPE: The domain \"string_domain\" does not match the type: INT\n" },
    { "feature { name: 'x' type: INT image_domain { } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } }",
      "DOMAIN_INVALID_FOR_TYPE: The domain \"image_domain\" does not match the type: INT\n" },
    { "feature { name: 'x' type: FLOAT int_domain { min: 1 } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } }",
      "DOMAIN_INVALID_FOR_TYPE: The domain \"int_domain\" does not match the type: FLOAT\n" },
    { "feature { name: 'x' type: INT natural_language_domain { } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } }",
      "" },
    { "feature { name: 'x' type: FLOAT time_domain { string_format: 'x' } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } }",
      "DOMAIN_INVALID_FOR_TYPE: The domain \"time_domain\" does not match the type: FLOAT\n" },
    { "feature { name: 'x' type: INT bool_domain { } distribution_constraints { "
      "min_domain_mass: 1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } max: 1 }",
      "INVALID_SCHEMA_SPECIFICATION: \n" },
    { "feature { name: 'x' type: INT int_domain { } distribution_constraints { min_domain_mass: "
      "1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } max: 1 }",
      "INVALID_SCHEMA_SPECIFICATION: \n" },
    { "feature { name: 'x' type: FLOAT float_domain { } distribution_constraints { "
      "min_domain_mass: 1 } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 1 }",
      "INVALID_SCHEMA_SPECIFICATION: \n" },
    { "feature { name: 'x' type: BYTES url_domain { } distribution_constraints { "
      "min_domain_mass: 1 } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } }",
      "INVALID_SCHEMA_SPECIFICATION: \n" },
    { "feature { name: 'x' type: BYTES string_domain { value: 'a' value: 'b' value: 'a' } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 tot_num_values: 3 } "
      "rank_histogram { buckets { label: 'b' sample_count: 3 } } }",
      "" },
    { "feature { name: 'x' type: BYTES bool_domain { true_value: 'a' false_value: 'a' } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets "
      "{ label: 'b' sample_count: 3 } } }",
      "BOOL_TYPE_UNEXPECTED_STRING: Saw unexpected value \"b\" instead of {\"a\"}.\n" },
    { "feature { name: 'x' string_domain { value: 'a' } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } }",
      "FEATURE_MISSING_TYPE: \n" },
    { "feature { name: 'x' type: FLOAT bool_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } min: -2 max: 1 }",
      "BOOL_TYPE_UNEXPECTED_FLOAT: Floats (such as -2) not in {0, 1}: converting to "
      "float_domain.\n" },
    { "feature { name: 'x' type: FLOAT bool_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 2.5 }",
      "BOOL_TYPE_UNEXPECTED_FLOAT: Floats (such as 2.5) not in {0, 1}: converting to "
      "float_domain.\n" },
    { "feature { name: 'x' type: FLOAT bool_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 1 histograms { buckets "
      "{ low_value: -3 high_value: -1 sample_count: 1 } } }",
      "BOOL_TYPE_UNEXPECTED_FLOAT: Float values < 0 not in {0, 1}: converting to float_domain.\n" },
    { "feature { name: 'x' type: FLOAT bool_domain { } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 1 histograms { buckets "
      "{ low_value: 2 high_value: 3 sample_count: 1 } } }",
      "BOOL_TYPE_UNEXPECTED_FLOAT: Float values > 1 not in {0, 1}: converting to float_domain.\n" },
    { "feature { name: 'x' type: INT bool_domain { } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } min: 0 max: 5 }",
      "BOOL_TYPE_BIG_INT: Integers (such as 5) not in {0, 1}: converting to an integer.\n" },
    { "feature { name: 'x' type: BYTES bool_domain { } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets "
      "{ label: 'b' sample_count: 3 } } }",
      "BOOL_TYPE_UNEXPECTED_STRING: Saw unexpected value \"b\" instead of {}.\n" },
    { "feature { name: 'x' type: BYTES bool_domain { true_value: 'y' } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets "
      "{ label: 'b' sample_count: 3 } } }",
      "BOOL_TYPE_UNEXPECTED_STRING: Saw unexpected value \"b\" instead of {\"y\"}.\n" },
    { "feature { name: 'x' type: INT shape { dim { size: 2 } dim { size: 3 } } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 min_num_values: 6 "
      "max_num_values: 6 } }",
      "" },
    { "feature { name: 'x' type: INT shape { dim { size: 2 } dim { size: 3 } } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 min_num_values: 5 "
      "max_num_values: 5 } }",
      "INVALID_FEATURE_SHAPE: The feature has fixed value length 5 but it's not compatible with "
      "the specified shape.\n" },
    { "feature { name: 'x' type: INT shape { dim { size: 2 } } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 min_num_values: 1 "
      "max_num_values: 2 } }",
      "INVALID_FEATURE_SHAPE: The feature has a shape, but it's not always present (if the "
      "feature is nested, then it should always be present at each nested level) or its value "
      "lengths vary.\n" },
    { "feature { name: 'x' type: INT shape { dim { size: 1 } } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 num_missing: 1 min_num_values: 1 "
      "max_num_values: 1 } }",
      "INVALID_FEATURE_SHAPE: The feature has a shape, but it's not always present (if the "
      "feature is nested, then it should always be present at each nested level) or its value "
      "lengths vary.\n" },
    { "feature { name: 'x' type: BYTES int_domain { max: 5 } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets "
      "{ label: '6' } buckets { label: '99999999999999999999' } } }",
      "INT_TYPE_NOT_INT_STRING: String values that were not ints were found, such as "
      "\"99999999999999999999\".\n" },
    { "feature { name: 'x' type: BYTES int_domain { max: 5 } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets "
      "{ label: '6' } buckets { label: '7' } } }",
      "INT_TYPE_BIG_INT: Unexpectedly large value: 7.\n" },
    { "feature { name: 'x' type: BYTES int_domain { max: 5 } }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } max: 4 }",
      "UNEXPECTED_DATA_TYPE: Expected data of type: BYTES but got FLOAT\n" },
    { "feature { name: 'x' type: INT int_domain { min: 1 max: 5 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } min: 0 max: 7 }",
      "INT_TYPE_SMALL_INT: Unexpectedly small value: 0.\n"
      "INT_TYPE_BIG_INT: Unexpectedly large value: 7.\n" },
    { "feature { name: 'x' type: BYTES string_domain { value: 'a' } }",
      "type: BYTES bytes_stats { common_stats { num_non_missing: 3 } }",
      "DOMAIN_INVALID_FOR_TYPE: Data is marked as BYTES with incompatible domain_info: name: "
      "\"x\"\n"
      "type: BYTES\n"
      "\n" },
    { "feature { name: 'x' type: BYTES float_domain { } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets "
      "{ label: '1.5' sample_count: 1 } buckets { label: 'z' sample_count: 1 } } }",
      "FLOAT_TYPE_STRING_NOT_FLOAT: String values that were not floats were found, such as "
      "\"z\".\n" },
    { "feature { name: 'x' type: BYTES float_domain { min: 1 disallow_inf: true } }",
      "type: STRING string_stats { common_stats { num_non_missing: 3 } rank_histogram { buckets "
      "{ label: '0.5' sample_count: 1 } buckets { label: 'inf' sample_count: 1 } } }",
      "FLOAT_TYPE_SMALL_FLOAT: Unexpectedly low values: 0.5<1(upto six significant digits)\n"
      "FLOAT_TYPE_HAS_INF: Float feature has Inf values.\n" },
    { "feature { name: 'x' deprecated: true type: INT int_domain { max: 1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } max: 7 }",
      "" },
    { "feature { name: 'x' lifecycle_stage: PLANNED type: INT int_domain { max: 1 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } max: 7 }",
      "" },
    { "feature { name: 'x' type: INT presence { min_count: 5 } }",
      "type: INT num_stats { common_stats { num_non_missing: 3 } }",
      "FEATURE_TYPE_LOW_NUMBER_PRESENT: The feature was present in fewer examples than expected: "
      "minimum count = 5, actual = 3\n" },
    { "feature { name: 'x' type: INT }",
      "type: FLOAT num_stats { common_stats { num_non_missing: 3 } }",
      "UNEXPECTED_DATA_TYPE: Expected data of type: INT but got FLOAT\n" },
    { "feature { name: 'x' type: BYTES unique_constraints { min: 2 max: 3 } }",
      "type: STRING string_stats { unique: 1 common_stats { num_non_missing: 7 } }",
      "FEATURE_TYPE_LOW_UNIQUE: Expected at least 2 unique values but found only 1.\n" },
    { "feature { name: 'x' type: BYTES unique_constraints { min: 2 max: 3 } }",
      "type: STRING string_stats { unique: 4 common_stats { num_non_missing: 7 } }",
      "FEATURE_TYPE_HIGH_UNIQUE: Expected no more than 3 unique values but found 4.\n" },
};

/* One feature "x"; as many examples as it has rows. */
static hr_statistics *small_statistics(struct fix *f, const char *feature)
{
    char *text =
        hr_arena_format(&f->arena, "datasets { features { path { step: 'x' } %s } }", feature);
    const HR_MD(CommonStatistics) * c;
    ProtobufCMessage *m = NULL;
    hr_statistics *s;

    if (hr_pb_text_read(&f->arena, &HR_MD_OF(dataset_feature_statistics_list), "stats", text,
                        strlen(text), &m) < 0)
        fail_msg("%s", hr_env_error(&f->env));
    s = (hr_statistics *)m;
    /* The first member of each kind of statistics is common_stats. */
    c = s->datasets[0]->features[0]->num_stats->common_stats;
    s->datasets[0]->num_examples = c->num_non_missing + c->num_missing;
    return s;
}

static void test_small(void **state)
{
    struct hr_validate_args args = { 0 };
    hr_anomalies *got;
    hr_schema *schema;
    struct hr_buf b;
    struct fix f;
    size_t i, k;

    (void)state;
    begin(&f);
    for (i = 0; i < sizeof small / sizeof *small; i++) {
        hr_buf_of(&b, 100000, &f.env);
        if (hr_schema_read(&f.arena, "s", small[i].schema, strlen(small[i].schema), &schema) < 0)
            fail_msg("%s", hr_env_error(&f.env));
        args.schema = schema;
        args.statistics = small_statistics(&f, small[i].statistics);
        assert_int_equal(hr_validate(&f.arena, &args, &got), HR_OK);
        for (k = 0; got->n_anomaly_info && k < got->anomaly_info[0]->value->n_reason; k++) {
            const HR_MD(AnomalyInfo__Reason) *r = got->anomaly_info[0]->value->reason[k];

            hr_buf_format(
                &b, "%s: %s\n",
                protobuf_c_enum_descriptor_get_value(&HR_MD_OF(anomaly_info__type), (int)r->type)
                    ->name,
                r->description);
        }
        help_same_text(small[i].schema, b.text, small[i].reasons);
        /* What was mended is all right from then on. */
        assert_int_equal(hr_schema_update(&f.arena, schema, args.statistics), HR_OK);
        assert_int_equal(hr_validate(&f.arena, &args, &got), HR_OK);
        assert_true(hr_anomalies_none(got));
        hr_buf_clear(&b);
    }
    end(&f);
}

/* Paths of features that the data has and the schema has not, as anomalies name them. */
static void test_paths(void **state)
{
    static const struct {
        const char *steps, *path;
    } rows[] = {
        { "step: 'b'", "b" },
        { "step: 'a.b'", "'a.b'" },
        { "step: '(a)'", "(a)" },
        { "step: '(a'", "'(a'" },
        { "step: 'a)'", "'a)'" },
        { "step: '(a(b)'", "'(a(b)'" },
        { "step: '(a)b)'", "'(a)b)'" },
        { "step: '('", "'('" },
        { "step: '()'", "()" },
        { "step: 'it\\'s'", "'it''s'" },
        { "step: ''", "''" },
    };
    static const char schema[] = "feature { name: 'a' type: STRUCT struct_domain { } }";
    struct hr_validate_args args = { 0 };
    ProtobufCMessage *m = NULL;
    hr_anomalies *got;
    hr_schema *read;
    struct fix f;
    char *text;
    size_t i, k;

    (void)state;
    begin(&f);
    assert_int_equal(hr_schema_read(&f.arena, "s", schema, sizeof schema - 1, &read), HR_OK);
    args.schema = read;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        text = hr_arena_format(&f.arena,
                               "datasets { num_examples: 1 features { path { %s } num_stats { "
                               "common_stats { num_non_missing: 1 } } } }",
                               rows[i].steps);
        if (hr_pb_text_read(&f.arena, &HR_MD_OF(dataset_feature_statistics_list), "stats", text,
                            strlen(text), &m) < 0)
            fail_msg("%s", hr_env_error(&f.env));
        args.statistics = (hr_statistics *)m;
        assert_int_equal(hr_validate(&f.arena, &args, &got), HR_OK);
        for (k = 0; k < got->n_anomaly_info; k++)
            if (!strcmp(got->anomaly_info[k]->key, rows[i].path))
                break;
        if (k == got->n_anomaly_info)
            fail_msg("%s is called %s", rows[i].steps, k ? got->anomaly_info[0]->key : "nothing");
    }
    end(&f);
}

/* A domain of the schema that does not hold any more goes from all features that name it. */
static void test_shared_domain(void **state)
{
    static const char text[] =
        "feature { name: 'x' type: BYTES domain: 'd' }"
        "feature { name: 'y' type: BYTES domain: 'd' }"
        "feature { name: 'z' type: BYTES domain: 'e' }"
        "string_domain { name: 'd' value: 'a' } string_domain { name: 'e' value: 'a' }";
    hr_schema *schema;
    struct hr_buf b;
    struct fix f;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 10000, &f.env);
    assert_int_equal(hr_schema_read(&f.arena, "s", text, sizeof text - 1, &schema), HR_OK);
    assert_int_equal(
        hr_schema_update(&f.arena, schema,
                         small_statistics(&f, "type: STRING string_stats { invalid_utf8_count: 1 "
                                              "common_stats { num_non_missing: 1 } }")),
        HR_OK);
    assert_int_equal(hr_schema_write(&f.env, schema, &b), HR_OK);
    help_same_text("shared", b.text,
                   "feature {\n  name: \"x\"\n  type: BYTES\n}\n"
                   "feature {\n  name: \"y\"\n  type: BYTES\n}\n"
                   "feature {\n  name: \"z\"\n  type: BYTES\n  domain: \"e\"\n}\n"
                   "string_domain {\n  name: \"e\"\n  value: \"a\"\n}\n");
    hr_buf_clear(&b);
    end(&f);
}

/* A sparse or weighted feature is made of others: no column of its name is new. */
static void test_composed(void **state)
{
    static const char schema[] =
        "sparse_feature { name: 's' index_feature { name: 'i' } value_feature { name: 'v' } }"
        "weighted_feature { name: 'w' feature { step: 'v' } weight_feature { step: 'i' } }"
        "feature { name: 'i' type: INT } feature { name: 'v' type: INT }";
    static const struct {
        const char *steps;
        bool fine;
    } rows[] = {
        { "step: 's'", true },
        { "step: 'w'", true },
        { "step: 't'", false },
    };
    struct hr_validate_args args = { 0 };
    ProtobufCMessage *m = NULL;
    hr_anomalies *got;
    hr_schema *read;
    struct fix f;
    char *text;
    size_t i;

    (void)state;
    begin(&f);
    if (hr_schema_read(&f.arena, "s", schema, sizeof schema - 1, &read) < 0)
        fail_msg("%s", hr_env_error(&f.env));
    args.schema = read;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        text = hr_arena_format(&f.arena,
                               "datasets { num_examples: 1 features { path { %s } num_stats { "
                               "common_stats { num_non_missing: 1 } } } }",
                               rows[i].steps);
        assert_int_equal(hr_pb_text_read(&f.arena, &HR_MD_OF(dataset_feature_statistics_list),
                                         "stats", text, strlen(text), &m),
                         HR_OK);
        args.statistics = (hr_statistics *)m;
        assert_int_equal(hr_validate(&f.arena, &args, &got), HR_OK);
        if (hr_anomalies_none(got) != rows[i].fine)
            fail_msg("%s", rows[i].steps);
    }
    end(&f);
}

static void test_severity(void **state)
{
    static const struct hr_severity mild = { HR_MD_E(ANOMALY_INFO__TYPE__SCHEMA_NEW_COLUMN),
                                             HR_MD_E(ANOMALY_INFO__SEVERITY__WARNING) };
    struct hr_validate_args args = { .severities = &mild, .severities_n = 1 };
    hr_anomalies *got;
    struct fix f;

    (void)state;
    begin(&f);
    args.schema = hr_pb_new(&f.arena, &HR_MD_OF(schema));
    args.statistics = small_statistics(&f, "num_stats { common_stats { num_non_missing: 1 } }");
    assert_int_equal(hr_validate(&f.arena, &args, &got), HR_OK);
    assert_int_equal(got->anomaly_info[0]->value->severity,
                     HR_MD_E(ANOMALY_INFO__SEVERITY__WARNING));
    end(&f);
}

static void test_no_rows(void **state)
{
    static const char text[] = "datasets { }", two[] = "datasets { name: 'a' } datasets { }";
    struct hr_validate_args args = { .environment = "E" };
    ProtobufCMessage *m = NULL;
    hr_anomalies *got;
    struct hr_buf b;
    struct fix f;

    (void)state;
    begin(&f);
    hr_buf_of(&b, 1000, &f.env);
    args.schema = hr_pb_new(&f.arena, &HR_MD_OF(schema));
    hr_pb_text_read(&f.arena, &HR_MD_OF(dataset_feature_statistics_list), "s", text,
                    sizeof text - 1, &m);
    args.statistics = (hr_statistics *)m;
    assert_int_equal(hr_validate(&f.arena, &args, &got), HR_INVALID);
    assert_string_equal(hr_env_error(&f.env),
                        "the schema has no environment \"E\" among its default_environment");
    args.environment = NULL;
    assert_int_equal(hr_validate(&f.arena, &args, &got), HR_OK);
    hr_pb_text_write(&f.env, &got->base, &b);
    assert_string_equal(b.text, "baseline {\n}\ndata_missing: true\n");
    hr_pb_text_read(&f.arena, &HR_MD_OF(dataset_feature_statistics_list), "s", two, sizeof two - 1,
                    &m);
    args.statistics = (hr_statistics *)m;
    assert_int_equal(hr_validate(&f.arena, &args, &got), HR_INVALID);
    hr_buf_clear(&b);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_infer),    cmocka_unit_test(test_splits),
        cmocka_unit_test(test_cases),    cmocka_unit_test(test_small),
        cmocka_unit_test(test_severity), cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_paths),    cmocka_unit_test(test_composed),
        cmocka_unit_test(test_shared_domain),
    };

    return cmocka_run_group_tests_name("validation/schema", tests, NULL, NULL);
}
