# SPDX-License-Identifier: MIT
"""Order references chosen against the hash table: every walk ends, what is kept is found, the rest is refused as by a
full pool, and told of."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from generators.tables import encode
from tests.firmware.core_harness import Core
from tests.firmware.records import config_module

PROBE_LIMIT = 256  # orders.h
MAX_ORDERS = 1 << 16
LOG2 = 18  # of the table for them
STRIDE = (1 << 64 - LOG2) + (0x9E3779B97F4A7C15 >> LOG2)
WORD = (1 << 64) - 1


def home(reference: int) -> int:
    return (reference * STRIDE & WORD) >> (64 - LOG2)


def references(homes: list[int]) -> list[int]:
    """A reference for each home, all different."""
    found, turns = [], {}
    for wanted in homes:
        turn = turns.get(wanted, 0)
        while True:
            reference = -(-((turn << 64) + (wanted << 64 - LOG2)) // STRIDE)
            turn += 1
            if home(reference) == wanted:
                break
        turns[wanted] = turn
        found.append(reference)
    assert len(set(found)) == len(found)
    return found


def add(reference: int, price: int = 10_000, locate: int = 1) -> bytes:
    return encode("A", {
        "stock_locate": locate, "tracking_number": 0, "timestamp": 0, "order_reference_number": reference,
        "buy_sell_indicator": "B", "shares": 100, "stock": f"SYM{locate}", "price": price})


def delete(reference: int) -> bytes:
    return encode("D", {"stock_locate": 1, "tracking_number": 0, "timestamp": 0, "order_reference_number": reference})


@pytest.fixture
def books(core: Core) -> Core:
    assert core.configure(config_module(default_strategy=0, max_orders=MAX_ORDERS)) == ""
    return core


def assert_kept(core: Core, kept: list[int], refused: int, unknown: int = 0) -> None:
    statistics = core.export().statistics
    assert (statistics["live_orders"], statistics["pool_full"]) == (len(kept), refused)
    assert core.check().broken == ""
    Random(1).shuffle(kept)
    core.messages([delete(reference) for reference in kept])
    statistics = core.export().statistics
    assert (statistics["live_orders"], statistics["unknown_references"]) == (0, unknown)
    assert core.check().broken == ""


def test_references_of_one_home(books: Core) -> None:
    crowd = references([40_000] * 1000)
    books.messages([add(reference) for reference in crowd])
    assert_kept(books, crowd[: PROBE_LIMIT + 1], len(crowd) - PROBE_LIMIT - 1)
    assert books.export().statistics["suspect_books"] == 1


def test_a_replace_without_a_place_still_takes_the_original(books: Core) -> None:
    crowd = references([7] * (PROBE_LIMIT + 2))
    books.messages([add(reference) for reference in crowd[:-1]] + [add(1 << 50)])
    fields: dict[str, Any] = {"stock_locate": 1, "tracking_number": 0, "timestamp": 0, "shares": 1, "price": 100,
                              "original_order_reference_number": 1 << 50, "new_order_reference_number": crowd[-1]}
    books.messages([encode("U", fields)])
    assert_kept(books, crowd[:-1], 1)


@pytest.mark.parametrize("start", [0, 65_000, (1 << LOG2) - 3000])
def test_a_removal_that_would_move_thousands(books: Core, start: int) -> None:
    """Two of one home, and then one each: all but the first stand one entry off, and would all move up."""
    homes = [start, *range(start, start + 5000)]
    crowd = references([at % (1 << LOG2) for at in homes])
    books.messages([add(reference) for reference in crowd])
    books.messages([delete(crowd[0])])
    assert_kept(books, crowd[1:], 0)
    books.messages([add(reference) for reference in crowd])  # a barrier takes a place, no more
    assert_kept(books, crowd, 0)


def test_a_barrier_is_never_found(books: Core) -> None:
    """Its reference is one of a far home; removals in front must not move it there, where a message would find it."""
    far = ((1 << LOG2) - 1) // 4
    start = home(far)
    crowd = references([at % (1 << LOG2) for at in [start, *range(start, start + 5000)]])
    books.messages([add(reference) for reference in crowd])
    books.messages([delete(reference) for reference in crowd[:1500]])
    books.messages([delete(far), add(far)])
    statistics = books.export().statistics
    assert (statistics["unknown_references"], statistics["duplicate_references"]) == (1, 0)
    assert_kept(books, crowd[1500:], 1, unknown=1)  # barriers take its places
