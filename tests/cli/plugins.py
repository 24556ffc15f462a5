"""Plugins from packages: installed, listed, removed; locks of pipelines."""
import glob
import json
import os
import shutil
import subprocess

import hrp
from driver import BUILD, SOURCE, main, says

SO = os.path.join(BUILD, "test_plugins", "line_count.so")
PIPELINE = """{"headrace": 1, "name": "lines", "nodes": {
  "examples": {"component": "CsvExampleGen", "properties": {"input_base": "data"}},
  "statistics": {"component": "StatisticsGen", "inputs": {"examples": "examples"}}%s}}
"""


def store(h):
    return sorted(os.path.basename(p) for p in glob.glob(
        h.path(".local/lib/headrace/plugins/*")) + glob.glob(
        h.path(".local/lib/headrace/plugins/.*")))


def unpacked(h, file):
    """Members of a package, to be changed."""
    h.run("package", "unpack", file, "u")
    members = []
    for base, _, files in os.walk(h.path("u")):
        for f in files:
            path = os.path.join(base, f)
            members.append((os.path.relpath(path, h.path("u")), open(path, "rb").read()))
    shutil.rmtree(h.path("u"))
    return dict(members)


def pack(members):
    """The same again, with a manifest that fits what lies below the platform."""
    manifest = json.loads(members["manifest.json"])
    for c in manifest["content"]:
        below = sorted((n[len(c["path"]):], d) for n, d in members.items()
                       if n.startswith(c["path"]))
        c["digest"] = hrp.hashlib.sha256(hrp.listing(below)).hexdigest()
    members = dict(members, **{"manifest.json": json.dumps(manifest).encode()})
    order = sorted(members.items(), key=lambda m: (m[0] != "manifest.json", m[0]))
    return hrp.frames(hrp.member("FILES", hrp.listing(order)) +
                      b"".join(hrp.member(n, d) for n, d in order) + hrp.END)


def test_install(h):
    file = h.run("plugin", "pack", SO, "--out", "l.hrp").out.strip()
    name = json.loads(h.run("package", "verify", file, "--json").out)
    says(h.run("plugin", "inspect", name["id"], code=1).err, "no plugin")
    says(h.run("plugin", "install", file).out, "installed " + name["id"], "unsigned")
    assert store(h) == [name["digest"]], store(h)
    says(h.run("plugin", "list").out, name["id"], name["digest"])
    says(h.run("plugin", "inspect", name["id"]).out, "package unsigned")
    h.run("plugin", "install", file)  # once more is the same
    assert store(h) == [name["digest"]]
    for line in h.run("plugin", "list", "--json").out.splitlines():
        assert json.loads(line)["manifest"]["components"], line  # a row is a line
    # nothing is made by a worker when it is looked for: the manifest lies beside
    row = [json.loads(r) for r in h.run("plugin", "list", "--json").out.splitlines()
           if name["id"] in r][0]
    assert row["state"] == "ok" and row["signed"].startswith("unsigned"), row
    says(h.run("plugin", "rescan").out, name["id"])
    says(h.run("plugin", "remove", name["id"] + "@9.9", code=1).err, "no package")
    says(h.run("plugin", "remove", name["id"]).out, "removed " + name["id"])
    assert store(h) == [], store(h)
    says(h.run("plugin", "remove", name["id"], code=1).err, "no package of a plugin")


def test_signed(h):
    h.run("package", "keygen", "k.key", "--no-passphrase")
    h.run("plugin", "pack", SO, "--out", "l.hrp", "--key", "k.key")
    h.run("package", "keygen", "other.key", "--no-passphrase")
    says(h.run("plugin", "install", "l.hrp", "--trust", "other.pub", code=1).err, "unknown key")
    assert store(h) == []
    h.run("plugin", "install", "l.hrp", "--trust", "k.pub")
    says(h.run("plugin", "list", "--json").out, "signed by k.pub")


