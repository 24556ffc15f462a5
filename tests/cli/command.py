"""Programs as nodes."""
import json
import os
import subprocess
import time

from control import GEN, data, pipeline
from driver import BUILD, main, says

PROGRAM = """import os, sys
source, target = sys.argv[1:3]
rows = sum(len(open(os.path.join(d, f), "rb").read()) > 0 for d, _, fs in os.walk(source)
           for f in fs)
open(os.path.join(target, "count"), "w").write("%d %s" % (rows, os.environ["STEPS"]))
print("counted", rows)
"""


def node(*words, more=""):
    return '{"command": [%s]%s}' % (", ".join('"%s"' % w for w in words), more)


PORTS = ', "inputs": {"examples": "gen"}, "outputs": {"report": "File"}'


def test_command(h):
    data(h, "data")
    h.write("count.py", PROGRAM)
    count = node("python3", "count.py", "${input.examples.uri}", "${output.report.uri}",
                 more=PORTS + ', "properties": {"STEPS": "${param.steps}"}')
    pipeline(h, {"gen": GEN % ("data", ""), "count": count},
             ', "parameters": {"steps": {"type": "int", "default": 7}}')
    states, result = h.states()
    assert states == {"gen": "finished", "count": "finished"}, result
    says(result.out, "counted 2")
    (uri,), = h.query("SELECT uri FROM Artifact a JOIN Type t ON t.id = a.type_id WHERE "
                      "t.name = 'File'")
    with open(os.path.join(uri, "count")) as f:
        assert f.read() == "2 7"
    # cached, also where the project lies elsewhere; a new program or property is a new result
    assert set(h.states()[0].values()) == {"cached"}
    assert h.states("--param", "steps=8")[0]["count"] == "finished"
    h.write("count.py", PROGRAM + "# changed\n")
    assert h.states()[0] == {"gen": "cached", "count": "finished"}
    says(h.run("why", "count").out, 'the content that property "file:count.py" names')


def test_endings(h):
    data(h, "data")
    for words, want in ((("sh", "-c", "echo to stderr >&2; exit 3"), ("ended with status 3",
                                                                     "to stderr")),
                        (("nosuch-program",), ("could not be started",)),
                        (("python3", "-c", "import ctypes; ctypes.string_at(0)"),
                         ("was ended by signal 11",))):
        pipeline(h, {"c": node(*words)})
        says(h.run("run", code=1).err, *want)
    pipeline(h, {"c": node("sh", "-c", "exit 75", more=', "retries": 1')})
    _, result = h.states(code=1)
    assert [e["event"] for e in result.events()].count("retry") == 1, result
    pipeline(h, {"c": node("sleep", "60", more=', "timeout": "1s"')})
    says(h.run("run", code=1).err, "took longer than its timeout")


def test_walls(h):
    """It writes its outputs, and nothing else."""
    h.write("secret", "kept")
    pipeline(h, {"c": node("sh", "-c", "echo gone > %s" % h.path("secret"))})
    h.run("run", code=1)
    with open(h.path("secret")) as f:
        assert f.read() == "kept"
    # what no word names cannot be read, though it lies beside the pipeline
    pipeline(h, {"c": node("sh", "-c", "cat %s" % h.path("secret"))})
    h.run("run", code=1)


