"""mutants.py SCRATCH [--count N] [--seed N] [--skip N] [--least PERCENT] [--patience SECONDS]
[--quick] [--without FILE]... [FOLDER...] - would the tests notice?
mutants.py SCRATCH --again LOG - do they by now notice what survived in LOG, an earlier output?
mutants.py SCRATCH --proof - would this?

Copies the tree to SCRATCH, builds it there without sanitizers, with clang's counters, and notes
which lines each test runs.  Then, N times (20): one operator, constant or condition of a file of
core or registry is changed, and the tests that run its line do so again until one fails: the
mutant is killed.  First the units, then what goes through the command, each of them a test; among
either those first that kill much in little time, and no more than take --patience seconds (60).
Only what the next test needs is built.  A mutant that does not compile is not counted; one that
hangs is killed.  FOLDER is base, wire, metadata, run, registry or validation; all of them if none
is named.

--quick is for a look at whether this works: only three unit tests run, and nothing is noted.
--proof tries one mutant that cannot live, and the tree as it is, which must.

--skip leaves out the first N of a seed, which an earlier time has tried; --without a file, by its
name within its folder.

Prints a line for each mutant and, at the end, how many were killed.  The exit status is 1 if fewer
than PERCENT (90) of them were.  SCRATCH is kept for the next time.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MEMORY, LEAST_TIMEOUT = 4 << 30, 10
FOLDERS = {f: "core/" + f for f in ("base", "wire", "metadata", "run", "validation")}
FOLDERS["registry"] = "registry"
QUICK = ("test_base", "test_num", "test_json")
# What goes through the command, and says more than that something is wrong.
CLI = ("bad", "command", "control", "disturbed", "durable", "hrp", "keep", "look", "malformed",
       "models", "packages", "parts", "penguin", "plugins", "preview", "query", "replay", "resolvers",
       "resume", "show", "walls")
SLOW = {"packages.test_equal_everywhere", "control.test_overlap", "malformed.test_every_byte"}
SWAPS = {" < ": (" <= ", " >= "), " <= ": (" < ",), " > ": (" >= ", " <= "), " >= ": (" > ",),
         " == ": (" != ",), " != ": (" == ",), " && ": (" || ",), " || ": (" && ",),
         " + ": (" - ",), " - ": (" + ",), " * ": (" + ",), " / ": (" * ",), " % ": (" / ",),
         " += ": (" -= ",), " -= ": (" += ",), "++": ("--",), " & ": (" | ",), " | ": (" & ",),
         " << ": (" >> ",), " >> ": (" << ",), "true": ("false",), "false": ("true",)}
POINT = re.compile(r" (?:<=?|>=?|==|!=|&&|\|\||[-+*/%&|]|[-+]=|<<|>>) |\+\+|\btrue\b|\bfalse\b"
                   r"|\b\d+\b|\bif \(|(?<=[(& |])!(?=[\w(])")


def hidden(text):
    """The text with blanks for comments, literals and lines of the preprocessor."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group())
    text = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text,
                  flags=re.S)
    return re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def points(text):
    """Where the text may be changed: from, to."""
    return [m.span() for m in POINT.finditer(hidden(text))]


def closing(text, at):
    """Where the parenthesis that is open before at ends."""
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at - 1


def mutate(text, span, chance, wanted=None):
    """What is there now, and the text with it; wanted where it is known."""
    start, end = span
    old = text[start:end]
    if old == "if (":
        stop = closing(hidden(text), end)
        return "if (!(", text[:start] + "if (!(" + text[end:stop] + "))" + text[stop + 1:]
    if old == "!":
        new = ""
    elif old.isdigit():
        new = str(int(old) + chance.choice([1, -1] if int(old) else [1]))
    else:
        new = chance.choice(SWAPS[old])
    new = new if wanted is None else wanted
    return new, text[:start] + new + text[end:]


