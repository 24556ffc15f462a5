"""What decides whether, how often and when a node runs: if, for_each, finally, include."""
import json
import os

from driver import main, says

GEN = '{"component": "CsvExampleGen", "properties": {"input_base": "%s"}%s}'


def pipeline(h, nodes, more="", name="pipeline.json"):
    h.write(name, '{"headrace": 1, "name": "c"%s, "nodes": {%s}}' % (more, ", ".join(
        '"%s": %s' % (k, v) for k, v in nodes.items())))


def data(h, *names):
    for i, name in enumerate(names):
        h.write("%s/a.csv" % name, "x,y\n" + "".join("%d,%d\n" % (r, r * (i + 1))
                                                     for r in range(20)))


def stats(examples, more=""):
    return '{"component": "StatisticsGen", "inputs": {"examples": "%s"}%s}' % (examples, more)


def test_if(h):
    """A false condition skips a node and what needs it; a true one runs it."""
    data(h, "data")
    pipeline(h, {
        "gen": GEN % ("data", ""),
        "stats": stats("gen", ', "if": "${ param.look }"'),
        "schema": '{"component": "SchemaGen", "inputs": {"statistics": "stats"}}',
        "when": stats("gen", ', "if": "${ nodes.gen.examples.property.split_names != \'[]\' and '
                             'len(nodes.gen.examples) == 1 }"'),
    }, ', "parameters": {"look": {"type": "bool", "default": false}}')
    states, result = h.states()
    assert states == {"gen": "finished", "stats": "skipped", "schema": "skipped",
                      "when": "finished"}, states
    reasons = {e["node"]: e["text"] for e in result.events() if e["event"] == "skipped"}
    says(reasons["stats"], "its condition is false", "param.look")
    says(reasons["schema"], 'its input "statistics" comes from "stats", which was skipped')
    # CANCELED with the reason, and no outputs
    assert h.query("SELECT count(*) FROM Execution WHERE last_known_state = 6") == [(2,)]
    # what "if" reads is an input under _NODE.OUTPUT
    assert h.query("SELECT count(*) FROM EventPath WHERE step_key = '_gen.examples'") == [(1,)]
    states, _ = h.states("--param", "look=true")
    assert states == {"gen": "cached", "stats": "cached", "schema": "finished",
                      "when": "cached"}, states


def test_cache_ignore(h):
    """What "cache" ignores is no reason to run again: of a node, its sub-pipeline, all of them."""
    def state(value, ignore="", defaults="", part=""):
        one = '{"command": ["true"], "properties": {"N": "%s", "M": "m"}%s}' % (value, ignore)
        pipeline(h, {"part": '{"pipeline": {"nodes": {"one": %s}}%s}' % (one, part)}, defaults)
        return h.states()[0]["part.one"]

    says = ', "cache": {"ignore": ["M", "%s"]}'
    assert state("1") == "finished"
    assert state("2") == "finished"
    usual = ', "defaults": {%s}' % (says % "N")[2:]
    for where in (dict(ignore=says % "N"), dict(part=says % "N"), dict(defaults=usual)):
        state("1", **where)
        assert state("2", **where) == state("3", **where) == "cached", where
    state("1", ignore=says % "M")
    assert state("2", ignore=says % "M") == "finished"
    state("3", ignore=', "cache": true', defaults=usual)
    assert state("4", ignore=', "cache": true', defaults=usual) == "finished"


