"""run --dry-run: says what a run would do, does nothing, and is right."""
import hashlib
import json
import os
import shutil

from control import GEN, data, pipeline, stats
from driver import main, says


def tree(h):
    """Everything below the test's directory, with its content."""
    found = {}
    for at, dirs, files in os.walk(h.dir):
        for name in dirs + files:
            path = os.path.join(at, name)
            found[path] = ""
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    found[path] = hashlib.sha256(f.read()).hexdigest()
    return found


def plans(h, *args, code=0, verb="run"):
    """What would become of each node, by --json; and nothing has changed."""
    before = tree(h)
    told = json.loads(h.run(verb, "--dry-run", "--json", *args, code=code).out)
    assert tree(h) == before, set(tree(h).items()) ^ set(before.items())
    found = {n["node"]: n["plan"] for n in told["nodes"]}
    for plan in ("run", "cached", "kept", "skipped", "depends", "failed", "not_run"):
        assert told[plan] == list(found.values()).count(plan), told
    return found, {n["node"]: n for n in told["nodes"]}


def agree(h, found, states):
    """What was foretold is what has come."""
    ends = {"run": ("finished",), "cached": ("cached",), "kept": ("cached",),
            "skipped": ("skipped",), "depends": ("finished", "cached", "skipped")}
    for node, plan in found.items():
        assert states[node] in ends[plan], (node, plan, states[node])


def test_penguin(h):
    h.project()
    found, _ = plans(h)
    assert not os.path.exists(h.path(".headrace"))
    assert found["examples"] == "run" and found["trainer"] == "depends", found
    agree(h, found, h.states()[0])
    found, of = plans(h)  # the resolver has something to find by now, and that is known
    assert found == dict.fromkeys(found, "cached") | {"baseline": "run", "evaluator": "run",
                                                      "pusher": "depends"}, found
    assert of["trainer"]["why"] == "from run 1" and of["baseline"]["why"].startswith("it finds m")
    assert [d["what"] for d in of["evaluator"]["differences"]], of["evaluator"]
    agree(h, found, h.states()[0])

    found, of = plans(h, "--param", "steps=200")
    assert found["transform"] == "cached" and found["trainer"] == "run", found
    assert of["trainer"]["differences"] == [
        {"what": 'property "train_steps"', "before": 100, "now": 200}], of["trainer"]
    says(of["evaluator"]["why"], 'its input "model" comes from "trainer", which is to run before')
    result = h.run("run", "--dry-run", "--param", "steps=200")
    says(result.out, "what a run would do", 'property "train_steps": 100 -> 200, since that from '
         "run ", "nothing was run: 2 to run, 2 open until then, 5 cached, 0 kept, 0 skipped")
    agree(h, found, h.states("--param", "steps=200")[0])

    found, _ = plans(h, "--from", "trainer")
    assert found["transform"] == "kept" and found["trainer"] == "cached", found
    agree(h, found, h.states("--from", "trainer")[0])
    found, _ = plans(h, "--force", "schema")
    assert found["schema"] == "run" and found["anomalies"] == "depends", found
    assert set(plans(h, "--no-cache")[0].values()) == {"run", "depends"}


def test_wrong(h):
    h.project()
    says(h.run("run", "--dry-run", "--param", "steps=0", code=1).err, '"steps" is "0"',
         "nothing was run")
    says(h.run("run", "--dry-run", "--from", "gone", code=1).err, 'no node "gone"')
    says(h.run("resume", "--dry-run", code=1).err, "there is no project")
    shutil.rmtree(h.path("data"))
    found, of = plans(h, code=1)
    assert found["examples"] == "failed" and found["trainer"] == "not_run", found
    assert found["baseline"] == "run", found
    says(of["examples"]["why"], 'cannot read what property "input_base" names')
    says(h.run("run", "--dry-run", code=1).out, "1 would fail, 7 not run")


def test_control(h):
    """Conditions, repetition and sub-pipelines, as far as they are known."""
    data(h, "a", "b")
    nodes = {
        "gen": GEN % ("${item}", ', "for_each": {"in": ["a", "b"]}'),
        "stats": stats("item", ', "for_each": {"in": "${ nodes.gen.examples }"}'),
        "never": GEN % ("a", ', "if": "${ param.no }"'),
        "behind": stats("never"),
        "part": '{"pipeline": {"nodes": {"one": %s}}, "if": "${ len(nodes.gen.examples) == 2 }"}'
                % (GEN % ("a", "")),
        "end": '{"command": ["true"], "finally": true}',
    }
    more = ', "parameters": {"no": {"type": "bool", "default": false}}'
    pipeline(h, nodes, more)
    found, of = plans(h)
    assert found == {"gen[0]": "run", "gen[1]": "run", "stats": "depends", "never": "skipped",
                     "behind": "skipped", "part.one": "depends", "end": "run"}, found
    says(of["stats"]["why"], 'its elements are made by "gen"')
    says(of["never"]["why"], "its condition is false")
    h.states()
    found, _ = plans(h)
    assert found == {"gen[0]": "cached", "gen[1]": "cached", "stats[0]": "cached",
                     "stats[1]": "cached", "never": "skipped", "behind": "skipped",
                     "part.one": "cached", "end": "cached"}, found
    agree(h, found, h.states()[0])
    h.write("b/a.csv", "x,y\n1,2\n")  # one of two elements
    found, of = plans(h)
    assert found["gen[0]"] == "cached" and found["gen[1]"] == "run", found
    assert found["stats"] == "depends", found
    says(of["gen[1]"]["why"], 'the content that property "input_base" names')


def test_twins(h):
    data(h, "a")
    pipeline(h, {"one": GEN % ("a", ""), "two": GEN % ("a", "")})
    found, of = plans(h)
    assert found == {"one": "run", "two": "depends"}, found
    says(of["two"]["why"], 'the result of "one", which does the same')
    assert h.states()[0]["two"] == "cached"


def test_resume(h):
    data(h, "a")
    pipeline(h, {"gen": GEN % ("a", ""), "bad": '{"command": ["false"], "inputs": {"x": "gen"}}'})
    h.states(code=1)
    found, _ = plans(h, verb="resume")
    assert found == {"gen": "kept", "bad": "run"}, found
    found, _ = plans(h, "--retry-failed")
    assert found == {"gen": "kept", "bad": "run"}, found
    assert len(h.run("runs", "--json").out.splitlines()) == 1


def test_nothing_written(h):
    """Not by somebody who could not write, and not into a store of a dead host."""
    h.project()
    h.states()
    who = h.other_user()
    os.chmod(h.path(".headrace"), 0o555)
    h.run("run", "--dry-run", **who)
    os.chmod(h.path(".headrace"), 0o755)


if __name__ == "__main__":
    main(globals())
