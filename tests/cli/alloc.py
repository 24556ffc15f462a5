"""Each allocation of the command finds no memory, once or from then on, in it and in the libraries
that it uses: nothing is lost.

A place is one that memory is asked for from, by all functions above it.  Sampled in the tests; all
of them with HR_FAULTS=all, which says how many there were.
"""
from driver import main
from faulting import sweep

LIBRARY = "fail_alloc"


def test_run(h):
    sweep(h, "run", LIBRARY, "once", 4)


def test_always(h):
    sweep(h, "run why", LIBRARY, "always", 2)


def test_again(h):
    sweep(h, "cached resume", LIBRARY, "once", 2)


def test_looks(h):
    sweep(h, "why doctor repair gc verify", LIBRARY, "once", 2)


def test_pack(h):
    sweep(h, "pack", LIBRARY, "once", 2)


if __name__ == "__main__":
    main(globals())