def test_outputs(h):
    """Properties that the file sets on outputs: typed, in the key, and below what a program sets."""
    data(h, "data")
    more = (', "inputs": {"examples": "gen"}, "outputs": {"report": {"type": "File", "properties": '
            '{"team": "vision", "steps": "${param.steps}", "part": 0.5, "ok": true, "of": '
            '"${input.examples.id}", "list": [1, 2]}}}')
    part = node("sh", "-c", "echo x > $0/a", "${output.report.uri}", more=more)
    gen = GEN % ("data", ', "outputs": {"examples": {"properties": {"owner": "me", '
                         '"split_names": "mine"}}}')
    reader = node("echo", "${input.r.property.team} ${input.r.property.steps}",
                  more=', "inputs": {"r": "part.report"}')
    params = ', "parameters": {"steps": {"type": "int", "default": 7}}'
    pipeline(h, {"gen": gen, "part": part, "reader": reader}, params)
    _, result = h.states()
    says(result.out, "vision 7")
    rows = dict(h.query("SELECT p.name, coalesce(p.int_value, p.double_value, p.string_value, "
                        "p.bool_value) FROM ArtifactProperty p JOIN Artifact a ON a.id = "
                        "p.artifact_id JOIN Type t ON t.id = a.type_id WHERE t.name = 'File' AND "
                        "p.is_custom_property = 1 AND p.name NOT LIKE '\\_%' ESCAPE '\\'"))
    assert rows.items() >= {"team": "vision", "steps": 7, "part": 0.5, "ok": 1, "of": 1,
                            "list": "[1,2]"}.items(), rows
    rows = dict(h.query("SELECT name, string_value FROM ArtifactProperty WHERE name IN ('owner', "
                        "'split_names')"))  # what the component says itself stands
    assert rows["owner"] == "me" and rows["split_names"] == '["train", "eval"]', rows
    assert set(h.states()[0].values()) == {"cached"}
    states, _ = h.states("--param", "steps=8")  # another value is another artifact
    assert states == {"gen": "cached", "part": "finished", "reader": "finished"}, states
    says(h.run("why", "part").out, 'property "steps" that output "report" is given: 7 -> 8')
    says(h.run("check", "--json").out, '"team": "vision"')
    for text, want in (('{"component": "CsvExampleGen", "properties": {"input_base": "data"}, '
                        '"outputs": {"exampels": {"properties": {"a": 1}}}}',
                        'there is no output "exampels"; did you mean "examples"?'),
                       ('{"component": "CsvExampleGen", "properties": {"input_base": "data"}, '
                        '"outputs": {"examples": "Examples"}}', "declared by the component"),
                       ('{"command": ["ls"], "outputs": {"x": {"type": "File", "properties": '
                        '{"__a": 1}}}}', "names that begin with __"),
                       ('{"command": ["ls"], "outputs": {"x": {"properties": {"a": 1}}}}',
                        "wants the name of an artifact type")):
        pipeline(h, {"c": text})
        says(h.run("check", code=1).err, want)
    pipeline(h, {"gen": GEN % ("data", ', "outputs": {"examples": {"properties": {"split_names": '
                                       '3}}}'), "say": node("true")})
    says(h.run("check", code=1).err, '"split_names" wants a string, and this is an int')


def test_output_places(h):
    """A component's property may name an output too: its place is put in when there is one."""
    h.write("pipeline.json", """{"headrace": 1, "name": "p", "nodes": {"m": {"component":
        "Misbehave", "properties": {"how": "tell path", "path": "in ${output.stats.uri}/x"}}}}""")
    result = h.run("run", "--json", "--plugin-path", os.path.join(BUILD, "test_plugins"), code=1)
    text = [e for e in result.events() if e["event"] == "failed"][0]["text"]
    says(text, "path: in " + h.path(".headrace", "artifacts", ".staging"), "/stats/x")
    h.write("pipeline.json", """{"headrace": 1, "name": "p", "nodes": {"g": {"component":
        "CsvExampleGen", "properties": {"input_base": "${output.examples.uri}"}}}}""")
    says(h.run("check", code=1).err, "is a path, and an output cannot be one")
    h.write("pipeline.json", """{"headrace": 1, "name": "p", "nodes": {"g": {"component":
        "Misbehave", "properties": {"path": "${output.gone.uri}"}}}}""")
    says(h.run("check", "--plugin-path", os.path.join(BUILD, "test_plugins"), code=1).err,
         'there is no "output.gone.uri" here')


