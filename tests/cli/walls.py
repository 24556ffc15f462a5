"""Walls: each misbehaviour of a plugin is one execution that ends as it should, with a sentence
that says what was wrong, and nothing else is harmed."""
import os
import subprocess
import time

from driver import BUILD, main, says

PLUGINS = os.path.join(BUILD, "test_plugins")
MIS = """{"headrace": 1, "name": "walls", "nodes": {
"m": {"component": "%s", "properties": {"how": "%s", "path": "%s"}%s},
"beside": {"component": "Misbehave"}}}"""
FOREIGN = "foreign bytes\n"
COMPLETE, FAILED = 3, 4


def sanitized():
    with open(os.path.join(BUILD, "CMakeCache.txt")) as f:
        return any(line.startswith("HEADRACE_SANITIZE:") and line.rstrip()[-1] != "="
                   for line in f)


def left_over(h):
    """Processes that still work for this test's project."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            cwd = os.readlink("/proc/%s/cwd" % pid)
            with open("/proc/%s/comm" % pid) as f:
                name = f.read().strip()
        except OSError:
            continue
        if cwd.startswith(h.dir) and name.startswith("headrace"):
            found.append((pid, name, cwd))
    return found


def try_one(h, how, state, sentence, more="", component="Misbehave", jobs="2"):
    """One misbehaviour in a project that goes on: the nodes beside it, and the next, work."""
    foreign = h.path("foreign", "file")
    h.write("foreign/file", FOREIGN)
    h.write("pipeline.json", MIS % (component, how, foreign, more))
    result = h.run("run", "--plugin-path", PLUGINS, "--keep-going", "--json", "--force", "m",
                   "--jobs", jobs, code=0 if state == COMPLETE else 1)
    ends = {e["node"]: e for e in result.events() if e["event"] in ("finished", "failed", "cached")}
    assert ends["m"]["event"] == ("finished" if state == COMPLETE else "failed"), result
    assert ends["beside"]["event"] in ("finished", "cached"), result
    says(ends["m"].get("text", "") or "-", sentence or "-")
    assert gone(h, 5), left_over(h)  # what was killed may take a moment
    with open(foreign) as f:
        assert f.read() == FOREIGN
    assert os.listdir(os.path.dirname(foreign)) == ["file"]
    assert os.listdir(h.path(".headrace", "artifacts", ".staging")) == []
    assert h.query("SELECT last_known_state FROM Execution WHERE id = (SELECT max(execution_id)"
                   " FROM ExecutionProperty WHERE execution_id = ?)", ends["m"]["execution"]
                   ) == [(state,)]
    return result


def try_all(h, cases, **kw):
    for how, sentence in cases.items():
        try:
            try_one(h, how, FAILED, sentence, **kw)
        except AssertionError as e:
            raise AssertionError("%s: %s" % (how, e)) from e
    try_one(h, "", COMPLETE, "")


def test_signals(h):
    names = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
             7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2",
             13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
             31: "SIGSYS", 40: "a signal"}
    try_all(h, {"signal %d" % n: "was ended by signal %d (%s)" % (n, name)
                for n, name in names.items()})
    try_all(h, {"crash": "was ended by signal 11 (SIGSEGV)",
                "deep": "was ended by signal 11 (SIGSEGV)",
                "abort": "was ended by signal 6 (SIGABRT)"})


def test_ends(h):
    try_all(h, {
        "exit": "exited with status 3 without a result",
        "exit by library": "exited with status 4 without a result",
        "exit 0": "exited with status 0 without a result; it called exit()",
        "silent": "gave no reason (a bug of the plugin)",
        "odd code": 'returned -9999 from its hook "run", which is no status',
        "end thread": 'ended the thread of its hook "run" instead of returning'})


def test_no_end(h):
    """Loops, sleeps, deaf to every signal, stopped: the timeout ends them all."""
    sentence = 'node "m" took longer than its timeout of 300 ms and was stopped'
    try_all(h, dict.fromkeys(("loop", "hang", "deaf", "signal 19"), sentence),
            more=', "timeout": "300ms"')


def gone(h, seconds):
    """Until nothing is left; false: something is."""
    until = time.time() + seconds
    while left_over(h):
        if time.time() > until:
            return False
        time.sleep(0.05)
    return True


def test_no_host(h):
    """A host that is killed leaves no worker behind, whatever its hook does."""
    for how in ("loop", "hang", "deaf"):
        h.write("pipeline.json", MIS % ("Misbehave", how, "", ""))
        host = subprocess.Popen([os.path.join(BUILD, "bin", "headrace"), "run", "--plugin-path",
                                 PLUGINS, "--quiet", "--jobs", "1", "--only", "m"],
                                cwd=h.dir, env=h.env)
        for _ in range(200):
            time.sleep(0.05)
            logs = h.path(".headrace", "artifacts", ".staging")
            if os.path.isdir(logs) and os.listdir(logs) and len(left_over(h)) > 1:
                break
        assert len(left_over(h)) > 1, left_over(h)
        time.sleep(0.3)  # it has come to its hook
        host.kill()
        host.wait()
        assert gone(h, 5), (how, left_over(h))


def test_processes(h):
    refused = "Operation not permitted"
    try_all(h, {"kill host": "killing the host: " + refused, "kill all": "killing all: " + refused,
                "limit host": "taking the host's descriptors: " + refused,
                "slow host": "slowing the host: " + refused,
                "start": "starting a program: " + refused,
                "look at host": "opening the host's memory: Permission denied"})
    left = ("org.headrace.test.Misbehave%s has left a process running when its hook \"run\" "
            "returned; processes are to be waited for before")
    for how in ("escape", "leave process"):  # where it may fork, for the leak check does
        try_one(h, how, FAILED, left % "" if sanitized() else "starting a process: " + refused)
        try_one(h, how, FAILED, left % "Starter", component="MisbehaveStarter")
    for how in ("end child", "child kills"):
        try_one(h, how, COMPLETE, "", component="MisbehaveStarter")


def test_resources(h):
    try_all(h, {"close descriptors": "closed descriptors that are not its own",
                "close and stay": "closed descriptors that are not its own, and was stopped",
                "leak descriptors": "opening one more: Too many open files",
                "inet": "opening a socket: Operation not permitted",
                "unix": "opening a socket: Operation not permitted",
                "netlink": "opening a socket: Operation not permitted",
                "share memory": "sharing memory: Operation not permitted"})
    try_one(h, "leave threads", FAILED, "Misbehave has left 4 threads running when its hook "
            '"run" returned; threads are to be joined before')
    try_one(h, "detach", COMPLETE, "")
    if not sanitized():  # there the memory has no limit
        try_one(h, "eat memory", FAILED, "Misbehave ran out of memory", more=', "memory": "200MiB"')


def test_talk(h):
    """What a plugin says: copied, counted, and never believed about the host's own."""
    try_all(h, {"keep strings": "why",
                "forge": 'sets "__cache_key"; names that begin with __ are the host\'s',
                "garble": 'the result of node "m" cannot be read'})
    rows = h.query("SELECT count(*) FROM ArtifactProperty WHERE string_value = 'forged'")
    assert rows == [(0,)], rows
    for how in ("print much", "log much"):
        begun = time.time()
        result = try_one(h, how, FAILED, "has printed and logged more than 16 MiB, or 200000 "
                         "lines, and was stopped; what is long belongs into an output")
        assert time.time() - begun < 60
        said = sum(len(e.get("text", "")) + 1 for e in result.events() if e["event"] == "log")
        assert 15 << 20 < said <= 16 << 20, said


