"""What the benchmarks of features, training and predictions share: a run of the taxi pipeline, the
parts of its artifacts, and its net as numbers."""
import json
import os
import struct
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.ipc


class Run:
    """The taxi pipeline, run in a folder; paths of what it made."""

    def __init__(self, build, home):
        headrace = os.path.join(build, "bin", "headrace")
        self.place = os.path.join(home, "taxi")
        new = [headrace, "new", self.place, "--template", "taxi"]
        subprocess.run(new, check=True, capture_output=True)
        subprocess.run([headrace, "run"], cwd=self.place, check=True, capture_output=True)
        for base, folders, names in os.walk(os.path.join(self.place, ".headrace", "artifacts")):
            if "transform_fn" in folders and "net.json" not in names:
                self.graph = base
            if "net.json" in names:
                self.model = base
            if "Split-train" in folders and "transform" in os.path.relpath(base, self.place):
                self.features = base
            elif "Split-train" in folders and os.path.relpath(base, self.place).count("examples"):
                self.examples = base

    @staticmethod
    def rows(base, split):
        folder = os.path.join(base, "Split-" + split)
        files = [os.path.join(folder, n) for n in sorted(os.listdir(folder))]
        return pa.concat_tables([read(f) for f in files if f.endswith(".arrow")])


def read(path):
    with pa.memory_map(path) as f:
        return pa.ipc.open_file(f).read_all()


def write(table, path, batch):
    """As an Arrow file in batches of so many rows."""
    table = table.combine_chunks().unify_dictionaries()
    with pa.OSFile(path, "wb") as f, pa.ipc.new_file(f, table.schema) as w:
        w.write_table(table, max_chunksize=batch)


class Net:
    """net.json and weights.bin of a model: a wide and deep net, and the rows that it takes."""

    def __init__(self, folder):
        with open(os.path.join(folder, "net.json"), encoding="utf-8") as f:
            self.shape = json.load(f)
        with open(os.path.join(folder, "weights.bin"), "rb") as f:
            data = f.read()
        n, = struct.unpack("<Q", data[16:24])
        self.weights = np.frombuffer(data, "<f4", n, 24)
        self.floats = [x for x in self.shape["inputs"] if x["kind"] == "float"]
        self.ids = [x for x in self.shape["inputs"] if x["kind"] == "id"]
        self.table_rows = sum(x["depth"] for x in self.ids)
        self.table = self.weights[:self.table_rows].reshape(-1, 1)
        sizes = [len(self.floats), *self.shape["hidden"], 1]
        self.layers, at = [], self.table_rows
        for i, o in zip(sizes, sizes[1:]):
            self.layers.append((self.weights[at:at + i * o].reshape(i, o),
                                self.weights[at + i * o:at + i * o + o]))
            at += i * o + o
        assert at == n, "the net is not a wide and deep one of one output"

    def rows(self, table):
        """Floats, and rows of the table of weights; ids without one go to the row behind it."""
        floats = [np.asarray(table[x["name"]].fill_null(0), np.float32) for x in self.floats]
        ids, at = [], 0
        for x in self.ids:
            v = np.asarray(table[x["name"]].fill_null(x["first"] - 1), np.int64) - x["first"]
            ids.append(np.where((v >= 0) & (v < x["depth"]), v + at, self.table_rows))
            at += x["depth"]
        return np.stack(floats, 1), np.stack(ids, 1)
