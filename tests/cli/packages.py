"""Packages: packed, signed, verified, unpacked; minisign reads ours, we read minisign's."""
import hashlib
import json
import os
import shutil
import subprocess

import hrp
from driver import BUILD, COMMAND, SOURCE, main, says


def minisign(h, *args, stdin=""):
    return subprocess.run(["minisign", *args], cwd=h.dir, input=stdin, text=True,
                          capture_output=True, timeout=120)


def content(h, name="d"):
    os.makedirs(h.path(name, "sub"))
    h.write(name + "/a.txt", "text\n" * 1000)
    h.write(name + "/sub/noise.bin", hashlib.shake_256(b"x").digest(3 << 20))
    h.write(name + "/sub/zero.bin", b"\0" * (5 << 20))
    h.write(name + "/empty", b"")


def test_pack_unpack(h):
    """What is packed comes out as it was; tar opens it too."""
    content(h)
    h.run("package", "pack", "d", "--id", "stuff", "--version", "2.0")
    report = json.loads(h.run("package", "verify", "stuff-2.0.hrp", "--json").out)
    assert (report["kind"], report["id"], report["version"]) == ("artifacts", "stuff", "2.0")
    assert report["signature"] == "none" and report["members"] == 5, report
    says(h.run("package", "verify", "stuff-2.0.hrp").out, "unsigned, taken with a warning")
    h.run("package", "unpack", "stuff-2.0.hrp", "out")
    subprocess.run(["diff", "-r", h.path("d"), h.path("out/artifacts/1")], check=True)
    os.mkdir(h.path("tar"))
    subprocess.run(["tar", "--zstd", "-xf", h.path("stuff-2.0.hrp"), "-C", h.path("tar")],
                   check=True)
    subprocess.run(["diff", "-r", h.path("d"), h.path("tar/artifacts/1")], check=True)
    # Noise is stored, what shrinks is not.
    size = os.path.getsize(h.path("stuff-2.0.hrp"))
    assert 3 << 20 < size < (3 << 20) + 20000, size
    says(h.run("package", "unpack", "stuff-2.0.hrp", "out", code=1).err, "is there already")
    says(h.run("package", "verify", "none.hrp", code=1).err, "none.hrp")
    says(h.run("package", "pack", "nothing", code=1).err, "no project is open")


def test_equal_bytes(h):
    """Equal content gives equal bytes: other users, zones, locales, orders, threads, names."""
    content(h)
    h.run("package", "pack", "d", "--id", "x", "--out", "one.hrp")
    os.mkdir(h.path("e"))
    for name in ("empty", "sub/zero.bin", "sub/noise.bin", "a.txt"):  # made in another order
        os.makedirs(os.path.dirname(h.path("e", name)), exist_ok=True)
        shutil.copyfile(h.path("d", name), h.path("e", name))
        os.chmod(h.path("e", name), 0o755)
        os.utime(h.path("e", name), (1, 1))
    h.run("package", "pack", "e", "--id", "x", "--out", "two.hrp",
          env={"TZ": "Pacific/Auckland", "LC_ALL": "tr_TR.UTF-8", "HEADRACE_THREADS": "1",
               "HOME": "/", "USER": "other"})
    first = open(h.path("one.hrp"), "rb").read()
    assert open(h.path("two.hrp"), "rb").read() == first
    if os.getuid() == 0:
        other = h.other_user()
        other["env"]["HEADRACE_THREADS"] = "7"
        h.run("package", "pack", "e", "--id", "x", "--out", "three.hrp", **other)
        assert open(h.path("three.hrp"), "rb").read() == first