class Lab:
    """A copy of the tree, with a build of its own."""

    def __init__(self, scratch, args):
        self.scratch, self.quick, self.patience = scratch, args.quick, args.patience
        self.old_notes = args.again is not None
        self.tree, self.build = os.path.join(scratch, "tree"), os.path.join(scratch, "build")
        self.kills, self.notes = {}, {}
        self.copy()
        subprocess.run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja",
                        "-DCMAKE_BUILD_TYPE=Debug", "-DHEADRACE_TESTS=ON", "-DCMAKE_C_FLAGS=-w",
                        "-DCMAKE_C_FLAGS_DEBUG=-O0"] +
                       ([] if self.quick else ["-DCMAKE_C_COMPILER=clang", "-DHEADRACE_COVERAGE=ON"]),
                       check=True, stdout=subprocess.DEVNULL)
        self.all = self.units() + self.commands()
        if not self.make([self.target(t) for t in self.all] if self.quick else ["all"]):
            sys.exit("mutants.py: the tree does not build")
        self.note()

    def note(self):
        """Which lines each test runs and how long it takes; kept for the next time.  With --again
        what was noted of a test stands as long as that is the same, though lines may have moved:
        most have not."""
        path = os.path.join(self.scratch, "notes.json")
        kept = json.loads(read(path)) if os.path.exists(path) else {}
        product = self.digest(os.path.join(self.tree, top) for top in FOLDERS.values())
        def one(test):
            key = "%s %s %s" % (self.digest([self.source(test)]), product, self.quick)
            found = kept.get("/".join(test), {})
            old = key.split()[0] if self.old_notes else key
            return test, (found if found.get("key", "").startswith(old)
                          else dict(self.look(test), key=key))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.notes = dict(pool.map(one, self.all))
        with open(path, "w") as f:
            json.dump({"/".join(k): v for k, v in self.notes.items()}, f)

    @staticmethod
    def digest(paths):
        sha = hashlib.sha256()
        for path in paths:
            for name in sorted(os.listdir(path)) if os.path.isdir(path) else [""]:
                if os.path.isfile(os.path.join(path, name) if name else path):
                    sha.update(read(os.path.join(path, name) if name else path))
        return sha.hexdigest()

    def look(self, test):
        """What note() keeps of a test: "took", and "lines" of each file."""
        where = os.path.join(self.scratch, "counters", test[1].replace(" ", "_"))
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(where)
        os.chmod(where, 0o777)
        began = time.monotonic()
        if not self.run(test, None, os.path.join(where, "%m%c.profraw")):
            sys.exit("mutants.py: %s fails without a mutant" % "/".join(test))
        took, lines = time.monotonic() - began, {}
        if not self.quick:
            merged, lib = os.path.join(where, "all"), os.path.join(self.build, "lib")
            plugins = os.path.join(lib, "headrace", "plugins")
            objects = [os.path.join(lib, "headrace", "libheadrace-registry.so"),
                       *(os.path.join(plugins, p) for p in os.listdir(plugins) if ".so" in p)]
            subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", merged] +
                           [os.path.join(where, n) for n in os.listdir(where)], check=True)
            shown = subprocess.run(
                ["llvm-cov", "export", "-format=lcov", "-instr-profile=" + merged,
                 os.path.join(lib, "libheadrace.so"), *("-object=" + o for o in objects),
                 *(os.path.join(self.tree, top) for top in FOLDERS.values())],
                check=True, capture_output=True, text=True).stdout
            for line in shown.splitlines():
                if line.startswith("SF:"):
                    there = lines.setdefault(os.path.relpath(line[3:], self.tree), [])
                elif line.startswith("DA:") and not line.endswith(",0"):
                    there.append(int(line[3:].partition(",")[0]))
        shutil.rmtree(where)
        return {"took": took, "lines": lines}

    def copy(self):
        """Files that differ only, so that what was built before stays; what is gone goes."""
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=SOURCE,
                               check=True, capture_output=True, text=True).stdout.split("\n")[:-1]
        here = {name for name in names if os.path.isfile(os.path.join(SOURCE, name))}
        for top, _, files in os.walk(self.tree):
            for name in (os.path.join(top, f) for f in files):
                if os.path.relpath(name, self.tree) not in here:
                    os.unlink(name)
        for name in here:
            source, to = os.path.join(SOURCE, name), os.path.join(self.tree, name)
            data = read(source)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            if not os.path.exists(to) or read(to) != data:
                shutil.copy(source, to)

    def units(self):
        if self.quick:
            return [("unit", u) for u in QUICK]
        found = [("property", "numbers 1 20000"), ("property", "merge 1 100")]
        for kind, folder, start in (("unit", "unit", "test_"), ("fuzz", "fuzz", "fuzz_")):
            for name in sorted(os.listdir(os.path.join(self.tree, "tests", folder))):
                if name.startswith(start) and name.endswith(".c"):
                    found.append((kind, name[:-2]))
        return found

    def commands(self):
        found = []
        for script in () if self.quick else CLI:
            text = read(os.path.join(self.tree, "tests", "cli", script + ".py")).decode()
            found += [script + "." + t for t in re.findall(r"^def (test_\w+)", text, re.M)]
        return [("cli", name) for name in found if name not in SLOW]

    def source(self, test):
        kind, name = test
        file = {"unit": "unit/%s.c", "fuzz": "fuzz/%s.c", "property": "property/%s.c",
                "cli": "cli/%s.py"}[kind] % re.split(r"[ .]", name)[0]
        return os.path.join(self.tree, "tests", file)

    def target(self, test):
        """What ninja makes for a test of units()."""
        return "tests/" + ("property_" if test[0] == "property" else "") + test[1].split()[0]

    def program(self, test):
        kind, name = test
        if kind == "cli":
            return [sys.executable, "-B", self.source(test), name.partition(".")[2]]
        args = name.split()[1:]
        if kind == "fuzz":
            args = [os.path.join(self.tree, "tests", "fuzz", "corpus", name[len("fuzz_"):])]
        return [os.path.join(self.build, self.target(test)), *args]

    def make(self, targets):
        return subprocess.run(["ninja", "-C", self.build, *targets],
                              capture_output=True).returncode == 0

    def run(self, test, timeout, counters="/dev/null"):
        """True, False, or None: it was still at work after the time."""
        env = dict(os.environ, HR_BUILD=self.build, HR_SOURCE=self.tree,
                   LLVM_PROFILE_FILE=counters)
        p = subprocess.Popen(self.program(test), env=env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=limit)
        try:
            code = p.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        with_all(p)
        return None if code is None else code == 0

    def of_line(self, tests, name, text, line):
        """Those that run a line - or a file, where the line is in no function -, first those that
        kill much in little time, and as many as the patience lasts for."""
        if self.quick:
            return tests
        there = {t: self.notes[t]["lines"].get(name, []) for t in tests}
        inside = [x[0] for x in text.splitlines()[:line] if x and not x[0].isspace()][-1] == "{"
        found = [t for t in tests if (line in there[t] if inside else there[t])]
        found.sort(key=lambda t: -(self.kills.get((t, name), 0) + .2) / (self.notes[t]["took"] + 1))
        left = self.patience
        for i, test in enumerate(found):
            left -= self.notes[test]["took"]
            if left < 0 and i:
                return found[:i]
        return found

    def kill(self, path, text, line):
        """Which test notices what is in the tree now, in a line of the file with the text: its
        name, "build", or None."""
        name = os.path.relpath(path, self.tree)
        units = self.of_line(self.units(), name, text, line)
        commands = self.of_line(self.commands(), name, text, line)
        if not units and not commands and not self.quick:
            return None
        for i, test in enumerate(units + commands):
            made = [self.target(test)] if i < len(units) else ["core/all", "registry/all",
                                                              "plugins/all"]
            if i <= len(units) and not self.make(made):
                return "build"
            if not self.run(test, max(LEAST_TIMEOUT, 10 * self.notes[test]["took"])):
                self.kills[test, name] = self.kills.get((test, name), 0) + 1
                return "/".join(test)
        return None


