#!/usr/bin/env python3
"""complexity.py ROOT - no function has more than 15 ways through it.

McCabe's number as pmccabe counts it, a switch as one, over core, registry, plugins, sdk and
samples.
"""
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


def main(root):
    numbers, lines = measure(root)
    if len(numbers) < 1000:
        sys.exit("pmccabe saw %d functions only" % len(numbers))
    findings = ["%s: %s has %d ways through it; take it apart, %d are allowed" %
                (lines[key], key.split()[1], n, LIMIT)
                for key, n in sorted(numbers.items()) if n > LIMIT]
    print("\n".join(findings + ["%d functions, %d findings" % (len(numbers), len(findings))]))
    sys.exit(bool(findings))


if __name__ == "__main__":
    main(*sys.argv[1:])
