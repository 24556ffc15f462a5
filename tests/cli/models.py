"""The registry of models: aliases, promotion and rollback, packages in and out."""
import json
import os
import pwd
import shutil
import subprocess
import threading

from driver import COMMAND, main, says

ROW = '{"culmen_length_mm": 0.25, "culmen_depth_mm": 0.67, "flipper_length_mm": 0.15,' \
      ' "body_mass_g": 0.29}'


def versions(h, n):
    h.project()
    for i in range(n):
        h.run("run", "--quiet", "--param", "steps=%d" % (100 + i))
    rows = h.run("model", "list", "--json").out.splitlines()
    assert [json.loads(r)["version"] for r in rows][-n:] == [str(i + 1) for i in range(n)] or \
        len(rows) == n, rows


def test_aliases(h):
    versions(h, 3)
    says(h.run("model", "promote", "penguin@1", "--why", "first", "--by", "ann").out,
         "penguin@production is version 1")
    says(h.run("model", "promote", "penguin@2", "--by", "bob").out, "version 2", "before it was 1")
    one = h.run("model", "predict", "penguin@1", ROW).out
    two = h.run("model", "predict", "penguin@2", ROW).out
    assert one != two and h.run("model", "predict", "penguin@production", ROW).out == two
    says(h.run("model", "show", "penguin@production").out, "penguin@2")
    h.run("model", "alias", "penguin@3", "candidate")
    h.run("model", "promote", "penguin@candidate")
    says(h.run("model", "list").out, "candidate, production")
    # rollback goes back step by step, and past a second promotion
    says(h.run("model", "rollback", "penguin", "--why", "worse").out, "is version 2",
         "before it was 3")
    says(h.run("model", "rollback", "penguin").out, "is version 1")
    says(h.run("model", "rollback", "penguin", code=1).err, "nothing was there before")
    h.run("model", "promote", "penguin@3")
    says(h.run("model", "rollback", "penguin").out, "is version 1")
    rows = [json.loads(r) for r in h.run("model", "history", "penguin", "--json").out.splitlines()]
    assert [r["action"] for r in rows] == ["promote", "promote", "alias", "promote", "rollback",
                                           "rollback", "promote", "rollback"], rows
    assert rows[0]["by"] == "ann" and rows[0]["why"] == "first" and rows[1]["from"] == "1", rows
    says(h.run("model", "history").out, "worse", "bob")
    h.run("model", "alias", "penguin@3", "candidate", env={"USER": "", "LOGNAME": ""})
    last = json.loads(h.run("model", "history", "penguin", "--json").out.splitlines()[-1])
    assert last["by"] == pwd.getpwuid(os.geteuid()).pw_name, last
    aliases = [json.loads(r) for r in h.run("model", "aliases", "--json").out.splitlines()]
    assert {(r["alias"], r["version"]) for r in aliases} == {("production", "1"),
                                                            ("candidate", "3")}, aliases
    # they are in the store as ML Metadata has it, and are no runs of nodes
    found = h.query("SELECT e.last_known_state, v.artifact_id FROM Execution e JOIN Type t ON"
                    " t.id = e.type_id JOIN Event v ON v.execution_id = e.id WHERE t.name ="
                    " '__model_change' AND v.type = 3")
    assert len(found) == 9 and all(state == 3 for state, _ in found), found
    assert "__model_change" not in h.run("executions").out
    assert h.states()[0]["trainer"] == "cached"


def test_rollback_changes(h):
    """A version that is promoted once more is nothing to go back to."""
    versions(h, 2)
    for version in ("1", "1", "2", "2"):
        h.run("model", "promote", "penguin@" + version)
    says(h.run("model", "rollback", "penguin").out, "is version 1, before it was 2")
    says(h.run("model", "rollback", "penguin", code=1).err, "nothing was there before")
    says(h.run("model", "show", "penguin@production").out, "penguin@1")
    assert len(h.run("model", "history", "--json").out.splitlines()) == 5


def test_refused(h):
    versions(h, 1)
    for args, reason in ((("promote", "penguin@9"), 'no model "penguin@9"'),
                         (("promote", "nothing"), 'no model "nothing"'),
                         (("rollback", "penguin"), 'no alias "production"'),
                         (("alias", "penguin@1", "9lives"), "cannot be an alias"),
                         (("alias", "penguin@1", "a b"), "cannot be an alias"),
                         (("promote", "penguin@1", "--expect", "3"), "by now"),
                         (("predict", "penguin@stable", ROW), "no model")):
        says(h.run("model", *args, code=1).err, reason)
    assert not h.run("model", "history", "--json").out
    h.run("model", "promote", "penguin@1", "--expect", "")
    says(h.run("model", "promote", "penguin@1", "--expect", "", code=1).err, "by now")
    h.run("model", code=2)
    h.run("model", "promote", code=2)
    h.run("model", "alias", "penguin@1", code=2)


def test_gates(h):
    """A model that was pushed past its gate is not promoted."""
    h.project()
    text = open(h.path("pipeline.json")).read()
    h.write("pipeline.json", text.replace(', "model_blessing": "evaluator"', ""))
    h.write("eval.json", open(h.path("eval.json")).read().replace("0.6", "1.01"))
    h.run("run", "--quiet")
    says(h.run("model", "list").out, "penguin")
    says(h.run("model", "promote", "penguin@1", code=1).err, "a gate refused it", "NOT_BLESSED")
    says(h.run("model", "alias", "penguin@1", "candidate", code=1).err, "a gate refused it")
    assert not h.run("model", "history", "--json").out
    # a newer verdict of the same gate counts
    h.write("eval.json", open(h.path("eval.json")).read().replace("1.01", "0.5"))
    h.run("run", "--quiet")
    h.run("model", "promote", "penguin@1")


