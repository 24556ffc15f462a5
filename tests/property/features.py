"""features.py - random expressions of features files against a naive interpreter, which computes
while it makes them: a column is a list of Python values, None where one is missing."""
import json
import math
import struct

KINDS = ("int", "float", "bytes", "bool", "refused")
ROWS = 24
ODD = [math.nan, math.inf, -0.0, 3e38, 1e-42]
TEXTS = ["", "a", "B c", "ä", "12", " x,y ", "-0.5"]


class Refused(Exception):
    pass


def f32(v):
    try:
        return struct.unpack("f", struct.pack("f", v))[0]
    except OverflowError:
        return math.copysign(math.inf, v)


def i64(v):
    return (v + 2**63) % 2**64 - 2**63


def table():
    """The columns of the table that tool.c makes, as (kind, may be missing, values)."""
    columns = {}
    for k, name in enumerate("xyijst"):
        values = []
        for row in range(ROWS):
            n = row + k
            if k % 2 and row % (k + 2) == 1:
                values.append(None)
            elif k < 2:
                values.append(f32(ODD[n // 4 % 5] if n % 4 == 3 else (n * 37 % 23 - 11) / 8))
            elif k < 4:
                values.append(2**63 - 1 - k if row == 5 else (row * row + k) % 19 - 7)
            else:
                values.append(TEXTS[n % 7].encode())
        columns[name] = (("float", "int", "bytes")[k // 2], bool(k % 2), values)
    return columns


TABLE = table()


def each(f, *columns):
    """f of the values of each row; missing where one is."""
    return [None if None in row else f(*row) for row in zip(*columns)]


def floats(column):
    kind, missing, values = column
    return values if kind == "float" else each(lambda v: f32(float(v)), values)


def unified(a, b):
    """Two columns of numbers as one kind."""
    if a[0] == b[0]:
        return a[0], a[2], b[2]
    return "float", floats(a), floats(b)


def divide(x, y):
    if y:
        return f32(x / y)
    return math.nan if not x or x != x else math.copysign(1, x) * math.copysign(math.inf, y)


def floored(v):
    return float(math.floor(v)) if math.isfinite(v) and v else v


def modulo(x, y):
    if math.isinf(x) or not y or x != x or y != y:
        return math.nan
    m = math.fmod(x, y)
    return f32(m + y) if m and (m < 0) != (y < 0) else m


def by_zero(f):
    def g(x, y):
        if not y:
            raise Refused("division by 0")
        return i64(f(x, y))
    return g


INTS = {"+": lambda x, y: i64(x + y), "-": lambda x, y: i64(x - y), "*": lambda x, y: i64(x * y),
        "//": by_zero(lambda x, y: x // y), "%": by_zero(lambda x, y: x % y),
        "min2": min, "max2": max}
FLOATS = {"+": lambda x, y: f32(x + y), "-": lambda x, y: f32(x - y), "*": lambda x, y: f32(x * y),
          "/": divide, "//": lambda x, y: floored(divide(x, y)), "%": modulo,
          "min2": lambda x, y: x if x < y or x != x else y,
          "max2": lambda x, y: x if x > y or x != x else y}
ORDERS = {"==": lambda x, y: x == y, "!=": lambda x, y: x != y, "<": lambda x, y: x < y,
          "<=": lambda x, y: x <= y, ">": lambda x, y: x > y, ">=": lambda x, y: x >= y}


def rounding(how):
    def g(v):
        if not math.isfinite(v):
            return v
        return math.copysign(float(how(v)), v)
    return g


def root(v):
    return math.nan if v < 0 else f32(math.sqrt(v)) if v == v else v


def to_int(v):
    if not -2.0**63 <= v < 2.0**63:
        raise Refused("passes 64 bits")
    return int(v)


def sign(v):
    return (v > 0) - (v < 0) if isinstance(v, int) else v if v != v or not v else \
        math.copysign(1.0, v)


def number(text, otherwise):
    try:
        v = type(otherwise)(text.decode())
    except ValueError:
        return otherwise
    return f32(v) if isinstance(v, float) else v


class Maker:
    def __init__(self, chance):
        self.chance = chance

    def make(self, kind, depth):
        """Source that binds as an atom does, and its column."""
        if depth == 0 or self.chance.randrange(5) == 0:
            return self.atom(kind, depth)
        return getattr(self, "make_" + kind)(depth - 1)

    def any(self, depth):
        return self.make(self.chance.choice(["int", "float", "bytes"]), depth)

    def number(self, depth):
        return self.make(self.chance.choice(["int", "float"]), depth)

    def atom(self, kind, depth):
        chance = self.chance
        if kind == "bool":
            a, b = self.atom("int", 0), self.atom("int", 0)
            return self.order(a, b)
        if chance.randrange(4) == 0:
            v = {"int": chance.randrange(0, 9), "float": chance.choice([0.0, 0.5, 3.25, 1000.0]),
                 "bytes": chance.choice(["", "a", "Z"])}[kind]
            source = json.dumps(v)
            return source, (kind, False, [v.encode() if kind == "bytes" else v] * ROWS)
        name = {"int": "ij", "float": "xy", "bytes": "st"}[kind][chance.randrange(2)]
        return name, TABLE[name]

    def order(self, a, b):
        op = self.chance.choice(sorted(ORDERS))
        kind, x, y = unified(a[1], b[1])
        column = ("bool", a[1][1] or b[1][1], each(ORDERS[op], x, y))
        return "(%s %s %s)" % (a[0], op, b[0]), column

    def make_bool(self, depth):
        kind = self.chance.randrange(5)
        if kind < 2:
            if self.chance.randrange(3) == 0:
                return self.order(self.make("bytes", depth), self.make("bytes", depth))
            return self.order(self.number(depth), self.number(depth))
        if kind == 2:
            a, (_, missing, x) = self.make("bool", depth)
            return "(not %s)" % a, ("bool", missing, each(lambda v: not v, x))
        if kind == 3:
            a, (_, _, x) = self.any(depth)
            return "is_missing(%s)" % a, ("bool", False, [v is None for v in x])
        (a, x), (b, y) = self.make("bool", depth), self.make("bool", depth)
        op = self.chance.choice(["and", "or"])
        f = (lambda p, q: p and q) if op == "and" else (lambda p, q: p or q)
        return "(%s %s %s)" % (a, op, b), ("bool", x[1] or y[1], each(f, x[2], y[2]))

    def choose(self, kind, depth):
        c, cond = self.make("bool", depth)
        (a, x), (b, y) = self.make(kind, depth), self.make(kind, depth)
        source = "if_else(%s, %s, %s)" % (c, a, b)
        if cond[1]:
            raise Refused("the condition may be missing")
        values = [p if chosen else q for chosen, p, q in zip(cond[2], x[2], y[2])]
        return source, (kind, x[1] or y[1], values)

    def fill(self, kind, depth):
        a, x = self.make(kind, depth)
        v = {"int": 3, "float": 0.25, "bytes": "none"}[kind]
        by = v.encode() if kind == "bytes" else v
        return "fill(%s, %s)" % (a, json.dumps(v)), (kind, False,
                                                      [by if p is None else p for p in x[2]])

    def one(self, name, f, a, kind):
        return "%s(%s)" % (name, a[0]), (kind, a[1][1], each(f, a[1][2]))

    def two(self, op, a, b, functions):
        kind, x, y = unified(a[1], b[1])
        if op == "/":
            kind, x, y = "float", floats(a[1]), floats(b[1])
        column = (kind, a[1][1] or b[1][1], each(functions[kind][op], x, y))
        source = "%s(%s, %s)" if op[0] == "m" else "(%s %s %s)"
        return source % ((op, a[0], b[0]) if op[0] == "m" else (a[0], op, b[0])), column

    def make_float(self, depth):
        kind = self.chance.randrange(8)
        if kind < 3:
            op = self.chance.choice(sorted(FLOATS))
            a, b = self.make("float", depth), self.number(depth)
            if self.chance.randrange(2):
                a, b = b, a
            return self.two(op, a, b, {"float": FLOATS})
        if kind == 3:
            return self.choose("float", depth)
        if kind == 4:
            return self.fill("float", depth)
        if kind == 5:
            name, f = self.chance.choice([("round", rounding(round)), ("floor", rounding(math.floor)),
                                          ("ceil", rounding(math.ceil)), ("abs", abs), ("sqrt", root),
                                          ("sign", sign)])
            return self.one(name, f, self.make("float", depth), "float")
        if kind == 6:
            return self.one("to_float", lambda v: f32(float(v)), self.make("int", depth), "float")
        a, x = self.make("bytes", depth)
        return "to_number(%s, 0.5)" % a, ("float", x[1], each(lambda t: number(t, 0.5), x[2]))

    def make_int(self, depth):
        kind = self.chance.randrange(8)
        if kind < 3:
            op = self.chance.choice(sorted(INTS))
            return self.two(op, self.make("int", depth), self.make("int", depth), {"int": INTS})
        if kind == 3:
            return self.choose("int", depth)
        if kind == 4:
            return self.fill("int", depth)
        if kind == 5:
            name, f = self.chance.choice([("abs", lambda v: i64(abs(v))), ("sign", sign)])
            return self.one(name, f, self.make("int", depth), "int")
        if kind == 6:
            return self.one("to_int", to_int, self.make("float", depth), "int")
        return self.one("length", len, self.make("bytes", depth), "int")

    def make_bytes(self, depth):
        kind = self.chance.randrange(5)
        if kind == 0:
            return self.choose("bytes", depth)
        if kind == 1:
            return self.fill("bytes", depth)
        if kind == 2:
            (a, x), (b, y) = self.make("bytes", depth), self.make("bytes", depth)
            return "concat_text(%s, %s)" % (a, b), ("bytes", x[1] or y[1],
                                                    each(lambda p, q: p + q, x[2], y[2]))
        if kind == 3:
            return self.one("to_bytes", lambda v: b"%d" % v, self.make("int", depth), "bytes")
        name, f = self.chance.choice([("lower", bytes.lower), ("upper", bytes.upper),
                                      ("strip", bytes.strip)])
        return self.one(name, f, self.make("bytes", depth), "bytes")


KNOWN = {}  # of each source that was made: its column; None: it is refused


def make(chance):
    """Sources that are refused are made from one that is not: by a column that may be missing as
    a condition, by a division by 0, or by a kind that does not fit."""
    while True:
        try:
            kind = chance.choice(["int", "float", "bytes", "bool"])
            source, column = Maker(chance).make(kind, chance.randrange(1, 5))
            break
        except Refused:
            continue
    if chance.randrange(8) == 0:
        source, column = chance.choice([
            ("if_else((j > 1), 1, to_int(is_missing(%s)))" % source, None),
            ("((1 // (i - i)) + length(to_bytes(to_int(is_missing(%s)))))" % source, None),
            ("lower(to_int(is_missing(%s)))" % source, None),
            ("if_else(to_int(is_missing(%s)), 1, 2)" % source, None),
            ("concat_text(s, (1 + to_int(is_missing(%s))))" % source, None)])
    data = ("o = %s\n" % source).encode()
    KNOWN[data] = column
    return data


def same(kind, want, got):
    if want is None or got is None:
        return want is got
    if kind == "bytes":
        return want.hex() == got
    if kind == "float":
        got = float(got)
        return want != want and got != got or want == got and (
            math.copysign(1, want) == math.copysign(1, got))
    return int(want) == got and not isinstance(got, float)


def compare(data, line):
    column = KNOWN[data]
    if column is None:
        return "refused", None if line.startswith("!") else "it should be refused"
    kind, _, values = column
    if line.startswith("!"):
        return kind, "it should be: %r" % (values,)
    got = json.loads(line)
    for row, (a, b) in enumerate(zip(values, got)):
        if not same(kind, a, b):
            return kind, "row %d: %r should be %r" % (row, b, a)
    return kind, None if len(got) == ROWS else "there should be %d rows" % ROWS
