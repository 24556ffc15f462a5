"""hrp.py - packages made by hand: the format from its description, and every way to break it."""
import hashlib
import json
import struct
import subprocess

MAGIC = b"\x28\xb5\x2f\xfd"
ALIGN = 1 << 17


def stored(data, content=None):
    """A zstd frame of raw blocks, which tells its size."""
    out = MAGIC + b"\xc0\x38" + struct.pack("<Q", len(data) if content is None else content)
    blocks = [data[i : i + (1 << 17)] for i in range(0, len(data), 1 << 17)] or [b""]
    for i, block in enumerate(blocks):
        head = len(block) << 3 | (i == len(blocks) - 1)
        out += struct.pack("<I", head)[:3] + block
    return out


def frames(tar):
    return b"".join(stored(tar[i : i + (1 << 20)]) for i in range(0, len(tar), 1 << 20))


def gap(place, length=None, fill=b"\0"):
    """The skippable frame behind which a section begins at a multiple of 128 KiB."""
    n = -place % ALIGN if length is None else length
    n += ALIGN if 0 < n < 8 else 0
    return b"\x50\x2a\x4d\x18" + struct.pack("<I", n - 8) + fill * (n - 8) if n else b""


def zstd(data, *options):
    """By the program; --stream-size makes it tell the size."""
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True,
                          check=True).stdout


def header(name, size, kind=b"0", link=b"", mode=0o644, mtime=0, uid=0, magic=b"ustar\00000",
           prefix=b"", raw_size=None):
    name = name if isinstance(name, bytes) else name.encode()
    h = bytearray(512)
    h[0 : len(name)] = name
    h[100:108] = b"%07o\0" % mode
    h[108:116] = b"%07o\0" % uid
    h[116:124] = b"%07o\0" % 0
    h[124:136] = raw_size or b"%011o\0" % size
    h[136:148] = b"%011o\0" % mtime
    h[148:156] = b" " * 8
    h[156:157] = kind
    h[157 : 157 + len(link)] = link
    h[257:265] = magic
    h[345 : 345 + len(prefix)] = prefix
    h[148:155] = b"%06o\0" % sum(h)
    return bytes(h)


def padded(data):
    return data + b"\0" * (-len(data) % 512)


def member(name, data, **how):
    return header(name, len(data), **how) + padded(data)


def listing(members):
    return b"".join(b"%s %d 0644 %s\n" % (hashlib.sha256(d).hexdigest().encode(), len(d),
                                          n if isinstance(n, bytes) else n.encode())
                    for n, d in members)


def manifest(members, **more):
    """A manifest of plain artifacts for members below artifacts/1/."""
    below = [(n[len("artifacts/1/"):], d) for n, d in members if n.startswith("artifacts/1/")]
    digest = hashlib.sha256(listing(below)).hexdigest()
    return json.dumps(dict({"headrace_package": 1, "kind": "artifacts", "id": "x", "version": "1",
                            "content": [{"path": "artifacts/1/", "digest": digest}]},
                           **more)).encode()


CONTENT = [("artifacts/1/a.txt", b"first\n"), ("artifacts/1/b.bin", bytes(range(256)) * 5),
           ("artifacts/1/sub/c", b"")]
END = b"\0" * 1024


def whole(members=None, files=None, signature=None, **more):
    """Members with their manifest, and the tar of them."""
    members = CONTENT if members is None else members
    members = [("manifest.json", manifest(members, **more))] + list(members)
    tar = member("FILES", listing(members) if files is None else files)
    if signature is not None:
        tar += member("FILES.minisig", signature)
    for name, data in members:
        tar += member(name, data)
    return tar + END


def renamed(name):
    """A good package but for the name of one member."""
    return whole([(name, b"x")])


def patched(tar, at, data):
    return tar[:at] + data + tar[at + len(data) :]


def find_header(tar, name):
    return tar.index(name.encode() + b"\0" * 10)


def replace_header(name, **how):
    tar = whole()
    at = find_header(tar, name)
    return patched(tar, at, header(name, len(dict(CONTENT)[name]), **how))


