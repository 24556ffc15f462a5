"""Packages that are none: each is refused with its reason, and nothing of it is unpacked."""
import os
import shutil
import subprocess

import hrp
from driver import main, says


def test_good(h):
    """What the others are broken from is taken, in every compression."""
    tar = hrp.whole()
    for name, data in (("stored", hrp.frames(tar)),
                       ("compressed", hrp.zstd(tar, "-19", "--stream-size=%d" % len(tar)))):
        h.write(name + ".hrp", data)
        h.run("package", "verify", name + ".hrp")
        h.run("package", "unpack", name + ".hrp", name)
        assert open(h.path(name, "artifacts/1/a.txt"), "rb").read() == b"first\n"
    for name, second in (("large", 0), ("large_two", 33 << 20)):
        h.write(name + ".hrp", hrp.large(second))
        h.run("package", "unpack", name + ".hrp", name)
        assert os.path.getsize(h.path(name, "artifacts/1/z")) == 32 << 20


def test_corpus(h):
    cases = hrp.cases()
    assert len(cases) >= 100, len(cases)
    wrong = []
    for name, (data, reason) in cases.items():
        h.write("bad.hrp", data)
        result = h.run("package", "unpack", "bad.hrp", "out", code=None)
        if result.code != 1 or reason not in result.err or not result.err.strip() or result.out:
            wrong.append("%s: wanted %r\n%s" % (name, reason, result))
        left = [n for n in os.listdir(h.dir) if n.startswith("out")]
        if left:
            wrong.append("%s: left %s" % (name, left))
    assert not wrong, "\n".join(wrong)


def test_every_byte(h):
    """A signed package with a byte changed is refused, or is the very same but for what counts
    for nothing: the comment that minisign itself calls untrusted, the window of a frame."""
    h.run("package", "keygen", "k.key", "--no-passphrase")
    os.mkdir(h.path("d"))
    h.write("d/a", b"content")
    h.run("package", "pack", "d", "--key", "k.key", "--out", "g.hrp")
    good = open(h.path("g.hrp"), "rb").read()
    h.run("package", "unpack", "g.hrp", "good", "--trust", "k.pub")
    taken = 0
    for at in list(range(0, len(good), 37)) + [len(good) - 1]:
        h.write("b.hrp", hrp.patched(good, at, bytes([good[at] ^ 0x10])))
        result = h.run("package", "unpack", "b.hrp", "b", "--trust", "k.pub", code=None)
        assert result.code in (0, 1), result
        if result.code:
            says(result.err, "b.hrp")
            continue
        taken += 1
        subprocess.run(["diff", "-r", h.path("good"), h.path("b")], check=True)
        shutil.rmtree(h.path("b"))
    assert taken < 5, taken


if __name__ == "__main__":
    main(globals())
