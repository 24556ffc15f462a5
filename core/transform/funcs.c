/* The functions of the language: a row of the table each, with parameters as
 *
 *     name:kind     kind n number, f number taken as float, i int, s bytes, b bool, x any,
 *                   v vocabulary; constants: I int, F number, T text, B bool, L list, M table;
 *                   V: a list of expressions
 *     name:kind?    may be left out
 *     name:2        not offered yet
 *     ...:kind      any number of arguments
 */
#include <stdio.h>
#include <string.h>

#include "transform/build.h"

struct function {
    const char *name, *params;
    int32_t (*build)(struct hr_call *c);
    int op;
};

/* -- the table ---------------------------------------- */

static const struct function functions[] = {
    { "abs", "x:n", hr_build_same, HR_OP_ABS },
    { "sign", "x:n", hr_build_same, HR_OP_SIGN },
    { "sqrt", "x:f", hr_build_same, HR_OP_SQRT },
    { "exp", "x:f", hr_build_same, HR_OP_EXP },
    { "log", "x:f", hr_build_same, HR_OP_LOG },
    { "log1p", "x:f", hr_build_same, HR_OP_LOG1P },
    { "pow", "x:f y:f", hr_build_same, HR_OP_POW },
    { "min2", "x:n y:n", hr_build_same, HR_OP_MIN2 },
    { "max2", "x:n y:n", hr_build_same, HR_OP_MAX2 },
    { "clip", "x:n min:n max:n", hr_build_clip, 0 },
    { "round", "x:n", hr_build_round, HR_OP_ROUND },
    { "floor", "x:n", hr_build_round, HR_OP_FLOOR },
    { "ceil", "x:n", hr_build_round, HR_OP_CEIL },
    { "if_else", "c:b a:x b:x", hr_build_if, 0 },
    { "is_nan", "x:f", hr_build_same, HR_OP_IS_NAN },
    { "fill_nan", "x:f v:f", hr_build_same, HR_OP_FILL_NAN },
    { "is_missing", "x:x", hr_build_same, HR_OP_IS_MISSING },
    { "fill", "x:x v:x", hr_build_fill, 0 },
    { "to_int", "x:x", hr_build_cast, HR_OP_TO_INT },
    { "to_float", "x:x", hr_build_cast, HR_OP_TO_FLOAT },
    { "to_bytes", "x:x", hr_build_cast, HR_OP_TO_BYTES },
    { "to_number", "s:s default:n?", hr_build_number, HR_OP_TO_NUMBER },
    { "scale_to_z_score", "x:n elementwise:B? output_dtype:2", hr_build_z_score, 0 },
    { "scale_to_0_1", "x:n elementwise:B?", hr_build_0_1, 0 },
    { "scale_by_min_max", "x:n output_min:F? output_max:F? elementwise:B?", hr_build_min_max, 0 },
    { "bucketize", "x:n num_buckets:I epsilon:F? weights:n? elementwise:B?", hr_build_bucketize,
      0 },
    { "apply_buckets", "x:n bucket_boundaries:L", hr_build_apply_buckets, 0 },
    { "compute_and_apply_vocabulary",
      "x:x default_value:I? top_k:I? frequency_threshold:I? vocab_filename:T? num_oov_buckets:I? "
      "weights:2 labels:2 use_adjusted_mutual_info:2 min_diff_from_avg:2 coverage_top_k:2 "
      "coverage_frequency_threshold:2 key_fn:2 fingerprint_shuffle:2 file_format:2 "
      "store_frequency:2 reserved_tokens:2",
      hr_build_compute_and_apply, 0 },
    { "vocabulary",
      "x:x top_k:I? frequency_threshold:I? vocab_filename:T? weights:2 labels:2 "
      "use_adjusted_mutual_info:2 min_diff_from_avg:2 coverage_top_k:2 "
      "coverage_frequency_threshold:2 key_fn:2 fingerprint_shuffle:2 file_format:2 "
      "store_frequency:2 reserved_tokens:2",
      hr_build_vocabulary, 0 },
    { "apply_vocabulary", "x:x vocabulary:v default_value:I? num_oov_buckets:I?",
      hr_build_apply_vocabulary, 0 },
    { "hash_strings", "strings:s hash_buckets:I key:L?", hr_build_hash, 0 },
    { "one_hot", "x:i depth:I", hr_build_depth, HR_OP_ONE_HOT },
    { "multi_hot", "x:i depth:I", hr_build_depth, HR_OP_MULTI_HOT },
    { "lookup", "x:x table:M default:C", hr_build_lookup, 0 },
    { "mean", "x:n", hr_build_mean, HR_OP_MEAN },
    { "var", "x:n", hr_build_mean, HR_OP_VAR },
    { "stddev", "x:n", hr_build_mean, HR_OP_VAR },
    { "min", "x:n elementwise:B?", hr_build_stat, HR_OP_MIN },
    { "max", "x:n elementwise:B?", hr_build_stat, HR_OP_MAX },
    { "sum", "x:n", hr_build_stat, HR_OP_SUM },
    { "size", "x:x", hr_build_stat, HR_OP_SIZE },
    { "count", "x:x", hr_build_stat, HR_OP_COUNT },
    { "lower", "x:s", hr_build_same, HR_OP_LOWER },
    { "upper", "x:s", hr_build_same, HR_OP_UPPER },
    { "strip", "x:s", hr_build_same, HR_OP_STRIP },
    { "length", "x:s unit:T?", hr_build_length, 0 },
    { "substr", "x:s pos:I len:I unit:T?", hr_build_substr, 0 },
    { "concat_text", "...:s", hr_build_text, 0 },
    { "split", "x:s sep:T? skip_empty:B?", hr_build_split, 0 },
    { "join", "list:s sep:T", hr_build_join, 0 },
    { "regex_replace", "x:s pattern:T rewrite:T", hr_build_regex, HR_OP_REPLACE },
    { "regex_match", "x:s pattern:T", hr_build_regex, HR_OP_MATCH },
    { "regex_extract", "x:s pattern:T group:I?", hr_build_regex, HR_OP_EXTRACT },
    { "first", "x:x", hr_build_pick, 0 },
    { "last", "x:x", hr_build_pick, 0 },
    { "at", "x:x i:I", hr_build_pick, 0 },
    { "len", "x:x", hr_build_same, HR_OP_LEN },
    { "densify", "x:x n:I v:x", hr_build_densify, 0 },
    { "concat", "values:V", hr_build_concat, 0 },
    { "reduce_sum", "x:n", hr_build_same, HR_OP_REDUCE_SUM },
    { "reduce_mean", "x:n", hr_build_same, HR_OP_REDUCE_MEAN },
    { "reduce_max", "x:n", hr_build_same, HR_OP_REDUCE_MAX },
    { "reduce_min", "x:n", hr_build_same, HR_OP_REDUCE_MIN },
    { "annotate", "x:x categorical:B? min:I? max:I?", hr_build_annotate, 0 },
};

