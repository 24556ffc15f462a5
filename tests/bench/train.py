"""train.py BUILD [STEPS...]: training of the taxi net, against PyTorch.

BUILD is a release build with tests. Needs numpy, pyarrow and torch (PyPI, its build for CPUs is
enough). Both train the net of the taxi pipeline on the features that it made, by Adam with batches
of 40 drawn without replacement; one thread; rows are in memory as each wants them. First PyTorch is
given our weights, and must say what we say of the rows of evaluation; at the end both losses on
those rows must be near each other. In turn, medians of three; CPU time. A busy machine gives a
process its turn with cold caches, which costs the larger program more: so STEPS times the peer's
fastest step is told too, and the ratio to that is the one to go by.
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

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch

import taxi

TURNS, BATCH = 3, 40


class Peer(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.table = torch.nn.Embedding(net.table_rows + 1, 1)
        sizes = [len(net.floats), *net.shape["hidden"], 1]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))
        torch.nn.init.uniform_(self.table.weight, -.05, .05)
        with torch.no_grad():
            self.table.weight[-1] = 0

    def forward(self, floats, ids):
        x = floats
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return (self.layers[-1](x) + self.table(ids).sum(1)).squeeze(1)


def loss_of(peer, rows):
    with torch.no_grad():
        z = peer(rows[0], rows[1])
        hit = ((z > 0) == (rows[2] > .5)).float().mean().item()
        return torch.nn.functional.binary_cross_entropy_with_logits(z, rows[2]).item(), hit


def check_net(net, rows, ours):
    """The same weights, the same answers: it is the same net."""
    peer = Peer(net)
    with torch.no_grad():
        peer.table.weight[:-1] = torch.tensor(net.table.copy())
        for layer, (w, b) in zip(peer.layers, net.layers):
            layer.weight[:] = torch.tensor(w.T.copy())
            layer.bias[:] = torch.tensor(b.copy())
    loss, hit = loss_of(peer, rows)
    assert math.isclose(loss, ours["loss"], rel_tol=1e-4), (loss, ours)
    assert math.isclose(hit, ours["accuracy"], abs_tol=1e-3), (hit, ours)


def train(net, rows, steps, seed):
    torch.manual_seed(seed)
    peer, n = Peer(net), len(rows[2])
    adam = torch.optim.Adam(peer.parameters(), lr=.01, eps=1e-7, fused=True)
    fastest, start = math.inf, time.process_time()
    order, at = torch.randperm(n), 0
    for _ in range(steps):
        begin = time.process_time()
        if at + BATCH > n:
            order, at = torch.randperm(n), 0
        pick = order[at:at + BATCH]
        at += BATCH
        adam.zero_grad()
        z = peer(rows[0][pick], rows[1][pick])
        torch.nn.functional.binary_cross_entropy_with_logits(z, rows[2][pick]).backward()
        adam.step()
        fastest = min(fastest, time.process_time() - begin)
    return time.process_time() - start, fastest * steps, peer


def tensors(net, table):
    floats, ids = net.rows(table)
    label = np.asarray(table[net.shape["label"]], np.float32)
    return torch.tensor(floats), torch.tensor(ids), torch.tensor(label)


def main(build, *sizes):
    build, last = os.path.abspath(build), None
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print("| steps | Headrace, CPU s | exponent | PyTorch %s, CPU s | ratio | steps times its "
          "fastest | ratio |\n|---|---|---|---|---|---|---|" % torch.__version__, flush=True)
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as home:
        run = taxi.Run(build, home)
        tables = [run.rows(run.features, split) for split in ("train", "eval")]
        files = [os.path.join(home, name) for name in ("train.arrow", "eval.arrow")]
        for table, path in zip(tables, files):
            taxi.write(table, path, 4096)
        for steps in [int(s) for s in sizes] or [1000, 10000]:
            mine, its, least = [], [], []
            for turn in range(TURNS):
                out = os.path.join(home, "net_%d_%d" % (steps, turn))
                os.mkdir(out)
                ours = json.loads(subprocess.check_output(
                    [os.path.join(build, "tests", "train"), run.model, *files, out, str(steps)]))
                net = taxi.Net(out)
                rows = [tensors(net, t) for t in tables]
                if not turn:
                    check_net(net, rows[1], ours)
                    train(net, rows[0], 100, 0)  # warm
                took, fastest, peer = train(net, rows[0], steps, turn)
                mine.append(ours["train"])
                its.append(took)
                least.append(fastest)
            its_loss = loss_of(peer, rows[1])
            assert steps > 1000 or abs(its_loss[0] - ours["loss"]) < .05, (its_loss, ours)
            a, b = statistics.median(mine), statistics.median(its)
            growth = "%.2f" % (math.log(a / last[1]) / math.log(steps / last[0])) if last else ""
            print("| %d | %.4f | %s | %.3f | %.3f | %.3f | %.3f |" %
                  (steps, a, growth, b, a / b, min(least), a / min(least)), flush=True)
            last = steps, a


if __name__ == "__main__":
    main(*sys.argv[1:])
