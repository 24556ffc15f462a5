#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "pipeline/pipeline.h"

struct fixture {
    struct hr_env env;
    struct hr_catalogue *catalogue;
    char dir[64];
};

static int set_up(void **state)
{
    static const char *const places[] = { HR_TEST_PLUGINS, NULL };
    static struct fixture f;
    struct hr_catalogue_config config = { .places = places, .worker = HR_TEST_WORKER };

    hr_env_init(&f.env, NULL);
    strcpy(f.dir, "/tmp/hr_pipe_XXXXXX");
    *state = &f;
    return !mkdtemp(f.dir) || hr_catalogue_open(&f.env, &config, &f.catalogue) < 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    hr_catalogue_close(f->catalogue);
    hr_tree_remove(&f->env, f->dir);
    hr_env_clear(&f->env);
    return 0;
}

static hr_status read_text(struct fixture *f, const char *text, struct hr_pipeline **ret)
{
    char path[128];

    snprintf(path, sizeof path, "%s/p.json", f->dir);
    hr_errors_cut(&f->env, 0);
    assert_int_equal(hr_file_write(&f->env, path, text, strlen(text)), HR_OK);
    return hr_pipeline_read(&f->env, f->catalogue, NULL, 0, path, ret);
}

#define HEAD "{\"headrace\": 1, \"name\": \"p\", "
#define SOURCE "\"source\": {\"importer\": {\"source_uri\": \"data\", \"type\": \"File\"}}"

static void test_good(void **state)
{
    static const char text[] =
        HEAD "\"parameters\": {\"least\": {\"type\": \"int\", \"default\": 3, \"constraint\":"
             " \"1..9\"}},\n \"nodes\": {\"count\": {\"component\": \"line-count\", \"inputs\":"
             " {\"table\": \"source\"}, \"properties\": {\"min_lines\": \"${param.least * 2}\"}},\n"
             " " SOURCE "}}";
    struct hr_given given = { "least", "4" };
    struct hr_param_values values = { .run_id = "r", .run_name = "n" };
    struct fixture *f = *state;
    struct hr_setting *settings;
    struct hr_pipeline *p = NULL;
    struct hr_buf normal;

    assert_int_equal(read_text(f, text, &p), HR_OK);
    assert_int_equal(p->node_count, 2);
    assert_int_equal(p->order[0], 1);
    assert_int_equal(p->nodes[0].inputs[0].channels[0].node, 1);
    assert_string_equal(p->nodes[0].inputs[0].channels[0].output, "result");
    assert_int_equal(hr_pipeline_params(p, &given, 1, true, &p->arena, &values), HR_OK);
    assert_int_equal(hr_node_settings(p, &p->nodes[0], &values, &p->arena, &settings), HR_OK);
    assert_int_equal(settings[0].value.i, 8);
    assert_string_equal(settings[0].written, "\"${param.least * 2}\"");
    given.text = "10";
    assert_int_equal(hr_pipeline_params(p, &given, 1, true, &p->arena, &values), HR_INVALID);
    assert_non_null(strstr(hr_env_error(&f->env), "\"least\" is \"10\", and must be within 1..9"));
    hr_buf_of(&normal, 100000, &f->env);
    assert_int_equal(hr_pipeline_normal(p, &normal), HR_OK);
    assert_non_null(strstr(normal.text, "\"component\": \"org.headrace.line-count\""));
    hr_buf_clear(&normal);
    hr_pipeline_free(p);
}

