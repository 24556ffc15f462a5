"""Runs that go on, runs of a part, and why a node ran: resume, --from, --to, --only, why."""
import json
import os
import signal
import subprocess
import time

from control import GEN, data, pipeline, stats
from driver import COMMAND, SOURCE, main, says

SCHEMA = '{"component": "SchemaGen", "inputs": {"statistics": "stats"}}'
CHECKED = ('{"component": "ExampleValidator", "inputs": {"statistics": "stats", '
           '"schema": "schema"}}')


def three(h, more=""):
    data(h, "data")
    pipeline(h, {"gen": GEN % ("${param.dir}", more), "stats": stats("gen"), "schema": SCHEMA},
             ', "parameters": {"dir": {"type": "string", "default": "data"}}')


def test_partial(h):
    three(h)
    says(h.run("run", "--from", "stats", code=1).err, "has not run yet", "run all of it first")
    h.run("run", "--quiet")
    says(h.run("run", "--only", "nosuch", code=1).err, '--only: there is no node "nosuch"')
    states, result = h.states("--from", "schema", "--force", "schema")
    assert states == {"gen": "cached", "stats": "cached", "schema": "finished"}, states
    says(result.out, "kept from run 1")
    # as TFX's: CACHED, outputs but no inputs, no properties, the base run a parent
    rows = h.query("SELECT e.id FROM Execution e JOIN Association a ON a.execution_id = e.id JOIN "
                   "Context c ON c.id = a.context_id JOIN Type t ON t.id = c.type_id WHERE "
                   "t.name = 'pipeline_run' ORDER BY c.id DESC, e.id LIMIT 3")
    kept = [r[0] for r in rows][:2]
    for e in kept:
        assert h.query("SELECT type FROM Event WHERE execution_id = ?", e) == [(4,)]
        assert h.query("SELECT last_known_state FROM Execution WHERE id = ?", e) == [(5,)]
        names = [r[0] for r in h.query("SELECT name FROM ExecutionProperty WHERE "
                                       "execution_id = ?", e)]
        assert all(n.startswith("__") for n in names), names
    assert len(h.query("SELECT 1 FROM ParentContext")) == 3
    states, _ = h.states("--to", "stats", "--no-cache")
    assert states == {"gen": "finished", "stats": "finished", "schema": "cached"}, states
    states, _ = h.states("--only", "stats", "--no-cache", "--base", "1")
    assert states == {"gen": "cached", "stats": "finished", "schema": "cached"}, states
    says(h.run("run", "--only", "stats", "--base", "9", code=1).err, 'there is no run "9"')
    says(h.run("run", "--only", "stats", "--to", "gen", code=1).err, '"only" says all that runs')
    says(h.run("run", "--from", "stats", "--to", "gen", code=1).err, 'no node comes after "stats" '
         'and before "gen": nothing would run')


def test_resume_params(h):
    """What is resumed has the parameters of then, whatever has run since."""
    h.write("pipeline.json", """{"headrace": 1, "name": "p", "parameters": {
        "n": {"type": "int", "default": 1}, "s": {"type": "string", "default": "x"}}, "nodes": {
        "a": {"command": ["sh", "-c", "echo $N $S; test -e $G"],
              "properties": {"N": "${param.n}", "S": "${param.s}", "G": "%s"}},
        "b": {"command": ["sh", "-c", "echo b"]}}}""" % h.path("gone"))

    def printed(result):
        return [e["text"] for e in result.events() if e["event"] == "log" and e["node"] == "a"]

    says(printed(h.run("run", "--json", "--param", "n=7", "--param", "s=y z", code=1))[0], "7 y z")
    assert printed(h.run("resume", "--json", code=1)) == ["7 y z"]
    assert printed(h.run("run", "--json", code=1)) == ["1 x"]
    assert printed(h.run("resume", "2", "--json", code=1)) == ["7 y z"]
    says(h.run("resume", "--dry-run").out, "a ")


