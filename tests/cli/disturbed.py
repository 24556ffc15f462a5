"""What is killed in the middle, what finds the disk full, and values that no terminal should see."""
import contextlib
import glob
import json
import os
import pty
import random
import shutil
import signal
import subprocess
import time

from driver import COMMAND, main, says

ODD = "a\x1b[31mred\x01\ttab\x7f \u0085 \u001b[2J end"
SAY = """{"headrace": 1, "name": "odd", "env": ["ODD"], "parameters": {
  "text": {"type": "string", "default": ""}}, "nodes": {"say": {"command":
  ["sh", "-c", "printf '%s|%s\\\\n' \\"$1\\" \\"$2\\"", "sh", "${param.text}", "${env.ODD}"],
  "outputs": {"out": "File"}}}}
"""


def well(h):
    result = h.run("doctor")
    assert not result.out and "all is well" in result.err, result


def duration(h):
    """Seconds that looking at all of the project takes."""
    start = time.monotonic()
    h.run("doctor", code=None)
    return time.monotonic() - start


def killed(h, span, *words):
    """The command, killed after a random part of the time that it would take."""
    child = subprocess.Popen([COMMAND, *words], cwd=h.dir, env=h.env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(0, span))
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGKILL)
    return child.wait() < 0


def live_are_there(h):
    for uri, state in h.query("SELECT uri, state FROM Artifact"):
        assert state != 2 or os.path.exists(uri), uri


def test_gc_killed(h):
    """Nothing that is LIVE lacks its files, whenever gc was killed; the next one ends the work."""
    random.seed(os.getpid())
    h.project()
    for steps in range(20, 26):
        h.run("run", "--quiet", "--param", "steps=%d" % steps)
    hits, span = 0, duration(h)
    for keep in range(5, 0, -1):
        for _ in range(3):
            hits += killed(h, span, "gc", "--keep", str(keep), "--older", "0s")
            live_are_there(h)
        h.run("doctor", "--repair")
        well(h)
        h.run("gc", "--keep", str(keep), "--older", "0s")
        well(h)
    assert hits > 0
    states, _ = h.states("--param", "steps=25")
    assert "failed" not in states.values(), states


def damage(h):
    """Three things that doctor mends."""
    uris = dict(h.query("SELECT t.name, a.uri FROM Artifact a JOIN Type t ON t.id = a.type_id"
                        " WHERE a.state = 2"))
    for name in ("ExampleAnomalies", "Schema"):
        subprocess.run(["chmod", "-R", "u+w", uris[name]], check=True)
    shutil.rmtree(uris["ExampleAnomalies"])
    with open(glob.glob(uris["Schema"] + "/*")[0], "a") as f:
        f.write("# changed\n")
    for package in glob.glob(h.path(".headrace", "registry", "models", "*", "*.hrp")):
        os.remove(package)


def test_repair_killed(h):
    random.seed(os.getpid() + 1)
    h.project()
    hits = 0
    for steps in (20, 21, 22):
        h.run("run", "--quiet", "--param", "steps=%d" % steps)
        damage(h)
        span = duration(h)
        for _ in range(4):
            hits += killed(h, span, "doctor", "--repair")
        h.run("doctor", "--repair")
        well(h)
        h.run("package", "verify", sorted(glob.glob(h.path(
            ".headrace", "registry", "models", "penguin", "*.hrp")))[0])
    assert hits > 0
    states, _ = h.states("--param", "steps=20")
    assert states["schema"] == "finished", states


def fill(h, left):
    """All of the small file system but some bytes."""
    free = shutil.disk_usage(h.path("small")).free
    with open(h.path("small", "filler"), "wb") as f:
        f.write(b"x" * max(0, free - left))


