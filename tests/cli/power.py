"""A power cut: what a disk may hold then is built from a record of all writes, and gone on with.

What was synced is kept.  Of the rest, by the order that is tried, nothing, all, or some is: names
in the order in which they were made ("ordered", as a journal keeps them), or each for itself
("loose"); of a file's writes any sectors of 512 bytes.  Then doctor mends what there is, what had
been told as done is there, and resume or a run ends with the bytes of an undisturbed run.

HR_CUTS sets how many are tried, HR_SEED which.
"""
import contextlib
import json
import os
import random
import shutil
import sqlite3
import struct

from driver import main
from faulting import Findings, Ground, seed, tree_digest

CREATE, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, PRINT = range(1, 10)
SECTOR = 512
CUTS = int(os.environ.get("HR_CUTS", "6"))
LOG_SIZE = 1 << 28


def read_log(file):
    """(place, kind, at, a, path, data) of each record; place is where it begins in the log."""
    with open(file, "rb") as f:
        used, = struct.unpack("Q", f.read(8))
        log = f.read(used)
    at = 0
    while at < used:
        size, kind, began, a, _, path_n, data_n = struct.unpack_from("IIQQQII", log, at)
        path = log[at + 40:at + 40 + path_n].decode()
        yield at, kind, began, a, path, log[at + 40 + path_n:at + 40 + path_n + data_n]
        at += size


class File:
    """What is safe, and writes since: (place, offset, bytes), a length for None."""

    def __init__(self, safe=b""):
        self.safe, self.writes = safe, []

    @staticmethod
    def add(content, offset, data):
        if data is None:
            return content[:offset].ljust(offset, b"\0")
        content = content.ljust(offset, b"\0")
        return content[:offset] + data + content[offset + len(data):]

    def sync(self, began):
        for place, offset, data in self.writes:
            if place < began:
                self.safe = self.add(self.safe, offset, data)
        self.writes = [w for w in self.writes if w[0] >= began]

    def after_cut(self, chance, how):
        content = self.safe
        for _, offset, data in self.writes:
            if how == "none" or how == "some" and chance.random() < 0.3:
                continue
            if data is None or how == "all":
                content = self.add(content, offset, data)
                continue
            for i in range(0, len(data), SECTOR):  # torn
                if chance.random() < 0.7:
                    content = self.add(content, offset + i, data[i:i + SECTOR])
        return content


class Dir:
    """Names, now and safe, and the same things behind both."""

    def __init__(self):
        self.now, self.safe = {}, {}


class Disk:
    """What is below a directory, all of it safe at first.  A change of names waits until one of
    the directories that it is of is synced; a directory that is renamed takes along what it holds,
    whether or not its old name was ever safe."""

    def __init__(self, top):
        self.top, self.tree = top, self.read(top)
        self.waiting = []  # (place, kind, directory, name, to directory, to name, what)

    def read(self, path):
        if not os.path.isdir(path):
            with open(path, "rb") as f:
                return File(f.read())
        made = Dir()
        made.now = {name: self.read(os.path.join(path, name)) for name in os.listdir(path)}
        made.safe = dict(made.now)
        return made

    def find(self, path):
        node = self.tree
        for part in os.path.relpath(path, self.top).split("/"):
            node = node if part == "." else node.now[part]
        return node

    @staticmethod
    def make_safe(change):
        _, kind, where, name, to, to_name, what = change
        if kind in (CREATE, MKDIR):
            where.safe[name] = what
        elif where.safe.get(name) is what:
            del where.safe[name]
        if kind == RENAME:
            to.safe[to_name] = what

    def change(self, place, kind, path, to):
        where, name = self.find(os.path.dirname(path)), os.path.basename(path)
        if kind in (CREATE, MKDIR):
            what = where.now[name] = File() if kind == CREATE else Dir()
        else:
            what = where.now.pop(name)
        there = self.find(os.path.dirname(to)) if to else None
        if there:
            there.now[os.path.basename(to)] = what
        self.waiting.append((place, kind, where, name, there, os.path.basename(to), what))

    def sync(self, began, node):
        if isinstance(node, File):  # and not its name
            return node.sync(began)
        left = []
        for c in self.waiting:
            if c[0] < began and node in (c[2], c[4]):
                self.make_safe(c)
            else:
                left.append(c)
        self.waiting = left

    def step(self, place, kind, began, a, path, data):
        if kind in (CREATE, MKDIR, UNLINK, RMDIR, RENAME):
            self.change(place, kind, path, data.decode() if kind == RENAME else "")
        elif kind == SYNC:
            self.sync(began, self.find(path))
        else:
            self.find(path).writes.append((place, a, data if kind == WRITE else None))

    def after_cut(self, chance, names, content, to):
        cut = chance.randrange(len(self.waiting) + 1)
        for i, c in enumerate(self.waiting):
            if i < cut if names == "ordered" else chance.random() < 0.5:
                self.make_safe(c)
        self.write(self.tree, chance, content, to)

    def write(self, node, chance, content, to):
        os.makedirs(to, exist_ok=True)
        for name, below in sorted(node.safe.items()):
            if isinstance(below, Dir):
                self.write(below, chance, content, os.path.join(to, name))
            else:
                with open(os.path.join(to, name), "wb") as f:
                    f.write(below.after_cut(chance, content))


