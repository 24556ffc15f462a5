"""Sub-pipelines: groups of nodes with inputs, outputs, conditions and repetition of their own."""
import json
import os

from control import GEN, data, pipeline, stats
from driver import BUILD, main, says

BODY = """{"inputs": {"rows": "Examples"}, "outputs": {"schema": "schema.schema",
"all": "stats.statistics"}, "nodes": {
"stats": {"component": "StatisticsGen", "inputs": {"examples": "inputs.rows"}},
"schema": {"component": "SchemaGen", "inputs": {"statistics": "stats"}}}}"""
CHECK = ('{"component": "ExampleValidator", "inputs": {"statistics": "look.all", '
         '"schema": "look.schema"}}')


def look(more="", body=BODY, rows="gen"):
    return '{"pipeline": %s, "inputs": {"rows": "%s"}%s}' % (body, rows, more)


def test_part(h):
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ""), "look": look(), "check": CHECK})
    states, _ = h.states()
    assert states == {"gen": "finished", "look.stats": "finished", "look.schema": "finished",
                      "check": "finished"}, states
    # contexts of its own: a pipeline and a run, nested in the run's
    names = [r[0] for r in h.query(
        "SELECT c.name FROM Context c JOIN Type t ON t.id = c.type_id WHERE t.name = 'pipeline' "
        "ORDER BY c.id")]
    assert names == ["c", "c.look"], names
    (run, part), = h.query(
        "SELECT a.name, b.name FROM ParentContext p JOIN Context a ON a.id = p.parent_context_id "
        "JOIN Context b ON b.id = p.context_id JOIN Type t ON t.id = a.type_id WHERE "
        "t.name = 'pipeline_run'")
    assert part == run + ".look", (run, part)
    assert h.query("SELECT count(*) FROM Association a JOIN Context c ON c.id = a.context_id "
                   "WHERE c.name = ?", part) == [(2,)]
    assert len(h.run("runs", "--json").out.splitlines()) == 1
    # alone
    states, _ = h.states("--only", "look", "--no-cache")
    assert states == {"gen": "cached", "look.stats": "finished", "look.schema": "finished",
                      "check": "cached"}, states
    says(h.run("why", "look.stats").out, "look.stats ran in run 2")
    assert set(h.states()[0].values()) == {"cached"}


def test_file(h):
    """A file of its own, with a parameter that the whole may set; within another."""
    data(h, "data", "parts/data")
    h.write("parts/look.json", BODY.replace(
        '"nodes"', '"headrace": 1, "name": "look", "parameters": {"deep": {"type": "bool", '
                   '"default": false}}, "nodes"').replace(
        '"SchemaGen"', '"SchemaGen", "if": "${ param.deep }"'))
    outer = '{"nodes": {"inner": {"pipeline": "parts/look.json", "inputs": {"rows": ' \
            '"inputs.rows"}}}, "inputs": {"rows": "Examples"}, "outputs": {"all": "inner.all"}}'
    pipeline(h, {"gen": GEN % ("data", ""), "look": look(body=outer),
                 "more": '{"command": ["sh", "-c", "test -d $0", "${input.all.uri}"], '
                         '"inputs": {"all": "look.all"}}'})
    states, _ = h.states()
    assert states == {"gen": "finished", "look.inner.stats": "finished",
                      "look.inner.schema": "skipped", "more": "finished"}, states
    states, _ = h.states("--param", "deep=true")
    assert states["look.inner.schema"] == "finished", states
    says(h.run("check", "parts/look.json", code=1).err, "runs as a part of another")