static const char *const later[] = {
    "scale_to_gaussian",
    "scale_to_z_score_per_key",
    "scale_to_0_1_per_key",
    "scale_by_min_max_per_key",
    "bucketize_per_key",
    "apply_buckets_with_interpolation",
    "estimated_probability_density",
    "approximate_vocabulary",
    "cross",
    "quantiles",
    "histogram",
    "covariance",
    "pca",
    "count_per_key",
    "tukey_location",
    "tukey_scale",
    "tukey_h_params",
    "ngrams",
    "bag_of_words",
    "word_count",
    "tfidf",
    "document_frequency",
    "idf",
    "deduplicate",
    "normalize_utf8",
    "tokenize",
    "segment_indices",
    "slice",
    "unique",
    "sort",
    "parse_time",
    "year",
    "month",
    "day",
    "weekday",
    "hour",
    "minute",
    "vector",
    "dot",
    "normalize",
};

enum { FUNCTIONS = sizeof functions / sizeof *functions, LATER = sizeof later / sizeof *later };

size_t hr_function_names(const char *const **ret)
{
    /* all names in one list: the first half of each row of the table, then those of later */
    static const char *const names[] = {
        "abs",
        "sign",
        "sqrt",
        "exp",
        "log",
        "log1p",
        "pow",
        "min2",
        "max2",
        "clip",
        "round",
        "floor",
        "ceil",
        "if_else",
        "is_nan",
        "fill_nan",
        "is_missing",
        "fill",
        "to_int",
        "to_float",
        "to_bytes",
        "to_number",
        "scale_to_z_score",
        "scale_to_0_1",
        "scale_by_min_max",
        "bucketize",
        "apply_buckets",
        "compute_and_apply_vocabulary",
        "vocabulary",
        "apply_vocabulary",
        "hash_strings",
        "one_hot",
        "multi_hot",
        "lookup",
        "mean",
        "var",
        "stddev",
        "min",
        "max",
        "sum",
        "size",
        "count",
        "lower",
        "upper",
        "strip",
        "length",
        "substr",
        "concat_text",
        "split",
        "join",
        "regex_replace",
        "regex_match",
        "regex_extract",
        "first",
        "last",
        "at",
        "len",
        "densify",
        "concat",
        "reduce_sum",
        "reduce_mean",
        "reduce_max",
        "reduce_min",
        "annotate",
    };

    _Static_assert(sizeof names / sizeof *names == FUNCTIONS, "a name for each function");
    *ret = names;
    return FUNCTIONS;
}