def test_minisign_verifies_ours(h):
    content(h)
    line = h.run("package", "keygen", "k.key", "--no-passphrase").out.strip()
    assert os.stat(h.path("k.key")).st_mode & 0o777 == 0o600
    h.run("package", "pack", "d", "--out", "p.hrp", "--key", "k.key", "--comment", "for a test")
    result = h.run("package", "verify", "p.hrp", "--trust", "k.pub")
    says(result.out, "signed by k.pub", '"for a test"')
    h.run("package", "unpack", "p.hrp", "out", "--trust", line)
    subprocess.run(["tar", "--zstd", "-xf", h.path("p.hrp"), "-C", h.dir, "FILES",
                    "FILES.minisig"], check=True)
    done = minisign(h, "-V", "-m", "FILES", "-p", "k.pub")
    assert done.returncode == 0 and "for a test" in done.stdout, done
    done = minisign(h, "-V", "-m", "FILES", "-P", line)
    assert done.returncode == 0, done
    # minisign signs with our secret key as well
    os.remove(h.path("FILES.minisig"))
    done = minisign(h, "-S", "-m", "FILES", "-s", "k.key")
    assert done.returncode == 0, done
    says(h.run("package", "keygen", "k.key", "--no-passphrase", code=1).err, "is there already")
    says(h.run("package", "keygen", "k2", "--no-passphrase", code=1).err, "has to end in .key")
    says(h.run("package", "keygen", "k3.key", code=1).err, "--no-passphrase")


def test_we_verify_minisigns(h):
    """Both of its algorithms, made of FILES and put into the package."""
    content(h)
    h.run("package", "pack", "d", "--out", "p.hrp")
    minisign(h, "-G", "-W", "-p", "m.pub", "-s", "m.key")
    subprocess.run(["tar", "--zstd", "-xf", h.path("p.hrp"), "-C", h.dir, "FILES"], check=True)
    for options in ((), ("-l",)):
        done = minisign(h, "-S", *options, "-m", "FILES", "-s", "m.key", "-t", "by hand",
                        "-x", "sig")
        assert done.returncode == 0, done
        h.run("package", "sign", "p.hrp", "--signature", "sig")
        says(h.run("package", "verify", "p.hrp", "--trust", "m.pub").out, '"by hand"')
    # of other content
    h.write("FILES", open(h.path("FILES")).read().replace("1", "2"))
    minisign(h, "-S", "-m", "FILES", "-s", "m.key", "-x", "sig2")
    h.run("package", "sign", "p.hrp", "--signature", "sig2")
    says(h.run("package", "verify", "p.hrp", "--trust", "m.pub", code=1).err,
         "this is not what was signed")
    # with our own reading of its secret key
    says(h.run("package", "sign", "p.hrp", code=2).err, "--key FILE, or --signature FILE")
    h.run("package", "sign", "p.hrp", "--key", "m.key")
    says(h.run("package", "verify", "p.hrp", "--trust", "m.pub").out, "signed by m.pub")


def test_encrypted_keys(h):
    """scrypt as minisign has it, both ways."""
    content(h)
    h.write("pw", "correct horse\n")
    h.write("bad", "battery\n")
    h.run("package", "keygen", "k.key", "--passphrase-file", "pw")
    done = minisign(h, "-S", "-m", "d/a.txt", "-s", "k.key", stdin="correct horse\n")
    assert done.returncode == 0, done
    assert minisign(h, "-V", "-m", "d/a.txt", "-p", "k.pub").returncode == 0
    minisign(h, "-G", "-p", "m.pub", "-s", "m.key", stdin="correct horse\ncorrect horse\n")
    h.run("package", "pack", "d", "--out", "p.hrp", "--key", "m.key", "--passphrase-file", "pw")
    h.run("package", "verify", "p.hrp", "--trust", "m.pub")
    says(h.run("package", "sign", "p.hrp", "--key", "m.key", "--passphrase-file", "bad",
               code=1).err, "passphrase of the secret key is wrong")
    says(h.run("package", "sign", "p.hrp", "--key", "m.key", code=1).err, "is encrypted")
    h.run("package", "verify", "p.hrp", "--trust", "m.pub")


