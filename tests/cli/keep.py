"""What is kept and mended: gc, doctor, cache; projects that are moved, copied, read-only."""
import gc
import glob
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess

from driver import BUILD, COMMAND, main, says

PLUGINS = os.path.join(BUILD, "test_plugins")


def runs(h, *steps):
    for n in steps:
        h.run("run", "--quiet", "--param", "steps=%d" % n)


def live(h):
    return {i for (i,) in h.query("SELECT id FROM Artifact WHERE state = 2")}


def well(h):
    result = h.run("doctor")
    assert not result.out and "all is well" in result.err, result


def closed(h, kept):
    """Is all there that a set of artifacts came from?"""
    for a in kept:
        for (i,) in h.query("SELECT i.artifact_id FROM Event o JOIN Execution e ON e.id ="
                            " o.execution_id AND e.last_known_state = 3 JOIN Event i ON"
                            " i.execution_id = e.id AND i.type = 3 WHERE o.type = 4 AND"
                            " o.artifact_id = ?", a):
            assert i in kept, (a, i)


def test_gc(h):
    h.project()
    runs(h, 20, 30, 40, 100)
    before = live(h)
    young = h.run("gc")
    assert not young.out and live(h) == before and "0 artifacts" in young.err, young
    told = json.loads(h.run("gc", "--keep", "1", "--dry-run", "--json").out)
    assert live(h) == before and told["removed"], told
    done = json.loads(h.run("gc", "--keep", "1", "--json").out)
    assert told.pop("dry_run") is True and done.pop("dry_run") is False, (told, done)
    assert set(done) == {"removed", "kept", "bytes"}, done
    assert all(set(a) == {"artifact", "type", "uri", "bytes"} for a in done["removed"]), done
    assert done == told and done["bytes"] > 0, (done, told)
    gone = {a["artifact"] for a in done["removed"]}
    after = live(h)
    assert after == before - gone and len(after) == done["kept"]
    closed(h, after)
    for (uri, state) in h.query("SELECT uri, state FROM Artifact"):
        assert os.path.exists(uri) == (state == 2), (uri, state)
    types = [t for (t,) in h.query("SELECT t.name FROM Artifact a JOIN Type t ON t.id = a.type_id"
                                   " WHERE a.state = 2")]
    pushed = h.query("SELECT count(*) FROM ArtifactProperty p WHERE p.name = 'pushed' AND"
                     " p.int_value = 1")[0][0]
    assert sum(t == "PushedModel" for t in types) >= pushed, types
    assert h.query("SELECT count(*) FROM Artifact")[0][0] == len(before)  # rows stay
    well(h)
    states, _ = h.states("--param", "steps=100")
    assert states["trainer"] == "cached", states
    h.run("gc", "--keep", "1")
    assert not h.run("gc", "--keep", "1").out


def test_gc_again(h):
    """What was removed is made again when it is asked for."""
    h.project()
    text = open(h.path("eval.json")).read()
    h.write("eval.json", text.replace('"lower_bound": 0.6', '"lower_bound": 1.01'))
    runs(h, 20, 30)
    says(h.run("gc", "--keep", "1").out, "Model")
    states, _ = h.states("--param", "steps=20")
    assert states["trainer"] == "finished" and states["transform"] == "cached", states
    h.run("run", "--quiet", "--param", "steps=30")
    h.run("gc", "--older", "0s")
    h.run("gc", "--older", "1w", "--keep", "0")
    assert live(h)
    h.run("gc", "--keep", "0", "--older", "0s")
    assert not live(h)
    assert os.listdir(h.path(".headrace", "artifacts")) == [".staging"]
    well(h)
    states, _ = h.states("--param", "steps=30")
    assert states["examples"] == "finished" and states["pusher"] == "finished", states
    for bad in ("30", "d", "-1d", "3x", "99999999999999999999d"):
        h.run("gc", "--older", bad, code=2)