static void test_bad(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        { "[]", ":1:1: a pipeline is an object" },
        { "{\"headrace\": 2, \"name\": \"p\", \"nodes\": {" SOURCE "}}", "made for headrace" },
        { "{\"nodes\": {" SOURCE "}}", "the member \"headrace\": 1 is missing" },
        { "{\"headrace\": 1, \"nodes\": {" SOURCE "}}", "the member \"name\" is missing" },
        { "{\"headrace\": 1, \"name\": \"9\", \"nodes\": {" SOURCE "}}", "\"9\" is no name" },
        { HEAD "\"nods\": {}}", "has no member \"nods\"; did you mean \"nodes\"?" },
        { HEAD "\"nodes\": {}}", "has nothing to do" },
        { HEAD "\"nodes\": {\"a\": {}}}", "exactly one of component, resolver, importer" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-cont\"}}}", "mean \"line-count\"?" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\"}}}",
          "input \"table\" of line-count (File) is missing" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"table\":"
               " \"suorce\"}}, " SOURCE "}}",
          "there is no node \"suorce\"; did you mean \"source\"?" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"table\":"
               " \"source.reslut\"}}, " SOURCE "}}",
          "has no output \"reslut\"; did you mean \"result\"?" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"tabel\":"
               " \"source\", \"table\": \"source\"}}, " SOURCE "}}",
          "has no input \"tabel\"; did you mean \"table\"?" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"table\":"
               " \"source\"}, \"properties\": {\"min_line\": 1}}, " SOURCE "}}",
          "has no property \"min_line\"; did you mean \"min_lines\"?" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"table\":"
               " \"source\"}, \"properties\": {\"min_lines\": \"1\"}}, " SOURCE "}}",
          "\"min_lines\" wants an int, and this is a text" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"table\":"
               " \"source\"}, \"properties\": {\"min_lines\": -1}}, " SOURCE "}}",
          "\"min_lines\" is \"-1\", and must be within 0.." },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"table\":"
               " \"source\"}, \"properties\": {\"min_lines\": \"${param.x}\"}}, " SOURCE "}}",
          "there is no \"param.x\" here" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"line-count\", \"inputs\": {\"table\": \"b\"},"
               " \"after\": \"a\"}, " SOURCE "}}",
          "there is no node \"b\"" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"Misbehave\", \"after\": [\"b\"]}, \"b\":"
               " {\"component\": \"Misbehave\", \"after\": \"a\"}}}",
          "in a circle: a <- b <- a" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"Misbehave\", \"timeout\": \"5 parsecs\"}}}",
          "\"timeout\" wants a number with a unit" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"Misbehave\", \"retries\": -1}}}",
          "\"retries\" wants an int" },
        { HEAD "\"nodes\": {\"a\": {\"resolver\": \"latest_artifact\", \"outputs\": {\"m\":"
               " \"Model\"}}}}",
          "did you mean \"latest_artifacts\"?" },
        { HEAD "\"parameters\": {\"x\": {\"type\": \"intt\"}}, \"nodes\": {" SOURCE "}}",
          "did you mean \"int\"?" },
        { HEAD "\"parameters\": {\"x\": {\"type\": \"int\", \"default\": \"7\"}}, \"nodes\": "
               "{" SOURCE "}}",
          "\"x\" wants an int, and this is a text" },
        { HEAD "\"nodes\": {\"a\": {\"component\": \"Misbehave\", \"if\": \"true\"}}}",
          "\"if\" wants an expression" },
    };
    struct fixture *f = *state;
    struct hr_pipeline *p = NULL;
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(read_text(f, rows[i].text, &p), HR_INVALID);
        if (!strstr(hr_env_error(&f->env), rows[i].error))
            fail_msg("%s\ngives %s", rows[i].text, hr_env_error(&f->env));
    }
    /* all at once, in the order of the file */
    assert_int_equal(read_text(f,
                               HEAD "\n\"x\": 1,\n\"nodes\": {\"a\": {\"component\": \"q\"},\n"
                                    " \"b\": {}}}",
                               &p),
                     HR_INVALID);
    assert_true(f->env.errors.count >= 3);
    assert_int_equal(f->env.errors.items[0].line, 2);
    assert_int_equal(f->env.errors.items[1].line, 3);
    hr_errors_cut(&f->env, 0);
}

static char *quoted(char *text)
{
    char *at;

    for (at = text; (at = strchr(at, '\'')); at++)
        *at = '"';
    return text;
}

#define S "'source':{'importer':{'source_uri':'data','type':'File'}}"

