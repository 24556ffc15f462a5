"""tfrecord.py BUILD [ROWS...]: reading and writing records of tf.Example against protobuf's C++.

BUILD is a release build with tests. The peer is built here, from tfrecord_peer.cc: it needs g++,
protoc and libprotobuf-dev. Records are made from the CSV of csv_split.py by the program of that
name. Ours has the frame with its checksums in it, the peer has not; neither has gzip. In turn,
medians of five, nanoseconds of CPU a row. Before a ratio is printed, what either writes again is
compared with what was read, byte for byte.
"""
import sys

sys.path.pop(0)  # a file beside this one has the name of a module of Python's
import glob
import gzip
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROTO = """syntax = "proto3";
package tensorflow;
option cc_enable_arenas = true;
message BytesList { repeated bytes value = 1; }
message FloatList { repeated float value = 1 [packed = true]; }
message Int64List { repeated int64 value = 1 [packed = true]; }
message Feature { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
message Features { map<string, Feature> feature = 1; }
message Example { Features features = 1; }
"""


def build_peer(folder):
    with open(os.path.join(folder, "example.proto"), "w") as f:
        f.write(PROTO)
    subprocess.run(["protoc", "--cpp_out=.", "example.proto"], cwd=folder, check=True)
    subprocess.run(["g++", "-O2", "-I.", "-o", "peer", os.path.join(HERE, "tfrecord_peer.cc"),
                    "example.pb.cc", "-lprotobuf", "-lpthread"], cwd=folder, check=True)
    return os.path.join(folder, "peer")


def taxi_rows(path, rows):
    """Like the CSV of csv_split.py."""
    r = random.Random(7)
    names = ["area", "fare", "month", "hour", "day", "timestamp", "pickup_latitude",
             "pickup_longitude", "dropoff_latitude", "dropoff_longitude", "miles", "pickup_tract",
             "dropoff_tract", "payment_type", "company", "seconds", "dropoff_area", "tips"]
    with open(path, "w") as f:
        f.write(",".join(names) + "\n")
        for _ in range(rows):
            some = lambda text, share: text if r.random() > share else ""
            f.write(",".join([
                some(str(r.randint(1, 77)), .1), "%.2f" % (3 + r.expovariate(.1)),
                str(r.randint(1, 12)), str(r.randint(0, 23)), str(r.randint(1, 7)),
                str(1380000000 + r.randint(0, 10 ** 7) * 900),
                *(some("%.9f" % (r.random() * 90), .1) for _ in range(4)),
                "%.1f" % r.expovariate(.3), "", some(str(17031000000 + r.randint(0, 999999)), .33),
                r.choice(["Cash", "Credit Card", "No Charge", "Unknown"]),
                r.choice(["Taxi Affiliation Services", "Choice Taxi Association", "Top Cab", ""]),
                str(r.randint(0, 5000)), some(str(r.randint(1, 77)), .1),
                "%.2f" % r.expovariate(.5)]) + "\n")


def records(build, folder, rows):
    csv, out, path = (os.path.join(folder, n) for n in ("a.csv", "out", "records"))
    taxi_rows(csv, rows)
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([os.path.join(build, "tests", "csv_split"), csv, out, "tfrecords_gzip", "all"],
                   check=True)
    with gzip.open(glob.glob(out + "/*/*.gz")[0]) as f, open(path, "wb") as to:
        shutil.copyfileobj(f, to)
    return path


def main():
    build, sizes = os.path.abspath(sys.argv[1]), [int(x) for x in sys.argv[2:]] or [30000, 300000]
    last = None
    with tempfile.TemporaryDirectory() as folder:
        peer = build_peer(folder)
        for rows in sizes:
            path = records(build, folder, rows)
            ours, theirs = [], []
            for _ in range(5):
                for program, to in ((os.path.join(build, "tests", "tfrecord"), ours), (peer, theirs)):
                    to.append(json.loads(subprocess.check_output([program, path])))
            assert ours[0]["crc"] == ours[0]["file_crc"] and theirs[0]["same"]
            assert ours[0]["rows"] == theirs[0]["rows"] == rows
            m = {k: statistics.median(o[k] for o in ours) for k in ("survey", "decode", "encode")}
            p = {k: statistics.median(o[k] for o in theirs) for k in ("decode", "encode")}
            total = sum(m.values()) * rows
            print("%d rows, ns a row: survey %.0f, decode %.0f, protobuf %.0f, ratio %.2f (with the "
                  "survey %.2f); encode %.0f, protobuf %.0f, ratio %.2f%s" % (
                      rows, m["survey"], m["decode"], p["decode"], m["decode"] / p["decode"],
                      (m["survey"] + m["decode"]) / p["decode"], m["encode"], p["encode"],
                      m["encode"] / p["encode"],
                      ", growth %.2f" % (math.log(total / last[1]) / math.log(rows / last[0]))
                      if last else ""))
            last = (rows, total)


main()
