"""Resolvers: which artifacts of the store a run begins with."""
import json
import shutil
import subprocess

from control import GEN, data, pipeline
from driver import main, says

PART = ('{"command": ["sh", "-c", "echo ${param.n} > $0/value", "${output.r.uri}"], "outputs": '
        '{"r": {"type": "Integer", "properties": {"n": "${param.n}", "even": "${param.n % 2 == 0 '
        '? \'yes\' : \'no\'}"}}}}')
PARAMS = ', "parameters": {"n": {"type": "int", "default": 0}}'


def found(h, strategies, config="", type="Integer"):
    """The values that a resolver finds, newest first as it gives them."""
    pipeline(h, {"find": '{"resolver": %s, "outputs": {"r": "%s"}%s}' % (
        strategies, type, config and ', "config": {%s}' % config),
        "tell": '{"command": ["echo", "got"], "inputs": {"r": "find.r"}, "properties": {"N": '
                '"${len(input.r)}"}}'}, PARAMS)
    h.states("--no-cache", code=None)
    return [n for n, in h.query(
        "SELECT p.int_value FROM Event e JOIN ArtifactProperty p ON p.artifact_id = e.artifact_id "
        "AND p.name = 'n' JOIN EventPath s ON s.event_id = e.id AND s.is_index_step = 1 WHERE "
        "e.type = 6 AND e.execution_id = (SELECT max(execution_id) FROM Event WHERE type = 6) "
        "AND e.execution_id >= (SELECT max(x.id) - 2 FROM Execution x) ORDER BY s.step_index")]


def test_strategies(h):
    pipeline(h, {"part": PART}, PARAMS)
    for n in range(1, 7):
        h.states("--param", "n=%d" % n)
    assert found(h, '"latest_artifacts"') == [6]
    newest = '"desired_num_of_artifacts": %d'
    assert found(h, '"latest_artifacts"', newest % 3) == [6, 5, 4]
    assert found(h, '"latest_artifacts"', newest % 9) == []  # fewer: none
    assert found(h, '"latest_created"', newest % 9) == [6, 5, 4, 3, 2, 1]
    even = '"key": "even", "value": "yes"'
    assert found(h, '"filter_custom_property_equal"', even) == [6, 4, 2]
    assert found(h, '"filter_property_equal"', even) == []  # it is a custom one
    assert found(h, '["filter_custom_property_equal", "latest_artifacts"]',
                 even + ", " + newest % 2) == [6, 4]
    assert found(h, '["filter_custom_property_equal"]', '"key": "n", "value": 3') == [3]
    assert found(h, '["filter_custom_property_equal"]', '"key": "n", "value": "3"') == []
    assert found(h, '"slice"', '"start": 1, "stop": 3') == [5, 4]
    assert found(h, '"slice"', '"start": -2') == [2, 1]
    assert found(h, '"slice"', '"start": 4, "stop": 2') == []
    assert found(h, '"slice"', '"step": -1') == [1, 2, 3, 4, 5, 6]
    assert found(h, '"slice"', '"start": -1, "stop": 1, "step": -2') == [1, 3]
    assert found(h, '"slice"', '"start": 9, "step": -4, "min_count": 2') == [1, 5]
    assert found(h, '"slice"', '"step": %d' % -2**63) == [1]
    assert found(h, '"pick"', '"index": 1') == [5]
    assert found(h, '["slice", "pick"]', '"stop": 3, "index": -1') == [4]
    for strategy, config, want in (
            ('"pick"', '"index": 6', 'pick has no artifact 6 for the output "r": there are 6'),
            ('"pick"', '"index": -7', 'pick has no artifact -7 for the output "r": there are 6'),
            ('"slice"', '"start": 4, "min_count": 3', 'wants at least 3 of a list of 6, and is '
             'given 2')):
        pipeline(h, {"find": '{"resolver": %s, "outputs": {"r": "Integer"}, "config": {%s}}' % (
            strategy, config)}, PARAMS)
        says(h.run("run", code=1).err, 'node "find": ', want)
    some = found(h, '"shuffle"', '"seed": 3')
    assert sorted(some) == [1, 2, 3, 4, 5, 6] and some != [6, 5, 4, 3, 2, 1], some
    assert found(h, '"shuffle"', '"seed": 3') == some
    assert found(h, '["shuffle", "slice"]', '"seed": 3, "stop": 2') == some[:2]
    # of another pipeline: a run in which something failed does not count
    pipeline(h, {"part": PART, "bad": '{"command": ["false"], "after": ["part"]}'}, PARAMS)
    h.states("--param", "n=7", code=1)
    assert found(h, '"latest_artifacts"') == [7]
    h.write("other.json", '{"headrace": 1, "name": "other", "nodes": {"find": {"resolver": '
            '"latest_pipeline_run_outputs", "outputs": {"r": "Integer"}, "config": {"pipeline": '
            '"c"}}, "show": {"command": ["echo", "n=${input.r.property.n}"], "inputs": {"r": '
            '"find.r"}}}}')
    pipeline(h, {"part": PART}, PARAMS)
    h.states("--param", "n=8")
    pipeline(h, {"part": PART, "bad": '{"command": ["false"], "after": ["part"]}'}, PARAMS)
    h.states("--param", "n=9", code=1)
    says(h.run("run", "other.json", "--json").out, '"text":"n=8"')