def test_overlap(h):
    """Conditions that can both hold, of nodes that write one thing: told, where it is sure."""
    data(h, "data")
    params = (', "parameters": {"n": {"type": "int", "default": 3}, "s": {"type": "string", '
              '"default": "x"}, "b": {"type": "bool", "default": true}, "c": {"type": "bool", '
              '"default": true}}')

    def warned(first, second, unit=None):
        one = ', "if": "${ %s }"' % first if first else ""
        two = ', "if": "${ %s }"' % second if second else ""
        pipeline(h, {"a": GEN % ("data", one), "b": GEN % ("data", two),
                     "s": '{"component": "SchemaGen", "inputs": {"statistics": '
                          '["x.statistics", "y.statistics"]}}',
                     "x": stats("a", one), "y": stats("b", two)}, params)
        return h.run("check").err

    for first, second in (
            ("param.n > 2", "param.n > 4"), ("param.n >= 3", "param.n <= 3"),
            ("param.s == 'x'", "param.s != 'y'"), ("param.b", "param.b or param.n == 1"),
            ("param.n == 1 or param.n == 2", "2 == param.n"), ("param.b", ""),
            ("not param.b", "param.b == false"), ("param.b and param.c", "param.b")):
        says(warned(first, second), 'pipeline.json:1:', 'warning: "x" and "y" can both run, and '
             'both give input "statistics" of "s", which takes one artifact: their conditions '
             "overlap")
    for first, second in (
            ("param.n > 2", "param.n <= 2"), ("param.n == 1", "param.n == 2"),
            ("param.s == 'x'", "param.s == 'y'"), ("param.s == 'x'", "not (param.s == 'x')"),
            ("param.b", "not param.b"), ("param.b", "param.b == false"), ("", ""),
            ("param.n > 2 and param.b", "param.n > 2 and not param.b"),
            ("param.b", "param.c"),  # nothing is known of the two
            ("param.n > len(param.s)", "param.n < 9")):
        assert "warning" not in warned(first, second), (first, second)
    # two that write to one place; and the run says so, once
    push = ('{"component": "Pusher", "inputs": {"model": "m"}, "properties": {"model_name": "m", '
            '"destination": "serving"}, "if": "${ param.n %s }"}')
    nodes = {"m": '{"importer": {"source_uri": "data", "type": "Model"}}', "p": push % "> 1",
             "q": push % "< 9"}
    pipeline(h, nodes, params)
    want = 'warning: "p" and "q" can both run, and both write to "serving"'
    assert h.run("check").err.count(want) == 1
    assert h.run("run", code=None).err.count(want) == 1
    says(h.run("run", "--dry-run", code=None).err, want)
    pipeline(h, dict(nodes, q=push % "<= 1"), params)
    assert "warning" not in h.run("check").err


ECHO = ('{"command": ["sh", "-c", "echo %s; printf %s > $0/value", "${output.r.uri}"], "outputs": '
        '{"r": "String"}%s}')


def test_nested(h):
    """One "for_each" in another: an instance for each choice of elements, in their order."""
    each = ', "for_each": {"in": %s, "as": "%s"%s}'
    inner = ECHO % ("${x}-${y}", "${x}${y}", each % ('["a", "b", "c"]', "y", ', "parallel": 1'))
    count = ('{"command": ["echo", "${x} has ${len(input.r)}: ${input.r[0].value}"], "inputs": '
             '{"r": "one.r"}}')
    part = ('{"pipeline": {"nodes": {"one": %s, "count": %s}, "outputs": {"r": "one.r"}}%s}'
            % (inner, count, each % ("[1, 2]", "x", "")))
    everything = ('{"command": ["echo", "all ${len(input.r)}: ${input.r[5].value} '
                  '${input.r[3].value}"], "inputs": {"r": "part.r"}}')
    nodes = {"part": part, "all": everything}
    pipeline(h, nodes)
    states, result = h.states()
    ones = ["part.one[%d][%d]" % (i, k) for i in range(2) for k in range(3)]
    assert set(states) == set(ones + ["part.count[0]", "part.count[1]", "all"]), states
    assert set(states.values()) == {"finished"}, states
    texts = {e["node"]: e["text"] for e in result.events() if e["event"] == "log"}
    assert texts["part.one[1][2]"] == "2-c", texts
    says(texts["part.count[0]"], "1 has 3:", "1a")
    says(texts["part.count[1]"], "2 has 3:", "2a")
    says(texts["all"], "all 6:", "2c", "2a")
    # each has its number and elements, and its part a run within that of its own element
    rows = h.query("SELECT i.int_value, t.string_value FROM ExecutionProperty i JOIN "
                   "ExecutionProperty t ON t.execution_id = i.execution_id AND t.name = '__item' "
                   "WHERE i.name = '__index' ORDER BY 1")
    assert (10001 + 2, '[2,"c"]') in rows and (1, "2") in rows, rows
    names = [n for n, in h.query("SELECT c.name FROM Context c JOIN Type t ON t.id = c.type_id "
                                 "WHERE t.name = 'pipeline_run' AND c.name LIKE '%.part%'")]
    assert sorted(n.split(".", 1)[1] for n in names) == ["part[0]", "part[1]"], names
    assert set(h.states()[0].values()) == {"cached"}
    found = {n["node"]: n["plan"] for n in json.loads(
        h.run("run", "--dry-run", "--json").out)["nodes"]}
    assert found == dict.fromkeys(states, "cached"), found
    # what one lacks, it alone runs again
    failing = inner.replace("echo ${x}-${y};", "test ${x}${y} != 1b || exit 1; echo ${x}-${y};")
    pipeline(h, dict(nodes, part=part.replace(inner, failing)))
    states, _ = h.states("--keep-going", code=1)
    assert [n for n, s in states.items() if s == "failed"] == ["part.one[0][1]"], states
    pipeline(h, dict(nodes, part=part.replace(inner, failing.replace("1b", "9z"))))
    result = h.run("resume", "--changed", "--json")
    ends = {e["node"]: e["event"] for e in result.events() if e["event"] in ("finished", "cached")}
    assert ends["part.one[0][1]"] == "finished" and ends["all"] in ("finished", "cached"), ends
    assert ends["part.one[1][1]"] == "cached", ends


