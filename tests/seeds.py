# SPDX-License-Identifier: MIT
"""Where random tests get their seeds from: `make test` has the same ones every time, so that whether it passes does not
hang on luck; TEST_SEEDS=fresh draws new ones, COCOTB_RANDOM_SEED gives one to every test, and wins."""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Mapping

SEED = "COCOTB_RANDOM_SEED"  # environment variable: a number
SEEDS = "TEST_SEEDS"  # environment variable: "fixed" (the default) or "fresh"


def given_seed(environment: Mapping[str, str] = os.environ) -> int | None:
    """The seed for every test, where the environment has one."""
    return int(environment[SEED]) if environment.get(SEED) else None


def fresh(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether tests draw new seeds."""
    kind = environment.get(SEEDS) or "fixed"
    if kind not in ("fixed", "fresh"):
        raise ValueError(f"{SEEDS} is fixed or fresh, not {kind!r}")
    return kind == "fresh"


def fresh_seed() -> int:
    """A seed that nobody knows before."""
    return random.SystemRandom().randrange(1 << 31)


def seed_of(test: str, environment: Mapping[str, str] = os.environ) -> int:
    """The seed of a test, by its name as pytest has it: where it stands and what it is called, nothing else."""
    given = given_seed(environment)
    if given is not None:
        return given
    return fresh_seed() if fresh(environment) else zlib.crc32(test.encode()) >> 1