def test_parameters(h):
    """Each sub-pipeline has parameters of its own, by its name before theirs."""
    data(h, "a", "b")
    h.write("part.json", '{"headrace": 1, "name": "p", "parameters": {"dir": {"type": "string", '
            '"default": "a"}, "n": {"type": "int", "default": 1, "constraint": "1..9"}}, '
            '"nodes": {"gen": %s, "say": {"command": ["echo", "n=${param.n}"]}}}'
            % (GEN % ("${param.dir}", "")))
    nodes = {"one": '{"pipeline": "part.json"}', "two": '{"pipeline": "part.json"}'}
    pipeline(h, nodes)

    def said(*args, code=0):
        _, result = h.states("--no-cache", *args, code=code)
        return {e["node"]: e["text"] for e in result.events() if e["event"] == "log"}

    assert said() == {"one.say": "n=1", "two.say": "n=1"}
    assert said("--param", "two.n=3") == {"one.say": "n=1", "two.say": "n=3"}
    # the local name is for all of them, the full one goes before it
    assert said("--param", "n=2", "--param", "one.n=4") == {"one.say": "n=4", "two.say": "n=2"}
    says(h.run("run", "--param", "two.n=10", code=1).err, '"two.n" is "10", and must be within 1')
    says(h.run("run", "--param", "tow.n=1", code=1).err, 'no parameter "tow.n"',
         'did you mean "two.n"?')
    # one of the whole pipeline gives its value, and is the only one of that name
    whole = ', "parameters": {"n": {"type": "int", "default": 5}}'
    pipeline(h, dict(nodes, say='{"command": ["echo", "whole=${param.n}"]}'), whole)
    assert said() == {"one.say": "n=5", "two.say": "n=5", "say": "whole=5"}
    assert said("--param", "n=6", "--param", "two.n=7") == {"one.say": "n=6", "two.say": "n=7",
                                                            "say": "whole=6"}
    pipeline(h, nodes, ', "parameters": {"n": {"type": "string", "default": "x"}}')
    says(h.run("check", code=1).err, '"one.n" wants an int, and this is a text')
    says(h.run("check", "--json", code=1).err, '"two.n" wants an int, and this is a text')


def test_condition(h):
    """A false condition skips the group, and what needs it."""
    data(h, "data")
    pipeline(h, {"gen": GEN % ("data", ""),
                 "look": look(', "if": "${ nodes.gen.examples.property.split_names == \'no\' }"'),
                 "check": CHECK})
    states, result = h.states()
    assert states == {"gen": "finished", "look.stats": "skipped", "look.schema": "skipped",
                      "check": "skipped"}, states
    # a condition within it reads its own names; one outside reads its outputs
    body = BODY.replace('"SchemaGen",', '"SchemaGen", "if": "${ len(nodes.stats.statistics) == '
                                        '1 }",')
    pipeline(h, {"gen": GEN % ("data", ""), "look": look(body=body),
                 "late": GEN % ("data", ', "if": "${ len(nodes.look.all) == 1 }"')})
    states, result = h.states()
    assert states == {"gen": "cached", "look.stats": "finished", "look.schema": "finished",
                      "late": "cached"}, result


def test_each(h):
    """One instance an element; within it each reads its own."""
    data(h, "d1", "d2")
    body = ('{"outputs": {"all": "stats.statistics"}, "nodes": {"gen": %s, "stats": %s}}'
            % (GEN % ("${item}", ""), stats("gen")))
    pipeline(h, {"both": '{"pipeline": %s, "for_each": {"in": ["d1", "d2"]}}' % body,
                 "after": '{"command": ["sh", "-c", "true"], "after": "both", '
                          '"inputs": {"all": "both.all"}}'})
    states, _ = h.states()
    assert states == {"both.gen[0]": "finished", "both.gen[1]": "finished",
                      "both.stats[0]": "finished", "both.stats[1]": "finished",
                      "after": "finished"}, states
    # statistics of an instance came from its own examples, and the program got both
    rows = h.query("SELECT e.execution_id, count(*) FROM Event e JOIN EventPath p ON p.event_id = "
                   "e.id AND p.step_key = 'examples' WHERE e.type = 3 GROUP BY 1")
    assert [r[1] for r in rows] == [1, 1], rows
    assert h.query("SELECT count(*) FROM Event e JOIN EventPath p ON p.event_id = e.id AND "
                   "p.step_key = 'all' WHERE e.type = 3") == [(2,)]
    parts = [r[0] for r in h.query("SELECT name FROM Context WHERE name LIKE '%.both[%' "
                                   "ORDER BY id")]
    assert len(parts) == 2 and parts[1].endswith(".both[1]"), parts