def test_instances_by_name(h):
    """An instance is called gen[1] everywhere; another number of loops is no name of it."""
    each = ', "for_each": {"in": %s, "as": "%s"}'
    part = '{"pipeline": {"nodes": {"deep": %s}}%s}'
    pipeline(h, {"gen": ECHO % ("${x}", "${x}", each % ('["a", "b"]', "x")),
                 "two": part % (ECHO % ("${x}${y}", "${x}${y}", each % ('"${ x }"', "y")),
                                each % ("[[1, 2], [], [3]]", "x")),
                 "all": part % (ECHO % ("${y}", "${y}", each % ("[1]", "y")),
                                each % ("[2]", "x")),
                 "use": '{"command": ["echo", "done"], "inputs": {"r": "gen"}, "after": "all"}'})
    h.run("run", "--quiet")
    rows = h.run("executions", "--json", "--filter", "node = two.deep").events()
    names = {r["instance"]: r["id"] for r in rows}
    assert set(names) == {"two.deep[0][0]", "two.deep[0][1]", "two.deep[1]", "two.deep[2][0]"}, rows
    rows = h.run("executions", "--json", "--filter", 'instance = "two.deep[1]"').events()
    assert [r["state"] for r in rows] == ["CANCELED"] and rows[0]["node"] == "two.deep", rows
    rows = h.run("executions", "--json", "--filter", "node != two.deep").events()
    assert {(r["node"], r["instance"]) for r in rows} == {
        ("gen", "gen[0]"), ("gen", "gen[1]"), ("all.deep", "all.deep[0][0]"),
        ("use", "use")}, rows
    ids = {r["instance"]: r["id"] for r in rows}
    table = h.run("executions").out.splitlines()
    assert table[0].split()[:3] == ["id", "number", "node"], table
    assert sorted(line.split()[2] for line in table[1:]) == sorted(list(names) + list(ids)), table
    for name, n in dict(names, **ids).items():
        shown = json.loads(h.run("show", name, "--json").out)
        assert (shown["execution"], shown.get("instance", "use")) == (n, name), shown
        says(h.run("show", name).out, "node         %s\n" % name)
        found = json.loads(h.run("why", name, "--json").out)
        assert (found["execution"], found.get("instance", "use")) == (n, name), found
        says(h.run("why", name).out, "%s " % name, "(execution %d)" % n)
    says(h.run("show", "run 1").out, "two.deep[0][1]", "gen[0]")
    assert h.run("log", "gen[1]").out == "b\n"
    for name in ("gen[0][1]", "gen[2]", "use[0]", "two.deep[0]", "two.deep[1][0]", "gen[0][0][1]"):
        says(h.run("show", name, code=1).err, 'no run, node or model "%s"' % name)
        says(h.run("why", name, code=1).err, 'node "%s" has no execution' % name)
        h.run("log", name, code=1)
    # of any instance the newest
    assert json.loads(h.run("why", "two.deep", "--json").out)["execution"] == max(names.values())
    # what is kept has its name, too
    h.run("run", "--only", "use", "--quiet")
    rows = h.run("executions", "--json", "--filter", "number = 2").events()
    assert {r["instance"] for r in rows} == set(ids), rows


