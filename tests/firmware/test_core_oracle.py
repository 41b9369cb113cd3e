# SPDX-License-Identifier: MIT
"""Final books of the kernel's core against itch-book, a C++ book that nobody here wrote.

Kept out of the streams is where it differs by design: adds onto live references, reference 0, messages with zero
fields, and level sums beyond 32 bits, at which it wraps.
"""

from __future__ import annotations

from typing import Any

import pytest
from itch_book._core import Session

from generators.profiles import generate
from tests.firmware.core_harness import Core
from tests.firmware.records import Export, config_module

DEPTH = 400  # levels a side; the deepest book of a test has fewer

Books = dict[int, tuple[list[list[int]], list[list[int]]]]


def itch_book(messages: list[bytes]) -> tuple[Books, dict[str, int]]:
    """Books by locate from the last row each has in the depth table, and the oracle's own counters."""
    session = Session(tables=["bbo"], depth=DEPTH, symbols=[])
    session.feed(b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages))
    table = session.take_depth()
    books: Books = {}
    for row in {int(locate): row for row, locate in enumerate(table["locate"])}.values():
        sides = [
            [
                [int(table[f"{side}_{column}_{n:02}"][row]) for column in ("px", "sz", "ct")]
                for n in range(DEPTH)
                if table[f"{side}_ct_{n:02}"][row]
            ]
            for side in ("bid", "ask")
        ]
        books[int(table["locate"][row])] = (sides[0], sides[1])
    return books, session.stats()


def assert_oracle_agrees(core: Core, messages: list[bytes]) -> Export:
    core.messages(messages)
    export = core.export()
    books, counters = itch_book(messages)
    ours = {book["stock_locate"]: (book["bids"], book["asks"]) for book in export.books}
    assert ours
    assert max(len(side) for book in ours.values() for side in book) < DEPTH
    assert ours == books
    assert export.statistics["records"] == counters["messages"] == len(messages)
    assert export.statistics["unknown_references"] == counters["missing_ref"]
    assert export.statistics["over_executions"] == counters["clamped"]
    assert export.statistics["live_orders"] == counters["live_orders"]
    return export


@pytest.mark.parametrize("seed", [11, 12])
def test_opening_profile(core: Core, seed: int) -> None:
    assert_oracle_agrees(core, [message for _, message in generate("opening", seed=seed, messages=10_000)])


def test_opening_profile_joined_late(core: Core) -> None:
    """Without its first third, many messages refer to orders never seen."""
    messages = [message for _, message in generate("opening", seed=13, messages=10_000)]
    export = assert_oracle_agrees(core, messages[3000:])
    assert export.statistics["unknown_references"] > 0


def test_real_opening(core: Core, real_messages: list[bytes]) -> None:
    export = assert_oracle_agrees(core, real_messages)
    assert export.statistics["unknown_references"] == 399


def test_small_configuration_still_agrees(core: Core) -> None:
    """Pools with little to spare: half as much again as is in use at the end."""
    messages = [message for _, message in generate("opening", seed=14, messages=5000)]
    core.messages(messages)
    need = core.export().statistics
    limits = {"max_books": need["book_count"], "max_orders": need["live_orders"], "max_levels": need["live_levels"]}
    peak: dict[str, Any] = {name: value + value // 2 for name, value in limits.items()}
    assert core.configure(config_module(**peak)) == ""
    assert assert_oracle_agrees(core, messages).statistics["pool_full"] == 0
