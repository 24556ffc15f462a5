"""faulting.py - a penguin project that is given faults, and what must hold after each.

A command ends with success or with a sentence, and leaves no process.  Then `resume` or a run
ends with the bytes of an undisturbed run, and doctor finds nothing.  A command that only looks
may not say anything else than it does undisturbed, unless it says that it failed.
"""
import contextlib
import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time

from driver import BUILD, COMMAND, Result

PRELOAD = os.path.join(BUILD, "test_preload")
PACKAGE = ".headrace/registry/models/penguin/penguin-1.hrp"
# What is done, from which state: "fresh" nothing has run, "ran" all has.
COMMANDS = {
    "run": ("fresh", ["run", "--quiet"]),
    "cached": ("ran", ["run", "--quiet"]),
    "resume": ("failed", ["resume", "--quiet"]),
    "why": ("ran", ["why", "trainer"]),
    "doctor": ("ran", ["doctor"]),
    "repair": ("ran", ["doctor", "--repair"]),
    "gc": ("ran", ["gc"]),
    "verify": ("ran", ["package", "verify", "--any-signer", PACKAGE]),
    "pack": ("ran", ["package", "pack", "penguin@1", "--out", "again.hrp"]),
}
LOOKS = ("why", "doctor", "repair", "verify", "gc")
# Evaluations name where the model lies, runs their numbers.
LEFT_OUT = ("evaluation", "blessing")
PLACES = 1 << 17
HANGS = 120
DIES = 10


def tree_digest(top):
    sha = hashlib.sha256()
    for where, dirs, files in os.walk(top):
        dirs.sort()
        for name in sorted(files):
            with open(os.path.join(where, name), "rb") as f:
                sha.update(name.encode() + f.read())
    return sha.hexdigest()


def outputs(top):
    """Digests of what lies in the artifacts, by node and output, the newest of each."""
    found = {}
    for node in sorted(os.listdir(top)):
        for key in sorted(os.listdir(os.path.join(top, node))) if node[0] != "." else ():
            newest = max(os.listdir(os.path.join(top, node, key)), key=int)
            if key not in LEFT_OUT:
                found[node + "/" + key] = tree_digest(os.path.join(top, node, key, newest))
    return found


def session(sid):
    """The processes of a session that live."""
    alive = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                stat = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat[3]) == sid and stat[0] not in "ZX":
            alive.append(int(pid))
    return alive


