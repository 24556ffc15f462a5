"""json_rule.py - random JSON, sound and broken, against Python's json."""
import json
import math

KINDS = ("taken", "refused")
MAX_DEPTH = 200


def text(chance):
    letters = ["a", "ä", "€", "😀", " ", "/", "\\u00e4", "\\n", "\\\"", "\\\\", "\\/", "\\ud83d\\ude00",
               "\\u0041", "\x7f", "\u2028", "\ufffd", "//", "{", "]"]
    return '"%s"' % "".join(chance.choice(letters) for _ in range(chance.randrange(6)))


def number(chance):
    whole = chance.choice(["0", "-0", "7", "-12", "9223372036854775807", "-9223372036854775808",
                           "9223372036854775808", "123456789012345678901234567890"])
    part = chance.choice(["", "", ".0", ".5", ".1234567890123456789"])
    power = chance.choice(["", "", "e5", "E-7", "e+300", "e-320", "e400"])
    return whole + part + power


def value(chance, depth):
    kind = chance.randrange(8 if depth else 5)
    if kind < 2:
        return number(chance)
    if kind == 2:
        return text(chance)
    if kind < 5:
        return chance.choice(["null", "true", "false", "{}", "[]", '""'])
    blank = chance.choice(["", "", " ", "\n", "\t\r\n "])
    items = [value(chance, depth - 1) for _ in range(chance.randrange(5))]
    if kind == 5:
        return "[" + blank + ("," + blank).join(items) + blank + "]"
    names = [text(chance) for _ in items]
    return "{" + blank + ("," + blank).join("%s%s:%s" % (n, blank, i)
                                            for n, i in zip(names, items)) + "}"


def make(chance):
    data = value(chance, chance.randrange(6)).encode()
    if chance.randrange(20) == 0:
        deep = chance.randrange(195, 205)
        data = b"[" * deep + data + b"]" * deep
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        at = chance.randrange(len(data) + 1)
        bad = chance.choice([b"", b",", b"}", b"0", b"-", b".", b"\xff", b"\xed\xa0\x80", b"\x00",
                             b"\n", b"\\ud800", b"\\x", b"NaN", b"'", b"//", b"+1", b"01", b"e"])
        data = data[:at] + bad + data[at + chance.randrange(2):]
    return data


class Wrong(Exception):
    pass


def members(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Wrong("a name is given twice")
    return dict(pairs)


def no_constant(name):
    raise Wrong("%s is no JSON" % name)


def depth_of(v):
    if isinstance(v, (list, dict)):
        return 1 + max(map(depth_of, v.values() if isinstance(v, dict) else v), default=0)
    return 0


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(sorted(a)) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return a == b


def python(data):
    """What Python makes of it, where it is as strict as RFC 8259."""
    text = data.decode()
    if text.startswith("\ufeff"):
        raise Wrong("a mark of order")
    v = json.loads(text, object_pairs_hook=members, parse_constant=no_constant)
    json.dumps(v, ensure_ascii=False).encode()  # a lone surrogate cannot be
    if depth_of(v) > MAX_DEPTH:
        raise Wrong("too deep")
    return v


def compare(data, line):
    try:
        want = python(data)
    except (ValueError, Wrong, RecursionError) as e:
        if line.startswith("!"):
            return "refused", None
        # A text of C cannot hold a byte 0; all else that Python refuses is refused.
        return "refused", "Python refuses: %s" % e
    if line.startswith("!"):
        if "\\u0000" in data.decode():
            return "refused", None
        return "refused", "Python takes it"
    got = json.loads(line)
    return "taken", None if same(want, got) else "Python makes: %r" % (want,)
