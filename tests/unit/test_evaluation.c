/* Small evaluations, whole: a configuration and rows, and what the files of the result say.  The
 * numbers are worked out by hand; where that is long, the comment says how.  ' stands for ". */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/analysis.h"
#include "help_flow.h"
#include "help_plugin.h"
#include "help_proto.h"

static const hr_function inputs = HR_EVALUATION_INPUTS;
static const hr_function sums = HR_EVALUATION_SUMS;
static const char *const by_slice[] = { "slice", NULL };

struct fix {
    struct hr_env env;
    struct hr_arena arena;
};

static void begin(struct fix *f)
{
    hr_env_init(&f->env, NULL);
    hr_arena_init(&f->arena, &f->env, 0);
}

static void end(struct fix *f)
{
    hr_arena_clear(&f->arena);
    hr_env_clear(&f->env);
}

static char *quoted(struct fix *f, const char *text)
{
    char *p = hr_arena_text(&f->arena, text), *at;

    for (at = p; (at = strchr(at, '\'')); at++)
        *at = '"';
    return p;
}

static hr_eval_config *config_of(struct fix *f, const char *text)
{
    const char *json = quoted(f, text);
    hr_eval_config *c = NULL;

    hr_errors_cut(&f->env, 0);
    return hr_eval_config_read(&f->arena, "eval.json", json, strlen(json), &c) < 0 ? NULL : c;
}

static void evaluate(struct fix *f, const hr_eval_config *c, const char *types, const char *json,
                     struct hr_evaluation *ret)
{
    struct help_run how = { .threads = 2, .batch_rows = 2, .bytes = true };
    struct help_rows rows, middle, out;
    struct ArrowArrayStream stream;
    struct hr_buf config;

    hr_buf_of(&config, 1 << 20, &f->env);
    help_rows(types, quoted(f, json), &rows);
    assert_int_equal(hr_evaluation_config(&f->env, c, 0, &config), HR_OK);
    how.config = config.text;
    how.config_size = config.len;
    how.function = &inputs;
    if (help_map(&how, &rows, 0, &middle) < 0)
        fail_msg("%s", how.error);
    how.function = &sums;
    how.keys = by_slice;
    if (help_combine(&how, &middle, &out) < 0)
        fail_msg("%s", how.error);
    help_stream(&out, 1000, &stream);
    assert_int_equal(hr_evaluation_take(&f->arena, &stream, ret), HR_OK);
    help_clear(&middle);
    help_clear(&rows);
    help_clear(&out);
    hr_buf_clear(&config);
}

/* -- metrics ----------------------------------------------------------------------------- */

#define MODEL "{'modelSpecs':[{'labelKey':'l','predictionKey':'p'}],'metricsSpecs':[{'metrics':["

/* Labels and scores of five rows; labels and the scores of three classes of four. */
#define TABLE "[[1,0.6],[0,0.3],[0,0.7],[1,0.8],[1,0.1]]"
#define CLASSES "[[0,[0.7,0.2,0.1]],[1,[0.6,0.3,0.1]],[2,[0.3,0.1,0.6]],[2,[0.2,0.5,0.3]]]"

/* Scores of three classes by two models: k = 1 has 3 of 3 then 2 of 3 right, k = 2 none. */
#define CHANGED                                                                                    \
    "[[0,[0.7,0.6,0.1],[0.8,0.7,0]],[1,[0.6,0.7,0.1],[0.9,0.8,0]],[2,[0.1,0.6,0.7],[0,0.7,0.8]]]"

#define ALL "{'slices':[{'slice':'all rows','metrics':["
#define END "]}]}"

