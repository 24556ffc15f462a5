"""The sample service: a model on a socket, swapped while clients ask."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from driver import BUILD, main, says

SERVICE = os.path.join(BUILD, "samples", "bin", "embed_service")
ROW = {"culmen_length_mm": 0.25, "culmen_depth_mm": 0.67, "flipper_length_mm": 0.15,
       "body_mass_g": 0.29}


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")

    def send(self, request):
        line = request if isinstance(request, bytes) else json.dumps(request).encode()
        self.socket.sendall(line + b"\n")

    def answer(self):
        return json.loads(self.lines.readline())

    def ask(self, request):
        self.send(request)
        return self.answer()

    def close(self):
        self.lines.close()
        self.socket.close()


class Service:
    def __init__(self, h, *args):
        self.path = h.path("s.sock")
        self.err = open(h.path("service.err"), "w+")
        self.process = subprocess.Popen([SERVICE, *args, self.path], cwd=h.dir, env=h.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=self.err)
        for _ in range(600):
            if self.process.poll() is not None or self.answers():
                break
            time.sleep(0.05)

    def answers(self):
        with contextlib.suppress(OSError):
            Client(self.path).close()
            return True
        return False

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)

    def said(self):
        self.err.seek(0)
        return self.err.read()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.err.close()


def versions(h, n):
    h.project()
    for i in range(n):
        h.run("run", "--quiet", "--param", "steps=%d" % (100 + i))


def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def test_swap(h):
    """Promotions and a rollback while clients ask in a loop: every request has its answer, and
    versions come in their order."""
    versions(h, 3)
    wanted = {str(v): json.loads(h.run("model", "predict", "penguin@%d" % v,
                                       json.dumps(ROW)).out) for v in (1, 2, 3)}
    assert len({json.dumps(w) for w in wanted.values()}) == 3, wanted
    h.run("model", "promote", "penguin@1")
    seen, sent, stop, lock = [], [0] * 4, threading.Event(), threading.Lock()

    def ask(i, service):
        client, mine = Client(service.path), []
        while not stop.is_set():
            for _ in range(3):  # several on their way at once
                client.send(ROW)
                sent[i] += 1
            for _ in range(3):
                got = client.answer()
                mine.append(got["version"])
                assert got["rows"] == (wanted[got["version"]] if isinstance(
                    wanted[got["version"]], list) else [wanted[got["version"]]]), got
        client.close()
        with lock:
            seen.append(mine)

    with contextlib.closing(Service(h, "penguin@production")) as service:
        idle = Client(service.path)
        assert idle.ask(ROW)["version"] == "1", service.said()
        threads = [threading.Thread(target=ask, args=(i, service)) for i in range(4)]
        for t in threads:
            t.start()
        for args, version in ((("promote", "penguin@2"), "2"), (("promote", "penguin@3"), "3"),
                              (("rollback", "penguin"), "2")):
            before = service.said().count(" closed\n")
            h.run("model", *args)
            wait_for(lambda v=version: idle.ask(ROW)["version"] == v)
            # the old one is closed in each lane, though one of them may have nothing to do
            wait_for(lambda n=before: service.said().count(" closed\n") == n + 2)
            time.sleep(0.1)
        stop.set()
        for t in threads:
            t.join()
        assert sum(len(m) for m in seen) == sum(sent) and len(seen) == 4, (sent, service.said())
        for mine in seen:
            order = [v for v, before in zip(mine, [""] + mine) if v != before]
            assert order == ["1", "2", "3", "2"], order
        # what was sent before the signal is answered, of clients that nobody has accepted too
        late = [Client(service.path) for _ in range(3)]
        for c in late:
            c.send(ROW)
        assert service.end() == 0, service.said()
        assert [c.answer()["version"] for c in late] == ["2"] * 3
        assert late[0].lines.readline() == b""
        assert not os.path.exists(service.path)
        for c in late + [idle]:
            c.close()
        assert "Sanitizer" not in service.said(), service.said()


def test_protocol(h):
    versions(h, 1)
    with contextlib.closing(Service(h, "-j", "1", "penguin")) as service:
        c = Client(service.path)
        two = c.ask([ROW, ROW])
        assert len(two["rows"]) == 2 and two["rows"][0] == two["rows"][1], two
        assert c.ask([])["rows"] == []
        for bad, part in ((b"{", "rows:1:"), (b'"x"', "a row is an object"), (b"[1]", "a row is"),
                          (b'{"culmen_length_mm": "long"}', "wants a number"),
                          (b"{\x00}", "NUL"), (b'{"culmen_length_mm": "\\u0007\\""}', "number")):
            says(c.ask(bad)["error"], part)
        assert "rows" in c.ask(ROW), "an error harms nothing"
        c.send(b"\n")  # an empty line is none
        assert "rows" in c.ask(ROW)
        # a line that comes in pieces, and one without an end
        text = json.dumps(ROW).encode() + b"\n"
        for i in range(len(text)):
            c.socket.sendall(text[i:i + 1])
        assert "rows" in c.answer()
        c.socket.sendall(b"[" * 10)
        c.socket.shutdown(socket.SHUT_WR)
        assert c.lines.readline() == b""
        c.close()
        # too long; and who never reads what he asked for holds up nobody
        long, deaf = Client(service.path), Client(service.path)
        with contextlib.suppress(OSError):
            long.socket.sendall(b"x" * (3 << 20))
        with contextlib.suppress(OSError):
            says(long.answer()["error"], "1 MiB")
        deaf.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                deaf.socket.send(text)
        c = Client(service.path)
        assert "rows" in c.ask(ROW)
        second = subprocess.run([SERVICE, "penguin", service.path], cwd=h.dir, env=h.env,
                                capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1, second
        says(second.stderr, "another service answers there")
        assert "rows" in c.ask(ROW)
        for client in (c, long, deaf):
            client.close()
        service.process.kill()  # what it leaves behind does not hinder the next
        service.process.wait()
    assert os.path.exists(h.path("s.sock"))
    with contextlib.closing(Service(h, "penguin@1")) as service:
        c = Client(service.path)
        assert c.ask(ROW)["version"] == "1"
        c.close()
        assert service.end(signal.SIGINT) == 0


def refused(h, *args):
    done = subprocess.run([SERVICE, *args, h.path("s.sock")], cwd=h.dir, env=h.env,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and not os.path.exists(h.path("s.sock")), done
    return done.stderr


def test_package(h):
    """A package is served without a project, when its signer is trusted."""
    versions(h, 1)
    wanted = json.loads(h.run("model", "predict", "penguin@1", json.dumps(ROW)).out)
    h.run("package", "keygen", "k.key", "--no-passphrase")
    h.run("package", "keygen", "other.key", "--no-passphrase")
    h.run("model", "export", "penguin@1", "m.hrp")
    shutil.copy(h.path("m.hrp"), h.path("unsigned.hrp"))
    h.run("package", "sign", "m.hrp", "--key", "k.key")
    for part in (".headrace", "serving"):
        subprocess.run(["chmod", "-R", "u+w", h.path(part)], check=True)
        shutil.rmtree(h.path(part))
    h.env["TMPDIR"] = h.path("tmp")
    os.mkdir(h.env["TMPDIR"])
    trust = {"headrace_trust": 1, "unsigned": "refuse", "keys": [
        {"name": "release", "key": open(h.path("k.pub")).read().splitlines()[1]}]}
    h.write("ours.json", json.dumps(trust))
    trust["keys"][0]["key"] = open(h.path("other.pub")).read().splitlines()[1]
    h.write("theirs.json", json.dumps(trust))
    with contextlib.closing(Service(h, "-t", "ours.json", "m.hrp")) as service:
        c = Client(service.path)
        got = c.ask(ROW)
        assert got["rows"] == (wanted if isinstance(wanted, list) else [wanted]), got
        assert got["version"] == "m.hrp", got
        c.close()
        assert service.end() == 0
    says(refused(h, "-t", "theirs.json", "m.hrp"), "unknown key")
    says(refused(h, "-t", "ours.json", "unsigned.hrp"), "is unsigned")
    says(refused(h, "-t", "none.json", "m.hrp"), "none.json")
    data = open(h.path("m.hrp"), "rb").read()
    h.write("cut.hrp", data[:-700])
    h.write("bent.hrp", data[:len(data) // 2] + b"?" + data[len(data) // 2 + 1:])
    for name in ("cut.hrp", "bent.hrp"):
        says(refused(h, "-t", "ours.json", name), name)
    says(refused(h, "penguin@production"), "no project")
    assert os.listdir(h.env["TMPDIR"]) == []


if __name__ == "__main__":
    main(globals())