def test_params_file(h):
    """Parameters from a file; a single one counts over it, and the last of two."""
    h.write("pipeline.json", """{"headrace": 1, "name": "p", "parameters": {
        "n": {"type": "int", "default": 1}, "s": {"type": "string", "default": "x"},
        "l": {"type": "json", "default": []}}, "nodes": {
        "a": {"command": ["sh", "-c", "echo $N $S $L; exit $N"],
              "properties": {"N": "${param.n}", "S": "${param.s}", "L": "${json(param.l)}"}}}}""")

    def printed(*args, code=0):
        result = h.run(*args, "--json", code=code)
        return [e["text"] for e in result.events() if e["event"] == "log"]

    h.write("p.json", '// of tonight\n{"s": "from file", "l": [1, {"a": 9007199254740993}]}')
    assert printed("run", "--params", "p.json", "--param", "n=0") == [
        '0 from file [1,{"a":9007199254740993}]']
    assert printed("run", "--param", "s=1", "--params", "p.json", "--param", "s=2", "--param",
                   "n=3", "--param", "n=0")[0].startswith("0 2 [1,")
    # on record is what it held: a run that is resumed does not look again
    assert printed("run", "--params", "p.json", "--param", "n=5", code=1)[0].startswith("5 from")
    os.unlink(h.path("p.json"))
    assert printed("resume", code=1)[0].startswith("5 from file [1,")
    options = json.loads(h.run("show", "run", "3", "--json").out)["options"]
    assert options["param"]["l"] == [1, {"a": 9007199254740993}] and "params" not in options, options
    for text, want in (("", "p.json:1:1: it is empty"), ("[]", "p.json:1:1: a file of param"),
                       ('{"s": 1,}', "p.json:1:9: "), ('{"s": 1, "s": 2}', '"s" is given twice'),
                       ('{"t": 1}', 'has no parameter "t"'), ('{"n": "x"}', '"n" wants an int')):
        h.write("p.json", text)
        says(h.run("run", "--params", "p.json", code=1).err, want, "nothing was run")
        says(h.run("check", "--params", "p.json", code=1).err, want)
    says(h.run("run", "--params", "gone.json", code=1).err, 'cannot open "gone.json"')


def test_partial_first(h):
    """Before any run: what needs nothing of what is left out runs."""
    three(h)
    states, _ = h.states("--to", "gen")
    assert states == {"gen": "finished"} or states.get("stats") == "skipped", states
    assert h.query("SELECT count(*) FROM Execution") == [(1,)]
    states, _ = h.states("--from", "stats")
    assert states == {"gen": "cached", "stats": "finished", "schema": "finished"}, states


def test_partial_needs(h):
    three(h)
    h.run("run", "--quiet", "--param", "dir=gone", code=1)
    says(h.run("run", "--only", "schema", code=1).err, 'node "stats" is left out and its outputs')


def test_resume_failed(h):
    """What is finished is not run again, though its cache is off."""
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ', "cache": false'), "stats": stats("gen"),
                 "late": GEN % ("more", ', "after": "stats"')})
    states, _ = h.states(code=1)
    assert states == {"gen": "finished", "stats": "finished", "late": "failed"}, states
    h.write("more/b.csv", "z\n" + "1\n" * 9)
    result = h.run("resume", "--json")
    ends = {e["node"]: e["event"] for e in result.events() if e["event"] in ("cached", "finished")}
    assert ends == {"gen": "cached", "stats": "cached", "late": "finished"}, ends
    says(h.run("resume", code=1).err, "has finished all its nodes: there is nothing to resume")
    says(h.run("resume", "77", code=1).err, 'there is no run "77"')


def test_resume_reads(h):
    """What a condition reads of another node is the same then and now."""
    data(h, "data")
    nodes = {"gen": GEN % ("data", ""),
             "stats": stats("gen", ', "if": "${ len(nodes.gen.examples) == 1 }"'),
             "late": GEN % ("more", ', "after": "stats"')}
    pipeline(h, nodes)
    states, said = h.states(code=1)
    assert states == {"gen": "finished", "stats": "finished", "late": "failed"}, said
    h.write("more/b.csv", "z\n" + "1\n" * 9)
    result = h.run("resume", "--json")
    ends = {e["node"]: e["event"] for e in result.events() if e["event"] in ("cached", "finished")}
    assert ends == {"gen": "cached", "stats": "cached", "late": "finished"}, ends
    rows = h.run("executions", "--json", "--filter", "number = 2").out.splitlines()
    kept = {r["node"]: r["state"] for r in map(json.loads, rows)}
    assert kept == {"gen": "CACHED", "stats": "CACHED", "late": "COMPLETE"}, kept