static const struct {
    const char *config, *types, *rows, *json;
} metrics[] = {
    { MODEL "{'className':'Recall','config':'{\\'thresholds\\':[0.25,0.65]}'}]}]}",
      "l:g p:g", TABLE,
      ALL "{'name':'recall','value':{'arrayValue':{'dataType':'FLOAT64','shape':[2],"
          "'float64Values':[0.6666666666666666,0.3333333333333333]}}}" END },
    { MODEL "{'className':'Recall','config':'{\\'name\\':\\'hits\\',\\'thresholds\\':0.65}'}]}]}",
      "l:g p:g", TABLE,
      ALL "{'name':'hits','value':0.3333333333333333}" END },
    { MODEL "{'className':'PredictedPositiveRate'},{'className':'PrevalenceThreshold'}]}]}",
      "l:g p:g", TABLE,
      ALL "{'name':'predicted_positive_rate','value':0.6},{'name':'prevalence_threshold',"
          "'value':0.4641016151377548}" END },
    { MODEL "{'className':'AUC','config':'\\'num_thresholds\\':3'},{'className':'AUC',"
            "'config':'\\'name\\':\\'low\\',\\'num_thresholds\\':3,"
            "\\'summation_method\\':\\'minoring\\''},{'className':'AUC',"
            "'config':'\\'name\\':\\'high\\',\\'num_thresholds\\':3,"
            "\\'summation_method\\':\\'majoring\\''}]}]}",
      "l:g p:g", TABLE,
      ALL "{'name':'auc','value':0.5833333333333333},{'name':'high','value':0.8333333333333333},"
          "{'name':'low','value':0.3333333333333333}" END },
    { MODEL "{'className':'AUC','config':'\\'curve\\':\\'PR\\',\\'num_thresholds\\':3,"
            "\\'summation_method\\':\\'minoring\\''},{'className':'AUC',"
            "'config':'\\'curve\\':\\'PR\\',\\'name\\':\\'high\\',\\'num_thresholds\\':3,"
            "\\'summation_method\\':\\'majoring\\''}]}]}",
      "l:g p:g", TABLE,
      ALL "{'name':'auc','value':0.2},{'name':'high','value':0.22222222222222224}" END },
    { MODEL "{'className':'BinaryCrossEntropy','config':'\\'from_logits\\':true'},"
            "{'className':'BinaryCrossEntropy','config':'\\'name\\':\\'soft\\',"
            "\\'label_smoothing\\':0.5'}]}]}",
      "l:g p:g", "[[1,0.5],[0,0.25]]",
      ALL "{'name':'binary_crossentropy','value':0.6500082020294751},{'name':'soft',"
          "'value':0.6277411625893767}" END },
    { MODEL "{'className':'ConfusionMatrixAtThresholds','config':'\\'thresholds\\':[0.5]'}]}]}",
      "l:g p:g", TABLE,
      ALL "{'name':'confusion_matrix_at_thresholds',"
          "'value':{'confusionMatrixAtThresholds':{'matrices':[{'threshold':0.5,"
          "'falseNegatives':1.0,'trueNegatives':1.0,'falsePositives':1.0,'truePositives':2.0,"
          "'precision':0.6666666666666666,'recall':0.6666666666666666,'falsePositiveRate':0.5,"
          "'f1':0.6666666666666666,'accuracy':0.6,'falseOmissionRate':0.5}]}}}" END },
    { MODEL "{'className':'CategoricalCrossEntropy'},{'className':'CategoricalCrossEntropy',"
            "'config':'\\'name\\':\\'soft\\',\\'label_smoothing\\':0.3'},"
            "{'className':'CategoricalCrossEntropy','config':'\\'name\\':\\'logits\\',"
            "\\'from_logits\\':true'},{'className':'CategoricalAccuracy'}]}]}",
      "l:+g p:+g", "[[[0,1,0],[0.2,0.7,0.1]],[[1,0,0],[0.3,0.3,0.4]]]",
      ALL "{'name':'categorical_accuracy','value':0.5},{'name':'categorical_crossentropy',"
          "'value':0.7803238741323342},{'name':'logits','value':0.9505091544266002},"
          "{'name':'soft','value':0.9258734263872791}" END },
    { MODEL "{'className':'CategoricalCrossEntropy'}]}]}",
      "l:g p:+g", "[[1,[0.2,0.7,0.1]],[0,[0.3,0.3,0.4]]]",
      ALL "{'name':'categorical_crossentropy','value':0.7803238741323342}" END },
    { MODEL "{'className':'SparseTopKCategoricalAccuracy','config':'\\'k\\':2'},"
            "{'className':'MultiClassConfusionMatrixAtThresholds',"
            "'config':'\\'thresholds\\':[0.5]'}]}]}",
      "l:g p:+g", CLASSES,
      ALL "{'name':'multi_class_confusion_matrix_at_thresholds',"
          "'value':{'multiClassConfusionMatrixAtThresholds':{'matrices':[{'threshold':0.5,"
          "'entries':[{'numWeightedExamples':1.0},{'actualClassId':1,'numWeightedExamples':1.0},"
          "{'actualClassId':2,'predictedClassId':-1,'numWeightedExamples':1.0},"
          "{'actualClassId':2,'predictedClassId':2,'numWeightedExamples':1.0}]}]}}},"
          "{'name':'sparse_top_k_categorical_accuracy','value':1.0}" END },
    { MODEL "{'className':'Recall'}],'binarize':{'classIds':{'values':[0,2]},"
            "'kList':{'values':[1,2]},'topKList':{'values':[2]}}}]}",
      "l:g p:+g", CLASSES,
      ALL "{'name':'recall','class':0,'value':1.0},{'name':'recall','class':2,'value':0.5},"
          "{'name':'recall','k':1,'value':1.0},{'name':'recall','k':2,'value':0.0},"
          "{'name':'recall','top_k':2,'value':1.0}" END },
    { MODEL "{'className':'Recall'}],'aggregate':{'microAverage':true}}]}",
      "l:g p:+g", CLASSES,
      ALL "{'name':'recall','average':'micro','value':0.5}" END },
    { MODEL "{'className':'Recall'}],'aggregate':{'macroAverage':true,'classWeights':{'0':1,"
            "'2':3}}}]}",
      "l:g p:+g", CLASSES,
      ALL "{'name':'recall','average':'macro','value':0.625}" END },
    { MODEL "{'className':'Recall'}],'aggregate':{'weightedMacroAverage':true,"
            "'classWeights':{'0':1,'2':3}}}]}",
      "l:g p:+g", CLASSES,
      ALL "{'name':'recall','average':'weighted_macro','value':0.5714285714285714}" END },
    { MODEL "{'className':'Recall'}],'aggregate':{'microAverage':true,'classWeights':{'0':1,"
            "'2':3}}}]}",
      "l:g p:+g", CLASSES,
      ALL "{'name':'recall','average':'micro','value':0.5714285714285714}" END },
};