/* Of a pipeline's text behind HEAD, with ' for "; the first sentence that it gets. */
static const struct {
    const char *text, *error;
} mistakes[] = {
    { "'parameters':{'x':7},'nodes':{" S "}}",
      "1:48: parameter 'x' wants an object with 'type'" },
    { "'parameters':{'9x':{'type':'int'}},'nodes':{" S "}}",
      "1:49: '9x' is no name for a parameter" },
    { "'parameters':{'x':{}},'nodes':{" S "}}",
      "1:48: parameter 'x' has no 'type'" },
    { "'parameters':{'x':{'type':7}},'nodes':{" S "}}",
      "1:56: 'type' wants a string, and this is a number" },
    { "'parameters':{'x':{'type':'float','default':0.5,'constraint':'1..9'}},'nodes':{"
      S "}}",
      "1:74: 'x' is '0.5', and must be within 1..9" },
    { "'parameters':{'x':{'type':'int','default':12,'constraint':'1..9'}},'nodes':{" S "}}",
      "1:72: 'x' is '12', and must be within 1..9" },
    { "'parameters':{'x':{'type':'string','default':'c','constraint':'a|b'}},'nodes':{"
      S "}}",
      "1:75: 'x' is 'c', and must be within a|b" },
    { "'parameters':{'x':{'type':'bool','default':1}},'nodes':{" S "}}",
      "1:73: 'x' wants a bool, and this is an int" },
    { "'parameters':{'x':{'type':'int','defalt':1}},'nodes':{" S "}}",
      "1:62: a parameter has no member 'defalt'; did you mean 'default'?" },
    { "'parameters':[],'nodes':{" S "}}",
      "1:43: 'parameters' wants an object, and this is a list" },
    { "'include':7,'nodes':{" S "}}",
      "1:40: 'include' wants a string or a list of strings" },
    { "'include':[7],'nodes':{" S "}}",
      "1:41: 'include' wants a string or a list of strings" },
    { "'include':'nowhere.json','nodes':{" S "}}",
      "1:40: cannot include 'nowhere.json'" },
    { "'doc':7,'nodes':{" S "}}",
      "1:36: 'doc' wants a string, and this is a number" },
    { "'plugins':7,'nodes':{" S "}}",
      "1:40: 'plugins' is a list, and this is a number" },
    { "'plugins':{'org.x':7},'nodes':{" S "}}",
      "1:40: 'plugins' is a list, and this is an object" },
    { "'plugins':{'org.x':'^1'},'nodes':{" S "}}",
      "1:40: 'plugins' is a list, and this is an object" },
    { "'parallel':0,'nodes':{" S "}}",
      "1:30: a pipeline has no member 'parallel'" },
    { "'isolation':'some','nodes':{" S "}}",
      "1:30: a pipeline has no member 'isolation'" },
    { "'timeout':7,'nodes':{" S "}}",
      "1:30: a pipeline has no member 'timeout'" },
    { "'resolve':7,'nodes':{" S "}}",
      "1:30: a pipeline has no member 'resolve'" },
    { "'nodes':{'9':{'component':'Misbehave'}}}",
      "1:43: '9' is no name for a node: a letter, then at most 62 letters, digits, _, - or "
      "." },
    { "'nodes':{'a':7}}",
      "1:43: node 'a' wants an object" },
    { "'nodes':[]}",
      "1:38: 'nodes' wants an object, and this is a list" },
    { "'nodes':{'a':{'component':7}," S "}}",
      "1:56: 'component' wants a string, and this is a number" },
    { "'nodes':{'a':{'component':'Misbehave','importer':{}}," S "}}",
      "1:43: node 'a' wants exactly one of component, resolver, importer, command, "
      "pipeline" },
    { "'nodes':{'a':{'component':'Misbehave','isolation':'some'}," S "}}",
      "1:80: 'isolation' is 'worker' or 'none'" },
    { "'nodes':{'a':{'component':'Misbehave','cache':'no'}," S "}}",
      "1:76: 'cache' is true, false or {'ignore': [properties]}" },
    { "'nodes':{'a':{'component':'Misbehave','cache':{'ignore':7}}," S "}}",
      "1:86: 'ignore' wants a string or a list of strings" },
    { "'nodes':{'a':{'component':'Misbehave','cache':{'ignore':['hwo']}}," S "}}",
      "1:87: node 'a': 'cache' ignores 'hwo', and it has no property of that name; did you mean "
      "'how'?" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'source'},"
      "'cache':{'ignore':'table'}}," S "}}",
      "1:115: node 'a': 'cache' ignores 'table', and it has no property of that name" },
    { "'nodes':{'a':{'resolver':'latest_artifacts','outputs':{'m':'Model'},"
      "'cache':{'ignore':'how'}}," S "}}",
      "1:116: node 'a': 'cache' ignores 'how', and it has no property of that name" },
    { "'defaults':{'cache':{'ignore':['how','nope']}},'nodes':{'a':{'component':'Misbehave'},"
      S "}}",
      "1:67: 'cache' ignores 'nope', and no node here has a property of that name" },
    { "'nodes':{'a':{'component':'Misbehave'},'g':{'pipeline':{'nodes':{" S "}},"
      "'cache':{'ignore':'how'}}}}",
      "1:173: 'cache' ignores 'how', and no node here has a property of that name" },
    { "'nodes':{'a':{'component':'Misbehave','timeout':7}," S "}}",
      "1:78: 'timeout' wants a number with a unit, as '90s'" },
    { "'nodes':{'a':{'component':'Misbehave','timeout':'0 s'}," S "}}",
      "1:78: 'timeout' wants a number with a unit, as '90s'" },
    { "'nodes':{'a':{'component':'Misbehave','retries':{'count':1}}," S "}}",
      "1:78: 'retries' wants an int from 0 to 100" },
    { "'nodes':{'a':{'component':'Misbehave','retry_delay':'x'}," S "}}",
      "1:68: a node has no member 'retry_delay'" },
    { "'nodes':{'a':{'component':'Misbehave','memory':'much'}," S "}}",
      "1:77: 'memory' wants a number with a unit, as '2GiB'" },
    { "'nodes':{'a':{'component':'Misbehave','finally':7}," S "}}",
      "1:78: 'finally' wants true or false, and this is a number" },
    { "'nodes':{'a':{'component':'Misbehave','doc':7}," S "}}",
      "1:74: 'doc' wants a string, and this is a number" },
    { "'nodes':{'a':{'component':'Misbehave','after':7}," S "}}",
      "1:76: 'after' wants a string or a list of strings" },
    { "'nodes':{'a':{'component':'Misbehave','after':[7]}," S "}}",
      "1:77: 'after' wants a string or a list of strings" },
    { "'nodes':{'a':{'component':'Misbehave','after':'b'}," S "}}",
      "1:76: node 'a': there is no node 'b'" },
    { "'nodes':{'a':{'component':'Misbehave','after':'a'}," S "}}",
      "1:39: the nodes depend on each other in a circle: a <- a" },
    { "'nodes':{'a':{'component':'Misbehave','execution_properties':{}}," S "}}",
      "1:68: a node has no member 'execution_properties'" },
    { "'nodes':{'a':{'component':'Misbehave','properties':7}," S "}}",
      "1:81: 'properties' wants an object, and this is a number" },
    { "'nodes':{'a':{'component':'Misbehave','properties':{'how':7}}," S "}}",
      "1:88: 'how' wants a string, and this is an int" },
    { "'nodes':{'a':{'component':'Misbehave','properties':{'how':null}}," S "}}",
      "1:88: 'how' wants a string, and this is null" },
    { "'nodes':{'a':{'component':'Misbehave','if':7}," S "}}",
      "1:73: 'if' wants a string, and this is a number" },
    { "'nodes':{'a':{'component':'Misbehave','if':'${ 1'}," S "}}",
      "1:73: the expression has no end; a } is missing" },
    { "'nodes':{'a':{'component':'Misbehave','if':'${ nothing.x }'}," S "}}",
      "1:73: there is no 'nothing.x' here" },
    { "'nodes':{'a':{'component':'Misbehave','if':'${ source.x == 1 }'}," S "}}",
      "1:73: there is no 'source.x' here" },
    { "'nodes':{'a':{'component':'Misbehave','for_each':7}," S "}}",
      "1:79: 'for_each' wants an object, and this is a number" },
    { "'nodes':{'a':{'component':'Misbehave','for_each':{'in':7}}," S "}}",
      "1:79: node 'a': 'for_each' wants 'in': a list or an expression that gives one" },
    { "'nodes':{'a':{'component':'Misbehave','for_each':{'in':[1,2],'parallel':0}}," S "}}",
      "1:102: 'parallel' wants an int from 1 to 256" },
    { "'nodes':{'a':{'component':'Misbehave','for_each':{'in':[1],'as':'9'}}," S "}}",
      "1:94: node 'a': '9' is no name for an element" },
    { "'nodes':{'a':{'component':'Misbehave','for_each':{'as':'x'}}," S "}}",
      "1:79: node 'a': 'for_each' wants 'in': a list or an expression that gives one" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':7}}," S "}}",
      "1:87: node 'a': a channel is 'node', 'node.output' or {'query': {...}}" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':[]}}," S "}}",
      "1:87: node 'a': input 'table' is an empty list" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':[7]}}," S "}}",
      "1:88: node 'a': a channel is 'node', 'node.output' or {'query': {...}}" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':{'query':7}}}," S "}}",
      "1:96: 'query' wants an object, and this is a number" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':{'query':{'type':7}}}},"
      S "}}",
      "1:104: 'type' wants a string, and this is a number" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':{'query':{'type':'File',"
      "'x':1}}}}," S "}}",
      "1:111: 'query' has no member 'x'" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':{'node':'source'}}}," S "}}",
      "1:88: a channel has no member 'node'" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':''}}," S "}}",
      "1:87: node 'a': there is no node ''" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'source.'}}," S "}}",
      "1:87: node 'a': 'source.' names no channel: a name is missing beside a dot, as in "
      "'node.output'" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'source.[0]'}}," S "}}",
      "1:87: node 'a': 'source.' names no channel: a name is missing beside a dot" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':['source..result']}}," S "}}",
      "1:88: node 'a': 'source..result' names no channel: a name is missing beside a dot" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'.source'}}," S "}}",
      "1:87: node 'a': '.source' names no channel: a name is missing beside a dot" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'source.result.'}}," S "}}",
      "1:87: node 'a': 'source.result.' names no channel: a name is missing beside a dot" },
    { "'nodes':{'a..b':{'component':'Misbehave'}}}",
      "1:46: 'a..b' is no name for a node: a letter, then at most 62 letters, digits, _, - or ., "
      "which stands between two others" },
    { "'nodes':{'a.':{'component':'Misbehave'}}}",
      "1:44: 'a.' is no name for a node: a letter" },
    { "'nodes':{'.a':{'pipeline':{}}}}",
      "1:44: '.a' is no name for a node: a letter" },
    { "'parameters':{'a.':{'type':'int','default':1}},'nodes':{" S "}}",
      "1:49: 'a.' is no name for a parameter" },
    { "'nodes':{'a':{'resolver':'latest_artifacts','outputs':{'':'Model'}}}}",
      "1:85: node 'a': '' is no name for an output" },
    { "'nodes':{'a':{'resolver':'latest_artifacts','outputs':{'m':''}}}}",
      "1:89: an output wants the name of an artifact type" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':''}}}}",
      "1:55: node 'a': an importer wants 'source_uri' and 'type'" },
    { "'nodes':{'g':{'pipeline':{'nodes':{" S "},'outputs':{'a.':'source'}}}}}",
      "1:135: sub-pipeline 'g': 'a.' is no name for one of its outputs" },
    { "'nodes':{'g':{'pipeline':{'nodes':{" S "},'inputs':{'':'File'}},"
      "'inputs':{'':'g'}}}}",
      "1:134: sub-pipeline 'g': '' is no name for one of its inputs" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':{'query':{'context':''}}}}}}",
      "1:107: 'context' is '', and wants a pipeline, a run or PIPELINE.NODE" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'b'}}," S "}}",
      "1:87: node 'a': there is no node 'b'" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'a'}}," S "}}",
      "1:87: node 'a': input wants type File, but 'a' gives Stats" },
    { "'nodes':{'a':{'component':'line-count','inputs':7}," S "}}",
      "1:78: 'inputs' wants an object, and this is a number" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'m'}},"
      "'m':{'importer':{'source_uri':'x','type':'Model'}}}}",
      "1:87: node 'a': input wants type File, but 'm' gives Model" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'m.result'}},"
      "'m':{'importer':{'source_uri':'x','type':'Model'}}}}",
      "1:87: node 'a': input 'table' wants type File, but 'm.result' gives Model" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':['source','m']}},"
      "'m':{'resolver':'latest_artifacts','outputs':{'a':'File','b':'File'}}," S "}}",
      "1:97: node 'a': 'm' has 2 outputs of type File; write 'm.b' or another" },
    { "'nodes':{'a':{'component':'line-count','inputs':{'table':'m'}},"
      "'m':{'resolver':'latest_artifacts','outputs':{'a':'File','b':'File'}}}}",
      "1:87: node 'a': 'm' has 2 outputs of type File; write 'm.b' or another" },
    { "'nodes':{'a':{'component':'Misbehave','inputs':{'x':'source'}}," S "}}",
      "1:78: node 'a': component Misbehave has no input 'x'" },
    { "'nodes':{'a':{'importer':7}}}",
      "1:55: 'importer' wants an object, and this is a number" },
    { "'nodes':{'a':{'importer':{}}}}",
      "1:55: node 'a': an importer wants 'source_uri' and 'type'" },
    { "'nodes':{'a':{'importer':{'source_uri':7,'type':'File'}}}}",
      "1:69: 'source_uri' wants a string, and this is a number" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':7}}}}",
      "1:80: 'type' wants a string, and this is a number" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','properties':7}}}}",
      "1:100: 'properties' wants an object, and this is a number" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','reimport':7}}}}",
      "1:98: 'reimport' wants true or false, and this is a number" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','key':7}}}}",
      "1:87: 'importer' has no member 'key'" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','custom_properties':[]}}}}",
      "1:107: 'custom_properties' wants an object, and this is a list" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','properties':{'k':[7]}}}}}",
      "1:105: node 'a': property 'k' wants a string, a number, true or false, and this is a list" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','custom_properties':"
      "{'k':null}}}}}",
      "1:112: node 'a': property 'k' wants a string, a number, true or false, and this is null" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','properties':{'k':1},"
      "'custom_properties':{'k':1}}}}}",
      "1:133: node 'a': 'k' stands in 'properties' too, and File declares none of that name; take "
      "one of them away" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'Examples','properties':"
      "{'span':'one'}}}}}",
      "1:112: 'span' wants an int, and this is a text" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'Stats','properties':"
      "{'lines':0.5}}}}}",
      "1:110: 'lines' wants an int, and this is a float" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','properties':{'is_external':1}}}}}",
      "1:115: node 'a': an output cannot have the property 'is_external'; names that begin with "
      "__, tfx_version and is_external are the host" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File','properties':"
      "{'k':'${ param.x }'}}}}}",
      "1:105: there is no 'param.x' here" },
    { "'nodes':{'a':{'importer':{'source_uri':'x','type':'File'},'inputs':{'x':'source'}},"
      SOURCE "}}",
      "1:97: node 'a': a resolver or importer has no inputs; use 'after'" },
    { "'nodes':{'a':{'resolver':7}}}",
      "1:55: 'resolver' wants a string or a list of strings" },
    { "'nodes':{'a':{'resolver':'latest_artifacts'}}}",
      "1:43: node 'a': a resolver wants 'outputs', as {'model': 'Model'}" },
    { "'nodes':{'a':{'resolver':'latest_artifacts','outputs':{}}}}",
      "1:84: node 'a': a resolver wants 'outputs', as {'model': 'Model'}" },
    { "'nodes':{'a':{'resolver':'latest_artifacts','outputs':{'m':7}}}}",
      "1:89: an output wants the name of an artifact type" },
    { "'nodes':{'a':{'resolver':'latest_artifacts','outputs':7}}}",
      "1:84: 'outputs' wants an object, and this is a number" },
    { "'nodes':{'a':{'resolver':{'strategy':'latest_artifacts','n':0},"
      "'outputs':{'m':'Model'}}}}",
      "1:55: 'resolver' wants a string or a list of strings" },
    { "'nodes':{'a':{'resolver':{},'outputs':{'m':'Model'}}}}",
      "1:55: 'resolver' wants a string or a list of strings" },
    { "'nodes':{'a':{'command':7}}}",
      "1:54: node 'a': 'command' wants a list of words, as ['python3', 'train.py']" },
    { "'nodes':{'a':{'command':[]}}}",
      "1:54: node 'a': 'command' wants a list of words, as ['python3', 'train.py']" },
    { "'nodes':{'a':{'command':{'args':7}}}}",
      "1:54: node 'a': 'command' wants a list of words, as ['python3', 'train.py']" },
    { "'nodes':{'g':{'pipeline':7}}}",
      "1:55: node 'g': 'pipeline' wants an object or the name of a file" },
    { "'nodes':{'g':{'pipeline':'nowhere.json'}}}",
      "1:55: node 'g': cannot read the sub-pipeline 'nowhere.json'" },
    { "'nodes':{'g':{'pipeline':{}}}}",
      "1:55: sub-pipeline 'g' has no nodes" },
    { "'nodes':{'g':{'pipeline':{'nodes':{}}}}}",
      "1:55: sub-pipeline 'g' has no nodes" },
    { "'nodes':{'g':{'pipeline':{'nodes':{'x':{'component':'line-count',"
      "'inputs':{'table':'inputs.t'}}}}}}}",
      "1:113: node 'g.x': sub-pipeline 'g' is given no input 't'" },
    { "'nodes':{'g':{'pipeline':{'nodes':{'x':{'component':'line-count',"
      "'inputs':{'table':'inputs.t'}}}},'inputs':{'t':'g'}}}}",
      "1:142: sub-pipeline 'g' has no input 't'" },
    { "'nodes':{'g':{'pipeline':{'nodes':{'x':{'component':'line-count',"
      "'inputs':{'table':'inputs.t'}}}},'inputs':{'t':'nope'}}}}",
      "1:142: sub-pipeline 'g' has no input 't'" },
    { "'nodes':{'g':{'pipeline':{'nodes':{" S "},'outputs':{'a':'source','b':'source'}}},"
      "'a':{'component':'line-count','inputs':{'table':'g'}}}}",
      "1:212: node 'a': sub-pipeline 'g' has 2 outputs; name one" },
    { "'nodes':{'g':{'pipeline':{'nodes':{" S "},'outputs':{'a':'source'}}},"
      "'a':{'component':'line-count','inputs':{'table':'g.b'}}}}",
      "1:199: node 'a': sub-pipeline 'g' has no output 'b'" },
    { "'nodes':{'g':{'pipeline':{'nodes':{" S "},'outputs':7}},'a':{'component':'line-count',"
      "'inputs':{'table':'g.b'}}}}",
      "1:134: sub-pipeline 'g': 'outputs' wants an object, as {'model': 'trainer.model'}" },
    { "'nodes':{'g':{'pipeline':{'nodes':{" S "},'outputs':{'a':'h.a'}}},"
      "'h':{'pipeline':{'nodes':{"
      S "},'outputs':{'a':'nope'}}},'a':{'component':'line-count',"
      "'inputs':{'table':'h'}}}}",
      "1:139: node 'g': there is no node 'h'" },
    { "'nodes':{'g':{'pipeline':{'nodes':{" S "}},'if':'true'}}}",
      "1:130: node 'g': 'if' wants an expression, as '${ param.push == true }'" },
};