def test_resume_changed(h):
    """Changed data is told, and needs --changed."""
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ""), "stats": stats("gen"),
                 "late": GEN % ("more", ', "after": "stats"')})
    h.run("run", "--quiet", code=1)
    h.write("data/a.csv", "x,y\n" + "5,6\n" * 30)
    h.write("more/b.csv", "z\n" + "1\n" * 9)
    says(h.run("resume", code=1).err, 'node "gen" has finished in run', "would be another now",
         'the content that property "input_base" names', "--changed")
    result = h.run("resume", "--changed", "--json")
    ends = {e["node"]: e["event"] for e in result.events() if e["event"] in ("cached", "finished")}
    assert ends == {"gen": "finished", "stats": "finished", "late": "finished"}, ends


def test_resume_other_file(h):
    """A changed pipeline, and changed code of a plugin, are told too, and need --changed."""
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ""), "late": GEN % ("more", ', "after": "gen"')})
    h.run("run", "--quiet", code=1)
    h.write("other/a.csv", "x,y\n" + "7,8\n" * 40)
    pipeline(h, {"gen": GEN % ("other", ""), "late": GEN % ("more", ', "after": "gen"')})
    h.write("more/b.csv", "z\n" + "1\n" * 9)
    says(h.run("resume", code=1).err, 'node "gen" has finished in run', "would be another now",
         "--changed")
    h.run("resume", "--changed", "--quiet")
    # a node that is there no more is no hindrance; code that is another is told
    source = open(os.path.join(SOURCE, "samples/custom_component/line_count.c")).read()
    for note in ("", " Well."):
        h.write("line_count.c", source.replace('"Counts lines."', '"Counts lines.%s"' % note))
        os.makedirs(h.path("so"), exist_ok=True)
        subprocess.run(["cc", "-std=c99", "-fPIC", "-shared", "-fvisibility=hidden",
                        "-I" + os.path.join(SOURCE, "sdk/include"), h.path("line_count.c"),
                        "-o", h.path("so/line_count.so")], check=True)
        if note:
            says(h.run("resume", "--plugin-path", "so", code=1).err,
                 'node "count" has finished in run', "--changed")
            h.write("last/b.csv", "z\n" + "1\n" * 9)
            h.run("resume", "--plugin-path", "so", "--changed", "--quiet")
            continue
        h.write("lines/data", "one\n")
        pipeline(h, {"table": '{"importer": {"source_uri": "lines", "type": "File"}}',
                     "count": '{"component": "line-count", "inputs": {"table": "table"}}',
                     "late": GEN % ("last", ', "after": "count"')})
        h.run("run", "--quiet", "--plugin-path", "so", code=1)


def test_resume_killed(h):
    """A host that was killed leaves a run that another goes on with."""
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ', "cache": false'),
                 "wait": '{"command": ["sh", "wait.sh"], "after": "gen"}',
                 "stats": stats("gen", ', "after": "wait"')})
    h.write("wait.sh", "exec sleep 60\n")
    child = subprocess.Popen([COMMAND, "run", "--quiet"], cwd=h.dir, env=h.env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = None
    for _ in range(200):
        time.sleep(0.05)
        if os.path.exists(h.path(".headrace", "metadata.sqlite")):
            try:
                log = h.query("SELECT count(*) FROM Execution")
            except Exception:  # the tables are being made
                continue
            if log == [(2,)]:
                break
    assert log == [(2,)], log
    time.sleep(0.2)
    says(h.run("resume", code=1).err, "still goes on; cancel it first")
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    h.write("wait.sh", "exit 0\n")
    result = h.run("resume", "--json")
    ends = {e["node"]: e["event"] for e in result.events() if e["event"] in ("cached", "finished")}
    assert ends == {"gen": "cached", "wait": "finished", "stats": "finished"}, ends
    assert h.query("SELECT count(*) FROM Execution WHERE last_known_state = 2") == [(0,)]
    assert os.listdir(h.path(".headrace", "artifacts", ".staging")) == []


def test_part_of_each(h):
    """A node that is asked for runs with all its instances; one that is left out keeps all."""
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ""),
                 "stats": stats("gen", ', "for_each": {"in": [["train"], ["eval"]]}').replace(
                     '"inputs"', '"properties": {"exclude_splits": "${item}"}, "inputs"'),
                 "say": '{"command": ["echo", "${item}"], "inputs": {"s": "stats.statistics"}, '
                        '"for_each": {"in": [1, 2, 3]}, "cache": false}'})
    h.run("run", "--quiet")
    states, _ = h.states("--from", "say")
    assert states == {"gen": "cached", "stats": "cached", "say[0]": "finished",
                      "say[1]": "finished", "say[2]": "finished"}, states
    states, _ = h.states("--only", "stats", "--no-cache")
    assert [s for n, s in states.items() if n.startswith("stats[")] == ["finished"] * 2, states
    assert [s for n, s in states.items() if n.startswith("say")] == ["cached"], states