static void test_metrics(void **state)
{
    struct hr_evaluation e;
    hr_eval_config *c, *d;
    struct hr_buf b;
    struct fix f;
    char to[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        begin(&f);
        help_directory(to, sizeof to);
        hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
        c = config_of(&f, metrics[i].config);
        if (!c || hr_eval_config_default(&f.arena, c, strstr(metrics[i].config, "isBaseline"),
                                         &d) < 0)
            fail_msg("%s: %s", metrics[i].config, hr_env_error(&f.env));
        evaluate(&f, d, metrics[i].types, metrics[i].rows, &e);
        assert_int_equal(hr_evaluation_write(&f.env, to, &e, NULL), HR_OK);
        assert_int_equal(hr_evaluation_json(&f.env, to, &b), HR_OK);
        help_same_text(metrics[i].config, b.text, quoted(&f, metrics[i].json));
        hr_buf_clear(&b);
        help_remove(&f.env, to);
        end(&f);
    }
}

/* -- verdicts ---------------------------------------------------------------------------- */

#define TWO                                                                                        \
    "{'modelSpecs':[{'name':'new','labelKey':'l','predictionKey':'p'},{'name':'old','labelKey':"   \
    "'l','predictionKey':'q','isBaseline':true}],'slicingSpecs':[{},{'featureKeys':['c']}],"       \
    "'metricsSpecs':[{'metrics':["
#define PAIRS "[[1,0.6,0.7,'a'],[0,0.3,0.2,'a'],[0,0.7,0.4,'b'],[1,0.8,0.9,'b'],[1,0.1,0.8,'b']]"