def test_project(h):
    h.project("blank")
    h.run("plugin", "pack", SO, "--out", "l.hrp")
    says(h.run("plugin", "install", "l.hrp", "--project", code=1).err, "no project")
    h.run("run", "--quiet")
    h.run("plugin", "install", "l.hrp", "--project")
    assert len(glob.glob(h.path(".headrace/registry/plugins/*/linux-*/plugin.so"))) == 1
    assert store(h) == []
    says(h.run("plugin", "list").out, "registry/plugins")


def test_refused(h):
    h.run("plugin", "pack", SO, "--out", "l.hrp")
    good = unpacked(h, "l.hrp")
    platform = [n.split("/")[0] for n in good if n.endswith("plugin.so")][0]
    manifest = json.loads(good["manifest.json"])

    def with_manifest(change):
        m = json.loads(json.dumps(manifest))
        change(m)
        return dict(good, **{"manifest.json": json.dumps(m).encode()})

    def foreign(m):
        m["platforms"] = ["solaris-sparc"]
        m["content"][0]["path"] = "solaris-sparc/"

    other = {n.replace(platform, "solaris-sparc"): d for n, d in with_manifest(foreign).items()}

    def abi(m):
        m["plugin"]["abi"] = [9, 0]

    def doc(m):
        m["plugin"]["components"][0]["doc"] = "Does something else."

    def newer(m):
        m["headrace_package"] = 9

    def another(m):
        m["plugin"]["sha256"] = "0" * 64

    broken = dict(good)
    broken[platform + "/plugin.so"] = b"\x7fELF but not much of it"
    fake = json.loads(good["manifest.json"])
    fake["plugin"]["sha256"] = hrp.hashlib.sha256(broken[platform + "/plugin.so"]).hexdigest()
    broken["manifest.json"] = json.dumps(fake).encode()
    for name, members, reason in (
            ("platform", other, "is made for solaris-sparc; this is"),
            ("abi", with_manifest(abi), "is made for ABI 9"),
            ("manifest", with_manifest(doc), "does not describe itself"),
            ("beside", dict(good, **{platform + "/plugin.json": b"{}"}), "does not describe itself"),
            ("format", with_manifest(newer), "newer headrace"),
            ("digest", with_manifest(another), "is not the plugin"),
            ("broken", broken, "cannot be loaded"),
            ("stray", dict(good, **{"extra/x": b""}), "belongs to none")):
        h.write(name + ".hrp", pack(members))
        says(h.run("plugin", "install", name + ".hrp", code=1).err, reason)
        assert store(h) == [], (name, store(h))
    h.write("same.hrp", pack(good))
    h.run("plugin", "install", "same.hrp")
    h.write("a.hrp", hrp.frames(hrp.whole()))
    says(h.run("plugin", "install", "a.hrp", code=1).err, "no plugin")


def build(h, version, note=""):
    """A package of line_count as some version, or as another build of it."""
    source = open(os.path.join(SOURCE, "samples", "custom_component", "line_count.c")).read()
    source = source.replace('"org.headrace.examples", "1.0.0"',
                            '"org.headrace.examples", "%s"' % version)
    source = source.replace('"Counts lines."', '"Counts lines.%s"' % note)
    h.write("c/line_count.c", source)
    so = h.path("c", "line_count.so")
    subprocess.run(["cc", "-std=c99", "-O1", "-fPIC", "-fvisibility=hidden", "-shared", "-I" +
                    os.path.join(SOURCE, "sdk", "include"), h.path("c/line_count.c"), "-o", so],
                   check=True)
    file = "lines-%s%s.hrp" % (version, note and "-other")
    h.run("plugin", "pack", so, "--out", file)
    return file


COUNT = """{"headrace": 1, "name": "lines", %s"nodes": {
  "file": {"importer": {"source_uri": "lines", "type": "File"}},
  "count": {"component": "line-count", "inputs": {"table": "file"}}}}
"""


