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
