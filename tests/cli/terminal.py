"""What a person sees, under a pseudo-terminal: widths, colours, letters; and what a pipe gets."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

from driver import COMMAND, main, says

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LOOKS = (["help"], ["help", "run"], ["runs"], ["executions"], ["artifacts"], ["graph"],
         ["graph", "--run", "1"], ["show", "run", "1"], ["lineage", "penguin@1"],
         ["open", "examples"], ["cache", "list"], ["model", "list"], ["plugin", "list"],
         ["diff", "1", "2"])


def on_terminal(h, *args, columns=80, rows=50, env=None):
    """stdout and stderr of the command on one terminal, as it wrote them."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    done = subprocess.Popen([COMMAND, *args], cwd=h.dir, stdin=follower, stdout=follower,
                            stderr=follower, env={**h.env, "TERM": "xterm", **(env or {})})
    os.close(follower)
    data = b""
    while True:
        try:
            got = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not got:
            break
        data += got
    os.close(leader)
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    assert done.wait(240) == 0 and "Sanitizer" not in text, (args, done.returncode, text)
    return text


def width(line):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def ready(h):
    h.project()
    h.run("run", "--quiet")
    h.run("run", "--quiet", "--param", "steps=200")


def test_widths(h):
    """No line is wider than the terminal, but one fact by its name: that is shown whole."""
    ready(h)
    for columns in (80, 40):
        for words in LOOKS:
            if words[0] == "diff":  # values are shown whole
                continue
            text = ESCAPE.sub("", on_terminal(h, *words, columns=columns))
            wide = [line for line in text.splitlines() if width(line) > columns
                    and len(line.split()) > 2]
            assert not wide, (columns, words, wide)


def test_run(h):
    """One line a node, updated in place, as wide as the terminal at most."""
    h.project()
    for columns in (80, 40):
        text = on_terminal(h, "run", columns=columns)
        says(text, "\x1b[9A", "\x1b[2K", "trainer")
        plain = ESCAPE.sub("", text)
        assert not [line for line in plain.split("\n") if width(line) > columns], plain
        end = plain.split("examples")[-1]  # the last picture of all nodes
        for node in ("statistics", "schema", "trainer", "pusher"):
            assert end.count(node) == 1, (node, end)
        says(plain, "run %d" % (1 if columns == 80 else 2), "executed")
    few = on_terminal(h, "run", rows=6)  # no room to update in place
    assert "\x1b[9A" not in few, few


def test_colors(h):
    ready(h)
    for words in (["runs"], ["graph", "--run", "1"], ["lineage", "penguin@1"], ["diff", "1", "2"],
                  ["show", "run", "1"]):
        assert ESCAPE.search(on_terminal(h, *words)), words
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            text = on_terminal(h, *words, env=env)
            assert not ESCAPE.search(text), (words, env, text)
    assert not ESCAPE.search(on_terminal(h, "run", env={"TERM": "dumb"}))
    text = on_terminal(h, "run", env={"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[[0-9;]*m", text) and "\x1b[9A" in text
    assert not re.search(r"\x1b\[[0-9;]*m", on_terminal(h, "run", "--no-color"))
    for columns in (40, 80):
        assert on_terminal(h, "runs", columns=columns, env={"NO_COLOR": ""}).count("\x1b[1m")


def test_letters(h):
    """Without a locale of UTF-8 nothing but ASCII is drawn."""
    ready(h)
    for words in (["show", "statistics"], ["show", "evaluator"], ["executions"],
                  ["lineage", "penguin@1"], ["run"], ["graph"]):
        text = on_terminal(h, *words, columns=40, env={"LC_ALL": "C"})
        assert text.isascii(), (words, [c for c in text if ord(c) > 127])
    assert not on_terminal(h, "show", "statistics", env={"LC_ALL": "C.UTF-8"}).isascii()


def test_piped(h):
    """Only results on stdout, the rest on stderr; no escapes, no cut lines."""
    ready(h)
    for words in LOOKS:
        result = h.run(*words, env={"TERM": "xterm", "COLUMNS": "40"})
        assert "\x1b" not in result.out + result.err, words
        assert result.out, words
        if words[0] != "open":  # says that there are more rows
            assert not result.err, (words, result.err)
        assert "\u2026" not in result.out, words
    run = h.run("run", env={"TERM": "xterm"})
    assert "\x1b" not in run.out and len(run.out.splitlines()) == 11, run.out
    for words in (["runs", "--filter", "x"], ["show", "nothing"], ["diff", "1", "9"],
                  ["lineage", "nothing"], ["log", "nothing"], ["watch", "nothing"],
                  ["cancel", "1"], ["open", "nothing"], ["run", "nothing.json"]):
        result = h.run(*words, code=1)
        assert result.err and not result.out, (words, result.out)
    quiet = h.run("run", "--quiet")
    assert not quiet.out and not quiet.err, quiet


def test_full(h):
    """What cannot be written is told, and the exit status is not 0."""
    ready(h)
    for words in (["runs"], ["help"], ["artifacts", "--csv"], ["lineage", "penguin@1"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([COMMAND, *words], cwd=h.dir, env=h.env, stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1 and "cannot write the output" in done.stderr, (words, done)


if __name__ == "__main__":
    main(globals())
