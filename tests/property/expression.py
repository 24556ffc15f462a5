"""expression.py - random expressions against a naive interpreter, which computes while it makes
them: a value is a Python value, and Refused where the language knows no result."""
import json
import math
import re

KINDS = ("an int", "a float", "a text", "a list", "a bool", "refused")


class Refused(Exception):
    pass


NAMES = {"p.i": 7, "p.f": 2.5, "p.s": "Text ä", "p.n": None, "p.l": [3, "b", 0.5], "p.x": math.nan}
TEXTS = ["", "a", "B", "ä€", "12", "1.5", "a-b", "x/y.z", "it''s"]


def is_int(v):
    return type(v) is int


def is_number(v):
    return type(v) in (int, float)


def literal(chance):
    """Source and value of an atom."""
    kind = chance.randrange(8)
    if kind == 0:
        v = chance.choice([0, 1, 2, 3, 10, 9223372036854775807, 4611686018427387904])
        return str(v), v
    if kind == 1:
        text = chance.choice(["0.5", "2.0", "1e3", "1e308", "0.1", "3e-5"])
        return text, float(text)
    if kind == 2:
        text = chance.choice(TEXTS[:-1])
        mark = chance.choice("'\"")
        return mark + text + mark, text
    if kind == 3:
        return chance.choice([("true", True), ("false", False)])
    if kind == 4 and chance.randrange(3) == 0:
        return "null", None
    name = chance.choice(sorted(NAMES))
    return name, NAMES[name]


def limited(v):
    if is_int(v) and not -2**63 <= v < 2**63:
        raise Refused("passes 64 bits")
    return v


def arithmetic(op, a, b):
    if op == "+" and type(a) is type(b) and type(a) in (str, list):
        return a + b
    if not is_number(a) or not is_number(b):
        raise Refused("no numbers")
    if is_int(a) and is_int(b):
        if op in "/%" and b == 0:
            raise Refused("division by 0")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if op in "/%" else 0
        return limited({"+": a + b, "-": a - b, "*": a * b, "/": quotient,
                        "%": a - b * quotient}[op])
    a, b = float(a), float(b)
    if op == "/":
        if b:
            return a / b
        return math.nan if a == 0 or a != a else math.inf * math.copysign(1, a) * math.copysign(1, b)
    if op == "%":
        return math.nan if not b or math.isinf(a) or a != a or b != b else math.fmod(a, b)
    return {"+": a + b, "-": a - b, "*": a * b}[op]


def order(a, b):
    """-1, 0, 1; 2: they differ; NaN differs from all."""
    if is_number(a) and is_number(b):
        if not is_int(a) or not is_int(b):
            a, b = float(a), float(b)
        return 2 if a != a or b != b else (a > b) - (a < b)
    if (a is None) != (b is None):
        return 2
    if type(a) is not type(b):
        raise Refused("not comparable")
    if isinstance(a, str):
        a, b = a.encode(), b.encode()
        return (a > b) - (a < b)
    if isinstance(a, list):
        for x, y in zip(a, b):
            if order(x, y):
                return 2
        return 0 if len(a) == len(b) else 2
    return 0 if a == b else 2


def comparison(op, a, b):
    if op == "in":
        if not isinstance(b, list):
            raise Refused("no list")
        return any(equal(a, x) for x in b)
    c = order(a, b)
    if c == 2 and op not in ("==", "!=") and not (is_number(a) and is_number(b)):
        raise Refused("no order")
    return {"==": c == 0, "!=": c != 0, "<": c == -1, "<=": c in (-1, 0), ">": c == 1,
            ">=": c in (0, 1)}[op]


def equal(a, b):
    try:
        return order(a, b) == 0
    except Refused:
        return False


def shown(v):
    """As JSON."""
    if isinstance(v, float) and not math.isfinite(v):
        return '"nan"' if v != v else '"inf"' if v > 0 else '"-inf"'
    if isinstance(v, list):
        return "[%s]" % ",".join(map(shown, v))
    return json.dumps(v, ensure_ascii=False)


def to_int(v):
    if type(v) is float:
        if not abs(v) < 9.2e18:
            raise Refused("passes 64 bits")
        return int(v)
    if isinstance(v, str):
        if not re.fullmatch(r"[+-]?[0-9]+", v):
            raise Refused("no int")
        return limited(int(v))
    if type(v) not in (int, bool):
        raise Refused("no number")
    return int(v)


def to_float(v):
    if isinstance(v, str):
        if not re.fullmatch(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]+)?", v, re.I):
            raise Refused("no number")
        return float(v)
    if not is_number(v):
        raise Refused("no number")
    return float(v)


def need(ok):
    if not ok:
        raise Refused("a wrong argument")


def extreme(values, sign):
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    need(values)
    best = values[0]
    for v in values[1:]:
        c = order(v, best)
        need(c != 2)
        best = v if c == sign else best
    return best


