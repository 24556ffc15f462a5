"""driver.py - the command, driven as a user drives it; each test in a directory of its own.

A test file defines functions test_*(h), which get a Headrace; main() runs all of them, or those
named on the command line, and exits with 1 if one fails.
"""
import contextlib
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import traceback

BUILD = os.environ["HR_BUILD"]
SOURCE = os.environ["HR_SOURCE"]
COMMAND = os.path.join(BUILD, "bin", "headrace")
TIMEOUT = 240


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __str__(self):
        return "exit %d\n--- stdout\n%s\n--- stderr\n%s" % (self.code, self.out, self.err)

    def events(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


class Headrace:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="hr_cli_")
        self.env = dict(os.environ, HOME=self.dir, LC_ALL="C.UTF-8", TZ="UTC")

    def close(self):
        subprocess.run(["chmod", "-R", "u+rwX", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        with open(self.path(name), "wb") as f:
            f.write(data)

    def run(self, *args, code=0, env=None, cwd=None, stdin=None, user=None, command=COMMAND):
        """The command with arguments; its exit status must be code, None: any."""
        done = subprocess.run([command, *args], cwd=cwd or self.dir, text=True, timeout=TIMEOUT,
                              env=dict(self.env, **(env or {})), input=stdin or "",
                              capture_output=True, user=user)
        result = Result(done)
        if code is not None and result.code != code:
            raise AssertionError("headrace %s: wanted exit %d\n%s" % (" ".join(args), code, result))
        if "Sanitizer" in result.err or "runtime error" in result.err:
            raise AssertionError("headrace %s\n%s" % (" ".join(args), result))
        return result

    def other_user(self):
        """What run() wants to be somebody who is not root and cannot reach the folder of the
        build: a copy of it, in the test's directory, which is his by then."""
        for part in ("bin", "lib", "libexec"):
            shutil.copytree(os.path.join(BUILD, part), self.path("copy", part), symlinks=True)
        user = pwd.getpwnam("nobody")
        subprocess.run(["chown", "-R", user.pw_name, self.dir], check=True)
        return {"user": user.pw_uid, "command": self.path("copy", "bin", "headrace"),
                "env": {"LD_LIBRARY_PATH": self.path("copy", "lib")}}

    def project(self, template="penguin"):
        """A project of a sample, in the test's directory."""
        self.run("new", ".", "--template", template)

    def states(self, *args, code=0, **kw):
        """A run's nodes with how each ended, as {"trainer": "cached"}."""
        result = self.run("run", "--json", *args, code=code, **kw)
        ends = ("cached", "skipped", "finished", "failed", "cancelled")
        return {e["node"]: e["event"] for e in result.events() if e["event"] in ends}, result

    def query(self, sql, *args):
        with contextlib.closing(sqlite3.connect(self.path(".headrace", "metadata.sqlite"))) as db:
            return db.execute(sql, args).fetchall()


def says(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError("%r is not in\n%s" % (part, text))


def main(names):
    tests = {k: v for k, v in names.items() if k.startswith("test_")}
    chosen = sys.argv[1:] or list(tests)
    failed = 0
    for name in chosen:
        h = Headrace()
        try:
            tests[name](h)
            print("ok   %s" % name)
        except Exception:  # a test may fail in any way, and the others go on
            failed += 1
            print("FAIL %s" % name)
            traceback.print_exc(file=sys.stdout)
        finally:
            h.close()
        sys.stdout.flush()
    print("%d passed, %d failed" % (len(chosen) - failed, failed))
    sys.exit(1 if failed or not chosen else 0)
