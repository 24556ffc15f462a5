"""The table of verbs: help, the man page, completion, and what a mistyped line gets."""
import os
import re
import subprocess

from driver import BUILD, main, says


def verbs(h):
    """Names of the list of all commands, as the man page has them."""
    found = re.findall(r"^\.SS headrace ([a-z]+)(?: |$)", h.run("help", "--man").out, re.M)
    return list(dict.fromkeys(found))


def nouns(h, verb):
    return re.findall(r"^\.SS headrace %s ([a-z]+)(?: |$)" % verb, h.run("help", "--man").out, re.M)


def test_screen(h):
    """The list fits a screen of 24 x 80, with a line left for the prompt, and has all verbs."""
    lines = h.run("help").out.splitlines()
    assert len(lines) <= 23 and max(map(len, lines)) <= 80, lines
    for verb in verbs(h):
        assert any(re.search(r" %s +\S" % verb, line) for line in lines), verb
    short = h.run().out
    says(short, "headrace new", "headrace run", "headrace help")
    assert len(short.splitlines()) <= 23


def test_pages(h):
    listed = verbs(h)
    assert len(listed) >= 13 and "run" in listed, listed
    for verb in listed:
        page = h.run("help", verb).out
        says(page, verb + " - ", "usage: headrace " + verb)
        assert max(map(len, page.splitlines())) <= 80, page
        assert h.run(verb, "--help").out == page
        for noun in nouns(h, verb):
            says(page, "\n  " + noun)
            says(h.run("help", verb, noun).out, "usage: headrace %s %s" % (verb, noun))
    h.run("help", "nothing", code=2)
    h.run("help", "model", "nothing", code=2)


def test_man(h):
    """Only macros that there are, and every option of every verb."""
    text = h.run("help", "--man").out
    assert text == open(os.path.join(BUILD, "share", "man", "man1", "headrace.1")).read()
    for line in text.splitlines():
        if line.startswith("."):
            assert re.match(r"\.(TH|SH|SS|TP|PP|B|I|nf|fi)( |$)", line), line
        assert not line.startswith("'"), line
    flat = text.replace("\\-", "-")
    for verb in verbs(h):
        for option in re.findall(r"^  (--[a-z-]+)", h.run("help", verb).out, re.M):
            says(flat, "\\fB%s\\fR" % option)


def complete(h, *words):
    script = h.run("completion", "bash").out + (
        "COMP_WORDS=(headrace %s); COMP_CWORD=%d; _headrace; printf '%%s\\n' \"${COMPREPLY[@]}\""
        % (" ".join("'%s'" % w for w in words), len(words)))
    done = subprocess.run(["bash", "-u", "-c", script], capture_output=True, text=True,
                          check=False, cwd=h.dir, env=h.env)
    assert not done.stderr, done
    return [word for word in done.stdout.splitlines() if word]


def test_completion(h):
    assert complete(h, "execut") == ["executions"]
    assert complete(h, "") == verbs(h), complete(h, "")
    assert complete(h, "run", "--isol") == ["--isolation"]
    assert complete(h, "run", "--isolation", "") == ["worker", "none"]
    assert complete(h, "model", "pre") == ["predict"]
    assert "--signature" in complete(h, "model", "predict", "--")
    assert complete(h, "completion", "b") == ["bash"]
    h.write("pipeline.json", "{}")
    os.mkdir(h.path("place"))
    assert sorted(complete(h, "check", "p")) == ["pipeline.json", "place"]
    assert complete(h, "run", "--root", "p") == ["place"]
    assert complete(h, "help", "wat") == [v for v in verbs(h) if v.startswith("wat")]
    says(h.run("completion", "zsh").out, "bashcompinit")
    h.run("completion", "tcsh", code=2)


def test_usage(h):
    """One sentence with what was meant, the usage, exit 2, nothing on stdout."""
    for words, parts in ((["runn"], ['"run"?']), (["model", "lits"], ['"list"?']),
                         (["model"], ["headrace help model"]), (["run", "--jbos", "2"], ['"--jobs"?']),
                         (["run", "--jobs"], ["wants a value"]), (["run", "--jobs", "x"], ['"x"']),
                         (["run", "--jobs", "0"], ["from 1 on"]),
                         (["run", "--quiet=1"], ["takes no value"]),
                         (["run", "--isolation", "som"], ["worker or none", '"som"']),
                         (["run", "--param", "x"], ["NAME=VALUE"]),
                         (["new"], ["DIR is missing"]), (["runs", "x"], ['"x" is too much']),
                         (["runs", "--limit", "1x"], ["--limit", '"1x"'])):
        result = h.run(*words, code=2)
        says(result.err, *parts)
        assert not result.out, result
    assert h.run("--version").out == h.run("version").out


if __name__ == "__main__":
    main(globals())
