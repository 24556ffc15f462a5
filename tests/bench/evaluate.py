"""evaluate.py BUILD [ROWS...]: 20 metrics in 10 slices, checked by scikit-learn.

BUILD is a release build with tests. Needs numpy, pyarrow and scikit-learn (PyPI). Rows have a
label, a prediction and the key of a slice: nine values, and all rows. TFMA is not run: what it took
on another machine of this kind, 7.1 s for 5 000 rows, is given, not taken in the run. scikit-learn computes those of the metrics that it has, of each slice, and must agree: exactly
where counts decide, within the width of our 10 000 buckets where areas do. Medians of three.
"""
import sys

sys.path.append(sys.path.pop(0))  # modules of Python have names of files here
import base64
import json
import math
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import pyarrow as pa
from sklearn import metrics as sk

import taxi

TURNS, TFMA = 3, 7.1 / 5000
METRICS = ["ExampleCount", "AUC", "AUCPrecisionRecall", "BinaryAccuracy", "BinaryCrossEntropy",
           "Precision", "Recall", "Specificity", "FallOut", "MissRate", "Prevalence", "Calibration",
           "MeanLabel", "MeanPrediction", "F1Score", "MatthewsCorrelationCoefficient",
           "BalancedAccuracy", "MeanSquaredError", "TruePositives", "FalseNegatives"]
CONFIG = {"model_specs": [{"label_key": "label", "prediction_key": "prediction"}],
          "slicing_specs": [{}, {"feature_keys": ["key"]}],
          "metrics_specs": [{"metrics": [{"class_name": m} for m in METRICS]}]}
AREA = 2e-3


def make(rows):
    r = np.random.default_rng(3)
    label = r.integers(0, 2, rows)
    score = 1 / (1 + np.exp(-(r.normal(0, 1.5, rows) + 1.5 * label - .8)))
    return pa.table({"label": pa.array(label, pa.int64()),
                     "prediction": pa.array(score.astype(np.float32)),
                     "key": pa.array(["k%d" % k for k in r.integers(0, 9, rows)], pa.binary())})


def peer(label, score):
    yes = score > .5
    rough = [("auc", sk.roc_auc_score(label, score)),
             ("auc_precision_recall", sk.average_precision_score(label, score))]
    exact = [("example_count", len(label)), ("binary_accuracy", sk.accuracy_score(label, yes)),
             ("binary_crossentropy", sk.log_loss(label, score.astype(np.float64))),
             ("precision", sk.precision_score(label, yes)), ("recall", sk.recall_score(label, yes)),
             ("f1_score", sk.f1_score(label, yes)),
             ("matthews_correlation_coefficient", sk.matthews_corrcoef(label, yes)),
             ("balanced_accuracy", sk.balanced_accuracy_score(label, yes)),
             ("mean_squared_error", sk.mean_squared_error(label, score))]
    return rough, exact


def values(slice_):
    out = {}
    for m in slice_["metricKeysAndValues"]:
        v = next(iter(m["value"].values()))
        out[m["key"]["name"]] = v.get("value", 0) if isinstance(v, dict) else v
    return out


def check(ours, table):
    label, score = (np.asarray(table[c]) for c in ("label", "prediction"))
    key = np.asarray(table["key"].to_pylist())
    assert len(ours) == 10, len(ours)
    for s in ours:
        pairs = s["sliceKey"].get("singleSliceKeys", [])
        at = key == base64.b64decode(pairs[0]["bytesValue"]) if pairs else key == key
        got = values(s)
        assert len(got) == len(METRICS), sorted(got)
        rough, exact = peer(label[at], score[at])
        for bound, list_ in ((AREA, rough), (1e-6, exact)):
            for name, want in list_:
                assert math.isclose(got[name], want, rel_tol=bound), (name, got[name], want)


def main(build, *sizes):
    build, last = os.path.abspath(build), None
    print("| rows | CPU s | us a row | exponent | scikit-learn, 11 of them, CPU s | TFMA a row, given "
          "| ratio to TFMA |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as home:
        config, path = os.path.join(home, "eval.json"), os.path.join(home, "rows.arrow")
        with open(config, "w", encoding="utf-8") as f:
            json.dump(CONFIG, f)
        for rows in [int(s) for s in sizes] or [10000, 100000]:
            table, mine, its = make(rows), [], []
            taxi.write(table, path, 4096)
            for _ in range(TURNS):
                ours = json.loads(subprocess.check_output(
                    [os.path.join(build, "tests", "evaluate"), config, path]))
                start = time.process_time()
                check(ours["slices"], table)
                its.append(time.process_time() - start)
                mine.append(ours["s"])
            a, b = statistics.median(mine), statistics.median(its)
            growth = "%.2f" % (math.log(a / last[1]) / math.log(rows / last[0])) if last else ""
            print("| %d | %.3f | %.2f | %s | %.3f | %.0f us | 1/%d |" %
                  (rows, a, a / rows * 1e6, growth, b, TFMA * 1e6, TFMA * rows / a))
            last = rows, a


if __name__ == "__main__":
    main(*sys.argv[1:])
