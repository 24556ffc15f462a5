"""tfx_store.py BUILD CASES - the store after each of three runs of TFX's penguin pipeline, against
what TFX itself has written: facts.json, made from its stores by "tfx_store.py --facts DB...".

Left out of the comparison, and why:
  - ids, times, uris, digests, names of runs and of cache contexts: they are each system's own;
  - properties that begin with "__", and types of executions: ours are ids of components;
  - execution properties: a component of ours has its own;
  - outputs that our Transform does not have (statistics and schemas beside the data);
  - TFX's Cond makes an input "_Evaluator.blessing" of Pusher; here the blessing is an input;
  - our Transform says the file format of its examples, which here may be Arrow;
  - in the later runs, what TFX runs again because an artifact has another id, though its
    content is the same: Pusher in run 2 is CACHED here.
"""
import glob
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile

STATES = {2: "RUNNING", 3: "COMPLETE", 4: "FAILED", 5: "CACHED", 6: "CANCELED"}
OURS = {"payload_format", "model_name", "format", "evaluated"}
EXTRA = {"pre_transform_schema", "updated_analyzer_cache", "post_transform_schema",
         "post_transform_stats", "pre_transform_stats", "post_transform_anomalies"}
FREE = {"input_fingerprint", "pushed_version", "pushed_destination", "current_model",
        "baseline_model", "current_model_id", "baseline_model_id", "file_format"}


def rows(db, sql, *args):
    return db.execute(sql, args).fetchall()


def context_name(kind, name):
    return kind if kind in ("execution_cache", "pipeline_run") else "%s %s" % (kind, name)


def contexts(db, table, column, node):
    return sorted(context_name(k, n) for k, n in rows(
        db, "SELECT t.name, c.name FROM %s l JOIN Context c ON c.id = l.context_id JOIN Type t ON"
            " t.id = c.type_id WHERE l.%s = ?" % (table, column), node))


def run_contexts(db, table, column, node, run):
    """The contexts but other runs: an artifact gathers those of every run that uses it."""
    own = contexts(db, table, column, node)
    return [c for i, c in enumerate(own) if c != "pipeline_run" or own.index(c) == i]


def keys(db, execution, types):
    """Keys of the events of these types, each artifact's pairs in their order."""
    found = []
    for event, in rows(db, "SELECT id FROM Event WHERE execution_id = ? AND type IN (%s)" %
                       types, execution):
        steps = rows(db, "SELECT is_index_step, step_index, step_key FROM EventPath WHERE"
                         " event_id = ? ORDER BY rowid", event)
        assert len(steps) % 2 == 0 and all(s[0] == i % 2 for i, s in enumerate(steps)), steps
        found.append(sorted("%s[%d]" % (steps[i][2], steps[i + 1][1])
                            for i in range(0, len(steps), 2)))
    return sorted(found)


def executions(db, run):
    out = {}
    for ident, state in rows(
            db, "SELECT e.id, e.last_known_state FROM Execution e JOIN Association a ON"
                " a.execution_id = e.id WHERE a.context_id = ? ORDER BY e.id", run):
        names = contexts(db, "Association", "execution_id", ident)
        node = [n for n in names if n.startswith("node ")][0].split(".")[-1]
        out[node] = {"state": STATES[state], "contexts": names,
                     "inputs": keys(db, ident, "3"),
                     "outputs": [k for k in keys(db, ident, "4")
                                 if k[0].split("[")[0] not in EXTRA],
                     "internal_outputs": keys(db, ident, "6")}
    return out


def value(row):
    return next((v for v in row if v is not None), None)


def artifacts(db):
    out = {}
    for ident, kind, state, name in rows(
            db, "SELECT a.id, t.name, a.state, a.name FROM Artifact a JOIN Type t ON t.id ="
                " a.type_id ORDER BY a.id"):
        made = rows(db, "SELECT p.step_key FROM Event e JOIN EventPath p ON p.event_id = e.id"
                        " WHERE e.artifact_id = ? AND e.type = 4 AND p.is_index_step = 0 ORDER BY"
                        " p.rowid LIMIT 1", ident)
        key = made[0][0] if made else "?"
        if key in EXTRA or key in out:
            continue
        properties = {}
        for row in rows(db, "SELECT name, is_custom_property, int_value, double_value,"
                            " string_value, bool_value FROM ArtifactProperty WHERE artifact_id ="
                            " ?", ident):
            if row[0].startswith("__") or row[0] in OURS:
                continue
            v = value(row[2:])
            if isinstance(v, str) and v.startswith("mlmd-struct::"):
                v = "struct"
            if row[0] == "split_names":
                v = sorted(json.loads(v))
            properties[("custom " if row[1] else "") + row[0]] = \
                "(free)" if row[0] in FREE else v
        out[key] = {"type": kind, "state": state, "name": name, "properties": properties,
                    "contexts": sorted(set(contexts(db, "Attribution", "artifact_id", ident)))}
    return out


def types(db):
    base = dict(rows(db, "SELECT c.name, p.name FROM ParentType x JOIN Type c ON c.id = x.type_id"
                         " JOIN Type p ON p.id = x.parent_type_id WHERE c.type_kind = 1"))
    declared = {}
    for name, prop, kind in rows(db, "SELECT t.name, p.name, p.data_type FROM TypeProperty p JOIN"
                                     " Type t ON t.id = p.type_id"):
        declared.setdefault(name, {})[prop] = kind
    contexts_ = [n for n, in rows(db, "SELECT name FROM Type WHERE type_kind = 2 ORDER BY name")]
    return {"base": base, "declared": declared, "contexts": contexts_}


