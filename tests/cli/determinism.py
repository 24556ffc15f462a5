"""What a pipeline leaves depends on its inputs alone: every file of every artifact and package has
the same bytes, however work is cut, wherever and whenever it runs, and whoever compiled it.

HR_LONG=1 tries all settings with each other in place of some.  HR_BUILDS names more builds, as
"DIR:DIR", that must give the same artifacts.
"""
import hashlib
import itertools
import os
import re
import shutil
import tempfile

from driver import BUILD, SOURCE, main

SETTINGS = {
    "HEADRACE_THREADS": ("1", "2", "8"),
    "HEADRACE_BATCH_ROWS": ("4096", "1", "7"),
    "--jobs": ("1", "8"),
    "--isolation": ("worker", "none"),
    "LC_ALL": ("C.UTF-8", "tr_TR.UTF-8"),
    "TZ": ("UTC", "Pacific/Kiritimati"),
    "files": ("1 2 3", "3 1 2"),  # the order in which they were made, which is that of listing
}
SOME = ((1, 1, 1, 1, 1, 1, 1), (2, 2, 0, 0, 1, 1, 0), (2, 0, 1, 0, 0, 1, 1))
BUILDS = [BUILD] + [b for b in os.environ.get("HR_BUILDS", "").split(":") if b]


def variants():
    names = list(SETTINGS)
    if os.environ.get("HR_LONG"):
        values = list(itertools.product(*SETTINGS.values()))
    else:
        values = [tuple(SETTINGS[n][i] for n, i in zip(names, some)) for some in SOME]
        values.insert(0, tuple(v[0] for v in SETTINGS.values()))
    return [dict(zip(names, v)) for v in values]


def split_file(data, order):
    """The one CSV file of a directory as three, made in an order."""
    name, = os.listdir(data)
    with open(os.path.join(data, name), "rb") as f:
        head, *rows = f.readlines()
    os.unlink(os.path.join(data, name))
    for k in order.split():
        n = int(k)
        with open(os.path.join(data, "part-%d.csv" % n), "wb") as f:
            f.writelines([head] + rows[len(rows) * (n - 1) // 3:len(rows) * n // 3])


def files_of(dir):
    """The digest of each file by its name, in which the numbers of executions are left out, as
    they are in its bytes, with the place of the project."""
    found = {}
    for part in ("artifacts", os.path.join("registry", "models")):
        top = os.path.join(dir, ".headrace", part)
        for at, _, names in os.walk(top):
            for name in names:
                steps = os.path.relpath(os.path.join(at, name), top).split(os.sep)
                steps = steps[:2] + steps[3:] if part == "artifacts" else steps
                with open(os.path.join(at, name), "rb") as f:
                    data = f.read().replace(dir.encode(), b"DIR")
                data = re.sub(rb"(DIR/.headrace/artifacts/\w+/\w+)/\d+", rb"\1", data)
                found["/".join([part] + steps)] = hashlib.sha256(data).hexdigest()
    return found


def run_once(h, build, template, setting):
    # Names of a tmpfs are listed in the order in which they were made, backwards.
    dir = tempfile.mkdtemp(prefix="hr_same_", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        shutil.copytree(os.path.join(SOURCE, "samples", template), dir, dirs_exist_ok=True)
        split_file(os.path.join(dir, "data"), setting["files"])
        args = ["--jobs", setting["--jobs"], "--isolation", setting["--isolation"]]
        h.run("run", *args, cwd=dir, command=os.path.join(build, "bin", "headrace"),
              env={k: v for k, v in setting.items() if k.isupper()})
        return files_of(dir)
    finally:
        shutil.rmtree(dir)


def same(h, template, chosen):
    whole = {}  # of each build: a package tells of the digests of plugins, which are the build's
    for build, setting in itertools.product(BUILDS, chosen):
        files = run_once(h, build, template, setting)
        want = whole.setdefault(build, files)
        assert len(files) >= 25, sorted(files)
        differ(want, files, "%s, %s" % (build, setting))
    first, *others = [{n: d for n, d in files.items() if n.startswith("artifacts/")}
                      for files in whole.values()]
    for build, files in zip(BUILDS[1:], others):
        differ(first, files, build)
    digest = hashlib.sha256(repr(sorted(first.items())).encode()).hexdigest()
    print("%s: %d runs, %d files, %s" % (template, len(BUILDS) * len(chosen), len(first), digest))


def differ(want, files, whose):
    names = sorted(n for n in set(want) | set(files) if want.get(n) != files.get(n))
    if names:
        raise AssertionError("%s: other bytes in %s" % (whose, ", ".join(names)))


def test_penguin(h):
    same(h, "penguin", variants())


def test_taxi(h):
    chosen = variants()
    same(h, "taxi", chosen if os.environ.get("HR_LONG") else chosen[:1] + chosen[2:])


if __name__ == "__main__":
    main(globals())
