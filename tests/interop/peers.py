"""peers.py BUILD CACHE - files of a run, read by pyarrow and by the real ml_metadata client.

Both come from PyPI into a virtual environment that is kept; where the registry cannot be reached,
or there is no Python that they support, the test is skipped, and says so (exit 77).
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
READ_ARROW = """
import sys, pyarrow as pa, pyarrow.ipc as ipc
rows = 0
for path in sys.argv[1:]:
    table = ipc.open_file(pa.memory_map(path)).read_all()
    table.validate(full=True)
    rows += table.num_rows
print(rows)
"""

READ_STORE = """
import sys
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
config = pb.ConnectionConfig()
config.sqlite.filename_uri = sys.argv[1]
store = metadata_store.MetadataStore(config)
executions = store.get_executions()
assert len(executions) == 9, len(executions)
assert all(e.last_known_state == pb.Execution.COMPLETE for e in executions)
artifacts = {a.id: a for a in store.get_artifacts()}
models = [a for a in artifacts.values() if a.type == "Model"]
assert len(models) == 1 and models[0].state == pb.Artifact.LIVE
examples = [a for a in artifacts.values() if a.type == "Examples"]
assert all(a.properties["split_names"].string_value for a in examples), examples
run = store.get_contexts_by_type("pipeline_run")
assert len(run) == 1
assert [c.name for c in store.get_parent_contexts_by_context(run[0].id)] == ["penguin"]
assert len(store.get_executions_by_context(run[0].id)) == 9
events = store.get_events_by_artifact_ids([models[0].id])
keys = {e.path.steps[0].key for e in events if e.type == pb.Event.OUTPUT}
assert keys == {"model"}, keys
anomalies = [a for a in artifacts.values() if a.type == "ExampleAnomalies"][0]
assert anomalies.custom_properties["blessed"].struct_value.fields["train"].number_value == 1
# and it writes to the same file
kind = store.get_execution_type("org.headrace.trainer.Trainer")
store.put_executions([pb.Execution(type_id=kind.id)])
print("read")
"""


# Parts, instances and a partial run, by the lookups that TFX's own library makes: nodes by their
# contexts, artifacts by output events, parents of runs.
READ_PARTS = """
import sys
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
config = pb.ConnectionConfig()
config.sqlite.filename_uri = sys.argv[1]
store = metadata_store.MetadataStore(config)

def names(contexts):
    return sorted(c.name for c in contexts)

def executions(*contexts):
    sets = [{e.id: e for e in store.get_executions_by_context(c.id)} for c in contexts]
    return [e for i, e in sorted(sets[0].items()) if all(i in s for s in sets[1:])]

def context(kind, name):
    found = store.get_context_by_type_and_name(kind, name)
    assert found is not None, (kind, name, names(store.get_contexts_by_type(kind)))
    return found

def outputs(found, types=(pb.Event.OUTPUT, pb.Event.INTERNAL_OUTPUT)):
    events = store.get_events_by_execution_ids([e.id for e in found]) if found else []
    return sorted(e.artifact_id for e in events if e.type in types)

pipeline = context("pipeline", "whole")
runs = sorted(store.get_children_contexts_by_context(pipeline.id), key=lambda c: c.id)
runs = [c for c in runs if c.type == "pipeline_run"]
assert len(runs) == 2, names(runs)
first, second = runs
assert names(store.get_parent_contexts_by_context(first.id)) == ["whole"]
assert names(store.get_parent_contexts_by_context(second.id)) == sorted(["whole", first.name])

for run, states in ((first, {pb.Execution.COMPLETE}), (second, {pb.Execution.CACHED})):
    for node in ("gen", "look.stats"):
        found = executions(pipeline, run, context("node", "whole." + node))
        assert len(found) == 1 and {e.last_known_state for e in found} == states, (node, found)
kept = executions(second, context("node", "whole.gen"))[0]
made = executions(first, context("node", "whole.gen"))[0]
assert kept.type == made.type and kept.name != made.name
assert all(k.startswith("__") for k in kept.custom_properties) and not kept.properties, kept
assert outputs([kept]) == outputs([made]) and outputs([made])
assert not [e for e in store.get_events_by_execution_ids([kept.id]) if e.type == pb.Event.INPUT]
assert {c.type for c in store.get_contexts_by_execution(kept.id)} == {
    "pipeline", "pipeline_run", "node"}

# a part has a pipeline and a run of its own, within those of the whole
part = context("pipeline", "whole.look")
inner = context("pipeline_run", first.name + ".look")
assert names(store.get_parent_contexts_by_context(inner.id)) == sorted(["whole.look", first.name])
assert len(executions(part, inner)) == 1
# an instance of a part for each element, each a run; a node of its own for each element
each = context("node", "whole.many")
assert len(executions(first, each)) == 3 and len(executions(second, each)) == 3
assert all(e.last_known_state == pb.Execution.COMPLETE for e in executions(each))
for i in range(2):
    instance = context("pipeline_run", "%s.parts[%d]" % (first.name, i))
    found = executions(instance)
    assert len(found) == 1 and outputs(found), (i, found)
    assert first.name in names(store.get_parent_contexts_by_context(instance.id))
    assert executions(context("pipeline_run", "%s.parts[%d]" % (second.name, i)))
