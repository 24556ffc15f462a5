"""predict.py BUILD [CALLS]: one row through hr_model_predict(), against ONNX Runtime.

BUILD is a release build with tests. Needs numpy, pyarrow, onnx and onnxruntime (PyPI). The model is
that of a run of the taxi pipeline. We are asked for raw rows: the features are made within the call.
ONNX Runtime is asked for the features, with the same net and its weights written as an ONNX model,
from Python, whose part of a call is told by that of a model that adds two numbers. Answers are
compared first. In turn, medians of five; CPU time, one thread.
"""
import sys

sys.path.append(sys.path.pop(0))  # modules of Python have names of files here
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
from onnx import TensorProto, helper, numpy_helper

import taxi

TURNS, ROWS = 5, 1000


def session(nodes, inputs, weights):
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "net", inputs, [out], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def network(net):
    """Layers by Gemm, rows of the table by Gather; the row behind it is 0."""
    table = np.concatenate([net.table, np.zeros((1, 1), np.float32)])
    weights = [numpy_helper.from_array(table, "table"),
               numpy_helper.from_array(np.array([1], np.int64), "axis")]
    nodes, x = [], "floats"
    for k, (w, b) in enumerate(net.layers):
        weights += [numpy_helper.from_array(w.copy(), "w%d" % k),
                    numpy_helper.from_array(b.copy(), "b%d" % k)]
        nodes.append(helper.make_node("Gemm", [x, "w%d" % k, "b%d" % k], ["g%d" % k]))
        x = "g%d" % k
        if k + 1 < len(net.layers):
            nodes.append(helper.make_node("Relu", [x], ["r%d" % k]))
            x = "r%d" % k
    nodes += [helper.make_node("Gather", ["table", "ids"], ["rows"]),
              helper.make_node("ReduceSum", ["rows", "axis"], ["wide"], keepdims=0),
              helper.make_node("Add", [x, "wide"], ["logit"]),
              helper.make_node("Sigmoid", ["logit"], ["out"])]
    return session(nodes, [value("floats", TensorProto.FLOAT, [1, len(net.floats)]),
                           value("ids", TensorProto.INT64, [1, len(net.ids)])], weights)


def nothing():
    nodes = [helper.make_node("Add", ["a", "a"], ["out"])]
    return session(nodes, [value("a", TensorProto.FLOAT, [1])], [])


def plain(table):
    """The columns as a model that is opened without a schema reads them."""
    for k, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type) or pa.types.is_null(field.type):
            table = table.set_column(k, field.name, table[field.name].cast(pa.binary()))
    return table


def measure(s, feeds, calls):
    names, n, ask = ["out"], len(feeds), s.run
    start = time.process_time()
    for i in range(calls):
        ask(names, feeds[i % n])
    return (time.process_time() - start) * 1e9 / calls


def main(build, calls="200000"):
    build = os.path.abspath(build)
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as home:
        run = taxi.Run(build, home)
        net = taxi.Net(run.model)
        raw = os.path.join(home, "rows.arrow")
        taxi.write(plain(run.rows(run.examples, "eval").slice(0, ROWS)), raw, ROWS)
        floats, ids = net.rows(run.rows(run.features, "eval").slice(0, ROWS))
        feeds = [{"floats": floats[i:i + 1], "ids": ids[i:i + 1]} for i in range(ROWS)]
        peer, empty = network(net), nothing()
        its = [float(peer.run(["out"], f)[0][0, 0]) for f in feeds]
        mine, them, least = [], [], []
        for _ in range(TURNS):
            ours = json.loads(subprocess.check_output(
                [os.path.join(build, "tests", "predict"), run.place, "taxi", raw, calls]))
            np.testing.assert_allclose(ours["rows"], its, rtol=1e-4, atol=1e-6)
            mine.append(ours["ns"])
            them.append(measure(peer, feeds, int(calls)))
            least.append(measure(empty, [{"a": np.zeros(1, np.float32)}], int(calls)))
    a, b, c = (statistics.median(x) for x in (mine, them, least))
    print("| | us a row | ratio |\n|---|---|---|")
    print("| `hr_model_predict`, raw row to probability | %.2f | %.2f |" % (a / 1000, a / b))
    print("| ONNX Runtime %s, features to probability | %.2f | 1 |" %
          (onnxruntime.__version__, b / 1000))
    print("| of that, a call that adds two numbers | %.2f | |" % (c / 1000))


if __name__ == "__main__":
    main(*sys.argv[1:])
