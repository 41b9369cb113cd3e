# SPDX-License-Identifier: MIT
"""Strategies and the kill switch through the whole loop: against an exchange that answers, and at simulated times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.loop.conftest import RunDirectory

Completed = Callable[..., RunDirectory]
SLACK_NS = 5_000  # an order that is on its way when a command comes


def test_three_strategies_within_limits_against_the_exchange(completed: Completed, root: Path) -> None:
    """Quotes are entered, replaced and canceled, own orders stand in the feed, and all ledgers agree."""
    run = completed("sim", "--scenario", "exchange", "--messages", "600", "--config", root / "examples/strategies.toml")
    kinds = Counter(line["type"] for line in run.lines("orders.jsonl"))
    assert kinds["O"] > 5
    assert kinds["U"] > 5
    console = (run.path / "console.log").read_text()
    assert "trading: goes on" in console
    assert "position: in all " in console


def test_no_order_between_kill_and_resume(completed: Completed, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("1ms kill\n3ms resume\n")
    run = completed("sim", "--scenario", "opening", "--messages", "1500", "--script", script)
    times = [line["time_ns"] for line in run.lines("orders.jsonl")]
    assert min(times) < 1_000_000
    assert max(times) > 3_000_000
    assert not [time for time in times if 1_000_000 + SLACK_NS < time < 3_000_000]
    console = (run.path / "console.log").read_text()
    assert "trading: stopped by the kill switch\n" in console
    assert "statistics: orders refused, kill switch " in console