def facts(path):
    with sqlite3.connect(path) as db:
        run = rows(db, "SELECT c.id FROM Context c JOIN Type t ON t.id = c.type_id WHERE t.name ="
                       " 'pipeline_run' ORDER BY c.id")
        parents = rows(db, "SELECT count(*) FROM ParentContext")[0][0]
        return {"runs": len(run), "parents": parents, "types": types(db),
                "executions": executions(db, run[-1][0]), "artifacts": artifacts(db)}


PIPELINE = {
    "headrace": 1, "name": "penguin",
    "nodes": {
        "CsvExampleGen": {"component": "CsvExampleGen", "properties": {
            "input_base": "data", "file_format": "tfrecords_gzip"}},
        "latest_blessed_model_resolver": {
            "resolver": "latest_blessed_model",
            "outputs": {"model": "Model", "model_blessing": "ModelBlessing"}},
        "StatisticsGen": {"component": "StatisticsGen", "inputs": {"examples": "CsvExampleGen"}},
        "SchemaGen": {"component": "SchemaGen", "inputs": {"statistics": "StatisticsGen"}},
        "Transform": {"component": "Transform",
                      "inputs": {"examples": "CsvExampleGen", "schema": "SchemaGen"},
                      "properties": {"module_file": "penguin.features"}},
        "Trainer": {"component": "Trainer",
                    "inputs": {"examples": "Transform.transformed_examples",
                               "transform_graph": "Transform.transform_graph",
                               "schema": "SchemaGen"},
                    "properties": {"label": "species", "hidden_units": [8, 8],
                                   "train_steps": 100}},
        "Evaluator": {"component": "Evaluator",
                      "inputs": {"examples": "CsvExampleGen", "model": "Trainer.model",
                                 "baseline_model": "latest_blessed_model_resolver.model"},
                      "properties": {"eval_config": "eval.json"}},
        "Pusher": {"component": "Pusher", "inputs": {"model": "Trainer.model",
                                                     "model_blessing": "Evaluator"},
                   "properties": {"destination": "serving"}},
    },
}


def expected(golden, number):
    """TFX's facts, with what is known to differ taken out."""
    pusher = golden["executions"]["Pusher"]
    pusher["inputs"] = sorted(
        sorted(k.replace("_Evaluator.blessing", "model_blessing") for k in e)
        for e in pusher["inputs"])
    if number == 2:
        pusher["state"] = "CACHED"
    golden["artifacts"]["transformed_examples"]["properties"]["custom file_format"] = "(free)"
    for kind in ("TransformCache", "ExampleAnomalies"):
        golden["types"]["declared"].pop(kind, None)
    return golden


def decode(path):
    """A message as text; doubles to 9 digits, since sums may be rounded in another order."""
    text = subprocess.run(["protoc", "--decode_raw"], stdin=open(path, "rb"), check=True,
                          capture_output=True, text=True).stdout
    out = []
    for line in text.splitlines():
        field, _, number = line.partition(": 0x")
        if number and len(number) == 16:
            v = struct.unpack(">d", bytes.fromhex(number))[0]
            line = "%s: %.9g" % (field, v)
        out.append(line)
    return out


def differences(want, got, at=""):
    if isinstance(want, dict) and isinstance(got, dict):
        for k in sorted(set(want) | set(got)):
            if k not in want or k not in got:
                yield "%s/%s: TFX has %r, this %r" % (at, k, want.get(k), got.get(k))
            else:
                yield from differences(want[k], got[k], at + "/" + k)
    elif want != got:
        yield "%s: TFX has %r, this %r" % (at, want, got)


def main():
    if sys.argv[1] == "--facts":
        json.dump([facts(p) for p in sys.argv[2:]], sys.stdout, indent=1, sort_keys=True)
        return 0
    build, cases = sys.argv[1:3]
    golden = json.load(open(os.path.join(cases, "tfx_penguin", "facts.json")))
    headrace = os.path.join(build, "bin", "headrace")
    bad = []
    with tempfile.TemporaryDirectory() as work:
        project = os.path.join(work, "p")
        subprocess.run([headrace, "new", project], check=True, capture_output=True)
        with open(os.path.join(project, "pipeline.json"), "w") as f:
            json.dump(PIPELINE, f)
        for number in (1, 2, 3):
            subprocess.run([headrace, "run", "--quiet"], cwd=project, check=True)
            got = facts(os.path.join(project, ".headrace", "metadata.sqlite"))
            bad += ["run %d %s" % (number, d)
                    for d in differences(expected(golden[number - 1], number), got)]
        for pattern, name in (("SchemaGen/schema/*/schema.pbtxt", "schema.pbtxt"),
                              ("StatisticsGen/statistics/*/Split-eval/FeatureStats.pb",
                               "eval.FeatureStats.pb")):
            made = glob.glob(os.path.join(project, ".headrace", "artifacts", pattern))
            given = os.path.join(cases, "tfx_penguin", name)
            if len(made) != 1:
                bad.append("%s: %d files" % (pattern, len(made)))
            elif name.endswith(".pbtxt") and open(made[0]).read() != open(given).read():
                bad.append("%s differs from TFX's" % pattern)
            elif name.endswith(".pb") and decode(made[0]) != decode(given):
                bad.append("%s differs from TFX's" % pattern)
    print("\n".join(bad) or "equal")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
