# SPDX-License-Identifier: MIT
"""Real Nasdaq messages through the loop and through ``parse``, on both simulators; final books against itch-book."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from itch_book._core import Session

from tests.loop.conftest import SIMULATORS, RunDirectory

Completed = Callable[..., RunDirectory]
OPEN = "itch_12302019_open_1000.itch"
START = "itch_start_of_day_1000.itch"
DEPTH = 300


def _itch_book_levels(data: bytes) -> dict[int, tuple[list[list[int]], list[list[int]]]]:
    """Price, shares, orders of every level after the last message, by locate."""
    session = Session(tables=["bbo"], depth=DEPTH, symbols=[])
    session.feed(data)
    assert session.stats()["missing_ref"] == 399
    table = session.take_depth()
    last = {int(locate): row for row, locate in enumerate(table["locate"])}

    def side(name: str, row: int) -> list[list[int]]:
        levels = ([int(table[f"{name}_{c}_{n:02}"][row]) for c in ("px", "sz", "ct")] for n in range(DEPTH))
        return [level for level in levels if level[2]]

    return {locate: (side("bid", row), side("ask", row)) for locate, row in last.items()}


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_opening_messages_become_orders(simulator: str, completed: Completed, sample: Callable[[str], Path]) -> None:
    path = sample(OPEN)
    run = completed("sim", path, "--sim", simulator)
    assert len(run.lines("messages.jsonl")) == 1000
    assert len(run.lines("orders.jsonl")) > 0
    assert run.json("summary.json")["agree"] is True
    theirs = {k: v for k, v in _itch_book_levels(path.read_bytes()).items() if v != ([], [])}
    ours = {b["stock_locate"]: (b["bids"], b["asks"]) for b in run.json("books.json")}
    assert {k: v for k, v in ours.items() if v != ([], [])} == theirs
    assert len(theirs) > 100
    assert "unknown references 399" in (run.path / "console.log").read_text()


def test_both_simulators_give_one_digest(completed: Completed, sample: Callable[[str], Path]) -> None:
    path = sample(OPEN)
    assert len({completed("sim", path, "--sim", s).json("run.json")["digest"] for s in SIMULATORS}) == 1


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("command", ["sim", "parse"])
def test_a_slow_morning_takes_no_time(
    command: str, simulator: str, completed: Completed, sample: Callable[[str], Path]
) -> None:
    """282 s of market time without an order: idle time is skipped."""
    path = sample(START)
    start = time.monotonic()
    run = completed(command, path, "--sim", simulator)
    assert time.monotonic() - start < 120
    assert len(run.lines("messages.jsonl")) == 1000
    assert run.json("run.json")["clocks"] > 282 * 156_250_000


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_parse_delivers_every_message(simulator: str, completed: Completed, sample: Callable[[str], Path]) -> None:
    path = sample(OPEN)
    run = completed("parse", path, "--sim", simulator)
    data, at, count = path.read_bytes(), 0, 0
    for line in run.lines("messages.jsonl"):
        length = int.from_bytes(data[at : at + 2], "big")
        assert line["length"] == length
        assert line["type"] == chr(data[at + 2])
        if "raw" in line:
            assert bytes.fromhex(line["raw"]) == data[at + 2 : at + 2 + length]
        at += 2 + length
        count += 1
    assert (count, at) == (1000, len(data))
    assert not (run.path / "orders.jsonl").exists()
