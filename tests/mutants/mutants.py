"""mutants.py SCRATCH [--count N] [--seed N] [--least PERCENT] [--quick] [FOLDER...] - would the
tests notice?  mutants.py SCRATCH --proof - would this?

Copies the tree to SCRATCH and builds it there without sanitizers.  Then, N times (20): one
operator, constant or condition of a file of core or registry is changed, what depends on it is
built, and the tests that are for its folder run until one fails: the mutant is killed.  One that
does not compile is not counted; one that hangs is killed.  FOLDER is base, wire, metadata, run,
registry or validation; all of them if none is named.

--quick is for a look at whether this works: only the first three unit tests of a folder run.
--proof tries one mutant that cannot live, and the tree as it is, which must.

Prints a line for each mutant and, at the end, how many were killed.  The exit status is 1 if fewer
than PERCENT (90) of them were.  SCRATCH is kept for the next time.
"""
import argparse
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
MEMORY, LEAST_TIMEOUT = 4 << 30, 20
CLI = ("command", "penguin", "taxi", "parts", "control", "query", "resume", "keep", "look", "bad")
FOLDERS = {  # where its files are, its unit tests, and its tests through the command
    "base": ("core/base", ("test_base", "test_num", "test_json", "property_numbers 1 20000",
                           "test_fault", "test_wire",
                           "test_metadata", "test_pipeline", "test_worker", "test_transform"),
             ("command", "bad", "penguin")),
    "wire": ("core/wire", ("test_wire", "test_pb", "test_data", "test_flow", "test_schema",
                           "test_statistics", "test_analysis"), ("penguin",)),
    "metadata": ("core/metadata", ("test_metadata",), CLI),
    "run": ("core/run", ("test_pipeline",), CLI + ("kills", "models")),
    "registry": ("registry", ("test_registry",), ("hrp", "packages", "models")),
    "validation": ("core/validation", ("test_statistics", "test_schema", "test_validation_plugin",
                                       "test_validation_memory"), ("look", "penguin")),
}
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


def mutate(text, span, chance):
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
    return new, text[:start] + new + text[end:]


class Lab:
    """A copy of the tree, with a build of its own."""

    def __init__(self, scratch, folders, quick):
        self.quick = quick
        self.tree, self.build = os.path.join(scratch, "tree"), os.path.join(scratch, "build")
        self.took = {}
        self.copy()
        subprocess.run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja",
                        "-DCMAKE_BUILD_TYPE=Debug", "-DHEADRACE_TESTS=ON", "-DCMAKE_C_FLAGS=-w",
                        "-DCMAKE_C_FLAGS_DEBUG=-O0"], check=True, stdout=subprocess.DEVNULL)
        if not self.make(["tests/" + n.split()[0] for f in folders for _, n in self.tests(f)] if quick
                         else ["all"]):
            sys.exit("mutants.py: the tree does not build")
        for folder in folders:
            for test in self.tests(folder):
                if test not in self.took and self.passes(test) is not True:
                    sys.exit("mutants.py: %s fails without a mutant" % "/".join(test))

    def copy(self):
        """Files that differ only, so that what was built before stays."""
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=SOURCE,
                               check=True, capture_output=True, text=True).stdout.split("\n")[:-1]
        for name in names:
            source, to = os.path.join(SOURCE, name), os.path.join(self.tree, name)
            if not os.path.isfile(source):
                continue
            data = read(source)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            if not os.path.exists(to) or read(to) != data:
                shutil.copy(source, to)

    def tests(self, folder):
        _, units, scripts = FOLDERS[folder]
        if self.quick:
            return [("unit", u) for u in units[:3]]
        return [("unit", u) for u in units] + [("cli", c) for c in scripts]

    def make(self, targets):
        return subprocess.run(["ninja", "-C", self.build, *targets],
                              capture_output=True).returncode == 0

    def passes(self, test):
        """True, False, or None: it was still at work after ten times what it takes."""
        kind, name = test
        args = ([os.path.join(self.build, "tests", name.split()[0]), *name.split()[1:]]
                if kind == "unit" else
                [sys.executable, "-B", os.path.join(self.tree, "tests", "cli", name + ".py")])
        env = dict(os.environ, HR_BUILD=self.build, HR_SOURCE=self.tree)
        began = time.monotonic()
        p = subprocess.Popen(args, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True, preexec_fn=limit)
        try:
            code = p.wait(max(LEAST_TIMEOUT, 10 * self.took[test]) if test in self.took else None)
        except subprocess.TimeoutExpired:
            code = None
        with_all(p)
        self.took.setdefault(test, time.monotonic() - began)
        return None if code is None else code == 0

    def kill(self, folder):
        """Which test notices what is in the tree now: its name, "build", or None."""
        units = ["tests/" + n.split()[0] for kind, n in self.tests(folder) if kind == "unit"]
        if not self.make(units + ([] if self.quick else ["core/all", "registry/all", "plugins/all"])):
            return "build"
        for test in self.tests(folder):
            if not self.passes(test):
                return test[1]
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


def candidates(lab, folders):
    """Each place of each file that may be changed."""
    found = []
    for folder in folders:
        top = os.path.join(lab.tree, FOLDERS[folder][0])
        for name in sorted(os.listdir(top)):
            if name.endswith(".c"):
                path = os.path.join(top, name)
                text = read(path).decode()
                found += [(folder, path, span) for span in points(text)]
    return found


def try_one(lab, place, chance):
    """What was changed, and what killed it: a test, "build" or None."""
    folder, path, span = place
    text = read(path).decode()
    new, mutant = mutate(text, span, chance)
    line = text.count("\n", 0, span[0]) + 1
    what = "%s:%d: %r to %r: %s" % (os.path.relpath(path, lab.tree), line, text[span[0]:span[1]],
                                    new, text.splitlines()[line - 1].strip())
    with open(path, "w") as f:
        f.write(mutant)
    try:
        return what, lab.kill(folder)
    finally:
        with open(path, "w") as f:
            f.write(text)


def proof(lab):
    """0 if the tests kill what is wrong for sure, and nothing else."""
    path = os.path.join(lab.tree, "core", "base", "dir.c")
    at = read(path).decode().index(" == 0 && st.is_dir")
    what, by = try_one(lab, ("base", path, (at, at + 4)), random.Random(1))
    alive = lab.kill("base") is None
    print("%s: killed by %s; the tree as it is: %s" % (what, by, "passes" if alive else "fails"))
    return not (by and by != "build" and alive)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("scratch")
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--least", type=float, default=90)
    parser.add_argument("--proof", action="store_true")
    args = parser.parse_intermixed_args()
    folders = ["base"] if args.proof else args.folders or list(FOLDERS)
    args.quick = args.quick or args.proof
    lab, chance = Lab(args.scratch, folders, args.quick), random.Random(args.seed)
    if args.proof:
        sys.exit(proof(lab))
    places = candidates(lab, folders)
    chance.shuffle(places)
    killed = survived = 0
    while places and killed + survived < args.count:
        place = places.pop()
        what, by = try_one(lab, place, chance)
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