def end_processes(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Ground:
    """The project "p" of a test, and copies of it in the states that commands start from."""

    def __init__(self, h, states=("fresh", "ran")):
        self.h, self.where, self.state = h, h.path("p"), h.path("state")
        h.run("new", "p", "--template", "penguin")
        self.keep("fresh")
        h.run("run", "--quiet", cwd=self.where)
        self.want = outputs(h.path("p", ".headrace", "artifacts"))
        self.keep("ran")
        self.stands = self.standing()
        if "failed" in states:
            self.back("fresh")
            evil = h.path("p", "penguin.features")
            text = open(evil).read()
            open(evil, "w").write(text + "\nbroken = \n")
            h.run("run", "--quiet", cwd=self.where, code=1)
            open(evil, "w").write(text)
            self.keep("failed")

    def wall_in(self, library, **variables):
        """A copy of the build whose workers have a library before them: start() takes it then."""
        top = self.h.path("build")
        worker = os.path.join(top, "libexec", "headrace", "headrace-worker")
        if not os.path.exists(top):
            for part in ("bin", "lib", "libexec", "share"):
                shutil.copytree(os.path.join(BUILD, part), os.path.join(top, part), symlinks=True)
            os.rename(worker, worker + ".real")
        env = self.preloaded(library, **variables)
        with open(worker, "w") as f:
            f.write("#!/bin/sh\n%s\nexec '%s.real' \"$@\"\n" %
                    ("\n".join("export %s='%s'" % (k, v) for k, v in env.items()), worker))
        os.chmod(worker, 0o755)
        return {"command": os.path.join(top, "bin", "headrace"),
                "env": {"LD_LIBRARY_PATH": os.path.join(top, "lib")}}

    def keep(self, state):
        shutil.copytree(self.where, self.h.path("kept", state), symlinks=True)

    def back(self, state):
        shutil.rmtree(self.where, ignore_errors=True)
        shutil.copytree(self.h.path("kept", state), self.where, symlinks=True)

    def start(self, *args, env=None, hang=HANGS, command=COMMAND, **kw):
        """The command, and nothing of it left: a Result."""
        done = subprocess.Popen([command, *args], cwd=self.where, start_new_session=True,
                                env=dict(self.h.env, **(env or {})), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
        try:
            done.stdout, done.stderr = done.communicate(timeout=hang)
        except subprocess.TimeoutExpired:
            end_processes(session(done.pid))
            raise AssertionError("%s has not ended after %d s" % (" ".join(args), hang)) from None
        until = time.time() + DIES
        left = session(done.pid)
        while left and time.time() < until:
            time.sleep(0.02)
            left = session(done.pid)
        end_processes(left)
        result = Result(done)
        result.out, result.err, result.code = done.stdout, done.stderr, done.returncode
        assert not left, "processes are left\n%s" % result
        assert "Sanitizer" not in result.err and "runtime error" not in result.err, result
        return result

    def preloaded(self, library, **variables):
        options = self.h.env.get("ASAN_OPTIONS", "")
        env = {"LD_PRELOAD": os.path.join(PRELOAD, library + ".so"),
               "HEADRACE_TEST_UNDER": self.where, "HEADRACE_TEST_STATE": self.state,
               "ASAN_OPTIONS": options + ":verify_asan_link_order=0",
               "LSAN_OPTIONS": "print_suppressions=0:suppressions=" +
                               os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                            "leaks_of_libc.txt")}
        env.update({"HEADRACE_TEST_" + k.upper(): str(v) for k, v in variables.items()})
        self.new_state(False)
        return env

    def new_state(self, noting):
        """struct point_state of tests/preload/point.h."""
        with open(self.state, "wb") as f:
            f.write(struct.pack("4Q", 0, 0, 0, noting))
            f.truncate(8 * (4 + PLACES))

    def counted(self):
        """Calls, whether the place has come, descriptors at the end (0: it was killed), of the
        last command."""
        with open(self.state, "rb") as f:
            return struct.unpack("3Q", f.read(24))

    def places(self):
        """What new_state(True) made it note."""
        with open(self.state, "rb") as f:
            noted = struct.unpack_from("%dQ" % PLACES, f.read(), 32)
        return sorted("%016x" % n for n in noted if n)

    def ends_well(self, result, killed=False, finds=False):
        """finds: what is wrong is what was asked for, and stands in the output."""
        if killed:
            assert result.code in (0, -signal.SIGKILL), result
        else:
            assert result.code in (0, 1), result
            said = result.err.strip() or (finds and result.out.strip())
            assert result.code == 0 or said, "no sentence\n%s" % result
            assert len(result.err) < 20000, "too many sentences\n%s" % result

    def sound(self, resume=False):
        """A run, or resume, ends with the bytes of an undisturbed one, and doctor is content."""
        again = self.start("resume", "--quiet") if resume else None
        if not again or re.search("nothing (to resume|has run)|no project", again.err):
            again = self.start("run", "--quiet")
        assert again.code == 0, "then: %s" % again
        got = outputs(os.path.join(self.where, ".headrace", "artifacts"))
        assert got == self.want, "then: other bytes, %s" % [
            k for k in self.want if got.get(k) != self.want[k]]
        mended = self.start("doctor", "--repair")
        assert mended.code == 0, "doctor: %s" % mended
        found = self.start("doctor")
        assert "all is well" in found.err, "doctor again: %s" % found

    def standing(self):
        """What is in the store and in the files, for commands that change neither."""
        store = os.path.join(self.where, ".headrace", "metadata.sqlite")
        with contextlib.closing(sqlite3.connect(store)) as db:
            rows = db.execute("SELECT id, uri, state FROM Artifact ORDER BY id").fetchall()
        return rows, [tree_digest(os.path.join(self.where, ".headrace", part))
                      for part in ("artifacts", "registry")]

    def faulty(self, library, worker, **variables):
        """For start(): the command has a library before it, or its workers have."""
        if worker:
            return self.wall_in(library, **variables)
        return {"env": self.preloaded(library, **variables)}

    def undisturbed(self, name, library, worker=False, **variables):
        """What a command says, its places, and its descriptors at the end."""
        state, args = COMMANDS[name]
        self.back(state)
        where = self.faulty(library, worker, how="none", **variables)
        self.new_state(True)
        result = self.start(*args, **where)
        assert result.code == 0, result
        calls, _, fds = self.counted()
        assert calls > 0, "%s counted nothing; is it in %s?" % (library, PRELOAD)
        return result, calls, fds, self.places()

    def after(self, name, result, plain, fds, how):
        """What must hold after a fault in a command."""
        self.ends_well(result, how == "kill", name in ("doctor", "repair"))
        left = self.counted()[2]
        if how == "once": # where nothing works any more, SQLite keeps what it could not unlock
            assert left <= fds, "%d descriptors are left, not %d" % (left, fds)
        if name in LOOKS and result.code == 0:
            assert result.out == plain.out, "it says something else\n%s" % result
        if name == "pack" and result.code == 0:
            with open(os.path.join(self.where, "again.hrp"), "rb") as a, \
                    open(os.path.join(self.where, PACKAGE), "rb") as b:
                assert a.read() == b.read(), "another package"
        if name == "pack" and result.code:
            assert not os.path.exists(os.path.join(self.where, "again.hrp")), "half a package"


def seed():
    """CTest takes the same each time; HR_SEED another, "random" one that is told."""
    given = os.environ.get("HR_SEED", "1")
    return random.randrange(1 << 30) if given == "random" else int(given)


def chosen(all_of, sample, random_seed):
    """Some of them; all with HR_FAULTS=all or each, of which HR_PART=2/3 is a part.  Places are in
    parts by themselves, since another run may have one more or less of them."""
    all_of = list(all_of)
    if os.environ.get("HR_FAULTS") in ("all", "each"):
        part, of = map(int, os.environ.get("HR_PART", "1/1").split("/"))
        return [one for i, one in enumerate(all_of)
                if (int(one, 16) if isinstance(one, str) else i) % of == part - 1]
    return sorted(random.Random(random_seed).sample(all_of, min(sample, len(all_of))))


class Findings:
    """Faults are tried to the end, and then what was found is told; on the way how many there
    were, for one that is broken off."""

    def __init__(self, what):
        self.what, self.tried, self.missed, self.found = what, 0, 0, []

    def tell(self):
        missed = ", %d of them not met" % self.missed if self.missed else ""
        print("%s: %d tried%s, %d found" % (self.what, self.tried, missed, len(self.found)))
        sys.stdout.flush()

    def attempt(self, label, function):
        """function: returns False where the program never came to the place of the fault."""
        self.tried += 1
        try:
            self.missed += function() is False
        except AssertionError as e:
            self.found.append("%s: %s: %s" % (self.what, label, e))
            print("FOUND " + self.found[-1])
            sys.stdout.flush()
        if self.tried % 100 == 0:
            self.tell()

    def end(self):
        self.tell()
        assert not self.found, "\n".join(self.found)


def attempt(ground, name, at, how, library, undisturbed, worker):
    """One fault in a command, at a place or the n-th call, and what must hold then; was it met?"""
    plain, fds = undisturbed
    state, args = COMMANDS[name]
    ground.back(state)
    point = {"stack": at} if isinstance(at, str) else {"fail": at}
    result = ground.start(*args, **ground.faulty(library, worker, how=how, **point))
    calls, there, _ = ground.counted()
    try:
        ground.after(name, result, plain, fds, "worker" if worker else how)
        if name in LOOKS:
            assert ground.standing() == ground.stands, "something has been changed"
            assert "all is well" in ground.start("doctor").err, "doctor"
        else:
            ground.sound(resume=int(str(at), 16) % 2 == 1)
    except AssertionError as e:
        raise AssertionError("%s\nafter %s" % (e, result)) from None
    return bool(there) if isinstance(at, str) else calls >= at


def sweep(h, names, library, how, sample, each=False, worker=False):
    """Commands with a fault at each of their places - each: their calls -, or at some of them.
    HR_FAULTS=each takes every call by its number, also where many come from one place."""
    names = names.split()
    each = each or os.environ.get("HR_FAULTS") == "each"
    ground = Ground(h, ("failed",) if "resume" in names else ())
    findings = Findings("%s, %s" % (library, how))
    for name in names:
        plain, calls, fds, places = ground.undisturbed(name, library, worker)
        of = seed()
        some = chosen(range(1, calls + 1) if each else places, sample, of)
        print("%s, %s, %s: %d calls, %d places, %d tried, seed %d" %
              (name, library, how, calls, len(places), len(some), of))
        sys.stdout.flush()
        for place in some:
            findings.attempt("%s %s" % (name, place), lambda: attempt(
                ground, name, place, how, library, (plain, fds), worker))
    findings.end()
