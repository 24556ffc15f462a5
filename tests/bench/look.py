"""look.py BIN: looking at a store of 100 000 executions.

BIN is the folder of the commands of a release build. A store of RUNS runs with ten executions each
is written by SQL as the launcher would write it - contexts, properties, events, each artifact used
by a later execution - and every command is timed ROUNDS times, whole, as a user waits for it. The
table has medians; a line that is over its limit is marked, and the exit status is then 1.
"""
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

ROUNDS, RUNS, NODES, LIMIT = 15, 10000, 10, 0.03
COMMANDS = [(["runs"], LIMIT), (["lineage", "artifact", "99995"], LIMIT),
            (["lineage", "artifact", "5"], LIMIT), (["executions"], LIMIT), (["artifacts"], LIMIT),
            (["show", "run", "5000"], LIMIT), (["why", "n7"], LIMIT),
            (["why", "n3", "--run", "5000"], LIMIT), (["runs", "--filter", "state = FAILED"], None),
            (["executions", "--filter", "node = n7", "--limit", "5"], None),
            (["runs", "--csv"], None)]


def types(db):
    def new(name, kind):
        return db.execute("INSERT INTO Type (name, type_kind) VALUES (?, ?)", (name, kind)).lastrowid

    return {"pipeline": new("pipeline", 2), "run": new("pipeline_run", 2), "node": new("node", 2),
            "cache": new("execution_cache", 2), "artifact": new("Examples", 1),
            "execution": new("org.example.Step", 0)}


def context(db, kind, name):
    return db.execute("INSERT INTO Context (type_id, name, create_time_since_epoch) VALUES"
                      " (?, ?, 1)", (kind, name)).lastrowid


def one_run(db, t, pipeline, nodes, i):
    run = context(db, t["run"], "bench-%06d" % i)
    db.execute("INSERT INTO ParentContext VALUES (?, ?)", (run, pipeline))
    last = None
    for k in range(NODES):
        e = db.execute("INSERT INTO Execution (type_id, last_known_state, create_time_since_epoch,"
                       " last_update_time_since_epoch) VALUES (?, ?, ?, ?)",
                       (t["execution"], 4 if i % 100 == 0 and k == 9 else 3, i * 100 + k,
                        i * 100 + k + 1)).lastrowid
        a = db.execute("INSERT INTO Artifact (type_id, uri, state) VALUES (?, ?, 2)",
                       (t["artifact"], "/nowhere/%d" % e)).lastrowid
        cache = context(db, t["cache"], "%064x" % e)
        for c in (pipeline, run, nodes[k], cache):
            db.execute("INSERT INTO Association (context_id, execution_id) VALUES (?, ?)", (c, e))
        for c in (pipeline, run, nodes[k]):
            db.execute("INSERT INTO Attribution (context_id, artifact_id) VALUES (?, ?)", (c, a))
        for name in ("__host", "__cache_key", "__plugin", "__summary", "__walls"):
            db.execute("INSERT INTO ExecutionProperty (execution_id, name, is_custom_property,"
                       " string_value) VALUES (?, ?, 1, ?)",
                       (e, name, "%064x" % e if name == "__cache_key" else "%s %d" % (name, e)))
        db.execute("INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property,"
                   " string_value) VALUES (?, '__digest', 1, ?)", (a, "%064x" % a))
        for event, artifact in ((4, a), (3, last)):
            if artifact:
                v = db.execute("INSERT INTO Event (artifact_id, execution_id, type) VALUES"
                               " (?, ?, ?)", (artifact, e, event)).lastrowid
                db.execute("INSERT INTO EventPath VALUES (?, 0, NULL, 'examples')", (v,))
                db.execute("INSERT INTO EventPath VALUES (?, 1, 0, NULL)", (v,))
        last = a


def build(headrace, place):
    subprocess.run([headrace, "init"], cwd=place, check=True, capture_output=True)
    with sqlite3.connect(os.path.join(place, ".headrace", "metadata.sqlite")) as db:
        t = types(db)
        pipeline = context(db, t["pipeline"], "bench")
        nodes = [context(db, t["node"], "bench.n%d" % k) for k in range(NODES)]
        for i in range(RUNS):
            one_run(db, t, pipeline, nodes, i)


def main(folder):
    headrace = os.path.join(os.path.abspath(folder), "headrace")
    late = False
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as place:
        build(headrace, place)
        print("| command | ms | limit | lines |\n|---|---|---|---|")
        for words, limit in COMMANDS:
            seconds = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                done = subprocess.run([headrace, *words], cwd=place, capture_output=True, text=True,
                                      check=True)
                seconds.append(time.perf_counter() - start)
            s = sorted(seconds)[ROUNDS // 2]
            over = limit and s > limit
            late |= bool(over)
            print("| `%s` | %.1f | %s%s | %d |" % (" ".join(words), s * 1e3,
                  "%g" % (limit * 1e3) if limit else "", " OVER" if over else "",
                  len(done.stdout.splitlines())))
    sys.exit(late)


if __name__ == "__main__":
    main(*sys.argv[1:])