def takes(h, text, *args, code=0):
    """A pipeline with such a list of plugins, run; the version that it ran with."""
    h.write("pipeline.json", COUNT % text)
    result = h.run("run", "--quiet", "--no-cache", *args, code=code)
    if code:
        return result.err
    shown = json.loads(h.run("show", "count", "--json").out)
    digest = shown["properties"]["__plugin_digest"]
    for row in h.run("plugin", "list", "--json").out.splitlines():
        if json.loads(row)["digest"] == digest:
            return json.loads(row)["version"]
    raise AssertionError(digest)


def test_ranges(h):
    h.project("blank")
    h.write("lines/data", "one\ntwo\n")
    for version in ("1.2.0", "1.2.5", "1.3.1", "1.4.0-rc.1", "2.0.0"):
        h.run("plugin", "install", build(h, version))
    assert takes(h, "") == "2.0.0"
    for wish, version in (("", "2.0.0"), ("@^1.2", "1.3.1"), ("@~1.2", "1.2.5"), ("@1.2", "1.2.0"),
                          ("@=1.4.0-rc.1", "1.4.0-rc.1"), ("@>=1.2", "2.0.0"), ("@^1.2.4", "1.3.1"),
                          ("@^1.4.0-rc.1", "1.4.0-rc.1")):
        wish = '"plugins": ["org.headrace.examples%s"], ' % wish
        assert takes(h, wish) == version, wish
    normal = json.loads(h.run("check", "--json").out)
    assert normal["plugins"] == ["org.headrace.examples@^1.4.0-rc.1"], normal
    # standard ones need not be listed, others do
    h.write("pipeline.json", PIPELINE.replace('"nodes"', '"plugins": [], "nodes"') % "")
    h.run("check")
    for text, parts in (
            ("[]", ["pipeline.json:3:", 'does not take; add "org.headrace.examples@^2.0.0"']),
            ('["org.headrace.examples@^3"]',
             ["pipeline.json:1:", 'fits "^3"', "1.2.0, ", "2.0.0", "1.4.0-rc.1"]),
            ('["org.headrace.example"]', ["is not here", 'did you mean "org.headrace.examples"']),
            ('["com.example.nowhere@1"]', ['plugin "com.example.nowhere" is not here', "looked"]),
            ('["org.headrace.examples@>1"]', ["is no plugin with a range"]),
            ('["org.headrace.examples@"]', ["is no plugin with a range"]),
            ('["@1"]', ["is no plugin with a range"]),
            ('["org.headrace.examples", "org.headrace.examples@1.2"]', ["listed twice"]),
            ('"org.headrace.examples"', ["is a list, and this is a string"]),
            ("[7]", ['"id@^1.2", and this is a number'])):
        says(takes(h, '"plugins": %s, ' % text, code=1), *parts)
        says(h.run("check", code=1).err, *parts)


