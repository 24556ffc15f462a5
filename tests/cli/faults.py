"""Every call of the system that the host makes fails once, or it is killed there: nothing is lost.

Sampled in the tests; all of them with HR_FAULTS=all, which says how many there were.  A command is
given a fault at its n-th call, and ends with success or a sentence; then a run without faults ends
well with the bytes that an undisturbed run makes, and doctor finds nothing.
"""
import hashlib
import os
import random
import shutil

from driver import BUILD, main

PRELOAD = os.path.join(BUILD, "test_preload", "fail_call.so")
SAMPLE = {"once": 6, "full": 3, "always": 3, "kill": 6}
# Evaluations name where the model lies, runs their numbers.
LEFT_OUT = ("evaluation", "blessing")


def outputs(h):
    """Digests of what lies in the artifacts, by node and output, the newest of each."""
    found = {}
    top = h.path("p", ".headrace", "artifacts")
    for node in sorted(os.listdir(top)):
        for key in sorted(os.listdir(os.path.join(top, node))) if node[0] != "." else ():
            newest = max(os.listdir(os.path.join(top, node, key)), key=int)
            sha = hashlib.sha256()
            for where, dirs, files in os.walk(os.path.join(top, node, key, newest)):
                dirs.sort()
                for name in sorted(files):
                    sha.update(name.encode() + open(os.path.join(where, name), "rb").read())
            if key not in LEFT_OUT:
                found[node + "/" + key] = sha.hexdigest()
    return found


def fresh(h):
    shutil.rmtree(h.path("p", ".headrace"), ignore_errors=True)
    shutil.rmtree(h.path("p", "serving"), ignore_errors=True)


def faulty(h, at, how, *args):
    options = h.env.get("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", ""))
    env = {"LD_PRELOAD": PRELOAD, "HEADRACE_TEST_FAIL": str(at), "HEADRACE_TEST_HOW": how,
           "HEADRACE_TEST_UNDER": h.path("p"), "HEADRACE_TEST_COUNT": h.path("calls"),
           "ASAN_OPTIONS": options + ":verify_asan_link_order=0"}
    return h.run(*args, cwd=h.path("p"), code=None, env=env)


def one(h, at, how, want):
    fresh(h)
    result = faulty(h, at, how, "run", "--quiet")
    what = "call %d, %s: %s" % (at, how, result)
    if how == "kill":
        assert result.code in (0, -9), what
    else:
        assert result.code in (0, 1), what
        assert result.code == 0 or result.err.strip(), what
    again = h.run("run", "--quiet", cwd=h.path("p"), code=None)
    assert again.code == 0, what + "\nthen: %s" % again
    assert outputs(h) == want, what
    sound = h.run("doctor", "--repair", cwd=h.path("p"), code=None)
    assert sound.code == 0, what + "\ndoctor: %s" % sound
    assert "all is well" in h.run("doctor", cwd=h.path("p")).err, what


def sweep(h, how):
    h.run("new", "p")
    h.run("run", "--quiet", cwd=h.path("p"))
    want = outputs(h)
    fresh(h)
    assert faulty(h, 0, how, "run", "--quiet").code == 0
    calls = int(open(h.path("calls")).read())
    seed = int(os.environ.get("HR_SEED", random.randrange(1 << 30)))
    if os.environ.get("HR_FAULTS") == "all":
        chosen = range(1, calls + 1)
    else:
        chosen = sorted(random.Random(seed).sample(range(1, calls + 1), SAMPLE[how]))
    print("%s: %d of %d calls, seed %d" % (how, len(chosen), calls, seed))
    for at in chosen:
        one(h, at, how, want)


def test_once(h):
    sweep(h, "once")


def test_full(h):
    sweep(h, "full")


def test_always(h):
    sweep(h, "always")


def test_kill(h):
    sweep(h, "kill")


if __name__ == "__main__":
    main(globals())
