# SPDX-License-Identifier: MIT
"""How much a test makes of random traffic and of long sweeps: less inside `make test`, all of it for coverage."""

from __future__ import annotations

import os
from collections.abc import Iterable
from random import Random
from typing import TypeVar

EFFORT = "TEST_EFFORT"  # environment variable: percent
LEAST = 13              # percent of a sweep that every run makes

Case = TypeVar("Case")


def scaled(count: int) -> int:
    """``count`` at full effort."""
    return max(1, count * int(os.environ.get(EFFORT, "100")) // 100)


def some(cases: Iterable[Case], random: Random) -> Iterable[Case]:
    """The cases of a sweep; below full effort a share of them, drawn anew for each test."""
    share = max(LEAST, int(os.environ.get(EFFORT, "100")))
    return cases if share >= 100 else (case for case in cases if random.randrange(100) < share)


def one_or_more(cases: Iterable[Case], random: Random) -> list[Case]:
    """The cases of a sweep of which none at all would be no test."""
    everything = list(cases)
    return list(some(everything, random)) or [random.choice(everything)]