def test_lock_chooses(h):
    """The newest version that fits is locked, and runs while it is here."""
    h.project("blank")
    h.write("lines/data", "one\ntwo\n")
    for version in ("1.2.0", "1.3.1", "2.0.0"):
        h.run("plugin", "install", build(h, version))
    wish = '"plugins": ["org.headrace.examples@^1.2"], '
    h.write("pipeline.json", COUNT % wish)
    h.run("lock")
    first = open(h.path("pipeline.lock")).read()
    pin = json.loads(first)["plugins"]["org.headrace.examples"]
    assert pin["version"] == "1.3.1" and len(pin["digest"]) == 64, pin
    # a newer one that fits does not count before it is locked
    h.run("plugin", "install", build(h, "1.9.0"))
    assert takes(h, wish) == "1.3.1"
    assert takes(h, wish, "--unlocked") == "1.9.0"
    h.run("lock")
    assert takes(h, wish) == "1.9.0"
    h.run("lock")
    # another build of the same version: the digest tells which
    h.run("plugin", "install", build(h, "1.9.0", " Well."))
    second = json.loads(open(h.path("pipeline.lock")).read())["plugins"]["org.headrace.examples"]
    assert takes(h, wish) == "1.9.0"
    shown = json.loads(h.run("show", "count", "--json").out)
    assert shown["properties"]["__plugin_digest"] == second["digest"]
    rows = [json.loads(r) for r in h.run("plugin", "list", "--json").out.splitlines()]
    locked = [r["path"] for r in rows if r["digest"] == second["digest"]][0]
    h.run("plugin", "remove", locked.split("/")[-3])
    says(takes(h, wish, code=1), "pipeline.lock:", "is locked to the digest", "nothing was run")
    # a lock of what the list does not take
    h.write("pipeline.lock", first)
    says(takes(h, '"plugins": ["org.headrace.examples@^2"], ', code=1),
         "is locked to version 1.3.1, and 2.0.0 is here")
    h.run("plugin", "remove", "org.headrace.examples@1.3.1")
    says(takes(h, wish, code=1), "is locked to version 1.3.1, and 1.9.0 is here")
    says(h.run("resume", code=1).err, "is locked to version 1.3.1")


def test_replay(h):
    """An execution is replayed by the plugin that it had, however new others are."""
    h.project("blank")
    h.write("lines/data", "one\ntwo\n")
    h.run("plugin", "install", build(h, "1.2.0"))
    assert takes(h, "") == "1.2.0"
    old = json.loads(h.run("show", "count", "--json").out)
    h.run("plugin", "install", build(h, "2.0.0"))
    h.run("plugin", "install", build(h, "1.2.0", " Well."))
    assert takes(h, "") == "2.0.0"
    new = json.loads(h.run("show", "count", "--json").out)

    def replay(e, *args):
        return h.run("run", "--replay", str(e["execution"]), *args).out

    for e in (old, new):
        told = json.loads(replay(e, "--json"))
        assert told["equal"] and not told["plugin_changed"], told
    # told only where it is gone; what the newest one makes is compared
    h.run("plugin", "remove", "org.headrace.examples@2.0.0")
    told = json.loads(replay(new, "--json"))
    assert told["plugin_changed"], told
    says(replay(new), "the plugin of then, %.12s..., is not here any more: org.headrace.examples "
         "1.2.0 was taken" % new["properties"]["__plugin_digest"])
    assert not json.loads(replay(old, "--json"))["plugin_changed"]
    # a cache that was cleared takes nothing away
    h.run("cache", "clear")
    assert not json.loads(replay(old, "--json"))["plugin_changed"]


def trust(h, unsigned, *keys):
    h.write("trust.json", json.dumps({"headrace_trust": 1, "unsigned": unsigned, "keys": [
        {"name": k, "key": open(h.path(k + ".pub")).read().splitlines()[1]} for k in keys]}))


def test_trust_withdrawn(h):
    """What a signer had signed is refused at load once he is trusted no more."""
    h.project("blank")
    h.write("lines/data", "one\ntwo\n")
    for name in ("ann", "bob"):
        h.run("package", "keygen", name + ".key", "--no-passphrase")
    file = build(h, "1.2.0")
    h.run("package", "sign", file, "--key", "ann.key")
    trust(h, "refuse", "bob")
    says(h.run("plugin", "install", file, code=1).err, "unknown key")
    trust(h, "refuse", "ann", "bob")
    h.run("plugin", "install", file)
    assert takes(h, "") == "1.2.0"
    trust(h, "refuse", "bob")
    runs = len(h.run("runs", "--json").out.splitlines())
    says(takes(h, "", code=1), "pipeline.json:3:", "org.headrace.examples 1.2.0",
         "a package signed by ann", 'trust.json" trusts no such signer')
    for args in (("check",), ("lock",), ("resume",)):
        says(h.run(*args, code=1).err, "trusts no such signer")
    assert len(h.run("runs", "--json").out.splitlines()) == runs
    says(h.run("plugin", "list").out, "org.headrace.examples")  # it is there, and may be removed
    # other plugins are not touched by it
    h.write("pipeline.json", PIPELINE % "")
    h.run("run", "--quiet")
    trust(h, "warn")
    assert takes(h, "") == "1.2.0"
    # an unsigned one, where that was allowed once
    h.run("plugin", "remove", "org.headrace.examples")
    h.run("plugin", "install", build(h, "1.3.0"))
    assert takes(h, "") == "1.3.0"
    trust(h, "refuse", "ann")
    says(takes(h, "", code=1), "a package unsigned", "trusts no such signer")
    h.write("trust.json", "{")
    says(takes(h, "", code=1), "trust.json")


