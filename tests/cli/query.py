"""Queries as inputs: artifacts of the store, from any run or pipeline."""
from control import GEN, data, pipeline
from driver import main, says


def wants(query):
    return '{"component": "StatisticsGen", "inputs": {"examples": {"query": %s}}}' % query


def test_query(h):
    data(h, "d1", "d2")
    pipeline(h, {"s": wants("{}")})
    says(h.run("run", code=1).err, 'input "examples" of node "s" holds no artifact')
    h.write("ingest.json", '{"headrace": 1, "name": "ingest", "nodes": {"gen": %s, "other": %s}}'
            % (GEN % ("d1", ""), GEN % ("d2", ', "after": "gen"')))
    h.run("run", "ingest.json", "--quiet")
    ids = [r[0] for r in h.query("SELECT a.id FROM Artifact a JOIN Type t ON t.id = a.type_id WHERE "
                                 "t.name = 'Examples' ORDER BY a.id")]
    assert len(ids) == 2, ids

    def inputs():
        return [r[0] for r in h.query(
            "SELECT artifact_id FROM Event WHERE type = 3 AND execution_id = (SELECT max(id) FROM "
            "Execution) ORDER BY artifact_id")]

    # this pipeline has none of its own; another's newest; of a node; by a property
    says(h.run("run", code=1).err, "holds no artifact")
    for query, want in (('{"context": "ingest"}', ids[1:]),
                        ('{"context": "ingest.gen"}', ids[:1]),
                        ('{"context": "ingest", "filter": "${ artifact.id < %d }"}' % ids[1],
                         ids[:1])):
        pipeline(h, {"s": wants(query)})
        h.run("run", "--quiet")
        assert inputs() == want, (query, inputs(), want)
    pipeline(h, {"s": '{"command": ["sh", "-c", "true"], "inputs": {"all": {"query": {"type": '
                      '"Examples", "context": "ingest", "limit": 0}}}}'})
    h.run("run", "--quiet")
    assert inputs() == ids, inputs()
    # what is read belongs to the contexts of its reader, too
    run = h.query("SELECT c.name FROM Context c JOIN Type t ON t.id = c.type_id WHERE t.name = "
                  "'pipeline_run' ORDER BY c.id DESC LIMIT 1")[0][0]
    for a in ids:
        names = {n for n, in h.query("SELECT c.name FROM Attribution a JOIN Context c ON "
                                     "c.id = a.context_id WHERE a.artifact_id = ?", a)}
        assert names >= {"ingest", "c", "c.s", run}, (a, names)


def test_wrong(h):
    data(h, "d1")
    for query, want in (('{"typ": "x"}', 'did you mean "type"'), ('{"limit": -1}', "wants an int"),
                        ('{"type": "Model"}', "wants type Examples, and the query is for Model"),
                        ('{"filter": "yes"}', "wants an expression"),
                        ('{"filter": "${ artefact.id > 1 }"}', 'did you mean "artifact"')):
        pipeline(h, {"s": wants(query)})
        says(h.run("check", code=1).err, want)
    pipeline(h, {"s": '{"component": "StatisticsGen", "inputs": {"examples": {"querry": {}}}}'})
    says(h.run("check", code=1).err, 'did you mean "query"')


if __name__ == "__main__":
    main(globals())
