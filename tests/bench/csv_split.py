"""CSV of 1 M rows x 18 columns to two split files: ours (Arrow) against DuckDB (Parquet); and to one
file: ours against polars, both Arrow.

    python csv_split.py PROGRAM [ROWS]        PROGRAM: the release build of csv_split.c

Needs duckdb, polars and pyarrow.  All run in turn, warm-up first; the table has the medians of CPU
time (user and system) of whole processes.  What was written is compared before.  Memory is what
memory.py looks at.
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
POLARS = """
import polars, sys
polars.read_csv(sys.argv[1]).write_ipc(sys.argv[2] + "/all.arrow")
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
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - start


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


def compare_all(out, polars):
    """Ours has the columns by name, texts as bytes and floats of 32 bits."""
    ours = pa.ipc.open_file(os.path.join(out, "Split-all", "data-00000-of-00001.arrow")).read_all()
    theirs = pa.ipc.open_file(os.path.join(polars, "all.arrow")).read_all()
    assert ours.num_rows == theirs.num_rows
    for name in ("trip_start_timestamp", "dropoff_census_tract", "pickup_community_area"):
        assert ours.column(name).cast(pa.int64()).combine_chunks() == theirs.column(name).combine_chunks()
    for name in ("fare", "pickup_latitude", "tips"):
        a, b = ours.column(name).combine_chunks(), theirs.column(name).cast(pa.float32(), safe=False)
        assert a == b.combine_chunks(), name


def measure(program, rows, folder):
    path, out, one, duck, polars = (os.path.join(folder, n)
                                    for n in ("a.csv", "out", "one", "duck_out", "polars_out"))
    make(path, rows)
    for name, text in ((duck, DUCK.replace("%%", "%")), (polars, POLARS)):
        with open(name + ".py", "w") as f:
            f.write(text)
    commands = {"headrace, split": [program, path, out],
                "DuckDB, split": [sys.executable, duck + ".py", path, duck],
                "headrace, one": [program, path, one, "arrow", "all"],
                "polars, one": [sys.executable, polars + ".py", path, polars]}
    times = {name: [] for name in commands}
    for i in range(4):
        for name in (out, one, duck, polars):
            shutil.rmtree(name, ignore_errors=True)
        os.mkdir(duck)
        os.mkdir(polars)
        for name, command in commands.items():
            took = run(command)
            if i:
                times[name].append(took)
    compare(out, duck)
    compare_all(one, polars)
    size = os.path.getsize(path)
    print("CSV of %d rows x %d, %.0f MB, " % (rows, len(COLUMNS), size / 1e6))
    medians = {n: [statistics.median(t[k] for t in all_times) for k in range(2)]
               for n, all_times in times.items()}
    return medians


def main():
    program, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    small = None
    for n in (rows // 10, rows):
        with tempfile.TemporaryDirectory() as folder:
            medians = measure(program, n, folder)
        print("%-18s %8s %8s %8s %9s" % ("", "CPU s", "wall s", "ratio", "exponent"))
        for name, (cpu, wall) in medians.items():
            base = medians["DuckDB, split" if name.endswith("split") else "polars, one"][0]
            growth = "%9.2f" % math.log10(cpu / small[name][0]) if small else ""
            print("%-18s %8.2f %8.2f %8.2f %s" % (name, cpu, wall, cpu / base, growth))
        small = medians


main()