# an artifact gathers the contexts of every run that used it
artifact = outputs([made])[0]
assert {first.name, second.name} <= set(names(store.get_contexts_by_artifact(artifact)))
print("read")
"""

PARTS = """{"headrace": 1, "name": "whole", "nodes": {
"gen": {"component": "CsvExampleGen", "properties": {"input_base": "data"}},
"look": {"inputs": {"rows": "gen"}, "pipeline": {"inputs": {"rows": "Examples"},
  "outputs": {"all": "stats.statistics"},
  "nodes": {"stats": {"component": "StatisticsGen", "inputs": {"examples": "inputs.rows"}}}}},
"parts": {"for_each": {"in": ["train", "eval"]}, "inputs": {"rows": "gen"}, "pipeline": {
  "inputs": {"rows": "Examples"}, "outputs": {"all": "stats.statistics"},
  "nodes": {"stats": {"component": "StatisticsGen", "inputs": {"examples": "inputs.rows"},
    "properties": {"exclude_splits": ["${item}"]}}}}},
"many": {"command": ["sh", "-c", "test -d $0 && echo $1", "${input.all.uri}", "${item}"],
  "inputs": {"all": "look.all"}, "for_each": {"in": [1, 2, 3]}, "cache": false}}}
"""


def read_parts(headrace, mlmd, work):
    """A run, and one that keeps all but the last node of it."""
    project = os.path.join(work, "q")
    subprocess.run([headrace, "new", project], check=True, capture_output=True)
    with open(os.path.join(project, "pipeline.json"), "w") as f:
        f.write(PARTS)
    subprocess.run([headrace, "run", "--quiet"], cwd=project, check=True)
    subprocess.run([headrace, "run", "--quiet", "--from", "many"], cwd=project, check=True)
    done = subprocess.run([mlmd, "-c", READ_PARTS, project + "/.headrace/metadata.sqlite"],
                          capture_output=True, text=True)
    assert done.stdout.strip().endswith("read"), done.stdout + done.stderr


def venv(cache, name, python, packages):
    """A virtual environment with the packages; None: they cannot be had."""
    path = os.path.join(cache, name)
    program = os.path.join(path, "bin", "python")
    if os.path.exists(os.path.join(path, "ready")):
        return program
    shutil.rmtree(path, ignore_errors=True)
    try:
        subprocess.run([python, "-m", "venv", path], check=True, capture_output=True, timeout=300)
        subprocess.run([program, "-m", "pip", "install", "-q", *packages], check=True,
                       capture_output=True, timeout=600)
    except (subprocess.SubprocessError, OSError):
        shutil.rmtree(path, ignore_errors=True)
        return None
    open(os.path.join(path, "ready"), "w").close()
    return program


def python310():
    for candidate in ("python3.10", os.path.expanduser("~/.pyenv/versions/3.10.13/bin/python3.10")):
        found = shutil.which(candidate) or (candidate if os.path.exists(candidate) else None)
        if found and subprocess.run([found, "-V"], capture_output=True).returncode == 0:
            return found
    return None


def main():
    build, cache = sys.argv[1:3]
    headrace = os.path.join(build, "bin", "headrace")
    skipped = []
    with tempfile.TemporaryDirectory() as work:
        project = os.path.join(work, "p")
        subprocess.run([headrace, "new", project], check=True, capture_output=True)
        subprocess.run([headrace, "run", "--quiet"], cwd=project, check=True)
        arrow = venv(cache, "arrow", sys.executable, ["pyarrow"])
        if arrow:
            files = sorted(glob.glob(project + "/.headrace/artifacts/examples/**/*.arrow",
                                     recursive=True))
            out = subprocess.run([arrow, "-c", READ_ARROW, *files], check=True,
                                 capture_output=True, text=True).stdout
            assert out.strip() == "334", out
            subprocess.run([arrow, "-B", os.path.join(HERE, "arrow_files.py"),
                            os.path.join(build, "tests", "arrow_files")], check=True)
        else:
            skipped.append("pyarrow")
        old = python310()
        mlmd = venv(cache, "mlmd", old, ["ml-metadata==1.16.0"]) if old else None
        if mlmd:
            done = subprocess.run([mlmd, "-c", READ_STORE,
                                   project + "/.headrace/metadata.sqlite"],
                                  capture_output=True, text=True)
            assert done.stdout.strip().endswith("read"), done.stdout + done.stderr
            read_parts(headrace, mlmd, work)
            # what the other client wrote does no harm
            subprocess.run([headrace, "run", "--quiet"], cwd=project, check=True)
        else:
            skipped.append("ml-metadata (needs Python 3.10)")
    if skipped:
        print("SKIPPED: not to be had here: " + ", ".join(skipped))
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
