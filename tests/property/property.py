"""property.py BUILD SCRATCH NAME SEED COUNT - random inputs, against what Python makes of them.

NAME is json, csv, expression or features.  SEED is a number, or "random".  The first input on which the two
differ is printed, with the seed.
"""
import json
import os
import random
import subprocess
import sys

import csv_rule
import expression
import features
import json_rule

RULES = {"json": json_rule, "csv": csv_rule, "expression": expression,
         "features": features}


def ask(build, scratch, name, inputs):
    """What Headrace makes of each input: a line."""
    args = [os.path.join(build, "tests", "property_tool"), name]
    if name == "csv":
        args.append(os.path.join(scratch, "random.csv"))
    done = subprocess.run(args, input="".join(i.hex() + "\n" for i in inputs).encode(),
                          stdout=subprocess.PIPE, check=True)
    lines = done.stdout.decode().split("\n")[:-1]
    if len(lines) != len(inputs):
        sys.exit("%d answers to %d inputs" % (len(lines), len(inputs)))
    return lines


def main():
    build, scratch, name, seed, count = sys.argv[1:]
    os.makedirs(scratch, exist_ok=True)
    seed = str(random.SystemRandom().randrange(10**9)) if seed == "random" else seed
    rule, chance, counts = RULES[name], random.Random(int(seed)), {}
    inputs = [rule.make(chance) for _ in range(int(count))]
    for given, line in zip(inputs, ask(build, scratch, name, inputs)):
        kind, why = rule.compare(given, line)
        if why:
            sys.exit("seed %s: %r\nheadrace: %s\n%s" % (seed, given, line[:2000], why))
        counts[kind] = counts.get(kind, 0) + 1
    print("%s, seed %s: %s" % (name, seed, json.dumps(counts, sort_keys=True)))
    few = [k for k in rule.KINDS if counts.get(k, 0) < int(count) // 50]
    if few:
        sys.exit("the generator makes too few of: %s" % ", ".join(few))


if __name__ == "__main__":
    main()