def test_signatures(h):
    """A signature that does not hold is refused whatever the policy says."""
    content(h)
    h.run("package", "keygen", "k.key", "--no-passphrase")
    h.run("package", "keygen", "other.key", "--no-passphrase")
    h.run("package", "pack", "d", "--out", "p.hrp", "--key", "k.key")
    says(h.run("package", "verify", "p.hrp", "--trust", "other.pub", code=1).err,
         "signed by the unknown key", "only the given keys are trusted")
    h.run("package", "verify", "p.hrp", "--trust", "other.pub", "--trust", "k.pub")
    h.run("package", "show", "p.hrp")
    h.write("base.hrp", hrp.frames(hrp.whole()))
    h.run("package", "sign", "base.hrp", "--key", "k.key")
    h.run("package", "verify", "base.hrp", "--trust", "k.pub")
    foreign, signature = (subprocess.run(["tar", "--zstd", "-xOf", h.path(n), "FILES.minisig"],
                                         capture_output=True, check=True).stdout
                          for n in ("p.hrp", "base.hrp"))
    lines = signature.decode().splitlines()
    for name, text, reason in (
            ("comment", "\n".join(lines[:2] + [lines[2] + "!", lines[3]]) + "\n",
             "the trusted comment"),
            ("global", "\n".join(lines[:3] + [lines[1]]) + "\n", "no global signature"),
            ("letter", "\n".join([lines[0], lines[1][:30] + "!" + lines[1][31:], *lines[2:]]) + "\n",
             "no signature of Ed25519"),
            ("more", signature.decode() + "more\n", "goes on after"),
            ("cut", "\n".join(lines[:3]) + "\n", "no global signature"),
            ("bits", "\n".join([lines[0], lines[1][:-2] + "//", *lines[2:]]) + "\n", ""),
            ("control", "\n".join(lines[:2] + [lines[2] + "\x1b[2J", lines[3]]) + "\n",
             "not plain text")):
        h.write("s.hrp", hrp.frames(hrp.whole(signature=text.encode())))
        assert text.encode() != signature
        result = h.run("package", "verify", "s.hrp", "--trust", "k.pub", code=1)
        says(result.err, reason)
    # somebody else's good signature
    h.write("s.hrp", hrp.frames(hrp.whole(signature=foreign)))
    says(h.run("package", "verify", "s.hrp", "--trust", "k.pub", code=1).err,
         "this is not what was signed")
    h.write("no.pub", "untrusted comment: x\nRWxx\n")
    says(h.run("package", "verify", "p.hrp", "--trust", "no.pub", code=1).err, "no public key")


def test_policy(h):
    """trust.json of the project decides, and a run's summary tells."""
    h.project()
    says(h.run("run").out + h.run("run").err, "registry penguin@1", "unsigned")
    package = h.path(".headrace/registry/models/penguin/penguin-1.hrp")
    says(h.run("package", "verify", package).out, "unsigned, taken with a warning")
    line = h.run("package", "keygen", "release.key", "--no-passphrase").out.strip()
    trust = {"headrace_trust": 1, "unsigned": "refuse",
             "keys": [{"name": "the release team", "key": line}], "sign_with": "release.key"}
    h.write("trust.json", json.dumps(trust))
    says(h.run("package", "verify", package, code=1).err, "is unsigned", "trust.json")
    result = h.run("run", "--force", "pusher")
    says(result.out + result.err, "signed")
    says(h.run("package", "verify", package).out, "signed by the release team")
    h.write("trust.json", json.dumps(dict(trust, unsigned="allow", keys=[])))
    says(h.run("package", "verify", package).out, "signed by the unknown key")
    for bad, reason in (({"headrace_trust": 1}, '"unsigned"'),
                        (dict(trust, unsigned="maybe"), '"refuse", "warn" or "allow"'),
                        (dict(trust, headrace_trust=2), "another format"),
                        (dict(trust, kees=[]), 'did you mean "keys"'),
                        (dict(trust, keys=[{"name": "x", "key": "RWx"}]), "no public key"),
                        (dict(trust, keys=["x"]), "a key is")):
        h.write("trust.json", json.dumps(bad))
        says(h.run("package", "verify", package, code=1).err, reason)