static const struct {
    const char *config, *types, *rows, *reasons, *line;
} verdicts[] = {
    /* by the map of a spec; twice the same is said once */
    { TWO "{'className':'Recall','threshold':{'valueThreshold':{'lowerBound':0.9}}}],"
          "'thresholds':{'recall':{'valueThreshold':{'lowerBound':0.9}}}}]}",
      "l:g p:g q:g c:z", PAIRS,
      "recall of all rows is 0.666667, wanted at least 0.9\n"
      "recall of c=b is 0.5, wanted at least 0.9\n",
      "recall 0.67 < 0.90, -0.33 vs old@1" },
    { TWO "{'className':'FallOut'}],'thresholds':{'fall_out':{'valueThreshold':{"
          "'upperBound':0.6}}}}]}",
      "l:g p:g q:g c:z", PAIRS,
      "fall_out of c=b is 1, wanted at most 0.6\n",
      "fall_out 0.50 <= 0.60, +0.50 vs old@1" },
    { TWO "{'className':'FallOut'}],'thresholds':{'fall_out':{'valueThreshold':{"
          "'upperBound':0.4}}}}]}",
      "l:g p:g q:g c:z", PAIRS,
      "fall_out of all rows is 0.5, wanted at most 0.4\n"
      "fall_out of c=b is 1, wanted at most 0.4\n",
      "fall_out 0.50 > 0.40, +0.50 vs old@1" },
    /* a metric that is not there */
    { TWO "{'className':'Recall'}],'thresholds':{'recal':{'valueThreshold':{'lowerBound':0.9},"
          "'changeThreshold':{'absolute':0.1,'direction':'LOWER_IS_BETTER'}}}}]}",
      "l:g p:g q:g c:z", PAIRS,
      "recal of all rows was not computed, wanted at least 0.9\n"
      "recal against the baseline of all rows was not computed, wanted a change of at most "
      "0.1\n"
      "recal of c=a was not computed, wanted at least 0.9\n"
      "recal against the baseline of c=a was not computed, wanted a change of at most 0.1\n"
      "recal of c=b was not computed, wanted at least 0.9\n"
      "recal against the baseline of c=b was not computed, wanted a change of at most 0.1\n"
      "a threshold is for a slice that is not in the data: all rows\n",
      "" },
    /* what is no number, and a change without a direction */
    { TWO "{'className':'Recall','config':'\\'thresholds\\':[0.2,0.5]','threshold':{"
          "'valueThreshold':{'lowerBound':0.9}}}]}]}",
      "l:g p:g q:g c:z", PAIRS,
      "recall of all rows cannot be compared, wanted at least 0.9\n"
      "recall of c=a cannot be compared, wanted at least 0.9\n"
      "recall of c=b cannot be compared, wanted at least 0.9\n",
      "" },
    { TWO "{'className':'Recall','threshold':{'changeThreshold':{'absolute':0.1}}}]}]}",
      "l:g p:g q:g c:z", PAIRS,
      "recall against the baseline of all rows changed by -0.333333, wanted a change of at "
      "least 0.1\n"
      "recall against the baseline of c=a changed by 0, wanted a change of at least 0.1\n"
      "recall against the baseline of c=b changed by -0.5, wanted a change of at least 0.1\n",
      "recall 0.67, -0.33 vs old@1" },
    { TWO "{'className':'Recall','threshold':{'changeThreshold':{'absolute':-0.5,'relative':-0.1,"
          "'direction':'HIGHER_IS_BETTER'}}}]}]}",
      "l:g p:g q:g c:z", PAIRS,
      "recall against the baseline of all rows changed by -0.333333, wanted a change of at "
      "least -0.5 and, relative, -0.1\n"
      "recall against the baseline of c=b changed by -0.5, wanted a change of at least -0.5 "
      "and, relative, -0.1\n",
      "recall 0.67, -0.33 vs old@1" },
    /* slices: of a map, one that is not in the data, the same twice, all rows */
    { TWO "{'className':'Recall'}],'perSliceThresholds':{'recall':{'thresholds':[{'slicingSpecs':["
          "{'featureValues':{'c':'b'}},{'featureValues':{'c':'z'}},{'featureKeys':['d']}],"
          "'threshold':{'valueThreshold':{'lowerBound':0.6}}}]}}},{'metrics':[{'className':"
          "'Precision','perSliceThresholds':[{'slicingSpecs':[{'featureValues':{'c':'z'}},{}],"
          "'threshold':{'valueThreshold':{'lowerBound':0.6}}}]}]}]}",
      "l:g p:g q:g c:z", PAIRS,
      "recall of c=b is 0.5, wanted at least 0.6\n"
      "a threshold is for a slice that is not in the data: c=z\n"
      "a threshold is for a slice that is not in the data: d\n",
      "recall 0.67 >= 0.60, -0.33 vs old@1" },
    /* of classes and averages */
    { "{'modelSpecs':[{'labelKey':'l','predictionKey':'p'}],'metricsSpecs':[{'metrics':[{"
      "'className':'Recall','threshold':{'valueThreshold':{'lowerBound':0.7}}}],'binarize':{"
      "'classIds':{'values':[0,2]},'kList':{'values':[1,2]},'topKList':{'values':[2]}}},"
      "{'metrics':[{'className':'Recall','threshold':{'valueThreshold':{'lowerBound':0.7}}}],"
      "'aggregate':{'microAverage':true}}]}",
      "l:g p:+g", CLASSES,
      "recall for class 2 of all rows is 0.5, wanted at least 0.7\n"
      "recall for k 2 of all rows is 0, wanted at least 0.7\n"
      "recall (micro average) of all rows is 0.5, wanted at least 0.7\n",
      "recall 1.00 >= 0.70" },
    { "{'modelSpecs':[{'labelKey':'l','predictionKey':'p'}],'metricsSpecs':[{'metrics':[{"
      "'className':'Recall'}]}]}",
      "l:g p:g", TABLE,
      "no thresholds are configured\n",
      "" },
    { "{'modelSpecs':[{'labelKey':'l','predictionKey':'p'}],'metricsSpecs':[{'metrics':[{"
      "'className':'Recall','threshold':{'valueThreshold':{'lowerBound':0}}}]}]}",
      "l:g p:g", "[]",
      "a threshold is for a slice that is not in the data: all rows\n",
      "" },
    /* a change is judged against the same k, not another */
    { "{'modelSpecs':[{'name':'new','labelKey':'l','predictionKey':'p'},{'name':'old','labelKey':"
      "'l','predictionKey':'q','isBaseline':true}],'metricsSpecs':[{'metrics':[{'className':"
      "'Precision','threshold':{'changeThreshold':{'relative':-0.3,'direction':"
      "'HIGHER_IS_BETTER'}}}],'binarize':{'kList':{'values':[1,2]}}}]}",
      "l:g p:+g q:+g", CHANGED,
      "precision for k 2 against the baseline of all rows changed by -0.333333, wanted a "
      "change of at least (relative) -0.3\n",
      "precision 1.00, +0.33 vs old@1" },
};

