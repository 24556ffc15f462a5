"""pyarrow reads the Arrow files that are written here, and the other way round.

    python arrow_files.py PROGRAM [SEED COUNT]        PROGRAM: the build of arrow_files.c

COUNT random tables of a seed are read here, and written again for pyarrow to read.  Needs pyarrow.  Prints one line for each check; the exit status is 1 if one fails.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

import pyarrow as pa

ROWS = 20000
program = sys.argv[1]
failed = 0


def check(what, ok):
    global failed
    print(("ok      " if ok else "FAILED  ") + what)
    failed += not ok


def theirs_of_ours(folder):
    path = os.path.join(folder, "ours.arrow")
    subprocess.run([program, "write", path], check=True)
    for source in (pa.memory_map(path), pa.OSFile(path)):
        reader = pa.ipc.open_file(source)
        table = reader.read_all()
        table.validate(full=True)
        check("schema", table.schema.names == ["x", "f", "z", "s"]
              and table.schema.field("x").type == pa.int64()
              and table.schema.field("f").type == pa.list_(pa.float32())
              and table.schema.field("z").type == pa.binary()
              and table.schema.field("s").type == pa.dictionary(pa.int32(), pa.string()))
        check("metadata", table.schema.field("z").metadata == {b"hr:null": b"empty"})
        rows = table.to_pylist()
        want = [{"x": i * i if i % 5 else None,
                 "f": [i / 8] * (i % 4) if i % 7 else None,
                 "z": b"t%d" % (i % 100) if i % 11 else None,
                 "s": "d%d" % (i * 31 % 100) if i % 13 else None} for i in range(ROWS)]
        check("%d rows in %d batches" % (len(rows), reader.num_record_batches), rows == want)


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return "struct"
    if hasattr(value, "isoformat"):
        return "time"
    return value


def ours_of_theirs(folder):
    tables = {
        "all types": pa.table({
            "i": pa.array([1, None, 3]),
            "i8": pa.array([-1, 0, 127], pa.int8()),
            "u16": pa.array([65535, None, 0], pa.uint16()),
            "f": pa.array([[1.5], [], None], pa.list_(pa.float32())),
            "g": pa.array([0.1, None, -1e300]),
            "s": pa.array(["a", "b", "a"]).dictionary_encode(),
            "u": pa.array(["\u00e4", None, ""]),
            "b": pa.array([b"x", None, b""]),
            "bo": pa.array([True, None, False]).cast(pa.int8()),
            "n": pa.nulls(3),
            "w": pa.array([[1, 2], [3, 4], None], pa.list_(pa.int8(), 2)),
            "lb": pa.array(["q", "r", None], pa.large_string()),
            "ll": pa.array([[1], None, []], pa.large_list(pa.int64()))}),
        "int8 codes": pa.table({
            "s": pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0], pa.int8()),
                                                pa.array(["a", "b"]))}),
        "slices": pa.table({"x": list(range(1000)), "s": [str(i) for i in range(1000)]}).slice(13, 700),
        "no rows": pa.table({"x": pa.array([], pa.int64()), "s": pa.array([], pa.string())}),
    }
    for name, table in tables.items():
        path = os.path.join(folder, "theirs.arrow")
        with pa.OSFile(path, "wb") as f, pa.ipc.new_file(f, table.schema) as writer:
            writer.write_table(table, max_chunksize=300)
        out = subprocess.run([program, "read", path], check=True, capture_output=True, text=True)
        rows = [json.loads(line) for line in out.stdout.splitlines()]
        want = [[plain(v) for v in row.values()] for row in table.to_pylist()]
        check(name, rows == want)
    path = os.path.join(folder, "nulls.arrow")
    for lists in (pa.list_(pa.int64()), pa.list_(pa.int64(), 2), pa.large_list(pa.int64())):
        table = pa.table({"x": pa.array([[1, 2], None, [3, None]], lists)})
        with pa.OSFile(path, "wb") as f, pa.ipc.new_file(f, table.schema) as writer:
            writer.write_table(table)
        out = subprocess.run([program, "read", path], capture_output=True, text=True)
        check("a null within is refused", out.returncode == 1 and
              "row 2: a value within is null" in out.stderr)
    path = os.path.join(folder, "packed.arrow")
    packed = pa.table({"x": [1] * 1000})
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(path, "wb") as f, pa.ipc.new_file(f, packed.schema, options=options) as writer:
        writer.write_table(packed)
    out = subprocess.run([program, "read", path], capture_output=True, text=True)
    check("compression is refused", out.returncode == 1 and "is compressed" in out.stderr)


def random_values(chance, kind, n, nulls):
    """Values of a column; of a dictionary few that are different."""
    one = {"l": lambda: chance.randrange(-2**63, 2**63), "i": lambda: chance.randrange(-2**31, 2**31),
           "c": lambda: chance.randrange(-128, 128), "S": lambda: chance.randrange(2**16),
           "f": lambda: chance.randrange(-1000, 1000) / 8, "g": lambda: chance.uniform(-1e9, 1e9),
           "u": lambda: "".join(chance.choice("aä€ ") for _ in range(chance.randrange(5))),
           "z": lambda: bytes(chance.randrange(97, 123) for _ in range(chance.randrange(5)))}[kind]
    few = [one() for _ in range(chance.choice([1, 4, 200]))]
    return [None if nulls and chance.randrange(nulls) == 0 else chance.choice(few)
            for _ in range(n)]


TYPES = {"l": pa.int64(), "i": pa.int32(), "c": pa.int8(), "S": pa.uint16(), "f": pa.float32(),
         "g": pa.float64(), "u": pa.string(), "z": pa.binary()}


def random_column(chance, n):
    kind = chance.choice(list(TYPES))
    form = chance.choice(["plain", "plain", "list", "dictionary", "large"])
    if form == "list":
        lists = [None if chance.randrange(9) == 0 else
                 random_values(chance, kind, chance.randrange(4), 0) for _ in range(n)]
        return pa.array(lists, pa.list_(TYPES[kind]))
    values = random_values(chance, kind, n, chance.choice([0, 0, 3, 10]))
    if kind in "uz" and form == "dictionary":
        return pa.array(values, TYPES[kind]).dictionary_encode()
    if kind in "uz" and form == "large":
        return pa.array(values, pa.large_string() if kind == "u" else pa.large_binary())
    return pa.array(values, TYPES[kind])


def random_tables(folder, seed, count):
    print("seed %d" % seed)
    chance, same, copied = random.Random(seed), 0, 0
    path, again = (os.path.join(folder, name) for name in ("random.arrow", "again.arrow"))
    for _ in range(count):
        n = chance.choice([0, 1, 7, 64, 700])
        table = pa.table({"c%d" % k: random_column(chance, n) for k in range(chance.randrange(1, 6))})
        table = table.slice(chance.randrange(n + 1)) if chance.randrange(3) == 0 else table
        with pa.OSFile(path, "wb") as f, pa.ipc.new_file(f, table.schema) as writer:
            writer.write_table(table, max_chunksize=chance.choice([5, 100, 1000]))
        out = subprocess.run([program, "read", path], check=True, capture_output=True, text=True)
        rows = [json.loads(line) for line in out.stdout.splitlines()]
        want = [[[plain(x) for x in v] if isinstance(v, list) else plain(v) for v in row.values()]
                for row in table.to_pylist()]
        same += rows == want
        subprocess.run([program, "copy", path, again], check=True)
        back = pa.ipc.open_file(pa.memory_map(again)).read_all()
        back.validate(full=True)
        copied += back.schema == table.schema and back.to_pylist() == table.to_pylist()
    check("%d random tables are read" % same, same == count)
    check("%d are written again" % copied, copied == count)


with tempfile.TemporaryDirectory() as folder:
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**9)
    random_tables(folder, seed, int(sys.argv[3]) if len(sys.argv) > 3 else 100)
    theirs_of_ours(folder)
    ours_of_theirs(folder)
sys.exit(failed > 0)
