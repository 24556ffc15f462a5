"""The penguin pipeline from end to end: what runs, what is reused, what is refused."""
import glob
import json
import os
import subprocess

from driver import main, says

NODES = ["examples", "statistics", "schema", "anomalies", "transform", "trainer", "baseline",
         "evaluator", "pusher"]


def test_three_runs(h):
    h.project()
    first, result = h.states()
    assert first == dict.fromkeys(NODES, "finished"), first
    assert h.query("SELECT count(*) FROM Execution WHERE last_known_state = 3") == [(9,)]
    texts = {e["node"]: e.get("text", "") for e in result.events() if e["event"] == "finished"}
    says(texts["examples"], "334 rows: train 234, eval 100")
    says(texts["anomalies"], "no anomalies")
    says(texts["evaluator"], "BLESSED")
    says(texts["pusher"], "penguin version 1", "registry penguin@1")
    second, result = h.states()
    assert [n for n in NODES if second[n] != "cached"] == ["baseline", "evaluator"], second
    artifacts = h.query("SELECT count(*) FROM Artifact")
    third, _ = h.states()
    assert [n for n in NODES if third[n] != "cached"] == ["baseline"], third
    assert h.query("SELECT count(*) FROM Artifact") == artifacts
    assert os.listdir(h.path("serving")) == ["1"]
    assert not os.listdir(h.path(".headrace", "artifacts", ".staging"))


def test_accuracy(h):
    h.project()
    h.run("run", "--quiet")
    shown = json.loads(h.run("show", "evaluator", "--json").out)
    artifact = [o["artifact"] for o in shown["outputs"] if o["key"] == "evaluation"][0]
    content = json.loads(h.run("show", "artifact", str(artifact), "--json").out)["content"]
    metrics = {m["name"]: m["value"] for m in content["slices"][0]["metrics"]}
    assert metrics["sparse_categorical_accuracy"] >= 0.9, metrics


def test_refused(h):
    h.project()
    text = open(h.path("eval.json")).read()
    h.write("eval.json", text.replace('"lower_bound": 0.6', '"lower_bound": 1.01'))
    states, result = h.states()
    assert states["pusher"] == "finished"
    texts = {e["node"]: e.get("text", "") for e in result.events() if e["event"] == "finished"}
    says(texts["evaluator"], "NOT_BLESSED", "1.01")
    says(texts["pusher"], "not pushed: NOT_BLESSED by evaluator")
    assert not os.path.exists(h.path("serving")) or not os.listdir(h.path("serving"))
    assert not glob.glob(h.path(".headrace", "registry", "models", "*", "*"))
    h.run("run", "--strict", code=3)


def digests(h):
    """Digest of each artifact by node and type."""
    return h.query(
        "SELECT t.name, p.string_value FROM Artifact a JOIN Type t ON t.id = a.type_id JOIN"
        " ArtifactProperty p ON p.artifact_id = a.id AND p.name = '__digest' ORDER BY 1, 2")


def test_bytes_do_not_depend(h):
    """On jobs, threads, batches or isolation."""
    h.project()
    seen = []
    for args, env in ((["--jobs", "1"], {"HEADRACE_THREADS": "1", "HEADRACE_BATCH_ROWS": "4096"}),
                      (["--jobs", "8"], {"HEADRACE_THREADS": "8", "HEADRACE_BATCH_ROWS": "7"}),
                      (["--isolation", "none"], {"HEADRACE_THREADS": "3"})):
        subprocess.run(["rm", "-rf", h.path(".headrace"), h.path("serving")], check=True)
        h.run("run", "--quiet", *args, env=env)
        # models name the version only; evaluations hold where the model lies
        seen.append([d for d in digests(h) if d[0] not in ("ModelEvaluation",)])
    assert seen[0] == seen[1] == seen[2], seen


def test_files_in_pieces(h):
    """One file or five, in order: the same rows, so the same splits and statistics."""
    h.project()
    h.run("run", "--quiet")
    whole = dict(digests(h))
    lines = open(h.path("data", "penguins_processed.csv")).read().splitlines(True)
    os.remove(h.path("data", "penguins_processed.csv"))
    for i in range(5):
        part = lines[1 + i * 67:1 + (i + 1) * 67]
        h.write("data/part-%d.csv" % i, lines[0] + "".join(part))
    h.write("data/_left.csv", "alone\n")
    h.write("data/.hidden", "alone\n")
    subprocess.run(["rm", "-rf", h.path(".headrace"), h.path("serving")], check=True)
    h.run("run", "--quiet")
    assert dict(digests(h))["ExampleStatistics"] == whole["ExampleStatistics"]
    assert dict(digests(h))["Model"] == whole["Model"]


def test_force_and_no_cache(h):
    h.project()
    h.run("run", "--quiet")
    states, _ = h.states("--force", "schema")
    assert states["schema"] == "finished" and states["anomalies"] == "cached", states
    states, _ = h.states("--no-cache")
    assert "cached" not in states.values(), states
    h.run("run", "--force", "shcema", code=1)
    says(h.run("run", "--force", "schema", "--force", "trianer", code=1).err, '"trianer"')


