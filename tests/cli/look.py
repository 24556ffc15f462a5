"""Looking at what was made: tables, lineage, graphs, differences, rows; following and stopping."""
import csv
import io
import json
import math
import os
import signal
import struct
import subprocess
import time

from driver import BUILD, COMMAND, main, says

SLOW = """{"headrace": 1, "name": "slow", "nodes": {"first": {"component": "Misbehave",
"properties": {"how": "write"}}, "m": {"component": "Misbehave", "after": "first", "properties":
{"how": "hang"}}}}"""
PLUGINS = os.path.join(BUILD, "test_plugins")


def two_runs(h):
    h.project()
    h.run("run", "--quiet")
    h.run("run", "--quiet", "--param", "steps=200")


def test_tables(h):
    two_runs(h)
    all_rows = [json.loads(line) for line in h.run("executions", "--json").out.splitlines()]
    assert [r["id"] for r in all_rows] == list(range(1, 19))
    first, second = (r["id"] for r in all_rows if r["node"] == "trainer")
    rows = list(csv.DictReader(io.StringIO(h.run("executions", "--csv", "--limit", "3").out)))
    assert [int(r["id"]) for r in rows] == [16, 17, 18], rows
    for words, ids in ((["--filter", "node = trainer"], [first, second]),
                       (["--filter", "node = trainer and number = 2"], [second]),
                       (["--filter", "id <= 3 and id != 2"], [1, 3]),
                       (["--filter", "state = CACHED", "--limit", "2"], None),
                       (["--filter", "run = nothing"], []), (["--filter", "node = nothing"], []),
                       (["--filter", "component = 'Trainer' and id > %d" % first], [second])):
        got = [json.loads(line)["id"] for line in h.run("executions", "--json", *words).out.split(
            "\n") if line]
        want = ids if ids is not None else [r["id"] for r in all_rows if r["state"] == "CACHED"][-2:]
        assert got == want, (words, got, want)
    runs = list(csv.DictReader(io.StringIO(h.run("runs", "--csv").out)))
    assert [r["number"] for r in runs] == ["1", "2"] and runs[0]["executions"] == "9", runs
    assert len(h.run("artifacts", "--filter", "type = Model", "--json").out.splitlines()) == 2
    lines = h.run("runs").out.splitlines()
    assert lines[1].startswith("2 ") and lines[2].startswith("1 "), lines
    says(h.run("plugin", "list", "--csv", "--filter", "plugin = org.headrace.trainer").out, "ok")
    assert len(h.run("model", "list", "--json", "--limit", "1").out.splitlines()) == 1
    for bad in ("node", "node = ", "node ~ x", "node = a or id = 1", "nod = a", "= 1", "node = 'a",
                " and ".join(["id > 0"] * 17)):
        assert h.run("executions", "--filter", bad, code=1).err.startswith("the filter"), bad
    h.run("runs", "--json", "--csv", code=2)


def test_lineage(h):
    two_runs(h)
    up = json.loads(h.run("lineage", "penguin@1", "--up", "--format", "json").out)
    ids = {n["id"]: n for n in up["nodes"]}
    assert min(n["depth"] for n in up["nodes"]) < -3 and ids[up["nodes"][-1]["id"]]["depth"] == 0
    says(" ".join(n["type"] for n in up["nodes"]), "CsvExampleGen", "Schema", "Trainer", "Pusher")
    assert all(a in ids and b in ids for a, b in up["edges"])
    assert len(ids) == len(up["nodes"])
    # upward is the transitive closure that SQL finds
    want = h.query("WITH RECURSIVE x(a) AS (SELECT artifact_id FROM Event WHERE execution_id = 9 AND"
                   " type = 4 UNION SELECT i.artifact_id FROM x JOIN Event o ON o.artifact_id = x.a"
                   " AND o.type = 4 JOIN Execution e ON e.id = o.execution_id AND"
                   " e.last_known_state = 3 JOIN Event i ON i.execution_id = e.id AND i.type = 3)"
                   " SELECT count(*) FROM x")
    assert sum(n.startswith("artifact") for n in ids) == want[0][0], (ids, want)
    down = json.loads(h.run("lineage", "schema", "--down", "--depth", "2", "--format", "json").out)
    assert {n["depth"] for n in down["nodes"]} == {0, 1, 2}
    text = h.run("lineage", "artifact", "1").out
    says(text, "came from", "came of it", "CsvExampleGen", "Trainer")
    dot = h.run("lineage", "run", "1", "--format", "dot").out
    says(dot, "digraph", '"execution 1" -> "artifact 1"')
    assert dot.count("{") == dot.count("}") == 1
    h.run("lineage", "artifact", "999", code=1)
    h.run("lineage", "nothing", code=1)
    h.run("lineage", "artifact", "1", "--format", "svg", code=2)