def test_nested_lists(h):
    """The inner list may be the outer element; an empty one skips, and errors say where."""
    inner = ECHO % ("${y}", "${y}", ', "for_each": {"in": "${ x }", "as": "y"}')
    outer = '{"pipeline": {"nodes": {"one": %s}}, "for_each": {"in": %s, "as": "%s"}}'
    pipeline(h, {"p": outer % (inner, "[[1, 2], [], [3]]", "x")})
    states, result = h.states()
    assert states == {"p.one[0][0]": "finished", "p.one[0][1]": "finished", "p.one[1]": "skipped",
                      "p.one[2][0]": "finished"}, states
    says(result.out, "is over an empty list")
    says(h.run("check", "--json").out, '"for_each": [')
    pipeline(h, {"p": outer % (inner, "[[1, 2], 3]", "x")})
    says(h.run("run", "--keep-going", code=1).err, '"for_each" is over an int, and wants a list')
    pipeline(h, {"p": outer % (inner, "[[1]]", "y")})
    says(h.run("check", code=1).err, 'two "for_each" around it call their element "y"')
    deep = inner
    for name in "abcd":
        deep = '{"pipeline": {"nodes": {"n": %s}}, "for_each": {"in": [1], "as": "%s"}}' % (deep,
                                                                                           name)
    pipeline(h, {"p": deep})
    says(h.run("check", code=1).err, "deeper than four")


def test_if_wrong(h):
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ', "if": "${ 1 + 1 }"')})
    says(h.run("run", code=1).err, "pipeline.json:1:", '"if" gives an int, and wants true or false')
    for text, want in (("${ nodes.gone.x }", 'there is no node "gone"'),
                       ("${ nodes.b }", "name an output too"),
                       ("${ nodes.b.y }", '"b" has no output "y"'),
                       ("${ input.examples }", 'there is no "input.examples" here'),
                       ("yes", "wants an expression")):
        pipeline(h, {"b": GEN % ("data", ""), "a": GEN % ("data", ', "if": "%s"' % text)})
        says(h.run("check", code=1).err, want)
    # no such property is told when it is known
    pipeline(h, {"b": GEN % ("data", ""),
                 "a": GEN % ("data", ', "if": "${ nodes.b.examples.property.nosuch == 1 }"')})
    says(h.run("run", code=1).err, 'has no property "nosuch"')
    # a circle through a condition is a circle
    pipeline(h, {"b": GEN % ("data", ', "if": "${ len(nodes.a.examples) > 0 }"'),
                 "a": GEN % ("data", ', "if": "${ len(nodes.b.examples) > 0 }"')})
    says(h.run("check", code=1).err, "circle")


def test_for_each(h):
    """An execution for each element; over literals, a parameter, artifacts."""
    data(h, "d1", "d2", "d3")
    pipeline(h, {
        "gen": GEN % ("${item}", ', "for_each": {"in": "${ param.sets }", "parallel": 2}'),
        "stats": stats("part", ', "for_each": {"in": "${ nodes.gen.examples }", "as": "part"}'),
        "none": GEN % ("${item}", ', "for_each": {"in": []}'),
    }, ', "parameters": {"sets": {"type": "json", "default": ["d1", "d2", "d3"]}}')
    states, _ = h.states()
    want = {"%s[%d]" % (n, i): "finished" for n in ("gen", "stats") for i in range(3)}
    assert states == dict(want, none="skipped"), states
    rows = h.query("SELECT e.string_value FROM ExecutionProperty e WHERE e.name = '__item' AND "
                   "e.string_value LIKE '\"d%' ORDER BY e.execution_id")
    assert [json.loads(r[0]) for r in rows] == ["d1", "d2", "d3"], rows
    # each of the second node has read its own element, and one only
    assert h.query("SELECT count(DISTINCT artifact_id), count(*) FROM Event e JOIN EventPath p "
                   "ON p.event_id = e.id WHERE e.type = 3 AND p.step_key = 'examples'") == [(3, 3)]
    states, _ = h.states()
    assert set(states.values()) == {"cached", "skipped"}, states
    # one more element: one more execution, the others are there
    data(h, "d1", "d2", "d3", "d4")
    states, _ = h.states("--param", 'sets=["d4", "d2"]')
    assert states == {"gen[0]": "finished", "gen[1]": "cached", "stats[0]": "finished",
                      "stats[1]": "cached", "none": "skipped"}, states


