# SPDX-License-Identifier: MIT
"""A run whose frames depend on what the NIC sends: an exchange in the loop is called at the same simulated times and
changes the run by what it answers, on both simulators, with idle clocks skipped or not, whoever is held up. What it
sent is the run's stimulus, from which either half does the same again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bridge import build, loop
from bridge.interface import BridgeError, Exchange, LoopRequest, LoopResult
from bridge.record import recorded
from bridge.stimulus import HEADER, read_stimulus
from tests.loop import echo
from tickloop.config import compile_module, load_config
from tickloop.rundir.digest import digest

ECHO = "tests.loop.echo:Echo"
Run = Callable[..., LoopResult]


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``answered(fault=..., simulator=...)``: a run with the small exchange; equal calls share one."""
    runs: dict[str, LoopResult] = {}

    def run(arguments: dict[str, Any] | None = None, **variation: Any) -> LoopResult:
        key = json.dumps([arguments, variation])
        if key not in runs:
            out = tmp_path_factory.mktemp("answered")
            config = load_config(None)
            module = out / "config.bin"
            module.write_bytes(compile_module(config.kernel, config.nic))
            request = LoopRequest(stimulus=out / "record/stimulus.bin", out=out, kernel=build.build_kernel(),
                                  config_module=module, exchange=Exchange(ECHO, arguments or {}))  # fmt: skip
            runs[key] = loop.run(replace(request, **variation))
        return runs[key]

    return run


def test_orders_are_answered_a_latency_behind_their_last_beat(answered: Run) -> None:
    result = answered()
    assert result.exchange is not None
    orders = [sent for sent in result.sent if sent.data[23] == 6]
    assert result.exchange["orders"] == len(orders) > 5
    # The answer enters on the wire when the exchange gives it: all its frames at one time, this one first.
    assert result.stimulus
    origin = int(result.frames["first_clock"].min()) - 1
    answers = [frame for frame in read_stimulus(result.stimulus) if b"order " in frame.data]
    assert len(answers) == len(orders) == len(result.raw)
    for order, answer in zip(orders, answers, strict=True):
        due_ps = (order.last_clock - origin) * result.clock_ps + 5_000_000
        assert answer.time_ns == -(-due_ps // 1000)


def test_the_feed_is_another_one_than_without_orders(answered: Run) -> None:
    result = answered()
    assert result.stimulus
    feed = [frame for frame in read_stimulus(result.stimulus) if frame.line == 0 and b"order " not in frame.data]
    hurried = [1 for a, b in pairwise(feed) if (b.time_ns - a.time_ns) * 1000 < echo.GAP_PS]
    assert len(hurried) > 5


@pytest.mark.parametrize("variation", [
    {"simulator": "icarus"}, {"skip_idle": False}, {"host_delay": 300, "guest_delay": 300},
    {"simulator": "icarus", "skip_idle": False},
], ids=", ".join)  # fmt: skip
def test_the_run_is_the_same(answered: Run, variation: dict[str, Any]) -> None:
    small = {"messages": 60}
    usual, result = answered(small), answered(small, **variation)
    assert digest(result) == digest(usual)
    assert result.exchange == usual.exchange  # called with the same times, too
    assert result.stimulus
    assert usual.stimulus
    assert result.stimulus.read_bytes() == usual.stimulus.read_bytes()


def test_it_is_called_for_what_there_is_to_do_and_no_more(answered: Run) -> None:
    """Within a latency of the call before, nothing that it does can depend on what it has not seen."""
    result = answered()
    assert result.exchange
    calls = result.exchange["calls"]
    assert all(b - a >= 5_000_000 for a, b in pairwise(calls))
    assert len(calls) <= len(result.sent) + result.exchange["published"]


@pytest.mark.parametrize("half", ["kernel", "rtl"])
def test_either_half_again_from_the_record(answered: Run, half: str, tmp_path: Path) -> None:
    result = answered()
    assert result.stimulus
    record = result.stimulus.parent
    module = record.parent / "config.bin"
    request = LoopRequest(stimulus=result.stimulus, out=tmp_path, replay=record)
    if half == "kernel":
        request = replace(request, kernel=build.build_kernel(), config_module=module)
    again = loop.run(request)
    names = ("frames", "dma", "sent", "guest", "trace") if half == "kernel" else ("frames", "dma", "reads", "sent")
    for name in names:
        assert recorded(tmp_path / "record", name) == recorded(record, name), name
    assert again.clocks == result.clocks


FAULTS = {
    "raises": (10, "the exchange failed: RuntimeError: the market is closed (details: "),
    "start": (10, "the exchange failed: RuntimeError: no such market (details: "),
    "late": (10, "comes too late for that"),
    "early": (10, "or later"),
    "undone": (10, "the exchange left something undone"),
    "waits": (10, "the exchange waits for what never comes"),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_an_exchange_that_fails_ends_the_run_with_one_line(answered: Run, fault: str) -> None:
    status, text = FAULTS[fault]
    with pytest.raises(BridgeError, match="exchange") as failed:
        answered({"fault": fault})
    assert failed.value.exit_status == status
    assert text in str(failed.value)
    assert "\n" not in str(failed.value)


def test_an_exchange_that_is_not_there(answered: Run) -> None:
    with pytest.raises(BridgeError, match="the exchange failed: TypeError") as failed:
        answered({"colour": "blue"})
    assert failed.value.exit_status == 10


def test_the_stimulus_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries = [(1000, b"abc", 0), (5000, b"12345678", 3)]
    data = b"".join(HEADER.pack(t, len(d), f) + d + bytes(-len(d) % 8) for t, d, f in entries)
    (tmp_path / "stimulus.bin").write_bytes(data + b"\1")
    read = list(read_stimulus(tmp_path / "stimulus.bin"))
    assert [(f.time_ns, f.data, f.bad_fcs, f.line) for f in read] == [(1, b"abc", False, 0), (5, b"12345678", True, 1)]