def test_graph(h):
    h.project()
    text = h.run("graph").out.splitlines()
    assert len(text) == 9 and text[0].startswith("examples"), text
    order = [line.split()[0] for line in text]
    assert order.index("schema") < order.index("trainer") < order.index("pusher")
    assert not os.path.exists(h.path(".headrace"))
    says(h.run("graph", "--run", "1", code=1).err, "no project")
    h.run("run", "--quiet")
    h.run("run", "--quiet")
    says(h.run("graph", "--run", "2").out, "cached", "trainer")
    dot = h.run("graph", "--format", "dot", "--run", "2").out
    says(dot, '"schema" -> "trainer"', "#b5d0ee")
    mermaid = h.run("graph", "--format", "mermaid").out
    assert mermaid.startswith("flowchart LR\n") and mermaid.count("-->") == dot.count("->")
    h.run("graph", "--run", "7", code=1)
    h.run("graph", "nothing.json", code=1)


def test_diff(h):
    two_runs(h)
    found = {d["path"]: d for d in map(json.loads, h.run("diff", "1", "2", "--json").out.splitlines())}
    assert found["trainer.train_steps"]["a"] == "100" and found["trainer.train_steps"]["b"] == "200"
    assert "trainer.model.digest" in found and "schema.schema.digest" not in found, found.keys()
    assert any(p.startswith("evaluator.evaluation.") and "accuracy" in p for p in found), found.keys()
    says(h.run("diff", "run 1", "run 2").out, "trainer.train_steps  100 -> 200")
    # what the two were given, defaults too
    assert found["parameter.steps"] == {"path": "parameter.steps", "a": "100", "b": "200"}, found
    assert "parameter.data" not in found and "option.param.steps" not in found, found
    # what the second took from the cache it shares with the first
    assert not any(d["b"] is None or p.startswith("examples.") for p, d in found.items()), found
    h.run("run", "--quiet", "--jobs", "1", "--name", "third")
    says(h.run("diff", "1", "3").out, "option.jobs  (none) -> 1", "option.name  (none) -> third")
    shown = json.loads(h.run("show", "run", "3", "--json").out)
    assert shown["parameters"]["steps"] == 100 and shown["options"]["jobs"] == 1, shown
    same = h.run("diff", "run 1", "run 1")
    assert not same.out and "no difference" in same.err
    says(h.run("diff", "penguin@1", "penguin@2").out, "pushed_version  1 -> 2", "digest")
    says(h.run("diff", "artifact 1", "artifact 3", code=1).err, "Examples", "Schema")
    h.run("diff", "1", "9", code=1)
    h.run("diff", "1", code=2)


def test_open(h):
    h.project()
    h.run("run", "--quiet")
    rows = list(csv.reader(io.StringIO(h.run("open", "examples", "--split", "eval", "--csv").out)))
    assert len(rows) == 101 and rows[0][-1] == "species", rows[0]
    given = list(csv.DictReader(open(h.path("data", "penguins_processed.csv"))))
    one = dict(zip(rows[0], rows[1]))
    assert any(all(abs(float(g[k]) - float(one[k])) < 1e-6 for k in one) for g in given), one
    lines = h.run("open", "artifact", "1", "--limit", "3")
    assert len(lines.out.splitlines()) == 4 and "more rows" in lines.err
    says(h.run("open", "1", "--split", "x", code=1).err, 'no split "x"', "eval, train")
    says(h.run("open", "schema", code=1).err, "no examples")
    says(h.run("open", "3", code=1).err, "Schema")
    h.run("open", "999", code=1)
    text = open(h.path("pipeline.json")).read()
    h.write("taxi.csv", "a,b,c\n1,\"x, \"\"y\"\"\",\n2,,z\n")
    h.write("data2/a.csv", "a,b\n1,\"x, \"\"y\"\"\"\n2,\n")
    h.write("two.json", '{"headrace": 1, "name": "two", "nodes": {"e": {"component":'
                        ' "CsvExampleGen", "properties": {"input_base": "data2"}}}}')
    h.run("run", "--quiet", "two.json")
    got = [row for split in ("train", "eval") for row in
           csv.reader(io.StringIO(h.run("open", "e", "--split", split, "--csv").out))]
    assert ["1", 'x, "y"'] in got and ["2", ""] in got, (got, text)


