"""What `show` says of statistics, schemas and anomalies: of texts, domains, drift, data sets."""
import json

from driver import main, says

PIPELINE = """{"headrace": 1, "name": "s", "nodes": {
"examples": {"component": "CsvExampleGen", "properties": {"input_base": "data"}},
"statistics": {"component": "StatisticsGen", "inputs": {"examples": "examples"}},
"schema": {"component": "ImportSchemaGen", "properties": {"schema_file": "given.pbtxt"}},
"anomalies": {"component": "ExampleValidator",
  "inputs": {"statistics": "statistics", "schema": "schema"}}}}"""
GONE = 'feature { name: "gone" type: INT presence { min_count: 1 } }'
SCHEMA = """
feature { name: "n" type: INT int_domain { min: 0 max: 9 } presence { min_fraction: 1 }
  value_count { min: 1 max: 2 } lifecycle_stage: BETA }
feature { name: "x" type: FLOAT float_domain { min: 0.5 max: 2 } }
feature { name: "word" type: BYTES domain: "words" distribution_constraints { min_domain_mass: 1 } }
feature { name: "few" type: BYTES string_domain { value: "a" value: "b" } }
feature { name: "flag" type: BYTES bool_domain { true_value: "yes" false_value: "no" } }
%s
string_domain { name: "words" value: "one" value: "two" value: "three" value: "four" value: "five"
  value: "six" value: "seven" }
dataset_constraints { min_examples_count: 1000 }
""" % GONE
WORDS = ("one", "two", "three", "four", "five", "six", "seven")


def project(h, schema=SCHEMA):
    h.write("pipeline.json", PIPELINE)
    h.write("given.pbtxt", schema)
    h.write("data/a.csv", "n,x,word,few,flag,more\n" + "".join(
        "%d,%g,%s,%s,%s,%d\n" % (i % 12, 0.5 + i % 4 / 2, WORDS[i % 7], "abc"[i % 3],
                                 "yes" if i % 2 else "no", i) for i in range(300)))
    h.run("run", "--quiet", code=None)


def content(h, artifact):
    return json.loads(h.run("show", "artifact", str(artifact), "--json").out)["content"]["splits"]


def test_statistics(h):
    project(h)
    text = h.run("show", "statistics").out
    says(text, "\n  eval  91 rows", "\n  train  209 rows",
         "word    STRING    0.0 %          7 distinct",
         "few     STRING    0.0 %          3 distinct",
         "            a                              72 ")
    train = {s["split"]: s for s in content(h, 3)}["train"]
    features = {f["name"]: f for f in train["features"]}
    assert sorted(features) == ["few", "flag", "more", "n", "word", "x"], features
    assert features["word"]["unique"] == 7 and features["few"]["top"][0] == ["a", 72], features
    assert sum(n for _, n in features["word"]["top"]) == 209, features["word"]


def test_schema(h):
    project(h)
    text = h.run("show", "schema").out
    says(text, "n       INT     required  from 0 to 9\n",
         "x       FLOAT   optional  from 0.5 to 2\n",
         "word    BYTES   optional  one of 7: one two three four five six ...\n",
         "few     BYTES   optional  one of 2: a b\n")
    shown = json.loads(h.run("show", "artifact", "2", "--json").out)["content"]
    features = {f["name"]: f for f in shown["features"]}
    assert features["n"]["domain"] == {"kind": "int", "min": 0, "max": 9,
                                       "categorical": False}, features["n"]
    assert features["n"]["stage"] == "BETA" and features["n"]["min_values"] == 1, features["n"]
    assert features["n"]["max_values"] == 2, features["n"]
    assert features["x"]["domain"] == {"kind": "float", "min": 0.5, "max": 2,
                                       "categorical": False}, features["x"]
    assert features["word"]["domain"]["values"] == list(WORDS), features["word"]
    assert features["few"]["domain"]["values"] == ["a", "b"], features["few"]
    assert features["flag"]["domain"]["true"] == "yes", features["flag"]
    assert features["flag"]["domain"]["false"] == "no", features["flag"]


def test_anomalies(h):
    project(h)
    text = h.run("show", "anomalies").out
    says(text, "\n  train  5 anomalies\n", "few                      Unexpected string values: ",
         "n                        Out-of-range values: Unexpectedly large value: 11.\n",
         "gone                     Column dropped: ", "more                     New column: ",
         "(the data set)           Low num examples in dataset.: The dataset has 209 examples, ")
    train = {s["split"]: s for s in content(h, 4)}["train"]
    assert sorted(a["feature"] for a in train["anomalies"]) == ["few", "gone", "more", "n"], train
    assert train["dataset"]["reasons"][0]["type"] == "DATASET_LOW_NUM_EXAMPLES", train["dataset"]
    good = SCHEMA
    for old, new in (('value: "b"', 'value: "b" value: "c"'), ("max: 9", "max: 11"), ("1000", "5"),
                     (GONE, 'feature { name: "more" type: INT }')):
        good = good.replace(old, new)
    project(h, good)
    says(h.run("show", "anomalies").out, "\n  eval  no anomalies\n", "\n  train  no anomalies\n")


if __name__ == "__main__":
    main(globals())