TELL = ('{"command": ["sh", "-c", "echo $N; echo ${len(input.r)} > $0/n", "${output.o.uri}"], '
        '"inputs": {"r": %s}, "properties": {"N": "%s"}, "outputs": {"o": "File"}%s}')
FIND = '{"resolver": "slice", "outputs": {"r": "Integer"}, "config": {"step": -1}}'
BOTH = "${w[0].property.n}-${w[-1].property.n}"


def told(h, *args, node="tell"):
    """What the instances of a node print, in their order, and how each ended."""
    states, result = h.states("--jobs", "1", *args)
    lines = {e["node"]: e["text"] for e in result.events() if e["event"] == "log"}
    mine = sorted(k for k in states if k.startswith(node + "["))
    return [lines.get(k) for k in mine], [states[k] for k in mine]


def test_windows(h):
    """Windows of a list are elements of a "for_each", and each is a list."""
    pipeline(h, {"part": PART}, PARAMS)
    for n in range(1, 6):
        h.states("--param", "n=%d" % n)

    def windows(call, inputs='"w"', text=BOTH):
        pipeline(h, {"find": FIND, "tell": TELL % (inputs, text, ', "for_each": {"in": "${ %s }", '
                                                   '"as": "w"}' % call)})
        return told(h)

    two = "sliding_window(nodes.find.r, 2)"
    assert windows(two) == (["1-2", "2-3", "3-4", "4-5"], ["finished"] * 4)
    counts = h.query("SELECT count(*) FROM Event e JOIN EventPath p ON p.event_id = e.id WHERE "
                     "e.type = 3 AND p.step_key = 'r' GROUP BY e.execution_id")
    assert counts == [(2,)] * 4, counts
    reads = h.query("SELECT count(*) FROM Event e JOIN EventPath p ON p.event_id = e.id WHERE "
                    "e.type = 3 AND p.step_key = '_find.r' GROUP BY e.execution_id")
    assert reads == [(2,)] * 4, reads  # its own window, and nothing else
    assert windows(two)[1] == ["cached"] * 4
    out = json.loads(h.run("run", "--dry-run", "--json").out)
    assert [n["plan"] for n in out["nodes"]] == ["run"] + ["cached"] * 4, out
    # one more part: one more window, the others are there
    pipeline(h, {"part": PART}, PARAMS)
    h.states("--param", "n=6")
    assert windows(two) == ([None] * 4 + ["5-6"], ["cached"] * 4 + ["finished"])
    assert windows("sliding_window(nodes.find.r, 2, 2)") == ([None] * 3, ["cached"] * 3)
    # what does not fill a window is left out
    assert windows("sliding_window(nodes.find.r, 4, 2)")[0] == ["1-4", "3-6"]
    assert windows("sliding_window(nodes.find.r, 4, 3)")[1] == ["cached"]
    assert windows("sliding_window(nodes.find.r, 6, %d)" % (2**63 - 1))[0] == ["1-6"]
    states, _ = h.states("--from", "tell")
    assert states == {"find": "cached", "tell[0]": "cached"}, states
    pipeline(h, {"find": FIND, "tell": TELL % ('"w"', BOTH, ', "for_each": {"in": '
                                               '"${ sliding_window(nodes.find.r, 7) }", "as": "w"}')})
    assert h.states()[0]["tell"] == "skipped"
    # one of a window; windows of numbers; windows of a window
    assert windows(two, inputs='"w[-1]"', text="${len(input.r)}: ${input.r.property.n}")[0] == [
        "1: %d" % n for n in (2, 3, 4, 5, 6)]
    assert windows("sliding_window([1, 2, 3], 2)", inputs='"find"', text="${json(w)}")[0] == [
        "[1,2]", "[2,3]"]
    pipeline(h, {"find": FIND, "all": '{"pipeline": {"nodes": {"tell": %s}}, "for_each": {"in": '
                 '"${ sliding_window(nodes.find.r, 3, 3) }", "as": "w"}}' % (
                     TELL % ('"v"', "${v[0].property.n}${v[1].property.n} of ${w[0].property.n}",
                             ', "for_each": {"in": "${ sliding_window(w, 2) }", "as": "v"}'))})
    assert told(h, node="all.tell")[0] == ["12 of 1", "23 of 1", "45 of 4", "56 of 4"]
    for call, want in (("sliding_window(nodes.find.r, 0)", "ints from 1 on"),
                       ("sliding_window(nodes.find.r, 2, 0)", "ints from 1 on"),
                       ("sliding_window(nodes.find.r, 2, null)", "ints from 1 on"),
                       ("sliding_window('abc', 2)", "a list, the size of a window"),
                       ("sliding_window(nodes.find.r)", "takes 2 to 3 arguments, not 1")):
        pipeline(h, {"find": FIND, "tell": TELL % ('"w"', "x", ', "for_each": {"in": "${ %s }", '
                                                   '"as": "w"}' % call)})
        says(h.run("run", code=1).err, want)