def lineage_package(lineage, **more):
    text = json.dumps(lineage).encode()
    members = CONTENT + [("lineage.json", text)]
    return whole(members, **more)


def tar_cases():
    """Name -> (tar, what the refusal says)."""
    good = whole()
    mani = manifest(CONTENT)
    all_members = [("manifest.json", mani)] + CONTENT
    files = listing(all_members)
    lines = files.decode().splitlines(True)
    body = b"".join(member(n, d) for n, d in all_members)

    def with_files(text, rest=None):
        return member("FILES", text if isinstance(text, bytes) else text.encode()) + \
            (body if rest is None else rest) + END

    def order(names):
        by = dict(all_members)
        return member("FILES", files) + b"".join(member(n, by[n]) for n in names) + END

    names = [n for n, _ in all_members]
    a, b = "artifacts/1/a.txt", "artifacts/1/b.bin"
    x = [("artifacts/1/x", b"x")]
    cases = {
        # names
        "climbs": (renamed("../x"), "is not allowed"),
        "climbs_inside": (renamed("artifacts/../x"), "is not allowed"),
        "absolute": (renamed("/etc/x"), "is not allowed"),
        "dot_part": (renamed("artifacts/1/./x"), "is not allowed"),
        "empty_part": (renamed("artifacts/1//x"), "is not allowed"),
        "ends_in_slash": (renamed("artifacts/1/x/"), "is not allowed"),
        "backslash": (renamed("artifacts\\x"), "is not allowed"),
        "space": (renamed("artifacts/1/a b"), "is not allowed"),
        "control": (renamed("artifacts/1/a\x1b[2J"), "is not allowed"),
        "utf8": (renamed("artifacts/1/\u00e9"), "is not allowed"),
        "colon": (renamed("c:x"), "is not allowed"),
        "long_name": (renamed("artifacts/1/" + "x" * 60 + "/" + "y" * 60 + "/" + "z" * 90),
                      "is not allowed"),
        "deep_name": (renamed("a/" * 20 + "x"), "is not allowed"),
        "twice": (whole(x + x), "differ by case only"),
        "twice_by_case": (whole([("artifacts/1/X", b"1"), ("artifacts/1/x", b"2")]),
                          "differ by case only"),
        "file_and_directory": (whole([("artifacts/1/x", b"1"), ("artifacts/1/x/y", b"2")]),
                               "lies below it"),
        "file_and_directory_by_case": (whole([("artifacts/1/X", b"1"), ("artifacts/1/x/y", b"2")]),
                                       "lies below it"),
        "own_name": (whole([("FILES.minisig", b"x")]), "the package's own"),
        "own_name_by_case": (whole([("files", b"x")]), "the package's own"),
        # kinds of members
        "symbolic_link": (replace_header(a, kind=b"2", link=b"/etc/passwd"), "is a symbolic link"),
        "hard_link": (replace_header(a, kind=b"1", link=b"FILES"), "is a hard link"),
        "character_device": (replace_header(a, kind=b"3"), "is a device"),
        "block_device": (replace_header(a, kind=b"4"), "is a device"),
        "directory": (replace_header(a, kind=b"5"), "is a directory"),
        "pipe": (replace_header(a, kind=b"6"), "is a named pipe"),
        "sparse": (replace_header(a, kind=b"S"), "is a sparse file"),
        "pax_header": (replace_header(a, kind=b"x"), "is an extended header"),
        "global_pax_header": (replace_header(a, kind=b"g"), "is an extended header"),
        "gnu_long_name": (replace_header(a, kind=b"L"), "is a long name"),
        "contiguous": (replace_header(a, kind=b"7"), "is no regular file"),
        "old_regular": (replace_header(a, kind=b"\0"), "is no regular file"),
        "pax_sparse": (member("FILES", files) +
                       member("PaxHeader", b"22 GNU.sparse.major=1\n", kind=b"x") + body + END,
                       "is an extended header"),
        # headers
        "mode": (replace_header(a, mode=0o4755), "of its own"),
        "owner": (replace_header(a, uid=1000), "of its own"),
        "time": (replace_header(a, mtime=1), "of its own"),
        "gnu_magic": (replace_header(a, magic=b"ustar  \0"), "of its own"),
        "no_magic": (replace_header(a, magic=b"\0" * 8), "has no header of a ustar"),
        "checksum": (patched(good, find_header(good, a) + 148, b"000000\0"), "of its own"),
        "size_larger": (replace_header(a, raw_size=b"00000000007\0"), "another size"),
        "size_base256": (replace_header(a, raw_size=b"\x80" + b"\0" * 10 + b"\6"), "another size"),
        "huge_size": (replace_header(a, raw_size=b"77777777777\0"), "another size"),
        "prefix": (replace_header(a, prefix=b"evil"), "lists another"),
        # the list
        "one_more": (with_files(files, body + member("artifacts/1/z", b"z")), "is not listed"),
        "one_less": (order(names[:-1]), "is missing: the tar ends before it"),
        "first_missing": (order(names[1:]), "lists another"),
        "reordered": (order([names[0], names[2], names[1], names[3]]), "lists another"),
        "renamed_member": (with_files(files.replace(b"a.txt", b"aa.txt")), "lists another"),
        "files_line_cut": (with_files(files.replace(b" 0644 artifacts/1/a.txt", b"")), "has no"),
        "repeated_member": (order(names[:2] + names[1:]), "lists another"),
        "wrong_digest": (patched(good, good.index(b"first\n"), b"worst\n"), "another digest"),
        "wrong_listed_digest": (with_files(files.replace(lines[1][:8].encode(), b"00000000")),
                                "another digest"),
        "files_unsorted": (with_files("".join([lines[0], lines[2], lines[1], lines[3]])),
                           "out of order"),
        "no_manifest": (with_files("".join(lines[1:])), "first member is not manifest.json"),
        "no_members": (with_files(b"", b""), "first member is not manifest.json"),
        "no_line_end": (with_files(files[:-1]), "has no end"),
        "files_blank_line": (with_files(files + b"\n"), "does not begin with a digest"),
        "files_upper_digest": (with_files(lines[0][:64].upper() + "".join(lines)[64:]),
                               "does not begin with a digest"),
        "files_mode": (with_files(files.replace(b" 0644 ", b" 0755 ", 1)), "another mode"),
        "files_size_text": (with_files(files.replace(b" 6 0644", b" 06 0644")), "has no size"),
        "files_size_negative": (with_files(files.replace(b" 6 0644", b" -6 0644")), "has no size"),
        "files_size_huge": (with_files(files.replace(b" 6 0644", b" 99999999999999999 0644")),
                            "too large"),
        "files_zero_byte": (with_files(files.replace(b"a.txt", b"a\0txt")), "has no name"),
        "files_total": (member("FILES", b"".join(
            b"%s 8589934590 0644 %s\n" % (b"0" * 64, n) for n in
            [b"manifest.json"] + [b"artifacts/1/%03d" % i for i in range(40)])) + END, "too large"),
        "files_large": (header("FILES", 1 << 26) + b"\0" * 4096, "is too large"),
        "no_files": (body + END, "lists another"),
        "signature_large": (member("FILES", files) + header("FILES.minisig", 1 << 20), "too large"),
        "signature_first": (member("FILES.minisig", b"x") + member("FILES", files) + body + END,
                            "lists another"),
        "signature_garbage": (whole(signature=b"what\n"), "does not begin with an untrusted"),
        "hidden_in_padding": (patched(good, good.index(b"first\n") + 6, b"hidden"),
                              "bytes are hidden"),
        "hidden_at_the_end": (patched(good, good.index(b"first\n") + 511, b"h"), "bytes are hidden"),
        "hidden_behind_files": (patched(good, 512 + len(files), b"hidden"), "bytes are hidden"),
        # the end
        "one_zero_block": (good[:-512], "is cut off"),
        "no_end": (good[:-1024], "is cut off"),
        "trailing_zero_block": (good + b"\0" * 512, "bytes follow the end"),
        "trailing_bytes": (good + b"x", "bytes follow the end"),
        "half_end": (good[:-512] + b"x" * 512, "has no end"),
        # the manifest
        "manifest_no_json": (with_manifest(b"{"), "cannot be read"),
        "manifest_array": (with_manifest(b"[]"), "does not say"),
        "manifest_newer": (whole(headrace_package=2), "newer headrace"),
        "manifest_kind": (whole(kind="other"), "has a kind"),
        "manifest_id": (whole(id="../x"), "no id or version"),
        "manifest_version": (whole(version=""), "no id or version"),
        "no_content": (whole(content=[]), "lists no content"),
        "content_digest": (whole(content=[{"path": "artifacts/1/", "digest": "0" * 64}]),
                           "has the digest"),
        "content_missing": (whole(content=[{"path": "artifacts/2/", "digest":
                                            hashlib.sha256(b"").hexdigest()}]), "belongs to none"),
        "content_artifact": (whole(content=[dict(json.loads(mani)["content"][0], artifact=1)]),
                             "not in the lineage"),
        "gate_without_lineage": (whole(gates=[{"passed": True, "artifact": 1, "type": "X"}]),
                                 "names no artifact"),
        # the lineage
        "lineage_no_json": (whole(CONTENT + [("lineage.json", b"nothing")]), "cannot be read"),
        "lineage_empty": (lineage_package({}), "no artifacts"),
        "lineage_numbers": (lineage_package({"artifacts": [{"n": 2, "type": "X"}],
                                             "executions": []}), "not numbered"),
        "lineage_maker": (lineage_package({"artifacts": [{"n": 1, "type": "X", "made_by": 1}],
                                           "executions": []}), "that is missing"),
        "lineage_circle": (lineage_package(
            {"artifacts": [{"n": 1, "type": "X", "made_by": 1}],
             "executions": [{"n": 1, "component": "c", "inputs": [{"artifact": 1}]}]}),
            "comes from itself"),
        "lineage_digest": (lineage_package(
            {"artifacts": [{"n": 1, "type": "X", "digest": "1" * 64}], "executions": []},
            content=[dict(json.loads(mani)["content"][0], artifact=1, type="X")]),
            "is not the artifact"),
        "gate_refused": (lineage_package(
            {"artifacts": [{"n": 1, "type": "ModelBlessing", "properties": {"blessed": 0}}],
             "executions": []},
            gates=[{"node": "e", "type": "ModelBlessing", "passed": True, "artifact": 1}]),
            "the lineage does not"),
        "plugin_without_plugin": (whole(kind="plugin"), "tells of no plugin"),
    }
    return cases


