"""Limits of the system, and stores that are not as they should be: a sentence, and nothing lost.

A few steps of each; all of them with HR_FAULTS=all.
"""
import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import threading
import time

from driver import BUILD, COMMAND, main, says
from faulting import Findings, Ground, chosen, seed

PAGE = 4096
SO = os.path.join(BUILD, "test_plugins", "line_count.so")


def sanitized():
    with open(os.path.join(os.environ["HR_BUILD"], "CMakeCache.txt")) as f:
        return "HEADRACE_SANITIZE:STRING=\n" not in f.read()


def limited(h, name, values, sample):
    """A run under a limit, which ends with a sentence or well; then one without."""
    ground = Ground(h)
    findings = Findings(name)

    def one(value):
        ground.back("fresh")
        result = ground.start("run", "--quiet", preexec_fn=lambda: resource.setrlimit(
            getattr(resource, name), (value, value)))
        ground.ends_well(result)
        ground.sound()

    for value in chosen(values, sample, seed()):
        findings.attempt(str(value), lambda value=value: one(value))
    findings.end()


def test_file_size(h):
    limited(h, "RLIMIT_FSIZE", range(0, 1 << 20, 4096), 3)


def test_descriptors(h):
    limited(h, "RLIMIT_NOFILE", range(8, 72), 3)


def test_enough_descriptors(h):
    """A run needs no more than these, fewer than where workers put those that they keep."""
    h.run("new", "p", "--template", "penguin")
    h.run("-c", 'ulimit -n 48 && exec "$0" run --quiet', COMMAND, cwd=h.path("p"), command="sh")


def test_memory(h):
    if sanitized():
        return print("skipped: a sanitizer wants all addresses")
    limited(h, "RLIMIT_AS", range(16 << 20, 256 << 20, 4 << 20), 3)


def may_mount():
    return subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
                          check=False, capture_output=True).returncode == 0


