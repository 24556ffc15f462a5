"""What bad input gets: one sentence with place, value and what to do; nothing lost."""
import os
import re
import sqlite3
import subprocess
import time

from driver import BUILD, main, says

PLUGINS = os.path.join(BUILD, "test_plugins")
ONE = """{"headrace": 1, "name": "one", "nodes": {"examples": {"component": "CsvExampleGen",
"properties": {"input_base": "data"}}}}"""
MIS = """{"headrace": 1, "name": "mis", "parameters": {"how": {"type": "string", "default": ""}},
"nodes": {"m": {"component": "Misbehave", "properties": {"how": "${param.how}"}%s},
"after": {"component": "Misbehave", "after": "m"}}}"""


def csv(h, data, *parts):
    h.write("pipeline.json", ONE)
    subprocess.run(["rm", "-rf", h.path("data"), h.path(".headrace")], check=True)
    if data is not None:
        h.write("data/a.csv", data)
    result = h.run("run", code=1)
    says(result.err + result.out, *parts)
    left = os.path.join(h.path(".headrace", "artifacts"))
    assert not os.path.exists(os.path.join(left, "examples")), os.listdir(left)
    assert not os.listdir(os.path.join(left, ".staging"))
    assert h.query("SELECT last_known_state FROM Execution") == [(4,)]


def test_csv(h):
    csv(h, None, "data", "no such file")
    csv(h, "", "a.csv")
    csv(h, "a,b\n", "no row below the header")
    csv(h, "a,b\n1\n", "a.csv", "2")
    csv(h, "a,b\n1,2,3\n", "a.csv", "2")
    csv(h, 'a,b\n1,"2\n', "a.csv", "quote")
    csv(h, b"a,b\n1,\x00\n", "NUL")
    csv(h, b"a,b\n1,\xff\n", "UTF-8")
    csv(h, "a,a\n1,2\n", '"a"')
    csv(h, b"\xef\xbb\xbf", "a.csv")