def with_manifest(text):
    members = [("manifest.json", text)] + CONTENT
    return member("FILES", listing(members)) + b"".join(member(n, d) for n, d in members) + END


def bomb(mib):
    """So many MiB of zeros, in a few KiB."""
    zeros = b"\0" * (1 << 20)
    files = listing([("manifest.json", manifest([]))]) + \
        b"%s %d 0644 artifacts/1/z\n" % (b"0" * 64, mib << 20)
    head = frames(member("FILES", files) + member("manifest.json", manifest([])))
    return head + gap(len(head)) + frames(header("artifacts/1/z", mib << 20)) + \
        zstd(zeros, "-19", "--stream-size=%d" % len(zeros)) * mib


def large_parts(second=0):
    """What stands before and in a large member, and behind it, as frames; second: bytes of another
    one, which has no section."""
    zeros = b"\0" * (1 << 20)
    data = [("artifacts/1/a", b"small"), ("artifacts/1/z", zeros * 32)]
    if second:
        data.append(("artifacts/1/zz", b"\0" * second))
    whole_list = [("manifest.json", manifest(data))] + data
    start = frames(member("FILES", listing(whole_list)) +
                   b"".join(member(n, d) for n, d in whole_list[:2]))
    mib = zstd(zeros, "-19", "--stream-size=%d" % len(zeros))
    rest = b"".join(member(n, d) for n, d in whole_list[3:])
    return start, frames(header("artifacts/1/z", 32 << 20)) + mib * 32, \
        b"".join(zstd(rest[i : i + (1 << 20)], "--stream-size=%d" % len(rest[i : i + (1 << 20)]))
                 for i in range(0, len(rest), 1 << 20)) + frames(END)


