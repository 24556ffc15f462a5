"""run --replay: one execution again, in an empty place, compared with what it made then."""
import json
import os
import shutil

from control import data, pipeline
from driver import BUILD, COMMAND, main, says
from preview import tree

PLUGINS = os.path.join(BUILD, "test_plugins")


def executions(h):
    return {r["node"]: r for r in map(json.loads, h.run("executions", "--json").out.splitlines())}


def replay(h, execution, *args, code=0):
    return json.loads(h.run("run", "--replay", str(execution), "--json", *args, code=code).out)


def test_equal(h):
    """All of the penguin's executors give what they gave, and nothing is touched or recorded."""
    h.project()
    h.run("run", "--quiet")
    before = tree(h)
    for node, e in executions(h).items():
        if node == "baseline":  # a resolver has no executor
            says(h.run("run", "--replay", str(e["id"]), code=1).err, "no executor was started")
            continue
        told = replay(h, e["id"])
        assert told["equal"] and told["outputs"] and told["node"] == node, told
        assert told["dir"] is None and not told["plugin_changed"], told
    trainer = str(executions(h)["trainer"]["id"])
    result = h.run("run", "--replay", trainer, "--isolation", "none")
    says(result.out, "trainer, which is COMPLETE in the store: ran now", "model is equal")
    says(result.err, "loss")
    assert tree(h) == before, set(tree(h).items()) ^ set(before.items())


def test_differs(h):
    pipeline(h, {"c": '{"command": ["sh", "-c", "cat /proc/sys/kernel/random/uuid /dev/urandom | '
                      'head -c 50 > $0/value", "${output.r.uri}"], "outputs": {"r": "Bytes"}}'})
    h.states()
    (c,) = executions(h).values()
    told = replay(h, c["id"], code=1)
    (r,) = told["outputs"]
    assert told["status"] == 0 and not r["equal"] and r["before"] != r["now"], told
    assert os.path.getsize(os.path.join(told["dir"], "out", "r", "value")) == 50
    shutil.rmtree(told["dir"])
    out = h.run("run", "--replay", str(c["id"]), code=1).out
    says(out, "r differs: ", "what it made lies in ")
    shutil.rmtree(out.split("lies in ")[1].strip())


def test_crash(h):
    """One that failed fails again, by itself; what it may write outside goes elsewhere."""
    h.write("pipeline.json", """{"headrace": 1, "name": "p", "nodes": {"m": {"component":
        "Misbehave", "properties": {"how": "crash"}}}}""")
    h.run("run", "--plugin-path", PLUGINS, code=1)
    (m,) = executions(h).values()
    told = replay(h, m["id"], "--plugin-path", PLUGINS, code=1)
    says(told["text"], "was ended by signal 11 (SIGSEGV)")
    assert told["state"] == "FAILED" and told["outputs"] == [], told
    shutil.rmtree(told["dir"])
    says(h.run("run", "--replay", str(m["id"]), code=1).err, 'there is no component')
    says(h.run("run", "--replay", "99", code=1).err, "there is no execution 99")
    says(h.run("run", "--replay", "x", code=2).err, "--replay")
    says(h.run("run", "pipeline.json", "--replay", "1", code=2).err, "takes no FILE")
    says(h.run("run", "--gdb", code=2).err, "--gdb goes with --replay")


def test_cached(h):
    data(h, "data")
    pipeline(h, {"g": '{"component": "CsvExampleGen", "properties": {"input_base": "data"}}'})
    h.states()
    first = executions(h)["g"]["id"]
    h.states()
    says(h.run("run", "--replay", str(executions(h)["g"]["id"]), code=1).err, "(g, CACHED)",
         "no executor was started for it")
    shutil.rmtree(h.path("data"))  # what it read is gone
    told = replay(h, first, code=1)
    assert told["status"] < 0, told
    shutil.rmtree(told["dir"])


def test_gdb(h):
    """The debugger is given the same command, in one process."""
    pipeline(h, {"c": '{"command": ["true"]}'})
    h.states()
    (c,) = executions(h).values()
    h.write("bin/gdb", '#!/bin/sh\necho "gdb $@"\n')
    os.chmod(h.path("bin", "gdb"), 0o755)
    result = h.run("run", "--replay", str(c["id"]), "--gdb", "--root", h.dir,
                   env={"PATH": h.path("bin") + ":/usr/bin:/bin"})
    assert result.out.split() == ["gdb", "-q", "--args", os.path.realpath(COMMAND), "run",
                                  "--isolation", "none", "--replay", str(c["id"]), "--root",
                                  h.dir], result
    says(h.run("run", "--replay", str(c["id"]), "--gdb", env={"PATH": h.path("none")},
               code=1).err, "cannot start gdb", "--isolation none")


if __name__ == "__main__":
    main(globals())