static void test_verdicts(void **state)
{
    struct hr_evaluation e;
    hr_eval_config *c, *d;
    struct hr_buf b, line;
    hr_verdict *v;
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        bool two = strstr(verdicts[i].config, "isBaseline");

        begin(&f);
        hr_buf_of(&b, HR_MAX_FILE_BYTES, &f.env);
        hr_buf_of(&line, HR_MAX_FILE_BYTES, &f.env);
        c = config_of(&f, verdicts[i].config);
        if (!c || hr_eval_config_default(&f.arena, c, two, &d) < 0)
            fail_msg("%s: %s", verdicts[i].config, hr_env_error(&f.env));
        evaluate(&f, d, verdicts[i].types, verdicts[i].rows, &e);
        assert_int_equal(hr_verdict_make(&f.arena, &e, d, c, &v), HR_OK);
        assert_int_equal(hr_verdict_reasons(&f.env, v, &b), HR_OK);
        assert_int_equal(hr_verdict_line(&f.env, &e, d, two ? "old@1" : NULL, &line), HR_OK);
        help_same_text(verdicts[i].config, b.text, verdicts[i].reasons);
        help_same_text(verdicts[i].config, line.text, verdicts[i].line);
        assert_int_equal(!v->validation_ok, b.len > 0);
        hr_buf_clear(&line);
        hr_buf_clear(&b);
        end(&f);
    }
}

/* -- mistakes ---------------------------------------------------------------------------- */

#define SPEC "{'modelSpecs':[{}],'metricsSpecs':[{"
#define METRIC(name, options)                                                                      \
    SPEC "'metrics':[{'className':'" name "','config':'{" options "}'}]}]}"

