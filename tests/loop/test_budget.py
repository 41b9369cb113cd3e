# SPDX-License-Identifier: MIT
"""What a message costs in the kernel, to the instruction: budget.toml holds what it may; see scripts/budget.py."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from scripts import budget
from tests.loop.conftest import RunDirectory

Completed = Callable[..., RunDirectory]


def test_no_message_costs_more_than_its_budget(completed: Completed) -> None:
    counts, allowed = budget.measure(completed("sim").path), budget.load()
    assert len(counts) > 10
    assert sum(count["messages"] for count in counts.values()) == 2000
    lines = budget.exceeded(counts, allowed)
    if lines and budget.compiler() != allowed["compiler"]:
        pytest.skip(f"the budget is for gcc {allowed['compiler']}, here it is {budget.compiler()}: {'; '.join(lines)}")
    if lines:
        functions = budget.by_function()
        lines += ["by function, on the host:", *budget.differences(functions, allowed)] if functions else [
            "valgrind would tell it by function"]
    assert not lines, "\n".join(lines)


def test_one_instruction_more_exceeds_it(completed: Completed) -> None:
    counts = budget.measure(completed("sim").path)
    for name in counts:
        for what in ("total", "most"):
            allowed = {"message": copy.deepcopy(counts)}
            assert not budget.exceeded(counts, allowed)
            allowed["message"][name][what] -= 1
            (line,) = budget.exceeded(counts, allowed)
            assert line.endswith(" 1 more than the budget")


def test_differences_are_told_by_function() -> None:
    now, before = {"books_add": 12, "levels_find": 5, "same": 1}, {"books_add": 10, "same": 1}
    told = budget.differences(now, {"function": before})
    assert told == ["levels_find: 0 -> 5 (+5)", "books_add: 10 -> 12 (+2)"]