def test_pick(h):
    """One of a channel's list: of a node, of a sub-pipeline, through its inputs."""
    part = PART.replace("${param.n}", "${item}").replace("param.n", "item")
    part = part[:-1] + ', "for_each": {"in": [1, 2, 3]}}'

    def picked(channel, more=None):
        pipeline(h, dict({"part": part, "tell": TELL % (channel, "${input.r.property.n}", "")},
                         **more or {}))
        _, result = h.states("--no-cache")
        return [e["text"] for e in result.events() if e["event"] == "log" and
                e["node"].endswith("tell")]

    assert picked('"part[0]"') == ["1"]
    assert picked('"part.r[-1]"') == ["3"]
    says(h.run("check", "--json").out, '"part.r[-1]"')
    assert picked('["part.r[1]"]') == ["2"]
    inner = {"look": '{"pipeline": {"inputs": {"rows": "Integer"}, "outputs": {"first": '
                     '"inputs.rows[0]"}, "nodes": {"tell": %s}}, "inputs": {"rows": "part.r%s"}}'}
    look = {"look": inner["look"] % (TELL % ('"inputs.rows[2]"', "y${input.r.property.n}", ""), "")}
    assert sorted(picked('"look.first"', look)) == ["1", "y3"]
    look = {"look": inner["look"].replace("rows[0]", "rows") % (
        TELL % ('"inputs.rows"', "x${input.r.property.n}", ""), "[1]")}
    assert sorted(picked('"look.first"', look)) == ["2", "x2"]
    nodes = json.loads(h.run("run", "--dry-run", "--json").out)["nodes"]
    assert {n["node"]: n["plan"] for n in nodes}["look.tell"] == "cached", nodes
    for channel, want in (
            ('"part[3]"', 'the input "r" takes "r[3]", and there are 3'),
            ('"part[-4]"', 'the input "r" takes "r[-4]", and there are 3')):
        pipeline(h, {"part": part, "tell": TELL % (channel, "x", "")})
        says(h.run("run", code=1).err, 'node "tell": ', want)
    for channel, want in (
            ('"part["', "in brackets behind its name stands an int"),
            ('"part[]"', "in brackets"), ('"part[x]"', "in brackets"), ('"part[1]r"', "in brackets"),
            ('"part[1][0]"', "in brackets"), ('"part[99999999999999999999]"', "in brackets"),
            ('"[0]"', 'there is no node ""'),
            ('"look.first[0]"', "is one of a list already")):
        pipeline(h, {"part": part, "look": inner["look"] % (TELL % ('"inputs.rows"', "x", ""), ""),
                     "tell": TELL % (channel, "x", "")})
        says(h.run("check", code=1).err, want)
    both = inner["look"].replace('"part.r%s"', '["part.r", "part.r"]')
    pipeline(h, {"part": part, "look": both % (TELL % ('"inputs.rows"', "x", "")),
                 "tell": TELL % ('"look.first"', "x", "")})
    says(h.run("check", code=1).err, "[0] takes from one list, and these are 2 channels")