static const struct {
    const char *config, *error;
} mistakes[] = {
    { SPEC "'outputNames':['a']}]}",
      "the evaluation does not offer outputNames and outputWeights; take it out" },
    { SPEC "'queryKey':'q'}]}",
      "the evaluation does not offer metrics of queries (queryKey); take it out" },
    { SPEC "'crossSliceThresholds':{'a':{}}}]}",
      "the evaluation does not offer crossSliceThresholds; take it out" },
    { SPEC "'aggregate':{'topKList':{'values':[1]}}}]}",
      "the evaluation does not offer aggregate.topKList; take it out" },
    { SPEC "'metrics':[{'className':'AUC','crossSliceThresholds':[{}]}]}]}",
      "the evaluation does not offer crossSliceThresholds; take it out" },
    { "{'modelSpecs':[{}],'crossSlicingSpecs':[{}]}",
      "the evaluation does not offer crossSlicingSpecs; take it out" },
    { "{'modelSpecs':[{'labelKeys':{'a':'b'}}]}",
      "the evaluation does not offer models of several outputs (labelKeys, predictionKeys, "
      "exampleWeightKeys); take it out" },
    { "{'modelSpecs':[{}],'options':{'computeConfidenceIntervals':true}}",
      "the evaluation does not offer computeConfidenceIntervals; take it out" },
    { "{'modelSpecs':[{'name':'a','isBaseline':true},{'name':'b','isBaseline':true}]}",
      "there are 2 modelSpecs, 2 of them baselines; there may be one of either kind" },
    { SPEC "'metrics':[{'className':'AUC','perSliceThresholds':[{}]}]}]}",
      "a perSliceThreshold of 'AUC' has no slicingSpecs" },
    { METRIC("Recall", "\\'thresholds\\':\\'x\\'"),
      "metric 'Recall': 'thresholds' wants a number or a list of numbers, not a string" },
    { METRIC("Recall", "\\'thresholds\\':[]"),
      "metric 'Recall': 'thresholds' wants at least one number, not a list" },
    { METRIC("AUC", "\\'num_thresholds\\':1"),
      "metric 'AUC': 'num_thresholds' wants an integer that is not too small or large, not a "
      "number" },
    { METRIC("AUC", "\\'num_thresholds\\':\\'many\\'"),
      "metric 'AUC': 'num_thresholds' wants an integer that is not too small or large, not a "
      "string" },
    { METRIC("AUC", "\\'curve\\':\\'RO\\'"),
      "metric 'AUC': 'curve' wants 'ROC' or 'PR', not a string" },
    { METRIC("AUC", "\\'curve\\':1"),
      "metric 'AUC': 'curve' wants 'ROC' or 'PR', not a number" },
    { METRIC("AUC", "\\'name\\':1"),
      "metric 'AUC': 'name' wants a text, not a number" },
    { METRIC("BinaryCrossEntropy", "\\'label_smoothing\\':\\'x\\'"),
      "metric 'BinaryCrossEntropy': 'label_smoothing' wants a number, not a string" },
    { METRIC("SparseTopKCategoricalAccuracy", "\\'k\\':0"),
      "metric 'SparseTopKCategoricalAccuracy': 'k' wants an integer that is not too small or "
      "large, not a number" },
    { METRIC("RecallAtPrecision", "\\'precision\\':true"),
      "metric 'RecallAtPrecision': 'precision' wants a number, not true or false" },
    { SPEC "'binarize':{'classIds':{'values':[-1]}},'metrics':[{'className':'AUC'}]}]}",
      "binarize has a value -1" },
    { SPEC "'aggregate':{'macroAverage':true},'metrics':[{'className':'AUC'}]}]}",
      "aggregate of metric 'AUC' needs microAverage, or macroAverage and classWeights" },
    { SPEC "'aggregate':{'classWeights':{'x':1}},'metrics':[{'className':'AUC'}]}]}",
      "eval.json:1:66: the keys of 'class_weights' are integers, not 'x'" },
    { SPEC "'exampleWeights':{'weighted':true},'metrics':[{'className':'AUC'}]}]}",
      "exampleWeights asks for weights, but model '' has no exampleWeightKey" },
    { SPEC "'metrics':[{'className':'AUC',"
           "'threshold':{'changeThreshold':{'direction':'UP'}}}]}]}",
      "eval.json:1:111: 'UP' is no value of 'direction'" },
    { SPEC "'metrics':[{'className':'AUC','threshold':{'changeThreshold':{'absolute':'x'}}}]}]}",
      "eval.json:1:110: 'value' wants a number, not a string" },
    { SPEC "'metrics':[{'className':'AUC','threshold':7}]}]}",
      "eval.json:1:79: 'threshold' wants an object, not a number" },
    { SPEC "'metrics':{'className':'AUC'}}]}",
      "eval.json:1:47: 'metrics' wants a list, not an object" },
    { SPEC "'binarize':{'classIds':{'values':[0.5]}}}]}",
      "eval.json:1:71: 'values' wants an integer of 32 bits, not a number" },
    { SPEC "'binarize':{'classIds':{'values':[4294967296]}}}]}",
      "eval.json:1:71: 'values' wants an integer of 32 bits, not a number" },
    { "{'modelSpecs':[{'isBaseline':1}]}",
      "eval.json:1:30: 'is_baseline' wants true or false, not a number" },
    { "{'modelSpecs':[{}],'options':{'minSliceSize':'x'}}",
      "eval.json:1:46: 'value' wants an integer of 32 bits, not a string" },
    { "[]",
      "eval.json:1:1: 'EvalConfig' wants an object, not a list" },
    { "{",
      "eval.json:1:2: the name of a member in double quotes is missing" },
};

static void test_mistakes(void **state)
{
    struct fix f;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        begin(&f);
        assert_null(config_of(&f, mistakes[i].config));
        help_same_text(mistakes[i].config, hr_env_error(&f.env), quoted(&f, mistakes[i].error));
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}
