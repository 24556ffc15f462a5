"""Kills at random times, and runs at the same time: nothing is lost, nothing is left.

HR_KILLS sets how many; a few are a sample, 200 take some minutes. HR_SEED sets the times.
"""
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

from driver import COMMAND, main

KILLS = int(os.environ.get("HR_KILLS", "4"))
EXTRA = """
        "parts": {"component": "CsvExampleGen", "cache": false, "retries": 2,
                  "for_each": {"in": ["data", "data"], "parallel": 2},
                  "properties": {"input_base": "${item}"}},
        "count": {"command": ["sh", "count.sh", "${input.examples.uri}", "${output.report.uri}"],
                  "retries": 2, "inputs": {"examples": "examples"},
                  "outputs": {"report": "File"}},
"""


def prepare(h, where):
    """A penguin project with a for_each, a program, and retries."""
    h.run("new", where, "--template", "penguin")
    with open(h.path(where, "pipeline.json")) as f:
        text = f.read()
    at = text.index('"nodes": {') + len('"nodes": {')
    with open(h.path(where, "pipeline.json"), "w") as f:
        f.write(text[:at] + EXTRA + text[at:])
    with open(h.path(where, "count.sh"), "w") as f:
        f.write('find "$1" -type f | wc -l | tr -d " " > "$2/count"\n')


def results(h, where):
    """The digests of what the nodes of the newest run gave; not of evaluations, which hold where
    the model lies, as TFMA's do."""
    with sqlite3.connect(h.path(where, ".headrace", "metadata.sqlite")) as db:
        run, = db.execute("SELECT max(c.id) FROM Context c JOIN Type t ON t.id = c.type_id WHERE "
                          "t.name = 'pipeline_run'").fetchone()
        rows = db.execute(
            "SELECT n.name, p.string_value FROM Association a JOIN Event e ON e.execution_id = "
            "a.execution_id AND e.type = 4 JOIN ArtifactProperty p ON p.artifact_id = "
            "e.artifact_id AND p.name = '__digest' JOIN Association b ON b.execution_id = "
            "a.execution_id JOIN Context n ON n.id = b.context_id JOIN Type t ON t.id = n.type_id "
            "AND t.name = 'node' JOIN Artifact x ON x.id = e.artifact_id JOIN Type y ON y.id = "
            "x.type_id AND y.name != 'ModelEvaluation' WHERE a.context_id = ? ORDER BY 1, 2",
            (run,)).fetchall()
    return rows


def left_nothing(h, where):
    with sqlite3.connect(h.path(where, ".headrace", "metadata.sqlite")) as db:
        running = db.execute("SELECT count(*) FROM Execution WHERE last_known_state IN (1, 2)")
        assert running.fetchone() == (0,), "an execution is left RUNNING"
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert os.listdir(h.path(where, ".headrace", "artifacts", ".staging")) == []
    h.run("doctor", cwd=h.path(where))


def workers_of(pid):
    """Not what else a process may have: a leak check has one, and waits for it for ever."""
    done = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], capture_output=True,
                          text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    return [int(p) for p, name in lines if name == "headrace-worker"]


def kill_one(child, chance):
    """The host, or one of its workers."""
    workers = workers_of(child.pid) if chance.random() < 0.5 else []
    try:
        os.kill(chance.choice(workers) if workers else child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_kills(h):
    chance = random.Random(int(os.environ.get("HR_SEED", "1")))
    prepare(h, "whole")
    start = time.time()
    h.run("run", "--quiet", cwd=h.path("whole"))
    span = time.time() - start
    want = results(h, "whole")
    assert want
    for n in range(KILLS):
        where = "k%d" % n
        prepare(h, where)
        child = subprocess.Popen([COMMAND, "run", "--quiet"], cwd=h.path(where), env=h.env,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(chance.random() * span)
        kill_one(child, chance)
        _, err = child.communicate(timeout=120)
        assert "Sanitizer" not in err, err
        if child.returncode:
            result = h.run("resume", "--quiet", cwd=h.path(where), code=None)
            if result.code and "nothing has run" in result.err + result.out or \
                    result.code and "no project" in result.err:
                h.run("run", "--quiet", cwd=h.path(where))  # it was killed before it began
            elif result.code and "nothing to resume" in result.err:
                # it had published all; the package of its model may be what is left to do
                h.run("doctor", "--repair", cwd=h.path(where), code=None)
            elif result.code:
                raise AssertionError("kill %d: %s" % (n, result))
        left_nothing(h, where)
        got = results(h, where)
        assert got == want, "kill %d\n%s\n%s" % (n, got, want)
        shutil.rmtree(h.path(where))


def test_at_once(h):
    """Runs of one pipeline at once on one project, and another program in the store."""
    prepare(h, "p")
    where = h.path("p")
    h.run("run", "--quiet", "--to", "examples", cwd=where, code=None)
    subprocess.run(["rm", "-rf", h.path("p", ".headrace")], check=True)
    children = [subprocess.Popen([COMMAND, "run", "--quiet"] + (["--jobs", "4"] if i < 3 else []),
                                 cwd=where, env=h.env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True) for i in range(8)]
    wrote, stop = [], threading.Event()

    def foreign():
        """A client that puts and reads rows of its own."""
        store = h.path("p", ".headrace", "metadata.sqlite")
        while not stop.is_set():
            try:
                with sqlite3.connect(store, timeout=20) as db:
                    cursor = db.execute("INSERT INTO Artifact (type_id, uri, create_time_since_"
                                        "epoch, last_update_time_since_epoch) SELECT id, 'mine', "
                                        "0, 0 FROM Type WHERE name = 'Examples'")
                    if cursor.rowcount:
                        wrote.append(cursor.lastrowid)
            except sqlite3.OperationalError as e:
                if "no such table" not in str(e) and "unable to open" not in str(e):
                    raise
            time.sleep(0.02)

    client = threading.Thread(target=foreign)
    client.start()
    errors = [c.communicate(timeout=230)[1] for c in children]
    stop.set()
    client.join()
    assert [c.returncode for c in children] == [0] * 8, errors
    left_nothing(h, "p")
    with sqlite3.connect(h.path("p", ".headrace", "metadata.sqlite")) as db:
        mine = [r[0] for r in db.execute("SELECT id FROM Artifact WHERE uri = 'mine' ORDER BY id")]
        twice = db.execute(
            "SELECT p.string_value, count(*) FROM Execution e JOIN ExecutionProperty p ON "
            "p.execution_id = e.id AND p.name = '__cache_key' JOIN Type t ON t.id = e.type_id "
            "WHERE e.last_known_state = 3 AND t.name NOT LIKE '%Evaluator' AND t.name NOT LIKE "
            "'%CsvExampleGen' GROUP BY 1 HAVING count(*) > 1").fetchall()
    assert mine == wrote and wrote, (len(mine), len(wrote))
    assert twice == [], "executed twice: %s" % twice


if __name__ == "__main__":
    main(globals())