def rounded(v):
    need(is_number(v) and (is_int(v) or abs(v) < 9.2e18))
    return v if is_int(v) else round(v)


def text_call(f):
    def call(*args):
        need(all(isinstance(a, str) for a in args))
        return f(*args)
    return call


def ascii_case(change):
    return text_call(lambda t: "".join(change(c) if c.isascii() else c for c in t))


def replace(text, what, by):
    need(what)
    return text.replace(what, by)


def join(items, mark):
    need(isinstance(items, list) and isinstance(mark, str))
    need(all(isinstance(i, str) for i in items))
    return mark.join(items)


def length(v):
    need(isinstance(v, (str, list)))
    return len(v)


FUNCTIONS = {
    "len": (1, length), "int": (1, to_int), "float": (1, to_float), "round": (1, rounded),
    "string": (1, lambda v: v if isinstance(v, str) else shown(v)), "json": (1, shown),
    "exists": (1, lambda v: v is not None), "lower": (1, ascii_case(str.lower)),
    "upper": (1, ascii_case(str.upper)), "replace": (3, text_call(replace)), "join": (2, join),
    "max": (0, lambda *v: extreme(list(v), 1)), "min": (0, lambda *v: extreme(list(v), -1)),
}


class Maker:
    """Makes source; what it means is computed lazily, as the language does."""

    def __init__(self, chance):
        self.chance = chance

    def make(self, depth):
        """Source that binds as an atom does, and a function that gives its value."""
        chance = self.chance
        if depth == 0 or chance.randrange(6) == 0:
            source, v = literal(chance)
            return source, lambda: v
        kind = chance.randrange(10)
        if kind < 4:
            return self.binary(depth)
        if kind == 4:
            return self.logic(depth)
        if kind == 5:
            return self.choose(depth)
        if kind == 6:
            return self.list_or_index(depth)
        if kind == 7:
            return self.unary(depth)
        return self.call(depth)

    def binary(self, depth):
        (a, x), (b, y) = self.make(depth - 1), self.make(depth - 1)
        op = self.chance.choice(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in"])
        f = arithmetic if op in "+-*/%" else comparison

        def value():
            left, right = x(), y()
            return f(op, left, right)
        return "(%s %s %s)" % (a, op, b), value

    def logic(self, depth):
        (a, x), (b, y) = self.make(depth - 1), self.make(depth - 1)
        op = self.chance.choice(["and", "or"])

        def value():
            left = x()
            need(type(left) is bool)
            if left == (op == "or"):
                return left
            right = y()
            need(type(right) is bool)
            return right
        return "(%s %s %s)" % (a, op, b), value

    def choose(self, depth):
        (a, x), (b, y), (c, z) = (self.make(depth - 1) for _ in range(3))

        def value():
            which = x()
            need(type(which) is bool)
            return y() if which else z()
        return "(%s ? %s : %s)" % (a, b, c), value

    def list_or_index(self, depth):
        items = [self.make(depth - 1) for _ in range(self.chance.randrange(4))]
        source = "[%s]" % ", ".join(s for s, _ in items)
        if self.chance.randrange(2):
            return source, lambda: [f() for _, f in items]
        at, index = self.make(depth - 1)

        def value():
            v, i = [f() for _, f in items], index()
            need(is_int(i) and 0 <= i < len(v))
            return v[i]
        return "%s[%s]" % (source, at), value

    def unary(self, depth):
        a, x = self.make(depth - 1)

        def negative():
            v = x()
            need(is_number(v))
            return limited(-v)

        def negated():
            v = x()
            need(type(v) is bool)
            return not v
        return ("(-%s)" % a, negative) if self.chance.randrange(2) else ("(not %s)" % a, negated)

    def call(self, depth):
        name = self.chance.choice(sorted(FUNCTIONS))
        n, f = FUNCTIONS[name]
        args = [self.make(depth - 1) for _ in range(n or self.chance.randrange(1, 4))]
        return "%s(%s)" % (name, ", ".join(s for s, _ in args)), lambda: f(*[g() for _, g in args])


KNOWN = {}  # of each source that was made: its value


def make(chance):
    source, value = Maker(chance).make(chance.randrange(1, 4))
    text = "${ %s }" % source
    KNOWN[text.encode()] = value
    return text.encode()


def kind_of(v):
    if v is None:
        return "null"
    return {bool: "a bool", int: "an int", float: "a float", str: "a text", list: "a list"}[type(v)]


def compare(data, line):
    try:
        v = KNOWN[data]()
        want = "%s: %s" % (kind_of(v), shown(v))
    except (Refused, OverflowError) as e:
        return "refused", None if line.startswith("!") else "it should be refused: %s" % e
    kind, _, got = line.partition(": ")
    if line == want:
        return kind, None
    if kind == kind_of(v) and json.loads(got) == json.loads(want.partition(": ")[2]):
        return kind, None  # floats in another form
    return kind, "it should be: " + want
