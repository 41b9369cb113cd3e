# SPDX-License-Identifier: MIT
"""The order of tests for several workers: nothing is lost, who takes turns is with one worker, long tests begin."""

from __future__ import annotations

import pytest

from tests.order import in_parts

TESTS = [f"tests/{folder}/test_it.py::test_{number}" for folder in ("bridge", "core", "loop", "rtl", "tickloop")
         for number in range(12)]
TURNS = {test for test in TESTS if "/bridge/" in test or "/loop/" in test}


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_every_worker_has_its_part(workers: int) -> None:
    order = in_parts(TESTS, TURNS, workers)
    assert sorted(order) == sorted(TESTS)
    assert set(order[:len(TURNS)]) == TURNS
    begins = [order[max(len(TURNS), len(TESTS) * worker // workers)] for worker in range(1, workers)]
    assert workers > 2 or begins == ["tests/rtl/test_it.py::test_0"]
    assert [test for test in order if test in TURNS] == [test for test in TESTS if test in TURNS]


def test_more_turns_than_a_part_and_none() -> None:
    assert sorted(in_parts(TESTS, set(TESTS), 2)) == sorted(TESTS)
    assert in_parts(TESTS, set(), 2)[len(TESTS) // 2] == "tests/rtl/test_it.py::test_0"