def test_parameters(h):
    h.project()
    result = h.run("run", "--param", "steps=0", code=1)
    says(result.err, "--param: \"steps\" is \"0\", and must be within 1..1000000")
    result = h.run("run", "--param", "stepz=7", code=1)
    says(result.err, "did you mean \"steps\"?")
    h.run("run", "--param", "steps", code=2)
    h.run("run", "--quiet", "--param", "steps=50")
    states, _ = h.states("--param", "steps=60")
    assert states["trainer"] == "finished" and states["transform"] == "cached", states


def test_look(h):
    h.project()
    h.run("run", "--quiet")
    out = h.run("runs").out
    says(out, "number", "penguin", "COMPLETE")
    rows = [json.loads(line) for line in
            h.run("executions", "--json", "--filter", "node = trainer").out.splitlines()]
    assert len(rows) == 1 and rows[0]["state"] == "COMPLETE", rows
    says(h.run("artifacts", "--limit", "3").out, "PushedModel")
    result = h.run("artifacts", "--filter", "stat = LIVE", code=1)
    says(result.err, "did you mean \"state\"?")
    says(h.run("show", "statistics").out, "train", "culmen_length_mm", "mean")
    says(h.run("show", "schema").out, "species", "required")
    says(h.run("show", "anomalies").out, "no anomalies")
    says(h.run("show", "evaluator").out, "sparse_categorical_accuracy", "the thresholds hold")
    says(h.run("show", "run", "1").out, "penguin run 1", "trainer")
    says(h.run("show", "penguin@1").out, "penguin@1", "came from", "examples", "trainer")
    says(h.run("log", "trainer").out, "accuracy")
    says(h.run("model", "list").out, "penguin")
    row = '{"culmen_length_mm": 0.25, "culmen_depth_mm": 0.67, "flipper_length_mm": 0.15,' \
          ' "body_mass_g": 0.29}'
    out = json.loads(h.run("model", "predict", "penguin@1", row).out)
    assert len(out) == 1 and abs(sum(out[0]["probabilities"]) - 1) < 1e-5, out
    two = json.loads(h.run("model", "predict", h.path("serving", "1"), stdin="[%s, %s]" %
                           (row, row)).out)
    assert two == out * 2
    result = h.run("model", "predict", "penguin", '{"culmen_length_mm": "long"}', code=1)
    says(result.err, "culmen_length_mm", "wants a number")
    says(h.run("plugin", "list").out, "org.headrace.trainer", "ok")
    says(h.run("plugin", "inspect", "Trainer").out, "hidden_units", "headrace/1")
    h.run("show", "nothing", code=1)


def test_package(h):
    """The package is a tar that anyone opens, and equal for equal content."""
    h.project()
    h.run("run", "--quiet")
    package = h.path(".headrace", "registry", "models", "penguin", "penguin-1.hrp")
    names = subprocess.run(["tar", "--zstd", "-tf", package], capture_output=True, text=True,
                           check=True).stdout.split()
    assert names[:2] == ["FILES", "manifest.json"], names
    assert names[2:] == sorted(names[2:]) and "model/model.json" in names, names
    os.mkdir(h.path("out"))
    subprocess.run(["tar", "--zstd", "-xf", package, "-C", h.path("out")], check=True)
    for line in open(h.path("out", "FILES")):
        digest, size, mode, name = line.rstrip("\n").split(" ", 3)
        data = subprocess.run(["sha256sum", h.path("out", name)], capture_output=True, text=True,
                              check=True).stdout.split()[0]
        assert data == digest and mode == "0644"
        assert os.path.getsize(h.path("out", name)) == int(size)
    first = open(package, "rb").read()
    subprocess.run(["rm", "-rf", h.path(".headrace"), h.path("serving")], check=True)
    h.run("run", "--quiet", env={"TZ": "Asia/Tokyo", "LC_ALL": "C"})
    assert open(package, "rb").read() == first


def test_tfrecords(h):
    """TFX's records instead of Arrow files, from the examples to the model."""
    h.project()
    text = open(h.path("pipeline.json")).read()
    h.write("pipeline.json", text.replace('"input_base": "${param.data}",',
                                          '"input_base": "${param.data}",'
                                          ' "file_format": "tfrecords_gzip",'))
    h.run("run", "--quiet")
    assert glob.glob(h.path(".headrace/artifacts/examples/examples/*/Split-train/*.gz"))
    assert glob.glob(h.path(".headrace/artifacts/transform/transformed_examples/*/**/*.gz"),
                     recursive=True)


def test_raw(h):
    h.project()
    states, result = h.states("raw.json")
    assert set(states.values()) == {"finished"}, result


if __name__ == "__main__":
    main(globals())
