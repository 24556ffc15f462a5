"""transform.py BUILD [BATCHES...]: the taxi features of batches of 4 096 rows, against scikit-learn.

BUILD is a release build with tests. Needs numpy, pyarrow and scikit-learn (PyPI). The plan is that
of a run of the taxi pipeline; the rows are drawn from its examples. Both have the columns of a batch
in memory, as each wants them, and leave its features in memory. The peer is scikit-learn's
transformers, called one after another without the cost of a ColumnTransformer: SimpleImputer, then
StandardScaler, OrdinalEncoder and KBinsDiscretizer, and NumPy for the label. Scales are fitted to
the same rows as our plan; words and borders are those of our plan, so that results can be compared.
It does not hash the two census tracts nor spread unknown words over buckets, for which it has
nothing of the kind; we do. In turn, medians of five; CPU time, one thread.
"""
import sys

sys.path.append(sys.path.pop(0))  # modules of Python have names of files here
import json
import math
import os
import statistics
import subprocess
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np
import pyarrow as pa
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import KBinsDiscretizer, OrdinalEncoder, StandardScaler

import taxi

BATCH, TURNS, ROUNDS = 4096, 5, 20
SCALED = ["trip_miles", "fare", "trip_seconds"]
WORDS = ["payment_type", "company"]
PLACES = ["pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude"]
INTS = ["trip_start_hour", "trip_start_day", "trip_start_month", "pickup_community_area",
        "dropoff_community_area"]


def floats(table, names):
    return np.stack([table[n].cast(pa.float32()).to_numpy(zero_copy_only=False).astype(np.float32)
                     for n in names], 1)


def words(table):
    return np.stack([np.array([v.decode() if v else "" for v in table[n].to_pylist()], object)
                     for n in WORDS], 1)


class Batch:
    """The columns as scikit-learn wants them."""

    def __init__(self, table):
        self.scaled, self.places = floats(table, SCALED), floats(table, PLACES)
        self.ints, self.words = floats(table, INTS), words(table)
        self.fare, self.tips = floats(table, ["fare"])[:, 0], floats(table, ["tips"])[:, 0]


class Peer:
    def __init__(self, graph, train):
        with open(os.path.join(graph, "transform_fn", "plan.json"), encoding="utf-8") as f:
            plan = json.load(f)
        steps = {o["name"]: plan["steps"][o["step"]] for o in plan["outputs"]}
        fill = SimpleImputer(strategy="constant", fill_value=0).set_output(transform="default")
        self.fill, b = fill.fit(train.scaled), train
        self.fill_places = SimpleImputer(strategy="constant", fill_value=0).fit(b.places)
        self.fill_ints = SimpleImputer(strategy="constant", fill_value=0).fit(b.ints)
        self.scale = StandardScaler().fit(self.fill.transform(b.scaled))
        self.encode = OrdinalEncoder(categories=[self.lines(graph, plan, steps[n + "_xf"])
                                                 for n in WORDS], dtype=np.int64,
                                     handle_unknown="use_encoded_value", unknown_value=-1)
        self.encode.fit(b.words)
        self.bins = KBinsDiscretizer(10, encode="ordinal", quantile_method="linear")
        self.bins.fit(self.fill_places.transform(b.places))
        for k, n in enumerate(PLACES):
            borders = plan["steps"][steps[n + "_xf"]["args"][1]]["floats"]
            self.bins.bin_edges_[k] = np.array([-np.inf, *borders, np.inf], np.float32)

    @staticmethod
    def lines(graph, plan, step):
        vocabulary = plan["vocabularies"][plan["steps"][step["args"][1]]["ints"][0]]
        path = os.path.join(graph, "transform_fn", "assets", vocabulary["name"])
        with open(path, encoding="utf-8") as f:
            return np.array(f.read().splitlines(), object)

    def transform(self, b):
        with np.errstate(invalid="ignore"):
            label = np.where(np.isnan(b.fare), 0, b.tips > b.fare * np.float32(.2))
        return (self.scale.transform(self.fill.transform(b.scaled)),
                self.encode.transform(b.words),
                self.bins.transform(self.fill_places.transform(b.places)),
                self.fill_ints.transform(b.ints), label)


def column(out, name):
    return np.asarray(out[name + "_xf"])


def check(out, results):
    scaled, coded, places, ints, label = (np.concatenate(r) for r in zip(*results))
    for k, n in enumerate(SCALED):
        np.testing.assert_allclose(column(out, n), scaled[:, k], rtol=1e-4, atol=1e-4)
    for k, n in enumerate(WORDS):
        known = coded[:, k] >= 0
        assert (column(out, n)[known] == coded[known, k]).all(), n
        assert (column(out, n)[~known] > coded[:, k].max()).all(), n
    for names, want in ((PLACES, places), (INTS, ints)):
        for k, n in enumerate(names):
            assert (column(out, n) == want[:, k]).all(), n
    assert (column(out, "tips") == label).all()


def measure(peer, batches):
    best = math.inf
    for _ in range(3):
        start = time.process_time()
        results = [peer.transform(b) for b in batches]
        best = min(best, time.process_time() - start)
    return best * 1e9 / (len(batches) * BATCH), results


def main(build, *sizes):
    build, last = os.path.abspath(build), None
    print("| rows | Headrace, ns a row | exponent | scikit-learn %s, ns a row | ratio |"
          % sklearn.__version__)
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as home:
        run = taxi.Run(build, home)
        train = run.rows(run.examples, "train")
        peer = Peer(run.graph, Batch(train))
        path, made = os.path.join(home, "rows.arrow"), os.path.join(home, "out.arrow")
        for n in [int(s) for s in sizes] or [10, 100]:
            pick = np.random.default_rng(11).integers(0, train.num_rows, n * BATCH)
            table = train.take(pa.array(pick))
            taxi.write(table, path, BATCH)
            batches = [Batch(table.slice(k * BATCH, BATCH)) for k in range(n)]
            mine, its = [], []
            for _ in range(TURNS):
                ours = json.loads(subprocess.check_output(
                    [os.path.join(build, "tests", "transform"), run.graph, path, made,
                     str(ROUNDS)]))
                took, results = measure(peer, batches)
                mine.append(ours["ns"])
                its.append(took)
            check(taxi.read(made), results)
            a, b = statistics.median(mine), statistics.median(its)
            growth = "%.2f" % (1 + math.log(a / last[1]) / math.log(n / last[0])) if last else ""
            print("| %d | %.1f | %s | %.0f | %.3f |" % (n * BATCH, a, growth, b, a / b))
            last = n, a


if __name__ == "__main__":
    main(*sys.argv[1:])
