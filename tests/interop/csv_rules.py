"""CSV by the rules of Python's own csv, int() and float(), against what is read here.

    python3 csv_rules.py PROGRAM [SEEDS]        PROGRAM: the build of tests/bench/csv_split.c

Needs nothing but Python.  For each seed a file of odd cells is made, split by PROGRAM into gzip
TFRecords, and split again in a few lines of Python by the same rules: lines are joined while the
number of quotes is odd, csv.reader cuts them, int() and float() type them, a tf.Example with
sorted features is hashed with SHA-256.  The records of each split must be equal, in order.
"""
import csv
import gzip
import hashlib
import os
import random
import struct
import subprocess
import sys
import tempfile

SPLITS = (("train", 2), ("eval", 3))


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return bytes([number << 3 | 2]) + varint(len(data)) + data


def kind(cell):
    if not cell:
        return 0
    try:
        return 1 if -2 ** 63 <= int(cell) < 2 ** 63 else 3
    except ValueError:
        pass
    try:
        float(cell)
        return 2
    except ValueError:
        return 3


def single(text):
    value = float(text)
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))


def feature(k, cell):
    if k == 0:
        return b""
    if not cell:
        return field({1: 3, 2: 2, 3: 1}[k], b"")
    if k == 1:
        return field(3, field(1, varint(int(cell))))
    if k == 2:
        return field(2, field(1, single(cell)))
    return field(1, field(1, cell))


def records(data):
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    lines = [line + b"\n" for line in lines]
    if not data.endswith(b"\n"):
        lines[-1] = lines[-1][:-1]
    header = next(csv.reader([lines[0].decode().rstrip("\r\n")]))
    rows, pending = [], b""
    for line in lines[1:]:
        pending += line
        if pending.count(b'"') % 2:
            continue
        record, pending = pending.decode(), b""
        record = record[:-1] if record.endswith("\n") else record
        record = record[:-1] if record.endswith("\r") else record
        if record:
            rows.append([c.encode() for c in next(csv.reader([record]))])
    kinds = [max(kind(row[i]) for row in rows) for i in range(len(header))]
    order = sorted(range(len(header)), key=lambda i: header[i].encode())
    for row in rows:
        features = b"".join(field(1, field(1, header[i].encode()) + field(2, feature(kinds[i], row[i])))
                            for i in order)
        yield field(1, features)


def split_of(record):
    bucket = int(hashlib.sha256(record).hexdigest(), 16) % 3
    return next(name for name, end in SPLITS if bucket < end)


def read_records(path):
    data = gzip.open(path).read()
    at, out = 0, []
    while at < len(data):
        n = struct.unpack("<Q", data[at:at + 8])[0]
        out.append(data[at + 12:at + 12 + n])
        at += n + 16
    return out


def number(r):
    digits = "".join(r.choice("0123456789") for _ in range(r.choice([1, 2, 5, 15, 16, 17, 18, 19, 20, 25])))
    forms = [digits, "-" + digits, "+" + digits, "0" + digits, digits + ".", "." + digits, "1_0" + digits,
             digits[:3] + "." + digits, "-0." + digits, digits[:1] + "e" + str(r.randint(-60, 60)),
             repr(r.random()), repr(r.gauss(0, 1e5)), repr(r.random() * 10 ** r.randint(-45, 40)),
             "%.9f" % r.gauss(40, 50), " " + digits + "\t", "nan", "-inf", "Infinity", "1e400", "-1e-400",
             "9223372036854775807", "-9223372036854775808", "3.4028235e38", "3.4028236e38", "1e-45",
             "16777217", "0.1", "-0", "-0.0"]
    return r.choice(forms)


def small_int(r):
    return r.choice(["0", "-1", str(r.randint(-9, 9)), str(r.randint(-10 ** 12, 10 ** 12)), " 7 ", "+3", "1_000"])


def float_text(r):
    while True:
        text = number(r)
        if kind(text.encode()) < 3:
            return text


def odd_text(r):
    forms = ["", " ", "x", "0x10", "1,5", 'say "hi"', "a\nb", "a\r\nb", "\u00e4\u6771\U0001f695", "1 2", "--1", "1e",
             "inf inity", "_1", "1__0", "\u0663", "\u00a01", '"', '""', "a" * r.randint(1, 300), "nano", "+", "."]
    return r.choice(forms + [number(r)])


def cell(r, text, stray):
    if any(c in text for c in ',"\r\n') or r.random() < .1:
        return '"%s"' % text.replace('"', '""')
    if stray and text and r.random() < .05:
        return text + '"q"' + text
    return text


def make(seed):
    r = random.Random(seed)
    makers = [small_int, float_text, odd_text, number, lambda r: "", lambda r: r.choice("abc"), small_int]
    names = ["i", "f", "text", "num", "none", "Choice", "\u00fcber, \"x\""]
    end = r.choice(["\n", "\r\n"])
    out = ",".join(cell(r, n, False) for n in names) + end
    for _ in range(r.choice([1, 50, 400])):
        if r.random() < .02:
            out += end
        row = [cell(r, "" if r.random() < .1 else m(r), True) for m in makers]
        out += ",".join(row) + end
    return (out if r.random() < .8 else out[:-len(end)]).encode()


def main():
    program, seeds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50
    failed = total = 0
    csv.field_size_limit(1 << 30)
    for seed in range(seeds):
        data = make(seed)
        want = {name: [] for name, _ in SPLITS}
        for record in records(data):
            want[split_of(record)].append(record)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.csv")
            with open(path, "wb") as f:
                f.write(data)
            subprocess.run([program, path, folder, "tfrecords_gzip"], check=True)
            for name, _ in SPLITS:
                got = read_records(os.path.join(folder, "Split-" + name, "data_tfrecord-00000-of-00001.gz"))
                total += len(got)
                if got != want[name]:
                    failed += 1
                    print("FAILED  seed %d, split %s: %d and %d records" % (seed, name, len(got), len(want[name])))
    print("%d seeds, %d records, %d splits differ" % (seeds, total, failed))
    sys.exit(failed > 0 or not total)


main()