def test_model_offline(h):
    """A model's package tells what it came from, and is checked without its project."""
    h.project()
    h.run("run", "--quiet")
    shutil.copy(h.path(".headrace/registry/models/penguin/penguin-1.hrp"), h.path("m.hrp"))
    h.run("package", "pack", "penguin@1", "--out", "again.hrp")
    assert open(h.path("m.hrp"), "rb").read() == open(h.path("again.hrp"), "rb").read()
    h.run("package", "pack", "artifact 1", "--out", "data.hrp")
    says(h.run("package", "show", "data.hrp").out, "CsvExampleGen")
    for name in ("pipeline.json", ".headrace", "serving", "data"):
        subprocess.run(["rm", "-rf", h.path(name)], check=True)
    report = json.loads(h.run("package", "verify", "m.hrp", "--json").out)
    text = json.dumps(report)
    assert h.dir not in text.replace('"file": "m.hrp"', ""), "a path of this machine is in it"
    gate = report["manifest"]["gates"][0]
    assert gate["passed"] is True and gate["node"] == "evaluator" and gate["evaluation"], gate
    says(gate["summary"], "BLESSED", ">= 0.60")
    lineage = report["lineage"]
    components = {e["component"].split(".")[-1] for e in lineage["executions"]}
    assert {"Pusher", "Trainer", "Evaluator", "Transform", "SchemaGen", "StatisticsGen",
            "CsvExampleGen"} <= components, components
    for e in lineage["executions"]:
        assert e["version"] and len(e["plugin_digest"]) == 64 and "properties" in e, e
    assert all(len(a["digest"]) == 64 for a in lineage["artifacts"]), lineage
    trainer = [e for e in lineage["executions"] if e["component"].endswith("Trainer")][0]
    assert trainer["properties"]["train_steps"] == 100, trainer
    names = {f["name"] for f in report["files"]}
    assert {"training/schema/schema.pbtxt", "training/statistics/Split-train/FeatureStats.pb",
            "model/weights.bin"} <= names, names
    # a lie in it is found: the model is another than the lineage tells of
    h.run("package", "unpack", "m.hrp", "out")
    members = []
    for base, _, files in os.walk(h.path("out")):
        for f in files:
            path = os.path.join(base, f)
            members.append((os.path.relpath(path, h.path("out")), open(path, "rb").read()))
    members.sort(key=lambda m: (m[0] != "manifest.json", m[0]))
    for victim, old, new, reason in (
            ("model/weights.bin", None, None, "has the digest"),
            ("training/schema/schema.pbtxt", None, None, "has the digest"),
            ("lineage.json", b'"blessed": 1', b'"blessed": 0', "the lineage does not"),
            ("lineage.json", lineage["artifacts"][0]["digest"].encode(), b"0" * 64,
             "is not the artifact"),
            ("manifest.json", b'"passed": true', b'"passed": false', "the lineage does not")):
        changed = [(n, (d.replace(old, new) if old else d[:-1] + b"?") if n == victim else d)
                   for n, d in members]
        assert changed != members, victim
        tar = hrp.member("FILES", hrp.listing(changed)) + \
            b"".join(hrp.member(n, d) for n, d in changed) + hrp.END
        h.write("lie.hrp", hrp.frames(tar))
        says(h.run("package", "verify", "lie.hrp", code=1).err, reason)


