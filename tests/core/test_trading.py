# SPDX-License-Identifier: MIT
"""Strategies, checks, own orders and trading states of the kernel's core against the Python model, at random.

Both are fed the same steps: messages, events, answers of an exchange and nonsense, link states, commands. What is sent
must be the same at every step, and everything that the kernel exports in the end.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.core.trading import Day
from tests.firmware.core_harness import Core

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_at_random(core: Core, seed: int) -> None:
    Day(core, seed, hostile=seed % 2 == 0).run(500)


def test_the_days_reach_everything(core: Core) -> None:
    """Every refusal but a full ring, every kind of order, every state of a book, executions and stops."""
    refused: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    flags = 0
    totals: Counter[str] = Counter()
    for seed in SEEDS:
        day = Day(core, 1000 + seed, hostile=seed % 3 == 0)
        day.run(400)
        refused.update(day.model.refusals)
        kinds.update(intent.kind for intent in day.sent)
        totals.update({name: value for name, value in day.model.statistics.items() if isinstance(value, int)})
        for position in day.model.positions():
            flags |= position["flags"]
    assert {name for name, count in refused.items() if count == 0} == {"ring"}
    assert {"enter", "replace", "cancel"} <= set(kinds)
    assert flags == 127
    for name in ("executions", "answers_bad", "answers_unknown", "orders_lost", "sequence_gaps", "bad_frames", "halts"):
        assert totals[name] > 0, name
