"""publish.py BUILD [ROUNDS]: a model of 500 MB into the registry, and its package verified.

BUILD is a release build with tests.  Peers are taken in turn in the same run: "tar --zstd" of the
model, and sha256sum of the package.  The model is float32 weights as training leaves them; it is
on the disk (synced) before anything is measured, as a trainer's output is when it is pushed.
Prints medians and their ratios; a line over its limit is marked, and the exit status is then 1.
"""
import array
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

CPU = {}  # of the last of each program, user and system
LIMITS = {"publish": 1 / 3, "verify": 1.2}


def make_model(where):
    """Random signs and mantissas, few exponents; no two MiB alike."""
    random.seed(7)
    some = array.array("f", (random.gauss(0, 0.05) for _ in range(1 << 20))).tobytes()
    mask = int.from_bytes(b"\xff\xff\x7f\x80" * (1 << 20), "little")
    base = int.from_bytes(some, "little") & ~mask
    os.makedirs(where)
    with open(os.path.join(where, "weights.bin"), "wb") as f:
        for _ in range(125):
            noise = int.from_bytes(os.urandom(len(some)), "little") & mask
            f.write((base | noise).to_bytes(len(some), "little"))
        f.truncate(500_000_000)
    with open(os.path.join(where, "model.json"), "w", encoding="ascii") as f:
        f.write('{"format": 1}')


def run(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit("%s: exit %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    CPU[os.path.basename(command[0])] = after.ru_utime + after.ru_stime - before.ru_utime - \
        before.ru_stime
    return wall, done.stdout


def round_of(build, work, model):
    """Seconds of each, in one round."""
    figures = {}
    tar = os.path.join(work, "model.tzst")
    figures["tar --zstd"] = run("tar", "--zstd", "-cf", tar, "-C", model, ".")[0]
    os.remove(tar)
    project = os.path.join(work, "project")
    staged = os.path.join(project, ".headrace", "artifacts", ".staging", "model")
    os.makedirs(os.path.dirname(staged))
    shutil.copytree(model, staged)
    os.sync()
    out = run(os.path.join(build, "tests", "publish"), project, staged)[1]
    seal, store, pack = (float(x) for x in out.split())
    figures.update({"publish": seal + store + pack, "  seal": seal, "  store": store,
                    "  pack": pack})
    package = os.path.join(project, ".headrace/registry/models/bench/bench-1.hrp")
    os.sync()
    figures["verify"] = run(os.path.join(build, "bin", "headrace"), "package", "verify",
                            package)[0]
    figures["sha256sum"] = run("sha256sum", package)[0]
    figures["size"] = os.path.getsize(package)
    shutil.rmtree(project)
    os.sync()
    return figures


def main():
    build, rounds = os.path.abspath(sys.argv[1]), int((sys.argv[2:] or ["5"])[0])
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as work:
        model = os.path.join(work, "model")
        make_model(model)
        os.sync()
        all_figures = [round_of(build, work, model) for _ in range(rounds)]
    median = {k: sorted(f[k] for f in all_figures)[rounds // 2] for k in all_figures[0]}
    bad = 0
    for name, peer in (("tar --zstd", None), ("publish", "tar --zstd"), ("  seal", None),
                       ("  store", None), ("  pack", None), ("sha256sum", None),
                       ("verify", "sha256sum")):
        ratio = median[name] / median[peer] if peer else None
        over = peer and ratio > LIMITS[name]
        bad += bool(over)
        print("%-12s %8.3f s%s%s" % (name, median[name], "  %.2f of %s, limit %.2f" % (
            ratio, peer, LIMITS[name]) if peer else "", "  OVER" if over else ""))
    print("CPU: " + ", ".join("%s %.2f s" % c for c in sorted(CPU.items())))
    print("package %.1f MB of %.1f" % (median["size"] / 1e6, 500.0))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
