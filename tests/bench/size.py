"""size.py BUILD: what an installation of a release build takes, stripped.

Installs BUILD into an empty folder and sums up the library, the command, the worker, the registry
and the standard plugins with their manifests. Headers, the static library and samples are for those
who build, and are told apart. Exit 1 if it is more than LIMIT.
"""
import os
import subprocess
import sys
import tempfile

LIMIT = 12 * 1000 * 1000


def part_of(path):
    name = os.path.basename(path)
    if "/bin/" in path:
        return "command"
    if name == "headrace-worker":
        return "worker"
    if "/plugins/" in path:
        return "standard plugins"
    if name.startswith("libheadrace-registry"):
        return "registry"
    if name.startswith("libheadrace.so"):
        return "library"
    return None


def main(build):
    parts, rest = {}, 0
    with tempfile.TemporaryDirectory(prefix="hr_bench_") as home:
        subprocess.run(["cmake", "--install", build, "--prefix", home, "--strip"], check=True,
                       capture_output=True)
        for base, _, names in os.walk(home):
            for name in names:
                path = os.path.join(base, name)
                if os.path.islink(path):
                    continue
                part = part_of(path)
                if part:
                    parts[part] = parts.get(part, 0) + os.path.getsize(path)
                else:
                    rest += os.path.getsize(path)
    if set(parts) != {"command", "worker", "standard plugins", "registry", "library"}:
        sys.exit("the installation lacks a part; it has %s" % ", ".join(sorted(parts)))
    total = sum(parts.values())
    print("| | MB |\n|---|---|")
    for part in sorted(parts, key=parts.get, reverse=True):
        print("| %s | %.2f |" % (part, parts[part] / 1e6))
    print("| all | %.2f, limit %g |" % (total / 1e6, LIMIT / 1e6))
    print("| headers, static library, manual, samples | %.2f |" % (rest / 1e6))
    sys.exit(total > LIMIT)


if __name__ == "__main__":
    main(*sys.argv[1:])
