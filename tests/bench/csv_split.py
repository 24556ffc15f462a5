"""CSV of 1 M rows x 18 columns to two split files: ours (Arrow) against DuckDB (Parquet).

    python csv_split.py PROGRAM [ROWS]        PROGRAM: the release build of csv_split.c

Needs duckdb and pyarrow.  Both run in turn, warm-up first; the table has the medians of CPU time
(user and system) of whole processes.  What was written is compared before.
"""
import sys

sys.path.pop(0)  # a file beside this one has the name of a module of Python's
import math
import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ["pickup_community_area", "fare", "trip_start_month", "trip_start_hour",
           "trip_start_day", "trip_start_timestamp", "pickup_latitude", "pickup_longitude",
           "dropoff_latitude", "dropoff_longitude", "trip_miles", "pickup_census_tract",
           "dropoff_census_tract", "payment_type", "company", "trip_seconds",
           "dropoff_community_area", "tips"]
DUCK = """
import duckdb, sys
db = duckdb.connect()
db.execute("create table t as select *, hash(t) %% 3 as h from read_csv(?) t", [sys.argv[1]])
for name, where in (("train", "h < 2"), ("eval", "h = 2")):
    db.execute("copy (select * exclude h from t where %s) to '%s/%s.parquet'" %% (where, sys.argv[2], name))
"""


def make(path, rows):
    r = random.Random(7)
    companies = ["Taxi Affiliation Services", "Choice Taxi Association", "Blue Ribbon, Inc",
                 "0118 - 42111 Godfrey S. Awir", "Top Cab", "", "", "Dispatch Taxi Affiliation"]
    payments = ["Cash", "Credit Card", "No Charge", "Unknown"]
    with open(path, "w") as f:
        f.write(",".join(COLUMNS) + "\n")
        for i in range(rows):
            lat, lon = 41.6 + r.random() / 2, -87.9 + r.random() / 2
            company = companies[int(r.random() * 8)]
            cells = [str(r.randint(1, 77)) if r.random() > .1 else "", "%.2f" % (3 + r.expovariate(.1)),
                     str(r.randint(1, 12)), str(r.randint(0, 23)), str(r.randint(1, 7)),
                     str(1380000000 + r.randint(0, 10 ** 7) * 900),
                     "%.9f" % lat if r.random() > .1 else "", "%.9f" % lon if r.random() > .1 else "",
                     "%.9f" % lat if r.random() > .15 else "", "%.9f" % lon if r.random() > .15 else "",
                     "%.1f" % r.expovariate(.3), "",
                     str(17031000000 + r.randint(0, 999999)) if r.random() > .33 else "",
                     payments[int(r.random() ** 3 * 4)],
                     '"%s"' % company if "," in company and r.random() < .3 else company.replace(",", ""),
                     str(r.randint(0, 5000)), str(r.randint(1, 77)) if r.random() > .1 else "",
                     "%.2f" % r.expovariate(.5) if r.random() > .0005 else ""]
            f.write(",".join(cells) + "\n")


def run(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def ours(out):
    parts = []
    for split in ("train", "eval"):
        path = os.path.join(out, "Split-" + split, "data-00000-of-00001.arrow")
        parts.append(pa.ipc.open_file(pa.memory_map(path)).read_all())
    return pa.concat_tables(parts), parts[0].num_rows / (parts[0].num_rows + parts[1].num_rows)


def compare(out, duck):
    table, share = ours(out)
    assert abs(share - 2 / 3) < .01, share
    db = duckdb.connect()
    source = "read_parquet('%s/*.parquet')" % duck
    assert db.execute("select count(*) from " + source).fetchone()[0] == table.num_rows
    for name in ("trip_start_timestamp", "trip_seconds", "dropoff_census_tract", "pickup_community_area"):
        theirs = db.execute("select sum(%s), count(%s) from %s" % (name, name, source)).fetchone()
        column = table.column(name)
        assert int(theirs[0]) == pc.sum(column).as_py(), name
        assert theirs[1] == len(column) - column.null_count, name
    for name in ("fare", "pickup_latitude", "tips"):
        theirs = db.execute("select sum(%s) from %s" % (name, source)).fetchone()[0]
        assert abs(theirs - pc.sum(table.column(name).cast(pa.float64())).as_py()) < 1e-6 * abs(theirs), name
    theirs = db.execute("select payment_type, count(*) from %s group by 1 order by 1" % source).fetchall()
    counts = {v["values"].decode(): v["counts"]
              for v in pc.value_counts(table.column("payment_type").cast(pa.binary())).to_pylist()}
    assert dict(theirs) == counts


def measure(program, rows, folder):
    path, out, duck = (os.path.join(folder, n) for n in ("a.csv", "out", "duck"))
    make(path, rows)
    script = os.path.join(folder, "duck.py")
    with open(script, "w") as f:
        f.write(DUCK.replace("%%", "%"))
    times = {"headrace, Arrow": [], "DuckDB, Parquet": []}
    for i in range(4):
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(duck, ignore_errors=True)
        os.mkdir(duck)
        a = run([program, path, out])
        b = run([sys.executable, script, path, duck])
        if i:
            times["headrace, Arrow"].append(a)
            times["DuckDB, Parquet"].append(b)
    compare(out, duck)
    size = os.path.getsize(path)
    print("CSV of %d rows x %d, %.0f MB, to two split files" % (rows, len(COLUMNS), size / 1e6))
    medians = {n: [statistics.median(t[k] for t in all_times) for k in range(2)]
               for n, all_times in times.items()}
    return medians


def main():
    program, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    small = None
    for n in (rows // 10, rows):
        with tempfile.TemporaryDirectory() as folder:
            medians = measure(program, n, folder)
        base = medians["DuckDB, Parquet"][0]
        print("%-18s %8s %8s %8s %9s" % ("", "CPU s", "wall s", "ratio", "exponent"))
        for name, (cpu, wall) in medians.items():
            growth = "%9.2f" % math.log10(cpu / small[name][0]) if small else ""
            print("%-18s %8.2f %8.2f %8.2f %s" % (name, cpu, wall, cpu / base, growth))
        small = medians


main()