def test_signals(h):
    """A program may signal itself and what it has started, and nobody else."""
    data(h, "data")
    pipeline(h, {"c": node("true")})
    h.states()
    (walls,), = h.query("SELECT string_value FROM ExecutionProperty WHERE name = '__walls'")
    if int((walls + " landlock_abi=0").split("landlock_abi=")[1].split()[0]) < 6:
        print("skipped: Landlock here cannot tell whose signals they are")
        return
    pipeline(h, {"c": node("sh", "-c", "kill -TERM $$; sleep 5")})
    says(h.run("run", code=1).err, "was ended by signal 15")
    pipeline(h, {"c": node("sh", "-c", "sleep 100 & kill $! && ! wait $!")})
    assert h.states()[0] == {"c": "finished"}
    stranger = subprocess.Popen(["sleep", "100"])
    try:
        pipeline(h, {"c": node("sh", "-c", "kill -TERM %d" % stranger.pid)})
        says(h.run("run", code=1).err, "not permitted", "ended with status 1")
        pipeline(h, {"c": node("sh", "-c", "kill -TERM -1")})
        says(h.run("run", code=1).err, "not permitted")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_last_lines(h):
    """Of an executor that dies, the last lines of its log are told, in order."""
    for count, first in ((3, 1), (25, 6)):
        pipeline(h, {"a": node("sh", "-c", "for i in $(seq %d); do echo line $i; done; sleep 1; "
                               "kill -9 $PPID" % count)})
        said = h.run("run", "--quiet", code=1).err
        says(said, "was ended by signal 9", "the last log lines:\n" + "".join(
            "    line %d\n" % i for i in range(first, count + 1)))
        assert "line %d\n" % (first - 1) not in said, said


def test_left(h):
    """A program that leaves another behind has failed, and that one is gone; so has one that never
    stops to print."""
    data(h, "data")
    begun = time.time()
    pipeline(h, {"c": node("sh", "-c", "sleep 100 & echo done")})
    says(h.run("run", code=1).err, "has left a process running")
    pipeline(h, {"c": node("yes", "it goes on")})
    says(h.run("run", code=1).err, "has printed and logged more than 16 MiB, or 200000 lines")
    assert time.time() - begun < 60


def test_wrong(h):
    data(h, "data")
    for text, want in (('{"command": []}', "wants a list of words"),
                       ('{"command": "ls"}', "wants a list of words"),
                       ('{"command": [1]}', "wants to be a string"),
                       ('{"command": ["ls", "${input.x.uri}"]}', 'there is no "input.x.uri" here'),
                       ('{"command": ["ls", "${output.x.uri}"]}', 'there is no "output.x.uri"'),
                       ('{"command": ["ls"], "properties": {"a b": 1}}', "is no name of a var"),
                       ('{"command": ["ls"], "outputs": {"x": 1}}', "wants the name of an art"),
                       ('{"command": ["ls"], "component": "Trainer"}', "exactly one of")):
        pipeline(h, {"c": text})
        says(h.run("check", code=1).err, want)


def test_log_json(h):
    """Whose log it is and its lines, in UTF-8 whatever the program wrote."""
    odd = [(b"a\xffb", "a\ufffdb"), (b"\xc3\xa4 \xf0\x9f\x90\xa7", "\u00e4 \U0001f427"),
           (b"\xc0\x80", "\ufffd\ufffd"), (b"\xed\xa0\x80", "\ufffd" * 3), (b"", ""),
           (b"\xe2\x82", "\ufffd\ufffd"), (b"\xf4\x90\x80\x80", "\ufffd" * 4), (b"\x01\"\t", "\x01\"\t")]
    h.write("text", b"\n".join(raw for raw, _ in odd) + b"\n")
    pipeline(h, {"c": node("cat", "text"), "quiet": node("true"),
                 "e": '{"command": ["echo", "${item}"], "for_each": {"in": ["x", "y"]}}'})
    h.run("run", "--quiet")
    told = json.loads(h.run("log", "c", "--json").out)
    assert told["lines"] == [text for _, text in odd], told
    assert set(told) == {"execution", "node", "pipeline", "run", "number", "state", "lines"}, told
    assert told["node"] == "c" and told["number"] == 1 and told["state"] == "COMPLETE", told
    assert json.loads(h.run("log", "quiet", "--json").out)["lines"] == []
    told = json.loads(h.run("log", "e[1]", "--json").out)
    assert told["instance"] == "e[1]" and told["lines"] == ["y"], told
    says(h.run("log", "99", "--json", code=1).err, "there is no execution 99")


if __name__ == "__main__":
    main(globals())