def test_gc_while_running(h):
    """A run that goes on keeps what it has touched, and ends well."""
    h.project()
    runs(h, 20, 30)
    for isolation in ("worker", "none"):
        run = subprocess.Popen([COMMAND, "run", "--json", "--param", "steps=3000", "--isolation",
                                isolation, "--no-cache"], cwd=h.dir, env=h.env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        count = 0
        while run.poll() is None:
            h.run("gc", "--keep", "0", "--older", "0s")
            count += 1
        out = run.stdout.read()
        assert run.returncode == 0, (out, run.stderr.read())
        assert count > 0
    closed(h, live(h))
    well(h)


def test_gc_while_cached(h):
    """Runs that take all from the cache, while gc wants to remove it: none fails."""
    h.project()
    runs(h, 20)
    for _ in range(3):
        both = [subprocess.Popen([COMMAND, "gc", "--keep", "0", "--older", "0s"], cwd=h.dir,
                                 env=h.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
                for _ in range(2)]
        h.run("run", "--quiet", "--param", "steps=20")
        for g in both:
            _, err = g.communicate(timeout=120)
            assert g.returncode == 0 or "another gc" in err, err
    well(h)


def test_doctor(h):
    h.project()
    runs(h, 20)
    well(h)
    uris = dict(h.query("SELECT t.name, a.uri FROM Artifact a JOIN Type t ON t.id = a.type_id"))
    shutil.rmtree(uris["ExampleAnomalies"])
    with open(glob.glob(uris["Schema"] + "/*")[0], "a") as f:
        f.write("# changed\n")
    os.makedirs(h.path(".headrace", "artifacts", ".staging", "999", "x"))
    os.makedirs(h.path(".headrace", "artifacts", "schema", "schema", "998", "x"))
    with sqlite3.connect(h.path(".headrace", "cache", "host.sqlite")) as db:
        db.execute("INSERT INTO lease VALUES ('key', '01234567-0000-4000-8000-000000000000')")
    for package in glob.glob(h.path(".headrace", "registry", "models", "*", "*.hrp")):
        os.remove(package)
    result = h.run("doctor", code=1)
    says(result.out, "are gone", "digest differs", "998", "was pushed", "headrace doctor --repair")
    assert len(result.out.splitlines()) == 4, result.out
    # what dead hosts left, any host that opens the project has removed
    assert os.listdir(h.path(".headrace", "artifacts", ".staging")) == []
    with sqlite3.connect(h.path(".headrace", "cache", "host.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM lease").fetchone() == (0,)
    told = json.loads(h.run("doctor", "--json", code=1).out)
    found = told["findings"]
    assert set(told) == {"findings", "left"} and told["left"] == len(found) == 4, told
    assert all(set(f) == {"what", "text", "repaired"} for f in found), found
    assert not any(f["repaired"] for f in found), found
    says(h.run("cache", "verify", code=1).out, "are gone", "digest differs")
    told = json.loads(h.run("doctor", "--repair", "--json").out)
    fixed = told["findings"]
    assert len(fixed) == 4 and all(f["repaired"] for f in fixed) and not told["left"], told
    assert json.loads(h.run("doctor", "--json").out) == {"findings": [], "left": 0}
    h.run("package", "verify", ".headrace/registry/models/penguin/penguin-1.hrp")
    assert os.listdir(h.path(".headrace", "damaged"))
    assert not h.run("doctor").out
    states, _ = h.states("--param", "steps=20")
    assert states["schema"] == "finished" and states["anomalies"] == "finished", states
    assert states["examples"] == "cached", states


def test_store_gone(h):
    """A store that was lost, and its artifacts not: told, and mended."""
    data = h.path("data")
    os.mkdir(data)
    h.write("data/a.csv", "x\n1\n2\n3\n4\n5\n")
    h.write("pipeline.json", '{"headrace": 1, "name": "p", "nodes": {"examples": {"component": '
                             '"CsvExampleGen", "properties": {"input_base": "data"}}}}')
    h.run("run")
    for name in glob.glob(h.path(".headrace", "metadata.sqlite*")):
        os.remove(name)
    failed = h.run("run", code=1)
    says(failed.err + failed.out, "examples/examples/1", "is there already",
         "headrace doctor --repair")
    assert os.listdir(h.path(".headrace", "artifacts", "examples", "examples")) == ["1"]
    h.run("doctor", "--repair")
    h.run("run")
    well(h)


def test_doctor_dead(h):
    """Executions of a host that was killed are closed, and told."""
    h.write("pipeline.json", '{"headrace": 1, "name": "p", "nodes": {"m": {"component":'
                             ' "Misbehave", "properties": {"how": "hang"}}}}')
    run = subprocess.Popen([COMMAND, "run", "--json", "--plugin-path", PLUGINS], cwd=h.dir,
                           env=h.env, stdout=subprocess.PIPE, text=True)
    assert "started" in run.stdout.readline()
    while not h.query("SELECT count(*) FROM Execution WHERE last_known_state = 2")[0][0]:
        pass
    well(h)  # it lives
    assert h.query("SELECT last_known_state FROM Execution") == [(2,)]
    run.send_signal(signal.SIGKILL)
    run.wait()
    result = h.run("doctor")
    says(result.out, "1 executions were RUNNING on hosts that are gone")
    assert h.query("SELECT last_known_state FROM Execution") == [(4,)]
    well(h)


def test_moved(h):
    """A moved project is told and mended; a copy leaves the original alone."""
    os.mkdir(h.path("one"))
    h.run("new", "one")
    one, two = {"cwd": h.path("one")}, {"cwd": h.path("two")}
    h.run("run", "--quiet", **one)
    shutil.copytree(h.path("one"), h.path("two"))
    says(h.run("doctor", code=1, **two).out, "moved or copied from", h.path("one"))
    h.run("gc", "--keep", "0", "--older", "0s", **two)  # its rows lead to the original
    assert not h.run("doctor", **one).out
    says(h.run("doctor", "--repair", **two).out, "they have it here now")
    assert not h.run("doctor", **two).out
    h.run("gc", "--keep", "0", "--older", "0s", **two)
    assert not h.run("doctor", **one).out
    os.rename(h.path("one"), h.path("three"))
    three = {"cwd": h.path("three")}
    says(h.run("doctor", code=1, **three).out, "moved or copied from")
    h.run("doctor", "--repair", **three)
    states, _ = h.states(**three)
    assert states["schema"] == "cached", states
    assert not h.run("doctor", **three).out


def test_read_only(h):
    """Somebody who may only read looks, and is told why nothing else is done."""
    h.project()
    runs(h, 20)
    for part in ("bin", "lib", "libexec"):
        shutil.copytree(os.path.join(BUILD, part), h.path("copy", part), symlinks=True)
    other = {"command": h.path("copy", "bin", "headrace"),
             "env": {"LD_LIBRARY_PATH": h.path("copy", "lib")}}
    before = h.query("SELECT count(*) FROM Execution")
    gc.collect()  # closes what the query has opened: nobody has the store open
    assert not glob.glob(h.path(".headrace", "*-wal"))
    os.chmod(h.dir, 0o755)
    if os.getuid() == 0:
        other["user"] = pwd.getpwnam("nobody").pw_uid
    subprocess.run(["chmod", "-R", "a-w,a+rX", h.path(".headrace")], check=True)
    says(h.run("runs", **other).out, "penguin", "COMPLETE")
    says(h.run("lineage", "penguin@1", **other).out, "came from")
    says(h.run("show", "statistics", **other).out, "culmen")
    for words in (["run"], ["gc", "--keep", "0"], ["cache", "clear"]):
        result = h.run(*words, code=1, **other)
        assert "denied" in result.err or "read" in result.err, result
    subprocess.run(["chmod", "-R", "u+w", h.path(".headrace")], check=True)
    assert h.query("SELECT count(*) FROM Execution") == before


def test_cache(h):
    h.project()
    runs(h, 20)
    rows = [json.loads(line) for line in h.run("cache", "list", "--json").out.splitlines()]
    assert {r["state"] for r in rows} == {"usable"}
    assert {r["node"] for r in rows} >= {"examples", "schema", "trainer"}, rows
    says(h.run("cache", "verify").err, "what was made")
    h.run("cache", "clear", "schema")
    states, _ = h.states("--param", "steps=20")
    assert states["schema"] == "finished" and states["statistics"] == "cached", states
    key = [r["key"] for r in rows if r["node"] == "statistics"][0]
    h.run("cache", "clear", key[:10])
    says(h.run("cache", "list", "--filter", "node = statistics").out, "forgotten")
    states, _ = h.states("--param", "steps=20")
    assert states["statistics"] == "finished" and states["examples"] == "cached", states
    h.run("cache", "clear")
    states, _ = h.states("--param", "steps=20")
    assert "cached" not in states.values(), states
    states, _ = h.states("--param", "steps=20")
    assert states["schema"] == "cached", states
    says(h.run("cache", "clear", "nothing", code=1).err, "no key and no node")
    h.run("cache", "empty", code=2)


if __name__ == "__main__":
    main(globals())