def test_gone(h):
    """An alias of a version that is gone says so; what its package still has is served."""
    versions(h, 3)
    h.run("model", "promote", "penguin@1")
    h.run("model", "promote", "penguin@2")
    wanted = h.run("model", "predict", "penguin@2", ROW).out
    pushed = [json.loads(r) for r in h.run("model", "list", "--json").out.splitlines()]
    uri = {r["version"]: r["uri"] for r in pushed}
    subprocess.run(["chmod", "-R", "u+w", uri["2"], uri["1"]], check=True)
    shutil.rmtree(uri["2"])
    assert h.run("model", "predict", "penguin@production", ROW).out == wanted
    os.remove(h.path(".headrace/registry/models/penguin/penguin-2.hrp"))
    says(h.run("model", "predict", "penguin@production", ROW, code=1).err, "gone")
    says(h.run("model", "promote", "penguin@2", code=1).err, "are gone")
    h.run("model", "rollback", "penguin")
    h.run("model", "predict", "penguin@production", ROW)
    h.run("model", "alias", "penguin@1", "old")
    h.run("model", "promote", "penguin@3")
    id1 = [r["id"] for r in pushed if r["version"] == "1"][0]
    import sqlite3
    with sqlite3.connect(h.path(".headrace/metadata.sqlite")) as db:
        db.execute("UPDATE Artifact SET state = 4 WHERE id = ?", (id1,))
    says(h.run("model", "predict", "penguin@old", ROW, code=1).err,
         'the alias "old"', "version 1", "gone")
    says(h.run("model", "rollback", "penguin", code=1).err, "was version 1 before, which is gone")


def test_two_hosts(h):
    """Promotions at once: each is whole, and of those that expect the same before, one wins."""
    versions(h, 2)
    codes = []

    def promote(version, *more):
        done = subprocess.run([COMMAND, "model", "promote", "penguin@%d" % version, *more],
                              cwd=h.dir, env=h.env, capture_output=True, text=True, timeout=120)
        codes.append((done.returncode, done.stderr))

    threads = [threading.Thread(target=promote, args=(1 + i % 2, "--expect", ""))
               for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(c for c, _ in codes) == [0] + [1] * 7, codes
    assert all("by now" in e for c, e in codes if c), codes
    codes.clear()
    threads = [threading.Thread(target=promote, args=(1 + i % 2,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(c == 0 for c, _ in codes), codes
    rows = [json.loads(r) for r in h.run("model", "history", "--json").out.splitlines()]
    assert len(rows) == 9
    for before, after in zip(rows, rows[1:]):  # each saw what the one before had done
        assert after["from"] == before["version"], rows


def test_pull_export(h):
    versions(h, 1)
    wanted = h.run("model", "predict", "penguin@1", ROW).out
    h.run("model", "export", "penguin@1", "out.hrp")
    h.run("model", "export", "penguin@1", "dir")
    subprocess.run(["diff", "-r", h.path("dir"), h.path("serving/1")], check=True)
    says(h.run("model", "export", "penguin@1", "dir", code=1).err, "is there already")
    says(h.run("model", "export", "penguin@7", "d2", code=1).err, "no model")
    says(h.run("model", "pull", "out.hrp", code=1).err, "there already, the very same")
    h.run("model", "pull", "out.hrp", "--version", "1.imported", "--why", "a test")
    assert h.run("model", "predict", "penguin@1.imported", ROW).out == wanted
    # into a project that knows nothing of it
    other = h.dir + "_other"  # beside, for a project is found upward
    shutil.rmtree(other, ignore_errors=True)
    h.run("new", other, "--template", "blank")
    h.run("run", "--quiet", cwd=other)
    says(h.run("model", "pull", h.path("out.hrp"), cwd=other).out, "penguin@1 is in the registry")
    assert h.run("model", "predict", "penguin@1", ROW, cwd=other).out == wanted
    h.run("model", "promote", "penguin@1", cwd=other)
    assert h.run("model", "predict", "penguin@production", ROW, cwd=other).out == wanted
    says(h.run("model", "history", cwd=other).out, "pull", "promote")
    h.run("package", "verify", os.path.join(other, ".headrace/registry/models/penguin/"
                                                   "penguin-1.hrp"))
    shutil.rmtree(other)
    # what is refused leaves nothing
    h.run("package", "keygen", "k.key", "--no-passphrase")
    says(h.run("model", "pull", "out.hrp", "--version", "2", "--trust", "k.pub", code=1).err,
         "is unsigned")
    h.run("package", "pack", "data", "--out", "data.hrp")
    says(h.run("model", "pull", "data.hrp", code=1).err, "no model")
    says(h.run("model", "pull", "out.hrp", "--name", "../x", code=1).err, "letters")
    assert len(h.run("model", "list", "--json").out.splitlines()) == 2
    # damage is found when it is exported
    rows = [json.loads(r) for r in h.run("model", "list", "--json").out.splitlines()]
    uri = [r["uri"] for r in rows if r["version"] == "1"][0]
    weights = os.path.join(uri, "weights.bin")
    os.chmod(weights, 0o644)
    with open(weights, "r+b") as f:
        f.write(b"?")
    says(h.run("model", "export", "penguin@1", "d3", code=1).err, "not what was published")
    assert not os.path.exists(h.path("d3"))


if __name__ == "__main__":
    main(globals())