def test_large(h):
    """Weights that are packed while they are sealed: the package is the one that is made of the
    artifact alone, and what a host that died has begun is found."""
    h.project()
    os.makedirs(h.path("m"))
    noise = hashlib.shake_256(b"w").digest(3 << 20)
    with open(h.path("m/weights.bin"), "wb") as f:
        for i in range(12):
            f.write(noise[i:] + bytes(1000 * i))
    with open(h.path("m/zeros.bin"), "wb") as f:
        f.truncate(33 << 20)
    h.write("m/model.json", "{}")
    h.write("pipeline.json", json.dumps({"headrace": 1, "name": "large", "nodes": {
        "m": {"importer": {"source_uri": "m", "type": "Model"}},
        "p": {"component": "Pusher", "inputs": {"model": "m"}, "properties": {
            "model_name": "large", "destination": "serving"}}}}))
    says(h.run("run").out, "registry large@1")
    package = h.path(".headrace/registry/models/large/large-1.hrp")
    made = open(package, "rb").read()
    assert os.path.getsize(package) > 32 << 20
    models = h.path(".headrace/registry/models")
    assert [n for _, _, names in os.walk(models) for n in names] == ["large-1.hrp"]
    report = json.loads(h.run("package", "verify", package, "--json").out)
    sizes = {f["name"]: f["size"] for f in report["files"]}
    assert sizes["model/weights.bin"] > 32 << 20 and sizes["model/zeros.bin"] == 33 << 20, sizes
    os.mkdir(h.path("tar"))  # which knows nothing of sections
    subprocess.run(["tar", "--zstd", "-xf", package, "-C", h.path("tar")], check=True)
    subprocess.run(["diff", "-r", h.path("m"), h.path("tar/model")], check=True)
    os.remove(package)
    says(h.run("doctor", "--repair", code=None).out, "it is packed again")
    assert open(package, "rb").read() == made, "packed ahead and packed again differ"
    h.run("package", "pack", "large@1", "--out", "x.hrp")
    assert open(h.path("x.hrp"), "rb").read() == made
    for name in ("ahead.0123abcd~", "large/large-2.hrp.89abcdef~"):
        h.write(".headrace/registry/models/" + name, b"x")
    h.write(".headrace/registry/models/large/kept~", b"x")
    says(h.run("doctor", code=1).out, "ahead.0123abcd~", "large-2.hrp.89abcdef~", "not finished")
    h.run("doctor", "--repair", code=None)
    h.run("doctor")
    assert sorted(os.listdir(models) + os.listdir(models + "/large")) == [
        "kept~", "large", "large-1.hrp"]


