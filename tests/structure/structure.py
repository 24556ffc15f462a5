#!/usr/bin/env python3
"""structure.py ROOT - the rules of the house that a script can keep.

Floors and faces are read from the includes; each folder has a README; each function of an ABI
interface has a thread tag.  Prints FILE:LINE: TEXT for each finding; exit 1 if there is one.
"""
import os
import re
import sys

# The lowest first; folders of one line stand on one floor and do not include each other.
FLOORS = [
    ["base"],
    ["wire"],
    ["metadata", "flow", "data"],
    ["validation", "transform", "learn", "analysis"],
    ["plugin"],
    ["pipeline"],
    ["registry"],
    ["run"],
    ["host"],
    ["cli"],
]
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}
# What other folders may include of one: its face, a header named after it.
FACES = {name: "%s/%s.h" % (name, name) for name in FLOOR}
FACES["plugin"] = "plugin/plugin.h"
WORKER_FACE = "plugin/worker/worker.h"
# Libraries that are usable alone: base, wire and the SDK only.
ALONE = {"validation", "transform", "learn", "analysis"}

findings = []


def find(path, line, text):
    findings.append("%s:%d: %s" % (path, line, text))


def folder_of(path):
    parts = path.split("/")
    if parts[0] == "core" and len(parts) > 2:
        return "worker" if parts[1:3] == ["plugin", "worker"] else parts[1]
    return parts[0]


def sources(root):
    for top in ("core", "registry", "plugins", "sdk", "samples"):
        for base, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(base, name), root)


def target_folder(include):
    if include.startswith("headrace/"):
        return "sdk"
    parts = include.split("/")
    if parts[:2] == ["plugin", "worker"]:
        return "worker"
    return parts[0] if len(parts) > 1 else None


def check_core(path, line, me, include, target):
    if target in ("sdk", None) or target not in FLOOR and target != "worker":
        return
    if me == "cli":
        if target != "cli":
            find(path, line, 'the command uses headrace.h only, not "%s"' % include)
        return
    if target == me or (me == "worker" and target == "plugin"):
        return
    if me == "worker" and target in ("base", "wire", "data", "flow"):
        check_face(path, line, include, target)
        return
    mine = FLOOR["plugin"] if me == "worker" else FLOOR.get(me)
    its = FLOOR["plugin"] if target == "worker" else FLOOR[target]
    if me == "worker":
        find(path, line, 'the worker may not use "%s"' % include)
    elif its > mine:
        find(path, line, '"%s" includes upwards: "%s"' % (me, include))
    elif its == mine:
        find(path, line, '"%s" and "%s" stand on one floor' % (me, target))
    elif me in ALONE and target not in ("base", "wire"):
        find(path, line, '"%s" is usable alone and may not use "%s"' % (me, target))
    else:
        check_face(path, line, include, target)


def check_face(path, line, include, target):
    face = WORKER_FACE if target == "worker" else FACES[target]
    if include != face:
        find(path, line, '"%s" is private to its folder; include "%s"' % (include, face))


def check_includes(root, path):
    me = folder_of(path)
    with open(os.path.join(root, path), encoding="utf-8") as f:
        for number, text in enumerate(f, 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', text)
            if not m:
                continue
            include, target = m.group(1), target_folder(m.group(1))
            if me == "sdk":
                if target not in (None, "sdk"):
                    find(path, number, 'the SDK includes nothing of ours: "%s"' % include)
            elif path.startswith("samples/"):
                if target not in (None, "sdk"):
                    find(path, number, 'a sample uses the SDK only, not "%s"' % include)
            elif path.startswith("plugins/"):
                if target in FLOOR and target not in ("base", "wire", "data") and \
                        target not in ALONE:
                    find(path, number, 'a plugin may not use "%s"' % include)
                elif target in FLOOR:
                    check_face(path, number, include, target)
            elif me == "registry":
                if target in FLOOR and target not in ("base", "registry"):
                    find(path, number, 'the registry may not use "%s"' % include)
            else:
                check_core(path, number, me, include, target)


def check_readmes(root):
    for top in ("core", "plugins", "samples"):
        for name in sorted(os.listdir(os.path.join(root, top))):
            folder = os.path.join(top, name)
            if os.path.isdir(os.path.join(root, folder)) and \
                    not os.path.exists(os.path.join(root, folder, "README.md")):
                find(folder, 1, "the folder has no README.md")


def check_tags(root):
    """Each function of a struct hr_NAME_REV has [any], [hook], [one] or [many]."""
    tag = re.compile(r"\[(any|hook|one|many)\]")
    for name in ("plugin.h", "flow.h", "model.h"):
        path = "sdk/include/headrace/" + name
        text = open(os.path.join(root, path), encoding="utf-8").read()
        for m in re.finditer(r"typedef struct hr_\w+_\d+ \{(.*?)\n\} hr_\w+;", text, re.S):
            body, start = m.group(1), text[: m.start(1)].count("\n") + 1
            comment, above = "", False
            for i, line in enumerate(body.split("\n")):
                stripped = line.strip()
                if stripped.startswith("/*"):
                    comment, above = stripped, True
                elif above and not re.search(r"\(\*\w+\)", line):
                    comment += " " + stripped
                if re.search(r"\(\*\w+\)", line):
                    rest = " ".join(body.split("\n")[i : i + 3]).split(";")[1:2] or [""]
                    if not tag.search(comment) and not tag.search(line) and \
                            not tag.search(rest[0].split("*/")[0]):
                        find(path, start + i, "the function has no thread tag")
                    comment, above = "", False


def check_top(root):
    allowed = {"core", "plugins", "sdk", "registry", "samples", "tests", "CMakeLists.txt",
               "CMakePresets.json", "README.md", "LICENSE", ".ci", ".clang-format", ".gitignore",
               ".gitattributes", ".git", "build", ".headrace"}
    for name in sorted(os.listdir(root)):
        if name not in allowed:
            find(name, 1, "does not belong at the top of the tree")


def main():
    root = sys.argv[1]
    count = 0
    for path in sources(root):
        check_includes(root, path)
        count += 1
    check_readmes(root)
    check_tags(root)
    check_top(root)
    for text in findings:
        print(text)
    print("%d files, %d findings" % (count, len(findings)))
    return 1 if findings or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