def large(second=0):
    start, section, end = large_parts(second)
    return start + gap(len(start)) + section + end


def large_cases():
    """A large member whose section does not begin as it has to."""
    start, section, end = large_parts()
    small = [("manifest.json", b"{}"), ("artifacts/1/a", b"small")]
    small.insert(0, ("FILES", listing(small + [("artifacts/1/z", b"\0" * (32 << 20))])))
    at = "does not begin where it has to"
    one = -len(start) % ALIGN
    return {
        "large_without_gap": (start + section + end, at),
        "large_gap_of_ones": (start + gap(len(start), fill=b"\1") + section + end, at),
        "large_gap_too_long": (start + gap(0, one + ALIGN) + section + end, at),
        "large_gap_too_short": (start + gap(0, one - 4096) + section + end, at),
        "large_gap_twice": (start + gap(len(start)) + gap(0, ALIGN) + section + end,
                            "no frame of zstd"),
        "large_begins_within": (frames(b"".join(member(n, d) for n, d in small) +
                                       header("artifacts/1/z", 32 << 20)) + section + end, at),
        "large_gap_cut": (start + gap(len(start))[:-5], at),
        "large_gap_behind": (start + gap(len(start)) + section + gap(0, ALIGN) + end,
                             "no frame of zstd"),
        "gap_before_small": (frames(whole()[:1024]) + gap(0, 4096) + frames(whole()[1024:]),
                             "no frame of zstd"),
    }