def test_full_disk(h):
    """Whatever finds the disk full says so, leaves nothing half written, and works afterwards.
    On a file system of its own, where this machine lets the test mount one."""
    os.mkdir(h.path("small"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", h.path("small")],
                             capture_output=True, text=True, check=False)
    if mounted.returncode:
        print("skipped: " + mounted.stderr.strip())
        return
    try:
        project = {"cwd": h.path("small", "p")}
        h.run("new", "small/p")
        h.run("run", "--quiet", **project)
        h.run("package", "pack", "penguin@1", "--out", h.path("m.hrp"), **project)
        full = ((("run", "--quiet", "--param", "steps=200"), ()),
                (("package", "pack", "penguin@1", "--out", "x.hrp"), ("x.hrp",)),
                (("model", "pull", h.path("m.hrp"), "--version", "9"), ()),
                (("model", "export", "penguin@1", "exported"), ("exported",)),
                (("package", "unpack", h.path("m.hrp"), "unpacked"), ("unpacked",)),
                (("model", "promote", "penguin@1"), ()),
                (("lock",), ("pipeline.lock",)))
        for words, made in full:
            for left in (0, 8192):
                before = sorted(os.listdir(h.path("small", "p")))
                fill(h, left)
                result = h.run(*words, code=None, **project)
                os.remove(h.path("small", "filler"))
                if result.code:
                    says(result.err + result.out, "o space left" if "full" not in result.err
                         else "full")
                    assert sorted(os.listdir(h.path("small", "p"))) == before, (words, left)
                h.run("doctor", "--repair", **project)
                assert not h.run("doctor", **project).out
                for name in made:
                    with contextlib.suppress(FileNotFoundError):
                        os.remove(h.path("small", "p", name))
        h.run("run", "--quiet", "--param", "steps=200", **project)
        h.run("model", "promote", "penguin@2", **project)
        assert os.listdir(h.path("small", "p", ".headrace", "artifacts", ".staging")) == []
    finally:
        subprocess.run(["umount", h.path("small")], check=True)


def on_terminal(h, *words):
    """What the command shows on a terminal."""
    top, end = pty.openpty()
    child = subprocess.Popen([COMMAND, *words], cwd=h.dir, env=dict(h.env, NO_COLOR="1", ODD=ODD),
                             stdin=end, stdout=end, stderr=end)
    os.close(end)
    text = b""
    with contextlib.suppress(OSError):
        while part := os.read(top, 65536):
            text += part
    child.wait()
    os.close(top)
    return text.decode()


def harmless(text):
    bad = [c for c in text if c not in "\r\n\t" and (ord(c) < 32 or 127 <= ord(c) < 160)]
    assert not bad, (bad, text)
    return text


def test_control_characters(h):
    """Shown, not obeyed, where a terminal is; kept as they are."""
    h.write("pipeline.json", SAY)
    shown = "a\\x1b[31mred\\x01"
    h.run("run", "--quiet", "--param", "text=" + ODD, "--name", "x", env={"ODD": ODD})
    log = h.run("log", "say").out
    assert log == ODD + "|" + ODD + "\n", repr(log)  # to the byte, where nobody looks
    stored = h.query("SELECT string_value FROM ExecutionProperty WHERE name = 'command'")[0][0]
    assert json.loads(stored)[-2:] == [ODD, ODD], stored
    assert json.loads(h.run("show", "say", "--json").out)["properties"]["command"][-1] == ODD or \
        json.loads(json.loads(h.run("show", "say", "--json").out)["properties"]["command"])[-1] \
        == ODD
    says(harmless(on_terminal(h, "log", "say")), shown, "\ttab\\x7f \\x85 \\x1b[2J end")
    harmless(on_terminal(h, "show", "say"))
    harmless(on_terminal(h, "why", "say"))
    for words in (("show", ODD), ("run", "--param", ODD + "=1"), ("log", ODD), ("open", ODD),
                  ("runs", "--filter", "state = " + ODD), ("model", "promote", "a@" + ODD),
                  ("check", ODD), ("package", "verify", ODD), ("plugin", "remove", ODD)):
        text = harmless(on_terminal(h, *words))
        if words[0] != "runs":
            says(text, shown)
    # what a program says on stderr while it runs, and why it failed
    h.write("pipeline.json", SAY.replace('"$2\\"\"', '"$2\\" >&2; exit 3\"'))
    text = on_terminal(h, "run", "--quiet", "--no-cache", "--param", "text=" + ODD)
    harmless(text)
    harmless(on_terminal(h, "executions"))
    text = h.run("run", "--quiet", "--no-cache", "--param", "text=" + ODD, code=1,
                 env={"ODD": ODD}).err
    harmless(text)


if __name__ == "__main__":
    main(globals())
