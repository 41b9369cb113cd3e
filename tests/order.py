# SPDX-License-Identifier: MIT
"""The order of tests for several workers (pytest-xdist, worksteal): each begins with an equal, contiguous part of it,
and takes from the end of another's when it is through.

The first one's part begins with the tests that take turns: two workers with such tests wait for each other. The others'
parts begin with long tests, so that none is left for the end, when the other workers have nothing to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from itertools import chain

TAKES_TURNS = "one_loop_at_a_time"  # the fixture
LONG = ("tests/rtl/", "tests/test_rerun.py", "tests/formal/test_mutation.py", "tests/tickloop/test_lint.py",
        "tests/tickloop/test_readme.py", "tests/tickloop/test_package.py", "tests/tickloop/test_docs.py")


def in_parts(tests: Sequence[str], turns: Collection[str], workers: int) -> list[str]:
    """The tests, by name, in the order for so many workers, at least two; ``turns`` are those that take turns."""
    first = sorted((test for test in tests if test in turns), key=lambda test: not test.startswith(LONG))
    rest = [test for test in tests if test not in turns]
    long = [test for test in rest if test.startswith(LONG)]
    short = deque(test for test in rest if not test.startswith(LONG))
    parts = [first, *(long[worker::workers - 1] for worker in range(workers - 1))]
    left = len(tests)
    for number, part in enumerate(parts):
        while short and len(part) < left // (workers - number):
            part.append(short.popleft())
        left -= len(part)
    return [*chain(*parts), *short]
