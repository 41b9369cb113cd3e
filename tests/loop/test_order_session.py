# SPDX-License-Identifier: MIT
"""The kernel's order-entry session in the closed loop, where its line is bad, is cut, and where the host ends it.

Every run passes all checks: segments and orders to the byte, books, and positions, cash and the end of each order as
the exchange has them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scapy.utils import RawPcapReader

from bridge.layout import TRACE_LOG, TraceKind
from generators.exchange.segment import PSH, parse
from tests.loop.conftest import RunDirectory

SCENARIO = ("sim", "--scenario", "exchange")
LOSSY = """[exchange]
order_loss_ppm = 50000
order_duplicate_ppm = 20000
order_late_ppm = 50000
"""
CUT = """[exchange]
slowness = 1000
[[exchange.event]]
time_ns = 900000000
action = "cut_link"
[[exchange.event]]
time_ns = 1300000000
action = "mend_link"
"""
# Long enough for something to be heard a second after the new login: before that a replay is not taken as complete.
DROP = """[exchange]
slowness = 1000
[[exchange.event]]
time_ns = 300000000
action = "drop_link"
"""
SCRIPT = "3ms kill\n3.01ms cancel all\n3.5ms logout\n"

Completed = Callable[..., RunDirectory]


def session_lines(run: RunDirectory) -> list[str]:
    console = (run.path / "console.log").read_text().splitlines()
    return [line.removeprefix("session: ") for line in console if line.startswith("session:")]


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("ouch", ["4.2", "5.0"])
def test_a_line_that_loses_doubles_and_delays_frames_costs_no_order(completed: Completed, tmp_path: Path,
                                                                    ouch: str) -> None:
    run = completed(*SCENARIO, "--ouch", ouch, "--config", written(tmp_path / "lossy.toml", LOSSY))
    assert session_lines(run) == ["up: ready", "down: end of session"]
    frames = [frame for frame, _ in RawPcapReader(str(run.path / "orders.pcap"))]
    segments = [segment for frame in frames if (segment := parse(frame))]
    again = [segment for segment in segments if segment.payload and not segment.flags & PSH]
    assert again, "nothing was sent again"
    first = {segment.sequence: segment.payload for segment in segments if segment.flags & PSH}
    stream = b"".join(first[sequence] for sequence in sorted(first))
    assert all(segment.payload in stream for segment in again)
    assert len(run.lines("orders.jsonl")) == sum(payload[2:3] == b"U" for payload in first.values())


def test_a_cut_line_stops_trading_until_it_is_mended_and_reconciled(completed: Completed, tmp_path: Path) -> None:
    run = completed(*SCENARIO, "--config", written(tmp_path / "cut.toml", CUT))
    lines = session_lines(run)
    assert (lines[0], lines[-2], lines[-1]) == ("up: ready", "up: ready", "down: end of session")
    assert set(lines[1:-2]) == {"down: no acknowledgement from the exchange"}
    orders = [line["time_ns"] for line in run.lines("orders.jsonl")]
    before, after = ([time for time in orders if low < time < high]
                     for low, high in ((0, 900_000_000), (2_300_000_000, 1 << 62)))
    assert before
    assert after
    # An order that nobody acknowledges is sent again for some 80 ms; the heartbeat comes a second after the login.
    assert not [time for time in orders if 1_100_000_000 < time < 2_290_000_000]


def test_kill_cancel_all_and_logout_leave_nothing_open(completed: Completed, tmp_path: Path) -> None:
    run = completed(*SCENARIO, "--script", written(tmp_path / "script", SCRIPT))
    assert session_lines(run) == ["up: ready", "down: logging out", "down: logged out"]
    exchange = run.json("exchange.json")
    assert {order["end"] for order in exchange["client"]["orders"]} <= {"canceled", "executed"}
    assert max(line["time_ns"] for line in run.lines("orders.jsonl") if line["type"] == "O") < 3_100_000
    assert any(line["type"] == "X" for line in run.lines("orders.jsonl"))


def test_no_order_leaves_after_logout(tickloop: Callable[..., Any], tmp_path: Path) -> None:
    """What is open then ends without the kernel's knowing, so the run's own check of ends fails."""
    tickloop(*SCENARIO, "--script", written(tmp_path / "script", "3ms logout\n"), "--out", tmp_path / "run")
    trace = np.fromfile(tmp_path / "run/record/trace.bin", TRACE_LOG)
    (command,) = np.flatnonzero(trace["type"] == TraceKind.COMMAND)
    assert trace["orders"][:command].any()
    assert (trace["type"][command:] >= ord("A")).any()
    assert not trace["orders"][command:].any()


def test_a_reset_connection_comes_back_with_a_new_login(completed: Completed, tmp_path: Path) -> None:
    run = completed(*SCENARIO, "--config", written(tmp_path / "drop.toml", DROP))
    assert session_lines(run) == ["up: ready", "down: connection reset by the exchange", "up: ready",
                                  "down: end of session"]
