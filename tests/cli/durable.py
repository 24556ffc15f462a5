"""A disk that fails: nothing is said to be done that may be gone."""
import os

from driver import BUILD, main, says

PRELOAD = os.path.join(BUILD, "test_preload", "fail_sync.so")
ENDS = ("finished", "cached")


def failing(h, *args, first=2, code=1):
    """A run whose store can be synced first - 1 times, and no more; once at its begin."""
    options = h.env.get("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", ""))
    env = {"LD_PRELOAD": PRELOAD, "HEADRACE_TEST_FAIL_SYNC": str(first),
           "ASAN_OPTIONS": options + ":verify_asan_link_order=0"}
    return h.run("run", "--json", *args, code=code, env=env)


def test_sync_fails(h):
    """From the first sync on: every node that had a result has failed, and nothing follows."""
    h.project()
    h.states()
    says(failing(h, first=1).err, "disk I/O error", "nothing was run")
    result = failing(h, "--no-cache", "--jobs", "1")
    ends = [(e["event"], e["node"]) for e in result.events() if e["event"] in ENDS + ("failed",)]
    assert ends and {kind for kind, _ in ends} == {"failed"}, ends
    failed = [e for e in result.events() if e["event"] == "failed"]
    says(failed[0]["text"], "its result is recorded, but not known to be on the disk", "errno 5")
    done = result.events()[-1]
    assert done["event"] == "done" and done["status"] < 0, done
    says(done["text"], "0 executed, 0 cached")
    # what was recorded and lies there is taken by the next run, and all is well
    assert set(h.states()[0].values()) <= set(ENDS)
    assert "all is well" in h.run("doctor").err


def test_cached_and_own(h):
    """Resolvers and what is found in the cache are told of no sooner."""
    h.project()
    h.states()
    result = failing(h)
    assert not [e for e in result.events() if e["event"] in ENDS], result


def test_later(h):
    """Once a sync has failed no later one counts, though it would work."""
    h.project()
    h.states()
    between = 0  # how many failed in their middle: a fast machine needs few syncs for a run
    for first in range(2, 10):
        result = failing(h, "--no-cache", "--jobs", "1", "--keep-going", first=first, code=None)
        kinds = [e["event"] for e in result.events() if e["event"] in ENDS + ("failed",)]
        if not result.code:
            assert "failed" not in kinds, kinds
            break
        at = kinds.index("failed") if "failed" in kinds else len(kinds)
        assert set(kinds[at:]) <= {"failed"}, kinds
        between += 0 < at < len(kinds)
    assert between, "no sync failed in the middle"
    assert set(h.states()[0].values()) <= set(ENDS)


if __name__ == "__main__":
    main(globals())