def test_csv_good(h):
    """CRLF, a BOM, a line of 10 MB: taken."""
    h.write("pipeline.json", ONE)
    for data in (b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4\r\n", b"a,b\n1," + b"x" * 10000000 + b"\n2,y\n"):
        h.write("data/a.csv", data)
        h.run("run", "--quiet")


def test_headers_differ(h):
    h.write("pipeline.json", ONE)
    h.write("data/a.csv", "a,b\n1,2\n")
    h.write("data/b.csv", "a,c\n1,2\n")
    says(h.run("run", code=1).err, "b.csv", "header")


def test_directory_for_file(h):
    h.write("pipeline.json", ONE)
    os.makedirs(h.path("data", "a.csv"))
    says(h.run("run", code=1).err, "a.csv")
    h.run("run", "data", code=1)


def test_unreadable(h):
    """As somebody who is not root, and who may not even look into the folder of the build."""
    h.write("pipeline.json", ONE)
    h.write("data/a.csv", "a,b\n1,2\n")
    other = h.other_user() if os.getuid() == 0 else {}
    os.chmod(h.path("data", "a.csv"), 0)
    if other:
        result = h.run("run", code=None, **other)
        assert result.code == 1, result
        says(result.err, "a.csv", "permission denied")
    os.chmod(h.path("pipeline.json"), 0)
    if other:
        says(h.run("run", code=1, **other).err, "pipeline.json", "permission denied")


def test_pipeline(h):
    says(h.run("run", code=1).err, "pipeline.json", "no such file")
    h.write("pipeline.json", "{\n  \"headrace\": 1,\n  \"name\": \"p\",\n  \"nodes\": {\n    \"a\": "
                             "{\"component\": \"CsvExampleGne\"},\n    \"b\": {\"component\": "
                             "\"SchemaGen\", \"inputs\": {\"statistics\": \"a.x\"}}\n  }\n}\n")
    result = h.run("check", code=1)
    says(result.err, "pipeline.json:5:24", "did you mean \"CsvExampleGen\"?", "pipeline.json:6:")
    assert not os.path.exists(h.path(".headrace"))
    result = h.run("run", code=1)
    says(result.err, "nothing was run")
    h.run("check", "a", "b", code=2)
    h.run("chekc", code=2)
    h.run("run", "--nope", code=2)


# Nodes beside "gen" and "schema"; what check says of them.
MISTAKES = (
    ('"s": {"component": "StatisticsGen", "inputs": {"examples": "gen"}, "cache": {"ignore": '
     '["nope"]}}',
     '2:89: node "s": "cache" ignores "nope", and it has no property of that name'),
    ('"s": {"component": "StatisticsGen", "inputs": {"examples": "gen."}}',
     '2:60: node "s": "gen." names no channel: a name is missing beside a dot, as in "node.output"'),
    ('"s": {"command": ["ls"], "inputs": {"e": ["gen", "gen..examples"]}}',
     '2:50: node "s": "gen..examples" names no channel: a name is missing beside a dot, as in '
     '"node.output"'),
    ('"s": {"command": ["ls"], "inputs": {"e": ".gen"}}',
     '2:42: node "s": ".gen" names no channel: a name is missing beside a dot, as in "node.output"'),
    ('"s": {"command": ["ls"], "outputs": {"x": ""}}',
     '2:43: node "s": output "x" wants the name of an artifact type, or an object with "type" and '
     '"properties"'),
    ('"s": {"command": ["ls"], "outputs": {"x.": "File"}}',
     '2:44: node "s": "x." is no name for an input or output'),
    ('"s": {"resolver": "latest_artifacts", "outputs": {}}',
     '2:50: node "s": a resolver wants "outputs", as {"model": "Model"}'),
    ('"s..t": {"command": ["ls"]}',
     '2:9: "s..t" is no name for a node: a letter, then at most 62 letters, digits, _, - or ., '
     'which stands between two others'),
    ('"s": {"importer": {"source_uri": "data", "type": "Model", "properties": {"x": [1]}}}',
     '2:79: node "s": property "x" wants a string, a number, true or false, and this is a list'),
)


def test_mistakes(h):
    """Each in one sentence, with its place; nothing is begun."""
    for nodes, want in MISTAKES:
        h.write("pipeline.json", '{"headrace": 1, "name": "m", "nodes": {\n%s,\n"gen": {"component":'
                                 ' "CsvExampleGen", "properties": {"input_base": "data"}}}}' % nodes)
        result = h.run("check", code=1)
        assert result.err == "pipeline.json:%s\nnothing was run\n" % want, result
        assert not os.path.exists(h.path(".headrace"))


def test_many_words(h):
    """More words than any verb has room for."""
    for verb in ("check", "run", "show", "runs", "model show", "plugin list", "new", "log"):
        says(h.run(*verb.split(), *["word"] * 2000, code=2).err, "too many arguments")


def test_check_json(h):
    h.project()
    says(h.run("check").out, "pipeline.json is right")
    says(h.run("check", "--json").out, '"component": "org.headrace.trainer.Trainer"')


def test_features(h):
    h.project()
    h.write("penguin.features", "a_xf = scale_to_z_scor(culmen_length_mm)\n"
                                "b_xf = scale_to_z_score(culmen_lenght_mm)\n")
    result = h.run("run", code=1)
    says(result.err, "penguin.features:1:8", "scale_to_z_score", "penguin.features:2:25",
         "culmen_length_mm")


ROWS = """{"headrace": 1, "name": "rows", "nodes": {
"examples": {"component": "CsvExampleGen", "properties": {"input_base": "data"}},
"schema": {"component": "ImportSchemaGen", "properties": {"schema_file": "given.pbtxt"}},
"transform": {"component": "Transform", "inputs": {"examples": "examples", "schema": "schema"},
  "properties": {"module_file": "f.features", "on_bad_row": "%s"}},
"statistics": {"component": "StatisticsGen",
  "inputs": {"examples": "transform.transformed_examples"}}}}"""


def test_bad_rows(h):
    """A row that lacks what the schema promises: named by split and number, or left out."""
    h.write("given.pbtxt", "".join(
        'feature { name: "%s" type: INT presence { min_fraction: 1.0 min_count: 1 }'
        ' shape { dim { size: 1 } } }\n' % name for name in "xy"))
    h.write("f.features", "a = x * 2\nb = y\n")
    lines = ["%d,%d" % (i, i % 7) for i in range(40000)]
    h.write("data/a.csv", "x,y\n" + "\n".join(lines) + "\n")
    h.write("pipeline.json", ROWS % "fail")
    h.run("run", "--quiet")
    whole = counts(h)
    assert sum(whole.values()) == 40000, whole
    lines.append(",5")  # the last of its split, which a digest decides
    h.write("data/a.csv", "x,y\n" + "\n".join(lines) + "\n")
    said = h.run("run", code=1).err
    split = "train" if "Split-train" in said else "eval"
    says(said, "Split-%s row %d: x is missing" % (split, whole[split]))
    h.write("pipeline.json", ROWS % "drop")
    h.run("run", "--quiet")
    says(h.run("log", "transform").out, "Split-%s row %d: x is missing" % (split, whole[split]),
         "the row is left out")
    assert counts(h) == whole, counts(h)
    h.write("pipeline.json", ROWS % "leave")
    says(h.run("check", code=1).err, "on_bad_row", "fail|drop")


def counts(h):
    """Rows of each split, as the last statistics say."""
    shown = h.run("show", "statistics").out
    return {name: int(n) for name, n in re.findall(r"^ +(train|eval) +(\d+) rows$", shown, re.M)}


def test_eval_config(h):
    h.project()
    h.write("eval.json", '{"model_specs": [{"label_key": "speceis"}], "metrics_specs": [{"metrics":'
                         ' [{"class_name": "SparseCategoricalAccuracy"}]}], "slicing_specs": [{}]}')
    says(h.run("run", code=1).err, "speceis", "species")


def test_schema_contradicts(h):
    """A schema that the data does not keep: told as anomalies, and the run goes on."""
    h.project()
    text = open(h.path("pipeline.json")).read()
    text = text.replace('{"component": "SchemaGen", "inputs": {"statistics": "statistics"}}',
                        '{"component": "ImportSchemaGen", "properties": {"schema_file":'
                        ' "given.pbtxt"}}')
    h.write("pipeline.json", text)
    h.write("given.pbtxt", "".join(
        'feature { name: "%s" type: %s presence { min_fraction: 1.0 min_count: 1 }'
        ' shape { dim { size: 1 } } %s }\n' % (n, t, d) for n, t, d in (
            ("species", "INT", "int_domain { max: 1 }"), ("culmen_length_mm", "FLOAT", ""),
            ("culmen_depth_mm", "FLOAT", ""), ("flipper_length_mm", "FLOAT", ""),
            ("body_mass_g", "FLOAT", ""))))
    _, result = h.states()
    texts = {e["node"]: e.get("text", "") for e in result.events() if e["event"] == "finished"}
    says(texts["anomalies"], "species")
    h.run("run", "--strict", code=3)


def test_store(h):
    h.write("pipeline.json", ONE)
    h.write("data/a.csv", "a,b\n1,2\n")
    h.run("run", "--quiet")
    with sqlite3.connect(h.path(".headrace", "metadata.sqlite")) as db:
        db.execute("UPDATE MLMDEnv SET schema_version = 11")
    says(h.run("run", code=1).err, "schema version 11", "use a newer headrace")
    h.write(".headrace/metadata.sqlite", "this is no database, and was never one, not at all")
    says(h.run("run", code=1).err, "metadata.sqlite")


def mis(h, how, *parts, more="", code=1, **kw):
    h.write("pipeline.json", MIS % more)
    subprocess.run(["rm", "-rf", h.path(".headrace")], check=True)
    result = h.run("run", "--plugin-path", PLUGINS, "--param", "how=" + how, code=code, **kw)
    says(result.err + result.out, *parts)
    return result


def test_plugins(h):
    mis(h, "exit", "exited with status 3 without a result")
    assert h.query("SELECT last_known_state FROM Execution") == [(4,)]
    says(h.query("SELECT string_value FROM ExecutionProperty WHERE name ="
                 " '__execution_result__'")[0][0], "resultMessage", "exited with status 3")
    mis(h, "abort", "SIGABRT")
    mis(h, "silent", "gave no reason")
    mis(h, "nested", "outer", "inner")
    mis(h, "hang", "took longer than its timeout of 500 ms", more=', "timeout": "500ms"')
    mis(h, "write", "done", code=0)
    mis(h, "print", "done", code=0)
    says(h.run("log", "m", "--plugin-path", PLUGINS).out, "a line on stdout", "a line on stderr")
    mis(h, "shout", "done", code=0)
    mis(h, "socket", "done", code=0)


def test_retries(h):
    result = mis(h, "hang", "try 1 of 3", "try 2 of 3",
                 more=', "timeout": "300ms", "retries": 2')
    assert h.query("SELECT count(*) FROM Execution WHERE last_known_state = 4") == [(3,)], result


def test_keep_going(h):
    h.write("pipeline.json", """{"headrace": 1, "name": "kg", "nodes": {
        "bad": {"component": "Misbehave", "properties": {"how": "silent"}},
        "below": {"component": "Misbehave", "after": "bad"},
        "beside": {"component": "Misbehave", "properties": {"how": "progress"}},
        "next": {"component": "Misbehave", "after": "beside"}}}""")
    states, _ = h.states("--plugin-path", PLUGINS, "--jobs", "1", "--keep-going", code=1)
    assert states == {"bad": "failed", "beside": "finished", "next": "cached"} or \
        states == {"bad": "failed", "beside": "finished", "next": "finished"}, states


def test_broken_plugin(h):
    h.write("plugins/broken.so", "this is no shared object")
    h.write("pipeline.json", ONE)
    h.write("data/a.csv", "a,b\n1,2\n")
    h.run("run", "--quiet")
    says(h.run("plugin", "list", "--root", ".").out, "broken.so", "broken")


def test_interrupt(h):
    """Ctrl-C: workers gone at once, executions closed."""
    import signal
    h.write("pipeline.json", MIS % "")
    p = subprocess.Popen([BUILD + "/bin/headrace", "run", "--plugin-path", PLUGINS, "--param",
                          "how=hang", "--json"], cwd=h.dir, env=h.env, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    for line in p.stdout:
        if '"started"' in line:
            break
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    begun = time.time()
    p.communicate(timeout=60)
    assert p.returncode == 130, p.returncode
    assert time.time() - begun < 10
    assert h.query("SELECT last_known_state FROM Execution") == [(6,)]
    found = subprocess.run(["pgrep", "-f", h.dir], capture_output=True, text=True)
    assert not found.stdout, found.stdout


def test_killed_host(h):
    """A host that is killed leaves RUNNING; the next one closes it, and goes on."""
    h.write("pipeline.json", MIS % "")
    p = subprocess.Popen([BUILD + "/bin/headrace", "run", "--plugin-path", PLUGINS, "--param",
                          "how=hang", "--json"], cwd=h.dir, env=h.env, stdout=subprocess.PIPE,
                         text=True)
    for line in p.stdout:
        if '"started"' in line:
            break
    time.sleep(0.5)
    p.kill()
    p.wait()
    p.stdout.close()
    assert h.query("SELECT last_known_state FROM Execution") == [(2,)]
    h.run("run", "--quiet", "--plugin-path", PLUGINS)
    states = [s for s, in h.query("SELECT last_known_state FROM Execution ORDER BY id")]
    assert states[0] == 4 and 2 not in states, states
    assert not os.listdir(h.path(".headrace", "artifacts", ".staging"))


def test_two_at_once(h):
    """Two runs of one project at once: each cache key is executed once."""
    h.project()
    ps = [subprocess.Popen([BUILD + "/bin/headrace", "run", "--quiet"], cwd=h.dir, env=h.env)
          for _ in range(3)]
    assert [p.wait(timeout=200) for p in ps] == [0, 0, 0]
    rows = h.query("SELECT p.string_value, count(*) FROM Execution e JOIN ExecutionProperty p ON"
                   " p.execution_id = e.id AND p.name = '__cache_key' WHERE e.last_known_state = 3"
                   " GROUP BY 1 HAVING count(*) > 1")
    assert rows == [], rows


if __name__ == "__main__":
    main(globals())