def test_files(h):
    try_all(h, {how + " foreign": what + " a foreign file: Permission denied" for how, what in {
        "write": "writing", "read": "reading", "truncate": "truncating", "remove": "removing",
        "make": "making"}.items()})
    try_all(h, {"cut by opening": "cutting a foreign file: Permission denied",
                "take foreign": "taking a foreign file: ",
                "change owner": "giving a foreign file away: Operation not permitted"})


def test_outputs(h):
    odd = "is neither a file nor a directory"
    try_all(h, {"leave fifo": odd, "leave link": "is a link, which is not followed", "leave depths": "is nested deeper than 64",
                "leave odd name": "is not UTF-8", "leave locked": "locked",
                "remove output": "removing the output: Permission denied"})


def test_full_disk(h):
    """On a small file system of its own, where this machine lets the test mount one.  A node at a
    time: while the disk is full nobody can write to it; afterwards all can."""
    os.mkdir(h.path("small"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", h.path("small")],
                             capture_output=True, text=True)
    if mounted.returncode:
        print("skipped: " + mounted.stderr.strip())
        return
    try:
        os.symlink(h.path("small"), h.path(".headrace"))
        try_all(h, {"fill disk": "writing more: No space left on device"}, jobs="1")
    finally:
        subprocess.run(["umount", h.path("small")], check=True)


def test_rows(h):
    try_one(h, "rows right", COMPLETE, "")
    try_all(h, {"rows type": 'column "x" of format "?!" has a type that is not supported',
                "rows length": "has 2 values, too few for 3",
                "rows negative": "a batch has an impossible length or offset",
                "rows offsets": "offsets must not fall",
                "rows columns": "a batch has 0 columns, its schema 1",
                "rows buffers": "has a wrong number of buffers",
                "rows no data": "has no buffer of bytes",
                "rows error": "the well is dry"})


if __name__ == "__main__":
    main(globals())