static void test_mistakes(void **state)
{
    struct fixture *f = *state;
    struct hr_pipeline *p = NULL;
    char text[1000], want[400];
    size_t i;

    for (i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        snprintf(text, sizeof text, HEAD "%s", mistakes[i].text);
        snprintf(want, sizeof want, "%s/p.json:%s", f->dir, mistakes[i].error);
        assert_int_equal(read_text(f, quoted(text), &p), HR_INVALID);
        if (strncmp(hr_env_error(&f->env), quoted(want), strlen(want)) != 0)
            fail_msg("%s\ngives %s\nnot   %s", text, hr_env_error(&f->env), want);
    }
    hr_errors_cut(&f->env, 0);
}

static void test_no_file(void **state)
{
    struct fixture *f = *state;
    struct hr_pipeline *p = NULL;

    assert_int_equal(hr_pipeline_read(&f->env, f->catalogue, NULL, 0, "/nowhere/p.json", &p),
                     HR_NOT_FOUND);
    assert_int_equal(hr_pipeline_read(&f->env, f->catalogue, NULL, 0, f->dir, &p), HR_INVALID);
}

/* -- expressions ---------------------------------------------------------------------------- */

static hr_status find(void *user, const char *root, const char *rest, struct hr_arena *arena,
                      struct hr_term *ret, const char **meant)
{
    (void)user, (void)arena;
    if (strcmp(root, "param") != 0)
        return HR_NOT_FOUND;
    if (!strcmp(rest, "n"))
        *ret = (struct hr_term){ .kind = HR_TERM_INT, .i = 7 };
    else if (!strcmp(rest, "later"))
        *ret = (struct hr_term){ .kind = HR_TERM_UNKNOWN };
    else {
        *meant = "param.n";
        return HR_NOT_FOUND;
    }
    return HR_OK;
}

