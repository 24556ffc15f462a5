#!/usr/bin/env python3
"""complexity.py ROOT [--list] - no function has more than 15 ways through it.

McCabe's number as pmccabe counts it, a switch as one, over core, registry, plugins, sdk and
samples. Functions that had more when the rule was made stand in complexity.txt, which may only
shrink: one that is not in it, or has more than it says, is told, and so is a line that says more
than there is. --list prints what that file should be.
"""
import os
import subprocess
import sys

from structure import sources

LIMIT = 15


def measure(root):
    """{"FILE FUNCTION": number}, and the lines where they begin."""
    out = subprocess.run(["pmccabe", *sources(root)], cwd=root, capture_output=True, text=True,
                         check=True).stdout
    numbers, lines = {}, {}
    for line in out.splitlines():
        number, _, _, first, _, place = line.split("\t")
        path, name = place.split("(")[0], place.split(": ")[1]
        key = "%s %s" % (path, name)
        numbers[key] = max(numbers.get(key, 0), int(number))
        lines[key] = "%s:%s" % (path, first)
    return numbers, lines


def read_known(path):
    known = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.strip():
                path, name, number = line.split()
                known["%s %s" % (path, name)] = int(number)
    return known


def main(root, *more):
    numbers, lines = measure(root)
    if len(numbers) < 1000:
        sys.exit("pmccabe saw %d functions only" % len(numbers))
    many = {key: n for key, n in numbers.items() if n > LIMIT}
    if more == ("--list",):
        for key in sorted(many):
            print(key, many[key])
        return
    known = read_known(os.path.join(os.path.dirname(os.path.abspath(__file__)), "complexity.txt"))
    findings = []
    for key, n in sorted(many.items()):
        if n > known.get(key, LIMIT):
            findings.append("%s: %s has %d ways through it; take it apart, %d are allowed" %
                            (lines[key], key.split()[1], n, LIMIT))
    for key, n in sorted(known.items()):
        if many.get(key, 0) < n:
            findings.append("tests/structure/complexity.txt: %s has %s now; say so" %
                            (key, many.get(key, "no more than %d" % LIMIT)))
    print("\n".join(findings + ["%d functions, %d known above %d, %d findings" %
                                (len(numbers), len(known), LIMIT, len(findings))]))
    sys.exit(bool(findings))


if __name__ == "__main__":
    main(*sys.argv[1:])
