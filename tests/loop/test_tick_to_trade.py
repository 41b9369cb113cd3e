# SPDX-License-Identifier: MIT
"""tick_to_trade is the sum of its consecutive stages, sample by sample, in every set-up; the time model sets them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge import loop
from bridge.interface import LoopRequest, LoopResult
from tests.loop.conftest import SIMULATORS, RunDirectory
from tickloop.rundir.observed import observe
from tickloop.rundir.tick_to_trade import BETWEEN_CLOCKS, STAGES

Completed = Callable[..., RunDirectory]
SCENARIO = ("--scenario", "opening", "--messages", "300")
MODEL_25G = ("--config", "examples/time_25g.toml", "--sim", "icarus")  # quickly built
INSTRUCTIONS = ("dequeue_to_decision", "decision_to_doorbell")


def _samples(run: RunDirectory) -> list[dict[str, str]]:
    """The rows of messages with an order."""
    with (run.path / "latency.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["tick_to_trade"]]


def _ps(nanoseconds: str) -> int:
    return round(float(nanoseconds) * 1000)


@pytest.mark.parametrize(
    "options",
    [
        *(("--sim", simulator) for simulator in SIMULATORS),
        ("--delivery", "verified"),
        ("--config", "examples/descriptors.toml"),
        MODEL_25G,
    ],
    ids=" ".join,
)
def test_stages_add_up_and_their_units_agree(options: tuple[str, ...], completed: Completed) -> None:
    run = completed("sim", *SCENARIO, *options)
    model = run.json("run.json")["time_model"]
    rows = _samples(run)
    assert len(rows) == len(run.lines("orders.jsonl")) > 5
    for row in rows:
        ps = {stage: _ps(row[f"{stage}_ns"]) for stage in STAGES}
        assert sum(ps.values()) == _ps(row["tick_to_trade"]), row
        assert min(ps.values()) >= 0, row
        for stage in BETWEEN_CLOCKS:
            assert ps[stage] == int(row[stage]) * model["clock_ps"], stage
        for stage in INSTRUCTIONS:
            assert ps[stage] == int(row[stage]) * model["ps_per_instruction"], stage


@pytest.mark.parametrize("options", [(), MODEL_25G], ids=["10GbE", "25GbE"])
def test_the_time_model_is_what_the_stages_show(options: tuple[str, ...], completed: Completed) -> None:
    """Crossings are whole clocks, rounded up; a doorbell and the read it causes take their latency and little more."""
    run = completed("sim", *SCENARIO, *options)
    model, stages = run.json("run.json")["time_model"], run.json("latency.json")["stages"]
    clock = model["clock_ps"]
    posted = -(-model["posted_write_ns"] * 1000 // clock)
    assert stages["dma_issue_to_visible"]["min"] == stages["dma_issue_to_visible"]["max"] == posted
    assert 0 < stages["doorbell_to_tx_fetch"]["min"] - model["doorbell_ns"] < 16 * clock / 1000
    assert 0 < stages["tx_fetch_to_wire"]["min"] - model["read_ns"] * 1000 / clock < 8
    assert stages["last_byte_to_record_valid"]["p50"] <= 4


def test_two_lines(completed: Completed, tickloop: Callable[..., Any], tmp_path: Path) -> None:
    capture = tmp_path / "opening.pcap"
    assert tickloop("generate", "opening", "--messages", "300", "--out", capture).returncode == 0
    run = completed("sim", capture, "--line-b", capture)
    rows = _samples(run)
    assert rows
    for row in rows:
        assert sum(_ps(row[f"{stage}_ns"]) for stage in STAGES) == _ps(row["tick_to_trade"]), row


@pytest.fixture
def recorded(completed: Completed) -> LoopResult:
    """The logs of a run that passed."""
    run = completed("sim", *SCENARIO)
    return loop.recorded(LoopRequest(run.path / "record/stimulus.bin", run.path, kernel=Path("tickloop.elf")))


def _shifted(log: Any, field: str, by: int) -> Any:
    log = log.copy()
    log[field] = (log[field].astype(np.int64) + by).astype(np.uint64)
    return log


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda result: {"valid": _shifted(result.valid, "clock", 100)}, "before it begins"),
        (lambda result: {"valid": result.valid[::-1]}, "before it was decoded"),
        (lambda result: {"reads": _shifted(result.reads, "issued_clock", -10_000)}, "before it begins"),
        (lambda result: {"reads": result.reads[1:]}, "were read"),
        (lambda result: {"reads": result.reads[[*range(1, len(result.reads)), 0]]}, "not the one read for it"),
    ],
    ids=["late record", "reversed records", "early reads", "missing read", "exchanged reads"],
)
def test_logs_that_contradict_each_other_are_told(spoil: Callable[[LoopResult], Any], told: str,
                                                  recorded: LoopResult) -> None:  # fmt: skip
    def problems(result: LoopResult) -> list[str]:
        return [problem for problem in observe(result, closed_loop=True).problems if problem.startswith("latency:")]

    assert problems(recorded) == []
    (problem,) = problems(replace(recorded, **spoil(recorded)))
    assert told in problem
