"""Each call of the system that the host makes fails, or it is killed there: nothing is lost.

Sampled in the tests; all of them with HR_FAULTS=all, which says how many there were.  SQLite's
calls are among them: on the store, its log, the memory that it shares, and their locks.
"""
from driver import main
from faulting import COMMANDS, Ground, sweep

LIBRARY = "fail_call"


def test_once(h):
    sweep(h, "run", LIBRARY, "once", 6)


def test_full(h):
    sweep(h, "run", LIBRARY, "full", 3)


def test_always(h):
    sweep(h, "run", LIBRARY, "always", 3)


def test_kill(h):
    sweep(h, "run", LIBRARY, "kill", 6, each=True)


def test_others(h):
    sweep(h, "cached resume doctor repair gc pack", LIBRARY, "once", 1)


def test_unseen(h):
    """Calls that move half of the bytes, that a signal ends, a clock that goes back: what is done
    is the same, and done."""
    ground = Ground(h, ("failed",))
    for name, (state, args) in COMMANDS.items():
        plain, _, fds, _ = ground.undisturbed(name, LIBRARY)
        for how in ("half", "signal", "clock"):
            ground.back(state)
            result = ground.start(*args, env=ground.preloaded(LIBRARY, how=how))
            assert result.code == 0, "%s, %s: %s" % (name, how, result)
            ground.after(name, result, plain, fds, how)
            ground.sound()


if __name__ == "__main__":
    main(globals())