/* -- arguments to parameters ---------------------------------------- */

static void read_params(struct hr_call *c, const char *p)
{
    while (*p) {
        struct hr_param *q = &c->params[c->nparams++];
        const char *colon = strchr(p, ':');

        q->name = hr_slice(p, (size_t)(colon - p));
        q->kind = colon[1];
        q->later = q->kind == '2';
        q->optional = q->later || colon[2] == '?';
        p = colon + (colon[2] == '?' ? 3 : 2);
        p += *p == ' ';
    }
}

static int param_named(struct hr_call *c, struct hr_slice name)
{
    int i;

    for (i = 0; i < c->nparams; i++)
        if (c->params[i].name.len == name.len &&
            !memcmp(c->params[i].name.text, name.text, name.len))
            return i;
    return -1;
}

static bool no_param(struct hr_call *c, const struct hr_ast *at, struct hr_slice name)
{
    const char *names[HR_PARAMS_MAX], *wrong = hr_arena_bytes(&c->p->arena, name.text, name.len);
    int i, n = 0;

    for (i = 0; i < c->nparams; i++)
        if ((names[n] =
                 hr_arena_bytes(&c->p->arena, c->params[i].name.text, c->params[i].name.len)))
            n++;
    hr_compile_fail(c->p, at, wrong ? hr_text_meant(wrong, names, (size_t)n) : NULL,
                    "%s has no argument \"%.*s\"", c->name, (int)name.len, name.text);
    return false;
}

static bool place(struct hr_call *c, size_t k)
{
    const struct hr_ast *a = c->at->kids[k];
    struct hr_slice key = c->at->keys[k];
    int i = key.text ? param_named(c, key) : (int)k;

    if (i < 0)
        return no_param(c, a, key);
    if (i >= c->nparams) {
        hr_compile_fail(c->p, a, NULL, "%s has at most %d arguments", c->name, c->nparams);
        return false;
    }
    if (c->params[i].later) {
        hr_compile_fail(c->p, a, NULL, "the argument %.*s of %s is not offered yet",
                        (int)c->params[i].name.len, c->params[i].name.text, c->name);
        return false;
    }
    if (c->asts[i]) {
        hr_compile_fail(c->p, a, NULL, "%s gets its argument %.*s twice", c->name,
                        (int)c->params[i].name.len, c->params[i].name.text);
        return false;
    }
    c->asts[i] = a;
    return true;
}

static bool constant(struct hr_call *c, int i)
{
    static const struct {
        char kind;
        unsigned mask;
        const char *what;
    } kinds[] = {
        { 'I', 1u << HR_A_INT, "an integer" },
        { 'F', 1u << HR_A_INT | 1u << HR_A_FLOAT, "a number" },
        { 'T', 1u << HR_A_TEXT, "a text in quotes" },
        { 'B', 1u << HR_A_BOOL, "true or false" },
        { 'L', 1u << HR_A_LIST, "a list of constants" },
        { 'M', 1u << HR_A_MAP, "a table, as {\"a\": 1, \"b\": 2}" },
        { 'C', 1u << HR_A_INT | 1u << HR_A_FLOAT | 1u << HR_A_TEXT, "a constant" },
        { 'V', 1u << HR_A_LIST, "a list, as [a, b]" },
    };
    size_t k = 0;

    while (kinds[k].kind != c->params[i].kind)
        k++;
    if (kinds[k].mask >> c->asts[i]->kind & 1)
        return true;
    hr_compile_fail(c->p, c->asts[i], NULL, "%.*s of %s is %s", (int)c->params[i].name.len,
                    c->params[i].name.text, c->name, kinds[k].what);
    return false;
}

