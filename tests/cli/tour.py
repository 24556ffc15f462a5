"""The tour of README.md, typed as it stands there, in an empty folder."""
import os
import shlex
import subprocess

from driver import BUILD, SOURCE, main, says

REFUSED = {"resume": "has finished all its nodes: there is nothing to resume"}


def tour():
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        text = f.read()
    return text[text.index("## Five minutes"):text.index("## More")].rstrip().splitlines()


def test_tour(h):
    """Every command of it works, and what it shows is what comes."""
    env = dict(h.env, PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"])
    cwd, count, shown, wanted = h.dir, 0, "", []
    for line in tour():
        words = shlex.split(line, comments=True) if line.startswith("    ") else []
        if words[:1] == ["cd"]:
            cwd = os.path.join(cwd, words[1])
        elif words[:1] == ["headrace"]:
            done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True,
                                  timeout=240, check=False)
            if words[1] in REFUSED:
                assert done.returncode == 1, done
                says(done.stderr, REFUSED[words[1]])
            else:
                assert done.returncode == 0 and (done.stdout or words[1] == "log"), (line, done)
            count += 1
        elif words[:1] == ["$"]:
            done = subprocess.run(line.strip()[2:], shell=True, cwd=cwd, env=env, text=True,
                                  capture_output=True, timeout=240, check=False)
            shown = (done.stdout + done.stderr).splitlines()
        elif shown:
            wanted.append(line.strip())
    assert count >= 18, count
    assert [w for w in wanted if w][:len(shown)] == shown, (wanted, shown)


def test_short(h):
    """Two screens of 24 lines, and the list of verbs one."""
    assert len(tour()) <= 48, len(tour())
    lines = h.run("help").out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80, lines


if __name__ == "__main__":
    main(globals())
