# SPDX-License-Identifier: MIT
"""latency.csv is verified from the waves: what ``waves.measure`` makes of the dump alone is the same, sample by sample,
on both simulators; and a dump in which something is wrong does not pass."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.interface import CLOCK_PS
from tests.loop.conftest import SIMULATORS, RunDirectory
from waves.dump import read_definitions
from waves.measure import Measured, main, measure

SCENARIO = ("--scenario", "opening", "--messages", "120")
DECODE_CLOCKS = 2  # from a message's last byte, as rtl/receive_line.v says
Completed = Callable[..., RunDirectory]
Samples = dict[int, float]


@pytest.fixture(params=SIMULATORS)
def run(request: pytest.FixtureRequest, completed: Completed) -> RunDirectory:
    return completed("sim", *SCENARIO, "--sim", request.param, "--waves")


@pytest.fixture
def measured(run: RunDirectory) -> Measured:
    return measure(run.path / "waves.vcd")


def latency(run: RunDirectory) -> dict[str, Samples]:
    """The samples of latency.csv by stage and sequence number."""
    with (run.path / "latency.csv").open() as file:
        rows = list(csv.DictReader(file))
    stages = [name for name in rows[0] if name != "sequence"]
    return {stage: {int(row["sequence"]): float(row[stage]) for row in rows if row[stage]} for stage in stages}


def test_latencies_are_those_of_the_waves(run: RunDirectory, measured: Measured) -> None:
    claimed = latency(run)
    orders = len(run.lines("orders.jsonl"))
    assert not measured.problems
    both = claimed.keys() & measured.samples.keys()
    assert both >= {
        "wire_first_byte_to_dma_issue", "last_byte_to_dma_issue", "dma_to_dequeue", "doorbell_to_wire", "tick_to_trade",
        "wire_first_byte_to_last_byte", "last_byte_to_record_valid", "record_valid_to_dma_issue",
        "dequeue_to_decision_ns", "decision_to_doorbell_ns", "doorbell_to_tx_fetch", "tx_fetch_to_wire",
    }  # fmt: skip
    for stage in both:
        assert measured.samples[stage] == pytest.approx(claimed[stage], abs=1e-6, rel=0), stage
    assert len(claimed["wire_first_byte_to_dma_issue"]) == len(run.lines("messages.jsonl")) == 120
    assert len(claimed["tick_to_trade"]) == orders > 0


def test_latencies_of_two_lines_are_those_of_the_waves(
    tickloop: Callable[..., Any], completed: Completed, tmp_path: Path
) -> None:
    """Line B lacks the end: every copy that is delivered is measured from the frame that brought it."""
    captures = [tmp_path / f"{messages}.pcap" for messages in (100, 90)]
    for capture in captures:
        tickloop("generate", "opening", "--messages", capture.stem, "--out", capture)
    run = completed("sim", captures[0], "--line-b", captures[1], "--waves")
    claimed, measured = latency(run), measure(run.path / "waves.vcd")
    assert not measured.problems
    for stage in claimed.keys() & measured.samples.keys():
        assert measured.samples[stage] == pytest.approx(claimed[stage], abs=1e-6, rel=0), stage
    assert len(measured.samples["tick_to_trade"]) == len(run.lines("orders.jsonl")) > 0
    assert [len(measured.samples[f"last_byte_to_decoded_{line}"]) for line in "ab"] == [100, 90]


def test_every_message_is_decoded_two_clocks_behind_its_last_byte(measured: Measured) -> None:
    assert set(measured.samples["last_byte_to_decoded_a"].values()) == {DECODE_CLOCKS}
    assert len(measured.samples["last_byte_to_decoded_a"]) == 120


def test_an_order_takes_its_stages(run: RunDirectory, measured: Measured) -> None:
    """Doorbell at the register port, fetch, answer, first beat: the answer takes the read latency of the time model."""
    orders = len(run.lines("orders.jsonl"))
    stages = [measured.samples[stage] for stage in ("doorbell_to_fetch", "fetch_to_answer", "answer_to_first_beat")]
    assert [len(samples) for samples in stages] == [orders] * 3
    assert all(min(samples.values()) > 0 for samples in stages)
    read_clocks = -(-run.json("run.json")["time_model"]["read_ns"] * 1000 // CLOCK_PS)
    assert min(stages[1].values()) >= read_clocks


def test_nothing_stalls_before_an_idle_host(measured: Measured) -> None:
    assert set(measured.stalls.values()) == {0}


def test_both_simulators_show_the_same(completed: Completed) -> None:
    one, other = (
        measure(completed("sim", *SCENARIO, "--sim", name, "--waves").path / "waves.vcd") for name in SIMULATORS
    )
    assert one == other


def changed(run: RunDirectory, tmp_path: Path, signal: str, change: Callable[[str, str], str]) -> Path:
    """The run's dump with ``change`` made to its text, given the identifier code of a signal of the NIC."""
    dump = run.path / "waves.vcd"
    with dump.open("rb") as file:
        code = read_definitions(file)[0][f"testbench.nic.{signal}"].code.decode("latin-1")
    path = tmp_path / "waves.vcd"
    path.write_text(change(dump.read_text(encoding="latin-1"), code), encoding="latin-1")
    return path


def test_a_stall_is_counted(completed: Completed, tmp_path: Path) -> None:
    run = completed("sim", *SCENARIO, "--waves")
    path = changed(run, tmp_path, "m_axi_arready", lambda text, code: text.replace(f"\n1{code}\n", f"\n0{code}\n"))
    measured = measure(path)
    assert measured.stalls["DMA read address"] >= len(run.lines("orders.jsonl"))
    assert any("the stages of an order are not told apart" in problem for problem in measured.problems)


def test_a_late_decode_is_seen(completed: Completed, tmp_path: Path) -> None:
    """The first message's pulse, moved by a clock."""

    def late(text: str, code: str) -> str:
        up, down = (re.search(rf"^{level}{re.escape(code)}\n", text, re.M) for level in "10")
        assert up
        down = re.compile(rf"^0{re.escape(code)}\n", re.M).search(text, up.end())
        assert down
        between = re.compile(r"^#\d+\n", re.M)
        after = between.search(text, between.search(text, down.end()).end())  # type: ignore[union-attr]
        assert after
        moved = text[: up.start()] + text[up.end() : down.start()] + f"1{code}\n" + text[down.end() : after.end()]
        return moved + f"0{code}\n" + text[after.end() :]

    path = changed(completed("sim", *SCENARIO, "--waves"), tmp_path, "decoded_a", late)
    samples = measure(path).samples["last_byte_to_decoded_a"]
    assert list(samples.values())[:2] == [DECODE_CLOCKS + 1, DECODE_CLOCKS]


def test_the_command_prints_a_table(completed: Completed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = completed("sim", *SCENARIO, "--waves")
    assert main([str(run.path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    mean = run.json("latency.json")["stages"]["tick_to_trade"]["mean"]
    (line,) = [line for line in lines if line.startswith("tick_to_trade")]
    assert f"{mean:.3f}" in line
    assert any(line.startswith("transmit port waits") for line in lines)
    assert main([str(tmp_path)]) == 2
    assert "run with --waves" in capsys.readouterr().err
    (tmp_path / "waves.vcd").write_text("$enddefinitions $end\n")
    assert main([str(tmp_path)]) == 2
    assert "testbench.clock is not in the dump" in capsys.readouterr().err