def file_cases():
    """Name -> (file, what the refusal says): below the tar."""
    tar = whole()
    good = frames(tar)
    zeros = b"\0" * (1 << 20)
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 4) + b"evil"
    cases = {
        "empty": (b"", "is cut off"),
        "no_package": (b"PK\3\4" + b"x" * 100, "no frame of zstd"),
        "bare_tar": (tar, "no frame of zstd"),
        "gzip": (b"\x1f\x8b\x08" + b"\0" * 60, "no frame of zstd"),
        "skippable_first": (skippable + good, "no frame of zstd"),
        "skippable_last": (good + skippable, "no frame of zstd"),
        "trailing_garbage": (good + b"more", "no frame of zstd"),
        "trailing_frame": (good + stored(b"x"), "bytes follow the end"),
        "trailing_empty_frame": (good + stored(b""), "is not whole"),
        "empty_frame_between": (stored(b"") + good, "holds nothing"),
        "whole_twice": (good + good, "bytes follow the end"),
        "size_not_told": (zstd(tar), "does not tell its size"),
        "frame_too_large": (zstd(tar + zeros, "--stream-size=%d" % (len(tar) + len(zeros))),
                            "more than 1 MiB"),
        "bomb": (bomb(400), "swells"),
        "size_lies_low": (stored(tar, len(tar) - 1), "cannot be decompressed"),
        "size_lies_high": (stored(tar, len(tar) + 1), "cannot be decompressed"),
        "reserved_block": (patched(good, 14, bytes([good[14] | 6])), "is not whole"),
        "reserved_bit": (patched(good, 4, b"\xc8"), "is not whole"),
        "dictionary": (patched(good, 4, b"\xc1"), ""),
        "broken_byte": (patched(good, len(good) // 2, bytes([good[len(good) // 2] ^ 1])), ""),
    }
    cases.update(large_cases())
    cases["one_byte_less"] = (good[:-1], "is not whole")
    for at in range(512, len(tar) - 1, 512):  # truncated at each block of the tar
        cases["cut_at_%d" % at] = (frames(tar[:at]), "is cut off")
    return cases


def cases():
    """Name -> (bytes of the file, what the refusal says)."""
    made = {name: (frames(tar), says) for name, (tar, says) in tar_cases().items()}
    made.update(file_cases())
    return made