def test_resume_each(h):
    """Instances are kept one by one."""
    data(h, "d1", "d3")
    pipeline(h, {"gen": GEN % ("${item}", ', "cache": false, "for_each": {"in": '
                                          '["d1", "d2", "d3"], "parallel": 1}')})
    states, _ = h.states("--keep-going", code=1)
    assert states == {"gen[0]": "finished", "gen[1]": "failed", "gen[2]": "finished"}, states
    data(h, "d1", "d2", "d3")
    result = h.run("resume", "--json")
    ends = {e["node"]: e["event"] for e in result.events() if e["event"] in ("cached", "finished")}
    assert ends == {"gen[0]": "cached", "gen[1]": "finished", "gen[2]": "cached"}, ends


def test_kept_again(h):
    """What a run has kept, the next can keep too: every instance, and what it was made of."""
    data(h, "d1", "d2", "d3")
    each = GEN % ("${item}", ', "for_each": {"in": ["d1", "d2"]}')
    pipeline(h, {"gen": each, "one": GEN % ("d1", ""),
                 "late": '{"command": ["sh", "wait.sh"], "after": ["gen", "one"]}',
                 "all": '{"command": ["true"], "inputs": {"all": "gen"}}'})
    h.write("wait.sh", "exit 1\n")
    h.run("run", "--quiet", "--keep-going", code=1)
    for _ in range(2):
        h.run("run", "--quiet", "--only", "all", "--force", "all", code=0)
        read = h.query("SELECT count(*) FROM Event WHERE type = 3 AND execution_id = (SELECT "
                       "max(e.execution_id) FROM Event e JOIN EventPath p ON p.event_id = e.id AND "
                       "p.step_key = 'all')")
        assert read == [(2,)], read
    # a run that resumed another is compared as that one was
    h.run("resume", "1", "--quiet", "--keep-going", code=1)
    h.write("d1/a.csv", "x,y\n" + "5,6\n" * 30)
    says(h.run("resume", code=1).err, 'node "one" has finished in run', "would be another now")


def test_retry_failed(h):
    three(h, ', "cache": false')
    h.run("run", "--quiet", "--param", "dir=gone", code=1)
    h.run("run", "--quiet")
    pipeline(h, {"gen": GEN % ("data", ', "cache": false'), "stats": stats("gen"),
                 "schema": SCHEMA, "checked": CHECKED})
    states, _ = h.states("--retry-failed")
    assert states == {"gen": "cached", "stats": "cached", "schema": "cached",
                      "checked": "finished"}, states


def test_why(h):
    three(h)
    h.run("run", "--quiet")
    says(h.run("why", "gen").out, "gen ran in run 1 (execution 1): it has no earlier result")
    h.run("run", "--quiet")
    says(h.run("why", "gen").out, "gen was cached in run 2", "from run 1")
    h.write("data/a.csv", "x,y\n" + "5,6\n" * 30)
    h.run("run", "--quiet")
    says(h.run("why", "gen").out, "gen ran in run 3", "since run 2",
         'the content that property "input_base" names: ', " -> ")
    says(h.run("why", "stats").out, 'the content of input "examples"')
    says(h.run("why", "stats", "--run", "1").out, "stats ran in run 1")
    h.run("run", "--quiet", "--force", "stats")
    says(h.run("why", "stats").out, "the cache was not to be used")
    answer = json.loads(h.run("why", "stats", "--run", "3", "--json").out)
    assert answer["before"] and answer["differences"], answer
    h.run("run", "--quiet", "--param", "dir=gone", code=1)
    says(h.run("why", "gen").out, "gen failed in run 5", "gone")
    says(h.run("why", "nosuch", code=1).err, 'node "nosuch" has no execution')