def test_equal_everywhere(h):
    """The same work in two places - other folder, umask, zone, locale, user, threads - is the same
    package, to the byte; and it verifies where there is nothing else."""
    odd = dict(h.env, TZ="Pacific/Auckland", LC_ALL="C", HEADRACE_THREADS="1", USER="other",
               LOGNAME="other")
    h.run("new", "a")
    h.run("run", "--quiet", cwd=h.path("a"))
    says(h.run("new", "some/where/else", code=1).err, "some/where/else", "No such file")
    os.makedirs(h.path("some/where"))
    h.run("new", "some/where/else")
    there = h.path("some/where/else")
    shutil.move(os.path.join(there, "data"), os.path.join(there, "tmp"))
    os.mkdir(os.path.join(there, "data"))
    for name in sorted(os.listdir(os.path.join(there, "tmp")), reverse=True):
        shutil.copyfile(os.path.join(there, "tmp", name), os.path.join(there, "data", name))
    shutil.rmtree(os.path.join(there, "tmp"))
    subprocess.run(["sh", "-c", 'umask 077; exec "$0" run --quiet --jobs 1', COMMAND], cwd=there,
                   env=odd, check=True, timeout=240)
    names = [os.path.join(p, ".headrace/registry/models/penguin/penguin-1.hrp")
             for p in (h.path("a"), there)]
    first, second = (open(n, "rb").read() for n in names)
    assert first == second
    so = os.path.join(BUILD, "test_plugins", "line_count.so")
    h.run("plugin", "pack", so, "--out", "one.hrp")
    subprocess.run(["sh", "-c", 'umask 077; exec "$0" plugin pack "$1" --out two.hrp', COMMAND, so],
                   cwd=h.dir, env=odd, check=True, timeout=240)
    assert open(h.path("one.hrp"), "rb").read() == open(h.path("two.hrp"), "rb").read()
    # a machine without the project, and a user without anything
    os.makedirs(h.path("bare/home"))
    shutil.copy(names[0], h.path("bare/m.hrp"))
    shutil.rmtree(h.path("some"))
    subprocess.run(["chmod", "-R", "u+w", h.path("a")], check=True)
    shutil.rmtree(h.path("a"))
    for env in ({}, {"HOME": h.path("bare/home")}, {"HOME": "/nowhere"}):
        done = subprocess.run([COMMAND, "package", "verify", "m.hrp"], cwd=h.path("bare"), env=env,
                              capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done
        says(done.stdout, "penguin 1", "BLESSED")
    assert sorted(os.listdir(h.path("bare"))) == ["home", "m.hrp"]
    assert os.listdir(h.path("bare/home")) == []


def test_plugin(h):
    so = os.path.join(os.environ["HR_BUILD"], "test_plugins", "line_count.so")
    h.write("docs/LICENSE", "free\n")
    file = h.run("package", "pack", so, "--doc", "docs").out.strip()
    report = json.loads(h.run("package", "verify", file, "--json").out)
    assert report["kind"] == "plugin" and report["manifest"]["plugin"]["components"], report
    assert {f["name"].split("/")[-1] for f in report["files"]} == \
        {"manifest.json", "plugin.so", "plugin.json", "LICENSE"}, report["files"]
    first = open(h.path(file), "rb").read()
    shutil.copy(so, h.path("another_name.so"))
    h.run("package", "pack", "another_name.so", "--doc", "docs", "--out", "b.hrp")
    assert open(h.path("b.hrp"), "rb").read() == first
    h.write("no.so", b"no library")
    says(h.run("package", "pack", "no.so", code=1).err, "no.so")


def test_names(h):
    """What the grammar refuses cannot be packed either."""
    for name, reason in (("a b", "not allowed"), ("\u00e9", "not allowed")):
        d = "d%d" % len(name.encode())
        h.write(os.path.join(d, name), "x")
        says(h.run("package", "pack", d, code=1).err, reason)
    h.write("c/X", "1")
    h.write("c/x", "2")
    says(h.run("package", "pack", "c", code=1).err, "differ by case only")
    os.makedirs(h.path("l"))
    os.symlink("/etc/passwd", h.path("l/x"))
    says(h.run("package", "pack", "l", code=1).err, "is a link, which is not followed")
    assert not [n for n in os.listdir(h.dir) if ".hrp" in n]


ROW = '{"culmen_length_mm": 0.25, "culmen_depth_mm": 0.67, "flipper_length_mm": 0.15,' \
      ' "body_mass_g": 0.29}'


def test_predict(h):
    """A package answers as the model does, on a machine without its project; a broken or
    distrusted one is not even looked into."""
    h.project()
    h.run("run", "--quiet")
    wanted = h.run("model", "predict", "penguin@1", ROW).out
    shutil.copy(h.path(".headrace/registry/models/penguin/penguin-1.hrp"), h.path("m.hrp"))
    subprocess.run(["rm", "-rf", h.path(".headrace"), h.path("serving")], check=True)
    os.mkdir(h.path("tmp"))
    env = {"TMPDIR": h.path("tmp")}
    assert h.run("model", "predict", "m.hrp", ROW, env=env).out == wanted
    good = open(h.path("m.hrp"), "rb").read()
    h.write("bad.hrp", hrp.patched(good, len(good) // 2, bytes([good[len(good) // 2] ^ 1])))
    h.run("model", "predict", "bad.hrp", ROW, code=1, env=env)
    h.write("climbs.hrp", hrp.frames(hrp.tar_cases()["climbs"][0]))
    says(h.run("model", "predict", "climbs.hrp", ROW, code=1, env=env).err, "not allowed")
    h.write("other.hrp", hrp.frames(hrp.whole()))
    says(h.run("model", "predict", "other.hrp", ROW, code=1, env=env).err, "no model")
    says(h.run("model", "predict", "none.hrp", ROW, code=1, env=env).err, "none.hrp")
    os.mkdir(h.path(".headrace"))
    h.write("trust.json", '{"headrace_trust": 1, "unsigned": "refuse"}')
    says(h.run("model", "predict", "m.hrp", ROW, code=1, env=env).err, "is unsigned")
    assert os.listdir(h.path("tmp")) == []


if __name__ == "__main__":
    main(globals())
