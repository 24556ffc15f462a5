"""pipelines.py BIN: the penguin and the taxi pipeline, from nothing and all cached, and the start.

BIN is the folder of the commands of a release build. Each figure is the median of ROUNDS, taken in
turn; times are wall clock of the whole command, as a user waits for it. The peer is TFX 1.16 on a
machine of this kind, measured once (it cannot be installed beside us): those figures are given.
A line that is over its limit is marked, and the exit status is then 1.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

ROUNDS = 9
TFX = {"penguin": 55.6, "penguin, all cached": 10.1, "taxi": 74.2}
LIMITS = {"penguin": 0.12, "penguin, all cached": 0.025, "taxi": 0.6,
          "taxi but its trainer": 0.2, "taxi, all cached": 0.025, "version": 0.004}


def timed(command, cwd):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit("%s: exit %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    return time.perf_counter() - start, done.stdout


def trainer_seconds(out):
    for line in out.splitlines():
        event = json.loads(line)
        if event.get("node") == "trainer" and "duration_us" in event:
            return event["duration_us"] / 1e6
    sys.exit("the run told no duration of its trainer")


def round_of(headrace, name, args, figures):
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as home:
        place = os.path.join(home, name)
        timed([headrace, "new", place, "--template", name], home)
        first, out = timed([headrace, "run", "--json", *args], place)
        figures.setdefault(name, []).append(first)
        if name == "taxi":
            figures.setdefault("taxi but its trainer", []).append(first - trainer_seconds(out))
        for _ in range(2):  # the second still compares with the first model
            last, out = timed([headrace, "run", *args], place)
        figures.setdefault(name + ", all cached", []).append(last)


def main(folder):
    headrace = os.path.join(os.path.abspath(folder), "headrace")
    figures = {}
    for _ in range(ROUNDS):
        round_of(headrace, "penguin", [], figures)
        round_of(headrace, "taxi", [], figures)
        for _ in range(5):
            figures.setdefault("version", []).append(timed([headrace, "version"], "/")[0])
    print("| | s | limit | TFX 1.16, s | ratio |\n|---|---|---|---|---|")
    late = False
    for name, limit in LIMITS.items():
        s = sorted(figures[name])[len(figures[name]) // 2]
        late |= s > limit
        peer = TFX.get(name)
        print("| %s | %.4f | %g%s | %s | %s |" % (name, s, limit, " OVER" if s > limit else "",
              peer or "", "1/%d" % round(peer / s) if peer else ""))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print("\nPeak memory of the largest process: %.1f MB" % (peak / 1024))
    sys.exit(late)


if __name__ == "__main__":
    main(*sys.argv[1:])