def test_lock(h):
    h.project("blank")
    os.mkdir(h.path("so"))
    shutil.copy(SO, h.path("so/line_count.so"))
    component = json.loads(h.run("plugin", "inspect", "line-count", "--json", "--plugin-path",
                                 "so").out)
    inputs = component["components"][0]["inputs"]
    assert inputs, component
    extra = ',\n  "file": {"importer": {"source_uri": "lines", "type": "File"}},' \
        '\n  "count": {"component": "%s", "inputs": {"%s": "file"}}' % (
            component["components"][0]["id"], inputs[0]["key"])
    h.write("lines/data", "one\ntwo\n")
    h.write("pipeline.json", PIPELINE % "")
    assert h.run("lock").out.strip() == h.path("pipeline.lock")
    lock = json.loads(open(h.path("pipeline.lock")).read())
    assert set(lock["plugins"]) == {"org.headrace.example_gen", "org.headrace.validation"}, lock
    assert all(set(p) == {"version"} for p in lock["plugins"].values()), lock
    h.run("run", "--quiet")
    # a plugin that the lock does not know
    h.run("plugin", "pack", SO, "--out", "l.hrp")
    h.run("plugin", "install", "l.hrp")
    h.write("pipeline.json", PIPELINE % extra)
    says(h.run("run", "--quiet", code=1).err, "is not in the lock", "nothing was run")
    h.run("run", "--quiet", "--unlocked")
    h.run("lock")
    first = open(h.path("pipeline.lock"), "rb").read()
    lock = json.loads(first)
    assert len(lock["plugins"][component["id"]]["digest"]) == 64, lock
    says(h.run("run").out, "plugins from packages: " + component["id"], "taken with a warning")
    h.run("lock")
    assert open(h.path("pipeline.lock"), "rb").read() == first
    # others than those of the lock
    for change, reason in ((("version", "0.0.1"), "is locked to version 0.0.1"),
                           (("digest", "0" * 64), "is locked to the digest 000000000000")):
        other = json.loads(first)
        other["plugins"][component["id"]][change[0]] = change[1]
        h.write("pipeline.lock", json.dumps(other, indent=2))
        result = h.run("run", "--quiet", code=1)
        says(result.err, reason, "pipeline.lock:", "--unlocked")
    other = json.loads(first)
    other["plugins"]["com.example.nowhere"] = {"version": "3.0"}
    h.write("pipeline.lock", json.dumps(other, indent=2))
    says(h.run("run", "--quiet", code=1).err, "com.example.nowhere 3.0", "not installed")
    runs = len(h.run("runs", "--json").out.splitlines())
    for text, reason in (("{", "pipeline.lock"), ("{}", "no lock of format 1"),
                         ('{"headrace_lock": 2, "plugins": {}}', "no lock of format 1")):
        h.write("pipeline.lock", text)
        says(h.run("run", "--quiet", code=1).err, reason)
    assert len(h.run("runs", "--json").out.splitlines()) == runs
    says(h.run("lock", "none.json", code=1).err, "none.json")


if __name__ == "__main__":
    main(globals())