def told(printed):
    """The executions that a run has told as done, with their nodes."""
    events = [json.loads(line) for line in printed]
    return {e["execution"]: e["node"] for e in events if e["event"] in ("finished", "cached")
            and e.get("execution")}


def record(h, ground, state, *args):
    log = h.path("log")
    with open(log, "wb") as f:
        f.truncate(LOG_SIZE)
    ground.back(state)
    build = ground.wall_in("record_disk", log=log)
    build["env"].update(ground.preloaded("record_disk", log=log))
    result = ground.start(*args, **build)
    assert result.code == 0, result
    records = list(read_log(log))
    os.unlink(log)
    return records


def one(h, ground, records, state, k, names, content, of):
    ground.back(state)
    disk, printed = Disk(ground.where), []
    for r in records[:k]:
        if r[1] == PRINT:
            printed.append(r[5])
        else:
            disk.step(*r)
    shutil.rmtree(ground.where)
    disk.after_cut(random.Random(of), names, content, ground.where)
    if not os.path.exists(os.path.join(ground.where, ".headrace")):
        assert not told(printed), "the project is gone"
        return ground.sound()
    mended = ground.start("doctor", "--repair")
    store = os.path.join(ground.where, ".headrace", "metadata.sqlite")
    done = told(printed)
    if done:
        assert mended.code == 0, "doctor: %s" % mended
        with contextlib.closing(sqlite3.connect(store)) as db:
            there = {i for i, in db.execute("SELECT id FROM Execution WHERE last_known_state IN "
                                            "(3, 5)")}
            lost = db.execute("SELECT e.execution_id, a.uri FROM Event e JOIN Artifact a ON a.id "
                              "= e.artifact_id WHERE e.type = 4 AND a.state != 2 AND e.execution_id "
                              "IN (%s)" % ",".join(map(str, done))).fetchall()
        assert set(done) <= there, "told as done and not in the store: %s" % (set(done) - there)
        assert not lost, "told as done and lost: %s" % lost
    if "pusher" in done.values():
        pushed = {tree_digest(h.path("p", "serving", n)) for n in os.listdir(h.path("p", "serving"))
                  if n.isdigit()}
        first = tree_digest(h.path("kept", "ran", "serving", "1"))
        assert pushed == {first}, "what was pushed is not whole"
    return ground.sound(resume=of % 2 == 1)


def sweep(h, state, *args):
    ground = Ground(h)
    records = record(h, ground, state, *args)
    of = seed()
    chance = random.Random(of)
    findings = Findings("power cut, " + " ".join(args))
    cuts = sorted(chance.sample(range(1, len(records) + 1), min(CUTS, len(records))))
    print("%d records, %d cuts, seed %d" % (len(records), len(cuts), of))
    for k in cuts:
        names = chance.choice(("ordered", "loose"))
        content = chance.choice(("none", "some", "all"))
        own = chance.randrange(1 << 30)
        findings.attempt("after record %d, %s, %s, %d" % (k, names, content, own),
                         lambda: one(h, ground, records, state, k, names, content, own))
    findings.end()


def test_proof(h):
    """A program that never syncs would be found out."""
    ground = Ground(h)
    records = [r for r in record(h, ground, "fresh", "run", "--json") if r[1] != SYNC]
    try:
        one(h, ground, records, "fresh", len(records), "loose", "some", 2)
    except AssertionError:
        return
    raise AssertionError("nothing was synced, and nothing was lost")


def test_run(h):
    sweep(h, "fresh", "run", "--json")


def test_again(h):
    sweep(h, "ran", "run", "--json", "--no-cache")


if __name__ == "__main__":
    main(globals())