def record(payload):
    """A TFRecord: length, payload, and the masked CRC-32C of each."""
    def crc(data):
        c = 0xFFFFFFFF
        for byte in data:
            c ^= byte
            for _ in range(8):
                c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
        c ^= 0xFFFFFFFF
        return struct.pack("<I", ((c >> 15 | c << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    size = struct.pack("<Q", len(payload))
    return size + crc(size) + payload + crc(payload)


def example(**features):
    """A tf.Example of lists of bytes or floats; shorter than 128 bytes at each depth."""
    def field(number, body):
        return bytes([number << 3 | 2, len(body)]) + body

    def values(v):
        if v and isinstance(v[0], bytes):
            return field(1, b"".join(field(1, one) for one in v))
        return field(2, field(1, b"".join(struct.pack("<f", one) for one in v)))

    return field(1, b"".join(field(1, field(1, k.encode()) + field(2, values(v)))
                             for k, v in features.items()))


def test_open_json(h):
    """Each value as what it is: a text of digits stays a text, and JSON has no infinity."""
    h.write("data/a.csv", 'n,"odd ""name""",t,f\n1,5,007,1.5\n2,,x,inf\n3,6,"l\nm",nan\n'
                          '4,7,"a,b",-2\n')
    h.write("records/a", "")
    with open(h.path("records", "a"), "wb") as f:
        f.write(record(example(b=[b"12", b'"'], f=[1.5, math.inf])))
        f.write(record(example(b=[b"\xff\x00"], f=[])) + record(example(b=[b"7"], f=[2.0])))
    h.write("pipeline.json", '{"headrace": 1, "name": "two", "nodes": {'
            '"e": {"component": "CsvExampleGen", "properties": {"input_base": "data"}},'
            '"r": {"component": "ImportExampleGen", "properties": {"input_base": "records"}}}}')
    h.run("run", "--quiet")

    def rows(node, *more):
        return [json.loads(line) for split in ("train", "eval") for line in
                h.run("open", node, "--split", split, "--json", *more).out.splitlines()]

    assert sorted(rows("e"), key=lambda r: r["n"]) == [
        {"n": 1, 'odd "name"': 5, "t": "007", "f": 1.5}, {"n": 2, "t": "x", "f": "inf"},
        {"n": 3, 'odd "name"': 6, "t": "l\nm", "f": "nan"},
        {"n": 4, 'odd "name"': 7, "t": "a,b", "f": -2.0}]
    assert sorted(rows("r"), key=str) == [
        {"b": "0xff00", "f": []}, {"b": "7", "f": 2.0}, {"b": ["12", '"'], "f": [1.5, "inf"]}]
    assert len(rows("e", "--limit", "1")) == 2
    says(h.run("open", "e", "--json", "--csv", code=2).err, "exclude each other")


def test_init(h):
    says(h.run("init").err, "a project begins")
    assert os.path.exists(h.path(".headrace", "metadata.sqlite"))
    says(h.run("init").err, "already")
    os.mkdir(h.path("below"))
    h.run("init", "below")
    assert os.path.isdir(h.path("below", ".headrace"))
    says(h.run("init", "not/there/yet").err, "not/there/yet")
    assert os.path.isdir(h.path("not", "there", "yet", ".headrace"))
    h.write("file", "")
    says(h.run("init", "file", code=1).err, '"file" is no directory')
    says(h.run("init", "file/below", code=1).err, '"file" is no directory')
    says(h.run("init", "", code=1).err, "directory")
    assert not os.path.exists(h.path("file", "below"))
    assert h.run("runs", cwd=h.path("below")).out.splitlines()[0].startswith("number")


def begin_slow(h):
    h.write("pipeline.json", SLOW)
    run = subprocess.Popen([COMMAND, "run", "--json", "--plugin-path", PLUGINS], cwd=h.dir,
                           env=h.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in run.stdout:
        event = json.loads(line)
        if event["event"] == "started" and event["node"] == "m":
            return run, event["run"]
    raise AssertionError(run.stderr.read())


def test_cancel(h):
    """Another process is followed, and stopped within 2 s."""
    run, name = begin_slow(h)
    watch = subprocess.Popen([COMMAND, "watch"], cwd=h.dir, env=h.env, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    try:
        head = watch.stdout.readline() + watch.stdout.readline()
        says(head, "first")
        begun = time.monotonic()
        h.run("cancel", "1")
        out = run.stdout.read()
        took = time.monotonic() - begun
        shown, err = watch.stdout.read(), watch.stderr.read()
    finally:
        run.kill()
        watch.kill()
    assert took < 4, took  # two seconds, and those of a build with sanitizers
    says(out, '"cancelled"')
    says(shown, "cancelled", "done in" if "done in" in shown else "failed in")
    says(err, name)
    assert h.query("SELECT count(*) FROM Execution WHERE last_known_state = 2") == [(0,)]
    says(h.run("cancel", name, code=1).err, "has ended")
    says(h.run("cancel", "nothing", code=1).err, "no run")
    again = h.run("watch", "run", "1", code=None).out
    assert head + shown == again, (head, shown, again)
    for line in h.run("watch", name, "--json", code=None).out.splitlines():
        assert json.loads(line)["run"] == name


def test_watch_dead(h):
    """The end of a run whose process is killed is told."""
    run, _ = begin_slow(h)
    watch = subprocess.Popen([COMMAND, "watch"], cwd=h.dir, env=h.env, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    watch.stdout.readline()
    run.send_signal(signal.SIGKILL)
    run.wait(60)
    watch.stdout.read()
    says(watch.stderr.read(), "is gone")
    assert watch.wait(60) == 1


def test_watch_nothing(h):
    h.run("init")
    says(h.run("watch", code=1).err, "nothing has run")


if __name__ == "__main__":
    main(globals())