def test_wrong(h):
    data(h, "data")
    gen = GEN % ("data", "")
    for nodes, want in (
            ({"gen": gen, "look": '{"pipeline": %s}' % BODY}, 'wants the input "rows"'),
            ({"gen": gen, "look": look(', "if": "x"')}, "wants an expression"),
            ({"gen": gen, "look": look(', "finally": true')}, 'has no member "finally"'),
            ({"gen": gen, "look": look(), "x": stats("look.nosuch")}, 'has no output "nosuch"'),
            ({"gen": gen, "look": look(), "x": stats("look.stats")}, 'has no output "stats"'),
            ({"gen": gen, "look": look(rows="gone")}, 'there is no node "gone"'),
            ({"gen": gen, "look": look(body='"gone.json"')}, "gone.json"),
            ({"gen": gen, "look": look(body='{"nodes": {}}')}, "has no nodes"),
            ({"gen": gen, "look": look(body=BODY.replace("inputs.rows", "inputs.row"))},
             'is given no input "row"'),
            ({"gen": gen, "look": look(body=BODY.replace("inputs.rows", "gen"))},
             'there is no node "gen"')):
        pipeline(h, nodes)
        says(h.run("check", code=1).err, want)
    # what a body gives is looked at, whether somebody takes it or not
    inner = '{"outputs": {"x": %s}, "nodes": {"st": {"component": "StatisticsGen", "inputs": ' \
            '{"examples": "inputs.rows"}}}, "inputs": {"rows": "Examples"}}'
    for output, want in (
            ('"nope.statistics"', 'node "look": there is no node "nope"'),
            ('"st.statistic"', '"look.st" has no output "statistic"; did you mean "statistics"?'),
            ('["st", "nope"]', 'there is no node "nope"'), ("7", 'the output "x" wants "node.out'),
            ('"inputs.row"', 'is given no input "row"'), ('"st[x]"', "in brackets"), ('"st"', None),
            ('"inputs.rows[0]"', None), ('["st", "st.statistics"]', None)):
        pipeline(h, {"gen": gen, "look": look(body=inner % output)})
        result = h.run("check", code=1 if want else 0)
        says(result.err, want or "")
    pipeline(h, {"gen": gen, "look": look(body=(inner % "1").replace('{"x": 1}', '["st"]'))})
    says(h.run("check", code=1).err, '"outputs" wants an object')
    # a file that holds itself
    h.write("self.json", '{"nodes": {"more": {"pipeline": "self.json"}}}')
    pipeline(h, {"look": '{"pipeline": "self.json"}'})
    says(h.run("check", code=1).err, "deeper than 8")


def test_importer(h):
    """What lies somewhere is an artifact once, and again with "reimport" or when it has changed."""
    h.write("there/data", "one\n")
    text = """{"headrace": 1, "name": "i", "nodes": {"table": {"importer": {"source_uri": "there",
        "type": "File"%s}}}}"""
    h.write("pipeline.json", text % "")
    for what, count in (("finished", 1), ("cached", 1)):
        states, _ = h.states()
        assert states == {"table": what}, states
        assert h.query("SELECT count(*) FROM Artifact") == [(count,)]
    h.write("there/data", "two\n")
    for what, count in (("finished", 2), ("cached", 2)):
        states, _ = h.states()
        assert states == {"table": what}, states
        assert h.query("SELECT count(*) FROM Artifact") == [(count,)]
    h.write("pipeline.json", text % ', "properties": {"kind": "x", "n": 7, "part": 0.5}')
    assert h.states()[0] == {"table": "finished"}
    assert h.states()[0] == {"table": "cached"}
    rows = h.query("SELECT name, int_value, double_value, string_value FROM ArtifactProperty"
                   " WHERE artifact_id = 3 AND name IN ('kind', 'n', 'part') ORDER BY name")
    assert rows == [("kind", None, None, "x"), ("n", 7, None, None),
                    ("part", None, 0.5, None)], rows
    # as TFX has them; what is of its own is custom
    rows = h.query("SELECT DISTINCT name FROM ArtifactProperty WHERE is_custom_property = 1"
                   " AND name IN ('tfx_version', 'is_external', '__digest') ORDER BY name")
    assert rows == [("__digest",), ("is_external",), ("tfx_version",)], rows
    h.write("pipeline.json", text % ', "reimport": true')
    for count in (4, 5):
        assert h.states()[0] == {"table": "finished"}
        assert h.query("SELECT count(*) FROM Artifact") == [(count,)]
    h.write("pipeline.json", text % ', "properties": {"kind": [7]}')
    says(h.run("check", code=1).err, 'property "kind" wants a string, a number, true or false')