def pages(top):
    """KiB that a tree takes where each file begins a page of 4 KiB."""
    return sum(-(-os.path.getsize(os.path.join(base, n)) // 4096) * 4
               for base, _, files in os.walk(top) for n in files)


def test_disk(h):
    """A disk of some KiB, from what the files of the project take, which then grows."""
    if not may_mount():
        return print("skipped: no mounting here")
    ground = Ground(h)
    findings = Findings("a disk of some KiB")
    script = """mount -t tmpfs -o size=%dk none p && cp -a kept/fresh/. p && cd p || exit 9
        %s run --quiet; code=$?; mount -o remount,size=200m . && %s run --quiet &&
        %s doctor --repair && %s doctor || exit 8; mkdir ../after && cp -a . ../after; exit $code"""

    def one(size):
        shutil.rmtree(ground.where, ignore_errors=True)
        shutil.rmtree(h.path("after"), ignore_errors=True)
        os.mkdir(ground.where)
        done = subprocess.run(["unshare", "-rm", "sh", "-c", script % ((size,) + (COMMAND,) * 4)],
                              cwd=h.dir, env=h.env, capture_output=True, text=True, timeout=200,
                              check=False)
        what = "exit %d\n%s%s" % (done.returncode, done.stdout, done.stderr)
        assert done.returncode in (0, 1), what
        says(done.stderr, "all is well")
        shutil.rmtree(ground.where)
        shutil.move(h.path("after"), ground.where)
        ground.sound()

    least = pages(h.path("kept", "fresh")) + 4
    for size in chosen(range(least, 2400, 32), 3, seed()):
        findings.attempt("%d KiB" % size, lambda size=size: one(size))
    findings.end()


def places(h, *more):
    """What lies in the user's place for plugins, and of more."""
    found = []
    for top in (h.path(".local", "lib", "headrace"),) + more:
        for base, folders, files in os.walk(top):
            found += [os.path.relpath(os.path.join(base, n), h.dir) for n in folders + files]
    return sorted(found)


def test_install_file_size(h):
    """A plugin of which a file may not be as long as it is: nothing of it is there."""
    h.run("plugin", "pack", SO, "--out", "l.hrp")
    size = os.path.getsize(SO)
    for value in sorted({0, 100, 4096, size // 2, size - 1}):
        done = subprocess.run([COMMAND, "plugin", "install", "l.hrp"], cwd=h.dir, env=h.env,
                              capture_output=True, text=True, timeout=60, check=False,
                              preexec_fn=lambda value=value: resource.setrlimit(
                                  resource.RLIMIT_FSIZE, (value, value)))
        what = "%d: exit %d\n%s%s" % (value, done.returncode, done.stdout, done.stderr)
        assert done.returncode == 1 and done.stderr.startswith("cannot write "), what
        assert not done.stdout, what
        left = [p for p in places(h) if not p.endswith(os.sep + "plugins")]
        assert left == [], (what, left)
        assert "line-count" not in h.run("plugin", "list").out, what
    says(h.run("plugin", "install", "l.hrp").out, "installed org.headrace.examples")
    h.run("plugin", "inspect", "org.headrace.examples")


def test_install_disk(h):
    """A disk that has no room for all of a plugin, and then has."""
    if not may_mount():
        return print("skipped: no mounting here")
    h.run("plugin", "pack", SO, "--out", "l.hrp")
    os.makedirs(h.path(".local"))
    script = """mount -t tmpfs -o size=%dk none .local || exit 9
        %s plugin install l.hrp; code=$?; find .local -mindepth 1; echo; mount -o remount,size=9m .local
        %s plugin install l.hrp && find .local -name '.installing*' && exit $code"""
    codes = []
    for size in list(range(4, 44, 4)) + [200]:
        done = subprocess.run(["unshare", "-rm", "sh", "-c", script % (size, COMMAND, COMMAND)],
                              cwd=h.dir, env=h.env, capture_output=True, text=True, timeout=60,
                              check=False)
        what = "%d: exit %d\n%s%s" % (size, done.returncode, done.stdout, done.stderr)
        first, then = done.stdout.split("\n\n") if done.returncode in (0, 1) else (what, "")
        assert done.returncode in (0, 1), what
        says(then, "installed org.headrace.examples")
        assert ".installing" not in done.stdout, what
        if done.returncode:
            says(done.stderr, "cannot ", "no space left on the disk")
            assert "installed " not in first and ".so" not in first, what
        codes.append(done.returncode)
    assert codes[0] == 1 and codes[-1] == 0, codes


def test_read_only(h):
    if not may_mount():
        return print("skipped: no mounting here")
    ground = Ground(h)
    script = "mount --bind p p && mount -o remount,bind,ro p && cd p && exec %s %s"
    for state, command, code in (("fresh", "run", 1), ("ran", "run", 1), ("ran", "runs", 0),
                                 ("ran", "show penguin@1", 0), ("ran", "doctor", 0)):
        ground.back(state)
        done = subprocess.run(["unshare", "-rm", "sh", "-c", script % (COMMAND, command)],
                              cwd=h.dir, env=h.env, capture_output=True, text=True, timeout=200,
                              check=False)
        what = "%s: exit %d\n%s%s" % (command, done.returncode, done.stdout, done.stderr)
        assert done.returncode == code and (code == 0 or done.stderr.strip()), what
    ground.sound()


def test_many_entries(h):
    h.project()
    many = 100000 if os.environ.get("HR_FAULTS") == "all" else 2000
    for i in range(many):
        open(h.path("data", "_%d" % i), "w").close()
    h.run("run", "--quiet")
    h.run("run", "--quiet")


def test_names(h):
    """Names of NAME_MAX, and paths up to PATH_MAX and beyond."""
    h.project()
    os.rename(h.path("data", os.listdir(h.path("data"))[0]), h.path("data", "x" * 251 + ".csv"))
    h.run("run", "--quiet")
    for length in (200, 1000, 2000, 3500, 3900, 4050):
        where = h.dir
        while len(where) + 201 < length:
            where = os.path.join(where, "d" * 200)
        os.makedirs(where, exist_ok=True)
        made = h.run("new", "p%d" % length, "--template", "penguin", cwd=where, code=None)
        assert made.code == 0 or made.code == 1 and made.err.strip(), made
        if made.code == 0:
            ran = h.run("run", "--quiet", cwd=os.path.join(where, "p%d" % length), code=None)
            assert ran.code == 0 or ran.code == 1 and ran.err.strip(), ran


def test_truncated(h):
    """The store ends at any page."""
    ground = Ground(h)
    findings = Findings("a store that ends early")
    store = h.path("p", ".headrace", "metadata.sqlite")
    pages = os.path.getsize(store) // PAGE

    def one(size):
        for command in (["runs"], ["doctor"], ["doctor", "--repair"], ["run", "--quiet"]):
            ground.back("ran")
            os.truncate(store, size)
            result = ground.start(*command)
            assert result.code in (0, 1), result
            assert result.code == 0 or (result.err + result.out).strip(), result
            if size and command[0] != "run" and size < (pages - 1) * PAGE:
                assert result.code == 1, "%s finds nothing\n%s" % (command, result)

    for page in chosen(range(0, 2 * pages), 3, seed()):
        findings.attempt("%d/2" % page, lambda page=page: one(page * PAGE // 2))
    findings.end()


def test_of_others(h):
    """Of a newer schema, of another program, no store: nothing is written."""
    ground = Ground(h)
    store = h.path("p", ".headrace", "metadata.sqlite")

    def kept(word):
        before = open(store, "rb").read()
        for command in (["run"], ["runs"], ["doctor", "--repair"]):
            result = ground.start(*command)
            assert result.code == 1, result
            says(result.err, word)
        assert open(store, "rb").read() == before, "it has been written to"

    with contextlib.closing(sqlite3.connect(store)) as db, db:
        db.execute("UPDATE MLMDEnv SET schema_version = 11")
    kept("newer headrace")
    os.unlink(store)
    with contextlib.closing(sqlite3.connect(store)) as db, db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    kept("bookmarks")
    open(store, "w").write("Dear diary, " * 1000)
    kept("not a database")


def test_locked(h):
    """Another client holds the store for a time, and for ever."""
    ground = Ground(h)
    store = h.path("p", ".headrace", "metadata.sqlite")
    for seconds, code in ((2, 0), (60, 1))[:2 if os.environ.get("HR_FAULTS") == "all" else 1]:
        done = threading.Event()

        def hold():
            with contextlib.closing(sqlite3.connect(store)) as db:
                db.execute("BEGIN EXCLUSIVE")
                begun.set()
                done.wait(seconds)
                db.rollback()

        begun = threading.Event()
        client = threading.Thread(target=hold)
        client.start()
        begun.wait()
        began = time.time()
        result = ground.start("run", "--quiet")
        done.set()
        client.join()
        assert result.code == code, "%s after %d s" % (result, time.time() - began)
        assert code == 0 or "locked" in result.err, result
        ground.sound()


if __name__ == "__main__":
    main(globals())
