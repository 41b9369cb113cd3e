# SPDX-License-Identifier: MIT
"""The jobs of a run, in an order that depends on what was asked for alone: closed loops first, which need two
processors each, then the rest, the long ones before the short ones; inside each kind one seed after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from scripts.regress.jobs import HOST, Job
from scripts.regress.scenarios import Scenario


class SelectionError(ValueError):
    """What was asked for names nothing."""


def select(scenarios: Mapping[str, Scenario], patterns: Sequence[str]) -> list[Scenario]:
    """The scenarios whose names match a pattern (``rtl-*``); all without one.

    Raises:
        SelectionError: a pattern matches none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in scenarios):
            raise SelectionError(f"no scenario is like {pattern} (there are {', '.join(scenarios)})")
    return [each for name, each in scenarios.items()
            if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]


def jobs(chosen: Iterable[Scenario], simulators: Sequence[str], seeds: Sequence[int]) -> list[Job]:
    """Every scenario on every one of the simulators that it has, with every seed.

    Raises:
        SelectionError: that is none.
    """
    ordered = sorted(chosen, key=lambda each: (-each.slots, not each.once, -each.limit_s))
    found: list[Job] = []
    kinds = dict.fromkeys((each.slots, each.once, each.limit_s) for each in ordered)
    for kind in kinds:
        alike = [each for each in ordered if (each.slots, each.once, each.limit_s) == kind]
        found += [Job(each.name, simulator, seed) for number, seed in enumerate(seeds) for each in alike
                  for simulator in each.simulators
                  if simulator in (*simulators, HOST) and not (each.once and number)]
    if not found:
        raise SelectionError("no scenario that was chosen runs on a simulator that was chosen")
    return found