def test_parallel(h):
    """Never more instances at once than "parallel" lets, whatever places there are."""
    each = ', "for_each": {"in": [1, 2, 3, 4, 5, 6], "parallel": %d}'
    for most in 1, 3:
        pipeline(h, {"n": '{"command": ["sh", "-c", ": ${item}; date +%%s%%N; sleep 0.2; date '
                          '+%%s%%N"]%s}' % (each % most)})
        times = {}
        for e in h.run("run", "--json", "--jobs", "8", "--no-cache").events():
            if e["event"] == "log":
                times.setdefault(e["node"], []).append(int(e["text"]))
        marks = sorted([(begin, 1) for begin, end in times.values()] +
                       [(end, -1) for begin, end in times.values()])
        at_once = [sum(d for _, d in marks[:i + 1]) for i in range(len(marks))]
        assert len(times) == 6 and max(at_once) <= most, (most, at_once)


def test_instances(h):
    """An instance is asked for by the name that a run gives it."""
    h.write("pipeline.json", """{"headrace": 1, "name": "c", "parameters": {
        "l": {"type": "json", "default": ["a", "b"]}}, "nodes": {
        "one": {"command": ["echo", "it is ${x}"], "for_each": {"in": "${param.l}", "as": "x"}},
        "part": {"pipeline": {"nodes": {"two": {"command": ["echo", "${y}${x}"], "for_each":
            {"in": [1, 2], "as": "x"}}}}, "for_each": {"in": ["p", "q"], "as": "y"}}}}""")
    h.run("run", "--quiet")
    for i, c in enumerate("ab"):
        assert h.run("log", "one[%d]" % i).out == "it is %s\n" % c
        for k in (0, 1):
            assert h.run("log", "part.two[%d][%d]" % (i, k)).out == "%s%d\n" % ("pq"[i], k + 1)
    h.run("run", "--quiet", "--param", 'l=["a"]')
    says(h.run("why", "one[1]").out, "one[1] ran in run 1", "it has no earlier result")
    says(h.run("why", "one[0]").out, "one[0] was cached in run 2", "from run 1")
    says(h.run("why", "one[0]", "--run", "1").out, "one[0] ran in run 1")
    says(h.run("why", "one[1]", "--run", "2", code=1).err,
         'node "one[1]" has no execution in run 2')
    shown = json.loads(h.run("show", "one[1]", "--json").out)
    assert shown["properties"]["__item"] == '"b"', shown
    for name in ("one[2]", "one[-1]", "one[x]", "one[0", "one[]", "one[0]x", "one[99999999999]",
                 "one[0][0][0][0][0]", "[0]"):
        says(h.run("show", name, code=1).err, "there is no run, node or model")
    # how long it took is said of one without instances, too
    for value, code in (("[]", 0), ("5", 1)):
        _, result = h.states("--param", "l=" + value, code=code)
        (end,) = [e for e in result.events() if e.get("node") == "one" and "duration_us" in e]
        assert 0 <= end["duration_us"] < 60e6, end


def test_names(h):
    """Options take the name of a sub-pipeline, and tell what may have been meant."""
    h.write("pipeline.json", """{"headrace": 1, "name": "c", "nodes": {
        "one": {"command": ["true"]}, "part": {"pipeline": {"nodes": {"two": {"command": ["true"]},
        "three": {"command": ["true"]}}}}}}""")
    h.run("run", "--quiet")
    states, _ = h.states("--force", "part")
    assert states == {"one": "cached", "part.two": "finished", "part.three": "finished"}, states
    states, _ = h.states("--only", "part", "--force", "part.two")
    assert states == {"one": "cached", "part.two": "finished", "part.three": "cached"}, states
    for option in ("--force", "--from", "--to", "--only"):
        says(h.run("run", option, "part.tow", code=1).err,
             option + ': there is no node "part.tow"; did you mean "part.two"?')
        says(h.run("run", option, "prat", code=1).err, 'did you mean "part"?')


