"""Resolvers: which artifacts of the store a run begins with."""
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


def test_wrong(h):
    data(h, "data")
    for text, want in (
            ('"resolver": "latest_artefacts"', 'did you mean "latest_artifacts"?'),
            ('"resolver": []', "wants a strategy"),
            ('"resolver": "slice", "config": {"stop": "2"}', '"stop" wants an int'),
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