def read(path):
    with open(path, "rb") as f:
        return f.read()


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def with_all(p):
    """End all that a test has started."""
    try:
        os.killpg(p.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    p.wait()


def candidates(lab, folders, without):
    """Each place of each file that may be changed."""
    found = []
    for folder in folders:
        top = os.path.join(lab.tree, FOLDERS[folder])
        for name in sorted(os.listdir(top)):
            if name.endswith(".c") and name not in without:
                path = os.path.join(top, name)
                text = read(path).decode()
                found += [(path, span) for span in points(text)]
    return found


def again(lab, log):
    """What survived in the log, as path, span and what it is to be; found by the text of its line,
    for lines move."""
    found = []
    for line in read(log).decode().splitlines():
        m = re.match(r"SURVIVED +(\S+):(\d+):(\d+): '(.*?)' to '(.*?)': (.*)", line)
        if not m:
            continue
        name, at, column, old, new, code = m.groups()
        path = os.path.join(lab.tree, name)
        text = read(path).decode() if os.path.exists(path) else ""
        places = [t for t in points(text) if text[slice(*t)] == old and
                  (column_of(text, t[0]), line_of(text, t[0])) == (int(column), code)]
        if not places:
            print("gone      %s:%s: %s" % (name, at, code), flush=True)
            continue
        place = min(places, key=lambda t: abs(text.count("\n", 0, t[0]) + 1 - int(at)))
        found.append((path, place, new))
    return found


def line_of(text, at):
    return text[text.rfind("\n", 0, at) + 1:text.find("\n", at)].strip()


def column_of(text, at):
    """Where in its line, without the blanks in front."""
    line = text[text.rfind("\n", 0, at) + 1:at]
    return len(line.lstrip())


def try_one(lab, place, chance):
    """What was changed, and what killed it: a test, "build" or None."""
    path, span, *wanted = place
    text = read(path).decode()
    new, mutant = mutate(text, span, chance, *wanted)
    line = text.count("\n", 0, span[0]) + 1
    what = "%s:%d:%d: '%s' to '%s': %s" % (
        os.path.relpath(path, lab.tree), line, column_of(text, span[0]), text[slice(*span)], new,
        line_of(text, span[0]))
    with open(path, "w") as f:
        f.write(mutant)
    try:
        return what, lab.kill(path, text, line)
    finally:
        with open(path, "w") as f:
            f.write(text)


def proof(lab):
    """0 if the tests kill what is wrong for sure, and nothing else."""
    path = os.path.join(lab.tree, "core", "base", "dir.c")
    at = read(path).decode().index(" == 0 && st.is_dir")
    what, by = try_one(lab, (path, (at, at + 4)), random.Random(1))
    alive = lab.kill(path, "", 0) is None
    print("%s: killed by %s; the tree as it is: %s" % (what, by, "passes" if alive else "fails"))
    return not (by and by != "build" and alive)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("scratch")
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--least", type=float, default=90)
    parser.add_argument("--proof", action="store_true")
    parser.add_argument("--again")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--patience", type=float, default=60)
    args = parser.parse_intermixed_args()
    folders = args.folders or list(FOLDERS)
    args.quick = args.quick or args.proof
    lab = Lab(args.scratch, args)
    chance = random.Random(args.seed)
    if args.proof:
        sys.exit(proof(lab))
    places = again(lab, args.again) if args.again else candidates(lab, folders, args.without)
    if not args.again:
        chance.shuffle(places)
        del places[len(places) - args.skip:]
    killed = survived = 0
    while places and (args.again or killed + survived < args.count):
        what, by = try_one(lab, places.pop(), chance)
        if by == "build":
            continue
        killed, survived = killed + (by is not None), survived + (by is None)
        print("%-9s %s" % ("killed" if by else "SURVIVED", what) + (" (%s)" % by if by else ""),
              flush=True)
    percent = 100 * killed / max(1, killed + survived)
    print("%d killed, %d survived: %.1f %%" % (killed, survived, percent))
    sys.exit(percent < args.least)


if __name__ == "__main__":
    main()