static bool wanted(struct hr_call *c, int i)
{
    static const struct {
        char kind;
        unsigned mask;
        const char *what;
    } kinds[] = {
        { 'n', 1u << HR_E_INT | 1u << HR_E_FLOAT, "a number" },
        { 'f', 1u << HR_E_INT | 1u << HR_E_FLOAT, "a number" },
        { 'i', 1u << HR_E_INT, "an int" },
        { 's', 1u << HR_E_BYTES, "bytes" },
        { 'b', 1u << HR_E_BOOL, "a bool" },
        { 'v', 1u << HR_E_VOCAB, "a vocabulary" },
        { 'x', 15u << HR_E_INT, "a value" },
    };
    int elem = hr_compile_type(c->p, c->steps[i])->elem;
    const char *meant = NULL;
    size_t k = 0;

    while (kinds[k].kind != c->params[i].kind)
        k++;
    if (kinds[k].mask >> elem & 1) {
        if (c->params[i].kind == 'f')
            c->steps[i] = hr_compile_float(c->p, c->asts[i], c->steps[i]);
        return c->steps[i] >= 0;
    }
    if (elem == HR_E_BYTES && (strstr(c->name, "bucket") || strstr(c->name, "scale")))
        meant = "compute_and_apply_vocabulary";
    hr_compile_fail(c->p, c->asts[i], meant, "%s wants %s, but %s is %s", c->name, kinds[k].what,
                    hr_compile_called(c->p, c->asts[i]), hr_elem_name(elem));
    return false;
}

static bool bind(struct hr_call *c)
{
    bool ok = true;
    size_t k;
    int i;

    for (k = 0; k < c->at->n; k++)
        ok &= place(c, k);
    for (i = 0; i < c->nparams; i++) {
        c->steps[i] = -1;
        if (!c->asts[i]) {
            if (!c->params[i].optional && ok) {
                hr_compile_fail(c->p, c->at, NULL, "%s wants an argument %.*s", c->name,
                                (int)c->params[i].name.len, c->params[i].name.text);
                ok = false;
            }
        } else if (strchr("IFTBLMCV", c->params[i].kind)) {
            ok &= constant(c, i);
        } else {
            c->steps[i] = hr_compile(c->p, c->w, c->asts[i]);
            ok &= c->steps[i] >= 0 && wanted(c, i);
        }
    }
    return ok;
}

static int32_t no_function(struct hr_program *p, const struct hr_ast *a)
{
    const char *const *names;
    size_t n = hr_function_names(&names);
    const char *wrong = hr_arena_bytes(&p->arena, a->text.text, a->text.len);

    return hr_compile_fail(p, a, wrong ? hr_text_meant(wrong, names, n) : NULL,
                           "there is no function \"%.*s\"", (int)a->text.len, a->text.text);
}

int32_t hr_compile_call(struct hr_program *p, const struct hr_where *w, const struct hr_ast *a)
{
    struct hr_call c = { .p = p, .w = w, .at = a };
    size_t i;

    for (i = 0; i < LATER; i++)
        if (hr_slice_eq(a->text, later[i])) {
            c.name = later[i];
            return hr_build_later(&c);
        }
    for (i = 0; i < FUNCTIONS; i++)
        if (hr_slice_eq(a->text, functions[i].name))
            break;
    if (i == FUNCTIONS)
        return no_function(p, a);
    c.name = functions[i].name;
    c.op = functions[i].op;
    if (functions[i].params[0] == '.')
        return functions[i].build(&c);
    read_params(&c, functions[i].params);
    return bind(&c) ? functions[i].build(&c) : -1;
}