def node(command, *after, more=""):
    return '{"command": %s, "after": %s%s}' % (json.dumps(command), json.dumps(after), more)


def test_why_not_reached(h):
    """Of a node that no run has reached: what it waits for, or that it was left out."""
    def why(name, *args):
        return h.run("why", name, *args).out

    ok, bad = ["true"], ["false"]
    again = ["sh", "-c", "case $0 in */.staging/1/r) exit 75; esac", "${output.r.uri}"]
    inner = '{"nodes": {"one": %s, "two": %s}}' % (node(ok), node(ok, "one"))
    pipeline(h, {"again": node(again, more=', "retries": 1, "outputs": {"r": "File"}'),
                 "gen": node(bad, "again"), "mid": node(ok, "again", "gen"), "use": node(ok, "mid"), "beside": node(ok),
                 "part": '{"pipeline": %s, "after": "use"}' % inner,
                 "each": '{"command": ["test", "${item}", "=", "a"], "for_each": {"in": ["a", "b"]}}',
                 "last": node(ok, "each")})
    h.run("run", "--quiet", "--keep-going", "--jobs", "1", code=1)
    assert h.query("SELECT last_known_state FROM Execution WHERE id = 1") == [(4,)]
    of = {r["instance"]: r["id"] for r in h.run("executions", "--json").events()}
    says(why("mid"), 'mid did not run in run 1: it waits for "gen", which failed (execution %d)\n'
         % of["gen"])
    says(why("use"), 'it waits for "mid", which waits for "gen", which failed (execution')
    says(why("part.two"), 'it waits for "use", which waits for "mid", which waits for "gen", wh')
    says(why("last"), 'it waits for "each", which failed (execution %d)\n' % of["each[1]"])
    answer = json.loads(h.run("why", "use", "--run", "1", "--json").out)
    assert answer["state"] == "NOT_RUN" and answer["number"] == 1, answer
    assert "execution" not in answer and answer["node"] == "use", answer
    for name in ("nosuch", "part", "each[7]"):
        says(h.run("why", name, code=1).err, 'node "%s" has no execution' % name)
    # a part: --from and --to, too
    h.run("run", "--quiet", "--only", "beside")
    says(why("use"), "use did not run in run 2: it is not in the part that ran (--only beside)")
    says(why("use", "--run", "1"), "use did not run in run 1: it waits for")
    h.run("run", "--quiet", "--from", "beside", "--to", "beside")
    says(why("use"), "it is not in the part that ran (--from beside --to beside)")
    # another node has failed, and the run went not on
    pipeline(h, {"a": node(bad), "b": node(["sleep", "0.2"]), "c": node(ok, "b")})
    h.run("run", "--quiet", "--jobs", "1", code=1)
    says(why("c"), 'the run ended when "a" failed (execution', "with --keep-going it goes on")
    # a node of later, and a file that is gone
    pipeline(h, {"b": node(ok)})
    h.run("run", "--quiet")
    pipeline(h, {"b": node(ok), "new": node(ok, "b")})
    says(why("new"), "new did not run in run 5: the run ended before its turn, or the pipeline was")
    os.unlink(h.path("pipeline.json"))
    says(h.run("why", "new", code=1).err, 'node "new" has no execution')


def test_why_not_yet(h):
    """While it runs, and after a cancellation."""
    pipeline(h, {"long": node(["sleep", "100"]), "use": node(["true"], "long"),
                 "more": node(["true"], "use")})
    p = subprocess.Popen([COMMAND, "run", "--json"], cwd=h.dir, env=h.env, stdout=subprocess.PIPE,
                         text=True)
    while '"started"' not in p.stdout.readline():
        pass
    says(h.run("why", "more").out,
         'more did not run in run 1: it waits for "use", which waits for "long", which is running (')
    h.run("cancel", "1")
    p.communicate(timeout=60)
    says(h.run("why", "use").out, 'it waits for "long", which was cancelled (execution 1)')


if __name__ == "__main__":
    main(globals())
