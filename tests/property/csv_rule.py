"""csv_rule.py - random CSV against Python's csv and the rule of TFX's CsvExampleGen: each record
is a list of cells; a column is of the highest of int64, float32 and bytes that its cells need."""
import csv
import io
import json
import math
import struct

KINDS = ("taken", "refused")
CELLS = ["", "0", "1", "-7", "+5", " 3", "4 ", "1_000", "1__0", "9223372036854775807",
         "-9223372036854775808", "9223372036854775808", "0.5", ".5", "5.", "1e5", "1E-3", "1e400",
         "nan", "NaN", "inf", "-Infinity", "infinit", "0x10", "1,2", "a", "Ä€", "a b", "x\"y", "\"",
         "a\nb", "a\r\nb", "true", "1.5.2", "--1", "1e", "e5", "_1", "1_", "16777217", "3.4028236e38",
         "1e-46", "0.1", "00", "007", "-0", "-0.0", "\t1\t", "1\v"]
LINE_ENDS = ["\n", "\n", "\n", "\r\n"]


def quoted(chance, cell):
    if any(c in cell for c in ',"\n\r') or chance.randrange(5) == 0:
        return '"%s"' % cell.replace('"', '""')
    return cell


def make(chance):
    columns = chance.randrange(1, 5)
    names = chance.sample(["a", "b", "Z", "long name", "ä", "x,y", "q\"", "0"], columns)
    kinds = [chance.sample(CELLS, chance.choice([1, 2, 3, 8])) for _ in names]
    end = chance.choice(LINE_ENDS)
    lines = [",".join(quoted(chance, n) for n in names)]
    for _ in range(chance.choice([0, 1, 2, 5, 30])):
        lines.append(",".join(quoted(chance, chance.choice(k)) for k in kinds))
        if chance.randrange(30) == 0:
            lines.append(chance.choice(["", ",", "a" + "," * columns]))
    data = end.join(lines).encode() + (end.encode() if chance.randrange(4) else b"")
    if chance.randrange(10) == 0:
        data = b"\xef\xbb\xbf" + data
    for _ in range(chance.choice([0, 0, 0, 0, 1, 2])):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice([b'"', b",", b"\n", b"\r", b"\xff", b'""', b"1"]) + data[at:]
    return data


def records(data):
    """Cells of each record: one ends at a line break before which the number of quotes is even."""
    text = data.decode("utf-8", "surrogateescape")
    out, record = [], ""
    for line in text.split("\n"):
        record += line
        if record.count('"') % 2:
            record += "\n"
            continue
        record = record[:-1] if record.endswith("\r") else record
        if record:
            out.append(record)
        record = ""
    if record:
        raise ValueError("a quote is open at the end")
    return [one(r) for r in out]


def one(record):
    rows = list(csv.reader(io.StringIO(record, newline="")))
    if len(rows) != 1 or record.endswith("\r"):
        raise ValueError("a line break outside of quotes")
    return rows[0]


def is_number(cell):
    try:
        float(cell)
        return True
    except ValueError:
        return False


def level(cell):
    try:
        return 0 if -2**63 <= int(cell) < 2**63 else 2
    except ValueError:
        return 1 if is_number(cell) else 2


def float32(cell):
    v = float(cell)
    try:
        return struct.unpack("f", struct.pack("f", v))[0]
    except OverflowError:
        return math.copysign(math.inf, v)


def hexed(text):
    return text.encode("utf-8", "surrogateescape").hex()


def column(cells):
    levels = [level(c) for c in cells if c]
    kind = max(levels) if levels else None
    convert = {0: int, 1: float32, 2: hexed, None: None}[kind]
    return kind, [convert(c) if c else None for c in cells]


def same(a, b):
    if isinstance(a, float):
        b = float(b)  # what is not finite is a text
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    return a == b


def python(data):
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    rows = records(data)
    if not rows or data.lstrip(b"\r").startswith(b"\n"):
        raise ValueError("there is no header")
    names = rows.pop(0)
    if any("\n" in n for n in names):
        raise ValueError("a line break in a name")
    if len(set(names)) != len(names):
        raise ValueError("a column twice")
    for row in rows:
        if len(row) != len(names):
            raise ValueError("%d cells" % len(row))
    if not rows:
        raise ValueError("no row")
    if all(map(is_number, names)):
        raise ValueError("the header is a row of numbers")
    data.decode()
    columns = {hexed(n): column([r[i] for r in rows]) for i, n in enumerate(names)}
    return sorted(columns.items(), key=lambda c: bytes.fromhex(c[0])), len(rows)


def compare(data, line):
    formats = {0: "l", 1: "f", 2: "z", None: "n"}
    try:
        columns, n = python(data)
    except (ValueError, csv.Error) as e:
        return "refused", None if line.startswith("!") else "Python refuses: %s" % e
    if line.startswith("!"):
        return "refused", "Python makes: %r" % (columns,)
    head, *rows = json.loads(line)
    if head != [[name, formats[kind]] for name, (kind, _) in columns]:
        return "taken", "columns should be: %r" % [(n, k) for n, (k, _) in columns]
    for i in range(n):
        for k, (_, (_, cells)) in enumerate(columns):
            if not same(cells[i], rows[i][k]):
                return "taken", "row %d: %r should be %r" % (i, rows[i][k], cells[i])
    return "taken", None if len(rows) == n else "there should be %d rows" % n