def test_for_each_fails(h):
    data(h, "d1")
    pipeline(h, {"gen": GEN % ("${item}", ', "for_each": {"in": ["d1", "gone"]}'),
                 "stats": stats("gen")})
    states, result = h.states("--keep-going", code=1)
    assert states == {"gen[0]": "finished", "gen[1]": "failed"}, result
    pipeline(h, {"gen": GEN % ("d1", ', "for_each": {"in": "${ 7 }"}')})
    says(h.run("run", code=1).err, '"for_each" is over an int, and wants a list')
    for text, want in (('{"in": 3}', "a list or an expression"), ('{}', '"in"'),
                       ('{"in": [1], "as": "param"}', "is no name for an element"),
                       ('{"in": [1], "paralel": 2}', 'did you mean "parallel"'),
                       ('{"in": [1], "parallel": 0}', "wants an int from 1")):
        pipeline(h, {"gen": GEN % ("d1", ', "for_each": ' + text)})
        says(h.run("check", code=1).err, want)


def test_input_in_property(h):
    """Properties read artifacts; where they lie does not count for the cache."""
    data(h, "data")
    h.write("note/value", "data")
    pipeline(h, {
        "note": '{"importer": {"source_uri": "note", "type": "String"}}',
        "gen": GEN % ("data", ""),
        "gen2": GEN % ("${ nodes }", ""),
    })
    says(h.run("check", code=1).err, 'there is no "nodes" here')
    pipeline(h, {
        "note": '{"importer": {"source_uri": "note", "type": "String"}}',
        "gen": GEN % ("${ item.value }", ', "for_each": {"in": "${ nodes.note.result }"}'),
        "gen2": GEN % ("${ item.file(\'value\').text }",
                       ', "for_each": {"in": "${ nodes.note.result }"}'),
    })
    states, _ = h.states()
    assert states == {"note": "finished", "gen[0]": "finished", "gen2[0]": "cached"}, states


def test_finally(h):
    """Runs when the others have ended, however they ended."""
    data(h, "data")
    late = GEN % ("data", ', "finally": true, "if": "${ run.status == \'FAILED\' }"')
    pipeline(h, {"late": late, "gen": GEN % ("${param.dir}", ""), "stats": stats("gen")},
             ', "parameters": {"dir": {"type": "string", "default": "gone"}}')
    states, _ = h.states(code=1)
    assert states == {"gen": "failed", "late": "finished"}, states
    states, _ = h.states("--param", "dir=data")
    assert states["late"] == "skipped" and states["stats"] == "finished", states
    pipeline(h, {"gen": GEN % ("data", ', "finally": true'), "stats": stats("gen")})
    says(h.run("check", code=1).err, 'node "stats" depends on "gen"')


def test_include(h):
    data(h, "parts/data")
    h.write("parts/gen.json", '{"parameters": {"dir": {"type": "string", "default": "data"}}, '
                              '"nodes": {"gen": %s}}' % (GEN % ("${param.dir}", "")))
    pipeline(h, {"stats": stats("gen")}, ', "include": ["parts/gen.json"]')
    states, _ = h.states()
    assert states == {"gen": "finished", "stats": "finished"}, states
    normal = json.loads(h.run("check", "--json").out)
    assert list(normal["nodes"]) == ["gen", "stats"], normal
    pipeline(h, {"gen": GEN % ("data", "")}, ', "include": "parts/gen.json"')
    says(h.run("check", code=1).err, "parts/gen.json:1:", 'node "gen" is there already, at',
         "pipeline.json:1:")
    pipeline(h, {"stats": stats("gen")}, ', "include": ["gone.json"]')
    says(h.run("check", code=1).err, "gone.json", "pipeline.json:1:")
    h.write("a.json", '{"include": "b.json", "nodes": {}}')
    h.write("b.json", '{"include": "a.json", "nodes": {}}')
    pipeline(h, {"stats": stats("gen")}, ', "include": ["a.json"]')
    says(h.run("check", code=1).err, "includes itself")
    h.write("a.json", '{"name": "x", "nodes": {}}')
    says(h.run("check", code=1).err, 'an included file has no member "name"')


if __name__ == "__main__":
    main(globals())