/* The value as JSON, or the error. */
static void check_expr(struct fixture *f, const char *text, const char *want)
{
    struct hr_place place = { "f", 1, 1 };
    struct hr_scope scope = { find, NULL, NULL };
    struct hr_template *t = NULL;
    struct hr_arena arena;
    struct hr_term term;
    struct hr_buf out;

    hr_errors_cut(&f->env, 0);
    hr_arena_init(&arena, &f->env, 0);
    hr_buf_of(&out, 100000, &f->env);
    if (hr_template_parse(&f->env, &place, text, &arena, &t) < 0 ||
        hr_template_eval(&f->env, t, &scope, &arena, &term) < 0) {
        if (!strstr(hr_env_error(&f->env), want))
            fail_msg("%s gives %s", text, hr_env_error(&f->env));
    } else {
        hr_term_json(&term, &out);
        if (strcmp(out.text, want) != 0)
            fail_msg("%s gives %s", text, out.text);
    }
    hr_buf_clear(&out);
    hr_arena_clear(&arena);
}

static void test_expressions(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "plain", "\"plain\"" },
        { "$${x} ${1}", "\"${x} 1\"" },
        { "${ 1 + 2 * 3 }", "7" },
        { "${ (1 + 2) * -3 }", "-9" },
        { "${ 7 / 2 }", "3" },
        { "${ 7.0 / 2 }", "3.5" },
        { "${ -7 % 3 }", "-1" },
        { "${ 1 - 2 - 3 }", "-4" },
        { "a${param.n}b${'c' + \"d\"}", "\"a7bcd\"" },
        { "${ param.n >= 7 and not (param.n == 8) or false }", "true" },
        { "${ param.n in [1, 7] ? 'yes' : 'no' }", "\"yes\"" },
        { "${ 0.0 / 0 == 1 or 0.0 / 0 >= 0.0 / 0 or 0.0 / 0 in [1] }", "false" },
        { "${ 0.0 / 0 != 0.0 / 0 }", "true" },
        { "${ false and 1 / 0 == 1 }", "false" },
        { "${ [1, 2] + [3] }", "[1,2,3]" },
        { "${ [1, 'b', true, null][1] }", "\"b\"" },
        { "${ len('h\xc3\xa4') + len([1]) }", "3" },
        { "${ upper(join(['a', 'b'], '-')) }", "\"A-B\"" },
        { "${ max(1, 2.5, -1) }", "2.5" },
        { "${ min([3, 2]) }", "2" },
        { "${ round(2.5) + int('4') }", "6" },
        { "${ base64('ab') }", "\"YWI=\"" },
        { "${ dirname('/a/b') + basename('/a/b') }", "\"/ab\"" },
        { "${ replace('aXbX', 'X', '..') }", "\"a..b..\"" },
        { "${ string(1.5) + json([1, 'x']) }", "\"1.5[1,\\\"x\\\"]\"" },
        { "${ null == null and 1 != null }", "true" },
        { "${ param.later + 1 }", "null" },
        { "${ 9223372036854775807 + 1 }", "the result passes 64 bits" },
        { "${ 1 / 0 }", "a division by 0" },
        { "${ 1 + 'a' }", "+ is not for an int and a text" },
        { "${ 1 < 'a' }", "a comparison is not for an int and a text" },
        { "${ not 1 }", "a logical operator is not for an int" },
        { "${ param.m }", "there is no \"param.m\" here; did you mean \"param.n\"?" },
        { "${ lenn([1]) }", "there is no function \"lenn\"; did you mean \"len\"?" },
        { "${ len() }", "len takes 1 arguments, not 0" },
        { "${ 1 2 }", "an operator or } is missing here\n    ${ 1 2 }\n         ^" },
        { "${ 1", "the expression has no end" },
        { "${ 'a }", "this text has no end" },
        { "${ [1][2] }", "there is no element 2 of 1" },
        { "${ [1, 2][-1] }", "2" },
        { "${ [1, 2][-3] }", "there is no element -3 of 2" },
        { "${ sliding_window([1, 2, 3], 2) }", "[[1,2],[2,3]]" },
        { "${ sliding_window([1, 2, 3, 4], 2, 2) }", "[[1,2],[3,4]]" },
        { "${ sliding_window([1, 2, 3], 2, 9) }", "[[1,2]]" },
        { "${ sliding_window([1, 2, 3], 4) }", "[]" },
        { "${ sliding_window([], 1) }", "[]" },
        { "${ sliding_window([1], 9223372036854775807, 9223372036854775807) }", "[]" },
        { "${ sliding_window([1], 0) }", "ints from 1 on" },
        { "${ sliding_window([1]) }", "sliding_window takes 2 to 3 arguments, not 1" },
        { "${ }", "a value is missing here" },
    };
    struct fixture *f = *state;
    char deep[400];
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_expr(f, rows[i].text, rows[i].want);
    memset(deep, '(', sizeof deep - 1);
    deep[0] = '$';
    deep[1] = '{';
    deep[sizeof deep - 1] = '\0';
    check_expr(f, deep, "nested deeper than 100 levels");
    memset(deep + 2, '-', sizeof deep - 3);
    check_expr(f, deep, "nested deeper than 100 levels");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                        cmocka_unit_test(test_mistakes),
                                        cmocka_unit_test(test_no_file),
                                        cmocka_unit_test(test_expressions) };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
