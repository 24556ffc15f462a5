"""The same faults in the workers: the node fails with a sentence, the host lives, a retry works."""
from driver import main
from faulting import sweep


def test_calls(h):
    sweep(h, "run", "fail_call", "once", 3, worker=True)


def test_kill(h):
    sweep(h, "run", "fail_call", "kill", 3, worker=True)


def test_alloc(h):
    sweep(h, "run", "fail_alloc", "once", 4, worker=True)


def test_alloc_always(h):
    sweep(h, "run", "fail_alloc", "always", 2, worker=True)


if __name__ == "__main__":
    main(globals())