def test_import_properties(h):
    """Declared where the type says so, else custom; "custom_properties" are custom always."""
    h.write("there/Split-all/data.csv", "a\n1\n")
    text = """{"headrace": 1, "name": "i", "parameters": {"who": {"type": "string", "default": "me"}},
        "nodes": {"e": {"importer": {"source_uri": "there", "type": "%s"%s}}}}"""

    def run(want, more, *args, of="Examples"):
        h.write("pipeline.json", text % (of, more))
        dry = json.loads(h.run("run", "--dry-run", "--json", *args).out)["nodes"][0]["plan"]
        states, _ = h.states(*args)
        assert states == {"e": want}, (states, more)
        assert (dry == "cached") == (want == "cached"), dry
        return h.query(
            "SELECT name, is_custom_property, int_value, double_value, string_value, bool_value "
            "FROM ArtifactProperty WHERE artifact_id = (SELECT artifact_id FROM Event ORDER BY id DESC LIMIT 1) AND "
            "name NOT IN ('tfx_version', 'is_external', '__digest') ORDER BY 1, 2")

    given = (', "properties": {"span": 7, "owner": "${param.who}", "part": 0.5, "good": true}, '
             '"custom_properties": {"span": 8, "team": "a${1}"}')
    rows = run("finished", given)
    assert rows == [("good", 1, None, None, None, 1), ("owner", 1, None, None, "me", None),
                    ("part", 1, None, 0.5, None, None), ("span", 0, 7, None, None, None),
                    ("span", 1, 8, None, None, None), ("team", 1, None, None, "a1", None)], rows
    assert run("cached", given) == rows
    # another value, of a parameter too, is another artifact; so is one of the other sort
    assert ("owner", 1, None, None, "you", None) in run("finished", given, "--param", "who=you")
    assert run("cached", given) == rows
    run("finished", ', "properties": {"version": 3}')
    run("finished", ', "custom_properties": {"version": 3}')
    assert run("cached", ', "properties": {"version": 3}') == [
        ("version", 0, 3, None, None, None)]
    run("finished", ', "properties": {"good": false, "owner": "me"}')
    # what a plugin declares, the type in the store has, too
    h.env["HEADRACE_PLUGIN_PATH"] = os.path.join(BUILD, "test_plugins")
    assert run("finished", ', "properties": {"lines": 4}', of="Stats") == [
        ("lines", 0, 4, None, None, None)]
    assert h.query("SELECT p.data_type FROM TypeProperty p JOIN Type t ON t.id = p.type_id WHERE "
                   "t.name = 'Stats' AND p.name = 'lines'") == [(1,)]
    h.write("pipeline.json", text % ("File", ', "properties": {"x": "${ 0.0 / 0 }"}'))
    says(h.run("run", code=1).err, 'property "x" of output "result" is not a number (NaN)')
    says(h.run("show", "artifact 1").out, "owner", "me", "team", "a1")


if __name__ == "__main__":
    main(globals())