def test_models(h):
    """The newest model that a policy lets pass."""
    h.project()
    h.run("run", "--quiet")

    def model(policy, more=""):
        h.write("find.json", '{"headrace": 1, "name": "penguin", "nodes": {"find": {"resolver": '
                '"latest_policy_model", "config": {"policy": "%s"}, "outputs": {"model": "Model"%s}'
                '}, "show": {"command": ["echo", "id=${len(input.m) == 0 ? 0 : input.m.id}"], '
                '"inputs": {"m": "find.model"}}}}' % (policy, more))
        out = h.run("run", "find.json", "--json", "--no-cache", code=None).out
        return int(out.split('"text":"id=')[1].split('"')[0]) if '"text":"id=' in out else None

    (first,), = h.query("SELECT max(a.id) FROM Artifact a JOIN Type t ON t.id = a.type_id WHERE "
                        "t.name = 'Model'")
    assert model("latest_exported") == first
    assert model("latest_evaluator_blessed", ', "b": "ModelBlessing"') == first
    assert model("latest_pushed", ', "p": "PushedModel"') == first
    assert model("latest_infra_validator_blessed") is None
    assert model("latest_blessed") is None
    # a newer one that no gate lets pass
    with open(h.path("eval.json")) as f:
        h.write("eval.json", f.read().replace('"lower_bound": 0.6', '"lower_bound": 1.01'))
    h.run("run", "--quiet", "--param", "steps=50")
    newest = model("latest_exported")
    assert newest > first
    assert model("latest_pushed") == model("latest_evaluator_blessed") == first


def test_gone(h):
    """Files that were removed by hand are told where they are found, with what to do."""
    pipeline(h, {"part": PART}, PARAMS)
    h.states("--param", "n=1")
    (uri,), = h.query("SELECT uri FROM Artifact")
    subprocess.run(["chmod", "-R", "u+w", uri], check=True)
    shutil.rmtree(uri)
    pipeline(h, {"find": FIND, "tell": TELL % ('"find"', "x", "")})
    result = h.run("run", code=1)
    says(result.err, 'node "find" finds artifact 1 (Integer), and its files "%s" are gone' % uri,
         "headrace doctor --repair")
    says(h.run("run", "--dry-run", code=1).out, "are gone")
    h.run("doctor", "--repair")
    says(h.run("run", "--dry-run", code=1).out, "it finds nothing yet")


def test_wrong(h):
    data(h, "data")
    for text, want in (
            ('"resolver": "latest_artefacts"', 'did you mean "latest_artifacts"?'),
            ('"resolver": []', "wants a strategy"),
            ('"resolver": "slice", "config": {"stop": "2"}', '"stop" wants an int'),
            ('"resolver": "slice", "config": {"step": 0}', '"step" wants an int that is not 0'),
            ('"resolver": "slice", "config": {"min_count": -1}', 'wants an int from 0 on'),
            ('"resolver": "pick"', 'wants "index" in "config"'),
            ('"resolver": "pick", "config": {"index": 1.5}', '"index" wants an int'),
            ('"resolver": "sliding_window"', 'it stands in a "for_each": {"in": "${ '
             'sliding_window(nodes.r.OUTPUT, 2) }"}'),
            ('"resolver": "slice", "config": {"seed": 2}', 'has "seed" in "config"'),
            ('"resolver": "filter_property_equal"', 'wants "key" in "config"'),
            ('"resolver": "filter_property_equal", "config": {"key": "a", "value": []}',
             '"value" wants a number'),
            ('"resolver": "latest_policy_model", "config": {"policy": "latest_bless"}',
             'did you mean "latest_blessed"?')):
        pipeline(h, {"g": GEN % ("data", ""), "r": '{%s, "outputs": {"r": "Model"}}' % text})
        says(h.run("check", code=1).err, want)


if __name__ == "__main__":
    main(globals())
