"""nodes.py BUILD: 1 000 nodes that do nothing, against make -j2 with 1 000 rules of /bin/true.

BUILD is a release build with tests. Each figure is the median of ROUNDS, taken in turn: isolated in
workers, in the host's own process, and make; and the check of the same pipeline. Every node's
metadata is published and durable before the run ends.
"""
import os
import subprocess
import sys
import tempfile
import time

ROUNDS, NODES = 5, 1000


def timed(command, cwd):
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(build):
    headrace = os.path.join(build, "bin", "headrace")
    plugins = ["--plugin-path", os.path.join(build, "test_plugins")]
    figures, moved = {"make": [], "workers": [], "in process": [], "check": []}, 0
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as home:
        with open(os.path.join(home, "pipeline.json"), "w") as f:
            f.write('{"headrace": 1, "name": "thousand", "nodes": {%s}}' % ", ".join(
                '"n%d": {"component": "Nothing", "cache": false}' % i for i in range(NODES)))
        with open(os.path.join(home, "Makefile"), "w") as f:
            f.write("all: %s\n" % " ".join("t%d" % i for i in range(NODES)))
            f.write("".join("t%d:\n\t@/bin/true\n" % i for i in range(NODES)))
        run = [headrace, "run", "--quiet", "--jobs", "2"] + plugins
        for _ in range(ROUNDS):
            for name, command in (("make", ["make", "-s", "-j2"]), ("workers", run),
                                  ("in process", run + ["--isolation", "none"]),
                                  ("check", [headrace, "check"] + plugins)):
                # Moved, not removed: ext4 goes around the inodes of what was removed just now.
                if os.path.exists(os.path.join(home, ".headrace")):
                    os.rename(os.path.join(home, ".headrace"), os.path.join(home, "old%d" % moved))
                    moved += 1
                figures[name].append(timed(command, home))
    m = {k: sorted(v)[len(v) // 2] for k, v in figures.items()}
    bad = 0
    for name, value, limit in (("workers / make", m["workers"] / m["make"], 1.5),
                               ("in process / workers", m["in process"] / m["workers"], 0.4),
                               ("check, s", m["check"], 0.05)):
        over = value > limit
        bad += over
        print("%-22s %6.3f  at most %.2f%s" % (name, value, limit, "  OVER" if over else ""))
    print("  ".join("%s %.3f s" % (k, v) for k, v in m.items()))
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1])))
